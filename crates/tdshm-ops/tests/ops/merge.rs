//! Merge: rates, intervals, names, slices.

use super::{clip, connect, create, fine, names, samples, set, source};
use tdshm_ops::clip::{Clip, Extend};
use tdshm_ops::{Network, Op, Value};

fn merge(inputs: Vec<Clip>, pars: &[(&str, Value)]) -> (Network, Op) {
    let net = Network::new();
    let op = create(&net.root(), "merge", pars);
    for (at, input) in inputs.into_iter().enumerate() {
        connect(&source(&net.root(), input), &op, at);
    }
    net.step().unwrap();
    op.data().unwrap();
    (net, op)
}

#[test]
fn rates_come_together_as_the_page_says() {
    let inputs = || {
        vec![
            clip(30.0, 0, &[("a", &[0.0, 10.0])]),
            clip(60.0, 0, &[("b", &[0.0, 1.0, 2.0, 3.0])]),
            clip(15.0, 0, &[("c", &[8.0])]),
        ]
    };
    let rows: [(&str, f64, [&[f32]; 3]); 3] = [
        ("first", 30.0, [&[0.0, 10.0], &[0.5, 2.5], &[8.0, 8.0]]),
        ("max", 60.0, [&[0.0, 5.0, 10.0, 10.0], &[0.0, 1.0, 2.0, 3.0], &[8.0; 4]]),
        ("min", 15.0, [&[5.0], &[1.5], &[8.0]]),
    ];
    let (_net, op) = merge(inputs(), &[]);
    for (srselect, rate, expected) in rows {
        set(&op, &[("srselect", srselect.into())]);
        assert_eq!(fine(&op).rate(), rate);
        for (name, expected) in ["a", "b", "c"].into_iter().zip(expected) {
            assert_eq!(samples(&op, name), expected, "{srselect}");
        }
    }
    set(&op, &[("srselect", "err".into())]);
    assert_eq!(op.num_chans(), Ok(0));
    assert_eq!(
        op.errors().unwrap(),
        "The sample rates of the inputs differ: input 0 has 30 Hz and input 1 has 60 Hz; set Sample Rate Match to \
         another choice, or resample one of them."
    );
    set(&op, &[("srselect", "max".into())]);
    assert_eq!(fine(&op).num_channels(), 3);
}

#[test]
fn intervals_come_together_as_the_page_says() {
    let mut late = clip(60.0, 4, &[("b", &[10.0, 20.0])]);
    late.set_extend(Extend::Default, Extend::Cycle);
    let inputs = vec![clip(60.0, 2, &[("a", &[1.0, 2.0, 3.0])]), late];
    let rows: [(&str, i64, [&[f32]; 2]); 7] = [
        ("automatic", 2, [&[1.0, 2.0, 3.0, 3.0], &[0.0, 0.0, 10.0, 20.0]]),
        ("extendtomin", 2, [&[1.0, 2.0, 3.0, 3.0], &[0.0, 0.0, 10.0, 20.0]]),
        ("stretchtomin", 2, [&[1.0, 1.75, 2.5, 3.0], &[10.0, 15.0, 20.0, 20.0]]),
        ("shifttomin", 2, [&[1.0, 2.0, 3.0], &[10.0, 20.0, 10.0]]),
        ("trimtofirst", 2, [&[1.0, 2.0, 3.0], &[0.0, 0.0, 10.0]]),
        ("stretchtofirst", 2, [&[1.0, 2.0, 3.0], &[10.0, 50.0 / 3.0, 20.0]]),
        ("shifttofirst", 2, [&[1.0, 2.0, 3.0], &[10.0, 20.0, 10.0]]),
    ];
    let (_net, op) = merge(inputs, &[]);
    for (align, start, expected) in rows {
        set(&op, &[("align", align.into())]);
        assert_eq!(fine(&op).start(), start);
        assert_eq!(samples(&op, "a"), expected[0], "{align}");
        assert_eq!(samples(&op, "b"), expected[1], "{align}");
    }
    // Out of scope a channel is only extended.
    set(&op, &[("align", "shifttofirst".into()), ("scope", "a".into())]);
    assert_eq!(samples(&op, "b"), [0.0, 0.0, 10.0]);
    assert_eq!(names(&op), "a b");
}

#[test]
fn a_name_that_occurs_again_is_counted_up_or_left_out() {
    let one = |names: &[&str], value: f32| {
        let value = &[value][..];
        clip(60.0, 0, &names.iter().map(|name| (*name, value)).collect::<Vec<_>>())
    };
    let inputs =
        || vec![one(&["tx", "chan1"], 1.0), one(&["chan1", "chan2"], 2.0), one(&["tx", "chan1"], 3.0)];
    let rows: [(&str, &str, &[f32]); 3] = [
        ("unique", "tx chan1 chan2 chan3 tx1 chan4", &[1.0, 1.0, 2.0, 2.0, 3.0, 3.0]),
        ("keepfirst", "tx chan1 chan2", &[1.0, 1.0, 2.0]),
        ("keeplast", "tx chan1 chan2", &[3.0, 3.0, 2.0]),
    ];
    let (_net, op) = merge(inputs(), &[]);
    for (duplicate, expected, values) in rows {
        set(&op, &[("duplicate", duplicate.into())]);
        assert_eq!((names(&op).as_str(), fine(&op).samples()), (expected, values), "{duplicate}");
    }
    let last = one(&["a18446744073709551615", "a18446744073709551615", "01", "01"], 1.0);
    let (_net, op) = merge(vec![last], &[]);
    assert_eq!(names(&op), "a18446744073709551615 a0 01 2");
}

#[test]
fn ten_thousand_equal_names_do_not_take_for_ever() {
    let some = |from: usize| {
        let names: Vec<String> = (from..from + 20_000).map(|number| format!("chan{number}")).collect();
        clip(60.0, 0, &names.iter().map(|name| (name.as_str(), &[1.0][..])).collect::<Vec<_>>())
    };
    let (_net, op) = merge(vec![some(1), some(1), some(5)], &[]);
    let names = fine(&op).names().clone();
    assert_eq!(
        (names.len(), names.get(20_000), names.get(59_999)),
        (60_000, Some("chan20001"), Some("chan60000"))
    );
}

#[test]
fn slices_of_other_rates_and_clips_come_together_in_one_slice() {
    let net = Network::new();
    let root = net.root();
    let ramp = |rate: f64| {
        create(&root, "wave", &[("wavetype", "ramp".into()), ("period", 1000.into()), ("rate", rate.into())])
    };
    let inputs = [ramp(60.0), ramp(44_100.0), ramp(24.0), ramp(90.0)];
    for op in &inputs[..3] {
        set(op, &[("timeslice", true.into())]);
    }
    // The last one is a clip: 600 frames of the timeline.
    let hold = source(&root, clip(60.0, 0, &[("still", &[7.0])]));
    for srselect in ["first", "max", "min"] {
        let op = create(&root, "merge", &[("srselect", srselect.into())]);
        for (at, input) in inputs.iter().chain([&hold]).enumerate() {
            connect(input, &op, at);
        }
        let mut end = None;
        for frames in [1, 1, 1, 1, 3, 1, 2, 1, 8, 1, 1] {
            net.advance(frames).unwrap();
            let slice = fine(&op);
            assert!(slice.is_slice());
            assert_eq!(names(&op), "chan1 chan2 chan3 chan4 still");
            if let Some(end) = end {
                assert!(slice.start() == end + 1 || srselect == "min" && slice.start() == end);
            }
            // A sample that stands for two frames is nearer to the second of them.
            let is_first_or_again = end.is_none_or(|end| end == slice.start());
            for index in slice.start()..=slice.end() {
                let now = index as f64 / slice.rate();
                for (channel, input) in inputs[..3].iter().enumerate() {
                    let newest = input.clip().unwrap().end() as f64 / input.clip().unwrap().rate();
                    let due = now.min(newest) / 1000.0;
                    let got = slice.value_at(channel, index);
                    assert!(is_first_or_again || (got - due).abs() < 1e-6, "{srselect}: {got} for {due}");
                }
                assert_eq!(slice.value_at(4, index), 7.0);
            }
            // A clip goes by the timeline, on which the first frame is sample 0.
            let due = net.time().seconds() / 1000.0;
            let got = slice.value_at(3, slice.end());
            let steps = (got - due).abs() * 1000.0 * slice.rate();
            assert!(steps < 1.5, "{srselect}: {got} for {due}");
            end = Some(slice.end());
        }
        op.destroy().unwrap();
    }
}

#[test]
fn what_is_too_long_is_told_and_the_output_stays() {
    let far = vec![clip(60.0, 0, &[("a", &[1.0])]), clip(60.0, i64::MAX, &[("b", &[2.0])])];
    let (_net, op) = merge(far, &[("align", "shifttofirst".into())]);
    assert_eq!(fine(&op).samples(), [1.0, 2.0]);
    set(&op, &[("align", "automatic".into())]);
    assert_eq!(op.clip().unwrap().samples(), [1.0, 2.0]);
    assert!(op.errors().unwrap().contains("more than the limit"), "{:?}", op.errors());
    let fast = vec![clip(60.0, 0, &[("a", &[1.0; 600])]), clip(1e9, 0, &[("b", &[2.0])])];
    let (_net, op) = merge(fast, &[]);
    assert!(op.errors().unwrap().contains("10000000000 samples are more"), "{:?}", op.errors());
}

#[test]
fn an_input_without_a_wire_and_one_without_channels_are_left_out() {
    let net = Network::new();
    let op = create(&net.root(), "merge", &[]);
    connect(&source(&net.root(), clip(60.0, 0, &[("a", &[1.0])])), &op, 0);
    connect(&create(&net.root(), "nullCHOP", &[]), &op, 1);
    connect(&source(&net.root(), clip(60.0, 0, &[("b", &[2.0])])), &op, 2);
    assert_eq!((names(&op).as_str(), fine(&op).samples()), ("a b", &[1.0, 2.0][..]));
    op.input_connector(0).unwrap().disconnect().unwrap();
    assert_eq!((names(&op).as_str(), fine(&op).samples()), ("b", &[2.0][..]));
}
