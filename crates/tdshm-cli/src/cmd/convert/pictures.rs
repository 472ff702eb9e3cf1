//! Pictures, one after the other.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{anyhow, bail};
use tdshm_io::file::sequence::Sequence;
use tdshm_io::{FileError, Loss, Picture, PictureError};

use crate::args::convert::ConvertArgs;
use crate::cmd::convert::existing;
use crate::output::short;
use crate::stop::Stop;
use crate::{Exit, say};

/// Pictures a second, where seconds are counted and nobody says.
const DEFAULT_RATE: f64 = 60.0;

/// Reads each and writes it again.
pub(super) fn run(args: &ConvertArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let (source, target) = (Sequence::at(&args.source), Sequence::at(&args.target));
    let files = part(args, source.files()?)?;
    let several = files.len() > 1 || !target.is_one();
    let path_of = |number: u64| if several { target.path_of(number) } else { target.path().to_owned() };
    check_target(args, &target, &files, several)?;
    if several && !target.folder().as_os_str().is_empty() {
        let folder = target.folder();
        fs::create_dir_all(folder).map_err(|source| FileError::Create { path: folder.to_owned(), source })?;
    }

    let loss = if args.lossy { Loss::Allow } else { Loss::Refuse };
    let mut written: Vec<PathBuf> = Vec::new();
    for (number, file) in (1_u64..).zip(&files) {
        if let Some(exit) = stop.requested() {
            say_written(&written);
            return Ok(exit);
        }
        let path = path_of(number);
        let saved = Picture::open(file).and_then(|picture| picture.save_over(&path, loss, existing(args)));
        if let Err(error) = saved {
            say_written(&written);
            return Err(advise(error, file));
        }
        written.push(path);
    }
    say_written(&written);
    let now: HashSet<&PathBuf> = written.iter().collect();
    let older = if several { target.in_the_way()? } else { Vec::new() };
    let older: Vec<&PathBuf> = older.iter().filter(|file| !now.contains(file)).collect();
    if let [first, ..] = older.as_slice() {
        say::line(format_args!(
            "{} of before lie between or behind them, {} the first: remove what you do not want",
            say::count_of(older.len(), "picture"),
            first.display()
        ));
    }
    Ok(Exit::Done)
}

/// The pictures that are wanted.
fn part(args: &ConvertArgs, files: Vec<PathBuf>) -> anyhow::Result<Vec<PathBuf>> {
    if args.from <= 0.0 && args.to.is_none() {
        return Ok(files);
    }
    let rate = args.rate.unwrap_or(DEFAULT_RATE);
    if args.rate.is_none() {
        say::line(format_args!(
            "pictures have no rate: {rate} a second are assumed, --rate says another one"
        ));
    }
    let at = |seconds: f64| (seconds * rate).round() as usize;
    let count = files.len();
    let first = at(args.from);
    let part: Vec<PathBuf> = files.into_iter().take(args.to.map_or(usize::MAX, at)).skip(first).collect();
    if part.is_empty() {
        let lasts = short(count as f64 / rate);
        let source = args.source.display();
        bail!(
            "there is no picture between --from and --to in {source}, which lasts {lasts} s: choose others"
        );
    }
    Ok(part)
}

/// Nothing that is there is mixed up with what is to come, or written over while it is read.
fn check_target(
    args: &ConvertArgs,
    target: &Sequence,
    files: &[PathBuf],
    several: bool,
) -> anyhow::Result<()> {
    let there = match several {
        true => target.in_the_way()?,
        false => target.files().unwrap_or_default(),
    };
    if let ([first, ..], false) = (there.as_slice(), args.force) {
        bail!(
            "{} there already, {} the first: choose another name, or replace with --force",
            if there.len() == 1 {
                "a picture is".to_owned()
            } else {
                format!("{} pictures are", there.len())
            },
            first.display()
        );
    }
    let read: HashSet<PathBuf> = files.iter().filter_map(|file| file.canonicalize().ok()).collect();
    let both = there.iter().find(|file| file.canonicalize().is_ok_and(|file| read.contains(&file)));
    match both {
        Some(both) => bail!("{} would be read and written: choose another place", both.display()),
        None => Ok(()),
    }
}

fn say_written(written: &[PathBuf]) {
    match written {
        [] => {}
        [one] => say::line(format_args!("wrote {}", one.display())),
        [first, .., last] => say::line(format_args!(
            "wrote {}: {} to {}",
            say::count_of(written.len(), "picture"),
            first.display(),
            last.display()
        )),
    }
}

/// What to do about it with the flags of this command.
fn advise(error: FileError, source: &std::path::Path) -> anyhow::Error {
    match error {
        FileError::Picture { source: PictureError::DoesNotFit { .. }, .. } => {
            anyhow!("{error}, or allow the loss with --lossy (it was {})", source.display())
        }
        error => error.into(),
    }
}
