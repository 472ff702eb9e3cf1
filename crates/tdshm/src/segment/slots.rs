//! Writing with the lock held for no more than a switch: into a place beside the one that is read (wire §11).

use crate::error::{Error, LockError, SegmentError};
use crate::mem::{OutOfBounds, Region};
use crate::notice::slots::Division;
use crate::segment::sender::SegmentSender;
use crate::segment::write::Begun;
use crate::step::step;
use crate::wire::info::SUPPORTED_OFFSET;

/// Whether a sender divides its data segment into places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slots {
    /// Where it pays, and nobody foreign reads: so many places for data of at least so many bytes, or, once a reader has
    /// asked because writes had spoiled its copies, of fewer.
    Auto { count: usize, from_bytes: usize, asked_from_bytes: usize },
    /// Always, so many.
    Always { count: usize },
    /// Never.
    Never,
}

/// What a sender knows of the places of its data segment. Nothing of it is read back from shared memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub(super) division: Division,
    /// 0 as long as there is one place alone, which overlaps the first.
    pub(super) current: usize,
}

/// Where data are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    /// The number of the place; `None`: the usual one.
    pub(crate) place: Option<u32>,
    /// In a segment in which nothing lies yet.
    pub(crate) is_new: bool,
}

/// What another segment is made for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Move {
    /// The frame has no room where it is. There are to be so many places if there is room for them, or none.
    ForRoom { count: usize },
    /// So many places, and nothing is made where there is no room for them: the frame has room where it is.
    ForPlaces { count: usize },
}

impl Move {
    pub(super) fn count(self) -> usize {
        let (Self::ForRoom { count } | Self::ForPlaces { count }) = self;
        count
    }
}

/// A block that is going to be written.
pub(crate) trait Outgoing {
    /// Bytes of what lies behind the header.
    fn data_bytes(&self) -> usize;

    /// Where that usually begins, right behind the header.
    fn usual_at(&self) -> usize;

    /// Writes the header for data at that offset.
    fn put_header(&self, region: Region<'_>, data_at: usize) -> Result<(), OutOfBounds>;
}

impl Places {
    /// With the first one current.
    pub(super) fn new(division: Division) -> Self {
        Self { division, current: 0 }
    }
}

impl Slots {
    /// What a user asked for: 0 or 1 for none.
    pub(crate) fn asked(count: usize) -> Self {
        if count < 2 { Self::Never } else { Self::Always { count } }
    }

    /// Refuses more than there can be.
    pub(crate) fn check(self) -> Result<(), SegmentError> {
        match self {
            Self::Always { count } if count > Division::MOST => {
                Err(SegmentError::TooManySlots { count, limit: Division::MOST })
            }
            _ => Ok(()),
        }
    }

    /// Data of fewer bytes lie at the usual place, whoever reads: asked before everything else, because small frames are
    /// sent in nanoseconds.
    #[inline]
    pub(crate) fn least_bytes(self) -> usize {
        match self {
            Self::Always { .. } => 1,
            Self::Auto { asked_from_bytes, .. } => asked_from_bytes,
            Self::Never => usize::MAX,
        }
    }

    /// Bytes that a segment has to have so that so many bytes of data can be written there without moving.
    pub(crate) fn room(self, data_bytes: usize, usual_at: usize) -> usize {
        let plain = usual_at.saturating_add(data_bytes);
        match self {
            Self::Always { count } => Division::most(data_bytes, count),
            Self::Auto { count, from_bytes, .. } if data_bytes >= from_bytes => {
                Division::most(data_bytes, count)
            }
            Self::Auto { .. } | Self::Never => 0,
        }
        .checked_sub(1) // none
        .and_then(|others| Division::bytes_for(data_bytes, others.saturating_add(1)))
        .unwrap_or(plain)
    }
}

impl SegmentSender {
    /// Writes a block: beside the current one where that is wanted and possible, at the usual place under the lock
    /// otherwise, into another segment where there is no room. `fill` gets the bytes behind the header, and where
    /// they are. `true`: the last holder of the lock died with it.
    pub(crate) fn write_block(
        &mut self,
        slots: Slots,
        block: &impl Outgoing,
        fill: impl FnOnce(Region<'_>, Spot) -> Result<(), OutOfBounds>,
    ) -> Result<bool, Error> {
        let (bytes, usual_at) = (block.data_bytes(), block.usual_at());
        let count = self.places_for(slots, bytes);
        if count == 0 {
            return self.write_plainly(slots, block, fill);
        }
        // Before the first byte: a forked child has these places in common with its parent.
        self.check_process().map_err(|error| *error)?;
        if let Some(index) = self.begin_place(count, bytes) {
            self.fill_place(index, bytes, fill)?;
            return self.publish_place(index, block);
        }
        if usual_at.saturating_add(bytes) > self.mapped_bytes() {
            return self.write_anew(Move::ForRoom { count }, block, fill);
        }
        self.move_for_places(slots, count, block, fill)
    }

    /// Moves to a segment with places for a frame that has room where it is, and writes it there if nothing comes of
    /// that.
    #[cold]
    fn move_for_places(
        &mut self,
        slots: Slots,
        count: usize,
        block: &impl Outgoing,
        fill: impl FnOnce(Region<'_>, Spot) -> Result<(), OutOfBounds>,
    ) -> Result<bool, Error> {
        let mut fill = Some(fill);
        let moved = self.write_anew(Move::ForPlaces { count }, block, |region, spot| {
            fill.take().map_or(Err(OutOfBounds), |fill| fill(region, spot))
        });
        match (moved, fill) {
            (Err(Error::Segment(error)), Some(fill)) => {
                tracing::debug!(
                    target: "tdshm::segment", name = %self.name(), %error,
                    "no places beside one another"
                );
                self.undivided_bytes = Some(block.data_bytes());
                self.write_plainly(slots, block, fill)
            }
            (moved, _) => moved,
        }
    }

    /// Writes a block at the usual place, under the lock, or into another segment where there is no room.
    fn write_plainly(
        &mut self,
        slots: Slots,
        block: &impl Outgoing,
        fill: impl FnOnce(Region<'_>, Spot) -> Result<(), OutOfBounds>,
    ) -> Result<bool, Error> {
        let (bytes, usual_at) = (block.data_bytes(), block.usual_at());
        if usual_at.saturating_add(bytes) > self.mapped_bytes() || self.must_leave_places() {
            let count = self.places_wanted(slots, bytes); // it has to move anyway
            return self.write_anew(Move::ForRoom { count }, block, fill);
        }
        let Begun { guard, .. } = self.begin_write().map_err(|error| *error)?;
        let abandoned = guard.is_abandoned();
        let region = guard.region();
        let written = block
            .put_header(region, usual_at)
            .and_then(|()| fill(region.part(usual_at, bytes)?, Spot { place: None, is_new: false }));
        debug_assert_eq!(written, Ok(()), "the room was checked");
        drop(guard);
        // `fill` may have forked, and this be the child: the parent ends the write.
        self.check_process().map_err(|error| *error)?;
        self.wrote_to(usual_at.saturating_add(bytes));
        Ok(abandoned)
    }

    /// How many places the next frame gets, which has so many bytes of data: 0 for one alone.
    #[cold]
    pub(crate) fn places_for(&mut self, slots: Slots, bytes: usize) -> usize {
        let count = self.places_wanted(slots, bytes);
        // Where so many bytes found no room, not much less will: that is not tried at each frame.
        let in_vain = |found_none: usize| bytes >= found_none.div_ceil(2);
        if count == 0 || self.undivided_bytes.is_some_and(in_vain) { 0 } else { count }
    }

    /// How many places it would have where there is room for them.
    fn places_wanted(&mut self, slots: Slots, bytes: usize) -> usize {
        if bytes < slots.least_bytes() {
            return 0;
        }
        let count = match slots {
            Slots::Always { count } => count,
            Slots::Auto { count, from_bytes, .. }
                if self.is_among_ours() && (bytes >= from_bytes || self.is_asked()) =>
            {
                count
            }
            _ => return 0,
        };
        if self.extension().is_some() { Division::most(bytes, count) } else { 0 }
    }

    /// Whether a reader has asked, now or before: places that are there once stay.
    fn is_asked(&mut self) -> bool {
        self.asked = self.asked
            || self.extension().is_some_and(|extension| extension.has_waiters() && extension.is_asked());
        self.asked
    }

    /// Whether nobody foreign has attached.
    fn is_among_ours(&self) -> bool {
        self.info.region().load_u8(SUPPORTED_OFFSET) == Ok(0)
    }

    /// Begins to fill a place, of `count`, with so many bytes. `None`: they do not fit, or drafts hold all places, and the
    /// frame needs another segment.
    pub(super) fn begin_place(&mut self, count: usize, bytes: usize) -> Option<usize> {
        let places = match self.places {
            Some(places) => places,
            None => {
                let division = Division::of(self.mapped_bytes(), count)?;
                if self.taken > division.place(1) {
                    return None;
                }
                Places::new(division)
            }
        };
        if bytes > places.division.stride || self.displaced {
            return None;
        }
        self.places = Some(places);
        let is_held = |index| self.drafts.are_held(index);
        let index = self.extension()?.begin_place(places.division.count, places.current, is_held)?;
        step!("slot: begun");
        Some(index)
    }

    fn fill_place(
        &self,
        index: usize,
        bytes: usize,
        fill: impl FnOnce(Region<'_>, Spot) -> Result<(), OutOfBounds>,
    ) -> Result<(), Error> {
        let region =
            self.places.and_then(|places| self.data.region().part(places.division.place(index), bytes).ok());
        let place = u32::try_from(index).ok();
        let filled = region.map(|region| fill(region, Spot { place, is_new: false }));
        debug_assert_eq!(filled, Some(Ok(())), "the room was checked");
        step!("slot: filled");
        Ok(())
    }

    /// Makes a place that was filled the current one. `true`: the last holder of the lock died with it.
    pub(super) fn publish_place(&mut self, index: usize, block: &impl Outgoing) -> Result<bool, Error> {
        let Some(mut places) = self.places else { return Ok(false) };
        // Before anything is said of the place: a forked child says nothing.
        self.prepare().map_err(|error| *error)?;
        if let Some(extension) = self.extension() {
            extension.end_place(index);
        }
        step!("slot: ended");
        let outcome = self.acquire().map_err(|error| *error)?;
        let guard = self.adopt(outcome);
        let abandoned = guard.is_abandoned();
        let written = block.put_header(guard.region(), places.division.place(index));
        debug_assert_eq!(written, Ok(()), "a header fits before the first place");
        if let Some(extension) = self.extension() {
            if !extension.is_divided() {
                extension.divide(places.division);
            }
            extension.make_current(index);
        }
        step!("slot: switched");
        drop(guard);
        places.current = index;
        self.places = Some(places);
        Ok(abandoned)
    }

    /// Where the data go in a new segment of so many bytes that is to have `count` places, and how it is divided.
    pub(super) fn division_of(mapped: usize, count: usize, bytes: usize) -> Option<Division> {
        if count == 0 {
            return None;
        }
        Division::of(mapped, count).filter(|division| division.stride >= bytes)
    }

    /// After a move, with the sequence odd: says how the new segment is divided, in the first place of which the frame
    /// lies, or that it is not.
    pub(super) fn say_division(&self, division: Option<Division>) {
        if let Some(extension) = self.extension() {
            match division {
                Some(division) => extension.divide(division),
                None if extension.is_divided() => extension.undivide(),
                None => {}
            }
        }
    }

    /// Now and then: what the dead have pinned is not left alone for ever.
    #[cold]
    pub(super) fn unpin_the_dead(&self) {
        if let (Some(extension), Some(_)) = (self.extension(), self.places) {
            extension.unpin_the_dead(&self.info);
        }
    }

    /// While nothing is sent: looks after what strangers may have written over, and gives the whole segment with the place
    /// where the data of the last frame begin. `None`: it has to be written again, since its segment has lost its name, or
    /// somebody reads who looks at the usual place alone.
    pub(crate) fn tend(
        &mut self,
        slots: Slots,
        block: &impl Outgoing,
    ) -> Result<Option<(Region<'_>, usize)>, Box<LockError>> {
        self.check_process()?;
        self.look_around();
        self.displaced |= !self.data.leads_here();
        let stays =
            !self.displaced && (self.places.is_none() || self.places_for(slots, block.data_bytes()) > 0);
        let at = self.places.map_or(block.usual_at(), |places| places.division.place(places.current));
        Ok(stays.then(|| (self.data.region(), at)))
    }

    /// Notes how far the block reaches that lies at the usual place.
    #[inline]
    pub(crate) fn wrote_to(&mut self, end: usize) {
        self.taken = end;
    }
}
