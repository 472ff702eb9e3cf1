//! What macOS tells of processes and time.

use std::time::{Duration, SystemTime};

use rustix::io::Errno;
use rustix::process::Pid;

use crate::sys::Life;

/// The state of a process that has ended and was not waited for (`SZOMB` of `sys/proc.h`).
const ZOMBIE: u32 = 5;

/// When that process started, in microseconds since the Unix epoch; `None` when it does not exist, has ended and was not
/// waited for, or may not be looked at.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    let pid = libc::c_int::try_from(pid).ok()?;
    let mut info = std::mem::MaybeUninit::<libc::proc_bsdinfo>::uninit();
    let size = libc::c_int::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    // SAFETY: the buffer has `size` bytes, which the call fills at most, and is alive throughout; any process id is
    // allowed.
    let filled =
        unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, 0, info.as_mut_ptr().cast(), size) };
    if filled != size {
        return None;
    }
    // SAFETY: the call said that it filled all of it, with integers.
    let info = unsafe { info.assume_init() };
    if info.pbi_status == ZOMBIE {
        return None;
    }
    Some(info.pbi_start_tvsec.saturating_mul(1_000_000).saturating_add(info.pbi_start_tvusec))
}

/// Whether the process with that id and start time lives. One that may not be looked at counts as alive.
pub(crate) fn life(pid: u32, start: u64) -> Life {
    let Some(id) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Life::Dead };
    match (start_time(pid), rustix::process::test_kill_process(id)) {
        // Where the times differ another process has the id by now.
        (Some(started), _) if started == start => Life::Lives,
        (Some(_), _) | (None, Err(Errno::SRCH)) => Life::Dead,
        (None, Err(_)) => Life::Lives,
        // It may be signalled, so it may be looked at, and there is nothing to see: it has ended.
        (None, Ok(())) => Life::Dead,
    }
}

/// The name of this program, for those who look at what it owns.
pub(crate) fn program_name() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Nanoseconds since the Unix epoch: no system call there.
#[inline]
pub(crate) fn coarse_time() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// The time since some moment, never set back.
#[inline]
pub(crate) fn coarse_instant() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}
