//! macOS: a mutex between processes, none of which is robust, and a named semaphore.

use std::ffi::CString;
use std::sync::atomic::{AtomicU32, Ordering};

/// What the lock is.
pub const LOCK: &str = "a mutex between processes";
/// What is slept on.
pub const BELL: &str = "a named semaphore";

/// Gives a new object its size, which here can be done once.
pub(super) fn reserve(file: libc::c_int, bytes: usize) -> bool {
    // SAFETY: an open descriptor.
    libc::off_t::try_from(bytes).is_ok_and(|length| unsafe { libc::ftruncate(file, length) } == 0)
}

/// There is no such thing.
pub(super) fn make_robust(_attributes: *mut libc::pthread_mutexattr_t) {}

/// What one process sleeps on and another one rings.
#[derive(Debug)]
pub struct Bell {
    semaphore: *mut libc::sem_t,
    path: CString,
}

impl Bell {
    /// That of both processes, made by the first of them.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    #[must_use]
    #[expect(clippy::expect_used, reason = "no benchmark without it")]
    pub fn named(name: &str) -> Self {
        let path = CString::new(format!("/{name}B")).expect("a name without NUL");
        // SAFETY: `path` ends with NUL; mode and value are passed as the variadic function wants them.
        let semaphore = unsafe { libc::sem_open(path.as_ptr(), libc::O_CREAT, 0o600, 0) };
        assert!(semaphore != libc::SEM_FAILED, "cannot open {path:?}");
        Self { semaphore, path }
    }

    /// Sleeps until it is rung.
    pub fn wait(&self, _word: &AtomicU32, _seen: u32) {
        // SAFETY: open while `self` lives.
        unsafe { libc::sem_wait(self.semaphore) };
    }

    /// Changes the word and wakes who sleeps.
    pub fn ring(&self, word: &AtomicU32) {
        word.fetch_add(1, Ordering::SeqCst);
        // SAFETY: as above.
        unsafe { libc::sem_post(self.semaphore) };
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        // SAFETY: opened once, not used after.
        unsafe { libc::sem_close(self.semaphore) };
        // SAFETY: it ends with NUL. Whoever comes second finds that it has gone.
        unsafe { libc::sem_unlink(self.path.as_ptr()) };
    }
}

/// The time of day; there is no cheaper clock.
#[must_use]
#[inline]
pub fn coarse_time() -> u64 {
    super::posix::clock(libc::CLOCK_REALTIME)
}
