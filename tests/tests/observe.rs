//! Observers: receivers that take neither lock nor entry, because they want to leave no trace or may only read
//! (wire §11).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests: what panics here has failed"
)]

use std::time::Duration;

use tdshm::{
    Attached, ChopReceiver, ChopSender, Error, NamedLock, SegmentError, SegmentReceiver, SegmentSender,
    TopReceiver,
};
use tdshm_tests::foreign::{Block, Foreign, Mapping, Names};
use tdshm_tests::{Peer, Scene};

/// Far longer than the watchdog's: nobody may have to wait for a time limit.
const EVER: Duration = Duration::from_secs(600);
/// The user `nobody`.
#[cfg(target_os = "linux")]
const STRANGER: u32 = 65534;
/// What the receiver writes in wire §3 and §11: `supported`, the waiters, the entries.
const TRACES: [std::ops::Range<usize>; 3] = [8..9, 320..324, 384..1408];

fn observer(name: &str) -> ChopReceiver {
    ChopReceiver::over(SegmentReceiver::builder(name).observe(true).open().unwrap())
}

fn traces(name: &str) -> Vec<Vec<u8>> {
    let info = Mapping::open(&Names::of(name).info).unwrap();
    TRACES.map(|range| info.read(range.start, range.len())).into()
}

fn only_observed(result: Result<impl Sized, Error>) -> bool {
    matches!(result, Err(Error::Segment(SegmentError::OnlyObserved { .. })))
}

/// Two kinds: one that was asked to, and one whose user may do nothing else.
fn observing_peers(scene: &Scene) -> Vec<Peer> {
    let mut asked = scene.peer();
    asked.ask(&format!("observer {}", scene.name()));
    #[cfg_attr(not(target_os = "linux"), expect(unused_mut, reason = "two users"))]
    let mut peers = vec![asked];
    #[cfg(target_os = "linux")]
    if rustix::process::geteuid().is_root() {
        let mut other_user = scene.peer();
        other_user.ask(&format!("become {STRANGER}"));
        other_user.ask(&format!("receiver {}", scene.name()));
        peers.push(other_user);
    } else {
        // Straight to the descriptor, so that it is seen also where the test passes.
        let text = b"NOT RUN: an observer of another user (needs root, to be two users)\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), text);
    }
    peers
}

#[test]
fn every_frame_is_seen_counted_and_followed_and_no_trace_is_left() {
    let scene = Scene::new("observe: frames");
    let name = scene.name();
    for peer in &mut observing_peers(&scene) {
        let mut out = ChopSender::builder(name).mode(0o644).create().unwrap();
        let before = traces(name);
        out.send(&[[1.0]]).unwrap();
        assert_eq!(peer.see("read").unwrap().seed, Some(1));
        assert_eq!(peer.ask("try-next"), "none Yes");
        out.send(&[[2.0]]).unwrap();
        out.send(&[[3.0]]).unwrap();
        assert_eq!(peer.see("try-next").unwrap().seed, Some(3));
        assert_eq!(peer.ask("number"), "3 1");

        // Somebody holds both locks, and the sender's data moves meanwhile.
        out.send_flat(&tdshm_tests::frames::flat(4, 3, 5000), 5000).unwrap();
        let locks = [Names::of(name).data_lock, Names::of(name).info_lock];
        let locks = locks.map(|lock| NamedLock::open(&lock).unwrap());
        let held = locks.each_ref().map(|lock| lock.lock().unwrap());
        assert_eq!(peer.see("next 600000").unwrap().seed, Some(4));
        drop(held);

        let refused = peer.try_ask("view").unwrap_err();
        assert_eq!(refused.code, 116, "{}", refused.text);
        assert!(refused.text.contains("0o660"), "{}", refused.text);
        assert_eq!(traces(name), before, "nothing of the info segment was written");
        assert!(tdshm::inspect(name).unwrap().notices.unwrap().receivers.is_empty());

        out.detach().unwrap();
        assert_eq!(peer.ask("read"), "none Left");
        // The next sender is found as well.
        let mut next = ChopSender::builder(name).mode(0o644).create().unwrap();
        next.send(&[[5.0]]).unwrap();
        assert_eq!(peer.see("next 600000").unwrap().seed, Some(5));
        next.detach().unwrap();
        assert_eq!(peer.ask("read"), "none Left");
        scene.sweep();
    }
}

#[test]
fn frames_that_come_flat_out_are_whole_and_counted_exactly() {
    let scene = Scene::new("observe: flat out");
    let mut sender = scene.peer();
    sender.ask(&format!("sender {} 4096 644", scene.name()));
    let mut observers = observing_peers(&scene);
    for observer in &mut observers {
        observer.begin("follow 20000");
    }
    sender.ask("flat-out 20000 8 16");
    for observer in &mut observers {
        let answer = observer.answer().unwrap();
        let counts: Vec<u64> = answer.split_whitespace().map(|word| word.parse().unwrap()).collect();
        assert!(counts[0] >= 1 && counts[0] + counts[1] <= 20_000, "{answer}");
    }
}

#[test]
fn the_dead_are_noticed_and_their_last_frame_stays() {
    let scene = Scene::new("observe: death");
    for peer in &mut observing_peers(&scene) {
        let mut sender = scene.peer();
        sender.ask(&format!("sender {} 4096 644", scene.name()));
        sender.ask("send 2 8 60 7 names");
        assert_eq!(peer.see("read").unwrap().seed, Some(7));
        // Half of a frame, and never the other.
        sender.ask("hold-send 2 8 60 8");
        sender.kill();
        scene.until("the observer to notice", || {
            peer.ask("try-next");
            peer.ask("state").starts_with("Died")
        });
        assert_eq!(peer.ask("number"), "1 0", "of the last good frame");

        let mut next = scene.peer();
        next.ask(&format!("sender {} 4096 644", scene.name()));
        next.ask("send 2 8 60 9 names");
        assert_eq!(peer.see("next 600000").unwrap().seed, Some(9));
        next.ask("detach");
        scene.sweep();
    }
}

#[cfg_attr(not(target_os = "linux"), ignore = "Linux alone: the maps of a process")]
#[test]
fn what_an_observer_has_open_it_cannot_write() {
    let scene = Scene::new("observe: maps");
    let mut out = ChopSender::create(scene.name()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let mut peer = scene.peer();
    peer.ask(&format!("observer {}", scene.name()));
    assert!(peer.see("read").is_some());
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", peer.pid())).unwrap();
    let ours: Vec<&str> = maps.lines().filter(|line| line.contains(scene.name())).collect();
    assert_eq!(ours.len(), 2, "info and data, and no lock: {ours:#?}");
    assert!(ours.iter().all(|line| line.contains(" r--s ")), "{ours:#?}");
}

#[test]
fn a_foreign_sender_cannot_be_observed_and_the_error_says_why() {
    let scene = Scene::new("observe: foreign");
    let name = scene.name();
    let mut input = observer(name);
    assert!(input.read().unwrap().is_none());
    assert_eq!(input.attached(), Attached::NotYet);

    let sender = Foreign::default().start(name);
    sender.send(&Block::new(1, &[1.0], 60.0, None));
    assert!(only_observed(input.read().map(drop)));
    assert!(only_observed(input.try_next().map(drop)));
    let text = input.read().map(drop).unwrap_err().to_string();
    assert!(text.contains("does not count its frames"), "{text}");
    sender.leave();
    scene.sweep();

    // Without an info segment it is no better.
    let names = Names::of(name);
    let data = Mapping::create(&names.data, 4096);
    Block::new(1, &[1.0], 60.0, None).write_to(&data);
    assert!(only_observed(input.read().map(drop)));
    data.unlink();
    drop(data);

    let mut out = ChopSender::create(name).unwrap();
    out.send(&[[6.0]]).unwrap();
    assert_eq!(input.next_timeout(EVER).unwrap().unwrap().samples(), [6.0]);
    assert_eq!(input.frame().unwrap().missed(), Some(0));
}

#[test]
fn a_lock_is_refused_to_an_observer_and_it_is_one_by_what_it_may() {
    let scene = Scene::new("observe: lock");
    let mut receiver = SegmentReceiver::builder(scene.name()).observe(true).open().unwrap();
    assert!(receiver.is_observer() && receiver.lock().unwrap().is_none(), "there is nothing to lock");
    let out = SegmentSender::create(scene.name(), 64).unwrap();
    assert!(only_observed(receiver.lock().map(drop)));
    let mut plain = SegmentReceiver::open(scene.name()).unwrap();
    assert!(!plain.is_observer() && plain.lock().unwrap().is_some() && !plain.is_observer());
    for (segment, observes) in [(receiver, true), (plain, false)] {
        assert_eq!(ChopReceiver::over(segment).is_observer(), observes);
    }
    let watching = SegmentReceiver::builder(scene.name()).observe(true).open().unwrap();
    assert!(TopReceiver::over(watching).is_observer());
    out.detach().unwrap();
}
