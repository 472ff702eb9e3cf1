//! Shared Mem In TOP: images that another program writes (operators §1.4, §9.2, §9.3).

use std::sync::Arc;

use tdshm::{Attached, Texels, TopFrame, TopReceiver};

use crate::cook::Cook;
use crate::data::Data;
use crate::image::{INPUT_COLOR_SPACES, Image, ImageError, REFERENCE_WHITES};
use crate::op::{CookPolicy, Family, OpSpec, Operator};
use crate::ops::shared_mem::{self, Feed, FromGlobal, Kind, Looked, Side, Trouble};
use crate::par::ParSpec;

const PAGE: &str = "SharedMemIn";

pub(super) fn spec() -> OpSpec {
    let own = [
        shared_mem::name("TOPShm"),
        shared_mem::mem_type(),
        ParSpec::menu("inputcolorspace", "Input Color Space", INPUT_COLOR_SPACES).help(
            "What the colours in the block mean. Colours are not managed here: every entry is as passthrough, and nothing \
             is converted, whatever the block says of its colours.",
        ),
        ParSpec::menu("inputreferencewhite", "Input Reference White", REFERENCE_WHITES)
            .help("The white of the colours in the block. Kept, and without effect: colours are not managed here."),
    ];
    OpSpec::new(
        "sharedmeminTOP",
        Family::Top,
        "Shared Mem In",
        "Reads images that another program writes into shared memory, also those with the header from before 2022. It reads \
         whenever it cooks; the flags bypass and lock stop it. Until the first image it is black, 256 x 256. Its Common \
         page makes RGBA of 8 bits of whatever comes, unless Pixel Format says Use Input.",
        || Box::new(SharedMemIn::default()),
    )
    .policy(CookPolicy::WhenAsked)
    .pars(own.map(|par| par.page(PAGE)).into())
    .common_page()
    .with_default("outputaspect", "resolution")
}

#[derive(Default)]
struct SharedMemIn {
    feed: Feed<TopReceiver>,
    /// The last good image as it was in the block: what the Common page makes the output of.
    image: Option<Arc<Image>>,
    /// Goes to the receiver for the pixels of an image.
    spare: Vec<u8>,
}

impl Operator for SharedMemIn {
    fn cook(&mut self, cook: &mut Cook) {
        self.feed.follow(cook);
        if self.feed.name().is_empty() {
            cook.error(shared_mem::NAME_IS_EMPTY);
        } else if self.feed.is_global() {
            self.cook_global(cook);
        } else {
            self.cook_local(cook);
        }
        if let Some(image) = cook.filled_image() {
            self.image = Some(image);
        } else {
            cook.pass_data(Data::Top(Arc::clone(self.image.get_or_insert_default())));
        }
    }

    fn shm_info(&self, add: &mut dyn FnMut(&'static str, f64)) {
        self.feed.shm_info(add);
    }
}

impl SharedMemIn {
    fn cook_local(&mut self, cook: &mut Cook) {
        let Some(mut receiver) = self.feed.take_local(cook) else { return };
        let name = self.feed.name();
        let is_new = shared_mem::take_in(&mut *receiver, cook, &name, &mut self.feed.counts);
        if let Some(frame) = receiver.frame()
            && tell_unknown(cook, frame, receiver.attached())
        {
            // What came before it stays.
        } else if is_new {
            let spare = &mut self.spare;
            let taken = cook.fill_image(|image| take(&mut receiver, spare, image));
            tell_image(cook, taken);
        }
        self.feed.put_local(receiver);
    }

    fn cook_global(&mut self, cook: &mut Cook) {
        let name = self.feed.name();
        let from = self.feed.take_global();
        let looked = FromGlobal::look(from, cook, Kind::Image, &name, &mut self.feed.counts);
        let Some(Looked { mut copy, from, is_new, may_be_there }) = looked else { return };
        let attached = if from.is_attached { Attached::Yes } else { Attached::NotYet };
        match copy.receiver().image(&name) {
            Ok(Some(frame)) => {
                if is_new {
                    self.feed.counts.took(None);
                }
                if !tell_unknown(cook, frame, attached) && is_new {
                    let copied = cook.fill_image(|image| copy_frame(frame, image));
                    tell_image(cook, copied);
                }
            }
            Ok(None) if may_be_there => cook.warn(shared_mem::not_found(&name)),
            Ok(None) => {}
            Err(error) => Trouble::of(Side::In, Kind::Image, &name, &error.into()).tell(cook),
        }
        self.feed.put_global(from);
        cook.global(|global| global.give_back(copy));
    }
}

/// Makes `image` what the receiver has taken in, without a copy where it can do without those pixels.
fn take(receiver: &mut TopReceiver, spare: &mut Vec<u8>, image: &mut Image) -> Result<(), ImageError> {
    let Some(frame) = receiver.frame() else { return Ok(()) };
    let shape = frame.shape();
    if receiver.swap_pixels(spare) {
        image.exchange(shape.width, shape.height, shape.texels, spare)?;
        image.set_aspect(shape.aspect);
        return Ok(());
    }
    receiver.frame().map_or(Ok(()), |frame| copy_frame(frame, image))
}

fn copy_frame(frame: &TopFrame, image: &mut Image) -> Result<(), ImageError> {
    let shape = frame.shape();
    let to = image.shape(shape.width, shape.height, shape.texels)?;
    let pixels = frame.pixels();
    // They are as many: the block was checked.
    if pixels.len() == to.len() {
        to.copy_from_slice(pixels);
    }
    image.set_aspect(shape.aspect);
    Ok(())
}

/// Says that nobody knows what the pixels are, while they are all that lies there. `true`: nobody does.
fn tell_unknown(cook: &mut Cook, frame: &TopFrame, attached: Attached) -> bool {
    let texels = frame.shape().texels;
    let is_unknown = texels.bytes_per_pixel().is_none();
    if is_unknown && attached == Attached::Yes && cook.errors.is_empty() {
        let number = match texels {
            Texels::Format(format) => format.number().to_string(),
            Texels::Legacy(legacy) => legacy.to_string(),
            other => other.to_string(),
        };
        cook.error(format!("Pixel format {number} is not supported."));
    }
    is_unknown
}

fn tell_image(cook: &mut Cook, made: Result<(), ImageError>) {
    if let Err(error) = made {
        cook.keep();
        cook.error(format!("{error}."));
    }
}
