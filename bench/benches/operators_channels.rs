//! Channels through a network of operators: out of one, into another, frame by frame.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark that fails stops")]

use std::hint::black_box;
use std::time::Instant;

use tdshm_bench::{goal, median, pairs, row, show, unique};
use tdshm_ops::clip::ChannelNames;
use tdshm_ops::{Cook, Family, Flag, Network, Op, OpSpec, Operator, Registry};

const CHANNELS: usize = 1000;
const LENGTH: usize = 60;
const SAMPLES: usize = 60_000;
/// 2 % of one core at 60 frames a second.
const GOAL: f64 = 0.02 / 60.0;

/// Channels that never change: what is measured is the way, not the source.
struct Source;

impl Operator for Source {
    fn cook(&mut self, cook: &mut Cook) {
        let filled = cook.fill_clip(|clip| {
            clip.shape(ChannelNames::numbered(CHANNELS), LENGTH).map(|samples| samples.fill(0.5))
        });
        if let Err(error) = filled {
            cook.error(error.to_string());
        }
    }
}

fn network() -> Network {
    let mut registry = Registry::standard();
    registry.add(OpSpec::new("sourceCHOP", Family::Chop, "Source", "For this.", || Box::new(Source)));
    Network::with_registry(registry)
}

fn out(net: &Network, name: &str, mem_type: &str) {
    let source = net.root().create("sourceCHOP", None).unwrap();
    let out = net.root().create("sharedmemoutCHOP", None).unwrap();
    out.par("name").unwrap().set(name).unwrap();
    out.par("memtype").unwrap().set(mem_type).unwrap();
    source.output_connector(0).unwrap().connect(&out).unwrap();
}

fn null(net: &Network, name: &str, mem_type: &str) -> Op {
    let input = net.root().create("sharedmeminCHOP", None).unwrap();
    input.par("name").unwrap().set(name).unwrap();
    input.par("memtype").unwrap().set(mem_type).unwrap();
    let null = net.root().create("nullCHOP", None).unwrap();
    input.output_connector(0).unwrap().connect(&null).unwrap();
    null.set_flag(Flag::Viewer, true).unwrap();
    null
}

fn measure(mem_type: &str) {
    let (name, global) = (unique("ops"), unique("opsglobal"));
    let (there, here) = (network(), network());
    there.set_global_name(&global);
    here.set_global_name(&global);
    out(&there, &name, mem_type);
    let null = null(&here, &name, mem_type);
    let frame = || {
        there.step().unwrap();
        here.step().unwrap();
    };
    frame();
    assert_eq!(null.num_chans().unwrap(), CHANNELS, "{:?}", null.warnings());
    let (from, mut to) = (vec![0.5_f32; SAMPLES], vec![0.0_f32; SAMPLES]);
    row(
        &format!("# {CHANNELS} channels x {LENGTH} samples, {mem_type}"),
        "baseline: one copy of the samples",
    );
    pairs("Out and In and Null", 101, 20, || black_box(&mut to).copy_from_slice(black_box(&from)), frame);
    let times = (0..500).map(|_| {
        let begin = Instant::now();
        frame();
        begin.elapsed().as_secs_f64()
    });
    let time = median(times.collect());
    goal(
        "a frame",
        time < GOAL,
        &format!("{}, and 2 % of one core at 60 frames a second are {}", show(time), show(GOAL)),
    );
    drop((null, there, here));
    tdshm::clean(&[&name, &global], tdshm::DryRun::No).unwrap();
}

fn main() {
    measure("local");
    measure("global");
}
