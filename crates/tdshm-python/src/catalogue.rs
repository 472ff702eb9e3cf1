//! What is in the machine's shared memory, and what nobody needs there any more.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use tdshm::{BlockKind, DryRun, Fate, SegmentReport, SweptKind};

use crate::errors::raise;
use crate::time::detach;
use crate::top::name;

/// What is there, sorted by name: a dict for each segment.
#[pyfunction]
#[pyo3(name = "_list")]
pub(crate) fn list(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let reports = detach(py, tdshm::list).map_err(raise)?;
    let dicts = reports.iter().map(|report| dict(py, report)).collect::<PyResult<Vec<_>>>()?;
    PyList::new(py, dicts)
}

/// The same of one.
#[pyfunction]
#[pyo3(name = "_info")]
pub(crate) fn info<'py>(py: Python<'py>, segment: &str) -> PyResult<Bound<'py, PyDict>> {
    let report = detach(py, || tdshm::inspect(segment)).map_err(raise)?;
    dict(py, &report)
}

/// The fields of `tdshm.SegmentInfo`.
fn dict<'py>(py: Python<'py>, report: &SegmentReport) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("name", report.name.as_str())?;
    let kind = match report.kind {
        BlockKind::Chop => "channels",
        BlockKind::Top => "image",
        BlockKind::Global => "global",
        _ => "unknown",
    };
    dict.set_item("kind", kind)?;
    dict.set_item("segment", &report.segment)?;
    dict.set_item("size_bytes", report.mapped_bytes)?;
    dict.set_item("detached", report.detached)?;
    if let Some(notices) = &report.notices {
        dict.set_item("frames", notices.frames)?;
        dict.set_item("age", notices.age.map(|age| age.as_secs_f64()))?;
        dict.set_item("pid", notices.owner_pid)?;
        dict.set_item("alive", notices.owner_alive)?;
        dict.set_item("program", &notices.program)?;
        dict.set_item("receivers", notices.receivers.iter().filter(|r| r.alive).count())?;
    }
    let broken = report.chop.as_ref().and_then(|chop| chop.layout.as_ref().err());
    let broken = broken.or(report.top.as_ref().and_then(|top| top.layout.as_ref().err()));
    dict.set_item("problem", broken.map(ToString::to_string))?;
    if let Some(Ok(chop)) = report.chop.as_ref().map(|chop| &chop.layout) {
        dict.set_item(
            "channels",
            chop.names.clone().map(|names| pyo3::types::PyTuple::new(py, names)).transpose()?,
        )?;
        dict.set_item("numChans", chop.num_channels)?;
        dict.set_item("numSamples", chop.len_samples)?;
        dict.set_item("rate", chop.sample_rate)?;
    }
    if let Some(Ok(top)) = report.top.as_ref().map(|top| &top.layout) {
        dict.set_item("width", top.shape.width)?;
        dict.set_item("height", top.shape.height)?;
        dict.set_item("format", name(top.shape.texels))?;
    }
    Ok(dict)
}

/// See `tdshm.clean`: object, kind, fate and what is known of it.
type SweptRow = (String, &'static str, &'static str, Option<u32>, Option<String>);

/// Removes what the dead have left, of `names` alone where there are any.
#[pyfunction]
#[pyo3(name = "_clean")]
pub(crate) fn clean(py: Python<'_>, names: Vec<String>, dry_run: bool) -> PyResult<Vec<SweptRow>> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let dry_run = if dry_run { DryRun::Yes } else { DryRun::No };
    let swept = detach(py, || tdshm::clean(&names, dry_run)).map_err(raise)?;
    Ok(swept.into_iter().map(row).collect())
}

fn row(swept: tdshm::Swept) -> SweptRow {
    let kind = match swept.kind {
        SweptKind::Data => "data",
        SweptKind::Info => "info",
        SweptKind::Lock => "lock",
        _ => "other",
    };
    let (fate, pid, reason) = match swept.fate {
        Fate::Removed => ("removed", None, None),
        Fate::InUse { pid } => ("in use", pid, None),
        Fate::HeldOpen => ("held open", None, None),
        Fate::Foreign => ("foreign", None, None),
        Fate::OutOfReach { reason } => ("out of reach", None, Some(reason)),
        _ => ("unknown", None, None),
    };
    (swept.object, kind, fate, pid, reason)
}
