//! All blocks of a program in one segment: they are always of one frame (wire §12).

use tdshm::{
    Attached, ChopFrame, ErrorKind, GlobalKind, GlobalReceiver, GlobalSender, PixelFormat, Pixels, RowOrder,
    SegmentReceiver,
};
use tdshm_tests::foreign::{Foreign, ForeignSender, Info, Mapping, Names};
use tdshm_tests::global::{Load, check, publish};
use tdshm_tests::info::EVER;
use tdshm_tests::{Scene, golden};

fn sender(scene: &Scene) -> GlobalSender {
    GlobalSender::builder().name(scene.name()).create().unwrap()
}

fn receiver(scene: &Scene) -> GlobalReceiver {
    GlobalReceiver::over(SegmentReceiver::open(scene.name()).unwrap())
}

fn counts(answer: &str) -> [u64; 2] {
    let counts: Vec<u64> = answer.split_whitespace().map(|word| word.parse().expect("a count")).collect();
    counts.try_into().expect("two of them")
}

#[test]
fn the_golden_bytes_are_read_and_written() {
    assert_eq!(golden::cases("12"), ["12-two-entries"]);
    let bytes = golden::bytes("12-two-entries");
    assert!(
        std::fs::read_to_string(golden::folder().join("12-two-entries.txt"))
            .unwrap()
            .contains(&format!("{} bytes", bytes.len()))
    );

    for room in [bytes.len(), 10_000] {
        let scene = Scene::new("global: golden read");
        let sender = Foreign { size: room, ..Foreign::default() }.start(scene.name());
        sender.data.write(0, &vec![0xcc; room]);
        sender.data.write(0, &bytes);
        let mut input = receiver(&scene);
        let frame = input.read().unwrap().unwrap();
        assert_eq!((frame.frame(), frame.number(), frame.size_bytes()), (0x1_0000_0007, None, 512));
        let entries: Vec<_> =
            frame.entries().map(|entry| (entry.kind, entry.name, entry.size_bytes)).collect();
        assert_eq!(entries, [(GlobalKind::Channels, "pose", 86), (GlobalKind::Image, "höhe", 64)]);
        let pose = input.channels("pose").unwrap().unwrap();
        assert_eq!((pose.names(), pose.len_samples()), (&["cha1".to_owned(), "cha2".to_owned()][..], 5));
        assert_eq!(pose.channel("cha2"), Some(&[6.0, 7.0, 8.0, 9.0, 10.0][..]));
        let image = input.image("höhe").unwrap().unwrap();
        assert_eq!(image.pixels(), &golden::bytes("9-version-1")[48..]);
        assert!(input.image("pose").unwrap().is_none() && input.channels("höhe").unwrap().is_none());
    }

    let scene = Scene::new("global: golden written");
    let mut out = sender(&scene);
    let data = Mapping::open(&Names::of(scene.name()).data).unwrap();
    let rows = [[1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0]];
    out.put_channels("pose", &ChopFrame::from_rows(["cha1", "cha2"], 60.0, &rows).unwrap()).unwrap();
    let pixels = &golden::bytes("9-version-1")[48..];
    out.put_image("höhe", &Pixels::bottom_first(PixelFormat::R8G8B8A8_UNORM, 2, 2, pixels)).unwrap();
    assert!(data.bytes().iter().all(|byte| *byte == 0), "nothing before it is published");
    out.publish(0x1_0000_0007).unwrap();
    assert_eq!(data.read(0, bytes.len()), bytes);

    data.write(0, &vec![0; bytes.len()]);
    out.put_channels_with("pose", &["cha1", "cha2"], 60.0, 5, |block| {
        for (index, row) in rows.iter().enumerate() {
            block.channel(index).unwrap().copy_from(row);
        }
    })
    .unwrap();
    out.put_image_with("höhe", PixelFormat::R8G8B8A8_UNORM, 2, 2, |block| {
        block.pixels().copy_from(pixels);
    })
    .unwrap();
    out.publish(0x1_0000_0007).unwrap();
    assert_eq!(data.read(0, bytes.len()), bytes, "in place");
    assert!(data.bytes()[bytes.len()..].iter().all(|byte| *byte == 0), "nothing behind");
}

/// Two entries that carry the frame's number never differ, whenever they are asked for, and whatever is written meanwhile.
#[test]
fn ten_thousand_frames_are_never_mixed() {
    const LAST: u32 = 10_000;
    let scene = Scene::lasting("global: never mixed", std::time::Duration::from_secs(120));
    let mut writer = scene.peer();
    writer.ask(&format!("global-sender {}", scene.name()));
    writer.ask("global-publish steady 1");
    let mut readers = [scene.peer(), scene.peer()];
    for (seed, (reader, role)) in readers.iter_mut().zip(["receiver", "observer"]).enumerate() {
        reader.ask(&format!("global-{role} {}", scene.name()));
        assert_eq!(reader.ask("global-read steady"), "1");
        reader.begin(&format!("global-follow steady {LAST} {seed}"));
    }
    writer.ask(&format!("global-flat-out steady 2 {LAST} 77"));
    for reader in &mut readers {
        let [received, missed] = counts(&reader.answer().unwrap());
        // The first one was read before.
        assert!(
            (u64::from(LAST) - 1..=u64::from(LAST)).contains(&(received + missed)),
            "{received} {missed}"
        );
    }
}

/// Channels and images of sizes that change at every frame, entries that come and go, segments that move.
#[test]
fn sizes_that_change_all_the_time_are_followed() {
    const LAST: u32 = 1500;
    let scene = Scene::lasting("global: sizes", std::time::Duration::from_secs(120));
    let mut writer = scene.peer();
    writer.ask(&format!("global-sender {}", scene.name()));
    let mut reader = scene.peer();
    reader.ask(&format!("global-receiver {}", scene.name()));
    assert_eq!(reader.ask("global-read sizes"), "none Yes", "nothing was published yet");
    reader.begin(&format!("global-follow sizes {LAST} 5"));
    writer.ask(&format!("global-flat-out sizes 1 {LAST} 6"));
    let [received, missed] = counts(&reader.answer().unwrap());
    assert!(received > 0 && received + missed <= u64::from(LAST), "{received} {missed}");
}

/// What was copied stays as it was while the next frames are written and the segment moves.
#[test]
fn a_copy_stays_while_others_are_published() {
    let scene = Scene::new("global: copy");
    let (mut out, mut input) = (sender(&scene), receiver(&scene));
    assert!(input.read().unwrap().is_none() && input.frame().is_none());
    assert!(input.channels("a").unwrap().is_none());
    for frame in 1..60 {
        publish(&mut out, Load::Sizes, frame, || {}).unwrap();
        let copied = input.read().unwrap().unwrap();
        // Three others were published while the copy before was looked at.
        let (number, missed) = (u64::from(frame) * 4 - 3, if frame == 1 { 0 } else { 3 });
        assert_eq!(
            (copied.frame(), copied.number(), copied.missed()),
            (frame.into(), Some(number), Some(missed))
        );
        assert!(copied.age().unwrap() < EVER);
        assert!(input.try_next().unwrap().is_none(), "it is not new any more");
        assert_eq!(input.read().unwrap().unwrap().frame(), frame.into(), "and is still there");
        let mut others = 0;
        let other = || {
            others += 1;
            publish(&mut out, Load::Sizes, 1000 * others + frame, || {}).unwrap();
        };
        assert_eq!(check(&mut input, Load::Sizes, other).unwrap(), frame);
        assert_eq!(others, 3);
    }
}

#[test]
fn a_second_sender_is_refused_and_told_who_has_it() {
    let scene = Scene::new("global: second");
    let mut writer = scene.peer();
    writer.ask(&format!("global-sender {}", scene.name()));
    let error = GlobalSender::builder().name(scene.name()).create().unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Busy, 3));
    assert!(error.to_string().contains(&format!("process {} sends it", writer.pid())), "{error}");
    writer.ask("global-detach");
    drop(sender(&scene));
}

#[test]
fn a_killed_sender_is_told_and_its_last_copy_stays() {
    let scene = Scene::new("global: killed");
    let mut input = receiver(&scene);
    for round in 0..3 {
        let mut writer = scene.peer();
        writer.ask(&format!("global-sender {}", scene.name()));
        let number = round * 10 + 1;
        writer.ask(&format!("global-flat-out sizes {number} {} 1", number + 4));
        while input.next_timeout(EVER).unwrap().is_none_or(|copied| copied.frame() < u64::from(number + 4)) {}
        assert_eq!(check(&mut input, Load::Sizes, || {}).unwrap(), number + 4);
        let gone = if round % 2 == 0 { Attached::Died } else { Attached::Left };
        match gone {
            Attached::Died => writer.kill(),
            _ => writer.quit(),
        }
        while input.attached() != gone {
            input.read().unwrap();
            std::thread::yield_now();
        }
        assert_eq!(check(&mut input, Load::Sizes, || {}).unwrap(), number + 4, "the last copy is served");
    }
}

/// In the middle of a write, with the lock: nothing of it is delivered, and the next sender is followed.
#[test]
fn a_sender_that_dies_while_it_publishes_leaves_the_copy_before() {
    for step in ["write: begun:3", "write: written:3"] {
        // The peer that dies there may have to be built first.
        let scene = Scene::lasting("global: dying", std::time::Duration::from_secs(300));
        let mut writer = scene.dying_peer(step);
        writer.ask(&format!("global-sender {}", scene.name()));
        let mut input = receiver(&scene);
        for frame in [1, 2] {
            writer.ask(&format!("global-publish steady {frame}"));
            assert_eq!(input.read().unwrap().unwrap().frame(), frame);
        }
        writer.die("global-publish steady 3");
        while input.attached() != Attached::Died {
            assert!(input.read().unwrap().is_none_or(|copied| copied.frame() == 2));
            std::thread::yield_now();
        }
        assert_eq!(check(&mut input, Load::Steady, || {}).unwrap(), 2);
        let mut heir = sender(&scene);
        publish(&mut heir, Load::Steady, 4, || {}).unwrap();
        assert_eq!(input.next_timeout(EVER).unwrap().unwrap().frame(), 4);
        assert_eq!(check(&mut input, Load::Steady, || {}).unwrap(), 4);
        assert_eq!(tdshm::inspect(scene.name()).unwrap().kind, tdshm::BlockKind::Global);
    }
}

/// Each name is of a kind of its own, and what cannot be put leaves what was.
#[test]
fn what_cannot_be_put_changes_nothing() {
    let scene = Scene::new("global: refused");
    let (mut out, mut input) = (sender(&scene), receiver(&scene));
    let row = |value: f32| ChopFrame::from_rows(["v"], 60.0, &[[value]]).unwrap();
    let longest = "n".repeat(112);
    for name in ["same", longest.as_str()] {
        out.put_channels(name, &row(1.0)).unwrap();
        out.put_image(name, &Pixels::top_first(PixelFormat::R8_UNORM, 1, 1, &[7])).unwrap();
    }
    out.publish(1).unwrap();
    let error = |result: Result<(), tdshm::Error>| result.unwrap_err().to_string();
    assert_eq!(
        error(out.put_channels("", &row(2.0))),
        "the shared-memory name is empty: give the Shared Mem Name that the other side uses"
    );
    assert!(error(out.put_channels("a\0b", &row(2.0))).contains("holds '\\0'"));
    assert!(
        error(out.put_channels(&"n".repeat(113), &row(2.0))).contains("has 113 bytes, and at most 112 fit")
    );
    assert!(error(out.put_channels_with("same", &["n\0"], 60.0, 1, |_| {})).contains("NUL"));
    assert!(error(out.put_channels_with("same", &["n"], f32::NAN, 1, |_| {})).contains("NaN"));
    assert!(error(out.put_channels_with("same", &["n"], 60.0, usize::MAX, |_| {})).contains("2147483647"));
    let short = Pixels::top_first(PixelFormat::R8_UNORM, 2, 1, &[7]);
    assert!(error(out.put_image("same", &short)).contains("bytes of the image is 1"));
    assert!(error(out.put_image_with("same", PixelFormat::R8_UNORM, 0, 1, |_| {})).contains("width is 0"));
    assert!(error(out.put_channels_with("new", &["n"], 60.0, usize::MAX, |_| {})).contains("2147483647"));
    out.publish(2).unwrap();
    let copied = input.read().unwrap().unwrap();
    assert_eq!(
        (copied.frame(), copied.entries().count()),
        (2, 4),
        "a block that could not be put is no entry"
    );
    for name in ["same", longest.as_str()] {
        assert_eq!(input.channels(name).unwrap().unwrap().channel("v"), Some(&[1.0][..]));
        assert_eq!(input.image(name).unwrap().unwrap().rows(RowOrder::TopFirst).next(), Some(&[7][..]));
    }
    assert!(out.remove(GlobalKind::Image, "same") && !out.remove(GlobalKind::Image, "same"));
    out.publish(3).unwrap();
    input.read().unwrap().unwrap();
    assert!(input.image("same").unwrap().is_none() && input.channels("same").unwrap().is_some());
}

/// Bytes of others, all of them mapped.
fn foreign(scene: &Scene, bytes: &[u8]) -> ForeignSender {
    let sender = Foreign { size: 512, info: Info::Missing, ..Foreign::default() }.start(scene.name());
    sender.data.write(0, bytes);
    sender
}

/// Each field in turn, in a segment whose table or whose blocks lie. The last good copy stays.
#[test]
fn every_field_that_lies_is_named() {
    let good = golden::bytes("12-two-entries");
    // Where, what is written there, and what is wrong with it; of a block alone, the entry that cannot be had.
    let cases: [(usize, &[u8], &str, Option<&str>); 14] = [
        (0, b"x", "magic", None),
        (7, b"x", "magic", None),
        (8, &[0], "version", None),
        (12, &[200], "entries", None), // on Windows a whole page is mapped
        (15, &[0xff], "entries", None),
        (24, &[3], "kind", None),
        (160, &[0], "kind", None),
        (32, &[0], "bytes of the name", None),
        (169, &[0xff], "bytes of the name", None),
        (37, b"x", "padding of the name", None),
        (144, &[0, 1], "offset", None),
        (280, &[0xc1], "offset", None),
        (288, &[0, 0x20], "size", None),
        (320, b"x", "magic", Some("pose")),
    ];
    for (at, bytes, field, only) in cases {
        let scene = Scene::new("global: lies");
        let sender = foreign(&scene, &good);
        let mut input = receiver(&scene);
        input.read().unwrap().unwrap();
        assert!(input.channels("pose").unwrap().is_some());
        sender.data.write(at, bytes);
        match only {
            None => {
                let error = input.read().unwrap_err();
                assert!(error.to_string().starts_with(&format!("{field} is ")), "{field}: {error}");
                assert!(input.channels("pose").unwrap().is_some(), "{field}: the last good copy stays");
            }
            Some(name) => {
                input.read().unwrap().unwrap();
                let error = input.channels(name).unwrap_err();
                assert_eq!(error.field, field);
                assert_eq!(input.channels(name).unwrap_err(), error, "as often as it is asked for");
            }
        }
        assert!(input.image("höhe").unwrap().is_some(), "{field}: who asks for another entry gets it");
        sender.data.write(0, &good);
        input.read().unwrap().unwrap();
        assert!(input.channels("pose").unwrap().is_some(), "{field}: and goes on");
    }
}

/// Any bytes anywhere: a value or a typed error.
#[test]
fn any_bytes_are_read_or_refused() {
    let good = golden::bytes("12-two-entries");
    let scene = Scene::new("global: any bytes");
    let sender = foreign(&scene, &good);
    let mut input = receiver(&scene);
    let mut dice = tdshm_tests::acts::Dice::new(12);
    for _ in 0..if cfg!(windows) { 3000 } else { 20_000 } {
        let mut bytes = good.clone();
        for _ in 0..=dice.below(4) {
            // More often than not in the header, the table, or the headers of the blocks.
            let at = dice.below(512) as usize;
            bytes[at] = match dice.below(3) {
                0 => 0xff,
                1 => 0,
                _ => dice.below(256) as u8,
            };
        }
        sender.data.write(0, &bytes);
        match input.read() {
            Ok(Some(copied)) => {
                let names: Vec<String> = copied.entries().map(|entry| entry.name.to_owned()).collect();
                for name in names {
                    if let Ok(Some(frame)) = input.channels(&name) {
                        assert_eq!(frame.samples().len(), frame.num_channels() * frame.len_samples());
                    }
                    if let Ok(Some(frame)) = input.image(&name) {
                        assert_eq!(frame.pixels().len(), frame.shape().data_bytes);
                    }
                }
            }
            Ok(None) => assert!(bytes[..24].iter().all(|byte| *byte == 0)),
            Err(tdshm::Error::Block(error)) => assert!(!error.field.is_empty()),
            Err(error) => panic!("{error}"),
        }
    }
}
