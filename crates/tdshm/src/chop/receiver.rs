//! The receiving side: a view under the lock, a copy into the caller's buffer, or a frame of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use zerocopy::IntoBytes;

use crate::chop::frame::{ChopFrame, ChopShape};
use crate::chop::names::{Change, NameBook};
use crate::error::{BlockError, Error, ErrorState};
use crate::mem::{OutOfBounds, Region, ViewF32};
use crate::name::ShortName;
use crate::segment::receiver::{Attached, ReadGuard, SegmentReceiver};
use crate::wire::chop::{ChopHeader, ChopLayout, HEADER_BYTES, SAMPLE_BYTES, names_run_out};

/// How often a receiver looks for a frame that differs, while it waits.
const POLL: Duration = Duration::from_millis(1);
/// How often a receiver looks for a sender, while there is none.
const POLL_ABSENT: Duration = Duration::from_millis(10);
/// Tries after which names that change under the lock are given up: whoever writes them ignores it.
const TRIES: usize = 64;

/// Reads channels from a segment that another program writes: a `Shared Mem In CHOP`.
///
/// It may be opened before the sender is there, stays when the sender leaves, and goes on with the next one.
/// What a sender writes is checked before it is believed; what fails the checks is an error, and
/// [`frame`](Self::frame) still holds the last good frame.
///
/// The protocol has no frame counter, so a new frame is one that differs from the last: in shape, names or
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
    segment: SegmentReceiver,
    book: NameBook,
    /// The last header that was checked, the size it was checked against, and what it said.
    checked: Option<(ChopHeader, usize, ChopLayout)>,
    frame: ChopFrame,
    /// The header and the sender of `frame`; `None` while there was none.
    taken: Option<(ChopHeader, u64)>,
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
        Self { segment, book: NameBook::default(), checked: None, frame: ChopFrame::empty(), taken: None }
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
        Ok(if self.take()? { Some(&self.frame) } else { None })
    }

    /// Copies the newest frame's samples into `to`: all of channel 0, then all of channel 1, and so on.
    /// [`names`](Self::names) are those of this frame afterwards.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and [`BlockError`] where `to` is too short: nothing has been copied.
    pub fn read_into(&mut self, to: &mut [f32]) -> Result<Option<ChopShape>, Error> {
        let Some(view) = self.view()? else { return Ok(None) };
        let samples = view.samples();
        if to.len() < samples.len() {
            let advice = "give a longer buffer";
            let rule = "the frame has so many:";
            return Err(
                BlockError::int("samples in the buffer", to.len(), rule, samples.len(), advice).into()
            );
        }
        samples.copy_to(to);
        Ok(Some(view.shape()))
    }

    /// Borrows the newest frame where it lies, under the lock: no copy. Everybody else waits until the view
    /// is dropped, TouchDesigner included, so be quick.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn view(&mut self) -> Result<Option<ChopView<'_>>, Error> {
        let Some((_, layout)) = self.settle()? else { return Ok(None) };
        let Some(guard) = self.segment.adopt() else { return Ok(None) };
        let Some(region) = self.segment.region() else { return Ok(None) };
        match region.part(layout.samples_at, layout.samples_bytes()) {
            Ok(samples) => Ok(Some(ChopView { guard, samples, shape: shape(&layout), book: &self.book })),
            Err(OutOfBounds) => Ok(None),
        }
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
    /// While it waits it looks once a millisecond, without the lock.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn next_timeout(&mut self, limit: Duration) -> Result<Option<&ChopFrame>, Error> {
        let begin = Instant::now();
        loop {
            if self.poll()? {
                return Ok(Some(&self.frame));
            }
            let left = limit.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            let pause = if self.attached() == Attached::Yes { POLL } else { POLL_ABSENT };
            std::thread::sleep(pause.min(left));
        }
    }

    /// Whether there is a frame that differs from the last, which is then in `self.frame`.
    fn poll(&mut self) -> Result<bool, Error> {
        if !self.segment.look()? {
            return Ok(false);
        }
        Ok(self.differs() && self.take()?)
    }

    /// Compares what lies there with the last frame, without the lock: a write under way can only make them
    /// differ, and then the lock is taken to see.
    fn differs(&self) -> bool {
        let (Some((header, sender)), Some(region)) = (&self.taken, self.segment.region()) else {
            return true;
        };
        let Some((checked, mapped, layout)) = &self.checked else { return true };
        let same = *sender == self.segment.attachments()
            && *mapped == region.len()
            && checked == header
            && region.read::<ChopHeader>(0) == Ok(*header)
            && self.book.is_at(region, layout)
            && region.equals(layout.samples_at, self.frame.samples().as_bytes()) == Ok(true);
        !same
    }

    /// Copies the newest frame into `self.frame`. `false`: there is none.
    #[inline]
    fn take(&mut self) -> Result<bool, Error> {
        loop {
            let Some((header, layout)) = self.settle()? else { return Ok(false) };
            let samples = &mut self.frame.samples;
            let count = layout.num_samples();
            if samples.capacity() < count {
                // Nothing allocates while the lock is held.
                self.segment.release();
                samples.reserve(count.saturating_sub(samples.len()));
                continue;
            }
            samples.resize(count, 0.0);
            let copied = self
                .segment
                .region()
                .is_some_and(|region| region.copy_out(layout.samples_at, samples.as_mut_bytes()).is_ok());
            let abandoned = self.segment.abandoned();
            self.segment.release();
            if !copied {
                return Ok(false); // `settle` checked the bounds
            }
            if !Arc::ptr_eq(&self.frame.names, self.book.table()) {
                self.frame.names = Arc::clone(self.book.table());
            }
            self.frame.shape = shape(&layout);
            self.frame.abandoned = abandoned;
            self.taken = Some((header, self.segment.attachments()));
            return Ok(true);
        }
    }

    /// Takes the lock with the book's names being those of the block, and says what is where. `None`, and the
    /// lock free: nobody sends, or nothing has been written yet. After `Some` the caller lets go of the lock.
    #[inline]
    fn settle(&mut self) -> Result<Option<(ChopHeader, ChopLayout)>, Error> {
        for _ in 0..TRIES {
            if !self.segment.acquire()? {
                return Ok(None);
            }
            let change = match self.examine() {
                Ok(Examined::Ready(header, layout)) => return Ok(Some((header, layout))),
                Ok(Examined::Blank) => {
                    self.segment.release();
                    return Ok(None);
                }
                Ok(Examined::Names(change)) => change,
                Err(error) => {
                    self.segment.release();
                    return Err(error.into());
                }
            };
            self.segment.release();
            self.book.rebuild(change)?;
        }
        let count = self.checked.map_or(0, |(_, _, layout)| layout.num_channels);
        Err(names_run_out(count, 0).into())
    }

    /// Checks the block that lies there, under the lock. Allocates nothing.
    #[inline]
    fn examine(&mut self) -> Result<Examined, BlockError> {
        let Some(region) = self.segment.region() else { return Ok(Examined::Blank) };
        let too_small = |OutOfBounds| {
            let advice = "its sender made it too small for a channel block";
            BlockError::int("mapped bytes", region.len(), "a header alone has", HEADER_BYTES, advice)
        };
        let header: ChopHeader = region.read(0).map_err(too_small)?;
        let layout = match &self.checked {
            Some((checked, mapped, layout)) if *checked == header && *mapped == region.len() => *layout,
            _ if header.is_blank() => return Ok(Examined::Blank),
            _ => {
                let layout = header.check(region.len())?;
                self.checked = Some((header, region.len(), layout));
                layout
            }
        };
        Ok(match self.book.look(region, &layout)? {
            None => Examined::Ready(header, layout),
            Some(change) => Examined::Names(change),
        })
    }
}

/// What a look at the block under the lock found.
enum Examined {
    Ready(ChopHeader, ChopLayout),
    Blank,
    Names(Change),
}

fn shape(layout: &ChopLayout) -> ChopShape {
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
