//! Being asked to stop: Ctrl-C, or a signal from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::anyhow;

use crate::Exit;

/// How long a wait lasts at most without a look whether to stop.
pub(crate) const SLICE: Duration = Duration::from_millis(20);

/// Whether this command has been asked to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    /// The signal that came first; 0: none.
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// From now on the first signal asks.
    pub(crate) fn on_signals() -> anyhow::Result<Self> {
        let stop = Self::default();
        listen(&stop.signal).map_err(|error| anyhow!("cannot listen for signals: {error}"))?;
        Ok(stop)
    }

    /// How to end, if this command has been asked to stop.
    pub(crate) fn requested(&self) -> Option<Exit> {
        match self.signal.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(Exit::Signal(u8::try_from(signal).unwrap_or_default())),
        }
    }
}

#[cfg(unix)]
fn listen(first: &Arc<AtomicUsize>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let number = usize::try_from(signal).unwrap_or_default();
        signal_hook::flag::register_usize(signal, Arc::clone(first), number)?;
    }
    Ok(())
}

/// Which of them it was makes no difference here: all count as Ctrl-C.
#[cfg(windows)]
fn listen(first: &Arc<AtomicUsize>) -> Result<(), ctrlc::Error> {
    /// The number of Ctrl-C among the signals of C.
    const SIGINT: usize = 2;
    let first = Arc::clone(first);
    ctrlc::set_handler(move || first.store(SIGINT, Ordering::Relaxed))
}
