//! How a segment is opened.

use std::time::Duration;

use super::{Idle, SegmentReceiver};
use crate::error::{Error, ErrorState};
use crate::lock::LIMIT;
use crate::name::ShortName;
use crate::sys::Outcome;

/// How a segment is opened: [`SegmentReceiver::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing is looked at until `open` is called"]
pub struct SegmentReceiverBuilder {
    name: String,
    limit: Duration,
    observe: bool,
    keep: bool,
}

impl SegmentReceiverBuilder {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), limit: LIMIT, observe: false, keep: false }
    }

    /// How long to wait for a lock, 5 seconds by default.
    pub fn lock_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Only observes: takes no lock and no entry with the sender, which therefore neither waits for this receiver nor
    /// wakes it nor lists it. For monitors, which must not be able to delay anybody. New frames are looked for once a
    /// millisecond, and of a sender that writes without a pause some are not seen at all.
    ///
    /// A receiver whose user may read the sender's objects and not write them (mode `0o640`, say) is an observer by
    /// itself. Foreign senders cannot be observed: only their lock tells whether a frame is whole.
    ///
    /// # Source
    ///
    /// wire §11, ours.
    pub fn observe(mut self, observe: bool) -> Self {
        self.observe = observe;
        self
    }

    /// Keeps memory whose address was lent ([`ReadGuard::lend`](crate::ReadGuard::lend), [`SegmentReceiver::lend`]) after its
    /// sender has moved or left, until another address is lent, or the receiver closes: for callers who hold an address from
    /// one lock to the next, as programs do which were written for TouchDesigner's class. At most one segment is kept.
    pub fn keep_lent(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    /// Opens the segment.
    ///
    /// # Errors
    ///
    /// As [`SegmentReceiver::open`].
    pub fn open(self) -> Result<SegmentReceiver, Error> {
        let short = ShortName::new(&self.name)?;
        Ok(SegmentReceiver {
            info_name: short.info_segment(),
            short,
            limit: self.limit,
            observe: self.observe,
            data_lock: None,
            link: None,
            state: ErrorState::DoesNotExist,
            openings: 0,
            attachments: 0,
            moves: 0,
            abandonments: 0,
            counted: None,
            outcome: Outcome::Clean,
            idle: Idle::default(),
            died: false,
            untold: false,
            wreck: None,
            reopening: None,
            shunned: None,
            doubtful: false,
            lending: self.keep.then(Box::default),
        })
    }
}
