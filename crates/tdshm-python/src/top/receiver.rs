//! The receiving side.

use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use tdshm::{PixelsMut, RowOrder, TopShape};

use crate::chop::{Receipt, attached};
use crate::errors::{Class, raise, refuse};
use crate::handle::Handle;
use crate::kind::Kind;
use crate::time::{Deadline, Stop, detach, seconds};
use crate::top::format::{self, Layout};
use crate::top::frame::Frame;
use crate::view::{Found, Pool, array_of_bytes, look};
use crate::wait::{Inbox, SMALL, Source};

/// Receives images from TouchDesigner, and from any other program: a `Shared Mem In TOP`.
///
/// It may be opened before the sender is there, stays when the sender leaves or dies, and goes on with the next one; size
/// and format may change at every image.
///
/// Parameters
/// ----------
/// name : str
///     The Shared Mem Name that the other side uses.
/// flip : bool
///     Arrays have the bottom row first, as TouchDesigner does. By default the top row is the first, as in most of Python.
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
/// >>> import numpy, tdshm
/// >>> with tdshm.TopReceiver("doc_images") as receiver:
/// ...     receiver.read() is None                  # nobody sends yet
/// ...     with tdshm.TopSender("doc_images") as sender:
/// ...         sender.send(numpy.zeros((480, 640, 3), numpy.uint8))
/// ...         receiver.wait(timeout=1).numpyArray()[0, 0].tolist()
/// True
/// [0, 0, 0, 255]
#[pyclass(frozen, weakref, module = "tdshm", name = "TopReceiver")]
#[derive(Debug)]
pub(crate) struct Receiver {
    name: String,
    first: RowOrder,
    handle: Arc<Handle<Inbox<State>>>,
}

#[derive(Debug)]
pub(crate) struct State {
    receiver: tdshm::TopReceiver,
    pool: Arc<Pool>,
}

/// What was taken from the core.
pub(crate) struct Taken {
    pixels: Vec<u8>,
    shape: TopShape,
    receipt: Receipt,
}

#[pymethods]
impl Receiver {
    #[new]
    #[pyo3(
        signature = (name, *, flip=false, observe=false, lock_timeout=Some(5.0)),
        text_signature = "(name, *, flip=False, observe=False, lock_timeout=5.0)"
    )]
    fn new(
        py: Python<'_>,
        name: &str,
        flip: bool,
        observe: bool,
        lock_timeout: Option<f64>,
    ) -> PyResult<Self> {
        let limit = seconds("lock_timeout", lock_timeout)?.unwrap_or(Duration::MAX);
        let builder = tdshm::SegmentReceiver::builder(name).observe(observe).lock_limit(limit);
        let first = if flip { RowOrder::BottomFirst } else { RowOrder::TopFirst };
        let segment = detach(py, || builder.open()).map_err(raise)?;
        let state =
            State { receiver: tdshm::TopReceiver::over(segment).kept_rows(first), pool: Arc::default() };
        Ok(Self { name: name.to_owned(), first, handle: Handle::new("receiver", Inbox::new(state)) })
    }

    /// Read the newest image, new or not; None while there is no sender, or it has not written yet.
    ///
    /// Parameters
    /// ----------
    /// out : numpy.ndarray, optional
    ///     A packed array of the image's own shape and type that the pixels are copied into. The frame's array is that one
    ///     then, and its `number`, `missed` and `age` are None. Other images have memory of their own, which is used again
    ///     once nobody looks at it.
    ///
    /// Raises
    /// ------
    /// BlockError (a ValueError)
    ///     What lies there breaks a rule of the protocol: somebody's sender is broken.
    /// ArgumentError (a ValueError)
    ///     `out` has another shape than the image, is not packed, or may not be written.
    /// DtypeError (a TypeError)
    ///     `out` is no array, or has other elements than the image.
    /// LockTimeoutError (a TimeoutError)
    ///     Another program held the lock for longer than `lock_timeout`.
    #[pyo3(signature = (*, out=None))]
    fn read(&self, py: Python<'_>, out: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Py<Frame>>> {
        match out {
            Some(out) => self.read_out(py, out),
            None => self.handle.read(py),
        }
    }

    /// Wait for the next image that is new; None when there is none within `timeout` seconds. Without a timeout it waits for
    /// ever, also for a sender to come.
    ///
    /// Other threads run meanwhile, and Ctrl-C ends it. A sender of this library wakes it; for others it looks once a
    /// millisecond. Of a large image (above 32 KiB) whose sender dies the last one may come twice, with no number then.
    ///
    /// Raises
    /// ------
    /// As `read`, and ClosedError (a ValueError) where another thread closed the receiver.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Py<Frame>>> {
        self.handle.wait(py, Deadline::after(seconds("timeout", timeout)?), None)
    }

    /// The next image, waiting until somebody sets `stop`, or the receiver is closed: None then.
    fn _wait(&self, py: Python<'_>, stop: &Stop) -> PyResult<Option<Py<Frame>>> {
        self.handle.wait_to_end(py, Some(stop))
    }

    /// The next image if it is there already.
    fn _try_next(&self, py: Python<'_>) -> PyResult<Option<Py<Frame>>> {
        self.handle.wait(py, Deadline::after(Some(Duration::ZERO)), None)
    }

    /// Puts back an image that nobody got.
    fn _unread(&self, py: Python<'_>, frame: Py<Frame>) -> PyResult<()> {
        self.handle.unread(py, frame)
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    /// The next image that is new, however long that takes. Ends when the receiver is closed.
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
            "a TopReceiver cannot be pickled: make one with that name where images are needed",
        ))
    }

    fn __repr__(&self) -> String {
        let closed = if self.handle.is_closed() { ", closed" } else { "" };
        format!("<tdshm.TopReceiver {:?}{closed}>", self.name)
    }
}

impl Receiver {
    fn read_out(&self, py: Python<'_>, out: &Bound<'_, PyAny>) -> PyResult<Option<Py<Frame>>> {
        let Found::Array(mut elements) = look(out) else {
            return Err(refuse(Class::Dtype, "out is no array of pixels: use numpy.empty"));
        };
        let (has, kind) = (elements.shape().to_vec(), elements.kind());
        let room = elements.size_bytes();
        let first = self.first;
        let mut inbox = self.handle.lock(py)?;
        let receiver = &mut inbox.source.receiver;
        let read = detach(py, || {
            elements.with_bytes_mut(|bytes| {
                let to = match first {
                    RowOrder::TopFirst => PixelsMut::top_first(bytes),
                    RowOrder::BottomFirst => PixelsMut::bottom_first(bytes),
                };
                receiver.read_into(to)
            })
        });
        drop(inbox);
        let shape = match read {
            None => {
                let text =
                    "out is not packed, or may not be written: use numpy.empty, or numpy.ascontiguousarray";
                return Err(refuse(Class::Argument, text));
            }
            Some(Ok(Some(shape))) => shape,
            Some(Ok(None)) => return Ok(None),
            Some(Err(tdshm::Error::Block(error))) if error.field == "bytes of the image" => {
                let text = format_args!("out has room for {room} bytes: {error}");
                return Err(refuse(Class::Argument, text));
            }
            Some(Err(error)) => return Err(raise(error)),
        };
        let (layout, axes, used) = measures(&shape);
        if kind != layout.kind {
            let text =
                format_args!("out has elements of {}, and the image of {}", kind.name(), layout.kind.name());
            return Err(refuse(Class::Dtype, text));
        }
        let needs = axes.get(..used).unwrap_or_default();
        if has != needs {
            let text = format_args!("out has the shape {has:?}, and the image {needs:?}");
            return Err(refuse(Class::Argument, text));
        }
        frame(py, out.clone(), &shape, Receipt::unknown()).map(Some)
    }
}

/// What an array of such an image is: its elements, its axes, and how many of these count.
fn measures(shape: &TopShape) -> (Layout, [usize; 3], usize) {
    match Layout::of(shape.texels) {
        Some(layout) => {
            let (axes, used) = layout.shape(shape.height, shape.width);
            (layout, axes, used)
        }
        None => (Layout { kind: Kind::U8, components: 1 }, [shape.data_bytes, 1, 1], 1),
    }
}

fn frame(py: Python<'_>, array: Bound<'_, PyAny>, shape: &TopShape, receipt: Receipt) -> PyResult<Py<Frame>> {
    let TopShape { width, height, aspect, texels, .. } = *shape;
    Py::new(py, Frame { array: array.unbind(), width, height, format: format::name(texels), aspect, receipt })
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
        taken.pixels.len()
    }

    fn frame(&mut self, py: Python<'_>, taken: Taken) -> PyResult<Py<Frame>> {
        let Taken { pixels, shape, receipt } = taken;
        let (layout, axes, used) = measures(&shape);
        let axes = axes.get(..used).unwrap_or_default();
        match array_of_bytes(py, pixels, layout.kind, axes, &self.pool)? {
            Some(array) => frame(py, array, &shape, receipt),
            None => Err(refuse(Class::Error, "the image has other measures than it says")),
        }
    }
}

impl State {
    /// The last image's pixels: without a copy where that is worth it, and where they are not needed to tell it from the
    /// next one. What was given away comes once more where its sender died, so what is small stays.
    fn taken(&mut self) -> Option<Taken> {
        let frame = self.receiver.frame()?;
        let shape = frame.shape();
        let receipt = Receipt::new(frame.number(), frame.missed(), frame.is_abandoned(), frame.age());
        let mut pixels = self.pool.bytes();
        let small = frame.pixels().len() <= SMALL;
        if small || !self.receiver.swap_pixels(&mut pixels) {
            pixels.clear();
            pixels.extend_from_slice(self.receiver.frame()?.pixels());
        }
        Some(Taken { pixels, shape, receipt })
    }
}
