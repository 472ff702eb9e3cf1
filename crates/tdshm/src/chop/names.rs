//! Channel names: the table a frame shares, and what a receiver remembers of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::error::BlockError;
use crate::mem::{OutOfBounds, Region};
use crate::wire::chop::{self, ChopLayout};

/// The names of all channels, in order, and where each first stands.
#[derive(Debug, Default)]
pub(super) struct NameTable {
    names: Vec<String>,
    first: HashMap<String, usize>,
}

impl NameTable {
    pub(super) fn new(names: Vec<String>) -> Self {
        let mut first = HashMap::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            first.entry(name.clone()).or_insert(index);
        }
        Self { names, first }
    }

    pub(super) fn as_slice(&self) -> &[String] {
        &self.names
    }

    /// Names may repeat: the first channel of that name counts.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.first.get(name).copied()
    }
}

/// `given` brought to `count` names: where there is none, `chan` and the position counted from 1, or the next
/// number that is free.
pub(super) fn completed(given: &[String], count: usize) -> Vec<String> {
    let given = given.get(..count).unwrap_or(given);
    let mut names = Vec::with_capacity(count);
    names.extend_from_slice(given);
    let taken: HashSet<&str> = given.iter().map(String::as_str).collect();
    // No number is tried twice: whatever lies between a position and the last one found is taken.
    let mut number = 0_usize;
    for position in names.len()..count {
        number = number.max(position).saturating_add(1);
        let mut name = format!("chan{number}");
        while taken.contains(name.as_str()) {
            number = number.saturating_add(1);
            name = format!("chan{number}");
        }
        names.push(name);
    }
    names
}

/// What a receiver knows of names: a block may come without them, and then the ones it had stay.
#[derive(Debug, Default)]
pub(super) struct NameBook {
    table: Arc<NameTable>,
    /// The names as they were last sent, byte for byte.
    raw: Vec<u8>,
    raw_count: usize,
    /// The newest name of every position that ever had one.
    known: Vec<String>,
    /// Room for names that differ; grown while the lock is free.
    scratch: Vec<u8>,
}

/// How a block's names differ from the book. Let go of the lock, call [`NameBook::rebuild`] with it, and look again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// So many bytes of them lie in the scratch room.
    Sent { bytes: usize, count: usize },
    /// The scratch room was too small.
    Room { bytes: usize },
    /// None were sent, and the count is another one.
    Unsent { count: usize },
}

impl NameBook {
    pub(super) fn table(&self) -> &Arc<NameTable> {
        &self.table
    }

    /// Whether these names lie there.
    #[inline]
    pub(super) fn is_at(&self, region: Region<'_>, layout: &ChopLayout) -> bool {
        self.table.as_slice().len() == layout.num_channels
            && layout.names_at.is_none_or(|at| {
                self.raw_count == layout.num_channels && region.equals(at, &self.raw) == Ok(true)
            })
    }

    /// How a block's names differ from the book; `None`: they are the same. Allocates nothing: the lock is held.
    pub(super) fn differ(
        &mut self,
        region: Region<'_>,
        layout: &ChopLayout,
    ) -> Result<Option<Change>, BlockError> {
        if self.is_at(region, layout) {
            return Ok(None);
        }
        let count = layout.num_channels;
        let Some(at) = layout.names_at else { return Ok(Some(Change::Unsent { count })) };
        let room = region.len().saturating_sub(at);
        let bytes = room.min(self.scratch.len());
        if bytes < count {
            return Ok(Some(Change::Room { bytes: count }));
        }
        let Some(scratch) = self.scratch.get_mut(..bytes) else { return Ok(None) };
        region.copy_out(at, scratch).map_err(|OutOfBounds| chop::names_run_out(count, 0))?;
        match chop::names_extent(scratch, count) {
            Some(bytes) => Ok(Some(Change::Sent { bytes, count })),
            None if bytes < room => Ok(Some(Change::Room { bytes: bytes.saturating_mul(2).clamp(1, room) })),
            None => Err(chop::names_run_out(count, scratch.iter().filter(|byte| **byte == 0).count())),
        }
    }

    /// Takes over what [`look`](Self::look) found.
    pub(super) fn rebuild(&mut self, change: Change) -> Result<(), BlockError> {
        match change {
            Change::Room { bytes } => {
                // A power of two, so that names that grow byte by byte do not come here at every frame.
                let bytes = bytes.max(256).checked_next_power_of_two().unwrap_or(bytes);
                self.scratch.resize(bytes, 0);
            }
            Change::Unsent { count } => {
                self.table = Arc::new(NameTable::new(completed(&self.known, count)));
            }
            Change::Sent { bytes, count } => {
                let sent = self.scratch.get(..bytes).unwrap_or_default();
                let names = chop::split_names(sent, count)
                    .map_err(|_| chop::names_run_out(count, self.known.len()))?;
                self.raw.clear();
                self.raw.extend_from_slice(sent);
                self.raw_count = count;
                let kept = names.len().min(self.known.len());
                self.known.splice(..kept, names.iter().cloned());
                self.table = Arc::new(NameTable::new(names));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_channel_without_a_name_is_called_by_its_position() {
        assert_eq!(completed(&[], 3), names(&["chan1", "chan2", "chan3"]));
        assert_eq!(completed(&names(&["tx"]), 2), names(&["tx", "chan2"]));
        assert_eq!(completed(&names(&["tx", "ty"]), 1), names(&["tx"]));
    }

    #[test]
    fn a_default_name_that_is_taken_counts_on() {
        assert_eq!(completed(&names(&["chan2"]), 3), names(&["chan2", "chan3", "chan4"]));
    }

    #[test]
    fn the_first_of_two_equal_names_is_found() {
        let table = NameTable::new(names(&["a", "b", "a"]));
        assert_eq!((table.position("a"), table.position("b"), table.position("c")), (Some(0), Some(1), None));
    }
}
