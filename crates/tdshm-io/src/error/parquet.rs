//! Columns of Parquet.

use std::io;

use super::RecordingError;

/// A Parquet file that is not a recording.
///
/// None of these goes away by trying again, [`ParquetError::Io`] perhaps excepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParquetError {
    /// The bytes could not be read.
    #[error("reading the columns failed: {0}")]
    Io(#[from] io::Error),
    /// It is no Parquet file, or a broken one.
    #[error("the file is no Parquet file, or a broken one: {reason}: write it again")]
    Broken {
        /// What is wrong, in the words of the reader.
        reason: String,
    },
    /// A column is packed in a way that is not read.
    #[error(
        "the column {column:?} is packed with {found}, but only Snappy and unpacked columns are read: write it with \
         compression=\"snappy\", which is pandas' own"
    )]
    Compression {
        /// The column.
        column: String,
        /// How it is packed.
        found: String,
    },
    /// No column holds numbers.
    #[error("no column holds numbers: {columns}")]
    NoNumbers {
        /// What they hold, for people to read.
        columns: String,
    },
    /// What the file says of its channels cannot be.
    #[error("the file says {key} = {value:?}, and that is not {expected}: write it again")]
    Metadata {
        /// The key.
        key: &'static str,
        /// What it says, cut short when it is long.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// More samples than anybody keeps in memory.
    #[error("the channels have more than {limit} samples together: convert a part of them")]
    TooLong {
        /// The most that are read at once.
        limit: usize,
    },
    /// The file was read, but what it holds is no recording: no samples, or a bad rate.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}
