//! The data of a DAT: rows of cells (operators §7.4, §12).

use std::sync::Arc;

/// Rows of cells, which are texts. Every row is as long as the longest: what is missing is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    rows: Vec<Vec<Arc<str>>>,
    columns: usize,
}

impl Table {
    /// The most rows, and the most columns, that cells are added to: 65 536.
    pub const MOST: usize = 65_536;

    /// From rows of cells.
    pub fn from_rows<R, C>(rows: impl IntoIterator<Item = R>) -> Self
    where
        R: IntoIterator<Item = C>,
        C: Into<Arc<str>>,
    {
        let mut rows: Vec<Vec<Arc<str>>> =
            rows.into_iter().map(|row| row.into_iter().map(Into::into).collect()).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let empty: Arc<str> = "".into();
        for row in &mut rows {
            row.resize(columns, Arc::clone(&empty));
        }
        Self { rows, columns }
    }

    /// How many rows there are.
    #[must_use]
    pub fn num_rows(&self) -> usize {
        self.rows.len()
    }

    /// How many cells a row has.
    #[must_use]
    pub fn num_columns(&self) -> usize {
        self.columns
    }

    /// A cell, by row and column from 0.
    #[must_use]
    pub fn cell(&self, row: usize, column: usize) -> Option<&str> {
        self.rows.get(row)?.get(column).map(AsRef::as_ref)
    }

    /// The rows, from the top.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[Arc<str>]> {
        self.rows.iter().map(Vec::as_slice)
    }

    /// Sets a cell; rows and columns that are not there yet come to be, empty.
    ///
    /// A place beyond 65 536 rows or columns is refused with `false`, and nothing changes.
    pub fn set_cell(&mut self, row: usize, column: usize, text: impl Into<Arc<str>>) -> bool {
        if row >= Self::MOST || column >= Self::MOST {
            return false;
        }
        if column >= self.columns {
            self.columns = column.saturating_add(1);
            for row in &mut self.rows {
                row.resize(self.columns, "".into());
            }
        }
        if row >= self.rows.len() {
            let columns = self.columns;
            self.rows.resize_with(row.saturating_add(1), || vec!["".into(); columns]);
        }
        if let Some(cell) = self.rows.get_mut(row).and_then(|row| row.get_mut(column)) {
            *cell = text.into();
        }
        true
    }

    /// Adds a row at the end; where it is longer than the others, they become as long.
    ///
    /// More than 65 536 rows or columns are refused with `false`, and nothing changes.
    pub fn append_row<C: Into<Arc<str>>>(&mut self, cells: impl IntoIterator<Item = C>) -> bool {
        let mut row: Vec<Arc<str>> =
            cells.into_iter().take(Self::MOST.saturating_add(1)).map(Into::into).collect();
        if row.len() > Self::MOST || self.rows.len() >= Self::MOST {
            return false;
        }
        self.columns = self.columns.max(row.len());
        for row in self.rows.iter_mut().chain([&mut row]) {
            row.resize(self.columns, "".into());
        }
        self.rows.push(row);
        true
    }

    /// Takes a row away, and gives its cells.
    pub fn remove_row(&mut self, row: usize) -> Option<Vec<Arc<str>>> {
        (row < self.rows.len()).then(|| self.rows.remove(row))
    }

    /// The cell in the row and the column whose first cells have these texts.
    #[must_use]
    pub fn cell_headed(&self, row: &str, column: &str) -> Option<&str> {
        self.cell(self.row_headed(row)?, self.column_headed(column)?)
    }

    /// The place of a text in the first row, from 0: the column that it heads.
    #[must_use]
    pub fn column_headed(&self, header: &str) -> Option<usize> {
        self.rows.first()?.iter().position(|cell| cell.as_ref() == header)
    }

    /// The row whose first cell has this text.
    #[must_use]
    pub fn row_headed(&self, header: &str) -> Option<usize> {
        self.rows.iter().position(|row| row.first().is_some_and(|cell| cell.as_ref() == header))
    }
}
