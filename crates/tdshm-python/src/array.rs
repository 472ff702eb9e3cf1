//! From whatever Python gives to an array that is understood.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFloat, PyList, PyMapping, PyTuple};

use crate::errors::{Class, refuse};
use crate::view::{Found, look};

fn asarray(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static ASARRAY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let function =
        ASARRAY.get_or_try_init(py, || py.import("numpy")?.getattr("asarray").map(Bound::unbind))?;
    Ok(function.bind(py))
}

/// What `numpy.asarray` makes of it, in the machine's byte order, if that is of numbers and of at most three axes.
pub(crate) fn numbers<'py>(data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = data.py();
    let array = match look(data) {
        Found::Array(_) => return Ok(data.clone()),
        Found::Strange => data.clone(),
        Found::Other => asarray(py)?.call1((data,)).map_err(|error| unequal(py, error))?,
    };
    let array = match look(&array) {
        Found::Array(_) => return Ok(array),
        _ => native(&array)?,
    };
    match look(&array) {
        Found::Array(_) => Ok(array),
        _ => {
            let axes: usize = array.getattr("ndim")?.extract()?;
            if axes > 3 {
                let text = format_args!("the array has {axes} axes, and none here has more than 3");
                return Err(refuse(Class::Argument, text));
            }
            let dtype = array.getattr("dtype")?.str()?;
            let text = format_args!("elements of {dtype} are no numbers that can be sent: use float32");
            Err(refuse(Class::Dtype, text))
        }
    }
}

/// In the machine's byte order, where that is all that is wrong; long doubles as doubles.
fn native<'py>(array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let dtype = array.getattr("dtype")?;
    let kind: String = dtype.getattr("kind")?.extract()?;
    let is_long: bool = kind == "f" && dtype.getattr("itemsize")?.extract::<usize>()? > 8;
    if is_long {
        return cast(array, "float64");
    }
    if matches!(kind.as_str(), "b" | "i" | "u" | "f") {
        let native = dtype.call_method1("newbyteorder", ("=",))?;
        return array.call_method("astype", (native,), None);
    }
    Ok(array.clone())
}

/// With elements of another kind.
pub(crate) fn cast<'py>(array: &Bound<'py, PyAny>, dtype: &str) -> PyResult<Bound<'py, PyAny>> {
    array.call_method("astype", (dtype,), None)
}

/// numpy's own words for rows of unequal length are an error of ours.
fn unequal(py: Python<'_>, error: PyErr) -> PyErr {
    if error.is_instance_of::<pyo3::exceptions::PyValueError>(py) {
        let ours = refuse(Class::Argument, format_args!("no array can be made of that: {}", error.value(py)));
        ours.set_cause(py, Some(error));
        return ours;
    }
    error
}

/// Names and values.
pub(crate) type Named<'py> = Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>;

/// The names and values of a dictionary, or of what else Python takes for one. They are a copy: to make arrays of the values
/// runs code of anybody's, which may change the dictionary.
pub(crate) fn named<'py>(data: &Bound<'py, PyAny>) -> PyResult<Option<Named<'py>>> {
    if let Ok(dict) = data.cast::<PyDict>() {
        return Ok(Some(dict.iter().collect()));
    }
    if data.is_instance_of::<PyFloat>() || data.is_instance_of::<PyList>() {
        return Ok(None);
    }
    match data.cast::<PyMapping>() {
        Ok(mapping) => mapping.items()?.iter().map(|item| item.extract()).collect::<PyResult<_>>().map(Some),
        Err(_) => Ok(None),
    }
}

/// Names, as one text or several.
pub(crate) fn texts(what: &str, names: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    if names.is_instance_of::<pyo3::types::PyString>() {
        let text = format_args!("{what} is one text: give a list of them");
        return Err(refuse(Class::Argument, text));
    }
    names.try_iter()?.map(|name| name?.extract()).collect()
}

/// A tuple of texts.
pub(crate) fn tuple<'py>(py: Python<'py>, names: &[String]) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, names)
}
