//! Frames from a pipe: CSV rows or JSON lines, each handed on as it comes.
//!
//! [`FrameLines`] reads what `tdshm watch` writes, bit for bit, and what people and scripts write by hand.
//!
//! # CSV
//!
//! ```text
//! tx,ty,"rotation, degrees"
//! 0.0,1.5,90
//! 0.1,,nan
//!
//! tx
//! 0.2
//! ```
//!
//! The first line names the channels; each line behind it is a sample of all of them, and a frame unless
//! [`rows_per_frame`](FrameLines::rows_per_frame) says otherwise. After an empty line a line without a plain number
//! names the channels anew. UTF-8, lines end in LF or CR LF; names may be in double quotes, and then hold commas, line
//! ends (up to 1000 in one header) and blanks at their ends, be a number, or be empty. An empty cell is NaN. Lines
//! bring no sample rate, and a frame without channels or samples leaves no trace.
//!
//! # JSON lines
//!
//! ```text
//! {"sample_rate":60.0,"channels":[{"name":"tx","samples":[0.0,null],"plus_inf":[1]},{"name":"ty","samples":[1.5,2.5]}]}
//! {"tx":0.1,"ty":[1.25]}
//! ```
//!
//! Each line is an object and a frame. One with the member `channels` is what `tdshm watch` writes: `null` is NaN,
//! unless `plus_inf` or `minus_inf` of the channel lists its place, counted from 0; other members do not count. In any
//! other object each member is a channel: a number, `null` for NaN, or a list of those.
//!
//! # What is wrong
//!
//! A last row without a line end that ends in the middle of a row is wrong, too: what wrote it was stopped.
//!
//! A line that is wrong is an error with its number, and the reader goes on behind it; only a CSV header that is wrong,
//! and a reader that fails, end it. Lines are strangers: one of more than 64 MiB is skipped, one of more than a million
//! channels is an error, and what is allocated is bounded by the line that is there.

use std::io::BufRead;
use std::sync::Arc;

use crate::error::{CsvError, LineError};
use crate::lines::csv::Table;
use crate::lines::input::{Got, Input};

mod csv;
mod input;
mod json;

/// Bytes of one line, its end not counted, that are read at most.
const MOST_LINE_BYTES: usize = 64 << 20;
/// Channels of a line at most: as many as receivers take.
const MOST_CHANNELS: usize = 1 << 20;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LineFormat {
    /// A header line of channel names, then a line a sample.
    Csv,
    /// An object a frame, on one line each.
    Json,
}

/// One frame: samples of every channel, all of channel 0, then all of channel 1, and so on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LineFrame {
    /// The name of each channel, in order; the very same list until the names change. Names may repeat.
    pub names: Arc<[String]>,
    /// Samples per second, in Hz, finite and above 0; `None` where the line does not say.
    pub sample_rate: Option<f32>,
    /// Samples in each channel; 0 is a valid, empty frame.
    pub len_samples: usize,
    /// `names.len()` × `len_samples` samples, which may be NaN or infinite.
    pub samples: Vec<f32>,
}

/// Reads frames, line by line. See the [module](self) for what is understood.
///
/// ```
/// use tdshm_io::lines::FrameLines;
///
/// # fn main() -> Result<(), tdshm_io::LineError> {
/// let mut lines = FrameLines::new("tx,ty\n0.5,1\nx,2\n0.75,3\n".as_bytes());
/// let frame = lines.next_frame()?.expect("a first frame");
/// assert_eq!((&*frame.names, &*frame.samples), (&["tx".to_owned(), "ty".to_owned()][..], &[0.5, 1.0][..]));
/// assert!(lines.next_frame().is_err() && lines.goes_on());
/// assert_eq!(lines.next_frame()?.expect("a second frame").samples, [0.75, 3.0]);
/// assert_eq!(lines.next_frame()?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FrameLines<R> {
    input: Input<R>,
    format: Option<LineFormat>,
    table: Table,
    /// The names of the last JSON line.
    names: Arc<[String]>,
    ended: bool,
}

impl<R: BufRead> FrameLines<R> {
    /// Reads frames from `reader`, in the format that the first line shows: JSON where it begins with a brace or a
    /// bracket, CSV elsewhere.
    pub fn new(reader: R) -> Self {
        Self {
            input: Input::new(reader, MOST_LINE_BYTES),
            format: None,
            table: Table::new(1),
            names: Arc::default(),
            ended: false,
        }
    }

    /// Reads that format, whatever the first line looks like.
    #[must_use]
    pub fn format(mut self, format: LineFormat) -> Self {
        self.format = Some(format);
        self
    }

    /// Makes a frame of so many CSV rows, at least 1: each channel then has as many samples. What is left when the
    /// channels change, or at the end, is a shorter frame. JSON lines tell their frames apart themselves.
    #[must_use]
    pub fn rows_per_frame(mut self, rows: usize) -> Self {
        self.table = Table::new(rows);
        self
    }

    /// The format, once the first line has shown it or somebody has said it.
    #[must_use]
    pub fn known_format(&self) -> Option<LineFormat> {
        self.format
    }

    /// Whether there may be more: after an error, whether that concerned one line alone.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        !self.ended
    }

    /// The next frame, or `None` at the end. Returns as soon as the line is there that completes it.
    ///
    /// # Errors
    ///
    /// [`LineError`] with the number of the line: that line is left out. Ask again where [`goes_on`](Self::goes_on)
    /// says so; else the next call gives `None`.
    pub fn next_frame(&mut self) -> Result<Option<LineFrame>, LineError> {
        loop {
            if let Some(frame) = self.table.ready() {
                return Ok(Some(frame));
            }
            if self.ended {
                return Ok(None);
            }
            let got = self.input.next_line().map_err(|error| self.end(LineError::Io(error)))?;
            match got {
                Got::Line => {}
                Got::TooLong => return Err(self.too_long()),
                Got::End => {
                    self.ended = true;
                    self.table.finish();
                    continue;
                }
            }
            if self.input.number() == 1 {
                self.input.skip_mark();
                if matches!(self.input.line(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
                    return Err(self.end(CsvError::Encoding { found: "UTF-16" }.into()));
                }
            }
            if self.input.line().trim_ascii().is_empty() {
                self.table.blank_line();
                continue;
            }
            match self.recognise() {
                LineFormat::Csv => self.csv_line()?,
                LineFormat::Json => {
                    let (line, number) = (self.input.line(), self.input.number());
                    return json::frame(line, number, &mut self.names).map(Some);
                }
            }
        }
    }

    fn recognise(&mut self) -> LineFormat {
        let json = matches!(self.input.line().trim_ascii_start(), [b'{' | b'[', ..]);
        *self.format.get_or_insert(if json { LineFormat::Json } else { LineFormat::Csv })
    }

    fn csv_line(&mut self) -> Result<(), LineError> {
        if !self.table.expects_names() {
            let result = self.table.row(self.input.line(), self.input.number(), self.input.has_end());
            return result.map_err(|error| match error {
                // What the first row shows is that the header was wrong.
                CsvError::Separator { .. } => self.end(error.into()),
                error => error.into(),
            });
        }
        let number = self.input.number();
        let mut quotes = csv::Quotes::default();
        let mut seen = 0;
        loop {
            quotes.read(self.input.line().get(seen..).unwrap_or_default());
            if !quotes.are_open() {
                break;
            }
            seen = self.input.line().len();
            let more = self.input.number().saturating_sub(number) < csv::MOST_HEADER_LINES;
            let got = match more {
                true => self.input.continue_line().map_err(|error| self.end(LineError::Io(error)))?,
                false => Got::End,
            };
            match got {
                Got::Line => quotes.read(b"\n"),
                Got::TooLong => return Err(self.too_long()),
                Got::End => return Err(self.end(LineError::OpenQuote { line: number })),
            }
            // The line end is in the line, and has been read.
            seen = seen.saturating_add(1);
        }
        let result = self.table.names_or_row(self.input.line(), number, self.input.has_end());
        result.map_err(|(error, header)| if header { self.end(error) } else { error })
    }

    fn too_long(&mut self) -> LineError {
        let error = LineError::TooLong { line: self.input.number(), limit: MOST_LINE_BYTES };
        // Without a header no row can be understood.
        let header = self.format != Some(LineFormat::Json) && self.table.expects_names();
        if header { self.end(error) } else { error }
    }

    fn end(&mut self, error: LineError) -> LineError {
        self.ended = true;
        self.table.finish();
        error
    }
}

#[cfg(test)]
mod tests;
