//! How an operator cooks, what it says of it, and its flags.

use core::time::Duration;

use super::{Flag, Force, Op};
use crate::error::OpError;
use crate::network::info::InfoType;
use crate::network::state::State;

impl Op {
    /// Cooks it if it has a reason; with `force` also without one.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn cook(&self, force: Force) -> Result<(), OpError> {
        self.read(|_| ())?;
        self.net.pull(self.id, force == Force::Yes);
        Ok(())
    }

    /// How often it cooked.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn total_cooks(&self) -> Result<u64, OpError> {
        self.read(|node| node.stats.total_cooks)
    }

    /// How long its last cook took.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn cpu_cook_time(&self) -> Result<Duration, OpError> {
        self.read(|node| node.stats.cook_time)
    }

    /// The absolute frame of its last cook.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn cook_abs_frame(&self) -> Result<u64, OpError> {
        self.read(|node| node.stats.abs_frame)
    }

    /// Whether it cooked in this frame.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn cooked_this_frame(&self) -> Result<bool, OpError> {
        self.net.with(|state| {
            let stats = &state.node(self.id)?.stats;
            Ok(state.is_of_this_frame(stats))
        })
    }

    /// Cooks all operators inside it that have a reason, and itself; with `force` also without one.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn cook_recursive(&self, force: Force) -> Result<(), OpError> {
        for inside in self.all_inside()? {
            // One that a script destroys meanwhile is not cooked.
            let _is_gone = inside.cook(force);
        }
        self.cook(force)
    }

    /// All operators inside it, at any depth: those of a level before what is inside them.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn all_inside(&self) -> Result<Vec<Self>, OpError> {
        self.net.with(|state| {
            let mut ids = state.node(self.id)?.children.clone();
            let mut at = 0_usize;
            while let Some(&next) = ids.get(at) {
                ids.extend(state.get(next).map_or(&[][..], |node| &node.children));
                at = at.saturating_add(1);
            }
            Ok(ids.into_iter().map(|id| Self::new(&self.net, id)).collect())
        })
    }

    /// Its own errors, and after them those of all operators inside it, each line with the operator's path in front.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn errors_recursive(&self) -> Result<String, OpError> {
        self.recursive(Self::errors)
    }

    /// The same for warnings.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn warnings_recursive(&self) -> Result<String, OpError> {
        self.recursive(Self::warnings)
    }

    fn recursive(&self, text: impl Fn(&Self) -> Result<String, OpError>) -> Result<String, OpError> {
        let mut lines: Vec<String> = text(self)?.lines().map(str::to_owned).collect();
        for inside in self.all_inside()? {
            let path = inside.path()?;
            lines.extend(text(&inside)?.lines().map(|line| format!("{path}: {line}")));
        }
        Ok(lines.join("\n"))
    }

    /// Adds an error to those of the cook that is going on.
    ///
    /// # Errors
    ///
    /// [`OpError::Unsupported`] unless it cooks just now; [`OpError::Destroyed`].
    pub fn add_error(&self, text: &str) -> Result<(), OpError> {
        self.while_it_cooks()?;
        self.change(|node| node.errors.push(text.to_owned()))
    }

    /// The same for a warning.
    ///
    /// # Errors
    ///
    /// As [`add_error`](Self::add_error).
    pub fn add_warning(&self, text: &str) -> Result<(), OpError> {
        self.while_it_cooks()?;
        self.change(|node| node.warnings.push(text.to_owned()))
    }

    fn while_it_cooks(&self) -> Result<(), OpError> {
        if self.read(|node| node.operator.is_some())? {
            return Err(OpError::Unsupported {
                op: self.path()?,
                what: "be told errors and warnings now",
                advice: "that is for the closure that cooks it; add a script error",
            });
        }
        Ok(())
    }

    /// Adds an error that stays, whatever is cooked, until it is cleared.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn add_script_error(&self, text: &str) -> Result<(), OpError> {
        self.change(|node| node.script_errors.push(text.to_owned()))
    }

    /// Those errors, a line each; [`errors`](Self::errors) has them, too.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn script_errors(&self) -> Result<String, OpError> {
        self.read(|node| node.script_errors.join("\n"))
    }

    /// Takes them away.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn clear_script_errors(&self) -> Result<(), OpError> {
        self.change(|node| node.script_errors.clear())
    }

    /// What is wrong, a line each; empty when nothing is.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn errors(&self) -> Result<String, OpError> {
        self.read(|node| {
            let pars = node
                .pars
                .iter()
                .filter_map(|par| Some(format!("{}: {}", par.spec.name, par.problem.as_ref()?)));
            let all = node.errors.iter().cloned().chain(node.script_errors.iter().cloned()).chain(pars);
            all.collect::<Vec<_>>().join("\n")
        })
    }

    /// What is not as one would expect, a line each; empty when there is nothing.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn warnings(&self) -> Result<String, OpError> {
        self.net.with(|state| {
            let node = state.node(self.id)?;
            let exports = state.export_warnings(self.id);
            Ok(node.warnings.iter().chain(&exports).map(String::as_str).collect::<Vec<_>>().join("\n"))
        })
    }

    /// How often its exports changed: one more for each time that a channel was led to a parameter, to another one, or to
    /// none any more. It begins at 0 and never goes down.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    ///
    /// # Source
    ///
    /// operators §8.2: `CHOP.exportChanges`, and the Info channel `export_sernum`.
    pub fn export_changes(&self) -> Result<u64, OpError> {
        self.net.with(State::settle_exports);
        self.read(|node| node.exports.changes)
    }

    /// What it exports to no parameter, and why: a line for each channel or row of the table.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    ///
    /// # Source
    ///
    /// operators §7.5: a missing target is no error; the list is ours, after TD's `checkexports`.
    pub fn unresolved_exports(&self) -> Result<Vec<String>, OpError> {
        self.net.with(State::settle_exports);
        self.read(|node| node.exports.unresolved.clone())
    }

    /// The Info channels of this operator, in order (operators §8).
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn info(&self, kind: InfoType) -> Result<Vec<(&'static str, f64)>, OpError> {
        self.net.with(|state| {
            state.node(self.id)?;
            let mut channels = Vec::new();
            state.info(self.id, kind, &mut |name, value| channels.push((name, value)));
            Ok(channels)
        })
    }

    /// Whether a flag is set.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn flag(&self, flag: Flag) -> Result<bool, OpError> {
        self.read(|node| match flag {
            Flag::Bypass => node.flags.bypass,
            Flag::Lock => node.flags.lock,
            Flag::Viewer => node.flags.viewer,
            Flag::ActiveViewer => node.flags.active_viewer,
            Flag::Export => node.flags.export,
            Flag::Display => node.flags.display,
            Flag::Selected => node.flags.selected,
        })
    }

    /// Sets a flag.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn set_flag(&self, flag: Flag, on: bool) -> Result<(), OpError> {
        self.net.with(|state| {
            let flags = &mut state.node_mut(self.id)?.flags;
            match flag {
                Flag::Bypass => flags.bypass = on,
                Flag::Lock => flags.lock = on,
                Flag::Viewer => flags.viewer = on,
                Flag::ActiveViewer => flags.active_viewer = on,
                Flag::Export => flags.export = on,
                Flag::Display => flags.display = on,
                Flag::Selected => flags.selected = on,
            }
            state.roots_of = None;
            if flag == Flag::Export {
                state.note_exporter(self.id);
                state.evaluate_pars(self.id);
                state.export_again(self.id);
            }
            Ok(())
        })
    }
}
