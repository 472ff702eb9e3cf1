//! What the suite is built from: both locks behind one trait, a scene that cleans up, and the other process.

use std::fmt::Debug;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::lock::layout::LAYOUT;
use crate::mem::Region;
use crate::sys::posix::child;
pub(super) use crate::sys::posix::child::Child;
use crate::sys::posix::cond_lock::CondLock;
use crate::sys::posix::map::Map;
use crate::sys::posix::{robust_lock, shm};
use crate::sys::{Access, LockFailure, Outcome, Party};

/// A lock between processes, as each system has one.
pub(super) trait Backend: Debug + Send + Sync + Sized + 'static {
    const NAME: &'static str;

    /// Opens it, or makes it.
    fn open(name: &str) -> Self;
    fn acquire(&self, limit: Duration) -> Result<Outcome, LockFailure>;
    fn release(&self);
    fn holder(&self) -> Option<u32>;
    /// Where its object is to be found.
    fn path(name: &str) -> String;
    /// Writes another process into the record of the holder.
    fn spoil_record(&self, pid: u32);
    /// Takes what guards the lock itself and keeps it.
    fn keep_inner(&self) {}
    /// Clears the record of the holder.
    fn forget_record(&self) {}
}

#[derive(Debug)]
pub(super) struct Robust(robust_lock::Lock);

impl Backend for Robust {
    const NAME: &'static str = "robust";

    fn open(name: &str) -> Self {
        Self(robust_lock::Lock::open(name, Access::PRIVATE, LAYOUT, Party::Owner).unwrap())
    }

    fn acquire(&self, limit: Duration) -> Result<Outcome, LockFailure> {
        self.0.acquire(limit)
    }

    fn release(&self) {
        self.0.release();
    }

    fn holder(&self) -> Option<u32> {
        self.0.holder()
    }

    fn path(name: &str) -> String {
        format!("/dev/shm/{name}")
    }

    fn spoil_record(&self, pid: u32) {
        self.0.region().write(LAYOUT.holder_at, &pid).unwrap();
    }
}

#[derive(Debug)]
pub(super) struct Cond(pub(super) CondLock);

impl Backend for Cond {
    const NAME: &'static str = "cond";

    fn open(name: &str) -> Self {
        Self(CondLock::open(name, Some(Access::PRIVATE), &LAYOUT).unwrap())
    }

    fn acquire(&self, limit: Duration) -> Result<Outcome, LockFailure> {
        self.0.acquire(limit)
    }

    fn release(&self) {
        self.0.release();
    }

    fn holder(&self) -> Option<u32> {
        self.0.holder()
    }

    fn path(name: &str) -> String {
        format!("/dev/shm/{}{name}", shm::namespace())
    }

    fn spoil_record(&self, pid: u32) {
        self.0.region().write(LAYOUT.record.pid_at, &pid).unwrap();
    }

    fn keep_inner(&self) {
        self.0.keep_inner();
    }

    fn forget_record(&self) {
        self.0.forget_record();
    }
}

/// One test's lock and counter, removed when it ends.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) name: String,
    paths: [String; 2],
    counter: Map,
}

fn counter_name(name: &str) -> String {
    format!("{name}c")
}

fn counter(name: &str) -> Map {
    let object = shm::open(&counter_name(name)).unwrap();
    Map::new(object.as_fd(), shm::bytes(&object).unwrap()).unwrap()
}

fn counted(region: Region<'_>) -> &AtomicU32 {
    region.atomic_u32(0).unwrap()
}

impl Scene {
    pub(super) fn new<B: Backend>() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{:x}l{number}{}", std::process::id(), B::NAME);
        let object = shm::create(&counter_name(&name), Access::PRIVATE).unwrap();
        assert!(shm::size_once(&object, 4096).unwrap());
        let paths = [B::path(&name), Cond::path(&counter_name(&name))];
        Self { counter: counter(&name), paths, name }
    }

    pub(super) fn open<B: Backend>(&self) -> B {
        B::open(&self.name)
    }

    pub(super) fn count(&self) -> u32 {
        counted(self.counter.region()).load(Ordering::Relaxed)
    }

    /// Another process that has the lock open.
    pub(super) fn child<B: Backend>(&self) -> Child {
        let mut child = self.child_before_opening::<B>();
        assert_eq!(child.ask("open"), "open");
        child
    }

    /// Another process that opens the lock with its first command.
    pub(super) fn child_before_opening<B: Backend>(&self) -> Child {
        Child::start("sys::posix::lock_suite::kit::errand", &format!("{} {}", B::NAME, self.name))
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for path in &self.paths {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Not a test: what the other process does.
#[test]
fn errand() {
    let Some(errand) = child::errand() else { return };
    let (backend, name) = errand.split_once(' ').unwrap();
    match backend {
        Robust::NAME => obey::<Robust>(name),
        _ => obey::<Cond>(name),
    }
    std::process::exit(0);
}

fn obey<B: Backend>(name: &str) {
    let mut lock: Option<B> = None;
    child::obey(|line| {
        let lock = &*lock.get_or_insert_with(|| B::open(name));
        let (command, number) = line.split_once(' ').unwrap_or((line, "0"));
        let number: u64 = number.parse().unwrap();
        let take = || match lock.acquire(Duration::from_millis(number)) {
            Ok(outcome) => format!("{outcome:?}"),
            Err(LockFailure::Timeout { .. }) => "Timeout".to_owned(),
            Err(failure) => format!("{failure:?}"),
        };
        match command {
            "open" => "open".to_owned(),
            "take" | "take-and-release" => {
                if number > 1000 {
                    assert!(matches!(lock.acquire(Duration::ZERO), Err(LockFailure::Timeout { .. })));
                    child::say("waits");
                }
                let answer = take();
                if command == "take-and-release" {
                    lock.release();
                }
                answer
            }
            "release" => {
                lock.release();
                "free".to_owned()
            }
            "keep-inner" => {
                lock.keep_inner();
                "kept".to_owned()
            }
            "forget-record" => {
                lock.forget_record();
                "forgotten".to_owned()
            }
            "count" => {
                let map = counter(name);
                let counter = counted(map.region());
                for _ in 0..number {
                    lock.acquire(Duration::from_secs(600)).unwrap();
                    let value = counter.load(Ordering::Relaxed);
                    if value.is_multiple_of(8) {
                        std::thread::yield_now();
                    }
                    counter.store(value + 1, Ordering::Relaxed);
                    lock.release();
                }
                "counted".to_owned()
            }
            other => panic!("{other}"),
        }
    });
}
