//! The side that opens a segment which somebody else created.

use core::sync::atomic::Ordering;
use std::time::Duration;

use crate::error::{Error, ErrorState, SegmentError};
use crate::lock::{LIMIT, LockGuard, NamedLock};
use crate::mem::{OutOfBounds, Region, ViewBytes};
use crate::name::ShortName;
use crate::segment::object_error;
use crate::segment::sender::lock_info;
use crate::sys::{Access, Object, ObjectError, Outcome};
use crate::wire::info::{self, InfoBlock, Postfix};

/// A segment that another program created, or will create: this one reads.
///
/// It may be opened before its sender is there. Every [`lock`](Self::lock) looks whether the sender has
/// come, moved its data to another object, or gone, and follows.
///
/// # Source
///
/// wire §3, §4.
#[derive(Debug)]
#[doc(alias = "UT_SharedMem")]
pub struct SegmentReceiver {
    short: ShortName,
    info_name: String,
    limit: Duration,
    data_lock: Option<NamedLock>,
    link: Option<Link>,
    state: ErrorState,
    attachments: u64,
    outcome: Outcome,
    /// The lock had been abandoned, and was let go of before anybody was told.
    untold: bool,
}

/// How a receiver is opened.
#[derive(Clone, Debug)]
#[must_use = "nothing is looked at until `open` is called"]
pub struct SegmentReceiverBuilder {
    name: String,
    limit: Duration,
}

/// Whether there is a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Attached {
    /// There is, and its segment is open here.
    Yes,
    /// There has not been one, as far as this receiver saw.
    NotYet,
    /// There was one, and it left.
    Left,
}

/// The objects of one sender.
#[derive(Debug)]
struct Link {
    /// `None`: a foreign sender that has no info segment.
    info: Option<Info>,
    data: Object,
}

#[derive(Debug)]
struct Info {
    object: Object,
    lock: NamedLock,
    /// The postfix field as it was when the data was opened.
    seen: [u8; info::POSTFIX_BYTES],
    /// Blocks before version 2 have no detach field.
    says_detach: bool,
}

/// What the info block says, compared with what is open.
enum News {
    None,
    Moved,
    Left,
}

impl SegmentReceiver {
    /// Opens the segment `name`, whose sender may come later.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] alone: that nobody sends yet is a state, not an error.
    pub fn open(name: &str) -> Result<Self, Error> {
        Self::builder(name).open()
    }

    /// Opens a segment with other settings than the usual ones.
    pub fn builder(name: &str) -> SegmentReceiverBuilder {
        SegmentReceiverBuilder { name: name.to_owned(), limit: LIMIT }
    }

    /// The short name.
    #[must_use]
    pub fn name(&self) -> &ShortName {
        &self.short
    }

    /// Whether there was a sender at the last look.
    #[must_use]
    pub fn attached(&self) -> Attached {
        match (&self.link, self.attachments) {
            (Some(_), _) => Attached::Yes,
            (None, 0) => Attached::NotYet,
            (None, _) => Attached::Left,
        }
    }

    /// The state that TouchDesigner's own class would report after the last look.
    #[must_use]
    #[doc(alias = "getErrorState")]
    pub fn state(&self) -> ErrorState {
        self.state
    }

    /// How many times a sender's segment has been opened here, so that two senders can be told apart.
    #[inline]
    pub(crate) fn attachments(&self) -> u64 {
        self.attachments
    }

    /// Takes the data lock for one read, waiting up to the receiver's limit; `None` while there is no sender.
    ///
    /// # Errors
    ///
    /// [`Error::Lock`] when the data lock is not to be had; [`Error::Segment`] when something stands there
    /// that is not a segment, or may not be opened. Trying again is always allowed.
    #[doc(alias = "getMemory")]
    pub fn lock(&mut self) -> Result<Option<ReadGuard<'_>>, Error> {
        if self.acquire()? { Ok(self.adopt()) } else { Ok(None) }
    }

    /// As [`lock`](Self::lock) without a guard. After `true` the caller calls [`release`](Self::release) or
    /// [`adopt`](Self::adopt) on this thread, on every path, with nothing between that could panic.
    #[inline]
    pub(crate) fn acquire(&mut self) -> Result<bool, Error> {
        // Twice: a sender that left may have a successor already.
        for _ in 0..2 {
            if self.link.is_none() && !self.attach()? {
                return Ok(false);
            }
            let Some(lock) = &self.data_lock else { return Ok(false) };
            let outcome = lock.acquire(self.limit)?;
            self.outcome = if std::mem::take(&mut self.untold) { Outcome::Abandoned } else { outcome };
            if matches!(self.news(), News::None) {
                return Ok(true);
            }
            match self.follow() {
                Ok(true) => return Ok(true),
                Ok(false) => self.release(),
                Err(error) => {
                    self.release();
                    return Err(error);
                }
            }
        }
        Ok(false)
    }

    pub(crate) fn release(&self) {
        if let Some(lock) = &self.data_lock {
            lock.release();
        }
    }

    /// As [`release`](Self::release), to take it again at once: what was learnt of its last holder counts then.
    pub(crate) fn release_to_retry(&mut self) {
        self.untold = self.abandoned();
        self.release();
    }

    /// The guard for what [`acquire`](Self::acquire) took.
    #[inline]
    pub(crate) fn adopt(&self) -> Option<ReadGuard<'_>> {
        let lock = self.data_lock.as_ref()?;
        let guard = lock.adopt();
        let region = self.region()?;
        Some(ReadGuard { guard, region, outcome: self.outcome })
    }

    /// The sender's data, as it is open here.
    #[inline]
    pub(crate) fn region(&self) -> Option<Region<'_>> {
        self.link.as_ref().map(|link| link.data.region())
    }

    /// Whether the lock that [`acquire`](Self::acquire) took had been abandoned.
    #[inline]
    pub(crate) fn abandoned(&self) -> bool {
        self.outcome == Outcome::Abandoned
    }

    /// Looks for a sender without taking the data lock: attaches, follows, or notices that it left.
    pub(crate) fn look(&mut self) -> Result<bool, Error> {
        if self.link.is_none() && !self.attach()? {
            return Ok(false);
        }
        match self.news() {
            News::None => Ok(true),
            News::Moved | News::Left => self.follow(),
        }
    }

    /// Compares what is open with what the info block says, without its lock.
    #[inline(always)]
    fn news(&self) -> News {
        let Some(Link { info: Some(info), .. }) = &self.link else { return News::None };
        let region = info.object.region();
        let detached =
            region.atomic_u8(info::DETACH_OFFSET).is_ok_and(|detach| detach.load(Ordering::Acquire) == 1);
        if detached && info.says_detach {
            return News::Left;
        }
        match region.equals(info::POSTFIX_OFFSET, &info.seen) {
            Ok(true) => News::None,
            _ => News::Moved,
        }
    }

    /// Goes where the info block says. `false`: the sender has left. May be called with the data lock held:
    /// the info lock comes after it (wire §5).
    fn follow(&mut self) -> Result<bool, Error> {
        match self.news() {
            News::None => return Ok(true),
            News::Left => {
                self.let_go(ErrorState::InfoDoesNotExist);
                return Ok(false);
            }
            News::Moved => {}
        }
        let Some(Link { info: Some(info), data }) = &mut self.link else { return Ok(true) };
        let held = lock_info(&info.lock, &self.short, self.limit)?;
        let block = read_block(&info.object, &self.info_name)?;
        if block.detached() {
            drop(held);
            self.let_go(ErrorState::InfoDoesNotExist);
            return Ok(false);
        }
        let postfix = postfix(&block, &self.info_name)?;
        if Some(postfix) != Postfix::parse(&info.seen) {
            let name = self.short.data_segment_with(postfix);
            match Object::open(&name, 1) {
                Ok(moved) => *data = moved,
                Err(ObjectError::Absent) => {
                    drop(held);
                    self.let_go(ErrorState::DoesNotExist);
                    return Ok(false);
                }
                Err(error) => return Err(object_error(error, &name, 1).into()),
            }
        }
        info.seen = block.postfix;
        Ok(true)
    }

    fn let_go(&mut self, state: ErrorState) {
        self.link = None;
        self.state = state;
    }

    /// Opens the segment of a sender, info first, data next. `false`: there is none.
    fn attach(&mut self) -> Result<bool, Error> {
        if self.data_lock.as_ref().is_none_or(|lock| !lock.leads_here()) {
            // A lock is made only where there is something to lock.
            self.data_lock = None;
        }
        let link = match Object::open(&self.info_name, info::BLOCK_BYTES) {
            Ok(object) => match self.attach_with_info(object)? {
                Some(link) => link,
                None => return Ok(false),
            },
            Err(ObjectError::Absent) => match Object::open(&self.short.data_segment(), 1) {
                // Some foreign senders publish no info segment. But a sender that came, or left, between the two
                // looks has one or had one, and must not be taken for such: look again.
                Ok(data)
                    if matches!(
                        Object::open(&self.info_name, info::BLOCK_BYTES),
                        Err(ObjectError::Absent)
                    ) && data.leads_here() =>
                {
                    Link { info: None, data }
                }
                Ok(_) => return Ok(false),
                Err(ObjectError::Absent) => {
                    self.state = match self.attachments {
                        0 => ErrorState::DoesNotExist,
                        _ => ErrorState::InfoDoesNotExist,
                    };
                    return Ok(false);
                }
                Err(error) => return Err(object_error(error, &self.short.data_segment(), 1).into()),
            },
            Err(error) => return Err(object_error(error, &self.info_name, info::BLOCK_BYTES).into()),
        };
        if self.data_lock.is_none() {
            self.data_lock = Some(NamedLock::open_with(&self.short.data_lock(), Access::PRIVATE)?);
        }
        self.link = Some(link);
        self.state = ErrorState::None;
        self.attachments = self.attachments.wrapping_add(1);
        Ok(true)
    }

    /// Attaches under one hold of the info lock, and says that this receiver understands resizing.
    fn attach_with_info(&mut self, object: Object) -> Result<Option<Link>, Error> {
        let lock = NamedLock::open_with(&self.short.info_lock(), Access::PRIVATE)?;
        let held = lock_info(&lock, &self.short, self.limit)?;
        let block = read_block(&object, &self.info_name)?;
        if block.detached() {
            self.state = ErrorState::InfoDoesNotExist;
            return Ok(None);
        }
        let postfix = postfix(&block, &self.info_name)?;
        let data_name = self.short.data_segment_with(postfix);
        let data = match Object::open(&data_name, 1) {
            Ok(data) => data,
            Err(ObjectError::Absent) => {
                self.state = ErrorState::DoesNotExist;
                return Ok(None);
            }
            Err(error) => return Err(object_error(error, &data_name, 1).into()),
        };
        if let Ok(supported) = object.region().atomic_u8(info::SUPPORTED_OFFSET) {
            supported.store(1, Ordering::Relaxed);
        }
        drop(held);
        let says_detach = block.version.get() >= info::VERSION;
        Ok(Some(Link { info: Some(Info { object, lock, seen: block.postfix, says_detach }), data }))
    }
}

/// Copies the info block once and checks its magic.
fn read_block(object: &Object, name: &str) -> Result<InfoBlock, SegmentError> {
    let region = object.region();
    let too_small = |OutOfBounds| SegmentError::TooSmall {
        object: name.to_owned(),
        bytes: region.len(),
        needed: info::BLOCK_BYTES,
    };
    let block: InfoBlock = region.read(0).map_err(too_small)?;
    if block.magic.get() == info::MAGIC {
        return Ok(block);
    }
    Err(SegmentError::BadInfo {
        object: name.to_owned(),
        field: "magic",
        value: u64::from(block.magic.get().cast_unsigned()),
        expected: u64::from(info::MAGIC.cast_unsigned()),
    })
}

fn postfix(block: &InfoBlock, name: &str) -> Result<Postfix, SegmentError> {
    Postfix::parse(&block.postfix).ok_or_else(|| SegmentError::BadInfo {
        object: name.to_owned(),
        field: "first byte of the postfix",
        value: block.postfix.first().copied().unwrap_or_default().into(),
        expected: 0,
    })
}

impl SegmentReceiverBuilder {
    /// How long to wait for a lock, 5 seconds by default.
    pub fn lock_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Opens the segment.
    ///
    /// # Errors
    ///
    /// As [`SegmentReceiver::open`].
    pub fn open(self) -> Result<SegmentReceiver, Error> {
        let short = ShortName::new(&self.name)?;
        Ok(SegmentReceiver {
            info_name: short.info_segment(),
            short,
            limit: self.limit,
            data_lock: None,
            link: None,
            state: ErrorState::DoesNotExist,
            attachments: 0,
            outcome: Outcome::Clean,
            untold: false,
        })
    }
}

/// The data lock, held for one read.
#[derive(Debug)]
#[must_use = "the lock is let go of when this is dropped"]
pub struct ReadGuard<'r> {
    #[expect(dead_code, reason = "held for its drop")]
    guard: LockGuard<'r>,
    region: Region<'r>,
    outcome: Outcome,
}

impl ReadGuard<'_> {
    /// All bytes of the segment, as many as are mapped.
    #[must_use]
    pub fn view(&self) -> ViewBytes<'_> {
        ViewBytes::new(self.region)
    }

    /// Whether the last holder of the lock died with it: what it was writing may be half written.
    #[must_use]
    #[inline]
    pub fn is_abandoned(&self) -> bool {
        self.outcome == Outcome::Abandoned
    }
}
