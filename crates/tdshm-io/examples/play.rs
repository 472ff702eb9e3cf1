//! Plays a recording into shared memory, at its own speed: `play FILE NAME`, with a `.csv` or `.wav` file.

use std::thread::sleep;
use std::time::{Duration, Instant};

use tdshm::ChopSender;
use tdshm_io::{ReadOptions, Recording};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let file = args.next().ok_or("say which file to play")?;
    let name = args.next().unwrap_or("take1".into());

    let recording = Recording::open(&file, &ReadOptions::new().table_rate(120.0))?;
    let rate = recording.sample_rate();
    let mut out = ChopSender::builder(&name).channels(recording.names()).sample_rate(rate).create()?;
    let begin = Instant::now();
    let mut sent = 0;
    while sent < recording.len_samples() {
        sleep(Duration::from_millis(16));
        // As many samples as the time that has passed is worth.
        let due = (begin.elapsed().as_secs_f32() * rate) as usize;
        if due > sent {
            let rows: Vec<&[f32]> = recording.range(sent, due).collect();
            out.send(&rows)?;
            sent = due;
        }
    }
    sleep(Duration::from_millis(100)); // the last frame goes with its sender
    Ok(out.detach()?)
}
