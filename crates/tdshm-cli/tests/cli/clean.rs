//! `tdshm clean`, and what it leaves alone.

use std::fs;

use crate::kit::{Name, run, start};

/// The objects with that name in them.
pub(crate) fn objects(name: &Name) -> Vec<String> {
    let entries = fs::read_dir("/dev/shm").unwrap();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|object| object.contains(name.as_str())).collect();
    names.sort();
    names
}

#[test]
fn what_the_dead_left_is_removed_and_a_dry_run_removes_nothing() {
    let name = Name::new();
    let mut send = start(&["send", name.as_str()]);
    send.says("sending");
    let alive = run(&["clean", name.as_str()]);
    assert_eq!((alive.code, objects(&name).len()), (Some(0), 4), "{alive:?}");
    assert!(
        alive.out.iter().any(|line| line.contains(&format!("process {} uses it", send.id()))),
        "{alive:?}"
    );

    send.signal("KILL");
    send.wait();
    let dead = run(&["list"]);
    assert!(
        dead.out.iter().any(|line| line.contains(name.as_str()) && line.contains("has died")),
        "{dead:?}"
    );
    let dry = run(&["clean", "--dry-run", name.as_str()]);
    assert_eq!((dry.code, dry.out.len(), objects(&name).len()), (Some(0), 4, 4), "{dry:?}");
    assert!(dry.err[0].contains("would remove 4 objects"), "{dry:?}");
    let clean = run(&["clean", name.as_str()]);
    assert_eq!((clean.code, clean.out.len()), (Some(0), 4), "{clean:?}");
    assert_eq!(objects(&name), Vec::<String>::new());
    assert!(run(&["clean", name.as_str()]).err[0].contains("nothing to clean"));
}

#[test]
fn a_foreign_sender_stays_and_is_taken_over_only_when_asked() {
    let name = Name::new();
    let data = format!("/dev/shm/TouchSHM{}", name.as_str());
    fs::write(&data, [0; 4096]).unwrap();
    let clean = run(&["clean", name.as_str()]);
    assert!(fs::exists(&data).unwrap(), "{clean:?}");
    assert!(clean.out[0].contains("another program made it"), "{clean:?}");

    let refused = run(&["send", name.as_str()]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err[0].contains("--take-over"), "{refused:?}");
    let mut send = start(&["send", name.as_str(), "--take-over", "--wave", "constant"]);
    send.says("sending");
    let watch = run(&["watch", name.as_str(), "--format", "csv", "--frames", "1"]);
    assert_eq!(watch.out, ["chan1", "1"], "{watch:?}");
}
