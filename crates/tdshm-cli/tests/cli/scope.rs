//! `tdshm watch --scope`: some of the channels, in every format.

use tdshm::{ChopFrame, ChopSender};

use crate::kit::{Name, Run, names, run, samples, start};

/// A frame whose channels hold their own position, counted from 1.
fn frame(names: &str) -> ChopFrame {
    let names: Vec<&str> = names.split_whitespace().collect();
    let rows: Vec<[f32; 1]> = (1..=names.len()).map(|position| [position as f32]).collect();
    ChopFrame::from_rows(names, 60.0, &rows).unwrap()
}

fn watch(name: &Name, scope: &str, more: &[&str]) -> Run {
    start(&[&["watch", name.as_str(), "--scope", scope], more].concat())
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn csv_has_the_columns_of_the_scope() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    let mut watch = watch(&name, "tx r* ^ry", &["--format", "csv", "--frames", "5"]);
    out.send(&frame("rx ry rz tx ty")).unwrap();
    assert_eq!([watch.line(), watch.line()], ["rx,rz,tx", "1,3,4"]);
    // The others may change as they like.
    out.send(&frame("rx rz ty tx")).unwrap();
    assert_eq!(watch.line(), "1,2,4");
    out.send(&frame("ty rx")).unwrap();
    assert_eq!([watch.line(), watch.line(), watch.line()], ["", "rx", "2"]);
    // Nothing of the scope is there, and so there is nothing to write.
    out.send(&frame("ty tz")).unwrap();
    let said = watch.says("picks none");
    assert_eq!(said, format!("tdshm: the scope picks none of the 2 channels of {:?}: ty tz", name.as_str()));
    out.send(&frame("tz ry rx")).unwrap();
    assert_eq!(watch.line(), "3");
    watch.says("now: rx");
    let ended = watch.wait();
    assert_eq!((ended.code, ended.out.len()), (Some(0), 0), "{ended:?}");
}

#[test]
fn json_has_the_channels_of_the_scope() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    let mut watch = watch(&name, "chan[1-12:2] ~ chan3", &["--format", "json", "--frames", "2"]);
    out.send(&frame("chan1 chan2 chan3 chan11 chan11")).unwrap();
    let line = watch.json();
    assert_eq!(names(&line), ["chan1", "chan11", "chan11"]);
    assert_eq!((samples(&line, 0), samples(&line, 1), samples(&line, 2)), (vec![1.0], vec![4.0], vec![5.0]));
    assert_eq!(line["missed"], 0, "{line}");
    out.send(&frame("chan2")).unwrap();
    let line = watch.json();
    assert_eq!((names(&line).len(), &line["frame"]), (0, &2.into()), "{line}");
    assert_eq!(watch.wait().code, Some(0));
}

#[test]
fn a_table_says_how_many_of_the_channels_it_shows() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    let mut watch = watch(&name, "t[xz]", &["--frames", "2"]);
    out.send(&frame("tx ty tz")).unwrap();
    assert_eq!(watch.line(), format!("{}   frame 1   2 of 3 channels × 1 sample at 60 Hz", name.as_str()));
    watch.line();
    assert_eq!([words(&watch.line()), words(&watch.line())], [["tx", "1", "1", "1"], ["tz", "3", "3", "3"]]);
    out.send(&frame("tz ty")).unwrap();
    assert_eq!(watch.line(), "");
    assert!(watch.line().contains("frame 2   1 of 2 channels"));
    watch.line();
    assert_eq!(words(&watch.line()), ["tz", "1", "1", "1"]);
    let ended = watch.wait();
    assert_eq!((ended.code, ended.out.len()), (Some(0), 0), "{ended:?}");
}

#[test]
fn what_is_most_likely_a_mistake_is_told_on_standard_error() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    let mut watch = watch(&name, "^ry TX t[x-z]", &["--format", "csv"]);
    watch.says("scope: [x-z] stands for one of the characters in it");
    watch.says("scope: ^ry comes first and keeps all other names");
    out.send(&frame("tx ty ry")).unwrap();
    assert_eq!([watch.line(), watch.line()], ["tx,ty", "1,2"]);
    let said = watch.says("TX");
    assert_eq!(said, "tdshm: scope: TX matches nothing: upper and lower case differ, and there is tx");
    assert_eq!(watch.says("the channels"), format!("tdshm: the channels of {:?}: tx ty ry", name.as_str()));
    // Other names, the same mistake: nothing about it again.
    out.send(&frame("tx ty tz ry")).unwrap();
    assert_eq!([watch.line(), watch.line(), watch.line()], ["", "tx,ty,tz", "1,2,3"]);
    watch.signal("INT");
    let ended = watch.wait();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(!ended.err.iter().any(|line| line.contains("TX")), "{ended:?}");
}

#[test]
fn a_scope_that_nobody_can_read_says_where_and_why() {
    let ended = run(&["watch", "a", "--scope", "tx | "]);
    assert_eq!((ended.code, ended.out.len()), (Some(2), 0), "{ended:?}");
    let said = "character 4: | has no pattern on its right: add one";
    assert!(ended.err.iter().any(|line| line.contains(said)), "{ended:?}");
}

#[test]
fn a_scope_may_begin_with_a_hyphen_or_hold_nothing() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    for (scope, said, header) in [("-a*", "waiting", Some("-a")), ("", "the pattern is empty", None)] {
        drop(out);
        let mut watch = watch(&name, scope, &["--format", "csv", "--frames", "1"]);
        watch.says(said);
        out = ChopSender::create(name.as_str()).unwrap();
        out.send(&frame("b -a")).unwrap();
        if let Some(header) = header {
            assert_eq!([watch.line(), watch.line()], [header, "2"]);
        }
        let ended = watch.wait();
        assert_eq!((ended.code, ended.out.len()), (Some(0), 0), "{ended:?}");
    }
}
