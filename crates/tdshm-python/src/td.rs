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

use pyo3::prelude::*;

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

/// Does something with a network while other threads may use the interpreter.
fn outside<T: Send>(
    py: Python<'_>,
    act: impl FnOnce() -> Result<T, tdshm_ops::OpError> + Send,
) -> PyResult<T> {
    py.detach(act).map_err(trouble::raise)
}
