//! Base COMP: a component that holds operators and has custom parameters.

use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};

pub(crate) fn spec() -> OpSpec {
    OpSpec::new(
        "baseCOMP",
        Family::Comp,
        "Base",
        "A component without a panel or an object: it holds operators and custom parameters.",
        || Box::new(Base),
    )
}

struct Base;

impl Operator for Base {
    fn cook(&mut self, _cook: &mut Cook) {}
}
