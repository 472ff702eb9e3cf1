//! What a channel is outside its interval (operators §3.2).

use core::fmt;
use core::str::FromStr;

use super::{Clip, wide};

/// What a channel is before its first sample, or after its last.
///
/// The `asis` of the Extend CHOP's menus is no condition: it leaves the one that there was.
///
/// # Source
///
/// operators §3.2: the names and what they mean are documented, the formulas inferred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Extend {
    /// `hold`: the first, or the last, sample.
    #[default]
    Hold,
    /// `slope`: the straight line through the two samples at that end; one sample alone is held.
    Slope,
    /// `cycle`: the samples from the beginning, again and again.
    Cycle,
    /// `mirror`: the samples again and again, every other time backwards. The sample at the turn stands there twice.
    Mirror,
    /// `default`: one number, [`Clip::default_value`].
    Default,
}

impl Extend {
    /// Every condition, in the order of TouchDesigner's menu.
    pub const ALL: [Self; 5] = [Self::Hold, Self::Slope, Self::Cycle, Self::Mirror, Self::Default];

    /// The name in the menus `left` and `right` of the Extend CHOP.
    #[must_use]
    pub const fn menu_name(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Slope => "slope",
            Self::Cycle => "cycle",
            Self::Mirror => "mirror",
            Self::Default => "default",
        }
    }
}

impl fmt::Display for Extend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.menu_name())
    }
}

/// Reads the name in the menu, exactly.
impl FromStr for Extend {
    type Err = NotInMenu;

    fn from_str(name: &str) -> Result<Self, NotInMenu> {
        Self::ALL
            .into_iter()
            .find(|extend| extend.menu_name() == name)
            .ok_or_else(|| NotInMenu::new("extend condition", name, "hold, slope, cycle, mirror, default"))
    }
}

/// A text that is no entry of a menu.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no {menu}: use one of {entries}")]
#[non_exhaustive]
pub struct NotInMenu {
    /// What the menu chooses: `extend condition`, `interpolation` and so on.
    pub menu: &'static str,
    /// The text, cut after 64 characters.
    pub name: String,
    /// The entries that there are, with commas between them.
    pub entries: &'static str,
}

impl NotInMenu {
    pub(crate) fn new(menu: &'static str, name: &str, entries: &'static str) -> Self {
        Self { menu, name: name.chars().take(64).collect(), entries }
    }
}

impl Clip {
    /// The value at `offset` samples from the start, for the samples of one channel.
    pub(super) fn extended(&self, samples: &[f32], offset: i128) -> f64 {
        let (Some(first), Some(last)) = (samples.first().copied(), samples.last().copied()) else {
            return f64::from(self.default_value);
        };
        if let Some(sample) = usize::try_from(offset).ok().and_then(|offset| samples.get(offset)) {
            return f64::from(*sample);
        }
        let len = wide(samples.len());
        let left = offset < 0;
        match if left { self.left } else { self.right } {
            Extend::Hold => f64::from(if left { first } else { last }),
            Extend::Default => f64::from(self.default_value),
            Extend::Cycle => at(samples, offset.rem_euclid(len)),
            Extend::Mirror => {
                let place = offset.rem_euclid(len.saturating_mul(2));
                let back = len.saturating_mul(2).saturating_sub(1).saturating_sub(place);
                at(samples, place.min(back))
            }
            Extend::Slope => {
                let (end, beyond, inner) = if left {
                    (first, offset, samples.get(1).copied().unwrap_or(first))
                } else {
                    let before = samples.iter().rev().nth(1).copied().unwrap_or(last);
                    (last, offset.saturating_sub(len).saturating_add(1), before)
                };
                // To the left the inner sample is the later one.
                let step =
                    if left { f64::from(inner) - f64::from(end) } else { f64::from(end) - f64::from(inner) };
                #[expect(clippy::cast_precision_loss, reason = "so far outside nobody sees the last digit")]
                let beyond = beyond as f64;
                f64::from(end) + step * beyond
            }
        }
    }
}

/// The sample at a place that was brought into the range of the samples.
fn at(samples: &[f32], place: i128) -> f64 {
    usize::try_from(place).ok().and_then(|place| samples.get(place)).map_or(0.0, |sample| f64::from(*sample))
}
