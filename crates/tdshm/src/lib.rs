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
//! # drop((out, input));
//! # tdshm::clean(&[name], tdshm::DryRun::No)?;
//! # Ok(())
//! # }
//! ```
//!
//! # The map
//!
//! | module | what lives there | knows |
//! | --- | --- | --- |
//! | `wire` | bytes to values and back: the info block (§3), the channel and image blocks (§8, §9), the notices (§11) | nothing |
//! | `convert` | [`Convert`]: pixels of any format (§9) as RGBA of bytes, shorts or floats | `wire` |
//! | `mem` | the one place that reads and writes mapped bytes | nothing |
//! | `sys` | what each operating system does: objects, mappings, locks, processes | `mem` |
//! | `name` | short names and the object names made from them (wire §1) | `sys`, `wire` |
//! | `directory` | the name directory of macOS (§7), over `sys::posix` and under the rest of that system | `mem`, `name`, `sys::posix`, `wire` |
//! | `lock` | [`NamedLock`]: a lock between processes that survives its holder (§5) | `sys` |
//! | `notice` | the extension behind the info block: owner, sequence, frames, receivers, waking (§11) | `mem`, `sys`, `wire` |
//! | `segment` | [`SegmentSender`], [`SegmentReceiver`], [`inspect`], [`clean`]: come, grow, leave, take over, look (§2 to §6) | all above |
//! | `pass_on` | what everybody who sends or receives says of the segment, once | `segment` |
//! | `intake` | how a frame gets into memory of this program, whatever kind of block it is | all above |
//! | `chop` | [`ChopSender`], [`ChopReceiver`], [`ChopFrame`] | all above |
//! | `top` | [`TopSender`], [`TopReceiver`], [`TopFrame`] | all above |
//! | `global` | [`GlobalSender`], [`GlobalReceiver`]: all blocks of one program in one segment (§12) | all above |
//!
//! "wire §n" is section n of the protocol's description, `docs/protocol.md` in the repository; the code cites it
//! wherever a fact comes from it.
//!
//! # Who writes, who waits, who cleans up
//!
//! - **One writes.** A sender owns its segment as long as its process lives; a second one of that name is refused.
//! - **Nobody waits long.** A lock is held for one read or one write. A receiver that waits for a frame holds none, and
//!   an [observer](SegmentReceiverBuilder::observe) never takes one.
//! - **A sender that leaves cleans up**: dropping it tells the receivers and frees its names. After one that died the
//!   next sender of that name does it, or [`clean`], which also removes locks that nobody has open.
//!
//! What can go wrong is an [`Error`]; that nothing is new, nobody sends, or a lock was left by the dead is a value.
//! After an error the object is usable: try again, or ask [`Error::kind`] whether that makes sense.
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
mod convert;
#[cfg(unix)]
#[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "macOS uses it, and the tests do"))]
mod directory;
mod error;
mod global;
mod intake;
mod lock;
#[allow(unsafe_code)] // the one place that touches mapped bytes
mod mem;
mod name;
mod notice;
mod pass_on;
mod place;
mod segment;
mod step;
#[allow(unsafe_code)] // the one place that calls the operating system
mod sys;
mod top;
mod wire;

pub use chop::{
    ChopBlockMut, ChopDraft, ChopFrame, ChopReceiver, ChopSender, ChopSenderBuilder, ChopShape, ChopView,
    Samples, Sent,
};
pub use convert::{Convert, ConvertError, Encoding, RowOrder};
pub use error::{
    BlockError, Error, ErrorKind, ErrorState, FieldValue, LockError, NameError, Occupant, OsError,
    SegmentError,
};
pub use global::{GlobalEntry, GlobalFrame, GlobalKind, GlobalReceiver, GlobalSender, GlobalSenderBuilder};
pub use lock::{Acquired, LockGuard, NamedLock, lock_wait};
pub use mem::{ViewBytes, ViewBytesMut, ViewF32, ViewF32Mut};
pub use name::ShortName;
pub use place::{Place, place};
pub use segment::clean::{DryRun, Fate, Swept, SweptKind, clean};
pub use segment::examine::{Deviation, DeviationKind, Examination, ExaminedField, ExaminedObject, examine};
pub use segment::glance::{Glance, glance};
pub use segment::glimpse::{Glimpse, GlimpsedBlock, glimpse};
pub use segment::inspect::{
    BlockKind, ChopContents, ChopReport, NoticeReport, ReceiverReport, SegmentReport, Survey, TopContents,
    TopReport, inspect, list, survey,
};
pub use segment::locks::{LockSight, LockState, SeenLock, TriedLock, look_at_locks, try_locks};
pub use segment::objects::{ObjectAccess, ObjectReport, ObjectRole, objects};
pub use segment::read::ReadGuard;
pub use segment::receiver::{Attached, SegmentReceiver, SegmentReceiverBuilder};
pub use segment::sender::{SegmentSender, SegmentSenderBuilder};
pub use segment::stats::SegmentStats;
pub use segment::write::WriteGuard;
pub use top::{
    Pixels, PixelsMut, TopBlockMut, TopDraft, TopFrame, TopReceiver, TopSender, TopSenderBuilder, TopShape,
    TopView,
};
pub use wire::pixel::{ParsePixelFormatError, PixelFormat};
pub use wire::top::{HeaderVersion, TexelKind, Texels, TopColour};
pub use wire::top_legacy::LegacyFormat;

/// What this build speaks, for programs that say so: `tdshm --version` does.
pub mod protocol {
    /// The version of the info block that senders write (wire §3).
    pub const INFO_BLOCK_VERSION: i32 = crate::wire::info::VERSION;
    /// The version of the channel block, the only one there is (wire §8).
    pub const CHANNEL_BLOCK_VERSION: i32 = crate::wire::chop::VERSION;
    /// What a channel block begins with (wire §8).
    pub const CHANNEL_BLOCK_MAGIC: i32 = crate::wire::chop::MAGIC;
    /// What an image block begins with since 2022 (wire §9.1).
    pub const IMAGE_BLOCK_MAGIC: u32 = crate::wire::top::MAGIC;
    /// The version of the image block that senders write unless colour is asked for (wire §9.1).
    pub const IMAGE_BLOCK_VERSION: i32 = crate::wire::top::VERSION;
    /// The extension behind the info block that senders write (wire §11).
    pub const EXTENSION: &str = "tdshm-1";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Senders, receivers, locks and all values move between threads and can be shared.
    #[test]
    fn what_moves_between_threads() {
        fn moves_and_is_shared<T: Send + Sync>() {}
        moves_and_is_shared::<ChopSender>();
        moves_and_is_shared::<ChopReceiver>();
        moves_and_is_shared::<(ChopDraft, TopDraft)>();
        moves_and_is_shared::<GlobalSender>();
        moves_and_is_shared::<GlobalReceiver>();
        moves_and_is_shared::<SegmentSender>();
        moves_and_is_shared::<SegmentReceiver>();
        moves_and_is_shared::<NamedLock>();
        moves_and_is_shared::<ChopFrame>();
        moves_and_is_shared::<ShortName>();
        moves_and_is_shared::<SegmentReport>();
        moves_and_is_shared::<Swept>();
        moves_and_is_shared::<Error>();
        moves_and_is_shared::<(ChopSenderBuilder, SegmentSenderBuilder, SegmentReceiverBuilder)>();
    }

    /// Guards, and what holds one, stay on their thread: a lock belongs to the thread that took it.
    #[test]
    fn what_stays_on_its_thread() {
        // Both traits fit what is `Send`, and then the compiler cannot tell which `stays` is meant.
        trait Stays<Which> {
            fn stays() {}
        }
        struct Moves;
        impl<T: ?Sized> Stays<()> for T {}
        impl<T: ?Sized + Send> Stays<Moves> for T {}
        <LockGuard<'_> as Stays<_>>::stays();
        <Acquired<'_> as Stays<_>>::stays();
        <ReadGuard<'_> as Stays<_>>::stays();
        <WriteGuard<'_> as Stays<_>>::stays();
        <ChopView<'_> as Stays<_>>::stays();
    }
}
