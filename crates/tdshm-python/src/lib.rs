//! The private module `tdshm._tdshm`: what the typed package in `python/tdshm` is made of.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `catalogue` | what is in shared memory, and what nobody needs there |
//! | `command` | the command `tdshm` |
//! | `errors` | which Python exception each error is: one table |
//! | `td` | TouchDesigner's way: networks, operators, parameters |
#![deny(unsafe_code)]

mod catalogue;
mod command;
mod errors;
mod td;

use pyo3::prelude::*;

/// What the typed package is made of.
#[pymodule]
fn _tdshm(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(command::run, module)?)?;
    module.add_function(wrap_pyfunction!(catalogue::clean, module)?)?;
    td::register(module)
}
