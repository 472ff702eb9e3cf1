//! `tdshm doctor`: on this machine, and with a script in TouchDesigner's place: it shares no code with ours, and writes
//! the bytes of the protocol's tables by hand, into files or, on Windows, through a program in C.

use std::io::Write;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use serde_json::Value;
use tdshm::{ChopSender, NamedLock, ShortName};

use crate::between::documented_all;
use crate::kit::{
    Ended, ForeignIn, ForeignOut, LOCKS_NAME_HOLDERS, Name, Run, command, remove_objects, run, start, until,
};

/// The Shared Mem Names of a walk, whose objects go at the end.
struct Names(Name);

impl Names {
    fn new() -> Self {
        Self(Name::new())
    }

    fn chop_in(&self) -> &str {
        self.0.as_str()
    }

    fn chop_out(&self) -> String {
        format!("{}out", self.0.as_str())
    }

    fn top_in(&self) -> String {
        format!("{}image", self.0.as_str())
    }

    fn top_out(&self) -> String {
        format!("{}imageout", self.0.as_str())
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        for name in [self.chop_out(), self.top_in(), self.top_out()] {
            remove_objects(&name);
        }
    }
}

/// One channel, `lfo`, of so many samples at 60 Hz.
fn channels(samples: usize) -> Vec<u8> {
    let names_at = 36 + 4 * samples as u32;
    let mut block = Vec::new();
    for field in [0x12ED_54CF, 1, names_at + 4, 1, samples as u32, 60_f32.to_bits(), 1, 36, names_at] {
        block.extend(field.to_le_bytes());
    }
    block.extend((0..samples).flat_map(|sample| (sample as f32).to_le_bytes()));
    block.extend(b"lfo\0");
    block
}

/// 8 by 8 pixels of 4 bytes, whose first rows are black and whose last rows are white.
fn image() -> Vec<u8> {
    let mut block = Vec::new();
    for field in [0xd95e_f835, 1, 8, 8, 1_f32.to_bits(), 1_f32.to_bits(), 37, 0] {
        block.extend(field.to_le_bytes());
    }
    block.extend(256_u64.to_le_bytes());
    for field in [48_u32, 0] {
        block.extend(field.to_le_bytes());
    }
    block.extend([0; 128]);
    block.extend([255; 128]);
    block
}

/// A Shared Mem Out CHOP, and the header of what it sends.
struct ChopOut {
    out: ForeignOut,
    header: Vec<u8>,
}

/// What TouchDesigner's nodes do: in threads of this test.
struct Script {
    chop_out: Arc<Mutex<ChopOut>>,
    top_out: ForeignOut,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Script {
    /// Both Out operators send, the CHOP's value moves, and the In operators attach when there is something.
    fn plays(names: &Names) -> Self {
        Self::with(names, ForeignOut::put)
    }

    fn with(names: &Names, put: fn(&mut ForeignOut, &[u8])) -> Self {
        let block = channels(1);
        let chop_out = ChopOut {
            out: ForeignOut::create(&names.chop_out(), &block, 4096),
            header: block[..36].to_vec(),
        };
        let top_out = ForeignOut::create(&names.top_out(), &image(), 4096);
        let (chop_out, over) = (Arc::new(Mutex::new(chop_out)), Arc::new(AtomicBool::new(false)));
        let mut threads = Vec::new();
        for short in [names.chop_in().to_owned(), names.top_in()] {
            let over = Arc::clone(&over);
            threads.push(thread::spawn(move || {
                let mut node = ForeignIn::open(&short);
                while !over.load(Ordering::Relaxed) {
                    node.look();
                    thread::yield_now();
                }
            }));
        }
        let (moving, ends) = (Arc::clone(&chop_out), Arc::clone(&over));
        threads.push(thread::spawn(move || {
            let mut value = 0_f32;
            while !ends.load(Ordering::Relaxed) {
                value += 0.5;
                let mut chop = moving.lock().unwrap();
                let block = [&chop.header, &value.to_le_bytes()[..]].concat();
                put(&mut chop.out, &block);
                drop(chop);
                thread::yield_now();
            }
        }));
        Self { chop_out, top_out, over, threads }
    }

    /// The block outgrows its segment.
    fn grow(&self) {
        let block = channels(5000);
        let mut chop = self.chop_out.lock().unwrap();
        chop.out.resize(20480, &block);
        chop.header = block[..36].to_vec();
    }

    /// All of them end, as they do when TouchDesigner closes.
    fn close(&mut self) {
        self.over();
        self.chop_out.lock().unwrap().out.leave();
        self.top_out.leave();
    }

    fn over(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.over();
    }
}

/// A walk whose answers are these, one after the other.
fn walk(names: &Names, timeout: &str, more: &[&str], answers: &str) -> Run {
    let mut command =
        command(&["doctor", "--touchdesigner", "--name", names.chop_in(), "--timeout", timeout]);
    let mut child = command.args(more).stdin(Stdio::piped()).spawn().unwrap();
    // It asks only what it has to: what is left over is not read.
    let _ = child.stdin.take().unwrap().write_all(answers.replace(' ', "\n").as_bytes());
    Run::of(child)
}

#[track_caller]
fn says(ended: &Ended, what: &str) {
    assert!(ended.out.iter().any(|line| line.contains(what)), "{what:?} in {:#?}", ended.out);
}

#[test]
fn a_walk_in_which_all_is_well() {
    let names = Names::new();
    let mut script = Script::plays(&names);
    // Values; names and length, no names, larger, left; what arrives; up, colours; brighter above.
    let mut doctor = walk(&names, "50", &[], "y y y y y y y y y ");
    doctor.says("Waiting for it to grow");
    script.grow();
    doctor.says("Waiting for its segments to go");
    script.close();
    let ended = doctor.wait();
    assert_eq!(ended.code, Some(0), "{:#?}", ended.out);
    for what in [
        "tdshm doctor --touchdesigner, tdshm ",
        "platform: ",
        "a receiver of another program attached",
        "it shows the names, the values and the rate",
        "it follows new names",
        "it keeps the names it had",
        "it follows to the larger segment",
        "it bears that the sender leaves",
        "channelDataOffset 36 (at 28)",
        "every field is as the protocol's description has it",
        "received 1 channel × 1 sample at 60 Hz: lfo ",
        "different frames in a second",
        "the data lock was found taken",
        "nothing arrived while this program held the data lock",
        "followed to a larger segment: 5000 samples instead of 1",
        "the arrow points up",
        "pixelFormat 37 (at 24)",
        "dataOffset 48 (at 40)",
        "received 8 × 8 pixels, R8G8B8A8_UNORM",
        "the first row of the block is the bottom of the image",
        "nothing stays",
        "the name can be used again at once",
    ] {
        says(&ended, what);
    }
    assert!(ended.out.last().unwrap().ends_with(" 0 failed, 0 left open"), "{:#?}", ended.out);
    assert!(!names.0.has_objects(), "it leaves nothing");
}

#[test]
fn a_walk_in_which_nothing_is() {
    let names = Names::new();
    // Channels whose info segment has the prefix once, and whose samples begin in the header; an image the other way up.
    let mut block = channels(1);
    block[28] = 32;
    let single = ForeignOut::misnamed(&names.chop_out(), &block, 4096);
    let image = ForeignOut::create(&names.top_out(), &image(), 4096);
    let answers = "n n";
    let ended = walk(&names, "0.5", &[], answers).wait();
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    for what in [
        "FAILED   no receiver of another program attached within the time",
        "its viewer open",
        &format!("the info segment is called TouchSHM{}4jhd783h, with TouchSHM once", names.chop_out()),
        "channelDataOffset is 32",
        "FAILED   the first row of the block is the top of the image",
        "still there, and nobody said that TouchDesigner ended",
    ] {
        says(&ended, what);
    }
    // What others made stays.
    assert!(single.is_there() && image.is_there());
}

/// As it would be if the two took different locks.
#[test]
fn whoever_sends_without_the_lock_is_told() {
    let names = Names::new();
    let script = Script::with(&names, ForeignOut::put_regardless);
    let ended = walk(&names, "0.5", &["--yes"], "").wait();
    drop(script);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    says(&ended, "FAILED   frames arrived while this program held the data lock");
}

#[test]
fn nobody_is_asked_where_nobody_answers() {
    let names = Names::new();
    let script = Script::plays(&names);
    let ended = walk(&names, "0.5", &["--yes", "--json"], "").wait();
    drop(script);
    assert!(!ended.err.iter().any(|line| line.contains("[y/n")), "{:#?}", ended.err);
    let report: Value = serde_json::from_str(&ended.out[0]).unwrap();
    documented_all(&report);
    let lines = report["lines"].as_array().unwrap();
    let is = |verdict: &str, said: &str| {
        lines.iter().any(|line| line["verdict"] == verdict && line["said"].as_str().unwrap().contains(said))
    };
    assert!(is("ok", "a receiver of another program attached"), "{lines:#?}");
    assert!(is("skipped", "nobody said: Does it show a white arrow"), "{lines:#?}");
    assert!(is("skipped", "the block did not outgrow its segment"), "{lines:#?}");
    assert_eq!((report["failed"].as_bool(), ended.code), (Some(false), Some(0)), "{lines:#?}");
}

#[test]
fn ctrl_c_ends_a_walk_and_leaves_nothing() {
    let names = Names::new();
    let mut doctor = start(&["doctor", "--touchdesigner", "--name", names.chop_in()]);
    doctor.says("Waiting for it to attach");
    until(|| names.0.has_segments());
    doctor.signal("INT");
    let ended = doctor.wait();
    assert_eq!(ended.code, Some(130), "{ended:#?}");
    assert!(ended.out.last().unwrap().ends_with("stopped before the end"), "{:#?}", ended.out);
    assert!(!names.0.has_objects());
}

#[test]
fn a_name_that_is_taken_is_told() {
    let names = Names::new();
    let _taken = ChopSender::create(names.chop_in()).unwrap();
    let ended = walk(&names, "0.2", &["--yes"], "").wait();
    assert_eq!(ended.code, Some(1));
    says(&ended, &format!("process {}", std::process::id()));
}

#[test]
fn this_machine_alone() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let lock = NamedLock::open(&ShortName::new(name.as_str()).unwrap().data_lock()).unwrap();
    let held = lock.lock().unwrap();
    // It starts programs of its own, which have its console.
    let ended = start(&["doctor", "--json"]).wait();
    drop(held);
    let report: Value = serde_json::from_str(&ended.out[0]).unwrap();
    documented_all(&report);
    let lines = report["lines"].as_array().unwrap();
    let of = |step: &str, verdict: &str| {
        let of = lines.iter().filter(|line| line["step"] == step && line["verdict"] == verdict);
        of.map(|line| line["said"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(of("Two processes here", "ok").len(), 7, "{lines:#?}");
    assert_eq!(of("Two processes here", "failed").len(), 0, "{lines:#?}");
    // Everybody waits for a lock that is held.
    let stuck = format!("TouchSHM{}Mutex", name.as_str());
    let holder = format!("process {}", std::process::id());
    let told = |line: &&&str| line.contains(&stuck) && line.contains(&holder) == LOCKS_NAME_HOLDERS;
    assert!(of("Segments and their locks", "failed").iter().find(told).is_some(), "{lines:#?}");
    assert_eq!(ended.code, Some(1));
}

#[test]
fn the_walks_flags_belong_to_the_walk() {
    for more in [&["--name", "x"][..], &["--timeout", "1"], &["--yes"]] {
        let ended = run(&[&["doctor"], more].concat());
        assert_eq!(ended.code, Some(2), "{more:?}: {ended:?}");
    }
    assert_eq!(run(&["doctor", "--touchdesigner", "--name", "a/b"]).code, Some(2));
}
