//! Resample CHOP: another rate or another interval (operators §6).

use super::generator::{UNITS, index_of, rate_of};
use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;
use crate::resample::{Interpolation, Method, Resampling, resample};
use crate::slice::Interval;

pub(crate) fn spec() -> OpSpec {
    let interval = &["strech", "newint"];
    OpSpec::new(
        "resampleCHOP",
        Family::Chop,
        "Resample",
        "Channels at another sample rate, or over another interval.",
        || Box::new(Resample),
    )
    .inputs(1, 1)
    .pars(vec![
        ParSpec::menu(
            "method",
            "Method",
            &[
                ("strech", "Same Rate, New Interval"),
                ("preserve", "New Rate, Same Time Range"),
                ("index", "New Rate, Same Index Range"),
                ("newint", "New Rate, New Interval"),
            ],
        )
        .default_to("preserve")
        .page("Resample")
        .help("What of the channels stays."),
        ParSpec::float("rate", "Sample Rate", 0.0)
            .at_least(0.0)
            .enabled_when("method", &["preserve", "index", "newint"])
            .page("Resample")
            .help("Samples a second; 0 for the timeline's rate."),
        ParSpec::float("start", "Start", 0.0).enabled_when("method", interval).page("Resample").help("Where the new interval begins."),
        ParSpec::menu("startunit", "Start Unit", UNITS).enabled_when("method", interval).page("Resample").help("What Start is counted in."),
        ParSpec::float("end", "End", 599.0).enabled_when("method", interval).page("Resample").help("Where the new interval ends, that sample included."),
        ParSpec::menu("endunit", "End Unit", UNITS).enabled_when("method", interval).page("Resample").help("What End is counted in."),
        ParSpec::menu(
            "interp",
            "Interpolation",
            &[
                ("nointerp", "No Interpolation"),
                ("linear", "Linear"),
                ("cubic", "Cubic"),
                ("edge", "Pulse Preserve"),
                ("repeat", "Repeat"),
            ],
        )
        .default_to("linear")
        .page("Resample")
        .help("What stands between samples; with fewer samples than before, linear is their mean. Time slices are always linear."),
    ])
    .common_page()
}

struct Resample;

impl Operator for Resample {
    fn cook(&mut self, cook: &mut Cook) {
        let Some(input) = cook.clip(0) else {
            cook.warn("Not enough inputs.");
            return cook.pass_nothing();
        };
        let method: Method = cook.par_text("method").parse().unwrap_or(Method::Preserve);
        let interpolation: Interpolation = cook.par_text("interp").parse().unwrap_or(Interpolation::Linear);
        let rate = rate_of(cook, "rate");
        let of = if method == Method::Stretch { input.rate() } else { rate };
        let place = |par: &str, unit: &str| {
            index_of(cook.par_f64(par), &cook.par_text(unit), of, cook.time().rate).round()
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "`as` saturates, and a clip refuses what is too long"
        )]
        let (first, last) = (place("start", "startunit") as i64, place("end", "endunit") as i64);
        let how = Resampling::new(method, interpolation, rate, Interval { first, last: last.max(first) });
        let made = cook.fill_clip(|clip| resample(&input, &how, clip));
        if let Err(error) = made {
            cook.error(error.to_string());
            cook.pass(0);
        }
    }
}
