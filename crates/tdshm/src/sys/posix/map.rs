//! One shared mapping of a whole object.

use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use rustix::mm::{MapFlags, ProtFlags};

use crate::mem::Region;

/// A mapping, unmapped when dropped.
#[derive(Debug)]
pub(in crate::sys) struct Map {
    base: NonNull<u8>,
    bytes: usize,
    writable: bool,
}

// SAFETY: a mapping belongs to the process, not to a thread; unmapping it from another thread is allowed, and
// `Region`s of it borrow it, so none outlives it.
unsafe impl Send for Map {}
// SAFETY: shared use makes `Region`s only, which are made for being shared.
unsafe impl Sync for Map {}

impl Map {
    /// Maps the first `bytes` bytes, of which there must be at least one, for reading and writing.
    pub(in crate::sys) fn new(fd: BorrowedFd<'_>, bytes: usize) -> io::Result<Self> {
        Self::with(fd, bytes, ProtFlags::READ | ProtFlags::WRITE)
    }

    /// As [`new`](Self::new), for reading alone.
    pub(in crate::sys) fn read_only(fd: BorrowedFd<'_>, bytes: usize) -> io::Result<Self> {
        Self::with(fd, bytes, ProtFlags::READ)
    }

    fn with(fd: BorrowedFd<'_>, bytes: usize, rights: ProtFlags) -> io::Result<Self> {
        // SAFETY: a null address lets the kernel choose, so no mapping that exists is touched; the kernel
        // checks length and descriptor.
        let base = unsafe { rustix::mm::mmap(std::ptr::null_mut(), bytes, rights, MapFlags::SHARED, fd, 0) }?;
        let base = NonNull::new(base.cast::<u8>()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(Self { base, bytes, writable: rights.contains(ProtFlags::WRITE) })
    }

    #[inline]
    pub(in crate::sys) fn region(&self) -> Region<'_> {
        if !self.writable {
            // SAFETY: as below, with a mapping that `read_only` made.
            return unsafe { Region::read_only(self.base, self.bytes) };
        }
        // SAFETY: `base..base + bytes` was mapped readable and writable by `new` and stays until `drop`, which
        // the borrow in the result's lifetime precedes; nobody makes references from it (`mem` does not);
        // the kernel maps no more than `isize::MAX` bytes.
        unsafe { Region::new(self.base, self.bytes) }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: exactly what `new` mapped, once; every `Region` of it has ended, because they borrow it.
        let result = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.bytes) };
        debug_assert!(result.is_ok(), "unmapping what was mapped cannot fail");
    }
}
