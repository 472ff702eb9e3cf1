//! What the kit asks of the system, by hand and without our library: memory and locks as a foreign program has them,
//! the objects there are, and what can be done to a process.

use std::process::Command;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(unix)]
pub mod shm;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::*;
#[cfg(target_os = "macos")]
pub use macos::*;
#[cfg(windows)]
pub use windows::*;

/// Lets a program have no console of its own, as nobody looks at it: each one is a process more.
pub(crate) fn without_console(command: &mut Command) -> &mut Command {
    #[cfg(windows)]
    std::os::windows::process::CommandExt::creation_flags(
        command,
        windows_sys::Win32::System::Threading::DETACHED_PROCESS,
    );
    command
}

/// The holder that a lock names, when it is that process.
#[must_use]
pub fn holder(pid: u32) -> Option<u32> {
    LOCKS_NAME_HOLDERS.then_some(pid)
}
