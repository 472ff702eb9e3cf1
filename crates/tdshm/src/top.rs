//! Images: blocks of pixels between a sender and its receivers (wire §9).
//!
//! A sender puts one image into its segment, again and again; a receiver always gets the newest. Rows lie in the block
//! bottom first; the caller says how its own lie, and they are turned while they are copied. Nothing converts pixels
//! unasked: what is sent is what arrives, and the block says what it is.

mod block;
mod bytes;
mod draft;
mod frame;
mod receiver;
mod rows;
mod sender;

pub(crate) use block::TopBlock;
pub(crate) use rows::STORED;
pub(crate) use sender::OutgoingTop;

pub use draft::TopDraft;
pub use frame::{TopFrame, TopShape};
pub use receiver::{TopReceiver, TopView};
pub use rows::{Pixels, PixelsMut};
pub use sender::{TopBlockMut, TopSender, TopSenderBuilder};
