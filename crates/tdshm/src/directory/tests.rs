//! The directory in shared memory: many processes at once, growing while it is read, garbage, and killed holders.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::*;
use crate::sys::posix::child::{self, Child};
use crate::wire::info::Postfix;

/// One test's directory, removed when it ends.
struct Scene {
    object: String,
    lock: String,
}

impl Scene {
    fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{:x}d{number}", std::process::id());
        Self { object: format!("{name}dir"), lock: format!("{name}lock") }
    }

    /// One whose object holds these bytes already.
    fn with(bytes: &[u8]) -> Self {
        let scene = Self::new();
        let object = Whole::create(&scene.object, ACCESS, bytes.len()).unwrap();
        object.region().copy_in(0, bytes).unwrap();
        drop(CondLock::open(&scene.lock, Some(ACCESS), &LAYOUT).unwrap());
        scene
    }

    fn directory(&self) -> Directory<'_> {
        Directory { object: &self.object, lock: &self.lock }
    }

    fn look_up(&self, name: &str) -> Option<String> {
        self.directory().look_up(name).unwrap().map(Cow::into_owned)
    }

    fn register(&self, name: &str) -> String {
        self.directory().register(name).unwrap().into_owned()
    }

    fn bytes(&self) -> Vec<u8> {
        let object = Whole::open(&self.object).unwrap();
        let mut bytes = vec![0; object.region().len()];
        object.region().copy_out(0, &mut bytes).unwrap();
        bytes
    }

    /// Another process, which knows this directory.
    fn child(&self) -> Child {
        let mut child = Child::start("directory::tests::errand", &format!("{} {}", self.object, self.lock));
        assert_eq!(child.ask("hello"), "hello");
        child
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        shm::unlink(&self.object);
        shm::unlink(&self.lock);
    }
}

/// Not a test: what the other process does.
#[test]
fn errand() {
    let Some(errand) = child::errand() else { return };
    let (object, lock) = errand.split_once(' ').unwrap();
    let directory = Directory { object, lock };
    let mut held = None;
    child::obey(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["hello"] => "hello".to_owned(),
            ["register", stem, count] => {
                let names = (0..count.parse().unwrap()).map(|number: u32| long(&format!("{stem}{number}")));
                let tokens = names.map(|name| directory.register(&name).unwrap().into_owned());
                tokens.collect::<Vec<_>>().join(" ")
            }
            ["find", stem, count] => {
                // Each name is there as soon as the one before it is, and stays.
                for number in 0..count.parse::<u32>().unwrap() {
                    while directory.look_up(&long(&format!("{stem}{number}"))).unwrap().is_none() {
                        std::thread::yield_now();
                    }
                    assert!(directory.look_up(&long(&format!("{stem}0"))).unwrap().is_some());
                }
                "found".to_owned()
            }
            ["hold"] => {
                let lock = CondLock::open(directory.lock, Some(ACCESS), &LAYOUT).unwrap();
                held = Some(directory.hold(lock).unwrap());
                "held".to_owned()
            }
            _ => panic!("{line}"),
        }
    });
    drop(held);
    std::process::exit(0);
}

/// A name of more than 31 bytes.
fn long(name: &str) -> String {
    format!("{name}-a-name-that-is-longer-than-31-bytes")
}

#[test]
fn short_names_need_no_entry() {
    let scene = Scene::new();
    let name = "x".repeat(31);
    assert_eq!(scene.look_up(&name), Some(name.clone()));
    assert_eq!(scene.register(&name), name);
    assert!(!shm::exists(&scene.object) && !shm::exists(&scene.lock), "nothing was made");
    assert_eq!(scene.look_up(&"x".repeat(32)), None);
    assert!(!shm::exists(&scene.object) && !shm::exists(&scene.lock), "looking makes nothing either");
}

/// The bytes of a directory that ours made, beside those of wire §7 by hand.
#[test]
fn what_is_registered_is_the_directory_made_by_hand() {
    let scene = Scene::new();
    let names = [
        "TouchSHMTouchSHMcam14jhd783hMutex",
        "TouchSHMcam1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "TouchSHMTouchSHMkamera-ö4jhd783hMutex",
    ];
    let tokens: Vec<String> = names.iter().map(|name| scene.register(name)).collect();
    assert_eq!(tokens, ["TD44e33-0", "TD44e33-1", "TD44e33-2"]);
    let golden =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/7-three-names.bin")).unwrap();
    let bytes = scene.bytes();
    assert_eq!(bytes.len(), 65536);
    assert_eq!(bytes[..8], 65512_u64.to_le_bytes(), "the header is not counted");
    assert_eq!(bytes[8..24 + 147], golden[8..24 + 147]);
    assert!(bytes[24 + 147..].iter().all(|byte| *byte == 0));
    for (name, token) in names.iter().zip(&tokens) {
        assert_eq!((scene.look_up(name).as_ref(), &scene.register(name)), (Some(token), token));
    }
    assert_eq!(scene.bytes(), bytes, "what is there already is not added again");
}

/// A directory that another program made, and made small, is used as it is, and grows.
#[test]
fn a_foreign_directory_is_read_and_grows() {
    let golden = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/7-gap.bin")).unwrap();
    let scene = Scene::with(&golden);
    assert_eq!(scene.register(&long("three")), "TD44e33-1", "the smallest unused number");
    assert_eq!(scene.register(&long("four")), "TD44e33-3");
    let mut number = 4;
    while scene.bytes().len() == 4096 {
        assert_eq!(scene.register(&long(&format!("n{number}"))), format!("TD44e33-{number}"));
        number += 1;
    }
    assert_eq!(scene.bytes().len(), 65536);
    assert_eq!(scene.bytes()[24..24 + 28], golden[24..24 + 28]);
    for number in 4..number {
        assert_eq!(scene.look_up(&long(&format!("n{number}"))), Some(format!("TD44e33-{number}")));
    }
    assert_eq!(scene.look_up(&long("three")).as_deref(), Some("TD44e33-1"));
}

#[test]
fn a_token_whose_object_exists_is_skipped() {
    let scene = Scene::new();
    let first = scene.register(&long("a"));
    // The tokens' objects are in this test process's own namespace, which other tests share.
    let number: u64 = first.strip_prefix("TD44e33-").unwrap().parse().unwrap();
    let next = format!("TD44e33-{}", number + 1);
    let taken = Whole::create(&next, Access::PRIVATE, 4096).unwrap();
    let second = scene.register(&long("b"));
    shm::unlink(&next);
    drop(taken);
    assert_ne!(second, next);
    assert_eq!(scene.register(&long("c")), next);
}

#[test]
fn a_segment_that_moves_again_and_again_needs_few_entries() {
    let scene = Scene::new();
    let name = || format!("TouchSHMcam1{}", Postfix::random().as_str());
    let first = name();
    let object = |token: &str| Whole::create(token, Access::PRIVATE, 4096).unwrap();
    let mut here = scene.register(&first);
    object(&here);
    let mut tokens = BTreeSet::from([here.clone()]);
    for _ in 0..20 {
        let there = scene.register(&name());
        assert_ne!(there, here, "the old one is still there while the new one is made");
        object(&there);
        shm::unlink(&here);
        tokens.insert(there.clone());
        here = there;
    }
    shm::unlink(&here);
    assert_eq!(tokens.len(), 2);
    assert_eq!(scene.look_up(&first), None, "it was never used again");
}

#[test]
fn many_processes_register_at_once() {
    let scene = Scene::new();
    let mut children: Vec<Child> = (0..5).map(|_| scene.child()).collect();
    for (number, child) in children.iter_mut().enumerate() {
        // One half of the names is everybody's, the other each one's own.
        child.begin("register shared 60");
        child.begin(&format!("register own{number}- 60"));
    }
    let mut own = BTreeSet::new();
    let mut shared = BTreeSet::new();
    for child in &mut children {
        shared.insert(child.answer());
        own.extend(child.answer().split(' ').map(str::to_owned));
    }
    assert_eq!(shared.len(), 1, "all got the same tokens for the same names");
    let all: BTreeSet<String> =
        own.iter().cloned().chain(shared.first().unwrap().split(' ').map(str::to_owned)).collect();
    assert_eq!((own.len(), all.len()), (5 * 60, 6 * 60), "no token was given twice");
}

#[test]
fn it_grows_while_it_is_read() {
    let scene = Scene::with(&Header::new(4096, 0).as_bytes_padded(4096));
    let mut readers: Vec<Child> = (0..2).map(|_| scene.child()).collect();
    for reader in &mut readers {
        reader.begin("find grown 1200");
    }
    let mut writer = scene.child();
    writer.begin("register grown 1200");
    assert_eq!(writer.answer().split(' ').count(), 1200);
    for reader in &mut readers {
        assert_eq!(reader.answer(), "found");
    }
    assert_eq!(scene.bytes().len(), 2 * 65536, "it grew twice");
}

#[test]
fn a_killed_holder_of_its_lock_is_no_obstacle() {
    let scene = Scene::new();
    assert_eq!(scene.register(&long("a")), scene.look_up(&long("a")).unwrap());
    for name in ["b", "c"] {
        let mut child = scene.child();
        assert_eq!(child.ask("hold"), "held");
        child.kill();
        assert!(scene.look_up(&long("a")).is_some());
        let mut child = scene.child();
        assert_eq!(child.ask("hold"), "held");
        child.kill();
        scene.register(&long(name));
    }
    assert!(scene.look_up(&long("b")).is_some() && scene.look_up(&long("c")).is_some());
}

/// What a killed program left half done: an object without a size, without a header, or none at all.
#[test]
fn what_was_left_half_made_is_made() {
    let scene = Scene::new();
    drop(shm::create(&scene.object, ACCESS).unwrap());
    drop(CondLock::open(&scene.lock, Some(ACCESS), &LAYOUT).unwrap());
    assert_eq!(scene.look_up(&long("a")), None);
    let token = scene.register(&long("a"));
    assert_eq!(scene.look_up(&long("a")), Some(token));

    let scene = Scene::with(&[0; 16384]);
    assert_eq!(scene.look_up(&long("a")), None);
    let token = scene.register(&long("a"));
    assert_eq!(scene.look_up(&long("a")), Some(token));
    assert_eq!(scene.bytes().len(), 16384);

    // Killed between the unlinking and the making anew: all names are lost, and the tokens of living objects with them.
    shm::unlink(&scene.object);
    assert_eq!(scene.look_up(&long("a")), None);
    let token = scene.register(&long("a"));
    assert_eq!(scene.look_up(&long("a")), Some(token));
}

#[test]
fn what_is_broken_is_said_and_left_alone() {
    for (field, at, value) in
        [("allocated", 0, 5000_u64), ("used", 8, 4073), ("version", 16, 2), ("used", 8, u64::MAX)]
    {
        let mut bytes = Header::new(4096, 0).as_bytes_padded(4096);
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        let scene = Scene::with(&bytes);
        for result in [
            scene.directory().look_up(&long("a")).map(drop),
            scene.directory().register(&long("a")).map(drop),
        ] {
            match result {
                Err(ObjectError::NotOurs(text)) => {
                    assert!(text.contains("is broken: its") && text.contains(field), "{text}");
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(scene.bytes(), bytes);
    }
    let scene = Scene::with(&[1; 10]);
    assert_eq!(scene.look_up(&long("a")), None, "too small for a header");
}

#[test]
fn garbage_between_entries_is_stepped_over() {
    let golden =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/7-garbage.bin")).unwrap();
    let scene = Scene::with(&golden);
    let token = scene.register(&long("new"));
    assert_eq!(token, "TD44e33-0");
    assert_eq!(scene.look_up(&long("new")), Some(token));
    assert_eq!(scene.register(&long("newer")), "TD44e33-1", "the entry without an end was written over");
}

#[test]
fn segments_are_listed_by_their_info_locks() {
    let scene = Scene::new();
    let make = |name: &str| {
        let token = scene.register(name);
        drop(Whole::create(&token, Access::PRIVATE, 4096).unwrap());
        token
    };
    let moved = format!("TouchSHMlisted{}", Postfix::random().as_str());
    let gone = scene.register("TouchSHMTouchSHMwas-here4jhd783hMutex");
    let made =
        ["TouchSHMTouchSHMlisted4jhd783hMutex", &moved, "TouchSHMlisted", "TouchSHMTouchSHMlisted4jhd783h"];
    let tokens: Vec<String> = made.iter().map(|name| make(name)).collect();
    let mut expected: Vec<&str> = made.to_vec();
    expected.sort_unstable();
    let found = scene.directory().object_names("TouchSHM").unwrap();
    let of_prefix = scene.directory().object_names("TouchSHMlisted").unwrap();
    tokens.iter().for_each(|token| shm::unlink(token));
    assert!(!tokens.contains(&gone));
    assert_eq!(found, expected);
    assert_eq!(of_prefix, ["TouchSHMlisted", &moved]);
    assert!(Scene::new().directory().object_names("TouchSHM").unwrap().is_empty());
}

impl Header {
    fn as_bytes_padded(&self, bytes: usize) -> Vec<u8> {
        let mut padded = zerocopy::IntoBytes::as_bytes(self).to_vec();
        padded.resize(bytes, 0);
        padded
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever lies there, looking and adding either work or say why not.
    #[test]
    fn any_directory_is_survived(
        allocated in prop_oneof![0..=4072_u64, any::<u64>()],
        used in prop_oneof![0..=300_u64, any::<u64>()],
        version in prop_oneof![Just(1_u64), any::<u64>()],
        entries in prop::collection::vec(prop_oneof![Just(0_u8), any::<u8>()], 0..300),
    ) {
        let mut bytes = Vec::new();
        for number in [allocated, used, version] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&entries);
        bytes.resize(4096, 0);
        let scene = Scene::with(&bytes);
        let before = scene.directory().look_up(&long("a")).map(drop);
        match scene.directory().register(&long("a")) {
            Ok(token) => prop_assert_eq!(scene.look_up(&long("a")), Some(token.into_owned())),
            Err(_) => prop_assert!(before.is_err()),
        }
        let _ = scene.directory().object_names("");
    }
}
