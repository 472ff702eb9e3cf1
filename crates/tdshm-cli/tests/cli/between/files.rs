//! `tdshm doctor NAME` where objects are files: what only whoever touches those files, or another user, can do.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::PathBuf;

use tdshm::{ChopSender, NamedLock, ShortName};

use super::{Found, channels, doctor};
use crate::kit::{ForeignOut, Name};
use crate::users::run_as_stranger;

/// Nobody's number.
const STRANGER: u32 = 65534;

fn path(object: &str) -> PathBuf {
    PathBuf::from("/dev/shm").join(object)
}

fn set_mode(object: &str, mode: u32) {
    fs::set_permissions(path(object), Permissions::from_mode(mode)).unwrap();
}

fn write(object: &str, at: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(path(object)).unwrap().write_all_at(bytes, at).unwrap();
}

/// A sender of this process that has sent.
fn sender(name: &Name) -> ChopSender {
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    out
}

fn data_of(name: &Name) -> String {
    ShortName::new(name.as_str()).unwrap().data_segment()
}

fn objects_of(name: &Name) -> [String; 4] {
    let name = ShortName::new(name.as_str()).unwrap();
    [name.info_segment(), name.data_segment(), name.data_lock(), name.info_lock()]
}

/// Whether this is root, who can be two users.
fn can_be_two(what: &str) -> bool {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        eprintln!("NOT RUN: {what} (needs root, to be two users)");
    }
    is_root
}

fn stranger(name: &Name) -> Found {
    let ended = run_as_stranger(&["doctor", "--json", name.as_str(), "--timeout", "0.2"]);
    Found::of(ended.code, ended.out.first().unwrap_or_else(|| panic!("{:#?}", ended.err)))
}

#[test]
fn what_is_no_segment() {
    let name = Name::new();
    let target = tempfile::NamedTempFile::new().unwrap();
    symlink(target.path(), path(&data_of(&name))).unwrap();
    doctor(name.as_str())
        .tells("objects.kind", "failed", "it is a symbolic link", "remove it")
        .only(&["objects.kind"]);
    let name = Name::new();
    fs::create_dir(path(&data_of(&name))).unwrap();
    let found = doctor(name.as_str());
    fs::remove_dir(path(&data_of(&name))).unwrap();
    found.tells("objects.kind", "failed", "it is a directory", "remove it").only(&["objects.kind"]);
    let name = Name::new();
    let _out = sender(&name);
    let second = format!("{}x", data_of(&name));
    fs::hard_link(path(&data_of(&name)), path(&second)).unwrap();
    let found = doctor(name.as_str());
    fs::remove_file(path(&second)).unwrap();
    found.tells("objects.kind", "failed", "hard links", "remove it").only(&["objects.kind"]);
}

#[test]
fn files_that_somebody_removed_or_left() {
    let name = Name::new();
    let _out = sender(&name);
    fs::remove_file(path(&data_of(&name))).unwrap();
    doctor(name.as_str())
        .tells("objects.data", "failed", "is not there", "somebody removed the file")
        .only(&["objects.data"]);
    let name = Name::new();
    let _out = sender(&name);
    let other = format!("{}{}", data_of(&name), "q".repeat(31));
    fs::write(path(&other), [0; 64]).unwrap();
    doctor(name.as_str()).tells("objects.other", "seen", &other, "").only(&[]);
    let name = Name::new();
    let _out = ForeignOut::create(name.as_str(), &channels().bytes(), 4096);
    fs::write(path(&objects_of(&name)[0]), [0; 20]).unwrap();
    doctor(name.as_str()).tells("info.block", "failed", "20 bytes", "no info block").only(&["info.block"]);
}

#[test]
fn a_write_that_does_not_end() {
    let name = Name::new();
    let _out = sender(&name);
    // The sequence is odd from here on.
    write(&objects_of(&name)[0], 272, &1_u64.to_le_bytes());
    doctor(name.as_str())
        .tells("sender.half", "failed", "frame 2 was being written", "continue the sender")
        .only(&["sender.half"]);
}

#[test]
fn locks_that_are_none_for_this_program() {
    let name = Name::new();
    let _out = sender(&name);
    let [_, _, data_lock, info_lock] = objects_of(&name);
    // The other C library's.
    write(&data_lock, 12, &[2]);
    doctor(name.as_str())
        .tells("lock.usable", "failed", "its ABI is 2", "one build of tdshm")
        .only(&["lock.usable"]);
    write(&data_lock, 12, &[1]);
    doctor(name.as_str()).only(&[]);
    write(&info_lock, 0, b"something");
    doctor(name.as_str())
        .tells("lock.usable", "failed", "magic", "one build of tdshm")
        // As it is looked up, and as a dump shows it.
        .tells("lock.usable", "failed", "0x6e696874656d6f73, and it should be 0x4b434c4d48534454", "")
        .only(&["lock.usable"]);
}

/// No holder that died: the kernel would have taken the thread out.
#[test]
fn a_lock_that_was_written_over() {
    let name = Name::new();
    let _out = sender(&name);
    let data_lock = &objects_of(&name)[2];
    for word in [0xdead_beef_u32, 0x3abc_def0, 0x4000_0001] {
        write(data_lock, 64, &word.to_le_bytes());
        let said = format!("its mutex word is {word:#x}, and it should be 0: somebody has written over it");
        doctor(name.as_str())
            .tells("lock.usable", "failed", &said, "end all programs")
            .only(&["lock.usable"]);
    }
    // Just the note of a death.
    write(data_lock, 64, &0x4000_0000_u32.to_le_bytes());
    doctor(name.as_str()).tells("lock.abandoned", "warning", "died with it", "which program dies");
    write(data_lock, 64, &0_u32.to_le_bytes());
    doctor(name.as_str()).only(&[]);
}

/// A holder that died, and one who let go without repairing it.
#[test]
fn a_lock_that_is_broken_for_ever() {
    let name = Name::new();
    let _out = sender(&name);
    let data_lock = &objects_of(&name)[2];
    // In glibc's mutex, the third word is the owner; this one is nobody.
    write(data_lock, 64 + 8, &0x7fff_fffe_u32.to_le_bytes());
    doctor(name.as_str())
        .tells("lock.usable", "failed", "left unusable", "end all programs")
        .only(&["lock.usable"]);
}

#[test]
fn objects_that_anybody_may_write() {
    let name = Name::new();
    let _out = sender(&name);
    set_mode(&data_of(&name), 0o666);
    doctor(name.as_str())
        .tells("rights.shared", "warning", "everybody on this machine", "a group")
        .only(&["rights.shared"]);
}

#[test]
fn objects_of_another_user() {
    if !can_be_two("objects of another user") {
        return;
    }
    let name = Name::new();
    let _out = sender(&name);
    let found = stranger(&name);
    found.tells("rights.read", "failed", "belongs to user 0", "as one user").only(&["rights.read"]);
    found.tells("objects.data", "ok", "mode 0600, of user 0", "");
    for object in objects_of(&name) {
        set_mode(&object, 0o644);
    }
    let found = stranger(&name);
    found
        .tells("rights.write", "warning", "may be read here, and not written", "0o660 or 0o666")
        .only(&["rights.write"]);
    found.tells("block.header", "ok", "", "");
    for object in objects_of(&name) {
        set_mode(&object, 0o666);
    }
    stranger(&name).tells("rights.write", "ok", "who has shared it", "").only(&["rights.shared"]);
    // Root, too, is refused what a stranger has not shared; and one lock is enough.
    for object in objects_of(&name) {
        set_mode(&object, 0o600);
    }
    let lock = NamedLock::open(&objects_of(&name)[2]).unwrap();
    chown(path(&objects_of(&name)[2]), Some(STRANGER), None).unwrap();
    drop(lock);
    doctor(name.as_str())
        .tells("rights.read", "failed", &format!("belongs to user {STRANGER}"), "as one user")
        .only(&["rights.read"]);
}
