//! Who waits, and for whom: wake-ups, and readers that are let in (wire §11), across processes.

use std::time::{Duration, Instant};

use tdshm::{ChopReceiver, ChopSender};
use tdshm_tests::acts::Dice;
use tdshm_tests::info::{Info, READING, WAITERS, next, send, sleep_in_next, waiter};
use tdshm_tests::system::DIES_WITH_HANDLES;
use tdshm_tests::{Peer, Scene, Seen, frames};

#[test]
fn waiters_that_are_killed_disturb_nobody_and_are_forgotten() {
    let scene = Scene::new("notice: killed waiters");
    let mut out = ChopSender::create(scene.name()).unwrap();
    send(&mut out, 1);
    let info = Info::of(&scene);
    let mut living = waiter(&scene, &info);
    for round in 0..100 {
        let mut peer = waiter(&scene, &info);
        peer.kill();
        let seed = 2 + round;
        send(&mut out, seed);
        assert_eq!(Seen::parse(&living.answer().unwrap()).unwrap().seed, Some(seed), "round {round}");
        sleep_in_next(&scene, &info, &mut living);
    }
    living.kill();
    assert_eq!(info.registered(), 2, "the dead make room for one another");
    // The sender counts anew where it wakes and nobody slept.
    scene.until("the dead to be forgotten", || {
        send(&mut out, 1);
        info.u32(WAITERS) == 0
    });
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    send(&mut out, 5);
    assert_eq!(next(&mut input).0, Some(5));
}

#[test]
fn all_who_wait_wake_for_one_frame() {
    let scene = Scene::new("notice: many waiters");
    let mut out = ChopSender::create(scene.name()).unwrap();
    send(&mut out, 1);
    let info = Info::of(&scene);
    let mut waiters: Vec<Peer> = (0..8).map(|_| waiter(&scene, &info)).collect();
    for seed in 2..=20 {
        send(&mut out, seed);
        for waiter in &mut waiters {
            assert_eq!(Seen::parse(&waiter.answer().unwrap()).unwrap().seed, Some(seed));
            assert_eq!(waiter.ask("number"), format!("{seed} 0"));
        }
        for waiter in &mut waiters {
            sleep_in_next(&scene, &info, waiter);
        }
    }
    assert!(!info.supported(), "those who are registered need not say more");
}

/// A sender gives a reader 2 ms at most for each time it stops. Every frame that waited for one would make the
/// frames here last for minutes, and the watchdog ends them before.
#[test]
fn stopped_receivers_do_not_hold_the_sender_up() {
    const TOTAL: u32 = 60_000;
    let scene = Scene::new("notice: stopped receivers");
    let mut out = ChopSender::create(scene.name()).unwrap();
    send(&mut out, 1);
    let info = Info::of(&scene);
    // One stops while it waits for a frame, another, as far as the sender can see, in the middle of a copy.
    let [mut waits, mut reads] = [waiter(&scene, &info), scene.peer()];
    reads.ask(&format!("receiver {}", scene.name()));
    reads.see("read").unwrap();
    waits.stop();
    reads.stop();
    let flags = info.entry_of(reads.pid()) + 4;
    info.set(flags, &READING.to_le_bytes());
    info.set(WAITERS, &2_u32.to_le_bytes());
    let samples = frames::flat(2, 4, 8);
    for _ in 0..TOTAL {
        out.send_flat(&samples, 8).unwrap();
    }
    assert_ne!(info.u32(flags) & READING, 0, "it lives, so its claim stands");
    waits.go_on();
    assert_eq!(Seen::parse(&waits.answer().unwrap()).unwrap().seed, Some(2));
    assert_eq!(waits.ask("number"), format!("{} {}", TOTAL + 1, TOTAL - 1));
    // It dies in the copy: forgotten.
    reads.kill();
    scene.until("the dead to be forgotten", || {
        out.send_flat(&samples, 8).unwrap();
        info.u32(WAITERS) == 0
    });
    assert_eq!(info.u32(flags), 0);
}

/// A stranger's write, or a death in the very moment between the count and the flag.
#[test]
fn a_number_of_waiters_that_is_too_high_is_set_right_and_nobody_oversleeps() {
    let scene = Scene::new("notice: too many waiters");
    let mut out = ChopSender::create(scene.name()).unwrap();
    send(&mut out, 1);
    let info = Info::of(&scene);
    let mut living = [waiter(&scene, &info), waiter(&scene, &info)];
    for seed in 2..5 {
        info.set(WAITERS, &u32::MAX.to_le_bytes());
        scene.until("the number to be set right", || {
            send(&mut out, seed);
            info.u32(WAITERS) <= 2
        });
        for peer in &mut living {
            assert_eq!(Seen::parse(&peer.answer().unwrap()).unwrap().seed, Some(seed));
            sleep_until_next(&scene, &info, peer, seed);
        }
        assert!(info.u32(WAITERS) >= 2, "never fewer than those who wait");
    }
    living.iter_mut().for_each(Peer::kill);
    scene.until("the dead to be forgotten", || {
        send(&mut out, 9);
        info.u32(WAITERS) == 0
    });
}

/// Sleeps for another frame than those of `seed`.
fn sleep_until_next(scene: &Scene, info: &Info, peer: &mut Peer, seed: u32) {
    while peer.see("try-next").is_some_and(|seen| seen.seed == Some(seed)) {}
    sleep_in_next(scene, info, peer);
}

/// Some sleep for every frame, others are killed in their sleep, and the sender waits for the first before it goes
/// on: nothing but its own wake-up brings a frame to them, and where one is lost the watchdog barks.
fn hammer(title: &'static str, [sleepers, victims]: [usize; 2], time: Duration) {
    let scene = Scene::lasting(title, time);
    let name = scene.name();
    let mut out = ChopSender::create(name).unwrap();
    let info = Info::of(&scene);
    let start = || {
        let mut peer = scene.peer_that_sleeps_on();
        peer.begin(&format!("follow-asleep {name}"));
        peer
    };
    let peers = |count| (0..count).map(|_| start()).collect::<Vec<Peer>>();
    let (mut sleepers, mut victims) = (peers(sleepers), peers(victims));
    scene.until("all to come", || info.registered() == sleepers.len() + victims.len());
    let taken: Vec<u64> = sleepers.iter().map(|peer| info.entry_of(peer.pid()) + 16).collect();
    let mut dice = Dice::new(std::process::id().into());
    let mut killed = 0_u32;
    let begin = Instant::now();
    while begin.elapsed() < time {
        // One frame or several, after no time or some, so that it comes before, while and after they go to sleep.
        for _ in 0..=dice.below(3) {
            let pause = Duration::from_micros(dice.below(4) * dice.below(300));
            let now = Instant::now();
            while now.elapsed() < pause {
                std::hint::spin_loop();
            }
            send(&mut out, 1);
        }
        if !victims.is_empty() && dice.below(100) == 0 {
            let victim = dice.below(victims.len() as u64) as usize;
            let victim = &mut victims[victim];
            victim.kill();
            *victim = start();
            killed += 1;
        }
        scene.until("the frame to be taken", || taken.iter().all(|at| info.u64(*at) == out.frames()));
    }
    out.send_flat(&frames::flat(2, 5, 8), 8).unwrap();
    let received: u64 = sleepers.iter_mut().map(|peer| peer.answer().unwrap().parse::<u64>().unwrap()).sum();
    println!("{} frames, {received} received, {killed} killed", out.frames());
}

/// One alone, who is all that the count is for, and several, of whom some die.
fn hammer_both(time: Duration) {
    hammer("notice: hammered, one alone", [1, 0], time / 2);
    hammer("notice: hammered, several", [3, 2], time / 2);
}

#[test]
fn no_wake_up_is_lost() {
    hammer_both(Duration::from_secs(2));
}

/// A minute, or as many seconds as `TDSHM_TEST_SECONDS` says.
#[test]
#[ignore = "long: for soak"]
fn no_wake_up_is_lost_in_a_minute() {
    let seconds = std::env::var("TDSHM_TEST_SECONDS").ok().and_then(|text| text.parse().ok());
    hammer_both(Duration::from_secs(seconds.unwrap_or(60)));
}

#[test]
fn receivers_that_wait_let_go_of_a_sender_that_leaves_and_meet_the_next() {
    let scene = Scene::new("notice: detach");
    let mut out = ChopSender::create(scene.name()).unwrap();
    send(&mut out, 1);
    let info = Info::of(&scene);
    let mut waiters: Vec<Peer> = (0..4).map(|_| waiter(&scene, &info)).collect();
    for seed in 2..10 {
        let old = Info::of(&scene);
        out.detach().unwrap();
        scene.until("the receivers to let go", || old.registered() == 0);
        assert_eq!(old.u32(WAITERS), 0);
        out = ChopSender::create(scene.name()).unwrap();
        send(&mut out, seed);
        let info = Info::of(&scene);
        for waiter in &mut waiters {
            assert_eq!(Seen::parse(&waiter.answer().unwrap()).unwrap().seed, Some(seed));
            // A new object counts anew; where this test's own look keeps the old one alive, that is taken over.
            let number = if DIES_WITH_HANDLES { seed } else { 1 };
            assert_eq!(waiter.ask("number"), format!("{number} 0"));
            sleep_in_next(&scene, &info, waiter);
        }
    }
}

#[cfg(target_os = "linux")] // what wakes is a futex
mod futex {
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::thread::futex;
    use tdshm::SegmentSender;
    use tdshm_tests::Scene;
    use tdshm_tests::info::{Info, OWNER, WAITERS, WAKE};

    /// Sleeps until somebody wakes the sleepers: a wake-up that does not come is for the watchdog.
    fn wait_for_ever(info: &Info, seen: u32) {
        let (word, waiters) = (info.0.word(WAKE as usize), info.0.word(WAITERS as usize));
        waiters.fetch_add(1, Ordering::SeqCst);
        while word.load(Ordering::SeqCst) == seen {
            let _ = futex::wait(word, futex::Flags::empty(), seen, None);
        }
        // The sender may have counted anew, without this one, which has no entry.
        let out = |count: u32| count.checked_sub(1);
        let _ = waiters.fetch_update(Ordering::SeqCst, Ordering::SeqCst, out);
    }

    #[test]
    fn a_frame_a_resize_and_a_detach_wake_whoever_waits() {
        let scene = Scene::new("notice: what wakes");
        for round in 0..20 {
            let mut out = SegmentSender::create(scene.name(), 4096).unwrap();
            let info = Info::of(&scene);
            let wakes = |what: &str, event: &mut dyn FnMut()| {
                let seen = info.0.word(WAKE as usize).load(Ordering::SeqCst);
                let woken = AtomicBool::new(false);
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        wait_for_ever(&info, seen);
                        woken.store(true, Ordering::SeqCst);
                    });
                    scene.until("the thread to wait", || info.u32(WAITERS) != 0);
                    assert!(!woken.load(Ordering::SeqCst), "round {round}: {what}");
                    event();
                    scene.until(what, || woken.load(Ordering::SeqCst));
                });
            };
            wakes("a frame to wake", &mut || {
                let _ = out.lock().unwrap().view().copy_from(b"frame");
            });
            wakes("a resize to wake", &mut || out.resize(100_000, |_| {}).unwrap());
            let mut out = Some(out);
            wakes("a detach to wake", &mut || out.take().unwrap().detach().unwrap());
            assert_eq!((info.u32(OWNER), info.u32(WAITERS)), (0, 0));
        }
    }
}
