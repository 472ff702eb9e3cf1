//! The pattern language, against the worked examples of its specification and against a slow, plain reading of it.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

mod examples;
mod expand;
mod hostile;
mod index;
mod oracle;
mod rename;
mod said;
