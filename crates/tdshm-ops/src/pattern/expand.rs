//! Names made from nothing (operators §5.7).

use crate::error::PatternError;
use crate::pattern::scan::{Dialect, Piece, Scan, Token, Word, scan};
use crate::pattern::template::{Template, Wildcards, check};
use crate::pattern::warning::{PatternWarning, Warnings, cut};

/// Names made from a text: `chan[1-3]` is `chan1`, `chan2`, `chan3`.
///
/// Terms stand between blanks or commas. In brackets are numbers, ranges of them, steps and lists, in the order in
/// which they are written, or letters, one after the other. Several brackets multiply out, the last one fastest. Zeros
/// in front of a number do not count. `"` keeps blanks together; `*`, `?`, `^` and operators are ordinary characters.
///
/// A text makes at most 65 536 names, of 16 MiB together. A text without terms makes none, and neither does a term
/// with `[]`.
///
/// # Source
///
/// operators §5.7: documented; the lists in brackets for the 2025 series. The limit of names is there, ours. Commas,
/// quotes and the limit of bytes are ours as well.
///
/// ```
/// use tdshm_ops::pattern::Expansion;
///
/// let names = Expansion::parse("[tr][xy] chan[3,1,2]")?.into_names();
/// assert_eq!(names, ["tx", "ty", "rx", "ry", "chan3", "chan1", "chan2"]);
/// # Ok::<(), tdshm_ops::PatternError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "tdu.expand")]
pub struct Expansion {
    names: Vec<String>,
    warnings: Warnings,
}

impl Expansion {
    /// Makes the names.
    ///
    /// # Errors
    ///
    /// [`PatternError`]: the text or a number in it is too large, or there would be too many names. That is known
    /// before they are made, whatever the text is.
    ///
    /// # Source
    ///
    /// operators §5.7.
    ///
    /// ```
    /// use tdshm_ops::pattern::Expansion;
    ///
    /// let error = Expansion::parse("a[1-1000]b[1-1000]").unwrap_err();
    /// assert!(error.to_string().starts_with("the text makes 1000000 names, and the limit is 65536"));
    /// ```
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let Scan { tokens, mut warnings } = scan(text, Dialect::Making)?;
        let words = words(tokens);
        check(&words)?;
        let mut names = Vec::new();
        for word in words {
            if word.pieces.iter().any(|piece| matches!(piece, Piece::Any | Piece::One)) {
                let term = cut(text.get(word.span.clone()).unwrap_or_default());
                warnings.push(PatternWarning::Wildcard { term });
            }
            let term = Template::new(word, Wildcards::AreText);
            names.extend((0..term.count()).map(|index| term.name(index, |_| "")));
        }
        Ok(Self { names, warnings })
    }

    /// The names, in the order in which they were made. They may repeat.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The names alone.
    #[must_use]
    pub fn into_names(self) -> Vec<String> {
        self.names
    }

    /// What in the text most likely means something else than it should. At most 16.
    ///
    /// ```
    /// # use tdshm_ops::pattern::Expansion;
    /// let made = Expansion::parse("t[x-z]")?;
    /// assert_eq!(made.names(), ["tx", "t-", "tz"]);
    /// assert!(made.warnings()[0].to_string().contains("write every letter"));
    /// # Ok::<(), tdshm_ops::PatternError>(())
    /// ```
    #[must_use]
    pub fn warnings(&self) -> &[PatternWarning] {
        self.warnings.as_slice()
    }
}

/// The words of a text in which names are made: there is nothing else in it.
pub(super) fn words(tokens: Vec<Token>) -> Vec<Word> {
    let words = tokens.into_iter().filter_map(|token| match token {
        Token::Word(word) => Some(word),
        _ => None,
    });
    words.collect()
}
