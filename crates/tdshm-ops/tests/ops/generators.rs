//! Constant, Wave and Noise.

use super::{create, fine, names, samples, set};
use tdshm_ops::clip::Extend;
use tdshm_ops::{Flag, Network};

#[test]
fn a_wave_has_the_shapes_of_its_menu() {
    let net = Network::new();
    let wave = create(
        &net.root(),
        "wave",
        &[("period", 8.into()), ("periodunit", "samples".into()), ("startunit", "samples".into())],
    );
    set(&wave, &[("start", 0.into()), ("end", 8.into()), ("endunit", "samples".into())]);
    let half = 0.5_f64.sqrt() as f32;
    let rows: [(&str, [f32; 9]); 6] = [
        ("const", [1.0; 9]),
        ("sin", [0.0, half, 1.0, half, 0.0, -half, -1.0, -half, 0.0]),
        ("tri", [0.0, 0.5, 1.0, 0.5, 0.0, -0.5, -1.0, -0.5, 0.0]),
        ("ramp", [0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 0.0]),
        ("square", [1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0, 1.0]),
        ("pulse", [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]),
    ];
    let close = |expected: &[f32]| {
        for (got, expected) in samples(&wave, "chan1").iter().zip(expected) {
            assert!((got - expected).abs() < 1e-6, "{got} for {expected}");
        }
    };
    for (shape, expected) in rows {
        set(&wave, &[("wavetype", shape.into())]);
        assert_eq!(fine(&wave).len_samples(), 9);
        close(&expected);
    }
    set(&wave, &[("wavetype", "normal".into())]);
    let bell = samples(&wave, "chan1");
    assert_eq!(bell[4], 1.0, "highest in the middle");
    assert!(bell[0] < 0.02 && bell[3] == bell[5]);

    set(
        &wave,
        &[("wavetype", "ramp".into()), ("amp", 2.into()), ("offset", 1.into()), ("phase", 0.5.into())],
    );
    close(&[2.0, 2.25, 2.5, 2.75, 1.0, 1.25, 1.5, 1.75, 2.0]);
    // The middle of the period moves to three quarters of it.
    set(&wave, &[("amp", 1.into()), ("offset", 0.into()), ("phase", 0.into()), ("bias", 0.5.into())]);
    close(&[0.0, 1.0 / 12.0, 1.0 / 6.0, 0.25, 1.0 / 3.0, 5.0 / 12.0, 0.5, 0.75, 0.0]);
    for bias in [-1.0, 1.0] {
        set(&wave, &[("bias", bias.into())]);
        assert!(samples(&wave, "chan1").iter().all(|sample| (0.0..=1.0).contains(sample)));
    }
}

#[test]
fn the_interval_is_what_start_end_and_their_units_say() {
    let net = Network::new();
    let wave = create(&net.root(), "wave", &[]);
    // Start, its unit, end, its unit, rate; first sample, number of samples.
    let rows = [
        (1.0, "frames", 600.0, "frames", 0.0, 0, 600),
        (1.0, "frames", 1.0, "frames", 0.0, 0, 1),
        (61.0, "frames", 120.0, "frames", 30.0, 30, 30),
        (1.0, "frames", 600.0, "frames", 44_100.0, 0, 441_000),
        (0.0, "seconds", 10.0, "seconds", 44_100.0, 0, 441_000),
        (-1.0, "seconds", 1.0, "seconds", 60.0, -60, 120),
        (0.0, "seconds", 0.1, "seconds", 30.0, 0, 3),
        (5.0, "samples", 9.0, "samples", 0.0, 5, 5),
        (5.0, "samples", -9.0, "samples", 0.0, 5, 1),
        (0.0, "samples", 1.0, "seconds", 0.0, 0, 60),
    ];
    for (start, start_unit, end, end_unit, rate, first, len) in rows {
        set(&wave, &[("start", start.into()), ("startunit", start_unit.into())]);
        set(&wave, &[("end", end.into()), ("endunit", end_unit.into()), ("rate", rate.into())]);
        let clip = fine(&wave);
        assert_eq!(
            (clip.start(), clip.len_samples()),
            (first, len),
            "{start} {start_unit} to {end} {end_unit}"
        );
        assert_eq!(clip.rate(), if rate == 0.0 { 60.0 } else { rate });
    }
    assert_eq!(wave.clip().unwrap().extend_left(), Extend::Cycle);
    set(&wave, &[("left", "default".into()), ("right", "mirror".into()), ("defval", 7.into())]);
    let clip = fine(&wave);
    assert_eq!(
        (clip.extend_left(), clip.extend_right(), clip.default_value()),
        (Extend::Default, Extend::Mirror, 7.0)
    );
}

/// Runs of frames with drops, at rates beside and above the timeline's: together the slices are the timeline's samples.
#[test]
fn slices_join_and_are_the_timelines_samples() {
    for op_type in ["wave", "noise", "constant"] {
        for rate in [0.0, 24.0, 100.0, 48_000.0 / 1.001, 44_100.0] {
            let net = Network::new();
            let sliced = create(&net.root(), op_type, &[("rate", rate.into()), ("timeslice", true.into())]);
            let whole = create(&net.root(), op_type, &[("rate", rate.into())]);
            for op in [&sliced, &whole] {
                match op_type {
                    "wave" => set(op, &[("wavetype", "square".into()), ("period", 0.05.into())]),
                    "noise" => set(op, &[("type", "brownian".into()), ("period", 0.1.into())]),
                    _ => set(op, &[("const0value", 3.into())]),
                }
                if op_type != "constant" {
                    set(op, &[("channelname", "a b".into()), ("end", 200.into())]);
                }
            }
            let timeline = fine(&whole);
            let mut end = None;
            for frames in [1, 1, 1, 4, 1, 2, 1, 1, 9, 1, 1] {
                net.advance(frames).unwrap();
                let slice = fine(&sliced);
                assert!(slice.is_slice());
                if let Some(end) = end {
                    // At a rate below the timeline's a sample may have to stand for two frames.
                    let repeats = slice.start() == end && slice.end() == end && slice.rate() < 60.0;
                    assert!(
                        slice.start() == end + 1 || repeats,
                        "{op_type} at {rate}: {end} then {}",
                        slice.start()
                    );
                }
                end = Some(slice.end());
                for channel in 0..slice.num_channels() {
                    for index in slice.start()..=slice.end() {
                        let due = timeline.value_at(channel, index);
                        assert_eq!(
                            slice.value_at(channel, index),
                            due,
                            "{op_type} at {rate}, sample {index}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_generator_cooks_once_and_every_frame_only_where_it_is_sliced_and_asked() {
    for op_type in ["wave", "noise", "constant"] {
        let net = Network::new();
        let op = create(&net.root(), op_type, &[("timeslice", true.into())]);
        for _ in 0..5 {
            net.step().unwrap();
        }
        assert_eq!(op.total_cooks(), Ok(0), "nobody asks");
        op.set_flag(Flag::Viewer, true).unwrap();
        for _ in 0..5 {
            net.step().unwrap();
        }
        assert_eq!(op.total_cooks(), Ok(5));
        set(&op, &[("timeslice", false.into())]);
        for _ in 0..5 {
            net.step().unwrap();
        }
        assert_eq!(op.total_cooks(), Ok(6));
    }
}

#[test]
fn a_constant_has_a_channel_for_each_name() {
    let net = Network::new();
    let constant = create(
        &net.root(),
        "constant",
        &[
            ("const0name", "t[xy]".into()),
            ("const0value", 2.into()),
            ("name1", "größe".into()),
            ("value1", f64::NAN.into()),
            ("const2value", 5.into()),
            ("const39name", "last".into()),
            ("const39value", (-1).into()),
        ],
    );
    let clip = fine(&constant);
    assert!(clip.names().are(["tx", "ty", "gr__e", "last"]));
    assert_eq!((clip.len_samples(), clip.start(), clip.is_slice()), (1, 0, false));
    assert_eq!(clip.samples()[..2], [2.0, 2.0]);
    assert!(clip.samples()[2].is_nan());
    assert_eq!(clip.samples()[3], -1.0);

    // What cannot be read is told for as long as it stands there, and the channels stay.
    set(&constant, &[("const1name", "a[1-99999999]".into())]);
    for value in [3, 4] {
        set(&constant, &[("const0value", value.into())]);
        assert_eq!(names(&constant), "tx ty gr__e last");
        assert!(constant.errors().unwrap().starts_with("Name 1: "), "{}", constant.errors().unwrap());
    }
    set(&constant, &[("const1name", "".into())]);
    assert_eq!((names(&constant).as_str(), fine(&constant).samples()), ("tx ty last", &[4.0, 4.0, -1.0][..]));
}

#[test]
fn noise_is_the_same_each_time_and_another_for_another_seed_and_channel() {
    let net = Network::new();
    let pars = [("channelname", "a b".into()), ("end", 20_000.into())];
    for kind in ["hermite", "random", "brownian"] {
        let one = create(&net.root(), "noise", &pars);
        let same = create(&net.root(), "noise", &pars);
        let other = create(&net.root(), "noise", &pars);
        set(&one, &[("type", kind.into())]);
        set(&same, &[("type", kind.into())]);
        set(&other, &[("type", kind.into()), ("seed", 2.into())]);
        let (a, b) = (samples(&one, "a"), samples(&one, "b"));
        assert_eq!(a, samples(&same, "a"));
        assert_ne!(a, samples(&other, "a"));
        assert_ne!(a, b);
        assert!(a.iter().all(|sample| (-1.0..=1.0).contains(sample)));
        let mean = a.iter().sum::<f32>() / a.len() as f32;
        assert!(mean.abs() < 0.2 && a.iter().any(|sample| *sample > 0.4), "{kind}: {mean}");
        let step = a.windows(2).map(|two| (two[1] - two[0]).abs()).fold(0.0, f32::max);
        assert_eq!(step > 0.5, kind == "random", "{kind}: {step} from sample to sample");
    }
}

#[test]
fn what_is_out_of_scope_is_made_and_stays_zero() {
    let net = Network::new();
    for (op_type, par) in [("wave", "channelname"), ("noise", "channelname"), ("constant", "const0name")] {
        let op = create(&net.root(), op_type, &[(par, "a b c".into()), ("scope", "* ^b".into())]);
        match op_type {
            "constant" => set(&op, &[("const0value", 1.into())]),
            _ => set(&op, &[("offset", 5.into())]),
        }
        assert_eq!(names(&op), "a b c");
        fine(&op);
        assert!(samples(&op, "b").iter().all(|sample| *sample == 0.0));
        assert!(samples(&op, "a").iter().chain(&samples(&op, "c")).all(|sample| *sample != 0.0));
        set(&op, &[("scope", "*".into())]);
        assert!(samples(&op, "b").iter().all(|sample| *sample != 0.0));
    }
}
