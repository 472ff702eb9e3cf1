//! Named objects with nothing but what POSIX has for them: `shm_open`, a size that is set once, `shm_unlink`. There is
//! no list of them, nothing can be locked or linked, and what a descriptor leads to has no inode.
//!
//! This is macOS. Elsewhere the same calls are built for the tests, in a namespace of their own: every name gets a
//! prefix, so that no object of another program is ever met.

use std::borrow::Cow;
use std::os::fd::OwnedFd;

use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::shm::{self, OFlags};

use crate::sys::{Access, ObjectError};

/// Bytes of the longest name (`PSHMNAMLEN` of macOS).
pub(crate) const LONGEST_NAME: usize = 31;

/// Opens an object for reading and writing.
pub(in crate::sys) fn open(name: &str) -> Result<OwnedFd, ObjectError> {
    open_to(name, OFlags::RDWR)
}

/// Opens an object for reading.
pub(in crate::sys) fn open_to_read(name: &str) -> Result<OwnedFd, ObjectError> {
    open_to(name, OFlags::RDONLY)
}

fn open_to(name: &str, how: OFlags) -> Result<OwnedFd, ObjectError> {
    shm::open(full(name)?.as_ref(), how, Mode::empty()).map_err(|error| match error {
        Errno::NOENT => ObjectError::Absent,
        Errno::ACCESS | Errno::PERM => ObjectError::NotOurs(
            "it belongs to another user, who has not shared it: run both programs as one user, or let the sender \
             widen its mode"
                .to_owned(),
        ),
        error => os("open")(error),
    })
}

/// Makes an object that is not there, without a size. The umask narrows its mode.
pub(crate) fn create(name: &str, access: Access) -> Result<OwnedFd, ObjectError> {
    let mode = Mode::from_raw_mode(mode_bits(access));
    shm::open(full(name)?.as_ref(), OFlags::RDWR | OFlags::CREATE | OFlags::EXCL, mode).map_err(|error| {
        match error {
            Errno::EXIST => ObjectError::Exists,
            Errno::NOSPC | Errno::NFILE | Errno::MFILE => ObjectError::NoRoom { bytes: 0 },
            error => os("create")(error),
        }
    })
}

fn mode_bits(access: Access) -> rustix::fs::RawMode {
    rustix::fs::RawMode::try_from(access.mode & 0o777).unwrap_or(0o600)
}

/// Removes a name. The memory stays for whoever has it mapped.
pub(crate) fn unlink(name: &str) {
    if let Ok(name) = full(name) {
        // It fails only when the name has gone already, which is what was wanted.
        let _ = shm::unlink(name.as_ref());
    }
}

/// Whether something has the name.
pub(crate) fn exists(name: &str) -> bool {
    !matches!(open_to_read(name), Err(ObjectError::Absent))
}

/// Its size; 0: it has not been given one.
pub(in crate::sys) fn bytes(object: &OwnedFd) -> Result<usize, ObjectError> {
    let stat = rustix::fs::fstat(object).map_err(os("look at"))?;
    Ok(usize::try_from(stat.st_size).unwrap_or(0))
}

/// Gives an object its size, which can be done once. `false`: somebody else has done it.
#[cfg(target_os = "macos")]
pub(in crate::sys) fn size_once(object: &OwnedFd, bytes: usize) -> Result<bool, ObjectError> {
    match rustix::fs::ftruncate(object, u64::try_from(bytes).unwrap_or(u64::MAX)) {
        Ok(()) => Ok(true),
        // The system's answer for an object that has one.
        Err(Errno::INVAL) if self::bytes(object)? != 0 => Ok(false),
        Err(Errno::NOMEM | Errno::NOSPC) => Err(ObjectError::NoRoom { bytes }),
        Err(error) => Err(os("set the size of")(error)),
    }
}

/// Gives an object its size, once as there.
#[cfg(not(target_os = "macos"))]
pub(in crate::sys) fn size_once(object: &OwnedFd, bytes: usize) -> Result<bool, ObjectError> {
    use rustix::fs::FlockOperation;
    rustix::fs::flock(object, FlockOperation::LockExclusive).map_err(os("lock"))?;
    let first = self::bytes(object)? == 0;
    let sized =
        if first { rustix::fs::ftruncate(object, u64::try_from(bytes).unwrap_or(u64::MAX)) } else { Ok(()) };
    rustix::fs::flock(object, FlockOperation::Unlock).map_err(os("unlock"))?;
    sized.map_err(os("set the size of"))?;
    Ok(first)
}

/// The name as the system takes it: on macOS without a leading slash.
fn full(name: &str) -> Result<Cow<'_, str>, ObjectError> {
    if name.len() > LONGEST_NAME {
        return Err(os("open")(Errno::NAMETOOLONG));
    }
    #[cfg(target_os = "macos")]
    return Ok(Cow::Borrowed(name));
    #[cfg(not(target_os = "macos"))]
    Ok(Cow::Owned(format!("/{}{name}", namespace())))
}

/// What all names of this process begin with: the environment's word, or this process's own, so that the processes of
/// one test meet and no others.
#[cfg(not(target_os = "macos"))]
pub(in crate::sys) fn namespace() -> &'static str {
    static NAMESPACE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    NAMESPACE.get_or_init(|| {
        let own = || format!("tdshm{:x}-", std::process::id());
        std::env::var(NAMESPACE_VARIABLE).unwrap_or_else(|_| own()).replace('/', "-")
    })
}

/// The environment variable with the namespace.
#[cfg(not(target_os = "macos"))]
pub(in crate::sys) const NAMESPACE_VARIABLE: &str = "TDSHM_NAMESPACE";

pub(in crate::sys) fn os(operation: &'static str) -> impl Fn(Errno) -> ObjectError {
    move |error| ObjectError::Os { operation, source: error.into() }
}
