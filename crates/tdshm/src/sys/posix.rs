//! What the POSIX systems share: mappings, the robust lock, the owner's lock, processes.

pub(crate) mod map;
pub(crate) mod owner;
pub(crate) mod process;
pub(crate) mod robust_lock;
