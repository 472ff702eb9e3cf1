//! The monitor: what every segment of the machine does right now. [`model`] looks and remembers, the views show it.

#[allow(dead_code, unused_imports, reason = "each view uses the part that it shows")]
pub(crate) mod model;
pub(crate) mod tui;
#[cfg(feature = "web")]
pub(crate) mod web;
