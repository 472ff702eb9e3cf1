//! Sample rates brought together (operators §6).
//!
//! [`RateMatch`] decides which rate an operator with several inputs works at, and [`resample`] brings a clip there: the
//! same time range at a new rate, or one of the Resample CHOP's other methods. Positions are multiples of a ratio of
//! whole numbers, so they are exact however long the clip is, and a rate that is the clip's own changes not a bit.
//!
//! ```
//! use tdshm_ops::clip::{ChannelNames, Clip};
//! use tdshm_ops::resample::{RateMatch, Resampling, resample};
//!
//! let (mut slow, mut out) = (Clip::default(), Clip::default());
//! slow.shape(ChannelNames::new(["a"]), 4)?.copy_from_slice(&[0.0, 10.0, 20.0, 30.0]);
//! slow.set_rate(30.0)?;
//! if let Some(rate) = RateMatch::Max.resolve(&[slow.rate(), 60.0])? {
//!     resample(&slow, &Resampling::to_rate(rate), &mut out)?;
//! }
//! assert_eq!(out.samples(), [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 30.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod kernels;
mod rate_match;
mod slices;

pub use rate_match::{RateMatch, RatesDiffer};
pub(crate) use slices::SliceRates;

use core::fmt;
use core::str::FromStr;

use crate::clip::ratio::Ratio;
use crate::clip::{Clip, ClipError, NotInMenu};
use crate::slice::Interval;

/// What stands between the samples that there are.
///
/// # Source
///
/// operators §6: documented, but for `repeat`, of which only the name is known: what it does is ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Interpolation {
    /// `nointerp`: the nearest earlier sample.
    None,
    /// `linear`: a straight line where there are more samples than before, the mean where there are fewer.
    #[default]
    Linear,
    /// `cubic`: a smooth curve through the samples (Catmull and Rom's), which may go beyond them.
    Cubic,
    /// `edge`: as linear, but a sample other than zero between zeros keeps its height and stays one sample wide. Where
    /// two of them fall into one sample it is the first.
    Edge,
    /// `repeat`: the samples one for one, and after the last from the beginning.
    Repeat,
}

impl Interpolation {
    /// Every way, in the order of TouchDesigner's menu.
    pub const ALL: [Self; 5] = [Self::None, Self::Linear, Self::Cubic, Self::Edge, Self::Repeat];

    /// The name in the menu `interp`.
    #[must_use]
    pub const fn menu_name(self) -> &'static str {
        match self {
            Self::None => "nointerp",
            Self::Linear => "linear",
            Self::Cubic => "cubic",
            Self::Edge => "edge",
            Self::Repeat => "repeat",
        }
    }
}

/// What of a clip stays when its rate or its interval changes: the menu `method` of the Resample CHOP.
///
/// # Source
///
/// operators §6: the first three are documented; that the new interval is filled by stretching is inferred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// `strech`, as TouchDesigner spells it: the rate stays, and the samples are stretched over the new interval.
    #[doc(alias = "strech")]
    Stretch,
    /// `preserve`: the time range stays, in seconds, and the rate is new.
    #[default]
    Preserve,
    /// `index`: samples and their indices stay, and the rate is new, so they take more or less time.
    Index,
    /// `newint`: the rate is new, and the samples are stretched over the new interval.
    NewInterval,
}

impl Method {
    /// Every method, in the order of TouchDesigner's menu.
    pub const ALL: [Self; 4] = [Self::Stretch, Self::Preserve, Self::Index, Self::NewInterval];

    /// The name in the menu.
    #[must_use]
    pub const fn menu_name(self) -> &'static str {
        match self {
            Self::Stretch => "strech",
            Self::Preserve => "preserve",
            Self::Index => "index",
            Self::NewInterval => "newint",
        }
    }
}

macro_rules! menu {
    ($menu:ty, $what:literal, $entries:literal) => {
        impl fmt::Display for $menu {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.menu_name())
            }
        }

        /// Reads the name in the menu, exactly.
        impl FromStr for $menu {
            type Err = NotInMenu;

            fn from_str(name: &str) -> Result<Self, NotInMenu> {
                Self::ALL
                    .into_iter()
                    .find(|entry| entry.menu_name() == name)
                    .ok_or_else(|| NotInMenu::new($what, name, $entries))
            }
        }
    };
}
use menu;

menu!(Interpolation, "interpolation", "nointerp, linear, cubic, edge, repeat");
menu!(Method, "resample method", "strech, preserve, index, newint");

/// What [`resample`] is to do.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Resampling {
    /// What of the clip stays.
    pub method: Method,
    /// What stands between the samples.
    pub interpolation: Interpolation,
    /// The new rate in Hz: finite and above 0. [`Method::Stretch`] does not look at it.
    pub rate: f64,
    /// The new interval in samples of the new clip. Only [`Method::Stretch`] and [`Method::NewInterval`] look at it.
    pub interval: Interval,
}

impl Resampling {
    /// The same time range at this rate in Hz, linear: what an operator does with inputs of different rates.
    #[must_use]
    pub fn to_rate(rate: f64) -> Self {
        Self {
            method: Method::Preserve,
            interpolation: Interpolation::Linear,
            rate,
            interval: Interval::default(),
        }
    }

    /// The same with all four said.
    #[must_use]
    pub fn new(method: Method, interpolation: Interpolation, rate: f64, interval: Interval) -> Self {
        Self { method, interpolation, rate, interval }
    }
}

/// Makes `out` from `input` at another rate or over another interval.
///
/// With [`Method::Preserve`], for `old` and `new` rates in Hz:
///
/// - `length = max(1, round(length · new/old))` and `start = round(start · new/old)`;
/// - sample *j* stands at `p = j · old/new` of the input's. Going up, [`Interpolation::Linear`] is on the line from
///   `floor(p)` to the next sample, and the last sample is held. Going down, it is the mean of the samples from `p` up
///   to, and without, the position of sample *j* + 1;
/// - the clip's own rate copies it bit for bit, whatever the interpolation.
///
/// The methods with a new interval do the same with `old/new` being the lengths of the two. Names, extend conditions and
/// the rest stay. A clip without samples has none afterwards either, unless the interval demands some: those have the
/// default value.
///
/// A time slice only changes its rate, whatever the method, and is interpolated on straight lines, going down as well.
/// It covers the samples `floor((start - 1) · new/old) + 1` to `floor(end · new/old)` of the new clock, so slices without
/// a gap between them still have none; where that is none, it is the last of them, repeated.
///
/// Nothing is allocated where `out` has the memory already.
///
/// # Errors
///
/// [`ClipError::Rate`], [`ClipError::TooLarge`] and [`ClipError::NoMemory`]; `out` is then unchanged.
///
/// # Source
///
/// operators §6: the methods are documented, the formulas inferred; how slices join is ours.
pub fn resample(input: &Clip, how: &Resampling, out: &mut Clip) -> Result<(), ClipError> {
    let rate = if how.method == Method::Stretch { input.rate() } else { how.rate };
    if !(rate.is_finite() && rate > 0.0) {
        return Err(ClipError::Rate { rate });
    }
    let same_rate = rate.to_bits() == input.rate().to_bits();
    let plan = match how.method {
        _ if input.is_slice() => {
            if same_rate {
                return out.copy_from(input);
            }
            return resample_slice(input, rate, out);
        }
        Method::Preserve if !same_rate => preserve(input, rate),
        Method::Preserve | Method::Index => Plan::unchanged(input),
        Method::Stretch | Method::NewInterval => stretch(input, how.interval),
    };
    if plan.copies(input) {
        out.copy_from(input)?;
    } else {
        let samples = out.shape(input.names().clone(), plan.len)?;
        if input.len_samples() == 0 {
            samples.fill(input.default_value());
        } else if plan.len > 0 {
            for (source, target) in
                input.samples().chunks_exact(input.len_samples()).zip(samples.chunks_exact_mut(plan.len))
            {
                kernels::channel(source, target, plan.step, how.interpolation);
            }
        }
        out.copy_layout_from(input);
    }
    out.set_start(plan.start);
    out.set_rate(rate)
}

/// Where the new samples are.
struct Plan {
    start: i64,
    len: usize,
    /// Old samples for each new one.
    step: Ratio,
}

impl Plan {
    fn unchanged(input: &Clip) -> Self {
        Self { start: input.start(), len: input.len_samples(), step: Ratio::ONE }
    }

    /// Whether the samples are those of the input.
    fn copies(&self, input: &Clip) -> bool {
        self.len == input.len_samples() && self.step.numerator == self.step.denominator
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the formula rounds anyhow, lengths are 0 or more, and `as` saturates: shape() refuses what is too long"
)]
fn preserve(input: &Clip, rate: f64) -> Plan {
    let len = (input.len_samples() as f64 * rate / input.rate()).round() as usize;
    Plan {
        start: (input.start() as f64 * rate / input.rate()).round() as i64,
        len: len.max(input.len_samples().min(1)),
        // Rates too far apart leave a single sample, or so many that they are refused.
        step: Ratio::of(input.rate(), rate).unwrap_or(Ratio::HUGE),
    }
}

fn stretch(input: &Clip, interval: Interval) -> Plan {
    let (old, new) = (input.len_samples(), interval.len());
    Plan { start: interval.first, len: new, step: Ratio::of_counts(old, new) }
}

/// A slice at another rate.
fn resample_slice(input: &Clip, rate: f64, out: &mut Clip) -> Result<(), ClipError> {
    let Some(new_per_old) = Ratio::of(rate, input.rate()) else { return Err(ClipError::Rate { rate }) };
    let last = new_per_old.floor(input.end());
    let first = new_per_old.floor(input.start().saturating_sub(1)).saturating_add(1).min(last);
    let len = if input.len_samples() == 0 { 0 } else { Interval { first, last }.len() };
    let samples = out.shape(input.names().clone(), len)?;
    if len > 0 {
        let step = new_per_old.inverse();
        let (whole, part) = step.split(first);
        let begin = whole.saturating_sub(input.start());
        for (source, target) in
            input.samples().chunks_exact(input.len_samples()).zip(samples.chunks_exact_mut(len))
        {
            kernels::lines(source, target, step, begin, part);
        }
    }
    out.copy_layout_from(input);
    out.set_start(first);
    out.set_rate(rate)
}
