//! What belongs to another user.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::kit::{Ended, Name, Run, run, start};

/// The command, run by somebody without rights.
pub(crate) fn run_as_stranger(args: &[&str]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    // The build folder may be out of the stranger's reach, too.
    let program = folder.path().join("tdshm");
    // By another process: a program that a child of this one still has open to write cannot be run.
    let copied = Command::new("cp").args([env!("CARGO_BIN_EXE_tdshm").as_ref(), program.as_path()]).status();
    assert!(copied.unwrap().success());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(&program);
    command
        .args(args)
        .uid(65534)
        .gid(65534)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Run::of(command.spawn().unwrap()).wait()
}

#[test]
fn what_another_user_has_is_named() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("NOT RUN: another user's objects (needs root, to be two users)");
        return;
    }
    let name = Name::new();
    let mut send = start(&["send", name.as_str()]);
    send.says("sending");
    let watch = run_as_stranger(&["watch", name.as_str(), "--timeout", "0.2"]);
    assert!(watch.err.iter().any(|line| line.contains("belongs to user 0")), "{watch:?}");
    assert!(!watch.err.iter().any(|line| line.contains("no program sends it")), "{watch:?}");
    send.signal("KILL");
    send.wait();
    let before = name.objects();
    let clean = run_as_stranger(&["clean", name.as_str()]);
    assert_eq!((clean.code, clean.out.len()), (Some(0), before.len()), "{clean:?}");
    for object in &before {
        let told = format!("stays: it belongs to user 0, who has not shared it  {object} (");
        assert!(clean.out.iter().any(|line| line.starts_with(&told)), "{told} in {clean:?}");
    }
    assert!(
        clean.err[0].contains("nothing to clean for this user: 4 objects of others out of reach"),
        "{clean:?}"
    );
    let list = run_as_stranger(&["list"]);
    let told = format!("left out: {:?}: ", name.as_str());
    assert!(
        list.err.iter().any(|line| line.contains(&told) && line.contains("belongs to user 0")),
        "{list:?}"
    );
    assert_eq!(name.objects(), before);
    assert_eq!(run(&["clean", name.as_str()]).out.len(), 4);
}
