//! Objects for those who look and clean up.

use std::io;
use std::ops::Range;

use crate::directory;
use crate::sys::macos::{lives, owners, same};
use crate::sys::posix::shm;
use crate::sys::posix::whole::Whole;
use crate::sys::{ObjectError, Process};

/// An object that is looked at. It is mapped, because nothing can be read here otherwise; nobody can shrink an object, so
/// that does no harm.
#[derive(Debug)]
pub(crate) struct Peek {
    whole: Whole,
    name: String,
    token: String,
}

impl Peek {
    /// Opens the object of that name for reading.
    pub(crate) fn open(name: &str) -> Result<Self, ObjectError> {
        Self::open_with(name, Whole::open_to_read)
    }

    /// Opens the object of that name for reading and writing.
    pub(crate) fn open_to_write(name: &str) -> Result<Self, ObjectError> {
        Self::open_with(name, Whole::open)
    }

    fn open_with(
        name: &str,
        open: impl FnOnce(&str) -> Result<Whole, ObjectError>,
    ) -> Result<Self, ObjectError> {
        let token = directory::SHARED.look_up(name)?.ok_or(ObjectError::Absent)?.into_owned();
        Ok(Self { whole: open(&token)?, name: name.to_owned(), token })
    }

    /// Its size.
    pub(crate) fn bytes(&self) -> usize {
        self.whole.region().len()
    }

    /// Reads up to `to.len()` bytes from `offset`, and says how many there were.
    pub(crate) fn read(&self, offset: usize, to: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes().saturating_sub(offset).min(to.len());
        match to.get_mut(..count).map(|to| self.whole.region().copy_out(offset, to)) {
            Some(Ok(())) => Ok(count),
            _ => Ok(0),
        }
    }

    /// Writes bytes inside the object.
    pub(crate) fn write(&self, offset: usize, from: &[u8]) -> io::Result<()> {
        self.whole.region().copy_in(offset, from).map_err(|_| io::ErrorKind::InvalidInput.into())
    }

    /// Whether the recorded owner lives.
    pub(crate) fn is_owned(&self, recorded: Option<Process>) -> bool {
        lives(recorded)
    }

    /// Whether the one that is recorded as having marked these bytes lives.
    pub(crate) fn is_marked(&self, _bytes: &Range<usize>, recorded: Option<Process>) -> bool {
        lives(recorded)
    }

    /// The processes that own it: the recorded one, if it lives.
    pub(crate) fn owners(&self, recorded: Option<Process>) -> Vec<u32> {
        owners(recorded)
    }

    /// Becomes its owner, as far as the system is concerned. `false`: the recorded one lives.
    pub(crate) fn own(&self, recorded: Option<Process>) -> bool {
        !lives(recorded)
    }

    /// Nobody can tell whether a lock is in use, so none ever is unused.
    pub(crate) fn claim_unused(&self) -> bool {
        false
    }

    /// Whether the name still leads to this object, by what lies there.
    pub(crate) fn leads_here(&self) -> bool {
        same::leads_to(&self.name, self.whole.region())
    }

    /// Removes the name, if it still leads to this object.
    pub(crate) fn unlink(&self) {
        if same::is_in(&self.token, self.whole.region()) {
            shm::unlink(&self.token);
        }
    }
}
