//! The receiving side: a view under the lock, a copy into the caller's buffer, or a frame of its own.

use std::time::Duration;

use crate::convert::RowOrder;
use crate::error::{BlockError, Error};
use crate::intake::Intake;
use crate::intake::block::Target;
use crate::mem::{OutOfBounds, Region, ViewBytes};
use crate::pass_on::receiver_passes_on;
use crate::segment::read::ReadGuard;
use crate::segment::receiver::SegmentReceiver;
use crate::top::block::TopBlock;
use crate::top::frame::{TopFrame, TopShape};
use crate::top::rows::{PixelsMut, STORED};
use crate::wire::top::TopLayout;

/// Reads images from a segment that another program writes: a `Shared Mem In TOP`.
///
/// It may be opened before the sender is there, stays when the sender leaves, and goes on with the next one; size and
/// format may change at every image. What a sender writes is checked before it is believed; what fails the checks is an
/// error, and [`frame`](Self::frame) still holds the last good image. Every header there is is read, also that from
/// before 2022.
///
/// What is known of an image beyond its pixels is as with [`ChopReceiver`](crate::ChopReceiver).
///
/// # Source
///
/// wire §9.
///
/// ```
/// use std::time::Duration;
/// use tdshm::{PixelFormat, Pixels, RowOrder};
///
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("doctopin{}", std::process::id());
/// let mut input = tdshm::TopReceiver::open(&name)?; // nobody sends yet
/// let mut out = tdshm::TopSender::create(&name)?;
/// out.send(&Pixels::top_first(PixelFormat::R8_UNORM, 2, 2, &[1, 2, 3, 4]))?;
/// if let Some(frame) = input.next_timeout(Duration::from_secs(1))? {
///     assert_eq!(frame.rows(RowOrder::TopFirst).next(), Some(&[1, 2][..]));
///     assert_eq!(frame.pixels(), [3, 4, 1, 2]); // as TouchDesigner has it: bottom first
/// }
/// # out.detach()?;
/// # drop(input);
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[doc(alias("Shared Mem In TOP", "SharedMemInTop"))]
pub struct TopReceiver {
    intake: Intake<TopBlock>,
    stored: RowOrder,
    /// Which row comes first in a frame; `None`: the one that does in the block.
    kept: Option<RowOrder>,
}

impl TopReceiver {
    /// Opens the segment `name`, whose sender may come later.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] alone: that nobody sends yet is a state, not an error.
    pub fn open(name: &str) -> Result<Self, Error> {
        Ok(Self::over(SegmentReceiver::open(name)?))
    }

    /// Reads through a segment that was opened with other settings than the usual ones.
    #[must_use]
    pub fn over(segment: SegmentReceiver) -> Self {
        Self { intake: Intake::over(segment, TopFrame::empty(STORED)), stored: STORED, kept: None }
    }

    /// Which row lies first in the sender's blocks: the bottom one, where nobody says otherwise. The block itself cannot
    /// say it, and not every program does as TouchDesigner does.
    ///
    /// # Source
    ///
    /// wire §9.1.
    #[must_use]
    pub fn stored_rows(mut self, order: RowOrder) -> Self {
        self.stored = order;
        self.turn();
        self
    }

    /// Which row comes first in frames: they are turned while they are copied, in the same pass. Where nobody says
    /// otherwise, the one that comes first in the block, which is the bottom one.
    ///
    /// Rows of an unknown format cannot be told apart: their bytes stay as they lie in the block.
    ///
    /// ```
    /// use tdshm::{PixelFormat, Pixels, RowOrder};
    ///
    /// # fn main() -> Result<(), tdshm::Error> {
    /// # let name = format!("doctopkept{}", std::process::id());
    /// let mut input = tdshm::TopReceiver::open(&name)?.kept_rows(RowOrder::TopFirst);
    /// let mut out = tdshm::TopSender::create(&name)?;
    /// out.send(&Pixels::top_first(PixelFormat::R8_UNORM, 2, 2, &[1, 2, 3, 4]))?;
    /// assert_eq!(input.read()?.map(|frame| frame.pixels()), Some(&[1, 2, 3, 4][..]));
    /// # out.detach()?;
    /// # drop(input);
    /// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn kept_rows(mut self, order: RowOrder) -> Self {
        self.kept = Some(order);
        self.turn();
        self
    }

    fn turn(&mut self) {
        let kept = self.kept.unwrap_or(self.stored);
        self.intake.block.turned = kept != self.stored;
        self.intake.frame_mut().order = kept;
    }

    receiver_passes_on!();

    /// Lets go of everything that is open: see [`SegmentReceiver::close`]. The last frame stays.
    pub fn close(&mut self) {
        self.intake.segment.close();
    }

    /// The last good image; `None` before the first.
    #[must_use]
    pub fn frame(&self) -> Option<&TopFrame> {
        self.intake.frame()
    }

    /// Exchanges the pixels of the last image, as [`TopFrame::pixels`] has them, for a buffer of the caller's that is filled later:
    /// no copy. From then on until the next image [`frame`](Self::frame) says what it was, and has no pixels.
    ///
    /// `false`, and nothing is exchanged: there is no image, its pixels have been taken before, or they are needed, as with
    /// a sender that does not count its images, where the next one is new when it differs.
    pub fn swap_pixels(&mut self, buffer: &mut Vec<u8>) -> bool {
        if self.frame().is_none_or(TopFrame::is_bare) || !self.intake.swap_data(buffer) {
            return false;
        }
        self.intake.frame_mut().is_bare = true;
        true
    }

    /// Copies the newest image into this receiver's own memory, whether or not it is new; `None` while there is no
    /// sender, or it has not written yet.
    ///
    /// # Errors
    ///
    /// As [`ChopReceiver::read`](crate::ChopReceiver::read).
    pub fn read(&mut self) -> Result<Option<&TopFrame>, Error> {
        self.intake.read()
    }

    /// Copies the newest image into a buffer of the caller's, which way up it asks for, in one pass.
    ///
    /// Rows of an unknown format cannot be told apart: its bytes arrive as they lie in the block.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and [`BlockError`] where the buffer is too short or its stride is shorter than a row:
    /// nothing has been copied.
    pub fn read_into(&mut self, mut to: PixelsMut<'_>) -> Result<Option<TopShape>, Error> {
        to.stored(self.stored);
        Ok(if self.intake.read_into(&mut to)? { self.intake.block.layout().map(TopShape::of) } else { None })
    }

    /// Borrows the newest image where it lies, under the lock: no copy. Everybody else waits until the view is dropped,
    /// TouchDesigner included, so be quick.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn view(&mut self) -> Result<Option<TopView<'_>>, Error> {
        let stored = self.stored;
        let Some((guard, pixels, block)) = self.intake.view()? else { return Ok(None) };
        Ok(block.layout().map(|layout| TopView { guard, pixels, shape: TopShape::of(layout), stored }))
    }

    /// The next image that is new, if it is there already. A foreign sender's is new when any byte differs.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn try_next(&mut self) -> Result<Option<&TopFrame>, Error> {
        self.intake.try_next()
    }

    /// The next image that is new, waiting up to `limit` for it, and for its sender.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn next_timeout(&mut self, limit: Duration) -> Result<Option<&TopFrame>, Error> {
        self.intake.next_timeout(limit)
    }
}

impl Target<TopBlock> for PixelsMut<'_> {
    fn has_room(&self, block: &TopBlock) -> bool {
        check(self, block).is_ok()
    }

    fn make_room(&mut self, block: &TopBlock) -> Result<(), BlockError> {
        check(self, block)
    }

    #[inline]
    fn copy(&mut self, block: &TopBlock, region: Region<'_>) -> Result<(), OutOfBounds> {
        let layout = block.layout().ok_or(OutOfBounds)?;
        self.fill(region.part(layout.data_at, layout.data_bytes)?, layout.row_bytes(), layout.height)
    }
}

fn check(to: &PixelsMut<'_>, block: &TopBlock) -> Result<(), BlockError> {
    match block.layout() {
        Some(layout @ TopLayout { height, data_bytes, .. }) => {
            to.check(layout.row_bytes(), *height, *data_bytes)
        }
        None => Ok(()),
    }
}

/// An image where it lies, under the lock: [`TopReceiver::view`].
#[derive(Debug)]
#[must_use = "the lock is let go of when this is dropped"]
pub struct TopView<'r> {
    guard: ReadGuard<'r>,
    pixels: Region<'r>,
    shape: TopShape,
    stored: RowOrder,
}

impl TopView<'_> {
    /// What the block says of it.
    #[must_use]
    pub fn shape(&self) -> TopShape {
        self.shape
    }

    /// All pixels, as they lie.
    #[must_use]
    pub fn pixels(&self) -> ViewBytes<'_> {
        ViewBytes::new(self.pixels)
    }

    /// One row, counted from 0 in the order that is asked for; `None` behind the last, and where nobody knows the size of
    /// a pixel.
    #[must_use]
    pub fn row(&self, index: usize, order: RowOrder) -> Option<ViewBytes<'_>> {
        row(self.pixels, &self.shape, index, order != self.stored).map(ViewBytes::new)
    }

    /// Whether the last holder of the lock died with it: the image may be half written.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.guard.is_abandoned()
    }
}

/// One row of a block's pixels.
pub(super) fn row<'r>(
    pixels: Region<'r>,
    shape: &TopShape,
    index: usize,
    turned: bool,
) -> Option<Region<'r>> {
    let last = shape.height.checked_sub(1)?;
    let index = if turned { last.checked_sub(index)? } else { index };
    let bytes = shape.row_bytes()?;
    if index > last {
        return None;
    }
    pixels.part(index.checked_mul(bytes)?, bytes).ok()
}
