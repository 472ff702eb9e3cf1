//! Our Global segment: all blocks of one program in one segment, with the frame they belong to (wire §12, ours).
//!
//! A header, then a table of entries, then ordinary blocks of sections 8 and 9, each where its entry says.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::error::{BlockError, FieldValue};

/// The short name of the segment.
pub(crate) const NAME: &str = "tdshmGlobal";
/// What it begins with.
pub(crate) const MAGIC: [u8; 8] = *b"TDSHMGL1";
/// The only version there is.
pub(crate) const VERSION: u32 = 1;
/// Bytes of the header: the entries begin here.
pub(crate) const HEADER_BYTES: usize = 24;
/// Bytes of one entry.
pub(crate) const ENTRY_BYTES: usize = 136;
/// Bytes of the short name in an entry.
pub(crate) const NAME_BYTES: usize = 112;
/// Blocks begin at multiples of this.
pub(crate) const ALIGNMENT: usize = 64;
/// In an entry: the block holds channels.
pub(crate) const CHANNELS: u32 = 1;
/// In an entry: the block holds an image.
pub(crate) const IMAGE: u32 = 2;

const SENDER: &str = "the sender writes a wrong table";

/// The header, byte for byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct GlobalHeader {
    magic: [u8; 8],
    version: U32,
    entries: U32,
    frame: U64,
}

/// An entry of the table, byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct GlobalEntry {
    kind: U32,
    reserved: U32,
    name: [u8; NAME_BYTES],
    offset: U64,
    size: U64,
}

const _: () = {
    assert!(size_of::<GlobalHeader>() == HEADER_BYTES);
    assert!(core::mem::offset_of!(GlobalHeader, version) == 8);
    assert!(core::mem::offset_of!(GlobalHeader, entries) == 12);
    assert!(core::mem::offset_of!(GlobalHeader, frame) == 16);
    assert!(size_of::<GlobalEntry>() == ENTRY_BYTES);
    assert!(core::mem::offset_of!(GlobalEntry, name) == 8);
    assert!(core::mem::offset_of!(GlobalEntry, offset) == 120);
    assert!(core::mem::offset_of!(GlobalEntry, size) == 128);
};

/// An entry that was checked: its block lies inside what it was checked against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Extent {
    /// Where the block begins.
    pub(crate) at: usize,
    /// Bytes of it.
    pub(crate) bytes: usize,
}

impl GlobalHeader {
    /// The header of so many entries; `None` beyond 32 bits.
    pub(crate) fn new(entries: usize, frame: u64) -> Option<Self> {
        let entries = U32::new(u32::try_from(entries).ok()?);
        Some(Self { magic: MAGIC, version: U32::new(VERSION), entries, frame: U64::new(frame) })
    }

    /// The number that the sender gave the frame.
    pub(crate) fn frame(&self) -> u64 {
        self.frame.get()
    }

    /// Whether nobody has written here yet: a mapping is zero when it is made.
    pub(crate) fn is_blank(&self) -> bool {
        self.as_bytes().iter().all(|&byte| byte == 0)
    }

    /// Whether it begins as such a segment does.
    pub(crate) fn is_global(&self) -> bool {
        self.magic == MAGIC
    }

    /// Whether it says the same, but for the frame.
    #[inline]
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        Self { frame: other.frame, ..*self } == *other
    }

    /// How many entries there are, all of the table being inside the mapping.
    pub(crate) fn check(&self, mapped: usize) -> Result<usize, BlockError> {
        if self.magic != MAGIC {
            let begin = |magic: &[u8; 8]| magic.first_chunk().map_or(0, |first| u32::from_be_bytes(*first));
            let rest = |magic: &[u8; 8]| magic.last_chunk().map_or(0, |last| u32::from_be_bytes(*last));
            let part = if begin(&self.magic) == begin(&MAGIC) { rest } else { begin };
            return Err(BlockError {
                field: "magic",
                value: FieldValue::Magic(part(&self.magic)),
                rule: "a Global segment's, as text, is",
                limit: FieldValue::Magic(part(&MAGIC)),
                advice: "something else than a Global segment lies here",
            });
        }
        if self.version.get() < VERSION {
            return Err(BlockError::int("version", self.version.get(), "must be at least", VERSION, SENDER));
        }
        let entries = usize::try_from(self.entries.get()).unwrap_or(usize::MAX);
        let most = mapped.saturating_sub(HEADER_BYTES).checked_div(ENTRY_BYTES).unwrap_or(0);
        if entries > most {
            let rule = "the mapped bytes have room for only";
            return Err(BlockError::int("entries", entries, rule, most, SENDER));
        }
        Ok(entries)
    }
}

impl GlobalEntry {
    /// An entry for a block that lies there; `None` where the name is too long, which its maker has checked.
    pub(crate) fn new(kind: u32, name: &str, extent: Extent) -> Option<Self> {
        let mut bytes = [0; NAME_BYTES];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        Some(Self {
            kind: U32::new(kind),
            reserved: U32::new(0),
            name: bytes,
            offset: U64::new(u64::try_from(extent.at).ok()?),
            size: U64::new(u64::try_from(extent.bytes).ok()?),
        })
    }

    /// 1 for channels, 2 for an image.
    pub(crate) fn kind(&self) -> u32 {
        self.kind.get()
    }

    /// The short name; `None` where it is none: not UTF-8, or empty.
    pub(crate) fn name(&self) -> Option<&str> {
        let end = self.name.iter().position(|byte| *byte == 0).unwrap_or(NAME_BYTES);
        let name = self.name.get(..end).filter(|name| !name.is_empty())?;
        core::str::from_utf8(name).ok()
    }

    /// Whether it is that one.
    pub(crate) fn is(&self, kind: u32, name: &str) -> bool {
        let (front, rest) = self.name.split_at(name.len().min(NAME_BYTES));
        self.kind.get() == kind && front == name.as_bytes() && rest.iter().all(|byte| *byte == 0)
    }

    /// Checks everything against the size of the mapping and the end of the table.
    pub(crate) fn check(&self, table_end: usize, mapped: usize) -> Result<Extent, BlockError> {
        let kind = self.kind.get();
        if kind != CHANNELS && kind != IMAGE {
            let advice = "it is neither channels, 1, nor an image, 2: the sender writes a wrong table";
            return Err(BlockError::int("kind", kind, "must not exceed", IMAGE, advice));
        }
        let begins = self.name.iter().take_while(|byte| **byte != 0).count();
        if begins == 0 {
            return Err(BlockError::int("bytes of the name", 0_usize, "must be at least", 1_usize, SENDER));
        }
        let (name, padding) = self.name.split_at(begins);
        if let Err(error) = core::str::from_utf8(name) {
            let rule = "its first byte that is no UTF-8 is at";
            return Err(BlockError::int("bytes of the name", begins, rule, error.valid_up_to(), SENDER));
        }
        if let Some(byte) = padding.iter().find(|byte| **byte != 0) {
            return Err(BlockError::int("padding of the name", *byte, "must be", 0_u8, SENDER));
        }
        let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        let (at, bytes) = (number(self.offset.get()), number(self.size.get()));
        if at < table_end {
            let rule = "must not lie in the table, which ends at";
            return Err(BlockError::int("offset", at, rule, table_end, SENDER));
        }
        if !at.is_multiple_of(ALIGNMENT) {
            return Err(BlockError::int("offset", at, "must be a multiple of", ALIGNMENT, SENDER));
        }
        if at > mapped {
            return Err(BlockError::int("offset", at, "must not exceed the mapped bytes,", mapped, SENDER));
        }
        let room = mapped.saturating_sub(at);
        if bytes > room {
            return Err(BlockError::int(
                "size",
                bytes,
                "the mapped bytes behind offset are only",
                room,
                SENDER,
            ));
        }
        Ok(Extent { at, bytes })
    }
}

/// Where the table of so many entries ends.
pub(crate) fn table_end(entries: usize) -> usize {
    entries.saturating_mul(ENTRY_BYTES).saturating_add(HEADER_BYTES)
}

/// The entries of a table, which begins behind the header.
pub(crate) fn entries(table: &[u8]) -> impl Iterator<Item = &GlobalEntry> {
    table.chunks_exact(ENTRY_BYTES).filter_map(|entry| GlobalEntry::ref_from_bytes(entry).ok())
}

/// Checks all entries of a table. What comes out is where the last block ends.
pub(crate) fn check_table(table: &[u8], mapped: usize) -> Result<usize, BlockError> {
    let table_end = table.len().saturating_add(HEADER_BYTES);
    let mut end = table_end;
    for entry in entries(table) {
        let Extent { at, bytes } = entry.check(table_end, mapped)?;
        end = end.max(at.saturating_add(bytes));
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(change: impl FnOnce(&mut GlobalEntry)) -> Result<Extent, String> {
        let mut entry = GlobalEntry::new(CHANNELS, "pose", Extent { at: 192, bytes: 100 }).unwrap();
        change(&mut entry);
        entry.check(160, 4096).map_err(|error| error.to_string())
    }

    fn header(change: impl FnOnce(&mut GlobalHeader)) -> Result<usize, String> {
        let mut header = GlobalHeader::new(2, 7).unwrap();
        change(&mut header);
        header.check(4096).map_err(|error| error.to_string())
    }

    #[test]
    fn each_field_of_the_header_is_checked() {
        assert_eq!(header(|_| {}), Ok(2));
        assert_eq!(header(|header| header.version.set(9)), Ok(2), "later versions are read as this one");
        assert_eq!(header(|header| header.entries.set(29)), Ok(29));
        let cases = [
            (
                header(|header| header.magic = *b"TDSHMGLX"),
                "magic is 0x4d474c58, and a Global segment's, as text, is 0x4d474c31: something else than a Global segment \
                 lies here",
            ),
            (
                header(|header| header.magic = *b"nonsense"),
                "magic is 0x6e6f6e73, and a Global segment's, as text, is 0x54445348: something else than a Global segment \
                 lies here",
            ),
            (
                header(|header| header.version.set(0)),
                "version is 0, and must be at least 1: the sender writes a wrong table",
            ),
            (
                header(|header| header.entries.set(30)),
                "entries is 30, and the mapped bytes have room for only 29: the sender writes a wrong table",
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, Err(expected.into()));
        }
        assert!(
            GlobalHeader::new(0, 0).unwrap().check(23).is_ok(),
            "a header alone, which was read, has no entries"
        );
    }

    #[test]
    fn each_field_of_an_entry_is_checked() {
        assert_eq!(entry(|_| {}), Ok(Extent { at: 192, bytes: 100 }));
        assert_eq!(entry(|entry| entry.reserved.set(5)), Ok(Extent { at: 192, bytes: 100 }));
        assert_eq!(entry(|entry| entry.name = [b'x'; NAME_BYTES]), Ok(Extent { at: 192, bytes: 100 }));
        assert_eq!(entry(|entry| entry.size.set(3904)), Ok(Extent { at: 192, bytes: 3904 }));
        let wrong = ": the sender writes a wrong table";
        let cases = [
            (
                entry(|entry| entry.kind.set(0)),
                "kind is 0, and must not exceed 2: it is neither channels, 1, nor an image, 2: the sender writes a wrong \
                 table"
                    .to_owned(),
            ),
            (
                entry(|entry| entry.kind.set(3)),
                "kind is 3, and must not exceed 2: it is neither channels, 1, nor an image, 2: the sender writes a wrong \
                 table"
                    .to_owned(),
            ),
            (entry(|entry| entry.name[0] = 0), format!("bytes of the name is 0, and must be at least 1{wrong}")),
            (
                entry(|entry| entry.name[2] = 0xff),
                format!("bytes of the name is 4, and its first byte that is no UTF-8 is at 2{wrong}"),
            ),
            (entry(|entry| entry.name[9] = 7), format!("padding of the name is 7, and must be 0{wrong}")),
            (
                entry(|entry| entry.offset.set(128)),
                format!("offset is 128, and must not lie in the table, which ends at 160{wrong}"),
            ),
            (
                entry(|entry| entry.offset.set(200)),
                format!("offset is 200, and must be a multiple of 64{wrong}"),
            ),
            (
                entry(|entry| entry.offset.set(4160)),
                format!("offset is 4160, and must not exceed the mapped bytes, 4096{wrong}"),
            ),
            (
                entry(|entry| entry.size.set(3905)),
                format!("size is 3905, and the mapped bytes behind offset are only 3904{wrong}"),
            ),
            (
                entry(|entry| entry.size.set(u64::MAX)),
                format!("size is {}, and the mapped bytes behind offset are only 3904{wrong}", i64::MAX),
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, Err(expected));
        }
    }

    #[test]
    fn names_are_compared_whole() {
        let extent = Extent { at: 192, bytes: 1 };
        let longest = "x".repeat(NAME_BYTES);
        for name in ["a", "ab", "höhe", longest.as_str()] {
            let entry = GlobalEntry::new(IMAGE, name, extent).unwrap();
            assert_eq!(entry.name(), Some(name));
            assert!(entry.is(IMAGE, name) && !entry.is(CHANNELS, name));
            assert!(!entry.is(IMAGE, "") && !entry.is(IMAGE, &name[..name.len() - 1]));
            assert!(!entry.is(IMAGE, &format!("{name}x")));
        }
        assert_eq!(GlobalEntry::new(IMAGE, &format!("{longest}x"), extent), None);
    }

    proptest! {
        /// Whatever the bytes are: what is accepted lies inside.
        #[test]
        fn any_table_is_read_or_refused(
            table in prop::collection::vec(prop_oneof![3 => Just(0_u8), 1 => any::<u8>()], 0..600),
            mapped in 0_usize..2000,
        ) {
            let whole = table.chunks_exact(ENTRY_BYTES).flatten().count();
            let table = &table[..whole];
            if let Ok(end) = check_table(table, mapped) {
                prop_assert!(end <= mapped.max(table_end(table.len().div_euclid(ENTRY_BYTES))));
                prop_assert!(entries(table).all(|entry| entry.name().is_some()));
            }
        }
    }
}
