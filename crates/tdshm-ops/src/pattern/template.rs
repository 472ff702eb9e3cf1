//! A term from which names are made: text, choices in brackets, and references to wildcards (operators §5.7, §5.8).

use core::fmt;

use crate::error::PatternError;
use crate::pattern::MOST_NAMES;
use crate::pattern::bracket::Bracket;
use crate::pattern::scan::{Piece, Word};

/// Bytes of all names together (ours).
pub(super) const MOST_BYTES: usize = 16 << 20;

/// A term, each of its choices one by one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Template {
    parts: Vec<Part>,
    /// How many names there are, each choice with each other one.
    count: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    Text(String),
    /// The choice changes every `stride` names.
    OneOf {
        choices: Vec<String>,
        stride: usize,
    },
    Reference(Reference),
}

/// What a `*` or a `?` matched, each kind counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Reference {
    Any(usize),
    One(usize),
}

/// Whether `*` and `?` stand for what others matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wildcards {
    Refer,
    AreText,
}

/// Fails where the words make too many names, or too long ones, before any is made.
pub(super) fn check(words: &[Word]) -> Result<(), PatternError> {
    let (mut names, mut bytes) = (0_u64, 0_u64);
    for word in words {
        let (count, longest) = measure(word);
        names = names.saturating_add(count);
        bytes = bytes.saturating_add(count.saturating_mul(longest));
    }
    if names > MOST_NAMES.try_into().unwrap_or(u64::MAX) {
        return Err(PatternError::TooManyNames { names, limit: MOST_NAMES });
    }
    if bytes > MOST_BYTES.try_into().unwrap_or(u64::MAX) {
        return Err(PatternError::TooMuchText { bytes, limit: MOST_BYTES });
    }
    Ok(())
}

/// How many names a word makes, and the bytes of the longest, apart from references.
fn measure(word: &Word) -> (u64, u64) {
    let length = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
    let (mut count, mut longest) = (u64::from(!word.pieces.is_empty()), 0_u64);
    let mut none = count == 0;
    for piece in &word.pieces {
        let (choices, bytes) = match piece {
            Piece::Text(text) => (1, length(text.len())),
            Piece::Any | Piece::One => (1, 1),
            Piece::Bracket(Bracket::Letters(letters)) => {
                let widest = letters.chars().map(char::len_utf8).max().unwrap_or(0);
                (length(letters.chars().count()), length(widest))
            }
            Piece::Bracket(Bracket::Numbers(ranges)) => {
                let count = ranges.iter().fold(0, |count: u64, range| count.saturating_add(range.count()));
                let greatest = ranges.iter().map(|range| range.first.max(range.last)).max().unwrap_or(0);
                (count, u64::from(greatest.checked_ilog10().unwrap_or(0)).saturating_add(1))
            }
        };
        none |= choices == 0;
        count = count.saturating_mul(choices);
        longest = longest.saturating_add(bytes);
    }
    (if none { 0 } else { count }, longest)
}

impl Template {
    /// Of a word that has been [checked](check).
    pub(super) fn new(word: Word, wildcards: Wildcards) -> Self {
        let count = usize::try_from(measure(&word).0).unwrap_or(usize::MAX);
        let mut template = Self { parts: Vec::new(), count };
        if count == 0 {
            return template;
        }
        let (mut anys, mut ones) = (0_usize, 0_usize);
        let mut pieces = word.pieces.into_iter().peekable();
        while let Some(piece) = pieces.next() {
            let refers = wildcards == Wildcards::Refer;
            let mut reference = |next: &mut usize| {
                let numbered = match pieces.peek_mut() {
                    Some(Piece::Text(text)) => take_number(text),
                    _ => None,
                };
                numbered.unwrap_or_else(|| {
                    let bare = *next;
                    *next = bare.saturating_add(1);
                    bare
                })
            };
            template.parts.push(match piece {
                Piece::Any if refers => Part::Reference(Reference::Any(reference(&mut anys))),
                Piece::One if refers => Part::Reference(Reference::One(reference(&mut ones))),
                Piece::Any => Part::Text("*".to_owned()),
                Piece::One => Part::Text("?".to_owned()),
                Piece::Text(text) => Part::Text(text),
                Piece::Bracket(Bracket::Letters(letters)) => {
                    Part::OneOf { choices: letters.chars().map(String::from).collect(), stride: 1 }
                }
                Piece::Bracket(Bracket::Numbers(ranges)) => {
                    let numbers = ranges.iter().flat_map(|range| range.numbers());
                    Part::OneOf { choices: numbers.map(|number| number.to_string()).collect(), stride: 1 }
                }
            });
        }
        // The last one is the fastest.
        let mut faster = 1_usize;
        for part in template.parts.iter_mut().rev() {
            if let Part::OneOf { choices, stride } = part {
                *stride = faster;
                faster = faster.saturating_mul(choices.len());
            }
        }
        template
    }

    /// How many names it makes.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn references(&self) -> impl Iterator<Item = Reference> {
        self.parts.iter().filter_map(|part| match part {
            Part::Reference(reference) => Some(*reference),
            _ => None,
        })
    }

    /// The name at `index`, with what `refer` gives for each reference.
    pub(super) fn name<'n>(&'n self, index: usize, refer: impl Fn(Reference) -> &'n str) -> String {
        self.texts(index, refer).collect()
    }

    /// How long that name is.
    pub(super) fn bytes<'n>(&'n self, index: usize, refer: impl Fn(Reference) -> &'n str) -> usize {
        self.texts(index, refer).fold(0, |bytes, text| bytes.saturating_add(text.len()))
    }

    fn texts<'n>(
        &'n self,
        index: usize,
        refer: impl Fn(Reference) -> &'n str,
    ) -> impl Iterator<Item = &'n str> {
        self.parts.iter().map(move |part| match part {
            Part::Text(text) => text,
            Part::Reference(reference) => refer(*reference),
            Part::OneOf { choices, stride } => {
                let choice = index.checked_div(*stride).and_then(|step| step.checked_rem(choices.len()));
                choice.and_then(|choice| choices.get(choice)).map_or("", String::as_str)
            }
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any(index) => write!(f, "*({index})"),
            Self::One(index) => write!(f, "?({index})"),
        }
    }
}

/// Takes `(12)` from the front of a text.
fn take_number(text: &mut String) -> Option<usize> {
    let (number, rest) = text.strip_prefix('(')?.split_once(')')?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Beyond all that are there.
    let number = number.parse().unwrap_or(usize::MAX);
    *text = rest.to_owned();
    Some(number)
}
