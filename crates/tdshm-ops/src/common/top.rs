//! The TOP Common page: size, aspect and pixel format of the output (operators §1.6).

use crate::cook::Cook;
use crate::par::ParSpec;

/// What the common page's parameters are.
pub(crate) fn pars() -> Vec<ParSpec> {
    Vec::new()
}

/// What was worked out from the parameters of earlier cooks.
#[derive(Debug, Default)]
pub(crate) struct TopCommon {}

impl TopCommon {
    /// What comes behind the operator's own work.
    pub(crate) fn finish(&mut self, _cook: &mut Cook) {}
}
