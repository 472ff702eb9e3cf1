//! The locks of a segment, for tools: whether they can be had, and who has them.

use std::time::Duration;

use crate::error::{Error, LockError, object_error};
use crate::lock::NamedLock;
use crate::lock::layout::LAYOUT;
use crate::name::ShortName;
use crate::sys::{self, LockOpenError, LockWord, ObjectError, Peek};

/// What came of trying a lock.
#[derive(Debug)]
#[non_exhaustive]
pub struct TriedLock {
    /// The lock's object name.
    pub object: String,
    /// `None`: nobody has made it yet.
    pub state: Option<Result<LockState, Error>>,
}

/// A lock that could be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockState {
    /// It was free, or became free within the limit.
    Free,
    /// The last holder had died with it.
    Abandoned,
}

/// What a look at a lock found, which took nothing.
#[derive(Debug)]
#[non_exhaustive]
pub struct SeenLock {
    /// The lock's object name.
    pub object: String,
    /// `None`: nobody has made it yet, or it cannot be seen without being taken.
    pub state: Option<Result<LockSight, Error>>,
}

/// How a lock stands, in one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockSight {
    /// Nobody has it.
    Free,
    /// Somebody has it: that process, where it can be told.
    Held(Option<u32>),
    /// Its holder died with it, and whoever takes it next is told.
    Abandoned,
}

/// Takes the two locks of the segment `name`, each for an instant and never both, waiting up to `limit`: says which of
/// them are stuck.
///
/// A lock that its holder died with is repaired by that, as by anybody else who takes it.
///
/// # Platform
///
/// Where locks stay when everybody has gone, those that are missing are not made. Windows: a mutex goes with the last
/// program that has it open, so it is free.
///
/// # Errors
///
/// [`Error::Name`]. What is wrong with a lock stands in its [`TriedLock::state`].
///
/// # Source
///
/// wire §5.
///
/// ```
/// use std::time::Duration;
///
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("doctrylocks{}", std::process::id());
/// # let mut out = tdshm::ChopSender::create(&name)?;
/// for lock in tdshm::try_locks(&name, Duration::from_millis(100))? {
///     if let Some(Err(error)) = lock.state {
///         eprintln!("{error}");
///     }
/// }
/// # drop(out);
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
pub fn try_locks(name: &str, limit: Duration) -> Result<Vec<TriedLock>, Error> {
    let name = ShortName::new(name)?;
    let tried = [name.data_lock(), name.info_lock()].map(|object| {
        let state = try_lock(&object, limit).transpose();
        TriedLock { object, state }
    });
    Ok(tried.into())
}

fn try_lock(object: &str, limit: Duration) -> Result<Option<LockState>, Error> {
    if !sys::NAMES_DIE_WITH_HANDLES && matches!(Peek::open(object), Err(ObjectError::Absent)) {
        return Ok(None);
    }
    let Some(lock) = NamedLock::open_as_guest(object)? else { return Ok(None) };
    let acquired = lock.lock_timeout(limit)?;
    Ok(Some(if acquired.is_abandoned() { LockState::Abandoned } else { LockState::Free }))
}

/// Looks at the two locks of the segment `name`, and takes neither: nobody waits for it, and nobody notices.
///
/// What is seen may have changed already: one that a busy sender takes again and again is found held now and free then.
///
/// # Platform
///
/// Linux: the holder stands in the memory that the lock is made of. macOS: the flag and the record of the holder do; a
/// foreign program that died with it holds it for ever. Windows: the system says whether it is held, and by whom where it
/// says that.
///
/// # Errors
///
/// [`Error::Name`]. What is wrong with a lock stands in its [`SeenLock::state`].
///
/// # Source
///
/// wire §5, ours on Linux.
///
/// ```
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("doclooklocks{}", std::process::id());
/// # let mut out = tdshm::ChopSender::create(&name)?;
/// for lock in tdshm::look_at_locks(&name)? {
///     println!("{}: {:?}", lock.object, lock.state);
/// }
/// # drop(out);
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
pub fn look_at_locks(name: &str) -> Result<Vec<SeenLock>, Error> {
    let name = ShortName::new(name)?;
    let seen = [name.data_lock(), name.info_lock()].map(|object| {
        let state = look(&object).transpose();
        SeenLock { object, state }
    });
    Ok(seen.into())
}

fn look(object: &str) -> Result<Option<LockSight>, Error> {
    let name = object.to_owned();
    match sys::lock_word(object, LAYOUT) {
        Ok(None) | Err(LockOpenError::Object(ObjectError::Absent)) => Ok(None),
        Ok(Some(LockWord::Free)) => Ok(Some(LockSight::Free)),
        Ok(Some(LockWord::Held(process))) => Ok(Some(LockSight::Held(process))),
        Ok(Some(LockWord::Abandoned)) => Ok(Some(LockSight::Abandoned)),
        Ok(Some(LockWord::Unrecoverable)) => Err(LockError::Unrecoverable { name }.into()),
        Err(LockOpenError::Object(error)) => Err(object_error(error, object).into()),
        Err(LockOpenError::NotALock { field, value, expected, advice }) => {
            Err(LockError::NotALock { name, field, value, expected, advice }.into())
        }
    }
}
