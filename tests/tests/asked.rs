//! Channel blocks that go to places beside one another once a reader asks (decision 008): who asks, who does not, and
//! that nothing is lost on the way there.

use tdshm::{ChopReceiver, ChopSender};
use tdshm_tests::foreign::{ForeignReceiver, Mapping, Names, postfix_of};
use tdshm_tests::info::{EVER, Info, READING, WAITERS};
use tdshm_tests::{Scene, Seen, frames};

// Typed from the table of wire §11 a second time.
const SLOTS: u64 = 1408;

/// 64 KiB of samples, and a little less.
const LARGE: usize = 8192;
const SMALL: usize = 8000;

fn postfix(scene: &Scene) -> String {
    postfix_of(&Mapping::open(&Names::of(scene.name()).info).unwrap())
}

/// Says, in the place of the receiver of that process, that writes spoil its copies.
fn ask(info: &Info, pid: u32) -> impl FnOnce() {
    let flags = info.entry_of(pid) + 4;
    info.set(WAITERS, &(info.u32(WAITERS) + 1).to_le_bytes());
    info.set(flags, &(info.u32(flags) | READING).to_le_bytes());
    move || {
        info.set(flags, &(info.u32(flags) & !READING).to_le_bytes());
        info.set(WAITERS, &(info.u32(WAITERS) - 1).to_le_bytes());
    }
}

fn send(out: &mut ChopSender, seed: u32, length: usize) {
    out.send_flat(&frames::flat(seed, 2, length), length).unwrap();
}

#[test]
fn nobody_asks_and_there_is_one_place() {
    let scene = Scene::new("asked: nobody");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let mut reader = scene.peer();
    reader.ask(&format!("receiver {}", scene.name()));
    let info = Info::of(&scene);
    send(&mut out, 1, 2 * LARGE);
    let (room, before) = (out.room_bytes(), postfix(&scene));
    for seed in 2..60 {
        send(&mut out, seed, 2 * LARGE);
        assert_eq!(Seen::of(input.try_next().unwrap().unwrap()).seed, Some(seed));
        assert_eq!(reader.see("next 600000").unwrap().seed, Some(seed));
    }
    assert_eq!((info.u32(SLOTS), out.room_bytes(), postfix(&scene)), (0, room, before));
}

#[test]
fn once_somebody_has_asked_there_are_places_and_they_stay() {
    let scene = Scene::new("asked: stays");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let mut reader = scene.peer();
    reader.ask(&format!("receiver {}", scene.name()));
    let info = Info::of(&scene);
    send(&mut out, 1, LARGE);
    assert_eq!(reader.see("read").unwrap().seed, Some(1));
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(1));

    // What is small is written sooner than anybody gets out of the way.
    let no_more = ask(&info, reader.pid());
    send(&mut out, 2, SMALL);
    assert_eq!(info.u32(SLOTS), 0);
    no_more();
    send(&mut out, 3, LARGE);
    assert_eq!(info.u32(SLOTS), 0, "whoever asked for the small one asks no more");
    assert_eq!(reader.see("try-next").unwrap().seed, Some(3));
    assert_eq!(Seen::of(input.try_next().unwrap().unwrap()).seed, Some(3));

    let no_more = ask(&info, reader.pid());
    send(&mut out, 4, LARGE);
    no_more();
    assert_eq!(info.u32(SLOTS), 3);
    assert_eq!(reader.see("try-next").unwrap().seed, Some(4), "the frame that moves is not lost");
    assert_eq!(Seen::of(input.try_next().unwrap().unwrap()).seed, Some(4));
    let (room, after) = (out.room_bytes(), postfix(&scene));
    for seed in 5..105 {
        // Up and down, and around the least size.
        let length = [LARGE, SMALL, LARGE + 100, LARGE + 2000, LARGE - 10][seed as usize % 5];
        send(&mut out, seed, length);
        assert_eq!(info.u32(SLOTS), if length >= LARGE { 3 } else { 0 }, "frame {seed}");
        assert_eq!((out.room_bytes(), postfix(&scene)), (room, after.clone()), "it moves once");
        let frame = input.try_next().unwrap().unwrap();
        let missed = frame.missed();
        assert_eq!((Seen::of(frame).seed, missed), (Some(seed), Some(0)));
        let seen = reader.see("try-next").unwrap();
        assert_eq!((seen.seed, seen.length), (Some(seed), length));
    }
    assert_eq!(scene.objects().len(), 4, "the old segment has gone");
}

/// Whoever reads at the usual offset alone finds it there, whatever the others ask.
#[test]
fn where_somebody_foreign_reads_nobody_is_given_places() {
    let scene = Scene::new("asked: foreign");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let info = Info::of(&scene);
    send(&mut out, 1, LARGE);
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(1));
    let mut foreign = ForeignReceiver::attach(scene.name()).unwrap();
    let no_more = ask(&info, std::process::id());
    for seed in 2..6 {
        send(&mut out, seed, LARGE);
        assert_eq!(info.u32(SLOTS), 0);
        assert_eq!(foreign.read().unwrap().samples.len(), 8 * LARGE);
        assert_eq!(Seen::of(input.try_next().unwrap().unwrap()).seed, Some(seed));
    }
    no_more();
}

/// It comes after the places: the usual offset from the next frame on, in the segment that is there.
#[test]
fn when_somebody_foreign_comes_the_places_go() {
    let scene = Scene::new("asked: foreign comes");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let info = Info::of(&scene);
    send(&mut out, 1, LARGE);
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(1));
    let no_more = ask(&info, std::process::id());
    send(&mut out, 2, LARGE);
    no_more();
    assert_eq!(info.u32(SLOTS), 3);
    let room = out.room_bytes();
    let mut foreign = ForeignReceiver::attach(scene.name()).unwrap();
    for seed in 3..9 {
        send(&mut out, seed, LARGE);
        assert_eq!((info.u32(SLOTS), out.room_bytes()), (0, room));
        let wanted = frames::flat(seed, 2, LARGE);
        let wanted: Vec<u8> = wanted.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        assert!(foreign.read().unwrap().samples == wanted);
        assert_eq!(Seen::of(input.try_next().unwrap().unwrap()).seed, Some(seed));
    }
}

/// Nobody asks by hand: a sender that never pauses is in the way by itself.
#[test]
fn flat_out_the_places_come_by_themselves_and_every_frame_is_whole() {
    let scene = Scene::new("asked: flat out");
    let name = scene.name();
    let mut writer = scene.peer();
    writer.ask(&format!("sender {name} 65536"));
    writer.ask("flat-out 1 4 5000");
    let mut readers = [scene.peer(), scene.peer()];
    for reader in &mut readers {
        reader.ask(&format!("receiver {name}"));
        reader.see("next 600000").expect("the first frame");
        // Of no frame there is, so it follows until it is ended.
        reader.begin("follow 1000000000");
    }
    let info = Info::of(&scene);
    scene.doing("the readers to ask for places");
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        // They check every sample, and this one does nothing but copy.
        scope.spawn(|| {
            let mut input = ChopReceiver::open(name).unwrap();
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                input.try_next().unwrap();
            }
        });
        while info.u32(SLOTS) == 0 {
            writer.ask("flat-out 50 4 5000");
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let after = postfix(&scene);
    writer.ask("flat-out 500 4 5000");
    assert_eq!((info.u32(SLOTS), postfix(&scene)), (3, after));
    for reader in &mut readers {
        reader.kill();
    }
    let mut here = ChopReceiver::open(name).unwrap();
    let last = here.next_timeout(EVER).unwrap().unwrap().number().unwrap();
    // And one that counts them to the end.
    let mut counting = scene.peer();
    counting.ask(&format!("receiver {name}"));
    counting.see("next 600000").expect("the last frame");
    counting.begin(&format!("follow {}", last + 2000));
    writer.ask("flat-out 2000 4 5000");
    let answer = counting.answer().unwrap();
    let counts: Vec<u64> = answer.split_whitespace().map(|word| word.parse().unwrap()).collect();
    assert_eq!(counts[0] + counts[1], 2000, "{answer}");
}

/// Where there is no memory for places the frame that was on its way for them is written all the same, where it was.
#[cfg(target_os = "linux")]
#[test]
fn where_there_is_no_room_for_places_no_frame_is_lost() {
    const LENGTH: u64 = 1_000_000; // 4 MB, and places for it take 16
    let scene = Scene::new("asked: no room");
    let mut writer = scene.peer();
    writer.ask(&format!("sender {} {}", scene.name(), LENGTH * 4 + 4096));
    writer.ask(&format!("send-blank {LENGTH}"));
    let statm = std::fs::read_to_string(format!("/proc/{}/statm", writer.pid())).unwrap();
    let pages: u64 = statm.split_whitespace().next().unwrap().parse().unwrap();
    writer.ask(&format!("limit-memory {}", pages * 4096 / (1 << 20) + 9));
    let mut reader = scene.peer();
    reader.ask(&format!("receiver {}", scene.name()));
    reader.ask("read");
    let info = Info::of(&scene);
    let no_more = ask(&info, reader.pid());
    for number in 2..6 {
        writer.ask(&format!("send-blank {LENGTH}"));
        assert_eq!((info.u64(tdshm_tests::info::FRAMES), info.u32(SLOTS)), (number, 0));
        assert_eq!(reader.see("try-next").unwrap().length, LENGTH as usize);
        assert_eq!(reader.ask("number"), format!("{number} 0"));
    }
    no_more();
    // Nor is it tried again for a little less; far less finds its room.
    let no_more = ask(&info, reader.pid());
    writer.ask(&format!("send-blank {}", LENGTH - 1000));
    assert_eq!(info.u32(SLOTS), 0);
    writer.ask(&format!("send-blank {}", LENGTH / 4));
    assert_eq!(info.u32(SLOTS), 3);
    no_more();
}

/// A sender that dies on its way to the places leaves the last frame, and the next one gets the name.
#[test]
fn a_sender_may_die_on_the_way() {
    for step in ["begun", "made", "info locked", "published", "even", "unlocked"] {
        let scene = Scene::new("asked: killed");
        let name = scene.name();
        let mut writer = scene.dying_peer(&format!("resize: {step}:2"));
        let send = |seed: u32| format!("send 2 {LARGE} 60 {seed} default");
        writer.ask_dying(&format!("sender {name} 65536")).unwrap().unwrap();
        let mut input = ChopReceiver::open(name).unwrap();
        let mut reader = scene.peer();
        reader.ask(&format!("receiver {name}"));
        assert!(reader.see("read").is_none() && input.read().unwrap().is_none());
        writer.ask_dying(&send(1)).unwrap().unwrap(); // moves once, for room
        assert_eq!(reader.see("read").unwrap().seed, Some(1));
        assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(1));
        let info = Info::of(&scene);
        let no_more = ask(&info, reader.pid());
        assert!(writer.ask_dying(&send(2)).is_none(), "it dies at {step}");
        no_more();
        for seen in [input.read().unwrap().map(Seen::of), reader.see("read")].into_iter().flatten() {
            let whole = seen.seed.unwrap_or_else(|| panic!("torn at {step}"));
            assert!((1..=2).contains(&whole), "{whole} at {step}");
        }
        let mut heir = scene.peer();
        heir.ask(&format!("sender {name} 65536"));
        for seed in 3..6 {
            heir.ask(&send(seed));
            assert_eq!(reader.see(&format!("wait {seed}")).unwrap().seed, Some(seed), "{step}");
            while Seen::of(input.next_timeout(EVER).unwrap().unwrap()).seed != Some(seed) {}
        }
    }
}
