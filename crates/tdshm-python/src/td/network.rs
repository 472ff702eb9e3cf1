//! A network.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tdshm_ops::patch::Patch;
use tdshm_ops::{Network, OpError, Registry};

use crate::handle::{Close, remember};
use crate::time::is_alone;

use super::op::TdOp;
use super::{Ours, away, outside, trouble};

/// A network; the typed package makes a `Network` of it.
#[pyclass(frozen, module = "tdshm._tdshm")]
pub(crate) struct TdNetwork(Arc<Ours<Network>>);

impl Close for Ours<Network> {
    fn close_at_exit(&self) {
        // Whoever is in the midst of it, and did not come back, keeps it.
        if self.check().is_ok() && is_alone() {
            let _left = close(self);
        }
    }
}

/// Destroys all operators: segments are left.
fn close(net: &Network) -> Result<(), OpError> {
    for op in net.root().children()? {
        match op.destroy() {
            // Another thread was faster.
            Ok(()) | Err(OpError::Destroyed) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What a clock shows: rate, frame, absolute frame, whether it plays, first and last frame, seconds, absolute seconds.
type Clock = (f64, f64, u64, bool, f64, f64, f64, f64);

#[pymethods]
impl TdNetwork {
    #[new]
    fn new(py: Python<'_>) -> PyResult<Self> {
        trouble::load(py)?;
        let mut registry = Registry::standard();
        tdshm_io::op::register(&mut registry);
        let net = Arc::new(Ours::new(Network::with_registry(registry)));
        remember(Arc::downgrade(&net) as Weak<dyn Close>);
        Ok(Self(net))
    }

    fn root(&self) -> TdOp {
        TdOp(self.0.beside(self.0.root()))
    }

    /// Lets frames pass, with one cook.
    fn advance(&self, py: Python<'_>, frames: u64) -> PyResult<()> {
        outside(py, &self.0, || self.0.advance(frames))
    }

    fn clock(&self, py: Python<'_>) -> PyResult<Clock> {
        let time = away(py, &self.0, || self.0.time())?;
        let (seconds, abs_seconds) = (time.seconds(), time.abs_seconds());
        Ok((time.rate, time.frame, time.abs_frame, time.play, time.start, time.end, seconds, abs_seconds))
    }

    fn set_rate(&self, py: Python<'_>, rate: f64) -> PyResult<()> {
        outside(py, &self.0, || self.0.set_rate(rate))
    }

    fn set_play(&self, py: Python<'_>, play: bool) -> PyResult<()> {
        away(py, &self.0, || self.0.set_play(play))
    }

    fn set_range(&self, py: Python<'_>, start: f64, end: f64) -> PyResult<()> {
        outside(py, &self.0, || self.0.set_range(start, end))
    }

    fn jump(&self, py: Python<'_>, frame: f64) -> PyResult<()> {
        outside(py, &self.0, || self.0.jump(frame))
    }

    fn set_folder(&self, py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        away(py, &self.0, || self.0.set_folder(folder))
    }

    fn set_global_name(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        away(py, &self.0, || self.0.set_global_name(name))
    }

    fn set_resolution_multiplier(&self, py: Python<'_>, multiplier: f64) -> PyResult<()> {
        outside(py, &self.0, || self.0.set_resolution_multiplier(multiplier))
    }

    /// Applies the patch in a file, and gives the paths of its operators.
    fn load(&self, py: Python<'_>, path: PathBuf) -> PyResult<Vec<String>> {
        let text = away(py, &self.0, || fs::read_to_string(&path))?
            .map_err(|error| trouble::raise_file(&error, path.clone()))?;
        let paths = self.apply(py, &text)?;
        away(py, &self.0, || {
            let folder = std::path::absolute(&path).ok();
            if let Some(folder) = folder.as_deref().and_then(std::path::Path::parent) {
                self.0.set_folder(folder);
            }
        })?;
        Ok(paths)
    }

    /// Applies a patch.
    fn apply(&self, py: Python<'_>, text: &str) -> PyResult<Vec<String>> {
        away(py, &self.0, || {
            let patch = Patch::parse_with(text, &self.0.registry())
                .map_err(|error| trouble::make("tdValueError", &error))?;
            patch.apply(&self.0).map_err(trouble::raise)?;
            Ok(patch.paths().map(str::to_owned).collect())
        })?
    }

    /// All operator types: type, family, label, and what it does.
    fn types(&self, py: Python<'_>) -> PyResult<Vec<(String, String, String, String)>> {
        let registry = away(py, &self.0, || self.0.registry())?;
        let types = registry.types();
        let all = types.map(|spec| {
            let family = spec.family.name();
            (spec.op_type.into(), family.into(), spec.label.into(), spec.summary.into())
        });
        Ok(all.collect())
    }

    /// Destroys all operators: segments are left.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        outside(py, &self.0, || close(&self.0))
    }
}

pub(super) fn duration(seconds: f64, what: &str) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err(format!("{what} is {seconds}, and must be seconds from 0 on")))
}
