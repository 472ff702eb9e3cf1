//! The same work in C++ and in Rust: what the way through the C library costs. `cargo xtask bench` builds the C++ side, a program
//! that is linked as most are, and says where it is (`TDSHM_BENCH_ROWS`).
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "a benchmark that fails stops"
)]

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use tdshm::{ChopSender, NamedLock, PixelFormat, Pixels, SegmentSender, ShortName, TopSender};
use tdshm_bench::{goal, pairs_of_times, row, tidy, timed, unique};

fn main() {
    let Some(program) = std::env::var_os("TDSHM_BENCH_ROWS") else {
        return row("C++ against Rust", "not measured: `cargo xtask bench` builds the C++ side, on Linux");
    };
    #[cfg(target_os = "linux")]
    tdshm_bench::system::stay_here();
    let [lock_name, here, there] = ["cpplock", "rusthere", "cppthere"].map(unique);
    let [top_here, top_there] = ["rusttop", "cpptop"].map(unique);
    let [bytes_here, bytes_there] = ["rustbytes", "cppbytes"].map(unique);
    let lock_object = ShortName::new(&lock_name).unwrap().data_lock();
    let names = [lock_object.as_str(), &bytes_there, &there, &top_there];
    let mut cpp = Cpp::start(Command::new(program).args(names));
    let lock = NamedLock::open(&lock_object).unwrap();
    let samples = [0.5_f32; 64];
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut segment = SegmentSender::create(&bytes_here, 4096).unwrap();
    let mut out = ChopSender::create(&here).unwrap();
    let pixels = vec![7_u8; 1920 * 1080 * 4];
    let mut images = TopSender::create(&top_here).unwrap();

    row("# C++ against Rust", "the same work in two programs, in turn; goal: at most 1.10");
    let ratio = pairs_of_times(
        "lock and unlock",
        31,
        20_000,
        |rounds| timed(rounds, || drop(black_box(lock.lock().unwrap()))),
        |rounds| cpp.took("lock", rounds),
    );
    goal("lock and unlock, C++", ratio <= 1.1, "at most 1.10 times Rust");
    let ratio = pairs_of_times(
        "UT_SharedMem: lock, write 64x1, unlock",
        31,
        20_000,
        |rounds| {
            timed(rounds, || {
                black_box(segment.lock().unwrap().view().copy_from(black_box(&bytes)));
            })
        },
        |rounds| cpp.took("segment", rounds),
    );
    goal("UT_SharedMem, 64x1", ratio <= 1.1, "at most 1.10 times Rust");
    let ratio = pairs_of_times(
        "send, 64 channels x 1 sample",
        31,
        20_000,
        |rounds| {
            timed(rounds, || {
                black_box(out.send_flat(black_box(&samples), 1).unwrap());
            })
        },
        |rounds| cpp.took("channels", rounds),
    );
    goal("send 64x1, C++", ratio <= 1.1, "at most 1.10 times Rust");
    let ratio = pairs_of_times(
        "send, 1920 x 1080 RGBA",
        31,
        4,
        |rounds| {
            timed(rounds, || {
                let image = Pixels::bottom_first(PixelFormat::R8G8B8A8_UNORM, 1920, 1080, black_box(&pixels));
                black_box(images.send(&image).unwrap());
            })
        },
        |rounds| cpp.took("image", rounds),
    );
    goal("send 1080p, C++", ratio <= 1.1, "at most 1.10 times Rust");
    cpp.end();
    drop((out, images, lock, segment));
    for name in [&lock_name, &bytes_here, &bytes_there, &here, &there, &top_here, &top_there] {
        tidy(name);
    }
}

/// The program in C++, which is told what to do how often.
struct Cpp {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Cpp {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (questions, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, questions, answers: BufReader::new(answers) }
    }

    fn took(&mut self, what: &str, rounds: u32) -> Duration {
        writeln!(self.questions, "{what} {rounds}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        Duration::from_nanos(answer.trim().parse().unwrap())
    }

    fn end(mut self) {
        drop(self.questions);
        assert!(self.child.wait().unwrap().success());
    }
}
