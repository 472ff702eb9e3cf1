//! What a sender that died in the middle of a write left behind: never delivered, and known again, so that it is
//! seen when somebody else writes there (wire §11).

use crate::mem::Region;

/// A data segment as it was when its last write was found unfinished, under the lock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wreck {
    /// Which of the data segments that were opened it lies in.
    opening: u64,
    /// The odd sequence that was left.
    sequence: u64,
    fingerprint: u64,
}

impl Wreck {
    pub(super) fn of(region: Region<'_>, opening: u64, sequence: u64) -> Self {
        Self { opening, sequence, fingerprint: region.fingerprint() }
    }

    /// Whether it was left by that write.
    pub(super) fn is_of(&self, opening: u64, sequence: u64) -> bool {
        (self.opening, self.sequence) == (opening, sequence)
    }

    /// Whether it still lies there as it was left.
    pub(super) fn lies_in(&self, region: Region<'_>) -> bool {
        self.fingerprint == region.fingerprint()
    }
}
