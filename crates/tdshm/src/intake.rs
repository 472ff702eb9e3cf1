//! How a frame gets from the segment into memory of this program, whatever kind of block it is: without the lock
//! where the sender counts its writes, under the lock otherwise.
//!
//! Whatever is looked at here may change at any moment, and may be wrong. A header is copied once and checked; a
//! copy without the lock counts only when the sequence before it and after it are the same; until then the last
//! good frame stays.

pub(crate) mod block;
mod doubt;
mod settle;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::intake::block::{Block, Examined, Notice, Target};
use crate::mem::{OutOfBounds, Region};
use crate::notice::Extension;
use crate::notice::slots::Current;
use crate::segment::read::ReadGuard;
use crate::segment::receiver::SegmentReceiver;
use crate::step::step;
use crate::sys;

/// Segments after which one that moves again and again is copied from under the lock.
const TRIES: usize = 64;
/// Tries after which the sender is asked to hold the next write back.
const FIRST_TRIES: usize = 3;
/// Tries while it is asked.
const ASKED_TRIES: usize = 4;
/// Rounds of both, and the time, after which a block that changes each time is given up: whoever writes it ignores the
/// lock. On a busy machine a sender may get its turn before a reader's for many rounds.
const ROUNDS: usize = 16;
const UNSETTLED: Duration = Duration::from_millis(500);
/// What is borne with before the sender is asked to hold the next write back: a small frame is written sooner than
/// somebody is asked.
const AT_FIRST: Patience = Patience { copies: 2, write: Duration::from_micros(2) };
/// What is borne with before the lock is taken, to wait for a write's end or to learn that the writer died in the
/// middle (wire §11).
const IN_ALL: Patience = Patience { copies: 3, write: Duration::from_millis(1) };
/// What is borne with where the sender fills one place beside another: a place that is pinned stays, so who tries again
/// gets it, and nobody has the lock for the length of a copy.
const BESIDE: Patience = Patience { copies: 64, write: Duration::from_millis(1) };
/// How often the lock is taken to look, and let go of to copy, before the copy is made under it.
const LOOKS: usize = 3;
/// What an observer bears with, which can neither ask nor take the lock, before it says that there is nothing.
const OBSERVING: Patience = Patience { copies: 64, write: Duration::from_millis(20) };

/// What a copy without the lock bears with.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// Copies that writes spoiled.
    copies: usize,
    /// How long one write is under way.
    write: Duration,
}

/// Which frame the receiver's own memory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Taken {
    /// The data segment it was in.
    opening: u64,
    /// The info segment it was counted in.
    attachment: u64,
    /// The sequence when it was copied, and its number; `None` where nobody counts.
    counted: Option<(u64, u64)>,
    /// Whether the block is still as it was when it was copied, and the copy is still here.
    current: bool,
}

/// What an attempt without the lock came to. One variant has a value, and that is a pointer, so that it travels in
/// registers.
enum Unlocked {
    /// The frame is there, and `self.counted` is its count.
    Copied,
    /// There is no frame.
    Nothing,
    /// A write spoiled the copy.
    Spoiled,
    /// Take the lock.
    Contended,
    /// What lies there breaks a rule, or the way to it is barred.
    Failed(Box<Error>),
}

impl<E: Into<Error>> From<E> for Unlocked {
    #[cold]
    fn from(error: E) -> Self {
        Self::Failed(Box::new(error.into()))
    }
}

/// What a sender counts.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    sequence: u64,
    number: u64,
    written: u64,
}

/// What a receiver of blocks is made of, but for what it shows of them.
#[derive(Debug)]
pub(crate) struct Intake<B: Block> {
    pub(crate) segment: SegmentReceiver,
    pub(crate) block: B,
    frame: B::Frame,
    taken: Option<Taken>,
    /// Where data are copied to until it is known that they are whole.
    next: Vec<B::Item>,
    /// The count of what was copied there.
    counted: Counted,
    reads: u32,
    pub(crate) spin: Duration,
}

impl<B: Block> Intake<B> {
    /// Reads through a segment; `empty` is what there is before the first frame.
    pub(crate) fn over(segment: SegmentReceiver, empty: B::Frame) -> Self {
        Self {
            segment,
            block: B::default(),
            frame: empty,
            taken: None,
            next: Vec::new(),
            counted: Counted::default(),
            reads: 0,
            spin: Duration::ZERO,
        }
    }

    /// The last good frame; `None` before the first.
    pub(crate) fn frame(&self) -> Option<&B::Frame> {
        self.taken.is_some().then_some(&self.frame)
    }

    /// Takes the last frame's data and leaves `with` for a later one. `false`, and nothing is done, where they are needed to
    /// tell the next frame from this one.
    pub(crate) fn swap_data(&mut self, with: &mut Vec<B::Item>) -> bool {
        if sys::LIVE_SENDERS_ARE_ROBBED || self.segment.notices().is_none() {
            return false;
        }
        let Some(taken) = self.taken.as_mut().filter(|taken| taken.counted.is_some()) else { return false };
        taken.current = false;
        std::mem::swap(B::parts(&mut self.frame).0, with);
        true
    }

    /// What will become the next frame, before there is a first.
    pub(crate) fn frame_mut(&mut self) -> &mut B::Frame {
        &mut self.frame
    }

    /// The newest frame, new or not.
    #[inline]
    pub(crate) fn read(&mut self) -> Result<Option<&B::Frame>, Error> {
        self.look_around();
        Ok(if self.take()? { Some(&self.frame) } else { None })
    }

    /// Copies the newest frame's data, new or not. `false`: there is none.
    #[inline]
    pub(crate) fn read_into<T: Target<B> + ?Sized>(&mut self, to: &mut T) -> Result<bool, Error> {
        self.look_around();
        match self.copy_unlocked(to) {
            Unlocked::Copied => Ok(true),
            Unlocked::Nothing => Ok(false),
            Unlocked::Spoiled | Unlocked::Contended => Ok(self.copy_locked(to)?.is_some()),
            Unlocked::Failed(error) => Err(*error),
        }
    }

    /// The newest frame where it lies, under the lock: its guard, and its data.
    pub(crate) fn view(&mut self) -> Result<Option<(ReadGuard<'_>, Region<'_>, &B)>, Error> {
        self.look_around();
        if !self.settle()? {
            return Ok(None);
        }
        let (at, count) = self.block.place();
        let Some(guard) = self.segment.adopt() else { return Ok(None) };
        let Some(region) = self.segment.region() else { return Ok(None) };
        match region.part(at, count.saturating_mul(size_of::<B::Item>())) {
            Ok(data) => Ok(Some((guard, data, &self.block))),
            Err(OutOfBounds) => Ok(None),
        }
    }

    /// The next frame that is new, if it is there already.
    pub(crate) fn try_next(&mut self) -> Result<Option<&B::Frame>, Error> {
        Ok(if self.poll()? { Some(&self.frame) } else { None })
    }

    /// The next frame that is new, waiting up to `limit` for it, and for its sender.
    pub(crate) fn next_timeout(&mut self, limit: Duration) -> Result<Option<&B::Frame>, Error> {
        let begin = Instant::now();
        loop {
            let seen = self.segment.wake_word();
            if self.poll()? {
                return Ok(Some(&self.frame));
            }
            let waited = begin.elapsed();
            if waited >= limit {
                return Ok(None);
            }
            if waited < self.spin {
                core::hint::spin_loop();
            } else {
                self.segment.sleep(seen, limit.saturating_sub(waited));
            }
        }
    }

    /// Whether there is a frame that is new, which is then in `self.frame`.
    #[inline]
    fn poll(&mut self) -> Result<bool, Error> {
        if self.has_newest() {
            self.segment.was_idle();
            if !self.segment.take_doubt() || !self.is_robbed()? {
                return Ok(false);
            }
        }
        let new = self.poll_anew();
        if matches!(new, Ok(true)) {
            self.segment.was_news();
        } else {
            // Also after an error: whoever wrote what is wrong there may be gone, and another one have come.
            self.segment.was_idle();
        }
        new
    }

    fn poll_anew(&mut self) -> Result<bool, Error> {
        if self.segment.stays_closed() {
            return Ok(false);
        }
        if !self.segment.look()? {
            return Ok(false);
        }
        let before = self.taken;
        match self.segment.notices() {
            // A resize that failed counts as a write, and brings no frame.
            Some(_) => {
                Ok(self.take()? && self.taken.and_then(Taken::number) != before.and_then(Taken::number))
            }
            None => Ok(self.differs() && self.take()?),
        }
    }

    /// Whether `self.frame` is the newest frame, for sure: two loads.
    #[inline]
    fn has_newest(&self) -> bool {
        let (Some(taken), Some(notices)) = (&self.taken, self.segment.notices()) else { return false };
        let Some((sequence, _)) = taken.counted else { return false };
        taken.attachment == self.segment.attachments()
            && notices.sequence() == Some(sequence)
            && !self.segment.has_left()
    }

    /// Reading whatever lies there does not tell whether it is new, so from time to time the sender and the names
    /// are looked after here.
    #[inline]
    fn look_around(&mut self) {
        self.reads = self.reads.wrapping_add(1);
        // Where somebody counts, [`take`](Self::take) sees that nothing is new.
        if self.reads.is_multiple_of(8) || self.segment.notices().is_none() {
            self.segment.was_idle();
        }
    }

    /// Compares what lies there with the last frame, without the lock: a write under way can only make them
    /// differ, and then the lock is taken to see.
    fn differs(&mut self) -> bool {
        let Some(region) = self.segment.region() else { return true };
        let data = B::data(&self.frame);
        let same = self.taken.is_some_and(|t| t.current && t.opening == self.segment.openings())
            && self.block.is_at(region)
            && self.block.has_data(region, data);
        !same
    }

    /// Copies the newest frame into `self.frame`. `false`: there is none.
    #[inline]
    fn take(&mut self) -> Result<bool, Error> {
        if self.has_newest() && self.taken.is_some_and(|taken| taken.current) {
            self.segment.was_idle();
            if !self.segment.take_doubt() || !self.is_robbed()? {
                return Ok(true);
            }
        }
        let mut next = std::mem::take(&mut self.next);
        let outcome = self.copy_unlocked(&mut next);
        self.next = next;
        match outcome {
            Unlocked::Copied => {
                let (data, receipt) = B::parts(&mut self.frame);
                std::mem::swap(data, &mut self.next);
                receipt.abandoned = self.segment.take_untold();
                self.took(Some(self.counted));
                Ok(true)
            }
            Unlocked::Nothing => Ok(false),
            Unlocked::Spoiled | Unlocked::Contended => self.take_locked(),
            Unlocked::Failed(error) => Err(*error),
        }
    }

    /// Copied beside the last frame, which stays whole whatever comes in between.
    #[cold]
    fn take_locked(&mut self) -> Result<bool, Error> {
        let mut next = std::mem::take(&mut self.next);
        let copied = self.copy_locked(&mut next);
        self.next = next;
        let Some(counted) = copied? else { return Ok(false) };
        let (data, receipt) = B::parts(&mut self.frame);
        std::mem::swap(data, &mut self.next);
        receipt.abandoned = self.segment.abandoned();
        self.took(counted);
        Ok(true)
    }

    /// Copies under the lock. `None`: there is no frame; else its count, where somebody counts.
    #[cold]
    fn copy_locked<T: Target<B> + ?Sized>(&mut self, to: &mut T) -> Result<Option<Option<Counted>>, Error> {
        let mut looks = 0_usize;
        loop {
            if !self.settle()? {
                return Ok(None);
            }
            if !to.has_room(&self.block) {
                // Nothing allocates while the lock is held.
                self.segment.release_to_retry();
                to.make_room(&self.block)?;
                continue;
            }
            if looks < LOOKS && self.segment.notices().is_some_and(Extension::is_divided) {
                // The last write has ended: from here on the place can be copied while the lock is free.
                looks = looks.saturating_add(1);
                self.segment.release_to_retry();
                match self.copy_while(to, BESIDE) {
                    Unlocked::Copied => {
                        self.segment.take_untold();
                        return Ok(Some(Some(self.counted)));
                    }
                    Unlocked::Nothing => return Ok(None),
                    Unlocked::Failed(error) => return Err(*error),
                    Unlocked::Spoiled | Unlocked::Contended => continue,
                }
            }
            let copied = self.segment.region().map(|region| to.copy(&self.block, region));
            let counted = self.segment.notices().and_then(Counted::now);
            self.segment.release();
            debug_assert_eq!(copied, Some(Ok(())), "`settle` checked the bounds");
            return Ok(Some(counted));
        }
    }

    /// Notes what `self.frame` is now.
    #[inline]
    fn took(&mut self, counted: Option<Counted>) {
        let (opening, attachment) = (self.segment.openings(), self.segment.attachments());
        let last = self.taken.filter(|taken| taken.attachment == attachment).and_then(|taken| taken.counted);
        B::parts(&mut self.frame).1.notice = counted.map(|Counted { number, written, .. }| Notice {
            number,
            written,
            missed: last.map_or(0, |(_, last)| number.saturating_sub(last).saturating_sub(1)),
        });
        if !self.taken.is_some_and(|taken| taken.current) {
            self.block.describe(&mut self.frame);
        }
        if let (Some(counted), Some(entry)) = (counted, self.segment.entry()) {
            entry.took(counted.number);
        }
        let counted = counted.map(|counted| (counted.sequence, counted.number));
        self.taken = Some(Taken { opening, attachment, counted, current: true });
    }

    /// Copies the newest frame's samples without the lock.
    #[inline]
    fn copy_unlocked<T: Target<B> + ?Sized>(&mut self, to: &mut T) -> Unlocked {
        match self.copy_while(to, AT_FIRST) {
            Unlocked::Contended => self.copy_held_back(to),
            outcome => outcome,
        }
    }

    /// As [`copy_unlocked`](Self::copy_unlocked), when nothing is open yet, or writes are in the way: asks the sender to
    /// hold the next one back.
    #[cold]
    fn copy_held_back<T: Target<B> + ?Sized>(&mut self, to: &mut T) -> Unlocked {
        if self.segment.region().is_none() {
            match self.segment.look() {
                Ok(true) => {}
                Ok(false) => return Unlocked::Nothing,
                Err(error) => return error.into(),
            }
            match self.copy_while(to, AT_FIRST) {
                Unlocked::Contended => {}
                outcome => return outcome,
            }
        }
        let attachment = self.segment.attachments();
        if self.segment.is_observer() {
            return match self.copy_while(to, OBSERVING) {
                Unlocked::Contended => Unlocked::Nothing,
                outcome => outcome,
            };
        }
        let Some(notices) = self.segment.notices() else { return Unlocked::Contended };
        if notices.is_divided() {
            return self.copy_while(to, BESIDE);
        }
        let Some(entry) = self.segment.entry() else { return self.copy_while(to, IN_ALL) };
        entry.ask();
        let outcome = self.copy_while(to, IN_ALL);
        // Another sender's entry was never asked.
        if let Some(entry) = self.segment.entry()
            && self.segment.attachments() == attachment
        {
            entry.ask_no_more();
        }
        outcome
    }

    /// Copies until one is whole, or the patience has come to its end.
    #[inline]
    fn copy_while<T: Target<B> + ?Sized>(&mut self, to: &mut T, patience: Patience) -> Unlocked {
        let (mut spoiled, mut moves) = (0_usize, 0_usize);
        let mut waiting: Option<Instant> = None;
        while spoiled < patience.copies {
            // First the sequence, then where it points to: the other way round a move could go unnoticed.
            let Some(notices) = self.segment.notices() else { return Unlocked::Contended };
            let Some(begun) = notices.sequence() else { return Unlocked::Contended };
            if begun & 1 == 1 {
                if waiting.get_or_insert_with(Instant::now).elapsed() > patience.write {
                    return Unlocked::Contended;
                }
                core::hint::spin_loop();
                continue;
            }
            if self.segment.has_moved() {
                match self.segment.look() {
                    Ok(true) => {}
                    Ok(false) => return Unlocked::Nothing,
                    Err(error) => return error.into(),
                }
                moves = moves.saturating_add(1);
                if moves > TRIES {
                    return Unlocked::Contended;
                }
                continue;
            }
            waiting = None;
            match self.copy_here(begun, to) {
                Unlocked::Spoiled => spoiled = spoiled.saturating_add(1),
                outcome => return outcome,
            }
        }
        Unlocked::Contended
    }

    /// One copy of what was there when the sequence was `begun`.
    #[inline]
    fn copy_here<T: Target<B> + ?Sized>(&mut self, begun: u64, to: &mut T) -> Unlocked {
        let (Some(region), Some(notices)) = (self.segment.region(), self.segment.notices()) else {
            return Unlocked::Spoiled;
        };
        if !self.block.is_at(region) {
            return self.learn(begun);
        }
        if let Err(error) = to.make_room(&self.block) {
            // What there is no room for may be half of a header that is just being written.
            return if notices.is_still(begun) { error.into() } else { Unlocked::Spoiled };
        }
        if let Some(place) = notices.current() {
            return self.copy_place(begun, place, to);
        }
        if to.copy(&self.block, region).is_err() {
            return Unlocked::Nothing; // the bounds were checked with the block
        }
        let (number, written) = notices.newest();
        let still = notices.is_still(begun);
        self.counted = Counted { sequence: begun, number, written };
        if still { Unlocked::Copied } else { Unlocked::Spoiled }
    }

    /// As [`copy_here`](Self::copy_here), of a place that the sender leaves alone as long as it is current or pinned.
    fn copy_place<T: Target<B> + ?Sized>(&mut self, begun: u64, place: Current, to: &mut T) -> Unlocked {
        let (Some(region), Some(notices)) = (self.segment.region(), self.segment.notices()) else {
            return Unlocked::Spoiled;
        };
        let entry = self.segment.entry();
        let (number, written) = notices.newest();
        if let Some(entry) = entry {
            entry.pin(place);
        }
        step!("slot: pinned");
        // Still the current one, and pinned: from here on its own sequence counts.
        let mut outcome = Unlocked::Spoiled;
        if place.is_whole() && notices.is_still(begun) {
            if to.copy(&self.block, region).is_err() {
                outcome = Unlocked::Nothing; // the bounds were checked with the block
            } else if notices.is_untouched(place) {
                outcome = Unlocked::Copied;
            }
        }
        if let Some(entry) = entry {
            entry.unpin();
        }
        self.counted = Counted { sequence: begun, number, written };
        outcome
    }

    /// Learns a block that is not like the last one, without the lock. What is found is believed only if nothing
    /// was written meanwhile.
    #[cold]
    fn learn(&mut self, begun: u64) -> Unlocked {
        let examined = self.examine();
        if !self.segment.notices().is_some_and(|notices| notices.is_still(begun)) {
            // The block was checked against the mapping all the same, so nothing is out of bounds.
            return Unlocked::Spoiled;
        }
        match examined {
            Ok(Examined::Blank) => Unlocked::Nothing,
            Ok(Examined::Ready) => Unlocked::Spoiled,
            Ok(Examined::Changed(change)) => match self.block.rebuild(change) {
                Ok(()) => Unlocked::Spoiled,
                Err(error) => error.into(),
            },
            Err(error) => error.into(),
        }
    }
}

impl Taken {
    /// The number of the frame, with the info segment it was counted in.
    fn number(self) -> Option<(u64, u64)> {
        Some((self.attachment, self.counted?.1))
    }
}

impl Counted {
    /// For whoever holds the lock.
    fn now(notices: Extension<'_>) -> Option<Self> {
        let (number, written) = notices.newest();
        Some(Self { sequence: notices.sequence()?, number, written })
    }
}
