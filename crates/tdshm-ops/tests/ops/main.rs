//! The operators that stand beside those for shared memory, each in a network of its own.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod filters;
mod generators;
mod hostile;
mod merge;
mod pages;
mod select;

use std::sync::Arc;

use tdshm_ops::clip::{ChannelNames, Clip};
use tdshm_ops::{Network, Op, ScriptCallback, Value};

/// An operator of a type, a CHOP where no family is said, with these parameters.
fn create(parent: &Op, op_type: &str, pars: &[(&str, Value)]) -> Op {
    let has_family = ["CHOP", "TOP", "COMP"].iter().any(|family| op_type.ends_with(family));
    let op_type = if has_family { op_type.to_owned() } else { format!("{op_type}CHOP") };
    let op = parent.create(&op_type, None).unwrap();
    set(&op, pars);
    op
}

fn set(op: &Op, pars: &[(&str, Value)]) {
    for (par, value) in pars {
        op.par(par).unwrap().set(value.clone()).unwrap();
    }
}

fn connect(from: &Op, to: &Op, input: usize) {
    to.input_connector(input).unwrap().connect(from).unwrap();
}

/// A source of this clip.
fn source(parent: &Op, clip: Clip) -> Op {
    let op = parent.create("scriptCHOP", None).unwrap();
    op.set_script(ScriptCallback::new(move |cook| {
        cook.fill_clip(|out| out.copy_from(&clip)).map_err(|error| error.to_string())
    }))
    .unwrap();
    op
}

/// Channels of these samples, which begin at `start`.
fn clip(rate: f64, start: i64, channels: &[(&str, &[f32])]) -> Clip {
    let mut clip = Clip::default();
    let names = ChannelNames::new(channels.iter().map(|(name, _)| *name));
    let len = channels.first().map_or(0, |(_, samples)| samples.len());
    let all: Vec<f32> = channels.iter().flat_map(|(_, samples)| samples.iter().copied()).collect();
    clip.shape(names, len).unwrap().copy_from_slice(&all);
    clip.set_start(start);
    clip.set_rate(rate).unwrap();
    clip
}

fn names(op: &Op) -> String {
    op.clip().unwrap().names().iter().collect::<Vec<_>>().join(" ")
}

fn samples(op: &Op, channel: &str) -> Vec<f32> {
    op.clip().unwrap().channel_named(channel).unwrap().to_vec()
}

fn fine(op: &Op) -> Arc<Clip> {
    let clip = op.clip().unwrap();
    assert_eq!((op.errors().unwrap().as_str(), op.warnings().unwrap().as_str()), ("", ""));
    clip
}

/// A source, and an operator with one input that it is wired to.
fn filter(input: Clip, op_type: &str, pars: &[(&str, Value)]) -> (Network, Op, Op) {
    let net = Network::new();
    let from = source(&net.root(), input);
    let op = create(&net.root(), op_type, pars);
    connect(&from, &op, 0);
    net.step().unwrap();
    (net, from, op)
}
