//! Locks that stand alone: what the vendor has as a mutex.

use core::ffi::c_char;

use tdshm::{Acquired, LockGuard, NamedLock};

use crate::call::{exclusive, free, make};
use crate::caller::{Caller, limit_of};
use crate::handle::Handle;
use crate::held::Lender;
use crate::status::{Fault, Outcome, TDSHM_NOT_FOUND, TDSHM_NOT_FREE, TDSHM_OK, tdshm_status_t};

/// A named lock between processes, and between threads: never left locked by a dead process.
#[derive(Debug)]
pub enum tdshm_lock_t {}

/// Opens the lock whose object has that name, and makes it where it is missing, for this user alone. The name is the whole
/// name of the object: that of the data lock of a segment is `TouchSHM`, the short name, `Mutex`.
///
/// What comes of it is freed with tdshm_lock_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_lock_open(
    name: *const c_char,
    name_bytes: usize,
    lock: *mut *mut tdshm_lock_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    make(&caller, lock, || Ok(Lender::new(NamedLock::open(caller.text(name, name_bytes)?)?)))
}

/// Frees the lock's handle; where this thread holds it, it is let go of. The lock itself stays.
///
/// Freeing NULL does nothing. TDSHM_ERR_IN_USE while another thread holds it through this handle: then it is not freed.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_lock_free(lock: *mut tdshm_lock_t) -> tdshm_status_t {
    free(lock)
}

/// Takes the lock, waiting up to `limit_ns` nanoseconds (TDSHM_DEFAULT: 5 seconds, as TouchDesigner waits).
///
/// `abandoned`, which may be NULL, is 1 where the last holder died with it; it is held all the same.
///
/// TDSHM_ERR_LOCK_TIMEOUT, and TDSHM_ERR_ALREADY_HELD by this very thread, at once. TDSHM_ERR_IN_USE where another thread holds it
/// through this very handle: threads that wait for one another have a handle each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_lock_acquire(
    lock: *mut tdshm_lock_t,
    limit_ns: i64,
    abandoned: *mut i32,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(lock, move |lock| lock.acquire(&caller, limit_ns, abandoned))
}

/// As tdshm_lock_acquire without waiting: TDSHM_NOT_FREE, which is no error, where another thread or process has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_lock_try_acquire(
    lock: *mut tdshm_lock_t,
    abandoned: *mut i32,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(lock, move |lock| lock.try_acquire(&caller, abandoned))
}

/// Lets go of the lock.
///
/// TDSHM_ERR_NOT_LOCKED where it is not held through this handle, TDSHM_ERR_WRONG_THREAD where another thread took it.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_lock_release(lock: *mut tdshm_lock_t) -> tdshm_status_t {
    exclusive(lock, move |lock| lock.release())
}

/// The process that holds it, as the lock's record says: a look for tools. TDSHM_NOT_FOUND, and 0, where it is free or
/// cannot say. Windows: known of this process alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_lock_holder(lock: *mut tdshm_lock_t, pid: *mut u32) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(lock, move |lock| {
        let holder = lock.look()?.holder();
        caller.put(pid, holder.unwrap_or(0))?;
        Ok(if holder.is_some() { TDSHM_OK } else { TDSHM_NOT_FOUND })
    })
}

/// Copies the object's name with a NUL behind it, as tdshm_copy_last_error copies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_lock_name(
    lock: *mut tdshm_lock_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(lock, move |lock| caller.copy_text(lock.look()?.name(), buffer, capacity, needed))
}

/// The lock, and its guard.
pub(crate) type Lock = Lender<NamedLock, LockGuard<'static>>;

impl Handle for tdshm_lock_t {
    type Object = Lock;
    const TAG: u8 = 0x53;

    fn may_go(object: &mut Lock) -> Result<(), Fault> {
        object.may_go()
    }
}

impl Lock {
    fn acquire(&mut self, caller: &Caller, limit_ns: i64, abandoned: *mut i32) -> Outcome {
        let limit = limit_of(limit_ns)?;
        self.hold(caller, abandoned, |lock| {
            let acquired = match limit {
                None => lock.lock(),
                Some(limit) => lock.lock_timeout(limit),
            };
            Ok(Some(acquired?))
        })
    }

    fn try_acquire(&mut self, caller: &Caller, abandoned: *mut i32) -> Outcome {
        self.hold(caller, abandoned, |lock| Ok(lock.try_lock()?))
    }

    fn hold(
        &mut self,
        caller: &Caller,
        abandoned: *mut i32,
        lock: impl FnOnce(&'static NamedLock) -> Result<Option<Acquired<'static>>, Fault>,
    ) -> Outcome {
        caller.put_if(abandoned, 0)?;
        let mut is_abandoned = false;
        let held = self.lend(|owner| {
            let acquired = lock(owner)?;
            is_abandoned = acquired.as_ref().is_some_and(Acquired::is_abandoned);
            Ok(acquired.map(Acquired::into_guard))
        })?;
        if held.is_none() {
            return Ok(TDSHM_NOT_FREE);
        }
        caller.put_if(abandoned, i32::from(is_abandoned))?;
        Ok(TDSHM_OK)
    }

    fn release(&mut self) -> Outcome {
        self.end()?;
        Ok(TDSHM_OK)
    }
}
