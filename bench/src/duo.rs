//! Two processes: the benchmark starts itself as the other side, and both see the words of a [`Course`].
#![allow(unsafe_code, reason = "words that two processes share")]

use std::hint::spin_loop;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::median;
use crate::system::{Memory, now};

/// What the other side is told to be, and where the course is.
const ROLE: &str = "TDSHM_BENCH_ROLE";

/// A word with a cache line of its own.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub struct Line<T>(pub T);

/// What both sides share.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Words {
    /// When the delivery was begun, on the clock of [`now`].
    pub sent: Line<AtomicU64>,
    /// How long it took, in nanoseconds; 0: it is under way.
    pub took: Line<AtomicU64>,
    /// The other side is ready.
    pub ready: Line<AtomicU32>,
    /// The other side shall end.
    pub stop: Line<AtomicU32>,
    /// What the other side counts.
    pub counts: Line<[AtomicU64; 2]>,
    /// A word to deliver by itself.
    pub bare: Line<AtomicU32>,
}

impl Words {
    /// The other side has what was sent.
    pub fn arrived(&self) {
        let took = now().saturating_sub(self.sent.0.load(Ordering::Relaxed));
        self.took.0.store(took.max(1), Ordering::Release);
    }
}

/// The words, in shared memory that goes with the side that made it.
#[derive(Debug)]
pub struct Course {
    memory: Memory,
    name: String,
}

/// Lets the other side go back to where it waits.
pub fn pause(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        spin_loop();
    }
}

impl Course {
    fn make(name: &str) -> Self {
        Self { memory: Memory::make(name, size_of::<Words>()), name: name.to_owned() }
    }

    fn open(name: &str) -> Self {
        Self { memory: Memory::open(name, size_of::<Words>()), name: name.to_owned() }
    }

    /// What both sides call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &Words {
        // SAFETY: mapped with room for them, at a multiple of a page, for as long as `self`; every byte pattern is a
        // value of an atomic, and nothing but atomics is in there.
        unsafe { &*self.memory.base().cast() }
    }

    /// The other side has what was sent.
    pub fn arrived(&self) {
        self.words().arrived();
    }

    /// The other side says that it is ready.
    pub fn ready(&self) {
        self.words().ready.0.store(1, Ordering::Release);
    }

    /// Whether the other side shall end.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.words().stop.0.load(Ordering::Relaxed) != 0
    }

    /// The middle of `rounds` deliveries by `send`, so long apart, in seconds.
    pub fn deliver(&self, rounds: usize, apart: Duration, mut send: impl FnMut()) -> f64 {
        let words = self.words();
        let once = |_| {
            pause(apart);
            words.took.0.store(0, Ordering::Relaxed);
            words.sent.0.store(now(), Ordering::Relaxed);
            send();
            loop {
                match words.took.0.load(Ordering::Acquire) {
                    0 => spin_loop(),
                    took => break took as f64 * 1e-9,
                }
            }
        };
        median((0..rounds).map(once).collect())
    }
}

/// The other process.
#[derive(Debug)]
pub struct Other {
    child: Child,
    /// What both share.
    pub course: Course,
}

impl Other {
    /// Starts it as `role`, words with blanks between them, and waits until it is ready.
    ///
    /// # Panics
    ///
    /// When it cannot be started, or ends.
    #[must_use]
    #[expect(clippy::expect_used, reason = "no benchmark without it")]
    pub fn start(role: &str) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let name = crate::unique(&format!("course{}", STARTED.fetch_add(1, Ordering::Relaxed)));
        let course = Course::make(&name);
        let program = std::env::current_exe().expect("this program has a path");
        let mut child =
            Command::new(program).env(ROLE, format!("{name} {role}")).spawn().expect("it starts itself");
        while course.words().ready.0.load(Ordering::Acquire) == 0 {
            let ended = child.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "the other side ended: {role}");
            std::thread::yield_now();
        }
        Self { child, course }
    }

    /// Tells it to end, waits, and gives what it counted.
    #[must_use]
    pub fn end(mut self) -> [u64; 2] {
        self.course.words().stop.0.store(1, Ordering::Relaxed);
        let _ = self.child.wait();
        self.course.words().counts.0.each_ref().map(|count| count.load(Ordering::Acquire))
    }
}

/// In the process that was started as the other side: its course and its role.
#[must_use]
pub fn role() -> Option<(Course, Vec<String>)> {
    let text = std::env::var(ROLE).ok()?;
    let mut words = text.split(' ').map(str::to_owned);
    let course = Course::open(&words.next()?);
    Some((course, words.collect()))
}
