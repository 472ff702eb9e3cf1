//! Networks of operators for images that can be checked, for tests and for their peers.

use std::sync::Arc;

use tdshm::RowOrder;
use tdshm_ops::image::Image;
use tdshm_ops::{Cook, Family, Network, Op, OpSpec, Operator, ParSpec, Registry};

use crate::images;
use crate::nets::{self, network, set};

/// Adds the type `giveTOP`: an image that can be checked, with the number `seed` or, where that is 0, that of the network's
/// frame.
pub(crate) fn register(registry: &mut Registry) {
    let pars = vec![ParSpec::int("seed", "Seed", 0)];
    registry.add(OpSpec::new("giveTOP", Family::Top, "Give", "An image.", || Box::new(Give)).pars(pars));
}

struct Give;

impl Operator for Give {
    fn cook(&mut self, cook: &mut Cook) {
        cook.depend_on_time();
        let number = match cook.par_i64("seed") {
            0 => u32::try_from(cook.time().abs_frame).expect("few frames"),
            seed => u32::try_from(seed).expect("small"),
        };
        cook.fill_image(|image| put(image, images::Image::of(number)));
    }
}

/// Makes an image of the network of one that can be checked.
pub fn put(image: &mut Image, given: images::Image) {
    let to = image.shape(given.width, given.height, given.format).expect("there is memory");
    to.copy_from_slice(&given.bytes(RowOrder::BottomFirst));
    image.set_aspect((1.0, 1.0));
}

/// Takes and gives images as they come: *Use Input* in the Common page, and no delay.
pub fn as_it_comes(op: &Op) {
    set(op, "format", "useinput");
    if op.par("downloadtype").is_ok() {
        set(op, "downloadtype", "immediate");
    }
}

/// A Shared Mem In TOP of that name that changes nothing, which nobody asks.
#[must_use]
pub fn input(net: &Network, name: &str) -> Op {
    let input = net.root().create("sharedmeminTOP", None).expect("it can be made");
    set(&input, "name", name);
    as_it_comes(&input);
    input
}

/// A Shared Mem Out TOP of that name that changes nothing and does not delay, and what it writes.
#[must_use]
pub fn output(net: &Network, name: &str) -> (Op, Op) {
    let give = net.root().create("giveTOP", None).expect("it can be made");
    let output = sender(net, name);
    give.output_connector(0).and_then(|wire| wire.connect(&output)).expect("they can be wired");
    (give, output)
}

/// A Shared Mem Out TOP of that name that changes nothing and does not delay, without an input.
#[must_use]
pub fn sender(net: &Network, name: &str) -> Op {
    let output = net.root().create("sharedmemoutTOP", None).expect("it can be made");
    set(&output, "name", name);
    as_it_comes(&output);
    output
}

/// What it puts out, asked in this frame.
#[must_use]
pub fn image(op: &Op) -> Arc<Image> {
    op.image().expect("a TOP").expect("it has an image")
}

/// What it puts out in a new frame.
#[must_use]
pub fn next(op: &Op) -> Arc<Image> {
    op.network().step().expect("no frame is under way");
    image(op)
}

/// Which image it is. `None`: torn, or none of those that can be checked.
#[must_use]
pub fn seed(image: &Image) -> Option<u32> {
    let rows = || image.pixels().chunks(image.stride());
    let number = u32::from_le_bytes(*rows().next_back()?.first_chunk::<4>()?);
    let given = images::Image::of(number);
    let is = (image.width(), image.height(), image.format())
        == (given.width, given.height, Some(given.format))
        && given.is(rows().rev());
    is.then_some(number)
}

/// Lets a frame pass and says which image came out.
#[must_use]
pub fn next_seed(op: &Op) -> Option<u32> {
    seed(&next(op))
}

/// A network that hands on what it receives: from one name to another.
#[must_use]
pub fn echo(from: &str, to: &str) -> Network {
    let net = network(&format!("{from}global"));
    let (input, output) = (input(&net, from), sender(&net, to));
    input.output_connector(0).and_then(|wire| wire.connect(&output)).expect("they can be wired");
    for op in [input, output] {
        set(&op, "outputaspect", "useinput");
    }
    net
}

/// Sends channels, `NAMEa`, and images, `NAMEb`, both with the number of the network's frame, in Global memory, with pauses
/// at random.
pub fn send_mixed(name: &str, count: u32, seed: u64) {
    let net = network(name);
    let (give, channels) = nets::output(&net, &format!("{name}a"));
    set(&give, "len", 40);
    let (_, images) = output(&net, &format!("{name}b"));
    for op in [channels, images] {
        set(&op, "memtype", "global");
    }
    let mut dice = crate::acts::Dice::new(seed);
    for _ in 0..count {
        net.step().expect("no frame is under way");
        nets::pause(&mut dice);
    }
}
