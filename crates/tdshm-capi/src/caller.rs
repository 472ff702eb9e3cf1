//! What C hands over, checked as far as it can be.

use core::ffi::c_char;
use core::mem::MaybeUninit;
use std::time::Duration;

use crate::status::{Fault, Outcome, TDSHM_ERR_STRUCT_SIZE, TDSHM_ERR_TEXT, TDSHM_OK, TDSHM_TRUNCATED};

/// A text: UTF-8 of so many bytes, which needs no NUL behind it. Where one is lent out it has none either.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tdshm_text_t {
    /// The first byte; may be NULL where there are none.
    pub text: *const c_char,
    /// How many there are.
    pub bytes: usize,
}

/// For a limit: that of the handle.
pub const TDSHM_DEFAULT: i64 = -1;
/// For a time to wait: for ever, or 292 years.
#[allow(dead_code, reason = "C uses it")]
pub const TDSHM_FOREVER: i64 = 0x7fff_ffff_ffff_ffff;

impl tdshm_text_t {
    /// A text that is lent as long as `text` is there.
    pub(crate) fn lent(text: &str) -> Self {
        Self { text: text.as_ptr().cast(), bytes: text.len() }
    }
}

/// Numbers and pointers of which any bytes are a value, and zeros one that means nothing was said.
///
/// # Safety
///
/// Any bytes are a value of the type. A structure is `repr(C)`.
pub(crate) unsafe trait Plain: Copy {}

/// Says that types are [`Plain`]: numbers, raw pointers, and `repr(C)` structures of nothing else.
macro_rules! plain {
    ($($kind:ty),+ $(,)?) => {
        // SAFETY: numbers, raw pointers, and `repr(C)` structures of nothing else, whose every field is public and is read
        // as what it is; padding is never looked at.
        $(unsafe impl $crate::caller::Plain for $kind {})+
    };
}
pub(crate) use plain;

plain!(u8, i8, u16, u32, i32, u64, i64, usize, f32, tdshm_text_t);
// SAFETY: as above.
unsafe impl<T> Plain for *const T {}
// SAFETY: as above.
unsafe impl<T> Plain for *mut T {}

/// A structure that begins with its own size.
///
/// # Safety
///
/// The first field is `struct_size: u32`.
pub(crate) unsafe trait Sized32: Plain {}

/// Says that structures are [`Plain`], and [`Sized32`].
macro_rules! sized {
    ($($kind:ty),+ $(,)?) => {
        $crate::caller::plain!($($kind),+);
        // SAFETY: the first field of each, which this asserts.
        $(unsafe impl $crate::caller::Sized32 for $kind {})+
        $(const _: () = assert!(core::mem::offset_of!($kind, struct_size) == 0);)+
    };
}
pub(crate) use sized;

/// The largest structure that anybody will hand over, so that a size that was never set is found.
const LARGEST_STRUCT: usize = 4096;

/// One call from C, whose pointers are null or lead to what is said beside them.
///
/// Whoever makes one has C's word for it (the beginning of the header); all that can be checked is checked here.
#[derive(Debug)]
pub(crate) struct Caller(());

impl Caller {
    /// # Safety
    ///
    /// Each pointer that this is asked about during one call is null, or leads to as many elements of its type as the count
    /// beside it says (one, where there is no count; as many bytes as `struct_size` says, of a structure that has one), which
    /// may be read, and where this writes also written, and which nobody else touches until the call ends.
    #[inline(always)]
    pub(crate) unsafe fn trusted() -> Self {
        Self(())
    }

    /// `count` elements. Where there are none the pointer may be anything.
    #[inline]
    pub(crate) fn slice<T: Plain>(&self, pointer: *const T, count: usize) -> Result<&[T], Fault> {
        if count == 0 {
            return Ok(&[]);
        }
        check(pointer, count)?;
        // SAFETY: not null, aligned and of a size that memory can have, as `check` saw; that so many elements lie there and stay
        // as they are is the word of the caller, for as long as `self` lives; any bytes are a `T`.
        #[expect(clippy::disallowed_methods, reason = "the caller's own memory")]
        Ok(unsafe { core::slice::from_raw_parts(pointer, count) })
    }

    /// As [`slice`](Self::slice), to be written to.
    #[inline]
    #[expect(clippy::mut_from_ref, reason = "it is the caller's memory, not this one's")]
    pub(crate) fn slice_mut<T: Plain>(&self, pointer: *mut T, count: usize) -> Result<&mut [T], Fault> {
        if count == 0 {
            return Ok(&mut []);
        }
        check(pointer.cast_const(), count)?;
        // SAFETY: as in `slice`; that it may be written to and that nobody else has it is the word of the caller as well. Of
        // each pointer one slice is made a call.
        #[expect(clippy::disallowed_methods, reason = "the caller's own memory")]
        Ok(unsafe { core::slice::from_raw_parts_mut(pointer, count) })
    }

    /// A text with its length.
    pub(crate) fn text(&self, pointer: *const c_char, bytes: usize) -> Result<&str, Fault> {
        let bytes = self.slice(pointer.cast::<u8>(), bytes)?;
        core::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            Fault::new(
                TDSHM_ERR_TEXT,
                format!("the text is not UTF-8 from its byte {at} on: convert it first"),
            )
        })
    }

    /// So many texts.
    pub(crate) fn texts(&self, pointer: *const tdshm_text_t, count: usize) -> Result<Vec<&str>, Fault> {
        self.slice(pointer, count)?.iter().map(|text| self.text(text.text, text.bytes)).collect()
    }

    /// What lies at a pointer; `None` where it is null.
    pub(crate) fn get_if<T: Plain>(&self, pointer: *const T) -> Result<Option<T>, Fault> {
        if pointer.is_null() {
            return Ok(None);
        }
        Ok(self.slice(pointer, 1)?.first().copied())
    }

    /// Writes a value where it is asked for.
    #[inline]
    pub(crate) fn put_if<T: Plain>(&self, pointer: *mut T, value: T) -> Result<(), Fault> {
        if !pointer.is_null() {
            check(pointer.cast_const(), 1)?;
            // SAFETY: not null and aligned, as `check` saw; that one element may be written there is the caller's word.
            unsafe { pointer.write(value) };
        }
        Ok(())
    }

    /// Writes a value that has to be taken.
    #[inline]
    pub(crate) fn put<T: Plain>(&self, pointer: *mut T, value: T) -> Outcome {
        check(pointer.cast_const(), 1)?;
        self.put_if(pointer, value)?;
        Ok(TDSHM_OK)
    }

    /// A structure of options, all zero where the pointer is null.
    pub(crate) fn options<S: Sized32>(&self, pointer: *const S) -> Result<S, Fault> {
        if pointer.is_null() { Ok(zeroed()) } else { self.read(pointer) }
    }

    /// A structure, as far as its maker knew it; the rest is zero.
    pub(crate) fn read<S: Sized32>(&self, pointer: *const S) -> Result<S, Fault> {
        let size = self.struct_size(pointer)?;
        let bytes = self.slice(pointer.cast::<u8>(), size)?;
        let known = size.min(size_of::<S>());
        if bytes.get(known..).is_some_and(|rest| rest.iter().any(|byte| *byte != 0)) {
            return Err(Fault::new(
                TDSHM_ERR_STRUCT_SIZE,
                "the structure says more than this library knows: use a library as new as the header",
            ));
        }
        let mut value = zeroed::<S>();
        // SAFETY: `known` bytes lie at `pointer`, as `slice` was told, and fit into `value`, which is another place.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), (&raw mut value).cast::<u8>(), known) };
        Ok(value)
    }

    /// Writes as much of a structure as its owner has room for, and leaves its size alone.
    pub(crate) fn write<S: Sized32>(&self, pointer: *mut S, value: S) -> Outcome {
        let size = self.struct_size(pointer.cast_const())?;
        let mut value = value;
        // SAFETY: the first field of `S` is its size, as its `Sized32` says.
        unsafe { (&raw mut value).cast::<u32>().write(u32::try_from(size).unwrap_or(u32::MAX)) };
        let known = size.min(size_of::<S>());
        // SAFETY: `known` bytes of `value` are there; so many may be written at `pointer`, whose owner said `size`.
        unsafe {
            core::ptr::copy_nonoverlapping((&raw const value).cast::<u8>(), pointer.cast::<u8>(), known)
        };
        Ok(TDSHM_OK)
    }

    /// As [`write`](Self::write), where it is asked for.
    pub(crate) fn write_if<S: Sized32>(&self, pointer: *mut S, value: S) -> Result<(), Fault> {
        if !pointer.is_null() {
            self.write(pointer, value)?;
        }
        Ok(())
    }

    /// Whether [`write_if`](Self::write_if) will do, before something is done that cannot be undone.
    pub(crate) fn check_struct<S: Sized32>(&self, pointer: *const S) -> Result<(), Fault> {
        if pointer.is_null() { Ok(()) } else { self.struct_size(pointer).map(drop) }
    }

    fn struct_size<S: Sized32>(&self, pointer: *const S) -> Result<usize, Fault> {
        check(pointer, 1)?;
        // SAFETY: aligned and not null, as `check` saw; a structure begins with these four bytes.
        let size = unsafe { pointer.cast::<u32>().read() } as usize;
        if !(8..=LARGEST_STRUCT).contains(&size) {
            return Err(Fault::new(
                TDSHM_ERR_STRUCT_SIZE,
                format!("struct_size is {size}: set it to the size of the structure, see TDSHM_INIT"),
            ));
        }
        Ok(size)
    }

    /// Copies a text with a NUL behind it, or as many whole characters of it as fit.
    pub(crate) fn copy_text(
        &self,
        text: &str,
        buffer: *mut c_char,
        capacity: usize,
        needed: *mut usize,
    ) -> Outcome {
        let all = text.len().saturating_add(1);
        self.put_if(needed, all)?;
        let buffer = self.slice_mut(buffer.cast::<u8>(), capacity)?;
        let Some(room) = buffer.len().checked_sub(1) else { return Ok(TDSHM_TRUNCATED) };
        let fits = text.floor_char_boundary(room);
        let copied = text.as_bytes().get(..fits).unwrap_or_default();
        for (to, from) in buffer.iter_mut().zip(copied.iter().chain([&0])) {
            *to = *from;
        }
        Ok(if fits == text.len() { TDSHM_OK } else { TDSHM_TRUNCATED })
    }
}

/// Whether elements can lie there at all.
#[inline]
fn check<T>(pointer: *const T, count: usize) -> Result<(), Fault> {
    let most = const {
        match (isize::MAX as usize).checked_div(size_of::<T>()) {
            Some(most) => most,
            None => 0,
        }
    };
    if !pointer.is_null() && pointer.is_aligned() && count <= most {
        return Ok(());
    }
    Err(why_not(pointer.addr(), align_of::<T>(), count, most))
}

#[cold]
fn why_not(address: usize, align: usize, count: usize, most: usize) -> Fault {
    Fault::argument(if address == 0 {
        "a pointer is NULL where something is needed: see the function's description".to_owned()
    } else if count > most {
        format!(
            "a count or length is {count}, more than the {most} that memory can have: was a negative number passed?"
        )
    } else {
        format!("a pointer is {address:#x}, which is not aligned to {align} bytes")
    })
}

/// All zero.
pub(crate) fn zeroed<T: Plain>() -> T {
    // SAFETY: any bytes are a `T`, zeros among them.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

/// A time that may be 0.
pub(crate) fn duration(ns: i64) -> Result<Duration, Fault> {
    u64::try_from(ns)
        .map(Duration::from_nanos)
        .map_err(|_| Fault::argument(format!("a time is {ns} ns: give 0 or more")))
}

/// A limit in options, where 0 leaves the usual one.
pub(crate) fn limit(ns: i64) -> Result<Option<Duration>, Fault> {
    Ok(Some(duration(ns)?).filter(|limit| !limit.is_zero()))
}

/// A limit of one call; `None`, for [`TDSHM_DEFAULT`]: that of the handle.
#[inline]
pub(crate) fn limit_of(ns: i64) -> Result<Option<Duration>, Fault> {
    if ns == TDSHM_DEFAULT {
        return Ok(None);
    }
    let limit = u64::try_from(ns).map(Duration::from_nanos);
    limit
        .map(Some)
        .map_err(|_| Fault::argument(format!("a limit is {ns} ns: give 0 or more, or TDSHM_DEFAULT")))
}

/// A number of bytes in options, where 0 leaves the usual one.
pub(crate) fn ceiling(bytes: u64) -> Result<Option<usize>, Fault> {
    Ok(Some(size(bytes)?).filter(|bytes| *bytes != 0))
}

/// A number of a structure that counts something in memory.
pub(crate) fn size(bytes: u64) -> Result<usize, Fault> {
    usize::try_from(bytes).map_err(|_| Fault::argument(format!("{bytes} is more than memory can have")))
}

/// How old something is; -1 where that is not known.
pub(crate) fn age_ns(age: Option<Duration>) -> i64 {
    age.map_or(-1, |age| i64::try_from(age.as_nanos()).unwrap_or(i64::MAX))
}

/// A count; -1 where it is not known.
pub(crate) fn count_or_unknown(count: Option<u64>) -> i64 {
    count.map_or(-1, |count| i64::try_from(count).unwrap_or(i64::MAX))
}
