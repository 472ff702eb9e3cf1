//! `tdshm demo`, where there is no terminal.

use tdshm_cli::{Again, Exit};

use crate::kit::{KILLED, Name, Run, is_alive, send_signal, start, until};

/// A demo that streams, its name, and the process that sends.
fn streaming(seconds: &str) -> (Run, Name, u32) {
    let mut demo = start(&["demo", "--seconds", seconds]);
    let name = Name::of_demo(demo.id());
    let line = demo.line();
    let from = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(line.contains(&format!("process {}, this one", demo.id())), "{line}");
    let line = demo.line();
    assert!(line.starts_with("frame    1  ") && line.contains(" jan ") && line.contains(" dec "), "{line}");
    (demo, name, from)
}

#[test]
fn frames_arrive_from_another_process() {
    let (demo, name, from) = streaming("1");
    let to = demo.id();
    assert_ne!(from, to);
    let ended = demo.wait();
    assert_eq!((ended.code, ended.err.len()), (Some(0), 0), "{ended:?}");
    let last = ended.out.last().unwrap();
    let frames: u32 = last.split_whitespace().next().unwrap().parse().unwrap();
    assert!(frames >= 2, "{last}");
    assert!(last.contains(&format!("from process {from} to process {to}")), "{last}");
    assert!(last.ends_with(", every value as recorded"), "{last}");
    let with = last.split(", with ").nth(1).and_then(|rest| rest.split_whitespace().next());
    assert!(with.and_then(|images| images.parse().ok()).is_some_and(|images: u32| images >= 1), "{last}");
    assert!(!name.has_objects() && !is_alive(from));
}

#[test]
fn ctrl_c_ends_both() {
    let (demo, name, from) = streaming("1000");
    demo.signal("INT");
    let ended = demo.wait();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(!name.has_objects() && !is_alive(from));
}

#[test]
fn a_killed_demo_leaves_no_sender_behind() {
    let (demo, name, from) = streaming("1000");
    demo.signal("KILL");
    assert_eq!(demo.wait().code, KILLED);
    until(|| !is_alive(from) && !name.has_segments());
}

#[test]
fn a_killed_sender_is_told() {
    let (demo, _name, from) = streaming("1000");
    send_signal(from, "KILL");
    let ended = demo.wait();
    assert_eq!((ended.code, ended.err.len()), (Some(1), 1), "{ended:?}");
    assert!(ended.err[0].contains(&format!("process {from} died")), "{ended:?}");
}

/// In another program than the command, as a front end in Python is.
#[test]
fn another_program_says_how_the_command_is_started() {
    let _name = Name::of_demo(std::process::id());
    let again = Again::by(env!("CARGO_BIN_EXE_tdshm"), ["--color", "never"]);
    assert_eq!(tdshm_cli::run_as(["tdshm", "demo", "--seconds", "0.2"], &again), Exit::Done);
    let absent = Again::by("/no/such/program", ["-m", "tdshm"]);
    assert_eq!(tdshm_cli::run_as(["tdshm", "demo", "--seconds", "0.2"], &absent), Exit::Failed);
}
