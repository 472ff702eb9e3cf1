//! Windows: sections, a kernel mutex, and an auto-reset event.

use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use windows_sys::Win32::Foundation::{FILETIME, HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP_ALL_ACCESS, MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile, OpenFileMappingW,
    PAGE_READWRITE, UnmapViewOfFile,
};
use windows_sys::Win32::System::Performance::{QueryPerformanceCounter, QueryPerformanceFrequency};
use windows_sys::Win32::System::SystemInformation::GetSystemTimeAsFileTime;
use windows_sys::Win32::System::Threading::{
    CreateEventW, CreateMutexW, INFINITE, ReleaseMutex, SetEvent, WaitForSingleObject,
};

/// What the lock is.
pub const LOCK: &str = "a kernel mutex";
/// What is slept on.
pub const BELL: &str = "a bare event";

fn wide(name: &str) -> Vec<u16> {
    name.encode_utf16().chain([0]).collect()
}

/// A handle that the system has just given.
fn owned(handle: HANDLE, what: &str) -> OwnedHandle {
    assert!(!handle.is_null(), "{what} is refused");
    // SAFETY: every caller has it from a function that gave it to that caller alone; it is not null.
    unsafe { OwnedHandle::from_raw_handle(handle) }
}

/// Shared memory, mapped. Its name goes with the last handle.
#[derive(Debug)]
pub struct Memory {
    base: *mut u8,
    _handle: OwnedHandle,
}

impl Memory {
    /// Makes a named section, and maps it.
    ///
    /// # Panics
    ///
    /// When the system refuses: there is no benchmark then.
    #[must_use]
    pub fn make(name: &str, bytes: usize) -> Self {
        Self::section(wide(name).as_ptr(), bytes)
    }

    /// Maps the section of that name, which is there.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    #[must_use]
    pub fn open(name: &str, _bytes: usize) -> Self {
        let name = wide(name);
        // SAFETY: it ends in a NUL and lives to the end of this function.
        Self::map(owned(unsafe { OpenFileMappingW(FILE_MAP_ALL_ACCESS, 0, name.as_ptr()) }, "a section"))
    }

    /// Memory without a name.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    #[must_use]
    pub fn anonymous(bytes: usize) -> Self {
        Self::section(ptr::null(), bytes)
    }

    fn section(name: *const u16, bytes: usize) -> Self {
        let size = u64::try_from(bytes).unwrap_or(u64::MAX);
        let [high, low] = [size >> 32, size & 0xffff_ffff].map(|half| u32::try_from(half).unwrap_or(0));
        // SAFETY: no file, no attributes; `name` is null, or ends in a NUL and lives to the end of this function.
        let handle =
            unsafe { CreateFileMappingW(INVALID_HANDLE_VALUE, ptr::null(), PAGE_READWRITE, high, low, name) };
        Self::map(owned(handle, "a section"))
    }

    fn map(handle: OwnedHandle) -> Self {
        // SAFETY: the handle is open; the system chooses the address; 0 bytes stands for all of it.
        let view = unsafe { MapViewOfFile(handle.as_raw_handle(), FILE_MAP_ALL_ACCESS, 0, 0, 0) };
        assert!(!view.Value.is_null(), "cannot map");
        Self { base: view.Value.cast(), _handle: handle }
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
        unsafe { UnmapViewOfFile(MEMORY_MAPPED_VIEW_ADDRESS { Value: self.base.cast() }) };
    }
}

/// A kernel mutex.
#[derive(Debug)]
pub struct Lock(OwnedHandle);

impl Lock {
    /// Makes it, with the name of its memory.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    #[must_use]
    pub fn make(_memory: &Memory, name: Option<&str>) -> Self {
        let name = name.map(|name| wide(&format!("{name}Mutex")));
        let name = name.as_ref().map_or(ptr::null(), |name| name.as_ptr());
        // SAFETY: no attributes, not owned; `name` is null, or ends in a NUL and lives to the end of this function.
        Self(owned(unsafe { CreateMutexW(ptr::null(), 0, name) }, "a mutex"))
    }

    /// The same: each of them knows who holds it.
    #[must_use]
    pub fn make_checking(memory: &Memory) -> Self {
        Self::make(memory, None)
    }

    /// That of the memory with this name.
    #[must_use]
    pub fn open(memory: &Memory, name: &str) -> Self {
        Self::make(memory, Some(name))
    }

    /// Locks.
    #[inline]
    pub fn lock(&self) {
        // SAFETY: the handle is open while `self` lives.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), INFINITE) };
    }

    /// Locks if it is free.
    #[inline]
    pub fn try_lock(&self) {
        // SAFETY: as above.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), 0) };
    }

    /// Unlocks.
    #[inline]
    pub fn unlock(&self) {
        // SAFETY: as above; by the thread that locked it.
        unsafe { ReleaseMutex(self.0.as_raw_handle()) };
    }
}

/// What one process sleeps on and another one rings.
#[derive(Debug)]
pub struct Bell(OwnedHandle);

impl Bell {
    /// That of both processes, made by the first of them.
    ///
    /// # Panics
    ///
    /// When the system refuses.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let name = wide(&format!("{name}Bell"));
        // SAFETY: no attributes; it resets itself and is not set; the name ends in a NUL and lives to the end of this
        // function.
        Self(owned(unsafe { CreateEventW(ptr::null(), 0, 0, name.as_ptr()) }, "an event"))
    }

    /// Sleeps until it is rung.
    pub fn wait(&self, _word: &AtomicU32, _seen: u32) {
        // SAFETY: the handle is open while `self` lives.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), INFINITE) };
    }

    /// Changes the word and wakes who sleeps.
    pub fn ring(&self, word: &AtomicU32) {
        word.fetch_add(1, Ordering::SeqCst);
        // SAFETY: as above.
        unsafe { SetEvent(self.0.as_raw_handle()) };
    }
}

/// Nanoseconds of a clock that all processes have in common.
#[must_use]
pub fn now() -> u64 {
    let (mut count, mut frequency) = (0, 0);
    // SAFETY: room for one number.
    unsafe { QueryPerformanceCounter(&raw mut count) };
    // SAFETY: the same.
    unsafe { QueryPerformanceFrequency(&raw mut frequency) };
    let nanoseconds = i128::from(count).wrapping_mul(1_000_000_000).checked_div(i128::from(frequency));
    u64::try_from(nanoseconds.unwrap_or(0)).unwrap_or(u64::MAX)
}

/// The time, from a clock that is cheap to ask.
#[must_use]
#[inline]
pub fn coarse_time() -> u64 {
    let mut now = FILETIME::default();
    // SAFETY: room for one time.
    unsafe { GetSystemTimeAsFileTime(&raw mut now) };
    u64::from(now.dwLowDateTime)
}
