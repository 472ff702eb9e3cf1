//! The data lock on the reading side, as long as somebody holds it.

use crate::lock::LockGuard;
use crate::mem::{Region, ViewBytes};
use crate::sys::Outcome;

/// The data lock, held for one read.
#[derive(Debug)]
#[must_use = "the lock is let go of when this is dropped"]
pub struct ReadGuard<'r> {
    #[expect(dead_code, reason = "held for its drop")]
    pub(super) guard: LockGuard<'r>,
    pub(super) region: Region<'r>,
    pub(super) outcome: Outcome,
}

impl ReadGuard<'_> {
    /// All bytes of the segment, as many as are mapped.
    #[must_use]
    pub fn view(&self) -> ViewBytes<'_> {
        ViewBytes::new(self.region)
    }

    /// Whether the last holder of the lock died with it: what it was writing may be half written.
    #[must_use]
    #[inline]
    pub fn is_abandoned(&self) -> bool {
        self.outcome == Outcome::Abandoned
    }
}
