//! A named object of [`shm`], mapped whole.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::mem::Region;
use crate::step::step;
use crate::sys::posix::map::Map;
use crate::sys::posix::shm;
use crate::sys::{Access, ObjectError};

/// The mapping; the descriptor is not needed any more.
#[derive(Debug)]
pub(crate) struct Whole {
    map: Map,
}

impl Whole {
    /// Makes an object that is not there, of at least so many bytes, all zero. For a moment it has the name but no size:
    /// others take that for absent.
    pub(crate) fn create(name: &str, access: Access, bytes: usize) -> Result<Self, ObjectError> {
        let object = shm::create(name, access)?;
        step!("mac object: created");
        if !shm::size_once(&object, bytes).inspect_err(|_| shm::unlink(name))? {
            return Err(ObjectError::Exists); // somebody who found it without a size for too long was faster
        }
        step!("mac object: sized");
        Self::of(&object)
    }

    /// Opens an object; one without a size is absent.
    pub(crate) fn open(name: &str) -> Result<Self, ObjectError> {
        Self::of(&shm::open(name)?)
    }

    /// Opens an object, and gives it a size of so many bytes where it has none: for those who know that nobody else is
    /// about to.
    pub(crate) fn open_or_finish(name: &str, bytes: usize) -> Result<Self, ObjectError> {
        let object = shm::open(name)?;
        if shm::bytes(&object)? == 0 {
            shm::size_once(&object, bytes)?;
        }
        Self::of(&object)
    }

    /// As [`open`](Self::open), for reading alone.
    pub(crate) fn open_to_read(name: &str) -> Result<Self, ObjectError> {
        Self::with(&shm::open_to_read(name)?, Map::read_only)
    }

    /// Maps an object that is open for reading and writing.
    pub(in crate::sys) fn of(object: &OwnedFd) -> Result<Self, ObjectError> {
        Self::with(object, Map::new)
    }

    fn with(
        object: &OwnedFd,
        map: impl FnOnce(BorrowedFd<'_>, usize) -> io::Result<Map>,
    ) -> Result<Self, ObjectError> {
        match shm::bytes(object)? {
            0 => Err(ObjectError::Absent),
            bytes => Ok(Self { map: map(object.as_fd(), bytes).map_err(ObjectError::Map)? }),
        }
    }

    /// All of its bytes.
    #[inline]
    pub(crate) fn region(&self) -> Region<'_> {
        self.map.region()
    }
    /// Them beyond this.
    pub(crate) fn keep(&self) -> Map {
        self.map.clone()
    }
}
