//! Extend CHOP: what channels are outside their interval (operators §3.2).

use super::generator::{EXTENDS, fill, sample};
use crate::clip::Extend;
use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;

pub(crate) fn spec() -> OpSpec {
    let menu = |name: &'static str, label: &'static str, help: &'static str| {
        let mut menu = vec![("asis", "No Change")];
        menu.extend_from_slice(EXTENDS);
        ParSpec::menu(name, label, &menu).page("Extend").help(help)
    };
    OpSpec::new(
        "extendCHOP",
        Family::Chop,
        "Extend",
        "Sets the extend conditions of channels. All channels of a clip have the same, so they change for all as soon as \
         one of them is in Scope, and not where none is (ours).",
        || Box::new(ExtendChop),
    )
    .inputs(1, 1)
    .pars(vec![
        menu("left", "Extend Left", "What is before the interval. No Change leaves what the input has."),
        menu("right", "Extend Right", "What is behind the interval. No Change leaves what the input has."),
        ParSpec::float("defval", "Default Value", 0.0)
            .page("Extend")
            .help("The value with the condition Default Value."),
    ])
    .common_page()
}

struct ExtendChop;

impl Operator for ExtendChop {
    fn cook(&mut self, cook: &mut Cook) {
        let Some(input) = cook.clip(0) else {
            cook.warn("Not enough inputs.");
            return cook.pass_nothing();
        };
        let (left, right) = (cook.par_text("left"), cook.par_text("right"));
        // `asis` is no condition.
        let condition = |name: &str| Extend::ALL.into_iter().find(|extend| extend.menu_name() == name);
        let (new_left, new_right) = (condition(&left), condition(&right));
        let is_in_scope = !cook.scope(input.names()).is_empty();
        if !is_in_scope || new_left.is_none() && new_right.is_none() {
            return cook.pass(0);
        }
        let default = sample(cook.par_f64("defval"));
        fill(cook, |clip| {
            clip.copy_from(&input)?;
            clip.set_extend(
                new_left.unwrap_or(input.extend_left()),
                new_right.unwrap_or(input.extend_right()),
            );
            clip.set_default_value(default);
            Ok(())
        });
    }
}
