//! The ratio of two rates as two whole numbers.
//!
//! Positions on a clock are floors of multiples of a ratio. In floating-point numbers they would be one too low where
//! the multiple should be a whole number and is not quite, and the clock would go in leaps once it has run for long.

/// A ratio above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ratio {
    pub(crate) numerator: u64,
    pub(crate) denominator: u64,
}

/// Twice the distance of neighbouring numbers: each rate may be off by half of it, and so may their quotient.
const TOLERANCE: f64 = 2.0 * f64::EPSILON;

/// Both numbers of a ratio stay below 2^62, so that two of them can be added, and multiplied by 64 bits.
const LIMIT: u64 = 1 << 62;
const LIMIT_F: f64 = 4_611_686_018_427_387_904.0;

impl Ratio {
    pub(crate) const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// More than any clip has samples.
    pub(crate) const HUGE: Self = Self { numerator: LIMIT, denominator: 1 };

    /// `count` to `to`; nothing counts as one.
    pub(crate) fn of_counts(count: usize, to: usize) -> Self {
        let number = |count: usize| u64::try_from(count).unwrap_or(LIMIT).clamp(1, LIMIT);
        Self { numerator: number(count), denominator: number(to) }
    }

    /// The other way round.
    pub(crate) fn inverse(self) -> Self {
        Self { numerator: self.denominator, denominator: self.numerator }
    }

    /// The simplest ratio that `rate / by` may mean, such as 999/1000 for 59.94/60. `None` unless both are finite and
    /// above 0, and their quotient is between 2^-62 and 2^62.
    pub(crate) fn of(rate: f64, by: f64) -> Option<Self> {
        let value = rate / by;
        if !(rate.is_finite() && by.is_finite() && by > 0.0 && value < LIMIT_F && value > 1.0 / LIMIT_F) {
            return None;
        }
        // Continued fractions: p/q are the best of all ratios with numbers as small as theirs.
        let (mut before, mut last) = ((0_u64, 1_u64), (1_u64, 0_u64));
        let mut rest = value;
        loop {
            let whole = rest.floor();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is 0 or more, and `as` saturates"
            )]
            let term = whole as u64;
            let (Some(p), Some(q)) = (next(term, last.0, before.0), next(term, last.1, before.1)) else {
                break;
            };
            (before, last) = (last, (p, q));
            #[expect(clippy::cast_precision_loss, reason = "they are as precise as the comparison")]
            let reached = p as f64 / q as f64;
            rest = 1.0 / (rest - whole);
            if (reached - value).abs() <= value * TOLERANCE || !rest.is_finite() {
                break;
            }
        }
        Some(Self { numerator: last.0.max(1), denominator: last.1.max(1) })
    }

    /// The floor of `count` times the ratio, within 64 bits.
    pub(crate) fn floor(self, count: i64) -> i64 {
        self.split(count).0
    }

    /// The floor of `count` times the ratio, within 64 bits, and what is left, in units of the denominator.
    pub(crate) fn split(self, count: i64) -> (i64, u64) {
        let product = i128::from(count).saturating_mul(i128::from(self.numerator));
        let denominator = i128::from(self.denominator);
        // The denominator is not 0, and division by a positive number cannot overflow.
        let floor = product.checked_div_euclid(denominator).unwrap_or(0);
        let rest = product.checked_rem_euclid(denominator).unwrap_or(0);
        (
            i64::try_from(floor).unwrap_or(if floor < 0 { i64::MIN } else { i64::MAX }),
            u64::try_from(rest).unwrap_or(0),
        )
    }
}

fn next(term: u64, last: u64, before: u64) -> Option<u64> {
    term.checked_mul(last)?.checked_add(before).filter(|sum| *sum < LIMIT)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that panics has failed")]
mod tests {
    use super::*;

    fn of(rate: f64, by: f64) -> (u64, u64) {
        let ratio = Ratio::of(rate, by).unwrap();
        (ratio.numerator, ratio.denominator)
    }

    #[test]
    fn the_ratio_is_the_simplest_that_is_meant() {
        assert_eq!(of(44_100.0, 60.0), (735, 1));
        assert_eq!(of(44_100.0, 48_000.0), (147, 160));
        assert_eq!(of(30.0, 60.0), (1, 2));
        assert_eq!(of(59.94, 60.0), (999, 1000));
        assert_eq!(of(60_000.0 / 1001.0, 60.0), (1000, 1001));
        assert_eq!(of(48_000.0 / 1.001, 60.0 / 1.001), (800, 1));
        assert_eq!(of(0.1, 0.3), (1, 3));
        assert_eq!(of(199_999.0, 199_998.0), (199_999, 199_998));
        assert_eq!(of(4e18, 1.0), (4_000_000_000_000_000_000, 1));
        assert_eq!(Ratio::of(5e18, 1.0), None);
        assert_eq!(Ratio::of(1.0, 5e18), None);
    }

    #[test]
    fn floors_are_exact_on_both_sides_of_zero() {
        let ratio = Ratio::of(100.0, 60.0).unwrap();
        assert_eq!([-2, -1, 0, 1, 2, 3].map(|count| ratio.floor(count)), [-4, -2, 0, 1, 3, 5]);
        assert_eq!(ratio.split(-1), (-2, 1));
        assert_eq!(Ratio::HUGE.floor(i64::MAX), i64::MAX);
        assert_eq!(Ratio::HUGE.floor(i64::MIN), i64::MIN);
        assert_eq!(Ratio::HUGE.inverse().floor(-1), -1);
    }
}
