//! Columns of numbers (`.chan`): a line a sample, a column a channel, with blanks or tabs between; no names and no rate.
//!
//! Channels are called `chan1`, `chan2`, … by their column, and start at sample 0. A last line without an end that has fewer
//! numbers than the others, or the beginning of one, was cut short: it is left out, and that is told. Written are tabs, and
//! the fewest digits that give the same bits again.

use std::io::{self, Read, Write};

use crate::cell::{CellProblem, Sample, column_number, is_begun, parse_cell, shown};
use crate::error::ChanError;
use crate::file::flat::Flat;
use crate::file::{Lost, Recording};

/// Reads a `.chan` file to its end, as a recording of `sample_rate` Hz.
///
/// # Errors
///
/// [`ChanError`]: a line of more or fewer numbers than the first, something that is no number, no samples, or a reader that
/// failed.
///
/// # Source
///
/// operators §12: documented, but for what separates columns when reading, which is inferred.
///
/// ```
/// let recording = tdshm_io::file::chan::read("0 0.5\n1\t-2\n".as_bytes(), 60.0)?;
/// assert_eq!(recording.names(), ["chan1", "chan2"]);
/// assert_eq!(recording.channel(1), Some(&[0.5, -2.0][..]));
/// # Ok::<(), tdshm_io::error::ChanError>(())
/// ```
pub fn read(mut reader: impl Read, sample_rate: f32) -> Result<Recording, ChanError> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    let mut channels: Vec<Vec<f32>> = Vec::new();
    let mut lost = None;
    let lines = bytes.split(|byte| *byte == b'\n').count();
    for (line, text) in (1_u64..).zip(bytes.split(|byte| *byte == b'\n')) {
        let cells = || text.split(|byte| byte.is_ascii_whitespace()).filter(|cell| !cell.is_empty());
        let found = cells().count();
        if found == 0 {
            continue;
        }
        if channels.is_empty() {
            channels.resize_with(found, Vec::new);
        }
        // Behind the last line end: nothing, or what was being written.
        let is_last = usize::try_from(line).is_ok_and(|line| line == lines);
        let has_rows = channels.first().is_some_and(|channel| !channel.is_empty());
        let is_cut =
            found < channels.len() || found == channels.len() && cells().next_back().is_some_and(is_begun);
        if is_last && has_rows && is_cut {
            let what = format!(
                "line {line} was cut short (it ends in the middle, without a line end): it is left out"
            );
            lost = Some(Lost::LeftOut { what });
            break;
        }
        if found != channels.len() {
            return Err(ChanError::UnevenRow { line, expected: channels.len(), found });
        }
        for (index, (cell, channel)) in cells().zip(&mut channels).enumerate() {
            let column = column_number(index);
            channel.push(parse_cell(cell).map_err(|problem| match problem {
                CellProblem::NotANumber => ChanError::NotANumber { line, column, text: shown(cell) },
                CellProblem::TooLarge => ChanError::TooLarge { line, column, text: shown(cell) },
            })?);
        }
    }
    let names = (1..=channels.len()).map(|number| format!("chan{number}")).collect();
    Ok(Recording::new(names, sample_rate, channels)?.with_assumed_rate().with_lost(lost))
}

/// Writes samples behind those that were written: a line each.
pub(super) fn write(to: &mut impl Write, samples: Flat<'_>) -> io::Result<()> {
    rows(to, samples, "\t")
}

/// A line a sample, with `between` between the channels.
pub(super) fn rows(to: &mut impl Write, samples: Flat<'_>, between: &str) -> io::Result<()> {
    for at in 0..samples.len_samples() {
        for (channel, sample) in samples.moment(at).enumerate() {
            let between = if channel == 0 { "" } else { between };
            write!(to, "{between}{}", Sample(sample))?;
        }
        to.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_tabs_separate_and_empty_lines_are_none() {
        let recording = read("\r\n 1  2\t3 \r\n\n4 5 6".as_bytes(), 30.0).unwrap();
        assert_eq!(
            (recording.num_channels(), recording.len_samples(), recording.sample_rate()),
            (3, 2, 30.0)
        );
        assert_eq!(recording.channel(2), Some(&[3.0, 6.0][..]));
        assert_eq!(recording.start(), 0);
    }

    #[test]
    fn a_line_that_was_being_written_is_left_out() {
        let of = |text: &str| {
            let recording = read(text.as_bytes(), 60.0).unwrap();
            (recording.len_samples(), recording.layout().lost().len())
        };
        assert_eq!(["1 2\n3", "1 2\n3 ", "1 2\n3 -", "1 2\n3 4e"].map(of), [(1, 1); 4]);
        assert_eq!(["1 2\n3 4", "1 2\n3 4\n \t"].map(of), [(2, 0); 2]);
        assert!(read("1 2\n3 x".as_bytes(), 60.0).is_err());
        assert!(read("1 2\n3\n".as_bytes(), 60.0).is_err());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, said) in [
            (
                "1 2\n3\n",
                "line 2: expected 2 numbers, as many as in the first line, but found 1: correct that line",
            ),
            ("1 2\n3 x\n", "line 2, column 2: \"x\" is not a number: write a number such as 0.5"),
            (
                "1e39",
                "line 1, column 1: \"1e39\" is beyond the 32-bit limit of 3.4028235e38: scale the channel down, or write inf",
            ),
            (
                "\n \n",
                "the recording has no channels, at least 1 is needed: check that the right file was exported",
            ),
        ] {
            assert_eq!(read(text.as_bytes(), 60.0).unwrap_err().to_string(), said);
        }
        assert!(read([0xff, 0xfe].as_slice(), 60.0).is_err());
    }
}
