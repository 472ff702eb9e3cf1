//! The private module `tdshm._tdshm`: what the typed package in `python/tdshm` is made of.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `view` | memory of numpy's arrays: the one place with `unsafe` |
//! | `kind` | what elements there are |
//! | `array` | from whatever Python gives to an array that is understood |
//! | `handle` | what every sender and receiver has in common: threads, forks, the end of the interpreter |
//! | `time` | times as Python gives them, and waits that Ctrl-C ends |
//! | `wait` | sending and receiving with patience |
//! | `chop`, `top` | channels, images: sender, receiver, frame |
//! | `catalogue` | what is in shared memory, and what nobody needs there |
//! | `command` | the command `tdshm` |
//! | `errors` | which Python exception each error is: one table |
//! | `td` | TouchDesigner's way: networks, operators, parameters |
#![deny(unsafe_code)]

mod array;
mod catalogue;
mod chop;
mod command;
mod errors;
mod handle;
mod kind;
mod td;
mod time;
mod top;
mod view;
mod wait;

use pyo3::prelude::*;

/// What the typed package is made of.
#[pymodule]
fn _tdshm(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // Its table of functions is looked up at the first use, and cannot say then that it is not there: as here, or when the
    // interpreter has ended so far that nothing can be imported any more.
    module.py().import("numpy")?;
    drop(numpy::PyArray1::<f32>::from_vec(module.py(), Vec::new()));
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<chop::Frame>()?;
    module.add_class::<chop::Receiver>()?;
    module.add_class::<chop::Sender>()?;
    module.add_class::<time::Stop>()?;
    module.add_class::<top::Drawing>()?;
    module.add_class::<top::Frame>()?;
    module.add_class::<top::Receiver>()?;
    module.add_class::<top::Sender>()?;
    module.add_function(wrap_pyfunction!(command::run, module)?)?;
    module.add_function(wrap_pyfunction!(catalogue::clean, module)?)?;
    module.add_function(wrap_pyfunction!(catalogue::info, module)?)?;
    module.add_function(wrap_pyfunction!(catalogue::list, module)?)?;
    module.add_function(wrap_pyfunction!(handle::close_all, module)?)?;
    module.add_function(wrap_pyfunction!(handle::forked, module)?)?;
    td::register(module)?;
    // The stub says what there is, and the package what is public.
    module.delattr("__all__")
}
