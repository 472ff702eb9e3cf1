//! What operators say of themselves, by the names of TD's members (operators §10.2, §10.4, §10.6).

use std::sync::Arc;

use crate::Value;
use crate::image::{Image, PixelFormatChoice};
use crate::network::state::{Node, State};
use crate::op::Family;
use crate::value::OpId;

impl State {
    /// What an operator says of itself without having cooked.
    pub(crate) fn plain_member(&self, op: OpId, name: &str) -> Option<Value> {
        let node = self.get(op)?;
        let spec = &node.spec;
        Some(match name {
            "name" => Value::Str(Arc::clone(&node.name)),
            "path" => self.path(op).into(),
            "id" => Value::Int(op.0.into()),
            "digits" => digits(&node.name).map_or(Value::None, Value::Int),
            "base" => base(&node.name).into(),
            "type" => spec.short_type().into(),
            "opType" | "OPType" => spec.op_type.into(),
            "label" => spec.label.into(),
            "family" => spec.family.name().into(),
            "isCHOP" => Value::Bool(spec.family == Family::Chop),
            "isTOP" => Value::Bool(spec.family == Family::Top),
            "isDAT" => Value::Bool(spec.family == Family::Dat),
            "isCOMP" => Value::Bool(spec.family == Family::Comp),
            "isSOP" | "isMAT" | "isPOP" => Value::Bool(false),
            "isFilter" => Value::Bool(spec.min_inputs > 0),
            "minInputs" => count(spec.min_inputs),
            "maxInputs" => count(spec.max_inputs),
            "isMultiInputs" => Value::Bool(spec.max_inputs > 1),
            "bypass" => Value::Bool(node.flags.bypass),
            "lock" => Value::Bool(node.flags.lock),
            "viewer" => Value::Bool(node.flags.viewer),
            "activeViewer" => Value::Bool(node.flags.active_viewer),
            "export" => Value::Bool(node.flags.export),
            "display" => Value::Bool(node.flags.display),
            "selected" => Value::Bool(node.flags.selected),
            "comment" => node.notes.comment.as_str().into(),
            "nodeX" => Value::Int(node.notes.position.0),
            "nodeY" => Value::Int(node.notes.position.1),
            "valid" => Value::Bool(true),
            _ => return None,
        })
    }

    /// What an operator says of its data and of its cooks.
    pub(crate) fn data_member(&self, op: OpId, name: &str) -> Option<Value> {
        let node = self.get(op)?;
        self.cook_member(node, op, name).or_else(|| self.family_member(node, name))
    }

    /// What is known of its cooks.
    pub(crate) fn cook_member(&self, node: &Node, op: OpId, name: &str) -> Option<Value> {
        let stats = &node.stats;
        let now = self.time.abs_frame;
        let milliseconds = |time: core::time::Duration| Value::Float(time.as_secs_f64() * 1000.0);
        Some(match name {
            "totalCooks" => number(stats.total_cooks),
            "cookTime" | "cpuCookTime" => milliseconds(stats.cook_time),
            "gpuCookTime" => Value::Float(0.0),
            "childrenCPUCookTime" => milliseconds(self.children_cook_time(op).unwrap_or_default()),
            "cookFrame" => Value::Float(stats.frame),
            "cookAbsFrame" => number(stats.abs_frame),
            "cookStartTime" => milliseconds(stats.start),
            "cookEndTime" => milliseconds(stats.end),
            "cookedThisFrame" => Value::Bool(self.is_of_this_frame(stats)),
            "cookedPreviousFrame" => Value::Bool(self.time.previous.is_some_and(|previous| {
                let at =
                    if stats.abs_frame == now { stats.previous_abs_frame } else { Some(stats.abs_frame) };
                stats.total_cooks > 0 && at == Some(previous)
            })),
            "cpuMemory" => count(match node.spec.family {
                Family::Top => 0,
                _ => bytes(node),
            }),
            "gpuMemory" => count(match node.spec.family {
                Family::Top => bytes(node),
                _ => 0,
            }),
            _ => return None,
        })
    }

    fn family_member(&self, node: &Node, name: &str) -> Option<Value> {
        match node.spec.family {
            Family::Chop => {
                let clip = node.output.as_clip();
                match name {
                    "numChans" => Some(count(clip.map_or(0, |clip| clip.num_channels()))),
                    "numSamples" => Some(count(clip.map_or(0, |clip| clip.len_samples()))),
                    "start" => Some(Value::Int(clip.map_or(0, |clip| clip.start()))),
                    "end" => Some(Value::Int(clip.map_or(0, |clip| clip.end()))),
                    "rate" => Some(Value::Float(clip.map_or(self.time.rate, |clip| clip.rate()))),
                    "isTimeSlice" => Some(Value::Bool(clip.is_some_and(|clip| clip.is_slice()))),
                    "exportChanges" => Some(number(node.exports.changes)),
                    _ => None,
                }
            }
            Family::Top => {
                let image = node.output.as_image();
                let (x, y) = image.map_or((1.0, 1.0), |image| image.aspect());
                match name {
                    "width" => Some(count(image.map_or(0, |image| image.width()))),
                    "height" => Some(count(image.map_or(0, |image| image.height()))),
                    "aspect" => Some(Value::Float(f64::from(x) / f64::from(y))),
                    "aspectWidth" => Some(Value::Float(x.into())),
                    "aspectHeight" => Some(Value::Float(y.into())),
                    "pixelFormatName" => {
                        Some(format_of(image).map_or("", PixelFormatChoice::menu_name).into())
                    }
                    "pixelFormat" => Some(format_of(image).map_or("", PixelFormatChoice::label).into()),
                    "depth" => Some(Value::Int(1)),
                    "curPass" => Some(Value::Int(0)),
                    _ => None,
                }
            }
            Family::Dat => {
                let table = node.output.as_table();
                match name {
                    "numRows" => Some(count(table.map_or(0, |table| table.num_rows()))),
                    "numCols" => Some(count(table.map_or(0, |table| table.num_columns()))),
                    "exportChanges" => Some(number(node.exports.changes)),
                    _ => None,
                }
            }
            Family::Comp => (name == "numChildren").then(|| count(node.children.len())),
        }
    }
}

fn format_of(image: Option<&Arc<Image>>) -> Option<PixelFormatChoice> {
    PixelFormatChoice::of(image?.texels())
}

fn count(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn number(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Bytes of what an operator puts out, samples and pixels.
fn bytes(node: &Node) -> usize {
    let samples = node.output.as_clip().map_or(0, |clip| size_of_val(clip.samples()));
    samples.saturating_add(node.output.as_image().map_or(0, |image| image.pixels().len()))
}

/// The last number in a name.
pub(crate) fn digits(name: &str) -> Option<i64> {
    let end = name.rfind(|c: char| c.is_ascii_digit())?.saturating_add(1);
    let front = name.get(..end)?;
    let start = front.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at.saturating_add(1));
    front.get(start..)?.parse().ok()
}

/// A name up to its first digit.
pub(crate) fn base(name: &str) -> &str {
    name.split(|c: char| c.is_ascii_digit()).next().unwrap_or(name)
}
