//! What no safe code does here two programs in C do, of the folder `tests/foreign`: `cargo xtask test` builds them.

use std::io::{BufRead, BufReader, Write};
use std::os::windows::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

/// How a process ends that is killed: with the status that whoever kills it gives.
pub(crate) const KILLED: Option<i32> = Some(9);
/// By what a command is asked to end, and its status then.
pub(crate) const ASKED_TO_END: &[(&str, i32)] = &[("INT", 130), ("BREAK", 130)];
/// Whether a lock says which process holds it.
pub(crate) const LOCKS_NAME_HOLDERS: bool = false;
/// Bytes of a postfix's character, where it stands in the info block, and where detach does (wire §3).
pub(crate) const CHARACTER: usize = 2;
pub(crate) const POSTFIX_AT: u64 = 10;
pub(crate) const DETACH_AT: u64 = 74;
/// A console of its own, without a window.
const CREATE_NO_WINDOW: u32 = 0x0800_0000;
/// None.
const DETACHED_PROCESS: u32 = 0x0000_0008;

/// Lets nobody but that process, and those that it starts, get the Ctrl-C that is meant for it.
pub(crate) fn alone(command: &mut Command) {
    command.creation_flags(CREATE_NO_WINDOW);
}

/// Gives it no console, where nobody sends it a Ctrl-C: each one is a process more.
pub(crate) fn without_console(command: &mut Command) -> &mut Command {
    command.creation_flags(DETACHED_PROCESS)
}

/// Where a program in C is: `TDSHM_` and its name in capitals says it, or else it is above this test.
fn in_c(name: &str) -> PathBuf {
    let said = std::env::var_os(format!("TDSHM_{}", name.to_uppercase())).map(PathBuf::from);
    let here = std::env::current_exe().unwrap();
    let above =
        || here.ancestors().map(|folder| folder.join(name).with_extension("exe")).find(|path| path.is_file());
    said.or_else(above).unwrap_or_else(|| {
        panic!(
            "the program `{name}` is not above this test: `cargo xtask test` builds it, or see tests/foreign"
        )
    })
}

/// A foreign program, which obeys commands.
struct Foreign {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Foreign {
    /// One that has obeyed one command; and what it answered.
    fn told(command: &str) -> (Self, String) {
        let mut program = Command::new(in_c("windows_peer"));
        let mut child =
            without_console(program.stdin(Stdio::piped()).stdout(Stdio::piped())).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut foreign = Self { child, answers };
        let said = foreign.ask(command);
        (foreign, said)
    }

    fn ask(&mut self, command: &str) -> String {
        self.child.stdin.as_mut().unwrap().write_all(format!("{command}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.strip_prefix("ok").unwrap_or_else(|| panic!("{command}: {answer}")).trim().to_owned()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The objects of that name, with the names that the protocol's table has for them.
pub(crate) fn objects_of(name: &str) -> Vec<String> {
    let (_foreign, kinds) = Foreign::told(&format!("objects {name}"));
    let object = |kind| match kind {
        "data" => format!("TouchSHM{name}"),
        "data-lock" => format!("TouchSHM{name}Mutex"),
        "info" => format!("TouchSHMTouchSHM{name}4jhd783h"),
        "info-lock" => format!("TouchSHMTouchSHM{name}4jhd783hMutex"),
        _ => panic!("{kinds}"),
    };
    kinds.split_whitespace().map(object).collect()
}

/// Objects go with their handles.
pub(crate) fn remove_objects(_name: &str) {}

/// Segments of zeros that a foreign program has made: a data segment here never comes without its info segment.
pub(crate) struct ForeignSegment(#[expect(dead_code, reason = "held for its drop")] Foreign);

impl ForeignSegment {
    pub(crate) fn create(name: &str) -> Self {
        Self(Foreign::told(&format!("create {name} 4096")).0)
    }
}

/// Somebody who has what is there of that name open, and tells nobody.
pub(crate) struct Holder(#[expect(dead_code, reason = "held for its drop")] Foreign);

impl Holder {
    pub(crate) fn of(name: &str) -> Self {
        Self(Foreign::told(&format!("look {name}")).0)
    }
}

/// What TouchDesigner's Shared Mem Out operator is.
pub(crate) struct ForeignOut {
    program: Foreign,
    is_there: bool,
}

impl ForeignOut {
    /// Makes both segments, the data segment with so many bytes.
    pub(crate) fn create(name: &str, block: &[u8], bytes: usize) -> Self {
        Self::told(&format!("create {name} {bytes}"), block)
    }

    /// One whose info segment has the prefix once, as those of several other programs.
    pub(crate) fn misnamed(name: &str, block: &[u8], bytes: usize) -> Self {
        Self::told(&format!("create {name} {bytes} single"), block)
    }

    /// One without an info segment.
    pub(crate) fn bare(name: &str, block: &[u8], bytes: usize) -> Self {
        Self::told(&format!("create {name} {bytes} bare"), block)
    }

    /// Writes these bytes into its info segment.
    pub(crate) fn write_info(&mut self, at: u64, bytes: &[u8]) {
        self.program.ask(&format!("info {at} {}", hexadecimal(bytes)));
    }

    fn told(command: &str, block: &[u8]) -> Self {
        let mut out = Self { program: Foreign::told(command).0, is_there: true };
        out.put(block);
        out
    }

    /// Writes these bytes at the start of the block, under the data lock.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.program.ask(&format!("put {}", hexadecimal(bytes)));
    }

    /// The same, whoever has the lock.
    pub(crate) fn put_regardless(&mut self, bytes: &[u8]) {
        self.program.ask(&format!("put-regardless {}", hexadecimal(bytes)));
    }

    /// Goes on in a data segment of so many bytes.
    pub(crate) fn resize(&mut self, bytes: usize, block: &[u8]) {
        self.program.ask(&format!("resize {bytes}"));
        self.put(block);
    }

    /// Says that it leaves, and lets go of its segments.
    pub(crate) fn leave(&mut self) {
        self.program.ask("detach");
        self.is_there = false;
    }

    /// Whether its segments are still there.
    pub(crate) fn is_there(&self) -> bool {
        self.is_there
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What TouchDesigner's Shared Mem In operator is.
pub(crate) struct ForeignIn(Foreign);

impl ForeignIn {
    pub(crate) fn open(name: &str) -> Self {
        Self(Foreign::told(&format!("open {name}")).0)
    }

    /// Looks for a sender, attaches and reads.
    pub(crate) fn look(&mut self) {
        self.0.ask("read");
    }
}

fn act(act: &str, pid: u32) -> bool {
    let mut program = Command::new(in_c("windows_process"));
    let output =
        without_console(program.args([act, &pid.to_string()]).stdin(Stdio::null())).output().unwrap();
    assert!(output.status.code() < Some(2), "{act} {pid}: {output:?}");
    output.status.success()
}

/// Does what that signal does elsewhere, by its name without `SIG`.
pub(crate) fn send_signal(pid: u32, signal: &str) {
    let what = match signal {
        "INT" => "ctrl-c",
        "BREAK" => "ctrl-break",
        "KILL" => "kill",
        "STOP" => "stop",
        "CONT" => "continue",
        _ => panic!("there is no {signal} here"),
    };
    assert!(act(what, pid), "{what} {pid}");
}

/// Whether a process that is being stopped stands still: stopping it has waited for that.
pub(crate) fn stopped(_pid: u32) -> bool {
    true
}

pub(crate) fn is_alive(pid: u32) -> bool {
    act("alive", pid)
}
