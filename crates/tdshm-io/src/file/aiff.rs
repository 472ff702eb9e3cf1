//! Sound files of the kinds AIFF and AIFF-C (`.aiff`, `.aif`, `.aifc`): one channel a track, called `chan1`, `chan2`, … by its
//! position, at the file's own rate, which need not be a whole number.
//!
//! Integers of up to 32 bits become -1 to 1, in either order of their bytes; floats of 32 bits come as they are, of 64 bits
//! as the nearest of 32. Compressed sound is not read. Written are 32-bit floats, so that nothing is lost.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

use crate::error::AiffError;
use crate::file::flat::{Flat, deinterleave};
use crate::file::writer::Trouble;
use crate::file::{Layout, Lost, Recording};

/// The version of the format that knows other samples than integers.
const AIFC_VERSION: u32 = 0xa280_5140;
/// The smallest description of the samples: channels, samples, bits, rate.
const COMMON_BYTES: usize = 18;
/// Samples of four bytes: their length stands in 32 bits.
const MOST_SAMPLES: u64 = 1 << 29;
/// Samples of all channels together that are taken apart at once.
const PIECE: usize = 1 << 15;

/// Reads an AIFF file to the end of its samples.
///
/// The reader is buffered inside. See the [module](self) for scale and names.
///
/// # Errors
///
/// [`AiffError`]: not an AIFF file, cut short (with the numbers), samples stored in a way that is not read, no samples, or a
/// reader that failed.
///
/// # Source
///
/// operators §12: documented; the scale is inferred.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let recording = tdshm_io::file::aiff::read(std::fs::File::open("take.aiff")?)?;
/// println!("{} tracks at {} Hz", recording.num_channels(), recording.sample_rate());
/// # Ok(())
/// # }
/// ```
pub fn read(reader: impl Read + Seek) -> Result<Recording, AiffError> {
    let mut aiff = Reader::new(reader)?;
    let mut channels = vec![Vec::new(); aiff.layout.num_channels()];
    let mut flat = Vec::new();
    loop {
        let len_samples = aiff.read(&mut flat, PIECE)?;
        if len_samples == 0 {
            return Ok(Recording::of(aiff.layout, channels)?);
        }
        for (to, from) in channels.iter_mut().zip(Flat::new(&flat, len_samples).channels()) {
            to.extend_from_slice(from);
        }
    }
}

/// How samples are stored, most significant byte first where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Integers of so many bytes.
    Integer(usize),
    /// The same with the least significant byte first.
    Reversed(usize),
    /// One byte, 128 being 0.
    Unsigned,
    Float,
    Double,
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Self::Integer(bytes) | Self::Reversed(bytes) => bytes,
            Self::Unsigned => 1,
            Self::Float => 4,
            Self::Double => 8,
        }
    }

    /// The sample in so many bytes.
    fn sample(self, bytes: &[u8]) -> f32 {
        let mut eight = [0; 8];
        for (to, from) in eight.iter_mut().zip(bytes) {
            *to = *from;
        }
        // Fewer bits than their bytes hold begin at the top: reading all of them is the right scale.
        let integer = |eight| (i64::from_be_bytes(eight) as f64 / 63_f64.exp2()) as f32;
        match self {
            Self::Integer(_) => integer(eight),
            Self::Reversed(count) => {
                if let Some(used) = eight.get_mut(..count) {
                    used.reverse();
                }
                integer(eight)
            }
            Self::Unsigned => {
                let [first, ..] = eight;
                (f32::from(first) - 128.0) / 128.0
            }
            Self::Float => {
                let [a, b, c, d, ..] = eight;
                f32::from_be_bytes([a, b, c, d])
            }
            Self::Double => f64::from_be_bytes(eight) as f32,
        }
    }
}

/// What a file says of its samples.
struct Common {
    channels: u16,
    len_samples: u32,
    rate: f64,
    kind: Kind,
}

/// A sound file that is read piece by piece.
pub(super) struct Reader<R> {
    input: BufReader<R>,
    layout: Layout,
    kind: Kind,
    expected: u64,
    found: u64,
}

impl<R: Read + Seek> Reader<R> {
    /// Reads all but the samples.
    pub(super) fn new(reader: R) -> Result<Self, AiffError> {
        let mut input = BufReader::new(reader);
        let mut form = [0; 12];
        let found = fill(&mut input, &mut form)?;
        let [f @ .., _, _, _, _, k0, k1, k2, k3] = form;
        let compressed = match &[k0, k1, k2, k3] {
            b"AIFF" => false,
            b"AIFC" => true,
            _ => return Err(not_aiff(&form, found)),
        };
        if f != *b"FORM" {
            return Err(not_aiff(&form, found));
        }
        let (mut common, mut samples) = (None, None);
        // Either may come first.
        while common.is_none() || samples.is_none() {
            let mut header = [0; 8];
            if fill(&mut input, &mut header)? < header.len() {
                break;
            }
            let [n0, n1, n2, n3, size @ ..] = header;
            let size = u32::from_be_bytes(size);
            let next =
                input.stream_position()?.saturating_add(u64::from(size)).saturating_add(u64::from(size % 2));
            match &[n0, n1, n2, n3] {
                b"COMM" => common = Some(read_common(&mut input, size, compressed)?),
                b"SSND" => {
                    let mut offset = [0; 8];
                    if fill(&mut input, &mut offset)? < offset.len() {
                        break;
                    }
                    let [o0, o1, o2, o3, ..] = offset;
                    let offset = u64::from(u32::from_be_bytes([o0, o1, o2, o3]));
                    samples = Some(input.stream_position()?.saturating_add(offset));
                }
                _ => {}
            }
            input.seek(SeekFrom::Start(next))?;
        }
        let common = common.ok_or(AiffError::MissingChunk { chunk: "COMM" })?;
        // Without samples there need be no place for them.
        match samples {
            Some(at) => input.seek(SeekFrom::Start(at))?,
            None if common.len_samples == 0 => 0,
            None => return Err(AiffError::MissingChunk { chunk: "SSND" }),
        };
        let names = (1..=common.channels).map(|n| format!("chan{n}")).collect();
        let expected = u64::from(common.len_samples);
        let wide = match common.kind {
            Kind::Integer(4) | Kind::Reversed(4) => Some("32-bit integers"),
            Kind::Double => Some("64-bit floats"),
            _ => None,
        };
        let layout = Layout::new(names, common.rate)?
            .with_len_samples(expected)
            .with_lost(wide.map(|was| Lost::Precision { was }));
        Ok(Self { input, layout, kind: common.kind, expected, found: 0 })
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Reads the next samples, about `most` of all channels together, and gives how many each channel has: 0 at the end.
    pub(super) fn read(&mut self, flat: &mut Vec<f32>, most: usize) -> Result<usize, AiffError> {
        let channels = self.layout.num_channels();
        let left = usize::try_from(self.expected.saturating_sub(self.found)).unwrap_or(usize::MAX);
        let len_samples = most.checked_div(channels).unwrap_or(0).max(1).min(left);
        let each = self.kind.bytes();
        let mut bytes = vec![0; channels.saturating_mul(len_samples).saturating_mul(each)];
        let there = fill(&mut self.input, &mut bytes)?;
        if there < bytes.len() {
            let whole = there.checked_div(channels.saturating_mul(each)).unwrap_or(0);
            let found = self.found.saturating_add(u64::try_from(whole).unwrap_or(u64::MAX));
            return Err(AiffError::Truncated { expected: self.expected, found });
        }
        let mut samples = bytes.chunks_exact(each).map(|bytes| self.kind.sample(bytes));
        deinterleave(flat, channels, len_samples, || {
            Ok::<f32, AiffError>(samples.next().unwrap_or_default())
        })?;
        self.found = self.found.saturating_add(u64::try_from(len_samples).unwrap_or(u64::MAX));
        Ok(len_samples)
    }
}

impl<R> std::fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("layout", &self.layout).finish_non_exhaustive()
    }
}

fn not_aiff(form: &[u8], found: usize) -> AiffError {
    let found = String::from_utf8_lossy(form.get(..found.min(4)).unwrap_or_default()).into_owned();
    AiffError::NotAiff { found }
}

fn read_common(input: &mut impl Read, size: u32, compressed: bool) -> Result<Common, AiffError> {
    let malformed = |what, value: String, expected| AiffError::Malformed { what, value, expected };
    let mut bytes = [0; COMMON_BYTES + 4];
    let wanted = if compressed { bytes.len() } else { COMMON_BYTES };
    if usize::try_from(size).unwrap_or(usize::MAX) < wanted {
        return Err(malformed(
            "size of the \"COMM\" chunk",
            size.to_string(),
            "at least 18 bytes, 22 in AIFF-C",
        ));
    }
    if fill(input, bytes.get_mut(..wanted).unwrap_or_default())? < wanted {
        return Err(AiffError::MissingChunk { chunk: "COMM" });
    }
    let [c0, c1, s0, s1, s2, s3, b0, b1, rate @ .., k0, k1, k2, k3] = bytes;
    let (channels, bits) = (i16::from_be_bytes([c0, c1]), i16::from_be_bytes([b0, b1]));
    let channels = u16::try_from(channels).ok().filter(|channels| *channels > 0);
    let channels = channels.ok_or_else(|| {
        malformed("number of channels", i16::from_be_bytes([c0, c1]).to_string(), "from 1 to 32767")
    })?;
    let rate = from_extended(rate);
    let rate = rate.filter(|rate| (*rate as f32) > 0.0 && (*rate as f32).is_finite());
    let rate = rate.ok_or_else(|| malformed("sample rate", "no rate".to_owned(), "finite and above 0"))?;
    let integer = || {
        let bytes =
            usize::try_from(bits).ok().filter(|bits| (1..=32).contains(bits)).map(|bits| bits.div_ceil(8));
        bytes.ok_or_else(|| AiffError::Unsupported { found: format!("{bits}-bit integers") })
    };
    let kind = match (compressed, &[k0, k1, k2, k3]) {
        (false, _) | (true, b"NONE" | b"twos") => Kind::Integer(integer()?),
        (true, b"sowt") => Kind::Reversed(integer()?),
        (true, b"raw ") => Kind::Unsigned,
        (true, b"in24") => Kind::Integer(3),
        (true, b"in32") => Kind::Integer(4),
        (true, b"fl32" | b"FL32") => Kind::Float,
        (true, b"fl64" | b"FL64") => Kind::Double,
        (true, other) => {
            return Err(AiffError::Unsupported { found: format!("{:?}", String::from_utf8_lossy(other)) });
        }
    };
    Ok(Common { channels, len_samples: u32::from_be_bytes([s0, s1, s2, s3]), rate, kind })
}

/// Fills `buffer` as far as the file reaches; gives how far.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut found = 0;
    while let Some(rest) = buffer.get_mut(found..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(n) => found = found.saturating_add(n),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(found)
}

/// An `.aiff` of floats in the making: AIFF-C with samples of the kind `fl32`.
#[derive(Debug)]
pub(super) struct Writer<W> {
    to: W,
    channels: u16,
    len_samples: u64,
}

/// Whether such a file can hold them; the number of channels as it holds it.
pub(super) fn check(layout: &Layout) -> Result<u16, Trouble> {
    let channels = layout.num_channels();
    let fits = u16::try_from(channels).ok().filter(|channels| (1..=0x7fff).contains(channels));
    let fits = fits.ok_or_else(|| Trouble::Fits {
        what: "the number of channels",
        value: channels.to_string(),
        file: ".aiff",
        expected: "from 1 to 32767",
    })?;
    check_length(layout.len_samples().unwrap_or(0).saturating_mul(u64::from(fits)))?;
    Ok(fits)
}

fn check_length(samples: u64) -> Result<(), Trouble> {
    if samples < MOST_SAMPLES {
        return Ok(());
    }
    let value = samples.to_string();
    Err(Trouble::Fits { what: "the number of samples", value, file: ".aiff", expected: "below 2^29" })
}

impl<W: Write + Seek> Writer<W> {
    pub(super) fn new(mut to: W, layout: &Layout) -> Result<Self, Trouble> {
        let channels = check(layout)?;
        to.write_all(&head(channels, layout.sample_rate(), 0))?;
        Ok(Self { to, channels, len_samples: 0 })
    }

    pub(super) fn write(&mut self, samples: Flat<'_>) -> Result<(), Trouble> {
        self.len_samples =
            self.len_samples.saturating_add(u64::try_from(samples.len_samples()).unwrap_or(u64::MAX));
        check_length(self.len_samples.saturating_mul(u64::from(self.channels)))?;
        Ok(samples.interleaved().try_for_each(|sample| self.to.write_all(&sample.to_be_bytes()))?)
    }

    /// Only now it is known how many samples there are.
    pub(super) fn finish(mut self, layout: &Layout) -> Result<(), Trouble> {
        let len_samples = u32::try_from(self.len_samples).unwrap_or(u32::MAX);
        self.to.seek(SeekFrom::Start(0))?;
        self.to.write_all(&head(self.channels, layout.sample_rate(), len_samples))?;
        Ok(self.to.flush()?)
    }
}

/// All that stands in front of the samples.
fn head(channels: u16, rate: f64, len_samples: u32) -> Vec<u8> {
    let mut common = Vec::new();
    common.extend_from_slice(&channels.to_be_bytes());
    common.extend_from_slice(&len_samples.to_be_bytes());
    common.extend_from_slice(&32_i16.to_be_bytes());
    common.extend_from_slice(&extended(rate));
    // The kind of samples, and its name, whose length and letters are an even number of bytes.
    common.extend_from_slice(b"fl32\x0c32-bit float\0");

    let data = u32::from(channels).saturating_mul(len_samples).saturating_mul(4);
    let mut chunks = b"AIFC".to_vec();
    let mut chunk = |name: &[u8; 4], size: u32, body: &[u8]| {
        chunks.extend_from_slice(name);
        chunks.extend_from_slice(&size.to_be_bytes());
        chunks.extend_from_slice(body);
    };
    chunk(b"FVER", 4, &AIFC_VERSION.to_be_bytes());
    chunk(b"COMM", u32::try_from(common.len()).unwrap_or(u32::MAX), &common);
    // In front of the samples: where they begin, and blocks, which nobody uses.
    chunk(b"SSND", data.saturating_add(8), &[0; 8]);

    let mut file = b"FORM".to_vec();
    let size = u32::try_from(chunks.len()).unwrap_or(u32::MAX).saturating_add(data);
    file.extend_from_slice(&size.to_be_bytes());
    file.append(&mut chunks);
    file
}

/// A positive number with 80 bits: a sign, 15 bits of exponent, and 64 of the number with its first bit.
fn extended(number: f64) -> [u8; 10] {
    let bits = number.to_bits();
    let (exponent, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
    // Numbers that have no first bit are so small that no rate has them; they become the smallest that do.
    let exponent = u16::try_from(exponent.max(1)).unwrap_or(1).saturating_add(16383 - 1023);
    let mantissa = (1 << 63) | (fraction << 11);
    let mut bytes = [0; 10];
    if let Some((head, tail)) = bytes.split_at_mut_checked(2) {
        head.copy_from_slice(&exponent.to_be_bytes());
        tail.copy_from_slice(&mantissa.to_be_bytes());
    }
    bytes
}

/// The number in such bytes, as near as 64 bits come; `None` for one below 0, an infinity, or none.
fn from_extended(bytes: [u8; 10]) -> Option<f64> {
    let [e0, e1, mantissa @ ..] = bytes;
    let exponent = i16::from_be_bytes([e0, e1]);
    let power = i32::from(exponent).saturating_sub(16383 + 63);
    (0..0x7fff).contains(&exponent).then(|| u64::from_be_bytes(mantissa) as f64 * f64::from(power).exp2())
}

#[cfg(test)]
mod tests;
