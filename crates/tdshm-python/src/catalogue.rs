//! What is in the machine's shared memory, and what nobody needs there any more.

use pyo3::prelude::*;
use tdshm::{DryRun, Fate, SweptKind};

use crate::errors::raise;

/// See `tdshm.clean`: object, kind, fate and what is known of it.
type SweptRow = (String, &'static str, &'static str, Option<u32>, Option<String>);

/// Removes what the dead have left, of `names` alone where there are any.
#[pyfunction]
#[pyo3(name = "_clean")]
pub(crate) fn clean(py: Python<'_>, names: Vec<String>, dry_run: bool) -> PyResult<Vec<SweptRow>> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let dry_run = if dry_run { DryRun::Yes } else { DryRun::No };
    let swept = py.detach(|| tdshm::clean(&names, dry_run)).map_err(raise)?;
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
