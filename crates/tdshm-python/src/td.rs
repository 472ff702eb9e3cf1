//! TouchDesigner's way: networks, operators, parameters.

use pyo3::prelude::*;

/// Adds the classes of this part to the private module.
pub(crate) fn register(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
