//! The command in a terminal, and what it leaves out where there is none.

use std::fs::{self, File};
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tdshm::{ChopFrame, ChopSender};

use crate::kit::{Name, command, run, start, until};

/// A terminal of that width: where to write, and what was written at its end.
fn terminal(columns: u16) -> (Stdio, thread::JoinHandle<String>) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    // Not every system takes this with the opening.
    rustix::io::fcntl_setfd(&ours, rustix::io::FdFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    tcsetwinsize(&ours, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let path = ptsname(&ours, Vec::new()).unwrap();
    let theirs = File::options().read(true).write(true).open(path.to_str().unwrap()).unwrap();
    let read = thread::spawn(move || {
        let mut written = Vec::new();
        // It ends with an error when nobody has the other end any more.
        let _ = File::from(ours).read_to_end(&mut written);
        String::from_utf8(written).unwrap().replace("\r\n", "\n")
    });
    (theirs.into(), read)
}

/// In a terminal with colours, of that width, for standard output.
fn spawn(mut command: Command, columns: u16) -> (Child, thread::JoinHandle<String>) {
    let (stdio, written) = terminal(columns);
    // Dropped with the command: this end belongs to the child alone.
    let child = command.stdout(stdio).env("TERM", "xterm-256color").env("LANG", "C.UTF-8").spawn().unwrap();
    (child, written)
}

/// What a command shows in a terminal.
fn shown(command: Command, columns: u16) -> String {
    let (mut child, written) = spawn(command, columns);
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(0));
    written.join().unwrap()
}

/// Without escape sequences.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            let _ = chars.by_ref().skip_while(|c| *c == '[').find(|c| c.is_ascii_alphabetic());
        } else {
            plain.push(c);
        }
    }
    plain
}

fn width(line: &str) -> usize {
    line.chars().count()
}

/// A segment with a long name, so that a table has something to cut.
fn long_named() -> (Name, ChopSender) {
    let long = Name::long();
    let mut out = ChopSender::create(long.as_str()).unwrap();
    let channels = ["a channel with a very long name indeed, longer than a table has room for", "b"];
    out.send(&ChopFrame::from_rows(channels, 60.0, &[[0.5], [1.0]]).unwrap()).unwrap();
    (long, out)
}

#[test]
fn a_list_fits_the_terminal_and_cuts_names() {
    let (name, _out) = long_named();
    for columns in [60, 80, 110] {
        let text = plain(&shown(command(&["list"]), columns));
        assert!(text.lines().all(|line| width(line) <= columns.into()), "{columns}:\n{text}");
        assert!(text.starts_with("NAME "), "{text}");
        if columns == 60 {
            assert!(
                text.lines().any(|line| line.contains("…  chop ") && !line.contains(name.as_str())),
                "{text}"
            );
        }
    }
    // COLUMNS counts for more than the terminal, and counts without one.
    let mut narrow = command(&["list"]);
    narrow.env("COLUMNS", "50");
    let text = plain(&shown(narrow, 200));
    assert!(text.lines().all(|line| width(line) <= 50), "{text}");
    let mut piped = command(&["list"]);
    let output = piped.env("COLUMNS", "50").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().all(|line| width(line) <= 50), "{text}");
    // A pipe has no width: nothing is cut.
    assert!(run(&["list"]).out.iter().any(|line| line.contains(name.as_str())));
}

#[test]
fn info_and_watch_fit_the_terminal() {
    let (name, _out) = long_named();
    for columns in [60, 80] {
        let text = plain(&shown(command(&["watch", name.as_str(), "--frames", "1"]), columns));
        assert!(text.lines().all(|line| width(line) <= columns.into()), "{columns}:\n{text}");
        assert!(text.contains("a channel with a very") && text.contains('…'), "{text}");
        let text = plain(&shown(command(&["info", name.as_str()]), columns));
        // A word that is longer than a line stays whole: names are there to be copied.
        let long =
            |line: &str| width(line) > columns.into() && !line.contains(name.as_str()) && !line.contains('"');
        assert!(!text.lines().any(long), "{columns}:\n{text}");
    }
}

#[test]
fn colours_are_asked_for_or_refused() {
    let (_name, _out) = long_named();
    let list = |more: &[&str], variables: &[(&str, &str)]| {
        let mut command = command(&["list"]);
        command.args(more).envs(variables.iter().copied());
        command
    };
    let in_terminal =
        |more: &[&str], variables: &[(&str, &str)]| shown(list(more, variables), 100).contains('\x1b');
    let in_pipe = |more: &[&str], variables: &[(&str, &str)]| {
        list(more, variables).output().unwrap().stdout.contains(&b'\x1b')
    };
    assert!(in_terminal(&[], &[]) && !in_pipe(&[], &[]));
    assert!(!in_terminal(&[], &[("NO_COLOR", "1")]) && in_terminal(&[], &[("NO_COLOR", "")]));
    assert!(!in_terminal(&["--color=never"], &[]) && in_pipe(&["--color", "always"], &[]));
    assert!(in_terminal(&["--color=always"], &[("NO_COLOR", "1")]));
    assert!(in_pipe(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!in_pipe(&["--color=never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!in_pipe(&["--color=auto"], &[]));
}

#[test]
fn help_is_coloured_alike() {
    let help = |more: &[&str]| {
        let mut command = command(&["help"]);
        command.args(more);
        command
    };
    assert!(shown(help(&[]), 100).contains('\x1b'));
    for more in [&["--help"][..], &["send", "--help"]] {
        let mut command = command(&["--color=never"]);
        command.args(more);
        assert!(!shown(command, 100).contains('\x1b'), "{more:?}");
    }
    assert!(command(&["--color=always", "--help"]).output().unwrap().stdout.contains(&b'\x1b'));
    for columns in [60, 80, 110] {
        for subcommand in ["send", "watch", "completions", "man"] {
            let text = plain(&shown(command(&[subcommand, "--help"]), columns));
            let wide = |line: &&str| width(line) > columns.into() && !line.contains("/completions/");
            assert_eq!(text.lines().find(wide), None, "{subcommand} in {columns}");
            assert!(text.contains("Examples:\n  "), "{text}");
        }
    }
}

#[test]
fn nothing_that_moves_is_written_into_a_pipe() {
    let name = Name::new();
    let mut send = start(&["send", name.as_str(), "--channels", "a,b"]);
    send.says("sending");
    for args in [
        &["watch", name.as_str(), "--frames", "2"][..],
        &["watch", name.as_str(), "--frames", "2", "--format", "csv"],
        &["list"],
        &["info", name.as_str()],
        &["help", "send"],
        &["demo", "--seconds", "0.5"],
    ] {
        let output = command(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        let written = [output.stdout, output.stderr].concat();
        assert!(!written.iter().any(|byte| *byte == b'\x1b' || *byte == b'\r'), "{args:?}");
    }
}

#[test]
fn a_file_has_a_bar_in_a_terminal_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("walk.csv");
    fs::write(&file, format!("a\n{}", "1\n".repeat(60))).unwrap();
    let file = file.to_str().unwrap();
    let sent = |more: &[&str]| {
        let name = Name::new();
        let (stdio, written) = terminal(80);
        let mut command = command(&["send", name.as_str(), "--file", file, "--speed", "2"]);
        let child = command.args(more).stderr(stdio).env("TERM", "xterm").env("LANG", "C.UTF-8").spawn();
        drop(command);
        assert_eq!(child.unwrap().wait().unwrap().code(), Some(0));
        written.join().unwrap()
    };
    let text = sent(&[]);
    assert!(text.contains("walk.csv") && text.contains(" of 1 s") && text.contains('█'), "{text:?}");
    // What is said stands on lines of its own.
    assert!(text.contains("tdshm: sending 1 channel × 60 samples at 120 Hz"), "{text:?}");
    assert!(text.rsplit("\x1b[2K").next().unwrap().starts_with("tdshm: sent "), "{text:?}");
    assert_eq!(sent(&["--quiet"]), "");
    let name = Name::new();
    let piped = run(&["send", name.as_str(), "--file", file, "--speed", "2"]);
    assert!(piped.err.iter().all(|line| line.starts_with("tdshm: ")), "{piped:?}");
}

#[test]
fn a_table_in_a_terminal_is_drawn_in_place() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let (mut child, written) = spawn(command(&["watch", name.as_str()]), 60);
    // It is there once it reads.
    until(|| {
        tdshm::inspect(name.as_str()).unwrap().notices.unwrap().receivers.iter().any(|r| r.frame.is_some())
    });
    crate::kit::send_signal(child.id(), "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let text = written.join().unwrap();
    assert!(text.contains("\x1b[?25l") && text.ends_with("\x1b[?25h"), "the cursor comes back: {text:?}");
}

#[test]
fn an_image_is_shown_in_letters() {
    let name = Name::new();
    let sender = start(&["send", name.as_str(), "--test-pattern", "40x20"]);
    until(|| tdshm::inspect(name.as_str()).is_ok_and(|report| report.top.is_some()));
    let watch = || command(&["watch", name.as_str(), "--frames", "2"]);
    let text = shown(watch(), 90);
    assert!(text.contains("40 × 20 rgba8   header 1"), "{text}");
    // The first bar, twice above one another; ten lines of forty letters.
    assert!(text.contains("\x1b[38;2;191;191;191;48;2;191;191;191m▀▀▀▀▀"), "{text}");
    let pictures: Vec<_> = plain(&text).lines().filter(|line| line.contains('▀')).map(width).collect();
    assert!(pictures.len() % 10 == 0 && pictures.iter().all(|width| *width == 40), "{pictures:?}");

    // Nothing is wider than a narrow terminal, and without colours there are shades.
    let mut grey = watch();
    grey.env("NO_COLOR", "1");
    let text = shown(grey, 30);
    assert!(!text.contains("38;2") && text.contains("▓▓▓"), "{text}");
    assert!(plain(&text).lines().all(|line| width(line) <= 30), "{text}");
    let mut ascii = watch();
    ascii.env("NO_COLOR", "1").env("LC_ALL", "C");
    let (mut child, written) = {
        let (stdio, written) = terminal(30);
        (ascii.stdout(stdio).spawn().unwrap(), written)
    };
    drop(ascii);
    assert!(child.wait().unwrap().success());
    let text = plain(&written.join().unwrap());
    assert!(text.lines().any(|line| line.starts_with("##") || line.starts_with("%%")), "{text}");
    drop(sender);
}
