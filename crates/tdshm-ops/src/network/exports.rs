//! Channels that drive parameters (operators §7).

use crate::network::state::State;
use crate::value::OpId;

/// Where an operator's channels go.
#[derive(Debug, Default)]
pub(crate) struct Exports {
    /// How often the mapping changed: `export_sernum`, `CHOP.exportChanges`.
    pub(crate) changes: u64,
}

impl State {
    /// Brings an operator's exports in line with its output, after a cook.
    pub(crate) fn export_again(&mut self, _id: OpId) {}

    /// Takes back all exports of an operator, and those to it.
    pub(crate) fn drop_exports_of(&mut self, _id: OpId) {}

    /// The parameters that a channel drives.
    pub(crate) fn exports_of(&self, _id: OpId, _channel: usize) -> Vec<(OpId, usize)> {
        Vec::new()
    }
}
