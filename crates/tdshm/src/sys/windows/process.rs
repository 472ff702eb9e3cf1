//! Who this process is, and whether others live.

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, FILETIME, STILL_ACTIVE, WAIT_OBJECT_0};
use windows_sys::Win32::System::Threading::{
    GetExitCodeProcess, GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE,
    WaitForSingleObject,
};

use crate::sys::Life;
use crate::sys::windows::code;

/// This process's id.
#[inline]
pub(crate) fn id() -> u32 {
    std::process::id()
}

/// Stops this process: not here, where no process stops itself.
#[cfg(tdshm_steps)]
pub(crate) fn stop() {}

/// Kills this process at once: nothing is run on the way out.
#[cfg(tdshm_steps)]
pub(crate) fn die() -> ! {
    use windows_sys::Win32::System::Threading::{GetCurrentProcess, TerminateProcess};
    // SAFETY: the function takes nothing; what it returns always stands for this process.
    let me = unsafe { GetCurrentProcess() };
    // SAFETY: that handle has every right and need not be closed. Nothing is run after it.
    unsafe { TerminateProcess(me, 9) };
    loop {
        std::thread::park();
    }
}

/// When that process started, as its creation time says; `None` when it has ended, or cannot be asked.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    match ask(pid) {
        Answer::Runs(start) => Some(start),
        Answer::Ended | Answer::Silent => None,
    }
}

/// Whether the process with that id and start time lives. One that cannot be asked does (wire §6).
pub(crate) fn life(pid: u32, start: u64) -> Life {
    match ask(pid) {
        Answer::Ended => Life::Dead,
        // Where the times differ another process has the id by now.
        Answer::Runs(found) if found != start => Life::Dead,
        Answer::Runs(_) | Answer::Silent => Life::Lives,
    }
}

enum Answer {
    /// It runs, and began then.
    Runs(u64),
    /// There is none of that id, or it has ended and somebody still has it open.
    Ended,
    /// It may not be asked.
    Silent,
}

fn ask(pid: u32) -> Answer {
    let process = match open(pid, PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SYNCHRONIZE)
        .or_else(|_| open(pid, PROCESS_QUERY_LIMITED_INFORMATION))
    {
        Ok(process) => process,
        Err(error) if code(&error) == ERROR_INVALID_PARAMETER => return Answer::Ended,
        Err(_) => return Answer::Silent,
    };
    let handle = process.as_raw_handle();
    // SAFETY: the handle is open while `process` lives; without the right to wait the function fails.
    if unsafe { WaitForSingleObject(handle, 0) } == WAIT_OBJECT_0 {
        return Answer::Ended;
    }
    let mut exit_code = 0;
    // SAFETY: as above; the function writes one `u32`.
    let known = unsafe { GetExitCodeProcess(handle, &raw mut exit_code) };
    if known != 0 && exit_code != STILL_ACTIVE.cast_unsigned() {
        return Answer::Ended;
    }
    let [mut created, mut exited, mut kernel, mut user] = [FILETIME::default(); 4];
    // SAFETY: as above; the function writes four `FILETIME`s.
    let known =
        unsafe { GetProcessTimes(handle, &raw mut created, &raw mut exited, &raw mut kernel, &raw mut user) };
    if known == 0 { Answer::Silent } else { Answer::Runs(ticks(created)) }
}

fn open(pid: u32, rights: u32) -> io::Result<OwnedHandle> {
    // SAFETY: any number may be asked for.
    let handle = unsafe { OpenProcess(rights, 0, pid) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the function gave this handle to its caller alone, and it is open.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// The 100 ns since 1601 that a file time is.
pub(super) fn ticks(time: FILETIME) -> u64 {
    u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime)
}
