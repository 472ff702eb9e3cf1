//! Processes and threads that die with a lock: the others go on at once, and are told (wire §5, §6).

use std::time::Duration;

use tdshm::{ChopReceiver, ChopSender, Error, LockError, NamedLock, SegmentReceiver, SegmentSender};
use tdshm_tests::system::DIES_WITH_HANDLES;
use tdshm_tests::{Scene, Seen, foreign, frames};

/// Far longer than the watchdog's: nobody may have to wait for a time limit.
const EVER: Duration = Duration::from_secs(600);

#[test]
fn the_next_one_gets_the_lock_of_a_dead_process_and_is_told_once() {
    let scene = Scene::new("crash: lock");
    let name = foreign::Names::of(scene.name()).data_lock;
    let lock = NamedLock::open(&name).unwrap();
    for how in ["die", "killed"] {
        let mut peer = scene.peer();
        peer.ask(&format!("lock {name} 0"));
        if how == "die" {
            peer.die("die")
        } else {
            peer.kill()
        }
        let got = lock.lock_timeout(EVER).unwrap();
        assert!(got.is_abandoned(), "{how}");
        drop(got);
        assert!(!lock.lock_timeout(EVER).unwrap().is_abandoned(), "{how}: it has been repaired");
    }
    let mut peer = scene.peer();
    peer.ask(&format!("lock {name} 0"));
    peer.kill();
    assert!(lock.try_lock().unwrap().unwrap().is_abandoned(), "trying is enough");
}

#[test]
fn whoever_waits_for_a_dead_process_gets_the_lock_at_once() {
    let scene = Scene::new("crash: waiters of a lock");
    let name = foreign::Names::of(scene.name()).data_lock;
    // Open here as well: on Windows it would go with its holder, where the others have not come to open it yet.
    let _open = NamedLock::open(&name).unwrap();
    let [mut holder, mut one, mut two] = [scene.peer(), scene.peer(), scene.peer()];
    holder.ask(&format!("lock {name} 0"));
    one.begin_and_sleep(&format!("lock {name} 600000"));
    two.begin_and_sleep(&format!("lock {name} 600000"));
    holder.kill();
    // Exactly one is told; it lets go, and the other gets a clean lock.
    let mut first = None;
    scene.until("one waiter to get the lock", || {
        first =
            one.try_answer().map(|answer| (1, answer)).or_else(|| two.try_answer().map(|answer| (2, answer)));
        first.is_some()
    });
    let (who, answer) = first.unwrap();
    assert_eq!(answer.unwrap(), "abandoned");
    let (winner, other) = if who == 1 { (&mut one, &mut two) } else { (&mut two, &mut one) };
    assert!(other.try_answer().is_none());
    winner.ask("unlock");
    assert_eq!(other.answer().unwrap(), "clean");
}

#[test]
fn a_waiter_that_is_killed_disturbs_nobody() {
    let scene = Scene::new("crash: dead waiter");
    let name = foreign::Names::of(scene.name()).data_lock;
    let lock = NamedLock::open(&name).unwrap();
    for _ in 0..10 {
        let guard = lock.lock_timeout(EVER).unwrap();
        assert!(!guard.is_abandoned());
        let [mut dies, mut waits] = [scene.peer(), scene.peer()];
        dies.begin_and_sleep(&format!("lock {name} 600000"));
        waits.begin_and_sleep(&format!("lock {name} 600000"));
        dies.kill();
        drop(guard);
        assert_eq!(waits.answer().unwrap(), "clean");
        waits.ask("unlock");
    }
}

#[test]
fn a_chain_of_dying_holders_never_breaks_the_lock() {
    let scene = Scene::new("crash: chain");
    let name = foreign::Names::of(scene.name()).data_lock;
    // As above.
    let _open = NamedLock::open(&name).unwrap();
    let mut holder = scene.peer();
    assert_eq!(holder.ask(&format!("lock {name} 0")), "clean");
    for _ in 0..20 {
        let mut next = scene.peer();
        next.begin_and_sleep(&format!("lock {name} 600000"));
        holder.kill();
        assert_eq!(next.answer().unwrap(), "abandoned");
        holder = next;
    }
}

#[test]
fn a_thread_that_ends_while_holding_is_a_dead_holder() {
    let scene = Scene::new("crash: thread");
    let name = foreign::Names::of(scene.name()).data_lock;
    let lock = NamedLock::open(&name).unwrap();
    // A forgotten guard of a thread of this process, with its lock and without.
    std::thread::scope(|scope| {
        scope.spawn(|| std::mem::forget(lock.lock().unwrap())).join().unwrap();
    });
    assert!(lock.lock_timeout(EVER).unwrap().is_abandoned());
    std::thread::scope(|scope| {
        let leak = || std::mem::forget(NamedLock::open(&name).unwrap().lock().unwrap());
        scope.spawn(leak).join().unwrap();
    });
    assert!(lock.lock_timeout(EVER).unwrap().is_abandoned());
    assert!(!lock.lock_timeout(EVER).unwrap().is_abandoned());
    // A thread of another process that goes on living.
    let mut peer = scene.peer();
    peer.ask(&format!("leak {name}"));
    assert!(lock.lock_timeout(EVER).unwrap().is_abandoned());
    assert_eq!(peer.ask(&format!("lock {name} 0")), "clean");
}

/// The lock is unmapped only when its thread does not have it in its list of robust mutexes any more.
#[test]
fn a_forgotten_guard_of_a_living_thread_breaks_nothing() {
    let scene = Scene::new("crash: forgotten guard");
    let name = foreign::Names::of(scene.name()).data_lock;
    let lock = NamedLock::open(&name).unwrap();
    std::mem::forget(lock.lock().unwrap());
    drop(lock);
    let other = foreign::Names::of(scene.name()).info_lock;
    for _ in 0..100 {
        let lock = NamedLock::open(&other).unwrap();
        drop(lock.lock().unwrap());
    }
    let twin = NamedLock::open(&name).unwrap();
    assert!(matches!(twin.try_lock(), Err(LockError::AlreadyHeld { .. })));
}

#[test]
fn a_sender_killed_in_mid_write_is_noticed_by_its_reader() {
    let scene = Scene::new("crash: sender in mid-write");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 65536"));
    sender.ask("send 2 1000 60 1 default");
    let mut input = ChopReceiver::open(name).unwrap();
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(1));

    assert_eq!(sender.ask("hold-send 2 1000 60 2"), "half");
    sender.kill();
    let data = foreign::Mapping::open(&foreign::Names::of(name).data).unwrap();
    let block = foreign::parse(&data.bytes()).unwrap();
    let lies: Vec<f32> =
        block.samples.chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
    assert_eq!(frames::seed_of(&lies, 2, 1000), None, "what lies there is torn indeed");
    for _ in 0..3 {
        assert!(input.try_next().unwrap().is_none(), "half of a frame is no frame");
        assert!(input.read().unwrap().is_none());
        assert!(input.read_into(&mut [0.0; 2000]).unwrap().is_none());
        assert!(input.view().unwrap().is_none());
        let last = input.frame().expect("the last good one stays");
        assert_eq!((Seen::of(last).seed, last.is_abandoned()), (Some(1), false));
    }
    // A reader that comes only now has no frame at all.
    let mut late = ChopReceiver::open(name).unwrap();
    assert!(late.read().unwrap().is_none() && late.frame().is_none());

    let mut heir = scene.peer();
    heir.ask(&format!("sender {name} 65536"));
    heir.ask("send 2 1000 60 3 default");
    let frame = input.next_timeout(EVER).unwrap().unwrap();
    assert!(frame.is_abandoned(), "whoever found it is told with the next frame");
    assert_eq!(Seen::of(frame).seed, Some(3));
    heir.ask("send 2 1000 60 4 default");
    let again = input.next_timeout(EVER).unwrap().unwrap();
    assert_eq!((Seen::of(again).seed, again.is_abandoned()), (Some(4), false), "told once");
}

/// The reader has no room for the frame yet, or has to learn new names, so it lets go of the lock once more
/// before it copies: what it was told on the first take must not be lost on the way.
#[test]
fn a_reader_that_needs_room_first_is_told_as_well() {
    let scene = Scene::new("crash: sender in mid-write, fresh reader");
    let name = scene.name();
    for how in ["first frame", "longer frame", "shorter frame", "other names"] {
        if DIES_WITH_HANDLES && how == "first frame" {
            continue; // a lock that nobody else has open yet dies with its holder
        }
        let mut sender = scene.peer();
        sender.ask(&format!("sender {name} 65536"));
        let mut input = ChopReceiver::open(name).unwrap();
        if how != "first frame" {
            sender.ask("send 2 100 60 1 names");
            assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(1));
        }
        let (count, length) = match how {
            "longer frame" => (2, 1000),
            "shorter frame" => (2, 10),
            _ => (3, 100),
        };
        if how == "other names" {
            sender.ask(&format!("send {count} {length} 60 2 names"));
        } else {
            sender.ask(&format!("send {count} {length} 60 2 nonames"));
        }
        sender.ask("send 2 100 60 1 default");
        sender.ask(&format!("hold-send {count} {length} 60 3"));
        sender.kill();
        let last = input.frame().map(|frame| Seen::of(frame).seed);
        assert!(input.read().unwrap().is_none(), "{how}: half of a frame is none");
        assert_eq!(input.frame().map(|frame| Seen::of(frame).seed), last, "{how}");
        sender = scene.peer();
        sender.ask(&format!("sender {name} 65536"));
        sender.ask(&format!("send {count} {length} 60 4 default"));
        let frame = input.read().unwrap().unwrap();
        assert!(frame.is_abandoned(), "{how}");
        assert_eq!(Seen::of(frame).seed, Some(4), "{how}");
        assert!(
            !input.read().unwrap().unwrap().is_abandoned() || input.try_next().unwrap().is_none(),
            "{how}"
        );
        sender.kill();
        scene.sweep();
    }
}

#[test]
fn a_view_and_a_copy_are_told_as_well() {
    let scene = Scene::new("crash: view");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 65536"));
    sender.ask("send 2 10 60 1 default");
    let mut input = ChopReceiver::open(name).unwrap();
    drop(input.view().unwrap().unwrap());
    sender.ask("hold-send 2 10 60 2");
    sender.kill();
    assert!(input.view().unwrap().is_none(), "half of a frame is none");
    let mut buffer = [9.0; 20];
    assert!(input.read_into(&mut buffer).unwrap().is_none());
    assert_eq!(buffer, [9.0; 20]);
    let mut heir = scene.peer();
    heir.ask(&format!("sender {name} 65536"));
    heir.ask("send 2 10 60 3 default");
    assert!(input.view().unwrap().unwrap().is_abandoned(), "told with the next frame");
    assert!(!input.view().unwrap().unwrap().is_abandoned());
    assert!(input.read_into(&mut buffer).unwrap().is_some());
    assert_eq!(frames::seed_of(&buffer, 2, 10), Some(3));
}

#[test]
fn a_reader_that_waits_for_a_dying_sender_goes_on_at_once() {
    let scene = Scene::new("crash: waiting reader");
    let name = scene.name();
    let [mut sender, mut reader] = [scene.peer(), scene.peer()];
    sender.ask(&format!("sender {name} 65536"));
    sender.ask("send 2 10 60 1 default");
    reader.ask(&format!("receiver {name} 600000"));
    assert_eq!(reader.see("read").unwrap().seed, Some(1));
    sender.ask("hold-send 2 10 60 2");
    reader.begin_and_sleep("read");
    sender.kill();
    assert!(reader.answer().unwrap().starts_with("none "), "half of a frame is none");
    let mut heir = scene.peer();
    heir.ask(&format!("sender {name} 65536"));
    heir.ask("send 2 10 60 3 default");
    let seen = reader.see("read").unwrap();
    assert_eq!((seen.seed, seen.abandoned), (Some(3), true));
}

#[test]
fn a_reader_killed_with_the_lock_does_not_stop_its_sender() {
    let scene = Scene::new("crash: reader holding");
    let name = scene.name();
    let mut out = ChopSender::builder(name).lock_limit(EVER).create().unwrap();
    out.send(&frames::rows(1, 2, 10)).unwrap();
    let [mut reader, mut other] = [scene.peer(), scene.peer()];
    reader.ask(&format!("receiver {name}"));
    other.ask(&format!("receiver {name}"));
    assert_eq!(reader.see("hold-view").unwrap().seed, Some(1));
    reader.kill();
    assert!(out.send(&frames::rows(2, 2, 10)).unwrap().abandoned, "the sender is told");
    assert!(!out.send(&frames::rows(3, 2, 10)).unwrap().abandoned);
    let seen = other.see("read").unwrap();
    assert_eq!((seen.seed, seen.abandoned), (Some(3), false));

    // The same with a sender that waits already.
    let mut reader = scene.peer();
    reader.ask(&format!("receiver {name}"));
    drop(out);
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 2 10 60 4 default");
    reader.ask("hold-view");
    sender.begin_and_sleep("send 2 10 60 5 default");
    reader.kill();
    assert_eq!(sender.answer().unwrap(), "abandoned");
    assert_eq!(other.see("read").unwrap().seed, Some(5));
}

#[test]
fn names_are_written_again_after_a_dead_reader_that_may_have_spoilt_them() {
    let scene = Scene::new("crash: names after abandonment");
    let name = scene.name();
    let mut out = ChopSender::builder(name).channels(["tx", "ty"]).create().unwrap();
    out.send(&[[1.0], [2.0]]).unwrap();
    let mut reader = scene.peer();
    reader.ask(&format!("receiver {name}"));
    reader.ask("hold-view");
    reader.kill();
    foreign::Mapping::open(&foreign::Names::of(name).data).unwrap().write(44, b"XX");
    assert!(out.send(&[[3.0], [4.0]]).unwrap().abandoned);
    assert_eq!(ChopReceiver::open(name).unwrap().read().unwrap().unwrap().names(), ["tx", "ty"]);
}

#[test]
fn a_lock_holder_that_is_only_slow_is_named() {
    let scene = Scene::new("crash: slow holder");
    let name = scene.name();
    let mut out = ChopSender::builder(name).lock_limit(Duration::from_millis(2)).create().unwrap();
    out.send(&frames::rows(1, 2, 10)).unwrap();
    let mut reader = scene.peer();
    reader.ask(&format!("receiver {name}"));
    reader.ask("hold-view");
    let error = out.send(&frames::rows(2, 2, 10)).unwrap_err();
    let Error::Lock(LockError::Timeout { holder, .. }) = &error else { panic!("{error}") };
    assert_eq!(*holder, tdshm_tests::system::holder(reader.pid()));
    reader.ask("let-go");
    out.send(&frames::rows(3, 2, 10)).unwrap();
    assert_eq!(reader.see("read").unwrap().seed, Some(3));
}

/// The info lock is taken by whoever comes, goes or follows.
#[test]
fn a_process_that_dies_with_the_info_lock_stops_nobody() {
    let scene = Scene::new("crash: info lock");
    let name = scene.name();
    let lock = foreign::Names::of(name).info_lock;
    let die_with_it = || {
        let mut peer = scene.peer();
        peer.ask(&format!("lock {lock} 600000"));
        peer.kill();
    };
    die_with_it();
    let out = SegmentSender::builder(name, 64).lock_limit(EVER).create().unwrap();
    die_with_it();
    let mut input = SegmentReceiver::builder(name).lock_limit(EVER).open().unwrap();
    assert!(input.lock().unwrap().is_some());
    die_with_it();
    out.detach().unwrap();
    assert!(input.lock().unwrap().is_none());
}

#[test]
fn a_panic_while_filling_lets_go_of_the_lock() {
    let scene = Scene::new("crash: panic in send_with");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        out.send_with(1, 4, |_| std::panic::resume_unwind(Box::new(())))
    }));
    assert!(result.is_err());
    assert!(input.read().unwrap().is_none(), "what was given up in the middle is no frame");
    assert!(!out.send(&[[1.0]]).unwrap().abandoned, "the lock was let go of");
    let frame = input.read().unwrap().unwrap();
    assert_eq!((frame.samples(), frame.is_abandoned()), (&[1.0][..], false));
    // The same once there is a frame: that one stays.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        out.send_with(1, 1, |block| {
            block.samples().set(0, 7.0);
            std::panic::resume_unwind(Box::new(()))
        })
    }));
    assert!(result.is_err());
    assert!(input.try_next().unwrap().is_none());
    assert_eq!(input.frame().unwrap().samples(), [1.0]);
    assert!(!out.send(&[[2.0]]).unwrap().abandoned);
    assert_eq!(input.try_next().unwrap().unwrap().samples(), [2.0]);
}
