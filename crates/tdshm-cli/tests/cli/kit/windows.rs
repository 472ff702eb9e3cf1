//! What no safe code does here two programs in C do, of the folder `tests/foreign`: `cargo xtask test` builds them.

use std::io::{BufRead, BufReader, Write};
use std::os::windows::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// How a process ends that is killed: with the status that whoever kills it gives.
pub(crate) const KILLED: Option<i32> = Some(9);
/// By what a command is asked to end, and its status then.
pub(crate) const ASKED_TO_END: &[(&str, i32)] = &[("INT", 130)];
/// A console of its own, without a window.
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// Lets nobody but that process, and those that it starts, get the Ctrl-C that is meant for it.
pub(crate) fn alone(command: &mut Command) {
    command.creation_flags(CREATE_NO_WINDOW);
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

/// A foreign program that has obeyed one command.
struct Foreign(Child);

impl Foreign {
    fn told(command: &str) -> (Self, String) {
        let mut program = Command::new(in_c("windows_peer"));
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(format!("{command}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut answer).unwrap();
        let said =
            answer.strip_prefix("ok").unwrap_or_else(|| panic!("{command}: {answer}")).trim().to_owned();
        (Self(child), said)
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
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

fn act(act: &str, pid: u32) -> bool {
    let mut program = Command::new(in_c("windows_process"));
    let output = program.args([act, &pid.to_string()]).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.code() < Some(2), "{act} {pid}: {output:?}");
    output.status.success()
}

/// Does what that signal does elsewhere, by its name without `SIG`.
pub(crate) fn send_signal(pid: u32, signal: &str) {
    let what = match signal {
        "INT" => "ctrl-c",
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
