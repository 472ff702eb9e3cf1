//! Values of parameters, to Python and back.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyString};
use tdshm_ops::{Network, Value};

use super::op::TdOp;

/// A value as Python has it; an operator of this network as its handle.
pub(super) fn to_python(py: Python<'_>, net: &Network, value: Value) -> PyResult<Py<PyAny>> {
    Ok(match value {
        Value::None => py.None(),
        Value::Bool(value) => PyBool::new(py, value).to_owned().into_any().unbind(),
        Value::Int(value) => value.into_pyobject(py)?.into_any().unbind(),
        Value::Float(value) => PyFloat::new(py, value).into_any().unbind(),
        Value::Str(text) => PyString::new(py, &text).into_any().unbind(),
        Value::Op(id) => match crate::time::leave(py, || net.op(&id.number().to_string())) {
            Some(Ok(op)) => Py::new(py, TdOp::from(op))?.into_any(),
            _ => py.None(),
        },
        other => PyString::new(py, &other.to_string()).into_any().unbind(),
    })
}

/// What somebody gave for a value: nothing, a truth, a number, a text, or an operator.
pub(super) struct Given(pub(super) Value);

impl<'py> FromPyObject<'_, 'py> for Given {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(if given.is_none() {
            Value::None
        } else if let Ok(value) = given.cast::<PyBool>() {
            Value::Bool(value.is_true())
        } else if let Ok(text) = given.cast::<PyString>() {
            Value::from(text.to_cow()?.as_ref())
        } else if let Ok(op) = given.cast::<TdOp>() {
            Value::Op(op.get().0.id())
        } else if given.is_instance_of::<PyInt>() || given.hasattr("__index__")? {
            match given.extract::<i64>() {
                Ok(number) => Value::Int(number),
                // Numbers of any length: as a float, which every limit brings back.
                Err(_) => Value::Float(given.extract()?),
            }
        } else if given.hasattr("__float__")? {
            Value::Float(given.extract()?)
        } else {
            let kind = given.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "a parameter takes numbers, texts and operators, and no {kind}"
            )));
        }))
    }
}
