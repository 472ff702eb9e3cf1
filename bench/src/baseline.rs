//! The same work by hand: the system's own lock between processes beside a buffer in shared memory.
#![allow(unsafe_code, reason = "this is what the library is compared with")]

use std::ptr;

use crate::system::{Lock, Memory};

/// A lock between processes and a buffer in shared memory.
#[derive(Debug)]
pub struct LockAndBuffer {
    lock: Lock,
    memory: Memory,
    bytes: usize,
}

const BUFFER_AT: usize = 4096;

impl LockAndBuffer {
    /// Makes both, for this process, and touches every page.
    ///
    /// # Panics
    ///
    /// When the system refuses: there is no benchmark then.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let memory = Memory::anonymous(bytes.saturating_add(BUFFER_AT));
        Self { lock: Lock::make(&memory, None), memory, bytes }.touched()
    }

    /// The same for two processes, with a name.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    #[must_use]
    pub fn shared(name: &str, bytes: usize) -> Self {
        let memory = Memory::make(name, bytes.saturating_add(BUFFER_AT));
        Self { lock: Lock::make(&memory, Some(name)), memory, bytes }.touched()
    }

    /// That of the other process.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    #[must_use]
    pub fn open(name: &str, bytes: usize) -> Self {
        let memory = Memory::open(name, bytes.saturating_add(BUFFER_AT));
        Self { lock: Lock::open(&memory, name), memory, bytes }
    }

    fn touched(self) -> Self {
        // SAFETY: the buffer has so many bytes, and nobody else knows it yet.
        unsafe { ptr::write_bytes(self.buffer(), 1, self.bytes) };
        self
    }

    /// With a lock that checks who takes it, as ours does, for [`try_lock_unlock`](Self::try_lock_unlock).
    #[must_use]
    pub fn checking(self) -> Self {
        Self { lock: Lock::make_checking(&self.memory), ..self }
    }

    #[inline]
    fn buffer(&self) -> *mut u8 {
        self.memory.base().wrapping_add(BUFFER_AT)
    }

    /// Locks if it is free, and unlocks.
    pub fn try_lock_unlock(&self) {
        self.lock.try_lock();
        self.lock.unlock();
    }

    /// Locks and unlocks.
    pub fn lock_unlock(&self) {
        self.lock.lock();
        self.lock.unlock();
    }

    /// Locks, copies `from` to the start of the buffer, unlocks.
    pub fn lock_copy_in(&self, from: &[u8]) {
        self.lock.lock();
        self.copy_in(from);
        self.lock.unlock();
    }

    /// Locks, copies the start of the buffer to `to`, unlocks.
    pub fn lock_copy_out(&self, to: &mut [u8]) {
        self.lock.lock();
        self.copy_out(to);
        self.lock.unlock();
    }

    /// Copies `from` to the start of the buffer, without the lock.
    #[inline]
    pub fn copy_in(&self, from: &[u8]) {
        let bytes = from.len().min(self.bytes);
        // SAFETY: `bytes` fits both sides, which do not overlap.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), self.buffer(), bytes) };
    }

    /// Copies the start of the buffer to `to`, without the lock.
    #[inline]
    pub fn copy_out(&self, to: &mut [u8]) {
        let bytes = to.len().min(self.bytes);
        // SAFETY: as above.
        unsafe { ptr::copy_nonoverlapping(self.buffer(), to.as_mut_ptr(), bytes) };
    }
}

/// Makes a named object with its pages reserved, maps it, copies `from` into it, and removes it again.
///
/// # Panics
///
/// When the system refuses.
pub fn object_by_hand(name: &str, bytes: usize, from: &[u8]) {
    let memory = Memory::make(name, bytes);
    // SAFETY: the object has `bytes` bytes, of which at most as many are written.
    unsafe { ptr::copy_nonoverlapping(from.as_ptr(), memory.base(), from.len().min(bytes)) };
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
