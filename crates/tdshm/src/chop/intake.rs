//! How a frame gets from the segment into memory of this program: without the lock where the sender counts its
//! writes, under the lock otherwise.
//!
//! Whatever is looked at here may change at any moment, and may be wrong. A header is copied once and checked; a
//! copy without the lock counts only when the sequence before it and after it are the same; until then the last
//! good frame stays.

use std::sync::Arc;
use std::time::{Duration, Instant};

use zerocopy::IntoBytes;

use crate::chop::frame::Notice;
use crate::chop::names::Change;
use crate::chop::receiver::{ChopReceiver, shape};
use crate::error::{BlockError, Error};
use crate::mem::{OutOfBounds, Region};
use crate::notice::Extension;
use crate::wire::chop::{ChopHeader, ChopLayout, HEADER_BYTES, names_run_out};

/// Tries after which names that change under the lock are given up: whoever writes them ignores it.
const TRIES: usize = 64;
/// What is borne with before the sender is asked to hold the next write back: to look at a new block counts as a
/// copy, and a small frame is written sooner than somebody is asked.
const AT_FIRST: Patience = Patience { copies: 2, write: Duration::from_micros(2) };
/// What is borne with before the lock is taken, to wait for a write's end or to learn that the writer died in the
/// middle (wire §11).
const IN_ALL: Patience = Patience { copies: 3, write: Duration::from_millis(1) };

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

/// A block that passed the checks: its header, the mapped bytes it was checked against, and what it said.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    pub(super) header: ChopHeader,
    /// 0: none has been checked.
    pub(super) mapped: usize,
    pub(super) layout: ChopLayout,
}

/// Which frame the receiver's own memory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// The data segment it was in.
    opening: u64,
    /// The info segment it was counted in.
    attachment: u64,
    /// The sequence when it was copied, and its number; `None` where nobody counts.
    counted: Option<(u64, u64)>,
    /// Whether block and names are still as they were when it was copied.
    current: bool,
}

/// What a look at the block found.
enum Examined {
    Ready,
    Blank,
    Names(Change),
}

/// What an attempt without the lock came to. One variant has a value, and that is a pointer, so that it travels in
/// registers.
enum Unlocked {
    /// The frame is there, and `self.counted` is its count.
    Copied,
    /// There is no frame.
    Nothing,
    /// A write spoiled the copy, or the block is another one than before and has been looked at first.
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
pub(super) struct Counted {
    sequence: u64,
    number: u64,
    written: u64,
}

/// Where samples are copied to.
trait Target {
    /// Room for so many.
    fn room(&mut self, count: usize) -> Result<&mut [f32], BlockError>;
}

impl Target for Vec<f32> {
    #[inline]
    fn room(&mut self, count: usize) -> Result<&mut [f32], BlockError> {
        if self.len() != count {
            self.resize(count, 0.0);
        }
        Ok(self)
    }
}

impl Target for [f32] {
    #[inline]
    fn room(&mut self, count: usize) -> Result<&mut [f32], BlockError> {
        let found = self.len();
        self.get_mut(..count).ok_or_else(|| {
            let rule = "the frame has so many:";
            BlockError::int("samples in the buffer", found, rule, count, "give a longer buffer")
        })
    }
}

impl ChopReceiver {
    /// Whether there is a frame that is new, which is then in `self.frame`.
    #[inline]
    pub(super) fn poll(&mut self) -> Result<bool, Error> {
        if self.has_newest() {
            self.segment.was_idle();
            return Ok(false);
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
    pub(super) fn look_around(&mut self) {
        self.reads = self.reads.wrapping_add(1);
        // Where somebody counts, [`take`](Self::take) sees that nothing is new.
        if self.reads.is_multiple_of(8) || self.segment.notices().is_none() {
            self.segment.was_idle();
        }
    }

    /// Compares what lies there with the last frame, without the lock: a write under way can only make them
    /// differ, and then the lock is taken to see.
    fn differs(&self) -> bool {
        let Some(region) = self.segment.region() else { return true };
        let same = self.taken.is_some_and(|t| t.current && t.opening == self.segment.openings())
            && self.block.is_at(region)
            && self.book.is_at(region, &self.block.layout)
            && region.equals(self.block.layout.samples_at, self.frame.samples().as_bytes()) == Ok(true);
        !same
    }

    /// Copies the newest frame into `self.frame`. `false`: there is none.
    #[inline]
    pub(super) fn take(&mut self) -> Result<bool, Error> {
        if self.has_newest() {
            self.segment.was_idle();
            return Ok(true);
        }
        let mut next = std::mem::take(&mut self.next);
        let outcome = self.copy_unlocked(&mut next);
        self.next = next;
        match outcome {
            Unlocked::Copied => {
                std::mem::swap(&mut self.frame.samples, &mut self.next);
                self.frame.abandoned = self.segment.take_untold();
                self.took(Some(self.counted));
                Ok(true)
            }
            Unlocked::Nothing => Ok(false),
            Unlocked::Spoiled | Unlocked::Contended => self.take_locked(),
            Unlocked::Failed(error) => Err(*error),
        }
    }

    /// Copies the newest frame's samples into `to`. `false`: there is none.
    pub(super) fn take_into(&mut self, to: &mut [f32]) -> Result<bool, Error> {
        match self.copy_unlocked(to) {
            Unlocked::Copied => return Ok(true),
            Unlocked::Nothing => return Ok(false),
            Unlocked::Spoiled | Unlocked::Contended => {}
            Unlocked::Failed(error) => return Err(*error),
        }
        let Some(view) = self.view_here()? else { return Ok(false) };
        let samples = view.samples();
        samples.copy_to(to.room(samples.len())?);
        Ok(true)
    }

    /// Under the lock.
    #[cold]
    fn take_locked(&mut self) -> Result<bool, Error> {
        loop {
            if !self.settle()? {
                return Ok(false);
            }
            let count = self.block.layout.num_samples();
            let samples = &mut self.frame.samples;
            if samples.capacity() < count {
                // Nothing allocates while the lock is held.
                self.segment.release_to_retry();
                samples.reserve(count.saturating_sub(samples.len()));
                continue;
            }
            samples.resize(count, 0.0);
            let copied = self
                .segment
                .region()
                .map(|region| region.copy_out(self.block.layout.samples_at, samples.as_mut_bytes()));
            let counted = self.segment.notices().and_then(Counted::now);
            self.frame.abandoned = self.segment.abandoned();
            self.segment.release();
            debug_assert_eq!(copied, Some(Ok(())), "`settle` checked the bounds");
            self.took(counted);
            return Ok(true);
        }
    }

    /// Notes what `self.frame` is now.
    #[inline]
    fn took(&mut self, counted: Option<Counted>) {
        let (opening, attachment) = (self.segment.openings(), self.segment.attachments());
        let last = self.taken.filter(|taken| taken.attachment == attachment).and_then(|taken| taken.counted);
        self.frame.notice = counted.map(|Counted { number, written, .. }| Notice {
            number,
            written,
            missed: last.map_or(0, |(_, last)| number.saturating_sub(last).saturating_sub(1)),
        });
        if !self.taken.is_some_and(|taken| taken.current) {
            self.frame.names = Arc::clone(self.book.table());
            self.frame.shape = shape(&self.block.layout);
        }
        if let (Some(counted), Some(entry)) = (counted, self.segment.entry()) {
            entry.took(counted.number);
        }
        let counted = counted.map(|counted| (counted.sequence, counted.number));
        self.taken = Some(Taken { opening, attachment, counted, current: true });
    }

    /// Copies the newest frame's samples without the lock.
    #[inline]
    fn copy_unlocked<T: Target + ?Sized>(&mut self, to: &mut T) -> Unlocked {
        match self.copy_while(to, AT_FIRST) {
            Unlocked::Contended => self.copy_held_back(to),
            outcome => outcome,
        }
    }

    /// As [`copy_unlocked`](Self::copy_unlocked), when nothing is open yet, or writes are in the way: asks the sender to
    /// hold the next one back.
    #[cold]
    fn copy_held_back<T: Target + ?Sized>(&mut self, to: &mut T) -> Unlocked {
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
        if self.segment.notices().is_none() {
            return Unlocked::Contended;
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
    fn copy_while<T: Target + ?Sized>(&mut self, to: &mut T, patience: Patience) -> Unlocked {
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
    fn copy_here<T: Target + ?Sized>(&mut self, begun: u64, to: &mut T) -> Unlocked {
        let (Some(region), Some(notices)) = (self.segment.region(), self.segment.notices()) else {
            return Unlocked::Spoiled;
        };
        if !(self.block.is_at(region) && self.book.is_at(region, &self.block.layout)) {
            return self.learn(begun);
        }
        let layout = &self.block.layout;
        let samples = match to.room(layout.num_samples()) {
            Ok(samples) => samples,
            Err(error) => return error.into(),
        };
        if region.copy_out(layout.samples_at, samples.as_mut_bytes()).is_err() {
            return Unlocked::Nothing; // the bounds were checked with the block
        }
        let (number, written) = notices.newest();
        let still = notices.is_still(begun);
        self.counted = Counted { sequence: begun, number, written };
        if still { Unlocked::Copied } else { Unlocked::Spoiled }
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
            Ok(Examined::Names(change)) => match self.rebuild(change) {
                Ok(()) => Unlocked::Spoiled,
                Err(error) => error.into(),
            },
            Err(error) => error.into(),
        }
    }

    /// Takes the lock with the book's names being those of the block, and `self.block` saying what is where.
    /// `false`, and the lock free: nobody sends, or nothing has been written yet. After `true` the caller lets
    /// go of the lock.
    pub(super) fn settle(&mut self) -> Result<bool, Error> {
        for _ in 0..TRIES {
            if !self.segment.acquire()? {
                return Ok(false);
            }
            let change = match self.examine() {
                Ok(Examined::Ready) => return Ok(true),
                Ok(Examined::Blank) => {
                    self.segment.release_to_retry();
                    return Ok(false);
                }
                Ok(Examined::Names(change)) => change,
                Err(error) => {
                    self.segment.release_to_retry();
                    return Err(error.into());
                }
            };
            self.segment.release_to_retry();
            self.rebuild(change)?;
        }
        Err(names_run_out(self.block.layout.num_channels, 0).into())
    }

    fn rebuild(&mut self, change: Change) -> Result<(), BlockError> {
        self.not_current();
        self.book.rebuild(change)
    }

    /// `self.frame` is not of this block or of these names any more.
    fn not_current(&mut self) {
        if let Some(taken) = &mut self.taken {
            taken.current = false;
        }
    }

    /// Checks the block that lies there. Allocates nothing: the lock may be held.
    fn examine(&mut self) -> Result<Examined, BlockError> {
        let Some(region) = self.segment.region() else { return Ok(Examined::Blank) };
        if !self.block.is_at(region) {
            let too_small = |OutOfBounds| {
                let advice = "its sender made it too small for a channel block";
                BlockError::int("mapped bytes", region.len(), "a header alone has", HEADER_BYTES, advice)
            };
            let header: ChopHeader = region.read(0).map_err(too_small)?;
            if header.is_blank() {
                return Ok(Examined::Blank);
            }
            let layout = header.check(region.len())?;
            self.block = Block { header, mapped: region.len(), layout };
            if let Some(taken) = &mut self.taken {
                taken.current = false;
            }
        }
        Ok(match self.book.differ(region, &self.block.layout)? {
            None => Examined::Ready,
            Some(change) => Examined::Names(change),
        })
    }
}

impl Block {
    /// Whether the header that lies there is the one that was checked.
    #[inline]
    fn is_at(&self, region: Region<'_>) -> bool {
        self.mapped == region.len() && region.equals(0, self.header.as_bytes()) == Ok(true)
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
