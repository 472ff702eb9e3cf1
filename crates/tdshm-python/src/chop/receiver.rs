//! The receiving side.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::array;
use crate::chop::frame::{Frame, Names, Receipt};
use crate::errors::{Class, raise, refuse};
use crate::handle::Handle;
use crate::time::{Deadline, Stop, seconds};
use crate::view::{Found, Pool, array_of_samples, look};

/// Up to so many bytes are copied while this thread has Python's lock.
const SMALL: usize = 32 << 10;

/// Receives channels from TouchDesigner, and from any other program: a `Shared Mem In CHOP`.
///
/// It may be opened before the sender is there, stays when the sender leaves or dies, and goes on with the next one.
///
/// Parameters
/// ----------
/// name : str
///     The Shared Mem Name that the other side uses.
/// observe : bool
///     Only look: take no lock, and leave no trace, so that a segment which may only be read is enough.
/// lock_timeout : float
///     How many seconds to wait for a program that holds the segment's lock.
///
/// Raises
/// ------
/// InvalidNameError (a ValueError)
///     No segment can have that name. That nobody sends yet is no error: `read` gives None until somebody does.
///
/// Examples
/// --------
/// >>> import tdshm
/// >>> with tdshm.ChopReceiver("doc_receiver") as receiver:
/// ...     receiver.read() is None                  # nobody sends yet
/// ...     with tdshm.ChopSender("doc_receiver", ["tx"]) as sender:
/// ...         sender.send([0.5])
/// ...         float(receiver.wait(timeout=1)["tx"][0])
/// True
/// 0.5
///
/// All frames from now on, until the receiver is closed or Ctrl-C is pressed::
///
///     for frame in receiver:
///         print(frame.value("tx"), frame.missed)
///
///     async for frame in receiver:
///         ...
#[pyclass(frozen, weakref, module = "tdshm", name = "ChopReceiver")]
#[derive(Debug)]
pub(crate) struct Receiver {
    name: String,
    handle: Arc<Handle<State>>,
}

#[derive(Debug)]
struct State {
    receiver: tdshm::ChopReceiver,
    /// The names of the last frame, and one that keeps what they were made of alive.
    names: Option<(tdshm::ChopFrame, Arc<Names>)>,
    pool: Arc<Pool>,
    /// Bytes of the last frame.
    last: usize,
    /// Frames that were waited for by somebody who then went away.
    unread: VecDeque<Py<Frame>>,
}

#[pymethods]
impl Receiver {
    #[new]
    #[pyo3(signature = (name, *, observe=false, lock_timeout=Some(5.0)))]
    fn new(py: Python<'_>, name: &str, observe: bool, lock_timeout: Option<f64>) -> PyResult<Self> {
        let limit = seconds("lock_timeout", lock_timeout)?.unwrap_or(Duration::MAX);
        let builder = tdshm::SegmentReceiver::builder(name).observe(observe).lock_limit(limit);
        let receiver = tdshm::ChopReceiver::over(py.detach(|| builder.open()).map_err(raise)?);
        let state = State { receiver, names: None, pool: Arc::default(), last: 0, unread: VecDeque::new() };
        Ok(Self { name: name.to_owned(), handle: Handle::new("receiver", state) })
    }

    /// Read the newest frame, new or not; None while there is no sender, or it has not written yet.
    ///
    /// Parameters
    /// ----------
    /// out : numpy.ndarray, optional
    ///     A packed array of float32 that the samples are copied into, with as many elements as the frame has or more: all
    ///     of the first channel, then all of the next. The frame's arrays are views of it then, and its `number`, `missed`
    ///     and `age` are None. Other frames have memory of their own, which is used again once nobody looks at it.
    ///
    /// Raises
    /// ------
    /// BlockError (a ValueError)
    ///     What lies there breaks a rule of the protocol: somebody's sender is broken.
    /// ArgumentError (a ValueError)
    ///     `out` is too small, not packed, or may not be written.
    /// DtypeError (a TypeError)
    ///     `out` is no array of float32.
    /// LockTimeoutError (a TimeoutError)
    ///     Another program held the lock for longer than `lock_timeout`.
    #[pyo3(signature = (*, out=None))]
    fn read(&self, py: Python<'_>, out: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Py<Frame>>> {
        match out {
            Some(out) => self.read_out(py, out),
            None => {
                let mut state = self.handle.lock(py)?;
                let state = &mut *state;
                let taken = if state.last <= SMALL { state.read() } else { py.detach(|| state.read()) };
                state.last = match &taken {
                    Ok(Some(taken)) => taken.size_bytes(),
                    _ => state.last,
                };
                let taken = taken.map_err(raise)?;
                taken.map(|taken| state.frame(py, taken)).transpose()
            }
        }
    }

    /// Wait for the next frame that is new; None when there is none within `timeout` seconds. Without a timeout it waits for
    /// ever, also for a sender to come.
    ///
    /// Other threads run meanwhile, and Ctrl-C ends it. A sender of this library wakes it; for others it looks once a
    /// millisecond.
    ///
    /// Raises
    /// ------
    /// As `read`, and ClosedError (a ValueError) where another thread closed the receiver.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Py<Frame>>> {
        self.wait_until(py, Deadline::after(seconds("timeout", timeout)?), None)
    }

    /// The next frame, waiting until somebody sets `stop`, or the receiver is closed: None then.
    fn _wait(&self, py: Python<'_>, stop: &Stop) -> PyResult<Option<Py<Frame>>> {
        match self.wait_until(py, Deadline::after(None), Some(stop)) {
            Err(_) if self.handle.is_closed() => Ok(None),
            waited => waited,
        }
    }

    /// The next frame if it is there already.
    fn _try_next(&self, py: Python<'_>) -> PyResult<Option<Py<Frame>>> {
        self.wait_until(py, Deadline::after(Some(Duration::ZERO)), None)
    }

    /// Puts back a frame that nobody got.
    fn _unread(&self, py: Python<'_>, frame: Py<Frame>) -> PyResult<()> {
        self.handle.lock(py)?.unread.push_back(frame);
        Ok(())
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    /// The next frame that is new, however long that takes. Ends when the receiver is closed.
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<Frame>>> {
        match self.wait_until(py, Deadline::after(None), None) {
            Err(_) if self.handle.is_closed() => Ok(None),
            waited => waited,
        }
    }

    fn __aiter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("tdshm._async")?.call_method1("next_frame", (slf,))
    }

    /// The Shared Mem Name.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// The names of the channels of the newest frame that was read, as a tuple.
    #[getter]
    fn channels<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let names = self.handle.lock(py)?.receiver.names().to_vec();
        array::tuple(py, &names)
    }

    /// Whether there was a sender at the last look: "not yet", "yes", "left" or "died".
    #[getter]
    fn attached(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(attached(self.handle.lock(py)?.receiver.attached()))
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Let go of the segment. Whoever waits in another thread gives up. Closing twice is allowed.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let state = self.handle.take(py)?;
        py.detach(|| drop(state));
        Ok(())
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
            "a ChopReceiver cannot be pickled: make one with that name where frames are needed",
        ))
    }

    fn __repr__(&self) -> String {
        let closed = if self.handle.is_closed() { ", closed" } else { "" };
        format!("<tdshm.ChopReceiver {:?}{closed}>", self.name)
    }
}

/// What was taken from the core.
struct Taken {
    samples: Vec<f32>,
    shape: tdshm::ChopShape,
    receipt: Receipt,
}

impl Taken {
    fn size_bytes(&self) -> usize {
        size_of_val(self.samples.as_slice())
    }
}

impl Receiver {
    fn wait_until(
        &self,
        py: Python<'_>,
        deadline: Deadline,
        stop: Option<&Stop>,
    ) -> PyResult<Option<Py<Frame>>> {
        loop {
            let mut state = self.handle.lock(py)?;
            if let Some(frame) = state.unread.pop_front() {
                return Ok(Some(frame));
            }
            let slice = deadline.slice();
            let taken = if slice.is_zero() && state.last <= SMALL {
                state.next(slice)
            } else {
                let state = &mut *state;
                py.detach(|| state.next(slice))
            };
            if let Some(taken) = taken.map_err(raise)? {
                state.last = taken.size_bytes();
                return state.frame(py, taken).map(Some);
            }
            crate::handle::release(state);
            py.check_signals()?;
            if deadline.is_over() || stop.is_some_and(Stop::is_set) {
                return Ok(None);
            }
        }
    }

    fn read_out(&self, py: Python<'_>, out: &Bound<'_, PyAny>) -> PyResult<Option<Py<Frame>>> {
        let Found::Array(mut elements) = look(out) else {
            return Err(refuse(
                Class::Dtype,
                "out is no array of float32: use numpy.empty(…, numpy.float32)",
            ));
        };
        if elements.kind() != crate::view::Kind::F32 {
            let text = format_args!("out has elements of {}: use float32", elements.kind().name());
            return Err(refuse(Class::Dtype, text));
        }
        let room = elements.count();
        let mut state = self.handle.lock(py)?;
        let receiver = &mut state.receiver;
        let read = py.detach(|| elements.with_samples_mut(|to| receiver.read_into(to)));
        let Some(read) = read else {
            let text =
                "out is not packed, not aligned, or may not be written: use numpy.empty(…, numpy.float32)";
            return Err(refuse(Class::Argument, text));
        };
        let shape = match read {
            Ok(Some(shape)) => shape,
            Ok(None) => return Ok(None),
            Err(tdshm::Error::Block(error)) if error.field == "samples in the buffer" => {
                let text = format_args!("out has room for {room} samples: {error}");
                return Err(refuse(Class::Argument, text));
            }
            Err(error) => return Err(raise(error)),
        };
        let names = Names::new(py, state.receiver.names())?;
        drop(state);
        let (channels, samples) = (shape.num_channels, shape.len_samples);
        let array = match elements.shape() {
            [rows, columns] if (*rows, *columns) == (channels, samples) => out.clone(),
            _ => {
                let flat = out.call_method1("reshape", (-1_i8,))?;
                let count = channels.saturating_mul(samples);
                let used = flat.get_item(pyo3::types::PySlice::new(py, 0, count.cast_signed(), 1))?;
                used.call_method1("reshape", (channels, samples))?
            }
        };
        let frame = Frame {
            array: array.unbind(),
            names,
            samples,
            rate: shape.sample_rate,
            receipt: Receipt::unknown(),
        };
        Py::new(py, frame).map(Some)
    }
}

impl State {
    fn read(&mut self) -> Result<Option<Taken>, tdshm::Error> {
        let some = self.receiver.read()?.is_some();
        Ok(if some { self.taken() } else { None })
    }

    fn next(&mut self, limit: Duration) -> Result<Option<Taken>, tdshm::Error> {
        let some = self.receiver.next_timeout(limit)?.is_some();
        Ok(if some { self.taken() } else { None })
    }

    /// The last frame's samples, without a copy where they are not needed to tell it from the next one.
    fn taken(&mut self) -> Option<Taken> {
        let frame = self.receiver.frame()?;
        let shape = frame.shape();
        let receipt = Receipt::new(frame.number(), frame.missed(), frame.is_abandoned(), frame.age());
        let mut samples = self.pool.samples();
        if !self.receiver.swap_samples(&mut samples) {
            samples.clear();
            samples.extend_from_slice(self.receiver.frame()?.samples());
        }
        Some(Taken { samples, shape, receipt })
    }

    fn frame(&mut self, py: Python<'_>, taken: Taken) -> PyResult<Py<Frame>> {
        let Taken { samples, shape, receipt } = taken;
        let names = self.names(py)?;
        let (channels, length) = (shape.num_channels, shape.len_samples);
        let Some(array) = array_of_samples(py, samples, &[channels, length], &self.pool)? else {
            return Err(refuse(Class::Error, "the frame has other measures than it says"));
        };
        Py::new(py, Frame { array: array.unbind(), names, samples: length, rate: shape.sample_rate, receipt })
    }

    /// The names of the last frame. The core shares them between frames for as long as they stay, so it is enough to look
    /// whether they lie where they did.
    fn names(&mut self, py: Python<'_>) -> PyResult<Arc<Names>> {
        let list = self.receiver.frame().map(tdshm::ChopFrame::names).unwrap_or_default();
        if let Some((kept, names)) = &self.names
            && std::ptr::eq(kept.names(), list)
        {
            return Ok(Arc::clone(names));
        }
        let names = match &self.names {
            Some((_, names)) if names.list() == list => Arc::clone(names),
            _ => Names::new(py, list)?,
        };
        self.names = self.receiver.frame().map(|frame| (frame.clone(), Arc::clone(&names)));
        Ok(names)
    }
}

/// In one word or two.
pub(crate) fn attached(attached: tdshm::Attached) -> &'static str {
    match attached {
        tdshm::Attached::NotYet => "not yet",
        tdshm::Attached::Yes => "yes",
        tdshm::Attached::Left => "left",
        tdshm::Attached::Died => "died",
        _ => "unknown",
    }
}
