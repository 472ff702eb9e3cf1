//! The lock as an object of its own, with a head and a mutex in it, in a file (wire §5): Linux alone. On Windows it is
//! the kernel's.
#![cfg(target_os = "linux")]

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use tdshm::{ChopSender, Error, LockError, NamedLock, SegmentError};
use tdshm_tests::Scene;
use tdshm_tests::foreign::{ABI, MUTEX_AT, MUTEX_BYTES, Mapping, Names, make_lock};

fn lock_name(scene: &Scene) -> String {
    Names::of(scene.name()).data_lock
}

#[test]
fn the_object_is_the_table_of_section_5() {
    let scene = Scene::new("lock: its bytes");
    let name = lock_name(&scene);
    let lock = NamedLock::open(&name).unwrap();
    let object = Mapping::open(&name).unwrap();
    assert_eq!(object.read(0, 8), b"TDSHMLCK");
    assert_eq!([8, 12, 16, 20].map(|at| object.u32(at)), [1, ABI, MUTEX_BYTES as u32, 0]);
    assert_eq!(object.read(24, MUTEX_AT - 24), vec![0; MUTEX_AT - 24]);
    let guard = lock.lock().unwrap();
    assert_eq!(object.u32(20), std::process::id());
    drop(guard);
    assert_eq!(object.u32(20), 0);
    let mode = std::fs::metadata(scene.path("TouchSHM{}Mutex")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    drop(lock);
    assert!(scene.path("TouchSHM{}Mutex").exists(), "a lock stays");
}

#[test]
fn a_lock_made_by_hand_is_used_as_it_is() {
    let scene = Scene::new("lock: by hand");
    let name = lock_name(&scene);
    make_lock(&name);
    let inode = std::fs::metadata(scene.path("TouchSHM{}Mutex")).unwrap().ino();
    let mut peer = scene.peer();
    peer.ask(&format!("lock {name} 0"));
    let lock = NamedLock::open(&name).unwrap();
    assert!(lock.try_lock().unwrap().is_none());
    peer.ask("unlock");
    assert!(lock.try_lock().unwrap().is_some());
    assert_eq!(std::fs::metadata(scene.path("TouchSHM{}Mutex")).unwrap().ino(), inode);
}

#[test]
fn a_lock_of_another_kind_is_refused_with_field_and_numbers() {
    let scene = Scene::new("lock: of another kind");
    let name = lock_name(&scene);
    make_lock(&name);
    let object = Mapping::open(&name).unwrap();
    let cases: [(&str, usize, u64, u64); 4] = [
        ("version", 8, 2, 1),
        ("ABI", 12, u64::from(3 - ABI), ABI.into()),
        ("mutex size", 16, MUTEX_BYTES as u64 + 8, MUTEX_BYTES as u64),
        ("magic", 0, u64::from_le_bytes(*b"XXXXMLCK"), u64::from_le_bytes(*b"TDSHMLCK")),
    ];
    for (wrong, at, bad, good) in cases {
        let (was, bad_bytes) = (object.read(at, 4), &bad.to_le_bytes()[..4]);
        object.write(at, bad_bytes);
        let error = NamedLock::open(&name).unwrap_err();
        let Error::Lock(LockError::NotALock { field, value, expected, .. }) = &error else {
            panic!("{error}")
        };
        assert_eq!((*field, *value, *expected), (wrong, bad, good));
        assert_eq!(error.code(), 103);
        object.write(at, &was);
    }
    assert!(NamedLock::open(&name).is_ok());
}

#[test]
fn what_is_in_the_way_is_an_error_and_is_not_touched() {
    let scene = Scene::new("lock: in the way");
    let name = lock_name(&scene);
    let path = scene.path("TouchSHM{}Mutex");
    let elsewhere = scene.scratch().join("elsewhere");
    std::fs::write(&elsewhere, vec![0x55; 4096]).unwrap();
    let refused = |what: &str| {
        scene.doing(what);
        let error = NamedLock::open(&name).unwrap_err();
        let Error::Lock(LockError::Object(object)) = &error else { panic!("{what}: {error}") };
        assert!(
            matches!(**object, SegmentError::NotOurs { .. } | SegmentError::TooSmall { .. }),
            "{what}: {error}"
        );
        assert_eq!(std::fs::read(&elsewhere).unwrap(), vec![0x55; 4096], "{what}");
    };

    std::fs::create_dir(&path).unwrap();
    refused("a directory");
    std::fs::remove_dir(&path).unwrap();

    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    refused("a link to a file");
    std::fs::remove_file(&path).unwrap();

    let nowhere = scene.scratch().join("nowhere");
    std::os::unix::fs::symlink(&nowhere, &path).unwrap();
    refused("a dangling link");
    assert!(!nowhere.exists());
    std::fs::remove_file(&path).unwrap();

    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, mode).unwrap();
    refused("a fifo");
    std::fs::remove_file(&path).unwrap();

    let other = scene.path("TouchSHM{}other");
    std::fs::write(&other, vec![0; 4096]).unwrap();
    std::fs::hard_link(&other, &path).unwrap();
    refused("a second name of another file");
    std::fs::remove_file(&path).unwrap();

    std::fs::write(&path, [0; 20]).unwrap();
    refused("a file that is too small");
    assert_eq!(std::fs::read(&path).unwrap(), [0; 20]);

    // The head alone, and all but the mutex's last byte: what is missing is told, to whoever wants it and whoever looks.
    let needed = MUTEX_AT + MUTEX_BYTES;
    for bytes in [MUTEX_AT, needed - 1] {
        std::fs::write(&path, vec![0; bytes]).unwrap();
        refused("a file without all of the mutex");
        let sentence = format!(
            "{name} has {bytes} bytes, and at least {needed} are needed: its sender is broken or not ready yet"
        );
        assert_eq!(NamedLock::open(&name).unwrap_err().to_string(), sentence);
        let seen = tdshm::look_at_locks(scene.name()).unwrap().into_iter().find(|seen| seen.object == name);
        let error = seen.unwrap().state.unwrap().unwrap_err();
        assert_eq!(error.to_string(), sentence);
    }
    std::fs::write(&path, vec![0; needed]).unwrap();
    let error = NamedLock::open(&name).unwrap_err();
    assert!(matches!(error, Error::Lock(LockError::NotALock { .. })), "{error}");
}

/// An empty object may be one that is being made; whoever opens the lock may wait a little, but not for ever.
#[test]
fn an_empty_object_in_the_way_is_an_error_in_the_end() {
    let scene = Scene::new("lock: empty object");
    let name = lock_name(&scene);
    std::fs::write(scene.path("TouchSHM{}Mutex"), b"").unwrap();
    scene.doing("NamedLock::open to give up on an empty object");
    let error = NamedLock::open(&name).unwrap_err();
    assert!(matches!(error, Error::Lock(_)), "{error}");
}

#[test]
fn a_lock_of_another_make_is_refused_and_left_untouched() {
    let scene = Scene::new("stop: lock of another make");
    let name = scene.name();
    let names = Names::of(name);
    for lock in [&names.data_lock, &names.info_lock] {
        for (field, at, value) in [
            ("ABI", 12, 3 - ABI),
            ("ABI", 12, 77),
            ("mutex size", 16, MUTEX_BYTES as u32 + 8),
            ("mutex size", 16, 0),
            ("version", 8, 2),
            ("magic", 0, 0),
        ] {
            make_lock(lock);
            let object = Mapping::open(lock).unwrap();
            object.write(at, &value.to_le_bytes());
            let before = object.bytes();
            let errors = [
                NamedLock::open(lock).map(drop).unwrap_err(),
                ChopSender::create(name).map(drop).unwrap_err(),
                ChopSender::builder(name).take_over(true).create().map(drop).unwrap_err(),
            ];
            for error in errors {
                let Error::Lock(LockError::NotALock { field: found, .. }) = &error else { panic!("{error}") };
                assert_eq!((*found, error.code()), (field, 103));
                assert!(error.to_string().contains(&lock[..]), "{error}");
            }
            assert_eq!(object.bytes(), before, "{field}: untouched");
            assert!(scene.path(lock).exists());
            object.unlink();
        }
    }
    assert!(ChopSender::create(name).is_ok());
}
