//! Objects of `shm_open`, found by the name directory, and signals.

use std::ptr::NonNull;

use crate::system::shm::{Lock, Object, Shm};

/// Whether info blocks have the wide layout of Windows (wire §3).
pub const WIDE: bool = false;
/// Whether an object and its name live only as long as somebody has it open.
pub const DIES_WITH_HANDLES: bool = false;
/// Whether a lock says which process holds it.
pub const LOCKS_NAME_HOLDERS: bool = true;
/// Sizes of objects are multiples of this.
pub const GRAIN: usize = if cfg!(target_arch = "aarch64") { 16_384 } else { 4096 };

/// The state of a process that stands still (`SSTOP` of `sys/proc.h`).
const STOPPED: u32 = 4;

/// An object, mapped whole for reading and writing.
#[derive(Debug)]
pub(crate) struct Memory {
    object: Object,
    name: String,
}

impl Memory {
    /// Makes an object of `len` bytes, which must not be there yet.
    pub(crate) fn create(name: &str, len: usize) -> Self {
        Self { object: Shm::default().create(name, len), name: name.to_owned() }
    }

    /// Opens an object that is there; `None` where it is not.
    pub(crate) fn open(name: &str) -> Option<Self> {
        Some(Self { object: Shm::default().open(name)?, name: name.to_owned() })
    }

    pub(crate) fn base(&self) -> NonNull<u8> {
        self.object.base()
    }

    pub(crate) fn len(&self) -> usize {
        self.object.len()
    }

    /// Removes the name.
    pub(crate) fn unlink(&self) {
        Shm::default().unlink(&self.name);
    }
}

/// A lock that was made by hand. It stays when this goes.
#[derive(Debug)]
pub struct MadeLock(#[expect(dead_code, reason = "mapped for as long as this lives")] Lock);

/// Makes a lock object by hand, without a record of who holds it.
pub fn make_lock(name: &str) -> MadeLock {
    MadeLock(Shm::default().make_lock(name))
}

/// The names of all objects that have `part` in theirs, as far as they can be found.
pub(crate) fn object_names(part: &str) -> Vec<String> {
    Shm::default().names_with(part)
}

/// Removes an object.
pub(crate) fn remove_object(name: &str) {
    Shm::default().unlink(name);
}

/// Sudden death of this process: nothing is dropped, nothing is let go of.
pub fn die() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}

/// Begins to stop a process, as `kill -STOP` does.
pub(crate) fn stop(pid: u32) {
    signal(pid, rustix::process::Signal::STOP);
}

/// Whether a process that is being stopped stands still.
pub(crate) fn stands_still(pid: u32) -> bool {
    information(pid).pbi_status == STOPPED
}

/// Lets it go on.
pub(crate) fn go_on(pid: u32) {
    signal(pid, rustix::process::Signal::CONT);
}

fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
    rustix::process::kill_process(pid, signal).expect("it is there");
}

/// Gives a process time to fall asleep. Whether it does the system does not say of others: a test that relies on this is
/// right all the same, and where the time was too short it shows less.
pub(crate) fn until_it_sleeps(_pid: u32) {
    for _ in 0..2000 {
        std::thread::yield_now();
    }
}

/// When a process began, in microseconds since the Unix epoch.
#[must_use]
pub fn start_time(pid: u32) -> u64 {
    let information = information(pid);
    information.pbi_start_tvsec * 1_000_000 + information.pbi_start_tvusec
}

fn information(pid: u32) -> libc::proc_bsdinfo {
    let mut information = std::mem::MaybeUninit::<libc::proc_bsdinfo>::zeroed();
    let bytes = size_of::<libc::proc_bsdinfo>() as libc::c_int;
    // SAFETY: room for so many bytes; any process id may be asked for.
    let filled = unsafe {
        libc::proc_pidinfo(
            pid as libc::c_int,
            libc::PROC_PIDTBSDINFO,
            0,
            information.as_mut_ptr().cast(),
            bytes,
        )
    };
    assert_eq!(filled, bytes, "process {pid} is there");
    // SAFETY: integers, of which zero is one, and which the call filled.
    unsafe { information.assume_init() }
}
