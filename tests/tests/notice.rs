//! What is new and what was missed: the counts behind the info block (wire §11), across processes.

use std::time::Duration;
use tdshm::{Attached, ChopFrame, ChopReceiver, ChopSender};
use tdshm_tests::foreign::{self, Block, Mapping};
use tdshm_tests::info::{EVER, FRAMES, Info, SEQUENCE, next, send, waiter};
use tdshm_tests::{Scene, Seen, frames};

fn known(frame: &ChopFrame) -> (Option<u64>, Option<u64>, bool) {
    (frame.number(), frame.missed(), frame.age().is_some())
}

#[test]
fn what_was_missed_is_exact_under_four_readers_and_a_writer_flat_out() {
    for (count, length, total) in [(8, 1, 20_000), (50, 200, 1500)] {
        let scene = Scene::new("notice: exactness");
        let name = scene.name();
        let mut writer = scene.peer();
        writer.ask(&format!("sender {name} 65536"));
        writer.ask(&format!("flat-out 1 {count} {length}"));
        let mut readers = [scene.peer(), scene.peer(), scene.peer(), scene.peer()];
        for reader in &mut readers {
            reader.ask(&format!("receiver {name}"));
            reader.see("next 600000").expect("the first frame");
            assert_eq!(reader.ask("number"), "1 0");
            reader.begin(&format!("follow {total}"));
        }
        writer.ask(&format!("flat-out {} {count} {length}", total - 1));
        for reader in &mut readers {
            let answer = reader.answer().unwrap();
            let (received, missed) = answer.split_once(' ').expect("two numbers");
            let (received, missed): (u64, u64) = (received.parse().unwrap(), missed.parse().unwrap());
            assert_eq!(received + missed, total - 1, "{received} received, {missed} missed");
        }
        let info = Info::of(&scene);
        assert_eq!((info.u64(FRAMES), info.u64(SEQUENCE)), (total, 2 * total));
        for reader in &mut readers {
            assert_eq!(
                info.u64(info.entry_of(reader.pid()) + 16),
                total,
                "the frame it took is in its entry"
            );
        }
    }
}

#[test]
fn frames_are_numbered_and_those_in_between_are_missed() {
    let scene = Scene::new("notice: numbers");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    send(&mut out, 1);
    send(&mut out, 2);
    assert_eq!(next(&mut input), (Some(2), Some(2), Some(0)), "what was sent before it came is not missed");
    send(&mut out, 3);
    assert_eq!(next(&mut input), (Some(3), Some(3), Some(0)));
    for seed in 4..=9 {
        send(&mut out, seed);
    }
    assert_eq!(next(&mut input), (Some(9), Some(9), Some(5)));
    assert!(input.try_next().unwrap().is_none());
    assert_eq!(known(input.frame().unwrap()), (Some(9), Some(5), true));
    // Other shapes, other names and a resize are frames like the others.
    out.send_flat(&frames::flat(10, 2, 3), 3).unwrap();
    out.set_channels(["a", "b"]).unwrap();
    out.send_flat(&frames::flat(11, 2, 20_000), 20_000).unwrap();
    assert_eq!(next(&mut input), (Some(11), Some(11), Some(1)));
    assert_eq!(input.names(), ["a", "b"]);
    out.send_flat(&frames::flat(12, 2, 3), 3).unwrap();
    assert_eq!(next(&mut input), (Some(12), Some(12), Some(0)));
    // A frame that was refused is none.
    out.send_flat(&[0.0; 3], 3).unwrap_err();
    assert!(input.try_next().unwrap().is_none());
}

#[test]
fn frames_that_hold_the_same_as_the_last_are_new() {
    let scene = Scene::new("notice: unchanged frames");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    for number in 1..=5 {
        send(&mut out, 7);
        let frame = input.try_next().unwrap().expect("it is new");
        assert_eq!((Seen::of(frame).seed, frame.number(), frame.missed()), (Some(7), Some(number), Some(0)));
        assert!(input.try_next().unwrap().is_none(), "and new once");
    }
    // Without channels, and without samples.
    for number in 6..=9 {
        out.send(&[[0.0_f32; 0]; 0]).unwrap();
        assert_eq!(input.try_next().unwrap().and_then(ChopFrame::number), Some(number));
    }
}

#[test]
fn neither_a_look_nor_a_new_frame_needs_the_lock() {
    let scene = Scene::new("notice: no lock");
    let name = scene.name();
    let lock = foreign::Names::of(name).data_lock;
    let mut out = ChopSender::create(name).unwrap();
    let mut input = ChopReceiver::open(name).unwrap();
    assert!(input.try_next().unwrap().is_none(), "nothing was written");
    let mut other = scene.peer();
    for seed in 1..=3 {
        // The second frame is of another shape, and the third has other names.
        out.set_channels((0..4).map(|channel| format!("{}c{channel}", seed / 3))).unwrap();
        let length = if seed == 1 { 8 } else { 9 };
        out.send_flat(&frames::flat(seed, 4, length), length).unwrap();
        other.ask(&format!("lock {lock} 600000"));
        for _ in 0..3 {
            let mut late = ChopReceiver::open(name).unwrap();
            assert_eq!(Seen::of(late.try_next().unwrap().expect("it is new there")).seed, Some(seed));
        }
        assert_eq!(Seen::of(input.try_next().unwrap().expect("it is new")).seed, Some(seed));
        for _ in 0..1000 {
            assert!(input.try_next().unwrap().is_none());
        }
        assert!(input.next_timeout(Duration::from_millis(1)).unwrap().is_none());
        assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(seed));
        let mut samples = vec![0.0; 4 * length];
        assert!(input.read_into(&mut samples).unwrap().is_some());
        assert_eq!(frames::seed_of(&samples, 4, length), Some(seed));
        other.ask("unlock");
    }
}

#[test]
fn a_writer_killed_between_the_halves_of_the_sequence_leaves_the_last_frame() {
    let scene = Scene::new("notice: killed in the middle");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 65536"));
    sender.ask("send 4 8 60 1 default");
    let mut input = ChopReceiver::open(name).unwrap();
    let mut late = ChopReceiver::open(name).unwrap();
    assert_eq!(next(&mut input), (Some(1), Some(1), Some(0)));
    let info = Info::of(&scene);
    let mut asleep = waiter(&scene, &info);

    sender.ask("hold-send 4 8 60 2");
    sender.kill();
    assert_eq!((info.u64(SEQUENCE), info.u64(FRAMES)), (3, 1), "killed in the middle");
    for _ in 0..10 {
        assert!(input.try_next().unwrap().is_none());
        assert!(input.read().unwrap().is_none());
        assert!(input.view().unwrap().is_none());
        assert!(late.read().unwrap().is_none(), "half a frame is none");
    }
    scene.until("the receiver to notice the death", || {
        assert!(input.try_next().unwrap().is_none());
        input.attached() == Attached::Died
    });
    for _ in 0..10 {
        assert!(input.try_next().unwrap().is_none());
    }
    assert_eq!(Seen::of(input.frame().unwrap()).seed, Some(1));
    assert!(asleep.try_answer().is_none());

    let mut out = ChopSender::create(name).unwrap();
    assert_eq!(info.u64(SEQUENCE) % 2, 0);
    assert!(input.try_next().unwrap().is_none(), "a new sender that has sent nothing");
    send(&mut out, 3);
    assert_eq!(next(&mut input).0, Some(3));
    assert_eq!(next(&mut late).0, Some(3));
    assert_eq!(Seen::parse(&asleep.answer().unwrap()).unwrap().seed, Some(3));
}

#[test]
fn a_sender_that_takes_over_from_a_dead_one_goes_on_counting() {
    let scene = Scene::new("notice: take-over");
    let name = scene.name();
    let mut input = ChopReceiver::open(name).unwrap();
    let mut number = 0;
    for round in 0..5 {
        let mut sender = scene.peer();
        sender.ask(&format!("sender {name} 65536"));
        for seed in 1..=3 {
            sender.ask(&format!("send 4 8 60 {seed} default"));
        }
        number += 3;
        let missed = if round == 0 { 0 } else { 2 };
        assert_eq!(next(&mut input), (Some(3), Some(number), Some(missed)), "round {round}");
        sender.kill();
    }
    assert_eq!(Info::of(&scene).u64(FRAMES), 15);
}

#[test]
fn a_new_object_is_a_new_count() {
    let scene = Scene::new("notice: new object");
    let name = scene.name();
    let mut input = ChopReceiver::open(name).unwrap();
    for round in 0..3 {
        let mut out = ChopSender::create(name).unwrap();
        for seed in 1..=3 {
            send(&mut out, seed);
        }
        assert_eq!(next(&mut input), (Some(3), Some(3), Some(0)), "round {round}");
        send(&mut out, 4);
        send(&mut out, 5);
        assert_eq!(next(&mut input), (Some(5), Some(5), Some(1)), "round {round}");
        out.detach().unwrap();
        assert!(input.try_next().unwrap().is_none());
        assert_eq!(Seen::of(input.frame().unwrap()).seed, Some(5), "the last frame stays");
    }
}

/// The block of a foreign sender.
fn foreign_block(seed: u32) -> Block {
    Block::new(4, &frames::flat(seed, 4, 8), 60.0, None)
}

#[cfg_attr(
    not(target_os = "linux"),
    ignore = "Linux alone: elsewhere no foreign sender gets an object that is there"
)]
#[test]
fn a_foreign_sender_that_takes_over_the_object_is_followed_by_comparing() {
    for dies in ["between two frames", "in the middle of a frame"] {
        let scene = Scene::new("notice: foreign take-over");
        let name = scene.name();
        let mut sender = scene.peer();
        sender.ask(&format!("sender {name} 4096"));
        sender.ask("send 4 8 60 1 default");
        let mut input = ChopReceiver::open(name).unwrap();
        assert_eq!(next(&mut input), (Some(1), Some(1), Some(0)));
        if dies == "in the middle of a frame" {
            sender.ask("hold-send 4 8 60 2");
        }
        sender.kill();
        scene.until("the receiver to notice the death", || {
            assert!(input.try_next().unwrap().is_none(), "{dies}");
            input.attached() == Attached::Died
        });
        // 44 bytes of its own; ours behind them it does not know.
        let names = foreign::Names::of(name);
        let (info, data) = (Mapping::open(&names.info).unwrap(), Mapping::open(&names.data).unwrap());
        info.write(0, &foreign::info_block("", 0));
        for _ in 0..10 {
            assert!(input.try_next().unwrap().is_none(), "{dies}: nothing has been written");
        }
        for seed in 10..20 {
            foreign_block(seed).write_to(&data);
            let frame = input.next_timeout(EVER).unwrap().expect("it differs");
            assert_eq!(Seen::of(frame).seed, Some(seed), "{dies}");
            assert_eq!(known(frame), (None, None, false), "{dies}");
            for _ in 0..3 {
                assert!(input.try_next().unwrap().is_none(), "{dies}: the same bytes are no news");
            }
            let read = input.read().unwrap().expect("reading is always possible");
            assert_eq!(Seen::of(read).seed, Some(seed));
        }
        // One of ours again, over the foreign one, as nobody owns it: counted from then on.
        let mut out = ChopSender::create(name).unwrap();
        send(&mut out, 21);
        assert_eq!(next(&mut input), (Some(21), Some(2), Some(0)), "{dies}");
    }
}
