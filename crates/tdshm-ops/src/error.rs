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
