//! How an object stands, and what a lock's memory says, for those who look: nothing is mapped, nothing taken.

use rustix::fs::OFlags;

use crate::sys::linux::{Peek, denied, open_plain, path};
use crate::sys::posix::robust_lock::{self, word_of};
use crate::sys::{LockLayout, LockOpenError, LockWord, ObjectError, Standing};

/// Bits of a mode that let others in.
const OTHERS: u32 = 0o066;

/// Whose an object is, and what this user may do with it.
pub(crate) fn standing(name: &str) -> Result<Standing, ObjectError> {
    let path = path(name);
    let stat = rustix::fs::lstat(&path).map_err(|_| ObjectError::Absent)?;
    let is_own = stat.st_uid == rustix::process::geteuid().as_raw();
    let refused = |error| match error {
        ObjectError::NotOurs(reason) => Ok(Err(reason)),
        error => Err(error),
    };
    let may_write = match open_plain(&path, OFlags::RDONLY) {
        // Root may read everything, and uses a stranger's no more than anybody else does.
        Ok(_) if !is_own && stat.st_mode & OTHERS == 0 => refused(denied(&path))?,
        Ok(_) if open_plain(&path, OFlags::RDWR).is_ok() => Ok(true),
        Ok(_) => Ok(false),
        Err(error) => refused(error)?,
    };
    Ok(Standing {
        bytes: usize::try_from(stat.st_size).ok(),
        user: Some(stat.st_uid),
        is_own: Some(is_own),
        mode: Some(stat.st_mode & 0o7777),
        may_write,
    })
}

/// What the memory of the lock of that name says. `None`: nothing that can be understood.
pub(crate) fn lock_word(name: &str, layout: LockLayout) -> Result<Option<LockWord>, LockOpenError> {
    let peek = Peek::open(name).map_err(LockOpenError::Object)?;
    let mut bytes = [0; robust_lock::LOOKED_AT];
    let read = peek
        .read(0, &mut bytes)
        .map_err(|source| LockOpenError::Object(ObjectError::Os { operation: "read", source }))?;
    let needed = robust_lock::needed(&layout);
    if read < needed {
        return Err(LockOpenError::Object(ObjectError::TooSmall { bytes: read, needed }));
    }
    word_of(&bytes, &layout).map(|word| {
        word.map(|word| match word {
            LockWord::Held(Some(thread)) => LockWord::Held(process_of(thread)),
            word => word,
        })
    })
}

/// The process of a thread.
fn process_of(thread: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Tgid:"))?;
    line.trim().parse().ok()
}
