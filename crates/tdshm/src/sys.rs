//! What each operating system does, behind one set of names chosen by the one ladder below.
//!
//! Each system keeps its nature: POSIX has objects that stay until they are unlinked, Windows named kernel
//! objects that live as long as anybody holds them. What this module promises to the rest of the crate:
//!
//! - [`Object`]: a named stretch of shared memory, mapped whole; created complete or not at all;
//! - [`Kept`]: the memory of an object beyond it, for whoever still holds an address in it;
//! - [`Lock`]: a named lock between processes that survives its holder;
//! - [`Peek`]: an object through its descriptor, for those who look and clean up: nothing is mapped;
//! - [`Bell`]: how receivers sleep until the next frame, and are woken;
//! - [`process`], [`life`]: who this process is, and whether another one lives;
//! - [`object_names`]: the names of the objects there are; [`place`]: where they are; [`standing`], [`lock_word`]: how
//!   one of them stands, for those who look;
//! - [`NAME_RULES`], [`INFO_IS_WIDE`]: what object names and info blocks look like here.
//!
//! Some questions have an answer of another nature on each system. Who owns an object is what the system's own
//! locks say on Linux, and what the object's record says elsewhere: whoever asks hands over the
//! [`Process`] that is recorded, and the system decides what it is worth. [`OWNER_IS_A_RECORD`] and
//! [`NAMES_DIE_WITH_HANDLES`] say which nature it is, where that changes what has to be done.
//!
//! No number of the protocol stands here: layouts arrive as arguments.

use std::io;

#[cfg(unix)]
pub(crate) mod posix;

#[cfg(target_os = "linux")]
#[cfg_attr(tdshm_macos, allow(dead_code, unused_imports, reason = "only its processes and clocks are used"))]
mod linux;
#[cfg(all(target_os = "linux", not(tdshm_macos)))]
use linux as system;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

// On Linux it is built for the tests; `--cfg tdshm_macos` makes it the system there.
#[cfg(any(target_os = "linux", target_os = "macos"))]
#[cfg_attr(
    not(any(target_os = "macos", tdshm_macos)),
    allow(dead_code, unused_imports, reason = "macOS uses it, and the tests do")
)]
mod macos;
#[cfg(any(target_os = "macos", tdshm_macos))]
use macos as system;

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
compile_error!("tdshm has no implementation for this operating system yet");

#[cfg(tdshm_steps)]
pub(crate) use process::{die, stop};
pub(crate) use system::{
    Bell, INFO_IS_WIDE, Kept, LIVE_SENDERS_ARE_ROBBED, Lock, NAME_RULES, NAMES_DIE_WITH_HANDLES,
    OWNER_IS_A_RECORD, Object, Peek, coarse_instant, coarse_time, life, lock_word, object_names, place,
    process, program_name, standing, start_time,
};

/// What a name may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameRules {
    /// The longest object name, in its units.
    pub(crate) longest: usize,
    /// What is counted, in the plural.
    pub(crate) unit: &'static str,
    /// How many of them a name has.
    pub(crate) length: fn(&str) -> usize,
    /// Whether `\` leads to another namespace.
    pub(crate) backslash_is_namespace: bool,
}

/// A process, as the extension records it (wire §11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// In the platform's own unit.
    pub(crate) start: u64,
}

impl Process {
    /// This one.
    pub(crate) fn current() -> Self {
        let pid = process::id();
        Self { pid, start: start_time(pid).unwrap_or_default() }
    }

    pub(crate) fn lives(self) -> bool {
        life(self.pid, self.start) == Life::Lives
    }
}

/// Who besides the owner may open an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    /// Unix permission bits; other systems ignore them.
    pub(crate) mode: u32,
}

impl Access {
    /// The owner's user alone.
    pub(crate) const PRIVATE: Self = Self { mode: 0o600 };
}

/// Who opens a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    /// Whoever owns the segment, or wants to: makes whatever it takes for the name to be known.
    Owner,
    /// Whoever reads: a name that has to be made known first leads nowhere yet (wire §7).
    Guest,
}

/// What is made.
#[allow(dead_code, reason = "each system reads what it knows of")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Make<'a> {
    /// Bytes that are wanted.
    pub(crate) bytes: usize,
    /// Bytes that have to be, where there is not room for those.
    pub(crate) least: usize,
    /// Who else may open it.
    pub(crate) access: Access,
    /// Whether this process owns it for as long as it has it open (wire §6).
    pub(crate) owned: bool,
    /// The object whose name it takes, once it is complete.
    pub(crate) replaces: Option<&'a Object>,
}

/// Whether a process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It does.
    Lives,
    /// It does not, or not as the one that was asked for.
    Dead,
}

/// Why an object could not be created or opened.
#[derive(Debug)]
pub(crate) enum ObjectError {
    /// The name is taken.
    Exists,
    /// Nothing has the name, or what had it went away in this moment, or is being made.
    Absent,
    /// Something has the name that this program must not use.
    NotOurs(String),
    /// The object is smaller than what it has to hold.
    TooSmall { bytes: usize, needed: usize },
    /// There is no room for so many bytes.
    NoRoom { bytes: usize },
    /// The system would not map it.
    Map(io::Error),
    /// Any other refusal of the system, with what was tried.
    Os { operation: &'static str, source: io::Error },
}

/// What stands under an object's name, and what this user may do with it.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) bytes: Option<usize>,
    pub(crate) user: Option<u32>,
    pub(crate) is_own: Option<bool>,
    pub(crate) mode: Option<u32>,
    /// Whether it may write as well as read; or why it may do neither.
    pub(crate) may_write: Result<bool, String>,
}

/// What the memory of a lock says in one moment, to whoever only looks.
#[allow(dead_code, reason = "not every system's locks show anything")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LockWord {
    Free,
    /// With the process that has it, where it can be told.
    Held(Option<u32>),
    Abandoned,
    Unrecoverable,
}

/// Where the parts of a lock object stand, for systems whose locks live in memory.
#[allow(dead_code, reason = "each system reads what its own lock has")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct LockLayout {
    pub(crate) magic: [u8; 8],
    pub(crate) version: u32,
    pub(crate) version_at: usize,
    pub(crate) abi_at: usize,
    pub(crate) abi_glibc: u32,
    pub(crate) abi_musl: u32,
    pub(crate) mutex_bytes_at: usize,
    pub(crate) holder_at: usize,
    pub(crate) mutex_at: usize,
    pub(crate) record: RecordLayout,
}

/// Where the record of a lock's holder stands, for the lock that is made of a mutex, a condition and a flag.
#[allow(dead_code, reason = "each system reads what its own lock has")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordLayout {
    pub(crate) magic: [u8; 8],
    pub(crate) at: usize,
    pub(crate) pid_at: usize,
    pub(crate) start_at: usize,
    pub(crate) identity_at: usize,
    pub(crate) maker_at: usize,
    pub(crate) maker_start_at: usize,
    pub(crate) thread_at: usize,
    pub(crate) object_bytes: usize,
}

/// Why a lock could not be opened.
#[derive(Debug)]
pub(crate) enum LockOpenError {
    /// Its object could not be opened.
    Object(ObjectError),
    /// The object is not a lock that this program can use.
    #[cfg_attr(windows, allow(dead_code, reason = "a kernel mutex is a lock"))]
    NotALock { field: &'static str, value: u64, expected: u64, advice: &'static str },
}

/// How a lock was got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The last holder let go of it.
    Clean,
    /// The last holder died with it.
    Abandoned,
}

/// Why a lock was not got.
#[derive(Debug)]
pub(crate) enum LockFailure {
    /// Not free within the limit; the holder's process id where the object says.
    Timeout { holder: Option<u32> },
    /// This thread has it.
    AlreadyHeld,
    /// Broken for ever.
    Unrecoverable,
    /// The mutex inside it, which is held for no longer than a look, was not free all the time.
    #[cfg_attr(windows, allow(dead_code, reason = "a kernel mutex has nothing inside"))]
    Stuck,
}
