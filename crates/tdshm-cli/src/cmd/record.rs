//! `tdshm record`: what comes through segments, into a file.
//!
//! A thread a segment receives, copies and puts each frame into a queue of bounded size; one writes. So neither a slow
//! disk nor another segment keeps a receiver from looking, and no sender waits for any of it. What does not fit the queue
//! is lost, counted and told.

mod capture;
mod queue;
mod report;
mod tally;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use tdshm::ShortName;
use tdshm_io::file::recording::{Kind, Lost, Stamp};

use crate::args::record::RecordArgs;
use crate::cmd::names::Wanted;
use crate::cmd::record::capture::Capture;
use crate::cmd::record::queue::{Clock, Queue};
use crate::cmd::record::report::{Account, Status};
use crate::cmd::record::tally::Tally;
use crate::cmd::record::write::Target;
use crate::stop::{SLICE, Stop};
use crate::{Exit, say};

/// How often it is looked whether segments have appeared.
const LOOK_EVERY: Duration = Duration::from_millis(40);
/// How often lost frames are told of.
const LOST_EVERY: Duration = Duration::from_secs(1);

/// A frame on its way to the file.
#[derive(Debug)]
struct Taken {
    segment: ShortName,
    kind: Kind,
    stamp: Stamp,
    block: Vec<u8>,
    /// Bytes that were set aside for it.
    bytes: usize,
    /// What was lost of its segment before it.
    lost: Lost,
}

/// What all threads see.
#[derive(Debug)]
struct Shared {
    queue: Queue,
    /// Frames that may still come.
    left: Option<AtomicU64>,
    /// When the first frame came.
    began: OnceLock<Instant>,
    ending: AtomicBool,
}

impl Shared {
    fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// Whether one more frame is asked for.
    fn admits(&self) -> bool {
        let admits = self.left.as_ref().is_none_or(|left| {
            let one_less =
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            if matches!(one_less, Ok(0 | 1) | Err(_)) {
                self.end();
            }
            one_less.is_ok()
        });
        if admits {
            self.began.get_or_init(Instant::now);
        }
        admits
    }
}

/// The segments that are followed, each by its thread.
type Followed = BTreeMap<ShortName, (Arc<Tally>, JoinHandle<()>)>;

/// Records until enough came, or somebody asks to stop.
pub(crate) fn run(args: &RecordArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let wanted = Wanted::read_all(&args.names)?;
    let target = Target::create(args)?;
    let clock = Clock::start();
    let shared = Arc::new(Shared {
        queue: Queue::new(clock, args.buffer.saturating_mul(1_000_000)),
        left: args.frames.map(|frames| AtomicU64::new(u64::try_from(frames).unwrap_or(u64::MAX))),
        began: OnceLock::new(),
        ending: AtomicBool::new(false),
    });
    let writing = target.start(&shared);
    let mut followed = Followed::new();
    let result = follow(args, &wanted, stop, &shared, &writing, &mut followed);
    shared.end();
    let mut tallies = BTreeMap::new();
    for (name, (tally, thread)) in followed {
        // A thread that panicked has said so.
        let _ = thread.join();
        tallies.insert(name, tally);
    }
    shared.queue.close();
    let written = writing.finish(&tallies, clock.now());
    let account = Account::of(args, &tallies, &written, shared.began.get().map(Instant::elapsed));
    account.say();
    if args.json {
        account.print()?;
    }
    written.result.map_err(|error| {
        let frames = say::count(written.frames, "frame");
        anyhow!("{}: {error}; the {frames} before that can be read", args.out.display())
    })?;
    result?;
    Ok(stop.requested().unwrap_or(Exit::Done))
}

/// Follows segments as they appear, and looks after everything.
fn follow(
    args: &RecordArgs,
    wanted: &[Wanted],
    stop: &Stop,
    shared: &Arc<Shared>,
    writing: &write::Writing,
    followed: &mut Followed,
) -> anyhow::Result<()> {
    let mut status = Status::start(args);
    let seconds = args.seconds.map(|s| Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX));
    for wanted in wanted {
        if let Wanted::Name(name) = wanted {
            begin(name, shared, followed, false)?;
        }
    }
    let patterns: Vec<&Wanted> = wanted.iter().filter(|w| matches!(w, Wanted::Pattern(_))).collect();
    let (mut looked, mut told, mut said_lost) = (None::<Instant>, None::<Instant>, Lost::default());
    while stop.requested().is_none() && !shared.is_ending() && !writing.has_failed() {
        if !patterns.is_empty() && looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY) {
            let is_first = looked.replace(Instant::now()).is_none();
            // A look that fails is made good by the next one.
            for report in tdshm::survey().map(|survey| survey.segments).unwrap_or_default() {
                if patterns.iter().any(|pattern| pattern.means(report.name.as_str())) {
                    begin(&report.name, shared, followed, !is_first)?;
                }
            }
            if is_first && followed.is_empty() {
                let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
                say::line(format_args!(
                    "waiting for {}: no program sends such names yet",
                    patterns.join(" or ")
                ));
            }
        }
        let elapsed = shared.began.get().map(Instant::elapsed).unwrap_or_default();
        if seconds.is_some_and(|seconds| elapsed >= seconds) {
            break;
        }
        let lost = followed.values().fold(Lost::default(), |all, (tally, _)| all.and(tally.all_lost()));
        if lost.dropped > said_lost.dropped && told.is_none_or(|told| told.elapsed() >= LOST_EVERY) {
            let frames = say::count(lost.dropped.saturating_sub(said_lost.dropped), "frame");
            say::error(format_args!(
                "lost {frames}: they come faster than {} can be written; --buffer sets more memory aside",
                args.out.display()
            ));
            (told, said_lost) = (Some(Instant::now()), lost);
        }
        if let Some(status) = &mut status {
            status.show(followed.len(), writing, elapsed, lost);
        }
        thread::sleep(SLICE);
    }
    Ok(())
}

/// Follows one more segment, unless it is followed. `late`: it was not there at first.
fn begin(name: &ShortName, shared: &Arc<Shared>, followed: &mut Followed, late: bool) -> anyhow::Result<()> {
    if followed.contains_key(name) {
        return Ok(());
    }
    let tally = Arc::new(Tally::default());
    let capture = Capture::open(name.clone(), Arc::clone(shared), Arc::clone(&tally), late)?;
    let thread = thread::Builder::new()
        .name(name.as_str().to_owned())
        .spawn(move || capture.run())
        .map_err(|error| anyhow!("cannot start a thread for {:?}: {error}", name.as_str()))?;
    followed.insert(name.clone(), (tally, thread));
    Ok(())
}
