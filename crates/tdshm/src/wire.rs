//! Bytes to values and back: pure, no I/O, no `unsafe`, no panic whatever the bytes are.
//!
//! Each layout is a struct of alignment-free little-endian fields, so that it is identical to its bytes;
//! each number of the protocol stands here once.
#![deny(
    clippy::as_conversions,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

pub(crate) mod chop;
#[cfg(unix)]
#[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "macOS uses it, and the tests do"))]
pub(crate) mod directory;
pub(crate) mod global;
pub(crate) mod info;
pub(crate) mod lock;
pub(crate) mod notice;
pub(crate) mod pixel;
pub(crate) mod top;
pub(crate) mod top_legacy;
