//! Channels: sending and receiving against the same work by hand.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark that fails stops")]

use std::hint::black_box;

use tdshm::{ChopReceiver, ChopSender};
use tdshm_bench::baseline::{LockAndBuffer, bytes_of, bytes_of_mut};
use tdshm_bench::system::LOCK;
use tdshm_bench::{goal, pairs, row, tidy, unique};

fn main() {
    small();
    large();
}

/// 64 channels of one sample, with names: what a tracker sends at every frame.
fn small() {
    const ROUNDS: u32 = 20_000;
    let by_hand = LockAndBuffer::new(4096);
    let mut samples = [0.5_f32; 64];
    let rows: Vec<[f32; 1]> = samples.iter().map(|s| [*s]).collect();
    let name = unique("small");
    let mut out = ChopSender::builder(&name).channels((1..=64).map(|n| format!("t{n}"))).create().unwrap();
    let mut input = ChopReceiver::open(&name).unwrap();
    out.send(&rows).unwrap();
    input.read().unwrap().unwrap();

    row("# 64 channels x 1 sample", &format!("baseline: {LOCK} and a copy of 256 bytes, by hand"));
    let mut to = [0_f32; 64];
    pairs(
        "lock + copy of 256 bytes, against the lock",
        31,
        ROUNDS,
        || by_hand.lock_unlock(),
        || {
            by_hand.lock_copy_in(bytes_of(black_box(&samples)));
        },
    );
    let ratio = pairs(
        "send_flat",
        31,
        ROUNDS,
        || by_hand.lock_copy_in(bytes_of(black_box(&samples))),
        || {
            black_box(out.send_flat(black_box(&samples), 1).unwrap());
        },
    );
    goal("send_flat", ratio <= 2.0, "at most 2.0 times lock + copy");
    let ratio = pairs(
        "send, 64 rows",
        31,
        ROUNDS,
        || by_hand.lock_copy_in(bytes_of(black_box(&samples))),
        || {
            black_box(out.send(black_box(&rows)).unwrap());
        },
    );
    goal("send, 64 rows", ratio <= 2.0, "at most 2.0 times lock + copy");
    // What has been read already is not copied again, so every read gets a frame of its own.
    let ratio = pairs(
        "send_flat + read (into the receiver's frame)",
        31,
        ROUNDS,
        || {
            by_hand.lock_copy_in(bytes_of(black_box(&samples)));
            by_hand.lock_copy_out(bytes_of_mut(black_box(&mut to)));
        },
        || {
            out.send_flat(black_box(&samples), 1).unwrap();
            black_box(input.read().unwrap());
        },
    );
    goal("send_flat + read", ratio <= 2.0, "at most 2.0 times lock + copy, in and out");
    let mut to = [0_f32; 64];
    let ratio = pairs(
        "read_into (the caller's buffer)",
        31,
        ROUNDS,
        || by_hand.lock_copy_out(bytes_of_mut(black_box(&mut samples))),
        || {
            black_box(input.read_into(black_box(&mut to)).unwrap());
        },
    );
    goal("read_into", ratio <= 2.0, "at most 2.0 times lock + copy");
    drop(out);
    tidy(&name);
}

/// 100 channels of 6000 samples: 2.4 MB.
fn large() {
    const CHANNELS: usize = 100;
    const LENGTH: usize = 6000;
    let samples = vec![0.5_f32; CHANNELS * LENGTH];
    let mut to = vec![0_f32; CHANNELS * LENGTH];
    let by_hand = LockAndBuffer::new(size_of_val(samples.as_slice()));
    let name = unique("large");
    let mut out = ChopSender::builder(&name).room_for(CHANNELS, LENGTH).create().unwrap();
    let mut input = ChopReceiver::open(&name).unwrap();
    out.send_flat(&samples, LENGTH).unwrap();
    input.read().unwrap().unwrap();

    row(
        "# 100 channels x 6000 samples (2.4 MB)",
        "baseline: memcpy of the samples into or out of shared memory",
    );
    let ratio = pairs(
        "send_flat",
        31,
        8,
        || by_hand.copy_in(bytes_of(black_box(&samples))),
        || {
            black_box(out.send_flat(black_box(&samples), LENGTH).unwrap());
        },
    );
    goal("send_flat", 1.0 / ratio >= 0.9, "at least 0.90 of memcpy's speed");
    let mut own = vec![0_f32; CHANNELS * LENGTH];
    let ratio = pairs(
        "read_into",
        31,
        8,
        || by_hand.copy_out(bytes_of_mut(black_box(&mut to))),
        || {
            black_box(input.read_into(black_box(&mut own)).unwrap());
        },
    );
    goal("read_into", 1.0 / ratio >= 0.9, "at least 0.90 of memcpy's speed");
    let ratio = pairs(
        "send_flat + read",
        31,
        8,
        || {
            by_hand.copy_in(bytes_of(black_box(&samples)));
            by_hand.copy_out(bytes_of_mut(black_box(&mut to)));
        },
        || {
            out.send_flat(black_box(&samples), LENGTH).unwrap();
            black_box(input.read().unwrap());
        },
    );
    goal("send_flat + read", 1.0 / ratio >= 0.9, "at least 0.90 of memcpy's speed, in and out");
    drop(out);
    tidy(&name);
}
