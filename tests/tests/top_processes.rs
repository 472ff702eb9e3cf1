//! Images between processes: changing all the time, with programs of others, and with whoever dies or stands still in
//! the middle (wire §9, §11).

use std::time::Duration;

use tdshm::{Error, ErrorKind, NamedLock, PixelFormat, PixelsMut, RowOrder, TopReceiver, TopSender};
use tdshm_tests::acts::Dice;
use tdshm_tests::foreign::{Foreign, Names};
use tdshm_tests::foreign_top::{ForeignTop, TopBlock, legacy_header, put};
use tdshm_tests::images::Image;
use tdshm_tests::info::{EVER, Info};
use tdshm_tests::{Peer, Scene};

const CURRENT: u64 = 1412;
const SLOTS: u64 = 1408;
const PINNED: u64 = 32;

/// What a peer saw: `None` for no image.
fn see(peer: &mut Peer, command: &str) -> Option<u32> {
    let answer = peer.ask(command);
    let mut words = answer.split_whitespace();
    if words.next() == Some("none") {
        return None;
    }
    let number = words.next().expect("a number");
    Some(number.parse().unwrap_or_else(|_| panic!("{command}: {answer}")))
}

fn counts(answer: &str) -> [u64; 2] {
    let counts: Vec<u64> = answer.split_whitespace().map(|word| word.parse().expect("a count")).collect();
    counts.try_into().expect("two of them")
}

/// Size, format and way in at random at every image, flat out, to receivers of every kind, in blocks of every header.
#[test]
fn whatever_changes_under_load_every_image_is_whole() {
    const LAST: u32 = 900;
    for (slots, version) in [("auto", "1"), ("0", "2"), ("2", "1"), ("4", "2"), ("3", "legacy")] {
        let scene = Scene::new("top: load");
        let name = scene.name();
        let mut writer = scene.peer();
        writer.ask(&format!("top-sender {name} {slots} {version}"));
        writer.ask("top-flat-out 1");
        let mut readers = [scene.peer(), scene.peer(), scene.peer()];
        for reader in &mut readers {
            reader.ask(&format!("top-receiver {name}"));
            reader.ask("top-read");
            reader.begin(&format!("top-follow {LAST}"));
        }
        let mut foreign = scene.peer();
        let of_today = slots != "auto" && version != "legacy";
        if of_today {
            foreign.begin(&format!("top-follow-foreign {name} {LAST}"));
        }
        writer.ask(&format!("top-flat-out {}", LAST - 1));
        for reader in &mut readers {
            let [received, missed] = counts(&reader.answer().unwrap());
            // The first one was read before.
            assert!(
                (u64::from(LAST) - 1..=u64::from(LAST)).contains(&(received + missed)),
                "{received} {missed}"
            );
        }
        if of_today {
            foreign.answer().unwrap();
        }
    }
}

/// Header, places, sizes and formats change at random, flat out, while senders leave and die.
#[test]
fn whoever_sends_under_load_every_image_is_whole() {
    const EACH: u32 = 60;
    const SENDERS: u32 = 40;
    let scene = Scene::new("top: senders under load");
    let name = scene.name();
    let mut readers = [scene.peer(), scene.peer()];
    for reader in &mut readers {
        reader.ask(&format!("top-receiver {name}"));
        reader.begin(&format!("top-follow-any {}", SENDERS * EACH));
    }
    let (mut dice, mut last) = (Dice::new(11), None);
    for sender in 0..SENDERS {
        let mut writer = scene.peer();
        let slots = ["auto", "0", "2", "3", "4"][dice.below(5) as usize];
        let version = ["1", "2", "legacy"][dice.below(3) as usize];
        writer.ask(&format!("top-sender {name} {slots} {version}"));
        let first = sender * EACH + 1;
        if sender + 1 == SENDERS {
            writer.ask(&format!("top-flat-out {EACH} {first}"));
            last = Some(writer);
            break;
        }
        writer.ask(&format!("top-flat-out {} {first}", 1 + dice.below(40)));
        if dice.below(2) == 0 {
            writer.quit();
        } else {
            writer.begin(&format!("top-flat-out 19 {}", first + 41));
            writer.kill();
        }
    }
    for reader in &mut readers {
        reader.answer().unwrap();
    }
    drop(last);
}

/// Sender and receiver flat out, with places: so many images that arrive, and each compared byte by byte.
fn flat_out(width: usize, height: usize, images: u64, time: Duration) {
    let scene = Scene::lasting("top: reel", time);
    let name = scene.name();
    let (mut writer, mut reader) = (scene.peer(), scene.peer());
    for peer in [&mut writer, &mut reader] {
        peer.ask(&format!("top-reel {width} {height}"));
    }
    writer.ask(&format!("top-sender {name} auto 1"));
    reader.ask(&format!("top-receiver {name}"));
    reader.begin(&format!("top-reel-follow {images}"));
    let (begin, mut sent) = (std::time::Instant::now(), 0_u64);
    let missed = loop {
        writer.ask("top-reel-send 100");
        sent += 100;
        if let Some(missed) = reader.try_answer() {
            break missed.unwrap();
        }
    };
    let second = begin.elapsed().as_secs_f64();
    let rate = images as f64 / second;
    println!(
        "{images} images of {width} x {height} arrived whole, {rate:.0} a second; {sent} sent, {missed} missed"
    );
}

#[test]
fn ten_thousand_images_flat_out_are_whole() {
    flat_out(320, 180, 10_000, Duration::ZERO);
}

#[test]
#[ignore = "long: for soak"]
fn ten_thousand_large_images_flat_out_are_whole() {
    flat_out(1920, 1080, 10_000, Duration::from_secs(300));
}

/// A sender leaves, or dies, and one with another header comes, again and again.
#[test]
fn senders_with_other_headers_come_and_go() {
    let scene = Scene::new("top: versions");
    let name = scene.name();
    let mut reader = scene.peer();
    reader.ask(&format!("top-receiver {name}"));
    let mut here = TopReceiver::open(name).unwrap();
    let mut number = 0;
    for round in 0..12 {
        let mut writer = scene.peer();
        let (slots, version) = (["auto", "0", "3"][round % 3], ["1", "2", "legacy"][round / 2 % 3]);
        writer.ask(&format!("top-sender {name} {slots} {version}"));
        for _ in 0..4 {
            number += 1;
            writer.ask(&format!("top-send {number}"));
            while see(&mut reader, "top-next 600000") != Some(number) {}
            while here.next_timeout(EVER).unwrap().map(Image::seen) != Some(Some(Image::of(number))) {}
        }
        match round % 3 {
            0 => drop(writer.ask("top-detach")),
            1 => writer.kill(),
            _ => writer.quit(),
        }
        assert!(here.next_timeout(Duration::from_millis(1)).unwrap().is_none(), "nothing is torn or new");
        assert_eq!(Image::seen(here.frame().unwrap()), Some(Image::of(number)), "the last one stays");
    }
}

/// Who attaches and says `supported` may look at the usual offset alone, unless the user insists.
#[test]
fn for_a_foreign_receiver_the_next_image_lies_at_the_usual_offset() {
    for (slots, version, usual) in [
        ("auto", "1", 48),
        ("auto", "2", 56),
        ("auto", "legacy", 40),
        ("3", "1", 0),
        ("2", "2", 0),
        ("0", "1", 48),
    ] {
        let scene = Scene::new("top: foreign receiver");
        let name = scene.name();
        let mut writer = scene.peer();
        writer.ask(&format!("top-sender {name} {slots} {version}"));
        let mut input = TopReceiver::open(name).unwrap();
        writer.ask("top-send 1");
        writer.ask("top-send 2");
        assert_eq!(Image::seen(input.read().unwrap().unwrap()), Some(Image::of(2)));
        let info = Info::of(&scene);
        assert_eq!(info.u32(SLOTS), slots.parse().unwrap_or(3));
        let mut foreign = ForeignTop::attach(name).unwrap();
        let block = foreign.read().unwrap();
        assert_eq!(block.pixels, Image::of(2).bytes(RowOrder::BottomFirst), "where the header points to");
        for number in 3..40 {
            writer.ask(&format!("top-send {number}"));
            let block = foreign.read().unwrap();
            assert_eq!(block.pixels, Image::of(number).bytes(RowOrder::BottomFirst), "{number}");
            assert_eq!(Image::seen(input.try_next().unwrap().unwrap()), Some(Image::of(number)));
            match usual {
                0 => assert_eq!(block.data_offset % 64, 0, "a place"),
                usual => assert_eq!((block.data_offset, info.u32(SLOTS)), (usual, 0), "{slots} {version}"),
            }
        }
    }
}

/// A sender of others, which moves its pixels about as it likes, and its headers as well.
#[test]
fn a_foreign_sender_is_followed_wherever_its_pixels_lie() {
    let scene = Scene::new("top: foreign sender");
    let mut sender = Foreign { size: 1 << 20, ..Foreign::default() }.start(scene.name());
    let mut there = scene.peer();
    there.ask(&format!("top-receiver {}", scene.name()));
    let mut here = TopReceiver::open(scene.name()).unwrap();
    let lock = NamedLock::open(&Names::of(scene.name()).data_lock).unwrap();
    for number in 1..120_u32 {
        let image = Image::of(number);
        let pixels = image.bytes(RowOrder::BottomFirst);
        let (width, height) = (image.width as i32, image.height as i32);
        let block = TopBlock::new(width, height, image.format.number(), pixels.clone());
        let block = match number % 5 {
            0 => TopBlock { data_offset: 44, ..block },
            1 => block,
            2 => TopBlock { version: 2, data_offset: 56, colour: Some((2, number % 2)), ..block },
            3 => TopBlock { data_offset: 48 + 4 * (number as i32 * 97 % 5000), ..block },
            _ => TopBlock { version: 3, data_offset: 4096, colour: Some((9, 9)), ..block },
        };
        let held = lock.lock().unwrap();
        if number % 40 == 0 {
            let letter = char::from(b'a' + (number / 40) as u8);
            sender.move_images_to(&letter.to_string().repeat(31), 1 << 20, &block);
        }
        if number % 7 == 0 && image.format == PixelFormat::R8G8B8A8_UNORM {
            put(&sender.data, 0, &legacy_header(2, (width, height), [0x1908, 0x1401, 0x8058], 40));
            put(&sender.data, 40, &pixels);
        } else {
            block.write_to(&sender.data);
        }
        drop(held);
        while see(&mut there, "top-next 600000") != Some(number) {}
        let frame = here.next_timeout(EVER).unwrap().unwrap();
        assert_eq!(Image::seen(frame), Some(image));
        assert_eq!((frame.number(), frame.missed(), frame.age()), (None, None, None));
        let mut buffer = vec![0; pixels.len()];
        here.read_into(PixelsMut::bottom_first(&mut buffer)).unwrap().unwrap();
        assert_eq!(buffer, pixels);
        assert!(here.try_next().unwrap().is_none(), "the same bytes are nothing new");
    }
    sender.leave();
    assert!(here.try_next().unwrap().is_none());
}

/// In the middle of filling an image, with places and without: the last one stays, and the name is free.
#[test]
fn a_sender_killed_in_the_middle_costs_that_image_and_no_more() {
    for slots in ["auto", "0", "2"] {
        let scene = Scene::new("top: killed");
        let name = scene.name();
        let mut there = scene.peer();
        there.ask(&format!("top-receiver {name}"));
        let mut here = TopReceiver::open(name).unwrap();
        for round in 0..6_u32 {
            let mut writer = scene.peer();
            writer.ask(&format!("top-sender {name} {slots} 1"));
            // The third of the first round does not fit the room of the others.
            for number in 1..=3 {
                writer.ask(&format!("top-send {}", round * 10 + number));
            }
            let last = Image::of(round * 10 + 3);
            while see(&mut there, "top-next 600000") != Some(last.number) {}
            assert_eq!(Image::seen(here.read().unwrap().unwrap()), Some(last));
            assert_eq!(writer.ask(&format!("top-hold-send {}", round * 10 + 4)), "half");
            if slots != "0" {
                // The lock is free meanwhile, and the last image can be had in every way.
                assert_eq!(Image::seen(here.read().unwrap().unwrap()), Some(last));
                assert!(!here.view().unwrap().unwrap().is_abandoned());
            }
            writer.kill();
            for _ in 0..3 {
                if let Some(frame) = here.read().unwrap() {
                    assert_eq!(Image::seen(frame), Some(last), "never half of one");
                }
                assert!(here.try_next().unwrap().is_none());
                if let Some(number) = see(&mut there, "top-read") {
                    assert_eq!(number, last.number);
                }
            }
            assert_eq!(Image::seen(here.frame().unwrap()), Some(last));
        }
    }
}

/// Stopped in whatever it does without the lock, a receiver holds nobody up.
#[test]
fn receivers_that_stand_still_hold_no_sender_up() {
    let scene = Scene::new("top: stopped");
    let name = scene.name();
    let mut writer = scene.peer();
    writer.ask(&format!("top-sender {name} 3 1 20"));
    writer.ask("top-flat-out 1");
    let mut readers: Vec<_> = (0..3).map(|_| scene.peer()).collect();
    for reader in &mut readers {
        reader.ask(&format!("top-observer {name}"));
        reader.ask("top-next 600000");
    }
    // Those that observe take no lock, so whatever they are stopped in is no excuse for an image that is lost.
    for reader in &mut readers {
        reader.begin("top-next 600000");
    }
    let mut pinners: Vec<_> = (0..3).map(|_| scene.peer()).collect();
    for pinner in &mut pinners {
        pinner.ask(&format!("top-receiver {name}"));
        pinner.ask("top-read");
    }
    let info = Info::of(&scene);
    // All places are pinned, as by receivers that were stopped while they copied.
    for (place, pinner) in pinners.iter().enumerate() {
        pinner.stop();
        info.set(info.entry_of(pinner.pid()) + PINNED, &(place as u32 + 1).to_le_bytes());
    }
    let mut places = std::collections::BTreeSet::new();
    let mut here = TopReceiver::open(name).unwrap();
    for number in 2..30 {
        writer.ask("top-flat-out 1");
        places.insert(info.u32(CURRENT));
        assert_eq!(Image::seen(here.read().unwrap().unwrap()), Some(Image::of(number)));
    }
    assert!(places.len() > 1, "{places:?}");
    for pinner in &mut pinners {
        pinner.go_on();
        assert_eq!(see(pinner, "top-read"), Some(29));
    }
}

/// A place that is pinned is left alone as long as there is another.
#[test]
fn a_pinned_place_stays_and_the_pins_of_the_dead_are_taken_away() {
    let scene = Scene::new("top: pinned");
    let name = scene.name();
    let mut out = TopSender::builder(name).slots(3).create().unwrap();
    let send = |out: &mut TopSender, number: u32| {
        let image = Image { number, format: PixelFormat::R8_UNORM, width: 64, height: 4 };
        image.send(out).unwrap();
    };
    send(&mut out, 1);
    let mut pinner = scene.peer();
    pinner.ask(&format!("top-receiver {name}"));
    pinner.ask("top-read");
    let info = Info::of(&scene);
    send(&mut out, 2);
    let pinned = info.u32(CURRENT);
    let pin = info.entry_of(pinner.pid()) + PINNED;
    info.set(pin, &(pinned + 1).to_le_bytes());
    let sequence = info.u64(1424 + 16 * u64::from(pinned));
    for number in 3..40 {
        send(&mut out, number);
        assert_ne!(info.u32(CURRENT), pinned);
        assert_eq!(info.u64(1424 + 16 * u64::from(pinned)), sequence, "nothing was written there");
    }
    pinner.kill();
    let mut number = 40;
    scene.until("the place to be used again", || {
        send(&mut out, number);
        number += 1;
        info.u32(CURRENT) == pinned
    });
    assert_eq!(info.u32(pin), 0);
}

/// One that is stopped inside a view has the lock: images are lost, one by one and told, until it goes on.
#[test]
fn a_view_that_stands_still_costs_images_and_says_so() {
    for slots in [0, 3] {
        let scene = Scene::new("top: view");
        let limit = Duration::from_millis(2);
        let mut out = TopSender::builder(scene.name()).slots(slots).lock_limit(limit).create().unwrap();
        let mut here = TopReceiver::open(scene.name()).unwrap();
        let mut there = scene.peer();
        Image::of(1).send(&mut out).unwrap();
        there.ask(&format!("top-receiver {}", scene.name()));
        for round in 0..4 {
            let last = 1 + round * 10;
            assert_eq!(there.ask("top-hold-view"), "image");
            there.stop();
            for number in last + 1..last + 5 {
                let error = Image::of(number).send(&mut out).unwrap_err();
                assert_eq!((error.code(), error.kind()), (101, ErrorKind::Retry));
                assert!(matches!(error, Error::Lock(_)), "{error}");
                let frame = here.read().unwrap().unwrap();
                assert_eq!(
                    Image::seen(frame),
                    Some(Image::of(last)),
                    "without the lock the last one can be had"
                );
            }
            there.go_on();
            assert_eq!(there.ask("let-go"), "free");
            Image::of(last + 10).send(&mut out).unwrap();
            let frame = here.next_timeout(EVER).unwrap().unwrap();
            assert_eq!((Image::seen(frame), frame.missed()), (Some(Image::of(last + 10)), Some(0)));
            assert_eq!(see(&mut there, "top-read"), Some(last + 10));
        }
    }
}

/// A child that was forked in the middle of an image is no sender, and leaves the places of its parent alone.
#[cfg(target_os = "linux")]
#[test]
fn a_forked_child_writes_nothing() {
    for slots in ["auto", "0", "2"] {
        let scene = Scene::new("top: fork");
        let mut writer = scene.peer();
        writer.ask(&format!("top-sender {} {slots} 1", scene.name()));
        let mut input = TopReceiver::open(scene.name()).unwrap();
        for number in 1..12 {
            // The first of a size also moves to another segment.
            assert_eq!(writer.ask(&format!("top-fork {number}")), "105", "{slots}: all tries of the child");
            let frame = input.next_timeout(EVER).unwrap().unwrap();
            assert_eq!(Image::seen(frame), Some(Image::of(number)), "{slots}");
            assert_eq!((frame.number(), frame.missed()), (Some(number.into()), Some(0)));
        }
        writer.quit();
    }
}
