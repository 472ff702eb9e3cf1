//! What a sender holds while it writes.

use core::fmt;
use core::marker::PhantomData;
use std::time::Duration;

use crate::error::LockError;
use crate::mem::{Region, ViewBytesMut};
use crate::notice::Extension;
use crate::segment::sender::SegmentSender;
use crate::step::step;
use crate::sys::{self, Outcome};

/// The data lock, held for one write.
///
/// Dropping it makes a frame of what was written, unless a panic is under way: then receivers are told that
/// the block is half written, and keep the frame they have.
#[must_use = "the lock is let go of when this is dropped"]
pub struct WriteGuard<'s> {
    /// Whose lock is held.
    sender: &'s SegmentSender,
    outcome: Outcome,
    /// The lock is this thread's.
    not_send: PhantomData<*const ()>,
}

impl<'s> WriteGuard<'s> {
    /// For a lock that is held, and a write that has begun.
    #[inline]
    pub(super) fn new(sender: &'s SegmentSender, outcome: Outcome) -> Self {
        Self { sender, outcome, not_send: PhantomData }
    }

    /// All bytes of the segment.
    pub fn view(&mut self) -> ViewBytesMut<'_> {
        ViewBytesMut::new(self.region())
    }

    /// Whether the last holder of the lock died with it: what it was writing may be half written.
    #[must_use]
    #[inline]
    pub fn is_abandoned(&self) -> bool {
        self.outcome == Outcome::Abandoned
    }

    #[inline]
    pub(crate) fn region(&self) -> Region<'s> {
        self.sender.data.region()
    }
}

impl fmt::Debug for WriteGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("WriteGuard");
        shown.field("segment", &self.sender.short).field("outcome", &self.outcome).finish_non_exhaustive()
    }
}

impl Drop for WriteGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        step!("write: written");
        if std::thread::panicking() {
            self.sender.data_lock.release()
        } else {
            self.sender.end_write(self.sender.extension())
        }
    }
}

/// A write that has begun, and what was looked up for it: small frames are sent in nanoseconds.
#[derive(Debug)]
pub(crate) struct Begun<'s> {
    pub(crate) guard: WriteGuard<'s>,
    pub(super) extension: Option<Extension<'s>>,
    /// It was time to look after what strangers may have written over: all of the block is written again.
    pub(crate) is_due: bool,
}

impl Begun<'_> {
    /// Ends it after a block was written whole. Not by dropping the guard, whose code is not inlined.
    #[inline(always)]
    pub(crate) fn publish(self) {
        step!("write: written");
        let (sender, extension) = (self.guard.sender, self.extension);
        core::mem::forget(self.guard); // there is nothing left in it
        sender.end_write(extension);
    }
}

impl SegmentSender {
    /// Makes a frame of what was written, and lets go of the lock.
    #[inline(always)]
    fn end_write(&self, extension: Option<Extension<'_>>) {
        // A forked child may drop its copy of a guard: the parent ends the write.
        let extension = if self.pid == sys::process::id() { extension } else { None };
        if let Some(extension) = extension {
            extension.end();
            step!("write: ended");
            extension.announce();
        }
        self.data_lock.release_and_fence();
        step!("write: unlocked");
        if let Some(extension) = extension {
            extension.wake(&self.bell);
        }
    }
}

impl SegmentSender {
    /// As [`lock`](Self::lock), waiting up to `limit` this once.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock).
    #[doc(alias = "tryLock")]
    pub fn lock_timeout(&mut self, limit: Duration) -> Result<WriteGuard<'_>, LockError> {
        let outcome = self.acquire_within(limit).map_err(|error| *error)?;
        Ok(self.adopt(outcome))
    }

    /// As [`lock`](Self::lock) if it is free now; `None` where another thread or process has it.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock), but for [`LockError::Timeout`].
    ///
    /// ```
    /// # fn main() -> Result<(), tdshm::Error> {
    /// # let name = format!("doctry{}", std::process::id());
    /// let mut segment = tdshm::SegmentSender::create(&name, 64)?;
    /// let lock = tdshm::NamedLock::open(&segment.name().data_lock())?;
    /// let held = std::thread::scope(|scope| {
    ///     let held = lock.lock()?;
    ///     let refused = scope.spawn(|| segment.try_lock().map(|held| held.is_none())).join();
    ///     drop(held);
    ///     refused.unwrap_or(Ok(false))
    /// });
    /// assert!(held?);
    /// assert!(segment.try_lock()?.is_some());
    /// # drop((segment, lock));
    /// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_lock(&mut self) -> Result<Option<WriteGuard<'_>>, LockError> {
        match self.acquire_within(Duration::ZERO) {
            Ok(outcome) => Ok(Some(self.adopt(outcome))),
            Err(error) => match *error {
                LockError::Timeout { .. } => Ok(None),
                error => Err(error),
            },
        }
    }

    fn acquire_within(&mut self, limit: Duration) -> Result<Outcome, Box<LockError>> {
        self.look_after();
        let usual = core::mem::replace(&mut self.limit, limit);
        let acquired = self.acquire();
        self.limit = usual;
        acquired
    }

    /// All bytes of the segment, without its lock: for programs that agree otherwise on who writes when, and for a look.
    /// What is written makes no frame: receivers are not told. No bytes where [`mapped_bytes`](Self::mapped_bytes) is 0.
    #[doc(alias = "getMemory")]
    pub fn unlocked(&mut self) -> ViewBytesMut<'_> {
        let region = self.data.region();
        ViewBytesMut::new(region.part(0, self.mapped_bytes()).unwrap_or(region))
    }
}

/// For callers that cannot keep a guard, as those of other languages: the lock stays taken from one call to a later one.
impl SegmentSender {
    /// As [`lock`](Self::lock) without a guard, waiting up to `limit`, or up to the segment's own where that is `None`: the lock
    /// stays taken until [`let_go`](Self::let_go) on this very thread. `true`: the last holder died with it.
    ///
    /// Meanwhile whatever takes the lock gives [`LockError::AlreadyHeld`]; the bytes are in [`unlocked`](Self::unlocked). What is
    /// dropped while it is held leaves it locked until this thread ends, as a guard that is forgotten does.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock).
    ///
    /// ```
    /// # fn main() -> Result<(), tdshm::Error> {
    /// # let name = format!("dochold{}", std::process::id());
    /// let mut segment = tdshm::SegmentSender::create(&name, 64)?;
    /// segment.hold(None)?;
    /// assert!(segment.lock().is_err(), "not recursive");
    /// segment.unlocked().copy_from(b"hello");
    /// assert!(segment.let_go());
    /// assert!(!segment.let_go(), "it was not held");
    /// # drop(segment);
    /// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn hold(&mut self, limit: Option<Duration>) -> Result<bool, LockError> {
        let outcome = match limit {
            None => {
                self.look_after();
                self.acquire()
            }
            Some(limit) => self.acquire_within(limit),
        };
        let outcome = outcome.map_err(|error| *error)?;
        if let Some(extension) = self.extension() {
            extension.begin();
        }
        step!("write: begun");
        self.held = true;
        Ok(outcome == Outcome::Abandoned)
    }

    /// Lets go of what [`hold`](Self::hold) took: what was written is a frame. `false`, and nothing was done, where nothing was
    /// held. On another thread than that of `hold` the lock stays taken.
    #[inline]
    pub fn let_go(&mut self) -> bool {
        if !core::mem::take(&mut self.held) {
            return false;
        }
        self.end_write(self.extension());
        true
    }
}
