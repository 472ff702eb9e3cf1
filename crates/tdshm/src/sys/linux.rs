//! Linux: objects are files in `/dev/shm` (wire §1 and §2, ours).
//!
//! An object is made without a name (`O_TMPFILE`), filled, and then given its name with `linkat`, which
//! never replaces another: nobody ever sees half of one, and a program killed on the way leaves nothing.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

use rustix::fs::{AtFlags, CWD, FallocateFlags, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::mem::Region;
use crate::sys::posix::map::Map;
use crate::sys::{Access, ObjectError};

pub(crate) use crate::sys::posix::process;
pub(crate) use crate::sys::posix::robust_lock::Lock;

/// Where glibc's and musl's `shm_open` put their objects.
const DIRECTORY: &str = "/dev/shm";
const PAGE: usize = 4096;

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
}

impl Object {
    /// Makes an object of `bytes` bytes, rounded up to whole pages and zero, lets `fill` write into it, and
    /// publishes it under `name`: complete, or not at all.
    pub(crate) fn create(
        name: &str,
        bytes: usize,
        access: Access,
        fill: impl FnOnce(Region<'_>) -> Result<(), ObjectError>,
    ) -> Result<Self, ObjectError> {
        let bytes = bytes.checked_next_multiple_of(PAGE).unwrap_or(usize::MAX);
        let mode = Mode::from_raw_mode(access.mode);
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let fd = rustix::fs::open(DIRECTORY, flags, mode).map_err(os("create an object in /dev/shm for"))?;
        // Reserved now, because a page that cannot be had later is a SIGBUS for whoever touches it.
        let length = u64::try_from(bytes).unwrap_or(u64::MAX);
        rustix::fs::fallocate(&fd, FallocateFlags::empty(), 0, length).map_err(os("reserve the pages of"))?;
        // The umask narrows what is widened on purpose.
        rustix::fs::fchmod(&fd, mode).map_err(os("set the mode of"))?;
        let map = Map::new(fd.as_fd(), bytes).map_err(ObjectError::Map)?;
        fill(map.region())?;

        let path = path(name);
        let unnamed = format!("/proc/self/fd/{}", fd.as_raw_fd());
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
        let (fd, stat) = open_checked(&path, OFlags::RDWR)?;
        let bytes = usize::try_from(stat.st_size).unwrap_or(0);
        match bytes {
            0 => return Err(ObjectError::Absent), // a foreign sender between its shm_open and its ftruncate
            _ if bytes < needed => return Err(ObjectError::TooSmall { bytes }),
            _ => {}
        }
        let map = Map::new(fd.as_fd(), bytes).map_err(ObjectError::Map)?;
        Ok(Self { map, fd, path, identity: Identity::of(&stat) })
    }

    /// All of its bytes.
    #[inline]
    pub(crate) fn region(&self) -> Region<'_> {
        self.map.region()
    }

    /// Whether the name still leads to this object.
    pub(crate) fn leads_here(&self) -> bool {
        rustix::fs::lstat(&self.path).is_ok_and(|stat| Identity::of(&stat) == self.identity)
    }

    /// Removes the name, if it still leads to this object. The memory stays for whoever has it mapped.
    pub(crate) fn unlink(&self) {
        if self.leads_here() {
            // It fails only when the name has gone already, which is what was wanted.
            let _ = rustix::fs::unlink(&self.path);
        }
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

/// A look at an object through its descriptor: nothing is mapped, so nobody who shrinks it can hurt.
#[derive(Debug)]
pub(crate) struct Peek {
    file: File,
    bytes: usize,
}

impl Peek {
    /// Opens the object of that name for reading.
    pub(crate) fn open(name: &str) -> Result<Self, ObjectError> {
        let (fd, stat) = open_checked(&path(name), OFlags::RDONLY)?;
        Ok(Self { file: File::from(fd), bytes: usize::try_from(stat.st_size).unwrap_or(0) })
    }

    /// Its size.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reads up to `to.len()` bytes from `offset`, and says how many there were.
    pub(crate) fn read(&self, offset: usize, to: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(to, u64::try_from(offset).unwrap_or(u64::MAX))
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

fn path(name: &str) -> String {
    format!("{DIRECTORY}/{name}")
}

fn os(operation: &'static str) -> impl Fn(Errno) -> ObjectError {
    move |error| ObjectError::Os { operation, source: error.into() }
}

/// Opens without following a link or waiting for anything, and refuses what is not a plain object of ours.
fn open_checked(path: &str, how: OFlags) -> Result<(OwnedFd, Stat), ObjectError> {
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
    // Whoever may shrink an object may kill whoever maps it, so a stranger's is used only where its mode says
    // that it is meant for others. The kernel asks the same of everybody but root.
    if stat.st_uid != rustix::process::geteuid().as_raw() && stat.st_mode & 0o066 == 0 {
        return Err(denied(path));
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
        "it belongs to {who}, who has not shared it: run both programs as one user, or let the sender widen its mode"
    ))
}
