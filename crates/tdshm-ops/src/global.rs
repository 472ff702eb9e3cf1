//! Global memory: one segment for all operators of a process (operators §2, wire §12).
//!
//! Operators that send put their data in while they cook, and all of it goes out together when the frame is over. Of
//! what others send there is one copy a frame: the first operator that asks makes it, and all are served from it.

use core::time::Duration;
use std::sync::{Arc, Weak};

use tdshm::{
    Attached, Error, GlobalKind, GlobalReceiver, GlobalSender, Occupant, SegmentError, SegmentReceiver,
    SegmentStats,
};

/// What the operators of a network put into Global memory, and what they see of it.
#[derive(Debug, Default)]
pub(crate) struct GlobalMemory {
    /// Another name of the segment than the machine's.
    name: Option<Box<str>>,
    sender: Option<GlobalSender>,
    entries: Vec<Entry>,
    /// Something was put in, or taken away, that has not gone out yet.
    is_due: bool,
    limit: Duration,
    /// What came of the last time that it went out.
    published: Published,
    /// Grows with the frames of this network.
    frame: u64,
    copy: Option<Box<GlobalCopy>>,
    readers: Arc<()>,
}

/// The place of one operator in what is sent. The entry goes when this does.
#[derive(Debug)]
pub(crate) struct GlobalPlace {
    kind: GlobalKind,
    name: Arc<str>,
    alive: Arc<()>,
}

/// Keeps the segment open in which others send.
#[derive(Clone, Debug)]
pub(crate) struct GlobalReader(#[expect(dead_code, reason = "it counts as long as it is there")] Arc<()>);

#[derive(Debug)]
struct Entry {
    kind: GlobalKind,
    name: Arc<str>,
    place: Weak<()>,
}

/// What came of the last time that frames went out.
#[derive(Debug, Default)]
pub(crate) struct Published {
    /// How often one did, and how often it could not.
    pub(crate) frames: u64,
    pub(crate) missed: u64,
    /// How often a receiver had died with the lock.
    pub(crate) abandoned: u64,
    /// How long all of them together waited for locks.
    pub(crate) lock_wait: Duration,
    /// Why the last one could not go out.
    pub(crate) error: Option<Error>,
}

impl GlobalPlace {
    /// Whether it is this one.
    pub(crate) fn is(&self, kind: GlobalKind, name: &str) -> bool {
        self.kind == kind && *self.name == *name
    }
}

impl GlobalMemory {
    /// Gives the segment another name, for programs that are to stay apart from the machine's others.
    pub(crate) fn set_name(&mut self, name: &str) {
        self.name = Some(name.into());
        self.sender = None;
        self.copy = None;
        self.is_due = true;
        // Those who have a place find that it is none any more, and take one in the new segment.
        self.entries.clear();
    }

    /// A frame begins: what others sent is looked at once in it.
    pub(crate) fn begin_frame(&mut self) {
        self.frame = self.frame.wrapping_add(1);
        if Arc::strong_count(&self.readers) == 1 {
            self.copy = None;
        }
    }

    /// A frame is over: what was put in goes out.
    pub(crate) fn end_frame(&mut self, frame: u64) {
        self.sweep();
        if self.entries.is_empty() {
            if let Some(mut sender) = self.sender.take() {
                sender.set_lock_limit(self.limit);
                // It has left also where somebody held the info lock.
                let _ = sender.detach();
            }
            return;
        }
        let Some(sender) = self.sender.as_mut().filter(|_| self.is_due) else { return };
        sender.set_lock_limit(self.limit);
        let before = tdshm::lock_wait();
        let sent = sender.publish(frame);
        let waited = tdshm::lock_wait().saturating_sub(before);
        let published = &mut self.published;
        published.lock_wait = published.lock_wait.saturating_add(waited);
        match sent {
            Ok(sent) => {
                published.frames = published.frames.saturating_add(1);
                published.abandoned = published.abandoned.saturating_add(u64::from(sent.abandoned));
                published.error = None;
                self.is_due = false;
            }
            Err(error) => {
                published.missed = published.missed.saturating_add(1);
                published.error = Some(error);
            }
        }
    }

    /// Puts an operator's data in, by a closure that calls one of the sender's `put` functions with that name. It goes
    /// out at the end of the frame. `place` is where it was put before, and stays as long as it is kept.
    pub(crate) fn put(
        &mut self,
        place: &mut Option<GlobalPlace>,
        kind: GlobalKind,
        name: &Arc<str>,
        limit: Duration,
        put: impl FnOnce(&mut GlobalSender) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.limit = limit;
        if place.as_ref().is_some_and(|place| !place.is(kind, name)) {
            *place = None;
        }
        self.sweep();
        let there = self.entries.iter().find(|entry| entry.kind == kind && entry.name == *name);
        let is_mine = there.is_some_and(|entry| {
            place.as_ref().is_some_and(|place| Weak::ptr_eq(&entry.place, &Arc::downgrade(&place.alive)))
        });
        if there.is_some() && !is_mine {
            let (name, object) = (name.to_string(), self.segment_name().to_owned());
            let by = Occupant::Process(std::process::id());
            return Err(SegmentError::AlreadyExists { name, object, by }.into());
        }
        if self.sender.is_none() {
            self.sender = Some(self.builder().lock_limit(limit).create()?);
        }
        let Some(sender) = &mut self.sender else { return Ok(()) };
        put(sender)?;
        self.is_due = true;
        if !is_mine {
            let alive = Arc::new(());
            self.entries.push(Entry { kind, name: Arc::clone(name), place: Arc::downgrade(&alive) });
            *place = Some(GlobalPlace { kind, name: Arc::clone(name), alive });
        }
        Ok(())
    }

    /// What came of the last time that frames went out.
    pub(crate) fn published(&self) -> &Published {
        &self.published
    }

    /// What happened to the segment that is sent.
    pub(crate) fn sender_stats(&self) -> SegmentStats {
        self.sender.as_ref().map(GlobalSender::stats).unwrap_or_default()
    }

    /// Takes the copy of this frame out, made by whoever asks first in it; [`give_back`](Self::give_back) puts it in
    /// place again.
    pub(crate) fn look(&mut self, limit: Duration) -> Result<(Box<GlobalCopy>, GlobalReader), Error> {
        let mut copy = match self.copy.take() {
            Some(copy) => copy,
            None => {
                let segment = SegmentReceiver::builder(self.segment_name()).lock_limit(limit).open()?;
                Box::new(GlobalCopy::over(segment))
            }
        };
        if copy.looked_in != Some(self.frame) {
            copy.looked_in = Some(self.frame);
            copy.look(limit);
        }
        Ok((copy, GlobalReader(Arc::clone(&self.readers))))
    }

    pub(crate) fn give_back(&mut self, copy: Box<GlobalCopy>) {
        self.copy = Some(copy);
    }

    fn segment_name(&self) -> &str {
        self.name.as_deref().unwrap_or(Self::NAME)
    }

    fn builder(&self) -> tdshm::GlobalSenderBuilder {
        let builder = GlobalSender::builder();
        match &self.name {
            Some(name) => builder.name(name),
            None => builder,
        }
    }

    /// What the machine's Global segment is called (wire §12).
    const NAME: &str = "tdshmGlobal";

    /// Takes out what nobody keeps any more.
    fn sweep(&mut self) {
        let Self { entries, sender, is_due, .. } = self;
        entries.retain(|entry| {
            let stays = entry.place.strong_count() > 0;
            if !stays && let Some(sender) = sender.as_mut() {
                *is_due |= sender.remove(entry.kind, &entry.name);
            }
            stays
        });
    }
}

/// What others sent into Global memory, as it was copied once in a frame.
#[derive(Debug)]
pub(crate) struct GlobalCopy {
    receiver: GlobalReceiver,
    looked_in: Option<u64>,
    /// Grows with every copy that is another one.
    copies: u64,
    /// How many frames of the sender have never been copied.
    missed: u64,
    lock_wait: Duration,
    error: Option<Error>,
    has_died: bool,
}

impl GlobalCopy {
    fn over(segment: SegmentReceiver) -> Self {
        Self {
            receiver: GlobalReceiver::over(segment),
            looked_in: None,
            copies: 0,
            missed: 0,
            lock_wait: Duration::ZERO,
            error: None,
            has_died: false,
        }
    }

    fn look(&mut self, limit: Duration) {
        let receiver = &mut self.receiver;
        receiver.set_lock_limit(limit);
        let abandoned = receiver.stats().abandoned;
        let before = tdshm::lock_wait();
        self.error = None;
        match receiver.try_next() {
            Ok(Some(frame)) => {
                self.copies = self.copies.wrapping_add(1);
                self.missed = self.missed.saturating_add(frame.missed().unwrap_or(0));
            }
            Ok(None) => {}
            Err(error) => self.error = Some(error),
        }
        let waited = tdshm::lock_wait().saturating_sub(before);
        self.lock_wait = self.lock_wait.saturating_add(waited);
        self.has_died = receiver.stats().abandoned != abandoned;
    }

    /// What is served from.
    pub(crate) fn receiver(&mut self) -> &mut GlobalReceiver {
        &mut self.receiver
    }

    /// Which copy it is.
    pub(crate) fn copies(&self) -> u64 {
        self.copies
    }

    /// How many frames of the sender have never been copied.
    pub(crate) fn missed(&self) -> u64 {
        self.missed
    }

    /// How long the looks have waited for locks.
    pub(crate) fn lock_wait(&self) -> Duration {
        self.lock_wait
    }

    /// Why there was no copy in this frame, where there is a reason.
    pub(crate) fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Whether the sender was found to have died with the lock, in this frame.
    pub(crate) fn has_died(&self) -> bool {
        self.has_died
    }

    pub(crate) fn is_attached(&self) -> bool {
        self.receiver.attached() == Attached::Yes
    }
}
