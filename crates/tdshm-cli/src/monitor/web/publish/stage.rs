//! One segment that browsers send: who has it, the newest frame, and the thread that writes it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tdshm::{ChopSender, ErrorKind, ShortName};
use tokio::sync::mpsc::Sender;

use super::desk::Event;
use super::frame::{Frame, Layout};
use super::{Board, Shown, lock};
use crate::cmd::LOCK_LIMIT;
use crate::monitor::web::message::Mistake;

/// How long nobody else gets a segment whose holder has gone and had a key: a page that is loaded again takes as long.
const RETURN: Duration = Duration::from_secs(5);

/// Who sends a segment.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) desk: u64,
    pub(super) id: u32,
    pub(super) serial: u64,
    /// Who comes with the same one takes the segment from this one.
    pub(super) key: Option<String>,
    pub(super) events: Sender<Event>,
}

impl Holder {
    /// Who does not read what it is told misses it; what is told next needs the place as much.
    fn tell(&self, event: Event) {
        let _ = self.events.try_send(event);
    }
}

#[derive(Debug, Default)]
struct Slot {
    holder: Option<Holder>,
    /// When the last holder left.
    left: Option<Instant>,
    /// Its key.
    left_key: Option<String>,
    /// The last holder wants it gone.
    for_good: bool,
    /// What a new holder begins with.
    opening: Option<Arc<Layout>>,
    /// The newest frame; older ones are forgotten.
    frame: Option<Frame>,
    /// The program ends.
    over: bool,
    /// The thread has let go of everything.
    ended: bool,
}

/// A segment that browsers send.
#[derive(Debug)]
pub(super) struct Stage {
    name: ShortName,
    slot: Mutex<Slot>,
    bell: Condvar,
    frames: AtomicU64,
}

/// What the thread does next.
enum Work {
    Open(Arc<Layout>, Holder),
    Write(Frame),
    Leave,
    End,
}

/// The sender, and what it sent last.
#[derive(Debug)]
struct Out {
    sender: ChopSender,
    layout: Arc<Layout>,
    /// The last sample of each channel.
    last: Vec<f32>,
}

impl Stage {
    pub(super) fn new(name: ShortName, holder: Holder, layout: Arc<Layout>) -> Arc<Self> {
        let slot = Slot { holder: Some(holder), opening: Some(layout), ..Slot::default() };
        Arc::new(Self { name, slot: Mutex::new(slot), bell: Condvar::new(), frames: AtomicU64::new(0) })
    }

    pub(super) fn name(&self) -> &ShortName {
        &self.name
    }

    pub(super) fn has_ended(&self) -> bool {
        lock(&self.slot).ended
    }

    pub(super) fn shown(&self) -> Option<Shown> {
        let slot = lock(&self.slot);
        let (name, live) = (self.name.as_str().to_owned(), slot.holder.is_some());
        (!slot.ended).then(|| Shown { name, live, frames: self.frames.load(Ordering::Relaxed) })
    }

    /// Gives it to `holder`, which comes back where this has ended.
    pub(super) fn claim(&self, holder: Holder, layout: &Arc<Layout>) -> Result<Option<Holder>, Mistake> {
        let mut slot = lock(&self.slot);
        if slot.ended || slot.over {
            return Ok(Some(holder));
        }
        if let Some(before) = slot.holder.as_ref().filter(|before| before.desk != holder.desk) {
            if before.key.is_none() || before.key != holder.key {
                let sentence = format_args!("another connection sends {:?}", self.name.as_str());
                return Err(Mistake::new("taken", Some(holder.id), sentence));
            }
            let sentence =
                format_args!("another connection with the same key took over {:?}", self.name.as_str());
            before.tell(Event::Over(before.serial, Mistake::new("lost", Some(before.id), sentence)));
        }
        let is_kept = slot.left.is_some_and(|left| left.elapsed() < RETURN);
        if is_kept && slot.left_key.is_some() && slot.left_key != holder.key {
            let sentence =
                format_args!("another connection has just sent {:?}, and may come back", self.name.as_str());
            return Err(Mistake::new("taken", Some(holder.id), sentence));
        }
        slot.holder = Some(holder);
        slot.opening = Some(Arc::clone(layout));
        (slot.left, slot.left_key, slot.for_good, slot.frame) = (None, None, false, None);
        drop(slot);
        self.bell.notify_one();
        Ok(None)
    }

    /// Takes a frame in the place of the one that waits. `false`: one of them is lost.
    pub(super) fn put(&self, desk: u64, frame: Frame) -> bool {
        let mut slot = lock(&self.slot);
        if slot.holder.as_ref().is_none_or(|holder| holder.desk != desk) {
            return false;
        }
        let before = slot.frame.replace(frame);
        drop(slot);
        self.bell.notify_one();
        before.is_none()
    }

    /// That desk leaves it, perhaps for good. `false`: it had it no more.
    pub(super) fn leave(&self, desk: u64, for_good: bool) -> bool {
        let mut slot = lock(&self.slot);
        if slot.holder.as_ref().is_none_or(|holder| holder.desk != desk) {
            return false;
        }
        slot.left_key = slot.holder.take().and_then(|holder| holder.key).filter(|_| !for_good);
        (slot.left, slot.for_good) = (Some(Instant::now()), for_good);
        drop(slot);
        self.bell.notify_one();
        true
    }

    /// The segment is left, whoever has it.
    pub(super) fn end(&self) {
        lock(&self.slot).over = true;
        self.bell.notify_one();
    }

    /// Writes what comes, until nobody wants the segment any more.
    pub(super) fn run(&self, board: &Board) {
        let linger = board.rules.linger(self.name.as_str());
        let (mut out, mut has_been) = (None, false);
        loop {
            has_been |= out.is_some();
            match self.next(linger, out.is_some()) {
                Work::Open(layout, holder) => self.open(board, &mut out, &layout, &holder),
                Work::Write(frame) => self.write(board, &mut out, frame),
                Work::Leave => {
                    if let Some(error) = out.take().and_then(Out::leave) {
                        board.say(format!("{:?}: {error}", self.name.as_str()));
                    }
                    let mut slot = lock(&self.slot);
                    // Somebody may have come while it was left.
                    if slot.holder.is_none() {
                        slot.ended = true;
                        drop(slot);
                        if has_been {
                            board.say(format!("left {:?}", self.name.as_str()));
                        }
                        return;
                    }
                }
                Work::End => {
                    // What cannot be left any more is no matter at the end: its names go with the process.
                    let _ = out.take().and_then(Out::leave);
                    lock(&self.slot).ended = true;
                    return;
                }
            }
        }
    }

    /// Waits for something to do.
    fn next(&self, linger: Option<Duration>, is_there: bool) -> Work {
        let mut slot = lock(&self.slot);
        loop {
            if slot.over {
                return Work::End;
            }
            if let Some((layout, holder)) = slot.opening.clone().zip(slot.holder.clone()) {
                slot.opening = None;
                return Work::Open(layout, holder);
            }
            if let Some(frame) = slot.frame.take() {
                return Work::Write(frame);
            }
            let left = match (&slot.holder, slot.left) {
                (Some(_), _) => None,
                (None, _) if !is_there || slot.for_good => return Work::Leave,
                (None, left) => left.zip(linger).map(|(left, linger)| linger.saturating_sub(left.elapsed())),
            };
            slot = match left {
                Some(Duration::ZERO) => return Work::Leave,
                Some(time) => self.bell.wait_timeout(slot, time).unwrap_or_else(PoisonError::into_inner).0,
                None => self.bell.wait(slot).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Makes the segment for somebody who begins, or gives on the one that is there.
    fn open(&self, board: &Board, out: &mut Option<Out>, layout: &Arc<Layout>, holder: &Holder) {
        let resumed = out.is_some();
        let result = match out {
            Some(there) => there.arrange(layout),
            None => Out::create(&self.name, layout, board.rules.take_over).map(|new| *out = Some(new)),
        };
        match result {
            Ok(()) => {
                let segment = self.name.as_str().to_owned();
                let how = if resumed { " again" } else { "" };
                let channels = crate::say::count_of(layout.names.len(), "channel");
                board.say(format!("a browser sends {segment:?}{how}: {channels}"));
                holder.tell(Event::Published { id: holder.id, segment, resumed });
            }
            Err(error) => self.give_up(out, "busy", &error),
        }
    }

    fn write(&self, board: &Board, out: &mut Option<Out>, frame: Frame) {
        let Some(there) = out else { return };
        match there.write(frame) {
            Ok(held) => {
                board.count(|traffic| &traffic.written, 1);
                board.count(|traffic| &traffic.held, held);
                self.frames.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                board.count(|traffic| &traffic.dropped, 1);
                // While somebody has the lock, the next one may arrive.
                if error.kind() != ErrorKind::Retry {
                    self.give_up(out, "busy", &error);
                }
            }
        }
    }

    /// The segment cannot be sent: whoever has it is told.
    fn give_up(&self, out: &mut Option<Out>, code: &'static str, error: &tdshm::Error) {
        let holder = {
            let mut slot = lock(&self.slot);
            (slot.opening, slot.frame) = (None, None);
            slot.holder.take()
        };
        *out = None;
        if let Some(holder) = holder {
            holder.tell(Event::Over(holder.serial, Mistake::new(code, Some(holder.id), error)));
        }
    }
}

impl Out {
    /// Creates the segment, with its channels at 0: receivers have them before the first of them is moved.
    fn create(name: &ShortName, layout: &Arc<Layout>, take_over: bool) -> Result<Self, tdshm::Error> {
        let mut sender = ChopSender::builder(name.as_str())
            .channels(layout.names.iter().map(String::as_str))
            .sample_rate(layout.rate)
            .take_over(take_over)
            .lock_limit(LOCK_LIMIT)
            .create()?;
        let last = vec![0.0; layout.names.len()];
        sender.send_flat(&last, 1)?;
        Ok(Self { sender, layout: Arc::clone(layout), last })
    }

    /// Goes on with these names and that rate. Channels that were there keep their values, new ones begin at 0, and where
    /// anything is new receivers get it at once.
    fn arrange(&mut self, layout: &Arc<Layout>) -> Result<(), tdshm::Error> {
        if self.take_layout(layout)? {
            self.sender.send_flat(&self.last, 1)?;
        }
        Ok(())
    }

    /// Whether it is another one.
    fn take_layout(&mut self, layout: &Arc<Layout>) -> Result<bool, tdshm::Error> {
        if Arc::ptr_eq(layout, &self.layout) || **layout == *self.layout {
            return Ok(false);
        }
        self.sender.set_sample_rate(layout.rate)?;
        if layout.names != self.layout.names {
            self.sender.set_channels(layout.names.iter().map(String::as_str))?;
            let before: HashMap<&str, f32> =
                self.layout.names.iter().map(String::as_str).zip(self.last.iter().copied()).collect();
            let value = |name: &String| before.get(name.as_str()).copied().unwrap_or(0.0);
            self.last = layout.names.iter().map(value).collect();
        }
        self.layout = Arc::clone(layout);
        Ok(true)
    }

    /// Writes a frame. What is no finite number holds the sample before it; gives how many were.
    fn write(&mut self, frame: Frame) -> Result<usize, tdshm::Error> {
        self.take_layout(&frame.layout)?;
        let Frame { len_samples, mut samples, .. } = frame;
        let mut held = 0_usize;
        for (last, row) in self.last.iter_mut().zip(samples.chunks_mut(len_samples.max(1))) {
            for sample in row {
                if sample.is_finite() {
                    *last = *sample;
                } else {
                    *sample = *last;
                    held = held.saturating_add(1);
                }
            }
        }
        self.sender.send_flat(&samples, len_samples)?;
        Ok(held)
    }

    /// Why it could not be left as it should be, if so.
    fn leave(self) -> Option<tdshm::Error> {
        self.sender.detach().err()
    }
}
