//! What is wrong with a recording.

use std::io;
use std::path::PathBuf;

use crate::error::to_write;

/// A recording that cannot be written, or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum McapError {
    /// The file could not be opened. Worth another try once the path is right.
    #[error("cannot open {}: {source}: check the path, and that you may read the file", path.display())]
    Open {
        /// The path that was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file could not be made. Worth another try once the path is right.
    #[error("cannot write {}: {source}: {}", path.display(), to_write(source))]
    Create {
        /// The path that was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system could not read.
    #[error("reading the recording failed: {0}")]
    Read(#[source] io::Error),
    /// The system could not write: a full disk, for example. What was written before stays readable.
    #[error("writing the recording failed: {0}")]
    Write(#[source] io::Error),
    /// The file's format cannot hold that, or its writer is used after it failed.
    #[error("writing the recording failed: {0}")]
    Format(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A frame does not make a block.
    #[error("writing the recording failed: {0}")]
    Block(#[from] tdshm::BlockError),
    /// The file begins as something else.
    #[error("{}", not_mcap(found))]
    NotMcap {
        /// The first bytes, as text.
        found: String,
    },
    /// A later version of this library wrote it, in a way that this one would misunderstand.
    #[error(
        "the recording's layout has version {found}, and this program reads up to {limit}: use a newer one"
    )]
    TooNew {
        /// The version in the file.
        found: u32,
        /// The newest that is read.
        limit: u32,
    },
    /// A part of the file is not as it was written: its frames are left out. Reading goes on behind it.
    #[error(
        "bytes {begin} to {end} were changed after they were written (checksum {found:08x}, and {expected:08x} was \
         written): their frames are left out"
    )]
    Damaged {
        /// Where that part begins.
        begin: u64,
        /// Where it ends.
        end: u64,
        /// The checksum of what is there.
        found: u32,
        /// The checksum that was written.
        expected: u32,
    },
    /// A part of the file was compressed by another program: its frames are left out. Reading goes on behind it.
    #[error(
        "bytes {begin} to {end} are compressed as {compression:?}, which is not read: write the file anew with \
         `mcap compress --compression none`"
    )]
    Compressed {
        /// Where that part begins.
        begin: u64,
        /// Where it ends.
        end: u64,
        /// What the file calls it.
        compression: String,
    },
    /// What lies there is no record, and nobody knows where the next one begins. Nothing more can be read.
    #[error("at byte {at}: {what}: the file was damaged, and what lies behind it cannot be read")]
    Broken {
        /// Where.
        at: u64,
        /// What is wrong there.
        what: String,
    },
    /// A description is longer than any that is written. Nothing more can be read.
    #[error(
        "at byte {at}: a record of {bytes} bytes, where at most {limit} are expected: the file was damaged"
    )]
    TooLong {
        /// Where.
        at: u64,
        /// Its bytes.
        bytes: u64,
        /// The most that are read.
        limit: u64,
    },
}

fn not_mcap(found: &str) -> String {
    match found {
        "\"\"" => "the file is empty: no recording has been written into it".to_owned(),
        found => {
            format!(
                "the file begins with {found}, and a recording with \"\\x89MCAP0\\r\\n\": it is no MCAP file"
            )
        }
    }
}

impl McapError {
    /// Whether more can be read after it.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Compressed { .. })
    }
}
