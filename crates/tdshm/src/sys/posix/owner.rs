//! Marks: write locks on bytes of an object that belong to an open file, so that the system lets go of them when the
//! last process that has the file open ends, in whatever way, in whatever container. Byte 0 is the owner's.

use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The byte that the owner marks.
pub(in crate::sys) const OWNER: Range<usize> = 0..1;

fn write_lock(bytes: &Range<usize>) -> libc::flock {
    // SAFETY: the struct is made of integers, for which zero is a value.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = WRITE;
    lock.l_whence = FROM_START;
    lock.l_start = bytes.start.try_into().unwrap_or(libc::off_t::MAX);
    lock.l_len = bytes.len().try_into().unwrap_or(1);
    lock
}

#[expect(clippy::cast_possible_truncation, reason = "constants that fit")]
const WRITE: libc::c_short = libc::F_WRLCK as libc::c_short;
#[expect(clippy::cast_possible_truncation, reason = "constants that fit")]
const UNLOCKED: libc::c_short = libc::F_UNLCK as libc::c_short;
#[expect(clippy::cast_possible_truncation, reason = "constants that fit")]
const FROM_START: libc::c_short = libc::SEEK_SET as libc::c_short;

/// Marks bytes for this open file, which has to be writable. `false`: another open file has marked one of them.
pub(in crate::sys) fn take(fd: BorrowedFd<'_>, bytes: &Range<usize>) -> io::Result<bool> {
    let lock = write_lock(bytes);
    // SAFETY: the descriptor is open for as long as it is borrowed, and the command reads one `flock`.
    let result = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) };
    match result {
        0 => Ok(true),
        _ => match io::Error::last_os_error() {
            error if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
            error => Err(error),
        },
    }
}

/// Takes back what this open file has marked.
pub(in crate::sys) fn release(fd: BorrowedFd<'_>, bytes: &Range<usize>) {
    let mut lock = write_lock(bytes);
    lock.l_type = UNLOCKED;
    // SAFETY: as in `take`. Letting go cannot fail where taking worked.
    unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) };
}

/// Whether another open file has marked any of the bytes. Takes nothing, and needs no right but to have it open.
pub(in crate::sys) fn is_taken(fd: BorrowedFd<'_>, bytes: &Range<usize>) -> io::Result<bool> {
    let mut lock = write_lock(bytes);
    // SAFETY: as in `take`; the command writes one `flock`.
    let result = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) };
    if result == 0 { Ok(lock.l_type != UNLOCKED) } else { Err(io::Error::last_os_error()) }
}
