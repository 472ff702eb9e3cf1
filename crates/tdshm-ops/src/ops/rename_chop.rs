//! Rename CHOP: new names for channels (operators §5.8).

use std::sync::Arc;

use super::generator::fill;
use crate::clip::ChannelNames;
use crate::cook::Cook;
use crate::error::PatternError;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;
use crate::pattern::Rename;

pub(crate) fn spec() -> OpSpec {
    OpSpec::new("renameCHOP", Family::Chop, "Rename", "Gives channels new names.", || {
        Box::<RenameChop>::default()
    })
    .inputs(1, 1)
    .pars(vec![
        ParSpec::text_menu("renamefrom", "From", "*", &[("*", "*")])
            .page("Rename")
            .help("Which channels get new names, of those in Scope."),
        ParSpec::text_menu("renameto", "To", "", &[]).page("Rename").help(
            "The new names, made of what the wildcards of From matched: see operators §5.8. Empty leaves the names as they are. Where a text cannot be read the operator says so, and renames nothing (ours).",
        ),
    ])
    .common_page()
    .without(&["commonrenamefrom", "commonrenameto"])
}

/// The names, worked out again where a text, the scope or the input's names change.
#[derive(Default)]
struct RenameChop {
    texts: [Arc<str>; 2],
    scope: Arc<[usize]>,
    names: ChannelNames,
    /// `None` where they are those of the input.
    new_names: Option<ChannelNames>,
    problem: Option<String>,
    warnings: Vec<String>,
    is_known: bool,
}

impl RenameChop {
    fn work_out(&mut self) -> Result<(), PatternError> {
        self.new_names = None;
        self.problem = None;
        self.warnings.clear();
        let [from, to] = &self.texts;
        if to.trim().is_empty() {
            return Ok(());
        }
        let mut names: Vec<&str> = self.names.iter().collect();
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
        if !self.names.are(&names) {
            self.new_names = Some(ChannelNames::new(names));
        }
        Ok(())
    }
}

impl Operator for RenameChop {
    fn cook(&mut self, cook: &mut Cook) {
        let Some(input) = cook.clip(0) else {
            cook.warn("Not enough inputs.");
            return cook.pass_nothing();
        };
        let texts = ["renamefrom", "renameto"].map(|par| cook.par_text(par));
        let scope = cook.scope(input.names());
        if !self.is_known || self.texts != texts || self.scope != scope || self.names != *input.names() {
            self.texts = texts;
            self.scope = scope;
            self.is_known = true;
            self.names = input.names().clone();
            self.problem = self.work_out().err().map(|error| format!("Rename: {error}"));
        }
        // From now on it is the same object, and the next look at it is short.
        self.names = input.names().clone();
        if let Some(problem) = &self.problem {
            cook.error(problem.as_str());
        }
        for warning in &self.warnings {
            cook.warn(warning.as_str());
        }
        let Some(new_names) = self.new_names.clone() else { return cook.pass(0) };
        fill(cook, |clip| {
            clip.shape(new_names, input.len_samples())?.copy_from_slice(input.samples());
            clip.copy_layout_from(&input);
            Ok(())
        });
    }
}
