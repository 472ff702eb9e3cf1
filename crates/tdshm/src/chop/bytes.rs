//! A frame as one block of bytes, and back: what recordings keep.

use std::sync::Arc;

use zerocopy::{FromBytes, IntoBytes};

use crate::chop::frame::{ChopFrame, ChopShape};
use crate::chop::names::{NameTable, completed};
use crate::error::BlockError;
use crate::intake::block::Receipt;
use crate::wire::chop::{self, ChopHeader, HEADER_BYTES};

impl ChopFrame {
    /// Appends this frame to `to` as a block of its own: header, samples and names, each right behind the other, as a
    /// sender of this library lays them into a segment.
    ///
    /// # Errors
    ///
    /// [`BlockError`] for a name that holds NUL, a block above 2 GiB, and a frame whose samples somebody
    /// [took](crate::ChopReceiver::swap_samples): nothing has been appended.
    ///
    /// # Source
    ///
    /// wire §8.
    ///
    /// ```
    /// use tdshm::ChopFrame;
    ///
    /// let frame = ChopFrame::from_rows(["tx"], 60.0, &[[0.5, -0.0]])?;
    /// let mut block = Vec::new();
    /// frame.append_block(&mut block)?;
    /// assert_eq!(block.len(), 36 + 2 * 4 + "tx\0".len());
    /// let back = ChopFrame::from_block(&block)?;
    /// assert_eq!((back.names(), back.samples()), (frame.names(), frame.samples()));
    /// # Ok::<(), tdshm::BlockError>(())
    /// ```
    pub fn append_block(&self, to: &mut Vec<u8>) -> Result<(), BlockError> {
        let ChopShape { num_channels, len_samples, sample_rate } = self.shape();
        let mut names = Vec::new();
        chop::encode_names(self.names().iter().map(String::as_str), &mut names)?;
        let (header, layout) = ChopHeader::plan(num_channels, len_samples, sample_rate, Some(names.len()))?;
        if self.samples().len() != layout.num_samples() {
            let (rule, advice) = ("its shape says", "somebody took the samples: append the frame before");
            let (have, need) = (self.samples().len(), layout.num_samples());
            return Err(BlockError::int("samples in the frame", have, rule, need, advice));
        }
        to.reserve(HEADER_BYTES.saturating_add(layout.samples_bytes()).saturating_add(names.len()));
        to.extend_from_slice(header.as_bytes());
        to.extend_from_slice(self.samples().as_bytes());
        to.extend_from_slice(&names);
        Ok(())
    }

    /// Makes a frame of a block that lies in memory of this program, from its first byte on. Without names in it the
    /// channels are called `chan1`, `chan2`, ….
    ///
    /// # Errors
    ///
    /// [`BlockError`] where the block breaks a rule or ends too early.
    ///
    /// # Source
    ///
    /// wire §8.
    pub fn from_block(block: &[u8]) -> Result<Self, BlockError> {
        let mut frame = Self::empty();
        frame.take_block(block)?;
        Ok(frame)
    }

    /// As [`from_block`](Self::from_block), into the memory that this frame has: nothing is allocated while the
    /// layout stays, and names that stay are shared with the frames that had them.
    ///
    /// # Errors
    ///
    /// As [`from_block`](Self::from_block); the frame is as it was.
    pub fn take_block(&mut self, block: &[u8]) -> Result<(), BlockError> {
        let too_small = |_| {
            let advice = "the block was cut short";
            BlockError::int("bytes of the block", block.len(), "a header alone has", HEADER_BYTES, advice)
        };
        let (header, _) = ChopHeader::read_from_prefix(block).map_err(too_small)?;
        let layout = header.check(block.len())?;
        let count = layout.num_channels;
        let others = match layout.names_at {
            None => Some(completed(&[], count)),
            Some(at) => {
                let sent = block.get(at..).unwrap_or_default();
                let ends = || sent.iter().filter(|byte| **byte == 0).count();
                let bytes =
                    chop::names_extent(sent, count).ok_or_else(|| chop::names_run_out(count, ends()))?;
                let sent = sent.get(..bytes).unwrap_or_default();
                let these = self.names().iter().map(String::as_bytes);
                let same = sent.split(|byte| *byte == 0).take(count).eq(these);
                match same {
                    true => None,
                    false => Some(chop::split_names(sent, count).map_err(|_| chop::names_run_out(count, 0))?),
                }
            }
        };
        if let Some(names) = others {
            self.names = Arc::new(NameTable::new(names));
        }
        self.samples.resize(layout.num_samples(), 0.0);
        let samples = block.get(layout.samples_at..).unwrap_or_default();
        if let Some(samples) = samples.get(..layout.samples_bytes()) {
            self.samples.as_mut_bytes().copy_from_slice(samples); // as many: checked with the header
        }
        self.shape = ChopShape {
            num_channels: count,
            len_samples: layout.len_samples,
            sample_rate: layout.sample_rate,
        };
        (self.receipt, self.is_bare) = (Receipt::default(), false);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits(samples: &[f32]) -> Vec<u32> {
        samples.iter().map(|sample| sample.to_bits()).collect()
    }

    #[test]
    fn every_bit_comes_back() {
        let rows = [[0.0_f32, -0.0, f32::MIN_POSITIVE / 2.0], [f32::NAN, f32::from_bits(0xffc1_2345), 1e38]];
        let frame = ChopFrame::from_rows(["tx", "ü"], 119.88, &rows).unwrap();
        let mut block = vec![7];
        frame.append_block(&mut block).unwrap();
        let back = ChopFrame::from_block(&block[1..]).unwrap();
        assert_eq!(bits(back.samples()), bits(frame.samples()));
        assert_eq!((back.names(), back.shape()), (frame.names(), frame.shape()));
    }

    #[test]
    fn names_that_stay_are_shared() {
        let mut block = Vec::new();
        ChopFrame::from_rows(["a", "b"], 60.0, &[[1.0], [2.0]]).unwrap().append_block(&mut block).unwrap();
        let mut frame = ChopFrame::from_block(&block).unwrap();
        let names = Arc::clone(&frame.names);
        frame.take_block(&block).unwrap();
        assert!(Arc::ptr_eq(&names, &frame.names));
        block.clear();
        ChopFrame::from_rows(["a", "c"], 60.0, &[[1.0], [2.0]]).unwrap().append_block(&mut block).unwrap();
        frame.take_block(&block).unwrap();
        assert_eq!(frame.names(), ["a", "c"]);
        let before = (frame.names().to_vec(), frame.samples().to_vec());
        assert_eq!(frame.take_block(&block[..40]).unwrap_err().field, "numChans * length * 4");
        assert_eq!((frame.names().to_vec(), frame.samples().to_vec()), before);
        assert_eq!(
            frame.take_block(&block[..35]).unwrap_err().to_string(),
            "bytes of the block is 35, and a header alone has 36: the block was cut short"
        );
        assert_eq!(frame.take_block(&block[..block.len() - 1]).unwrap_err().field, "numChans");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), like in any::<bool>()) {
            let mut bytes = bytes;
            if like {
                let (header, _) = ChopHeader::plan(2, 3, 60.0, Some(8)).unwrap();
                for (to, from) in bytes.iter_mut().zip(header.as_bytes()) { *to = *from; }
            }
            if let Ok(frame) = ChopFrame::from_block(&bytes) {
                prop_assert_eq!(frame.samples().len(), frame.num_channels() * frame.len_samples());
                prop_assert_eq!(frame.names().len(), frame.num_channels());
            }
        }
    }
}
