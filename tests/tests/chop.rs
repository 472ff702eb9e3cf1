//! Channel blocks: ways of sending and reading, names, room, and what a sender refuses (wire §8).

use std::time::Duration;

use tdshm::{BlockError, ChopFrame, ChopReceiver, ChopSender, Error, FieldValue, Samples};
use tdshm_tests::system::DIES_WITH_HANDLES;
use tdshm_tests::{Scene, Seen, foreign, frames};

/// Far longer than the watchdog's: whoever waits so long has failed.
const EVER: Duration = Duration::from_secs(600);

#[test]
fn frames_that_grow_and_shrink_up_to_the_room_from_the_other_process() {
    let scene = Scene::new("chop: sizes, from a peer");
    let mut sender = scene.peer();
    sender.ask(&format!("sender {} 1000000", scene.name()));
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let mut seed = 0;
    for length in [1, 1000, 30_000, 2, 60_000, 59_999, 7] {
        for (count, names) in [(4, "names"), (2, "nonames"), (1, "default")] {
            seed += 1;
            sender.ask(&format!("send {count} {length} 48000 {seed} {names}"));
            let seen = Seen::of(input.next_timeout(EVER).unwrap().unwrap());
            assert_eq!((seen.count, seen.length, seen.seed), (count, length, Some(seed)));
            if names == "names" {
                assert_eq!(seen.names, frames::names(seed, count));
            }
        }
    }
    // Beyond the room it moves, and no frame is lost.
    sender.ask("send 4 70000 48000 99 names");
    let seen = Seen::of(input.next_timeout(EVER).unwrap().unwrap());
    assert_eq!((seen.count, seen.length, seen.seed), (4, 70_000, Some(99)));
    assert_eq!(seen.names, frames::names(99, 4));
    // Beyond what a block can be it is refused.
    let refused = sender.try_ask("send 4 0 48000 9 names").map(drop);
    assert_eq!(refused, Ok(()));
    assert_eq!(input.next_timeout(EVER).unwrap().unwrap().samples(), [0.0; 0]);
}

/// A sender as fast as it can, without waiting for anybody: no reader ever sees half of a frame.
#[test]
fn frames_are_whole_however_fast_they_change() {
    let scene = Scene::new("chop: whole frames under load");
    let name = scene.name();
    let mut out = ChopSender::builder(name).room_for(8, 500).create().unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    let mut peers = [scene.peer(), scene.peer()];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut seed = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                seed = seed % frames::LARGEST_SEED + 1;
                let (count, length) = (1 + seed as usize % 8, 1 + seed as usize * 7 % 500);
                if seed % 3 == 0 {
                    out.set_channels([""; 0]).unwrap();
                } else {
                    out.set_channels(frames::names(seed, count)).unwrap();
                }
                out.send_flat(&frames::flat(seed, count, length), length).unwrap();
            }
        });
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for peer in &mut peers {
                peer.ask(&format!("receiver {name}"));
            }
            for round in 0..300 {
                for peer in &mut peers {
                    let how = ["read", "view", "next 600000"][round % 3];
                    let Some(seen) = peer.see(how) else { continue };
                    let seed = seen.seed.unwrap_or_else(|| panic!("a torn frame: {seen:?}"));
                    assert!(!seen.abandoned);
                    if seed % 3 != 0 {
                        assert_eq!(
                            seen.names,
                            frames::names(seed, seen.count),
                            "the names of this very frame"
                        );
                    }
                }
            }
        }));
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn rows_of_every_kind_and_frames_can_be_sent() {
    let scene = Scene::new("chop: kinds of rows");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    fn check<S: Samples + ?Sized>(out: &mut ChopSender, input: &mut ChopReceiver, rows: &S) {
        out.send(&[[0.0]]).unwrap();
        out.send(rows).unwrap();
        assert_eq!(input.read().unwrap().unwrap().samples(), [1.0, 2.0, 3.0, 4.0]);
    }
    let slices: &[&[f32]] = &[&[1.0, 2.0], &[3.0, 4.0]];
    check(&mut out, &mut input, slices);
    check(&mut out, &mut input, &[[1.0, 2.0], [3.0, 4.0]]);
    check(&mut out, &mut input, &vec![vec![1.0, 2.0], vec![3.0, 4.0]]);
    check(&mut out, &mut input, &[vec![1.0, 2.0].into_boxed_slice(), vec![3.0, 4.0].into_boxed_slice()][..]);
    let frame = ChopFrame::from_rows(["tx"], 25.0, slices).unwrap();
    check(&mut out, &mut input, &frame);
    let read = input.frame().unwrap();
    assert_eq!((read.names(), read.sample_rate()), (frame.names(), 25.0), "a frame brings names and rate");

    // What was received can be sent on.
    let scene_two = Scene::new("chop: relay");
    let mut relay = ChopSender::create(scene_two.name()).unwrap();
    relay.send(read).unwrap();
    let mut end = ChopReceiver::open(scene_two.name()).unwrap();
    let end = end.read().unwrap().unwrap();
    assert_eq!((end.names(), end.samples(), end.sample_rate()), (frame.names(), frame.samples(), 25.0));
}

/// Many channels of one sample each, whose values lie apart where they come from.
#[test]
fn any_number_of_single_samples_arrives_in_order() {
    let scene = Scene::new("chop: single samples");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    for count in (0..=70).chain([127, 128, 129, 191, 192, 193, 1000]) {
        let rows = frames::rows(7, count, 1);
        out.send(&rows).unwrap();
        assert_eq!(input.read().unwrap().unwrap().samples(), rows.concat(), "{count}");
        let apart: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        out.send(&apart).unwrap();
        assert_eq!(input.read().unwrap().unwrap().samples(), rows.concat(), "{count}");
    }
}

#[test]
fn names_that_are_not_sent_are_the_ones_the_receiver_had() {
    let scene = Scene::new("chop: naming rules");
    let mut out = ChopSender::builder(scene.name()).names_sent(false).create().unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let mut send = |names: &[&str], sent: bool, count: usize| {
        out.set_channels(names.iter().copied()).unwrap();
        out.set_names_sent(sent);
        out.send(&vec![[0.0]; count]).unwrap();
        input.read().unwrap().unwrap().names().to_vec()
    };
    assert_eq!(send(&["tx", "ty"], false, 2), ["chan1", "chan2"], "never had one");
    assert_eq!(send(&["tx", "ty"], true, 2), ["tx", "ty"]);
    assert_eq!(send(&["x", "y"], false, 2), ["tx", "ty"], "kept");
    assert_eq!(send(&[], false, 1), ["tx"], "fewer");
    assert_eq!(send(&[], false, 4), ["tx", "ty", "chan3", "chan4"], "more");
    assert_eq!(send(&[], false, 2), ["tx", "ty"]);
    assert_eq!(send(&["a"], true, 1), ["a"]);
    assert_eq!(send(&[], false, 2), ["a", "ty"], "the second still has its own");
    assert_eq!(send(&[], true, 2), ["chan1", "chan2"], "a sender without names sends these");
    assert_eq!(send(&["chan2", "chan2"], true, 2), ["chan2", "chan2"], "names may repeat");
    assert_eq!(send(&["", ""], true, 2), ["", ""], "and be empty");
    assert_eq!(send(&["höhe", "日本"], true, 2), ["höhe", "日本"]);
}

#[test]
fn lookups_find_the_first_channel_of_a_name() {
    let scene = Scene::new("chop: lookups");
    let mut out = ChopSender::builder(scene.name()).channels(["a", "b", "a"]).create().unwrap();
    out.send(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let frame = input.read().unwrap().unwrap();
    assert_eq!(frame.channel("a"), Some(&[1.0, 2.0][..]));
    assert_eq!(frame.channel("b"), Some(&[3.0, 4.0][..]));
    assert_eq!((frame.channel("c"), frame.channel("")), (None, None));
    assert_eq!(frame.channel_at(2), Some(&[5.0, 6.0][..]));
    assert_eq!((frame.channel_at(3), frame.channel_at(usize::MAX)), (None, None));
    let view = input.view().unwrap().unwrap();
    assert_eq!(view.channel("a").unwrap().get(1), Some(2.0));
    assert!(view.channel_at(3).is_none() && view.channel_at(usize::MAX).is_none());
}

#[test]
fn any_bits_of_a_sample_arrive() {
    let scene = Scene::new("chop: bits");
    let bits = [0_u32, 0x8000_0000, 0x7f80_0000, 0xff80_0000, 0x7fc0_0001, 0x7f80_0001, 1, u32::MAX];
    let mut out = ChopSender::create(scene.name()).unwrap();
    out.send_flat(&bits.map(f32::from_bits), 8).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let frame = input.read().unwrap().unwrap();
    assert_eq!(frame.samples().iter().map(|sample| sample.to_bits()).collect::<Vec<_>>(), bits);
    // NaN is unlike itself, and yet the frame is not a new one.
    assert!(input.try_next().unwrap().is_none());
}

#[test]
fn a_frame_is_new_when_anything_of_it_differs() {
    let scene = Scene::new("chop: what is new");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    assert!(input.try_next().unwrap().is_none() && input.frame().is_none());
    type Step = fn(&mut ChopSender);
    let steps: [(&str, Step); 7] = [
        ("the first", |out| _ = out.send(&[[0.0, 0.0]]).unwrap()),
        ("a sample", |out| _ = out.send(&[[0.0, 1.0]]).unwrap()),
        ("the sign of zero", |out| _ = out.send(&[[-0.0, 1.0]]).unwrap()),
        ("the length", |out| _ = out.send(&[[-0.0, 1.0, 0.0]]).unwrap()),
        ("the count", |out| _ = out.send(&[[-0.0], [1.0], [0.0]]).unwrap()),
        ("the rate", |out| {
            out.set_sample_rate(61.0).unwrap();
            out.send(&[[-0.0], [1.0], [0.0]]).unwrap();
        }),
        ("a name", |out| {
            out.set_channels(["chan1", "chan2", "chan4"]).unwrap();
            out.send(&[[-0.0], [1.0], [0.0]]).unwrap();
        }),
    ];
    for (what, step) in steps {
        step(&mut out);
        assert!(input.try_next().unwrap().is_some(), "{what}");
        assert!(input.try_next().unwrap().is_none(), "{what}: once");
        assert!(input.read().unwrap().is_some(), "{what}: reading takes whatever lies there");
    }
    // The same frame of another sender is a new one.
    drop(out);
    assert!(input.try_next().unwrap().is_none());
    let mut out = ChopSender::builder(scene.name()).channels(["chan1", "chan2", "chan4"]).sample_rate(61.0);
    let mut out = {
        out = out.room_bytes(1);
        out.create().unwrap()
    };
    assert!(input.try_next().unwrap().is_none(), "nothing written yet");
    out.send(&[[-0.0], [1.0], [0.0]]).unwrap();
    assert!(input.try_next().unwrap().is_some());
}

#[test]
fn an_empty_sender_is_no_frame_and_an_empty_frame_is_one() {
    let scene = Scene::new("chop: empty");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    assert!(input.read().unwrap().is_none());
    assert!(input.view().unwrap().is_none());
    assert!(input.read_into(&mut []).unwrap().is_none());
    assert!(input.next_timeout(Duration::ZERO).unwrap().is_none());
    out.send::<[[f32; 0]; 0]>(&[]).unwrap();
    let frame = input.next_timeout(EVER).unwrap().unwrap();
    assert_eq!((frame.num_channels(), frame.len_samples(), frame.samples().len()), (0, 0, 0));
    out.send(&[[0.0; 0]; 2]).unwrap();
    let frame = input.read().unwrap().unwrap();
    assert_eq!((frame.num_channels(), frame.len_samples()), (2, 0));
    assert_eq!(frame.channel("chan2"), Some(&[][..]));
}

/// Samples that the caller takes are not copied again; what tells frames apart stays.
#[test]
fn samples_are_exchanged_for_a_buffer() {
    let scene = Scene::new("chop: exchanged");
    let mut out = ChopSender::builder(scene.name()).channels(["a", "b"]).create().unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let mut buffer = Vec::new();
    assert!(!input.swap_samples(&mut buffer), "nothing came");
    for number in 1..40_u16 {
        let value = f32::from(number);
        out.send(&[[value, 1.0], [2.0, value]]).unwrap();
        let at = input.try_next().unwrap().unwrap().samples().as_ptr();
        assert!(input.swap_samples(&mut buffer));
        assert_eq!((buffer.as_ptr(), &buffer[..]), (at, &[value, 1.0, 2.0, value][..]), "no copy");
        assert!(!input.swap_samples(&mut buffer), "once");
        let frame = input.frame().unwrap();
        assert_eq!((frame.number(), frame.num_channels(), frame.len_samples()), (Some(number.into()), 2, 2));
        assert!(frame.samples().is_empty() && frame.channel("a").is_none());
        assert!(input.try_next().unwrap().is_none(), "still the same");
        if number % 3 == 0 {
            assert_eq!(
                input.read().unwrap().unwrap().channel("b"),
                Some(&[2.0, value][..]),
                "who asks gets it again"
            );
        }
    }
}

#[test]
fn a_buffer_that_is_too_short_is_refused_and_not_touched() {
    let scene = Scene::new("chop: short buffer");
    let mut out = ChopSender::create(scene.name()).unwrap();
    out.send(&[[1.0, 2.0]]).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let mut buffer = [9.0];
    let error = input.read_into(&mut buffer).unwrap_err();
    let Error::Block(BlockError { value: FieldValue::Int(1), limit: FieldValue::Int(2), .. }) = error else {
        panic!("{error}")
    };
    assert_eq!(buffer, [9.0]);
    assert!(input.read().unwrap().is_some(), "the lock is free");
    assert!(out.send(&[[1.0]]).is_ok());
}

#[test]
fn what_a_sender_refuses_it_has_not_written() {
    let scene = Scene::new("chop: refusals");
    let mut out = ChopSender::builder(scene.name()).channels(["a", "b"]).create().unwrap();
    out.send(&[[1.0, 2.0], [3.0, 4.0]]).unwrap();
    let data = foreign::Mapping::open(&format!("TouchSHM{}", scene.name())).unwrap();
    let before = data.bytes();
    let field = |result: Result<tdshm::Sent, Error>| match result.unwrap_err() {
        Error::Block(error) => error.field,
        other => panic!("{other}"),
    };
    let unequal: &[&[f32]] = &[&[1.0, 2.0], &[3.0]];
    assert_eq!(field(out.send(unequal)), "length of a row");
    assert_eq!(field(out.send_flat(&[1.0; 5], 2)), "samples in the buffer");
    assert_eq!(field(out.send_flat(&[1.0; 5], 0)), "samples in the buffer");
    assert_eq!(field(out.send(&[[1.0]])), "number of names");
    assert_eq!(field(out.send(&[[1.0], [2.0], [3.0]])), "number of names");
    let filled = |out: &mut ChopSender, count, length| out.send_with(count, length, |_| panic!("not called"));
    assert_eq!(field(filled(&mut out, 2, 1 << 28)), "size");
    assert_eq!(field(filled(&mut out, 2, usize::MAX)), "numChans * length");
    assert_eq!(out.set_channels(["a", "b\0c"]).unwrap_err().field, "name");
    for rate in [0.0, -1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(out.set_sample_rate(rate).unwrap_err().field, "sampleRate");
        let error =
            ChopSender::builder(&format!("{}x", scene.name())).sample_rate(rate).create().unwrap_err();
        assert!(matches!(error, Error::Block(_)), "{error}");
    }
    let error = ChopSender::builder(&format!("{}x", scene.name())).channels(["a\0"]).create().unwrap_err();
    assert!(matches!(error, Error::Block(_)), "{error}");
    let error = ChopSender::builder(&format!("{}x", scene.name())).room_bytes(1 << 31).create().unwrap_err();
    assert_eq!(error.code(), 113, "{error}");
    let other = format!("{}x", scene.name());
    assert!(!scene.objects().iter().any(|object| object.contains(&other)), "nothing was made");

    assert_eq!(data.bytes(), before);
    assert_eq!(out.frames(), 1);
    out.send(&[[5.0], [6.0]]).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let frame = input.read().unwrap().unwrap();
    assert_eq!((frame.names(), frame.samples()), (&["a".to_owned(), "b".to_owned()][..], &[5.0, 6.0][..]));
    assert_eq!(frame.sample_rate(), 60.0);
}

/// A frame that is refused leaves the sender as it was: the next one has the rate and the names from before.
#[test]
fn a_frame_that_is_refused_changes_nothing_of_the_sender() {
    let scene = Scene::new("chop: refused frame");
    let mut out = ChopSender::builder(scene.name()).channels(["a"]).sample_rate(60.0).create().unwrap();
    let foreign = ChopFrame::from_rows(["x"], 1000.0, &[vec![0.0; 20]]).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    // Refused after its names and its rate were taken on: somebody has the lock.
    let lock = tdshm::NamedLock::open(&format!("TouchSHM{}Mutex", scene.name())).unwrap();
    let held = lock.lock().unwrap();
    assert_eq!(out.send(&foreign).unwrap_err().code(), 102);
    let large = ChopFrame::from_rows(["x"], 1000.0, &[vec![0.0; 20_000]]).unwrap();
    assert_eq!(out.send(&large).unwrap_err().code(), 102, "one that would need a move as well");
    drop(held);
    out.send(&[[1.0]]).unwrap();
    let frame = input.read().unwrap().unwrap();
    assert_eq!((frame.names(), frame.sample_rate()), (&["a".to_owned()][..], 60.0));
}

#[test]
fn the_room_is_used_to_the_last_byte() {
    let scene = Scene::new("chop: room");
    let mut out = ChopSender::builder(scene.name()).names_sent(false).create().unwrap();
    let samples = (out.room_bytes() - 36) / 4;
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    out.send_flat(&frames::flat(3, 1, samples), samples).unwrap();
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(3));
    let plain = format!("TouchSHM{}", scene.name());
    assert!(scene.objects().contains(&plain), "it fits: nothing has moved");
    let data = foreign::Mapping::open(&plain).unwrap();
    out.send_flat(&frames::flat(4, 1, samples + 1), samples + 1).unwrap();
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(4), "one more is another segment");
    assert!(DIES_WITH_HANDLES || !scene.objects().contains(&plain));
    assert!(out.room_bytes() >= 36 + 4 * (samples + 1));
    let old = foreign::parse(&data.bytes()).unwrap();
    assert_eq!(
        (old.length, &old.samples[..4]),
        (samples, &3.0_f32.to_le_bytes()[..]),
        "nothing of it is here"
    );

    let samples = (out.room_bytes() - 36) / 4;
    out.send_flat(&frames::flat(5, 1, samples), samples).unwrap();
    let room = out.room_bytes();
    out.set_names_sent(true);
    out.send_flat(&frames::flat(6, 1, samples), samples).unwrap();
    assert!(out.room_bytes() > room, "a name does not fit any more");
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(6));
}

#[test]
fn a_view_holds_the_lock_and_nothing_else_does() {
    let scene = Scene::new("chop: view holds the lock");
    let mut out = ChopSender::create(scene.name()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let lock = tdshm::NamedLock::open(&format!("TouchSHM{}Mutex", scene.name())).unwrap();
    let free =
        || std::thread::scope(|scope| scope.spawn(|| lock.try_lock().unwrap().is_some()).join().unwrap());
    let view = input.view().unwrap().unwrap();
    assert!(!free());
    let error = out.send(&[[2.0]]).unwrap_err();
    assert_eq!(error.code(), 102, "the same thread is told at once: {error}");
    drop(view);
    assert!(free());
    let _ = input.read().unwrap().unwrap();
    assert!(free());
    out.send(&[[3.0]]).unwrap();
    assert!(free());
    out.send_with(1, 1, |_| assert!(!free())).unwrap();
    assert!(free());
}
