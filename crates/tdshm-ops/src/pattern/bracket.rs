//! What stands between brackets: numbers, or a set of characters (operators §5.1).

use crate::error::PatternError;
use crate::pattern::warning::cut;

/// The contents of a bracket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Bracket {
    Numbers(Vec<NumberRange>),
    Letters(Box<str>),
}

/// `first`, and on in steps towards `last`, which may lie below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NumberRange {
    pub(super) first: u64,
    pub(super) last: u64,
    /// At least 1.
    pub(super) step: u64,
}

impl Bracket {
    /// Reads what stands between `[` and `]`; the bracket begins at character `at`.
    pub(super) fn parse(content: &str, at: usize) -> Result<Self, PatternError> {
        if !content.split(',').all(is_range) {
            return Ok(Self::Letters(content.into()));
        }
        let ranges = content.split(',').map(|part| NumberRange::parse(part, at));
        Ok(Self::Numbers(ranges.collect::<Result<_, _>>()?))
    }
}

/// Whether it reads `int`, `int-int` or `int-int:int`.
fn is_range(part: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match part.split_once('-') {
        None => is_number(part),
        Some((first, rest)) => {
            let (last, step) = rest.split_once(':').unwrap_or((rest, "1"));
            is_number(first) && is_number(last) && is_number(step)
        }
    }
}

impl NumberRange {
    fn parse(part: &str, at: usize) -> Result<Self, PatternError> {
        let (first, rest) = part.split_once('-').unwrap_or((part, part));
        let (last, step) = rest.split_once(':').unwrap_or((rest, "1"));
        let step = number(step, at)?.max(1);
        Ok(Self { first: number(first, at)?, last: number(last, at)?, step })
    }

    /// How many numbers there are.
    pub(super) fn count(self) -> u64 {
        let steps = self.first.abs_diff(self.last).checked_div(self.step).unwrap_or(0);
        steps.saturating_add(1)
    }

    /// The numbers, from the first on.
    pub(super) fn numbers(self) -> impl Iterator<Item = u64> {
        let next = move |number: &u64| {
            let next = if self.first <= self.last {
                number.checked_add(self.step)
            } else {
                number.checked_sub(self.step)
            };
            next.filter(|number| self.contains(*number))
        };
        std::iter::successors(Some(self.first), next)
    }

    #[inline]
    pub(super) fn contains(self, number: u64) -> bool {
        let least = self.first.min(self.last);
        let greatest = self.first.max(self.last);
        // `step` is at least 1; were it 0, nothing would be contained.
        let on_step = || number.abs_diff(self.first).checked_rem(self.step) == Some(0);
        (least..=greatest).contains(&number) && (self.step == 1 || on_step())
    }
}

/// Digits as a number. Zeros in front do not count.
pub(super) fn number(digits: &str, at: usize) -> Result<u64, PatternError> {
    digits.parse().map_err(|_| PatternError::NumberTooLarge { at, number: cut(digits), limit: u64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(content: &str) -> Vec<u64> {
        match Bracket::parse(content, 1).unwrap() {
            Bracket::Numbers(ranges) => {
                (0..40).filter(|number| ranges.iter().any(|range| range.contains(*number))).collect()
            }
            Bracket::Letters(letters) => panic!("{letters:?}"),
        }
    }

    #[test]
    fn numbers_ranges_steps_and_lists() {
        for (content, expected) in [
            ("123", &[][..]),
            ("12", &[12]),
            ("2-7", &[2, 3, 4, 5, 6, 7]),
            ("7-2", &[2, 3, 4, 5, 6, 7]),
            ("2-8:2", &[2, 4, 6, 8]),
            ("2-9:3", &[2, 5, 8]),
            ("9-2:3", &[3, 6, 9]),
            ("2-4:0", &[2, 3, 4]),
            ("2-4:999", &[2]),
            ("2,5,13", &[2, 5, 13]),
            ("2-3,5,13", &[2, 3, 5, 13]),
            ("1,3,0-10:2", &[0, 1, 2, 3, 4, 6, 8, 10]),
            ("01-003", &[1, 2, 3]),
        ] {
            assert_eq!(numbers(content), expected, "[{content}]");
            let Bracket::Numbers(ranges) = Bracket::parse(content, 1).unwrap() else { unreachable!() };
            for range in ranges {
                let made: Vec<u64> = range.numbers().collect();
                assert_eq!(made.len() as u64, range.count(), "[{content}]");
                assert!(made.iter().all(|number| range.contains(*number)), "[{content}]");
            }
        }
    }

    #[test]
    fn numbers_come_in_their_order() {
        let numbers = |content: &str| -> Vec<u64> {
            let Bracket::Numbers(ranges) = Bracket::parse(content, 1).unwrap() else { panic!("{content}") };
            ranges.iter().flat_map(|range| range.numbers()).collect()
        };
        assert_eq!(numbers("2-8:3,1,7-5,0-5:9"), [2, 5, 8, 1, 7, 6, 5, 0]);
        let most = u64::MAX;
        assert_eq!(numbers(&format!("{}-{most}:2", most - 3)), [most - 3, most - 1]);
        assert_eq!(numbers("3-0:2"), [3, 1]);
    }

    #[test]
    fn anything_else_is_a_set_of_characters() {
        for content in
            ["", "xyz", "a-g", "-3", "3-", "1--2", "5:2", "0-15:2:5", "*:3", "1,", ",1", "1.5", "٣", "1, 2"]
        {
            let letters = Bracket::Letters(content.into());
            assert_eq!(Bracket::parse(content, 1), Ok(letters), "[{content}]");
        }
    }

    #[test]
    fn the_greatest_number_fits_and_the_next_is_refused() {
        let most = u64::MAX;
        let Ok(Bracket::Numbers(ranges)) = Bracket::parse(&format!("0-{most}"), 1) else { panic!() };
        assert!(ranges[0].contains(most));
        let error = Bracket::parse("1,18446744073709551616", 5).unwrap_err();
        assert_eq!(
            error.to_string(),
            "character 5: the number 18446744073709551616 in brackets is beyond the limit of 18446744073709551615: \
             give a smaller one"
        );
    }
}
