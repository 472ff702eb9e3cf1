//! The side that creates a segment and owns it.

mod builder;

use std::time::Duration;

use crate::error::{Error, LockError, SegmentError};
use crate::lock::{LockGuard, NamedLock};
use crate::mem::{OutOfBounds, Region, ViewBytesMut};
use crate::name::ShortName;
use crate::notice::Extension;
use crate::notice::slots::Division;
use crate::segment::block;
use crate::segment::clean::sweep_after;
use crate::segment::draft::Drafts;
use crate::segment::resize::Room;
use crate::segment::slots::{Move, Outgoing, Places, Spot};
use crate::segment::write::{Begun, WriteGuard};
use crate::step::step;
use crate::sys::{self, Access, Bell, Object, Outcome};
use crate::wire::info::{InfoBlock, Layout, Postfix, SUPPORTED_OFFSET};

pub use builder::SegmentSenderBuilder;

/// How long a write is held back at most for receivers whose copies were spoiled.
const READERS_LIMIT: Duration = Duration::from_millis(2);
/// How often a sender looks after what strangers may have written over, in nanoseconds: a receiver that lost it because
/// of that finds it again in about as long.
const LOOK_EVERY: u64 = 200_000_000;
/// What a sender that is dropped waits for the info lock at most: a drop does not block.
const DROP_LIMIT: Duration = Duration::from_millis(20);

/// A segment that this program created: it writes there, and others read.
///
/// What lies in it is the caller's business; [`ChopSender`](crate::ChopSender) puts channel blocks there.
/// Dropping it detaches: receivers are told, and the names become free.
///
/// # Platform
///
/// Linux: files in `/dev/shm`, for this user alone unless [`mode`](SegmentSenderBuilder::mode) widens it,
/// with their pages reserved. Windows: sections of the page file with the default security, seen by the programs of this
/// session. A [`resize`](SegmentSender::resize) always goes to another name there.
///
/// macOS: objects of `shm_open`, of which names longer than 31 bytes go through the directory that TouchDesigner uses as
/// well. A foreign sender of the same name takes them over without asking.
///
/// # Source
///
/// wire §2 and §3.
///
/// ```
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("docseg{}", std::process::id());
/// let mut segment = tdshm::SegmentSender::create(&name, 64)?;
/// segment.lock()?.view().copy_from(b"hello");
/// let receiver = tdshm::SegmentReceiver::open(&name)?.lock()?.map(|held| held.view().get(0));
/// assert_eq!(receiver, Some(Some(b'h')));
/// segment.detach()?;
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "receivers are told that it left when this is dropped"]
#[doc(alias("UT_SharedMem", "shm_open", "CreateFileMapping"))]
pub struct SegmentSender {
    pub(super) short: ShortName,
    pub(super) data_lock: NamedLock,
    pub(super) info_lock: NamedLock,
    /// Before the info segment, which is to go last where objects go with their handles.
    pub(super) data: Object,
    pub(super) info: Object,
    /// How its block is laid out: a foreign one that was taken over stays as it was.
    pub(super) layout: Layout,
    pub(super) postfix: Postfix,
    pub(super) bell: Bell,
    pub(super) access: Access,
    pub(super) limit: Duration,
    /// Where a resize stops reserving twice what is needed.
    ceiling: usize,
    /// A foreign info segment that was taken over may have no room for the extension.
    extended: bool,
    /// The time of the last frame when the info block was looked after, in nanoseconds.
    looked: u64,
    /// Receivers that were waited for in vain, a bit an entry.
    stopped: u16,
    /// The process that owns it: a forked child has a copy of this, and leaves the segment alone.
    pub(super) pid: u32,
    gone: bool,
    /// Somebody took the data's name while it was being made anew: the next frame goes elsewhere.
    pub(super) displaced: bool,
    /// Bytes that a segment has at most.
    pub(super) largest: usize,
    /// The places that the data segment is divided into.
    pub(super) places: Option<Places>,
    /// What is drawn beside the stream.
    pub(super) drafts: Drafts,
    /// Where the block ends that lies at the usual place, while nothing is divided.
    pub(super) taken: usize,
    /// Data of so many bytes found no room for places beside one another.
    pub(super) undivided_bytes: Option<usize>,
    /// How often the data moved.
    pub(super) moves: u64,
    /// How often the data lock had been left by the dead.
    pub(super) abandonments: u64,
    /// A reader has asked for the next write to be held back, when a large frame was on its way.
    pub(super) asked: bool,
    /// Taken by `hold`.
    pub(super) held: bool,
}

impl SegmentSender {
    /// Creates the segment `name` with room for at least `size_bytes` bytes, all zero.
    ///
    /// # Errors
    ///
    /// [`Error::Name`]; [`SegmentError::AlreadyExists`] or [`SegmentError::InfoAlreadyExists`] when another
    /// program has the name; [`SegmentError::BadSize`] for a size of 0 or above `i32::MAX`;
    /// [`SegmentError::UnableToLockInfo`] when somebody holds the info lock; what the system refuses. Nothing
    /// but the locks is left behind.
    pub fn create(name: &str, size_bytes: usize) -> Result<Self, Error> {
        Self::builder(name, size_bytes).create()
    }

    /// Creates a segment with other settings than the usual ones.
    pub fn builder(name: &str, size_bytes: usize) -> SegmentSenderBuilder {
        SegmentSenderBuilder::new(name, size_bytes)
    }

    /// The short name.
    #[must_use]
    pub fn name(&self) -> &ShortName {
        &self.short
    }

    /// Changes how long is waited for a lock from now on.
    pub fn set_lock_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// Bytes that fit: what was asked for, rounded up to whole pages. 0 where the room was lost in a resize that
    /// failed: the next one makes it anew.
    #[must_use]
    #[doc(alias = "getSize")]
    #[inline]
    pub fn mapped_bytes(&self) -> usize {
        if self.displaced { 0 } else { self.data.region().len() }
    }

    /// Takes the data lock for one write, waiting up to the segment's limit. What is written becomes a frame
    /// when the guard is dropped.
    ///
    /// # Errors
    ///
    /// [`LockError`], as [`NamedLock::lock`].
    #[doc(alias = "getMemory")]
    #[inline]
    pub fn lock(&mut self) -> Result<WriteGuard<'_>, LockError> {
        self.begin_write().map(|begun| begun.guard).map_err(|error| *error)
    }

    /// Takes the data lock for one write at the usual place, after which nothing is divided, and
    /// [looks after](Self::look_after) what strangers may have written over where it is time to.
    #[inline(always)]
    pub(crate) fn begin_write(&mut self) -> Result<Begun<'_>, Box<LockError>> {
        self.check_process()?;
        // Not `self.extension()`, which would borrow more than this.
        let extension = if self.extended { Extension::owned(self.info.region()) } else { None };
        let mut is_due = false;
        if let Some(extension) = extension {
            let (_, last) = extension.newest();
            is_due = last.wrapping_sub(self.looked) >= LOOK_EVERY;
            if is_due {
                self.looked = last;
                self.look_around();
            }
            if extension.has_waiters() {
                extension.let_readers_in(&mut self.stopped, READERS_LIMIT);
            } else {
                self.stopped = 0; // they have moved
            }
        }
        let outcome = self.data_lock.acquire(self.limit)?;
        self.abandonments = self.abandonments.wrapping_add(u64::from(outcome == Outcome::Abandoned));
        if let Some(extension) = extension {
            extension.begin();
        }
        if self.places.take().is_some()
            && let Some(extension) = extension
        {
            extension.undivide();
        }
        step!("write: begun");
        Ok(Begun { guard: WriteGuard::new(self, outcome), extension, is_due })
    }

    /// Takes the data lock to switch to another place. The caller calls [`adopt`](Self::adopt) next.
    pub(super) fn acquire(&mut self) -> Result<Outcome, Box<LockError>> {
        self.prepare()?;
        let outcome = self.data_lock.acquire(self.limit)?;
        self.abandonments = self.abandonments.wrapping_add(u64::from(outcome == Outcome::Abandoned));
        Ok(outcome)
    }

    /// The guard for what [`acquire`](Self::acquire) took, with the write begun.
    pub(super) fn adopt(&self, outcome: Outcome) -> WriteGuard<'_> {
        let extension = self.extension();
        if let Some(extension) = extension {
            extension.begin();
        }
        step!("write: begun");
        WriteGuard::new(self, outcome)
    }

    /// Moves to a segment with room for at least `size_bytes` bytes, and for twice that below the
    /// [ceiling](SegmentSenderBuilder::room_ceiling); `fill` writes the frame that made it necessary, before
    /// anybody can look there. The room may shrink as well. Receivers follow by themselves.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock) and [`create`](Self::create): the old frame still lies there. Where somebody
    /// else took the old name in this very moment, [`SegmentError::AlreadyExists`].
    ///
    /// # Source
    ///
    /// wire §4.
    pub fn resize(
        &mut self,
        size_bytes: usize,
        fill: impl FnOnce(&mut ViewBytesMut<'_>),
    ) -> Result<(), Error> {
        self.check_size(size_bytes)?;
        self.write_anew(Move::ForRoom { count: 0 }, &Raw { bytes: size_bytes }, |region, _| {
            fill(&mut ViewBytesMut::new(region));
            Ok(())
        })?;
        Ok(())
    }

    fn check_size(&self, bytes: usize) -> Result<(), SegmentError> {
        if bytes == 0 || bytes > self.largest {
            return Err(SegmentError::BadSize { bytes, limit: self.largest });
        }
        Ok(())
    }

    /// Writes one block into a new data segment. `true`: the last holder of the data lock died with it.
    #[cold]
    pub(super) fn write_anew(
        &mut self,
        purpose: Move,
        block: &impl Outgoing,
        fill: impl FnOnce(Region<'_>, Spot) -> Result<(), OutOfBounds>,
    ) -> Result<bool, Error> {
        let count = purpose.count();
        let (bytes, usual_at) = (block.data_bytes(), block.usual_at());
        let least = usual_at.saturating_add(bytes);
        self.check_size(least)?;
        let divided = Division::bytes_for(bytes, count).filter(|bytes| count > 0 && *bytes <= self.largest);
        let wanted = divided.unwrap_or(least);
        let ahead = wanted.checked_next_power_of_two().unwrap_or(wanted).min(self.ceiling);
        self.prepare().map_err(|error| *error)?;
        let acquired = self.data_lock.lock_timeout(self.limit)?;
        let abandoned = acquired.is_abandoned();
        self.abandonments = self.abandonments.wrapping_add(u64::from(abandoned));
        if let Some(extension) = self.extension() {
            extension.begin();
        }
        let mut division = None;
        let moved = self.move_to(Room { wanted: wanted.max(ahead), least }, |region| {
            division = Self::division_of(region.len(), count, bytes);
            if division.is_none() && matches!(purpose, Move::ForPlaces { .. }) {
                return Err(OutOfBounds);
            }
            let data_at = division.map_or(usual_at, |division| division.place(0));
            block.put_header(region, data_at)?;
            fill(region.part(data_at, bytes)?, Spot { place: division.map(|_| 0), is_new: true })
        });
        if self.pid != sys::process::id() {
            // `fill` forked, and this is the child: the parent ends the write.
            return Err(self.forked().into());
        }
        if let Some(extension) = self.extension() {
            match &moved {
                Ok(_) => {
                    self.say_division(division);
                    extension.end();
                }
                Err(_) => extension.end_without_frame(),
            }
        }
        step!("resize: even");
        drop(acquired);
        step!("resize: unlocked");
        if let Some(extension) = self.extension() {
            extension.ring(&self.bell);
        }
        match moved {
            Ok((data, postfix)) => {
                self.postfix = postfix;
                self.displaced = false;
                self.moves = self.moves.wrapping_add(1);
                core::mem::replace(&mut self.data, data).unlink();
                self.places = division.map(Places::new);
                self.drafts.leave_places();
                self.taken = least;
                if count > 0 {
                    self.undivided_bytes = division.is_none().then_some(bytes);
                }
                Ok(abandoned)
            }
            Err(error) => {
                self.displaced |= !self.data.leads_here();
                Err(error)
            }
        }
    }

    /// Before every write.
    #[inline]
    pub(super) fn prepare(&mut self) -> Result<(), Box<LockError>> {
        self.check_process()?;
        self.let_readers_in();
        Ok(())
    }

    /// Whether this is the process that owns it, not a forked child.
    #[inline]
    pub(crate) fn check_process(&self) -> Result<(), Box<LockError>> {
        if self.pid == sys::process::id() { Ok(()) } else { Err(Box::new(self.forked())) }
    }

    #[cold]
    fn forked(&self) -> LockError {
        LockError::Forked { name: self.data_lock.name().to_owned(), owner: self.pid }
    }

    /// Now and then looks after what strangers may have written over. `true`: it was time, so whoever writes blocks
    /// writes all of the next one again.
    #[inline]
    pub(crate) fn look_after(&mut self) -> bool {
        let last = self.extension().map_or(0, |extension| extension.newest().1);
        let due = last.wrapping_sub(self.looked) >= LOOK_EVERY;
        if due {
            self.looked = last;
            self.look_around();
        }
        due
    }

    /// Looks after what strangers may have written over.
    pub(super) fn look_around(&self) {
        self.heal();
        self.recount();
        self.unpin_the_dead();
    }

    /// Writes the info block again where somebody else wrote over it: receivers would look for the sender elsewhere.
    #[cold]
    fn heal(&self) {
        let region = self.info.region();
        let expected = InfoBlock { postfix: Ok(self.postfix), ..InfoBlock::fresh(self.layout) };
        if block::is(region, &expected) {
            return;
        }
        let Ok(held) = lock_info(&self.info_lock, &self.short, DROP_LIMIT) else { return };
        // A receiver may have said meanwhile that it understands resizing.
        let supported = region.read(SUPPORTED_OFFSET).unwrap_or(1);
        let written = block::write(region, &InfoBlock { supported, ..expected });
        drop(held);
        tracing::warn!(
            target: "tdshm::segment", name = %self.short, written = written.is_ok(),
            "somebody wrote over the info block"
        );
    }

    /// Sets the number of the waiters right where it is too high: each frame would cost a system call.
    #[cold]
    fn recount(&self) {
        let Some(extension) = self.extension() else { return };
        if extension.has_too_many_waiters()
            && let Ok(held) = lock_info(&self.info_lock, &self.short, DROP_LIMIT)
        {
            extension.lower_waiters(&self.info);
            drop(held);
        }
    }

    /// Lets those in whose copies were spoiled, so that a fast writer does not starve them.
    #[inline]
    fn let_readers_in(&mut self) {
        if self.extended
            && let Some(extension) = Extension::owned(self.info.region())
        {
            if extension.has_waiters() {
                extension.let_readers_in(&mut self.stopped, READERS_LIMIT);
            } else {
                self.stopped = 0; // they have moved
            }
        }
    }

    #[inline]
    pub(super) fn extension(&self) -> Option<Extension<'_>> {
        if self.extended { Extension::owned(self.info.region()) } else { None }
    }

    /// Leaves: tells the receivers and frees the names, so that they can be created again at once.
    ///
    /// # Errors
    ///
    /// [`SegmentError::UnableToLockInfo`] when somebody held the info lock throughout; the segment has been
    /// left nevertheless.
    pub fn detach(mut self) -> Result<(), Error> {
        self.leave(self.limit)
    }

    fn leave(&mut self, limit: Duration) -> Result<(), Error> {
        self.gone = true;
        if self.pid != sys::process::id() {
            return Ok(()); // a forked child's copy
        }
        let locked = lock_info(&self.info_lock, &self.short, limit);
        step!("detach: locked");
        if let Ok(detach) = self.info.region().atomic_u8(self.layout.detach_at()) {
            detach.store(1, core::sync::atomic::Ordering::Release);
        }
        if let Some(extension) = self.extension() {
            extension.clear_owner();
            extension.ring(&self.bell);
        }
        step!("detach: said");
        self.data.unlink();
        step!("detach: data");
        sweep_after(&self.short, "");
        self.info.unlink();
        locked.map(drop).map_err(Error::from)
    }
}

impl Drop for SegmentSender {
    fn drop(&mut self) {
        if !self.gone {
            // Whoever wants to know calls `detach`.
            let _ = self.leave(DROP_LIMIT);
        }
    }
}

/// Bytes of which nothing is known but how many.
struct Raw {
    bytes: usize,
}

impl Outgoing for Raw {
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

/// Takes an info lock. What an abandoned one protects is three fields that are each written whole.
pub(crate) fn lock_info<'l>(
    lock: &'l NamedLock,
    short: &ShortName,
    limit: Duration,
) -> Result<LockGuard<'l>, SegmentError> {
    match lock.lock_timeout(limit) {
        Ok(acquired) => Ok(acquired.into_guard()),
        Err(source) => {
            let name = short.as_str().to_owned();
            Err(SegmentError::UnableToLockInfo { name, source: Box::new(source) })
        }
    }
}
