//! Images through a network of operators: out into shared memory and in again.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark that fails stops"
)]

use std::hint::black_box;
use std::sync::Arc;

use tdshm::PixelFormat;
use tdshm_bench::baseline::LockAndBuffer;
use tdshm_bench::{goal, pairs, row, tidy, unique};
use tdshm_ops::image::Image;
use tdshm_ops::{Cook, Data, Family, Flag, Network, OpSpec, Operator, Registry};

fn main() {
    images();
}

/// Another image in every frame, for nothing.
struct Turn(Vec<Arc<Image>>);

impl Operator for Turn {
    fn cook(&mut self, cook: &mut Cook) {
        cook.depend_on_time();
        self.0.rotate_left(1);
        cook.pass_data(Data::Top(Arc::clone(&self.0[0])));
    }
}

/// An image a frame out of a network and into it: what a frame costs, against the copy in and the copy out alone.
fn images() {
    const WIDTH: usize = 1920;
    const HEIGHT: usize = 1080;
    const RGBA8: PixelFormat = PixelFormat::R8G8B8A8_UNORM;
    let make = || {
        let image = |value| Arc::new(Image::constant(WIDTH, HEIGHT, RGBA8, [value; 4]).unwrap());
        let turn: Box<dyn Operator> = Box::new(Turn([0.0, 0.3, 0.6].map(image).into()));
        turn
    };
    let mut registry = Registry::standard();
    registry.add(OpSpec::new("turnTOP", Family::Top, "Turn", "Images in turn.", make));
    let net = Network::with_registry(registry);
    let name = unique("frame");
    let ops = ["turnTOP", "sharedmemoutTOP", "sharedmeminTOP", "nullTOP"]
        .map(|op_type| net.root().create(op_type, None).unwrap());
    let [turn, out, input, null] = &ops;
    for (from, to) in [(turn, out), (input, null)] {
        from.output_connector(0).unwrap().connect(to).unwrap();
    }
    for op in [out, input] {
        op.par("name").unwrap().set(name.as_str()).unwrap();
    }
    null.set_flag(Flag::Viewer, true).unwrap();

    let bytes = WIDTH * HEIGHT * 4;
    let places = [(); 3].map(|()| LockAndBuffer::new(bytes));
    let from = [1_u8, 2, 3].map(|value| vec![value; bytes]);
    let mut to = from.clone();
    let mut turns = 0_usize;
    row(
        "# 1920 x 1080 R8G8B8A8_UNORM through a network",
        "a frame of Out, In and Null; baseline: memcpy into as many places in turn, and out of the last",
    );
    for (title, page, most) in [
        ("Out -> In -> Null, immediate", "immediate", 1.15),
        ("Out -> In -> Null, next frame", "nextframe", 1.15),
    ] {
        out.par("downloadtype").unwrap().set(page).unwrap();
        for _ in 0..8 {
            net.step().unwrap();
        }
        let ratio = pairs(
            title,
            30,
            8,
            || {
                turns = (turns + 1) % 3;
                places[turns].copy_in(black_box(&from[turns]));
                places[turns].copy_out(black_box(&mut to[turns]));
            },
            || {
                net.step().unwrap();
                black_box(null.last_data().unwrap());
            },
        );
        goal(title, ratio <= most, &format!("{ratio:.2} of the time of the two copies, at most {most:.2}"));
    }
    // What comes is passed on as it is: the rest of the frame is what cooking costs.
    let one = null.image().unwrap().unwrap();
    assert!(Arc::ptr_eq(&one, &input.image().unwrap().unwrap()));
    drop(net);
    drop(ops);
    tidy(&name);
}
