//! Time slices at another rate, one after the other.

use crate::clip::ratio::Ratio;
use crate::clip::{ChannelNames, Clip, ClipError};
use crate::slice::Interval;

/// Brings the slices of one CHOP to another rate, and remembers where the one before ended, so that the lines go on
/// from there.
///
/// [`resample`](super::resample) makes of a slice what that slice says alone. Here the interval comes from outside, so
/// slices of different rates are brought to exactly the same one. Sample *j* stands at `j · old/new` of the input's
/// clock; between its samples the value is on the straight line, also from the last sample of the slice before. What
/// stands behind the newest sample is not known yet, and holds that.
#[derive(Debug, Default)]
pub(crate) struct SliceRates {
    names: ChannelNames,
    /// The last sample of each channel, and where it stood.
    last: Vec<f32>,
    end: i64,
    rate: f64,
}

impl SliceRates {
    /// Makes `out` a slice over `interval` at `rate`, from a slice of the input.
    pub(crate) fn resample(
        &mut self,
        input: &Clip,
        rate: f64,
        interval: Interval,
        out: &mut Clip,
    ) -> Result<(), ClipError> {
        let Some(step) = Ratio::of(input.rate(), rate) else { return Err(ClipError::Rate { rate }) };
        let len = interval.len();
        let samples = out.shape(input.names().clone(), len)?;
        // The same slice again leaves the value before it as it was.
        let goes_on = self.names == *input.names()
            && self.rate.to_bits() == input.rate().to_bits()
            && self.end == input.start().saturating_sub(1);
        let (begin, rest) = step.split(interval.first);
        #[expect(clippy::cast_precision_loss, reason = "a part of the way needs no more digits")]
        let scale = 1.0 / step.denominator as f64;
        let step_whole = i64::try_from(step.numerator.checked_div(step.denominator).unwrap_or(0));
        let step_whole = step_whole.unwrap_or(i64::MAX);
        let step_part = step.numerator.checked_rem(step.denominator).unwrap_or(0);
        for (channel, target) in samples.chunks_exact_mut(len.max(1)).enumerate() {
            let source = input.channel(channel).unwrap_or_default();
            let (Some(&first), Some(&newest)) = (source.first(), source.last()) else {
                target.fill(input.default_value());
                continue;
            };
            let before = if goes_on { self.last.get(channel).copied().unwrap_or(first) } else { first };
            let at = |index: i64| -> f32 {
                match usize::try_from(index.saturating_sub(input.start())) {
                    Ok(index) => source.get(index).copied().unwrap_or(newest),
                    Err(_) => before,
                }
            };
            let (mut whole, mut part) = (begin, rest);
            for sample in target {
                let from = at(whole);
                *sample = if part == 0 { from } else { line(from, at(whole.saturating_add(1)), part, scale) };
                whole = whole.saturating_add(step_whole);
                // Both are below the denominator, and that is below 2^62.
                part = part.wrapping_add(step_part);
                if part >= step.denominator {
                    part = part.wrapping_sub(step.denominator);
                    whole = whole.saturating_add(1);
                }
            }
        }
        if self.end != input.end() || !goes_on {
            self.names = input.names().clone();
            self.last.clear();
            self.last.extend((0..input.num_channels()).map(|channel| {
                input.channel(channel).and_then(<[f32]>::last).copied().unwrap_or(input.default_value())
            }));
            self.end = input.end();
            self.rate = input.rate();
        }
        out.copy_layout_from(input);
        out.set_slice(true);
        out.set_start(interval.first);
        out.set_rate(rate)
    }
}

/// The value at a part of the line from one sample to another. Equal ones give themselves, infinite ones included.
fn line(before: f32, after: f32, part: u64, scale: f64) -> f32 {
    if before.to_bits() == after.to_bits() {
        return before;
    }
    let (before, after) = (f64::from(before), f64::from(after));
    #[expect(clippy::cast_precision_loss, reason = "a part of the way needs no more digits")]
    let fraction = part as f64 * scale;
    #[expect(clippy::cast_possible_truncation, reason = "samples have 32 bits")]
    let value = (before + (after - before) * fraction) as f32;
    value
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test that panics has failed")]
mod tests {
    use super::*;
    use crate::slice::{SliceRule, slice_of};

    /// A ramp, in slices of one rate brought to another: value is time, but for what is not known yet.
    #[test]
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small numbers")]
    fn a_ramp_stays_a_ramp_over_any_frames() {
        let rule = SliceRule::of_max_seconds(f64::INFINITY);
        for (old, new) in
            [(60.0, 120.0), (120.0, 60.0), (100.0, 60.0), (60.0, 44_100.0), (30.0, 50.0), (50.0, 30.0)]
        {
            let (mut rates, mut input, mut out) = (SliceRates::default(), Clip::default(), Clip::default());
            let (mut previous, mut end) = (None, None);
            for frame in [1, 2, 3, 7, 8, 20, 21, 22, 23, 24] {
                let slice = slice_of(old, 60.0, previous, frame, rule);
                input.shape(ChannelNames::numbered(1), slice.len()).unwrap();
                for (index, sample) in (slice.first..).zip(input.samples_mut()) {
                    *sample = (index as f64 / old) as f32;
                }
                input.set_start(slice.first);
                input.set_rate(old).unwrap();
                input.set_slice(true);
                let interval = slice_of(new, 60.0, previous, frame, rule);
                rates.resample(&input, new, interval, &mut out).unwrap();
                assert_eq!((out.start(), out.end(), out.rate()), (interval.first, interval.last, new));
                if let Some(end) = end {
                    assert!(out.start() <= end + 1, "no gap");
                }
                let newest = slice.last as f64 / old;
                for (index, &sample) in (interval.first..).zip(out.samples()) {
                    let due = (index as f64 / new).min(newest);
                    if frame > 3 {
                        assert!((f64::from(sample) - due).abs() < 1e-5, "{old} to {new}: {sample} at {due}");
                    }
                }
                end = Some(out.end());
                previous = Some(frame);
            }
        }
    }
}
