//! Objects are files, and `kill` sends signals.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Where the objects of segments and locks are.
const OBJECTS: &str = "/dev/shm";
/// How a process ends that is killed.
pub(crate) const KILLED: Option<i32> = None;
/// By what a command is asked to end, and its status then.
pub(crate) const ASKED_TO_END: &[(&str, i32)] = &[("INT", 130), ("TERM", 143), ("HUP", 129)];

pub(crate) fn alone(_command: &mut Command) {}

/// The objects with that name in theirs.
pub(crate) fn objects_of(name: &str) -> Vec<String> {
    let entries = fs::read_dir(OBJECTS).unwrap();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|object| object.contains(name)).collect()
}

/// Removes the objects of exactly that name.
pub(crate) fn remove_objects(name: &str) {
    for object in fs::read_dir(OBJECTS).unwrap().flatten() {
        let file = object.file_name().into_string().unwrap_or_default();
        let short = file.strip_prefix("TouchSHM").map(|rest| rest.strip_prefix("TouchSHM").unwrap_or(rest));
        let ends = ["", "Mutex", "4jhd783h", "4jhd783hMutex"];
        // Behind the name of a data segment that moved stand 31 letters.
        let ours = |end: &str| {
            ends.contains(&end) || (end.len() == 31 && end.bytes().all(|b| b.is_ascii_lowercase()))
        };
        // The demo's image has a name of its own.
        let rest = short.and_then(|short| short.strip_prefix(name));
        if rest.map(|rest| rest.strip_prefix("image").unwrap_or(rest)).is_some_and(ours) {
            let _ = fs::remove_file(object.path());
        }
    }
}

/// A data segment of zeros that a foreign program has made.
pub(crate) struct ForeignSegment;

impl ForeignSegment {
    pub(crate) fn create(name: &str) -> Self {
        fs::write(format!("{OBJECTS}/TouchSHM{name}"), [0; 4096]).unwrap();
        Self
    }
}

/// Sends a signal, by its name without `SIG`.
pub(crate) fn send_signal(pid: u32, signal: &str) {
    let status = Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status().unwrap();
    assert!(status.success(), "kill -{signal} {pid}");
}

/// Whether a process that is being stopped stands still.
pub(crate) fn stopped(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") T "))
}

pub(crate) fn is_alive(pid: u32) -> bool {
    // A zombie that nobody has reaped yet has no memory any more.
    let proc = PathBuf::from(format!("/proc/{pid}/statm"));
    fs::read_to_string(proc).is_ok_and(|statm| !statm.starts_with("0 "))
}
