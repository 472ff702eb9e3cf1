//! Values, messages, and what must never happen. `against_python.rs` compares with the real one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod against_python;
mod hostile;
mod network;
mod values;
