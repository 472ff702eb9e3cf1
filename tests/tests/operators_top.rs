//! Shared Mem In and Shared Mem Out TOP against another process: row by row what operators §9.3 and §9.4 say.

use tdshm::PixelFormat;
use tdshm_ops::{Flag, Network};
use tdshm_tests::foreign::{Foreign, Info as ForeignInfo, Mapping, Names};
use tdshm_tests::foreign_top::{TopBlock, legacy_header, parse_top, put};
use tdshm_tests::images::Image;
use tdshm_tests::info::Info;
use tdshm_tests::kinds::see;
use tdshm_tests::nets::{count, flag, network, said, set};
use tdshm_tests::nets_top::{image, input, next, next_seed, output, seed, sender};
use tdshm_tests::{Peer, Scene};

fn sending(scene: &Scene) -> Peer {
    let mut peer = scene.peer();
    peer.ask(&format!("top-sender {} auto 1", scene.name()));
    peer.ask("top-send 1");
    peer
}

fn receiving(scene: &Scene, name: &str) -> Peer {
    let mut peer = scene.peer();
    peer.ask(&format!("top-receiver {name}"));
    peer
}

fn net(scene: &Scene) -> Network {
    network(&format!("{}global", scene.name()))
}

#[test]
fn an_in_has_no_active_and_one_that_nobody_asks_opens_nothing() {
    let scene = Scene::new("operators: in top, not asked");
    let _peer = sending(&scene);
    let net = net(&scene);
    let here = input(&net, scene.name());
    assert!(here.par("active").is_err());
    let info = Info::of(&scene);
    for _ in 0..10 {
        net.step().unwrap();
    }
    assert_eq!((here.total_cooks().unwrap(), info.registered()), (0, 0));
    let null = net.root().create("nullTOP", None).unwrap();
    null.input_connector(0).unwrap().connect(&here).unwrap();
    for op in [&here, &null] {
        flag(op, Flag::Viewer, true);
    }
    net.step().unwrap();
    assert_eq!((here.total_cooks().unwrap(), info.registered()), (1, 1), "once, for both");
    assert!(std::sync::Arc::ptr_eq(&image(&here), &image(&null)), "what changes nothing shares its input");
}

/// The same where the Common page makes another image of it.
#[test]
fn bypass_and_a_new_setting_of_an_in_that_resizes() {
    let scene = Scene::new("operators: in top, resized");
    let mut peer = sending(&scene);
    let net = net(&scene);
    let here = input(&net, scene.name());
    let (width, height) = next(&here).size();
    set(&here, "outputresolution", "2x");
    let twice = next(&here);
    assert_eq!(twice.size(), (2 * width, 2 * height));
    assert!(std::sync::Arc::ptr_eq(&twice, &next(&here)), "nothing new: it is not made again");
    flag(&here, Flag::Bypass, true);
    net.step().unwrap();
    flag(&here, Flag::Bypass, false);
    assert_eq!(*next(&here), *twice);
    set(&here, "format", "mono32float");
    assert_eq!(next(&here).format(), Some(PixelFormat::R32_SFLOAT), "without a new image as well");
    set(&here, "outputresolution", "useinput");
    set(&here, "format", "useinput");
    assert_eq!(next_seed(&here), Some(1));
    peer.ask("top-send 2");
    assert_eq!(next_seed(&here), Some(2));
}

#[test]
fn a_sender_that_ends_leaves_its_image_and_one_that_returns_is_followed() {
    let scene = Scene::new("operators: in top, sender ends");
    let name = scene.name();
    let net = net(&scene);
    let here = input(&net, name);
    let black = next(&here);
    assert_eq!(
        (black.size(), black.sample(0, 0), black.sample(255, 255)),
        ((256, 256), [0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0])
    );
    assert_eq!(said(&here), (format!("Shared memory '{name}' not found."), String::new()));
    let mut peer = sending(&scene);
    assert_eq!(next_seed(&here), Some(1));
    assert_eq!(said(&here), Default::default(), "a good cook clears them");
    peer.ask("top-detach");
    for _ in 0..3 {
        assert_eq!(next_seed(&here), Some(1));
        assert_eq!(said(&here), (format!("Shared memory '{name}' has no sender."), String::new()));
    }
    for (round, version) in (2..).zip(["2", "legacy", "1"]) {
        peer.ask(&format!("top-sender {name} auto {version}"));
        peer.ask(&format!("top-send {round}"));
        assert_eq!(next_seed(&here), Some(round), "version {version}");
        assert_eq!(said(&here), Default::default());
        peer.ask("top-detach");
    }
}

#[test]
fn an_out_without_input_writes_nothing_and_says_so() {
    let scene = Scene::new("operators: out top, no input");
    let name = scene.name();
    let net = net(&scene);
    let out = sender(&net, name);
    net.step().unwrap();
    assert_eq!(said(&out), ("Not enough inputs.".into(), String::new()));
    assert!(!scene.has("TouchSHM{}"), "an image has a size at least");
    let (give, _) = output(&net, "");
    give.output_connector(0).unwrap().connect(&out).unwrap();
    set(&give, "seed", 5);
    net.step().unwrap();
    assert_eq!(said(&out), Default::default());
    assert_eq!(see(&mut receiving(&scene, name), "top-read"), Some(5));
}

#[test]
fn a_bad_block_is_an_error_that_names_the_field_and_the_last_image_stays() {
    let scene = Scene::new("operators: bad image");
    let name = scene.name();
    let good = || TopBlock::new(2, 2, 9, vec![1, 2, 3, 4]);
    let foreign = Foreign { size: 4096, info: ForeignInfo::Missing, ..Foreign::default() }.start(name);
    good().write_to(&foreign.data);
    let net = net(&scene);
    let here = input(&net, name);
    let say = |block: &TopBlock| {
        block.write_to(&foreign.data);
        assert_eq!(next(&here).pixels(), [1, 2, 3, 4], "the last good one");
        let (warnings, error) = said(&here);
        assert_eq!(warnings, "");
        error
    };
    let invalid = |what: &str| format!("Shared memory '{name}' holds invalid data: {what}.");
    for _ in 0..2 {
        assert_eq!(say(&good()), "");
        let error = say(&TopBlock { width: 0, ..good() });
        assert_eq!(error, invalid("width is 0, expected at least 1"));
        let error = say(&TopBlock { height: 40_000, ..good() });
        assert_eq!(error, invalid("height is 40000, expected at most 32768"));
        let error = say(&TopBlock { data_size: Some(5), ..good() });
        assert!(
            error
                .starts_with(&format!("Shared memory '{name}' holds invalid data: dataSize is 5, expected "))
        );
        let unknown = TopBlock { pixel_format: 4711, ..good() };
        for _ in 0..3 {
            assert_eq!(say(&unknown), "Pixel format 4711 is not supported.", "as long as it lies there");
        }
        let channels = TopBlock { magic: 0x12ed_54cf, version: 1, ..good() };
        assert_eq!(say(&channels), format!("Shared memory '{name}' holds channels, not an image."));
    }
    put(&foreign.data, 0, &legacy_header(2, (2, 2), [0x1234, 0x1401, 0x8058], 40));
    assert_eq!(next(&here).pixels(), [1, 2, 3, 4]);
    let error = said(&here).1;
    assert!(error.starts_with("Pixel format ") && error.ends_with(" is not supported."), "{error}");
}

/// What only blocks from before 2022 have becomes what it is nearest to.
#[test]
fn an_image_from_before_2022_is_read() {
    let scene = Scene::new("operators: old image");
    let foreign = Foreign { size: 4096, ..Foreign::default() }.start(scene.name());
    // BGR of bytes.
    put(&foreign.data, 0, &legacy_header(2, (2, 1), [0x80e0, 0x1401, 0x8051], 40));
    put(&foreign.data, 40, &[10, 20, 30, 40, 50, 60]);
    let net = net(&scene);
    let here = input(&net, scene.name());
    let given = next(&here);
    assert_eq!(given.format(), Some(PixelFormat::R8G8B8A8_UNORM));
    assert_eq!(given.pixels(), [30, 20, 10, 255, 60, 50, 40, 255]);
    assert_eq!(said(&here), Default::default());
}

#[test]
fn next_frame_is_exactly_one_frame_late() {
    let scene = Scene::new("operators: next frame");
    let name = scene.name();
    let net = net(&scene);
    let (give, out) = output(&net, name);
    out.par("downloadtype").unwrap().reset().unwrap();
    assert_eq!(out.par("downloadtype").unwrap().eval().unwrap().as_str(), Some("nextframe"));
    let mut peer = receiving(&scene, name);
    let mut give_and_see = |number: i64| {
        set(&give, "seed", number);
        net.step().unwrap();
        assert_eq!(i64::from(seed(&image(&out)).unwrap()), number, "what passes is not late");
        see(&mut peer, "top-try-next")
    };
    assert_eq!(give_and_see(1), None, "the first cook writes nothing");
    assert_eq!(count(&out, "shm_frames"), 0.0);
    for number in 2..10 {
        assert_eq!(give_and_see(number), Some(number as u32 - 1));
    }
    set(&out, "downloadtype", "immediate");
    assert_eq!(give_and_see(20), Some(20), "what is older is not written any more");
    set(&out, "downloadtype", "nextframe");
    assert_eq!(give_and_see(21), None);
    assert_eq!(give_and_see(22), Some(21));
    // Without an input what is pending goes out, once.
    out.input_connector(0).unwrap().disconnect().unwrap();
    net.step().unwrap();
    assert_eq!(see(&mut peer, "top-try-next"), Some(22));
    net.step().unwrap();
    assert_eq!(see(&mut peer, "top-try-next"), None);
}

#[test]
fn what_is_pending_is_written_when_an_out_leaves() {
    for leave in ["active", "name"] {
        let scene = Scene::new("operators: pending");
        let name = scene.name();
        let net = net(&scene);
        let (give, out) = output(&net, name);
        set(&out, "downloadtype", "nextframe");
        set(&give, "seed", 1);
        net.step().unwrap();
        net.step().unwrap();
        // As one that has it mapped, for nobody can look in between.
        let data = Mapping::open(&Names::of(name).data).unwrap();
        let lies_there = || parse_top(&data.bytes()).unwrap().pixels;
        let bytes = |number| Image::of(number).bytes(tdshm::RowOrder::BottomFirst);
        assert_eq!(lies_there(), bytes(1));
        set(&give, "seed", 2);
        net.step().unwrap();
        assert_eq!(lies_there(), bytes(1));
        match leave {
            "active" => set(&out, leave, false),
            _ => set(&out, leave, format!("{name}other")),
        }
        net.step().unwrap();
        assert_eq!(lies_there(), bytes(2), "{leave}");
        assert_eq!(said(&out), Default::default());
        // And nothing of it comes up again. On Windows a section lives, with what it holds, as long as somebody has it mapped.
        drop(data);
        set(&out, "active", true);
        set(&out, "name", name);
        set(&give, "seed", 3);
        let mut peer = receiving(&scene, name);
        net.step().unwrap();
        assert_eq!(see(&mut peer, "top-try-next"), None);
        net.step().unwrap();
        assert_eq!(see(&mut peer, "top-try-next"), Some(3));
    }
}

#[test]
fn what_happens_in_shared_memory_is_counted() {
    let scene = Scene::new("operators: info of tops");
    let name = scene.name();
    let net = net(&scene);
    let here = input(&net, name);
    let all = ["shm_connected", "shm_frames", "shm_missed", "shm_age_ms", "shm_bytes", "shm_resizes"];
    assert_eq!(all.map(|channel| count(&here, channel)), [0.0, 0.0, 0.0, -1.0, 0.0, 0.0]);
    let mut peer = sending(&scene);
    let _ = next(&here);
    for number in 2..=4 {
        peer.ask(&format!("top-send {number}"));
    }
    let _ = next(&here);
    assert_eq!((count(&here, "shm_frames"), count(&here, "shm_missed")), (2.0, 2.0));
    let age = count(&here, "shm_age_ms");
    scene.until("time to pass", || count(&here, "shm_age_ms") > age);
    let expected = next(&here);
    let (width, height) = expected.size();
    let info = here.info(tdshm_ops::InfoType::All).unwrap();
    let family: Vec<_> = info.iter().take(6).copied().collect();
    let bytes = expected.pixels().len() as f64;
    let all = [
        ("resx", width as f64),
        ("resy", height as f64),
        ("aspectx", 1.0),
        ("aspecty", 1.0),
        ("depth", 1.0),
        ("gpu_memory_used", bytes),
    ];
    assert_eq!(family, all);
    assert!(info.iter().all(|(channel, _)| !channel.starts_with("shm_")));
    assert_eq!((info.get(6).unwrap().0, info.last().unwrap().0), ("total_cooks", "errors"));
}
