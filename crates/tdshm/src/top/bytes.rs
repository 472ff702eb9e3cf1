//! An image as one block of bytes, and back: what recordings keep.

use crate::error::BlockError;
use crate::intake::block::Receipt;
use crate::mem::Region;
use crate::top::frame::{TopFrame, TopShape};
use crate::top::rows::{Pixels, STORED};
use crate::top::sender::OutgoingTop;
use crate::wire::top::{self, COLOUR_HEADER_BYTES, HeaderVersion, TopLayout};

impl TopShape {
    /// Reads an image block that lies in memory of this program, from its first byte on: what it says of itself, and its
    /// pixels where they lie, bottom row first.
    ///
    /// # Errors
    ///
    /// [`BlockError`] where the block breaks a rule or ends too early.
    ///
    /// # Source
    ///
    /// wire §9.
    pub fn of_block(block: &[u8]) -> Result<(Self, &[u8]), BlockError> {
        let layout = check(block, block.len())?;
        let pixels = block.get(layout.data_at..).unwrap_or_default();
        Ok((Self::of(&layout), pixels.get(..layout.data_bytes).unwrap_or_default()))
    }

    /// The same of a block of `block_bytes` whose first 56 bytes, or more, are at hand.
    ///
    /// # Errors
    ///
    /// As [`of_block`](Self::of_block).
    pub fn of_header(head: &[u8], block_bytes: usize) -> Result<Self, BlockError> {
        Ok(Self::of(&check(head, block_bytes)?))
    }
}

fn check(head: &[u8], block_bytes: usize) -> Result<TopLayout, BlockError> {
    top::check(head.get(..COLOUR_HEADER_BYTES).unwrap_or(head), block_bytes)
}

impl TopFrame {
    /// Copies an image of the caller's, with the header that images have where nobody asks for another one.
    ///
    /// # Errors
    ///
    /// [`BlockError`], as [`TopSender::send`](crate::TopSender::send).
    pub fn from_pixels(image: &Pixels<'_>) -> Result<Self, BlockError> {
        let layout = OutgoingTop::usual_for(image)?.layout;
        let rows = image.rows(layout.row_bytes().unwrap_or(0))?;
        let mut frame = Self::empty(STORED);
        frame.shape = TopShape::of(&layout);
        frame.pixels.resize(layout.data_bytes, 0);
        let copied = rows.copy_to(Region::of_own(&mut frame.pixels), image.order != STORED);
        debug_assert_eq!(copied, Ok(()), "the rows were checked");
        Ok(frame)
    }

    /// Appends this image to `to` as a block of its own: the header it came with and the pixels right behind it, bottom row
    /// first.
    ///
    /// # Errors
    ///
    /// [`BlockError`] for a frame whose pixels somebody [took](crate::TopReceiver::swap_pixels): nothing has been appended.
    ///
    /// # Source
    ///
    /// wire §9.
    ///
    /// ```
    /// use tdshm::{PixelFormat, Pixels, TopFrame, TopShape};
    ///
    /// let frame = TopFrame::from_pixels(&Pixels::top_first(PixelFormat::R8_UNORM, 1, 2, &[1, 2]))?;
    /// let mut block = Vec::new();
    /// frame.append_block(&mut block)?;
    /// let (shape, pixels) = TopShape::of_block(&block)?;
    /// assert_eq!((shape, pixels), (frame.shape(), &[2, 1][..]));
    /// # Ok::<(), tdshm::BlockError>(())
    /// ```
    pub fn append_block(&self, to: &mut Vec<u8>) -> Result<(), BlockError> {
        let TopShape { width, height, texels, aspect, version, colour, data_bytes } = self.shape();
        // One of version 2 without room for the fields of colour says no more than one of version 1.
        let version = match (version, colour) {
            (HeaderVersion::V2, None) => HeaderVersion::V1,
            (version, _) => version,
        };
        let data_at = version.header_bytes();
        let layout = TopLayout { width, height, aspect, texels, version, data_at, data_bytes, colour };
        let (header, _) = top::place(&layout, data_at)?;
        if self.pixels().len() != data_bytes {
            let (rule, advice) = ("its shape says", "somebody took the pixels: append the image before");
            return Err(BlockError::int("bytes of the image", self.pixels().len(), rule, data_bytes, advice));
        }
        to.reserve(data_at.saturating_add(data_bytes));
        to.extend_from_slice(header.as_slice());
        match self.shape().row_bytes() {
            Some(_) if self.row_order() != STORED => {
                self.rows(STORED).for_each(|row| to.extend_from_slice(row));
            }
            _ => to.extend_from_slice(self.pixels()),
        }
        Ok(())
    }

    /// Makes an image of a block that lies in memory of this program, from its first byte on: bottom row first.
    ///
    /// # Errors
    ///
    /// As [`TopShape::of_block`].
    pub fn from_block(block: &[u8]) -> Result<Self, BlockError> {
        let (shape, pixels) = TopShape::of_block(block)?;
        let pixels = pixels.to_vec();
        Ok(Self { shape, pixels, receipt: Receipt::default(), order: STORED, is_bare: false })
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]
mod tests {
    use super::*;
    use crate::wire::pixel::PixelFormat;
    use crate::wire::top::TopColour;
    use proptest::prelude::*;

    fn pixels(format: PixelFormat, width: usize, height: usize) -> Vec<u8> {
        (0..width * height * format.bytes_per_pixel().unwrap()).map(|n| (n * 37 % 251) as u8).collect()
    }

    #[test]
    fn every_format_and_header_comes_back() {
        for format in PixelFormat::ALL {
            for version in [HeaderVersion::Legacy, HeaderVersion::V1, HeaderVersion::V2] {
                let colour =
                    (version == HeaderVersion::V2).then_some(TopColour { primaries: 9, transfer: 8 });
                let Ok((_, layout)) = top::plan(5, 3, format, version, (2.0, 0.5), colour) else {
                    assert_eq!(version, HeaderVersion::Legacy, "{format}");
                    continue;
                };
                let shape = TopShape::of(&layout);
                let frame = TopFrame { shape, pixels: pixels(format, 5, 3), ..TopFrame::empty(STORED) };
                let mut block = Vec::new();
                frame.append_block(&mut block).unwrap();
                let back = TopFrame::from_block(&block).unwrap();
                assert_eq!((back.shape(), back.pixels()), (frame.shape(), frame.pixels()));
                assert_eq!(
                    TopShape::of_header(block.get(..56).unwrap_or(&block), block.len()).unwrap(),
                    shape
                );
                assert!(TopShape::of_block(&block[..block.len() - 1]).is_err());
            }
        }
    }

    #[test]
    fn rows_are_turned_to_lie_as_in_a_block() {
        let bytes = pixels(PixelFormat::R8_UNORM, 4, 3);
        let image = Pixels::top_first(PixelFormat::R8_UNORM, 4, 3, &bytes);
        let mut frame = TopFrame::from_pixels(&image).unwrap();
        let mut block = Vec::new();
        frame.append_block(&mut block).unwrap();
        assert_eq!(block[48..52], bytes[8..]);
        // The same, kept the other way up.
        (frame.pixels, frame.order) = (bytes, crate::RowOrder::TopFirst);
        let mut again = Vec::new();
        frame.append_block(&mut again).unwrap();
        assert_eq!(again, block);
    }

    #[test]
    fn pixels_that_somebody_took_are_missed() {
        let mut frame = TopFrame::from_pixels(&Pixels::top_first(PixelFormat::R8_UNORM, 1, 1, &[1])).unwrap();
        frame.is_bare = true;
        assert_eq!(frame.append_block(&mut Vec::new()).unwrap_err().field, "bytes of the image");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), like in any::<bool>()) {
            let mut bytes = bytes;
            if like {
                let plan = top::plan(3, 2, PixelFormat::R8_UNORM, HeaderVersion::V2, (1.0, 1.0), None);
                let (header, _) = plan.unwrap();
                for (to, from) in bytes.iter_mut().zip(header.as_slice()) { *to = *from; }
            }
            if let Ok((shape, pixels)) = TopShape::of_block(&bytes) {
                prop_assert_eq!(pixels.len(), shape.data_bytes);
            }
        }
    }
}
