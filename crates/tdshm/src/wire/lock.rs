//! The head of a lock object on Linux (wire §5, ours).

/// What the object begins with.
pub(crate) const MAGIC: [u8; 8] = *b"TDSHMLCK";
/// The version of this layout.
pub(crate) const VERSION: u32 = 1;
/// Where the version stands.
pub(crate) const VERSION_OFFSET: usize = 8;
/// Where the C library's number stands: their mutexes differ.
pub(crate) const ABI_OFFSET: usize = 12;
/// Where the size of the mutex stands.
pub(crate) const MUTEX_BYTES_OFFSET: usize = 16;
/// Where the process id of the holder stands, 0 for none: for tools, never for decisions.
pub(crate) const HOLDER_OFFSET: usize = 20;
/// Where the mutex stands.
pub(crate) const MUTEX_OFFSET: usize = 64;
/// glibc's number.
pub(crate) const ABI_GLIBC: u32 = 1;
/// musl's number.
pub(crate) const ABI_MUSL: u32 = 2;
