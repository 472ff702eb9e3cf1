//! What operators put out: channels, pixels, cells, and files of them.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use numpy::{PyArray1, PyArray2, PyArray3, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tdshm_io::op::Folders;
use tdshm_ops::clip::Clip;
use tdshm_ops::image::Image;
use tdshm_ops::{OpError, Pattern, Table};

use super::channel::TdChannel;
use super::op::TdOp;
use super::{away, outside, trouble};
use crate::time::detach;

/// Names, samples (a row a channel), rate, start, whether it is a time slice.
pub(super) type Channels<'py> = (Vec<String>, Bound<'py, PyArray2<f32>>, f64, i64, bool);

/// Adds the functions of this file to the private module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(channel, module)?)?;
    module.add_function(wrap_pyfunction!(channels, module)?)?;
    module.add_function(wrap_pyfunction!(matching, module)?)?;
    module.add_function(wrap_pyfunction!(samples, module)?)?;
    module.add_function(wrap_pyfunction!(last_channels, module)?)?;
    module.add_function(wrap_pyfunction!(pixels, module)?)?;
    module.add_function(wrap_pyfunction!(sample, module)?)?;
    module.add_function(wrap_pyfunction!(cells, module)?)?;
    module.add_function(wrap_pyfunction!(set_cells, module)?)?;
    module.add_function(wrap_pyfunction!(save, module)?)?;
    module.add_function(wrap_pyfunction!(picture, module)?)
}

/// The channel of exactly this name, or at this place.
#[pyfunction]
#[pyo3(name = "_td_channel")]
fn channel(
    py: Python<'_>,
    op: &TdOp,
    name: Option<&str>,
    index: Option<usize>,
) -> PyResult<Option<TdChannel>> {
    let found = outside(py, &op.0, || match (name, index) {
        (Some(name), _) => op.0.channel(name),
        (None, Some(index)) => op.0.channel_at(index),
        (None, None) => Ok(None),
    })?;
    Ok(found.map(TdChannel::from))
}

/// All channels that a pattern means.
#[pyfunction]
#[pyo3(name = "_td_channels")]
fn channels(py: Python<'_>, op: &TdOp, pattern: &str, case_sensitive: bool) -> PyResult<Vec<TdChannel>> {
    let found = outside(py, &op.0, || {
        if case_sensitive { op.0.chans(pattern) } else { op.0.chans_in_any_case(pattern) }
    })?;
    Ok(found.into_iter().map(TdChannel::from).collect())
}

/// The places of the names that a pattern means; none where nobody could tell, as for [`channels`].
#[pyfunction]
#[pyo3(name = "_td_matching")]
fn matching(mut names: Vec<String>, pattern: &str, case_sensitive: bool) -> Vec<usize> {
    let mut pattern = Cow::Borrowed(pattern);
    if !case_sensitive {
        names.iter_mut().for_each(|name| *name = name.to_lowercase());
        pattern = pattern.to_lowercase().into();
    }
    Pattern::parse(&pattern).map(|pattern| pattern.select(&names)).unwrap_or_default()
}

/// A copy of all samples, a row a channel.
#[pyfunction]
#[pyo3(name = "_td_samples")]
fn samples<'py>(py: Python<'py>, op: &TdOp) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let clip = outside(py, &op.0, || op.0.clip())?;
    rows(py, &clip)
}

/// What it put out last, without being asked to cook.
#[pyfunction]
#[pyo3(name = "_td_last_channels")]
fn last_channels<'py>(py: Python<'py>, op: &TdOp) -> PyResult<Channels<'py>> {
    let data = outside(py, &op.0, || op.0.last_data())?;
    let clip = data.as_clip().cloned().unwrap_or_default();
    let names = clip.names().iter().map(str::to_owned).collect();
    Ok((names, rows(py, &clip)?, clip.rate(), clip.start(), clip.is_slice()))
}

fn rows<'py>(py: Python<'py>, clip: &Arc<Clip>) -> PyResult<Bound<'py, PyArray2<f32>>> {
    // As many bytes as a large clip has are copied while others use the interpreter.
    let samples = detach(py, || clip.samples().to_vec());
    PyArray1::from_vec(py, samples).reshape([clip.num_channels(), clip.len_samples()])
}

/// The pixels as floats, the bottom row first; `None` where there is no image.
#[pyfunction]
#[pyo3(name = "_td_pixels")]
fn pixels<'py>(py: Python<'py>, op: &TdOp, delayed: bool) -> PyResult<Option<Bound<'py, PyArray3<f32>>>> {
    let made = outside(py, &op.0, || {
        let image = if delayed { op.0.delayed_image() } else { op.0.image() }?;
        Ok(image.map(|image: Arc<Image>| (image.to_rgba32f(), image.height(), image.width())))
    })?;
    made.map(|(rgba, height, width)| PyArray1::from_vec(py, rgba).reshape([height, width, 4])).transpose()
}

/// One pixel, by its place in pixels or, without that, in the image.
#[pyfunction]
#[pyo3(name = "_td_sample")]
fn sample(
    py: Python<'_>,
    op: &TdOp,
    pixel: Option<(usize, usize)>,
    place: (f64, f64),
) -> PyResult<Option<(f32, f32, f32, f32)>> {
    let found = outside(py, &op.0, || match pixel {
        Some((x, y)) => op.0.sample(x, y),
        None => op.0.sample_uv(place.0, place.1),
    })?;
    Ok(found.map(|[r, g, b, a]| (r, g, b, a)))
}

/// All cells, row by row.
#[pyfunction]
#[pyo3(name = "_td_cells")]
fn cells(py: Python<'_>, op: &TdOp) -> PyResult<Vec<Vec<String>>> {
    let table = outside(py, &op.0, || op.0.table())?;
    Ok(table.rows().map(|row| row.iter().map(|cell| cell.as_ref().to_owned()).collect()).collect())
}

/// Replaces the cells of a Table DAT.
#[pyfunction]
#[pyo3(name = "_td_set_cells")]
fn set_cells(py: Python<'_>, op: &TdOp, rows: Vec<Vec<String>>) -> PyResult<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    if rows.len() > Table::MOST || columns > Table::MOST {
        return Err(trouble::raise(OpError::Unsupported {
            op: outside(py, &op.0, || op.0.path())?,
            what: "hold as many cells",
            advice: "a table has up to 65536 rows and columns",
        }));
    }
    outside(py, &op.0, || op.0.set_table(Table::from_rows(rows)))
}

/// Saves what it puts out, and gives the path.
#[pyfunction]
#[pyo3(name = "_td_save")]
fn save(py: Python<'_>, op: &TdOp, path: PathBuf, create_folders: bool) -> PyResult<PathBuf> {
    let folders = if create_folders { Folders::Create } else { Folders::MustExist };
    away(py, &op.0, || tdshm_io::op::save(&op.0, path, folders))?.map_err(trouble::raise_save)
}

/// A picture file of what a TOP puts out.
#[pyfunction]
#[pyo3(name = "_td_picture")]
fn picture<'py>(py: Python<'py>, op: &TdOp, extension: &str) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = away(py, &op.0, || tdshm_io::op::to_bytes(&op.0, extension))?.map_err(trouble::raise_save)?;
    Ok(PyBytes::new(py, &bytes))
}
