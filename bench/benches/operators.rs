//! Operators: what a frame costs a network in which nobody has anything to do.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark that fails stops")]

use std::time::Instant;

use tdshm_bench::{goal, median, row, show, spread};
use tdshm_ops::{Flag, Network};

fn main() {
    idle();
}

/// 1000 operators in chains of ten, each of which somebody looks at: all are asked every frame, and none has a reason.
fn idle() {
    const FRAMES: u32 = 200;
    row(
        "# a network of 1000 idle operators",
        "a frame: median (least to greatest) of 31 repeats of 200 frames",
    );
    for (name, is_seen) in [("nobody looks", false), ("all are asked", true)] {
        let net = Network::new();
        for _ in 0..100 {
            let mut last = net.root().create("constantCHOP", None).unwrap();
            for _ in 0..9 {
                let next = net.root().create("nullCHOP", None).unwrap();
                next.input_connector(0).unwrap().connect(&last).unwrap();
                last = next;
            }
            last.cook(tdshm_ops::Force::Yes).unwrap();
            last.set_flag(Flag::Viewer, is_seen).unwrap();
        }
        net.step().unwrap();
        let times: Vec<f64> = (0..31)
            .map(|_| {
                let begin = Instant::now();
                for _ in 0..FRAMES {
                    net.step().unwrap();
                }
                begin.elapsed().as_secs_f64() / f64::from(FRAMES)
            })
            .collect();
        row(name, &spread(&times));
        let each = median(times);
        goal("1000 idle operators", each < 0.2e-3, &format!("{}, under 200 µs a frame", show(each)));
    }
}
