//! Change notices: a look that finds nothing, what they cost a sender, how long a frame takes to a receiver that
//! spins or sleeps, and both sides flat out. Where there are two sides they are two processes: this program starts
//! itself as the other one.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a benchmark that fails stops"
)]

use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use std::time::{Duration, Instant};

use tdshm::{ChopReceiver, ChopSender};
use tdshm_bench::baseline::{LockAndBuffer, bytes_of, bytes_of_mut};
use tdshm_bench::duo::{self, Course, Other};
use tdshm_bench::system::{BELL, Bell, LOCK, coarse_time};
use tdshm_bench::{each, goal, median, pairs, row, show, spread, tidy, unique};

const EVER: Duration = Duration::from_secs(600);

fn main() {
    if let Some((course, role)) = duo::role() {
        other_side(&course, &role);
        return;
    }
    look();
    send();
    spinning();
    sleeping();
    flat_out();
}

/// A look that finds nothing.
fn look() {
    // So few that most repeats end before the system gives the processor to somebody else.
    const ROUNDS: u32 = 50_000;
    let name = unique("look");
    let mut out = ChopSender::create(&name).unwrap();
    let mut input = ChopReceiver::open(&name).unwrap();
    out.send_flat(&[0.5; 64], 1).unwrap();
    input.read().unwrap().unwrap();
    row("# a look that finds nothing", "baseline: one load of a word");
    let word = AtomicU64::new(0);
    pairs(
        "try_next",
        31,
        ROUNDS,
        || {
            black_box(black_box(&word).load(Ordering::Acquire));
        },
        || {
            black_box(black_box(&mut input).try_next().unwrap().is_some());
        },
    );
    let took = each(31, ROUNDS, || {
        black_box(black_box(&mut input).try_next().unwrap().is_some());
    });
    goal("try_next", took < 10e-9, &format!("{}, under 10 ns", show(took)));
    drop(out);
    tidy(&name);
}

/// What sending costs, and its parts by hand.
fn send() {
    const ROUNDS: u32 = 20_000;
    let by_hand = LockAndBuffer::new(4096);
    let samples = [0.5_f32; 64];
    let name = unique("notice");
    let mut out = ChopSender::create(&name).unwrap();
    out.send_flat(&samples, 1).unwrap();
    row("# send_flat, 64 channels x 1 sample", &format!("baseline: {LOCK} and a copy of 256 bytes, by hand"));
    let ratio = pairs(
        "send_flat, nobody reads",
        31,
        ROUNDS,
        || by_hand.lock_copy_in(bytes_of(black_box(&samples))),
        || {
            black_box(out.send_flat(black_box(&samples), 1).unwrap());
        },
    );
    goal("send_flat", ratio <= 2.0, "at most 2.0 times lock + copy");
    let mut input = ChopReceiver::open(&name).unwrap();
    input.read().unwrap().unwrap();
    pairs(
        "send_flat, with a receiver",
        31,
        ROUNDS,
        || by_hand.lock_copy_in(bytes_of(black_box(&samples))),
        || {
            black_box(out.send_flat(black_box(&samples), 1).unwrap());
        },
    );
    let part = |name: &str, work: &mut dyn FnMut()| {
        row(&format!("  part: {name}"), &show(each(31, ROUNDS, work)));
    };
    part("lock and unlock", &mut || by_hand.lock_unlock());
    let checking = LockAndBuffer::new(64).checking();
    part("the same, checked, as ours", &mut || checking.try_lock_unlock());
    part("copy of 256 bytes", &mut || by_hand.copy_in(bytes_of(black_box(&samples))));
    let sequence = AtomicU64::new(0);
    part("sequence, odd and even", &mut || {
        sequence.store(black_box(&sequence).load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        sequence.store(black_box(&sequence).load(Ordering::Relaxed) + 1, Ordering::Release);
    });
    part("time, coarse", &mut || {
        black_box(coarse_time());
    });
    let (word, waiters) = (AtomicU32::new(0), AtomicU32::new(0));
    part("bell, nobody waits", &mut || {
        black_box(&word).fetch_add(1, Ordering::SeqCst);
        black_box(black_box(&waiters).load(Ordering::Acquire));
    });
    drop(out);
    tidy(&name);
}

/// What the other process does.
fn other_side(course: &Course, role: &[String]) {
    let words: Vec<&str> = role.iter().map(String::as_str).collect();
    match *words.as_slice() {
        ["word", rounds] => {
            course.ready();
            for round in 0..rounds.parse().unwrap() {
                while course.words().bare.0.load(Ordering::Acquire) == round {
                    spin_loop();
                }
                course.arrived();
            }
        }
        ["bell", rounds] => {
            let bell = Bell::named(course.name());
            course.ready();
            for round in 0..rounds.parse().unwrap() {
                while course.words().bare.0.load(Ordering::Acquire) == round {
                    bell.wait(&course.words().bare.0, round);
                }
                course.arrived();
            }
        }
        ["ours", name, spin, rounds] => {
            let mut input = ChopReceiver::open(name).unwrap();
            input.set_spin(Duration::from_secs(spin.parse().unwrap()));
            input.read().unwrap().unwrap();
            course.ready();
            for _ in 0..rounds.parse::<usize>().unwrap() {
                black_box(input.next_timeout(EVER).unwrap().unwrap());
                course.arrived();
            }
        }
        ["ours-flat-out", name] => receive_flat_out(course, name),
        ["lock", name, rounds] => {
            let by_hand = LockAndBuffer::open(name, 256);
            let (mut own, mut last) = ([0_f32; 64], 0.0);
            course.ready();
            for _ in 0..rounds.parse::<usize>().unwrap() {
                while own[0] == last {
                    by_hand.lock_copy_out(bytes_of_mut(&mut own));
                }
                last = own[0];
                course.arrived();
            }
        }
        ["lock-flat-out", name] => {
            let by_hand = LockAndBuffer::open(name, FLAT_BYTES);
            let (mut own, mut last) = (vec![0_f32; FLAT_BYTES / 4], 0.0);
            course.ready();
            while !course.stopped() {
                by_hand.lock_copy_out(bytes_of_mut(&mut own));
                let number = own[0];
                course.words().counts.0[0].fetch_add(u64::from(number != last), Ordering::Relaxed);
                last = number;
            }
        }
        #[cfg(feature = "peers")]
        ["iceoryx", name, rounds] => {
            tdshm_bench::peers::iceoryx_there(course, name, rounds.parse().unwrap());
        }
        _ => panic!("no such role: {role:?}"),
    }
}

/// To a receiver that looks without a pause.
fn spinning() {
    const ROUNDS: usize = 2000;
    const REPEATS: usize = 9;
    let apart = Duration::from_micros(20);
    let samples = [0.5_f32; 64];
    let (mut bare, mut lock, mut ours) = (Vec::new(), Vec::new(), Vec::new());
    #[cfg(feature = "peers")]
    let (mut iceoryx, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        let other = Other::start(&format!("word {ROUNDS}"));
        let word = &other.course.words().bare.0;
        bare.push(other.course.deliver(ROUNDS, apart, || {
            word.fetch_add(1, Ordering::SeqCst);
        }));
        let _ = other.end();
        lock.push(locked(ROUNDS, apart));
        let took = self::ours(&samples, EVER, ROUNDS, apart);
        ours.push(took);
        #[cfg(feature = "peers")]
        {
            iceoryx.push(tdshm_bench::peers::iceoryx(&samples, ROUNDS, apart));
            ratios.push(took / iceoryx[iceoryx.len() - 1]);
        }
    }
    row(
        "# to a receiver that spins, 64 channels x 1",
        "p50 of a delivery between processes: median (least to greatest) of 9 repeats in turn",
    );
    row("a word, nothing else", &spread(&bare));
    row(&format!("{LOCK} and a copy, by hand"), &spread(&lock));
    goal("delivery", median(ours.clone()) < 1e-6, &format!("{}, under 1 µs", spread(&ours)));
    #[cfg(feature = "peers")]
    {
        row("iceoryx2", &spread(&iceoryx));
        let ratio = median(ratios);
        goal("delivery, against iceoryx2", ratio <= 1.0, &format!("ratio {ratio:.2}, at most 1"));
    }
}

/// A lock and a copy: the other side takes the lock for every look.
fn locked(rounds: usize, apart: Duration) -> f64 {
    let name = unique("lock");
    let by_hand = LockAndBuffer::shared(&name, 256);
    let mut samples = [0_f32; 64];
    by_hand.lock_copy_in(bytes_of(&samples));
    let other = Other::start(&format!("lock {name} {rounds}"));
    let p50 = other.course.deliver(rounds, apart, || {
        samples[0] += 1.0;
        by_hand.lock_copy_in(bytes_of(&samples));
    });
    let _ = other.end();
    p50
}

/// Our delivery: to a receiver that looks without a pause for as long as `spin`, and then sleeps.
fn ours(samples: &[f32], spin: Duration, rounds: usize, apart: Duration) -> f64 {
    let name = unique("deliver");
    let mut out = ChopSender::create(&name).unwrap();
    out.send_flat(samples, 1).unwrap();
    let other = Other::start(&format!("ours {name} {} {rounds}", spin.as_secs()));
    let p50 = other.course.deliver(rounds, apart, || {
        out.send_flat(samples, 1).unwrap();
    });
    let _ = other.end();
    drop(out);
    tidy(&name);
    p50
}

/// To a receiver that sleeps, against what the system has for that.
fn sleeping() {
    const ROUNDS: usize = 300;
    const REPEATS: usize = 11;
    let apart = Duration::from_micros(300);
    let samples = [0.5_f32; 64];
    let (mut bare, mut ours, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        let other = Other::start(&format!("bell {ROUNDS}"));
        let bell = Bell::named(other.course.name());
        let b = other.course.deliver(ROUNDS, apart, || bell.ring(&other.course.words().bare.0));
        let _ = other.end();
        let o = self::ours(&samples, Duration::ZERO, ROUNDS, apart);
        bare.push(b);
        ours.push(o);
        ratios.push(o / b);
    }
    row(
        "# to a receiver that sleeps, 64 channels x 1",
        "p50 of a delivery between processes: median (least to greatest) of 11 repeats in turn",
    );
    row(BELL, &spread(&bare));
    row("delivery", &spread(&ours));
    let ratio = median(ratios.clone());
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = ratios.iter().copied().fold(0.0, f64::max);
    let text = format!("ratio {ratio:.2} ({least:.2} to {greatest:.2}), at most 1.3 times {BELL}");
    goal("delivery to a sleeper", ratio <= 1.3, &text);
}

const CHANNELS: usize = 100;
const LENGTH: usize = 6000;
const FLAT_BYTES: usize = CHANNELS * LENGTH * 4;
/// How long both sides are at it.
const FLAT_OUT: Duration = Duration::from_millis(1500);

/// Receives until it is told to stop: counts frames, and those that are not whole.
fn receive_flat_out(course: &Course, name: &str) {
    let mut input = ChopReceiver::open(name).unwrap();
    let [received, torn] = &course.words().counts.0;
    input.read().unwrap().unwrap();
    course.ready();
    while !course.stopped() {
        let Some(frame) = input.next_timeout(Duration::from_millis(100)).unwrap() else { continue };
        // One sample of every other cache line: every one of them has to be of this frame.
        let value = (frame.number().unwrap() % 4) as f32;
        let whole = frame.samples().iter().step_by(32).all(|sample| *sample == value);
        received.fetch_add(1, Ordering::Relaxed);
        torn.fetch_add(u64::from(!whole), Ordering::Relaxed);
    }
}

/// Sends as fast as it can; gives frames a second: sent, received and torn.
fn push(role: &str, mut send: impl FnMut(u64)) -> [f64; 3] {
    let other = Other::start(role);
    let begin = Instant::now();
    let mut sent = 1_u64;
    while begin.elapsed() < FLAT_OUT {
        sent += 1;
        send(sent);
    }
    let time = begin.elapsed().as_secs_f64();
    let [received, torn] = other.end();
    [sent as f64 / time, received as f64 / time, torn as f64 / time]
}

/// Both sides as fast as they can at 2.4 MB: what of it arrives, and whether it is whole.
fn flat_out() {
    const REPEATS: usize = 5;
    let mut frames: Vec<Vec<f32>> = (0..4_u8).map(|value| vec![value.into(); CHANNELS * LENGTH]).collect();
    let (mut ours, mut beside, mut lock) = (Vec::new(), Vec::new(), Vec::new());
    // As it comes, which is one place at this size until the reader asks; and with three places from the beginning.
    for (slots, runs) in [(None, &mut ours), (Some(3), &mut beside)] {
        for _ in 0..REPEATS {
            let name = unique("flat");
            let builder = ChopSender::builder(&name).room_for(CHANNELS, LENGTH);
            let builder = if let Some(count) = slots { builder.slots(count) } else { builder };
            let mut out = builder.create().unwrap();
            out.send_flat(&frames[1], LENGTH).unwrap();
            runs.push(push(&format!("ours-flat-out {name}"), |number| {
                out.send_flat(&frames[(number % 4) as usize], LENGTH).unwrap();
            }));
            drop(out);
            tidy(&name);
        }
    }
    for _ in 0..REPEATS {
        let name = unique("lockflat");
        let by_hand = LockAndBuffer::shared(&name, FLAT_BYTES);
        lock.push(push(&format!("lock-flat-out {name}"), |number| {
            let samples = &mut frames[(number % 4) as usize];
            samples[0] = number as f32;
            by_hand.lock_copy_in(bytes_of(samples));
        }));
    }
    let rates = |runs: &[[f64; 3]]| {
        let column = |index: usize| runs.iter().map(|run| run[index]).collect::<Vec<f64>>();
        let (sent, received) = (column(0), column(1));
        let least = received.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = received.iter().copied().fold(0.0, f64::max);
        (median(received), format!("{:.0} sent, received {least:.0} to {greatest:.0}", median(sent)))
    };
    row(
        "# writer and reader flat out, 2.4 MB",
        "frames a second between processes: median (least to greatest) of 5 repeats",
    );
    let (by_lock, text) = rates(&lock);
    row(&format!("{LOCK} and a copy, by hand"), &format!("{by_lock:.0} ({text})"));
    let (rate, text) = rates(&ours);
    goal("distinct frames", rate >= 1500.0, &format!("{rate:.0} ({text}), at least 1500 a second"));
    let (rate, text) = rates(&beside);
    row("distinct frames, slots(3)", &format!("{rate:.0} ({text})"));
    let torn: f64 = ours.iter().chain(&beside).map(|run| run[2]).sum();
    goal("whole", torn == 0.0, if torn == 0.0 { "none torn" } else { "some are torn" });
    #[cfg(feature = "peers")]
    row("Python's shared_memory and Lock, spin; flat out", &tdshm_bench::peers::python());
}
