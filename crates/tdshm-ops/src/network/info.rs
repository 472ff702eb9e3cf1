//! What an Info CHOP shows of an operator (operators §8).

use core::time::Duration;

use crate::Value;
use crate::network::state::{CookStats, Node, State};
use crate::op::Family;
use crate::value::OpId;

/// Which of an operator's Info channels.
///
/// # Source
///
/// operators §8.1: documented, apart from `Shm`, which is ours (§8.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InfoType {
    /// Those of its family, then those of every operator.
    #[default]
    All,
    /// Those of every operator.
    General,
    /// Those of a timecode, which no operator here has.
    Timecode,
    /// What is going on in shared memory, of the four operators that use it, and in the network, of those for OSC.
    Shm,
    /// What a CHOP or DAT exports, and how much of that leads nowhere: ours (§7.5).
    Exports,
}

impl State {
    /// Adds an operator's Info channels, in the order of its page.
    pub(crate) fn info(&self, id: OpId, kind: InfoType, add: &mut dyn FnMut(&'static str, f64)) {
        let Some(node) = self.get(id) else { return };
        match kind {
            InfoType::Timecode => {}
            InfoType::Shm => {
                if let Some(operator) = &node.operator {
                    operator.shm_info(add);
                }
            }
            InfoType::Exports => {
                if matches!(node.spec.family, Family::Chop | Family::Dat) {
                    add("exports", length(node.exports.num_links()));
                    add("exports_unresolved", length(node.exports.unresolved.len()));
                }
            }
            InfoType::General => self.general_info(id, add),
            InfoType::All => {
                self.family_info(id, add);
                self.general_info(id, add);
            }
        }
    }

    /// How long all operators inside a component cooked in this frame; `None` for what is no component.
    pub(crate) fn children_cook_time(&self, id: OpId) -> Option<Duration> {
        self.get(id).filter(|node| node.spec.family == Family::Comp)?;
        let is_inside = |node: &Node| {
            let mut at = node.parent;
            while at.is_some() && at != Some(id) {
                at = at.and_then(|above| self.get(above)?.parent);
            }
            at.is_some()
        };
        let cooked =
            self.ids().filter_map(|id| self.get(id)).filter(|node| self.is_of_this_frame(&node.stats));
        Some(cooked.filter(|node| is_inside(node)).map(|node| node.stats.cook_time).sum())
    }

    /// Whether the last cook was in this frame.
    pub(crate) fn is_of_this_frame(&self, stats: &CookStats) -> bool {
        stats.total_cooks > 0 && stats.abs_frame == self.time.abs_frame
    }

    fn family_info(&self, id: OpId, add: &mut dyn FnMut(&'static str, f64)) {
        let Some(node) = self.get(id) else { return };
        let mut member = |channel: &'static str, member: &str| {
            add(channel, self.data_member(id, member).as_ref().and_then(Value::as_f64).unwrap_or(0.0));
        };
        match node.spec.family {
            Family::Chop => {
                member("start", "start");
                member("length", "numSamples");
                member("sample_rate", "rate");
                member("num_channels", "numChans");
                member("time_slice", "isTimeSlice");
                add("export_sernum", count(node.exports.changes));
            }
            Family::Top => {
                member("resx", "width");
                member("resy", "height");
                member("aspectx", "aspectWidth");
                member("aspecty", "aspectHeight");
                member("depth", "depth");
                let bytes = node.output.as_image().map_or(0, |image| image.pixels().len());
                add("gpu_memory_used", count(u64::try_from(bytes).unwrap_or(u64::MAX)));
            }
            Family::Comp => member("num_children", "numChildren"),
            Family::Dat => {
                member("num_rows", "numRows");
                member("num_cols", "numCols");
            }
        }
    }

    fn general_info(&self, id: OpId, add: &mut dyn FnMut(&'static str, f64)) {
        let Some(node) = self.get(id) else { return };
        let stats = &node.stats;
        let this_frame = self.is_of_this_frame(stats);
        add("total_cooks", count(stats.total_cooks));
        add("cook_time", stats.cook_time.as_secs_f64() * 1000.0);
        add("cook_frame", stats.frame);
        add("cook_abs_frame", count(stats.abs_frame));
        add("cook_start_time", stats.start.as_secs_f64() * 1000.0);
        add("cook_end_time", stats.end.as_secs_f64() * 1000.0);
        add("cooked_this_frame", f64::from(u8::from(this_frame)));
        add("warnings", length(node.warnings.len().saturating_add(self.count_export_warnings(id))));
        let problems = node.pars.iter().filter(|par| par.problem.is_some()).count();
        add(
            "errors",
            length(node.errors.len().saturating_add(node.script_errors.len()).saturating_add(problems)),
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "counters of a process stay far below 2^53")]
fn count(count: u64) -> f64 {
    count as f64
}

fn length(length: usize) -> f64 {
    count(u64::try_from(length).unwrap_or(u64::MAX))
}
