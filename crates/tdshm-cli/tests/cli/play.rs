//! `tdshm play`, as receivers in this process see it.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use tdshm::{ChopReceiver, ChopSender, HeaderVersion, PixelFormat, Pixels, TopFrame, TopReceiver, TopSender};
use tdshm_io::file::recording::{Stamp, Writer};

use crate::kit::{Name, run, start};
use crate::record::{File, channels, image};

const EPOCH: Duration = Duration::from_secs(1_700_000_000);
/// From frame to frame: so long that a busy machine hardly misses one.
const APART: Duration = Duration::from_millis(30);
const LIMIT: Duration = Duration::from_secs(60);

fn stamp(index: usize) -> Stamp {
    Stamp { number: Some(index as u64 + 1), ..Stamp::at(EPOCH + APART * index as u32) }
}

/// So many frames of channels and as many images, of segments with these names.
fn recorded(file: &File, pose: &str, cam: &str, count: usize) {
    let mut writer = Writer::create(file.path()).unwrap();
    for index in 0..count {
        writer.channels(pose, &channels(index), &stamp(index)).unwrap();
        let (format, width, height, pixels) = image(index);
        let pixels = Pixels::bottom_first(format, width, height, &pixels).aspect(0.5, 2.0);
        writer.image(cam, &TopFrame::from_pixels(&pixels).unwrap(), &stamp(index)).unwrap();
    }
    writer.finish().unwrap();
}

fn bits(samples: &[f32]) -> Vec<u32> {
    samples.iter().map(|sample| sample.to_bits()).collect()
}

/// The number of each frame of channels that comes, which is as it was recorded, up to `last`, or until the sender leaves.
fn poses(name: &Name, first: usize, last: usize) -> Vec<usize> {
    let mut input = ChopReceiver::open(name.as_str()).unwrap();
    let mut numbers = Vec::new();
    while numbers.last().is_none_or(|number| *number < last) {
        let frame = input.next_timeout(LIMIT).unwrap().unwrap();
        let number = frame.number().unwrap() as usize;
        let sent = channels(first + number - 1);
        assert_eq!(bits(frame.samples()), bits(sent.samples()), "{number}");
        assert_eq!((frame.names(), frame.shape()), (sent.names(), sent.shape()), "{number}");
        numbers.push(number);
    }
    numbers
}

fn shots(name: &Name, last: usize) -> Vec<usize> {
    let mut input = TopReceiver::open(name.as_str()).unwrap();
    let mut numbers = Vec::new();
    while numbers.last().is_none_or(|number| *number < last) {
        let frame = input.next_timeout(LIMIT).unwrap().unwrap();
        let number = frame.number().unwrap() as usize;
        let (format, width, height, pixels) = image(number - 1);
        let shape = frame.shape();
        assert_eq!((shape.texels.format(), shape.width, shape.height), (Some(format), width, height));
        assert_eq!((shape.aspect, frame.pixels()), ((0.5, 2.0), &pixels[..]), "{number}");
        numbers.push(number);
    }
    numbers
}

#[test]
fn what_was_recorded_arrives_bit_by_bit() {
    let (pose, cam, file) = (Name::new(), Name::new(), File::new());
    recorded(&file, pose.as_str(), cam.as_str(), 26);
    let play = start(&["play", file.as_str(), "--speed", "0.5", "--json"]);
    let (poses, shots) = std::thread::scope(|scope| {
        let shots = scope.spawn(|| shots(&cam, 25));
        (poses(&pose, 0, 25), shots.join().unwrap())
    });
    // Each that arrived was compared; that not all of them were missed is what this is about.
    assert!(poses.len() > 5 && shots.len() > 5, "{poses:?} {shots:?}");
    let ended = play.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let said: Value = serde_json::from_str(&ended.out[0]).unwrap();
    assert_eq!((&said["frames"], &said["left_out"]), (&52.into(), &0.into()), "{said}");
    assert!(!pose.has_segments() && !cam.has_segments());
}

#[test]
fn headers_of_images_come_back() {
    let (name, file) = (Name::new(), File::new());
    let made = Name::new();
    let mut writer = Writer::create(file.path()).unwrap();
    let mut shapes = Vec::new();
    for (index, version) in
        [HeaderVersion::Legacy, HeaderVersion::V1, HeaderVersion::V2].into_iter().enumerate()
    {
        let mut out = TopSender::builder(made.as_str()).header(version).create().unwrap();
        out.send(&Pixels::top_first(PixelFormat::R16_SFLOAT, 2, 2, &[index as u8; 8])).unwrap();
        let mut input = TopReceiver::open(made.as_str()).unwrap();
        let frame = input.read().unwrap().unwrap();
        shapes.push(frame.shape());
        writer.image(name.as_str(), frame, &stamp(index * 10)).unwrap();
    }
    writer.finish().unwrap();
    let mut input = TopReceiver::open(name.as_str()).unwrap();
    let play = start(&["play", file.as_str()]);
    for shape in shapes {
        let frame = input.next_timeout(LIMIT).unwrap().unwrap();
        assert_eq!(frame.shape(), shape);
    }
    assert_eq!(play.wait().code, Some(0));
}

#[test]
fn a_part_is_played_over_and_over_under_another_name() {
    let (pose, cam, other, file) = (Name::new(), Name::new(), Name::new(), File::new());
    recorded(&file, pose.as_str(), cam.as_str(), 20);
    // Frames 5 to 9, of one segment: the sixth that is sent is the first again.
    let args = ["--name", pose.as_str(), "--as", other.as_str(), "--from", "0.15", "--to", "0.27", "--loop"];
    let play = start(&[&["play", file.as_str()], &args[..]].concat());
    let mut input = ChopReceiver::open(other.as_str()).unwrap();
    let mut last = 0;
    while last < 12 {
        let frame = input.next_timeout(LIMIT).unwrap().unwrap();
        last = frame.number().unwrap() as usize;
        let sent = channels(5 + (last - 1) % 5);
        assert_eq!((bits(frame.samples()), frame.names()), (bits(sent.samples()), sent.names()), "{last}");
    }
    assert!(!pose.has_segments() && !cam.has_segments());
    play.signal("INT");
    assert_eq!(play.wait().code, Some(130));
    drop(input); // on Windows a receiver keeps them
    assert!(!other.has_segments());
}

#[test]
fn what_is_played_can_be_recorded_again() {
    let (pose, cam, again, file, copy) = (Name::new(), Name::new(), Name::new(), File::new(), File::new());
    recorded(&file, pose.as_str(), cam.as_str(), 12);
    let mut record = start(&["record", again.as_str(), "-o", copy.as_str(), "--json"]);
    record.says("waiting for");
    let renamed = format!("{}={}", pose.as_str(), again.as_str());
    let play = start(&["play", file.as_str(), "--as", &renamed, "--speed", "0.2"]);
    record.says("has left");
    assert_eq!(play.wait().code, Some(0));
    record.signal("INT");
    let said: Value = serde_json::from_str(&record.wait().out[0]).unwrap();
    let frames = crate::record::frames(copy.path());
    assert_eq!(said["frames"], frames.len());
    // None is lost without being counted.
    assert_eq!(said["frames"].as_u64().unwrap() + said["lost"].as_u64().unwrap(), 12, "{said}");
    for frame in frames {
        let mut block = Vec::new();
        channels(frame.number.unwrap() as usize - 1).append_block(&mut block).unwrap();
        assert_eq!(frame.block, block);
    }
}

#[test]
fn names_of_others_are_theirs() {
    let (pose, cam, file) = (Name::new(), Name::new(), File::new());
    recorded(&file, pose.as_str(), cam.as_str(), 2);
    let _other = ChopSender::create(pose.as_str()).unwrap();
    let ended = run(&["play", file.as_str()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.err.iter().any(|line| line.contains(pose.as_str()) && line.contains("already")),
        "{ended:?}"
    );
    assert!(!cam.has_segments());
}

#[test]
fn what_cannot_be_played_is_told() {
    let (pose, cam, file) = (Name::new(), Name::new(), File::new());
    recorded(&file, pose.as_str(), cam.as_str(), 4);
    let refused = |args: &[&str], code: i32, text: &str| {
        let ended = run(&[&["play", file.as_str()], args].concat());
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.err.join("\n").contains(text), "{text}: {ended:?}");
    };
    refused(&["--name", "nobody"], 1, "none of the segments");
    refused(&["--from", "9"], 1, "begin earlier");
    refused(&["--as", "new"], 2, "--as OLD=new");
    refused(&["--speed", "0"], 2, "0.01");

    // Damaged in the middle: the rest is played, and the status says so. Cut short: what is there is played.
    let whole = fs::read(file.path()).unwrap();
    let at = whole.windows(4).position(|window| window == 3.0_f32.to_le_bytes()).unwrap();
    let mut damaged = whole.clone();
    damaged[at] ^= 1;
    fs::write(file.path(), &damaged).unwrap();
    refused(&["--no-wait"], 1, "were changed after they were written");
    fs::write(file.path(), &whole[..at]).unwrap();
    let ended = run(&["play", file.as_str(), "--no-wait"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.err[0].contains("was cut short at byte"), "{ended:?}");
    fs::write(file.path(), "no recording").unwrap();
    refused(&[], 1, "it is no MCAP file");
    let ended = run(&["info", file.as_str()]);
    assert!(ended.code == Some(1) && ended.err[0].contains("it is no MCAP file"), "{ended:?}");
    fs::remove_file(file.path()).unwrap();
    refused(&[], 1, "check the path");
}

/// 300 MB through a process that never has more than a part of them.
#[test]
#[cfg(target_os = "linux")]
fn a_large_recording_takes_little_memory() {
    let (name, file) = (Name::new(), File::new());
    let mut writer = Writer::create(file.path()).unwrap();
    let pixels = vec![7; 1920 * 1080 * 4];
    let picture = Pixels::bottom_first(PixelFormat::R8G8B8A8_UNORM, 1920, 1080, &pixels);
    let picture = TopFrame::from_pixels(&picture).unwrap();
    for index in 0..37 {
        writer.image(name.as_str(), &picture, &stamp(index)).unwrap();
    }
    writer.finish().unwrap();
    assert!(fs::metadata(file.path()).unwrap().len() > 300_000_000);
    let play = start(&["play", file.as_str(), "--no-wait", "--loop"]);
    // As soon as one round has been played, and somebody has seen it.
    let mut input = TopReceiver::open(name.as_str()).unwrap();
    while input.next_timeout(LIMIT).unwrap().unwrap().number().unwrap() < 45 {}
    let status = fs::read_to_string(format!("/proc/{}/status", play.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 100_000, "{kilobytes} kB");
    play.signal("INT");
    assert_eq!(play.wait().code, Some(130));
}
