//! A connector.

use pyo3::prelude::*;
use tdshm_ops::{Connector, Side};

use super::op::TdOp;
use super::{Ours, outside};

/// A connector; the typed package makes a `Connector` of it.
#[pyclass(frozen, module = "tdshm._tdshm")]
pub(crate) struct TdConnector(pub(super) Ours<Connector>);

impl From<Connector> for TdConnector {
    fn from(it: Connector) -> Self {
        Self(Ours::new(it))
    }
}

#[pymethods]
impl TdConnector {
    #[getter]
    fn owner(&self) -> TdOp {
        TdOp(self.0.beside(self.0.owner()))
    }

    #[getter]
    fn index(&self) -> usize {
        self.0.index()
    }

    #[getter]
    fn is_input(&self) -> bool {
        self.0.side() == Side::Input
    }

    #[getter]
    fn description(&self) -> String {
        self.0.description()
    }

    fn connect_op(&self, py: Python<'_>, op: &TdOp) -> PyResult<()> {
        outside(py, &self.0, || self.0.connect_op(&op.0))
    }

    fn connect_to(&self, py: Python<'_>, connector: &Self) -> PyResult<()> {
        outside(py, &self.0, || self.0.connect_to(&connector.0))
    }

    fn disconnect(&self, py: Python<'_>) -> PyResult<()> {
        outside(py, &self.0, || self.0.disconnect())
    }

    fn connections(&self, py: Python<'_>) -> PyResult<Vec<Self>> {
        Ok(outside(py, &self.0, || self.0.connections())?.into_iter().map(Self::from).collect())
    }
}
