//! Every error type of the crate.
//!
//! Each message is one sentence: where, what is wrong, the value, the limit, then what to do. Places are counted in
//! characters from 1, as editors do.

mod expr;

pub use expr::ExprError;

/// A text that is no pattern, or one that would make too much.
///
/// None of these goes away by trying again. Nothing has been changed or kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// The text is longer than any that a person writes.
    #[error(
        "the pattern is {bytes} bytes long, and the limit is {limit}: use wildcards such as chan* or chan[1-100]"
    )]
    TooLong {
        /// Bytes of the text.
        bytes: usize,
        /// The most that are read.
        limit: usize,
    },
    /// A number in brackets does not fit 64 bits.
    #[error(
        "character {at}: the number {number} in brackets is beyond the limit of {limit}: give a smaller one"
    )]
    NumberTooLarge {
        /// Where the bracket begins, in characters from 1.
        at: usize,
        /// The number, cut short when it is long.
        number: String,
        /// The greatest number.
        limit: u64,
    },
    /// Parentheses in parentheses in parentheses.
    #[error("character {at}: {depth} parentheses are open, and the limit is {limit}: take some of them away")]
    TooDeep {
        /// Where the parenthesis is that is too many, in characters from 1.
        at: usize,
        /// Parentheses open there.
        depth: usize,
        /// The most that may be open.
        limit: usize,
    },
    /// A parenthesis without its partner.
    #[error(
        "character {at}: the parenthesis {found} has no partner: add it, or put a name that contains {found} in \
         double quotes"
    )]
    Unbalanced {
        /// Where it is, in characters from 1.
        at: usize,
        /// `(` or `)`.
        found: char,
    },
    /// A set operator, or a pair of parentheses, with nothing to work on.
    #[error(
        "character {at}: {operator} has no pattern {side}: add one, or put a name that contains {operator} in \
         double quotes"
    )]
    MissingOperand {
        /// Where the operator is, in characters from 1.
        at: usize,
        /// `|`, `&`, `~`, or `()` for parentheses.
        operator: &'static str,
        /// Where the pattern is missing: `on its left`, `on its right` or `inside`.
        side: &'static str,
    },
    /// Terms that mean the same names, many times over.
    #[error(
        "the terms select {positions} channels, and the limit is {limit}: each term adds all of its matches, so \
         take away those that match the same"
    )]
    TooManySelected {
        /// Positions that came together, at least.
        positions: usize,
        /// The most that may.
        limit: usize,
    },
    /// The text makes more names than anybody needs.
    #[error("the text makes {names} names, and the limit is {limit}: use smaller ranges, or fewer brackets")]
    TooManyNames {
        /// Names that it would make; more than 64 bits count as [`u64::MAX`].
        names: u64,
        /// The most that are made.
        limit: usize,
    },
    /// The names that would be made are too long together.
    #[error("the names would be {bytes} bytes together, and the limit is {limit}: use fewer or shorter ones")]
    TooMuchText {
        /// Bytes of the names, at most.
        bytes: u64,
        /// The most that are made.
        limit: usize,
    },
    /// A term whose wildcards cannot all be followed.
    #[error(
        "a term of From has {parts} wildcards, brackets and texts, and the limit is {limit}: write a shorter one"
    )]
    TooManyParts {
        /// How many it has.
        parts: usize,
        /// The most that a term may have.
        limit: usize,
    },
    /// A term that should be a number, or numbers.
    #[error(
        "character {at}: {term} is no number: write one, such as 7, a bracket such as [0-15:2], or * for all"
    )]
    NotANumber {
        /// Where the term begins, in characters from 1.
        at: usize,
        /// The term, cut short when it is long.
        term: String,
    },
}

/// What a network, an operator or a parameter could not do.
///
/// Nothing has changed after any of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpError {
    /// No operator type of that name.
    #[error("there is no operator type {name:?}: {hint}")]
    UnknownType {
        /// What was asked for.
        name: String,
        /// What to do.
        hint: String,
    },
    /// More than one family has a type of that name.
    #[error("{name:?} is the name of several operator types: write {candidates}")]
    AmbiguousType {
        /// What was asked for.
        name: String,
        /// The full names.
        candidates: String,
    },
    /// No operator at that path.
    #[error("there is no operator {path:?} seen from {from}: check the path")]
    NoSuchOp {
        /// The path or pattern.
        path: String,
        /// The path of the operator it was looked up from.
        from: String,
    },
    /// The operator of this handle has been destroyed.
    #[error("the operator has been destroyed: look it up again")]
    Destroyed,
    /// No parameter of that name.
    #[error("{op} has no parameter {name:?}: {hint}")]
    NoSuchPar {
        /// The operator's path.
        op: String,
        /// What was asked for.
        name: String,
        /// What to do.
        hint: String,
    },
    /// A value that the parameter does not take.
    #[error("{op}.par.{par} cannot be {value}: {expected}")]
    BadValue {
        /// The operator's path.
        op: String,
        /// The parameter.
        par: String,
        /// The value.
        value: String,
        /// What it takes.
        expected: String,
    },
    /// An expression that cannot be read or evaluated, or a bind expression that leads to no parameter.
    #[error("{op}.par.{par}: {problem}")]
    Expression {
        /// The operator's path.
        op: String,
        /// The parameter.
        par: String,
        /// What is wrong, where, and what to do.
        problem: String,
    },
    /// A mode that the parameter cannot have now.
    #[error("{op}.par.{par} cannot be in mode {mode}: {reason}")]
    Mode {
        /// The operator's path.
        op: String,
        /// The parameter.
        par: String,
        /// The mode.
        mode: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// A name that no operator or custom parameter can have.
    #[error("{name:?} cannot be a name: {expected}")]
    BadName {
        /// The name.
        name: String,
        /// What one looks like.
        expected: &'static str,
    },
    /// The name is that of another operator of the same component, or of another parameter of the operator.
    #[error("there is already {what} called {name:?} in {place}: choose another name")]
    NameTaken {
        /// What has the name.
        what: &'static str,
        /// The name.
        name: String,
        /// Where.
        place: String,
    },
    /// Operators live in components only.
    #[error("{path} is no component: operators are created in components such as a Base COMP")]
    NotAComponent {
        /// The operator's path.
        path: String,
    },
    /// No connector of that number.
    #[error("{op} has no {side} {index}: it has {limit}, counted from 0")]
    NoSuchConnector {
        /// The operator's path.
        op: String,
        /// `input` or `output`.
        side: &'static str,
        /// The number.
        index: usize,
        /// How many there are.
        limit: usize,
    },
    /// A wire between operators of different families, or of different components.
    #[error("{from} cannot be wired to {to}: {reason}")]
    CannotConnect {
        /// The path of the operator that gives.
        from: String,
        /// The path of the operator that takes.
        to: String,
        /// Why not.
        reason: String,
    },
    /// Something that the operator of this type does not do.
    #[error("{op} cannot {what}: {advice}")]
    Unsupported {
        /// The operator's path.
        op: String,
        /// What was asked for.
        what: &'static str,
        /// What to do instead.
        advice: &'static str,
    },
    /// The network is cooking, and what was asked for would start another frame within it.
    #[error("the network is in the middle of a frame: step it from outside its operators")]
    Cooking,
    /// A setting outside its range.
    #[error("{what} is {value}, and must be {expected}")]
    OutOfRange {
        /// The setting.
        what: &'static str,
        /// The value.
        value: String,
        /// The range.
        expected: &'static str,
    },
}
