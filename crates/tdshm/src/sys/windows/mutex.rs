//! A kernel mutex: the lock of Windows (wire §5, seen).
//!
//! The system notes that its holder died, and tells the next one who waits. It lets the thread that holds it take it
//! again, which ours does not: who holds it in this process is written down here, once for every name.

use std::collections::HashMap;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, HANDLE, NTSTATUS, RtlNtStatusToDosError, WAIT_ABANDONED, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::Win32::System::Threading::{
    CreateMutexW, INFINITE, MUTEX_MODIFY_STATE, OpenMutexW, ReleaseMutex, SYNCHRONIZATION_SYNCHRONIZE,
    WaitForSingleObject,
};

use crate::sys::windows::{code, refused, wide};
use crate::sys::{Access, LockFailure, LockLayout, LockOpenError, LockWord, ObjectError, Outcome, Party};

/// The thread of this process that holds the mutex of one name; 0: none.
type Holder = Arc<AtomicU64>;

/// The lock, open in this process.
#[derive(Debug)]
pub(crate) struct Lock {
    handle: OwnedHandle,
    holder: Holder,
    /// It was taken through this handle and not let go of.
    held: AtomicBool,
}

impl Lock {
    /// Opens the lock of that name, or makes it where it is missing, whoever asks: nobody owns it from the beginning.
    pub(crate) fn open(
        name: &str,
        _access: Access,
        _layout: LockLayout,
        _party: Party,
    ) -> Result<Self, LockOpenError> {
        let handle =
            open_mutex(name).map_err(|error| LockOpenError::Object(refused("open the lock", 0, error)))?;
        Ok(Self { handle, holder: holder_of(name), held: AtomicBool::new(false) })
    }

    /// Takes the lock, waiting up to `limit`.
    #[inline]
    pub(crate) fn acquire(&self, limit: Duration) -> Result<Outcome, LockFailure> {
        let me = this_thread();
        if self.holder.load(Ordering::Relaxed) == me {
            return Err(LockFailure::AlreadyHeld);
        }
        let outcome = match self.wait(limit) {
            WAIT_OBJECT_0 => Outcome::Clean,
            WAIT_ABANDONED => Outcome::Abandoned,
            WAIT_TIMEOUT => return Err(LockFailure::Timeout { holder: self.holder() }),
            _ => return Err(LockFailure::Unrecoverable),
        };
        self.holder.store(me, Ordering::Relaxed);
        self.held.store(true, Ordering::Relaxed);
        Ok(outcome)
    }

    /// One wait of the system's is 49 days long at most.
    fn wait(&self, limit: Duration) -> u32 {
        let begin = Instant::now();
        loop {
            let left = limit.saturating_sub(begin.elapsed());
            let step = milliseconds(left);
            // SAFETY: the handle is open while `self` lives.
            let result = unsafe { WaitForSingleObject(self.handle.as_raw_handle(), step) };
            if result != WAIT_TIMEOUT || begin.elapsed() >= limit {
                return result;
            }
        }
    }

    /// Whether [`release`](Self::release) is known to be what `fence(SeqCst)` is, too.
    pub(crate) const RELEASE_FENCES: bool = false;

    /// Lets go of the lock. Only the thread that acquired it may; on any other nothing happens.
    #[inline]
    pub(crate) fn release(&self) {
        if self.holder.load(Ordering::Relaxed) != this_thread() {
            return;
        }
        self.held.store(false, Ordering::Relaxed);
        self.holder.store(0, Ordering::Relaxed);
        // SAFETY: the handle is open while `self` lives. The system refuses a thread that does not hold it.
        let released = unsafe { ReleaseMutex(self.handle.as_raw_handle()) };
        debug_assert_ne!(released, 0, "released by the thread that acquired it");
    }

    /// The process that holds it, if it is this one: of others the system does not say.
    pub(crate) fn holder(&self) -> Option<u32> {
        (self.holder.load(Ordering::Relaxed) != 0).then(std::process::id)
    }

    /// Nothing here has permission bits.
    pub(crate) fn set_mode(&self, _access: Access) -> Result<(), ObjectError> {
        Ok(())
    }

    /// Whether the name still leads to this lock: for as long as it is open.
    pub(crate) fn leads_here(&self) -> bool {
        true
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if *self.held.get_mut() {
            // A guard was leaked. Its thread has the mutex until it ends, also when nothing of it is open any more; what
            // is written down about that has to last as long.
            std::mem::forget(Arc::clone(&self.holder));
        }
    }
}

fn open_mutex(name: &str) -> io::Result<OwnedHandle> {
    let name = wide(name);
    // SAFETY: no attributes means the default security; `name` ends in a NUL and lives to the end of this function.
    let mut handle = unsafe { CreateMutexW(std::ptr::null(), 0, name.as_ptr()) };
    if handle.is_null() {
        let error = io::Error::last_os_error();
        if code(&error) != ERROR_ACCESS_DENIED {
            return Err(error);
        }
        // Its maker may have granted no more than what is needed.
        // SAFETY: as above.
        handle = unsafe { OpenMutexW(SYNCHRONIZATION_SYNCHRONIZE | MUTEX_MODIFY_STATE, 0, name.as_ptr()) };
        if handle.is_null() {
            return Err(error);
        }
    }
    // SAFETY: the function gave this handle to its caller alone, and it is open.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Whether the mutex of that name is held, and by whom where the system says. Nothing is taken.
pub(crate) fn lock_word(name: &str, _layout: LockLayout) -> Result<Option<LockWord>, LockOpenError> {
    let name = wide(name);
    // SAFETY: `name` ends in a NUL and lives to the end of this function.
    let handle = unsafe { OpenMutexW(MUTANT_QUERY_STATE, 0, name.as_ptr()) };
    if handle.is_null() {
        return Err(LockOpenError::Object(refused("look at the lock", 0, io::Error::last_os_error())));
    }
    // SAFETY: the function gave this handle to its caller alone, and it is open.
    let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
    let state: BasicInformation = query(&handle, BASIC_INFORMATION)
        .map_err(|source| LockOpenError::Object(ObjectError::Os { operation: "look at the lock", source }))?;
    if state.abandoned != 0 {
        return Ok(Some(LockWord::Abandoned));
    }
    if state.count > 0 {
        return Ok(Some(LockWord::Free));
    }
    // Not every system says that.
    let owner: Option<OwnerInformation> = query(&handle, OWNER_INFORMATION).ok();
    let pid = owner.and_then(|owner| u32::try_from(owner.process).ok()).filter(|pid| *pid != 0);
    Ok(Some(LockWord::Held(pid)))
}

/// The right to ask a mutex for its state.
const MUTANT_QUERY_STATE: u32 = 1;
const BASIC_INFORMATION: u32 = 0;
const OWNER_INFORMATION: u32 = 1;

/// How often it could be taken without waiting, and whether its holder died.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct BasicInformation {
    count: i32,
    owned_by_caller: u8,
    abandoned: u8,
}

/// Who holds it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct OwnerInformation {
    process: usize,
    thread: usize,
}

/// What can be filled with any bytes.
trait Answer: Copy + Default {}
impl Answer for BasicInformation {}
impl Answer for OwnerInformation {}

#[link(name = "ntdll")]
unsafe extern "system" {
    /// Neither a wait nor a change: `windows-sys` does not declare it.
    fn NtQueryMutant(
        mutant: HANDLE,
        class: u32,
        information: *mut core::ffi::c_void,
        length: u32,
        returned: *mut u32,
    ) -> NTSTATUS;
}

fn query<T: Answer>(handle: &OwnedHandle, class: u32) -> io::Result<T> {
    let mut answer = T::default();
    let length = u32::try_from(size_of::<T>()).unwrap_or(0);
    let mut returned = 0;
    // SAFETY: the handle is open; the function writes `length` bytes to `answer` at most, which has so many and may hold
    // any (`Answer`), and one `u32`.
    let status = unsafe {
        NtQueryMutant(handle.as_raw_handle(), class, (&raw mut answer).cast(), length, &raw mut returned)
    };
    if status < 0 {
        // SAFETY: any number may be asked for.
        let error = unsafe { RtlNtStatusToDosError(status) };
        return Err(io::Error::from_raw_os_error(error.cast_signed()));
    }
    Ok(answer)
}

/// Whole milliseconds as the system counts them, none of them cut short, and never what stands for ever.
pub(super) fn milliseconds(limit: Duration) -> u32 {
    let rounded = limit.as_nanos().div_ceil(1_000_000);
    u32::try_from(rounded).unwrap_or(u32::MAX).min(INFINITE.saturating_sub(1))
}

/// What is written down about the mutex of that name.
fn holder_of(name: &str) -> Holder {
    static HOLDERS: Mutex<Option<HashMap<String, Weak<AtomicU64>>>> = Mutex::new(None);
    let mut holders = HOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    let holders = holders.get_or_insert_default();
    if let Some(holder) = holders.get(name).and_then(Weak::upgrade) {
        return holder;
    }
    holders.retain(|_, holder| holder.strong_count() != 0);
    let holder = Holder::default();
    holders.insert(name.to_owned(), Arc::downgrade(&holder));
    holder
}

/// A number that no other thread of this process has or had: the system uses its own ones again.
fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    // While the thread ends there is none, and nothing is held by a thread of the number 0.
    NUMBER.try_with(|number| *number).unwrap_or(u64::MAX)
}
