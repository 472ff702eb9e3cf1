//! The side that creates a segment and owns it.

use std::time::Duration;

use crate::error::{Error, LockError, SegmentError};
use crate::lock::{LIMIT, LockGuard, NamedLock};
use crate::mem::{OutOfBounds, Region, ViewBytesMut};
use crate::name::ShortName;
use crate::segment::object_error;
use crate::sys::{Access, Object, ObjectError, Outcome};
use crate::wire::info::{DETACH_OFFSET, InfoBlock};
use crate::wire::notice;

/// Blocks count their bytes in an `i32` (wire §8), and so does whoever reads them.
const LARGEST: usize = 0x7fff_ffff;
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
/// with their pages reserved.
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
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[doc(alias = "UT_SharedMem")]
pub struct SegmentSender {
    short: ShortName,
    data_lock: NamedLock,
    info_lock: NamedLock,
    info: Object,
    data: Object,
    limit: Duration,
    gone: bool,
}

/// How a segment is created.
#[derive(Clone, Debug)]
#[must_use = "nothing exists until `create` is called"]
pub struct SegmentSenderBuilder {
    name: String,
    size_bytes: usize,
    access: Access,
    limit: Duration,
}

impl SegmentSender {
    /// Creates the segment `name` with room for at least `size_bytes` bytes, all zero.
    ///
    /// # Errors
    ///
    /// [`Error::Name`]; [`SegmentError::AlreadyExists`] or [`SegmentError::InfoAlreadyExists`] when another
    /// program has the name; [`SegmentError::BadSize`] for a size of 0 or above `i32::MAX`;
    /// [`SegmentError::UnableToLockInfo`] when somebody holds the info lock; what the system refuses. Nothing
    /// is left behind.
    pub fn create(name: &str, size_bytes: usize) -> Result<Self, Error> {
        Self::builder(name, size_bytes).create()
    }

    /// Creates a segment with other settings than the usual ones.
    pub fn builder(name: &str, size_bytes: usize) -> SegmentSenderBuilder {
        SegmentSenderBuilder { name: name.to_owned(), size_bytes, access: Access::PRIVATE, limit: LIMIT }
    }

    /// The short name.
    #[must_use]
    pub fn name(&self) -> &ShortName {
        &self.short
    }

    /// Bytes that fit: what was asked for, rounded up to whole pages.
    #[must_use]
    #[doc(alias = "getSize")]
    #[inline]
    pub fn mapped_bytes(&self) -> usize {
        self.data.region().len()
    }

    /// Takes the data lock for one write, waiting up to the segment's limit.
    ///
    /// # Errors
    ///
    /// [`LockError`], as [`NamedLock::lock`].
    #[doc(alias = "getMemory")]
    pub fn lock(&mut self) -> Result<WriteGuard<'_>, LockError> {
        let outcome = self.data_lock.acquire(self.limit)?;
        Ok(WriteGuard { guard: self.data_lock.adopt(), region: self.data.region(), outcome })
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
        let locked = lock_info(&self.info_lock, &self.short, limit);
        if let Ok(detach) = self.info.region().atomic_u8(DETACH_OFFSET) {
            detach.store(1, core::sync::atomic::Ordering::Release);
        }
        self.data.unlink();
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

impl SegmentSenderBuilder {
    /// Unix permission bits of all four objects, `0o600` by default.
    ///
    /// `0o660` or `0o666` lets other users read and write; who may write may also shrink the objects, which
    /// kills whoever has them mapped.
    ///
    /// # Platform
    ///
    /// Windows: no effect.
    pub fn mode(mut self, mode: u32) -> Self {
        self.access = Access { mode: mode & 0o777 };
        self
    }

    pub(crate) fn size_bytes(mut self, size_bytes: usize) -> Self {
        self.size_bytes = size_bytes;
        self
    }

    /// How long to wait for a lock, 5 seconds by default.
    pub fn lock_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Creates the segment.
    ///
    /// # Errors
    ///
    /// As [`SegmentSender::create`].
    pub fn create(self) -> Result<SegmentSender, Error> {
        let short = ShortName::new(&self.name)?;
        if self.size_bytes == 0 || self.size_bytes > LARGEST {
            return Err(SegmentError::BadSize { bytes: self.size_bytes, limit: LARGEST }.into());
        }
        let data_lock = NamedLock::open_own(&short.data_lock(), self.access)?;
        let info_lock = NamedLock::open_own(&short.info_lock(), self.access)?;
        let held = lock_info(&info_lock, &short, self.limit)?;

        let name = || short.as_str().to_owned();
        let info_name = short.info_segment();
        let fresh = |region: Region<'_>| {
            region
                .write(0, &InfoBlock::fresh())
                .map_err(|OutOfBounds| ObjectError::TooSmall { bytes: region.len() })
        };
        let info = match Object::create(&info_name, notice::INFO_SEGMENT_BYTES, self.access, fresh) {
            Ok(info) => info,
            Err(ObjectError::Exists) => {
                return Err(SegmentError::InfoAlreadyExists { name: name(), object: info_name }.into());
            }
            Err(error) => return Err(object_error(error, &info_name, notice::INFO_SEGMENT_BYTES).into()),
        };
        let data_name = short.data_segment();
        let data = match Object::create(&data_name, self.size_bytes, self.access, |_| Ok(())) {
            Ok(data) => data,
            Err(error) => {
                info.unlink();
                return Err(match error {
                    ObjectError::Exists => {
                        SegmentError::AlreadyExists { name: name(), object: data_name }.into()
                    }
                    error => object_error(error, &data_name, self.size_bytes).into(),
                });
            }
        };
        drop(held);
        Ok(SegmentSender { short, data_lock, info_lock, info, data, limit: self.limit, gone: false })
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

/// The data lock, held for one write.
#[derive(Debug)]
#[must_use = "the lock is let go of when this is dropped"]
pub struct WriteGuard<'s> {
    #[expect(dead_code, reason = "held for its drop")]
    guard: LockGuard<'s>,
    region: Region<'s>,
    outcome: Outcome,
}

impl<'s> WriteGuard<'s> {
    /// All bytes of the segment.
    pub fn view(&mut self) -> ViewBytesMut<'_> {
        ViewBytesMut::new(self.region)
    }

    /// Whether the last holder of the lock died with it: what it was writing may be half written.
    #[must_use]
    #[inline]
    pub fn is_abandoned(&self) -> bool {
        self.outcome == Outcome::Abandoned
    }

    #[inline]
    pub(crate) fn region(&self) -> Region<'s> {
        self.region
    }
}
