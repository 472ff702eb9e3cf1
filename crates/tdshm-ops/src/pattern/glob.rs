//! One term against one name (operators §5.1), without a case that explodes.
//!
//! All ways to read the name are followed at once: a set of places that the elements so far can end at, a bit a
//! byte of the name. Each element moves the set on, once. So a term costs at most (elements) × (places) × (what one
//! element does at one place), and that is bounded too: a number has at most 20 digits.

use std::mem;

use crate::pattern::bracket::{Bracket, NumberRange};
use crate::pattern::scan::Piece;
use crate::pattern::template::Reference;

/// Digits of the greatest number.
const MOST_DIGITS: usize = 20;
/// Names up to so many bytes are matched without an allocation.
const SHORT: usize = 511;

/// A term, ready to match. Without elements it matches nothing, not even the empty name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Glob {
    elements: Vec<Element>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Element {
    Text(Box<str>),
    Any,
    One,
    Letters(Box<str>),
    Numbers(Box<[NumberRange]>),
}

/// Whether upper and lower case of the letters a to z differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Differs,
    Ignored,
}

impl Glob {
    pub(super) fn new(pieces: Vec<Piece>) -> Self {
        Self { elements: pieces.into_iter().map(Element::from).collect() }
    }

    /// Whether the term is the whole name.
    #[inline]
    pub(super) fn matches(&self, name: &str, case: Case, places: &mut Places) -> bool {
        match self.elements.as_slice() {
            [] => false,
            [Element::Any] => true,
            [Element::Text(text)] => equal(text.as_bytes(), name.as_bytes(), case),
            _ => self.walk(name, case, places, &mut Uncounted),
        }
    }

    fn walk(&self, name: &str, case: Case, places: &mut Places, tally: &mut impl Tally) -> bool {
        let mut places = places.at_begin(name.len());
        for element in &self.elements {
            match element {
                Element::Any => places.spread(),
                element => element.advance(name, case, &mut places, tally),
            }
            if places.is_empty() {
                return false;
            }
        }
        places.contains(name.len())
    }
}

impl Element {
    /// Moves each place to where this element can end; all that lie behind the place it moves from.
    fn advance(&self, name: &str, case: Case, places: &mut View<'_>, tally: &mut impl Tally) {
        places.each(|at, places| self.ends(name, at, case, tally, |end| places.insert(end)));
    }

    /// Where it can end that begins at `at`, the nearest place first. (`*` is not asked: it can end everywhere.)
    fn ends(&self, name: &str, at: usize, case: Case, tally: &mut impl Tally, mut end: impl FnMut(usize)) {
        let rest = || name.get(at..).unwrap_or_default();
        match self {
            Self::Any => {}
            Self::Text(text) => {
                tally.add(text.len());
                let behind = at.saturating_add(text.len());
                let here = name.as_bytes().get(at..behind);
                if here.is_some_and(|here| equal(here, text.as_bytes(), case)) {
                    end(behind);
                }
            }
            Self::One => {
                tally.add(1);
                if let Some(c) = rest().chars().next() {
                    end(at.saturating_add(c.len_utf8()));
                }
            }
            Self::Letters(letters) => {
                tally.add(letters.len());
                let same = |a: char, b: char| a == b || case == Case::Ignored && a.eq_ignore_ascii_case(&b);
                if let Some(c) = rest().chars().next().filter(|c| letters.chars().any(|l| same(l, *c))) {
                    end(at.saturating_add(c.len_utf8()));
                }
            }
            Self::Numbers(ranges) => {
                for (behind, number) in numbers(name.as_bytes(), at) {
                    tally.add(ranges.len());
                    if ranges.iter().any(|range| range.contains(number)) {
                        end(behind);
                    }
                }
            }
        }
    }
}

/// What the wildcards of a term stand for in one name.
#[derive(Debug, Default)]
pub(super) struct Captures<'n> {
    anys: Vec<&'n str>,
    ones: Vec<&'n str>,
}

impl<'n> Captures<'n> {
    pub(super) fn get(&self, reference: Reference) -> Option<&'n str> {
        match reference {
            Reference::Any(index) => self.anys.get(index).copied(),
            Reference::One(index) => self.ones.get(index).copied(),
        }
    }
}

impl Glob {
    /// How many wildcards, brackets and texts it is made of.
    pub(super) fn parts(&self) -> usize {
        self.elements.len()
    }

    /// Whether it is one name and no other.
    pub(super) fn is_literal(&self) -> bool {
        matches!(self.elements.as_slice(), [Element::Text(_)])
    }

    /// What the wildcards stand for; `None` if the term is not the whole name. Of all ways to read it counts the one
    /// in which the first element is as short as it can be, then the second, and so on.
    ///
    /// Takes a bit for each pair of an element and a byte of the name.
    pub(super) fn captures<'n>(&self, name: &'n str) -> Option<Captures<'n>> {
        let bytes = name.len();
        let words = bytes.checked_div(64).unwrap_or(0).saturating_add(1);
        // The places from which all elements from one on can be read up to the end: that of the last one first.
        let mut rest = vec![0; words];
        View { words: &mut rest, bytes }.insert(bytes);
        let mut after = vec![rest];
        for element in self.elements.iter().rev() {
            let mut here = vec![0; words];
            let there = View { words: after.last_mut()?, bytes };
            let mut here_view = View { words: &mut here, bytes };
            let mut any_behind = false;
            for at in (0..=bytes).rev() {
                any_behind |= there.contains(at);
                let mut reads_on = *element == Element::Any && any_behind;
                element.ends(name, at, Case::Differs, &mut Uncounted, |end| reads_on |= there.contains(end));
                if reads_on {
                    here_view.insert(at);
                }
            }
            after.push(here);
        }
        if self.elements.is_empty() || !(View { words: after.last_mut()?, bytes }).contains(0) {
            return None;
        }
        let mut captures = Captures::default();
        let mut at = 0_usize;
        after.pop();
        for element in &self.elements {
            let there = View { words: after.last_mut()?, bytes };
            let mut end = None;
            if *element == Element::Any {
                end = (at..=bytes).find(|end| there.contains(*end));
            } else {
                element.ends(name, at, Case::Differs, &mut Uncounted, |found| {
                    if end.is_none() && there.contains(found) {
                        end = Some(found);
                    }
                });
            }
            let end = end?;
            match element {
                Element::Any => captures.anys.push(name.get(at..end)?),
                Element::One => captures.ones.push(name.get(at..end)?),
                _ => {}
            }
            at = end;
            after.pop();
        }
        Some(captures)
    }
}

/// The numbers that begin at `at`, of one digit, of two, and so on: where each ends, and which it is. None has zeros
/// at its front, but `0` is one.
fn numbers(name: &[u8], at: usize) -> impl Iterator<Item = (usize, u64)> {
    let digits = name.get(at..).unwrap_or_default().iter().take(MOST_DIGITS);
    let mut end = at;
    let numbers = digits.scan(Some(0_u64), move |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        // Behind a first zero there is no other number.
        let before = number.filter(|before| *before > 0 || end == at)?;
        end = end.saturating_add(1);
        *number = before.checked_mul(10).and_then(|tens| tens.checked_add(u64::from(digit)));
        number.map(|number| (end, number))
    });
    numbers.fuse()
}

fn equal(a: &[u8], b: &[u8], case: Case) -> bool {
    match case {
        Case::Differs => a == b,
        Case::Ignored => a.eq_ignore_ascii_case(b),
    }
}

impl From<Piece> for Element {
    fn from(piece: Piece) -> Self {
        match piece {
            Piece::Text(text) => Self::Text(text.into()),
            Piece::Any => Self::Any,
            Piece::One => Self::One,
            Piece::Bracket(Bracket::Letters(letters)) => Self::Letters(letters),
            Piece::Bracket(Bracket::Numbers(ranges)) => Self::Numbers(ranges.into()),
        }
    }
}

/// Room for the places in a name, kept from one name to the next.
#[derive(Debug)]
pub(super) struct Places {
    short: [u64; SHORT.div_ceil(64)],
    long: Vec<u64>,
}

/// The places in one name that can be an end, a bit each, the last one the name's own end.
struct View<'p> {
    words: &'p mut [u64],
    bytes: usize,
}

impl Places {
    pub(super) fn new() -> Self {
        Self { short: [0; _], long: Vec::new() }
    }

    /// The begin of a name of `bytes` and no other place. Only names longer than [`SHORT`] can allocate, and only when
    /// none before was as long.
    fn at_begin(&mut self, bytes: usize) -> View<'_> {
        let words = bytes.checked_div(64).unwrap_or(0).saturating_add(1);
        let room = if words <= self.short.len() {
            &mut self.short[..]
        } else {
            if self.long.len() < words {
                self.long.resize(words, 0);
            }
            &mut self.long[..]
        };
        let room = room.get_mut(..words).unwrap_or_default();
        room.fill(0);
        let mut places = View { words: room, bytes };
        places.insert(0);
        places
    }
}

/// The word of a place, and its bit there.
fn bit(place: usize) -> (usize, u64) {
    (place >> 6, 1 << (place & 63))
}

impl View<'_> {
    fn insert(&mut self, place: usize) {
        let (word, bit) = bit(place);
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }

    fn contains(&self, place: usize) -> bool {
        let (word, bit) = bit(place);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Takes out each place, the last one first. `moved` puts in others, all of them behind the one it is given: so
    /// none of those is ever taken out again.
    fn each(&mut self, mut moved: impl FnMut(usize, &mut Self)) {
        for index in (0..self.words.len()).rev() {
            let mut bits = self.words.get_mut(index).map_or(0, mem::take);
            while let Some(last) = bits.checked_ilog2() {
                bits &= !(1 << last);
                let last = usize::try_from(last).unwrap_or(0);
                moved(index.saturating_mul(64).saturating_add(last), self);
            }
        }
    }

    /// Adds all places behind the first. (Bits in the middle of a character do no harm: nothing begins there.)
    fn spread(&mut self) {
        let mut words = self.words.iter_mut().skip_while(|word| **word == 0);
        if let Some(first) = words.next() {
            // All from the lowest bit upwards.
            *first |= first.wrapping_neg();
            words.for_each(|word| *word = u64::MAX);
        }
        // None behind the end.
        let (_, end) = bit(self.bytes);
        if let Some(last) = self.words.last_mut() {
            *last &= end | end.wrapping_sub(1);
        }
    }
}

/// Counts what matching does, where somebody wants to know.
trait Tally {
    fn add(&mut self, steps: usize);
}

struct Uncounted;

impl Tally for Uncounted {
    #[inline]
    fn add(&mut self, _steps: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::scan::{Dialect, Token, scan};
    use proptest::prelude::*;

    #[derive(Default)]
    struct Counted(usize);

    impl Tally for Counted {
        fn add(&mut self, steps: usize) {
            self.0 = self.0.saturating_add(steps.max(1));
        }
    }

    fn glob(term: &str) -> Glob {
        let mut tokens = scan(term, Dialect::Making).unwrap().tokens;
        match (tokens.pop(), tokens.pop()) {
            (Some(Token::Word(word)), None) => Glob::new(word.pieces),
            other => panic!("{term}: {other:?}"),
        }
    }

    /// Whether it matches, and how many steps it took: never more than 20 for each pair of a byte of the term and a
    /// place in the name.
    fn counted(term: &str, name: &str) -> (bool, usize) {
        let mut tally = Counted::default();
        let matched = glob(term).walk(name, Case::Differs, &mut Places::new(), &mut tally);
        let limit = MOST_DIGITS.saturating_mul(term.len()).saturating_mul(name.len().saturating_add(1));
        assert!(tally.0 <= limit, "{} steps, limit {limit}: {term:.60} on {name:.60}", tally.0);
        (matched, tally.0)
    }

    fn matches(term: &str, name: &str) -> bool {
        let matched = counted(term, name).0;
        assert_eq!(glob(term).matches(name, Case::Differs, &mut Places::new()), matched, "{term} {name}");
        matched
    }

    #[test]
    fn numbers_are_read_at_every_length() {
        for (term, name, expected) in [
            ("chan[1-12]", "chan10", true),
            ("chan[1-12]", "chan13", false),
            ("chan[1-3]", "chan01", false),
            ("chan[0-3]", "chan0", true),
            ("chan[0-3]", "chan00", false),
            ("[0-9]*", "13", true),
            ("[1-3][1-3]", "12", true),
            ("[1-12]2", "12", true),
            ("[1-12]2", "122", true),
            ("[0-99][0-99][0-99]", "123456", true),
            ("[0-99][0-99][0-99]", "1234567", false),
            ("[0-99]", "٣", false),
            ("[18446744073709551615]", "18446744073709551615", true),
            ("[0-18446744073709551615]", "18446744073709551616", false),
            ("[0-18446744073709551615]*", "184467440737095516160000", true),
        ] {
            assert_eq!(matches(term, name), expected, "{term} {name}");
        }
    }

    #[test]
    fn characters_are_not_bytes() {
        for (term, name, expected) in [
            ("?", "ä", true),
            ("??", "ä", false),
            ("[äö]x", "öx", true),
            ("*日?", "本日本", true),
            ("日*本", "日本", true),
            ("?*?", "🎥", false),
        ] {
            assert_eq!(matches(term, name), expected, "{term} {name}");
        }
    }

    #[test]
    fn names_of_any_length() {
        for bytes in [0, 1, 62, 63, 64, 65, 127, 128, 510, 511, 512, 513, 5000] {
            let name = "x".repeat(bytes);
            assert_eq!(matches("?*", &name), bytes > 0, "{bytes}");
            assert!(matches("*x*", &format!("{name}x")));
            assert!(!matches("*y", &name) && matches("*y", &format!("{name}y")));
        }
    }

    #[test]
    fn case_can_be_ignored() {
        for term in ["TX", "t[X]", "*X", "?X", "T*"] {
            assert!(glob(term).matches("tx", Case::Ignored, &mut Places::new()), "{term}");
        }
        assert!(!matches("TX", "tx") && !matches("t[X]", "tx"));
    }

    /// What backtracking would take 2^30 steps for, and more.
    #[test]
    fn nothing_explodes() {
        let long = "a".repeat(5000);
        for term in
            ["*a*a*a*a*b", &"*a".repeat(30), &"*?".repeat(30), &"*[ab]".repeat(30), &"a*".repeat(2000)]
        {
            let (matched, _) = counted(term, &long);
            assert_eq!(matched, !term.ends_with('b'), "{term}");
        }
        let digits = "1".repeat(200);
        for term in ["[0-99999]".repeat(60), "*[0-99999]".repeat(60), "[1,11,111,1111]".repeat(60)] {
            assert!(!counted(&format!("{term}x"), &digits).0);
        }
        // The limit is no empty one: twice the name is about twice the work, not its square.
        let steps = |bytes: usize| counted("*a*a*a*a*b", &"a".repeat(bytes)).1;
        assert!(steps(2000) * 2 + 100 >= steps(4000), "{} {}", steps(2000), steps(4000));
    }

    proptest! {
        #[test]
        fn the_limit_holds(term in "[a*?1\\[\\]\\-,]{1,40}", name in "[a1b0]{0,80}") {
            if !term.contains(',') || term.contains('[') {
                let words = scan(&term, Dialect::Making).unwrap().tokens.len();
                if words == 1 {
                    counted(&term, &name);
                }
            }
        }
    }
}
