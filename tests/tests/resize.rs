//! Moving to another size, without losing a frame (wire §4).

use std::collections::BTreeSet;
use std::time::Duration;

use tdshm::{ChopReceiver, ChopSender, SegmentSender};
use tdshm_tests::acts::{Dice, block_bytes};
use tdshm_tests::foreign::{ForeignReceiver, Mapping, Names, postfix_of};
use tdshm_tests::{Scene, Seen, frames};

/// Far longer than the watchdog's: nobody may have to wait for a time limit.
const EVER: Duration = Duration::from_secs(600);

#[test]
fn layouts_change_at_every_frame_and_every_frame_arrives() {
    let scene = Scene::new("resize: layouts");
    let mut out = ChopSender::builder(scene.name()).room_ceiling(0).create().unwrap();
    let mut reader = scene.peer();
    reader.ask(&format!("receiver {}", scene.name()));
    reader.ask("read");
    let mut dice = Dice::new(3);
    let mut room = 0;
    let mut moves = 0;
    for seed in 1..=300 {
        let count = 1 + dice.below(9) as usize;
        // Longer and longer, and short in between.
        let length = if seed % 2 == 0 { 1 + dice.below(50) as usize } else { 100 * seed as usize };
        let rate = 1.0 + dice.below(100_000) as f32;
        out.set_channels(frames::names(seed, count)).unwrap();
        out.set_sample_rate(rate).unwrap();
        out.send_flat(&frames::flat(seed, count, length), length).unwrap();
        moves += u32::from(out.room_bytes() != room);
        room = out.room_bytes();
        let seen = reader.see("next 600000").unwrap();
        assert_eq!((seen.seed, seen.count, seen.length, seen.rate), (Some(seed), count, length, rate));
        assert_eq!(seen.names, frames::names(seed, count));
    }
    assert!(moves > 5, "{moves} moves");
    let data: Vec<_> = scene.objects();
    assert_eq!(data.len(), 4, "one data segment, and nothing is left of the others: {data:?}");
}

#[test]
fn a_move_at_every_frame_up_and_down_loses_none_and_never_uses_a_postfix_twice() {
    let scene = Scene::new("resize: every frame");
    let info_name = Names::of(scene.name()).info;
    let mut out = SegmentSender::builder(scene.name(), 64).room_ceiling(0).create().unwrap();
    let mut reader = scene.peer();
    reader.ask(&format!("receiver {}", scene.name()));
    reader.ask("read");
    let info = Mapping::open(&info_name).unwrap();
    let mut here = ChopReceiver::open(scene.name()).unwrap();
    let mut foreign = ForeignReceiver::attach(scene.name()).unwrap();
    let mut dice = Dice::new(4);
    let mut seen_postfixes = BTreeSet::from([String::new()]);
    for seed in 1..=500 {
        let (count, length) = (1 + dice.below(4) as usize, 1 + dice.below(9000) as usize);
        let bytes = block_bytes(seed, count, length, true);
        out.resize(bytes.len(), |view| assert_eq!(view.copy_from(&bytes), bytes.len())).unwrap();
        assert_eq!(out.mapped_bytes(), bytes.len().next_multiple_of(4096), "down as well as up");
        let postfix = postfix_of(&info);
        assert_eq!(postfix.len(), 31);
        assert!(postfix.bytes().all(|byte| byte.is_ascii_lowercase()), "{postfix}");
        assert!(seen_postfixes.insert(postfix), "never twice");
        let seen = reader.see("next 600000").unwrap();
        assert_eq!((seen.seed, seen.count, seen.length), (Some(seed), count, length));
        let frame = here.next_timeout(EVER).unwrap().unwrap();
        assert_eq!(Seen::of(frame).seed, Some(seed));
        assert_eq!((frame.missed(), frame.names()), (Some(0), &frames::names(seed, count)[..]));
        let block = foreign.read().expect("a foreign receiver that set `supported` follows");
        assert_eq!((block.count, block.length, block.rate), (count, length, 1.0 + seed as f32));
    }
}

#[cfg_attr(not(target_os = "linux"), ignore = "Linux alone: elsewhere a name cannot change hands")]
#[test]
fn without_a_receiver_the_plain_name_is_made_anew() {
    let scene = Scene::new("resize: plain");
    let names = Names::of(scene.name());
    let mut out = ChopSender::create(scene.name()).unwrap();
    let info = Mapping::open(&names.info).unwrap();
    let before = scene.objects();
    let mut room = out.room_bytes();
    for seed in 1..=5 {
        let length = 20_000 << seed;
        out.send_flat(&frames::flat(seed, 1, length), length).unwrap();
        assert_eq!(postfix_of(&info), "");
        assert_eq!(scene.objects(), before, "the same names");
        assert!(out.room_bytes() > room);
        room = out.room_bytes();
        assert_eq!(Mapping::open(&names.data).unwrap().len(), room);
    }
    // From the first receiver on, also a foreign one, it moves away.
    let mut foreign = ForeignReceiver::attach(scene.name()).unwrap();
    out.send_flat(&frames::flat(9, 1, 2_000_000), 2_000_000).unwrap();
    assert_eq!(postfix_of(&info).len(), 31);
    assert_eq!(foreign.read().unwrap().length, 2_000_000);
    assert!(!scene.objects().contains(&names.data));
}

#[test]
fn a_dead_receiver_counts_like_a_living_one() {
    let scene = Scene::new("resize: dead receiver");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut reader = scene.peer();
    reader.ask(&format!("receiver {}", scene.name()));
    reader.ask("read");
    reader.kill();
    out.send_flat(&frames::flat(1, 1, 50_000), 50_000).unwrap();
    assert_eq!(postfix_of(&Mapping::open(&Names::of(scene.name()).info).unwrap()).len(), 31);
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(1));
}

#[test]
fn room_is_reserved_ahead_up_to_the_ceiling() {
    let scene = Scene::new("resize: room");
    let mut out = ChopSender::builder(scene.name()).room_ceiling(1 << 20).create().unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    input.read().unwrap();
    let info = Mapping::open(&Names::of(scene.name()).info).unwrap();
    out.send_flat(&frames::flat(1, 1, 20_000), 20_000).unwrap();
    assert_eq!(out.room_bytes(), 131_072);
    let before = postfix_of(&info);
    for length in (20_000..32_000).step_by(500) {
        out.send_flat(&frames::flat(2, 1, length), length).unwrap();
    }
    assert_eq!(postfix_of(&info), before, "what grows a little does not move");
    let length = (1 << 18) + 1;
    out.send_flat(&frames::flat(3, 1, length), length).unwrap();
    assert_eq!(out.room_bytes(), (1 << 20) + 4096, "above the ceiling only what is needed");
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(3));
}

#[cfg_attr(not(target_os = "linux"), ignore = "Linux alone: a limit to address space")]
#[test]
fn a_move_that_fails_leaves_the_last_frame_and_a_usable_sender() {
    let scene = Scene::new("resize: no memory");
    let mut sender = scene.peer();
    let name = scene.name();
    sender.ask(&format!("sender {name} 4096"));
    let mut input = ChopReceiver::open(name).unwrap();
    sender.ask("send 2 10 60 1 names");
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(1));
    let mut foreign = ForeignReceiver::attach(name).unwrap();
    let before = scene.objects();
    sender.ask("limit-memory 600");
    for seed in [2, 3] {
        let refused = sender.try_ask(&format!("send-blank 200000000 {seed}")).unwrap_err();
        assert!(matches!(refused.code, 5 | 114), "{} {}", refused.code, refused.text);
        assert_eq!(scene.objects(), before, "nothing is left of it");
        assert!(input.try_next().unwrap().is_none(), "no frame came");
        let seen = Seen::of(input.read().unwrap().unwrap());
        assert_eq!((seen.seed, seen.abandoned, &seen.names[..]), (Some(1), false, &frames::names(1, 2)[..]));
        assert_eq!(foreign.read().unwrap().length, 10);
    }
    sender.ask("send 2 10 60 4 names");
    assert_eq!(Seen::of(input.try_next().unwrap().unwrap()).seed, Some(4));
    sender.ask("send 2 50000 60 5 names");
    assert_eq!(Seen::of(input.try_next().unwrap().unwrap()).seed, Some(5), "a move that fits works");
    assert_eq!(foreign.read().unwrap().length, 50_000);
}

#[test]
fn a_size_that_no_segment_can_have_moves_nothing() {
    let scene = Scene::new("resize: sizes");
    let mut out = SegmentSender::create(scene.name(), 4096).unwrap();
    out.lock().unwrap().view().copy_from(b"here");
    let before = scene.objects();
    for bytes in [0, 1 << 31, usize::MAX] {
        let error = out.resize(bytes, |_| panic!("not called")).unwrap_err();
        assert_eq!(error.code(), 113, "{error}");
    }
    assert_eq!((scene.objects(), out.mapped_bytes()), (before, 4096));
    assert_eq!(Mapping::open(&Names::of(scene.name()).data).unwrap().read(0, 4), b"here");
}

/// The sizes go up and down at random; every frame is checked by whoever reads it.
fn under_load(count: u32, seed: u64) {
    let scene = Scene::new("resize: under load");
    let name = scene.name();
    let mut ours = [scene.peer(), scene.peer()];
    let mut foreign = scene.peer();
    for reader in &mut ours {
        reader.begin(&format!("follow-ours {name} {count}"));
    }
    foreign.begin(&format!("follow-foreign {name} {count}"));
    let mut sender = scene.peer();
    sender.ask(&format!("move-many {name} {count} {seed}"));
    for reader in &mut ours {
        println!("a receiver of ours saw {} of {count}", reader.answer().unwrap());
    }
    println!("the foreign receiver saw {} of {count}", foreign.answer().unwrap());
}

#[test]
fn under_load_no_frame_is_torn() {
    under_load(2000, 1);
}

#[test]
#[ignore = "long: for soak"]
fn under_load_no_frame_is_torn_for_long() {
    for seed in 1..=3 {
        under_load(10_000, seed);
    }
}
