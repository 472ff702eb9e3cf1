//! The named lock between processes, on its own (wire §5).

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::Barrier;
use std::time::Duration;

use tdshm::{Error, LockError, NamedLock, SegmentError};
use tdshm_tests::Scene;
use tdshm_tests::foreign::{self, ABI, MUTEX_AT, MUTEX_BYTES, Mapping};

const SHORT: Duration = Duration::from_millis(1);

fn lock_name(scene: &Scene) -> String {
    foreign::Names::of(scene.name()).data_lock
}

#[test]
fn one_process_at_a_time() {
    let scene = Scene::new("lock: one at a time");
    let name = lock_name(&scene);
    let lock = NamedLock::open(&name).unwrap();
    assert_eq!(lock.holder(), None);
    let mut peer = scene.peer();
    assert_eq!(peer.ask(&format!("lock {name} 0")), "clean");

    assert!(lock.try_lock().unwrap().is_none());
    assert_eq!(lock.holder(), Some(peer.pid()));
    let error = lock.lock_timeout(SHORT).unwrap_err();
    let LockError::Timeout { name: said, waited, holder } = &error else { panic!("{error}") };
    assert_eq!((said, *waited, *holder), (&name, SHORT, Some(peer.pid())));
    assert!(error.to_string().contains(&format!("process {}", peer.pid())), "{error}");

    peer.ask("unlock");
    let guard = lock.lock().unwrap();
    assert!(!guard.is_abandoned());
    assert_eq!(lock.holder(), Some(std::process::id()));
    let error = peer.try_ask(&format!("lock {name} 1")).unwrap_err();
    assert_eq!(error.code, 101, "{}", error.text);
    drop(guard);
    assert_eq!(lock.holder(), None);
    assert_eq!(peer.ask(&format!("lock {name} 5000")), "clean");
    peer.ask("unlock");
}

#[test]
fn a_waiter_gets_it_when_the_holder_lets_go() {
    let scene = Scene::new("lock: hand-over");
    let name = lock_name(&scene);
    let lock = NamedLock::open(&name).unwrap();
    let guard = lock.lock().unwrap();
    let mut peer = scene.peer();
    peer.begin_and_sleep(&format!("lock {name} 50000"));
    assert!(peer.try_answer().is_none());
    drop(guard);
    assert_eq!(peer.answer().unwrap(), "clean");
}

#[test]
fn it_is_not_recursive_through_whatever_handle() {
    let scene = Scene::new("lock: not recursive");
    let name = lock_name(&scene);
    let (lock, twin) = (NamedLock::open(&name).unwrap(), NamedLock::open(&name).unwrap());
    let guard = lock.lock().unwrap();
    for again in [&lock, &twin] {
        // With the longest of limits: it fails at once, or the watchdog barks.
        assert!(matches!(again.lock_timeout(Duration::MAX), Err(LockError::AlreadyHeld { .. })));
        assert!(matches!(again.try_lock(), Err(LockError::AlreadyHeld { .. })));
    }
    std::thread::scope(|scope| {
        let other = scope.spawn(|| lock.try_lock().map(|got| got.is_none()));
        assert!(other.join().unwrap().unwrap(), "another thread just does not get it");
    });
    drop(guard);
    assert!(twin.try_lock().unwrap().is_some());
}

#[test]
fn it_counts_right_between_threads_and_processes() {
    let scene = Scene::new("lock: counting");
    let name = lock_name(&scene);
    let object = format!("TouchSHM{}number", scene.name());
    let number = Mapping::create(&object, 4096);
    let mut peers = [scene.peer(), scene.peer()];
    for peer in &mut peers {
        peer.begin(&format!("increment {name} {object} 500"));
    }
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let lock = NamedLock::open(&name).unwrap();
                let number = Mapping::open(&object).unwrap();
                for _ in 0..500 {
                    let guard = lock.lock().unwrap();
                    let value = number.u32(0);
                    std::thread::yield_now();
                    number.write(0, &(value + 1).to_le_bytes());
                    drop(guard);
                }
            });
        }
    });
    for peer in &mut peers {
        peer.answer().unwrap();
    }
    assert_eq!(number.u32(0), 2500);
}

#[test]
fn a_panic_lets_go_of_it() {
    let scene = Scene::new("lock: unwinding");
    let lock = NamedLock::open(&lock_name(&scene)).unwrap();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guard = lock.lock().unwrap();
        std::panic::resume_unwind(Box::new(()));
    }));
    assert!(result.is_err());
    let got = lock.try_lock().unwrap().unwrap();
    assert!(!got.is_abandoned());
}

#[test]
fn all_who_open_it_at_once_have_the_same_lock() {
    let scene = Scene::new("lock: opened at once");
    for round in 0..50 {
        let name = format!("{}{round}", lock_name(&scene));
        let barrier = Barrier::new(6);
        std::thread::scope(|scope| {
            for thread in 0..6 {
                let (name, barrier) = (&name, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let lock = NamedLock::open(name).unwrap();
                    let guard = (thread == 0).then(|| lock.lock().unwrap());
                    barrier.wait();
                    let free = guard.is_none() && lock.try_lock().unwrap().is_some();
                    barrier.wait(); // asserted behind it: a thread that fails must not keep the others waiting
                    assert!(!free, "two locks under one name");
                    drop(guard);
                });
            }
        });
    }
}

#[test]
fn the_object_is_the_table_of_section_5() {
    let scene = Scene::new("lock: its bytes");
    let name = lock_name(&scene);
    let lock = NamedLock::open(&name).unwrap();
    let object = Mapping::open(&name).unwrap();
    assert_eq!(object.read(0, 8), b"TDSHMLCK");
    assert_eq!([8, 12, 16, 20].map(|at| object.u32(at)), [1, ABI, MUTEX_BYTES as u32, 0]);
    assert_eq!(object.read(24, MUTEX_AT - 24), vec![0; MUTEX_AT - 24]);
    let guard = lock.lock().unwrap();
    assert_eq!(object.u32(20), std::process::id());
    drop(guard);
    assert_eq!(object.u32(20), 0);
    let mode = std::fs::metadata(scene.path("TouchSHM{}Mutex")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    drop(lock);
    assert!(scene.path("TouchSHM{}Mutex").exists(), "a lock stays");
}

#[test]
fn a_lock_made_by_hand_is_used_as_it_is() {
    let scene = Scene::new("lock: by hand");
    let name = lock_name(&scene);
    foreign::make_lock(&name);
    let inode = std::fs::metadata(scene.path("TouchSHM{}Mutex")).unwrap().ino();
    let mut peer = scene.peer();
    peer.ask(&format!("lock {name} 0"));
    let lock = NamedLock::open(&name).unwrap();
    assert!(lock.try_lock().unwrap().is_none());
    peer.ask("unlock");
    assert!(lock.try_lock().unwrap().is_some());
    assert_eq!(std::fs::metadata(scene.path("TouchSHM{}Mutex")).unwrap().ino(), inode);
}

#[test]
fn a_lock_of_another_kind_is_refused_with_field_and_numbers() {
    let scene = Scene::new("lock: of another kind");
    let name = lock_name(&scene);
    foreign::make_lock(&name);
    let object = Mapping::open(&name).unwrap();
    let cases: [(&str, usize, u64, u64); 4] = [
        ("version", 8, 2, 1),
        ("ABI", 12, u64::from(3 - ABI), ABI.into()),
        ("mutex size", 16, MUTEX_BYTES as u64 + 8, MUTEX_BYTES as u64),
        ("magic", 0, u64::from_le_bytes(*b"XXXXMLCK"), u64::from_le_bytes(*b"TDSHMLCK")),
    ];
    for (wrong, at, bad, good) in cases {
        let (was, bad_bytes) = (object.read(at, 4), &bad.to_le_bytes()[..4]);
        object.write(at, bad_bytes);
        let error = NamedLock::open(&name).unwrap_err();
        let Error::Lock(LockError::NotALock { field, value, expected, .. }) = &error else {
            panic!("{error}")
        };
        assert_eq!((*field, *value, *expected), (wrong, bad, good));
        assert_eq!(error.code(), 103);
        object.write(at, &was);
    }
    assert!(NamedLock::open(&name).is_ok());
}

#[test]
fn what_is_in_the_way_is_an_error_and_is_not_touched() {
    let scene = Scene::new("lock: in the way");
    let name = lock_name(&scene);
    let path = scene.path("TouchSHM{}Mutex");
    let elsewhere = scene.scratch().join("elsewhere");
    std::fs::write(&elsewhere, vec![0x55; 4096]).unwrap();
    let refused = |what: &str| {
        scene.doing(what);
        let error = NamedLock::open(&name).unwrap_err();
        let Error::Lock(LockError::Object(object)) = &error else { panic!("{what}: {error}") };
        assert!(
            matches!(**object, SegmentError::NotOurs { .. } | SegmentError::TooSmall { .. }),
            "{what}: {error}"
        );
        assert_eq!(std::fs::read(&elsewhere).unwrap(), vec![0x55; 4096], "{what}");
    };

    std::fs::create_dir(&path).unwrap();
    refused("a directory");
    std::fs::remove_dir(&path).unwrap();

    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    refused("a link to a file");
    std::fs::remove_file(&path).unwrap();

    let nowhere = scene.scratch().join("nowhere");
    std::os::unix::fs::symlink(&nowhere, &path).unwrap();
    refused("a dangling link");
    assert!(!nowhere.exists());
    std::fs::remove_file(&path).unwrap();

    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, mode).unwrap();
    refused("a fifo");
    std::fs::remove_file(&path).unwrap();

    let other = scene.path("TouchSHM{}other");
    std::fs::write(&other, vec![0; 4096]).unwrap();
    std::fs::hard_link(&other, &path).unwrap();
    refused("a second name of another file");
    std::fs::remove_file(&path).unwrap();

    std::fs::write(&path, [0; 20]).unwrap();
    refused("a file that is too small");
    assert_eq!(std::fs::read(&path).unwrap(), [0; 20]);
}

/// An empty object may be one that is being made; whoever opens the lock may wait a little, but not for ever.
#[test]
fn an_empty_object_in_the_way_is_an_error_in_the_end() {
    let scene = Scene::new("lock: empty object");
    let name = lock_name(&scene);
    std::fs::write(scene.path("TouchSHM{}Mutex"), b"").unwrap();
    scene.doing("NamedLock::open to give up on an empty object");
    let error = NamedLock::open(&name).unwrap_err();
    assert!(matches!(error, Error::Lock(_)), "{error}");
}
