//! Where a Shared Mem In operator has its frames from: a segment of its own, or Global memory.

use std::sync::Arc;

use tdshm::{SegmentReceiver, SegmentStats};

use super::{Counts, FromGlobal, Receiver, Side, Trouble, Wanted};
use crate::cook::Cook;

/// What an In operator reads, and what it has counted there.
pub(in crate::ops) struct Feed<R> {
    wanted: Wanted,
    from: Option<From<R>>,
    pub(in crate::ops) counts: Counts,
}

enum From<R> {
    Local(Box<R>),
    Global(Box<FromGlobal>),
}

impl<R> Default for Feed<R> {
    fn default() -> Self {
        Self { wanted: Wanted::default(), from: None, counts: Counts::default() }
    }
}

impl<R: Receiver> Feed<R> {
    /// Follows the parameters: another segment than before is let go of. The output stays until there is something of the
    /// new one.
    pub(in crate::ops) fn follow(&mut self, cook: &Cook) {
        let wanted = Wanted::of(cook);
        if wanted != self.wanted {
            self.part();
            self.wanted = wanted;
        }
    }

    /// The name that the parameters say.
    pub(in crate::ops) fn name(&self) -> Arc<str> {
        Arc::clone(&self.wanted.name)
    }

    /// Whether they say Global.
    pub(in crate::ops) fn is_global(&self) -> bool {
        self.wanted.is_global
    }

    /// The receiver of the own segment, to be [put back](Self::put_local). `None`: it cannot be opened, and the operator says
    /// why.
    pub(in crate::ops) fn take_local(&mut self, cook: &mut Cook) -> Option<Box<R>> {
        if let Some(From::Local(receiver)) = self.from.take() {
            return Some(receiver);
        }
        let name = self.name();
        match SegmentReceiver::builder(&name).lock_limit(Side::In.lock_limit(cook)).open() {
            Ok(segment) => Some(Box::new(R::over(segment))),
            Err(error) => {
                Trouble::of(Side::In, R::KIND, &name, &error).tell(cook);
                None
            }
        }
    }

    pub(in crate::ops) fn put_local(&mut self, receiver: Box<R>) {
        self.from = Some(From::Local(receiver));
    }

    /// What was seen of Global memory so far, to be [put back](Self::put_global).
    pub(in crate::ops) fn take_global(&mut self) -> Option<Box<FromGlobal>> {
        match self.from.take() {
            Some(From::Global(from)) => Some(from),
            _ => None,
        }
    }

    pub(in crate::ops) fn put_global(&mut self, from: Box<FromGlobal>) {
        self.from = Some(From::Global(from));
    }

    /// Lets go of the segment until somebody asks again; what a receiver knows of it stays.
    pub(in crate::ops) fn close(&mut self) {
        match &mut self.from {
            Some(From::Local(receiver)) => receiver.close(),
            Some(From::Global(_)) => self.part(),
            None => {}
        }
    }

    /// Lets go of the segment for good.
    pub(in crate::ops) fn part(&mut self) {
        match self.from.take() {
            Some(From::Local(receiver)) => self.counts.part(receiver.stats()),
            Some(From::Global(from)) => self.counts.part(from.stats),
            None => {}
        }
        self.wanted = Wanted::default();
    }

    /// The channels of the info set `shm` (operators §8.5).
    pub(in crate::ops) fn shm_info(&self, add: &mut dyn FnMut(&'static str, f64)) {
        match &self.from {
            None => self.counts.add(false, None, SegmentStats::default(), add),
            Some(From::Local(receiver)) => {
                self.counts.add(receiver.is_connected(), receiver.age(), receiver.stats(), add);
            }
            Some(From::Global(from)) => {
                let age = from.written.map(|written| written.elapsed());
                self.counts.add(from.is_attached, age, from.stats, add);
            }
        }
    }
}
