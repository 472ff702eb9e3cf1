//! Another process: the program `peer`, told what to do line by line.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex, OnceLock};

use crate::frames::Seen;
use crate::scene::{Stage, lock};
use crate::system::{self, without_console};

/// What a peer answered when it could not do what it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The number of the error (`tdshm::Error::code`); -1: the command itself was wrong.
    pub code: i32,
    /// The error's sentence.
    pub text: String,
}

/// Another process. It ends with its [`Scene`](crate::Scene), or when this process does.
#[derive(Debug)]
pub struct Peer {
    child: Arc<Mutex<Child>>,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stage: Arc<Stage>,
    pid: u32,
}

/// Where the program is.
fn program() -> PathBuf {
    find("peer").expect("the program `peer` is not next to this test: build the package tdshm-tests whole")
}

/// A program next to the test executables, or above them; also where another system's are run by Wine.
fn find(name: &str) -> Option<PathBuf> {
    let here = std::env::current_exe().expect("this test has a path");
    let place = |folder: &Path| folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    here.ancestors().skip(1).map(place).find(|program| program.is_file())
}

/// The program, built with steps at which a process may die (`--cfg tdshm_steps`): once per test process, beside the
/// ordinary build.
fn program_with_steps() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    // Where this test's own system has no cargo: a Windows program under Wine.
    let built = || std::env::var_os("TDSHM_PEER_WITH_STEPS").map(PathBuf::from);
    PROGRAM.get_or_init(|| built().unwrap_or_else(|| build("steps", "--cfg tdshm_steps")))
}

/// The program as it works on macOS, rehearsed on this system (`--cfg tdshm_macos`), with the steps.
fn program_on_macos() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| build("macos", "--cfg tdshm_macos --cfg tdshm_steps"))
}

fn build(folder: &str, flags: &str) -> PathBuf {
    let ordinary = program();
    let target = ordinary.ancestors().nth(2).expect("TARGET/PROFILE/peer").join(folder);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--locked", "--offline", "--package", "tdshm-tests", "--bin", "peer"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("RUSTFLAGS", flags)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .stdin(Stdio::null())
        .status()
        .expect("cargo starts");
    assert!(status.success(), "the peer with {flags} cannot be built: {status}");
    target.join("debug").join("peer").with_extension(std::env::consts::EXE_EXTENSION)
}

impl Peer {
    pub(crate) fn start(stage: &Arc<Stage>) -> Self {
        Self::start_command(stage, &mut Command::new(program()))
    }

    /// A program in C that shares no code with ours, of the folder `foreign`.
    pub(crate) fn start_foreign(stage: &Arc<Stage>, name: &str, args: &[&str]) -> Self {
        let program = std::env::var_os(format!("TDSHM_{}", name.to_uppercase())).map(PathBuf::from);
        let program = program.or_else(|| find(name)).unwrap_or_else(|| {
            panic!("the program `{name}` is not above this test: `cargo xtask test` builds it, or see tests/foreign")
        });
        Self::start_command(stage, Command::new(program).args(args))
    }

    /// One that dies when it reaches a step: `NAME`, or `NAME:N` for the N-th time.
    pub(crate) fn start_dying(stage: &Arc<Stage>, step: &str) -> Self {
        Self::start_command(stage, Command::new(program_with_steps()).env("TDSHM_DIE_AT", step))
    }

    /// One whose receivers sleep until somebody wakes them.
    pub(crate) fn start_sleeping_on(stage: &Arc<Stage>) -> Self {
        Self::start_command(stage, Command::new(program_with_steps()).env("TDSHM_SLEEPS_ON", "1"))
    }

    /// One that stops when it reaches a step.
    #[cfg(unix)]
    pub(crate) fn start_stopping(stage: &Arc<Stage>, step: &str) -> Self {
        Self::start_command(stage, Command::new(program_with_steps()).env("TDSHM_STOP_AT", step))
    }

    /// One that works as on macOS, among the scene's own objects; it dies when it reaches `step`, if there is one.
    pub(crate) fn start_on_macos(stage: &Arc<Stage>, namespace: &str, step: Option<&str>) -> Self {
        let mut command = Command::new(program_on_macos());
        command.env("TDSHM_NAMESPACE", namespace);
        if let Some(step) = step {
            command.env("TDSHM_DIE_AT", step);
        }
        Self::start_command(stage, &mut command)
    }

    fn start_command(stage: &Arc<Stage>, command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = without_console(command).spawn().expect("the peer starts");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("it is piped");
        let pid = child.id();
        let child = Arc::new(Mutex::new(child));
        stage.owns(Arc::clone(&child));
        let lines = stage.lines_of(stdout);
        Self { child, stdin, lines, stage: Arc::clone(stage), pid }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Tells it something and waits for the answer; `None`: it died of it, or before.
    pub fn ask_dying(&mut self, command: &str) -> Option<Result<String, Refusal>> {
        self.stage.waits_for(format!("peer {} to obey {command:?}, or to die", self.pid));
        let stdin = self.stdin.as_mut()?;
        stdin.write_all(format!("{command}\n").as_bytes()).ok()?;
        loop {
            match self.lines.recv() {
                Ok(line) => match parse(&line) {
                    None => {}
                    answer => return answer,
                },
                Err(_) => {
                    let _ = lock(&self.child).wait();
                    return None;
                }
            }
        }
    }

    /// Stops it, as `kill -STOP` does, and returns when it stands still.
    pub fn stop(&self) {
        system::stop(self.pid);
        self.until_it_stands_still();
    }

    /// Returns when it stands still, stopped by itself or by [`stop`](Self::stop).
    pub fn until_it_stands_still(&self) {
        self.stage.waits_for(format!("peer {} to stop", self.pid));
        while !system::stands_still(self.pid) {
            std::thread::yield_now();
        }
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        system::go_on(self.pid);
    }

    /// Tells it something, without waiting for the answer.
    pub fn begin(&mut self, command: &str) {
        self.stage.waits_for(format!("peer {} to obey {command:?}", self.pid));
        let stdin = self.stdin.as_mut().expect("it has not been ended");
        stdin.write_all(format!("{command}\n").as_bytes()).expect("the peer listens");
        stdin.flush().expect("the peer listens");
    }

    /// Waits for the answer to a command that was begun.
    pub fn answer(&mut self) -> Result<String, Refusal> {
        loop {
            let line =
                self.lines.recv().unwrap_or_else(|_| panic!("peer {} ended without an answer", self.pid));
            if let Some(answer) = parse(&line) {
                return answer;
            }
        }
    }

    /// The answer to a command that was begun, if it is there.
    pub fn try_answer(&mut self) -> Option<Result<String, Refusal>> {
        loop {
            match self.lines.try_recv() {
                Ok(line) => match parse(&line) {
                    None => {}
                    answer => return answer,
                },
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Disconnected) => panic!("peer {} ended without an answer", self.pid),
            }
        }
    }

    /// Tells it something and waits for the answer.
    pub fn try_ask(&mut self, command: &str) -> Result<String, Refusal> {
        self.begin(command);
        self.answer()
    }

    /// Tells it something that must work.
    pub fn ask(&mut self, command: &str) -> String {
        self.try_ask(command).unwrap_or_else(|error| panic!("{command:?}: {} {}", error.code, error.text))
    }

    /// Tells it to read, and says what it saw: `None` for no frame.
    pub fn see(&mut self, command: &str) -> Option<Seen> {
        Seen::parse(&self.ask(command))
    }

    /// Tells it something that makes it wait in the system, such as for a lock that somebody holds, and returns
    /// when it waits there.
    pub fn begin_and_sleep(&mut self, command: &str) {
        self.begin(&format!("announce {command}"));
        let line = self.lines.recv().expect("the peer announces what it begins");
        assert_eq!(line, "note begin");
        self.stage.waits_for(format!("peer {} to sleep in {command:?}", self.pid));
        system::until_it_sleeps(self.pid);
    }

    /// Kills it as `kill -9` does, and returns when it has gone.
    pub fn kill(&mut self) {
        let mut child = lock(&self.child);
        child.kill().expect("it can be killed");
        child.wait().expect("it can be reaped");
    }

    /// Tells it to die, and returns when it has.
    pub fn die(&mut self, command: &str) {
        self.begin(command);
        let status = lock(&self.child).wait().expect("it can be reaped");
        assert!(!status.success(), "{command:?} is a violent death");
    }

    /// Tells it to end in peace, and returns when it has.
    pub fn quit(&mut self) {
        self.begin("quit");
        let status = lock(&self.child).wait().expect("it can be reaped");
        assert!(status.success(), "the peer ended with {status}");
    }
}

/// `None` for a note.
fn parse(line: &str) -> Option<Result<String, Refusal>> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "ok" => Some(Ok(rest.to_owned())),
        "err" => {
            let (code, text) = rest.split_once(' ').unwrap_or((rest, ""));
            Some(Err(Refusal { code: code.parse().unwrap_or(-1), text: text.to_owned() }))
        }
        "note" => None,
        _ => panic!("a peer answered {line:?}"),
    }
}
