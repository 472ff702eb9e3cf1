//! `tdshm record`: this process sends, that one records, and what is in the file is what was sent.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tdshm::{ChopFrame, ChopSender, PixelFormat, Pixels, TopColour, TopSender};
use tdshm_io::file::recording::{Frame, Kind, Reader, Summary};

#[cfg(target_os = "linux")]
use crate::kit::command;
use crate::kit::{Name, Run, run, start, until};

/// A folder for a recording, and its path there.
pub(crate) struct File {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl File {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("take.mcap");
        Self { _folder: folder, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn as_str(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

/// Waits until a process has taken the newest frame of a segment.
pub(crate) fn taken_by(name: &Name, pid: u32) {
    until(|| {
        let report = tdshm::inspect(name.as_str()).ok().and_then(|report| report.notices);
        let receivers = report.into_iter().flat_map(|notices| notices.receivers);
        receivers.into_iter().any(|r| r.pid == pid && r.frame.is_some() && r.behind == 0)
    });
}

pub(crate) fn frames(path: &Path) -> Vec<Frame> {
    Reader::open(path).unwrap().map(Result::unwrap).collect()
}

fn bits(samples: &[f32]) -> Vec<u32> {
    samples.iter().map(|sample| sample.to_bits()).collect()
}

/// Channels with every kind of number, whose layout changes now and then.
pub(crate) fn channels(index: usize) -> ChopFrame {
    let odd = [f32::NAN, f32::from_bits(0x7fa0_1234), -0.0, f32::INFINITY, f32::from_bits(1)];
    let value = |n: usize| odd[(index + n) % odd.len()];
    let names: Vec<String> = (0..1 + index / 4).map(|n| format!("c{}_{n}", index / 8)).collect();
    let rows: Vec<Vec<f32>> =
        names.iter().enumerate().map(|(n, _)| vec![index as f32, value(n), n as f32 * 0.1]).collect();
    ChopFrame::from_rows(names, 60.0 + (index / 5) as f32, &rows).unwrap()
}

/// An image of each format, of a size of its own.
pub(crate) fn image(index: usize) -> (PixelFormat, usize, usize, Vec<u8>) {
    let format = PixelFormat::ALL[index % PixelFormat::ALL.len()];
    let (width, height) = (3 + index % 4 * 50, 2 + index % 3 * 40);
    let bytes = width * height * format.bytes_per_pixel().unwrap();
    (format, width, height, (0..bytes).map(|n| ((n + index) * 37 % 251) as u8).collect())
}

fn recorder(names: &[&str], file: &File, more: &[&str]) -> Run {
    let args = [&["record"], names, &["-o", file.as_str()], more].concat();
    start(&args)
}

/// What a recorder that was asked to end left, and says.
fn ended(run: Run) -> Value {
    run.signal("INT");
    let ended = run.wait();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    serde_json::from_str(&ended.out[0]).unwrap()
}

#[test]
fn all_that_is_sent_is_in_the_file_bit_by_bit() {
    let (pose, cam, file) = (Name::new(), Name::new(), File::new());
    // The recorder is there first, and one segment is known by a pattern alone.
    let (begin, number) = cam.as_str().split_at(cam.as_str().len() - 1);
    let pattern = format!("{begin}[{number}]");
    let mut record = recorder(&[pose.as_str(), &pattern], &file, &["--json"]);
    record.says("waiting for");
    let mut out = ChopSender::create(pose.as_str()).unwrap();
    let mut images = TopSender::builder(cam.as_str()).colour(TopColour::LINEAR).create().unwrap();
    for index in 0..26 {
        out.send(&channels(index)).unwrap();
        taken_by(&pose, record.id());
        let (format, width, height, pixels) = image(index);
        images.set_colour(Some(TopColour { primaries: index as u32, transfer: 1 }));
        let shown = Pixels::bottom_first(format, width, height, &pixels).aspect(1.0, 1.0 + index as f32);
        images.send(&shown).unwrap();
        taken_by(&cam, record.id());
    }
    let said = ended(record);
    assert_eq!((&said["frames"], &said["lost"]), (&52.into(), &0.into()), "{said}");

    let frames = frames(file.path());
    assert!(frames.windows(2).all(|pair| pair[0].received <= pair[1].received));
    let (poses, shots): (Vec<&Frame>, Vec<&Frame>) = frames.iter().partition(|f| f.kind == Kind::Channels);
    assert_eq!((poses.len(), shots.len()), (26, 26));
    for (index, frame) in poses.iter().enumerate() {
        let (sent, got) = (channels(index), frame.channels().unwrap());
        assert_eq!(bits(got.samples()), bits(sent.samples()), "{index}");
        assert_eq!((got.names(), got.shape()), (sent.names(), sent.shape()), "{index}");
        assert_eq!((&*frame.segment, frame.number), (pose.as_str(), Some(index as u32 + 1)));
        // By the same clock, one of them coarse.
        assert!(frame.sent.unwrap() < frame.received + Duration::from_millis(50), "{frame:?}");
    }
    for (index, frame) in shots.iter().enumerate() {
        let (format, width, height, pixels) = image(index);
        let got = frame.image().unwrap();
        let shape = got.shape();
        assert_eq!((shape.texels.format(), shape.width, shape.height), (Some(format), width, height));
        assert_eq!((shape.aspect, got.pixels()), ((1.0, 1.0 + index as f32), &pixels[..]), "{index}");
        assert_eq!(shape.colour, Some(TopColour { primaries: index as u32, transfer: 1 }));
    }
    let summary = Summary::open(file.path()).unwrap();
    assert_eq!((summary.cut_short, summary.segments.len()), (None, 2));
    assert!(summary.segments.iter().all(|segment| segment.counted && segment.changes > 5));
    let text = run(&["info", file.as_str()]).out.join("\n");
    assert!(text.contains("52 frames of 2 segments") && !text.contains("cut short"), "{text}");
    let json: Value = serde_json::from_str(&run(&["info", "--json", file.as_str()]).out[0]).unwrap();
    assert_eq!((&json["kind"], &json["frames"]), (&"recording".into(), &52.into()));
}

#[test]
fn it_ends_after_so_many_frames_and_overwrites_nothing_unasked() {
    let (name, file) = (Name::new(), File::new());
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&channels(0)).unwrap(); // what lies there counts
    let ended = run(&["record", name.as_str(), "-o", file.as_str(), "-C", "1", "--json"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(frames(file.path()).len(), 1);
    let ended = run(&["record", name.as_str(), "-o", file.as_str(), "-C", "1"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err[0].contains("is there already") && ended.err[0].contains("--force"), "{ended:?}");
    let ended = run(&["record", name.as_str(), "-o", file.as_str(), "--seconds", "0.05", "--force"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(Summary::open(file.path()).unwrap().cut_short, None);
    let ended = run(&["record", "no/name", "-o", file.as_str(), "--force"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
}

#[test]
fn an_older_file_stays_as_it_is_until_a_frame_comes() {
    let (name, file) = (Name::new(), File::new());
    std::fs::write(file.path(), b"dear").unwrap();
    let mut record = recorder(&[name.as_str()], &file, &["--force", "--json"]);
    record.says("waiting for");
    assert_eq!(ended(record)["frames"], 0);
    assert_eq!(std::fs::read(file.path()).unwrap(), b"dear");
    let mut record = recorder(&[name.as_str()], &file, &["--force", "--json"]);
    record.says("waiting for");
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&channels(0)).unwrap();
    taken_by(&name, record.id());
    assert_eq!(ended(record)["frames"], 1);
    assert_eq!(frames(file.path()).len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn two_signals_together_are_one_and_a_later_one_ends_it_at_once() {
    use crate::kit::send_signal;
    let (name, file) = (Name::new(), File::new());
    let mut out = ChopSender::create(name.as_str()).unwrap();
    for index in 0..5 {
        let record = recorder(&[name.as_str()], &file, &["--force", "--json"]);
        out.send(&channels(index)).unwrap();
        taken_by(&name, record.id());
        // As `timeout` sends them: one to the process, one to its group.
        send_signal(record.id(), "INT");
        send_signal(record.id(), "INT");
        let ended = record.wait();
        assert_eq!((ended.code, ended.out.len()), (Some(130), 1), "{ended:?}");
        assert_eq!(Summary::open(file.path()).unwrap().cut_short, None);
    }
    // It hangs in the system, because nobody reads what it prints, and still can be ended.
    let long = ChopFrame::from_rows(["a"], 60.0, &[[0.5; 16_384]]).unwrap();
    out.send(&long).unwrap();
    let mut hangs = command(&["watch", name.as_str(), "--format", "json"]).spawn().unwrap();
    let unread = hangs.stdout.take().unwrap();
    let hangs = Run::of(hangs);
    let (id, ended) = (hangs.id(), std::sync::atomic::AtomicBool::new(false));
    let room = rustix::pipe::fcntl_getpipe_size(&unread).unwrap() as u64;
    until(|| rustix::io::ioctl_fionread(&unread).unwrap() == room);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            until(|| {
                let _ = std::process::Command::new("kill").args(["-INT", &id.to_string()]).output();
                ended.load(std::sync::atomic::Ordering::Relaxed)
            });
        });
        let code = hangs.wait().code;
        ended.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(code, Some(130));
    });
    drop(unread);
}

#[cfg(unix)]
#[test]
fn nobody_records_into_anothers_file() {
    let (name, file) = (Name::new(), File::new());
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&channels(0)).unwrap();
    let record = recorder(&[name.as_str()], &file, &["--json"]);
    taken_by(&name, record.id());
    let second = run(&["record", name.as_str(), "-o", file.as_str(), "--force"]);
    assert!(second.code == Some(1) && second.err[0].contains("another program is recording"), "{second:?}");
    assert_eq!(ended(record)["frames"], 1);
    assert_eq!(frames(file.path()).len(), 1);
    let pipe = file.path().with_file_name("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let refused = run(&["record", name.as_str(), "-o", pipe.to_str().unwrap(), "--force"]);
    assert!(refused.err[0].contains("no ordinary file"), "{refused:?}");
}

#[test]
fn what_a_sender_sent_before_its_name_was_found_is_lost_and_told() {
    const SENT: u64 = 30;
    let (name, file) = (Name::new(), File::new());
    let (begin, number) = name.as_str().split_at(name.as_str().len() - 1);
    let mut record = recorder(&[&format!("{begin}[{number}]")], &file, &["--json"]);
    record.says("waiting for");
    let mut out = ChopSender::create(name.as_str()).unwrap();
    for index in 0..SENT {
        out.send(&channels(index as usize)).unwrap();
    }
    taken_by(&name, record.id());
    let said = ended(record);
    let segment = &said["segments"][0];
    let count = |what: &str| segment[what].as_u64().unwrap();
    assert_eq!(count("frames") + count("unseen") + count("dropped"), SENT, "{said}");
}

#[test]
fn a_sender_that_restarts_and_sends_something_else_is_followed() {
    let (name, file) = (Name::new(), File::new());
    let mut record = recorder(&[name.as_str()], &file, &["-C", "4"]);
    for index in 0..2 {
        let mut out = ChopSender::create(name.as_str()).unwrap();
        out.send(&channels(index)).unwrap();
        record.says("recording");
        drop(out);
        let mut out = TopSender::create(name.as_str()).unwrap();
        let (format, width, height, pixels) = image(index);
        let shown = Pixels::bottom_first(format, width, height, &pixels);
        out.send(&shown).unwrap();
        record.says("recording");
        drop(out);
    }
    let ended = record.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let kinds: Vec<Kind> = frames(file.path()).iter().map(|frame| frame.kind).collect();
    assert_eq!(kinds, [Kind::Channels, Kind::Image, Kind::Channels, Kind::Image]);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use crate::kit::{ForeignOut, command, stopped};

    #[test]
    fn what_the_recorder_did_not_see_is_counted_exactly() {
        let (name, file) = (Name::new(), File::new());
        let mut out = ChopSender::create(name.as_str()).unwrap();
        let record = recorder(&[name.as_str()], &file, &["--json"]);
        out.send(&channels(0)).unwrap();
        taken_by(&name, record.id());
        record.signal("STOP");
        until(|| stopped(record.id()));
        for index in 1..8 {
            out.send(&channels(index)).unwrap();
        }
        record.signal("CONT");
        taken_by(&name, record.id());
        let said = ended(record);
        assert_eq!((&said["frames"], &said["lost"]), (&2.into(), &6.into()), "{said}");
        assert_eq!(said["segments"][0]["unseen"], 6);
        let summary = Summary::open(file.path()).unwrap();
        assert_eq!((summary.segments[0].lost.unseen, summary.segments[0].counted), (6, true));
        let numbers: Vec<_> = frames(file.path()).iter().map(|frame| frame.number).collect();
        assert_eq!(numbers, [Some(1), Some(8)]);
    }

    #[test]
    fn of_a_foreign_sender_nobody_knows_what_was_missed() {
        let (name, file) = (Name::new(), File::new());
        let mut block = Vec::new();
        channels(3).append_block(&mut block).unwrap();
        let mut out = ForeignOut::create(name.as_str(), &block, 4096);
        let mut record = recorder(&[name.as_str()], &file, &["-C", "2", "--json"]);
        record.says("recording");
        // Another sample: a foreign sender's frame is new where it differs.
        block[36] ^= 1;
        out.put(&block);
        let ended = record.wait();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.err.iter().any(|line| line.contains("does not count its frames")), "{ended:?}");
        let frames = frames(file.path());
        assert_eq!((frames[1].number, frames[1].sent), (None, None));
        assert_eq!(frames[1].block, block);
        let text = run(&["info", file.as_str()]).out.join("\n");
        assert!(text.contains("an unknown number not seen in time"), "{text}");
    }

    /// Killed at whatever moment: what was there half a second before is there.
    #[test]
    fn who_is_killed_leaves_all_but_the_last_moment() {
        for round in 0..6_u32 {
            let (name, cam, file) = (Name::new(), Name::new(), File::new());
            let mut out = ChopSender::create(name.as_str()).unwrap();
            let mut images = TopSender::create(cam.as_str()).unwrap();
            let record = recorder(&[name.as_str(), cam.as_str()], &file, &["-q"]);
            let mut send = |index: usize| {
                out.send(&channels(index)).unwrap();
                let (format, width, height, pixels) = image(index);
                images.send(&Pixels::bottom_first(format, width, height, &pixels)).unwrap();
                taken_by(&name, record.id());
                taken_by(&cam, record.id());
            };
            (0..10).for_each(&mut send);
            // Nothing more comes, and nobody ends the file: it is there all the same.
            until(|| Summary::open(file.path()).is_ok_and(|summary| summary.frames() == 20));
            let more = fastrand::usize(0..60);
            (10..10 + more).for_each(&mut send);
            record.signal("KILL");
            record.wait();
            let summary = Summary::open(file.path()).unwrap();
            assert!(summary.cut_short.is_some() && summary.left_out.is_empty(), "{round}: {summary:?}");
            let frames = frames(file.path());
            assert!((20..=20 + 2 * more).contains(&frames.len()), "{round}: {} of {more}", frames.len());
            for (index, frame) in frames.iter().filter(|frame| frame.kind == Kind::Channels).enumerate() {
                assert_eq!(bits(frame.channels().unwrap().samples()), bits(channels(index).samples()));
            }
            let text = run(&["info", file.as_str()]).out.join("\n");
            assert!(text.contains("cut short at byte"), "{text}");
        }
    }

    /// Sends until a recorder has had enough; how it ended.
    fn until_full(record: Run, name: &Name) -> crate::kit::Ended {
        let mut out = ChopSender::create(name.as_str()).unwrap();
        let pid = record.id();
        let sender = std::thread::spawn(move || {
            let mut sent = 0_usize;
            while crate::kit::is_alive(pid) {
                out.send(&[vec![sent as f32; 20_000]]).unwrap();
                sent += 1;
                std::thread::yield_now();
            }
        });
        let ended = record.wait();
        sender.join().unwrap();
        ended
    }

    fn is_readable_after(ended: &crate::kit::Ended, path: &Path) {
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let last = ended.err.last().unwrap();
        assert!(last.contains("writing the recording failed") && last.contains("can be read"), "{ended:?}");
        let summary = Summary::open(path).unwrap();
        assert!(summary.cut_short.is_some() && summary.frames() > 0, "{summary:?}");
        let frames = frames(path);
        assert_eq!(frames.len() as u64, summary.frames());
        for frame in frames {
            let samples = frame.channels().unwrap().samples().to_vec();
            assert!(samples.iter().all(|sample| *sample == samples[0]) && samples.len() == 20_000);
        }
    }

    #[test]
    fn a_file_that_may_not_grow_stays_readable() {
        let (name, file) = (Name::new(), File::new());
        let mut sh = std::process::Command::new("sh");
        // In blocks of 512 or 1024 bytes, as the shell likes.
        let script = "ulimit -f 3000; trap '' XFSZ; exec \"$@\"";
        let words = command(&["record", name.as_str(), "-o", file.as_str(), "-q"]);
        sh.args(["-c", script, "sh"]).arg(words.get_program()).args(words.get_args());
        sh.stdin(std::process::Stdio::null());
        sh.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let ended = until_full(Run::of(sh.spawn().unwrap()), &name);
        is_readable_after(&ended, file.path());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_leaves_what_was_written() {
        let (name, file) = (Name::new(), File::new());
        let may = std::process::Command::new("unshare")
            .args(["-m", "mount", "-t", "tmpfs", "none", "/mnt"])
            .stderr(std::process::Stdio::null())
            .status();
        if !may.is_ok_and(|status| status.success()) {
            eprintln!("not run: this user may not mount a small disk");
            return;
        }
        let disk = file.path().parent().unwrap().join("disk");
        std::fs::create_dir(&disk).unwrap();
        let script = "mount -t tmpfs -o size=3m none \"$0\" && shift 0; \"$@\"; code=$?; \
                      cp \"$0/take.mcap\" \"$0/..\"; exit $code";
        let full = disk.join("take.mcap");
        let words = command(&["record", name.as_str(), "-o", full.to_str().unwrap(), "-q"]);
        let mut unshare = std::process::Command::new("unshare");
        unshare.args(["-m", "sh", "-c", script]).arg(&disk).arg(words.get_program()).args(words.get_args());
        unshare.stdin(std::process::Stdio::null());
        unshare.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let ended = until_full(Run::of(unshare.spawn().unwrap()), &name);
        is_readable_after(&ended, file.path());
    }
}
