//! What parameters hold and expressions yield.

use core::fmt;
use std::sync::Arc;

use crate::expr::number::write_float;

/// Which operator of a network: unique as long as the network lives, and never used again.
///
/// # Source
///
/// operators §10.2 (`OP.id`): documented as unique, and not stable across files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpId(pub(crate) u32);

impl OpId {
    /// The number, as `OP.id` gives it.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A value of a parameter or of an expression.
///
/// # Source
///
/// operators §10.3: a toggle is a bool, a menu its entry's name, a text a string, a reference an operator or nothing.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Nothing: a reference that finds no operator.
    #[default]
    None,
    /// A toggle.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text, or the name of a menu's entry.
    Str(Arc<str>),
    /// An operator.
    Op(OpId),
}

impl Value {
    /// As a number: a bool is 0 or 1, a text is read as Python's `float` reads it. `None` where there is no number in it.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            #[expect(clippy::cast_precision_loss, reason = "Python's float() rounds as well")]
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Str(text) => text.trim().parse().ok(),
            Self::None | Self::Op(_) => None,
        }
    }

    /// As a whole number: what has a fraction is cut off towards zero; what is not finite is none.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "`as` saturates, which is what a limit would do"
            )]
            other => other.as_f64().filter(|value| value.is_finite()).map(|value| value as i64),
        }
    }

    /// Whether it counts as true: not nothing, not zero, not the empty text. As in Python, NaN is true.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::Op(_) => true,
        }
    }

    /// Whether nothing changed from one to the other: NaN is the same as itself here, and 0 is not -0.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(one), Self::Float(other)) => one.to_bits() == other.to_bits(),
            _ => self == other,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }
}

/// As Python's `str` shows it: `True`, `3`, `0.5`, the text itself, `None`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write_float(*value, f),
            Self::Str(text) => f.write_str(text),
            Self::Op(id) => write!(f, "operator {}", id.0),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<OpId> for Value {
    fn from(id: OpId) -> Self {
        Self::Op(id)
    }
}
