//! Looks on: prints the newest frame twice a second, and takes part in nothing. No lock is taken, nobody's room for
//! receivers is used up, and the sender cannot tell that somebody looks.
#![allow(clippy::print_stdout, reason = "it is what this example is for")]

use std::thread::sleep;
use std::time::Duration;

use tdshm::{ChopReceiver, SegmentReceiver};

fn main() -> Result<(), tdshm::Error> {
    let name = std::env::args().nth(1).unwrap_or("circle".into());
    let mut input = ChopReceiver::over(SegmentReceiver::builder(&name).observe(true).open()?);
    loop {
        match input.read() {
            Ok(Some(frame)) => println!("frame {}: {:?}", frame.number().unwrap_or(0), frame.samples()),
            Ok(None) => println!("nobody sends"),
            Err(error) => println!("{error}"),
        }
        sleep(Duration::from_millis(500));
    }
}
