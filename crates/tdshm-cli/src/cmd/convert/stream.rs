//! Standard input, as a file of text.

use std::io::{self, Read};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use anyhow::anyhow;
use tdshm_io::Recording;
use tdshm_io::file::{DEFAULT_RATE, Format, chan, clip, csv};

use crate::Exit;
use crate::stop::{SLICE, Stop};

/// Reads it to its end; `Err`: somebody asks to stop before that.
pub(super) fn read(
    format: Format,
    rate: Option<f64>,
    stop: &Stop,
) -> anyhow::Result<Result<Recording, Exit>> {
    let (send, come) = mpsc::channel();
    // It waits for whoever writes, and this one looks whether to stop meanwhile.
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes);
        let _ = send.send(read);
    });
    let bytes = loop {
        if let Some(exit) = stop.requested() {
            return Ok(Err(exit));
        }
        match come.recv_timeout(SLICE) {
            Ok(read) => break read.map_err(|error| anyhow!("reading standard input failed: {error}"))?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(anyhow!("standard input cannot be read")),
        }
    };
    let rate = rate.map_or(DEFAULT_RATE, |rate| rate as f32);
    let said = |error: &dyn std::error::Error| anyhow!("standard input: {error}");
    Ok(Ok(match format {
        Format::Chan => chan::read(&*bytes, rate).map_err(|error| said(&error))?,
        Format::Clip => clip::read(&*bytes).map_err(|error| said(&error))?,
        _ => csv::read(&*bytes, rate).map_err(|error| said(&error))?,
    }))
}
