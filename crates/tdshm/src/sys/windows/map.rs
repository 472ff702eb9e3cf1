//! Sections of the page file, and views of them.

use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr::NonNull;
use std::sync::Arc;

use windows_sys::Win32::Foundation::{ERROR_ALREADY_EXISTS, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP, FILE_MAP_ALL_ACCESS, FILE_MAP_READ, MEM_COMMIT, MEMORY_BASIC_INFORMATION,
    MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile, OpenFileMappingW, PAGE_READWRITE, UnmapViewOfFile,
    VirtualQuery,
};
use windows_sys::Win32::System::SystemInformation::{GlobalMemoryStatusEx, MEMORYSTATUSEX};

use crate::mem::Region;
use crate::sys::windows::wide;

/// Makes a section of that name. One that is there already is an error, and not opened.
pub(super) fn create_section(name: &str, bytes: usize) -> io::Result<OwnedHandle> {
    let name = wide(name);
    let size = u64::try_from(bytes).unwrap_or(u64::MAX);
    let [high, low] = [size >> 32, size & 0xffff_ffff].map(|half| u32::try_from(half).unwrap_or(0));
    // SAFETY: no file means the page file, no attributes the default security; `name` ends in a NUL and lives to
    // the end of this function.
    let handle = unsafe {
        CreateFileMappingW(INVALID_HANDLE_VALUE, std::ptr::null(), PAGE_READWRITE, high, low, name.as_ptr())
    };
    // Before anything else: with a handle the last error says whether the section is new.
    let error = io::Error::last_os_error();
    if handle.is_null() {
        return Err(error);
    }
    // SAFETY: the function gave this handle to its caller alone, and it is open.
    let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
    if super::code(&error) == ERROR_ALREADY_EXISTS {
        return Err(error); // which closes it again
    }
    Ok(handle)
}

/// What is done with a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    All,
    Read,
}

impl Rights {
    fn access(self) -> FILE_MAP {
        match self {
            Self::All => FILE_MAP_ALL_ACCESS,
            Self::Read => FILE_MAP_READ,
        }
    }
}

/// Opens the section of that name.
pub(super) fn open_section(name: &str, rights: Rights) -> io::Result<OwnedHandle> {
    let name = wide(name);
    // SAFETY: `name` ends in a NUL and lives to the end of this function.
    let handle = unsafe { OpenFileMappingW(rights.access(), 0, name.as_ptr()) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as in `create_section`.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// What the system could still give to everybody together.
pub(super) fn free_bytes() -> usize {
    let mut status = MEMORYSTATUSEX {
        dwLength: u32::try_from(size_of::<MEMORYSTATUSEX>()).unwrap_or(0),
        ..Default::default()
    };
    // SAFETY: one live `MEMORYSTATUSEX` that says how long it is.
    let known = unsafe { GlobalMemoryStatusEx(&raw mut status) };
    if known == 0 { usize::MAX } else { usize::try_from(status.ullAvailPageFile).unwrap_or(usize::MAX) }
}

/// All of a section, unmapped when the last clone is dropped.
#[derive(Clone, Debug)]
pub(crate) struct View {
    mapped: Arc<Mapped>,
    bytes: usize,
    rights: Rights,
}

/// What is unmapped when this is dropped.
#[derive(Debug)]
struct Mapped {
    base: NonNull<u8>,
}

// SAFETY: a view belongs to the process, not to a thread; unmapping it from another thread is allowed, and
// `Region`s of it borrow a `View`, so none outlives the last.
unsafe impl Send for Mapped {}
// SAFETY: shared use makes `Region`s only, which are made for being shared.
unsafe impl Sync for Mapped {}

impl View {
    /// Maps the section, which was opened with these rights or all, whole.
    pub(super) fn new(section: BorrowedHandle<'_>, rights: Rights) -> io::Result<Self> {
        // SAFETY: the handle is open for as long as it is borrowed; the system chooses the address, so no memory in
        // use is touched, and 0 bytes stands for all of it.
        let address = unsafe { MapViewOfFile(section.as_raw_handle(), rights.access(), 0, 0, 0) };
        let Some(base) = NonNull::new(address.Value.cast::<u8>()) else {
            return Err(io::Error::last_os_error());
        };
        let mut view = Self { mapped: Arc::new(Mapped { base }), bytes: 0, rights };
        let mut information = MEMORY_BASIC_INFORMATION::default();
        // SAFETY: any address may be asked for, and the function writes one live `MEMORY_BASIC_INFORMATION`, whose
        // size it is given.
        let found = unsafe {
            VirtualQuery(base.as_ptr().cast(), &raw mut information, size_of::<MEMORY_BASIC_INFORMATION>())
        };
        if found == 0 {
            return Err(io::Error::last_os_error()); // which unmaps it
        }
        // Others may have reserved more than they committed; only what is committed can be touched.
        if information.State == MEM_COMMIT {
            view.bytes = information.RegionSize.min(isize::MAX.unsigned_abs());
        }
        Ok(view)
    }

    #[inline]
    pub(crate) fn region(&self) -> Region<'_> {
        let base = self.mapped.base;
        if self.rights == Rights::Read {
            // SAFETY: as below, but for the writing.
            return unsafe { Region::read_only(base, self.bytes) };
        }
        // SAFETY: `VirtualQuery` said that `base..base + bytes` is committed, and it was mapped for reading and writing;
        // a view cannot shrink, and stays until the last `View` of it is dropped, which the borrow in the result's
        // lifetime precedes; nobody
        // makes references from it (`mem` does not); `new` keeps the length below `isize::MAX`.
        unsafe { Region::new(base, self.bytes) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        let address = MEMORY_MAPPED_VIEW_ADDRESS { Value: self.base.as_ptr().cast() };
        // SAFETY: exactly what `new` mapped, once; every `Region` of it has ended, because each borrows a `View`, and this
        // is dropped with the last of them.
        let unmapped = unsafe { UnmapViewOfFile(address) };
        debug_assert_ne!(unmapped, 0, "unmapping what was mapped cannot fail");
    }
}
