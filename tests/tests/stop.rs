//! Processes that stand still, and locks of another make: the others go on, or say who is in the way (wire §5).

use std::time::Duration;

use tdshm::{ChopReceiver, ChopSender, Error, LockError, SegmentReceiver};
use tdshm_tests::foreign::Names;
use tdshm_tests::system::{LOCKS_NAME_HOLDERS, holder};
use tdshm_tests::{Scene, Seen, frames};

/// Far longer than the watchdog's: nobody may have to wait for a time limit.
const EVER: Duration = Duration::from_secs(600);

#[test]
fn a_receiver_that_stands_still_stops_nobody() {
    let scene = Scene::new("stop: receiver");
    let name = scene.name();
    let mut out = ChopSender::create(name).unwrap();
    let mut reader = scene.peer();
    reader.ask(&format!("receiver {name}"));
    out.send_flat(&frames::flat(1, 2, 5), 5).unwrap();
    assert_eq!(reader.see("read").unwrap().seed, Some(1));
    reader.begin_and_sleep("next 600000");
    reader.stop();
    let mut here = ChopReceiver::open(name).unwrap();
    for seed in 2..50 {
        let length = if seed % 10 == 0 { 3000 * seed as usize } else { 5 };
        out.send_flat(&frames::flat(seed, 2, length), length).unwrap();
        assert_eq!(Seen::of(here.next_timeout(EVER).unwrap().unwrap()).seed, Some(seed));
    }
    reader.go_on();
    let seen = Seen::parse(&reader.answer().unwrap()).unwrap();
    assert_eq!(seen.seed, Some(49), "the newest, and whole");
}

#[test]
fn whoever_stands_still_with_the_lock_is_named_and_goes_on_later() {
    let scene = Scene::new("stop: holder");
    let name = scene.name();
    let short = Duration::from_millis(5);
    let mut out = ChopSender::builder(name).lock_limit(short).create().unwrap();
    let mut reader = scene.peer();
    reader.ask(&format!("receiver {name}"));
    out.send_flat(&frames::flat(1, 2, 5), 5).unwrap();
    let mut here = ChopReceiver::over(SegmentReceiver::builder(name).lock_limit(short).open().unwrap());
    assert_eq!(Seen::of(here.read().unwrap().unwrap()).seed, Some(1));
    assert_eq!(reader.see("hold-view").unwrap().seed, Some(1));
    reader.stop();
    let named = |error: Error, pid: u32| {
        let named = error.to_string().contains(&format!("process {pid} holds it"));
        assert_eq!(named, LOCKS_NAME_HOLDERS, "{error}");
        let Error::Lock(LockError::Timeout { holder: found, .. }) = error else { panic!("{error}") };
        assert_eq!(found, holder(pid));
    };
    named(out.send_flat(&frames::flat(2, 2, 5), 5).unwrap_err(), reader.pid());
    named(out.send_flat(&frames::flat(3, 2, 50_000), 50_000).unwrap_err(), reader.pid());
    assert_eq!(scene.objects().len(), 4, "nothing is left of the move: {:?}", scene.objects());
    // Whoever reads without the lock does not even notice.
    assert_eq!(Seen::of(here.read().unwrap().unwrap()).seed, Some(1));
    assert_eq!(here.read_into(&mut [0.0; 10]).unwrap().unwrap().len_samples, 5);
    named(here.view().map(drop).unwrap_err(), reader.pid());
    reader.go_on();
    reader.ask("let-go");
    out.send_flat(&frames::flat(4, 2, 50_000), 50_000).unwrap();
    assert_eq!(Seen::of(here.read().unwrap().unwrap()).seed, Some(4));
    assert_eq!(reader.see("read").unwrap().seed, Some(4));
}

#[test]
fn a_sender_that_stands_still_in_a_write_is_named_and_goes_on_later() {
    let scene = Scene::new("stop: sender");
    let name = scene.name();
    let short = Duration::from_millis(5);
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 2 5 60 1 default");
    let mut here = ChopReceiver::over(SegmentReceiver::builder(name).lock_limit(short).open().unwrap());
    assert_eq!(Seen::of(here.read().unwrap().unwrap()).seed, Some(1));
    // Between two frames: its last one is there.
    sender.stop();
    assert_eq!(Seen::of(here.read().unwrap().unwrap()).seed, Some(1));
    assert!(here.try_next().unwrap().is_none());
    sender.go_on();
    // In the middle of one.
    sender.ask("hold-send 2 5 60 2");
    sender.stop();
    for _ in 0..3 {
        let error = here.read().map(drop).unwrap_err();
        let Error::Lock(LockError::Timeout { holder: found, .. }) = error else { panic!("{error}") };
        assert_eq!(found, holder(sender.pid()));
        assert_eq!(Seen::of(here.frame().unwrap()).seed, Some(1), "the last good one stays");
    }
    let refused = ChopSender::create(name).unwrap_err();
    assert!(
        refused.to_string().contains(&format!("process {}", sender.pid())),
        "stopped is not dead: {refused}"
    );
    sender.go_on();
    sender.ask("let-go");
    let seen = Seen::of(here.next_timeout(EVER).unwrap().unwrap());
    assert_eq!((seen.seed, seen.abandoned), (Some(2), false));
}

#[test]
fn whoever_stands_still_with_the_info_lock_is_named() {
    let scene = Scene::new("stop: info lock");
    let name = scene.name();
    let mut holder = scene.peer();
    holder.ask(&format!("lock {} 0", Names::of(name).info_lock));
    holder.stop();
    let short = Duration::from_millis(5);
    let error = ChopSender::builder(name).lock_limit(short).create().unwrap_err();
    assert_eq!(error.code(), 6, "{error}");
    let named = error.to_string().contains(&format!("process {} holds it", holder.pid()));
    assert_eq!(named, LOCKS_NAME_HOLDERS, "{error}");
    holder.go_on();
    holder.ask("unlock");
    assert!(ChopSender::create(name).is_ok());
}
