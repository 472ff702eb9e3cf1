//! What a listener says when it asks how a stream is: the attachment of its question.

use crate::encoding::{u32_at, u64_at};

/// Bytes of a report. Later versions may be longer; what lies behind is left alone.
const BYTES: usize = 32;
/// Its first field.
const MAGIC: [u8; 4] = *b"TDSR";
/// The version that is written; versions with the same first byte are read.
const VERSION: u32 = 1;

/// How a stream gets through to somebody who listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Report {
    /// Which listener says so: a number that others hardly have.
    pub listener: u64,
    /// The stream, as its stamps have it.
    pub stream: u64,
    /// Frames of that stream that went out a second ago or earlier, and never came.
    pub lost: u64,
}

impl Report {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let words = [self.listener, self.stream, self.lost];
        let fields = MAGIC
            .into_iter()
            .chain(VERSION.to_le_bytes())
            .chain(words.into_iter().flat_map(u64::to_le_bytes));
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = from;
        }
        bytes
    }

    /// Reads an attachment; `None` where it is none of these.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let known = u32_at(bytes, 0)? == u32::from_le_bytes(MAGIC) && (1..=0xff).contains(&u32_at(bytes, 4)?);
        let report =
            Self { listener: u64_at(bytes, 8)?, stream: u64_at(bytes, 16)?, lost: u64_at(bytes, 24)? };
        known.then_some(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_report() {
        let report = Report { listener: 0x0102, stream: 0x1122_3344_5566_7788, lost: 300 };
        // By hand, from docs/network-encoding.md.
        let expected = [
            &b"TDSR\x01\0\0\0"[..],
            b"\x02\x01\0\0\0\0\0\0",
            b"\x88\x77\x66\x55\x44\x33\x22\x11",
            b"\x2c\x01\0\0\0\0\0\0",
        ]
        .concat();
        assert_eq!(report.to_bytes().as_slice(), expected);
        assert_eq!(Report::of(&expected), Some(report));
        assert_eq!(Report::of(&[&expected[..], b"later"].concat()), Some(report));
        assert_eq!(Report::of(&expected[..31]), None);
        for (at, byte) in [(0, b'X'), (4, 0), (5, 1)] {
            let mut other = expected.clone();
            other[at] = byte;
            assert_eq!(Report::of(&other), None, "{at}");
        }
    }
}
