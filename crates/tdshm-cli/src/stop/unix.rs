//! Signals.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

use super::exit_of;

const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// From now on the first signal puts its number there; the second ends the process at once.
pub(super) fn listen(first: &Arc<AtomicUsize>) -> io::Result<()> {
    let once_more = Arc::new(AtomicBool::new(false));
    // A file as large as files may be: writing fails, which is told, instead of ending the process without a word.
    flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    for signal in SIGNALS {
        let status = i32::from(exit_of(signal).code());
        let number = usize::try_from(signal).unwrap_or_default();
        flag::register_conditional_shutdown(signal, status, Arc::clone(&once_more))?;
        flag::register(signal, Arc::clone(&once_more))?;
        flag::register_usize(signal, Arc::clone(first), number)?;
    }
    Ok(())
}
