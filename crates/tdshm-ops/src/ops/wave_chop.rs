//! Wave CHOP: sine, ramp, square and their like.

use core::f64::consts::TAU;

use super::generator::{MadeNames, channel_page, generate, span};
use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;

pub(crate) fn spec() -> OpSpec {
    let own = vec![
        ParSpec::menu(
            "wavetype",
            "Type",
            &[
                ("const", "Constant"),
                ("sin", "Sine"),
                ("normal", "Gaussian"),
                ("tri", "Triangle"),
                ("ramp", "Ramp"),
                ("square", "Square"),
                ("pulse", "Pulse"),
            ],
        )
        .default_to("sin")
        .page("Wave")
        .help("The shape of a period. A constant is 1; a gaussian and a ramp go from 0 to 1, the others from -1 to 1; a pulse is 1 for one sample. How high each is without Amplitude and Offset is ours."),
        ParSpec::float("period", "Period", 1.0).page("Wave").help("How long a period is."),
        ParSpec::menu("periodunit", "Period Unit", super::generator::UNITS)
            .default_to("seconds")
            .page("Wave")
            .help("What the period is counted in."),
        ParSpec::float("phase", "Phase", 0.0).page("Wave").help("Where in a period it begins: 0.5 is half of one."),
        ParSpec::float("bias", "Bias", 0.0)
            .clamped(-1.0, 1.0)
            .page("Wave")
            .help("Moves the middle of the period: below 0 to its front, above 0 to its end."),
        ParSpec::float("offset", "Offset", 0.0).page("Wave").help("Added to the wave."),
        ParSpec::float("amp", "Amplitude", 1.0).page("Wave").help("What the wave is multiplied by."),
    ];
    OpSpec::new(
        "waveCHOP",
        Family::Chop,
        "Wave",
        "A wave over an interval or, time sliced, for ever.",
        || Box::<Wave>::default(),
    )
    .pars(own.into_iter().chain(channel_page("cycle")).collect())
    .common_page()
}

#[derive(Default)]
struct Wave {
    names: MadeNames,
}

impl Operator for Wave {
    fn cook(&mut self, cook: &mut Cook) {
        let names = self.names.of(cook, "channelname");
        let span = span(cook);
        let period = match &*cook.par_text("periodunit") {
            "samples" => cook.par_f64("period") / span.rate,
            "frames" => cook.par_f64("period") / cook.time().rate,
            _ => cook.par_f64("period"),
        };
        let (phase, bias) = (cook.par_f64("phase"), cook.par_f64("bias"));
        let (offset, amp) = (cook.par_f64("offset"), cook.par_f64("amp"));
        let wave = cook.par_text("wavetype");
        if period == 0.0 || !period.is_finite() {
            cook.error("Period is 0: give how long a period is.");
            return;
        }
        let sample = (span.rate * period).recip().abs();
        generate(cook, names, span, |_, _, seconds| {
            let at = biased((seconds / period + phase).rem_euclid(1.0), bias);
            amp * shape(&wave, at, sample) + offset
        });
    }
}

/// A place in a period, with the middle moved.
fn biased(at: f64, bias: f64) -> f64 {
    let middle = f64::midpoint(1.0, bias);
    if bias == 0.0 {
        at
    } else if at < middle {
        at / middle * 0.5
    } else if middle < 1.0 {
        0.5 + (at - middle) / (1.0 - middle) * 0.5
    } else {
        0.5
    }
}

/// The value at a place in a period, from 0 to 1; `sample` is how much of a period a sample takes.
fn shape(wave: &str, at: f64, sample: f64) -> f64 {
    match wave {
        "sin" => (at * TAU).sin(),
        "normal" => (-((at - 0.5) * 6.0).powi(2) / 2.0).exp(),
        "tri" if at < 0.25 => at * 4.0,
        "tri" if at < 0.75 => 2.0 - at * 4.0,
        "tri" => at * 4.0 - 4.0,
        "ramp" => at,
        "square" if at < 0.5 => 1.0,
        "square" => -1.0,
        "pulse" => f64::from(u8::from(at < sample)),
        _ => 1.0,
    }
}
