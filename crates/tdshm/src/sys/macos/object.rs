//! Objects that are mapped whole.

use std::ops::Range;
use std::time::Duration;

use crate::directory;
use crate::mem::Region;
use crate::step::step;
use crate::sys::macos::{Kept, lives, owners, same};
use crate::sys::posix::pause::Pause;
use crate::sys::posix::shm;
use crate::sys::posix::whole::Whole;
use crate::sys::{Make, ObjectError, Process};

/// The system makes whole pages of every size by itself; so does the rehearsal.
const PAGE: usize = 4096;
/// How long an object may be without a size before it counts as left by somebody who was killed: in the code of its
/// maker the two steps follow each other.
const UNSIZED: Duration = Duration::from_millis(200);

/// A named stretch of shared memory, mapped whole.
#[derive(Debug)]
pub(crate) struct Object {
    whole: Whole,
    name: String,
    /// What the system calls it: the name, or the token that stands for it.
    token: String,
}

impl Object {
    /// Makes an object, rounded up to whole pages and zero, and lets `fill` write into it. It has its name before that:
    /// the caller holds the lock under which others look.
    pub(crate) fn create(
        name: &str,
        make: Make<'_>,
        fill: impl FnOnce(Region<'_>) -> Result<(), ObjectError>,
    ) -> Result<Self, ObjectError> {
        let token = directory::SHARED.register(name)?.into_owned();
        step!("object before its name");
        if let Some(old) = make.replaces {
            old.unlink();
            step!("object between two names");
        }
        let (bytes, least) = (pages(make.bytes), pages(make.least));
        let whole = match Whole::create(&token, make.access, bytes) {
            Err(ObjectError::NoRoom { .. } | ObjectError::Map(_)) if least < bytes => {
                Whole::create(&token, make.access, least)
            }
            Err(ObjectError::Exists) => finish(&token, bytes),
            created => created,
        }?;
        let object = Self { whole, name: name.to_owned(), token };
        match fill(object.region()) {
            Ok(()) => Ok(object),
            Err(error) => {
                shm::unlink(&object.token);
                Err(error)
            }
        }
    }

    /// Opens the object of that name, which has to have at least `needed` bytes, and maps all of it.
    pub(crate) fn open(name: &str, needed: usize) -> Result<Self, ObjectError> {
        Self::open_with(name, needed, Whole::open)
    }

    /// As [`open`](Self::open), for reading alone.
    pub(crate) fn open_to_read(name: &str, needed: usize) -> Result<Self, ObjectError> {
        Self::open_with(name, needed, Whole::open_to_read)
    }

    fn open_with(
        name: &str,
        needed: usize,
        open: impl FnOnce(&str) -> Result<Whole, ObjectError>,
    ) -> Result<Self, ObjectError> {
        let token = directory::SHARED.look_up(name)?.ok_or(ObjectError::Absent)?.into_owned();
        let whole = open(&token)?;
        let bytes = whole.region().len();
        if bytes < needed {
            return Err(ObjectError::TooSmall { bytes, needed });
        }
        Ok(Self { whole, name: name.to_owned(), token })
    }

    /// All of its bytes.
    #[inline]
    pub(crate) fn region(&self) -> Region<'_> {
        self.whole.region()
    }

    /// Its bytes beyond it: they stay mapped, and its name does not stay with them.
    pub(crate) fn keep(&self) -> Kept {
        self.whole.keep()
    }

    /// Whether the name still leads to this object, by what lies there.
    pub(crate) fn leads_here(&self) -> bool {
        same::leads_to(&self.name, self.region())
    }

    /// Removes the name, if it still leads to this object. The memory stays for whoever has it mapped.
    pub(crate) fn unlink(&self) {
        if same::is_in(&self.token, self.region()) {
            shm::unlink(&self.token);
        }
    }

    /// Becomes the owner of this object, as far as the system is concerned. `false`: the recorded one lives.
    pub(crate) fn own(&self, recorded: Option<Process>) -> Result<bool, ObjectError> {
        Ok(!lives(recorded))
    }

    /// Stops being the owner: the record is the caller's.
    pub(crate) fn disown(&self) {}

    /// Whether the recorded owner lives.
    pub(crate) fn is_owned(&self, recorded: Option<Process>) -> bool {
        lives(recorded)
    }

    /// Whether those bytes are free for a mark of this process: the recorded one does not live.
    pub(crate) fn mark(&self, _bytes: &Range<usize>, recorded: Option<Process>) -> bool {
        !lives(recorded)
    }

    /// Whether the one that is recorded as having marked these bytes lives.
    pub(crate) fn is_marked(&self, _bytes: &Range<usize>, recorded: Option<Process>) -> bool {
        lives(recorded)
    }

    /// The processes that own this object: the recorded one, if it lives.
    pub(crate) fn owners(&self, recorded: Option<Process>) -> Vec<u32> {
        owners(recorded)
    }
}

/// Gives an object that is there a size, if nobody else does for too long.
fn finish(token: &str, bytes: usize) -> Result<Whole, ObjectError> {
    let object = match shm::open(token) {
        Ok(object) => object,
        // It went away in this moment; the caller looks again.
        Err(ObjectError::Absent) => return Err(ObjectError::Exists),
        Err(error) => return Err(error),
    };
    let mut pause = Pause::new(UNSIZED);
    while shm::bytes(&object)? == 0 {
        if !pause.rest() {
            if shm::size_once(&object, bytes)? {
                return Whole::of(&object);
            }
            break;
        }
    }
    Err(ObjectError::Exists)
}

fn pages(bytes: usize) -> usize {
    bytes.checked_next_multiple_of(PAGE).unwrap_or(usize::MAX)
}
