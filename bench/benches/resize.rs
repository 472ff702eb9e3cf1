//! Resizing: a frame that does not fit moves to a new segment. How long until a receiver has it, and how that
//! compares with making such a segment by hand.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark that fails stops"
)]

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tdshm::{SegmentReceiver, SegmentSender};
use tdshm_bench::baseline::{bytes_of, object_by_hand};
use tdshm_bench::{goal, median, pairs, row, show, tidy, unique};

fn main() {
    small();
    large();
    thousand();
}

/// Grows and shrinks between one page and 64 KiB; a receiver in another thread looks as fast as it can.
fn small() {
    const ROUNDS: u64 = 400;
    let name = unique("grow");
    let mut out = SegmentSender::create(&name, 4096).unwrap();
    let seen = AtomicU64::new(0);
    let mut times = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut input = SegmentReceiver::open(&name).unwrap();
            while seen.load(Ordering::Relaxed) < ROUNDS {
                if let Some(held) = input.lock().unwrap() {
                    let mut number = [0; 8];
                    held.view().copy_to(&mut number);
                    drop(held);
                    seen.store(u64::from_le_bytes(number), Ordering::Release);
                }
            }
        });
        for round in 1..=ROUNDS {
            let bytes = 4096 << (round % 5);
            let begin = Instant::now();
            out.resize(bytes, |view| {
                view.copy_from(&round.to_le_bytes());
            })
            .unwrap();
            while seen.load(Ordering::Acquire) < round {
                std::hint::spin_loop();
            }
            times.push(begin.elapsed());
        }
    });
    let p50 = median(times.iter().map(Duration::as_secs_f64).collect());
    row("# growing up to 64 KiB, until the receiver has it", &format!("p50 {}", show(p50)));
    goal("resize up to 64 KiB", p50 < 100e-6, "p50 under 100 µs");
    drop(out);
    tidy(&name);
}

/// Frames above 64 KiB that need a new segment each, against making, reserving, mapping and filling an object of
/// the same size by hand, and removing the one before.
fn large() {
    row("# moving to a larger segment", "baseline: create, reserve, map, copy, unmap and unlink by hand");
    for megabytes in [1_usize, 4, 16] {
        let bytes = megabytes << 20;
        let samples = vec![0.5_f32; (bytes - 4096) / 4];
        let name = unique("large");
        let mut out = SegmentSender::create(&name, 4096).unwrap();
        let mut input = SegmentReceiver::open(&name).unwrap();
        drop(input.lock().unwrap());
        let file = unique("byhand");
        let label = format!("resize to {megabytes} MiB");
        let ratio = pairs(
            &label,
            31,
            1,
            || object_by_hand(&file, bytes, bytes_of(black_box(&samples))),
            || {
                out.resize(bytes, |view| {
                    view.copy_from(bytes_of(black_box(&samples)));
                })
                .unwrap();
            },
        );
        goal(&label, ratio <= 1.3, "at most 1.3 times by hand");
        drop(out);
        tidy(&name);
    }
}

/// The 1000th resize against the first ones, with a receiver that follows each of them.
fn thousand() {
    let name = unique("many");
    let mut out = SegmentSender::create(&name, 4096).unwrap();
    let mut input = SegmentReceiver::open(&name).unwrap();
    let mut times = Vec::new();
    for round in 0..1100_u64 {
        let begin = Instant::now();
        out.resize(128 << 10, |view| {
            view.copy_from(&round.to_le_bytes());
        })
        .unwrap();
        times.push(begin.elapsed().as_secs_f64());
        let mut number = [0; 8];
        input.lock().unwrap().unwrap().view().copy_to(&mut number);
        assert_eq!(u64::from_le_bytes(number), round, "a frame was lost");
    }
    let (first, last) = (median(times[..100].to_vec()), median(times[1000..].to_vec()));
    row("# 1100 resizes in a row", &format!("the first 100: {}, the last 100: {}", show(first), show(last)));
    goal("the 1000th resize", last <= first * 1.1, "no slower than the first (10 % for the machine)");
    drop(out);
    tidy(&name);
}
