//! Parameters as objects.

mod more;
pub(crate) mod pulse;

use std::sync::Arc;

use crate::Value;
use crate::error::OpError;
use crate::network::Network;
use crate::network::state::{Node, State};
use crate::network::watch::WatchId;
use crate::object::op::Op;
use crate::par::state::{Bind, ParState, Source, coerce};
use crate::par::{Enable, ParMode, ParSpec, Style};
use crate::value::OpId;

/// A parameter of an operator.
///
/// # Source
///
/// operators §10.3: TD's `Par`, in Rust's spelling.
#[derive(Clone, Debug)]
pub struct Par {
    net: Network,
    op: OpId,
    index: usize,
}

impl PartialEq for Par {
    fn eq(&self, other: &Self) -> bool {
        self.op == other.op && self.index == other.index
    }
}

impl Par {
    pub(crate) fn new(net: &Network, op: OpId, index: usize) -> Self {
        Self { net: net.clone(), op, index }
    }

    fn read<R>(&self, read: impl FnOnce(&ParState) -> R) -> Result<R, OpError> {
        self.net.with(|state| state.node(self.op)?.pars.get(self.index).map(read).ok_or(OpError::Destroyed))
    }

    /// The same, once all exports are in line with what paths mean.
    fn settled<R>(&self, read: impl FnOnce(&ParState) -> R) -> Result<R, OpError> {
        self.net.with(State::settle_exports);
        self.read(read)
    }

    fn change<R>(&self, change: impl FnOnce(&mut ParState) -> R) -> Result<R, OpError> {
        self.net.with(|state| {
            let now = state.time.abs_frame;
            let node = state.node_mut(self.op)?;
            let par = node.pars.get_mut(self.index).ok_or(OpError::Destroyed)?;
            par.found_in = None;
            par.set_in = Some(now);
            let result = change(par);
            node.dirty = true;
            node.find_live();
            state.roots_of = None;
            Ok(result)
        })
    }

    fn path(&self) -> String {
        self.owner().path().unwrap_or_default()
    }

    /// The operator it belongs to.
    #[must_use]
    pub fn owner(&self) -> Op {
        Op::new(&self.net, self.op)
    }

    /// What it is: name, label, style, menu, default, range.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn spec(&self) -> Result<Arc<ParSpec>, OpError> {
        self.read(|par| Arc::clone(&par.spec))
    }

    /// The working value, whatever the mode. What it refers to is asked to cook first.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`]; [`OpError::Expression`] where the expression or the bind cannot be evaluated.
    pub fn eval(&self) -> Result<Value, OpError> {
        let _one_thread = self.net.hold();
        self.net.with(|state| {
            state.tick = state.tick.saturating_add(1);
            state.settle_exports();
        });
        // What an expression uses is known once it was evaluated; what that uses, once more.
        for _ in 0..4 {
            let uses: Vec<OpId> = self.net.with(|state| {
                state.evaluate_par(self.op, self.index);
                let par = state.node(self.op)?.pars.get(self.index).ok_or(OpError::Destroyed)?;
                let tick = state.tick;
                let of = |op: &OpId| state.get(*op).is_some_and(|node| node.visited != tick);
                Ok::<_, OpError>(par.uses.iter().map(|&(op, _)| op).filter(of).collect())
            })?;
            if uses.is_empty() {
                break;
            }
            self.net.pull_all(&uses);
        }
        self.net.with(|state| {
            state.evaluate_par(self.op, self.index);
            let par = state.node(self.op)?.pars.get(self.index).ok_or(OpError::Destroyed)?;
            match &par.problem {
                None => Ok(par.value.clone()),
                Some(problem) => Err(OpError::Expression {
                    op: state.path(self.op),
                    par: par.spec.name.to_string(),
                    problem: problem.to_string(),
                }),
            }
        })
    }

    /// The working value as it was when the operator was asked last, without asking anything; `None` where it could not be
    /// evaluated then.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn last_value(&self) -> Result<Option<Value>, OpError> {
        self.read(|par| par.problem.is_none().then(|| par.value.clone()))
    }

    /// The value as a number.
    ///
    /// # Errors
    ///
    /// As [`eval`](Self::eval); [`OpError::BadValue`] where it is no number.
    pub fn eval_f64(&self) -> Result<f64, OpError> {
        let value = self.eval()?;
        let number = match self.read(|par| par.spec.menu_index(value.as_str().unwrap_or("")))? {
            #[expect(clippy::cast_precision_loss, reason = "a place in a menu")]
            Some(index) => Some(index as f64),
            None => value.as_f64(),
        };
        number.ok_or_else(|| self.bad_value(&value, "it is no number".into()))
    }

    /// The operator that the value names.
    ///
    /// # Errors
    ///
    /// As [`eval`](Self::eval).
    pub fn eval_op(&self) -> Result<Option<Op>, OpError> {
        Ok(match self.eval()? {
            Value::Op(id) => Some(Op::new(&self.net, id)),
            _ => None,
        })
    }

    /// Sets the constant and the mode Constant. Of a parameter that is bound, sets the bind master instead.
    ///
    /// A menu is set by name or by index, a number is brought into its limits.
    ///
    /// # Errors
    ///
    /// [`OpError::BadValue`], which says what it takes; [`OpError::Expression`] where a bind leads nowhere;
    /// [`OpError::Destroyed`].
    pub fn set(&self, value: impl Into<Value>) -> Result<(), OpError> {
        let mut value = value.into();
        let mut par = self.clone();
        // Bound to one that is bound: at most as deep as an evaluation follows.
        for _ in 0..16 {
            if par.read(|par| par.mode)? != ParMode::Bind {
                break;
            }
            let master = self.net.with(|state| state.bind_master(par.op, par.index));
            let (op, index) = master.map_err(|problem| OpError::Expression {
                op: par.path(),
                par: par.name().unwrap_or_default(),
                problem,
            })?;
            par = Self::new(&self.net, op, index);
        }
        if let Value::Op(id) = value {
            value = Op::new(&self.net, id).path()?.into();
        }
        let spec = par.spec()?;
        let coerced = coerce(&spec, &value).map_err(|expected| par.bad_value(&value, expected))?;
        for (name, number) in spec.sets.iter().zip(numbers_in(coerced.as_str().unwrap_or_default())) {
            par.owner().par(name)?.set(number)?;
        }
        par.change(|par| {
            par.constant = coerced.clone();
            par.set_mode(ParMode::Constant);
            par.problem = None;
            if !par.spec.style.is_op() {
                par.value = coerced;
            }
        })
    }

    fn bad_value(&self, value: &Value, expected: String) -> OpError {
        let shown = match value {
            Value::Str(text) => format!("{:?}", text.chars().take(80).collect::<String>()),
            other => other.to_string(),
        };
        OpError::BadValue { op: self.path(), par: self.name().unwrap_or_default(), value: shown, expected }
    }

    /// The constant, whatever the mode.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn val(&self) -> Result<Value, OpError> {
        self.read(|par| par.constant.clone())
    }

    /// The expression; empty where there is none.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn expr(&self) -> Result<String, OpError> {
        self.read(|par| par.expr.as_ref().map_or_else(String::new, |expr| expr.text.to_string()))
    }

    /// Sets the expression and the mode Expression.
    ///
    /// # Errors
    ///
    /// [`OpError::Expression`] where it cannot be read; nothing changes then. [`OpError::Destroyed`].
    pub fn set_expr(&self, text: &str) -> Result<(), OpError> {
        let source = Source::new(text);
        if let Err(problem) = &source.read {
            return Err(OpError::Expression {
                op: self.path(),
                par: self.name().unwrap_or_default(),
                problem: problem.to_string(),
            });
        }
        self.change(|par| {
            par.expr = Some(source);
            par.set_mode(ParMode::Expression);
        })
    }

    /// The bind expression; empty where there is none.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn bind_expr(&self) -> Result<String, OpError> {
        self.read(|par| par.bind.as_ref().map_or_else(String::new, |bind| bind.text.to_string()))
    }

    /// Sets the bind expression, `op('base1').par.Speed`, and the mode Bind.
    ///
    /// # Errors
    ///
    /// [`OpError::Expression`] where it cannot be read; nothing changes then. [`OpError::Destroyed`].
    pub fn set_bind_expr(&self, text: &str) -> Result<(), OpError> {
        let bind = Bind::new(text);
        if let Err(problem) = &bind.master {
            return Err(OpError::Expression {
                op: self.path(),
                par: self.name().unwrap_or_default(),
                problem: problem.to_string(),
            });
        }
        self.change(|par| {
            par.bind = Some(bind);
            par.set_mode(ParMode::Bind);
        })
    }

    /// Which of its values counts.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn mode(&self) -> Result<ParMode, OpError> {
        self.settled(|par| par.mode)
    }

    /// The mode before the last change of it.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn prev_mode(&self) -> Result<ParMode, OpError> {
        self.settled(|par| par.previous_mode)
    }

    /// Chooses which of its values counts.
    ///
    /// # Errors
    ///
    /// [`OpError::Mode`] where there is no export, expression or bind to follow; [`OpError::Destroyed`].
    ///
    /// # Source
    ///
    /// operators §7.2: Export can be chosen only while an export exists.
    pub fn set_mode(&self, mode: ParMode) -> Result<(), OpError> {
        let reason = self.settled(|par| match mode {
            ParMode::Export if par.exports.is_empty() => Some("no channel is exported to it"),
            ParMode::Expression if par.expr.is_none() => Some("it has no expression: set one"),
            ParMode::Bind if par.bind.is_none() => Some("it has no bind expression: set one"),
            _ => None,
        })?;
        if let Some(reason) = reason {
            return Err(OpError::Mode { op: self.path(), par: self.name()?, mode: mode.name(), reason });
        }
        self.change(|par| {
            par.set_mode(mode);
            if mode == ParMode::Constant && !par.spec.style.is_op() {
                par.value = par.constant.clone();
            }
        })
    }

    /// The scripting name.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn name(&self) -> Result<String, OpError> {
        self.read(|par| par.spec.name.to_string())
    }

    /// The names of a menu's entries; `None` for what is no menu.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn menu_names(&self) -> Result<Option<Vec<String>>, OpError> {
        self.read(|par| has_menu(par).then(|| par.spec.menu_names().map(str::to_owned).collect()))
    }

    /// The labels of a menu's entries; `None` for what is no menu.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn menu_labels(&self) -> Result<Option<Vec<String>>, OpError> {
        self.read(|par| has_menu(par).then(|| par.spec.menu_labels().map(str::to_owned).collect()))
    }

    /// The place of the value in the menu, from 0; `None` for what is no menu.
    ///
    /// # Errors
    ///
    /// As [`eval`](Self::eval).
    pub fn menu_index(&self) -> Result<Option<usize>, OpError> {
        let value = self.eval()?;
        self.read(|par| par.spec.menu_index(value.as_str()?))
    }

    /// The value it begins with.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn default_value(&self) -> Result<Value, OpError> {
        self.read(|par| par.spec.default.clone())
    }

    /// Whether it is as it began: the default in mode Constant.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn is_default(&self) -> Result<bool, OpError> {
        self.read(|par| par.mode == ParMode::Constant && par.constant == par.spec.default)
    }

    /// Sets it to its default in mode Constant, and says whether that changed anything.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn reset(&self) -> Result<bool, OpError> {
        let changed = !self.is_default()?;
        if changed {
            self.change(|par| {
                par.constant = par.spec.default.clone();
                par.set_mode(ParMode::Constant);
                par.problem = None;
                if !par.spec.style.is_op() {
                    par.value = par.constant.clone();
                }
            })?;
        }
        Ok(changed)
    }

    /// The operator whose channel drives it, and the channel's place there.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn export_source(&self) -> Result<Option<(Op, usize)>, OpError> {
        let source = self.settled(|par| par.exports.last().copied())?;
        Ok(source.map(|source| (Op::new(&self.net, source.op), source.channel)))
    }

    /// Calls a closure at the end of each frame in which the value changed, whatever changed it. While somebody watches,
    /// the operator is asked every frame.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn on_change(
        &self,
        callback: impl FnMut(&Self, &Value) + Send + 'static,
    ) -> Result<WatchId, OpError> {
        let last = self.read(|par| par.value.clone())?;
        Ok(self.net.watch(self.op, self.index, last, Box::new(callback)))
    }
}

/// The whole numbers in the name of a menu's entry: 1920 and 1080 of `1920x1080`.
fn numbers_in(name: &str) -> impl Iterator<Item = i64> {
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok())
}

fn has_menu(par: &ParState) -> bool {
    matches!(par.spec.style, Style::Menu | Style::StrMenu)
}

fn is_enabled(node: &Node, par: &ParState) -> bool {
    match &par.spec.enable {
        Enable::Always => true,
        Enable::When { par, is } => node.par(par).is_some_and(|other| {
            let value = match &other.value {
                Value::Bool(on) => if *on { "1" } else { "0" }.to_owned(),
                value => value.to_string(),
            };
            is.contains(&value.as_str())
        }),
    }
}
