//! What is new, what was missed, and who waits: the extension behind the info block (wire §11), across processes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests: what panics here has failed"
)]

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use rustix::mm::{MapFlags, ProtFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::futex;
use tdshm::{Attached, ChopFrame, ChopReceiver, ChopSender, Error, SegmentError, SegmentSender};
use tdshm_tests::foreign::{self, Block, Mapping};
use tdshm_tests::{Peer, Scene, Seen, frames};

/// Far longer than the watchdog's: nobody may have to wait for a time limit.
const EVER: Duration = Duration::from_secs(600);

// The extension, typed from the table of wire §11 a second time.
const SUPPORTED: u64 = 8;
const SEQUENCE: u64 = 272;
const FRAMES: u64 = 280;
const WAKE: u64 = 296;
const OWNER: u64 = 304;
const OWNER_START: u64 = 312;
const WAITERS: u64 = 320;
const RECEIVERS: u64 = 384;
const ENTRY: u64 = 64;
const ENTRIES: u64 = 16;
const WAITING: u32 = 1;
const READING: u32 = 2;

/// The info object, read and written through its file.
struct Info(File);

impl Info {
    fn of(scene: &Scene) -> Self {
        let path = scene.path("TouchSHMTouchSHM{}4jhd783h");
        Self(OpenOptions::new().read(true).write(true).open(path).expect("there is an info segment"))
    }

    fn u32(&self, at: u64) -> u32 {
        let mut bytes = [0; 4];
        self.0.read_exact_at(&mut bytes, at).unwrap();
        u32::from_le_bytes(bytes)
    }

    fn u64(&self, at: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, at).unwrap();
        u64::from_le_bytes(bytes)
    }

    fn supported(&self) -> bool {
        self.u32(SUPPORTED) & 0xff != 0
    }

    fn set(&self, at: u64, bytes: &[u8]) {
        self.0.write_all_at(bytes, at).unwrap();
    }

    /// The process ids in the entries.
    fn entries(&self) -> Vec<u32> {
        (0..ENTRIES).map(|entry| self.u32(RECEIVERS + entry * ENTRY)).collect()
    }

    fn registered(&self) -> usize {
        self.entries().iter().filter(|pid| **pid != 0).count()
    }

    /// Where the entry of a process begins.
    fn entry_of(&self, pid: u32) -> u64 {
        let index = self.entries().iter().position(|found| *found == pid).expect("it is registered");
        RECEIVERS + index as u64 * ENTRY
    }
}

/// A process that waits for a frame, asleep.
fn waiter(scene: &Scene, info: &Info) -> Peer {
    let mut peer = scene.peer();
    peer.ask(&format!("receiver {}", scene.name()));
    peer.see("try-next");
    sleep_in_next(scene, info, &mut peer);
    peer
}

fn sleep_in_next(scene: &Scene, info: &Info, peer: &mut Peer) {
    peer.begin("next 600000");
    let flags = info.entry_of(peer.pid()) + 4;
    scene.until("a peer to wait for a frame", || info.u32(flags) & WAITING != 0);
}

fn pid_of(peer: &Peer) -> Pid {
    Pid::from_raw(i32::try_from(peer.pid()).unwrap()).unwrap()
}

fn stop(scene: &Scene, peer: &Peer) {
    kill_process(pid_of(peer), Signal::STOP).unwrap();
    let path = format!("/proc/{}/stat", peer.pid());
    scene.until("a peer to stop", || {
        let stat = std::fs::read_to_string(&path).unwrap();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    });
}

fn start_time(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap()
}

fn known(frame: &ChopFrame) -> (Option<u64>, Option<u64>, bool) {
    (frame.number(), frame.missed(), frame.age().is_some())
}

/// Sends a frame of 4 channels and 8 samples.
fn send(out: &mut ChopSender, seed: u32) {
    out.send_flat(&frames::flat(seed, 4, 8), 8).unwrap();
}

fn next(input: &mut ChopReceiver) -> (Option<u32>, Option<u64>, Option<u64>) {
    let frame = input.next_timeout(EVER).unwrap().expect("a frame comes");
    (Seen::of(frame).seed, frame.number(), frame.missed())
}

#[test]
fn what_was_missed_is_exact_under_four_readers_and_a_writer_flat_out() {
    for (count, length, total) in [(8, 1, 20_000), (50, 200, 1500)] {
        let scene = Scene::new("notice: exactness");
        let name = scene.name();
        let mut writer = scene.peer();
        writer.ask(&format!("sender {name} 65536"));
        writer.ask(&format!("flat-out 1 {count} {length}"));
        let mut readers = [scene.peer(), scene.peer(), scene.peer(), scene.peer()];
        for reader in &mut readers {
            reader.ask(&format!("receiver {name}"));
            reader.see("next 600000").expect("the first frame");
            assert_eq!(reader.ask("number"), "1 0");
            reader.begin(&format!("follow {total}"));
        }
        writer.ask(&format!("flat-out {} {count} {length}", total - 1));
        for reader in &mut readers {
            let answer = reader.answer().unwrap();
            let (received, missed) = answer.split_once(' ').expect("two numbers");
            let (received, missed): (u64, u64) = (received.parse().unwrap(), missed.parse().unwrap());
            assert_eq!(received + missed, total - 1, "{received} received, {missed} missed");
        }
        let info = Info::of(&scene);
        assert_eq!((info.u64(FRAMES), info.u64(SEQUENCE)), (total, 2 * total));
        for reader in &mut readers {
            assert_eq!(
                info.u64(info.entry_of(reader.pid()) + 16),
                total,
                "the frame it took is in its entry"
            );
        }
    }
}

#[test]
fn frames_are_numbered_and_those_in_between_are_missed() {
    let scene = Scene::new("notice: numbers");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    send(&mut out, 1);
    send(&mut out, 2);
    assert_eq!(next(&mut input), (Some(2), Some(2), Some(0)), "what was sent before it came is not missed");
    send(&mut out, 3);
    assert_eq!(next(&mut input), (Some(3), Some(3), Some(0)));
    for seed in 4..=9 {
        send(&mut out, seed);
    }
    assert_eq!(next(&mut input), (Some(9), Some(9), Some(5)));
    assert!(input.try_next().unwrap().is_none());
    assert_eq!(known(input.frame().unwrap()), (Some(9), Some(5), true));
    // Other shapes, other names and a resize are frames like the others.
    out.send_flat(&frames::flat(10, 2, 3), 3).unwrap();
    out.set_channels(["a", "b"]).unwrap();
    out.send_flat(&frames::flat(11, 2, 20_000), 20_000).unwrap();
    assert_eq!(next(&mut input), (Some(11), Some(11), Some(1)));
    assert_eq!(input.names(), ["a", "b"]);
    out.send_flat(&frames::flat(12, 2, 3), 3).unwrap();
    assert_eq!(next(&mut input), (Some(12), Some(12), Some(0)));
    // A frame that was refused is none.
    out.send_flat(&[0.0; 3], 3).unwrap_err();
    assert!(input.try_next().unwrap().is_none());
}

#[test]
fn frames_that_hold_the_same_as_the_last_are_new() {
    let scene = Scene::new("notice: unchanged frames");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    for number in 1..=5 {
        send(&mut out, 7);
        let frame = input.try_next().unwrap().expect("it is new");
        assert_eq!((Seen::of(frame).seed, frame.number(), frame.missed()), (Some(7), Some(number), Some(0)));
        assert!(input.try_next().unwrap().is_none(), "and new once");
    }
    // Without channels, and without samples.
    for number in 6..=9 {
        out.send(&[[0.0_f32; 0]; 0]).unwrap();
        assert_eq!(input.try_next().unwrap().and_then(ChopFrame::number), Some(number));
    }
}

#[test]
fn neither_a_look_nor_a_new_frame_needs_the_lock() {
    let scene = Scene::new("notice: no lock");
    let name = scene.name();
    let lock = foreign::Names::of(name).data_lock;
    let mut out = ChopSender::create(name).unwrap();
    let mut input = ChopReceiver::open(name).unwrap();
    assert!(input.try_next().unwrap().is_none(), "nothing was written");
    let mut other = scene.peer();
    for seed in 1..=3 {
        // The second frame is of another shape, and the third has other names.
        out.set_channels((0..4).map(|channel| format!("{}c{channel}", seed / 3))).unwrap();
        let length = if seed == 1 { 8 } else { 9 };
        out.send_flat(&frames::flat(seed, 4, length), length).unwrap();
        other.ask(&format!("lock {lock} 600000"));
        for _ in 0..3 {
            let mut late = ChopReceiver::open(name).unwrap();
            assert_eq!(Seen::of(late.try_next().unwrap().expect("it is new there")).seed, Some(seed));
        }
        assert_eq!(Seen::of(input.try_next().unwrap().expect("it is new")).seed, Some(seed));
        for _ in 0..1000 {
            assert!(input.try_next().unwrap().is_none());
        }
        assert!(input.next_timeout(Duration::from_millis(1)).unwrap().is_none());
        assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(seed));
        let mut samples = vec![0.0; 4 * length];
        assert!(input.read_into(&mut samples).unwrap().is_some());
        assert_eq!(frames::seed_of(&samples, 4, length), Some(seed));
        other.ask("unlock");
    }
}

#[test]
fn a_writer_killed_between_the_halves_of_the_sequence_leaves_the_last_frame() {
    let scene = Scene::new("notice: killed in the middle");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 65536"));
    sender.ask("send 4 8 60 1 default");
    let mut input = ChopReceiver::open(name).unwrap();
    let mut late = ChopReceiver::open(name).unwrap();
    assert_eq!(next(&mut input), (Some(1), Some(1), Some(0)));
    let info = Info::of(&scene);
    let mut asleep = waiter(&scene, &info);

    sender.ask("hold-send 4 8 60 2");
    sender.kill();
    assert_eq!((info.u64(SEQUENCE), info.u64(FRAMES)), (3, 1), "killed in the middle");
    for _ in 0..10 {
        assert!(input.try_next().unwrap().is_none());
        assert!(input.read().unwrap().is_none());
        assert!(input.view().unwrap().is_none());
        assert!(late.read().unwrap().is_none(), "half a frame is none");
    }
    scene.until("the receiver to notice the death", || {
        assert!(input.try_next().unwrap().is_none());
        input.attached() == Attached::Died
    });
    for _ in 0..10 {
        assert!(input.try_next().unwrap().is_none());
    }
    assert_eq!(Seen::of(input.frame().unwrap()).seed, Some(1));
    assert!(asleep.try_answer().is_none());

    let mut out = ChopSender::create(name).unwrap();
    assert_eq!(info.u64(SEQUENCE) % 2, 0);
    assert!(input.try_next().unwrap().is_none(), "a new sender that has sent nothing");
    send(&mut out, 3);
    assert_eq!(next(&mut input).0, Some(3));
    assert_eq!(next(&mut late).0, Some(3));
    assert_eq!(Seen::parse(&asleep.answer().unwrap()).unwrap().seed, Some(3));
}

#[test]
fn a_sender_that_takes_over_from_a_dead_one_goes_on_counting() {
    let scene = Scene::new("notice: take-over");
    let name = scene.name();
    let mut input = ChopReceiver::open(name).unwrap();
    let mut number = 0;
    for round in 0..5 {
        let mut sender = scene.peer();
        sender.ask(&format!("sender {name} 65536"));
        for seed in 1..=3 {
            sender.ask(&format!("send 4 8 60 {seed} default"));
        }
        number += 3;
        let missed = if round == 0 { 0 } else { 2 };
        assert_eq!(next(&mut input), (Some(3), Some(number), Some(missed)), "round {round}");
        sender.kill();
    }
    assert_eq!(Info::of(&scene).u64(FRAMES), 15);
}

#[test]
fn a_new_object_is_a_new_count() {
    let scene = Scene::new("notice: new object");
    let name = scene.name();
    let mut input = ChopReceiver::open(name).unwrap();
    for round in 0..3 {
        let mut out = ChopSender::create(name).unwrap();
        for seed in 1..=3 {
            send(&mut out, seed);
        }
        assert_eq!(next(&mut input), (Some(3), Some(3), Some(0)), "round {round}");
        send(&mut out, 4);
        send(&mut out, 5);
        assert_eq!(next(&mut input), (Some(5), Some(5), Some(1)), "round {round}");
        out.detach().unwrap();
        assert!(input.try_next().unwrap().is_none());
        assert_eq!(Seen::of(input.frame().unwrap()).seed, Some(5), "the last frame stays");
    }
}

#[test]
fn waiters_that_are_killed_disturb_nobody_and_are_forgotten() {
    let scene = Scene::new("notice: killed waiters");
    let mut out = ChopSender::create(scene.name()).unwrap();
    send(&mut out, 1);
    let info = Info::of(&scene);
    let mut living = waiter(&scene, &info);
    for round in 0..100 {
        let mut peer = waiter(&scene, &info);
        peer.kill();
        let seed = 2 + round;
        send(&mut out, seed);
        assert_eq!(Seen::parse(&living.answer().unwrap()).unwrap().seed, Some(seed), "round {round}");
        sleep_in_next(&scene, &info, &mut living);
    }
    living.kill();
    assert_eq!(info.registered(), 2, "the dead make room for one another");
    // The sender counts anew where it wakes and nobody slept.
    scene.until("the dead to be forgotten", || {
        send(&mut out, 1);
        info.u32(WAITERS) == 0
    });
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    send(&mut out, 5);
    assert_eq!(next(&mut input).0, Some(5));
}

#[test]
fn all_who_wait_wake_for_one_frame() {
    let scene = Scene::new("notice: many waiters");
    let mut out = ChopSender::create(scene.name()).unwrap();
    send(&mut out, 1);
    let info = Info::of(&scene);
    let mut waiters: Vec<Peer> = (0..8).map(|_| waiter(&scene, &info)).collect();
    for seed in 2..=20 {
        send(&mut out, seed);
        for waiter in &mut waiters {
            assert_eq!(Seen::parse(&waiter.answer().unwrap()).unwrap().seed, Some(seed));
            assert_eq!(waiter.ask("number"), format!("{seed} 0"));
        }
        for waiter in &mut waiters {
            sleep_in_next(&scene, &info, waiter);
        }
    }
    assert!(!info.supported(), "those who are registered need not say more");
}

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
    // One that died, whose process id was given to a process that lives: the record does not count, the mark does.
    let reused = info.entry_of(peers[9].pid());
    peers[9].kill();
    info.set(reused, &peers[8].pid().to_le_bytes());
    info.set(reused + 8, &start_time(peers[8].pid()).to_le_bytes());
    info.set(reused + 4, &(WAITING | READING).to_le_bytes());
    let mut other = scene.peer();
    other.ask(&format!("receiver {name}"));
    other.see("read").unwrap();
    assert_eq!(info.entry_of(other.pid()), reused);
    assert_eq!(info.u32(reused + 4), 0);
    assert!(!info.supported());
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

/// The block of a foreign sender.
fn foreign_block(seed: u32) -> Block {
    Block::new(4, &frames::flat(seed, 4, 8), 60.0, None)
}

#[test]
fn a_foreign_sender_that_takes_over_the_object_is_followed_by_comparing() {
    for dies in ["between two frames", "in the middle of a frame"] {
        let scene = Scene::new("notice: foreign take-over");
        let name = scene.name();
        let mut sender = scene.peer();
        sender.ask(&format!("sender {name} 4096"));
        sender.ask("send 4 8 60 1 default");
        let mut input = ChopReceiver::open(name).unwrap();
        assert_eq!(next(&mut input), (Some(1), Some(1), Some(0)));
        if dies == "in the middle of a frame" {
            sender.ask("hold-send 4 8 60 2");
        }
        sender.kill();
        scene.until("the receiver to notice the death", || {
            assert!(input.try_next().unwrap().is_none(), "{dies}");
            input.attached() == Attached::Died
        });
        // 44 bytes of its own; ours behind them it does not know.
        let names = foreign::Names::of(name);
        let (info, data) = (Mapping::open(&names.info).unwrap(), Mapping::open(&names.data).unwrap());
        info.write(0, &foreign::info_block("", 0));
        for _ in 0..10 {
            assert!(input.try_next().unwrap().is_none(), "{dies}: nothing has been written");
        }
        for seed in 10..20 {
            foreign_block(seed).write_to(&data);
            let frame = input.next_timeout(EVER).unwrap().expect("it differs");
            assert_eq!(Seen::of(frame).seed, Some(seed), "{dies}");
            assert_eq!(known(frame), (None, None, false), "{dies}");
            for _ in 0..3 {
                assert!(input.try_next().unwrap().is_none(), "{dies}: the same bytes are no news");
            }
            let read = input.read().unwrap().expect("reading is always possible");
            assert_eq!(Seen::of(read).seed, Some(seed));
        }
        // One of ours again, over the foreign one, as nobody owns it: counted from then on.
        let mut out = ChopSender::create(name).unwrap();
        send(&mut out, 21);
        assert_eq!(next(&mut input), (Some(21), Some(2), Some(0)), "{dies}");
    }
}

/// A sender gives a reader 2 ms at most for each time it stops. Every frame that waited for one would make the
/// frames here last for minutes, and the watchdog ends them before.
#[test]
fn stopped_receivers_do_not_hold_the_sender_up() {
    const TOTAL: u32 = 60_000;
    let scene = Scene::new("notice: stopped receivers");
    let mut out = ChopSender::create(scene.name()).unwrap();
    send(&mut out, 1);
    let info = Info::of(&scene);
    // One stops while it waits for a frame, another, as far as the sender can see, in the middle of a copy.
    let [mut waits, mut reads] = [waiter(&scene, &info), scene.peer()];
    reads.ask(&format!("receiver {}", scene.name()));
    reads.see("read").unwrap();
    stop(&scene, &waits);
    stop(&scene, &reads);
    let flags = info.entry_of(reads.pid()) + 4;
    info.set(flags, &READING.to_le_bytes());
    info.set(WAITERS, &2_u32.to_le_bytes());
    let samples = frames::flat(2, 4, 8);
    for _ in 0..TOTAL {
        out.send_flat(&samples, 8).unwrap();
    }
    assert_ne!(info.u32(flags) & READING, 0, "it lives, so its claim stands");
    kill_process(pid_of(&waits), Signal::CONT).unwrap();
    assert_eq!(Seen::parse(&waits.answer().unwrap()).unwrap().seed, Some(2));
    assert_eq!(waits.ask("number"), format!("{} {}", TOTAL + 1, TOTAL - 1));
    // It dies in the copy: forgotten.
    reads.kill();
    scene.until("the dead to be forgotten", || {
        out.send_flat(&samples, 8).unwrap();
        info.u32(WAITERS) == 0
    });
    assert_eq!(info.u32(flags), 0);
}

/// The extension's words, mapped, so that one can sleep on them.
struct Bell(*mut u8);

// SAFETY: an address of a mapping that is never unmapped, which any thread may use.
unsafe impl Sync for Bell {}

impl Bell {
    fn of(info: &Info) -> Self {
        let flags = MapFlags::SHARED;
        // SAFETY: a null address lets the kernel choose, so nothing that is mapped is touched. It is never unmapped.
        let base = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                4096,
                ProtFlags::READ | ProtFlags::WRITE,
                flags,
                &info.0,
                0,
            )
        };
        Self(base.expect("it can be mapped").cast())
    }

    fn word(&self, at: u64) -> &AtomicU32 {
        let at = usize::try_from(at).unwrap();
        assert!(at.is_multiple_of(4) && at < 4096);
        // SAFETY: inside the one page that is mapped for ever, aligned, as the line above says.
        unsafe { AtomicU32::from_ptr(self.0.wrapping_add(at).cast()) }
    }

    /// Sleeps until somebody wakes the sleepers: a wake-up that does not come is for the watchdog.
    fn wait_for_ever(&self, seen: u32) {
        self.word(WAITERS).fetch_add(1, Ordering::SeqCst);
        while self.word(WAKE).load(Ordering::SeqCst) == seen {
            let _ = futex::wait(self.word(WAKE), futex::Flags::empty(), seen, None);
        }
        // The sender may have counted anew, without this one, which has no entry.
        let out = |count: u32| count.checked_sub(1);
        let _ = self.word(WAITERS).fetch_update(Ordering::SeqCst, Ordering::SeqCst, out);
    }
}

#[test]
fn a_frame_a_resize_and_a_detach_wake_whoever_waits() {
    let scene = Scene::new("notice: what wakes");
    for round in 0..20 {
        let mut out = SegmentSender::create(scene.name(), 4096).unwrap();
        let info = Info::of(&scene);
        let bell = Bell::of(&info);
        let wakes = |what: &str, event: &mut dyn FnMut()| {
            let seen = bell.word(WAKE).load(Ordering::SeqCst);
            let woken = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    bell.wait_for_ever(seen);
                    woken.store(true, Ordering::SeqCst);
                });
                scene.until("the thread to wait", || info.u32(WAITERS) != 0);
                assert!(!woken.load(Ordering::SeqCst), "round {round}: {what}");
                event();
                scene.until(what, || woken.load(Ordering::SeqCst));
            });
        };
        wakes("a frame to wake", &mut || {
            let _ = out.lock().unwrap().view().copy_from(b"frame");
        });
        wakes("a resize to wake", &mut || out.resize(100_000, |_| {}).unwrap());
        let mut out = Some(out);
        wakes("a detach to wake", &mut || out.take().unwrap().detach().unwrap());
        assert_eq!((info.u32(OWNER), info.u32(WAITERS)), (0, 0));
    }
}

#[test]
fn receivers_that_wait_let_go_of_a_sender_that_leaves_and_meet_the_next() {
    let scene = Scene::new("notice: detach");
    let mut out = ChopSender::create(scene.name()).unwrap();
    send(&mut out, 1);
    let info = Info::of(&scene);
    let mut waiters: Vec<Peer> = (0..4).map(|_| waiter(&scene, &info)).collect();
    for seed in 2..10 {
        let old = Info::of(&scene);
        out.detach().unwrap();
        scene.until("the receivers to let go", || old.registered() == 0);
        assert_eq!(old.u32(WAITERS), 0);
        out = ChopSender::create(scene.name()).unwrap();
        send(&mut out, seed);
        let info = Info::of(&scene);
        for waiter in &mut waiters {
            assert_eq!(Seen::parse(&waiter.answer().unwrap()).unwrap().seed, Some(seed));
            assert_eq!(waiter.ask("number"), "1 0");
            sleep_in_next(&scene, &info, waiter);
        }
    }
}
