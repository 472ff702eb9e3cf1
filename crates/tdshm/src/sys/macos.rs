//! macOS: objects of `shm_open`, with names of 31 bytes and a size that is set once (wire §1, §2, §5, §7).
//!
//! What the system cannot do is made up for with what all programs there agree on: long names go through the name
//! directory, locks are made of a mutex, a condition and a flag. What it cannot tell is recorded: who owns an object and
//! who holds a lock, by process id and start time. It has neither inodes for such objects, so whether a name leads to
//! the same one is told by what lies there ([`same`]), nor a list of them, nor a way to wait for another
//! process before version 14.4, so receivers look again and again, at most a millisecond apart.
//!
//! An object has its name before it is complete. Whoever makes one holds the info lock until it is.
//!
//! All of it but `process` is built on Linux as well. Built there with `--cfg tdshm_macos`, as the tests build their
//! peer, it *is* the system: a rehearsal, in a namespace of its own ([`shm`](crate::sys::posix::shm)).

mod object;
mod peek;
#[cfg(target_os = "macos")]
mod process_info;
mod same;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::directory;
use crate::place::Place;
use crate::sys::posix::cond_lock::{self, CondLock};
use crate::sys::posix::pause::Pause;
use crate::sys::posix::shm;
use crate::sys::{
    Access, LockFailure, LockLayout, LockOpenError, LockWord, NameRules, ObjectError, Outcome, Party,
    Process, Standing,
};

#[cfg(not(target_os = "macos"))]
pub(crate) use crate::sys::linux::{coarse_instant, coarse_time, life, program_name, start_time};
pub(crate) use crate::sys::posix::map::Map as Kept;
pub(crate) use crate::sys::posix::process;
pub(crate) use object::Object;
pub(crate) use peek::Peek;
#[cfg(target_os = "macos")]
pub(crate) use process_info::{coarse_instant, coarse_time, life, program_name, start_time};

/// Objects stay until they are unlinked.
pub(crate) const NAMES_DIE_WITH_HANDLES: bool = false;
/// Nobody but the record says who owns an object (wire §6).
pub(crate) const OWNER_IS_A_RECORD: bool = true;
/// Foreign programs take over whatever has the name, without asking who lives (wire §6).
pub(crate) const LIVE_SENDERS_ARE_ROBBED: bool = true;
/// Info blocks have the narrow layout.
pub(crate) const INFO_IS_WIDE: bool = false;
/// The name directory takes long ones; so long as on Linux is long enough.
pub(crate) const NAME_RULES: NameRules =
    NameRules { longest: 255, unit: "bytes", length: str::len, backslash_is_namespace: false };

/// The lock, found or made by its name.
#[derive(Debug)]
pub(crate) struct Lock {
    lock: CondLock,
    name: String,
}

impl Lock {
    pub(crate) const RELEASE_FENCES: bool = CondLock::RELEASE_FENCES;

    /// Opens the lock of that name, or makes it where it is missing. A long name that the directory does not know is
    /// added by owners alone; for guests the lock is absent, and they look again later.
    pub(crate) fn open(
        name: &str,
        access: Access,
        layout: LockLayout,
        party: Party,
    ) -> Result<Self, LockOpenError> {
        let token = match party {
            Party::Owner => directory::SHARED.register(name).map(Some),
            Party::Guest => directory::SHARED.look_up(name),
        };
        match token.map_err(LockOpenError::Object)? {
            Some(token) => {
                Ok(Self { lock: CondLock::open(&token, Some(access), &layout)?, name: name.to_owned() })
            }
            None => Err(LockOpenError::Object(ObjectError::Absent)),
        }
    }

    /// Takes the lock, waiting up to `limit`.
    #[inline]
    pub(crate) fn acquire(&self, limit: Duration) -> Result<Outcome, LockFailure> {
        self.lock.acquire(limit)
    }

    /// Lets go of the lock. Only the thread that acquired it may; on any other nothing happens.
    #[inline]
    pub(crate) fn release(&self) {
        self.lock.release();
    }

    /// The process that holds it, as its record says.
    pub(crate) fn holder(&self) -> Option<u32> {
        self.lock.holder()
    }

    /// An object keeps the mode it was made with.
    pub(crate) fn set_mode(&self, _access: Access) -> Result<(), ObjectError> {
        Ok(())
    }

    /// Whether the name still leads to this lock. Where the directory cannot be asked, it does.
    pub(crate) fn leads_here(&self) -> bool {
        match directory::SHARED.look_up(&self.name) {
            Ok(Some(token)) => self.lock.lies_in(&token),
            Ok(None) => false,
            Err(_) => true,
        }
    }
}

/// Whose an object is, and what this user may do with it. A long name that the directory does not know leads nowhere.
pub(crate) fn standing(name: &str) -> Result<Standing, ObjectError> {
    let token = directory::SHARED.look_up(name)?.ok_or(ObjectError::Absent)?;
    let object = match shm::open_to_read(&token) {
        Err(ObjectError::NotOurs(reason)) => {
            let may_write = Err(reason);
            return Ok(Standing { bytes: None, user: None, is_own: Some(false), mode: None, may_write });
        }
        opened => opened?,
    };
    let stat = rustix::fs::fstat(&object).map_err(shm::os("look at"))?;
    #[allow(clippy::useless_conversion, reason = "macOS' modes have 16 bits")]
    let mode = u32::from(stat.st_mode) & 0o7777;
    Ok(Standing {
        bytes: usize::try_from(stat.st_size).ok(),
        user: Some(stat.st_uid),
        is_own: Some(stat.st_uid == rustix::process::geteuid().as_raw()),
        mode: Some(mode),
        may_write: Ok(shm::open(&token).is_ok()),
    })
}

/// What the memory of the lock of that name says. It is mapped for reading.
pub(crate) fn lock_word(name: &str, layout: LockLayout) -> Result<Option<LockWord>, LockOpenError> {
    let token = directory::SHARED.look_up(name).map_err(LockOpenError::Object)?;
    let token = token.ok_or(LockOpenError::Object(ObjectError::Absent))?;
    cond_lock::word_of(&token, &layout).map(Some).map_err(LockOpenError::Object)
}

/// What the recorded owner of anything is worth: as much as it lives.
fn lives(recorded: Option<Process>) -> bool {
    recorded.is_some_and(Process::lives)
}

fn owners(recorded: Option<Process>) -> Vec<u32> {
    recorded.filter(|process| process.lives()).map(|process| process.pid).into_iter().collect()
}

/// The names of the objects that begin with `prefix`, as far as they can be known (wire §7): not those of short names of
/// one or two bytes.
pub(crate) fn object_names(prefix: &str) -> std::io::Result<Vec<String>> {
    directory::SHARED.object_names(prefix).map_err(|error| match error {
        ObjectError::Os { source, .. } => source,
        ObjectError::NotOurs(reason) => std::io::Error::new(std::io::ErrorKind::InvalidData, reason),
        other => std::io::Error::other(format!("{other:?}")),
    })
}

/// The name directory, which stands for a place.
pub(crate) fn place() -> Place {
    let mut place =
        Place { what: "objects of shm_open, with the name directory".to_owned(), ..Place::default() };
    if let Ok(names) = directory::SHARED.object_names("") {
        place.facts.push(format!("the name directory leads to {} objects", names.len()));
    }
    place.facts.push(
        "short names of one or two bytes need no place in the directory, and cannot be listed".to_owned(),
    );
    place
}

/// How receivers sleep until the next frame: they look at the wake word, at most a millisecond apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bell;

impl Bell {
    /// The bell of a segment, whose events would have names that begin with `prefix`.
    pub(crate) fn new(_prefix: String) -> Self {
        Self
    }

    /// Sleeps until `word` is another one than `seen`, and for `limit` at most.
    pub(crate) fn sleep(self, _entry: usize, word: &AtomicU32, seen: u32, limit: Duration) {
        let mut pause = Pause::new(limit);
        while word.load(Ordering::Acquire) == seen && pause.rest() {}
    }

    /// Nobody has to be woken.
    pub(crate) fn wake(self, _word: &AtomicU32, _entries: impl Iterator<Item = usize>) -> usize {
        0
    }
}
