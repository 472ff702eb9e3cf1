//! Sleeping until a word changes, and waking those who sleep, so that no wake-up is lost: the small core of the
//! change notices, over any kind of word, because the model checker brings its own.
//!
//! The sender changes the word, then looks whether anybody waits. A receiver takes the word, looks for news and
//! finds none, counts itself in, then looks at the word again before it sleeps. Both touch the word by adding to
//! it (the receiver 0), and additions to one word follow one another: whoever comes second sees what the first one
//! did before, so either the receiver sees another word, or the sender sees that it waits.

use core::sync::atomic::{AtomicU32, Ordering};

/// 32 bits that several processes change.
pub(crate) trait Word {
    /// Reads it.
    fn get(&self) -> u32;
    /// Adds to it, and says what it was before.
    fn add(&self, number: u32) -> u32;
    /// Takes 1 away, never below 0: the waiters may have been counted anew meanwhile.
    fn count_out(&self);
}

impl Word for AtomicU32 {
    #[inline]
    fn get(&self) -> u32 {
        self.load(Ordering::Acquire)
    }

    #[inline]
    fn add(&self, number: u32) -> u32 {
        self.fetch_add(number, Ordering::SeqCst)
    }

    fn count_out(&self) {
        let _ = self.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1));
    }
}

/// Changes the word and calls `wake` if anybody waits.
#[inline]
pub(crate) fn ring<W: Word>(word: &W, waiters: &W, wake: impl FnOnce()) {
    word.add(1);
    if waiters.get() != 0 {
        wake();
    }
}

/// Calls `sleep`, which has to return at once where the word is another one than `seen`, unless it is already.
/// `seen` was taken before the look that found nothing new.
pub(crate) fn wait<W: Word>(word: &W, waiters: &W, seen: u32, sleep: impl FnOnce()) {
    waiters.add(1);
    if word.add(0) == seen {
        sleep();
    }
    waiters.count_out();
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

        fn add(&self, number: u32) -> u32 {
            self.fetch_add(number, Ordering::SeqCst)
        }

        fn count_out(&self) {
            let _ = self.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1));
        }
    }

    /// What both sides share: the frame's number, the bell, and a futex as the system's manual describes it.
    struct Model {
        frame: ModelWord,
        word: ModelWord,
        waiters: ModelWord,
        futex: Mutex<()>,
        sleepers: Condvar,
    }

    impl Model {
        fn new() -> Arc<Self> {
            Arc::new(Self {
                frame: ModelWord::new(0),
                word: ModelWord::new(0),
                waiters: ModelWord::new(0),
                futex: Mutex::new(()),
                sleepers: Condvar::new(),
            })
        }

        fn send(&self) {
            self.frame.store(self.frame.load(Ordering::Relaxed) + 1, Ordering::Release);
            ring(&self.word, &self.waiters, || {
                let held = self.futex.lock().unwrap();
                self.sleepers.notify_all();
                drop(held);
            });
        }

        /// Waits without a limit: a wake-up that is lost is a deadlock, which the checker finds.
        fn receive(&self, last: u32) -> u32 {
            loop {
                let seen = self.word.get();
                let frame = self.frame.load(Ordering::Acquire);
                if frame != last {
                    return frame;
                }
                wait(&self.word, &self.waiters, seen, || {
                    let held = self.futex.lock().unwrap();
                    if self.word.get() == seen {
                        drop(self.sleepers.wait(held).unwrap());
                    }
                });
            }
        }
    }

    /// As the model above, with what Windows has instead of a futex: an event for each receiver, which stays set until
    /// somebody who waits for it resets it, and is set where a flag says that somebody waits.
    struct Events {
        frame: ModelWord,
        word: ModelWord,
        waiters: ModelWord,
        entries: [(ModelWord, Mutex<bool>, Condvar); 2],
    }

    impl Events {
        fn new() -> Arc<Self> {
            let entry = || (ModelWord::new(0), Mutex::new(false), Condvar::new());
            Arc::new(Self {
                frame: ModelWord::new(0),
                word: ModelWord::new(0),
                waiters: ModelWord::new(0),
                entries: [entry(), entry()],
            })
        }

        fn send(&self) {
            self.frame.store(self.frame.load(Ordering::Relaxed) + 1, Ordering::Release);
            ring(&self.word, &self.waiters, || {
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
                flag.add(1);
                wait(&self.word, &self.waiters, seen, || {
                    let mut set = event.lock().unwrap();
                    while !*set {
                        set = sleeper.wait(set).unwrap();
                    }
                    *set = false;
                });
                flag.count_out();
            }
        }
    }

    fn explore_events(receivers: usize, frames: u32) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(move || {
            let model = Events::new();
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
        explore_events(1, 2);
    }

    #[test]
    fn no_event_is_lost_by_two_receivers() {
        explore_events(2, 1);
    }

    fn explore(receivers: usize, frames: u32) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(move || {
            let model = Model::new();
            let threads: Vec<_> = (0..receivers)
                .map(|_| {
                    let model = Arc::clone(&model);
                    loom::thread::spawn(move || {
                        let mut last = 0;
                        while last < frames {
                            last = model.receive(last);
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
    fn no_wake_up_is_lost_by_one_receiver() {
        explore(1, 2);
    }

    #[test]
    fn no_wake_up_is_lost_by_two_receivers() {
        explore(2, 1);
    }
}
