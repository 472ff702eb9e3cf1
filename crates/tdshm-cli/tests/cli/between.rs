//! `tdshm doctor NAME`: each fault it knows, made for real, is named by its id with what to do; and what is healthy is left
//! alone. Foreign senders are bytes of the protocol's tables, written by hand.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;
use tdshm::{
    ChopReceiver, ChopSender, GlobalSender, NamedLock, PixelFormat, Pixels, SegmentReceiver, ShortName,
    TopColour, TopSender,
};

use crate::kit::{CHARACTER, DETACH_AT, ForeignOut, LOCKS_NAME_HOLDERS, Name, POSTFIX_AT, run, start};

/// What was found, and how it ended.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) code: Option<i32>,
    report: Value,
}

/// The ids of the page.
fn documented() -> &'static BTreeSet<String> {
    static IDS: OnceLock<BTreeSet<String>> = OnceLock::new();
    IDS.get_or_init(|| {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/doctor.md");
        let page = fs::read_to_string(page).unwrap();
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
        rows.map(|row| row.split('`').next().unwrap().to_owned()).collect()
    })
}

/// Holds the lines of a report against the page.
#[track_caller]
pub(crate) fn documented_all(report: &Value) {
    for line in report["lines"].as_array().unwrap() {
        let id = line["id"].as_str().unwrap();
        assert!(documented().contains(id), "{id} is not in docs/doctor.md");
        let verdict = line["verdict"].as_str().unwrap();
        let known = ["ok", "seen", "warning", "failed", "skipped", "unknown"];
        assert!(known.contains(&verdict), "{line}");
    }
}

/// What the doctor finds out about a name, with these further arguments.
pub(crate) fn doctor_with(args: &[&str]) -> Found {
    let ended = run(&[&["doctor", "--json"], args].concat());
    Found::of(ended.code, ended.out.first().unwrap_or_else(|| panic!("{:#?}", ended.err)))
}

pub(crate) fn doctor(name: &str) -> Found {
    doctor_with(&[name, "--timeout", "0.2"])
}

impl Found {
    /// Reads the object, and holds it against the page.
    pub(crate) fn of(code: Option<i32>, line: &str) -> Self {
        let report: Value = serde_json::from_str(line).unwrap();
        let found = Self { code, report };
        documented_all(&found.report);
        for line in found.lines() {
            let (id, verdict) = (line["id"].as_str().unwrap(), line["verdict"].as_str().unwrap());
            let needs_advice =
                ["warning", "failed", "unknown"].contains(&verdict) && !id.starts_with("machine.");
            assert!(!needs_advice || !line["advice"].as_str().unwrap_or_default().is_empty(), "{line}");
        }
        let failed = found.lines().iter().any(|line| line["verdict"] == "failed");
        assert_eq!(found.report["failed"].as_bool(), Some(failed));
        assert_eq!(found.code, Some(failed.into()), "{:#}", found.report);
        // What failed comes first, and everything that failed is there.
        let todo: Vec<&str> = found.report["todo"]
            .as_array()
            .unwrap()
            .iter()
            .map(|task| task["verdict"].as_str().unwrap())
            .collect();
        assert!(todo.is_sorted(), "{todo:?}");
        assert_eq!(todo.first() == Some(&"failed"), failed);
        found
    }

    fn lines(&self) -> &[Value] {
        self.report["lines"].as_array().unwrap()
    }

    /// That a check has this verdict, says this, and tells this to be done.
    #[track_caller]
    pub(crate) fn tells(&self, id: &str, verdict: &str, said: &str, advice: &str) -> &Self {
        let mut of = self.lines().iter().filter(|line| line["id"] == id && line["verdict"] == verdict);
        let told = of.any(|line| {
            let advised = line["advice"].as_str().unwrap_or_default();
            line["said"].as_str().unwrap().contains(said) && advised.contains(advice)
        });
        assert!(told, "{id} {verdict}: {said:?} → {advice:?} in {:#}", self.report["lines"]);
        self
    }

    /// What failed, or is to be looked at.
    fn wrong(&self) -> BTreeSet<&str> {
        let wrong = |line: &&Value| {
            // The machine's own state is not what is tested.
            ["warning", "failed"].iter().any(|verdict| line["verdict"] == **verdict)
                && !line["id"].as_str().unwrap().starts_with("machine.")
        };
        self.lines().iter().filter(wrong).map(|line| line["id"].as_str().unwrap()).collect()
    }

    /// That nothing else failed, or is to be looked at, than these checks. On a slow machine a test's own sender is silent
    /// for as long as that takes, and that is told with good reason.
    #[track_caller]
    pub(crate) fn only(&self, ids: &[&str]) {
        let mut wrong = self.wrong();
        let silent = |line: &Value| {
            line["id"] == "sender.frames" && line["said"].as_str().unwrap().starts_with("nothing came")
        };
        if self.lines().iter().any(silent) && !ids.contains(&"sender.frames") {
            wrong.remove("sender.frames");
        }
        assert_eq!(wrong, ids.iter().copied().collect(), "{:#}", self.report["lines"]);
    }
}

/// A channel block of two channels of one sample: its header's nine fields, and what follows them.
pub(crate) fn channels() -> Block {
    let fields = [0x12ED_54CF, 1, 50, 2, 1, 60_f32.to_bits(), 1, 36, 44];
    Block { fields: fields.to_vec(), wide: None, rest: [&[0; 8][..], b"tx\0ty\0"].concat() }
}

/// An image block of 8 by 8 pixels of 4 bytes, version 1.
fn image() -> Block {
    let fields = [0xd95e_f835, 1, 8, 8, 1_f32.to_bits(), 1_f32.to_bits(), 37, 0];
    Block { fields: fields.to_vec(), wide: Some((256, 48)), rest: vec![7; 256] }
}

/// A header, and what stands behind it.
#[derive(Clone)]
pub(crate) struct Block {
    fields: Vec<u32>,
    /// An image's dataSize and dataOffset.
    wide: Option<(i64, i32)>,
    rest: Vec<u8>,
}

impl Block {
    fn with(mut self, field: usize, value: u32) -> Self {
        self.fields[field] = value;
        self
    }

    fn sized(mut self, data_size: i64, data_offset: i32) -> Self {
        self.wide = Some((data_size, data_offset));
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.fields.iter().flat_map(|field| field.to_le_bytes()).collect();
        if let Some((size, offset)) = self.wide {
            bytes.extend(size.to_le_bytes());
            bytes.extend(offset.to_le_bytes());
            bytes.extend([2, 0, 0, 0]);
        }
        bytes.extend(&self.rest);
        bytes
    }
}

/// A foreign sender of this block, looked at.
fn of_foreign(block: &Block) -> Found {
    of_foreign_with(block, |_| {})
}

/// The same after something else was done to it.
fn of_foreign_with(block: &Block, change: impl FnOnce(&mut ForeignOut)) -> Found {
    let name = Name::new();
    let mut out = ForeignOut::create(name.as_str(), &block.bytes(), 4096);
    change(&mut out);
    doctor(name.as_str())
}

/// Is busy for so long.
fn spin(milliseconds: u64) {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(milliseconds) {
        thread::yield_now();
    }
}

fn data_lock(name: &Name) -> NamedLock {
    NamedLock::open(&ShortName::new(name.as_str()).unwrap().data_lock()).unwrap()
}

// What is healthy.

#[test]
fn plain_foreign_senders_are_left_alone() {
    let found = of_foreign(&channels());
    found.only(&[]);
    found.tells("sender.alive", "unknown", "nobody can tell", "--take-over");
    found.tells("sender.frames", "unknown", "nothing changed", "moves");
    found.tells("td.type", "unknown", "Local", "Global is for TouchDesigner");
    of_foreign(&image()).only(&[]);
    // Version 2, with the fields of colour in front of the pixels.
    let colour = image().with(1, 2).sized(256, 56);
    let found = of_foreign(&Block { rest: vec![0; 264], ..colour });
    found.only(&[]);
    found.tells("image.version", "seen", "version 1 alone show nothing", "");
}

#[test]
fn senders_of_ours_are_left_alone_also_when_they_grew() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    // Where nobody reads, its name stays.
    let mut receiver = ChopReceiver::open(name.as_str()).unwrap();
    for len_samples in [1, 1_000, 100_000] {
        out.send(&[vec![1.0; len_samples]]).unwrap();
        receiver.next_timeout(Duration::from_secs(9)).unwrap().unwrap();
        let found = doctor(name.as_str());
        found.only(&[]);
        let said = if len_samples < 100_000 { "where it began" } else { "outgrown its first segment" };
        found.tells("sender.growth", "seen", said, "");
        found.tells("sender.alive", "ok", &format!("process {}", std::process::id()), "");
    }
    let name = Name::new();
    let mut out = TopSender::builder(name.as_str()).slots(3).colour(TopColour::SRGB).create().unwrap();
    for _ in 0..3 {
        out.send(&Pixels::bottom_first(PixelFormat::R8_UNORM, 2, 2, &[1, 2, 3, 4])).unwrap();
        doctor(name.as_str()).only(&[]);
    }
}

#[test]
fn whoever_reads_is_counted() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    let mut receiver = ChopReceiver::open(name.as_str()).unwrap();
    let _observer = SegmentReceiver::builder(name.as_str()).observe(true).open().unwrap();
    out.send(&[[1.0]]).unwrap();
    receiver.next_timeout(Duration::from_secs(9)).unwrap().unwrap();
    let found = doctor(name.as_str());
    found.only(&[]);
    found.tells("receivers.entry", "ok", "has the newest frame", "");
    out.send(&[[1.0]]).unwrap();
    doctor(name.as_str()).tells("receivers.entry", "ok", "1 frame behind", "").only(&[]);
}

/// Fifty times in a row, three senders that do nothing but send: one small, one that grows and changes shape, one large and
/// with places.
#[test]
fn senders_without_a_pause_are_left_alone() {
    let names = [Name::new(), Name::new(), Name::new(), Name::new()];
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let over = &over;
        let [small, grows, large, foreign] = names.each_ref().map(Name::as_str);
        let mut small = ChopSender::create(small).unwrap();
        let mut grows = ChopSender::create(grows).unwrap();
        let mut large = TopSender::builder(large).slots(2).create().unwrap();
        let mut foreign = ForeignOut::create(foreign, &channels().bytes(), 4096);
        small.send(&[[0.5]]).unwrap();
        grows.send(&[[0.5]]).unwrap();
        large.send(&Pixels::bottom_first(PixelFormat::R8_UNORM, 512, 512, &[7; 512 * 512])).unwrap();
        scope.spawn(move || {
            let mut count = 0_u32;
            while !over.load(Ordering::Relaxed) {
                count = count.wrapping_add(1);
                small.send(&[[count as f32]]).unwrap();
                let len_samples = 1 + count as usize % 64 * 100;
                grows.send(&vec![vec![0.5; len_samples]; 1 + count as usize % 3]).unwrap();
                large
                    .send(&Pixels::bottom_first(PixelFormat::R8_UNORM, 512, 512, &[count as u8; 512 * 512]))
                    .unwrap();
                let moving =
                    Block { rest: [&count.to_le_bytes()[..], &[0; 4], b"tx\0ty\0"].concat(), ..channels() };
                foreign.put(&moving.bytes());
            }
        });
        let looked = std::panic::catch_unwind(|| {
            let mut moved = false;
            for _ in 0..50 {
                let all: Vec<&str> = names.iter().map(Name::as_str).chain(["--timeout", "0.1"]).collect();
                let found = doctor_with(&all);
                assert_eq!(found.wrong(), BTreeSet::new(), "{:#}", found.report["lines"]);
                moved |= found.lines().iter().any(|line| {
                    line["id"] == "sender.frames" && line["said"].as_str().unwrap().starts_with("new values")
                });
            }
            assert!(moved, "a foreign sender's frames are seen");
        });
        over.store(true, Ordering::Relaxed);
        looked.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

// The name.

#[test]
fn names_that_cannot_be_one() {
    for (name, said, advice) in [
        ("a/b", "holds '/'", "plain letters"),
        ("", "is empty", "the other side uses"),
        (&*"x".repeat(300), "300 ", "shorter"),
    ] {
        doctor(name).tells("name.rules", "failed", said, advice).only(&["name.rules"]);
    }
    if cfg!(windows) {
        doctor("Global\\x").tells("name.rules", "failed", "another namespace", "plain letters");
    }
}

#[test]
fn names_that_may_not_work_elsewhere_or_mean_something_else() {
    for (end, id, said, advice) in [
        ("ü", "name.portable", "'ü'", "plain letters"),
        (" ", "name.portable", "blank", "give both sides"),
        ("Mutex", "name.suffix", "ends in Mutex", "without it"),
    ] {
        let name = Name::ending(end);
        let mut out = ChopSender::create(name.as_str()).unwrap();
        out.send(&[[1.0]]).unwrap();
        doctor(name.as_str()).tells(id, "warning", said, advice).only(&[id]);
    }
    if !cfg!(windows) {
        let name = Name::ending("\\a");
        doctor(name.as_str()).tells("name.portable", "warning", "Windows refuses", "plain letters");
    }
    let name = Name::new();
    doctor(&format!("TouchSHM{}", name.as_str()))
        .tells("name.prefix", "warning", "begins with TouchSHM", &format!("{:?}", name.as_str()))
        .tells("objects.none", "failed", "there is no segment", "start the program");
}

#[test]
fn names_that_resemble_one_that_is_there() {
    let name = Name::ending("a");
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let upper = name.as_str().to_uppercase();
    let meant = format!("did you mean {:?}?", name.as_str());
    for asked in [&upper, &format!("TouchSHM{}", name.as_str()), &format!(" {}", name.as_str())] {
        doctor(asked).tells("name.near", "failed", "there is no", &meant).tells(
            "objects.none",
            "failed",
            "",
            "",
        );
    }
    doctor(&format!("{}b", name.as_str())).tells("name.near", "failed", "there is no", "did you mean");
    // Both are there.
    let twin = Name::called(&upper);
    let mut other = ChopSender::create(twin.as_str()).unwrap();
    other.send(&[[1.0]]).unwrap();
    doctor(name.as_str()).tells("name.near", "warning", &upper, "letter by letter").only(&["name.near"]);
}

#[test]
fn nothing_of_that_name() {
    let name = Name::ending("_that_is_like_no_other");
    doctor(name.as_str())
        .tells("objects.none", "failed", "there is no segment", "start the program")
        .only(&["objects.none"]);
    // For people, with the end that says it.
    let ended = run(&["doctor", name.as_str()]);
    assert_eq!(ended.code, Some(1));
    let at = ended.out.iter().position(|line| line.starts_with("What to do")).unwrap();
    assert!(ended.out[at + 1].starts_with(" 1. start the program that sends it"), "{:#?}", ended.out);
}

// The info segment, and where it leads to.

#[test]
fn info_segments_that_nobody_finds() {
    let name = Name::new();
    let _out = ForeignOut::misnamed(name.as_str(), &channels().bytes(), 4096);
    doctor(name.as_str())
        .tells("objects.misnamed", "failed", "with TouchSHM once", "twice")
        .only(&["objects.misnamed"]);
    let name = Name::new();
    let _out = ForeignOut::bare(name.as_str(), &channels().bytes(), 4096);
    doctor(name.as_str())
        .tells("objects.info", "failed", "there is no info segment", "make the info segment")
        .only(&["objects.info"]);
}

#[test]
fn info_blocks_with_wrong_fields() {
    let wrong = |at, bytes: &[u8]| of_foreign_with(&channels(), |out| out.write_info(at, bytes));
    wrong(0, &[1]).tells("info.block", "failed", "magic", "no info block").only(&["info.block"]);
    wrong(4, &[1]).tells("info.version", "failed", "version is 1", "write version 2").only(&["info.version"]);
    wrong(4, &[3])
        .tells("info.version", "warning", "version is 3", "write version 2")
        .only(&["info.version"]);
    wrong(8, &[7]).tells("info.flags", "failed", "supported is 7", "0 or 1").only(&["info.flags"]);
    wrong(DETACH_AT, &[1])
        .tells("info.detach", "failed", "has said that it left", "start the sender again")
        .only(&["info.detach"]);
    wrong(8, &[1]).tells("receivers.foreign", "ok", "another program has attached", "").only(&[]);
}

#[test]
fn postfixes_that_lead_nowhere() {
    let letters = |text: &str, character: usize| -> Vec<u8> {
        text.bytes().flat_map(|letter| [vec![letter], vec![0; character - 1]].concat()).collect()
    };
    let moved = letters("abcdefghijklmnopqrstuvwxyzabcde", CHARACTER);
    let found = of_foreign_with(&channels(), |out| out.write_info(POSTFIX_AT, &moved));
    found.tells("objects.data", "failed", "is not there", "start the sender again").only(&["objects.data"]);
    // As the other system's programs write it.
    let mut other = letters("abcdefghijklmnopqrstuvwxyzabcde", 3 - CHARACTER);
    other.resize(66, 0);
    let found = of_foreign_with(&channels(), |out| out.write_info(10, &other));
    found.tells("info.width", "failed", "16", "as this system's programs do");
    let found =
        of_foreign_with(&channels(), |out| out.write_info(POSTFIX_AT, &letters("\u{1}\u{2}", CHARACTER)));
    found.tells("info.postfix", "failed", "holds no letters", "31 letters");
    let found = of_foreign_with(&channels(), |out| out.write_info(POSTFIX_AT, &letters("ABC", CHARACTER)));
    found.tells("info.postfix", "warning", "31 letters from a to z are usual", "31 letters");
}

#[test]
fn a_segment_that_moves_is_followed() {
    let name = Name::new();
    let mut out = ForeignOut::create(name.as_str(), &channels().bytes(), 4096);
    // Where nobody said that he understands, it stays where it is.
    out.write_info(8, &[1]);
    out.resize(8192, &channels().bytes());
    let found = doctor(name.as_str());
    found.tells("sender.growth", "seen", "receivers have to follow", "").only(&[]);
    found.tells("objects.data", "ok", "8192 bytes", "");
}

/// Does something while the doctor watches, and gives what it says in the end.
fn while_it_watches(name: &str, act: impl FnOnce()) -> Vec<String> {
    let mut doctor = start(&["doctor", name, "--timeout", "3"]);
    while !doctor.line().contains("every field of the info block") {}
    act();
    doctor.wait().out
}

#[test]
fn a_segment_that_moves_meanwhile_is_followed() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    let mut receiver = ChopReceiver::open(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    receiver.next_timeout(Duration::from_secs(9)).unwrap().unwrap();
    let said = while_it_watches(name.as_str(), || {
        out.send(&[vec![1.0; 100_000]]).unwrap();
    });
    assert!(
        said.iter().any(|line| line.starts_with("ok       it moved 1 time while it was watched")),
        "{said:#?}"
    );
}

#[test]
fn a_lock_that_is_held_for_long_and_let_go_of() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let lock = data_lock(&name);
    let said = while_it_watches(name.as_str(), || {
        let held = lock.lock().unwrap();
        spin(500);
        drop(held);
    });
    let told = |line: &String| {
        line.starts_with("warning  TouchSHM") && line.contains(" was held") && line.ends_with(" ms at a time")
    };
    assert!(said.iter().any(told), "{said:#?}");
}

// The block.

#[test]
fn channel_blocks_with_wrong_fields() {
    for (block, id, verdict, said, advice) in [
        (
            channels().with(0, 0x1234),
            "block.magic",
            "failed",
            "begins with 0x00001234",
            "channel and image blocks",
        ),
        (channels().with(1, 0), "channels.version", "failed", "version is 0", "64 bits"),
        (channels().with(1, 3), "channels.version", "warning", "version is 3", "write 1"),
        (channels().with(2, 36), "channels.size", "warning", "size is 36", "whole block"),
        (channels().with(3, u32::MAX), "channels.num-chans", "failed", "numChans is -1", "32 bits"),
        (channels().with(4, u32::MAX), "channels.length", "failed", "length is -1", "32 bits"),
        (channels().with(4, 100_000), "channels.samples", "failed", "800000", "under one hold of the lock"),
        (channels().with(5, 0), "channels.sample-rate", "failed", "sampleRate is 0", "above 0"),
        (channels().with(5, f32::NAN.to_bits()), "channels.sample-rate", "failed", "NaN", "above 0"),
        (channels().with(7, 32), "channels.data-offset", "failed", "channelDataOffset is 32", "at 36"),
        (channels().with(7, 38), "channels.data-offset", "failed", "multiple", "at 36"),
        (
            channels().with(8, 30),
            "channels.name-offset",
            "failed",
            "nameDataOffset is 30",
            "right behind the samples",
        ),
        (channels().with(8, 4096), "channels.name-offset", "failed", "nameDataOffset is 4096", "namesSent 0"),
    ] {
        of_foreign(&block).tells(id, verdict, said, advice).only(&[id]);
    }
    of_foreign(&channels().with(6, 0).with(2, 44))
        .tells("channels.names-sent", "seen", "chan1", "")
        .only(&[]);
    of_foreign(&channels().with(6, 2).with(2, 44)).tells(
        "channels.names-sent",
        "warning",
        "namesSent is 2",
        "1 when names follow",
    );
    // All of them, and not the first alone.
    let found = of_foreign(&channels().with(1, 0).with(5, 0).with(7, 8));
    found.only(&["channels.version", "channels.sample-rate", "channels.data-offset"]);
}

#[test]
fn names_that_are_announced_and_not_written() {
    let found = of_foreign(&Block { rest: vec![0; 8], ..channels().with(2, 46) });
    found
        .tells("channels.names", "warning", "all of them are empty", "write a name for each channel")
        .only(&["channels.names"]);
    let found = of_foreign(&Block { rest: vec![b'x'; 4060], ..channels() });
    found.tells("channels.names", "failed", "not all of them end", "with a NUL").only(&["channels.names"]);
}

#[test]
fn image_blocks_with_wrong_fields() {
    for (block, id, verdict, said, advice) in [
        (image().with(1, 0), "image.version", "failed", "version is 0", "write 1"),
        (
            Block { rest: vec![0; 264], ..image().with(1, 5).sized(256, 56) },
            "image.version",
            "warning",
            "read as 2",
            "1 and later",
        ),
        (image().with(2, 0), "image.sides", "failed", "width is 0", "1 to 32768"),
        (image().with(3, 32769), "image.sides", "failed", "height is 32769", "1 to 32768"),
        (image().with(6, 12345), "image.format", "failed", "0x3039", "protocol's table"),
        (image().sized(255, 48), "image.data-size", "failed", "dataSize is 255", "width * height"),
        (image().with(2, 64).with(3, 64).sized(16384, 48), "image.data-size", "failed", "16384", "has room"),
        (image().sized(192, 48), "image.three-bytes", "failed", "3 bytes a pixel", "4 bytes a pixel"),
        (
            image().sized(256, 40),
            "image.data-offset",
            "failed",
            "dataOffset is 40",
            "read the offset from the header",
        ),
        (
            image().sized(256, 64),
            "image.data-offset",
            "warning",
            "dataOffset is 64",
            "show the image shifted",
        ),
    ] {
        of_foreign(&block).tells(id, verdict, said, advice).only(&[id]);
    }
    // Room for 3 bytes a pixel, and 4 that are written: 36 by 36 pixels in a page.
    let name = Name::new();
    let block = Block { rest: Vec::new(), ..image().with(2, 36).with(3, 36).sized(36 * 36 * 4, 48) };
    let _out = ForeignOut::create(name.as_str(), &block.bytes(), 4096);
    doctor(name.as_str())
        .tells("image.three-bytes", "failed", "3 bytes a pixel", "make room")
        .only(&["image.three-bytes"]);
    // 2 stands where primaries do, and 7 where transfer does.
    let odd = Block { rest: vec![7; 264], ..image().with(1, 2).sized(256, 56) };
    of_foreign(&odd).tells("image.colour", "warning", "transfer is", "colours are right");
}

#[test]
fn blocks_that_nobody_wrote() {
    let nothing = Block { fields: Vec::new(), wide: None, rest: vec![0; 64] };
    of_foreign(&nothing)
        .tells("block.empty", "warning", "nothing has been written", "let its sender send")
        .only(&["block.empty"]);
    let name = Name::new();
    let _silent = ChopSender::create(name.as_str()).unwrap();
    doctor(name.as_str()).tells("sender.frames", "warning", "not sent anything yet", "let it send");
}

#[test]
fn a_global_segment_is_no_fault() {
    let name = Name::new();
    let mut out = GlobalSender::builder().name(name.as_str()).create().unwrap();
    out.publish(1).unwrap();
    doctor(name.as_str()).tells("td.global", "seen", "of this library alone", "").only(&[]);
}

// The sender and those who receive.

#[test]
fn a_sender_that_died() {
    let name = Name::new();
    let mut send = start(&["send", name.as_str()]);
    send.says("sending");
    // Somebody keeps the objects, where they would go with the dead.
    #[cfg(windows)]
    let _kept = crate::kit::Holder::of(name.as_str());
    let pid = send.id();
    send.signal("KILL");
    send.wait();
    let found = doctor(name.as_str());
    found.tells("sender.alive", "failed", &format!("process {pid} (tdshm"), "tdshm clean");
}

/// It lasts as long as the silence that is told.
#[test]
fn a_sender_that_stands_still() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let found = doctor_with(&[name.as_str(), "--timeout", "1.7"]);
    found
        .tells("sender.frames", "warning", "nothing came in the 1.7 s", "continue the sender")
        .only(&["sender.frames"]);
    // Of an image that is all that has to be.
    let name = Name::new();
    let mut out = TopSender::create(name.as_str()).unwrap();
    out.send(&Pixels::bottom_first(PixelFormat::R8_UNORM, 1, 1, &[1])).unwrap();
    let found = doctor_with(&[name.as_str(), "--timeout", "1.7"]);
    found.tells("sender.frames", "seen", "An image that is sent once stays", "").only(&[]);
}

#[test]
fn receivers_that_take_nothing_or_died() {
    let name = Name::new();
    let mut send = start(&["send", name.as_str(), "--fps", "200"]);
    send.says("sending");
    let mut receiver = ChopReceiver::open(name.as_str()).unwrap();
    receiver.next_timeout(Duration::from_secs(9)).unwrap().unwrap();
    let me = format!("process {}", std::process::id());
    doctor(name.as_str())
        .tells("receivers.behind", "warning", &me, "continue that receiver")
        .only(&["receivers.behind"]);
    drop(receiver);
    let mut watch = start(&["watch", name.as_str(), "--format", "json"]);
    watch.line();
    watch.signal("KILL");
    let dead = format!("process {}", watch.id());
    watch.wait();
    doctor(name.as_str()).tells("receivers.dead", "seen", &dead, "").only(&[]);
}

#[test]
fn more_receivers_than_are_recorded() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let mut all: Vec<_> = (0..16).map(|_| ChopReceiver::open(name.as_str()).unwrap()).collect();
    for receiver in &mut all {
        receiver.next_timeout(Duration::from_secs(9)).unwrap().unwrap();
    }
    doctor(name.as_str())
        .tells("receivers.full", "warning", "all 16 entries", "nobody needs")
        .only(&["receivers.full"]);
}

// The locks.

#[test]
fn locks_that_somebody_has_all_the_time() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let short = ShortName::new(name.as_str()).unwrap();
    let holder = format!("process {}", std::process::id());
    let who = if LOCKS_NAME_HOLDERS { holder.as_str() } else { "held" };
    for (object, id) in [(short.data_lock(), "lock.data"), (short.info_lock(), "lock.info")] {
        let lock = NamedLock::open(&object).unwrap();
        let held = lock.lock().unwrap();
        let found = doctor_with(&[name.as_str(), "--timeout", "0.5"]);
        drop(held);
        found
            .tells(id, "failed", who, "let it go on")
            .tells(id, "failed", "for all of the 0.5 s", "")
            .only(&[id]);
    }
    doctor(name.as_str()).tells("lock.data", "ok", "free", "").only(&[]);
}

#[test]
fn a_lock_whose_holder_died() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let lock = data_lock(&name);
    // Its thread ends with it.
    thread::scope(|scope| {
        scope.spawn(|| std::mem::forget(lock.lock().unwrap().into_guard()));
    });
    doctor(name.as_str())
        .tells("lock.abandoned", "warning", "died with it", "which program dies")
        .only(&["lock.abandoned"]);
    // Looking takes nothing where that shows by looking.
    if LOCKS_NAME_HOLDERS {
        doctor(name.as_str()).only(&["lock.abandoned"]);
        assert!(lock.lock().unwrap().is_abandoned());
    }
}

/// Windows' locks do not say who has them.
#[test]
fn a_reader_that_keeps_the_lock_to_itself() {
    if !LOCKS_NAME_HOLDERS {
        eprintln!("NOT RUN: a reader that keeps the lock to itself (its locks name no holders)");
        return;
    }
    let name = Name::new();
    let mut send = start(&["send", name.as_str()]);
    send.says("sending");
    let lock = data_lock(&name);
    let over = AtomicBool::new(false);
    let found = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                // A long copy, and a short pause.
                let held = lock.lock().unwrap();
                spin(8);
                drop(held);
                spin(2);
            }
        });
        let found = std::panic::catch_unwind(|| doctor_with(&[name.as_str(), "--timeout", "0.5"]));
        over.store(true, Ordering::Relaxed);
        found.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    let me = format!("process {}, which does not send", std::process::id());
    found.tells("lock.greedy", "warning", &me, "as often as frames come");
}

// How it is asked.

#[test]
fn several_names_are_looked_at_together() {
    let names = [Name::new(), Name::new()];
    let mut outs = names.each_ref().map(|name| ChopSender::create(name.as_str()).unwrap());
    for out in &mut outs {
        out.send(&[[1.0]]).unwrap();
    }
    let [a, b] = names.each_ref().map(Name::as_str);
    let found = doctor_with(&[a, b, "--timeout", "0.2"]);
    found.only(&[]);
    let of = |name: &str| found.lines().iter().filter(|line| line["name"] == name).count();
    assert!(of(a) > 10 && of(a) == of(b), "{} and {}", of(a), of(b));
    let ended = run(&["doctor", a, "--timeout", "0.2"]);
    assert_eq!(ended.code, Some(0));
    let end = "Nothing stands between them.";
    assert!(ended.out.iter().any(|line| line.starts_with(end)), "{:#?}", ended.out);
}

#[test]
fn a_name_goes_with_the_walk_as_well() {
    for wrong in [
        &["a", "b", "--touchdesigner"][..],
        &["a", "--touchdesigner", "--name", "b"],
        &["a", "--yes"],
        &["--timeout", "1"],
        &["a", "--timeout", "0"],
    ] {
        assert_eq!(run(&[&["doctor"], wrong].concat()).code, Some(2), "{wrong:?}");
    }
    let name = Name::new();
    let _taken = ChopSender::create(name.as_str()).unwrap();
    let ended = run(&["doctor", name.as_str(), "--touchdesigner", "--timeout", "0.2", "--yes"]);
    assert_eq!(ended.code, Some(1));
    let taken = format!("{:?} is already in use", name.as_str());
    assert!(ended.out.iter().any(|line| line.contains(&taken)), "{:#?}", ended.out);
}

#[test]
fn ctrl_c_ends_it() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let mut doctor = start(&["doctor", name.as_str(), "--timeout", "1000"]);
    while !doctor.line().contains("every field of the info block") {}
    doctor.signal("INT");
    let ended = doctor.wait();
    assert_eq!(ended.code, Some(130));
    assert!(ended.out.last().unwrap().ends_with("stopped before the end"), "{:#?}", ended.out);
}
