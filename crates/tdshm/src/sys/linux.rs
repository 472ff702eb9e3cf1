//! Linux: objects are files in `/dev/shm` (wire §1 and §2, ours).
//!
//! An object is made without a name (`O_TMPFILE`), filled, and then given its name with `linkat`, which
//! never replaces another: nobody ever sees half of one, and a program killed on the way leaves nothing.

mod look;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, FallocateFlags, FileType, FlockOperation, Mode, OFlags, SeekFrom, Stat};
use rustix::io::Errno;
use rustix::thread::futex;

use crate::mem::Region;
use crate::place::Place;
use crate::step::step;
use crate::sys::posix::map::Map;
use crate::sys::posix::owner;
use crate::sys::{Access, Life, Make, NameRules, ObjectError, Process};

pub(crate) use look::{lock_word, standing};

pub(crate) use crate::sys::posix::map::Map as Kept;
pub(crate) use crate::sys::posix::process;
pub(crate) use crate::sys::posix::robust_lock::Lock;

/// Where glibc's and musl's `shm_open` put their objects.
const DIRECTORY: &str = "/dev/shm";
const PAGE: usize = 4096;

/// Objects stay until they are unlinked.
pub(crate) const NAMES_DIE_WITH_HANDLES: bool = false;
/// The system itself knows who owns an object, and grants that to one at a time.
pub(crate) const OWNER_IS_A_RECORD: bool = false;
/// A foreign program that finds the name taken by a living sender of ours can do nothing but write over it.
pub(crate) const LIVE_SENDERS_ARE_ROBBED: bool = false;
/// Info blocks have the narrow layout, and are read as nothing else.
pub(crate) const INFO_IS_WIDE: bool = false;
/// File names, without the leading slash (wire §1, ours).
pub(crate) const NAME_RULES: NameRules =
    NameRules { longest: 255, unit: "bytes", length: str::len, backslash_is_namespace: false };

/// A named stretch of shared memory, mapped whole.
#[derive(Debug)]
pub(crate) struct Object {
    map: Map,
    fd: OwnedFd,
    path: String,
    identity: Identity,
}

/// What a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(stat: &Stat) -> Self {
        Self { device: stat.st_dev, inode: stat.st_ino }
    }

    fn is_at(self, path: &str) -> bool {
        rustix::fs::lstat(path).is_ok_and(|stat| Self::of(&stat) == self)
    }

    fn unlink(self, path: &str) {
        if self.is_at(path) {
            // It fails only when the name has gone already, which is what was wanted.
            let _ = rustix::fs::unlink(path);
        }
    }

    fn owners(self) -> Vec<u32> {
        let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
        let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        let owns = |pid: &u32| {
            let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            descriptors
                .filter(|entry| rustix::fs::stat(entry.path()).is_ok_and(|stat| Self::of(&stat) == self))
                .filter_map(|entry| entry.file_name().into_string().ok())
                .filter_map(|fd| std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).ok())
                .any(|info| {
                    info.lines().any(|line| line.contains("OFDLCK") && line.trim_end().ends_with(" 0 0"))
                })
        };
        ids.filter(owns).collect()
    }
}

impl Object {
    /// Makes an object, rounded up to whole pages and zero, lets `fill` write into it, and publishes it under
    /// `name`: complete, or not at all.
    pub(crate) fn create(
        name: &str,
        make: Make<'_>,
        fill: impl FnOnce(Region<'_>) -> Result<(), ObjectError>,
    ) -> Result<Self, ObjectError> {
        let mut bytes = pages(make.bytes);
        let mode = Mode::from_raw_mode(make.access.mode);
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let fd = rustix::fs::open(DIRECTORY, flags, mode).map_err(os("create an object in /dev/shm for"))?;
        if bytes > free_bytes(&fd) / 2 {
            bytes = pages(make.least); // what is ahead must not take the room of others
        }
        match reserve(&fd, bytes) {
            Err(ObjectError::NoRoom { .. }) if pages(make.least) < bytes => {
                bytes = pages(make.least);
                reserve(&fd, bytes)?;
            }
            other => other?,
        }
        if make.access.mode & !0o600 != 0 {
            // The umask narrows what is widened on purpose.
            rustix::fs::fchmod(&fd, mode).map_err(os("set the mode of"))?;
        }
        if make.owned {
            owner::take(fd.as_fd(), &owner::OWNER)
                .map_err(|source| ObjectError::Os { operation: "own", source })?;
        }
        let map = Map::new(fd.as_fd(), bytes).map_err(ObjectError::Map)?;
        fill(map.region())?;

        let path = path(name);
        let unnamed = format!("/proc/self/fd/{}", fd.as_raw_fd());
        step!("object before its name");
        if let Some(old) = make.replaces {
            old.unlink();
            step!("object between two names");
        }
        match rustix::fs::linkat(CWD, unnamed, CWD, &path, AtFlags::SYMLINK_FOLLOW) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Err(ObjectError::Exists),
            Err(error) => return Err(os("publish")(error)),
        }
        let stat = rustix::fs::fstat(&fd).map_err(os("look at"))?;
        Ok(Self { map, fd, path, identity: Identity::of(&stat) })
    }

    /// Opens the object of that name, which has to be a plain one of at least `needed` bytes that this user
    /// may use, and maps all of it.
    pub(crate) fn open(name: &str, needed: usize) -> Result<Self, ObjectError> {
        let path = path(name);
        let (fd, stat, bytes) = open_checked(&path, OFlags::RDWR, needed)?;
        if !is_whole(&fd, &stat) {
            reserve_foreign(&fd, &stat, bytes)?;
        }
        let map = Map::new(fd.as_fd(), bytes).map_err(ObjectError::Map)?;
        Ok(Self { map, fd, path, identity: Identity::of(&stat) })
    }

    /// As [`open`](Self::open), for reading alone.
    pub(crate) fn open_to_read(name: &str, needed: usize) -> Result<Self, ObjectError> {
        let path = path(name);
        let (fd, stat, bytes) = open_checked(&path, OFlags::RDONLY, needed)?;
        if !is_whole(&fd, &stat) {
            // Whoever may not write cannot reserve them.
            return Err(ObjectError::NotOurs("some of its pages are not there yet".to_owned()));
        }
        let map = Map::read_only(fd.as_fd(), bytes).map_err(ObjectError::Map)?;
        Ok(Self { map, fd, path, identity: Identity::of(&stat) })
    }

    /// All of its bytes.
    #[inline]
    pub(crate) fn region(&self) -> Region<'_> {
        self.map.region()
    }

    /// Its bytes beyond it: they stay mapped, and whose it is does not stay with them.
    pub(crate) fn keep(&self) -> Kept {
        self.map.clone()
    }

    /// Whether the name still leads to this object.
    pub(crate) fn leads_here(&self) -> bool {
        self.identity.is_at(&self.path)
    }

    /// Removes the name, if it still leads to this object. The memory stays for whoever has it mapped.
    pub(crate) fn unlink(&self) {
        self.identity.unlink(&self.path);
    }

    /// Becomes the owner of this object, whoever is recorded. `false`: another open file is.
    pub(crate) fn own(&self, _recorded: Option<Process>) -> Result<bool, ObjectError> {
        owner::take(self.fd.as_fd(), &owner::OWNER)
            .map_err(|source| ObjectError::Os { operation: "own", source })
    }

    /// Stops being the owner.
    pub(crate) fn disown(&self) {
        owner::release(self.fd.as_fd(), &owner::OWNER);
    }

    /// Whether somebody else owns this object, whoever is recorded: a system call.
    pub(crate) fn is_owned(&self, _recorded: Option<Process>) -> bool {
        owner::is_taken(self.fd.as_fd(), &owner::OWNER).unwrap_or(false)
    }

    /// Marks bytes of this object as this open object's, until it is closed. `false`: another has one of them,
    /// whoever is recorded.
    pub(crate) fn mark(&self, bytes: &Range<usize>, _recorded: Option<Process>) -> bool {
        owner::take(self.fd.as_fd(), bytes).unwrap_or(false)
    }

    /// Whether another open object has marked any of these bytes, whoever is recorded.
    pub(crate) fn is_marked(&self, bytes: &Range<usize>, _recorded: Option<Process>) -> bool {
        owner::is_taken(self.fd.as_fd(), bytes).unwrap_or(false)
    }

    /// The processes that own this object, as far as this user may see: one, and those that it forked. Slow: it
    /// looks at every descriptor of every process, so it is for error messages.
    pub(crate) fn owners(&self, _recorded: Option<Process>) -> Vec<u32> {
        self.identity.owners()
    }

    /// Sets its permission bits, where it belongs to this user.
    pub(crate) fn set_mode(&self, access: Access) -> Result<(), ObjectError> {
        let stat = rustix::fs::fstat(&self.fd).map_err(os("look at"))?;
        let mode = Mode::from_raw_mode(access.mode);
        if stat.st_uid != rustix::process::geteuid().as_raw() || Mode::from_raw_mode(stat.st_mode) == mode {
            return Ok(());
        }
        rustix::fs::fchmod(&self.fd, mode).map_err(os("set the mode of"))
    }

    /// Says to whoever cleans up that this object is in use, for as long as it is open.
    pub(crate) fn mark_in_use(&self) -> Result<(), ObjectError> {
        rustix::fs::flock(&self.fd, FlockOperation::LockShared).map_err(os("mark as used"))
    }
}

/// An object through its descriptor: nothing is mapped, so nobody who shrinks it can hurt.
#[derive(Debug)]
pub(crate) struct Peek {
    file: File,
    bytes: usize,
    path: String,
    identity: Identity,
}

impl Peek {
    /// Opens the object of that name for reading.
    pub(crate) fn open(name: &str) -> Result<Self, ObjectError> {
        Self::open_to(name, OFlags::RDONLY)
    }

    /// Opens the object of that name for reading and writing, which becoming its owner needs as well.
    pub(crate) fn open_to_write(name: &str) -> Result<Self, ObjectError> {
        Self::open_to(name, OFlags::RDWR)
    }

    fn open_to(name: &str, how: OFlags) -> Result<Self, ObjectError> {
        let path = path(name);
        // Nothing is mapped, so a stranger's object cannot hurt: the system's own rights are enough.
        let (fd, stat) = open_plain(&path, how)?;
        let bytes = usize::try_from(stat.st_size).unwrap_or(0);
        Ok(Self { file: File::from(fd), bytes, path, identity: Identity::of(&stat) })
    }

    /// Its size.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reads up to `to.len()` bytes from `offset`, and says how many there were.
    pub(crate) fn read(&self, offset: usize, to: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(to, u64::try_from(offset).unwrap_or(u64::MAX))
    }

    /// Writes bytes inside the object, which does not grow.
    pub(crate) fn write(&self, offset: usize, from: &[u8]) -> io::Result<()> {
        if offset.checked_add(from.len()).is_none_or(|end| end > self.bytes) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.file.write_all_at(from, u64::try_from(offset).unwrap_or(u64::MAX))
    }

    /// Whether somebody else owns it, whoever is recorded.
    pub(crate) fn is_owned(&self, _recorded: Option<Process>) -> bool {
        owner::is_taken(self.file.as_fd(), &owner::OWNER).unwrap_or(false)
    }

    /// Whether somebody has marked any of these bytes, whoever is recorded.
    pub(crate) fn is_marked(&self, bytes: &Range<usize>, _recorded: Option<Process>) -> bool {
        owner::is_taken(self.file.as_fd(), bytes).unwrap_or(false)
    }

    /// The processes that own it: see [`Object::owners`].
    pub(crate) fn owners(&self, _recorded: Option<Process>) -> Vec<u32> {
        self.identity.owners()
    }

    /// Becomes its owner, until this is dropped, whoever is recorded. `false`: somebody else is.
    pub(crate) fn own(&self, _recorded: Option<Process>) -> bool {
        owner::take(self.file.as_fd(), &owner::OWNER).unwrap_or(false)
    }

    /// Whether nobody has it open as a lock, and nobody can until this is dropped: whoever opens it then looks
    /// at its name again.
    pub(crate) fn claim_unused(&self) -> bool {
        rustix::fs::flock(&self.file, FlockOperation::NonBlockingLockExclusive).is_ok()
    }

    /// Whether the name still leads to this object.
    pub(crate) fn leads_here(&self) -> bool {
        self.identity.is_at(&self.path)
    }

    /// Removes the name, if it still leads to this object.
    pub(crate) fn unlink(&self) {
        self.identity.unlink(&self.path);
    }
}

/// The names of all objects that begin with `prefix`, in no particular order.
pub(crate) fn object_names(prefix: &str) -> io::Result<Vec<String>> {
    let entries = std::fs::read_dir(DIRECTORY)?;
    Ok(entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .collect())
}

/// Bytes of `/dev/shm` below which a large block may not fit.
const LITTLE_ROOM: u64 = 64 << 20;

/// The file system of the objects, and what narrows it.
pub(crate) fn place() -> Place {
    let mut place = Place { what: format!("files in {DIRECTORY}"), ..Place::default() };
    match rustix::fs::statvfs(DIRECTORY) {
        Ok(stat) => {
            let total = stat.f_blocks.saturating_mul(stat.f_frsize);
            let free = stat.f_bavail.saturating_mul(stat.f_frsize);
            (place.free_bytes, place.total_bytes) = (Some(free), Some(total));
            if free < LITTLE_ROOM {
                place.troubles.push(format!(
                    "{DIRECTORY} has {free} of its {total} bytes left: give it more (mount -o remount,size=1g {DIRECTORY}, \
                     or docker run --shm-size=1g)"
                ));
            }
        }
        Err(error) => {
            place.troubles.push(format!("{DIRECTORY} cannot be used: {error}: mount a tmpfs there"))
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(umask) = status.lines().find_map(|line| line.strip_prefix("Umask:")).map(str::trim) {
        place.facts.push(format!("umask {umask}"));
        // The owner's bits to read and write.
        if u32::from_str_radix(umask, 8).is_ok_and(|bits| bits & 0o600 != 0) {
            place.troubles.push(format!(
                "the umask {umask} takes this user's own rights to what it makes: set it to 0022 (umask 0022)"
            ));
        }
    }
    if std::path::Path::new("/.dockerenv").exists() || std::path::Path::new("/run/.containerenv").exists() {
        place.facts.push(
            "in a container: programs of other containers, and of the host, meet here only if they share /dev/shm \
             (docker run --ipc=host)"
                .to_owned(),
        );
    }
    place
}

fn pages(bytes: usize) -> usize {
    bytes.checked_next_multiple_of(PAGE).unwrap_or(usize::MAX)
}

/// Reserves all pages now, because one that cannot be had later is a SIGBUS for whoever touches it.
fn reserve(fd: &OwnedFd, bytes: usize) -> Result<(), ObjectError> {
    let length = u64::try_from(bytes).unwrap_or(u64::MAX);
    loop {
        match rustix::fs::fallocate(fd, FallocateFlags::empty(), 0, length) {
            Ok(()) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(Errno::NOSPC | Errno::FBIG) => return Err(ObjectError::NoRoom { bytes }),
            Err(error) => return Err(os("reserve the pages of")(error)),
        }
    }
}

/// Whether all pages of an object that is going to be mapped are there. Those of a living sender of ours are; a
/// foreign one's may not be (`ftruncate` makes none).
fn is_whole(fd: &OwnedFd, stat: &Stat) -> bool {
    owner::is_taken(fd.as_fd(), &owner::OWNER).unwrap_or(false)
        || rustix::fs::seek(fd, SeekFrom::Hole(0)).is_ok_and(|hole| hole >= stat.st_size.unsigned_abs())
}

/// Sees to it that they are.
fn reserve_foreign(fd: &OwnedFd, stat: &Stat, bytes: usize) -> Result<(), ObjectError> {
    let there = usize::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512);
    // Trying would fill up all that is free before it failed, and others would die of that.
    if bytes.saturating_sub(there) > free_bytes(fd) {
        return Err(ObjectError::NoRoom { bytes });
    }
    reserve(fd, bytes)
}

/// What is free where that file lies.
fn free_bytes(fd: &OwnedFd) -> usize {
    rustix::fs::fstatvfs(fd).map_or(usize::MAX, |system| {
        usize::try_from(system.f_bavail.saturating_mul(system.f_frsize)).unwrap_or(usize::MAX)
    })
}

fn path(name: &str) -> String {
    format!("{DIRECTORY}/{name}")
}

fn os(operation: &'static str) -> impl Fn(Errno) -> ObjectError {
    move |error| ObjectError::Os { operation, source: error.into() }
}

/// Opens what is going to be mapped: a plain object of at least `needed` bytes that its owner means for this user. Says
/// how many there are.
fn open_checked(path: &str, how: OFlags, needed: usize) -> Result<(OwnedFd, Stat, usize), ObjectError> {
    let (fd, stat) = open_plain(path, how)?;
    // Whoever may shrink an object may kill whoever maps it, so a stranger's is used only where its mode says
    // that it is meant for others. The kernel asks the same of everybody but root.
    if stat.st_uid != rustix::process::geteuid().as_raw() && stat.st_mode & 0o066 == 0 {
        return Err(denied(path));
    }
    match usize::try_from(stat.st_size).unwrap_or(0) {
        0 => Err(ObjectError::Absent), // a foreign sender between its shm_open and its ftruncate
        bytes if bytes < needed => Err(ObjectError::TooSmall { bytes, needed }),
        bytes => Ok((fd, stat, bytes)),
    }
}

/// Opens without following a link or waiting for anything, and refuses what is not a plain object.
fn open_plain(path: &str, how: OFlags) -> Result<(OwnedFd, Stat), ObjectError> {
    let flags = how | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Err(ObjectError::Absent),
        Err(Errno::LOOP) => return Err(ObjectError::NotOurs("it is a symbolic link".to_owned())),
        Err(Errno::ISDIR) => return Err(ObjectError::NotOurs("it is a directory".to_owned())),
        Err(Errno::NXIO) => return Err(ObjectError::NotOurs("it is not a plain file".to_owned())),
        Err(Errno::ACCESS) => return Err(denied(path)),
        Err(error) => return Err(os("open")(error)),
    };
    let stat = rustix::fs::fstat(&fd).map_err(os("look at"))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return Err(ObjectError::NotOurs("it is a directory".to_owned())),
        _ => return Err(ObjectError::NotOurs("it is not a plain file".to_owned())),
    }
    match stat.st_nlink {
        0 => Err(ObjectError::Absent), // unlinked in this moment
        1 => Ok((fd, stat)),
        links => Err(ObjectError::NotOurs(format!("it has {links} names (hard links), and should have one"))),
    }
}

fn denied(path: &str) -> ObjectError {
    let owner = rustix::fs::lstat(path).map(|stat| stat.st_uid);
    let who = owner.map_or_else(|_| "another user".to_owned(), |uid| format!("user {uid}"));
    ObjectError::NotOurs(format!(
        "it belongs to {who}, who has not shared it: run both programs as one user, or let the sender widen its mode; \
         what a program that has ended left there, `tdshm clean` removes when {who} or root runs it"
    ))
}

/// When that process started, in clock ticks since the machine did; `None` when it does not exist, or has
/// ended and was not waited for.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in parentheses, and may hold blanks and parentheses itself.
    let mut fields = stat.get(stat.rfind(')')?..)?.split_ascii_whitespace().skip(1);
    let state = fields.next()?;
    let start = fields.nth(18)?; // field 22, where the state is field 3
    if matches!(state, "Z" | "X" | "x") { None } else { start.parse().ok() }
}

/// Whether the process with that id and start time lives, as far as this system can tell.
pub(crate) fn life(pid: u32, start: u64) -> Life {
    // Where the times differ another process has the id by now.
    if start_time(pid) == Some(start) { Life::Lives } else { Life::Dead }
}

/// The name of this program, for those who look at what it owns.
pub(crate) fn program_name() -> String {
    let path = std::fs::read_link("/proc/self/exe").unwrap_or_default();
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Nanoseconds since the Unix epoch, as of the last tick of the system's clock: some milliseconds late, and
/// cheap.
#[inline]
pub(crate) fn coarse_time() -> u64 {
    nanoseconds(rustix::time::ClockId::RealtimeCoarse)
}

/// Nanoseconds since some moment, never set back, as of the last tick.
#[inline]
pub(crate) fn coarse_instant() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

#[inline]
fn nanoseconds(clock: rustix::time::ClockId) -> u64 {
    let now = rustix::time::clock_gettime(clock);
    // Neither is negative, and the sum is one for the next five hundred years: nothing is checked for each frame.
    now.tv_sec.cast_unsigned().wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec.cast_unsigned())
}

/// How receivers sleep until the next frame: on the wake word itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bell;

impl Bell {
    /// The bell of a segment, whose events would have names that begin with `prefix`.
    pub(crate) fn new(_prefix: String) -> Self {
        Self
    }

    /// Sleeps in the receiver's entry number `entry` until that is woken, unless `word` is another one than `seen`
    /// already, and for `limit` at most.
    pub(crate) fn sleep(self, _entry: usize, word: &AtomicU32, seen: u32, limit: Duration) {
        let limit = rustix::time::Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        };
        // Woken, too late, changed before, interrupted: whoever sleeps looks again in every case.
        let _ = futex::wait(word, futex::Flags::empty(), seen, Some(&limit));
    }

    /// Wakes the receivers that sleep, of which `entries` say that they do, and says how many there were; 0 as well
    /// where the system does not tell.
    pub(crate) fn wake(self, word: &AtomicU32, _entries: impl Iterator<Item = usize>) -> usize {
        futex::wake(word, futex::Flags::empty(), i32::MAX.unsigned_abs()).unwrap_or(0)
    }
}
