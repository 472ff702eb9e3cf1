//! Clips as text (`.clip`): names, samples, start and rate of channels.
//!
//! ```text
//! {
//!    rate = 60
//!    start = 0
//!    tracklength = 4
//!    tracks = 1
//!    {
//!       name = ty
//!       data_rle = @3 0.25 1
//!    }
//! }
//! ```
//!
//! `data_rle` packs runs: `@3 0.25` is 0.25 three times. How channels go on outside their samples (`lefttype`, `righttype`,
//! `default`) is kept as it is written; what else stands there is skipped, and told. Written are the fewest digits that give
//! the same bits again.

use std::io::{self, Read, Write};

use crate::cell::{CellProblem, Sample, parse_cell, shown};
use crate::error::ClipFileError;
use crate::file::flat::Flat;
use crate::file::writer::Trouble;
use crate::file::{DEFAULT_RATE, Ends, Layout, Lost, Recording};

/// The binary form, which nobody describes.
const BINARY: &[u8] = b"bclp";
/// Samples of all channels together: as many as half a gigabyte holds. A packed run of many takes few bytes.
pub const MOST_SAMPLES: usize = 1 << 27;
/// A run as long as this is shorter when it is packed.
const LEAST_RUN: usize = 3;
/// Letters of an extend condition; unknown ones are kept, but no novels.
const MOST_LETTERS: usize = 16;
/// Kinds of lines that are told when they are skipped.
const MOST_TOLD: usize = 5;
/// Keys that say what is known anyway.
const KNOWN: [&[u8]; 2] = [b"tracklength", b"tracks"];

/// Reads a `.clip` file to its end.
///
/// # Errors
///
/// [`ClipFileError`]: no clip, a line that cannot be read, with its number, channels of unequal length, or a reader that failed.
///
/// # Source
///
/// operators §12: inferred from what public programs read and write.
///
/// ```
/// let text = "{\n rate = 30\n start = -1\n {\n name = tx\n data_rle = @2 0.5 1\n }\n}\n";
/// let recording = tdshm_io::file::clip::read(text.as_bytes())?;
/// assert_eq!((recording.sample_rate(), recording.start()), (30.0, -1));
/// assert_eq!(recording.channel(0), Some(&[0.5, 0.5, 1.0][..]));
/// # Ok::<(), tdshm_io::error::ClipFileError>(())
/// ```
pub fn read(mut reader: impl Read) -> Result<Recording, ClipFileError> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    if bytes.starts_with(BINARY) {
        return Err(ClipFileError::Binary);
    }
    let mut clip = Parts::default();
    // 0: before the clip; 1: in it; 2: in a channel.
    let mut depth = 0_u8;
    for (line, text) in (1_u64..).zip(bytes.split(|byte| *byte == b'\n')) {
        match (text.trim_ascii(), depth) {
            (b"", _) => {}
            (b"{", 0) => depth = 1,
            (b"{", 1) => {
                depth = 2;
                let name = format!("chan{}", clip.channels.len().saturating_add(1));
                clip.channels.push(Track { name, ..Track::default() });
            }
            (b"}", 1 | 2) => depth = depth.saturating_sub(1),
            (other, 0) => return Err(ClipFileError::NotAClip { line, found: shown(other) }),
            (entry, depth) => clip.take(line, entry, depth)?,
        }
    }
    if depth > 0 || clip.channels.is_empty() && clip.rate.is_none() {
        return Err(ClipFileError::Truncated);
    }
    let (mut names, mut ends, mut channels) = (Vec::new(), Vec::new(), Vec::new());
    for track in clip.channels {
        names.push(track.name);
        ends.push(track.ends);
        channels.push(track.samples);
    }
    if ends.iter().all(|ends| *ends == Ends::default()) {
        ends.clear();
    }
    let mut layout = Layout::new(names, clip.rate.unwrap_or(f64::from(DEFAULT_RATE)))?;
    if clip.rate.is_none() {
        layout = layout.with_assumed_rate();
    }
    let skipped = (!clip.skipped.is_empty()).then(|| Lost::LeftOut {
        what: format!(
            "the clip has lines that nobody describes, which are left out: {}",
            clip.skipped.join(", ")
        ),
    });
    let between = clip.start_was.map(|start| Lost::LeftOut {
        what: format!(
            "the clip starts at {start}, which is the index of no sample: it starts at {} now",
            clip.start
        ),
    });
    let lost = skipped.into_iter().chain(between);
    Ok(Recording::of(layout.with_start(clip.start).with_ends(ends).with_lost(lost), channels)?)
}

#[derive(Default)]
struct Track {
    name: String,
    ends: Ends,
    samples: Vec<f32>,
}

#[derive(Default)]
struct Parts {
    rate: Option<f64>,
    start: i64,
    /// Where it is not that very index.
    start_was: Option<f64>,
    channels: Vec<Track>,
    samples: usize,
    /// Keys that mean nothing here.
    skipped: Vec<String>,
}

impl Parts {
    fn take(&mut self, line: u64, entry: &[u8], depth: u8) -> Result<(), ClipFileError> {
        let wrong =
            |what: &'static str, expected| ClipFileError::Entry { line, what, text: shown(entry), expected };
        let equals = entry.iter().position(|byte| *byte == b'=');
        let Some((key, value)) = equals.and_then(|at| entry.split_at_checked(at)) else {
            return Err(wrong("entry", "written as key = value"));
        };
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        match (key.trim_ascii(), self.channels.last_mut().filter(|_| depth == 2)) {
            (b"rate", None) => {
                let rate = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                self.rate = Some(rate.ok_or_else(|| wrong("rate", "a number of samples a second"))?);
            }
            (b"start", None) => {
                let start = std::str::from_utf8(value).ok().and_then(index);
                let start = start.ok_or_else(|| wrong("start", "the index of a sample"))?;
                (self.start, self.start_was) = start;
            }
            (b"name", Some(track)) => track.name = String::from_utf8_lossy(value).into_owned(),
            (b"lefttype", Some(track)) => track.ends.left = word(value),
            (b"righttype", Some(track)) => track.ends.right = word(value),
            (b"default", Some(track)) => track.ends.default = parse_cell(value).ok(),
            (b"data" | b"data_rle", Some(Track { samples, .. })) => {
                let mut words =
                    value.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
                while let Some(word) = words.next() {
                    let (count, word) = match word.strip_prefix(b"@") {
                        None => (1, word),
                        Some(count) => {
                            let count = std::str::from_utf8(count).ok().and_then(|count| count.parse().ok());
                            let count: usize = count.ok_or_else(|| wrong("run", "such as @3 0.25"))?;
                            (count, words.next().ok_or_else(|| wrong("run", "such as @3 0.25"))?)
                        }
                    };
                    let sample = parse_cell(word).map_err(|problem| match problem {
                        CellProblem::NotANumber => wrong("data", "numbers with blanks between"),
                        CellProblem::TooLarge => wrong("data", "numbers that 32 bits hold"),
                    })?;
                    self.samples = self.samples.saturating_add(count);
                    if self.samples > MOST_SAMPLES {
                        return Err(ClipFileError::TooLong { limit: MOST_SAMPLES });
                    }
                    samples.extend(std::iter::repeat_n(sample, count));
                }
            }
            (known, _) if KNOWN.contains(&known) => {}
            (other, _) => {
                let other = shown(other);
                if self.skipped.len() < MOST_TOLD && !self.skipped.contains(&other) {
                    self.skipped.push(other);
                }
            }
        }
        Ok(())
    }
}

/// The index of a sample, and what is written where that lies between two, or beyond the first and the last. Some write
/// whole numbers with a point.
fn index(text: &str) -> Option<(i64, Option<f64>)> {
    if let Ok(whole) = text.parse() {
        return Some((whole, None));
    }
    let start = text.parse::<f64>().ok().filter(|start| start.is_finite())?;
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, as clocks do")]
    let whole = start.round() as i64;
    Some((whole, (whole as f64 != start).then_some(start)))
}

/// An extend condition, as it is written.
fn word(value: &[u8]) -> Option<String> {
    let word = std::str::from_utf8(value).ok()?;
    let plain =
        !word.is_empty() && word.len() <= MOST_LETTERS && word.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then(|| word.to_owned())
}

/// How the names are written: what would end the line is `_`.
pub(super) fn names(names: &[String]) -> (Vec<String>, Option<Lost>) {
    let written = (1_usize..).zip(names).map(|(number, name)| match name.trim() {
        "" => format!("chan{number}"),
        name => name.replace(char::is_control, "_"),
    });
    let written: Vec<String> = written.collect();
    let lost = Lost::renamed(".clip", names, &written, "a name stands on one line");
    (written, lost)
}

/// Whether a clip may have as many samples: as many as are read.
pub(super) fn check(layout: &Layout) -> Result<(), Trouble> {
    let channels = u64::try_from(layout.num_channels()).unwrap_or(u64::MAX);
    check_length(layout.len_samples().unwrap_or(0).saturating_mul(channels))
}

fn check_length(samples: u64) -> Result<(), Trouble> {
    if usize::try_from(samples).is_ok_and(|samples| samples <= MOST_SAMPLES) {
        return Ok(());
    }
    Err(Trouble::Fits {
        what: "the number of samples",
        value: samples.to_string(),
        file: ".clip",
        expected: "at most 134217728 of all channels together: cut them into shorter ones",
    })
}

/// A clip in the making: the samples of a channel stand together, so they are kept until all are there.
#[derive(Debug, Default)]
pub(super) struct Writer {
    channels: Vec<Vec<f32>>,
    samples: usize,
}

impl Writer {
    /// Takes samples behind those that were taken.
    pub(super) fn take(&mut self, samples: Flat<'_>) -> Result<(), Trouble> {
        let channels = samples.channels();
        self.channels.resize_with(channels.len(), Vec::new);
        self.samples = self.samples.saturating_add(channels.len().saturating_mul(samples.len_samples()));
        check_length(u64::try_from(self.samples).unwrap_or(u64::MAX))?;
        for (to, from) in self.channels.iter_mut().zip(channels) {
            to.extend_from_slice(from);
        }
        Ok(())
    }

    /// Names, samples, start, rate and extend conditions (operators §12).
    pub(super) fn write(&self, to: &mut impl Write, layout: &Layout, names: &[String]) -> io::Result<()> {
        let len_samples = self.channels.first().map_or(0, Vec::len);
        writeln!(to, "{{\n   rate = {}\n   start = {}", layout.sample_rate(), layout.start())?;
        writeln!(to, "   tracklength = {len_samples}\n   tracks = {}", names.len())?;
        for (index, name) in names.iter().enumerate() {
            writeln!(to, "   {{\n      name = {name}")?;
            if let Some(ends) = layout.ends().get(index) {
                for (key, word) in [("lefttype", &ends.left), ("righttype", &ends.right)] {
                    if let Some(word) = word.as_deref().filter(|word| *word != "hold") {
                        writeln!(to, "      {key} = {word}")?;
                    }
                }
                if let Some(default) = ends.default {
                    writeln!(to, "      default = {}", Sample(default))?;
                }
            }
            write_samples(to, self.channels.get(index).map_or(&[], Vec::as_slice))?;
            to.write_all(b"   }\n")?;
        }
        to.write_all(b"}\n")
    }
}

/// With runs as `@3 0.25`, where there is one.
fn write_samples(to: &mut impl Write, samples: &[f32]) -> io::Result<()> {
    let runs = || samples.chunk_by(|one, other| one.to_bits() == other.to_bits());
    let packed = runs().any(|run| run.len() >= LEAST_RUN);
    write!(to, "      {} =", if packed { "data_rle" } else { "data" })?;
    for run in runs() {
        match run {
            [sample, ..] if run.len() >= LEAST_RUN => write!(to, " @{} {}", run.len(), Sample(*sample))?,
            run => run.iter().try_for_each(|sample| write!(to, " {}", Sample(*sample)))?,
        }
    }
    to.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of operators §12.
    const EXAMPLE: &str = "{\n   rate = 60\n   start = 0\n   tracklength = 4\n   tracks = 2\n   {\n      name = tx\n      \
                           data = 0 0.5 1 1.5\n   }\n   {\n      name = ty\n      data_rle = @3 0.25 1\n   }\n}\n";

    #[test]
    fn the_example_of_the_specification_is_read() {
        for text in [EXAMPLE.to_owned(), EXAMPLE.replace('\n', "\r\n"), EXAMPLE.replace("   ", "\t")] {
            let recording = read(text.as_bytes()).unwrap();
            assert_eq!(recording.names(), ["tx", "ty"]);
            assert_eq!((recording.sample_rate(), recording.start(), recording.len_samples()), (60.0, 0, 4));
            assert_eq!(recording.channel(0), Some(&[0.0, 0.5, 1.0, 1.5][..]));
            assert_eq!(recording.channel(1), Some(&[0.25, 0.25, 0.25, 1.0][..]));
        }
        let more = EXAMPLE.replace("name = ty", "lefttype = cycle\n quatrel = 1\n default = 3\n name = t y");
        assert_eq!(read(more.as_bytes()).unwrap().names(), ["tx", "t y"], "unknown keys are skipped");
        let unnamed = EXAMPLE.replace("name = ty", "").replace("start = 0", "start = -7");
        let recording = read(unnamed.as_bytes()).unwrap();
        assert_eq!((recording.names(), recording.start()), (&["tx".to_owned(), "chan2".to_owned()][..], -7));
    }

    #[test]
    fn a_start_between_two_samples_is_told() {
        let of = |start: &str| {
            let recording =
                read(EXAMPLE.replace("start = 0", &format!("start = {start}")).as_bytes()).unwrap();
            (recording.start(), recording.layout().lost().len())
        };
        assert_eq!(
            ["7", "-3.0", "1e3", "9007199254740993"].map(of),
            [(7, 0), (-3, 0), (1000, 0), (9_007_199_254_740_993, 0)]
        );
        assert_eq!(["1.25", "-0.5", "1e30"].map(of), [(1, 1), (-1, 1), (i64::MAX, 1)]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let rows = [
            (
                EXAMPLE.replace("rate = 60", "rate = fast"),
                "line 2: the rate \"rate = fast\" is not a number of samples a second",
            ),
            (
                EXAMPLE.replace("start = 0", "start = nan"),
                "line 3: the start \"start = nan\" is not the index of a sample",
            ),
            (
                EXAMPLE.replace("0.5", "x"),
                "line 8: the data \"data = 0 x 1 1.5\" is not numbers with blanks between",
            ),
            (
                EXAMPLE.replace("0.5", "1e39"),
                "line 8: the data \"data = 0 1e39 1 1.5\" is not numbers that 32 bits hold",
            ),
            (EXAMPLE.replace("@3", "@x"), "line 12: the run \"data_rle = @x 0.25 1\" is not such as @3 0.25"),
            (
                EXAMPLE.replace("@3 0.25 1", "1 @3"),
                "line 12: the run \"data_rle = 1 @3\" is not such as @3 0.25",
            ),
            (
                EXAMPLE.replace("tracks = 2", "tracks"),
                "line 5: the entry \"tracks\" is not written as key = value",
            ),
            (
                EXAMPLE.replace("@3", "@99999999999"),
                "the channels have more than 134217728 samples together: cut the clip into shorter ones",
            ),
            (
                EXAMPLE.replace(" 1.5", ""),
                "channel 1 has 4 samples, but channel 0 has 3: give all channels the same length",
            ),
            (EXAMPLE.trim_end().trim_end_matches('}').to_owned(), "the clip has no end: save it again"),
            (String::new(), "the clip has no end: save it again"),
            (
                "bclp\0\u{1}".to_owned(),
                "the file is a binary clip, whose layout is described nowhere in public: save it as .clip",
            ),
            (
                "tx,ty\n".to_owned(),
                "line 1: \"tx,ty\" is no beginning of a clip, which is {: check that it is a .clip file",
            ),
        ];
        for (text, said) in rows {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(said), "{error}");
        }
    }
}
