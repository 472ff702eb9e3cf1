//! What is counted of a segment.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tdshm_io::file::recording::Lost;

/// Counted by the thread that follows the segment, read by the others.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Frames that were received.
    frames: u64,
    /// Some of them have a sender that does not count them.
    uncounted: bool,
    lost: Lost,
    /// What of it is not in the file yet.
    untold: Lost,
}

impl Tally {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A frame was received, after so many that were not.
    pub(super) fn saw(&self, counted: bool, missed: u64) {
        let mut counts = self.counts();
        counts.frames = counts.frames.saturating_add(1);
        counts.uncounted |= !counted;
        drop(counts);
        if missed > 0 {
            self.lost(Lost { unseen: missed, dropped: 0 });
        }
    }

    pub(super) fn lost(&self, lost: Lost) {
        let mut counts = self.counts();
        counts.lost = counts.lost.and(lost);
        counts.untold = counts.untold.and(lost);
    }

    /// What is not in the file yet, and is now.
    pub(super) fn take_untold(&self) -> Lost {
        std::mem::take(&mut self.counts().untold)
    }

    pub(super) fn all_lost(&self) -> Lost {
        self.counts().lost
    }

    /// Frames that were received and not dropped.
    pub(super) fn frames(&self) -> u64 {
        let counts = self.counts();
        counts.frames.saturating_sub(counts.lost.dropped)
    }

    /// Whether all senders counted their frames.
    pub(super) fn is_counted(&self) -> bool {
        !self.counts().uncounted
    }
}
