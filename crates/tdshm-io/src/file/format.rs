//! Which format a file has, by its extension.

use std::path::Path;

use crate::error::FileError;
#[cfg(feature = "wav")]
use crate::file::wav;
use crate::file::{Layout, Lost};
use crate::file::{aiff, clip};

/// The extensions of channels that this build reads and writes, lower case, without the point.
pub const EXTENSIONS: &[&str] = &[
    "chan",
    "clip",
    #[cfg(feature = "csv")]
    "csv",
    #[cfg(feature = "wav")]
    "wav",
    "aiff",
    "aif",
    "aifc",
    #[cfg(feature = "parquet")]
    "parquet",
    #[cfg(feature = "recording")]
    "mcap",
];

/// A format of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Columns of numbers: a line a sample, without names and rate.
    Chan,
    /// TouchDesigner's and Houdini's clips as text: everything.
    Clip,
    /// Text tables with a row of names: no rate.
    #[cfg(feature = "csv")]
    Csv,
    /// Sound: no names, and a rate that is a whole number.
    #[cfg(feature = "wav")]
    Wav,
    /// Sound: no names, and any rate.
    Aiff,
    /// Columns of Parquet: everything but how channels go on outside their samples.
    #[cfg(feature = "parquet")]
    Parquet,
    /// A segment of a recording: names and rate, frame by frame.
    #[cfg(feature = "recording")]
    Recording,
}

impl Format {
    /// The format that the extension of `path` names, upper or lower case.
    ///
    /// # Errors
    ///
    /// [`FileError::NotPublic`] for `.bchan` and `.bclip`, whose layouts nobody describes, and
    /// [`FileError::UnknownExtension`] with the known ones for all others.
    pub fn of(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        let secret = |public| FileError::NotPublic {
            extension: format!("b{public}"),
            public,
            known: known_extensions(),
        };
        match extension.as_deref() {
            Some("chan") => Ok(Self::Chan),
            Some("clip") => Ok(Self::Clip),
            #[cfg(feature = "csv")]
            Some("csv") => Ok(Self::Csv),
            #[cfg(feature = "wav")]
            Some("wav") => Ok(Self::Wav),
            Some("aiff" | "aif" | "aifc") => Ok(Self::Aiff),
            #[cfg(feature = "parquet")]
            Some("parquet") => Ok(Self::Parquet),
            #[cfg(feature = "recording")]
            Some("mcap") => Ok(Self::Recording),
            Some("bchan") => Err(secret("chan")),
            Some("bclip") => Err(secret("clip")),
            _ => {
                let known = known_extensions();
                Err(FileError::UnknownExtension { path: path.to_owned(), extension, known })
            }
        }
    }

    /// Its extension, with the point.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Chan => ".chan",
            Self::Clip => ".clip",
            #[cfg(feature = "csv")]
            Self::Csv => ".csv",
            #[cfg(feature = "wav")]
            Self::Wav => ".wav",
            Self::Aiff => ".aiff",
            #[cfg(feature = "parquet")]
            Self::Parquet => ".parquet",
            #[cfg(feature = "recording")]
            Self::Recording => ".mcap",
        }
    }

    /// Whether such a file can hold these channels at all: their number, their rate, their length where that is known.
    ///
    /// # Errors
    ///
    /// [`FileError::DoesNotFit`].
    pub fn check(self, layout: &Layout) -> Result<(), FileError> {
        let checked = match self {
            #[cfg(feature = "wav")]
            Self::Wav => wav::check(layout).map(drop),
            Self::Aiff => aiff::check(layout).map(drop),
            Self::Clip => clip::check(layout),
            _ => Ok(()),
        };
        checked.map_err(|trouble| trouble.at(Path::new("")))
    }

    /// Whether it is text, which is written from front to back and read whole.
    pub(crate) fn is_text(self) -> bool {
        match self {
            Self::Chan | Self::Clip => true,
            #[cfg(feature = "csv")]
            Self::Csv => true,
            _ => false,
        }
    }

    fn holds_names(self) -> bool {
        match self {
            Self::Chan | Self::Aiff => false,
            #[cfg(feature = "wav")]
            Self::Wav => false,
            _ => true,
        }
    }

    fn holds_rate(self) -> bool {
        match self {
            Self::Chan => false,
            #[cfg(feature = "csv")]
            Self::Csv => false,
            _ => true,
        }
    }

    fn holds_start(self) -> bool {
        match self {
            Self::Clip => true,
            #[cfg(feature = "parquet")]
            Self::Parquet => true,
            _ => false,
        }
    }

    /// What of the layout such a file does not hold.
    pub(crate) fn lost(self, layout: &Layout) -> Vec<Lost> {
        let file = self.extension();
        let mut lost = Vec::new();
        if !self.holds_names() && !layout.has_plain_names() {
            lost.push(Lost::Names { file });
        }
        if !self.holds_rate() && !layout.rate_is_assumed() {
            lost.push(Lost::Rate { file, hz: layout.sample_rate() });
        }
        if !self.holds_start() && layout.start() != 0 {
            lost.push(Lost::Start { file, start: layout.start() });
        }
        if self != Self::Clip && !layout.ends().is_empty() {
            lost.push(Lost::Ends { file });
        }
        lost
    }

    /// Whether such a file is made for infinities and what is no number.
    pub(crate) fn holds_all_numbers(self) -> bool {
        match self {
            #[cfg(feature = "csv")]
            Self::Csv => true,
            #[cfg(feature = "parquet")]
            Self::Parquet => true,
            #[cfg(feature = "recording")]
            Self::Recording => true,
            _ => false,
        }
    }
}

/// For people to read.
pub(crate) fn known_extensions() -> String {
    EXTENSIONS.iter().map(|e| format!(".{e}")).collect::<Vec<_>>().join(" or ")
}
