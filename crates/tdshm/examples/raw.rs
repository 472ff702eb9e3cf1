//! Bytes of your own instead of channels: `raw NAME TEXT` puts a text into a segment until you press Enter,
//! `raw NAME` prints it.
#![allow(clippy::print_stdout, reason = "it is what this example is for")]

use std::thread::sleep;
use std::time::Duration;

use tdshm::{SegmentReceiver, SegmentSender};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or("note".into());
    match args.next() {
        Some(text) => write(&name, &text),
        None => read(&name),
    }
}

fn write(name: &str, text: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut segment = SegmentSender::create(name, 4096)?;
    let copied = segment.lock()?.view().copy_from(text.as_bytes()); // unlocked again at the semicolon
    println!("{copied} bytes are there: press Enter to remove them");
    std::io::stdin().read_line(&mut String::new())?;
    Ok(segment.detach()?)
}

fn read(name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut segment = SegmentReceiver::open(name)?;
    loop {
        if let Some(held) = segment.lock()? {
            let mut bytes = vec![0; held.view().len()];
            held.view().copy_to(&mut bytes);
            drop(held); // before anything slow: everybody else waits
            let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
            println!("{}", String::from_utf8_lossy(text));
            return Ok(());
        }
        sleep(Duration::from_millis(10)); // nobody is there yet
    }
}
