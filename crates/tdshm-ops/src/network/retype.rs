//! An operator that becomes one of another type (operators §10.2, `changeType`).

use std::sync::Arc;

use crate::error::OpError;
use crate::network::state::{Node, State};
use crate::op::Family;
use crate::value::OpId;

/// What must be dropped once nothing is borrowed.
type Gone = Vec<Option<Box<Node>>>;

impl State {
    /// Puts an operator of another type in the place of one.
    pub(crate) fn change_type(&mut self, id: OpId, op_type: &str) -> Result<(OpId, Gone), OpError> {
        let spec = Arc::clone(self.registry.find(op_type)?);
        let node = self.node(id)?;
        let cannot = |advice| OpError::Unsupported { op: self.path(id), what: "change its type", advice };
        let Some(parent) = node.parent.filter(|_| node.spec.family != Family::Comp) else {
            return Err(cannot("it is a component: create another one"));
        };
        if spec.family != node.spec.family {
            return Err(cannot("its wires are of its family: create another operator"));
        }
        if node.operator.is_none() {
            return Err(cannot("not while it cooks"));
        }
        let (name, flags, notes) = (node.name.to_string(), node.flags, node.notes.clone());
        let inputs = node.inputs.clone();
        let outputs = self.ends_of(id);
        let place = self.node(parent)?.children.iter().position(|&child| child == id);

        let mut gone = self.destroy(id)?;
        let new = self.create(parent, op_type, Some(&name))?;
        if let Some(place) = place
            && let Some(inside) = self.get_mut(parent)
        {
            inside.children.pop();
            inside.children.insert(place, new);
        }
        let had = gone.first_mut().and_then(Option::as_mut).map(|node| std::mem::take(&mut node.pars));
        let node = self.node_mut(new)?;
        for par in had.into_iter().flatten() {
            if let Some(at) = node.par_index(&par.spec.name)
                && let Some(new) = node.pars.get_mut(at)
                && new.spec.style == par.spec.style
            {
                new.copy_from(&par);
            }
        }
        node.flags = flags;
        node.notes = notes;
        node.find_live();
        self.note_exporter(new);
        for (input, from) in inputs.into_iter().enumerate().filter(|(input, _)| *input < spec.max_inputs) {
            if let Some(from) = from {
                self.connect(if from == id { new } else { from }, new, input)?;
            }
        }
        for (to, input) in outputs.into_iter().filter(|(to, _)| *to != id) {
            self.connect(new, to, input)?;
        }
        Ok((new, gone))
    }
}
