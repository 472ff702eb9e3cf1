//! Which Python exception an error is. The classes are those of `tdshm/_errors.py`, and this is the one table.

use std::fmt::Display;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyModule, PyType};

/// An exception of the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    AlreadyExists,
    Argument,
    Block,
    Busy,
    Closed,
    Dtype,
    Error,
    Forked,
    Gone,
    InvalidName,
    LockTimeout,
    NoRoom,
    NotFound,
    Refused,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Self::AlreadyExists => "AlreadyExistsError",
            Self::Argument => "ArgumentError",
            Self::Block => "BlockError",
            Self::Busy => "BusyError",
            Self::Closed => "ClosedError",
            Self::Dtype => "DtypeError",
            Self::Error => "Error",
            Self::Forked => "ForkedError",
            Self::Gone => "GoneError",
            Self::InvalidName => "InvalidNameError",
            Self::LockTimeout => "LockTimeoutError",
            Self::NoRoom => "NoRoomError",
            Self::NotFound => "NotFoundError",
            Self::Refused => "RefusedError",
        }
    }

    /// By the number of the error (wire §10), and where that is a number of a later version, by its kind.
    fn of(error: &tdshm::Error) -> Self {
        use tdshm::ErrorKind;
        match (error.code(), error.kind()) {
            (100, _) => Self::InvalidName,
            (105, _) => Self::Forked,
            (5 | 115, _) => Self::NoRoom,
            (6 | 101, _) => Self::LockTimeout,
            (1 | 3, _) => Self::AlreadyExists,
            (113 | 117 | 118, _) => Self::Argument,
            (103 | 104 | 106 | 111 | 112 | 120, _) | (_, ErrorKind::Broken) => Self::Block,
            (_, ErrorKind::Absent) => Self::NotFound,
            (_, ErrorKind::Gone) => Self::Gone,
            (_, ErrorKind::Busy | ErrorKind::Retry) => Self::Busy,
            (_, ErrorKind::Refused) => Self::Refused,
            _ => Self::Error,
        }
    }
}

/// The exception of an error of the core, with its text and its number.
pub(crate) fn raise(error: impl Into<tdshm::Error>) -> PyErr {
    let error = error.into();
    make(Class::of(&error), &error, error.code())
}

/// As [`raise`], where a block that breaks a rule is one that was to be sent: the fault is the argument's.
#[cold]
pub(crate) fn raise_argument(error: impl Into<tdshm::Error>) -> PyErr {
    match error.into() {
        error @ tdshm::Error::Block(_) => make(Class::Argument, &error, error.code()),
        error => raise(error),
    }
}

/// An exception of ours, with that text.
pub(crate) fn refuse(class: Class, text: impl Display) -> PyErr {
    make(class, &text, 0)
}

fn make(class: Class, text: &dyn Display, code: i32) -> PyErr {
    let text = text.to_string();
    Python::attach(|py| match instance(py, class, &text, code) {
        Ok(error) => PyErr::from_value(error),
        // The package's own file is missing or was changed: that is the error then.
        Err(error) => error,
    })
}

fn instance<'py>(py: Python<'py>, class: Class, text: &str, code: i32) -> PyResult<Bound<'py, PyAny>> {
    let error = module(py)?.getattr(class.name())?.cast_into::<PyType>()?.call1((text,))?;
    if code != 0 {
        error.setattr("code", code)?;
    }
    Ok(error)
}

/// Looks the classes up while that is possible: late in the interpreter's end nothing can be imported any more.
pub(crate) fn load(py: Python<'_>) -> PyResult<()> {
    module(py).map(|_| ())
}

fn module(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || PyModule::import(py, "tdshm._errors").map(Bound::unbind))?;
    Ok(module.bind(py))
}
