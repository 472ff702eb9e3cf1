//! Noise CHOP: values that look random and are the same each time.

use super::generator::{MadeNames, channel_page, generate, span};
use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;

pub(crate) fn spec() -> OpSpec {
    let own = vec![
        ParSpec::menu("type", "Type", &[("hermite", "Hermite"), ("random", "Random"), ("brownian", "Brownian")])
            .page("Noise")
            .help("Smooth, independent from sample to sample, or the smooth one with finer and finer octaves. The values are ours: TouchDesigner's own cannot be had."),
        ParSpec::float("seed", "Seed", 1.0).page("Noise").help("Another seed gives another noise; channels differ anyway."),
        ParSpec::float("period", "Period", 1.0).page("Noise").help("Seconds from one bump to the next."),
        ParSpec::float("amp", "Amplitude", 1.0).page("Noise").help("The values go from minus to plus this."),
        ParSpec::float("offset", "Offset", 0.0).page("Noise").help("Added to the noise."),
    ];
    OpSpec::new(
        "noiseCHOP",
        Family::Chop,
        "Noise",
        "Noise over an interval or, time sliced, for ever.",
        || Box::<Noise>::default(),
    )
    .pars(own.into_iter().chain(channel_page("cycle")).collect())
    .common_page()
}

#[derive(Default)]
struct Noise {
    names: MadeNames,
}

impl Operator for Noise {
    fn cook(&mut self, cook: &mut Cook) {
        let names = self.names.of(cook, "channelname");
        let span = span(cook);
        let period = cook.par_f64("period");
        let (offset, amp) = (cook.par_f64("offset"), cook.par_f64("amp"));
        let seed = cook.par_f64("seed").to_bits();
        let kind = cook.par_text("type");
        if period <= 0.0 || !period.is_finite() {
            cook.error("Period must be above 0 seconds.");
            return;
        }
        generate(cook, names, span, |channel, index, seconds| {
            let seed = mixed(seed ^ mixed(u64::try_from(channel).unwrap_or(u64::MAX)));
            let at = seconds / period;
            amp * match &*kind {
                "random" => at_lattice(seed, index),
                "brownian" => {
                    (0_i32..4)
                        .map(|octave| smooth(seed, at * 2_f64.powi(octave)) * 0.5_f64.powi(octave))
                        .sum::<f64>()
                        / 1.875
                }
                _ => smooth(seed, at),
            } + offset
        });
    }
}

/// Between two places of the lattice, with a smooth step.
fn smooth(seed: u64, at: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`as` saturates, where the noise ends after millennia"
    )]
    let left = at.floor() as i64;
    let part = at - at.floor();
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
