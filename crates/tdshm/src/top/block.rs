//! The image block, as a receiver knows it.

use core::convert::Infallible;

use crate::error::BlockError;
use crate::intake::block::{Block, Examined, Receipt};
use crate::mem::{OutOfBounds, Region};
use crate::top::frame::{TopFrame, TopShape};
use crate::wire::top::{self, COLOUR_HEADER_BYTES, TopLayout};

/// A block that passed the checks: its header, the mapped bytes it was checked against, and what it said.
#[derive(Debug)]
pub(crate) struct TopBlock {
    header: [u8; COLOUR_HEADER_BYTES],
    /// Bytes of the header that are no pixels.
    header_bytes: usize,
    /// 0: none has been checked.
    mapped: usize,
    layout: Option<TopLayout>,
    /// Frames have their rows the other way up.
    pub(super) turned: bool,
}

impl Default for TopBlock {
    fn default() -> Self {
        Self { header: [0; COLOUR_HEADER_BYTES], header_bytes: 0, mapped: 0, layout: None, turned: false }
    }
}

impl TopBlock {
    pub(super) fn layout(&self) -> Option<&TopLayout> {
        self.layout.as_ref()
    }

    /// Where the pixels begin and how long a row is, if frames have their rows the other way up. Rows of unknown pixels
    /// cannot be told apart: they stay as they are.
    fn turned_row_bytes(&self) -> Option<(usize, usize)> {
        let layout = self.layout.as_ref().filter(|_| self.turned)?;
        let row_bytes = layout.row_bytes().filter(|bytes| *bytes > 0)?;
        Some((layout.data_at, row_bytes))
    }

    /// The first bytes of what lies there, as many as a header may have.
    fn copy(region: Region<'_>) -> ([u8; COLOUR_HEADER_BYTES], usize) {
        let mut bytes = [0; COLOUR_HEADER_BYTES];
        let len = region.len().min(COLOUR_HEADER_BYTES);
        let copied = bytes.get_mut(..len).map(|to| region.copy_out(0, to));
        debug_assert_eq!(copied, Some(Ok(())), "the region has so many");
        (bytes, len)
    }

    /// Whether the header that lies there is the one that was checked.
    #[inline]
    fn has_header(&self, region: Region<'_>) -> bool {
        let header = self.header.get(..self.header_bytes).unwrap_or_default();
        self.mapped == region.len() && region.equals(0, header) == Ok(true)
    }

    /// Whether it is that one but for where the pixels begin, which is noted: a sender that fills one place while another
    /// is read changes it at every image.
    fn has_moved(&mut self, region: Region<'_>) -> bool {
        let Some(before) = self.layout else { return false };
        let (header, len) = Self::copy(region);
        if self.mapped != region.len() {
            return false;
        }
        match top::check(header.get(..len).unwrap_or_default(), region.len()) {
            Ok(layout) if TopShape::of(&layout) == TopShape::of(&before) => {
                self.learn(header, layout);
                true
            }
            _ => false,
        }
    }

    fn learn(&mut self, header: [u8; COLOUR_HEADER_BYTES], layout: TopLayout) {
        self.header = header;
        self.header_bytes = layout.version.header_bytes().min(layout.data_at);
        self.layout = Some(layout);
    }
}

impl Block for TopBlock {
    type Item = u8;
    type Frame = TopFrame;
    type Change = Infallible;

    #[inline]
    fn is_at(&mut self, region: Region<'_>) -> bool {
        self.layout.is_some() && (self.has_header(region) || self.has_moved(region))
    }

    fn examine(&mut self, region: Region<'_>) -> Result<Examined<Infallible>, BlockError> {
        let (header, len) = Self::copy(region);
        let header_bytes = header.get(..len).unwrap_or_default();
        if top::is_blank(header_bytes) {
            return Ok(Examined::Blank);
        }
        let layout = top::check(header_bytes, region.len())?;
        self.mapped = region.len();
        self.learn(header, layout);
        Ok(Examined::Ready)
    }

    fn rebuild(&mut self, change: Infallible) -> Result<(), BlockError> {
        match change {}
    }

    fn unsettled(&self) -> BlockError {
        let advice = "the sender ignores the lock";
        BlockError::int("header", 0, "stays as it is under the lock, unlike this one,", 0, advice)
    }

    #[inline]
    fn place(&self) -> (usize, usize) {
        self.layout.map_or((0, 0), |layout| (layout.data_at, layout.data_bytes))
    }

    #[inline]
    fn copy_out(&self, region: Region<'_>, to: &mut [u8]) -> Result<(), OutOfBounds> {
        match self.turned_row_bytes() {
            None => region.copy_out(self.place().0, to),
            Some((at, row_bytes)) => region.copy_rows_out_turned(at, row_bytes, to),
        }
    }

    fn has_data(&self, region: Region<'_>, data: &[u8]) -> bool {
        match self.turned_row_bytes() {
            None => region.equals(self.place().0, data) == Ok(true),
            Some((at, row_bytes)) => {
                self.place().1 == data.len()
                    && data.rchunks_exact(row_bytes).enumerate().all(|(index, row)| {
                        region.equals(at.saturating_add(index.saturating_mul(row_bytes)), row) == Ok(true)
                    })
            }
        }
    }

    fn describe(&self, frame: &mut TopFrame) {
        if let Some(layout) = &self.layout {
            frame.shape = TopShape::of(layout);
            frame.is_bare = false;
        }
    }

    fn data(frame: &TopFrame) -> &[u8] {
        &frame.pixels
    }

    #[inline]
    fn parts(frame: &mut TopFrame) -> (&mut Vec<u8>, &mut Receipt) {
        (&mut frame.pixels, &mut frame.receipt)
    }
}
