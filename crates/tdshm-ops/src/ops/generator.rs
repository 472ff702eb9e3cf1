//! What generators of channels share: the Channel page, which names the channels and says over which interval, and how a
//! number among the parameters becomes one that can be reckoned with.

use std::sync::Arc;

use crate::clip::{ChannelNames, Clip, ClipError, Extend};
use crate::cook::Cook;
use crate::expr::number::Shown;
use crate::par::ParSpec;
use crate::pattern::Expansion;
use crate::slice::Interval;

const PAGE: &str = "Channel";

/// More samples than this come out of no operator that makes or stretches channels, all channels together: half a
/// gigabyte, and some seconds of work. A clip holds more, but nobody means that by a parameter.
pub(crate) const MOST_SAMPLES: usize = 1 << 27;

/// Sample rates beyond this are a slip of the hand.
const HIGHEST_RATE: f64 = 1e9;

/// Beyond this an index is no longer exact among 64-bit floats.
const FURTHEST: f64 = 9_007_199_254_740_992.0;

/// Entries of the menus that give a number's unit.
pub(crate) const UNITS: &[(&str, &str)] =
    &[("samples", "Samples"), ("frames", "Frames"), ("seconds", "Seconds")];

/// Entries of the menus of extend conditions (operators §3.2).
pub(crate) const EXTENDS: &[(&str, &str)] = &[
    ("hold", "Hold"),
    ("slope", "Slope"),
    ("cycle", "Cycle"),
    ("mirror", "Mirror"),
    ("default", "Default Value"),
];

/// The Channel page of a generator.
pub(crate) fn channel_page(extend: &'static str) -> Vec<ParSpec> {
    let unit = |name: &'static str, label: &'static str| {
        let help = if name == "startunit" { "What Start is counted in." } else { "What End is counted in." };
        ParSpec::menu(name, label, UNITS)
            .default_to("frames")
            .enabled_when("timeslice", &["0"])
            .page(PAGE)
            .help(help)
    };
    vec![
        ParSpec::text("channelname", "Channel Names", "chan1")
            .page(PAGE)
            .help("The channels to make: chan[1-3] makes three. What is outside Scope is made as well, and stays 0 (ours)."),
        ParSpec::float("start", "Start", 1.0)
            .enabled_when("timeslice", &["0"])
            .page(PAGE)
            .help("Where the interval begins, unless Time Slice is on. Frames count from 1, samples and seconds from 0."),
        unit("startunit", "Start Unit").help("What Start is counted in."),
        ParSpec::float("end", "End", 600.0)
            .enabled_when("timeslice", &["0"])
            .page(PAGE)
            .help("Where the interval ends, unless Time Slice is on: the last sample or frame, which belongs to it, or the second at which it is over. An end before the start leaves one sample (ours)."),
        unit("endunit", "End Unit").help("What End is counted in."),
        rate_par(PAGE),
        ParSpec::menu("left", "Extend Left", EXTENDS)
            .default_to(extend)
            .page(PAGE)
            .help("What is before the interval."),
        ParSpec::menu("right", "Extend Right", EXTENDS)
            .default_to(extend)
            .page(PAGE)
            .help("What is behind the interval."),
        ParSpec::float("defval", "Default Value", 0.0)
            .page(PAGE)
            .help("The value outside with the extend condition Default Value."),
    ]
}

/// The parameter that gives a generator's rate.
pub(crate) fn rate_par(page: &'static str) -> ParSpec {
    ParSpec::float("rate", "Sample Rate", 0.0)
        .at_least(0.0)
        .page(page)
        .help("Samples a second, at most 1,000,000,000; 0 for the timeline's rate (ours: TouchDesigner has an expression there).")
}

/// The names that a text makes, worked out again only where the text changes.
#[derive(Debug, Default)]
pub(crate) struct MadeNames {
    text: Option<Arc<str>>,
    names: ChannelNames,
    problem: Option<String>,
}

impl MadeNames {
    /// The names, or what is wrong with the text.
    pub(crate) fn of(&mut self, cook: &Cook, par: &str, label: &str) -> Result<ChannelNames, String> {
        let text = cook.par_text(par);
        if self.text.as_ref() != Some(&text) {
            self.problem = None;
            match Expansion::parse(&text) {
                Ok(made) => self.names = ChannelNames::new(made.into_names()).sanitised(),
                Err(error) => self.problem = Some(format!("{label}: {error}")),
            }
            self.text = Some(text);
        }
        match &self.problem {
            Some(problem) => Err(problem.clone()),
            None => Ok(self.names.clone()),
        }
    }
}

/// The samples a generator is to make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) interval: Interval,
    pub(crate) rate: f64,
    pub(crate) is_slice: bool,
}

/// A parameter's number, if it is finite.
pub(crate) fn number(cook: &Cook, par: &str, label: &str) -> Result<f64, String> {
    let value = cook.par_f64(par);
    if value.is_finite() {
        Ok(value)
    } else {
        Err(format!("{label} is {}: give a finite number.", Shown(value)))
    }
}

/// A parameter's number, if it is above 0.
pub(crate) fn positive(cook: &Cook, par: &str, label: &str) -> Result<f64, String> {
    let value = number(cook, par, label)?;
    if value > 0.0 { Ok(value) } else { Err(format!("{label} is {}: give a number above 0.", Shown(value))) }
}

/// The rate that a parameter means: 0 is the timeline's.
pub(crate) fn rate_of(cook: &Cook, par: &str) -> Result<f64, String> {
    let rate = cook.par_f64(par);
    if rate == 0.0 {
        Ok(cook.time().rate)
    } else if rate > 0.0 && rate <= HIGHEST_RATE {
        Ok(rate)
    } else {
        Err(format!(
            "Sample Rate is {}: give a number up to {HIGHEST_RATE}, or 0 for the timeline's rate.",
            Shown(rate)
        ))
    }
}

/// The time slice where that is on, else the interval of the Channel page.
pub(crate) fn span(cook: &Cook) -> Result<Span, String> {
    let rate = rate_of(cook, "rate")?;
    if let Some(interval) = cook.time_slice(rate) {
        return Ok(Span { interval, rate, is_slice: true });
    }
    Ok(Span { interval: interval(cook, rate)?, rate, is_slice: false })
}

/// The interval of the parameters Start and End with their units, at a rate.
pub(crate) fn interval(cook: &Cook, rate: f64) -> Result<Interval, String> {
    let frames_a_second = cook.time().rate;
    let start = number(cook, "start", "Start")?;
    let first = match &*cook.par_text("startunit") {
        "frames" => (start - 1.0) * rate / frames_a_second,
        "seconds" => start * rate,
        _ => start,
    };
    let end = number(cook, "end", "End")?;
    // The last frame, and the seconds, reach to where the next sample would begin.
    let last = match &*cook.par_text("endunit") {
        "frames" => up(end * rate / frames_a_second) - 1.0,
        "seconds" => up(end * rate) - 1.0,
        _ => end.round(),
    };
    let first = place(first.round(), "Start")?;
    Ok(Interval { first, last: place(last, "End")?.max(first) })
}

/// The next whole number, but for what is one already and only missed it by the last digits.
fn up(index: f64) -> f64 {
    let near = index.round();
    if (index - near).abs() <= near.abs().max(1.0) * 1e-9 { near } else { index.ceil() }
}

fn place(index: f64, label: &str) -> Result<i64, String> {
    if index.abs() > FURTHEST {
        return Err(format!("{label} is at sample {}: give a place nearer to 0.", Shown(index)));
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is a whole number below 2^53")]
    let index = index as i64;
    Ok(index)
}

/// Refuses more samples than a parameter may ask for.
pub(crate) fn room_for(channels: usize, len_samples: usize) -> Result<(), ClipError> {
    match channels.checked_mul(len_samples) {
        Some(total) if total <= MOST_SAMPLES => Ok(()),
        _ => Err(ClipError::TooLarge { channels, len_samples, limit: MOST_SAMPLES }),
    }
}

/// Fills the output. Where that fails the operator says why, and its output stays as it was.
pub(crate) fn fill(cook: &mut Cook, fill: impl FnOnce(&mut Clip) -> Result<(), ClipError>) {
    if let Err(error) = cook.fill_clip(fill) {
        cook.keep();
        let text = error.to_string();
        let mut letters = text.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        cook.error(first.into_iter().chain(letters).chain(['.']).collect::<String>());
    }
}

/// An extend condition by its name in the menu.
pub(crate) fn extend(name: &str) -> Extend {
    name.parse().unwrap_or(Extend::Hold)
}

/// A 64-bit number as a sample.
#[expect(clippy::cast_possible_truncation, reason = "samples are 32-bit (operators §3.1)")]
pub(crate) fn sample(value: f64) -> f32 {
    value as f32
}

/// Fills the output: one value a channel and sample index. Channels out of scope stay 0.
pub(crate) fn generate(
    cook: &mut Cook,
    names: ChannelNames,
    span: Span,
    mut value: impl FnMut(usize, i64) -> f64,
) {
    let (left, right) = (extend(&cook.par_text("left")), extend(&cook.par_text("right")));
    let default = sample(cook.par_f64("defval"));
    let len = span.interval.len();
    let scope = cook.scope(&names);
    fill(cook, |clip| {
        room_for(names.len(), len)?;
        let is_whole = scope.len() == names.len();
        let samples = clip.shape(names, len)?;
        if !is_whole {
            samples.fill(0.0);
        }
        for &channel in &*scope {
            let begin = channel.saturating_mul(len);
            let samples = samples.get_mut(begin..begin.saturating_add(len)).unwrap_or_default();
            for (index, target) in (span.interval.first..=span.interval.last).zip(samples) {
                *target = sample(value(channel, index));
            }
        }
        clip.set_start(span.interval.first);
        clip.set_slice(span.is_slice);
        clip.set_extend(left, right);
        clip.set_default_value(default);
        clip.set_rate(span.rate)
    });
}
