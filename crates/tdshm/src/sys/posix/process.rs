//! Who this process is.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// 0 while unknown.
static ID: AtomicU32 = AtomicU32::new(0);
/// When this process started; 0 while unknown.
static START: AtomicU64 = AtomicU64::new(0);

/// This process's id, without a system call after the first time, and right in a forked child as well.
#[inline]
pub(crate) fn id() -> u32 {
    match ID.load(Ordering::Relaxed) {
        0 => look_up(),
        id => id,
    }
}

#[cold]
fn look_up() -> u32 {
    extern "C" fn forget() {
        ID.store(0, Ordering::Relaxed);
        START.store(0, Ordering::Relaxed);
    }
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // SAFETY: `forget` is a C function without arguments that lives for ever and only stores to an atomic,
        // which is allowed in a forked child.
        let result = unsafe { libc::pthread_atfork(None, None, Some(forget)) };
        debug_assert_eq!(result, 0, "pthread_atfork fails only without memory");
    });
    let id = std::process::id();
    ID.store(id, Ordering::Relaxed);
    id
}

/// When this process started, in the platform's own unit: as [`id`], without a system call after the first time.
#[inline]
#[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "macOS uses it, and the tests do"))]
pub(crate) fn start() -> u64 {
    let known = START.load(Ordering::Relaxed);
    // After a fork the child's id is what forgets its parent's time.
    if known != 0 && ID.load(Ordering::Relaxed) != 0 { known } else { look_up_start() }
}

#[cold]
fn look_up_start() -> u64 {
    let start = crate::sys::start_time(id()).unwrap_or_default();
    START.store(start, Ordering::Relaxed);
    start
}

/// Stops this process, as `kill -STOP` does, until somebody lets it go on.
#[cfg(tdshm_steps)]
pub(crate) fn stop() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
}

/// Kills this process at once, as `kill -9` does.
#[cfg(tdshm_steps)]
pub(crate) fn die() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    loop {
        std::thread::park();
    }
}
