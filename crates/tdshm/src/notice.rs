//! The extension behind the info block, in memory: who owns the segment, and what was written (wire §11).
//!
//! The owner counts its writes here: the sequence is odd from before the first byte of a write to after its
//! last, so that a reader who finds it odd under the lock knows that the writer died in the middle.

pub(crate) mod bell;
pub(crate) mod slots;
pub(crate) mod turn;

use core::ops::Range;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use std::time::{Duration, Instant};

use crate::mem::{OutOfBounds, Region};
use crate::notice::bell::Word;
use crate::step::step;
use crate::sys::{self, Bell, Object, Process};
use crate::wire::notice as at;

/// In how many frames it is looked once who of those who wait lives: that takes time to find out.
const RECOUNT_EVERY: u32 = 64;
/// What an entry is counted for among the waiters, once for each.
const COUNTED: u32 = at::ENTRY_WAITING | at::ENTRY_READING;

/// The extension of an info segment that has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extension<'m> {
    region: Region<'m>,
}

impl<'m> Extension<'m> {
    /// The extension of an info segment, if there is one.
    pub(crate) fn of(info: Region<'m>) -> Option<Self> {
        let extension = Self::room(info)?;
        let size = info.read::<u32>(at::SIZE_OFFSET).ok()?;
        let large = usize::try_from(size).is_ok_and(|size| size >= at::BYTES);
        (large && info.read(at::OFFSET) == Ok(at::MAGIC)).then_some(extension)
    }

    /// Room for the extension, whatever lies there: for whoever set it up.
    #[inline]
    pub(crate) fn room(info: Region<'m>) -> Option<Self> {
        (info.len() >= at::EXTENDED_BYTES).then_some(Self { region: info })
    }

    /// As [`room`](Self::room), for its owner: that it may write, how far the extension reaches and that its words are
    /// aligned is asked once, here, and known to the compiler from here on.
    #[inline(always)]
    pub(crate) fn owned(info: Region<'m>) -> Option<Self> {
        if !info.is_writable() || !info.as_ptr().cast::<AtomicU64>().is_aligned() {
            return None;
        }
        Some(Self { region: info.part(0, at::EXTENDED_BYTES).ok()? })
    }

    /// Sets the extension up where there is room for it, with nothing written and nobody reading.
    pub(crate) fn set_up(info: Region<'m>, owner: Process, flags: u32) -> Option<Self> {
        let extension = Self::room(info)?;
        let put = || -> Result<(), OutOfBounds> {
            info.write(at::OFFSET, &[0_u8; at::BYTES])?;
            info.write(at::SIZE_OFFSET, &u32::try_from(at::BYTES).unwrap_or_default())?;
            info.write(at::FLAGS_OFFSET, &flags)
        };
        put().ok()?;
        extension.set_owner(owner);
        fence(Ordering::Release);
        info.write(at::OFFSET, &at::MAGIC).ok()?;
        Some(extension)
    }

    /// Who owns the segment; `None` when nobody does.
    pub(crate) fn owner(self) -> Option<Process> {
        // By whoever may only read as well.
        let pid = self.region.load_u32(at::OWNER_OFFSET).ok()?;
        fence(Ordering::Acquire);
        let start = self.region.load_u64(at::OWNER_START_OFFSET).ok()?;
        (pid != 0).then_some(Process { pid, start })
    }

    /// Writes the owner in: the start time first, the process id last, and the program's name.
    pub(crate) fn set_owner(self, owner: Process) {
        let mut program = [0_u8; at::PROGRAM_BYTES];
        for (to, from) in program.iter_mut().zip(sys::program_name().bytes().take(at::PROGRAM_BYTES)) {
            *to = from;
        }
        // The room was checked when this was made, so none of the three can fail.
        let _ = self.region.write(at::PROGRAM_OFFSET, &program);
        if let Some(start) = self.u64(at::OWNER_START_OFFSET) {
            start.store(owner.start, Ordering::Relaxed);
        }
        if let Some(pid) = self.u32(at::OWNER_OFFSET) {
            pid.store(owner.pid, Ordering::Release);
        }
    }

    /// Says what the block holds.
    pub(crate) fn set_flags(self, flags: u32) {
        if let Some(word) = self.u32(at::FLAGS_OFFSET) {
            word.store(flags, Ordering::Relaxed);
        }
    }

    /// Says that nobody owns the segment any more.
    pub(crate) fn clear_owner(self) {
        if let Some(pid) = self.u32(at::OWNER_OFFSET) {
            pid.store(0, Ordering::Release);
        }
    }

    /// Begins a write, under the data lock: the sequence becomes odd before anything else changes.
    #[inline]
    pub(crate) fn begin(self) {
        if let Some(sequence) = self.u64(at::SEQUENCE_OFFSET) {
            turn::begin(sequence);
        }
    }

    /// Ends a write that brought a new frame. Once the lock is free, [`ring`](Self::ring) tells the receivers.
    ///
    /// The number and the time of the frame are written while the sequence is still odd, so that it guards them
    /// as well: a reader could not tell else which frame it has, and count what it missed exactly.
    #[inline]
    pub(crate) fn end(self) {
        if let Some(frames) = self.u64(at::FRAMES_OFFSET) {
            frames.store(frames.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        }
        if let Some(time) = self.u64(at::TIME_OFFSET) {
            time.store(sys::coarse_time(), Ordering::Relaxed);
        }
        self.end_without_frame();
    }

    /// Changes the wake word and wakes whoever sleeps on it.
    #[inline]
    pub(crate) fn ring(self, bell: &Bell) {
        if let (Some(word), Some(waiters)) = (self.wake_word(), self.waiters()) {
            bell::ring(word, waiters, || self.wake_sleepers(bell, word));
        }
    }

    /// Changes the wake word, under the data lock. [`wake`](Self::wake) comes once the lock is let go of.
    #[inline]
    pub(crate) fn announce(self) {
        if let Some(word) = self.wake_word() {
            bell::announce(word);
        }
    }

    /// Wakes whoever sleeps on the wake word, after [`announce`](Self::announce) and a fence.
    #[inline]
    pub(crate) fn wake(self, bell: &Bell) {
        if let (Some(word), Some(waiters)) = (self.wake_word(), self.waiters()) {
            bell::wake(waiters, || self.wake_sleepers(bell, word));
        }
    }

    /// Sleeps until the wake word is another one than `seen`, and for `limit` at most.
    pub(crate) fn sleep(self, bell: &Bell, entry: Entry<'_>, seen: u32, limit: Duration) {
        let (Some(word), Some(waiters)) = (self.wake_word(), self.waiters()) else { return };
        let Some(flags) = entry.flag_word() else { return };
        bell::wait(word, waiters, (flags, at::ENTRY_WAITING), seen, || {
            step!("wait: counted in");
            bell.sleep(entry.index, word, seen, limit);
        });
    }

    /// Ends a write after which the last frame lies there as before.
    #[inline]
    pub(crate) fn end_without_frame(self) {
        if let Some(sequence) = self.u64(at::SEQUENCE_OFFSET) {
            sequence.store(sequence.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
        }
    }

    /// Takes the sequence over from an owner that may have died in the middle of a write.
    pub(crate) fn renew(self) {
        if let Some(sequence) = self.u64(at::SEQUENCE_OFFSET) {
            let now = sequence.load(Ordering::Relaxed);
            sequence.store((now | 1).wrapping_add(1), Ordering::Release);
        }
        self.undivide();
    }

    /// The sequence before a read: everything that is read after it was written before or is torn.
    #[inline]
    pub(crate) fn sequence(self) -> Option<u64> {
        let sequence = self.region.load_u64(at::SEQUENCE_OFFSET).ok()?;
        fence(Ordering::Acquire);
        Some(sequence)
    }

    /// Whether nothing was written since the sequence was `begun`.
    #[inline]
    pub(crate) fn is_still(self, begun: u64) -> bool {
        fence(Ordering::Acquire);
        self.region.load_u64(at::SEQUENCE_OFFSET) == Ok(begun)
    }

    /// The number of the newest frame, counted from 1, and when it was written, in nanoseconds since the Unix
    /// epoch: guarded by the sequence.
    #[inline]
    pub(crate) fn newest(self) -> (u64, u64) {
        let load = |offset| self.region.load_u64(offset).unwrap_or(0);
        (load(at::FRAMES_OFFSET), load(at::TIME_OFFSET))
    }

    /// Whether a receiver has registered itself, be it dead by now, or still has `info` open after it gave its entry
    /// back: a forked copy of it may read on.
    pub(crate) fn has_receivers(self, info: &Object) -> bool {
        self.entries().any(|entry| entry.process().is_some())
            || info.is_marked(&(at::RECEIVERS_OFFSET..at::RECEIVERS_END), None)
    }

    /// The entries of the receivers, free ones included.
    pub(crate) fn entries(self) -> impl Iterator<Item = Entry<'m>> {
        (0..at::RECEIVERS).map(move |index| self.entry(index))
    }

    /// One entry.
    #[inline]
    pub(crate) fn entry(self, index: usize) -> Entry<'m> {
        let index = index.min(at::RECEIVERS.saturating_sub(1));
        let base = at::RECEIVERS_OFFSET.saturating_add(index.saturating_mul(at::RECEIVER_BYTES));
        Entry { extension: self, index, base }
    }

    /// Claims an entry that is free, or whose receiver has died, and marks it in `info` for as long as that is open;
    /// `None`: all are taken. The caller holds the info lock.
    ///
    /// Where the system has marks they decide, not the process id: a process in another container is out of sight, and
    /// lives.
    pub(crate) fn register(self, receiver: Process, info: &Object) -> Option<usize> {
        let free = self.entries().position(|entry| info.mark(&entry.mark(), entry.process()))?;
        let entry = self.entry(free);
        entry.put(0, 0); // a dead one's claim ends before the new one begins
        entry.count_out(COUNTED);
        entry.put(at::ENTRY_FLAGS, 0);
        entry.unpin();
        entry.put_u64(at::ENTRY_FRAME, 0);
        entry.put_u64(at::ENTRY_TIME, 0);
        entry.put_u64(at::ENTRY_START, receiver.start);
        entry.put(0, receiver.pid);
        Some(free)
    }

    /// The word that changes with every frame; `None` where one may only read.
    #[inline]
    pub(crate) fn wake_word(self) -> Option<&'m AtomicU32> {
        self.u32(at::WAKE_OFFSET)
    }

    #[inline]
    fn waiters(self) -> Option<&'m AtomicU32> {
        self.u32(at::WAITERS_OFFSET)
    }

    /// Whether a receiver waits for anything.
    #[inline]
    pub(crate) fn has_waiters(self) -> bool {
        self.waiters().is_some_and(|waiters| waiters.get() != 0)
    }

    /// Wakes all who sleep. Where nobody slept, now and then, the dead are counted out, who do not do so themselves.
    #[cold]
    fn wake_sleepers(self, bell: &Bell, word: &AtomicU32) {
        let sleeping = self.entries().filter(|entry| entry.flags() & at::ENTRY_WAITING != 0);
        let woken = bell.wake(word, sleeping.map(|entry| entry.index));
        if woken == 0 && word.get().is_multiple_of(RECOUNT_EVERY) {
            self.entries().filter(|entry| entry.flags() != 0).for_each(Entry::forget_the_dead);
        }
    }

    /// Whether more are counted than say that they wait: somebody is just about to say so, or died then, or a stranger
    /// wrote there.
    pub(crate) fn has_too_many_waiters(self) -> bool {
        let flags = |entry: Entry<'_>| (entry.flags() & COUNTED).count_ones();
        self.waiters().is_some_and(|waiters| waiters.get() > self.entries().map(flags).sum())
    }

    /// Sets that right. The caller holds the info lock, so that no receiver comes meanwhile: those that live may all
    /// wait.
    pub(crate) fn lower_waiters(self, info: &Object) {
        let living = u32::try_from(self.entries().filter(|e| info.is_marked(&e.mark(), e.process())).count());
        if let (Some(waiters), Ok(living)) = (self.waiters(), living) {
            waiters.lower(living);
        }
    }

    /// Whether a receiver says that writes spoil its copies.
    #[cold]
    pub(crate) fn is_asked(self) -> bool {
        self.entries().any(|entry| entry.flags() & at::ENTRY_READING != 0)
    }

    /// Before a write: waits, for a bounded time, until the receivers whose copies were spoiled have made them.
    /// Those in `stopped` have let that time pass before, and are not waited for again until they move.
    #[cold]
    pub(crate) fn let_readers_in(self, stopped: &mut u16, limit: Duration) {
        let begin = Instant::now();
        for (index, entry) in self.entries().enumerate() {
            let bit = 1_u16.checked_shl(u32::try_from(index).unwrap_or(0)).unwrap_or(0);
            let reading = || entry.flags() & at::ENTRY_READING != 0;
            if !reading() {
                *stopped &= !bit;
                continue;
            }
            while *stopped & bit == 0 && reading() {
                if begin.elapsed() > limit {
                    *stopped |= bit;
                    entry.forget_the_dead();
                    break;
                }
                std::thread::yield_now();
            }
        }
    }

    #[inline]
    fn u32(self, offset: usize) -> Option<&'m AtomicU32> {
        self.region.atomic_u32(offset).ok()
    }

    #[inline]
    fn u64(self, offset: usize) -> Option<&'m AtomicU64> {
        self.region.atomic_u64(offset).ok()
    }
}

/// A receiver's entry. Only its own process writes there, but for the flags of the dead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'m> {
    extension: Extension<'m>,
    index: usize,
    base: usize,
}

impl Entry<'_> {
    /// The byte that its receiver marks in the info segment.
    fn mark(self) -> Range<usize> {
        self.base..self.base.saturating_add(1)
    }

    /// Whose it is; `None`: free.
    pub(crate) fn process(self) -> Option<Process> {
        let pid = self.u32(0)?.load(Ordering::Acquire);
        let start = self.u64(at::ENTRY_START)?.load(Ordering::Relaxed);
        (pid != 0).then_some(Process { pid, start })
    }

    /// What the receiver waits for.
    #[inline]
    pub(crate) fn flags(self) -> u32 {
        self.u32(at::ENTRY_FLAGS).map_or(0, |flags| flags.load(Ordering::SeqCst))
    }

    /// Notes the frame that was taken.
    #[inline]
    pub(crate) fn took(self, frame: u64) {
        self.put_u64(at::ENTRY_FRAME, frame);
        self.put_u64(at::ENTRY_TIME, sys::coarse_time());
    }

    /// Asks the sender to hold the next write back.
    pub(crate) fn ask(self) {
        if let (Some(waiters), Some(flags)) = (self.extension.waiters(), self.flag_word()) {
            bell::count_in(waiters, (flags, at::ENTRY_READING));
        }
    }

    /// Takes that back.
    pub(crate) fn ask_no_more(self) {
        self.count_out(at::ENTRY_READING);
    }

    fn count_out(self, flags: u32) {
        if let (Some(waiters), Some(word)) = (self.extension.waiters(), self.flag_word()) {
            bell::count_out(waiters, (word, flags));
        }
    }

    /// Counts the receiver out, if it is dead, as its process id says: what is rarely asked is not worth an object here. One
    /// in another container, whose id is out of sight, is counted out with the dead. It counts itself in again before its
    /// next sleep, and none is longer than 100 ms.
    fn forget_the_dead(self) {
        let process = self.process();
        if process.is_some_and(Process::lives) {
            return;
        }
        if let (Some(waiters), Some(flags)) = (self.extension.waiters(), self.flag_word()) {
            bell::forget(waiters, (flags, COUNTED), || self.process() == process);
        }
    }

    fn flag_word(&self) -> Option<&AtomicU32> {
        self.u32(at::ENTRY_FLAGS)
    }

    /// Gives the entry back.
    pub(crate) fn release(self) {
        if self.process().is_none_or(|process| process.pid != sys::process::id()) {
            return; // a forked child's copy
        }
        self.count_out(COUNTED);
        self.put(at::ENTRY_FLAGS, 0);
        if let Some(pid) = self.u32(0) {
            pid.store(0, Ordering::Release);
        }
    }

    fn put(self, offset: usize, value: u32) {
        if let Some(word) = self.u32(offset) {
            word.store(value, Ordering::Release);
        }
    }

    #[inline]
    fn put_u64(self, offset: usize, value: u64) {
        if let Some(word) = self.u64(offset) {
            word.store(value, Ordering::Relaxed);
        }
    }

    #[inline]
    fn u32(&self, offset: usize) -> Option<&AtomicU32> {
        self.extension.u32(self.base.checked_add(offset)?)
    }

    #[inline]
    fn u64(&self, offset: usize) -> Option<&AtomicU64> {
        self.extension.u64(self.base.checked_add(offset)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mem::on_heap;

    const OWNER: Process = Process { pid: 7, start: 9 };

    #[test]
    fn there_is_an_extension_only_once_it_is_set_up() {
        on_heap(at::INFO_SEGMENT_BYTES, |info| {
            assert!(Extension::of(info).is_none());
            assert!(Extension::set_up(info, OWNER, at::FLAG_CHANNELS).is_some());
            assert_eq!(Extension::of(info).unwrap().owner(), Some(OWNER));
            Extension::of(info).unwrap().clear_owner();
            assert_eq!(Extension::of(info).unwrap().owner(), None);
        });
        on_heap(at::EXTENDED_BYTES - 1, |info| assert!(Extension::set_up(info, OWNER, 0).is_none()));
    }

    #[test]
    fn the_sequence_is_odd_exactly_during_a_write() {
        on_heap(at::INFO_SEGMENT_BYTES, |info| {
            let extension = Extension::set_up(info, OWNER, 0).unwrap();
            let sequence = || info.read::<u64>(at::SEQUENCE_OFFSET).unwrap();
            extension.begin();
            assert_eq!((sequence(), info.read::<u64>(at::FRAMES_OFFSET)), (1, Ok(0)));
            extension.end();
            assert_eq!((sequence(), info.read::<u64>(at::FRAMES_OFFSET)), (2, Ok(1)));
            extension.begin(); // given up
            extension.begin();
            assert_eq!(sequence(), 5);
            extension.end_without_frame();
            assert_eq!((sequence(), info.read::<u64>(at::FRAMES_OFFSET)), (6, Ok(1)));
        });
    }

    #[test]
    fn a_reader_that_stopped_is_waited_for_once_and_again_when_it_has_moved() {
        const LIMIT: Duration = Duration::from_millis(2);
        /// The test hangs where this is waited for.
        const EVER: Duration = Duration::from_secs(3600);
        on_heap(at::INFO_SEGMENT_BYTES, |info| {
            let extension = Extension::set_up(info, OWNER, 0).unwrap();
            let entry = extension.entry(5);
            let me = Process::current();
            entry.put_u64(at::ENTRY_START, me.start);
            entry.put(0, me.pid);
            let mut stopped = 0;
            for round in 0..3 {
                entry.ask();
                assert_eq!((extension.has_waiters(), stopped), (true, 0), "round {round}");
                let begin = Instant::now();
                extension.let_readers_in(&mut stopped, LIMIT);
                assert!(begin.elapsed() >= LIMIT, "round {round}: it is waited for");
                for _ in 0..10 {
                    extension.let_readers_in(&mut stopped, EVER);
                    assert_eq!(stopped, 1 << 5, "round {round}");
                }
                assert_eq!(entry.flags(), at::ENTRY_READING, "it lives, so its claim stands");
                entry.ask_no_more(); // it moves
                assert!(!extension.has_waiters());
                extension.let_readers_in(&mut stopped, EVER);
                assert_eq!(stopped, 0, "round {round}");
            }
            // Another one's claim is not held back by it.
            entry.ask();
            extension.let_readers_in(&mut stopped, LIMIT);
            let other = extension.entry(9);
            other.put_u64(at::ENTRY_START, me.start);
            other.put(0, me.pid);
            other.ask();
            extension.let_readers_in(&mut stopped, LIMIT);
            assert_eq!(stopped, 1 << 5 | 1 << 9);
        });
    }

    #[test]
    fn the_dead_are_counted_out_once_and_whoever_was_taken_for_dead_does_not_count_out_again() {
        on_heap(at::INFO_SEGMENT_BYTES, |info| {
            let extension = Extension::set_up(info, OWNER, 0).unwrap();
            let waiters = || info.read::<u32>(at::WAITERS_OFFSET).unwrap();
            let me = Process::current();
            let [living, dead] = [extension.entry(0), extension.entry(1)];
            for (entry, start) in [(living, me.start), (dead, me.start.wrapping_add(1))] {
                entry.put_u64(at::ENTRY_START, start);
                entry.put(0, me.pid);
                entry.ask();
            }
            assert_eq!(waiters(), 2);
            for _ in 0..3 {
                extension.entries().for_each(Entry::forget_the_dead);
                assert_eq!((waiters(), living.flags(), dead.flags()), (1, at::ENTRY_READING, 0));
            }
            dead.ask_no_more(); // it was alive, out of sight
            assert_eq!(waiters(), 1);
            living.ask_no_more();
            assert_eq!(waiters(), 0);
        });
    }

    #[test]
    fn whoever_takes_over_leaves_an_even_sequence_that_was_never_there() {
        on_heap(at::INFO_SEGMENT_BYTES, |info| {
            let extension = Extension::set_up(info, OWNER, 0).unwrap();
            for (before, after) in [(4_u64, 6), (5, 6)] {
                info.write(at::SEQUENCE_OFFSET, &before).unwrap();
                extension.renew();
                assert_eq!(info.read::<u64>(at::SEQUENCE_OFFSET), Ok(after));
            }
        });
    }
}
