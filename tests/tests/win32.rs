//! Windows, byte for byte: against a program in C that knows Win32 and the protocol's tables and nothing of ours
//! (wire §1 to §6, §8). It plays the foreign sender and the foreign receiver; see `foreign/windows_peer.c`.
#![cfg(windows)]

use std::time::Duration;

use tdshm::{Attached, ChopReceiver, ChopSender, ErrorState};
use tdshm_tests::{Peer, Scene, Seen, frames, golden};

/// Far longer than the watchdog's: nobody may have to wait for a time limit.
const EVER: Duration = Duration::from_secs(600);
/// All there is of a name while a sender lives.
const ALL: &str = "data data-lock info info-lock";
/// The system's numbers, as the foreign program gives them.
const ALREADY_EXISTS: i32 = 183;

fn foreign(scene: &Scene) -> Peer {
    scene.foreign("windows_peer", &[])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A frame that the foreign receiver has to see.
fn seen(foreign: &mut Peer) -> Seen {
    let line = foreign.ask("read");
    Seen::parse(&line).unwrap_or_else(|| panic!("it saw no frame: {line}"))
}

fn read(input: &mut ChopReceiver) -> Option<Seen> {
    input.read().unwrap().map(Seen::of)
}

fn send(out: &mut ChopSender, seed: u32, count: usize, length: usize) -> bool {
    out.set_channels(frames::names(seed, count)).unwrap();
    out.send_flat(&frames::flat(seed, count, length), length).unwrap().abandoned
}

/// Short names: of this test alone, in ASCII, beyond it, and beyond the Basic Multilingual Plane.
fn names(scene: &Scene) -> [String; 3] {
    ["", "höhe高", "🎬𝄞"].map(|more| format!("{}{more}", scene.name()))
}

#[test]
fn all_four_objects_bear_the_names_of_the_table() {
    let scene = Scene::new("win32: names");
    let mut other = foreign(&scene);
    for name in names(&scene) {
        assert_eq!(other.ask(&format!("objects {name}")), "");
        let mut out = ChopSender::create(&name).unwrap();
        assert_eq!(other.ask(&format!("objects {name}")), ALL, "{name}");
        send(&mut out, 1, 2, 3);
        other.ask(&format!("open {name}"));
        assert_eq!((seen(&mut other).seed, seen(&mut other).names), (Some(1), frames::names(1, 2)));
        other.ask("close");
        out.detach().unwrap();
        assert_eq!(other.ask(&format!("objects {name}")), "", "{name}: nothing stays");
    }
}

#[test]
fn the_objects_of_a_foreign_sender_are_found() {
    let scene = Scene::new("win32: found");
    for name in names(&scene) {
        let mut other = foreign(&scene);
        let mut input = ChopReceiver::open(&name).unwrap();
        assert_eq!(read(&mut input), None);
        other.ask(&format!("create {name} 4096"));
        other.ask("send 2 3 60 7 names");
        let frame = read(&mut input).unwrap();
        assert_eq!((frame.seed, frame.names), (Some(7), frames::names(7, 2)), "{name}");
    }
}

#[test]
fn our_info_blocks_are_those_of_the_table() {
    let scene = Scene::new("win32: info written");
    let name = scene.name();
    let (mut watcher, mut receiver) = (foreign(&scene), foreign(&scene));
    let mut out = ChopSender::create(name).unwrap();
    send(&mut out, 1, 2, 3);
    watcher.ask(&format!("look {name}"));
    assert_eq!(watcher.ask("dump info 76"), hex(&golden::bytes("3w-fresh")));
    let front = watcher.ask("dump info 256");
    assert!(front[2 * 76..].bytes().all(|digit| digit == b'0'), "nothing up to the extension: {front}");
    assert!(watcher.ask("dump info 264").ends_with(&hex(b"TDSHMEX1")));
    read(&mut ChopReceiver::open(name).unwrap()).unwrap();
    assert_eq!(watcher.ask("dump info 76"), hex(&golden::bytes("3w-fresh")), "ours has an entry instead");
    receiver.ask(&format!("open {name}"));
    seen(&mut receiver);
    assert_eq!(watcher.ask("dump info 76"), hex(&golden::bytes("3w-supported")));
    out.detach().unwrap();
    assert_eq!(watcher.ask("dump info 76"), hex(&golden::bytes("3w-detached")));
}

#[test]
fn our_channel_block_is_that_of_the_public_example() {
    let scene = Scene::new("win32: block written");
    let bytes = golden::bytes("8-public-example");
    let mut out = ChopSender::builder(scene.name()).channels(["cha1", "cha2"]).create().unwrap();
    out.send(&[[1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0]]).unwrap();
    let mut watcher = foreign(&scene);
    watcher.ask(&format!("look {}", scene.name()));
    assert_eq!(watcher.ask(&format!("dump data {}", bytes.len())), hex(&bytes));
    let size: usize = watcher.ask("size data").parse().unwrap();
    assert!(size >= bytes.len() && size.is_multiple_of(4096), "{size}");
}

/// The foreign program's own bytes first: it is only worth something where it agrees with the table.
#[test]
fn foreign_info_blocks_are_understood() {
    let scene = Scene::new("win32: info read");
    let name = scene.name();
    let mut other = foreign(&scene);
    other.ask(&format!("create {name} 86"));
    assert_eq!(other.ask("dump info 76"), hex(&golden::bytes("3w-fresh")));
    other.ask(&format!("put {}", hex(&golden::bytes("8-public-example"))));
    let mut input = ChopReceiver::open(name).unwrap();
    assert_eq!(read(&mut input).unwrap().names, ["cha1", "cha2"]);
    assert_eq!(other.ask("dump info 76"), hex(&golden::bytes("3w-supported")));

    assert_eq!(other.ask("resize 40000 abcdefghijklmnopqrstuvwxyzabcde"), "abcdefghijklmnopqrstuvwxyzabcde");
    assert_eq!(other.ask("dump info 76"), hex(&golden::bytes("3w-postfix")));
    other.ask("send 3 500 30 9 names");
    let frame = read(&mut input).unwrap();
    assert_eq!((frame.seed, frame.length, frame.rate), (Some(9), 500, 30.0));

    other.ask("detach");
    assert_eq!(read(&mut input), None);
    assert_eq!((input.attached(), input.state()), (Attached::Left, ErrorState::InfoDoesNotExist));
}

#[test]
fn each_golden_block_of_a_foreign_sender_is_read() {
    for case in golden::cases("8") {
        let bytes = golden::bytes(&case);
        let scene = Scene::new("win32: blocks read");
        let mut other = foreign(&scene);
        other.ask(&format!("create {} {}", scene.name(), bytes.len()));
        other.ask(&format!("put {}", hex(&bytes)));
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        let frame = input.read().unwrap().unwrap_or_else(|| panic!("{case}: no frame"));
        let at = |offset: usize| u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap()) as usize;
        assert_eq!((frame.num_channels(), frame.len_samples()), (at(12), at(16)), "{case}");
        let samples = &bytes[at(28)..at(28) + 4 * at(12) * at(16)];
        let found: Vec<u8> = frame.samples().iter().flat_map(|sample| sample.to_le_bytes()).collect();
        assert_eq!(found, samples, "{case}");
    }
}

/// The builds up to 2018: ANSI calls and the narrow block.
#[test]
fn a_sender_of_2018_is_read_and_followed() {
    let scene = Scene::new("win32: narrow");
    let name = scene.name();
    let mut other = scene.foreign("windows_peer", &["--narrow"]);
    other.ask(&format!("create {name} 4096"));
    assert_eq!(other.ask("dump info 44"), hex(&golden::bytes("3-fresh")));
    other.ask("send 2 3 60 1 names");
    let mut input = ChopReceiver::open(name).unwrap();
    assert_eq!(read(&mut input).unwrap().seed, Some(1));
    assert_eq!(other.ask("dump info 44"), hex(&golden::bytes("3-supported")));
    assert_eq!(other.ask("resize 40000 abcdefghijklmnopqrstuvwxyzabcde").len(), 31);
    assert_eq!(other.ask("dump info 44"), hex(&golden::bytes("3-postfix")));
    other.ask("send 4 1000 60 2 nonames");
    assert_eq!(read(&mut input).unwrap().seed, Some(2));
    assert_eq!(other.ask("resize 100").len(), 31, "and again, with letters of its own");
    other.ask("send 1 2 60 3 nonames");
    assert_eq!(read(&mut input).unwrap().seed, Some(3));
    other.ask("detach");
    assert_eq!(read(&mut input), None);
    assert_eq!(input.state(), ErrorState::InfoDoesNotExist);
}

#[test]
fn our_sender_grows_under_a_foreign_receiver() {
    let scene = Scene::new("win32: ours grows");
    let name = scene.name();
    let mut other = foreign(&scene);
    let mut out = ChopSender::builder(name).room_bytes(100).room_ceiling(0).create().unwrap();
    other.ask(&format!("open {name}"));
    for seed in 1..=40 {
        let length = 1 + (seed as usize * 7919) % 30_000;
        send(&mut out, seed, 3, length);
        let frame = seen(&mut other);
        assert_eq!((frame.seed, frame.length), (Some(seed), length));
        assert_eq!(frame.names, frames::names(seed, 3));
    }
    assert!(other.ask("dump info 76")[16..18] == *"01", "supported stays");
    assert_ne!(other.ask("dump info 76")[20..24], *"0000", "it moved at least once");
}

/// Nobody said that he understands, so the reference keeps the name: whoever holds the old segment stops it.
#[test]
fn a_foreign_sender_that_nobody_reads_keeps_its_name() {
    let scene = Scene::new("win32: same name");
    let name = scene.name();
    let mut other = foreign(&scene);
    other.ask(&format!("create {name} 4096"));
    assert_eq!(other.ask("resize 40000"), "");
    other.ask("send 3 1000 60 1 names");
    let mut input = ChopReceiver::open(name).unwrap();
    assert_eq!(read(&mut input).unwrap().seed, Some(1));
    assert_eq!(other.ask("resize 80000").len(), 31, "our receiver has said so");
}

/// A writer of ours that moves all the time, and a foreign reader that takes the locks: never half a frame.
#[test]
fn under_load_every_frame_is_whole() {
    let scene = Scene::new("win32: under load");
    let name = scene.name();
    let (mut sender, mut other) = (scene.peer(), foreign(&scene));
    other.ask(&format!("open {name}"));
    sender.begin(&format!("move-many {name} 150 5"));
    let mut last = 0;
    scene.until("the last frame", || {
        let line = other.ask("read");
        let Some(frame) = Seen::parse(&line) else {
            assert!(line.starts_with("none info does not exist") || line == "none no block", "{line}");
            return false;
        };
        let seed = frame.seed.unwrap_or_else(|| panic!("torn after {last}"));
        assert!(seed >= last, "{seed} after {last}");
        assert_eq!(frame.rate, 1.0 + seed as f32, "the rate of another frame");
        last = seed;
        last == 150
    });
    sender.answer().unwrap();
}

#[test]
fn who_leaves_is_noticed_and_whoever_comes_next_is_found() {
    let scene = Scene::new("win32: turns");
    let name = scene.name();
    let (mut sender, mut receiver) = (foreign(&scene), foreign(&scene));
    receiver.ask(&format!("open {name}"));
    let mut input = ChopReceiver::open(name).unwrap();
    for round in 1..=5 {
        let mut out = ChopSender::create(name).unwrap();
        send(&mut out, round, 2, 5);
        assert_eq!(seen(&mut receiver).seed, Some(round));
        assert_eq!(read(&mut input).unwrap().seed, Some(round));
        out.detach().unwrap();
        assert_eq!(receiver.ask("read"), "none info does not exist");
        assert_eq!(read(&mut input), None);

        sender.ask(&format!("create {name} 4096"));
        sender.ask(&format!("send 2 5 60 {} names", 100 + round));
        assert_eq!(seen(&mut receiver).seed, Some(100 + round));
        assert_eq!(read(&mut input).unwrap().seed, Some(100 + round));
        sender.ask("detach");
        assert_eq!(receiver.ask("read"), "none info does not exist");
        assert_eq!(read(&mut input), None);
    }
}

#[test]
fn a_sender_of_ours_that_dies_is_replaced_under_a_foreign_receiver() {
    let scene = Scene::new("win32: ours restarts");
    let name = scene.name();
    let mut other = foreign(&scene);
    other.ask(&format!("open {name}"));
    for round in 1..=5 {
        let mut sender = scene.peer();
        sender.ask(&format!("sender {name} 4096"));
        sender.ask(&format!("send 2 5 60 {round} names"));
        assert_eq!(seen(&mut other).seed, Some(round), "the foreign receiver hops over");
        sender.ask(&format!("send 3 {} 60 {} names", 1000 * round, 100 + round));
        assert_eq!(seen(&mut other).seed, Some(100 + round), "also where it has grown");
        sender.kill();
        assert_eq!(seen(&mut other).seed, Some(100 + round), "the last frame stays");
    }
}

/// Whoever holds the old segments keeps their names alive: the next sender has a data segment of its own all the same, and
/// shows nothing of the old one in it.
#[test]
fn a_sender_that_comes_back_shows_no_old_frame() {
    let scene = Scene::new("win32: comes back");
    let name = scene.name();
    let (mut holder, mut late) = (foreign(&scene), foreign(&scene));
    let mut out = ChopSender::create(name).unwrap();
    send(&mut out, 1, 2, 3);
    holder.ask(&format!("open {name}"));
    assert_eq!(seen(&mut holder).seed, Some(1));
    let mut input = ChopReceiver::open(name).unwrap();
    assert_eq!(read(&mut input).unwrap().seed, Some(1));
    for (seed, dies) in [(2, false), (3, true)] {
        out.detach().unwrap();
        if dies {
            let mut heir = scene.peer();
            heir.ask(&format!("sender {name} 4096"));
            heir.ask("send 2 3 60 9 names");
            heir.kill();
        }
        out = ChopSender::create(name).unwrap();
        late.ask(&format!("open {name}"));
        for foreign in [&mut holder, &mut late] {
            let line = foreign.ask("read");
            assert!(line.starts_with("none "), "{line}");
        }
        assert_eq!(read(&mut ChopReceiver::open(name).unwrap()), None);
        send(&mut out, seed, 2, 3);
        assert_eq!((seen(&mut holder).seed, seen(&mut late).seed), (Some(seed), Some(seed)));
        assert_eq!(read(&mut input).unwrap().seed, Some(seed));
        late.ask("close");
    }
}

/// While a foreign sender lives, nobody can tell whether it does: refused, unless somebody insists.
#[test]
fn a_foreign_sender_is_robbed_on_request_alone() {
    let scene = Scene::new("win32: take-over");
    let name = scene.name();
    let (mut sender, mut receiver) = (foreign(&scene), foreign(&scene));
    sender.ask(&format!("create {name} 4096"));
    sender.ask("send 2 5 60 1 names");
    receiver.ask(&format!("open {name}"));
    assert_eq!(seen(&mut receiver).seed, Some(1));
    let refused = ChopSender::create(name).unwrap_err();
    assert_eq!(refused.code(), 3, "{refused}");
    assert!(refused.to_string().contains("take_over"), "{refused}");
    let mut out = ChopSender::builder(name).take_over(true).create().unwrap();
    send(&mut out, 2, 3, 4);
    assert_eq!(seen(&mut receiver).seed, Some(2), "the foreign receiver hops over");
    // And the other way round: a foreign sender is refused while ours lives.
    let other = foreign(&scene).try_ask(&format!("create {name} 4096")).unwrap_err();
    assert_eq!(other.code, ALREADY_EXISTS, "{}", other.text);
}

#[test]
fn whoever_dies_with_a_lock_leaves_it_to_the_next_who_is_told() {
    let scene = Scene::new("win32: dies with a lock");
    let name = scene.name();
    let mut out = ChopSender::create(name).unwrap();
    send(&mut out, 1, 2, 5);
    // A foreign receiver with the data lock: our sender.
    let mut other = foreign(&scene);
    other.ask(&format!("open {name}"));
    seen(&mut other);
    assert_eq!(other.ask("lock data 5000"), "clean");
    other.die("die");
    assert!(send(&mut out, 2, 2, 5), "it is told");
    assert!(!send(&mut out, 3, 2, 5), "once");
    // And with the info lock: our next receiver attaches all the same, and our sender leaves.
    let mut other = foreign(&scene);
    other.ask(&format!("open {name}"));
    seen(&mut other);
    assert_eq!(other.ask("lock info 5000"), "clean");
    other.die("die");
    assert_eq!(read(&mut ChopReceiver::open(name).unwrap()).unwrap().seed, Some(3));
    out.detach().unwrap();
}

#[test]
fn a_reader_of_a_foreign_sender_is_told_that_its_lock_was_abandoned() {
    let scene = Scene::new("win32: abandoned under a reader");
    let name = scene.name();
    let (mut sender, mut other) = (foreign(&scene), foreign(&scene));
    sender.ask(&format!("create {name} 4096"));
    sender.ask("send 2 5 60 1 names");
    let mut input = ChopReceiver::open(name).unwrap();
    assert!(!read(&mut input).unwrap().abandoned);
    other.ask(&format!("open {name}"));
    other.ask("lock data 5000");
    other.die("die");
    let frame = read(&mut input).unwrap();
    assert_eq!((frame.seed, frame.abandoned), (Some(1), true));
    assert!(!read(&mut input).unwrap().abandoned);
}

#[test]
fn a_sender_of_ours_that_dies_in_the_middle_stalls_nobody() {
    let scene = Scene::new("win32: ours dies with the lock");
    let name = scene.name();
    let (mut sender, mut other) = (scene.peer(), foreign(&scene));
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 2 5 60 1 names");
    other.ask(&format!("open {name}"));
    seen(&mut other);
    sender.ask("hold-send 2 5 60 2");
    sender.kill();
    assert_eq!(other.ask("lock data 5000"), "abandoned");
    other.ask("unlock data");
    let mut out = ChopSender::create(name).unwrap();
    send(&mut out, 3, 2, 5);
    assert_eq!(seen(&mut other).seed, Some(3));
}

/// Section 6: handles of ours on a crashed foreign sender's segments would have its name refused to its successor.
#[test]
fn a_crashed_foreign_sender_gets_its_name_back() {
    let scene = Scene::new("win32: foreign restarts");
    let name = scene.name();
    let mut input = scene.peer();
    input.ask(&format!("receiver {name}"));
    for round in 1..=3 {
        input.begin(&format!("wait {round}"));
        let mut sender = foreign(&scene);
        scene.until("the name to be free", || match sender.try_ask(&format!("create {name} 4096")) {
            Ok(_) => true,
            Err(refused) => {
                // For as long as our receiver holds what the last one left; it lets go by itself.
                assert_eq!((refused.code, round > 1), (ALREADY_EXISTS, true), "{}", refused.text);
                false
            }
        });
        sender.ask(&format!("send 2 5 60 {round} names"));
        assert_eq!(Seen::parse(&input.answer().unwrap()).unwrap().seed, Some(round));
        sender.kill();
    }
}

/// A receiver that waits is woken by a frame of a foreign sender, which rings no bell: it polls.
#[test]
fn waiting_for_a_foreign_sender_works_without_notices() {
    let scene = Scene::new("win32: waiting");
    let name = scene.name();
    let mut other = foreign(&scene);
    let mut input = ChopReceiver::open(name).unwrap();
    assert!(input.next_timeout(Duration::from_millis(1)).unwrap().is_none());
    other.ask(&format!("create {name} 4096"));
    for seed in 1..=5 {
        other.ask(&format!("send 2 5 60 {seed} names"));
        let frame = input.next_timeout(EVER).unwrap().unwrap();
        assert_eq!((frame.number(), Seen::of(frame).seed), (None, Some(seed)), "nobody counts");
    }
}

#[test]
fn a_name_of_another_namespace_is_refused_with_the_reason() {
    let scene = Scene::new("win32: namespaces");
    for space in ["Global", "Local"] {
        let name = format!("{space}\\{}", scene.name());
        for error in
            [ChopSender::create(&name).unwrap_err(), ChopReceiver::open(&name).map(drop).unwrap_err()]
        {
            assert!(error.to_string().contains('\\'), "{error}");
        }
    }
}
