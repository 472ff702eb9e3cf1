//! The edges of tdshm: what comes from outside and becomes named channels or
//! images, and images that become files.
//!
//! A *recording* is a set of named channels that share one sample rate and one length. Sound tracks, motion
//! capture, a spreadsheet of sensor readings: whatever program wrote the file, [`Recording::open`] gives the same
//! shape, the one that a sender of channels takes (rows of `f32`, one row a channel).
//!
//! | module | what lives there | feature |
//! | --- | --- | --- |
//! | [`mod@file`] | [`Recording`], [`ReadOptions`], the choice of the format by the file's extension; [`ChannelReader`](file::ChannelReader) and [`ChannelWriter`](file::ChannelWriter), which work piece by piece; [`Lost`](file::Lost), what a format does not hold | always |
//! | [`file::chan`] | columns of numbers: a line a sample, a column a channel | always |
//! | [`file::clip`] | clips: names, samples, start and rate as text | always |
//! | [`file::aiff`] | sound files (`.aiff`): one channel a track | always |
//! | `file::csv` | text tables: a header row of names, then one row a sample | `csv` (default) |
//! | `file::wav` | sound files (`.wav`): one channel a track | `wav` (default) |
//! | `file::parquet` | columns of Parquet: one channel a column, with the rate beside them | `parquet` (default) |
//! | `file::picture` | pictures (`.png`, `.jpg`, `.exr`): [`Picture`] | `images` (default) |
//! | `file::sequence` | pictures one after the other: a folder, or numbers in names | `images` (default) |
//! | `file::recording` | what went through segments, frame by frame with its times, in one file (`.mcap`) | `recording` |
//! | `op` | operators that read files, for networks of `tdshm-ops`, and what operators put out in files | `ops` |
//! | `lines` | frames as CSV rows or JSON lines, one after the other as they come | `lines` (default) |
//! | `osc` | channels as Open Sound Control over UDP, both ways | `osc` |
//! | [`mod@error`] | every error type of the crate | always |
//!
//! Files are strangers. A reader never panics on their bytes, and what it allocates is bounded by what the file
//! really holds, not by what its header announces.
//!
//! ```no_run
//! use tdshm_io::{ReadOptions, Recording};
//!
//! # fn main() -> Result<(), tdshm_io::FileError> {
//! let recording = Recording::open("mocap.csv", &ReadOptions::new().table_rate(120.0))?;
//! let first_second: Vec<&[f32]> = recording.range(0, 120).collect();
//! assert_eq!(first_second.len(), recording.num_channels());
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod cell;
pub mod error;
pub mod file;
#[cfg(feature = "lines")]
pub mod lines;
#[cfg(feature = "ops")]
pub mod op;
#[cfg(feature = "osc")]
pub mod osc;

#[cfg(feature = "lines")]
pub use error::LineError;
#[cfg(feature = "recording")]
pub use error::McapError;
#[cfg(feature = "images")]
pub use error::PictureError;
#[cfg(feature = "ops")]
pub use error::SaveError;
pub use error::{FileError, RecordingError};
#[cfg(feature = "images")]
pub use file::picture::{Loss, Picture};
pub use file::{ReadOptions, Recording};
