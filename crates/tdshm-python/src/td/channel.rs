//! A channel.

use numpy::PyArray1;
use pyo3::prelude::*;
use tdshm_ops::Channel;

use super::op::TdOp;
use super::par::TdPar;
use super::{Ours, away, outside};

/// A channel; the typed package makes a `Channel` of it.
#[pyclass(frozen, module = "tdshm._tdshm")]
pub(crate) struct TdChannel(pub(super) Ours<Channel>);

impl From<Channel> for TdChannel {
    fn from(it: Channel) -> Self {
        Self(Ours::new(it))
    }
}

#[pymethods]
impl TdChannel {
    #[getter]
    fn owner(&self) -> TdOp {
        TdOp(self.0.beside(self.0.owner()))
    }

    #[getter]
    fn index(&self) -> usize {
        self.0.index()
    }

    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    fn valid(&self, py: Python<'_>) -> PyResult<bool> {
        away(py, &self.0, || self.0.is_valid())
    }

    /// At the current time; `None` where the channel is gone, as in all of these.
    fn eval(&self, py: Python<'_>) -> PyResult<Option<f64>> {
        outside(py, &self.0, || self.0.eval())
    }

    fn eval_at(&self, py: Python<'_>, index: i64) -> PyResult<Option<f64>> {
        outside(py, &self.0, || self.0.eval_at(index))
    }

    fn eval_frame(&self, py: Python<'_>, frame: f64) -> PyResult<Option<f64>> {
        outside(py, &self.0, || self.0.eval_frame(frame))
    }

    fn eval_seconds(&self, py: Python<'_>, seconds: f64) -> PyResult<Option<f64>> {
        outside(py, &self.0, || self.0.eval_seconds(seconds))
    }

    /// A copy of its samples, 32-bit floats.
    fn samples<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        Ok(PyArray1::from_vec(py, outside(py, &self.0, || self.0.vals())?))
    }

    fn exports(&self, py: Python<'_>) -> PyResult<Vec<TdPar>> {
        Ok(outside(py, &self.0, || self.0.exports())?.into_iter().map(TdPar::from).collect())
    }
}
