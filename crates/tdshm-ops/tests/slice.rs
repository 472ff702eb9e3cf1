//! Time slices: which samples they have, and how they are filled, against the tables of the specification.
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
use tdshm_ops::slice::{Fill, Filler, Interval, SliceRule, slice_of, trim};

const RULE: SliceRule = SliceRule::of_max_seconds(0.2);

fn at(first: i64, last: i64) -> Interval {
    Interval { first, last }
}

fn block(samples: &[f32]) -> Clip {
    channels(&["a"], samples)
}

fn channels(names: &[&str], samples: &[f32]) -> Clip {
    let mut clip = Clip::default();
    let len = samples.len().checked_div(names.len()).unwrap_or(0);
    clip.shape(ChannelNames::new(names.iter().copied()), len).unwrap().copy_from_slice(samples);
    clip
}

/// Table 4.2: rate, timeline, frame before, frame, samples.
#[test]
fn numbers_of_samples() {
    let rows = [
        (60.0, 60.0, 100, 101, 1),
        (60.0, 60.0, 100, 102, 2),
        (60.0, 60.0, 73, 77, 4),
        (120.0, 60.0, 100, 102, 4),
        (44_100.0, 60.0, 100, 101, 735),
        (44_100.0, 60.0, 73, 77, 2940),
        (60.0, 60.0, 100, 130, 12),
        (60.0, 60.0, 100, 99, 1),
        (60.0, 60.0, 100, 0, 1),
        (60.0, 60.0, 100, 100, 1),
    ];
    for (rate, timeline, previous, frame, samples) in rows {
        let slice = slice_of(rate, timeline, Some(previous), frame, RULE);
        assert_eq!(slice.len(), samples, "{rate} Hz at {timeline}, frames {previous} to {frame}");
        assert_eq!(slice.last, (frame as f64 * rate / timeline) as i64, "it ends now");
    }
    let turns = |rate| {
        let len = |frame| slice_of(rate, 60.0, Some(frame - 1), frame, RULE).len();
        [1, 2, 3, 4, 5, 6].map(len)
    };
    assert_eq!(turns(100.0), [1, 2, 2, 1, 2, 2]);
    assert_eq!(turns(30.0), [1; 6], "at least one");
    assert_eq!(slice_of(30.0, 60.0, Some(2), 3, RULE), slice_of(30.0, 60.0, Some(1), 2, RULE), "repeated");
    assert_eq!(slice_of(44_100.0, 60.0, None, 500, RULE), at(367_500, 367_500), "the very first cook");
    assert_eq!(slice_of(60.0, 60.0, Some(100), 130, RULE), at(119, 130), "a gap of 18, and it ends now");
}

#[test]
fn the_longest_slice_is_a_setting() {
    let len = |seconds| slice_of(100.0, 60.0, Some(0), 600, SliceRule::of_max_seconds(seconds)).len();
    assert_eq!(SliceRule::default().max_seconds, 0.2);
    for (seconds, samples) in [
        (0.29, 29),
        (0.1, 10),
        (0.005, 1),
        (0.0, 1),
        (-1.0, 1),
        (f64::NAN, 1),
        (f64::INFINITY, 1000),
        (1e300, 1000),
    ] {
        assert_eq!(len(seconds), samples, "{seconds} s");
    }
}

#[test]
fn rates_that_are_not_whole_do_not_drift() {
    // The same rate twice is one sample a frame, whatever its binary digits.
    for rate in [59.94, 60_000.0 / 1001.0, 0.1, 29.97, 1e-3, 123_456.789] {
        for frame in [1, 2, 1001, 1 << 40, (1 << 53) - 1, 1 << 53] {
            let slice = slice_of(rate, rate, Some(frame - 1), frame, SliceRule::of_max_seconds(1e9));
            assert_eq!(slice, at(frame as i64, frame as i64), "{rate} Hz, frame {frame}");
        }
    }
    // 48,000 Hz pulled down together with the timeline stays 800 samples a frame.
    let (rate, timeline) = (48_000.0 / 1.001, 60.0 / 1.001);
    for frame in [1_u64, 2, 99_999, 1 << 52] {
        assert_eq!(slice_of(rate, timeline, Some(frame - 1), frame, RULE).len(), 800, "frame {frame}");
    }
    // A frame so late that floating-point products have no units any more.
    let late = (1_u64 << 53) - 1;
    assert_eq!(
        slice_of(44_100.0, 60.0, Some(late - 1), late, RULE),
        at((late as i64 - 1) * 735 + 1, late as i64 * 735)
    );
}

#[test]
fn rates_that_are_none_give_one_sample() {
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(slice_of(bad, 60.0, Some(1), 9, RULE), at(0, 0));
        assert_eq!(slice_of(60.0, bad, Some(1), 9, RULE), at(0, 0));
    }
    assert_eq!(slice_of(1e300, 1e-300, Some(1), 9, RULE), at(0, 0));
    let most = slice_of(1e17, 1.0, Some(0), u64::MAX, SliceRule::of_max_seconds(f64::INFINITY));
    assert_eq!(most.last, i64::MAX);
}

#[test]
fn intervals_count_their_samples() {
    assert_eq!((at(3, 3).len(), at(-2, 2).len(), at(3, 2).len(), at(9, 2).len()), (1, 5, 0, 0));
    assert!(at(3, 2).is_empty() && !at(3, 3).is_empty());
    assert_eq!(at(i64::MIN, i64::MAX).len(), usize::MAX);
    assert_eq!(at(i64::MAX, i64::MIN).len(), 0);
}

/// Section 4.3: a sender of one sample at 60 Hz, a receiver that cooks frames 1, 2, 3, 7 and 8.
#[test]
fn a_receiver_that_skips_frames_still_ends_with_the_newest_value() {
    let (mut filler, mut out) = (Filler::default(), Clip::default());
    let mut previous = None;
    let mut lengths = Vec::new();
    for frame in [1_u64, 2, 3, 7, 8] {
        let interval = slice_of(60.0, 60.0, previous, frame, RULE);
        filler.fill(&block(&[frame as f32]), true, interval, Fill::Linear, &mut out).unwrap();
        assert_eq!(out.samples().last(), Some(&(frame as f32)));
        assert_eq!((out.start(), out.end(), out.is_slice()), (interval.first, frame as i64, true));
        lengths.push(out.len_samples());
        previous = Some(frame);
    }
    assert_eq!(lengths, [1, 1, 1, 4, 1]);
}

/// The filling rule of section 4.3, after a slice that ended with 2: block, is it new, slice length, way, slice.
#[test]
fn the_filling_rule() {
    type Row<'a> = (&'a [f32], bool, i64, Fill, &'a [f32]);
    let rows: [Row; 16] = [
        (&[8.], true, 4, Fill::Linear, &[8., 8., 8., 8.]),
        (&[8.], true, 4, Fill::Hold, &[8., 8., 8., 8.]),
        (&[8.], true, 4, Fill::Trim, &[8., 8., 8., 8.]),
        (&[4., 8.], true, 2, Fill::Linear, &[4., 8.]),
        (&[1., 3., 4., 8.], true, 2, Fill::Linear, &[4., 8.]),
        (&[1., 3., 4., 8.], true, 2, Fill::Trim, &[4., 8.]),
        (&[1., 3., 4., 8.], true, 2, Fill::Hold, &[8., 8.]),
        (&[4., 8.], true, 4, Fill::Linear, &[3., 4., 6., 8.]),
        (&[4., 8.], true, 3, Fill::Linear, &[10. / 3., 16. / 3., 8.]),
        (&[4., 8.], true, 4, Fill::Trim, &[2., 2., 4., 8.]),
        (&[4., 8.], true, 4, Fill::Hold, &[8., 8., 8., 8.]),
        (&[4., 8.], false, 3, Fill::Linear, &[2., 2., 2.]),
        (&[4., 8.], false, 1, Fill::Hold, &[2.]),
        (&[4., 8.], false, 2, Fill::Trim, &[2., 2.]),
        (&[], true, 2, Fill::Linear, &[2., 2.]),
        (&[4., 8.], true, 0, Fill::Linear, &[]),
    ];
    for (samples, is_new, len, how, expected) in rows {
        let (mut filler, mut out) = (Filler::default(), Clip::default());
        filler.fill(&block(&[2.]), true, at(0, 0), how, &mut out).unwrap();
        filler.fill(&block(samples), is_new, at(1, len), how, &mut out).unwrap();
        assert_eq!(out.samples(), expected, "{samples:?}, new {is_new}, {len} samples, {how}");
    }
}

#[test]
fn a_channel_without_a_last_value_goes_by_its_block() {
    let rows: [(bool, Fill, &[f32]); 4] = [
        (true, Fill::Linear, &[4., 4., 6., 8.]),
        (true, Fill::Trim, &[4., 4., 4., 8.]),
        (true, Fill::Hold, &[8.; 4]),
        (false, Fill::Linear, &[8.; 4]),
    ];
    for (is_new, how, expected) in rows {
        let (mut filler, mut out) = (Filler::default(), Clip::default());
        filler.fill(&block(&[4., 8.]), is_new, at(1, 4), how, &mut out).unwrap();
        assert_eq!(out.samples(), expected, "new {is_new}, {how}");
    }
    let (mut filler, mut out) = (Filler::default(), Clip::default());
    filler.fill(&block(&[]), true, at(1, 2), Fill::Linear, &mut out).unwrap();
    assert_eq!(out.samples(), [0., 0.]);
    filler.fill(&block(&[9.]), true, at(3, 3), Fill::Linear, &mut out).unwrap();
    filler.fill(&block(&[7.]), true, at(4, 3), Fill::Linear, &mut out).unwrap();
    filler.fill(&block(&[7.]), false, at(4, 4), Fill::Linear, &mut out).unwrap();
    assert_eq!(out.samples(), [9.], "a slice without samples puts out nothing, so 9 is still the last");
    filler.reset();
    filler.fill(&block(&[5.]), false, at(4, 4), Fill::Linear, &mut out).unwrap();
    assert_eq!(out.samples(), [5.], "the 9 is forgotten");
}

#[test]
fn channels_are_followed_by_name() {
    let (mut filler, mut out) = (Filler::default(), Clip::default());
    filler.fill(&channels(&["a", "b"], &[1., 2.]), true, at(0, 0), Fill::Linear, &mut out).unwrap();
    filler.fill(&channels(&["c", "b", "a"], &[7., 8., 9.]), false, at(1, 1), Fill::Linear, &mut out).unwrap();
    assert!(out.names().are(["c", "b", "a"]));
    assert_eq!(out.samples(), [7., 2., 1.], "c is new, b and a go on");
    filler.fill(&channels(&[], &[]), true, at(2, 2), Fill::Linear, &mut out).unwrap();
    assert_eq!(out.num_channels(), 0);
    filler.fill(&channels(&["a", "a"], &[3., 4.]), true, at(3, 3), Fill::Linear, &mut out).unwrap();
    filler.fill(&channels(&["a", "a"], &[5., 6.]), false, at(4, 4), Fill::Linear, &mut out).unwrap();
    assert_eq!(out.samples(), [3., 4.], "two of one name are told apart by their places");
}

#[test]
fn a_slice_that_is_refused_changes_nothing() {
    let (mut filler, mut out) = (Filler::default(), Clip::default());
    filler.fill(&block(&[1.]), true, at(0, 0), Fill::Linear, &mut out).unwrap();
    let before = out.clone();
    let huge = at(0, 1 << 40);
    let refused = filler.fill(&block(&[2.]), true, huge, Fill::Linear, &mut out);
    assert!(matches!(refused, Err(ClipError::TooLarge { channels: 1, .. })), "{refused:?}");
    assert!(trim(&block(&[2.]), huge, &mut out).is_err());
    assert!(filler.cut(&block(&[2.]), huge, Fill::Hold, &mut out).is_err());
    assert_eq!(out, before);
    filler.fill(&block(&[2.]), false, at(1, 1), Fill::Linear, &mut out).unwrap();
    assert_eq!(out.samples(), [1.]);
}

/// The Time Slice CHOP on a clip of samples 10 to 13, with a slice that begins inside and ends outside.
#[test]
fn a_clip_is_cut_to_the_slice() {
    let mut clip = block(&[0., 1., 2., 3.]);
    clip.set_start(10);
    clip.set_rate(30.0).unwrap();
    clip.set_extend(Extend::Default, Extend::Slope);
    clip.set_default_value(-1.0);
    let mut out = Clip::default();
    for (interval, expected) in [
        (at(11, 12), &[1., 2.][..]),
        (at(8, 11), &[-1., -1., 0., 1.]),
        (at(12, 15), &[2., 3., 4., 5.]),
        (at(9, 14), &[-1., 0., 1., 2., 3., 4.]),
        (at(20, 21), &[10., 11.]),
        (at(5, 4), &[]),
    ] {
        trim(&clip, interval, &mut out).unwrap();
        assert_eq!(out.samples(), expected, "{interval:?}");
        assert_eq!((out.start(), out.is_slice(), out.rate()), (interval.first, true, 30.0));
        assert_eq!((out.extend_left(), out.extend_right()), (Extend::Default, Extend::Slope));
    }
    let mut filler = Filler::default();
    for (how, interval, expected) in [
        (Fill::Linear, at(10, 11), &[1., 1.][..]),
        (Fill::Linear, at(12, 15), &[2., 3., 4., 5.]),
        (Fill::Hold, at(11, 12), &[2., 2.]),
        (Fill::Trim, at(10, 11), &[0., 1.]),
        (Fill::Linear, at(12, 13), &[2., 3.]),
    ] {
        filler.cut(&clip, interval, how, &mut out).unwrap();
        assert_eq!(out.samples(), expected, "{how} {interval:?}");
    }
    // The value at the last cook is remembered, not looked up: a constant has another value now.
    let mut constant = Filler::default();
    constant.cut(&block(&[1.]), at(0, 0), Fill::Linear, &mut out).unwrap();
    constant.cut(&block(&[9.]), at(1, 4), Fill::Linear, &mut out).unwrap();
    assert_eq!(out.samples(), [3., 5., 7., 9.]);
    // A slice is passed on.
    out.set_start(77);
    let slice = out.clone();
    constant.cut(&slice, at(1, 9), Fill::Linear, &mut out).unwrap();
    assert_eq!(out, slice);
}

#[test]
fn nothing_is_moved_while_the_shape_stays() {
    let block = channels(&["a", "b"], &[1., 2., 3., 4.]);
    let (mut filler, mut out) = (Filler::default(), Clip::default());
    filler.fill(&block, true, at(0, 11), Fill::Linear, &mut out).unwrap();
    let place = out.samples().as_ptr();
    for first in 1..50 {
        filler.fill(&block, first % 3 > 0, at(first, first + first % 12), Fill::Linear, &mut out).unwrap();
        assert_eq!(out.samples().as_ptr(), place);
        assert!(out.names().same(block.names()));
    }
}

#[test]
fn ways_to_fill_have_names() {
    for fill in Fill::ALL {
        assert_eq!(fill.to_string().parse(), Ok(fill));
    }
    assert_eq!(
        "".parse::<Fill>().unwrap_err().to_string(),
        "\"\" is no way to fill a slice: use one of hold, linear, trim"
    );
}

fn rates() -> impl Strategy<Value = f64> {
    prop_oneof![
        prop::sample::select(vec![1.0, 24.0, 29.97, 30.0, 59.94, 60.0, 100.0, 120.0, 44_100.0, 48_000.0]),
        0.1f64..200_000.0,
    ]
}

proptest! {
    #[test]
    fn forward_runs_have_no_gap_and_no_overlap(
        rate in rates(),
        timeline in rates(),
        begin in prop_oneof![0u64..1000, (1u64 << 52)..(1 << 53) - 4000],
        steps in prop::collection::vec(1u64..40, 1..60),
    ) {
        let rule = SliceRule::of_max_seconds(f64::INFINITY);
        // The clock has 64 bits.
        let begin = if (begin + 4000) as f64 * (rate / timeline) < 9e18 { begin } else { begin % 1000 };
        let mut frame = begin;
        let mut end = slice_of(rate, timeline, None, frame, rule).last;
        for step in steps {
            let slice = slice_of(rate, timeline, Some(frame), frame + step, rule);
            frame += step;
            prop_assert!(!slice.is_empty());
            if slice.last == end {
                prop_assert_eq!(slice.first, end, "no sample was due, so it is repeated");
            } else {
                prop_assert_eq!(slice.first, end + 1);
            }
            prop_assert!((slice.last as f64 - frame as f64 * (rate / timeline)).abs() <= 1.0 + frame as f64 * rate / timeline * 1e-15);
            end = slice.last;
        }
    }

    #[test]
    fn a_cut_slice_ends_now(rate in rates(), frame in 0u64..1 << 40, step in 1u64..100_000, seconds in 0.0f64..2.0) {
        let previous = frame;
        let frame = frame + step;
        let all = slice_of(rate, 60.0, Some(previous), frame, SliceRule::of_max_seconds(f64::INFINITY));
        let cut = slice_of(rate, 60.0, Some(previous), frame, SliceRule::of_max_seconds(seconds));
        prop_assert_eq!(cut.last, all.last);
        prop_assert!(cut.first >= all.first);
        prop_assert!(cut.len() == 1 || cut.len() as f64 <= seconds * rate * (1.0 + 1e-15));
        prop_assert!(cut == all || (cut.len() + 1) as f64 > seconds * rate);
    }

    #[test]
    fn whole_rates_give_the_formula(rate in 1u64..200_000, timeline in 1u64..1000, frame in 1u64..1 << 45) {
        let slice = slice_of(rate as f64, timeline as f64, Some(frame - 1), frame, RULE);
        prop_assert_eq!(slice.last, (u128::from(frame) * u128::from(rate) / u128::from(timeline)) as i64);
    }

    #[test]
    fn slices_end_with_the_newest_value_and_constants_stay(
        lengths in prop::collection::vec((1usize..20, 1i64..20, 0usize..3), 1..20),
        constant in any::<bool>(),
    ) {
        let (mut filler, mut out) = (Filler::default(), Clip::default());
        let mut first = 0;
        for (turn, (len, slice, how)) in lengths.into_iter().enumerate() {
            let samples: Vec<f32> = (0..len).map(|at| if constant { 0.3 } else { (turn * 100 + at) as f32 }).collect();
            filler.fill(&block(&samples), true, at(first, first + slice - 1), Fill::ALL[how], &mut out).unwrap();
            prop_assert_eq!(out.len_samples() as i64, slice);
            prop_assert_eq!(out.samples().last(), samples.last());
            if constant {
                prop_assert!(out.samples().iter().all(|sample| *sample == 0.3));
            } else {
                prop_assert!(out.samples().is_sorted(), "{:?}", out.samples());
            }
            first += slice;
        }
    }
}
