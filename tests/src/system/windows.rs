//! Sections, kernel mutexes, and what the system offers to stop a process.

use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::NonNull;

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{NtOpenDirectoryObject, NtQueryDirectoryObject};
use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, FILETIME, GetLastError, HANDLE, INVALID_HANDLE_VALUE, NTSTATUS, UNICODE_STRING,
};
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP_ALL_ACCESS, MEMORY_BASIC_INFORMATION, MEMORY_MAPPED_VIEW_ADDRESS,
    MapViewOfFile, OpenFileMappingW, PAGE_READWRITE, UnmapViewOfFile, VirtualQuery,
};
use windows_sys::Win32::System::RemoteDesktop::ProcessIdToSessionId;
use windows_sys::Win32::System::Threading::{
    CreateMutexW, GetCurrentProcess, GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION,
    PROCESS_SUSPEND_RESUME, TerminateProcess,
};

/// Whether info blocks have the wide layout of Windows (wire §3).
pub const WIDE: bool = true;
/// Whether an object and its name live only as long as somebody has it open.
pub const DIES_WITH_HANDLES: bool = true;
/// Whether a lock says which process holds it.
pub const LOCKS_NAME_HOLDERS: bool = false;
/// Sizes of objects are multiples of this.
pub const GRAIN: usize = 4096;

fn wide(name: &str) -> Vec<u16> {
    name.encode_utf16().chain([0]).collect()
}

/// A handle that the system has just given.
fn owned(handle: HANDLE) -> OwnedHandle {
    assert!(!handle.is_null());
    // SAFETY: every caller has it from a function that gave it to that caller alone; it is not null.
    unsafe { OwnedHandle::from_raw_handle(handle) }
}

/// A section of the page file, mapped whole for reading and writing.
#[derive(Debug)]
pub(crate) struct Memory {
    base: NonNull<u8>,
    len: usize,
    /// Held for its drop: the name lasts as long.
    _handle: OwnedHandle,
}

impl Memory {
    /// Makes a section of `len` bytes, which must not be there yet.
    pub(crate) fn create(name: &str, len: usize) -> Self {
        let (wide, len) = (wide(name), u32::try_from(len).expect("a small one"));
        // SAFETY: no file, no attributes; the name ends in a NUL and lives to the end of this function.
        let handle = unsafe {
            CreateFileMappingW(
                INVALID_HANDLE_VALUE,
                std::ptr::null(),
                PAGE_READWRITE,
                0,
                len.max(1),
                wide.as_ptr(),
            )
        };
        // SAFETY: the function takes nothing.
        let error = unsafe { GetLastError() };
        assert!(!handle.is_null() && error != ERROR_ALREADY_EXISTS, "{name}: error {error}");
        Self::map(owned(handle))
    }

    /// Opens a section that is there; `None` where it is not.
    pub(crate) fn open(name: &str) -> Option<Self> {
        let wide = wide(name);
        // SAFETY: the name ends in a NUL and lives to the end of this function.
        let handle = unsafe { OpenFileMappingW(FILE_MAP_ALL_ACCESS, 0, wide.as_ptr()) };
        (!handle.is_null()).then(|| Self::map(owned(handle)))
    }

    fn map(handle: OwnedHandle) -> Self {
        // SAFETY: the handle is open; the system chooses the address; 0 bytes stands for all of it.
        let view = unsafe { MapViewOfFile(handle.as_raw_handle(), FILE_MAP_ALL_ACCESS, 0, 0, 0) };
        let base = NonNull::new(view.Value.cast::<u8>()).expect("it can be mapped");
        let mut information = MEMORY_BASIC_INFORMATION::default();
        let room = size_of::<MEMORY_BASIC_INFORMATION>();
        // SAFETY: one live structure of the size that is given.
        assert_ne!(unsafe { VirtualQuery(view.Value, &raw mut information, room) }, 0);
        Self { base, len: information.RegionSize, _handle: handle }
    }

    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The name goes with the last handle.
    pub(crate) fn unlink(&self) {}
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: exactly what `map` mapped, once; every access borrows `self`, so none comes after.
        unsafe { UnmapViewOfFile(MEMORY_MAPPED_VIEW_ADDRESS { Value: self.base.as_ptr().cast() }) };
    }
}

/// A lock that was made by hand, and is there as long as this.
#[derive(Debug)]
pub struct MadeLock(#[expect(dead_code, reason = "held for its drop")] OwnedHandle);

/// Makes a lock by hand: a mutex that nobody owns.
pub fn make_lock(name: &str) -> MadeLock {
    let wide = wide(name);
    // SAFETY: no attributes; the name ends in a NUL and lives to the end of this function.
    MadeLock(owned(unsafe { CreateMutexW(std::ptr::null(), 0, wide.as_ptr()) }))
}

/// The names of all segments and locks of this session that have `part` in theirs.
pub(crate) fn object_names(part: &str) -> Vec<String> {
    // Entries are found by their place, which changes when others come and go, and then one look sees some twice and passes
    // over others: true is what several looks in a row saw, each once.
    let mut before = Vec::new();
    let mut alike = 0;
    loop {
        let mut now = list();
        now.retain(|name| name.contains(part));
        let is_whole = now.windows(2).all(|pair| pair[0] != pair[1]);
        alike = if is_whole && now == before { alike + 1 } else { 0 };
        if alike == 4 {
            return now;
        }
        before = now;
    }
}

fn list() -> Vec<String> {
    let mut session = 0;
    // SAFETY: the function writes one number.
    unsafe { ProcessIdToSessionId(std::process::id(), &raw mut session) };
    let path = format!(r"\Sessions\{session}\BaseNamedObjects");
    let directory = open_directory(&path).or_else(|| open_directory(r"\BaseNamedObjects"));
    let directory = directory.expect("named objects have a directory");
    let mut names = Vec::new();
    let mut entry = vec![0_u64; 20_000];
    let (mut context, mut length) = (0, 0);
    loop {
        let restart = context == 0;
        // SAFETY: `entry` has so many bytes; the last two are one number each.
        let status = unsafe {
            NtQueryDirectoryObject(
                directory.as_raw_handle(),
                entry.as_mut_ptr().cast(),
                160_000,
                true,
                restart,
                &raw mut context,
                &raw mut length,
            )
        };
        if status != 0 {
            names.sort();
            return names;
        }
        let unit = |at: usize| (entry[at / 8] >> (at % 8 * 8)) as u16;
        let text = |at: usize| {
            let from = entry[at / 8 + 1] as usize - entry.as_ptr().addr();
            let units: Vec<u16> = (from..from + usize::from(unit(at))).step_by(2).map(unit).collect();
            String::from_utf16_lossy(&units)
        };
        if ["Section", "Mutant"].contains(&text(16).as_str()) {
            names.push(text(0));
        }
    }
}

fn open_directory(path: &str) -> Option<OwnedHandle> {
    let mut units: Vec<u16> = path.encode_utf16().collect();
    let bytes = u16::try_from(units.len() * 2).expect("a short path");
    let name = UNICODE_STRING { Length: bytes, MaximumLength: bytes, Buffer: units.as_mut_ptr() };
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        ObjectName: &raw const name,
        ..Default::default()
    };
    let mut handle = std::ptr::null_mut();
    // SAFETY: the attributes, the string and its units live to the end of this function; one handle is written.
    let status = unsafe { NtOpenDirectoryObject(&raw mut handle, 1, &raw const attributes) };
    (status == 0).then(|| owned(handle))
}

/// Objects go with their handles.
pub(crate) fn remove_object(_name: &str) {}

/// Sudden death of this process: nothing is dropped, nothing is let go of.
pub fn die() -> ! {
    // SAFETY: the function takes nothing; what it returns always stands for this process.
    let me = unsafe { GetCurrentProcess() };
    // SAFETY: that handle has every right. Nothing is run after it.
    unsafe { TerminateProcess(me, 9) };
    std::process::abort()
}

#[link(name = "ntdll")]
unsafe extern "system" {
    fn NtSuspendProcess(process: HANDLE) -> NTSTATUS;
    fn NtResumeProcess(process: HANDLE) -> NTSTATUS;
}

fn process(pid: u32, rights: u32) -> OwnedHandle {
    // SAFETY: any number may be asked for.
    owned(unsafe { OpenProcess(rights, 0, pid) })
}

/// Stops a process: none of its threads runs any more.
pub(crate) fn stop(pid: u32) {
    let process = process(pid, PROCESS_SUSPEND_RESUME);
    // SAFETY: the handle is open and has that right.
    assert_eq!(unsafe { NtSuspendProcess(process.as_raw_handle()) }, 0);
}

/// Whether a process that is being stopped stands still: stopping it has waited for that.
pub(crate) fn stands_still(_pid: u32) -> bool {
    true
}

/// Lets it go on.
pub(crate) fn go_on(pid: u32) {
    let process = process(pid, PROCESS_SUSPEND_RESUME);
    // SAFETY: the handle is open and has that right.
    assert_eq!(unsafe { NtResumeProcess(process.as_raw_handle()) }, 0);
}

/// Gives a process time to fall asleep. Whether it does the system does not say: a test that relies on this is right all
/// the same, and where the time was too short it shows less.
pub(crate) fn until_it_sleeps(_pid: u32) {
    for _ in 0..2000 {
        std::thread::yield_now();
    }
}

/// When a process began: its creation time.
#[must_use]
pub fn start_time(pid: u32) -> u64 {
    let [created, ..] = times(pid);
    u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime)
}

/// How long this process has had a processor. (Of others Wine does not know.)
#[must_use]
pub fn processor_time() -> std::time::Duration {
    let [_, _, kernel, user] = times(std::process::id());
    let ticks = |time: FILETIME| u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
    std::time::Duration::from_nanos(100 * (ticks(kernel) + ticks(user)))
}

fn times(pid: u32) -> [FILETIME; 4] {
    let process = process(pid, PROCESS_QUERY_LIMITED_INFORMATION);
    let mut times = [FILETIME::default(); 4];
    let [created, exited, kernel, user] = &mut times;
    // SAFETY: the handle is open and has that right; four structures are written.
    let known = unsafe { GetProcessTimes(process.as_raw_handle(), created, exited, kernel, user) };
    assert_ne!(known, 0);
    times
}
