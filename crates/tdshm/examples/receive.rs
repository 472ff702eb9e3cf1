//! Receives channels and prints the last sample of each: from `cargo run --example send`, from `tdshm send
//! circle`, or from a Shared Mem Out CHOP whose Shared Mem Name is `circle`.
#![allow(clippy::print_stdout, reason = "it is what this example is for")]

// snippet:begin
use std::time::Duration;
use tdshm::ChopReceiver;

fn main() -> Result<(), tdshm::Error> {
    let name = std::env::args().nth(1).unwrap_or("circle".into());
    let mut input = ChopReceiver::open(&name)?; // its sender may come later
    while let Some(frame) = input.next_timeout(Duration::from_secs(5))? {
        for (name, samples) in frame.channels() {
            println!("{name}: {:?}", samples.last());
        }
    }
    Ok(())
}
// snippet:end
