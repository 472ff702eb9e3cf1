//! Script operators: Python code that cooks.

use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use tdshm_ops::ScriptCallback;
use tdshm_ops::clip::{ChannelNames, Clip};

use super::op::TdOp;
use super::outside;

/// What a script has made: names, samples, rate, start, whether they are a time slice.
type Made<'py> = (Vec<String>, PyReadonlyArray2<'py, f32>, f64, i64, bool);

/// Adds the functions of this file to the private module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(set_script, module)?)
}

/// Gives a Script operator what cooks it: called with nothing, it gives the text of an error, what it made, or `None` where
/// the output stays.
///
/// What it holds of the network it must hold weakly: the network owns it.
#[pyfunction]
#[pyo3(name = "_td_set_script")]
fn set_script(py: Python<'_>, op: &TdOp, cook: Py<PyAny>) -> PyResult<()> {
    let script = ScriptCallback::new(move |running| {
        let made = Python::try_attach(|py| ask(py, &cook));
        match made {
            Some(Ok(Some(clip))) => running.fill_clip(|out| out.copy_from(&clip)).map_err(|e| e.to_string()),
            Some(Ok(None)) => Ok(()),
            Some(Err(problem)) => Err(problem),
            None => Err("the interpreter is about to end".into()),
        }
    });
    outside(py, &op.0, || op.0.set_script(script))
}

fn ask(py: Python<'_>, cook: &Py<PyAny>) -> Result<Option<Clip>, String> {
    let answer = cook.call0(py).map_err(|error| error.to_string())?;
    let answer = answer.bind(py);
    if answer.is_none() {
        return Ok(None);
    }
    if let Ok(problem) = answer.extract::<String>() {
        return Err(problem);
    }
    let (names, samples, rate, start, is_slice) =
        answer.extract::<Made<'_>>().map_err(|error| error.to_string())?;
    let mut clip = Clip::default();
    let len = samples.shape().get(1).copied().unwrap_or(0);
    let to = clip.shape(ChannelNames::new(names), len).map_err(|error| error.to_string())?;
    match samples.as_slice() {
        Ok(samples) if samples.len() == to.len() => to.copy_from_slice(samples),
        _ => return Err("the samples are no rows of one channel each".into()),
    }
    clip.set_rate(rate).map_err(|error| error.to_string())?;
    clip.set_start(start);
    clip.set_slice(is_slice);
    Ok(Some(clip))
}
