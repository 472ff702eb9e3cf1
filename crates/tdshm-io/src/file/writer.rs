//! Channels into files, piece by piece.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::FileError;
#[cfg(feature = "csv")]
use crate::file::csv;
use crate::file::flat::Flat;
use crate::file::format::Format;
#[cfg(feature = "parquet")]
use crate::file::parquet;
#[cfg(feature = "recording")]
use crate::file::segment;
#[cfg(feature = "wav")]
use crate::file::wav;
use crate::file::whole::{Existing, NewFile};
use crate::file::{Layout, Lost, aiff, chan, clip};

/// A file that channels are written into, piece after piece. It appears under its name when it is whole: in
/// [`finish`](Self::finish); before that, and when this is dropped, what there was is untouched.
///
/// Memory does not grow with the number of pieces, but for `.clip`, in which the samples of a channel stand together.
///
/// ```
/// use tdshm_io::file::{ChannelWriter, Existing, Layout};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("take.csv");
/// let layout = Layout::new(vec!["tx".into(), "ty".into()], 60.0)?;
/// let mut file = ChannelWriter::create(&path, &layout, Existing::Refuse)?;
/// file.write(&[0.0, 0.5, 10.0, 11.0], 2)?; // two samples of tx, then two of ty
/// file.write(&[1.0, 12.0], 1)?;
/// let lost = file.finish()?;
/// assert_eq!(std::fs::read_to_string(&path)?, "tx,ty\n0,10\n0.5,11\n1,12\n");
/// assert!(lost.iter().any(|lost| lost.to_string().contains("no sample rate")));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct ChannelWriter {
    path: PathBuf,
    format: Format,
    layout: Layout,
    /// `None`: what is written is no file.
    new: Option<NewFile>,
    encoder: Encoder,
    lost: Vec<Lost>,
    not_finite: u64,
    len_samples: u64,
}

type Output = BufWriter<File>;
/// Where texts go, which are written from front to back.
type TextOutput = BufWriter<Box<dyn Write + Send + Sync>>;

enum Encoder {
    Chan(TextOutput),
    Clip(TextOutput, clip::Writer, Vec<String>),
    #[cfg(feature = "csv")]
    Csv(TextOutput),
    #[cfg(feature = "wav")]
    Wav(wav::Writer<Output>),
    Aiff(aiff::Writer<Output>),
    #[cfg(feature = "parquet")]
    Parquet(Box<parquet::Writer<Output>>),
    #[cfg(feature = "recording")]
    Recording(Box<segment::Writer<Output>>),
}

impl ChannelWriter {
    /// Begins a file at `path`, in the format that its extension names, for channels of this layout.
    ///
    /// # Errors
    ///
    /// [`FileError::UnknownExtension`], [`FileError::NotPublic`], [`FileError::DoesNotFit`] for what the format cannot hold,
    /// [`FileError::Exists`], [`FileError::NotOrdinary`] for a pipe or a device, and [`FileError::Create`] when the system
    /// refuses.
    pub fn create(path: impl AsRef<Path>, layout: &Layout, existing: Existing) -> Result<Self, FileError> {
        let path = path.as_ref();
        let format = Format::of(path)?;
        format.check(layout)?;
        #[cfg_attr(
            not(feature = "parquet"),
            expect(unused_mut, reason = "other names are never written there")
        )]
        let mut lost = format.lost(layout);
        let (new, file) = NewFile::begin(path, existing)?;
        if format.is_text() {
            return Self::text(path, Some(new), Box::new(file), format, layout);
        }
        let output = BufWriter::new(file);
        let encoder = match format {
            #[cfg(feature = "wav")]
            Format::Wav => wav::Writer::new(output, layout).map(Encoder::Wav),
            Format::Aiff => aiff::Writer::new(output, layout).map(Encoder::Aiff),
            #[cfg(feature = "parquet")]
            Format::Parquet => {
                let (names, renamed) = parquet::names(layout.names());
                lost.extend(renamed);
                let writer = parquet::Writer::new(output, layout, &names);
                writer.map(|writer| Encoder::Parquet(Box::new(writer)))
            }
            #[cfg(feature = "recording")]
            Format::Recording => segment::name(path, layout)
                .and_then(|name| segment::Writer::new(output, name, layout))
                .map(|writer| Encoder::Recording(Box::new(writer))),
            _ => Err(no_text(format)),
        };
        let encoder = encoder.map_err(|trouble| trouble.at(path))?;
        Ok(Self {
            path: path.to_owned(),
            format,
            layout: layout.clone(),
            new: Some(new),
            encoder,
            lost,
            not_finite: 0,
            len_samples: 0,
        })
    }

    /// Begins a text (`.csv`, `.chan`, `.clip`) that goes elsewhere than into a file, such as standard output. What has been
    /// written stays there, whatever becomes of the rest.
    ///
    /// # Errors
    ///
    /// [`FileError::DoesNotFit`] for what the format cannot hold, and for other formats, in which one goes back and forth;
    /// [`FileError::Create`] when `to` refuses.
    ///
    /// ```
    /// use tdshm_io::file::{ChannelWriter, Format, Layout};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let layout = Layout::new(vec!["tx".into()], 60.0)?;
    /// let mut table = ChannelWriter::to(std::io::stdout(), Format::Csv, &layout)?;
    /// table.write(&[0.5, 1.0], 2)?;
    /// table.finish()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn to(
        to: impl Write + Send + Sync + 'static,
        format: Format,
        layout: &Layout,
    ) -> Result<Self, FileError> {
        format.check(layout)?;
        Self::text(Path::new("the output"), None, Box::new(to), format, layout)
    }

    fn text(
        path: &Path,
        new: Option<NewFile>,
        to: Box<dyn Write + Send + Sync>,
        format: Format,
        layout: &Layout,
    ) -> Result<Self, FileError> {
        let mut lost = format.lost(layout);
        let output = BufWriter::new(to);
        let encoder = match format {
            Format::Chan => Ok(Encoder::Chan(output)),
            Format::Clip => {
                let (names, renamed) = clip::names(layout.names());
                lost.extend(renamed);
                Ok(Encoder::Clip(output, clip::Writer::default(), names))
            }
            #[cfg(feature = "csv")]
            Format::Csv => {
                let (names, more) = csv::names(layout.names());
                lost.extend(more);
                let mut output = output;
                csv::write_names(&mut output, &names).map(|()| Encoder::Csv(output)).map_err(Trouble::Io)
            }
            _ => Err(no_text(format)),
        };
        let encoder = encoder.map_err(|trouble| trouble.at(path))?;
        let (path, layout) = (path.to_owned(), layout.clone());
        Ok(Self { path, format, layout, new, encoder, lost, not_finite: 0, len_samples: 0 })
    }

    /// Writes the next `len_samples` samples of every channel: all of channel 0, then all of channel 1, and so on.
    ///
    /// # Errors
    ///
    /// [`FileError::SampleCount`] where these are not as many samples as the channels need; nothing is written then.
    /// [`FileError::DoesNotFit`] when the file gets longer than its format allows, and [`FileError::Create`] when the system
    /// refuses: there will be no file then.
    pub fn write(&mut self, samples: &[f32], len_samples: usize) -> Result<(), FileError> {
        let needed = self.layout.num_channels().saturating_mul(len_samples);
        if samples.len() != needed {
            return Err(FileError::SampleCount { given: samples.len(), needed });
        }
        if needed == 0 {
            return Ok(());
        }
        let not_finite = samples.iter().filter(|sample| !sample.is_finite()).count();
        self.not_finite = self.not_finite.saturating_add(u64::try_from(not_finite).unwrap_or(u64::MAX));
        self.len_samples = self.len_samples.saturating_add(u64::try_from(len_samples).unwrap_or(u64::MAX));
        let flat = Flat::new(samples, len_samples);
        let written = match &mut self.encoder {
            Encoder::Chan(output) => chan::write(output, flat).map_err(Trouble::Io),
            Encoder::Clip(_, clip, _) => clip.take(flat),
            #[cfg(feature = "csv")]
            Encoder::Csv(output) => csv::write(output, flat).map_err(Trouble::Io),
            #[cfg(feature = "wav")]
            Encoder::Wav(wav) => wav.write(flat),
            Encoder::Aiff(aiff) => aiff.write(flat),
            #[cfg(feature = "parquet")]
            Encoder::Parquet(parquet) => parquet.write(flat),
            #[cfg(feature = "recording")]
            Encoder::Recording(recording) => recording.write(flat),
        };
        written.map_err(|trouble| trouble.at(&self.path))
    }

    /// Samples written so far, in each channel.
    #[must_use]
    pub fn len_samples(&self) -> u64 {
        self.len_samples
    }

    /// Ends the file and gives it its name; gives what of these channels is not in it.
    ///
    /// # Errors
    ///
    /// [`FileError::Create`] when the system refuses, and [`FileError::Exists`] where somebody has taken the name meanwhile;
    /// there is no new file then.
    pub fn finish(self) -> Result<Vec<Lost>, FileError> {
        let Self { path, format, layout, new, encoder, mut lost, not_finite, .. } = self;
        let finished = match encoder {
            Encoder::Chan(mut output) => output.flush().map_err(Trouble::Io),
            Encoder::Clip(mut output, clip, names) => {
                clip.write(&mut output, &layout, &names).and_then(|()| output.flush()).map_err(Trouble::Io)
            }
            #[cfg(feature = "csv")]
            Encoder::Csv(mut output) => output.flush().map_err(Trouble::Io),
            #[cfg(feature = "wav")]
            Encoder::Wav(wav) => wav.finish(),
            Encoder::Aiff(aiff) => aiff.finish(&layout),
            #[cfg(feature = "parquet")]
            Encoder::Parquet(parquet) => parquet.finish(),
            #[cfg(feature = "recording")]
            Encoder::Recording(recording) => recording.finish(),
        };
        finished.map_err(|trouble| trouble.at(&path))?;
        new.map_or(Ok(()), NewFile::commit)?;
        if not_finite > 0 && !format.holds_all_numbers() {
            lost.push(Lost::NotFinite { file: format.extension(), count: not_finite });
        }
        Ok(lost)
    }
}

fn no_text(format: Format) -> Trouble {
    Trouble::Fits {
        what: "the output",
        value: "a stream".to_owned(),
        file: format.extension(),
        expected: "a file, in which one goes back: write .csv, .chan or .clip",
    }
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Encoder")
    }
}

/// Why something is not written.
#[derive(Debug)]
pub(crate) enum Trouble {
    Io(io::Error),
    Fits { what: &'static str, value: String, file: &'static str, expected: &'static str },
}

impl Trouble {
    pub(crate) fn at(self, path: &Path) -> FileError {
        match self {
            Self::Io(source) => FileError::Create { path: path.to_owned(), source },
            Self::Fits { what, value, file, expected } => {
                FileError::DoesNotFit { what, value, file, expected }
            }
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
