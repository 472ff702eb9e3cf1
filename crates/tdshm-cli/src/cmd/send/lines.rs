//! What comes on standard input, each frame at once.

use std::io::{self, BufReader, IsTerminal};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::error::ErrorKind as UsageKind;
use tdshm_io::LineError;
use tdshm_io::lines::{FrameLines, LineFormat, LineFrame};

use crate::args::{self, LinesFormat, SendArgs, SendFormat};
use crate::cmd::send::readers::Readers;
use crate::cmd::send::{DEFAULT_RATE, Out, say_sending};
use crate::output::shape;
use crate::stop::{SLICE, Stop};
use crate::{Exit, say};

/// Frames that are read ahead at most, so that reading and sending overlap.
const AHEAD: usize = 2;
/// How often lines that are wrong are told of.
const WRONG_EVERY: Duration = Duration::from_secs(1);

/// What was read.
enum Come {
    Frame(LineFrame, Option<LineFormat>),
    /// A line is wrong, and left out.
    Wrong(LineError),
    /// Nothing can be read any more.
    Broken(LineError),
}

/// Sends until standard input ends, enough has been sent, or somebody asks to stop.
pub(super) fn run(args: &SendArgs, stop: &Stop) -> anyhow::Result<Exit> {
    if args.format == Some(SendFormat::Lines(LinesFormat::Json)) {
        check_length(args)?;
    }
    if let Some(SendFormat::Pixels(format)) = args.format {
        let what = format!("--format {format} is for images: standard input holds csv or json");
        return Err(args::wrong("send", UsageKind::ArgumentConflict, what));
    }
    if io::stdin().is_terminal() {
        say::line(
            "type channel names with commas between them, then a line of numbers for each frame; Ctrl-D ends (Ctrl-Z on Windows)",
        );
    }
    let come = read(args);
    let mut sending = Sending { args, out: None, names: Arc::default(), wrong: Wrong::default() };
    let result = sending.run(&come, stop);
    sending.wrong.sum_up();
    let frames = match sending.out.take() {
        Some(out) => {
            let frames = out.frames();
            out.leave(Ok(()))?;
            frames
        }
        None => 0,
    };
    result?;
    match stop.requested() {
        Some(exit) => Ok(exit),
        None if frames == 0 && args.frames != Some(0) => {
            bail!("standard input ended before a frame came: nothing was sent as {:?}", args.name.as_str())
        }
        None => Ok(Exit::Done),
    }
}

/// Refuses a length for JSON.
fn check_length(args: &SendArgs) -> anyhow::Result<()> {
    if args.length > 1 {
        let what = "--length is for CSV: each JSON line is a frame with a length of its own";
        return Err(args::wrong("send", UsageKind::ArgumentConflict, what));
    }
    Ok(())
}

/// Reads on a thread of its own, which waits for lines while this one looks whether to stop. It ends with standard
/// input, or with the process.
fn read(args: &SendArgs) -> Receiver<Come> {
    let (send, come) = mpsc::sync_channel(AHEAD);
    let mut lines = FrameLines::new(BufReader::new(io::stdin())).rows_per_frame(args.length);
    lines = match args.format {
        Some(SendFormat::Lines(LinesFormat::Csv)) => lines.format(LineFormat::Csv),
        Some(SendFormat::Lines(LinesFormat::Json)) => lines.format(LineFormat::Json),
        Some(SendFormat::Pixels(_)) | None => lines,
    };
    thread::spawn(move || {
        loop {
            let come = match lines.next_frame() {
                Ok(Some(frame)) => Come::Frame(frame, lines.known_format()),
                Ok(None) => return,
                Err(error) if lines.goes_on() => Come::Wrong(error),
                Err(error) => Come::Broken(error),
            };
            if send.send(come).is_err() {
                return;
            }
        }
    });
    come
}

struct Sending<'a> {
    args: &'a SendArgs,
    /// `None` before the first frame, which shows how much room is needed.
    out: Option<Out>,
    /// The names that the sender has.
    names: Arc<[String]>,
    wrong: Wrong,
}

impl Sending<'_> {
    fn run(&mut self, come: &Receiver<Come>, stop: &Stop) -> anyhow::Result<()> {
        let mut readers = Readers::new(self.args.name.as_str());
        let enough = |out: &Option<Out>| {
            let sent = out.as_ref().map_or(0, Out::frames);
            self.args.frames.is_some_and(|frames| sent >= frames)
        };
        while !enough(&self.out) {
            if stop.requested().is_some() {
                return Ok(());
            }
            match come.recv_timeout(SLICE) {
                Ok(Come::Frame(frame, format)) => self.frame(&frame, format)?,
                Ok(Come::Wrong(error)) => self.wrong.line(&error),
                Ok(Come::Broken(error)) => return Err(error.into()),
                Err(RecvTimeoutError::Timeout) => self.wrong.catch_up(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.out.is_some() {
                readers.look();
            }
        }
        if let Some(out) = &self.out {
            out.let_the_last_be_seen(stop);
        }
        Ok(())
    }

    fn frame(&mut self, frame: &LineFrame, format: Option<LineFormat>) -> anyhow::Result<()> {
        let LineFrame { names, len_samples, samples, .. } = frame;
        let rate = frame.sample_rate.or(self.args.rate).unwrap_or(DEFAULT_RATE);
        let out = match &mut self.out {
            Some(out) => {
                if !Arc::ptr_eq(names, &self.names) {
                    out.sender.set_channels(names.iter().map(String::as_str))?;
                }
                out.sender.set_sample_rate(rate)?;
                out
            }
            none => {
                if format == Some(LineFormat::Json) {
                    check_length(self.args)?;
                }
                let out = Out::create(self.args, names, names.len(), rate, *len_samples)?;
                let what = shape(names.len(), *len_samples, rate);
                say_sending(&format!("{what}, as they come"), self.args.name.as_str(), "CHOP");
                none.insert(out)
            }
        };
        self.names = Arc::clone(names);
        Ok(out.send(samples, *len_samples)?)
    }
}

/// Lines that were wrong.
#[derive(Default)]
struct Wrong {
    count: u64,
    since_told: u64,
    told: Option<Instant>,
}

impl Wrong {
    fn line(&mut self, error: &LineError) {
        self.count = self.count.saturating_add(1);
        if self.is_soon() {
            self.since_told = self.since_told.saturating_add(1);
            return;
        }
        self.catch_up();
        self.told = Some(Instant::now());
        say::error(format_args!("{error} (left out)"));
    }

    fn is_soon(&self) -> bool {
        self.told.is_some_and(|told| told.elapsed() < WRONG_EVERY)
    }

    /// Tells of those that were not told of, if the last time is long enough ago.
    fn catch_up(&mut self) {
        if self.since_told > 0 && !self.is_soon() {
            say::error(format_args!("{} more left out", say::count(self.since_told, "wrong line")));
            self.since_told = 0;
            self.told = Some(Instant::now());
        }
    }

    fn sum_up(&self) {
        if self.count > 1 {
            say::error(format_args!("{} were left out", say::count(self.count, "wrong line")));
        }
    }
}
