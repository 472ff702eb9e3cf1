//! Locks that are held from one call of C's to a later one.

use core::fmt;
use core::ptr::NonNull;

use crate::handle::thread::{has_ended, this_thread};
use crate::status::{
    Fault, TDSHM_ERR_ALREADY_HELD, TDSHM_ERR_IN_USE, TDSHM_ERR_NOT_LOCKED, TDSHM_ERR_UNFINISHED,
    TDSHM_ERR_WRONG_THREAD,
};

/// An object of the core, and the guard that borrows from it while a lock is held.
///
/// The guard stays with the thread that got it: others are refused everything that would touch it, its end included, until that
/// thread has ended. Then it goes at the next call, whoever makes it.
pub(crate) struct Lender<T: 'static, G> {
    /// A box, as a pointer: while a guard is there nobody has a reference to it but the guard.
    owner: NonNull<T>,
    guard: Option<G>,
    /// The thread that the guard belongs to.
    thread: u64,
}

// SAFETY: `T` may go to other threads, so its box may. The guard may not: it is touched after its thread was found to be this
// one, and dropped here, or elsewhere after its own thread has ended (`leave_behind`): then nobody is left whom it could be
// taken from. Releasing a lock on a thread that does not hold it does nothing (`NamedLock`), so the system finds it
// abandoned; whatever else a guard's drop does is done to shared memory, which has no threads.
unsafe impl<T: Send + 'static, G> Send for Lender<T, G> {}

impl<T: 'static, G> fmt::Debug for Lender<T, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lender").field("lent", &self.guard.is_some()).finish_non_exhaustive()
    }
}

impl<T: 'static, G> Lender<T, G> {
    pub(crate) fn new(owner: T) -> Self {
        Self { owner: NonNull::from(Box::leak(Box::new(owner))), guard: None, thread: 0 }
    }

    /// The object, which nobody borrows from.
    #[inline]
    pub(crate) fn owner(&mut self) -> Result<&mut T, Fault> {
        if self.guard.is_some() && !self.leave_behind() {
            return Err(self.lent(TDSHM_ERR_UNFINISHED));
        }
        // SAFETY: the box of `new`, which the drop alone ends. There is no guard, so nothing borrows from it, and the reference
        // lives no longer than that to `self`.
        Ok(unsafe { self.owner.as_mut() })
    }

    /// Lends the object to a guard, which is kept; `None`: there is none to be had.
    #[inline]
    pub(crate) fn lend(
        &mut self,
        lock: impl FnOnce(&'static mut T) -> Result<Option<G>, Fault>,
    ) -> Result<Option<&mut G>, Fault> {
        if self.guard.is_some() && !self.leave_behind() {
            return Err(self.lent(TDSHM_ERR_ALREADY_HELD));
        }
        // SAFETY: as in `owner`, but that the reference lives as long as the guard, which is dropped before the object is
        // touched by anybody else (`owner` and `lend` see that there is one) and before it is dropped (`drop`).
        self.guard = lock(unsafe { &mut *self.owner.as_ptr() })?;
        self.thread = this_thread();
        Ok(self.guard.as_mut())
    }

    /// The object, for looking at while a guard may be there.
    pub(crate) fn look(&mut self) -> Result<&T, Fault> {
        // SAFETY: the box of `new`, as in `owner`. `look` is for objects whose guards borrow them as this does, shared.
        Ok(unsafe { self.owner.as_ref() })
    }

    /// Whether a guard is there.
    #[inline]
    pub(crate) fn is_lent(&self) -> bool {
        self.guard.is_some()
    }

    /// The guard, for its own thread.
    #[inline]
    pub(crate) fn guard(&mut self) -> Result<&mut G, Fault> {
        let thread = self.thread;
        match &mut self.guard {
            None => Err(Fault::plain(TDSHM_ERR_NOT_LOCKED)),
            Some(_) if thread != this_thread() => Err(Fault::plain(TDSHM_ERR_WRONG_THREAD)),
            Some(guard) => Ok(guard),
        }
    }

    /// Ends the guard.
    #[inline]
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        self.guard()?;
        self.guard = None;
        Ok(())
    }

    /// Whether it may be dropped here.
    pub(crate) fn may_go(&mut self) -> Result<(), Fault> {
        if self.guard.is_some() && self.thread != this_thread() && !self.leave_behind() {
            return Err(self.lent(TDSHM_ERR_IN_USE));
        }
        Ok(())
    }

    /// Drops a guard whose thread has ended, which leaves its lock abandoned; `false`: that lives.
    #[cold]
    fn leave_behind(&mut self) -> bool {
        let ended = self.thread != this_thread() && has_ended(self.thread);
        if ended {
            self.guard = None;
        }
        ended
    }

    #[cold]
    fn lent(&self, to_this_thread: i32) -> Fault {
        Fault::plain(if self.thread == this_thread() { to_this_thread } else { TDSHM_ERR_IN_USE })
    }
}

impl<T: 'static, G> Drop for Lender<T, G> {
    fn drop(&mut self) {
        // On this thread, as `may_go` saw, or nowhere: a guard that was left is better than one let go of by a stranger.
        if self.thread == this_thread() {
            self.guard = None;
        } else if self.guard.is_some() {
            core::mem::forget(self.guard.take());
            return;
        }
        // SAFETY: the box of `new`, from which nothing borrows any more; this is its end.
        drop(unsafe { Box::from_raw(self.owner.as_ptr()) });
    }
}
