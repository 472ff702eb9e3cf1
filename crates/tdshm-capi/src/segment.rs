//! Segments as the vendor's class has them: memory under a name, its lock, its size.

pub(crate) mod receiver;
pub(crate) mod sender;

/// What has happened to a segment, as one side of it saw. Set `struct_size` first: TDSHM_INIT.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct tdshm_stats_t {
    /// sizeof(tdshm_stats_t).
    pub struct_size: u32,
    /// The process that sends; 0 while nobody does, and of a foreign sender, which does not say.
    pub sender_pid: u32,
    /// Bytes of data that are mapped; 0 while nothing is open.
    pub mapped_bytes: u64,
    /// How often the data has moved to another segment, of one and the same sender.
    pub resizes: u64,
    /// How often the data lock was found to have been left by a process that died with it.
    pub abandoned: u64,
}

/// Whether there is a sender, as of the last look: TDSHM_ATTACHED_….
pub type tdshm_attached_t = i32;

/// There has not been one, as far as this receiver saw.
pub const TDSHM_ATTACHED_NOT_YET: i32 = 0;
/// There is, and its segment is open here.
pub const TDSHM_ATTACHED_YES: i32 = 1;
/// There was one, and it left.
pub const TDSHM_ATTACHED_LEFT: i32 = 2;
/// There was one, and its process died. Known of senders of this library alone.
pub const TDSHM_ATTACHED_DIED: i32 = 3;

/// How a receiver is opened. All zero but for `struct_size` (TDSHM_INIT) are the usual settings.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct tdshm_receiver_options_t {
    /// sizeof(tdshm_receiver_options_t).
    pub struct_size: u32,
    /// Not 0: only observes. Takes no lock and no entry with the sender, which is never delayed by it; frames are copied,
    /// never borrowed, and new ones are looked for once a millisecond.
    pub observe: i32,
    /// How long to wait for a lock, in nanoseconds; 0 stands for 5 seconds.
    pub lock_limit_ns: i64,
    /// How long tdshm_…_next looks without a pause before it sleeps, in nanoseconds: what it gains is the time that waking
    /// up takes, tens of microseconds; what it costs is a processor. Channels and images alone.
    pub spin_ns: i64,
    /// Which row lies first in the segment, where the sender does not follow TouchDesigner: TDSHM_ROWS_…. Images alone.
    pub stored_rows: i32,
    /// Not 0: memory whose address tdshm_receiver_memory has told stays where it is when its sender moves or leaves, until
    /// another address is told, or the receiver closes; otherwise it ends with the next call that looks. tdshm_receiver_open alone.
    pub keep_memory: i32,
}

impl From<tdshm::SegmentStats> for tdshm_stats_t {
    fn from(stats: tdshm::SegmentStats) -> Self {
        Self {
            struct_size: 0,
            sender_pid: stats.sender.unwrap_or(0),
            mapped_bytes: stats.mapped_bytes as u64,
            resizes: stats.resizes,
            abandoned: stats.abandoned,
        }
    }
}

/// The number of what is attached.
pub(crate) fn attached(attached: tdshm::Attached) -> tdshm_attached_t {
    match attached {
        tdshm::Attached::Yes => TDSHM_ATTACHED_YES,
        tdshm::Attached::Left => TDSHM_ATTACHED_LEFT,
        tdshm::Attached::Died => TDSHM_ATTACHED_DIED,
        _ => TDSHM_ATTACHED_NOT_YET,
    }
}

crate::caller::sized!(tdshm_stats_t, tdshm_receiver_options_t);
