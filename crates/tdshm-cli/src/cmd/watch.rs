//! `tdshm watch`: what arrives.

mod scope;

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

use anyhow::bail;
use tdshm::{Attached, ChopReceiver, SegmentReceiver};

use crate::args::{Format, WatchArgs};
use crate::cmd::LOCK_LIMIT;
use crate::cmd::watch::scope::Scope;
use crate::output::csv::CsvView;
use crate::output::json::JsonView;
use crate::output::pipe;
use crate::output::table::TableView;
use crate::output::{Arrival, View, short};
use crate::stop::{SLICE, Stop};
use crate::{Exit, say};

/// Different errors that are told before a sender that keeps making up new ones is believed to be hopeless.
const MOST_ERRORS: usize = 32;

/// Shows frames until there were enough, none came for too long, or somebody asks to stop.
pub(crate) fn run(args: &WatchArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let segment = SegmentReceiver::builder(args.name.as_str()).lock_limit(LOCK_LIMIT).open()?;
    let mut watcher = Watcher {
        receiver: ChopReceiver::over(segment),
        view: match args.format {
            Format::Table => Box::new(TableView::new(args.name.clone())),
            Format::Csv => Box::new(CsvView::default()),
            Format::Json => Box::new(JsonView::default()),
        },
        scope: args.scope.clone().map(Scope::new),
        count: 0,
        missed: Missed { latest: args.latest, ..Missed::default() },
        told: Told::default(),
    };
    watcher.scope.iter().flat_map(Scope::warnings).for_each(say::line);
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

struct Watcher {
    receiver: ChopReceiver,
    view: Box<dyn View>,
    scope: Option<Scope>,
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
            if self.next(left.map_or(SLICE, |left| left.min(SLICE)), stop)? {
                last = Instant::now();
            }
        }
        Ok(Exit::Done)
    }

    /// Waits up to `limit` for a frame and shows it.
    fn next(&mut self, limit: Duration, stop: &Stop) -> io::Result<bool> {
        let begin = Instant::now();
        let arrived = match self.receiver.next_timeout(limit) {
            Ok(frame) => Ok(frame.is_some()),
            Err(error) => Err(error.to_string()),
        };
        // Before anything is said: that may draw what is not drawn yet.
        let about_scope = self.follow_names();
        self.tell_of_sender()?;
        match arrived {
            Ok(true) => {}
            Ok(false) => {
                if let Some(last) = last(&self.receiver, self.scope.as_ref(), self.count) {
                    self.view.idle(last)?;
                }
                if pipe::nobody_reads() {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                return Ok(false);
            }
            Err(error) => {
                self.tell_of_error(error)?;
                stop.wait_until(begin, limit);
                return Ok(false);
            }
        }
        self.count = self.count.saturating_add(1);
        let Some(arrival) = last(&self.receiver, self.scope.as_ref(), self.count) else { return Ok(false) };
        self.missed.since_told = self.missed.since_told.saturating_add(arrival.frame.missed().unwrap_or(0));
        self.view.show(arrival)?;
        for sentence in about_scope {
            self.tell(&sentence)?;
        }
        self.tell_of_missed(false)?;
        let Some(frame) = self.receiver.frame() else { return Ok(true) };
        if frame.is_abandoned() {
            let (name, count) = (self.receiver.name().as_str(), self.count);
            self.tell(&format!("a process that held the lock of {name:?} died before frame {count}"))?;
        }
        Ok(true)
    }

    /// Applies the scope again where the names are other ones; what there is to say about that.
    fn follow_names(&mut self) -> Vec<String> {
        match (&mut self.scope, self.receiver.frame()) {
            (Some(scope), Some(frame)) => scope.follow(self.receiver.name().as_str(), frame.names()),
            _ => Vec::new(),
        }
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
        let attached = self.receiver.attached();
        if (attached != Attached::Yes) == self.told.absent {
            return Ok(());
        }
        self.told.absent = !self.told.absent;
        let name = self.receiver.name().as_str();
        let what = match attached {
            Attached::Yes => format!("the sender of {name:?} is there"),
            Attached::Left => format!("the sender of {name:?} has left: waiting for another one"),
            Attached::Died => format!("the sender of {name:?} has died: waiting for another one"),
            _ => format!("waiting for {name:?}: no program sends it yet"),
        };
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
        self.view.settle(last(&self.receiver, self.scope.as_ref(), self.count))
    }

    fn why_nothing_came(&self, args: &WatchArgs) -> String {
        let name = args.name.as_str();
        let seconds = short(args.timeout.unwrap_or_default());
        match self.receiver.attached() {
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

/// The last frame that arrived.
fn last<'f>(receiver: &'f ChopReceiver, scope: Option<&'f Scope>, count: u64) -> Option<Arrival<'f>> {
    receiver.frame().map(|frame| Arrival { count, frame, scope: scope.map(Scope::picked) })
}
