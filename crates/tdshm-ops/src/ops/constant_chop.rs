//! Constant CHOP: channels of one sample each.

use std::sync::Arc;

use super::generator::{fill, rate_of, rate_par, room_for, sample};
use crate::clip::ChannelNames;
use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;
use crate::pattern::Expansion;

/// The names of a pair's parameters, with those of older builds.
struct Pair {
    name: &'static str,
    older_name: &'static [&'static str],
    value: &'static str,
    older_value: &'static [&'static str],
}

macro_rules! pairs {
    ($($number:literal)*) => {
        [$(Pair {
            name: concat!("const", $number, "name"),
            older_name: &[concat!("name", $number)],
            value: concat!("const", $number, "value"),
            older_value: &[concat!("value", $number)],
        }),*]
    };
}

static PAIRS: [Pair; 40] = pairs!(
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39
);

pub(crate) fn spec() -> OpSpec {
    let mut pars = Vec::new();
    for (index, pair) in PAIRS.iter().enumerate() {
        let first = if index == 0 { "chan1" } else { "" };
        pars.push(
            ParSpec::text(pair.name, format!("Name {index}"), first)
                .aliases(pair.older_name)
                .page("Constant")
                .help("The channel's name; empty for no channel. A pattern such as t[xyz] makes several of the same value. What is outside Scope is made as well, and stays 0 (ours)."),
        );
        pars.push(
            ParSpec::float(pair.value, format!("Value {index}"), 0.0)
                .aliases(pair.older_value)
                .page("Constant")
                .slider(-1.0, 1.0)
                .help("The channel's value. Any number will do, also one that is not finite."),
        );
    }
    pars.push(rate_par("Channel"));
    OpSpec::new(
        "constantCHOP",
        Family::Chop,
        "Constant",
        "Channels of one sample each, whose values are parameters. Time sliced, each value fills the slice.",
        || Box::<Constant>::default(),
    )
    .pars(pars)
    .common_page()
    .slices_itself()
}

/// Names worked out from the texts.
#[derive(Default)]
struct Constant {
    texts: Vec<Arc<str>>,
    names: ChannelNames,
    /// Which pair each channel's value comes from.
    pairs: Vec<usize>,
    problem: Option<String>,
}

impl Constant {
    fn name(&mut self, cook: &Cook) -> Result<(), String> {
        let texts = PAIRS.iter().map(|pair| cook.par_text(pair.name));
        if self.texts.len() != PAIRS.len()
            || self.texts.iter().zip(texts.clone()).any(|(old, new)| *old != new)
        {
            self.texts.clear();
            self.texts.extend(texts);
            self.problem = None;
            let mut names: Vec<String> = Vec::new();
            let mut pairs = Vec::new();
            for (index, text) in self.texts.iter().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
                match Expansion::parse(text) {
                    Ok(made) => {
                        pairs.extend(made.names().iter().map(|_| index));
                        names.extend(made.into_names());
                    }
                    Err(error) => {
                        self.problem = Some(format!("Name {index}: {error}"));
                        break;
                    }
                }
            }
            if self.problem.is_none() {
                self.names = ChannelNames::new(names).sanitised();
                self.pairs = pairs;
            }
        }
        self.problem.clone().map_or(Ok(()), Err)
    }
}

impl Operator for Constant {
    fn cook(&mut self, cook: &mut Cook) {
        let rate = match self.name(cook).and_then(|()| rate_of(cook, "rate")) {
            Ok(rate) => rate,
            Err(problem) => return cook.error(problem),
        };
        let slice = cook.time_slice(rate);
        let len = slice.map_or(1, |slice| slice.len());
        let (names, pairs) = (self.names.clone(), &self.pairs);
        let scope = cook.scope(&names);
        let mut values = [0.0; PAIRS.len()];
        let mut known = None;
        for &pair in pairs {
            // Those of one pair stand beside one another.
            if known != Some(pair)
                && let (Some(value), Some(pair)) = (values.get_mut(pair), PAIRS.get(pair))
            {
                *value = sample(cook.par_f64(pair.value));
            }
            known = Some(pair);
        }
        fill(cook, |clip| {
            room_for(names.len(), len)?;
            let is_whole = scope.len() == names.len();
            let samples = clip.shape(names, len)?;
            for (channel, (samples, &pair)) in samples.chunks_exact_mut(len.max(1)).zip(pairs).enumerate() {
                let is_made = is_whole || scope.binary_search(&channel).is_ok();
                samples.fill(if is_made { values.get(pair).copied().unwrap_or(0.0) } else { 0.0 });
            }
            clip.set_start(slice.map_or(0, |slice| slice.first));
            clip.set_slice(slice.is_some());
            clip.set_rate(rate)
        });
    }
}
