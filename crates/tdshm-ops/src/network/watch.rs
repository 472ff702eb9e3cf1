//! Closures that are told when a parameter's value changes (operators §7: what exports reach outside).

use core::fmt;
use std::mem;

use crate::Value;
use crate::network::Network;
use crate::object::par::Par;
use crate::value::OpId;

/// Which of the closures that watch parameters, to take it away again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WatchId(u64);

type Callback = Box<dyn FnMut(&Par, &Value) + Send>;

/// A closure and what it watches.
pub(crate) struct Watch {
    id: WatchId,
    pub(crate) op: OpId,
    pub(crate) par: usize,
    last: Value,
    /// Not there while it is called.
    callback: Option<Callback>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("op", &self.op).field("par", &self.par).finish_non_exhaustive()
    }
}

impl Network {
    pub(crate) fn watch(&self, op: OpId, par: usize, last: Value, callback: Callback) -> WatchId {
        self.with(|state| {
            let id = WatchId(state.next_watch);
            state.next_watch = state.next_watch.saturating_add(1);
            state.watches.push(Watch { id, op, par, last, callback: Some(callback) });
            state.roots_of = None;
            id
        })
    }

    /// Takes a closure away that was set with [`Par::on_change`]. Nothing happens where it is gone already.
    pub fn unwatch(&self, id: WatchId) {
        let gone: Vec<Watch> = self.with(|state| {
            state.roots_of = None;
            let (gone, kept) = mem::take(&mut state.watches).into_iter().partition(|watch| watch.id == id);
            state.watches = kept;
            gone
        });
        drop(gone);
    }

    /// Tells those whose parameter changed in this frame.
    pub(crate) fn tell_watchers(&self) {
        let mut at = 0_usize;
        loop {
            let next = self.with(|state| {
                while let Some(watch) = state.watches.get(at) {
                    at = at.saturating_add(1);
                    let (op, par) = (watch.op, watch.par);
                    let Some(value) = state.get(op).and_then(|node| node.pars.get(par)).map(|par| &par.value)
                    else {
                        continue;
                    };
                    if !watch.last.is_same(value) {
                        let value = value.clone();
                        let watch = state.watches.get_mut(at.saturating_sub(1))?;
                        watch.last = value.clone();
                        return Some((watch.id, op, par, value, watch.callback.take()?));
                    }
                }
                None
            });
            let Some((id, op, par, value, mut callback)) = next else { break };
            callback(&Par::new(self, op, par), &value);
            let left = self.with(|state| match state.watches.iter_mut().find(|watch| watch.id == id) {
                Some(watch) => watch.callback.replace(callback),
                None => Some(callback),
            });
            drop(left);
        }
    }
}
