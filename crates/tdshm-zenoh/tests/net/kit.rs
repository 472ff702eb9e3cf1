//! Commands that are ended, names that are cleaned up, and waits that end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tdshm::{ChopFrame, ChopReceiver, TopFrame, TopReceiver};

/// How long anything may take before the test fails: far longer than it does on a busy machine, or in Wine on one.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(if cfg!(windows) { 300 } else { 60 });
/// How long a receiver waits for a frame before it is looked how long it has been.
const LOOK: Duration = Duration::from_millis(20);

/// A short name of its own, whose objects are removed at the end.
pub(crate) struct Name(pub(crate) String);

impl Name {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Of one width: no name is the beginning of another.
        Self(format!("net{}x{:04}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The name with that in front, as a mirror has it.
    pub(crate) fn mirrored(&self) -> Self {
        Self(format!("m-{}", self.0))
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = tdshm::clean(&[&self.0], tdshm::DryRun::No);
    }
}

/// Where a program listens that others connect to.
pub(crate) fn endpoint() -> String {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!("tcp/127.0.0.1:{port}")
}

/// The lines of a stream, as they come.
struct Lines {
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (to, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if to.send(line).is_err() {
                    return;
                }
            }
        });
        Self { lines, seen: Vec::new() }
    }

    fn next(&mut self, what: &str) -> String {
        match self.lines.recv_timeout(WATCHDOG) {
            Ok(line) => {
                self.seen.push(line.clone());
                line
            }
            Err(RecvTimeoutError::Timeout) => panic!("nothing says {what:?}: {:#?}", self.seen),
            Err(RecvTimeoutError::Disconnected) => panic!("it ended without {what:?}: {:#?}", self.seen),
        }
    }

    fn with(&mut self, text: &str) -> String {
        let begin = Instant::now();
        loop {
            assert!(begin.elapsed() < WATCHDOG, "nothing says {text:?}: {:#?}", self.seen);
            let line = self.next(text);
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The last of what it said; it has ended.
    fn tail(mut self) -> Vec<String> {
        self.seen.extend(self.lines.iter());
        self.seen.split_off(self.seen.len().saturating_sub(4))
    }

    fn rest(mut self) -> Vec<String> {
        loop {
            match self.lines.recv_timeout(WATCHDOG) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => return self.seen,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {:#?}", self.seen.last()),
            }
        }
    }
}

/// A program that runs, and is killed at the end.
pub(crate) struct Run {
    child: Option<Child>,
    stdin: Option<ChildStdin>,
    out: Option<Lines>,
    err: Option<Lines>,
}

impl Run {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // No console, DETACHED_PROCESS: nobody looks at it, and each one is a process more.
        #[cfg(windows)]
        std::os::windows::process::CommandExt::creation_flags(&mut command, 0x0000_0008);
        let mut child = command.spawn().unwrap();
        let (out, err) = (Lines::of(child.stdout.take().unwrap()), Lines::of(child.stderr.take().unwrap()));
        Self { stdin: child.stdin.take(), child: Some(child), out: Some(out), err: Some(err) }
    }

    /// Waits for a line on standard output that holds `text`.
    #[track_caller]
    pub(crate) fn out(&mut self, text: &str) -> String {
        self.out.as_mut().unwrap().with(text)
    }

    /// The same on standard error.
    #[track_caller]
    pub(crate) fn err(&mut self, text: &str) -> String {
        self.err.as_mut().unwrap().with(text)
    }

    /// Waits until a JSON line says of the one stream what `holds` looks for.
    #[track_caller]
    pub(crate) fn json(&mut self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let found = |value: &Value| value["streams"].as_array()?.iter().find(|stream| holds(stream)).cloned();
        found(&self.line(what, |value| found(value).is_some())).unwrap()
    }

    /// Waits until a JSON line is what `holds` looks for.
    #[track_caller]
    pub(crate) fn line(&mut self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        loop {
            let seen = &self.out.as_ref().unwrap().seen;
            assert!(begin.elapsed() < WATCHDOG, "nobody says {what:?}: {:#?}", seen.last());
            let line = self.out.as_mut().unwrap().next(what);
            let value: Value = serde_json::from_str(&line).unwrap();
            if holds(&value) {
                return value;
            }
        }
    }

    /// Writes a line to its standard input.
    pub(crate) fn tell(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").unwrap();
        stdin.flush().unwrap();
    }

    /// Ends it as Ctrl-C does, and gives its status and what it said.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<String>, Vec<String>) {
        let mut child = self.child.take().unwrap();
        interrupt(&mut child);
        self.stdin = None;
        // Its output ends with it.
        let (out, err) = (self.out.take().unwrap().rest(), self.err.take().unwrap().rest());
        (child.wait().unwrap().code(), out, err)
    }

    /// Sends it a signal.
    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(self.child.as_ref().unwrap());
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            // What it said is often why the test fails.
            for lines in [self.out.take(), self.err.take()].into_iter().flatten() {
                eprintln!("a program of this test said {:#?}", lines.tail());
            }
        }
    }
}

#[cfg(unix)]
fn interrupt(child: &mut Child) {
    let pid = rustix::process::Pid::from_child(child);
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
}

/// The status of what `Run::end` has ended.
pub(crate) const ENDED: Option<i32> = Some(if cfg!(unix) { 130 } else { 1 });

/// There is no such signal for one process there.
#[cfg(not(unix))]
fn interrupt(child: &mut Child) {
    let _ = child.kill();
}

/// The command with those arguments.
pub(crate) fn net(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tdshm-net"));
    command.args(args).env_remove("RUST_LOG");
    command
}

/// `share` as host `there`, listening, with JSON.
pub(crate) fn share(names: &[&str], endpoint: &str, more: &[&str]) -> Run {
    let args = [&["share"], names, &["--host", "there", "--listen", endpoint, "--json"], more].concat();
    Run::start(net(&args))
}

/// `mirror`, connected, with JSON; `m-` in front of each name.
pub(crate) fn mirror(streams: &[&str], endpoint: &str, more: &[&str]) -> Run {
    let args = [&["mirror"], streams, &["--prefix", "m-", "--connect", endpoint, "--json"], more].concat();
    Run::start(net(&args))
}

/// Asks again and again until there is an answer.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begin.elapsed() < WATCHDOG, "{what}: nothing comes of it");
        thread::yield_now();
    }
}

/// The next frame that holds.
#[track_caller]
pub(crate) fn channels(receiver: &mut ChopReceiver, holds: impl Fn(&ChopFrame) -> bool) -> ChopFrame {
    let begin = Instant::now();
    loop {
        assert!(begin.elapsed() < WATCHDOG, "the frame never comes; the last is {:?}", receiver.frame());
        // What is of the other kind, or not there yet, is no frame.
        if let Ok(Some(frame)) = receiver.next_timeout(LOOK)
            && holds(frame)
        {
            return frame.clone();
        }
    }
}

/// The next image that holds.
#[track_caller]
pub(crate) fn image(receiver: &mut TopReceiver, holds: impl Fn(&TopFrame) -> bool) -> TopFrame {
    let begin = Instant::now();
    loop {
        assert!(begin.elapsed() < WATCHDOG, "the image never comes; the last is {:?}", receiver.frame());
        if let Ok(Some(frame)) = receiver.next_timeout(LOOK)
            && holds(frame)
        {
            return frame.clone();
        }
    }
}
