//! What a pattern says that its author most likely did not mean.

use core::fmt;

use crate::pattern::bracket::Bracket;
use crate::pattern::scan::{Dialect, Piece, Word};

/// So many warnings are kept of one text: whoever has made that many mistakes reads no more.
const MOST: usize = 16;
/// The longest part of a text that a message repeats, in characters.
const LONGEST_PART: usize = 40;

/// A sentence for the author of a pattern: it can be read, and most likely means something else than it should.
///
/// A warning changes nothing: the pattern means what the specification says. [`Display`](fmt::Display) gives one
/// lower-case sentence with the part in question, what it means, and what to write instead. Parts are cut after 40
/// characters.
///
/// # Source
///
/// operators §5.1 and §5.3 ask for some of them; the others are ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PatternWarning {
    /// There is nothing in the text.
    Empty,
    /// A bracket holds letters and a sign that only works between numbers.
    NotARange {
        /// The bracket.
        bracket: String,
        /// `-`, `:` or `,`.
        sign: char,
    },
    /// A bracket begins with a sign that means *none of these* elsewhere.
    NegatedBracket {
        /// The bracket.
        bracket: String,
        /// `^` or `!`.
        sign: char,
    },
    /// A bracket holds one number of several digits.
    SingleNumber {
        /// The bracket.
        bracket: String,
    },
    /// A number in brackets begins with zeros, which do not count.
    LeadingZeros {
        /// The bracket.
        bracket: String,
    },
    /// `[]`
    EmptyBracket,
    /// A bracket is not closed before the next blank.
    UnclosedBracket {
        /// The text from the bracket on.
        bracket: String,
    },
    /// A bracket is closed that was not open.
    UnopenedBracket {
        /// The term.
        term: String,
    },
    /// A double quote has no partner.
    UnclosedQuote {
        /// The text behind it.
        rest: String,
    },
    /// A sign of regular expressions or shells.
    Foreign {
        /// The term.
        term: String,
        /// The sign.
        sign: &'static str,
        /// What to write instead.
        instead: &'static str,
    },
    /// `@group`, which only parameters that pick operators know.
    Group {
        /// The term.
        term: String,
    },
    /// A `^` with nothing behind it.
    LoneExclusion,
    /// A `^` inside a term.
    LateExclusion {
        /// The term.
        term: String,
    },
    /// The first term takes away from all names, and a later one adds to them.
    ExclusionFirst {
        /// The first term.
        first: String,
        /// The later one.
        later: String,
    },
    /// There are set operators in the pattern, but none between these two.
    MissingOperator {
        /// The term on the right, or `(` for parentheses.
        right: String,
        /// Whether it is a `^` term.
        excluded: bool,
    },
    /// Two different set operators in a row.
    MixedOperators {
        /// The one that is applied first.
        first: &'static str,
        /// The other one.
        second: &'static str,
    },
    /// All names but some are added to what there is.
    AddsComplement {
        /// The term, or `^(` for parentheses.
        term: String,
    },
    /// `*` or `?` where names are made.
    Wildcard {
        /// The term.
        term: String,
    },
    /// A reference to a wildcard that the term of the other side does not have.
    MissingWildcard {
        /// The reference, such as `*(1)`.
        wildcard: String,
    },
    /// Two channels that got one name.
    SameName {
        /// The name.
        name: String,
    },
    /// A term that concerns none of the names.
    Unmatched {
        /// The term.
        term: String,
        /// Whether it takes names away.
        excluded: bool,
        /// A name that would match if upper and lower case were the same.
        similar: Option<String>,
    },
}

impl fmt::Display for PatternWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the pattern is empty and matches nothing: write * for all names"),
            Self::NotARange { bracket, sign } => write!(
                f,
                "{bracket} stands for one of the characters in it, {sign:?} among them: ranges and lists are for numbers \
                 alone, so write every letter, as in [xyz]"
            ),
            Self::NegatedBracket { bracket, sign } => write!(
                f,
                "{bracket} stands for one of the characters in it, {sign:?} among them: to leave names out, add a term \
                 that begins with ^"
            ),
            Self::SingleNumber { bracket } => write!(
                f,
                "{bracket} stands for that one number, not one of its digits: write it without brackets, or the digits \
                 with commas, as in [1,2,3]"
            ),
            Self::LeadingZeros { bracket } => write!(
                f,
                "zeros at the front of a number do not count in {bracket}, which stands for numbers without them: \
                 write them before the bracket, as in chan0[1-9]"
            ),
            Self::EmptyBracket => f.write_str(
                "[] stands for one of no characters: put letters, numbers or a range between the brackets",
            ),
            Self::UnclosedBracket { bracket } => write!(
                f,
                "{bracket} has no ] before the next blank, so its [ is an ordinary character: close it, and \
                 write no blanks in brackets"
            ),
            Self::UnopenedBracket { term } => {
                write!(
                    f,
                    "{term} has a ] without its [, an ordinary character then: open the bracket before it"
                )
            }
            Self::UnclosedQuote { rest } => {
                write!(
                    f,
                    "the double quote before {rest:?} has no partner, so it is an ordinary character: close it"
                )
            }
            Self::Foreign { term, sign, instead } => {
                write!(
                    f,
                    "{sign} in {term} is ordinary text, as patterns are no regular expressions: {instead}"
                )
            }
            Self::Group { term } => {
                write!(f, "{term} is an ordinary name here, as only operators have groups: list the names")
            }
            Self::LoneExclusion => {
                f.write_str("^ with nothing behind it leaves nothing out: write the pattern right behind it")
            }
            Self::LateExclusion { term } => {
                write!(
                    f,
                    "the ^ inside {term} is an ordinary character: write a blank before it to leave names out"
                )
            }
            Self::ExclusionFirst { first, later } => write!(
                f,
                "{first} comes first and keeps all other names, to which {later} only adds: write {later} before \
                 {first} to take away from it"
            ),
            Self::MissingOperator { right, excluded: false } => write!(
                f,
                "there is no operator before {right}, and beside | & ~ a blank is none: it is taken as |, so write \
                 that"
            ),
            Self::MissingOperator { right, excluded: true } => write!(
                f,
                "there is no operator before {right}, and beside | & ~ a blank is none: it adds all names but \
                 those, so write ~ instead of ^ to take them away"
            ),
            Self::MixedOperators { first, second } => write!(
                f,
                "{first} is applied before {second}, as operators go from left to right: use parentheses to show \
                 what is meant"
            ),
            Self::AddsComplement { term } => write!(
                f,
                "| {term} adds all names but those: write & {term} to keep only what is left without them"
            ),
            Self::Wildcard { term } => write!(
                f,
                "* and ? in {term} are ordinary characters, as names are made here and not matched: list the \
                 names, or use brackets such as [1-3]"
            ),
            Self::MissingWildcard { wildcard } => write!(
                f,
                "{wildcard} stands for nothing, as From has no such wildcard there: count those of one kind from 0"
            ),
            Self::SameName { name } => {
                write!(f, "more than one channel is called {name} now: give them different names")
            }
            Self::Unmatched { term, excluded, similar } => {
                let does = if *excluded { "leaves nothing out" } else { "matches nothing" };
                write!(f, "{term} {does}: ")?;
                match similar {
                    Some(name) => write!(f, "upper and lower case differ, and there is {name}"),
                    None => f.write_str("look at the names that there are"),
                }
            }
        }
    }
}

/// Warnings of one text: each once, and no more than somebody reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Warnings(Vec<PatternWarning>);

impl Warnings {
    pub(super) fn push(&mut self, warning: PatternWarning) {
        if self.0.len() < MOST && !self.0.contains(&warning) {
            self.0.push(warning);
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MOST
    }

    pub(super) fn as_slice(&self) -> &[PatternWarning] {
        &self.0
    }

    pub(super) fn into_vec(self) -> Vec<PatternWarning> {
        self.0
    }

    /// What is odd about a bracket.
    pub(super) fn look_at_bracket(&mut self, content: &str, bracket: &Bracket) {
        let cut = || cut(&format!("[{content}]"));
        match bracket {
            Bracket::Letters(_) if content.is_empty() => self.push(PatternWarning::EmptyBracket),
            Bracket::Letters(_) => {
                if let Some(sign) = content.chars().next().filter(|c| matches!(c, '^' | '!')) {
                    self.push(PatternWarning::NegatedBracket { bracket: cut(), sign });
                } else if let Some(sign) = content.chars().find(|c| matches!(c, '-' | ':' | ','))
                    && content.chars().nth(1).is_some()
                {
                    self.push(PatternWarning::NotARange { bracket: cut(), sign });
                }
            }
            Bracket::Numbers(_) => {
                let several = content.len() > 1;
                if several && content.bytes().all(|byte| byte.is_ascii_digit()) {
                    self.push(PatternWarning::SingleNumber { bracket: cut() });
                }
                let mut bounds = content.split([',', '-']);
                // What stands behind the colon is no number of a name.
                if bounds.any(|bound| bound.len() > 1 && bound.starts_with('0') && !bound.starts_with("0:")) {
                    self.push(PatternWarning::LeadingZeros { bracket: cut() });
                }
            }
        }
    }

    /// What is odd about a word, `text` with its `^` and its quotes.
    pub(super) fn look_at_word(&mut self, text: &str, word: &Word, dialect: Dialect) {
        // Whoever quotes a name means each of its signs.
        if text.contains('"') {
            return;
        }
        let term = || cut(text);
        let literal = |sign: char| {
            word.pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains(sign)))
        };
        if literal(']') {
            self.push(PatternWarning::UnopenedBracket { term: term() });
        }
        if literal('{') && literal('}') {
            let instead = "write each of the names, with blanks between them";
            self.push(PatternWarning::Foreign { term: term(), sign: "{}", instead });
        }
        if dialect == Dialect::Making {
            return;
        }
        if word.excluded && word.pieces.is_empty() {
            self.push(PatternWarning::LoneExclusion);
        }
        if literal('^') {
            self.push(PatternWarning::LateExclusion { term: term() });
        }
        let begins = text.strip_prefix('^').unwrap_or(text);
        if begins.starts_with('@') || text.contains("/@") {
            self.push(PatternWarning::Group { term: term() });
        }
        for (found, sign, instead) in [
            (text.contains(".*"), ".*", "write * for any characters"),
            (text.contains(".+"), ".+", "write ?* for one character or more"),
            (literal('\\'), "\\", "write a character without it, or in brackets"),
            (text.ends_with('$'), "$", "a pattern always matches the whole name"),
            (begins.starts_with('!'), "!", "write ^ to leave names out"),
        ] {
            if found {
                self.push(PatternWarning::Foreign { term: term(), sign, instead });
            }
        }
    }
}

/// A part of a text for a message, cut short when it is long.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_PART) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}
