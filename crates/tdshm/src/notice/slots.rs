//! Places for the data beside one another, so that the sender fills one while another is read, and the lock is held
//! for no more than the switch (wire §11).
//!
//! The sender fills a place that is neither current nor pinned, without the lock; then, under the lock, it makes it
//! the current one. A reader without the lock pins the current place and copies it. Each place has a sequence of its
//! own, odd while it is being filled: the segment's would reject copies of places that nobody touches.
//!
//! A pin asks, and the sequence decides: a sender that finds every place pinned takes one all the same, so that nobody
//! who is stopped stops it, and whoever copies there finds out. [`turn`] is the core of it.

use core::sync::atomic::{AtomicU64, Ordering, fence};

use crate::notice::{Entry, Extension, turn};
use crate::sys::Object;
use crate::wire::notice as at;

/// Where a place begins at the latest: headers say it in an `i32`.
const LAST_PLACE: usize = i32::MAX.unsigned_abs() as usize;

/// The place that is current, as a reader found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Current {
    index: usize,
    sequence: u64,
}

impl Current {
    /// Whether it was whole: a current place always is, unless somebody else writes there.
    pub(crate) fn is_whole(self) -> bool {
        self.sequence & 1 == 0
    }
}

/// How a sender divides its data segment: `count` places of `stride` bytes each, the first at `first`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Division {
    pub(crate) count: usize,
    pub(crate) stride: usize,
    pub(crate) first: usize,
}

impl Division {
    /// Places at most.
    pub(crate) const MOST: usize = at::SLOTS;

    /// How many places data of so many bytes can have, of `count`: each begins where a header can say it. 0 for none
    /// beside another.
    pub(crate) fn most(each: usize, count: usize) -> usize {
        let each = each.checked_next_multiple_of(at::SLOT_ALIGNMENT).unwrap_or(usize::MAX).max(1);
        let beside_the_first = LAST_PLACE.saturating_sub(at::FIRST_SLOT).checked_div(each).unwrap_or(0);
        let most = count.min(at::SLOTS).min(beside_the_first.saturating_add(1));
        if most < 2 { 0 } else { most }
    }

    /// Divides so many bytes; `None` where there are none for each.
    pub(crate) fn of(bytes: usize, count: usize) -> Option<Self> {
        let count = count.min(at::SLOTS);
        let stride = bytes.checked_sub(at::FIRST_SLOT)?.checked_div(count)?;
        let reach = LAST_PLACE.saturating_sub(at::FIRST_SLOT);
        let stride = stride.min(reach.checked_div(count.checked_sub(1)?).unwrap_or(stride));
        let stride = stride.checked_sub(stride.checked_rem(at::SLOT_ALIGNMENT)?)?;
        (stride > 0 && count > 1).then_some(Self { count, stride, first: at::FIRST_SLOT })
    }

    /// Bytes that a segment needs for `count` places of `each` bytes.
    pub(crate) fn bytes_for(each: usize, count: usize) -> Option<usize> {
        each.checked_next_multiple_of(at::SLOT_ALIGNMENT)?.checked_mul(count)?.checked_add(at::FIRST_SLOT)
    }

    /// Where a place begins in the data segment.
    pub(crate) fn place(self, index: usize) -> usize {
        self.first.saturating_add(index.saturating_mul(self.stride))
    }
}

impl<'m> Extension<'m> {
    /// The place that is current; `None`: there is one place alone.
    #[inline]
    pub(crate) fn current(self) -> Option<Current> {
        let slots = self.region.load_u32(at::SLOTS_OFFSET).ok()?;
        if slots == 0 {
            return None;
        }
        let index = usize::try_from(self.region.load_u32(at::CURRENT_OFFSET).ok()?).ok()?;
        let sequence = self.region.load_u64(sequence_at(index)?).ok()?;
        Some(Current { index, sequence })
    }

    /// Whether nothing was written in that place since it was found.
    #[inline]
    pub(crate) fn is_untouched(self, place: Current) -> bool {
        fence(Ordering::Acquire);
        sequence_at(place.index).is_some_and(|at| self.region.load_u64(at) == Ok(place.sequence))
    }

    /// Whether its data are divided into places.
    pub(crate) fn is_divided(self) -> bool {
        self.region.load_u32(at::SLOTS_OFFSET).is_ok_and(|slots| slots != 0)
    }

    /// Notes how the data segment is divided, and that the first place is current. With the sequence odd.
    pub(crate) fn divide(self, division: Division) {
        self.undivide();
        let number = |value: usize| u64::try_from(value).unwrap_or_default();
        // The room was checked when this was made, so none of these can fail.
        let _ = self.region.write(at::STRIDE_OFFSET, &number(division.stride));
        for index in 0..division.count {
            if let Some(at) = sequence_at(index) {
                let _ = self.region.write(at.saturating_add(8), &number(division.place(index)));
            }
            self.end_place(index);
        }
        self.make_current(0);
        if let Some(slots) = self.u32(at::SLOTS_OFFSET) {
            slots.store(u32::try_from(division.count).unwrap_or_default(), Ordering::Release);
        }
    }

    /// Notes that there is one place alone, which may be written next. With the sequence odd.
    #[cold]
    pub(crate) fn undivide(self) {
        (0..at::SLOTS).filter_map(|index| self.place_sequence(index)).for_each(turn::close);
        fence(Ordering::Release); // whoever copies there is told before anything is written
        if let Some(slots) = self.u32(at::SLOTS_OFFSET) {
            slots.store(0, Ordering::Relaxed);
        }
    }

    /// Begins to fill a place that is neither `current` nor held by this program nor, if there is such a one, pinned, and
    /// says which. `None`: all are held.
    pub(crate) fn begin_place(
        self,
        count: usize,
        current: usize,
        is_held: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let after = |step: usize| current.wrapping_add(step).checked_rem(count);
        let others = || (1..count).filter_map(after).filter(|index| !is_held(*index));
        others().find(|index| self.try_begin(*index)).or_else(|| {
            let index = others().next()?;
            self.begin_again(index);
            Some(index)
        })
    }

    /// Begins to fill a place that nobody else may take.
    pub(crate) fn begin_again(self, index: usize) {
        if let Some(sequence) = self.place_sequence(index) {
            turn::begin(sequence);
        }
    }

    fn try_begin(self, index: usize) -> bool {
        let is_free = || !self.entries().any(|entry| entry.has_pinned(index));
        self.place_sequence(index).is_some_and(|sequence| turn::try_begin(sequence, is_free))
    }

    /// Takes the pins of the dead away, who do not do so themselves.
    pub(crate) fn unpin_the_dead(self, info: &Object) {
        let pinned = |entry: &Entry<'_>| entry.pinned() != 0;
        let is_dead = |entry: &Entry<'_>| !info.is_marked(&entry.mark(), entry.process());
        // Who was taken for dead and lives finds out by the sequence that somebody writes there.
        self.entries().filter(pinned).filter(is_dead).for_each(Entry::unpin);
    }

    /// Ends the filling of a place.
    pub(crate) fn end_place(self, index: usize) {
        if let Some(sequence) = self.place_sequence(index) {
            turn::end(sequence);
        }
    }

    /// Makes a place the current one. With the sequence odd.
    pub(crate) fn make_current(self, index: usize) {
        if let Some(current) = self.u32(at::CURRENT_OFFSET) {
            current.store(u32::try_from(index).unwrap_or_default(), Ordering::Relaxed);
        }
    }

    fn place_sequence(self, index: usize) -> Option<&'m AtomicU64> {
        self.u64(sequence_at(index)?)
    }
}

impl Entry<'_> {
    /// Asks the sender to leave a place alone.
    #[inline]
    pub(crate) fn pin(self, place: Current) {
        if let (Some(pinned), Ok(index)) = (self.u32(at::ENTRY_PINNED), u64::try_from(place.index)) {
            turn::pin(pinned, index);
        }
    }

    /// Takes that back.
    #[inline]
    pub(crate) fn unpin(self) {
        if let Some(pinned) = self.u32(at::ENTRY_PINNED) {
            turn::unpin(pinned);
        }
    }

    fn has_pinned(self, index: usize) -> bool {
        usize::try_from(self.pinned()).is_ok_and(|pinned| pinned == index.saturating_add(1))
    }

    /// What it has pinned, counted from 1; 0: nothing.
    fn pinned(self) -> u32 {
        self.u32(at::ENTRY_PINNED).map_or(0, |pinned| pinned.load(Ordering::Relaxed))
    }
}

/// Where a place's sequence stands; `None`: there is no such place.
#[inline]
fn sequence_at(index: usize) -> Option<usize> {
    if index >= at::SLOTS {
        return None;
    }
    Some(at::SLOT_TABLE_OFFSET.saturating_add(index.saturating_mul(at::SLOT_BYTES)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: usize = 1 << 30;

    #[test]
    fn every_place_begins_where_a_header_can_say_it() {
        // 8192 x 8192 pixels of 16 bytes are 1 GiB, and three of them reach beyond 2.
        for (each, count, most) in [
            (1, 4, 4),
            (8_294_400, 3, 3),
            (GIB, 3, 2),
            (GIB - 32, 3, 2),
            (GIB - 64, 3, 3),
            (2 * GIB, 4, 0),
            (16 * GIB, 4, 0),
            (usize::MAX, 4, 0),
            (0, 9, 4),
            (100, 1, 0),
            (100, 0, 0),
        ] {
            assert_eq!(Division::most(each, count), most, "{each} {count}");
            if most == 0 {
                continue;
            }
            let bytes = Division::bytes_for(each, most).unwrap();
            let mapped = bytes.next_multiple_of(4096);
            if let Some(division) = Division::of(mapped, most) {
                assert!(division.stride >= each, "{each} {count}");
                assert!(division.place(most - 1) <= LAST_PLACE, "{each} {count}");
                assert!(division.place(most - 1) + each <= mapped, "{each} {count}");
            } else {
                assert_eq!(each, 0);
            }
        }
        for bytes in [4 * GIB, 100 * GIB, usize::MAX >> 1] {
            for count in 2..=4 {
                let division = Division::of(bytes, count).unwrap();
                assert!(division.place(count - 1) <= LAST_PLACE, "{bytes} {count}");
                assert!(division.stride.is_multiple_of(64));
            }
        }
    }
}
