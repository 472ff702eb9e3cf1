//! Global: all blocks of one program in one segment, so that who reads several of them gets all from one frame (wire §12).
//!
//! With a segment for each sender, two receivers that look at different moments may show two frames. Here the sending
//! program gathers the blocks of a frame in memory of its own and puts them all into one segment in one write
//! ([`GlobalSender::publish`]); the receiving program copies that segment once a frame ([`GlobalReceiver::read`]) and
//! serves everybody from the copy.
//!
//! The segment is an ordinary one, with an owner, take-over, resizing and notices; the blocks in it are ordinary ones as
//! well. Nobody but this library knows it: TouchDesigner's own Global memory is something else, which is not public.

mod block;
mod frame;
mod receiver;
mod sender;
mod shelf;

pub use frame::{GlobalEntry, GlobalFrame};
pub use receiver::GlobalReceiver;
pub use sender::{GlobalSender, GlobalSenderBuilder};

use crate::wire::global;

/// What an entry of a Global segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GlobalKind {
    /// Channels (wire §8).
    Channels,
    /// An image (wire §9).
    Image,
}

impl GlobalKind {
    fn number(self) -> u32 {
        match self {
            Self::Channels => global::CHANNELS,
            Self::Image => global::IMAGE,
        }
    }

    fn of(number: u32) -> Option<Self> {
        [Self::Channels, Self::Image].into_iter().find(|kind| kind.number() == number)
    }
}
