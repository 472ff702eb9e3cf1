//! Two processes: the benchmark starts itself as the other side, and both see the words of a [`Course`].
#![allow(unsafe_code, reason = "words that two processes share, and the system's clock and futex")]

use std::hint::spin_loop;
use std::process::{Child, Command};
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::median;

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

/// The words, in a file of shared memory that goes with the side that made it.
#[derive(Debug)]
pub struct Course {
    words: *mut Words,
    name: String,
    made: bool,
}

/// Nanoseconds of a clock that all processes have in common.
#[must_use]
pub fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a live timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.unsigned_abs().wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec.unsigned_abs())
}

/// The system call itself: both processes wait for the same word.
pub fn futex(word: &AtomicU32, operation: libc::c_int, value: u32) {
    // SAFETY: the word lives; no time limit, and the other arguments are not used by these two operations.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, ptr::null::<libc::timespec>()) };
}

/// Lets the other side go back to where it waits.
pub fn pause(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        spin_loop();
    }
}

/// Maps a file of shared memory, which is made here, or was by the other side.
///
/// # Panics
///
/// When the system refuses: there is no benchmark then.
#[must_use]
#[expect(clippy::expect_used, reason = "no benchmark without it")]
pub fn shared_file(name: &str, bytes: usize, make: bool) -> *mut u8 {
    let path = std::ffi::CString::new(format!("/dev/shm/{name}")).expect("a name without NUL");
    let flags = libc::O_RDWR | libc::O_CLOEXEC | if make { libc::O_CREAT | libc::O_EXCL } else { 0 };
    // SAFETY: `path` ends with NUL.
    let file = unsafe { libc::open(path.as_ptr(), flags, 0o600) };
    assert!(file >= 0, "cannot open {name}");
    let length = libc::off_t::try_from(bytes).expect("a size that fits");
    // SAFETY: an open descriptor; the pages are reserved, so that touching them cannot fail.
    let reserved = !make || unsafe { libc::posix_fallocate(file, 0, length) } == 0;
    assert!(reserved, "no room for {name}");
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a mapping of the file at an address of the kernel's choice.
    let base = unsafe { libc::mmap(ptr::null_mut(), bytes, access, libc::MAP_SHARED, file, 0) };
    assert!(base != libc::MAP_FAILED, "cannot map {name}");
    // SAFETY: opened above, closed once; the mapping stays.
    unsafe { libc::close(file) };
    base.cast()
}

impl Course {
    fn new(name: &str, made: bool) -> Self {
        let words = shared_file(name, size_of::<Words>(), made).cast();
        Self { words, name: name.to_owned(), made }
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &Words {
        // SAFETY: mapped by `new` with room for them, at a multiple of a page, to the end of the process; every byte
        // pattern is a value of an atomic, and nothing but atomics is in there.
        unsafe { &*self.words }
    }

    /// The other side has what was sent.
    pub fn arrived(&self) {
        let took = now().saturating_sub(self.words().sent.0.load(Ordering::Relaxed));
        self.words().took.0.store(took.max(1), Ordering::Release);
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

impl Drop for Course {
    fn drop(&mut self) {
        if self.made {
            let _ = std::fs::remove_file(format!("/dev/shm/{}", self.name));
        }
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
        let name = crate::unique(&format!("course{}", now()));
        let course = Course::new(&name, true);
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
    let course = Course::new(&words.next()?, false);
    Some((course, words.collect()))
}
