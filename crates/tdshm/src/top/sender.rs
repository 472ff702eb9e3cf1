//! The sending side: the caller's pixels, or a block filled in place.

use crate::chop::Sent;
use crate::convert::RowOrder;
use crate::error::{BlockError, Error};
use crate::mem::{OutOfBounds, Region, ViewBytesMut};
use crate::pass_on::{sender_builder_passes_on, sender_passes_on};
use crate::segment::sender::{SegmentSender, SegmentSenderBuilder};
use crate::segment::slots::{Outgoing, Slots};
use crate::top::frame::TopShape;
use crate::top::receiver::row;
use crate::top::rows::{Pixels, STORED};
use crate::wire::notice::FLAG_IMAGE;
use crate::wire::pixel::PixelFormat;
use crate::wire::top::{self, HeaderVersion, TopColour, TopLayout};

/// Room that is reserved at first where nobody says how much will be needed.
const ROOM_BYTES: usize = 64 * 1024;
/// Places for images: one that is read, one that is current, one that is being filled.
const SLOTS: usize = 3;

/// Writes images into a segment of its own: a `Shared Mem Out TOP`.
///
/// Size and format may change at every image. One that does not fit the room that was reserved moves to a larger segment,
/// and receivers follow; that image is not lost.
///
/// An image is filled beside the one that is read, and the lock is held for no more than the switch, as long as no
/// program of others has attached: see [`slots`](TopSenderBuilder::slots).
///
/// # Source
///
/// wire §9.
///
/// ```
/// use tdshm::{PixelFormat, Pixels};
///
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("doctopout{}", std::process::id());
/// let mut out = tdshm::TopSender::builder(&name).room_for(PixelFormat::R8G8B8A8_UNORM, 64, 64).create()?;
/// let grey = vec![128; 64 * 64 * 4];
/// out.send(&Pixels::top_first(PixelFormat::R8G8B8A8_UNORM, 64, 64, &grey))?;
/// out.send_with(PixelFormat::R32_SFLOAT, 64, 64, |image| {
///     for index in 0..image.shape().height {
///         if let Some(mut row) = image.row(index, tdshm::RowOrder::TopFirst) {
///             row.copy_from(&[0; 64 * 4]);
///         }
///     }
/// })?;
/// # out.detach()?;
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "receivers are told that it left when this is dropped"]
#[doc(alias("Shared Mem Out TOP", "SharedMemOutTop"))]
pub struct TopSender {
    pub(super) segment: SegmentSender,
    pub(super) settings: Settings,
    pub(super) slots: Slots,
    pub(super) stored: RowOrder,
    /// The block of the last send.
    outgoing: Option<OutgoingTop>,
    pub(super) frames: u64,
}

/// What a header says beside size and format.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Settings {
    version: HeaderVersion,
    pub(super) aspect: (f32, f32),
    colour: Option<TopColour>,
}

/// How a sender of images is created: [`TopSender::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing exists until `create` is called"]
pub struct TopSenderBuilder {
    segment: SegmentSenderBuilder,
    settings: Settings,
    slots: Slots,
    stored: RowOrder,
    /// Bytes of the pixels that there is to be room for.
    data_bytes: usize,
}

/// A block that was planned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutgoingTop {
    settings: Settings,
    format: PixelFormat,
    pub(super) layout: TopLayout,
}

impl Outgoing for OutgoingTop {
    fn data_bytes(&self) -> usize {
        self.layout.data_bytes
    }

    fn usual_at(&self) -> usize {
        self.layout.data_at
    }

    fn put_header(&self, region: Region<'_>, data_at: usize) -> Result<(), OutOfBounds> {
        let (header, _) = top::place(&self.layout, data_at).map_err(|_| OutOfBounds)?;
        region.copy_in(0, header.as_slice())
    }
}

impl OutgoingTop {
    /// Whether the header lies there, for data at that offset.
    fn has_header(&self, region: Region<'_>, data_at: usize) -> bool {
        top::place(&self.layout, data_at)
            .is_ok_and(|(header, _)| region.equals(0, header.as_slice()) == Ok(true))
    }
}

impl TopSender {
    /// Creates the segment `name`.
    ///
    /// # Errors
    ///
    /// As [`SegmentSender::create`].
    pub fn create(name: &str) -> Result<Self, Error> {
        Self::builder(name).create()
    }

    /// Creates a sender with other settings than the usual ones.
    pub fn builder(name: &str) -> TopSenderBuilder {
        TopSenderBuilder {
            segment: SegmentSender::builder(name, ROOM_BYTES),
            settings: Settings::USUAL,
            slots: Slots::Auto { count: SLOTS, from_bytes: 1, asked_from_bytes: 1 },
            stored: STORED,
            data_bytes: 0,
        }
    }

    sender_passes_on!();

    /// Bytes of the segment.
    #[must_use]
    pub fn room_bytes(&self) -> usize {
        self.segment.mapped_bytes()
    }

    /// Sets the aspect of a pixel, 1 and 1 by default, from the next image on that does not
    /// [say it itself](Pixels::aspect).
    pub fn set_aspect(&mut self, x: f32, y: f32) {
        self.settings.aspect = (x, y);
    }

    /// Says what the colours mean, from the next image on; `None`: what the format says. For senders of
    /// [version 2](TopSenderBuilder::header).
    pub fn set_colour(&mut self, colour: Option<TopColour>) {
        self.settings.colour = colour;
    }

    /// Sends one image, the way up that it says, in one copy.
    ///
    /// # Errors
    ///
    /// [`Error::Block`] for a size beyond 1 to 32768 pixels a side, an unknown format, pixels that are not all there, a
    /// stride shorter than a row, or an aspect that is not finite and positive: nothing has been written.
    /// [`Error::Lock`] when the lock was not free within the limit: the image is lost, the next one may work.
    pub fn send(&mut self, image: &Pixels<'_>) -> Result<Sent, Error> {
        let aspect = image.aspect.unwrap_or(self.settings.aspect);
        let block = self.plan(image.format, image.width, image.height, aspect)?;
        let rows = image.rows(block.layout.row_bytes().unwrap_or(0))?;
        let turned = image.order != self.stored;
        self.write(&block, |data| rows.copy_to(data, turned))
    }

    /// Sends one image that `fill` writes in place: no copy.
    ///
    /// `fill` is handed the image with whatever pixels lie there. Where images are filled beside one another the lock is
    /// free meanwhile; where a program of others reads it is held, so be quick.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_with(
        &mut self,
        format: PixelFormat,
        width: usize,
        height: usize,
        fill: impl FnOnce(&mut TopBlockMut<'_>),
    ) -> Result<Sent, Error> {
        let block = self.plan(format, width, height, self.settings.aspect)?;
        let (shape, stored) = (TopShape::of(&block.layout), self.stored);
        self.write(&block, |pixels| {
            fill(&mut TopBlockMut { pixels, shape, stored });
            Ok(())
        })
    }

    /// Keeps an image that was sent once and is to stay: looks whether it still lies where everybody finds it, and sends
    /// it again where it does not. `None`: it lies there, and no receiver notices anything.
    ///
    /// What is sent again and again is looked after while it is sent. An image that stays is not: somebody may write over
    /// it or over the info block, remove the segment's name, or attach and read at the usual offset alone. Call this a
    /// few times a second; it compares the image, which takes about as long as to send it.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// ```
    /// use tdshm::{PixelFormat, Pixels};
    ///
    /// # fn main() -> Result<(), tdshm::Error> {
    /// # let name = format!("doctopkeep{}", std::process::id());
    /// let mut out = tdshm::TopSender::create(&name)?;
    /// let grey = vec![128; 64 * 64];
    /// let image = Pixels::top_first(PixelFormat::R8_UNORM, 64, 64, &grey);
    /// assert!(out.keep(&image)?.is_some()); // nothing was sent yet
    /// assert!(out.keep(&image)?.is_none());
    /// # out.detach()?;
    /// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn keep(&mut self, image: &Pixels<'_>) -> Result<Option<Sent>, Error> {
        let aspect = image.aspect.unwrap_or(self.settings.aspect);
        let block = self.plan(image.format, image.width, image.height, aspect)?;
        let rows = image.rows(block.layout.row_bytes().unwrap_or(0))?;
        let turned = image.order != self.stored;
        let lies = self.outgoing.is_some_and(|last| last.layout == block.layout)
            && self.segment.tend(self.slots, &block).map_err(|error| *error)?.is_some_and(|(region, at)| {
                block.has_header(region, at)
                    && region.part(at, block.layout.data_bytes).is_ok_and(|data| rows.lie_in(data, turned))
            });
        if lies { Ok(None) } else { self.write(&block, |data| rows.copy_to(data, turned)).map(Some) }
    }

    pub(super) fn plan(
        &self,
        format: PixelFormat,
        width: usize,
        height: usize,
        aspect: (f32, f32),
    ) -> Result<OutgoingTop, BlockError> {
        let settings = Settings { aspect, ..self.settings };
        match self.outgoing {
            Some(last)
                if (last.format, last.layout.width, last.layout.height) == (format, width, height)
                    && last.settings == settings =>
            {
                Ok(last)
            }
            _ => plan(settings, format, width, height),
        }
    }

    pub(super) fn write(
        &mut self,
        block: &OutgoingTop,
        fill: impl FnOnce(Region<'_>) -> Result<(), OutOfBounds>,
    ) -> Result<Sent, Error> {
        self.segment.look_after();
        let abandoned = self.segment.write_block(self.slots, block, |data, _| fill(data))?;
        Ok(self.has_sent(block, abandoned))
    }

    pub(super) fn has_sent(&mut self, block: &OutgoingTop, abandoned: bool) -> Sent {
        self.outgoing = Some(*block);
        self.frames = self.frames.wrapping_add(1);
        Sent { abandoned }
    }
}

impl OutgoingTop {
    /// An image with the usual settings.
    pub(crate) fn usual(format: PixelFormat, width: usize, height: usize) -> Result<Self, BlockError> {
        plan(Settings::USUAL, format, width, height)
    }

    /// For the caller's pixels, which are all there.
    pub(crate) fn usual_for(image: &Pixels<'_>) -> Result<Self, BlockError> {
        let settings = Settings { aspect: image.aspect.unwrap_or(Settings::USUAL.aspect), ..Settings::USUAL };
        let block = plan(settings, image.format, image.width, image.height)?;
        image.rows(block.layout.row_bytes().unwrap_or(0))?;
        Ok(block)
    }

    /// Bytes of the block.
    pub(crate) fn needed(&self) -> usize {
        self.layout.data_at.saturating_add(self.layout.data_bytes)
    }

    /// Writes the block into memory of this program, the pixels by `fill`.
    pub(crate) fn write(
        &self,
        region: Region<'_>,
        fill: impl FnOnce(&mut TopBlockMut<'_>),
    ) -> Result<(), OutOfBounds> {
        self.put_header(region, self.layout.data_at)?;
        let pixels = region.part(self.layout.data_at, self.layout.data_bytes)?;
        fill(&mut TopBlockMut { pixels, shape: TopShape::of(&self.layout), stored: STORED });
        Ok(())
    }

    /// As [`write`](Self::write), with the pixels that the block was planned for.
    pub(crate) fn write_pixels(&self, region: Region<'_>, image: &Pixels<'_>) -> Result<(), OutOfBounds> {
        let rows = image.rows(self.layout.row_bytes().unwrap_or(0)).map_err(|_| OutOfBounds)?;
        let mut copied = Ok(());
        self.write(region, |block| copied = rows.copy_to(block.pixels, image.order != STORED))?;
        copied
    }
}

impl Settings {
    const USUAL: Self = Self { version: HeaderVersion::V1, aspect: (1.0, 1.0), colour: None };
}

fn plan(
    settings: Settings,
    format: PixelFormat,
    width: usize,
    height: usize,
) -> Result<OutgoingTop, BlockError> {
    let Settings { version, aspect, colour } = settings;
    let (_, layout) = top::plan(width, height, format, version, aspect, colour)?;
    Ok(OutgoingTop { settings, format, layout })
}

impl TopSenderBuilder {
    /// Which header images have: version 1 by default, which every build of today reads.
    pub fn header(mut self, version: HeaderVersion) -> Self {
        self.settings.version = version;
        self
    }

    /// What the colours mean: says so in a header of version 2.
    pub fn colour(mut self, colour: TopColour) -> Self {
        self.settings.version = HeaderVersion::V2;
        self.settings.colour = Some(colour);
        self
    }

    /// The aspect of a pixel, 1 and 1 by default.
    pub fn aspect(mut self, x: f32, y: f32) -> Self {
        self.settings.aspect = (x, y);
        self
    }

    /// Into how many places the segment is divided, 2 to 4, so that an image is filled beside the one that is read and
    /// the lock is held for no more than the switch; 0 or 1: it is not, and images are written under the lock. More are
    /// refused by [`create`](Self::create).
    ///
    /// By default there are 3, as long as no program of others has attached: TouchDesigner's own reads where the header
    /// points, and others may not.
    ///
    /// # Source
    ///
    /// wire §11.
    pub fn slots(mut self, count: usize) -> Self {
        self.slots = Slots::asked(count);
        self
    }

    /// Which row lies first in the block: the bottom one, unless the programs that read it want the top one.
    ///
    /// # Source
    ///
    /// wire §9.1: seen, and confirmed by nobody.
    pub fn stored_rows(mut self, order: RowOrder) -> Self {
        self.stored = order;
        self
    }

    /// Room for images of that size, in as many places as they will have, so that the first one needs no move.
    pub fn room_for(mut self, format: PixelFormat, width: usize, height: usize) -> Self {
        self.data_bytes = format.bytes_per_pixel().unwrap_or(0).saturating_mul(width).saturating_mul(height);
        self
    }

    sender_builder_passes_on!();

    /// Creates the sender.
    ///
    /// # Errors
    ///
    /// As [`SegmentSender::create`], and [`SegmentError::TooManySlots`](crate::SegmentError::TooManySlots).
    pub fn create(self) -> Result<TopSender, Error> {
        self.slots.check()?;
        let least = self.data_bytes.saturating_add(top::COLOUR_HEADER_BYTES).max(ROOM_BYTES);
        let wanted = self.slots.room(self.data_bytes, top::COLOUR_HEADER_BYTES);
        let segment = self.segment.largest(isize::MAX.unsigned_abs()).room(wanted, least);
        Ok(TopSender {
            segment: segment.flags(FLAG_IMAGE).create()?,
            settings: self.settings,
            slots: self.slots,
            stored: self.stored,
            outgoing: None,
            frames: 0,
        })
    }
}

/// An image that is being written in place: [`TopSender::send_with`] and
/// [`GlobalSender::put_image_with`](crate::GlobalSender::put_image_with).
#[derive(Debug)]
pub struct TopBlockMut<'b> {
    pixels: Region<'b>,
    shape: TopShape,
    stored: RowOrder,
}

impl TopBlockMut<'_> {
    /// Its size and format.
    #[must_use]
    pub fn shape(&self) -> TopShape {
        self.shape
    }

    /// All pixels, as they are going to lie in the block: bottom row first, unless the sender was told otherwise.
    pub fn pixels(&mut self) -> ViewBytesMut<'_> {
        ViewBytesMut::new(self.pixels)
    }

    /// One row, counted from 0 in the order that is asked for; `None` behind the last.
    pub fn row(&mut self, index: usize, order: RowOrder) -> Option<ViewBytesMut<'_>> {
        row(self.pixels, &self.shape, index, order != self.stored).map(ViewBytesMut::new)
    }
}
