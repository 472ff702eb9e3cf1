//! `tdshm send`: a wave, a recording, what comes on standard input, or images, into a segment.

mod image;
mod lines;
mod readers;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use clap::error::ErrorKind as UsageKind;
use tdshm::{ChopSender, ErrorKind, TopSender};
use tdshm_io::file::sequence::holds_pictures;
use tdshm_io::{ReadOptions, Recording};

use crate::args::{self, SendArgs};
use crate::cmd::LOCK_LIMIT;
use crate::cmd::send::readers::Readers;
use crate::output::progress::Progress;
use crate::output::{shape, short};
use crate::pace::Pace;
use crate::source::{Play, Playback, Source, Tick, WaveSource};
use crate::stop::Stop;
use crate::{Exit, bundled, say};

/// The rate of a wave, in Hz, and of lines that do not say, unless another one is asked for.
const DEFAULT_RATE: f32 = 60.0;
/// How long the last frame stays, so that receivers get it: they look once a frame of theirs.
const LAST_FRAME_STAYS: Duration = Duration::from_millis(100);

/// Sends until there is nothing left, enough has been sent, or somebody asks to stop.
pub(crate) fn run(args: &SendArgs, stop: &Stop) -> anyhow::Result<Exit> {
    if args.stdin {
        return lines::run(args, stop);
    }
    if args.until_stdin_closes {
        stop.when_stdin_closes();
    }
    if args.image.is_some() || args.test_pattern.is_some() {
        return image::run(args, args.image.as_deref(), stop);
    }
    if let Some(path) = args.file.as_deref().filter(|path| path.is_dir() || holds_pictures(path)) {
        check_pictures(args, path)?;
        return image::run(args, Some(path), stop);
    }
    let mut source = source(args)?;
    let mut out = create(args, &source)?;
    let result = stream(args, &mut source, &mut out, stop);
    out.leave(result)?;
    Ok(stop.requested().unwrap_or(Exit::Done))
}

/// Of pictures there is nothing that the flags of channels would do.
fn check_pictures(args: &SendArgs, path: &Path) -> anyhow::Result<()> {
    let given = [
        (args.start > 0.0, "--start"),
        (args.speed != 1.0, "--speed"),
        (args.rate.is_some(), "--rate"),
        (args.no_names, "--no-names"),
    ];
    match given.into_iter().find(|(given, _)| *given) {
        None => Ok(()),
        Some((_, flag)) => {
            let what = format!("{flag} is for channels, and {} holds pictures: leave it out", path.display());
            Err(args::wrong("send", UsageKind::ArgumentConflict, what))
        }
    }
}

fn source(args: &SendArgs) -> anyhow::Result<Source> {
    if args.bundled_recording {
        let play = Play { looped: true, start: 0.0, speed: 1.0, fps: args.fps };
        let playback = Playback::new(bundled::recording()?, play);
        return playback.map(Source::Recording).ok_or_else(|| anyhow!("the bundled recording is empty"));
    }
    let Some(path) = &args.file else {
        let count = if args.channels.is_empty() { args.count } else { args.channels.len() };
        let rate = args.rate.unwrap_or(DEFAULT_RATE);
        return Ok(Source::Wave(WaveSource::new(args.wave, count, args.length, rate)));
    };
    let mut options = ReadOptions::new();
    if let Some(rate) = args.rate {
        options = options.table_rate(rate);
    }
    let recording = Recording::open(path, &options)?;
    for lost in recording.layout().lost() {
        say::line(lost);
    }
    let (path, rate) = (path.display(), recording.sample_rate());
    if let Some(asked) = args.rate
        && asked != rate
    {
        let what = format!(
            "--rate {asked} cannot be used with {path}, which brings its own rate of {rate} Hz: leave --rate out"
        );
        return Err(args::wrong("send", UsageKind::ArgumentConflict, what));
    }
    let lasts = recording.len_samples() as f64 / f64::from(rate);
    let play = Play { looped: args.looped, start: args.start, speed: args.speed, fps: args.fps };
    let playback = Playback::new(recording, play).ok_or_else(|| {
        let (start, speed, lasts) = (short(args.start), short(args.speed), short(lasts));
        if args.start > 0.0 {
            anyhow!("--start {start} lies behind the end of {path}, which lasts {lasts} s: begin earlier")
        } else {
            anyhow!("{path} runs at {rate} Hz, and --speed {speed} would make that no rate: give another one")
        }
    })?;
    Ok(Source::Recording(playback))
}

fn create(args: &SendArgs, source: &Source) -> Result<Out, tdshm::Error> {
    match source {
        Source::Wave(wave) => {
            let names = args.channels.as_slice();
            Out::create(args, names, wave.num_channels, wave.sample_rate, source.longest_frame())
        }
        Source::Recording(playback) => {
            let recording = playback.recording();
            let (names, count) = (recording.names(), recording.num_channels());
            Out::create(args, names, count, playback.sample_rate(), source.longest_frame())
        }
    }
}

/// Says what is sent and how to receive it.
fn announce(args: &SendArgs, source: &Source) {
    let what = match source {
        Source::Wave(wave) => shape(wave.num_channels, wave.len_samples, wave.sample_rate),
        Source::Recording(playback) => {
            let channels = playback.recording().num_channels();
            let what = shape(channels, playback.len_samples(), playback.sample_rate());
            if args.looped { format!("{what}, over and over") } else { what }
        }
    };
    say_sending(&format!("{what}, {} frames a second", short(args.fps)), args.name.as_str(), "CHOP");
}

/// What is sent, and how to receive it: with an operator of that family.
fn say_sending(what: &str, name: &str, family: &str) {
    say::line(format_args!(
        "sending {what}, as {name:?}: receive with `tdshm watch {}`, or a Shared Mem In {family}",
        say::quoted(name)
    ));
}

fn stream(args: &SendArgs, source: &mut Source, out: &mut Out, stop: &Stop) -> Result<(), tdshm::Error> {
    let begin = Instant::now();
    let mut pace = Pace::new(args.fps);
    let mut buffer = Vec::new();
    let mut readers = Readers::new(args.name.as_str());
    let mut progress = None;
    let mut announced = false;
    let mut image = match &args.bundled_image {
        Some(name) => Some((TopSender::create(name.as_str())?, bundled::image())),
        None => None,
    };
    while args.frames.is_none_or(|frames| out.frames() < frames) {
        if !stop.wait_until(begin, pace.due()) {
            return Ok(());
        }
        readers.look();
        match source.tick(begin.elapsed(), &mut buffer) {
            Tick::Frame { len_samples } => {
                out.send(&buffer, len_samples)?;
                if let Some((sender, pattern)) = &mut image {
                    pattern.send(sender.frames().saturating_add(1), sender)?;
                }
            }
            Tick::Nothing => {}
            Tick::End => break,
        }
        // Not before: the first frame may be one that no block can hold.
        if !announced {
            announced = true;
            announce(args, source);
            progress = begin_progress(args, source);
        }
        if let (Some(progress), Source::Recording(playback)) = (&mut progress, &source) {
            let (seconds, round) = playback.position();
            progress.at(seconds, round);
        }
        pace.advance(begin.elapsed());
    }
    out.let_the_last_be_seen(stop);
    Ok(())
}

/// A bar for a file, where somebody looks.
fn begin_progress(args: &SendArgs, source: &Source) -> Option<Progress> {
    let (Some(path), Source::Recording(playback)) = (&args.file, source) else { return None };
    if say::is_quiet() {
        return None;
    }
    let title = path.file_name().unwrap_or_default().to_string_lossy();
    let recording = playback.recording();
    Progress::start(&title, recording.len_samples() as f64 / f64::from(recording.sample_rate()))
}

/// The sender, and what has been said about it.
#[derive(Debug)]
struct Out {
    sender: ChopSender,
    last_sent: Option<Instant>,
    /// Frames are being lost, and that has been said.
    lost: bool,
}

impl Out {
    fn create(
        args: &SendArgs,
        names: &[String],
        num_channels: usize,
        sample_rate: f32,
        longest_frame: usize,
    ) -> Result<Self, tdshm::Error> {
        // Names longer than usual need more room than `room_for` leaves for them.
        let longest = names.iter().map(String::len).max().unwrap_or(0);
        let samples_for_names = longest.div_ceil(size_of::<f32>());
        let sender = ChopSender::builder(args.name.as_str())
            .channels(names)
            .sample_rate(sample_rate)
            .names_sent(!args.no_names)
            .room_for(num_channels, longest_frame.saturating_add(samples_for_names))
            .take_over(args.take_over)
            .lock_limit(LOCK_LIMIT)
            .create()?;
        Ok(Self { sender, last_sent: None, lost: false })
    }

    fn frames(&self) -> u64 {
        self.sender.frames()
    }

    /// Sends a frame, or says that it is lost: while the lock is not free, the next one may arrive.
    fn send(&mut self, samples: &[f32], len_samples: usize) -> Result<(), tdshm::Error> {
        match self.sender.send_flat(samples, len_samples) {
            Ok(sent) => {
                self.last_sent = Some(Instant::now());
                self.lost = false;
                if sent.abandoned {
                    say::line(format_args!(
                        "a process that held the lock of {:?} died; frame {} is whole all the same",
                        self.sender.name().as_str(),
                        self.sender.frames()
                    ));
                }
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Retry => {
                if !self.lost {
                    say::error(format_args!("{error}; frames are lost until it is free"));
                }
                self.lost = true;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Gives receivers time to take the last frame.
    fn let_the_last_be_seen(&self, stop: &Stop) {
        if let Some(last_sent) = self.last_sent {
            stop.wait_until(last_sent, LAST_FRAME_STAYS);
        }
    }

    /// Leaves, however the sending ended.
    fn leave(self, result: Result<(), tdshm::Error>) -> Result<(), tdshm::Error> {
        let (name, frames) = (self.sender.name().clone(), self.sender.frames());
        let detached = self.sender.detach();
        say::line(format_args!("sent {} to {:?} and left", say::count(frames, "frame"), name.as_str()));
        result.and(detached)
    }
}
