//! Samples for a slice from something that is none: a block of shared memory, or a clip that is not sliced.

use super::Interval;
use crate::clip::{ChannelNames, Clip, ClipError, NotInMenu};
use core::fmt;
use core::str::FromStr;

/// How a slice is filled.
///
/// # Source
///
/// operators §4.1, Time Slice CHOP: documented. For received blocks §4.3: ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fill {
    /// `hold`: the newest value, all the time.
    Hold,
    /// `linear`: from the last value of the slice before to the newest value, without a step.
    #[default]
    Linear,
    /// `trim`: the samples of the slice's interval as they are.
    Trim,
}

impl Fill {
    /// Every way, in the order of the menu.
    pub const ALL: [Self; 3] = [Self::Hold, Self::Linear, Self::Trim];

    /// The name in the menu.
    #[must_use]
    pub const fn menu_name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Linear => "linear",
            Self::Trim => "trim",
        }
    }
}

impl fmt::Display for Fill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.menu_name())
    }
}

/// Reads the name in the menu, exactly.
impl FromStr for Fill {
    type Err = NotInMenu;

    fn from_str(name: &str) -> Result<Self, NotInMenu> {
        Self::ALL
            .into_iter()
            .find(|fill| fill.menu_name() == name)
            .ok_or_else(|| NotInMenu::new("way to fill a slice", name, "hold, linear, trim"))
    }
}

/// Cuts a clip that is not sliced to an interval on its own clock: what is outside the clip is what its extend
/// conditions say. A clip that is a slice already is passed on as it is.
///
/// The interval counts samples of the clip's rate. `out` becomes a slice that begins at `interval.first`, and has names,
/// rate and extend conditions of the clip.
///
/// # Errors
///
/// [`ClipError::TooLarge`] and [`ClipError::NoMemory`]; `out` is then unchanged.
///
/// # Source
///
/// operators §4.1, Time Slice CHOP with `trim`: documented.
pub fn trim(input: &Clip, interval: Interval, out: &mut Clip) -> Result<(), ClipError> {
    if input.is_slice() {
        return out.copy_from(input);
    }
    shape(input, interval, out)?;
    for channel in 0..input.num_channels() {
        let (Some(source), Some(target)) = (input.channel(channel), out.channel_mut(channel)) else {
            continue;
        };
        trim_channel(input, channel, source, interval.first, target);
    }
    Ok(())
}

/// Fills slices, and remembers for each channel where the one before ended.
///
/// Channels are known by name: where they come, go or change places, each of them goes on from its own last value, and
/// a new one begins with its own first. As long as names and lengths stay, nothing is allocated.
///
/// ```
/// use tdshm_ops::clip::{ChannelNames, Clip};
/// use tdshm_ops::slice::{Fill, Filler, Interval};
///
/// let (mut filler, mut block, mut out) = (Filler::default(), Clip::default(), Clip::default());
/// block.shape(ChannelNames::new(["tx"]), 2)?.copy_from_slice(&[1.0, 3.0]);
/// filler.fill(&block, true, Interval { first: 1, last: 2 }, Fill::Linear, &mut out)?;
/// assert_eq!(out.samples(), [1.0, 3.0]);
/// // Two samples for a slice of four: on the line from the last value to the first of them, and on to the second.
/// block.samples_mut().copy_from_slice(&[5.0, 9.0]);
/// filler.fill(&block, true, Interval { first: 3, last: 6 }, Fill::Linear, &mut out)?;
/// assert_eq!(out.samples(), [4.0, 5.0, 7.0, 9.0]);
/// // Nothing new came: the last value, not the block again.
/// filler.fill(&block, false, Interval { first: 7, last: 8 }, Fill::Linear, &mut out)?;
/// assert_eq!(out.samples(), [9.0, 9.0]);
/// # Ok::<(), tdshm_ops::clip::ClipError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Filler {
    names: ChannelNames,
    /// One for each name; `None` until the channel has had a sample.
    last: Vec<Option<f32>>,
}

impl Filler {
    /// Makes a slice of a received block: the rule of the Shared Mem In CHOP with Time Slice on.
    ///
    /// `interval` counts samples of the block's rate; `is_new` says whether the block came since the last call. With
    /// [`Fill::Linear`], the default:
    ///
    /// 1. a block of one sample: that value, all the time;
    /// 2. a block as long as the slice, or longer: its last samples;
    /// 3. a shorter one: on straight lines from the last value to the block's samples, spread so that the last of them
    ///    stands at the end of the slice;
    /// 4. no new block: the last value.
    ///
    /// [`Fill::Hold`] gives the block's last sample all the time. [`Fill::Trim`] differs from the default in 3: the
    /// block's samples stand at the end of the slice, as they are, and before them the last value. In each case the
    /// slice ends with the newest value. A channel that has had no value yet goes by its block's samples alone: in 3 its
    /// first sample stands for the last value, in 4 its last one. A block without samples gives the last value, or 0.
    ///
    /// `out` becomes a slice that begins at `interval.first`, and has names, rate and extend conditions of the block.
    ///
    /// # Errors
    ///
    /// [`ClipError::TooLarge`] and [`ClipError::NoMemory`]; `out` and the remembered values are then unchanged.
    ///
    /// # Source
    ///
    /// operators §4.3: ours.
    pub fn fill(
        &mut self,
        block: &Clip,
        is_new: bool,
        interval: Interval,
        how: Fill,
        out: &mut Clip,
    ) -> Result<(), ClipError> {
        shape(block, interval, out)?;
        self.follow(block.names());
        for (channel, last) in self.last.iter_mut().enumerate() {
            let (Some(source), Some(target)) = (block.channel(channel), out.channel_mut(channel)) else {
                continue;
            };
            let newest = source.last().copied().or(*last).unwrap_or(0.0);
            match (is_new, how) {
                (false, _) => target.fill(last.unwrap_or(newest)),
                (true, Fill::Hold) => target.fill(newest),
                (true, _) if source.len() <= 1 => target.fill(newest),
                (true, _) if source.len() >= target.len() => copy_end(source, target),
                (true, Fill::Linear) => spread(*last, source, target),
                (true, Fill::Trim) => {
                    target.fill(last.or(source.first().copied()).unwrap_or(newest));
                    copy_end(source, target);
                }
            }
            *last = target.last().copied().or(*last);
        }
        Ok(())
    }

    /// Makes a slice of a clip that is not sliced: the rule of the Time Slice CHOP.
    ///
    /// `interval` counts samples on the clip's own clock, and now is its last one. The value now is that of the clip
    /// there, with its extend conditions. [`Fill::Hold`] gives that value all the time; [`Fill::Linear`] a straight line
    /// to it from the value of the last cook, which the line does not contain again; [`Fill::Trim`] what [`trim`] gives.
    /// A channel that has had no value yet has the value now all the time with [`Fill::Linear`]. A clip that is a slice
    /// already is passed on as it is.
    ///
    /// `out` becomes as with [`Filler::fill`].
    ///
    /// # Errors
    ///
    /// [`ClipError::TooLarge`] and [`ClipError::NoMemory`]; `out` and the remembered values are then unchanged.
    ///
    /// # Source
    ///
    /// operators §4.1, Time Slice CHOP: documented.
    pub fn cut(
        &mut self,
        input: &Clip,
        interval: Interval,
        how: Fill,
        out: &mut Clip,
    ) -> Result<(), ClipError> {
        if input.is_slice() || how == Fill::Trim {
            trim(input, interval, out)?;
            self.follow(input.names());
        } else {
            shape(input, interval, out)?;
            self.follow(input.names());
            for (channel, last) in self.last.iter().enumerate() {
                let Some(target) = out.channel_mut(channel) else { continue };
                #[expect(clippy::cast_possible_truncation, reason = "samples have 32 bits")]
                let now = input.value_at(channel, interval.last) as f32;
                match how {
                    Fill::Linear => spread(Some(last.unwrap_or(now)), &[now], target),
                    Fill::Hold | Fill::Trim => target.fill(now),
                }
            }
        }
        for (channel, last) in self.last.iter_mut().enumerate() {
            *last = out.channel(channel).and_then(<[f32]>::last).copied().or(*last);
        }
        Ok(())
    }

    /// Forgets all values, as before the first call. Memory is kept.
    pub fn reset(&mut self) {
        self.last.fill(None);
    }

    /// Brings the values to the places that their channels now have.
    fn follow(&mut self, names: &ChannelNames) {
        if self.names == *names {
            // From now on it is the same object, and the next look at it is short.
            self.names = names.clone();
            return;
        }
        let value = |(index, name): (usize, &str)| {
            let was =
                if self.names.get(index) == Some(name) { Some(index) } else { self.names.index_of(name) };
            was.and_then(|was| self.last.get(was).copied()).flatten()
        };
        self.last = names.iter().enumerate().map(value).collect();
        self.names = names.clone();
    }
}

/// Makes `out` a slice of this interval with the channels of `like`.
fn shape(like: &Clip, interval: Interval, out: &mut Clip) -> Result<(), ClipError> {
    out.shape(like.names().clone(), interval.len())?;
    out.copy_layout_from(like);
    out.set_start(interval.first);
    out.set_slice(true);
    Ok(())
}

/// As many of the last samples as both have.
fn copy_end(source: &[f32], target: &mut [f32]) {
    let both = source.len().min(target.len());
    let from = source.len().saturating_sub(both);
    let to = target.len().saturating_sub(both);
    if let (Some(source), Some(target)) = (source.get(from..), target.get_mut(to..)) {
        target.copy_from_slice(source);
    }
}

/// Straight lines from `last`, one sample before the target, through the source's samples at equal distances, of which
/// the last stands at the target's end. Without `last` the first of them stands for it.
fn spread(last: Option<f32>, source: &[f32], target: &mut [f32]) {
    let Some(first) = source.first().copied() else { return };
    // Point 0 is the last value, point k the source's sample k - 1. A target's sample is at whole + part/parts.
    let (points, parts) = (source.len(), target.len());
    let (mut whole, mut part) = (0_usize, 0_usize);
    let mut before = last.unwrap_or(first);
    for sample in target {
        part = part.saturating_add(points);
        while part >= parts {
            part = part.saturating_sub(parts);
            before = source.get(whole).copied().unwrap_or(before);
            whole = whole.saturating_add(1);
        }
        *sample = match source.get(whole) {
            Some(after) if part > 0 => between(before, *after, part, parts),
            _ => before,
        };
    }
}

/// The value at `part` of `parts` on the line from one sample to another.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a clip has too few samples to lose precision, and samples have 32 bits"
)]
fn between(before: f32, after: f32, part: usize, parts: usize) -> f32 {
    let (before, after) = (f64::from(before), f64::from(after));
    (before + (after - before) * (part as f64 / parts as f64)) as f32
}

/// The samples from `first` on: those inside at once, the others as the clip extends.
fn trim_channel(input: &Clip, channel: usize, source: &[f32], first: i64, target: &mut [f32]) {
    let mut at = first;
    let mut rest = target;
    while let Some(sample) = rest.first_mut() {
        let inside = i128::from(at).checked_sub(i128::from(input.start()));
        let inside = inside.and_then(|at| usize::try_from(at).ok()).and_then(|at| source.get(at..));
        let done = match inside {
            Some(source) if !source.is_empty() => {
                let both = source.len().min(rest.len());
                if let (Some(source), Some(target)) = (source.get(..both), rest.get_mut(..both)) {
                    target.copy_from_slice(source);
                }
                both
            }
            _ => {
                #[expect(clippy::cast_possible_truncation, reason = "samples have 32 bits")]
                let value = input.value_at(channel, at) as f32;
                *sample = value;
                1
            }
        };
        at = at.saturating_add(i64::try_from(done).unwrap_or(i64::MAX));
        rest = rest.get_mut(done..).unwrap_or_default();
    }
}
