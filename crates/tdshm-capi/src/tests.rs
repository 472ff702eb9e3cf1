//! Misuse gives a status, whatever the handle: a table of all functions that take one, which cannot forget any, because it is
//! compared with the header.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::missing_panics_doc,
    clippy::multiple_unsafe_ops_per_block,
    reason = "tests, which hand over memory of their own"
)]

/// A call as C makes it.
macro_rules! c {
    ($call:expr) => {{
        // SAFETY: every pointer that a test hands over is null, or leads to as much memory of the test's own as it says, and
        // every address that it uses was lent to it by the call before.
        unsafe { $call }
    }};
}

/// A structure of C's, empty, that says its own size.
macro_rules! sized {
    ($kind:ty) => {{
        let mut value: $kind = $crate::caller::zeroed();
        value.struct_size = size_of::<$kind>() as u32;
        value
    }};
}

mod ended;
mod exchange;
#[cfg(unix)]
mod fork;
mod handles;
mod misuse;
mod statuses;
mod storm;
mod waits;

use std::ffi::CStr;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::status::{TDSHM_OK, tdshm_last_error, tdshm_status_t};

/// A short name that nobody else has; what is left of it goes when this is dropped.
pub(crate) struct Name(pub(crate) String);

impl Name {
    pub(crate) fn new(test: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self(format!("ca{test}{}x{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    pub(crate) fn text(&self) -> (*const core::ffi::c_char, usize) {
        (self.0.as_ptr().cast(), self.0.len())
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = tdshm::clean(&[&self.0], tdshm::DryRun::No);
    }
}

/// The header as it is committed.
pub(crate) const HEADER: &str = include_str!("../include/tdshm/tdshm.h");

pub(crate) fn last_error() -> String {
    let text = tdshm_last_error();
    assert!(!text.is_null());
    c!(CStr::from_ptr(text)).to_str().unwrap().to_owned()
}

#[track_caller]
pub(crate) fn ok(status: tdshm_status_t) {
    assert_eq!(status, TDSHM_OK, "{}", last_error());
}
