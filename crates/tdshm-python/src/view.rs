//! Memory of numpy's arrays: the one place with `unsafe`.
//!
//! # The race, admitted
//!
//! Python's lock is let go of while much is copied, and other threads may write to the array then, as they may in each of
//! numpy's own functions. What comes of that is a mixture of old and new numbers, copied from pointer to pointer; numbers
//! have no invalid values, and nothing is decided by them. How many there are and where is read once, before.
#![allow(unsafe_code)]
#![allow(clippy::arithmetic_side_effects)] // the sums are those of numpy's own strides, inside one array

mod memory;
mod stream;

use std::marker::PhantomData;

use crate::kind::Kind;
use numpy::npyffi::{NPY_ARRAY_WRITEABLE, PyArray_Check, PyArrayObject};
use pyo3::prelude::*;
use tdshm::{RowOrder, TopBlockMut, ViewF32Mut};

pub(crate) use memory::{DraftMemory, Pool, array_of_bytes, array_of_draft, array_of_samples};
use stream::{PAST_CACHES_BYTES, copy_past_caches, order_past_caches};

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
