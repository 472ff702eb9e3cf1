//! TouchDesigner's way: networks, operators, parameters.
//!
//! The classes here are handles with Rust's names; what TouchDesigner calls things, and which Python class an operator is of,
//! is said in `python/tdshm/td`. Everything that may meet the lock of a network lets go of the interpreter first: the thread
//! that cooks may be waiting for the interpreter, to call a script.

mod channel;
mod connector;
mod data;
mod network;
mod op;
mod par;
mod script;
mod trouble;
mod value;

use std::ops::Deref;

use pyo3::exceptions::PySystemExit;
use pyo3::prelude::*;

use crate::errors::{Class, refuse};
use crate::handle;
use crate::time::{is_ender, leave};

/// Adds the classes of this part to the private module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<network::TdNetwork>()?;
    module.add_class::<op::TdOp>()?;
    module.add_class::<par::TdPar>()?;
    module.add_class::<channel::TdChannel>()?;
    module.add_class::<connector::TdConnector>()?;
    data::register(module)?;
    script::register(module)
}

/// Something of a network, and the process that made it: a child that was forked would wait for a thread that it does not have.
pub(crate) struct Ours<T> {
    made: u64,
    it: T,
}

impl<T> Ours<T> {
    fn new(it: T) -> Self {
        Self { made: handle::forks(), it }
    }

    fn check(&self) -> PyResult<()> {
        if self.made == handle::forks() {
            return Ok(());
        }
        let text = "the network belongs to the process from which this one was forked: make one here";
        Err(refuse(Class::Forked, text))
    }

    /// What belongs to the same network.
    fn beside<U>(&self, it: U) -> Ours<U> {
        Ours { made: self.made, it }
    }
}

impl<T> Deref for Ours<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.it
    }
}

/// Does something with a network while other threads may use the interpreter.
fn away<U, T: Send>(py: Python<'_>, ours: &Ours<U>, act: impl FnOnce() -> T + Send) -> PyResult<T> {
    ours.check()?;
    leave(py, act).ok_or_else(|| match is_ender() {
        true => trouble::make("tdError", &"the interpreter ends"),
        // A thread that nobody waits for: what it has to say would only be noise.
        false => PySystemExit::new_err("the interpreter ends"),
    })
}

/// The same with something that may go wrong.
fn outside<U, T: Send>(
    py: Python<'_>,
    ours: &Ours<U>,
    act: impl FnOnce() -> Result<T, tdshm_ops::OpError> + Send,
) -> PyResult<T> {
    away(py, ours, act)?.map_err(trouble::raise)
}
