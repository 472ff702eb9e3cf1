//! Our extension behind the info block, `tdshm-1` (wire §11, ours): who owns the segment, and what was written.
//!
//! Foreign programs never look here, and nothing of the protocol changes by it.

/// Where the extension begins in the info segment.
pub(crate) const OFFSET: usize = 256;
/// Bytes of the extension in its first version.
pub(crate) const BYTES: usize = 1344;
/// Bytes of an info segment of ours: one page.
pub(crate) const INFO_SEGMENT_BYTES: usize = 4096;
/// Bytes that an info segment has at least if it holds the extension.
pub(crate) const EXTENDED_BYTES: usize = OFFSET + BYTES;

/// What the extension begins with; written last when it is set up.
pub(crate) const MAGIC: [u8; 8] = *b"TDSHMEX1";
/// u32: its size, which is its version.
pub(crate) const SIZE_OFFSET: usize = 264;
/// u32: what the block holds.
pub(crate) const FLAGS_OFFSET: usize = 268;
/// u64: odd while a write is under way.
pub(crate) const SEQUENCE_OFFSET: usize = 272;
/// u64: frames written.
pub(crate) const FRAMES_OFFSET: usize = 280;
/// u64: when the last one was, in nanoseconds since the Unix epoch.
pub(crate) const TIME_OFFSET: usize = 288;
/// u32: changes with every frame.
pub(crate) const WAKE_OFFSET: usize = 296;
/// u32: the sender's process id; 0: no owner.
pub(crate) const OWNER_OFFSET: usize = 304;
/// u64: when that process started, in the platform's own unit.
pub(crate) const OWNER_START_OFFSET: usize = 312;
/// u32: how many receivers wait for the next frame, or to be let in.
pub(crate) const WAITERS_OFFSET: usize = 320;
/// The entries of the receivers.
pub(crate) const RECEIVERS_OFFSET: usize = 384;
/// How many there are.
pub(crate) const RECEIVERS: usize = 16;
/// Bytes of one; its first u32 is the process id, 0 for free.
pub(crate) const RECEIVER_BYTES: usize = 64;
/// Where they end.
pub(crate) const RECEIVERS_END: usize = RECEIVERS_OFFSET + RECEIVERS * RECEIVER_BYTES;
/// In an entry, u32: what the receiver waits for.
pub(crate) const ENTRY_FLAGS: usize = 4;
/// In an entry, u64: when the process started.
pub(crate) const ENTRY_START: usize = 8;
/// In an entry, u64: the number of the frame that was taken last.
pub(crate) const ENTRY_FRAME: usize = 16;
/// In an entry, u64: when that was.
pub(crate) const ENTRY_TIME: usize = 24;
/// In an entry, u32: the place that is to be left alone, counted from 1; 0: none.
pub(crate) const ENTRY_PINNED: usize = 32;
/// In an entry's flags: sleeps until the next frame.
pub(crate) const ENTRY_WAITING: u32 = 1;
/// In an entry's flags: a write spoiled its copy, and it asks the sender to hold the next one back.
pub(crate) const ENTRY_READING: u32 = 2;

/// u32: into how many places the data segment is divided; 0: it is one.
pub(crate) const SLOTS_OFFSET: usize = 1408;
/// u32: the place that is current, counted from 0.
pub(crate) const CURRENT_OFFSET: usize = 1412;
/// u64: bytes from one place to the next.
pub(crate) const STRIDE_OFFSET: usize = 1416;
/// For each place u64: its sequence, and u64: where it begins in the data segment.
pub(crate) const SLOT_TABLE_OFFSET: usize = 1424;
/// Bytes of these two.
pub(crate) const SLOT_BYTES: usize = 16;
/// How many places there can be.
pub(crate) const SLOTS: usize = 4;
/// Where the first one begins: behind every header.
pub(crate) const FIRST_SLOT: usize = 64;
/// Places begin at multiples of this.
pub(crate) const SLOT_ALIGNMENT: usize = 64;

/// The sender's program name, UTF-8, NUL-padded.
pub(crate) const PROGRAM_OFFSET: usize = 1536;
/// Bytes of it.
pub(crate) const PROGRAM_BYTES: usize = 64;

/// In the flags: the block holds an image.
pub(crate) const FLAG_IMAGE: u32 = 2;
/// In the flags: the block holds channels.
pub(crate) const FLAG_CHANNELS: u32 = 1;
/// In the flags: the data are a Global segment's (wire §12).
pub(crate) const FLAG_GLOBAL: u32 = 4;

const _: () = {
    assert!(EXTENDED_BYTES <= INFO_SEGMENT_BYTES);
    assert!(RECEIVERS_END == SLOTS_OFFSET);
    assert!(SLOT_TABLE_OFFSET + SLOTS * SLOT_BYTES <= PROGRAM_OFFSET);
    assert!(PROGRAM_OFFSET + PROGRAM_BYTES == OFFSET + BYTES);
};
