//! Sends longer and longer frames, then starts over: what does not fit moves to a larger segment, and receivers
//! follow without losing a frame. Watch it with `cargo run --example wait growing`.
#![allow(clippy::print_stdout, reason = "it is what this example is for")]

use std::thread::sleep;
use std::time::Duration;

use tdshm::ChopSender;

fn main() -> Result<(), tdshm::Error> {
    let name = std::env::args().nth(1).unwrap_or("growing".into());
    // `room_for` in the builder would reserve it all at once.
    let mut out = ChopSender::builder(&name).channels(["depth"]).create()?;
    loop {
        for step in 0..10 {
            let row = vec![0.5; 1000 << step];
            out.send(&[&row])?;
            println!("{} samples, room for {} bytes", row.len(), out.room_bytes());
            sleep(Duration::from_millis(100));
        }
    }
}
