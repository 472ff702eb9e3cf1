//! A network: operators with wires and parameters, cooked frame by frame (operators §9, §10).
//!
//! # Who asks whom
//!
//! Nothing happens by itself. [`Network::step`] lets one frame pass and asks those that cook every frame (a Shared Mem Out
//! that is active), those with the viewer or the export flag, and those whose parameters somebody
//! [watches](crate::Par::on_change). Whoever is asked first asks its inputs, and the operators that its parameters and
//! exports depend on; then it cooks if it has a reason: it never did, an input or one of those cooked, a parameter
//! changed, it depends on time. So an operator that nobody asks costs nothing, and one that many ask cooks once.
//!
//! # Handles
//!
//! A [`Network`] and everything found in it ([`Op`](crate::Op), [`Par`](crate::Par), …) are small handles that can be
//! cloned and sent to other threads. They need no lifetimes; a handle of an operator that has been destroyed says so.
//! One thread at a time works in a network: others wait until the frame is through. Closures that a network calls may
//! use any handle, but not begin a frame.

mod cooking;
#[cfg(feature = "patch")]
mod custom;
pub(crate) mod eval;
pub(crate) mod exports;
pub(crate) mod info;
pub(crate) mod members;
mod paths;
mod retype;
pub(crate) mod state;
pub(crate) mod watch;
mod wires;

use core::cell::RefCell;
use core::fmt;
use core::time::Duration;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::ReentrantMutex;

use crate::error::OpError;
use crate::expr::number::Shown;
use crate::object::op::Op;
use crate::op::{CommonPage, Registry};
use crate::slice::SliceRule;
use crate::time::Time;
use crate::value::OpId;
use state::State;

/// A network of operators.
///
/// ```
/// use tdshm_ops::Network;
///
/// let net = Network::new();
/// let wave = net.root().create("waveCHOP", "wave1")?;
/// let null = net.root().create("nullCHOP", "null1")?;
/// null.input_connector(0)?.connect(&wave)?;
/// net.step()?;
/// assert_eq!(net.op("null1")?.num_chans()?, 1);
/// # Ok::<(), tdshm_ops::OpError>(())
/// ```
#[derive(Clone)]
pub struct Network {
    shared: Arc<ReentrantMutex<RefCell<State>>>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Network {
    /// An empty network with the operator types of this crate, at 60 frames a second.
    #[must_use]
    pub fn new() -> Self {
        Self::with_registry(Registry::standard())
    }

    /// An empty network with these operator types.
    #[must_use]
    pub fn with_registry(registry: Registry) -> Self {
        Self { shared: Arc::new(ReentrantMutex::new(RefCell::new(State::new(registry)))) }
    }

    /// Whether both are handles of one network.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Does something with the state. Nothing that is called in there calls back.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        let locked = self.shared.lock();
        let mut state = locked.borrow_mut();
        act(&mut state)
    }

    /// The component at the top, whose path is `/`.
    #[must_use]
    pub fn root(&self) -> Op {
        Op::new(self, State::ROOT)
    }

    /// The first operator that a path means, seen from the root: `out1`, `/base1/in1`, `base1/*`.
    ///
    /// # Errors
    ///
    /// [`OpError::NoSuchOp`].
    ///
    /// # Source
    ///
    /// operators §10.1. TD's `op` gives `None` and its `opex` raises; an error with a reason is what Rust expects.
    pub fn op(&self, path: &str) -> Result<Op, OpError> {
        self.root().op(path)
    }

    /// All operators that a pattern means, seen from the root.
    #[must_use]
    pub fn ops(&self, pattern: &str) -> Vec<Op> {
        self.root().ops(pattern)
    }

    /// The operator types it can create.
    #[must_use]
    pub fn registry(&self) -> Registry {
        self.with(|state| (*state.registry).clone())
    }

    /// The timeline and the absolute clock.
    #[must_use]
    pub fn time(&self) -> Time {
        self.with(|state| state.time)
    }

    /// Sets the timeline's rate in frames a second.
    ///
    /// # Errors
    ///
    /// [`OpError::OutOfRange`] beyond 0.001 to 100 000.
    pub fn set_rate(&self, rate: f64) -> Result<(), OpError> {
        if !(0.001..=100_000.0).contains(&rate) {
            return Err(OpError::OutOfRange {
                what: "the timeline's rate",
                value: Shown(rate).to_string(),
                expected: "0.001 to 100000 frames a second",
            });
        }
        self.with(|state| state.time.rate = rate);
        Ok(())
    }

    /// Lets the timeline go on with the frames, or stand. The absolute clock goes on either way.
    pub fn set_play(&self, play: bool) {
        self.with(|state| state.time.play = play);
    }

    /// The first and the last frame of the timeline, after which it begins again.
    ///
    /// # Errors
    ///
    /// [`OpError::OutOfRange`] where the last is not after the first, or one is not finite.
    pub fn set_range(&self, start: f64, end: f64) -> Result<(), OpError> {
        if !(start.is_finite() && end.is_finite() && end >= start) {
            return Err(OpError::OutOfRange {
                what: "the timeline's range",
                value: format!("{} to {}", Shown(start), Shown(end)),
                expected: "two frames, the second not before the first",
            });
        }
        self.with(|state| {
            state.time.start = start;
            state.time.end = end;
            state.time.frame = state.time.frame.clamp(start, end);
        });
        Ok(())
    }

    /// Puts the timeline on a frame. The absolute clock goes on as it was.
    ///
    /// # Errors
    ///
    /// [`OpError::OutOfRange`] where the frame is not finite.
    pub fn jump(&self, frame: f64) -> Result<(), OpError> {
        if !frame.is_finite() {
            return Err(OpError::OutOfRange {
                what: "the timeline's frame",
                value: Shown(frame).to_string(),
                expected: "a finite number",
            });
        }
        self.with(|state| state.time.frame = frame);
        Ok(())
    }

    /// The longest time slice. 200 ms unless changed (operators §4.1).
    pub fn set_max_slice(&self, longest: Duration) {
        self.with(|state| {
            state.slice_rule = SliceRule { max_seconds: longest.as_secs_f64(), ..state.slice_rule }
        });
    }

    /// Gives the segment of Global memory another name than `tdshmGlobal`, for programs that are to stay apart from the
    /// machine's others: both sides say the same (operators §2, ours).
    pub fn set_global_name(&self, name: &str) {
        self.with(|state| state.global.set_name(name));
    }

    /// How long an operator may wait for a lock in one cook. A quarter of a frame unless changed (operators §9.2).
    pub fn set_patience(&self, patience: Duration) {
        self.with(|state| state.patience = Some(patience));
    }

    /// Where relative paths to files begin; the working directory unless set. Operators that read a file see the change
    /// when they look for it again.
    ///
    /// # Source
    ///
    /// TD looks beside the project's own file; ours is the folder of the patch.
    pub fn set_folder(&self, folder: impl Into<PathBuf>) {
        let folder = folder.into();
        self.with(|state| state.folder = folder);
    }

    /// The Global Resolution Multiplier, 1 unless changed: images whose size is their operator's own choice are so much larger
    /// where *Use Global Res Multiplier* is on (operators §1.6).
    ///
    /// # Errors
    ///
    /// [`OpError::OutOfRange`] beyond 1/1024 to 1024.
    pub fn set_resolution_multiplier(&self, multiplier: f64) -> Result<(), OpError> {
        if !(1.0 / 1024.0..=1024.0).contains(&multiplier) {
            return Err(OpError::OutOfRange {
                what: "the Global Resolution Multiplier",
                value: Shown(multiplier).to_string(),
                expected: "1/1024 to 1024",
            });
        }
        self.with(|state| {
            state.resolution_multiplier = multiplier;
            for id in state.ids().collect::<Vec<_>>() {
                if let Some(node) = state.get_mut(id)
                    && node.spec.common == CommonPage::Top
                {
                    node.dirty = true;
                }
            }
        });
        Ok(())
    }

    /// Lets one frame pass, and cooks what is asked for.
    ///
    /// # Errors
    ///
    /// [`OpError::Cooking`] from inside an operator of this network.
    pub fn step(&self) -> Result<(), OpError> {
        self.advance(1)
    }

    /// Lets several frames pass at once, as a program does that could not keep up: one cook, and longer time slices.
    ///
    /// # Errors
    ///
    /// As [`step`](Self::step).
    pub fn advance(&self, frames: u64) -> Result<(), OpError> {
        let _one_thread = self.shared.lock();
        self.with(|state| {
            if state.in_frame {
                return Err(OpError::Cooking);
            }
            state.in_frame = true;
            state.begin_frame(frames);
            Ok(())
        })?;
        self.pull_roots();
        self.with(|state| state.end_frame());
        self.tell_watchers();
        self.with(|state| state.in_frame = false);
        Ok(())
    }

    pub(crate) fn handle(&self, id: OpId) -> Op {
        Op::new(self, id)
    }

    /// Keeps other threads out until the answer is dropped.
    pub(crate) fn hold(&self) -> impl Drop + '_ {
        Hold(self.shared.lock())
    }
}

struct Hold<'n>(
    #[expect(dead_code, reason = "held until it is dropped")]
    parking_lot::ReentrantMutexGuard<'n, RefCell<State>>,
);

impl Drop for Hold<'_> {
    fn drop(&mut self) {}
}

#[cfg(test)]
mod tests;
