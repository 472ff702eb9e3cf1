//! Wrong usage is status 2, and says so on standard error alone.

use std::fs;
#[cfg(unix)]
use std::process::Command;

use crate::kit::{Name, run};

#[test]
fn what_a_subcommand_finds_wrong_comes_with_its_own_usage() {
    for args in [
        &["convert", "a.csv", "b.csv", "--from", "3", "--to", "1"][..],
        &["convert", "a.png", "b.csv"],
        &["send", "x", "--stdin", "--format", "rgba8"],
        &["send", "x", "--stdin", "--format", "json", "--length", "2"],
        &["send", "x", "--image", "x.png", "--format", "csv"],
        &["send", "x", "--image", "x.png", "--loop"],
        &["man", "frobnicate"],
        &["record", "x", "-o", "x.csv"],
        &["record", "x", "-o", "x.bclip"],
        &["record", "x", "-o", "x.png"],
        &["record", "x", "-o", "-"],
        &["doctor", "a", "b", "--touchdesigner"],
    ] {
        let ended = run(args);
        let usage = format!("Usage: tdshm {} ", args[0]);
        let has_it = ended.err.iter().any(|line| line.starts_with(&usage));
        assert!(ended.code == Some(2) && has_it, "{args:?}: {ended:#?}");
    }
}

#[test]
fn wrong_usage_is_status_2() {
    for args in [
        &["send"][..],
        &["frobnicate"],
        &["send", "a/b"],
        &["send", ""],
        &["send", "a", "--count", "2", "--channels", "x,y"],
        &["send", "a", "--channels", "x,,y"],
        &["send", "a", "--loop"],
        &["send", "a", "--count", "0"],
        &["send", "a", "--length", "-1"],
        &["send", "a", "--rate", "0"],
        &["send", "a", "--rate", "nan"],
        &["send", "a", "--rate", "1e40"],
        &["send", "a", "--fps", "inf"],
        &["send", "a", "--wave", "saw"],
        &["send", "a", "--file", "x.csv", "--wave", "sine"],
        &["send", "a", "--file", "x.csv", "--count", "1"],
        &["send", "a", "--file", "x.csv", "--channels", "x"],
        &["send", "a", "--file", "x.csv", "--length", "1"],
        &["watch", "a", "--timeout", "0"],
        &["watch", "a", "--format", "xml"],
        &["watch", "a", "--scope", "tx |"],
        &["watch", "a", "--scope", "(tx"],
        &["info"],
        &["demo", "--seconds", "-1"],
        &["send", "a", "--start", "1"],
        &["send", "a", "--speed", "2"],
        &["send", "a", "--file", "x.csv", "--start", "-1"],
        &["send", "a", "--file", "x.csv", "--speed", "0"],
        &["send", "a", "--file", "x.csv", "--speed", "101"],
        &["send", "a", "--format", "csv"],
        &["send", "a", "--stdin", "--file", "x.csv"],
        &["send", "a", "--stdin", "--channels", "x"],
        &["send", "a", "--stdin", "--fps", "30"],
        &["send", "a", "--stdin", "--loop"],
        &["send", "a", "--stdin", "--start", "1"],
        &["send", "a", "--stdin", "--speed", "2"],
        &["send", "a", "--stdin", "--format", "table"],
        &["send", "a", "--stdin", "--format", "json", "--length", "2"],
        &["send", "a", "--image", "x.png", "--format", "csv"],
        &["send", "a", "--image", "x.png", "--format", "nosuch"],
        &["send", "a", "--image", "x.png", "--format", "4242"],
        &["send", "a", "--image", "x.png", "--loop"],
        &["send", "a", "--image", "x.png", "--file", "x.csv"],
        &["send", "a", "--image", "x.png", "--test-pattern", "8x8"],
        &["send", "a", "--test-pattern", "8"],
        &["send", "a", "--test-pattern", "0x8"],
        &["send", "a", "--test-pattern", "8x32769"],
        &["send", "a", "--test-pattern", "8x8", "--loop"],
        &["send", "a", "--test-pattern", "8x8", "--channels", "x"],
        &["send", "a", "--stdin", "--format", "rgba8"],
        &["send", "a", "--format", "rgba8"],
        &["snap", "a"],
        &["snap", "a", "x.png", "--timeout", "0"],
        &["list", "--color", "sometimes"],
        &["completions"],
        &["completions", "tcsh"],
        &["man", "frobnicate"],
        &["man", "send", "--out", "."],
    ] {
        let ended = run(args);
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(ended.out.is_empty() && !ended.err.is_empty(), "{args:?}: {ended:?}");
    }
}

#[test]
fn times_that_nobody_means_are_refused() {
    let flags = [
        &["demo", "--seconds"][..],
        &["send", "a", "--fps"],
        &["send", "a", "--test-pattern", "8x8", "--fps"],
        &["send", "a", "--file", "a.csv", "--start"],
        &["watch", "a", "--timeout"],
        &["snap", "a", "a.png", "--timeout"],
        &["record", "a", "-o", "a.mcap", "--seconds"],
        &["play", "a.mcap", "--from"],
        &["play", "a.mcap", "--to"],
        &["convert", "a.csv", "b.csv", "--from"],
        &["convert", "a.csv", "b.csv", "--to"],
        &["doctor", "a", "--timeout"],
        &["top", "--fps"],
    ];
    for flag in flags {
        for number in ["1e300", "1e10", "1e308", "inf", "nan", "-1", "-1e300", "1e999", "x", ""] {
            let ended = run(&[flag, &[number]].concat());
            let told = ended.err.first().is_some_and(|line| line.contains("give a number"));
            assert!(ended.code == Some(2) && ended.out.is_empty() && told, "{flag:?} {number}: {ended:?}");
        }
    }
}

#[test]
fn help_and_version_are_status_0() {
    for args in [&["--help"][..], &["help", "send"], &["send", "--help"], &["watch", "-h"], &["--version"]] {
        let ended = run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        assert!(!ended.out.is_empty() && ended.err.is_empty(), "{args:?}: {ended:?}");
    }
}

/// Whoever writes it to a full disk finds out.
#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_is_status_1() {
    for args in [&["help"][..], &["send", "--help"], &["--version"], &["completions", "bash"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = Command::new(env!("CARGO_BIN_EXE_tdshm")).args(args).stdout(full).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(
            ended.status.code() == Some(1) && said.contains("cannot write the output"),
            "{args:?}: {said}"
        );
    }
}

/// Nothing is announced that cannot be sent.
#[test]
fn more_channels_than_a_block_can_hold_are_refused_before_anything_is_said() {
    let name = Name::new();
    let ended = run(&["send", name.as_str(), "--count", "2000000"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.last().unwrap().contains("must not exceed 1048576"), "{ended:?}");
    assert!(!ended.err.iter().any(|line| line.contains("sending")), "{ended:?}");
}

#[test]
fn the_long_version_says_where_it_runs_and_what_it_speaks() {
    let short = run(&["-V"]);
    assert_eq!(short.out, [concat!("tdshm ", env!("CARGO_PKG_VERSION"))]);
    let long = run(&["--version"]);
    assert_eq!((&long.out[0], long.out.len()), (&short.out[0], 3), "{long:?}");
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    assert!(
        long.out[1].starts_with("platform: ") && long.out[1].contains(os) && long.out[1].contains(arch),
        "{long:?}"
    );
    assert_eq!(long.out[2], "protocol: info block version 2, channel block version 1, extension tdshm-1");
}

#[test]
fn every_page_of_the_manual_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    assert_eq!(run(&["man", "--out", path]).code, Some(0));
    for subcommand in ["demo", "send", "watch", "snap", "run", "info", "list", "clean", "completions", "man"]
    {
        let page = run(&["man", subcommand]);
        let file = fs::read_to_string(folder.path().join(format!("tdshm-{subcommand}.1"))).unwrap();
        assert_eq!(page.out, file.lines().collect::<Vec<_>>());
        assert!(
            file.contains(&format!("\\fBtdshm {subcommand}")) && file.contains("\n.SH EXAMPLES\n"),
            "{file}"
        );
        assert!(!file.contains("bundled"), "{file}");
    }
    let root = run(&["man"]).out.join("\n");
    assert!(root.contains("tdshm\\-send(1)") && root.contains(".SH \"EXIT STATUS\""), "{root}");
    let none = folder.path().join("none");
    let absent = run(&["man", "--out", none.to_str().unwrap()]);
    let why = format!("tdshm.1: {}", fs::File::create(none.join("tdshm.1")).unwrap_err());
    assert!(absent.code == Some(1) && absent.err[0].contains(&why), "{absent:?}");
}

/// What bash offers behind `words`, the last of which is begun.
#[cfg(unix)]
fn completed(script: &str, words: &[&str]) -> Vec<String> {
    let [.., before, begun] = words else { panic!("{words:?}") };
    let ask = "source \"$0\"; COMP_WORDS=(\"${@:3}\"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _tdshm tdshm \"$2\" \"$1\"; \
               printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = Command::new("bash").args(["-c", ask, script, before, begun]).args(words).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn there_is_a_script_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell]);
        assert!(
            script.code == Some(0) && script.out.iter().any(|line| line.contains("take-over")),
            "{shell}"
        );
        assert!(!script.out.iter().any(|line| line.contains("bundled")), "{shell} knows what is hidden");
    }
}

#[test]
#[cfg(unix)] // with a bash
fn bash_completes_words() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("tdshm.bash");
    fs::write(&script, run(&["completions", "bash"]).out.join("\n")).unwrap();
    let script = script.to_str().unwrap();
    assert_eq!(completed(script, &["tdshm", "wa"]), ["watch"]);
    assert_eq!(completed(script, &["tdshm", "watch", "x", "--format", ""]), ["table", "csv", "json"]);
    assert_eq!(completed(script, &["tdshm", "send", "x", "--ta"]), ["--take-over"]);
    assert_eq!(completed(script, &["tdshm", "list", "--color", ""]), ["auto", "always", "never"]);
}

#[test]
fn quiet_says_only_what_went_wrong() {
    let name = Name::new();
    let sent = run(&["send", name.as_str(), "--frames", "1", "--quiet"]);
    assert_eq!((sent.code, sent.err.len()), (Some(0), 0), "{sent:?}");
    let wrong = run(&["-q", "info", name.as_str()]);
    assert_eq!((wrong.code, wrong.err.len()), (Some(1), 1), "{wrong:?}");
}
