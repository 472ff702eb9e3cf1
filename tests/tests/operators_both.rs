//! Shared Mem In and Shared Mem Out, CHOP and TOP, against another process: the rows of operators §9.3 and §9.4 that are the
//! same for channels and for images.

use std::time::Duration;

use tdshm_ops::{Flag, Network, Op};
use tdshm_tests::info::Info;
use tdshm_tests::kinds::{Filled, Kind};
use tdshm_tests::nets::{count, flag, network, said, set};
use tdshm_tests::system::DIES_WITH_HANDLES;
use tdshm_tests::{Peer, Scene, of_both_kinds};

of_both_kinds! {
    bypass_and_lock_of_an_in,
    a_killed_sender_leaves_its_data_and_another_is_followed,
    a_sender_that_died_while_writing_is_told_once,
    an_in_follows_its_name_and_its_type,
    names_that_cannot_be_are_errors,
    a_name_that_somebody_sends_is_an_error_with_that_process,
    an_out_that_is_not_active_leaves_and_comes_back,
    bypass_and_lock_of_an_out,
    an_out_follows_its_name_and_its_type_and_leaves_when_it_goes,
    a_lock_that_an_in_cannot_have_costs_frames_and_not_cooks,
    a_lock_that_an_out_cannot_have_costs_frames_and_not_cooks,
}

/// A quarter of a frame at 60 frames a second, in milliseconds.
const QUARTER: f64 = 250.0 / 60.0;

/// A peer that has sent frame 1.
fn sending<K: Kind>(scene: &Scene, filled: Filled) -> Peer {
    let mut peer = scene.peer();
    K::sender(&mut peer, scene.name(), filled);
    K::send(&mut peer, 1);
    peer
}

fn receiving<K: Kind>(scene: &Scene, name: &str) -> Peer {
    let mut peer = scene.peer();
    K::receiver(&mut peer, name);
    peer
}

fn net(scene: &Scene) -> Network {
    network(&format!("{}global", scene.name()))
}

fn until_news(scene: &Scene, op: &Op, what: &str, mut is: impl FnMut(&Op) -> bool) {
    scene.until(what, || {
        op.network().step().unwrap();
        op.cook(tdshm_ops::Force::No).unwrap();
        is(op)
    });
}

fn locked(name: &str) -> (String, String) {
    (format!("Shared memory '{name}' is locked by another process."), String::new())
}

fn bypass_and_lock_of_an_in<K: Kind>() {
    let scene = Scene::new("operators: in, flags");
    let mut peer = sending::<K>(&scene, Filled::AsUsual);
    let net = net(&scene);
    let here = K::input(&net, scene.name());
    assert_eq!(K::next_seed(&here), Some(1));
    flag(&here, Flag::Bypass, true);
    net.step().unwrap();
    assert!(K::is_nothing(&here), "there is no input to pass");
    flag(&here, Flag::Bypass, false);
    assert_eq!(K::next_seed(&here), Some(1), "without a new frame as well");
    flag(&here, Flag::Lock, true);
    K::send(&mut peer, 2);
    assert_eq!(K::next_seed(&here), Some(1));
    flag(&here, Flag::Lock, false);
    assert_eq!(K::next_seed(&here), Some(2));
}

fn a_killed_sender_leaves_its_data_and_another_is_followed<K: Kind>() {
    let scene = Scene::new("operators: in, sender killed");
    let name = scene.name();
    let net = net(&scene);
    let here = K::input(&net, name);
    let mut peer = sending::<K>(&scene, Filled::AsUsual);
    assert_eq!(K::next_seed(&here), Some(1));
    assert_eq!(count(&here, "shm_sender_pid"), f64::from(peer.pid()));
    if K::FILLS_WITHOUT_THE_LOCK {
        K::hold_send(&mut peer, 2);
        assert_eq!(K::next_seed(&here), Some(1), "half a frame is none");
    }
    peer.kill();
    until_news(&scene, &here, "the death to be seen", |here| {
        assert_eq!(K::seed(here), Some(1));
        said(here) == (format!("Shared memory '{name}' has no sender."), String::new())
    });
    assert_eq!((count(&here, "shm_connected"), count(&here, "shm_sender_pid")), (0.0, 0.0));
    let mut peer = sending::<K>(&scene, Filled::AsUsual);
    K::send(&mut peer, 2);
    until_news(&scene, &here, "the next sender", |here| K::seed(here) == Some(2));
}

fn a_sender_that_died_while_writing_is_told_once<K: Kind>() {
    let scene = Scene::new("operators: in, killed in a write");
    let name = scene.name();
    let net = net(&scene);
    let here = K::input(&net, name);
    let mut peer = sending::<K>(&scene, Filled::WithTheLock);
    assert_eq!(K::next_seed(&here), Some(1));
    K::hold_send(&mut peer, 2);
    peer.kill();
    let died = format!("The sender of '{name}' died while writing.");
    let mut told = 0;
    until_news(&scene, &here, "the death to be seen", |here| {
        assert_eq!(K::seed(here), Some(1), "half a frame is none");
        let (warnings, errors) = said(here);
        assert_eq!(errors, "");
        told += u32::from(warnings.lines().any(|line| line == died));
        warnings == format!("Shared memory '{name}' has no sender.")
    });
    assert_eq!(told, 1, "one cook");
    let mut peer = sending::<K>(&scene, Filled::WithTheLock);
    K::send(&mut peer, 3);
    until_news(&scene, &here, "the next sender", |here| K::seed(here) == Some(3));
    assert_eq!(said(&here), Default::default());
}

fn an_in_follows_its_name_and_its_type<K: Kind>() {
    let scene = Scene::new("operators: in, name");
    let name = scene.name();
    let other = format!("{name}other");
    let mut one = sending::<K>(&scene, Filled::AsUsual);
    let mut two = scene.peer();
    K::sender(&mut two, &other, Filled::AsUsual);
    let net = net(&scene);
    let here = K::input(&net, name);
    assert_eq!(K::next_seed(&here), Some(1));
    let info = Info::of(&scene);
    set(&here, "name", other.as_str());
    assert_eq!(K::next_seed(&here), Some(1), "the output stays until something came");
    assert_eq!(info.registered(), 0);
    K::send(&mut two, 7);
    assert_eq!(K::next_seed(&here), Some(7));
    set(&here, "memtype", "global");
    K::send(&mut one, 2);
    assert_eq!(K::next_seed(&here), Some(7));
    assert_eq!(
        said(&here).0,
        "No Global sender of this project runs; TouchDesigner's Global memory cannot be read: set Shared Mem Type to \
         Local."
    );
    set(&here, "memtype", "local");
    set(&here, "name", name);
    assert_eq!(K::next_seed(&here), Some(2));
    assert_eq!(info.registered(), 1);
    here.destroy().unwrap();
    assert_eq!(info.registered(), 0);
}

fn names_that_cannot_be_are_errors<K: Kind>() {
    let scene = Scene::new("operators: names");
    let net = net(&scene);
    let here = K::input(&net, "");
    let (_, out) = K::output(&net, "");
    let long = "x".repeat(4000);
    for op in [&here, &out] {
        let _ = K::next_seed(op);
        assert_eq!(said(op), (String::new(), "Shared Mem Name is empty.".into()));
        let illegal = if cfg!(windows) { "a\\b" } else { "a/b" };
        set(op, "name", illegal);
        let _ = K::next_seed(op);
        let (warnings, error) = said(op);
        assert_eq!(warnings, "");
        assert!(
            error.starts_with(&format!("Shared Mem Name '{illegal}' cannot be used: it holds '"))
                && error.ends_with('.'),
            "{error}"
        );
        set(op, "name", long.as_str());
        let _ = K::next_seed(op);
        let error = said(op).1;
        assert!(error.contains(" cannot be used: it has 40") && error.len() < 400, "{error}");
    }
}

fn a_name_that_somebody_sends_is_an_error_with_that_process<K: Kind>() {
    let scene = Scene::new("operators: out, taken");
    let name = scene.name();
    let mut peer = sending::<K>(&scene, Filled::AsUsual);
    let net = net(&scene);
    let (give, out) = K::output(&net, name);
    set(&give, "seed", 4);
    assert_eq!(K::next_seed(&out), Some(4), "the input passes all the same");
    let text = format!("Shared memory '{name}' already exists (process {}).", peer.pid());
    assert_eq!(said(&out), (String::new(), text));
    assert_eq!(count(&out, "shm_connected"), 0.0);
    K::detach(&mut peer);
    let _ = K::next_seed(&out);
    assert_eq!(said(&out), Default::default());
    K::receiver(&mut peer, name);
    assert_eq!(K::read(&mut peer), Some(4));
}

fn an_out_that_is_not_active_leaves_and_comes_back<K: Kind>() {
    let scene = Scene::new("operators: out, active");
    let name = scene.name();
    let net = net(&scene);
    let (give, out) = K::output(&net, name);
    set(&give, "seed", 1);
    let mut peer = receiving::<K>(&scene, name);
    net.step().unwrap();
    assert_eq!(K::read(&mut peer), Some(1));
    assert_eq!(count(&out, "shm_connected"), 1.0);
    set(&out, "active", false);
    set(&give, "seed", 2);
    net.step().unwrap();
    assert_eq!(K::try_next(&mut peer), None);
    assert!(K::left(&mut peer));
    assert_eq!((count(&out, "shm_connected"), count(&out, "shm_sender_pid")), (0.0, 0.0));
    if !DIES_WITH_HANDLES {
        assert!(scene.objects().iter().all(|object| object.ends_with("Mutex")), "{:?}", scene.objects());
    }
    assert_eq!(K::seed(&out), Some(2), "the input still passes");
    set(&out, "active", true);
    net.step().unwrap();
    assert_eq!(K::read(&mut peer), Some(2));
    assert_eq!(count(&out, "shm_frames"), 2.0);
}

fn bypass_and_lock_of_an_out<K: Kind>() {
    let scene = Scene::new("operators: out, flags");
    let name = scene.name();
    let net = net(&scene);
    let (give, out) = K::output(&net, name);
    set(&give, "seed", 1);
    let mut peer = receiving::<K>(&scene, name);
    net.step().unwrap();
    assert_eq!(K::try_next(&mut peer), Some(1));
    flag(&out, Flag::Bypass, true);
    set(&give, "seed", 2);
    net.step().unwrap();
    assert_eq!(K::seed(&out), Some(2));
    assert_eq!(K::try_next(&mut peer), None, "nothing is written");
    flag(&out, Flag::Bypass, false);
    net.step().unwrap();
    assert_eq!(K::try_next(&mut peer), Some(2));
    flag(&out, Flag::Lock, true);
    set(&give, "seed", 3);
    net.step().unwrap();
    assert_eq!(K::seed(&out), Some(2));
    assert_eq!(K::try_next(&mut peer), None, "nothing is written");
    flag(&out, Flag::Lock, false);
    net.step().unwrap();
    assert_eq!(K::try_next(&mut peer), Some(3));
}

fn an_out_follows_its_name_and_its_type_and_leaves_when_it_goes<K: Kind>() {
    let scene = Scene::new("operators: out, name");
    let name = scene.name();
    let other = format!("{name}other");
    let net = net(&scene);
    let (give, out) = K::output(&net, name);
    set(&give, "seed", 1);
    let mut first = receiving::<K>(&scene, name);
    let mut second = receiving::<K>(&scene, &other);
    net.step().unwrap();
    assert_eq!(K::read(&mut first), Some(1));
    set(&out, "name", other.as_str());
    net.step().unwrap();
    assert_eq!((K::try_next(&mut first), K::read(&mut second)), (None, Some(1)));
    assert!(K::left(&mut first));
    set(&out, "memtype", "global");
    net.step().unwrap();
    assert_eq!(K::try_next(&mut second), None);
    assert!(K::left(&mut second));
    set(&out, "memtype", "local");
    net.step().unwrap();
    assert_eq!(K::read(&mut second), Some(1));
    out.destroy().unwrap();
    assert_eq!(K::try_next(&mut second), None);
    assert!(K::left(&mut second));
}

/// A process that stands still in the middle of a write costs frames, and little time.
fn a_lock_that_an_in_cannot_have_costs_frames_and_not_cooks<K: Kind>() {
    let scene = Scene::new("operators: in, locked");
    let name = scene.name();
    let net = net(&scene);
    let here = K::input(&net, name);
    let mut peer = sending::<K>(&scene, Filled::WithTheLock);
    assert_eq!(K::next_seed(&here), Some(1));
    K::hold_send(&mut peer, 2);
    peer.stop();
    let mut waited = count(&here, "shm_lock_wait_ms");
    assert_eq!(waited, 0.0);
    for _ in 0..20 {
        assert_eq!(K::next_seed(&here), Some(1));
        assert_eq!(said(&here), locked(name));
        let now = count(&here, "shm_lock_wait_ms");
        assert!(now > waited && now - waited <= QUARTER, "{waited} ms, then {now} ms");
        waited = now;
    }
    // The same for one that comes only now.
    let late = K::input(&net, name);
    let _ = K::next_seed(&late);
    assert!(count(&late, "shm_lock_wait_ms") <= QUARTER);
    net.set_patience(Duration::from_micros(800));
    let _ = K::next_seed(&here);
    assert!(count(&here, "shm_lock_wait_ms") - waited <= 0.8);
    peer.go_on();
    peer.ask("let-go");
    assert_eq!(K::next_seed(&here), Some(2));
    assert_eq!(said(&here), Default::default());
}

fn a_lock_that_an_out_cannot_have_costs_frames_and_not_cooks<K: Kind>() {
    let scene = Scene::new("operators: out, locked");
    let name = scene.name();
    let net = net(&scene);
    let (give, out) = K::output(&net, name);
    set(&give, "seed", 1);
    net.step().unwrap();
    let mut peer = receiving::<K>(&scene, name);
    K::hold_view(&mut peer);
    peer.stop();
    let mut waited = count(&out, "shm_lock_wait_ms");
    for frame in 1_u8..=20 {
        set(&give, "seed", i64::from(frame) + 1);
        // A block that needs another segment as well.
        K::outgrow(&give, frame % 5 == 0);
        net.step().unwrap();
        assert_eq!(said(&out), locked(name));
        assert_eq!(K::seed(&out), Some(u32::from(frame) + 1), "the input passes");
        let now = count(&out, "shm_lock_wait_ms");
        assert!(now > waited && now - waited <= QUARTER, "{waited} ms, then {now} ms");
        waited = now;
        assert_eq!((count(&out, "shm_frames"), count(&out, "shm_missed")), (1.0, f64::from(frame)));
    }
    peer.go_on();
    peer.ask("let-go");
    net.step().unwrap();
    assert_eq!(said(&out), Default::default());
    assert_eq!(K::read(&mut peer), Some(21));
    // One that dies with the lock is told, and the frame is whole.
    K::hold_view(&mut peer);
    peer.kill();
    net.step().unwrap();
    assert_eq!(said(&out).0, format!("A receiver of '{name}' died while reading."));
    net.step().unwrap();
    assert_eq!(said(&out), Default::default());
}
