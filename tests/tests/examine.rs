//! Segments held against the protocol's tables: what other programs get wrong is named, and what is right is not.

use std::time::Duration;

use tdshm::{
    ChopSender, DeviationKind, Examination, LockState, ObjectAccess, ObjectRole, PixelFormat, Pixels,
    TopSender, examine, glance, objects, try_locks,
};
#[cfg(target_os = "linux")]
use tdshm::{LockSight, NamedLock, look_at_locks};
use tdshm_tests::Scene;
use tdshm_tests::foreign::{Block, DETACH_AT, Foreign, Info, Mapping, Names, POSTFIX_AT, info_block};

const POSTFIX: &str = "abcdefghijklmnopqrstuvwxyzabcde";

fn block() -> Block {
    Block::new(2, &[0.5, 1.5], 60.0, Some(&["tx", "ty"]))
}

/// What is examined of a foreign sender with these objects, into whose data `write` writes.
fn of(info: Info, write: impl FnOnce(&Mapping)) -> Examination {
    let scene = Scene::new("examine: foreign");
    let sender = Foreign { info, ..Foreign::default() }.start(scene.name());
    write(&sender.data);
    let found = examine(scene.name()).unwrap();
    sender.leave();
    found
}

/// Whether just this is wrong with it, or unusual.
#[track_caller]
fn assert_departs(found: &Examination, is_breach: bool, text: &str) {
    let [deviation] = &*found.deviations else { panic!("{text:?}: {found:#?}") };
    assert!(deviation.text.contains(text), "{text:?}: {deviation:?}");
    assert_eq!(deviation.is_breach, is_breach, "{deviation:?}");
}

#[test]
fn what_is_right_has_fields_and_no_deviations() {
    let found = of(Info::Doubled, |data| block().write_to(data));
    assert_eq!(found.deviations, [], "{found:#?}");
    assert!(!found.is_ours && !found.detached);
    let [info, data] = &*found.objects else { panic!("{found:#?}") };
    assert_eq!(info.fields[0].value, "0x56ed34ba");
    assert_eq!((info.fields[3].offset, info.fields[4].offset), (POSTFIX_AT, DETACH_AT));
    let offsets: Vec<usize> = data.fields.iter().map(|field| field.offset).collect();
    assert_eq!(offsets, [0, 4, 8, 12, 16, 20, 24, 28, 32]);
    let values = ["magic", "size", "numChans", "sampleRate", "channelDataOffset", "nameDataOffset"];
    let values = values.map(|name| found.field(name).unwrap_or_default());
    assert_eq!(values, ["0x12ed54cf", "50", "2", "60", "36", "44"]);
}

#[test]
fn ours_are_right_also_when_they_moved_and_with_images() {
    let scene = Scene::new("examine: ours");
    let mut out = ChopSender::create(scene.name()).unwrap();
    for len_samples in [1, 1_000, 100_000] {
        out.send(&[vec![1.0; len_samples]]).unwrap();
        let found = examine(scene.name()).unwrap();
        assert_eq!(found.deviations, [], "{found:#?}");
        assert!(found.is_ours && found.field("length") == Some(&len_samples.to_string()));
    }
    drop(out);
    let mut out = TopSender::builder(scene.name()).colour(tdshm::TopColour::SRGB).create().unwrap();
    out.send(&Pixels::bottom_first(PixelFormat::R8_UNORM, 2, 2, &[1, 2, 3, 4])).unwrap();
    let found = examine(scene.name()).unwrap();
    assert_eq!(found.deviations, [], "{found:#?}");
    assert_eq!((found.field("pixelFormat"), found.field("transfer")), (Some("9"), Some("1")));
}

#[test]
fn what_others_get_wrong_is_named() {
    let fine = |data: &Mapping| block().write_to(data);
    let single = of(Info::SinglePrefix, fine);
    assert_departs(&single, true, "with TouchSHM once");
    assert_eq!(single.deviations[0].kind, DeviationKind::InfoMisnamed);
    assert_departs(&of(Info::Missing, fine), true, "there is no info segment");
    let old = [&info_block("", 0)[..4], &1_i32.to_le_bytes(), &info_block("", 0)[8..]].concat();
    assert_departs(&of(Info::Bytes(old), fine), true, "before 2 it cannot say that the sender left");
    let mut odd = info_block("", 0);
    odd[8] = 7;
    assert_departs(&of(Info::Bytes(odd), fine), true, "supported is 7");
    assert_departs(&of(Info::Bytes(vec![1; 76]), fine), true, "magic");

    for (wrong, is_breach, text) in [
        (Block { version: 3, ..block() }, false, "version is 3: 1 is the one that is known"),
        (Block { version: 0, ..block() }, true, "version"),
        (Block { size: Some(36), ..block() }, false, "size is 36: the block takes 50 bytes"),
        (Block { names_sent: 2, names: Vec::new(), size: Some(44), ..block() }, false, "namesSent is 2"),
        (Block { channel_data_offset: 32, ..block() }, true, "channelDataOffset"),
        (Block { channel_data_offset: 40, size: None, ..block() }, false, "channelDataOffset is 40"),
        (Block { rate: 0.0, ..block() }, true, "sampleRate"),
        (Block { magic: 0x1234, ..block() }, true, "begins with 0x00001234"),
    ] {
        let found = of(Info::Doubled, |data| wrong.write_to(data));
        let named = found.deviations.iter().find(|deviation| deviation.text.contains(text));
        assert_eq!(named.map(|deviation| deviation.is_breach), Some(is_breach), "{text:?}: {found:#?}");
    }
    // Names that are announced and never written: all of the rest of the object is letters.
    let endless = of(Info::Doubled, |data| {
        block().write_to(data);
        data.write(44, &vec![b'x'; data.len() - 44]);
    });
    assert_departs(&endless, true, "not all of them end in what is mapped");
}

#[test]
fn images_of_others_are_held_against_the_tables() {
    let image = |version: i32, format: u32, data_at: i32| {
        let mut bytes = 0xd95e_f835_u32.to_le_bytes().to_vec();
        for field in [version, 2, 2] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend([1_f32, 1.0].map(f32::to_le_bytes).concat());
        bytes.extend([format.to_le_bytes(), [0; 4]].concat());
        bytes.extend(4_i64.to_le_bytes());
        bytes.extend([data_at.to_le_bytes(), 2_u32.to_le_bytes(), 0_u32.to_le_bytes()].concat());
        of(Info::Doubled, move |data| data.write(0, &bytes))
    };
    assert_eq!(image(1, 9, 48).deviations, []);
    assert_eq!(image(2, 9, 56).deviations, []);
    assert_departs(&image(1, 9, 64), false, "dataOffset is 64: 48 is usual");
    assert_departs(&image(5, 9, 56), false, "version is 5: it is read as 2");
    assert_departs(&image(1, 9, 40), true, "dataOffset");
    assert_departs(&image(1, 12345, 48), true, "0x3039");
}

#[test]
fn a_postfix_says_where_the_data_are() {
    let scene = Scene::new("examine: moved");
    let mut sender = Foreign::default().start(scene.name());
    sender.move_to(POSTFIX, 8192, &block());
    let found = examine(scene.name()).unwrap();
    assert_eq!(found.deviations, [], "{found:#?}");
    assert_eq!(found.field("postfix"), Some(&*format!("{POSTFIX:?}")));
    assert_eq!((found.objects[1].mapped_bytes, found.field("numChans")), (8192, Some("2")));
    sender.leave();
}

#[test]
fn locks_are_tried_and_none_is_made() {
    let scene = Scene::new("examine: locks");
    let names = Names::of(scene.name());
    let sender = Foreign::default().start(scene.name());
    let limit = Duration::from_millis(20);
    let states = |name: &str| {
        let tried = try_locks(name, limit).unwrap();
        tried.into_iter().map(|tried| tried.state.map(|state| state.map_err(|error| error.to_string())))
    };
    let here: Vec<_> = states(scene.name()).collect();
    assert!(here.iter().all(|state| matches!(state, None | Some(Ok(LockState::Free)))), "{here:?}");
    assert!(!scene.has("TouchSHM{}Mutex"), "{here:?}");
    sender.leave();

    let _out = ChopSender::create(scene.name()).unwrap();
    let mut peer = scene.peer();
    peer.ask(&format!("lock {} 1000", names.data_lock));
    let here: Vec<_> = states(scene.name()).collect();
    assert!(here[0].as_ref().unwrap().as_ref().unwrap_err().contains(&names.data_lock), "{here:?}");
    assert_eq!(here[1], Some(Ok(LockState::Free)));
    peer.kill();
    let here: Vec<_> = states(scene.name()).collect();
    assert_eq!(here[0], Some(Ok(LockState::Abandoned)), "its holder died");
    let here: Vec<_> = states(scene.name()).collect();
    assert_eq!(here[0], Some(Ok(LockState::Free)), "and that was told once");
}

#[test]
fn every_broken_rule_of_a_header_is_told() {
    let wrong =
        Block { version: 0, rate: f32::NAN, channel_data_offset: 8, name_data_offset: 9999, ..block() };
    let found = of(Info::Doubled, |data| data.write(0, &wrong.header()));
    let kinds: Vec<_> = found.deviations.iter().map(|deviation| deviation.kind).collect();
    let fields = ["version", "sampleRate", "channelDataOffset", "nameDataOffset"];
    assert_eq!(kinds, fields.map(DeviationKind::Channels), "{found:#?}");
    // What is told once and cannot be mended ends it.
    let beyond = Block { channel_data_offset: 40_000, num_chans: 5000, ..block() };
    let found = of(Info::Doubled, |data| data.write(0, &beyond.header()));
    let kinds: Vec<_> = found.deviations.iter().map(|deviation| deviation.kind).collect();
    assert_eq!(kinds, ["numChans", "numChans * length * 4"].map(DeviationKind::Channels), "{found:#?}");
}

#[test]
fn names_that_are_all_empty_were_not_written() {
    let silent = Block { names: Vec::new(), size: Some(46), ..block() };
    let found = of(Info::Doubled, |data| silent.write_to(data));
    assert_departs(&found, false, "all of them are empty");
    assert_eq!(found.deviations[0].kind, DeviationKind::Names);
}

#[test]
fn objects_are_told_with_their_owners() {
    let scene = Scene::new("examine: objects");
    let roles = || -> Vec<_> {
        objects(scene.name()).unwrap().into_iter().map(|object| (object.role, object.access)).collect()
    };
    assert_eq!(roles(), []);
    let _out = ChopSender::create(scene.name()).unwrap();
    let found = roles();
    let all = [ObjectRole::Info, ObjectRole::Data, ObjectRole::DataLock, ObjectRole::InfoLock];
    assert_eq!(found.iter().map(|(role, _)| *role).collect::<Vec<_>>(), all);
    for (role, access) in &found {
        let unknown = cfg!(windows) && matches!(role, ObjectRole::DataLock | ObjectRole::InfoLock);
        let expected = if unknown { ObjectAccess::Unknown } else { ObjectAccess::Full };
        assert_eq!(*access, expected, "{role:?}");
    }
    for object in objects(scene.name()).unwrap() {
        assert_eq!(object.is_own.is_some(), !cfg!(windows), "{object:?}");
        assert_ne!(object.is_own, Some(false), "{object:?}");
        assert_eq!(object.mode.is_some(), object.user.is_some(), "{object:?}");
    }
    // What is in the way of the name, and what nothing leads to.
    let single = Mapping::create(&Names::of(scene.name()).info_single, 44);
    let other = Mapping::create(&format!("{}{POSTFIX}", Names::of(scene.name()).data), 4096);
    let found = roles();
    assert!(found.iter().any(|(role, _)| *role == ObjectRole::MisnamedInfo), "{found:?}");
    assert!(found.iter().any(|(role, _)| *role == ObjectRole::OtherData), "{found:?}");
    single.unlink();
    other.unlink();
}

#[test]
fn a_glance_shows_what_changes() {
    let scene = Scene::new("examine: glance");
    assert!(glance(scene.name()).is_err());
    let mut sender = Foreign::default().start(scene.name());
    sender.send(&block());
    let before = glance(scene.name()).unwrap();
    assert_eq!((before.frames, before.detached, before.is_writing), (None, Some(false), false));
    assert_eq!(glance(scene.name()).unwrap(), before, "nothing was sent");
    sender.send(&Block::new(2, &[0.5, 2.5], 60.0, Some(&["tx", "ty"])));
    let after = glance(scene.name()).unwrap();
    assert_ne!(after.fingerprint, before.fingerprint);
    sender.move_to(POSTFIX, 8192, &block());
    assert!(glance(scene.name()).unwrap().segment.ends_with(POSTFIX));
    sender.leave();
}

/// Where that can be seen: nobody is told of a lock's dead holder by others looking.
#[test]
#[cfg(target_os = "linux")]
fn locks_are_looked_at_and_not_taken() {
    let scene = Scene::new("examine: look");
    let sights = || -> Vec<_> {
        let seen = look_at_locks(scene.name()).unwrap().into_iter();
        seen.map(|seen| seen.state.map(|state| state.map_err(|error| error.to_string()))).collect()
    };
    assert_eq!(sights(), [None, None]);
    let _out = ChopSender::create(scene.name()).unwrap();
    let names = Names::of(scene.name());
    assert_eq!(sights(), [Some(Ok(LockSight::Free)), Some(Ok(LockSight::Free))]);
    let mut peer = scene.peer();
    peer.ask(&format!("lock {} 1000", names.data_lock));
    assert_eq!(sights()[0], Some(Ok(LockSight::Held(Some(peer.pid())))));
    peer.kill();
    for _ in 0..2 {
        assert_eq!(sights()[0], Some(Ok(LockSight::Abandoned)));
    }
    let lock = NamedLock::open(&names.data_lock).unwrap();
    assert!(lock.lock().unwrap().is_abandoned(), "looking took nothing from whoever is next");
    let held = lock.lock().unwrap();
    assert_eq!(sights()[0], Some(Ok(LockSight::Held(Some(std::process::id())))));
    drop(held);
    assert_eq!(sights()[0], Some(Ok(LockSight::Free)));
}
