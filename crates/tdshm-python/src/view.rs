//! Memory of numpy's arrays: the one place with `unsafe`.
//!
//! # The race, admitted
//!
//! Python's lock is let go of while much is copied, and other threads may write to the array then, as they may in each of
//! numpy's own functions. What comes of that is a mixture of old and new numbers, copied from pointer to pointer; numbers
//! have no invalid values, and nothing is decided by them. How many there are and where is read once, before.
#![allow(unsafe_code)]
#![allow(clippy::arithmetic_side_effects)] // the sums are those of numpy's own strides, inside one array

use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;

use crate::kind::Kind;
use numpy::npyffi::{
    NPY_ARRAY_CARRAY, NPY_ARRAY_WRITEABLE, NpyTypes, PY_ARRAY_API, PyArray_Check, PyArrayObject,
    get_type_object, npy_intp,
};
use parking_lot::Mutex;
use pyo3::prelude::*;
use tdshm::{RowOrder, TopBlockMut, ViewF32Mut};

/// The most axes that anything here has.
const AXES: usize = 3;

/// The elements of an array: what they are and where they lie. `'a` is how long somebody keeps the array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements<'a> {
    data: *mut u8,
    kind: Kind,
    axes: usize,
    shape: [usize; AXES],
    strides: [isize; AXES],
    writeable: bool,
    array: PhantomData<&'a Bound<'a, PyAny>>,
}

// SAFETY: an address, and what numpy said of it. Whoever made it borrows the array for `'a`, so the memory stays; what
// another thread may do to it meanwhile is the race of this module.
unsafe impl Send for Elements<'_> {}

/// What an object is.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// No array of numpy's.
    Other,
    /// An array, but of more axes, or other elements, than anything here has.
    Strange,
    /// One that is understood.
    Array(Elements<'a>),
}

/// Looks at an object.
#[inline]
pub(crate) fn look<'a>(object: &'a Bound<'_, PyAny>) -> Found<'a> {
    // SAFETY: asks for an attached thread, which `object` proves, and for an object, which it is.
    if unsafe { PyArray_Check(object.py(), object.as_ptr()) } == 0 {
        return Found::Other;
    }
    let array = object.as_ptr().cast::<PyArrayObject>();
    // SAFETY: it is an array or of a class derived from it (above), so its memory begins with these fields, and nobody
    // changes them while this thread has Python's lock.
    let fields = unsafe { &(*array).fields };
    // SAFETY: every array has a description, which lives as long as the array.
    let descr = unsafe { &(*fields.descr).fields };
    let axes = usize::try_from(fields.nd).unwrap_or(usize::MAX);
    let swapped = if cfg!(target_endian = "little") { b'>' } else { b'<' };
    let kind = Kind::of(descr.type_num).filter(|_| descr.byteorder.cast_unsigned() != swapped);
    let (Some(kind), true) = (kind, axes <= AXES) else { return Found::Strange };
    let (mut shape, mut strides) = ([1; AXES], [0; AXES]);
    for axis in 0..axes {
        // SAFETY: `axis < nd`, and numpy has a length for each axis.
        let length = unsafe { fields.dimensions.wrapping_add(axis).read() };
        // SAFETY: as above, a stride for each axis.
        let stride = unsafe { fields.strides.wrapping_add(axis).read() };
        if let (Some(to), Some(by)) = (shape.get_mut(axis), strides.get_mut(axis)) {
            (*to, *by) = (length.unsigned_abs(), stride);
        }
    }
    let writeable = fields.flags & NPY_ARRAY_WRITEABLE != 0;
    Found::Array(Elements {
        data: fields.data.cast(),
        kind,
        axes,
        shape,
        strides,
        writeable,
        array: PhantomData,
    })
}

impl Elements<'_> {
    /// What they are.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The length of each axis.
    pub(crate) fn shape(&self) -> &[usize] {
        self.shape.get(..self.axes).unwrap_or_default()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.shape().iter().product()
    }

    /// All of them, in memory.
    pub(crate) fn size_bytes(&self) -> usize {
        self.count().saturating_mul(self.kind.size())
    }

    /// Whether they lie one right behind the other, the last axis the fastest.
    pub(crate) fn is_packed(&self) -> bool {
        self.is_packed_from(0)
    }

    /// Whether those of one step along the axes before `first` do.
    fn is_packed_from(&self, first: usize) -> bool {
        let mut expected = self.kind.size().cast_signed();
        let mut packed = true;
        for (&length, stride) in self.shape().iter().zip(self.strides).skip(first).rev() {
            packed &= length <= 1 || stride == expected;
            expected = expected.saturating_mul(length.cast_signed());
        }
        packed
    }

    /// Copies them into a block of channels as samples, row after row; as many as there is room for.
    #[inline]
    pub(crate) fn copy_samples(&self, to: &mut ViewF32Mut<'_>) {
        if to.len() < self.count() {
            return; // the block was made for them
        }
        // SAFETY: there is room for all of them (above), in memory that is not the array's: a mapping of ours.
        unsafe { self.write_samples(to.as_mut_ptr()) }
    }

    /// As samples, in memory of our own.
    pub(crate) fn append_samples(&self, to: &mut Vec<f32>) {
        let count = self.count();
        to.reserve(count);
        let len = to.len();
        // SAFETY: `reserve` made room for `count` samples behind the `len` that are there.
        let end = unsafe { to.as_mut_ptr().add(len) };
        // SAFETY: room as above, in memory that nobody else has.
        unsafe { self.write_samples(end) };
        // SAFETY: `write_samples` has written all `count` of them.
        unsafe { to.set_len(len.saturating_add(count)) };
    }

    /// # Safety
    ///
    /// There is room for [`count`](Self::count) samples at `to`, which need not be aligned, outside the array.
    #[inline]
    unsafe fn write_samples(&self, to: *mut f32) {
        if self.kind == Kind::F32 && self.is_packed() {
            // SAFETY: the array has so many bytes, one right behind the other; there is room for them, elsewhere.
            unsafe { std::ptr::copy_nonoverlapping(self.data, to.cast::<u8>(), self.size_bytes()) };
            return;
        }
        let write = match self.kind {
            Kind::Bool => Self::write_each::<Truth>,
            Kind::I8 => Self::write_each::<i8>,
            Kind::U8 => Self::write_each::<u8>,
            Kind::I16 => Self::write_each::<i16>,
            Kind::U16 => Self::write_each::<u16>,
            Kind::I32 => Self::write_each::<i32>,
            Kind::U32 => Self::write_each::<u32>,
            Kind::I64 => Self::write_each::<i64>,
            Kind::U64 => Self::write_each::<u64>,
            Kind::F16 => Self::write_each::<half::f16>,
            Kind::F32 => Self::write_each::<f32>,
            Kind::F64 => Self::write_each::<f64>,
        };
        // SAFETY: the caller's, and the type is that of this kind.
        unsafe { write(self, to) }
    }

    /// # Safety
    ///
    /// As [`write_samples`](Self::write_samples), and the elements are `T`.
    unsafe fn write_each<T: Number>(&self, mut to: *mut f32) {
        let ([planes, rows, columns], [by_plane, by_row, by_column]) = (self.shape, self.strides);
        for plane in 0..planes {
            for row in 0..rows {
                let begin = by_plane * plane.cast_signed() + by_row * row.cast_signed();
                for column in 0..columns {
                    let at = self.data.wrapping_offset(begin + by_column * column.cast_signed());
                    // SAFETY: numpy's address of the element at [plane, row, column]; axes that are not there have the
                    // length 1. The element is a `T` (the caller's), and need not be aligned.
                    let value = unsafe { at.cast::<T>().read_unaligned() };
                    // SAFETY: fewer than `count` have been written, so there is room.
                    unsafe { to.write_unaligned(value.sample()) };
                    to = to.wrapping_add(1);
                }
            }
        }
    }

    /// Copies them into an image whose pixels have `components` of this kind, as the array's rows, columns and components
    /// are; where the array has one less, the last is filled up with `alpha`. The array's first row is `first`.
    pub(crate) fn copy_pixels(&self, image: &mut TopBlockMut<'_>, first: RowOrder, alpha: u32) {
        let (height, width) = (self.shape[0], self.shape[1]);
        let size = self.kind.size();
        let has = self.shape[2];
        let row_bytes = image.shape().row_bytes().unwrap_or(0);
        let components = row_bytes.checked_div(width.saturating_mul(size)).unwrap_or(0);
        let packed = self.is_packed_from(1);
        if components == has && self.is_packed() {
            let mut all = image.pixels();
            let (room, to) = (all.len(), all.as_mut_ptr());
            if image.row(0, first).is_some_and(|mut row| row.as_mut_ptr() == to) && room == self.size_bytes()
            {
                // SAFETY: the array has so many bytes one right behind the other (`is_packed`), and the image as many, the
                // same row first; that is a mapping of ours, outside the array.
                unsafe { std::ptr::copy_nonoverlapping(self.data, to, room) };
                return;
            }
        }
        // What is more than the caches hold goes past them, as in one large copy.
        let past = row_bytes.saturating_mul(height) >= PAST_CACHES_BYTES;
        let copy = if past { copy_past_caches } else { std::ptr::copy_nonoverlapping::<u8> };
        if components != has && components != has.saturating_add(1) {
            return; // the block was made for them
        }
        for row in 0..height {
            let Some(mut to) = image.row(row, first) else { return };
            // numpy's address of the row.
            let from = self.data.wrapping_offset(self.strides[0] * row.cast_signed());
            let to = to.as_mut_ptr();
            if components == has && packed {
                // SAFETY: a row of the array has `width * has` elements one right behind the other, which are as many
                // bytes as a row of the image, and that is a mapping of ours, outside the array.
                unsafe { copy(from, to, row_bytes) };
                continue;
            }
            let write = match size {
                1 if has == 3 && packed => Self::add_alpha,
                1 => Self::write_row::<u8>,
                2 => Self::write_row::<u16>,
                4 => Self::write_row::<u32>,
                _ => return,
            };
            // SAFETY: a row of the array, whose elements are as large as that, and room for a row of `components` elements
            // a pixel.
            unsafe { write(self, from, to, components, alpha) };
        }
        if past {
            order_past_caches();
        }
    }

    /// # Safety
    ///
    /// `from` is a row of this array, whose elements are as large as `T`, and there is room for a pixel of `components` of
    /// them for each column at `to`.
    unsafe fn write_row<T: Bits>(&self, from: *const u8, to: *mut u8, components: usize, alpha: u32) {
        let mut to = to.cast::<T>();
        let ([_, width, has], [_, by_column, by_component]) = (self.shape, self.strides);
        for column in 0..width {
            for component in 0..components {
                let value = if component < has {
                    let at = by_column * column.cast_signed() + by_component * component.cast_signed();
                    // SAFETY: numpy's address of the element, which need not be aligned.
                    unsafe { from.wrapping_offset(at).cast::<T>().read_unaligned() }
                } else {
                    T::of(alpha)
                };
                // SAFETY: there is room for `width * components`, and fewer have been written.
                unsafe { to.write_unaligned(value) };
                to = to.wrapping_add(1);
            }
        }
    }

    /// Three bytes a pixel, and one more.
    ///
    /// # Safety
    ///
    /// As [`write_row`](Self::write_row), of a row of bytes one right behind the other, three a pixel.
    unsafe fn add_alpha(&self, from: *const u8, to: *mut u8, _components: usize, alpha: u32) {
        let Some(last) = self.shape[1].checked_sub(1) else { return };
        for pixel in 0..last {
            // SAFETY: a pixel before the last: its three bytes and the one behind them are all there.
            let value = unsafe { from.wrapping_add(3 * pixel).cast::<u32>().read_unaligned() };
            let value = u32::from_le(value) & 0x00ff_ffff | alpha << 24;
            // SAFETY: the row has room for four bytes a pixel.
            unsafe { to.wrapping_add(4 * pixel).cast::<u32>().write_unaligned(value.to_le()) };
        }
        let to = to.wrapping_add(4 * last);
        // SAFETY: the last pixel's three bytes, and room for them.
        unsafe { std::ptr::copy_nonoverlapping(from.wrapping_add(3 * last), to, 3) };
        // SAFETY: the last byte of the row.
        unsafe { to.wrapping_add(3).write(alpha as u8) };
    }

    /// Hands out the memory as samples, to be filled; `None` where it is not packed, not aligned, or holds something else.
    pub(crate) fn with_samples_mut<T>(&mut self, fill: impl FnOnce(&mut [f32]) -> T) -> Option<T> {
        let to = self.data.cast::<f32>();
        if !self.writeable || self.kind != Kind::F32 || !self.is_packed() || !to.is_aligned() {
            return None;
        }
        #[allow(clippy::disallowed_methods, reason = "no mapping: an array of the caller's")]
        // SAFETY: numpy's memory has `count` packed elements of this kind, and may be written. What else has the array may
        // write there only from another thread, which is this module's race: the slice goes into a copy, and is gone.
        let slice = unsafe { std::slice::from_raw_parts_mut(to, self.count()) };
        Some(fill(slice))
    }

    /// As [`with_samples_mut`](Self::with_samples_mut), as bytes.
    pub(crate) fn with_bytes_mut<T>(&mut self, fill: impl FnOnce(&mut [u8]) -> T) -> Option<T> {
        if !self.writeable || !self.is_packed() {
            return None;
        }
        #[allow(clippy::disallowed_methods, reason = "no mapping: an array of the caller's")]
        // SAFETY: as in `with_samples_mut`; bytes have no alignment.
        let slice = unsafe { std::slice::from_raw_parts_mut(self.data, self.size_bytes()) };
        Some(fill(slice))
    }
}

/// From so many bytes on rows are copied past the caches, as the core does when it turns images.
const PAST_CACHES_BYTES: usize = 4 << 20;

/// Copies bytes with stores that leave the caches alone, where the processor has such.
///
/// # Safety
///
/// `from` and `to` are good for `len` bytes and do not overlap. Whoever hands `to` to another thread calls
/// [`order_past_caches`] before.
#[cfg(target_arch = "x86_64")]
unsafe fn copy_past_caches(from: *const u8, to: *mut u8, len: usize) {
    use core::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_stream_si128};
    const STEP: usize = size_of::<__m128i>();
    let head = to.align_offset(STEP).min(len);
    let steps = (len - head) / STEP;
    // SAFETY: the caller's, of the first bytes, up to an aligned one.
    unsafe { std::ptr::copy_nonoverlapping(from, to, head) };
    for step in 0..steps {
        let at = head + step * STEP;
        // SAFETY: `at + STEP <= len`; the load asks for no alignment.
        let value = unsafe { _mm_loadu_si128(from.wrapping_add(at).cast()) };
        // SAFETY: as above, and `to + head` is aligned (`align_offset`).
        unsafe { _mm_stream_si128(to.wrapping_add(at).cast(), value) };
    }
    let done = head + steps * STEP;
    // SAFETY: the caller's, of the last bytes.
    unsafe { std::ptr::copy_nonoverlapping(from.wrapping_add(done), to.wrapping_add(done), len - done) };
}

/// The same, where every store is like any other.
///
/// # Safety
///
/// As above.
#[cfg(not(target_arch = "x86_64"))]
unsafe fn copy_past_caches(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: the caller's.
    unsafe { std::ptr::copy_nonoverlapping(from, to, len) };
}

/// What was written past the caches comes before whatever is written from now on.
fn order_past_caches() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of this kind has the instruction, which takes nothing.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}

/// What an element is as a sample.
trait Number: Copy {
    fn sample(self) -> f32;
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Number for $number {
            #[inline]
            fn sample(self) -> f32 {
                self as f32
            }
        }
    )*};
}
numbers!(i8, u8, i16, u16, i32, u32, i64, u64, f32, f64);

impl Number for half::f16 {
    #[inline]
    fn sample(self) -> f32 {
        self.to_f32()
    }
}

/// One of numpy's truth values, whatever its byte is.
#[derive(Clone, Copy)]
struct Truth(u8);

impl Number for Truth {
    #[inline]
    fn sample(self) -> f32 {
        f32::from(u8::from(self.0 != 0))
    }
}

/// An element as it lies in memory, whatever it means.
trait Bits: Copy {
    fn of(alpha: u32) -> Self;
}

impl Bits for u8 {
    fn of(alpha: u32) -> Self {
        alpha as u8
    }
}

impl Bits for u16 {
    fn of(alpha: u32) -> Self {
        alpha as u16
    }
}

impl Bits for u32 {
    fn of(alpha: u32) -> Self {
        alpha
    }
}

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
