//! The receiving side: a view under the lock, a copy into the caller's buffer, or a frame of its own.

use std::time::Duration;

use zerocopy::IntoBytes;

use crate::chop::block::ChopBlock;
use crate::chop::frame::{ChopFrame, ChopShape};
use crate::error::{BlockError, Error};
use crate::intake::Intake;
use crate::intake::block::Target;
use crate::mem::{OutOfBounds, Region, ViewF32};
use crate::pass_on::receiver_passes_on;
use crate::segment::read::ReadGuard;
use crate::segment::receiver::SegmentReceiver;
use crate::wire::chop::SAMPLE_BYTES;

/// Reads channels from a segment that another program writes: a `Shared Mem In CHOP`.
///
/// It may be opened before the sender is there, stays when the sender leaves, and goes on with the next one.
/// What a sender writes is checked before it is believed; what fails the checks is an error, and
/// [`frame`](Self::frame) still holds the last good frame.
///
/// A sender of this library counts its frames where foreign programs do not look. From such a one frames are
/// copied without the lock, each is new whatever it holds, and [`ChopFrame::missed`] and [`ChopFrame::age`] are
/// known. A foreign sender has no counter: there a new frame is one that differs from the last, in shape, names or
/// any bit of a sample.
///
/// # Source
///
/// wire §8.
///
/// ```
/// use std::time::Duration;
///
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("docin{}", std::process::id());
/// let mut input = tdshm::ChopReceiver::open(&name)?; // nobody sends yet
/// assert!(input.next_timeout(Duration::from_millis(5))?.is_none());
///
/// let mut out = tdshm::ChopSender::create(&name)?;
/// out.send(&[[1.0, 2.0]])?;
/// let frame = input.next_timeout(Duration::from_secs(1))?;
/// assert_eq!(frame.and_then(|frame| frame.channel("chan1")), Some(&[1.0, 2.0][..]));
/// # drop((out, input));
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[doc(alias("Shared Mem In CHOP", "SharedMemInChop"))]
pub struct ChopReceiver {
    intake: Intake<ChopBlock>,
}

impl ChopReceiver {
    /// Opens the segment `name`, whose sender may come later.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] alone: that nobody sends yet is a state, not an error.
    pub fn open(name: &str) -> Result<Self, Error> {
        Ok(Self::over(SegmentReceiver::open(name)?))
    }

    /// Reads through a segment that was opened with other settings than the usual ones, such as an
    /// [observer](crate::SegmentReceiverBuilder::observe).
    ///
    /// ```
    /// # fn main() -> Result<(), tdshm::Error> {
    /// let segment = tdshm::SegmentReceiver::builder("circle").observe(true).open()?;
    /// let input = tdshm::ChopReceiver::over(segment);
    /// # assert_eq!(input.names().len(), 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn over(segment: SegmentReceiver) -> Self {
        Self { intake: Intake::over(segment, ChopFrame::empty()) }
    }

    receiver_passes_on!();

    /// Lets go of everything that is open: see [`SegmentReceiver::close`]. The last frame and the names of the channels
    /// stay.
    pub fn close(&mut self) {
        self.intake.segment.close();
    }

    /// The last good frame; `None` before the first.
    #[must_use]
    pub fn frame(&self) -> Option<&ChopFrame> {
        self.intake.frame()
    }

    /// Exchanges the samples of the last frame for a buffer of the caller's that is filled later: no copy. From then on
    /// until the next frame [`frame`](Self::frame) says what it was, and has no samples.
    ///
    /// `false`, and nothing is exchanged: there is no frame, its samples have been taken before, or they are needed, as
    /// with a sender that does not count its frames, where the next one is new when it differs.
    ///
    /// ```
    /// # fn main() -> Result<(), tdshm::Error> {
    /// # let name = format!("docswap{}", std::process::id());
    /// # let mut out = tdshm::ChopSender::create(&name)?;
    /// # let mut input = tdshm::ChopReceiver::open(&name)?;
    /// # out.send(&[[1.0, 2.0]])?;
    /// let mut samples = Vec::new(); // keeps its memory from frame to frame
    /// if let Some(frame) = input.read()? {
    ///     let shape = frame.shape();
    ///     if input.swap_samples(&mut samples) {
    ///         assert_eq!(samples.len(), shape.num_channels * shape.len_samples);
    ///     }
    /// }
    /// # drop((out, input));
    /// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn swap_samples(&mut self, buffer: &mut Vec<f32>) -> bool {
        if self.frame().is_none_or(|frame| frame.is_bare) || !self.intake.swap_data(buffer) {
            return false;
        }
        self.intake.frame_mut().is_bare = true;
        true
    }

    /// Copies the newest frame into this receiver's own memory, whether or not it differs from the last;
    /// `None` while there is no sender, or it has not written yet.
    ///
    /// # Errors
    ///
    /// [`Error::Block`]: the block breaks a rule, [`frame`](Self::frame) still holds the last good one.
    /// [`Error::Lock`]: the lock was not free within the limit. [`Error::Segment`]: see
    /// [`SegmentReceiver::lock`]. Trying again is always allowed.
    pub fn read(&mut self) -> Result<Option<&ChopFrame>, Error> {
        self.intake.read()
    }

    /// Copies the newest frame's samples into `to`: all of channel 0, then all of channel 1, and so on.
    /// [`names`](Self::names) are those of this frame afterwards.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and [`BlockError`](crate::BlockError) where `to` is too short: nothing has been copied.
    ///
    /// ```
    /// # fn main() -> Result<(), tdshm::Error> {
    /// # let name = format!("docinto{}", std::process::id());
    /// # let mut out = tdshm::ChopSender::create(&name)?;
    /// # out.send(&[[1.0, 2.0], [3.0, 4.0]])?;
    /// let mut input = tdshm::ChopReceiver::open(&name)?;
    /// let mut buffer = [0.0; 1024]; // samples of all channels, made once
    /// if let Some(shape) = input.read_into(&mut buffer)? {
    ///     for (name, samples) in input.names().iter().zip(buffer.chunks_exact(shape.len_samples.max(1))) {
    ///         println!("{name}: {samples:?}");
    ///     }
    /// }
    /// # assert_eq!(buffer[..4], [1.0, 2.0, 3.0, 4.0]);
    /// # drop((out, input));
    /// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_into(&mut self, to: &mut [f32]) -> Result<Option<ChopShape>, Error> {
        Ok(if self.intake.read_into(to)? { Some(self.intake.block.shape()) } else { None })
    }

    /// Borrows the newest frame where it lies, under the lock: no copy. Everybody else waits until the view
    /// is dropped, TouchDesigner included, so be quick.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    ///
    /// ```
    /// # fn main() -> Result<(), tdshm::Error> {
    /// # let name = format!("docview{}", std::process::id());
    /// # let mut out = tdshm::ChopSender::create(&name)?;
    /// # out.send(&[vec![0.5; 100_000]])?;
    /// let mut input = tdshm::ChopReceiver::open(&name)?;
    /// // One sample of a long channel: the rest is never copied.
    /// let newest = input.view()?.and_then(|view| view.channel("chan1")?.get(99_999));
    /// # assert_eq!(newest, Some(0.5));
    /// # drop((out, input));
    /// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn view(&mut self) -> Result<Option<ChopView<'_>>, Error> {
        let view = self.intake.view()?;
        Ok(view.map(|(guard, samples, block)| ChopView { guard, samples, block }))
    }

    /// The names of the newest frame that was looked at, in the order of its channels.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.intake.block.book.table().as_slice()
    }

    /// The next frame that differs from the last one, if it is there already.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn try_next(&mut self) -> Result<Option<&ChopFrame>, Error> {
        self.intake.try_next()
    }

    /// The next frame that differs from the last one, waiting up to `limit` for it, and for its sender.
    ///
    /// A sender of this library wakes it; for a foreign one it looks once a millisecond, without the lock. For the
    /// time that [`set_spin`](Self::set_spin) allows it looks without a pause first.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn next_timeout(&mut self, limit: Duration) -> Result<Option<&ChopFrame>, Error> {
        self.intake.next_timeout(limit)
    }
}

impl Target<ChopBlock> for [f32] {
    #[inline]
    fn has_room(&self, block: &ChopBlock) -> bool {
        self.len() >= block.layout.num_samples()
    }

    #[inline]
    fn make_room(&mut self, block: &ChopBlock) -> Result<(), BlockError> {
        if self.has_room(block) {
            return Ok(());
        }
        let (rule, advice) = ("the frame has so many:", "give a longer buffer");
        Err(BlockError::int("samples in the buffer", self.len(), rule, block.layout.num_samples(), advice))
    }

    #[inline]
    fn copy(&mut self, block: &ChopBlock, region: Region<'_>) -> Result<(), OutOfBounds> {
        let to = self.get_mut(..block.layout.num_samples()).ok_or(OutOfBounds)?;
        region.copy_out(block.layout.samples_at, to.as_mut_bytes())
    }
}

/// A frame where it lies, under the lock: [`ChopReceiver::view`].
#[derive(Debug)]
#[must_use = "the lock is let go of when this is dropped"]
pub struct ChopView<'r> {
    guard: ReadGuard<'r>,
    samples: Region<'r>,
    block: &'r ChopBlock,
}

impl ChopView<'_> {
    /// The samples of the first channel with that name.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<ViewF32<'_>> {
        self.channel_at(self.block.book.table().position(name)?)
    }

    /// The samples of a channel by its position, counted from 0.
    #[must_use]
    pub fn channel_at(&self, index: usize) -> Option<ViewF32<'_>> {
        let layout = &self.block.layout;
        if index >= layout.num_channels {
            return None;
        }
        let bytes = layout.len_samples.checked_mul(SAMPLE_BYTES)?;
        self.samples.part(index.checked_mul(bytes)?, bytes).ok().map(ViewF32::new)
    }

    /// All samples: all of channel 0, then all of channel 1, and so on.
    #[must_use]
    pub fn samples(&self) -> ViewF32<'_> {
        ViewF32::new(self.samples)
    }

    /// The names in the order of the channels.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.block.book.table().as_slice()
    }

    /// Count, length and rate.
    #[must_use]
    pub fn shape(&self) -> ChopShape {
        self.block.shape()
    }

    /// Whether the last holder of the lock died with it: the block may be half written.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.guard.is_abandoned()
    }
}
