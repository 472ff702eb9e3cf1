//! Every error of the crate, by stage: names, locks, segments, blocks, and [`Error`] above them.

mod block;

use std::io;
use std::time::Duration;

use crate::sys::ObjectError;

pub use block::{BlockError, FieldValue};

/// Anything that can go wrong, by stage.
///
/// After an error the object that gave it is usable, unlocked, and still holds its last good frame.
///
/// The text is for people: one sentence with the names, the numbers and what to do. [`kind`](Self::kind) is for programs.
///
/// ```
/// use tdshm::{ChopSender, Error, ErrorKind};
///
/// # let name = format!("docerror{}", std::process::id());
/// # let out = ChopSender::create(&name)?;
/// match ChopSender::create(&name) {
///     Ok(_sender) => {}
///     Err(error) if error.kind() == ErrorKind::Busy => println!("{error}"), // … process 4711 sends it …
///     Err(error) => return Err(error),
/// }
/// # drop(out);
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A short name that cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A lock that could not be taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A segment that could not be created, opened or found.
    #[error(transparent)]
    Segment(#[from] SegmentError),
    /// A block that cannot be written, or that somebody else wrote wrongly.
    #[error(transparent)]
    Block(#[from] BlockError),
}

/// What a program may do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Trying again soon may work.
    Retry,
    /// There is nothing of that name yet.
    Absent,
    /// Somebody else has it.
    Busy,
    /// It was there and has gone.
    Gone,
    /// The argument or the rights are wrong: trying again will not help.
    Refused,
    /// What is there does not follow the protocol.
    Broken,
}

/// The states that TouchDesigner's own classes report (wire §10), for programs that come from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
#[non_exhaustive]
#[doc(alias = "UT_SharedMemError")]
pub enum ErrorState {
    /// No error.
    None = 0,
    /// A segment of that name is already there.
    AlreadyExists = 1,
    /// No segment of that name.
    DoesNotExist = 2,
    /// The info segment of that name is already there.
    InfoAlreadyExists = 3,
    /// The info segment is missing, or the sender has left.
    InfoDoesNotExist = 4,
    /// The mapping failed.
    UnableToMap = 5,
    /// The info lock was not free within the limit.
    UnableToLockInfo = 6,
}

/// A short name that cannot be one (wire §1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The name is empty.
    #[error("the shared-memory name is empty: give the Shared Mem Name that the other side uses")]
    Empty,
    /// The name holds a character that no object name may hold.
    #[error("the shared-memory name {name:?} holds {found:?}: use a name without it")]
    Character {
        /// The name.
        name: String,
        /// The first character that is not allowed.
        found: char,
    },
    /// On Windows: the name holds `\`.
    #[error(
        "the shared-memory name {name:?} holds '\\', which on Windows leads to another namespace: the prefix stands \
         before the whole name, so such a name cannot work; use one without it"
    )]
    Namespace {
        /// The name.
        name: String,
    },
    /// The longest object name derived from it would not fit the platform.
    #[error(
        "the shared-memory name {name:?} has {length} {unit}, and at most {limit} fit here: use a shorter one"
    )]
    TooLong {
        /// The name.
        name: String,
        /// Its length.
        length: usize,
        /// In what that is counted: bytes, or UTF-16 units on Windows.
        unit: &'static str,
        /// The greatest length that fits.
        limit: usize,
    },
}

/// A lock that could not be taken, or whose object is not what it should be (wire §5).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// It was not free within the limit.
    #[error(
        "the lock {name} was not free within {} ms{}: end or continue the program that holds it, or wait longer", waited.as_millis(), who_holds(.holder)
    )]
    Timeout {
        /// The lock's object name.
        name: String,
        /// How long was waited.
        waited: Duration,
        /// The process that holds it, where the lock says.
        holder: Option<u32>,
    },
    /// This very thread holds it already: the lock is not recursive.
    #[error("this thread already holds the lock {name}: let go of the view or guard that holds it first")]
    AlreadyHeld {
        /// The lock's object name.
        name: String,
    },
    /// This process was forked from the one that made the sender, which still owns it.
    #[error(
        "the segment of {name} belongs to process {owner}, from which this one was forked: make a sender of its own"
    )]
    Forked {
        /// The lock's object name.
        name: String,
        /// The process that made the sender.
        owner: u32,
    },
    /// The object of that name is not a lock this program can use.
    #[error(
        "{name} is not a usable lock: its {field} is {}, and it should be {}: {advice}", word(*value), word(*expected)
    )]
    NotALock {
        /// The lock's object name.
        name: String,
        /// The field that is wrong.
        field: &'static str,
        /// What it holds.
        value: u64,
        /// What it should hold.
        expected: u64,
        /// What to do.
        advice: &'static str,
    },
    /// A holder died and another program let go of the lock without repairing it.
    #[error("the lock {name} was left unusable by another program: remove {name} once nobody uses it")]
    Unrecoverable {
        /// The lock's object name.
        name: String,
    },
    /// What guards the lock itself, and is held for an instant by whoever takes the lock or lets go of it, was not
    /// free within the limit: most likely a program was killed in that instant (macOS).
    #[error(
        "what guards the lock {name} itself was held throughout {} ms, most likely because a program was killed in the \
         instant it had it: end all programs that use {name}, and use another name until the machine starts anew",
        waited.as_millis()
    )]
    Stuck {
        /// The lock's object name.
        name: String,
        /// How long was waited.
        waited: Duration,
    },
    /// The lock's object could not be created or opened.
    #[error(transparent)]
    Object(Box<SegmentError>),
}

fn who_holds(holder: &Option<u32>) -> String {
    holder.map(|pid| format!(" (process {pid} holds it)")).unwrap_or_default()
}

/// A segment that could not be created, opened or found (wire §2, §3, §10).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentError {
    /// A data segment of that name is already there.
    #[error("a segment named {name:?} is already there ({object}): {by}")]
    AlreadyExists {
        /// The short name.
        name: String,
        /// The object that is in the way.
        object: String,
        /// Whose it is.
        by: Occupant,
    },
    /// No segment of that name.
    #[error("no segment named {name:?}: start the program that sends it, with that very name")]
    DoesNotExist {
        /// The short name.
        name: String,
    },
    /// An info segment of that name is already there.
    #[error("the name {name:?} is already in use ({object}): {by}")]
    InfoAlreadyExists {
        /// The short name.
        name: String,
        /// The object that is in the way.
        object: String,
        /// Whose it is.
        by: Occupant,
    },
    /// The info segment is missing, or the sender has left.
    #[error("the sender of {name:?} has left: waiting for another one to come")]
    InfoDoesNotExist {
        /// The short name.
        name: String,
    },
    /// The mapping failed.
    #[error("cannot map {object}: {source}: end programs that use up memory, and try again")]
    UnableToMap {
        /// The object.
        object: String,
        /// What the system said.
        source: io::Error,
    },
    /// The info lock was not free within the limit.
    #[error("cannot lock the info segment of {name:?}: {source}")]
    UnableToLockInfo {
        /// The short name.
        name: String,
        /// The lock's own error.
        source: Box<LockError>,
    },
    /// Something else stands where the object should be.
    #[error("{object} is not a segment this program may use: {reason}")]
    NotOurs {
        /// The object.
        object: String,
        /// What is wrong with it.
        reason: String,
    },
    /// This program may read it, or only observes it, and what was asked for needs its lock.
    #[error(
        "{name:?} is only observed here: {why}; let its sender widen the mode of its objects to 0o660 or 0o666, or run both \
         programs as one user"
    )]
    OnlyObserved {
        /// The short name.
        name: String,
        /// What the lock is needed for.
        why: &'static str,
    },
    /// The object is smaller than what it has to hold.
    #[error(
        "{object} has {bytes} bytes, and at least {needed} are needed: its sender is broken or not ready yet"
    )]
    TooSmall {
        /// The object.
        object: String,
        /// Its size in bytes.
        bytes: usize,
        /// The smallest size that makes sense.
        needed: usize,
    },
    /// There is no room for it in the machine's shared memory.
    #[error(
        "no room in shared memory for the {bytes} bytes of {object}: end what uses it up (`tdshm list`, `tdshm clean`), \
         or give it more (on Linux the size of /dev/shm)"
    )]
    NoRoom {
        /// The object.
        object: String,
        /// How many bytes were to be reserved.
        bytes: usize,
    },
    /// The info segment does not hold an info block.
    #[error(
        "{object} is not an info segment: its {field} is {value:#x}, and it should be {expected:#x}: end the program that \
         made it, or use another name"
    )]
    BadInfo {
        /// The object.
        object: String,
        /// The field that is wrong.
        field: &'static str,
        /// What it holds.
        value: u64,
        /// What it should hold.
        expected: u64,
    },
    /// A size that no segment can have.
    #[error("a segment of {bytes} bytes cannot be made: ask for 1 to {limit}")]
    BadSize {
        /// The size that was asked for.
        bytes: usize,
        /// The greatest one.
        limit: usize,
    },
    /// More places for the data than a segment can have.
    #[error("a segment has no {count} slots: ask for 2 to {limit}, or for 0 to have none")]
    TooManySlots {
        /// How many were asked for.
        count: usize,
        /// The most there can be.
        limit: usize,
    },
    /// A draft that its sender has no use for.
    #[error(
        "this draft is not the one that the sender of {name:?} began last, or a frame was sent since: begin another one, and \
         draw that"
    )]
    StaleDraft {
        /// The short name of the sender that was to publish it.
        name: String,
    },
    /// The operating system refused.
    #[error(transparent)]
    Os(#[from] OsError),
}

/// Whose a name is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Occupant {
    /// A living process owns it: nobody can take it away.
    Process(u32),
    /// Its owner died, but other processes, which it forked, still have its segment open.
    Heirs {
        /// The process that owned it.
        owner: u32,
        /// Those that have it open.
        heirs: Vec<u32>,
    },
    /// Another program's sender, of which nobody can tell whether it lives.
    Foreign,
}

impl core::fmt::Display for Occupant {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Process(pid) => write!(f, "process {pid} sends it: use another name, or end that process"),
            Self::Heirs { owner, heirs } => {
                let heirs: Vec<String> = heirs.iter().map(ToString::to_string).collect();
                let heirs = heirs.join(" and ");
                write!(
                    f,
                    "its sender, process {owner}, has died, but process {heirs}, which it forked, still has the \
                     segment open: end process {heirs}"
                )
            }
            Self::Foreign => f.write_str(
                "another program made it, and nobody can tell whether that still lives: end it, or take the name \
                 over (`take_over`, `--take-over`)",
            ),
        }
    }
}

/// What the operating system said, with the operation and the object.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[error("cannot {operation} {object}: {source}")]
pub struct OsError {
    /// What was tried, as a verb.
    pub operation: &'static str,
    /// The object's name.
    pub object: String,
    /// What the system said.
    pub source: io::Error,
}

impl Error {
    /// What a program may do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Name(_) => ErrorKind::Refused,
            Self::Lock(error) => error.kind(),
            Self::Segment(error) => error.kind(),
            Self::Block(_) => ErrorKind::Broken,
        }
    }

    /// The number of the error: 1 to 6 are those of [`ErrorState`], ours are 100 and above and never change.
    ///
    /// # Source
    ///
    /// wire §10.
    #[must_use]
    pub fn code(&self) -> i32 {
        match self {
            Self::Name(_) => 100,
            Self::Lock(error) => error.code(),
            Self::Segment(error) => error.code(),
            Self::Block(_) => 120,
        }
    }
}

/// Small numbers as people count, and magic ones as they are looked up.
fn word(value: u64) -> String {
    if value > u64::from(u16::MAX) { format!("{value:#x}") } else { value.to_string() }
}

impl LockError {
    /// What a program may do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Timeout { .. } => ErrorKind::Retry,
            Self::AlreadyHeld { .. } => ErrorKind::Busy,
            Self::Forked { .. } => ErrorKind::Refused,
            Self::NotALock { .. } | Self::Unrecoverable { .. } | Self::Stuck { .. } => ErrorKind::Broken,
            Self::Object(error) => error.kind(),
        }
    }

    fn code(&self) -> i32 {
        match self {
            Self::Timeout { .. } => 101,
            Self::AlreadyHeld { .. } => 102,
            Self::NotALock { .. } => 103,
            Self::Unrecoverable { .. } => 104,
            Self::Forked { .. } => 105,
            Self::Stuck { .. } => 106,
            Self::Object(error) => error.code(),
        }
    }
}

impl SegmentError {
    /// What a program may do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyExists { .. } | Self::InfoAlreadyExists { .. } => ErrorKind::Busy,
            Self::DoesNotExist { .. } => ErrorKind::Absent,
            Self::InfoDoesNotExist { .. } => ErrorKind::Gone,
            Self::UnableToMap { .. }
            | Self::UnableToLockInfo { .. }
            | Self::TooSmall { .. }
            | Self::NoRoom { .. } => ErrorKind::Retry,
            Self::NotOurs { .. }
            | Self::OnlyObserved { .. }
            | Self::BadSize { .. }
            | Self::TooManySlots { .. }
            | Self::StaleDraft { .. }
            | Self::Os(_) => ErrorKind::Refused,
            Self::BadInfo { .. } => ErrorKind::Broken,
        }
    }

    /// The state that TouchDesigner's own class would report.
    ///
    /// What it has no state for is [`ErrorState::UnableToMap`]: the segment is there and cannot be used.
    ///
    /// # Source
    ///
    /// wire §10.
    #[must_use]
    #[doc(alias = "getErrorState")]
    pub fn state(&self) -> ErrorState {
        match self {
            Self::AlreadyExists { .. } => ErrorState::AlreadyExists,
            Self::DoesNotExist { .. } => ErrorState::DoesNotExist,
            Self::InfoAlreadyExists { .. } => ErrorState::InfoAlreadyExists,
            Self::InfoDoesNotExist { .. } => ErrorState::InfoDoesNotExist,
            Self::UnableToLockInfo { .. } => ErrorState::UnableToLockInfo,
            Self::UnableToMap { .. }
            | Self::NotOurs { .. }
            | Self::OnlyObserved { .. }
            | Self::TooSmall { .. }
            | Self::NoRoom { .. }
            | Self::BadInfo { .. }
            | Self::BadSize { .. }
            | Self::TooManySlots { .. }
            | Self::StaleDraft { .. }
            | Self::Os(_) => ErrorState::UnableToMap,
        }
    }

    fn code(&self) -> i32 {
        match self {
            Self::NotOurs { .. } => 110,
            Self::TooSmall { .. } => 111,
            Self::BadInfo { .. } => 112,
            Self::BadSize { .. } => 113,
            Self::Os(_) => 114,
            Self::NoRoom { .. } => 115,
            Self::OnlyObserved { .. } => 116,
            Self::TooManySlots { .. } => 117,
            Self::StaleDraft { .. } => 118,
            _ => self.state() as i32,
        }
    }
}

/// What went wrong with an object, with its name. Whoever knows more about `Exists` and `Absent` (is it the
/// data or the info segment?) handles them before.
pub(crate) fn object_error(error: ObjectError, object: &str) -> SegmentError {
    let object = object.to_owned();
    match error {
        ObjectError::Exists => {
            SegmentError::AlreadyExists { name: object.clone(), object, by: Occupant::Foreign }
        }
        ObjectError::Absent => SegmentError::DoesNotExist { name: object },
        ObjectError::NotOurs(reason) => SegmentError::NotOurs { object, reason },
        ObjectError::TooSmall { bytes, needed } => SegmentError::TooSmall { object, bytes, needed },
        ObjectError::NoRoom { bytes } => SegmentError::NoRoom { object, bytes },
        ObjectError::Map(source) => SegmentError::UnableToMap { object, source },
        ObjectError::Os { operation, source } => OsError { operation, object, source }.into(),
    }
}
