//! Channels.

pub(crate) mod receiver;
pub(crate) mod sender;
