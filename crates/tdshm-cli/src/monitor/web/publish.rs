//! Segments that browsers send: who may send which, who has which, and what stays when one goes.
//!
//! A client has a `Desk` with its publications. Frames go from there into the `Stage` of their segment, where the newest takes
//! the place of one that waits. A thread a segment writes them, so no lock of a segment is held over the network,
//! and one that is not free holds up nobody else.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `frame` | what clients say about it, checked |
//! | `desk` | the publications of one client |
//! | `stage` | a segment, its sender, and the frame that waits |

mod desk;
pub(super) mod frame;
mod stage;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::Serialize;
use tdshm::ShortName;

use self::frame::Publish;
use self::stage::{Holder, Stage};
use super::message::Mistake;
use crate::cmd::names::Wanted;

use self::desk::PUBLICATIONS;
pub(super) use self::desk::{Desk, Event};

/// Segments that browsers may send at once.
const SEGMENTS: usize = 64;
/// Sentences that are kept for whoever says them.
const NEWS: usize = 256;
/// How long a segment stays whose name a pattern meant.
const LINGER: Duration = Duration::from_secs(60);

/// What may be sent and read, and what stays.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// What may be sent, and read.
    pub(crate) names: Vec<Wanted>,
    /// What may be read besides.
    pub(crate) read: Vec<Wanted>,
    /// How long a segment stays whose browser has gone; `None`: as long as this program where it was named whole.
    pub(crate) linger: Option<Duration>,
    pub(crate) take_over: bool,
}

impl Rules {
    /// Whether browsers may send it.
    pub(crate) fn takes(&self, name: &str) -> bool {
        self.names.iter().any(|wanted| wanted.means(name))
    }

    /// Whether browsers may read it.
    pub(crate) fn shows(&self, name: &str) -> bool {
        self.takes(name) || self.read.iter().any(|wanted| wanted.means(name))
    }

    fn linger(&self, name: &str) -> Option<Duration> {
        let whole = |wanted: &Wanted| matches!(wanted, Wanted::Name(_)) && wanted.means(name);
        match self.linger {
            None if self.names.iter().any(whole) => None,
            None => Some(LINGER),
            given => given,
        }
    }
}

/// What went into segments.
#[derive(Debug, Default)]
struct Traffic {
    written: AtomicU64,
    dropped: AtomicU64,
    bytes: AtomicU64,
    /// Numbers that were none, and held.
    held: AtomicU64,
}

/// The same, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) written: u64,
    pub(crate) dropped: u64,
    pub(crate) bytes: u64,
    pub(crate) held: u64,
}

/// A segment that a browser sends or has sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Shown {
    pub(crate) name: String,
    /// Whether a browser sends it now; otherwise it keeps its last values.
    pub(crate) live: bool,
    pub(crate) frames: u64,
}

/// Each with its thread.
type Stages = BTreeMap<ShortName, (Arc<Stage>, JoinHandle<()>)>;

/// All segments that browsers send.
#[derive(Debug)]
pub(super) struct Board {
    rules: Rules,
    stages: Mutex<Stages>,
    traffic: Traffic,
    clients: AtomicUsize,
    next_desk: AtomicU64,
    news: Mutex<VecDeque<String>>,
}

impl Board {
    pub(super) fn new(rules: Rules) -> Arc<Self> {
        Arc::new(Self {
            rules,
            stages: Mutex::default(),
            traffic: Traffic::default(),
            clients: AtomicUsize::new(0),
            next_desk: AtomicU64::new(0),
            news: Mutex::default(),
        })
    }

    /// What `hello` says of it.
    pub(super) fn offer(&self) -> frame::Offer {
        frame::Offer::new(self.rules.names.iter().map(ToString::to_string).collect(), SEGMENTS, PUBLICATIONS)
    }

    pub(super) fn passed(&self) -> Passed {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Traffic { written, dropped, bytes, held } = &self.traffic;
        Passed { written: of(written), dropped: of(dropped), bytes: of(bytes), held: of(held) }
    }

    pub(super) fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    pub(super) fn shown(&self) -> Vec<Shown> {
        let stages = lock(&self.stages);
        stages.values().filter_map(|(stage, _)| stage.shown()).collect()
    }

    /// The sentences since the last time.
    pub(super) fn news(&self) -> Vec<String> {
        lock(&self.news).drain(..).collect()
    }

    fn say(&self, sentence: String) {
        let mut news = lock(&self.news);
        if news.len() >= NEWS {
            news.pop_front();
        }
        news.push_back(sentence);
    }

    fn count(&self, count: impl FnOnce(&Traffic) -> &AtomicU64, more: usize) {
        count(&self.traffic).fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Gives a segment to `holder`, unless somebody has it.
    fn claim(self: &Arc<Self>, asked: &Publish, holder: Holder) -> Result<Arc<Stage>, Mistake> {
        let (id, name) = (Some(asked.id), &asked.segment);
        if !self.rules.takes(name.as_str()) {
            let names: Vec<String> = self.rules.names.iter().map(ToString::to_string).collect();
            let sentence =
                format!("{:?} may not be sent here: this server takes {}", name.as_str(), names.join(", "));
            return Err(Mistake::new("segment", id, sentence));
        }
        let mut stages = lock(&self.stages);
        let holder = match stages.get(name) {
            Some((stage, _)) => match stage.claim(holder, &asked.layout)? {
                None => return Ok(Arc::clone(stage)),
                // It has just come to its end.
                Some(holder) => holder,
            },
            None => holder,
        };
        // Ended ones go when a new one comes: there is room for both.
        stages.retain(|_, (stage, _)| !stage.has_ended());
        if stages.len() >= SEGMENTS {
            let sentence = format_args!("browsers send {SEGMENTS} segments already: one has to leave first");
            return Err(Mistake::new("segments", id, sentence));
        }
        let stage = Stage::new(name.clone(), holder, Arc::clone(&asked.layout));
        let (board, running) = (Arc::clone(self), Arc::clone(&stage));
        let thread = thread::Builder::new()
            .name(name.as_str().to_owned())
            .spawn(move || running.run(&board))
            .map_err(|error| Mistake::new("busy", id, format_args!("cannot start a thread: {error}")))?;
        stages.insert(name.clone(), (Arc::clone(&stage), thread));
        Ok(stage)
    }

    /// Leaves all segments.
    pub(super) fn end(&self) {
        let stages = std::mem::take(&mut *lock(&self.stages));
        for (stage, _) in stages.values() {
            stage.end();
        }
        for (_, thread) in stages.into_values() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_given_whole_stays_and_a_patterns_lingers() {
        let names = Wanted::read_all(&["phone*".to_owned(), "desk".to_owned()]).unwrap();
        let read = Wanted::read_all(&["cue?".to_owned()]).unwrap();
        let rules = Rules { names, read, linger: None, take_over: false };
        assert!(
            rules.takes("phone7") && rules.takes("desk") && !rules.takes("cue1") && !rules.takes("desk2")
        );
        assert!(rules.shows("phone7") && rules.shows("cue1") && !rules.shows("mocap"));
        assert_eq!((rules.linger("desk"), rules.linger("phone7")), (None, Some(LINGER)));
        let rules = Rules { linger: Some(Duration::from_secs(3)), ..rules };
        assert_eq!(rules.linger("desk"), Some(Duration::from_secs(3)));
    }
}
