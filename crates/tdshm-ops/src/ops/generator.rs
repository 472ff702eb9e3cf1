//! What generators of channels share: the Channel page, which names the channels and says over which interval.

use std::sync::Arc;

use crate::clip::{ChannelNames, Extend};
use crate::cook::Cook;
use crate::par::ParSpec;
use crate::pattern::Expansion;
use crate::slice::Interval;

const PAGE: &str = "Channel";

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
        ParSpec::menu(name, label, UNITS).default_to("frames").page(PAGE).help(help)
    };
    vec![
        ParSpec::text("channelname", "Channel Names", "chan1")
            .page(PAGE)
            .help("The channels to make: chan[1-3] makes three."),
        ParSpec::float("start", "Start", 1.0)
            .page(PAGE)
            .help("Where the interval begins, unless Time Slice is on."),
        unit("startunit", "Start Unit"),
        ParSpec::float("end", "End", 600.0)
            .page(PAGE)
            .help("Where the interval ends, unless Time Slice is on."),
        unit("endunit", "End Unit"),
        ParSpec::float("rate", "Sample Rate", 0.0)
            .at_least(0.0)
            .page(PAGE)
            .help("Samples a second; 0 for the timeline's rate."),
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

/// The names that a text makes, worked out again only where the text changes.
#[derive(Debug, Default)]
pub(crate) struct MadeNames {
    text: Arc<str>,
    names: ChannelNames,
    problem: Option<String>,
}

impl MadeNames {
    pub(crate) fn of(&mut self, cook: &mut Cook, par: &str) -> ChannelNames {
        let text = cook.par_text(par);
        if self.text != text || (self.names.is_empty() && self.problem.is_none()) {
            self.problem = None;
            match Expansion::parse(&text) {
                Ok(made) => self.names = ChannelNames::new(made.into_names()),
                Err(error) => self.problem = Some(format!("{par}: {error}")),
            }
            self.text = text;
        }
        if let Some(problem) = &self.problem {
            cook.error(problem.as_str());
        }
        self.names.clone()
    }
}

/// The samples a generator is to make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) interval: Interval,
    pub(crate) rate: f64,
    pub(crate) is_slice: bool,
}

/// The rate that a parameter means: 0 is the timeline's.
pub(crate) fn rate_of(cook: &Cook, par: &str) -> f64 {
    let rate = cook.par_f64(par);
    if rate > 0.0 && rate.is_finite() { rate } else { cook.time().rate }
}

/// The time slice where that is on, else the interval of the Channel page.
pub(crate) fn span(cook: &Cook) -> Span {
    let rate = rate_of(cook, "rate");
    if let Some(interval) = cook.time_slice(rate) {
        return Span { interval, rate, is_slice: true };
    }
    let first = index_of(cook.par_f64("start"), &cook.par_text("startunit"), rate, cook.time().rate).round();
    let last = match &*cook.par_text("endunit") {
        "samples" => cook.par_f64("end").round(),
        // The last frame, and a time, belong to the interval up to where the next begins.
        "frames" => index_of(cook.par_f64("end") + 1.0, "frames", rate, cook.time().rate).ceil() - 1.0,
        unit => index_of(cook.par_f64("end"), unit, rate, cook.time().rate).ceil() - 1.0,
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`as` saturates, and a clip refuses what is too long"
    )]
    let (first, last) = (first as i64, last as i64);
    Span { interval: Interval { first, last: last.max(first) }, rate, is_slice: false }
}

/// Where a number in a unit stands, in samples.
pub(crate) fn index_of(number: f64, unit: &str, rate: f64, frames_a_second: f64) -> f64 {
    match unit {
        "frames" => (number - 1.0) * rate / frames_a_second,
        "seconds" => number * rate,
        _ => number,
    }
}

/// An extend condition by its name in the menu.
pub(crate) fn extend(name: &str) -> Extend {
    name.parse().unwrap_or(Extend::Hold)
}

/// Fills the output: one value a channel and sample, at its time in seconds.
pub(crate) fn generate(
    cook: &mut Cook,
    names: ChannelNames,
    span: Span,
    mut value: impl FnMut(usize, i64, f64) -> f64,
) {
    let (left, right) = (extend(&cook.par_text("left")), extend(&cook.par_text("right")));
    let default = cook.par_f64("defval");
    let made = cook.fill_clip(|clip| {
        clip.set_start(span.interval.first);
        clip.set_slice(span.is_slice);
        clip.set_rate(span.rate)?;
        clip.set_extend(left, right);
        #[expect(clippy::cast_possible_truncation, reason = "samples are 32-bit (operators §3.1)")]
        clip.set_default_value(default as f32);
        let len = span.interval.len();
        let samples = clip.shape(names, len)?;
        for (channel, samples) in samples.chunks_exact_mut(len.max(1)).enumerate() {
            for (index, sample) in (span.interval.first..).zip(samples) {
                #[expect(clippy::cast_precision_loss, reason = "samples of some millennia")]
                let seconds = index as f64 / span.rate;
                #[expect(clippy::cast_possible_truncation, reason = "samples are 32-bit (operators §3.1)")]
                let value = value(channel, index, seconds) as f32;
                *sample = value;
            }
        }
        Ok::<_, crate::clip::ClipError>(())
    });
    if let Err(error) = made {
        cook.error(error.to_string());
        cook.pass_data(cook.last_output());
    }
}
