//! One image.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::chop::{Receipt, as_array};

/// One image: memory of this program, which nobody else writes to.
///
/// Arrays that it gives are views of that memory: they keep it alive, and what is written to one shows in the others.
///
/// Examples
/// --------
/// >>> import numpy, tdshm
/// >>> with tdshm.TopSender("doc_image") as sender, tdshm.TopReceiver("doc_image") as receiver:
/// ...     sender.send(numpy.full((2, 3, 4), 128, numpy.uint8))
/// ...     frame = receiver.read()
/// >>> frame
/// <tdshm.TopFrame: 3 x 2 rgba8>
/// >>> frame.numpyArray().shape, frame.numpyArray().dtype
/// ((2, 3, 4), dtype('uint8'))
#[pyclass(frozen, module = "tdshm", name = "TopFrame")]
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) array: Py<PyAny>,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) format: String,
    pub(crate) aspect: (f32, f32),
    pub(crate) receipt: Receipt,
}

#[pymethods]
impl Frame {
    /// Pixels in a row.
    #[getter]
    fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    #[getter]
    fn height(&self) -> usize {
        self.height
    }

    /// What the pixels are, such as "rgba8": see `TopSender`. Its number, where nobody knows it.
    #[getter]
    fn format(&self) -> &str {
        &self.format
    }

    /// The aspect of a pixel, as it was sent: usually 1 and 1.
    #[getter]
    fn aspect(&self) -> (f32, f32) {
        self.aspect
    }

    /// The image's number, counted from 1 by a sender of this library; None where nobody counts.
    #[getter]
    fn number(&self) -> Option<u64> {
        self.receipt.number
    }

    /// How many images this receiver did not see between the one before and this one; None where nobody counts.
    #[getter]
    fn missed(&self) -> Option<u64> {
        self.receipt.missed
    }

    /// How long ago it was written, in seconds, to some milliseconds, at this moment; None where nobody says.
    #[getter]
    fn age(&self) -> Option<f64> {
        self.receipt.age()
    }

    /// Whether the segment's lock had been left by a process that died with it: an image of another program's may be half of
    /// one and half of another.
    #[getter]
    fn abandoned(&self) -> bool {
        self.receipt.abandoned
    }

    /// The pixels: height x width x components, or height x width where there is one, top row first unless the receiver was
    /// told otherwise; packed, without a copy. Elements are uint8, uint16, float16 or float32, as the format has them; of
    /// formats whose components share a number uint32, and of unknown ones all bytes in one row.
    #[pyo3(name = "numpyArray")]
    fn numpy_array(&self, py: Python<'_>) -> Py<PyAny> {
        self.array.clone_ref(py)
    }

    /// The pixels, for ``numpy.asarray(frame)``.
    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        as_array(self.array.bind(py), dtype, copy)
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a TopFrame cannot be pickled: pickle what numpyArray() gives"))
    }

    fn __repr__(&self) -> String {
        format!("<tdshm.TopFrame: {} x {} {}>", self.width, self.height, self.format)
    }
}
