//! Expressions in parameters (operators §7.2, §10.3).
//!
//! An expression reads like the Python that TouchDesigner's users type into a parameter, and is a small part of it:
//! numbers, texts and references, never statements, never code. It always ends: there are no loops, no names to
//! assign, and a text is at most 4096 bytes long and 40 parts deep.
//!
//! | written | means |
//! | --- | --- |
//! | `1`, `0x1F`, `1_000`, `1.5`, `.5e3`, `'text'`, `"text"`, `True`, `False`, `None` | values |
//! | `+ - * / // % **`, `-x` | as in Python: `/` makes a float, `//` and `%` round down |
//! | `< <= == != >= >`, `is`, `is not`, `in`, `not in` | comparisons, also in a chain: `0 < x <= 1` |
//! | `not`, `and`, `or`, `a if c else b` | only the part that counts is looked at |
//! | `me`, `root`, `op('x')`, `opex('x')`, `parent()`, `parent(2)` | operators; `o.op('x')` and `o.parent()` from there |
//! | `o.par.Speed`, `o.par['Speed']`, `.eval()` | parameters |
//! | `o['tx']`, `o[0]`, `o.chan('tx')`, `.eval()` | a channel, which counts as its present value |
//! | `o['tx'][3]` | a sample of it |
//! | `o[2, 'value']` | a cell of a table |
//! | `o.name`, `o.digits`, `o.numChans`, … | what an operator says of itself |
//! | `me.time.frame`, `absTime.seconds`, `root.time.rate` | time |
//! | `abs bool float int len max min round str` | Python's own |
//! | `math.sin(x)`, `math.pi`, … | Python's `math` |
//! | `tdu.clamp`, `tdu.remap`, `tdu.base`, `tdu.digits` | TouchDesigner's helpers |
//!
//! What differs from Python: whole numbers have 64 bits, and what does not fit is an error; nothing is a complex number,
//! a list or a function.
//!
//! ```
//! use tdshm_ops::expr::{Expr, Key, Scope, TimeOf};
//! use tdshm_ops::{OpId, Value};
//!
//! struct Alone(OpId);
//!
//! impl Scope for Alone {
//!     fn me(&self) -> OpId { self.0 }
//!     fn op(&mut self, _from: OpId, _path: &str) -> Option<OpId> { None }
//!     fn parent(&mut self, _of: OpId, _levels: usize) -> Option<OpId> { None }
//!     fn par(&mut self, _op: OpId, name: &str) -> Result<Value, String> { Err(format!("no parameter {name}")) }
//!     fn channel(&mut self, _op: OpId, _which: Key<'_>, _sample: Option<i64>) -> Result<Value, String> {
//!         Ok(Value::None)
//!     }
//!     fn cell(&mut self, _op: OpId, _row: Key<'_>, _column: Key<'_>) -> Result<Value, String> { Ok(Value::None) }
//!     fn member(&mut self, _op: OpId, name: &str) -> Result<Value, String> {
//!         if name == "digits" { Ok(3.into()) } else { Err(format!("no member {name}")) }
//!     }
//!     fn time(&mut self, _which: TimeOf, _name: &str) -> Result<Value, String> { Ok(60.into()) }
//! }
//!
//! # fn show(mut scope: Alone) -> Result<(), tdshm_ops::ExprError> {
//! let name = Expr::parse("'cam' + str(me.digits)")?;
//! assert_eq!(name.eval(&mut scope)?, Value::from("cam3"));
//!
//! let error = Expr::parse("1 +").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "character 4: found the end, where a value is expected: write a number, a text or a reference",
//! );
//! # Ok(())
//! # }
//! ```

mod eval;
mod function;
pub(crate) mod number;
mod parse;
mod token;
mod tree;

use core::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::ExprError;
use crate::expr::tree::Node;
use crate::{OpId, Value};

/// The longest text that is read, in bytes (ours).
const LONGEST_TEXT: usize = 4096;

/// So many parts lie within one another at most (ours).
const DEEPEST: usize = 40;

/// The longest text that an expression makes, in bytes (ours).
const LONGEST_RESULT: usize = 65_536;

/// An expression, read once and evaluated as often as its parameter is asked for.
///
/// [`Display`](fmt::Display) gives the text as it was written, [`FromStr`] reads it. Evaluating numbers allocates
/// nothing.
///
/// # Source
///
/// operators §7.2 and §10.3: that parameters hold Python expressions is documented. Which part of Python is read here,
/// and the limits, are ours.
#[derive(Clone, Debug)]
#[doc(alias = "Par.expr")]
pub struct Expr {
    text: Arc<str>,
    root: Node,
    references: Box<[Arc<str>]>,
    uses_time: bool,
}

impl Expr {
    /// Reads an expression, in time proportional to its length.
    ///
    /// # Errors
    ///
    /// [`ExprError`], with the place counted in characters from 1. Trying again does not help; the message says what
    /// to write instead.
    pub fn parse(text: &str) -> Result<Self, ExprError> {
        parse::parse(text)
    }

    /// The text as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How deep its parts lie in one another.
    pub(crate) fn height(&self) -> usize {
        self.root.height
    }

    /// The value it has now. A channel counts as its present value, a parameter as what it evaluates to; a channel or
    /// an operator that is missing is [`Value::None`], and any further use of it is an error that names it.
    ///
    /// # Errors
    ///
    /// [`ExprError`], where Python raises an exception, and where the scope answers with an error. The next evaluation
    /// may succeed, as the network changes.
    pub fn eval(&self, scope: &mut dyn Scope) -> Result<Value, ExprError> {
        eval::eval(self, scope)
    }

    /// Whether its value may change with time alone: it mentions `absTime`, `me.time` or `root.time`.
    #[must_use]
    pub fn uses_time(&self) -> bool {
        self.uses_time
    }

    /// The paths that stand as plain texts in `op('…')` and `opex('…')`, from left to right, seen from the operator whose
    /// parameter this is. Paths that are put together, and those seen from elsewhere (`parent().op('…')`), are not among
    /// them.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        self.references.iter().map(AsRef::as_ref)
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Expr {
    type Err = ExprError;

    fn from_str(text: &str) -> Result<Self, ExprError> {
        Self::parse(text)
    }
}

/// What stands between brackets: a name, or a number counted from 0. Numbers below 0 count from the end, as in Python;
/// that is for the scope to do, which knows how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Key<'a> {
    /// `['tx']`
    Name(&'a str),
    /// `[0]`
    Index(i64),
}

/// Whose time is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeOf {
    /// `me.time`, or that of another operator: the timeline it lives in.
    Me,
    /// `absTime`: it never goes back.
    Abs,
    /// `root.time`: the timeline of the whole network.
    Root,
}

/// What an expression sees of its network.
///
/// A `String` that is returned as an error becomes a part of the message, behind the place and the text it is about;
/// one sentence without a capital letter and without a full stop fits best.
pub trait Scope {
    /// The operator whose parameter is evaluated.
    fn me(&self) -> OpId;

    /// The operator at a path, seen from another; `/` is the root.
    fn op(&mut self, from: OpId, path: &str) -> Option<OpId>;

    /// The component around an operator: `levels` is 1 for the nearest, and never 0.
    fn parent(&mut self, of: OpId, levels: usize) -> Option<OpId>;

    /// A parameter's value, whatever its mode.
    ///
    /// # Errors
    ///
    /// When there is no such parameter, or it cannot be evaluated.
    fn par(&mut self, op: OpId, name: &str) -> Result<Value, String>;

    /// A sample of a channel, or with `None` its present value; [`Value::None`] where there is no such channel.
    ///
    /// # Errors
    ///
    /// When the operator has no channels, or the channel has no such sample.
    fn channel(&mut self, op: OpId, which: Key<'_>, sample: Option<i64>) -> Result<Value, String>;

    /// A cell of a table; [`Value::None`] where there is no such cell.
    ///
    /// # Errors
    ///
    /// When the operator is no table.
    fn cell(&mut self, op: OpId, row: Key<'_>, column: Key<'_>) -> Result<Value, String>;

    /// What an operator says of itself: `name`, `path`, `digits`, `numChans`, `numSamples`, `rate`, `width`, `height`,
    /// `numRows` and so on.
    ///
    /// # Errors
    ///
    /// When there is no such member.
    fn member(&mut self, op: OpId, name: &str) -> Result<Value, String>;

    /// A member of a time: `frame`, `seconds`, `rate` and so on.
    ///
    /// # Errors
    ///
    /// When there is no such member.
    fn time(&mut self, which: TimeOf, name: &str) -> Result<Value, String>;
}

#[cfg(test)]
mod tests;
