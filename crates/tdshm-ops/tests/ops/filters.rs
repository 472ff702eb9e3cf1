//! Resample, Extend, Time Slice, Rename and Null.

use super::{clip, create, filter, fine, names, samples, set};
use tdshm_ops::clip::Extend;
use tdshm_ops::{Flag, Network};

#[test]
fn rates_are_matched_as_in_the_table_of_the_specification() {
    // Input, its start and rate, new rate, interpolation; output, its start.
    type Row<'a> = (&'a [f32], i64, f64, f64, &'a str, &'a [f32], i64);
    let rows: [Row<'_>; 7] = [
        (
            &[0.0, 10.0, 20.0, 30.0],
            0,
            30.0,
            60.0,
            "linear",
            &[0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 30.0],
            0,
        ),
        (
            &[0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0],
            0,
            60.0,
            30.0,
            "linear",
            &[5.0, 25.0, 45.0, 65.0],
            0,
        ),
        (&[0.0, 10.0, 20.0, 30.0], 0, 60.0, 60.0, "cubic", &[0.0, 10.0, 20.0, 30.0], 0),
        (&[7.0], 0, 60.0, 120.0, "linear", &[7.0, 7.0], 0),
        (&[7.0], 0, 60.0, 30.0, "linear", &[7.0], 0),
        (&[0.0, 10.0, 20.0, 30.0], 60, 60.0, 30.0, "linear", &[5.0, 25.0], 30),
        (&[0.0, 1.0, 0.0, 0.0], 0, 60.0, 120.0, "nointerp", &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0], 0),
    ];
    for (input, start, old, new, interp, output, new_start) in rows {
        let pars = [("rate", new.into()), ("interp", interp.into())];
        let (_net, _from, op) = filter(clip(old, start, &[("a", input)]), "resample", &pars);
        let made = fine(&op);
        assert_eq!((made.samples(), made.start(), made.rate()), (output, new_start, new));
    }
}

#[test]
fn methods_keep_what_their_labels_say() {
    let input = clip(30.0, 2, &[("a", &[0.0, 1.0, 2.0, 3.0])]);
    // Method; start, length, rate, samples.
    let rows: [(&str, i64, f64, &[f32]); 4] = [
        ("strech", 10, 30.0, &[0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.0]),
        ("preserve", 4, 60.0, &[0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.0]),
        ("index", 2, 60.0, &[0.0, 1.0, 2.0, 3.0]),
        ("newint", 10, 60.0, &[0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.0]),
    ];
    let (_net, _from, op) = filter(input, "resample", &[("start", 10.into()), ("end", 17.into())]);
    for (method, start, rate, expected) in rows {
        set(&op, &[("method", method.into())]);
        let made = fine(&op);
        assert_eq!((made.start(), made.rate(), made.samples()), (start, rate, expected), "{method}");
        let enabled = |par: &str| op.par(par).unwrap().is_enabled().unwrap();
        assert_eq!(enabled("rate"), method != "strech");
        assert_eq!(enabled("start"), matches!(method, "strech" | "newint"));
    }
}

#[test]
fn out_of_scope_a_channel_stays_where_it_was_in_time() {
    let input = || clip(30.0, 0, &[("a", &[0.0, 10.0, 20.0, 30.0]), ("b", &[0.0, 10.0, 20.0, 30.0])]);
    let (_net, _from, op) = filter(input(), "resample", &[("scope", "a".into())]);
    assert_eq!(samples(&op, "a"), [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 30.0]);
    assert_eq!(samples(&op, "b"), [0.0, 0.0, 10.0, 10.0, 20.0, 20.0, 30.0, 30.0]);
    set(&op, &[("method", "index".into())]);
    assert_eq!(samples(&op, "b"), [0.0, 10.0, 20.0, 30.0]);
    set(&op, &[("method", "strech".into()), ("start", 2.into()), ("end", 5.into())]);
    assert_eq!(samples(&op, "a"), [0.0, 10.0, 20.0, 30.0], "stretched over as many samples");
    assert_eq!(samples(&op, "b"), [20.0, 30.0, 30.0, 30.0], "held behind its end");
    set(&op, &[("scope", "nothing".into()), ("method", "newint".into()), ("rate", 15.into())]);
    assert_eq!(samples(&op, "a"), [30.0; 4]);
    assert_eq!(names(&op), "a b");
}

#[test]
fn a_slice_only_changes_its_rate_and_has_the_interval_of_every_slice() {
    let net = Network::new();
    let root = net.root();
    let wave =
        create(&root, "wave", &[("wavetype", "ramp".into()), ("period", 100.into()), ("rate", 100.into())]);
    set(&wave, &[("timeslice", true.into())]);
    let op = create(&root, "resample", &[("rate", 480.into()), ("method", "newint".into())]);
    super::connect(&wave, &op, 0);
    let beside = create(&root, "constant", &[("rate", 480.into()), ("timeslice", true.into())]);
    for (at, frames) in [1, 1, 1, 3, 1, 1, 7, 1].into_iter().enumerate() {
        net.advance(frames).unwrap();
        let (slice, other) = (fine(&op), fine(&beside));
        assert_eq!((slice.start(), slice.end(), slice.is_slice()), (other.start(), other.end(), true));
        let newest = wave.clip().unwrap().end() as f64 / 100.0;
        for (index, sample) in (slice.start()..).zip(slice.samples()) {
            let due = (index as f64 / 480.0).min(newest) / 100.0;
            assert!(at == 0 || (f64::from(*sample) - due).abs() < 1e-6, "{sample} for {due}");
        }
    }
}

#[test]
fn extend_sets_what_is_outside_and_asis_leaves_it() {
    let mut input = clip(60.0, 0, &[("a", &[1.0, 2.0])]);
    input.set_extend(Extend::Cycle, Extend::Slope);
    let (_net, _from, op) = filter(input, "extend", &[]);
    let conditions = || {
        let made = fine(&op);
        (made.extend_left(), made.extend_right(), made.default_value())
    };
    assert_eq!(conditions(), (Extend::Cycle, Extend::Slope, 0.0));
    set(&op, &[("left", "mirror".into())]);
    assert_eq!(conditions(), (Extend::Mirror, Extend::Slope, 0.0));
    set(&op, &[("left", "asis".into()), ("right", "default".into()), ("defval", 4.into())]);
    assert_eq!(conditions(), (Extend::Cycle, Extend::Default, 4.0));
    assert_eq!(fine(&op).value_at(0, 9), 4.0);
    set(&op, &[("scope", "b".into())]);
    assert_eq!(conditions(), (Extend::Cycle, Extend::Slope, 0.0), "no channel is in scope");
}

#[test]
fn slices_of_a_clip_are_held_on_a_line_or_cut() {
    // The timeline stands on frame 1 first: sample 0. Frames that pass, then what comes of each method.
    let rows: [(&str, [&[f32]; 3]); 3] = [
        ("hold", [&[0.0], &[3.0, 3.0, 3.0], &[4.0]]),
        ("linear", [&[0.0], &[1.0, 2.0, 3.0], &[4.0]]),
        ("trim", [&[0.0], &[10.0, 2.0, 3.0], &[4.0]]),
    ];
    for (method, expected) in rows {
        let input = clip(60.0, 0, &[("a", &[0.0, 10.0, 2.0, 3.0, 4.0]), ("b", &[0.0, 10.0, 2.0, 3.0, 4.0])]);
        let (net, _from, op) =
            filter(input, "timeslice", &[("method", method.into()), ("scope", "a".into())]);
        let trimmed: [&[f32]; 3] = [&[0.0], &[10.0, 2.0, 3.0], &[4.0]];
        for (at, (expected, trimmed)) in expected.into_iter().zip(trimmed).enumerate() {
            if at > 0 {
                net.advance([1, 3, 1][at]).unwrap();
            }
            let slice = fine(&op);
            assert_eq!(samples(&op, "a"), expected, "{method}");
            assert_eq!(samples(&op, "b"), trimmed, "out of scope, {method}");
            assert!(slice.is_slice());
            assert_eq!(
                slice.end(),
                i64::try_from(net.time().abs_frame).unwrap(),
                "on the clock of all slices"
            );
        }
    }
}

#[test]
fn a_slice_is_passed_on_and_a_clip_is_cut_every_frame_that_is_asked() {
    let net = Network::new();
    let wave = create(&net.root(), "wave", &[("timeslice", true.into())]);
    let op = create(&net.root(), "timeslice", &[]);
    super::connect(&wave, &op, 0);
    op.set_flag(Flag::Viewer, true).unwrap();
    net.step().unwrap();
    assert!(std::sync::Arc::ptr_eq(&fine(&op), &fine(&wave)));
    set(&wave, &[("timeslice", false.into())]);
    for _ in 0..5 {
        net.step().unwrap();
    }
    assert_eq!((op.total_cooks(), wave.total_cooks()), (Ok(6), Ok(2)));
}

#[test]
fn rename_follows_its_patterns_within_the_scope() {
    let input = clip(60.0, 0, &[("c1", &[1.0]), ("c2", &[2.0]), ("amb", &[3.0])]);
    let (_net, from, op) = filter(input, "rename", &[]);
    let given = |pars: &[(&str, &str)]| {
        for (par, value) in pars {
            op.par(par).unwrap().set(*value).unwrap();
        }
        let all = names(&op);
        assert_eq!(op.clip().unwrap().samples(), [1.0, 2.0, 3.0]);
        all
    };
    assert_eq!(given(&[]), "c1 c2 amb");
    assert!(
        std::sync::Arc::ptr_eq(&op.clip().unwrap(), &from.clip().unwrap()),
        "nothing to do, nothing copied"
    );
    assert_eq!(given(&[("renamefrom", "c* amb"), ("renameto", "b[1-2] x")]), "b1 b2 x");
    assert_eq!(given(&[("scope", "^c2")]), "b1 c2 x", "what is out of scope stays");
    assert_eq!(given(&[("scope", "*"), ("renamefrom", "*"), ("renameto", "x x")]), "x x amb");
    assert!(op.warnings().unwrap().contains("called x"), "{:?}", op.warnings());
    assert_eq!(given(&[("renamefrom", "(")]), "c1 c2 amb");
    assert!(op.errors().unwrap().starts_with("Rename: "), "{:?}", op.errors());
    assert_eq!(given(&[("renamefrom", "c*"), ("renameto", "new*")]), "new1 new2 amb");
    fine(&op);
    assert!(op.par("commonrenameto").is_err(), "it renames by itself");
}

#[test]
fn null_passes_on_what_it_has_and_misses_what_it_has_not() {
    let (net, from, op) = filter(clip(60.0, 0, &[("a", &[1.0])]), "nullCHOP", &[("scope", "b".into())]);
    assert!(std::sync::Arc::ptr_eq(&fine(&op), &from.clip().unwrap()));
    for op_type in ["nullCHOP", "nullTOP", "rename", "extend", "resample", "timeslice", "merge", "select"] {
        let alone = create(&net.root(), op_type, &[]);
        alone.data().unwrap();
        assert_eq!(alone.warnings().unwrap(), "Not enough inputs.", "{op_type}");
    }
}
