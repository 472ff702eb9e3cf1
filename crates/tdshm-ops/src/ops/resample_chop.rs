//! Resample CHOP: another rate or another interval (operators §6).

use super::generator::{UNITS, fill, interval, rate_of, room_for, sample};
use crate::clip::ratio::Ratio;
use crate::clip::{Clip, ClipError};
use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;
use crate::resample::{Interpolation, Method, Resampling, SliceRates, resample};
use crate::slice::Interval;

pub(crate) fn spec() -> OpSpec {
    let interval = &["strech", "newint"];
    OpSpec::new(
        "resampleCHOP",
        Family::Chop,
        "Resample",
        "Channels at another sample rate, or over another interval. All channels of a clip have the same rate and interval, \
         so those outside Scope get them as well: they stay where they are in time, and each sample is the one that stood \
         there, or the last before it (ours). Of a time slice only the rate changes.",
        || Box::<Resample>::default(),
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
            .help("Samples a second, at most 1,000,000,000; 0 for the timeline's rate (ours: TouchDesigner has an expression there)."),
        ParSpec::float("start", "Start", 0.0).enabled_when("method", interval).page("Resample").help("Where the new interval begins. Frames count from 1, samples and seconds from 0."),
        ParSpec::menu("startunit", "Start Unit", UNITS).enabled_when("method", interval).page("Resample").help("What Start is counted in."),
        ParSpec::float("end", "End", 599.0).enabled_when("method", interval).page("Resample").help("Where the new interval ends: the last sample or frame, which belongs to it, or the second at which it is over. An end before the start leaves one sample (ours)."),
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

#[derive(Default)]
struct Resample {
    slices: SliceRates,
}

impl Operator for Resample {
    fn cook(&mut self, cook: &mut Cook) {
        let Some(input) = cook.clip(0) else {
            cook.warn("Not enough inputs.");
            return cook.pass_nothing();
        };
        let how = match read(cook, &input) {
            Ok(how) => how,
            Err(problem) => return cook.error(problem),
        };
        let scope = cook.scope(input.names());
        let slice = cook.slice(how.rate);
        let slices = &mut self.slices;
        fill(cook, |clip| {
            room_for(input.num_channels(), longest(&input, &how))?;
            if input.is_slice() && how.rate.to_bits() != input.rate().to_bits() {
                slices.resample(&input, how.rate, slice, clip)?;
            } else {
                resample(&input, &how, clip)?;
            }
            if scope.len() < input.num_channels() {
                stay(&input, &scope, how.method, clip)?;
            }
            Ok(())
        });
    }
}

fn read(cook: &Cook, input: &Clip) -> Result<Resampling, String> {
    let method: Method = cook.par_text("method").parse().unwrap_or(Method::Preserve);
    let interpolation: Interpolation = cook.par_text("interp").parse().unwrap_or(Interpolation::Linear);
    let rate = if method == Method::Stretch { input.rate() } else { rate_of(cook, "rate")? };
    let has_interval = matches!(method, Method::Stretch | Method::NewInterval);
    let interval = if has_interval { interval(cook, rate)? } else { Interval::default() };
    Ok(Resampling::new(method, interpolation, rate, interval))
}

/// How many samples will come out.
pub(super) fn longest(input: &Clip, how: &Resampling) -> usize {
    match how.method {
        _ if input.is_slice() => 0,
        Method::Stretch | Method::NewInterval => how.interval.len(),
        Method::Index => input.len_samples(),
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is 0 or more, `as` saturates, and it is compared with a limit"
        )]
        _ => (input.len_samples() as f64 * how.rate / input.rate()) as usize,
    }
}

/// Channels out of scope: each sample is the one that stands at the same time, or the last before it.
fn stay(input: &Clip, scope: &[usize], method: Method, out: &mut Clip) -> Result<(), ClipError> {
    let rate = out.rate();
    let is_unchanged = (out.start(), out.len_samples()) == (input.start(), input.len_samples())
        && (method == Method::Index || rate.to_bits() == input.rate().to_bits());
    let step = Ratio::of(input.rate(), rate).ok_or(ClipError::Rate { rate })?;
    let first = out.start();
    let mut scope = scope.iter().peekable();
    for channel in 0..input.num_channels() {
        if scope.next_if(|next| **next == channel).is_some() {
            continue;
        }
        let (Some(source), Some(target)) = (input.channel(channel), out.channel_mut(channel)) else {
            continue;
        };
        if is_unchanged {
            target.copy_from_slice(source);
            continue;
        }
        for (offset, target) in (0_i64..).zip(target) {
            *target = sample(input.value_at(channel, step.floor(first.saturating_add(offset))));
        }
    }
    Ok(())
}
