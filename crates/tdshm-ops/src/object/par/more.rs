//! What a parameter tells of each of its values, and of what it is.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Par, is_enabled};
use crate::Value;
use crate::error::OpError;
use crate::object::op::Op;
use crate::par::state::{ParState, coerce};
use crate::par::{ParMode, ParSpec, Style};

impl Par {
    /// Whether it is still there.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.read(|_| ()).is_ok()
    }

    /// The operator that drives it.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn export_op(&self) -> Result<Option<Op>, OpError> {
        Ok(self.export_source()?.map(|(op, _)| op))
    }

    /// What the expression gives, whatever the mode; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`OpError::Expression`] where it cannot be evaluated; [`OpError::Destroyed`].
    pub fn eval_expression(&self) -> Result<Option<Value>, OpError> {
        if self.read(|par| par.expr.is_none())? {
            return Ok(None);
        }
        self.in_mode(ParMode::Expression).map(Some)
    }

    /// What the export gives that would count in mode Export; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn eval_export(&self) -> Result<Option<Value>, OpError> {
        if self.settled(|par| par.exports.is_empty())? {
            return Ok(None);
        }
        self.in_mode(ParMode::Export).map(Some)
    }

    /// Evaluates it as if it had this mode, and leaves everything as it was.
    fn in_mode(&self, mode: ParMode) -> Result<Value, OpError> {
        let _one_thread = self.net.hold();
        let was_dirty = self.owner().is_dirty()?;
        let before = self.read(|par| (par.mode, par.value.clone(), par.problem.clone()))?;
        self.touch(|par| par.mode = mode)?;
        let result = self.eval();
        self.touch(|par| {
            (par.mode, par.value, par.problem) = before;
            par.found_in = None;
        })?;
        self.owner().set_dirty(was_dirty)?;
        result
    }

    /// Changes it without telling anybody.
    fn touch(&self, change: impl FnOnce(&mut ParState)) -> Result<(), OpError> {
        self.net.with(|state| {
            state.node_mut(self.op)?.pars.get_mut(self.index).map(change).ok_or(OpError::Destroyed)
        })
    }

    /// The operators that the value of an operator parameter means: its text may be patterns.
    ///
    /// # Errors
    ///
    /// As [`eval`](Self::eval).
    pub fn eval_ops(&self) -> Result<Vec<Op>, OpError> {
        if let Value::Op(id) = self.eval()? {
            return Ok(vec![Op::new(&self.net, id)]);
        }
        let (style, text) = self.read(|par| (par.spec.style, par.constant.clone()))?;
        let ids = match (style.is_op(), text.as_str()) {
            (true, Some(patterns)) => self
                .net
                .with(|state| state.find_all_from(|pattern| state.seen_from(self.op, pattern), patterns)),
            _ => Vec::new(),
        };
        Ok(ids.into_iter().map(|id| Op::new(&self.net, id)).collect())
    }

    /// The file that the value of a file parameter names, seen from the [folder](crate::Network::set_folder) of the network;
    /// `None` where it is empty, or the parameter names no file.
    ///
    /// # Errors
    ///
    /// As [`eval`](Self::eval).
    pub fn eval_file(&self) -> Result<Option<PathBuf>, OpError> {
        let value = self.eval()?;
        let is_file = self.spec()?.style == Style::File;
        let path = value.as_str().filter(|text| is_file && !text.is_empty());
        Ok(path.map(|path| self.net.with(|state| state.folder.join(path))))
    }

    /// The absolute frame in which a program last changed it, whatever of it; `None` where none did.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn last_script_change(&self) -> Result<Option<u64>, OpError> {
        self.read(|par| par.set_in)
    }

    /// The value within the slider's range, 0 at its beginning and 1 at its end.
    ///
    /// # Errors
    ///
    /// As [`eval_f64`](Self::eval_f64).
    pub fn eval_norm(&self) -> Result<f64, OpError> {
        let value = self.eval_f64()?;
        let (from, to) = self.spec()?.norm;
        Ok(if from == to { 0.0 } else { (value - from) / (to - from) })
    }

    /// Sets a number by its place in the slider's range: 0 for its beginning, 1 for its end.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn set_norm(&self, norm: f64) -> Result<(), OpError> {
        let (from, to) = self.spec()?.norm;
        self.set(from + (to - from) * norm)
    }

    /// Sets a menu by the place of an entry, from 0.
    ///
    /// # Errors
    ///
    /// [`OpError::BadValue`] where the menu ends before, or it is no menu; [`OpError::Destroyed`].
    pub fn set_menu_index(&self, index: usize) -> Result<(), OpError> {
        let value = Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
        let spec = self.spec()?;
        match spec.style {
            Style::Menu => self.set(value),
            Style::StrMenu => match spec.menu.get(index) {
                Some(entry) => self.set(&*entry.name),
                None => Err(self.bad_value(&value, format!("give a place below {}", spec.menu.len()))),
            },
            _ => Err(self.bad_value(&value, "it is no menu".into())),
        }
    }

    /// Takes over constant, expression, bind and mode of another parameter of the same style.
    ///
    /// # Errors
    ///
    /// [`OpError::BadValue`] where the styles differ; [`OpError::Destroyed`].
    pub fn copy_from(&self, source: &Self) -> Result<(), OpError> {
        // The other one may belong to another network, so both are never looked at at once.
        let mut copy = ParState::new(source.spec()?);
        source.read(|par| copy.copy_from(par))?;
        let style = self.spec()?.style;
        if copy.spec.style != style {
            let expected = format!("it takes what a {} takes", style.name());
            return Err(self.bad_value(&copy.constant, expected));
        }
        self.change(|par| par.copy_from(&copy))
    }

    /// Makes a custom parameter another one: its label, page, menu, limits, default. Name and style stay; the constant is
    /// brought in line with it where that is possible, and is the new default otherwise.
    ///
    /// # Errors
    ///
    /// [`OpError::BadValue`] for another style or name; [`OpError::Unsupported`] for a parameter that belongs to the
    /// operator's type; [`OpError::Destroyed`].
    pub fn redefine(&self, spec: ParSpec) -> Result<(), OpError> {
        let had = self.spec()?;
        if !had.is_custom {
            return Err(OpError::Unsupported {
                op: self.path(),
                what: "have other parameters than its type has",
                advice: "only custom parameters can be redefined",
            });
        }
        if spec.style != had.style || spec.name != had.name {
            let expected = format!("it stays a {} called {}", had.style.name(), had.name);
            return Err(self.bad_value(&Value::from(&*spec.name), expected));
        }
        self.change(|par| {
            par.constant = coerce(&spec, &par.constant).unwrap_or_else(|_| spec.default.clone());
            if par.mode == ParMode::Constant && !spec.style.is_op() {
                par.value = par.constant.clone();
            }
            par.spec = Arc::new(ParSpec { is_custom: true, ..spec });
        })
    }

    /// A member of TD's `Par` class by its name there: `label`, `normMax`, `isMenu`. Lists, and what needs an argument,
    /// have methods of their own.
    ///
    /// # Errors
    ///
    /// [`OpError::Unsupported`] where there is none of that name; otherwise as [`eval`](Self::eval).
    pub fn member(&self, name: &str) -> Result<Value, OpError> {
        let spec = self.spec()?;
        if let Some(value) = of_spec(&spec, name) {
            return Ok(value);
        }
        Ok(match name {
            "owner" => Value::Op(self.op),
            "val" => self.val()?,
            "expr" => self.expr()?.into(),
            "bindExpr" => self.bind_expr()?.into(),
            "mode" => self.mode()?.name().into(),
            "prevMode" => self.prev_mode()?.name().into(),
            "isDefault" => Value::Bool(self.is_default()?),
            "normVal" => Value::Float(self.eval_norm()?),
            "menuIndex" => place(self.menu_index()?),
            "enable" => Value::Bool(self.is_enabled()?),
            "index" | "order" => place(Some(self.index)),
            "exportOP" => self.export_op()?.map_or(Value::None, |op| Value::Op(op.id())),
            "lastScriptChange" => {
                let frame = self.last_script_change()?;
                frame.map_or(Value::None, |frame| Value::Int(i64::try_from(frame).unwrap_or(i64::MAX)))
            }
            "valid" => Value::Bool(true),
            _ => {
                return Err(OpError::Unsupported {
                    op: format!("{}.par.{}", self.path(), spec.name),
                    what: "give a member of that name",
                    advice: "see the members of a parameter",
                });
            }
        })
    }

    /// Whether it can be set: by its own enable rule.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn is_enabled(&self) -> Result<bool, OpError> {
        self.net.with(|state| {
            let node = state.node(self.op)?;
            let par = node.pars.get(self.index).ok_or(OpError::Destroyed)?;
            Ok(is_enabled(node, par))
        })
    }
}

/// Members that stay the same while the network runs.
fn of_spec(spec: &ParSpec, name: &str) -> Option<Value> {
    Some(match name {
        "name" => (&*spec.name).into(),
        "label" => (&*spec.label).into(),
        "page" => (&*spec.page).into(),
        "style" => spec.style.name().into(),
        "default" => spec.default.clone(),
        "defaultExpr" | "enableExpr" => "".into(),
        "defaultMode" => ParMode::Constant.name().into(),
        "min" => Value::Float(spec.min.unwrap_or(spec.norm.0)),
        "max" => Value::Float(spec.max.unwrap_or(spec.norm.1)),
        "clampMin" => Value::Bool(spec.clamp_min),
        "clampMax" => Value::Bool(spec.clamp_max),
        "normMin" => Value::Float(spec.norm.0),
        "normMax" => Value::Float(spec.norm.1),
        "readOnly" | "hidden" => Value::Bool(false),
        "vecIndex" => place(Some(spec.group.map_or(0, |(_, index)| index))),
        "isMenu" => Value::Bool(matches!(spec.style, Style::Menu | Style::StrMenu)),
        "isToggle" => Value::Bool(spec.style == Style::Toggle),
        "isString" => Value::Bool(matches!(spec.style, Style::Str | Style::StrMenu | Style::File)),
        "isNumber" => Value::Bool(spec.style.is_number()),
        "isFloat" => Value::Bool(spec.style == Style::Float),
        "isInt" => Value::Bool(spec.style == Style::Int),
        "isOP" => Value::Bool(spec.style.is_op()),
        "isPulse" => Value::Bool(spec.style == Style::Pulse),
        "isCustom" => Value::Bool(spec.is_custom),
        _ => return None,
    })
}

fn place(index: Option<usize>) -> Value {
    index.map_or(Value::None, |index| Value::Int(i64::try_from(index).unwrap_or(i64::MAX)))
}
