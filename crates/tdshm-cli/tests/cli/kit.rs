//! Processes that are killed and reaped, names that are cleaned up, and waits that end.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take before the test fails: far longer than it does on a busy machine.
const WATCHDOG: Duration = Duration::from_secs(60);

/// A short name of its own, whose objects are removed at the end.
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Of one width: no name is the beginning of another.
        Self(format!("cli{}x{:04}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// One that ends so.
    pub(crate) fn ending(end: &str) -> Self {
        Self(format!("{}{end}", Self::new().as_str()))
    }

    /// That very name.
    pub(crate) fn called(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// A name that is longer than tables like.
    #[cfg(unix)]
    pub(crate) fn long() -> Self {
        Self(format!("{}{}", Self::new().as_str(), "_and_on".repeat(8)))
    }

    /// The name that the demo with that process id uses.
    pub(crate) fn of_demo(pid: u32) -> Self {
        Self(format!("demo{pid}"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is a data or an info segment. (Locks stay: others may hold them.)
    pub(crate) fn has_segments(&self) -> bool {
        let data = format!("TouchSHM{}", self.0);
        let info = format!("TouchSHMTouchSHM{}4jhd783h", self.0);
        self.objects().iter().any(|object| *object == data || *object == info)
    }
}

impl Name {
    /// Whether there is any object of that name: a segment or a lock.
    pub(crate) fn has_objects(&self) -> bool {
        !self.objects().is_empty()
    }

    /// The objects of that name, sorted.
    pub(crate) fn objects(&self) -> Vec<String> {
        let mut objects = objects_of(&self.0);
        objects.sort();
        objects
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        remove_objects(&self.0);
    }
}

/// The command, running.
pub(crate) struct Run {
    child: Child,
    out: Lines,
    err: Lines,
}

/// How a command ended, and what nobody had read until then.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: Vec<String>,
    pub(crate) err: Vec<String>,
}

struct Lines {
    lines: Receiver<String>,
    /// All of them, for the message of a test that fails.
    seen: Vec<String>,
    /// Ends with the stream.
    reader: Option<JoinHandle<()>>,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (send, lines) = mpsc::channel();
        let reader = thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self { lines, seen: Vec::new(), reader: Some(reader) }
    }

    /// The next line; `None` at the end.
    fn next(&mut self) -> Option<String> {
        match self.lines.recv_timeout(WATCHDOG) {
            Ok(line) => {
                self.seen.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no line within {WATCHDOG:?} after {:#?}", self.seen),
        }
    }
}

pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tdshm"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // What the terminal of whoever runs the tests likes says nothing about these.
    for variable in ["COLUMNS", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    alone(&mut command);
    command
}

/// Starts `tdshm` with those arguments.
pub(crate) fn start(args: &[&str]) -> Run {
    Run::of(command(args).spawn().unwrap())
}

/// Runs `tdshm` with those arguments to its end, which nobody hastens.
pub(crate) fn run(args: &[&str]) -> Ended {
    Run::of(without_console(&mut command(args)).spawn().unwrap()).wait()
}

impl Run {
    /// That process; what it writes elsewhere has no lines here.
    pub(crate) fn of(mut child: Child) -> Self {
        let out = child.stdout.take().map_or_else(|| Lines::of(io::empty()), Lines::of);
        let err = child.stderr.take().map_or_else(|| Lines::of(io::empty()), Lines::of);
        Self { child, out, err }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of standard output.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let Some(line) = self.out.next() else {
            let said = self.rest();
            panic!("standard output ended after {:#?}; standard error {said:#?}", self.out.seen)
        };
        line
    }

    /// The next line of standard output, as JSON.
    #[track_caller]
    pub(crate) fn json(&mut self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    /// Reads standard error up to the line that holds `text`.
    #[track_caller]
    pub(crate) fn says(&mut self, text: &str) -> String {
        loop {
            match self.err.next() {
                Some(line) if line.contains(text) => return line,
                Some(_) => {}
                None => panic!("{text:?} was not said: {:#?}", self.err.seen),
            }
        }
    }

    /// The next line of standard error.
    #[track_caller]
    pub(crate) fn next_said(&mut self) -> String {
        self.err.next().unwrap_or_else(|| panic!("nothing more was said: {:#?}", self.err.seen))
    }

    /// Sends it a signal, by its name without `SIG`.
    pub(crate) fn signal(&self, signal: &str) {
        send_signal(self.id(), signal);
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ended {
        let err = self.rest();
        let out = std::iter::from_fn(|| self.out.next()).collect();
        Ended { code: self.child.wait().unwrap().code(), out, err }
    }

    fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.err.next()).collect()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // In Wine 8 a thread that is on its way out while this process ends may crash it.
        for reader in [&mut self.out, &mut self.err].into_iter().filter_map(|lines| lines.reader.take()) {
            let _ = reader.join();
        }
    }
}

/// Waits until `what` is so.
#[track_caller]
pub(crate) fn until(what: impl Fn() -> bool) {
    let begin = Instant::now();
    while !what() {
        assert!(begin.elapsed() < WATCHDOG, "not so within {WATCHDOG:?}");
        thread::yield_now();
    }
}

/// The samples of one channel of a line of `watch --format json`.
pub(crate) fn samples(line: &Value, channel: usize) -> Vec<f32> {
    let samples = line["channels"][channel]["samples"].as_array().unwrap();
    samples.iter().map(|sample| sample.as_f64().map_or(f32::NAN, |sample| sample as f32)).collect()
}

/// The names in a line of `watch --format json`.
pub(crate) fn names(line: &Value) -> Vec<&str> {
    let channels = line["channels"].as_array().unwrap();
    channels.iter().map(|channel| channel["name"].as_str().unwrap()).collect()
}
