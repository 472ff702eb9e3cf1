//! What travels beside each frame.

use crate::encoding::{DecodeError, u32_at, u64_at, wide};

/// Bytes of a stamp. Later versions may be longer; what lies behind is left alone.
const BYTES: usize = 64;
/// Its first field.
const MAGIC: [u8; 4] = *b"TDSN";
/// The version that is written; versions with the same first byte are read.
const VERSION: u32 = 1;

/// Why there are no more frames, for now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// There are.
    #[default]
    Goes,
    /// The sender left.
    Left,
    /// The sender died.
    Died,
    /// The program that shares has ended.
    Unshared,
}

impl End {
    fn number(self) -> u32 {
        match self {
            Self::Goes => 0,
            Self::Left => 1,
            Self::Died => 2,
            Self::Unshared => 3,
        }
    }

    /// Later versions may know more ways to end.
    fn of(number: u32) -> Self {
        match number {
            0 => Self::Goes,
            2 => Self::Died,
            3 => Self::Unshared,
            _ => Self::Left,
        }
    }

    /// In one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Goes => "there",
            Self::Left => "left",
            Self::Died => "died",
            Self::Unshared => "unshared",
        }
    }
}

/// What travels beside a frame: the attachment of its message. Times are nanoseconds since the Unix epoch on the clock of
/// the host that shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Stamp {
    /// Which run of the program that shares: a number that others hardly have; numbers of frames begin anew with it.
    pub stream: u64,
    /// Counts the frames of the stream that went over the network, from 1.
    pub number: u64,
    /// The number of the frame that changed channels are to be compared with; 0: this one is whole.
    pub base: u64,
    /// The sender's own count of its frames; 0: it does not count.
    pub frame: u64,
    /// When the sender wrote the frame; 0: it does not say.
    pub written: u64,
    /// When the frame was handed to the network.
    pub shared: u64,
    /// The sender's process; 0: unknown.
    pub sender: u32,
    /// Why no more frames come, where the message is a deletion.
    pub end: End,
}

impl Stamp {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let words = [self.stream, self.number, self.base, self.frame, self.written, self.shared];
        let fields = MAGIC
            .into_iter()
            .chain(VERSION.to_le_bytes())
            .chain(words.into_iter().flat_map(u64::to_le_bytes))
            .chain(self.sender.to_le_bytes())
            .chain(self.end.number().to_le_bytes());
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = from;
        }
        bytes
    }

    /// Reads an attachment.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Stamp`] where it is none.
    pub fn of(bytes: &[u8]) -> Result<Self, DecodeError> {
        let wrong = |field, value, rule, limit| DecodeError::Stamp { field, value, rule, limit };
        let short = || wrong("the length", wide(bytes.len()), "at least", wide(BYTES));
        let magic = u32_at(bytes, 0).ok_or_else(short)?;
        let version = u32_at(bytes, 4).ok_or_else(short)?;
        if magic != u32::from_le_bytes(MAGIC) {
            return Err(wrong("magic", magic.into(), "it has to be", u32::from_le_bytes(MAGIC).into()));
        }
        if version == 0 || version > 0xff {
            return Err(wrong("version", version.into(), "1 and up to", 0xff));
        }
        let word = |at| u64_at(bytes, at).ok_or_else(short);
        Ok(Self {
            stream: word(8)?,
            number: word(16)?,
            base: word(24)?,
            frame: word(32)?,
            written: word(40)?,
            shared: word(48)?,
            sender: u32_at(bytes, 56).ok_or_else(short)?,
            end: End::of(u32_at(bytes, 60).ok_or_else(short)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bytes_of_a_stamp() {
        let stamp = Stamp {
            stream: 0x1122_3344_5566_7788,
            number: 300,
            base: 299,
            frame: 7,
            written: 1_700_000_000_000_000_000,
            shared: 1_700_000_000_000_100_000,
            sender: 4711,
            end: End::Died,
        };
        // By hand, from docs/network-encoding.md.
        let expected = [
            &b"TDSN\x01\0\0\0"[..],
            b"\x88\x77\x66\x55\x44\x33\x22\x11",
            b"\x2c\x01\0\0\0\0\0\0",
            b"\x2b\x01\0\0\0\0\0\0",
            b"\x07\0\0\0\0\0\0\0",
            b"\0\0\x2a\x36\xfe\x9c\x97\x17",
            b"\xa0\x86\x2b\x36\xfe\x9c\x97\x17",
            b"\x67\x12\0\0",
            b"\x02\0\0\0",
        ]
        .concat();
        assert_eq!(stamp.to_bytes().as_slice(), expected);
        assert_eq!(Stamp::of(&expected).unwrap(), stamp);
        assert_eq!(Stamp::of(&[expected.as_slice(), b"later"].concat()).unwrap(), stamp);
    }

    #[test]
    fn what_is_no_stamp_is_refused() {
        let good = Stamp::default().to_bytes();
        for short in [0, 3, 7, 63] {
            let error = Stamp::of(&good[..short]).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("the length of the attachment is {short}, at least 64: ")),
                "{error}"
            );
        }
        let mut other = good;
        other[0] = b'X';
        assert!(Stamp::of(&other).unwrap_err().to_string().starts_with("magic of the attachment is "));
        let mut other = good;
        other[5] = 1;
        let error = Stamp::of(&other).unwrap_err().to_string();
        assert!(error.starts_with("version of the attachment is 257, 1 and up to 255: "), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_stamp_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Stamp::of(&bytes);
            let mut bytes = bytes;
            if bytes.len() >= 64 {
                bytes[..8].copy_from_slice(b"TDSN\x01\0\0\0");
                let stamp = Stamp::of(&bytes).unwrap();
                prop_assert_eq!(&stamp.to_bytes()[..60], &bytes[..60]);
            }
        }
    }
}
