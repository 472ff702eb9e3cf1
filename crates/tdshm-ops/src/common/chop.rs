//! The CHOP Common page: scope before an operator's work, rename and time slice behind it (operators §1.3).

use std::sync::Arc;

use crate::clip::{ChannelNames, Clip};
use crate::cook::Cook;
use crate::par::{ParSpec, Style};
use crate::pattern::{Pattern, Rename};

const PAGE: &str = "Common";

/// What the common page's parameters are.
pub(crate) fn pars() -> Vec<ParSpec> {
    vec![
        ParSpec::toggle("timeslice", "Time Slice", false)
            .page(PAGE)
            .help(
                "The output is a time slice: the samples since the last cooked frame. What is no slice by itself is cut to \
                 the samples of the timeline that passed since then.",
            ),
        ParSpec::text_menu("scope", "Scope", "*", &[("*", "*")])
            .page(PAGE)
            .help("Which channels the operator works on."),
        ParSpec::menu(
            "srselect",
            "Sample Rate Match",
            &[
                ("first", "Resample At First Input's Rate"),
                ("max", "Resample At Maximum Rate"),
                ("min", "Resample At Minimum Rate"),
                ("err", "Error If Rates Differ"),
            ],
        )
        .default_to("max")
        .page(PAGE)
        .help("Where inputs of different rates are combined."),
        ParSpec::menu(
            "exportmethod",
            "Export Method",
            &[
                ("datindex", "DAT Table by Index"),
                ("datname", "DAT Table by Name"),
                ("autoname", "Channel Name is Path:Parameter"),
            ],
        )
        .page(PAGE)
        .help("How the channels find the parameters that they drive while the Export flag is on."),
        ParSpec::op("autoexportroot", "Export Root", Style::Op, "..")
            .page(PAGE)
            .enabled_when("exportmethod", &["autoname"])
            .help("Where the paths in channel names begin."),
        ParSpec::op("exporttable", "Export Table", Style::Dat, "")
            .page(PAGE)
            .asks(crate::par::Asks::Yes)
            .enabled_when("exportmethod", &["datindex", "datname"])
            .help("A table with the columns name, index, path, parameter and enable."),
        ParSpec::text_menu("commonrenamefrom", "Rename from", "*", &[("*", "*")])
            .aliases(&["renamefrom"])
            .page(PAGE)
            .help("A pattern of the channels that get new names."),
        ParSpec::text_menu("commonrenameto", "Rename to", "", &[])
            .aliases(&["renameto"])
            .page(PAGE)
            .help("The new names; empty leaves the names as they are."),
    ]
}

/// What was worked out from the parameters and names of earlier cooks.
#[derive(Debug, Default)]
pub(crate) struct ChopCommon {
    scope_text: Arc<str>,
    scope: Option<Pattern>,
    scope_problem: Option<String>,
    scoped_names: ChannelNames,
    scoped: Arc<[usize]>,
    is_scoped: bool,
    renaming: Renaming,
}

impl ChopCommon {
    /// Which channels are in scope, and what is wrong with the pattern.
    pub(crate) fn scope(&mut self, text: &Arc<str>, names: &ChannelNames) -> (Arc<[usize]>, Option<String>) {
        if self.scope.is_none() || self.scope_text != *text {
            self.scope_text = Arc::clone(text);
            match Pattern::parse(text) {
                Ok(pattern) => {
                    self.scope = Some(pattern);
                    self.scope_problem = None;
                }
                Err(error) => self.scope_problem = Some(format!("Scope: {error}")),
            }
            self.is_scoped = false;
        }
        if !self.is_scoped || !self.scoped_names.same(names) && self.scoped_names != *names {
            let all: Vec<&str> = names.iter().collect();
            self.scoped = match &self.scope {
                Some(pattern) => pattern.select(&all).into(),
                None => (0..all.len()).collect(),
            };
            self.scoped_names = names.clone();
            self.is_scoped = true;
        }
        (Arc::clone(&self.scoped), self.scope_problem.clone())
    }

    /// What comes behind the operator's own work: new names, then the time slice.
    pub(crate) fn finish(&mut self, cook: &mut Cook) {
        self.rename(cook);
        if cook.cuts_slices() {
            cook.cut_to_slice();
        }
    }

    fn rename(&mut self, cook: &mut Cook) {
        let to = cook.par_text("commonrenameto");
        if to.is_empty() {
            return self.renaming.forget();
        }
        let Some(names) = cook.new_clip().map(|clip| clip.names().clone()) else { return };
        self.renaming.read(cook.par_text("commonrenamefrom"), to);
        let new = self.renaming.of(&names);
        if let Some(problem) = &self.renaming.problem {
            cook.error(problem.clone());
        }
        for warning in &self.renaming.warnings {
            cook.warn(warning.clone());
        }
        if let Some(new) = new
            && !new.same(&names)
        {
            cook.name_output(new);
        }
    }

    /// Gives a buffer of an earlier cook the names that it was filled with, so that who fills it again finds them.
    pub(crate) fn unname(&self, clip: &mut Clip) {
        let Some((before, after)) = &self.renaming.names else { return };
        if clip.names().same(after) && before.len() == after.len() {
            let len = clip.len_samples();
            let _same_size = clip.shape(before.clone(), len);
        }
    }
}

/// New names by the parameters Rename from and Rename to, worked out again only where they or the names change.
#[derive(Debug, Default)]
struct Renaming {
    texts: Option<(Arc<str>, Arc<str>)>,
    rename: Option<Rename>,
    /// Names that came, and what they became.
    names: Option<(ChannelNames, ChannelNames)>,
    problem: Option<String>,
    warnings: Vec<String>,
}

impl Renaming {
    fn forget(&mut self) {
        if self.texts.is_some() {
            *self = Self::default();
        }
    }

    /// Reads both texts. Where they cannot be read nothing is renamed.
    fn read(&mut self, from: Arc<str>, to: Arc<str>) {
        if self.texts.as_ref().is_some_and(|texts| texts.0 == from && texts.1 == to) {
            return;
        }
        self.forget();
        match Rename::parse(&from, &to) {
            Ok(rename) => self.rename = Some(rename),
            Err(error) => self.problem = Some(format!("Rename: {error}")),
        }
        self.texts = Some((from, to));
    }

    fn of(&mut self, names: &ChannelNames) -> Option<ChannelNames> {
        let rename = self.rename.as_ref()?;
        if let Some((before, after)) = &self.names
            && before == names
        {
            return Some(after.clone());
        }
        let all: Vec<&str> = names.iter().collect();
        match rename.apply(&all) {
            Ok(renamed) => {
                let warnings = rename.warnings().iter().chain(&renamed.warnings);
                self.warnings = warnings.map(|warning| format!("Rename: {warning}.")).collect();
                self.problem = None;
                let after =
                    if names.are(&renamed.names) { names.clone() } else { ChannelNames::new(renamed.names) };
                self.names = Some((names.clone(), after.clone()));
                Some(after)
            }
            Err(error) => {
                self.problem = Some(format!("Rename: {error}"));
                self.warnings.clear();
                self.names = None;
                None
            }
        }
    }
}
