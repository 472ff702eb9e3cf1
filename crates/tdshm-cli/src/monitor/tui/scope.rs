//! Which samples are seen in a scope, and where: from places in time and values to dots, without drawing anything.

use std::ops::Range;

use crate::monitor::model::Channels;

/// What the horizontal axis is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    /// The samples of all frames, one behind the other.
    History,
    /// The samples of the newest frame alone.
    Frame,
}

/// How a scope is looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Look {
    /// `None`: what the frames look like decides.
    pub(super) axis: Option<Axis>,
    /// Samples from the left edge to the right; `None`: some seconds, or the whole frame.
    pub(super) span: Option<u64>,
    /// Samples between the newest one and the right edge.
    pub(super) back: u64,
    /// Least and greatest value; `None`: those of what is seen.
    pub(super) range: Option<(f64, f64)>,
    /// Where the cursor is, as a part of the width.
    pub(super) cursor: Option<f64>,
}

/// Seconds that a history shows at first.
const SECONDS: f64 = 5.0;
/// The fewest samples that are worth a curve.
const LEAST_SPAN: u64 = 2;
/// Room above and below the curves, as a part of their height.
const MARGIN: f64 = 0.05;

/// The samples of some channels, along one axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'c> {
    channels: &'c Channels,
    pub(super) axis: Axis,
    /// The places from the left edge to the right. Those at the beginning need not be kept any more, or not be yet.
    begin: i64,
    pub(super) span: u64,
}

impl<'c> Seen<'c> {
    pub(super) fn of(channels: &'c Channels, look: &Look, frames_per_second: Option<f64>) -> Self {
        let axis = look.axis.unwrap_or_else(|| usual_axis(channels, frames_per_second));
        let (end, longest, usual) = match axis {
            Axis::Frame => {
                let kept = channels.kept() as u64;
                (kept, kept, kept)
            }
            Axis::History => {
                let range = channels.history().range();
                let seconds = (f64::from(channels.shape().sample_rate) * SECONDS) as u64;
                (range.end, channels.history().room() as u64, seconds)
            }
        };
        let longest = longest.max(LEAST_SPAN);
        let span = look.span.unwrap_or(usual).clamp(LEAST_SPAN, longest);
        let end = end.saturating_sub(look.back);
        let begin =
            i64::try_from(end).unwrap_or(i64::MAX).saturating_sub(i64::try_from(span).unwrap_or(i64::MAX));
        Self { channels, axis, begin, span }
    }

    /// The places that are seen, those that never were left out.
    fn places(&self) -> Range<u64> {
        let end = self.begin.saturating_add(i64::try_from(self.span).unwrap_or(i64::MAX));
        u64::try_from(self.begin).unwrap_or(0)..u64::try_from(end).unwrap_or(0)
    }

    /// The place at that part of the width.
    pub(super) fn place_at(&self, part: f64) -> Option<u64> {
        let step = (part.clamp(0.0, 1.0) * self.span.saturating_sub(1) as f64).round() as i64;
        u64::try_from(self.begin.saturating_add(step)).ok()
    }

    /// How many seconds before the newest sample that place is, by the sample rate; of a frame, how many after its first.
    pub(super) fn seconds_at(&self, part: f64) -> f64 {
        let rate = f64::from(self.channels.shape().sample_rate).max(f64::MIN_POSITIVE);
        let place = self.begin as f64 + part * self.span.saturating_sub(1) as f64;
        let zero = match self.axis {
            Axis::Frame => 0.0,
            Axis::History => self.channels.history().range().end.saturating_sub(1) as f64,
        };
        (place - zero) / rate
    }

    /// Where a place is, as a part of the width.
    pub(super) fn part_of(&self, place: Option<u64>) -> f64 {
        let step = place.map_or(0.0, |place| place as f64 - self.begin as f64);
        step / self.span.saturating_sub(1).max(1) as f64
    }

    /// The number of the frame that the sample at that place was in, where its sender counts.
    pub(super) fn frame_of(&self, place: u64) -> Option<u64> {
        match self.axis {
            Axis::History => self.channels.history().mark_of(place)?.number,
            Axis::Frame => self.channels.history().marks().next_back()?.number,
        }
    }

    /// The sample of a channel at a place.
    pub(super) fn value(&self, channel: usize, place: u64) -> Option<f32> {
        match self.axis {
            Axis::Frame => self.channels.newest(channel).get(usize::try_from(place).ok()?).copied(),
            Axis::History => self.channels.history().get(channel, place),
        }
    }

    fn stretches(&self, channel: usize, places: Range<u64>) -> [&'c [f32]; 2] {
        match self.axis {
            Axis::History => self.channels.history().stretches(channel, places),
            Axis::Frame => {
                let newest = self.channels.newest(channel);
                let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(newest.len());
                [newest.get(at(places.start)..at(places.end)).unwrap_or_default(), &[]]
            }
        }
    }

    /// Least and greatest value of those channels, with some room; where all are the same, with room on both sides.
    pub(super) fn extent(&self, channels: &[usize]) -> (f64, f64) {
        let mut extent: Option<(f64, f64)> = None;
        for channel in channels {
            for stretch in self.stretches(*channel, self.places()) {
                for value in stretch.iter().copied().filter(|value| value.is_finite()).map(f64::from) {
                    let (least, greatest) = extent.get_or_insert((value, value));
                    *least = value.min(*least);
                    *greatest = value.max(*greatest);
                }
            }
        }
        match extent {
            None => (-1.0, 1.0),
            Some((least, greatest)) if least < greatest => {
                let room = (greatest - least) * MARGIN;
                (least - room, greatest + room)
            }
            Some((value, _)) => {
                let room = (value.abs() * MARGIN).max(1.0);
                (value - room, value + room)
            }
        }
    }

    /// The curve of a channel as lines between points, each a part of the width and a value. Where there are more samples
    /// than `dots`, those of one dot become a line from the least to the greatest. What is no number is a gap.
    pub(super) fn lines(&self, channel: usize, dots: usize) -> Vec<((f64, f64), (f64, f64))> {
        let width = self.span.saturating_sub(1).max(1) as f64;
        let part = |place: u64| (place as f64 - self.begin as f64) / width;
        let mut lines = Vec::new();
        if self.span <= dots as u64 {
            let mut before: Option<(f64, f64)> = None;
            for place in self.places() {
                let value = self.value(channel, place).filter(|value| value.is_finite());
                let point = value.map(|value| (part(place), f64::from(value)));
                if let Some(point) = point {
                    lines.push((before.unwrap_or(point), point));
                }
                before = point;
            }
            return lines;
        }
        let dots = dots.max(1) as u64;
        let mut before: Option<f64> = None;
        for dot in 0..dots {
            let at = |dot: u64| {
                let step =
                    (u128::from(dot).saturating_mul(u128::from(self.span))).checked_div(u128::from(dots));
                let step = step.and_then(|step| i64::try_from(step).ok()).unwrap_or(i64::MAX);
                u64::try_from(self.begin.saturating_add(step)).unwrap_or(0)
            };
            let places = at(dot)..at(dot.saturating_add(1));
            let x = dot as f64 / dots.saturating_sub(1).max(1) as f64;
            let mut extent: Option<(f64, f64)> = None;
            let mut last = None;
            for value in self.stretches(channel, places).into_iter().flatten().copied() {
                let value = value.is_finite().then_some(f64::from(value));
                if let Some(value) = value {
                    let (least, greatest) = extent.get_or_insert((value, value));
                    *least = value.min(*least);
                    *greatest = value.max(*greatest);
                }
                last = value;
            }
            if let Some((least, greatest)) = extent {
                // From where the dot before ended, so that there are no holes.
                let (from, to) = before.map_or((least, greatest), |b| (least.min(b), greatest.max(b)));
                lines.push(((x, from), (x, to)));
            }
            before = last;
        }
        lines
    }
}

/// Frames of one sample are a history. So are longer ones that follow each other as fast as their samples pass; others
/// are curves that are sent again and again.
fn usual_axis(channels: &Channels, frames_per_second: Option<f64>) -> Axis {
    let kept = channels.kept();
    if kept <= 1 {
        return Axis::History;
    }
    let seconds = kept as f64 / f64::from(channels.shape().sample_rate).max(f64::MIN_POSITIVE);
    match frames_per_second.map(|rate| rate * seconds) {
        Some(overlap) if (0.5..=2.0).contains(&overlap) => Axis::History,
        _ => Axis::Frame,
    }
}

impl Look {
    /// Shows half as much time, or twice as much.
    pub(super) fn zoom_time(&mut self, seen: &Seen<'_>, closer: bool) {
        let span = if closer { seen.span / 2 } else { seen.span.saturating_mul(2) };
        self.span = Some(span.max(LEAST_SPAN));
    }

    /// Moves by an eighth of the width: `later` to newer samples.
    pub(super) fn pan(&mut self, seen: &Seen<'_>, later: bool) {
        let step = (seen.span / 8).max(1);
        self.back = if later { self.back.saturating_sub(step) } else { self.back.saturating_add(step) };
        let oldest = match seen.axis {
            Axis::Frame => seen.channels.kept() as u64,
            Axis::History => {
                let range = seen.channels.history().range();
                range.end.saturating_sub(range.start)
            }
        };
        self.back = self.back.min(oldest.saturating_sub(seen.span.min(oldest)));
    }

    /// Shows half of the values around the middle, or twice as many.
    pub(super) fn zoom_value(&mut self, shown: (f64, f64), closer: bool) {
        let (middle, half) = (f64::midpoint(shown.0, shown.1), (shown.1 - shown.0) / 2.0);
        let half = if closer { half / 2.0 } else { half * 2.0 };
        if half.is_finite() && half > f64::MIN_POSITIVE {
            self.range = Some((middle - half, middle + half));
        }
    }

    /// Moves the values by an eighth of the height.
    pub(super) fn shift_value(&mut self, shown: (f64, f64), up: bool) {
        let step = (shown.1 - shown.0) / 8.0;
        let step = if up { step } else { -step };
        self.range = Some((shown.0 + step, shown.1 + step));
    }

    /// Moves the cursor by so many of the `dots` of the width; it comes up at the right.
    pub(super) fn move_cursor(&mut self, dots: usize, by: f64) {
        let width = dots.saturating_sub(1).max(1) as f64;
        self.cursor = Some(match self.cursor {
            None => 1.0,
            Some(part) => (part + by / width).clamp(0.0, 1.0),
        });
    }
}
