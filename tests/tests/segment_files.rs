//! Segments as files in `/dev/shm`: who may use them, and what may stand in their way (wire §2, ours). Linux alone: on
//! Windows a section has neither a mode nor a path, and is never seen half made by whoever holds the info lock.
#![cfg(target_os = "linux")]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tdshm::{
    ChopReceiver, ChopSender, Error, ErrorKind, ErrorState, LockError, NamedLock, SegmentError, SegmentSender,
};
use tdshm_tests::Scene;
use tdshm_tests::foreign::{self};

/// The user `nobody`.
const STRANGER: u32 = 65534;

fn is_root(what: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        // Straight to the descriptor, so that it is seen also where the test passes.
        let text = format!("NOT RUN: {what} (needs root, to be two users)\n");
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
    root
}

#[test]
fn an_info_object_is_complete_whenever_it_is_there() {
    let scene = Scene::new("segment: atomic creation");
    let names = foreign::Names::of(scene.name());
    let mut spy = scene.peer();
    spy.begin(&format!(
        "announce spy 150 {} {} {} {}",
        names.info, names.data, names.data_lock, names.info_lock
    ));
    let mut answer = None;
    scene.until("the spy to have seen enough", || {
        let out = SegmentSender::create(scene.name(), 4096).unwrap();
        out.detach().unwrap();
        for lock in [&names.data_lock, &names.info_lock] {
            std::fs::remove_file(Path::new("/dev/shm").join(lock)).unwrap();
        }
        answer = spy.try_answer();
        answer.is_some()
    });
    answer.unwrap().unwrap();
}

#[test]
fn everything_is_for_this_user_alone_unless_it_is_widened() {
    let scene = Scene::new("segment: modes");
    let modes = || {
        let modes = scene.objects().into_iter().map(|object| {
            let mode = std::fs::metadata(Path::new("/dev/shm").join(&object)).unwrap().permissions().mode();
            (object, mode & 0o7777)
        });
        modes.collect::<Vec<_>>()
    };
    let private = ChopSender::create(scene.name()).unwrap();
    ChopReceiver::open(scene.name()).unwrap().read().unwrap();
    assert!(modes().len() == 4 && modes().iter().all(|(_, mode)| *mode == 0o600), "{:x?}", modes());
    drop(private);
    scene.sweep();
    let _wide = ChopSender::builder(scene.name()).mode(0o666).create().unwrap();
    assert!(modes().len() == 4 && modes().iter().all(|(_, mode)| *mode == 0o666), "{:x?}", modes());
}

/// Locks stay when everybody has gone, so the next sender finds them, with the mode of the last one.
#[test]
fn a_sender_gives_its_mode_to_the_locks_that_an_earlier_one_left() {
    let scene = Scene::new("segment: modes of old locks");
    for mode in [0o600, 0o666, 0o660, 0o600] {
        let _out = ChopSender::builder(scene.name()).mode(mode).create().unwrap();
        ChopReceiver::open(scene.name()).unwrap().read().unwrap();
        for object in scene.objects() {
            let found = std::fs::metadata(Path::new("/dev/shm").join(&object)).unwrap().permissions().mode();
            assert_eq!(found & 0o7777, mode, "{object}: {found:o} where {mode:o} was asked for");
        }
    }
}

#[test]
fn another_user_may_read_what_was_widened_and_nothing_else() {
    if !is_root("another user") {
        return;
    }
    let scene = Scene::new("segment: two users");
    let name = scene.name();
    let mut stranger = scene.peer();
    stranger.ask(&format!("become {STRANGER}"));
    stranger.ask(&format!("receiver {name}"));

    let mut private = ChopSender::create(name).unwrap();
    private.send(&[[1.0]]).unwrap();
    let refused = stranger.try_ask("read").unwrap_err();
    assert_eq!(refused.code, 110, "{}", refused.text);
    assert!(refused.text.contains("user 0"), "{}", refused.text);
    assert_eq!(stranger.try_ask(&format!("sender {name} 4096")).unwrap_err().code, 110);
    assert!(private.send(&[[2.0]]).is_ok());
    drop(private);
    scene.sweep();

    let mut wide = ChopSender::builder(name).mode(0o666).create().unwrap();
    wide.send(&[[3.0]]).unwrap();
    assert_eq!(stranger.see("read").unwrap().seed, Some(3));
    assert_eq!(stranger.try_ask(&format!("sender {name} 4096")).unwrap_err().code, 3);
}

/// Root may open everything, and must not open what a stranger has kept for himself: he may shrink it.
#[test]
fn what_a_stranger_kept_for_himself_is_refused() {
    if !is_root("a stranger's objects") {
        return;
    }
    let scene = Scene::new("segment: a stranger's");
    let name = scene.name();
    let mut stranger = scene.peer();
    stranger.ask(&format!("become {STRANGER}"));
    stranger.ask(&format!("sender {name} 4096"));
    stranger.ask("send 1 1 60 5 names");
    let error = ChopReceiver::open(name).unwrap().read().map(drop).unwrap_err();
    assert!(matches!(error, Error::Segment(SegmentError::NotOurs { .. })), "{error}");
    assert!(error.to_string().contains("user 65534"), "{error}");
    // Looking maps nothing, so root may.
    assert!(
        tdshm::inspect(name).is_ok_and(|report| report.notices.is_some_and(|notices| notices.owner_alive))
    );
    assert!(NamedLock::open(&foreign::Names::of(name).data_lock).is_err());
    stranger.ask("detach");
    scene.sweep();
    // Widened on purpose, it is welcome.
    stranger.ask(&format!("sender {name} 4096 666"));
    stranger.ask("send 1 1 60 6 names");
    assert_eq!(ChopReceiver::open(name).unwrap().read().unwrap().unwrap().samples(), [6.0]);
}

/// Everything that may stand where an object should be, made one after the other; `check` is told which.
fn in_the_way(scene: &Scene, object: &str, mut check: impl FnMut(&str)) {
    let path: PathBuf = scene.path(object);
    let folder = scene.scratch();
    let (elsewhere, nowhere) = (folder.join("elsewhere"), folder.join("nowhere"));
    let content = [&foreign::info_block("", 0)[..], &[0x55; 8000]].concat();
    std::fs::write(&elsewhere, &content).unwrap();
    let mut one = |what: &str| {
        let what = format!("{what} at {object}");
        scene.doing(&what);
        check(&what);
        assert_eq!(std::fs::read(&elsewhere).unwrap(), content, "{what}: nothing is written elsewhere");
        assert!(!nowhere.exists(), "{what}: nothing is made elsewhere");
        assert!(path.symlink_metadata().is_ok(), "{what}: it stays");
        if path.is_dir() { std::fs::remove_dir(&path) } else { std::fs::remove_file(&path) }.unwrap();
    };
    std::fs::create_dir(&path).unwrap();
    one("a directory");
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    one("a link");
    std::os::unix::fs::symlink(&nowhere, &path).unwrap();
    one("a dangling link");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    one("a fifo");
    let socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    one("a socket");
    drop(socket);
    let other = scene.path("TouchSHM{}twin");
    std::fs::write(&other, &content).unwrap();
    std::fs::hard_link(&other, &path).unwrap();
    one("a second name of a file");
    assert_eq!(std::fs::read(&other).unwrap(), content);
    std::fs::remove_file(&other).unwrap();
    if is_root("a stranger's file in the way") {
        std::fs::write(&path, &content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::chown(&path, Some(STRANGER), Some(STRANGER)).unwrap();
        one("a stranger's file");
    }
}

#[test]
fn a_sender_is_told_what_is_in_its_way_and_leaves_it_alone() {
    let scene = Scene::new("segment: in a sender's way");
    for object in
        ["TouchSHM{}", "TouchSHMTouchSHM{}4jhd783h", "TouchSHM{}Mutex", "TouchSHMTouchSHM{}4jhd783hMutex"]
    {
        in_the_way(&scene, object, |what| {
            let error = ChopSender::create(scene.name()).unwrap_err();
            let good = match &error {
                Error::Segment(
                    SegmentError::AlreadyExists { .. } | SegmentError::InfoAlreadyExists { .. },
                ) => object == "TouchSHM{}",
                // What begins like an info block is told apart from data.
                Error::Segment(SegmentError::NotOurs { .. }) if what.contains("a stranger's file") => true,
                // It may be a sender that died, so it is looked at, and what it is instead is said.
                Error::Segment(SegmentError::NotOurs { .. }) => object.ends_with("4jhd783h"),
                Error::Lock(LockError::Object(_)) => object.ends_with("Mutex"),
                _ => false,
            };
            assert!(good, "{what}: {error}");
        });
        assert!(ChopSender::create(scene.name()).is_ok(), "once it has gone");
        scene.sweep();
    }
}

#[test]
fn a_receiver_is_told_what_stands_there_instead() {
    let scene = Scene::new("segment: in a receiver's way");
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    for object in ["TouchSHM{}", "TouchSHMTouchSHM{}4jhd783h"] {
        in_the_way(&scene, object, |what| {
            let error = input.read().map(drop).unwrap_err();
            assert!(matches!(error, Error::Segment(SegmentError::NotOurs { .. })), "{what}: {error}");
            assert_eq!((error.code(), error.kind()), (110, ErrorKind::Refused));
            let looked = tdshm::inspect(scene.name());
            assert!(looked.is_err() || what.contains("a stranger's file"), "{what}: {looked:?}");
        });
    }
    // The same receiver goes on once the way is free.
    let mut out = ChopSender::create(scene.name()).unwrap();
    out.send(&[[8.0]]).unwrap();
    assert_eq!(input.read().unwrap().unwrap().samples(), [8.0]);
}

#[test]
fn objects_that_are_too_small_or_empty_are_no_segments() {
    let scene = Scene::new("segment: too small");
    let name = scene.name();
    let (data, info) = (scene.path("TouchSHM{}"), scene.path("TouchSHMTouchSHM{}4jhd783h"));
    let mut input = ChopReceiver::open(name).unwrap();

    std::fs::write(&info, &foreign::info_block("", 0)[..43]).unwrap();
    let error = input.read().map(drop).unwrap_err();
    let Error::Segment(SegmentError::TooSmall { bytes, needed, .. }) = &error else { panic!("{error}") };
    assert_eq!((*bytes, *needed, error.code()), (43, 44, 111));
    let error = ChopSender::create(name).unwrap_err();
    let Error::Segment(SegmentError::TooSmall { bytes, needed, .. }) = &error else { panic!("{error}") };
    assert_eq!((*bytes, *needed, error.code()), (43, 44, 111));
    assert_eq!(std::fs::read(&info).unwrap(), &foreign::info_block("", 0)[..43], "it is left alone");

    std::fs::write(&info, b"").unwrap(); // a foreign sender between its shm_open and its ftruncate
    assert!(input.read().unwrap().is_none());
    std::fs::write(&info, foreign::info_block("", 0)).unwrap();
    assert!(input.read().unwrap().is_none(), "info, and no data yet");
    assert_eq!(input.state(), ErrorState::DoesNotExist);
    std::fs::write(&data, b"").unwrap();
    assert!(input.read().unwrap().is_none());
    std::fs::remove_file(&data).unwrap();

    // Too small for a header, which is not a matter of the segment but of the block in it.
    std::fs::write(&data, [0; 35]).unwrap();
    let error = input.read().map(drop).unwrap_err();
    let Error::Block(block) = &error else { panic!("{error}") };
    assert_eq!(block.field, "mapped bytes");
    assert!(error.to_string().contains("35"), "{error}");
}

#[test]
fn a_refused_creation_leaves_no_segment_behind() {
    let scene = Scene::new("segment: refused leaves nothing");
    std::fs::write(scene.path("TouchSHM{}"), b"in the way").unwrap();
    let error = ChopSender::create(scene.name()).unwrap_err();
    assert_eq!(error.code(), 1, "{error}");
    assert!(!scene.path("TouchSHMTouchSHM{}4jhd783h").exists());
    assert_eq!(std::fs::read(scene.path("TouchSHM{}")).unwrap(), b"in the way");
}
