//! The other process of a test in this crate: the test program itself, started anew with its errand in the environment.
//! It obeys lines and answers in lines, so nothing sleeps to synchronise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a kit for tests")]

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, TryRecvError};

use crate::sys::posix::shm;

const ERRAND: &str = "TDSHM_LOCK_ERRAND";

/// The other process. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Child {
    child: std::process::Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

impl Child {
    /// Starts it: `test` is the test in which it asks for its errand.
    pub(crate) fn start(test: &str, errand: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .env(ERRAND, errand)
            .env(shm::NAMESPACE_VARIABLE, shm::namespace())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // The test harness writes there as well.
                if let Some((_, line)) = line.split_once('@')
                    && sender.send(line.to_owned()).is_err()
                {
                    return;
                }
            }
        });
        Self { child, stdin, lines }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn begin(&mut self, command: &str) {
        writeln!(self.stdin, "{command}").unwrap();
    }

    pub(crate) fn answer(&mut self) -> String {
        self.lines.recv().expect("the other process answers")
    }

    pub(crate) fn try_answer(&mut self) -> Option<String> {
        match self.lines.try_recv() {
            Ok(line) => Some(line),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => panic!("the other process ended"),
        }
    }

    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.begin(command);
        self.answer()
    }

    /// Returns when it has begun to wait for the lock, which it says itself.
    pub(crate) fn until_it_waits(&mut self) {
        assert_eq!(self.answer(), "waits");
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In the other process: what it is to do.
pub(crate) fn errand() -> Option<String> {
    std::env::var(ERRAND).ok()
}

/// In the other process: answers each line, until there is none.
pub(crate) fn obey(mut answer: impl FnMut(&str) -> String) {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        say(&answer(&line));
    }
}

/// In the other process: says a line.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "@{line}").and_then(|()| out.flush());
}
