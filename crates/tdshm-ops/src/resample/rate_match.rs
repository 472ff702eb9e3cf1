//! Which rate an operator with several inputs works at.

use core::fmt;
use core::str::FromStr;

use super::menu;
use crate::clip::NotInMenu;
use crate::expr::number::Shown;

/// Whose rate counts where inputs of different rates are combined: the Common page's Sample Rate Match.
///
/// # Source
///
/// operators §6: documented; the default is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[doc(alias = "srselect")]
#[non_exhaustive]
pub enum RateMatch {
    /// `first`: that of the first input.
    First,
    /// `max`: the highest.
    #[default]
    Max,
    /// `min`: the lowest.
    Min,
    /// `err`: they must all be the same.
    Err,
}

impl RateMatch {
    /// Every choice, in the order of TouchDesigner's menu.
    pub const ALL: [Self; 4] = [Self::First, Self::Max, Self::Min, Self::Err];

    /// The name in the menu `srselect`.
    #[must_use]
    pub const fn menu_name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Max => "max",
            Self::Min => "min",
            Self::Err => "err",
        }
    }

    /// The rate to work at, in Hz, for inputs with these rates in order; `None` if there are none.
    ///
    /// # Errors
    ///
    /// [`RatesDiffer`] with [`RateMatch::Err`] where they are not all equal.
    ///
    /// ```
    /// use tdshm_ops::resample::RateMatch;
    ///
    /// assert_eq!(RateMatch::Min.resolve(&[60.0, 44_100.0])?, Some(60.0));
    /// assert!(RateMatch::Err.resolve(&[60.0, 44_100.0]).is_err());
    /// # Ok::<(), tdshm_ops::resample::RatesDiffer>(())
    /// ```
    pub fn resolve(self, rates: &[f64]) -> Result<Option<f64>, RatesDiffer> {
        let Some((&first, others)) = rates.split_first() else { return Ok(None) };
        Ok(Some(match self {
            Self::First => first,
            Self::Max => others.iter().copied().fold(first, f64::max),
            Self::Min => others.iter().copied().fold(first, f64::min),
            Self::Err => match (1_usize..).zip(others).find(|(_, rate)| rate.to_bits() != first.to_bits()) {
                Some((input, &rate)) => return Err(RatesDiffer { first, input, rate }),
                None => first,
            },
        }))
    }
}

menu!(RateMatch, "sample rate match", "first, max, min, err");

/// Inputs whose rates should be the same, and are not.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "the sample rates of the inputs differ: input 0 has {} Hz and input {input} has {} Hz; set Sample Rate Match to \
     another choice, or resample one of them",
    Shown(*first),
    Shown(*rate)
)]
#[non_exhaustive]
pub struct RatesDiffer {
    /// The rate of the first input in Hz.
    pub first: f64,
    /// The first input that has another, counted from 0.
    pub input: usize,
    /// Its rate in Hz.
    pub rate: f64,
}
