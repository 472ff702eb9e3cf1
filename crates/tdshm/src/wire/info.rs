//! The info block: how a sender and its receivers resize and part (wire §3).
//!
//! This is the narrow layout, of macOS, Linux and Windows up to 2018.

use zerocopy::little_endian::I32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// First field of every info block.
pub(crate) const MAGIC: i32 = 0x56ed_34ba;
/// The version that has the `detach` field.
pub(crate) const VERSION: i32 = 2;
/// Bytes of the block in the narrow layout.
pub(crate) const BLOCK_BYTES: usize = 44;

/// Where a receiver says that it understands resizing.
pub(crate) const SUPPORTED_OFFSET: usize = 8;
/// Where the postfix begins: 8-bit letters, then NUL.
pub(crate) const POSTFIX_OFFSET: usize = 9;
/// Where a sender says that it has gone.
pub(crate) const DETACH_OFFSET: usize = 41;
/// Bytes of the postfix field, the NUL included.
pub(crate) const POSTFIX_BYTES: usize = 32;

/// The info block, byte for byte.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct InfoBlock {
    pub(crate) magic: I32,
    pub(crate) version: I32,
    pub(crate) supported: u8,
    pub(crate) postfix: [u8; POSTFIX_BYTES],
    pub(crate) detach: u8,
    pub(crate) padding: [u8; 2],
}

const _: () = {
    assert!(size_of::<InfoBlock>() == BLOCK_BYTES);
    assert!(core::mem::offset_of!(InfoBlock, supported) == SUPPORTED_OFFSET);
    assert!(core::mem::offset_of!(InfoBlock, postfix) == POSTFIX_OFFSET);
    assert!(core::mem::offset_of!(InfoBlock, detach) == DETACH_OFFSET);
};

impl InfoBlock {
    /// What a sender writes when it comes: nothing supported, nothing detached, no postfix.
    pub(crate) fn fresh() -> Self {
        Self {
            magic: I32::new(MAGIC),
            version: I32::new(VERSION),
            supported: 0,
            postfix: [0; POSTFIX_BYTES],
            detach: 0,
            padding: [0; 2],
        }
    }

    /// Whether the sender has gone; blocks before version 2 cannot say so.
    pub(crate) fn detached(&self) -> bool {
        self.version.get() >= VERSION && self.detach == 1
    }
}

/// What a data segment's name ends with after a resize: 31 letters `a` to `z`, or nothing (wire §1, §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Postfix([u8; POSTFIX_BYTES]);

impl Postfix {
    /// Letters of a postfix.
    pub(crate) const LEN: usize = POSTFIX_BYTES - 1;

    /// Reads the field up to its NUL. `None`: something no sender writes, such as a `/` or a missing NUL.
    pub(crate) fn parse(field: &[u8]) -> Option<Self> {
        let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
        let letters = field.get(..end)?;
        if letters.len() > Self::LEN || !letters.iter().all(|b| b.is_ascii_graphic() && *b != b'/') {
            return None;
        }
        let mut bytes = [0; POSTFIX_BYTES];
        bytes.get_mut(..end)?.copy_from_slice(letters);
        Some(Self(bytes))
    }

    /// One that was never used: 31 letters, 25 of them random, by which nobody meets the same one twice, and 6 that
    /// follow from these, by which ours are known from others' when the dead have left them behind.
    pub(crate) fn random() -> Self {
        let mut random = [0_u8; RANDOM_LETTERS];
        // Without the system's randomness the time and the address of a variable tell two programs apart.
        if getrandom::fill(&mut random).is_err() {
            let seed =
                std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::time::Instant::now());
            for (at, byte) in random.iter_mut().enumerate() {
                *byte = seed.rotate_left(u32::try_from(at).unwrap_or(0).wrapping_mul(5)).to_le_bytes()[0];
            }
        }
        let letters = random.map(|byte| letter(byte.into()));
        let mut field = [0; POSTFIX_BYTES];
        for (to, letter) in field.iter_mut().zip(letters.into_iter().chain(check(&letters))) {
            *to = letter;
        }
        Self(field)
    }

    /// Whether these letters are a postfix that a sender of this library made.
    pub(crate) fn is_ours(letters: &str) -> bool {
        match letters.as_bytes().split_first_chunk::<RANDOM_LETTERS>() {
            Some((random, last)) => last == check(random) && random.iter().all(u8::is_ascii_lowercase),
            None => false,
        }
    }

    /// The field as it stands in the info block, NUL-padded.
    pub(crate) fn field(self) -> [u8; POSTFIX_BYTES] {
        self.0
    }

    /// The letters.
    pub(crate) fn as_str(&self) -> &str {
        let end = self.0.iter().position(|&byte| byte == 0).unwrap_or(0);
        self.0.get(..end).and_then(|letters| core::str::from_utf8(letters).ok()).unwrap_or_default()
    }
}

/// Random letters of a postfix of ours; those behind them are its check letters.
const RANDOM_LETTERS: usize = Postfix::LEN - CHECK_LETTERS;
const CHECK_LETTERS: usize = 6;

/// One of 26.
fn letter(number: u64) -> u8 {
    b'a'.wrapping_add(u8::try_from(number.checked_rem(26).unwrap_or(0)).unwrap_or(0))
}

/// The check letters: FNV-1a of the random ones.
fn check(letters: &[u8; RANDOM_LETTERS]) -> [u8; CHECK_LETTERS] {
    let hash = letters.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, letter| {
        (hash ^ u64::from(*letter)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut hash = hash ^ (hash >> 32);
    core::array::from_fn(|_| {
        let letter = letter(hash);
        hash /= 26;
        letter
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_block_is_the_table_of_section_3() {
        let bytes = InfoBlock::fresh();
        let mut expected = [0_u8; BLOCK_BYTES];
        expected[..8].copy_from_slice(&[0xba, 0x34, 0xed, 0x56, 2, 0, 0, 0]);
        assert_eq!(bytes.as_bytes(), expected);
    }

    #[test]
    fn ours_are_known_from_others() {
        for _ in 0..1000 {
            let ours = Postfix::random();
            assert!(Postfix::is_ours(ours.as_str()) && ours.as_str().len() == Postfix::LEN, "{ours:?}");
        }
        assert_ne!(Postfix::random(), Postfix::random());
        for others in ["", "abc", &"q".repeat(31), &"a".repeat(32), "zyxwvutsrqponmlkjihgfedcbazyxwv"] {
            assert!(!Postfix::is_ours(others), "{others}");
        }
    }

    #[test]
    fn a_postfix_is_letters_up_to_a_nul() {
        assert_eq!(Postfix::parse(&[0; 32]), Some(Postfix::default()));
        let mut field = [0; 32];
        field[..3].copy_from_slice(b"abc");
        assert_eq!(Postfix::parse(&field).unwrap().as_str(), "abc");
        assert_eq!(Postfix::parse(&[b'z'; 31]).unwrap().as_str().len(), 31);
        assert_eq!(Postfix::parse(&[b'z'; 32]), None, "no NUL inside the field");
        field[1] = b'/';
        assert_eq!(Postfix::parse(&field), None);
        field[1] = 0xff;
        assert_eq!(Postfix::parse(&field), None);
    }
}
