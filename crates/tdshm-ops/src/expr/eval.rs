//! The value of an expression.

use core::cmp::Ordering;
use std::sync::Arc;

use crate::error::ExprError;
use crate::expr::function::{Function, MOST_VALUES, Run};
use crate::expr::number::{Fault, Number, arithmetic};
use crate::expr::token::{character, cut};
use crate::expr::tree::{Arithmetic, Comparison, Kind, Node};
use crate::expr::{Expr, Key, LONGEST_RESULT, Scope, TimeOf};
use crate::{OpId, Value};

pub(super) fn eval(expr: &Expr, scope: &mut dyn Scope) -> Result<Value, ExprError> {
    Evaluation { text: &expr.text, scope }.value(&expr.root)
}

/// What a part stands for before somebody wants its value.
enum Thing {
    Value(Value),
    /// A text that counts as a number where one is needed.
    Cell(Value),
    /// Where it is, and its present value.
    Channel(OpId, Value, Value),
    Par(OpId, Arc<str>),
    Pars(OpId),
    Time(TimeOf),
}

/// A value, and whether a text in it may count as a number.
struct Operand {
    value: Value,
    is_cell: bool,
}

impl Operand {
    fn number(&self) -> Option<Number> {
        match &self.value {
            Value::Str(text) if self.is_cell => Number::parse(text),
            value => Number::of(value),
        }
    }
}

struct Evaluation<'a> {
    text: &'a str,
    scope: &'a mut dyn Scope,
}

impl Evaluation<'_> {
    fn value(&mut self, node: &Node) -> Result<Value, ExprError> {
        self.operand(node).map(|operand| operand.value)
    }

    fn operand(&mut self, node: &Node) -> Result<Operand, ExprError> {
        let thing = self.thing(node)?;
        self.present(node, thing)
    }

    /// A thing's present value.
    fn present(&mut self, node: &Node, thing: Thing) -> Result<Operand, ExprError> {
        let value = match thing {
            Thing::Value(value) => value,
            Thing::Cell(value) => return Ok(Operand { value, is_cell: true }),
            Thing::Channel(_, _, value) => value,
            Thing::Par(op, name) => self.scope.par(op, &name).map_err(|reason| self.refused(node, reason))?,
            Thing::Pars(_) => {
                return Err(self.wrong_kind(
                    node,
                    "a set of parameters",
                    "a value is needed",
                    "write .par.Name",
                ));
            }
            Thing::Time(_) => {
                return Err(self.wrong_kind(node, "a time", "a value is needed", "write .frame or .seconds"));
            }
        };
        Ok(Operand { value, is_cell: false })
    }

    fn thing(&mut self, node: &Node) -> Result<Thing, ExprError> {
        let value = match &node.kind {
            Kind::Value(value) => value.clone(),
            Kind::Me => Value::Op(self.scope.me()),
            Kind::Root => self.root(),
            Kind::AbsTime => return Ok(Thing::Time(TimeOf::Abs)),
            Kind::Find { base, paths, must_exist } => self.find(node, base.as_deref(), paths, *must_exist)?,
            Kind::Parent { base, levels } => self.parent(base.as_deref(), levels.as_deref())?,
            Kind::Member(base, name) => return self.member(node, base, name),
            Kind::Index(base, key, column) => return self.index(node, base, key, column.as_deref()),
            Kind::Eval(base) => match self.thing(base)? {
                thing @ (Thing::Par(..) | Thing::Channel(..)) => self.present(base, thing)?.value,
                Thing::Value(Value::None) => {
                    return Err(self.missing(base, "eval() needs a parameter or a channel"));
                }
                _ => {
                    let (kind, needed) = ("neither", "eval() needs a parameter or a channel");
                    return Err(self.wrong_kind(base, kind, needed, "take it away"));
                }
            },
            Kind::Call(function, values) => self.call(node, function, values)?,
            Kind::Minus(inner) | Kind::Plus(inner) => {
                let number =
                    self.number(inner, if matches!(node.kind, Kind::Minus(_)) { "-" } else { "+" })?;
                match number {
                    number if matches!(node.kind, Kind::Plus(_)) => number.into(),
                    Number::Float(value) => Value::Float(-value),
                    Number::Int(value) => {
                        let negative = value.checked_neg().ok_or(Fault::TooLarge);
                        Value::Int(negative.map_err(|fault| self.fault(node, fault))?)
                    }
                }
            }
            Kind::Not(inner) => Value::Bool(!self.value(inner)?.is_true()),
            Kind::Arithmetic(operator, left, right) => self.arithmetic(node, *operator, left, right)?,
            Kind::Compare(left, chain) => self.compare(left, chain)?,
            Kind::And(left, right) => match self.operand(left)? {
                left if left.value.is_true() => return self.thing(right),
                left => left.value,
            },
            Kind::Or(left, right) => match self.operand(left)? {
                left if left.value.is_true() => left.value,
                _ => return self.thing(right),
            },
            Kind::If { condition, yes, no } => {
                let chosen = if self.value(condition)?.is_true() { yes } else { no };
                return self.thing(chosen);
            }
        };
        Ok(Thing::Value(value))
    }

    fn root(&mut self) -> Value {
        let me = self.scope.me();
        self.scope.op(me, "/").map_or(Value::None, Value::Op)
    }

    fn find(
        &mut self,
        node: &Node,
        base: Option<&Node>,
        paths: &[Node],
        must_exist: bool,
    ) -> Result<Value, ExprError> {
        let from = match base {
            Some(base) => self.op(base, "op() needs an operator")?,
            None => self.scope.me(),
        };
        for path in paths {
            let found = match self.value(path)? {
                Value::Str(path) => self.scope.op(from, &path),
                Value::Op(op) => Some(op),
                Value::None => None,
                other => {
                    let needed = "op() needs a path";
                    return Err(self.wrong_kind(path, kind_of(&other), needed, "write it in quotes"));
                }
            };
            if let Some(op) = found {
                return Ok(Value::Op(op));
            }
        }
        if must_exist {
            return Err(self.missing(node, "opex() needs one that is there"));
        }
        Ok(Value::None)
    }

    fn parent(&mut self, base: Option<&Node>, levels: Option<&Node>) -> Result<Value, ExprError> {
        let of = match base {
            Some(base) => self.op(base, "parent() needs an operator")?,
            None => self.scope.me(),
        };
        let levels = match levels {
            None => 1,
            Some(levels) => match self.value(levels)? {
                Value::Int(count) if count > 0 => usize::try_from(count).unwrap_or(usize::MAX),
                other => {
                    let needed = "parent() needs a whole number from 1";
                    return Err(self.wrong_kind(
                        levels,
                        kind_of(&other),
                        needed,
                        "write one, or nothing for 1",
                    ));
                }
            },
        };
        Ok(self.scope.parent(of, levels).map_or(Value::None, Value::Op))
    }

    /// The operator that a part stands for.
    fn op(&mut self, node: &Node, needed: &str) -> Result<OpId, ExprError> {
        match self.value(node)? {
            Value::Op(op) => Ok(op),
            Value::None => Err(self.missing(node, needed)),
            other => Err(self.wrong_kind(node, kind_of(&other), needed, "write op('…') around a path")),
        }
    }

    fn member(&mut self, node: &Node, base: &Node, name: &Value) -> Result<Thing, ExprError> {
        let Value::Str(name) = name else { return Ok(Thing::Value(Value::None)) };
        let thing = self.thing(base)?;
        let op = match thing {
            Thing::Pars(op) => return Ok(Thing::Par(op, name.clone())),
            Thing::Time(which) => {
                let value = self.scope.time(which, name).map_err(|reason| self.refused(node, reason))?;
                return Ok(Thing::Value(value));
            }
            Thing::Channel(..) => {
                return Err(self.wrong_kind(
                    base,
                    "a channel",
                    "has eval() alone behind a dot",
                    "take the rest away",
                ));
            }
            thing @ (Thing::Par(..) | Thing::Cell(_) | Thing::Value(_)) => {
                match self.present(base, thing)?.value {
                    Value::Op(op) => op,
                    Value::None => return Err(self.missing(base, &format!(".{name} needs an operator"))),
                    other => {
                        let (kind, needed) = (kind_of(&other), format!(".{name} needs an operator"));
                        return Err(self.wrong_kind(base, kind, &needed, "take it away, or write .eval()"));
                    }
                }
            }
        };
        match &**name {
            "par" => Ok(Thing::Pars(op)),
            "time" => {
                Ok(Thing::Time(if matches!(base.kind, Kind::Root) { TimeOf::Root } else { TimeOf::Me }))
            }
            _ => match self.scope.member(op, name) {
                Ok(value) => Ok(Thing::Value(value)),
                Err(reason) => Err(self.refused(node, reason)),
            },
        }
    }

    fn index(
        &mut self,
        node: &Node,
        base: &Node,
        first: &Node,
        second: Option<&Node>,
    ) -> Result<Thing, ExprError> {
        let thing = self.thing(base)?;
        let first_key = self.operand(first)?.value;
        if key(&first_key).is_none() {
            let needed = "brackets need a name or a whole number";
            return Err(self.wrong_kind(
                first,
                kind_of(&first_key),
                needed,
                "write one, or put int() around it",
            ));
        }
        let op = match thing {
            Thing::Pars(op) => {
                let Value::Str(name) = first_key else {
                    return Err(self.wrong_kind(
                        first,
                        "a number",
                        "a parameter has a name",
                        "write it in quotes",
                    ));
                };
                return Ok(Thing::Par(op, name));
            }
            Thing::Channel(op, which, _) => return self.sample(node, base, op, &which, first, &first_key),
            thing => match self.present(base, thing)?.value {
                Value::Op(op) => op,
                Value::Str(text) => return self.letter(node, first, &text, &first_key),
                Value::None => {
                    return Err(self.missing(base, "brackets need an operator, a channel or a text"));
                }
                other => {
                    let needed = "brackets need an operator, a channel or a text";
                    return Err(self.wrong_kind(base, kind_of(&other), needed, "take them away"));
                }
            },
        };
        let Some(second) = second else { return self.channel(node, op, first_key) };
        let second_key = self.operand(second)?.value;
        let (Some(row), Some(column)) = (key(&first_key), key(&second_key)) else {
            let needed = "brackets need a name or a whole number";
            return Err(self.wrong_kind(
                second,
                kind_of(&second_key),
                needed,
                "write one, or put int() around it",
            ));
        };
        let cell = self.scope.cell(op, row, column).map_err(|reason| self.refused(node, reason))?;
        Ok(Thing::Cell(cell))
    }

    /// A channel, or nothing where there is none.
    fn channel(&mut self, node: &Node, op: OpId, which: Value) -> Result<Thing, ExprError> {
        let Some(key) = key(&which) else { return Ok(Thing::Value(Value::None)) };
        match self.scope.channel(op, key, None).map_err(|reason| self.refused(node, reason))? {
            Value::None => Ok(Thing::Value(Value::None)),
            value => Ok(Thing::Channel(op, which, value)),
        }
    }

    fn sample(
        &mut self,
        node: &Node,
        base: &Node,
        op: OpId,
        which: &Value,
        index: &Node,
        sample: &Value,
    ) -> Result<Thing, ExprError> {
        let (Some(key), Value::Int(sample)) = (key(which), sample) else {
            let needed = "a sample has a number";
            return Err(self.wrong_kind(index, kind_of(sample), needed, "write it, counted from 0"));
        };
        let value =
            self.scope.channel(op, key, Some(*sample)).map_err(|reason| self.refused(node, reason))?;
        if value == Value::None {
            return Err(self.missing(base, "brackets need a channel"));
        }
        Ok(Thing::Value(value))
    }

    fn letter(&mut self, node: &Node, index: &Node, text: &str, at: &Value) -> Result<Thing, ExprError> {
        let Value::Int(at) = at else {
            let needed = "a character of a text has a number";
            return Err(self.wrong_kind(index, kind_of(at), needed, "write it, counted from 0"));
        };
        let count = if *at < 0 { i64::try_from(text.chars().count()).unwrap_or(i64::MAX) } else { 0 };
        let place = usize::try_from(at.saturating_add(count)).ok();
        let found = place.and_then(|place| text.chars().nth(place)).ok_or(Fault::OutOfRange);
        let letter = found.map_err(|fault| self.fault(node, fault))?;
        Ok(Thing::Value(Value::from(&*letter.encode_utf8(&mut [0; 4]))))
    }

    fn number(&mut self, node: &Node, operator: &str) -> Result<Number, ExprError> {
        let operand = self.operand(node)?;
        operand.number().ok_or_else(|| self.no_number(node, &operand.value, operator))
    }

    fn no_number(&self, node: &Node, value: &Value, operator: &str) -> ExprError {
        let needed = format!("{operator} needs numbers");
        match value {
            Value::None => self.missing(node, &needed),
            Value::Str(_) => self.wrong_kind(node, "a text", &needed, "put float() or int() around it"),
            other => self.wrong_kind(
                node,
                kind_of(other),
                &needed,
                "write a channel, a parameter or a number of it",
            ),
        }
    }

    fn arithmetic(
        &mut self,
        node: &Node,
        operator: Arithmetic,
        left: &Node,
        right: &Node,
    ) -> Result<Value, ExprError> {
        let first = self.operand(left)?;
        let second = self.operand(right)?;
        if let (Some(first), Some(second)) = (first.number(), second.number()) {
            let result = arithmetic(operator, first, second).map_err(|fault| self.fault(node, fault))?;
            return Ok(result.into());
        }
        match (operator, &first.value, &second.value) {
            (Arithmetic::Add, Value::Str(front), Value::Str(back)) => {
                if front.len().saturating_add(back.len()) > LONGEST_RESULT {
                    return Err(self.fault(node, Fault::TooLong));
                }
                return Ok(Value::from([&**front, &**back].concat()));
            }
            (Arithmetic::Multiply, Value::Str(text), count)
            | (Arithmetic::Multiply, count, Value::Str(text)) => {
                if let Some(Number::Int(count)) = Number::of(count) {
                    let count = usize::try_from(count).unwrap_or_default();
                    if text.len().saturating_mul(count) > LONGEST_RESULT {
                        return Err(self.fault(node, Fault::TooLong));
                    }
                    // Without a text there may be no end of it.
                    return Ok(Value::from(if text.is_empty() { String::new() } else { text.repeat(count) }));
                }
            }
            (Arithmetic::Add, Value::Str(_), other) | (Arithmetic::Add, other, Value::Str(_)) => {
                let node = if first.value.as_str().is_some() { right } else { left };
                let needed = "+ puts a text together with a text";
                return Err(match other {
                    Value::None => self.missing(node, needed),
                    other => self.wrong_kind(node, kind_of(other), needed, "put str() around it"),
                });
            }
            _ => {}
        }
        let (node, value) =
            if first.number().is_none() { (left, &first.value) } else { (right, &second.value) };
        Err(self.no_number(node, value, operator.as_str()))
    }

    fn compare(&mut self, left: &Node, chain: &[(Comparison, Node)]) -> Result<Value, ExprError> {
        let mut left_node = left;
        let mut left = self.operand(left)?;
        for (comparison, right_node) in chain {
            let right = self.operand(right_node)?;
            if !self.holds(*comparison, (left_node, &left), (right_node, &right))? {
                return Ok(false.into());
            }
            (left_node, left) = (right_node, right);
        }
        Ok(true.into())
    }

    fn holds(
        &self,
        comparison: Comparison,
        (left_node, left): (&Node, &Operand),
        (right_node, right): (&Node, &Operand),
    ) -> Result<bool, ExprError> {
        let order = match comparison {
            Comparison::Equal => return Ok(equal(left, right)),
            Comparison::NotEqual => return Ok(!equal(left, right)),
            Comparison::Is => return Ok(left.value == right.value),
            Comparison::IsNot => return Ok(left.value != right.value),
            Comparison::In | Comparison::NotIn => {
                for (node, operand) in [(left_node, left), (right_node, right)] {
                    if operand.value.as_str().is_none() {
                        let needed = format!("{} looks for a text in a text", comparison.as_str());
                        return Err(match &operand.value {
                            Value::None => self.missing(node, &needed),
                            other => self.wrong_kind(node, kind_of(other), &needed, "put str() around it"),
                        });
                    }
                }
                let (part, whole) = (left.value.as_str(), right.value.as_str());
                let is_in = whole.unwrap_or_default().contains(part.unwrap_or_default());
                return Ok(is_in == (comparison == Comparison::In));
            }
            _ => match (&left.value, &right.value, left.number(), right.number()) {
                (_, _, Some(left), Some(right)) => left.compare(right),
                (Value::Str(left), Value::Str(right), ..) => Some(left.cmp(right)),
                (left, right, left_number, _) => {
                    // What is missing comes first; otherwise a number or a text on the left asks for the same.
                    let left_is_fine = left_number.is_some() || left.as_str().is_some();
                    let blame_right = *right == Value::None || (*left != Value::None && left_is_fine);
                    let (node, value) = if blame_right { (right_node, right) } else { (left_node, left) };
                    let needed = format!("{} needs two numbers or two texts", comparison.as_str());
                    return Err(match value {
                        Value::None => self.missing(node, &needed),
                        other => {
                            self.wrong_kind(node, kind_of(other), &needed, "put float() or str() around one")
                        }
                    });
                }
            },
        };
        Ok(match comparison {
            Comparison::Less => order == Some(Ordering::Less),
            Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Comparison::Greater => order == Some(Ordering::Greater),
            _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        })
    }

    fn call(&mut self, node: &Node, function: &Function, values: &[Node]) -> Result<Value, ExprError> {
        let needed = || format!("{}() needs", function.name);
        match function.run {
            Run::Numbers(run) => {
                let mut numbers = [Number::Int(0); MOST_VALUES];
                for (number, value) in numbers.iter_mut().zip(values) {
                    *number = self.number_for(value, function)?;
                }
                let given = numbers.get(..values.len()).unwrap_or_default();
                run(given).map_err(|fault| self.fault(node, fault))
            }
            Run::Values(run) => {
                let Some(first) = values.first() else {
                    return run(&[]).map(Option::unwrap_or_default).map_err(|fault| self.fault(node, fault));
                };
                let value = self.value(first)?;
                match run(std::slice::from_ref(&value)).map_err(|fault| self.fault(node, fault))? {
                    Some(result) => Ok(result),
                    None => {
                        let needed = format!("{} a number or a text", needed());
                        Err(match &value {
                            Value::None => self.missing(first, &needed),
                            other => self.wrong_kind(
                                first,
                                kind_of(other),
                                &needed,
                                "write .name or a channel of it",
                            ),
                        })
                    }
                }
            }
            Run::Text(run) => {
                let Some(first) = values.first() else { return Ok(Value::None) };
                match self.value(first)? {
                    Value::Str(text) => Ok(run(&text)),
                    other => {
                        let needed = format!("{} a text", needed());
                        Err(match &other {
                            Value::None => self.missing(first, &needed),
                            other => self.wrong_kind(first, kind_of(other), &needed, "put str() around it"),
                        })
                    }
                }
            }
            Run::Extreme(wanted) => self.extreme(values, wanted),
        }
    }

    fn number_for(&mut self, node: &Node, function: &Function) -> Result<Number, ExprError> {
        let operand = self.operand(node)?;
        operand.number().ok_or_else(|| self.no_number(node, &operand.value, &format!("{}()", function.name)))
    }

    /// The first of the values that no other beats, as `min` and `max` choose it.
    fn extreme(&mut self, values: &[Node], wanted: Ordering) -> Result<Value, ExprError> {
        let mut best: Option<(&Node, Operand)> = None;
        for node in values {
            let operand = self.operand(node)?;
            let comparison = if wanted == Ordering::Greater { Comparison::Greater } else { Comparison::Less };
            let beats = match &best {
                None => true,
                Some((best_node, best)) => self.holds(comparison, (node, &operand), (best_node, best))?,
            };
            if beats {
                best = Some((node, operand));
            }
        }
        Ok(best.map_or(Value::None, |(_, best)| best.value))
    }

    fn written(&self, node: &Node) -> (usize, String) {
        let piece = self.text.get(node.span.start..node.span.end).unwrap_or_default();
        (character(self.text, node.span.start), cut(piece))
    }

    fn refused(&self, node: &Node, reason: String) -> ExprError {
        let (at, what) = self.written(node);
        ExprError::Refused { at, what, reason }
    }

    fn missing(&self, node: &Node, needed: &str) -> ExprError {
        let (at, what) = self.written(node);
        ExprError::Missing { at, what, needed: needed.into() }
    }

    fn wrong_kind(&self, node: &Node, kind: &'static str, needed: &str, remedy: &'static str) -> ExprError {
        let (at, what) = self.written(node);
        ExprError::WrongKind { at, what, kind, needed: needed.into(), remedy }
    }

    fn fault(&self, node: &Node, fault: Fault) -> ExprError {
        let (at, what) = self.written(node);
        ExprError::NoValue { at, what, reason: fault.reason().into() }
    }
}

fn equal(left: &Operand, right: &Operand) -> bool {
    if let (Some(left), Some(right)) = (left.number(), right.number()) {
        return left.compare(right) == Some(Ordering::Equal);
    }
    left.value == right.value
}

fn key(value: &Value) -> Option<Key<'_>> {
    match value {
        Value::Str(name) => Some(Key::Name(name)),
        Value::Int(index) => Some(Key::Index(*index)),
        _ => None,
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::None => "None",
        Value::Bool(_) => "True or False",
        Value::Int(_) | Value::Float(_) => "a number",
        Value::Str(_) => "a text",
        Value::Op(_) => "an operator",
    }
}
