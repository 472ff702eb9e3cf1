//! The side that reads what another program makes.

use core::ffi::{c_char, c_void};
use std::time::Duration;

use tdshm::{ReadGuard, SegmentReceiver};

use crate::call::{exclusive, exclusive_long, free, make};
use crate::caller::{Caller, duration, limit, limit_of};
use crate::handle::Handle;
use crate::handle::gate::Inside;
use crate::held::Lender;
use crate::segment::{tdshm_attached_t, tdshm_receiver_options_t, tdshm_stats_t};
use crate::status::{
    Fault, Outcome, TDSHM_NO_NEW_FRAME, TDSHM_NOT_FREE, TDSHM_NOT_KNOWN, TDSHM_NOTHING_YET, TDSHM_OK,
    tdshm_status_t,
};

/// A segment that another program makes, or will make: this one reads.
#[derive(Debug)]
pub enum tdshm_receiver_t {}

/// Opens the segment `name`, which is UTF-8 on every system, and whose sender may come later: that nobody sends yet is no
/// error. `options` may be NULL. What comes of it is freed with tdshm_receiver_free.
///
/// TDSHM_ERR_NAME for a name that cannot be one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_receiver_open(
    name: *const c_char,
    name_bytes: usize,
    options: *const tdshm_receiver_options_t,
    receiver: *mut *mut tdshm_receiver_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    make(&caller, receiver, || {
        let name = caller.text(name, name_bytes)?;
        Ok(Lender::new(open(name, &caller.options(options)?)?))
    })
}

/// Frees the receiver; a lock that this thread holds through it is let go of.
///
/// Freeing NULL does nothing. TDSHM_ERR_IN_USE while another thread holds its lock or is in a long call: then it is not
/// freed.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_receiver_free(receiver: *mut tdshm_receiver_t) -> tdshm_status_t {
    free(receiver)
}

/// Looks whether the sender has come, moved its data or left, follows it, and takes the data lock for one read, waiting up
/// to `limit_ns` nanoseconds (TDSHM_DEFAULT: the receiver's own limit). `memory`, `size_bytes` and `abandoned` may be NULL.
///
/// `size_bytes` is what is mapped, whole pages; what a block has says its header, which nobody vouches for. `abandoned` is 1
/// where the last holder died with the lock: what lies there may be half written.
///
/// TDSHM_NOTHING_YET, with nothing locked and `*memory` NULL, while there is no sender. TDSHM_ERR_ONLY_OBSERVED where this is an
/// observer; otherwise as tdshm_sender_lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_receiver_lock(
    receiver: *mut tdshm_receiver_t,
    limit_ns: i64,
    memory: *mut *mut c_void,
    size_bytes: *mut usize,
    abandoned: *mut i32,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |segment| segment.lock(&caller, limit_ns, memory, size_bytes, abandoned))
}

/// As tdshm_receiver_lock without waiting: TDSHM_NOT_FREE, which is no error, where another thread or process has the lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_receiver_try_lock(
    receiver: *mut tdshm_receiver_t,
    memory: *mut *mut c_void,
    size_bytes: *mut usize,
    abandoned: *mut i32,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |segment| segment.try_lock(&caller, memory, size_bytes, abandoned))
}

/// Lets go of the lock.
///
/// TDSHM_ERR_NOT_LOCKED where nothing is locked through this handle, TDSHM_ERR_WRONG_THREAD where another thread locked it.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_receiver_unlock(receiver: *mut tdshm_receiver_t) -> tdshm_status_t {
    exclusive(receiver, move |segment| segment.unlock())
}

/// Where the sender's memory lies, with the lock or without it, and how many bytes are mapped (`size_bytes` may be NULL).
/// Without the lock it looks for the sender first and follows it. TDSHM_NOTHING_YET and NULL while there is none.
///
/// The address may change with every call on this handle that looks (lock, memory; see `keep_memory` of the options), and ends
/// with tdshm_receiver_close and tdshm_receiver_free. What is read there without the lock may be half written. Who may only read what the sender made
/// (its mode) must not write there: that ends the program.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_receiver_memory(
    receiver: *mut tdshm_receiver_t,
    memory: *mut *mut c_void,
    size_bytes: *mut usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |segment| segment.memory(&caller, memory, size_bytes))
}

/// Waits until the sender has written since this was asked last, for `timeout_ns` nanoseconds at most; 0 only looks.
/// TDSHM_OK where it has, TDSHM_NO_NEW_FRAME where it has not. Takes no lock.
///
/// A sender of this library counts what it writes, and wakes whoever waits. A foreign one does not: while that is there this gives
/// TDSHM_NOT_KNOWN, which is below 0 and not TDSHM_OK, after a millisecond (at once where `timeout_ns` is 0), whether something is new
/// or not. The caller then takes the lock, compares what lies there with what it had, and calls again.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_receiver_wait(receiver: *mut tdshm_receiver_t, timeout_ns: i64) -> tdshm_status_t {
    exclusive_long(receiver, move |segment, inside| segment.wait(duration(timeout_ns)?, inside))
}

/// The state that TouchDesigner's own class would report after the last look: TDSHM_OK or TDSHM_ERR_ALREADY_EXISTS (1) to
/// TDSHM_ERR_UNABLE_TO_LOCK_INFO (6).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_receiver_state(
    receiver: *mut tdshm_receiver_t,
    state: *mut tdshm_status_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |segment| caller.put(state, segment.owner()?.state() as i32))
}

/// Whether there was a sender at the last look: TDSHM_ATTACHED_….
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_receiver_attached(
    receiver: *mut tdshm_receiver_t,
    attached: *mut tdshm_attached_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |segment| {
        caller.put(attached, crate::segment::attached(segment.owner()?.attached()))
    })
}

/// Whether it only observes (1) or not (0): because it was asked to, or because this user may read what the sender made and
/// not write it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_receiver_is_observer(
    receiver: *mut tdshm_receiver_t,
    observes: *mut i32,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |segment| caller.put(observes, i32::from(segment.owner()?.is_observer())))
}

/// Copies the short name with a NUL behind it, as tdshm_copy_last_error copies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_receiver_name(
    receiver: *mut tdshm_receiver_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |segment| {
        caller.copy_text(segment.owner()?.name().as_str(), buffer, capacity, needed)
    })
}

/// What has happened to the segment so far.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_receiver_stats(
    receiver: *mut tdshm_receiver_t,
    stats: *mut tdshm_stats_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |segment| caller.write(stats, segment.owner()?.stats().into()))
}

/// Changes how long is waited for a lock from now on, in nanoseconds; 0 does not wait.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_receiver_set_lock_limit(
    receiver: *mut tdshm_receiver_t,
    limit_ns: i64,
) -> tdshm_status_t {
    exclusive(receiver, move |segment| {
        segment.owner()?.set_lock_limit(duration(limit_ns)?);
        Ok(TDSHM_OK)
    })
}

/// Lets go of everything that is open, so that the sender neither waits for this receiver nor keeps its objects for it. The
/// next lock opens it again.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_receiver_close(receiver: *mut tdshm_receiver_t) -> tdshm_status_t {
    exclusive(receiver, move |segment| {
        segment.owner()?.close();
        Ok(TDSHM_OK)
    })
}

/// The segment, and the guard of its lock.
pub(crate) type Receiver = Lender<SegmentReceiver, ReadGuard<'static>>;

impl Handle for tdshm_receiver_t {
    type Object = Receiver;
    const TAG: u8 = 0x52;

    fn may_go(object: &mut Receiver) -> Result<(), Fault> {
        object.may_go()
    }
}

/// A receiver with what the options say of all kinds of it.
pub(crate) fn open(name: &str, options: &tdshm_receiver_options_t) -> Result<SegmentReceiver, Fault> {
    let mut builder =
        SegmentReceiver::builder(name).observe(options.observe != 0).keep_lent(options.keep_memory != 0);
    if let Some(limit) = limit(options.lock_limit_ns)? {
        builder = builder.lock_limit(limit);
    }
    Ok(builder.open()?)
}

impl Receiver {
    fn lock(
        &mut self,
        caller: &Caller,
        limit_ns: i64,
        memory: *mut *mut c_void,
        size_bytes: *mut usize,
        abandoned: *mut i32,
    ) -> Outcome {
        let limit = limit_of(limit_ns)?;
        self.hold(caller, memory, size_bytes, abandoned, |segment| {
            Ok(match limit {
                None => segment.lock()?,
                Some(limit) => segment.lock_timeout(limit)?,
            })
        })
    }

    fn try_lock(
        &mut self,
        caller: &Caller,
        memory: *mut *mut c_void,
        size_bytes: *mut usize,
        abandoned: *mut i32,
    ) -> Outcome {
        let mut busy = false;
        let held = self.hold(caller, memory, size_bytes, abandoned, |segment| {
            match segment.lock_timeout(Duration::ZERO) {
                Err(tdshm::Error::Lock(tdshm::LockError::Timeout { .. })) => {
                    busy = true;
                    Ok(None)
                }
                locked => Ok(locked?),
            }
        })?;
        Ok(if busy { TDSHM_NOT_FREE } else { held })
    }

    fn hold(
        &mut self,
        caller: &Caller,
        memory: *mut *mut c_void,
        size_bytes: *mut usize,
        abandoned: *mut i32,
        lock: impl FnOnce(&'static mut SegmentReceiver) -> Result<Option<ReadGuard<'static>>, Fault>,
    ) -> Outcome {
        // What cannot be written to is found before anything is locked.
        caller.put_if(memory, core::ptr::null_mut())?;
        caller.put_if(size_bytes, 0)?;
        caller.put_if(abandoned, 0)?;
        let Some(guard) = self.lend(lock)? else { return Ok(TDSHM_NOTHING_YET) };
        let view = guard.view();
        caller.put_if(memory, view.as_ptr().cast_mut().cast())?;
        caller.put_if(size_bytes, view.len())?;
        caller.put_if(abandoned, i32::from(guard.is_abandoned()))?;
        Ok(TDSHM_OK)
    }

    fn unlock(&mut self) -> Outcome {
        self.end()?;
        Ok(TDSHM_OK)
    }

    fn memory(&mut self, caller: &Caller, memory: *mut *mut c_void, size_bytes: *mut usize) -> Outcome {
        caller.put(memory, core::ptr::null_mut())?;
        caller.put_if(size_bytes, 0)?;
        let view = if self.is_lent() { Some(self.guard()?.lend()) } else { self.owner()?.lend()? };
        let Some(view) = view else { return Ok(TDSHM_NOTHING_YET) };
        caller.put(memory, view.as_ptr().cast_mut().cast())?;
        caller.put_if(size_bytes, view.len())?;
        Ok(TDSHM_OK)
    }

    fn wait(&mut self, limit: Duration, inside: &dyn Inside) -> Outcome {
        let segment = self.owner()?;
        if !limit.is_zero() {
            inside.lengthen();
        }
        Ok(match segment.wait_timeout(limit)? {
            false => TDSHM_NO_NEW_FRAME,
            true if segment.is_counted() => TDSHM_OK,
            true => TDSHM_NOT_KNOWN,
        })
    }
}
