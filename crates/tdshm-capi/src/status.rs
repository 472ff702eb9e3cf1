//! The status that every function gives, and the text of the last error.

use core::ffi::{CStr, c_char};
use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::CString;

#[cfg(test)]
use tdshm::ErrorKind;

use crate::caller::Caller;

/// What a function says: 0 when it did what was asked, above 0 an error, below 0 a value that is no error (there is no
/// new frame, the lock is not free, …).
///
/// 1 to 6 are the states that TouchDesigner's own classes report, those from 100 on are this library's, and those from
/// 200 on belong to its C side. A number never changes its meaning; new ones may come.
pub type tdshm_status_t = i32;

/// It was done.
pub const TDSHM_OK: i32 = 0;
/// No error: no frame has come since the last one that was taken.
pub const TDSHM_NO_NEW_FRAME: i32 = -1;
/// No error: there is no sender yet, or it has left, or it has not written yet.
pub const TDSHM_NOTHING_YET: i32 = -2;
/// No error: another thread or process has the lock.
pub const TDSHM_NOT_FREE: i32 = -3;
/// No error: the image lies there already, and was not sent again.
pub const TDSHM_UNCHANGED: i32 = -4;
/// No error: there is none of that name or kind.
pub const TDSHM_NOT_FOUND: i32 = -5;
/// No error: the text was longer than the buffer; as much as fits was copied, and how much is needed was told.
pub const TDSHM_TRUNCATED: i32 = -6;
/// No error: a foreign sender is there, which counts nothing, so nobody can tell whether it has written: compare.
pub const TDSHM_NOT_KNOWN: i32 = -7;
/// A segment of that name is already there.
pub const TDSHM_ERR_ALREADY_EXISTS: i32 = 1;
/// No segment of that name.
pub const TDSHM_ERR_DOES_NOT_EXIST: i32 = 2;
/// The info segment of that name is already there: somebody sends under it.
pub const TDSHM_ERR_INFO_ALREADY_EXISTS: i32 = 3;
/// The info segment is missing, or the sender has left.
pub const TDSHM_ERR_INFO_DOES_NOT_EXIST: i32 = 4;
/// The mapping failed.
pub const TDSHM_ERR_UNABLE_TO_MAP: i32 = 5;
/// The info lock was not free within the limit.
pub const TDSHM_ERR_UNABLE_TO_LOCK_INFO: i32 = 6;
/// A short name that cannot be one.
pub const TDSHM_ERR_NAME: i32 = 100;
/// The lock was not free within the limit: try again.
pub const TDSHM_ERR_LOCK_TIMEOUT: i32 = 101;
/// This thread holds that lock already: locks are not recursive.
pub const TDSHM_ERR_ALREADY_HELD: i32 = 102;
/// Something else than a lock has the lock's name, or a lock of another C library.
pub const TDSHM_ERR_NOT_A_LOCK: i32 = 103;
/// The lock was left unusable by another program.
pub const TDSHM_ERR_UNRECOVERABLE: i32 = 104;
/// This process was forked from the one that owns the segment.
pub const TDSHM_ERR_FORKED: i32 = 105;
/// What guards the lock itself was never free (macOS).
pub const TDSHM_ERR_STUCK: i32 = 106;
/// Something stands there that this program must not use.
pub const TDSHM_ERR_NOT_OURS: i32 = 110;
/// The object is smaller than what it has to hold.
pub const TDSHM_ERR_TOO_SMALL: i32 = 111;
/// The info segment does not hold an info block.
pub const TDSHM_ERR_BAD_INFO: i32 = 112;
/// A size that no segment can have.
pub const TDSHM_ERR_BAD_SIZE: i32 = 113;
/// The operating system refused.
pub const TDSHM_ERR_OS: i32 = 114;
/// There is no room for it in shared memory.
pub const TDSHM_ERR_NO_ROOM: i32 = 115;
/// The segment is only observed here, and what was asked for needs its lock.
pub const TDSHM_ERR_ONLY_OBSERVED: i32 = 116;
/// More places for the data than a segment can have.
pub const TDSHM_ERR_TOO_MANY_SLOTS: i32 = 117;
/// The draft is not the one that its sender began last.
pub const TDSHM_ERR_STALE_DRAFT: i32 = 118;
/// A block breaks a rule of the protocol: on the way out nothing was written, on the way in nothing was believed.
pub const TDSHM_ERR_BLOCK: i32 = 120;
/// An argument cannot be right: null where something is needed, a number out of its range, a buffer that is not aligned.
pub const TDSHM_ERR_ARGUMENT: i32 = 200;
/// This is no handle of that kind: it is null, was never given out, has been freed, or belongs to another kind of object.
pub const TDSHM_ERR_HANDLE: i32 = 201;
/// Another thread is in a call on this handle that may take long, or holds the lock through it.
pub const TDSHM_ERR_IN_USE: i32 = 202;
/// Nothing is locked, viewed or begun through this handle that could be ended.
pub const TDSHM_ERR_NOT_LOCKED: i32 = 203;
/// The lock is held by the thread that took it, and only that one can let go of it.
pub const TDSHM_ERR_WRONG_THREAD: i32 = 204;
/// The library made a mistake and caught itself. The handle can only be freed; please report the text.
pub const TDSHM_ERR_PANIC: i32 = 205;
/// The sender has been detached: its handle can only be freed.
pub const TDSHM_ERR_DETACHED: i32 = 206;
/// A lock, view or draft of this handle has not been ended yet: end it first.
pub const TDSHM_ERR_UNFINISHED: i32 = 207;
/// A text is not UTF-8.
pub const TDSHM_ERR_TEXT: i32 = 208;
/// The size at the beginning of a structure cannot be right: set it to sizeof, see TDSHM_INIT.
pub const TDSHM_ERR_STRUCT_SIZE: i32 = 209;
/// A buffer is too short, or its rows would overlap.
pub const TDSHM_ERR_BUFFER: i32 = 210;
/// The pixel format is unknown.
pub const TDSHM_ERR_FORMAT: i32 = 211;
/// There are more than 65536 handles.
pub const TDSHM_ERR_TOO_MANY_HANDLES: i32 = 212;
/// Another error, of which only the text says more.
pub const TDSHM_ERR_OTHER: i32 = 299;

/// What a program may do about an error: see tdshm_status_kind.
pub type tdshm_kind_t = i32;

/// It is no error.
pub const TDSHM_KIND_NONE: i32 = 0;
/// Trying again soon may work.
pub const TDSHM_KIND_RETRY: i32 = 1;
/// There is nothing of that name yet.
pub const TDSHM_KIND_ABSENT: i32 = 2;
/// Somebody else has it.
pub const TDSHM_KIND_BUSY: i32 = 3;
/// It was there and has gone.
pub const TDSHM_KIND_GONE: i32 = 4;
/// The argument or the rights are wrong: trying again will not help.
pub const TDSHM_KIND_REFUSED: i32 = 5;
/// What is there does not follow the protocol.
pub const TDSHM_KIND_BROKEN: i32 = 6;
/// The program uses this library wrongly.
pub const TDSHM_KIND_MISUSE: i32 = 7;

/// All that is known of each status, in the order of the constants.
#[rustfmt::skip]
pub(crate) const TABLE: &[(i32, &CStr, tdshm_kind_t, &CStr)] = &[
    (TDSHM_OK, c"TDSHM_OK", TDSHM_KIND_NONE, c"done"),
    (TDSHM_NO_NEW_FRAME, c"TDSHM_NO_NEW_FRAME", TDSHM_KIND_NONE, c"no new frame has come"),
    (TDSHM_NOTHING_YET, c"TDSHM_NOTHING_YET", TDSHM_KIND_NONE, c"there is no sender, or it has not written yet"),
    (TDSHM_NOT_FREE, c"TDSHM_NOT_FREE", TDSHM_KIND_NONE, c"another thread or process has the lock"),
    (TDSHM_UNCHANGED, c"TDSHM_UNCHANGED", TDSHM_KIND_NONE, c"the image lies there already"),
    (TDSHM_NOT_FOUND, c"TDSHM_NOT_FOUND", TDSHM_KIND_NONE, c"there is none of that name or kind"),
    (TDSHM_TRUNCATED, c"TDSHM_TRUNCATED", TDSHM_KIND_NONE, c"the text was longer than the buffer"),
    (TDSHM_NOT_KNOWN, c"TDSHM_NOT_KNOWN", TDSHM_KIND_NONE, c"the sender counts nothing: compare what lies there"),
    (TDSHM_ERR_ALREADY_EXISTS, c"TDSHM_ERR_ALREADY_EXISTS", TDSHM_KIND_BUSY, c"a segment of that name is already there"),
    (TDSHM_ERR_DOES_NOT_EXIST, c"TDSHM_ERR_DOES_NOT_EXIST", TDSHM_KIND_ABSENT, c"no segment of that name"),
    (TDSHM_ERR_INFO_ALREADY_EXISTS, c"TDSHM_ERR_INFO_ALREADY_EXISTS", TDSHM_KIND_BUSY, c"the info segment of that name is already there"),
    (TDSHM_ERR_INFO_DOES_NOT_EXIST, c"TDSHM_ERR_INFO_DOES_NOT_EXIST", TDSHM_KIND_GONE, c"the info segment is missing, or the sender has left"),
    (TDSHM_ERR_UNABLE_TO_MAP, c"TDSHM_ERR_UNABLE_TO_MAP", TDSHM_KIND_RETRY, c"the mapping failed"),
    (TDSHM_ERR_UNABLE_TO_LOCK_INFO, c"TDSHM_ERR_UNABLE_TO_LOCK_INFO", TDSHM_KIND_RETRY, c"the info lock was not free within the limit"),
    (TDSHM_ERR_NAME, c"TDSHM_ERR_NAME", TDSHM_KIND_REFUSED, c"no shared-memory name can be like that"),
    (TDSHM_ERR_LOCK_TIMEOUT, c"TDSHM_ERR_LOCK_TIMEOUT", TDSHM_KIND_RETRY, c"the lock was not free within the limit"),
    (TDSHM_ERR_ALREADY_HELD, c"TDSHM_ERR_ALREADY_HELD", TDSHM_KIND_BUSY, c"this thread already holds the lock"),
    (TDSHM_ERR_NOT_A_LOCK, c"TDSHM_ERR_NOT_A_LOCK", TDSHM_KIND_BROKEN, c"something else than a lock that this program can use has its name"),
    (TDSHM_ERR_UNRECOVERABLE, c"TDSHM_ERR_UNRECOVERABLE", TDSHM_KIND_BROKEN, c"the lock was left unusable by another program"),
    (TDSHM_ERR_FORKED, c"TDSHM_ERR_FORKED", TDSHM_KIND_REFUSED, c"the segment belongs to the process from which this one was forked"),
    (TDSHM_ERR_STUCK, c"TDSHM_ERR_STUCK", TDSHM_KIND_BROKEN, c"what guards the lock itself was never free"),
    (TDSHM_ERR_NOT_OURS, c"TDSHM_ERR_NOT_OURS", TDSHM_KIND_REFUSED, c"something stands there that this program must not use"),
    (TDSHM_ERR_TOO_SMALL, c"TDSHM_ERR_TOO_SMALL", TDSHM_KIND_RETRY, c"the object is smaller than what it has to hold"),
    (TDSHM_ERR_BAD_INFO, c"TDSHM_ERR_BAD_INFO", TDSHM_KIND_BROKEN, c"the info segment does not hold an info block"),
    (TDSHM_ERR_BAD_SIZE, c"TDSHM_ERR_BAD_SIZE", TDSHM_KIND_REFUSED, c"no segment can have that size"),
    (TDSHM_ERR_OS, c"TDSHM_ERR_OS", TDSHM_KIND_REFUSED, c"the operating system refused"),
    (TDSHM_ERR_NO_ROOM, c"TDSHM_ERR_NO_ROOM", TDSHM_KIND_RETRY, c"there is no room for it in shared memory"),
    (TDSHM_ERR_ONLY_OBSERVED, c"TDSHM_ERR_ONLY_OBSERVED", TDSHM_KIND_REFUSED, c"the segment is only observed here"),
    (TDSHM_ERR_TOO_MANY_SLOTS, c"TDSHM_ERR_TOO_MANY_SLOTS", TDSHM_KIND_REFUSED, c"no segment has so many slots"),
    (TDSHM_ERR_STALE_DRAFT, c"TDSHM_ERR_STALE_DRAFT", TDSHM_KIND_REFUSED, c"the draft is not the one that was begun last"),
    (TDSHM_ERR_BLOCK, c"TDSHM_ERR_BLOCK", TDSHM_KIND_BROKEN, c"the block breaks a rule of the protocol"),
    (TDSHM_ERR_ARGUMENT, c"TDSHM_ERR_ARGUMENT", TDSHM_KIND_MISUSE, c"an argument cannot be right"),
    (TDSHM_ERR_HANDLE, c"TDSHM_ERR_HANDLE", TDSHM_KIND_MISUSE, c"this is no handle of that kind, or it has been freed"),
    (TDSHM_ERR_IN_USE, c"TDSHM_ERR_IN_USE", TDSHM_KIND_BUSY, c"another thread is using the handle"),
    (TDSHM_ERR_NOT_LOCKED, c"TDSHM_ERR_NOT_LOCKED", TDSHM_KIND_MISUSE, c"nothing is locked through this handle"),
    (TDSHM_ERR_WRONG_THREAD, c"TDSHM_ERR_WRONG_THREAD", TDSHM_KIND_MISUSE, c"the lock belongs to the thread that took it"),
    (TDSHM_ERR_PANIC, c"TDSHM_ERR_PANIC", TDSHM_KIND_BROKEN, c"the library made a mistake and caught itself"),
    (TDSHM_ERR_DETACHED, c"TDSHM_ERR_DETACHED", TDSHM_KIND_MISUSE, c"the sender has been detached"),
    (TDSHM_ERR_UNFINISHED, c"TDSHM_ERR_UNFINISHED", TDSHM_KIND_MISUSE, c"a lock, view or draft of this handle has not been ended"),
    (TDSHM_ERR_TEXT, c"TDSHM_ERR_TEXT", TDSHM_KIND_MISUSE, c"the text is not UTF-8"),
    (TDSHM_ERR_STRUCT_SIZE, c"TDSHM_ERR_STRUCT_SIZE", TDSHM_KIND_MISUSE, c"the size at the beginning of the structure cannot be right"),
    (TDSHM_ERR_BUFFER, c"TDSHM_ERR_BUFFER", TDSHM_KIND_MISUSE, c"the buffer is too short, or its rows would overlap"),
    (TDSHM_ERR_FORMAT, c"TDSHM_ERR_FORMAT", TDSHM_KIND_REFUSED, c"the pixel format is unknown"),
    (TDSHM_ERR_TOO_MANY_HANDLES, c"TDSHM_ERR_TOO_MANY_HANDLES", TDSHM_KIND_MISUSE, c"there are too many handles"),
    (TDSHM_ERR_OTHER, c"TDSHM_ERR_OTHER", TDSHM_KIND_REFUSED, c"another error"),
];

/// What went wrong, until it becomes a status and a text.
#[derive(Debug)]
pub(crate) struct Fault(Box<(i32, Cow<'static, str>)>);

pub(crate) type Outcome = Result<tdshm_status_t, Fault>;

impl Fault {
    #[cold]
    pub(crate) fn new(status: tdshm_status_t, text: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new((status, text.into())))
    }

    /// With the text that the table has.
    #[cold]
    pub(crate) fn plain(status: tdshm_status_t) -> Self {
        let text = TABLE.iter().find(|row| row.0 == status).and_then(|row| row.3.to_str().ok());
        Self::new(status, text.unwrap_or_default())
    }

    #[cold]
    pub(crate) fn argument(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(TDSHM_ERR_ARGUMENT, text)
    }
}

impl<E: Into<tdshm::Error>> From<E> for Fault {
    #[cold]
    fn from(error: E) -> Self {
        let error: tdshm::Error = error.into();
        let code = error.code();
        let known = TABLE.iter().any(|row| row.0 == code);
        Self::new(if known { code } else { TDSHM_ERR_OTHER }, error.to_string())
    }
}

#[cfg(test)]
/// What a program may do about an error of the core.
pub(crate) fn kind_number(kind: ErrorKind) -> tdshm_kind_t {
    match kind {
        ErrorKind::Retry => TDSHM_KIND_RETRY,
        ErrorKind::Absent => TDSHM_KIND_ABSENT,
        ErrorKind::Busy => TDSHM_KIND_BUSY,
        ErrorKind::Gone => TDSHM_KIND_GONE,
        ErrorKind::Broken => TDSHM_KIND_BROKEN,
        _ => TDSHM_KIND_REFUSED,
    }
}

struct Last {
    status: tdshm_status_t,
    text: Option<CString>,
}

thread_local! {
    static LAST: RefCell<Last> = const { RefCell::new(Last { status: TDSHM_OK, text: None }) };
}

/// Keeps what went wrong for [`tdshm_last_error`], and gives the status.
#[cold]
pub(crate) fn record(fault: Fault) -> tdshm_status_t {
    let (status, text) = *fault.0;
    // What is to be read by C ends at the first NUL.
    let text = text.split('\0').next().unwrap_or_default().to_owned();
    // While a thread ends there may be no such place any more: then there is the status alone.
    let _ = LAST.try_with(|last| {
        if let Ok(mut last) = last.try_borrow_mut() {
            *last = Last { status, text: CString::new(text).ok() };
        }
    });
    status
}

/// The text of the last error on this thread: one sentence in UTF-8 with the names, the numbers and what to do. Empty
/// where there has been none; never NULL.
///
/// It is valid until the next call on this thread that gives an error. Calls that give 0 or less leave it alone.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_last_error() -> *const c_char {
    LAST.try_with(|last| last.try_borrow().ok().and_then(|last| last.text.as_deref().map(CStr::as_ptr)))
        .ok()
        .flatten()
        .unwrap_or(c"".as_ptr())
}

/// The status that goes with tdshm_last_error, TDSHM_OK where there has been no error on this thread.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_last_status() -> tdshm_status_t {
    LAST.try_with(|last| last.try_borrow().map_or(TDSHM_OK, |last| last.status)).unwrap_or(TDSHM_OK)
}

/// Copies the text of the last error on this thread, with a NUL behind it, into `buffer` of `capacity` bytes. `needed`,
/// which may be NULL, is told how many bytes the whole text takes with its NUL.
///
/// TDSHM_TRUNCATED where it did not fit: then what is there ends with NUL as well, and at a whole character. `buffer` may be
/// NULL where `capacity` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_copy_last_error(
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    let text = LAST.try_with(|last| last.try_borrow().ok().and_then(|last| last.text.clone()));
    let text = text.ok().flatten().unwrap_or_default();
    crate::call::plain(|| caller.copy_text(text.to_str().unwrap_or_default(), buffer, capacity, needed))
}

/// The name of a status, `TDSHM_ERR_NAME`; `unknown` for a number that is none. Never NULL, and valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_status_name(status: tdshm_status_t) -> *const c_char {
    TABLE.iter().find(|row| row.0 == status).map_or(c"unknown", |row| row.1).as_ptr()
}

/// A few words on a status; what happened says tdshm_last_error. Never NULL, and valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_status_text(status: tdshm_status_t) -> *const c_char {
    TABLE.iter().find(|row| row.0 == status).map_or(c"an unknown status", |row| row.3).as_ptr()
}

/// What a program may do about a status: one of TDSHM_KIND_….
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_status_kind(status: tdshm_status_t) -> tdshm_kind_t {
    let unknown = if status > TDSHM_OK { TDSHM_KIND_REFUSED } else { TDSHM_KIND_NONE };
    TABLE.iter().find(|row| row.0 == status).map_or(unknown, |row| row.2)
}

/// The version of the library that runs: its major number times 65536, plus its minor number times 256, plus its patch
/// number. Compare it with TDSHM_VERSION, which is that of the header.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_version() -> u32 {
    let part = |text: &str| text.parse::<u32>().unwrap_or(0) & 0xff;
    (part(env!("CARGO_PKG_VERSION_MAJOR")) << 16)
        | (part(env!("CARGO_PKG_VERSION_MINOR")) << 8)
        | part(env!("CARGO_PKG_VERSION_PATCH"))
}

/// The version of the library that runs, as a text: `0.1.0`. Valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_version_text() -> *const c_char {
    const TEXT: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    TEXT.as_ptr().cast()
}
