//! Channels.

mod frame;
mod receiver;
mod sender;

pub(crate) use frame::{Frame, Receipt, as_array};
pub(crate) use receiver::{Receiver, attached};
pub(crate) use sender::Sender;
