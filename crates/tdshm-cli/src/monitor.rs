//! The monitor: what every segment of the machine does right now. [`model`] looks and remembers, the views show it.

pub(crate) mod model;
pub(crate) mod tui;
#[cfg(feature = "web")]
pub(crate) mod web;
