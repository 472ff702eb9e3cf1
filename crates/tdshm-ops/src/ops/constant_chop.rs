//! Constant CHOP: channels of one sample each.

use std::sync::Arc;

use crate::clip::ChannelNames;
use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;

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
                .help("The channel's name; empty for no channel. A pattern such as t[xyz] makes several of the same value."),
        );
        pars.push(
            ParSpec::float(pair.value, format!("Value {index}"), 0.0)
                .aliases(pair.older_value)
                .page("Constant")
                .slider(-1.0, 1.0)
                .help("The channel's value."),
        );
    }
    pars.push(
        ParSpec::float("rate", "Sample Rate", 0.0)
            .at_least(0.0)
            .page("Channel")
            .help("Samples a second; 0 for the timeline's rate."),
    );
    OpSpec::new(
        "constantCHOP",
        Family::Chop,
        "Constant",
        "Channels of one sample each, whose values are parameters.",
        || Box::<Constant>::default(),
    )
    .pars(pars)
    .common_page()
}

/// Names worked out from the texts.
#[derive(Default)]
struct Constant {
    texts: Vec<Arc<str>>,
    names: ChannelNames,
    /// Which pair each channel's value comes from.
    pairs: Vec<usize>,
}

impl Constant {
    fn name(&mut self, cook: &mut Cook) {
        let texts = PAIRS.iter().map(|pair| cook.par_text(pair.name));
        if self.texts.len() == PAIRS.len()
            && self.texts.iter().zip(texts.clone()).all(|(old, new)| *old == new)
        {
            return;
        }
        let texts: Vec<_> = texts.collect();
        let mut names: Vec<String> = Vec::new();
        self.pairs.clear();
        for (index, text) in texts.iter().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            match crate::pattern::Expansion::parse(text) {
                Ok(made) => {
                    self.pairs.extend(made.names().iter().map(|_| index));
                    names.extend(made.into_names());
                }
                Err(error) => cook.error(format!("const{index}name: {error}")),
            }
        }
        self.texts = texts;
        self.names = ChannelNames::new(names).sanitised();
    }
}

impl Operator for Constant {
    fn cook(&mut self, cook: &mut Cook) {
        self.name(cook);
        let rate = super::generator::rate_of(cook, "rate");
        let slice = cook.time_slice(rate);
        let len = slice.map_or(1, |slice| slice.len());
        let (names, pairs) = (self.names.clone(), &self.pairs);
        let made = cook.fill_clip_with(|cook, clip| {
            clip.set_start(slice.map_or(0, |slice| slice.first));
            clip.set_slice(slice.is_some());
            clip.set_rate(rate)?;
            let samples = clip.shape(names, len)?;
            for (samples, &pair) in samples.chunks_exact_mut(len.max(1)).zip(pairs) {
                let value = PAIRS.get(pair).map_or(0.0, |pair| cook.par_f64(pair.value));
                #[expect(clippy::cast_possible_truncation, reason = "samples are 32-bit (operators §3.1)")]
                samples.fill(value as f32);
            }
            Ok::<_, crate::clip::ClipError>(())
        });
        if let Err(error) = made {
            cook.error(error.to_string());
        }
    }
}
