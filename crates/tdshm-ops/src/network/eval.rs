//! What parameters are worth: constants, expressions, exports and binds (operators §7.2).

use std::mem;
use std::sync::Arc;

use crate::Value;
use crate::data::Data;
use crate::expr::{Expr, Key, Scope, TimeOf};
use crate::network::state::{Node, State};
use crate::op::Family;
use crate::par::state::{ParState, coerce, coerce_cell, coerce_export};
use crate::par::{Asks, ParMode, Style};
use crate::value::OpId;

/// How deep parts of expressions may lie in one another over all the parameters that one refers to, so that the stack of
/// the first thread of a program suffices everywhere.
const DEEPEST: usize = 80;

/// What is said of a parameter beyond that.
const TOO_DEEP: &str = "the parameter refers to itself, or through too many others";

/// What the step from a parameter to the next counts for.
const A_STEP: usize = 4;

impl State {
    /// Evaluates the parameters of an operator whose values can change by themselves.
    pub(crate) fn evaluate_pars(&mut self, id: OpId) {
        let Some(node) = self.get_mut(id) else { return };
        if node.live.is_empty() {
            return;
        }
        let live = mem::take(&mut node.live);
        for &at in &live {
            if !self.is_found(id, at) {
                self.evaluate_par(id, at);
            }
        }
        if let Some(node) = self.get_mut(id) {
            node.live = live;
        }
    }

    /// Whether a parameter is a path that was looked up already, and no path means anything else since then.
    fn is_found(&self, id: OpId, at: usize) -> bool {
        self.get(id).and_then(|node| node.pars.get(at)).is_some_and(|par| {
            par.mode == ParMode::Constant
                && par.found_in == Some(self.topology)
                && !matches!(par.spec.asks, Asks::Unless(_))
        })
    }

    /// Evaluates one parameter. A new value is a reason to cook.
    pub(crate) fn evaluate_par(&mut self, id: OpId, at: usize) {
        let (using, known) = (mem::take(&mut self.using), mem::take(&mut self.known));
        let mut eval = Eval { using, known, state: self, uses_time: false, depth: 0, is_too_deep: false };
        eval.using.clear();
        eval.known.clear();
        let result = eval.value_of(id, at);
        // Not with the place in every expression on the way.
        let result = if eval.is_too_deep { Err(TOO_DEEP.into()) } else { result };
        let Eval { mut using, known, uses_time, .. } = eval;
        self.known = known;
        if let (Some(node), Ok(Value::Op(op))) = (self.get(id), &result)
            && node.pars.get(at).is_some_and(|par| node.asks(par))
            && !using.contains(op)
        {
            using.push(*op);
        }
        let topology = self.topology;
        if let Some(node) = self.get_mut(id)
            && let Some(par) = node.pars.get_mut(at)
        {
            par.found_in = par.spec.style.is_op().then_some(topology);
            par.uses_time = uses_time;
            par.uses.retain(|(op, _)| using.contains(op));
            for &op in &using {
                if !par.uses.iter().any(|&(known, _)| known == op) {
                    par.uses.push((op, u64::MAX));
                }
            }
            match result {
                Ok(value) => {
                    par.problem = None;
                    if !par.value.is_same(&value) {
                        par.value = value;
                        node.dirty = true;
                    }
                }
                Err(problem) => {
                    if par.problem.as_deref() != Some(problem.as_str()) {
                        par.problem = Some(problem.into());
                    }
                }
            }
        }
        self.using = using;
    }

    /// Remembers what of other operators this cook saw.
    pub(crate) fn note_uses(&mut self, id: OpId) {
        let Some(node) = self.get_mut(id) else { return };
        if node.live.is_empty() {
            return;
        }
        let mut pars = mem::take(&mut node.pars);
        for par in &mut pars {
            for (op, seen) in &mut par.uses {
                *seen = self.version_of(Some(*op));
            }
        }
        if let Some(node) = self.get_mut(id) {
            node.pars = pars;
        }
    }

    /// The parameter that a bind expression leads to.
    pub(crate) fn bind_master(&mut self, id: OpId, at: usize) -> Result<(OpId, usize), String> {
        let mut eval = Eval {
            using: Vec::new(),
            known: Vec::new(),
            state: self,
            uses_time: false,
            depth: 0,
            is_too_deep: false,
        };
        eval.master_of(id, at)
    }

    /// A channel's value at the current time (operators §3.1): in a time slice its last sample.
    pub(crate) fn channel_now(&self, id: OpId, channel: usize) -> Option<f64> {
        let clip = self.get(id)?.output.as_clip()?;
        let samples = clip.channel(channel)?;
        if clip.is_slice() {
            return samples.last().map(|&sample| f64::from(sample));
        }
        Some(clip.value_at_seconds(channel, self.time.seconds()))
    }
}

/// One evaluation: where it looks, and what it used on its way.
struct Eval<'s> {
    state: &'s State,
    using: Vec<OpId>,
    /// What other parameters were found to be worth, so that none is evaluated twice on the way.
    known: Vec<((OpId, usize), Value)>,
    uses_time: bool,
    depth: usize,
    is_too_deep: bool,
}

/// The same as seen by the expression of one operator.
struct Within<'e, 's> {
    eval: &'e mut Eval<'s>,
    me: OpId,
}

impl Eval<'_> {
    fn value_of(&mut self, id: OpId, at: usize) -> Result<Value, String> {
        let state = self.state;
        let par = state.get(id).and_then(|node| node.pars.get(at)).ok_or("the parameter is gone")?;
        let value = match par.mode {
            ParMode::Constant => par.constant.clone(),
            ParMode::Expression => {
                let source = par.expr.as_ref().ok_or("there is no expression")?;
                let expr = source.read.as_ref().map_err(|problem| problem.to_string())?;
                let value = self.worth(id, expr)?;
                coerce(&par.spec, &value)?
            }
            ParMode::Export => return Ok(self.exported(id, par)),
            ParMode::Bind => {
                let (op, at) = self.master_of(id, at)?;
                self.value_of_other(op, at).and_then(|value| coerce(&par.spec, &value))?
            }
        };
        Ok(if par.spec.style.is_op() { self.found(id, par.spec.style, &value) } else { value })
    }

    /// What a parameter is worth that another one refers to.
    fn value_of_other(&mut self, id: OpId, at: usize) -> Result<Value, String> {
        let place = (id, at);
        if let Some((_, value)) = self.known.iter().find(|(known, _)| *known == place) {
            return Ok(value.clone());
        }
        let value = self.deeper(A_STEP, |eval| eval.value_of(id, at))?;
        self.known.push((place, value.clone()));
        Ok(value)
    }

    /// What the export that counts gives; the last value where it gives nothing.
    fn exported(&mut self, id: OpId, par: &ParState) -> Value {
        let Some(source) = par.exports.last() else { return par.value.clone() };
        self.use_op(source.op);
        let now = match self.state.get(source.op).map(|node| &node.output) {
            Some(Data::Chop(_)) => self
                .state
                .channel_now(source.op, source.channel)
                .and_then(|now| coerce_export(&par.spec, now, &par.value)),
            Some(Data::Dat(table)) => {
                let cell = table.column_headed("value").and_then(|column| table.cell(source.channel, column));
                match cell {
                    Some(path) if par.spec.style.is_op() => Some(self.found_path(id, par.spec.style, path)),
                    Some(text) => coerce_cell(&par.spec, text, &par.value),
                    None => None,
                }
            }
            _ => None,
        };
        now.unwrap_or_else(|| par.value.clone())
    }

    fn master_of(&mut self, id: OpId, at: usize) -> Result<(OpId, usize), String> {
        let state = self.state;
        let par = state.get(id).and_then(|node| node.pars.get(at)).ok_or("the parameter is gone")?;
        let bind = par.bind.as_ref().ok_or("there is no bind expression")?;
        let (op, name) = bind.master.as_ref().map_err(|problem| problem.to_string())?;
        let found = self.worth(id, op)?;
        let Value::Op(op) = found else { return Err(format!("{} leads to no operator", bind.text)) };
        let node = state.get(op).ok_or("the bind master is gone")?;
        let at =
            node.par_index(name).ok_or_else(|| format!("{} has no parameter {name:?}", state.path(op)))?;
        Ok((op, at))
    }

    /// The operator that a path or a reference means, if it is there and of the family that the parameter takes.
    fn found(&self, id: OpId, style: Style, value: &Value) -> Value {
        match value {
            Value::Str(path) => self.found_path(id, style, path),
            Value::Op(op) => self.fitting(style, Some(*op)),
            _ => Value::None,
        }
    }

    fn found_path(&self, id: OpId, style: Style, path: &str) -> Value {
        self.fitting(style, self.state.find(self.state.seen_from(id, path), path))
    }

    fn fitting(&self, style: Style, found: Option<OpId>) -> Value {
        let fits = |node: &Node| match style {
            Style::Chop => node.spec.family == Family::Chop,
            Style::Top => node.spec.family == Family::Top,
            Style::Dat => node.spec.family == Family::Dat,
            _ => true,
        };
        found.filter(|&op| self.state.get(op).is_some_and(fits)).map_or(Value::None, Value::Op)
    }

    /// What an expression of an operator is worth.
    fn worth(&mut self, id: OpId, expr: &Expr) -> Result<Value, String> {
        self.deeper(expr.height(), |eval| {
            expr.eval(&mut Within { eval, me: id }).map_err(|error| error.to_string())
        })
    }

    fn deeper<R>(
        &mut self,
        by: usize,
        act: impl FnOnce(&mut Self) -> Result<R, String>,
    ) -> Result<R, String> {
        let (before, depth) = (self.depth, self.depth.saturating_add(by));
        if depth > DEEPEST {
            self.is_too_deep = true;
            return Err(TOO_DEEP.into());
        }
        self.depth = depth;
        let result = act(self);
        self.depth = before;
        result
    }

    fn use_op(&mut self, op: OpId) {
        if !self.using.contains(&op) {
            self.using.push(op);
        }
    }
}

impl Scope for Within<'_, '_> {
    fn me(&self) -> OpId {
        self.me
    }

    fn op(&mut self, from: OpId, path: &str) -> Option<OpId> {
        let state = self.eval.state;
        if from == self.me {
            state.find(state.seen_from(from, path), path).or_else(|| {
                let start = |pattern: &str| state.seen_from(from, pattern);
                state.find_all_from(start, path).first().copied()
            })
        } else {
            state.find_in(from, path)
        }
    }

    fn parent(&mut self, of: OpId, levels: usize) -> Option<OpId> {
        (0..levels).try_fold(of, |at, _| self.eval.state.get(at)?.parent)
    }

    fn par(&mut self, op: OpId, name: &str) -> Result<Value, String> {
        let state = self.eval.state;
        let node = state.get(op).ok_or("the operator is gone")?;
        let at =
            node.par_index(name).ok_or_else(|| format!("{} has no parameter {name:?}", state.path(op)))?;
        self.eval.value_of_other(op, at)
    }

    fn channel(&mut self, op: OpId, which: Key<'_>, sample: Option<i64>) -> Result<Value, String> {
        self.eval.use_op(op);
        let state = self.eval.state;
        let node = state.get(op).ok_or("the operator is gone")?;
        if node.spec.family != Family::Chop {
            return Err(format!("{} is no CHOP and has no channels", state.path(op)));
        }
        let Some(clip) = node.output.as_clip() else { return Ok(Value::None) };
        let index = match which {
            Key::Name(name) => clip.names().index_of(name),
            Key::Index(index) => from_end(index, clip.num_channels()),
        };
        let Some(index) = index else { return Ok(Value::None) };
        match sample {
            None => {
                self.eval.uses_time |= !clip.is_slice() && clip.len_samples() > 1;
                Ok(state.channel_now(op, index).map_or(Value::None, Value::Float))
            }
            Some(sample) => {
                let samples = clip.channel(index).unwrap_or_default();
                from_end(sample, samples.len())
                    .and_then(|at| samples.get(at))
                    .map(|&sample| Value::Float(sample.into()))
                    .ok_or_else(|| {
                        format!("{} has {} samples and no sample {sample}", state.path(op), samples.len())
                    })
            }
        }
    }

    fn cell(&mut self, op: OpId, row: Key<'_>, column: Key<'_>) -> Result<Value, String> {
        self.eval.use_op(op);
        let state = self.eval.state;
        let node = state.get(op).ok_or("the operator is gone")?;
        if node.spec.family != Family::Dat {
            return Err(format!("{} is no DAT and has no cells", state.path(op)));
        }
        let Some(table) = node.output.as_table() else { return Ok(Value::None) };
        let row = match row {
            Key::Name(name) => table.row_headed(name),
            Key::Index(index) => from_end(index, table.num_rows()),
        };
        let column = match column {
            Key::Name(name) => table.column_headed(name),
            Key::Index(index) => from_end(index, table.num_columns()),
        };
        let cell = row.zip(column).and_then(|(row, column)| table.cell(row, column));
        Ok(cell.map_or(Value::None, |cell| Value::Str(Arc::from(cell))))
    }

    fn member(&mut self, op: OpId, name: &str) -> Result<Value, String> {
        let state = self.eval.state;
        let node = state.get(op).ok_or("the operator is gone")?;
        if let Some(value) = state.plain_member(op, name) {
            return Ok(value);
        }
        self.eval.use_op(op);
        state.data_member(op, name).ok_or_else(|| format!("a {} has no member {name:?}", node.spec.family))
    }

    fn time(&mut self, which: TimeOf, name: &str) -> Result<Value, String> {
        self.eval.uses_time = true;
        let time = &self.eval.state.time;
        #[expect(clippy::cast_precision_loss, reason = "exact for the first four million years")]
        let abs_frame = time.abs_frame as f64;
        match (which, name) {
            (TimeOf::Abs, "frame") => Ok(Value::Float(abs_frame)),
            (TimeOf::Abs, "seconds") => Ok(Value::Float(time.abs_seconds())),
            (TimeOf::Abs, "step") => {
                Ok(Value::Float(abs_frame - time.previous.map_or(abs_frame - 1.0, |p| p as f64)))
            }
            (TimeOf::Me | TimeOf::Root, "frame") => Ok(Value::Float(time.frame)),
            (TimeOf::Me | TimeOf::Root, "seconds") => Ok(Value::Float(time.seconds())),
            (TimeOf::Me | TimeOf::Root, "start" | "rangeStart") => Ok(Value::Float(time.start)),
            (TimeOf::Me | TimeOf::Root, "end" | "rangeEnd") => Ok(Value::Float(time.end)),
            (TimeOf::Me | TimeOf::Root, "play") => Ok(Value::Bool(time.play)),
            (_, "rate") => Ok(Value::Float(time.rate)),
            _ => Err(format!("time has no member {name:?}: there are frame, seconds and rate")),
        }
    }
}

/// A place counted from the end where it is negative, as in Python.
fn from_end(index: i64, count: usize) -> Option<usize> {
    let at = if index < 0 {
        count.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?
    } else {
        usize::try_from(index).ok()?
    };
    (at < count).then_some(at)
}
