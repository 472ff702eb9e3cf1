//! The real command, in processes of its own, on one machine and between several. Nothing here sleeps to synchronise: tests wait
//! for frames, for lines and for exits.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what its helpers are for"
)]

mod ends;
mod frames;
mod gone;
#[cfg(target_os = "linux")]
mod hosts;
mod images;
mod kit;
mod peer;
#[cfg(target_os = "linux")]
mod room;
#[cfg(feature = "tls")]
mod secure;
mod strangers;
mod words;
