//! The receiving side: one copy a frame, and everybody served from it.

use std::time::Duration;

use crate::chop::{ChopBlock, ChopFrame};
use crate::error::{BlockError, Error};
use crate::global::GlobalKind;
use crate::global::block::GlobalBlock;
use crate::global::frame::GlobalFrame;
use crate::global::shelf::Shelf;
use crate::intake::Intake;
use crate::intake::block::{Block, Receipt};
use crate::mem::Region;
use crate::pass_on::receiver_passes_on;
use crate::segment::receiver::SegmentReceiver;
use crate::top::{STORED, TopBlock, TopFrame};
use crate::wire::global::NAME;

/// Reads a program's Global segment: all its channels and images, always of one frame.
///
/// [`read`](Self::read) copies the segment once; [`channels`](Self::channels) and [`image`](Self::image) serve from that
/// copy until the next, whatever the sender does meanwhile. It may be opened before the sender is there, stays when the
/// sender leaves or dies, and goes on with the next one; the last good copy stays, after errors as well.
///
/// A block that breaks a rule is an error for whoever asks for it, and for nobody else.
///
/// # Source
///
/// wire §12, ours.
///
/// ```
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("docgin{}", std::process::id());
/// let mut out = tdshm::GlobalSender::builder().name(&name).create()?;
/// out.put_channels_with("pose", &["tx"], 60.0, 1, |block| drop(block.samples().copy_from(&[0.5])))?;
/// out.publish(1)?;
///
/// let mut input = tdshm::GlobalReceiver::over(tdshm::SegmentReceiver::open(&name)?);
/// if let Some(frame) = input.read()? {
///     println!("frame {}", frame.frame());
/// }
/// let pose = input.channels("pose")?;
/// assert_eq!(pose.and_then(|pose| pose.channel("tx")), Some(&[0.5][..]));
/// assert!(input.image("pose")?.is_none());
/// # drop((out, input));
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct GlobalReceiver {
    intake: Intake<GlobalBlock>,
    /// Which copy it is, so that each entry is looked at once in it.
    copy: u64,
    channels: Vec<Shelf<ChopBlock>>,
    images: Vec<Shelf<TopBlock>>,
}

impl GlobalReceiver {
    /// Opens the machine's Global segment, `tdshmGlobal`, whose sender may come later.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] alone, where names of that length do not fit the platform: that nobody sends yet is a state.
    pub fn open() -> Result<Self, Error> {
        Ok(Self::over(SegmentReceiver::open(NAME)?))
    }

    /// Reads through a segment that was opened with another name, or with other settings than the usual ones, such as an
    /// [observer](crate::SegmentReceiverBuilder::observe).
    #[must_use]
    pub fn over(segment: SegmentReceiver) -> Self {
        let intake = Intake::over(segment, GlobalFrame::default());
        Self { intake, copy: 0, channels: Vec::new(), images: Vec::new() }
    }

    receiver_passes_on!();

    /// The last good copy; `None` before the first.
    #[must_use]
    pub fn frame(&self) -> Option<&GlobalFrame> {
        self.intake.frame()
    }

    /// Copies the newest frame, new or not; `None` while there is no sender, or it has not published yet: the last good
    /// copy is then still served.
    ///
    /// # Errors
    ///
    /// [`Error::Block`]: the header or the table breaks a rule. [`Error::Lock`], [`Error::Segment`]: as
    /// [`ChopReceiver::read`](crate::ChopReceiver::read). The last good copy is still served.
    pub fn read(&mut self) -> Result<Option<&GlobalFrame>, Error> {
        self.copied(Intake::read)
    }

    /// Copies the next frame that is new, if it is there already.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn try_next(&mut self) -> Result<Option<&GlobalFrame>, Error> {
        self.copied(Intake::try_next)
    }

    /// Copies the next frame that is new, waiting up to `limit` for it, and for its sender.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn next_timeout(&mut self, limit: Duration) -> Result<Option<&GlobalFrame>, Error> {
        self.copied(|intake| intake.next_timeout(limit))
    }

    /// The channels of that name in the copy; `None` where there are none. Their number, age and so on are the copy's.
    ///
    /// # Errors
    ///
    /// [`BlockError`] where the block breaks a rule; the others are served all the same.
    pub fn channels(&mut self, name: &str) -> Result<Option<&ChopFrame>, BlockError> {
        let (copy, frame) = (self.copy, self.intake.frame_mut());
        serve(&mut self.channels, GlobalKind::Channels, name, copy, frame, ChopFrame::empty)
    }

    /// The image of that name in the copy; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As [`channels`](Self::channels).
    pub fn image(&mut self, name: &str) -> Result<Option<&TopFrame>, BlockError> {
        let (copy, frame) = (self.copy, self.intake.frame_mut());
        serve(&mut self.images, GlobalKind::Image, name, copy, frame, || TopFrame::empty(STORED))
    }

    /// Which frame the copy is, where somebody counts.
    fn identity(&self) -> Option<(u64, u64)> {
        Some((self.intake.segment.attachments(), self.intake.frame()?.number()?))
    }

    fn copied(
        &mut self,
        copy: impl FnOnce(&mut Intake<GlobalBlock>) -> Result<Option<&GlobalFrame>, Error>,
    ) -> Result<Option<&GlobalFrame>, Error> {
        let before = self.identity();
        let outcome = copy(&mut self.intake).map(|frame| frame.is_some());
        // Where nobody counts every copy is another one. Also after an error: looking again costs little.
        if before.is_none() || self.identity() != before || outcome.is_err() {
            self.copy = self.copy.wrapping_add(1);
        }
        Ok(if outcome? { self.intake.frame() } else { None })
    }
}

fn serve<'s, B: Block>(
    shelves: &'s mut Vec<Shelf<B>>,
    kind: GlobalKind,
    name: &str,
    copy: u64,
    frame: &mut GlobalFrame,
    empty: impl FnOnce() -> B::Frame,
) -> Result<Option<&'s B::Frame>, BlockError> {
    let extent = frame.find(kind, name);
    let known = shelves.iter().position(|shelf| shelf.is(name));
    let shelf = match known {
        Some(index) => shelves.get_mut(index),
        // Nobody learns names by asking for what is not there.
        None if extent.is_none() => None,
        None => {
            shelves.push(Shelf::new(name, empty()));
            shelves.last_mut()
        }
    };
    let Some(shelf) = shelf else { return Ok(None) };
    let receipt: Receipt = frame.receipt;
    let region = Region::of_own(&mut frame.bytes);
    shelf.serve(copy, receipt, extent.and_then(|extent| region.part(extent.at, extent.bytes).ok()))
}
