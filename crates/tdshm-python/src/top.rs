//! Images.

mod format;
mod frame;
mod receiver;
mod sender;

pub(crate) use format::name;
pub(crate) use frame::Frame;
pub(crate) use receiver::Receiver;
pub(crate) use sender::{Drawing, Sender};
