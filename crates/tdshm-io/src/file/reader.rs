//! Channels out of files, piece by piece.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::FileError;
#[cfg(feature = "csv")]
use crate::file::csv;
use crate::file::format::Format;
#[cfg(feature = "parquet")]
use crate::file::parquet;
#[cfg(feature = "recording")]
use crate::file::segment;
#[cfg(feature = "wav")]
use crate::file::wav;
use crate::file::{Layout, Lost, ReadOptions, Recording, aiff, chan, clip, input};

/// Samples of all channels together in a piece, about.
const PIECE: usize = 1 << 16;

/// A file of channels that is read piece by piece.
///
/// Sound and Parquet are read as they are asked for. Text (`.csv`, `.chan`, `.clip`) is read whole when it is opened, so
/// that all that is wrong with it shows at once.
///
/// ```no_run
/// # fn main() -> Result<(), tdshm_io::FileError> {
/// use tdshm_io::file::{ChannelReader, ReadOptions};
///
/// let mut file = ChannelReader::open("night.wav", &ReadOptions::new())?;
/// let mut samples = Vec::new();
/// let mut loudest = 0.0_f32;
/// while file.read(&mut samples)? > 0 {
///     loudest = samples.iter().fold(loudest, |loudest, sample| loudest.max(sample.abs()));
/// }
/// println!("{} tracks, the loudest {loudest}", file.layout().num_channels());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ChannelReader {
    path: PathBuf,
    decoder: Decoder,
}

#[derive(Debug)]
enum Decoder {
    /// All samples, and the next one.
    Whole(Recording, usize),
    #[cfg(feature = "wav")]
    Wav(wav::Reader<File>),
    Aiff(aiff::Reader<File>),
    #[cfg(feature = "parquet")]
    Parquet(Box<parquet::Reader>),
    #[cfg(feature = "recording")]
    Recording(Box<segment::Channels>),
}

impl ChannelReader {
    /// Opens the file at `path`, in the format that its extension names (upper or lower case).
    ///
    /// # Errors
    ///
    /// [`FileError::UnknownExtension`] with the known ones, [`FileError::NotPublic`], [`FileError::Open`] when the system
    /// refuses or it is a pipe or a device, and the format's own error with the path in front.
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self, FileError> {
        let path = path.as_ref();
        let format = Format::of(path)?;
        let file = input::open(path).map_err(|source| FileError::Open { path: path.to_owned(), source })?;
        let rate = options.table_rate;
        let path = path.to_owned();
        let whole = |recording| Decoder::Whole(recording, 0);
        let decoder = match format {
            Format::Chan => chan::read(file, rate)
                .map(whole)
                .map_err(|source| FileError::Chan { path: path.clone(), source }),
            Format::Clip => {
                clip::read(file).map(whole).map_err(|source| FileError::Clip { path: path.clone(), source })
            }
            #[cfg(feature = "csv")]
            Format::Csv => csv::read(file, rate)
                .map(whole)
                .map_err(|source| FileError::Csv { path: path.clone(), source }),
            #[cfg(feature = "wav")]
            Format::Wav => wav::Reader::new(file)
                .map(Decoder::Wav)
                .map_err(|source| FileError::Wav { path: path.clone(), source }),
            Format::Aiff => aiff::Reader::new(file)
                .map(Decoder::Aiff)
                .map_err(|source| FileError::Aiff { path: path.clone(), source }),
            #[cfg(feature = "parquet")]
            Format::Parquet => parquet::Reader::new(file, f64::from(rate))
                .map(|reader| Decoder::Parquet(Box::new(reader)))
                .map_err(|source| FileError::Parquet { path: path.clone(), source }),
            #[cfg(feature = "recording")]
            Format::Recording => {
                drop(file);
                segment::Channels::open(&path, &segment::Part::all())
                    .map(|channels| Decoder::Recording(Box::new(channels)))
            }
        }?;
        Ok(Self { path, decoder })
    }

    /// Opens the channels of a segment in a recording: the samples of its frames, one frame after the other. The first frame
    /// says which channels there are, and their rate; what does not go with that is in [`lost`](Self::lost).
    ///
    /// # Errors
    ///
    /// [`FileError::Recording`], [`FileError::NoSegment`], and [`FileError::SeveralSegments`] where the part means more than
    /// one.
    #[cfg(feature = "recording")]
    pub fn open_segment(path: impl AsRef<Path>, part: &segment::Part) -> Result<Self, FileError> {
        let path = path.as_ref();
        let channels = segment::Channels::open(path, part)?;
        Ok(Self { path: path.to_owned(), decoder: Decoder::Recording(Box::new(channels)) })
    }

    /// What of the file did not come along, as far as it has been read.
    #[must_use]
    pub fn lost(&self) -> Vec<Lost> {
        match &self.decoder {
            #[cfg(feature = "recording")]
            Decoder::Recording(recording) => recording.lost(),
            _ => self.layout().lost().to_vec(),
        }
    }

    /// The channels of the file, and what of it does not come along.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        match &self.decoder {
            Decoder::Whole(recording, _) => recording.layout(),
            #[cfg(feature = "wav")]
            Decoder::Wav(wav) => wav.layout(),
            Decoder::Aiff(aiff) => aiff.layout(),
            #[cfg(feature = "parquet")]
            Decoder::Parquet(parquet) => parquet.layout(),
            #[cfg(feature = "recording")]
            Decoder::Recording(recording) => recording.layout(),
        }
    }

    /// Reads the next piece: all of channel 0, then all of channel 1, and so on. Gives how many samples each channel has in
    /// it: 0 at the end.
    ///
    /// # Errors
    ///
    /// The format's own error, with the path in front: the file is broken from here on, or could not be read.
    pub fn read(&mut self, samples: &mut Vec<f32>) -> Result<usize, FileError> {
        let path = || self.path.clone();
        match &mut self.decoder {
            Decoder::Whole(recording, next) => {
                let each = PIECE.checked_div(recording.num_channels()).unwrap_or(0).max(1);
                let end = next.saturating_add(each).min(recording.len_samples());
                samples.clear();
                recording.range(*next, end).for_each(|channel| samples.extend_from_slice(channel));
                let len_samples = end.saturating_sub(*next);
                *next = end;
                Ok(len_samples)
            }
            #[cfg(feature = "wav")]
            Decoder::Wav(wav) => {
                wav.read(samples, PIECE).map_err(|source| FileError::Wav { path: path(), source })
            }
            Decoder::Aiff(aiff) => {
                aiff.read(samples, PIECE).map_err(|source| FileError::Aiff { path: path(), source })
            }
            #[cfg(feature = "parquet")]
            Decoder::Parquet(parquet) => {
                parquet.read(samples, PIECE).map_err(|source| FileError::Parquet { path: path(), source })
            }
            #[cfg(feature = "recording")]
            Decoder::Recording(recording) => recording.read(samples, PIECE),
        }
    }

    /// All that is left, as one recording.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); a file without samples; one that holds more than memory should: see
    /// [`Recording::open`].
    pub fn read_whole(mut self) -> Result<Recording, FileError> {
        if let Decoder::Whole(recording, 0) = self.decoder {
            return Ok(recording);
        }
        let mut channels: Vec<Vec<f32>> = vec![Vec::new(); self.layout().num_channels()];
        let mut samples = Vec::new();
        loop {
            let len_samples = self.read(&mut samples)?;
            if len_samples == 0 {
                break;
            }
            for (to, from) in channels.iter_mut().zip(samples.chunks_exact(len_samples)) {
                to.extend_from_slice(from);
            }
            // A few bytes of a packed format may stand for samples without end.
            #[cfg(feature = "parquet")]
            if let (Decoder::Parquet(_), Some(first)) = (&self.decoder, channels.first())
                && first.len().saturating_mul(channels.len()) > clip::MOST_SAMPLES
            {
                let source = crate::error::ParquetError::TooLong { limit: clip::MOST_SAMPLES };
                return Err(FileError::Parquet { path: self.path, source });
            }
        }
        let lost = match self.layout().lost() {
            [] => self.lost(),
            _ => Vec::new(),
        };
        let layout = self.layout().clone().with_lost(lost);
        Recording::of(layout, channels).map_err(|error| self.wrong(error))
    }

    fn wrong(&self, error: crate::error::RecordingError) -> FileError {
        let path = self.path.clone();
        match &self.decoder {
            Decoder::Whole(..) => {
                FileError::Open { path, source: io::Error::new(io::ErrorKind::InvalidData, error) }
            }
            #[cfg(feature = "wav")]
            Decoder::Wav(_) => FileError::Wav { path, source: error.into() },
            Decoder::Aiff(_) => FileError::Aiff { path, source: error.into() },
            #[cfg(feature = "parquet")]
            Decoder::Parquet(_) => FileError::Parquet { path, source: error.into() },
            #[cfg(feature = "recording")]
            Decoder::Recording(_) => {
                FileError::Open { path, source: io::Error::new(io::ErrorKind::InvalidData, error) }
            }
        }
    }
}

/// What is in memory, piece by piece.
impl From<Recording> for ChannelReader {
    fn from(recording: Recording) -> Self {
        Self { path: PathBuf::new(), decoder: Decoder::Whole(recording, 0) }
    }
}
