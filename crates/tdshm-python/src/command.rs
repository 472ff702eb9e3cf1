//! The command `tdshm`, run inside the interpreter.

use pyo3::prelude::*;

/// Runs the command with these arguments, and gives its exit status; `again` starts the same command once more.
#[pyfunction]
#[pyo3(name = "_run")]
pub(crate) fn run(py: Python<'_>, args: Vec<std::ffi::OsString>, again: Vec<std::ffi::OsString>) -> u8 {
    let mut again = again.into_iter();
    let again = match again.next() {
        Some(program) => tdshm_cli::Again::by(program, again),
        None => tdshm_cli::Again::by_itself(),
    };
    let args = std::iter::once("tdshm".into()).chain(args);
    py.detach(|| tdshm_cli::run_as(args, &again).code())
}
