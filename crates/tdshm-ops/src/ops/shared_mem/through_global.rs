//! What the shared-memory operators have in common where Shared Mem Type is Global (operators §2).

use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use tdshm::{Error, GlobalFrame, GlobalSender, SegmentStats};

use super::{Counts, Kind, NO_GLOBAL_SENDER, Side, Trouble, receiver_died, sender_died};
use crate::cook::Cook;
use crate::global::{GlobalCopy, GlobalPlace, GlobalReader};

/// An operator's place in Global memory, and what it saw of the frames that went out there.
#[derive(Default)]
pub(in crate::ops) struct IntoGlobal {
    place: Option<GlobalPlace>,
    missed: u64,
    abandoned: u64,
    lock_wait: Duration,
    pub(in crate::ops) stats: SegmentStats,
}

impl IntoGlobal {
    /// Whether it has put something in.
    pub(in crate::ops) fn has_place(&self) -> bool {
        self.place.is_some()
    }

    /// Puts data in, by a closure that calls one of the sender's `put` functions with that name, and says what came of those
    /// that went out before.
    pub(in crate::ops) fn put(
        &mut self,
        cook: &mut Cook,
        kind: Kind,
        name: &Arc<str>,
        counts: &mut Counts,
        put: impl FnOnce(&mut GlobalSender) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let limit = Side::Out.lock_limit(cook);
        let mut said = None;
        let result = cook.global(|global| {
            let published = global.published();
            if self.place.is_some() {
                counts.missed = counts.missed.saturating_add(published.missed.saturating_sub(self.missed));
                counts.waited(published.lock_wait.saturating_sub(self.lock_wait));
                said = published.error.as_ref().map(|error| Trouble::of(Side::Out, kind, name, error));
                if published.abandoned != self.abandoned {
                    said = Some(Trouble::Warning(receiver_died(name)));
                }
            }
            (self.missed, self.abandoned) = (published.missed, published.abandoned);
            self.lock_wait = published.lock_wait;
            let put = global.put(&mut self.place, kind.global(), name, limit, put);
            self.stats = global.sender_stats();
            put
        });
        if let Some(said) = said {
            said.tell(cook);
        }
        result.unwrap_or(Ok(()))
    }
}

/// What an operator saw of Global memory.
pub(in crate::ops) struct FromGlobal {
    #[expect(dead_code, reason = "it keeps the segment open")]
    reader: GlobalReader,
    copies: Option<u64>,
    missed: u64,
    lock_wait: Duration,
    /// As of the last look: whether it was there, and what had happened to it.
    pub(in crate::ops) is_attached: bool,
    pub(in crate::ops) stats: SegmentStats,
    pub(in crate::ops) written: Option<Instant>,
}

/// One look, in one cook. The copy goes back with [`Cook::global`].
pub(in crate::ops) struct Looked {
    pub(in crate::ops) copy: Box<GlobalCopy>,
    pub(in crate::ops) from: Box<FromGlobal>,
    /// The copy is another one than before.
    pub(in crate::ops) is_new: bool,
    /// There is a sender, and nothing was in the way: what is not in the copy is not sent.
    pub(in crate::ops) may_be_there: bool,
}

impl FromGlobal {
    /// Looks at this frame's copy, and says what is in the way. `None`: it cannot be opened at all.
    pub(in crate::ops) fn look(
        from: Option<Box<Self>>,
        cook: &mut Cook,
        kind: Kind,
        name: &str,
        counts: &mut Counts,
    ) -> Option<Looked> {
        let limit = Side::In.lock_limit(cook);
        let (mut copy, reader) = match cook.global(|global| global.look(limit))? {
            Ok(looked) => looked,
            Err(error) => {
                Trouble::of(Side::In, kind, name, &error).tell(cook);
                return None;
            }
        };
        let mut from = from.unwrap_or_else(|| Box::new(Self::over(reader, &copy)));
        if let Some(error) = copy.error() {
            Trouble::of(Side::In, kind, name, error).tell(cook);
        }
        if copy.has_died() {
            cook.warn(sender_died(name));
        } else if copy.error().is_none() && !copy.is_attached() {
            cook.warn(NO_GLOBAL_SENDER);
        }
        let is_new = from.note(&mut copy, counts);
        let may_be_there = from.is_attached && copy.error().is_none();
        Some(Looked { copy, from, is_new, may_be_there })
    }

    fn over(reader: GlobalReader, copy: &GlobalCopy) -> Self {
        Self {
            reader,
            copies: None,
            missed: copy.missed(),
            lock_wait: copy.lock_wait(),
            is_attached: false,
            stats: SegmentStats::default(),
            written: None,
        }
    }

    /// Notes what the look of this frame found. `true`: the copy is another one than before.
    fn note(&mut self, copy: &mut GlobalCopy, counts: &mut Counts) -> bool {
        counts.missed = counts.missed.saturating_add(copy.missed().saturating_sub(self.missed));
        counts.waited(copy.lock_wait().saturating_sub(self.lock_wait));
        (self.missed, self.lock_wait) = (copy.missed(), copy.lock_wait());
        (self.is_attached, self.stats) = (copy.is_attached(), copy.receiver().stats());
        let is_new = copy.receiver().frame().is_some() && self.copies != Some(copy.copies());
        if is_new {
            self.copies = Some(copy.copies());
            let age = copy.receiver().frame().and_then(GlobalFrame::age);
            self.written = age.and_then(|age| Instant::now().checked_sub(age));
        }
        is_new
    }
}
