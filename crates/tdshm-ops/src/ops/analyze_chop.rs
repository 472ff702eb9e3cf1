//! Analyze CHOP: each channel's samples as one number: its level, its mean, its limits.

use std::sync::Arc;

use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;

/// The operator type. The specification is silent about it: name and entries are as users know them, what each does in
/// detail is ours.
pub(crate) fn spec() -> OpSpec {
    OpSpec::new(
        "analyzeCHOP",
        Family::Chop,
        "Analyze",
        "Each channel's samples as one: behind a Time Slice CHOP the level of a sound, frame by frame.",
        || Box::new(Analyze),
    )
    .inputs(1, 1)
    .pars(vec![
        ParSpec::menu(
            "function",
            "Function",
            &[
                ("average", "Average"),
                ("maximum", "Maximum"),
                ("minimum", "Minimum"),
                ("rmspower", "RMS Power"),
                ("peak", "Peak"),
            ],
        )
        .page("Analyze")
        .help(
            "What is worked out: the mean, the greatest or the smallest sample, the root of the mean of their squares, or the \
             greatest distance from 0. Peak is ours. Samples that are not a number count for nothing; without any other it \
             is 0.",
        ),
    ])
    .common_page()
}

struct Analyze;

impl Operator for Analyze {
    fn cook(&mut self, cook: &mut Cook) {
        let Some(input) = cook.clip(0) else {
            cook.warn("Not enough inputs.");
            return cook.pass_nothing();
        };
        let function = cook.par_text("function");
        let rate = cook.time().rate;
        let scope = cook.scope(input.names());
        let made = cook.fill_clip(|clip| {
            let names = input.names().clone();
            let all: Arc<[usize]> = scope;
            let samples = clip.shape(names, 1)?;
            for (index, to) in samples.iter_mut().enumerate() {
                let from = input.channel(index).unwrap_or_default();
                *to = if all.contains(&index) {
                    analyse(&function, from)
                } else {
                    from.last().copied().unwrap_or(0.0)
                };
            }
            clip.set_start(0);
            clip.set_slice(false);
            clip.set_rate(rate)
        });
        if let Err(error) = made {
            cook.error(error.to_string());
            cook.pass(0);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "samples are 32-bit")]
fn analyse(function: &str, samples: &[f32]) -> f32 {
    let numbers = || samples.iter().copied().filter(|sample| !sample.is_nan());
    #[expect(clippy::cast_precision_loss, reason = "a clip has at most 2^30 samples")]
    let count = numbers().count() as f64;
    if count == 0.0 {
        return 0.0;
    }
    let mean = |of: &dyn Fn(f64) -> f64| numbers().map(|sample| of(f64::from(sample))).sum::<f64>() / count;
    match function {
        "maximum" => numbers().fold(f32::NEG_INFINITY, f32::max),
        "minimum" => numbers().fold(f32::INFINITY, f32::min),
        "rmspower" => mean(&|sample| sample * sample).sqrt() as f32,
        "peak" => numbers().map(f32::abs).fold(0.0, f32::max),
        _ => mean(&|sample| sample) as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_on_numbers_that_one_can_check() {
        let samples = [3.0, -4.0, f32::NAN, 1.0, 0.0];
        for (function, expected) in [
            ("average", 0.0),
            ("maximum", 3.0),
            ("minimum", -4.0),
            ("rmspower", 6.5_f32.sqrt()),
            ("peak", 4.0),
        ] {
            assert_eq!(analyse(function, &samples), expected, "{function}");
            assert_eq!(analyse(function, &[f32::NAN]), 0.0);
            assert_eq!(analyse(function, &[]), 0.0);
        }
    }
}
