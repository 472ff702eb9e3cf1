//! Global memory: all operators of a receiving process show one frame of one sending process (operators §2).

use std::time::{Duration, Instant};

use tdshm_ops::Network;
use tdshm_tests::acts::Dice;
use tdshm_tests::nets::{count, input, network, next, next_seed, output, pause, said, seed, set};
use tdshm_tests::{Peer, Scene};

/// How many frames are compared.
const FRAMES: u32 = 10_000;

/// A process that sends pairs, and two operators that receive them. The answers: how many frames were seen, and in how
/// many of them the two had another one.
fn compare(how: &str, scene: &Scene, enough: impl Fn(u32, u32) -> bool) -> (u32, u32) {
    let name = scene.name();
    let mut peer: Peer = scene.peer();
    peer.begin(&format!("nets-out {name} {how} 4000000000 7"));
    let net = network(name);
    let [a, b] = ["a", "b"].map(|which| {
        let here = input(&net, &format!("{name}{which}"));
        set(&here, "memtype", how);
        here
    });
    let mut dice = Dice::new(11);
    let (mut seen, mut differ, mut last) = (0, 0, 0);
    scene.doing("frames to be seen");
    while !enough(seen, differ) {
        net.step().unwrap();
        let one = a.clip().unwrap();
        pause(&mut dice);
        let other = b.clip().unwrap();
        if one.num_channels() == 0 || other.num_channels() == 0 {
            assert_eq!(last, 0, "what was there stays");
            continue;
        }
        let [one, other] = [one, other].map(|clip| seed(&clip).expect("whole"));
        differ += u32::from(one != other);
        assert!(one >= last && other >= last, "{one} and {other} after {last}");
        seen += u32::from(one > last);
        last = one;
    }
    peer.kill();
    (seen, differ)
}

/// As many frames as come in some seconds: a busy machine runs the two processes in turn.
#[test]
fn global_never_mixes_frames() {
    let scene = Scene::new("global: pairs");
    let begin = Instant::now();
    let enough = |seen| seen >= FRAMES || seen > 0 && begin.elapsed() > Duration::from_secs(5);
    let (seen, differ) = compare("global", &scene, |seen, _| enough(seen));
    assert!(seen > 0);
    assert_eq!(differ, 0, "of {seen}");
}

#[test]
#[ignore = "long: for soak"]
fn global_never_mixes_ten_thousand_frames() {
    let scene = Scene::lasting("global: ten thousand pairs", Duration::from_secs(600));
    let (seen, differ) = compare("global", &scene, |seen, _| seen >= FRAMES);
    assert_eq!((seen, differ), (FRAMES, 0));
}

#[test]
fn local_may_mix_frames() {
    let scene = Scene::new("global: local pairs");
    let (_, differ) = compare("local", &scene, |_, differ| differ > 0);
    assert_eq!(differ, 1);
}

fn global(net: &Network, name: &str) -> (tdshm_ops::Op, tdshm_ops::Op) {
    let (give, out) = output(net, name);
    set(&out, "memtype", "global");
    (give, out)
}

#[test]
fn one_process_sends_and_another_is_told_which() {
    let scene = Scene::new("global: two senders");
    let name = scene.name();
    let mut peer = scene.peer();
    peer.begin(&format!("nets-out {name} global 4000000000 7"));
    let net = network(name);
    let here = input(&net, &format!("{name}a"));
    set(&here, "memtype", "global");
    scene.until("the sender", || next(&here).num_channels() == 3);
    assert_eq!(count(&here, "shm_sender_pid"), f64::from(peer.pid()));
    let (_, out) = global(&net, "mine");
    net.step().unwrap();
    let text = format!("Shared memory 'mine' already exists (process {}).", peer.pid());
    assert_eq!(said(&out), (String::new(), text));
    peer.kill();
    scene.until("the name to be free", || {
        net.step().unwrap();
        said(&out) == Default::default()
    });
}

#[test]
fn entries_come_and_go_with_their_operators() {
    let scene = Scene::new("global: entries");
    let there = network(scene.name());
    let net = network(scene.name());
    let [a, b] = ["a", "b"].map(|which| {
        let here = input(&net, which);
        set(&here, "memtype", "global");
        here
    });
    let none = "No Global sender of this project runs; TouchDesigner's Global memory cannot be read: set Shared Mem Type \
                to Local.";
    assert_eq!(next(&a).num_channels(), 0);
    assert_eq!(said(&a), (none.into(), String::new()));
    let (give, out) = global(&there, "a");
    set(&give, "count", 2);
    set(&give, "names", "x y!");
    there.step().unwrap();
    assert_eq!(next_seed(&a), Some(1));
    assert!(a.clip().unwrap().names().are(["x", "y_"]));
    assert_eq!(next(&b).num_channels(), 0);
    assert_eq!(said(&b), ("Shared memory 'b' not found.".into(), String::new()));
    let (_, second) = global(&there, "b");
    let (_, clash) = global(&there, "a");
    there.step().unwrap();
    assert_eq!((next_seed(&a), seed(&b.clip().unwrap())), (Some(2), Some(2)));
    assert_eq!(said(&b), Default::default());
    let error = said(&clash).1;
    assert_eq!(error, format!("Shared memory 'a' already exists (process {}).", std::process::id()));
    set(&clash, "active", false);
    // One leaves: its data stays with the receiver, which says so; the other goes on.
    set(&second, "active", false);
    there.step().unwrap();
    assert_eq!((next_seed(&a), seed(&b.clip().unwrap())), (Some(3), Some(2)));
    assert_eq!(said(&b).0, "Shared memory 'b' not found.");
    // Renamed, with a scope.
    set(&out, "name", "b");
    set(&out, "scope", "x");
    there.step().unwrap();
    assert_eq!(next(&b).num_channels(), 1);
    assert_eq!(said(&b), Default::default());
    assert_eq!(b.clip().unwrap().samples(), [4.0]);
    // The last one goes: so does the sender.
    out.destroy().unwrap();
    there.step().unwrap();
    assert_eq!(next(&b).samples(), [4.0]);
    assert_eq!(said(&b).0, none);
    assert_eq!(count(&b, "shm_connected"), 0.0);
}

#[test]
fn a_lock_that_cannot_be_had_costs_global_frames() {
    let scene = Scene::new("global: locked");
    let net = network(scene.name());
    let (_, out) = global(&net, "a");
    net.step().unwrap();
    let mut peer = scene.peer();
    peer.ask(&format!("lock {} 1000", tdshm_tests::foreign::Names::of(scene.name()).data_lock));
    peer.stop();
    for _ in 0..5 {
        net.step().unwrap();
    }
    assert_eq!(said(&out).0, "Shared memory 'a' is locked by another process.");
    assert_eq!(count(&out, "shm_missed"), 4.0, "those that were known of in the last cook");
    let waited = count(&out, "shm_lock_wait_ms");
    assert!(waited > 0.0 && waited <= 4.0 * 250.0 / 60.0, "{waited}");
    peer.go_on();
    peer.ask("unlock");
    net.step().unwrap();
    net.step().unwrap();
    assert_eq!(said(&out), Default::default());
    let here = input(&network(scene.name()), "a");
    set(&here, "memtype", "global");
    assert_eq!(next_seed(&here), Some(8));
}
