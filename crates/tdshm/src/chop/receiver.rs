//! The receiving side: a view under the lock, a copy into the caller's buffer, or a frame of its own.

use std::time::{Duration, Instant};

use crate::chop::frame::{ChopFrame, ChopShape};
use crate::chop::intake::{Block, Counted, Taken};
use crate::chop::names::NameBook;
use crate::error::{Error, ErrorState};
use crate::mem::{OutOfBounds, Region, ViewF32};
use crate::name::ShortName;
use crate::segment::receiver::{Attached, ReadGuard, SegmentReceiver};
use crate::wire::chop::{ChopLayout, SAMPLE_BYTES};

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
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[doc(alias("Shared Mem In CHOP", "SharedMemInChop"))]
pub struct ChopReceiver {
    pub(super) segment: SegmentReceiver,
    pub(super) book: NameBook,
    pub(super) block: Block,
    pub(super) frame: ChopFrame,
    pub(super) taken: Option<Taken>,
    /// Where samples are copied to without the lock, until it is known that they are whole.
    pub(super) next: Vec<f32>,
    /// The count of what was copied there.
    pub(super) counted: Counted,
    pub(super) reads: u32,
    spin: Duration,
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

    /// Reads through a segment that was opened with other settings than the usual ones.
    #[must_use]
    pub fn over(segment: SegmentReceiver) -> Self {
        Self {
            segment,
            book: NameBook::default(),
            block: Block::default(),
            frame: ChopFrame::empty(),
            taken: None,
            next: Vec::new(),
            counted: Counted::default(),
            reads: 0,
            spin: Duration::ZERO,
        }
    }

    /// The short name.
    #[must_use]
    pub fn name(&self) -> &ShortName {
        self.segment.name()
    }

    /// Whether there was a sender at the last look.
    #[must_use]
    pub fn attached(&self) -> Attached {
        self.segment.attached()
    }

    /// The state that TouchDesigner's own class would report after the last look.
    #[must_use]
    pub fn state(&self) -> ErrorState {
        self.segment.state()
    }

    /// The last good frame; `None` before the first.
    #[must_use]
    pub fn frame(&self) -> Option<&ChopFrame> {
        self.taken.is_some().then_some(&self.frame)
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
        self.look_around();
        Ok(if self.take()? { Some(&self.frame) } else { None })
    }

    /// Copies the newest frame's samples into `to`: all of channel 0, then all of channel 1, and so on.
    /// [`names`](Self::names) are those of this frame afterwards.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and [`BlockError`](crate::BlockError) where `to` is too short: nothing has been copied.
    pub fn read_into(&mut self, to: &mut [f32]) -> Result<Option<ChopShape>, Error> {
        self.look_around();
        Ok(if self.take_into(to)? { Some(shape(&self.block.layout)) } else { None })
    }

    /// Borrows the newest frame where it lies, under the lock: no copy. Everybody else waits until the view
    /// is dropped, TouchDesigner included, so be quick.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn view(&mut self) -> Result<Option<ChopView<'_>>, Error> {
        self.look_around();
        self.view_here()
    }

    pub(super) fn view_here(&mut self) -> Result<Option<ChopView<'_>>, Error> {
        if !self.settle()? {
            return Ok(None);
        }
        let layout = &self.block.layout;
        let Some(guard) = self.segment.adopt() else { return Ok(None) };
        let Some(region) = self.segment.region() else { return Ok(None) };
        match region.part(layout.samples_at, layout.samples_bytes()) {
            Ok(samples) => Ok(Some(ChopView { guard, samples, shape: shape(layout), book: &self.book })),
            Err(OutOfBounds) => Ok(None),
        }
    }

    /// How long [`next_timeout`](Self::next_timeout) looks without a pause before it sleeps: none at first. What it
    /// gains is the time that waking up takes, tens of microseconds; what it costs is a processor.
    pub fn set_spin(&mut self, spin: Duration) {
        self.spin = spin;
    }

    /// The names of the newest frame that was looked at, in the order of its channels.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.book.table().as_slice()
    }

    /// The next frame that differs from the last one, if it is there already.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn try_next(&mut self) -> Result<Option<&ChopFrame>, Error> {
        Ok(if self.poll()? { Some(&self.frame) } else { None })
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
        let begin = Instant::now();
        loop {
            let seen = self.segment.wake_word();
            if self.poll()? {
                return Ok(Some(&self.frame));
            }
            let waited = begin.elapsed();
            if waited >= limit {
                return Ok(None);
            }
            if waited < self.spin {
                core::hint::spin_loop();
            } else {
                self.segment.sleep(seen, limit.saturating_sub(waited));
            }
        }
    }
}

pub(super) fn shape(layout: &ChopLayout) -> ChopShape {
    ChopShape {
        num_channels: layout.num_channels,
        len_samples: layout.len_samples,
        sample_rate: layout.sample_rate,
    }
}

/// A frame where it lies, under the lock: [`ChopReceiver::view`].
#[derive(Debug)]
#[must_use = "the lock is let go of when this is dropped"]
pub struct ChopView<'r> {
    guard: ReadGuard<'r>,
    samples: Region<'r>,
    shape: ChopShape,
    book: &'r NameBook,
}

impl ChopView<'_> {
    /// The samples of the first channel with that name.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<ViewF32<'_>> {
        self.channel_at(self.book.table().position(name)?)
    }

    /// The samples of a channel by its position, counted from 0.
    #[must_use]
    pub fn channel_at(&self, index: usize) -> Option<ViewF32<'_>> {
        if index >= self.shape.num_channels {
            return None;
        }
        let bytes = self.shape.len_samples.checked_mul(SAMPLE_BYTES)?;
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
        self.book.table().as_slice()
    }

    /// Count, length and rate.
    #[must_use]
    pub fn shape(&self) -> ChopShape {
        self.shape
    }

    /// Whether the last holder of the lock died with it: the block may be half written.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.guard.is_abandoned()
    }
}
