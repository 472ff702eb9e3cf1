//! Who reads what is sent: said when somebody comes or goes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::say;

/// How often the receivers are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// The receivers that were there at the last look.
#[derive(Debug)]
pub(super) struct Readers {
    name: String,
    pids: BTreeSet<u32>,
    foreign: bool,
    next: Instant,
}

impl Readers {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), pids: BTreeSet::new(), foreign: false, next: Instant::now() }
    }

    /// Looks again, if the last look is some time ago.
    pub(super) fn look(&mut self) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        self.next = now.checked_add(EVERY).unwrap_or(now);
        // Looking reads through descriptors and takes no lock; a look that fails is made good by the next one.
        let Ok(report) = tdshm::inspect(&self.name) else { return };
        let receivers = report.notices.iter().flat_map(|notices| &notices.receivers);
        let pids: BTreeSet<u32> = receivers.filter(|r| r.alive).map(|receiver| receiver.pid).collect();
        for pid in pids.difference(&self.pids) {
            say::line(format_args!("process {pid} receives"));
        }
        for pid in self.pids.difference(&pids) {
            say::line(format_args!("process {pid} receives no more"));
        }
        self.pids = pids;
        if report.supported == Some(true) && !self.foreign {
            self.foreign = true;
            let full = report.notices.is_some_and(|notices| notices.receivers.len() >= 16);
            say::line(if full {
                "more receivers have attached than are recorded, or one of another program"
            } else {
                "a receiver of another program has attached"
            });
        }
    }
}
