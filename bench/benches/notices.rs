//! Change notices: a look that finds nothing, what they cost a sender, how long a frame takes to a receiver that
//! spins or sleeps, and both sides flat out.
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark that fails stops"
)]

use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
use std::time::{Duration, Instant};

use tdshm::{ChopReceiver, ChopSender};
use tdshm_bench::baseline::{LockAndBuffer, bytes_of};
use tdshm_bench::{goal, median, pairs, row, show, tidy, unique};

const EVER: Duration = Duration::from_secs(600);

fn main() {
    look();
    send();
    spinning();
    sleeping();
    flat_out();
}

/// A look that finds nothing.
fn look() {
    const ROUNDS: u32 = 1_000_000;
    let name = unique("look");
    let mut out = ChopSender::create(&name).unwrap();
    let mut input = ChopReceiver::open(&name).unwrap();
    out.send_flat(&[0.5; 64], 1).unwrap();
    input.read().unwrap().unwrap();
    row("# a look that finds nothing", "baseline: one load of a word");
    let word = AtomicU64::new(0);
    let mut times = Vec::new();
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
    for _ in 0..31 {
        let begin = Instant::now();
        for _ in 0..ROUNDS {
            black_box(black_box(&mut input).try_next().unwrap().is_some());
        }
        times.push(begin.elapsed().as_secs_f64() / f64::from(ROUNDS));
    }
    let each = median(times);
    goal("try_next", each < 10e-9, &format!("{}, under 10 ns", show(each)));
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
    row("# send_flat, 64 channels x 1 sample", "baseline: a robust mutex and a copy of 256 bytes, by hand");
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
        let mut times = Vec::new();
        for _ in 0..31 {
            let begin = Instant::now();
            for _ in 0..ROUNDS {
                work();
            }
            times.push(begin.elapsed().as_secs_f64() / f64::from(ROUNDS));
        }
        row(&format!("  part: {name}"), &show(median(times)));
    };
    part("lock and unlock", &mut || by_hand.lock_unlock());
    part("copy of 256 bytes", &mut || by_hand.copy_in(bytes_of(black_box(&samples))));
    let sequence = AtomicU64::new(0);
    part("sequence, odd and even", &mut || {
        sequence.store(black_box(&sequence).load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        sequence.store(black_box(&sequence).load(Ordering::Relaxed) + 1, Ordering::Release);
    });
    part("time, coarse", &mut || {
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: a live timespec.
        unsafe { libc::clock_gettime(libc::CLOCK_REALTIME_COARSE, &raw mut now) };
        black_box(now.tv_nsec);
    });
    let (word, waiters) = (AtomicU32::new(0), AtomicU32::new(0));
    part("bell, nobody waits", &mut || {
        black_box(&word).fetch_add(1, Ordering::SeqCst);
        black_box(black_box(&waiters).load(Ordering::Acquire));
    });
    drop(out);
    tidy(&name);
}

/// Both sides of one delivery: when it was begun, and how long it took, in nanoseconds of one clock.
struct Course {
    begin: Instant,
    sent: AtomicU64,
    took: AtomicU64,
}

impl Course {
    fn new() -> Self {
        Self { begin: Instant::now(), sent: AtomicU64::new(0), took: AtomicU64::new(0) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_nanos()).unwrap()
    }

    /// The receiver has it.
    fn arrived(&self) {
        let took = self.now() - self.sent.load(Ordering::Relaxed);
        self.took.store(took.max(1), Ordering::Release);
    }

    /// One delivery, in seconds.
    fn deliver(&self, send: impl FnOnce()) -> f64 {
        self.took.store(0, Ordering::Relaxed);
        self.sent.store(self.now(), Ordering::Relaxed);
        send();
        loop {
            match self.took.load(Ordering::Acquire) {
                0 => spin_loop(),
                took => break took as f64 * 1e-9,
            }
        }
    }
}

/// Lets the other side go back to where it waits.
fn pause(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        spin_loop();
    }
}

/// To a receiver that looks without a pause, in another thread.
fn spinning() {
    const ROUNDS: usize = 4000;
    const REPEATS: usize = 5;
    let apart = Duration::from_micros(20);
    let samples = [0.5_f32; 64];
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    #[cfg(feature = "peers")]
    let mut iceoryx = Vec::new();
    for _ in 0..REPEATS {
        bare.push(spinning_bare(ROUNDS, apart));
        ours.push(self::ours(&samples, EVER, ROUNDS, apart));
        #[cfg(feature = "peers")]
        iceoryx.push(peers::spinning(&samples, ROUNDS, apart));
    }
    let best = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    row("# to a receiver that spins, 64 channels x 1", "p50 of the best of 5 repeats; baseline: a word");
    row("a word, nothing else", &show(best(&bare)));
    goal("delivery", best(&ours) < 1e-6, &format!("{}, p50 under 1 µs", show(best(&ours))));
    #[cfg(feature = "peers")]
    goal(
        "delivery, against iceoryx2",
        best(&ours) <= best(&iceoryx),
        &format!("not above iceoryx2's {}", show(best(&iceoryx))),
    );
}

fn spinning_bare(rounds: usize, apart: Duration) -> f64 {
    let (word, course) = (AtomicU64::new(0), Course::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=rounds as u64 {
                while word.load(Ordering::Acquire) < round {
                    spin_loop();
                }
                course.arrived();
            }
        });
        let times = (0..rounds).map(|_| {
            pause(apart);
            course.deliver(|| {
                word.fetch_add(1, Ordering::SeqCst);
            })
        });
        median(times.collect())
    })
}

/// Our delivery: to a receiver that looks without a pause for as long as `spin`, and then sleeps.
fn ours(samples: &[f32], spin: Duration, rounds: usize, apart: Duration) -> f64 {
    let name = unique("deliver");
    let mut out = ChopSender::create(&name).unwrap();
    let (course, ready) = (Course::new(), AtomicBool::new(false));
    out.send_flat(samples, 1).unwrap();
    let p50 = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut input = ChopReceiver::open(&name).unwrap();
            input.set_spin(spin);
            input.read().unwrap().unwrap();
            ready.store(true, Ordering::Release);
            for _ in 0..rounds {
                black_box(input.next_timeout(EVER).unwrap().unwrap());
                course.arrived();
            }
        });
        while !ready.load(Ordering::Acquire) {
            spin_loop();
        }
        let times = (0..rounds).map(|_| {
            pause(apart);
            course.deliver(|| {
                out.send_flat(samples, 1).unwrap();
            })
        });
        median(times.collect())
    });
    drop(out);
    tidy(&name);
    p50
}

/// To a receiver that sleeps, against a bare futex between two threads.
fn sleeping() {
    const ROUNDS: usize = 400;
    const REPEATS: usize = 9;
    let apart = Duration::from_micros(300);
    let samples = [0.5_f32; 64];
    let (mut bare, mut ours, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        let (b, o) = (sleeping_bare(ROUNDS, apart), self::ours(&samples, Duration::ZERO, ROUNDS, apart));
        bare.push(b);
        ours.push(o);
        ratios.push(o / b);
    }
    row("# to a receiver that sleeps, 64 channels x 1", "baseline: a bare futex between two threads");
    let ratio = median(ratios);
    let text = format!("{} against {}: ratio {ratio:.2}", show(median(ours)), show(median(bare)));
    row("delivery, p50", &text);
    goal("delivery to a sleeper", ratio <= 1.3, "at most 1.3 times a bare futex");
}

fn futex(word: &AtomicU32, operation: libc::c_int, value: u32) {
    // SAFETY: the word lives; no time limit, and the other arguments are not used by these two operations.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, std::ptr::null::<libc::timespec>())
    };
}

fn sleeping_bare(rounds: usize, apart: Duration) -> f64 {
    let (word, course) = (AtomicU32::new(0), Course::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..u32::try_from(rounds).unwrap() {
                while word.load(Ordering::Acquire) == round {
                    futex(&word, libc::FUTEX_WAIT, round);
                }
                course.arrived();
            }
        });
        let times = (0..rounds).map(|_| {
            pause(apart);
            course.deliver(|| {
                word.fetch_add(1, Ordering::SeqCst);
                futex(&word, libc::FUTEX_WAKE, i32::MAX.unsigned_abs());
            })
        });
        median(times.collect())
    })
}

/// Both sides as fast as they can at 2.4 MB: what of it arrives, and whether it is whole.
fn flat_out() {
    const CHANNELS: usize = 100;
    const LENGTH: usize = 6000;
    const SECONDS: u64 = 2;
    const REPEATS: usize = 5;
    let frames: Vec<Vec<f32>> = (0..4_u8).map(|value| vec![value.into(); CHANNELS * LENGTH]).collect();
    let mut best = (0.0, 0.0);
    let (mut torn, mut least) = (0_u64, f64::INFINITY);
    for _ in 0..REPEATS {
        let name = unique("flat");
        let mut out = ChopSender::builder(&name).room_for(CHANNELS, LENGTH).create().unwrap();
        out.send_flat(&frames[1], LENGTH).unwrap();
        let stop = AtomicBool::new(false);
        let (received, spoiled, sent, time) = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut input = ChopReceiver::open(&name).unwrap();
                let (mut received, mut spoiled) = (0_u64, 0_u64);
                while !stop.load(Ordering::Relaxed) {
                    let Some(frame) = input.next_timeout(Duration::from_millis(100)).unwrap() else {
                        continue;
                    };
                    received += 1;
                    // One sample of every other cache line: every one of them has to be of this frame.
                    let value = (frame.number().unwrap() % 4) as f32;
                    spoiled += u64::from(frame.samples().iter().step_by(32).any(|sample| *sample != value));
                }
                (received, spoiled)
            });
            let begin = Instant::now();
            let mut sent = 1_u64;
            while begin.elapsed() < Duration::from_secs(SECONDS) {
                sent += 1;
                out.send_flat(&frames[(sent % 4) as usize], LENGTH).unwrap();
            }
            let time = begin.elapsed().as_secs_f64();
            stop.store(true, Ordering::Relaxed);
            let (received, spoiled) = reader.join().unwrap();
            (received, spoiled, sent, time)
        });
        torn += spoiled;
        let rate = received as f64 / time;
        least = rate.min(least);
        if rate > best.0 {
            best = (rate, sent as f64 / time);
        }
        drop(out);
        tidy(&name);
    }
    row("# writer and reader flat out, 2.4 MB", "frames a second, the best of 5 repeats of 2 s");
    row("sent, received, least received", &format!("{:.0}, {:.0}, {least:.0}", best.1, best.0));
    goal("distinct frames", best.0 >= 1500.0, "at least 1500 a second");
    goal("whole", torn == 0, &format!("{torn} torn"));
    #[cfg(feature = "peers")]
    peers::flat_out();
}

/// Other libraries at the same work.
#[cfg(feature = "peers")]
mod peers {
    use iceoryx2::prelude::*;

    use super::*;

    pub(super) fn spinning(samples: &[f32], rounds: usize, apart: Duration) -> f64 {
        let node = NodeBuilder::new().create::<ipc::Service>().unwrap();
        let name = unique("ice");
        let service = node
            .service_builder(&name.as_str().try_into().unwrap())
            .publish_subscribe::<[f32; 64]>()
            .open_or_create()
            .unwrap();
        let publisher = service.publisher_builder().create().unwrap();
        let payload: [f32; 64] = samples.try_into().unwrap();
        let course = Course::new();
        let ready = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let node = NodeBuilder::new().create::<ipc::Service>().unwrap();
                let service = node
                    .service_builder(&name.as_str().try_into().unwrap())
                    .publish_subscribe::<[f32; 64]>()
                    .open_or_create()
                    .unwrap();
                let subscriber = service.subscriber_builder().create().unwrap();
                let mut own = [0_f32; 64];
                ready.store(true, Ordering::Release);
                for _ in 0..rounds {
                    let sample = loop {
                        if let Some(sample) = subscriber.receive().unwrap() {
                            break sample;
                        }
                        spin_loop();
                    };
                    own.copy_from_slice(&*sample);
                    black_box(&own);
                    course.arrived();
                }
            });
            while !ready.load(Ordering::Acquire) {
                spin_loop();
            }
            let times = (0..rounds).map(|_| {
                pause(apart);
                course.deliver(|| {
                    let sample = publisher.loan_uninit().unwrap();
                    sample.write_payload(payload).send().unwrap();
                })
            });
            median(times.collect())
        })
    }

    /// `multiprocessing.shared_memory` and a `multiprocessing.Lock`, writer and reader in two processes.
    pub(super) fn flat_out() {
        const SCRIPT: &str = "
import multiprocessing as mp, time
from multiprocessing import shared_memory as sm
N = 2400000
def write(name, lock, stop):
    s = sm.SharedMemory(name); frames = [bytes([i]) * N for i in range(4)]; i = 0
    while not stop.value:
        i += 1
        with lock:
            s.buf[8:8+N] = frames[i % 4]; s.buf[:8] = i.to_bytes(8, 'little')
    s.close()
if __name__ == '__main__':
    s = sm.SharedMemory(create=True, size=N + 8); lock = mp.Lock(); stop = mp.Value('b', 0, lock=False)
    p = mp.get_context('fork').Process(target=write, args=(s.name, lock, stop)); p.start()
    own = bytearray(N); last = 0; got = 0
    begin = time.monotonic()
    while time.monotonic() - begin < 2:
        with lock:
            number = int.from_bytes(s.buf[:8], 'little')
            if number != last:
                own[:] = s.buf[8:8+N]
        if number != last:
            got += 1; last = number
    took = time.monotonic() - begin
    stop.value = 1; p.join(); s.close(); s.unlink()
    print(round(got / took))
";
        let output = std::process::Command::new("python3").args(["-c", SCRIPT]).output();
        let text = output
            .map_or_else(|error| error.to_string(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
        row("Python's shared_memory and Lock", &format!("{text} distinct frames a second"));
    }
}
