//! One suite of tests for every lock that this system can build: the robust one of Linux, and the one of macOS, which
//! is the same type there.
//!
//! The other process of a test is this very test program, started anew with its errand in the environment. It obeys
//! lines and answers in lines, so nothing sleeps to synchronise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests, and their kit"
)]

mod cond;
mod kit;

use std::time::{Duration, Instant};

use self::kit::{Backend, Child, Cond, Robust, Scene};
use crate::sys::{LockFailure, Outcome};

const AT_ONCE: Duration = Duration::ZERO;
const SOON: Duration = Duration::from_millis(50);
/// Far longer than the test runner waits: nobody may have to wait for a time limit.
const EVER: Duration = Duration::from_secs(600);

/// Who holds it is told, nobody else gets it, and the next one does when it is let go of.
fn one_holder_at_a_time<B: Backend>() {
    let scene = Scene::new::<B>();
    let lock = scene.open::<B>();
    assert_eq!(lock.holder(), None);
    let mut child = scene.child::<B>();
    assert_eq!(child.ask("take 0"), "Clean");
    for limit in [AT_ONCE, SOON] {
        match lock.acquire(limit) {
            Err(LockFailure::Timeout { holder }) => assert_eq!(holder, Some(child.pid())),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(lock.holder(), Some(child.pid()));
    assert_eq!(child.ask("release"), "free");
    assert_eq!(lock.acquire(AT_ONCE).unwrap(), Outcome::Clean);
    assert_eq!((child.ask("take 20"), lock.holder()), ("Timeout".to_owned(), Some(std::process::id())));
    lock.release();
    assert_eq!((child.ask("take 0"), child.ask("release")), ("Clean".to_owned(), "free".to_owned()));
    assert_eq!(lock.holder(), None);
}

/// Whoever waits gets it as soon as it is let go of.
fn a_waiter_gets_it<B: Backend>() {
    let scene = Scene::new::<B>();
    let lock = scene.open::<B>();
    let mut child = scene.child::<B>();
    assert_eq!(lock.acquire(EVER).unwrap(), Outcome::Clean);
    child.begin("take 600000");
    child.until_it_waits();
    lock.release();
    assert_eq!(child.answer(), "Clean");
    child.begin("release");
    assert_eq!(lock.acquire(EVER).unwrap(), Outcome::Clean);
    lock.release();
}

/// A second attempt of one thread fails at once, through the same opening and through another; other threads wait.
fn it_is_not_recursive<B: Backend>() {
    let scene = Scene::new::<B>();
    let (lock, again) = (scene.open::<B>(), scene.open::<B>());
    assert_eq!(lock.acquire(EVER).unwrap(), Outcome::Clean);
    for second in [&lock, &again] {
        for limit in [AT_ONCE, EVER] {
            assert!(matches!(second.acquire(limit), Err(LockFailure::AlreadyHeld)));
        }
    }
    std::thread::scope(|scope| {
        let other = scope.spawn(|| matches!(again.acquire(SOON), Err(LockFailure::Timeout { .. })));
        assert!(other.join().unwrap());
        let waiter = scope.spawn(|| {
            let outcome = again.acquire(EVER).unwrap();
            again.release();
            outcome
        });
        lock.release();
        assert_eq!(waiter.join().unwrap(), Outcome::Clean);
    });
    assert_eq!(lock.acquire(EVER).unwrap(), Outcome::Clean);
    lock.release();
}

/// Only the thread that took it lets go of it.
fn nobody_else_lets_go<B: Backend>() {
    let scene = Scene::new::<B>();
    let (lock, again) = (scene.open::<B>(), scene.open::<B>());
    lock.release();
    assert_eq!(lock.acquire(EVER).unwrap(), Outcome::Clean);
    std::thread::scope(|scope| {
        scope.spawn(|| again.release()).join().unwrap();
    });
    let mut child = scene.child::<B>();
    assert_eq!(child.ask("take 0"), "Timeout");
    lock.release();
    lock.release();
    assert_eq!(child.ask("take 0"), "Clean");
}

/// A holder that is killed leaves the lock to the next one, who is told, and to nobody else.
fn a_killed_holder_leaves_it<B: Backend>() {
    let scene = Scene::new::<B>();
    let lock = scene.open::<B>();
    for limit in [AT_ONCE, EVER] {
        let mut child = scene.child::<B>();
        assert_eq!(child.ask("take 0"), "Clean");
        child.kill();
        assert_eq!(lock.acquire(limit).unwrap(), Outcome::Abandoned);
        assert_eq!(lock.holder(), Some(std::process::id()));
        lock.release();
        assert_eq!(lock.acquire(limit).unwrap(), Outcome::Clean, "told once");
        lock.release();
    }
}

/// Those who wait when the holder is killed get it, one of them with the news.
fn waiters_survive_the_holder<B: Backend>() {
    let scene = Scene::new::<B>();
    let mut holder = scene.child::<B>();
    assert_eq!(holder.ask("take 0"), "Clean");
    let mut waiters: Vec<Child> = (0..3).map(|_| scene.child::<B>()).collect();
    for waiter in &mut waiters {
        waiter.begin("take-and-release 600000");
        waiter.until_it_waits();
    }
    holder.kill();
    let mut told: Vec<String> = waiters.iter_mut().map(Child::answer).collect();
    told.sort();
    assert_eq!(told, ["Abandoned", "Clean", "Clean"]);
}

/// Waiters that are killed take nothing with them: no wake-up, no lock.
fn killed_waiters_take_nothing_along<B: Backend>() {
    let scene = Scene::new::<B>();
    let lock = scene.open::<B>();
    for _ in 0..3 {
        assert_eq!(lock.acquire(EVER).unwrap(), Outcome::Clean);
        let mut waiters: Vec<Child> = (0..4).map(|_| scene.child::<B>()).collect();
        for waiter in &mut waiters {
            waiter.begin("take-and-release 600000");
            waiter.until_it_waits();
        }
        let survivors = waiters.split_off(2);
        for mut waiter in waiters {
            waiter.kill();
        }
        lock.release();
        for mut survivor in survivors {
            assert_eq!(survivor.answer(), "Clean");
        }
    }
}

/// A limit is what it says: added to the clock it nearly always carries into the seconds.
fn a_limit_just_below_a_second_is_waited_for<B: Backend>() {
    let scene = Scene::new::<B>();
    let lock = scene.open::<B>();
    let mut child = scene.child::<B>();
    assert_eq!(child.ask("take 0"), "Clean");
    let (begin, limit) = (Instant::now(), Duration::from_nanos(999_999_999));
    assert!(matches!(lock.acquire(limit), Err(LockFailure::Timeout { .. })));
    assert!(begin.elapsed() >= limit, "{:?}", begin.elapsed());
}

/// Processes that come at the same moment, of which each may be the one that makes the lock, exclude each other.
fn many_make_it_at_once<B: Backend>() {
    for _ in 0..10 {
        let scene = Scene::new::<B>();
        let mut children: Vec<Child> = (0..6).map(|_| scene.child_before_opening::<B>()).collect();
        for child in &mut children {
            child.begin("count 50");
        }
        for child in &mut children {
            assert_eq!(child.answer(), "counted");
        }
        assert_eq!(scene.count(), 6 * 50);
    }
}

/// Counting goes on, exactly, while one process after the other is killed at random. Only a lock that the system itself
/// looks after can stand that: the other one has its instant with the inner mutex.
fn counting_survives_kills<B: Backend>() {
    let scene = Scene::new::<B>();
    let mut steady = scene.child::<B>();
    steady.begin("count 20000");
    let mut killed = 0;
    while steady.try_answer().is_none() {
        let mut victim = scene.child::<B>();
        victim.begin("count 1000000");
        let before = scene.count();
        while scene.count() == before {
            std::thread::yield_now();
        }
        victim.kill();
        killed += 1;
    }
    assert!(killed > 0);
    // Each one that was killed may have had the lock: between reading and writing nothing was lost but its own.
    let mut last = scene.child::<B>();
    let before = scene.count();
    assert_eq!(last.ask("count 10"), "counted");
    assert_eq!(scene.count(), before + 10);
}

/// What strangers write into the record does not keep the holder from letting go.
fn a_spoiled_record_does_not_matter<B: Backend>() {
    let scene = Scene::new::<B>();
    let lock = scene.open::<B>();
    for pid in [0, 1, u32::MAX] {
        assert_eq!(lock.acquire(EVER).unwrap(), Outcome::Clean);
        lock.spoil_record(pid);
        lock.release();
        let mut child = scene.child::<B>();
        assert_eq!(child.ask("take 0"), "Clean");
        assert_eq!(child.ask("release"), "free");
    }
}

macro_rules! suite {
    ($module:ident, $backend:ty: $($test:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $test() {
                    super::$test::<$backend>();
                }
            )*
        }
    };
}

macro_rules! on_both {
    ($($test:ident)*) => {
        suite!(robust_lock, super::Robust: $($test)*);
        suite!(macos_lock, super::Cond: $($test)*);
    };
}

on_both! {
    one_holder_at_a_time
    a_waiter_gets_it
    it_is_not_recursive
    nobody_else_lets_go
    a_killed_holder_leaves_it
    waiters_survive_the_holder
    killed_waiters_take_nothing_along
    a_limit_just_below_a_second_is_waited_for
    many_make_it_at_once
    a_spoiled_record_does_not_matter
}

#[test]
fn robust_counting_survives_kills() {
    counting_survives_kills::<Robust>();
}
