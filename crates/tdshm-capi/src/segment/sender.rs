//! The side that makes a segment and owns it.

use core::ffi::{c_char, c_void};
use std::time::Duration;

use tdshm::{LockError, SegmentSender};

use crate::call::{exclusive, free, make};
use crate::caller::{Caller, ceiling, duration, limit, limit_of, sized};
use crate::handle::Handle;
use crate::handle::thread::{has_ended, this_thread};
use crate::segment::tdshm_stats_t;
use crate::status::{
    Fault, Outcome, TDSHM_ERR_ALREADY_HELD, TDSHM_ERR_DETACHED, TDSHM_ERR_IN_USE, TDSHM_ERR_NOT_LOCKED,
    TDSHM_ERR_UNFINISHED, TDSHM_ERR_WRONG_THREAD, TDSHM_NOT_FREE, TDSHM_OK, tdshm_status_t,
};

/// A segment that this program made: it writes there, and others read.
#[derive(Debug)]
pub enum tdshm_sender_t {}

/// How a segment is created. All zero but for `struct_size` (TDSHM_INIT) are the usual settings.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct tdshm_sender_options_t {
    /// sizeof(tdshm_sender_options_t).
    pub struct_size: u32,
    /// Unix permission bits of the objects; 0 stands for 0600, this user alone. Others need 0660 or 0666, and may then
    /// end this program by shrinking its memory. Linux and macOS; Windows ignores it.
    pub mode: u32,
    /// Not 0: takes the name over where a foreign program has it, of which nobody can tell whether it lives. From a dead
    /// sender of this library a name is taken over without asking, from a living one never.
    pub take_over: i32,
    /// 0.
    pub reserved: i32,
    /// Where a resize stops reserving twice what is needed, in bytes; 0 stands for 256 MiB.
    pub room_ceiling_bytes: u64,
    /// How long to wait for a lock, in nanoseconds; 0 stands for 5 seconds.
    pub lock_limit_ns: i64,
}

/// Creates the segment `name`, which is UTF-8 on every system, with room for at least `size_bytes` bytes, all zero.
///
/// `options` may be NULL. `*sender` is NULL where it could not be done. What comes of it is freed with tdshm_sender_free.
///
/// TDSHM_ERR_ALREADY_EXISTS or TDSHM_ERR_INFO_ALREADY_EXISTS where another program has the name, TDSHM_ERR_NAME for a name
/// that cannot be one, TDSHM_ERR_BAD_SIZE for a size of 0 or above 2 GiB; nothing is left behind then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_sender_create(
    name: *const c_char,
    name_bytes: usize,
    size_bytes: usize,
    options: *const tdshm_sender_options_t,
    sender: *mut *mut tdshm_sender_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    make(&caller, sender, || {
        let name = caller.text(name, name_bytes)?;
        let options: tdshm_sender_options_t = caller.options(options)?;
        let mut builder = SegmentSender::builder(name, size_bytes).take_over(options.take_over != 0);
        if options.mode != 0 {
            builder = builder.mode(options.mode);
        }
        if let Some(bytes) = ceiling(options.room_ceiling_bytes)? {
            builder = builder.room_ceiling(bytes);
        }
        if let Some(limit) = limit(options.lock_limit_ns)? {
            builder = builder.lock_limit(limit);
        }
        Ok(Sender { segment: Some(builder.create()?), holder: 0 })
    })
}

/// Frees the sender: receivers are told that it left, and a lock that this thread holds through it is let go of.
///
/// Freeing NULL does nothing. TDSHM_ERR_IN_USE while another thread holds its lock or is in a long call: then it is not
/// freed.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_sender_free(sender: *mut tdshm_sender_t) -> tdshm_status_t {
    free(sender)
}

/// Takes the data lock for one write, waiting up to `limit_ns` nanoseconds (TDSHM_DEFAULT: the sender's own limit), and
/// tells where the memory lies, which `memory` and `size_bytes` need not ask: both may be NULL.
///
/// `abandoned`, which may be NULL as well, is 1 where the last holder died with the lock, so that what lies there may be
/// half written; it is held all the same. Hold it for the copy alone: everybody else waits, TouchDesigner included.
///
/// TDSHM_ERR_LOCK_TIMEOUT where somebody else held it throughout; TDSHM_ERR_ALREADY_HELD where this thread holds it;
/// TDSHM_ERR_IN_USE where another thread does through this very handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_sender_lock(
    sender: *mut tdshm_sender_t,
    limit_ns: i64,
    memory: *mut *mut c_void,
    size_bytes: *mut usize,
    abandoned: *mut i32,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |segment| segment.lock(&caller, limit_ns, memory, size_bytes, abandoned))
}

/// As tdshm_sender_lock without waiting: TDSHM_NOT_FREE, which is no error, where another thread or process has the lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_sender_try_lock(
    sender: *mut tdshm_sender_t,
    memory: *mut *mut c_void,
    size_bytes: *mut usize,
    abandoned: *mut i32,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |segment| segment.try_lock(&caller, memory, size_bytes, abandoned))
}

/// Lets go of the lock: what was written is a frame, and receivers that wait are woken.
///
/// TDSHM_ERR_NOT_LOCKED where nothing is locked through this handle, TDSHM_ERR_WRONG_THREAD where another thread locked it.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_sender_unlock(sender: *mut tdshm_sender_t) -> tdshm_status_t {
    exclusive(sender, move |segment| segment.unlock())
}

/// Where the memory lies and how many bytes it has, with the lock or without it. `size_bytes` may be NULL.
///
/// The address changes with tdshm_sender_resize, and ends with tdshm_sender_detach and tdshm_sender_free. Who writes there
/// without the lock may be read half written, and wakes nobody.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_sender_memory(
    sender: *mut tdshm_sender_t,
    memory: *mut *mut c_void,
    size_bytes: *mut usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |segment| segment.memory(&caller, memory, size_bytes))
}

/// Moves to a segment with room for at least `size_bytes` bytes; receivers follow by themselves. It begins with the
/// `data_bytes` bytes at `data`, which may be NULL and 0, and the rest is zero: nobody sees it without them.
///
/// TDSHM_ERR_UNFINISHED while this thread holds the lock through this handle: unlock first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_sender_resize(
    sender: *mut tdshm_sender_t,
    size_bytes: usize,
    data: *const c_void,
    data_bytes: usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |segment| {
        let data = caller.slice(data.cast::<u8>(), data_bytes)?;
        if data.len() > size_bytes {
            return Err(Fault::argument("data_bytes is more than size_bytes: give no more than fits"));
        }
        segment.owner()?.resize(size_bytes, |view| {
            view.copy_from(data);
        })?;
        Ok(TDSHM_OK)
    })
}

/// Leaves: tells the receivers and frees the name, so that it can be created again at once. The handle stays, to be freed.
///
/// `alone`, which may be NULL, is 1 where no receiver had the segment open any more when it left, which the vendor's class
/// answers. Foreign receivers are known only by having been there: of them it says 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_sender_detach(sender: *mut tdshm_sender_t, alone: *mut i32) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |segment| {
        let is_alone = crate::discovery::is_alone(segment.owner()?.name().as_str());
        let left = segment.take()?.detach();
        caller.put_if(alone, i32::from(is_alone))?;
        left?;
        Ok(TDSHM_OK)
    })
}

/// Copies the short name with a NUL behind it, as tdshm_copy_last_error copies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_sender_name(
    sender: *mut tdshm_sender_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |segment| {
        caller.copy_text(segment.owner()?.name().as_str(), buffer, capacity, needed)
    })
}

/// What has happened to the segment so far.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_sender_stats(
    sender: *mut tdshm_sender_t,
    stats: *mut tdshm_stats_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |segment| caller.write(stats, segment.owner()?.stats().into()))
}

/// Changes how long is waited for a lock from now on, in nanoseconds; 0 does not wait.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_sender_set_lock_limit(sender: *mut tdshm_sender_t, limit_ns: i64) -> tdshm_status_t {
    exclusive(sender, move |segment| {
        segment.owner()?.set_lock_limit(duration(limit_ns)?);
        Ok(TDSHM_OK)
    })
}

/// The segment, until it is detached, and who holds its lock.
#[derive(Debug)]
pub(crate) struct Sender {
    segment: Option<SegmentSender>,
    /// The thread that holds the lock through this handle; 0: none.
    holder: u64,
}

impl Handle for tdshm_sender_t {
    type Object = Sender;
    const TAG: u8 = 0x51;

    fn may_go(sender: &mut Sender) -> Result<(), Fault> {
        if sender.holder == 0 {
            return Ok(());
        }
        if sender.holder == this_thread() {
            return sender.unlock().map(drop);
        }
        if sender.is_left() { Ok(()) } else { Err(Fault::plain(TDSHM_ERR_IN_USE)) }
    }
}

impl Sender {
    /// While no lock is held.
    #[inline]
    fn owner(&mut self) -> Result<&mut SegmentSender, Fault> {
        if self.holder != 0 && !self.is_left() {
            return Err(self.is_held(TDSHM_ERR_UNFINISHED));
        }
        self.segment()
    }

    #[inline]
    fn segment(&mut self) -> Result<&mut SegmentSender, Fault> {
        self.segment.as_mut().ok_or_else(|| Fault::plain(TDSHM_ERR_DETACHED))
    }

    fn take(&mut self) -> Result<SegmentSender, Fault> {
        self.owner()?;
        self.segment.take().ok_or_else(|| Fault::plain(TDSHM_ERR_DETACHED))
    }

    /// Whether the thread that holds the lock has ended. Then nobody holds it through this handle any more: whoever takes it next
    /// is told that it was abandoned.
    #[cold]
    fn is_left(&mut self) -> bool {
        let ended = self.holder != this_thread() && has_ended(self.holder);
        if ended {
            self.holder = 0;
        }
        ended
    }

    #[cold]
    fn is_held(&self, by_this_thread: tdshm_status_t) -> Fault {
        Fault::plain(if self.holder == this_thread() { by_this_thread } else { TDSHM_ERR_IN_USE })
    }

    #[inline]
    fn lock(
        &mut self,
        caller: &Caller,
        limit_ns: i64,
        memory: *mut *mut c_void,
        size_bytes: *mut usize,
        abandoned: *mut i32,
    ) -> Outcome {
        let limit = limit_of(limit_ns)?;
        self.before_lock(caller, memory, size_bytes, abandoned)?;
        let is_abandoned = self.segment()?.hold(limit)?;
        self.after_lock(caller, memory, size_bytes, abandoned, is_abandoned)
    }

    fn try_lock(
        &mut self,
        caller: &Caller,
        memory: *mut *mut c_void,
        size_bytes: *mut usize,
        abandoned: *mut i32,
    ) -> Outcome {
        self.before_lock(caller, memory, size_bytes, abandoned)?;
        match self.segment()?.hold(Some(Duration::ZERO)) {
            Err(LockError::Timeout { .. }) => Ok(TDSHM_NOT_FREE),
            held => self.after_lock(caller, memory, size_bytes, abandoned, held?),
        }
    }

    /// What cannot be written to is found before anything is locked.
    #[inline]
    fn before_lock(
        &mut self,
        caller: &Caller,
        memory: *mut *mut c_void,
        size_bytes: *mut usize,
        abandoned: *mut i32,
    ) -> Result<(), Fault> {
        caller.put_if(memory, core::ptr::null_mut())?;
        caller.put_if(size_bytes, 0)?;
        caller.put_if(abandoned, 0)?;
        if self.holder != 0 && !self.is_left() {
            return Err(self.is_held(TDSHM_ERR_ALREADY_HELD));
        }
        Ok(())
    }

    #[inline]
    fn after_lock(
        &mut self,
        caller: &Caller,
        memory: *mut *mut c_void,
        size_bytes: *mut usize,
        abandoned: *mut i32,
        is_abandoned: bool,
    ) -> Outcome {
        self.holder = this_thread();
        let mut view = self.segment()?.unlocked();
        caller.put_if(memory, view.as_mut_ptr().cast())?;
        caller.put_if(size_bytes, view.len())?;
        if is_abandoned {
            caller.put_if(abandoned, 1)?;
        }
        Ok(TDSHM_OK)
    }

    #[inline]
    fn unlock(&mut self) -> Outcome {
        if self.holder != this_thread() {
            return Err(self.not_mine());
        }
        self.holder = 0;
        self.segment()?.let_go();
        Ok(TDSHM_OK)
    }

    #[cold]
    fn not_mine(&self) -> Fault {
        Fault::plain(if self.holder == 0 { TDSHM_ERR_NOT_LOCKED } else { TDSHM_ERR_WRONG_THREAD })
    }

    fn memory(&mut self, caller: &Caller, memory: *mut *mut c_void, size_bytes: *mut usize) -> Outcome {
        caller.put(memory, core::ptr::null_mut())?;
        caller.put_if(size_bytes, 0)?;
        if self.holder != 0 && self.holder != this_thread() && !self.is_left() {
            return Err(Fault::plain(TDSHM_ERR_IN_USE));
        }
        let mut view = self.segment()?.unlocked();
        if !view.is_empty() {
            caller.put(memory, view.as_mut_ptr().cast())?;
            caller.put_if(size_bytes, view.len())?;
        }
        Ok(TDSHM_OK)
    }
}

sized!(tdshm_sender_options_t);
