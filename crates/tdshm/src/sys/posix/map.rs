//! One shared mapping of a whole object.

use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;
use std::sync::Arc;

use rustix::mm::{MapFlags, ProtFlags};

use crate::mem::Region;

/// A mapping, unmapped when the last clone is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    /// All of it: handed out for as long as the mapping is borrowed, and no longer.
    whole: Region<'static>,
    #[expect(dead_code, reason = "held for its drop")]
    mapped: Arc<Mapped>,
}

/// What is unmapped when this is dropped.
#[derive(Debug)]
struct Mapped {
    whole: Region<'static>,
}

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
        let whole = if rights.contains(ProtFlags::WRITE) {
            // SAFETY: `base..base + bytes` was just mapped readable and writable, and stays until the last
            // `Map` of it is dropped, which every region that `region` hands out precedes, because it borrows one; nobody
            // makes references from it (`mem` does not); the kernel maps no more than `isize::MAX` bytes.
            unsafe { Region::new(base, bytes) }
        } else {
            // SAFETY: as above, but for the writing.
            unsafe { Region::read_only(base, bytes) }
        };
        Ok(Self { whole, mapped: Arc::new(Mapped { whole }) })
    }

    #[inline]
    pub(crate) fn region(&self) -> Region<'_> {
        self.whole
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: exactly what `with` mapped, once; every `Region` of it has ended, because each borrows a `Map`, and this
        // is dropped with the last of them.
        let result = unsafe { rustix::mm::munmap(self.whole.as_ptr().cast(), self.whole.len()) };
        debug_assert!(result.is_ok(), "unmapping what was mapped cannot fail");
    }
}
