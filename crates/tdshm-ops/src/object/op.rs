//! Operators as objects.

use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use crate::Value;
use crate::clip::Clip;
use crate::data::Data;
use crate::error::OpError;
use crate::image::Image;
use crate::network::Network;
use crate::network::info::InfoType;
use crate::network::state::Node;
use crate::object::channel::Channel;
use crate::object::connector::{Connector, Side};
use crate::object::par::Par;
use crate::op::{Family, OpSpec};
use crate::par::ParSpec;
use crate::par::state::ParState;
use crate::pattern::Pattern;
use crate::script::ScriptCallback;
use crate::table::Table;
use crate::value::OpId;

/// An operator of a network.
///
/// A handle: it can be cloned, kept and sent to other threads. Once the operator is destroyed, everything but
/// [`is_valid`](Self::is_valid) and [`id`](Self::id) gives [`OpError::Destroyed`].
///
/// # Source
///
/// operators §10.1, §10.2: the members of TD's `OP` of the same names, in Rust's spelling.
#[derive(Clone)]
pub struct Op {
    net: Network,
    id: OpId,
}

impl PartialEq for Op {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Op {}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Op").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Op {
    pub(crate) fn new(net: &Network, id: OpId) -> Self {
        Self { net: net.clone(), id }
    }

    fn read<R>(&self, read: impl FnOnce(&Node) -> R) -> Result<R, OpError> {
        self.net.with(|state| state.node(self.id).map(read))
    }

    fn change<R>(&self, change: impl FnOnce(&mut Node) -> R) -> Result<R, OpError> {
        self.net.with(|state| state.node_mut(self.id).map(change))
    }

    /// The network it belongs to.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.net
    }

    /// Its number, unique in the network.
    #[must_use]
    pub fn id(&self) -> OpId {
        self.id
    }

    /// Whether it is still there.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.net.with(|state| state.get(self.id).is_some())
    }

    // Names and types

    /// The name, unique in its component.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn name(&self) -> Result<String, OpError> {
        self.read(|node| node.name.to_string())
    }

    /// Gives it another name. References by the old one fail from then on.
    ///
    /// # Errors
    ///
    /// [`OpError::BadName`], [`OpError::NameTaken`], [`OpError::Destroyed`].
    pub fn rename(&self, name: &str) -> Result<(), OpError> {
        self.net.with(|state| state.rename(self.id, name))
    }

    /// The full path: `/project1/out1`.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn path(&self) -> Result<String, OpError> {
        self.net.with(|state| state.node(self.id).map(|_| ()).map(|()| state.path(self.id)))
    }

    /// The operator's type, as data.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn spec(&self) -> Result<Arc<OpSpec>, OpError> {
        self.read(|node| Arc::clone(&node.spec))
    }

    /// The family.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn family(&self) -> Result<Family, OpError> {
        self.read(|node| node.spec.family)
    }

    /// A member of TD's `OP`, `CHOP`, `TOP` or `DAT` class by its name there: `numChans`, `digits`, `totalCooks`. The
    /// operator is asked to cook for what its data says.
    ///
    /// # Errors
    ///
    /// [`OpError::Unsupported`] where there is none of that name; [`OpError::Destroyed`].
    pub fn member(&self, name: &str) -> Result<Value, OpError> {
        if let Some(value) = self.net.with(|state| state.plain_member(self.id, name)) {
            return Ok(value);
        }
        self.net.pull(self.id, false);
        self.net.with(|state| {
            state.node(self.id)?;
            state.data_member(self.id, name).ok_or_else(|| OpError::Unsupported {
                op: state.path(self.id),
                what: "give a member of that name",
                advice: "see the members of its family",
            })
        })
    }

    // Finding others

    /// The component it lives in; `None` for the one at the top.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn parent(&self) -> Result<Option<Self>, OpError> {
        Ok(self.read(|node| node.parent)?.map(|parent| Self::new(&self.net, parent)))
    }

    /// The operators inside, in the order in which they came.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn children(&self) -> Result<Vec<Self>, OpError> {
        Ok(self.read(|node| node.children.clone())?.into_iter().map(|id| Self::new(&self.net, id)).collect())
    }

    /// The first operator that a path or a pattern means: seen from inside a component, from beside anything else.
    ///
    /// # Errors
    ///
    /// [`OpError::NoSuchOp`], [`OpError::Destroyed`].
    pub fn op(&self, path: &str) -> Result<Self, OpError> {
        self.net.with(|state| {
            state.node(self.id)?;
            let from = state.inside_or_beside(self.id);
            state
                .find(from, path)
                .or_else(|| state.find_all(from, path).first().copied())
                .map(|id| Self::new(&self.net, id))
                .ok_or_else(|| OpError::NoSuchOp { path: path.into(), from: state.path(self.id) })
        })
    }

    /// All operators that patterns mean, separated by blanks; none where the operator is gone.
    #[must_use]
    pub fn ops(&self, patterns: &str) -> Vec<Self> {
        let found = self.net.with(|state| state.find_all(state.inside_or_beside(self.id), patterns));
        found.into_iter().map(|id| Self::new(&self.net, id)).collect()
    }

    /// Creates an operator in this component, named after its type and the first free number where no name is given.
    ///
    /// # Errors
    ///
    /// [`OpError::UnknownType`], [`OpError::AmbiguousType`], [`OpError::BadName`], [`OpError::NameTaken`],
    /// [`OpError::NotAComponent`], [`OpError::Destroyed`].
    pub fn create<'n>(&self, op_type: &str, name: impl Into<Option<&'n str>>) -> Result<Self, OpError> {
        self.net.with(|state| state.create(self.id, op_type, name.into())).map(|id| Self::new(&self.net, id))
    }

    /// Destroys it with all that is inside: segments are left, wires and exports go.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`]; [`OpError::Unsupported`] for the component at the top.
    pub fn destroy(&self) -> Result<(), OpError> {
        // Dropped when nothing is borrowed: an operator may hold handles of this network.
        self.net.with(|state| state.destroy(self.id)).map(drop)
    }

    // Parameters

    /// A parameter, by its name or by another that is accepted for it.
    ///
    /// # Errors
    ///
    /// [`OpError::NoSuchPar`], with those that look alike; [`OpError::Destroyed`].
    pub fn par(&self, name: &str) -> Result<Par, OpError> {
        self.net.with(|state| {
            let node = state.node(self.id)?;
            node.par_index(name).map(|at| Par::new(&self.net, self.id, at)).ok_or_else(|| {
                OpError::NoSuchPar {
                    op: state.path(self.id),
                    name: name.into(),
                    hint: near_names(node, name),
                }
            })
        })
    }

    /// The parameters whose names a pattern means, in the order of the pages; all of them for `*`.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`]; [`OpError::Expression`] for a pattern that cannot be read.
    pub fn pars(&self, pattern: &str) -> Result<Vec<Par>, OpError> {
        let pattern = Pattern::parse(pattern).map_err(|error| OpError::Expression {
            op: self.path().unwrap_or_default(),
            par: pattern.into(),
            problem: error.to_string(),
        })?;
        self.read(|node| {
            let all = node.pars.iter().enumerate();
            all.filter(|(_, par)| pattern.matches(&par.spec.name))
                .map(|(at, _)| Par::new(&self.net, self.id, at))
                .collect()
        })
    }

    /// Adds a custom parameter to a component. Its name begins with a capital letter, as in TD.
    ///
    /// # Errors
    ///
    /// [`OpError::BadName`], [`OpError::NameTaken`], [`OpError::NotAComponent`], [`OpError::Destroyed`].
    pub fn append_custom_par(&self, spec: ParSpec) -> Result<Par, OpError> {
        self.net.with(|state| {
            let path = state.path(self.id);
            let node = state.node_mut(self.id)?;
            if node.spec.family != Family::Comp {
                return Err(OpError::NotAComponent { path });
            }
            let name = spec.name.to_string();
            let is_legal = name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric());
            if !is_legal || name.len() > 255 {
                return Err(OpError::BadName {
                    name,
                    expected: "a custom parameter begins with a capital letter and has letters and digits only",
                });
            }
            if node.par_index(&name).is_some() {
                return Err(OpError::NameTaken { what: "a parameter", name, place: path });
            }
            let at = node.pars.len();
            node.pars.push(ParState::new(Arc::new(ParSpec { is_custom: true, ..spec })));
            node.find_live();
            state.topology_changed();
            Ok(Par::new(&self.net, self.id, at))
        })
    }

    // Wires

    /// The operators wired into its inputs; `None` for an input without a wire.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn inputs(&self) -> Result<Vec<Option<Self>>, OpError> {
        let inputs = self.read(|node| node.inputs.clone())?;
        Ok(inputs.into_iter().map(|id| id.map(|id| Self::new(&self.net, id))).collect())
    }

    /// The operators that its output is wired into.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn outputs(&self) -> Result<Vec<Self>, OpError> {
        Ok(self.read(|node| node.outputs.clone())?.into_iter().map(|id| Self::new(&self.net, id)).collect())
    }

    /// An input connector, counted from 0.
    ///
    /// # Errors
    ///
    /// [`OpError::NoSuchConnector`], [`OpError::Destroyed`].
    pub fn input_connector(&self, index: usize) -> Result<Connector, OpError> {
        self.connector(Side::Input, index, |node| node.spec.max_inputs)
    }

    /// An output connector, counted from 0.
    ///
    /// # Errors
    ///
    /// [`OpError::NoSuchConnector`], [`OpError::Destroyed`].
    pub fn output_connector(&self, index: usize) -> Result<Connector, OpError> {
        self.connector(Side::Output, index, |node| usize::from(node.spec.family != Family::Comp))
    }

    fn connector(
        &self,
        side: Side,
        index: usize,
        limit: impl FnOnce(&Node) -> usize,
    ) -> Result<Connector, OpError> {
        let limit = self.read(limit)?;
        if index >= limit {
            return Err(OpError::NoSuchConnector { op: self.path()?, side: side.name(), index, limit });
        }
        Ok(Connector::new(&self.net, self.id, side, index))
    }

    /// Replaces all wires of the inputs: one operator an input, `None` for none.
    ///
    /// # Errors
    ///
    /// As [`Connector::connect`]; the inputs before the one that failed have changed.
    pub fn set_inputs(&self, inputs: &[Option<Self>]) -> Result<(), OpError> {
        let had = self.read(|node| node.inputs.len())?;
        for index in (0..had).rev() {
            self.net.with(|state| state.disconnect(self.id, index))?;
        }
        for (index, input) in inputs.iter().enumerate() {
            if let Some(input) = input {
                self.net.with(|state| state.connect(input.id, self.id, index))?;
            }
        }
        Ok(())
    }

    // Cooking

    /// Cooks it if it has a reason; with `force` also without one.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn cook(&self, force: Force) -> Result<(), OpError> {
        self.read(|_| ())?;
        self.net.pull(self.id, force == Force::Yes);
        Ok(())
    }

    /// How often it cooked.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn total_cooks(&self) -> Result<u64, OpError> {
        self.read(|node| node.stats.total_cooks)
    }

    /// How long its last cook took.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn cpu_cook_time(&self) -> Result<Duration, OpError> {
        self.read(|node| node.stats.cook_time)
    }

    /// The absolute frame of its last cook.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn cook_abs_frame(&self) -> Result<u64, OpError> {
        self.read(|node| node.stats.abs_frame)
    }

    /// Whether it cooked in this frame.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn cooked_this_frame(&self) -> Result<bool, OpError> {
        self.net.with(|state| {
            let stats = &state.node(self.id)?.stats;
            Ok(stats.total_cooks > 0 && stats.abs_frame == state.time.abs_frame)
        })
    }

    /// What is wrong, a line each; empty when nothing is.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn errors(&self) -> Result<String, OpError> {
        self.read(|node| {
            let pars = node
                .pars
                .iter()
                .filter_map(|par| Some(format!("{}: {}", par.spec.name, par.problem.as_ref()?)));
            let all = node.errors.iter().cloned().chain(node.script_errors.iter().cloned()).chain(pars);
            all.collect::<Vec<_>>().join("\n")
        })
    }

    /// What is not as one would expect, a line each; empty when there is nothing.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn warnings(&self) -> Result<String, OpError> {
        self.read(|node| node.warnings.join("\n"))
    }

    /// The Info channels of this operator, in order (operators §8).
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn info(&self, kind: InfoType) -> Result<Vec<(&'static str, f64)>, OpError> {
        self.net.with(|state| {
            state.node(self.id)?;
            let mut channels = Vec::new();
            state.info(self.id, kind, &mut |name, value| channels.push((name, value)));
            Ok(channels)
        })
    }

    // Flags

    /// Whether a flag is set.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn flag(&self, flag: Flag) -> Result<bool, OpError> {
        self.read(|node| match flag {
            Flag::Bypass => node.flags.bypass,
            Flag::Lock => node.flags.lock,
            Flag::Viewer => node.flags.viewer,
            Flag::Export => node.flags.export,
        })
    }

    /// Sets a flag.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn set_flag(&self, flag: Flag, on: bool) -> Result<(), OpError> {
        self.net.with(|state| {
            let flags = &mut state.node_mut(self.id)?.flags;
            match flag {
                Flag::Bypass => flags.bypass = on,
                Flag::Lock => flags.lock = on,
                Flag::Viewer => flags.viewer = on,
                Flag::Export => flags.export = on,
            }
            state.roots_of = None;
            if flag == Flag::Export {
                state.export_again(self.id);
            }
            Ok(())
        })
    }

    // Data

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

    // Bookkeeping

    /// A note of the author.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn comment(&self) -> Result<String, OpError> {
        self.read(|node| node.comment.clone())
    }

    /// Sets the note.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn set_comment(&self, comment: impl Into<String>) -> Result<(), OpError> {
        let comment = comment.into();
        self.change(|node| node.comment = comment)
    }
}

/// Whether to cook without a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Force {
    /// Only with a reason.
    No,
    /// In any case.
    Yes,
}

/// A switch of an operator that is no parameter.
///
/// # Source
///
/// operators §0, §9.3: documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flag {
    /// Passes its first input on instead of working.
    Bypass,
    /// Does not cook: the output stays.
    Lock,
    /// Somebody looks: it is asked every frame.
    Viewer,
    /// Its channels drive parameters. Here that means that it is asked every frame, too (ours: operators §7.1).
    Export,
}

fn near_names(node: &Node, name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let near: Vec<&str> = node
        .pars
        .iter()
        .map(|par| par.spec.name.as_ref())
        .filter(|known| {
            let known = known.to_ascii_lowercase();
            !lower.is_empty() && (known.contains(&lower) || lower.contains(&known))
        })
        .take(4)
        .collect();
    if !near.is_empty() {
        return format!("did you mean {}?", near.join(", "));
    }
    let all: Vec<&str> = node.pars.iter().map(|par| par.spec.name.as_ref()).take(12).collect();
    if all.is_empty() { "it has none".into() } else { format!("it has {}", all.join(", ")) }
}
