//! Who is registered: the entries of the receivers and the owner's record (wire §11), across processes.

use tdshm::{ChopReceiver, ChopSender, Error, SegmentError};
use tdshm_tests::info::{Info, OWNER, OWNER_START, READING, WAITERS, WAITING, next, send, start_time};
use tdshm_tests::system::DIES_WITH_HANDLES;
use tdshm_tests::{Peer, Scene, Seen, frames};

#[test]
fn more_receivers_than_entries_get_every_frame() {
    let scene = Scene::new("notice: entries exhausted");
    let mut out = ChopSender::create(scene.name()).unwrap();
    send(&mut out, 1);
    let info = Info::of(&scene);
    let mut inputs = Vec::new();
    for index in 0..20 {
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        assert_eq!(next(&mut input), (Some(1), Some(1), Some(0)));
        inputs.push(input);
        assert_eq!(info.supported(), index >= 16, "receiver {index}");
        assert_eq!(info.registered(), 16.min(index + 1));
    }
    let mut far = scene.peer();
    far.ask(&format!("receiver {}", scene.name()));
    assert_eq!(far.see("next 600000").unwrap().seed, Some(1));
    for number in 2..=20 {
        far.begin("next 600000");
        if number == 10 {
            let large = frames::flat(10, 4, 30_000);
            out.send_flat(&large, 30_000).unwrap(); // into another segment
        } else {
            send(&mut out, number);
        }
        for input in &mut inputs {
            assert_eq!(next(input), (Some(number), Some(number.into()), Some(0)));
        }
        assert_eq!(Seen::parse(&far.answer().unwrap()).unwrap().seed, Some(number));
    }
    drop(inputs);
    assert_eq!(info.registered(), 0, "entries are given back");
}

#[test]
fn entries_of_the_dead_and_of_reused_process_ids_are_reused() {
    let scene = Scene::new("notice: dead entries");
    let name = scene.name();
    let mut out = ChopSender::create(name).unwrap();
    send(&mut out, 1);
    let info = Info::of(&scene);
    let mut peers: Vec<Peer> = (0..16).map(|_| scene.peer()).collect();
    for peer in &mut peers {
        peer.ask(&format!("receiver {name}"));
        peer.see("read").unwrap();
    }
    assert_eq!(info.registered(), 16);
    let (mine, free) = (std::process::id(), info.entry_of(peers[5].pid()));
    peers[5].kill();
    let mut input = ChopReceiver::open(name).unwrap();
    assert_eq!(next(&mut input).0, Some(1));
    assert_eq!(info.entry_of(mine), free, "the dead one's");
    // One that died, whose process id was given to a process that lives: where there are marks the record does not
    // count, elsewhere its start time is another one.
    let reused = info.entry_of(peers[9].pid());
    peers[9].kill();
    info.set(reused, &peers[8].pid().to_le_bytes());
    let start = start_time(peers[8].pid()) - u64::from(DIES_WITH_HANDLES);
    info.set(reused + 8, &start.to_le_bytes());
    info.set(reused + 4, &(WAITING | READING).to_le_bytes());
    let mut other = scene.peer();
    other.ask(&format!("receiver {name}"));
    other.see("read").unwrap();
    assert_eq!(info.entry_of(other.pid()), reused);
    assert_eq!(info.u32(reused + 4), 0);
    assert!(!info.supported());
    if DIES_WITH_HANDLES {
        return; // the record is all there is
    }
    // One that lives and whose record is gone (a stray write, a process out of sight) keeps its place all the same,
    // and is moved along.
    let kept = info.entry_of(peers[7].pid());
    info.set(kept, &[0; 4]);
    let mut late = scene.peer();
    late.ask(&format!("receiver {name}"));
    late.see("read").unwrap();
    assert!(!info.entries().contains(&late.pid()) && info.supported(), "all places are taken");
    // Its id alone is no claim to be waited for either.
    for (at, peer) in [(4, &peers[0]), (8, &peers[0])] {
        let entry = info.entry_of(peer.pid());
        let bytes = if at == 4 { READING.to_le_bytes().to_vec() } else { 1_u64.to_le_bytes().to_vec() };
        info.set(entry + at, &bytes);
    }
    info.set(WAITERS, &1_u32.to_le_bytes());
    scene.until("the claim to be dropped", || {
        send(&mut out, 2);
        info.u32(WAITERS) == 0
    });
    assert_eq!(info.u32(info.entry_of(peers[0].pid()) + 4), 0);
}

#[cfg_attr(not(target_os = "linux"), ignore = "Linux alone: elsewhere the record is all there is")]
#[test]
fn the_systems_lock_decides_who_owns_whatever_the_record_says() {
    let scene = Scene::new("notice: owner's record");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 4 8 60 1 default");
    let info = Info::of(&scene);
    let start = info.u64(OWNER_START);
    assert_eq!((info.u32(OWNER), start), (sender.pid(), start_time(sender.pid())));
    // It lives, and its record looks like a reused process id.
    info.set(OWNER_START, &(start - 1).to_le_bytes());
    let refused = ChopSender::create(name).unwrap_err();
    assert!(matches!(refused, Error::Segment(SegmentError::InfoAlreadyExists { .. })), "{refused}");
    let mut input = ChopReceiver::open(name).unwrap();
    assert_eq!(next(&mut input).0, Some(1));
    sender.ask("send 4 8 60 2 default");
    assert_eq!(next(&mut input), (Some(2), Some(2), Some(0)));
    // It is dead, and its record names a process that lives.
    sender.kill();
    info.set(OWNER, &std::process::id().to_le_bytes());
    info.set(OWNER_START, &start_time(std::process::id()).to_le_bytes());
    let mut out = ChopSender::create(name).unwrap();
    send(&mut out, 3);
    assert_eq!(next(&mut input), (Some(3), Some(3), Some(0)));
}
