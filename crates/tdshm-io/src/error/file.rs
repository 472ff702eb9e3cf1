//! Files by their paths, and what operators put into them.

use std::io;
use std::path::PathBuf;

#[cfg(feature = "csv")]
use super::CsvError;
#[cfg(feature = "recording")]
use super::McapError;
#[cfg(feature = "parquet")]
use super::ParquetError;
#[cfg(feature = "images")]
use super::PictureError;
#[cfg(feature = "wav")]
use super::WavError;
use super::{AiffError, ChanError, ClipFileError};

/// A file that did not become a recording or a picture, or a picture that did not become a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file could not be opened. Worth another try once the path is right.
    #[error("cannot open {}: {source}: check the path, and that you may read the file", path.display())]
    Open {
        /// The path that was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file could not be written. Worth another try once the path is right.
    #[error("cannot write {}: {source}: {}", path.display(), to_write(source))]
    Create {
        /// The path that was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is a file already, and it is to stay.
    #[error("{} is there already: choose another name, or say that it may be replaced", path.display())]
    Exists {
        /// The path that was given.
        path: PathBuf,
    },
    /// The file is no ordinary one, and this format goes back and forth in it.
    #[error("{} is no ordinary file: give a path where a new one can be made", path.display())]
    NotOrdinary {
        /// The path that was given.
        path: PathBuf,
    },
    /// A format whose layout is TouchDesigner's secret.
    #[error(
        "the format .{extension} is described nowhere in public: use a file that ends in {known}; \
        TouchDesigner opens .{extension} and saves .{public}, which holds the same as text"
    )]
    NotPublic {
        /// The extension, without the point.
        extension: String,
        /// The extension of the same as text.
        public: &'static str,
        /// The extensions that this build knows, for people to read.
        known: String,
    },
    /// Not as many samples as the channels have.
    #[error("{given} samples were given where the channels need {needed}: give as many for each channel")]
    SampleCount {
        /// Samples that there are.
        given: usize,
        /// Samples that there should be.
        needed: usize,
    },
    /// The format does not hold what there is.
    #[error("{what} is {value}, and in a {file} file it is {expected}")]
    DoesNotFit {
        /// What does not fit.
        what: &'static str,
        /// Its value.
        value: String,
        /// The kind of file.
        file: &'static str,
        /// What the file holds.
        expected: &'static str,
    },
    /// The file, or folder, is no picture that can be used, or cannot become one.
    #[cfg(feature = "images")]
    #[error("{}: {source}", path.display())]
    Picture {
        /// The path that was given.
        path: PathBuf,
        /// What is wrong with it.
        source: PictureError,
    },
    /// The extension belongs to no format that this build reads.
    #[error("cannot tell the format of {} from {}: use a file that ends in {known}", path.display(),
        describe_extension(extension.as_deref()))]
    UnknownExtension {
        /// The path that was given.
        path: PathBuf,
        /// Its extension, without the point; `None` when it has none.
        extension: Option<String>,
        /// The extensions that this build knows, for people to read.
        known: String,
    },
    /// The file was opened as columns of numbers, and is none that can be used.
    #[error("{}: {source}", path.display())]
    Chan {
        /// The path that was given.
        path: PathBuf,
        /// What is wrong with it.
        source: ChanError,
    },
    /// The file was opened as a clip, and is none that can be used.
    #[error("{}: {source}", path.display())]
    Clip {
        /// The path that was given.
        path: PathBuf,
        /// What is wrong with it.
        source: ClipFileError,
    },
    /// The file was opened as a text table, and is none that can be used.
    #[cfg(feature = "csv")]
    #[error("{}: {source}", path.display())]
    Csv {
        /// The path that was given.
        path: PathBuf,
        /// What is wrong with it.
        source: CsvError,
    },
    /// The file was opened as a recording of segments, and is none that can be used.
    #[cfg(feature = "recording")]
    #[error("{}: {source}", path.display())]
    Recording {
        /// The path that was given.
        path: PathBuf,
        /// What is wrong with it.
        source: McapError,
    },
    /// The recording has no such segment.
    #[cfg(feature = "recording")]
    #[error("{} holds no {what}{}: of those it has {there}", path.display(),
        wanted.as_deref().map(|wanted| format!(" called {wanted:?}")).unwrap_or_default())]
    NoSegment {
        /// The path that was given.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
        /// The name that was given.
        wanted: Option<String>,
        /// The segments of that kind that there are, for people to read.
        there: String,
    },
    /// The recording has several segments, and one is wanted.
    #[cfg(feature = "recording")]
    #[error("{} holds several segments that could be meant: choose one of {there}", path.display())]
    SeveralSegments {
        /// The path that was given.
        path: PathBuf,
        /// Those that there are, for people to read.
        there: String,
    },
    /// The file was opened as a sound file of the kind AIFF, and is none that can be used.
    #[error("{}: {source}", path.display())]
    Aiff {
        /// The path that was given.
        path: PathBuf,
        /// What is wrong with it.
        source: AiffError,
    },
    /// The file was opened as columns of Parquet, and is none that can be used.
    #[cfg(feature = "parquet")]
    #[error("{}: {source}", path.display())]
    Parquet {
        /// The path that was given.
        path: PathBuf,
        /// What is wrong with it.
        source: ParquetError,
    },
    /// The file was opened as a sound file, and is none that can be used.
    #[cfg(feature = "wav")]
    #[error("{}: {source}", path.display())]
    Wav {
        /// The path that was given.
        path: PathBuf,
        /// What is wrong with it.
        source: WavError,
    },
}

/// What an operator puts out did not become a file.
#[cfg(feature = "ops")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// The operator is gone.
    #[error(transparent)]
    Op(#[from] tdshm_ops::OpError),
    /// It puts nothing out that could be saved.
    #[error("{op} has neither channels nor an image: save a CHOP or a TOP that has cooked")]
    NoData {
        /// The path of the operator.
        op: String,
    },
    /// The picture does not become a file.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The file cannot be written, or its extension is unknown.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What to do where the system does not let one write.
pub(crate) fn to_write(error: &io::Error) -> &'static str {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => "make room, or write elsewhere",
        _ => "check the path, and that you may write there",
    }
}

fn describe_extension(extension: Option<&str>) -> String {
    extension
        .map_or_else(|| "its name, which has no extension".to_owned(), |e| format!("the extension {e:?}"))
}
