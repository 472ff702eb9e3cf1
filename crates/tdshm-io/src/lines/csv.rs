//! Tables that grow: a header, rows, and another header after an empty line.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;

use crate::cell::{CellProblem, column_number, parse_cell, shown};
use crate::error::{CsvError, LineError};
use crate::file::csv::{foreign_separator, whole_cells};
use crate::lines::{LineFrame, MOST_CHANNELS};

/// Line ends in the names of one header at most, so that a quote that is never closed does not swallow the rows.
pub(super) const MOST_HEADER_LINES: u64 = 1000;

/// The channels, and the rows of a frame that is not complete.
#[derive(Debug)]
pub(super) struct Table {
    rows_per_frame: usize,
    /// `None` before the first header.
    names: Option<Arc<[String]>>,
    /// The line of the header.
    header: u64,
    /// Row after row.
    rows: Vec<f32>,
    num_rows: usize,
    after_blank: bool,
    /// There will be no more rows, or not of these channels.
    cut: Option<LineFrame>,
}

impl Table {
    pub(super) fn new(rows_per_frame: usize) -> Self {
        Self {
            rows_per_frame: rows_per_frame.max(1),
            names: None,
            header: 0,
            rows: Vec::new(),
            num_rows: 0,
            after_blank: false,
            cut: None,
        }
    }

    /// A frame that is complete.
    pub(super) fn ready(&mut self) -> Option<LineFrame> {
        match self.cut.take() {
            None if self.num_rows >= self.rows_per_frame => self.take(),
            cut => cut,
        }
    }

    /// No row comes any more.
    pub(super) fn finish(&mut self) {
        self.cut = self.take();
    }

    fn take(&mut self) -> Option<LineFrame> {
        let names = Arc::clone(self.names.as_ref()?);
        let len_samples = mem::take(&mut self.num_rows);
        let rows = mem::take(&mut self.rows);
        if len_samples == 0 {
            return None;
        }
        let samples = if len_samples == 1 {
            rows
        } else {
            let channel = |index: usize| rows.iter().skip(index).step_by(names.len()).copied();
            (0..names.len()).flat_map(channel).collect()
        };
        Some(LineFrame { names, sample_rate: None, len_samples, samples })
    }

    pub(super) fn blank_line(&mut self) {
        self.after_blank = true;
    }

    /// Whether the next line may be a header.
    pub(super) fn expects_names(&self) -> bool {
        self.names.is_none() || self.after_blank
    }

    /// Takes a header, or a row. The error says whether it is one of a header.
    pub(super) fn names_or_row(
        &mut self,
        line: &[u8],
        number: u64,
        has_end: bool,
    ) -> Result<(), (LineError, bool)> {
        self.after_blank = false;
        let is_value = |cell: &Cell<'_>| !cell.quoted && parse_cell(&cell.text).is_ok();
        if self.names.is_some() && cells(line).any(|cell| is_value(&cell)) {
            return self.row(line, number, has_end).map_err(|error| (error.into(), false));
        }
        if cells(line).all(|cell| is_value(&cell)) {
            let first = cells(line).find(|cell| !cell.text.trim_ascii().is_empty());
            let first = shown(&first.map(|cell| cell.text).unwrap_or_default());
            let error = CsvError::MissingHeader { line: number, columns: cells(line).count(), first };
            return Err((error.into(), true));
        }
        let names = read_names(line, number).map_err(|error| (error, true))?;
        self.cut = self.take();
        self.names = Some(names.into());
        self.header = number;
        Ok(())
    }

    /// Takes a row. Without a line end it may be a part of one.
    pub(super) fn row(&mut self, line: &[u8], number: u64, has_end: bool) -> Result<(), CsvError> {
        let Some(names) = &self.names else { return Ok(()) };
        if !has_end && foreign_separator(names).is_none() {
            let cells: Vec<Cell<'_>> = cells(line).collect();
            // Quotes that hold nothing are as good as a number.
            let texts = cells.iter().map(|cell| if cell.quoted { &b"0"[..] } else { &cell.text });
            if let Some(found) = whole_cells(texts, names.len()) {
                return Err(CsvError::CutRow { line: number, expected: names.len(), found });
            }
        }
        let before = self.rows.len();
        let wrong = |error| match foreign_separator(names) {
            Some(found) => CsvError::Separator { line: self.header, found },
            None => error,
        };
        let mut found = 0_usize;
        for (index, cell) in cells(line).enumerate() {
            found = column_number(index);
            let Some(name) = names.get(index) else { continue };
            match parse_cell(&cell.text) {
                Ok(value) => self.rows.push(value),
                Err(problem) => {
                    let (column, name, text) = (found, name.clone(), shown(&cell.text));
                    let error = match problem {
                        CellProblem::NotANumber => CsvError::NotANumber { line: number, column, name, text },
                        CellProblem::TooLarge => CsvError::TooLarge { line: number, column, name, text },
                    };
                    let error = wrong(error);
                    self.rows.truncate(before);
                    return Err(error);
                }
            }
        }
        if found != names.len() {
            let error = wrong(CsvError::UnevenRow { line: number, expected: names.len(), found });
            self.rows.truncate(before);
            return Err(error);
        }
        self.num_rows = self.num_rows.saturating_add(1);
        Ok(())
    }
}

fn read_names(line: &[u8], number: u64) -> Result<Vec<String>, LineError> {
    let columns = cells(line).count();
    if columns > MOST_CHANNELS {
        return Err(LineError::TooManyChannels { line: number, limit: MOST_CHANNELS });
    }
    let name = |(index, cell): (usize, Cell<'_>)| {
        let column = column_number(index);
        let Ok(name) = std::str::from_utf8(&cell.text) else {
            return Err(CsvError::NameEncoding { line: number, column }.into());
        };
        let name = if cell.quoted { name } else { name.trim() };
        if name.is_empty() && !cell.quoted {
            return Err(CsvError::MissingName { line: number, column, columns }.into());
        }
        if name.contains('\0') {
            return Err(LineError::Field {
                line: number,
                field: format!("the name in column {column}"),
                value: format!("{:?}", shown(name.as_bytes())),
                expected: "a name without NUL",
            });
        }
        Ok(name.to_owned())
    };
    cells(line).enumerate().map(name).collect()
}

/// A cell, without its quotes.
#[derive(Debug)]
struct Cell<'l> {
    text: Cow<'l, [u8]>,
    quoted: bool,
}

/// The cells of a line, at least one.
fn cells(line: &[u8]) -> impl Iterator<Item = Cell<'_>> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let comma = |line: &[u8]| line.iter().position(|byte| *byte == b',').unwrap_or(line.len());
        let Some(mut quoted) = line.strip_prefix(b"\"") else {
            let (cell, behind) = line.split_at_checked(comma(line))?;
            rest = behind.strip_prefix(b",");
            return Some(Cell { text: Cow::Borrowed(cell), quoted: false });
        };
        let mut text = Vec::new();
        let mut open = true;
        while open {
            let end = quoted.iter().position(|byte| *byte == b'"').unwrap_or(quoted.len());
            let (part, behind) = quoted.split_at_checked(end)?;
            text.extend_from_slice(part);
            match behind.strip_prefix(b"\"\"") {
                Some(behind) => {
                    text.push(b'"');
                    quoted = behind;
                }
                None => {
                    open = false;
                    quoted = behind.strip_prefix(b"\"").unwrap_or(behind);
                }
            }
        }
        let (more, behind) = quoted.split_at_checked(comma(quoted))?;
        text.extend_from_slice(more);
        rest = behind.strip_prefix(b",");
        Some(Cell { text: Cow::Owned(text), quoted: true })
    })
}

/// Where a line stands among quotes, byte by byte, as [`cells`] sees them.
#[derive(Debug, Default)]
pub(super) struct Quotes {
    at: Place,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Begin,
    Plain,
    Quoted,
    /// Behind a quote that closes the cell, or is the first of two.
    Closed,
}

impl Quotes {
    pub(super) fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.at = match (self.at, byte) {
                (Place::Begin | Place::Closed, b'"') => Place::Quoted,
                (Place::Quoted, b'"') => Place::Closed,
                (Place::Quoted, _) => Place::Quoted,
                (_, b',') => Place::Begin,
                _ => Place::Plain,
            };
        }
    }

    pub(super) fn are_open(&self) -> bool {
        self.at == Place::Quoted
    }
}
