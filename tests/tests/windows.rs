//! What only Windows has: the wide info block in real objects, names outside of ASCII, objects that live as long as
//! somebody has them open, mutexes that were abandoned, and events (wire §1 to §6, §11).
#![cfg(windows)]

use std::time::{Duration, Instant};

use tdshm::{
    Attached, ChopReceiver, ChopSender, DryRun, Error, ErrorKind, Fate, NameError, NamedLock,
    SegmentReceiver, SegmentSender,
};
use tdshm_tests::foreign::{
    Block, Foreign, ForeignReceiver, Info, Mapping, Names, info_block, make_lock, postfix_of,
};
use tdshm_tests::info::{Info as Extension, OWNER, OWNER_START, sleep_in_next, start_time};
use tdshm_tests::{Scene, Seen, frames};

/// Far longer than the watchdog's: nobody may have to wait for a time limit.
const EVER: Duration = Duration::from_secs(600);

fn block(seed: u32) -> Block {
    Block::new(2, &frames::flat(seed, 2, 5), 60.0, None)
}

#[test]
fn a_real_info_segment_is_the_wide_table_byte_for_byte() {
    let scene = Scene::new("windows: wide");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let info = Mapping::open(&Names::of(scene.name()).info).unwrap();
    let mut expected = vec![0_u8; 76];
    expected[..8].copy_from_slice(&[0xba, 0x34, 0xed, 0x56, 2, 0, 0, 0]);
    assert_eq!(info.read(0, 76), expected);
    ForeignReceiver::attach(scene.name()).unwrap();
    out.send_flat(&frames::flat(1, 2, 50_000), 50_000).unwrap();
    expected[8] = 1;
    let postfix = postfix_of(&info);
    assert_eq!(postfix.len(), 31);
    for (at, letter) in postfix.bytes().enumerate() {
        expected[10 + 2 * at] = letter;
    }
    assert_eq!(info.read(0, 76), expected, "moved");
    out.detach().unwrap();
    expected[74] = 1;
    assert_eq!(info.read(0, 76), expected, "left");
    assert_eq!(info.read(256, 8), b"TDSHMEX1");
}

#[test]
fn exists_and_does_not_exist_are_told_apart() {
    let scene = Scene::new("windows: exists");
    let name = scene.name();
    assert_eq!(tdshm::inspect(name).unwrap_err().code(), 2);
    let out = SegmentSender::create(name, 64).unwrap();
    let error = SegmentSender::create(name, 64).unwrap_err();
    assert_eq!((error.code(), error.kind()), (3, ErrorKind::Busy));
    drop(out);
    assert_eq!(tdshm::inspect(name).unwrap_err().code(), 2, "nothing is left");
    assert_eq!(scene.objects(), [""; 0]);
    // Data alone, by somebody else.
    let _data = Mapping::create(&Names::of(name).data, 100);
    assert_eq!(SegmentSender::create(name, 64).unwrap_err().code(), 1);
    assert_eq!(SegmentSender::create(name, 64).unwrap_err().code(), 1, "and nothing was left of the attempt");
}

/// `X` and `XMutex`: one's lock has the name of the other's data, and the system keeps kinds apart.
#[test]
fn an_object_of_another_kind_is_refused_with_the_reason() {
    let scene = Scene::new("windows: kinds");
    let _lock = make_lock(&Names::of(scene.name()).data);
    let error = ChopSender::create(scene.name()).unwrap_err();
    assert!(error.to_string().contains("another kind of object has this name"), "{error}");
    let _segment = Mapping::create("TouchSHMkindsX", 100);
    let error = NamedLock::open("TouchSHMkindsX").unwrap_err();
    assert!(error.to_string().contains("another kind of object"), "{error}");
}

#[test]
fn names_of_other_namespaces_are_refused_with_the_reason() {
    for bad in ["Global\\cam1", "Local\\cam1", "a\\b"] {
        for error in [ChopSender::create(bad).unwrap_err(), ChopReceiver::open(bad).unwrap_err()] {
            assert!(matches!(error, Error::Name(NameError::Namespace { .. })), "{error}");
            assert!(error.to_string().contains("another namespace"), "{error}");
        }
        assert!(NamedLock::open(bad).is_err());
    }
}

#[test]
fn names_outside_the_basic_plane_lead_to_the_same_objects() {
    let scene = Scene::new("windows: letters");
    for name in [format!("{}日本", scene.name()), format!("{}🎥𝄞", scene.name())] {
        // Another program, which knows nothing but UTF-16.
        let foreign = Foreign::default().start(&name);
        foreign.send(&block(3));
        let mut peer = scene.peer();
        peer.ask(&format!("receiver {name}"));
        assert_eq!(peer.see("read").unwrap().seed, Some(3), "{name}");
        assert!(tdshm::list().unwrap().iter().any(|report| report.name.as_str() == name));
    }
}

#[test]
fn a_killed_sender_leaves_nothing_and_the_next_one_is_found() {
    let scene = Scene::new("windows: killed");
    let name = scene.name();
    let mut alone = scene.peer();
    alone.ask(&format!("sender {name} 4096"));
    alone.ask("send 2 5 60 1 names");
    alone.kill();
    scene.until("its objects to go", || scene.objects().is_empty());

    let mut input = ChopReceiver::open(name).unwrap();
    for seed in 1..4 {
        let mut sender = scene.peer();
        sender.ask(&format!("sender {name} 4096"));
        sender.ask(&format!("send 2 5 60 {seed} names"));
        assert_eq!(Seen::of(input.next_timeout(EVER).unwrap().unwrap()).seed, Some(seed));
        sender.kill();
        scene.until("the receiver to notice", || {
            input.next_timeout(Duration::from_millis(1)).unwrap();
            input.attached() == Attached::Died
        });
    }
    assert_eq!(Seen::of(input.frame().unwrap()).seed, Some(3), "the last frame stays");
    // What it has open goes as well, so that a foreign sender may have the name.
    scene.until("everything to go", || {
        assert!(input.next_timeout(Duration::from_millis(1)).unwrap().is_none());
        scene.objects().is_empty()
    });
    assert_eq!(input.attached(), Attached::Died, "which is why nobody is there");
}

/// Two receivers of a dead sender must not keep its objects alive for one another.
#[test]
fn two_receivers_of_a_dead_sender_both_let_go() {
    let scene = Scene::new("windows: two let go");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 2 5 60 1 names");
    let mut inputs = [ChopReceiver::open(name).unwrap(), ChopReceiver::open(name).unwrap()];
    for input in &mut inputs {
        assert!(input.next_timeout(EVER).unwrap().is_some());
    }
    sender.kill();
    scene.until("everything to go", || {
        for input in &mut inputs {
            assert!(input.next_timeout(Duration::from_millis(1)).unwrap().is_none(), "no frame comes twice");
        }
        scene.objects().is_empty()
    });
}

/// A crashed TouchDesigner that comes back must get its name, also while one of ours is attached (wire §6).
#[test]
fn a_foreign_sender_that_crashed_gets_its_name_again() {
    let scene = Scene::new("windows: foreign comes back");
    let name = scene.name();
    for info in [Info::Doubled, Info::Missing] {
        let mut input = ChopReceiver::open(name).unwrap();
        let foreign = Foreign { info: info.clone(), ..Foreign::default() }.start(name);
        foreign.send(&block(1));
        assert_eq!(Seen::of(input.next_timeout(EVER).unwrap().unwrap()).seed, Some(1));
        drop(foreign); // as a crash does: the system closes what it had open
        assert!(!scene.objects().is_empty(), "the receiver has it open");
        scene.until("the receiver to let go", || {
            assert!(input.next_timeout(Duration::from_millis(1)).unwrap().is_none(), "nothing is new");
            scene.objects().is_empty()
        });
        let foreign = Foreign { info, ..Foreign::default() }.start(name);
        foreign.send(&block(2));
        assert_eq!(Seen::of(input.next_timeout(EVER).unwrap().unwrap()).seed, Some(2));
    }
}

#[test]
fn two_receivers_of_a_crashed_foreign_sender_do_not_keep_it_for_one_another() {
    let scene = Scene::new("windows: two and a foreign one");
    let name = scene.name();
    let mut here = ChopReceiver::open(name).unwrap();
    let mut there = scene.peer();
    there.ask(&format!("receiver {name}"));
    let foreign = Foreign::default().start(name);
    foreign.send(&block(1));
    assert_eq!(Seen::of(here.next_timeout(EVER).unwrap().unwrap()).seed, Some(1));
    assert_eq!(there.see("next 600000").unwrap().seed, Some(1));
    there.begin("next 600000");
    drop(foreign);
    scene.until("both to let go", || {
        assert!(here.next_timeout(Duration::from_millis(5)).unwrap().is_none(), "nothing is new");
        scene.objects().is_empty()
    });
    let foreign = Foreign::default().start(name);
    foreign.send(&block(2));
    assert_eq!(Seen::of(here.next_timeout(EVER).unwrap().unwrap()).seed, Some(2));
    assert_eq!(Seen::parse(&there.answer().unwrap()).unwrap().seed, Some(2));
}

/// Letting go of a foreign sender that only stands still shows nowhere.
#[test]
fn a_foreign_sender_that_stands_still_is_read_on_and_gives_no_frame_twice() {
    let scene = Scene::new("windows: foreign stands still");
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let mut foreign = Foreign::default().start(scene.name());
    foreign.send(&block(1));
    assert_eq!(Seen::of(input.next_timeout(EVER).unwrap().unwrap()).seed, Some(1));
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(2500) {
        assert!(
            input.next_timeout(Duration::from_millis(5)).unwrap().is_none(),
            "the same bytes are no news"
        );
        assert_eq!(input.attached(), Attached::Yes);
        assert_eq!(Seen::of(input.read().unwrap().expect("it is there")).seed, Some(1));
    }
    foreign.send(&block(2));
    assert_eq!(Seen::of(input.next_timeout(EVER).unwrap().unwrap()).seed, Some(2));
    foreign.move_to(&"m".repeat(31), 4096, &block(2));
    assert!(input.next_timeout(EVER).unwrap().is_some(), "what lies in another segment is another frame");
}

#[test]
fn a_process_that_is_killed_with_a_lock_is_reported_as_abandoned() {
    let scene = Scene::new("windows: abandoned");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 2 5 60 1 names");
    let mut input = ChopReceiver::open(name).unwrap();
    assert!(input.read().unwrap().is_some());
    sender.ask("hold-send 2 5 60 2");
    sender.kill();
    assert!(input.try_next().unwrap().is_none(), "half of a frame is none");
    let mut heir = scene.peer();
    heir.ask(&format!("sender {name} 4096"));
    // Told to whoever takes the lock next: the reader that looked for the frame's end, or the heir.
    heir.ask("send 2 5 60 3 names");
    let frame = input.next_timeout(EVER).unwrap().unwrap();
    assert_eq!(Seen::of(frame).seed, Some(3));
    // By itself: once, and never again.
    let lock = Names::of(name).info_lock;
    let mut holder = scene.peer();
    holder.ask(&format!("lock {lock} 0"));
    let here = NamedLock::open(&lock).unwrap();
    assert!(here.try_lock().unwrap().is_none());
    holder.kill();
    assert!(here.lock_timeout(EVER).unwrap().is_abandoned());
    assert!(!here.lock_timeout(EVER).unwrap().is_abandoned());
}

/// The record is all that says who owns: the id of a process that lives, begun at another time, is no owner.
#[test]
fn an_owner_whose_id_was_given_to_another_process_is_dead() {
    let scene = Scene::new("windows: reused id");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    let info = Extension::of(&scene);
    assert_eq!((info.u32(OWNER), info.u64(OWNER_START)), (sender.pid(), start_time(sender.pid())));
    sender.kill();
    info.set(OWNER, &std::process::id().to_le_bytes());
    let mut out = ChopSender::create(name).expect("it has an id like this one, and is not this one");
    out.send(&[[1.0]]).unwrap();
    assert_eq!(
        (info.u32(OWNER), info.u64(OWNER_START)),
        (std::process::id(), start_time(std::process::id()))
    );
    let error = ChopSender::create(name).unwrap_err();
    assert!(error.to_string().contains(&format!("process {} sends it", std::process::id())), "{error}");
}

#[test]
fn what_receivers_keep_of_the_dead_is_marked_as_left() {
    let scene = Scene::new("windows: clean");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 2 5 60 1 names");
    let clean = |dry| {
        let swept = tdshm::clean(&[name], dry).unwrap();
        swept.into_iter().map(|swept| swept.fate).collect::<Vec<_>>()
    };
    assert_eq!(clean(DryRun::No), [Fate::InUse { pid: Some(sender.pid()) }]);
    let mut input = ChopReceiver::open(name).unwrap();
    assert!(input.read().unwrap().is_some());
    sender.kill();
    assert_eq!(clean(DryRun::Yes), [Fate::HeldOpen]);
    assert!(input.read().unwrap().is_some(), "only said");
    assert_eq!(clean(DryRun::No), [Fate::HeldOpen]);
    assert!(input.read().unwrap().is_none(), "told");
    assert_eq!(input.attached(), Attached::Died, "which is not to leave");
    drop(input);
    assert!(clean(DryRun::No).is_empty(), "nothing is left");
    assert_eq!(scene.objects(), [""; 0]);
    // A foreign sender is left alone, and said to be one.
    let foreign = Foreign::default().start(name);
    let before = foreign.info.as_ref().unwrap().bytes();
    assert!(clean(DryRun::No).contains(&Fate::Foreign));
    assert_eq!(foreign.info.as_ref().unwrap().bytes(), before);
}

/// An observer may not write, and reads who owns the segment all the same.
#[test]
fn an_observer_does_not_take_a_living_sender_for_dead() {
    let scene = Scene::new("windows: observer");
    let mut out = ChopSender::create(scene.name()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let observer = SegmentReceiver::builder(scene.name()).observe(true).open().unwrap();
    let mut input = ChopReceiver::over(observer);
    assert!(input.next_timeout(EVER).unwrap().is_some());
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(500) {
        assert!(input.next_timeout(Duration::from_millis(5)).unwrap().is_none(), "nothing is new");
        assert_eq!(input.attached(), Attached::Yes);
    }
    out.send(&[[2.0]]).unwrap();
    let frame = input.next_timeout(EVER).unwrap().unwrap();
    assert_eq!((frame.samples(), frame.missed()), (&[2.0][..], Some(0)));
}

/// What a tool looks at goes when its sender does.
#[test]
fn looking_keeps_nothing_alive() {
    let scene = Scene::new("windows: looking");
    let out = ChopSender::create(scene.name()).unwrap();
    let report = tdshm::inspect(scene.name()).unwrap();
    let list = tdshm::list().unwrap();
    drop(out);
    assert_eq!(scene.objects(), [""; 0]);
    assert!(report.notices.is_some() && !list.is_empty());
}

/// Builds up to 2018 have the narrow layout (wire §3). A sender of ours that takes one over leaves it as it is.
#[test]
fn a_narrow_sender_is_followed_and_taken_over_in_its_layout() {
    let scene = Scene::new("windows: narrow");
    let name = scene.name();
    let mut narrow = vec![0_u8; 44];
    narrow[..8].copy_from_slice(&info_block("", 0)[..8]);
    let foreign = Foreign { info: Info::Bytes(narrow), ..Foreign::default() }.start(name);
    foreign.send(&block(1));
    let info = foreign.info.as_ref().unwrap();
    let mut input = ChopReceiver::open(name).unwrap();
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(1));
    let postfix = "n".repeat(31);
    let moved = Mapping::create(&format!("{}{postfix}", foreign.names.data), 4096);
    block(2).write_to(&moved);
    info.write(9, postfix.as_bytes());
    assert_eq!(Seen::of(input.next_timeout(EVER).unwrap().unwrap()).seed, Some(2));

    let mut out = ChopSender::builder(name).take_over(true).create().unwrap();
    assert!(info.read(9, 31).iter().all(u8::is_ascii_lowercase), "the layout stays");
    assert_eq!(info.read(40, 4), [0; 4]);
    out.send_flat(&frames::flat(3, 2, 5), 5).unwrap();
    assert_eq!(Seen::of(input.next_timeout(EVER).unwrap().unwrap()).seed, Some(3));
    out.detach().unwrap();
    assert_eq!((info.read(41, 1), info.read(74, 1)), (vec![1], vec![0]));
    assert!(input.read().unwrap().is_none());
}

/// A receiver that waits is woken by its event, and looks at the clock ten times a second at most.
#[test]
fn whoever_waits_costs_next_to_no_time_of_a_processor() {
    let scene = Scene::new("windows: waiting");
    let mut out = ChopSender::create(scene.name()).unwrap();
    out.send_flat(&frames::flat(1, 2, 5), 5).unwrap();
    let mut peer = scene.peer();
    peer.ask(&format!("receiver {}", scene.name()));
    assert_eq!(peer.see("next 600000").unwrap().seed, Some(1));
    let spent =
        |peer: &mut tdshm_tests::Peer| Duration::from_micros(peer.ask("processor-time").parse().unwrap());
    let (before, begin) = (spent(&mut peer), Instant::now());
    assert!(peer.see("next 2000").is_none(), "nobody sends");
    let (took, waited) = (spent(&mut peer) - before, begin.elapsed());
    assert!(took * 4 < waited, "{took:?} in {waited:?}");
    let info = Extension::of(&scene);
    sleep_in_next(&scene, &info, &mut peer);
    out.send_flat(&frames::flat(2, 2, 5), 5).unwrap();
    assert_eq!(Seen::parse(&peer.answer().unwrap()).unwrap().seed, Some(2));
}
