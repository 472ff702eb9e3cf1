//! What lies beyond this machine's memory.

mod ws;
