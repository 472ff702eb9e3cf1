//! What a network remembers: its operators, their wires and parameters, and what they put out last.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use crate::Value;
use crate::cook::Cook;
use crate::data::Data;
use crate::error::OpError;
use crate::image::Image;
use crate::network::cooking::Visit;
use crate::network::exports::Exports;
use crate::network::watch::Watch;
use crate::object::par::pulse::Pulse;
use crate::op::{CookPolicy, Family, OpSpec, Operator, Registry};
use crate::par::Asks;
use crate::par::state::ParState;
use crate::slice::SliceRule;
use crate::time::Time;
use crate::value::OpId;

/// Everything in a network.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) registry: Arc<Registry>,
    /// By number; destroyed ones leave their place empty for ever.
    nodes: Vec<Option<Box<Node>>>,
    pub(crate) time: Time,
    pub(crate) slice_rule: SliceRule,
    pub(crate) patience: Option<Duration>,
    pub(crate) resolution_multiplier: f64,
    /// Grows whenever a path may mean something else than before.
    pub(crate) topology: u64,
    /// Grows with every request from outside: what was asked under the same number is not asked again.
    pub(crate) tick: u64,
    pub(crate) in_frame: bool,
    pub(crate) frame_began: Instant,
    pub(crate) roots: Vec<OpId>,
    pub(crate) roots_of: Option<u64>,
    pub(crate) visits: Vec<Visit>,
    pub(crate) spare_visits: Vec<Visit>,
    /// What the evaluation of one parameter used, for want of a place of its own.
    pub(crate) using: Vec<OpId>,
    pub(crate) known: Vec<((OpId, usize), Value)>,
    pub(crate) watches: Vec<Watch>,
    /// Values that are put back when their time is over.
    pub(crate) pulses: Vec<Pulse>,
    pub(crate) next_watch: u64,
    pub(crate) next_export: u64,
    /// Those with the Export flag.
    pub(crate) exporters: Vec<OpId>,
    /// The topology for which all exports were worked out.
    pub(crate) exports_settled: u64,
    pub(crate) global: crate::global::GlobalMemory,
    /// Where relative paths to files begin.
    pub(crate) folder: PathBuf,
}

/// Switches of an operator that are no parameters (operators §0, §9.3).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) bypass: bool,
    pub(crate) lock: bool,
    pub(crate) viewer: bool,
    pub(crate) active_viewer: bool,
    pub(crate) export: bool,
    pub(crate) display: bool,
    pub(crate) selected: bool,
}

/// What people and scripts write on an operator; nothing here looks at it (operators §10.2).
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    pub(crate) comment: String,
    pub(crate) position: (i64, i64),
    pub(crate) colour: Option<[f64; 3]>,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) storage: BTreeMap<String, Value>,
    /// The pixels that somebody asked for to have them at the next request.
    pub(crate) delayed: Option<Arc<Image>>,
}

/// What is known of the last cook (operators §8.3).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CookStats {
    pub(crate) total_cooks: u64,
    pub(crate) cook_time: Duration,
    pub(crate) frame: f64,
    pub(crate) abs_frame: u64,
    pub(crate) previous_abs_frame: Option<u64>,
    pub(crate) start: Duration,
    pub(crate) end: Duration,
}

/// An operator in its place.
pub(crate) struct Node {
    pub(crate) name: Arc<str>,
    pub(crate) spec: Arc<OpSpec>,
    pub(crate) parent: Option<OpId>,
    /// Of a component: those inside, by name, and in the order in which they came.
    pub(crate) children: Vec<OpId>,
    pub(crate) by_name: HashMap<Arc<str>, OpId>,
    pub(crate) pars: Vec<ParState>,
    /// Where the parameters with a mode other than constant are, and those that name operators.
    pub(crate) live: Vec<usize>,
    /// Where the toggles are that are looked at in every frame, if it has them.
    at_active: Option<usize>,
    at_time_slice: Option<usize>,
    pub(crate) inputs: Vec<Option<OpId>>,
    pub(crate) outputs: Vec<OpId>,
    /// Not there while it cooks.
    pub(crate) operator: Option<Box<dyn Operator>>,
    pub(crate) output: Data,
    /// Grows with every new output.
    pub(crate) version: u64,
    pub(crate) flags: Flags,
    pub(crate) errors: Vec<String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) script_errors: Vec<String>,
    pub(crate) stats: CookStats,
    /// Something changed that is a reason to cook.
    pub(crate) dirty: bool,
    /// The last cook said that the output depends on time.
    pub(crate) depends_on_time: bool,
    /// The versions of the inputs that the last cook saw.
    pub(crate) inputs_seen: Vec<u64>,
    pub(crate) bypass_seen: bool,
    /// The tick of the last visit, and whether that is still going on.
    pub(crate) visited: u64,
    pub(crate) visiting: bool,
    pub(crate) rounds: u8,
    pub(crate) loops: bool,
    /// Whether `active` was on when it was last asked as one that cooks every frame.
    pub(crate) was_active: bool,
    pub(crate) exports: Exports,
    /// Buffers and what the common page worked out; not there while it cooks.
    pub(crate) cook: Option<Box<Cook>>,
    /// Whether the output was made here, not passed through.
    pub(crate) owns_output: bool,
    pub(crate) notes: Notes,
}

impl core::fmt::Debug for Node {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Node")
            .field("name", &self.name)
            .field("type", &self.spec.op_type)
            .finish_non_exhaustive()
    }
}

impl State {
    /// The component at the top.
    pub(crate) const ROOT: OpId = OpId(0);

    pub(crate) fn new(registry: Registry) -> Self {
        let root =
            OpSpec::new("baseCOMP", Family::Comp, "Base", "The component at the top.", || Box::new(AtTheTop));
        let node = Node::new("".into(), Arc::new(root), None);
        Self {
            registry: Arc::new(registry),
            nodes: vec![Some(Box::new(node))],
            time: Time::default(),
            slice_rule: SliceRule::default(),
            patience: None,
            resolution_multiplier: 1.0,
            topology: 0,
            tick: 0,
            in_frame: false,
            frame_began: Instant::now(),
            roots: Vec::new(),
            roots_of: None,
            visits: Vec::new(),
            spare_visits: Vec::new(),
            using: Vec::new(),
            known: Vec::new(),
            watches: Vec::new(),
            pulses: Vec::new(),
            next_watch: 0,
            next_export: 0,
            exporters: Vec::new(),
            exports_settled: 0,
            global: crate::global::GlobalMemory::default(),
            folder: PathBuf::new(),
        }
    }

    pub(crate) fn get(&self, id: OpId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, id: OpId) -> Option<&mut Node> {
        self.nodes.get_mut(id.0 as usize)?.as_deref_mut()
    }

    pub(crate) fn node(&self, id: OpId) -> Result<&Node, OpError> {
        self.get(id).ok_or(OpError::Destroyed)
    }

    pub(crate) fn node_mut(&mut self, id: OpId) -> Result<&mut Node, OpError> {
        self.get_mut(id).ok_or(OpError::Destroyed)
    }

    /// All operators there are, in the order in which they came.
    pub(crate) fn ids(&self) -> impl Iterator<Item = OpId> {
        (0_u32..).zip(&self.nodes).filter(|(_, node)| node.is_some()).map(|(id, _)| OpId(id))
    }

    /// How long an operator may wait for a lock in one cook.
    pub(crate) fn patience(&self) -> Duration {
        self.patience.unwrap_or_else(|| Duration::from_secs_f64(0.25 / self.time.rate))
    }

    /// Creates an operator in a component.
    pub(crate) fn create(
        &mut self,
        parent: OpId,
        op_type: &str,
        name: Option<&str>,
    ) -> Result<OpId, OpError> {
        let spec = Arc::clone(self.registry.find(op_type)?);
        let path = self.path(parent);
        let inside = self.node(parent)?;
        if inside.spec.family != Family::Comp {
            return Err(OpError::NotAComponent { path });
        }
        let name: Arc<str> = match name {
            Some(name) => {
                check_name(name)?;
                if inside.by_name.contains_key(name) {
                    return Err(OpError::NameTaken { what: "an operator", name: name.into(), place: path });
                }
                name.into()
            }
            None => (1_u64..)
                .map(|number| format!("{}{number}", spec.short_type()))
                .find(|name| !inside.by_name.contains_key(name.as_str()))
                .unwrap_or_default()
                .into(),
        };
        let number = u32::try_from(self.nodes.len()).map_err(|_| OpError::OutOfRange {
            what: "the number of operators ever created",
            value: self.nodes.len().to_string(),
            expected: "below 2^32",
        })?;
        let id = OpId(number);
        self.nodes.push(Some(Box::new(Node::new(Arc::clone(&name), spec, Some(parent)))));
        let inside = self.node_mut(parent)?;
        inside.children.push(id);
        inside.by_name.insert(name, id);
        self.topology_changed();
        Ok(id)
    }

    /// Takes an operator out, with all that is inside, and gives what must be dropped once nothing is borrowed.
    pub(crate) fn destroy(&mut self, id: OpId) -> Result<Vec<Option<Box<Node>>>, OpError> {
        if id == Self::ROOT {
            return Err(OpError::Unsupported {
                op: "/".into(),
                what: "be destroyed",
                advice: "destroy the operators inside it",
            });
        }
        let parent = self.node(id)?.parent;
        let mut doomed = vec![id];
        let mut at = 0_usize;
        while let Some(&next) = doomed.get(at) {
            doomed.extend(self.node(next)?.children.iter().copied());
            at = at.saturating_add(1);
        }
        for &id in &doomed {
            self.disconnect_all(id);
            self.drop_exports_of(id);
        }
        if let Some(inside) = parent.and_then(|parent| self.get_mut(parent)) {
            inside.children.retain(|&child| child != id);
            inside.by_name.retain(|_, &mut child| child != id);
        }
        let mut gone = Vec::new();
        for id in &doomed {
            gone.push(self.nodes.get_mut(id.0 as usize).and_then(Option::take));
        }
        self.watches.retain(|watch| !doomed.contains(&watch.op));
        self.pulses.retain(|pulse| !doomed.contains(&pulse.op));
        self.topology_changed();
        Ok(gone)
    }

    pub(crate) fn rename(&mut self, id: OpId, name: &str) -> Result<(), OpError> {
        check_name(name)?;
        let Some(parent) = self.node(id)?.parent else {
            return Err(OpError::Unsupported {
                op: "/".into(),
                what: "be renamed",
                advice: "it has no name",
            });
        };
        let path = self.path(parent);
        let inside = self.node_mut(parent)?;
        match inside.by_name.get(name) {
            Some(&holder) if holder == id => return Ok(()),
            Some(_) => {
                return Err(OpError::NameTaken { what: "an operator", name: name.into(), place: path });
            }
            None => {}
        }
        let name: Arc<str> = name.into();
        inside.by_name.retain(|_, &mut child| child != id);
        inside.by_name.insert(Arc::clone(&name), id);
        self.node_mut(id)?.name = name;
        self.topology_changed();
        Ok(())
    }

    pub(crate) fn topology_changed(&mut self) {
        self.topology = self.topology.saturating_add(1);
    }
}

impl Node {
    fn new(name: Arc<str>, spec: Arc<OpSpec>, parent: Option<OpId>) -> Self {
        let pars: Vec<_> = spec.pars.iter().map(|par| ParState::new(Arc::clone(par))).collect();
        let mut node = Self {
            name,
            parent,
            children: Vec::new(),
            by_name: HashMap::new(),
            live: Vec::new(),
            at_active: spec.par_index("active"),
            at_time_slice: spec.par_index("timeslice"),
            pars,
            inputs: Vec::new(),
            outputs: Vec::new(),
            operator: Some((spec.make)()),
            output: Data::None,
            version: 0,
            flags: Flags::default(),
            errors: Vec::new(),
            warnings: Vec::new(),
            script_errors: Vec::new(),
            stats: CookStats::default(),
            dirty: true,
            depends_on_time: false,
            inputs_seen: Vec::new(),
            bypass_seen: false,
            visited: 0,
            visiting: false,
            rounds: 0,
            loops: false,
            was_active: false,
            exports: Exports::default(),
            cook: None,
            owns_output: false,
            notes: Notes::default(),
            spec,
        };
        node.find_live();
        node
    }

    /// Finds the parameters whose values can change by themselves.
    pub(crate) fn find_live(&mut self) {
        self.live.clear();
        self.live.extend(self.pars.iter().enumerate().filter(|(_, par)| par.is_live()).map(|(at, _)| at));
    }

    /// The place of a parameter, by its name or by another that is accepted for it.
    pub(crate) fn par_index(&self, name: &str) -> Option<usize> {
        if let Some(&at) = self.spec.places.get(name) {
            return Some(at);
        }
        // The custom ones are behind those of its type.
        let first = self.spec.pars.len();
        let custom = self.pars.get(first..)?.iter().position(|par| par.spec.is_called(name))?;
        first.checked_add(custom)
    }

    pub(crate) fn par(&self, name: &str) -> Option<&ParState> {
        self.pars.get(self.par_index(name)?)
    }

    pub(crate) fn par_is_on(&self, name: &str) -> bool {
        self.par(name).is_some_and(|par| par.value.is_true())
    }

    /// Whether the operator that a parameter of this one names is asked to cook before this one does.
    pub(crate) fn asks(&self, par: &ParState) -> bool {
        match par.spec.asks {
            Asks::No => false,
            Asks::Yes => true,
            Asks::Unless(toggle) => !self.par_is_on(toggle),
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.is_on(self.at_active)
    }

    pub(crate) fn is_time_sliced(&self) -> bool {
        self.is_on(self.at_time_slice)
    }

    fn is_on(&self, at: Option<usize>) -> bool {
        at.and_then(|at| self.pars.get(at)).is_some_and(|par| par.value.is_true())
    }

    pub(crate) fn cooks_every_frame(&self) -> bool {
        self.spec.policy == CookPolicy::EveryFrame
    }
}

/// What an operator can be called.
pub(crate) fn check_name(name: &str) -> Result<(), OpError> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty()
        || name.len() > 255
        || !name.chars().all(is_legal)
        || name.starts_with(|c: char| c.is_ascii_digit())
    {
        return Err(OpError::BadName {
            name: name.chars().take(80).collect(),
            expected: "use letters, digits and _, at most 255, and no digit first",
        });
    }
    Ok(())
}

/// The component at the top does nothing.
struct AtTheTop;

impl Operator for AtTheTop {
    fn cook(&mut self, _cook: &mut Cook) {}
}
