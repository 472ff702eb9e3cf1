//! What every sender and receiver has in common: it is used by one thread at a time, by the process that made it, until it
//! is closed, or the interpreter ends.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;

use crate::errors::{Class, refuse};

/// How often this process and those before it were forked: what was made before that is another process's.
static FORKS: AtomicU64 = AtomicU64::new(0);
/// Everything that is open.
static OPEN: Mutex<Vec<Weak<dyn Close>>> = Mutex::new(Vec::new());

/// What there is to do when the interpreter ends.
trait Close: Send + Sync {
    fn close_at_exit(&self);
}

/// A sender or receiver, until it is closed.
#[derive(Debug)]
pub(crate) struct Handle<T: Send + 'static> {
    made: u64,
    what: &'static str,
    state: Mutex<Option<T>>,
}

impl<T: Send + 'static> Handle<T> {
    /// Keeps `state`, which is called `what` where it is spoken of.
    pub(crate) fn new(what: &'static str, state: T) -> Arc<Self> {
        let handle =
            Arc::new(Self { made: FORKS.load(Ordering::Relaxed), what, state: Mutex::new(Some(state)) });
        let mut open = OPEN.lock();
        if open.len() == open.capacity() {
            open.retain(|weak| weak.strong_count() > 0);
        }
        let weak: Weak<dyn Close> = Arc::downgrade(&handle) as Weak<dyn Close>;
        open.push(weak);
        handle
    }

    /// Gives it to this thread, for a moment: no Python code may run until it is given back.
    #[inline]
    pub(crate) fn lock(&self, py: Python<'_>) -> PyResult<MappedMutexGuard<'_, T>> {
        self.check_process()?;
        let state = match self.state.try_lock() {
            Some(state) => state,
            None => self.state.lock_py_attached(py),
        };
        MutexGuard::try_map(state, Option::as_mut)
            .map_err(|_| refuse(Class::Closed, format_args!("this {} was closed: make a new one", self.what)))
    }

    /// Whether it was closed, as far as can be seen without waiting.
    pub(crate) fn is_closed(&self) -> bool {
        self.check_process().is_ok() && self.state.try_lock().is_some_and(|state| state.is_none())
    }

    /// Takes it away, so that everybody else finds it closed.
    pub(crate) fn take(&self, py: Python<'_>) -> PyResult<Option<T>> {
        self.check_process()?;
        Ok(self.state.lock_py_attached(py).take())
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

/// Closes everything that is open: the interpreter ends.
#[pyfunction]
#[pyo3(name = "_close_all")]
pub(crate) fn close_all(py: Python<'_>) {
    let open = match OPEN.try_lock() {
        Some(mut open) => std::mem::take(&mut *open),
        None => return,
    };
    py.detach(|| open.iter().filter_map(Weak::upgrade).for_each(|handle| handle.close_at_exit()));
}

/// This is a child: what is open is its parent's.
#[pyfunction]
#[pyo3(name = "_forked")]
pub(crate) fn forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// Gives it back, to whoever waits for it if somebody does.
pub(crate) fn release<T>(state: MappedMutexGuard<'_, T>) {
    MappedMutexGuard::unlock_fair(state);
}
