//! The info block where it lies: read once, decided on by the copy (wire §3).

use crate::error::SegmentError;
use crate::mem::{OutOfBounds, Region};
use crate::sys::{self, Peek};
use crate::wire::info::{InfoBlock, LEAST_BYTES, Layout, MAGIC, MOST_BYTES, NoBlock, Postfix};

/// How this system's own programs lay the block out.
pub(super) const NATIVE: Layout = if sys::INFO_IS_WIDE { Layout::Wide } else { Layout::Narrow };

/// Copies the first bytes of an info segment: as many as a block may have.
fn copy(region: Region<'_>) -> ([u8; MOST_BYTES], usize) {
    let mut bytes = [0; MOST_BYTES];
    let len = region.len().min(MOST_BYTES);
    let copied = bytes.get_mut(..len).map(|to| region.copy_out(0, to));
    debug_assert_eq!(copied, Some(Ok(())), "the region has so many");
    (bytes, len)
}

/// Reads the block.
pub(super) fn read(region: Region<'_>) -> Result<InfoBlock, NoBlock> {
    let (bytes, len) = copy(region);
    InfoBlock::parse(bytes.get(..len).unwrap_or_default(), NATIVE)
}

/// Writes the block.
pub(super) fn write(region: Region<'_>, block: &InfoBlock) -> Result<(), OutOfBounds> {
    region.copy_in(0, block.encode().get(..block.layout.bytes()).unwrap_or_default())
}

/// Whether this very block lies there, whatever it says about `supported`.
pub(super) fn is(region: Region<'_>, block: &InfoBlock) -> bool {
    let found = region.read(crate::wire::info::SUPPORTED_OFFSET).unwrap_or_default();
    let expected = InfoBlock { supported: found, ..*block }.encode();
    region.equals(0, expected.get(..block.layout.bytes()).unwrap_or_default()) == Ok(true)
}

/// Reads the block of an object that is only looked at.
pub(super) fn peek(info: &Peek) -> Result<InfoBlock, NoBlock> {
    let mut bytes = [0; MOST_BYTES];
    let len = info.read(0, &mut bytes).unwrap_or(0);
    InfoBlock::parse(bytes.get(..len).unwrap_or_default(), NATIVE)
}

/// What to say of something that is no info block.
pub(super) fn no_block(error: NoBlock, object: &str, bytes: usize) -> SegmentError {
    let object = object.to_owned();
    match error {
        NoBlock::TooSmall => SegmentError::TooSmall { object, bytes, needed: LEAST_BYTES },
        NoBlock::Magic(found) => SegmentError::BadInfo {
            object,
            field: "magic",
            value: u64::from(found.cast_unsigned()),
            expected: u64::from(MAGIC.cast_unsigned()),
        },
    }
}

/// The block's postfix, or what to say of what stands there instead.
pub(super) fn postfix(block: &InfoBlock, object: &str) -> Result<Postfix, SegmentError> {
    block.postfix.map_err(|first| SegmentError::BadInfo {
        object: object.to_owned(),
        field: "first byte of the postfix",
        value: first.into(),
        expected: 0,
    })
}
