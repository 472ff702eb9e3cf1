//! `tdshm send`: a wave or a recording, into a segment.

mod readers;

use std::time::{Duration, Instant};

use clap::CommandFactory;
use clap::error::ErrorKind as UsageKind;
use tdshm::{ChopSender, ErrorKind};
use tdshm_io::{ReadOptions, Recording};

use crate::args::{Args, SendArgs};
use crate::cmd::LOCK_LIMIT;
use crate::cmd::send::readers::Readers;
use crate::output::{shape, short};
use crate::pace::Pace;
use crate::source::{Playback, Source, Tick, WaveSource};
use crate::stop::Stop;
use crate::{Exit, bundled, say};

/// The rate of a wave, in Hz, unless another one is asked for.
const WAVE_RATE: f32 = 60.0;
/// How long the last frame stays, so that receivers get it: they look once a frame of theirs.
const LAST_FRAME_STAYS: Duration = Duration::from_millis(100);

/// Sends until there is nothing left, enough has been sent, or somebody asks to stop.
pub(crate) fn run(args: &SendArgs, stop: &Stop) -> anyhow::Result<Exit> {
    if args.until_stdin_closes {
        stop.when_stdin_closes();
    }
    let mut source = source(args)?;
    let mut sender = create(args, &source)?;
    announce(args, &source);
    let result = stream(args, &mut source, &mut sender, stop);
    let frames = sender.frames();
    let detached = sender.detach();
    say::line(format_args!("sent {} to {:?} and left", say::count(frames, "frame"), args.name.as_str()));
    result?;
    detached?;
    Ok(stop.requested().unwrap_or(Exit::Done))
}

fn source(args: &SendArgs) -> anyhow::Result<Source> {
    if args.bundled_recording {
        return Ok(Source::Recording(Playback::new(bundled::recording()?, true, args.fps)));
    }
    let recording = if let Some(path) = &args.file {
        let mut options = ReadOptions::new();
        if let Some(rate) = args.rate {
            options = options.table_rate(rate);
        }
        let recording = Recording::open(path, &options)?;
        if let Some(rate) = args.rate
            && rate != recording.sample_rate()
        {
            let what = format!(
                "--rate {rate} cannot be used with {}, which brings its own rate of {} Hz: leave --rate out",
                path.display(),
                recording.sample_rate()
            );
            return Err(Args::command().error(UsageKind::ArgumentConflict, what).into());
        }
        recording
    } else {
        let count = if args.channels.is_empty() { args.count } else { args.channels.len() };
        let rate = args.rate.unwrap_or(WAVE_RATE);
        return Ok(Source::Wave(WaveSource::new(args.wave, count, args.length, rate)));
    };
    Ok(Source::Recording(Playback::new(recording, args.looped, args.fps)))
}

fn create(args: &SendArgs, source: &Source) -> Result<ChopSender, tdshm::Error> {
    let (names, count, rate) = match source {
        Source::Wave(wave) => (args.channels.as_slice(), wave.num_channels, wave.sample_rate),
        Source::Recording(playback) => {
            let recording = playback.recording();
            (recording.names(), recording.num_channels(), recording.sample_rate())
        }
    };
    // Names longer than usual need more room than `room_for` leaves for them.
    let longest = names.iter().map(String::len).max().unwrap_or(0);
    let samples_for_names = longest.div_ceil(size_of::<f32>());
    ChopSender::builder(args.name.as_str())
        .channels(names)
        .sample_rate(rate)
        .names_sent(!args.no_names)
        .room_for(count, source.longest_frame().saturating_add(samples_for_names))
        .take_over(args.take_over)
        .lock_limit(LOCK_LIMIT)
        .create()
}

/// Says what is sent and how to receive it.
fn announce(args: &SendArgs, source: &Source) {
    let what = match source {
        Source::Wave(wave) => shape(wave.num_channels, wave.len_samples, wave.sample_rate),
        Source::Recording(playback) => {
            let recording = playback.recording();
            let what = shape(recording.num_channels(), recording.len_samples(), recording.sample_rate());
            if args.looped { format!("{what}, over and over") } else { what }
        }
    };
    let (name, fps) = (args.name.as_str(), short(args.fps));
    say::line(format_args!(
        "sending {what}, {fps} frames a second, as {name:?}: receive with `tdshm watch {}`, or a Shared Mem In CHOP",
        say::quoted(name)
    ));
}

fn stream(
    args: &SendArgs,
    source: &mut Source,
    sender: &mut ChopSender,
    stop: &Stop,
) -> Result<(), tdshm::Error> {
    let begin = Instant::now();
    let mut pace = Pace::new(args.fps);
    let mut buffer = Vec::new();
    let mut last_sent = None;
    let mut lost = false;
    let mut readers = Readers::new(args.name.as_str());
    while args.frames.is_none_or(|frames| sender.frames() < frames) {
        if !stop.wait_until(begin, pace.due()) {
            return Ok(());
        }
        readers.look();
        match source.tick(begin.elapsed(), &mut buffer) {
            Tick::Frame { len_samples } => match sender.send_flat(&buffer, len_samples) {
                Ok(sent) => {
                    last_sent = Some(begin.elapsed());
                    lost = false;
                    if sent.abandoned {
                        say::line(format_args!(
                            "a process that held the lock of {:?} died; frame {} is whole all the same",
                            args.name.as_str(),
                            sender.frames()
                        ));
                    }
                }
                Err(error) if error.kind() == ErrorKind::Retry => {
                    if !lost {
                        say::line(format_args!("{error}; frames are lost until it is free"));
                    }
                    lost = true;
                }
                Err(error) => return Err(error),
            },
            Tick::Nothing => {}
            Tick::End => break,
        }
        pace.advance(begin.elapsed());
    }
    if let Some(last_sent) = last_sent {
        stop.wait_until(begin, last_sent.saturating_add(LAST_FRAME_STAYS));
    }
    Ok(())
}
