//! A network made what a patch says, with as few changes as that takes.

use std::collections::HashMap;

use super::{FLAGS, Patch, PatchOp, Setting};
use crate::Value;
use crate::error::OpError;
use crate::network::Network;
use crate::network::state::State;
use crate::object::op::Op;
use crate::object::par::Par;
use crate::par::ParMode;

/// Creates the operators beside what is there.
pub(super) fn add(patch: &Patch, net: &Network) -> Result<(), OpError> {
    let _one_thread = net.hold();
    can_change(patch, net)?;
    for op in &patch.ops {
        if net.with(|state| state.find(State::ROOT, &op.path)).is_some() {
            let (place, name) = op.path.rsplit_once('/').unwrap_or_default();
            let place = if place.is_empty() { "/" } else { place };
            return Err(OpError::NameTaken {
                what: "an operator",
                name: name.to_owned(),
                place: place.to_owned(),
            });
        }
    }
    bring_in_line(patch, net)
}

/// Makes the network the patch's.
pub(super) fn reload(patch: &Patch, net: &Network) -> Result<(), OpError> {
    let _one_thread = net.hold();
    can_change(patch, net)?;
    let types: HashMap<&str, &str> = patch.ops.iter().map(|op| (op.path.as_str(), op.spec.op_type)).collect();
    let mut levels = vec![net.root()];
    while let Some(component) = levels.pop() {
        for child in component.children()? {
            let keeps = types
                .get(child.path()?.as_str())
                .is_some_and(|op_type| child.spec().is_ok_and(|spec| spec.op_type == *op_type));
            if keeps {
                levels.push(child);
            } else {
                child.destroy()?;
            }
        }
    }
    bring_in_line(patch, net)
}

/// Nothing changes from within a frame, or where the network lacks an operator type.
fn can_change(patch: &Patch, net: &Network) -> Result<(), OpError> {
    if net.with(|state| state.in_frame) {
        return Err(OpError::Cooking);
    }
    let registry = net.registry();
    patch.ops.iter().try_for_each(|op| registry.find(op.spec.op_type).map(drop))
}

fn bring_in_line(patch: &Patch, net: &Network) -> Result<(), OpError> {
    let (now, settings) = (net.time(), &patch.settings);
    if now.rate != settings.rate {
        net.set_rate(settings.rate)?;
    }
    if (now.start, now.end) != settings.range {
        net.set_range(settings.range.0, settings.range.1)?;
    }
    net.set_play(settings.play);
    let mut ops = Vec::with_capacity(patch.ops.len());
    for op in &patch.ops {
        ops.push((op, existing_or_new(op, net)?));
    }
    for (op, handle) in &ops {
        let customs = op.customs.clone();
        let gone = net.with(|state| state.set_custom_pars(handle.id(), customs))?;
        drop(gone);
        give_table(op, handle)?;
        if handle.comment()? != op.comment {
            handle.set_comment(op.comment.clone())?;
        }
        for ((_, flag), &on) in FLAGS.iter().zip(&op.flags) {
            if handle.flag(*flag)? != on {
                handle.set_flag(*flag, on)?;
            }
        }
    }
    for (op, handle) in &ops {
        wire(op, handle, net)?;
        let wanted: HashMap<&str, &Setting> =
            op.pars.iter().map(|(name, setting)| (name.as_str(), setting)).collect();
        for par in handle.pars("*")? {
            bring_par(&par, wanted.get(par.spec()?.name.as_ref()).copied())?;
        }
    }
    Ok(())
}

fn existing_or_new(op: &PatchOp, net: &Network) -> Result<Op, OpError> {
    if let Some(id) = net.with(|state| state.find(State::ROOT, &op.path)) {
        return Ok(net.handle(id));
    }
    let (parent, name) = op.path.rsplit_once('/').unwrap_or_default();
    let parent = if parent.is_empty() { net.root() } else { net.op(parent)? };
    parent.create(op.spec.op_type, name)
}

fn give_table(op: &PatchOp, handle: &Op) -> Result<(), OpError> {
    let net = handle.network();
    let is_so = net.with(|state| {
        let table = state.node(handle.id())?.operator.as_ref().and_then(|operator| operator.table());
        Ok::<_, OpError>(match (&op.table, table) {
            (Some(wanted), Some(table)) => wanted == table,
            (Some(_), None) => false,
            (None, Some(table)) => table.num_rows() == 0,
            (None, None) => true,
        })
    })?;
    if is_so { Ok(()) } else { handle.set_table(op.table.clone().unwrap_or_default()) }
}

fn wire(op: &PatchOp, handle: &Op, net: &Network) -> Result<(), OpError> {
    let wanted: Vec<Option<Op>> = op
        .inputs
        .iter()
        .map(|path| path.as_deref().map(|path| net.op(path)).transpose())
        .collect::<Result<_, _>>()?;
    if handle.inputs()? == wanted { Ok(()) } else { handle.set_inputs(&wanted) }
}

/// Sets a parameter where it is not so already. What an export drives stays driven: only what counts without it changes.
fn bring_par(par: &Par, wanted: Option<&Setting>) -> Result<(), OpError> {
    let mode = par.mode()?;
    match wanted {
        Some(Setting::Expr(text)) => {
            if matches!(mode, ParMode::Expression | ParMode::Export) && par.expr()? == *text {
                return Ok(());
            }
            par.set_expr(text)?;
        }
        Some(Setting::Bind(text)) => {
            if matches!(mode, ParMode::Bind | ParMode::Export) && par.bind_expr()? == *text {
                return Ok(());
            }
            par.set_bind_expr(text)?;
        }
        constant => {
            let default = || par.default_value();
            let value = match constant {
                Some(Setting::Constant(value)) => value.clone(),
                _ => default()?,
            };
            if matches!(mode, ParMode::Constant | ParMode::Export) && same(&par.val()?, &value) {
                return Ok(());
            }
            if mode == ParMode::Bind {
                // Otherwise the master would be set.
                par.set_mode(ParMode::Constant)?;
            }
            par.set(value)?;
        }
    }
    if mode == ParMode::Export {
        // Refused where the export has gone meanwhile; then what was set counts.
        let _no_export_any_more = par.set_mode(ParMode::Export);
    }
    Ok(())
}

/// Whether a constant is what it would be set to.
fn same(now: &Value, wanted: &Value) -> bool {
    now == wanted || matches!((now, wanted), (Value::Str(_), Value::None) if now.as_str() == Some(""))
}
