//! Extend CHOP: what channels are outside their interval (operators §3.2).

use super::generator::EXTENDS;
use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;

pub(crate) fn spec() -> OpSpec {
    let menu = |name: &'static str, label: &'static str, help: &'static str| {
        let mut menu = vec![("asis", "No Change")];
        menu.extend_from_slice(EXTENDS);
        ParSpec::menu(name, label, &menu).page("Extend").help(help)
    };
    OpSpec::new("extendCHOP", Family::Chop, "Extend", "Sets the extend conditions of channels.", || {
        Box::new(ExtendChop)
    })
    .inputs(1, 1)
    .pars(vec![
        menu("left", "Extend Left", "What is before the interval."),
        menu("right", "Extend Right", "What is behind the interval."),
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
        let left = left.parse().unwrap_or(input.extend_left());
        let right = right.parse().unwrap_or(input.extend_right());
        #[expect(clippy::cast_possible_truncation, reason = "samples are 32-bit (operators §3.1)")]
        let default = cook.par_f64("defval") as f32;
        let made = cook.fill_clip(|clip| {
            clip.copy_from(&input)?;
            clip.set_extend(left, right);
            clip.set_default_value(default);
            Ok::<_, crate::clip::ClipError>(())
        });
        if let Err(error) = made {
            cook.error(error.to_string());
            cook.pass(0);
        }
    }
}
