//! Being asked to stop: Ctrl-C, a signal from outside, or a parent that has gone.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;

use crate::Exit;
#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// How long a wait lasts at most without a look whether to stop.
pub(crate) const SLICE: Duration = Duration::from_millis(20);

/// Signals that come so close together are one: `timeout` sends one to the process and one to its group.
const TOGETHER: Duration = Duration::from_millis(500);

/// Whether this command has been asked to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    /// The signal that came first; 0: none.
    signal: Arc<AtomicUsize>,
    /// Whoever started this command has gone.
    orphaned: Arc<AtomicBool>,
}

impl Stop {
    /// From now on the first signal asks; the second ends the process at once, whatever it is doing.
    pub(crate) fn on_signals() -> anyhow::Result<Self> {
        let stop = Self::default();
        system::listen(&stop.signal).map_err(|error| anyhow!("cannot listen for signals: {error}"))?;
        Ok(stop)
    }

    /// Stops too when standard input ends, which it does when the process at its other end dies.
    pub(crate) fn when_stdin_closes(&self) {
        let orphaned = Arc::clone(&self.orphaned);
        thread::spawn(move || {
            // However it ends, nobody holds the other end any more.
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            orphaned.store(true, Ordering::Relaxed);
        });
    }

    /// How to end, if this command has been asked to stop.
    pub(crate) fn requested(&self) -> Option<Exit> {
        match i32::try_from(self.signal.load(Ordering::Relaxed)) {
            Ok(0) | Err(_) => self.orphaned.load(Ordering::Relaxed).then_some(Exit::Done),
            Ok(signal) => Some(exit_of(signal)),
        }
    }

    /// Does what the system may take any time for, as when nobody has the other end of a pipe. `Err`: asked to stop before it
    /// was done; it stays behind, and ends with the process.
    pub(crate) fn unless<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<Result<T, Exit>> {
        let (send, done) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("waits".to_owned())
            .spawn(move || {
                // Nobody wants it any more.
                let _ = send.send(work());
            })
            .map_err(|error| anyhow!("cannot start a thread: {error}"))?;
        loop {
            match done.recv_timeout(SLICE) {
                Ok(result) => return Ok(Ok(result)),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(exit) = self.requested() {
                        return Ok(Err(exit));
                    }
                }
                // Its panic has said why.
                Err(RecvTimeoutError::Disconnected) => return Ok(Err(Exit::Failed)),
            }
        }
    }

    /// Waits until `due` after `begin`. `false`: asked to stop before that.
    pub(crate) fn wait_until(&self, begin: Instant, due: Duration) -> bool {
        loop {
            if self.requested().is_some() {
                return false;
            }
            let left = due.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(SLICE));
        }
    }
}

fn exit_of(signal: i32) -> Exit {
    Exit::Signal(u8::try_from(signal).unwrap_or_default())
}
