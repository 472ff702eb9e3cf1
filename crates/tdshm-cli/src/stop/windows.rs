//! Ctrl-C, Ctrl-Break, and a console that closes. Which of them it was makes no difference here: all count as Ctrl-C.

use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Instant;

use super::{TOGETHER, exit_of};

/// The number of Ctrl-C among the signals of C.
const SIGINT: i32 = 2;

/// Those that want to know. A process has one handler, and may run several commands.
static LISTENERS: Mutex<Vec<Weak<AtomicUsize>>> = Mutex::new(Vec::new());

/// When the first one came.
static FIRST: Mutex<Option<Instant>> = Mutex::new(None);

/// From now on the first Ctrl-C puts its number there; one that comes later, and not together with it, ends the process at
/// once.
pub(super) fn listen(first: &Arc<AtomicUsize>) -> Result<(), String> {
    static HANDLER: OnceLock<Result<(), String>> = OnceLock::new();
    HANDLER.get_or_init(|| ctrlc::set_handler(pressed).map_err(|error| error.to_string())).clone()?;
    let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
    listeners.retain(|listener| listener.strong_count() > 0);
    listeners.push(Arc::downgrade(first));
    Ok(())
}

fn pressed() {
    let listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
    let number = usize::try_from(SIGINT).unwrap_or_default();
    let mut is_first = false;
    for listener in listeners.iter().filter_map(Weak::upgrade) {
        is_first |= listener.swap(number, Ordering::Relaxed) == 0;
    }
    let mut began = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
    if is_first {
        *began = Some(Instant::now());
    } else if began.is_none_or(|began| began.elapsed() >= TOGETHER) {
        process::exit(exit_of(SIGINT).code().into());
    }
}
