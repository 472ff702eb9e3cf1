//! Another process: this program once more, as a sender or as a receiver.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;

use crate::Again;

/// How long it may take to leave before it is killed.
const LEAVES_WITHIN: Duration = Duration::from_secs(2);

/// A process that ends when its standard input does or when nobody reads it. Ended and reaped when dropped.
#[derive(Debug)]
pub(super) struct Other {
    child: Child,
    lines: Option<Receiver<String>>,
}

impl Other {
    pub(super) fn start(again: &Again, args: &[&str]) -> anyhow::Result<Self> {
        let mut command = again.command()?;
        let mut child = command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                anyhow!("cannot start another process, {}: {error}", command.get_program().display())
            })?;
        let lines = child.stdout.take().map(|stdout| {
            let (sender, lines) = mpsc::channel();
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
            lines
        });
        Ok(Self { child, lines })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line it writes, if one comes within `limit`.
    pub(super) fn line(&self, limit: Duration) -> Option<String> {
        self.lines.as_ref()?.recv_timeout(limit).ok()
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it: nothing is done on its way out.
    pub(super) fn kill(mut self) {
        // It may have ended by itself; waiting reaps it in either case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Lets it leave, and sees to it that it does.
    pub(super) fn end(&mut self) {
        drop(self.child.stdin.take());
        self.lines = None;
        let begin = Instant::now();
        while begin.elapsed() < LEAVES_WITHIN {
            if self.has_ended() {
                return;
            }
            thread::sleep(Duration::from_millis(2));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.end();
    }
}
