//! Operators: what a frame costs a network in which nobody has anything to do, and what the work of the operators costs
//! against the least that must be done for it.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that fails stops"
)]

use std::hint::black_box;
use std::time::Instant;

use tdshm_bench::{goal, median, pairs, row, show, spread};
use tdshm_ops::clip::{ChannelNames, Clip};
use tdshm_ops::resample::{Interpolation, Method, Resampling, resample};
use tdshm_ops::slice::Interval;
use tdshm_ops::{Flag, Force, Network, Pattern, ScriptCallback};

fn main() {
    idle();
    resampling();
    scope();
    merge();
}

/// A second of 100 channels, brought from 44,100 Hz to 48,000.
fn resampling() {
    const CHANNELS: usize = 100;
    const LEN: usize = 44_100;
    row(
        "# 100 channels of 44,100 samples, brought to 48 kHz",
        "baseline: memcpy of the samples that are read",
    );
    let (mut input, mut output) = (Clip::default(), Clip::default());
    let samples = input.shape(ChannelNames::numbered(CHANNELS), LEN).unwrap();
    for (at, sample) in samples.iter_mut().enumerate() {
        *sample = (at % 1000) as f32 / 1000.0;
    }
    input.set_rate(44_100.0).unwrap();
    let mut copy = input.samples().to_vec();
    for interpolation in Interpolation::ALL {
        let how = Resampling::new(Method::Preserve, interpolation, 48_000.0, Interval::default());
        let begin = Instant::now();
        let mut rounds = 0_u32;
        pairs(
            interpolation.menu_name(),
            7,
            1,
            || copy.copy_from_slice(black_box(input.samples())),
            || {
                resample(black_box(&input), &how, &mut output).unwrap();
                rounds += 1;
            },
        );
        // The copies are in the time as well, and cost little beside it.
        let megabytes = f64::from(rounds) * (CHANNELS * LEN * 4) as f64 / begin.elapsed().as_secs_f64() / 1e6;
        if interpolation == Interpolation::Linear {
            goal("resampling", megabytes >= 200.0, &format!("{megabytes:.0} MB/s, at least 200 MB/s"));
        }
    }
}

/// A scope of 20 terms, among 10,000 names.
fn scope() {
    row("# 10,000 names and a scope of 20 terms", "baseline: each name compared with 20 others");
    let names: Vec<String> = (0..10_000)
        .map(|at| format!("body{}/joint{}:t{}", at / 100, at % 100, ["x", "y", "z"][at % 3]))
        .collect();
    let terms: Vec<String> = (0..20)
        .map(|at| format!("body[{}-{}:2]/*:t[xy] ^*joint{at}?:*", at * 5, at * 5 + 4))
        .take(10)
        .collect();
    let text = terms.join(" ");
    let first = |rounds: usize| -> Vec<f64> {
        (0..rounds)
            .map(|_| {
                let begin = Instant::now();
                black_box(Pattern::parse(black_box(&text)).unwrap().select(&names));
                begin.elapsed().as_secs_f64()
            })
            .collect()
    };
    let others: Vec<&String> = names.iter().step_by(500).collect();
    pairs(
        "read and selected",
        15,
        1,
        || {
            let found = names.iter().filter(|name| others.iter().any(|other| other == name)).count();
            black_box(found);
        },
        || drop(first(1)),
    );
    let each = median(first(31));
    goal("scope, the first time", each < 5e-3, &format!("{}, under 5 ms", show(each)));

    // In an operator: once the names are known a cook only puts the channels where they belong.
    let net = Network::new();
    let script = net.root().create("scriptCHOP", None).unwrap();
    let names = ChannelNames::new(names);
    script
        .set_script(ScriptCallback::new(move |cook| {
            let names = names.clone();
            cook.fill_clip(|clip| clip.shape(names, 1).map(|_| ())).map_err(|error| error.to_string())
        }))
        .unwrap();
    let (all, some) =
        (net.root().create("extendCHOP", None).unwrap(), net.root().create("extendCHOP", None).unwrap());
    some.par("scope").unwrap().set(text.as_str()).unwrap();
    for op in [&all, &some] {
        op.par("left").unwrap().set("cycle").unwrap();
        op.input_connector(0).unwrap().connect(&script).unwrap();
        op.cook(Force::Yes).unwrap();
    }
    let ratio = pairs(
        "a cook, names as before, against scope *",
        15,
        20,
        || all.cook(Force::Yes).unwrap(),
        || some.cook(Force::Yes).unwrap(),
    );
    goal("scope, names as before", ratio < 1.5, &format!("{ratio:.2} of a cook without one, at most 1.5"));
}

/// 1000 channels of 1000 inputs, and of ten.
fn merge() {
    const LEN: usize = 60;
    row("# 1000 channels of 60 samples, merged", "baseline: memcpy of the samples");
    let from: Vec<f32> = vec![0.5; 1000 * LEN];
    let mut to = from.clone();
    for inputs in [10_usize, 1000] {
        let net = Network::new();
        let op = net.root().create("mergeCHOP", None).unwrap();
        for at in 0..inputs {
            let wave = net.root().create("waveCHOP", None).unwrap();
            wave.par("end").unwrap().set(60).unwrap();
            wave.par("channelname").unwrap().set(format!("c[1-{}]", 1000 / inputs).as_str()).unwrap();
            op.input_connector(at).unwrap().connect(&wave).unwrap();
        }
        op.cook(Force::Yes).unwrap();
        assert_eq!(op.num_chans().unwrap(), 1000);
        pairs(
            &format!("{inputs} inputs"),
            15,
            20,
            || to.copy_from_slice(black_box(&from)),
            || op.cook(Force::Yes).unwrap(),
        );
    }
}

/// 1000 operators in chains of ten, each of which somebody looks at: all are asked every frame, and none has a reason.
fn idle() {
    const FRAMES: u32 = 200;
    row(
        "# a network of 1000 idle operators",
        "a frame: median (least to greatest) of 31 repeats of 200 frames",
    );
    for (name, is_seen) in [("nobody looks", false), ("all are asked", true)] {
        let net = Network::new();
        for _ in 0..100 {
            let mut last = net.root().create("constantCHOP", None).unwrap();
            for _ in 0..9 {
                let next = net.root().create("nullCHOP", None).unwrap();
                next.input_connector(0).unwrap().connect(&last).unwrap();
                last = next;
            }
            last.cook(Force::Yes).unwrap();
            last.set_flag(Flag::Viewer, is_seen).unwrap();
        }
        net.step().unwrap();
        let times: Vec<f64> = (0..31)
            .map(|_| {
                let begin = Instant::now();
                for _ in 0..FRAMES {
                    net.step().unwrap();
                }
                begin.elapsed().as_secs_f64() / f64::from(FRAMES)
            })
            .collect();
        row(name, &spread(&times));
        let each = median(times);
        goal("1000 idle operators", each < 0.2e-3, &format!("{}, under 200 µs a frame", show(each)));
    }
}
