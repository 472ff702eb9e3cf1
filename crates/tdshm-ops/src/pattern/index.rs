//! Numbers picked out of 0, 1, 2, … (operators §5.4).

use core::fmt;
use std::str::FromStr;

use crate::error::PatternError;
use crate::pattern::bracket::{Bracket, number};
use crate::pattern::program::Program;
use crate::pattern::scan::{Dialect, Piece, Scan, Sign, Word, scan};
use crate::pattern::warning::{PatternWarning, Warnings, cut};

/// Which of some numbered things are meant: `[0-15:2] ^4`.
///
/// Things are numbered from 0. A term is a number, `*` for all, or a bracket with numbers and ranges with commas
/// between them: `[3-5]`, in steps `[0-15:2]`, `[0-15:2:5]` for the first two of every five, and `*` for the whole
/// range, as in `[*:3]`. What lies behind the last thing is left out. `^`, blanks, commas and set operators are those of
/// a [`Pattern`](crate::Pattern). The old form `100-120:2 !0-9` is read as `[100-120:2] ^[0-9]`.
///
/// A text is at most 65 536 bytes long, and picking takes at most a step for each pair of a byte of the text and a
/// thing.
///
/// # Source
///
/// operators §5.4: documented; `[*:2:4]` inferred. That a number comes once, however often it is written, and what is
/// refused, are ours.
///
/// ```
/// use tdshm_ops::pattern::IndexPattern;
///
/// let indices = IndexPattern::parse("[0-15:2] ^4")?;
/// assert_eq!(indices.select(9), [0, 2, 6, 8]);
/// assert_eq!(IndexPattern::parse("[3-0] 5")?.select_in_order(9), [3, 2, 1, 0, 5]);
/// # Ok::<(), tdshm_ops::PatternError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IndexPattern {
    text: Box<str>,
    program: Program<Box<[IndexRange]>>,
    warnings: Warnings,
}

/// The first `take` of every `of`, from `first` on to `last`, which may lie below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct IndexRange {
    first: u64,
    last: u64,
    take: u64,
    of: u64,
}

impl IndexPattern {
    /// Reads a pattern, in time proportional to its length.
    ///
    /// # Errors
    ///
    /// [`PatternError`]: as for a [`Pattern`](crate::Pattern), and [`PatternError::NotANumber`] for a term that holds
    /// anything else than numbers. Trying again does not help.
    ///
    /// # Source
    ///
    /// operators §5.4.
    ///
    /// ```
    /// use tdshm_ops::pattern::IndexPattern;
    ///
    /// let error = IndexPattern::parse("1 two").unwrap_err();
    /// assert!(error.to_string().starts_with("character 3: two is no number: write "));
    /// ```
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let Scan { tokens, mut warnings } = scan(text, Dialect::Indices)?;
        if tokens.is_empty() {
            warnings.push(PatternWarning::Empty);
        }
        let program = Program::new(text, tokens, &mut warnings, |text, word| ranges(text, &word))?;
        Ok(Self { text: text.into(), program, warnings })
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the thing of that number is meant, wherever the last one is.
    #[must_use]
    pub fn matches(&self, index: usize) -> bool {
        let index = wide(index);
        self.program.picks(|ranges| ranges.iter().any(|range| range.contains(index)))
    }

    /// Those of `count` things that are meant, from the lowest number to the highest.
    ///
    /// # Source
    ///
    /// operators §5.4.
    ///
    /// ```
    /// # use tdshm_ops::pattern::IndexPattern;
    /// assert_eq!(IndexPattern::parse("^[1-8]")?.select(11), [0, 9, 10]);
    /// # Ok::<(), tdshm_ops::PatternError>(())
    /// ```
    #[must_use]
    pub fn select(&self, count: usize) -> Vec<usize> {
        (0..count).filter(|index| self.matches(*index)).collect()
    }

    /// Those of `count` things that are meant, in the order in which they are written; each once, at its first place. A
    /// pattern with set operators has no order of its own, and gives what [`select`](Self::select) does.
    ///
    /// # Source
    ///
    /// operators §5.4, the rows that are marked as ordered.
    ///
    /// ```
    /// # use tdshm_ops::pattern::IndexPattern;
    /// assert_eq!(IndexPattern::parse("[0-10:4,3,7]")?.select_in_order(11), [0, 4, 8, 3, 7]);
    /// # Ok::<(), tdshm_ops::PatternError>(())
    /// ```
    #[must_use]
    pub fn select_in_order(&self, count: usize) -> Vec<usize> {
        if self.program.is_expression {
            return self.select(count);
        }
        let mut selected: Vec<usize> = Vec::new();
        let mut is_selected = vec![false; count];
        let add = |index: usize, selected: &mut Vec<usize>, is_selected: &mut [bool]| {
            if let Some(before) = is_selected.get_mut(index).filter(|before| !**before) {
                *before = true;
                selected.push(index);
            }
        };
        for term in self.program.terms() {
            let contains = |index: usize| term.what.iter().any(|range| range.contains(wide(index)));
            if term.sign == Sign::Difference {
                selected.retain(|index| !contains(*index));
                for (index, before) in is_selected.iter_mut().enumerate() {
                    *before = *before && !contains(index);
                }
            } else if term.complement {
                (0..count)
                    .filter(|index| !contains(*index))
                    .for_each(|i| add(i, &mut selected, &mut is_selected));
            } else {
                for range in &term.what {
                    range.below(count).for_each(|index| add(index, &mut selected, &mut is_selected));
                }
            }
        }
        selected
    }

    /// What in the text most likely means something else than it should. At most 16.
    #[must_use]
    pub fn warnings(&self) -> &[PatternWarning] {
        self.warnings.as_slice()
    }
}

impl fmt::Display for IndexPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for IndexPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::parse(text)
    }
}

fn wide(index: usize) -> u64 {
    u64::try_from(index).unwrap_or(u64::MAX)
}

impl IndexRange {
    const ALL: Self = Self { first: 0, last: u64::MAX, take: 1, of: 1 };

    fn contains(self, index: u64) -> bool {
        let within = (self.first.min(self.last)..=self.first.max(self.last)).contains(&index);
        within && index.abs_diff(self.first).checked_rem(self.of).is_some_and(|rest| rest < self.take)
    }

    /// Its numbers below `count`, from the first on.
    fn below(self, count: usize) -> impl Iterator<Item = usize> {
        let near = |bound: u64| usize::try_from(bound).unwrap_or(usize::MAX);
        let down = self.last < self.first;
        let least = near(self.first.min(self.last));
        let end = near(self.first.max(self.last)).saturating_add(1).min(count);
        let numbers = (least..end).map(move |up| {
            // The same distance from the other end.
            let from_end = up.saturating_sub(least).saturating_add(1);
            if down { end.saturating_sub(from_end) } else { up }
        });
        numbers.filter(move |index| self.contains(wide(*index)))
    }

    /// Reads `7`, `3-5`, `0-15:2`, `0-15:2:5`, or the same with `*` for a range.
    fn parse(item: &str, at: usize) -> Option<Result<Self, PatternError>> {
        let mut parts = item.split(':');
        let range = parts.next()?;
        let (one, two) = (parts.next(), parts.next());
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (first, Some(last)),
            None => (range, None),
        };
        let is_all = range == "*";
        let mut numbers = [(!is_all).then_some(first), last, one, two].into_iter().flatten();
        // Steps are for ranges.
        if parts.next().is_some() || !numbers.all(is_number) || (one.is_some() && last.is_none() && !is_all) {
            return None;
        }
        let read = || {
            let (take, of) = match (one, two) {
                (Some(take), Some(of)) => (number(take, at)?, number(of, at)?.max(1)),
                (Some(step), None) => (1, number(step, at)?.max(1)),
                _ => (1, 1),
            };
            if is_all {
                return Ok(Self { take, of, ..Self::ALL });
            }
            let first = number(first, at)?;
            Ok(Self { first, last: last.map_or(Ok(first), |last| number(last, at))?, take, of })
        };
        Some(read())
    }
}

/// What a word stands for.
fn ranges(text: &str, word: &Word) -> Result<Box<[IndexRange]>, PatternError> {
    let refused = || PatternError::NotANumber { at: word.at, term: cut(text) };
    // One bracket, one `*`, or the old form without brackets, which may hold a `*` as well.
    let items = match word.pieces.as_slice() {
        [] => return Ok([].into()),
        [Piece::Any] => return Ok([IndexRange::ALL].into()),
        [Piece::Bracket(Bracket::Numbers(ranges))] => {
            let ranges = ranges.iter().map(|range| IndexRange {
                first: range.first,
                last: range.last,
                take: 1,
                of: range.step,
            });
            return Ok(ranges.collect());
        }
        [Piece::Bracket(Bracket::Letters(items))] => items.to_string(),
        [Piece::Text(item)] => item.clone(),
        [Piece::Any, Piece::Text(steps)] => format!("*{steps}"),
        _ => return Err(refused()),
    };
    items.split(',').map(|item| IndexRange::parse(item, word.at).unwrap_or_else(|| Err(refused()))).collect()
}
