//! Images: a picture, a folder of them, or the test pattern.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use clap::error::ErrorKind as UsageKind;
use tdshm::{ErrorKind, HeaderVersion, PixelFormat, Pixels, Sent, TopColour, TopSender};
use tdshm_io::file::sequence as pictures;
use tdshm_io::{FileError, Picture};

use crate::args::{self, SendArgs, SendFormat, Transfer};
use crate::cmd::LOCK_LIMIT;
use crate::cmd::send::readers::Readers;
use crate::cmd::send::{LAST_FRAME_STAYS, say_sending};
use crate::output::short;
use crate::pace::Pace;
use crate::pattern::TestPattern;
use crate::stop::{SLICE, Stop};
use crate::{Exit, say};

/// The format of a test pattern, unless another one is asked for.
const DEFAULT_FORMAT: PixelFormat = PixelFormat::R8G8B8A8_UNORM;
/// Pictures that are read ahead at most, so that reading and sending overlap.
const AHEAD: usize = 2;
/// A folder that is sent over and over is kept in memory where it has no more bytes than this.
const KEPT_BYTES: usize = 1 << 28;

/// How often it is looked whether a picture that stays is still there.
const KEPT_EVERY: Duration = Duration::from_millis(250);

/// What is sent.
enum Source {
    /// One picture, which stays.
    Still(Picture),
    Sequence(Sequence),
    Pattern(TestPattern),
}

/// A folder: the first of its pictures that could be read, and those behind it as they come.
struct Sequence {
    first: Option<Arc<Picture>>,
    come: Receiver<Come>,
}

enum Come {
    Picture(Arc<Picture>),
    /// One cannot be read, and is left out.
    Wrong(FileError),
}

/// Sends until there is nothing left, enough has been sent, or somebody asks to stop.
pub(super) fn run(args: &SendArgs, path: Option<&Path>, stop: &Stop) -> anyhow::Result<Exit> {
    let format = match args.format {
        None => None,
        Some(SendFormat::Pixels(format)) => Some(format),
        Some(SendFormat::Lines(_)) => {
            let what = "--format csv and json are for --stdin: name a pixel format, rgba8 for example";
            return Err(args::wrong("send", UsageKind::ArgumentConflict, what));
        }
    };
    let mut source = match (args.test_pattern, path) {
        (Some((width, height)), _) => {
            Source::Pattern(TestPattern::new(format.unwrap_or(DEFAULT_FORMAT), width, height))
        }
        (None, Some(path)) if !pictures::Sequence::at(path).is_one() => {
            Source::Sequence(Sequence::of(path, format, args.looped, stop)?)
        }
        (None, Some(path)) if args.looped => {
            let what =
                format!("--loop is for folders: {} is one picture, which stays by itself", path.display());
            return Err(args::wrong("send", UsageKind::ArgumentConflict, what));
        }
        (None, Some(path)) => Source::Still(open(path, format)?),
        (None, None) => bail!("there is no image to send"),
    };
    let mut out = Out::create(args, &source)?;
    announce(args, path, &source);
    let result = out.stream(args, &mut source, stop);
    out.leave(result)?;
    Ok(stop.requested().unwrap_or(Exit::Done))
}

/// Reads a picture, in the format that is asked for.
fn open(path: &Path, format: Option<PixelFormat>) -> Result<Picture, FileError> {
    let picture = Picture::open(path)?;
    match format.filter(|format| picture.texels().format() != Some(*format)) {
        None => Ok(picture),
        Some(format) => {
            picture.to_format(format).map_err(|source| FileError::Picture { path: path.to_owned(), source })
        }
    }
}

impl Sequence {
    /// Reads up to the first picture that can be.
    fn of(path: &Path, format: Option<PixelFormat>, looped: bool, stop: &Stop) -> anyhow::Result<Self> {
        let found = pictures::Sequence::at(path).numbered()?;
        if let Some(missing) = found.missing_words() {
            say::line(format_args!(
                "{} has no pictures {missing}: there is no pause for them",
                path.display()
            ));
        }
        let files: Vec<PathBuf> = found.files.into_iter().map(|(_, file)| file).collect();
        let count = files.len();
        let (send, come) = mpsc::sync_channel(AHEAD);
        thread::spawn(move || read(files, format, looped, &send));
        let mut sequence = Self { first: None, come };
        sequence.first = sequence.next(stop);
        if sequence.first.is_none() && stop.requested().is_none() {
            bail!("none of the {} in {} can be sent", say::count_of(count, "picture"), path.display());
        }
        Ok(sequence)
    }

    /// The next picture, when it has been read; `None` at the end, or when somebody asks to stop.
    fn next(&mut self, stop: &Stop) -> Option<Arc<Picture>> {
        loop {
            if stop.requested().is_some() {
                return None;
            }
            match self.come.recv_timeout(SLICE) {
                Ok(Come::Picture(picture)) => return Some(picture),
                Ok(Come::Wrong(error)) => say::error(format_args!("{error} (left out)")),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }
}

/// Reads the files, over and over where that is wanted, until nobody takes them any more. Wrong ones are told once.
fn read(files: Vec<PathBuf>, format: Option<PixelFormat>, looped: bool, to: &SyncSender<Come>) {
    let mut room = if looped { KEPT_BYTES } else { 0 };
    let mut files: Vec<(PathBuf, Option<Arc<Picture>>)> =
        files.into_iter().map(|file| (file, None)).collect();
    loop {
        let mut left = Vec::with_capacity(files.len());
        for (file, kept) in files {
            let come = match &kept {
                Some(picture) => Ok(Arc::clone(picture)),
                None => open(&file, format).map(Arc::new),
            };
            let come = match come {
                Ok(picture) => {
                    let bytes = picture.pixels().len();
                    let fits = kept.is_none() && bytes <= room;
                    room = if fits { room.saturating_sub(bytes) } else { room };
                    left.push((file, if fits { Some(Arc::clone(&picture)) } else { kept }));
                    Come::Picture(picture)
                }
                Err(error) => Come::Wrong(error),
            };
            if to.send(come).is_err() {
                return;
            }
        }
        if !looped || left.is_empty() {
            return;
        }
        files = left;
    }
}

/// Says what is sent and how to receive it.
fn announce(args: &SendArgs, path: Option<&Path>, source: &Source) {
    let name = |texels: tdshm::Texels| crate::output::format_name(texels);
    let from = path.map(Path::display);
    let from = from.map(|path| format!(" of {path}")).unwrap_or_default();
    let shape =
        |picture: &Picture| format!("{} × {} {}", picture.width(), picture.height(), name(picture.texels()));
    let rate = format!("{} frames a second", short(args.fps));
    let what = match source {
        Source::Still(picture) => format!("the picture{from}, {}, which stays", shape(picture)),
        Source::Sequence(Sequence { first, .. }) => {
            let shape = first.as_deref().map(shape).unwrap_or_default();
            let again = if args.looped { ", over and over" } else { "" };
            format!("the pictures{from}, {shape}, {rate}{again}")
        }
        Source::Pattern(pattern) => {
            let format = name(pattern.format().into());
            format!("a test pattern, {} × {} {format}, {rate}", pattern.width(), pattern.height())
        }
    };
    say_sending(&what, args.name.as_str(), "TOP");
}

/// The sender, and what has been said about it.
struct Out {
    sender: TopSender,
    last_sent: Option<Instant>,
    /// When it was last looked whether a picture that stays is there.
    last_kept: Option<Instant>,
    /// Images are being lost, and that has been said.
    lost: bool,
}

impl Out {
    fn create(args: &SendArgs, source: &Source) -> anyhow::Result<Self> {
        let builder = TopSender::builder(args.name.as_str()).take_over(args.take_over).lock_limit(LOCK_LIMIT);
        let builder = match (args.header, args.transfer) {
            (None | Some(HeaderVersion::V2), Some(transfer)) => builder.colour(TopColour {
                primaries: args.primaries,
                transfer: match transfer {
                    Transfer::Linear => TopColour::LINEAR.transfer,
                    Transfer::Srgb => TopColour::SRGB.transfer,
                },
            }),
            (Some(version), None) => builder.header(version),
            (None, None) => builder,
            (Some(_), Some(_)) => {
                let what = "--transfer is said in a header of version 2: leave --header out, or give 2";
                return Err(args::wrong("send", UsageKind::ArgumentConflict, what));
            }
        };
        let room = |picture: &Picture| Some((picture.texels().format()?, picture.width(), picture.height()));
        let room = match source {
            Source::Still(picture) => room(picture),
            Source::Sequence(Sequence { first, .. }) => first.as_deref().and_then(room),
            Source::Pattern(pattern) => Some((pattern.format(), pattern.width(), pattern.height())),
        };
        let builder = match room {
            Some((format, width, height)) => builder.room_for(format, width, height),
            None => builder,
        };
        Ok(Self { sender: builder.create()?, last_sent: None, last_kept: None, lost: false })
    }

    fn stream(&mut self, args: &SendArgs, source: &mut Source, stop: &Stop) -> anyhow::Result<()> {
        let begin = Instant::now();
        let mut pace = Pace::new(args.fps);
        let mut readers = Readers::new(args.name.as_str());
        while args.frames.is_none_or(|frames| self.sender.frames() < frames) {
            if !stop.wait_until(begin, pace.due()) {
                return Ok(());
            }
            readers.look();
            match source {
                Source::Still(picture) if args.frames.is_some() => self.send(picture)?,
                // Whoever comes later finds it where it lies, whatever happens to it.
                Source::Still(picture) => {
                    if self.last_kept.is_none_or(|last| last.elapsed() >= KEPT_EVERY) {
                        self.last_kept = Some(Instant::now());
                        self.keep(picture)?;
                    }
                }
                Source::Sequence(sequence) => {
                    let Some(picture) = sequence.first.take().or_else(|| sequence.next(stop)) else { break };
                    self.send(&picture)?;
                }
                Source::Pattern(pattern) => self.draw(pattern)?,
            }
            pace.advance(begin.elapsed());
        }
        // Time for receivers to take the last one.
        if let Some(last_sent) = self.last_sent {
            stop.wait_until(last_sent, LAST_FRAME_STAYS);
        }
        Ok(())
    }

    fn send(&mut self, picture: &Picture) -> anyhow::Result<()> {
        let sent = self.sender.send(&pixels(picture)?);
        self.note(sent)
    }

    /// Sends it, unless it lies there.
    fn keep(&mut self, picture: &Picture) -> anyhow::Result<()> {
        match self.sender.keep(&pixels(picture)?).transpose() {
            Some(sent) => self.note(sent),
            None => Ok(()),
        }
    }

    fn draw(&mut self, pattern: &mut TestPattern) -> anyhow::Result<()> {
        let sent = pattern.send(self.sender.frames().saturating_add(1), &mut self.sender);
        self.note(sent)
    }

    /// Says that an image is lost: while the lock is not free, the next one may arrive.
    fn note(&mut self, sent: Result<Sent, tdshm::Error>) -> anyhow::Result<()> {
        match sent {
            Ok(sent) => {
                self.last_sent = Some(Instant::now());
                self.lost = false;
                if sent.abandoned {
                    let (name, frames) = (self.sender.name().as_str(), self.sender.frames());
                    let died = format_args!(
                        "a process that held the lock of {name:?} died; frame {frames} is whole"
                    );
                    say::line(died);
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
            Err(error) => Err(error.into()),
        }
    }

    /// Leaves, however the sending ended.
    fn leave(self, result: anyhow::Result<()>) -> anyhow::Result<()> {
        let (name, frames) = (self.sender.name().clone(), self.sender.frames());
        let detached = self.sender.detach();
        say::line(format_args!("sent {} to {:?} and left", say::count(frames, "frame"), name.as_str()));
        result.and(detached.map_err(Into::into))
    }
}

/// The picture as a sender takes it.
fn pixels(picture: &Picture) -> anyhow::Result<Pixels<'_>> {
    let unknown = || anyhow!("{} cannot be sent: convert it with --format", picture.texels());
    picture.as_pixels().ok_or_else(unknown)
}
