//! Handles that threads take from one another, and free under one another's hands.

use std::ptr::null_mut;
use std::sync::Barrier;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use super::handles::{number, number_t};
use super::ok;
use crate::call::{exclusive, exclusive_long, free};
use crate::status::{TDSHM_ERR_HANDLE, TDSHM_ERR_IN_USE, TDSHM_OK};

const THREADS: u64 = 4;
const ROUNDS: u64 = if cfg!(miri) { 20 } else { 3000 };

/// Adds one in two steps; what another thread does between them is lost. Whether it was let in.
fn add(handle: *mut number_t, long: bool) -> bool {
    let status = exclusive_long(handle, |number, inside| {
        if long {
            inside.lengthen();
        }
        let before = *number;
        core::hint::spin_loop();
        *number = before + 1;
        Ok(TDSHM_OK)
    });
    assert!(matches!(status, TDSHM_OK | TDSHM_ERR_IN_USE | TDSHM_ERR_HANDLE), "{status}");
    status == TDSHM_OK
}

/// In each round the handle is new, leans to whichever thread is first, and is taken from that by all others at once, in the
/// middle of its calls.
#[test]
fn a_handle_that_is_taken_from_its_thread_loses_nothing() {
    let (handle, barrier) = (AtomicPtr::new(null_mut()), Barrier::new(THREADS as usize));
    let counted = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (handle, barrier, counted) = (&handle, &barrier, &counted);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let makes = round % THREADS == thread;
                    if makes {
                        let made = number();
                        // It leans to this thread from its first call on.
                        ok(exclusive(made, |_| Ok(TDSHM_OK)));
                        counted.store(0, Ordering::Relaxed);
                        handle.store(made, Ordering::Relaxed);
                    }
                    barrier.wait();
                    let made = handle.load(Ordering::Relaxed);
                    let times = if makes { 40 } else { 1 + thread };
                    let done = (0..times).filter(|time| add(made, time % 8 == 7)).count();
                    counted.fetch_add(done as u64, Ordering::Relaxed);
                    barrier.wait();
                    if makes {
                        ok(exclusive(made, |number| {
                            assert_eq!(*number, counted.load(Ordering::Relaxed), "lost in round {round}");
                            Ok(TDSHM_OK)
                        }));
                        ok(free(made));
                    }
                    barrier.wait();
                }
            });
        }
    });
}

/// Each handle is used by all and freed by all: one of them frees it, and the others learn that it is gone.
#[test]
fn a_handle_is_freed_once_whoever_uses_it() {
    let (handle, barrier) = (AtomicPtr::new(null_mut()), Barrier::new(THREADS as usize));
    let freed = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (handle, barrier, freed) = (&handle, &barrier, &freed);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    if round % THREADS == thread {
                        handle.store(number(), Ordering::Relaxed);
                    }
                    barrier.wait();
                    let made = handle.load(Ordering::Relaxed);
                    for _ in 0..thread {
                        add(made, false);
                    }
                    match free(made) {
                        TDSHM_OK => drop(freed.fetch_add(1, Ordering::Relaxed)),
                        status => assert_eq!(status, TDSHM_ERR_HANDLE),
                    }
                    barrier.wait();
                }
            });
        }
    });
    assert_eq!(freed.into_inner(), ROUNDS);
}

/// Slots go round: no two threads get the same one, and what is in it is what its own thread put there.
#[test]
fn slots_that_are_used_again_belong_to_one_thread() {
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    let own: Vec<_> = (0..3).map(|_| number()).collect();
                    for (index, handle) in own.iter().enumerate() {
                        let value = round * 3 + index as u64;
                        ok(exclusive(*handle, |number| {
                            *number += value;
                            Ok(TDSHM_OK)
                        }));
                    }
                    for (index, handle) in own.into_iter().enumerate() {
                        ok(exclusive(handle, |number| {
                            assert_eq!(*number, round * 3 + index as u64);
                            Ok(TDSHM_OK)
                        }));
                        ok(free(handle));
                        assert_eq!(free(handle), TDSHM_ERR_HANDLE);
                    }
                }
            });
        }
    });
}
