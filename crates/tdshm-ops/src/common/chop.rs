//! The CHOP Common page: scope before an operator's work, rename and time slice behind it (operators §1.3).

use std::mem;
use std::sync::Arc;

use crate::clip::ChannelNames;
use crate::cook::Cook;
use crate::par::{ParSpec, Style};
use crate::pattern::Pattern;

const PAGE: &str = "Common";

/// What the common page's parameters are.
pub(crate) fn pars() -> Vec<ParSpec> {
    vec![
        ParSpec::toggle("timeslice", "Time Slice", false)
            .page(PAGE)
            .help("The output is a time slice: the samples since the last cooked frame."),
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
            .help("Which channels get new names."),
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

    /// What comes behind the operator's own work: new names.
    pub(crate) fn finish(&mut self, _cook: &mut Cook) {
        let _ = mem::take(&mut self.scoped_names);
    }
}
