//! Sound files.

use std::io;

use super::RecordingError;

/// A sound file that is not a recording.
///
/// None of these goes away by trying again, [`WavError::Io`] perhaps excepted.
#[cfg(feature = "wav")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WavError {
    /// The bytes could not be read.
    #[error("reading the sound file failed: {0}")]
    Io(#[from] io::Error),
    /// The file does not begin as a WAV file does.
    #[error("the file starts with {found:?}, a WAV file starts with \"RIFF\" and \"WAVE\": export it as WAV")]
    NotWave {
        /// The first bytes, as text.
        found: String,
    },
    /// The file ends before the samples begin.
    #[error("the file ends inside its {part}, after {found} of {expected} bytes: export it again")]
    TruncatedHeader {
        /// The part of the file that is cut.
        part: &'static str,
        /// Bytes that part needs.
        expected: u64,
        /// Bytes of it that are there.
        found: u64,
    },
    /// A chunk that every WAV file has is not there.
    #[error("the file has no {chunk:?} chunk before its {before}: export it again")]
    MissingChunk {
        /// Name of the chunk.
        chunk: &'static str,
        /// Where it should have been seen.
        before: &'static str,
    },
    /// The samples are stored in a way that is not read.
    #[error(
        "the samples are stored as {found}, but only 8, 16, 24 and 32-bit integers and 32-bit floats are read: \
         export it as 16-bit or float PCM"
    )]
    Unsupported {
        /// What the file says its samples are.
        found: String,
    },
    /// The description of the samples contradicts itself.
    #[error("the description of the samples is not valid ({reason}): export the file again")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// The file ends before the samples that it announces.
    #[error("the file announces {expected} samples in all its channels, but holds {found}: export it again")]
    Truncated {
        /// Samples announced, of all channels together.
        expected: u64,
        /// Samples that could be read, of all channels together.
        found: u64,
    },
    /// The file was read, but what it holds is no recording: no samples, or a rate of zero.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}

/// A sound file of the kind AIFF or AIFF-C that is not a recording.
///
/// None of these goes away by trying again, [`AiffError::Io`] perhaps excepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AiffError {
    /// The bytes could not be read.
    #[error("reading the sound file failed: {0}")]
    Io(#[from] io::Error),
    /// The file does not begin as an AIFF file does.
    #[error(
        "the file starts with {found:?}, an AIFF file starts with \"FORM\" and \"AIFF\" or \"AIFC\": export it as AIFF"
    )]
    NotAiff {
        /// The first bytes, as text.
        found: String,
    },
    /// A chunk that every AIFF file has is not there, or cut.
    #[error("the file has no whole {chunk:?} chunk: export it again")]
    MissingChunk {
        /// Name of the chunk.
        chunk: &'static str,
    },
    /// The samples are stored in a way that is not read.
    #[error(
        "the samples are stored as {found}, but only integers of up to 32 bits and floats of 32 and 64 are read: export it \
         as 16-bit or float PCM"
    )]
    Unsupported {
        /// What the file says its samples are.
        found: String,
    },
    /// The description of the samples contradicts itself.
    #[error("the {what} is {value}, and it should be {expected}: export the file again")]
    Malformed {
        /// What is wrong.
        what: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The file ends before the samples that it announces.
    #[error("the file announces {expected} samples in each channel, but holds {found}: export it again")]
    Truncated {
        /// Samples announced, in each channel.
        expected: u64,
        /// Samples that are there, in each channel.
        found: u64,
    },
    /// The file was read, but what it holds is no recording: no samples.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}
