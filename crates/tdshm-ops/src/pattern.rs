//! The language in which parameters say which names they mean (operators §5).
//!
//! Three languages share their brackets: *matching* picks from names that are there, *expansion* makes names from
//! nothing, *replacement* makes new names from what was matched.
//!
//! | type | for | example |
//! | --- | --- | --- |
//! | [`Pattern`] | the names that a parameter means | `tx r* ^ry` |
//! | [`Expansion`] | the names that a parameter makes | `chan[1-3]` |
//! | [`Rename`] | new names from those that were matched | `*_side` to `*_floor` |
//!
//! Each is read once, when somebody writes it, and applied again when the names change. Reading fails only where
//! nobody could tell what is meant ([`PatternError`]). What can be read but most likely means
//! something else has a [`PatternWarning`]: it is for the author to see, and changes nothing.
//!
//! # The language of matching
//!
//! | element | meaning |
//! | --- | --- |
//! | `text` | exactly these characters, upper and lower case told apart |
//! | `*`, `?` | any characters, also none; one character |
//! | `[abc]` | one of these characters. There are no ranges of letters |
//! | `[2-7]`, `[2-8:2]`, `[2,5,10-13]` | a whole number, without zeros in front; in steps; listed |
//! | `^pattern` | not this. Terms go from left to right: `chan* ^chan1`, not `^chan1 chan*` |
//! | `"two words"` | one term, in which blanks, commas, `^` and operators are ordinary characters |
//! | blanks or commas between terms | or |
//! | `\|`, `&`, `~`, `( )` | union, intersection, difference, from left to right; `^p` is then all but `p` |
//!
//! A term is the whole name. `/` and `:` are ordinary characters.

mod bracket;
mod expand;
mod glob;
mod program;
mod rename;
mod scan;
mod template;
pub(crate) mod warning;

use core::fmt;
use std::str::FromStr;

use crate::error::PatternError;
use crate::pattern::glob::{Case, Places};
use crate::pattern::program::Program;
use crate::pattern::scan::{Dialect, Scan, Sign, scan};
use crate::pattern::warning::{Warnings, cut};

pub use expand::Expansion;
pub use rename::{Rename, Renamed};
pub use warning::PatternWarning;

/// So many names come out at most where a text could make any number of them (operators §5.7, ours).
const MOST_NAMES: usize = 65_536;

/// Which of some names are meant: `tx r* ^ry`, read once and applied to any list of names.
///
/// Names and patterns are UTF-8; `?` is one character, not one byte. A text is at most 65 536 bytes long, numbers in
/// brackets fit 64 bits, and parentheses are at most 64 deep. An empty pattern is read, and matches nothing.
///
/// No pattern is slow: a term takes at most 20 steps for each pair of a byte of the term and a byte of the name.
/// Matching a name of up to 511 bytes allocates nothing.
///
/// [`Display`](fmt::Display) gives the text as it was written, [`FromStr`] reads it.
///
/// # Source
///
/// operators §5.1 to §5.3 and §5.5: documented, apart from the details that are marked there. That a text too long, a
/// number too large, parentheses too deep or without their partner, and an operator without its pattern are refused
/// is ours.
///
/// ```
/// use tdshm_ops::Pattern;
///
/// let scope = Pattern::parse("chan[1-12:2] | (t? ~ ty)")?;
/// assert!(scope.matches("chan11") && scope.matches("tx"));
/// assert!(!scope.matches("chan2") && !scope.matches("chan01"));
/// assert_eq!(scope.select(&["tx", "ty", "chan3"]), [0, 2]);
///
/// let likely_a_mistake = Pattern::parse("chan[a-c]")?;
/// assert!(likely_a_mistake.warnings()[0].to_string().contains("write every letter"));
/// # Ok::<(), tdshm_ops::PatternError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "scope")]
#[doc(alias = "tdu.match")]
pub struct Pattern {
    text: Box<str>,
    program: Program,
    warnings: Warnings,
}

impl Pattern {
    /// Reads a pattern, in time proportional to its length.
    ///
    /// # Errors
    ///
    /// [`PatternError`], where nobody could tell what is meant, or beyond a limit. Trying again does not help; the
    /// message says what to write instead.
    ///
    /// # Source
    ///
    /// operators §5.1 to §5.3.
    ///
    /// ```
    /// use tdshm_ops::Pattern;
    ///
    /// let error = Pattern::parse("tx | ").unwrap_err();
    /// assert!(error.to_string().starts_with("character 4: | has no pattern on its right"));
    /// ```
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let Scan { tokens, mut warnings } = scan(text, Dialect::Matching)?;
        if tokens.is_empty() {
            warnings.push(PatternWarning::Empty);
        }
        let program = Program::new(text, tokens, &mut warnings)?;
        Ok(Self { text: text.into(), program, warnings })
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether one name is meant.
    ///
    /// # Source
    ///
    /// operators §5.1 to §5.3.
    ///
    /// ```
    /// # use tdshm_ops::Pattern;
    /// let pattern = Pattern::parse("^*accel*")?; // a first ^ takes away from all names
    /// assert!(pattern.matches("gyro1") && !pattern.matches("accel1"));
    /// # Ok::<(), tdshm_ops::PatternError>(())
    /// ```
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.program.picks(name, &mut Places::new())
    }

    /// The positions, counted from 0, of the names that are meant: in the order of the names, each once. Names may
    /// repeat, and are then meant together.
    ///
    /// # Source
    ///
    /// operators §5.5: documented for `tdu.match`, inferred for scope.
    ///
    /// ```
    /// # use tdshm_ops::Pattern;
    /// assert_eq!(Pattern::parse("tz ty")?.select(&["tx", "ty", "tz"]), [1, 2]);
    /// # Ok::<(), tdshm_ops::PatternError>(())
    /// ```
    #[must_use]
    pub fn select<N: AsRef<str>>(&self, names: &[N]) -> Vec<usize> {
        let mut places = Places::new();
        let picked =
            names.iter().enumerate().filter(|(_, name)| self.program.picks(name.as_ref(), &mut places));
        picked.map(|(index, _)| index).collect()
    }

    /// The positions, counted from 0, in the order of the terms, as parameters need it that select: a name that two
    /// terms mean comes twice. Within a term they have the order of the names. A `^` term takes away all that is
    /// there of its names. A pattern with set operators counts as one term.
    ///
    /// # Errors
    ///
    /// [`PatternError::TooManySelected`] where more than 65 536 positions come together that are also more than there
    /// are names.
    ///
    /// # Source
    ///
    /// operators §5.5: inferred, measured with the Select CHOP. The limit, and what `^` does to names that come
    /// twice, are ours.
    ///
    /// ```
    /// # use tdshm_ops::Pattern;
    /// let names = ["c1", "c2", "c3"];
    /// assert_eq!(Pattern::parse("c3 c1 c3")?.select_in_term_order(&names)?, [2, 0, 2]);
    /// # Ok::<(), tdshm_ops::PatternError>(())
    /// ```
    #[doc(alias = "Select CHOP")]
    pub fn select_in_term_order<N: AsRef<str>>(&self, names: &[N]) -> Result<Vec<usize>, PatternError> {
        if self.program.is_expression {
            return Ok(self.select(names));
        }
        let limit = MOST_NAMES.max(names.len());
        let mut places = Places::new();
        let mut selected: Vec<usize> = Vec::new();
        for term in self.program.terms() {
            let mut picks =
                |index: usize| names.get(index).is_some_and(|name| term.picks(name.as_ref(), &mut places));
            if term.sign == Sign::Difference {
                selected.retain(|index| !picks(*index));
            } else {
                selected.extend((0..names.len()).filter(|index| picks(*index)));
            }
            if selected.len() > limit {
                return Err(PatternError::TooManySelected { positions: selected.len(), limit });
            }
        }
        Ok(selected)
    }

    /// What in the text most likely means something else than it should, whatever the names are. At most 16.
    ///
    /// # Source
    ///
    /// operators §5.1 and §5.3 ask for two of them, the others are ours.
    ///
    /// ```
    /// # use tdshm_ops::Pattern;
    /// assert!(Pattern::parse("tx,ty r[xyz] ^rz")?.warnings().is_empty());
    /// assert_eq!(
    ///     Pattern::parse("^ry r*")?.warnings()[0].to_string(),
    ///     "^ry comes first and keeps all other names, to which r* only adds: write r* before ^ry to take away \
    ///      from it",
    /// );
    /// # Ok::<(), tdshm_ops::PatternError>(())
    /// ```
    #[must_use]
    pub fn warnings(&self) -> &[PatternWarning] {
        self.warnings.as_slice()
    }

    /// The terms that concern none of these names: [`PatternWarning::Unmatched`], at most 16. Where a name differs in
    /// upper and lower case alone, the warning names it.
    ///
    /// # Source
    ///
    /// Ours.
    ///
    /// ```
    /// # use tdshm_ops::Pattern;
    /// let warnings = Pattern::parse("TX ry")?.unmatched(&["tx", "ry"]);
    /// assert_eq!(warnings[0].to_string(), "TX matches nothing: upper and lower case differ, and there is tx");
    /// assert_eq!(warnings.len(), 1);
    /// # Ok::<(), tdshm_ops::PatternError>(())
    /// ```
    #[must_use]
    pub fn unmatched<N: AsRef<str>>(&self, names: &[N]) -> Vec<PatternWarning> {
        let mut places = Places::new();
        let mut warnings = Warnings::default();
        for term in self.program.terms() {
            let mut first = |case| {
                names.iter().map(AsRef::as_ref).find(|name| term.glob.matches(name, case, &mut places))
            };
            if first(Case::Differs).is_none() {
                warnings.push(PatternWarning::Unmatched {
                    term: cut(self.text.get(term.span.clone()).unwrap_or_default()),
                    excluded: term.complement || term.sign == Sign::Difference,
                    similar: first(Case::Ignored).map(cut),
                });
            }
            if warnings.is_full() {
                break;
            }
        }
        warnings.into_vec()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::parse(text)
    }
}
