//! Frames that are drawn beside the stream: begun, drawn for as long as that takes, and published or not.
//!
//! Whoever draws has an address, and may write through it late. So the memory of a draft belongs to it as long as it
//! lives, published or not: no other frame is put there. A sender that has no place left moves to another segment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::error::{Error, SegmentError};
use crate::mem::{Buffer, OutOfBounds, Region};
use crate::notice::slots::Division;
use crate::segment::sender::SegmentSender;
use crate::segment::slots::{Outgoing, Slots};
use crate::step::step;
use crate::sys::Kept;

/// Counts the drafts of this program, so that none is taken for another.
static DRAFTS: AtomicU64 = AtomicU64::new(1);

/// So much is kept however little is needed.
const SPARE_BYTES: usize = 64 * 1024;

/// Memory for one frame.
#[derive(Debug)]
pub(crate) struct Draft {
    number: u64,
    /// How many frames the sender had sent.
    frames: u64,
    memory: Memory,
    at: usize,
    bytes: usize,
}

#[derive(Debug)]
enum Memory {
    /// A place of the data segment.
    Place { data: Kept, hold: Hold },
    /// Memory of this program, to be copied from.
    Own(Arc<Buffer>),
}

/// Keeps a place from other frames.
#[derive(Debug)]
struct Hold {
    held: Arc<Held>,
    index: usize,
}

/// How many drafts hold each place of a data segment.
#[derive(Debug, Default)]
struct Held([AtomicU32; Division::MOST]);

/// What a sender knows of its drafts.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    /// The one that was begun last, if any was.
    newest: u64,
    /// Of the data segment of now, from the first draft on.
    held: Option<Arc<Held>>,
    /// The memory of the last draft that had no place.
    spare: Option<Arc<Buffer>>,
}

impl Held {
    fn is(&self, index: usize) -> bool {
        // What a draft wrote comes before whatever is written there next.
        self.0.get(index).is_some_and(|count| count.load(Ordering::Acquire) != 0)
    }
}

impl Hold {
    fn new(held: &Arc<Held>, index: usize) -> Self {
        if let Some(count) = held.0.get(index) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Self { held: Arc::clone(held), index }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(count) = self.held.0.get(self.index) {
            count.fetch_sub(1, Ordering::Release);
        }
    }
}

impl Drafts {
    /// Whether a draft has that place.
    pub(super) fn are_held(&self, index: usize) -> bool {
        self.held.as_ref().is_some_and(|held| held.is(index))
    }

    /// Whether a draft has any place of the data segment.
    #[cold]
    fn hold_any(&self) -> bool {
        (0..Division::MOST).any(|index| self.are_held(index))
    }

    /// The data segment is another one from now on.
    pub(super) fn leave_places(&mut self) {
        self.held = None;
    }

    /// Memory that no draft has, of at least so many bytes.
    fn buffer(&mut self, bytes: usize) -> Option<Arc<Buffer>> {
        if let Some(spare) = &mut self.spare {
            let len = spare.region().len();
            // Much more than is needed is given back.
            if len >= bytes
                && len <= bytes.saturating_mul(4).max(SPARE_BYTES)
                && Arc::get_mut(spare).is_some()
            {
                return Some(Arc::clone(spare));
            }
        }
        self.spare = None;
        let made = Arc::new(Buffer::new(bytes)?);
        self.spare = Some(Arc::clone(&made));
        Some(made)
    }
}

impl Draft {
    /// Its memory, which strangers may write as well where it is a place.
    pub(crate) fn region(&self) -> Region<'_> {
        let whole = match &self.memory {
            Memory::Place { data, .. } => data.region(),
            Memory::Own(buffer) => buffer.region(),
        };
        let part = whole.part(self.at, self.bytes).or_else(|OutOfBounds| whole.part(0, 0));
        part.unwrap_or(whole) // neither can fail: the bounds were checked when it was made
    }

    pub(crate) fn is_in_place(&self) -> bool {
        matches!(self.memory, Memory::Place { .. })
    }
}

impl SegmentSender {
    /// Begins a draft of so many bytes after so many frames.
    pub(crate) fn begin_draft(&mut self, slots: Slots, bytes: usize, frames: u64) -> Result<Draft, Error> {
        // Before the first byte: a forked child has the places in common with its parent.
        self.check_process().map_err(|error| *error)?;
        self.asked = true; // whoever draws wants a place, as a reader does whose copies are spoiled
        let count = self.places_for(slots, bytes);
        let place = if count == 0 { None } else { self.begin_place(count, bytes) };
        let place = place.zip(self.places).map(|(index, places)| (index, places.division.place(index)));
        let (memory, at) = match place {
            Some((index, at)) => {
                let held = self.drafts.held.get_or_insert_default();
                (Memory::Place { data: self.data.keep(), hold: Hold::new(held, index) }, at)
            }
            None => match self.drafts.buffer(bytes) {
                Some(buffer) => (Memory::Own(buffer), 0),
                None => {
                    let object = format!("a draft of {}", self.name());
                    let source = std::io::ErrorKind::OutOfMemory.into();
                    return Err(SegmentError::UnableToMap { object, source }.into());
                }
            },
        };
        let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
        self.drafts.newest = number;
        step!("draft: begun");
        Ok(Draft { number, frames, memory, at, bytes })
    }

    /// Refuses a draft that is not the one that this sender began last, or that was begun before a frame was sent.
    pub(crate) fn check_draft(&self, draft: &Draft, frames: u64) -> Result<(), SegmentError> {
        if (draft.number, draft.frames) == (self.drafts.newest, frames) {
            return Ok(());
        }
        Err(SegmentError::StaleDraft { name: self.name().as_str().to_owned() })
    }

    /// The place of a draft with room for so many bytes from its beginning on. `None`: it has to be copied, since it has no
    /// place, or not in the segment of now, or frames go the plain way.
    pub(crate) fn place_of(&mut self, slots: Slots, draft: &Draft, bytes: usize) -> Option<usize> {
        let Memory::Place { hold, .. } = &draft.memory else { return None };
        let (places, held) = (self.places?, self.drafts.held.as_ref()?);
        let stays = Arc::ptr_eq(&hold.held, held) && !self.displaced && bytes <= places.division.stride;
        (stays && self.places_for(slots, bytes) > 0).then_some(hold.index)
    }

    /// The bytes of a place that [`place_of`](Self::place_of) found.
    pub(crate) fn place_region(&self, index: usize, bytes: usize) -> Result<Region<'_>, OutOfBounds> {
        let places = self.places.ok_or(OutOfBounds)?;
        self.data.region().part(places.division.place(index), bytes)
    }

    /// Publishes a draft in its place. `true`: the last holder of the lock died with it. After an error it is a draft
    /// still.
    pub(crate) fn publish_draft(&mut self, index: usize, block: &impl Outgoing) -> Result<bool, Error> {
        step!("draft: drawn");
        let published = self.publish_place(index, block);
        if published.is_err()
            && let Some(extension) = self.extension()
        {
            extension.begin_again(index);
        }
        published
    }

    /// Whether there are places that a frame at the usual one would lie over, and that drafts hold.
    #[inline]
    pub(crate) fn must_leave_places(&self) -> bool {
        self.places.is_some() && self.drafts.hold_any()
    }
}
