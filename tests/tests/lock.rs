//! The named lock between processes, on its own (wire §5).

use std::sync::Barrier;
use std::time::Duration;

use tdshm::{LockError, NamedLock};
use tdshm_tests::Scene;
use tdshm_tests::foreign::{self, Mapping};
use tdshm_tests::system::{LOCKS_NAME_HOLDERS, holder};

const SHORT: Duration = Duration::from_millis(1);
/// Far longer than the watchdog's: on a busy machine a holder waits for a processor.
const EVER: Duration = Duration::from_secs(600);

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
    assert_eq!(lock.holder(), holder(peer.pid()));
    let error = lock.lock_timeout(SHORT).unwrap_err();
    let LockError::Timeout { name: said, waited, holder: found } = &error else { panic!("{error}") };
    assert_eq!((said, *waited, *found), (&name, SHORT, holder(peer.pid())));
    let named = error.to_string().contains(&format!("process {}", peer.pid()));
    assert_eq!(named, LOCKS_NAME_HOLDERS, "{error}");

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
                    let guard = lock.lock_timeout(EVER).unwrap();
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
