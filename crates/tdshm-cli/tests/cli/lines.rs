//! `tdshm send --stdin`: lines as people write them, and as `tdshm watch` does.

use std::io::Write;
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use tdshm::{ChopFrame, ChopReceiver, ChopSender};
use tdshm_io::{ReadOptions, Recording};

use crate::kit::{Name, Run, command, start};
#[cfg(unix)]
use crate::kit::{run, until};

/// How long a frame may take before the test fails.
const WATCHDOG: Duration = Duration::from_secs(60);

/// `tdshm send NAME --stdin` with those further arguments, and what it reads.
fn send(name: &Name, more: &[&str]) -> (Run, ChildStdin) {
    let mut command = command(&["send", name.as_str(), "--stdin"]);
    let mut child = command.args(more).stdin(Stdio::piped()).spawn().unwrap();
    let stdin = child.stdin.take().unwrap();
    (Run::of(child), stdin)
}

/// The same, of what comes through that pipe. Nobody else holds its end.
fn send_from(pipe: ChildStdout, name: &Name, more: &[&str]) -> Run {
    let mut command = command(&["send", name.as_str(), "--stdin"]);
    Run::of(command.args(more).stdin(Stdio::from(pipe)).spawn().unwrap())
}

/// Sends that text whole, to the end of input.
fn send_text(name: &Name, more: &[&str], text: &str) -> Run {
    let (run, mut stdin) = send(name, more);
    stdin.write_all(text.as_bytes()).unwrap();
    run
}

fn next(input: &mut ChopReceiver) -> ChopFrame {
    input.next_timeout(WATCHDOG).unwrap().unwrap().clone()
}

fn bits(frame: &ChopFrame) -> Vec<u32> {
    frame.samples().iter().map(|sample| sample.to_bits()).collect()
}

#[test]
fn each_line_is_sent_before_the_next_is_there() {
    let name = Name::new();
    let mut input = ChopReceiver::open(name.as_str()).unwrap();
    let (mut send, mut stdin) = send(&name, &["--rate", "120"]);
    stdin.write_all(b"tx,ty\n0.5,1\n").unwrap();
    send.says("sending 2 channels × 1 sample at 120 Hz, as they come");
    let first = next(&mut input);
    assert_eq!(
        (first.names(), first.samples(), first.sample_rate()),
        (&["tx", "ty"].map(String::from)[..], &[0.5, 1.0][..], 120.0)
    );
    stdin.write_all(b"nonsense,1\n-0,nan\n\nq\n").unwrap();
    assert!(
        send.says("left out").contains("line 3, column 1 (channel \"tx\"): \"nonsense\" is not a number")
    );
    let second = next(&mut input);
    assert_eq!(bits(&second), [(-0.0_f32).to_bits(), f32::NAN.to_bits()]);
    stdin.write_all(b"7\n").unwrap();
    let third = next(&mut input);
    assert_eq!((third.names(), third.samples()), (&["q".to_owned()][..], &[7.0][..]));
    drop(stdin);
    let ended = send.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(*ended.err.last().unwrap(), format!("tdshm: sent 3 frames to {:?} and left", name.as_str()));
    // On Windows an object is there as long as anybody has it open.
    drop(input);
    assert!(!name.has_segments());
}

#[test]
fn rows_are_gathered_into_frames() {
    let name = Name::new();
    let mut input = ChopReceiver::open(name.as_str()).unwrap();
    let (_send, mut stdin) = send(&name, &["--length", "2"]);
    stdin.write_all(b"a,b\n1,2\n3,4\n").unwrap();
    let frame = next(&mut input);
    assert_eq!((frame.len_samples(), frame.samples()), (2, &[1.0, 3.0, 2.0, 4.0][..]));
    stdin.write_all(b"5,6\n").unwrap();
    drop(stdin);
    let rest = next(&mut input);
    assert_eq!((rest.len_samples(), rest.samples()), (1, &[5.0, 6.0][..]));
}

#[test]
fn json_of_any_script_is_sent() {
    let name = Name::new();
    let mut input = ChopReceiver::open(name.as_str()).unwrap();
    let (_send, mut stdin) = send(&name, &[]);
    stdin.write_all(b"{\"tx\": 0.5, \"ty\": [1]}\n").unwrap();
    let first = next(&mut input);
    assert_eq!(
        (first.names(), first.samples(), first.sample_rate()),
        (&["tx", "ty"].map(String::from)[..], &[0.5, 1.0][..], 60.0)
    );
    stdin.write_all(b"{\"tx\":[1,2,3]}\n").unwrap();
    let second = next(&mut input);
    assert_eq!((second.names(), second.len_samples()), (&["tx".to_owned()][..], 3));
}

#[test]
fn what_is_no_stream_is_status_1_and_leaves_nothing() {
    for (text, said) in [
        ("1,2\n3,4\n", "must name the 2 channels"),
        ("a,,b\n1,2,3\n", "column 2 of 3 has no name"),
        ("", "ended before a frame came"),
        ("{\"a\":\"b\"}\n", "ended before a frame came"),
        ("a\n1\n\n\"b\n", "never closed"),
    ] {
        let name = Name::new();
        let ended = send_text(&name, &[], text).wait();
        let last = ended.err.last().unwrap();
        assert!(ended.code == Some(1) && last.contains(said), "{text:?}: {ended:?}");
        assert!(!name.has_segments(), "{text:?}");
    }
}

#[test]
fn a_length_for_lines_that_turn_out_to_be_json_is_wrong_usage() {
    let name = Name::new();
    let ended = send_text(&name, &["--length", "2"], "{\"a\":[1,2]}\n{\"a\":[3,4]}\n").wait();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err[0].contains("--length is for CSV") && !name.has_segments(), "{ended:?}");
}

#[test]
fn many_wrong_lines_are_told_of_a_few_times() {
    let name = Name::new();
    let text = format!("a,b\n1,2\n{}3,4\n", "1,2,3\n".repeat(20_000));
    let ended = send_text(&name, &[], &text).wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = ended.err.iter().filter(|line| line.contains("left out")).count();
    assert!((2..100).contains(&told), "{ended:?}");
    assert!(ended.err.iter().any(|line| line.ends_with(": 20000 wrong lines were left out")), "{ended:?}");
    assert!(ended.err.last().unwrap().contains("sent 2 frames"), "{ended:?}");
}

/// Frames of all recordings that come with the sources, and what else is strange, in the order in which they are sent.
fn material(len_samples: usize) -> Vec<ChopFrame> {
    let crates = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let golden = std::fs::read_dir(format!("{crates}/tdshm-io/tests/golden")).unwrap();
    let golden = golden.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        golden.filter(|path| path.extension().is_some_and(|e| e == "csv" || e == "wav")).collect();
    files.push(format!("{crates}/tdshm-cli/data/elnino.csv").into());
    files.sort();
    assert!(files.len() >= 8, "{files:?}");
    let mut frames = Vec::new();
    for file in files {
        let recording = Recording::open(&file, &ReadOptions::new()).unwrap();
        let mut begin = 0;
        // A whole number of frames: the rest of a recording is a shorter one.
        while begin + len_samples <= recording.len_samples() {
            let rows: Vec<&[f32]> = recording.range(begin, begin + len_samples).collect();
            frames.push(ChopFrame::from_rows(recording.names(), recording.sample_rate(), &rows).unwrap());
            begin += len_samples;
        }
    }
    let names = ["a,b", "say \"hi\"", " x ", "1", "", "two\nlines", "nan", "{", "größe"];
    let values = [0.1, -0.0, 1e-45, f32::MAX, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e9, 16_777_217.0];
    let rows: Vec<Vec<f32>> = values.iter().map(|value| vec![*value; len_samples]).collect();
    frames.push(ChopFrame::from_rows(names, 59.94, &rows).unwrap());
    frames
}

/// Sends frames to `tdshm watch A | tdshm send B`, each when the one before has arrived.
fn through_a_pipe(format: &str, more: &[&str], frames: &[ChopFrame], rates: bool) {
    let (from, to) = (Name::new(), Name::new());
    let mut out = ChopSender::builder(from.as_str()).room_bytes(1 << 20).create().unwrap();
    let mut input = ChopReceiver::open(to.as_str()).unwrap();
    let mut watch = command(&["watch", from.as_str(), "--format", format]).spawn().unwrap();
    let pipe = watch.stdout.take().unwrap();
    let send = send_from(pipe, &to, more);
    let watch = Run::of(watch);
    for (index, frame) in frames.iter().enumerate() {
        out.send(frame).unwrap();
        let arrived = next(&mut input);
        assert_eq!(arrived.names(), frame.names(), "frame {index} of {format}");
        assert_eq!(arrived.len_samples(), frame.len_samples(), "frame {index} of {format}");
        assert_eq!(bits(&arrived), bits(frame), "frame {index} of {format}");
        if rates {
            assert_eq!(arrived.sample_rate().to_bits(), frame.sample_rate().to_bits());
        }
    }
    // The watcher dies: that is the end of input.
    watch.signal("KILL");
    let ended = send.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.err.last().unwrap().contains(&format!("sent {} frame", frames.len())), "{ended:?}");
    drop(input);
    assert!(!to.has_segments());
}

#[test]
fn what_watch_writes_as_json_arrives_exactly() {
    let mut frames = material(1);
    frames.extend(material(2));
    frames.push(ChopFrame::from_rows(["a", "b"], 48_000.0, &[[0.0; 0]; 2]).unwrap());
    frames.push(ChopFrame::from_rows([""; 0], 30.0, &[[0.0; 0]; 0]).unwrap());
    through_a_pipe("json", &[], &frames, true);
}

#[test]
fn what_watch_writes_as_csv_arrives_exactly() {
    through_a_pipe("csv", &[], &material(1), false);
    through_a_pipe("csv", &["--length", "2"], &material(2), false);
}

#[test]
fn ten_thousand_frames_arrive_one_by_one() {
    let name = Name::new();
    let mut input = ChopReceiver::open(name.as_str()).unwrap();
    let (send, mut stdin) = send(&name, &[]);
    stdin.write_all(b"n,m\n").unwrap();
    for number in 0..10_000_u16 {
        stdin.write_all(format!("{number},-0.5\n").as_bytes()).unwrap();
        let frame = next(&mut input);
        assert_eq!(frame.samples(), [f32::from(number), -0.5]);
    }
    drop(stdin);
    assert!(send.wait().err.last().unwrap().contains("sent 10000 frames"));
}

#[test]
fn ten_thousand_frames_at_once_are_all_sent() {
    let name = Name::new();
    let mut input = ChopReceiver::open(name.as_str()).unwrap();
    let lines: String = (0..10_000).map(|number| format!("{{\"n\":{number}}}\n")).collect();
    let (send, mut stdin) = send(&name, &[]);
    stdin.write_all(lines.as_bytes()).unwrap();
    let mut last = -1.0;
    while last < 9_999.0 {
        let frame = next(&mut input);
        assert!(frame.samples()[0] > last, "{frame:?} after {last}");
        last = frame.samples()[0];
    }
    drop(stdin);
    let ended = send.wait();
    assert!(ended.code == Some(0) && ended.err.last().unwrap().contains("sent 10000 frames"), "{ended:?}");
}

#[test]
#[cfg(unix)] // elsewhere only a write tells that nobody reads a pipe
fn a_reader_that_is_killed_ends_the_watcher_although_no_frame_comes() {
    for format in ["csv", "json", "table"] {
        let (from, to) = (Name::new(), Name::new());
        let mut out = ChopSender::create(from.as_str()).unwrap();
        out.send(&[[1.0]]).unwrap();
        let mut watch = command(&["watch", from.as_str(), "--format", format]).spawn().unwrap();
        let pipe = watch.stdout.take().unwrap();
        let send = send_from(pipe, &to, &[]);
        if format != "table" {
            until(|| to.has_segments());
        }
        send.signal("KILL");
        send.wait();
        // The sender stays, and sends nothing more.
        let ended = Run::of(watch).wait();
        assert_eq!(ended.code, Some(0), "{format}: {ended:?}");
        // What the killed one left is replaced.
        assert_eq!(run(&["send", to.as_str(), "--frames", "1"]).code, Some(0));
    }
}

#[test]
fn a_signal_ends_it_while_it_waits_for_a_line() {
    let name = Name::new();
    let (mut send, mut stdin) = send(&name, &[]);
    stdin.write_all(b"a\n1\n").unwrap();
    send.says("sending");
    assert!(name.has_segments());
    send.signal("INT");
    let ended = send.wait();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(!name.has_segments());
}

#[test]
fn it_leaves_after_enough_frames() {
    let name = Name::new();
    let (send, mut stdin) = send(&name, &["--frames", "2"]);
    stdin.write_all(b"a\n1\n2\n").unwrap();
    let ended = send.wait();
    assert!(ended.code == Some(0) && ended.err.last().unwrap().contains("sent 2 frames"), "{ended:?}");
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let name = Name::new();
    let mut first = start(&["send", name.as_str()]);
    first.says("sending");
    let second = send_text(&name, &[], "a\n1\n").wait();
    assert_eq!((second.code, second.err.len()), (Some(1), 1), "{second:?}");
    assert!(second.err[0].contains("already"), "{second:?}");
}
