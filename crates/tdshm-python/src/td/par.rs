//! A parameter.

use std::path::PathBuf;

use pyo3::prelude::*;
use tdshm_ops::{Hold, OpError, Par, ParMode};

use super::network::duration;
use super::op::TdOp;
use super::value::{Given, to_python};
use super::{Ours, away, outside, trouble};

/// A parameter; the typed package makes a `Par` of it.
#[pyclass(frozen, module = "tdshm._tdshm")]
pub(crate) struct TdPar(pub(super) Ours<Par>);

impl From<Par> for TdPar {
    fn from(it: Par) -> Self {
        Self(Ours::new(it))
    }
}

impl TdPar {
    fn value(
        &self,
        py: Python<'_>,
        get: impl FnOnce() -> Result<tdshm_ops::Value, OpError> + Send,
    ) -> PyResult<Py<PyAny>> {
        let value = outside(py, &self.0, get)?;
        to_python(py, self.0.owner().network(), value)
    }
}

#[pymethods]
impl TdPar {
    #[getter]
    fn owner(&self) -> TdOp {
        TdOp(self.0.beside(self.0.owner()))
    }

    fn valid(&self, py: Python<'_>) -> PyResult<bool> {
        away(py, &self.0, || self.0.is_valid())
    }

    /// What it says of itself, by TD's name for it.
    fn member(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        self.value(py, || self.0.member(name))
    }

    fn eval(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.value(py, || self.0.eval())
    }

    fn eval_expression(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.value(py, || Ok(self.0.eval_expression()?.unwrap_or_default()))
    }

    fn eval_export(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.value(py, || Ok(self.0.eval_export()?.unwrap_or_default()))
    }

    fn eval_norm(&self, py: Python<'_>) -> PyResult<f64> {
        outside(py, &self.0, || self.0.eval_norm())
    }

    fn eval_ops(&self, py: Python<'_>) -> PyResult<Vec<TdOp>> {
        Ok(super::op::wrap_all(outside(py, &self.0, || self.0.eval_ops())?))
    }

    fn eval_file(&self, py: Python<'_>) -> PyResult<Option<PathBuf>> {
        outside(py, &self.0, || self.0.eval_file())
    }

    fn set(&self, py: Python<'_>, value: Given) -> PyResult<()> {
        outside(py, &self.0, || self.0.set(value.0))
    }

    fn set_norm(&self, py: Python<'_>, norm: f64) -> PyResult<()> {
        outside(py, &self.0, || self.0.set_norm(norm))
    }

    fn set_menu_index(&self, py: Python<'_>, index: usize) -> PyResult<()> {
        outside(py, &self.0, || self.0.set_menu_index(index))
    }

    fn set_expr(&self, py: Python<'_>, text: &str) -> PyResult<()> {
        outside(py, &self.0, || self.0.set_expr(text))
    }

    fn set_bind_expr(&self, py: Python<'_>, text: &str) -> PyResult<()> {
        outside(py, &self.0, || self.0.set_bind_expr(text))
    }

    /// By TD's word for it.
    fn set_mode(&self, py: Python<'_>, mode: &str) -> PyResult<()> {
        let all = [ParMode::Constant, ParMode::Expression, ParMode::Export, ParMode::Bind];
        let found = all.into_iter().find(|known| known.name() == mode);
        let mode = found.ok_or_else(|| {
            let text = format!("{mode:?} is no mode: give a ParMode, such as ParMode.EXPRESSION");
            trouble::make("tdValueError", &text)
        })?;
        outside(py, &self.0, || self.0.set_mode(mode))
    }

    fn menu(&self, py: Python<'_>) -> PyResult<Option<(Vec<String>, Vec<String>)>> {
        outside(py, &self.0, || Ok(self.0.menu_names()?.zip(self.0.menu_labels()?)))
    }

    fn reset(&self, py: Python<'_>) -> PyResult<bool> {
        outside(py, &self.0, || self.0.reset())
    }

    fn pulse(&self, py: Python<'_>, value: Given, frames: u64, seconds: f64) -> PyResult<()> {
        let time = duration(seconds, "the length of the pulse")?;
        let hold = match (frames, time.is_zero()) {
            (0, true) => Hold::Cook,
            (0, false) => Hold::Time(time),
            (frames, _) => Hold::Frames(frames),
        };
        outside(py, &self.0, || self.0.pulse_for(value.0, hold))
    }

    /// The operator that drives it, and the channel's place there.
    fn export_source(&self, py: Python<'_>) -> PyResult<Option<(TdOp, usize)>> {
        Ok(outside(py, &self.0, || self.0.export_source())?.map(|(op, channel)| (TdOp::from(op), channel)))
    }

    fn copy_from(&self, py: Python<'_>, source: &Self) -> PyResult<()> {
        outside(py, &self.0, || self.0.copy_from(&source.0))
    }
}
