//! Moving to a data segment of another size, without losing a frame (wire §4).

use crate::error::{Error, Occupant, SegmentError, object_error};
use crate::mem::{OutOfBounds, Region};
use crate::notice::Extension;
use crate::segment::sender::{SegmentSender, lock_info};
use crate::step::step;
use crate::sys::{Make, NAMES_DIE_WITH_HANDLES, Object, ObjectError};
use crate::wire::info::{Postfix, SUPPORTED_OFFSET};

/// How large a new segment is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Bytes, with some ahead.
    pub(super) wanted: usize,
    /// Bytes that the frame needs.
    pub(super) least: usize,
}

impl SegmentSender {
    /// Whether anybody reads: a foreign receiver has said that it understands resizing, or one of ours is
    /// registered, be it dead by now.
    fn has_receivers(&self) -> bool {
        let region = self.info.region();
        let supported = region.atomic_u8(SUPPORTED_OFFSET);
        supported.is_ok_and(|supported| supported.load(core::sync::atomic::Ordering::Relaxed) != 0)
            || Extension::of(region).is_some_and(|e| e.has_receivers(&self.info))
    }

    /// Makes a segment with room that `fill` has filled before anybody can look there, and publishes it.
    /// The caller holds the data lock, with the sequence odd; the old one goes when the lock is free again.
    pub(super) fn move_to(
        &self,
        room: Room,
        fill: impl FnOnce(Region<'_>) -> Result<(), OutOfBounds>,
    ) -> Result<(Object, Postfix), Error> {
        step!("resize: begun");
        // A name that lives as long as the old object is open cannot be given to a new one before that is closed.
        let plain = !NAMES_DIE_WITH_HANDLES && self.postfix == Postfix::default() && !self.displaced;
        if plain && !self.has_receivers() {
            let held = lock_info(&self.info_lock, &self.short, self.limit)?;
            // Nobody attaches while the info lock is held.
            if !self.has_receivers() {
                let data = self.make(&self.short.data_segment(), room, Some(&self.data), fill)?;
                step!("resize: anew");
                return Ok((data, Postfix::default()));
            }
            drop(held);
        }
        self.move_away(room, fill)
    }

    /// Makes the new segment under a name that was never used, and says so in the info block.
    fn move_away(
        &self,
        room: Room,
        fill: impl FnOnce(Region<'_>) -> Result<(), OutOfBounds>,
    ) -> Result<(Object, Postfix), Error> {
        let postfix = Postfix::random();
        let data = self.make(&self.short.data_segment_with(postfix), room, None, fill)?;
        step!("resize: made");
        let published = lock_info(&self.info_lock, &self.short, self.limit).map(|held| {
            step!("resize: info locked");
            // The block was written when this sender came, so its room is there.
            let (at, field) = self.layout.postfix_field(postfix);
            let written = self.info.region().copy_in(at, field.as_slice());
            drop(held);
            written
        });
        match published {
            Ok(_) => {
                step!("resize: published");
                Ok((data, postfix))
            }
            Err(error) => {
                data.unlink();
                Err(error.into())
            }
        }
    }

    fn make(
        &self,
        name: &str,
        room: Room,
        replaces: Option<&Object>,
        fill: impl FnOnce(Region<'_>) -> Result<(), OutOfBounds>,
    ) -> Result<Object, SegmentError> {
        let Room { wanted, least } = room;
        let make = Make { bytes: wanted, least, access: self.access, owned: true, replaces };
        let fill = |region: Region<'_>| {
            fill(region).map_err(|OutOfBounds| ObjectError::TooSmall { bytes: region.len(), needed: least })
        };
        Object::create(name, make, fill).map_err(|error| match error {
            ObjectError::Exists => SegmentError::AlreadyExists {
                name: self.short.as_str().to_owned(),
                object: name.to_owned(),
                by: Occupant::Foreign,
            },
            error => object_error(error, name),
        })
    }
}
