//! Shared Mem In and Shared Mem Out CHOP against another process: row by row what operators §9.3 and §9.4 say.

use tdshm_ops::{Flag, Network};
use tdshm_tests::foreign::{Block, Foreign, Info as ForeignInfo, Mapping, Names};
use tdshm_tests::info::Info;
use tdshm_tests::nets::{count, flag, input, network, next, next_seed, output, said, seed, set};
use tdshm_tests::{Peer, Scene, frames};

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
