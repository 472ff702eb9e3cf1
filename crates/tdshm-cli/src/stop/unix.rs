//! Signals.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::{flag, low_level::pipe};

use super::{TOGETHER, exit_of};

const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// From now on the first signal puts its number there; one that comes later, and not together with it, ends the process at
/// once.
pub(super) fn listen(first: &Arc<AtomicUsize>) -> io::Result<()> {
    // A file as large as files may be: writing fails, which is told, instead of ending the process without a word.
    flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
    let once_more = Arc::new(AtomicBool::new(false));
    let (mut came, comes) = UnixStream::pair()?;
    for signal in SIGNALS {
        let status = i32::from(exit_of(signal).code());
        let number = usize::try_from(signal).unwrap_or_default();
        flag::register_conditional_shutdown(signal, status, Arc::clone(&once_more))?;
        flag::register_usize(signal, Arc::clone(first), number)?;
        pipe::register(signal, comes.try_clone()?)?;
    }
    // Whatever the command itself hangs in.
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if came.read_exact(&mut [0]).is_ok() {
            thread::sleep(TOGETHER);
            once_more.store(true, Ordering::Relaxed);
        }
    })?;
    Ok(())
}
