//! The places of our extension behind the info block, `tdshm-1` (wire §11, ours).
//!
//! Foreign programs never look here. An info segment of ours is [`INFO_SEGMENT_BYTES`] long, so that the
//! extension has its room from the first day; until change notices are written, all of it is zero and its
//! magic is missing, which tells a reader that there is none.

/// Where the extension begins in the info segment.
pub(crate) const OFFSET: usize = 256;
/// Bytes of the extension in its first version.
pub(crate) const BYTES: usize = 1344;
/// Bytes of an info segment of ours: one page.
pub(crate) const INFO_SEGMENT_BYTES: usize = 4096;

const _: () = assert!(OFFSET + BYTES <= INFO_SEGMENT_BYTES);
