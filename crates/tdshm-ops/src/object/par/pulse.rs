//! Buttons: a value for a moment.

use core::time::Duration;

use super::Par;
use crate::Value;
use crate::error::OpError;
use crate::network::state::State;
use crate::value::OpId;

/// How long a pulse holds its value.
///
/// # Source
///
/// operators §10.3: `Par.pulse(value=1, frames=0, seconds=0)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Hold {
    /// The operator cooks once with it, then it is put back.
    #[default]
    Cook,
    /// So many frames, the current one included.
    Frames(u64),
    /// So long, in frames of the network's rate: at least one.
    Time(Duration),
}

/// A value that is put back when its time is over.
#[derive(Debug)]
pub(crate) struct Pulse {
    pub(crate) op: OpId,
    par: usize,
    /// The first absolute frame that has the old value again.
    until: u64,
    before: Value,
    pulsed: Value,
}

impl Par {
    /// Presses a button: sets it, cooks the operator, and sets it back.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn pulse(&self) -> Result<(), OpError> {
        self.pulse_with(1)
    }

    /// The same with a value of any parameter.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn pulse_with(&self, value: impl Into<Value>) -> Result<(), OpError> {
        self.pulse_for(value, Hold::Cook)
    }

    /// The same, and the value stays for some frames, at the end of which the one from before comes back. What somebody
    /// sets in between stays. A pulse that begins within another one goes on from it.
    ///
    /// ```
    /// use tdshm_ops::{Hold, Network};
    ///
    /// let net = Network::new();
    /// let level = net.root().create("constantCHOP", "level")?.par("const0value")?;
    /// level.pulse_for(0.5, Hold::Frames(2))?;
    /// net.step()?;
    /// assert_eq!(level.eval_f64()?, 0.5);
    /// net.step()?;
    /// assert_eq!(level.eval_f64()?, 0.0);
    /// # Ok::<(), tdshm_ops::OpError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn pulse_for(&self, value: impl Into<Value>, hold: Hold) -> Result<(), OpError> {
        let _one_thread = self.net.hold();
        let under_way = self.net.with(|state| state.end_of_pulse(self.op, self.index));
        let before = match under_way {
            Some(before) => before,
            None => self.val()?,
        };
        self.set(value)?;
        let pulsed = self.val()?;
        self.net.pull(self.op, false);
        let frames = match hold {
            Hold::Cook => 0,
            Hold::Frames(frames) => frames,
            Hold::Time(time) => frames_of(time, self.net.time().rate),
        };
        if frames == 0 {
            return self.change(|par| {
                par.value = before.clone();
                par.constant = before;
            });
        }
        self.net.with(|state| {
            let until = state.time.abs_frame.saturating_add(frames);
            state.pulses.push(Pulse { op: self.op, par: self.index, until, before, pulsed });
        });
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, as clocks do")]
fn frames_of(time: Duration, rate: f64) -> u64 {
    if time.is_zero() { 0 } else { ((time.as_secs_f64() * rate - 1e-9).ceil() as u64).max(1) }
}

impl State {
    /// Puts back what was pulsed and is over in this frame.
    pub(crate) fn end_pulses(&mut self) {
        let now = self.time.abs_frame;
        self.put_back(|pulse| pulse.until <= now);
    }

    /// Puts back all that is pulsed of an operator.
    #[cfg(feature = "patch")]
    pub(crate) fn end_pulses_of(&mut self, op: OpId) {
        self.put_back(|pulse| pulse.op == op);
    }

    fn put_back(&mut self, is_over: impl Fn(&Pulse) -> bool) {
        if self.pulses.is_empty() {
            return;
        }
        let (over, kept) = std::mem::take(&mut self.pulses).into_iter().partition(is_over);
        self.pulses = kept;
        let over: Vec<Pulse> = over;
        for Pulse { op, par, before, pulsed, .. } in over {
            let Some(node) = self.get_mut(op) else { continue };
            let Some(par) = node.pars.get_mut(par).filter(|par| par.constant.is_same(&pulsed)) else {
                continue;
            };
            if par.mode == crate::ParMode::Constant && !par.spec.style.is_op() {
                par.value = before.clone();
            }
            par.constant = before;
            par.found_in = None;
            node.dirty = true;
            self.roots_of = None;
        }
    }

    /// Takes away the pulse of a parameter that is under way, and gives what it would put back.
    fn end_of_pulse(&mut self, op: OpId, par: usize) -> Option<Value> {
        let at = self.pulses.iter().position(|pulse| (pulse.op, pulse.par) == (op, par))?;
        let pulse = self.pulses.swap_remove(at);
        let constant = &self.get(op)?.pars.get(par)?.constant;
        constant.is_same(&pulse.pulsed).then_some(pulse.before)
    }
}
