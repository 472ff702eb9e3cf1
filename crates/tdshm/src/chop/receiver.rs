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
    /// The last header that passed the checks, the mapped bytes it was checked against (0: none), what it said.
    header: ChopHeader,
    mapped: usize,
    layout: ChopLayout,
    /// Counts changes of these three, of the names and of the sender.
    epoch: u64,
    frame: ChopFrame,
    /// The epoch of `frame`; 0 while there was none.
    taken: u64,
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
            header: ChopHeader::default(),
            mapped: 0,
            layout: ChopLayout::default(),
            epoch: 1,
            frame: ChopFrame::empty(),
            taken: 0,
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
        (self.taken != 0).then_some(&self.frame)
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
        if !self.settle()? {
            return Ok(None);
        }
        let layout = &self.layout;
        let Some(guard) = self.segment.adopt() else { return Ok(None) };
        let Some(region) = self.segment.region() else { return Ok(None) };
        match region.part(layout.samples_at, layout.samples_bytes()) {
            Ok(samples) => Ok(Some(ChopView { guard, samples, shape: shape(layout), book: &self.book })),
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
        let Some(region) = self.segment.region() else { return true };
        let same = self.taken == self.epoch.wrapping_add(self.segment.attachments())
            && self.is_header(region)
            && self.book.is_at(region, &self.layout)
            && region.equals(self.layout.samples_at, self.frame.samples().as_bytes()) == Ok(true);
        !same
    }

    /// Copies the newest frame into `self.frame`. `false`: there is none.
    #[inline]
    fn take(&mut self) -> Result<bool, Error> {
        loop {
            if !self.settle()? {
                return Ok(false);
            }
            let count = self.layout.num_samples();
            let samples = &mut self.frame.samples;
            if samples.len() != count {
                if samples.capacity() < count {
                    // Nothing allocates while the lock is held.
                    self.segment.release_to_retry();
                    samples.reserve(count.saturating_sub(samples.len()));
                    continue;
                }
                samples.resize(count, 0.0);
            }
            let Some(region) = self.segment.region() else { return Ok(false) };
            let copied = region.copy_out(self.layout.samples_at, samples.as_mut_bytes());
            self.frame.abandoned = self.segment.abandoned();
            self.segment.release();
            debug_assert_eq!(copied, Ok(()), "`settle` checked the bounds");
            let epoch = self.epoch.wrapping_add(self.segment.attachments());
            if self.taken != epoch {
                self.taken = epoch;
                self.frame.names = Arc::clone(self.book.table());
                self.frame.shape = shape(&self.layout);
            }
            return Ok(copied.is_ok());
        }
    }

    /// Takes the lock with the book's names being those of the block, and `self.layout` saying what is where.
    /// `false`, and the lock free: nobody sends, or nothing has been written yet. After `true` the caller lets
    /// go of the lock.
    #[inline(always)]
    fn settle(&mut self) -> Result<bool, Error> {
        if self.segment.acquire()? {
            if let Some(region) = self.segment.region()
                && self.is_header(region)
                && self.book.is_at(region, &self.layout)
            {
                return Ok(true);
            }
            return self.settle_anew();
        }
        Ok(false)
    }

    /// As [`settle`](Self::settle), with the lock held, for a block that is not like the last one.
    #[cold]
    fn settle_anew(&mut self) -> Result<bool, Error> {
        for _ in 0..TRIES {
            let change = match self.examine() {
                Ok(Examined::Ready) => return Ok(true),
                Ok(Examined::Blank) => {
                    self.segment.release();
                    return Ok(false);
                }
                Ok(Examined::Names(change)) => change,
                Err(error) => {
                    self.segment.release();
                    return Err(error.into());
                }
            };
            self.segment.release_to_retry();
            self.book.rebuild(change)?;
            self.epoch = self.epoch.wrapping_add(1);
            if !self.segment.acquire()? {
                return Ok(false);
            }
        }
        self.segment.release();
        Err(names_run_out(self.layout.num_channels, 0).into())
    }

    /// Whether the header that lies there is the one that was checked.
    #[inline]
    fn is_header(&self, region: Region<'_>) -> bool {
        self.mapped == region.len() && region.equals(0, self.header.as_bytes()) == Ok(true)
    }

    /// Checks the block that lies there, under the lock. Allocates nothing.
    fn examine(&mut self) -> Result<Examined, BlockError> {
        let Some(region) = self.segment.region() else { return Ok(Examined::Blank) };
        let too_small = |OutOfBounds| {
            let advice = "its sender made it too small for a channel block";
            BlockError::int("mapped bytes", region.len(), "a header alone has", HEADER_BYTES, advice)
        };
        let header: ChopHeader = region.read(0).map_err(too_small)?;
        if header.is_blank() {
            return Ok(Examined::Blank);
        }
        if self.mapped != region.len() || self.header != header {
            self.layout = header.check(region.len())?;
            (self.header, self.mapped) = (header, region.len());
            self.epoch = self.epoch.wrapping_add(1);
        }
        Ok(match self.book.differ(region, &self.layout)? {
            None => Examined::Ready,
            Some(change) => Examined::Names(change),
        })
    }
}

/// What a look at the block under the lock found.
enum Examined {
    Ready,
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
