//! Time Slice CHOP: slices of any CHOP (operators §4.1).

use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;
use crate::slice::{Fill, Filler};

pub(crate) fn spec() -> OpSpec {
    OpSpec::new(
        "timesliceCHOP",
        Family::Chop,
        "Time Slice",
        "The samples since the last cooked frame, of any CHOP.",
        || Box::<TimeSlice>::default(),
    )
    .inputs(1, 1)
    .pars(vec![
        ParSpec::menu("method", "Method", &[("hold", "Hold"), ("linear", "Linear"), ("trim", "Trim")])
            .default_to("linear")
            .page("Time Slice")
            .help("The value now, repeated; from the value at the last cook to the value now; or the input, cut to the slice."),
    ])
    .common_page()
}

#[derive(Default)]
struct TimeSlice {
    filler: Filler,
}

impl Operator for TimeSlice {
    fn cook(&mut self, cook: &mut Cook) {
        let Some(input) = cook.clip(0) else {
            cook.warn("Not enough inputs.");
            return cook.pass_nothing();
        };
        if input.is_slice() {
            return cook.pass(0);
        }
        cook.depend_on_time();
        let how = match &*cook.par_text("method") {
            "hold" => Fill::Hold,
            "trim" => Fill::Trim,
            _ => Fill::Linear,
        };
        let (interval, slice) = (cook.slice_of(&input), cook.slice(input.rate()));
        let made = cook.fill_clip(|clip| {
            self.filler.cut(&input, interval, how, clip)?;
            // Cut on the timeline; all slices of one cook have the interval of the absolute clock.
            clip.set_start(slice.first);
            Ok::<_, crate::clip::ClipError>(())
        });
        if let Err(error) = made {
            cook.error(error.to_string());
            cook.pass(0);
        }
    }
}
