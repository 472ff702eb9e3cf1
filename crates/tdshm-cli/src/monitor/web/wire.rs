//! Messages with numbers, as bytes and as JSON: `docs/monitor-protocol.md` is the description.

use std::sync::Arc;

use serde::Serialize;

/// `TDSM`, little-endian.
const MAGIC: u32 = 0x4d53_4454;
const VERSION: u8 = 1;
const CHANNELS: u8 = 1;
const IMAGE: u8 = 2;
/// From the start of a message to what it carries.
const HEADER_BYTES: u16 = 72;

const HAS_NUMBER: u32 = 1;
const TORN: u32 = 1 << 1;
const REDUCED: u32 = 1 << 2;
const NAMED: u32 = 1 << 3;
const SINCE: u32 = 1 << 4;

/// What both kinds of messages begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Head {
    pub(super) id: u32,
    pub(super) serial: u32,
    /// The number that the sender gave the frame, where it counts.
    pub(super) number: Option<u64>,
    /// When it was read, in seconds since the server began.
    pub(super) time: f64,
    /// Frames that were read and not delivered to this client since its last message.
    pub(super) dropped: u32,
    pub(super) torn: bool,
}

/// Samples of some channels, channel after channel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChannelsMessage {
    pub(super) head: Head,
    /// `None`: as in the message before.
    pub(super) names: Option<Vec<String>>,
    pub(super) count: usize,
    pub(super) points: usize,
    pub(super) samples: Vec<f32>,
    /// Channels that the segment has.
    pub(super) all_channels: usize,
    /// Samples of each channel that the points stand for.
    pub(super) len_samples: usize,
    /// The place in the frame of the first of them.
    pub(super) first: usize,
    pub(super) rate: f32,
    /// Whether the points are the least and the greatest of groups of samples.
    pub(super) reduced: bool,
    /// Whether the samples are all since the last message, and not those of one frame.
    pub(super) since: bool,
    /// Then: seconds from the first of them to the last.
    pub(super) span: f32,
}

/// An image, the top row first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ImageMessage {
    pub(super) head: Head,
    pub(super) picture: Arc<Picture>,
}

/// Pixels as they are sent, and what they were made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Picture {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) source: (usize, usize),
    pub(super) format: u32,
    pub(super) encoding: super::message::Encoding,
    pub(super) is_float: bool,
    /// Which numbers became 0 and 255.
    pub(super) range: (f32, f32),
    pub(super) bytes: Vec<u8>,
}

fn number32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// The first 40 bytes.
fn head(bytes: &mut Vec<u8>, kind: u8, head: &Head, flags: u32) {
    let has_number = if head.number.is_some() { HAS_NUMBER } else { 0 };
    let torn = if head.torn { TORN } else { 0 };
    bytes.extend(MAGIC.to_le_bytes());
    bytes.extend([VERSION, kind]);
    bytes.extend(HEADER_BYTES.to_le_bytes());
    bytes.extend(head.id.to_le_bytes());
    bytes.extend(head.serial.to_le_bytes());
    bytes.extend(head.number.unwrap_or(0).to_le_bytes());
    bytes.extend(head.time.to_le_bytes());
    bytes.extend(head.dropped.to_le_bytes());
    bytes.extend((flags | has_number | torn).to_le_bytes());
}

impl ChannelsMessage {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let names = self.names.as_deref().map(packed).unwrap_or_default();
        let flag = |is: bool, flag: u32| if is { flag } else { 0 };
        let flags = flag(self.reduced, REDUCED) | flag(self.names.is_some(), NAMED) | flag(self.since, SINCE);
        let samples = self.samples.len().saturating_mul(4);
        let size = usize::from(HEADER_BYTES).saturating_add(names.len()).saturating_add(samples);
        let mut bytes = Vec::with_capacity(size);
        head(&mut bytes, CHANNELS, &self.head, flags);
        for value in [self.count, self.points, self.all_channels, self.len_samples] {
            bytes.extend(number32(value).to_le_bytes());
        }
        bytes.extend(self.rate.to_le_bytes());
        for value in [names.len(), self.first] {
            bytes.extend(number32(value).to_le_bytes());
        }
        bytes.extend(self.span.to_le_bytes());
        bytes.extend(names);
        bytes.extend(self.samples.iter().flat_map(|sample| sample.to_le_bytes()));
        bytes
    }

    pub(super) fn json(&self) -> String {
        #[derive(Serialize)]
        struct Message<'m> {
            #[serde(flatten)]
            head: JsonHead,
            rate: f32,
            len_samples: usize,
            first: usize,
            points: usize,
            all_channels: usize,
            reduced: bool,
            since: bool,
            span: f32,
            #[serde(skip_serializing_if = "Option::is_none")]
            names: Option<&'m [String]>,
            /// Null for what JSON has no number for.
            channels: Vec<&'m [f32]>,
        }
        let message = Message {
            head: JsonHead::new("channels", &self.head),
            rate: self.rate,
            len_samples: self.len_samples,
            first: self.first,
            points: self.points,
            all_channels: self.all_channels,
            reduced: self.reduced,
            since: self.since,
            span: self.span,
            names: self.names.as_deref(),
            channels: match self.points {
                0 => vec![&[]; self.count],
                points => self.samples.chunks(points).collect(),
            },
        };
        serde_json::to_string(&message).unwrap_or_default()
    }
}

/// Names one after the other, each behind its length, and zeros up to a multiple of four.
fn packed(names: &[String]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in names {
        // A name of a channel is shorter; one that is not is cut where a character ends.
        let end = name.floor_char_boundary(usize::from(u16::MAX));
        let name = name.get(..end).unwrap_or_default();
        bytes.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
        bytes.extend(name.as_bytes());
    }
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

impl ImageMessage {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let picture = &*self.picture;
        let mut bytes = Vec::with_capacity(picture.bytes.len().saturating_add(usize::from(HEADER_BYTES)));
        head(&mut bytes, IMAGE, &self.head, 0);
        for value in [picture.width, picture.height, picture.source.0, picture.source.1] {
            bytes.extend(number32(value).to_le_bytes());
        }
        let encoding = match picture.encoding {
            super::message::Encoding::Rgba8 => 0,
            super::message::Encoding::Jpeg => 1,
        };
        bytes.extend([encoding, u8::from(picture.is_float), 0, 0]);
        bytes.extend(picture.format.to_le_bytes());
        bytes.extend(picture.range.0.to_le_bytes());
        bytes.extend(picture.range.1.to_le_bytes());
        bytes.extend_from_slice(&picture.bytes);
        bytes
    }

    pub(super) fn json(&self) -> String {
        #[derive(Serialize)]
        struct Message {
            #[serde(flatten)]
            head: JsonHead,
            width: usize,
            height: usize,
            source_width: usize,
            source_height: usize,
            format: u32,
            encoding: super::message::Encoding,
            is_float: bool,
            range: (f32, f32),
            base64: String,
        }
        let picture = &*self.picture;
        let message = Message {
            head: JsonHead::new("image", &self.head),
            width: picture.width,
            height: picture.height,
            source_width: picture.source.0,
            source_height: picture.source.1,
            format: picture.format,
            encoding: picture.encoding,
            is_float: picture.is_float,
            range: picture.range,
            base64: base64(&picture.bytes),
        };
        serde_json::to_string(&message).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct JsonHead {
    r#type: &'static str,
    id: u32,
    serial: u32,
    number: Option<u64>,
    time: f64,
    dropped: u32,
    torn: bool,
}

impl JsonHead {
    fn new(r#type: &'static str, head: &Head) -> Self {
        let Head { id, serial, number, time, dropped, torn } = *head;
        Self { r#type, id, serial, number, time, dropped, torn }
    }
}

/// RFC 4648, with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for group in bytes.chunks(3) {
        let byte = |place: usize| u32::from(group.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = LETTERS.get((bits >> shift & 63) as usize).copied().unwrap_or(b'=');
            text.push(if place > group.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

/// `samples` as `points` numbers: themselves where they are few enough, otherwise the least and the greatest of groups, in
/// the order in which they come. What is no number is a group of its own where the whole group is none.
pub(super) fn reduce(
    samples: impl ExactSizeIterator<Item = f32> + Clone,
    points: usize,
    to: &mut Vec<f32>,
) -> bool {
    let len = samples.len();
    if len <= points {
        to.extend(samples);
        return false;
    }
    let groups = (points / 2).max(1);
    let mut samples = samples;
    let mut taken = 0_usize;
    for group in 1..=groups {
        // Bounded by the length of a frame and 16 384.
        let end =
            (len as u128).saturating_mul(group as u128).checked_div(groups as u128).unwrap_or(0) as usize;
        let mut found: Option<((usize, f32), (usize, f32))> = None;
        let count = end.saturating_sub(taken);
        for (place, value) in samples.by_ref().take(count).enumerate() {
            if value.is_nan() {
                continue;
            }
            let (least, greatest) = found.get_or_insert(((place, value), (place, value)));
            if value < least.1 {
                *least = (place, value);
            }
            if value > greatest.1 {
                *greatest = (place, value);
            }
        }
        taken = end;
        match found {
            Some((least, greatest)) if least.0 <= greatest.0 => to.extend([least.1, greatest.1]),
            Some((least, greatest)) => to.extend([greatest.1, least.1]),
            None => to.extend([f32::NAN; 2]),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::web::message::Encoding;

    fn message() -> ChannelsMessage {
        ChannelsMessage {
            head: Head {
                id: 0x0102,
                serial: 3,
                number: Some(0x1122_3344_5566),
                time: 1.5,
                dropped: 4,
                torn: true,
            },
            names: Some(vec!["tx".into(), "ü".into()]),
            count: 2,
            points: 2,
            samples: vec![1.0, -2.0, f32::NAN, 0.5],
            all_channels: 9,
            len_samples: 2,
            first: 7,
            rate: 60.0,
            reduced: false,
            since: true,
            span: 0.5,
        }
    }

    /// As `docs/monitor-protocol.md` has it, by hand.
    #[test]
    fn the_bytes_of_channels() {
        let bytes = message().bytes();
        let mut expected = b"TDSM\x01\x01\x48\x00\x02\x01\x00\x00\x03\x00\x00\x00".to_vec();
        expected.extend(b"\x66\x55\x44\x33\x22\x11\x00\x00"); // number
        expected.extend(b"\x00\x00\x00\x00\x00\x00\xf8\x3f"); // 1.5 s
        expected.extend(b"\x04\x00\x00\x00\x1b\x00\x00\x00"); // dropped; number, torn, named, since
        expected.extend(b"\x02\x00\x00\x00\x02\x00\x00\x00\x09\x00\x00\x00\x02\x00\x00\x00");
        expected.extend(b"\x00\x00\x70\x42\x08\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x3f");
        expected.extend(b"\x02\x00tx\x02\x00\xc3\xbc");
        expected.extend(b"\x00\x00\x80\x3f\x00\x00\x00\xc0\x00\x00\xc0\x7f\x00\x00\x00\x3f");
        assert_eq!(bytes, expected);
        let unnamed = ChannelsMessage { names: None, ..message() };
        assert_eq!(unnamed.bytes().len(), expected.len() - 8);
    }

    #[test]
    fn channels_as_json() {
        assert_eq!(
            message().json(),
            "{\"type\":\"channels\",\"id\":258,\"serial\":3,\"number\":18838586676582,\"time\":1.5,\"dropped\":4,\
             \"torn\":true,\"rate\":60.0,\"len_samples\":2,\"first\":7,\"points\":2,\"all_channels\":9,\
             \"reduced\":false,\"since\":true,\"span\":0.5,\"names\":[\"tx\",\"ü\"],\"channels\":[[1.0,-2.0],[null,0.5]]}"
        );
    }

    #[test]
    fn the_bytes_of_an_image() {
        let picture = Picture {
            width: 1,
            height: 2,
            source: (3, 4),
            format: 37,
            encoding: Encoding::Jpeg,
            is_float: true,
            range: (0.0, 2.0),
            bytes: vec![9, 8],
        };
        let message =
            ImageMessage { head: Head { id: 1, serial: 2, ..Head::default() }, picture: Arc::new(picture) };
        let bytes = message.bytes();
        assert_eq!(bytes[..16], *b"TDSM\x01\x02\x48\x00\x01\x00\x00\x00\x02\x00\x00\x00");
        assert_eq!(bytes[36..40], [0; 4]);
        assert_eq!(bytes[40..56], *b"\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00");
        assert_eq!(bytes[56..], *b"\x01\x01\x00\x00\x25\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x09\x08");
        assert!(
            message.json().ends_with(
                "\"encoding\":\"jpeg\",\"is_float\":true,\"range\":[0.0,2.0],\"base64\":\"CQg=\"}"
            )
        );
    }

    #[test]
    fn bytes_in_letters() {
        let pairs = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (bytes, text) in pairs {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }

    #[test]
    fn what_is_left_out_lies_between_what_is_kept() {
        let reduced = |samples: &[f32], points: usize| {
            let mut to = Vec::new();
            (reduce(samples.iter().copied(), points, &mut to), to)
        };
        assert_eq!(reduced(&[1.0, 2.0, 3.0], 3), (false, vec![1.0, 2.0, 3.0]));
        let spike = [0.0, 9.0, -1.0, 0.0, 5.0, 4.0, 6.0, 5.0];
        assert_eq!(reduced(&spike, 4), (true, vec![9.0, -1.0, 4.0, 6.0]));
        assert_eq!(reduced(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2), (true, vec![0.0, 6.0]));
        let (_, holes) = reduced(&[f32::NAN, f32::NAN, 1.0, f32::NAN], 2);
        assert_eq!(holes, [1.0, 1.0]);
        assert!(reduced(&[f32::NAN; 4], 2).1.iter().all(|value| value.is_nan()));
    }
}
