//! Terms and operators in the order in which they are applied (operators §5.2, §5.3).
//!
//! Whether a name is picked depends on that name alone: adding, taking away, joining and complementing all go name by
//! name. So a pattern is a list of steps over one truth value, and parentheses keep the outer values in the bits of a
//! word. Nothing recurses, and nothing allocates. `M` is what a term matches with: a glob, or ranges of numbers.

use std::ops::Range;

use crate::error::PatternError;
use crate::pattern::scan::{Sign, Token, Word};
use crate::pattern::warning::{PatternWarning, Warnings, cut};

/// Parentheses in parentheses: the bits of the word that keeps the values outside.
const DEEPEST: usize = 64;

/// Steps, from left to right.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Program<M> {
    steps: Vec<Step<M>>,
    /// Whether there are operators: then the whole is one expression, else a list of terms.
    pub(super) is_expression: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step<M> {
    Term(Term<M>),
    Open,
    /// What is inside is joined to what was outside.
    Close {
        sign: Sign,
        complement: bool,
    },
}

/// A term and what becomes of its matches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Term<M> {
    pub(super) sign: Sign,
    pub(super) complement: bool,
    pub(super) what: M,
    /// Where in the text it stands, in bytes.
    pub(super) span: Range<usize>,
}

impl<M> Program<M> {
    /// Reads the tokens of a text; `make` is given each word as it stands there, and read.
    pub(super) fn new(
        text: &str,
        tokens: Vec<Token>,
        warnings: &mut Warnings,
        mut make: impl FnMut(&str, Word) -> Result<M, PatternError>,
    ) -> Result<Self, PatternError> {
        let is_expression = tokens.iter().any(|token| !matches!(token, Token::Word(_)));
        let steps = if is_expression {
            Expression::new(text, warnings).read(tokens, &mut make)?
        } else {
            list(text, tokens, warnings, &mut make)?
        };
        Ok(Self { steps, is_expression })
    }

    /// The terms, from left to right.
    pub(super) fn terms(&self) -> impl Iterator<Item = &Term<M>> {
        self.steps.iter().filter_map(|step| match step {
            Step::Term(term) => Some(term),
            _ => None,
        })
    }

    /// Whether that is picked of which `matches` says what a term matches with.
    pub(super) fn picks(&self, mut matches: impl FnMut(&M) -> bool) -> bool {
        let mut value = false;
        let mut outside = 0_u64;
        for step in &self.steps {
            match step {
                // Nothing would come of it.
                Step::Term(term) if value == (term.sign == Sign::Union) => {}
                Step::Term(term) => value = apply(value, term.sign, matches(&term.what) != term.complement),
                Step::Open => {
                    outside = (outside << 1) | u64::from(value);
                    value = false;
                }
                Step::Close { sign, complement } => {
                    value = apply(outside & 1 == 1, *sign, value != *complement);
                    outside >>= 1;
                }
            }
        }
        value
    }
}

fn apply(value: bool, sign: Sign, other: bool) -> bool {
    match sign {
        Sign::Union => value | other,
        Sign::Intersection => value & other,
        Sign::Difference => value & !other,
    }
}

/// Terms without operators: each adds, or takes away from what is there.
fn list<M>(
    text: &str,
    tokens: Vec<Token>,
    warnings: &mut Warnings,
    make: &mut impl FnMut(&str, Word) -> Result<M, PatternError>,
) -> Result<Vec<Step<M>>, PatternError> {
    let mut steps = Vec::with_capacity(tokens.len());
    let mut only_adds_to: Option<String> = None;
    for token in tokens {
        let Token::Word(word) = token else { continue };
        let first = steps.is_empty();
        let here = text.get(word.span.clone()).unwrap_or_default();
        let term = || cut(here);
        if first && word.excluded && !word.pieces.is_empty() {
            only_adds_to = Some(term());
        } else if !word.excluded
            && let Some(first) = only_adds_to.take()
        {
            warnings.push(PatternWarning::ExclusionFirst { first, later: term() });
        }
        // The first one takes away from all names: what it adds is all the others.
        let sign = if word.excluded && !first { Sign::Difference } else { Sign::Union };
        let complement = word.excluded && first;
        let span = word.span.clone();
        let what = make(here, word)?;
        steps.push(Step::Term(Term { sign, complement, what, span }));
    }
    Ok(steps)
}

/// Reads terms with operators.
struct Expression<'t, 'w, M> {
    text: &'t str,
    warnings: &'w mut Warnings,
    steps: Vec<Step<M>>,
    outer: Vec<Level>,
    level: Level,
}

/// How far an expression has been read, outside all parentheses or in a pair of them.
#[derive(Debug, Default)]
struct Level {
    /// Where its parenthesis is, in characters from 1.
    at: usize,
    /// What becomes of the group as a whole.
    sign: Option<Sign>,
    complement: bool,
    /// Whether there is anything on the left.
    begun: bool,
    /// The operator that waits for its right side, and its place.
    waits: Option<(usize, Sign)>,
    /// The last operator.
    last: Option<Sign>,
}

impl<'t, 'w, M> Expression<'t, 'w, M> {
    fn new(text: &'t str, warnings: &'w mut Warnings) -> Self {
        Self { text, warnings, steps: Vec::new(), outer: Vec::new(), level: Level::default() }
    }

    fn read(
        mut self,
        tokens: Vec<Token>,
        make: &mut impl FnMut(&str, Word) -> Result<M, PatternError>,
    ) -> Result<Vec<Step<M>>, PatternError> {
        for token in tokens {
            match token {
                Token::Word(word) => {
                    let here = self.text.get(word.span.clone()).unwrap_or_default();
                    let (sign, complement) = (self.next_sign(&cut(here), word.excluded), word.excluded);
                    let span = word.span.clone();
                    let what = make(here, word)?;
                    self.steps.push(Step::Term(Term { sign, complement, what, span }));
                }
                Token::Operator { at, sign } => self.operator(at, sign)?,
                Token::Open { at, excluded } => self.open(at, excluded)?,
                Token::Close { at } => self.close(at)?,
            }
        }
        self.check_right()?;
        if !self.outer.is_empty() {
            return Err(PatternError::Unbalanced { at: self.level.at, found: '(' });
        }
        Ok(self.steps)
    }

    /// What joins the next term, or pair of parentheses, to what is on its left.
    fn next_sign(&mut self, right: &str, excluded: bool) -> Sign {
        let waits = self.level.waits.take().map(|(_, sign)| sign);
        match waits {
            None if self.level.begun => {
                self.warnings.push(PatternWarning::MissingOperator { right: right.to_owned(), excluded });
                self.look_at(Sign::Union);
            }
            Some(Sign::Union) if excluded => {
                self.warnings.push(PatternWarning::AddsComplement { term: right.to_owned() });
            }
            _ => {}
        }
        self.level.begun = true;
        waits.unwrap_or(Sign::Union)
    }

    /// Warns where another operator follows on the same level. Behind `&` it makes no difference: whoever lets `&`
    /// bind tighter reads the same.
    fn look_at(&mut self, sign: Sign) {
        if let Some(last) =
            self.level.last.replace(sign).filter(|last| ![sign, Sign::Intersection].contains(last))
        {
            let (first, second) = (last.as_str(), sign.as_str());
            self.warnings.push(PatternWarning::MixedOperators { first, second });
        }
    }

    fn operator(&mut self, at: usize, sign: Sign) -> Result<(), PatternError> {
        self.check_right()?;
        if !self.level.begun {
            return Err(PatternError::MissingOperand { at, operator: sign.as_str(), side: "on its left" });
        }
        self.look_at(sign);
        self.level.waits = Some((at, sign));
        Ok(())
    }

    fn open(&mut self, at: usize, complement: bool) -> Result<(), PatternError> {
        let depth = self.outer.len().saturating_add(1);
        if depth > DEEPEST {
            return Err(PatternError::TooDeep { at, depth, limit: DEEPEST });
        }
        let sign = Some(self.next_sign(if complement { "^(" } else { "(" }, complement));
        self.outer
            .push(std::mem::replace(&mut self.level, Level { at, sign, complement, ..Level::default() }));
        self.steps.push(Step::Open);
        Ok(())
    }

    fn close(&mut self, at: usize) -> Result<(), PatternError> {
        self.check_right()?;
        let Some(outer) = self.outer.pop() else {
            return Err(PatternError::Unbalanced { at, found: ')' });
        };
        if !self.level.begun {
            return Err(PatternError::MissingOperand { at: self.level.at, operator: "()", side: "inside" });
        }
        let inner = std::mem::replace(&mut self.level, outer);
        let sign = inner.sign.unwrap_or(Sign::Union);
        self.steps.push(Step::Close { sign, complement: inner.complement });
        Ok(())
    }

    /// Fails where an operator still waits for its right side.
    fn check_right(&self) -> Result<(), PatternError> {
        match self.level.waits {
            None => Ok(()),
            Some((at, sign)) => {
                Err(PatternError::MissingOperand { at, operator: sign.as_str(), side: "on its right" })
            }
        }
    }
}
