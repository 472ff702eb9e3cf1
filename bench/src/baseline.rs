//! The same work by hand: a robust process-shared mutex beside a buffer, in an anonymous shared mapping.
#![allow(
    unsafe_code,
    clippy::multiple_unsafe_ops_per_block,
    reason = "this is what the library is compared with"
)]

use std::ptr;

use crate::duo;

/// A robust mutex and a buffer in shared memory.
#[derive(Debug)]
pub struct LockAndBuffer {
    base: *mut u8,
    bytes: usize,
}

const BUFFER_AT: usize = 4096;

impl LockAndBuffer {
    /// Maps and initialises both, and touches every page.
    ///
    /// # Panics
    ///
    /// When the system refuses: there is no benchmark then.
    #[must_use]
    #[expect(clippy::expect_used, reason = "no benchmark without it")]
    pub fn new(bytes: usize) -> Self {
        let all = bytes.checked_add(BUFFER_AT).expect("a size that fits");
        // SAFETY: an anonymous mapping at an address of the kernel's choice.
        let base = unsafe {
            let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
            libc::mmap(ptr::null_mut(), all, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
        };
        assert!(base != libc::MAP_FAILED, "no memory");
        Self::prepared(base.cast(), bytes)
    }

    /// The same in a file of shared memory, for two processes.
    #[must_use]
    pub fn shared(name: &str, bytes: usize) -> Self {
        Self::prepared(duo::shared_file(name, bytes.saturating_add(BUFFER_AT), true), bytes)
    }

    /// That of the other process.
    #[must_use]
    pub fn open(name: &str, bytes: usize) -> Self {
        Self { base: duo::shared_file(name, bytes.saturating_add(BUFFER_AT), false), bytes }
    }

    fn prepared(base: *mut u8, bytes: usize) -> Self {
        // SAFETY: a new mapping of `BUFFER_AT + bytes`; the mutex lies at its start, is initialised once, before
        // anybody else knows it; `write_bytes` stays inside the mapping.
        unsafe {
            let mut attributes = std::mem::zeroed();
            libc::pthread_mutexattr_init(&raw mut attributes);
            libc::pthread_mutexattr_setpshared(&raw mut attributes, libc::PTHREAD_PROCESS_SHARED);
            libc::pthread_mutexattr_setrobust(&raw mut attributes, libc::PTHREAD_MUTEX_ROBUST);
            libc::pthread_mutex_init(base.cast(), &raw const attributes);
            ptr::write_bytes(base.wrapping_add(BUFFER_AT), 1, bytes);
        }
        Self { base, bytes }
    }

    /// With a mutex that checks who locks it, as ours does, for [`try_lock_unlock`](Self::try_lock_unlock).
    #[must_use]
    pub fn checking(self) -> Self {
        // SAFETY: as in `prepared`: this one alone knows the mutex, which is not locked, and makes it anew.
        unsafe {
            let mut attributes = std::mem::zeroed();
            libc::pthread_mutexattr_init(&raw mut attributes);
            libc::pthread_mutexattr_setpshared(&raw mut attributes, libc::PTHREAD_PROCESS_SHARED);
            libc::pthread_mutexattr_setrobust(&raw mut attributes, libc::PTHREAD_MUTEX_ROBUST);
            libc::pthread_mutexattr_settype(&raw mut attributes, libc::PTHREAD_MUTEX_ERRORCHECK);
            libc::pthread_mutex_init(self.base.cast(), &raw const attributes);
        }
        self
    }

    /// Locks if it is free, and unlocks.
    pub fn try_lock_unlock(&self) {
        // SAFETY: initialised by `new`, unlocked by the thread that locked it: nobody else does.
        unsafe {
            libc::pthread_mutex_trylock(self.base.cast());
            libc::pthread_mutex_unlock(self.base.cast());
        }
    }

    /// Locks and unlocks.
    pub fn lock_unlock(&self) {
        // SAFETY: initialised by `new`, unlocked by the thread that locked it.
        unsafe {
            libc::pthread_mutex_lock(self.base.cast());
            libc::pthread_mutex_unlock(self.base.cast());
        }
    }

    /// Locks, copies `from` to the start of the buffer, unlocks.
    pub fn lock_copy_in(&self, from: &[u8]) {
        let bytes = from.len().min(self.bytes);
        // SAFETY: as above; `bytes` fits both sides, which do not overlap.
        unsafe {
            libc::pthread_mutex_lock(self.base.cast());
            ptr::copy_nonoverlapping(from.as_ptr(), self.base.wrapping_add(BUFFER_AT), bytes);
            libc::pthread_mutex_unlock(self.base.cast());
        }
    }

    /// Locks, copies the start of the buffer to `to`, unlocks.
    pub fn lock_copy_out(&self, to: &mut [u8]) {
        let bytes = to.len().min(self.bytes);
        // SAFETY: as above.
        unsafe {
            libc::pthread_mutex_lock(self.base.cast());
            ptr::copy_nonoverlapping(self.base.wrapping_add(BUFFER_AT), to.as_mut_ptr(), bytes);
            libc::pthread_mutex_unlock(self.base.cast());
        }
    }

    /// Copies `from` to the start of the buffer, without the lock.
    pub fn copy_in(&self, from: &[u8]) {
        let bytes = from.len().min(self.bytes);
        // SAFETY: `bytes` fits both sides, which do not overlap.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), self.base.wrapping_add(BUFFER_AT), bytes) };
    }

    /// Copies the start of the buffer to `to`, without the lock.
    pub fn copy_out(&self, to: &mut [u8]) {
        let bytes = to.len().min(self.bytes);
        // SAFETY: as above.
        unsafe { ptr::copy_nonoverlapping(self.base.wrapping_add(BUFFER_AT), to.as_mut_ptr(), bytes) };
    }
}

impl Drop for LockAndBuffer {
    fn drop(&mut self) {
        // SAFETY: what `new` mapped, once.
        unsafe { libc::munmap(self.base.cast(), self.bytes.saturating_add(BUFFER_AT)) };
    }
}

/// Makes a file in `/dev/shm` with its pages reserved, maps it, copies `from` into it, and removes it again.
///
/// # Panics
///
/// When the system refuses.
#[expect(clippy::expect_used, reason = "no benchmark without it")]
pub fn file_by_hand(name: &str, bytes: usize, from: &[u8]) {
    let path = std::ffi::CString::new(format!("/dev/shm/{name}")).expect("a name without NUL");
    let length = libc::off_t::try_from(bytes).expect("a size that fits");
    // SAFETY: `path` ends with NUL; the mapping has `bytes` bytes, of which at most as many are written; it is
    // unmapped once, with the length that was mapped.
    unsafe {
        let fd =
            libc::open(path.as_ptr(), libc::O_CREAT | libc::O_EXCL | libc::O_RDWR | libc::O_CLOEXEC, 0o600);
        assert!(fd >= 0, "cannot create {name}");
        assert!(libc::fallocate(fd, 0, 0, length) == 0, "no room");
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let base = libc::mmap(ptr::null_mut(), bytes, access, libc::MAP_SHARED, fd, 0);
        assert!(base != libc::MAP_FAILED, "cannot map");
        ptr::copy_nonoverlapping(from.as_ptr(), base.cast(), from.len().min(bytes));
        libc::munmap(base, bytes);
        libc::close(fd);
        libc::unlink(path.as_ptr());
    }
}

/// The bytes of some samples.
#[must_use]
pub fn bytes_of(samples: &[f32]) -> &[u8] {
    // SAFETY: every byte of an f32 is initialised, and bytes have no alignment.
    #[expect(clippy::disallowed_methods, reason = "memory of our own")]
    unsafe {
        std::slice::from_raw_parts(samples.as_ptr().cast(), size_of_val(samples))
    }
}

/// The bytes of some samples, to be written.
#[must_use]
pub fn bytes_of_mut(samples: &mut [f32]) -> &mut [u8] {
    // SAFETY: as `bytes_of`; every pattern of bytes is an f32.
    #[expect(clippy::disallowed_methods, reason = "memory of our own")]
    unsafe {
        std::slice::from_raw_parts_mut(samples.as_mut_ptr().cast(), size_of_val(samples))
    }
}
