//! The receiving side.

use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PySlice, PyTuple};

use crate::array;
use crate::chop::frame::{Frame, Names, Receipt};
use crate::errors::{Class, raise, refuse};
use crate::handle::Handle;
use crate::time::{Deadline, Stop, detach, seconds};
use crate::view::{Found, Pool, array_of_samples, look};
use crate::wait::{Inbox, SMALL, Source};

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
    handle: Arc<Handle<Inbox<State>>>,
}

#[derive(Debug)]
pub(crate) struct State {
    receiver: tdshm::ChopReceiver,
    /// The names of the last frame, and one that keeps what they were made of alive.
    names: Option<(tdshm::ChopFrame, Arc<Names>)>,
    /// Those of a block that went into an array of the caller's.
    others: Option<Arc<Names>>,
    pool: Arc<Pool>,
}

#[pymethods]
impl Receiver {
    #[new]
    #[pyo3(
        signature = (name, *, observe=false, lock_timeout=Some(5.0)),
        text_signature = "(name, *, observe=False, lock_timeout=5.0)"
    )]
    fn new(py: Python<'_>, name: &str, observe: bool, lock_timeout: Option<f64>) -> PyResult<Self> {
        let limit = seconds("lock_timeout", lock_timeout)?.unwrap_or(Duration::MAX);
        let builder = tdshm::SegmentReceiver::builder(name).observe(observe).lock_limit(limit);
        let receiver = tdshm::ChopReceiver::over(detach(py, || builder.open()).map_err(raise)?);
        let state = State { receiver, names: None, others: None, pool: Arc::default() };
        Ok(Self { name: name.to_owned(), handle: Handle::new("receiver", Inbox::new(state)) })
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
            None => self.handle.read(py),
        }
    }

    /// Wait for the next frame that is new; None when there is none within `timeout` seconds. Without a timeout it waits for
    /// ever, also for a sender to come.
    ///
    /// Other threads run meanwhile, and Ctrl-C ends it. A sender of this library wakes it; for others it looks once a
    /// millisecond. Of a large frame (above 32 KiB) whose sender dies the last one may come twice, with no number then.
    ///
    /// Raises
    /// ------
    /// As `read`, and ClosedError (a ValueError) where another thread closed the receiver.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Py<Frame>>> {
        self.handle.wait(py, Deadline::after(seconds("timeout", timeout)?), None)
    }

    /// The next frame, waiting until somebody sets `stop`, or the receiver is closed: None then.
    fn _wait(&self, py: Python<'_>, stop: &Stop) -> PyResult<Option<Py<Frame>>> {
        self.handle.wait_to_end(py, Some(stop))
    }

    /// The next frame if it is there already.
    fn _try_next(&self, py: Python<'_>) -> PyResult<Option<Py<Frame>>> {
        self.handle.wait(py, Deadline::after(Some(Duration::ZERO)), None)
    }

    /// Puts back a frame that nobody got.
    fn _unread(&self, py: Python<'_>, frame: Py<Frame>) -> PyResult<()> {
        self.handle.unread(py, frame)
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    /// The next frame that is new, however long that takes. Ends when the receiver is closed.
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<Frame>>> {
        self.handle.wait_to_end(py, None)
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
        let names = self.handle.lock(py)?.source.receiver.names().to_vec();
        array::tuple(py, &names)
    }

    /// Whether there was a sender at the last look: "not yet", "yes", "left" or "died".
    #[getter]
    fn attached(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(attached(self.handle.lock(py)?.source.receiver.attached()))
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Let go of the segment. Whoever waits in another thread gives up. Closing twice is allowed.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.handle.close(py)
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
pub(crate) struct Taken {
    samples: Vec<f32>,
    shape: tdshm::ChopShape,
    receipt: Receipt,
}

impl Receiver {
    fn read_out(&self, py: Python<'_>, out: &Bound<'_, PyAny>) -> PyResult<Option<Py<Frame>>> {
        let Found::Array(mut elements) = look(out) else {
            return Err(refuse(
                Class::Dtype,
                "out is no array of float32: use numpy.empty(…, numpy.float32)",
            ));
        };
        if elements.kind() != crate::kind::Kind::F32 {
            let text = format_args!("out has elements of {}: use float32", elements.kind().name());
            return Err(refuse(Class::Dtype, text));
        }
        let room = elements.count();
        let mut inbox = self.handle.lock(py)?;
        let receiver = &mut inbox.source.receiver;
        let read = detach(py, || elements.with_samples_mut(|to| receiver.read_into(to)));
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
        let names = inbox.source.names_of_block(py)?;
        drop(inbox);
        let (channels, samples) = (shape.num_channels, shape.len_samples);
        let array = match elements.shape() {
            [rows, columns] if (*rows, *columns) == (channels, samples) => out.clone(),
            _ => {
                let flat = out.call_method1("reshape", (-1_i8,))?;
                let count = channels.saturating_mul(samples);
                let used = flat.get_item(py.get_type::<PySlice>().call1((count,))?)?;
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

impl Source for State {
    type Taken = Taken;
    type Frame = Frame;

    fn read(&mut self) -> Result<Option<Taken>, tdshm::Error> {
        let some = self.receiver.read()?.is_some();
        Ok(if some { self.taken() } else { None })
    }

    fn next(&mut self, limit: Duration) -> Result<Option<Taken>, tdshm::Error> {
        let some = self.receiver.next_timeout(limit)?.is_some();
        Ok(if some { self.taken() } else { None })
    }

    fn size_bytes(taken: &Taken) -> usize {
        size_of_val(taken.samples.as_slice())
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
}

impl State {
    /// The last frame's samples: without a copy where that is worth it, and where they are not needed to tell it from the
    /// next one. What was given away comes once more where its sender died, so what is small stays.
    fn taken(&mut self) -> Option<Taken> {
        let frame = self.receiver.frame()?;
        let shape = frame.shape();
        let receipt = Receipt::new(frame.number(), frame.missed(), frame.is_abandoned(), frame.age());
        let mut samples = self.pool.samples();
        let small = size_of_val(frame.samples()) <= SMALL;
        if small || !self.receiver.swap_samples(&mut samples) {
            samples.clear();
            samples.extend_from_slice(self.receiver.frame()?.samples());
        }
        Some(Taken { samples, shape, receipt })
    }

    /// The names of the block that was read last, whose frame went elsewhere.
    fn names_of_block(&mut self, py: Python<'_>) -> PyResult<Arc<Names>> {
        let list = self.receiver.names();
        match (&self.names, &self.others) {
            (Some((_, names)), _) | (_, Some(names)) if names.list() == list => Ok(Arc::clone(names)),
            _ => {
                let names = Names::new(py, list)?;
                self.others = Some(Arc::clone(&names));
                Ok(names)
            }
        }
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
