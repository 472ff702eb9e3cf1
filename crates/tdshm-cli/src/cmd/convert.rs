//! `tdshm convert`: what one file holds, in another format.

mod channels;
mod frames;
mod pictures;
mod stream;

use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use clap::error::ErrorKind as UsageKind;
use tdshm_io::FileError;
use tdshm_io::file::segment::Part;
use tdshm_io::file::sequence::is_of_pictures;
use tdshm_io::file::{Existing, Format, Lost};

use crate::args;
use crate::args::convert::ConvertArgs;
use crate::stop::Stop;
use crate::{Exit, say};

/// What a path is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Channels,
    Pictures,
    /// Segments of either.
    Recording,
}

impl Kind {
    fn of(path: &Path) -> anyhow::Result<Self> {
        if is_of_pictures(path) {
            return Ok(Self::Pictures);
        }
        Ok(if Format::of(path)? == Format::Recording { Self::Recording } else { Self::Channels })
    }
}

/// Converts, and says what did not come along.
pub(crate) fn run(args: &ConvertArgs, stop: &Stop) -> anyhow::Result<Exit> {
    if args.to.is_some_and(|to| to <= args.from) {
        return Err(usage(
            "--to has to lie behind --from: both count from the beginning of the file".to_owned(),
        ));
    }
    let streams = [
        (args.is_from_stdin(), args.read_as.is_some(), "--read-as", "what standard input (-) holds"),
        (args.is_to_stdout(), args.write_as.is_some(), "--write-as", "what goes to standard output (-)"),
    ];
    for (is_stream, is_said, flag, what) in streams {
        match (is_stream, is_said) {
            (true, false) => return Err(usage(format!("{flag} has to say {what}: csv, chan or clip"))),
            (false, true) => {
                let files = "files say it by their extensions";
                return Err(usage(format!("{flag} says {what}, and {files}: leave it out")));
            }
            _ => {}
        }
    }
    let kind = |path: &Path, said: bool| if said { Ok(Kind::Channels) } else { Kind::of(path) };
    let source = kind(&args.source, args.is_from_stdin())?;
    let target = kind(&args.target, args.is_to_stdout())?;
    let is_of_channels = [source, target].contains(&Kind::Channels);
    let says = [
        (args.channels.is_some(), "--channels", is_of_channels, "channels"),
        (args.resample.is_some(), "--resample", is_of_channels, "channels"),
        (args.name.is_some(), "--name", source == Kind::Recording, "a recording (.mcap) to read"),
        (args.renamed.is_some(), "--as", target == Kind::Recording, "a recording (.mcap) to write"),
        (args.lossy, "--lossy", target == Kind::Pictures, "pictures to write"),
    ];
    if let Some((_, flag, _, what)) = says.into_iter().find(|(given, _, fits, _)| *given && !fits) {
        return Err(usage(format!("{flag} is for {what}: leave it out")));
    }
    match (source, target) {
        (Kind::Pictures, Kind::Pictures) => pictures::run(args, stop),
        (Kind::Pictures, Kind::Recording) => frames::from_pictures(args, stop),
        (Kind::Recording, Kind::Pictures) => frames::to_pictures(args, stop),
        (Kind::Recording, Kind::Recording) => frames::copy(args, stop),
        (Kind::Channels, Kind::Pictures) | (Kind::Pictures, Kind::Channels) => {
            let (is, wanted) = match source {
                Kind::Pictures => ("pictures", "channels"),
                _ => ("channels", "pictures"),
            };
            let (source, target) = (args.shown_source(), args.shown_target());
            Err(usage(format!("{source} holds {is}, and {target} would hold {wanted}: {is} stay {is}")))
        }
        _ => channels::run(args, stop),
    }
}

/// The part of a recording that is wanted.
fn part(args: &ConvertArgs) -> Part {
    let part = args.name.as_deref().map_or_else(Part::all, Part::of);
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    let part = part.from(seconds(args.from));
    args.to.map_or(part.clone(), |to| part.to(seconds(to)))
}

/// What to do about it with the flags of this command.
fn advise(error: FileError) -> anyhow::Error {
    match error {
        FileError::Exists { path } => {
            anyhow!("{} is there already: choose another name, or replace it with --force", path.display())
        }
        FileError::DoesNotFit { what: "the sample rate", .. } => {
            anyhow!("{error}; --resample does that here")
        }
        FileError::DoesNotFit { what: "the name of the segment", .. } => anyhow!("{error}, with --as"),
        FileError::SeveralSegments { .. } => anyhow!("{error}, with --name"),
        error => error.into(),
    }
}

fn usage(what: String) -> anyhow::Error {
    args::wrong("convert", UsageKind::ArgumentConflict, what)
}

/// What becomes of what is there.
fn existing(args: &ConvertArgs) -> Existing {
    if args.force { Existing::Replace } else { Existing::Refuse }
}

/// Says what did not come along, a sentence each.
fn say_lost(lost: &[Lost]) {
    for lost in lost {
        say::line(lost);
    }
}
