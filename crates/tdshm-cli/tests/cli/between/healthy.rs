//! What is healthy is left alone, however busy it is.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tdshm::{ChopReceiver, ChopSender, PixelFormat, Pixels, SegmentReceiver, TopColour, TopSender};

use super::{Block, channels, doctor, doctor_with, image, of_foreign};
use crate::kit::{ForeignOut, Name};

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
