//! Channels: frames of samples with names and a rate, between a sender and its receivers (wire §8).
//!
//! A sender puts one block into its segment, again and again; a receiver always gets the newest. What lies
//! between two reads is gone: the protocol has room for one block.

mod block;
mod bytes;
mod draft;
mod frame;
mod names;
mod plan;
mod receiver;
mod samples;
mod sender;

pub(crate) use block::ChopBlock;
pub(crate) use plan::ChopPlan;

pub use draft::ChopDraft;
pub use frame::{ChopFrame, ChopShape};
pub use receiver::{ChopReceiver, ChopView};
pub use samples::Samples;
pub use sender::{ChopBlockMut, ChopSender, ChopSenderBuilder, Sent};
