//! Images.

pub(crate) mod receiver;
pub(crate) mod sender;
