//! One segment, followed by a thread of its own as long as somebody listens.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use tdshm::{Attached, BlockKind, Error, SegmentReport, ShortName};
use zenoh::liveliness::LivelinessToken;
use zenoh::query::{Query, Queryable};
use zenoh::{Session, Wait};

use crate::encoding::info::Info;
use crate::encoding::key::{self, Leaf};
use crate::encoding::{End, Form, Packing, Report, Stamp};
use crate::session;
use crate::share::answer::{Answering, Question};
use crate::share::feed::{Feed, Kept};
use crate::share::listeners::Listeners;
use crate::share::outlet::Outlet;
use crate::status::{Counter, Rate, tenths};
use crate::thread::{self, Ends, Handle};
use crate::{PROGRAM, now_ns, say};

/// How long a receiver waits before it looks whether anything else is to be done.
const WAIT: Duration = Duration::from_millis(100);
/// How often it is looked whether the sender is there, as long as nobody listens.
const IDLE: Duration = Duration::from_millis(500);
/// After how long a frame goes out whole, so that who missed one has the next ones soon.
const WHOLE_EVERY: Duration = Duration::from_secs(1);
/// How long packing an image may take before that is said.
const SLOW: Duration = Duration::from_millis(500);
/// Questions of one stream that wait for its thread.
const MOST_QUERIES: usize = 64;

/// A segment that is shared: what its thread, zenoh's callbacks and whoever tells of it see.
#[derive(Debug)]
pub(super) struct Stream {
    session: Session,
    host: String,
    name: ShortName,
    packing: Packing,
    /// A number for this run.
    stream: u64,
    state: Mutex<State>,
    changed: Condvar,
    /// The next frame has to be whole.
    whole: AtomicBool,
    ending: AtomicBool,
    last: Mutex<Option<Arc<Last>>>,
    rate: Mutex<Rate>,
    listeners: Mutex<Listeners>,
    /// How long packing the last image took, in microseconds.
    packing_micros: AtomicU64,
    numbers: Counter,
    bytes: Counter,
    missed: Counter,
    broken: Counter,
}

#[derive(Debug, Default)]
struct State {
    /// Somebody listens.
    matching: bool,
    /// The thread follows closely: the last frame is the segment's.
    following: bool,
    queries: Vec<Query>,
    sender: End,
    /// Since when there is no sender.
    away: Option<Instant>,
}

/// The last frame.
#[derive(Debug)]
struct Last {
    stamp: Stamp,
    kept: Kept,
}

impl Ends for Stream {
    fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }
}

impl Stream {
    pub(super) fn new(session: &Session, host: &str, name: &ShortName, packing: Packing) -> Arc<Self> {
        Arc::new(Self {
            session: session.clone(),
            host: host.to_owned(),
            name: name.clone(),
            packing,
            stream: fastrand::u64(1..),
            state: Mutex::default(),
            changed: Condvar::new(),
            whole: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            last: Mutex::default(),
            rate: Mutex::default(),
            listeners: Mutex::default(),
            packing_micros: AtomicU64::new(0),
            numbers: Counter::default(),
            bytes: Counter::default(),
            missed: Counter::default(),
            broken: Counter::default(),
        })
    }

    /// Answers questions from now on, and publishes what is listened to.
    pub(super) fn start(self: Arc<Self>, answering: &Answering) -> anyhow::Result<Handle<Self>> {
        type Ask = fn(Arc<Stream>, Query) -> Question;
        let mut queryables = Vec::new();
        for (leaf, ask) in [(Leaf::Frame, Question::Frame as Ask), (Leaf::Info, Question::Info)] {
            let (stream, asker) = (Arc::downgrade(&self), answering.asker());
            let callback = move |query: Query| {
                if let Some(stream) = stream.upgrade() {
                    let _ = asker.try_send(ask(stream, query));
                }
            };
            let queryable = self.session.declare_queryable(self.key(leaf)).complete(true).callback(callback);
            queryables.push(queryable.wait().map_err(|error| session::failed(&error))?);
        }
        let worker = Worker::new(Arc::clone(&self), queryables);
        let thread = thread::start(self.name.as_str(), move || worker.run())?;
        Ok(Handle::new(self, thread))
    }

    fn key(&self, leaf: Leaf) -> String {
        key::of(&self.host, self.name.as_str(), leaf)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anybody listens.
    pub(super) fn is_wanted(&self) -> bool {
        self.state().matching
    }

    /// How long there has been no sender; `None`: there is one.
    pub(super) fn away(&self) -> Option<Duration> {
        self.state().away.map(|since| since.elapsed())
    }

    /// How many listeners say what came to them, and what never came to the worst of them.
    pub(super) fn lost(&self) -> (usize, Option<u64>) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).lost(Instant::now())
    }

    /// How long packing the last image took, in milliseconds.
    pub(super) fn packing_ms(&self) -> Option<f64> {
        let micros = self.packing_micros.load(Ordering::Relaxed);
        (micros > 0).then(|| tenths(micros as f64 * 1e-3))
    }

    fn last(&self) -> Option<Arc<Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives the last frame, at once where the segment is followed in any case.
    pub(super) fn answer_frame(&self, query: Query) {
        self.whole.store(true, Ordering::Relaxed);
        let mut state = self.state();
        if !state.following {
            if state.queries.len() < MOST_QUERIES {
                state.queries.push(query);
            }
            drop(state);
            self.changed.notify_all();
            return;
        }
        drop(state);
        self.reply(&query);
    }

    fn reply(&self, query: &Query) {
        let Some(last) = self.last() else { return };
        let (form, payload) = match &last.kept {
            Kept::Image(form, payload) => (*form, payload.clone()),
            Kept::Channels(frame) => {
                let mut block = Vec::new();
                if frame.append_block(&mut block).is_err() {
                    return;
                }
                (Form::Channels, block.into())
            }
        };
        let stamp = Stamp { base: 0, ..last.stamp };
        let reply = query.reply(self.key(Leaf::Frame), payload).encoding(form.encoding());
        // Whoever asked has gone.
        let _ = reply.attachment(stamp.to_bytes().as_slice()).wait();
    }

    /// Says what is known of it.
    pub(super) fn answer_info(&self, query: &Query) {
        let report = query.attachment().and_then(|bytes| Report::of(&bytes.to_bytes()));
        if let Some(report) = report.filter(|report| report.stream == self.stream) {
            self.listeners.lock().unwrap_or_else(PoisonError::into_inner).note(report, Instant::now());
        }
        let (mut info, frames) = self.described();
        if let Some(frames) = frames {
            let mut rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
            info.rate = rate.note(Instant::now(), frames).map(tenths);
        }
        info.now_ns = now_ns();
        let Ok(json) = serde_json::to_vec(&info) else { return };
        let _ = query.reply(self.key(Leaf::Info), json).encoding("application/json").wait();
    }

    /// What was counted, what the segment holds, and how many frames its sender counts.
    pub(super) fn described(&self) -> (Info, Option<u64>) {
        let mut info = self.counted();
        let Ok(report) = tdshm::inspect(self.name.as_str()) else { return (info, None) };
        describe(&mut info, &report);
        (info, report.notices.as_ref().map(|notices| notices.frames))
    }

    /// What was counted.
    pub(super) fn counted(&self) -> Info {
        let sender = self.state().sender;
        Info {
            version: 1,
            host: self.host.clone(),
            segment: self.name.as_str().to_owned(),
            kind: "unknown".to_owned(),
            images: self.packing.word().to_owned(),
            sender: sender.word().to_owned(),
            stream: format!("{:016x}", self.stream),
            number: self.numbers.get(),
            bytes: self.bytes.get(),
            missed: self.missed.get(),
            broken: self.broken.get(),
            now_ns: now_ns(),
            ..Info::default()
        }
    }
}

fn describe(info: &mut Info, report: &SegmentReport) {
    let wide = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    if let Some(Ok(chop)) = report.chop.as_ref().map(|chop| &chop.layout) {
        info.kind = "channels".to_owned();
        (info.channels, info.samples) = (wide(chop.num_channels), wide(chop.len_samples));
        info.sample_rate = chop.sample_rate.into();
    }
    if let Some(Ok(top)) = report.top.as_ref().map(|top| &top.layout) {
        info.kind = "image".to_owned();
        (info.width, info.height) = (wide(top.shape.width), wide(top.shape.height));
        info.format = top.shape.texels.to_string();
    }
    if let Some(notices) = &report.notices {
        info.program.clone_from(&notices.program);
        info.pid = notices.owner_pid.unwrap_or(0);
    }
}

/// Whether there is a sender, as far as a look tells.
fn seen(name: &ShortName) -> (End, BlockKind, bool) {
    let Ok(report) = tdshm::inspect(name.as_str()) else { return (End::Left, BlockKind::Unknown, false) };
    let mirrored = report.notices.as_ref().is_some_and(|notices| notices.program.starts_with(PROGRAM));
    let end = match &report.notices {
        _ if report.detached == Some(true) => End::Left,
        Some(notices) if notices.owner_pid.is_none() => End::Left,
        Some(notices) if !notices.owner_alive => End::Died,
        _ => End::Goes,
    };
    (end, report.kind, mirrored)
}

/// What the thread has to itself.
struct Worker {
    stream: Arc<Stream>,
    feed: Option<Feed>,
    outlet: Option<Outlet>,
    token: Option<LivelinessToken>,
    /// Nobody has listened: what the segment did meanwhile is nobody's loss.
    resting: bool,
    whole_at: Option<Instant>,
    told: Option<String>,
    packing: PackingTold,
    /// Questions are answered as long as these are there.
    _queryables: Vec<Queryable<()>>,
}

impl Worker {
    fn new(stream: Arc<Stream>, queryables: Vec<Queryable<()>>) -> Self {
        Self {
            stream,
            feed: None,
            outlet: None,
            token: None,
            resting: true,
            whole_at: None,
            told: None,
            packing: PackingTold::default(),
            _queryables: queryables,
        }
    }

    fn run(mut self) {
        while !self.stream.ending.load(Ordering::Relaxed) {
            if let Err(error) = self.step() {
                let told = error.to_string();
                if self.told.as_ref() != Some(&told) {
                    say::error(format_args!("sharing {:?}: {told}", self.stream.name.as_str()));
                    self.told = Some(told);
                }
                let state = self.stream.state();
                // Nothing hurries after an error.
                let _ = self.stream.changed.wait_timeout(state, WAIT);
            }
        }
        if self.token.is_some() {
            self.part(End::Unshared);
        }
    }

    fn step(&mut self) -> anyhow::Result<()> {
        let stream = Arc::clone(&self.stream);
        let (end, kind, mirrored) = match &self.feed {
            Some(feed) if !self.resting => (end_of(feed.attached()), feed.kind(), false),
            _ => seen(&stream.name),
        };
        if mirrored {
            self.meet(End::Left, kind)?;
            self.rest();
            return Err(anyhow!(
                "it is a mirror of another machine's, made by {PROGRAM} here: share it there"
            ));
        }
        self.meet(end, kind)?;
        let state = stream.state();
        let asked = !state.queries.is_empty();
        if !state.matching && !asked {
            let ending = |state: &mut State| {
                !state.matching && state.queries.is_empty() && !stream.ending.load(Ordering::Relaxed)
            };
            drop(state);
            self.rest();
            let state = stream.state();
            let _ = stream
                .changed
                .wait_timeout_while(state, IDLE, ending)
                .unwrap_or_else(PoisonError::into_inner);
            return Ok(());
        }
        let (matching, following) = (state.matching, state.following);
        drop(state);
        self.follow(if asked || !following { Duration::ZERO } else { WAIT })?;
        let queries = {
            let mut state = stream.state();
            state.following = matching && state.matching;
            std::mem::take(&mut state.queries)
        };
        queries.iter().for_each(|query| stream.reply(query));
        Ok(())
    }

    fn rest(&mut self) {
        self.resting = true;
        self.stream.state().following = false;
    }

    /// Tells the others whether there is a sender.
    fn meet(&mut self, end: End, kind: BlockKind) -> anyhow::Result<()> {
        match end {
            End::Goes => self.stream.state().away = None,
            _ => drop(self.stream.state().away.get_or_insert_with(Instant::now)),
        }
        if end == End::Goes {
            self.declare(kind)?;
            if self.token.is_none() {
                let token =
                    self.stream.session.liveliness().declare_token(self.stream.key(Leaf::Alive)).wait();
                self.token = Some(token.map_err(|error| session::failed(&error))?);
                say::line(format_args!(
                    "sharing {:?} as {}/{0}",
                    self.stream.name.as_str(),
                    self.stream.host
                ));
            }
            self.stream.state().sender = End::Goes;
        } else if self.token.is_some() {
            self.part(end);
        } else {
            self.stream.state().sender = end;
        }
        Ok(())
    }

    /// There are no more frames: says why, and then lets the token go.
    fn part(&mut self, end: End) {
        self.stream.state().sender = end;
        if end != End::Unshared {
            say::line(format_args!("the sender of {:?} {}", self.stream.name.as_str(), end.word()));
        }
        let stamp = Stamp {
            stream: self.stream.stream,
            number: self.stream.numbers.get(),
            shared: now_ns(),
            end,
            ..Stamp::default()
        };
        if let Some(outlet) = &self.outlet {
            // Where the network has gone, the token has gone with it.
            let _ = outlet.delete(&stamp);
        }
        if let Some(token) = self.token.take() {
            let _ = token.undeclare().wait();
        }
        if let Some(Feed::Channels(_, encoder)) = &mut self.feed {
            encoder.forget();
        }
    }

    /// Where that kind of frames goes out.
    fn declare(&mut self, kind: BlockKind) -> anyhow::Result<()> {
        if self.outlet.as_ref().is_some_and(|outlet| outlet.kind() == kind || kind == BlockKind::Unknown) {
            return Ok(());
        }
        self.outlet = None;
        let weak = Arc::downgrade(&self.stream);
        let told = move |matching: bool| {
            if let Some(stream) = weak.upgrade() {
                stream.state().matching = matching;
                if matching {
                    stream.whole.store(true, Ordering::Relaxed);
                }
                stream.changed.notify_all();
            }
        };
        let outlet = Outlet::declare(&self.stream.session, &self.stream.key(Leaf::Frame), kind, told);
        self.outlet = Some(outlet.map_err(|error| session::failed(&error))?);
        Ok(())
    }

    /// Waits for a frame, and publishes it.
    fn follow(&mut self, wait: Duration) -> anyhow::Result<()> {
        let stream = Arc::clone(&self.stream);
        let feed = match &mut self.feed {
            Some(feed) => feed,
            None => {
                let kind =
                    tdshm::inspect(stream.name.as_str()).map_or(BlockKind::Unknown, |report| report.kind);
                self.feed.insert(Feed::open(&stream.name, kind, stream.packing)?)
            }
        };
        let arrived = match feed.next(wait) {
            Ok(Some(arrived)) => arrived,
            Ok(None) => {
                self.resting = false;
                return Ok(());
            }
            Err(error) => return self.change_kind(error),
        };
        if !std::mem::replace(&mut self.resting, false) {
            stream.missed.add(arrived.missed);
        }
        let number = stream.numbers.get().saturating_add(1);
        let due = self.whole_at.is_none_or(|at| at.elapsed() >= WHOLE_EVERY);
        let whole = stream.whole.swap(false, Ordering::Relaxed) || due;
        let began = Instant::now();
        let packed = feed.packet(number, whole);
        let took = began.elapsed();
        let packet = match packed {
            Ok(Some(packet)) => packet,
            Ok(None) => return Ok(()),
            Err(error) => {
                stream.broken.add(1);
                return Err(error.into());
            }
        };
        if packet.form.kind() == BlockKind::Top && stream.packing != Packing::Raw {
            let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            stream.packing_micros.store(micros, Ordering::Relaxed);
            self.packing.tell(&stream.name, stream.packing, packet.form, took);
        }
        if packet.base == 0 {
            self.whole_at = Some(Instant::now());
        }
        let stamp = Stamp {
            stream: stream.stream,
            number,
            base: packet.base,
            frame: arrived.frame,
            written: arrived.written,
            shared: now_ns(),
            sender: feed.sender(),
            end: End::Goes,
        };
        stream.numbers.add(1);
        stream.bytes.add(u64::try_from(packet.payload.len()).unwrap_or(u64::MAX));
        *stream.last.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Arc::new(Last { stamp, kept: packet.kept }));
        if self.outlet.is_none() {
            let kind = feed.kind();
            self.declare(kind)?;
        }
        if let Some(outlet) = &mut self.outlet {
            outlet.put(packet.payload, packet.form, &stamp).map_err(|error| session::failed(&error))?;
        }
        self.told = None;
        Ok(())
    }

    /// A block that cannot be read may be of the other kind: then that is received from now on.
    fn change_kind(&mut self, error: Error) -> anyhow::Result<()> {
        let stream = &self.stream;
        if matches!(error, Error::Block(_)) {
            let kind = tdshm::inspect(stream.name.as_str()).map_or(BlockKind::Unknown, |report| report.kind);
            let other = matches!(kind, BlockKind::Chop | BlockKind::Top);
            if other && self.feed.as_ref().is_some_and(|feed| feed.kind() != kind) {
                self.feed = Some(Feed::open(&stream.name, kind, stream.packing)?);
                // It has not looked for the sender yet.
                self.resting = true;
                return Ok(());
            }
            if kind == BlockKind::Global {
                return Err(anyhow!("this is a process's Global memory, which is not shared"));
            }
        }
        stream.broken.add(1);
        Err(error.into())
    }
}

/// What has been said of how images are packed.
#[derive(Debug, Default)]
struct PackingTold {
    raw: bool,
    slow: bool,
}

impl PackingTold {
    fn tell(&mut self, name: &ShortName, packing: Packing, form: Form, took: Duration) {
        let (name, word) = (name.as_str(), packing.word());
        let raw = form == Form::Image;
        if raw && !std::mem::replace(&mut self.raw, raw) {
            say::line(format_args!(
                "sharing {name:?}: JPEG holds R8, RGBA8 and BGRA8 alone: its images go raw"
            ));
        }
        if took >= SLOW && !std::mem::replace(&mut self.slow, true) {
            let built = if cfg!(debug_assertions) { ", and build with --release" } else { "" };
            say::line(format_args!(
                "sharing {name:?}: packing an image as {word} takes {:.1} s, so that few go out: send smaller ones, or choose \
                 another --images{built}",
                took.as_secs_f64()
            ));
        }
    }
}

fn end_of(attached: Attached) -> End {
    match attached {
        Attached::Yes => End::Goes,
        Attached::Died => End::Died,
        _ => End::Left,
    }
}
