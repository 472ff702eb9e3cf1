//! One frame of channels.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyString, PyTuple};
use tdshm_ops::pattern::Pattern;

use crate::errors::{Class, refuse};

/// The names of a frame, which many frames share.
#[derive(Debug)]
pub(crate) struct Names {
    list: Vec<String>,
    tuple: Py<PyTuple>,
    places: HashMap<String, usize>,
}

impl Names {
    pub(crate) fn new(py: Python<'_>, list: &[String]) -> PyResult<Arc<Self>> {
        let mut places = HashMap::with_capacity(list.len());
        for (place, name) in list.iter().enumerate() {
            places.entry(name.clone()).or_insert(place);
        }
        let tuple = PyTuple::new(py, list)?.unbind();
        Ok(Arc::new(Self { list: list.to_vec(), tuple, places }))
    }

    pub(crate) fn list(&self) -> &[String] {
        &self.list
    }
}

/// When a frame was written, and its place among others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receipt {
    pub(crate) number: Option<u64>,
    pub(crate) missed: Option<u64>,
    pub(crate) abandoned: bool,
    age: Option<(Duration, Instant)>,
}

impl Receipt {
    pub(crate) fn new(
        number: Option<u64>,
        missed: Option<u64>,
        abandoned: bool,
        age: Option<Duration>,
    ) -> Self {
        Self { number, missed, abandoned, age: age.map(|age| (age, Instant::now())) }
    }

    /// Of what was copied into the caller's own memory.
    pub(crate) fn unknown() -> Self {
        Self::new(None, None, false, None)
    }

    /// In seconds.
    pub(crate) fn age(&self) -> Option<f64> {
        self.age.map(|(then, at)| then.saturating_add(at.elapsed()).as_secs_f64())
    }
}

/// One frame of channels: memory of this program, which nobody else writes to.
///
/// Arrays that it gives are views of that memory: they keep it alive, and what is written to one shows in the others.
///
/// Examples
/// --------
/// >>> import tdshm
/// >>> with tdshm.ChopSender("doc_frame", ["tx", "ty", "rz"]) as sender, tdshm.ChopReceiver("doc_frame") as receiver:
/// ...     sender.send([[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]])
/// ...     frame = receiver.read()
/// >>> frame
/// <tdshm.ChopFrame: 3 channels x 2 samples at 60 Hz>
/// >>> frame["ty"]
/// array([1. , 1.5], dtype=float32)
/// >>> frame.chans("t*")
/// [array([0. , 0.5], dtype=float32), array([1. , 1.5], dtype=float32)]
/// >>> sorted(frame.to_dict("tx rz"))
/// ['rz', 'tx']
/// >>> frame.numpyArray().shape
/// (3, 2)
#[pyclass(frozen, module = "tdshm", name = "ChopFrame")]
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) array: Py<PyAny>,
    pub(crate) names: Arc<Names>,
    pub(crate) samples: usize,
    pub(crate) rate: f32,
    pub(crate) receipt: Receipt,
}

#[pymethods]
impl Frame {
    /// The samples of a channel, oldest first: a view of float32, numSamples long. By its name, or by its position, counted
    /// from 0 or, negative, from the end.
    ///
    /// Raises KeyError where no channel has that name, IndexError where there are fewer.
    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(name) = key.cast::<PyString>() {
            let name = name.to_cow()?;
            let Some(place) = self.names.places.get(&*name) else {
                let text = format!("no channel is called {name:?}: there is {}", self.names.list.join(", "));
                return Err(PyKeyError::new_err(text));
            };
            return self.row(py, *place);
        }
        self.array.bind(py).get_item(key)
    }

    /// The names, in the order of the channels.
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.names.tuple.bind(py).try_iter()
    }

    /// How many channels there are.
    fn __len__(&self) -> usize {
        self.names.list.len()
    }

    /// Whether a channel has that name.
    fn __contains__(&self, name: &Bound<'_, PyAny>) -> PyResult<bool> {
        match name.cast::<PyString>() {
            Ok(name) => Ok(self.names.places.contains_key(&*name.to_cow()?)),
            Err(_) => Ok(false),
        }
    }

    /// All samples, for ``numpy.asarray(frame)``.
    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        as_array(self.array.bind(py), dtype, copy)
    }

    /// The names of the channels, in their order. They may repeat.
    #[getter]
    fn names(&self, py: Python<'_>) -> Py<PyTuple> {
        self.names.tuple.clone_ref(py)
    }

    /// Channels.
    #[getter]
    #[pyo3(name = "numChans")]
    fn num_chans(&self) -> usize {
        self.names.list.len()
    }

    /// Samples in each channel.
    #[getter]
    #[pyo3(name = "numSamples")]
    fn num_samples(&self) -> usize {
        self.samples
    }

    /// Samples per second, in Hz.
    #[getter]
    fn rate(&self) -> f32 {
        self.rate
    }

    /// The frame's number, counted from 1 by a sender of this library; None where nobody counts.
    #[getter]
    fn number(&self) -> Option<u64> {
        self.receipt.number
    }

    /// How many frames this receiver did not see between the one before and this one; None where nobody counts.
    #[getter]
    fn missed(&self) -> Option<u64> {
        self.receipt.missed
    }

    /// How long ago it was written, in seconds, to some milliseconds, at this moment; None where nobody says.
    #[getter]
    fn age(&self) -> Option<f64> {
        self.receipt.age()
    }

    /// Whether the segment's lock had been left by a process that died with it: a frame of another program's may be half of
    /// one and half of another.
    #[getter]
    fn abandoned(&self) -> bool {
        self.receipt.abandoned
    }

    /// The samples of the channel of that name, or of the first that a pattern of TouchDesigner's matches, such as ``"t*"``, or of
    /// the one at that position; None where there is none.
    fn chan<'py>(&self, py: Python<'py>, pattern: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        if let Ok(place) = pattern.extract::<usize>() {
            return if place < self.names.list.len() { self.row(py, place).map(Some) } else { Ok(None) };
        }
        let Ok(pattern) = pattern.cast::<PyString>() else {
            return Err(PyTypeError::new_err("give a pattern of names, or a position counted from 0"));
        };
        let pattern = pattern.to_cow()?;
        // A name that is there means itself, whatever is in it.
        if let Some(place) = self.names.places.get(&*pattern) {
            return self.row(py, *place).map(Some);
        }
        self.select(&pattern)?.first().map(|place| self.row(py, *place)).transpose()
    }

    /// The samples of all channels that one of the patterns matches, in the order of the channels; of all without any.
    #[pyo3(signature = (*patterns))]
    fn chans<'py>(&self, py: Python<'py>, patterns: Vec<String>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.chosen(patterns)?.into_iter().map(|place| self.row(py, place)).collect()
    }

    /// The newest sample of the channel of that name, or of the first that a pattern matches, as a float.
    ///
    /// Raises KeyError where there is none, or it has no samples.
    fn value(&self, py: Python<'_>, pattern: &Bound<'_, PyAny>) -> PyResult<f64> {
        let newest = match self.chan(py, pattern)? {
            Some(channel) if self.samples > 0 => channel.get_item(self.samples.saturating_sub(1))?,
            _ => {
                return Err(PyKeyError::new_err(format!(
                    "no channel with samples is called {}",
                    pattern.repr()?
                )));
            }
        };
        newest.extract()
    }

    /// All samples: an array of float32, numChans x numSamples, packed, without a copy.
    #[pyo3(name = "numpyArray")]
    fn numpy_array(&self, py: Python<'_>) -> Py<PyAny> {
        self.array.clone_ref(py)
    }

    /// The channels that one of the patterns matches, all without any, as a dict of names to arrays. Of channels with one
    /// name it has the first.
    #[pyo3(signature = (*patterns))]
    fn to_dict<'py>(&self, py: Python<'py>, patterns: Vec<String>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for place in self.chosen(patterns)? {
            if let Some(name) = self.names.list.get(place)
                && self.names.places.get(name) == Some(&place)
            {
                dict.set_item(name, self.row(py, place)?)?;
            }
        }
        Ok(dict)
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a ChopFrame cannot be pickled: pickle what to_dict() or numpyArray() give"))
    }

    fn __repr__(&self) -> String {
        let (channels, samples) = (self.names.list.len(), self.samples);
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        format!(
            "<tdshm.ChopFrame: {channels} channel{} x {samples} sample{} at {} Hz>",
            plural(channels),
            plural(samples),
            self.rate
        )
    }
}

impl Frame {
    fn row<'py>(&self, py: Python<'py>, place: usize) -> PyResult<Bound<'py, PyAny>> {
        self.array.bind(py).get_item(place)
    }

    fn select(&self, pattern: &str) -> PyResult<Vec<usize>> {
        Ok(parse(pattern)?.select(&self.names.list))
    }

    fn chosen(&self, patterns: Vec<String>) -> PyResult<Vec<usize>> {
        if patterns.is_empty() {
            return Ok((0..self.names.list.len()).collect());
        }
        self.select(&patterns.join(" "))
    }
}

fn parse(pattern: &str) -> PyResult<Pattern> {
    Pattern::parse(pattern).map_err(|error| refuse(Class::Argument, error))
}

/// What `__array__` gives.
pub(crate) fn as_array<'py>(
    array: &Bound<'py, PyAny>,
    dtype: Option<&Bound<'py, PyAny>>,
    copy: Option<bool>,
) -> PyResult<Bound<'py, PyAny>> {
    let other = match dtype {
        Some(dtype) => !array.getattr("dtype")?.eq(dtype)?,
        None => false,
    };
    match (dtype, copy) {
        (Some(_), Some(false)) if other => {
            Err(pyo3::exceptions::PyValueError::new_err("elements of another type need a copy"))
        }
        (Some(dtype), _) if other => array.call_method1("astype", (dtype,)),
        (_, Some(true)) => array.call_method0("copy"),
        _ => Ok(array.clone()),
    }
}
