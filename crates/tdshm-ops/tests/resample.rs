//! Resampling and rate match, against the table of the specification and against plain readings of its formulas.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

use proptest::prelude::*;
use tdshm_ops::clip::{ChannelNames, Clip, ClipError, Extend};
use tdshm_ops::resample::{Interpolation, Method, RateMatch, RatesDiffer, Resampling, resample};
use tdshm_ops::slice::{Interval, SliceRule, slice_of};

fn clip(samples: &[f32], rate: f64, start: i64) -> Clip {
    let mut clip = Clip::default();
    clip.shape(ChannelNames::new(["a"]), samples.len()).unwrap().copy_from_slice(samples);
    clip.set_rate(rate).unwrap();
    clip.set_start(start);
    clip
}

fn preserving(interpolation: Interpolation, rate: f64) -> Resampling {
    Resampling::new(Method::Preserve, interpolation, rate, Interval::default())
}

fn stretching(interpolation: Interpolation, first: i64, last: i64) -> Resampling {
    Resampling::new(Method::Stretch, interpolation, f64::NAN, Interval { first, last })
}

fn resampled(input: &Clip, how: &Resampling) -> Clip {
    let mut out = Clip::default();
    resample(input, how, &mut out).unwrap();
    out
}

/// The table of section 6: input, its rate and start, new rate, interpolation, output and its start.
#[test]
fn the_table() {
    type Row<'a> = (&'a [f32], f64, i64, f64, Interpolation, &'a [f32], i64);
    let linear = Interpolation::Linear;
    let rows: [Row; 7] = [
        (&[0., 10., 20., 30.], 30., 0, 60., linear, &[0., 5., 10., 15., 20., 25., 30., 30.], 0),
        (&[0., 10., 20., 30., 40., 50., 60., 70.], 60., 0, 30., linear, &[5., 25., 45., 65.], 0),
        (&[0., 10., 20., 30.], 60., 0, 60., linear, &[0., 10., 20., 30.], 0),
        (&[7.], 60., 0, 120., linear, &[7., 7.], 0),
        (&[7.], 60., 0, 30., linear, &[7.], 0),
        (&[0., 10., 20., 30.], 60., 60, 30., linear, &[5., 25.], 30),
        (&[0., 1., 0., 0.], 60., 0, 120., Interpolation::None, &[0., 0., 1., 1., 0., 0., 0., 0.], 0),
    ];
    for (input, old, start, new, interpolation, expected, at) in rows {
        let out = resampled(&clip(input, old, start), &preserving(interpolation, new));
        assert_eq!(out.samples(), expected, "{input:?} from {old} to {new} Hz, {interpolation}");
        assert_eq!((out.start(), out.rate(), out.is_slice()), (at, new, false));
    }
}

#[test]
fn every_interpolation_up_and_down() {
    let rows: [(Interpolation, &[f32], f64, &[f32]); 13] = [
        (Interpolation::None, &[1., 2., 3., 4., 5.], 36., &[1., 2., 4.]),
        (Interpolation::Linear, &[1., 2., 3., 4., 5.], 40., &[1.5, 3., 4.5]),
        (Interpolation::Linear, &[1., 2.], 10., &[1.5]),
        (Interpolation::Cubic, &[0., 1., 2., 3.], 120., &[0., 0.4375, 1., 1.5, 2., 2.5625, 3., 3.]),
        (Interpolation::Cubic, &[0., 0., 8., 0.], 120., &[0., -0.5, 0., 4.5, 8., 4.5, 0., 0.]),
        (Interpolation::Cubic, &[0., 1., 2., 3.], 30., &[0., 2.]),
        (Interpolation::Edge, &[0., 1., 0., 0.], 120., &[0., 0., 1., 0., 0., 0., 0., 0.]),
        (Interpolation::Edge, &[5., 0., 0., -2.], 120., &[5., 0., 0., 0., 0., 0., -2., 0.]),
        (Interpolation::Edge, &[2., 4., 4., 0.], 120., &[2., 3., 4., 4., 4., 2., 0., 0.]),
        (Interpolation::Edge, &[0., 1., 0., 0., 0., 4., 0., 3.], 15., &[1., 4.]),
        (Interpolation::Edge, &[0., 0., 2., 4.], 30., &[0., 3.]),
        (Interpolation::Repeat, &[1., 2., 3.], 140., &[1., 2., 3., 1., 2., 3., 1.]),
        (Interpolation::Repeat, &[1., 2., 3., 4.], 30., &[1., 2.]),
    ];
    for (interpolation, input, rate, expected) in rows {
        let out = resampled(&clip(input, 60.0, 0), &preserving(interpolation, rate));
        assert_eq!(out.samples().len(), expected.len());
        for (sample, expected) in out.samples().iter().zip(expected) {
            let told = format!("{input:?} to {rate} Hz, {interpolation}: {:?}", out.samples());
            assert!((sample - expected).abs() < 1e-6, "{told}");
        }
    }
}

#[test]
fn every_method() {
    let mut input = clip(&[0., 10., 20., 30.], 60.0, 8);
    input.set_extend(Extend::Cycle, Extend::Mirror);
    input.set_default_value(3.0);
    let linear = Interpolation::Linear;
    let interval = Interval { first: 100, last: 107 };
    let rows: [(Method, i64, f64, &[f32]); 4] = [
        (Method::Stretch, 100, 60.0, &[0., 5., 10., 15., 20., 25., 30., 30.]),
        (Method::Preserve, 4, 30.0, &[5., 25.]),
        (Method::Index, 8, 30.0, &[0., 10., 20., 30.]),
        (Method::NewInterval, 100, 30.0, &[0., 5., 10., 15., 20., 25., 30., 30.]),
    ];
    for (method, start, rate, expected) in rows {
        let out = resampled(&input, &Resampling::new(method, linear, 30.0, interval));
        assert_eq!((out.start(), out.rate(), out.samples()), (start, rate, expected), "{method}");
        assert!(out.names().same(input.names()));
        assert_eq!((out.extend_left(), out.extend_right()), (Extend::Cycle, Extend::Mirror));
        assert_eq!(out.default_value(), 3.0);
    }
    assert_eq!(resampled(&input, &stretching(linear, -1, 0)).samples(), [5., 25.]);
    assert_eq!(resampled(&input, &stretching(linear, 9, 12)).samples(), input.samples(), "as long as before");
    assert_eq!(resampled(&input, &stretching(linear, 9, 8)).samples(), []);
}

#[test]
fn nothing_in_nothing_out() {
    let none = clip(&[], 60.0, 0);
    assert_eq!(resampled(&none, &Resampling::to_rate(30.0)).samples(), []);
    let mut default = none.clone();
    default.set_default_value(4.0);
    assert_eq!(resampled(&default, &stretching(Interpolation::Cubic, 0, 2)).samples(), [4., 4., 4.]);
    let mut bare = Clip::default();
    bare.shape(ChannelNames::default(), 100).unwrap();
    let out = resampled(&bare, &Resampling::to_rate(30.0));
    assert_eq!((out.num_channels(), out.len_samples()), (0, 50));
    let mut slice = none;
    slice.set_slice(true);
    assert_eq!(resampled(&slice, &Resampling::to_rate(120.0)).samples(), []);
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let input = clip(&[1.0, 2.0], 60.0, 0);
    let mut out = clip(&[9.0], 1.0, 5);
    let before = out.clone();
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            resample(&input, &Resampling::to_rate(rate), &mut out),
            Err(ClipError::Rate { .. })
        ));
    }
    for rate in [1e12, 1e300] {
        let refused = resample(&input, &Resampling::to_rate(rate), &mut out);
        assert!(matches!(refused, Err(ClipError::TooLarge { channels: 1, .. })), "{refused:?}");
    }
    let endless = stretching(Interpolation::Linear, i64::MIN, i64::MAX);
    assert!(matches!(resample(&input, &endless, &mut out), Err(ClipError::TooLarge { .. })));
    assert_eq!(out, before);
    assert_eq!(resampled(&input, &Resampling::to_rate(1e-300)).samples(), [1.5], "the mean of all");
}

#[test]
fn a_slice_changes_its_rate_and_stays_gapless() {
    for (old, new) in
        [(60.0, 120.0), (44_100.0, 48_000.0), (48_000.0, 44_100.0), (60.0, 100.0), (100.0, 60.0)]
    {
        let mut next = None;
        for frame in 1000..1020_u64 {
            let interval = slice_of(old, 60.0, Some(frame - 1), frame, SliceRule::default());
            // A ramp over the absolute clock: straight lines must lie on it, but for what is held at the edge.
            let ramp: Vec<f32> = (interval.first..=interval.last).map(|at| (at - 1_000) as f32).collect();
            let mut input = clip(&ramp, old, interval.first);
            input.set_slice(true);
            for method in [Method::Preserve, Method::NewInterval] {
                let out = resampled(
                    &input,
                    &Resampling::new(method, Interpolation::Repeat, new, Interval::default()),
                );
                assert!(out.is_slice());
                assert_eq!(out.rate(), new);
                assert_eq!(out.end(), interval.last * new as i64 / old as i64, "{old} to {new} Hz");
                for (at, sample) in (out.start()..).zip(out.samples()) {
                    let position = at as f64 * old / new;
                    let expected = position.max(interval.first as f64) - 1000.0;
                    assert!(
                        (f64::from(*sample) - expected).abs() < 0.05,
                        "{old} to {new}, {at}: {sample} {expected}"
                    );
                }
                if method == Method::NewInterval {
                    // Where no new sample is due it is the last one again.
                    let is_next =
                        |next| out.start() == next || (out.start() == next - 1 && out.len_samples() == 1);
                    assert!(next.is_none_or(is_next), "{old} to {new} Hz, frame {frame}");
                    next = Some(out.end() + 1);
                }
            }
        }
    }
    let mut slice = clip(&[0.0, 10.0, 20.0, 30.0], 60.0, 1);
    slice.set_slice(true);
    let fewer = resampled(&slice, &Resampling::to_rate(30.0));
    assert_eq!((fewer.start(), fewer.samples()), (1, &[10.0, 30.0][..]), "no means");
    let mut one = clip(&[7.0], 60.0, 7);
    one.set_slice(true);
    let repeated = resampled(&one, &Resampling::to_rate(10.0));
    assert_eq!((repeated.start(), repeated.samples()), (1, &[7.0][..]), "at least one");
    assert_eq!(resampled(&slice, &stretching(Interpolation::Linear, 0, 99)), slice);
}

#[test]
fn nothing_is_moved_while_the_shape_stays() {
    let input = clip(&[1.0; 735], 44_100.0, 0);
    let mut out = Clip::default();
    resample(&input, &Resampling::to_rate(48_000.0), &mut out).unwrap();
    let place = out.samples().as_ptr();
    for rate in [48_000.0, 44_100.0, 60.0, 48_000.0] {
        resample(&input, &Resampling::to_rate(rate), &mut out).unwrap();
        assert_eq!(out.samples().as_ptr(), place);
        assert!(out.names().same(input.names()));
    }
}

#[test]
fn rates_are_matched() {
    let rates = [60.0, 44_100.0, 30.0, 60.0];
    for (how, expected) in [(RateMatch::First, 60.0), (RateMatch::Max, 44_100.0), (RateMatch::Min, 30.0)] {
        assert_eq!(how.resolve(&rates), Ok(Some(expected)), "{how}");
    }
    for how in RateMatch::ALL {
        assert_eq!(how.resolve(&[]), Ok(None));
        assert_eq!(how.resolve(&[60.0, 60.0]), Ok(Some(60.0)));
    }
    let differ: RatesDiffer = RateMatch::Err.resolve(&[60.0, 60.0, 59.94]).unwrap_err();
    assert_eq!((differ.first, differ.input, differ.rate), (60.0, 2, 59.94));
    assert_eq!(
        differ.to_string(),
        "the sample rates of the inputs differ: input 0 has 60 Hz and input 2 has 59.94 Hz; set Sample Rate Match to \
         another choice, or resample one of them"
    );
}

#[test]
fn menus_have_the_names_of_the_specification() {
    assert_eq!(
        Interpolation::ALL.map(Interpolation::menu_name),
        ["nointerp", "linear", "cubic", "edge", "repeat"]
    );
    assert_eq!(Method::ALL.map(Method::menu_name), ["strech", "preserve", "index", "newint"]);
    assert_eq!(RateMatch::ALL.map(RateMatch::menu_name), ["first", "max", "min", "err"]);
    assert_eq!((Interpolation::default(), Method::default()), (Interpolation::Linear, Method::Preserve));
    assert_eq!(RateMatch::default(), RateMatch::Max);
    assert_eq!("strech".parse(), Ok(Method::Stretch));
    assert_eq!("err".parse(), Ok(RateMatch::Err));
    assert_eq!("edge".parse(), Ok(Interpolation::Edge));
    assert_eq!(
        "stretch".parse::<Method>().unwrap_err().to_string(),
        "\"stretch\" is no resample method: use one of strech, preserve, index, newint"
    );
}

/// Section 6's formulas, with whole rates and whole numbers.
fn naive(samples: &[f32], old: u64, new: u64) -> Vec<f64> {
    let len = samples.len() as u64;
    let count = ((2 * len * new + old) / (2 * old)).max(1);
    let s = |at: u64| f64::from(samples[at.min(len - 1) as usize]);
    let value = |j: u64| {
        if new >= old {
            let (whole, part) = (j * old / new, (j * old % new) as f64 / new as f64);
            s(whole) + (s(whole + 1) - s(whole)) * part
        } else {
            let inside: Vec<f64> =
                (0..len).filter(|i| j * old <= i * new && i * new < (j + 1) * old).map(s).collect();
            if inside.is_empty() { s(len - 1) } else { inside.iter().sum::<f64>() / inside.len() as f64 }
        }
    };
    (0..count).map(value).collect()
}

fn interpolations() -> impl Strategy<Value = Interpolation> {
    prop::sample::select(Interpolation::ALL.to_vec())
}

proptest! {
    #[test]
    fn linear_is_the_formula(
        samples in prop::collection::vec(-100.0f32..100.0, 1..60),
        old in 1u64..200,
        new in 1u64..200,
    ) {
        let out = resampled(&clip(&samples, old as f64, 0), &Resampling::to_rate(new as f64));
        let expected = naive(&samples, old, new);
        prop_assert_eq!(out.len_samples(), expected.len());
        for (sample, expected) in out.samples().iter().zip(expected) {
            prop_assert!((f64::from(*sample) - expected).abs() < 1e-4);
        }
    }

    #[test]
    fn constant_in_constant_out(
        value in prop::num::f32::ANY,
        len in 1usize..50,
        old in 1.0f64..1000.0,
        new in 1.0f64..1000.0,
        interpolation in interpolations(),
        is_slice in any::<bool>(),
        method in 0usize..4,
        last in 0i64..99,
    ) {
        prop_assume!(!value.is_nan());
        let mut input = clip(&vec![value; len], old, 17);
        input.set_slice(is_slice);
        let how = Resampling::new(Method::ALL[method], interpolation, new, Interval { first: 0, last });
        let out = resampled(&input, &how);
        prop_assert!(out.len_samples() >= 1);
        prop_assert!(out.samples().iter().all(|sample| *sample == value), "{:?}", out.samples());
    }

    #[test]
    fn equal_rates_change_not_a_bit(
        bits in prop::collection::vec(any::<u32>(), 0..50),
        rate in 0.001f64..200_000.0,
        start in any::<i64>(),
        interpolation in interpolations(),
        is_slice in any::<bool>(),
    ) {
        let samples: Vec<f32> = bits.iter().copied().map(f32::from_bits).collect();
        let mut input = clip(&samples, rate, start);
        input.set_slice(is_slice);
        let out = resampled(&input, &preserving(interpolation, rate));
        prop_assert_eq!(out.samples().iter().map(|sample| sample.to_bits()).collect::<Vec<_>>(), bits);
        prop_assert_eq!((out.start(), out.rate(), out.is_slice()), (start, rate, is_slice));
    }

    #[test]
    fn means_keep_the_mean(samples in prop::collection::vec(-100.0f32..100.0, 1..20), times in 1usize..9) {
        let whole: Vec<f32> = samples.iter().flat_map(|sample| vec![*sample; times]).collect();
        let out = resampled(&clip(&whole, 60.0 * times as f64, 0), &Resampling::to_rate(60.0));
        prop_assert_eq!(out.len_samples(), samples.len());
        for (sample, expected) in out.samples().iter().zip(&samples) {
            prop_assert!((sample - expected).abs() < 1e-4);
        }
    }

    #[test]
    fn any_rates_and_intervals_are_answered(
        old in prop::num::f64::POSITIVE,
        new in prop::num::f64::POSITIVE,
        start in any::<i64>(),
        first in any::<i64>(),
        len in 0i64..50,
        interpolation in interpolations(),
        is_slice in any::<bool>(),
        method in 0usize..4,
    ) {
        let mut input = clip(&[1.0, 2.0, 3.0], old, start);
        input.set_slice(is_slice);
        let interval = Interval { first, last: first.saturating_add(len) };
        let how = Resampling::new(Method::ALL[method], interpolation, new, interval);
        let mut out = Clip::default();
        if resample(&input, &how, &mut out).is_ok() {
            prop_assert!(out.samples().iter().all(|sample| *sample >= 0.0 && *sample <= 4.0));
        }
    }
}
