//! Times as Python gives them, and waits that Ctrl-C ends.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::errors::{Class, refuse};

/// How long nobody looks whether Ctrl-C was pressed.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// Threads that have let go of Python's lock.
static AWAY: AtomicUsize = AtomicUsize::new(0);
/// The thread that ends the interpreter.
static ENDER: OnceLock<ThreadId> = OnceLock::new();

thread_local! {
    /// How often this thread is in the midst of [`leave`].
    static INSIDE: Cell<usize> = const { Cell::new(0) };
}

/// The interpreter ends.
static ENDING: AtomicBool = AtomicBool::new(false);

/// This thread lets go of Python's lock for as long as it keeps this.
#[derive(Debug)]
pub(crate) struct Away(());

impl Away {
    /// `None`: the interpreter ends. A thread that asked for its lock after that would never come back, through frames of
    /// ours.
    pub(crate) fn begin() -> Option<Self> {
        // In this order, and in the other in `end`: one of the two sees the other.
        AWAY.fetch_add(1, Ordering::SeqCst);
        let away = Self(());
        if ENDING.load(Ordering::SeqCst) { None } else { Some(away) }
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        AWAY.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Does something without Python's lock; with it, when the interpreter ends.
pub(crate) fn detach<T: Send>(py: Python<'_>, act: impl FnOnce() -> T + Send) -> T {
    match Away::begin() {
        Some(_away) => py.detach(act),
        None => act(),
    }
}

/// Does something without Python's lock that waits for threads which may be waiting for that lock, and that may call Python
/// again: they are let go on, and so is whoever was called. `None`: the interpreter ends, and it cannot be done any more.
pub(crate) fn leave<T: Send>(py: Python<'_>, act: impl FnOnce() -> T + Send) -> Option<T> {
    if INSIDE.get() > 0 {
        // Called from within: this thread is counted, and may have what others wait for.
        return Some(py.detach(act));
    }
    if let Some(_away) = Away::begin() {
        let _inside = Inside::enter();
        return Some(py.detach(act));
    }
    let _inside = Inside::enter();
    is_alone().then(act)
}

/// Whether this thread ends the interpreter, and every other one came back in time.
pub(crate) fn is_alone() -> bool {
    is_ender() && AWAY.load(Ordering::SeqCst) == 0
}

/// Whether it is this thread that ends the interpreter.
pub(crate) fn is_ender() -> bool {
    ENDER.get() == Some(&std::thread::current().id())
}

/// This thread is in the midst of [`leave`] for as long as it keeps this.
struct Inside;

impl Inside {
    fn enter() -> Self {
        INSIDE.set(INSIDE.get().saturating_add(1));
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(INSIDE.get().saturating_sub(1));
    }
}

/// From now on nobody lets go of Python's lock; waits for those who have, and who look at least every [`SLICE`].
pub(crate) fn end(py: Python<'_>) {
    let _first = ENDER.set(std::thread::current().id());
    ENDING.store(true, Ordering::SeqCst);
    let limit = Deadline::after(Some(SLICE.saturating_mul(40)));
    py.detach(|| {
        while AWAY.load(Ordering::SeqCst) > 0 && !limit.is_over() {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

/// Whether the interpreter ends.
pub(crate) fn is_ending() -> bool {
    ENDING.load(Ordering::Relaxed)
}

/// A time in seconds; `None`: for ever.
pub(crate) fn seconds(what: &str, seconds: Option<f64>) -> PyResult<Option<Duration>> {
    let Some(seconds) = seconds else { return Ok(None) };
    if seconds == f64::INFINITY {
        return Ok(None);
    }
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) => Ok(Some(duration)),
        Err(_) => {
            let text = format_args!("{what} is {seconds} s: give 0 or more, or None to wait for ever");
            Err(refuse(Class::Argument, text))
        }
    }
}

/// The end of a wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// So long from now; `None`: never.
    pub(crate) fn after(limit: Option<Duration>) -> Self {
        Self(limit.and_then(|limit| Instant::now().checked_add(limit)))
    }

    /// What is left of it, and at most [`SLICE`].
    pub(crate) fn slice(self) -> Duration {
        self.0.map_or(SLICE, |end| end.saturating_duration_since(Instant::now()).min(SLICE))
    }

    pub(crate) fn is_over(self) -> bool {
        self.0.is_some_and(|end| Instant::now() >= end)
    }
}

/// Ends a wait of another thread.
#[pyclass(frozen, module = "tdshm._tdshm", name = "_Stop")]
#[derive(Debug, Default)]
pub(crate) struct Stop(AtomicBool);

#[pymethods]
impl Stop {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// From now on whoever waits with it gives up.
    fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether that was asked for.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
