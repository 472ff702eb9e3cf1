//! Channels and pictures in files: what they have in common, and the choice of the format.
//!
//! [`Recording::open`] and [`ChannelReader::open`] look at the extension and hand the file to the reader of that format;
//! [`Recording::save`] and [`ChannelWriter::create`] do the same for writers. The readers take any [`std::io::Read`], so a
//! recording may as well come from a pipe, an archive or a test.

use std::ops::Range;
use std::path::Path;

use crate::error::{FileError, RecordingError};

pub mod aiff;
pub mod chan;
pub mod clip;
#[cfg(feature = "csv")]
pub mod csv;
mod flat;
mod format;
mod input;
mod layout;
mod lost;
#[cfg(feature = "parquet")]
pub mod parquet;
#[cfg(feature = "images")]
pub mod picture;
mod reader;
#[cfg(feature = "recording")]
pub mod recording;
#[cfg(feature = "recording")]
pub mod segment;
#[cfg(feature = "images")]
pub mod sequence;
#[cfg(feature = "wav")]
pub mod wav;
mod whole;
mod writer;

pub use format::{EXTENSIONS, Format};
pub use layout::{Ends, Layout};
pub use lost::Lost;
pub use reader::ChannelReader;
pub use whole::Existing;
pub use writer::ChannelWriter;

/// Samples per second of a file that does not say: 60 Hz, the rate of a default timeline.
pub const DEFAULT_RATE: f32 = 60.0;

/// What a file may leave open.
///
/// ```
/// let options = tdshm_io::ReadOptions::new().table_rate(120.0); // Hz
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct ReadOptions {
    table_rate: f32,
}

impl ReadOptions {
    /// The defaults: text tables run at [`DEFAULT_RATE`].
    pub const fn new() -> Self {
        Self { table_rate: DEFAULT_RATE }
    }

    /// Sets the sample rate, in Hz, of text tables, which do not carry one. Formats that do keep their own.
    ///
    /// The rate is checked when a table is read: it must be finite and above 0.
    pub const fn table_rate(mut self, hz: f32) -> Self {
        self.table_rate = hz;
        self
    }
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Named channels of one length and one sample rate, whole in memory.
///
/// At least one channel and one sample. Channels are ordered and counted from 0; names may repeat; samples may be
/// NaN or infinite. Time runs from sample 0, `1 / sample_rate` seconds a sample.
#[derive(Clone, PartialEq)]
pub struct Recording {
    layout: Layout,
    channels: Vec<Vec<f32>>,
    len_samples: usize,
}

impl Recording {
    /// Makes a recording of `channels`, with a name for each, at `sample_rate` Hz.
    ///
    /// # Errors
    ///
    /// [`RecordingError`]: no channels, no samples, not one name for each channel, channels of unequal length, or a
    /// rate that is not finite and above 0.
    ///
    /// ```
    /// use tdshm_io::Recording;
    ///
    /// # fn main() -> Result<(), tdshm_io::RecordingError> {
    /// let r = Recording::new(vec!["tx".into(), "ty".into()], 60.0, vec![vec![0.0, 1.0], vec![5.0, 6.0]])?;
    /// assert_eq!((r.num_channels(), r.len_samples()), (2, 2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(
        names: Vec<String>,
        sample_rate: f32,
        channels: Vec<Vec<f32>>,
    ) -> Result<Self, RecordingError> {
        let layout = Layout::new(names, widened(sample_rate))?;
        if layout.num_channels() != channels.len() {
            let (names, channels) = (layout.num_channels(), channels.len());
            return Err(RecordingError::NameCount { names, channels });
        }
        Self::of(layout, channels)
    }

    /// A recording of channels, one for each name of the layout.
    pub(crate) fn of(layout: Layout, channels: Vec<Vec<f32>>) -> Result<Self, RecordingError> {
        let len_samples = channels.first().ok_or(RecordingError::NoChannels)?.len();
        if let Some((index, channel)) = channels.iter().enumerate().find(|(_, c)| c.len() != len_samples) {
            return Err(RecordingError::ChannelLength { index, expected: len_samples, found: channel.len() });
        }
        if len_samples == 0 {
            return Err(RecordingError::NoSamples);
        }
        let layout = layout.with_len_samples(u64::try_from(len_samples).unwrap_or(u64::MAX));
        Ok(Self { layout, channels, len_samples })
    }

    /// Reads the file at `path`, in the format that its extension names (upper or lower case).
    ///
    /// The whole file is read before the call returns; [`ChannelReader`] reads it piece by piece.
    ///
    /// # Errors
    ///
    /// As [`ChannelReader::open`], and what shows only in the samples: that they are cut short, or that there are none. Of
    /// the packed formats, in which a few bytes stand for many samples, no more than [`clip::MOST_SAMPLES`] are read.
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self, FileError> {
        ChannelReader::open(path, options)?.read_whole()
    }

    /// Writes the recording to `path`, in the format that its extension names, and gives what of it is not in the file.
    ///
    /// # Errors
    ///
    /// As [`ChannelWriter::create`] and [`ChannelWriter::finish`]. What there was at `path` stays then.
    ///
    /// ```
    /// use tdshm_io::Recording;
    /// use tdshm_io::file::Existing;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("take.aiff");
    /// let r = Recording::new(vec!["left".into(), "right".into()], 44_100.0, vec![vec![0.5; 100], vec![-0.5; 100]])?;
    /// let lost = r.save(&path, Existing::Refuse)?;
    /// assert_eq!(lost[0].to_string(), ".aiff files hold no channel names: who reads this one finds chan1, chan2 and so on");
    /// # Ok(())
    /// # }
    /// ```
    pub fn save(&self, path: impl AsRef<Path>, existing: Existing) -> Result<Vec<Lost>, FileError> {
        let mut file = ChannelWriter::create(path, &self.layout, existing)?;
        let each = PIECE.checked_div(self.num_channels()).unwrap_or(0).max(1);
        let mut flat = Vec::new();
        for start in (0..self.len_samples).step_by(each) {
            let mut len_samples = 0;
            flat.clear();
            for channel in self.range(start, start.saturating_add(each)) {
                len_samples = channel.len();
                flat.extend_from_slice(channel);
            }
            file.write(&flat, len_samples)?;
        }
        file.finish()
    }

    /// Names, rate and place of the channels.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn with_assumed_rate(mut self) -> Self {
        self.layout = self.layout.with_assumed_rate();
        self
    }

    pub(crate) fn with_lost(mut self, lost: impl IntoIterator<Item = Lost>) -> Self {
        self.layout = self.layout.with_lost(lost);
        self
    }

    /// The same recording with another index of the first sample.
    #[must_use]
    pub fn with_start(mut self, start: i64) -> Self {
        self.layout = self.layout.with_start(start);
        self
    }

    /// The index of the first sample on the timeline, in samples. 0 where the file does not say, as most do not.
    #[must_use]
    pub fn start(&self) -> i64 {
        self.layout.start()
    }

    /// Channels in the recording, at least 1.
    #[must_use]
    pub fn num_channels(&self) -> usize {
        self.channels.len()
    }

    /// Samples in each channel, at least 1.
    #[must_use]
    pub fn len_samples(&self) -> usize {
        self.len_samples
    }

    /// The name of each channel, in order. Names may repeat.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.layout.names()
    }

    /// Samples per second, in Hz: finite and above 0.
    #[must_use]
    pub fn sample_rate(&self) -> f32 {
        self.layout.sample_rate() as f32
    }

    /// All samples of channel `index` (from 0), or `None` when there are fewer channels.
    #[must_use]
    pub fn channel(&self, index: usize) -> Option<&[f32]> {
        self.channels.get(index).map(Vec::as_slice)
    }

    /// Samples `start` up to, not including, `end` of every channel: one row a channel, in order, all rows of one
    /// length, without a copy.
    ///
    /// What lies past the end of the recording is left out, so the rows are shorter than asked for at the end, and
    /// empty behind it or when `start` is not below `end`.
    ///
    /// ```
    /// # use tdshm_io::Recording;
    /// # fn main() -> Result<(), tdshm_io::RecordingError> {
    /// let r = Recording::new(vec!["a".into(), "b".into()], 60.0, vec![vec![0.0, 1.0, 2.0], vec![5.0, 6.0, 7.0]])?;
    /// let rows: Vec<&[f32]> = r.range(1, 9).collect();
    /// assert_eq!(rows, [&[1.0, 2.0], &[6.0, 7.0]]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn range(&self, start: usize, end: usize) -> impl ExactSizeIterator<Item = &[f32]> + Clone {
        let end = end.min(self.len_samples);
        let range: Range<usize> = start.min(end)..end;
        self.channels.iter().map(move |channel| channel.get(range.clone()).unwrap_or_default())
    }
}

/// Shows names, rate and length; not the samples, which may be millions.
impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording")
            .field("names", &self.names())
            .field("sample_rate", &self.sample_rate())
            .field("len_samples", &self.len_samples)
            .finish_non_exhaustive()
    }
}

/// Samples of all channels together that are written at once.
const PIECE: usize = 1 << 16;

/// The same rate with 64 bits: what one would write in decimals, so that 59.94 stays that.
fn widened(rate: f32) -> f64 {
    rate.to_string().parse().unwrap_or(f64::from(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Recording {
        Recording::new(
            vec!["a".into(), "a".into()],
            60.0,
            vec![vec![0.0, 1.0, 2.0, 3.0], vec![10.0, 11.0, 12.0, 13.0]],
        )
        .unwrap()
    }

    #[test]
    fn accessors_give_what_was_put_in() {
        let r = two();
        assert_eq!((r.num_channels(), r.len_samples(), r.sample_rate()), (2, 4, 60.0));
        assert_eq!(r.names(), ["a", "a"]);
        assert_eq!(r.channel(1), Some(&[10.0, 11.0, 12.0, 13.0][..]));
        assert_eq!(r.channel(2), None);
    }

    #[test]
    fn a_range_is_cut_at_the_end_and_never_panics() {
        let r = two();
        let rows = |start, end| r.range(start, end).map(<[f32]>::to_vec).collect::<Vec<_>>();
        assert_eq!(rows(1, 3), [[1.0, 2.0], [11.0, 12.0]]);
        assert_eq!(rows(3, usize::MAX), [[3.0], [13.0]]);
        for (start, end) in [(0, 0), (4, 9), (3, 1), (usize::MAX, 0), (usize::MAX, usize::MAX)] {
            assert_eq!(rows(start, end), [[0.0; 0], [0.0; 0]], "{start}..{end}");
        }
        assert_eq!(r.range(0, 1).len(), 2);
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        let new = |names: usize, rate, lengths: &[usize]| {
            Recording::new(vec!["n".into(); names], rate, lengths.iter().map(|l| vec![0.0; *l]).collect())
                .unwrap_err()
        };
        assert_eq!(new(0, 60.0, &[]), RecordingError::NoChannels);
        assert_eq!(new(2, 60.0, &[0, 0]), RecordingError::NoSamples);
        assert_eq!(new(1, 60.0, &[1, 1]), RecordingError::NameCount { names: 1, channels: 2 });
        assert_eq!(new(2, 60.0, &[2, 1]), RecordingError::ChannelLength { index: 1, expected: 2, found: 1 });
        for rate in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert!(matches!(new(1, rate, &[1]), RecordingError::SampleRate { .. }), "{rate}");
        }
        assert_eq!(
            new(1, -2.5, &[1]).to_string(),
            "the sample rate is -2.5 Hz, but it must be finite and above 0: give the rate in samples per second"
        );
    }

    #[test]
    fn debug_does_not_print_the_samples() {
        assert_eq!(
            format!("{:?}", two()),
            r#"Recording { names: ["a", "a"], sample_rate: 60.0, len_samples: 4, .. }"#
        );
    }

    #[test]
    #[cfg(all(feature = "csv", feature = "wav"))]
    fn an_unknown_extension_is_told_the_known_ones() {
        let said = |path: &str| Recording::open(path, &ReadOptions::new()).unwrap_err().to_string();
        let known = || {
            let parquet = if cfg!(feature = "parquet") { " or .parquet" } else { "" };
            let mcap = if cfg!(feature = "recording") { " or .mcap" } else { "" };
            format!(".chan or .clip or .csv or .wav or .aiff or .aif or .aifc{parquet}{mcap}")
        };
        assert_eq!(
            said("take.mp3"),
            format!(
                "cannot tell the format of take.mp3 from the extension \"mp3\": use a file that ends in {}",
                known()
            )
        );
        assert_eq!(
            said("take"),
            format!(
                "cannot tell the format of take from its name, which has no extension: use a file that ends in {}",
                known()
            )
        );
    }

    #[test]
    #[cfg(feature = "csv")]
    fn an_absent_file_is_named() {
        let error = Recording::open("no/such/take.csv", &ReadOptions::new()).unwrap_err();
        assert!(matches!(error, FileError::Open { .. }), "{error:?}");
        let said = error.to_string();
        assert!(said.starts_with("cannot open no/such/take.csv: "), "{said}");
        assert!(said.ends_with(": check the path, and that you may read the file"), "{said}");
    }
}
