//! Linux: a robust mutex, and a bare futex.

use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

/// What the lock is.
pub const LOCK: &str = "a robust mutex";
/// What is slept on.
pub const BELL: &str = "a bare futex";

/// Reserves the pages of a file, so that touching them cannot fail.
pub(super) fn reserve(file: libc::c_int, bytes: usize) -> bool {
    // SAFETY: an open descriptor.
    libc::off_t::try_from(bytes).is_ok_and(|length| unsafe { libc::posix_fallocate(file, 0, length) } == 0)
}

pub(super) fn make_robust(attributes: *mut libc::pthread_mutexattr_t) {
    // SAFETY: the caller initialised it; a documented value.
    unsafe { libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST) };
}

/// What one process sleeps on and another one rings.
#[derive(Debug)]
pub struct Bell;

impl Bell {
    /// That of both processes.
    #[must_use]
    pub fn named(_name: &str) -> Self {
        Self
    }

    /// Sleeps while the word is `seen`.
    pub fn wait(&self, word: &AtomicU32, seen: u32) {
        futex(word, libc::FUTEX_WAIT, seen);
    }

    /// Changes the word and wakes who sleeps.
    pub fn ring(&self, word: &AtomicU32) {
        word.fetch_add(1, Ordering::SeqCst);
        futex(word, libc::FUTEX_WAKE, i32::MAX.unsigned_abs());
    }
}

fn futex(word: &AtomicU32, operation: libc::c_int, value: u32) {
    // SAFETY: the word lives; no time limit, and the other arguments are not used by these two operations.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, ptr::null::<libc::timespec>()) };
}

/// The time, from a clock that is cheap to ask.
#[must_use]
#[inline]
pub fn coarse_time() -> u64 {
    super::posix::clock(libc::CLOCK_REALTIME_COARSE)
}

/// Keeps this process, and those that it starts from now on, on the processor that it runs on: two programs that are
/// compared have the same one.
pub fn stay_here() {
    // SAFETY: no arguments.
    let here = usize::try_from(unsafe { libc::sched_getcpu() }).unwrap_or(0);
    // SAFETY: a set of bits; all zero is the empty one.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is this function's own, and the number that of a processor.
    unsafe { libc::CPU_SET(here, &mut set) };
    // SAFETY: a set, and its size. Where it is refused the figures are noisier.
    unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
}
