//! Rows of pixels, the caller's and the block's, and copying them one way up or the other.

use zerocopy::IntoBytes;

use crate::convert::RowOrder;
use crate::error::BlockError;
use crate::mem::{OutOfBounds, Region};
use crate::wire::pixel::PixelFormat;

/// Which row lies first in a block: seen in TouchDesigner's own arrays and in what others had to do, confirmed by nobody
/// (wire §9.1). The builders of senders and receivers let the user choose another.
pub(crate) const STORED: RowOrder = RowOrder::BottomFirst;

/// So much of the next row is asked for while one is copied: what memory takes to answer once.
const AHEAD_BYTES: usize = 1024;

/// An image of the caller's, as it lies: what [`TopSender::send`](crate::TopSender::send) takes.
///
/// `width` × `height` pixels of one [`PixelFormat`], row after row. Rows lie right behind one another unless
/// [`stride`](Self::stride) says otherwise.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Pixels<'p> {
    pub(super) format: PixelFormat,
    pub(super) width: usize,
    pub(super) height: usize,
    bytes: &'p [u8],
    stride: Option<usize>,
    pub(super) order: RowOrder,
    pub(super) aspect: Option<(f32, f32)>,
}

impl<'p> Pixels<'p> {
    /// An image whose top row comes first, as in picture files.
    pub fn top_first(format: PixelFormat, width: usize, height: usize, bytes: &'p [u8]) -> Self {
        Self { format, width, height, bytes, stride: None, order: RowOrder::TopFirst, aspect: None }
    }

    /// An image whose bottom row comes first, as in TouchDesigner: sent in one copy.
    pub fn bottom_first(format: PixelFormat, width: usize, height: usize, bytes: &'p [u8]) -> Self {
        Self { order: RowOrder::BottomFirst, ..Self::top_first(format, width, height, bytes) }
    }

    /// Bytes from the start of a row to that of the next, if that is not what a row has.
    pub fn stride(self, bytes: usize) -> Self {
        Self { stride: Some(bytes), ..self }
    }

    /// The aspect of a pixel, where it is not the sender's.
    pub fn aspect(self, x: f32, y: f32) -> Self {
        Self { aspect: Some((x, y)), ..self }
    }

    /// Checks that all rows are there, of so many bytes each, and gives them.
    pub(super) fn rows(&self, row_bytes: usize) -> Result<Rows<&'p [u8]>, BlockError> {
        let stride = self.stride.unwrap_or(row_bytes);
        check_rows(self.bytes.len(), stride, row_bytes, self.height)?;
        Ok(Rows { bytes: self.bytes, stride, row_bytes, height: self.height })
    }
}

/// A buffer of the caller's for an image: what [`TopReceiver::read_into`](crate::TopReceiver::read_into) takes.
#[derive(Debug)]
#[must_use]
pub struct PixelsMut<'p> {
    bytes: &'p mut [u8],
    stride: Option<usize>,
    order: RowOrder,
    /// Whether rows are turned, for blocks whose first row is this one.
    stored: RowOrder,
}

impl<'p> PixelsMut<'p> {
    /// A buffer whose top row comes first.
    pub fn top_first(bytes: &'p mut [u8]) -> Self {
        Self { bytes, stride: None, order: RowOrder::TopFirst, stored: STORED }
    }

    /// A buffer whose bottom row comes first, as in TouchDesigner: filled in one copy.
    pub fn bottom_first(bytes: &'p mut [u8]) -> Self {
        Self { order: RowOrder::BottomFirst, ..Self::top_first(bytes) }
    }

    /// Bytes from the start of a row to that of the next, if that is not what a row has. What lies between two rows is
    /// not touched.
    pub fn stride(self, bytes: usize) -> Self {
        Self { stride: Some(bytes), ..self }
    }

    pub(super) fn stored(&mut self, stored: RowOrder) {
        self.stored = stored;
    }

    /// Whether all rows fit, of so many bytes each. Rows of unknown pixels cannot be told apart: they are one.
    pub(super) fn check(
        &self,
        row_bytes: Option<usize>,
        height: usize,
        all: usize,
    ) -> Result<(), BlockError> {
        match row_bytes {
            Some(row_bytes) => {
                check_rows(self.bytes.len(), self.stride.unwrap_or(row_bytes), row_bytes, height)
            }
            None => check_rows(self.bytes.len(), all, all, 1),
        }
    }

    /// Copies rows out of a block, whose data these are.
    #[inline]
    pub(super) fn fill(
        &mut self,
        data: Region<'_>,
        row_bytes: Option<usize>,
        height: usize,
    ) -> Result<(), OutOfBounds> {
        let Some(row_bytes) = row_bytes else {
            return data.copy_out(0, self.bytes.get_mut(..data.len()).ok_or(OutOfBounds)?);
        };
        let stride = self.stride.unwrap_or(row_bytes);
        let turned = self.order != self.stored;
        if !turned && stride == row_bytes {
            return data.copy_out(0, self.bytes.get_mut(..data.len()).ok_or(OutOfBounds)?);
        }
        if stride == row_bytes {
            let to = self.bytes.get_mut(..data.len()).ok_or(OutOfBounds)?;
            return data.copy_rows_out_turned(0, row_bytes, to);
        }
        let reach = height.saturating_sub(1).saturating_mul(stride).saturating_add(row_bytes);
        let rows = self.bytes.get_mut(..reach).ok_or(OutOfBounds)?.chunks_mut(stride.max(1));
        // In the order in which they lie in the block, so that what is read is one stream.
        if turned {
            copy_rows_out(data, row_bytes, rows.rev())?;
        } else {
            copy_rows_out(data, row_bytes, rows)?;
        }
        Ok(())
    }
}

/// Copies the rows of a block, one right behind the other, from the first one on.
fn copy_rows_out<'r>(
    data: Region<'_>,
    row_bytes: usize,
    rows: impl Iterator<Item = &'r mut [u8]>,
) -> Result<(), OutOfBounds> {
    let mut at = 0_usize;
    for row in rows {
        data.copy_out(at, row.get_mut(..row_bytes).ok_or(OutOfBounds)?)?;
        at = at.saturating_add(row_bytes);
    }
    Ok(())
}

/// Rows that were checked to be there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<B> {
    bytes: B,
    stride: usize,
    row_bytes: usize,
    height: usize,
}

impl Rows<&[u8]> {
    /// Copies them into a block's data, one right behind the other.
    #[inline]
    pub(super) fn copy_to(self, data: Region<'_>, turned: bool) -> Result<(), OutOfBounds> {
        if !turned && self.stride == self.row_bytes {
            let all = self.row_bytes.checked_mul(self.height).ok_or(OutOfBounds)?;
            return data.copy_in(0, self.bytes.get(..all).ok_or(OutOfBounds)?.as_bytes());
        }
        // In the order in which the caller's lie, so that what is read is one stream.
        for (index, row) in self.bytes.chunks(self.stride.max(1)).take(self.height).enumerate() {
            let to = if turned { self.height.saturating_sub(1).saturating_sub(index) } else { index };
            let from = row.get(..self.row_bytes).ok_or(OutOfBounds)?;
            if turned && let Some(next) = to.checked_sub(1) {
                data.will_write(next.saturating_mul(self.row_bytes), self.row_bytes.min(AHEAD_BYTES));
            }
            data.copy_in(to.checked_mul(self.row_bytes).ok_or(OutOfBounds)?, from)?;
        }
        Ok(())
    }

    /// Whether they lie in a block's data, one right behind the other.
    pub(super) fn lie_in(self, data: Region<'_>, turned: bool) -> bool {
        let rows = self.bytes.chunks(self.stride.max(1)).take(self.height);
        rows.enumerate().all(|(index, row)| {
            let to = if turned { self.height.saturating_sub(1).saturating_sub(index) } else { index };
            let row = row.get(..self.row_bytes).unwrap_or_default();
            data.equals(to.saturating_mul(self.row_bytes), row) == Ok(true)
        })
    }
}

/// Whether `bytes` have so many rows at that distance.
fn check_rows(bytes: usize, stride: usize, row_bytes: usize, height: usize) -> Result<(), BlockError> {
    if stride < row_bytes {
        let advice = "rows would overlap: give the distance from row to row, in bytes";
        return Err(BlockError::int("stride", stride, "a row alone has", row_bytes, advice));
    }
    let all = height.checked_sub(1).and_then(|rows| rows.checked_mul(stride)?.checked_add(row_bytes));
    match all {
        Some(all) if all <= bytes => Ok(()),
        all => {
            let (rule, advice) = ("its rows take", "give all rows, tightly packed or with their stride");
            Err(BlockError::int("bytes of the image", bytes, rule, all.unwrap_or(usize::MAX), advice))
        }
    }
}
