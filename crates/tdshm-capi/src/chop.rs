//! Channels.

pub(crate) mod receiver;
pub(crate) mod sender;

/// The first field of a channel block.
pub const TDSHM_CHOP_MAGIC: i32 = 0x12ED54CF;
/// The second field of a channel block: the only version there is.
pub const TDSHM_CHOP_VERSION: i32 = 1;

const _: () = assert!(TDSHM_CHOP_MAGIC == tdshm::protocol::CHANNEL_BLOCK_MAGIC);
const _: () = assert!(TDSHM_CHOP_VERSION == tdshm::protocol::CHANNEL_BLOCK_VERSION);
