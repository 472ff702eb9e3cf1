//! The channel block, as a receiver knows it.

use std::sync::Arc;

use zerocopy::IntoBytes;

use crate::chop::frame::{ChopFrame, ChopShape};
use crate::chop::names::{Change, NameBook};
use crate::error::BlockError;
use crate::intake::block::{Block, Examined, Receipt};
use crate::mem::{OutOfBounds, Region};
use crate::wire::chop::{ChopHeader, ChopLayout, HEADER_BYTES};

/// A block that passed the checks: its header, the mapped bytes it was checked against, what it said, and the names.
#[derive(Debug, Default)]
pub(crate) struct ChopBlock {
    header: ChopHeader,
    /// 0: none has been checked.
    mapped: usize,
    pub(super) layout: ChopLayout,
    pub(super) book: NameBook,
}

impl ChopBlock {
    pub(super) fn shape(&self) -> ChopShape {
        let ChopLayout { num_channels, len_samples, sample_rate, .. } = self.layout;
        ChopShape { num_channels, len_samples, sample_rate }
    }

    /// Whether the header that lies there is the one that was checked.
    #[inline]
    fn has_header(&self, region: Region<'_>) -> bool {
        self.mapped == region.len() && region.equals(0, self.header.as_bytes()) == Ok(true)
    }

    /// Whether the header that lies there is that one but for its offsets, which are noted: a sender that fills one place
    /// while another is read changes them at every frame.
    fn has_moved(&mut self, region: Region<'_>) -> bool {
        let Ok(header) = region.read::<ChopHeader>(0) else { return false };
        if self.mapped != region.len() || !header.is_like(&self.header) {
            return false;
        }
        let Ok(layout) = header.check(region.len()) else { return false };
        (self.header, self.layout) = (header, layout);
        true
    }
}

impl Block for ChopBlock {
    type Item = f32;
    type Frame = ChopFrame;
    type Change = Change;

    #[inline]
    fn is_at(&mut self, region: Region<'_>) -> bool {
        (self.has_header(region) || self.has_moved(region)) && self.book.is_at(region, &self.layout)
    }

    fn examine(&mut self, region: Region<'_>) -> Result<Examined<Change>, BlockError> {
        if !self.has_header(region) {
            let too_small = |OutOfBounds| {
                let advice = "its sender made it too small for a channel block";
                BlockError::int("mapped bytes", region.len(), "a header alone has", HEADER_BYTES, advice)
            };
            let header: ChopHeader = region.read(0).map_err(too_small)?;
            if header.is_blank() {
                return Ok(Examined::Blank);
            }
            self.layout = header.check(region.len())?;
            (self.header, self.mapped) = (header, region.len());
        }
        Ok(match self.book.differ(region, &self.layout)? {
            None => Examined::Ready,
            Some(change) => Examined::Changed(change),
        })
    }

    fn rebuild(&mut self, change: Change) -> Result<(), BlockError> {
        self.book.rebuild(change)
    }

    fn unsettled(&self) -> BlockError {
        let advice = "the sender ignores the lock";
        BlockError::int("names", 0, "stay as they are under the lock, unlike these,", 0, advice)
    }

    #[inline]
    fn place(&self) -> (usize, usize) {
        (self.layout.samples_at, self.layout.num_samples())
    }

    fn describe(&self, frame: &mut ChopFrame) {
        frame.names = Arc::clone(self.book.table());
        frame.shape = self.shape();
        frame.is_bare = false;
    }

    fn data(frame: &ChopFrame) -> &[f32] {
        &frame.samples
    }

    #[inline]
    fn parts(frame: &mut ChopFrame) -> (&mut Vec<f32>, &mut Receipt) {
        (&mut frame.samples, &mut frame.receipt)
    }
}
