//! The one place that reads and writes bytes which other programs may write at the same moment.
//!
//! Two rules, for everything in here and everybody above: no Rust reference or slice into such memory, ever;
//! every access through [`Region`], which checks its bounds.
//!
//! # The race, admitted
//!
//! Bulk copies are ordinary copies. A stranger that does not take the lock may write while one runs, which
//! the language calls a data race, and which no copy of megabytes at full speed can avoid. What it can do in
//! practice is to tear the copy: the bytes that arrive are some mixture of old and new. They are plain
//! numbers, copied once into memory of our own and checked there before anything is decided by them, so a
//! torn copy is a wrong number and never a wrong address. Fields by which two sides coordinate are atomics.
#![allow(clippy::arithmetic_side_effects)] // every sum is bounded by `check`, which precedes it

mod buffer;
mod stream;

use core::marker::PhantomData;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use zerocopy::{FromBytes, Immutable, IntoBytes};

pub(crate) use buffer::Buffer;
use stream::{PAST_CACHES_BYTES, copy_past_caches, order_past_caches};

/// An access that would not lie inside its region, or a write where this program may only read: a mistake of ours, not of
/// a stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfBounds;

/// A stretch of memory that strangers may write at any moment. Copying a region copies the claim, not the bytes.
#[derive(Clone, Copy)]
pub(crate) struct Region<'m> {
    base: NonNull<u8>,
    /// Its bytes, and [`READ_ONLY`]: two words travel in registers, three do not.
    len: usize,
    memory: PhantomData<&'m [AtomicU8]>,
}

/// In a region's length, which is never so large: it may not be written.
const READ_ONLY: usize = 1 << (usize::BITS - 1);

// SAFETY: a region is an address and a length. Every access through it is a copy or an atomic, none makes a
// reference, and the memory stays mapped for `'m` on whichever thread the region is used (`Region::new`).
unsafe impl Send for Region<'_> {}
// SAFETY: as for `Send`: sharing a region between threads is no more than sharing the memory between
// processes, which is what it is for.
unsafe impl Sync for Region<'_> {}

impl<'m> Region<'m> {
    /// # Safety
    ///
    /// - `base` to `base + len` is mapped, readable and writable, for all of `'m`;
    /// - no Rust reference into it exists or is made during `'m`, other than to atomics;
    /// - `len` is at most `isize::MAX`.
    pub(crate) unsafe fn new(base: NonNull<u8>, len: usize) -> Self {
        Self { base, len, memory: PhantomData }
    }

    /// # Safety
    ///
    /// As for [`new`](Self::new), but that the memory need not be writable.
    pub(crate) unsafe fn read_only(base: NonNull<u8>, len: usize) -> Self {
        Self { base, len: len | READ_ONLY, memory: PhantomData }
    }

    /// Memory of this program alone, seen like a mapping: what writes and reads blocks there works on it as well.
    pub(crate) fn of_own(bytes: &'m mut [u8]) -> Self {
        let len = bytes.len();
        // SAFETY: the slice is readable and writable memory of `len` bytes, which is at most `isize::MAX`; it is borrowed
        // exclusively for all of `'m`, and `bytes` itself ends here, so no reference into it is used during `'m`.
        unsafe { Self::new(NonNull::from(bytes).cast(), len) }
    }

    /// Whether this program may write there.
    #[inline]
    pub(crate) fn is_writable(self) -> bool {
        self.len & READ_ONLY == 0
    }

    /// Bytes of the region.
    #[inline]
    pub(crate) fn len(self) -> usize {
        self.len & !READ_ONLY
    }

    #[inline]
    fn check(self, offset: usize, len: usize) -> Result<NonNull<u8>, OutOfBounds> {
        let end = offset.checked_add(len).ok_or(OutOfBounds)?;
        if end > self.len() {
            return Err(OutOfBounds);
        }
        // SAFETY: `offset <= end <= self.len()`, and the whole region is one mapping (`Region::new`), so the
        // result stays inside it or one past its end.
        Ok(unsafe { self.base.add(offset) })
    }

    /// As [`check`](Self::check), for a write.
    #[inline]
    fn check_write(self, offset: usize, len: usize) -> Result<NonNull<u8>, OutOfBounds> {
        if self.is_writable() { self.check(offset, len) } else { Err(OutOfBounds) }
    }

    /// The part of `len` bytes from `offset`.
    #[inline]
    pub(crate) fn part(self, offset: usize, len: usize) -> Result<Region<'m>, OutOfBounds> {
        let base = self.check(offset, len)?;
        Ok(Region { base, len: len | (self.len & READ_ONLY), memory: PhantomData })
    }

    /// Copies bytes out.
    #[inline]
    pub(crate) fn copy_out(self, offset: usize, to: &mut [u8]) -> Result<(), OutOfBounds> {
        let from = self.check(offset, to.len())?;
        // SAFETY: `check` puts all of `from..from + to.len()` inside the mapping, `to` is a live exclusive
        // slice, and no Rust slice lies inside a mapping (`Region::new`), so the two cannot overlap. Bytes
        // have neither alignment nor invalid values. The race with strangers is the module's.
        unsafe { core::ptr::copy_nonoverlapping(from.as_ptr(), to.as_mut_ptr(), to.len()) };
        Ok(())
    }

    /// Copies bytes in.
    #[inline]
    pub(crate) fn copy_in(self, offset: usize, from: &[u8]) -> Result<(), OutOfBounds> {
        let to = self.check_write(offset, from.len())?;
        // SAFETY: as in `copy_out`, the other way round; the memory is writable (`check_write`, `Region::new`).
        unsafe { core::ptr::copy_nonoverlapping(from.as_ptr(), to.as_ptr(), from.len()) };
        Ok(())
    }

    /// Says that so many bytes are about to be written from there on, where the processor can be told: rows that are copied
    /// from the last one back are no stream that it sees coming.
    #[inline]
    pub(crate) fn will_write(self, offset: usize, bytes: usize) {
        #[cfg(target_arch = "x86_64")]
        if let Ok(to) = self.check_write(offset, bytes) {
            use core::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
            for at in (0..bytes).step_by(64) {
                // SAFETY: a hint for an address inside the mapping (`check_write`); it reads and writes nothing.
                unsafe { _mm_prefetch::<_MM_HINT_ET0>(to.as_ptr().wrapping_add(at).cast()) };
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (offset, bytes);
    }

    /// Copies what lies in another region in, which may be the same memory.
    pub(crate) fn copy_from(self, from: Region<'_>) -> Result<(), OutOfBounds> {
        let (to, len) = (self.check_write(0, from.len())?, from.len());
        // SAFETY: `from` is mapped and readable for as many bytes as it has, `check_write` puts as many inside this region,
        // which is writable, and the two may overlap. The race with strangers is the module's.
        unsafe { core::ptr::copy(from.base.as_ptr(), to.as_ptr(), len) };
        Ok(())
    }

    /// Copies rows out, the last one first, that lie one right behind the other from `offset` on: as many as `to` has.
    ///
    /// What is more than the caches hold goes past them, as in one large copy: otherwise it would push the rows out that
    /// are copied again and again.
    pub(crate) fn copy_rows_out_turned(
        self,
        offset: usize,
        row_bytes: usize,
        to: &mut [u8],
    ) -> Result<(), OutOfBounds> {
        self.check(offset, to.len())?;
        let past = to.len() >= PAST_CACHES_BYTES;
        for (index, row) in to.rchunks_exact_mut(row_bytes.max(1)).enumerate() {
            let at = offset + index * row_bytes;
            if past {
                let from = self.check(at, row.len())?;
                // SAFETY: `check` puts the row inside the mapping, which is never a Rust slice, so the two do not overlap;
                // `row` is a live exclusive slice. The race with strangers is the module's.
                unsafe { copy_past_caches(from.as_ptr(), row.as_mut_ptr(), row.len()) };
            } else {
                self.copy_out(at, row)?;
            }
        }
        if past {
            order_past_caches();
        }
        Ok(())
    }

    /// Copies samples in that lie apart, as many as `count` and the iterator have.
    #[inline]
    pub(crate) fn copy_each_in(
        self,
        offset: usize,
        count: usize,
        from: impl Iterator<Item = f32>,
    ) -> Result<(), OutOfBounds> {
        let bytes = count.checked_mul(size_of::<f32>()).ok_or(OutOfBounds)?;
        let to = self.check_write(offset, bytes)?.cast::<f32>();
        for (index, sample) in (0..count).zip(from) {
            // SAFETY: `index < count`, and `check_write` puts `count` samples inside the mapping, which is writable.
            let to = unsafe { to.add(index) };
            // SAFETY: as the line above; the write does not ask for alignment. The race is the module's.
            unsafe { to.write_unaligned(sample) };
        }
        Ok(())
    }

    /// Copies a plain value out, whatever its alignment there.
    #[inline]
    pub(crate) fn read<T: FromBytes>(self, offset: usize) -> Result<T, OutOfBounds> {
        let from = self.check(offset, size_of::<T>())?;
        // SAFETY: `check` puts all of the value inside the mapping; `FromBytes` says that whatever bytes lie
        // there are a valid value; the read does not ask for alignment. The race with strangers is the module's.
        Ok(unsafe { from.cast::<T>().read_unaligned() })
    }

    /// Copies a plain value in.
    #[inline]
    pub(crate) fn write<T: IntoBytes + Immutable>(self, offset: usize, value: &T) -> Result<(), OutOfBounds> {
        self.copy_in(offset, value.as_bytes())
    }

    /// Whether the bytes there are these. A stranger's write in the meantime may make the answer either one.
    #[inline]
    pub(crate) fn equals(self, offset: usize, bytes: &[u8]) -> Result<bool, OutOfBounds> {
        let Region { base, .. } = self.part(offset, bytes.len())?;
        Ok(match bytes.len() {
            64.. => same_in_chunks::<64>(base, bytes),
            16.. => same_in_chunks::<16>(base, bytes),
            _ => same_in_chunks::<1>(base, bytes),
        })
    }

    /// A number that is another one, in all likelihood, when any byte is.
    pub(crate) fn fingerprint(self) -> u64 {
        let mix = |print: u64, part: u64| (print.rotate_left(23) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (mut print, mut at) = (0, 0);
        while let Ok(part) = self.read::<u64>(at) {
            print = mix(print, part);
            at += size_of::<u64>();
        }
        while let Ok(byte) = self.read::<u8>(at) {
            print = mix(print, byte.into());
            at += 1;
        }
        print
    }

    /// A byte by which two sides coordinate, where this program may write.
    #[inline]
    pub(crate) fn atomic_u8(self, offset: usize) -> Result<&'m AtomicU8, OutOfBounds> {
        let at = self.check_write(offset, 1)?;
        // SAFETY: the byte lies inside the mapping, which stays and is writable for `'m` (`Region::new`); a byte is
        // always aligned; strangers write it with plain stores of a byte, which the hardware does not tear.
        Ok(unsafe { AtomicU8::from_ptr(at.as_ptr()) })
    }

    /// A word by which two sides coordinate, where this program may write. Fails as well where the address is not a
    /// multiple of 4.
    #[inline]
    pub(crate) fn atomic_u32(self, offset: usize) -> Result<&'m AtomicU32, OutOfBounds> {
        let at = self.check_write(offset, 4)?.cast::<u32>();
        if !at.is_aligned() {
            return Err(OutOfBounds);
        }
        // SAFETY: all four bytes lie inside the mapping, which stays and is writable for `'m` (`Region::new`), and the
        // address is aligned, as was just checked; aligned words are not torn by the hardware.
        Ok(unsafe { AtomicU32::from_ptr(at.as_ptr()) })
    }

    /// Eight bytes by which two sides coordinate, where this program may write. Fails as well where the address is not
    /// a multiple of 8.
    #[inline]
    pub(crate) fn atomic_u64(self, offset: usize) -> Result<&'m AtomicU64, OutOfBounds> {
        let at = self.check_write(offset, 8)?.cast::<u64>();
        if !at.is_aligned() {
            return Err(OutOfBounds);
        }
        // SAFETY: as in `atomic_u32`, with eight bytes.
        Ok(unsafe { AtomicU64::from_ptr(at.as_ptr()) })
    }

    /// Reads a byte by which two sides coordinate. Like the other loads this is relaxed, because that is the one atomic
    /// access that the language allows where memory may only be read: a fence orders it.
    #[inline]
    pub(crate) fn load_u8(self, offset: usize) -> Result<u8, OutOfBounds> {
        let at = self.check(offset, 1)?;
        // SAFETY: as in `atomic_u8`, but for the write: the reference lives for this one relaxed load.
        Ok(unsafe { AtomicU8::from_ptr(at.as_ptr()) }.load(Ordering::Relaxed))
    }

    /// Reads a word by which two sides coordinate: see [`load_u8`](Self::load_u8). Fails as well where the address is not
    /// a multiple of 4.
    #[inline]
    pub(crate) fn load_u32(self, offset: usize) -> Result<u32, OutOfBounds> {
        let at = self.check(offset, 4)?.cast::<u32>();
        if !at.is_aligned() {
            return Err(OutOfBounds);
        }
        // SAFETY: as in `atomic_u32`, but for the write: the reference lives for this one relaxed load.
        Ok(unsafe { AtomicU32::from_ptr(at.as_ptr()) }.load(Ordering::Relaxed))
    }

    /// Reads eight bytes by which two sides coordinate: see [`load_u8`](Self::load_u8). Fails as well where the address
    /// is not a multiple of 8.
    #[inline]
    pub(crate) fn load_u64(self, offset: usize) -> Result<u64, OutOfBounds> {
        let at = self.check(offset, 8)?.cast::<u64>();
        if !at.is_aligned() {
            return Err(OutOfBounds);
        }
        // SAFETY: as in `atomic_u64`, but for the write: the reference lives for this one relaxed load.
        Ok(unsafe { AtomicU64::from_ptr(at.as_ptr()) }.load(Ordering::Relaxed))
    }

    /// The address, for objects that live here and that the system's own functions work on.
    pub(crate) fn as_ptr(self) -> *mut u8 {
        self.base.as_ptr()
    }
}

/// Compares `bytes` with as many mapped ones from `base`, in chunks of `N`. Each is copied first, of which the
/// compiler makes registers: the C library's `memcmp` may fault when what it compares changes meanwhile.
#[inline(always)]
fn same_in_chunks<const N: usize>(base: NonNull<u8>, bytes: &[u8]) -> bool {
    let Some(last) = bytes.len().checked_sub(N) else { return bytes.is_empty() };
    let mut at = 0;
    loop {
        let Some(here) = bytes.get(at..).and_then(|from| from.first_chunk::<N>()) else { return false };
        // SAFETY: `bytes` has `N` bytes from `at`, and `base` leads to as many mapped bytes as `bytes` has.
        let there = unsafe { base.add(at) };
        // SAFETY: as the line above; bytes have no alignment and every value.
        let there = unsafe { there.cast::<[u8; N]>().read_unaligned() };
        if there.iter().zip(here).fold(0, |differ, (there, here)| differ | (there ^ here)) != 0 {
            return false;
        }
        if at == last {
            return true;
        }
        // The last chunk ends at the end, over bytes that were compared already.
        at = (at + N).min(last);
    }
}

impl core::fmt::Debug for Region<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Region").field("len", &self.len()).finish_non_exhaustive()
    }
}

macro_rules! read_view {
    ($(#[$doc:meta])* $view:ident, $item:ty, $items:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $view<'m> {
            region: Region<'m>,
        }

        impl<'m> $view<'m> {
            pub(crate) fn new(region: Region<'m>) -> Self {
                Self { region }
            }

            #[doc = concat!("How many ", $items, " it has.")]
            #[must_use]
            pub fn len(&self) -> usize {
                self.region.len() / size_of::<$item>()
            }

            /// Whether it has none.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            #[doc = concat!("Copies one of the ", $items, " out; `None` behind the end.")]
            #[must_use]
            pub fn get(&self, index: usize) -> Option<$item> {
                let offset = index.checked_mul(size_of::<$item>())?;
                self.region.read(offset).ok()
            }

            #[doc = concat!("Copies as many ", $items, " as both sides have, from the first one, and says how many.")]
            pub fn copy_to(&self, to: &mut [$item]) -> usize {
                let count = self.len().min(to.len());
                match to.get_mut(..count).map(|to| self.region.copy_out(0, to.as_mut_bytes())) {
                    Some(Ok(())) => count,
                    _ => 0,
                }
            }

            #[doc = concat!("The address of the first of the ", $items, ", for a caller's own unsafe code: other ")]
            /// programs may write there at any moment, so no reference may be made of it. It is aligned, and good for as
            /// long as the view is.
            #[must_use]
            pub fn as_ptr(&self) -> *const $item {
                self.region.as_ptr().cast_const().cast()
            }
        }
    };
}

macro_rules! write_view {
    ($(#[$doc:meta])* $view:ident, $item:ty, $items:literal) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $view<'m> {
            region: Region<'m>,
        }

        impl<'m> $view<'m> {
            pub(crate) fn new(region: Region<'m>) -> Self {
                Self { region }
            }

            #[doc = concat!("How many ", $items, " it has.")]
            #[must_use]
            pub fn len(&self) -> usize {
                self.region.len() / size_of::<$item>()
            }

            /// Whether it has none.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            #[doc = concat!("Copies one of the ", $items, " out; `None` behind the end.")]
            #[must_use]
            pub fn get(&self, index: usize) -> Option<$item> {
                let offset = index.checked_mul(size_of::<$item>())?;
                self.region.read(offset).ok()
            }

            #[doc = concat!("Writes one of the ", $items, ". `false`, and nothing written, behind the end.")]
            pub fn set(&mut self, index: usize, value: $item) -> bool {
                index
                    .checked_mul(size_of::<$item>())
                    .is_some_and(|offset| self.region.write(offset, &value).is_ok())
            }

            #[doc = concat!("Writes as many ", $items, " as both sides have, from the first one, and says how many.")]
            pub fn copy_from(&mut self, from: &[$item]) -> usize {
                let count = self.len().min(from.len());
                match from.get(..count).map(|from| self.region.copy_in(0, from.as_bytes())) {
                    Some(Ok(())) => count,
                    _ => 0,
                }
            }

            #[doc = concat!("The address of the first of the ", $items, ", for a caller's own unsafe code: other ")]
            /// programs may write there at any moment, so no reference may be made of it. It is aligned, and good for as
            /// long as the view is.
            #[must_use]
            pub fn as_mut_ptr(&mut self) -> *mut $item {
                self.region.as_ptr().cast()
            }
        }
    };
}

read_view!(
    /// Bytes in shared memory, to be copied out. Never a slice: others may write them at any moment.
    ViewBytes, u8, "bytes"
);
write_view!(
    /// Bytes in shared memory, to be written. Never a slice: others may write them at any moment.
    ViewBytesMut, u8, "bytes"
);
read_view!(
    /// Samples in shared memory, to be copied out. Never a slice: others may write them at any moment.
    ViewF32, f32, "samples"
);
write_view!(
    /// Samples in shared memory, to be written. Never a slice: others may write them at any moment.
    ViewF32Mut, f32, "samples"
);

#[cfg(test)]
/// Memory of the heap with the shape of a mapping, so that Miri and the sanitizers reach this module.
pub(crate) fn on_heap<R>(bytes: usize, run: impl FnOnce(Region<'_>) -> R) -> R {
    let mut memory = vec![0_u64; bytes.div_ceil(8)];
    let base = NonNull::new(memory.as_mut_ptr().cast::<u8>()).unwrap();
    // SAFETY: `memory` lives and is not touched otherwise until `run` has returned.
    run(unsafe { Region::new(base, bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_which_byte_changed() {
        on_heap(21, |region| {
            let blank = region.fingerprint();
            let mut seen = vec![blank];
            for at in 0..21 {
                region.copy_in(at, &[1]).unwrap();
                seen.push(region.fingerprint());
                region.copy_in(at, &[0]).unwrap();
            }
            assert_eq!(region.fingerprint(), blank);
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), 22);
        });
    }

    #[test]
    fn a_buffer_is_zero_and_aligned_and_copied_from() {
        for bytes in [0, 1, 63, 64, 5000] {
            let buffer = Buffer::new(bytes).unwrap();
            let region = buffer.region();
            assert!(region.as_ptr().addr().is_multiple_of(64) && region.len() >= bytes);
            assert_eq!(region.equals(0, &vec![0; bytes]), Ok(true));
            region.copy_in(0, &vec![7; bytes]).unwrap();
            on_heap(5001, |to| {
                let from = region.part(0, bytes).unwrap();
                assert_eq!(to.part(1, bytes).unwrap().copy_from(from), Ok(()));
                assert_eq!((to.equals(1, &vec![7; bytes]), to.read::<u8>(0)), (Ok(true), Ok(0)));
                assert_eq!(to.part(0, bytes.saturating_sub(1)).unwrap().copy_from(from).is_err(), bytes > 0);
            });
        }
        on_heap(8, |region| {
            region.copy_in(0, &[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
            region.part(2, 6).unwrap().copy_from(region.part(0, 6).unwrap()).unwrap();
            assert_eq!(region.equals(0, &[1, 2, 1, 2, 3, 4, 5, 6]), Ok(true));
            // SAFETY: `region` is such memory, and more: it may be written as well.
            let unwritable = unsafe { Region::read_only(region.base, 8) };
            assert_eq!(unwritable.copy_from(region), Err(OutOfBounds));
        });
        assert!(Buffer::new(usize::MAX).is_none() && Buffer::new(isize::MAX.unsigned_abs() - 4096).is_none());
    }

    #[test]
    fn nothing_outside_is_read_or_written() {
        on_heap(16, |region| {
            assert!(region.copy_in(12, &[1, 2, 3, 4]).is_ok());
            assert_eq!(region.copy_in(13, &[1, 2, 3, 4]), Err(OutOfBounds));
            assert_eq!(region.copy_out(usize::MAX, &mut [0; 2]), Err(OutOfBounds));
            assert_eq!(region.read::<[u8; 4]>(12), Ok([1, 2, 3, 4]));
            assert!(region.part(8, 9).is_err());
            assert!(region.atomic_u8(15).is_ok() && region.atomic_u8(16).is_err());
            assert!(
                region.atomic_u32(12).is_ok()
                    && region.atomic_u32(13).is_err()
                    && region.atomic_u32(10).is_err()
            );
            assert_eq!(region.part(12, 4).unwrap().equals(0, &[1, 2, 3, 4]), Ok(true));
            assert_eq!(region.equals(12, &[1, 2, 3, 5]), Ok(false));
            assert_eq!(region.equals(13, &[0; 4]), Err(OutOfBounds));
        });
    }

    #[test]
    fn nothing_is_written_where_one_may_only_read() {
        on_heap(16, |region| {
            region.write(8, &7_u64).unwrap();
            // SAFETY: `region` is such memory, and more: it may be written as well.
            let region = unsafe { Region::read_only(region.base, region.len()) };
            assert!(!region.is_writable() && !region.part(0, 16).unwrap().is_writable());
            assert_eq!(region.write(8, &1_u64), Err(OutOfBounds));
            assert_eq!(region.copy_each_in(8, 1, [1.0].into_iter()), Err(OutOfBounds));
            assert!(
                region.atomic_u8(8).is_err()
                    && region.atomic_u32(8).is_err()
                    && region.atomic_u64(8).is_err()
            );
            assert_eq!((region.load_u8(8), region.load_u32(8), region.load_u64(8)), (Ok(7), Ok(7), Ok(7)));
            assert!(
                region.load_u64(4).is_err() && region.load_u64(16).is_err() && region.load_u8(16).is_err()
            );
        });
    }

    #[test]
    fn comparing_covers_every_chunk() {
        on_heap(2000, |region| {
            let mut bytes = vec![7_u8; 1500];
            region.copy_in(3, &bytes).unwrap();
            assert_eq!(region.equals(3, &bytes), Ok(true));
            for at in [0, 511, 512, 1499] {
                bytes[at] = 8;
                assert_eq!(region.equals(3, &bytes), Ok(false), "at {at}");
                bytes[at] = 7;
            }
        });
    }

    #[test]
    fn views_copy_what_both_sides_have() {
        on_heap(12, |region| {
            let mut out = ViewF32Mut::new(region);
            assert_eq!(out.copy_from(&[1.0, 2.0, 3.0, 4.0]), 3);
            assert!(out.set(1, 5.0) && !out.set(3, 0.0) && !out.set(usize::MAX, 0.0));
            let view = ViewF32::new(region);
            let mut to = [0.0; 2];
            assert_eq!((view.copy_to(&mut to), to), (2, [1.0, 5.0]));
            assert_eq!((view.get(2), view.get(3), view.len()), (Some(3.0), None, 3));
        });
    }
}
