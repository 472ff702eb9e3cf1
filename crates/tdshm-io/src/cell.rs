//! Cells of text tables: numbers, read and written, and what an error shows of one.

/// Characters of a cell that an error shows.
const SHOWN_CHARS: usize = 40;

/// Why a cell is no sample.
#[derive(Debug)]
pub(crate) enum CellProblem {
    NotANumber,
    TooLarge,
}

/// The sample in a cell; NaN in an empty one.
pub(crate) fn parse_cell(cell: &[u8]) -> Result<f32, CellProblem> {
    let text = std::str::from_utf8(cell.trim_ascii()).map_err(|_| CellProblem::NotANumber)?;
    if text.is_empty() {
        return Ok(f32::NAN);
    }
    let value: f32 = text.parse().map_err(|_| CellProblem::NotANumber)?;
    // `1e39` parses as infinity; only letters spell one on purpose.
    if value.is_infinite() && text.bytes().any(|b| b.is_ascii_digit()) {
        return Err(CellProblem::TooLarge);
    }
    Ok(value)
}

/// Whether the cell begins as a number and ends before it is one: `-`, `1e`, `na`.
pub(crate) fn is_begun(cell: &[u8]) -> bool {
    let cell = cell.trim_ascii();
    let unsigned = cell.strip_prefix(b"-").or_else(|| cell.strip_prefix(b"+")).unwrap_or(cell);
    let of_word = |word: &[u8]| word.get(..unsigned.len()).is_some_and(|w| w.eq_ignore_ascii_case(unsigned));
    parse_cell(cell).is_err()
        && (of_word(b"nan") || of_word(b"infinity") || parse_cell(&[cell, b"0"].concat()).is_ok())
}

/// The column, counted from 1, of a cell counted from 0.
pub(crate) fn column_number(index: usize) -> usize {
    index.saturating_add(1)
}

/// A cell as an error shows it: as text, cut short when it is long.
pub(crate) fn shown(cell: &[u8]) -> String {
    let cell = cell.trim_ascii();
    // A character takes four bytes at most: the rest of a huge cell is never looked at.
    let head = cell.get(..SHOWN_CHARS.saturating_mul(4)).unwrap_or(cell);
    let text = String::from_utf8_lossy(head);
    let mut shown: String = text.chars().take(SHOWN_CHARS).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// A sample with the fewest digits that give the same bits again.
pub(crate) struct Sample(pub(crate) f32);

impl core::fmt::Display for Sample {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let size = self.0.abs();
        if size == 0.0 || !size.is_finite() || (1e-5..1e9).contains(&size) {
            write!(f, "{}", self.0)
        } else {
            write!(f, "{:e}", self.0)
        }
    }
}
