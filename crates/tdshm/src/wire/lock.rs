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

/// On macOS, where the vendor's own objects begin with the mutex: the record of who holds the lock (ours), behind all
/// that the vendor's programs look at, and in the same page.
pub(crate) mod record {
    /// Where the record stands, and what it begins with while somebody of ours holds the lock.
    pub(crate) const OFFSET: usize = 256;
    /// That.
    pub(crate) const MAGIC: [u8; 8] = *b"TDSHMLK1";
    /// u32: the holder's process id.
    pub(crate) const PID_OFFSET: usize = 264;
    /// u64: when that process started.
    pub(crate) const START_OFFSET: usize = 272;
    /// u64: a random number by which this object is known from another one of its name.
    pub(crate) const IDENTITY_OFFSET: usize = 280;
    /// u32: the process that makes, or made, the mutex and the condition.
    pub(crate) const MAKER_OFFSET: usize = 288;
    /// u64: when that process started.
    pub(crate) const MAKER_START_OFFSET: usize = 296;
    /// u64: the holder's thread, by a number of its process's own.
    pub(crate) const THREAD_OFFSET: usize = 304;
    /// Bytes of an object of ours: a page, which macOS makes of less as well.
    pub(crate) const OBJECT_BYTES: usize = 4096;
}
