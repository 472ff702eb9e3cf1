//! One stream, which a thread of its own makes a segment of this machine.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tdshm::ShortName;
use zenoh::qos::{CongestionControl, Priority};
use zenoh::sample::Locality;
use zenoh::{Session, Wait};

use crate::encoding::Report;
use crate::encoding::info::Info;
use crate::encoding::key::{self, Leaf};
use crate::mirror::ASKING;
use crate::mirror::budget::Budget;
use crate::mirror::clock::{Clock, Latency};
use crate::mirror::slot::Slot;
use crate::mirror::worker::Worker;
use crate::status::Counter;
use crate::thread::{self, Ends, Handle};
use crate::{now_ns, session};

/// How old an answer is when all that went out before it has come, or never will: more than any large frame waits for the line.
const SETTLED: Duration = Duration::from_millis(700);

/// What the thread of a stream, zenoh's callbacks and whoever tells of it see.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) session: Session,
    pub(super) host: String,
    pub(super) segment: String,
    pub(super) name: ShortName,
    pub(super) take_over: bool,
    /// How long it may answer nothing before it counts as gone, though it is still offered.
    pub(super) patience: Duration,
    /// Which listener this is.
    listener: u64,
    pub(super) slot: Arc<Slot>,
    pub(super) clock: Arc<Mutex<Clock>>,
    pub(super) info: Arc<Mutex<Option<(Info, Instant)>>>,
    pub(super) shown: Mutex<Shown>,
    pub(super) ending: AtomicBool,
    pub(super) frames: Counter,
    pub(super) bytes: Counter,
    pub(super) broken: Counter,
}

/// How it stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    pub(super) state: State,
    pub(super) kind: Kind,
    /// What went wrong since the last frame.
    pub(super) why: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// There is a stream; no frame has come.
    #[default]
    Waiting,
    /// Frames become frames here.
    Mirrored,
    /// Another program has the name here.
    Refused,
    /// There is no room for its frames here.
    Failed,
    /// The sender left.
    Left,
    /// The sender died.
    Died,
    /// The program that shares ended.
    Unshared,
    /// Nobody shares it any more, and nobody said why.
    Gone,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    #[default]
    Unknown,
    Channels,
    Image,
}

/// What is told of a stream.
#[derive(Debug, Serialize)]
pub(super) struct Account {
    pub(super) host: String,
    pub(super) segment: String,
    /// What it is called here.
    pub(super) name: String,
    state: State,
    kind: Kind,
    /// What went wrong since the last frame.
    why: Option<String>,
    /// Frames that became frames here.
    pub(super) frames: u64,
    pub(super) bytes: u64,
    /// Frames that went out there and never came.
    pub(super) lost: u64,
    /// Frames that came, and a newer one before they were looked at.
    pub(super) dropped: u64,
    /// Messages that are no frames, and frames that could not be sent here.
    pub(super) broken: u64,
    /// Frames that the program that shares did not see in time.
    missed_there: Option<u64>,
    pub(super) latency_ms: Option<Latency>,
    /// How far that machine's clock is ahead of this one's.
    clock_ahead_ms: Option<f64>,
}

impl Ends for Stream {
    fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
        self.slot.wake();
    }
}

impl Stream {
    pub(super) fn new(
        session: &Session,
        host: &str,
        segment: &str,
        name: ShortName,
        take_over: bool,
        patience: Duration,
        budget: &Arc<Budget>,
    ) -> Arc<Self> {
        Arc::new(Self {
            session: session.clone(),
            host: host.to_owned(),
            segment: segment.to_owned(),
            name,
            take_over,
            patience,
            listener: fastrand::u64(1..),
            slot: Arc::new(Slot::new(budget)),
            clock: Arc::default(),
            info: Arc::default(),
            shown: Mutex::default(),
            ending: AtomicBool::new(false),
            frames: Counter::default(),
            bytes: Counter::default(),
            broken: Counter::default(),
        })
    }

    /// Listens from now on.
    pub(super) fn start(self: Arc<Self>) -> anyhow::Result<Handle<Self>> {
        let worker = Arc::new(Mutex::new(Worker::new(Arc::clone(&self))));
        let (slot, at_once) = (Arc::clone(&self.slot), Arc::clone(&worker));
        let callback = move |sample| {
            slot.put(&sample, false);
            if !Worker::at_once(&at_once) {
                slot.notify();
            }
        };
        let subscriber = self
            .session
            .declare_subscriber(self.key(Leaf::Frame))
            .allowed_origin(Locality::Remote)
            .callback(callback)
            .wait()
            .map_err(|error| session::failed(&error))?;
        let thread = thread::start(&self.segment, move || {
            Worker::run(&worker);
            drop(subscriber);
        })?;
        Ok(Handle::new(self, thread))
    }

    pub(super) fn key(&self, leaf: Leaf) -> String {
        key::of(&self.host, &self.segment, leaf)
    }

    /// Where its news go.
    pub(super) fn slot(&self) -> Arc<Slot> {
        Arc::clone(&self.slot)
    }

    pub(super) fn show(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.shown.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn shown(&self) -> Shown {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How it stands.
    pub(super) fn account(&self) -> Account {
        let shown = self.shown();
        let losses = self.slot.losses();
        let (latency_ms, clock_ahead_ms) = {
            let clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
            (clock.latency(), clock.ahead())
        };
        let info = self.info.lock().unwrap_or_else(PoisonError::into_inner);
        Account {
            host: self.host.clone(),
            segment: self.segment.clone(),
            name: self.name.as_str().to_owned(),
            state: shown.state,
            kind: shown.kind,
            why: shown.why,
            frames: self.frames.get(),
            bytes: self.bytes.get(),
            lost: losses.lost,
            dropped: losses.dropped,
            broken: losses.broken.saturating_add(self.broken.get()),
            missed_there: info.as_ref().map(|(info, _)| info.missed),
            latency_ms,
            clock_ahead_ms,
        }
    }

    /// Asks for the last frame. The answer comes as if it had been published.
    pub(super) fn ask_for_frame(&self) {
        let slot = Arc::clone(&self.slot);
        let callback = move |reply: zenoh::query::Reply| {
            if let Ok(sample) = reply.result() {
                slot.put(sample, true);
                slot.notify();
            }
        };
        // Where nobody can be asked, nobody answers; the next pulse asks again.
        let _ = self.session.get(self.key(Leaf::Frame)).timeout(ASKING).callback(callback).wait();
    }

    /// What never came, of all that the last answer knew of. That is a second old.
    fn report(&self) -> Report {
        let mut report = Report { listener: self.listener, ..Report::default() };
        let info = self.info.lock().unwrap_or_else(PoisonError::into_inner);
        let told = info.as_ref().filter(|(_, at)| at.elapsed() >= SETTLED);
        if let Some((info, _)) = told
            && let Ok(stream) = u64::from_str_radix(&info.stream, 16)
        {
            report.stream = stream;
            report.lost = self.slot.settle(stream, info.number, info.now_ns);
        }
        report
    }

    /// Asks how it is, what the clock says, and says what never came.
    pub(super) fn ask_for_info(&self) {
        let (slot, clock, info) = (Arc::clone(&self.slot), Arc::clone(&self.clock), Arc::clone(&self.info));
        let asked = now_ns();
        let report = self.report();
        let callback = move |reply: zenoh::query::Reply| {
            let answered = now_ns();
            let Some(told) = reply.result().ok().and_then(|sample| Info::of(&sample.payload().to_bytes()))
            else {
                return;
            };
            if told.now_ns != 0 {
                clock.lock().unwrap_or_else(PoisonError::into_inner).answered(asked, answered, told.now_ns);
            }
            *info.lock().unwrap_or_else(PoisonError::into_inner) = Some((told, Instant::now()));
            slot.wake();
        };
        let _ = self
            .session
            .get(self.key(Leaf::Info))
            .attachment(report.to_bytes().as_slice())
            // Answers have what the question has. One that waited for a line that stands still would hold up those of others, and
            // after five seconds zenoh would close the line.
            .congestion_control(CongestionControl::Drop)
            .priority(Priority::InteractiveLow)
            .timeout(ASKING)
            .callback(callback)
            .wait();
    }
}
