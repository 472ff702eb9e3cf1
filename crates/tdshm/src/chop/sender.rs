//! The sending side: rows, one flat buffer, or views filled in place.

use std::sync::Arc;

use zerocopy::IntoBytes;

use crate::chop::frame::{ChopShape, unequal_rows};
use crate::chop::names::NameTable;
use crate::chop::plan::{ChopPlan, put};
use crate::chop::samples::Samples;
use crate::error::{BlockError, Error};
use crate::mem::{OutOfBounds, Region, ViewF32Mut};
use crate::pass_on::{sender_builder_passes_on, sender_passes_on};
use crate::segment::sender::{SegmentSender, SegmentSenderBuilder};
use crate::segment::slots::{Outgoing, Slots};
use crate::step::step;
use crate::wire::chop::{self, HEADER_BYTES, SAMPLE_BYTES};
use crate::wire::notice::FLAG_CHANNELS;

/// Room that is reserved at first where nobody says how much will be needed.
const ROOM_BYTES: usize = 64 * 1024;

/// Places for large blocks: one that is read, one that is current, one that is being filled.
const SLOTS: usize = 3;
/// From here on the copy takes so long that whoever waits for the lock notices. Below, one place that stays in the
/// processor's cache is the faster: three times 2.4 MB cost a fifth.
const SLOTS_FROM_BYTES: usize = 4 << 20;
/// From here on there are places once a reader's copies were spoiled: then both sides stand in each other's way, and
/// that costs many times as much.
const SLOTS_ASKED_FROM_BYTES: usize = 64 << 10;

/// Writes channels into a segment of its own: a `Shared Mem Out CHOP`.
///
/// Names, rate, number and length of the channels may change at every frame. A block that does not fit the room
/// that was reserved moves to a larger segment, and receivers follow; that frame is not lost.
///
/// Sending to a lock that is free makes no system call, and allocates nothing while the layout stays.
///
/// # Source
///
/// wire §8.
///
/// ```
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("docout{}", std::process::id());
/// let mut out = tdshm::ChopSender::builder(&name).channels(["tx", "ty"]).sample_rate(120.0).create()?;
/// out.send(&[[0.0, 0.1, 0.2], [1.0, 1.1, 1.2]])?; // a row a channel
/// out.send_flat(&[0.0, 1.0], 1)?; // one buffer: all of tx, all of ty
/// out.send_with(2, 1, |block| {
///     for (index, value) in [0.5, 1.5].into_iter().enumerate() {
///         if let Some(mut channel) = block.channel(index) {
///             channel.set(0, value);
///         }
///     }
/// })?;
/// # drop(out);
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "receivers are told that it left when this is dropped"]
#[doc(alias("Shared Mem Out CHOP", "SharedMemOutChop"))]
pub struct ChopSender {
    pub(super) segment: SegmentSender,
    pub(super) plan: ChopPlan,
    /// Where its names lie: [`HERE`], or the bits of the places.
    pub(super) placed: u32,
    pub(super) slots: Slots,
    /// Bytes of a block from which on places beside one another are thought of.
    pub(super) beside_from: usize,
    pub(super) frames: u64,
}

/// Its names lie nowhere, and nor does its header.
pub(super) const NOWHERE: u32 = 0;
/// They lie at the usual place.
pub(super) const HERE: u32 = 1;
/// They lie in place 0; the next bit stands for the next place.
pub(super) const BESIDE: u32 = 2;

/// How a sender of channels is created: [`ChopSender::builder`].
///
/// ```
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("docbuild{}", std::process::id());
/// let out = tdshm::ChopSender::builder(&name)
///     .channels(["tx", "ty", "tz"])
///     .sample_rate(120.0) // Hz
///     .room_for(3, 4096) // so that no frame of up to 4096 samples has to move
///     .create()?;
/// assert!(out.room_bytes() >= 3 * 4096 * 4);
/// # drop(out);
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing exists until `create` is called"]
pub struct ChopSenderBuilder {
    segment: SegmentSenderBuilder,
    names: Vec<String>,
    sample_rate: f32,
    send_names: bool,
    room_bytes: usize,
    slots: Slots,
}

/// What became of a frame that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// The last holder of the lock died with it. The frame has been written whole all the same.
    pub abandoned: bool,
}

impl ChopSender {
    /// Creates the segment `name`. Channels are called `chan1`, `chan2`, …, the rate is 60 Hz, and there is
    /// room for blocks of 64 KiB.
    ///
    /// # Errors
    ///
    /// As [`SegmentSender::create`].
    pub fn create(name: &str) -> Result<Self, Error> {
        Self::builder(name).create()
    }

    /// Creates a sender with other settings than the usual ones.
    pub fn builder(name: &str) -> ChopSenderBuilder {
        ChopSenderBuilder {
            segment: SegmentSender::builder(name, ROOM_BYTES),
            names: Vec::new(),
            sample_rate: 60.0,
            send_names: true,
            room_bytes: 0,
            slots: Slots::Auto {
                count: SLOTS,
                from_bytes: SLOTS_FROM_BYTES,
                asked_from_bytes: SLOTS_ASKED_FROM_BYTES,
            },
        }
    }

    sender_passes_on!();

    /// Bytes of the largest block that fits without moving to a larger segment.
    #[must_use]
    pub fn room_bytes(&self) -> usize {
        self.segment.mapped_bytes()
    }

    /// Names the channels from the next frame on. Without names they are called `chan1`, `chan2`, ….
    ///
    /// # Errors
    ///
    /// [`BlockError`] for a name that holds NUL; the old names stay.
    pub fn set_channels<N: Into<String>>(
        &mut self,
        names: impl IntoIterator<Item = N>,
    ) -> Result<(), BlockError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let given = !names.is_empty();
        self.take_names(Arc::new(NameTable::new(names)))?;
        self.plan.given = given;
        Ok(())
    }

    /// Sets the sample rate, in Hz, from the next frame on.
    ///
    /// # Errors
    ///
    /// [`BlockError`] for a rate that is not finite and positive; the old rate stays.
    pub fn set_sample_rate(&mut self, sample_rate: f32) -> Result<(), BlockError> {
        self.plan.sample_rate = chop::check_rate(sample_rate)?;
        Ok(())
    }

    /// Whether names are sent, which they are at first. Without them a receiver keeps the names it had.
    pub fn set_names_sent(&mut self, send: bool) {
        self.placed = NOWHERE;
        self.plan.send_names = send;
    }

    /// Sends one frame: rows of samples, one a channel, or a [`ChopFrame`](crate::ChopFrame) with its own names and rate.
    ///
    /// # Errors
    ///
    /// [`Error::Block`] for rows of unequal length, a number of channels that is not the number of names, or a
    /// block above 2 GiB: nothing has been written. [`Error::Lock`] when the lock was not free
    /// within the limit: the frame is lost, the next one may work.
    pub fn send<S: Samples + ?Sized>(&mut self, frame: &S) -> Result<Sent, Error> {
        if let Some(whole) = frame.whole() {
            let before = (self.plan.sample_rate, self.plan.given, Arc::clone(&self.plan.names));
            if !Arc::ptr_eq(&self.plan.names, &whole.names) {
                self.take_names(Arc::clone(&whole.names))?;
            }
            self.plan.sample_rate = whole.sample_rate();
            self.plan.given = whole.num_channels() > 0;
            let sent = self.send_flat(whole.samples(), whole.len_samples());
            if sent.is_err() {
                let names;
                (self.plan.sample_rate, self.plan.given, names) = before;
                self.take_names(names)?;
            }
            return sent;
        }
        let num_rows = frame.rows().len();
        let len_samples = frame.rows().next().map_or(0, <[f32]>::len);
        if let Some((index, row)) = frame.rows().enumerate().find(|(_, row)| row.len() != len_samples) {
            return Err(unequal_rows(index, row.len(), len_samples).into());
        }
        self.write(num_rows, len_samples, |samples| {
            if len_samples == 1 {
                let values = frame.rows().map(|row| row.first().copied().unwrap_or_default());
                return samples.copy_each_in(0, num_rows, values);
            }
            let mut at = 0_usize;
            for row in frame.rows() {
                samples.copy_in(at, row.as_bytes())?;
                at = at.saturating_add(size_of_val(row));
            }
            Ok(())
        })
    }

    /// Sends one frame from a flat buffer: all of channel 0, then all of channel 1, and so on, `len_samples`
    /// each. An empty buffer is a frame of as many channels as there are names, without samples.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and [`BlockError`] where the buffer is not a whole number of channels.
    pub fn send_flat(&mut self, samples: &[f32], len_samples: usize) -> Result<Sent, Error> {
        let channels = match len_samples {
            0 => self.plan.names.as_slice().len(),
            1 => samples.len(), // what trackers send, without a division
            _ => samples.len().checked_div(len_samples).unwrap_or(0),
        };
        if channels.checked_mul(len_samples) != Some(samples.len()) {
            let rule = "it has to be a multiple of the length of a channel,";
            let advice = "give every channel the same number of samples";
            return Err(
                BlockError::int("samples in the buffer", samples.len(), rule, len_samples, advice).into()
            );
        }
        let bytes = samples.as_bytes();
        self.write(channels, len_samples, |region| region.copy_in(0, bytes))
    }

    /// Sends one frame of `num_channels` × `len_samples` that `fill` writes in place, under the lock: no copy.
    ///
    /// `fill` is handed the block with whatever samples lie there, and must be quick: everybody else waits. A
    /// panic in it lets go of the lock and leaves a half-written block behind.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_with(
        &mut self,
        num_channels: usize,
        len_samples: usize,
        fill: impl FnOnce(&mut ChopBlockMut<'_>),
    ) -> Result<Sent, Error> {
        let sent = self.write(num_channels, len_samples, |samples| {
            fill(&mut ChopBlockMut { samples, num_channels, len_samples });
            Ok(())
        })?;
        // `fill` may have forked, and this be the child: the parent ends the write.
        self.segment.check_process().map_err(|error| *error)?;
        Ok(sent)
    }

    fn take_names(&mut self, names: Arc<NameTable>) -> Result<(), BlockError> {
        self.plan.take_names(names)?;
        self.placed = NOWHERE;
        Ok(())
    }

    /// One write: header, samples by `fill`, names where they are not the ones that lie there already.
    #[inline]
    pub(super) fn write(
        &mut self,
        num_channels: usize,
        len_samples: usize,
        fill: impl FnOnce(Region<'_>) -> Result<(), OutOfBounds>,
    ) -> Result<Sent, Error> {
        let shape = ChopShape { num_channels, len_samples, sample_rate: self.plan.sample_rate };
        if self.placed == NOWHERE || !self.plan.shape.is(&shape) {
            self.placed = NOWHERE;
            self.plan.plan(shape)?;
        }
        let beside = self.plan.outgoing.needed >= self.beside_from
            && self.segment.places_for(self.slots, self.plan.outgoing.data_bytes()) > 0;
        let abandoned = if beside { self.write_beside(fill)? } else { self.write_here(fill)? };
        Ok(self.has_sent(abandoned))
    }

    #[inline]
    pub(super) fn has_sent(&mut self, abandoned: bool) -> Sent {
        self.frames = self.frames.wrapping_add(1);
        Sent { abandoned }
    }

    /// At the usual place, under the lock.
    #[inline]
    fn write_here(
        &mut self,
        fill: impl FnOnce(Region<'_>) -> Result<(), OutOfBounds>,
    ) -> Result<bool, Error> {
        if self.plan.outgoing.needed > self.segment.mapped_bytes() || self.segment.must_leave_places() {
            return self.write_beside(fill);
        }
        let placed = std::mem::replace(&mut self.placed, NOWHERE); // until it lies there whole
        let begun = self.segment.begin_write().map_err(|error| *error)?;
        let abandoned = begun.guard.is_abandoned();
        // Now and then the names are written again, in case somebody else wrote over them.
        let lie_there = placed == HERE && !abandoned && !begun.is_due;
        let written = put(begun.guard.region(), &self.plan.outgoing, fill, |data, at| {
            if lie_there { Ok(()) } else { data.copy_in(at, &self.plan.encoded) }
        });
        debug_assert_eq!(written, Ok(()), "the room was checked");
        begun.publish();
        self.segment.wrote_to(self.plan.outgoing.needed);
        self.placed = HERE;
        Ok(abandoned)
    }

    /// Beside the block that is there, or in another segment.
    #[cold]
    fn write_beside(
        &mut self,
        fill: impl FnOnce(Region<'_>) -> Result<(), OutOfBounds>,
    ) -> Result<bool, Error> {
        let mut placed = std::mem::replace(&mut self.placed, NOWHERE);
        if self.segment.look_after() {
            placed = NOWHERE; // somebody else may have written over the names
        }
        let (names, layout) = (self.plan.encoded.as_slice(), self.plan.outgoing.layout);
        let samples_bytes = layout.samples_bytes();
        let mut lies = NOWHERE;
        let abandoned = self.segment.write_block(self.slots, &self.plan.outgoing, |data, spot| {
            let here = spot.place.map_or(HERE, |place| BESIDE.checked_shl(place).unwrap_or(HERE));
            // What lies in other places still does, unless this one lies over it.
            let before = if spot.is_new || here == HERE || placed == HERE { NOWHERE } else { placed };
            lies = before | here;
            fill(data.part(0, samples_bytes)?)?;
            step!("write: samples");
            if before & here != 0 || layout.names_at.is_none() {
                return Ok(());
            }
            data.copy_in(samples_bytes, names)
        })?;
        self.placed = lies;
        Ok(abandoned)
    }
}

impl ChopSenderBuilder {
    /// Names of the channels. Every frame then has as many channels as there are names.
    pub fn channels<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Samples per second, in Hz, 60 by default: finite and above 0, or [`create`](Self::create) refuses.
    #[doc(alias = "rate")]
    pub fn sample_rate(mut self, sample_rate: f32) -> Self {
        self.sample_rate = sample_rate;
        self
    }

    /// Whether names are sent with the block, which they are by default.
    pub fn names_sent(mut self, send: bool) -> Self {
        self.send_names = send;
        self
    }

    /// Room for blocks of at least so many bytes: 36 for the header, 4 a sample, and each name and its NUL.
    /// 64 KiB by default; less than that is not reserved.
    pub fn room_bytes(mut self, bytes: usize) -> Self {
        self.room_bytes = bytes;
        self
    }

    /// Room for blocks of that many channels and samples, with names of up to 32 bytes.
    pub fn room_for(self, num_channels: usize, len_samples: usize) -> Self {
        let channel = len_samples.saturating_mul(SAMPLE_BYTES).saturating_add(33);
        self.room_bytes(num_channels.saturating_mul(channel).saturating_add(HEADER_BYTES))
    }

    /// Into how many places the segment is divided, 2 to 4, so that a frame is filled beside the one that is read and the
    /// lock is held for no more than the switch; 0 or 1: it is not, and frames are written under the lock. More are
    /// refused by [`create`](Self::create).
    ///
    /// By default there are 3 for blocks of 4 MiB and more, as long as no program of others has attached: theirs read
    /// at the usual offset of old, and not all of them look where the header points. For blocks of 64 KiB and more there
    /// are 3 from the moment on at which a receiver says that it cannot get a frame whole, because the next one is written
    /// before it is done; the segment moves then, if it has to, as for a block that grows.
    ///
    /// # Source
    ///
    /// wire §11.
    pub fn slots(mut self, count: usize) -> Self {
        self.slots = Slots::asked(count);
        self
    }

    sender_builder_passes_on!();

    /// Creates the sender.
    ///
    /// # Errors
    ///
    /// As [`SegmentSender::create`], and [`BlockError`] for names that hold NUL and a rate that is not finite
    /// and positive; [`SegmentError::TooManySlots`](crate::SegmentError::TooManySlots).
    pub fn create(self) -> Result<ChopSender, Error> {
        let sample_rate = chop::check_rate(self.sample_rate)?;
        self.slots.check()?;
        let plan = ChopPlan::new(self.names, sample_rate, self.send_names)?;
        let least = self.room_bytes.max(ROOM_BYTES);
        let wanted = self.slots.room(least.saturating_sub(HEADER_BYTES), HEADER_BYTES);
        let segment = self.segment.room(wanted, least).flags(FLAG_CHANNELS).create()?;
        let beside_from = self.slots.least_bytes().saturating_add(HEADER_BYTES);
        Ok(ChopSender { segment, plan, placed: NOWHERE, slots: self.slots, beside_from, frames: 0 })
    }
}

/// A block that is being written in place: [`ChopSender::send_with`] under the lock, and
/// [`GlobalSender::put_channels_with`](crate::GlobalSender::put_channels_with).
#[derive(Debug)]
pub struct ChopBlockMut<'b> {
    pub(super) samples: Region<'b>,
    pub(super) num_channels: usize,
    pub(super) len_samples: usize,
}

impl ChopBlockMut<'_> {
    /// Channels.
    #[must_use]
    pub fn num_channels(&self) -> usize {
        self.num_channels
    }

    /// Samples in each channel.
    #[must_use]
    pub fn len_samples(&self) -> usize {
        self.len_samples
    }

    /// One channel's samples by its position, counted from 0.
    pub fn channel(&mut self, index: usize) -> Option<ViewF32Mut<'_>> {
        channel(self.samples, self.num_channels, self.len_samples, index)
    }

    /// All samples: all of channel 0, then all of channel 1, and so on.
    pub fn samples(&mut self) -> ViewF32Mut<'_> {
        ViewF32Mut::new(self.samples)
    }
}

/// One of so many channels of so many samples.
pub(super) fn channel(
    samples: Region<'_>,
    num_channels: usize,
    len_samples: usize,
    index: usize,
) -> Option<ViewF32Mut<'_>> {
    if index >= num_channels {
        return None;
    }
    let bytes = len_samples.checked_mul(SAMPLE_BYTES)?;
    samples.part(index.checked_mul(bytes)?, bytes).ok().map(ViewF32Mut::new)
}
