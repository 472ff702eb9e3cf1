//! A text in words: separators, quotes, brackets and signs told apart (operators §5.1, §5.3).

use std::ops::Range;

use crate::error::PatternError;
use crate::pattern::bracket::Bracket;
use crate::pattern::warning::{PatternWarning, Warnings, cut};

/// The longest text that is read, in bytes (ours).
pub(super) const LONGEST_TEXT: usize = 65_536;

/// What a text may hold beside words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `^` in front of a word, and the set operators.
    Matching,
    /// The same for numbers: brackets may hold more, and `!` is an old sign for `^`.
    Indices,
    /// Neither: names are made, and there is nothing to take away.
    Making,
}

/// A text, read.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) tokens: Vec<Token>,
    pub(super) warnings: Warnings,
}

#[derive(Debug)]
pub(super) enum Token {
    Word(Word),
    Open { at: usize, excluded: bool },
    Close { at: usize },
    Operator { at: usize, sign: Sign },
}

/// The three set operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sign {
    Union,
    Intersection,
    Difference,
}

impl Sign {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Union => "|",
            Self::Intersection => "&",
            Self::Difference => "~",
        }
    }
}

/// What stands between two separators.
#[derive(Debug)]
pub(super) struct Word {
    /// Where in the text it stands, in bytes, its `^` and quotes included.
    pub(super) span: Range<usize>,
    /// Where it begins, in characters from 1.
    pub(super) at: usize,
    pub(super) excluded: bool,
    pub(super) pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Piece {
    /// Exactly this.
    Text(String),
    /// `*`
    Any,
    /// `?`
    One,
    /// `[…]`
    Bracket(Bracket),
}

/// Reads a text, in time proportional to its length.
pub(super) fn scan(text: &str, dialect: Dialect) -> Result<Scan, PatternError> {
    if text.len() > LONGEST_TEXT {
        return Err(PatternError::TooLong { bytes: text.len(), limit: LONGEST_TEXT });
    }
    let mut scanner = Scanner { text, dialect, ..Scanner::default() };
    scanner.run()?;
    Ok(scanner.scan)
}

#[derive(Debug)]
struct Scanner<'t> {
    text: &'t str,
    dialect: Dialect,
    /// Place of the next character, in bytes.
    byte: usize,
    /// Place of the character being read, in characters from 1.
    at: usize,
    quoted: bool,
    /// Up to here, in bytes, no bracket closes, outside quotes and inside: looking once is enough.
    never_closes: [usize; 2],
    word: Option<Word>,
    scan: Scan,
}

impl Default for Scanner<'_> {
    fn default() -> Self {
        Self {
            text: "",
            dialect: Dialect::Matching,
            byte: 0,
            at: 0,
            quoted: false,
            never_closes: [0; 2],
            word: None,
            scan: Scan::default(),
        }
    }
}

impl<'t> Scanner<'t> {
    fn run(&mut self) -> Result<(), PatternError> {
        while let Some(c) = self.rest().chars().next() {
            let begin = self.byte;
            self.byte = begin.saturating_add(c.len_utf8());
            self.at = self.at.saturating_add(1);
            match c {
                '"' if self.quoted => self.quoted = false,
                '"' if self.rest().contains('"') => {
                    self.quoted = true;
                    self.word(begin);
                }
                '"' => {
                    self.scan.warnings.push(PatternWarning::UnclosedQuote { rest: cut(self.rest()) });
                    self.push_char(begin, c);
                }
                '*' => self.push(begin, Piece::Any),
                '?' => self.push(begin, Piece::One),
                '[' => self.bracket(begin)?,
                _ if self.quoted => self.push_char(begin, c),
                ',' => self.finish(begin),
                c if c.is_whitespace() => self.finish(begin),
                _ if self.dialect != Dialect::Making => self.sign(begin, c),
                c => self.push_char(begin, c),
            }
        }
        self.finish(self.byte);
        Ok(())
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.byte..).unwrap_or_default()
    }

    /// The word being read; `begin` is where it starts if there is none.
    fn word(&mut self, begin: usize) -> &mut Word {
        let new = Word { span: begin..begin, at: self.at, excluded: false, pieces: Vec::new() };
        self.word.get_or_insert(new)
    }

    fn push(&mut self, begin: usize, piece: Piece) {
        self.word(begin).pieces.push(piece);
    }

    fn push_char(&mut self, begin: usize, c: char) {
        let pieces = &mut self.word(begin).pieces;
        match pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(c),
            _ => pieces.push(Piece::Text(c.into())),
        }
    }

    /// A character that may be an operator or a `^`.
    fn sign(&mut self, begin: usize, c: char) {
        let at = self.at;
        let operator = |sign| Token::Operator { at, sign };
        let token = match c {
            '|' => operator(Sign::Union),
            '&' => operator(Sign::Intersection),
            '~' => operator(Sign::Difference),
            ')' => Token::Close { at },
            '(' => {
                // A `^` right before the parenthesis belongs to the group.
                let excluded = self
                    .word
                    .take_if(|word| word.excluded && word.span.start.saturating_add(1) == begin)
                    .is_some();
                Token::Open { at, excluded }
            }
            '^' | '!' if self.word.is_none() && (c == '^' || self.dialect == Dialect::Indices) => {
                self.word(begin).excluded = true;
                return;
            }
            c => return self.push_char(begin, c),
        };
        self.finish(begin);
        self.scan.tokens.push(token);
    }

    /// A `[`: a bracket if it is closed before the word ends, an ordinary character if not.
    fn bracket(&mut self, begin: usize) -> Result<(), PatternError> {
        let Some(content) = self.closed(begin, self.rest()) else {
            self.push_char(begin, '[');
            return Ok(());
        };
        let bracket = Bracket::parse(content, self.at)?;
        self.word(begin);
        if self.dialect != Dialect::Indices {
            self.scan.warnings.look_at_bracket(content, &bracket);
        }
        self.byte = self.byte.saturating_add(content.len()).saturating_add(1);
        self.at = self.at.saturating_add(content.chars().count()).saturating_add(1);
        self.push(begin, Piece::Bracket(bracket));
        Ok(())
    }

    /// What stands before the `]` in `text`, which follows the `[` at `begin`.
    fn closed<'r>(&mut self, begin: usize, text: &'r str) -> Option<&'r str> {
        let [outside, inside] = &mut self.never_closes;
        let never_closes = if self.quoted { inside } else { outside };
        if begin < *never_closes {
            return None;
        }
        let quoted = self.quoted;
        let ends = |c: char| if quoted { c == '"' } else { c.is_whitespace() };
        let end = text.find(|c| c == ']' || ends(c)).unwrap_or(text.len());
        let (content, rest) = text.split_at_checked(end)?;
        if rest.starts_with(']') {
            return Some(content);
        }
        *never_closes = self.byte.saturating_add(end);
        self.scan.warnings.push(PatternWarning::UnclosedBracket { bracket: cut(&format!("[{content}")) });
        None
    }

    /// The word, if there is one, ends before `end`.
    fn finish(&mut self, end: usize) {
        let Some(mut word) = self.word.take() else { return };
        word.span.end = end;
        let text = self.text.get(word.span.clone()).unwrap_or_default();
        if self.dialect != Dialect::Indices {
            self.scan.warnings.look_at_word(text, &word, self.dialect);
        }
        self.scan.tokens.push(Token::Word(word));
    }
}
