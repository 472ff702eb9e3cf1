//! A named lock between processes that survives its holder (wire §5).
//!
//! Whoever reads or writes a segment holds its lock for the whole of one read or one write, and for nothing
//! else: a program that holds it longer stalls everybody, TouchDesigner's frame included. When the holder
//! dies the next one gets the lock and is told, because what lies in the segment may be half written.

pub(crate) mod layout;

use core::cell::Cell;
use core::marker::PhantomData;
use core::sync::atomic::{Ordering, compiler_fence, fence};
use std::time::{Duration, Instant};

use crate::error::{Error, LockError, object_error};
use crate::lock::layout::LAYOUT;
use crate::name::check_object_name;
use crate::sys::{self, Access, LockFailure, LockOpenError, ObjectError, Outcome, Party};

/// How long TouchDesigner's own classes wait for a lock (wire §5, seen), and what we wait by default.
pub(crate) const LIMIT: Duration = Duration::from_millis(5000);

thread_local! {
    static WAITED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// How long this thread has waited for locks that were not free, all of them together, since it began: what is there
/// before and after a call is what the call waited.
///
/// ```
/// let before = tdshm::lock_wait();
/// # let name = format!("docwait{}", std::process::id());
/// let mut out = tdshm::ChopSender::create(&name)?; // nobody else has the name
/// assert_eq!(tdshm::lock_wait(), before);
/// # drop(out);
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok::<(), tdshm::Error>(())
/// ```
#[must_use]
pub fn lock_wait() -> Duration {
    WAITED.get()
}

/// A named lock between processes, and between threads.
///
/// Not recursive, not fair, and never left locked by a dead process.
///
/// # Platform
///
/// Linux: a robust `pthread_mutex_t` in an object in `/dev/shm`, which stays when everybody has gone. It can
/// be used only by programs with the same C library; another one's is refused when it is opened. Windows: a kernel
/// mutex, which goes with the last program that has it open. It belongs to a thread; that the same thread takes it twice is
/// refused all the same. Programs of another session, and those that run with other rights, do not meet here.
///
/// macOS: an object with a mutex, a condition and a flag, as TouchDesigner has it, and behind them a record of who holds the
/// lock, by which a dead holder is known. A foreign program writes no record: what it leaves locked stays locked. Who is
/// killed within the few instructions that it has the mutex for leaves [`LockError::Stuck`] to all others. A guard that
/// is forgotten leaves the lock locked until its *process* ends. Waiting takes up to a millisecond longer than it must.
///
/// # Source
///
/// wire §5, ours on Linux.
///
/// ```
/// use std::time::Duration;
/// use tdshm::{NamedLock, ShortName};
///
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("doclock{}", std::process::id());
/// let lock = NamedLock::open(&ShortName::new(&name)?.data_lock())?;
/// let guard = lock.lock_timeout(Duration::from_millis(100))?.into_guard();
/// assert!(lock.try_lock().is_err(), "not recursive");
/// drop(guard);
/// # drop(lock);
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[doc(alias("UT_Mutex", "pthread_mutex_t", "CreateMutex"))]
pub struct NamedLock {
    raw: sys::Lock,
    name: String,
}

impl NamedLock {
    /// Opens the lock with that object name, and makes it where it is missing, for this user alone.
    ///
    /// The name is the object's own, such as [`ShortName::data_lock`](crate::ShortName::data_lock) gives.
    ///
    /// # Errors
    ///
    /// [`NameError`](crate::NameError) where no object can have that name; [`LockError::NotALock`] where something else has it,
    /// or a lock of another C library; [`LockError::Object`] where the system refuses.
    pub fn open(name: &str) -> Result<Self, Error> {
        check_object_name(name)?;
        Ok(Self::open_with(name, Access::PRIVATE)?)
    }

    fn open_with(name: &str, access: Access) -> Result<Self, LockError> {
        Self::opened(sys::Lock::open(name, access, LAYOUT, Party::Owner), name)
    }

    fn opened(opened: Result<sys::Lock, LockOpenError>, name: &str) -> Result<Self, LockError> {
        match opened {
            Ok(raw) => Ok(Self { raw, name: name.to_owned() }),
            Err(LockOpenError::Object(error)) => Err(LockError::Object(Box::new(object_error(error, name)))),
            Err(LockOpenError::NotALock { field, value, expected, advice }) => {
                Err(LockError::NotALock { name: name.to_owned(), field, value, expected, advice })
            }
        }
    }

    /// The lock of a segment that somebody else owns; `None`: it cannot be had before its owner has made its name known.
    pub(crate) fn open_as_guest(name: &str) -> Result<Option<Self>, LockError> {
        match sys::Lock::open(name, Access::PRIVATE, LAYOUT, Party::Guest) {
            Err(LockOpenError::Object(ObjectError::Absent)) => Ok(None),
            opened => Self::opened(opened, name).map(Some),
        }
    }

    /// As [`open_with`](Self::open_with), and an object that was there already gets this access as well.
    pub(crate) fn open_own(name: &str, access: Access) -> Result<Self, LockError> {
        let lock = Self::open_with(name, access)?;
        let failed = |error| LockError::Object(Box::new(object_error(error, name)));
        lock.raw.set_mode(access).map_err(failed)?;
        Ok(lock)
    }

    /// Takes the lock, waiting up to 5 seconds, as TouchDesigner does.
    ///
    /// # Errors
    ///
    /// [`LockError::Timeout`] (try again), [`LockError::AlreadyHeld`] by this very thread, at once, and
    /// [`LockError::Unrecoverable`].
    pub fn lock(&self) -> Result<Acquired<'_>, LockError> {
        self.lock_timeout(LIMIT)
    }

    /// Takes the lock, waiting up to `limit`. Where it is free there is no system call.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock).
    #[doc(alias = "tryLock")]
    pub fn lock_timeout(&self, limit: Duration) -> Result<Acquired<'_>, LockError> {
        Ok(self.acquired(self.acquire(limit).map_err(|error| *error)?))
    }

    /// Takes the lock if it is free now; `None` where another thread or process has it.
    ///
    /// # Errors
    ///
    /// [`LockError::AlreadyHeld`] by this very thread, and [`LockError::Unrecoverable`].
    pub fn try_lock(&self) -> Result<Option<Acquired<'_>>, LockError> {
        match self.acquire(Duration::ZERO) {
            Ok(outcome) => Ok(Some(self.acquired(outcome))),
            Err(error) => match *error {
                LockError::Timeout { .. } => Ok(None),
                error => Err(error),
            },
        }
    }

    /// The object's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process that holds it, as the lock's record says; `None` when it is free or cannot say. A look for
    /// tools: it may have changed already.
    ///
    /// # Platform
    ///
    /// Windows: known of this process alone.
    #[must_use]
    pub fn holder(&self) -> Option<u32> {
        self.raw.holder()
    }

    /// Takes the lock without a guard. Whoever calls this calls [`release`](Self::release) or
    /// [`adopt`](Self::adopt) on the same thread, on every path, with nothing between that could panic.
    ///
    /// The error is boxed, so that the result of the usual case travels in registers.
    #[inline]
    pub(crate) fn acquire(&self, limit: Duration) -> Result<Outcome, Box<LockError>> {
        match self.raw.acquire(Duration::ZERO) {
            Ok(outcome) => Ok(outcome),
            Err(failure) => self.acquire_slowly(failure, limit),
        }
    }

    #[cold]
    fn acquire_slowly(&self, failure: LockFailure, limit: Duration) -> Result<Outcome, Box<LockError>> {
        if limit.is_zero() || !matches!(failure, LockFailure::Timeout { .. } | LockFailure::Stuck) {
            return Err(Box::new(self.failed(failure, limit)));
        }
        let began = Instant::now();
        let outcome = self.raw.acquire(limit);
        // Beyond the limit it waited for a processor, not for the lock.
        WAITED.set(WAITED.get().saturating_add(began.elapsed().min(limit)));
        outcome.map_err(|failure| Box::new(self.failed(failure, limit)))
    }

    #[inline]
    pub(crate) fn release(&self) {
        self.raw.release();
    }

    /// As [`release`](Self::release), and what comes after it is ordered behind all that came before, as by `fence(SeqCst)`.
    #[inline]
    pub(crate) fn release_and_fence(&self) {
        self.raw.release();
        if sys::Lock::RELEASE_FENCES {
            compiler_fence(Ordering::SeqCst);
        } else {
            fence(Ordering::SeqCst);
        }
    }

    /// The guard for a lock that this thread took with [`acquire`](Self::acquire).
    #[inline]
    pub(crate) fn adopt(&self) -> LockGuard<'_> {
        LockGuard { lock: self, not_send: PhantomData }
    }

    /// Whether the name still leads to this lock's object.
    pub(crate) fn leads_here(&self) -> bool {
        self.raw.leads_here()
    }

    fn acquired(&self, outcome: Outcome) -> Acquired<'_> {
        match outcome {
            Outcome::Clean => Acquired::Clean(self.adopt()),
            Outcome::Abandoned => Acquired::Abandoned(self.adopt()),
        }
    }

    #[cold]
    fn failed(&self, failure: LockFailure, waited: Duration) -> LockError {
        let name = self.name.clone();
        match failure {
            LockFailure::Timeout { holder } => LockError::Timeout { name, waited, holder },
            LockFailure::AlreadyHeld => LockError::AlreadyHeld { name },
            LockFailure::Unrecoverable => LockError::Unrecoverable { name },
            LockFailure::Stuck => LockError::Stuck { name, waited },
        }
    }
}

/// A lock that was got, and how. There are two ways and no more, so a `match` needs no third arm.
///
/// # Source
///
/// wire §5.
///
/// ```
/// use tdshm::{Acquired, NamedLock, ShortName};
///
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("docacquired{}", std::process::id());
/// let lock = NamedLock::open(&ShortName::new(&name)?.data_lock())?;
/// let held = match lock.lock()? {
///     Acquired::Clean(held) => held,
///     Acquired::Abandoned(held) => held, // and look at what the dead one was writing
/// };
/// drop(held);
/// # drop(lock);
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the lock is let go of when this is dropped"]
pub enum Acquired<'l> {
    /// The last holder let go of it.
    Clean(LockGuard<'l>),
    /// The last holder died with it: what the lock protects may be half written.
    #[doc(alias = "WAIT_ABANDONED")]
    Abandoned(LockGuard<'l>),
}

impl<'l> Acquired<'l> {
    /// The guard, however it was got.
    pub fn into_guard(self) -> LockGuard<'l> {
        match self {
            Self::Clean(guard) | Self::Abandoned(guard) => guard,
        }
    }

    /// Whether the last holder died with it.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        matches!(self, Self::Abandoned(_))
    }
}

/// Holds a lock until it is dropped, on the thread that took it: it cannot move to another one.
///
/// A guard that is forgotten (`mem::forget`) leaves the lock locked until its thread ends.
#[derive(Debug)]
#[must_use = "the lock is let go of when this is dropped"]
pub struct LockGuard<'l> {
    lock: &'l NamedLock,
    not_send: PhantomData<*const ()>,
}

impl Drop for LockGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.lock.release();
    }
}
