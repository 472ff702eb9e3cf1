//! What every function does around its work: the handle, panics, the status.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::caller::Caller;
use crate::handle::gate::Inside;
use crate::handle::{self, Handle};
use crate::status::{Fault, Outcome, TDSHM_ERR_PANIC, TDSHM_OK, record, tdshm_status_t};

/// Runs what a function does; nothing unwinds out of it.
#[inline(always)]
pub(crate) fn plain(work: impl FnOnce() -> Outcome) -> tdshm_status_t {
    caught(|| work().unwrap_or_else(record))
}

#[inline(always)]
fn caught(work: impl FnOnce() -> tdshm_status_t) -> tdshm_status_t {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| record(panicked(panic)))
}

#[cold]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Fault {
    let said = panic.downcast_ref::<&str>().map(ToString::to_string);
    let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    // What was thrown may panic again when it is dropped.
    core::mem::forget(panic);
    Fault::new(TDSHM_ERR_PANIC, format!("the library made a mistake: {said}: please report it"))
}

/// With the object of a handle, and nobody else.
#[inline(always)]
pub(crate) fn exclusive<H: Handle>(
    handle: *mut H,
    work: impl FnOnce(&mut H::Object) -> Outcome,
) -> tdshm_status_t {
    caught(move || handle::with(handle, |object, _| work(object)))
}

/// As [`exclusive`], for work that may take long and says so once it has begun ([`Inside::lengthen`]): until then others wait for
/// it, so that whoever holds a lock through the handle is not refused its end by a call that is going to be refused itself.
pub(crate) fn exclusive_long<H: Handle>(
    handle: *mut H,
    work: impl FnOnce(&mut H::Object, &dyn Inside) -> Outcome,
) -> tdshm_status_t {
    caught(move || handle::with(handle, work))
}

/// Makes an object and gives its handle to C, null where that fails.
pub(crate) fn make<H: Handle>(
    caller: &Caller,
    to: *mut *mut H,
    build: impl FnOnce() -> Result<H::Object, Fault>,
) -> tdshm_status_t {
    plain(|| {
        caller.put(to, core::ptr::null_mut())?;
        caller.put(to, handle::insert(build()?)?)
    })
}

/// Frees an object; null is none.
pub(crate) fn free<H: Handle>(handle: *mut H) -> tdshm_status_t {
    plain(|| {
        if !handle.is_null() {
            drop(handle::remove(handle)?);
        }
        Ok(TDSHM_OK)
    })
}
