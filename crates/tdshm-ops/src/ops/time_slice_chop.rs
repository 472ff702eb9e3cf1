//! Time Slice CHOP: slices of any CHOP (operators §4.1).

use super::generator::{fill, room_for};
use crate::clip::Clip;
use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;
use crate::slice::{Fill, Filler, trim};

pub(crate) fn spec() -> OpSpec {
    OpSpec::new(
        "timesliceCHOP",
        Family::Chop,
        "Time Slice",
        "The samples since the last cooked frame, of any CHOP. A slice is passed on as it is. Its output is always a \
         slice, so the parameter Time Slice changes nothing.",
        || Box::<TimeSlice>::default(),
    )
    .inputs(1, 1)
    .pars(vec![
        ParSpec::menu("method", "Method", &[("hold", "Hold"), ("linear", "Linear"), ("trim", "Trim")])
            .default_to("linear")
            .page("Time Slice")
            .help("The value now, repeated; from the value at the last cook to the value now; or the input, cut to the slice. Channels outside Scope are cut, whatever the method (ours)."),
    ])
    .common_page()
    .slices_itself()
}

#[derive(Default)]
struct TimeSlice {
    filler: Filler,
    /// The input cut, for channels outside the scope.
    cut: Clip,
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
        let how: Fill = cook.par_text("method").parse().unwrap_or_default();
        let scope = cook.scope(input.names());
        // What is taken from the input stands on the timeline; the slice itself on the clock of all slices.
        let interval = cook.slice_of(&input);
        let first = cook.slice(input.rate()).first;
        let (filler, cut) = (&mut self.filler, &mut self.cut);
        fill(cook, |clip| {
            room_for(input.num_channels(), interval.len())?;
            filler.cut(&input, interval, how, clip)?;
            if scope.len() < input.num_channels() && how != Fill::Trim {
                trim(&input, interval, cut)?;
                let mut scope = scope.iter().peekable();
                for channel in 0..input.num_channels() {
                    if scope.next_if(|next| **next == channel).is_some() {
                        continue;
                    }
                    if let (Some(target), Some(source)) = (clip.channel_mut(channel), cut.channel(channel)) {
                        target.copy_from_slice(source);
                    }
                }
            }
            clip.set_start(first);
            Ok(())
        });
    }
}
