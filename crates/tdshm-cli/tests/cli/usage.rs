//! Wrong usage is status 2, and says so on standard error alone.

use crate::kit::run;

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
    ] {
        let ended = run(args);
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(ended.out.is_empty() && !ended.err.is_empty(), "{args:?}: {ended:?}");
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
