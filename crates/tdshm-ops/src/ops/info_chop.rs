//! Info CHOP: what is known of another operator, as channels (operators §8).

use std::sync::Arc;

use crate::clip::ChannelNames;
use crate::cook::Cook;
use crate::network::info::InfoType;
use crate::op::{Family, OpSpec, Operator};
use crate::par::{Asks, ParSpec, Style};
use crate::pattern::Pattern;

const PAGE: &str = "Info";

pub(crate) fn spec() -> OpSpec {
    OpSpec::new(
        "infoCHOP",
        Family::Chop,
        "Info",
        "One channel of one sample for each thing that is known of another operator: its data, its cooks, its warnings and \
         errors. An input can be wired, as in TouchDesigner, and is not used.",
        || Box::new(Info::default()),
    )
    .inputs(0, 1)
    .pars(vec![
        ParSpec::op("op", "Operator", Style::Op, "")
            .page(PAGE)
            .asks(Asks::Unless("passive"))
            .help("The operator to look at."),
        ParSpec::menu(
            "infotype",
            "Info Type",
            &[
                ("all", "All Information"),
                ("general", "General"),
                ("timecode", "Timecode"),
                ("shm", "Shared Memory"),
                ("exports", "Exports"),
            ],
        )
        .page(PAGE)
        .help(
            "Which channels: those of its family and those of every operator; the latter alone; those of a timecode, \
             which no operator here has; and two sets that are ours and never part of the others: what goes on in shared \
             memory, and how many parameters are exported to (exports) and how many exports lead nowhere \
             (exports_unresolved).",
        ),
        ParSpec::text("iscope", "Scope", "*").page(PAGE).help("A pattern of the channels to keep."),
        ParSpec::menu("values", "Values", &[("all", "All"), ("inside", "Inside"), ("outside", "Outside")])
            .page(PAGE)
            .help("Keeps all channels, those whose value is within the range, or those whose value is not."),
        ParSpec::float("range1", "Range", 0.0)
            .page(PAGE)
            .in_group("range", 0)
            .enabled_when("values", &["inside", "outside"])
            .help("The smallest value that is within the range."),
        ParSpec::float("range2", "Range", 1.0)
            .page(PAGE)
            .in_group("range", 1)
            .enabled_when("values", &["inside", "outside"])
            .help("The greatest value that is within the range."),
        ParSpec::toggle("passive", "Passive", false).page(PAGE).help(
            "Off: the operator is cooked first. On: it is not, so what is shown may be of the frame before.",
        ),
        ParSpec::toggle("childcooktime", "Children Cook Time", false).page(PAGE).help(
            "Of a component, adds children_cpu_cook_time: milliseconds that all operators inside it cooked in this \
             frame.",
        ),
    ])
    .common_page()
}

#[derive(Default)]
struct Info {
    /// Kept, so that nothing is allocated once the channels stay.
    channels: Vec<(&'static str, f64)>,
    names: ChannelNames,
    scope_text: Arc<str>,
    scope: Option<Pattern>,
    scope_problem: Option<String>,
}

impl Info {
    fn read_scope(&mut self, text: Arc<str>) {
        if self.scope.is_some() && self.scope_text == text {
            return;
        }
        match Pattern::parse(&text) {
            Ok(pattern) => {
                self.scope = Some(pattern);
                self.scope_problem = None;
            }
            Err(error) => self.scope_problem = Some(format!("Scope: {error}")),
        }
        self.scope_text = text;
    }
}

impl Operator for Info {
    fn cook(&mut self, cook: &mut Cook) {
        // Counters go on, and whether it cooked in this frame changes, without anything that would be a reason.
        cook.depend_on_time();
        let Some(op) = cook.par_op("op") else {
            let path = cook.par_constant("op");
            match path.as_str() {
                None | Some("") => cook.warn("Operator is empty."),
                Some(path) => cook.warn(format!("Operator '{path}' not found.")),
            }
            return cook.pass_nothing();
        };
        let kind = match &*cook.par_text("infotype") {
            "general" => InfoType::General,
            "timecode" => InfoType::Timecode,
            "shm" => InfoType::Shm,
            "exports" => InfoType::Exports,
            _ => InfoType::All,
        };
        self.channels.clear();
        cook.info_of(&op, kind, &mut self.channels);
        if cook.par_is_on("childcooktime") && matches!(kind, InfoType::All | InfoType::General) {
            cook.children_cook_time_of(&op, &mut self.channels);
        }
        self.read_scope(cook.par_text("iscope"));
        if let Some(problem) = &self.scope_problem {
            cook.error(problem.clone());
        }
        let values = cook.par_text("values");
        let range = (cook.par_f64("range1"), cook.par_f64("range2"));
        let scope = &self.scope;
        self.channels.retain(|&(name, value)| {
            let is_inside = (range.0.min(range.1)..=range.0.max(range.1)).contains(&value);
            let is_kept = match &*values {
                "inside" => is_inside,
                "outside" => !is_inside,
                _ => true,
            };
            is_kept && scope.as_ref().is_none_or(|scope| scope.matches(name))
        });
        if !self.names.are(self.channels.iter().map(|(name, _)| name)) {
            self.names = ChannelNames::new(self.channels.iter().map(|&(name, _)| name));
        }
        let rate = cook.time().rate;
        let channels = &self.channels;
        let names = self.names.clone();
        let filled = cook.fill_clip(|clip| {
            for (sample, (_, value)) in clip.shape(names, 1)?.iter_mut().zip(channels) {
                #[expect(clippy::cast_possible_truncation, reason = "samples have 32 bits")]
                let value = *value as f32;
                *sample = value;
            }
            clip.set_rate(rate)
        });
        if let Err(error) = filled {
            cook.keep();
            cook.error(error.to_string());
        }
    }
}
