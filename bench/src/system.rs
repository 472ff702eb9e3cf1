//! What each system has of its own, without our library: memory and locks between processes, something to sleep on, and
//! clocks. It is what the library is compared with.
#![allow(unsafe_code, reason = "this is what the library is compared with")]

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(unix)]
mod posix;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::{BELL, Bell, LOCK, coarse_time, stay_here};
#[cfg(target_os = "macos")]
pub use macos::{BELL, Bell, LOCK, coarse_time};
#[cfg(unix)]
pub use posix::{Lock, Memory, now};
#[cfg(windows)]
pub use windows::{BELL, Bell, LOCK, Lock, Memory, coarse_time, now};
