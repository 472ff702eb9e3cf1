//! The sending side.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyString, PyTuple};

use crate::array;
use crate::errors::{Class, raise, raise_argument, refuse};
use crate::handle::Handle;
use crate::time::{detach, seconds};
use crate::view::{Elements, Found, look};
use crate::wait::{Patience, SMALL};

/// Sends channels to TouchDesigner, and to any other program: a `Shared Mem Out CHOP`.
///
/// Parameters
/// ----------
/// name : str
///     The Shared Mem Name that the other side uses.
/// channels : sequence of str, optional
///     The names of the channels. Every frame then has as many channels. Without names the channels are called `chan1`,
///     `chan2`, …, or what the keys of a dict say.
/// rate : float
///     Samples per second, in Hz.
/// samples : int, optional
///     Room for so many samples in each channel, so that no frame has to move to a larger segment.
/// lock_timeout : float
///     How many seconds to wait for a program that holds the segment's lock.
/// take_over : bool
///     Take the name also from a sender that is not of this library, and that looks alive.
/// mode : int, optional
///     Unix: the permission bits of the segment, ``0o600`` by default.
///
/// Raises
/// ------
/// AlreadyExistsError (a FileExistsError)
///     Another program sends under that name.
/// InvalidNameError (a ValueError)
///     No segment can have that name.
/// ArgumentError (a ValueError)
///     A rate that is not finite and above 0.
///
/// Examples
/// --------
/// >>> import tdshm
/// >>> with tdshm.ChopSender("doc_sender", ["tx", "ty"], rate=60) as sender:
/// ...     sender.send([0.25, -1.0])                    # a value for each channel
/// ...     sender.send([[0.0, 0.1], [1.0, 1.1]])        # numChans x numSamples
/// ...     sender.send({"tx": 0.5, "ty": 2.0})          # by their names
/// ...     sender.frames
/// 3
#[pyclass(frozen, weakref, module = "tdshm", name = "ChopSender")]
#[derive(Debug)]
pub(crate) struct Sender {
    name: String,
    handle: Arc<Handle<State>>,
}

#[derive(Debug)]
struct State {
    sender: tdshm::ChopSender,
    /// What its channels are called; none: by their numbers.
    names: Vec<String>,
    places: HashMap<String, usize>,
    /// The names were given, and not taken from a dict.
    named: bool,
    rate: f32,
    patience: Patience,
    /// Samples in the order of the channels.
    sorted: Vec<f32>,
}

#[pymethods]
impl Sender {
    #[new]
    #[pyo3(
        signature = (name, channels=None, rate=60.0, *, samples=None, lock_timeout=Some(5.0), take_over=false, mode=None),
        text_signature = "(name, channels=None, rate=60.0, *, samples=None, lock_timeout=5.0, take_over=False, mode=None)"
    )]
    #[allow(clippy::too_many_arguments, reason = "named in Python")]
    fn new(
        py: Python<'_>,
        name: &str,
        channels: Option<&Bound<'_, PyAny>>,
        rate: f64,
        samples: Option<usize>,
        lock_timeout: Option<f64>,
        take_over: bool,
        mode: Option<u32>,
    ) -> PyResult<Self> {
        let names = channels.map(|names| array::texts("channels", names)).transpose()?.unwrap_or_default();
        let limit = seconds("lock_timeout", lock_timeout)?;
        let mut builder = tdshm::ChopSender::builder(name)
            .channels(names.iter().cloned())
            .sample_rate(rate as f32)
            .take_over(take_over)
            .lock_limit(limit.unwrap_or(Duration::from_secs(5)));
        if let Some(samples) = samples {
            builder = builder.room_for(names.len().max(1), samples);
        }
        if let Some(mode) = mode {
            builder = builder.mode(mode);
        }
        let sender = detach(py, || builder.create()).map_err(raise_argument)?;
        let mut state = State {
            sender,
            named: !names.is_empty(),
            names: Vec::new(),
            places: HashMap::new(),
            rate: rate as f32,
            patience: Patience::new(limit),
            sorted: Vec::new(),
        };
        state.remember(names);
        Ok(Self { name: name.to_owned(), handle: Handle::new("sender", state) })
    }

    /// Send one frame.
    ///
    /// Parameters
    /// ----------
    /// data : array_like or dict
    ///     An array of numChans x numSamples, oldest sample first; or of one axis, one value for each channel; or a dict of
    ///     names to values, or to sequences of values, all of them equally long. Elements are sent as float32: an array of
    ///     that type whose elements lie one right behind the other is copied into the segment and nowhere else, any other
    ///     is converted on its way.
    ///
    ///     A dict names the channels of a sender that was given no names, until frames have another number of channels.
    ///     Where names were given it has to have each of them, in any order.
    ///
    /// Raises
    /// ------
    /// ArgumentError (a ValueError)
    ///     The number of channels is not the number of names, a dict's name is none of them, or sequences are of unequal
    ///     length. Nothing was sent.
    /// DtypeError (a TypeError)
    ///     The elements are no real numbers.
    /// LockTimeoutError (a TimeoutError)
    ///     Another program held the lock for longer than `lock_timeout`. The frame is lost, the next one may work.
    ///
    /// Examples
    /// --------
    /// >>> import numpy, tdshm
    /// >>> with tdshm.ChopSender("doc_send") as sender:
    /// ...     sender.send(numpy.zeros((2, 100), numpy.float32))   # chan1 and chan2
    /// ...     sender.send({"left": [0.0, 0.5], "right": [1.0, 0.5]})
    /// ...     sender.channels
    /// ('left', 'right')
    #[pyo3(signature = (data, /))]
    fn send(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = data.py();
        // No Python code runs while the sender is locked: it could ask for the sender.
        match look(data) {
            Found::Array(elements) => self.handle.lock(py)?.send(py, &elements),
            found => {
                let named = if matches!(found, Found::Other) { array::named(data)? } else { None };
                if let Some(named) = named {
                    return self.send_named(py, named);
                }
                let array = array::numbers(data)?;
                match look(&array) {
                    Found::Array(elements) => self.handle.lock(py)?.send(py, &elements),
                    _ => Err(PyTypeError::new_err("not an array")),
                }
            }
        }
    }

    /// The Shared Mem Name.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// The names of the channels, as a tuple; none before a dict was sent, where none were given. Names that are set count
    /// from the next frame on.
    #[getter]
    fn channels<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let names = self.handle.lock(py)?.names.clone();
        array::tuple(py, &names)
    }

    #[setter]
    fn set_channels(&self, py: Python<'_>, names: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let names = names.map(|names| array::texts("channels", names)).transpose()?.unwrap_or_default();
        let mut state = self.handle.lock(py)?;
        state.sender.set_channels(names.iter().cloned()).map_err(raise_argument)?;
        state.named = !names.is_empty();
        state.remember(names);
        Ok(())
    }

    /// Samples per second, in Hz. A rate that is set counts from the next frame on.
    #[getter]
    fn rate(&self, py: Python<'_>) -> PyResult<f32> {
        Ok(self.handle.lock(py)?.rate)
    }

    #[setter]
    fn set_rate(&self, py: Python<'_>, rate: f64) -> PyResult<()> {
        let mut state = self.handle.lock(py)?;
        state.sender.set_sample_rate(rate as f32).map_err(raise_argument)?;
        state.rate = rate as f32;
        Ok(())
    }

    /// How many frames were sent.
    #[getter]
    fn frames(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.handle.lock(py)?.sender.frames())
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Leave: receivers are told, and the name is free. Closing twice is allowed.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        match self.handle.take(py)? {
            Some(state) => detach(py, || state.sender.detach()).map_err(raise),
            None => Ok(()),
        }
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_args))]
    fn __exit__(&self, py: Python<'_>, _args: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py)
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "a ChopSender cannot be pickled: it owns its segment; make it in the process that sends",
        ))
    }

    fn __repr__(&self) -> String {
        let closed = if self.handle.is_closed() { ", closed" } else { "" };
        format!("<tdshm.ChopSender {:?}{closed}>", self.name)
    }
}

impl Sender {
    fn send_named(&self, py: Python<'_>, named: array::Named<'_>) -> PyResult<()> {
        let mut names = Vec::with_capacity(named.len());
        let mut samples = Vec::with_capacity(named.len());
        let mut length = None;
        for (name, values) in named {
            let Ok(name) = name.cast::<PyString>() else {
                let text = format_args!("{} is no name of a channel: use a str", name.repr()?);
                return Err(refuse(Class::Dtype, text));
            };
            let before = samples.len();
            if let Ok(value) = values.cast::<PyFloat>() {
                samples.push(value.extract::<f64>()? as f32);
            } else {
                let array = array::numbers(&values)?;
                if let Found::Array(elements) = look(&array) {
                    if elements.shape().len() > 1 {
                        let text = format_args!(
                            "the values of {name} have {} axes: give a number, or a sequence of numbers",
                            elements.shape().len()
                        );
                        return Err(refuse(Class::Argument, text));
                    }
                    elements.append_samples(&mut samples);
                }
            }
            let has = samples.len().saturating_sub(before);
            let expected = *length.get_or_insert(has);
            if has != expected {
                let text = format_args!(
                    "{name} has {has} samples, and the channel before it {expected}: give every channel the same number"
                );
                return Err(refuse(Class::Argument, text));
            }
            names.push(name.to_cow()?.into_owned());
        }
        let length = length.unwrap_or(0);
        self.handle.lock(py)?.send_named(py, names, samples, length)
    }
}

impl State {
    fn remember(&mut self, names: Vec<String>) {
        self.places = names.iter().cloned().zip(0..).collect();
        self.names = names;
    }

    #[inline]
    fn send(&mut self, py: Python<'_>, elements: &Elements<'_>) -> PyResult<()> {
        let (channels, samples) = match *elements.shape() {
            [channels, samples] => (channels, samples),
            [values] => (values, 1),
            [] => (1, 1),
            ref shape => {
                let text = format_args!(
                    "the array has {} axes: give numChans x numSamples, or one value for each channel",
                    shape.len()
                );
                return Err(refuse(Class::Argument, text));
            }
        };
        if !self.named && !self.names.is_empty() && self.names.len() != channels {
            // They were a dict's.
            self.sender.set_channels([""; 0]).map_err(raise_argument)?;
            self.remember(Vec::new());
        }
        let small = elements.count().saturating_mul(size_of::<f32>()) <= SMALL;
        let elements = *elements;
        self.patience.attempt(py, &mut self.sender, small, move |sender| {
            sender.send_with(channels, samples, |block| elements.copy_samples(&mut block.samples()))
        })
    }

    fn send_named(
        &mut self,
        py: Python<'_>,
        names: Vec<String>,
        samples: Vec<f32>,
        length: usize,
    ) -> PyResult<()> {
        if names == self.names {
            return self.send_flat(py, &samples, length);
        }
        if !self.named {
            self.sender.set_channels(names.iter().cloned()).map_err(raise_argument)?;
            self.remember(names);
            return self.send_flat(py, &samples, length);
        }
        let mut sorted = std::mem::take(&mut self.sorted);
        sorted.clear();
        sorted.resize(samples.len(), 0.0);
        for (index, name) in names.iter().enumerate() {
            let Some(place) = self.places.get(name) else {
                let text =
                    format_args!("no channel is called {name:?}: this sender has {}", self.names.join(", "));
                return Err(refuse(Class::Argument, text));
            };
            let range = |at: usize| {
                let begin = at.saturating_mul(length);
                begin..begin.saturating_add(length)
            };
            if let (Some(to), Some(from)) = (sorted.get_mut(range(*place)), samples.get(range(index))) {
                to.copy_from_slice(from);
            }
        }
        if names.len() != self.names.len() {
            let missing: Vec<_> = self.names.iter().filter(|name| !names.contains(name)).cloned().collect();
            let text =
                format_args!("nothing is said of {}: give a value for each channel", missing.join(", "));
            return Err(refuse(Class::Argument, text));
        }
        let sent = self.send_flat(py, &sorted, length);
        self.sorted = sorted;
        sent
    }

    fn send_flat(&mut self, py: Python<'_>, samples: &[f32], length: usize) -> PyResult<()> {
        let small = size_of_val(samples) <= SMALL;
        self.patience.attempt(py, &mut self.sender, small, |sender| sender.send_flat(samples, length))
    }
}
