//! What the POSIX systems share: mappings, the robust lock, processes.

pub(crate) mod map;
pub(crate) mod process;
pub(crate) mod robust_lock;
