//! Null: passes its input on, a place to wire from and to look at.

use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};

pub(crate) fn chop() -> OpSpec {
    OpSpec::new("nullCHOP", Family::Chop, "Null", SUMMARY, || Box::new(Null)).inputs(1, 1).common_page()
}

pub(crate) fn top() -> OpSpec {
    OpSpec::new("nullTOP", Family::Top, "Null", SUMMARY, || Box::new(Null))
        .inputs(1, 1)
        .common_page()
        .with_default("format", "useinput")
}

const SUMMARY: &str = "Passes its input on: a place to wire from, to export from and to look at. It works on nothing, so a \
                       CHOP's Scope changes nothing here.";

struct Null;

impl Operator for Null {
    fn cook(&mut self, cook: &mut Cook) {
        if !cook.is_wired(0) {
            cook.warn("Not enough inputs.");
        }
        cook.pass(0);
    }
}
