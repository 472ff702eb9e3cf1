//! Files that are not what one expects: pipes, files without an end, gaps between pictures, files of other formats.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use tdshm_io::{Loss, Picture};

use crate::kit::{Ended, Run, command, run};

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

/// What was said, without the folder.
fn said(folder: &Path, ended: &Ended) -> String {
    let folder = format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR);
    ended.err.join("\n").replace(&folder, "")
}

fn convert(folder: &Path, source: &str, target: &str, more: &[&str]) -> Ended {
    run(&[&["convert", &path(folder, source), &path(folder, target)], more].concat())
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    files
}

fn picture(at: u8) -> Picture {
    Picture::new(tdshm::PixelFormat::R8_UNORM, 2, 1, vec![at, 0]).unwrap()
}

/// Whoever opened it would wait for somebody who writes.
#[cfg(unix)]
#[test]
fn pipes_and_devices_are_refused_at_once() {
    let (folder, name) = (tempfile::tempdir().unwrap(), crate::kit::Name::new());
    let folder = folder.path();
    for pipe in ["a.csv", "a.mcap", "a.png"] {
        assert!(std::process::Command::new("mkfifo").arg(folder.join(pipe)).status().unwrap().success());
    }
    let of = |file: &str| path(folder, file);
    for args in [
        &["convert", &of("a.csv"), &of("b.csv")][..],
        &["convert", &of("a.mcap"), &of("b.csv")],
        &["convert", &of("a.png"), &of("b.png")],
        &["play", &of("a.mcap")],
        &["play", "/dev/zero"],
        &["info", &of("a.mcap")],
        &["send", name.as_str(), "--file", &of("a.csv")],
        &["send", name.as_str(), "--image", &of("a.png")],
    ] {
        let ended = run(args);
        let says = said(folder, &ended);
        assert!(ended.code == Some(1) && says.contains("it is a pipe or a device"), "{args:?}: {ended:#?}");
    }
    assert_eq!(files(folder), ["a.csv", "a.mcap", "a.png"]);
}

/// A patch may come through a pipe, and a picture go into one. Whoever waits there for the other end is ended by one Ctrl-C.
#[cfg(target_os = "linux")]
#[test]
fn waiting_for_the_other_end_of_a_pipe_is_ended_by_one_signal() {
    use crate::kit::{Name, start, until};
    use std::io::Read;
    let (folder, name) = (tempfile::tempdir().unwrap(), Name::new());
    let (patch, png) = (path(folder.path(), "a.toml"), path(folder.path(), "a.png"));
    for pipe in [&patch, &png] {
        assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    }
    let mut out = tdshm::TopSender::create(name.as_str()).unwrap();
    let pixels = tdshm::Pixels::bottom_first(tdshm::PixelFormat::R8_UNORM, 2, 1, &[7, 0]);
    out.send(&pixels).unwrap();
    let commands: [&[&str]; 3] =
        [&["run", &patch], &["run", &patch, "--check"], &["snap", name.as_str(), &png]];
    for args in commands {
        let waits = start(args);
        let threads = format!("/proc/{}/task", waits.id());
        let is_waiting = |thread: fs::DirEntry| {
            fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| name.trim() == "waits")
        };
        until(|| fs::read_dir(&threads).unwrap().map_while(Result::ok).any(is_waiting));
        waits.signal("INT");
        assert_eq!(waits.wait().code, Some(130), "{args:?}");
    }
    // And with somebody at the other end.
    let runs = start(&["run", &patch, "--frames", "1", "--watch"]);
    fs::write(&patch, "[op.wave1]\ntype = \"waveCHOP\"\n").unwrap();
    let ended = runs.wait();
    assert!(ended.code == Some(0) && ended.err.concat().contains("ran 1 frame"), "{ended:?}");
    let snap = start(&["snap", name.as_str(), &png]);
    let mut bytes = Vec::new();
    fs::File::open(&png).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(snap.wait().code, Some(0));
    assert_eq!(Picture::read(std::io::Cursor::new(bytes)).unwrap(), picture(7));
    assert_eq!(files(folder.path()), ["a.png", "a.toml"]);
}

#[test]
fn a_row_that_was_being_written_is_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("a.csv"), "tx,ty\n1,2\n3,").unwrap();
    fs::write(folder.join("a.chan"), "1 2\n3 4\n5").unwrap();
    let ended = convert(folder, "a.csv", "b.chan", &[]);
    assert!(
        said(folder, &ended)
            .contains("line 3 was cut short (whole cells: 1 of 2, and no line end): it is left out"),
        "{ended:?}"
    );
    assert_eq!(fs::read_to_string(folder.join("b.chan")).unwrap(), "1\t2\n");
    let ended = convert(folder, "a.chan", "b.csv", &[]);
    assert!(said(folder, &ended).contains("line 3 was cut short"), "{ended:?}");
    assert_eq!(fs::read_to_string(folder.join("b.csv")).unwrap(), "chan1,chan2\n1,2\n3,4\n");
}

#[test]
fn pictures_keep_their_numbers_and_their_times() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for number in [998, 999, 1003] {
        picture((number % 256) as u8).save(folder.join(format!("a.{number:04}.png")), Loss::Refuse).unwrap();
    }
    let ended = convert(folder, "a.####.png", "out/b.####.png", &[]);
    assert!(
        said(folder, &ended)
            .contains("a.####.png has no pictures 1000 to 1002, nor do the new ones, which keep the numbers"),
        "{ended:?}"
    );
    assert_eq!(files(&folder.join("out")), ["b.0998.png", "b.0999.png", "b.1003.png"]);
    assert_eq!(Picture::open(folder.join("out/b.1003.png")).unwrap(), picture(235));
    // By their times: the fourth picture is the first of the second half.
    let ended = convert(folder, "a.####.png", "late", &["--from", "0.3", "--rate", "10"]);
    assert_eq!((ended.code, files(&folder.join("late"))), (Some(0), vec!["1003.png".to_owned()]));
    // Of a folder the names may be any.
    let ended = convert(folder, "out", "counted", &[]);
    assert!(
        said(folder, &ended).contains("out has no pictures 1000 to 1002, and the new ones are counted"),
        "{ended:?}"
    );
    assert_eq!(files(&folder.join("counted")), ["0001.png", "0002.png", "0003.png"]);
    // A recording has their times.
    let ended = convert(folder, "a.####.png", "a.mcap", &["--rate", "10"]);
    assert!(
        said(folder, &ended).contains("1000 to 1002: those in front of them stay for as long"),
        "{ended:?}"
    );
    let text = run(&["info", &path(folder, "a.mcap")]).out.join("\n");
    assert!(text.contains("3, from 0 to 0.5 s, 4 frames a second"), "{text}");
}

#[test]
fn what_is_there_of_a_sequence_that_fails_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for number in 1..=4 {
        picture(number).save(folder.join(format!("a.{number}.png")), Loss::Refuse).unwrap();
    }
    fs::write(folder.join("a.3.png"), "no picture").unwrap();
    let ended = convert(folder, "a.#.png", "out/b.#.png", &[]);
    let says = said(folder, &ended).replace('\\', "/");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        says.contains("wrote 2 pictures: out/b.1.png to out/b.2.png") && says.contains("a.3.png: "),
        "{says}"
    );
    assert_eq!(files(&folder.join("out")), ["b.1.png", "b.2.png"]);
    let ended = convert(folder, "a.#.png", "a.mcap", &[]);
    assert_eq!((ended.code, folder.join("a.mcap").exists()), (Some(1), false), "{ended:?}");
    assert_eq!(files(folder).len(), 5, "and nothing in the making");
}

/// A conversion that is killed leaves what it was making; the next one removes it, and none that is being made.
#[cfg(unix)]
#[test]
fn nothing_stays_of_killed_conversions() {
    use crate::kit::{start, until};
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let rows: String = (0..200_000).map(|row| format!("{row},1,2,3\n")).collect();
    fs::write(folder.join("long.csv"), format!("a,b,c,d\n{rows}")).unwrap();
    fs::write(folder.join("short.csv"), "a\n1\n").unwrap();
    let parts = || files(folder).iter().filter(|file| file.ends_with(".part")).count();
    let begin = || start(&["convert", &path(folder, "long.csv"), &path(folder, "long.clip")]);
    // It may be done before it is killed.
    until(|| {
        let killed = begin();
        until(|| parts() == 1 || folder.join("long.clip").exists());
        killed.signal("KILL");
        drop(killed);
        let _ = fs::remove_file(folder.join("long.clip"));
        parts() == 1
    });
    let stopped = begin();
    let its = format!("-{}-", stopped.id());
    // Before it writes to it, it may not have locked it yet.
    let has_begun = |file: &String| fs::metadata(folder.join(file)).is_ok_and(|about| about.len() > 0);
    let is_making = || files(folder).iter().any(|file| file.contains(&its) && has_begun(file));
    until(|| is_making() || folder.join("long.clip").exists());
    stopped.signal("STOP");
    // It may be done before it is stopped.
    until(|| crate::kit::stopped(stopped.id()) || !crate::kit::is_alive(stopped.id()));
    let was_making = is_making();
    assert_eq!(convert(folder, "short.csv", "short.clip", &[]).code, Some(0));
    assert_eq!((is_making(), parts()), (was_making, usize::from(was_making)), "it is being made");
    stopped.signal("TERM");
    stopped.signal("CONT");
    let code = stopped.wait().code;
    assert!([Some(143), Some(0)].contains(&code), "{code:?}");
    assert_eq!(parts(), 0);
}

/// `tdshm convert` with that text on its standard input.
fn piped(text: &str, args: &[&str]) -> Ended {
    let all: Vec<&str> = ["convert"].iter().chain(args).copied().collect();
    let mut child = command(&all).stdin(Stdio::piped()).spawn().unwrap();
    // Wrong arguments end it before it reads.
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    Run::of(child).wait()
}

#[test]
fn texts_come_from_pipes_and_go_into_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let clip = path(folder, "a.clip");
    let ended = piped("a,b\n1,2\n3,4\n5,", &["-", &clip, "--read-as", "csv", "--rate", "30"]);
    assert_eq!(
        said(folder, &ended),
        "tdshm: wrote a.clip: 2 channels × 2 samples at 30 Hz\n\
         tdshm: line 4 was cut short (whole cells: 1 of 2, and no line end): it is left out"
    );
    let table = run(&["convert", &clip, "-", "--write-as", "csv"]);
    assert_eq!(
        (table.code, table.out),
        (Some(0), vec!["a,b".to_owned(), "1,2".to_owned(), "3,4".to_owned()])
    );
    let columns =
        piped("1 2\n3 4\n", &["-", "-", "--read-as", "chan", "--write-as", "csv", "--channels", "chan2"]);
    assert_eq!(columns.out, ["chan2", "2", "4"], "{columns:?}");
    let wrong = piped("a\nx\n", &["-", &clip, "--read-as", "csv", "--force"]);
    assert!(wrong.code == Some(1) && wrong.err[0].contains("standard input: line 2, column 1"), "{wrong:?}");
    for args in [
        &["-", &clip][..],
        &[&clip, "-"],
        &[&clip, "b.csv", "--write-as", "csv"],
        &[&clip, "b.csv", "--read-as", "clip"],
        &[&clip, "-", "--write-as", "wav"],
    ] {
        assert_eq!(piped("", args).code, Some(2), "{args:?}");
    }
    assert_eq!(files(folder), ["a.clip"]);
}

/// It waits for somebody who writes, and ends all the same.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_ends_it_while_nobody_writes() {
    let mut child = command(&["convert", "-", "-", "--read-as", "csv", "--write-as", "csv"]);
    let mut child = child.stdin(Stdio::piped()).spawn().unwrap();
    let stdin = child.stdin.take().unwrap();
    let waits = Run::of(child);
    crate::kit::until(|| {
        let status = fs::read_to_string(format!("/proc/{}/status", waits.id())).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0").trim();
        u64::from_str_radix(caught, 16).unwrap() & 2 != 0
    });
    waits.signal("INT");
    assert_eq!(waits.wait().code, Some(130));
    drop(stdin);
}

#[test]
fn what_info_cannot_read_is_told_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("a.csv"), "tx\n1\n").unwrap();
    fs::write(folder.join("empty.mcap"), "").unwrap();
    fs::write(folder.join("other.mcap"), "something else").unwrap();
    let info = |file: &str| {
        let ended = run(&["info", &path(folder, file)]);
        assert_eq!((ended.code, ended.out.len()), (Some(1), 0), "{ended:?}");
        said(folder, &ended)
    };
    assert!(info("nothing.mcap").starts_with("tdshm: cannot open nothing.mcap: "));
    assert!(info("nothing").starts_with("tdshm: cannot open nothing: "));
    assert_eq!(
        info("empty.mcap"),
        "tdshm: empty.mcap: the file is empty: no recording has been written into it"
    );
    assert!(info("other.mcap").contains("the file begins with \"somethin\""));
    assert!(info("a.csv").contains("a.csv is no recording (.mcap)"));
    let played = run(&["play", &path(folder, "a.csv")]);
    assert!(
        said(folder, &played).contains("`tdshm send NAME --file a.csv` sends what it holds"),
        "{played:?}"
    );
    let missing = run(&["info", "no-such-take.mcap"]);
    assert!(missing.err[0].contains("cannot open no-such-take.mcap"), "{missing:?}");
}
