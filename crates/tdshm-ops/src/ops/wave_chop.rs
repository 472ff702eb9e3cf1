//! Wave CHOP: sine, ramp, square and their like.

use core::f64::consts::TAU;

use super::generator::{MadeNames, Span, UNITS, channel_page, generate, number, positive, span};
use crate::clip::ChannelNames;
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
        ParSpec::float("period", "Period", 1.0).slider(0.0, 10.0).page("Wave").help("How long a period is; it must be above 0."),
        ParSpec::menu("periodunit", "Period Unit", UNITS)
            .default_to("seconds")
            .page("Wave")
            .help("What the period is counted in."),
        ParSpec::float("phase", "Phase", 0.0).page("Wave").help("Where in a period it begins: 0.5 is half of one."),
        ParSpec::float("bias", "Bias", 0.0)
            .clamped(-1.0, 1.0)
            .page("Wave")
            .help("Moves the middle of the period: below 0 to its front, above 0 to its end."),
        ParSpec::float("offset", "Offset", 0.0).slider(-1.0, 1.0).page("Wave").help("Added to the wave."),
        ParSpec::float("amp", "Amplitude", 1.0).page("Wave").help("What the wave is multiplied by."),
    ];
    OpSpec::new(
        "waveCHOP",
        Family::Chop,
        "Wave",
        "A wave over an interval or, time sliced, for ever. A sample is the same either way: it goes by its index alone.",
        || Box::<Wave>::default(),
    )
    .pars(own.into_iter().chain(channel_page("cycle")).collect())
    .common_page()
    .slices_itself()
}

#[derive(Default)]
struct Wave {
    names: MadeNames,
}

/// A wave in samples.
struct Shape {
    names: ChannelNames,
    span: Span,
    /// Samples in a period.
    period: f64,
    /// Of a period.
    phase: f64,
    bias: f64,
    offset: f64,
    amp: f64,
    form: fn(f64) -> f64,
    is_pulse: bool,
}

impl Operator for Wave {
    fn cook(&mut self, cook: &mut Cook) {
        let wave = match self.read(cook) {
            Ok(wave) => wave,
            Err(problem) => return cook.error(problem),
        };
        let Shape { names, span, period, phase, bias, offset, amp, form, is_pulse } = wave;
        let phase = phase * period;
        generate(cook, names, span, |_, index| {
            #[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
            let at = (index as f64 + phase).rem_euclid(period);
            // The remainder of something just below 0 is rounded to the whole period.
            let at = if at < period { at } else { 0.0 };
            let value =
                if is_pulse { f64::from(u8::from(at < 1.0)) } else { form(biased(at / period, bias)) };
            amp * value + offset
        });
    }
}

impl Wave {
    fn read(&mut self, cook: &Cook) -> Result<Shape, String> {
        let span = span(cook)?;
        let period = positive(cook, "period", "Period")?;
        let period = match &*cook.par_text("periodunit") {
            "samples" => period,
            "frames" => period * span.rate / cook.time().rate,
            _ => period * span.rate,
        };
        if !period.is_normal() {
            return Err(format!("Period is {period} samples: give a number that can be reckoned with."));
        }
        let wave = cook.par_text("wavetype");
        Ok(Shape {
            names: self.names.of(cook, "channelname", "Channel Names")?,
            span,
            period,
            phase: number(cook, "phase", "Phase")?.rem_euclid(1.0),
            bias: number(cook, "bias", "Bias")?,
            offset: number(cook, "offset", "Offset")?,
            amp: number(cook, "amp", "Amplitude")?,
            form: match &*wave {
                "sin" => |at| (at * TAU).sin(),
                "normal" => |at| (-((at - 0.5) * 6.0).powi(2) / 2.0).exp(),
                "tri" => triangle,
                "ramp" => |at| at,
                "square" => |at| if at < 0.5 { 1.0 } else { -1.0 },
                _ => |_| 1.0,
            },
            is_pulse: &*wave == "pulse",
        })
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

fn triangle(at: f64) -> f64 {
    if at < 0.25 {
        at * 4.0
    } else if at < 0.75 {
        2.0 - at * 4.0
    } else {
        at * 4.0 - 4.0
    }
}
