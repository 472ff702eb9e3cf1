//! The real binary, in processes of its own. Nothing here sleeps to synchronise: tests wait for lines and for exits.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what its helpers are for"
)]

mod between;
mod bridge;
mod clean;
mod convert;
mod demo;
mod doctor;
mod documents;
mod images;
mod inspect;
#[cfg(target_os = "linux")]
mod jobs;
mod kit;
mod lines;
mod odd;
mod play;
mod record;
mod run;
mod scope;
mod send;
#[cfg(feature = "web")]
mod serve;
#[cfg(unix)]
mod terminal;
#[cfg(target_os = "linux")]
mod top;
mod usage;
#[cfg(unix)]
mod users;
mod watch;
