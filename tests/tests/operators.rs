//! Shared Mem In and Shared Mem Out CHOP against another process: row by row what operators §9.3 and §9.4 say.

use std::time::Duration;

use tdshm_ops::{Flag, Network, Op};
use tdshm_tests::foreign::{Block, Foreign, Info as ForeignInfo, Mapping, Names};
use tdshm_tests::info::Info;
use tdshm_tests::nets::{count, flag, input, network, next, next_seed, output, said, seed, set};
use tdshm_tests::system::DIES_WITH_HANDLES;
use tdshm_tests::{Peer, Scene, frames};

/// A quarter of a frame at 60 frames a second, in milliseconds.
const QUARTER: f64 = 250.0 / 60.0;

fn sender(scene: &Scene) -> Peer {
    let mut peer = scene.peer();
    peer.ask(&format!("sender {} 4096", scene.name()));
    peer.ask("send 2 5 60 1 default");
    peer
}

fn receiver(scene: &Scene, name: &str) -> Peer {
    let mut peer = scene.peer();
    peer.ask(&format!("receiver {name}"));
    peer
}

fn net(scene: &Scene) -> Network {
    network(&format!("{}global", scene.name()))
}

fn wait_for_news(scene: &Scene, op: &Op, what: &str, mut is: impl FnMut(&Op) -> bool) {
    scene.until(what, || {
        let _ = next(op);
        is(op)
    });
}

#[test]
fn an_in_that_is_not_active_keeps_its_output_and_lets_go_of_the_segment() {
    let scene = Scene::new("operators: in, active");
    let mut peer = sender(&scene);
    let net = net(&scene);
    let here = input(&net, scene.name());
    assert_eq!(next_seed(&here), Some(1));
    assert_eq!(said(&here), Default::default());
    let info = Info::of(&scene);
    assert_eq!((info.registered(), count(&here, "shm_connected")), (1, 1.0));
    set(&here, "active", false);
    peer.ask("send 2 5 60 2 default");
    assert_eq!(next_seed(&here), Some(1));
    assert_eq!((info.registered(), count(&here, "shm_connected")), (0, 0.0));
    assert_eq!(said(&here), Default::default());
    peer.ask("send 2 50000 60 3 nonames");
    set(&here, "active", true);
    let clip = next(&here);
    assert_eq!((seed(&clip), clip.len_samples(), info.registered()), (Some(3), 50000, 1));
    assert!(clip.names().are(["chan1", "chan2"]), "a block without names keeps those there were");
    assert_eq!(count(&here, "shm_frames"), 2.0);
}

#[test]
fn an_in_that_nobody_asks_opens_nothing() {
    let scene = Scene::new("operators: in, not asked");
    let _peer = sender(&scene);
    let net = net(&scene);
    let here = input(&net, scene.name());
    let info = Info::of(&scene);
    for _ in 0..10 {
        net.step().unwrap();
    }
    assert_eq!((here.total_cooks().unwrap(), info.registered()), (0, 0));
    flag(&here, Flag::Viewer, true);
    net.step().unwrap();
    assert_eq!((here.total_cooks().unwrap(), info.registered()), (1, 1));
}

#[test]
fn bypass_and_lock_of_an_in() {
    let scene = Scene::new("operators: in, flags");
    let mut peer = sender(&scene);
    let net = net(&scene);
    let here = input(&net, scene.name());
    assert_eq!(next_seed(&here), Some(1));
    flag(&here, Flag::Bypass, true);
    assert_eq!(next(&here).num_channels(), 0, "there is no input to pass");
    flag(&here, Flag::Bypass, false);
    assert_eq!(next_seed(&here), Some(1), "without a new frame as well");
    flag(&here, Flag::Lock, true);
    peer.ask("send 2 5 60 2 default");
    assert_eq!(next_seed(&here), Some(1));
    flag(&here, Flag::Lock, false);
    assert_eq!(next_seed(&here), Some(2));
}

#[test]
fn a_sender_that_ends_leaves_its_data_and_one_that_returns_is_followed() {
    let scene = Scene::new("operators: in, sender ends");
    let name = scene.name();
    let net = net(&scene);
    let here = input(&net, name);
    assert_eq!(next(&here).num_channels(), 0);
    assert_eq!(said(&here), (format!("Shared memory '{name}' not found."), String::new()));
    let mut peer = sender(&scene);
    assert_eq!(next_seed(&here), Some(1));
    assert_eq!(said(&here), Default::default(), "a good cook clears them");
    peer.ask("detach");
    assert_eq!(next_seed(&here), Some(1));
    assert_eq!(said(&here), (format!("Shared memory '{name}' has no sender."), String::new()));
    peer.ask(&format!("sender {name} 4096"));
    peer.ask("send 3 7 120 9 names");
    let clip = next(&here);
    assert_eq!((seed(&clip), clip.rate()), (Some(9), 120.0));
    assert!(clip.names().are(frames::names(9, 3)));
    assert_eq!((clip.start(), clip.is_slice()), (0, false));
    assert_eq!(said(&here), Default::default());
}

#[test]
fn a_killed_sender_leaves_its_data_and_another_is_followed() {
    let scene = Scene::new("operators: in, sender killed");
    let name = scene.name();
    let net = net(&scene);
    let here = input(&net, name);
    let mut peer = sender(&scene);
    assert_eq!(next_seed(&here), Some(1));
    assert_eq!(count(&here, "shm_sender_pid"), f64::from(peer.pid()));
    peer.kill();
    wait_for_news(&scene, &here, "the death to be seen", |here| {
        assert_eq!(seed(&here.clip().unwrap()), Some(1));
        said(here) == (format!("Shared memory '{name}' has no sender."), String::new())
    });
    assert_eq!((count(&here, "shm_connected"), count(&here, "shm_sender_pid")), (0.0, 0.0));
    let mut peer = sender(&scene);
    peer.ask("send 2 5 60 2 default");
    wait_for_news(&scene, &here, "the next sender", |here| seed(&here.clip().unwrap()) == Some(2));
}

#[test]
fn a_sender_that_died_while_writing_is_told_once() {
    let scene = Scene::new("operators: in, killed in a write");
    let name = scene.name();
    let net = net(&scene);
    let here = input(&net, name);
    let mut peer = sender(&scene);
    assert_eq!(next_seed(&here), Some(1));
    peer.ask("hold-send 2 5 60 2");
    peer.kill();
    let died = format!("The sender of '{name}' died while writing.");
    let mut told = 0;
    wait_for_news(&scene, &here, "the death to be seen", |here| {
        assert_eq!(seed(&here.clip().unwrap()), Some(1), "half a frame is none");
        let (warnings, errors) = said(here);
        assert_eq!(errors, "");
        told += u32::from(warnings.lines().any(|line| line == died));
        warnings == format!("Shared memory '{name}' has no sender.")
    });
    assert_eq!(told, 1, "one cook");
    let mut peer = sender(&scene);
    peer.ask("send 2 5 60 3 default");
    wait_for_news(&scene, &here, "the next sender", |here| seed(&here.clip().unwrap()) == Some(3));
    assert_eq!(said(&here), Default::default());
}

#[test]
fn an_in_follows_its_name_and_its_type() {
    let scene = Scene::new("operators: in, name");
    let name = scene.name();
    let other = format!("{name}other");
    let mut one = sender(&scene);
    let mut two = scene.peer();
    two.ask(&format!("sender {other} 4096"));
    let net = net(&scene);
    let here = input(&net, name);
    assert_eq!(next_seed(&here), Some(1));
    let info = Info::of(&scene);
    set(&here, "name", other.as_str());
    assert_eq!(next_seed(&here), Some(1), "the output stays until something came");
    assert_eq!(info.registered(), 0);
    two.ask("send 1 1 60 7 default");
    assert_eq!(next_seed(&here), Some(7));
    set(&here, "memtype", "global");
    one.ask("send 2 5 60 2 default");
    assert_eq!(next_seed(&here), Some(7));
    assert_eq!(
        said(&here).0,
        "No Global sender of this project runs; TouchDesigner's Global memory cannot be read: set Shared Mem Type to \
         Local."
    );
    set(&here, "memtype", "local");
    set(&here, "name", name);
    assert_eq!(next_seed(&here), Some(2));
    assert_eq!(info.registered(), 1);
    here.destroy().unwrap();
    assert_eq!(info.registered(), 0);
}

#[test]
fn names_that_cannot_be_are_errors() {
    let scene = Scene::new("operators: names");
    let net = net(&scene);
    let here = input(&net, "");
    let (_, out) = output(&net, "");
    let long = "x".repeat(4000);
    for op in [&here, &out] {
        let _ = next(op);
        assert_eq!(said(op), (String::new(), "Shared Mem Name is empty.".into()));
        let illegal = if cfg!(windows) { "a\\b" } else { "a/b" };
        set(op, "name", illegal);
        let _ = next(op);
        let (warnings, error) = said(op);
        assert_eq!(warnings, "");
        assert!(
            error.starts_with(&format!("Shared Mem Name '{illegal}' cannot be used: it holds '"))
                && error.ends_with('.'),
            "{error}"
        );
        set(op, "name", long.as_str());
        let _ = next(op);
        let error = said(op).1;
        assert!(error.contains(" cannot be used: it has 40") && error.len() < 400, "{error}");
    }
}

#[test]
fn a_name_that_somebody_sends_is_an_error_with_that_process() {
    let scene = Scene::new("operators: out, taken");
    let name = scene.name();
    let mut peer = sender(&scene);
    let net = net(&scene);
    let (give, out) = output(&net, name);
    set(&give, "seed", 4);
    let passed = next(&out);
    assert_eq!(seed(&passed), Some(4), "the input passes all the same");
    let text = format!("Shared memory '{name}' already exists (process {}).", peer.pid());
    assert_eq!(said(&out), (String::new(), text));
    assert_eq!(count(&out, "shm_connected"), 0.0);
    peer.ask("detach");
    let _ = next(&out);
    assert_eq!(said(&out), Default::default());
    peer.ask(&format!("receiver {name}"));
    assert_eq!(peer.see("read").unwrap().seed, Some(4));
}

#[test]
fn a_name_that_a_foreign_program_has_is_an_error() {
    let scene = Scene::new("operators: out, foreign");
    let name = scene.name();
    let _foreign = Foreign::default().start(name);
    let net = net(&scene);
    let (_, out) = output(&net, name);
    let _ = next(&out);
    let error = said(&out).1;
    assert!(error.starts_with(&format!("Shared memory '{name}' already exists (process unknown")), "{error}");
}

#[test]
fn an_out_that_is_not_active_leaves_and_comes_back() {
    let scene = Scene::new("operators: out, active");
    let name = scene.name();
    let net = net(&scene);
    let (give, out) = output(&net, name);
    for (par, value) in [("seed", 1), ("count", 2), ("len", 5)] {
        set(&give, par, value);
    }
    let mut peer = receiver(&scene, name);
    net.step().unwrap();
    assert_eq!(peer.see("read").unwrap().seed, Some(1));
    assert_eq!(count(&out, "shm_connected"), 1.0);
    set(&out, "active", false);
    set(&give, "seed", 2);
    net.step().unwrap();
    assert_eq!(peer.see("try-next"), None);
    assert!(peer.ask("state").starts_with("Left"), "{}", peer.ask("state"));
    assert_eq!((count(&out, "shm_connected"), count(&out, "shm_sender_pid")), (0.0, 0.0));
    if !DIES_WITH_HANDLES {
        assert!(scene.objects().iter().all(|object| object.ends_with("Mutex")), "{:?}", scene.objects());
    }
    assert_eq!(seed(&out.clip().unwrap()), Some(2), "the input still passes");
    set(&out, "active", true);
    net.step().unwrap();
    assert_eq!(peer.see("read").unwrap().seed, Some(2));
    assert_eq!(count(&out, "shm_frames"), 2.0);
}

#[test]
fn bypass_and_lock_of_an_out() {
    let scene = Scene::new("operators: out, flags");
    let name = scene.name();
    let net = net(&scene);
    let (give, out) = output(&net, name);
    set(&give, "seed", 1);
    let mut peer = receiver(&scene, name);
    net.step().unwrap();
    assert_eq!(peer.see("try-next").unwrap().seed, Some(1));
    flag(&out, Flag::Bypass, true);
    set(&give, "seed", 2);
    net.step().unwrap();
    assert_eq!(seed(&out.clip().unwrap()), Some(2));
    assert_eq!(peer.see("try-next"), None, "nothing is written");
    flag(&out, Flag::Bypass, false);
    net.step().unwrap();
    assert_eq!(peer.see("try-next").unwrap().seed, Some(2));
    flag(&out, Flag::Lock, true);
    set(&give, "seed", 3);
    net.step().unwrap();
    assert_eq!(seed(&out.clip().unwrap()), Some(2));
    assert_eq!(peer.see("try-next"), None, "nothing is written");
    flag(&out, Flag::Lock, false);
    net.step().unwrap();
    assert_eq!(peer.see("try-next").unwrap().seed, Some(3));
}

#[test]
fn an_out_follows_its_name_and_its_type_and_leaves_when_it_goes() {
    let scene = Scene::new("operators: out, name");
    let name = scene.name();
    let other = format!("{name}other");
    let net = net(&scene);
    let (give, out) = output(&net, name);
    set(&give, "seed", 1);
    let mut first = receiver(&scene, name);
    let mut second = receiver(&scene, &other);
    net.step().unwrap();
    assert_eq!(first.see("read").unwrap().seed, Some(1));
    set(&out, "name", other.as_str());
    net.step().unwrap();
    assert_eq!((first.see("try-next"), second.see("read").unwrap().seed), (None, Some(1)));
    assert!(first.ask("state").starts_with("Left"));
    set(&out, "memtype", "global");
    net.step().unwrap();
    assert_eq!(second.see("try-next"), None);
    assert!(second.ask("state").starts_with("Left"));
    set(&out, "memtype", "local");
    net.step().unwrap();
    assert_eq!(second.see("read").unwrap().seed, Some(1));
    out.destroy().unwrap();
    assert_eq!(second.see("try-next"), None);
    assert!(second.ask("state").starts_with("Left"));
}

#[test]
fn an_out_without_input_sends_an_empty_block_and_says_so() {
    let scene = Scene::new("operators: out, no input");
    let name = scene.name();
    let net = net(&scene);
    let out = net.root().create("sharedmemoutCHOP", None).unwrap();
    set(&out, "name", name);
    let mut peer = receiver(&scene, name);
    net.step().unwrap();
    assert_eq!(said(&out), ("Not enough inputs.".into(), String::new()));
    let seen = peer.see("read").unwrap();
    assert_eq!((seen.count, seen.length), (0, 0));
}

#[test]
fn a_bad_block_is_an_error_that_names_the_field() {
    let scene = Scene::new("operators: bad block");
    let name = scene.name();
    let good = Block::new(2, &frames::flat(1, 2, 3), 60.0, Some(&["a", "b"]));
    let foreign = Foreign { size: 4096, info: ForeignInfo::Missing, ..Foreign::default() }.start(name);
    foreign.send(&good);
    let data = Mapping::open(&Names::of(name).data).unwrap();
    let net = net(&scene);
    let here = input(&net, name);
    assert_eq!(next_seed(&here), Some(1));
    data.write(12, &(-1_i32).to_le_bytes());
    assert_eq!(next_seed(&here), Some(1), "the last good one");
    let text = format!("Shared memory '{name}' holds invalid data: numChans is -1, expected at least 0.");
    assert_eq!(said(&here), (String::new(), text));
    data.write(12, &2_i32.to_le_bytes());
    data.write(16, &100_000_i32.to_le_bytes());
    let _ = next(&here);
    let text = "numChans * length * 4 is 800000, expected at most 4060.";
    assert_eq!(said(&here).1, format!("Shared memory '{name}' holds invalid data: {text}"));
    data.write(0, b"nonsense");
    let _ = next(&here);
    let text = "magic is 0x736e6f6e, expected 0x12ed54cf.";
    assert_eq!(said(&here).1, format!("Shared memory '{name}' holds invalid data: {text}"));
    foreign.send(&good);
    assert_eq!(next_seed(&here), Some(1));
    assert_eq!(said(&here), Default::default());
}

#[test]
fn an_image_is_not_channels() {
    let scene = Scene::new("operators: image");
    let name = scene.name();
    let mut peer = scene.peer();
    peer.ask(&format!("top-sender {name} auto 2"));
    peer.ask("top-send 1");
    let net = net(&scene);
    let here = input(&net, name);
    let _ = next(&here);
    let text = format!("Shared memory '{name}' holds an image, not channels.");
    assert_eq!(said(&here), (String::new(), text));
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "Linux alone: elsewhere names of objects are no files")]
fn what_is_no_segment_cannot_be_mapped() {
    let scene = Scene::new("operators: no segment");
    #[cfg(target_os = "linux")]
    {
        let name = scene.name();
        std::fs::create_dir(scene.path(&Names::of(name).info)).unwrap();
        let net = net(&scene);
        let here = input(&net, name);
        let (_, out) = output(&net, name);
        for op in [here, out] {
            let _ = next(&op);
            let (warnings, error) = said(&op);
            assert_eq!(warnings, "");
            assert!(error.starts_with(&format!("Unable to map shared memory '{name}': ")), "{error}");
        }
    }
    drop(scene);
}

/// A process that stands still in the middle of a write costs frames, and little time.
#[test]
fn a_lock_that_an_in_cannot_have_costs_frames_and_not_cooks() {
    let scene = Scene::new("operators: in, locked");
    let name = scene.name();
    let net = net(&scene);
    let here = input(&net, name);
    let mut peer = sender(&scene);
    assert_eq!(next_seed(&here), Some(1));
    peer.ask("hold-send 2 5 60 2");
    peer.stop();
    let mut waited = count(&here, "shm_lock_wait_ms");
    assert_eq!(waited, 0.0);
    for _ in 0..20 {
        assert_eq!(next_seed(&here), Some(1));
        assert_eq!(
            said(&here),
            (format!("Shared memory '{name}' is locked by another process."), String::new())
        );
        let now = count(&here, "shm_lock_wait_ms");
        assert!(now > waited && now - waited <= QUARTER, "{waited} ms, then {now} ms");
        waited = now;
    }
    // The same for one that comes only now.
    let late = input(&net, name);
    let _ = next(&late);
    assert!(count(&late, "shm_lock_wait_ms") <= QUARTER);
    net.set_patience(Duration::from_micros(800));
    let _ = next(&here);
    assert!(count(&here, "shm_lock_wait_ms") - waited <= 0.8);
    peer.go_on();
    peer.ask("let-go");
    assert_eq!(next_seed(&here), Some(2));
    assert_eq!(said(&here), Default::default());
}

#[test]
fn a_lock_that_an_out_cannot_have_costs_frames_and_not_cooks() {
    let scene = Scene::new("operators: out, locked");
    let name = scene.name();
    let net = net(&scene);
    let (give, out) = output(&net, name);
    set(&give, "seed", 1);
    net.step().unwrap();
    let mut peer = receiver(&scene, name);
    assert_eq!(peer.see("hold-view").unwrap().seed, Some(1));
    peer.stop();
    let mut waited = count(&out, "shm_lock_wait_ms");
    for frame in 1..=20 {
        set(&give, "seed", frame + 1);
        // A block that needs another segment as well.
        set(&give, "len", if frame % 5 == 0 { 100_000 } else { 1 });
        net.step().unwrap();
        assert_eq!(
            said(&out),
            (format!("Shared memory '{name}' is locked by another process."), String::new())
        );
        assert_eq!(seed(&out.clip().unwrap()), Some(u32::try_from(frame + 1).unwrap()), "the input passes");
        let now = count(&out, "shm_lock_wait_ms");
        assert!(now > waited && now - waited <= QUARTER, "{waited} ms, then {now} ms");
        waited = now;
        assert_eq!((count(&out, "shm_frames"), count(&out, "shm_missed")), (1.0, f64::from(frame as u8)));
    }
    peer.go_on();
    peer.ask("let-go");
    net.step().unwrap();
    assert_eq!(said(&out), Default::default());
    assert_eq!(peer.see("read").unwrap().seed, Some(21));
    // One that dies with the lock is told, and the frame is whole.
    peer.see("hold-view").unwrap();
    peer.kill();
    net.step().unwrap();
    assert_eq!(said(&out).0, format!("A receiver of '{name}' died while reading."));
    net.step().unwrap();
    assert_eq!(said(&out), Default::default());
}

#[test]
fn what_happens_in_shared_memory_is_counted() {
    let scene = Scene::new("operators: info");
    let name = scene.name();
    let net = net(&scene);
    let here = input(&net, name);
    let names: Vec<_> =
        here.info(tdshm_ops::InfoType::Shm).unwrap().into_iter().map(|(name, _)| name).collect();
    let all = [
        "shm_connected",
        "shm_frames",
        "shm_missed",
        "shm_age_ms",
        "shm_bytes",
        "shm_lock_wait_ms",
        "shm_resizes",
        "shm_sender_pid",
    ];
    assert_eq!(names, all);
    assert_eq!(all.map(|channel| count(&here, channel)), [0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0]);
    let mut peer = sender(&scene);
    let _ = next(&here);
    for number in 2..=4 {
        peer.ask(&format!("send 2 5 60 {number} default"));
    }
    let _ = next(&here);
    assert_eq!((count(&here, "shm_frames"), count(&here, "shm_missed")), (2.0, 2.0));
    let age = count(&here, "shm_age_ms");
    scene.until("time to pass", || count(&here, "shm_age_ms") > age);
    let bytes = count(&here, "shm_bytes");
    assert!(bytes >= 4096.0, "{bytes}");
    peer.ask("send 2 50000 60 5 default");
    let _ = next(&here);
    assert_eq!(count(&here, "shm_resizes"), 1.0);
    assert!(count(&here, "shm_bytes") > 400_000.0);
    assert_eq!(count(&here, "shm_sender_pid"), f64::from(peer.pid()));
    // And of a sender.
    let (give, out) = output(&net, &format!("{name}out"));
    net.step().unwrap();
    set(&give, "len", 100_000);
    net.step().unwrap();
    let found =
        ["shm_connected", "shm_frames", "shm_missed", "shm_resizes"].map(|channel| count(&out, channel));
    assert_eq!(found, [1.0, 2.0, 0.0, 1.0]);
    assert_eq!(count(&out, "shm_sender_pid"), f64::from(std::process::id()));
    assert!(count(&out, "shm_age_ms") >= 0.0 && count(&out, "shm_bytes") >= 400_000.0);
}
