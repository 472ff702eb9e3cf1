//! Files in `/dev/shm`, and signals.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

use rustix::mm::{MapFlags, ProtFlags};

use crate::foreign::Mapping;

/// Where the objects are.
pub const SHM: &str = "/dev/shm";
/// Whether info blocks have the wide layout of Windows (wire §3).
pub const WIDE: bool = false;
/// Whether an object and its name live only as long as somebody has it open.
pub const DIES_WITH_HANDLES: bool = false;
/// Whether a lock says which process holds it.
pub const LOCKS_NAME_HOLDERS: bool = true;
/// Sizes of objects are multiples of this; 1: they are exact.
pub const GRAIN: usize = 1;

/// A file in `/dev/shm`, mapped whole for reading and writing.
#[derive(Debug)]
pub(crate) struct Memory {
    base: NonNull<u8>,
    len: usize,
    path: PathBuf,
}

impl Memory {
    /// Makes a file of `len` bytes, which must not be there yet.
    pub(crate) fn create(name: &str, len: usize) -> Self {
        let path = Path::new(SHM).join(name);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        file.set_len(len as u64).expect("the file can be sized");
        Self::map(&file, len, path)
    }

    /// Opens a file that is there; `None` where it is not.
    pub(crate) fn open(name: &str) -> Option<Self> {
        let path = Path::new(SHM).join(name);
        let file = OpenOptions::new().read(true).write(true).open(&path).ok()?;
        let len = file.metadata().expect("the file has a size").len();
        Some(Self::map(&file, usize::try_from(len).expect("it fits"), path))
    }

    fn map(file: &File, len: usize, path: PathBuf) -> Self {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a null address lets the kernel choose, so nothing that is mapped is touched; the kernel checks
        // the length and the descriptor.
        let base = unsafe {
            rustix::mm::mmap(std::ptr::null_mut(), len.max(1), protection, MapFlags::SHARED, file, 0)
        };
        let base = NonNull::new(base.expect("it can be mapped").cast::<u8>()).expect("not at address 0");
        Self { base, len, path }
    }

    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Removes the name.
    pub(crate) fn unlink(&self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: exactly what `map` mapped, once; every access borrows `self`, so none comes after.
        let result = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.len.max(1)) };
        debug_assert!(result.is_ok(), "unmapping what was mapped cannot fail");
    }
}

/// Where the mutex of a lock object stands (wire §5, Linux).
pub const MUTEX_AT: usize = 64;
/// The number of this program's C library.
pub const ABI: u32 = if cfg!(target_env = "musl") { 2 } else { 1 };
/// Bytes of this program's mutex.
pub const MUTEX_BYTES: usize = size_of::<libc::pthread_mutex_t>();

/// A lock that was made by hand. It stays when this goes.
#[derive(Debug)]
pub struct MadeLock;

/// Makes a lock object by hand: `TDSHMLCK`, version 1, ABI, size of the mutex, holder 0; at 64 a robust mutex
/// between processes.
pub fn make_lock(name: &str) -> MadeLock {
    let mapping = Mapping::create(name, 4096);
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    let mutex = mapping.at(MUTEX_AT, MUTEX_BYTES).cast::<libc::pthread_mutex_t>();
    // SAFETY: room of the right type, alive to the end of this function.
    assert_eq!(unsafe { libc::pthread_mutexattr_init(attributes) }, 0);
    // SAFETY: initialised above; a documented value.
    assert_eq!(unsafe { libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED) }, 0);
    // SAFETY: initialised above; a documented value.
    assert_eq!(unsafe { libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST) }, 0);
    // SAFETY: initialised above; a documented value.
    assert_eq!(unsafe { libc::pthread_mutexattr_settype(attributes, libc::PTHREAD_MUTEX_ERRORCHECK) }, 0);
    // SAFETY: `at` puts all of the mutex inside the mapping, at a multiple of 64; nobody uses it yet.
    assert_eq!(unsafe { libc::pthread_mutex_init(mutex, attributes) }, 0);
    // SAFETY: initialised above and not used after.
    assert_eq!(unsafe { libc::pthread_mutexattr_destroy(attributes) }, 0);
    for (at, number) in [(8, 1), (12, ABI), (16, MUTEX_BYTES as u32), (20, 0)] {
        mapping.write(at, &number.to_le_bytes());
    }
    mapping.write(0, b"TDSHMLCK");
    MadeLock
}

/// The names of all objects that have `part` in theirs.
pub(crate) fn object_names(part: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(SHM) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.contains(part)).collect()
}

/// Removes an object, or whatever has its name.
pub(crate) fn remove_object(name: &str) {
    let path = PathBuf::from(SHM).join(name);
    let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
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
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}

/// Lets it go on.
pub(crate) fn go_on(pid: u32) {
    signal(pid, rustix::process::Signal::CONT);
}

fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
    rustix::process::kill_process(pid, signal).expect("it is there");
}

/// Waits until the main thread of a process sleeps.
pub(crate) fn until_it_sleeps(pid: u32) {
    let path = format!("/proc/{pid}/task/{pid}/stat");
    let sleeps = || {
        let stat = std::fs::read_to_string(&path).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
    };
    while !sleeps() {
        std::thread::yield_now();
    }
}

/// When a process began: field 22 of its `stat`.
#[must_use]
pub fn start_time(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap()
}
