//! Rename CHOP: new names for channels (operators §5.8).

use std::sync::Arc;

use crate::clip::ChannelNames;
use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;
use crate::pattern::Rename;

pub(crate) fn spec() -> OpSpec {
    let mut spec = OpSpec::new("renameCHOP", Family::Chop, "Rename", "Gives channels new names.", || {
        Box::<RenameChop>::default()
    })
    .inputs(1, 1)
    .pars(vec![
        ParSpec::text_menu("renamefrom", "From", "*", &[("*", "*")])
            .page("Rename")
            .help("Which channels get new names."),
        ParSpec::text_menu("renameto", "To", "", &[])
            .page("Rename")
            .help("The new names, made of what the wildcards of From matched: see operators §5.8."),
    ])
    .common_page();
    // CHOPs that rename by themselves lack the parameters of the common page (operators §1.3).
    spec.pars.retain(|par| !par.name.starts_with("commonrename"));
    spec
}

/// The names, worked out again where a text or the input's names change.
#[derive(Default)]
struct RenameChop {
    texts: [Arc<str>; 2],
    names: ChannelNames,
    new_names: ChannelNames,
    problem: Option<String>,
    warnings: Vec<String>,
    is_known: bool,
}

impl Operator for RenameChop {
    fn cook(&mut self, cook: &mut Cook) {
        let Some(input) = cook.clip(0) else {
            cook.warn("Not enough inputs.");
            return cook.pass_nothing();
        };
        let texts = ["renamefrom", "renameto"].map(|par| cook.par_text(par));
        if !self.is_known
            || self.texts != texts
            || !self.names.same(input.names()) && self.names != *input.names()
        {
            self.texts = texts;
            self.names = input.names().clone();
            self.is_known = true;
            self.problem = None;
            self.warnings.clear();
            let [from, to] = &self.texts;
            let all: Vec<&str> = input.names().iter().collect();
            if to.trim().is_empty() {
                self.new_names = input.names().clone();
            } else {
                match Rename::parse(from, to).and_then(|rename| rename.apply(&all)) {
                    Ok(renamed) => {
                        self.warnings.extend(renamed.warnings.iter().map(ToString::to_string));
                        self.new_names = ChannelNames::new(renamed.names.iter().map(String::as_str));
                    }
                    Err(error) => self.problem = Some(error.to_string()),
                }
            }
        }
        if let Some(problem) = &self.problem {
            cook.error(problem.as_str());
            return cook.pass(0);
        }
        for warning in &self.warnings {
            cook.warn(warning.as_str());
        }
        if self.new_names.same(input.names()) {
            return cook.pass(0);
        }
        let made = cook.fill_clip(|clip| {
            clip.copy_layout_from(&input);
            clip.shape(self.new_names.clone(), input.len_samples())?.copy_from_slice(input.samples());
            Ok::<_, crate::clip::ClipError>(())
        });
        if let Err(error) = made {
            cook.error(error.to_string());
            cook.pass(0);
        }
    }
}
