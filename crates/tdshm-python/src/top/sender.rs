//! The sending side.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySlice, PyTuple};
use tdshm::{PixelFormat, RowOrder};

use crate::array;
use crate::errors::{Class, raise, raise_argument, refuse};
use crate::handle::Handle;
use crate::kind::Kind;
use crate::time::{detach, seconds};
use crate::top::format::{self, Layout};
use crate::view::{Elements, Found, array_of_draft, look};
use crate::wait::{Patience, SMALL};

/// Sends images to TouchDesigner, and to any other program: a `Shared Mem Out TOP`.
///
/// Parameters
/// ----------
/// name : str
///     The Shared Mem Name that the other side uses.
/// width, height : int, optional
///     The size of each image, in pixels, from 1 to 32768: arrays of another one are refused. Without them an image has the
///     size of its array.
/// format : str, optional
///     What the pixels are. Where a size is given it is "rgba8" by default; otherwise it is as each array is. Components:
///     "r", "rg", "rgba", and "bgra" of bytes, as OpenCV has them; then 8 for uint8, 16 for uint16, 16f for float16, 32f for
///     float32: "r8", "rg16", "rgba16f", "rgba32f", …; "rgba8_srgb" and "bgra8_srgb"; "a8", "ra8" and so on for alpha;
///     "rgb10a2" and "rg11b10f", which are uint32, one a pixel.
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
///     A size without its other half, or no format of that name.
///
/// Examples
/// --------
/// >>> import numpy, tdshm
/// >>> with tdshm.TopSender("doc_top", 640, 480) as sender:
/// ...     sender.send(numpy.zeros((480, 640, 3), numpy.uint8))    # RGB: an alpha of 255 is added
/// ...     with sender.frame() as array:                           # drawn in shared memory
/// ...         array[...] = (255, 128, 0, 255)
/// ...     sender.frames
/// 2
#[pyclass(frozen, weakref, module = "tdshm", name = "TopSender")]
#[derive(Debug)]
pub(crate) struct Sender {
    name: String,
    /// Width and height.
    size: Option<(usize, usize)>,
    format: Option<PixelFormat>,
    handle: Arc<Handle<State>>,
}

#[derive(Debug)]
struct State {
    sender: tdshm::TopSender,
    patience: Patience,
    /// Format, width and height of the last image.
    last: Option<(PixelFormat, usize, usize)>,
}

#[pymethods]
impl Sender {
    #[new]
    #[pyo3(
        signature = (name, width=None, height=None, format=None, *, lock_timeout=Some(5.0), take_over=false, mode=None),
        text_signature = "(name, width=None, height=None, format=None, *, lock_timeout=5.0, take_over=False, mode=None)"
    )]
    #[allow(clippy::too_many_arguments, reason = "named in Python")]
    fn new(
        py: Python<'_>,
        name: &str,
        width: Option<usize>,
        height: Option<usize>,
        format: Option<&str>,
        lock_timeout: Option<f64>,
        take_over: bool,
        mode: Option<u32>,
    ) -> PyResult<Self> {
        let size = match (width, height) {
            (Some(width), Some(height)) => Some((width, height)),
            (None, None) => None,
            _ => return Err(refuse(Class::Argument, "give both width and height, or neither")),
        };
        let format = match (format, size) {
            (Some(format), _) => Some(format::parse(format)?),
            (None, Some(_)) => Some(PixelFormat::R8G8B8A8_UNORM),
            (None, None) => None,
        };
        let limit = seconds("lock_timeout", lock_timeout)?;
        let mut builder = tdshm::TopSender::builder(name)
            .take_over(take_over)
            .lock_limit(limit.unwrap_or(Duration::from_secs(5)));
        if let (Some((width, height)), Some(format)) = (size, format) {
            if !(1..=LONGEST).contains(&width) || !(1..=LONGEST).contains(&height) {
                let text = format_args!("no image has {width} x {height} pixels: give 1 to {LONGEST} a side");
                return Err(refuse(Class::Argument, text));
            }
            builder = builder.room_for(format, width, height);
        }
        if let Some(mode) = mode {
            builder = builder.mode(mode);
        }
        let sender = detach(py, || builder.create()).map_err(raise_argument)?;
        let state = State { sender, patience: Patience::new(limit), last: None };
        Ok(Self { name: name.to_owned(), size, format, handle: Handle::new("sender", state) })
    }

    /// Send one image.
    ///
    /// Parameters
    /// ----------
    /// array : array_like
    ///     height x width, or height x width x components, with 1 to 4 of them, of uint8, uint16, float16 or float32, top
    ///     row first; whatever `numpy.asarray` takes. float64 is sent as float32. Three components get an alpha that hides
    ///     nothing. It is copied into the segment and nowhere else, whatever its strides.
    /// flip : bool
    ///     The array's first row is the bottom one.
    ///
    /// Raises
    /// ------
    /// ArgumentError (a ValueError)
    ///     The shape is no image's, or not that of this sender. Nothing was sent.
    /// DtypeError (a TypeError)
    ///     The elements are not of those types, or not those of this sender's format. Nothing was sent.
    /// LockTimeoutError (a TimeoutError)
    ///     Another program held the lock for longer than `lock_timeout`. The image is lost, the next one may work.
    #[pyo3(signature = (array, /, *, flip=false))]
    fn send(&self, array: &Bound<'_, PyAny>, flip: bool) -> PyResult<()> {
        let py = array.py();
        let first = if flip { RowOrder::BottomFirst } else { RowOrder::TopFirst };
        // No Python code runs while the sender is locked: it could ask for the sender.
        if let Found::Array(elements) = look(array)
            && elements.kind() != Kind::F64
        {
            return self.send_elements(py, &elements, first);
        }
        let mut array = array::numbers(array)?;
        if let Found::Array(elements) = look(&array)
            && elements.kind() == Kind::F64
        {
            array = array::cast(&array, "float32")?;
        }
        match look(&array) {
            Found::Array(elements) => self.send_elements(py, &elements, first),
            _ => Err(PyTypeError::new_err("not an array")),
        }
    }

    /// Draw an image in shared memory, without a copy::
    ///
    ///     with sender.frame() as array:
    ///         array[...] = 0
    ///
    /// The array is height x width x components, with whatever lies there at first, and the image is sent when the block
    /// ends; not when it ends with an exception. Only the last of several counts, and none where an image was sent
    /// meanwhile.
    ///
    /// Parameters
    /// ----------
    /// width, height : int, optional
    ///     The size in pixels: this sender's by default, or that of the last image.
    /// format : str, optional
    ///     As above.
    /// flip : bool
    ///     The array's first row is the bottom one. Its rows lie one behind the other then; otherwise their order is
    ///     turned by a negative stride.
    ///
    /// Raises
    /// ------
    /// ArgumentError (a ValueError)
    ///     No size is known, or it is not this sender's; at the end of the block, where another image was sent meanwhile.
    /// LockTimeoutError (a TimeoutError)
    ///     At the end of the block: another program held the lock for longer than `lock_timeout`.
    ///
    /// Notes
    /// -----
    /// Whoever keeps the array keeps its memory, and no other image is put there: what is written to it later spoils this
    /// image alone, for those that still look at it.
    #[pyo3(signature = (width=None, height=None, format=None, *, flip=false))]
    fn frame(
        slf: &Bound<'_, Self>,
        width: Option<usize>,
        height: Option<usize>,
        format: Option<&str>,
        flip: bool,
    ) -> PyResult<Drawing> {
        let this = slf.get();
        let last = this.handle.lock(slf.py())?.last;
        let format = match format {
            Some(format) => Some(format::parse(format)?),
            None => this.format.or(last.map(|(format, ..)| format)),
        };
        let size = match (width, height) {
            (Some(width), Some(height)) => Some((width, height)),
            (None, None) => this.size.or(last.map(|(_, width, height)| (width, height))),
            _ => return Err(refuse(Class::Argument, "give both width and height, or neither")),
        };
        let (Some((width, height)), format) = (size, format.unwrap_or(PixelFormat::R8G8B8A8_UNORM)) else {
            let text = "no image was sent yet, and this sender has no size of its own: give width and height";
            return Err(refuse(Class::Argument, text));
        };
        this.check(format, width, height)?;
        let sender = slf.clone().unbind();
        Ok(Drawing { sender, format, width, height, flip, state: Mutex::new(Stage::New) })
    }

    /// The Shared Mem Name.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// The width of each image in pixels; None where it is that of each array.
    #[getter]
    fn width(&self) -> Option<usize> {
        self.size.map(|(width, _)| width)
    }

    /// The height of each image in pixels; None where it is that of each array.
    #[getter]
    fn height(&self) -> Option<usize> {
        self.size.map(|(_, height)| height)
    }

    /// The format of each image; None where it is that of each array.
    #[getter]
    fn format(&self) -> Option<String> {
        self.format.map(|format| format::name(format.into()))
    }

    /// How many images were sent.
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
            "a TopSender cannot be pickled: it owns its segment; make it in the process that sends",
        ))
    }

    fn __repr__(&self) -> String {
        let closed = if self.handle.is_closed() { ", closed" } else { "" };
        format!("<tdshm.TopSender {:?}{closed}>", self.name)
    }
}

/// Pixels a side, at most (wire §9).
const LONGEST: usize = 32768;

impl Sender {
    fn check(&self, format: PixelFormat, width: usize, height: usize) -> PyResult<()> {
        if let Some((w, h)) = self.size.filter(|size| *size != (width, height)) {
            let text = format_args!(
                "the image has {width} x {height} pixels, and this sender {w} x {h}: make one without a size for images of all sizes"
            );
            return Err(refuse(Class::Argument, text));
        }
        if let Some(own) = self.format.filter(|own| *own != format) {
            let (own, format) = (format::name(own.into()), format::name(format.into()));
            let text = format_args!("the image is {format}, and this sender {own}: make one of that format");
            return Err(refuse(Class::Argument, text));
        }
        Ok(())
    }

    fn send_elements(&self, py: Python<'_>, elements: &Elements<'_>, first: RowOrder) -> PyResult<()> {
        let format = format::of_array(elements, self.format)?;
        let [height, width, ..] = *elements.shape() else {
            return Err(refuse(Class::Argument, "an image has 2 or 3 axes"));
        };
        self.check(format, width, height)?;
        let alpha = format::opaque(elements.kind());
        let small = elements.size_bytes() <= SMALL;
        let elements = *elements;
        let mut state = self.handle.lock(py)?;
        let state = &mut *state;
        state.patience.attempt(py, &mut state.sender, small, move |sender| {
            sender.send_with(format, width, height, |image| elements.copy_pixels(image, first, alpha))
        })?;
        state.last = Some((format, width, height));
        Ok(())
    }
}

/// An image that is drawn: what `TopSender.frame` gives.
#[pyclass(frozen, module = "tdshm._tdshm", name = "_Drawing")]
#[derive(Debug)]
pub(crate) struct Drawing {
    sender: Py<Sender>,
    format: PixelFormat,
    width: usize,
    height: usize,
    flip: bool,
    state: Mutex<Stage>,
}

#[derive(Debug)]
enum Stage {
    New,
    /// The arrays that were handed out, the last of which knows the draft.
    Drawn {
        array: Py<PyAny>,
        owner: Py<PyAny>,
    },
    Over,
}

#[pymethods]
impl Drawing {
    /// Begin: the array to draw in.
    fn __enter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if !matches!(*self.state.lock(), Stage::New) {
            return Err(refuse(Class::Argument, "this image was begun before: call frame() for another one"));
        }
        let (format, width, height) = (self.format, self.width, self.height);
        let Some(layout) = Layout::of(format.into()) else {
            return Err(refuse(Class::Argument, format_args!("nobody knows the pixels of format {format}")));
        };
        let draft = {
            let mut state = self.sender.get().handle.lock(py)?;
            let sender = &mut state.sender;
            detach(py, || sender.draft(format, width, height)).map_err(raise_argument)?
        };
        let order = draft.row_order();
        let (axes, used) = layout.shape(height, width);
        let axes = axes.get(..used).unwrap_or_default();
        let Some((array, owner)) = array_of_draft(py, draft, layout.kind, axes)? else {
            return Err(refuse(Class::Error, "the image has other measures than it says"));
        };
        let wanted = if self.flip { RowOrder::BottomFirst } else { RowOrder::TopFirst };
        let shown = if order == wanted {
            array.clone()
        } else {
            array.get_item(py.get_type::<PySlice>().call1((py.None(), py.None(), -1_isize))?)?
        };
        *self.state.lock() = Stage::Drawn { array: shown.clone().unbind(), owner: owner.unbind() };
        Ok(shown)
    }

    /// End: send the image, unless there was an exception.
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: Option<&Bound<'_, PyAny>>,
        _value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let stage = std::mem::replace(&mut *self.state.lock(), Stage::Over);
        let Stage::Drawn { array, owner } = stage else { return Ok(()) };
        if kind.is_some() {
            return Ok(());
        }
        // Whoever writes to it later finds out, as far as numpy tells.
        let locked = PyDict::new(py);
        locked.set_item("write", false)?;
        array.bind(py).call_method("setflags", (), Some(&locked))?;
        let owner = owner.bind(py).cast::<crate::view::DraftMemory>()?.get();
        let small = self.width.saturating_mul(self.height) <= SMALL;
        let mut state = self.sender.get().handle.lock(py)?;
        let state = &mut *state;
        state.patience.attempt(py, &mut state.sender, small, |sender| owner.commit(sender))?;
        state.last = Some((self.format, self.width, self.height));
        Ok(())
    }
}
