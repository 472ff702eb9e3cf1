//! Places beside one another: frames that are filled without the lock, and switched to under it (wire §11).

use proptest::prelude::*;
use tdshm::{ChopReceiver, ChopSender, ErrorKind, NamedLock, SegmentReceiver, TopSender};
use tdshm_tests::foreign::{self, ForeignReceiver, Mapping, Names};
use tdshm_tests::info::{EVER, Info};
use tdshm_tests::{Scene, Seen, frames};

// Typed from the table of wire §11 a second time.
const SLOTS: u64 = 1408;
const CURRENT: u64 = 1412;
const STRIDE: u64 = 1416;
const TABLE: u64 = 1424;
const PINNED: u64 = 32;

fn offsets(scene: &Scene) -> (u32, u32) {
    let data = Mapping::open(&format!("TouchSHM{}{}", scene.name(), postfix(scene))).unwrap();
    (data.u32(28), data.u32(32))
}

fn postfix(scene: &Scene) -> String {
    foreign::postfix_of(&Mapping::open(&Names::of(scene.name()).info).unwrap())
}

#[test]
fn large_frames_go_from_place_to_place_and_small_ones_stay() {
    let scene = Scene::new("slots: where");
    let mut out = ChopSender::builder(scene.name()).room_for(2, 600_000).create().unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    out.send_flat(&frames::flat(1, 2, 50), 50).unwrap();
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(1));
    let info = Info::of(&scene);
    assert_eq!((info.u32(SLOTS), offsets(&scene).0), (0, 36));

    let mut places = Vec::new();
    for seed in 2..8 {
        out.send_flat(&frames::flat(seed, 2, 600_000), 600_000).unwrap();
        let frame = input.try_next().unwrap().unwrap();
        assert_eq!((Seen::of(frame).seed, frame.missed()), (Some(seed), Some(0)));
        assert_eq!(frame.names(), ["chan1", "chan2"]);
        let (samples, names) = offsets(&scene);
        assert_eq!(names - samples, 4_800_000, "names right behind the samples");
        assert_eq!(samples % 64, 0);
        let current = u64::from(info.u32(CURRENT));
        assert_eq!(info.u64(TABLE + 16 * current + 8), u64::from(samples), "the table says the same");
        assert_eq!(u64::from(samples), 64 + current * info.u64(STRIDE));
        assert_eq!(info.u64(TABLE + 16 * current) % 2, 0);
        places.push(samples);
    }
    assert_eq!(info.u32(SLOTS), 3);
    assert!(places.windows(2).all(|two| two[0] != two[1]), "never the one that is current: {places:?}");
    assert_eq!(postfix(&scene), "", "there was room from the beginning");

    out.send_flat(&frames::flat(8, 2, 50), 50).unwrap();
    assert_eq!(Seen::of(input.try_next().unwrap().unwrap()).seed, Some(8));
    assert_eq!((info.u32(SLOTS), offsets(&scene).0), (0, 36), "and back");
}

/// Who attaches and says `supported` may look at the usual offset alone.
#[test]
fn when_somebody_foreign_attaches_the_next_frame_lies_at_the_usual_offset() {
    let scene = Scene::new("slots: foreign");
    for (forced, length) in [(false, 600_000), (true, 20_000)] {
        let builder = ChopSender::builder(scene.name());
        let mut out = if forced { builder.slots(2) } else { builder }.create().unwrap();
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        out.send_flat(&frames::flat(1, 2, length), length).unwrap();
        assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(1));
        assert_ne!(offsets(&scene).0, 36);
        let mut foreign = ForeignReceiver::attach(scene.name()).unwrap();
        for seed in 2..8 {
            out.send_flat(&frames::flat(seed, 2, length), length).unwrap();
            let block = foreign.read().unwrap();
            let wanted = frames::flat(seed, 2, length);
            let wanted: Vec<u8> = wanted.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            assert!(block.samples == wanted, "frame {seed}");
            assert_eq!(Seen::of(input.try_next().unwrap().unwrap()).seed, Some(seed));
            assert_eq!(offsets(&scene).0 == 36, !forced);
        }
        drop(foreign);
        out.detach().unwrap();
        scene.sweep();
    }
}

#[test]
fn what_comes_flat_out_is_whole_and_counted_exactly() {
    let scene = Scene::new("slots: flat out");
    let name = scene.name();
    let mut writer = scene.peer();
    writer.ask(&format!("divided {name} 65536 3"));
    writer.ask("flat-out 1 16 4000");
    let mut readers = [scene.peer(), scene.peer(), scene.peer(), scene.peer()];
    readers[3].ask(&format!("observer {name}"));
    for reader in readers.iter_mut().take(3) {
        reader.ask(&format!("receiver {name}"));
    }
    for reader in &mut readers {
        reader.see("next 600000").expect("the first frame");
        reader.begin("follow 3000");
    }
    writer.ask("flat-out 2999 16 4000");
    for reader in &mut readers {
        let answer = reader.answer().unwrap();
        let counts: Vec<u64> = answer.split_whitespace().map(|word| word.parse().unwrap()).collect();
        assert_eq!(counts[0] + counts[1], 2999, "{answer}");
    }
}

/// In whatever a receiver is stopped, the sender goes on, and the receiver later.
#[test]
fn stopped_receivers_hold_nobody_up() {
    let scene = Scene::new("slots: stopped");
    let name = scene.name();
    let mut writer = scene.peer();
    writer.ask(&format!("divided {name} 65536 3"));
    writer.ask("flat-out 1 16 1100");
    let mut readers: Vec<_> = (0..4).map(|_| scene.peer()).collect();
    for reader in &mut readers {
        reader.ask(&format!("receiver {name}"));
        reader.see("next 600000").expect("the first frame");
        reader.begin("follow 1000000");
    }
    let info = Info::of(&scene);
    let mut was_pinned = 0;
    for round in 1..=24_u64 {
        writer.begin("flat-out 39 16 1100");
        let reader = &readers[(round % 4) as usize];
        reader.stop();
        was_pinned += u32::from(info.u32(info.entry_of(reader.pid()) + PINNED) != 0);
        writer.answer().unwrap();
        writer.ask("flat-out 1 16 1100");
        reader.go_on();
    }
    writer.ask("flat-out 1 16 1100");
    println!("stopped 24 times, {was_pinned} times in the middle of a copy");
    // The frame they wait for has passed: the newest is the last.
    for reader in &mut readers {
        reader.kill();
    }
    let mut here = ChopReceiver::open(name).unwrap();
    assert_eq!(here.read().unwrap().unwrap().number(), Some(962));
}

/// A lock that somebody holds costs a frame, and the place is free again.
#[test]
fn a_frame_that_finds_the_lock_taken_is_lost_and_nothing_else() {
    let scene = Scene::new("slots: lock");
    let limit = std::time::Duration::from_millis(1);
    let mut out = ChopSender::builder(scene.name()).slots(2).lock_limit(limit).create().unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    out.send_flat(&frames::flat(1, 2, 20_000), 20_000).unwrap();
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(1));
    let lock = NamedLock::open(&Names::of(scene.name()).data_lock).unwrap();
    for seed in 2..5 {
        let (held, go) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let guard = lock.lock().unwrap();
                held.wait();
                go.wait();
                drop(guard);
            });
            held.wait();
            assert_eq!(out.send_flat(&frames::flat(100, 2, 20_000), 20_000).unwrap_err().code(), 101);
            assert!(input.try_next().unwrap().is_none());
            go.wait();
        });
        out.send_flat(&frames::flat(seed, 2, 20_000), 20_000).unwrap();
        let frame = input.next_timeout(EVER).unwrap().unwrap();
        assert_eq!((Seen::of(frame).seed, frame.missed()), (Some(seed), Some(0)));
    }
}

#[test]
fn a_panic_in_the_middle_of_filling_leaves_the_last_frame() {
    let scene = Scene::new("slots: panic");
    let mut out = ChopSender::builder(scene.name()).slots(3).create().unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    out.send_flat(&frames::flat(1, 2, 20_000), 20_000).unwrap();
    for seed in 2..9 {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            out.send_with(2, 20_000, |block| {
                block.samples().copy_from(&[f32::NAN; 9000]);
                std::panic::resume_unwind(Box::new("on purpose"));
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(seed - 1), "still whole");
        assert!(!input.view().unwrap().unwrap().is_abandoned(), "nobody held the lock");
        out.send_flat(&frames::flat(seed, 2, 20_000), 20_000).unwrap();
        assert_eq!(Seen::of(input.try_next().unwrap().unwrap()).seed, Some(seed));
    }
}

#[test]
fn more_places_than_there_can_be_are_refused() {
    let scene = Scene::new("slots: too many");
    for count in [5, 17, usize::MAX] {
        let channels = ChopSender::builder(scene.name()).slots(count).create().map(drop).unwrap_err();
        let images = TopSender::builder(scene.name()).slots(count).create().map(drop).unwrap_err();
        for error in [channels, images] {
            assert_eq!((error.code(), error.kind()), (117, ErrorKind::Refused));
            let said = format!("a segment has no {count} slots: ask for 2 to 4, or for 0 to have none");
            assert_eq!(error.to_string(), said);
        }
    }
    assert!(scene.objects().is_empty(), "nothing was made");
}

/// What strangers write into the table leads nobody astray.
#[test]
fn a_table_that_somebody_wrote_over_is_survived() {
    let scene = Scene::new("slots: table");
    let mut out = ChopSender::builder(scene.name()).slots(3).create().unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let mut watching =
        ChopReceiver::over(SegmentReceiver::builder(scene.name()).observe(true).open().unwrap());
    out.send_flat(&frames::flat(1, 2, 20_000), 20_000).unwrap();
    let info = Info::of(&scene);
    for (round, junk) in [0_u8, 1, 3, 0x7f, 0xff].into_iter().cycle().take(40).enumerate() {
        let at = SLOTS + (round as u64 * 12) % 80;
        info.set(at, &[junk; 12]);
        for input in [&mut input, &mut watching] {
            if let Ok(Some(frame)) = input.read() {
                assert!(Seen::of(frame).seed.is_some(), "torn");
            }
        }
        let seed = round as u32 + 2;
        out.send_flat(&frames::flat(seed, 2, 20_000), 20_000).unwrap();
        out.send_flat(&frames::flat(seed, 2, 20_000), 20_000).unwrap();
        assert_eq!(
            input.read().unwrap().map(Seen::of).unwrap().seed,
            Some(seed),
            "under the lock it is there"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Shapes, names and slots change at random, and every frame arrives as it was.
    #[test]
    fn whatever_changes_every_frame_arrives(
        slots in 0_usize..6,
        steps in proptest::collection::vec((1_usize..5, prop_oneof![1_usize..200, 15_000_usize..30_000], 0_u8..4), 1..25),
    ) {
        let scene = Scene::new("slots: whatever");
        let builder = ChopSender::builder(scene.name());
        let mut out = if slots == 5 { builder } else { builder.slots(slots) }.create().unwrap();
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        let mut foreign = None;
        for (index, (count, length, what)) in steps.into_iter().enumerate() {
            let seed = index as u32 + 1;
            match what {
                1 => out.set_channels(frames::names(seed, count)).unwrap(),
                2 if foreign.is_none() => foreign = ForeignReceiver::attach(scene.name()),
                _ => out.set_channels([""; 0]).unwrap(),
            }
            if what == 2 {
                out.set_channels([""; 0]).unwrap();
            }
            out.send_flat(&frames::flat(seed, count, length), length).unwrap();
            let frame = input.try_next().unwrap().expect("a frame");
            let seen = Seen::of(frame);
            prop_assert_eq!((seen.seed, seen.count, seen.length), (Some(seed), count, length));
            if what == 1 {
                prop_assert_eq!(frame.names(), &frames::names(seed, count)[..]);
            } else {
                prop_assert_eq!(&frame.names()[0], "chan1");
            }
            if let Some(foreign) = &mut foreign {
                prop_assert_eq!(foreign.read().unwrap().length, length);
            }
        }
    }
}
