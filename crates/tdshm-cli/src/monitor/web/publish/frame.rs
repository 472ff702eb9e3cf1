//! What clients say about what they send: `docs/monitor-protocol.md` is the description.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tdshm::ShortName;
use tdshm_ops::clip::ChannelNames;

use crate::monitor::web::message::Mistake;
use crate::say::count_of;

/// Bytes that a message of a client may have where frames are taken.
pub(in crate::monitor::web) const MESSAGE_BYTES: usize = 1 << 20;
/// Channels of a segment.
const CHANNELS: usize = 1024;
/// Samples of each channel in one frame.
const SAMPLES: usize = 16_384;
/// Bytes of a channel's name.
const NAME_BYTES: usize = 255;
/// Letters of a key.
const KEY: usize = 128;
/// Where nobody says which, in Hz.
const RATE: f64 = 60.0;

/// What a server that takes frames says about that.
#[derive(Clone, Debug, Serialize)]
pub(in crate::monitor::web) struct Offer {
    names: Vec<String>,
    /// Of all connections.
    segments: usize,
    /// Of one.
    per_connection: usize,
    channels: usize,
    samples: usize,
}

impl Offer {
    pub(super) fn new(names: Vec<String>, segments: usize, per_connection: usize) -> Self {
        Self { names, segments, per_connection, channels: CHANNELS, samples: SAMPLES }
    }
}

/// Names and rate of what is sent.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::monitor::web) struct Layout {
    pub(super) names: Vec<String>,
    /// In Hz.
    pub(super) rate: f32,
}

/// A segment that a client wants to send.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::monitor::web) struct Publish {
    pub(in crate::monitor::web) id: u32,
    pub(in crate::monitor::web) segment: ShortName,
    pub(in crate::monitor::web) layout: Arc<Layout>,
    pub(in crate::monitor::web) key: Option<String>,
}

/// Samples on their way into a segment, channel after channel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) layout: Arc<Layout>,
    pub(super) len_samples: usize,
    pub(super) samples: Vec<f32>,
}

#[derive(Deserialize)]
pub(in crate::monitor::web) struct RawPublish {
    id: u32,
    segment: String,
    names: Vec<String>,
    #[serde(default)]
    rate: Option<f64>,
    #[serde(default)]
    key: Option<String>,
}

impl RawPublish {
    pub(in crate::monitor::web) fn checked(self) -> Result<Publish, Mistake> {
        let id = self.id;
        let segment =
            ShortName::new(&self.segment).map_err(|error| Mistake::new("segment", Some(id), error))?;
        if self.key.as_ref().is_some_and(|key| key.is_empty() || key.len() > KEY) {
            return Err(Mistake::new("value", Some(id), format_args!("key: give 1 to {KEY} letters")));
        }
        let layout = Layout::checked(id, self.names, self.rate.unwrap_or(RATE))?;
        Ok(Publish { id, segment, layout: Arc::new(layout), key: self.key })
    }
}

impl Layout {
    fn checked(id: u32, names: Vec<String>, rate: f64) -> Result<Self, Mistake> {
        check_names(&names).map_err(|sentence| Mistake::new("names", Some(id), sentence))?;
        // Numbers that no float of 32 bits holds are 0 or infinite there.
        let rate = rate as f32;
        if !rate.is_finite() || rate <= 0.0 {
            return Err(Mistake::new("value", Some(id), "rate: give a number of Hz above 0"));
        }
        Ok(Self { names, rate })
    }

    /// With what a message brings; this one where that is nothing new.
    fn with(
        self: &Arc<Self>,
        id: u32,
        names: Option<Vec<String>>,
        rate: Option<f64>,
    ) -> Result<Arc<Self>, Mistake> {
        let same = names.as_ref().is_none_or(|names| *names == self.names)
            && rate.is_none_or(|rate| rate as f32 == self.rate);
        if same {
            return Ok(Arc::clone(self));
        }
        let (names, rate) =
            (names.unwrap_or_else(|| self.names.clone()), rate.unwrap_or(f64::from(self.rate)));
        Self::checked(id, names, rate).map(Arc::new)
    }
}

/// Names as TouchDesigner has them, each once.
fn check_names(names: &[String]) -> Result<(), String> {
    if names.is_empty() || names.len() > CHANNELS {
        return Err(format!("{} names: give 1 to {CHANNELS}", names.len()));
    }
    let mut seen = HashSet::with_capacity(names.len());
    for name in names {
        let shown: String = name.chars().take(40).collect();
        if name.is_empty() || name.len() > NAME_BYTES {
            return Err(format!("{shown:?} is no name of a channel: give 1 to {NAME_BYTES} letters"));
        }
        if let Some(sign) = name.chars().find(|sign| !ChannelNames::is_legal(*sign)) {
            return Err(format!(
                "{shown:?} is no name of a channel: {sign:?} is none of A-Z a-z 0-9 - _ : /"
            ));
        }
        if !seen.insert(name.as_str()) {
            return Err(format!("{shown:?} comes twice: each channel needs a name of its own"));
        }
    }
    Ok(())
}

/// A frame in JSON.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(in crate::monitor::web) struct Written {
    pub(super) id: u32,
    channels: Vec<Row>,
    #[serde(default)]
    names: Option<Vec<String>>,
    #[serde(default)]
    rate: Option<f64>,
}

/// Null is what is no number.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Row {
    One(Option<f64>),
    Many(Vec<Option<f64>>),
}

impl Row {
    fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(samples) => samples.len(),
        }
    }
}

impl Written {
    /// The frame, where it is one of that layout.
    pub(super) fn frame(self, layout: &Arc<Layout>) -> Result<Frame, Mistake> {
        let Self { id, channels, names, rate } = self;
        let layout = layout.with(id, names, rate)?;
        let len_samples = channels.first().map_or(0, Row::len);
        check_shape(id, &layout, channels.len(), len_samples)?;
        if let Some((at, row)) = channels.iter().enumerate().find(|(_, row)| row.len() != len_samples) {
            let name = layout.names.get(at).map_or("", String::as_str);
            let sentence = format_args!(
                "{name:?} has {} and the first channel {len_samples}: give each the same number",
                count_of(row.len(), "sample")
            );
            return Err(Mistake::new("frame", Some(id), sentence));
        }
        let mut samples = Vec::with_capacity(channels.len().saturating_mul(len_samples));
        let number = |value: Option<f64>| value.map_or(f32::NAN, |value| value as f32);
        for row in channels {
            match row {
                Row::One(value) => samples.push(number(value)),
                Row::Many(values) => samples.extend(values.into_iter().map(number)),
            }
        }
        Ok(Frame { layout, len_samples, samples })
    }
}

fn check_shape(id: u32, layout: &Layout, count: usize, len_samples: usize) -> Result<(), Mistake> {
    if count != layout.names.len() {
        let sentence = format_args!(
            "{}, and {}: give as many of each",
            count_of(count, "channel"),
            count_of(layout.names.len(), "name")
        );
        return Err(Mistake::new("frame", Some(id), sentence));
    }
    if !(1..=SAMPLES).contains(&len_samples) {
        let sentence = format_args!("{len_samples} samples of each channel: give 1 to {SAMPLES}");
        return Err(Mistake::new("frame", Some(id), sentence));
    }
    Ok(())
}

/// A frame as bytes: what a server sends to those who read, the other way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Binary<'b> {
    pub(super) id: u32,
    names: Option<Vec<String>>,
    /// 0: the one there is.
    rate: f32,
    count: usize,
    points: usize,
    data: &'b [u8],
}

impl<'b> Binary<'b> {
    pub(super) fn read(bytes: &'b [u8]) -> Result<Self, Mistake> {
        let wrong = |what: &str| Mistake::new("message", None, format_args!("the binary message {what}"));
        let Some((head, _)) = bytes.split_first_chunk::<HEAD>() else {
            return Err(wrong(&format!(
                "has {}: give its header of 72, and all behind it",
                count_of(bytes.len(), "byte")
            )));
        };
        let word = |at: usize| match head.get(at..).and_then(<[u8]>::first_chunk) {
            Some(word) => u32::from_le_bytes(*word),
            None => 0,
        };
        let size = |at: usize| usize::try_from(word(at)).unwrap_or(usize::MAX);
        let [b'T', b'D', b'S', b'M', version, kind, low, high, ..] = *head else {
            return Err(wrong("does not begin with TDSM: write the header of docs/monitor-protocol.md"));
        };
        if (version, kind) != (1, 1) {
            return Err(wrong(&format!(
                "is of version {version} and kind {kind}: give version 1 and kind 1, channels"
            )));
        }
        let (id, flags) = (word(8), word(36));
        let (count, points, names_bytes) = (size(40), size(44), size(60));
        let wrong = |what: &str| Mistake::new("frame", Some(id), what);
        let begin = usize::from(u16::from_le_bytes([low, high]));
        if begin < HEAD {
            return Err(wrong(&format!("the header says that it has {}: give 72", count_of(begin, "byte"))));
        }
        let rest = bytes.get(begin..).and_then(|rest| rest.split_at_checked(names_bytes));
        let (names, data) =
            rest.ok_or_else(|| wrong("the names are cut off: send all bytes that the header counts"))?;
        let expected = count.checked_mul(points).and_then(|numbers| numbers.checked_mul(4));
        if expected != Some(data.len()) {
            let sentence = format!(
                "{} of {}, and {}: give 4 bytes a sample",
                count_of(count, "channel"),
                count_of(points, "sample"),
                count_of(data.len(), "byte")
            );
            return Err(wrong(&sentence));
        }
        let names = match flags & NAMED {
            0 => None,
            _ => Some(unpacked(names, count).ok_or_else(|| {
                Mistake::new(
                    "names",
                    Some(id),
                    "the names are not those of so many channels: give a name for each, in UTF-8",
                )
            })?),
        };
        Ok(Self { id, names, rate: f32::from_bits(word(56)), count, points, data })
    }

    /// The frame, where it is one of that layout.
    pub(super) fn frame(self, layout: &Arc<Layout>) -> Result<Frame, Mistake> {
        let rate = (self.rate != 0.0).then_some(f64::from(self.rate));
        let layout = layout.with(self.id, self.names, rate)?;
        check_shape(self.id, &layout, self.count, self.points)?;
        let (samples, _) = self.data.as_chunks::<4>();
        let samples = samples.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Ok(Frame { layout, len_samples: self.points, samples })
    }
}

const HEAD: usize = 72;
const NAMED: u32 = 1 << 3;

/// As many names as there are channels; what fills them up is nothing.
fn unpacked(mut bytes: &[u8], count: usize) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for _ in 0..count.min(CHANNELS.saturating_add(1)) {
        let (len, rest) = bytes.split_first_chunk::<2>()?;
        let (name, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
        names.push(std::str::from_utf8(name).ok()?.to_owned());
        bytes = rest;
    }
    (bytes.len() < 4 && bytes.iter().all(|byte| *byte == 0)).then_some(names)
}
