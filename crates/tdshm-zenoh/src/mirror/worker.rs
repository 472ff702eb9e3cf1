//! What the thread of a stream does, and zenoh's own threads where it has nothing else to do.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tdshm::BlockKind;

use crate::encoding::{Applied, ChannelDecoder, DecodeError, End, Form, ImageDecoder};
use crate::mirror::budget::{For, Held};
use crate::mirror::local::{Local, Trouble, is_our_own};
use crate::mirror::slot::{Arrived, News};
use crate::mirror::stream::{Kind, Shown, State, Stream};
use crate::say::{self, Moderate};
use crate::{LOCK_LIMIT, now_ns};

/// How often the other side is asked how it is, and what its clock says.
const PULSE: Duration = Duration::from_secs(1);
/// How long nothing has come when the answer is looked at for frames that were lost.
const SILENT: Duration = Duration::from_millis(500);
/// How often a frame is asked for at most.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long the reason may take that a stream has gone for.
const REASON: Duration = Duration::from_millis(300);
/// How often a frame is tried again for which there was no name or no room here.
const RETRY: Duration = Duration::from_secs(1);
/// Bytes of channels that zenoh's own thread writes at most: what takes longer would hold up what comes behind it.
const AT_ONCE: usize = 64 * 1024;
/// How often a frame is there in its segment, which has places beside one another, and in what it is unpacked into: an image as it
/// is, one that is packed, and channels.
const COPIES: [usize; 3] = [3, 5, 5];

/// What makes frames here of those that come: the thread's, but for single small frames that find it idle.
pub(super) struct Worker {
    stream: Arc<Stream>,
    local: Local,
    channels: ChannelDecoder,
    images: ImageDecoder,
    /// What all of that takes of all streams' memory, and what it took when the last frame was there.
    memory: Held,
    kept: usize,
    /// Its token is there.
    alive: bool,
    /// Why there are no more frames, and when that was said there.
    end: Option<(End, u64)>,
    /// It has not answered for so long that it counts as gone, though its token is there.
    deaf: bool,
    asked: Option<Instant>,
    pulsed: Option<Instant>,
    heard: Instant,
    /// Since when frames are held back, because there is no name or no room for them.
    held: Option<Instant>,
    /// Since when there is a frame that could not be read or written, and none after it.
    again: Option<Instant>,
    /// There is no sender any more, which has not been said.
    unsaid: Option<Instant>,
    told: Option<String>,
    moderate: Moderate,
}

impl Worker {
    pub(super) fn new(stream: Arc<Stream>) -> Self {
        let local = Local::new(stream.name.clone(), stream.take_over);
        let memory = stream.slot.budget().nothing();
        Self {
            stream,
            local,
            channels: ChannelDecoder::default(),
            images: ImageDecoder::default(),
            memory,
            kept: 0,
            alive: true,
            end: None,
            deaf: false,
            asked: None,
            pulsed: None,
            heard: Instant::now(),
            held: None,
            again: None,
            unsaid: None,
            told: None,
            moderate: Moderate::default(),
        }
    }

    /// The thread, until it is asked to end.
    pub(super) fn run(worker: &Mutex<Self>) {
        let lock = || worker.lock().unwrap_or_else(PoisonError::into_inner);
        let stream = Arc::clone(&lock().stream);
        lock().ask();
        while !stream.ending.load(Ordering::Relaxed) {
            let pause = lock().pause();
            stream.slot.wait(pause);
            // News are taken by whoever has the worker, so that none overtakes another.
            let mut worker = lock();
            let news = stream.slot.take();
            worker.take(news);
            worker.look_around();
        }
        lock().leave();
    }

    /// Writes a small frame of channels that has come alone, on zenoh's own thread: that saves waking another one. `false`: the
    /// stream's thread has to look, because there is more to do or somebody has the segment's lock.
    pub(super) fn at_once(worker: &Mutex<Self>) -> bool {
        let Ok(mut worker) = worker.try_lock() else { return false };
        worker.is_plain() && worker.show_at_once()
    }

    /// Nothing but frames is to be seen to.
    fn is_plain(&self) -> bool {
        self.alive
            && self.end.is_none()
            && self.told.is_none()
            && self.held.is_none()
            && self.again.is_none()
            && self.local.kind() == BlockKind::Chop
            && self.stream.shown().state == State::Mirrored
    }

    fn show_at_once(&mut self) -> bool {
        let stream = Arc::clone(&self.stream);
        let Some(arrived) = stream.slot.take_channels(AT_ONCE) else { return false };
        self.local.set_lock_limit(Duration::ZERO);
        let sent = matches!(self.send(&arrived), Ok(true));
        self.local.set_lock_limit(LOCK_LIMIT);
        if sent {
            self.heard = Instant::now();
            self.count(&arrived);
        } else {
            // The thread comes to the same end, and tells.
            stream.slot.give_back(arrived);
        }
        sent
    }

    /// What is due beside frames.
    fn look_around(&mut self) {
        self.say_why();
        self.listen_for_answers();
        if self.alive && self.pulsed.is_none_or(|pulsed| pulsed.elapsed() >= PULSE) {
            self.pulsed = Some(Instant::now());
            self.stream.ask_for_info();
        }
        if self.held.or(self.again).is_some_and(|since| since.elapsed() >= RETRY) {
            // Perhaps the name is free now, or there is room; and the answer may be lost.
            (self.held, self.again) = (None, self.alive.then(Instant::now));
            if self.alive {
                self.stream.slot.forget();
                self.ask();
            }
        }
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
        if news.end.is_some() {
            self.end = news.end;
            self.part();
        }
        for arrived in [news.whole, news.changed].into_iter().flatten() {
            self.end = None;
            self.heard = Instant::now();
            self.show(&arrived);
        }
    }

    /// Whoever has answered once and answers no more has gone, whatever its token says.
    fn listen_for_answers(&mut self) {
        let heard =
            self.stream.info.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, at)| *at);
        let Some(heard) = heard.map(|heard| heard.max(self.heard)) else { return };
        if self.alive && self.local.is_there() && heard.elapsed() >= self.stream.patience {
            self.deaf = true;
            self.part();
            // Its first answer brings the last frame back.
            self.stream.slot.forget();
        }
    }

    /// The last frame may have been lost, with none behind it to tell.
    fn look_for_lost_ones(&mut self) {
        if !self.alive || self.held.is_some() || self.heard.elapsed() < SILENT {
            return;
        }
        let info = self.stream.info.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((info, _)) = info.filter(|(info, _)| info.number > 0) else { return };
        if let Some((_, ended)) = self.end {
            if info.sender != End::Goes.word() || info.now_ns <= ended {
                return;
            }
            // It is there again: what it said when it went was overtaken.
            self.stream.slot.forget();
        }
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
        self.deaf = false;
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
            Some((End::Died, _)) => State::Died,
            Some((End::Unshared, _)) => State::Unshared,
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
        self.kept = 0;
        self.memory.shrink_to(0);
        self.again = None;
    }

    /// Says why readers here have no sender any more. That the token went may come before the reason.
    fn say_why(&mut self) {
        let due = |since: Instant| self.end.is_some() || since.elapsed() >= REASON;
        if !self.unsaid.is_some_and(due) {
            return;
        }
        self.unsaid = None;
        let why = match self.end {
            Some((End::Died, _)) => "its sender died",
            Some((End::Unshared, _)) => "it is no longer shared",
            Some(_) => "its sender left",
            None if self.deaf => "the program that shares it answers no more: it hangs, or cannot be reached",
            None => {
                "nobody shares it any more, and nobody said why: the program or its machine is gone, or cannot be reached"
            }
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
        if self.held.is_some() {
            return;
        }
        match self.send(arrived) {
            Ok(true) => {
                let first = self.stream.shown().state != State::Mirrored || self.told.is_some();
                self.count(arrived);
                if first {
                    let name = self.local.name().as_str();
                    say::line(format_args!("{}/{} is {name:?} here", self.stream.host, self.stream.segment));
                }
                self.told = None;
            }
            Ok(false) => {
                // The answer may be that very frame, whole, and may be lost as well.
                self.stream.slot.forget();
                self.again.get_or_insert_with(Instant::now);
                self.ask();
            }
            Err(failed) => {
                self.stream.broken.add(1);
                // A small message may have unpacked to a large image, which is nobody's now.
                self.images = ImageDecoder::default();
                self.memory.shrink_to(self.kept);
                match failed {
                    Failed::Decode(error @ DecodeError::NoRoom { .. }) => {
                        self.held = Some(Instant::now());
                        self.stream.show(|shown| shown.state = State::Failed);
                        self.tell(&error);
                    }
                    Failed::Decode(error) => self.tell(&error),
                    Failed::Send(error) => self.cannot_send(&error),
                }
            }
        }
    }

    /// It is a frame here.
    fn count(&mut self, arrived: &Arrived) {
        let now = now_ns();
        self.stream.frames.add(1);
        self.stream.bytes.add(u64::try_from(arrived.payload.len()).unwrap_or(u64::MAX));
        if !arrived.asked {
            let mut clock = self.stream.clock.lock().unwrap_or_else(PoisonError::into_inner);
            clock.arrived(arrived.stamp.shared, now);
        }
        let kind = match self.local.kind() {
            BlockKind::Chop => Kind::Channels,
            BlockKind::Top => Kind::Image,
            _ => Kind::Unknown,
        };
        (self.deaf, self.again) = (false, None);
        self.kept = self.memory.bytes();
        self.stream.show(|shown| *shown = Shown { state: State::Mirrored, kind, why: None });
    }

    fn cannot_send(&mut self, error: &tdshm::Error) {
        let now = Some(Instant::now());
        match Trouble::of(error) {
            Trouble::Taken => {
                self.held = now;
                self.stream.show(|shown| shown.state = State::Refused);
            }
            Trouble::NoRoom => {
                self.held = now;
                self.stream.show(|shown| shown.state = State::Failed);
            }
            Trouble::Moment => self.again = now,
            Trouble::Frame => {}
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
        let [raw, packed, channels] = COPIES;
        let (bytes, copies) = match arrived.form {
            Form::Channels => (payload.len(), channels),
            // The base has taken it.
            Form::Changed => (0, 0),
            form => {
                (ImageDecoder::announced(form, &payload)?, if form == Form::Image { raw } else { packed })
            }
        };
        self.memory.grow_to(bytes.saturating_mul(copies), For::Good)?;
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
        self.stream.show(|shown| shown.why = Some(told.clone()));
        // Whoever sends rubbish can make every message another one.
        if self.told.as_ref() != Some(&told) && self.moderate.may() {
            say::error(format_args!("{}/{}: {told}", self.stream.host, self.stream.segment));
            self.told = Some(told);
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
