//! Sleeping until a word changes, and waking those who sleep, so that no wake-up is lost: the small core of the
//! change notices, over any kind of word, because the model checker brings its own.
//!
//! The sender changes the word, then looks whether anybody waits. A receiver takes the word, looks for news and
//! finds none, counts itself in, then looks at the word again before it sleeps. Both have a fence between what they
//! write and what they look at, and of two fences one comes first: so either the receiver sees another word, or the
//! sender sees that it waits. A sender that holds the lock changes the word before it lets go and looks afterwards: where
//! letting go is such a fence, a frame costs none of its own.
//!
//! The dead do not count themselves out. So each receiver has a flag that it raises after it has counted itself in:
//! the flag is the receipt for one count, and whoever takes it down counts out, the receiver itself or whoever finds
//! it dead. The number is never below those who wait, whatever happens in between; who dies between the count and
//! the flag leaves it one too high, until there are fewer receivers than that.

use core::sync::atomic::{AtomicU32, Ordering, fence};

use crate::step::step;

/// 32 bits that several processes change.
pub(crate) trait Word {
    /// Reads it.
    fn get(&self) -> u32;
    /// Adds 1 to it where nobody else does; who sees that sees what was written before.
    fn change(&self);
    /// Adds to it.
    fn add(&self, number: u32);
    /// Takes 1 away, never below 0: strangers may have written there.
    fn count_out(&self);
    /// Makes it `most` where it is more.
    fn lower(&self, most: u32);
    /// Sets bits.
    fn raise(&self, bits: u32);
    /// Clears bits, and says which of them were set.
    fn take(&self, bits: u32) -> u32;
    /// Orders accesses to all words, as every other such fence sees them.
    fn fence();
}

impl Word for AtomicU32 {
    #[inline]
    fn get(&self) -> u32 {
        self.load(Ordering::Acquire)
    }

    #[inline]
    fn change(&self) {
        self.store(self.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
    }

    #[inline]
    fn add(&self, number: u32) {
        self.fetch_add(number, Ordering::SeqCst);
    }

    fn count_out(&self) {
        let _ = self.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1));
    }

    fn lower(&self, most: u32) {
        self.fetch_min(most, Ordering::SeqCst);
    }

    fn raise(&self, bits: u32) {
        self.fetch_or(bits, Ordering::SeqCst);
    }

    fn take(&self, bits: u32) -> u32 {
        self.fetch_and(!bits, Ordering::SeqCst) & bits
    }

    #[inline]
    fn fence() {
        fence(Ordering::SeqCst);
    }
}

/// Changes the word and calls `wake` if anybody waits.
pub(crate) fn ring<W: Word>(word: &W, waiters: &W, then: impl FnOnce()) {
    word.add(1);
    W::fence();
    wake(waiters, then);
}

/// The first half of [`ring`] for whoever holds the lock, under which nobody else changes the word. Between it and
/// [`wake`] there has to be a fence.
#[inline]
pub(crate) fn announce<W: Word>(word: &W) {
    word.change();
}

/// The second half: calls `wake` if anybody waits. What changed the word comes before the fence that comes before this.
#[inline]
pub(crate) fn wake<W: Word>(waiters: &W, wake: impl FnOnce()) {
    if waiters.get() != 0 {
        wake();
    }
}

/// Calls `sleep`, which has to return at once where the word is another one than `seen`, unless it is already.
/// `seen` was taken before the look that found nothing new.
pub(crate) fn wait<W: Word>(word: &W, waiters: &W, own: (&W, u32), seen: u32, sleep: impl FnOnce()) {
    count_in(waiters, own);
    W::fence();
    if word.get() == seen {
        sleep();
    }
    count_out(waiters, own);
}

/// Counts somebody in whose flag is `own`: a word that it may have other flags in, and the bit.
pub(crate) fn count_in<W: Word>(waiters: &W, (flags, bit): (&W, u32)) {
    waiters.add(1);
    step!("wait: before its flag");
    flags.raise(bit);
}

/// Counts it out, unless somebody took it for dead and has done so.
pub(crate) fn count_out<W: Word>(waiters: &W, (flags, bits): (&W, u32)) {
    for _ in 0..flags.take(bits).count_ones() {
        waiters.count_out();
    }
}

/// Counts somebody out who was found dead, unless by now the flags are another one's, which `is_theirs` then denies.
pub(crate) fn forget<W: Word>(waiters: &W, (flags, bits): (&W, u32), is_theirs: impl FnOnce() -> bool) {
    let taken = flags.take(bits);
    if taken == 0 {
        return;
    }
    if is_theirs() {
        (0..taken.count_ones()).for_each(|_| waiters.count_out());
    } else {
        // Who has them now may have looked in between, and have left itself counted in: one too many, never too few.
        flags.raise(taken);
    }
}

#[cfg(test)]
#[cfg(unix)]
#[allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]
mod tests {
    use loom::sync::atomic::AtomicU32 as ModelWord;
    use loom::sync::{Arc, Condvar, Mutex};

    use super::*;

    impl Word for ModelWord {
        fn get(&self) -> u32 {
            self.load(Ordering::Acquire)
        }

        fn change(&self) {
            self.store(self.load(Ordering::Relaxed) + 1, Ordering::Release);
        }

        fn add(&self, number: u32) {
            self.fetch_add(number, Ordering::SeqCst);
        }

        fn count_out(&self) {
            let _ = self.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1));
        }

        fn lower(&self, most: u32) {
            self.fetch_min(most, Ordering::SeqCst);
        }

        fn raise(&self, bits: u32) {
            self.fetch_or(bits, Ordering::SeqCst);
        }

        fn take(&self, bits: u32) -> u32 {
            self.fetch_and(!bits, Ordering::SeqCst) & bits
        }

        fn fence() {
            loom::sync::atomic::fence(Ordering::SeqCst);
        }
    }

    const WAITING: u32 = 1;

    /// What both sides share: the frame's number, the bell, two receivers' entries, and a futex as the system's
    /// manual describes it.
    struct Model {
        frame: ModelWord,
        word: ModelWord,
        waiters: ModelWord,
        entries: [Entry; 2],
        /// How many sleep.
        futex: Mutex<u32>,
        sleepers: Condvar,
        /// How its sender rings.
        under_lock: bool,
    }

    /// By an addition, or as a sender does that lets go of the lock meanwhile.
    fn ring_one_way(under_lock: bool, word: &ModelWord, waiters: &ModelWord, then: impl FnOnce()) {
        if under_lock {
            announce(word);
            ModelWord::fence();
            wake(waiters, then);
        } else {
            ring(word, waiters, then);
        }
    }

    struct Entry {
        /// The receiver; 0: free.
        owner: ModelWord,
        flags: ModelWord,
    }

    impl Entry {
        fn own(&self) -> (&ModelWord, u32) {
            (&self.flags, WAITING)
        }
    }

    /// Where a receiver dies.
    #[derive(Clone, Copy)]
    enum Death {
        BeforeItsFlag,
        Waiting,
        BeforeItCountsOut,
    }

    /// The process that dies, and where it is seen to be dead.
    const MORTAL: u32 = 7;

    impl Model {
        fn new(under_lock: bool) -> Arc<Self> {
            let entry = || Entry { owner: ModelWord::new(0), flags: ModelWord::new(0) };
            Arc::new(Self {
                frame: ModelWord::new(0),
                word: ModelWord::new(0),
                waiters: ModelWord::new(0),
                entries: [entry(), entry()],
                futex: Mutex::new(0),
                sleepers: Condvar::new(),
                under_lock,
            })
        }

        fn send(&self, dead: Option<&ModelWord>) {
            self.frame.store(self.frame.load(Ordering::Relaxed) + 1, Ordering::Release);
            ring_one_way(self.under_lock, &self.word, &self.waiters, || {
                let asleep = self.futex.lock().unwrap();
                self.sleepers.notify_all();
                let woken = *asleep;
                drop(asleep);
                if woken == 0 {
                    self.recount(dead);
                }
            });
        }

        /// As the sender does where nobody slept.
        fn recount(&self, dead: Option<&ModelWord>) {
            for entry in &self.entries {
                let owner = entry.owner.get();
                if entry.flags.get() != 0 && owner == MORTAL && dead.is_some_and(|dead| dead.get() == 1) {
                    forget(&self.waiters, entry.own(), || entry.owner.get() == owner);
                }
            }
        }

        /// Claims an entry, as a receiver does that finds it free, or its owner dead.
        fn register(&self, index: usize, receiver: u32) {
            let entry = &self.entries[index];
            entry.owner.store(0, Ordering::Release);
            count_out(&self.waiters, entry.own());
            entry.owner.store(receiver, Ordering::Release);
        }

        /// Waits without a limit: a wake-up that is lost is a deadlock, which the checker finds.
        fn receive(&self, index: usize, last: u32) -> u32 {
            loop {
                let seen = self.word.get();
                let frame = self.frame.load(Ordering::Acquire);
                if frame != last {
                    return frame;
                }
                wait(&self.word, &self.waiters, self.entries[index].own(), seen, || {
                    let mut asleep = self.futex.lock().unwrap();
                    if self.word.get() == seen {
                        *asleep += 1;
                        let mut asleep = self.sleepers.wait(asleep).unwrap();
                        *asleep -= 1;
                    }
                });
            }
        }

        fn follow(&self, index: usize, frames: u32) {
            let mut last = 0;
            while last < frames {
                last = self.receive(index, last);
            }
        }

        fn die(&self, index: usize, death: Death) {
            let entry = &self.entries[index];
            self.waiters.add(1);
            if !matches!(death, Death::BeforeItsFlag) {
                entry.flags.raise(WAITING);
            }
            if matches!(death, Death::BeforeItCountsOut) {
                entry.flags.take(WAITING);
            }
        }
    }

    /// Explores all that may happen with so many switches of a thread where it need not be.
    fn explore(switches: usize, scenario: impl Fn() + Sync + Send + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(switches);
        builder.check(scenario);
    }

    /// As the model above, with what Windows has instead of a futex: an event for each receiver, which stays set until
    /// somebody who waits for it resets it, and is set where a flag says that somebody waits.
    struct Events {
        frame: ModelWord,
        word: ModelWord,
        waiters: ModelWord,
        entries: [(ModelWord, Mutex<bool>, Condvar); 2],
        under_lock: bool,
    }

    impl Events {
        fn new(under_lock: bool) -> Arc<Self> {
            let entry = || (ModelWord::new(0), Mutex::new(false), Condvar::new());
            Arc::new(Self {
                frame: ModelWord::new(0),
                word: ModelWord::new(0),
                waiters: ModelWord::new(0),
                entries: [entry(), entry()],
                under_lock,
            })
        }

        fn send(&self) {
            self.frame.store(self.frame.load(Ordering::Relaxed) + 1, Ordering::Release);
            ring_one_way(self.under_lock, &self.word, &self.waiters, || {
                for (_, event, sleeper) in self.entries.iter().filter(|(flag, ..)| flag.get() != 0) {
                    *event.lock().unwrap() = true;
                    sleeper.notify_one();
                }
            });
        }

        fn receive(&self, entry: usize, last: u32) -> u32 {
            let (flag, event, sleeper) = &self.entries[entry];
            loop {
                let seen = self.word.get();
                let frame = self.frame.load(Ordering::Acquire);
                if frame != last {
                    return frame;
                }
                wait(&self.word, &self.waiters, (flag, WAITING), seen, || {
                    let mut set = event.lock().unwrap();
                    while !*set {
                        set = sleeper.wait(set).unwrap();
                    }
                    *set = false;
                });
            }
        }
    }

    fn living_with_events(under_lock: bool, receivers: usize, frames: u32) {
        explore(3, move || {
            let model = Events::new(under_lock);
            let threads: Vec<_> = (0..receivers)
                .map(|entry| {
                    let model = Arc::clone(&model);
                    loom::thread::spawn(move || {
                        let mut last = 0;
                        while last < frames {
                            last = model.receive(entry, last);
                        }
                    })
                })
                .collect();
            for _ in 0..frames {
                model.send();
            }
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(model.waiters.get(), 0);
        });
    }

    #[test]
    fn no_event_is_lost_by_one_receiver() {
        living_with_events(false, 1, 2);
        living_with_events(true, 1, 2);
    }

    #[test]
    fn no_event_is_lost_by_two_receivers() {
        living_with_events(false, 2, 1);
        living_with_events(true, 2, 1);
    }

    fn living(under_lock: bool, receivers: usize, frames: u32) {
        explore(3, move || {
            let model = Model::new(under_lock);
            let threads: Vec<_> = (0..receivers)
                .map(|index| {
                    let model = Arc::clone(&model);
                    loom::thread::spawn(move || model.follow(index, frames))
                })
                .collect();
            for _ in 0..frames {
                model.send(None);
            }
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(model.waiters.get(), 0);
        });
    }

    #[test]
    fn no_wake_up_is_lost_by_one_receiver() {
        living(false, 1, 2);
        living(true, 1, 2);
    }

    #[test]
    fn no_wake_up_is_lost_by_two_receivers() {
        living(false, 2, 1);
        living(true, 2, 1);
    }

    /// One receiver lives and waits, another dies at `death` while the sender counts anew.
    fn with_a_death(under_lock: bool, death: Death, left: u32) {
        explore(2, move || {
            let model = Model::new(under_lock);
            let dead = Arc::new(ModelWord::new(0));
            model.register(0, 1);
            model.register(1, MORTAL);
            let mortal = {
                let (model, dead) = (Arc::clone(&model), Arc::clone(&dead));
                loom::thread::spawn(move || {
                    model.die(1, death);
                    dead.store(1, Ordering::Release);
                })
            };
            let waits = {
                let model = Arc::clone(&model);
                loom::thread::spawn(move || model.follow(0, 2))
            };
            // Whoever was counted out wrongly at the first is not woken by the second.
            model.send(Some(&dead));
            model.send(Some(&dead));
            waits.join().unwrap();
            mortal.join().unwrap();
            // Nobody waits any more: what is left is what cannot be known.
            model.recount(Some(&dead));
            assert!(model.waiters.get() <= left, "{} left", model.waiters.get());
        });
    }

    #[test]
    fn who_dies_waiting_costs_the_living_no_wake_up_and_is_forgotten() {
        with_a_death(false, Death::Waiting, 0);
        with_a_death(true, Death::Waiting, 0);
    }

    #[test]
    fn who_dies_between_count_and_flag_leaves_one_too_many_and_never_one_too_few() {
        for under_lock in [false, true] {
            with_a_death(under_lock, Death::BeforeItsFlag, 1);
            with_a_death(under_lock, Death::BeforeItCountsOut, 1);
        }
    }

    /// One receiver has died at `death`, and another takes its entry and waits while the sender counts anew.
    fn with_an_heir(under_lock: bool, death: Death, left: u32) {
        explore(2, move || {
            let model = Model::new(under_lock);
            let dead = ModelWord::new(1);
            model.register(1, MORTAL);
            model.die(1, death);
            let heir = {
                let model = Arc::clone(&model);
                loom::thread::spawn(move || {
                    model.register(1, 1);
                    model.follow(1, 2);
                })
            };
            model.send(Some(&dead));
            model.send(Some(&dead));
            heir.join().unwrap();
            assert!(model.waiters.get() <= left, "{} left", model.waiters.get());
        });
    }

    #[test]
    fn whoever_comes_while_the_dead_are_forgotten_loses_no_wake_up() {
        // Where the heir's flag was taken down for the dead one's it may stay counted in.
        for under_lock in [false, true] {
            with_an_heir(under_lock, Death::Waiting, 1);
            with_an_heir(under_lock, Death::BeforeItsFlag, 2);
            with_an_heir(under_lock, Death::BeforeItCountsOut, 2);
        }
    }

    #[test]
    fn a_number_that_is_too_high_is_lowered_to_that_of_the_receivers() {
        explore(3, || {
            let model = Model::new(true);
            model.die(1, Death::BeforeItsFlag);
            let waits = {
                let model = Arc::clone(&model);
                loom::thread::spawn(move || model.follow(0, 1))
            };
            model.waiters.lower(1);
            model.send(None);
            waits.join().unwrap();
            assert!(model.waiters.get() <= 1);
        });
    }
}
