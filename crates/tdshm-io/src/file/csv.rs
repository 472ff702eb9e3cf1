//! Text tables: the first row names the channels, each row behind it is one sample of all of them.
//!
//! ```text
//! tx,ty,"rotation, degrees"
//! 0.0,1.5,90
//! 0.1,1.4,
//! ```
//!
//! What is understood:
//!
//! - UTF-8, with or without a byte order mark; lines that end in LF, CR LF or CR; names in double quotes (with
//!   commas, line ends and doubled quotes inside). Blanks round names and numbers do not count.
//! - Numbers as most programs write them: `1`, `-0.5`, `+1e-3`, `.5`, and `inf`, `-inf`, `nan` in any case. An empty
//!   cell is NaN. A finite number beyond the range of `f32` is an error, not an infinity.
//! - Empty lines and lines of blanks are skipped. In a table of one channel a missing value is therefore
//!   written `nan` or `""`, as pandas does.
//! - Names may repeat, but every column has one.
//! - A last row without a line end that has fewer cells than the others, or ends in an empty cell or the beginning of a
//!   number, was cut short when its writer was stopped. It is left out, and that is told.
//!
//! A table does not carry a rate: the caller gives it. Written are commas, LF, quotes where they are needed, and the fewest
//! digits that give the same bits again.

use std::io::{self, Read, Write};

use crate::cell::{CellProblem, column_number, is_begun, parse_cell, shown};
use crate::error::CsvError;
use crate::file::flat::Flat;
use crate::file::{Lost, Recording, chan};

/// Reads a table to its end, as a recording of `sample_rate` Hz.
///
/// One channel a column, one sample a row below the header. See the [module](self) for what is understood.
///
/// # Errors
///
/// [`CsvError`] with line and column, counted from 1: names missing or not UTF-8, rows of unequal length, cells that
/// are no numbers; a table without names or samples; a rate that is not finite and above 0; a reader that failed.
///
/// ```
/// # fn main() -> Result<(), tdshm_io::error::CsvError> {
/// let table = "tx,ty\n0.5,1\n0.75,\n";
/// let recording = tdshm_io::file::csv::read(table.as_bytes(), 60.0)?;
/// assert_eq!(recording.names(), ["tx", "ty"]);
/// assert_eq!(recording.channel(0), Some(&[0.5, 0.75][..]));
/// # Ok(())
/// # }
/// ```
#[doc(alias = "File In CHOP")]
pub fn read(mut reader: impl Read, sample_rate: f32) -> Result<Recording, CsvError> {
    // Whole in memory: the samples are kept anyway, and only so can an error name the true line (the parser
    // counts from before the empty lines that it skips).
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    // The parser would skip a byte order mark too, but then lines would be counted from in front of it.
    let table = match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, rest @ ..] => rest,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(CsvError::Encoding { found: "UTF-16" }),
        all => all,
    };

    let mut rows = Rows::new(table);
    let Some(line) = rows.advance()? else { return Ok(Recording::new(Vec::new(), sample_rate, Vec::new())?) };
    let names = read_names(&rows, line)?;
    let mut channels: Vec<Vec<f32>> = vec![Vec::new(); names.len()];

    let mut cut = None;
    while let Some(start) = rows.advance()? {
        if rows.is_last_without_end()
            && channels.first().is_some_and(|channel| !channel.is_empty())
            && let Some(found) = whole_cells(rows.row.iter(), names.len())
        {
            cut = Some(CsvError::CutRow { line: rows.line_of(start), expected: names.len(), found });
            break;
        }
        if rows.row.len() != names.len() {
            return Err(match foreign_separator(&names) {
                Some(found) => CsvError::Separator { line: rows.line_of(line), found },
                None => CsvError::UnevenRow {
                    line: rows.line_of(start),
                    expected: names.len(),
                    found: rows.row.len(),
                },
            });
        }
        for ((index, cell), channel) in rows.row.iter().enumerate().zip(&mut channels) {
            let value = parse_cell(cell).map_err(|problem| {
                if let Some(found) = foreign_separator(&names) {
                    return CsvError::Separator { line: rows.line_of(line), found };
                }
                let (line, column) = (rows.line_of(start), column_number(index));
                let name = names.get(index).cloned().unwrap_or_default();
                match problem {
                    CellProblem::NotANumber => CsvError::NotANumber { line, column, name, text: shown(cell) },
                    CellProblem::TooLarge => CsvError::TooLarge { line, column, name, text: shown(cell) },
                }
            })?;
            channel.push(value);
        }
    }
    let lost = cut.map(|cut| Lost::LeftOut { what: format!("{cut}: it is left out") });
    Ok(Recording::new(names, sample_rate, channels)?.with_assumed_rate().with_lost(lost))
}

/// How many cells of a row are whole that has no line end, where that is not all of `expected`. A cell behind the last
/// comma may be one that had not been written.
pub(crate) fn whole_cells<'c>(row: impl Iterator<Item = &'c [u8]>, expected: usize) -> Option<usize> {
    let (mut found, mut last) = (0_usize, &b""[..]);
    for cell in row {
        (found, last) = (found.saturating_add(1), cell);
    }
    let is_begun = is_begun(last) || found > 1 && last.trim_ascii().is_empty();
    match found {
        found if found > expected => None,
        found if is_begun => found.checked_sub(1),
        found => (found < expected).then_some(found),
    }
}

/// The rows of a table that are not blank, with the byte where each was looked for.
struct Rows<'t> {
    table: &'t [u8],
    parser: ::csv::Reader<&'t [u8]>,
    row: ::csv::ByteRecord,
}

impl<'t> Rows<'t> {
    fn new(table: &'t [u8]) -> Self {
        let parser = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(table);
        Self { table, parser, row: ::csv::ByteRecord::new() }
    }

    /// Goes to the next row; gives where it starts (or empty lines before it), `None` at the end.
    fn advance(&mut self) -> Result<Option<u64>, CsvError> {
        loop {
            let start = self.parser.position().byte();
            if !self.parser.read_byte_record(&mut self.row).map_err(io::Error::from)? {
                return Ok(None);
            }
            // The parser skips empty lines, so a single cell without text was quoted, which is a value: NaN.
            let blank = self.row.len() == 1
                && self.row.get(0).is_some_and(|cell| !cell.is_empty() && cell.trim_ascii().is_empty());
            if !blank {
                return Ok(Some(start));
            }
        }
    }

    /// Whether the table ends with this row, and without a line end.
    fn is_last_without_end(&self) -> bool {
        let read = usize::try_from(self.parser.position().byte()).unwrap_or(usize::MAX);
        read >= self.table.len() && !matches!(self.table.last(), Some(b'\r' | b'\n'))
    }

    /// The line, from 1, of the row that begins at `start` or after the line ends there.
    fn line_of(&self, start: u64) -> u64 {
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(self.table.len());
        let (before, after) = self.table.split_at(start);
        let line_ends = after.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let skipped = after.get(..line_ends).unwrap_or_default();
        let mut line: u64 = 1;
        let mut last = 0;
        for &byte in before.iter().chain(skipped) {
            // CR LF is one line end.
            if byte == b'\r' || (byte == b'\n' && last != b'\r') {
                line = line.saturating_add(1);
            }
            last = byte;
        }
        line
    }
}

fn read_names(rows: &Rows<'_>, start: u64) -> Result<Vec<String>, CsvError> {
    let columns = rows.row.len();
    if let Some(first) = rows.row.iter().find(|cell| !cell.trim_ascii().is_empty())
        && rows.row.iter().all(|cell| parse_cell(cell).is_ok())
    {
        return Err(CsvError::MissingHeader { line: rows.line_of(start), columns, first: shown(first) });
    }
    rows.row
        .iter()
        .enumerate()
        .map(|(index, cell)| {
            let column = column_number(index);
            let name = std::str::from_utf8(cell)
                .map_err(|_| CsvError::NameEncoding { line: rows.line_of(start), column })?
                .trim();
            if name.is_empty() {
                return Err(CsvError::MissingName { line: rows.line_of(start), column, columns });
            }
            Ok(name.to_owned())
        })
        .collect()
}

/// A separator other than the comma, when the header is one name that holds it.
pub(crate) fn foreign_separator(names: &[String]) -> Option<char> {
    let [name] = names else { return None };
    name.chars().find(|c| matches!(c, ';' | '\t'))
}

/// How the names are written, and what that loses.
pub(super) fn names(names: &[String]) -> (Vec<String>, Vec<Lost>) {
    let written = names.iter().enumerate().map(|(index, name)| match name.trim() {
        "" => format!("chan{}", column_number(index)),
        _ => name.clone(),
    });
    let written: Vec<String> = written.collect();
    let mut lost = Vec::new();
    lost.extend(Lost::renamed(".csv", names, &written, "a column has to have a name"));
    if written.iter().all(|name| parse_cell(name.as_bytes()).is_ok()) {
        lost.push(Lost::NamesAreNumbers { file: ".csv" });
    }
    (written, lost)
}

/// Writes the row of names.
pub(super) fn write_names(to: &mut impl Write, names: &[String]) -> io::Result<()> {
    for (index, name) in names.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        if name.is_empty() || name.contains([',', '"', '\n', '\r']) || name.trim() != name {
            write!(to, "{comma}\"{}\"", name.replace('"', "\"\""))?;
        } else {
            write!(to, "{comma}{name}")?;
        }
    }
    to.write_all(b"\n")
}

/// Writes samples behind those that were written: a row each.
pub(super) fn write(to: &mut impl Write, samples: Flat<'_>) -> io::Result<()> {
    chan::rows(to, samples, ",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RecordingError;

    fn ok(table: impl AsRef<[u8]>) -> Recording {
        read(table.as_ref(), 60.0).unwrap()
    }

    fn err(table: impl AsRef<[u8]>) -> CsvError {
        read(table.as_ref(), 60.0).unwrap_err()
    }

    fn channels(recording: &Recording) -> Vec<Vec<f32>> {
        recording.range(0, usize::MAX).map(<[f32]>::to_vec).collect()
    }

    #[test]
    fn a_plain_table() {
        let r = ok("tx,ty,tx\n0.5,1,-3\n.25,+2e1,4.\n");
        assert_eq!(r.names(), ["tx", "ty", "tx"]);
        assert_eq!(r.sample_rate(), 60.0);
        assert_eq!(channels(&r), [[0.5, 0.25], [1.0, 20.0], [-3.0, 4.0]]);
    }

    #[test]
    fn every_line_end_a_mark_in_front_and_no_end_at_all() {
        for table in [
            "\u{feff}a,b\n1,2\n3,4\n",
            "\u{feff}\"a\",b\r\n1,2\r\n3,4\r\n",
            "a,b\r1,2\r3,4\r",
            "a,b\n1,2\n3,4",
            "\n\r\n  \na,b\n\n1,2\n\t \n\n3,4\n\n\n",
            " a , b \n 1 ,\t2\n 3,4 \n",
        ] {
            let r = ok(table);
            assert_eq!(r.names(), ["a", "b"], "{table:?}");
            assert_eq!(channels(&r), [[1.0, 3.0], [2.0, 4.0]], "{table:?}");
        }
    }

    #[test]
    fn quoted_names() {
        let r = ok("\"a, b\",\"say \"\"hi\"\"\",\"two\nlines\",größe\n\"1\",2,3,4\n");
        assert_eq!(r.names(), ["a, b", "say \"hi\"", "two\nlines", "größe"]);
        assert_eq!(channels(&r), [[1.0], [2.0], [3.0], [4.0]]);
    }

    #[test]
    fn no_value_and_infinities() {
        let r = ok("a,b,c,d\n,nan,inf,-Infinity\n  ,NaN,INF,-inf\n");
        for index in [0, 1] {
            assert!(r.channel(index).unwrap().iter().all(|v| v.is_nan()));
        }
        assert_eq!(r.channel(2), Some(&[f32::INFINITY; 2][..]));
        assert_eq!(r.channel(3), Some(&[f32::NEG_INFINITY; 2][..]));
    }

    #[test]
    fn one_channel_takes_quoted_nothing_as_no_value() {
        let r = ok("a\n1\n\"\"\n\n3\n");
        let samples = r.channel(0).unwrap();
        assert_eq!(samples.len(), 3);
        assert!(samples[1].is_nan());
    }

    #[test]
    fn an_uneven_row_says_where_and_how_many() {
        assert_eq!(
            err("a,b\n1,2\n\n1,2,3\n").to_string(),
            "line 4: expected 2 cells, one for each channel, but found 3: correct that row"
        );
        assert!(matches!(err("a,b\r\n\r\n1\r\n"), CsvError::UnevenRow { line: 3, expected: 2, found: 1 }));
        assert!(matches!(err("a,b\r\r1\r"), CsvError::UnevenRow { line: 3, expected: 2, found: 1 }));
    }

    #[test]
    fn a_cell_that_is_no_number_says_where_and_what() {
        assert_eq!(
            err("\"x\ny\",ty\n1,2\n  \n3, four \n").to_string(),
            "line 5, column 2 (channel \"ty\"): \"four\" is not a number: write a number such as 0.5, or leave the \
             cell empty for no value"
        );
        let CsvError::NotANumber { text, .. } = err(format!("a\n{}\n", "z".repeat(1 << 20))) else {
            panic!("another error")
        };
        assert_eq!(text, "z".repeat(40) + "…");
        assert!(matches!(err(b"a,b\n1,\xff\n"), CsvError::NotANumber { line: 2, column: 2, .. }));
    }

    #[test]
    fn a_number_too_large_for_the_wire() {
        assert_eq!(
            err("a\n-1e39\n").to_string(),
            "line 2, column 1 (channel \"a\"): \"-1e39\" is beyond the 32-bit limit of 3.4028235e38: scale the \
             channel down, or write inf"
        );
    }

    #[test]
    fn a_missing_header_is_told_what_to_do() {
        assert_eq!(
            err("\n0.5,1,\n2,3,4\n").to_string(),
            "line 2: the first row holds only numbers (\"0.5\", ...), but it must name the 3 channels: put a row of \
             names above it"
        );
        let marked = err("\u{feff}\n1,2\n");
        assert!(matches!(marked, CsvError::MissingHeader { line: 2, .. }), "{marked:?}");
    }

    #[test]
    fn a_column_without_a_name() {
        assert_eq!(
            err(",a\n0,1\n").to_string(),
            "line 1: column 1 of 2 has no name: name the channel, or remove the column"
        );
    }

    #[test]
    fn spreadsheets_with_other_separators() {
        assert_eq!(
            err("a;b\n1,5;2,5\n").to_string(),
            "line 1: the cells seem to be separated by ';', but only commas are read: save the table again with \
             commas between the cells and a point in the numbers"
        );
        assert!(matches!(err("a\tb\n1\t2\n"), CsvError::Separator { found: '\t', .. }));
        assert_eq!(ok("a;b\n1\n").names(), ["a;b"], "a name may hold one");
    }

    #[test]
    fn a_row_that_was_being_written_is_left_out() {
        let rows = "a,b\n1,2\n3,-4e5\n";
        for cut in 0..rows.len() {
            let Ok(r) = read(rows.as_bytes().get(..cut).unwrap(), 60.0) else {
                assert!(cut < 7, "{cut}");
                continue;
            };
            let whole = ["3,-4", "3,-4e5"].iter().any(|end| rows.get(..cut).unwrap().ends_with(end));
            assert_eq!(
                (r.len_samples(), r.layout().lost().len()),
                match cut {
                    ..9 => (1, 0),
                    _ if whole => (2, 0),
                    _ => (1, 1),
                },
                "{:?}",
                &rows[..cut]
            );
        }
        let r = ok("a,b,c\n1,2,3\n4,\"5\"");
        assert_eq!(
            r.layout().lost().first().unwrap().to_string(),
            "line 3 was cut short (whole cells: 2 of 3, and no line end): it is left out"
        );
        // What nobody has cut.
        assert!(matches!(err("a,b\n1,2\n3,x"), CsvError::NotANumber { line: 3, column: 2, .. }));
        assert!(matches!(err("a,b\n1,2\n3,4,5"), CsvError::UnevenRow { line: 3, .. }));
        assert!(matches!(err("a,b\n1"), CsvError::UnevenRow { line: 2, .. }));
        assert!(matches!(err("a;b\n1;2"), CsvError::Separator { .. }));
    }

    #[test]
    fn other_encodings() {
        assert!(matches!(err(b"\xff\xfea\0,\0b\0"), CsvError::Encoding { found: "UTF-16" }));
        assert!(matches!(err(b"a,gr\xf6\xdfe\n1,2\n"), CsvError::NameEncoding { line: 1, column: 2 }));
    }

    #[test]
    fn nothing_in_it() {
        for table in ["", "\n\n", "\u{feff}", "   \n"] {
            assert!(matches!(err(table), CsvError::Recording(RecordingError::NoChannels)), "{table:?}");
        }
        for table in ["a,b", "a,b\n", "a\n\n  \n"] {
            assert!(matches!(err(table), CsvError::Recording(RecordingError::NoSamples)), "{table:?}");
        }
        let error = read(&b"a\n1\n"[..], 0.0).unwrap_err();
        assert!(matches!(error, CsvError::Recording(RecordingError::SampleRate { .. })));
    }
}
