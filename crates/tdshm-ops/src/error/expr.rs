//! What is wrong with an expression, or with what it is about.

/// A text that is no expression, or one that has no value now.
///
/// What [`Expr::parse`](crate::expr::Expr::parse) returns does not go away by trying again; what
/// [`Expr::eval`](crate::expr::Expr::eval) returns may, as the network changes. Places are counted in characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExprError {
    /// The text is longer than any that a person writes.
    #[error(
        "the expression is {bytes} bytes long, and the limit is {limit}: put parts of it into other parameters"
    )]
    TooLong {
        /// Bytes of the text.
        bytes: usize,
        /// The most that are read.
        limit: usize,
    },
    /// Parts within parts within parts.
    #[error(
        "character {at}: the parts of the expression lie more than {limit} deep in one another: put some of them \
         into other parameters"
    )]
    TooDeep {
        /// Where the part is that is too many, in characters from 1.
        at: usize,
        /// The most that may lie in one another.
        limit: usize,
    },
    /// Something else should stand here.
    #[error("character {at}: found {found}, where {expected} is expected: {remedy}")]
    Unexpected {
        /// Where it stands, in characters from 1.
        at: usize,
        /// What stands there, cut short when it is long.
        found: String,
        /// What could stand there.
        expected: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A number that is none, or does not fit 64 bits.
    #[error("character {at}: {number} is no number that can be read: {remedy}")]
    BadNumber {
        /// Where it begins, in characters from 1.
        at: usize,
        /// The number, cut short when it is long.
        number: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A name that means nothing here.
    #[error("character {at}: there is no {name} here: use one of {known}")]
    UnknownName {
        /// Where it begins, in characters from 1.
        at: usize,
        /// The name, cut short when it is long.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// Too many values for a function, or too few.
    #[error("character {at}: {function} was given {given} values, and takes {takes}: add or remove some")]
    WrongArguments {
        /// Where the function's name begins, in characters from 1.
        at: usize,
        /// The function.
        function: String,
        /// How many it was given.
        given: usize,
        /// How many it takes, in words.
        takes: String,
    },
    /// An operator, a channel or a cell that is not there is used as if it were.
    #[error("character {at}: {what} is None, and {needed}: check the name and the path")]
    Missing {
        /// Where the reference begins, in characters from 1.
        at: usize,
        /// The reference, as it is written.
        what: String,
        /// What it is used for.
        needed: String,
    },
    /// A value of the wrong kind.
    #[error("character {at}: {what} is {kind}, and {needed}: {remedy}")]
    WrongKind {
        /// Where it begins, in characters from 1.
        at: usize,
        /// The part of the expression, as it is written.
        what: String,
        /// What kind of value it has.
        kind: &'static str,
        /// What is needed.
        needed: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A number that the operation has no result for: a division by zero, the root of a negative number.
    #[error("character {at}: {what} has no value: {reason}")]
    NoValue {
        /// Where it begins, in characters from 1.
        at: usize,
        /// The part of the expression, as it is written.
        what: String,
        /// Why, and what to do.
        reason: String,
    },
    /// What the network says to a reference.
    #[error("character {at}: {what}: {reason}")]
    Refused {
        /// Where the reference begins, in characters from 1.
        at: usize,
        /// The reference, as it is written.
        what: String,
        /// Why.
        reason: String,
    },
}

impl ExprError {
    /// Where it went wrong, in characters from 1; the beginning when the whole is too long.
    #[must_use]
    pub fn at(&self) -> usize {
        match self {
            Self::TooLong { .. } => 1,
            Self::TooDeep { at, .. }
            | Self::Unexpected { at, .. }
            | Self::BadNumber { at, .. }
            | Self::UnknownName { at, .. }
            | Self::WrongArguments { at, .. }
            | Self::Missing { at, .. }
            | Self::WrongKind { at, .. }
            | Self::NoValue { at, .. }
            | Self::Refused { at, .. } => *at,
        }
    }
}
