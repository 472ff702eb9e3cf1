//! What an expression is made of, once it has been read.

use crate::Value;
use crate::expr::function::Function;

/// A part of an expression, and where it stands in the text.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) span: Span,
    /// Parts within one another below this one, itself included.
    pub(super) height: usize,
}

/// A piece of the text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    pub(super) fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Value(Value),
    /// `me`
    Me,
    /// `root`
    Root,
    /// `absTime`
    AbsTime,
    /// `op(…)` and `opex(…)`, perhaps of another operator.
    Find {
        base: Option<Box<Node>>,
        paths: Vec<Node>,
        must_exist: bool,
    },
    /// `parent(…)`, perhaps of another operator.
    Parent {
        base: Option<Box<Node>>,
        levels: Option<Box<Node>>,
    },
    /// `.name`
    Member(Box<Node>, Value),
    /// `[key]`, `[row, column]`
    Index(Box<Node>, Box<Node>, Option<Box<Node>>),
    /// `.eval()`
    Eval(Box<Node>),
    Call(&'static Function, Vec<Node>),
    Minus(Box<Node>),
    Plus(Box<Node>),
    Not(Box<Node>),
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    /// One or more comparisons in a chain.
    Compare(Box<Node>, Vec<(Comparison, Node)>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    If {
        condition: Box<Node>,
        yes: Box<Node>,
        no: Box<Node>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
}

impl Arithmetic {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::FloorDivide => "//",
            Self::Modulo => "%",
            Self::Power => "**",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
    Is,
    IsNot,
    In,
    NotIn,
}

impl Comparison {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
            Self::Is => "is",
            Self::IsNot => "is not",
            Self::In => "in",
            Self::NotIn => "not in",
        }
    }
}
