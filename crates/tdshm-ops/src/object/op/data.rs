//! What an operator puts out, and the contents that it is given.

use std::sync::Arc;

use super::Op;
use crate::clip::Clip;
use crate::data::Data;
use crate::error::OpError;
use crate::image::Image;
use crate::object::channel::Channel;
use crate::pattern::Pattern;
use crate::script::ScriptCallback;
use crate::table::Table;

impl Op {
    /// What it puts out. It is asked to cook first.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn data(&self) -> Result<Data, OpError> {
        self.net.pull(self.id, false);
        self.read(|node| node.output.clone())
    }

    /// What it put out last, without being asked to cook.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn last_data(&self) -> Result<Data, OpError> {
        self.read(|node| node.output.clone())
    }

    /// The names of a CHOP's channels with their values at the current time, as it put them out last, without being asked
    /// to cook. In a time slice that is the last sample; a channel without samples has NaN.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn last_values(&self) -> Result<Vec<(String, f64)>, OpError> {
        self.network().with(|state| {
            let node = state.node(self.id())?;
            let Some(clip) = node.output.as_clip() else { return Ok(Vec::new()) };
            let values = clip.names().iter().enumerate();
            Ok(values
                .map(|(at, name)| (name.to_owned(), state.channel_now(self.id(), at).unwrap_or(f64::NAN)))
                .collect())
        })
    }

    /// The channels of a CHOP; no channels where it has none. It is asked to cook first.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn clip(&self) -> Result<Arc<Clip>, OpError> {
        Ok(self.data()?.as_clip().cloned().unwrap_or_default())
    }

    /// The pixels of a TOP, if it has some. It is asked to cook first.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn image(&self) -> Result<Option<Arc<Image>>, OpError> {
        Ok(self.data()?.as_image().cloned())
    }

    /// The cells of a DAT; none where it has none. It is asked to cook first.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn table(&self) -> Result<Arc<Table>, OpError> {
        Ok(self.data()?.as_table().cloned().unwrap_or_default())
    }

    /// Replaces the contents of a Table DAT.
    ///
    /// # Errors
    ///
    /// [`OpError::Unsupported`] for what is no Table DAT, or cooks just now; [`OpError::Destroyed`].
    pub fn set_table(&self, table: Table) -> Result<(), OpError> {
        self.hand_over(|operator| operator.set_table(table).is_ok(), "take a table", "create a Table DAT")
    }

    /// Sets a cell of a Table DAT; rows and columns that are not there yet come to be, empty.
    ///
    /// # Errors
    ///
    /// [`OpError::OutOfRange`] beyond 65 536 rows or columns; [`OpError::Unsupported`] as
    /// [`set_table`](Self::set_table); [`OpError::Destroyed`].
    pub fn set_cell(&self, row: usize, column: usize, text: &str) -> Result<(), OpError> {
        let mut fits = true;
        self.hand_over(
            |operator| {
                let table = operator.table_mut();
                let found = table.is_some();
                fits = table.is_none_or(|table| table.set_cell(row, column, text));
                found
            },
            "take cells",
            "create a Table DAT",
        )?;
        if fits { Ok(()) } else { Err(beyond(row.max(column))) }
    }

    /// Sets the cell in the row whose first cell, and the column whose first cell, have these texts.
    ///
    /// # Errors
    ///
    /// [`OpError::OutOfRange`] where there is no such row or column; otherwise as [`set_cell`](Self::set_cell).
    pub fn set_cell_headed(&self, row: &str, column: &str, text: &str) -> Result<(), OpError> {
        let table = self.table()?;
        let missing = |what, header: &str, expected| OpError::OutOfRange {
            what,
            value: format!("{header:?}"),
            expected,
        };
        let at_row = table
            .row_headed(row)
            .ok_or_else(|| missing("the header of a row", row, "in the first column"))?;
        let at_column = table
            .column_headed(column)
            .ok_or_else(|| missing("the header of a column", column, "in the first row"))?;
        self.set_cell(at_row, at_column, text)
    }

    /// Adds a row of cells at the end of a Table DAT.
    ///
    /// # Errors
    ///
    /// As [`set_cell`](Self::set_cell).
    pub fn append_row(&self, cells: &[&str]) -> Result<(), OpError> {
        let mut fits = true;
        self.hand_over(
            |operator| {
                let table = operator.table_mut();
                let found = table.is_some();
                fits = table.is_none_or(|table| table.append_row(cells.iter().copied()));
                found
            },
            "take rows",
            "create a Table DAT",
        )?;
        if fits { Ok(()) } else { Err(beyond(cells.len())) }
    }

    /// Gives a Script operator its closure, which cooks it from then on.
    ///
    /// A closure that keeps handles of its own network keeps the network alive: take them from the [`Cook`](crate::Cook).
    ///
    /// # Errors
    ///
    /// [`OpError::Unsupported`] for what is no Script operator, or cooks just now; [`OpError::Destroyed`].
    pub fn set_script(&self, script: ScriptCallback) -> Result<(), OpError> {
        self.hand_over(
            |operator| operator.set_script(script).is_ok(),
            "take a script",
            "create a Script CHOP",
        )
    }

    fn hand_over(
        &self,
        give: impl FnOnce(&mut dyn crate::op::Operator) -> bool,
        what: &'static str,
        advice: &'static str,
    ) -> Result<(), OpError> {
        // Taken out, so that what it held before is dropped when nothing is borrowed.
        let operator = self.change(|node| node.operator.take())?;
        let Some(mut operator) = operator else {
            return Err(OpError::Unsupported { op: self.path()?, what, advice: "not while it cooks" });
        };
        let taken = give(operator.as_mut());
        let rest = self.net.with(|state| match state.get_mut(self.id) {
            Some(node) => {
                node.dirty |= taken;
                node.operator = Some(operator);
                None
            }
            None => Some(operator),
        });
        drop(rest);
        if taken { Ok(()) } else { Err(OpError::Unsupported { op: self.path()?, what, advice }) }
    }

    /// How many channels a CHOP has. It is asked to cook first.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn num_chans(&self) -> Result<usize, OpError> {
        Ok(self.clip()?.num_channels())
    }

    /// How many samples its channels have. It is asked to cook first.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn num_samples(&self) -> Result<usize, OpError> {
        Ok(self.clip()?.len_samples())
    }

    /// The first channel of exactly this name: TD's `n['tx']`. It is asked to cook first.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn channel(&self, name: &str) -> Result<Option<Channel>, OpError> {
        let clip = self.clip()?;
        let found = clip.names().index_of(name);
        Ok(found.and_then(|at| Channel::new(&self.net, self.id, at, clip.names())))
    }

    /// A channel by its place, from 0: TD's `n[4]`. It is asked to cook first.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn channel_at(&self, index: usize) -> Result<Option<Channel>, OpError> {
        let clip = self.clip()?;
        Ok(Channel::new(&self.net, self.id, index, clip.names()))
    }

    /// The first channel that a name or pattern means. It is asked to cook first.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    ///
    /// # Source
    ///
    /// operators §10.4: `CHOP.chan`.
    pub fn chan(&self, pattern: &str) -> Result<Option<Channel>, OpError> {
        let clip = self.clip()?;
        let exact = clip.names().index_of(pattern);
        let found = exact.or_else(|| {
            let pattern = Pattern::parse(pattern).ok()?;
            clip.names().iter().position(|name| pattern.matches(name))
        });
        Ok(found.and_then(|at| Channel::new(&self.net, self.id, at, clip.names())))
    }

    /// All channels that a pattern means, in the order of the channels. It is asked to cook first.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn chans(&self, pattern: &str) -> Result<Vec<Channel>, OpError> {
        let clip = self.clip()?;
        let names: Vec<&str> = clip.names().iter().collect();
        let Ok(pattern) = Pattern::parse(pattern) else { return Ok(Vec::new()) };
        Ok(pattern
            .select(&names)
            .into_iter()
            .filter_map(|at| Channel::new(&self.net, self.id, at, clip.names()))
            .collect())
    }
    /// As [`chans`](Self::chans), with upper and lower case being the same: `caseSensitive=False` in TD.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn chans_in_any_case(&self, pattern: &str) -> Result<Vec<Channel>, OpError> {
        let clip = self.clip()?;
        let names: Vec<String> = clip.names().iter().map(str::to_lowercase).collect();
        let Ok(pattern) = Pattern::parse(&pattern.to_lowercase()) else { return Ok(Vec::new()) };
        let found = pattern.select(&names).into_iter();
        Ok(found.filter_map(|at| Channel::new(&self.net, self.id, at, clip.names())).collect())
    }
}

fn beyond(place: usize) -> OpError {
    OpError::OutOfRange {
        what: "the place of a cell",
        value: place.to_string(),
        expected: "below 65536 rows and columns",
    }
}
