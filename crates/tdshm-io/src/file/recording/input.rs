//! The records of an MCAP file, one after the other, whatever the bytes are.
//!
//! A record is an opcode, a length and as many bytes. Lengths are believed as far as the file goes, and no record but a
//! frame is held in memory beyond [`LONGEST`].

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use crate::file::recording::McapError;

/// At both ends of a file.
pub(super) const MAGIC: [u8; 8] = *b"\x89MCAP0\r\n";
/// Opcode and length.
pub(super) const HEAD_BYTES: u64 = 9;
/// What a message has in front of its data.
pub(super) const MESSAGE_HEAD_BYTES: u64 = 22;
/// Schemas, channels and the like are shorter.
const LONGEST: u64 = 1 << 20;
/// Frames are smaller: 32768 × 32768 pixels of 16 bytes.
const LARGEST_FRAME: u64 = (1 << 34) + 4096;
/// Bytes that are read at once.
const BUFFER: usize = 64 << 10;

/// What a record is.
pub(super) mod op {
    pub(crate) const HEADER: u8 = 0x01;
    pub(crate) const FOOTER: u8 = 0x02;
    pub(crate) const CHANNEL: u8 = 0x04;
    pub(crate) const MESSAGE: u8 = 0x05;
    pub(crate) const CHUNK: u8 = 0x06;
    pub(crate) const METADATA: u8 = 0x0c;
    pub(crate) const DATA_END: u8 = 0x0f;
}

/// A file, and where one is in it.
#[derive(Debug)]
pub(super) struct Input<R> {
    from: BufReader<R>,
    at: u64,
    len: u64,
}

impl<R: Read + Seek> Input<R> {
    pub(super) fn new(mut from: R) -> Result<Self, McapError> {
        let len = from.seek(SeekFrom::End(0)).map_err(McapError::Read)?;
        from.seek(SeekFrom::Start(0)).map_err(McapError::Read)?;
        Ok(Self { from: BufReader::with_capacity(BUFFER, from), at: 0, len })
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Goes to a byte of the file.
    pub(super) fn go(&mut self, to: u64) -> Result<(), McapError> {
        let by = i128::from(to).checked_sub(i128::from(self.at)).and_then(|by| i64::try_from(by).ok());
        let gone = match by {
            // What is in memory stays there.
            Some(by) => self.from.seek_relative(by),
            None => self.from.seek(SeekFrom::Start(to)).map(drop),
        };
        gone.map_err(McapError::Read)?;
        self.at = to;
        Ok(())
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], McapError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn fill(&mut self, to: &mut [u8]) -> Result<(), McapError> {
        self.from.read_exact(to).map_err(McapError::Read)?;
        self.at = self.at.saturating_add(u64::try_from(to.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// The next bytes, so many as a frame may have.
    pub(super) fn frame(&mut self, bytes: u64, mut to: Vec<u8>) -> Result<Vec<u8>, McapError> {
        if bytes > LARGEST_FRAME {
            return Err(McapError::TooLong { at: self.at, bytes, limit: LARGEST_FRAME });
        }
        to.clear();
        let no_room = |_| McapError::Read(io::ErrorKind::OutOfMemory.into());
        to.try_reserve_exact(usize::try_from(bytes).unwrap_or(usize::MAX)).map_err(no_room)?;
        let read = (&mut self.from).take(bytes).read_to_end(&mut to).map_err(McapError::Read)?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if u64::try_from(read) != Ok(bytes) {
            return Err(McapError::Read(io::ErrorKind::UnexpectedEof.into())); // it shrank meanwhile
        }
        Ok(to)
    }

    /// The next bytes, so many as a description may have.
    pub(super) fn description(&mut self, bytes: u64) -> Result<Vec<u8>, McapError> {
        if bytes > LONGEST {
            return Err(McapError::TooLong { at: self.at, bytes, limit: LONGEST });
        }
        self.frame(bytes, Vec::new())
    }

    /// The checksum of the next bytes, up to `end`.
    pub(super) fn checksum(&mut self, end: u64) -> Result<u32, McapError> {
        let mut hasher = crc32fast::Hasher::new();
        let mut buffer = vec![0; BUFFER];
        while self.at < end {
            let left = usize::try_from(end.saturating_sub(self.at)).unwrap_or(usize::MAX);
            let Some(part) = buffer.get_mut(..left.min(BUFFER)) else { break };
            self.fill(part)?;
            hasher.update(part);
        }
        Ok(hasher.finalize())
    }
}

/// The fields of a description, from the first on. What is not there is `None`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'b>(pub(super) &'b [u8]);

impl<'b> Fields<'b> {
    fn take(&mut self, bytes: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Text behind its length; what is no UTF-8 is read with replacement characters.
    pub(super) fn text(&mut self) -> Option<String> {
        let bytes = usize::try_from(self.u32()?).ok()?;
        Some(String::from_utf8_lossy(self.take(bytes)?).into_owned())
    }

    /// What a map says of that key.
    pub(super) fn value_of(&mut self, key: &str) -> Option<String> {
        let bytes = usize::try_from(self.u32()?).ok()?;
        let mut map = Fields(self.take(bytes)?);
        while let (Some(name), Some(value)) = (map.text(), map.text()) {
            if name == key {
                return Some(value);
            }
        }
        None
    }
}
