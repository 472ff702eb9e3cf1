//! Errors and warnings of operators, told when they change.

use std::collections::HashMap;

use tdshm_ops::{Flag, Op, OpError, OpId};

use crate::say;

/// What has been said of each operator.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Errors and warnings, of those that have some.
    of: HashMap<OpId, (String, String)>,
    /// What exports to no parameter, of those that have some.
    exports: HashMap<OpId, Vec<String>>,
}

impl Told {
    /// Forgets those that are not there any more.
    pub(crate) fn keep(&mut self, ops: &[Op]) {
        let there: std::collections::HashSet<OpId> = ops.iter().map(Op::id).collect();
        self.of.retain(|id, _| there.contains(id));
        self.exports.retain(|id, _| there.contains(id));
    }

    /// Says what is new, and what is over.
    pub(crate) fn tell(&mut self, ops: &[Op]) -> Result<(), OpError> {
        for op in ops {
            self.tell_of_exports(op)?;
            let now = (op.errors()?, op.warnings()?);
            let known = self.of.get(&op.id());
            if now.0.is_empty() && now.1.is_empty() {
                if known.is_some() {
                    say::line(format_args!("{}: all right again", op.path()?));
                    self.of.remove(&op.id());
                }
                continue;
            }
            let (errors, warnings) = known.map_or(("", ""), |(errors, warnings)| (errors, warnings));
            let path = op.path()?;
            let is_new = |before: &str, line: &str| !before.lines().any(|other| other == line);
            for line in now.0.lines().filter(|line| is_new(errors, line)) {
                say::error(format_args!("{path}: {line}"));
            }
            for line in now.1.lines().filter(|line| is_new(warnings, line)) {
                say::line(format_args!("{path}: {line}"));
            }
            if known != Some(&now) {
                self.of.insert(op.id(), now);
            }
        }
        Ok(())
    }

    /// Says which exports of an operator lead nowhere, as far as that is new. TouchDesigner takes that for no error
    /// (operators §7.5), so neither is it one here.
    fn tell_of_exports(&mut self, op: &Op) -> Result<(), OpError> {
        let now = if op.flag(Flag::Export)? { op.unresolved_exports()? } else { Vec::new() };
        let known = self.exports.get(&op.id()).map_or(&[][..], Vec::as_slice);
        if known == now {
            return Ok(());
        }
        let path = op.path()?;
        for line in now.iter().filter(|line| !known.contains(line)) {
            say::line(format_args!("{path}: exports to nothing: {line}"));
        }
        self.exports.insert(op.id(), now);
        Ok(())
    }
}
