//! The other process of the demo: this program once more, as a sender.

use std::io::Read;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;

use crate::Again;

/// How long it may take to leave before it is killed.
const LEAVES_WITHIN: Duration = Duration::from_secs(2);

/// A process that sends the bundled recording, and an image, for as long as this one holds its standard input: it leaves even
/// when this one is killed. Ended and reaped when dropped.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
}

impl Worker {
    pub(super) fn start(name: &str, image: &str, again: &Again) -> anyhow::Result<Self> {
        let mut command = again.command()?;
        let child = command
            .args(["send", name, "--bundled-recording", "--bundled-image", image, "--until-stdin-closes"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| {
                anyhow!("cannot start the sending process, {}: {error}", command.get_program().display())
            })?;
        Ok(Self { child })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, and what it said last, if it did.
    pub(super) fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok()??;
        let mut said = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            // What cannot be read is not told.
            let _ = stderr.read_to_string(&mut said);
        }
        let last = said.lines().last().map(|line| line.strip_prefix("tdshm: ").unwrap_or(line));
        Some(match last {
            Some(last) if !status.success() => format!("{status} ({last})"),
            _ => status.to_string(),
        })
    }

    /// Lets it leave, and sees to it that it does.
    pub(super) fn end(&mut self) {
        drop(self.child.stdin.take());
        let begin = Instant::now();
        while begin.elapsed() < LEAVES_WITHIN {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(Duration::from_millis(2)),
                _ => return,
            }
        }
        // It may have gone meanwhile; then there is nothing to kill, and waiting reaps it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}
