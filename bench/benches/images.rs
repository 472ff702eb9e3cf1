//! Images: copying them in and out against memcpy, filling them in place, how long the lock is held, and both sides
//! flat out. Where there are two sides they are two processes: this program starts itself as the other one.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a benchmark that fails stops"
)]

use std::hint::black_box;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tdshm::{ChopReceiver, ChopSender, PixelFormat, Pixels, PixelsMut, TopReceiver, TopSender};
use tdshm_bench::baseline::LockAndBuffer;
use tdshm_bench::duo::{self, Course, Other};
use tdshm_bench::{goal, median, pairs, row, show, tidy, unique};

const RGBA8: PixelFormat = PixelFormat::R8G8B8A8_UNORM;
const PAIRS: usize = 30;

/// As many buffers as a sender has places, written in turn: a copy into one buffer again and again stays in the cache, and
/// would compare caches.
struct Places {
    buffers: [LockAndBuffer; 3],
    last: usize,
}

impl Places {
    fn new(bytes: usize) -> Self {
        Self { buffers: [(); 3].map(|()| LockAndBuffer::new(bytes)), last: 0 }
    }

    fn copy_in(&mut self, from: &[u8]) {
        self.last = (self.last + 1) % self.buffers.len();
        self.buffers[self.last].copy_in(from);
    }

    /// What was written last.
    fn copy_out(&self, to: &mut [u8]) {
        self.buffers[self.last].copy_out(to);
    }
}

fn main() {
    if let Some((course, role)) = duo::role() {
        other_side(&course, &role);
        return;
    }
    for (format, width, height) in
        [(RGBA8, 1920, 1080), (RGBA8, 3840, 2160), (PixelFormat::R32G32B32A32_SFLOAT, 1920, 1080)]
    {
        copies(format, width, height);
    }
    in_place();
    lock_held();
    flat_out();
}

/// In from a packed slice, out into a buffer, each way up.
fn copies(format: PixelFormat, width: usize, height: usize) {
    let bytes = width * height * format.bytes_per_pixel().unwrap();
    let rounds = u32::try_from(64_000_000 / bytes).unwrap().max(1);
    let one = LockAndBuffer::new(bytes);
    let mut by_hand = Places::new(bytes);
    let from = vec![7_u8; bytes];
    let (mut to, mut own) = (vec![1_u8; bytes], vec![1_u8; bytes]);
    let name = unique("copies");
    let mut out = TopSender::builder(&name).room_for(format, width, height).create().unwrap();
    let mut input = TopReceiver::open(&name).unwrap();
    let upright = Pixels::bottom_first(format, width, height, &from);
    let turned = Pixels::top_first(format, width, height, &from);
    for _ in 0..3 {
        out.send(&upright).unwrap();
    }
    input.read().unwrap().unwrap();

    row(
        &format!("# {width} x {height} {}", format.name().unwrap()),
        &format!(
            "{:.1} MB; baseline: memcpy into as many places in turn, or out of the last",
            bytes as f64 * 1e-6
        ),
    );
    let speed = |name: &str, ratio: f64, least: f64| {
        goal(
            name,
            1.0 / ratio >= least,
            &format!("{:.2} of memcpy's speed, at least {least:.2}", 1.0 / ratio),
        );
    };
    let again = || one.copy_in(black_box(&from));
    pairs("  memcpy in turn, against one buffer again", PAIRS, rounds, again, || {
        by_hand.copy_in(black_box(&from))
    });
    let ratio = pairs(
        "send",
        PAIRS,
        rounds,
        || by_hand.copy_in(black_box(&from)),
        || {
            black_box(out.send(black_box(&upright)).unwrap());
        },
    );
    speed("send", ratio, 0.9);
    let ratio = pairs(
        "read_into",
        PAIRS,
        rounds,
        || by_hand.copy_out(black_box(&mut to)),
        || {
            black_box(input.read_into(PixelsMut::bottom_first(black_box(&mut own))).unwrap());
        },
    );
    speed("read_into", ratio, 0.9);
    let ratio = pairs(
        "send + read_into",
        PAIRS,
        rounds,
        || {
            by_hand.copy_in(black_box(&from));
            by_hand.copy_out(black_box(&mut to));
        },
        || {
            out.send(black_box(&upright)).unwrap();
            black_box(input.read_into(PixelsMut::bottom_first(black_box(&mut own))).unwrap());
        },
    );
    speed("send + read_into", ratio, 0.9);
    let ratio = pairs(
        "send, upside down",
        PAIRS,
        rounds,
        || by_hand.copy_in(black_box(&from)),
        || {
            black_box(out.send(black_box(&turned)).unwrap());
        },
    );
    speed("send, upside down", ratio, 0.85);
    let ratio = pairs(
        "read_into, upside down",
        PAIRS,
        rounds,
        || by_hand.copy_out(black_box(&mut to)),
        || {
            black_box(input.read_into(PixelsMut::top_first(black_box(&mut own))).unwrap());
        },
    );
    speed("read_into, upside down", ratio, 0.85);
    drop((out, input));
    tidy(&name);
}

/// Filling the block itself, against filling memory of one's own.
fn in_place() {
    const WIDTH: usize = 1920;
    const HEIGHT: usize = 1080;
    let mut by_hand = Places::new(WIDTH * HEIGHT * 4);
    let line = vec![9_u8; WIDTH * 4 * HEIGHT];
    let name = unique("fill");
    let mut out = TopSender::builder(&name).room_for(RGBA8, WIDTH, HEIGHT).create().unwrap();
    let mut input = TopReceiver::open(&name).unwrap();
    let fill = |out: &mut TopSender, line: &[u8]| {
        out.send_with(RGBA8, WIDTH, HEIGHT, |image| {
            image.pixels().copy_from(line);
        })
        .unwrap();
    };
    for _ in 0..3 {
        fill(&mut out, &line);
    }
    input.read().unwrap().unwrap();
    row("# 1920 x 1080 R8G8B8A8_UNORM, in place", "baseline: filling as many places by hand");
    let ratio = pairs(
        "send_with",
        PAIRS,
        8,
        || by_hand.copy_in(black_box(&line)),
        || {
            fill(&mut out, black_box(&line));
        },
    );
    goal("send_with", ratio <= 1.1, &format!("{ratio:.2} of the time of the filling alone, at most 1.10"));
    // What it takes beside the filling: an image that is not filled at all.
    let mut times = Vec::new();
    for _ in 0..2000 {
        let begin = Instant::now();
        out.send_with(RGBA8, WIDTH, HEIGHT, |_| {}).unwrap();
        times.push(begin.elapsed().as_secs_f64());
    }
    let all = median(times);
    goal("send_with, nothing filled", all < 1e-6, &format!("{}, under 1 µs, whatever the size", show(all)));
    drop((out, input));
    tidy(&name);
}

/// From the end of the filling to the end of the call: the lock is held for a part of that.
fn lock_held() {
    row(
        "# the lock, with places",
        "from the last byte to the end of `send`: the lock is held for a part of it; p50",
    );
    for (width, height) in [(64, 64), (1920, 1080), (3840, 2160)] {
        let name = unique("lock");
        let mut out = TopSender::builder(&name).slots(3).room_for(RGBA8, width, height).create().unwrap();
        let mut input = TopReceiver::open(&name).unwrap();
        let mut times = Vec::new();
        for round in 0..5000 {
            let mut filled = Instant::now();
            out.send_with(RGBA8, width, height, |_| filled = Instant::now()).unwrap();
            times.push(filled.elapsed().as_secs_f64());
            if round == 0 {
                input.read().unwrap().unwrap();
            }
        }
        let p50 = median(times);
        goal(&format!("{width} x {height}"), p50 < 200e-9, &format!("{}, under 200 ns", show(p50)));
        drop((out, input));
        tidy(&name);
    }
}

const WIDTH: usize = 1920;
const HEIGHT: usize = 1080;
const IMAGE_BYTES: usize = WIDTH * HEIGHT * 4;
const CHANNELS: usize = 100;
const LENGTH: usize = 6000;
const CHANNEL_BYTES: usize = CHANNELS * LENGTH * 4;
/// How long both sides are at it, each time.
const FLAT_OUT: Duration = Duration::from_millis(1500);
const REPEATS: usize = 7;

fn other_side(course: &Course, role: &[String]) {
    let words: Vec<&str> = role.iter().map(String::as_str).collect();
    match *words.as_slice() {
        ["images", name] => {
            let mut input = TopReceiver::open(name).unwrap();
            input.read().unwrap().unwrap();
            course.ready();
            while !course.stopped() {
                let Some(frame) = input.next_timeout(Duration::from_millis(100)).unwrap() else { continue };
                let value = (frame.number().unwrap() % 4) as u8;
                count(course, frame.pixels().iter().step_by(128).all(|byte| *byte == value));
            }
        }
        ["channels", name] => {
            let mut input = ChopReceiver::open(name).unwrap();
            input.read().unwrap().unwrap();
            course.ready();
            while !course.stopped() {
                let Some(frame) = input.next_timeout(Duration::from_millis(100)).unwrap() else { continue };
                let value = (frame.number().unwrap() % 4) as f32;
                count(course, frame.samples().iter().step_by(32).all(|sample| *sample == value));
            }
        }
        #[cfg(feature = "peers")]
        ["iceoryx", name, bytes] => {
            tdshm_bench::peers::iceoryx_flat_out_there(course, name, bytes.parse().unwrap());
        }
        _ => panic!("no such role: {role:?}"),
    }
}

fn count(course: &Course, whole: bool) {
    let [received, torn] = &course.words().counts.0;
    received.fetch_add(1, Ordering::Relaxed);
    torn.fetch_add(u64::from(!whole), Ordering::Relaxed);
}

/// Sends as fast as it can: how many a second were sent and received, and how many were received and torn in all.
fn push(role: &str, mut send: impl FnMut(u64)) -> [f64; 4] {
    let other = Other::start(role);
    let begin = Instant::now();
    let mut sent = 1_u64;
    while begin.elapsed() < FLAT_OUT {
        sent += 1;
        send(sent);
    }
    let time = begin.elapsed().as_secs_f64();
    let [received, torn] = other.end();
    [sent as f64 / time, received as f64 / time, received as f64, torn as f64]
}

fn images() -> [f64; 4] {
    let images: Vec<Vec<u8>> = (0..4_u8).map(|value| vec![value; IMAGE_BYTES]).collect();
    let name = unique("flat");
    let mut out = TopSender::builder(&name).slots(3).room_for(RGBA8, WIDTH, HEIGHT).create().unwrap();
    out.send(&Pixels::bottom_first(RGBA8, WIDTH, HEIGHT, &images[1])).unwrap();
    let run = push(&format!("images {name}"), |number| {
        out.send(&Pixels::bottom_first(RGBA8, WIDTH, HEIGHT, &images[(number % 4) as usize])).unwrap();
    });
    drop(out);
    tidy(&name);
    run
}

fn channels() -> [f64; 4] {
    let frames: Vec<Vec<f32>> = (0..4_u8).map(|value| vec![value.into(); CHANNELS * LENGTH]).collect();
    let name = unique("flat");
    let mut out = ChopSender::builder(&name).slots(3).room_for(CHANNELS, LENGTH).create().unwrap();
    out.send_flat(&frames[1], LENGTH).unwrap();
    let run = push(&format!("channels {name}"), |number| {
        out.send_flat(&frames[(number % 4) as usize], LENGTH).unwrap();
    });
    drop(out);
    tidy(&name);
    run
}

/// Both sides as fast as they can, with places: what arrives, and whether it is whole.
fn flat_out() {
    type Run = fn() -> [f64; 4];
    let kinds: [(&str, usize, Run); 2] = [
        ("1920 x 1080 R8G8B8A8_UNORM", IMAGE_BYTES, images),
        ("2.4 MB of channels", CHANNEL_BYTES, channels),
    ];
    for (what, bytes, run) in kinds {
        row(
            &format!("# flat out, {what}"),
            "distinct frames a second between processes: median of 7 repeats in turn",
        );
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..REPEATS {
            let one = run();
            ours.push(one);
            #[cfg(feature = "peers")]
            {
                let other = tdshm_bench::peers::iceoryx_flat_out(bytes, FLAT_OUT);
                ratios.push(one[1] / other);
                theirs.push(other);
            }
        }
        let column = |index: usize| ours.iter().map(|run| run[index]).collect::<Vec<f64>>();
        row("ours", &format!("{:.0} (of {:.0} sent)", median(column(1)), median(column(0))));
        let (received, torn): (f64, f64) = (column(2).iter().sum(), column(3).iter().sum());
        goal("whole", torn == 0.0, &format!("{torn} torn of {received}"));
        if theirs.is_empty() {
            row("iceoryx2", &format!("not measured ({bytes} bytes): --features peers"));
            continue;
        }
        let ratio = median(std::mem::take(&mut ratios));
        row("iceoryx2", &format!("{:.0}", median(std::mem::take(&mut theirs))));
        goal("against iceoryx2", ratio >= 1.0, &format!("ratio {ratio:.2}, at least 1"));
    }
}
