//! One block's content, copied out.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::chop::names::{NameTable, completed};
use crate::error::BlockError;
use crate::intake::block::{Notice, Receipt};
use crate::wire::chop;

/// The measures of a channel block.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ChopShape {
    /// Channels; 0 is a valid, empty block.
    pub num_channels: usize,
    /// Samples in each channel; 0 is a valid, empty block.
    pub len_samples: usize,
    /// Samples per second, in Hz: finite and above 0.
    pub sample_rate: f32,
}

impl ChopShape {
    /// Whether it is the same. Bits of rates are compared, of which there is no second form: they are finite and not 0.
    #[inline]
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.num_channels == other.num_channels
            && self.len_samples == other.len_samples
            && self.sample_rate.to_bits() == other.sample_rate.to_bits()
    }
}

/// A block of channels: `num_channels` × `len_samples` samples, channel after channel, oldest sample first,
/// each channel with a name.
///
/// A frame is memory of this program: nobody else writes into it. Cloning it copies the samples and shares
/// the names.
///
/// ```
/// let frame = tdshm::ChopFrame::from_rows(["tx", "ty"], 60.0, &[[0.0, 1.0], [2.0, 3.0]])?;
/// assert_eq!(frame.channel("ty"), Some(&[2.0, 3.0][..]));
/// assert_eq!(frame.samples(), [0.0, 1.0, 2.0, 3.0]);
/// # Ok::<(), tdshm::BlockError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChopFrame {
    pub(super) names: Arc<NameTable>,
    pub(super) samples: Vec<f32>,
    pub(super) shape: ChopShape,
    pub(super) receipt: Receipt,
    /// Somebody took the samples, and what is there instead means nothing.
    pub(super) is_bare: bool,
}

impl ChopFrame {
    /// No channels, at TouchDesigner's usual rate.
    pub(crate) fn empty() -> Self {
        Self {
            names: Arc::default(),
            samples: Vec::new(),
            shape: ChopShape { num_channels: 0, len_samples: 0, sample_rate: 60.0 },
            receipt: Receipt::default(),
            is_bare: false,
        }
    }

    /// Makes a frame of `rows.len()` channels, each of the same length. Channels behind the last name are
    /// called `chan1`, `chan2`, … by their position.
    ///
    /// # Errors
    ///
    /// [`BlockError`] for rows of unequal length, more names than rows, or a rate that is not finite and
    /// positive.
    pub fn from_rows<N: Into<String>, R: AsRef<[f32]>>(
        names: impl IntoIterator<Item = N>,
        sample_rate: f32,
        rows: &[R],
    ) -> Result<Self, BlockError> {
        let sample_rate = chop::check_rate(sample_rate)?;
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() > rows.len() {
            return Err(too_many_names(names.len(), rows.len()));
        }
        let len_samples = rows.first().map_or(0, |row| row.as_ref().len());
        let mut samples = Vec::with_capacity(len_samples.saturating_mul(rows.len()));
        for (index, row) in rows.iter().enumerate() {
            let row = row.as_ref();
            if row.len() != len_samples {
                return Err(unequal_rows(index, row.len(), len_samples));
            }
            samples.extend_from_slice(row);
        }
        Ok(Self {
            names: Arc::new(NameTable::new(completed(&names, rows.len()))),
            samples,
            shape: ChopShape { num_channels: rows.len(), len_samples, sample_rate },
            receipt: Receipt::default(),
            is_bare: false,
        })
    }

    /// The samples of the first channel with that name, oldest first; `None` where no channel has it.
    #[must_use]
    #[doc(alias = "chan")]
    pub fn channel(&self, name: &str) -> Option<&[f32]> {
        self.channel_at(self.names.position(name)?)
    }

    /// The samples of a channel by its position, counted from 0.
    #[must_use]
    pub fn channel_at(&self, index: usize) -> Option<&[f32]> {
        if index >= self.shape.num_channels {
            return None;
        }
        let begin = index.checked_mul(self.shape.len_samples)?;
        self.samples().get(begin..begin.checked_add(self.shape.len_samples)?)
    }

    /// All channels in order: name and samples.
    #[doc(alias = "chans")]
    pub fn channels(&self) -> impl ExactSizeIterator<Item = (&str, &[f32])> {
        let names = self.names.as_slice().iter().enumerate();
        names.map(|(index, name)| (name.as_str(), self.channel_at(index).unwrap_or_default()))
    }

    /// The names in the order of the channels. They may repeat.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.names.as_slice()
    }

    /// All samples: all of channel 0, then all of channel 1, and so on. None after
    /// [`ChopReceiver::swap_samples`](crate::ChopReceiver::swap_samples).
    #[must_use]
    pub fn samples(&self) -> &[f32] {
        if self.is_bare { &[] } else { &self.samples }
    }

    /// Count, length and rate together.
    #[must_use]
    pub fn shape(&self) -> ChopShape {
        self.shape
    }

    /// Channels.
    #[must_use]
    #[doc(alias = "numChans")]
    pub fn num_channels(&self) -> usize {
        self.shape.num_channels
    }

    /// Samples in each channel.
    #[must_use]
    #[doc(alias = "numSamples")]
    pub fn len_samples(&self) -> usize {
        self.shape.len_samples
    }

    /// Samples per second, in Hz.
    #[must_use]
    #[doc(alias = "rate")]
    pub fn sample_rate(&self) -> f32 {
        self.shape.sample_rate
    }

    /// Its number, counted from 1 by a sender of this library, across senders that took the name over from one
    /// another; `None` where nobody counts.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.receipt.notice.map(|notice| notice.number)
    }

    /// How many frames this receiver did not see between the frame before and this one; `None` where nobody
    /// counts: a foreign sender's frames, and those that were not received.
    #[must_use]
    pub fn missed(&self) -> Option<u64> {
        self.receipt.notice.map(|notice| notice.missed)
    }

    /// How long ago it was written, to some milliseconds; `None` where nobody says.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.receipt.notice.map(Notice::age)
    }

    /// When it was written, by the sender's clock and to some milliseconds; `None` where nobody says.
    #[must_use]
    pub fn written_at(&self) -> Option<SystemTime> {
        self.receipt.notice.map(Notice::written_at)
    }

    /// Whether the lock had been left by a process that died with it, since the frame before. A frame of a sender
    /// of this library is whole all the same; a foreign one's may be half of one frame and half of another.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.receipt.abandoned
    }
}

/// No channels, at 60 Hz.
impl Default for ChopFrame {
    fn default() -> Self {
        Self::empty()
    }
}

pub(super) fn unequal_rows(index: usize, found: usize, expected: usize) -> BlockError {
    let rule = match index {
        1 => "the first row's, which counts for all, is",
        _ => "the length of the rows before it is",
    };
    BlockError::int("length of a row", found, rule, expected, "give every channel the same number of samples")
}

pub(super) fn too_many_names(names: usize, channels: usize) -> BlockError {
    let advice = "give one name for each channel";
    BlockError::int("number of names", names, "the number of channels is", channels, advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_found_by_index_and_name() {
        let frame = ChopFrame::from_rows(["a"], 30.0, &[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).unwrap();
        assert_eq!(frame.names(), ["a", "chan2", "chan3"]);
        assert_eq!(frame.channel_at(2), Some(&[5.0, 6.0][..]));
        assert_eq!(frame.channel("chan2"), Some(&[3.0, 4.0][..]));
        assert_eq!((frame.channel_at(3), frame.channel("b")), (None, None));
        assert_eq!(frame.channels().len(), 3);
    }

    #[test]
    fn frames_without_samples_are_frames() {
        let empty = ChopFrame::from_rows(["a"], 30.0, &[[0.0; 0]]).unwrap();
        assert_eq!(empty.channel("a"), Some(&[][..]));
        assert_eq!(empty.channel_at(1), None);
    }

    #[test]
    fn unequal_rows_are_refused_with_the_numbers() {
        let error = ChopFrame::from_rows(["a"], 30.0, &[&[1.0][..], &[1.0, 2.0]]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "length of a row is 2, and the first row's, which counts for all, is 1: \
             give every channel the same number of samples"
        );
        assert!(ChopFrame::from_rows(["a", "b"], 30.0, &[[1.0]]).is_err());
        assert!(ChopFrame::from_rows(["a"], f32::NAN, &[[1.0]]).is_err());
    }
}
