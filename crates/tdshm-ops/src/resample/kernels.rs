//! The loops over the samples of one channel. None of them allocates, and every source has at least one sample.

use super::Interpolation;
use crate::clip::ratio::Ratio;

/// Fills a channel from another, of which `step` samples go to each new one.
pub(super) fn channel(source: &[f32], target: &mut [f32], step: Ratio, interpolation: Interpolation) {
    let fewer = step.numerator > step.denominator;
    match interpolation {
        Interpolation::None => earlier(source, target, step),
        Interpolation::Linear if fewer => means(source, target, step),
        Interpolation::Linear => lines(source, target, step, 0, 0),
        Interpolation::Cubic => curves(source, target, step),
        Interpolation::Edge if fewer => means_with_pulses(source, target, step),
        Interpolation::Edge => lines_with_pulses(source, target, step),
        Interpolation::Repeat => repeat(source, target),
    }
}

/// Positions in the source: a sample, and the part of the way to the next in units of the step's denominator.
struct Positions {
    whole: usize,
    part: u64,
    step: Ratio,
    step_whole: usize,
    step_part: u64,
}

impl Positions {
    fn new(step: Ratio, whole: usize, part: u64) -> Self {
        let step_whole = step.numerator.checked_div(step.denominator).unwrap_or(0);
        let step_part = step.numerator.checked_rem(step.denominator).unwrap_or(0);
        let step_whole = usize::try_from(step_whole).unwrap_or(usize::MAX);
        Self { whole, part, step, step_whole, step_part }
    }

    /// Goes on by one step. Both parts are below the denominator, and that is below 2^62.
    #[inline]
    fn advance(&mut self) {
        self.whole = self.whole.saturating_add(self.step_whole);
        self.part = self.part.wrapping_add(self.step_part);
        if self.part >= self.step.denominator {
            self.part = self.part.wrapping_sub(self.step.denominator);
            self.whole = self.whole.saturating_add(1);
        }
    }

    /// The first sample at or after the position.
    fn ceil(&self) -> usize {
        self.whole.saturating_add(usize::from(self.part > 0))
    }
}

/// The sample, or the last one beyond the end.
#[inline]
fn held(source: &[f32], index: usize) -> f32 {
    source.get(index).or(source.last()).copied().unwrap_or(0.0)
}

#[expect(clippy::cast_possible_truncation, reason = "samples have 32 bits")]
#[inline]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[expect(clippy::cast_precision_loss, reason = "a part of the way needs no more digits")]
#[inline]
fn fraction(part: u64, scale: f64) -> f64 {
    part as f64 * scale
}

#[expect(clippy::cast_precision_loss, reason = "a part of the way needs no more digits")]
fn scale(step: Ratio) -> f64 {
    1.0 / step.denominator as f64
}

/// The straight line from one sample to another. Equal ones give themselves, infinite ones included.
#[inline]
fn line(before: f32, after: f32, fraction: f64) -> f32 {
    if before.to_bits() == after.to_bits() {
        return before;
    }
    let (before, after) = (f64::from(before), f64::from(after));
    narrow(before + (after - before) * fraction)
}

fn earlier(source: &[f32], target: &mut [f32], step: Ratio) {
    let mut at = Positions::new(step, 0, 0);
    for sample in target {
        *sample = held(source, at.whole);
        at.advance();
    }
}

/// Straight lines, from a position on that may lie before the first sample: that one is held.
pub(super) fn lines(source: &[f32], target: &mut [f32], step: Ratio, whole: i64, part: u64) {
    let scale = scale(step);
    let first = held(source, 0);
    let mut before = whole;
    let mut at = Positions::new(step, usize::try_from(whole).unwrap_or(0), part);
    let mut target = target.iter_mut();
    while before < 0 {
        let Some(sample) = target.next() else { return };
        *sample = first;
        let was = at.whole;
        at.advance();
        // Until the first sample is reached the place is counted apart, as it is negative.
        before = before.saturating_add(i64::try_from(at.whole.saturating_sub(was)).unwrap_or(i64::MAX));
        at.whole = usize::try_from(before).unwrap_or(0);
    }
    for sample in target {
        *sample =
            line(held(source, at.whole), held(source, at.whole.saturating_add(1)), fraction(at.part, scale));
        at.advance();
    }
}

/// For each new sample the old ones from its position up to the next one's.
fn windows<'a>(
    source: &'a [f32],
    target: &'a mut [f32],
    step: Ratio,
) -> impl Iterator<Item = (core::ops::Range<usize>, &'a mut f32)> {
    let mut at = Positions::new(step, 0, 0);
    let len = source.len();
    target.iter_mut().map(move |sample| {
        let begin = at.ceil().min(len);
        at.advance();
        (begin..at.ceil().min(len), sample)
    })
}

fn mean(source: &[f32], window: core::ops::Range<usize>) -> f32 {
    let samples = source.get(window).unwrap_or_default();
    if samples.len() <= 1 {
        // Rounding may leave nothing for the last one.
        return samples.first().copied().unwrap_or_else(|| held(source, usize::MAX));
    }
    let sum: f64 = samples.iter().copied().map(f64::from).sum();
    #[expect(clippy::cast_precision_loss, reason = "a clip has too few samples for that")]
    let count = samples.len() as f64;
    narrow(sum / count)
}

fn means(source: &[f32], target: &mut [f32], step: Ratio) {
    for (window, sample) in windows(source, target, step) {
        *sample = mean(source, window);
    }
}

/// Catmull and Rom's curve through the two samples around the position, with the slopes of their neighbours. The last
/// sample is held.
fn curves(source: &[f32], target: &mut [f32], step: Ratio) {
    let scale = scale(step);
    let mut at = Positions::new(step, 0, 0);
    for sample in target {
        let places =
            [at.whole.saturating_sub(1), at.whole, at.whole.saturating_add(1), at.whole.saturating_add(2)];
        let is_sample = at.part == 0 || at.whole.saturating_add(1) >= source.len();
        let part = at.part;
        at.advance();
        let [before, from, to, after] = places.map(|place| held(source, place));
        *sample = if is_sample || [before, to, after].iter().all(|near| near.to_bits() == from.to_bits()) {
            from
        } else {
            let t = fraction(part, scale);
            let [before, from, to, after] = [before, from, to, after].map(f64::from);
            let (leaving, arriving) = ((to - before) * 0.5, (after - from) * 0.5);
            let rise = to - from;
            let bend = 3.0 * rise - 2.0 * leaving - arriving;
            let twist = leaving + arriving - 2.0 * rise;
            narrow(from + t * (leaving + t * (bend + t * twist)))
        };
    }
}

/// Whether the sample is not zero and stands between zeros, or between a zero and an end.
fn is_pulse(source: &[f32], index: usize) -> bool {
    let is_zero = |index: usize| source.get(index).is_none_or(|sample| *sample == 0.0);
    source.len() > 1
        && !is_zero(index)
        && index.checked_sub(1).is_none_or(is_zero)
        && is_zero(index.saturating_add(1))
}

fn lines_with_pulses(source: &[f32], target: &mut [f32], step: Ratio) {
    let scale = scale(step);
    let level = |index: usize| if is_pulse(source, index) { 0.0 } else { held(source, index) };
    let mut at = Positions::new(step, 0, 0);
    let mut reached = None;
    for sample in target {
        let is_first = reached != Some(at.whole);
        reached = Some(at.whole);
        *sample = if is_first && is_pulse(source, at.whole) {
            held(source, at.whole)
        } else {
            let next = at.whole.saturating_add(1);
            // A pulse at the end must not be held.
            let after = if next < source.len() { level(next) } else { level(source.len().saturating_sub(1)) };
            let before = level(at.whole.min(source.len().saturating_sub(1)));
            line(before, after, fraction(at.part, scale))
        };
        at.advance();
    }
}

fn means_with_pulses(source: &[f32], target: &mut [f32], step: Ratio) {
    for (window, sample) in windows(source, target, step) {
        let pulse = window.clone().find(|index| is_pulse(source, *index));
        *sample = match pulse {
            Some(pulse) => held(source, pulse),
            None => mean(source, window),
        };
    }
}

fn repeat(source: &[f32], target: &mut [f32]) {
    if source.is_empty() {
        return;
    }
    for target in target.chunks_mut(source.len()) {
        for (sample, from) in target.iter_mut().zip(source) {
            *sample = *from;
        }
    }
}
