//! The sending side: blocks gathered in memory of this program, and published together.

use std::time::Duration;

use zerocopy::{FromZeros, IntoBytes};

use crate::chop::{ChopBlockMut, ChopFrame, ChopPlan, Sent};
use crate::error::{BlockError, Error, NameError};
use crate::global::GlobalKind;
use crate::mem::{OutOfBounds, Region};
use crate::pass_on::sender_passes_on;
use crate::segment::sender::{SegmentSender, SegmentSenderBuilder};
use crate::segment::slots::{Outgoing, Slots};
use crate::top::{OutgoingTop, Pixels, TopBlockMut};
use crate::wire::global::{
    ALIGNMENT, ENTRY_BYTES, Extent, GlobalEntry, GlobalHeader, NAME, NAME_BYTES, table_end,
};
use crate::wire::notice::FLAG_GLOBAL;
use crate::wire::pixel::PixelFormat;

/// Room that is reserved at first where nobody says how much will be needed.
const ROOM_BYTES: usize = 64 * 1024;

/// Writes the Global segment of this machine: any number of channels and images, each under its short name, published
/// together.
///
/// A block that was put stays, and is published with every frame, until it is put again or [removed](Self::remove).
/// Putting touches memory of this program alone; [`publish`](Self::publish) takes the lock for one copy of everything.
/// What does not fit the room that was reserved moves to a larger segment, and receivers follow; that frame is not lost.
///
/// One sender has the segment; a second one is refused, and told which process has it. One that died is replaced.
///
/// # Source
///
/// wire §12, ours. TouchDesigner's Global memory is another one, which is not public.
///
/// ```
/// use tdshm::{ChopFrame, GlobalSender, PixelFormat, Pixels};
///
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("docgout{}", std::process::id());
/// # let mut out = GlobalSender::builder().name(&name).create()?;
/// # if false {
/// let mut out = GlobalSender::create()?;
/// # drop(out);
/// # }
/// for frame in 1..=3_u8 {
///     out.put_channels("pose", &ChopFrame::from_rows(["tx"], 60.0, &[[f32::from(frame)]])?)?;
///     out.put_image("mask", &Pixels::top_first(PixelFormat::R8_UNORM, 2, 1, &[frame, frame]))?;
///     out.publish(frame.into())?; // both at once, or neither
/// }
/// # drop(out);
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "receivers are told that it left when this is dropped"]
pub struct GlobalSender {
    segment: SegmentSender,
    entries: Vec<Entry>,
    frames: u64,
}

/// How a sender is created: [`GlobalSender::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing exists until `create` is called"]
pub struct GlobalSenderBuilder {
    segment: SegmentSenderBuilder,
    room_bytes: usize,
}

/// A block that was put.
#[derive(Debug)]
struct Entry {
    name: Box<str>,
    what: What,
    /// The block, in words so that its samples are aligned.
    words: Vec<u64>,
    bytes: usize,
}

#[derive(Debug)]
enum What {
    Channels(Box<ChopPlan>),
    Image,
}

impl Entry {
    fn is(&self, kind: GlobalKind, name: &str) -> bool {
        self.kind() == kind && *self.name == *name
    }

    fn kind(&self) -> GlobalKind {
        match self.what {
            What::Channels(_) => GlobalKind::Channels,
            What::Image => GlobalKind::Image,
        }
    }
}

/// Room for a block of so many bytes.
fn room(words: &mut Vec<u64>, bytes: usize) -> Result<Region<'_>, OutOfBounds> {
    words.resize(bytes.div_ceil(size_of::<u64>()), u64::new_zeroed());
    Region::of_own(words.as_mut_slice().as_mut_bytes()).part(0, bytes)
}

impl GlobalSender {
    /// Creates the machine's Global segment, `tdshmGlobal`.
    ///
    /// # Errors
    ///
    /// As [`SegmentSender::create`]: [`SegmentError::InfoAlreadyExists`](crate::SegmentError::InfoAlreadyExists) when
    /// another process sends it, with that process's id.
    pub fn create() -> Result<Self, Error> {
        Self::builder().create()
    }

    /// Creates a sender with other settings than the usual ones.
    pub fn builder() -> GlobalSenderBuilder {
        GlobalSenderBuilder { segment: SegmentSender::builder(NAME, ROOM_BYTES), room_bytes: 0 }
    }

    sender_passes_on!();

    /// Bytes of the segment.
    #[must_use]
    pub fn room_bytes(&self) -> usize {
        self.segment.mapped_bytes()
    }

    /// Puts channels under a short name: a frame with its names and rate.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] for a name that is empty, holds NUL, or is longer than 112 bytes. [`Error::Block`] for a block
    /// above 2 GiB. What was put under that name before stays.
    pub fn put_channels(&mut self, name: &str, frame: &ChopFrame) -> Result<(), Error> {
        let describe = |plan: &mut ChopPlan| plan.describe_as(frame);
        self.put_chop(name, frame.len_samples(), describe, |block| {
            block.samples().copy_from(frame.samples());
        })
    }

    /// Puts channels under a short name that `fill` writes in place: one for each of `names`, of `len_samples` samples
    /// each, at `sample_rate` Hz. `fill` is handed the block with whatever samples lie there.
    ///
    /// # Errors
    ///
    /// As [`put_channels`](Self::put_channels), and [`Error::Block`] for channel names that hold NUL and a rate that is
    /// not finite and positive.
    pub fn put_channels_with<N: AsRef<str>>(
        &mut self,
        name: &str,
        names: &[N],
        sample_rate: f32,
        len_samples: usize,
        fill: impl FnOnce(&mut ChopBlockMut<'_>),
    ) -> Result<(), Error> {
        self.put_chop(name, len_samples, |plan| plan.describe(names, sample_rate), fill)
    }

    fn put_chop(
        &mut self,
        name: &str,
        len_samples: usize,
        describe: impl FnOnce(&mut ChopPlan) -> Result<(), BlockError>,
        fill: impl FnOnce(&mut ChopBlockMut<'_>),
    ) -> Result<(), Error> {
        let make = || Ok(What::Channels(Box::new(ChopPlan::new(Vec::new(), 60.0, true)?)));
        self.put(GlobalKind::Channels, name, make, |entry| {
            let What::Channels(plan) = &mut entry.what else { return Ok(()) };
            describe(plan)?;
            let bytes = plan.lay_out(len_samples)?;
            let written = room(&mut entry.words, bytes).and_then(|region| plan.write(region, fill));
            debug_assert_eq!(written, Ok(()), "there is room for what was planned");
            entry.bytes = bytes;
            Ok(())
        })
    }

    /// Puts an image under a short name, the way up that it says, in one copy.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] as [`put_channels`](Self::put_channels); [`Error::Block`] as
    /// [`TopSender::send`](crate::TopSender::send). What was put under that name before stays.
    pub fn put_image(&mut self, name: &str, image: &Pixels<'_>) -> Result<(), Error> {
        let block = OutgoingTop::usual_for(image)?;
        self.put_top(name, &block, |region| block.write_pixels(region, image))
    }

    /// Puts an image under a short name that `fill` writes in place. It is handed the image with whatever pixels lie there.
    ///
    /// # Errors
    ///
    /// As [`put_image`](Self::put_image).
    pub fn put_image_with(
        &mut self,
        name: &str,
        format: PixelFormat,
        width: usize,
        height: usize,
        fill: impl FnOnce(&mut TopBlockMut<'_>),
    ) -> Result<(), Error> {
        let block = OutgoingTop::usual(format, width, height)?;
        self.put_top(name, &block, |region| block.write(region, fill))
    }

    fn put_top(
        &mut self,
        name: &str,
        block: &OutgoingTop,
        write: impl FnOnce(Region<'_>) -> Result<(), OutOfBounds>,
    ) -> Result<(), Error> {
        self.put(
            GlobalKind::Image,
            name,
            || Ok(What::Image),
            |entry| {
                let bytes = block.needed();
                let written = room(&mut entry.words, bytes).and_then(write);
                debug_assert_eq!(written, Ok(()), "there is room for what was planned");
                entry.bytes = bytes;
                Ok(())
            },
        )
    }

    /// Writes the entry of that name, which is made if it is not there; one that could not be written is not kept.
    fn put(
        &mut self,
        kind: GlobalKind,
        name: &str,
        make: impl FnOnce() -> Result<What, BlockError>,
        write: impl FnOnce(&mut Entry) -> Result<(), BlockError>,
    ) -> Result<(), Error> {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.is(kind, name)) {
            return Ok(write(entry)?);
        }
        check_name(name)?;
        let mut entry = Entry { name: name.into(), what: make()?, words: Vec::new(), bytes: 0 };
        write(&mut entry)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Takes an entry away: from the next frame on it is not there. `false`: it was not there before.
    pub fn remove(&mut self, kind: GlobalKind, name: &str) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| !entry.is(kind, name));
        self.entries.len() < before
    }

    /// Publishes all that was put, as one frame with a number of the caller's, under one hold of the lock.
    ///
    /// # Errors
    ///
    /// [`Error::Lock`] when the lock was not free within the limit, [`Error::Segment`] when there was no room for a larger
    /// segment: receivers keep the frame they have, and the next one may work.
    pub fn publish(&mut self, frame: u64) -> Result<Sent, Error> {
        self.segment.look_after();
        let bytes = extents(&self.entries)
            .last()
            .map_or(table_end(0), |(_, extent)| extent.at.saturating_add(extent.bytes));
        let entries = self.entries.as_slice();
        let block = OutgoingGlobal { bytes };
        let write = |region: Region<'_>, _| write(region, entries, frame);
        let abandoned = self.segment.write_block(Slots::Never, &block, write)?;
        self.frames = self.frames.wrapping_add(1);
        Ok(Sent { abandoned })
    }
}

/// Where each block goes.
fn extents(entries: &[Entry]) -> impl Iterator<Item = (&Entry, Extent)> {
    let mut end = table_end(entries.len());
    entries.iter().map(move |entry| {
        let at = end.checked_next_multiple_of(ALIGNMENT).unwrap_or(usize::MAX);
        end = at.saturating_add(entry.bytes);
        (entry, Extent { at, bytes: entry.bytes })
    })
}

fn write(region: Region<'_>, entries: &[Entry], frame: u64) -> Result<(), OutOfBounds> {
    region.write(0, &GlobalHeader::new(entries.len(), frame).ok_or(OutOfBounds)?)?;
    for (index, (entry, extent)) in extents(entries).enumerate() {
        let row = GlobalEntry::new(entry.kind().number(), &entry.name, extent).ok_or(OutOfBounds)?;
        region.write(table_end(0).saturating_add(index.saturating_mul(ENTRY_BYTES)), &row)?;
        let block = entry.words.as_bytes().get(..entry.bytes).ok_or(OutOfBounds)?;
        region.copy_in(extent.at, block)?;
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.contains('\0') {
        return Err(NameError::Character { name: name.to_owned(), found: '\0' });
    }
    if name.len() > NAME_BYTES {
        let (name, length) = (name.to_owned(), name.len());
        return Err(NameError::TooLong { name, length, unit: "bytes", limit: NAME_BYTES });
    }
    Ok(())
}

/// All of it: there is no header that could lie apart from the data.
struct OutgoingGlobal {
    bytes: usize,
}

impl Outgoing for OutgoingGlobal {
    fn data_bytes(&self) -> usize {
        self.bytes
    }

    fn usual_at(&self) -> usize {
        0
    }

    fn put_header(&self, _region: Region<'_>, _data_at: usize) -> Result<(), OutOfBounds> {
        Ok(())
    }
}

impl GlobalSenderBuilder {
    /// Another name than `tdshmGlobal`, for programs that are to stay apart from the machine's others. Receivers open it
    /// with [`GlobalReceiver::over`](crate::GlobalReceiver::over).
    pub fn name(mut self, name: &str) -> Self {
        self.segment = self.segment.name(name);
        self
    }

    /// Room for so many bytes altogether: blocks, and 136 bytes for each. 64 KiB by default; less is not reserved.
    pub fn room_bytes(mut self, bytes: usize) -> Self {
        self.room_bytes = bytes;
        self
    }

    /// Unix permission bits of the segment, `0o600` by default: see [`SegmentSenderBuilder::mode`].
    pub fn mode(mut self, mode: u32) -> Self {
        self.segment = self.segment.mode(mode);
        self
    }

    /// How long to wait for a lock, 5 seconds by default. Whoever holds it longer costs frames: `publish` gives up, and
    /// says so.
    pub fn lock_limit(mut self, limit: Duration) -> Self {
        self.segment = self.segment.lock_limit(limit);
        self
    }

    /// Creates the sender.
    ///
    /// # Errors
    ///
    /// As [`GlobalSender::create`].
    pub fn create(self) -> Result<GlobalSender, Error> {
        let room = self.room_bytes.max(ROOM_BYTES);
        let segment = self.segment.largest(isize::MAX.unsigned_abs()).room(room, room).flags(FLAG_GLOBAL);
        Ok(GlobalSender { segment: segment.create()?, entries: Vec::new(), frames: 0 })
    }
}
