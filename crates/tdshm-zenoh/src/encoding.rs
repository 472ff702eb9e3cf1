//! What goes over the network: keys, stamps and payloads, as pure functions of bytes. `docs/network-encoding.md` says the same
//! to people who write programs of their own.
//!
//! A stream is one segment of one host. Each frame is a message of its own: the payload is the block as it lies in shared
//! memory (whole), or channels that changed since a frame that was whole, or an image packed; beside it travels a [`Stamp`].
//! Whatever comes from the network is checked before it is believed, and nothing is allocated because of a number alone.

pub mod channels;
pub mod image;
pub mod info;
pub mod key;
mod report;
mod stamp;

use std::fmt;

use tdshm::{BlockError, BlockKind};

pub use channels::{Applied, ChannelDecoder, ChannelEncoder};
pub use image::{ImageDecoder, ImageEncoder, Packing};
pub use report::Report;
pub use stamp::{End, Stamp};

/// Bytes that a frame has at most, unpacked.
pub const MOST_BYTES: usize = 512 << 20;

/// What a payload is: the encoding of a message says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// A channel block.
    Channels,
    /// The channels that differ from a frame that was sent whole.
    Changed,
    /// An image block.
    Image,
    /// The header of an image block, and the pixels as one block of LZ4.
    ImageLz4,
    /// The header of an image block, and a JPEG file.
    ImageJpeg,
}

impl Form {
    const ALL: [Self; 5] = [Self::Channels, Self::Changed, Self::Image, Self::ImageLz4, Self::ImageJpeg];

    /// The encoding of such messages.
    #[must_use]
    pub const fn encoding(self) -> &'static str {
        match self {
            Self::Channels => "tdshm/channels",
            Self::Changed => "tdshm/channels;changed",
            Self::Image => "tdshm/image",
            Self::ImageLz4 => "tdshm/image;lz4",
            Self::ImageJpeg => "tdshm/image;jpeg",
        }
    }

    /// What a message is, by its encoding. Where that says no more than that it is bytes, the block says it itself.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Encoding`] for any other one, [`DecodeError::NoBlock`] for bytes that are neither kind of block.
    pub fn of(encoding: &str, payload: &[u8]) -> Result<Self, DecodeError> {
        if let Some(form) = Self::ALL.into_iter().find(|form| form.encoding() == encoding) {
            return Ok(form);
        }
        let unknown = || DecodeError::Encoding { encoding: encoding.chars().take(80).collect() };
        match encoding {
            "zenoh/bytes" | "application/octet-stream" => {
                Self::of_block(payload).ok_or(DecodeError::NoBlock { bytes: payload.len() })
            }
            _ => Err(unknown()),
        }
    }

    fn of_block(block: &[u8]) -> Option<Self> {
        if tdshm::TopShape::of_block(block).is_ok() {
            return Some(Self::Image);
        }
        tdshm::ChopFrame::from_block(block).is_ok().then_some(Self::Channels)
    }

    /// The kind of segment that it goes into.
    #[must_use]
    pub fn kind(self) -> BlockKind {
        match self {
            Self::Channels | Self::Changed => BlockKind::Chop,
            Self::Image | Self::ImageLz4 | Self::ImageJpeg => BlockKind::Top,
        }
    }
}

/// As messages have it.
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.encoding())
    }
}

/// A payload: its two parts, one behind the other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Payload {
    /// What it is.
    pub form: Form,
    /// Its beginning: all of it, or the header of an image.
    pub head: Vec<u8>,
    /// The rest.
    pub body: Vec<u8>,
}

impl Payload {
    /// Bytes of both parts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.head.len().saturating_add(self.body.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Both parts as one.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        [self.head.as_slice(), &self.body].concat()
    }
}

/// Why a message is no frame. What was received before stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The attachment.
    #[error(
        "{field} of the attachment is {value}, {rule} {limit}: send what docs/network-encoding.md says, or none"
    )]
    Stamp {
        /// The field.
        field: &'static str,
        /// What it holds.
        value: u64,
        /// How the limit is meant.
        rule: &'static str,
        /// What it should be.
        limit: u64,
    },
    /// The encoding.
    #[error(
        "the encoding {encoding:?} is none of tdshm's: say tdshm/channels or tdshm/image, or nothing for a whole block"
    )]
    Encoding {
        /// What it says.
        encoding: String,
    },
    /// Bytes of which no encoding says what they are.
    #[error(
        "the {bytes} bytes are neither a channel block nor an image block: send one, or say in the encoding what they are"
    )]
    NoBlock {
        /// Bytes of the payload.
        bytes: usize,
    },
    /// A block that breaks a rule of its own.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// Channels that changed.
    #[error("{field} of the changed channels is {value}, {rule} {limit}: send the frame whole")]
    Changed {
        /// The field.
        field: &'static str,
        /// What it holds.
        value: u64,
        /// How the limit is meant.
        rule: &'static str,
        /// What it should be.
        limit: u64,
    },
    /// A frame beyond all bounds.
    #[error("the frame has {bytes} bytes, the limit is {limit}: send a smaller one")]
    TooLarge {
        /// Bytes of the frame.
        bytes: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// A frame for which there is no room beside those of other streams.
    #[error(
        "its frames take {bytes} bytes of memory here, and of the {limit} that all streams may have for that the others leave less: \
         mirror fewer or smaller streams, or allow more with --memory"
    )]
    NoRoom {
        /// Bytes that are needed.
        bytes: usize,
        /// Bytes that all streams have for it.
        limit: usize,
    },
    /// Packed pixels that do not unpack to the image that the header announces.
    #[error("the packed image is damaged: {what}")]
    Packed {
        /// What is wrong with them.
        what: String,
    },
}

/// Four bytes at that place as a number.
fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let end = at.checked_add(4)?;
    Some(u32::from_le_bytes(bytes.get(at..end)?.try_into().ok()?))
}

/// Eight of them.
fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let end = at.checked_add(8)?;
    Some(u64::from_le_bytes(bytes.get(at..end)?.try_into().ok()?))
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_known_by_its_encoding() {
        for form in Form::ALL {
            assert_eq!(Form::of(form.encoding(), &[]).unwrap(), form);
            assert_eq!(form.to_string(), form.encoding());
        }
    }

    #[test]
    fn a_whole_block_says_what_it_is() {
        let mut block = Vec::new();
        let frame = tdshm::ChopFrame::from_rows(["a"], 60.0, &[[1.0_f32]]).unwrap();
        frame.append_block(&mut block).unwrap();
        assert_eq!(Form::of("zenoh/bytes", &block).unwrap(), Form::Channels);
        block.clear();
        let pixels = tdshm::Pixels::top_first(tdshm::PixelFormat::R8_UNORM, 1, 1, &[7]);
        tdshm::TopFrame::from_pixels(&pixels).unwrap().append_block(&mut block).unwrap();
        assert_eq!(Form::of("zenoh/bytes", &block).unwrap(), Form::Image);
        assert!(matches!(Form::of("zenoh/bytes", b"hello"), Err(DecodeError::NoBlock { bytes: 5 })));
        for (encoding, payload) in [("text/plain", &block[..]), ("tdshm/image;x", &[])] {
            let error = Form::of(encoding, payload).unwrap_err().to_string();
            assert!(error.starts_with(&format!("the encoding {encoding:?} is none of tdshm's: ")), "{error}");
        }
        assert!(Form::of(&"x".repeat(5000), &[]).unwrap_err().to_string().len() < 300);
    }
}
