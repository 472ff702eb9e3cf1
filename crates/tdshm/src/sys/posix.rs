//! What the POSIX systems share: mappings, locks, processes.
//!
//! What only macOS uses is built, and tested, on the others as well.

#[cfg(all(test, target_os = "linux"))]
pub(crate) mod child;
#[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "macOS uses it, and the tests do"))]
pub(crate) mod cond_lock;
#[cfg(all(test, target_os = "linux"))]
mod lock_suite;
pub(crate) mod map;
#[cfg(target_os = "linux")]
#[cfg_attr(tdshm_macos, allow(dead_code, reason = "Linux uses it"))]
pub(crate) mod owner;
#[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "macOS uses it, and the tests do"))]
pub(crate) mod pause;
pub(crate) mod process;
#[cfg(target_os = "linux")]
#[cfg_attr(tdshm_macos, allow(dead_code, reason = "Linux uses it"))]
pub(crate) mod robust_lock;
#[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "macOS uses it, and the tests do"))]
pub(crate) mod shm;
#[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "macOS uses it, and the tests do"))]
pub(crate) mod whole;
