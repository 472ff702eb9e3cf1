//! Threads: a number each, and whether one has ended.

use core::cell::Cell;
use core::ptr::{null, null_mut};
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

static NEXT_THREAD: AtomicU64 = AtomicU64::new(1);

/// Of a thread that has not been asked for its number.
const UNNUMBERED: u64 = u64::MAX;

thread_local! {
    static THREAD: Cell<u64> = const { Cell::new(UNNUMBERED) };
    /// Ends with the thread.
    static LIFE: Life = Life(register(this_thread()));
}

/// This thread's number: never 0, and never given twice.
#[inline]
pub(crate) fn this_thread() -> u64 {
    match THREAD.get() {
        UNNUMBERED => number_this_thread(),
        number => number,
    }
}

/// The same where it has one already; else a number to which no handle leans.
#[inline(always)]
pub(crate) fn this_thread_if_known() -> u64 {
    THREAD.get()
}

#[cold]
fn number_this_thread() -> u64 {
    let number = NEXT_THREAD.fetch_add(1, Ordering::Relaxed);
    THREAD.set(number);
    // There is none any more where the thread is at its end already: then it counts as ended.
    let _ = LIFE.try_with(|_| ());
    number
}

/// Whether that thread has ended, or is about to. A thread that was ended by force never counts as ended, nor does in a forked
/// child what stayed behind in its parent.
#[cold]
pub(crate) fn has_ended(thread: u64) -> bool {
    Living::all().all(|living| living.thread.load(Ordering::Acquire) != thread)
}

/// A place for the number of a living thread, in a list that only grows, to as many as lived at once. It has no lock, because a
/// child that is forked while another thread has one would wait for it for ever.
#[derive(Debug)]
struct Living {
    /// 0: the place is free.
    thread: AtomicU64,
    next: *const Living,
}

// SAFETY: `next` is not written to after the place has become part of the list, and leads to a place that is never freed.
unsafe impl Sync for Living {}

static LIVING: AtomicPtr<Living> = AtomicPtr::new(null_mut());

impl Living {
    fn all() -> impl Iterator<Item = &'static Self> {
        // SAFETY: null, or a place that `register` leaked whole before it published the pointer.
        let first = unsafe { LIVING.load(Ordering::Acquire).as_ref() };
        // SAFETY: as above: every place was the first one once.
        core::iter::successors(first, |living| unsafe { living.next.as_ref() })
    }
}

fn register(thread: u64) -> &'static Living {
    let free = |living: &&Living| {
        living.thread.compare_exchange(0, thread, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    };
    if let Some(living) = Living::all().find(free) {
        return living;
    }
    let living = Box::leak(Box::new(Living { thread: AtomicU64::new(thread), next: null() }));
    let mut first = LIVING.load(Ordering::Relaxed);
    loop {
        living.next = first;
        let new = &raw mut *living;
        match LIVING.compare_exchange_weak(first, new, Ordering::Release, Ordering::Relaxed) {
            // SAFETY: leaked above, and written to through its atomic alone from here on.
            Ok(_) => return unsafe { &*new },
            Err(now) => first = now,
        }
    }
}

struct Life(&'static Living);

impl Drop for Life {
    fn drop(&mut self) {
        self.0.thread.store(0, Ordering::Release);
    }
}
