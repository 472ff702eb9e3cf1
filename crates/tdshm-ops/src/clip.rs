//! The data of a CHOP: channels of samples with a start and a rate (operators §3).
//!
//! A [`Clip`] is what goes over a wire of a network: all channels have the same interval and rate, samples lie channel
//! after channel as in the shared block, and [`ChannelNames`] are shared, so that passing them on costs nothing. An
//! operator shapes its output, fills it, and keeps both until its next cook: as long as the shape stays, nothing is
//! allocated.
//!
//! What a channel is before its first and after its last sample says its [`Extend`].
//!
//! ```
//! use tdshm_ops::clip::{ChannelNames, Clip};
//!
//! let mut clip = Clip::default();
//! clip.shape(ChannelNames::new(["tx", "ty"]), 3)?.copy_from_slice(&[0.0, 1.0, 2.0, 10.0, 20.0, 30.0]);
//! clip.set_start(60);
//! assert_eq!(clip.channel_named("ty"), Some(&[10.0, 20.0, 30.0][..]));
//! assert_eq!(clip.value_at(0, 61), 1.0);
//! assert_eq!(clip.value_at(0, 1000), 2.0, "held");
//! # Ok::<(), tdshm_ops::clip::ClipError>(())
//! ```

mod extend;
mod names;
pub(crate) mod ratio;

use crate::expr::number::Shown;
pub use extend::{Extend, NotInMenu};
pub use names::ChannelNames;

/// A clip that cannot be.
///
/// None of these goes away by trying again, except for memory. The clip is as it was before.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClipError {
    /// More samples than a clip holds.
    #[error(
        "{channels} channels of {len_samples} samples are more than the limit of {limit} samples together: use \
         fewer channels or a shorter interval"
    )]
    TooLarge {
        /// Channels asked for.
        channels: usize,
        /// Samples of each channel asked for; more than fit count as the greatest number.
        len_samples: usize,
        /// The most that all channels may have together.
        limit: usize,
    },
    /// The system has no memory for it.
    #[error(
        "there is no memory for {samples} samples of four bytes: close something, or use a shorter interval"
    )]
    NoMemory {
        /// Samples of all channels together.
        samples: usize,
    },
    /// A sample rate that is none.
    #[error("a sample rate of {} is refused: give a finite number above 0, such as 60", Shown(*rate))]
    Rate {
        /// The rate in Hz.
        rate: f64,
    },
    /// A channel that the clip does not have.
    #[error("channel {index} does not exist, the clip has {channels}: channels are counted from 0")]
    NoSuchChannel {
        /// The channel asked for, from 0.
        index: usize,
        /// Channels there are.
        channels: usize,
    },
}

/// Channels of 32-bit samples over one interval at one rate.
///
/// Samples lie channel after channel, each `len_samples` long. The interval goes from [`start`](Clip::start) to
/// [`end`](Clip::end), both included, in samples; sample *i* stands at *i* / rate seconds. A clip without channels, or
/// without samples, is legal. The default has neither, starts at 0, has 60 Hz, is no time slice, and holds its ends.
///
/// # Source
///
/// operators §3.1 and §3.2: documented; that the default is `hold` is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    names: ChannelNames,
    samples: Vec<f32>,
    len: usize,
    start: i64,
    rate: f64,
    slice: bool,
    left: Extend,
    right: Extend,
    default_value: f32,
}

impl Default for Clip {
    fn default() -> Self {
        Self {
            names: ChannelNames::default(),
            samples: Vec::new(),
            len: 0,
            start: 0,
            rate: 60.0,
            slice: false,
            left: Extend::Hold,
            right: Extend::Hold,
            default_value: 0.0,
        }
    }
}

impl Clip {
    /// The most samples that a clip holds, all channels together: 2^30, which is 4 GiB.
    pub const MAX_SAMPLES: usize = 1 << 30;

    /// Gives the clip these channels, each of `len_samples` samples, and the samples to be written: all of channel 0,
    /// then all of channel 1, and so on.
    ///
    /// What was there before stays in memory, at whatever place it now has, and where nothing was there are zeros: write
    /// every sample. Memory is kept when the clip becomes smaller, so a shape that returns allocates nothing. Start,
    /// rate and everything else stay.
    ///
    /// # Errors
    ///
    /// [`ClipError::TooLarge`] beyond [`Clip::MAX_SAMPLES`], and [`ClipError::NoMemory`]. The clip is then unchanged.
    ///
    /// ```
    /// use tdshm_ops::clip::{ChannelNames, Clip};
    ///
    /// let mut clip = Clip::default();
    /// clip.shape(ChannelNames::numbered(2), 1)?.copy_from_slice(&[0.5, 1.5]);
    /// assert_eq!(clip.channel(1), Some(&[1.5][..]));
    /// # Ok::<(), tdshm_ops::clip::ClipError>(())
    /// ```
    #[doc(alias = "numChans")]
    #[doc(alias = "numSamples")]
    pub fn shape(&mut self, names: ChannelNames, len_samples: usize) -> Result<&mut [f32], ClipError> {
        let channels = names.len();
        let total = channels
            .checked_mul(len_samples)
            .filter(|total| *total <= Self::MAX_SAMPLES)
            .ok_or(ClipError::TooLarge { channels, len_samples, limit: Self::MAX_SAMPLES })?;
        self.samples
            .try_reserve(total.saturating_sub(self.samples.len()))
            .map_err(|_| ClipError::NoMemory { samples: total })?;
        self.samples.resize(total, 0.0);
        self.names = names;
        self.len = len_samples;
        Ok(&mut self.samples)
    }

    /// Moves the first sample to this index, negative ones included. Beyond the range of 64 bits the end stays at its
    /// greatest value.
    pub fn set_start(&mut self, start: i64) {
        self.start = start;
    }

    /// Gives all channels this rate, in Hz.
    ///
    /// # Errors
    ///
    /// [`ClipError::Rate`] unless it is finite and above 0. The rate is then unchanged.
    pub fn set_rate(&mut self, rate: f64) -> Result<(), ClipError> {
        if rate.is_finite() && rate > 0.0 {
            self.rate = rate;
            Ok(())
        } else {
            Err(ClipError::Rate { rate })
        }
    }

    /// Says whether the samples are those since the last cook, and no more (operators §4.1).
    pub fn set_slice(&mut self, is_slice: bool) {
        self.slice = is_slice;
    }

    /// Says what the channels are before their first and after their last sample.
    pub fn set_extend(&mut self, left: Extend, right: Extend) {
        self.left = left;
        self.right = right;
    }

    /// Gives the number that stands outside the interval where the extend condition is [`Extend::Default`].
    pub fn set_default_value(&mut self, value: f32) {
        self.default_value = value;
    }

    /// How many channels there are.
    #[must_use]
    #[doc(alias = "numChans")]
    pub fn num_channels(&self) -> usize {
        self.names.len()
    }

    /// How many samples each channel has.
    #[must_use]
    #[doc(alias = "numSamples")]
    pub fn len_samples(&self) -> usize {
        self.len
    }

    /// The index of the first sample.
    #[must_use]
    pub fn start(&self) -> i64 {
        self.start
    }

    /// The index of the last sample: `start + len_samples - 1`, so one before the start if there are no samples. It
    /// stays within 64 bits.
    #[must_use]
    pub fn end(&self) -> i64 {
        let end = i128::from(self.start).saturating_add(wide(self.len)).saturating_sub(1);
        i64::try_from(end).unwrap_or(if end < 0 { i64::MIN } else { i64::MAX })
    }

    /// The sample rate in Hz: finite and above 0.
    #[must_use]
    #[doc(alias = "sampleRate")]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Whether the samples are those since the last cook, and no more.
    #[must_use]
    #[doc(alias = "isTimeSlice")]
    pub fn is_slice(&self) -> bool {
        self.slice
    }

    /// What the channels are before the first sample.
    #[must_use]
    pub fn extend_left(&self) -> Extend {
        self.left
    }

    /// What the channels are after the last sample.
    #[must_use]
    pub fn extend_right(&self) -> Extend {
        self.right
    }

    /// The number outside the interval where the extend condition is [`Extend::Default`]; 0 unless set.
    #[must_use]
    pub fn default_value(&self) -> f32 {
        self.default_value
    }

    /// The names of the channels, as many as there are channels.
    #[must_use]
    pub fn names(&self) -> &ChannelNames {
        &self.names
    }

    /// All samples, channel after channel.
    #[must_use]
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// All samples, channel after channel, to be changed.
    #[must_use]
    pub fn samples_mut(&mut self) -> &mut [f32] {
        &mut self.samples
    }

    /// The samples of a channel, counted from 0; `None` if there is none of that number.
    #[must_use]
    pub fn channel(&self, index: usize) -> Option<&[f32]> {
        self.samples.get(self.place(index)?)
    }

    /// The samples of a channel, to be changed.
    #[must_use]
    pub fn channel_mut(&mut self, index: usize) -> Option<&mut [f32]> {
        let place = self.place(index)?;
        self.samples.get_mut(place)
    }

    /// The samples of the first channel of this name; `None` if no channel has it.
    #[must_use]
    #[doc(alias = "chan")]
    pub fn channel_named(&self, name: &str) -> Option<&[f32]> {
        self.channel(self.names.index_of(name)?)
    }

    /// Makes this clip equal to `other`, in memory that it already has if that is enough.
    ///
    /// # Errors
    ///
    /// [`ClipError::NoMemory`]. The clip is then unchanged.
    pub fn copy_from(&mut self, other: &Self) -> Result<(), ClipError> {
        self.shape(other.names.clone(), other.len)?.copy_from_slice(&other.samples);
        self.copy_layout_from(other);
        Ok(())
    }

    /// Takes over start, rate, whether it is a slice, and what is outside; neither channels nor samples.
    pub fn copy_layout_from(&mut self, other: &Self) {
        self.start = other.start;
        self.rate = other.rate;
        self.slice = other.slice;
        self.left = other.left;
        self.right = other.right;
        self.default_value = other.default_value;
    }

    /// The value of a channel at a sample index, in or outside the interval (operators §3.2).
    ///
    /// Where there is no such channel, or there are no samples, it is the [default value](Clip::default_value).
    ///
    /// ```
    /// use tdshm_ops::clip::{ChannelNames, Clip, Extend};
    ///
    /// let mut clip = Clip::default();
    /// clip.shape(ChannelNames::new(["a"]), 3)?.copy_from_slice(&[0.0, 1.0, 2.0]);
    /// clip.set_extend(Extend::Mirror, Extend::Slope);
    /// assert_eq!([-2, -1, 0, 3, 4].map(|index| clip.value_at(0, index)), [1.0, 0.0, 0.0, 3.0, 4.0]);
    /// # Ok::<(), tdshm_ops::clip::ClipError>(())
    /// ```
    #[must_use]
    pub fn value_at(&self, channel: usize, index: i64) -> f64 {
        match self.channel(channel) {
            Some(samples) => self.extended(samples, i128::from(index).saturating_sub(i128::from(self.start))),
            None => f64::from(self.default_value),
        }
    }

    /// The value of a channel between two samples, on the straight line from one to the next.
    ///
    /// Both are what [`value_at`](Clip::value_at) gives, so the line also leads from the last sample to what follows it.
    /// At an index that is not a number the value is the [default value](Clip::default_value).
    #[must_use]
    pub fn value_at_f(&self, channel: usize, index: f64) -> f64 {
        if index.is_nan() {
            return f64::from(self.default_value);
        }
        let floor = index.floor();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "`as` saturates: beyond 64 bits is as far out as one can be"
        )]
        let whole = floor as i64;
        let before = self.value_at(channel, whole);
        let fraction = index - floor;
        if fraction > 0.0 {
            let after = self.value_at(channel, whole.saturating_add(1));
            before + (after - before) * fraction
        } else {
            before
        }
    }

    /// The value of a channel at a time in seconds: what an export or an expression sees at the current time.
    ///
    /// Between samples it is on the straight line, as [`value_at_f`](Clip::value_at_f) has it. Within a billionth of a
    /// sample it is the sample itself, so a time that was made by dividing by the rate finds its sample exactly.
    ///
    /// # Source
    ///
    /// operators §3.1, "current value": documented; the straight line is ours.
    #[must_use]
    pub fn value_at_seconds(&self, channel: usize, seconds: f64) -> f64 {
        let index = seconds * self.rate;
        let near = index.round();
        self.value_at_f(
            channel,
            if (index - near).abs() <= 1e-9 * near.abs().max(1.0) { near } else { index },
        )
    }

    /// Gives `out` these channels of this clip, in this order, counted from 0; a number may stand there twice.
    ///
    /// Everything else of `out` becomes as it is here. Names of `out` that are right already stay the same object.
    ///
    /// # Errors
    ///
    /// [`ClipError::NoSuchChannel`], [`ClipError::TooLarge`] where channels are given many times over, and
    /// [`ClipError::NoMemory`]. `out` is then unchanged.
    pub fn select(&self, channels: &[usize], out: &mut Self) -> Result<(), ClipError> {
        if let Some(&index) = channels.iter().find(|index| **index >= self.num_channels()) {
            return Err(ClipError::NoSuchChannel { index, channels: self.num_channels() });
        }
        let names = self.names.selected(channels, &out.names);
        let samples = out.shape(names, self.len)?;
        if self.len > 0 {
            for (target, source) in samples.chunks_exact_mut(self.len).zip(channels) {
                if let Some(source) = self.channel(*source) {
                    target.copy_from_slice(source);
                }
            }
        }
        out.copy_layout_from(self);
        Ok(())
    }

    /// Where a channel lies among the samples.
    fn place(&self, index: usize) -> Option<core::ops::Range<usize>> {
        if index >= self.names.len() {
            return None;
        }
        let begin = index.checked_mul(self.len)?;
        Some(begin..begin.checked_add(self.len)?)
    }
}

/// A count among signed numbers.
fn wide(count: usize) -> i128 {
    i128::try_from(count).unwrap_or(i128::MAX)
}
