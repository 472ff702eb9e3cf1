//! Sweeping up after the dead, and telling them from the living (wire §6).
#![cfg(target_os = "linux")] // elsewhere the dead leave nothing: tests/windows.rs has what there is to sweep

use std::io::Write;

use tdshm::{ChopReceiver, ChopSender, DryRun, Fate, SweptKind};
use tdshm_tests::foreign::{Foreign, ForeignReceiver, Info, Mapping, Names};
use tdshm_tests::{Scene, Seen, frames};

fn clean(name: &str, dry_run: DryRun) -> Vec<(String, SweptKind, Fate)> {
    let swept = tdshm::clean(&[name], dry_run).unwrap();
    let mut swept: Vec<_> = swept.into_iter().map(|swept| (swept.object, swept.kind, swept.fate)).collect();
    swept.sort_by(|a, b| a.0.cmp(&b.0));
    swept
}

/// A postfix as our senders make them: 25 letters, and 6 that follow from these.
const STRAY: &str = "aaaaaaaaaaaaaaaaaaaaaaaaadujulk";

#[test]
fn what_the_dead_left_goes_and_a_dry_run_only_says_so() {
    let scene = Scene::new("clean: dead");
    let name = scene.name();
    let names = Names::of(name);
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 2 5 60 1 names");
    let mut input = ForeignReceiver::attach(name).unwrap();
    sender.ask("send 2 50000 60 2 names"); // with a postfix from here on
    assert!(input.read().is_some());
    sender.kill();
    // As one that died in the middle of a move left it.
    let stray = format!("{}{}", names.data, STRAY);
    drop(Mapping::create(&stray, 4096));
    // A name of the same length that nobody of ours gave.
    let almost = format!("{}{}", names.data, "q".repeat(31));
    drop(Mapping::create(&almost, 4096));

    let before = scene.objects();
    let would = clean(name, DryRun::Yes);
    assert_eq!(scene.objects(), before, "a dry run removes nothing");
    assert!(!input.detached(), "and tells nobody");
    assert!(would.iter().all(|(.., fate)| *fate == Fate::Removed), "{would:?}");
    let mut said: Vec<_> = would.iter().map(|(object, ..)| object.clone()).collect();
    said.push(almost.clone());
    said.sort();
    assert_eq!(said, before, "everything but what is not its");

    assert_eq!(clean(name, DryRun::No), would, "it does what it said");
    assert_eq!(scene.objects(), [almost]);
    assert!(input.detached(), "whoever is still attached is told");
    assert_eq!(clean(name, DryRun::No), []);
}

#[test]
fn receivers_that_are_attached_are_told_and_find_the_next_sender() {
    let scene = Scene::new("clean: attached");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 2 5 60 1 names");
    let mut input = ChopReceiver::open(name).unwrap();
    assert!(input.read().unwrap().is_some());
    sender.kill();
    let swept = clean(name, DryRun::No);
    assert!(swept.iter().any(|(_, kind, fate)| (*kind, fate) == (SweptKind::Info, &Fate::Removed)));
    assert!(input.read().unwrap().is_none());
    assert_eq!(Seen::of(input.frame().unwrap()).seed, Some(1));
    let mut out = ChopSender::create(name).unwrap();
    out.send_flat(&frames::flat(2, 2, 5), 5).unwrap();
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(2));
}

#[test]
fn the_living_the_foreign_and_the_locked_stay() {
    let scene = Scene::new("clean: living");
    let name = scene.name();
    let names = Names::of(name);
    // A living one, and under it what its predecessor left.
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 2 5 60 1 names");
    let before = scene.objects();
    let swept = clean(name, DryRun::No);
    assert_eq!(swept, [(names.info.clone(), SweptKind::Info, Fate::InUse { pid: Some(sender.pid()) })]);
    assert_eq!(scene.objects(), before);
    drop(Mapping::create(&format!("{}{}", names.data, STRAY), 4096));
    clean(name, DryRun::No);
    assert_eq!(scene.objects(), before, "a stray is swept also under a living owner");
    let mut input = ChopReceiver::open(name).unwrap();
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(1));
    sender.ask("send 2 50000 60 2 names");
    let before = scene.objects();
    clean(name, DryRun::No);
    assert_eq!(scene.objects(), before, "also where it moved to");
    sender.ask("send 2 5 60 3 names");
    assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(3));

    // It leaves; its locks stay while this receiver has them open, or somebody holds one.
    sender.ask("detach");
    sender.quit();
    let in_use = |object: &String| (object.clone(), SweptKind::Lock, Fate::InUse { pid: None });
    assert!(clean(name, DryRun::No).contains(&in_use(&names.data_lock)));
    assert!(scene.objects().contains(&names.data_lock));
    drop(input);
    let mut holder = scene.peer();
    holder.ask(&format!("lock {} 0", names.data_lock));
    // Another test of this process that starts a program keeps what is open here for a moment.
    scene.until("all but the lock that is held to go", || {
        clean(name, DryRun::No);
        assert!(scene.objects().contains(&names.data_lock));
        scene.objects().len() == 1
    });
    holder.kill();
    clean(name, DryRun::No);
    assert_eq!(scene.objects(), [""; 0]);
}

#[test]
fn what_is_foreign_stays() {
    for info in [Info::Doubled, Info::Missing, Info::SinglePrefix] {
        let scene = Scene::new("clean: foreign");
        let mut sender = Foreign { info: info.clone(), ..Foreign::default() }.start(scene.name());
        let block = tdshm_tests::foreign::Block::new(1, &[1.0], 60.0, None);
        sender.send(&block);
        if info != Info::Missing {
            sender.move_to(&"p".repeat(31), 4096, &block);
        }
        let before = scene.objects();
        let swept = clean(scene.name(), DryRun::No);
        assert_eq!(scene.objects(), before, "{info:?}: {swept:?}");
        assert!(swept.iter().all(|(.., fate)| *fate == Fate::Foreign), "{info:?}: {swept:?}");
    }
}

/// What belongs to another user is named, whether nobody may open it or nobody may remove it.
#[test]
fn what_is_out_of_reach_is_told() {
    if !rustix::process::geteuid().is_root() {
        // Straight to the descriptor, so that it is seen also where the test passes.
        let _ =
            std::io::stderr().write_all(b"NOT RUN: another user's objects (needs root, to be two users)\n");
        return;
    }
    for mode in [0o600, 0o666] {
        let scene = Scene::new("clean: out of reach");
        let name = scene.name();
        let mut sender = scene.peer();
        sender.ask(&format!("sender {name} 4096"));
        sender.ask("send 2 5 60 1 names");
        sender.kill();
        let before = scene.objects();
        assert_eq!(before.len(), 4, "{before:?}");
        for object in &before {
            let path = scene.path(object);
            std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        }
        let mut stranger = scene.peer();
        stranger.ask("become 65534");
        let answer = stranger.ask(&format!("out-of-reach {name}"));
        let mut words = answer.split_whitespace();
        assert_eq!(words.next(), Some(if mode == 0o600 { "true" } else { "false" }), "{answer}");
        let mut told: Vec<&str> = words.collect();
        told.sort_unstable();
        assert_eq!(told, before, "mode {mode:o}");
        assert_eq!(scene.objects(), before, "nothing has gone");
        assert!(clean(name, DryRun::No).iter().all(|(.., fate)| *fate == Fate::Removed));
        assert_eq!(scene.objects(), [""; 0]);
    }
}

/// Two processes, again and again: one sweeps while the other takes over from a dead one. Afterwards there is a whole
/// segment, whose owner lives, or the sender was told why not, and then trying again works.
#[test]
fn cleaning_races_with_a_take_over() {
    let scene = Scene::new("clean: race");
    let name = scene.name();
    let mut cleaner = scene.peer();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    for round in 1..=300 {
        sender.ask(&format!("send 2 5 60 {round} names"));
        sender.kill();
        let mut heir = scene.peer();
        cleaner.begin(&format!("clean {name}"));
        heir.begin(&format!("sender {name} 4096"));
        heir.answer().unwrap_or_else(|refused| panic!("round {round}: {} {}", refused.code, refused.text));
        cleaner.answer().unwrap();
        let report = tdshm::inspect(name).unwrap();
        let notices = report.notices.unwrap();
        assert_eq!((notices.owner_pid, notices.owner_alive), (Some(heir.pid()), true), "round {round}");
        assert!(report.mapped_bytes.is_some(), "round {round}: its data is there");
        assert_eq!(report.detached, Some(false), "round {round}");
        heir.ask(&format!("send 2 5 60 {round} names"));
        let mut input = ChopReceiver::open(name).unwrap();
        assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(round), "round {round}");
        sender = heir;
    }
}

#[test]
fn the_dead_are_told_from_the_living_without_taking_part() {
    let scene = Scene::new("clean: owner_alive");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 2 5 60 1 names");
    let alive = || {
        let notices = tdshm::inspect(name).unwrap().notices.unwrap();
        let listed = tdshm::list().unwrap().into_iter().find(|report| report.name.as_str() == name).unwrap();
        assert_eq!(listed.notices.unwrap().owner_alive, notices.owner_alive);
        (notices.owner_pid, notices.owner_alive)
    };
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert_eq!(alive(), (Some(sender.pid()), true));
    sender.stop();
    assert_eq!(alive(), (Some(sender.pid()), true), "stopped is not dead");
    sender.go_on();
    sender.kill();
    assert_eq!(alive(), (Some(sender.pid()), false));
    assert!(!maps.contains(name) && !std::fs::read_to_string("/proc/self/maps").unwrap().contains(name));
    // A take-over asks for what looking must not hold.
    let heir = ChopSender::create(name).unwrap();
    assert_eq!(alive(), (Some(std::process::id()), true));
    heir.detach().unwrap();
    assert_eq!(tdshm::inspect(name).unwrap_err().code(), 2);
}
