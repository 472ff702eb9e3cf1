//! The name directory of macOS: short tokens for names that are too long there (wire §7).
//!
//! macOS takes object names of 31 bytes, and nearly every lock's name is longer. So the programs share one object in
//! which they look names up, under one lock. Whoever owns a segment adds the names that are missing; whoever only
//! reads finds them, or finds that nobody sends yet. Nothing is ever removed. An object cannot grow there: it is
//! unlinked and made anew, and a program that is killed between the two takes all names with it, so ours makes it
//! large at once.
//!
//! All of this is plain POSIX, and built on every Unix; only macOS uses it.

#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::borrow::Cow;
use std::time::Duration;

use zerocopy::FromZeros;

use crate::lock::layout::LAYOUT;
use crate::mem::{OutOfBounds, Region};
use crate::name::{INFO_SUFFIX, LOCK_SUFFIX, PREFIX};
use crate::step::step;
use crate::sys::posix::cond_lock::CondLock;
use crate::sys::posix::shm;
use crate::sys::posix::whole::Whole;
use crate::sys::{Access, LockFailure, LockOpenError, ObjectError};
use crate::wire::directory::{self as wire, Header, Room};

/// How long its lock is waited for (wire §7).
const LIMIT: Duration = Duration::from_millis(5000);
/// All programs of the machine share it, whoever started them.
const ACCESS: Access = Access { mode: 0o666 };

/// A directory: the names of its object and its lock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Directory<'n> {
    object: &'n str,
    lock: &'n str,
}

/// The one that all programs use.
pub(crate) const SHARED: Directory<'static> = Directory { object: wire::NAME, lock: wire::LOCK_NAME };

/// Its lock, held.
struct Held(CondLock);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// The directory as it lies there, and a copy of what was used of it.
struct Contents {
    object: Whole,
    room: Room,
    used: Vec<u8>,
}

impl Directory<'_> {
    /// The name by which the system knows an object, if it knows one: itself where it is short enough.
    pub(crate) fn look_up<'n>(&self, name: &'n str) -> Result<Option<Cow<'n, str>>, ObjectError> {
        if name.len() <= shm::LONGEST_NAME {
            return Ok(Some(Cow::Borrowed(name)));
        }
        Ok(self.used()?.and_then(|used| wire::find(&used, name)).map(Cow::Owned))
    }

    /// As [`look_up`](Self::look_up), and adds the name where it is missing.
    pub(crate) fn register<'n>(&self, name: &'n str) -> Result<Cow<'n, str>, ObjectError> {
        if name.len() <= shm::LONGEST_NAME {
            return Ok(Cow::Borrowed(name));
        }
        let lock = CondLock::open(self.lock, Some(ACCESS), &LAYOUT).map_err(|error| self.no_lock(error))?;
        let held = self.hold(lock)?;
        let contents = self.open_or_make()?;
        if let Some(token) = wire::find(&contents.used, name) {
            return Ok(Cow::Owned(token));
        }
        let token = match self.replace(&contents, name) {
            Some(token) => token,
            None => self.append(contents, name)?,
        };
        drop(held);
        Ok(Cow::Owned(token))
    }

    /// The names of the objects that begin with `prefix`, as far as they can be known: those in the directory, and those
    /// of the segments whose info locks stand in it. A short name of one or two bytes needs no entry, and cannot be
    /// found.
    pub(crate) fn object_names(&self, prefix: &str) -> Result<Vec<String>, ObjectError> {
        let used = self.used()?.unwrap_or_default();
        let mut names: Vec<String> = wire::entries(&used)
            .filter(|entry| wire::token_of(*entry).is_some_and(|token| shm::exists(&token)))
            .filter_map(|entry| core::str::from_utf8(entry.name).ok().map(str::to_owned))
            .collect();
        let shorts = names.iter().filter_map(|name| {
            name.strip_prefix(PREFIX)?
                .strip_prefix(PREFIX)?
                .strip_suffix(LOCK_SUFFIX)?
                .strip_suffix(INFO_SUFFIX)
        });
        let related: Vec<String> = shorts
            .flat_map(|short| {
                let data = format!("{PREFIX}{short}");
                [format!("{PREFIX}{data}{INFO_SUFFIX}"), format!("{data}{LOCK_SUFFIX}"), data]
            })
            // Longer ones stand in the directory themselves.
            .filter(|name| name.len() <= shm::LONGEST_NAME && shm::exists(name))
            .collect();
        names.extend(related);
        names.retain(|name| name.starts_with(prefix));
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// A copy of the used bytes; `None`: there is no directory.
    fn used(&self) -> Result<Option<Vec<u8>>, ObjectError> {
        // Where it cannot be opened every name is missing; and who only looks makes nothing.
        let Ok(lock) = CondLock::open(self.lock, None, &LAYOUT) else { return Ok(None) };
        let held = self.hold(lock)?;
        let used = match Whole::open(self.object) {
            Ok(object) => match self.read(object)? {
                Ok(contents) => Some(contents.used),
                Err(_) => None,
            },
            Err(_) => None,
        };
        drop(held);
        Ok(used)
    }

    fn hold(&self, lock: CondLock) -> Result<Held, ObjectError> {
        // A dead holder left nothing half done that is not seen: an entry counts from when it is whole.
        match lock.acquire(LIMIT) {
            Ok(_) => Ok(Held(lock)),
            Err(failure) => {
                let who = match failure {
                    LockFailure::Timeout { holder: Some(pid) } => format!("process {pid} holds it"),
                    LockFailure::Timeout { holder: None } => {
                        "a program that cannot be named holds it".to_owned()
                    }
                    LockFailure::Stuck => "a program was killed in the instant that it took it".to_owned(),
                    LockFailure::AlreadyHeld => "this thread holds it already".to_owned(),
                    LockFailure::Unrecoverable => "it is no lock".to_owned(),
                };
                let text =
                    format!("its lock {} was not free within {} ms: {who}", self.lock, LIMIT.as_millis());
                Err(self.failed(std::io::Error::new(std::io::ErrorKind::TimedOut, text)))
            }
        }
    }

    fn no_lock(&self, error: LockOpenError) -> ObjectError {
        match error {
            LockOpenError::Object(error) => error,
            LockOpenError::NotALock { field, advice, .. } => self.failed(std::io::Error::other(format!(
                "the {field} of its lock {} is not there: {advice}",
                self.lock
            ))),
        }
    }

    fn failed(&self, source: std::io::Error) -> ObjectError {
        ObjectError::Os { operation: "look up in the name directory", source }
    }

    /// The contents; the inner error: nobody has written any yet.
    fn read(&self, object: Whole) -> Result<Result<Contents, Whole>, ObjectError> {
        let region = object.region();
        let header = region.read::<Header>(0).unwrap_or_else(|OutOfBounds| Header::new_zeroed());
        if header.is_blank() {
            return Ok(Err(object));
        }
        let room = header.check(region.len()).map_err(|error| {
            ObjectError::NotOurs(format!("the name directory {} is broken: {error}", self.object))
        })?;
        let mut used = vec![0; room.used];
        region.copy_out(wire::HEADER_BYTES, &mut used).map_err(|OutOfBounds| ObjectError::Absent)?;
        Ok(Ok(Contents { object, room, used }))
    }

    /// The contents of the directory, which is made where it is missing. The caller holds the lock, so what has no size
    /// or no header was left by somebody who was killed.
    fn open_or_make(&self) -> Result<Contents, ObjectError> {
        let object = match Whole::create(self.object, ACCESS, wire::FIRST_BYTES) {
            Err(ObjectError::Exists) => Whole::open_or_finish(self.object, wire::FIRST_BYTES)?,
            object => object?,
        };
        match self.read(object)? {
            Ok(contents) => Ok(contents),
            Err(blank) => Self::begin(blank, &[]),
        }
    }

    /// Fills an object that nobody has filled, the header last.
    fn begin(object: Whole, used: &[u8]) -> Result<Contents, ObjectError> {
        let region = object.region();
        let header = Header::new(region.len(), used.len());
        let put = |region: Region<'_>| {
            region.copy_in(wire::HEADER_BYTES, used)?;
            step!("mac directory: copied back");
            region.write(0, &header)
        };
        let needed = wire::HEADER_BYTES.saturating_add(used.len());
        put(region).map_err(|OutOfBounds| ObjectError::TooSmall { bytes: region.len(), needed })?;
        let room = Room { allocated: region.len().saturating_sub(wire::HEADER_BYTES), used: used.len() };
        Ok(Contents { object, room, used: used.to_vec() })
    }

    /// Gives the entry of a former move of the same segment to `name`, where its object has gone.
    fn replace(&self, contents: &Contents, name: &str) -> Option<String> {
        let (token, entry) = wire::of_former_moves(&contents.used, name)
            .filter_map(|entry| Some((wire::token_of(entry)?, entry)))
            .find(|(token, _)| !shm::exists(token))?;
        let at = wire::HEADER_BYTES.checked_add(entry.at)?;
        // As long as the one it replaces. Who is killed here leaves a name that nobody asks for.
        contents.object.region().copy_in(at, name.as_bytes()).ok()?;
        Some(token)
    }

    fn append(&self, contents: Contents, name: &str) -> Result<String, ObjectError> {
        let Contents { object, room, mut used } = contents;
        let number = wire::smallest_unused(&used, |token| !shm::exists(token));
        let token = wire::token(number);
        let entry = wire::entry(name, &token);
        let end = wire::end(&used);
        used.truncate(end);
        used.extend_from_slice(&entry);
        if used.len() <= room.allocated {
            let region = object.region();
            let put = || {
                region.copy_in(wire::HEADER_BYTES.saturating_add(end), &entry)?;
                step!("mac directory: entry");
                region.write(wire::USED_OFFSET, &u64::try_from(used.len()).unwrap_or(u64::MAX))
            };
            let needed = wire::HEADER_BYTES.saturating_add(used.len());
            put().map_err(|OutOfBounds| ObjectError::TooSmall { bytes: region.len(), needed })?;
        } else {
            let bytes = object.region().len();
            drop(object);
            self.grow(bytes, &used)?;
        }
        Ok(token)
    }

    /// Makes the directory anew, with more room.
    fn grow(&self, bytes: usize, used: &[u8]) -> Result<(), ObjectError> {
        let bytes = wire::grown(bytes, used.len()).ok_or(ObjectError::NoRoom { bytes: used.len() })?;
        shm::unlink(self.object);
        step!("mac directory: unlinked");
        let object = Whole::create(self.object, ACCESS, bytes)?;
        step!("mac directory: made");
        Self::begin(object, used)?;
        Ok(())
    }
}
