//! Wires: which operator's output is which operator's input (operators §10.5).

use crate::error::OpError;
use crate::network::state::State;
use crate::value::OpId;

impl State {
    /// Wires the output of `from` into an input of `to`; a wire that was there is replaced.
    ///
    /// An input behind the last one that is connected is taken as the next free one, as TD's operators with any number
    /// of inputs do.
    pub(crate) fn connect(&mut self, from: OpId, to: OpId, input: usize) -> Result<(), OpError> {
        let (source, target) = (self.node(from)?, self.node(to)?);
        if input >= target.spec.max_inputs {
            return Err(OpError::NoSuchConnector {
                op: self.path(to),
                side: "input",
                index: input,
                limit: target.spec.max_inputs,
            });
        }
        let cannot =
            |reason: String| OpError::CannotConnect { from: self.path(from), to: self.path(to), reason };
        if source.spec.family != target.spec.family {
            return Err(cannot(format!(
                "it is a {}, and a {} takes only its own kind: convert it first",
                source.spec.family, target.spec.family
            )));
        }
        if source.parent != target.parent {
            return Err(cannot("wires stay within one component: use a Select operator".into()));
        }
        let input = if target.spec.max_inputs == usize::MAX { input.min(target.inputs.len()) } else { input };
        self.disconnect(to, input)?;
        let target = self.node_mut(to)?;
        if target.inputs.len() <= input {
            target.inputs.resize(input.saturating_add(1), None);
        }
        if let Some(place) = target.inputs.get_mut(input) {
            *place = Some(from);
        }
        target.dirty = true;
        target.inputs_seen.clear();
        self.node_mut(from)?.outputs.push(to);
        Ok(())
    }

    /// Takes the wire out of an input, if there is one.
    pub(crate) fn disconnect(&mut self, to: OpId, input: usize) -> Result<(), OpError> {
        let target = self.node_mut(to)?;
        let Some(from) = target.inputs.get_mut(input).and_then(Option::take) else { return Ok(()) };
        while target.inputs.last().is_some_and(Option::is_none) {
            target.inputs.pop();
        }
        target.dirty = true;
        target.inputs_seen.clear();
        if let Some(source) = self.get_mut(from)
            && let Some(at) = source.outputs.iter().position(|&output| output == to)
        {
            source.outputs.remove(at);
        }
        Ok(())
    }

    /// The inputs that the output of an operator is wired into, by operator and place.
    pub(crate) fn ends_of(&self, id: OpId) -> Vec<(OpId, usize)> {
        let mut ends = Vec::new();
        for &to in self.get(id).map_or(&[][..], |node| &node.outputs) {
            let wires = self.get(to).map_or(&[][..], |target| &target.inputs);
            let inputs = wires.iter().enumerate().filter(|(_, from)| **from == Some(id));
            ends.extend(inputs.map(|(input, _)| (to, input)));
        }
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    /// Takes all wires of an operator away.
    pub(crate) fn disconnect_all(&mut self, id: OpId) {
        let Some(node) = self.get(id) else { return };
        for input in 0..node.inputs.len() {
            let _nothing_to_find = self.disconnect(id, input);
        }
        while let Some(&to) = self.get(id).and_then(|node| node.outputs.first()) {
            let input =
                self.get(to).and_then(|target| target.inputs.iter().position(|&source| source == Some(id)));
            match input {
                Some(input) => {
                    let _found_above = self.disconnect(to, input);
                }
                None => {
                    if let Some(node) = self.get_mut(id) {
                        node.outputs.retain(|&other| other != to);
                    }
                }
            }
        }
    }
}
