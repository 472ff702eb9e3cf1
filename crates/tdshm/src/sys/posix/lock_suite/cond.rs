//! What only the lock of macOS has to stand: programs that are not ours, an inner mutex that may be kept by the dead,
//! an object that is there before it is ready.
#![allow(clippy::multiple_unsafe_ops_per_block, reason = "a foreign program's few lines of C")]

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::kit::{Backend, Cond, Scene};
use super::{AT_ONCE, EVER, SOON};
use crate::lock::layout::LAYOUT;
use crate::mem::Region;
use crate::sys::posix::cond_lock::CondLock;
use crate::sys::posix::map::Map;
use crate::sys::posix::{process, shm};
use crate::sys::{self, Access, LockFailure, LockOpenError, ObjectError, Outcome};

/// A foreign program's object, by hand from wire §5: mutex, condition, flag, one behind the other.
#[derive(Debug)]
struct Foreign {
    map: Map,
}

#[repr(C)]
struct Layout {
    mutex: libc::pthread_mutex_t,
    condition: libc::pthread_cond_t,
    locked: bool,
}

const LOCKED: usize = size_of::<libc::pthread_mutex_t>() + size_of::<libc::pthread_cond_t>();

impl Foreign {
    /// Maps it, whatever lies there.
    fn open(name: &str) -> Self {
        let object = shm::open(name).unwrap();
        Self { map: Map::new(object.as_fd(), shm::bytes(&object).unwrap()).unwrap() }
    }

    /// Makes it: of exactly as many bytes as it has.
    fn make(name: &str, bytes: usize) -> Self {
        let object = shm::create(name, Access::PRIVATE).unwrap();
        assert!(shm::size_once(&object, bytes).unwrap());
        let foreign = Self::open(name);
        foreign.initialise();
        foreign
    }

    fn initialise(&self) {
        let lock = self.lock();
        // SAFETY: room for the attributes, made before they are used; the mapping holds a `Layout` at its beginning,
        // which nobody else uses yet. Failures would show in what the test sees.
        unsafe {
            let mut of_mutex = std::mem::zeroed();
            libc::pthread_mutexattr_init(&raw mut of_mutex);
            libc::pthread_mutexattr_setpshared(&raw mut of_mutex, libc::PTHREAD_PROCESS_SHARED);
            libc::pthread_mutex_init(&raw mut (*lock).mutex, &raw const of_mutex);
            let mut of_condition = std::mem::zeroed();
            libc::pthread_condattr_init(&raw mut of_condition);
            libc::pthread_condattr_setpshared(&raw mut of_condition, libc::PTHREAD_PROCESS_SHARED);
            libc::pthread_cond_init(&raw mut (*lock).condition, &raw const of_condition);
            (*lock).locked = false;
        }
    }

    fn lock(&self) -> *mut Layout {
        self.map.region().as_ptr().cast()
    }

    fn region(&self) -> Region<'_> {
        self.map.region()
    }

    /// Locks as wire §5 says: sleeps on the condition. Calls `sleeping` before it does, with the mutex held.
    fn acquire(&self, sleeping: impl Fn()) {
        let lock = self.lock();
        // SAFETY: `initialise` made both, in a mapping that `self` keeps.
        unsafe {
            assert_eq!(libc::pthread_mutex_lock(&raw mut (*lock).mutex), 0);
            while (&raw const (*lock).locked).read_volatile() {
                sleeping();
                libc::pthread_cond_wait(&raw mut (*lock).condition, &raw mut (*lock).mutex);
            }
            (&raw mut (*lock).locked).write_volatile(true);
            libc::pthread_mutex_unlock(&raw mut (*lock).mutex);
        }
    }

    fn release(&self) {
        let lock = self.lock();
        // SAFETY: as in `acquire`.
        unsafe {
            assert_eq!(libc::pthread_mutex_lock(&raw mut (*lock).mutex), 0);
            (&raw mut (*lock).locked).write_volatile(false);
            libc::pthread_cond_signal(&raw mut (*lock).condition);
            libc::pthread_mutex_unlock(&raw mut (*lock).mutex);
        }
    }
}

fn open(name: &str) -> Result<CondLock, LockOpenError> {
    CondLock::open(name, Some(Access::PRIVATE), &LAYOUT)
}

/// The bytes of the object: the flag behind mutex and condition, the record at 256, and nothing else of ours where the
/// vendor's programs look.
#[test]
fn the_flag_and_the_record_stand_where_they_should() {
    let scene = Scene::new::<Cond>();
    let lock = scene.open::<Cond>();
    let foreign = Foreign::open(&scene.name);
    let record = || {
        let mut record = [0; 24];
        foreign.region().copy_out(256, &mut record).unwrap();
        record
    };
    assert_eq!((foreign.region().len(), foreign.region().read::<u8>(LOCKED)), (4096, Ok(0)));
    assert_eq!(record(), [0; 24]);
    lock.acquire(EVER).unwrap();
    let mut expected = [0; 24];
    expected[..8].copy_from_slice(b"TDSHMLK1");
    expected[8..12].copy_from_slice(&std::process::id().to_le_bytes());
    expected[16..].copy_from_slice(&sys::start_time(std::process::id()).unwrap().to_le_bytes());
    assert_eq!((foreign.region().read::<u8>(LOCKED), record()), (Ok(1), expected));
    lock.release();
    assert_eq!((foreign.region().read::<u8>(LOCKED), record()), (Ok(0), [0; 24]));
}

/// The vendor's programs and ours exclude each other, whoever made the object, and wake each other.
#[test]
fn foreign_programs_and_ours_share_it() {
    for bytes in [4096, size_of::<Layout>()] {
        let scene = Scene::new::<Cond>();
        let foreign = Foreign::make(&scene.name, bytes);
        let lock = scene.open::<Cond>();
        foreign.acquire(|| {});
        match lock.acquire(SOON) {
            Err(LockFailure::Timeout { holder: None }) => {}
            other => panic!("{other:?}"),
        }
        foreign.release();
        assert_eq!(lock.acquire(EVER).unwrap(), Outcome::Clean);
        let sleeps = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| {
                foreign.acquire(|| sleeps.store(true, Ordering::Release));
                foreign.release();
            });
            while !sleeps.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            lock.release(); // waits for the mutex, which the sleeper lets go of by falling asleep
            sleeper.join().unwrap();
        });
        let mut child = scene.child::<Cond>();
        foreign.acquire(|| {});
        child.begin("take 600000");
        child.until_it_waits();
        foreign.release();
        assert_eq!(child.answer(), "Clean");
    }
}

/// Who cannot be named is never robbed, be it a foreign program, or one of ours that was killed at the worst moment.
#[test]
fn without_a_record_nothing_is_cleared() {
    let scene = Scene::new::<Cond>();
    let lock = scene.open::<Cond>();
    let mut child = scene.child::<Cond>();
    assert_eq!(child.ask("take 0"), "Clean");
    assert_eq!(child.ask("forget-record"), "forgotten");
    child.kill();
    let foreign = Foreign::open(&scene.name);
    for limit in [AT_ONCE, SOON] {
        assert!(matches!(lock.acquire(limit), Err(LockFailure::Timeout { holder: None })));
        assert_eq!(foreign.region().read::<u8>(LOCKED), Ok(1));
    }
    foreign.release();
    assert_eq!(lock.acquire(EVER).unwrap(), Outcome::Clean);
}

/// A holder whose process id belongs to another process by now is dead.
#[test]
fn a_process_id_that_was_given_away_names_nobody() {
    let scene = Scene::new::<Cond>();
    let lock = scene.open::<Cond>();
    let foreign = Foreign::open(&scene.name);
    foreign.acquire(|| {});
    let me = LAYOUT.record;
    foreign.region().write(me.pid_at, &std::process::id()).unwrap();
    foreign.region().write(me.start_at, &process::start().wrapping_sub(1)).unwrap();
    foreign.region().write(me.at, &me.magic).unwrap();
    assert_eq!(lock.acquire(AT_ONCE).unwrap(), Outcome::Abandoned);
}

/// A program killed in the instant that it has the inner mutex: nobody hangs, and the error says what it is.
#[test]
fn an_inner_mutex_that_is_never_free_is_an_error_of_its_own() {
    let scene = Scene::new::<Cond>();
    let lock = scene.open::<Cond>();
    assert_eq!(lock.acquire(EVER).unwrap(), Outcome::Clean);
    let mut waiter = scene.child::<Cond>();
    waiter.begin("take 1500");
    waiter.until_it_waits();
    let mut child = scene.child::<Cond>();
    assert_eq!(child.ask("keep-inner"), "kept");
    child.kill();
    assert_eq!(waiter.answer(), "Timeout", "it had seen who holds it");
    assert_eq!(waiter.ask("take 100"), "Stuck");
    assert_eq!(waiter.ask("take 0"), "Timeout", "who does not wait cannot tell");
    lock.release();
    let foreign = Foreign::open(&scene.name);
    assert_eq!(foreign.region().read::<u8>(LOCKED), Ok(0), "let go of nevertheless");
}

/// An object without a size, or without its mutex, is being made: whoever opens it waits.
#[test]
fn a_lock_that_is_being_made_is_waited_for() {
    for sized in [false, true] {
        let scene = Scene::new::<Cond>();
        let object = shm::create(&scene.name, Access::PRIVATE).unwrap();
        if sized {
            assert!(shm::size_once(&object, 4096).unwrap());
        }
        let opened = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let opener = scope.spawn(|| {
                let lock =
                    CondLock::open_patiently(&scene.name, Some(Access::PRIVATE), &LAYOUT, EVER).unwrap();
                opened.store(true, Ordering::Release);
                lock
            });
            for _ in 0..1000 {
                std::thread::yield_now();
                assert!(!opened.load(Ordering::Acquire), "it was not ready");
            }
            if !sized {
                assert!(shm::size_once(&object, 4096).unwrap());
            }
            let foreign = Foreign::open(&scene.name);
            foreign.initialise();
            foreign.acquire(|| {});
            let lock = opener.join().unwrap();
            assert!(matches!(lock.acquire(SOON), Err(LockFailure::Timeout { holder: None })));
        });
    }
}

/// What a maker left that did not go on is made by the next one, and by one alone.
#[test]
fn what_a_maker_left_is_made_by_the_next() {
    for sized in [false, true] {
        let scene = Scene::new::<Cond>();
        let object = shm::create(&scene.name, Access::PRIVATE).unwrap();
        if sized {
            assert!(shm::size_once(&object, 4096).unwrap());
        }
        let mut children: Vec<_> = (0..4).map(|_| scene.child_before_opening::<Cond>()).collect();
        for child in &mut children {
            child.begin("count 200");
        }
        for child in &mut children {
            assert_eq!(child.answer(), "counted");
        }
        assert_eq!(scene.count(), 800);
    }
}

/// A maker of ours that died says so itself: nobody waits for it.
#[test]
fn a_dead_maker_is_not_waited_for() {
    let scene = Scene::new::<Cond>();
    let mut child = scene.child_before_opening::<Cond>();
    child.kill();
    let object = shm::create(&scene.name, Access::PRIVATE).unwrap();
    assert!(shm::size_once(&object, 4096).unwrap());
    let foreign = Foreign::open(&scene.name);
    foreign.region().write(LAYOUT.record.maker_at, &child.pid()).unwrap();
    foreign.region().write(LAYOUT.record.maker_start_at, &1_u64).unwrap();
    let lock = open(&scene.name).unwrap();
    assert_eq!(lock.acquire(EVER).unwrap(), Outcome::Clean);
    assert_eq!(foreign.region().read::<u32>(LAYOUT.record.maker_at), Ok(std::process::id()));
}

/// A lock is only made where that is wanted, and something too small for one is none.
#[test]
fn what_is_missing_or_none_is_said() {
    let scene = Scene::new::<Cond>();
    let missing = CondLock::open(&scene.name, None, &LAYOUT).unwrap_err();
    assert!(matches!(missing, LockOpenError::Object(ObjectError::Absent)));
    assert!(!shm::exists(&scene.name));
    let object = shm::create(&scene.name, Access::PRIVATE).unwrap();
    assert!(shm::size_once(&object, 20).unwrap());
    let small = open(&scene.name).unwrap_err();
    assert!(matches!(small, LockOpenError::Object(ObjectError::TooSmall { bytes: 20, needed: 21.. })));
    let long = CondLock::open(&"x".repeat(32), Some(Access::PRIVATE), &LAYOUT).unwrap_err();
    assert!(matches!(long, LockOpenError::Object(ObjectError::Os { .. })));
}

/// Bytes that are no mutex are refused by the C library, and the refusal is told.
#[test]
fn garbage_is_not_a_lock() {
    let scene = Scene::new::<Cond>();
    let object = shm::create(&scene.name, Access::PRIVATE).unwrap();
    assert!(shm::size_once(&object, 4096).unwrap());
    let foreign = Foreign::open(&scene.name);
    foreign.region().copy_in(0, &[0xff; 4096]).unwrap();
    let lock = open(&scene.name).unwrap();
    let failed = lock.acquire(Duration::from_millis(20));
    assert!(matches!(failed, Err(LockFailure::Unrecoverable | LockFailure::Stuck)), "{failed:?}");
    lock.release();
}

/// The name may lead to another lock by now.
#[test]
fn another_lock_of_the_same_name_is_told_apart() {
    let scene = Scene::new::<Cond>();
    let lock = open(&scene.name).unwrap();
    let again = open(&scene.name).unwrap();
    assert!(lock.lies_in(&scene.name) && again.lies_in(&scene.name));
    shm::unlink(&scene.name);
    assert!(!lock.lies_in(&scene.name));
    let other = open(&scene.name).unwrap();
    assert!(other.lies_in(&scene.name) && !lock.lies_in(&scene.name));
    assert!(!other.lies_in("no such lock"));
}
