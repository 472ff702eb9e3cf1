//! What the systems are told about lock objects (wire §5): they know no number of the protocol themselves.

use crate::sys::{LockLayout, RecordLayout};
use crate::wire::lock::{self as wire, record};

/// Where the parts of a lock object stand.
pub(crate) const LAYOUT: LockLayout = LockLayout {
    magic: wire::MAGIC,
    version: wire::VERSION,
    version_at: wire::VERSION_OFFSET,
    abi_at: wire::ABI_OFFSET,
    abi_glibc: wire::ABI_GLIBC,
    abi_musl: wire::ABI_MUSL,
    mutex_bytes_at: wire::MUTEX_BYTES_OFFSET,
    holder_at: wire::HOLDER_OFFSET,
    mutex_at: wire::MUTEX_OFFSET,
    record: RecordLayout {
        magic: record::MAGIC,
        at: record::OFFSET,
        pid_at: record::PID_OFFSET,
        start_at: record::START_OFFSET,
        identity_at: record::IDENTITY_OFFSET,
        maker_at: record::MAKER_OFFSET,
        maker_start_at: record::MAKER_START_OFFSET,
        thread_at: record::THREAD_OFFSET,
        object_bytes: record::OBJECT_BYTES,
    },
};
