//! Networks of operators that are made for tests.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod common_page;
mod cooking;
mod exports;
mod info;
mod objects;
mod scripts;

use super::*;
use crate::clip::ChannelNames;
use crate::cook::Cook;
use crate::op::{CookPolicy, Family, OpSpec, Operator};
use crate::par::ParSpec;

/// Puts its parameter `value` out as one sample of `chan1`; passes an input on where there is one.
struct Give;

impl Operator for Give {
    fn cook(&mut self, cook: &mut Cook) {
        if cook.is_wired(0) {
            return cook.pass(0);
        }
        let value = cook.par_f64("value");
        cook.fill_clip(|clip| {
            #[expect(clippy::cast_possible_truncation, reason = "samples are 32-bit")]
            clip.shape(ChannelNames::numbered(1), 1).unwrap().fill(value as f32);
        });
    }
}

/// Puts out channels called as its parameter `names` says, of the samples that `values` holds in turn.
struct Chans;

impl Operator for Chans {
    fn cook(&mut self, cook: &mut Cook) {
        let (names, values) = (cook.par_text("names"), cook.par_text("values"));
        let samples: Vec<f32> = values.split_whitespace().map(|value| value.parse().unwrap()).collect();
        let names = ChannelNames::new(names.split_whitespace());
        let is_slice = cook.par_is_on("slice");
        cook.fill_clip(|clip| {
            let len = samples.len() / names.len().max(1);
            clip.shape(names, len).unwrap().copy_from_slice(&samples);
            clip.set_slice(is_slice);
        });
    }
}

fn net() -> Network {
    let mut registry = Registry::standard();
    let pars = || vec![ParSpec::toggle("active", "Active", true), ParSpec::float("value", "Value", 0.0)];
    let spec = |name| OpSpec::new(name, Family::Chop, "Give", "For tests.", || Box::new(Give)).inputs(0, 1);
    registry.add(spec("giveCHOP").pars(pars()).common_page());
    registry.add(spec("feedinCHOP").pars(pars()).policy(CookPolicy::WhenAsked).common_page());
    registry.add(spec("feedoutCHOP").pars(pars()).policy(CookPolicy::EveryFrame).common_page());
    let pars = vec![
        ParSpec::text("names", "Names", "chan1"),
        ParSpec::text("values", "Values", "0"),
        ParSpec::toggle("slice", "Slice", false),
    ];
    let chans =
        OpSpec::new("chansCHOP", Family::Chop, "Channels", "For tests.", || Box::new(Chans)).inputs(0, 1);
    registry.add(chans.pars(pars).common_page());
    Network::with_registry(registry)
}

fn value(op: &Op) -> f64 {
    op.chan("chan1").unwrap().unwrap().eval().unwrap().unwrap()
}

/// An operator with these channels of one sample.
fn chans(within: &Op, name: &str, channels: &[(&str, f64)]) -> Op {
    let op = within.create("chansCHOP", name).unwrap();
    give(&op, channels);
    op
}

fn give(op: &Op, channels: &[(&str, f64)]) {
    let names: Vec<&str> = channels.iter().map(|(name, _)| *name).collect();
    let values: Vec<String> = channels.iter().map(|(_, value)| value.to_string()).collect();
    op.par("names").unwrap().set(names.join(" ")).unwrap();
    op.par("values").unwrap().set(values.join(" ")).unwrap();
}
