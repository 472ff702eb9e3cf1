//! Patches: a network in a file that a person reads and writes (TOML), checked whole, applied, and applied again.
//!
//! ```
//! use tdshm_ops::{Network, patch::Patch};
//!
//! let text = r#"
//! [op.base1]
//! type = "baseCOMP"
//! custom.Speed = 2.0
//!
//! [op.null1]
//! type = "nullCHOP"
//! comment = "what everybody looks at"
//! par.timeslice = { expr = "op('base1').par.Speed > 1" }
//! "#;
//! let net = Network::new();
//! Patch::parse(text)?.apply(&net)?;
//! assert!(net.op("null1")?.par("timeslice")?.eval()?.is_true());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What stands in a patch
//!
//! `[network]` has the settings of [`Settings`]. Each `[op.NAME]` is an operator: its `type`, the parameters `par.NAME`, its
//! `inputs`, its flags, and what [`KEYS`] lists. An operator inside a component is written `[op."base1/wave1"]` or
//! `[op.base1.op.wave1]`. A parameter is a constant (`par.rate = 48000`), `{ expr = "…" }` or `{ bind = "…" }`.
//!
//! A patch that was read has been checked against the operator types: all that can be told without cooking is told by
//! [`Patch::parse`], every mistake with its place and with what is allowed there.
//!
//! # Source
//!
//! operators §0 (paths, flags), §1 (parameters), §7.2 (modes). The format is ours.

mod apply;
mod custom;
mod mistake;
mod ops;
mod pars;
mod read;

use std::sync::Arc;

use crate::Value;
use crate::error::OpError;
use crate::network::Network;
use crate::object::op::Flag;
use crate::op::{OpSpec, Registry};
use crate::par::ParSpec;
use crate::table::Table;

pub use mistake::{Mistake, PatchError};

/// The keys of a patch with what they take: where it stands, the key, an example, and what it does.
///
/// `""` is the patch itself, `network` and `op` are the tables of those names, `custom` is a custom parameter that is
/// written as a table.
pub const KEYS: &[Key] = &[
    key("", "network", "[network]", "settings of the network; each may be left out"),
    key(
        "",
        "op",
        "[op.wave1]",
        "an operator; inside a component [op.\"base1/wave1\"] or [op.base1.op.wave1]",
    ),
    key("network", "rate", "60", "frames a second"),
    key(
        "network",
        "range",
        "[1, 600]",
        "the first and the last frame of the timeline, after which it begins again",
    ),
    key("network", "play", "true", "whether the timeline goes on with the frames"),
    key(
        "network",
        "realtime",
        "true",
        "whether frames that could not be kept are left out; false takes the time it takes for each",
    ),
    key("op", "type", "\"waveCHOP\"", "the operator type; always needed"),
    key(
        "op",
        "par",
        "par.active = true",
        "parameters, by their scripting names: a constant, { expr = \"…\" } or { bind = \"…\" }; a group such as resolution takes a list",
    ),
    key(
        "op",
        "inputs",
        "[\"wave1\", \"\"]",
        "the operators wired into the inputs, by name, from input 0 on; \"\" is an input without a wire",
    ),
    key(
        "op",
        "custom",
        "custom.Speed = 1.0",
        "custom parameters of a component: the default, or a table of the keys below",
    ),
    key("op", "table", "[[\"a\", \"b\"], [1, 2]]", "the cells of a Table DAT, row by row"),
    key("op", "bypass", "true", "the flag: passes its first input on instead of working"),
    key("op", "lock", "true", "the flag: does not cook, the output stays"),
    key("op", "viewer", "true", "the flag: asked every frame, as if somebody looked"),
    key("op", "export", "true", "the flag: its channels drive parameters"),
    key("op", "comment", "\"…\"", "a note"),
    key("op", "op", "[op.base1.op.wave1]", "the operators inside a component"),
    key(
        "custom",
        "style",
        "\"Float\"",
        "Toggle, Str, StrMenu, Menu, Int, Float, Pulse, OP, CHOP, TOP, DAT or File; what the default is, if left out",
    ),
    key("custom", "default", "1.0", "the value it begins with"),
    key("custom", "label", "\"Speed\"", "the label; the name, if left out"),
    key("custom", "page", "\"Custom\"", "the page it is on"),
    key("custom", "menu", "[\"slow\", \"fast\"]", "the entries of a menu"),
    key("custom", "min", "0", "the smallest number it takes"),
    key("custom", "max", "10", "the greatest number it takes"),
    key("custom", "help", "\"…\"", "what it does"),
];

/// A key of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// The table it stands in.
    pub table: &'static str,
    /// The key.
    pub name: &'static str,
    /// How it is written.
    pub example: &'static str,
    /// What it does.
    pub help: &'static str,
}

const fn key(table: &'static str, name: &'static str, example: &'static str, help: &'static str) -> Key {
    Key { table, name, example, help }
}

/// What a patch says about the network itself.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Frames a second, 60 unless the patch says otherwise.
    pub rate: f64,
    /// The first and the last frame of the timeline, 1 and 600.
    pub range: (f64, f64),
    /// Whether the timeline goes on with the frames: yes.
    pub play: bool,
    /// Whether who runs the network leaves frames out that it cannot keep: yes. The network itself knows nothing of it.
    pub realtime: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let time = crate::time::Time::default();
        Self { rate: time.rate, range: (time.start, time.end), play: time.play, realtime: true }
    }
}

/// A patch that was read and has no mistakes.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    settings: Settings,
    /// Components before what is inside them, otherwise in the order of the file.
    ops: Vec<PatchOp>,
}

/// An operator of a patch.
#[derive(Clone, Debug)]
struct PatchOp {
    /// The full path, which begins with `/`.
    path: String,
    spec: Arc<OpSpec>,
    /// The paths of what is wired into the inputs.
    inputs: Vec<Option<String>>,
    pars: Vec<(String, Setting)>,
    customs: Vec<ParSpec>,
    flags: [bool; FLAGS.len()],
    table: Option<Table>,
    comment: String,
}

/// The flags, by their keys.
const FLAGS: [(&str, Flag); 4] =
    [("bypass", Flag::Bypass), ("lock", Flag::Lock), ("viewer", Flag::Viewer), ("export", Flag::Export)];

/// What a parameter is set to.
#[derive(Clone, Debug, PartialEq)]
enum Setting {
    Constant(Value),
    Expr(String),
    Bind(String),
}

impl Patch {
    /// Reads a patch for a network with the operator types of this crate.
    ///
    /// # Errors
    ///
    /// [`PatchError`] with every mistake, each with its place, what was found, and what is allowed.
    pub fn parse(text: &str) -> Result<Self, PatchError> {
        Self::parse_with(text, &Registry::standard())
    }

    /// Reads a patch for a network with these operator types.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_with(text: &str, registry: &Registry) -> Result<Self, PatchError> {
        ops::read(text, registry)
    }

    /// What it says about the network itself.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many operators it has, components included.
    #[must_use]
    pub fn num_ops(&self) -> usize {
        self.ops.len()
    }

    /// The paths of its operators, components before what is inside them.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &str> {
        self.ops.iter().map(|op| op.path.as_str())
    }

    /// Creates its operators in a network, beside what is there.
    ///
    /// # Errors
    ///
    /// [`OpError::NameTaken`] where an operator of the same path is there already, and [`OpError::UnknownType`] where the
    /// network has other operator types than those it was read for; nothing has changed then. [`OpError::Cooking`] from
    /// within a frame.
    pub fn apply(&self, net: &Network) -> Result<(), OpError> {
        apply::add(self, net)
    }

    /// Makes a network the one that this patch describes, and changes nothing that is so already: an operator of the same
    /// path and type is kept, with its segment, its data and its handles; what the patch does not have is destroyed.
    ///
    /// Parameters that the patch does not name get their defaults. Those that an export drives stay driven.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply), without [`OpError::NameTaken`].
    pub fn reload(&self, net: &Network) -> Result<(), OpError> {
        apply::reload(self, net)
    }
}

#[cfg(test)]
mod tests;
