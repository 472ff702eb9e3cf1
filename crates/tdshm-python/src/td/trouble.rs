//! Which exception of `tdshm.td` an error is. One table.

use std::fmt::Display;
use std::path::PathBuf;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyModule;
use tdshm_io::SaveError;
use tdshm_ops::OpError;

fn class_of(error: &OpError) -> &'static str {
    match error {
        OpError::NoSuchPar { .. } => "tdAttributeError",
        OpError::NoSuchConnector { .. } => "tdIndexError",
        OpError::BadValue { .. }
        | OpError::BadName { .. }
        | OpError::NameTaken { .. }
        | OpError::OutOfRange { .. }
        | OpError::Mode { .. }
        | OpError::UnknownType { .. }
        | OpError::AmbiguousType { .. } => "tdValueError",
        _ => "tdError",
    }
}

/// The exception of an error of a network.
pub(super) fn raise(error: OpError) -> PyErr {
    make(class_of(&error), &error)
}

/// The exception of what did not become a file: what the system says is an `OSError`, as of any other file.
pub(super) fn raise_save(error: SaveError) -> PyErr {
    match &error {
        SaveError::Op(error) => make(class_of(error), error),
        SaveError::File(tdshm_io::FileError::Create { path, source }) => raise_file(source, path.clone()),
        error => make("tdValueError", error),
    }
}

/// What the system says of a file, as Python says it of any other.
pub(super) fn raise_file(error: &std::io::Error, path: PathBuf) -> PyErr {
    let text = error.to_string();
    match error.raw_os_error() {
        Some(code) => PyOSError::new_err((code, text, path)),
        None => PyOSError::new_err(text),
    }
}

/// An exception of the class of this name.
pub(super) fn make(class: &str, text: &dyn Display) -> PyErr {
    let text = text.to_string();
    Python::attach(|py| match module(py).and_then(|module| module.getattr(class)?.call1((text,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    })
}

/// Looks the classes up while that is possible, as `crate::errors::load` does.
pub(super) fn load(py: Python<'_>) -> PyResult<()> {
    module(py).map(|_| ())
}

fn module(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module =
        MODULE.get_or_try_init(py, || PyModule::import(py, "tdshm.td._errors").map(Bound::unbind))?;
    Ok(module.bind(py))
}
