//! Memory that arrays keep: of frames that came, and of images that are drawn.

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;
use std::sync::Arc;

use numpy::npyffi::{NPY_ARRAY_CARRAY, NpyTypes, PY_ARRAY_API, get_type_object, npy_intp};
use parking_lot::Mutex;
use pyo3::prelude::*;

use super::AXES;
use crate::kind::Kind;

/// An array of numpy's over memory that `owner` keeps: packed, writeable, and alive as long as any array of it is.
///
/// # Safety
///
/// - from `data` on there are as many bytes as `shape` and `kind` ask for, readable and writeable, for as long as `owner`
///   lives;
/// - no Rust reference into them is made while an array over them is there.
unsafe fn array_over<'py>(
    owner: &Bound<'py, PyAny>,
    data: NonNull<u8>,
    kind: Kind,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    let py = owner.py();
    let mut dims = [0 as npy_intp; AXES];
    for (to, &length) in dims.iter_mut().zip(shape) {
        *to = length.cast_signed();
    }
    let axes = shape.len().min(AXES) as c_int;
    let data = data.as_ptr().cast::<c_void>();
    // SAFETY: numpy's table of functions is there, and this one gives a new reference for any number of a kind.
    let descr = unsafe { PY_ARRAY_API.PyArray_DescrFromType(py, kind.type_num()) };
    // SAFETY: numpy's table again, for the type of its arrays.
    let class = unsafe { get_type_object(py, NpyTypes::PyArray_Type) };
    // SAFETY: the type of arrays, the description (whose reference it takes), lengths and memory as the caller says; without
    // strides the memory is packed.
    let array = unsafe {
        PY_ARRAY_API.PyArray_NewFromDescr(
            py,
            class,
            descr,
            axes,
            dims.as_mut_ptr(),
            std::ptr::null_mut(),
            data,
            NPY_ARRAY_CARRAY,
            std::ptr::null_mut(),
        )
    };
    // SAFETY: a new reference, or null with an exception set.
    let array = unsafe { Bound::from_owned_ptr_or_err(py, array) }?;
    // SAFETY: the array is new and has no base; the reference to the owner becomes the array's, also on failure.
    let set =
        unsafe { PY_ARRAY_API.PyArray_SetBaseObject(py, array.as_ptr().cast(), owner.clone().into_ptr()) };
    if set == 0 { Ok(array) } else { Err(PyErr::fetch(py)) }
}

/// Memory of a frame, which its arrays keep alive.
#[pyclass(frozen, module = "tdshm._tdshm")]
pub(crate) struct Memory {
    store: Store,
    data: NonNull<u8>,
    size_bytes: usize,
    pool: Arc<Pool>,
}

/// What frames arrive in.
#[derive(Debug)]
enum Store {
    Samples(Vec<f32>),
    Bytes(Vec<u8>),
}

/// Buffers of frames that nobody looks at any more, for those to come.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    samples: Mutex<Vec<Vec<f32>>>,
    bytes: Mutex<Vec<Vec<u8>>>,
}

/// As many as are kept: somebody looks at one frame while the next arrives.
const SPARE: usize = 3;

// SAFETY: the pointer is that of the vector beside it, which moves nowhere and which nobody touches; what arrays over it do
// from several threads is numpy's.
unsafe impl Send for Memory {}
// SAFETY: as above: nothing in here is written but by `drop`, which is alone.
unsafe impl Sync for Memory {}

impl Pool {
    /// Memory for samples, with whatever lies there.
    pub(crate) fn samples(&self) -> Vec<f32> {
        self.samples.lock().pop().unwrap_or_default()
    }

    /// Memory for pixels, with whatever lies there.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().pop().unwrap_or_default()
    }
}

impl Memory {
    fn keep<'py>(py: Python<'py>, mut store: Store, pool: &Arc<Pool>) -> PyResult<Bound<'py, PyAny>> {
        let (data, size_bytes) = match &mut store {
            Store::Samples(samples) => {
                (NonNull::from(samples.as_mut_slice()).cast(), size_of_val(samples.as_slice()))
            }
            Store::Bytes(bytes) => (NonNull::from(bytes.as_mut_slice()).cast(), bytes.len()),
        };
        Ok(Bound::new(py, Self { store, data, size_bytes, pool: Arc::clone(pool) })?.into_any())
    }

    fn array<'py>(
        owner: &Bound<'py, PyAny>,
        kind: Kind,
        shape: &[usize],
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let memory = owner.cast::<Self>()?.get();
        let asked = shape.iter().try_fold(kind.size(), |bytes, length| bytes.checked_mul(*length));
        if asked != Some(memory.size_bytes) || shape.len() > AXES {
            return Ok(None);
        }
        // SAFETY: the vector's bytes are as many as were asked for (above), of kinds for which any bytes will do; the
        // memory stays as long as `owner`, and nothing in here makes a reference to them.
        unsafe { array_over(owner, memory.data, kind, shape) }.map(Some)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // No array is left that would have it.
        match &mut self.store {
            Store::Samples(samples) => put_back(&self.pool.samples, std::mem::take(samples)),
            Store::Bytes(bytes) => put_back(&self.pool.bytes, std::mem::take(bytes)),
        }
    }
}

fn put_back<T>(pool: &Mutex<Vec<Vec<T>>>, memory: Vec<T>) {
    if let Some(mut pool) = pool.try_lock()
        && pool.len() < SPARE
    {
        pool.push(memory);
    }
}

/// An array of `float32` over these samples, whose memory goes back to the pool when nobody needs the array any more.
pub(crate) fn array_of_samples<'py>(
    py: Python<'py>,
    samples: Vec<f32>,
    shape: &[usize],
    pool: &Arc<Pool>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    Memory::array(&Memory::keep(py, Store::Samples(samples), pool)?, Kind::F32, shape)
}

/// The same of pixels, or whatever they are.
pub(crate) fn array_of_bytes<'py>(
    py: Python<'py>,
    bytes: Vec<u8>,
    kind: Kind,
    shape: &[usize],
    pool: &Arc<Pool>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    Memory::array(&Memory::keep(py, Store::Bytes(bytes), pool)?, kind, shape)
}

/// A draft, which the arrays that draw in it keep alive: its memory is nobody else's meanwhile.
#[pyclass(frozen, module = "tdshm._tdshm", name = "_DraftMemory")]
#[derive(Debug)]
pub(crate) struct DraftMemory {
    draft: tdshm::TopDraft,
}

impl DraftMemory {
    /// Publishes it.
    pub(crate) fn commit(&self, sender: &mut tdshm::TopSender) -> Result<tdshm::Sent, tdshm::Error> {
        sender.commit(&self.draft)
    }
}

/// An array over a draft's memory, and what keeps the draft.
pub(crate) fn array_of_draft<'py>(
    py: Python<'py>,
    mut draft: tdshm::TopDraft,
    kind: Kind,
    shape: &[usize],
) -> PyResult<Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
    let asked = shape.iter().try_fold(kind.size(), |bytes, length| bytes.checked_mul(*length));
    let Some(data) = NonNull::new(draft.as_mut_ptr()) else { return Ok(None) };
    if asked != Some(draft.size_bytes()) || shape.len() > AXES {
        return Ok(None);
    }
    let owner = Bound::new(py, DraftMemory { draft })?.into_any();
    // SAFETY: the address is good for `size_bytes` bytes, which are as many as were asked for (above), as long as the draft
    // lives, which `owner` keeps; no Rust reference into it is ever made (`TopDraft::as_mut_ptr`).
    let array = unsafe { array_over(&owner, data, kind, shape) }?;
    Ok(Some((array, owner)))
}
