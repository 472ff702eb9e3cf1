//! Filling a place while others may be copying from it: the small core of sequences and pins, over any kind of cell,
//! because the model checker brings its own.
//!
//! A sequence is odd while what it guards is written. Who copies loads it before and after: even and the same, and the
//! copy is whole, whatever the writer did.
//!
//! A pin makes that likely. A reader pins a place, fences, and looks whether it is still the current one; a sender that
//! has made another one current begins to fill the place, fences, and looks at the pins. Of two fences one comes first,
//! so either the reader sees that the place is not current any more, or the sender sees the pin, and leaves it alone.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// A number that several processes see, and the fences between accesses to several of them.
pub(crate) trait Cell {
    /// Reads it, relaxed.
    fn get(&self) -> u64;
    /// Writes it, relaxed.
    fn set(&self, number: u64);
    /// Writes it for those who then see what was written before.
    fn publish(&self, number: u64);
    /// Orders accesses to all cells.
    fn fence(order: Ordering);
}

impl Cell for AtomicU64 {
    #[inline]
    fn get(&self) -> u64 {
        self.load(Ordering::Relaxed)
    }

    #[inline]
    fn set(&self, number: u64) {
        self.store(number, Ordering::Relaxed);
    }

    #[inline]
    fn publish(&self, number: u64) {
        self.store(number, Ordering::Release);
    }

    #[inline]
    fn fence(order: Ordering) {
        fence(order);
    }
}

/// For small numbers.
impl Cell for AtomicU32 {
    #[inline]
    fn get(&self) -> u64 {
        self.load(Ordering::Relaxed).into()
    }

    #[inline]
    fn set(&self, number: u64) {
        self.store(u32::try_from(number).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    #[inline]
    fn publish(&self, number: u64) {
        self.store(u32::try_from(number).unwrap_or(u32::MAX), Ordering::Release);
    }

    #[inline]
    fn fence(order: Ordering) {
        fence(order);
    }
}

/// Begins to write what a sequence guards.
#[inline]
pub(crate) fn begin<C: Cell>(sequence: &C) {
    // Odd already: it was begun before and never ended.
    let before = sequence.get();
    sequence.set(before.wrapping_add(1).wrapping_add(before & 1));
    C::fence(Ordering::Release);
}

/// Begins to fill a place, unless it is pinned: `is_free` looks at all pins.
pub(crate) fn try_begin<C: Cell>(sequence: &C, is_free: impl Fn() -> bool) -> bool {
    // Looked at before as well: whoever copies there need not see the sequence odd for nothing.
    if !is_free() {
        return false;
    }
    let before = sequence.get();
    begin(sequence);
    C::fence(Ordering::SeqCst);
    if is_free() {
        return true;
    }
    sequence.set(before); // nothing was written
    false
}

/// Ends it.
#[inline]
pub(crate) fn end<C: Cell>(sequence: &C) {
    sequence.publish(sequence.get().wrapping_add(1) & !1);
}

/// Makes a sequence odd, whatever it was, and another one than it was.
pub(crate) fn close<C: Cell>(sequence: &C) {
    sequence.set((sequence.get() | 1).wrapping_add(2));
}

/// Pins the place with that index. From here on the caller looks whether it is still the current one.
#[inline]
pub(crate) fn pin<C: Cell>(pin: &C, index: u64) {
    pin.publish(index.wrapping_add(1));
    C::fence(Ordering::SeqCst);
}

/// Takes the pin away.
#[inline]
pub(crate) fn unpin<C: Cell>(pin: &C) {
    pin.publish(0);
}

#[cfg(test)]
#[cfg(unix)]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test that overflows has failed"
)]
mod tests {
    use loom::sync::Arc;
    use loom::sync::atomic::AtomicU64 as ModelCell;

    use super::*;

    impl Cell for ModelCell {
        fn get(&self) -> u64 {
            self.load(Ordering::Relaxed)
        }

        fn set(&self, number: u64) {
            self.store(number, Ordering::Relaxed);
        }

        fn publish(&self, number: u64) {
            self.store(number, Ordering::Release);
        }

        fn fence(order: Ordering) {
            loom::sync::atomic::fence(order);
        }
    }

    /// Two places of two words each, which hold the number of a frame; the first one is current at the beginning.
    struct Model {
        sequence: ModelCell,
        current: ModelCell,
        number: ModelCell,
        sequences: [ModelCell; 2],
        data: [[ModelCell; 2]; 2],
        pin: ModelCell,
    }

    /// What a sender does where the only other place is pinned.
    #[derive(Clone, Copy, PartialEq)]
    enum Pinned {
        /// Leaves the frame out.
        Yields,
        /// Takes it all the same.
        Takes,
        /// Gives the places up, and writes under the sequence alone.
        Undivides,
    }

    impl Model {
        fn new() -> Arc<Self> {
            let cell = || ModelCell::new(0);
            Arc::new(Self {
                sequence: cell(),
                current: cell(),
                number: cell(),
                sequences: [cell(), cell()],
                data: [[cell(), cell()], [cell(), cell()]],
                pin: cell(),
            })
        }

        fn send(&self, number: u64, pinned: Pinned) {
            let index = 1 - self.current.get() as usize;
            let sequence = &self.sequences[index];
            if !try_begin(sequence, || self.pin.get() != index as u64 + 1) {
                match pinned {
                    Pinned::Yields => return,
                    Pinned::Takes => {
                        begin(sequence);
                        ModelCell::fence(Ordering::SeqCst);
                    }
                    Pinned::Undivides => {
                        begin(&self.sequence);
                        self.sequences.iter().for_each(close);
                        ModelCell::fence(Ordering::Release);
                    }
                }
            }
            self.data[index].iter().for_each(|word| word.set(number));
            if self.sequence.get() & 1 == 0 {
                end(sequence);
                begin(&self.sequence);
            } else {
                end(&self.sequences[index]);
            }
            self.current.set(index as u64);
            self.number.set(number);
            end(&self.sequence);
        }

        /// One copy. `Some`: what was found in a place that is pinned and was still current, and whether it counts.
        fn copy(&self) -> Option<(u64, [u64; 2], bool)> {
            let begun = self.sequence.get();
            ModelCell::fence(Ordering::Acquire);
            if begun & 1 == 1 {
                return None;
            }
            let (index, number) = (self.current.get(), self.number.get());
            let sequence = &self.sequences[index as usize];
            let before = sequence.get();
            pin(&self.pin, index);
            ModelCell::fence(Ordering::Acquire);
            let found = (before & 1 == 0 && self.sequence.get() == begun).then(|| {
                let found = self.data[index as usize].each_ref().map(Cell::get);
                ModelCell::fence(Ordering::Acquire);
                (number, found, sequence.get() == before)
            });
            unpin(&self.pin);
            found
        }
    }

    fn explore(pinned: Pinned, frames: u64, copies: usize) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(2);
        builder.check(move || {
            let model = Model::new();
            let reader = {
                let model = Arc::clone(&model);
                loom::thread::spawn(move || {
                    let mut last = 0;
                    for _ in 0..copies {
                        let Some((number, found, counts)) = model.copy() else { continue };
                        // Whoever heeds pins does not touch the place, also where the sequence is looked at just then.
                        if counts || pinned == Pinned::Yields {
                            assert_eq!(found, [number; 2], "torn");
                            assert!(number >= last, "back");
                            last = number;
                        }
                    }
                })
            };
            for number in 1..=frames {
                model.send(number, pinned);
            }
            reader.join().unwrap();
            // Nobody has it pinned any more.
            model.send(frames + 1, Pinned::Yields);
            let copied = model.copy();
            assert_eq!(copied, Some((frames + 1, [frames + 1; 2], true)));
        });
    }

    #[test]
    fn a_pinned_place_is_left_alone() {
        explore(Pinned::Yields, 2, 1);
    }

    #[test]
    fn a_place_that_is_taken_in_spite_of_a_pin_tears_no_copy_that_counts() {
        explore(Pinned::Takes, 2, 1);
    }

    #[test]
    fn giving_the_places_up_tears_no_copy_that_counts() {
        explore(Pinned::Undivides, 2, 1);
    }
}
