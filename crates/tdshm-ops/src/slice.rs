//! Time slices: the samples since the last cook (operators §4).
//!
//! [`slice_of`] says which samples a cook is about, on the absolute clock that all operators of a network share. What is
//! not sliced by itself is cut or filled to that [`Interval`] by a [`Filler`], which remembers where each channel stopped:
//! the receiver's rule for blocks from shared memory is [`Filler::fill`], that of the Time Slice CHOP [`Filler::cut`].
//!
//! ```
//! use tdshm_ops::slice::{Interval, SliceRule, slice_of};
//!
//! // Frame 73 was cooked, now it is 77: four frames at 44,100 Hz.
//! let slice = slice_of(44_100.0, 60.0, Some(73), 77, SliceRule::default());
//! assert_eq!(slice, Interval { first: 53_656, last: 56_595 });
//! assert_eq!(slice.len(), 2940);
//! ```

mod filler;

pub use filler::{Fill, Filler, trim};

use crate::clip::ratio::Ratio;

/// Consecutive samples, both ends included, as indices on some clock. Where `last` is before `first` there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Interval {
    /// The first sample.
    pub first: i64,
    /// The last sample.
    pub last: i64,
}

impl Interval {
    /// How many samples there are; the greatest number, if more.
    #[must_use]
    pub fn len(self) -> usize {
        let len = i128::from(self.last).saturating_sub(i128::from(self.first)).saturating_add(1);
        if len < 0 { 0 } else { usize::try_from(len).unwrap_or(usize::MAX) }
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.last < self.first
    }
}

/// What a time slice may be at most.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct SliceRule {
    /// The longest slice in seconds, 0.2 unless set. What is longer is cut at its beginning. Without a limit it is
    /// infinite; what is no number, or less than a sample, leaves one sample.
    pub max_seconds: f64,
}

impl SliceRule {
    /// A rule with this longest slice, in seconds.
    #[must_use]
    pub const fn of_max_seconds(max_seconds: f64) -> Self {
        Self { max_seconds }
    }
}

impl Default for SliceRule {
    fn default() -> Self {
        Self::of_max_seconds(0.2)
    }
}

/// The samples at `rate` from the frame that was cooked last, excluded, to `frame`, included.
///
/// Rates are in Hz, of the samples and of the timeline; frames are absolute ones, whole, at most 2^53, or `None` for the
/// very first cook. Indices are those of the absolute clock, whose sample 0 stands at frame 0. Always
/// `last = floor(frame · rate / timeline_rate)`, and there is at least one sample:
///
/// - on the first cook, after a jump back, and when the same frame is cooked again, it is `last` alone;
/// - when no sample is due it is `last` again, although the slice before ended with it;
/// - more than the rule allows is cut at the beginning, so there is a gap to the slice before.
///
/// Otherwise a slice begins right after the one before, whatever the rates: their ratio is taken as the simplest one
/// that the two numbers may stand for, and multiplied as whole numbers. Rates that are not finite and above 0, or whose ratio
/// is beyond 2^62, give sample 0 alone; a clock that has reached the last index of 64 bits stands still.
///
/// # Source
///
/// operators §4.1 and §4.2: documented, the formula inferred; at least one sample is ours.
#[must_use]
pub fn slice_of(
    rate: f64,
    timeline_rate: f64,
    previous_frame: Option<u64>,
    frame: u64,
    rule: SliceRule,
) -> Interval {
    let Some(ratio) = Ratio::of(rate, timeline_rate) else { return Interval::default() };
    let sample_at = |frame: u64| ratio.floor(i64::try_from(frame).unwrap_or(i64::MAX));
    let last = sample_at(frame);
    let first = match previous_frame {
        Some(previous) if previous < frame => sample_at(previous).saturating_add(1).min(last),
        _ => last,
    };
    Interval { first: first.max(last.saturating_sub(most(rate, rule).saturating_sub(1))), last }
}

/// How many samples a slice may have: one or more.
pub(crate) fn most(rate: f64, rule: SliceRule) -> i64 {
    // A limit such as 0.29 s at 100 Hz is a whole number of samples, also where the product is a little less.
    let samples = rate * rule.max_seconds * (1.0 + 2.0 * f64::EPSILON);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`as` saturates, and makes 0 of what is not a number"
    )]
    let samples = samples as i64;
    samples.max(1)
}
