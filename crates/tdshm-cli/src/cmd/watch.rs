//! `tdshm watch`: what arrives.

mod feed;
mod scope;

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

use anyhow::bail;
use tdshm::{Attached, BlockKind, Error, ErrorKind};

use crate::args::WatchArgs;
use crate::cmd::watch::feed::{Channels, Feed, Images};
use crate::output::pipe;
use crate::output::short;
use crate::stop::{SLICE, Stop};
use crate::{Exit, say};

/// Different errors that are told before a sender that keeps making up new ones is believed to be hopeless.
const MOST_ERRORS: usize = 32;

/// Shows frames until there were enough, none came for too long, or somebody asks to stop.
pub(crate) fn run(args: &WatchArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let kind = tdshm::inspect(args.name.as_str()).map_or(BlockKind::Unknown, |report| report.kind);
    let mut watcher = Watcher {
        feed: feed(args, kind)?,
        count: 0,
        missed: Missed { latest: args.latest, ..Missed::default() },
        told: Told::default(),
    };
    args.scope.iter().flat_map(scope::warnings).for_each(say::line);
    let result = watcher.watch(args, stop);
    if let Err(error) = &result
        && error.downcast_ref().is_some_and(|error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe)
    {
        return result; // whoever read has gone, and misses nothing
    }
    let settled = watcher.settle().and_then(|()| watcher.tell_of_missed(true));
    let exit = result?;
    settled?;
    Ok(exit)
}

/// What receives and shows blocks of that kind: channels, as long as nobody has sent anything else.
fn feed(args: &WatchArgs, kind: BlockKind) -> Result<Box<dyn Feed>, Error> {
    Ok(match kind {
        BlockKind::Top => Box::new(Images::open(args)?),
        _ => Box::new(Channels::open(args)?),
    })
}

/// Who sends, or that nobody does.
pub(super) fn about_sender(name: &str, attached: Attached) -> String {
    match attached {
        Attached::Yes => format!("the sender of {name:?} is there"),
        Attached::Left => format!("the sender of {name:?} has left: waiting for another one"),
        Attached::Died => format!("the sender of {name:?} has died: waiting for another one"),
        _ if is_absent(name) => format!("waiting for {name:?}: no program sends it yet"),
        // What is there cannot be read, and that is told by itself.
        _ => format!("waiting for {name:?}"),
    }
}

struct Watcher {
    feed: Box<dyn Feed>,
    /// Frames that arrived.
    count: u64,
    missed: Missed,
    told: Told,
}

/// Frames that the sender sent and this watcher did not see.
#[derive(Default)]
struct Missed {
    /// They do not matter.
    latest: bool,
    since_told: u64,
    told: Option<Instant>,
}

/// How often missed frames are told of.
const MISSED_EVERY: Duration = Duration::from_secs(1);

/// What has been said already.
#[derive(Default)]
struct Told {
    /// That there is no sender, now.
    absent: bool,
    errors: HashSet<String>,
}

impl Watcher {
    fn watch(&mut self, args: &WatchArgs, stop: &Stop) -> anyhow::Result<Exit> {
        let timeout = args.timeout.map(|s| Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX));
        let mut last = Instant::now();
        while args.frames.is_none_or(|frames| self.count < frames) {
            if let Some(exit) = stop.requested() {
                return Ok(exit);
            }
            let left = timeout.map(|timeout| timeout.saturating_sub(last.elapsed()));
            if left.is_some_and(|left| left.is_zero()) {
                bail!(self.why_nothing_came(args));
            }
            if self.next(args, left.map_or(SLICE, |left| left.min(SLICE)), stop)? {
                last = Instant::now();
            }
        }
        Ok(Exit::Done)
    }

    /// Waits up to `limit` for a frame and shows it.
    fn next(&mut self, args: &WatchArgs, limit: Duration, stop: &Stop) -> anyhow::Result<bool> {
        let begin = Instant::now();
        let arrived = self.feed.next(limit);
        // Before anything is said: that may draw what is not drawn yet.
        let about_scope = self.feed.follow_names();
        self.tell_of_sender()?;
        match arrived {
            Ok(true) => {}
            Ok(false) => {
                self.feed.idle(self.count)?;
                if pipe::nobody_reads() {
                    return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
                }
                return Ok(false);
            }
            Err(error) => {
                if self.has_changed_kind(args, &error)? {
                    return Ok(false);
                }
                self.tell_of_error(error.to_string())?;
                stop.wait_until(begin, limit);
                return Ok(false);
            }
        }
        self.count = self.count.saturating_add(1);
        self.missed.since_told = self.missed.since_told.saturating_add(self.feed.missed().unwrap_or(0));
        self.feed.show(self.count)?;
        for sentence in about_scope {
            self.tell(&sentence)?;
        }
        self.tell_of_missed(false)?;
        if self.feed.is_abandoned() {
            let (name, count) = (self.feed.name(), self.count);
            self.tell(&format!("a process that held the lock of {name:?} died before frame {count}"))?;
        }
        Ok(true)
    }

    /// Whether a block cannot be read because it is of the other kind; then that is received from now on.
    fn has_changed_kind(&mut self, args: &WatchArgs, error: &Error) -> anyhow::Result<bool> {
        if !matches!(error, Error::Block(_)) {
            return Ok(false);
        }
        let kind = tdshm::inspect(args.name.as_str()).map_or(BlockKind::Unknown, |report| report.kind);
        if !matches!(kind, BlockKind::Chop | BlockKind::Top) || kind == self.feed.kind() {
            return Ok(false);
        }
        self.settle()?;
        self.feed = feed(args, kind)?;
        Ok(true)
    }

    /// Says how many frames were missed, once in a while, or `now`.
    fn tell_of_missed(&mut self, now: bool) -> io::Result<()> {
        let missed = self.missed.since_told;
        let soon = !now && self.missed.told.is_some_and(|told| told.elapsed() < MISSED_EVERY);
        if missed == 0 || self.missed.latest || soon {
            return Ok(());
        }
        self.missed.since_told = 0;
        self.missed.told = Some(Instant::now());
        self.tell_wrong(&format!("missed {} before frame {}", say::count(missed, "frame"), self.count))
    }

    /// Says when the sender is not there yet, leaves, or comes.
    fn tell_of_sender(&mut self) -> io::Result<()> {
        let attached = self.feed.attached();
        if (attached != Attached::Yes) == self.told.absent {
            return Ok(());
        }
        self.told.absent = !self.told.absent;
        let what = about_sender(self.feed.name(), attached);
        self.tell(&what)
    }

    /// Says each error once.
    fn tell_of_error(&mut self, error: String) -> io::Result<()> {
        if self.told.errors.len() >= MOST_ERRORS || self.told.errors.contains(&error) {
            return Ok(());
        }
        self.told.errors.insert(error.clone());
        self.tell_wrong(&format!("{error} (going on; said once)"))?;
        if self.told.errors.len() == MOST_ERRORS {
            self.tell_wrong("the sender keeps breaking rules: no more is said about it")?;
        }
        Ok(())
    }

    fn tell(&mut self, what: &str) -> io::Result<()> {
        self.settle()?;
        say::line(what);
        Ok(())
    }

    /// The same of what went wrong, which is said also where little is.
    fn tell_wrong(&mut self, what: &str) -> io::Result<()> {
        self.settle()?;
        say::error(what);
        Ok(())
    }

    fn settle(&mut self) -> io::Result<()> {
        self.feed.settle(self.count)
    }

    fn why_nothing_came(&self, args: &WatchArgs) -> String {
        let name = args.name.as_str();
        let seconds = short(args.timeout.unwrap_or_default());
        match self.feed.attached() {
            Attached::Yes if self.count > 0 => {
                format!(
                    "no new frame of {name:?} in {seconds} s: its sender is there, but sends nothing, or, if it is \
                     another program's, the same again and again"
                )
            }
            Attached::Yes => format!(
                "no frame of {name:?} in {seconds} s: its sender is there and has sent nothing that can be read; \
                 look at `tdshm info {}`",
                say::quoted(name)
            ),
            _ => format!(
                "no frame of {name:?} in {seconds} s: start its sender, for example `tdshm send {}`, or wait longer",
                say::quoted(name)
            ),
        }
    }
}

/// Whether there is nothing of that name, not even what cannot be read.
fn is_absent(name: &str) -> bool {
    tdshm::inspect(name).is_err_and(|error| error.kind() == ErrorKind::Absent)
}
