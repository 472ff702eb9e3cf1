//! Clips: names, shapes, and values in and outside the interval, against the tables of the specification.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

use proptest::prelude::*;
use tdshm_ops::clip::{ChannelNames, Clip, ClipError, Extend};

fn clip(samples: &[f32], start: i64) -> Clip {
    let mut clip = Clip::default();
    clip.shape(ChannelNames::new(["a"]), samples.len()).unwrap().copy_from_slice(samples);
    clip.set_start(start);
    clip
}

#[test]
fn the_default_is_an_empty_clip_at_sixty_hertz() {
    let clip = Clip::default();
    assert_eq!((clip.num_channels(), clip.len_samples(), clip.start(), clip.end()), (0, 0, 0, -1));
    assert_eq!((clip.rate(), clip.is_slice(), clip.default_value()), (60.0, false, 0.0));
    assert_eq!((clip.extend_left(), clip.extend_right()), (Extend::Hold, Extend::Hold));
    assert_eq!(clip.value_at(0, 3), 0.0);
    assert_eq!(clip.channel(0), None);
}

#[test]
fn a_shape_says_where_each_channel_lies_and_memory_is_kept() {
    let names = ChannelNames::new(["a", "b", "c"]);
    let mut clip = Clip::default();
    clip.shape(names.clone(), 4)
        .unwrap()
        .copy_from_slice(&[0., 1., 2., 3., 10., 11., 12., 13., 20., 21., 22., 23.]);
    assert_eq!(clip.channel(1), Some(&[10., 11., 12., 13.][..]));
    assert_eq!(clip.channel_named("c"), clip.channel(2));
    assert_eq!(clip.channel_named("d"), None);
    clip.channel_mut(2).unwrap()[3] = 99.0;
    assert_eq!(clip.samples()[11], 99.0);
    assert_eq!(clip.channel(3), None);
    let place = clip.samples().as_ptr();
    assert_eq!(clip.shape(names.clone(), 1).unwrap(), [0., 1., 2.], "what was there is still there");
    assert_eq!(clip.shape(names.clone(), 4).unwrap()[3..], [0.; 9], "and the rest is zeros");
    assert_eq!(clip.samples().as_ptr(), place);
    assert!(clip.names().same(&names));
    assert_eq!(clip.shape(names, 0).unwrap(), []);
    assert_eq!((clip.num_channels(), clip.channel(1), clip.channel(3)), (3, Some(&[][..]), None));
    assert_eq!((clip.start(), clip.end()), (0, -1));
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut small = clip(&[1.0, 2.0], 7);
    let before = small.clone();
    for len in [Clip::MAX_SAMPLES, usize::MAX] {
        let error = small.shape(ChannelNames::numbered(2), len).unwrap_err();
        assert_eq!(error, ClipError::TooLarge { channels: 2, len_samples: len, limit: 1 << 30 });
    }
    for rate in [0.0, -60.0, f64::NAN, f64::INFINITY] {
        assert!(small.set_rate(rate).is_err(), "{rate}");
    }
    let mut out = small.clone();
    assert_eq!(small.select(&[0, 1], &mut out), Err(ClipError::NoSuchChannel { index: 1, channels: 1 }));
    assert_eq!((&small, &out), (&before, &before));
    assert_eq!(small.shape(ChannelNames::default(), usize::MAX).unwrap(), [], "no channels need no room");
    small.set_start(i64::MAX);
    assert_eq!(small.end(), i64::MAX);
}

#[test]
fn errors_say_what_to_do() {
    let too_large = ClipError::TooLarge { channels: 2, len_samples: 9, limit: 8 };
    let cases = [
        (
            too_large,
            "2 channels of 9 samples are more than the limit of 8 samples together: use fewer channels or a shorter \
             interval",
        ),
        (
            ClipError::NoMemory { samples: 5 },
            "there is no memory for 5 samples of four bytes: close something, or use a shorter interval",
        ),
        (
            ClipError::Rate { rate: -1.0 },
            "a sample rate of -1 is refused: give a finite number above 0, such as 60",
        ),
        (
            ClipError::NoSuchChannel { index: 3, channels: 2 },
            "channel 3 does not exist, the clip has 2: channels are counted from 0",
        ),
    ];
    for (error, text) in cases {
        assert_eq!(error.to_string(), text);
    }
    assert_eq!(
        "holt".parse::<Extend>().unwrap_err().to_string(),
        "\"holt\" is no extend condition: use one of hold, slope, cycle, mirror, default"
    );
    for extend in Extend::ALL {
        assert_eq!(extend.menu_name().parse(), Ok(extend));
    }
}

#[test]
fn copies_take_everything_or_all_but_the_channels() {
    let mut source = clip(&[1.0, 2.0, 3.0], -5);
    source.set_rate(44_100.0).unwrap();
    source.set_slice(true);
    source.set_extend(Extend::Cycle, Extend::Default);
    source.set_default_value(0.25);
    let mut copy = clip(&[0.0; 9], 0);
    let place = copy.samples().as_ptr();
    copy.copy_from(&source).unwrap();
    assert_eq!(copy, source);
    assert_eq!(copy.samples().as_ptr(), place);
    let mut layout = clip(&[8.0], 0);
    layout.copy_layout_from(&source);
    assert_eq!((layout.len_samples(), layout.samples()), (1, &[8.0][..]));
    assert_eq!((layout.start(), layout.rate(), layout.is_slice()), (-5, 44_100.0, true));
    assert_eq!((layout.extend_left(), layout.extend_right()), (Extend::Cycle, Extend::Default));
    assert_eq!(layout.default_value(), 0.25);
}

#[test]
fn selected_channels_come_in_the_order_asked_for_and_reuse_their_names() {
    let mut source = Clip::default();
    source
        .shape(ChannelNames::new(["c1", "c2", "c3"]), 2)
        .unwrap()
        .copy_from_slice(&[1., 2., 3., 4., 5., 6.]);
    source.set_start(9);
    let mut out = Clip::default();
    source.select(&[1, 2, 2, 0], &mut out).unwrap();
    assert!(out.names().are(["c2", "c3", "c3", "c1"]));
    assert_eq!(out.samples(), [3., 4., 5., 6., 5., 6., 1., 2.]);
    assert_eq!(out.start(), 9);
    let (names, place) = (out.names().clone(), out.samples().as_ptr());
    source.select(&[1, 2, 2, 0], &mut out).unwrap();
    assert!(out.names().same(&names));
    assert_eq!(out.samples().as_ptr(), place);
    source.select(&[], &mut out).unwrap();
    assert_eq!((out.num_channels(), out.samples()), (0, &[][..]));
}

/// Table 3.2, and the mirrored sequence below it.
#[test]
fn extend_conditions() {
    let rows: [(Extend, [f64; 4], [f64; 4]); 5] = [
        (Extend::Hold, [3., 3., 3., 3.], [5., 5., 5., 5.]),
        (Extend::Slope, [11., 9., 7., 5.], [9., 13., 17., 21.]),
        (Extend::Cycle, [5., 3., 1., 5.], [3., 1., 5., 3.]),
        (Extend::Mirror, [5., 5., 1., 3.], [5., 1., 3., 3.]),
        (Extend::Default, [7., 7., 7., 7.], [7., 7., 7., 7.]),
    ];
    for (extend, left, right) in rows {
        let mut clip = clip(&[3.0, 1.0, 5.0], 100);
        clip.set_default_value(7.0);
        clip.set_extend(extend, Extend::Hold);
        assert_eq!([96, 97, 98, 99].map(|index| clip.value_at(0, index)), left, "{extend} on the left");
        assert_eq!(clip.value_at(0, 103), 5.0);
        clip.set_extend(Extend::Hold, extend);
        assert_eq!([103, 104, 105, 106].map(|index| clip.value_at(0, index)), right, "{extend} on the right");
        assert_eq!(clip.value_at(0, 99), 3.0);
    }
    let mut mirrored = clip(&[0.0, 1.0, 2.0], 0);
    mirrored.set_extend(Extend::Mirror, Extend::Mirror);
    let values: Vec<f64> = (0..9).map(|index| mirrored.value_at(0, index)).collect();
    assert_eq!(values, [0., 1., 2., 2., 1., 0., 0., 1., 2.]);
    let mut one = clip(&[4.0], 0);
    one.set_extend(Extend::Slope, Extend::Slope);
    assert_eq!((one.value_at(0, -9), one.value_at(0, 9)), (4.0, 4.0), "one sample has no slope");
    for extend in Extend::ALL {
        one.set_extend(extend, extend);
        one.set_start(i64::MIN);
        assert!(one.value_at(0, i64::MAX).is_finite());
        one.set_start(i64::MAX);
        assert!(one.value_at(0, i64::MIN).is_finite());
    }
}

#[test]
fn between_samples_is_a_straight_line() {
    let mut clip = clip(&[0.0, 10.0, 20.0], 2);
    clip.set_extend(Extend::Default, Extend::Cycle);
    clip.set_default_value(8.0);
    for (index, value) in
        [(2.0, 0.0), (2.25, 2.5), (3.5, 15.0), (4.5, 10.0), (1.5, 4.0), (1.0, 8.0), (5.0, 0.0)]
    {
        assert_eq!(clip.value_at_f(0, index), value, "at {index}");
    }
    assert_eq!(clip.value_at_f(0, f64::NAN), 8.0);
    assert_eq!(clip.value_at_f(0, f64::NEG_INFINITY), 8.0);
    assert!(clip.value_at_f(0, f64::INFINITY).is_finite());
    assert_eq!(clip.value_at_f(1, 3.0), 8.0, "there is no such channel");
    clip.set_rate(30.0).unwrap();
    assert_eq!(clip.value_at_seconds(0, 3.5 / 30.0), 15.0);
}

#[test]
fn a_time_divided_by_the_rate_finds_its_sample_exactly() {
    let samples: Vec<f32> = (0..5000).map(|index| (index as f32 * 0.37).sin()).collect();
    for rate in [60.0, 59.94, 44_100.0, 0.1, 1000.0 / 3.0] {
        let mut clip = clip(&samples, 1_000_000);
        clip.set_rate(rate).unwrap();
        for (index, sample) in samples.iter().enumerate() {
            let seconds = (1_000_000 + index) as f64 / rate;
            assert_eq!(clip.value_at_seconds(0, seconds), f64::from(*sample), "{index} at {rate} Hz");
        }
    }
}

#[test]
fn names_are_found_kept_and_cleaned() {
    assert!(ChannelNames::default().is_empty());
    assert!(ChannelNames::default().same(&ChannelNames::new([""; 0])));
    assert!(ChannelNames::numbered(3).are(["chan1", "chan2", "chan3"]));
    let names: ChannelNames = (0..10_000).map(|index| format!("n{}", index % 9000)).collect();
    assert_eq!(names.len(), 10_000);
    for index in [0, 8999, 4500] {
        assert_eq!(names.index_of(&format!("n{index}")), Some(index), "the first of those with this name");
    }
    for absent in ["", "n", "n9000", "zzz", "a"] {
        assert_eq!(names.index_of(absent), None, "{absent}");
    }
    assert_eq!((names.get(9001), names.get(10_000)), (Some("n1"), None));
    assert_eq!(names, names.iter().collect::<ChannelNames>());
    assert!(!names.same(&names.iter().collect()));
    assert_ne!(ChannelNames::new(["a", "b"]), ChannelNames::new(["a"]));
    assert!(!ChannelNames::new(["a", "b"]).are(["a"]) && !ChannelNames::new(["a"]).are(["a", "b"]));
    assert_eq!(format!("{:?}", ChannelNames::new(["a", "b"])), r#"["a", "b"]"#);
}

/// The rules of section 3.3.
#[test]
fn sanitised_names() {
    let rows = [
        ("tx", "tx"),
        ("h0/pinch", "h0/pinch"),
        ("geo1:tx", "geo1:tx"),
        ("a-b_C9", "a-b_C9"),
        ("left hand", "left_hand"),
        ("größe", "gr__e"),
        ("\u{1F600}", "_"),
        ("a\0b", "a_b"),
        ("", "chan9"),
    ];
    let legal = ChannelNames::new(rows.iter().map(|row| row.0)).sanitised();
    assert!(legal.are(rows.iter().map(|row| row.1)), "{legal:?}");
    assert!(legal.sanitised().same(&legal));
    assert!(ChannelNames::new(["", "chan1", ""]).sanitised().are(["chan2", "chan1", "chan3"]));
    for bytes in [1, 255, 256, 4096] {
        assert_eq!(ChannelNames::new(["ä".repeat(bytes)]).sanitised().get(0), Some(&*"_".repeat(bytes)));
    }
}

#[test]
fn kept_names() {
    let rows: [(&[&str], usize, &[&str]); 8] = [
        (&[], 3, &["chan1", "chan2", "chan3"]),
        (&["tx", "ty"], 2, &["tx", "ty"]),
        (&["tx", "ty"], 4, &["tx", "ty", "chan3", "chan4"]),
        (&["tx", "ty", "tz"], 1, &["tx"]),
        (&["tx"], 0, &[]),
        (&["chan2"], 3, &["chan2", "chan3", "chan4"]),
        (&["chan3", "chan4"], 5, &["chan3", "chan4", "chan5", "chan6", "chan7"]),
        (&["chan03", "chan+3", "chan"], 4, &["chan03", "chan+3", "chan", "chan4"]),
    ];
    for (before, count, after) in rows {
        let kept = ChannelNames::new(before.iter().copied()).kept(count);
        assert!(kept.are(after), "{before:?} with {count} channels: {kept:?}");
    }
    // Every number is taken: the search must not begin again for each name.
    let hostile: ChannelNames = (0..50_000).map(|index| format!("chan{}", 50_001 + index)).collect();
    let kept = hostile.kept(100_000);
    assert_eq!((kept.get(50_000), kept.get(99_999)), (Some("chan100001"), Some("chan150000")));
}

/// What stands in the table, word for word.
fn naive(samples: &[f32], start: i64, left: Extend, right: Extend, default: f64, index: i64) -> f64 {
    let len = samples.len() as i64;
    let s = |at: i64| f64::from(samples[at as usize]);
    let at = index - start;
    if (0..len).contains(&at) {
        return s(at);
    }
    match if at < 0 { left } else { right } {
        Extend::Hold if at < 0 => s(0),
        Extend::Hold => s(len - 1),
        Extend::Slope if len == 1 => s(0),
        Extend::Slope if at < 0 => s(0) + at as f64 * (s(1) - s(0)),
        Extend::Slope => s(len - 1) + (at - len + 1) as f64 * (s(len - 1) - s(len - 2)),
        Extend::Cycle => s(((at % len) + len) % len),
        Extend::Mirror => {
            let both: Vec<f64> = (0..len).chain((0..len).rev()).map(s).collect();
            both[(((at % (2 * len)) + 2 * len) % (2 * len)) as usize]
        }
        _ => default,
    }
}

proptest! {
    #[test]
    fn values_are_what_the_table_says(
        samples in prop::collection::vec(-1000.0f32..1000.0, 1..9),
        start in -50i64..50,
        left in 0usize..5,
        right in 0usize..5,
        index in -120i64..120,
        part in 0.0f64..1.0,
    ) {
        let (left, right) = (Extend::ALL[left], Extend::ALL[right]);
        let mut clip = clip(&samples, start);
        clip.set_extend(left, right);
        clip.set_default_value(0.5);
        let expected = |index| naive(&samples, start, left, right, 0.5, index);
        prop_assert_eq!(clip.value_at(0, index), expected(index));
        let (from, to) = (expected(index), expected(index + 1));
        let between = clip.value_at_f(0, index as f64 + part);
        let fraction = (index as f64 + part) - (index as f64 + part).floor();
        prop_assert!((between - (from + (to - from) * fraction)).abs() < 1e-6 || part > 1.0 - 1e-12);
    }

    #[test]
    fn kept_names_keep_and_never_clash(before in prop::collection::vec("chan[0-9]{1,2}|[a-c]", 0..12), count in 0usize..24) {
        let before = ChannelNames::new(before);
        let kept = before.kept(count);
        prop_assert_eq!(kept.len(), count);
        for (index, name) in kept.iter().enumerate() {
            if index < before.len() {
                prop_assert_eq!(Some(name), before.get(index));
            } else {
                prop_assert_eq!(kept.index_of(name), Some(index));
                let number: usize = name.strip_prefix("chan").unwrap().parse().unwrap();
                prop_assert!(number > index);
            }
        }
    }

    #[test]
    fn looking_up_finds_the_first(names in prop::collection::vec("[a-c]{0,2}", 0..40), name in "[a-c]{0,2}") {
        let expected = names.iter().position(|there| *there == name);
        prop_assert_eq!(ChannelNames::new(names).index_of(&name), expected);
    }
}
