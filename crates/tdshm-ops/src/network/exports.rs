//! Channels, and rows of a table, that drive parameters (operators §7).
//!
//! An operator whose Export flag is on has *links*, from its channels to parameters. They are worked out again only when
//! something changes that they come from: its channels, the method, the table, the root, or what paths mean. Otherwise
//! looking whether they are right takes a few comparisons and no memory.
//!
//! A link that was there before keeps its age, so that of two operators that drive one parameter it is the one whose link came
//! last that counts, whatever is worked out again in between. A link that is new puts its parameter into mode Export; when
//! the last link goes, the parameter goes back to the mode before.

mod resolve;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::Value;
use crate::clip::ChannelNames;
use crate::network::state::{Node, State};
use crate::op::Family;
use crate::par::ParMode;
use crate::par::state::ExportSource;
use crate::table::Table;
use crate::value::OpId;

/// Where an operator's channels go.
#[derive(Debug, Default)]
pub(crate) struct Exports {
    /// How often the mapping changed: `export_sernum`, `CHOP.exportChanges`.
    pub(crate) changes: u64,
    links: Vec<Link>,
    /// What exports to nothing, and why: a line each.
    pub(crate) unresolved: Vec<String>,
    basis: Option<Basis>,
}

impl Exports {
    /// How many parameters are driven, those included at which another exporter counts.
    pub(crate) fn num_links(&self) -> usize {
        self.links.len()
    }
}

/// A channel, or row, and a parameter that it drives.
#[derive(Clone, Copy, Debug)]
struct Link {
    from: usize,
    to: (OpId, usize),
    order: u64,
}

/// Everything that links come from. As long as it stays the same, they do.
#[derive(Debug, PartialEq)]
struct Basis {
    topology: u64,
    method: Method,
    root: OpId,
    names: ChannelNames,
    table: Option<Arc<Table>>,
}

/// How channels find parameters (operators §7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    /// A table says it, by the channel's index.
    Index,
    /// A table says it, by the channel's name.
    Name,
    /// The channel is called as the parameter.
    Auto,
    /// The exporter is itself a table: a row a parameter.
    Rows,
}

impl State {
    /// Brings the exports of all operators in line with what paths mean now.
    pub(crate) fn settle_exports(&mut self) {
        if self.exports_settled == self.topology {
            return;
        }
        self.exports_settled = self.topology;
        let exporters = std::mem::take(&mut self.exporters);
        for &id in &exporters {
            self.evaluate_pars(id);
            self.export_again(id);
        }
        self.exporters = exporters;
    }

    /// Remembers who has the Export flag.
    pub(crate) fn note_exporter(&mut self, id: OpId) {
        self.exporters.retain(|&other| other != id);
        if self.get(id).is_some_and(|node| node.flags.export) {
            self.exporters.push(id);
        }
    }

    /// Brings an operator's exports in line with its output, its parameters and its flag.
    pub(crate) fn export_again(&mut self, id: OpId) {
        let Some(node) = self.get(id) else { return };
        if !node.flags.export && node.exports.basis.is_none() {
            return;
        }
        let basis = self.basis(id);
        if node.exports.basis == basis {
            return;
        }
        let (links, unresolved) = basis.as_ref().map(|basis| self.resolve(id, basis)).unwrap_or_default();
        if let Some(node) = self.get_mut(id) {
            node.exports.basis = basis;
            node.exports.unresolved = unresolved;
        }
        self.link(id, &links);
    }

    /// The same after a cook; and what is driven takes the new values, so that "the last value" of a parameter is the one
    /// that its exporter gave last, whoever asked in between (operators §9.2: exports see the new values from now on).
    pub(crate) fn export_cooked(&mut self, id: OpId) {
        self.export_again(id);
        let Some(node) = self.get_mut(id) else { return };
        if node.exports.links.is_empty() {
            return;
        }
        let links = std::mem::take(&mut node.exports.links);
        for link in &links {
            let is_driven =
                |node: &Node| node.pars.get(link.to.1).is_some_and(|par| par.mode == ParMode::Export);
            if self.get(link.to.0).is_some_and(is_driven) {
                self.evaluate_par(link.to.0, link.to.1);
            }
        }
        if let Some(node) = self.get_mut(id) {
            node.exports.links = links;
        }
    }

    /// What the links of an operator come from; `None` while its flag is off, or where it has nothing to export.
    fn basis(&self, id: OpId) -> Option<Basis> {
        let node = self.get(id).filter(|node| node.flags.export)?;
        let mut basis = Basis {
            topology: self.topology,
            method: Method::Rows,
            root: node.parent.unwrap_or(Self::ROOT),
            names: ChannelNames::default(),
            table: None,
        };
        match node.spec.family {
            Family::Dat => basis.table = node.output.as_table().cloned(),
            Family::Chop => {
                basis.names = node.output.as_clip()?.names().clone();
                basis.method = match node.par("exportmethod")?.value.as_str() {
                    Some("datname") => Method::Name,
                    Some("autoname") => Method::Auto,
                    _ => Method::Index,
                };
                if basis.method == Method::Auto {
                    let Value::Op(root) = node.par("autoexportroot")?.value else { return None };
                    basis.root = root;
                } else if let Value::Op(table) = node.par("exporttable")?.value {
                    basis.table = self.get(table)?.output.as_table().cloned();
                }
            }
            Family::Top | Family::Comp => return None,
        }
        Some(basis)
    }

    /// Replaces the links of an operator.
    fn link(&mut self, id: OpId, links: &[(usize, (OpId, usize))]) {
        let Some(node) = self.get_mut(id) else { return };
        let had = &node.exports.links;
        if had.iter().map(|link| (link.from, link.to)).eq(links.iter().copied()) {
            return;
        }
        node.exports.changes = node.exports.changes.saturating_add(1);
        let had = std::mem::take(&mut node.exports.links);
        let mut ages: HashMap<(OpId, usize), VecDeque<u64>> = HashMap::new();
        for link in &had {
            ages.entry(link.to).or_default().push_back(link.order);
        }
        let mut targets: Vec<(OpId, usize)> = had.iter().map(|link| link.to).collect();
        let mut sources: HashMap<(OpId, usize), (bool, Vec<ExportSource>)> = HashMap::new();
        let mut new_links = Vec::with_capacity(links.len());
        for &(from, to) in links {
            let known = ages.get_mut(&to).and_then(VecDeque::pop_front);
            let order = known.unwrap_or_else(|| {
                self.next_export = self.next_export.saturating_add(1);
                self.next_export
            });
            new_links.push(Link { from, to, order });
            let (is_new, sources) = sources.entry(to).or_default();
            *is_new |= known.is_none();
            sources.push(ExportSource { op: id, channel: from, order });
            targets.push(to);
        }
        targets.sort_unstable();
        targets.dedup();
        for to in targets {
            let (is_new, sources) = sources.remove(&to).unwrap_or_default();
            self.drive(id, to, is_new, &sources);
        }
        if let Some(node) = self.get_mut(id) {
            node.exports.links = new_links;
        }
    }

    /// Tells a parameter which channels of an operator drive it now.
    fn drive(&mut self, id: OpId, (op, at): (OpId, usize), is_new: bool, sources: &[ExportSource]) {
        let Some(node) = self.get_mut(op) else { return };
        let Some(par) = node.pars.get_mut(at) else { return };
        par.exports.retain(|source| source.op != id);
        par.exports.extend_from_slice(sources);
        par.exports.sort_by_key(|source| source.order);
        if is_new {
            par.set_mode(ParMode::Export);
        } else if par.exports.is_empty() && par.mode == ParMode::Export {
            par.set_mode(par.previous_mode);
            if par.mode == ParMode::Constant && !par.spec.style.is_op() {
                par.value = par.constant.clone();
            }
        }
        node.dirty = true;
        node.find_live();
        self.evaluate_par(op, at);
    }

    /// Takes back all exports of an operator that is about to go.
    pub(crate) fn drop_exports_of(&mut self, id: OpId) {
        self.exporters.retain(|&other| other != id);
        self.link(id, &[]);
    }

    /// The parameters that a channel drives.
    pub(crate) fn exports_of(&self, id: OpId, channel: usize) -> Vec<(OpId, usize)> {
        let Some(node) = self.get(id) else { return Vec::new() };
        node.exports.links.iter().filter(|link| link.from == channel).map(|link| link.to).collect()
    }

    /// The links of an operator that count for nothing, since another one came later (operators §7.5).
    fn lost_links(&self, id: OpId) -> impl Iterator<Item = (&Link, ExportSource)> {
        let links = self.get(id).map_or(&[][..], |node| &node.exports.links);
        links.iter().filter_map(|link| {
            let par = self.get(link.to.0)?.pars.get(link.to.1)?;
            let winner = par.exports.last()?;
            (winner.order != link.order).then_some((link, *winner))
        })
    }

    /// How many warnings [`export_warnings`](Self::export_warnings) gives.
    pub(crate) fn count_export_warnings(&self, id: OpId) -> usize {
        self.lost_links(id).count()
    }

    /// What to say on the operator of each link that counts for nothing.
    pub(crate) fn export_warnings(&self, id: OpId) -> Vec<String> {
        let warning = |(link, winner): (&Link, ExportSource)| {
            let (op, at) = link.to;
            let par = self.get(op).and_then(|node| node.pars.get(at)).map_or("", |par| &par.spec.name);
            format!(
                "Export to {}.{par} has no effect: {} exports to it as well, and came last.",
                self.path(op),
                self.path(winner.op),
            )
        };
        self.lost_links(id).map(warning).collect()
    }
}
