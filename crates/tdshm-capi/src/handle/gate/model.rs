//! The gate itself under the model checker, which tries the orders in which threads may run and what they may see.
//!
//! The barrier is modelled as weaker than it is. A thread counts up a number of its own between its store and its load, and
//! `heavy` counts up the numbers of all: what was before one of two counts is seen after the other. The true barrier passes each thread
//! somewhere, not just there, and shows all that the thread had done. Two threads that never call `heavy` get no order
//! from it at all, as in truth.

use core::sync::atomic::Ordering;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU8, AtomicU64};

use super::*;

macro_rules! shared {
    ($($atomic:ty: $number:ty),+) => {$(
        impl Shared<$number> for $atomic {
            fn load(&self, order: Ordering) -> $number {
                self.load(order)
            }

            fn store(&self, number: $number, order: Ordering) {
                self.store(number, order);
            }

            fn claim(&self, number: $number) -> Result<(), $number> {
                self.compare_exchange(0, number, Ordering::Acquire, Ordering::Relaxed).map(drop)
            }
        }
    )+};
}
shared!(AtomicU8: u8, AtomicU64: u64);

const THREADS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Barrier {
    Passes,
    /// The system refuses it after handles have come to lean to threads.
    Refused,
    /// It says that it passed and did not: what the model has to find.
    Lies,
}

#[derive(Debug)]
struct Modelled {
    barrier: Barrier,
    passed: [AtomicU64; THREADS],
}

impl System for Modelled {
    type Byte = AtomicU8;
    type Word = AtomicU64;
    type Patience = Impatience;
    /// It leans to whoever had it last.
    const STREAK: u32 = 0;

    fn light(&self, thread: u64) {
        let passed = usize::try_from(thread).ok().and_then(|thread| self.passed.get(thread.wrapping_sub(1)));
        passed.unwrap().fetch_add(1, Ordering::AcqRel);
    }

    fn heavy(&self) -> bool {
        if self.barrier == Barrier::Passes {
            for passed in &self.passed {
                passed.fetch_add(1, Ordering::AcqRel);
            }
        }
        self.barrier != Barrier::Refused
    }

    fn has_heavy(&self) -> bool {
        true
    }
}

/// Two looks, so that both ends of a wait come about.
#[derive(Default)]
struct Impatience(u32);

impl Patience for Impatience {
    fn wait(&mut self) -> bool {
        self.0 = self.0.saturating_add(1);
        loom::thread::yield_now();
        self.0 < 3
    }
}

struct Model {
    gate: Gate<Modelled>,
    /// How often somebody was inside; the checker finds two at once, and one who does not see what the last one did.
    inside: UnsafeCell<u32>,
}

// SAFETY: the cell is touched inside the gate alone, which is what is checked.
unsafe impl Send for Model {}
// SAFETY: as above.
unsafe impl Sync for Model {}

impl Model {
    fn new(barrier: Barrier) -> Arc<Self> {
        Arc::new(Self {
            gate: Gate {
                system: Modelled { barrier, passed: [const { 0 }; THREADS].map(AtomicU64::new) },
                leaning: AtomicU64::new(0),
                cells: [OUTSIDE; CELLS].map(AtomicU8::new),
                owner: AtomicU64::new(0),
                awaited: 0.into(),
                used: 0.into(),
                last: 0.into(),
                streak: 0.into(),
            },
            inside: UnsafeCell::new(0),
        })
    }

    /// Goes in if that thread may; 1 where it was inside.
    fn pass(&self, thread: u64, long: bool) -> u32 {
        let Ok(pass) = self.gate.enter(thread) else { return 0 };
        if long {
            pass.lengthen();
        }
        self.inside.with_mut(|inside| {
            // SAFETY: inside the gate, as the checker sees.
            unsafe { *inside += 1 };
        });
        1
    }
}

/// Threads that pass so often each, for long or not; the first one passes once before, so that the gate leans to it.
fn explore(barrier: Barrier, preemptions: usize, threads: &'static [&'static [bool]]) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(move || {
        let model = Model::new(barrier);
        assert_eq!(model.pass(1, false), 1, "nobody else is there");
        let run = |model: Arc<Model>, index: usize, passes: &'static [bool]| {
            passes.iter().map(|long| model.pass(index as u64 + 1, *long)).sum::<u32>()
        };
        let others: Vec<_> = threads
            .iter()
            .enumerate()
            .skip(1)
            .map(|(index, passes)| {
                let model = Arc::clone(&model);
                loom::thread::spawn(move || run(model, index, passes))
            })
            .collect();
        let mut passed = 1 + run(Arc::clone(&model), 0, threads[0]);
        passed += others.into_iter().map(|other| other.join().unwrap()).sum::<u32>();
        // With nobody inside it lets everybody in: nothing stays behind of those who were refused or turned back.
        if barrier == Barrier::Passes {
            for thread in [3, 2, 1] {
                assert_eq!(model.pass(thread, false), 1, "nobody is inside");
                passed += 1;
            }
        }
        // SAFETY: all threads have been joined.
        assert_eq!(model.inside.with(|inside| unsafe { *inside }), passed);
    });
}

#[test]
fn the_gate_is_taken_from_a_thread_that_uses_it() {
    explore(Barrier::Passes, 3, &[&[false, false], &[false]]);
}

#[test]
fn the_gate_goes_to_and_fro() {
    explore(Barrier::Passes, 3, &[&[false, false, false], &[false, false]]);
}

#[test]
fn long_calls_are_not_waited_for() {
    explore(Barrier::Passes, 3, &[&[true, false], &[false, true]]);
}

#[test]
fn three_threads_take_the_gate_from_one_another() {
    explore(Barrier::Passes, 2, &[&[false], &[false], &[false]]);
}

#[test]
fn a_barrier_that_is_refused_leaves_the_gate_to_its_thread() {
    explore(Barrier::Refused, 3, &[&[false, false], &[false, false]]);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn the_model_finds_a_barrier_that_did_not_pass() {
    explore(Barrier::Lies, 3, &[&[false, false], &[false]]);
}
