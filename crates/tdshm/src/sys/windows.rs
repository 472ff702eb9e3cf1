//! Windows: objects are named sections of the page file, kernel mutexes and events (wire §1, §2, §5, §11).
//!
//! An object and its name live exactly as long as somebody has it open, so the dead leave nothing behind, and nothing
//! can be removed from under the living. Creation is not atomic: an object has its name before anything is
//! written there, and whoever makes one holds the info lock until it is complete.

mod directory;
mod map;
mod mutex;
pub(crate) mod process;
mod wake;

use std::io;
use std::ops::Range;
use std::os::windows::io::{AsHandle, OwnedHandle};
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, ERROR_COMMITMENT_LIMIT, ERROR_DISK_FULL, ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_HANDLE, ERROR_NO_SYSTEM_RESOURCES, ERROR_NOT_ENOUGH_MEMORY, ERROR_OUTOFMEMORY,
    ERROR_PATH_NOT_FOUND, FILETIME,
};
use windows_sys::Win32::System::SystemInformation::{GetSystemTimeAsFileTime, GetTickCount64};

use crate::mem::Region;
use crate::place::Place;
use crate::step::step;
use crate::sys::windows::map::{Rights, View, create_section, open_section};
use crate::sys::{Make, NameRules, ObjectError, Process, Standing};

pub(crate) use directory::object_names;
pub(crate) use map::View as Kept;
pub(crate) use mutex::{Lock, lock_word};
pub(crate) use process::{life, start_time};
pub(crate) use wake::Bell;

/// Objects live as long as anybody has them open.
pub(crate) const NAMES_DIE_WITH_HANDLES: bool = true;
/// Whoever finds a name taken is refused it.
pub(crate) const LIVE_SENDERS_ARE_ROBBED: bool = false;
/// Nobody but the record says who owns an object (wire §6).
pub(crate) const OWNER_IS_A_RECORD: bool = true;
/// Info blocks have the wide layout; those of builds up to 2018 have the narrow one, and are read as well.
pub(crate) const INFO_IS_WIDE: bool = true;
/// What the system documents for the names of all three kinds of object: `MAX_PATH`, the NUL included.
pub(crate) const NAME_RULES: NameRules = NameRules {
    longest: 259,
    unit: "UTF-16 units",
    length: |name| name.encode_utf16().count(),
    backslash_is_namespace: true,
};

const PAGE: usize = 4096;

/// The session whose objects these are.
pub(crate) fn place() -> Place {
    let mut place = Place { what: "named objects of the session".to_owned(), ..Place::default() };
    place.free_bytes = u64::try_from(map::free_bytes()).ok().filter(|bytes| *bytes != u64::MAX);
    match directory::session() {
        Ok(0) => place.troubles.push(
            "this program runs in session 0, as services do: programs of a desktop, such as TouchDesigner, do not see \
             what it makes. Start it from the desktop"
                .to_owned(),
        ),
        Ok(session) => place.facts.push(format!(
            "session {session}: programs of other sessions, and those that run as administrator while this one does not, \
             do not meet here"
        )),
        Err(error) => place.troubles.push(format!("the session cannot be asked for: {error}")),
    }
    place
}

/// A named stretch of shared memory, mapped whole.
#[derive(Debug)]
pub(crate) struct Object {
    view: View,
    /// The name lasts as long as handles do, not as long as views.
    #[expect(dead_code, reason = "held for its drop")]
    handle: OwnedHandle,
}

impl Object {
    /// Makes an object, rounded up to whole pages and zero, and lets `fill` write into it. It has its name before
    /// that: the caller holds the lock under which others look.
    pub(crate) fn create(
        name: &str,
        make: Make<'_>,
        fill: impl FnOnce(Region<'_>) -> Result<(), ObjectError>,
    ) -> Result<Self, ObjectError> {
        let least = pages(make.least);
        let mut bytes = pages(make.bytes);
        if bytes > map::free_bytes() / 2 {
            bytes = least; // what is ahead must not take the room of others
        }
        step!("object before its name");
        let handle = match create_section(name, bytes) {
            Err(error) if is_no_room(&error) && least < bytes => create_section(name, least),
            other => other,
        }
        .map_err(|error| refused("create", least, error))?;
        let view = View::new(handle.as_handle(), Rights::All).map_err(ObjectError::Map)?;
        fill(view.region())?;
        Ok(Self { view, handle })
    }

    /// Opens the object of that name, which has to have at least `needed` bytes, and maps all of it.
    pub(crate) fn open(name: &str, needed: usize) -> Result<Self, ObjectError> {
        Self::open_with(name, needed, Rights::All)
    }

    /// As [`open`](Self::open), for reading alone.
    pub(crate) fn open_to_read(name: &str, needed: usize) -> Result<Self, ObjectError> {
        Self::open_with(name, needed, Rights::Read)
    }

    fn open_with(name: &str, needed: usize, rights: Rights) -> Result<Self, ObjectError> {
        let handle = open_section(name, rights).map_err(|error| refused("open", 0, error))?;
        let view = View::new(handle.as_handle(), rights).map_err(ObjectError::Map)?;
        let bytes = view.region().len();
        if bytes < needed {
            return Err(ObjectError::TooSmall { bytes, needed });
        }
        Ok(Self { view, handle })
    }

    /// All of its bytes.
    #[inline]
    pub(crate) fn region(&self) -> Region<'_> {
        self.view.region()
    }

    /// Its bytes beyond it: they stay mapped, and the name does not stay with them.
    pub(crate) fn keep(&self) -> Kept {
        self.view.clone()
    }

    /// Whether the name still leads to this object: for as long as it is open.
    pub(crate) fn leads_here(&self) -> bool {
        true
    }

    /// The name goes with the last handle.
    pub(crate) fn unlink(&self) {}

    /// Becomes the owner of this object, as far as the system is concerned. `false`: the recorded one lives.
    pub(crate) fn own(&self, recorded: Option<Process>) -> Result<bool, ObjectError> {
        Ok(!self.is_owned(recorded))
    }

    /// Stops being the owner: the record is the caller's.
    pub(crate) fn disown(&self) {}

    /// Whether the recorded owner lives.
    pub(crate) fn is_owned(&self, recorded: Option<Process>) -> bool {
        recorded.is_some_and(Process::lives)
    }

    /// Whether those bytes are free for a mark of this process: the recorded one does not live.
    pub(crate) fn mark(&self, _bytes: &Range<usize>, recorded: Option<Process>) -> bool {
        !recorded.is_some_and(Process::lives)
    }

    /// Whether the one that is recorded as having marked these bytes lives.
    pub(crate) fn is_marked(&self, _bytes: &Range<usize>, recorded: Option<Process>) -> bool {
        recorded.is_some_and(Process::lives)
    }

    /// The processes that own this object: the recorded one, if it lives.
    pub(crate) fn owners(&self, recorded: Option<Process>) -> Vec<u32> {
        owners(recorded)
    }
}

/// An object for those who look: it is open only until its bytes are mapped, and mapped only while this lives.
#[derive(Debug)]
pub(crate) struct Peek {
    view: View,
}

impl Peek {
    /// Opens the object of that name for reading.
    pub(crate) fn open(name: &str) -> Result<Self, ObjectError> {
        Self::open_with(name, Rights::Read)
    }

    /// Opens the object of that name for reading and writing.
    pub(crate) fn open_to_write(name: &str) -> Result<Self, ObjectError> {
        Self::open_with(name, Rights::All)
    }

    fn open_with(name: &str, rights: Rights) -> Result<Self, ObjectError> {
        let handle = open_section(name, rights).map_err(|error| refused("open", 0, error))?;
        Ok(Self { view: View::new(handle.as_handle(), rights).map_err(ObjectError::Map)? })
    }

    /// Its size.
    pub(crate) fn bytes(&self) -> usize {
        self.view.region().len()
    }

    /// Reads up to `to.len()` bytes from `offset`, and says how many there were.
    pub(crate) fn read(&self, offset: usize, to: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes().saturating_sub(offset).min(to.len());
        match to.get_mut(..count).map(|to| self.view.region().copy_out(offset, to)) {
            Some(Ok(())) => Ok(count),
            _ => Ok(0),
        }
    }

    /// Writes bytes inside the object, which does not grow.
    pub(crate) fn write(&self, offset: usize, from: &[u8]) -> io::Result<()> {
        self.view.region().copy_in(offset, from).map_err(|_| io::ErrorKind::InvalidInput.into())
    }

    /// Whether the recorded owner lives.
    pub(crate) fn is_owned(&self, recorded: Option<Process>) -> bool {
        recorded.is_some_and(Process::lives)
    }

    /// Whether the one that is recorded as having marked these bytes lives.
    pub(crate) fn is_marked(&self, _bytes: &Range<usize>, recorded: Option<Process>) -> bool {
        recorded.is_some_and(Process::lives)
    }

    /// The processes that own it: see [`Object::owners`].
    pub(crate) fn owners(&self, recorded: Option<Process>) -> Vec<u32> {
        owners(recorded)
    }

    /// Becomes its owner, as far as the system is concerned. `false`: the recorded one lives.
    pub(crate) fn own(&self, recorded: Option<Process>) -> bool {
        !self.is_owned(recorded)
    }

    /// Whether nobody has it open as a lock: what is open here is in use, and no mapping is a lock.
    pub(crate) fn claim_unused(&self) -> bool {
        false
    }

    /// Whether the name still leads to this object. Nothing else can have it.
    pub(crate) fn leads_here(&self) -> bool {
        true
    }

    /// The name goes with the last handle.
    pub(crate) fn unlink(&self) {}
}

/// Whether something has the name, and what this user may do with it: objects have no owner that could be asked for.
pub(crate) fn standing(name: &str) -> Result<Standing, ObjectError> {
    let bytes = Some(Peek::open(name)?.bytes());
    let may_write = Ok(Peek::open_to_write(name).is_ok());
    Ok(Standing { bytes, user: None, is_own: None, mode: None, may_write })
}

fn owners(recorded: Option<Process>) -> Vec<u32> {
    recorded.filter(|process| process.lives()).map(|process| process.pid).into_iter().collect()
}

fn pages(bytes: usize) -> usize {
    bytes.checked_next_multiple_of(PAGE).unwrap_or(usize::MAX)
}

/// A name as the system takes it, with its NUL. What holds one itself is no name (`NAME_RULES`).
fn wide(name: &str) -> Vec<u16> {
    name.encode_utf16().chain([0]).collect()
}

fn code(error: &io::Error) -> u32 {
    error.raw_os_error().map_or(0, i32::cast_unsigned)
}

fn is_no_room(error: &io::Error) -> bool {
    matches!(
        code(error),
        ERROR_COMMITMENT_LIMIT
            | ERROR_NOT_ENOUGH_MEMORY
            | ERROR_OUTOFMEMORY
            | ERROR_NO_SYSTEM_RESOURCES
            | ERROR_DISK_FULL
    )
}

/// What it means that the system would not create or open something of that name.
fn refused(operation: &'static str, bytes: usize, source: io::Error) -> ObjectError {
    match code(&source) {
        ERROR_ALREADY_EXISTS => ObjectError::Exists,
        ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND => ObjectError::Absent,
        ERROR_ACCESS_DENIED => ObjectError::NotOurs(
            "access is denied, which usually means that one of the two programs runs as administrator or as a service \
             and the other one does not, or that they run as different users: start both in the same way"
                .to_owned(),
        ),
        ERROR_INVALID_HANDLE => ObjectError::NotOurs(
            "another kind of object has this name, such as the lock of another segment: use another name".to_owned(),
        ),
        _ if is_no_room(&source) => ObjectError::NoRoom { bytes },
        _ => ObjectError::Os { operation, source },
    }
}

/// The name of this program, for those who look at what it owns.
pub(crate) fn program_name() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Nanoseconds since the Unix epoch, as of the last tick of the system's clock: some milliseconds late, and
/// cheap.
#[inline]
pub(crate) fn coarse_time() -> u64 {
    /// From 1601 to 1970, in the file time's 100 ns.
    const EPOCH: u64 = 116_444_736_000_000_000;
    let mut time = FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 };
    // SAFETY: the function writes one `FILETIME`, which lives here.
    unsafe { GetSystemTimeAsFileTime(&raw mut time) };
    process::ticks(time).saturating_sub(EPOCH).saturating_mul(100)
}

/// Nanoseconds since some moment, never set back, as of the last tick.
#[inline]
pub(crate) fn coarse_instant() -> Duration {
    // SAFETY: the function takes nothing and has no conditions.
    Duration::from_millis(unsafe { GetTickCount64() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(code: u32) -> String {
        match refused("open", 7, io::Error::from_raw_os_error(code.cast_signed())) {
            ObjectError::NotOurs(reason) => reason,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn what_the_system_refuses_is_told_in_words() {
        let denied = says(ERROR_ACCESS_DENIED);
        for word in ["access is denied", "administrator", "service", "start both in the same way"] {
            assert!(denied.contains(word), "{denied}");
        }
        assert!(says(ERROR_INVALID_HANDLE).contains("another kind of object"));
        assert_eq!(says(ERROR_ALREADY_EXISTS), "Exists");
        assert_eq!(says(ERROR_FILE_NOT_FOUND), "Absent");
        assert_eq!(says(ERROR_COMMITMENT_LIMIT), "NoRoom { bytes: 7 }");
    }

    #[test]
    fn this_process_lives_and_others_do_not() {
        let me = Process::current();
        assert!(me.lives() && me.start != 0);
        assert!(!Process { start: me.start.wrapping_sub(1), ..me }.lives(), "its id, given to another");
        assert!(!Process { pid: 0x7fff_fff0, start: 1 }.lives());
        let mut child = std::process::Command::new("cmd").args(["/c", "exit"]).spawn().unwrap();
        child.wait().unwrap();
        assert_eq!(start_time(child.id()), None, "it has ended, and this process still has it open");
    }

    #[test]
    fn the_clocks_go() {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        assert!(u128::from(coarse_time()).abs_diff(now) < 1_000_000_000, "nanoseconds since 1970");
        let before = coarse_instant();
        std::thread::sleep(Duration::from_millis(40));
        assert!(coarse_instant() > before);
    }
}
