//! One stream, which a thread of its own makes a segment of this machine.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde::Serialize;
use tdshm::{BlockKind, ShortName};
use zenoh::sample::Locality;
use zenoh::{Session, Wait};

use crate::encoding::info::Info;
use crate::encoding::key::{self, Leaf};
use crate::encoding::{Applied, ChannelDecoder, DecodeError, End, Form, ImageDecoder};
use crate::mirror::ASKING;
use crate::mirror::clock::{Clock, Latency};
use crate::mirror::local::{Local, is_our_own, is_taken};
use crate::mirror::slot::{Arrived, News, Slot};
use crate::status::Counter;
use crate::thread::{Ends, Handle};
use crate::{now_ns, say};

/// In that time no more than so many things are said of what went wrong with a stream: all of it is counted.
const TOLD_WITHIN: (Duration, u32) = (Duration::from_secs(10), 16);
/// How often the other side is asked how it is, and what its clock says.
const PULSE: Duration = Duration::from_secs(1);
/// How long nothing has come when the answer is looked at for frames that were lost.
const SILENT: Duration = Duration::from_millis(500);
/// How long a program that has answered once may be silent before it counts as gone: it hangs, and its token says nothing of it.
const DEAF: Duration = Duration::from_secs(15);
/// How often a frame is asked for at most.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long the reason may take that a stream has gone for.
const REASON: Duration = Duration::from_millis(300);
/// How often a name is tried again that somebody else has.
const RETRY: Duration = Duration::from_secs(1);

/// What the thread of a stream, zenoh's callbacks and whoever tells of it see.
#[derive(Debug)]
pub(super) struct Stream {
    session: Session,
    host: String,
    segment: String,
    name: ShortName,
    take_over: bool,
    slot: Arc<Slot>,
    clock: Arc<Mutex<Clock>>,
    info: Arc<Mutex<Option<(Info, Instant)>>>,
    shown: Mutex<Shown>,
    ending: AtomicBool,
    frames: Counter,
    bytes: Counter,
    broken: Counter,
}

/// How it stands.
#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    state: State,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// There is a stream; no frame has come.
    #[default]
    Waiting,
    /// Frames become frames here.
    Mirrored,
    /// Another program has the name here.
    Refused,
    /// The sender left.
    Left,
    /// The sender died.
    Died,
    /// The program that shares ended.
    Unshared,
    /// The other machine cannot be reached.
    Gone,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
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
    ) -> Arc<Self> {
        Arc::new(Self {
            session: session.clone(),
            host: host.to_owned(),
            segment: segment.to_owned(),
            name,
            take_over,
            slot: Arc::default(),
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
        let slot = Arc::clone(&self.slot);
        let subscriber = self
            .session
            .declare_subscriber(self.key(Leaf::Frame))
            .allowed_origin(Locality::Remote)
            .callback(move |sample| slot.put(&sample, false))
            .wait()
            .map_err(|error| anyhow!("{error}"))?;
        let worker = Worker::new(Arc::clone(&self));
        let thread = thread::Builder::new().name(self.segment.clone()).spawn(move || {
            worker.run();
            drop(subscriber);
        })?;
        Ok(Handle::new(self, thread))
    }

    fn key(&self, leaf: Leaf) -> String {
        key::of(&self.host, &self.segment, leaf)
    }

    /// Where its news go.
    pub(super) fn slot(&self) -> Arc<Slot> {
        Arc::clone(&self.slot)
    }

    fn show(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.shown.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn shown(&self) -> Shown {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn ask_for_frame(&self) {
        let slot = Arc::clone(&self.slot);
        let callback = move |reply: zenoh::query::Reply| {
            if let Ok(sample) = reply.result() {
                slot.put(sample, true);
            }
        };
        // Where nobody can be asked, nobody answers; the next pulse asks again.
        let _ = self.session.get(self.key(Leaf::Frame)).timeout(ASKING).callback(callback).wait();
    }

    /// Asks how it is, and what the clock says.
    fn ask_for_info(&self) {
        let (slot, clock, info) = (Arc::clone(&self.slot), Arc::clone(&self.clock), Arc::clone(&self.info));
        let asked = now_ns();
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
        let _ = self.session.get(self.key(Leaf::Info)).timeout(ASKING).callback(callback).wait();
    }
}

/// What the thread has to itself.
struct Worker {
    stream: Arc<Stream>,
    local: Local,
    channels: ChannelDecoder,
    images: ImageDecoder,
    /// Its token is there.
    alive: bool,
    end: Option<End>,
    asked: Option<Instant>,
    pulsed: Option<Instant>,
    heard: Instant,
    refused: Option<Instant>,
    /// There is no sender any more, which has not been said.
    unsaid: Option<Instant>,
    told: Option<String>,
    /// When the time began in which so many things were said.
    told_since: (Instant, u32),
}

impl Worker {
    fn new(stream: Arc<Stream>) -> Self {
        let local = Local::new(stream.name.clone(), stream.take_over);
        Self {
            stream,
            local,
            channels: ChannelDecoder::default(),
            images: ImageDecoder::default(),
            alive: true,
            end: None,
            asked: None,
            pulsed: None,
            heard: Instant::now(),
            refused: None,
            unsaid: None,
            told: None,
            told_since: (Instant::now(), 0),
        }
    }

    fn run(mut self) {
        self.ask();
        while !self.stream.ending.load(Ordering::Relaxed) {
            let news = self.stream.slot.wait(self.pause());
            self.take(news);
            self.say_why();
            self.listen_for_answers();
            if self.alive && self.pulsed.is_none_or(|pulsed| pulsed.elapsed() >= PULSE) {
                self.pulsed = Some(Instant::now());
                self.stream.ask_for_info();
            }
            if self.refused.is_some_and(|refused| refused.elapsed() >= RETRY) {
                // Perhaps the name is free now.
                self.refused = None;
                self.stream.slot.forget();
                self.ask();
            }
        }
        self.leave();
    }

    /// How long nothing has to be done.
    fn pause(&self) -> Duration {
        if self.unsaid.is_some() {
            return REASON;
        }
        if self.alive {
            PULSE.saturating_sub(self.pulsed.map_or(PULSE, |pulsed| pulsed.elapsed()))
        } else {
            PULSE
        }
    }

    /// Asks for the last frame, unless it was asked for just now.
    fn ask(&mut self) {
        if self.asked.is_none_or(|asked| asked.elapsed() >= ASK_EVERY) {
            self.asked = Some(Instant::now());
            self.stream.ask_for_frame();
        }
    }

    fn take(&mut self, news: News) {
        if let Some(error) = news.error {
            self.tell(&error);
        }
        if news.gone {
            self.meet(false);
        }
        if news.came {
            self.meet(true);
        }
        if news.wake {
            self.look_for_lost_ones();
        }
        // What lies there beside it came later.
        if let Some(end) = news.end {
            self.end = Some(end);
            self.part();
        }
        for arrived in [news.whole, news.changed].into_iter().flatten() {
            self.end = None;
            self.heard = Instant::now();
            self.show(&arrived);
        }
    }

    /// Whoever answers no more has gone, whatever its token says.
    fn listen_for_answers(&mut self) {
        let heard =
            self.stream.info.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, at)| *at);
        let Some(heard) = heard.map(|heard| heard.max(self.heard)) else { return };
        if self.alive && self.local.is_there() && heard.elapsed() >= DEAF {
            self.part();
            // Its first answer brings the last frame back.
            self.stream.slot.forget();
        }
    }

    /// The last frame may have been lost, with none behind it to tell.
    fn look_for_lost_ones(&mut self) {
        if !self.alive || self.end.is_some() || self.heard.elapsed() < SILENT {
            return;
        }
        let info = self.stream.info.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((info, _)) = info.filter(|(info, _)| info.number > 0) else { return };
        let Ok(stream) = u64::from_str_radix(&info.stream, 16) else { return };
        if self.stream.slot.newest(stream).is_none_or(|newest| newest < info.number) {
            self.ask();
        }
    }

    /// The token came, or went.
    fn meet(&mut self, alive: bool) {
        if alive == self.alive {
            return;
        }
        self.alive = alive;
        if alive {
            if !self.local.is_there() {
                self.stream.show(|shown| shown.state = State::Waiting);
            }
            (self.end, self.asked) = (None, None);
            self.ask();
        } else {
            self.part();
        }
    }

    /// There are no more frames: readers here see that.
    fn part(&mut self) {
        let state = match self.end {
            Some(End::Died) => State::Died,
            Some(End::Unshared) => State::Unshared,
            Some(_) => State::Left,
            None => State::Gone,
        };
        self.stream.show(|shown| shown.state = state);
        if self.local.is_there() {
            self.unsaid = Some(Instant::now());
        }
        self.leave();
        // Whoever comes back sends a whole frame first. Until then their memory is of no use.
        (self.channels, self.images) = (ChannelDecoder::default(), ImageDecoder::default());
    }

    /// Says why readers here have no sender any more. That the token went may come before the reason.
    fn say_why(&mut self) {
        let due = |since: Instant| self.end.is_some() || since.elapsed() >= REASON;
        if !self.unsaid.is_some_and(due) {
            return;
        }
        self.unsaid = None;
        let why = match self.end {
            Some(End::Died) => "its sender died",
            Some(End::Unshared) => "it is no longer shared",
            Some(_) => "its sender left",
            None => "its machine can no longer be reached",
        };
        say::line(format_args!("{}/{}: {why}", self.stream.host, self.stream.segment));
    }

    fn leave(&mut self) {
        if let Err(error) = self.local.leave() {
            self.tell(&error);
        }
    }

    /// Makes a frame of this machine of it.
    fn show(&mut self, arrived: &Arrived) {
        if self.refused.is_some() {
            return;
        }
        let bytes = arrived.payload.len();
        match self.send(arrived) {
            Ok(true) => {
                let now = now_ns();
                let first = self.stream.shown().state != State::Mirrored || self.told.is_some();
                self.stream.frames.add(1);
                self.stream.bytes.add(u64::try_from(bytes).unwrap_or(u64::MAX));
                if !arrived.asked {
                    let mut clock = self.stream.clock.lock().unwrap_or_else(PoisonError::into_inner);
                    clock.arrived(arrived.stamp.shared, now);
                }
                let kind = match self.local.kind() {
                    BlockKind::Chop => Kind::Channels,
                    BlockKind::Top => Kind::Image,
                    _ => Kind::Unknown,
                };
                self.stream.show(|shown| *shown = Shown { state: State::Mirrored, kind });
                if first {
                    let name = self.local.name().as_str();
                    say::line(format_args!("{}/{} is {name:?} here", self.stream.host, self.stream.segment));
                }
                self.told = None;
            }
            Ok(false) => self.ask(),
            Err(failed) => {
                self.stream.broken.add(1);
                // A small message may have unpacked to a large image, which is nobody's now.
                self.images = ImageDecoder::default();
                match failed {
                    Failed::Decode(error) => self.tell(&error),
                    Failed::Send(error) => self.cannot_send(&error),
                }
            }
        }
    }

    fn cannot_send(&mut self, error: &tdshm::Error) {
        if is_taken(error) {
            self.refused = Some(Instant::now());
            self.stream.show(|shown| shown.state = State::Refused);
        }
        if is_our_own(error) {
            let name = self.local.name().as_str().to_owned();
            self.tell(&format_args!(
                "another stream is {name:?} here: name both apart, say with --as '{{host}}-{{name}}'"
            ));
        } else {
            self.tell(error);
        }
    }

    /// `false`: it cannot be read without another one.
    fn send(&mut self, arrived: &Arrived) -> Result<bool, Failed> {
        let payload = arrived.payload.to_bytes();
        match arrived.form {
            Form::Channels => {
                self.channels.whole(&arrived.stamp, &payload)?;
                self.local.send_channels(&self.channels, true)?;
            }
            Form::Changed => match self.channels.changed(&arrived.stamp, &payload)? {
                Applied::Yes => self.local.send_channels(&self.channels, false)?,
                Applied::BaseMissing => return Ok(false),
            },
            form => {
                let (shape, pixels) = self.images.decode(form, &payload)?;
                self.local.send_image(&shape, pixels)?;
            }
        }
        Ok(true)
    }

    /// Says what is wrong, once.
    fn tell(&mut self, error: &dyn std::fmt::Display) {
        let told = error.to_string();
        // Whoever sends rubbish can make every message another one.
        let (time, most) = TOLD_WITHIN;
        if self.told_since.0.elapsed() >= time {
            self.told_since = (Instant::now(), 0);
        }
        if self.told_since.1 < most && self.told.as_ref() != Some(&told) {
            say::error(format_args!("{}/{}: {told}", self.stream.host, self.stream.segment));
            self.told = Some(told);
            self.told_since.1 = self.told_since.1.saturating_add(1);
        }
    }
}

/// Why a frame is none here.
enum Failed {
    Decode(DecodeError),
    Send(tdshm::Error),
}

impl From<DecodeError> for Failed {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<tdshm::Error> for Failed {
    fn from(error: tdshm::Error) -> Self {
        Self::Send(error)
    }
}
