//! Noise CHOP: values that look random and are the same each time.

use super::generator::{MadeNames, Span, UNITS, channel_page, generate, number, positive, span};
use crate::clip::ChannelNames;
use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;

pub(crate) fn spec() -> OpSpec {
    let own = vec![
        ParSpec::menu("type", "Type", &[("hermite", "Hermite"), ("random", "Random"), ("brownian", "Brownian")])
            .page("Noise")
            .help("Smooth, independent from sample to sample, or the smooth one with finer and finer octaves. The values are ours: TouchDesigner's own cannot be had, and it has more types."),
        ParSpec::float("seed", "Seed", 1.0).page("Noise").help("Another seed gives another noise; channels differ anyway."),
        ParSpec::float("period", "Period", 1.0)
            .slider(0.0, 10.0)
            .enabled_when("type", &["hermite", "brownian"])
            .page("Noise")
            .help("How far it is from one bump to the next; it must be above 0."),
        ParSpec::menu("periodunit", "Period Unit", UNITS)
            .default_to("seconds")
            .enabled_when("type", &["hermite", "brownian"])
            .page("Noise")
            .help("What the period is counted in."),
        ParSpec::float("amp", "Amplitude", 1.0).page("Noise").help("The values go from minus to plus this."),
        ParSpec::float("offset", "Offset", 0.0).slider(-1.0, 1.0).page("Noise").help("Added to the noise (ours)."),
    ];
    OpSpec::new(
        "noiseCHOP",
        Family::Chop,
        "Noise",
        "Noise over an interval or, time sliced, for ever. A sample is the same either way: it goes by its index alone.",
        || Box::<Noise>::default(),
    )
    .pars(own.into_iter().chain(channel_page("cycle")).collect())
    .common_page()
    .slices_itself()
}

#[derive(Default)]
struct Noise {
    names: MadeNames,
}

/// What the parameters say, the period in samples.
struct Wanted {
    names: ChannelNames,
    span: Span,
    period: f64,
    seed: u64,
    amp: f64,
    offset: f64,
}

impl Operator for Noise {
    fn cook(&mut self, cook: &mut Cook) {
        let kind = cook.par_text("type");
        let wanted = match self.read(cook, &kind) {
            Ok(wanted) => wanted,
            Err(problem) => return cook.error(problem),
        };
        let Wanted { names, span, period, seed, amp, offset } = wanted;
        let noise: fn(u64, i64, f64) -> f64 = match &*kind {
            "random" => |seed, index, _| at_lattice(seed, index),
            "brownian" => |seed, _, at| octaves(seed, at),
            _ => |seed, _, at| smooth(seed, at),
        };
        generate(cook, names, span, |channel, index| {
            let seed = mixed(seed ^ mixed(u64::try_from(channel).unwrap_or(u64::MAX)));
            #[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
            let at = index as f64 / period;
            amp * noise(seed, index, at) + offset
        });
    }
}

impl Noise {
    fn read(&mut self, cook: &Cook, kind: &str) -> Result<Wanted, String> {
        let span = span(cook)?;
        let period = if kind == "random" { 1.0 } else { positive(cook, "period", "Period")? };
        let period = match &*cook.par_text("periodunit") {
            "samples" => period,
            "frames" => period * span.rate / cook.time().rate,
            _ => period * span.rate,
        };
        Ok(Wanted {
            names: self.names.of(cook, "channelname", "Channel Names")?,
            span,
            period,
            // -0 is the same number as 0, and so the same noise.
            seed: (number(cook, "seed", "Seed")? + 0.0).to_bits(),
            amp: number(cook, "amp", "Amplitude")?,
            offset: number(cook, "offset", "Offset")?,
        })
    }
}

/// Four of them, each twice as fine and half as high as the one before.
fn octaves(seed: u64, at: f64) -> f64 {
    let sum: f64 =
        (0_i32..4).map(|octave| smooth(seed, at * 2_f64.powi(octave)) * 0.5_f64.powi(octave)).sum();
    sum / 1.875
}

/// Between two places of the lattice, with a smooth step.
fn smooth(seed: u64, at: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`as` saturates, where the noise ends after millennia"
    )]
    let left = at.floor() as i64;
    // Too far out, or the period too short, for there to be anything between two places.
    let part = if at.is_finite() { at - at.floor() } else { 0.0 };
    let weight = part * part * (3.0 - 2.0 * part);
    let (from, to) = (at_lattice(seed, left), at_lattice(seed, left.saturating_add(1)));
    from + (to - from) * weight
}

/// A value from -1 to 1 that belongs to a place.
fn at_lattice(seed: u64, at: i64) -> f64 {
    let bits = mixed(seed ^ at.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15)) >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let part = bits as f64 / (1_u64 << 53) as f64;
    part * 2.0 - 1.0
}

/// The finalizer of SplitMix64: every bit of the input changes half the bits of the output.
fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}
