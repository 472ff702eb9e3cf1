//! Where shared memory is on this machine, and whether there is room for more.

use crate::sys;

/// Where the objects of segments and locks are, and what is known about it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Place {
    /// What it is, in words.
    pub what: String,
    /// Bytes that are still free, where the system says so.
    pub free_bytes: Option<u64>,
    /// Bytes that it holds altogether, where there is a limit of its own.
    pub total_bytes: Option<u64>,
    /// What else there is to know, in words.
    pub facts: Vec<String>,
    /// What is in the way, and what to do about it.
    pub troubles: Vec<String>,
}

/// Says where shared memory is on this machine. Nothing is created.
///
/// # Platform
///
/// Linux: the file system at `/dev/shm`, with its size and the umask. Windows: the session, whose programs alone meet here.
/// macOS: the name directory of long names.
///
/// # Source
///
/// wire §2, §7.
///
/// ```
/// let place = tdshm::place();
/// assert!(!place.what.is_empty());
/// assert!(place.free_bytes.is_none_or(|bytes| bytes > 0), "{place:?}");
/// ```
#[must_use]
pub fn place() -> Place {
    let mut place = sys::place();
    if let Err(error) = sys::object_names(crate::name::PREFIX) {
        place.troubles.push(format!("the objects there cannot be listed: {error}"));
    }
    place
}
