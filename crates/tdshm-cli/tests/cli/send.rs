//! `tdshm send`, as `tdshm watch` sees it.

use std::fs;

use serde_json::Value;
use tdshm_io::file::Existing;
use tdshm_io::{Loss, Picture, Recording};

use crate::kit::{ASKED_TO_END, Name, names, run, samples, start};

/// The lines that a watcher prints until the sender has left. Frames may be missed: a watcher looks once a
/// millisecond, and the system may forget about it for longer.
fn lines_of(send: &[&str], format: &str, name: &Name) -> Vec<String> {
    let mut watch = start(&["watch", name.as_str(), "--format", format]);
    watch.says("waiting for");
    let ended = run(send);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    watch.says("has left");
    watch.signal("INT");
    let ended = watch.wait();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert!(!ended.out.is_empty());
    ended.out
}

fn json(lines: &[String]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The one frame of a wave that fills it from start to end, whichever frame it is.
fn period_of(wave: &str) -> Vec<f32> {
    let name = Name::new();
    let send = ["send", name.as_str(), "--wave", wave, "--length", "60", "--rate", "60"];
    let _send = start(&send);
    let mut watch = start(&["watch", name.as_str(), "--format", "json", "--frames", "1"]);
    let line = watch.json();
    assert_eq!((line["frame"].as_u64(), line["sample_rate"].as_f64()), (Some(1), Some(60.0)));
    assert_eq!(names(&line), ["chan1"]);
    assert_eq!(watch.wait().code, Some(0));
    let period = samples(&line, 0);
    assert_eq!(period.len(), 60);
    period
}

#[test]
fn a_sine_is_one() {
    for (index, value) in period_of("sine").into_iter().enumerate() {
        let exact = (std::f64::consts::TAU * index as f64 / 60.0).sin();
        assert!((f64::from(value) - exact).abs() < 1e-6, "{index}: {value} {exact}");
    }
}

#[test]
fn a_ramp_is_one() {
    let expected: Vec<f32> = (0..60).map(|index| (f64::from(index) / 60.0) as f32).collect();
    assert_eq!(period_of("ramp"), expected);
}

#[test]
fn a_square_is_one() {
    let expected: Vec<f32> = (0..60).map(|index| if index < 30 { 1.0 } else { -1.0 }).collect();
    assert_eq!(period_of("square"), expected);
}

#[test]
fn a_constant_is_one() {
    assert_eq!(period_of("constant"), [1.0; 60]);
}

#[test]
fn noise_is_noise() {
    let noise = period_of("noise");
    assert!(noise.iter().all(|value| (-1.0..=1.0).contains(value)), "{noise:?}");
    assert!(noise.iter().any(|value| *value < 0.0) && noise.iter().any(|value| *value > 0.0), "{noise:?}");
}

#[test]
fn samples_run_on_from_frame_to_frame_and_channels_are_shifted() {
    let name = Name::new();
    let send = [
        "send",
        name.as_str(),
        "--wave",
        "ramp",
        "--channels",
        "a,b",
        "--length",
        "3",
        "--rate",
        "7",
        "--fps",
        "40",
        "--frames",
        "20",
    ];
    let lines = json(&lines_of(&send, "json", &name));
    let sent: Vec<[Vec<f32>; 2]> = (0..20_u32)
        .map(|frame| {
            [0.0, 0.5].map(|shift| {
                (0..3).map(|k| (f64::from(frame * 3 + k) / 7.0 + shift).fract() as f32).collect()
            })
        })
        .collect();
    let mut next = 0;
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(names(line), ["a", "b"]);
        assert_eq!(line["frame"], index + 1);
        let frame = [samples(line, 0), samples(line, 1)];
        let skipped = sent[next..].iter().position(|sent| *sent == frame);
        next += skipped.unwrap_or_else(|| panic!("{line} is none of the frames from {next} on")) + 1;
    }
}

#[test]
fn a_csv_file_arrives_as_it_is() {
    let name = Name::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("walk.csv");
    let rows: Vec<String> =
        (0..30).map(|row| format!("{row},{},{}e-7", f64::from(row) / 8.0, row + 1)).collect();
    fs::write(&file, format!("tx,\"r, y\",q\n{}\n31,nan,-inf\n", rows.join("\n"))).unwrap();

    let send = ["send", name.as_str(), "--file", file.to_str().unwrap(), "--rate", "40"];
    let lines = lines_of(&send, "csv", &name);
    assert_eq!(lines[0], "tx,\"r, y\",q");
    let sent: Vec<String> = rows.into_iter().chain(["31,nan,-inf".to_owned()]).collect();
    let sent: Vec<Vec<f32>> = sent.iter().map(|row| parsed(row)).collect();
    let mut next = 0;
    for line in &lines[1..] {
        let row = parsed(line);
        let same = |sent: &[f32]| sent.iter().zip(&row).all(|(a, b)| a == b || a.is_nan() && b.is_nan());
        let skipped = sent[next..].iter().position(|sent| same(sent));
        next += skipped.unwrap_or_else(|| panic!("{line} is none of the rows from {next} on")) + 1;
    }
}

fn parsed(row: &str) -> Vec<f32> {
    row.split(',').map(|cell| cell.parse().unwrap()).collect()
}

#[test]
fn a_wav_file_arrives_at_its_own_rate() {
    let name = Name::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two.wav");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 1000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let left: Vec<f32> = (0..700_u16).map(|index| f32::from(index) / 1024.0).collect();
    let mut wav = hound::WavWriter::create(&file, spec).unwrap();
    for value in &left {
        wav.write_sample(*value).unwrap();
        wav.write_sample(-value).unwrap();
    }
    wav.finalize().unwrap();

    let send = ["send", name.as_str(), "--file", file.to_str().unwrap(), "--fps", "20"];
    let mut next = 0;
    for line in json(&lines_of(&send, "json", &name)) {
        assert_eq!(line["sample_rate"], 1000.0);
        let frame = samples(&line, 0);
        let begin = left.iter().position(|sample| *sample == frame[0]).unwrap();
        assert!(begin >= next, "{begin} after {next}");
        next = begin + frame.len();
        assert_eq!(frame, left[begin..next]);
        assert!(samples(&line, 1).iter().zip(&frame).all(|(right, left)| *right == -left));
    }

    let rate = run(&["send", name.as_str(), "--file", file.to_str().unwrap(), "--rate", "44100"]);
    assert_eq!(rate.code, Some(2), "{rate:?}");
    assert!(rate.err[0].contains("brings its own rate of 1000 Hz"), "{rate:?}");
}

#[test]
fn files_of_every_format_arrive_at_their_own_rate() {
    let folder = tempfile::tempdir().unwrap();
    let channel: Vec<f32> = (0..20_u16).map(|at| f32::from(at) / 8.0).collect();
    let recording = Recording::new(vec!["tx".into()], 50.0, vec![channel.clone()]).unwrap();
    for (file, heard) in [("a.clip", "tx"), ("a.parquet", "tx"), ("a.aiff", "chan1"), ("a.aifc", "chan1")] {
        let name = Name::new();
        let path = folder.path().join(file);
        recording.save(&path, Existing::Refuse).unwrap();
        let lines =
            json(&lines_of(&["send", name.as_str(), "--file", path.to_str().unwrap()], "json", &name));
        assert!(
            lines.iter().all(|line| line["sample_rate"] == 50.0 && names(line) == [heard]),
            "{file}: {lines:?}"
        );
        let samples: Vec<f32> = lines.iter().flat_map(|line| samples(line, 0)).collect();
        assert!(samples.iter().all(|sample| channel.contains(sample)) && samples.is_sorted(), "{file}");
    }
    for secret in ["a.bclip", "a.bchan"] {
        let ended = run(&["send", Name::new().as_str(), "--file", secret]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            ended.err[0].contains("described nowhere in public")
                && ended.err[0].contains("TouchDesigner opens"),
            "{ended:?}"
        );
    }
}

#[test]
fn pictures_are_files_too() {
    let (name, folder) = (Name::new(), tempfile::tempdir().unwrap());
    for number in [1, 2] {
        let picture = Picture::new(tdshm::PixelFormat::R8_UNORM, 2, 1, vec![number, 0]).unwrap();
        picture.save(folder.path().join(format!("shot.{number:03}.png")), Loss::Refuse).unwrap();
    }
    let shot = folder.path().join("shot.%03d.png");
    let shot = shot.to_str().unwrap();
    let _send = start(&["send", name.as_str(), "--file", shot, "--loop", "--fps", "100"]);
    let to = folder.path().join("got.png");
    let snapped = run(&["snap", name.as_str(), to.to_str().unwrap(), "--timeout", "30"]);
    assert_eq!(snapped.code, Some(0), "{snapped:?}");
    assert!([1, 2].contains(&Picture::open(&to).unwrap().pixels()[0]));
    let refused = run(&["send", Name::new().as_str(), "--file", shot, "--speed", "2"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err[0].contains("--speed is for channels"), "{refused:?}");
}

#[test]
fn a_loop_starts_again() {
    let name = Name::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("three.csv");
    fs::write(&file, "a\n1\n2\n3\n").unwrap();
    let _send = start(&["send", name.as_str(), "--file", file.to_str().unwrap(), "--rate", "50", "--loop"]);
    let watch = run(&["watch", name.as_str(), "--format", "json", "--frames", "8"]);
    assert_eq!(watch.code, Some(0), "{watch:?}");
    let values = json(&watch.out);
    assert!(values.iter().flat_map(|line| samples(line, 0)).all(|value| [1.0, 2.0, 3.0].contains(&value)));
}

#[test]
fn a_file_may_be_played_in_part_and_faster() {
    let name = Name::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("count.csv");
    let rows: String = (0..100).map(|row| format!("{row}\n")).collect();
    fs::write(&file, format!("a\n{rows}")).unwrap();
    let file = file.to_str().unwrap();
    let send = ["send", name.as_str(), "--file", file, "--rate", "20", "--start", "3", "--speed", "5"];
    let lines = json(&lines_of(&send, "json", &name));
    assert!(lines.iter().all(|line| line["sample_rate"] == 100.0), "{lines:?}");
    let values: Vec<f32> = lines.iter().flat_map(|line| samples(line, 0)).collect();
    assert!(values.iter().all(|value| (60.0..100.0).contains(value)) && values.is_sorted(), "{values:?}");

    let play = ["--rate", "20", "--start", "3", "--speed", "100", "--loop"];
    let _send = start(&[&["send", name.as_str(), "--file", file], &play[..]].concat());
    let watch = run(&["watch", name.as_str(), "--format", "json", "--frames", "8"]);
    let values: Vec<f32> = json(&watch.out).iter().flat_map(|line| samples(line, 0)).collect();
    assert!(values.iter().all(|value| (60.0..100.0).contains(value)), "it comes back to --start: {values:?}");
    assert!(!values.is_sorted(), "it comes back: {values:?}");

    let behind = run(&["send", Name::new().as_str(), "--file", file, "--rate", "20", "--start", "5"]);
    assert_eq!(behind.code, Some(1), "{behind:?}");
    assert!(
        behind.err[0].contains("--start 5 lies behind the end") && behind.err[0].contains("lasts 5 s"),
        "{behind:?}"
    );
}

#[test]
fn files_that_are_none_are_status_1() {
    let name = Name::new();
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.csv");
    fs::write(&broken, "a,b\n1,2\n3\n").unwrap();
    for (file, said) in [(folder.path().join("none.csv"), "cannot open"), (broken, "line 3")] {
        let ended = run(&["send", name.as_str(), "--file", file.to_str().unwrap()]);
        assert_eq!((ended.code, ended.err.len()), (Some(1), 1), "{ended:?}");
        assert!(ended.err[0].starts_with("tdshm: ") && ended.err[0].contains(said), "{ended:?}");
    }
    assert!(!name.has_segments());
}

#[test]
fn names_are_not_sent_when_not_wanted() {
    let name = Name::new();
    let _send = start(&["send", name.as_str(), "--channels", "tx,ty", "--no-names"]);
    let mut watch = start(&["watch", name.as_str(), "--format", "json", "--frames", "1"]);
    assert_eq!(names(&watch.json()), ["chan1", "chan2"]);
    let info = run(&["info", name.as_str(), "--json"]);
    let info: Value = serde_json::from_str(&info.out[0]).unwrap();
    assert_eq!((&info["names"], &info["num_channels"]), (&Value::Null, &Value::from(2)));
}

#[test]
fn names_may_be_long() {
    let name = Name::new();
    // A whole command line of Windows has 32,767 letters.
    let letters = if cfg!(windows) { 15_000 } else { 50_000 };
    let long = ["a", "b"].map(|letter| letter.repeat(letters));
    let channels = long.join(",");
    let _send = start(&["send", name.as_str(), "--channels", &channels]);
    let mut watch = start(&["watch", name.as_str(), "--format", "json", "--frames", "1"]);
    assert_eq!(names(&watch.json()), long);
}

#[test]
fn a_live_name_is_refused() {
    let name = Name::new();
    let mut first = start(&["send", name.as_str()]);
    first.says("sending");
    let second = run(&["send", name.as_str()]);
    assert_eq!((second.code, second.err.len()), (Some(1), 1), "{second:?}");
    assert!(second.err[0].contains(&format!("{:?}", name.as_str())), "{second:?}");
    assert!(second.err[0].contains("already"), "{second:?}");
    let watch = run(&["watch", name.as_str(), "--format", "csv", "--frames", "2"]);
    assert_eq!(watch.code, Some(0), "{watch:?}");
}

#[test]
fn it_says_who_receives() {
    let name = Name::new();
    let mut send = start(&["send", name.as_str()]);
    send.says("sending");
    let watch = start(&["watch", name.as_str(), "--format", "csv"]);
    let pid = watch.id();
    send.says(&format!("process {pid} receives"));
    watch.signal("INT");
    watch.wait();
    send.says(&format!("process {pid} receives no more"));
}

#[test]
fn a_signal_ends_it_detached() {
    for (signal, code) in ASKED_TO_END {
        let name = Name::new();
        let mut send = start(&["send", name.as_str(), "--fps", "0.01"]);
        let said = send.says("sending");
        assert!(said.contains(&format!("`tdshm watch {}`", name.as_str())), "{said}");
        assert!(name.has_segments());
        // The first frame is there.
        assert_eq!(run(&["watch", name.as_str(), "--frames", "1"]).code, Some(0));
        send.signal(signal);
        let ended = send.wait();
        assert_eq!(ended.code, Some(*code), "{ended:?}");
        // Whether the watcher was seen before it left is a matter of luck.
        let last = ended.err.last().unwrap();
        assert_eq!(*last, format!("tdshm: sent 1 frame to {:?} and left", name.as_str()));
        assert!(!name.has_segments());
        // The name is free at once.
        assert_eq!(run(&["send", name.as_str(), "--frames", "1"]).code, Some(0));
    }
}
