//! Channels and images between programs at memory speed: TouchDesigner's shared-memory protocol.
//!
//! One program *creates* a named segment and writes frames into it; any number of programs *open* it by
//! name and read. TouchDesigner's Shared Mem In CHOP and Shared Mem Out CHOP speak the same protocol, so
//! either end may be TouchDesigner, and either end may start first.
//!
//! ```
//! use std::time::Duration;
//! use tdshm::{ChopReceiver, ChopSender};
//!
//! # fn main() -> Result<(), tdshm::Error> {
//! # let name = format!("doc{}", std::process::id());
//! # let name = name.as_str();
//! let mut out = ChopSender::builder(name).channels(["tx", "ty"]).sample_rate(60.0).create()?;
//! out.send(&[[0.5], [-0.5]])?;
//!
//! let mut input = ChopReceiver::open(name)?;
//! if let Some(frame) = input.next_timeout(Duration::from_secs(1))? {
//!     assert_eq!(frame.channel("tx"), Some(&[0.5][..]));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # The map
//!
//! | module | what lives there | knows |
//! | --- | --- | --- |
//! | `wire` | bytes to values and back: the info block (§3), the channel block (§8), the notices (§11) | nothing |
//! | `mem` | the one place that reads and writes mapped bytes | nothing |
//! | `sys` | what each operating system does: objects, mappings, locks, processes | `mem` |
//! | `name` | short names and the object names made from them (wire §1) | `sys`, `wire` |
//! | `lock` | [`NamedLock`]: a lock between processes that survives its holder (§5) | `sys` |
//! | `notice` | the extension behind the info block: owner, sequence, frames, receivers, waking (§11) | `mem`, `sys`, `wire` |
//! | `segment` | [`SegmentSender`], [`SegmentReceiver`], [`inspect`], [`clean`]: come, grow, leave, take over, look (§2 to §6) | all above |
//! | `intake` | how a frame gets into memory of this program, whatever kind of block it is | all above |
//! | `chop` | [`ChopSender`], [`ChopReceiver`], [`ChopFrame`] | all above |
//!
//! "wire §n" is section n of the protocol's description, `docs/protocol.md` in the repository; the code cites it
//! wherever a fact comes from it.
//!
//! # Who may do what
//!
//! Memory that is shared is written by strangers. Nothing here hands out a reference into it: views copy,
//! headers are copied once and checked against the mapped size before anything else is believed, and what
//! fails is a typed error that leaves the last good frame in place. Code that may be `unsafe` is confined
//! to `sys` and `mem`.
#![deny(unsafe_code)]

#[cfg(not(all(target_pointer_width = "64", target_endian = "little")))]
compile_error!("tdshm supports 64-bit little-endian targets only: the protocol's integers are little-endian");

mod chop;
mod error;
mod intake;
mod lock;
#[allow(unsafe_code)] // the one place that touches mapped bytes
mod mem;
mod name;
mod notice;
mod segment;
mod step;
#[allow(unsafe_code)] // the one place that calls the operating system
mod sys;
mod wire;

pub use chop::{
    ChopBlockMut, ChopFrame, ChopReceiver, ChopSender, ChopSenderBuilder, ChopShape, ChopView, Samples, Sent,
};
pub use error::{
    BlockError, Error, ErrorKind, ErrorState, FieldValue, LockError, NameError, Occupant, OsError,
    SegmentError,
};
pub use lock::{Acquired, LockGuard, NamedLock};
pub use mem::{ViewBytes, ViewBytesMut, ViewF32, ViewF32Mut};
pub use name::ShortName;
pub use segment::clean::{DryRun, Fate, Swept, SweptKind, clean};
pub use segment::inspect::{
    BlockKind, ChopContents, ChopReport, NoticeReport, ReceiverReport, SegmentReport, inspect, list,
};
pub use segment::receiver::{Attached, ReadGuard, SegmentReceiver, SegmentReceiverBuilder};
pub use segment::sender::{SegmentSender, SegmentSenderBuilder, WriteGuard};

#[cfg(test)]
mod tests {
    use super::*;

    /// Senders, receivers and locks move between threads; guards and views do not, because a lock belongs to the
    /// thread that took it.
    #[test]
    fn what_moves_between_threads() {
        fn moves<T: Send>() {}
        fn is_shared<T: Sync>() {}
        moves::<ChopSender>();
        moves::<ChopReceiver>();
        moves::<SegmentSender>();
        moves::<SegmentReceiver>();
        moves::<NamedLock>();
        is_shared::<NamedLock>();
        moves::<ChopFrame>();
        is_shared::<ChopFrame>();
        moves::<Error>();
        is_shared::<Error>();
    }
}
