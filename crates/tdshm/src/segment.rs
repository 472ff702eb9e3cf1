//! Named segments: who creates them, who opens them, how the two sides find each other and part (wire §2, §3).
//!
//! The sender creates two objects: first the info segment, by which the two sides resize and part, then the
//! data segment. A receiver opens them in the same order, and looks at the info block again before every
//! access, because the sender may have moved its data or gone. Either may start first.

mod block;
pub(crate) mod clean;
pub(crate) mod draft;
pub(crate) mod examine;
pub(crate) mod glance;
pub(crate) mod glimpse;
pub(crate) mod inspect;
mod link;
pub(crate) mod locks;
pub(crate) mod objects;
pub(crate) mod read;
pub(crate) mod receiver;
mod resize;
pub(crate) mod sender;
pub(crate) mod slots;
pub(crate) mod stats;
mod takeover;
mod wreck;
pub(crate) mod write;
