//! The name directory of macOS, byte for byte (wire §7): which short token stands for a name that is too long there.
//!
//! A header of three numbers, then entries one behind the other: name, NUL, token, NUL. Everything here works on a
//! copy, which strangers may have filled with anything.

use zerocopy::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::wire::info::Postfix;

/// The object it lives in.
pub(crate) const NAME: &str = "TD1zzSharedNameDirectory";
/// The lock that guards it.
pub(crate) const LOCK_NAME: &str = "TD1zzSharedNameLock";
/// What each token begins with; a number follows.
pub(crate) const TOKEN_PREFIX: &str = "TD44e33-";
/// The version of this layout.
pub(crate) const VERSION: u64 = 1;
/// Bytes of the header, which the numbers in it do not count.
pub(crate) const HEADER_BYTES: usize = 24;
/// Where the number of used bytes stands.
pub(crate) const USED_OFFSET: usize = 8;
/// Bytes of an object of ours: growing it is dangerous, so it begins with much room (ours).
pub(crate) const FIRST_BYTES: usize = 64 * 1024;
/// More than this no directory of ours grows to: some hundred thousand names (ours).
pub(crate) const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Sizes are multiples of this: the larger page of those that macOS has.
const PAGE: usize = 16 * 1024;

/// What the directory begins with.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct Header {
    /// Bytes that there is room for.
    allocated: U64,
    /// Bytes that entries take.
    used: U64,
    version: U64,
}

const _: () = {
    assert!(size_of::<Header>() == HEADER_BYTES);
    assert!(core::mem::offset_of!(Header, used) == USED_OFFSET);
    assert!(FIRST_BYTES.is_multiple_of(PAGE) && MOST_BYTES.is_multiple_of(PAGE));
};

/// A header that was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) allocated: usize,
    pub(crate) used: usize,
}

/// What is wrong with a directory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its {field} is {value}, and {rule} {limit}")]
pub(crate) struct DirectoryError {
    pub(crate) field: &'static str,
    pub(crate) value: u64,
    pub(crate) rule: &'static str,
    pub(crate) limit: u64,
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl Header {
    /// The header of an object of so many bytes, of which entries take `used`.
    pub(crate) fn new(object_bytes: usize, used: usize) -> Self {
        Self {
            allocated: U64::new(wide(object_bytes.saturating_sub(HEADER_BYTES))),
            used: U64::new(wide(used)),
            version: U64::new(VERSION),
        }
    }

    /// Whether nobody has written it yet.
    pub(crate) fn is_blank(&self) -> bool {
        self.as_bytes().iter().all(|byte| *byte == 0)
    }

    /// Checks it against the bytes that are really there.
    pub(crate) fn check(&self, mapped: usize) -> Result<Room, DirectoryError> {
        let fail = |field, value, rule, limit| Err(DirectoryError { field, value, rule, limit });
        let (allocated, used, version) = (self.allocated.get(), self.used.get(), self.version.get());
        let there = wide(mapped.saturating_sub(HEADER_BYTES));
        match (usize::try_from(allocated), usize::try_from(used)) {
            _ if version != VERSION => fail("version", version, "this program knows only", VERSION),
            (Ok(bytes), Ok(used)) if allocated <= there && used <= bytes => {
                Ok(Room { allocated: bytes, used })
            }
            _ if allocated > there => fail("number of allocated bytes", allocated, "there are", there),
            _ => fail("number of used bytes", used, "there is room for", allocated),
        }
    }
}

/// One entry, and where it stands among the used bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'e> {
    pub(crate) at: usize,
    pub(crate) name: &'e [u8],
    pub(crate) token: &'e [u8],
}

impl Entry<'_> {
    /// Where the next one stands.
    fn end(&self) -> usize {
        self.at.saturating_add(self.name.len()).saturating_add(self.token.len()).saturating_add(2)
    }

    /// The token's number; `None` where it is no token.
    fn number(&self) -> Option<u64> {
        let digits = core::str::from_utf8(self.token).ok()?.strip_prefix(TOKEN_PREFIX)?;
        let canonical = digits == "0" || !digits.starts_with('0');
        (canonical && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
    }
}

/// The entries in the used bytes, up to the end or to what is none.
pub(crate) fn entries(used: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    let text = |at: usize| {
        let bytes = used.get(at..)?;
        bytes.get(..bytes.iter().position(|byte| *byte == 0)?)
    };
    let mut at = 0;
    core::iter::from_fn(move || {
        let name = text(at)?;
        let token = text(at.checked_add(name.len())?.checked_add(1)?)?;
        let entry = Entry { at, name, token };
        at = entry.end();
        Some(entry)
    })
}

/// Where a new entry goes: behind the last one. What stands there and is none is written over.
pub(crate) fn end(used: &[u8]) -> usize {
    entries(used).last().map_or(0, |entry| entry.end())
}

/// The token with that number.
pub(crate) fn token(number: u64) -> String {
    format!("{TOKEN_PREFIX}{number}")
}

/// The token that stands for `name`. What has no proper token counts as missing.
pub(crate) fn find(used: &[u8], name: &str) -> Option<String> {
    entries(used).find(|entry| entry.name == name.as_bytes() && entry.number().is_some()).and_then(token_of)
}

/// A token of those that have one.
pub(crate) fn token_of(entry: Entry<'_>) -> Option<String> {
    entry.number().map(token)
}

/// The smallest number that no entry uses and of which `is_free` says that nothing else does.
pub(crate) fn smallest_unused(used: &[u8], mut is_free: impl FnMut(&str) -> bool) -> u64 {
    let mut taken: Vec<u64> = entries(used).filter_map(|entry| entry.number()).collect();
    taken.sort_unstable();
    let mut number = 0_u64;
    let mut taken = taken.into_iter().peekable();
    loop {
        let mut is_taken = false;
        while taken.next_if(|used| *used <= number).is_some_and(|used| {
            is_taken |= used == number;
            true
        }) {}
        if !is_taken && is_free(&token(number)) {
            return number;
        }
        number = number.saturating_add(1);
    }
}

/// An entry, byte for byte.
pub(crate) fn entry(name: &str, token: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len().saturating_add(token.len()).saturating_add(2));
    for text in [name, token] {
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
    }
    bytes
}

/// The entries whose postfix may be replaced by that of `name`: those of the same segment before it moved, with a
/// postfix of ours as `name` has one. Nobody ever uses such a postfix again.
pub(crate) fn of_former_moves<'u>(used: &'u [u8], name: &'u str) -> impl Iterator<Item = Entry<'u>> {
    let split = |name: &'u [u8]| {
        let (stem, postfix) = name.split_at_checked(name.len().checked_sub(Postfix::LEN)?)?;
        Postfix::is_ours(core::str::from_utf8(postfix).ok()?).then_some(stem)
    };
    let stem = split(name.as_bytes());
    entries(used).filter(move |entry| {
        stem.is_some()
            && entry.name.len() == name.len()
            && split(entry.name) == stem
            && entry.number().is_some()
    })
}

/// Bytes of an object with room for so many used ones, at least twice as many as before; `None`: there is no end to it.
pub(crate) fn grown(object_bytes: usize, used: usize) -> Option<usize> {
    let least = used.checked_add(HEADER_BYTES)?;
    let bytes = object_bytes.saturating_mul(2).clamp(FIRST_BYTES, MOST_BYTES).max(least);
    bytes.checked_next_multiple_of(PAGE).filter(|bytes| *bytes <= MOST_BYTES)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn golden(name: &str) -> Vec<u8> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/");
        std::fs::read(format!("{path}{name}.bin")).unwrap()
    }

    fn room(bytes: &[u8]) -> Result<Room, DirectoryError> {
        Header::read_from_prefix(bytes).unwrap().0.check(bytes.len())
    }

    #[test]
    fn a_directory_made_by_hand_is_read() {
        let bytes = golden("7-three-names");
        let room = room(&bytes).unwrap();
        assert_eq!(room, Room { allocated: 4096 - 24, used: 147 });
        let used = &bytes[HEADER_BYTES..][..room.used];
        let found = |name: &str| find(used, name);
        assert_eq!(found("TouchSHMTouchSHMcam14jhd783hMutex").as_deref(), Some("TD44e33-0"));
        assert_eq!(found("TouchSHMTouchSHMkamera-ö4jhd783hMutex").as_deref(), Some("TD44e33-2"));
        assert_eq!(found("TouchSHMcam1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").as_deref(), Some("TD44e33-1"));
        assert_eq!(
            (found("TouchSHMTouchSHMcam24jhd783hMutex"), found("TD44e33-0"), found("")),
            (None, None, None)
        );
        assert_eq!((end(used), smallest_unused(used, |_| true)), (room.used, 3));
        let mut again = Header::new(4096, room.used).as_bytes().to_vec();
        for entry in entries(used) {
            let text = |bytes| core::str::from_utf8(bytes).unwrap();
            again.extend(self::entry(text(entry.name), text(entry.token)));
        }
        assert_eq!(again, bytes[..HEADER_BYTES + room.used]);
    }

    #[test]
    fn a_gap_in_the_numbers_is_filled_first() {
        let bytes = golden("7-gap");
        let used = &bytes[HEADER_BYTES..][..room(&bytes).unwrap().used];
        assert_eq!(smallest_unused(used, |_| true), 1);
        assert_eq!(smallest_unused(used, |token| token != "TD44e33-1" && token != "TD44e33-3"), 4);
    }

    #[test]
    fn garbage_is_no_entry_and_no_token() {
        let bytes = golden("7-garbage");
        let used = &bytes[HEADER_BYTES..][..room(&bytes).unwrap().used];
        for name in ["bad-prefix", "bad-number", "leading-zero", "too-large", "no-token", "torn"] {
            assert_eq!(find(used, name), None, "{name}");
        }
        assert_eq!(find(used, "twice").as_deref(), Some("TD44e33-7"), "the first proper one counts");
        assert_eq!(find(used, "good").as_deref(), Some("TD44e33-9"));
        assert_eq!(&used[end(used)..], b"torn\0TD44e33-1", "what has no end is no entry");
    }

    #[test]
    fn every_number_of_the_header_is_checked() {
        let header = |allocated: u64, used: u64, version: u64| {
            let header =
                Header { allocated: U64::new(allocated), used: U64::new(used), version: U64::new(version) };
            header.check(4096).map_err(|error| error.to_string())
        };
        assert_eq!(header(4072, 4072, 1), Ok(Room { allocated: 4072, used: 4072 }));
        assert_eq!(
            header(4073, 0, 1).unwrap_err(),
            "its number of allocated bytes is 4073, and there are 4072"
        );
        assert_eq!(
            header(100, 101, 1).unwrap_err(),
            "its number of used bytes is 101, and there is room for 100"
        );
        for version in [0, 2, u64::MAX] {
            assert!(header(0, 0, version).unwrap_err().starts_with("its version is "));
        }
        assert!(header(u64::MAX, u64::MAX, 1).is_err() && header(0, u64::MAX, 1).is_err());
        assert!(Header::new(4096, 0).check(10).is_err());
    }

    #[test]
    fn only_former_postfixes_of_ours_are_replaced() {
        let (first, second) = (Postfix::random(), Postfix::random());
        let foreign = "q".repeat(Postfix::LEN);
        let names = [
            format!("TouchSHMcam1{}", first.as_str()),
            format!("TouchSHMcam1{foreign}"),
            format!("TouchSHMcam2{}", first.as_str()),
            "TouchSHMcam1".to_owned(),
        ];
        let used: Vec<u8> =
            names.iter().zip(0..).flat_map(|(name, number)| entry(name, &token(number))).collect();
        let found =
            |name: &str| of_former_moves(&used, name).map(|entry| entry.token.to_vec()).collect::<Vec<_>>();
        assert_eq!(found(&format!("TouchSHMcam1{}", second.as_str())), [b"TD44e33-0"]);
        assert!(found(&format!("TouchSHMcam1{foreign}")).is_empty());
        assert!(found("TouchSHMcam1").is_empty() && found("x").is_empty());
    }

    #[test]
    fn it_grows_by_doubling_up_to_an_end() {
        assert_eq!(grown(0, 0), Some(FIRST_BYTES));
        assert_eq!(grown(FIRST_BYTES, FIRST_BYTES - 10), Some(2 * FIRST_BYTES));
        assert_eq!(grown(FIRST_BYTES, 1_000_000), Some(1_015_808));
        assert_eq!(grown(MOST_BYTES, 100), Some(MOST_BYTES));
        assert_eq!((grown(0, MOST_BYTES), grown(0, usize::MAX)), (None, None));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..400), name in ".{0,20}") {
            let _ = Header::read_from_prefix(&bytes).map(|(header, _)| header.check(bytes.len()));
            let total: usize = entries(&bytes).map(|entry| entry.name.len() + entry.token.len() + 2).sum();
            prop_assert_eq!(total, end(&bytes));
            prop_assert!(end(&bytes) <= bytes.len());
            let _ = find(&bytes, &name);
            let _ = of_former_moves(&bytes, &name).count();
            let _ = smallest_unused(&bytes, |_| true);
        }

        #[test]
        fn what_was_entered_is_found(names in prop::collection::vec("[a-zA-Z0-9ö-]{1,40}", 1..30)) {
            let mut used = Vec::new();
            let mut given = std::collections::BTreeMap::new();
            for name in &names {
                if find(&used, name).is_none() {
                    let token = token(smallest_unused(&used, |_| true));
                    used.extend(entry(name, &token));
                    given.insert(name, token);
                }
            }
            for (name, token) in &given {
                prop_assert_eq!(find(&used, name), Some(token.clone()));
            }
            let distinct: std::collections::BTreeSet<_> = given.values().collect();
            prop_assert_eq!(distinct.len(), given.len());
        }
    }
}
