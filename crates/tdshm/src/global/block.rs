//! The Global segment's data, as a receiver knows them: one block whose data are all of it, header and table included.

use crate::error::BlockError;
use crate::global::frame::GlobalFrame;
use crate::intake::block::{Block, Examined, Receipt};
use crate::mem::{OutOfBounds, Region};
use crate::wire::global::{GlobalHeader, HEADER_BYTES, check_table, table_end};

/// A header and a table that passed the checks, and the mapped bytes that they were checked against.
#[derive(Debug, Default)]
pub(super) struct GlobalBlock {
    header: GlobalHeader,
    table: Vec<u8>,
    /// 0: none has been checked.
    mapped: usize,
    /// Where the last block ends.
    used: usize,
}

impl Block for GlobalBlock {
    type Item = u8;
    type Frame = GlobalFrame;
    /// Bytes of a table for which there is no room yet.
    type Change = usize;

    #[inline]
    fn is_at(&mut self, region: Region<'_>) -> bool {
        self.mapped == region.len()
            && region.read::<GlobalHeader>(0).is_ok_and(|header| header.is_like(&self.header))
            && region.equals(HEADER_BYTES, &self.table) == Ok(true)
    }

    fn examine(&mut self, region: Region<'_>) -> Result<Examined<usize>, BlockError> {
        let too_small = |OutOfBounds| {
            let advice = "its sender made it too small for a Global segment";
            BlockError::int("mapped bytes", region.len(), "a header alone has", HEADER_BYTES, advice)
        };
        let header: GlobalHeader = region.read(0).map_err(too_small)?;
        if header.is_blank() {
            return Ok(Examined::Blank);
        }
        let bytes = table_end(header.check(region.len())?).saturating_sub(HEADER_BYTES);
        if bytes > self.table.capacity() {
            return Ok(Examined::Changed(bytes));
        }
        self.mapped = 0; // until all of it has been checked
        self.table.resize(bytes, 0); // there is room
        region.copy_out(HEADER_BYTES, &mut self.table).map_err(too_small)?;
        self.used = check_table(&self.table, region.len())?;
        (self.header, self.mapped) = (header, region.len());
        Ok(Examined::Ready)
    }

    fn rebuild(&mut self, change: usize) -> Result<(), BlockError> {
        self.mapped = 0;
        // A power of two, so that a table that grows entry by entry does not come here at every frame.
        let bytes = change.checked_next_power_of_two().unwrap_or(change);
        self.table.reserve_exact(bytes.saturating_sub(self.table.len()));
        Ok(())
    }

    fn unsettled(&self) -> BlockError {
        let advice = "the sender ignores the lock";
        BlockError::int("table", 0, "stays as it is under the lock, unlike this one,", 0, advice)
    }

    #[inline]
    fn place(&self) -> (usize, usize) {
        (0, self.used)
    }

    fn describe(&self, _frame: &mut GlobalFrame) {}

    fn data(frame: &GlobalFrame) -> &[u8] {
        &frame.bytes
    }

    #[inline]
    fn parts(frame: &mut GlobalFrame) -> (&mut Vec<u8>, &mut Receipt) {
        (&mut frame.bytes, &mut frame.receipt)
    }
}
