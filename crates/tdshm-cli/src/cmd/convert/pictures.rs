//! Pictures, one after the other.

use std::collections::HashSet;
use std::fmt::Display;
use std::fs;
use std::path::PathBuf;

use anyhow::{anyhow, bail};
use tdshm_io::file::Existing;
use tdshm_io::file::sequence::Sequence;
use tdshm_io::{FileError, Loss, Picture, PictureError};

use crate::args::convert::ConvertArgs;
use crate::cmd::convert::{advise, existing};
use crate::output::short;
use crate::stop::Stop;
use crate::{Exit, say};

/// Pictures a second, where seconds are counted and nobody says.
const DEFAULT_RATE: f64 = 60.0;

/// Reads each and writes it again.
pub(super) fn run(args: &ConvertArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let mut pictures = Sequence::at(&args.source).numbered()?;
    if let Some(missing) = pictures.missing_words() {
        let becomes = match pictures.by_name {
            true => "nor do the new ones, which keep the numbers",
            false => "and the new ones are counted from 1, without a gap",
        };
        say::line(format_args!("{} has no pictures {missing}, {becomes}", args.source.display()));
    }
    if args.from > 0.0 || args.to.is_some() {
        pictures.files = wanted(args, pictures.files)?;
    }
    let files: Vec<PathBuf> = pictures.files.iter().map(|(_, file)| file.clone()).collect();
    let mut album = Album::begin(args, Sequence::at(&args.target), &files, files.len() > 1)?;
    for (number, file) in &pictures.files {
        album.next = if pictures.by_name { *number } else { album.next };
        if let Some(exit) = stop.requested() {
            album.say_written();
            return Ok(exit);
        }
        match Picture::open(file) {
            Ok(picture) => album.add(&picture, &file.display())?,
            Err(error) => {
                album.say_written();
                return Err(error.into());
            }
        }
    }
    album.end();
    Ok(Exit::Done)
}

/// Pictures a second.
pub(super) fn rate(args: &ConvertArgs) -> f64 {
    args.rate.unwrap_or(DEFAULT_RATE)
}

/// The pictures that are wanted, by their times: as many after the first one as their numbers say.
pub(super) fn wanted(args: &ConvertArgs, files: Vec<(u64, PathBuf)>) -> anyhow::Result<Vec<(u64, PathBuf)>> {
    let rate = rate(args);
    if args.rate.is_none() {
        say::line(format_args!(
            "pictures have no rate: {rate} a second are assumed, --rate says another one"
        ));
    }
    let at = |seconds: f64| (seconds * rate).round() as u64;
    let (from, to) = (at(args.from), args.to.map_or(u64::MAX, at));
    let first = files.first().map_or(0, |(number, _)| *number);
    let count = files.last().map_or(0, |(last, _)| last.saturating_sub(first).saturating_add(1));
    let mut part = files;
    part.retain(|(number, _)| (from..to).contains(&number.saturating_sub(first)));
    if part.is_empty() {
        let lasts = short(count as f64 / rate);
        let source = args.source.display();
        bail!(
            "there is no picture between --from and --to in {source}, which lasts {lasts} s: choose others"
        );
    }
    Ok(part)
}

/// Pictures that are written.
pub(super) struct Album {
    target: Sequence,
    several: bool,
    loss: Loss,
    existing: Existing,
    /// The number of the next one.
    pub(super) next: u64,
    written: u64,
    first: Option<PathBuf>,
    last: PathBuf,
    /// What was there before, and has not been replaced.
    older: Vec<PathBuf>,
}

impl Album {
    /// Looks whether they may be written there. `read`: the pictures that they are made of.
    pub(super) fn begin(
        args: &ConvertArgs,
        target: Sequence,
        read: &[PathBuf],
        several: bool,
    ) -> anyhow::Result<Self> {
        let several = several || !target.is_one();
        let older = match several {
            true => target.in_the_way()?,
            false => target.files().unwrap_or_default(),
        };
        if let ([first, ..], false) = (older.as_slice(), args.force) {
            bail!(
                "{} there already, {} the first: choose another name, or replace with --force",
                match older.len() {
                    1 => "a picture is".to_owned(),
                    several => format!("{several} pictures are"),
                },
                first.display()
            );
        }
        let read: HashSet<PathBuf> = read.iter().filter_map(|file| file.canonicalize().ok()).collect();
        let both = older.iter().find(|file| file.canonicalize().is_ok_and(|file| read.contains(&file)));
        if let Some(both) = both {
            bail!("{} would be read and written: choose another place", both.display());
        }
        let folder = target.folder();
        if several && !folder.as_os_str().is_empty() {
            let refused = |source| FileError::Create { path: folder.to_owned(), source };
            fs::create_dir_all(folder).map_err(refused)?;
        }
        let loss = if args.lossy { Loss::Allow } else { Loss::Refuse };
        let existing = existing(args);
        let (next, written, first, last) = (1, 0, None, PathBuf::new());
        Ok(Self { target, several, loss, existing, next, written, first, last, older })
    }

    /// Writes the next one, which is made of `what`. Where it cannot be, it is said how far one has come.
    pub(super) fn add(&mut self, picture: &Picture, what: &dyn Display) -> anyhow::Result<()> {
        let path = if self.several { self.target.path_of(self.next) } else { self.target.path().to_owned() };
        if let Err(error) = picture.save_over(&path, self.loss, self.existing) {
            self.say_written();
            return Err(match error {
                FileError::Picture { source: PictureError::DoesNotFit { .. }, .. } => {
                    anyhow!("{error}, or allow the loss with --lossy ({what})")
                }
                error => advise(error),
            });
        }
        self.older.retain(|older| *older != path);
        self.first.get_or_insert_with(|| path.clone());
        (self.written, self.last) = (self.written.saturating_add(1), path);
        self.next = self.next.saturating_add(1);
        Ok(())
    }

    /// Says which there are now, and which stay of before; gives how many were written.
    pub(super) fn end(self) -> u64 {
        self.say_written();
        if let (true, [first, ..]) = (self.several, self.older.as_slice()) {
            say::line(format_args!(
                "{} of before lie between or behind them, {} the first: remove what you do not want",
                say::count_of(self.older.len(), "picture"),
                first.display()
            ));
        }
        self.written
    }

    pub(super) fn say_written(&self) {
        match (&self.first, self.written) {
            (None, _) => {}
            (Some(one), 1) => say::line(format_args!("wrote {}", one.display())),
            (Some(first), written) => say::line(format_args!(
                "wrote {}: {} to {}",
                say::count(written, "picture"),
                first.display(),
                self.last.display()
            )),
        }
    }
}
