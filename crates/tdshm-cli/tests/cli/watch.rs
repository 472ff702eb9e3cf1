//! `tdshm watch`, of senders in the test itself: each frame is sent when the one before has been shown.

use std::io::{BufRead, BufReader};

use serde_json::Value;
use tdshm::{ChopFrame, ChopSender, SegmentSender};

use crate::kit::{KILLED, Name, command, names, run, samples, start, stopped, until};

fn frame(names: &[&str], rows: &[&[f32]]) -> ChopFrame {
    ChopFrame::from_rows(names.iter().copied(), 60.0, rows).unwrap()
}

#[test]
fn csv_repeats_the_header_when_the_channels_change() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    let mut watch = start(&["watch", name.as_str(), "--format", "csv"]);
    out.send(&frame(&["tx", "say \"hi\""], &[&[0.1, 1e-7], &[2.0, f32::NAN]])).unwrap();
    assert_eq!([watch.line(), watch.line(), watch.line()], ["tx,\"say \"\"hi\"\"\"", "0.1,2", "1e-7,nan"]);
    out.send(&frame(&["tx", "say \"hi\""], &[&[5.0], &[6.0]])).unwrap();
    assert_eq!(watch.line(), "5,6");
    out.send(&frame(&["tx"], &[&[f32::INFINITY]])).unwrap();
    assert_eq!([watch.line(), watch.line(), watch.line()], ["", "tx", "inf"]);
}

#[test]
fn json_has_an_object_a_frame() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    let mut watch = start(&["watch", name.as_str(), "--format", "json", "--frames", "2"]);
    out.send(&frame(&["a", "a"], &[&[0.1, f32::NAN], &[f32::NEG_INFINITY, 16_777_216.0]])).unwrap();
    let line = watch.line();
    assert!(line.contains("[0.1,null]"), "{line}");
    let first: Value = serde_json::from_str(&line).unwrap();
    let mut keys: Vec<&String> = first.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["age_ms", "channels", "frame", "missed", "sample_rate"]);
    assert_eq!(first["missed"], 0);
    assert!(first["age_ms"].as_f64().is_some_and(|age| age >= 0.0), "{first}");
    assert_eq!(names(&first), ["a", "a"]);
    out.send(&frame(&["b"], &[&[7.0]])).unwrap();
    let second = watch.json();
    assert_eq!((&second["frame"], samples(&second, 0)), (&Value::from(2), vec![7.0]));
    assert_eq!(watch.wait().code, Some(0));
}

#[test]
fn a_table_has_a_line_a_channel() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    let mut watch = start(&["watch", name.as_str(), "--frames", "1"]);
    // A name that would clear the terminal.
    out.send(&frame(&["tx", "\x1b[2J"], &[&[0.5, -1.0, 0.25], &[1.0; 3]])).unwrap();
    assert_eq!(watch.line(), format!("{}   frame 1   2 channels × 3 samples at 60 Hz", name.as_str()));
    assert_eq!(watch.line().split_whitespace().collect::<Vec<_>>(), ["channel", "last", "min", "max"]);
    assert_eq!(watch.line().split_whitespace().collect::<Vec<_>>(), ["tx", "0.25", "-1", "0.5"]);
    assert_eq!(watch.line().split_whitespace().collect::<Vec<_>>(), ["\u{fffd}[2J", "1", "1", "1"]);
    assert_eq!(watch.wait().code, Some(0));
}

#[test]
fn it_may_start_first_and_stays_when_the_sender_leaves() {
    let name = Name::new();
    let mut watch = start(&["watch", name.as_str(), "--format", "csv"]);
    watch.says("waiting for");
    for round in [1.0_f32, 2.0] {
        let mut out = ChopSender::create(name.as_str()).unwrap();
        watch.says("is there");
        out.send(&[[round]]).unwrap();
        if round == 1.0 {
            assert_eq!(watch.line(), "chan1");
        }
        assert_eq!(watch.line(), round.to_string());
        out.detach().unwrap();
        watch.says("has left");
    }
    watch.signal("INT");
    let ended = watch.wait();
    assert_eq!((ended.code, ended.out.len()), (Some(130), 0), "{ended:?}");
}

#[test]
fn a_timeout_is_status_1_and_says_why() {
    let name = Name::new();
    let absent = run(&["watch", name.as_str(), "--timeout", "0.05"]);
    assert_eq!(absent.code, Some(1), "{absent:?}");
    assert!(absent.err[0].contains("waiting for"), "{absent:?}");
    assert!(absent.err[1].contains("in 0.05 s: start its sender"), "{absent:?}");

    let mut out = ChopSender::create(name.as_str()).unwrap();
    let silent = run(&["watch", name.as_str(), "--timeout", "0.05"]);
    assert_eq!(silent.code, Some(1), "{silent:?}");
    assert!(silent.err[0].contains("has sent nothing"), "{silent:?}");

    out.send(&[[1.0]]).unwrap();
    let unchanged = run(&["watch", name.as_str(), "--timeout", "0.5", "--format", "csv"]);
    assert_eq!(unchanged.code, Some(1), "{unchanged:?}");
    assert_eq!(unchanged.out, ["chan1", "1"]);
    assert!(unchanged.err[0].contains("sends nothing"), "{unchanged:?}");
}

#[test]
fn missed_frames_are_told_of_unless_only_the_latest_count() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    for latest in [false, true] {
        let mut args = vec!["watch", name.as_str(), "--format", "json"];
        args.extend(latest.then_some("--latest"));
        // Before it starts: it would take what is left of the round before for its first.
        out.send(&[[0.5]]).unwrap();
        let mut watch = start(&args);
        watch.line();
        // Stopped, it cannot see what goes by.
        watch.signal("STOP");
        until(|| stopped(watch.id()));
        for value in [1.0, 2.0, 3.0, 4.0] {
            out.send(&[[value]]).unwrap();
        }
        watch.signal("CONT");
        let line = watch.json();
        assert_eq!((&line["missed"], samples(&line, 0)), (&Value::from(3), vec![4.0]), "{line}");
        watch.signal("INT");
        let ended = watch.wait();
        let told = ended.err.iter().any(|line| line.contains("missed 3 frames before frame 2"));
        assert_eq!((ended.code, told), (Some(130), !latest), "{ended:?}");
    }
}

#[test]
fn a_sender_that_is_killed_is_told_and_replaced() {
    let name = Name::new();
    let mut watch = start(&["watch", name.as_str(), "--format", "csv"]);
    watch.says("waiting for");
    for round in 0..3 {
        // Without an end, which it would reach by itself: a sender that has sent what it should leaves.
        let mut send = start(&["send", name.as_str(), "--wave", "constant", "--fps", "0.01"]);
        send.says("sending");
        watch.says("is there");
        if round == 0 {
            assert_eq!(watch.line(), "chan1");
        }
        assert_eq!(watch.line(), "1");
        send.signal("KILL");
        assert_eq!(send.wait().code, KILLED, "it has not ended before that");
        watch.says("has died");
    }
}

/// A block of one channel and one sample, without names, by hand.
fn block(magic: u32, channels: i32, value: f32) -> Vec<u8> {
    let mut block = magic.to_le_bytes().to_vec();
    for field in [1, 40, channels, 1] {
        block.extend(i32::to_le_bytes(field));
    }
    block.extend(60.0_f32.to_le_bytes());
    for field in [0, 36, 0] {
        block.extend(i32::to_le_bytes(field));
    }
    block.extend(value.to_le_bytes());
    block
}

#[test]
fn a_malformed_block_is_told_once_and_waited_out() {
    const MAGIC: u32 = 0x12ed_54cf;
    let name = Name::new();
    let mut segment = SegmentSender::create(name.as_str(), 4096).unwrap();
    let mut write = |bytes: &[u8]| segment.lock().unwrap().view().copy_from(bytes);
    write(&block(MAGIC, -1, 0.0));
    let looked_often = run(&["watch", name.as_str(), "--timeout", "0.3"]);
    assert_eq!((looked_often.code, looked_often.err.len()), (Some(1), 2), "{looked_often:?}");
    assert!(looked_often.err[1].contains("nothing that can be read"), "{looked_often:?}");
    let mut watch = start(&["watch", name.as_str(), "--format", "csv"]);
    assert!(watch.says("tdshm: ").contains("-1"));
    write(&block(MAGIC, 1, 1.5));
    assert_eq!([watch.line(), watch.line()], ["chan1", "1.5"]);
    write(&block(1, 1, 0.0));
    assert!(watch.says("magic").contains("0x00000001"));
    write(&block(MAGIC, -1, 0.0)); // said already
    write(&block(MAGIC, 1, 2.5));
    assert_eq!(watch.line(), "2.5");
    watch.signal("INT");
    let ended = watch.wait();
    // Those that could not be read count as missed.
    assert_eq!(
        (ended.code, ended.err),
        (Some(130), vec!["tdshm: missed 2 frames before frame 2".to_owned()])
    );
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    for format in ["csv", "json", "table"] {
        let name = Name::new();
        let mut send = start(&["send", name.as_str()]);
        send.says("sending");
        let mut watch = command(&["watch", name.as_str(), "--format", format]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(watch.stdout.take().unwrap()).read_line(&mut line).unwrap();
        // The reader has gone, and frames keep coming.
        let ended = watch.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), ended.stderr.len()), (Some(0), 0), "{ended:?}");
        assert!(!line.is_empty());
    }
}
