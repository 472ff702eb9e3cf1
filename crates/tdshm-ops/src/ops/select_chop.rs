//! Select CHOP: channels of another CHOP or of the input, in a new order and with new names.

use std::sync::Arc;

use crate::clip::{ChannelNames, Clip};
use crate::cook::Cook;
use crate::data::Data;
use crate::op::{Family, OpSpec, Operator};
use crate::par::{Asks, ParSpec, Style};
use crate::pattern::{Pattern, Rename};

pub(crate) fn spec() -> OpSpec {
    OpSpec::new(
        "selectCHOP",
        Family::Chop,
        "Select",
        "Channels of the input, or of any other CHOP by its path: the way across components.",
        || Box::<Select>::default(),
    )
    .inputs(0, 1)
    .pars(vec![
        ParSpec::op("chop", "CHOP", Style::Chop, "")
            .asks(Asks::Yes)
            .page("Select")
            .help("Where the channels come from; empty for the input."),
        ParSpec::text_menu("channames", "Channel Names", "*", &[("*", "*")])
            .page("Select")
            .help("Which channels, in the order of the terms; one that is named twice comes out twice."),
        ParSpec::text_menu("renamefrom", "Rename from", "*", &[("*", "*")])
            .page("Select")
            .help("Which channels get new names."),
        ParSpec::text_menu("renameto", "Rename to", "", &[])
            .page("Select")
            .help("The new names; empty leaves the names as they are."),
    ])
    .common_page()
}

/// Which channels, and what they are called: worked out again where a text or the names change.
#[derive(Default)]
struct Select {
    texts: [Arc<str>; 3],
    names: ChannelNames,
    picked: Vec<usize>,
    new_names: ChannelNames,
    problem: Option<String>,
    is_known: bool,
}

impl Operator for Select {
    fn cook(&mut self, cook: &mut Cook) {
        let Some(source) = source(cook, "chop") else { return };
        let texts = ["channames", "renamefrom", "renameto"].map(|par| cook.par_text(par));
        if !self.is_known
            || self.texts != texts
            || !self.names.same(source.names()) && self.names != *source.names()
        {
            self.texts = texts;
            self.names = source.names().clone();
            self.is_known = true;
            let (texts, names) = (&self.texts, &self.names);
            match pick(texts, names) {
                Ok((picked, new_names)) => {
                    self.problem = None;
                    self.picked = picked;
                    self.new_names = new_names;
                }
                Err(problem) => self.problem = Some(problem),
            }
        }
        if let Some(problem) = &self.problem {
            return cook.error(problem.as_str());
        }
        let len = source.len_samples();
        let made = cook.fill_clip(|clip| {
            clip.copy_layout_from(&source);
            let samples = clip.shape(self.new_names.clone(), len)?;
            for (target, &channel) in samples.chunks_exact_mut(len.max(1)).zip(&self.picked) {
                if let Some(channel) = source.channel(channel) {
                    target.copy_from_slice(channel);
                }
            }
            Ok::<_, crate::clip::ClipError>(())
        });
        if let Err(error) = made {
            cook.error(error.to_string());
            cook.pass_data(cook.last_output());
        }
    }
}

fn pick(texts: &[Arc<str>; 3], names: &ChannelNames) -> Result<(Vec<usize>, ChannelNames), String> {
    let all: Vec<&str> = names.iter().collect();
    let [which, from, to] = texts;
    let pattern = Pattern::parse(which).map_err(|error| format!("channames: {error}"))?;
    let picked = pattern.select_in_term_order(&all).map_err(|error| format!("channames: {error}"))?;
    let kept: Vec<&str> = picked.iter().filter_map(|&at| all.get(at).copied()).collect();
    if to.trim().is_empty() {
        return Ok((picked, ChannelNames::new(kept)));
    }
    let renamed = Rename::parse(from, to)
        .and_then(|rename| rename.apply(&kept))
        .map_err(|error| format!("renameto: {error}"))?;
    Ok((picked, ChannelNames::new(renamed.names.iter().map(String::as_str))))
}

/// The channels of the operator that a parameter names, or of the first input. Tells what is missing.
pub(crate) fn source(cook: &mut Cook, par: &str) -> Option<Arc<Clip>> {
    let clip = match cook.par_op(par) {
        Some(op) => match cook.output_of(&op) {
            Data::Chop(clip) => Some(clip),
            _ => Some(Arc::default()),
        },
        None if !cook.has_reference(par) => cook.clip(0),
        None => None,
    };
    if clip.is_none() {
        if cook.has_reference(par) {
            cook.warn(format!("The CHOP that {par} names is not there."));
        } else {
            cook.warn("Not enough inputs.");
        }
        cook.fill_clip(|clip| clip.shape(ChannelNames::default(), 0).map(|_| ()).unwrap_or(()));
    }
    clip
}
