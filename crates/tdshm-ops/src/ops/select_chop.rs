//! Select CHOP: channels of another CHOP or of the input, in a new order and with new names.

use std::sync::Arc;

use super::generator::fill;
use crate::Value;
use crate::clip::{ChannelNames, Clip};
use crate::cook::Cook;
use crate::data::Data;
use crate::error::PatternError;
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
            .aliases(&["chops"])
            .asks(Asks::Yes)
            .page("Select")
            .help("Where the channels come from; empty for the input. It is one CHOP, where newer builds of TouchDesigner take several (ours)."),
        ParSpec::text_menu("channames", "Channel Names", "*", &[("*", "*")])
            .page("Select")
            .help("Which channels, in the order of the terms; one that is named twice comes out twice."),
        ParSpec::text_menu("renamefrom", "Rename from", "*", &[("*", "*")])
            .page("Select")
            .help("Which of them get new names, if they are in Scope: that leaves no channel out."),
        ParSpec::text_menu("renameto", "Rename to", "", &[])
            .page("Select")
            .help("The new names; empty leaves the names as they are."),
    ])
    .common_page()
    .without(&["commonrenamefrom", "commonrenameto"])
}

/// Which channels, and what they are called: worked out again where a text, the scope or the names change.
#[derive(Default)]
struct Select {
    which: Arc<str>,
    rename: [Arc<str>; 2],
    names: ChannelNames,
    picked: Vec<usize>,
    /// Those that were picked, with the names that they had.
    kept: ChannelNames,
    is_whole: bool,
    scope: Arc<[usize]>,
    new_names: ChannelNames,
    problem: Option<String>,
    rename_problem: Option<String>,
    warnings: Vec<String>,
    is_known: bool,
}

impl Select {
    /// Which channels. `true`: others than before.
    fn pick(&mut self, which: Arc<str>, names: &ChannelNames) -> bool {
        if self.is_known && self.which == which && self.names == *names {
            // From now on it is the same object, and the next look at it is short.
            self.names = names.clone();
            return false;
        }
        self.which = which;
        self.names = names.clone();
        self.is_known = true;
        self.problem = None;
        let all: Vec<&str> = names.iter().collect();
        let picked = Pattern::parse(&self.which).and_then(|pattern| pattern.select_in_term_order(&all));
        match picked {
            Ok(picked) => {
                self.is_whole =
                    picked.len() == all.len() && picked.iter().enumerate().all(|(at, &from)| at == from);
                self.kept = if self.is_whole {
                    names.clone()
                } else {
                    ChannelNames::new(picked.iter().filter_map(|&at| all.get(at).copied()))
                };
                self.picked = picked;
                true
            }
            Err(error) => {
                self.problem = Some(format!("Channel Names: {error}"));
                false
            }
        }
    }

    /// What those in scope are called now.
    fn name(&mut self) -> Result<(), PatternError> {
        self.new_names = self.kept.clone();
        self.warnings.clear();
        let [from, to] = &self.rename;
        if to.trim().is_empty() {
            return Ok(());
        }
        let mut names: Vec<&str> = self.kept.iter().collect();
        let in_scope: Vec<&str> = self.scope.iter().filter_map(|&at| names.get(at).copied()).collect();
        let rename = Rename::parse(from, to)?;
        let renamed = rename.apply(&in_scope)?;
        let warnings = rename.warnings().iter().chain(&renamed.warnings);
        self.warnings.extend(warnings.map(|warning| format!("Rename: {warning}.")));
        for (&at, new) in self.scope.iter().zip(&renamed.names) {
            if let Some(name) = names.get_mut(at) {
                *name = new;
            }
        }
        if !self.kept.are(&names) {
            self.new_names = ChannelNames::new(names);
        }
        Ok(())
    }
}

impl Operator for Select {
    fn cook(&mut self, cook: &mut Cook) {
        let Some(source) = source(cook, "chop") else { return };
        let is_new = self.pick(cook.par_text("channames"), source.names());
        if let Some(problem) = &self.problem {
            return cook.error(problem.as_str());
        }
        let rename = ["renamefrom", "renameto"].map(|par| cook.par_text(par));
        let scope = cook.scope(&self.kept);
        if is_new || self.rename != rename || self.scope != scope {
            self.rename = rename;
            self.scope = scope;
            self.rename_problem = self.name().err().map(|error| format!("Rename: {error}"));
        }
        if let Some(problem) = &self.rename_problem {
            cook.error(problem.as_str());
        }
        for warning in &self.warnings {
            cook.warn(warning.as_str());
        }
        if self.is_whole && self.new_names == *source.names() {
            return cook.pass_data(Data::Chop(source));
        }
        let len = source.len_samples();
        let (names, picked) = (self.new_names.clone(), &self.picked);
        fill(cook, |clip| {
            let samples = clip.shape(names, len)?;
            for (target, &channel) in samples.chunks_exact_mut(len.max(1)).zip(picked) {
                if let Some(channel) = source.channel(channel) {
                    target.copy_from_slice(channel);
                }
            }
            clip.copy_layout_from(&source);
            Ok(())
        });
    }
}

/// The channels of the operator that a parameter names, or of the first input. Tells what is missing, and puts nothing out
/// then.
pub(crate) fn source(cook: &mut Cook, par: &str) -> Option<Arc<Clip>> {
    if let Some(op) = cook.par_op(par) {
        // One that has not put anything out yet has no channels.
        return Some(match cook.output_of(&op) {
            Data::Chop(clip) => clip,
            _ => Arc::default(),
        });
    }
    if cook.has_reference(par) {
        // In other modes than Constant nobody wrote a path.
        match cook.par_constant(par) {
            Value::Str(path) if !path.is_empty() => cook.warn(format!("There is no CHOP '{path}'.")),
            _ => cook.warn("The parameter CHOP leads to no CHOP."),
        }
    } else if cook.is_wired(0) {
        return Some(cook.clip(0).unwrap_or_default());
    } else {
        cook.warn("Not enough inputs.");
    }
    cook.pass_nothing();
    None
}
