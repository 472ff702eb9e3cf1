//! The C library of tdshm. What it offers stands in `include/tdshm/tdshm.h`, which is generated from these sources
//! (`cargo xtask headers --write`); how it is made safe stands in docs/decisions/012-a-handle-is-a-key.md.
//!
//! - [`handle`]: a handle is a key into a table, and is looked up before anything is touched;
//! - [`caller`]: what C hands over, checked as far as it can be;
//! - [`call`]: what every function does around its work: handle, panic, status;
//! - [`held`]: locks that are held from one call to a later one;
//! - [`status`], [`segment`], [`lock`], [`chop`], [`top`], [`format`](mod@format), [`discovery`]: the functions, object by object.

#![allow(non_camel_case_types, reason = "names of C")]
#![allow(
    clippy::missing_safety_doc,
    reason = "one rule for all functions, at the beginning of the header: prelude.h"
)]
#![allow(unreachable_pub, reason = "C reaches it")]

mod call;
mod caller;
mod chop;
mod discovery;
mod format;
mod handle;
mod held;
mod lock;
mod segment;
mod status;
mod top;

#[cfg(test)]
mod tests;
