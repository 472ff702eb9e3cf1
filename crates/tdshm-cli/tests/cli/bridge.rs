//! What lies beyond this machine's memory.

mod osc;
#[cfg(feature = "web")]
mod ws;
