//! Taking the lock with the block known that lies there.

use std::time::Instant;

use crate::error::{BlockError, Error};
use crate::intake::block::{Block, Examined};
use crate::intake::{ASKED_TRIES, FIRST_TRIES, Intake, ROUNDS, UNSETTLED};

impl<B: Block> Intake<B> {
    /// Takes the lock with `self.block` saying what lies there. `false`, and the lock free: nobody sends, or nothing has
    /// been written yet. After `true` the caller lets go of the lock.
    pub(super) fn settle(&mut self) -> Result<bool, Error> {
        if let Some(settled) = self.settle_within(FIRST_TRIES)? {
            return Ok(settled);
        }
        let (begin, mut rounds) = (Instant::now(), 0_usize);
        while rounds < ROUNDS || begin.elapsed() < UNSETTLED {
            rounds = rounds.saturating_add(1);
            // What was found is learnt while the lock is free, and each time another block was written meanwhile.
            if let Some(settled) = self.settle_asking()? {
                return Ok(settled);
            }
            if let Some(settled) = self.settle_within(FIRST_TRIES)? {
                return Ok(settled);
            }
        }
        Err(self.block.unsettled().into())
    }

    /// As [`settle_within`](Self::settle_within), while the sender is asked to hold its writes back. It does so once, for a
    /// bounded time, and again when it has seen that nobody asked any more: so one asks anew after some tries without.
    fn settle_asking(&mut self) -> Result<Option<bool>, Error> {
        let attachment = self.segment.attachments();
        if let Some(entry) = self.segment.entry() {
            entry.ask();
        }
        let settled = self.settle_within(ASKED_TRIES);
        // Another sender's entry was never asked.
        if let Some(entry) = self.segment.entry()
            && self.segment.attachments() == attachment
        {
            entry.ask_no_more();
        }
        settled
    }

    /// As [`settle`](Self::settle). `None`, and the lock free: it was another block each time.
    fn settle_within(&mut self, tries: usize) -> Result<Option<bool>, Error> {
        for _ in 0..tries {
            if !self.segment.acquire()? {
                return Ok(Some(false));
            }
            let change = match self.examine() {
                Ok(Examined::Ready) => return Ok(Some(true)),
                Ok(Examined::Blank) => {
                    self.segment.release_to_retry();
                    return Ok(Some(false));
                }
                Ok(Examined::Changed(change)) => change,
                Err(error) => {
                    self.segment.release_to_retry();
                    return Err(error.into());
                }
            };
            self.segment.release_to_retry();
            self.block.rebuild(change)?;
        }
        Ok(None)
    }

    /// Checks the block that lies there. Allocates nothing: the lock may be held.
    pub(super) fn examine(&mut self) -> Result<Examined<B::Change>, BlockError> {
        let Some(region) = self.segment.region() else { return Ok(Examined::Blank) };
        if self.block.is_at(region) {
            return Ok(Examined::Ready);
        }
        if let Some(taken) = &mut self.taken {
            taken.current = false;
        }
        self.block.examine(region)
    }
}
