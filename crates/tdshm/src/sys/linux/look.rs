//! How an object stands, and what a lock's memory says, for those who look: nothing is mapped, nothing taken.

use crate::sys::linux::Peek;
use crate::sys::posix::robust_lock::{self, word_of};
use crate::sys::{LockLayout, LockOpenError, LockWord, ObjectError};

/// What the memory of the lock of that name says. `None`: nothing that can be understood.
pub(crate) fn lock_word(name: &str, layout: LockLayout) -> Result<Option<LockWord>, LockOpenError> {
    let peek = Peek::open(name).map_err(LockOpenError::Object)?;
    let mut bytes = [0; robust_lock::LOOKED_AT];
    let read = peek
        .read(0, &mut bytes)
        .map_err(|source| LockOpenError::Object(ObjectError::Os { operation: "read", source }))?;
    if read < bytes.len() {
        return Err(LockOpenError::Object(ObjectError::TooSmall { bytes: read }));
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
