//! What is wrong with a patch, and where.

use core::fmt;
use core::ops::Range;

/// A text that is no patch: every mistake in it.
///
/// None of these goes away by trying again. One line of text each: place, key, what was found, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchError {
    mistakes: Vec<Mistake>,
    more: usize,
}

impl PatchError {
    /// So many are kept.
    const MOST: usize = 100;

    pub(super) fn new(mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by_key(|mistake| (mistake.span.start, mistake.span.end));
        mistakes.dedup();
        let more = mistakes.len().saturating_sub(Self::MOST);
        mistakes.truncate(Self::MOST);
        Self { mistakes, more }
    }

    /// The mistakes from the top of the file on: at least one, at most a hundred.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// How many there are beyond those.
    #[must_use]
    pub fn num_more(&self) -> usize {
        self.more
    }
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.mistakes.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            mistake.fmt(f)?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl core::error::Error for PatchError {}

/// One mistake in a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The place in the line, in characters from 1.
    pub column: usize,
    /// The bytes of the text that it is about; they begin and end between characters.
    pub span: Range<usize>,
    /// The key it is about, from the top: `op.wave1.par.rate`. Empty where the text is no TOML.
    pub key: String,
    /// What was found.
    pub what: String,
    /// What is allowed, or what to do.
    pub help: String,
    /// It is about something that is not there, so it may follow from another mistake.
    pub(super) follows: bool,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, key, what, help, .. } = self;
        write!(f, "line {line}, column {column}: ")?;
        if !key.is_empty() {
            write!(f, "{key}: ")?;
        }
        write!(f, "{what}: {help}")
    }
}

/// The texts that look most like a word, as advice: `did you mean a or b?`; `otherwise` where none does.
pub(super) fn did_you_mean<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    let word: Vec<char> = word.chars().take(LONGEST).map(|c| c.to_ascii_lowercase()).collect();
    let limit = (word.len() / 3).max(usize::from(word.len() > 1));
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let other: Vec<char> = candidate.chars().take(LONGEST).map(|c| c.to_ascii_lowercase()).collect();
            let steps = steps_between(&word, &other);
            let begins = word.len() >= 3 && other.starts_with(&word);
            (steps <= limit || begins).then_some((steps, candidate))
        })
        .collect();
    near.sort_by_key(|&(steps, _)| steps);
    near.truncate(3);
    let near: Vec<&str> = near.into_iter().map(|(_, candidate)| candidate).collect();
    if near.is_empty() { otherwise() } else { format!("did you mean {}?", listed(&near, "or")) }
}

/// Characters of a word that are compared.
const LONGEST: usize = 64;

/// `a, b or c`.
pub(super) fn listed(words: &[&str], and: &str) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} {and} {last}", first.join(", ")),
    }
}

/// How many characters to change, add or leave out, or to exchange with the next, to get from one to the other.
fn steps_between(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(last.len());
        row.push(i.saturating_add(1));
        for (j, &to) in b.iter().enumerate() {
            let of = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX);
            let changed = of(&last, j).saturating_add(usize::from(from != to));
            let added = of(&row, j).min(of(&last, j.saturating_add(1))).saturating_add(1);
            let exchanged = match (i.checked_sub(1), j.checked_sub(1)) {
                (Some(p), Some(q)) if a.get(p) == Some(&to) && b.get(q) == Some(&from) => {
                    of(&before, q).saturating_add(1)
                }
                _ => usize::MAX,
            };
            row.push(changed.min(added).min(exchanged));
        }
        before = last;
        last = row;
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_is_proposed() {
        let said = |word: &str| did_you_mean(word, ["sine", "square", "ramp"], || "none".into());
        assert_eq!(said("sin"), "did you mean sine?");
        assert_eq!(said("isne"), "did you mean sine?");
        assert_eq!(said("SQUARE"), "did you mean square?");
        assert_eq!(said("gauss"), "none");
        assert_eq!(said(""), "none");
        let all = did_you_mean("tx", ["ty", "tz", "rx"], String::new);
        assert_eq!(all, "did you mean ty, tz or rx?");
    }
}
