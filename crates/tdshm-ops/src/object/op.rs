//! Operators as objects.

mod cooking;
mod data;
mod notes;
mod picture;
mod wires;

use core::fmt;
use std::sync::Arc;

use crate::Value;
use crate::error::OpError;
use crate::network::Network;
use crate::network::members;
use crate::network::state::{Node, State};
use crate::object::par::Par;
use crate::op::{Family, OpSpec};
use crate::par::ParSpec;
use crate::par::state::ParState;
use crate::pattern::Pattern;
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
        self.id == other.id && self.net.is_same(&other.net)
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

    pub(crate) fn is_dirty(&self) -> Result<bool, OpError> {
        self.read(|node| node.dirty)
    }

    pub(crate) fn set_dirty(&self, is_dirty: bool) -> Result<(), OpError> {
        self.change(|node| node.dirty = is_dirty)
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
    /// operator is asked to cook for what its data says, and not for what is known of its cooks.
    ///
    /// # Errors
    ///
    /// [`OpError::Unsupported`] where there is none of that name; [`OpError::Destroyed`].
    pub fn member(&self, name: &str) -> Result<Value, OpError> {
        let without_asking = |state: &mut State| {
            state
                .plain_member(self.id, name)
                .or_else(|| state.cook_member(state.get(self.id)?, self.id, name))
        };
        if let Some(value) = self.net.with(without_asking) {
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

    /// The type with its family: `sharedmeminCHOP`.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn op_type(&self) -> Result<String, OpError> {
        self.read(|node| node.spec.op_type.to_owned())
    }

    /// The last number in its name, if there is one.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn digits(&self) -> Result<Option<i64>, OpError> {
        self.read(|node| members::digits(&node.name))
    }

    /// Its name up to the first digit.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn base(&self) -> Result<String, OpError> {
        self.read(|node| members::base(&node.name).to_owned())
    }

    /// Makes it an operator of another type of its family: its name, place, wires, flags and notes stay, and so do the
    /// parameters that both types have. The operator that comes out is another one: handles of the one before say that
    /// it is destroyed.
    ///
    /// # Errors
    ///
    /// [`OpError::UnknownType`], [`OpError::AmbiguousType`]; [`OpError::Unsupported`] for a type of another family, for
    /// a component, and while it cooks; [`OpError::Destroyed`].
    pub fn change_type(&self, op_type: &str) -> Result<Self, OpError> {
        let (id, gone) = self.net.with(|state| state.change_type(self.id, op_type))?;
        drop(gone);
        Ok(Self::new(&self.net, id))
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

    /// The component so many levels up, 1 for its own; `None` above the one at the top.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn parent_at(&self, levels: usize) -> Result<Option<Self>, OpError> {
        self.net.with(|state| {
            state.node(self.id)?;
            let found = (0..levels).try_fold(self.id, |at, _| state.get(at)?.parent);
            Ok(found.map(|id| Self::new(&self.net, id)))
        })
    }

    /// As [`op`](Self::op), with `None` where there is none: TD's `op()`, whose `opex()` fails.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Self> {
        self.op(path).ok()
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
            state
                .find_in(self.id, path)
                .map(|id| Self::new(&self.net, id))
                .ok_or_else(|| OpError::NoSuchOp { path: path.into(), from: state.path(self.id) })
        })
    }

    /// All operators that patterns mean, separated by blanks; none where the operator is gone.
    #[must_use]
    pub fn ops(&self, patterns: &str) -> Vec<Self> {
        let found = self.net.with(|state| state.find_all_in(self.id, patterns));
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

    /// The same, as bindings call it.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_named(&self, op_type: &str, name: Option<&str>) -> Result<Self, OpError> {
        self.create(op_type, name)
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

    /// The parameters of a group, in order: `resolution` has `resolutionw` and `resolutionh`. None where there is no
    /// such group.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn par_group(&self, group: &str) -> Result<Vec<Par>, OpError> {
        self.pars_where(|spec| spec.group.is_some_and(|(name, _)| name == group))
    }

    /// The names of the pages, in order.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn pages(&self) -> Result<Vec<String>, OpError> {
        self.read(|node| {
            let mut pages: Vec<String> = Vec::new();
            for par in &node.pars {
                if !pages.iter().any(|page| *page == par.spec.page) {
                    pages.push(par.spec.page.to_string());
                }
            }
            pages
        })
    }

    /// The parameters of a page, in order.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn page(&self, page: &str) -> Result<Vec<Par>, OpError> {
        self.pars_where(|spec| spec.page == page)
    }

    /// The parameters that its type has.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn builtin_pars(&self) -> Result<Vec<Par>, OpError> {
        self.pars_where(|spec| !spec.is_custom)
    }

    /// The parameters that were added to it.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn custom_pars(&self) -> Result<Vec<Par>, OpError> {
        self.pars_where(|spec| spec.is_custom)
    }

    fn pars_where(&self, is_meant: impl Fn(&ParSpec) -> bool) -> Result<Vec<Par>, OpError> {
        self.read(|node| {
            let all = node.pars.iter().enumerate();
            all.filter(|(_, par)| is_meant(&par.spec))
                .map(|(at, _)| Par::new(&self.net, self.id, at))
                .collect()
        })
    }

    /// Takes over the values, expressions, binds and modes of the parameters of another operator that both have, in the
    /// same style. What is exported there is its own constant here.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`], of either.
    pub fn copy_parameters(&self, from: &Self) -> Result<(), OpError> {
        for source in from.pars("*")? {
            if let Ok(par) = self.par(&source.name()?)
                && par.spec()?.style == source.spec()?.style
            {
                par.copy_from(&source)?;
            }
        }
        Ok(())
    }

    /// Sets all parameters to their defaults, and says whether that changed anything.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn reset_pars(&self) -> Result<bool, OpError> {
        let mut changed = false;
        for par in self.pars("*")? {
            changed |= par.reset()?;
        }
        Ok(changed)
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
    /// Whether the viewer takes the mouse: a mark here, and nothing else.
    ActiveViewer,
    /// A mark that people set, and nothing else.
    Display,
    /// Another one.
    Selected,
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
