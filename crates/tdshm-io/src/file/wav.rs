//! Sound files: one channel a track, called `chan1`, `chan2`, … by its position, at the file's own rate.
//!
//! Integers of 8, 16, 24 and 32 bits become -1 to 1 (full scale is 2 to the power of bits - 1, so the largest positive
//! value lies just below 1); 32-bit floats come as they are, beyond that range too. Compressed sound is not read.
//!
//! The chunks of the file are walked here, since real files carry tags of odd length and oversized format chunks in
//! front of the samples; the samples themselves are `hound`'s work. Written are 32-bit floats, so that nothing is lost.

use std::io::{self, BufReader, Chain, Cursor, Read, Seek, Write};

use crate::error::WavError;
use crate::file::flat::{Flat, deinterleave};
use crate::file::writer::Trouble;
use crate::file::{Layout, Lost, Recording};

/// Bytes of a format chunk that are kept: the extensible layout, the largest one that is understood.
const FORMAT_BYTES: usize = 40;

/// Bytes of the plain layout of a format chunk, which all others begin with.
const PLAIN_FORMAT_BYTES: usize = 16;

const TAG_PCM: u16 = 0x0001;
const TAG_FLOAT: u16 = 0x0003;
const TAG_EXTENSIBLE: u16 = 0xfffe;

/// What streaming writers put for a length that they do not know yet.
const UNKNOWN_LENGTH: u32 = u32::MAX;

/// Tracks of four bytes a sample: a moment has up to 65535 bytes.
const MOST_CHANNELS: u16 = 16_383;
/// Samples of four bytes: their length and that of the head stand in 32 bits.
const MOST_SAMPLES: u64 = 1 << 29;

/// Reads a WAV file to the end of its samples.
///
/// The reader is buffered inside. See the [module](self) for scale and names.
///
/// # Errors
///
/// [`WavError`]: not a WAV file, cut short (with the numbers), samples stored in a way that is not read, no samples, a
/// rate of zero, or a reader that failed.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let recording = tdshm_io::file::wav::read(std::fs::File::open("take.wav")?)?;
/// println!("{} tracks at {} Hz", recording.num_channels(), recording.sample_rate());
/// # Ok(())
/// # }
/// ```
#[doc(alias = "Audio File In CHOP")]
pub fn read(reader: impl Read) -> Result<Recording, WavError> {
    let mut wav = Reader::new(reader)?;
    let mut channels = vec![Vec::new(); wav.layout.num_channels()];
    let mut flat = Vec::new();
    loop {
        let len_samples = wav.read(&mut flat, PIECE)?;
        if len_samples == 0 {
            return Ok(Recording::of(wav.layout, channels)?);
        }
        for (to, from) in channels.iter_mut().zip(Flat::new(&flat, len_samples).channels()) {
            to.extend_from_slice(from);
        }
    }
}

/// Samples of all channels together that are taken apart at once: enough that it goes fast, whatever the file announces.
const PIECE: usize = 1 << 15;

/// A plain head, and the samples behind it.
type Input<R> = Chain<Cursor<Vec<u8>>, EndIsAnError<BufReader<R>>>;

/// A sound file that is read piece by piece.
pub(super) struct Reader<R: Read> {
    wav: hound::WavReader<Input<R>>,
    layout: Layout,
    /// Samples of all channels together: announced, and read so far.
    expected: u64,
    found: u64,
}

impl<R: Read> Reader<R> {
    /// Reads up to the samples.
    pub(super) fn new(reader: R) -> Result<Self, WavError> {
        let mut reader = BufReader::new(reader);
        let mut riff = [0; 12];
        let found = read_up_to(&mut reader, &mut riff)?;
        let [r @ .., _, _, _, _, w0, w1, w2, w3] = riff;
        if r != *b"RIFF" || [w0, w1, w2, w3] != *b"WAVE" {
            let text = String::from_utf8_lossy(riff.get(..found.min(4)).unwrap_or_default()).into_owned();
            return Err(WavError::NotWave { found: text });
        }

        let mut format = None;
        loop {
            let mut header = [0; 8];
            match read_up_to(&mut reader, &mut header)? {
                0 => {
                    let chunk = if format.is_some() { "data" } else { "fmt " };
                    return Err(WavError::MissingChunk { chunk, before: "end" });
                }
                8 => {}
                found => return Err(cut("chunk header", 8, found)),
            }
            let [k0, k1, k2, k3, size @ ..] = header;
            let size = u32::from_le_bytes(size);
            match &[k0, k1, k2, k3] {
                b"fmt " => format = Some(read_format(&mut reader, size)?),
                b"data" => {
                    let format = format.ok_or(WavError::MissingChunk { chunk: "fmt ", before: "samples" })?;
                    return Self::at_samples(reader, &format, size);
                }
                _ => skip(&mut reader, u64::from(size).saturating_add(u64::from(size % 2)))?,
            }
        }
    }

    fn at_samples(reader: BufReader<R>, format: &Format, size: u32) -> Result<Self, WavError> {
        let size = match size.checked_rem(u32::from(format.block_align)).unwrap_or(0) {
            0 => size,
            extra if size == UNKNOWN_LENGTH => size.saturating_sub(extra),
            _ => {
                return Err(malformed(format!(
                    "{size} bytes of samples in blocks of {} bytes",
                    format.block_align
                )));
            }
        };
        let input = Cursor::new(plain_header(format, size)).chain(EndIsAnError(reader));
        let wav = hound::WavReader::new(input).map_err(from_hound)?;
        let spec = wav.spec();
        let names = (1..=spec.channels).map(|n| format!("chan{n}")).collect();
        let wide = spec.sample_format == hound::SampleFormat::Int && spec.bits_per_sample > 24;
        let precision = wide.then_some(Lost::Precision { was: "32-bit integers" });
        let layout = Layout::new(names, f64::from(spec.sample_rate))?
            .with_len_samples(u64::from(wav.duration()))
            .with_lost(precision);
        let expected = u64::from(wav.len());
        Ok(Self { wav, layout, expected, found: 0 })
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Reads the next samples, about `most` of all channels together, and gives how many each channel has: 0 at the end.
    pub(super) fn read(&mut self, flat: &mut Vec<f32>, most: usize) -> Result<usize, WavError> {
        let channels = self.layout.num_channels();
        let left = usize::try_from(self.expected.saturating_sub(self.found)).unwrap_or(usize::MAX);
        let len_samples = most.min(left).checked_div(channels).unwrap_or(0);
        let len_samples = if left > 0 { len_samples.max(1) } else { 0 };
        let spec = self.wav.spec();
        match spec.sample_format {
            hound::SampleFormat::Int => {
                // Exact: full scale is a power of two. 64 bits of float hold every 32-bit integer.
                let full_scale = f64::from(spec.bits_per_sample.saturating_sub(1)).exp2();
                let mut samples = self.wav.samples::<i32>();
                let mut place = Place { expected: self.expected, found: &mut self.found };
                deinterleave(flat, channels, len_samples, || {
                    place.take(samples.next()).map(|v| (f64::from(v) / full_scale) as f32)
                })?;
            }
            hound::SampleFormat::Float => {
                let mut samples = self.wav.samples::<f32>();
                let mut place = Place { expected: self.expected, found: &mut self.found };
                deinterleave(flat, channels, len_samples, || place.take(samples.next()))?;
            }
        }
        Ok(len_samples)
    }
}

impl<R: Read> std::fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("layout", &self.layout).finish_non_exhaustive()
    }
}

/// Where a reader is among the samples that are announced.
struct Place<'r> {
    expected: u64,
    found: &'r mut u64,
}

impl Place<'_> {
    fn take<S>(&mut self, next: Option<hound::Result<S>>) -> Result<S, WavError> {
        match next {
            Some(Ok(sample)) => {
                *self.found = self.found.saturating_add(1);
                Ok(sample)
            }
            Some(Err(hound::Error::IoError(e))) if e.kind() != io::ErrorKind::UnexpectedEof => {
                Err(WavError::Io(e))
            }
            Some(Err(hound::Error::IoError(_))) | None => {
                Err(WavError::Truncated { expected: self.expected, found: *self.found })
            }
            Some(Err(other)) => Err(from_hound(other)),
        }
    }
}

/// A `.wav` of floats in the making.
pub(super) struct Writer<W: Write + Seek> {
    wav: hound::WavWriter<W>,
    samples: u64,
}

/// Whether such a file can hold them; the rate as it holds it.
pub(super) fn check(layout: &Layout) -> Result<hound::WavSpec, Trouble> {
    let fits = |what, value: String, expected| Trouble::Fits { what, value, file: ".wav", expected };
    let channels = layout.num_channels();
    let channels = u16::try_from(channels)
        .ok()
        .filter(|channels| (1..=MOST_CHANNELS).contains(channels))
        .ok_or_else(|| fits("the number of channels", channels.to_string(), "from 1 to 16383"))?;
    let rate = layout.sample_rate();
    let sample_rate = rate as u32;
    if f64::from(sample_rate) != rate || sample_rate == 0 {
        let expected = "a whole number: resample it, or write an .aiff file";
        return Err(fits("the sample rate", rate.to_string(), expected));
    }
    let bytes_a_second = u64::from(sample_rate).saturating_mul(u64::from(channels)).saturating_mul(4);
    if u32::try_from(bytes_a_second).is_err() {
        return Err(fits("the number of bytes a second", bytes_a_second.to_string(), "below 2^32"));
    }
    let samples = layout.len_samples().unwrap_or(0).saturating_mul(u64::from(channels));
    check_length(samples)?;
    Ok(hound::WavSpec {
        channels,
        sample_rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    })
}

fn check_length(samples: u64) -> Result<(), Trouble> {
    if samples < MOST_SAMPLES {
        return Ok(());
    }
    let value = samples.to_string();
    Err(Trouble::Fits { what: "the number of samples", value, file: ".wav", expected: "below 2^29" })
}

impl<W: Write + Seek> Writer<W> {
    pub(super) fn new(to: W, layout: &Layout) -> Result<Self, Trouble> {
        let wav = hound::WavWriter::new(to, check(layout)?).map_err(trouble)?;
        Ok(Self { wav, samples: 0 })
    }

    pub(super) fn write(&mut self, samples: Flat<'_>) -> Result<(), Trouble> {
        let count = samples.channels().len().saturating_mul(samples.len_samples());
        self.samples = self.samples.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        check_length(self.samples)?;
        samples.interleaved().try_for_each(|sample| self.wav.write_sample(sample)).map_err(trouble)
    }

    pub(super) fn finish(self) -> Result<(), Trouble> {
        self.wav.finalize().map_err(trouble)
    }
}

fn trouble(error: hound::Error) -> Trouble {
    match error {
        hound::Error::IoError(error) => Trouble::Io(error),
        error => Trouble::Io(io::Error::other(error)),
    }
}

/// What a format chunk says, and the same in the bytes that `hound` accepts.
struct Format {
    bytes: Vec<u8>,
    block_align: u16,
}

fn read_format(reader: &mut impl Read, size: u32) -> Result<Format, WavError> {
    let mut chunk = [0; FORMAT_BYTES];
    let kept = usize::try_from(size).unwrap_or(usize::MAX).min(FORMAT_BYTES);
    let kept_bytes = chunk.get_mut(..kept).unwrap_or_default();
    let found = read_up_to(reader, kept_bytes)?;
    if found < kept {
        return Err(cut("format chunk", u64::from(size), found));
    }
    if kept < PLAIN_FORMAT_BYTES {
        return Err(malformed(format!("a format chunk of {size} bytes, the least is {PLAIN_FORMAT_BYTES}")));
    }
    let rest = u64::from(size).saturating_sub(u64::try_from(kept).unwrap_or(u64::MAX));
    skip(reader, rest.saturating_add(u64::from(size % 2)))?;

    let u16_at = |at: usize| match chunk.get(at..).unwrap_or_default() {
        [low, high, ..] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    };
    let (tag, channels, block_align, bits) = (u16_at(0), u16_at(2), u16_at(12), u16_at(14));
    // The extensible layout hides the real tag at the start of a longer one.
    let (kind, used) = match tag {
        TAG_EXTENSIBLE if kept == FORMAT_BYTES => (u16_at(24), FORMAT_BYTES),
        TAG_EXTENSIBLE => {
            let reason = format!("an extensible format chunk of {size} bytes, the least is {FORMAT_BYTES}");
            return Err(malformed(reason));
        }
        plain => (plain, PLAIN_FORMAT_BYTES),
    };
    match (kind, bits) {
        (TAG_PCM, 8 | 16 | 24 | 32) | (TAG_FLOAT, 32) => {}
        (TAG_PCM, bits) => return Err(WavError::Unsupported { found: format!("{bits}-bit integers") }),
        (TAG_FLOAT, bits) => return Err(WavError::Unsupported { found: format!("{bits}-bit floats") }),
        (kind, _) => return Err(WavError::Unsupported { found: format!("format number {kind:#06x}") }),
    }
    if channels == 0 {
        return Err(malformed("0 channels".to_owned()));
    }
    let container = channels.checked_mul(bits / 8);
    if container != Some(block_align) {
        let reason = format!("{channels} channels of {bits} bits in blocks of {block_align} bytes");
        return Err(malformed(reason));
    }

    let mut bytes = chunk.get(..used).unwrap_or_default().to_vec();
    // Bytes a second follow from the rest, but some writers get them wrong: right them, as every player does.
    let rate = u32::from(u16_at(4)) | (u32::from(u16_at(6)) << 16);
    let bytes_a_second = rate.checked_mul(u32::from(block_align));
    if let (Some(field), Some(value)) = (bytes.get_mut(8..12), bytes_a_second) {
        field.copy_from_slice(&value.to_le_bytes());
    }
    // Fewer valid bits than stored ones fill the container from the top: reading it whole is the right scale.
    if let Some(valid_bits) = bytes.get_mut(18..20) {
        valid_bits.copy_from_slice(&bits.to_le_bytes());
    }
    Ok(Format { bytes, block_align })
}

/// Tells the end of the file from other failures, which `hound` does not.
pub(super) struct EndIsAnError<R>(R);

impl<R: Read> Read for EndIsAnError<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Ok(0) if !buffer.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

/// A file's beginning with nothing but what matters: the form, the format chunk, the head of the samples.
fn plain_header(format: &Format, size: u32) -> Vec<u8> {
    let format_size = u32::try_from(format.bytes.len()).unwrap_or(u32::MAX);
    let mut header = Vec::with_capacity(80);
    header.extend_from_slice(b"RIFF");
    header.extend_from_slice(&UNKNOWN_LENGTH.to_le_bytes());
    header.extend_from_slice(b"WAVEfmt ");
    header.extend_from_slice(&format_size.to_le_bytes());
    header.extend_from_slice(&format.bytes);
    header.extend_from_slice(b"data");
    header.extend_from_slice(&size.to_le_bytes());
    header
}

/// Fills `buffer` as far as the file reaches; gives how far.
fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, WavError> {
    let mut found = 0;
    while let Some(rest) = buffer.get_mut(found..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(n) => found = found.saturating_add(n),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(WavError::Io(e)),
        }
    }
    Ok(found)
}

/// Reads past `bytes` bytes, or to the end of the file: the missing chunk behind it is the error then.
fn skip(reader: &mut impl Read, bytes: u64) -> Result<(), WavError> {
    io::copy(&mut reader.take(bytes), &mut io::sink())?;
    Ok(())
}

fn cut(part: &'static str, expected: u64, found: usize) -> WavError {
    WavError::TruncatedHeader { part, expected, found: u64::try_from(found).unwrap_or(u64::MAX) }
}

fn malformed(reason: String) -> WavError {
    WavError::Malformed { reason }
}

fn from_hound(error: hound::Error) -> WavError {
    match error {
        hound::Error::IoError(e) => WavError::Io(e),
        hound::Error::Unsupported => {
            WavError::Unsupported { found: "an unknown extensible format".to_owned() }
        }
        other => malformed(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
