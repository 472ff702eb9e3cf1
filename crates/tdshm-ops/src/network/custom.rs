//! Custom parameters of components, changed as a whole.

use std::mem;
use std::sync::Arc;

use crate::error::OpError;
use crate::network::state::State;
use crate::network::watch::Watch;
use crate::par::ParSpec;
use crate::par::state::ParState;
use crate::value::OpId;

impl State {
    /// Makes these the custom parameters of a component, in this order. What is declared as before keeps its values;
    /// closures that watch a parameter go with its name. Gives what must be dropped once nothing is borrowed.
    pub(crate) fn set_custom_pars(&mut self, id: OpId, specs: Vec<ParSpec>) -> Result<Vec<Watch>, OpError> {
        let node = self.node(id)?;
        let customs = node.pars.iter().filter(|par| par.spec.is_custom);
        if customs.map(|par| &*par.spec).eq(&specs) {
            return Ok(Vec::new());
        }
        // Those that drive parameters, and pulses, know them by their places, which change.
        self.end_pulses_of(id);
        self.drop_exports_of(id);
        let node = self.node_mut(id)?;
        let before: Vec<Arc<ParSpec>> = node.pars.iter().map(|par| Arc::clone(&par.spec)).collect();
        let (mut customs, mut pars): (Vec<_>, Vec<_>) =
            mem::take(&mut node.pars).into_iter().partition(|par| par.spec.is_custom);
        for spec in specs {
            let kept = customs.iter().position(|par| *par.spec == spec).map(|at| customs.swap_remove(at));
            pars.push(kept.unwrap_or_else(|| ParState::new(Arc::new(spec))));
        }
        node.pars = pars;
        node.dirty = true;
        node.find_live();
        let now: Vec<Arc<ParSpec>> = node.pars.iter().map(|par| Arc::clone(&par.spec)).collect();
        let mut gone = Vec::new();
        for mut watch in mem::take(&mut self.watches) {
            if watch.op == id {
                let name = before.get(watch.par).map(|spec| &spec.name);
                match now.iter().position(|spec| Some(&spec.name) == name) {
                    Some(at) => watch.par = at,
                    None => {
                        gone.push(watch);
                        continue;
                    }
                }
            }
            self.watches.push(watch);
        }
        self.topology_changed();
        Ok(gone)
    }
}
