//! What macOS does, rehearsed on this system: processes with objects of `shm_open` alone, names of 31 bytes, the name
//! directory, and the lock of a mutex, a condition and a flag (wire §1, §2, §5 to §7).
//!
//! The peers are built with `--cfg tdshm_macos`, which makes what is built for macOS the system, and meet in a
//! namespace of the test's own. This process only looks at files.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;

use tdshm_tests::foreign::{Block, DETACH_AT, Names, info_block, parse};
use tdshm_tests::{Peer, Scene, Seen, frames};

/// Short names whose four objects are all short, partly long, and all long for macOS.
const NAMES: &[&str] = &[
    "ab",
    "cam",
    "camera7",
    "camera-8",
    "eighteen-letters-x",
    "nineteen-letters-xy",
    "ümläut-und-日本",
    "a-name-that-is-itself-longer-than-what-macos-takes",
];

fn send(peer: &mut Peer, seed: u32) -> String {
    peer.ask(&format!("send 2 50 60 {seed} names"))
}

fn seed(seen: Option<Seen>) -> Option<u32> {
    seen.and_then(|seen| seen.seed)
}

/// What the directory holds, read by hand.
fn entries(scene: &Scene) -> Vec<(String, String)> {
    let Ok(bytes) = std::fs::read(scene.macos_path("TD1zzSharedNameDirectory")) else { return Vec::new() };
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    assert_eq!((number(0), number(16)), (bytes.len() as u64 - 24, 1));
    let used = &bytes[24..24 + number(8) as usize];
    let texts: Vec<String> =
        used.split(|byte| *byte == 0).map(|text| String::from_utf8(text.to_vec()).unwrap()).collect();
    let (pairs, []) = texts[..texts.len() - 1].as_chunks::<2>() else { panic!("{texts:?}") };
    pairs.iter().map(|[name, token]| (name.clone(), token.clone())).collect()
}

#[test]
fn frames_arrive_under_names_of_every_length() {
    let scene = Scene::new("macos: names");
    let mut expected = BTreeSet::new();
    for short in NAMES {
        let (mut sender, mut receiver) = (scene.macos_peer(), scene.macos_peer());
        receiver.ask(&format!("receiver {short}"));
        assert_eq!(receiver.ask("read"), "none NotYet");
        sender.ask(&format!("sender {short} 4096"));
        for number in 1..=3 {
            send(&mut sender, number);
            assert_eq!(seed(receiver.see("next 600000")), Some(number), "{short}");
        }
        assert_eq!(receiver.ask("number"), "3 0");
        let data = format!("TouchSHM{short}");
        let info = format!("TouchSHM{data}4jhd783h");
        for object in [format!("{data}Mutex"), format!("{info}Mutex"), info, data] {
            if object.len() > 31 {
                expected.insert(object);
            } else {
                assert!(scene.macos_path(&object).exists(), "{object}");
            }
        }
        sender.ask("detach");
        assert_eq!(receiver.ask("next 0"), "none Left");
    }
    let entries = entries(&scene);
    let names: BTreeSet<String> = entries.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!((names, entries.len()), (expected.clone(), expected.len()));
    for (number, (name, token)) in entries.iter().enumerate() {
        assert_eq!(*token, format!("TD44e33-{number}"));
        // Locks stay, segments went with their sender.
        assert_eq!(scene.macos_path(token).exists(), name.ends_with("Mutex"), "{name}");
    }
}

/// What the tests do on a Mac in the vendor's place.
#[test]
fn frames_go_both_ways_between_ours_and_a_program_by_hand() {
    let scene = Scene::new("macos: by hand");
    let hand = scene.macos_by_hand();
    let block = |seed| Block::new(2, &frames::flat(seed, 2, 5), 60.0, Some(&["cha1", "cha2"]));
    for short in ["ab", "camera-8", "a-name-that-is-itself-longer-than-what-macos-takes"] {
        let names = Names::of(short);
        // It sends, with locks of its own.
        let [_, lock] = [&names.info_lock, &names.data_lock].map(|name| hand.make_lock(name));
        let info = hand.create(&names.info, 4096);
        info.write(0, &info_block("", 0));
        let data = hand.create(&names.data, 4096);
        let mut receiver = scene.macos_peer();
        receiver.ask(&format!("receiver {short} 600000"));
        for number in 1..4 {
            lock.lock();
            data.write(36, &block(number).samples.iter().flat_map(|s| s.to_le_bytes()).collect::<Vec<_>>());
            data.write(0, &block(number).header());
            data.write(block(number).name_data_offset as usize, b"cha1\0cha2\0");
            lock.unlock();
            assert_eq!(seed(receiver.see("read")), Some(number), "{short}");
        }
        assert_eq!(info.read(8, 1), [1], "{short}: it said that it understands resizing");
        // Whoever holds the lock is waited for.
        lock.lock();
        receiver.begin("view");
        receiver.go_on();
        assert!(receiver.try_answer().is_none());
        lock.unlock();
        assert_eq!(Seen::parse(&receiver.answer().unwrap()).unwrap().seed, Some(3));
        info.write(DETACH_AT, &[1]);
        hand.unlink(&names.info);
        hand.unlink(&names.data);
        assert_eq!(receiver.ask("next 0"), "none Left", "{short}");
        receiver.quit();

        // And it receives.
        let mut sender = scene.macos_peer();
        sender.ask(&format!("sender {short} 4096"));
        send(&mut sender, 7);
        let [info, data] = [&names.info, &names.data].map(|name| hand.open(name).unwrap());
        assert_eq!(info.read(0, info_block("", 0).len()), info_block("", 0), "{short}");
        let found = parse(&data.read(0, data.len())).unwrap();
        let sent = frames::flat(7, 2, 50);
        assert_eq!(found.samples, sent.iter().flat_map(|s| s.to_le_bytes()).collect::<Vec<_>>());
        // All but the directory, which belongs to all.
        let all = [names.data, names.data_lock, names.info, names.info_lock];
        let mut there = hand.names_with(short);
        there.retain(|name| all.contains(name));
        assert_eq!(there.len(), 4, "{there:?}");
        sender.ask("detach");
        assert!(hand.open(&all[0]).is_none() && hand.open(&all[2]).is_none(), "{short}");
    }
}

#[test]
fn a_receiver_alone_makes_nothing() {
    let scene = Scene::new("macos: receiver alone");
    let mut receiver = scene.macos_peer();
    receiver.ask("receiver a-name-of-some-length");
    assert_eq!(receiver.ask("read"), "none NotYet");
    assert_eq!(receiver.ask("next 30"), "none NotYet");
    assert_eq!(scene.objects(), [""; 0]);
}

#[test]
fn an_observer_follows_and_leaves_no_trace() {
    let scene = Scene::new("macos: observer");
    let (mut sender, mut observer) = (scene.macos_peer(), scene.macos_peer());
    observer.ask("observer camera-9");
    assert_eq!(observer.ask("read"), "none NotYet");
    sender.ask("sender camera-9 4096");
    for number in 1..=3 {
        send(&mut sender, number);
        assert_eq!(seed(observer.see("next 600000")), Some(number));
    }
    let info = entries(&scene).into_iter().find(|(name, _)| name.ends_with("4jhd783h")).unwrap().1;
    let block = std::fs::read(scene.macos_path(&info)).unwrap();
    assert_eq!((block[8], &block[384..384 + 16 * 64]), (0, &[0; 16 * 64][..]), "neither said nor registered");
}

#[test]
fn a_living_sender_is_not_robbed_and_a_dead_one_is_replaced() {
    let scene = Scene::new("macos: take-over");
    let (mut first, mut receiver) = (scene.macos_peer(), scene.macos_peer());
    first.ask("sender cam 4096");
    receiver.ask("receiver cam");
    send(&mut first, 1);
    assert_eq!(seed(receiver.see("next 600000")), Some(1));
    let mut second = scene.macos_peer();
    let refusal = second.try_ask("sender cam 4096").unwrap_err();
    assert_eq!(refusal.code, 3);
    assert!(refusal.text.contains(&format!("process {} sends it", first.pid())), "{}", refusal.text);
    for number in 2..6 {
        first.kill();
        second.ask("sender cam 4096");
        send(&mut second, number);
        assert_eq!(seed(receiver.see("next 600000")), Some(number));
        first = second;
        second = scene.macos_peer();
    }
    first.ask("detach");
    second.ask("sender cam 4096");
    send(&mut second, 9);
    assert_eq!(seed(receiver.see(&format!("wait {}", 9))), Some(9));
}

#[test]
fn a_segment_that_moves_keeps_its_receivers_and_few_entries() {
    let scene = Scene::new("macos: resize");
    let (mut sender, mut receiver) = (scene.macos_peer(), scene.macos_peer());
    receiver.ask("receiver cam");
    sender.begin("move-many cam 400 7");
    let mut follower = scene.macos_peer();
    follower.begin("follow-ours cam 400");
    sender.answer().unwrap();
    let received: u32 = follower.answer().unwrap().parse().unwrap();
    assert!(received > 0);
    let moved = entries(&scene).iter().filter(|(name, _)| name.len() == "TouchSHMcam".len() + 31).count();
    assert!(moved <= 3, "{moved} entries for one segment that moved some hundred times");
}

#[test]
fn a_killed_holder_of_the_lock_is_no_obstacle() {
    let scene = Scene::new("macos: killed holders");
    let (mut sender, mut receiver) = (scene.macos_peer(), scene.macos_peer());
    sender.ask("sender cam 65536");
    receiver.ask("receiver cam");
    send(&mut sender, 1);
    assert_eq!(seed(receiver.see("next 600000")), Some(1));
    // A reader that is killed in the middle of a read.
    let mut reader = scene.macos_peer();
    reader.ask("receiver cam");
    assert!(reader.see("hold-view").is_some());
    reader.kill();
    assert_eq!(send(&mut sender, 2), "abandoned");
    assert_eq!(seed(receiver.see("next 600000")), Some(2));
    // A sender that is killed in the middle of a write.
    sender.ask("hold-send 2 50 60 3");
    sender.kill();
    assert_eq!(seed(receiver.see("next 300")), None, "half a frame is none");
    let mut heir = scene.macos_peer();
    heir.ask("sender cam 65536");
    send(&mut heir, 4); // that the lock was abandoned may have been told to the receiver
    assert_eq!(seed(receiver.see("wait 4")), Some(4));
}

#[test]
fn segments_are_found_and_swept() {
    let scene = Scene::new("macos: list and clean");
    let mut looker = scene.macos_peer();
    assert_eq!(looker.ask("list"), "");
    let mut senders: Vec<Peer> = NAMES
        .iter()
        .map(|short| {
            let mut sender = scene.macos_peer();
            sender.ask(&format!("sender {short} 4096"));
            send(&mut sender, 1);
            sender
        })
        .collect();
    let mut found: Vec<&str> = NAMES.iter().copied().filter(|short| short.len() > 2).collect();
    found.sort_unstable();
    assert_eq!(looker.ask("list"), found.join(" "), "a short name of two bytes cannot be found");
    for (short, sender) in NAMES.iter().zip(&mut senders) {
        assert_eq!(looker.ask(&format!("clean {short}")), "0", "it lives");
        sender.kill();
        assert_eq!(looker.ask(&format!("clean-dry {short}")), if short.len() > 2 { "2" } else { "1" });
        looker.ask(&format!("clean {short}"));
    }
    assert_eq!(looker.ask("list"), "");
    for object in scene.objects() {
        assert!(!object.ends_with("4jhd783h"), "{object}");
    }
}

/// A program that writes there without a look at who owns it, as the vendor's do on macOS.
#[test]
fn a_robbed_sender_is_noticed_by_its_receivers() {
    let scene = Scene::new("macos: robbed");
    let (mut sender, mut receiver) = (scene.macos_peer(), scene.macos_peer());
    sender.ask("sender cam 4096");
    send(&mut sender, 1);
    receiver.ask("receiver cam");
    assert_eq!(seed(receiver.see("next 600000")), Some(1));
    assert_eq!(receiver.ask("number"), "1 0");
    // Nothing new for longer than it takes to doubt: nothing is made of it.
    assert_eq!(receiver.ask("next 1200"), "none Yes");
    let data = std::fs::OpenOptions::new().write(true).open(scene.macos_path("TouchSHMcam")).unwrap();
    for number in [5_u32, 6] {
        let bytes = tdshm_tests::acts::block_bytes(number, 2, 50, true);
        data.write_all_at(&bytes, 0).unwrap();
        assert_eq!(seed(receiver.see("next 600000")), Some(number));
        assert_eq!(receiver.ask("number"), "unknown", "nobody counts any more");
    }
}

/// Another program's objects, laid out by hand from wire §3, §7 and §8, without a line of ours.
struct Foreign<'s> {
    scene: &'s Scene,
    entries: Vec<u8>,
}

impl<'s> Foreign<'s> {
    fn new(scene: &'s Scene) -> Self {
        Self { scene, entries: Vec::new() }
    }

    /// The path of the object of that name, which gets an entry where it is long.
    fn path(&mut self, name: &str) -> std::path::PathBuf {
        if name.len() <= 31 {
            return self.scene.macos_path(name);
        }
        let number = self.entries.iter().filter(|byte| **byte == 0).count() / 2;
        self.entries.extend(format!("{name}\0TD44e33-{number}\0").bytes());
        let mut bytes = Vec::new();
        for number in [16384 - 24, self.entries.len() as u64, 1] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(&self.entries);
        bytes.resize(16384, 0);
        std::fs::write(self.scene.macos_path("TD1zzSharedNameDirectory"), bytes).unwrap();
        self.scene.macos_path(&format!("TD44e33-{number}"))
    }

    fn info(postfix: &[u8], detach: u8) -> Vec<u8> {
        let mut info = vec![0xba, 0x34, 0xed, 0x56, 2, 0, 0, 0, 0];
        info.extend(postfix);
        info.resize(41, 0);
        info.push(detach);
        info.resize(4096, 0);
        info
    }

    /// Writes over an object that is there.
    fn put(path: &std::path::Path, bytes: &[u8]) {
        std::fs::OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, 0).unwrap();
    }
}

fn frame(number: u32) -> Vec<u8> {
    let mut bytes = tdshm_tests::acts::block_bytes(number, 2, 50, true);
    bytes.resize(4096, 0);
    bytes
}

/// A sender of the vendor's kind: it made the names known, and its receivers make the locks that are missing.
#[test]
fn a_foreign_sender_is_followed() {
    let scene = Scene::new("macos: foreign sender");
    let mut receiver = scene.macos_peer();
    receiver.ask("receiver camera-9 600000");
    // The lock of the directory: a mutex cannot be written by hand.
    let mut helper = scene.macos_peer();
    helper.ask("lock TD1zzSharedNameLock 0");
    helper.ask("unlock");
    let mut foreign = Foreign::new(&scene);
    let (data, info) = ("TouchSHMcamera-9", "TouchSHMTouchSHMcamera-94jhd783h");
    assert!(data.len() <= 31 && info.len() > 31);
    let info_path = foreign.path(info);
    std::fs::write(&info_path, Foreign::info(b"", 0)).unwrap();
    std::fs::write(foreign.path(data), frame(1)).unwrap();
    assert_eq!(receiver.ask("next 30"), "none NotYet", "its lock's name is not known yet");
    foreign.path(&format!("{info}Mutex"));
    assert_eq!(seed(receiver.see("next 600000")), Some(1));
    assert_eq!(std::fs::read(&info_path).unwrap()[8], 1, "told that this receiver understands resizing");
    assert_eq!(receiver.ask("number"), "unknown");
    Foreign::put(&foreign.path(data), &frame(2));
    assert_eq!(seed(receiver.see("next 600000")), Some(2));

    let moved = foreign.path(&format!("{data}{}", "q".repeat(31)));
    std::fs::write(&moved, frame(3)).unwrap();
    Foreign::put(&info_path, &Foreign::info("q".repeat(31).as_bytes(), 0)[..42]);
    assert_eq!(seed(receiver.see("next 600000")), Some(3));
    Foreign::put(&info_path, &Foreign::info("q".repeat(31).as_bytes(), 1)[..42]);
    assert_eq!(receiver.ask("next 30"), "none Left");

    // A sender of ours comes to what it left: nobody owns that.
    let mut sender = scene.macos_peer();
    sender.ask("sender camera-9 4096");
    send(&mut sender, 4);
    assert_eq!(seed(receiver.see("wait 4")), Some(4));
}

/// A receiver of the vendor's kind: it looks names up, says that it understands resizing, and reads where it is told.
#[test]
fn a_foreign_receiver_finds_everything() {
    let scene = Scene::new("macos: foreign receiver");
    let mut sender = scene.macos_peer();
    sender.ask("sender camera-9 4096");
    send(&mut sender, 1);
    let find = |name: &str| {
        let token = entries(&scene).into_iter().find(|(entry, _)| entry == name).map(|(_, token)| token);
        scene.macos_path(&token.unwrap_or_else(|| name.to_owned()))
    };
    let info = find("TouchSHMTouchSHMcamera-94jhd783h");
    let block = std::fs::read(&info).unwrap();
    assert_eq!(block[..44], Foreign::info(b"", 0)[..44]);
    let data = std::fs::read(find("TouchSHMcamera-9")).unwrap();
    assert!(data.starts_with(&0x12ED_54CF_u32.to_le_bytes()));
    std::fs::OpenOptions::new().write(true).open(&info).unwrap().write_all_at(&[1], 8).unwrap();
    sender.ask("send 2 50000 60 2 names");
    let block = std::fs::read(&info).unwrap();
    let postfix = String::from_utf8(block[9..40].to_vec()).unwrap();
    assert!(postfix.bytes().all(|letter| letter.is_ascii_lowercase()) && block[40..42] == [0, 0]);
    let moved = std::fs::read(find(&format!("TouchSHMcamera-9{postfix}"))).unwrap();
    assert_eq!(moved[16..20], 50_000_u32.to_le_bytes(), "the length of the frame");
    assert!(!scene.macos_path("TouchSHMcamera-9").exists());
    for lock in ["TouchSHMcamera-9Mutex", "TouchSHMTouchSHMcamera-94jhd783hMutex"] {
        assert_eq!(std::fs::metadata(find(lock)).unwrap().len(), 4096, "{lock}");
    }
    sender.ask("detach");
    assert!(!info.exists());
}

/// Steps that a sender comes by that makes a name known, takes its locks, writes and moves, and up to which time it dies
/// there. In those where it has the inner mutex the lock is lost (the last column): nobody hangs, the error is one of
/// its own, and because that takes the whole time limit two times are tried, the directory's lock and the segment's.
const STEPS: &[(&str, u32, bool)] = &[
    ("mac lock: created", 4, false),
    ("mac lock: sized", 4, false),
    ("mac lock: claimed", 3, false),
    ("mac lock: condition", 3, false),
    ("mac lock: taken", 6, false),
    ("mac lock: inner", 8, true),
    ("mac lock: recorded", 8, true),
    ("mac unlock: record cleared", 8, true),
    ("mac unlock: flag cleared", 8, true),
    ("mac lock: found dead", 1, false),
    ("mac object: created", 4, false),
    ("mac object: sized", 4, false),
    ("mac directory: entry", 3, false),
    ("mac directory: copied back", 1, false),
    ("mac directory: unlinked", 1, false),
    ("mac directory: made", 1, false),
];

#[test]
fn every_step_of_the_sources_is_in_the_matrix() {
    let mut steps = BTreeSet::new();
    let mut folders = vec![concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/tdshm/src").into()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir::<std::path::PathBuf>(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            let found = text.split("step!(\"mac ").skip(1);
            steps.extend(found.map(|rest| format!("mac {}", rest.split('"').next().unwrap())));
        }
    }
    assert_eq!(STEPS.iter().map(|(step, ..)| (*step).to_owned()).collect::<BTreeSet<_>>(), steps);
}

/// A directory of a foreign program that is nearly full, so that the next name makes it grow.
fn fill_directory(scene: &Scene) {
    let mut used = Vec::new();
    let mut number = 0;
    while used.len() < 4072 - 60 {
        used.extend(format!("a-name-that-somebody-else-used-long-ago-{number}\0TD44e33-{number}\0").bytes());
        number += 1;
    }
    let mut bytes = Vec::new();
    for number in [4072, used.len() as u64, 1] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(&used);
    bytes.resize(4096, 0);
    std::fs::write(scene.macos_path("TD1zzSharedNameDirectory"), bytes).unwrap();
}

fn die_at(step: &str, time: u32, stuck: bool) {
    let scene = Scene::new("macos: die at a step");
    scene.doing(&format!("{step}:{time}"));
    let short = "a-name-of-some-length";
    if step.starts_with("mac directory") && !step.ends_with("entry") {
        fill_directory(&scene);
    }
    if step == "mac lock: found dead" {
        let mut holder = scene.macos_peer();
        holder.ask(&format!("sender {short} 4096"));
        holder.ask("hold-send 2 50 60 1");
        holder.kill();
    }
    let mut dying = scene.dying_macos_peer(&format!("{step}:{time}"));
    let died = [
        format!("sender {short} 4096"),
        "send 2 50 60 1 names".to_owned(),
        "send 2 5000 60 2 names".to_owned(),
        "send 2 50000 60 3 names".to_owned(),
        "detach".to_owned(),
    ]
    .iter()
    .any(|command| dying.ask_dying(command).is_none());
    assert!(died, "{step}:{time} was not reached");

    let mut sender = scene.macos_peer();
    let came = sender.try_ask(&format!("sender {short} 4096"));
    if stuck && let Err(refusal) = &came {
        assert!(
            refusal.text.contains("was held throughout") || refusal.text.contains("killed in the instant"),
            "{step}:{time}: {}",
            refusal.text
        );
        return;
    }
    came.unwrap_or_else(|refusal| panic!("{step}:{time}: {}", refusal.text));
    match sender.try_ask("send 2 50 60 7 names") {
        Ok(_) => {}
        Err(refusal) if stuck => {
            assert!(refusal.text.contains("was held throughout"), "{step}:{time}: {}", refusal.text);
            return;
        }
        Err(refusal) => panic!("{step}:{time}: {}", refusal.text),
    }
    let mut receiver = scene.macos_peer();
    receiver.ask(&format!("receiver {short}"));
    assert_eq!(seed(receiver.see("wait 7")), Some(7), "{step}:{time}");
    sender.ask("detach");
    sender.ask(&format!("sender {short} 4096"));
    send(&mut sender, 8);
    assert_eq!(seed(receiver.see("wait 8")), Some(8), "{step}:{time}");
}

macro_rules! die_at_every_step {
    ($($name:ident $step:literal)*) => {
        $(
            #[test]
            fn $name() {
                let (step, times, stuck) = STEPS.iter().find(|(step, ..)| *step == $step).unwrap();
                for time in 1..=*times {
                    if !stuck || time == 1 || time == *times {
                        die_at(step, time, *stuck);
                    }
                }
            }
        )*

        #[test]
        fn every_step_is_tried() {
            let tried = BTreeSet::from([$($step),*]);
            assert_eq!(tried, STEPS.iter().map(|(step, ..)| *step).collect());
        }
    };
}

die_at_every_step! {
    died_when_a_lock_was_created "mac lock: created"
    died_when_a_lock_was_sized "mac lock: sized"
    died_when_a_lock_was_claimed "mac lock: claimed"
    died_when_a_condition_was_made "mac lock: condition"
    died_with_a_lock_taken "mac lock: taken"
    died_with_the_inner_mutex "mac lock: inner"
    died_with_the_record_written "mac lock: recorded"
    died_with_the_record_cleared "mac unlock: record cleared"
    died_with_the_flag_cleared "mac unlock: flag cleared"
    died_when_a_holder_was_found_dead "mac lock: found dead"
    died_when_an_object_was_created "mac object: created"
    died_when_an_object_was_sized "mac object: sized"
    died_with_half_an_entry "mac directory: entry"
    died_when_the_names_were_copied_back "mac directory: copied back"
    died_when_the_directory_was_unlinked "mac directory: unlinked"
    died_when_the_directory_was_made_anew "mac directory: made"
}
