//! What a receiver has to know of a kind of block: how to check it, where its data lie, and what a frame of it is.

use core::fmt::Debug;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use crate::error::BlockError;
use crate::mem::{OutOfBounds, Region};
use crate::sys;

/// A kind of block, as a receiver knows it: what was checked last, and what it said.
pub(crate) trait Block: Debug + Default {
    /// What its data are made of.
    type Item: FromBytes + IntoBytes + Immutable + Copy + Debug;
    /// What a program gets of it.
    type Frame: Debug;
    /// What has to be done before it can be taken, with the lock free: it may allocate.
    type Change;

    /// Whether what was checked lies there still, be it at another place by now, which is noted.
    fn is_at(&mut self, region: Region<'_>) -> bool;

    /// Checks what lies there. Allocates nothing: the lock may be held.
    fn examine(&mut self, region: Region<'_>) -> Result<Examined<Self::Change>, BlockError>;

    /// Does what [`examine`](Self::examine) asked for.
    fn rebuild(&mut self, change: Self::Change) -> Result<(), BlockError>;

    /// The error for a block that changes whenever it is looked at.
    fn unsettled(&self) -> BlockError;

    /// Where the data begin, in bytes, and how many items there are: inside the mapping that was checked.
    fn place(&self) -> (usize, usize);

    /// Copies the data out as a frame has them: as many as [`place`](Self::place) says.
    #[inline]
    fn copy_out(&self, region: Region<'_>, to: &mut [Self::Item]) -> Result<(), OutOfBounds> {
        region.copy_out(self.place().0, to.as_mut_bytes())
    }

    /// Whether what lies there are the data of a frame.
    fn has_data(&self, region: Region<'_>, data: &[Self::Item]) -> bool {
        region.equals(self.place().0, data.as_bytes()) == Ok(true)
    }

    /// Writes into a frame what is not data: its measures and names.
    fn describe(&self, frame: &mut Self::Frame);

    /// The data of a frame.
    fn data(frame: &Self::Frame) -> &[Self::Item];

    /// The data of a frame, and how it was got.
    fn parts(frame: &mut Self::Frame) -> (&mut Vec<Self::Item>, &mut Receipt);
}

/// What a look at a block found.
pub(crate) enum Examined<C> {
    /// It is as `Block` says now.
    Ready,
    /// Nobody has written yet.
    Blank,
    /// Something has to be done first.
    Changed(C),
}

/// How a frame was got.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Receipt {
    /// The lock had been left by a process that died with it.
    pub(crate) abandoned: bool,
    /// `None` where nobody counts.
    pub(crate) notice: Option<Notice>,
}

/// What our senders record about a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice {
    /// Counted from 1 in each sender's info segment.
    pub(crate) number: u64,
    /// Nanoseconds since the Unix epoch.
    pub(super) written: u64,
    pub(crate) missed: u64,
}

impl Notice {
    /// How long ago it was written.
    pub(crate) fn age(self) -> Duration {
        Duration::from_nanos(sys::coarse_time().saturating_sub(self.written))
    }

    /// When it was written.
    pub(crate) fn written_at(self) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_nanos(self.written)).unwrap_or(UNIX_EPOCH)
    }
}

/// Where data are copied to.
pub(crate) trait Target<B: Block> {
    /// Whether there is room for the block's data.
    fn has_room(&self, block: &B) -> bool;

    /// Makes room for them. May allocate: the lock is free.
    fn make_room(&mut self, block: &B) -> Result<(), BlockError>;

    /// Copies them, where there is room. Allocates nothing: the lock may be held.
    fn copy(&mut self, block: &B, region: Region<'_>) -> Result<(), OutOfBounds>;
}

impl<B: Block> Target<B> for Vec<B::Item> {
    #[inline]
    fn has_room(&self, block: &B) -> bool {
        self.capacity() >= block.place().1
    }

    #[inline]
    fn make_room(&mut self, block: &B) -> Result<(), BlockError> {
        let count = block.place().1;
        if self.len() != count {
            self.resize(count, B::Item::new_zeroed());
        }
        Ok(())
    }

    #[inline]
    fn copy(&mut self, block: &B, region: Region<'_>) -> Result<(), OutOfBounds> {
        let (_, count) = block.place();
        if self.len() != count {
            self.resize(count, B::Item::new_zeroed());
        }
        block.copy_out(region, self)
    }
}
