//! A segment's lock that is held without a guard, its memory without the lock, and waiting for its next frame: what programs in
//! other languages are given (wire §5, §11).

use std::sync::mpsc;
use std::time::Duration;

use tdshm::{LockError, NamedLock, SegmentReceiver, SegmentSender};
use tdshm_tests::Scene;
use tdshm_tests::foreign;

/// Far longer than the watchdog's: whoever waits so long has failed.
const EVER: Duration = Duration::from_secs(600);

#[test]
fn what_is_written_between_hold_and_let_go_is_one_frame() {
    let scene = Scene::new("held: a frame");
    let mut out = SegmentSender::create(scene.name(), 4096).unwrap();
    let mut input = SegmentReceiver::open(scene.name()).unwrap();
    assert!(!input.wait_timeout(Duration::ZERO).unwrap());
    for round in 1..4 {
        assert!(!out.hold(None).unwrap());
        assert!(matches!(out.lock(), Err(LockError::AlreadyHeld { .. })), "not recursive");
        assert!(matches!(out.hold(Some(Duration::ZERO)), Err(LockError::AlreadyHeld { .. })));
        assert!(out.resize(9000, |_| {}).is_err());
        out.unlocked().copy_from(&[round; 4]);
        assert!(out.let_go() && !out.let_go());
        assert!(input.wait_timeout(EVER).unwrap() && !input.wait_timeout(Duration::ZERO).unwrap());
        let held = input.lock_timeout(EVER).unwrap().unwrap();
        assert_eq!((held.view().get(3), held.is_abandoned()), (Some(round), false));
        drop(held);
        assert_eq!(input.unlocked().unwrap().unwrap().get(0), Some(round));
    }
    out.resize(50_000, |view| assert!(view.set(0, 77))).unwrap();
    assert!(input.wait_timeout(EVER).unwrap());
    let view = input.unlocked().unwrap().unwrap();
    assert!(view.len() >= 50_000 && view.get(0) == Some(77));
    out.detach().unwrap();
    assert!(input.unlocked().unwrap().is_none());
    assert!(!input.wait_timeout(Duration::ZERO).unwrap());
}

#[test]
fn a_receiver_that_waits_is_woken_by_another_process() {
    let scene = Scene::new("held: woken");
    let mut input = SegmentReceiver::open(scene.name()).unwrap();
    let mut peer = scene.peer();
    peer.ask(&format!("sender {} 4096", scene.name()));
    for value in 1..5 {
        peer.ask(&format!("send 2 2 60 {value} names"));
        assert!(input.wait_timeout(EVER).unwrap());
    }
    peer.kill();
    assert!(!input.wait_timeout(Duration::from_millis(300)).unwrap(), "the dead write nothing");
}

#[test]
fn of_a_foreign_sender_nobody_knows_whether_it_wrote() {
    let scene = Scene::new("held: foreign");
    let mut input = SegmentReceiver::open(scene.name()).unwrap();
    assert!(!input.wait_timeout(Duration::ZERO).unwrap() && !input.is_counted());
    let sender = foreign::Foreign::default().start(scene.name());
    for _ in 0..3 {
        assert!(input.wait_timeout(EVER).unwrap() && !input.is_counted(), "look yourself");
        assert!(input.wait_timeout(Duration::ZERO).unwrap() && !input.is_counted());
    }
    sender.leave();
    assert!(!input.wait_timeout(Duration::ZERO).unwrap() && !input.is_counted());
    let mut out = SegmentSender::create(scene.name(), 64).unwrap();
    out.lock().unwrap().view().copy_from(b"hello");
    assert!(input.wait_timeout(EVER).unwrap() && input.is_counted(), "known");
    assert!(!input.wait_timeout(Duration::ZERO).unwrap() && input.is_counted());
}

#[test]
fn a_held_lock_is_not_free_for_others() {
    let scene = Scene::new("held: busy");
    let mut out = SegmentSender::create(scene.name(), 64).unwrap();
    let name = foreign::Names::of(scene.name()).data_lock;
    let mut peer = scene.peer();
    assert_eq!(peer.ask(&format!("lock {name} 0")), "clean");
    assert!(out.try_lock().unwrap().is_none());
    let error = out.hold(Some(Duration::from_millis(1))).unwrap_err();
    assert!(matches!(error, LockError::Timeout { .. }), "{error}");
    assert!(!out.let_go());
    peer.ask("unlock");
    assert!(!out.hold(Some(Duration::ZERO)).unwrap());
    assert_eq!(peer.try_ask(&format!("lock {name} 1")).unwrap_err().code, 101);
    assert!(out.let_go());
    assert!(out.try_lock().unwrap().is_some());
}

#[test]
fn another_thread_does_not_let_go_of_it() {
    let scene = Scene::new("held: threads");
    let mut out = SegmentSender::create(scene.name(), 64).unwrap();
    let name = foreign::Names::of(scene.name()).data_lock;
    let ((give, given), (end, ended)) = (mpsc::channel(), mpsc::channel::<()>());
    let holder = std::thread::spawn(move || {
        out.hold(None).unwrap();
        give.send(out).unwrap();
        // Lives on until the other one is done.
        assert!(ended.recv().is_err());
    });
    let mut out = given.recv().unwrap();
    out.let_go();
    let lock = NamedLock::open(&name).unwrap();
    assert!(lock.try_lock().unwrap().is_none(), "its thread has it still");
    assert!(lock.holder().is_none_or(|pid| pid == std::process::id()), "{:?}", lock.holder());
    assert!(out.try_lock().unwrap().is_none());
    drop(out);
    drop(end);
    holder.join().unwrap();
    // macOS cannot tell that a thread has ended.
    if !cfg!(target_os = "macos") {
        assert!(lock.lock().unwrap().is_abandoned());
    }
}
