//! What both have that are POSIX: named memory, and a mutex that lies in it.

use std::ffi::CString;
use std::ptr;

#[cfg(target_os = "linux")]
use super::linux as system;
#[cfg(target_os = "macos")]
use super::macos as system;

/// Shared memory, mapped. Who made it removes its name.
#[derive(Debug)]
pub struct Memory {
    base: *mut u8,
    bytes: usize,
    made: Option<CString>,
}

impl Memory {
    /// Makes a named object with its pages reserved, and maps it.
    ///
    /// # Panics
    ///
    /// When the system refuses: there is no benchmark then.
    #[must_use]
    pub fn make(name: &str, bytes: usize) -> Self {
        let path = path(name);
        let file = open(&path, libc::O_RDWR | libc::O_CREAT | libc::O_EXCL);
        assert!(system::reserve(file, bytes), "no room for {name}");
        Self { base: map(file, bytes), bytes, made: Some(path) }
    }

    /// Maps the object of that name, which is there.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    #[must_use]
    pub fn open(name: &str, bytes: usize) -> Self {
        Self { base: map(open(&path(name), libc::O_RDWR), bytes), bytes, made: None }
    }

    /// Memory without a name.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    #[must_use]
    pub fn anonymous(bytes: usize) -> Self {
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: an anonymous mapping at an address of the kernel's choice.
        let base = unsafe { libc::mmap(ptr::null_mut(), bytes, access, flags, -1, 0) };
        assert!(base != libc::MAP_FAILED, "no memory");
        Self { base: base.cast(), bytes, made: None }
    }

    /// Where it is.
    #[must_use]
    #[inline]
    pub fn base(&self) -> *mut u8 {
        self.base
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: what was mapped, once.
        unsafe { libc::munmap(self.base.cast(), self.bytes) };
        if let Some(path) = &self.made {
            // SAFETY: it ends with NUL.
            unsafe { libc::shm_unlink(path.as_ptr()) };
        }
    }
}

#[expect(clippy::expect_used, reason = "no benchmark without it")]
fn path(name: &str) -> CString {
    CString::new(format!("/{name}")).expect("a name without NUL")
}

fn open(path: &CString, flags: libc::c_int) -> libc::c_int {
    // SAFETY: `path` ends with NUL; the mode is passed as the variadic function wants it.
    let file = unsafe { libc::shm_open(path.as_ptr(), flags, 0o600) };
    assert!(file >= 0, "cannot open {path:?}");
    file
}

/// Maps a file and closes it.
fn map(file: libc::c_int, bytes: usize) -> *mut u8 {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a mapping of an open file at an address of the kernel's choice.
    let base = unsafe { libc::mmap(ptr::null_mut(), bytes, access, libc::MAP_SHARED, file, 0) };
    assert!(base != libc::MAP_FAILED, "cannot map");
    // SAFETY: opened by the caller, closed once; the mapping stays.
    unsafe { libc::close(file) };
    base.cast()
}

/// A mutex between processes, at the beginning of some memory that outlives it.
#[derive(Debug)]
pub struct Lock(*mut libc::pthread_mutex_t);

impl Lock {
    /// Makes it at the beginning of `memory`, where nobody uses one.
    #[must_use]
    pub fn make(memory: &Memory, _name: Option<&str>) -> Self {
        Self::with(memory, |_| {})
    }

    /// One that checks who locks it, as ours does.
    #[must_use]
    pub fn make_checking(memory: &Memory) -> Self {
        Self::with(memory, |attributes| {
            // SAFETY: initialised by the caller; a documented value.
            unsafe { libc::pthread_mutexattr_settype(attributes, libc::PTHREAD_MUTEX_ERRORCHECK) };
        })
    }

    fn with(memory: &Memory, more: impl FnOnce(*mut libc::pthread_mutexattr_t)) -> Self {
        let mutex = memory.base().cast();
        let mut attributes = std::mem::MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: room of the right type, alive to the end of this function.
        unsafe { libc::pthread_mutexattr_init(attributes) };
        // SAFETY: initialised above; a documented value.
        unsafe { libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED) };
        system::make_robust(attributes);
        more(attributes);
        // SAFETY: a page at least, at the beginning of a page; the caller says that nobody uses a mutex there.
        unsafe { libc::pthread_mutex_init(mutex, attributes) };
        Self(mutex)
    }

    /// The one that lies there.
    #[must_use]
    pub fn open(memory: &Memory, _name: &str) -> Self {
        Self(memory.base().cast())
    }

    /// Locks.
    #[inline]
    pub fn lock(&self) {
        // SAFETY: initialised by whoever made it.
        unsafe { libc::pthread_mutex_lock(self.0) };
    }

    /// Locks if it is free.
    #[inline]
    pub fn try_lock(&self) {
        // SAFETY: as above.
        unsafe { libc::pthread_mutex_trylock(self.0) };
    }

    /// Unlocks.
    #[inline]
    pub fn unlock(&self) {
        // SAFETY: as above; by the thread that locked it.
        unsafe { libc::pthread_mutex_unlock(self.0) };
    }
}

/// Nanoseconds of a clock that all processes have in common.
#[must_use]
pub fn now() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
}

pub(super) fn clock(which: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a live timespec.
    unsafe { libc::clock_gettime(which, &raw mut time) };
    time.tv_sec.unsigned_abs().wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec.unsigned_abs())
}
