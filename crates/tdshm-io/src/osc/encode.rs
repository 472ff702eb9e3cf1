//! Packets, made of channels.

use core::str::FromStr;
use core::time::Duration;

use super::MAX_PACKET;
use super::address::{address_of, common_address};
use super::message::padded;

/// What samples are sent as.
///
/// # Source
///
/// operators §11.3: `numericformat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Numeric {
    /// `int`: whole numbers of 32 bits, the nearest; what is beyond them is the greatest or smallest, and NaN is 0.
    Int,
    /// `float`: 32-bit floats, bit for bit.
    #[default]
    Float,
    /// `double`: 64-bit floats, which hold each sample exactly.
    Double,
}

/// How samples become messages.
///
/// # Source
///
/// operators §11.3: `format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// `sample`: a message a channel, with its newest sample.
    Sample,
    /// `timeslice`: a message a channel, with all its samples.
    #[default]
    TimeSlice,
    /// `transpose`: one message with the first sample of every channel. Its address is what all names begin with, without
    /// digits and signs at the end, so `pos1 pos2` are `/pos`; names that share nothing are `/channels` (ours).
    Transpose,
    /// `transposename`: the same, with the name of each channel as a text before its sample (ours in detail).
    TransposeName,
}

/// A word that is no entry of a menu.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is none of {known}")]
pub struct UnknownEntry {
    given: String,
    known: &'static str,
}

impl FromStr for Numeric {
    type Err = UnknownEntry;

    fn from_str(text: &str) -> Result<Self, UnknownEntry> {
        match text {
            "int" => Ok(Self::Int),
            "float" => Ok(Self::Float),
            "double" => Ok(Self::Double),
            _ => Err(UnknownEntry { given: text.to_owned(), known: "int, float, double" }),
        }
    }
}

impl FromStr for Layout {
    type Err = UnknownEntry;

    fn from_str(text: &str) -> Result<Self, UnknownEntry> {
        match text {
            "sample" => Ok(Self::Sample),
            "timeslice" => Ok(Self::TimeSlice),
            "transpose" => Ok(Self::Transpose),
            "transposename" => Ok(Self::TransposeName),
            _ => Err(UnknownEntry {
                given: text.to_owned(),
                known: "sample, timeslice, transpose, transposename",
            }),
        }
    }
}

impl Numeric {
    fn tag(self) -> u8 {
        match self {
            Self::Int => b'i',
            Self::Float => b'f',
            Self::Double => b'd',
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Int | Self::Float => 4,
            Self::Double => 8,
        }
    }

    fn put(self, sample: f32, to: &mut Vec<u8>) {
        match self {
            Self::Int => to.extend_from_slice(&whole(sample).to_be_bytes()),
            Self::Float => to.extend_from_slice(&sample.to_be_bytes()),
            Self::Double => to.extend_from_slice(&f64::from(sample).to_be_bytes()),
        }
    }

    /// What a sample is sent as, so that a change that nobody would see is none.
    fn bits(self, sample: f32) -> u32 {
        match self {
            Self::Int => whole(sample).cast_unsigned(),
            Self::Float | Self::Double => sample.to_bits(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and makes 0 of NaN, as documented")]
fn whole(sample: f32) -> i32 {
    sample.round() as i32
}

/// How channels become packets.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct EncodeOptions {
    numeric: Numeric,
    layout: Layout,
    max_bytes: usize,
    only_changed: bool,
    rate_sent: bool,
    bundles: bool,
}

impl EncodeOptions {
    /// Floats, all samples, packets of up to 8000 bytes, everything in each frame.
    pub fn new() -> Self {
        Self {
            numeric: Numeric::default(),
            layout: Layout::default(),
            max_bytes: 8000,
            only_changed: false,
            rate_sent: false,
            bundles: true,
        }
    }

    /// What samples are sent as.
    pub fn numeric(mut self, numeric: Numeric) -> Self {
        self.numeric = numeric;
        self
    }

    /// How samples become messages.
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// Packets have up to that many bytes, at most [`MAX_PACKET`]. More is split: messages go into several bundles, and a long
    /// time slice into several messages of the same address. A message for which a bundle around it is too much goes without;
    /// what cannot be split, one sample or a transposed message, goes into a larger packet where it must, and beyond
    /// [`MAX_PACKET`] is left out and counted.
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes.min(MAX_PACKET);
        self
    }

    /// Only channels that are not as they were sent last; of transposed ones all, if one changed.
    pub fn only_changed(mut self, only_changed: bool) -> Self {
        self.only_changed = only_changed;
        self
    }

    /// With time slices the sample rate goes along, as `/_samplerate` (the address is ours).
    pub fn rate_sent(mut self, rate_sent: bool) -> Self {
        self.rate_sent = rate_sent;
        self
    }

    /// Whether the messages of a frame go together in bundles with a time tag; one that is alone never does. Off: each
    /// message is a packet.
    pub fn bundles(mut self, bundles: bool) -> Self {
        self.bundles = bundles;
        self
    }
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// What belongs to all channels of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FrameInfo {
    /// When the frame was, counted from the first one that was sent: the time tag.
    ///
    /// # Source
    ///
    /// operators §11.3: inferred, measured.
    pub time: Duration,
    /// The sample rate, in Hz.
    pub rate: f32,
}

/// What became of a packet that was handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Handed {
    /// It left, and counts.
    On,
    /// It did not. Those behind it may.
    Lost,
    /// It did not, and nobody wants the rest of the frame any more.
    Stop,
}

/// What has been sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncodeCounts {
    /// Packets that were handed on, and left.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Messages in them.
    pub messages: u64,
    /// Messages that were left out because they fit into no packet.
    pub too_large: u64,
}

/// Makes packets of channels, in memory that it keeps: frames of the same shape allocate nothing.
#[derive(Debug)]
pub struct Encoder {
    options: EncodeOptions,
    known: Vec<Known>,
    /// The address of the transposed message, as it lies in a packet.
    together: Vec<u8>,
    rate_sent: Option<u32>,
    message: Vec<u8>,
    tags: Vec<u8>,
    values: Vec<u8>,
    packet: Packet,
    counts: EncodeCounts,
}

/// A channel that has been seen.
#[derive(Debug)]
struct Known {
    name: String,
    /// As it lies in a packet.
    address: Vec<u8>,
    /// The sample that was sent last.
    sent: Option<u32>,
}

/// The bundle that is being filled.
#[derive(Debug, Default)]
struct Packet {
    bytes: Vec<u8>,
    messages: u64,
    /// Whether another one of the same frame has gone already.
    is_further: bool,
    /// Nothing more of the frame is wanted.
    is_over: bool,
}

const RATE: &str = "/_samplerate";
/// Bytes before the first element of a bundle, and before each element.
const HEAD: usize = 16;
const SIZE: usize = 4;

impl Encoder {
    /// One that has sent nothing yet.
    #[must_use]
    pub fn new(options: EncodeOptions) -> Self {
        Self {
            options,
            known: Vec::new(),
            together: Vec::new(),
            rate_sent: None,
            message: Vec::new(),
            tags: Vec::new(),
            values: Vec::new(),
            packet: Packet::default(),
            counts: EncodeCounts::default(),
        }
    }

    /// What has been encoded so far.
    #[must_use]
    pub fn counts(&self) -> EncodeCounts {
        self.counts
    }

    /// Everything counts as changed: for receivers that came later, or lost something.
    pub fn resend(&mut self) {
        self.rate_sent = None;
        for known in &mut self.known {
            known.sent = None;
        }
    }

    /// Hands on the packets of a frame: its channels by name, each with its samples. One without samples is left out.
    pub fn encode<'f>(
        &mut self,
        frame: FrameInfo,
        channels: impl IntoIterator<Item = (&'f str, &'f [f32])>,
        mut send: impl FnMut(&[u8]),
    ) {
        self.encode_to(frame, channels, |packet| {
            send(packet);
            Handed::On
        });
    }

    /// As [`encode`](Self::encode), to somebody who says what became of each packet. Where one did not leave,
    /// [`resend`](Self::resend) has its channels count as not sent.
    pub fn encode_to<'f>(
        &mut self,
        frame: FrameInfo,
        channels: impl IntoIterator<Item = (&'f str, &'f [f32])>,
        mut send: impl FnMut(&[u8]) -> Handed,
    ) {
        self.packet.begin(frame.time);
        match self.options.layout {
            Layout::Sample | Layout::TimeSlice => self.each(frame, channels, &mut send),
            Layout::Transpose | Layout::TransposeName => self.together(channels, &mut send),
        }
        self.packet.flush(true, &mut self.counts, &mut send);
    }

    fn each<'f>(
        &mut self,
        frame: FrameInfo,
        channels: impl IntoIterator<Item = (&'f str, &'f [f32])>,
        send: &mut impl FnMut(&[u8]) -> Handed,
    ) {
        let Self { options, known, rate_sent, message, packet, counts, .. } = self;
        let numeric = options.numeric;
        if options.layout == Layout::TimeSlice && options.rate_sent {
            let is_new = rate_sent.replace(frame.rate.to_bits()) != Some(frame.rate.to_bits());
            if is_new || !options.only_changed {
                message.clear();
                put_text(RATE.as_bytes(), message);
                put_numbers(Numeric::Float, &[frame.rate], message);
                packet.add(message, options, counts, send);
            }
        }
        let mut count = 0_usize;
        for (at, (name, samples)) in channels.into_iter().enumerate() {
            count = at.saturating_add(1);
            let Some(known) = know(known, at, name) else { continue };
            let samples = match (options.layout, samples) {
                (_, []) => continue,
                (Layout::Sample, [.., last]) => core::slice::from_ref(last),
                _ => samples,
            };
            let is_as_sent = samples.iter().all(|sample| Some(numeric.bits(*sample)) == known.sent);
            if is_as_sent && options.only_changed {
                continue;
            }
            known.sent = samples.last().map(|last| numeric.bits(*last));
            let most = most_samples(options.max_bytes, known.address.len(), numeric);
            for part in samples.chunks(most) {
                if packet.is_over {
                    return;
                }
                message.clear();
                message.extend_from_slice(&known.address);
                put_numbers(numeric, part, message);
                packet.add(message, options, counts, send);
            }
        }
        known.truncate(count);
    }

    fn together<'f>(
        &mut self,
        channels: impl IntoIterator<Item = (&'f str, &'f [f32])>,
        send: &mut impl FnMut(&[u8]) -> Handed,
    ) {
        let Self { options, known, together, message, tags, values, packet, counts, .. } = self;
        let numeric = options.numeric;
        let with_names = options.layout == Layout::TransposeName;
        values.clear();
        tags.clear();
        tags.push(b',');
        let (mut has_changed, mut count) = (false, 0_usize);
        let mut are_same_names = !together.is_empty();
        for (name, samples) in channels {
            let Some(first) = samples.first() else { continue };
            are_same_names &= known.get(count).is_some_and(|known| known.name == name);
            let Some(known) = know(known, count, name) else { continue };
            count = count.saturating_add(1);
            let bits = Some(numeric.bits(*first));
            has_changed |= known.sent != bits;
            known.sent = bits;
            if with_names {
                tags.push(b's');
                let end = name.find('\0').unwrap_or(name.len());
                put_text(name.as_bytes().get(..end).unwrap_or_default(), values);
            }
            tags.push(numeric.tag());
            numeric.put(*first, values);
        }
        are_same_names &= count == known.len();
        if count == 0 || (options.only_changed && are_same_names && !has_changed) {
            return;
        }
        if !are_same_names {
            known.truncate(count);
            together.clear();
            let address = common_address(known.iter().map(|known| known.name.as_str()));
            put_text(address.as_bytes(), together);
        }
        message.clear();
        message.extend_from_slice(together);
        put_text(tags, message);
        message.extend_from_slice(values);
        packet.add(message, options, counts, send);
    }
}

/// The channel at that place, known by that name from now on.
fn know<'k>(known: &'k mut Vec<Known>, at: usize, name: &str) -> Option<&'k mut Known> {
    let is_new = known.get(at).is_none_or(|known| known.name != name);
    if is_new {
        let mut address = Vec::new();
        put_text(address_of(name).as_bytes(), &mut address);
        let new = Known { name: name.to_owned(), address, sent: None };
        match known.get_mut(at) {
            Some(there) => *there = new,
            None => known.push(new),
        }
    }
    known.get_mut(at)
}

/// How many samples go into one message, so that a bundle with it alone is no longer than asked for.
fn most_samples(max_bytes: usize, address: usize, numeric: Numeric) -> usize {
    // The comma, the zero behind the tags and three more.
    const TAGS: usize = 5;
    let room =
        max_bytes.saturating_sub(HEAD).saturating_sub(SIZE).saturating_sub(address).saturating_sub(TAGS);
    room.checked_div(numeric.bytes().saturating_add(1)).unwrap_or(1).max(1)
}

/// A text with the zeros behind it.
fn put_text(text: &[u8], to: &mut Vec<u8>) {
    let end = to.len().saturating_add(padded(text.len(), 1));
    to.extend_from_slice(text);
    to.resize(end, 0);
}

fn put_numbers(numeric: Numeric, samples: &[f32], to: &mut Vec<u8>) {
    let tags = samples.len().saturating_add(1);
    let end = to.len().saturating_add(padded(tags, 1));
    to.push(b',');
    to.resize(to.len().saturating_add(samples.len()), numeric.tag());
    to.resize(end, 0);
    for sample in samples {
        numeric.put(*sample, to);
    }
}

impl Packet {
    fn begin(&mut self, time: Duration) {
        self.is_further = false;
        self.is_over = false;
        self.messages = 0;
        self.bytes.clear();
        self.bytes.extend_from_slice(b"#bundle\0");
        self.bytes.extend_from_slice(&time_tag(time).to_be_bytes());
    }

    fn add(
        &mut self,
        message: &[u8],
        options: &EncodeOptions,
        counts: &mut EncodeCounts,
        send: &mut impl FnMut(&[u8]) -> Handed,
    ) {
        let Ok(size) = u32::try_from(message.len()) else { return };
        if message.len() > MAX_PACKET {
            counts.too_large = counts.too_large.saturating_add(1);
            return;
        }
        let in_a_bundle = HEAD.saturating_add(SIZE).saturating_add(message.len());
        if !options.bundles || in_a_bundle > options.max_bytes {
            self.flush(false, counts, send);
            self.is_further = true;
            self.is_over |= hand_on(message, 1, self.is_over, counts, send);
            return;
        }
        let with_it = self.bytes.len().saturating_add(SIZE).saturating_add(message.len());
        if with_it > options.max_bytes {
            self.flush(false, counts, send);
        }
        self.bytes.extend_from_slice(&size.to_be_bytes());
        self.bytes.extend_from_slice(message);
        self.messages = self.messages.saturating_add(1);
    }

    /// Sends what is there. A message that is alone in its frame goes without a bundle.
    fn flush(&mut self, is_last: bool, counts: &mut EncodeCounts, send: &mut impl FnMut(&[u8]) -> Handed) {
        let begin = match self.messages {
            0 => return,
            1 if is_last && !self.is_further => HEAD.saturating_add(SIZE),
            _ => 0,
        };
        let packet = self.bytes.get(begin..).unwrap_or_default();
        self.is_over |= hand_on(packet, self.messages, self.is_over, counts, send);
        self.bytes.truncate(HEAD);
        self.messages = 0;
        self.is_further = true;
    }
}

/// Whether that was the last one that somebody wanted.
fn hand_on(
    packet: &[u8],
    messages: u64,
    is_over: bool,
    counts: &mut EncodeCounts,
    send: &mut impl FnMut(&[u8]) -> Handed,
) -> bool {
    if is_over {
        return true;
    }
    let handed = send(packet);
    if handed == Handed::On {
        counts.count(packet, messages);
    }
    handed == Handed::Stop
}

impl EncodeCounts {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            packets: self.packets.saturating_add(other.packets),
            bytes: self.bytes.saturating_add(other.bytes),
            messages: self.messages.saturating_add(other.messages),
            too_large: self.too_large.saturating_add(other.too_large),
        }
    }

    fn count(&mut self, packet: &[u8], messages: u64) {
        self.packets = self.packets.saturating_add(1);
        self.bytes = self.bytes.saturating_add(u64::try_from(packet.len()).unwrap_or(u64::MAX));
        self.messages = self.messages.saturating_add(messages);
    }
}

/// Seconds in the upper 32 bits, their fraction in the lower ones. Nothing is 1, which OSC calls "at once": 0 is no time.
fn time_tag(time: Duration) -> u64 {
    let fraction = u64::from(time.subsec_nanos()).saturating_mul(1 << 32).checked_div(1_000_000_000);
    // After 136 years it begins anew.
    let seconds = (time.as_secs() & u64::from(u32::MAX)).wrapping_shl(32);
    (seconds | fraction.unwrap_or(0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_tags_are_seconds_and_their_fraction() {
        assert_eq!(time_tag(Duration::ZERO), 1);
        assert_eq!(time_tag(Duration::from_millis(1500)), 0x0000_0001_8000_0000);
        assert_eq!(time_tag(Duration::from_nanos(999_999_999)) >> 32, 0);
        assert_eq!(time_tag(Duration::from_secs(1 << 32)), 1);
        let mut before = 0;
        for nanos in (0..5_000_000_000).step_by(16_666_667) {
            let tag = time_tag(Duration::from_nanos(nanos));
            assert!(tag > before, "{nanos}");
            before = tag;
        }
    }
}
