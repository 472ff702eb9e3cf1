//! Senders that are not ours, written by hand: what they leave out, misname or get wrong (wire §1 to §4, §8).

use tdshm::{Attached, ChopReceiver, ChopSender, Error, ErrorState, SegmentError};
use tdshm_tests::foreign::{
    Block, Foreign, INFO_BYTES, Info, Mapping, POSTFIX_AT, info_block, postfix_field,
};
use tdshm_tests::system::DIES_WITH_HANDLES;
use tdshm_tests::{Scene, frames};

const POSTFIX: &str = "abcdefghijklmnopqrstuvwxyzabcde";

fn block(seed: u32) -> Block {
    Block::new(2, &frames::flat(seed, 2, 5), 60.0, Some(&["cha1", "cha2"]))
}

fn assert_reads(input: &mut ChopReceiver, seed: u32) {
    let frame = input.read().unwrap().unwrap();
    assert_eq!(frame.samples(), frames::flat(seed, 2, 5));
    assert_eq!(frame.names(), ["cha1", "cha2"]);
}

#[test]
fn a_sender_with_nothing_but_the_protocol_is_read_and_followed() {
    let scene = Scene::new("foreign: plain");
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    for round in 1..10 {
        assert!(input.read().unwrap().is_none());
        let sender = Foreign::default().start(scene.name());
        assert!(input.read().unwrap().is_none(), "nothing written yet");
        sender.send(&block(round));
        assert_reads(&mut input, round);
        assert_eq!(sender.info.as_ref().unwrap().read(8, 1), [1], "it is told that we understand resizing");
        sender.send(&block(round + 100));
        assert!(input.try_next().unwrap().is_some());
        sender.leave();
        assert!(input.read().unwrap().is_none());
        assert_eq!(input.attached(), Attached::Left);
    }
}

#[test]
fn a_missing_lock_object_is_made_and_one_that_is_there_is_used() {
    for locks in [false, true] {
        let scene = Scene::new("foreign: locks");
        let sender = Foreign { locks, ..Foreign::default() }.start(scene.name());
        sender.send(&block(1));
        let there = scene.has("TouchSHM{}Mutex");
        assert_eq!(there, locks);
        let mut peer = scene.peer();
        peer.ask(&format!("receiver {}", scene.name()));
        assert_eq!(peer.see("hold-view").unwrap().seed, Some(1));
        let lock = tdshm::NamedLock::open(&sender.names.data_lock).unwrap();
        assert!(lock.try_lock().unwrap().is_none(), "both sides mean the same lock");
        peer.ask("let-go");
        assert!(lock.try_lock().unwrap().is_some());
    }
}

#[test]
fn without_an_info_segment_the_bare_data_is_read() {
    for info in [Info::Missing, Info::SinglePrefix] {
        let scene = Scene::new("foreign: no info");
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        assert!(input.read().unwrap().is_none());
        let sender = Foreign { info: info.clone(), ..Foreign::default() }.start(scene.name());
        sender.send(&block(3));
        assert_reads(&mut input, 3);
        sender.send(&block(4));
        assert_reads(&mut input, 4);
        assert_eq!((input.attached(), input.state()), (Attached::Yes, ErrorState::None));
        if let Some(misnamed) = &sender.info {
            assert_eq!(
                misnamed.read(0, INFO_BYTES),
                info_block("", 0),
                "what is misnamed is not ours to touch"
            );
        }
        assert!(!scene.has("TouchSHMTouchSHM{}4jhd783h"), "a receiver makes no info segment");
        let report = tdshm::inspect(scene.name()).unwrap();
        assert_eq!((report.supported, report.detached), (None, None));
        let listed = tdshm::list().unwrap();
        let found = listed.iter().filter(|report| report.name.as_str().contains(scene.name()));
        assert_eq!(found.count(), 1, "one segment, however its info is called");
    }
}

#[test]
fn the_name_of_a_foreign_sender_is_refused_to_ours() {
    for info in [Info::Doubled, Info::Missing, Info::SinglePrefix, Info::Bytes(vec![0xaa; 44])] {
        let scene = Scene::new("foreign: refuses ours");
        let sender = Foreign { info: info.clone(), ..Foreign::default() }.start(scene.name());
        sender.send(&block(1));
        let (data, bytes) = (sender.data.bytes(), sender.info.as_ref().map(Mapping::bytes));
        let error = ChopSender::create(scene.name()).unwrap_err();
        let code = if matches!(info, Info::Doubled | Info::Bytes(_)) { 3 } else { 1 };
        assert_eq!(error.code(), code, "{error}");
        assert_eq!((sender.data.bytes(), sender.info.as_ref().map(Mapping::bytes)), (data, bytes));
        assert_eq!(scene.has("TouchSHMTouchSHM{}4jhd783h"), code == 3);
    }
}

#[test]
fn an_info_segment_with_garbage_is_an_error_with_the_number() {
    let scene = Scene::new("foreign: garbage info");
    let garbage: Vec<u8> = (0..200).map(|at| at as u8 ^ 0xa5).collect();
    let sender = Foreign { info: Info::Bytes(garbage), ..Foreign::default() }.start(scene.name());
    sender.send(&block(1));
    let info = sender.info.as_ref().unwrap();
    let before = info.bytes();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let error = input.read().map(drop).unwrap_err();
    let Error::Segment(SegmentError::BadInfo { field, value, expected, .. }) = &error else {
        panic!("{error}")
    };
    assert_eq!((*field, *value, *expected), ("magic", u64::from(info.u32(0)), 0x56ed_34ba));
    assert_eq!(error.code(), 112);
    assert_eq!(info.bytes(), before, "it is not written into");

    // A postfix that no sender writes leads nowhere else.
    for bad in [&b"/../../etc/passwd\0"[..], b"\xff\xfe\0", &[b'z'; 32], b"a b\0"] {
        let mut bytes = info_block("", 0);
        bytes[9..9 + bad.len()].copy_from_slice(bad);
        info.write(0, &bytes);
        let error = input.read().map(drop).unwrap_err();
        assert!(matches!(error, Error::Segment(SegmentError::BadInfo { .. })), "{bad:?}: {error}");
    }

    info.write(0, &info_block("", 0));
    assert_reads(&mut input, 1);
    // Garbage that comes while we are attached.
    info.write(0, &[0x11; 44]);
    let error = input.read().map(drop).unwrap_err();
    assert!(matches!(error, Error::Segment(SegmentError::BadInfo { .. })), "{error}");
    assert_eq!(input.frame().unwrap().samples(), frames::flat(1, 2, 5), "the last good frame stays");
    info.write(0, &info_block("", 0));
    sender.send(&block(2));
    assert_reads(&mut input, 2);
}

#[test]
fn an_info_segment_of_another_version_is_read() {
    let scene = Scene::new("foreign: info versions");
    for (version, says_detach) in [(1_i32, false), (2, true), (3, true)] {
        let mut bytes = info_block("", 1);
        bytes[4..8].copy_from_slice(&version.to_le_bytes());
        let sender = Foreign { info: Info::Bytes(bytes), ..Foreign::default() }.start(scene.name());
        sender.send(&block(1));
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        assert_eq!(input.read().unwrap().is_none(), says_detach, "version {version}");
        scene.sweep();
    }
}

#[test]
fn a_foreign_sender_that_resizes_is_followed() {
    let scene = Scene::new("foreign: resize");
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let mut sender = Foreign::default().start(scene.name());
    sender.send(&block(1));
    assert_reads(&mut input, 1);
    let mut postfix = POSTFIX.to_owned();
    for seed in 2..12 {
        postfix = format!("{}{}", &postfix[1..], &postfix[..1]);
        let samples = frames::flat(seed, 2, 5000 * seed as usize);
        let large = Block::new(2, &samples, 60.0, None);
        sender.move_to(&postfix, 4 * samples.len() + 36, &large);
        let frame = input.read().unwrap().unwrap();
        assert_eq!(frame.samples(), samples);
        assert_eq!(frame.names(), ["cha1", "cha2"], "none were sent: the ones it had");
        let late = ChopReceiver::open(scene.name()).unwrap().read().unwrap().unwrap().samples().to_vec();
        assert_eq!(late, samples, "whoever comes later finds it as well");
        assert_eq!(
            tdshm::inspect(scene.name()).unwrap().segment,
            format!("TouchSHM{}{postfix}", scene.name())
        );
    }
    // A postfix that leads nowhere: no segment, until there is one.
    sender.info.as_ref().unwrap().write(POSTFIX_AT, &postfix_field(&"q".repeat(31)));
    assert!(input.read().unwrap().is_none());
    assert_eq!(input.attached(), Attached::Left);
    sender.info.as_ref().unwrap().write(POSTFIX_AT, &postfix_field(&postfix));
    assert!(input.read().unwrap().is_some());
}

#[test]
fn a_wrong_header_is_an_error_that_names_the_field_and_the_last_good_frame_stays() {
    type Wrong = fn(&mut Block);
    let wrong: [(&str, Wrong); 17] = [
        ("magic", |b| b.magic = 0x12ED_54CE),
        ("magic", |b| b.magic = 0xd95e_f835),
        ("version", |b| b.version = 0),
        ("version", |b| b.version = -1),
        ("numChans", |b| b.num_chans = -1),
        ("numChans", |b| b.num_chans = i32::MIN),
        ("length", |b| b.length = -1),
        ("numChans * length * 4", |b| b.length = 508),
        ("numChans * length * 4", |b| b.length = i32::MAX),
        ("sampleRate", |b| b.rate = 0.0),
        ("sampleRate", |b| b.rate = -60.0),
        ("sampleRate", |b| b.rate = f32::NAN),
        ("channelDataOffset", |b| b.channel_data_offset = 32),
        ("channelDataOffset", |b| b.channel_data_offset = 38),
        ("numChans * length * 4", |b| b.channel_data_offset = 4096),
        ("nameDataOffset", |b| b.name_data_offset = 0),
        ("nameDataOffset", |b| b.name_data_offset = 4095),
    ];
    let scene = Scene::new("foreign: wrong headers");
    let sender = Foreign::default().start(scene.name());
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    sender.send(&block(1));
    assert_reads(&mut input, 1);
    for (index, (field, change)) in wrong.into_iter().enumerate() {
        let mut bad = block(2);
        change(&mut bad);
        sender.data.write(0, &bad.header());
        for way in 0..4 {
            let error = match way {
                0 => input.read().map(drop).unwrap_err(),
                1 => input.view().map(drop).unwrap_err(),
                2 => input.read_into(&mut [0.0; 2000]).map(drop).unwrap_err(),
                _ => input.try_next().map(drop).unwrap_err(),
            };
            let Error::Block(error) = error else { panic!("case {index}: {error}") };
            assert_eq!(error.field, field, "case {index}: {error}");
            assert_eq!(input.frame().unwrap().samples(), frames::flat(1, 2, 5), "case {index}");
        }
        let report = tdshm::inspect(scene.name()).unwrap();
        assert_eq!(
            report.chop.map(|chop| chop.layout.unwrap_err().field),
            (field != "magic").then_some(field)
        );
        sender.send(&block(1));
        assert_reads(&mut input, 1);
    }
}

#[test]
fn names_that_do_not_end_are_an_error() {
    let scene = Scene::new("foreign: endless names");
    let sender = Foreign { size: 8192, ..Foreign::default() }.start(scene.name());
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    sender.send(&block(1));
    assert_reads(&mut input, 1);
    sender.data.write(76, &vec![b'x'; 8192 - 76]);
    for _ in 0..2 {
        let Error::Block(error) = input.read().map(drop).unwrap_err() else { panic!() };
        assert!(error.to_string().contains("names"), "{error}");
        assert_eq!(input.frame().unwrap().names(), ["cha1", "cha2"]);
    }
    // A name may reach up to the last byte.
    sender.data.write(4000, b"\0");
    sender.data.write(8191, b"\0");
    let frame = input.read().unwrap().unwrap();
    assert_eq!(frame.names().iter().map(String::len).collect::<Vec<_>>(), [3924, 4190]);
}

/// The size field is not what counts, and neither is the object's size rounded to pages.
#[cfg_attr(not(target_os = "linux"), ignore = "Linux alone: elsewhere objects have whole pages")]
#[test]
fn the_bound_is_what_is_there_to_the_byte() {
    let scene = Scene::new("foreign: exact bounds");
    let sender = Foreign { size: 36 + 4 * 10, ..Foreign::default() }.start(scene.name());
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    for size in [None, Some(0), Some(-5), Some(i32::MAX)] {
        let mut exact = Block::new(2, &frames::flat(7, 2, 5), 60.0, None);
        exact.size = size;
        sender.send(&exact);
        assert_eq!(input.read().unwrap().unwrap().samples(), frames::flat(7, 2, 5));
    }
    let mut over = Block::new(1, &[0.0; 10], 60.0, None);
    over.length = 11;
    sender.send(&over);
    let Error::Block(error) = input.read().map(drop).unwrap_err() else { panic!() };
    assert_eq!(error.field, "numChans * length * 4");
    let mut named = Block::new(2, &[0.0; 10], 60.0, None);
    named.names_sent = 1;
    named.name_data_offset = 75;
    sender.send(&named);
    let Error::Block(error) = input.read().map(drop).unwrap_err() else { panic!() };
    assert_eq!(error.field, "nameDataOffset");
}

#[test]
fn a_foreign_sender_and_ours_take_turns() {
    let scene = Scene::new("foreign: turns");
    let mut peer = scene.peer();
    peer.ask(&format!("receiver {}", scene.name()));
    for round in 0..10 {
        if DIES_WITH_HANDLES && round > 0 {
            assert_eq!(peer.ask("try-next"), "none Left", "what it has open keeps the name until it looks");
        }
        let foreign = Foreign::default().start(scene.name());
        foreign.send(&block(2 * round + 1));
        assert_eq!(peer.see("next 600000").unwrap().seed, Some(2 * round + 1));
        foreign.leave();
        let mut ours = ChopSender::create(scene.name()).unwrap();
        ours.send(&frames::rows(2 * round + 2, 3, 4)).unwrap();
        assert_eq!(peer.see("next 600000").unwrap().seed, Some(2 * round + 2));
    }
}
