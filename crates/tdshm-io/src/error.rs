//! Every error type of the crate, by stage: the values ([`RecordingError`]), one format (`CsvError`, `WavError`,
//! `PictureError`), the file by its path ([`FileError`]).
//!
//! Each message is one sentence: what is wrong, the value, the limit, then what to do.

mod file;
#[cfg(feature = "parquet")]
mod parquet;
mod sound;

use std::io;

#[cfg(feature = "parquet")]
pub use self::parquet::ParquetError;
pub use file::FileError;
#[cfg(feature = "ops")]
pub use file::SaveError;
#[cfg(feature = "recording")]
pub(crate) use file::to_write;
pub use sound::AiffError;
#[cfg(feature = "wav")]
pub use sound::WavError;

#[cfg(feature = "recording")]
pub use crate::file::recording::McapError;

/// Channels that do not make a recording.
///
/// None of these goes away by trying again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// There is not one channel.
    #[error("the recording has no channels, at least 1 is needed: check that the right file was exported")]
    NoChannels,
    /// There are channels, but no samples in them.
    #[error(
        "the recording has no samples, at least 1 in each channel is needed: check that the export was not empty"
    )]
    NoSamples,
    /// Not as many names as channels.
    #[error("{names} names for {channels} channels: give one name for each channel")]
    NameCount {
        /// Names that were given.
        names: usize,
        /// Channels that were given.
        channels: usize,
    },
    /// A channel is longer or shorter than the first one.
    #[error(
        "channel {index} has {found} samples, but channel 0 has {expected}: give all channels the same length"
    )]
    ChannelLength {
        /// Index of the channel, from 0.
        index: usize,
        /// Samples in channel 0.
        expected: usize,
        /// Samples in this channel.
        found: usize,
    },
    /// The rate is not finite, or not above zero.
    #[error(
        "the sample rate is {value} Hz, but it must be finite and above 0: give the rate in samples per second"
    )]
    SampleRate {
        /// The rate that was given, in Hz.
        value: f32,
    },
}

/// A text table that is not a recording. Lines and columns count from 1, as editors and spreadsheets do.
///
/// None of these goes away by trying again, [`CsvError::Io`] perhaps excepted.
#[cfg(feature = "csv")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CsvError {
    /// The bytes could not be read.
    #[error("reading the table failed: {0}")]
    Io(#[from] io::Error),
    /// The file is text in another encoding than UTF-8.
    #[error("the table is {found} text, but only UTF-8 is read: save it again as CSV UTF-8")]
    Encoding {
        /// The encoding that the first bytes announce.
        found: &'static str,
    },
    /// A channel name is not UTF-8.
    #[error("line {line}, column {column}: the channel name is not UTF-8: save the table again as CSV UTF-8")]
    NameEncoding {
        /// Line of the header.
        line: u64,
        /// Column of the name.
        column: usize,
    },
    /// The first row has numbers where the names should be.
    #[error(
        "line {line}: the first row holds only numbers ({first:?}, ...), but it must name the {columns} channels: \
         put a row of names above it"
    )]
    MissingHeader {
        /// Line of the first row.
        line: u64,
        /// Cells in that row.
        columns: usize,
        /// The first cell that is not empty.
        first: String,
    },
    /// A column has no name.
    #[error("line {line}: column {column} of {columns} has no name: name the channel, or remove the column")]
    MissingName {
        /// Line of the header.
        line: u64,
        /// Column without a name.
        column: usize,
        /// Columns in the header.
        columns: usize,
    },
    /// The cells are separated by something else than commas.
    #[error(
        "line {line}: the cells seem to be separated by {found:?}, but only commas are read: save the table again \
         with commas between the cells and a point in the numbers"
    )]
    Separator {
        /// Line of the header.
        line: u64,
        /// The separator that the header seems to use.
        found: char,
    },
    /// A row has more or fewer cells than the header.
    #[error(
        "line {line}: expected {expected} cells, one for each channel, but found {found}: correct that row"
    )]
    UnevenRow {
        /// Line of the row.
        line: u64,
        /// Cells in the header.
        expected: usize,
        /// Cells in this row.
        found: usize,
    },
    /// The last row ends in the middle, and has no line end: its writer was stopped.
    #[error("line {line} was cut short (whole cells: {found} of {expected}, and no line end)")]
    CutRow {
        /// Line of the row.
        line: u64,
        /// Cells in the header.
        expected: usize,
        /// Cells in this row that are there.
        found: usize,
    },
    /// A cell is not a number.
    #[error(
        "line {line}, column {column} (channel {name:?}): {text:?} is not a number: write a number such as 0.5, or \
         leave the cell empty for no value"
    )]
    NotANumber {
        /// Line of the row.
        line: u64,
        /// Column of the cell.
        column: usize,
        /// Name of the channel in that column.
        name: String,
        /// The text of the cell, cut short when it is long.
        text: String,
    },
    /// A cell holds a finite number that a 32-bit float cannot hold.
    #[error(
        "line {line}, column {column} (channel {name:?}): {text:?} is beyond the 32-bit limit of {limit:e}: scale \
         the channel down, or write inf",
        limit = f32::MAX
    )]
    TooLarge {
        /// Line of the row.
        line: u64,
        /// Column of the cell.
        column: usize,
        /// Name of the channel in that column.
        name: String,
        /// The text of the cell, cut short when it is long.
        text: String,
    },
    /// The table was read, but what it holds is no recording: no names, no samples, or a bad rate.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}

/// Columns of numbers that are not a recording. Lines and columns count from 1.
///
/// None of these goes away by trying again, [`ChanError::Io`] perhaps excepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChanError {
    /// The bytes could not be read.
    #[error("reading the numbers failed: {0}")]
    Io(#[from] io::Error),
    /// A line has more or fewer numbers than the first one.
    #[error(
        "line {line}: expected {expected} numbers, as many as in the first line, but found {found}: correct that line"
    )]
    UnevenRow {
        /// The line.
        line: u64,
        /// Numbers in the first line.
        expected: usize,
        /// Numbers in this one.
        found: usize,
    },
    /// Something is not a number.
    #[error("line {line}, column {column}: {text:?} is not a number: write a number such as 0.5")]
    NotANumber {
        /// The line.
        line: u64,
        /// The column.
        column: usize,
        /// What stands there, cut short when it is long.
        text: String,
    },
    /// A finite number that a 32-bit float cannot hold.
    #[error(
        "line {line}, column {column}: {text:?} is beyond the 32-bit limit of {limit:e}: scale the channel down, or write inf",
        limit = f32::MAX
    )]
    TooLarge {
        /// The line.
        line: u64,
        /// The column.
        column: usize,
        /// What stands there, cut short when it is long.
        text: String,
    },
    /// The numbers were read, but they are no recording: there are none, or the rate is bad.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}

/// A clip that is not a recording. Lines count from 1.
///
/// None of these goes away by trying again, [`ClipFileError::Io`] perhaps excepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClipFileError {
    /// The bytes could not be read.
    #[error("reading the clip failed: {0}")]
    Io(#[from] io::Error),
    /// It is TouchDesigner's binary form.
    #[error(
        "the file is a binary clip, whose layout is described nowhere in public: save it as .clip, which is text"
    )]
    Binary,
    /// It does not begin as a clip does.
    #[error("line {line}: {found:?} is no beginning of a clip, which is {{: check that it is a .clip file")]
    NotAClip {
        /// The line.
        line: u64,
        /// What stands there, cut short when it is long.
        found: String,
    },
    /// A line says something that cannot be.
    #[error("line {line}: the {what} {text:?} is not {expected}: correct that line")]
    Entry {
        /// The line.
        line: u64,
        /// What the line is about.
        what: &'static str,
        /// The line, cut short when it is long.
        text: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A brace is never closed, or there is nothing at all.
    #[error("the clip has no end: save it again")]
    Truncated,
    /// More samples than anybody plays.
    #[error("the channels have more than {limit} samples together: cut the clip into shorter ones")]
    TooLong {
        /// The most that are read.
        limit: usize,
    },
    /// The clip was read, but what it holds is no recording: no samples, unequal lengths, or a bad rate.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}

/// A line that is no frame. Lines and columns count from 1, places in lists from 0.
#[cfg(feature = "lines")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The bytes could not be read.
    #[error("reading the lines failed: {0}")]
    Io(io::Error),
    /// A line of a table is wrong.
    #[error(transparent)]
    Csv(#[from] CsvError),
    /// A quote in the line of names is never closed.
    #[error(
        "line {line}: a name begins with a quote that is never closed: close it, or double it in the name"
    )]
    OpenQuote {
        /// Line of the header.
        line: u64,
    },
    /// A line is longer than any frame.
    #[error("line {line} is longer than {} MiB: end each line with LF, and write shorter frames", limit >> 20)]
    TooLong {
        /// The line.
        line: u64,
        /// Bytes that a line may have.
        limit: usize,
    },
    /// A line has more channels than receivers take.
    #[error(
        "line {line}: more than {limit} channels: send fewer of them, or several frames under other names"
    )]
    TooManyChannels {
        /// The line.
        line: u64,
        /// Channels that a line may have.
        limit: usize,
    },
    /// A line is no JSON object.
    #[error(
        "line {line}, column {column}: not a JSON object ({reason}): write each frame as one object on one line, and \
         null for what is no number"
    )]
    NotJson {
        /// The line.
        line: u64,
        /// Byte of the line where that shows.
        column: usize,
        /// What the parser says.
        reason: String,
    },
    /// A part of a line holds something else than it should.
    #[error("line {line}: {field} is {value}, but it should be {expected}")]
    Field {
        /// The line.
        line: u64,
        /// The part.
        field: String,
        /// What it holds, cut short when it is long.
        value: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A channel is longer or shorter than the first one of its line.
    #[error(
        "line {line}: {field} has {found} samples, but the channels before it have {expected}: make them equal"
    )]
    ChannelLength {
        /// The line.
        line: u64,
        /// The channel.
        field: String,
        /// Samples of the first channel.
        expected: usize,
        /// Samples of this one.
        found: usize,
    },
}

/// A picture that cannot be used, or does not fit its file.
///
/// None of these goes away by trying again, [`PictureError::Io`] perhaps excepted.
#[cfg(feature = "images")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The bytes could not be read.
    #[error("reading the picture failed: {0}")]
    Io(#[from] io::Error),
    /// It begins like none of the formats that are read.
    #[error("the file is no PNG, JPEG or EXR picture: save it as one of these")]
    NoPicture,
    /// It begins like one, and then it cannot be read.
    #[error("the picture is broken, or of a kind that is not read: {reason}: save it again")]
    Broken {
        /// What is wrong, in the words of the reader.
        reason: String,
    },
    /// It is larger than an image block may be.
    #[error(
        "the picture is too large: at most {side} pixels a side and {bytes} bytes are read: make it smaller"
    )]
    TooLarge {
        /// Pixels in a row, and rows, that a picture may have.
        side: u32,
        /// Bytes that its pixels may have.
        bytes: u64,
    },
    /// There is no picture in the folder.
    #[error("the folder holds no picture: put files into it that end in {known}")]
    NoPictures {
        /// The extensions of pictures, for people to read.
        known: String,
    },
    /// Nobody knows what the pixels are.
    #[error("the pixel format is {texels}, which is unknown here: use one of the 25 of TouchDesigner")]
    UnknownFormat {
        /// What was asked for, or what the block says.
        texels: tdshm::Texels,
    },
    /// The bytes are not as many as the pixels have.
    #[error("{given} bytes were given for pixels of {needed}: give all of them, without gaps")]
    Size {
        /// Bytes that there are.
        given: usize,
        /// Bytes that there should be.
        needed: usize,
    },
    /// The file would hold less than the picture has.
    #[error(
        "{texels} does not fit a {file} file, which holds {holds}: write an .exr file, which holds everything"
    )]
    DoesNotFit {
        /// What the pixels are.
        texels: tdshm::Texels,
        /// The kind of file.
        file: &'static str,
        /// What such a file holds.
        holds: &'static str,
    },
}
