//! What a parameter of an operator holds while the network runs.

use std::sync::Arc;

use super::{ParMode, ParSpec, Style};
use crate::Value;
use crate::expr::Expr;
use crate::value::OpId;

/// A text that was meant as an expression, read once.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) text: Arc<str>,
    pub(crate) read: Result<Arc<Expr>, Arc<str>>,
}

impl Source {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            read: Expr::parse(text).map(Arc::new).map_err(|error| error.to_string().into()),
        }
    }
}

/// Where a bind expression leads: `op('base1').par.Speed` is the operator's expression and the parameter's name.
#[derive(Clone, Debug)]
pub(crate) struct Bind {
    pub(crate) text: Arc<str>,
    pub(crate) master: Result<(Arc<Expr>, Arc<str>), Arc<str>>,
}

impl Bind {
    pub(crate) fn new(text: &str) -> Self {
        let master = match text.trim().rsplit_once(".par.") {
            Some((op, par))
                if !par.is_empty() && par.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') =>
            {
                Expr::parse(op).map(|op| (Arc::new(op), par.into())).map_err(|error| error.to_string().into())
            }
            _ => Err("a bind expression names a parameter: write it as op('base1').par.Speed".into()),
        };
        Self { text: text.into(), master }
    }
}

/// A channel that drives a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExportSource {
    /// The exporting operator.
    pub(crate) op: OpId,
    /// The channel's place in its output.
    pub(crate) channel: usize,
    /// Later ones win (operators §7.5).
    pub(crate) order: u64,
}

/// A parameter's four values, and what counted last.
#[derive(Debug)]
pub(crate) struct ParState {
    pub(crate) spec: Arc<ParSpec>,
    /// The constant; of a parameter that names an operator, the path.
    pub(crate) constant: Value,
    pub(crate) expr: Option<Source>,
    pub(crate) bind: Option<Bind>,
    pub(crate) mode: ParMode,
    pub(crate) previous_mode: ParMode,
    /// Those that drive it, the one that counts at the end.
    pub(crate) exports: Vec<ExportSource>,
    /// What counted when it was evaluated last.
    pub(crate) value: Value,
    /// Why the last evaluation failed; the value is then the one before.
    pub(crate) problem: Option<Arc<str>>,
    /// The operators whose data the last evaluation used, with the version it saw.
    pub(crate) uses: Vec<(OpId, u64)>,
    pub(crate) uses_time: bool,
    /// Of a constant path: the topology for which it was looked up. `None` where that must be done again.
    pub(crate) found_in: Option<u64>,
    /// The absolute frame in which a program changed it last.
    pub(crate) set_in: Option<u64>,
}

impl ParState {
    pub(crate) fn new(spec: Arc<ParSpec>) -> Self {
        let constant = spec.default.clone();
        Self {
            value: if spec.style.is_op() { Value::None } else { constant.clone() },
            constant,
            spec,
            expr: None,
            bind: None,
            mode: ParMode::Constant,
            previous_mode: ParMode::Constant,
            exports: Vec::new(),
            problem: None,
            uses: Vec::new(),
            uses_time: false,
            found_in: None,
            set_in: None,
        }
    }

    /// Whether its value can change without anybody setting it.
    pub(crate) fn is_live(&self) -> bool {
        self.mode != ParMode::Constant || self.spec.style.is_op()
    }

    /// Takes over constant, expression, bind and mode of another one of the same style. What is exported there is its
    /// constant here.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        if let Ok(constant) = coerce(&self.spec, &other.constant) {
            self.constant = constant;
        }
        self.expr = other.expr.clone();
        self.bind = other.bind.clone();
        let mode = if other.mode == ParMode::Export { other.previous_mode } else { other.mode };
        self.set_mode(if mode == ParMode::Export { ParMode::Constant } else { mode });
        self.problem = None;
        self.found_in = None;
        if self.mode == ParMode::Constant && !self.spec.style.is_op() {
            self.value = self.constant.clone();
        }
    }

    /// Changes the mode, and remembers the one before.
    pub(crate) fn set_mode(&mut self, mode: ParMode) {
        if self.mode != mode {
            self.previous_mode = self.mode;
            self.mode = mode;
            self.problem = None;
        }
    }
}

/// What a parameter makes of a value: a number is brought into its limits, a menu is set by name or by index.
///
/// `Err` says what it takes.
pub(crate) fn coerce(spec: &ParSpec, value: &Value) -> Result<Value, String> {
    if *value == Value::None
        && !spec.style.is_op()
        && !matches!(spec.style, Style::Str | Style::StrMenu | Style::File)
    {
        return Err("the value is None: what it refers to is not there".into());
    }
    match spec.style {
        Style::Toggle | Style::Pulse => match value {
            Value::Bool(_) => Ok(value.clone()),
            Value::Int(_) | Value::Float(_) => {
                Ok(Value::Bool(value.as_f64().is_some_and(|number| number > 0.0)))
            }
            _ => Err("give True or False, or a number".into()),
        },
        Style::Int => match value {
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                let number = value.as_i64().ok_or_else(|| "give a finite number".to_owned())?;
                Ok(Value::Int(clamp_int(spec, number)))
            }
            _ => Err("give a whole number".into()),
        },
        Style::Float => match value {
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                let number = value.as_f64().unwrap_or(0.0);
                Ok(Value::Float(clamp(spec, number)))
            }
            _ => Err("give a number".into()),
        },
        Style::Menu => {
            let entry = match value {
                Value::Str(name) => spec.entry(name),
                Value::Int(_) | Value::Float(_) => value
                    .as_i64()
                    .and_then(|index| usize::try_from(index).ok())
                    .and_then(|at| spec.menu.get(at)),
                _ => None,
            };
            match entry {
                Some(entry) => Ok(entry.name.as_ref().into()),
                // A menu that only sets other parameters begins with none of its entries.
                None if *value == spec.default => Ok(value.clone()),
                None => {
                    let names: Vec<_> = spec.menu_names().collect();
                    Err(format!("give one of {}, or its index from 0", names.join(", ")))
                }
            }
        }
        Style::Str | Style::StrMenu | Style::File => match value {
            Value::Str(_) => Ok(value.clone()),
            Value::None => Ok("".into()),
            Value::Op(_) => Err("give a text".into()),
            other => Ok(other.to_string().into()),
        },
        Style::Op | Style::Chop | Style::Top | Style::Dat => match value {
            Value::Str(_) | Value::Op(_) => Ok(value.clone()),
            Value::None => Ok("".into()),
            _ => Err("give an operator or its path".into()),
        },
    }
}

/// What a channel's value makes of a parameter: `None` where it counts for nothing, and the last value stays
/// (operators §7.1, §7.5).
pub(crate) fn coerce_export(spec: &ParSpec, number: f64, last: &Value) -> Option<Value> {
    match spec.style {
        Style::Float => Some(Value::Float(if number.is_finite() { clamp(spec, number) } else { number })),
        _ if !number.is_finite() => None,
        Style::Toggle | Style::Pulse => Some(Value::Bool(number > 0.0)),
        Style::Int => Value::Float(number).as_i64().map(|number| Value::Int(clamp_int(spec, number))),
        Style::Menu => {
            let index =
                Value::Float(number).as_i64().map_or(0, |number| usize::try_from(number).unwrap_or(0));
            let end = spec.menu.len().saturating_sub(1);
            let entry = spec.menu.get(index.min(end))?;
            Some(if last.as_str() == Some(&*entry.name) { last.clone() } else { entry.name.as_ref().into() })
        }
        _ => None,
    }
}

/// The same for a cell of a table, which also drives what takes texts.
pub(crate) fn coerce_cell(spec: &ParSpec, text: &str, last: &Value) -> Option<Value> {
    match spec.style {
        Style::Menu if spec.menu_index(text).is_none() => {
            coerce_export(spec, text.trim().parse().ok()?, last)
        }
        style if style.takes_exports() && style != Style::Menu => {
            coerce_export(spec, text.trim().parse().ok()?, last)
        }
        _ => Some(if last.as_str() == Some(text) { last.clone() } else { text.into() }),
    }
}

fn clamp(spec: &ParSpec, number: f64) -> f64 {
    let number = match spec.min {
        Some(min) if spec.clamp_min && number < min => min,
        _ => number,
    };
    match spec.max {
        Some(max) if spec.clamp_max && number > max => max,
        _ => number,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "limits of whole numbers are whole numbers, and `as` saturates"
)]
#[expect(clippy::cast_precision_loss, reason = "only compared with a limit, which is small")]
fn clamp_int(spec: &ParSpec, number: i64) -> i64 {
    let kept = clamp(spec, number as f64);
    if kept == number as f64 { number } else { kept as i64 }
}
