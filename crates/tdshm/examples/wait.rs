//! Waits for frames, a second at a time, and says what it waits for where none comes. Start it, then start
//! `cargo run --example send`, and end that in whatever way you like.
#![allow(clippy::print_stdout, reason = "it is what this example is for")]

use std::time::Duration;

use tdshm::{Attached, ChopReceiver};

fn main() -> Result<(), tdshm::Error> {
    let name = std::env::args().nth(1).unwrap_or("circle".into());
    let mut input = ChopReceiver::open(&name)?;
    loop {
        match input.next_timeout(Duration::from_secs(1)) {
            Ok(Some(frame)) => {
                let missed = frame.missed().unwrap_or(0); // a foreign sender does not count
                println!("{} x {} samples, {missed} missed", frame.num_channels(), frame.len_samples());
            }
            Ok(None) => match input.attached() {
                Attached::NotYet => println!("nobody has sent yet"),
                Attached::Yes => println!("the sender is there, and sends nothing new"),
                Attached::Left => println!("the sender has left"),
                Attached::Died => println!("the sender has died"),
                _ => println!("no sender"),
            },
            // What somebody else wrote is wrong, or a lock was not free: the next frame may be right.
            Err(error) => println!("{error}"),
        }
    }
}
