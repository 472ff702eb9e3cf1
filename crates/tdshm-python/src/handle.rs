//! What every sender and receiver has in common: it is used by one thread at a time, by the process that made it, until it
//! is closed, or the interpreter ends.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;

use crate::errors::{Class, load, refuse};
use crate::time::{Away, detach, end};

/// How often this process and those before it were forked: what was made before that is another process's.
static FORKS: AtomicU64 = AtomicU64::new(0);
/// Everything that is open.
static OPEN: Mutex<Vec<Weak<dyn Close>>> = Mutex::new(Vec::new());

/// What there is to do when the interpreter ends.
pub(crate) trait Close: Send + Sync {
    fn close_at_exit(&self);
}

/// Closes it when the interpreter ends, if it is still there.
pub(crate) fn remember(weak: Weak<dyn Close>) {
    let mut open = OPEN.lock();
    if open.len() == open.capacity() {
        open.retain(|weak| weak.strong_count() > 0);
    }
    open.push(weak);
}

/// A sender or receiver, until it is closed.
#[derive(Debug)]
pub(crate) struct Handle<T: Send + 'static> {
    made: u64,
    what: &'static str,
    state: Mutex<Option<T>>,
    /// Set before the state is taken away.
    closed: AtomicBool,
    /// The thread that has it; 0: none.
    holder: AtomicUsize,
}

/// What a thread has of a sender or receiver for a moment.
#[derive(Debug)]
pub(crate) struct Held<'h, T> {
    // Before the lock: whoever gets that finds nobody else's number.
    mark: Mark<'h>,
    state: MappedMutexGuard<'h, T>,
}

/// Says which thread has it.
#[derive(Debug)]
struct Mark<'h>(&'h AtomicUsize);

impl Drop for Mark<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl<T> Held<'_, T> {
    /// Gives it back, to whoever waits for it if somebody does.
    pub(crate) fn release(self) {
        drop(self.mark);
        MappedMutexGuard::unlock_fair(self.state);
    }
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.state
    }
}

impl<T> DerefMut for Held<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.state
    }
}

/// A number of this thread's, as long as it lives: an address of its own.
#[inline]
fn this_thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

impl<T: Send + 'static> Handle<T> {
    /// Keeps `state`, which is called `what` where it is spoken of.
    pub(crate) fn new(what: &'static str, state: T) -> Arc<Self> {
        let handle = Arc::new(Self {
            made: FORKS.load(Ordering::Relaxed),
            what,
            state: Mutex::new(Some(state)),
            closed: AtomicBool::new(false),
            holder: AtomicUsize::new(0),
        });
        remember(Arc::downgrade(&handle) as Weak<dyn Close>);
        handle
    }

    /// Gives it to this thread, for a moment.
    #[inline]
    pub(crate) fn lock(&self, py: Python<'_>) -> PyResult<Held<'_, T>> {
        self.check_open()?;
        let state = match self.state.try_lock() {
            Some(state) => state,
            None => self.lock_slowly(py)?,
        };
        let state = MutexGuard::try_map(state, Option::as_mut).map_err(|_| self.was_closed())?;
        self.holder.store(this_thread(), Ordering::Relaxed);
        Ok(Held { mark: Mark(&self.holder), state })
    }

    /// While it is held Python may collect garbage, and run code of anybody's that uses it.
    #[cold]
    fn lock_slowly(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, Option<T>>> {
        if self.holder.load(Ordering::Relaxed) == this_thread() {
            let text =
                format_args!("this {} is in use by this very thread: use it from no finalizer", self.what);
            return Err(refuse(Class::Busy, text));
        }
        match Away::begin() {
            Some(_away) => Ok(self.state.lock_py_attached(py)),
            None => Err(refuse(Class::Closed, "the interpreter ends")),
        }
    }

    /// Whether it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Takes it away, so that everybody else finds it closed, beginning with those who wait for it.
    pub(crate) fn take(&self, py: Python<'_>) -> PyResult<Option<T>> {
        self.check_process()?;
        let first = !self.closed.swap(true, Ordering::AcqRel);
        if !first {
            return Ok(None);
        }
        let state = match self.state.try_lock() {
            Some(state) => Ok(state),
            None => self.lock_slowly(py),
        };
        match state {
            Ok(mut state) => Ok(state.take()),
            Err(error) => {
                self.closed.store(false, Ordering::Release);
                Err(error)
            }
        }
    }

    #[inline]
    fn check_open(&self) -> PyResult<()> {
        self.check_process()?;
        if self.is_closed() { Err(self.was_closed()) } else { Ok(()) }
    }

    #[cold]
    fn was_closed(&self) -> PyErr {
        refuse(Class::Closed, format_args!("this {} was closed: make a new one", self.what))
    }

    fn check_process(&self) -> PyResult<()> {
        if self.made == FORKS.load(Ordering::Relaxed) {
            return Ok(());
        }
        let text = "belongs to the process from which this one was forked: make one of its own after the fork, or start \
                    processes with multiprocessing's method \"spawn\"";
        Err(refuse(Class::Forked, format_args!("this {} {text}", self.what)))
    }
}

impl<T: Send + 'static> Close for Handle<T> {
    fn close_at_exit(&self) {
        if self.made == FORKS.load(Ordering::Relaxed)
            && let Some(mut state) = self.state.try_lock()
        {
            // Whoever looks at it afterwards finds it closed.
            self.closed.store(true, Ordering::Release);
            drop(state.take());
        }
    }
}

impl<T: Send + 'static> Drop for Handle<T> {
    fn drop(&mut self) {
        if self.made != FORKS.load(Ordering::Relaxed) {
            // What it would let go of is the parent's.
            std::mem::forget(self.state.get_mut().take());
        }
    }
}

/// Ends all waits, and closes everything that is open: the interpreter ends.
#[pyfunction]
#[pyo3(name = "_close_all")]
pub(crate) fn close_all(py: Python<'_>) -> PyResult<()> {
    load(py)?;
    end(py);
    let open = match OPEN.try_lock() {
        Some(mut open) => std::mem::take(&mut *open),
        None => return Ok(()),
    };
    detach(py, || open.iter().filter_map(Weak::upgrade).for_each(|handle| handle.close_at_exit()));
    Ok(())
}

/// How often this process and those before it were forked.
pub(crate) fn forks() -> u64 {
    FORKS.load(Ordering::Relaxed)
}

/// This is a child: what is open is its parent's.
#[pyfunction]
#[pyo3(name = "_forked")]
pub(crate) fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}
