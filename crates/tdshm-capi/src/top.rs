//! Images.

pub(crate) mod receiver;
pub(crate) mod sender;

/// The first field of an image block since 2022.
pub const TDSHM_TOP_MAGIC: u32 = 0xd95ef835;
/// The second field of an image block without colour, which is what is sent unless something else is asked for.
pub const TDSHM_TOP_VERSION: i32 = 1;

const _: () = assert!(TDSHM_TOP_MAGIC == tdshm::protocol::IMAGE_BLOCK_MAGIC);
const _: () = assert!(TDSHM_TOP_VERSION == tdshm::protocol::IMAGE_BLOCK_VERSION);
