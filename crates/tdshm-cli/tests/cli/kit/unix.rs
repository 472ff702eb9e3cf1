//! Objects are files, and `kill` sends signals.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;

use tdshm::{NamedLock, ShortName};

/// Where the objects of segments and locks are.
const OBJECTS: &str = "/dev/shm";
/// How a process ends that is killed.
pub(crate) const KILLED: Option<i32> = None;
/// By what a command is asked to end, and its status then.
pub(crate) const ASKED_TO_END: &[(&str, i32)] = &[("INT", 130), ("TERM", 143), ("HUP", 129)];

/// Bytes of a postfix's character, where it stands in the info block, and where detach does (wire §3).
pub(crate) const CHARACTER: usize = 1;
pub(crate) const POSTFIX_AT: u64 = 9;
pub(crate) const DETACH_AT: u64 = 41;
/// Whether a lock says which process holds it.
pub(crate) const LOCKS_NAME_HOLDERS: bool = true;

pub(crate) fn alone(_command: &mut Command) {}

pub(crate) fn without_console(command: &mut Command) -> &mut Command {
    command
}

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

/// What TouchDesigner's Shared Mem Out operator is, written into files by hand. (The lock is ours: TouchDesigner has none
/// on this system.)
pub(crate) struct ForeignOut {
    name: String,
    info: String,
    postfix: String,
    /// Open as long as it sends.
    lock: Option<NamedLock>,
}

impl ForeignOut {
    /// Makes both segments, the data segment with so many bytes.
    pub(crate) fn create(name: &str, block: &[u8], bytes: usize) -> Self {
        Self::with_info(name, format!("{OBJECTS}/TouchSHMTouchSHM{name}4jhd783h"), block, bytes)
    }

    /// One whose info segment has the prefix once, as those of several other programs.
    pub(crate) fn misnamed(name: &str, block: &[u8], bytes: usize) -> Self {
        Self::with_info(name, format!("{OBJECTS}/TouchSHM{name}4jhd783h"), block, bytes)
    }

    fn with_info(name: &str, info: String, block: &[u8], bytes: usize) -> Self {
        // Magic, version 2, supported 0, no postfix, detach 0.
        let mut fields = [0; 44];
        fields[..4].copy_from_slice(&0x56ed_34ba_u32.to_le_bytes());
        fields[4] = 2;
        File::create_new(&info).unwrap().write_all_at(&fields, 0).unwrap();
        Self::beside(name, info, block, bytes)
    }

    /// One without an info segment.
    pub(crate) fn bare(name: &str, block: &[u8], bytes: usize) -> Self {
        Self::beside(name, format!("{OBJECTS}/TouchSHMTouchSHM{name}4jhd783h"), block, bytes)
    }

    fn beside(name: &str, info: String, block: &[u8], bytes: usize) -> Self {
        let lock = NamedLock::open(&ShortName::new(name).unwrap().data_lock()).unwrap();
        let mut out = Self { name: name.to_owned(), info, postfix: String::new(), lock: Some(lock) };
        out.make_data(bytes);
        out.put(block);
        out
    }

    fn data(&self) -> String {
        format!("{OBJECTS}/TouchSHM{}{}", self.name, self.postfix)
    }

    fn make_data(&self, bytes: usize) {
        File::create_new(self.data()).unwrap().set_len(bytes as u64).unwrap();
    }

    /// Writes these bytes at the start of the block, under the data lock.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        let held = self.lock.as_ref().unwrap().lock().unwrap();
        self.write_data(bytes);
        drop(held);
    }

    /// The same, whoever has the lock.
    pub(crate) fn put_regardless(&mut self, bytes: &[u8]) {
        self.write_data(bytes);
    }

    fn write_data(&self, bytes: &[u8]) {
        OpenOptions::new().write(true).open(self.data()).unwrap().write_all_at(bytes, 0).unwrap();
    }

    /// Goes on in a data segment of so many bytes.
    pub(crate) fn resize(&mut self, bytes: usize, block: &[u8]) {
        let old = self.data();
        self.postfix = "abcdefghijklmnopqrstuvwxyzabcde".to_owned();
        self.make_data(bytes);
        self.put(block);
        let postfix = self.postfix.clone();
        self.write_info(9, postfix.as_bytes());
        fs::remove_file(old).unwrap();
    }

    /// Says that it leaves, and removes its segments.
    pub(crate) fn leave(&mut self) {
        self.lock = None;
        self.write_info(41, &[1]);
        fs::remove_file(&self.info).unwrap();
        fs::remove_file(self.data()).unwrap();
    }

    /// Writes these bytes into its info segment.
    pub(crate) fn write_info(&mut self, at: u64, bytes: &[u8]) {
        OpenOptions::new().write(true).open(&self.info).unwrap().write_all_at(bytes, at).unwrap();
    }

    /// Whether its segments are still there.
    pub(crate) fn is_there(&self) -> bool {
        fs::exists(&self.info).unwrap() && fs::exists(self.data()).unwrap()
    }
}

/// What TouchDesigner's Shared Mem In operator is.
pub(crate) struct ForeignIn(String);

impl ForeignIn {
    pub(crate) fn open(name: &str) -> Self {
        Self(format!("{OBJECTS}/TouchSHMTouchSHM{name}4jhd783h"))
    }

    /// Looks for a sender, and says there that it has come.
    pub(crate) fn look(&mut self) {
        match OpenOptions::new().write(true).open(&self.0) {
            Ok(info) => info.write_all_at(&[1], 8).unwrap(),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}"),
        }
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
