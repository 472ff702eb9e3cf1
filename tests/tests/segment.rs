//! Segments between processes: who creates, who opens, how they part, and who may (wire §2, §3).

use std::time::Duration;

use tdshm::{
    Attached, ChopReceiver, ChopSender, Error, ErrorKind, ErrorState, LockError, SegmentError,
    SegmentReceiver, SegmentSender,
};
use tdshm_tests::foreign::{self, DETACH_AT, ForeignReceiver, Mapping};
use tdshm_tests::system::DIES_WITH_HANDLES;
use tdshm_tests::{Peer, Scene};

/// Far longer than the watchdog's: whoever waits so long has failed.
const EVER: Duration = Duration::from_secs(600);

#[test]
fn a_fresh_segment_is_zero_whole_pages_and_reserved() {
    let scene = Scene::new("segment: fresh");
    let out = SegmentSender::create(scene.name(), 5000).unwrap();
    assert_eq!(out.mapped_bytes(), 8192);
    // Before anybody looks, because looking would make the pages.
    #[cfg(target_os = "linux")]
    {
        let file = std::fs::metadata(scene.path("TouchSHM{}")).unwrap();
        let bytes = std::os::unix::fs::MetadataExt::blocks(&file) * 512;
        assert_eq!(bytes, 8192, "pages are reserved, so that nobody dies of SIGBUS later");
    }
    let names = foreign::Names::of(scene.name());
    assert_eq!(Mapping::open(&names.data).unwrap().bytes(), vec![0; 8192]);
    assert_eq!(Mapping::open(&names.info).unwrap().len(), 4096, "one page, with room for the extension");
}

#[test]
fn sizes_that_no_segment_can_have_are_refused() {
    let scene = Scene::new("segment: sizes");
    for bytes in [0, 0x8000_0000, usize::MAX] {
        let error = SegmentSender::create(scene.name(), bytes).unwrap_err();
        assert!(matches!(error, Error::Segment(SegmentError::BadSize { .. })), "{error}");
    }
    assert_eq!(scene.objects(), [""; 0]);
}

#[test]
fn a_live_name_is_refused_and_its_owner_undisturbed() {
    let scene = Scene::new("segment: live name");
    let name = scene.name();
    let mut owner = scene.peer();
    owner.ask(&format!("sender {name} 4096"));
    owner.ask("send 2 2 60 1 names");
    let before = scene.objects();

    let error = ChopSender::create(name).unwrap_err();
    assert!(matches!(error, Error::Segment(SegmentError::InfoAlreadyExists { .. })), "{error}");
    assert_eq!((error.code(), error.kind()), (3, ErrorKind::Busy));
    assert!(error.to_string().contains(name), "{error}");
    let mut other = scene.peer();
    assert_eq!(other.try_ask(&format!("sender {name} 4096")).unwrap_err().code, 3);

    assert_eq!(scene.objects(), before);
    let mut input = ChopReceiver::open(name).unwrap();
    assert_eq!(input.read().unwrap().unwrap().samples()[0], 1.0);
    owner.ask("send 2 2 60 2 names");
    assert_eq!(input.read().unwrap().unwrap().samples()[0], 2.0);
}

#[test]
fn of_two_that_start_at_once_one_wins_and_the_other_is_told() {
    let scene = Scene::new("segment: two at once");
    let name = scene.name();
    let mut peers = [scene.peer(), scene.peer()];
    for _ in 0..100 {
        for peer in &mut peers {
            peer.begin(&format!("sender {name} 4096"));
        }
        let [one, two] = peers.each_mut().map(Peer::answer);
        let winner = match (one, two) {
            (Ok(_), Err(refused)) => (0, refused),
            (Err(refused), Ok(_)) => (1, refused),
            other => panic!("{other:?}"),
        };
        assert_eq!(winner.1.code, 3, "{}", winner.1.text);
        peers[winner.0].ask("detach");
    }
}

#[test]
fn a_receiver_may_come_first() {
    let scene = Scene::new("segment: receiver first");
    let name = scene.name();
    let mut input = ChopReceiver::open(name).unwrap();
    assert!(input.read().unwrap().is_none());
    assert_eq!((input.attached(), input.state()), (Attached::NotYet, ErrorState::DoesNotExist));
    assert_eq!(scene.objects(), [""; 0], "a receiver alone makes nothing");
    let mut waiting = scene.peer();
    waiting.ask(&format!("receiver {name}"));
    waiting.begin_and_sleep("next 600000");

    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    assert!(input.read().unwrap().is_none(), "nothing has been written");
    assert_eq!((input.attached(), input.state()), (Attached::Yes, ErrorState::None));
    sender.ask("send 3 4 60 9 names");
    let seen = tdshm_tests::Seen::parse(&waiting.answer().unwrap()).unwrap();
    assert_eq!((seen.seed, seen.count, seen.length), (Some(9), 3, 4));
    assert_eq!(input.next_timeout(EVER).unwrap().unwrap().names(), ["s9c0", "s9c1", "s9c2"]);
}

#[test]
fn a_sender_leaves_and_another_comes() {
    let scene = Scene::new("segment: leaves and returns");
    let name = scene.name();
    let names = foreign::Names::of(name);
    let mut reader = scene.peer();
    reader.ask(&format!("receiver {name}"));
    let mut held_by_a_receiver = Vec::new();
    for round in 1..=20_u32 {
        let mut sender = scene.peer();
        sender.ask(&format!("sender {name} 4096"));
        sender.ask(&format!("send 2 {round} 60 {round} names"));
        let seen = reader.see("next 600000").unwrap();
        assert_eq!((seen.seed, seen.length), (Some(round), round as usize));
        held_by_a_receiver.push(Mapping::open(&names.info).unwrap());
        if round % 2 == 0 {
            sender.ask("detach");
        } else {
            sender.quit(); // a sender that is dropped leaves as well
        }
        let mut locks = [names.data_lock.clone(), names.info_lock.clone()];
        locks.sort();
        // Elsewhere everything stays that somebody has open, and nothing else.
        assert!(DIES_WITH_HANDLES || scene.objects() == locks, "the locks stay, and nothing else");
        assert_eq!(reader.ask("read"), "none Left");
        assert_eq!(reader.ask("state"), "Left InfoDoesNotExist");
    }
    assert!(held_by_a_receiver.iter().all(|info| info.read(DETACH_AT, 1) == [1]), "each said that it left");
}

/// A receiver that looks at just the wrong moment must not miss that the sender leaves.
#[test]
fn a_receiver_follows_senders_that_come_and_go_at_any_moment() {
    let scene = Scene::new("segment: coming and going");
    let name = scene.name();
    let (tell, told) = std::sync::mpsc::channel::<f32>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for round in 1..=2000 {
                // New each time, and without a pause, so that each attaches at another moment.
                let mut input = ChopReceiver::open(name).unwrap();
                loop {
                    if let Some(frame) = input.read().unwrap()
                        && frame.samples() == [round as f32]
                    {
                        break;
                    }
                }
                // Whoever sends next, this one notices.
                tell.send(round as f32).unwrap();
                while input.read().unwrap().is_some_and(|frame| frame.samples() == [round as f32]) {}
            }
        });
        for round in 1..=2000 {
            scene.doing(&format!("a receiver to see that sender {round} came, and that the one before left"));
            let mut out = ChopSender::create(name).unwrap();
            out.send(&[[round as f32]]).unwrap();
            assert_eq!(told.recv().unwrap(), round as f32);
            out.detach().unwrap();
        }
    });
}

#[test]
fn two_receivers_see_the_same() {
    let scene = Scene::new("segment: two receivers");
    let name = scene.name();
    let mut out = ChopSender::builder(name).room_for(4, 100).create().unwrap();
    let mut readers = [scene.peer(), scene.peer()];
    for reader in &mut readers {
        reader.ask(&format!("receiver {name}"));
    }
    let mut here = ChopReceiver::open(name).unwrap();
    for seed in 1..=100 {
        out.send(&tdshm_tests::frames::rows(seed, 4, seed as usize)).unwrap();
        for reader in &mut readers {
            reader.begin("next 600000");
        }
        assert_eq!(here.next_timeout(EVER).unwrap().unwrap().samples()[0], seed as f32);
        for reader in &mut readers {
            let seen = tdshm_tests::Seen::parse(&reader.answer().unwrap()).unwrap();
            assert_eq!((seen.seed, seen.length), (Some(seed), seed as usize));
        }
    }
    // One goes, the other stays.
    readers[0].ask("close");
    out.send(&[[5.0]]).unwrap();
    assert_eq!(readers[1].see("next 600000").unwrap().seed, Some(5));
}

#[test]
fn both_sides_live_in_one_thread() {
    let scene = Scene::new("segment: one thread");
    let mut out = SegmentSender::create(scene.name(), 64).unwrap();
    let mut input = SegmentReceiver::open(scene.name()).unwrap();
    assert_eq!(out.lock().unwrap().view().copy_from(b"hello"), 5);
    let guard = input.lock().unwrap().unwrap();
    assert_eq!((guard.view().len(), guard.view().get(4)), (4096, Some(b'o')));
    // The other half of the same thread is told at once, whatever its limit is.
    assert!(matches!(out.lock(), Err(LockError::AlreadyHeld { .. })));
    drop(guard);
    assert!(out.lock().is_ok());
    drop(out);
    assert!(input.lock().unwrap().is_none());
    assert_eq!((input.attached(), input.state()), (Attached::Left, ErrorState::InfoDoesNotExist));
}

#[test]
fn a_receiver_says_that_it_understands_resizing_and_a_sender_does_not_take_it_back() {
    let scene = Scene::new("segment: supported");
    let _out = ChopSender::create(scene.name()).unwrap();
    let info = Mapping::open(&foreign::Names::of(scene.name()).info).unwrap();
    assert_eq!(info.read(8, 1), [0]);
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    assert_eq!(info.read(8, 1), [0], "opening is not attaching");
    input.read().unwrap();
    assert_eq!(info.read(8, 1), [0], "one of ours has an entry, and leaves `supported` to foreign ones");
    assert_eq!(info.u32(384), std::process::id(), "the first entry's process");
    drop(input);
    assert_eq!(info.u32(384), 0, "given back");
    // Only whoever finds all 16 taken says so there.
    let mut inputs: Vec<_> = (0..16).map(|_| ChopReceiver::open(scene.name()).unwrap()).collect();
    for input in &mut inputs {
        input.read().unwrap();
    }
    assert_eq!(info.read(8, 1), [0]);
    let mut late = ChopReceiver::open(scene.name()).unwrap();
    late.read().unwrap();
    assert_eq!(info.read(8, 1), [1]);
    drop((late, inputs));
    assert!((0..16).all(|index| info.u32(384 + 64 * index) == 0));
    assert_eq!(info.read(8, 1), [1], "nobody takes it back");
}

#[test]
fn a_foreign_receiver_reads_our_sender_and_sees_it_leave() {
    let scene = Scene::new("segment: foreign receiver");
    let name = scene.name();
    assert!(ForeignReceiver::attach(name).is_none());
    let mut out = ChopSender::builder(name).channels(["tx", "ty"]).create().unwrap();
    let mut input = ForeignReceiver::attach(name).unwrap();
    for seed in 1..50 {
        out.send(&tdshm_tests::frames::rows(seed, 2, 3)).unwrap();
        let block = input.read().unwrap();
        assert_eq!((block.count, block.length, block.rate), (2, 3, 60.0));
        assert_eq!(block.names.unwrap(), [b"tx", b"ty"]);
        assert_eq!(&block.samples[..4], (seed as f32).to_le_bytes());
    }
    out.detach().unwrap();
    assert!(input.detached() && input.read().is_none());
    assert!(ForeignReceiver::attach(name).is_none());
}

#[test]
fn an_info_lock_that_is_held_is_waited_for_up_to_the_limit() {
    let scene = Scene::new("segment: info lock held");
    let name = scene.name();
    let lock = foreign::Names::of(name).info_lock;
    let mut holder = scene.peer();
    holder.ask(&format!("lock {lock} 0"));
    let limit = Duration::from_millis(5);
    let error = SegmentSender::builder(name, 64).lock_limit(limit).create().unwrap_err();
    assert!(matches!(error, Error::Segment(SegmentError::UnableToLockInfo { .. })), "{error}");
    assert_eq!((error.code(), error.kind()), (6, ErrorKind::Retry));
    holder.ask("unlock");

    let mut out = SegmentSender::create(name, 64).unwrap();
    holder.ask(&format!("lock {lock} 0"));
    let mut input = SegmentReceiver::builder(name).lock_limit(limit).open().unwrap();
    assert_eq!(input.lock().unwrap_err().code(), 6);
    assert!(out.lock().is_ok(), "the data lock is another");
    holder.ask("unlock");
    assert!(input.lock().unwrap().is_some(), "trying again works");

    // A sender that is dropped meanwhile leaves all the same, at once.
    holder.ask(&format!("lock {lock} 0"));
    drop(out);
    assert!(input.lock().unwrap().is_none());
    assert!(!scene.has("TouchSHM{}"));
}
