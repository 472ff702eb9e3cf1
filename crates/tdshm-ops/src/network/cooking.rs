//! Who cooks, and when: the pull model (operators §9.1).
//!
//! A request goes to inputs first, and to the operators that parameters and exports depend on; then the operator decides
//! for itself. It is a walk with a stack of its own, so that no chain of operators is too long, and an operator that is
//! met again on its own way is told so and not asked twice.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::Value;
use crate::cook::{Cook, Output};
use crate::data::Data;
use crate::network::Network;
use crate::network::state::State;
use crate::op::{CommonPage, CookPolicy, Operator};
use crate::par::Asks;
use crate::value::OpId;

/// A step of the walk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Visit {
    /// Ask what it depends on, then itself.
    Ask(OpId),
    /// Everything it depends on is done.
    Decide(OpId),
}

/// What an operator decided.
enum Decision {
    Rest,
    AskFirst,
    Cook,
}

impl State {
    /// Lets frames pass on both clocks.
    pub(crate) fn begin_frame(&mut self, frames: u64) {
        self.time.advance(frames);
        self.tick = self.tick.saturating_add(1);
        self.frame_began = Instant::now();
        self.global.begin_frame();
        self.end_pulses();
        self.settle_exports();
        if self.roots_of != Some(self.topology) {
            self.roots = self
                .ids()
                .filter(|&id| {
                    self.get(id).is_some_and(|node| {
                        node.cooks_every_frame() || node.flags.viewer || node.flags.export
                    })
                })
                .chain(self.watches.iter().map(|watch| watch.op))
                .collect();
            // What they drive is then up to date where it is asked for, also in the frame in which an export begins.
            let mut roots = mem::take(&mut self.roots);
            roots.sort_by_key(|&id| !self.get(id).is_some_and(|node| node.flags.export));
            self.roots = roots;
            self.roots_of = Some(self.topology);
        }
    }

    pub(crate) fn end_frame(&mut self) {
        let frame = self.time.abs_frame;
        self.global.end_frame(frame);
    }

    /// Whether one that cooks every frame must be asked in this one: while it is active, and once more when it no
    /// longer is.
    fn root_asks(&mut self, id: OpId) -> bool {
        let Some(node) = self.get(id) else { return false };
        if node.flags.viewer || node.flags.export || !node.cooks_every_frame() || node.dirty {
            return true;
        }
        self.evaluate_pars(id);
        let Some(node) = self.get_mut(id) else { return false };
        let active = node.is_active();
        let asks = active || node.was_active || node.dirty;
        node.was_active = active;
        asks
    }

    /// What must be asked before this operator decides.
    fn depends_on(&self, id: OpId, ask: &mut Vec<Visit>) {
        let Some(node) = self.get(id) else { return };
        for &at in &node.live {
            let Some(par) = node.pars.get(at) else { continue };
            // Not the one that it named the last time, where a toggle says since then that it must not be asked.
            let not_asked = match par.value {
                Value::Op(op) if par.spec.asks != Asks::No && !node.asks(par) => Some(op),
                _ => None,
            };
            let uses = par.uses.iter().map(|&(op, _)| op);
            ask.extend(uses.filter(|&op| Some(op) != not_asked).map(Visit::Ask));
        }
        ask.extend(node.inputs.iter().rev().flatten().map(|&input| Visit::Ask(input)));
    }

    fn decide(&mut self, id: OpId, force: bool) -> Decision {
        let now = self.time.abs_frame;
        let tick = self.tick;
        self.evaluate_pars(id);
        // An expression may lead to an operator that nobody knew of before it was evaluated.
        let Some(node) = self.get(id) else { return Decision::Rest };
        let found: Vec<OpId> = if node.live.is_empty() || node.rounds >= 4 {
            Vec::new()
        } else {
            node.live
                .iter()
                .filter_map(|&at| node.pars.get(at))
                .flat_map(|par| par.uses.iter().map(|&(op, _)| op))
                .filter(|&op| self.get(op).is_some_and(|other| other.visited != tick))
                .collect()
        };
        if !found.is_empty() {
            self.visits.push(Visit::Decide(id));
            self.visits.extend(found.into_iter().map(Visit::Ask));
            if let Some(node) = self.get_mut(id) {
                node.rounds = node.rounds.saturating_add(1);
            }
            return Decision::AskFirst;
        }
        let Some(node) = self.get(id) else { return Decision::Rest };
        let input_cooked = node.inputs.len() != node.inputs_seen.len()
            || node
                .inputs
                .iter()
                .zip(&node.inputs_seen)
                .any(|(input, &seen)| self.version_of(*input) != seen);
        if node.flags.bypass || node.bypass_seen {
            let changed = node.flags.bypass != node.bypass_seen;
            if node.flags.bypass {
                if changed || input_cooked {
                    self.pass_by(id);
                }
                return Decision::Rest;
            }
            if let Some(node) = self.get_mut(id) {
                node.bypass_seen = false;
                node.dirty = true;
            }
        }
        let Some(node) = self.get(id) else { return Decision::Rest };
        let is_new_frame = node.stats.total_cooks == 0 || node.stats.abs_frame != now;
        let by_policy = match node.spec.policy {
            CookPolicy::WithReason => false,
            CookPolicy::WhenAsked => is_new_frame,
            CookPolicy::EveryFrame => is_new_frame && node.is_active(),
        };
        let reference_cooked = node.live.iter().filter_map(|&at| node.pars.get(at)).any(|par| {
            is_new_frame && par.uses_time
                || par.uses.iter().any(|&(op, seen)| self.version_of(Some(op)) != seen)
        });
        let by_time = is_new_frame
            && (node.depends_on_time || node.spec.common == CommonPage::Chop && node.is_time_sliced());
        if force || node.dirty || input_cooked || by_policy || by_time || reference_cooked {
            Decision::Cook
        } else {
            Decision::Rest
        }
    }

    pub(crate) fn version_of(&self, id: Option<OpId>) -> u64 {
        id.and_then(|id| self.get(id)).map_or(0, |node| node.version)
    }

    /// The output of an operator that is bypassed is its first input (operators §9.3).
    fn pass_by(&mut self, id: OpId) {
        let Some(node) = self.get(id) else { return };
        let output = node
            .inputs
            .first()
            .copied()
            .flatten()
            .and_then(|input| self.get(input))
            .map(|node| node.output.clone());
        let Some(node) = self.get_mut(id) else { return };
        let mut seen = mem::take(&mut node.inputs_seen);
        seen.clear();
        let inputs = mem::take(&mut node.inputs);
        seen.extend(inputs.iter().map(|input| self.version_of(*input)));
        let Some(node) = self.get_mut(id) else { return };
        node.inputs = inputs;
        node.output = output.unwrap_or_default();
        node.owns_output = false;
        node.version = node.version.saturating_add(1);
        node.inputs_seen = seen;
        node.bypass_seen = true;
        node.errors.clear();
        node.warnings.clear();
        self.export_cooked(id);
    }
}

impl Network {
    /// Asks all that must be asked in this frame.
    pub(crate) fn pull_roots(&self) {
        let roots = self.with(|state| mem::take(&mut state.roots));
        for &root in &roots {
            if self.with(|state| state.root_asks(root)) {
                self.pull_within(root, false);
            }
        }
        self.with(|state| {
            if state.roots_of == Some(state.topology) {
                state.roots = roots;
            } else {
                state.roots_of = None;
            }
        });
    }

    /// Asks one operator, as somebody from outside.
    pub(crate) fn pull(&self, id: OpId, force: bool) {
        let _one_thread = self.hold();
        self.with(|state| {
            state.tick = state.tick.saturating_add(1);
            state.settle_exports();
        });
        self.pull_within(id, force);
    }

    /// Asks several operators, as part of a request that has begun.
    pub(crate) fn pull_all(&self, ids: &[OpId]) {
        for &id in ids {
            self.pull_within(id, false);
        }
    }

    /// Asks one operator, as part of a request that has begun.
    fn pull_within(&self, root: OpId, force: bool) {
        // Another walk may be under way below this one: a closure that an operator calls asks for another operator.
        let outer = self.with(|state| {
            let empty = mem::take(&mut state.spare_visits);
            mem::replace(&mut state.visits, empty)
        });
        self.with(|state| state.visits.push(Visit::Ask(root)));
        while let Some(job) = self.with(|state| state.next_cook(root, force)) {
            self.cook_one(job);
        }
        self.with(|state| {
            state.spare_visits = mem::replace(&mut state.visits, outer);
            state.spare_visits.clear();
        });
    }

    fn cook_one(&self, job: Job) {
        let Job { id, mut operator, mut cook } = job;
        cook.attach(self);
        let result = catch_unwind(AssertUnwindSafe(|| operator.cook(&mut cook)));
        if result.is_err() {
            cook.keep();
            cook.error("The code of this operator panicked: its output is that of the last good cook.");
        }
        cook.finish_common_page();
        let rest = self.with(|state| state.finish_cook(id, operator, cook));
        drop(rest);
    }
}

/// An operator that cooks, taken out of its place so that it can use the network meanwhile.
struct Job {
    id: OpId,
    operator: Box<dyn Operator>,
    cook: Box<Cook>,
}

impl State {
    /// Goes on with the walk until somebody cooks. `None` when the walk is over.
    fn next_cook(&mut self, root: OpId, force: bool) -> Option<Job> {
        let tick = self.tick;
        while let Some(visit) = self.visits.pop() {
            match visit {
                Visit::Ask(id) => {
                    let Some(node) = self.get_mut(id) else { continue };
                    if node.visiting || node.visited == tick {
                        node.loops |= node.visiting;
                        continue;
                    }
                    node.visited = tick;
                    // One that is locked stays as it is; one that cooks now asks for itself.
                    if node.flags.lock || node.operator.is_none() {
                        node.loops |= node.operator.is_none();
                        if node.flags.export {
                            self.evaluate_pars(id);
                            self.export_again(id);
                        }
                        continue;
                    }
                    node.visiting = true;
                    node.rounds = 0;
                    self.visits.push(Visit::Decide(id));
                    let mut visits = mem::take(&mut self.visits);
                    self.depends_on(id, &mut visits);
                    self.visits = visits;
                }
                Visit::Decide(id) => match self.decide(id, force && id == root) {
                    Decision::AskFirst => {}
                    Decision::Rest => {
                        self.settle(id);
                        self.export_again(id);
                    }
                    Decision::Cook => {
                        self.settle(id);
                        if let Some(job) = self.prepare(id) {
                            return Some(job);
                        }
                    }
                },
            }
        }
        None
    }

    fn settle(&mut self, id: OpId) {
        if let Some(node) = self.get_mut(id) {
            node.visiting = false;
        }
    }

    fn prepare(&mut self, id: OpId) -> Option<Job> {
        let began = self.frame_began;
        let time = self.time;
        let slice_rule = self.slice_rule;
        let patience = self.patience();
        let node = self.get_mut(id)?;
        let operator = node.operator.take()?;
        let mut cook = node.cook.take().unwrap_or_default();
        let wires = mem::take(&mut node.inputs);
        let mut seen = mem::take(&mut node.inputs_seen);
        seen.clear();
        for wire in &wires {
            let source = wire.and_then(|wire| self.get(wire));
            seen.push(source.map_or(0, |source| source.version));
            cook.inputs.push(source.map_or(Data::None, |source| source.output.clone()));
            cook.is_wired.push(wire.is_some());
        }
        let node = self.get_mut(id)?;
        node.inputs = wires;
        node.inputs_seen = seen;
        node.dirty = false;
        node.errors.clear();
        node.warnings.clear();
        if mem::take(&mut node.loops) {
            cook.warnings
                .push("Cook dependency loop: it depends on its own output, and used the last one.".into());
        }
        cook.begin(id, node, time, slice_rule, patience, began);
        node.stats.start = began.elapsed();
        Some(Job { id, operator, cook })
    }

    /// Puts an operator back, and its new output in place. What it gives is dropped when nothing is borrowed.
    fn finish_cook(
        &mut self,
        id: OpId,
        operator: Box<dyn Operator>,
        mut cook: Box<Cook>,
    ) -> Option<Box<dyn Operator>> {
        let now = self.time;
        let ended = self.frame_began.elapsed();
        let Some(node) = self.get_mut(id) else { return Some(operator) };
        node.operator = Some(operator);
        let made_here = match mem::take(&mut cook.output) {
            Output::Keep => None,
            Output::Made(data) => Some((data, true)),
            Output::Passed(data) => Some((data, false)),
        };
        if let Some((output, made_here)) = made_here {
            let before = mem::replace(&mut node.output, output);
            // What was passed through is in the pool of the operator that made it.
            if mem::replace(&mut node.owns_output, made_here) {
                cook.pools.give_back(before);
            }
        }
        // Also where the output stayed: those downstream see that their input cooked (operators §9.1).
        node.version = node.version.saturating_add(1);
        // Beside those that a script added meanwhile.
        node.errors.append(&mut cook.errors);
        node.warnings.append(&mut cook.warnings);
        node.depends_on_time = cook.depends_on_time;
        node.stats.total_cooks = node.stats.total_cooks.saturating_add(1);
        if node.stats.abs_frame != now.abs_frame {
            node.stats.previous_abs_frame = (node.stats.total_cooks > 1).then_some(node.stats.abs_frame);
        }
        node.stats.abs_frame = now.abs_frame;
        node.stats.frame = now.frame;
        node.stats.end = ended;
        node.stats.cook_time = ended.saturating_sub(node.stats.start);
        cook.end();
        node.cook = Some(cook);
        self.note_uses(id);
        self.export_cooked(id);
        None
    }
}
