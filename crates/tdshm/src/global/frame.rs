//! One copy of the whole segment.

use std::time::Duration;

use zerocopy::FromBytes;

use crate::global::GlobalKind;
use crate::intake::block::{Notice, Receipt};
use crate::wire::global::{self, Extent, GlobalHeader, HEADER_BYTES};

/// All blocks of one frame, as they were copied: what a [`GlobalReceiver`](crate::GlobalReceiver) serves from.
#[derive(Clone, Debug, Default)]
pub struct GlobalFrame {
    /// The segment from its beginning to the end of the last block.
    pub(super) bytes: Vec<u8>,
    pub(super) receipt: Receipt,
}

/// An entry of a Global segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GlobalEntry<'f> {
    /// What it holds.
    pub kind: GlobalKind,
    /// Its short name, 1 to 112 bytes of UTF-8.
    pub name: &'f str,
    /// Bytes of its block.
    pub size_bytes: usize,
}

impl GlobalFrame {
    fn header(&self) -> Option<GlobalHeader> {
        let header = GlobalHeader::read_from_prefix(&self.bytes).ok()?.0;
        header.is_global().then_some(header)
    }

    /// The table as it was copied: from a sender that ignores the lock it may be another one than was checked.
    fn table(&self) -> &[u8] {
        let entries = self.header().and_then(|header| header.check(self.bytes.len()).ok()).unwrap_or(0);
        self.bytes.get(HEADER_BYTES..global::table_end(entries)).unwrap_or_default()
    }

    /// Where the block of that entry is, if it lies inside the copy.
    pub(super) fn find(&self, kind: GlobalKind, name: &str) -> Option<Extent> {
        let table = self.table();
        let entry = global::entries(table).find(|entry| entry.is(kind.number(), name))?;
        entry.check(table.len().saturating_add(HEADER_BYTES), self.bytes.len()).ok()
    }

    /// The number that the sender gave this frame: whatever it counts by.
    #[must_use]
    pub fn frame(&self) -> u64 {
        self.header().map_or(0, |header| header.frame())
    }

    /// The entries in the order of the segment.
    pub fn entries(&self) -> impl Iterator<Item = GlobalEntry<'_>> {
        let table = self.table();
        let end = table.len().saturating_add(HEADER_BYTES);
        global::entries(table).filter_map(move |entry| {
            let extent = entry.check(end, self.bytes.len()).ok()?;
            Some(GlobalEntry {
                kind: GlobalKind::of(entry.kind())?,
                name: entry.name()?,
                size_bytes: extent.bytes,
            })
        })
    }

    /// Bytes that were copied.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// How many frames were published before it, and it; `None` where nobody counts: see
    /// [`ChopFrame::number`](crate::ChopFrame::number).
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.receipt.notice.map(|notice| notice.number)
    }

    /// How many frames this receiver did not see between the one before and this one; `None` where nobody counts.
    #[must_use]
    pub fn missed(&self) -> Option<u64> {
        self.receipt.notice.map(|notice| notice.missed)
    }

    /// How long ago it was published, to some milliseconds; `None` where nobody says.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.receipt.notice.map(Notice::age)
    }

    /// Whether the lock had been left by a process that died with it: see
    /// [`ChopFrame::is_abandoned`](crate::ChopFrame::is_abandoned).
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.receipt.abandoned
    }
}
