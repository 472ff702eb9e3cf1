//! Programs in C++ on our C library, on the other side of Rust and of the command: channels and images both ways, sizes that
//! grow, sides that leave and sides that are killed. `cargo xtask test --only c` builds them and says where they are, so
//! nothing here runs by itself.

use std::time::Duration;

use tdshm::{
    Attached, ChopReceiver, ChopSender, NamedLock, PixelFormat, Pixels, ShortName, TopReceiver, TopSender,
};
use tdshm_tests::{Peer, Program, Scene, Seen, frames};

const EVER: Duration = Duration::from_secs(600);
/// What reads like a channel block's arguments: `COUNT LENGTH RATE SEED NAMES`.
const SMALL: &str = "3 5 60 7 names";

/// A program that was written for the vendor's classes, once with wide names, once with narrow ones.
fn classics(scene: &Scene) -> [Peer; 2] {
    ["wide", "narrow"].map(|names| scene.foreign("classic_peer", &[names]))
}

fn classic(scene: &Scene) -> Peer {
    scene.foreign("classic_peer", &["wide"])
}

fn modern(scene: &Scene) -> Peer {
    scene.foreign("modern_peer", &[])
}

/// One of the programs in the folder that the task fills.
fn program(scene: &Scene, name: &str, args: &[&str]) -> Program {
    let folder = std::env::var("TDSHM_CPP_PROGRAMS").expect("`cargo xtask test --only c` sets it");
    let path = std::path::Path::new(&folder).join(name).with_extension(std::env::consts::EXE_EXTENSION);
    scene.program(path.to_str().expect("a path that is text"), args)
}

fn seen(count: usize, length: usize, rate: f32, seed: u32, names: Vec<String>) -> Seen {
    Seen { count, length, rate, seed: Some(seed), abandoned: false, names }
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn channels_go_from_cpp_to_rust() {
    let scene = Scene::new("cpp: channels out");
    for mut peer in classics(&scene).into_iter().chain([modern(&scene)]) {
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        let size = " 256"; // which a modern one does not ask for
        peer.ask(&format!("sender {}{size}", scene.name()));
        for (seed, (count, length)) in (1..).zip([(3, 5), (1, 1), (64, 1), (7, 30_000), (2, 2)]) {
            for names in ["names", "nonames"] {
                peer.ask(&format!("send {count} {length} 120 {seed} {names}"));
                let frame = input.next_timeout(EVER).unwrap().expect("a frame comes");
                let found = Seen::of(frame);
                let expected =
                    if names == "names" { frames::names(seed, count) } else { found.names.clone() };
                assert_eq!(found, seen(count, length, 120.0, seed, expected), "{count} x {length}");
            }
        }
        peer.ask("detach");
        assert!(input.read().unwrap().is_none());
        assert_eq!(input.attached(), Attached::Left);
        peer.quit();
    }
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn channels_go_from_rust_to_cpp() {
    let scene = Scene::new("cpp: channels in");
    for mut peer in classics(&scene).into_iter().chain([modern(&scene)]) {
        peer.ask(&format!("receiver {}", scene.name()));
        assert_eq!(peer.see("read"), None);
        let mut out = ChopSender::create(scene.name()).unwrap();
        for (seed, (count, length)) in (1..).zip([(3, 5), (1, 1), (64, 1), (7, 30_000), (2, 2)]) {
            out.set_channels(frames::names(seed, count)).unwrap();
            out.set_sample_rate(30.0).unwrap();
            out.send_flat(&frames::flat(seed, count, length), length).unwrap();
            let expected = seen(count, length, 30.0, seed, frames::names(seed, count));
            assert_eq!(peer.see("read"), Some(expected), "{count} x {length}");
        }
        out.detach().unwrap();
        assert_eq!(peer.see("read"), None);
        // And the next sender is found.
        let mut out = ChopSender::create(scene.name()).unwrap();
        out.send_flat(&frames::flat(99, 1, 4), 4).unwrap();
        assert_eq!(peer.see("read").unwrap().seed, Some(99));
        peer.quit();
    }
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn the_modern_side_has_all_ways_to_send_and_to_receive() {
    let scene = Scene::new("cpp: ways");
    let (mut out, mut input) = (modern(&scene), modern(&scene));
    out.ask(&format!("sender {}", scene.name()));
    input.ask(&format!("receiver {}", scene.name()));
    out.ask(&format!("send {SMALL}"));
    let expected = seen(3, 5, 60.0, 7, frames::names(7, 3));
    assert_eq!(input.see("next 60000"), Some(expected.clone()));
    assert_eq!(input.see("next 0"), None, "nothing new");
    assert_eq!(input.see("view"), Some(expected));
    out.ask("draft 4 6 60 8 names");
    assert_eq!(input.see("next 60000"), Some(seen(4, 6, 60.0, 8, frames::names(8, 4))));
    assert_eq!(out.ask(&format!("find {}", scene.name())), "channels 4 6");
    let error = out.try_ask("find nobodysendsthis").unwrap_err();
    assert_eq!(error.code, 2, "{}", error.text);
    let error = input.try_ask(&format!("sender {}", scene.name())).unwrap_err();
    assert_eq!(error.code, 3, "{}", error.text);
    assert!(error.text.contains(scene.name()), "the sentence comes along: {}", error.text);
    // A frame that is looked at holds up whoever writes, and no longer.
    assert_eq!(input.see("hold-view").unwrap().seed, Some(8));
    let lock = NamedLock::open(&ShortName::new(scene.name()).unwrap().data_lock()).unwrap();
    assert!(lock.try_lock().unwrap().is_none());
    input.ask("let-go");
    assert!(lock.try_lock().unwrap().is_some());
}

/// Formats of 1, 2, 4, 8 and 16 bytes: what a program in C++ cannot know by itself is told it.
const FORMATS: [PixelFormat; 6] = [
    PixelFormat::R8_UNORM,
    PixelFormat::R16_SFLOAT,
    PixelFormat::R8G8B8A8_UNORM,
    PixelFormat::B8G8R8A8_UNORM,
    PixelFormat::R16G16B16A16_UNORM,
    PixelFormat::R32G32B32A32_SFLOAT,
];

fn image(number: u32, format: PixelFormat, width: usize, height: usize) -> tdshm_tests::images::Image {
    tdshm_tests::images::Image { number, format, width, height }
}

fn told(image: &tdshm_tests::images::Image) -> String {
    let bytes = image.format.bytes_per_pixel().unwrap();
    format!("{} {} {} {} {bytes}", image.number, image.format.number(), image.width, image.height)
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn images_go_from_cpp_to_rust() {
    let scene = Scene::new("cpp: images out");
    for (mut peer, sender, sends) in [
        (classic(&scene), "sender {} 1000", "image-send"),
        (modern(&scene), "image-sender {}", "image-send"),
        (modern(&scene), "image-sender {}", "image-draft"),
    ] {
        peer.ask(&sender.replace("{}", scene.name()));
        let mut input = TopReceiver::open(scene.name()).unwrap();
        for (number, format) in (1..).zip(FORMATS) {
            for (width, height) in [(5, 3), (200, 90), (1, 1)] {
                let image = image(number, format, width.max(4), height);
                peer.ask(&format!("{sends} {}", told(&image)));
                let frame = input.next_timeout(EVER).unwrap().expect("an image comes");
                assert!(image.has(&frame.shape()), "{:?}", frame.shape());
                assert!(image.is(frame.rows(tdshm::RowOrder::TopFirst)), "{}", told(&image));
            }
        }
        peer.quit();
        assert!(input.read().unwrap().is_none());
    }
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn images_go_from_rust_to_cpp() {
    let scene = Scene::new("cpp: images in");
    for (mut peer, receiver) in [(classic(&scene), "receiver {}"), (modern(&scene), "image-receiver {}")] {
        peer.ask(&receiver.replace("{}", scene.name()));
        let mut out = TopSender::create(scene.name()).unwrap();
        for (number, format) in (1..).zip(FORMATS) {
            for (width, height) in [(5, 3), (200, 90), (4, 1)] {
                let image = image(number, format, width, height);
                let bytes = image.bytes(tdshm::RowOrder::TopFirst);
                out.send(&Pixels::top_first(format, width, height, &bytes)).unwrap();
                let line = format!("image {} {width} {height} {number}", format.number());
                let whole = if image.row_bytes() < 4 { None } else { Some(line) };
                let answer = peer.ask("image-read");
                assert_eq!(answer, whole.unwrap_or_else(|| answer.clone()), "{}", told(&image));
            }
        }
        out.detach().unwrap();
        assert!(peer.ask("image-read").starts_with("none"));
        peer.quit();
    }
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn error_states_are_those_that_programs_ask_for() {
    let scene = Scene::new("cpp: states");
    for mut peer in classics(&scene) {
        assert_eq!(peer.ask(&format!("receiver {}", scene.name())), "2", "does not exist");
        let out = ChopSender::create(scene.name()).unwrap();
        assert_eq!(peer.ask("state"), "0", "it is found without another word");
        let mut other = classic(&scene);
        let refused = other.try_ask(&format!("sender {} 100", scene.name())).unwrap_err();
        assert_eq!(refused.code, 3, "info already exists");
        assert!(refused.text.contains("already there"), "{}", refused.text);
        assert_eq!(other.ask("resize 100"), "0");
        out.detach().unwrap();
        assert_eq!(peer.ask("read"), "none 4", "the sender has left");
        assert_eq!(other.ask("resize 100"), "1", "the second one may now");
        assert_eq!(peer.ask("read"), "none 0", "it has not written yet");
        other.ask(&format!("send {SMALL}"));
        assert_eq!(peer.see("read").unwrap().seed, Some(7));
        peer.quit();
        other.quit();
    }
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn who_waits_is_woken_and_who_writes_without_the_lock_is_seen() {
    let scene = Scene::new("cpp: wakes");
    let (mut out, mut input) = (classic(&scene), classic(&scene));
    out.ask(&format!("sender {} 1000", scene.name()));
    assert_eq!(input.ask(&format!("receiver {}", scene.name())), "0");
    assert_eq!(input.ask("wait 0"), "0");
    input.begin("wait 600000");
    out.ask(&format!("send {SMALL}"));
    assert_eq!(input.answer().unwrap(), "1");
    assert_eq!(input.ask("wait 0"), "0", "that is known");
    assert_eq!(input.see("read").unwrap().seed, Some(7));

    // What is written without the lock is announced with the next.
    let mut rust = ChopReceiver::open(scene.name()).unwrap();
    assert_eq!(rust.next_timeout(EVER).unwrap().map(Seen::of).unwrap().seed, Some(7));
    out.ask("send-loose 3 5 60 8 names");
    out.ask("send-loose 3 5 60 8 names");
    assert_eq!(rust.next_timeout(EVER).unwrap().map(Seen::of).unwrap().seed, Some(8));
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn a_pointer_outlives_the_sender_that_it_came_from() {
    let scene = Scene::new("cpp: cached");
    let mut input = classic(&scene);
    input.ask(&format!("receiver {}", scene.name()));
    let mut out = ChopSender::create(scene.name()).unwrap();
    out.send_flat(&frames::flat(5, 2, 3), 3).unwrap();
    assert_eq!(input.see("read").unwrap().seed, Some(5));
    out.send_flat(&frames::flat(6, 2, 50_000), 50_000).unwrap();
    assert_eq!(input.see("read-cached").unwrap().seed, Some(5), "what lay there when it moved");
    out.detach().unwrap();
    let mut out = ChopSender::create(scene.name()).unwrap();
    for _ in 0..3 {
        assert_eq!(input.see("read-cached").unwrap().seed, Some(5));
    }
    out.send_flat(&frames::flat(7, 2, 3), 3).unwrap();
    assert_eq!(input.see("read").unwrap().seed, Some(7));
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn a_killed_sender_in_cpp_is_replaced_and_nobody_waits_for_it() {
    let scene = Scene::new("cpp: kill the sender");
    for (last, seed) in [("send", 8), ("send-and-hold", 7)] {
        let mut dying = classic(&scene);
        dying.ask(&format!("sender {} 1000", scene.name()));
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        let mut classic_input = classic(&scene);
        classic_input.ask(&format!("receiver {}", scene.name()));
        dying.ask(&format!("send {SMALL}"));
        assert_eq!(input.read().unwrap().map(Seen::of).unwrap().seed, Some(7));
        assert_eq!(classic_input.see("read").unwrap().seed, Some(7));
        dying.ask(&format!("{last} 3 5 60 8 names"));
        dying.kill();
        // What was written under the lock and never ended is not delivered.
        if last == "send" {
            assert_eq!(input.read().unwrap().map(Seen::of).unwrap().seed, Some(seed));
        } else {
            assert_eq!(input.try_next().unwrap().map(Seen::of), None);
            assert_eq!(classic_input.see("read"), None);
        }
        let mut heir = classic(&scene);
        heir.ask(&format!("sender {} 1000", scene.name()));
        heir.ask("send 2 4 60 9 names");
        assert_eq!(input.next_timeout(EVER).unwrap().map(Seen::of).unwrap().seed, Some(9));
        assert_eq!(classic_input.see("read").unwrap().seed, Some(9));
        heir.quit();
        classic_input.quit();
    }
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn a_killed_sender_in_rust_is_replaced_for_receivers_in_cpp() {
    let scene = Scene::new("cpp: kill Rust's sender");
    let mut inputs = [classic(&scene), modern(&scene)];
    for input in &mut inputs {
        input.ask(&format!("receiver {}", scene.name()));
    }
    for seed in 1..4 {
        let mut dying = scene.peer();
        dying.ask(&format!("sender {} 65536", scene.name()));
        dying.ask(&format!("send 2 3 60 {seed} names"));
        for input in &mut inputs {
            let line = input.see("read").unwrap();
            assert_eq!(line.seed, Some(seed));
        }
        dying.kill();
    }
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn a_killed_receiver_in_cpp_is_in_nobodys_way() {
    let scene = Scene::new("cpp: kill the receiver");
    let mut out = ChopSender::create(scene.name()).unwrap();
    out.send_flat(&frames::flat(1, 2, 3), 3).unwrap();
    let mut dying = classic(&scene);
    dying.ask(&format!("receiver {}", scene.name()));
    assert_eq!(dying.ask("lock"), "1");
    dying.kill();
    let sent = out.send_flat(&frames::flat(2, 2, 3), 3).unwrap();
    assert!(sent.abandoned, "it died with the lock");
    let mut dying = modern(&scene);
    dying.ask(&format!("receiver {}", scene.name()));
    assert_eq!(dying.see("hold-view").unwrap().seed, Some(2));
    dying.kill();
    assert!(out.send_flat(&frames::flat(3, 2, 3), 3).unwrap().abandoned);
    out.send_flat(&frames::flat(4, 2, 100_000), 100_000).unwrap();
    out.detach().unwrap();
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn a_mutex_is_the_lock_of_everybody_else() {
    let scene = Scene::new("cpp: mutex");
    let name = ShortName::new(scene.name()).unwrap().data_lock();
    let lock = NamedLock::open(&name).unwrap();
    let mut peer = classic(&scene);
    peer.ask(&format!("mutex {name}"));
    let held = lock.lock().unwrap();
    assert_eq!(peer.ask("mutex-lock 0"), "0");
    drop(held);
    assert_eq!(peer.ask("mutex-lock 60000"), "1");
    assert!(lock.try_lock().unwrap().is_none());
    assert_eq!(peer.ask("mutex-unlock"), "1");
    assert_eq!(peer.ask("mutex-unlock"), "0");
    assert_eq!(peer.ask("mutex-lock 0"), "1");
    peer.kill();
    assert!(lock.lock().unwrap().is_abandoned());
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn the_fragments_of_the_guide_do_what_they_say() {
    for (one, other) in [("fragments", "fragments_narrow"), ("fragments_narrow", "fragments")] {
        let scene = Scene::new("cpp: fragments");
        let mut receive = program(&scene, other, &["receive", scene.name()]);
        assert_eq!(receive.line_with("ready"), "ready 2", "no segment of that name");
        receive.tell("look");
        assert_eq!(receive.line_with(""), "nothing 2");
        let mut send = program(&scene, one, &["send", scene.name()]);
        send.line_with("ready");
        receive.tell("look");
        assert_eq!(receive.line_with(""), "nothing 0", "its sender has not written yet");
        send.tell("go");
        send.line_with("sent");
        receive.tell("look");
        let first = "got 3 x 4 at 60: chan_a 0 1 2 3 chan_b 100 101 102 103 chan_c 200 201 202 203";
        assert_eq!(receive.line_with(""), first);
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        let frame = input.read().unwrap().unwrap();
        assert_eq!(frame.names(), ["chan_a", "chan_b", "chan_c"]);
        assert_eq!(frame.channel("chan_b").unwrap(), [100.0, 101.0, 102.0, 103.0]);
        send.tell("go");
        send.line_with("sent");
        assert_eq!(input.next_timeout(EVER).unwrap().unwrap().channel_at(0).unwrap(), [1.0, 2.0, 3.0, 4.0]);
        let refused = program(&scene, one, &["send", scene.name()]);
        assert_eq!(refused.line_with("error"), "error 3: the info segment of that name is already there");
        assert!(!refused.end().0.success());
        // It goes, and another one comes: the receiver constructs its class anew until then.
        assert!(send.end().0.success());
        receive.tell("look");
        assert_eq!(receive.line_with(""), "nothing 4");
        let mut out = ChopSender::create(scene.name()).unwrap();
        out.set_channels(["x"]).unwrap();
        out.send_flat(&[1.0, 2.0], 2).unwrap();
        receive.tell("look");
        assert_eq!(receive.line_with(""), "got 1 x 2 at 60: x 1 2");
        assert!(receive.end().0.success());
    }
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn what_the_classes_promise_inside_one_process_holds() {
    for checks in ["classic_checks", "modern_checks", "misuse"] {
        let scene = Scene::new("cpp: checks");
        let (status, lines) = program(&scene, checks, &[scene.name()]).end();
        assert!(status.success(), "{checks}: {lines:?}");
        assert!(lines.last().is_some_and(|line| line.ends_with("checks hold")), "{checks}: {lines:?}");
    }
}

/// The command, where it was built for this.
fn command(scene: &Scene, args: &[&str]) -> Program {
    let path = std::env::var("TDSHM_COMMAND").expect("`cargo xtask test --only c` sets it");
    scene.program(&path, args)
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn the_command_receives_what_cpp_sends_and_sends_what_cpp_receives() {
    for is_classic in [true, false] {
        let scene = Scene::new("cpp: command");
        let name = scene.name();
        let start = || if is_classic { classic(&scene) } else { modern(&scene) };
        let mut out = start();
        out.ask(&format!("sender {name} 1000"));
        out.ask("send 2 3 60 5 names");
        let (status, lines) = command(&scene, &["watch", name, "--format", "json", "--frames", "1"]).end();
        assert!(status.success() && lines.iter().any(|l| l.contains("s5c1")), "{lines:?}");
        let (status, lines) = command(&scene, &["info", name]).end();
        assert!(status.success() && lines.iter().any(|l| l.contains("s5c0")), "{lines:?}");
        out.quit();

        let mut input = start();
        input.ask(&format!("receiver {name}"));
        let send = command(&scene, &["send", name, "--wave", "sine", "--channels", "tx,ty"]);
        scene.doing("the command to send");
        let frame = loop {
            // Its samples are a wave: what says that it is whole is its shape.
            if let Some(frame) = input.see("read") {
                break frame;
            }
        };
        assert_eq!((frame.count, frame.names), (2, vec!["tx".to_owned(), "ty".to_owned()]));
        send.kill();
        // And after it was killed the next sender is found.
        let mut heir = start();
        heir.ask(&format!("sender {name} 1000"));
        heir.ask("send 1 2 60 3 names");
        assert_eq!(input.see("read").unwrap().seed, Some(3));
    }
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn the_command_receives_the_images_of_cpp_and_sends_images_to_it() {
    let scene = Scene::new("cpp: command and images");
    let name = scene.name();
    let mut out = classic(&scene);
    out.ask(&format!("sender {name} 1000"));
    let image = image(3, PixelFormat::R8G8B8A8_UNORM, 40, 30);
    out.ask(&format!("image-send {}", told(&image)));
    let (status, lines) = command(&scene, &["info", name]).end();
    assert!(
        status.success() && lines.iter().any(|line| line.contains("40") && line.contains("30")),
        "{lines:?}"
    );
    out.quit();
    let send = command(&scene, &["send", name, "--test-pattern", "64x48"]);
    for (mut input, receiver) in [(classic(&scene), "receiver"), (modern(&scene), "image-receiver")] {
        input.ask(&format!("{receiver} {name}"));
        scene.doing("the command to send images");
        let line = loop {
            let line = input.ask("image-read");
            if line.starts_with("image") {
                break line;
            }
        };
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[2..4], ["64", "48"], "{line}");
    }
    send.kill();
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn the_examples_meet_one_another_and_those_in_rust() {
    let scene = Scene::new("cpp: examples");
    let name = scene.name();
    let mut channels = ChopReceiver::open(name).unwrap();
    let receivers = ["example_receive", "example_receive_c"].map(|receive| program(&scene, receive, &[name]));
    for (send, names) in [("example_send", true), ("example_classic_send", true)] {
        let send = program(&scene, send, &[name]);
        let frame = channels.next_timeout(EVER).unwrap().expect("a frame comes");
        assert_eq!(frame.names() == ["tx", "ty"], names);
        let radius = frame.channel_at(0).unwrap()[0].hypot(frame.channel_at(1).unwrap()[0]);
        assert!((radius - 1.0).abs() < 1e-3, "a circle: {radius}");
        for receive in &receivers {
            receive.line_with("tx: ");
            receive.line_with("ty: ");
        }
        send.kill();
    }
}

#[test]
#[ignore = "needs the programs of `cargo xtask test --only c`"]
fn the_examples_with_images_meet_one_another_and_rust() {
    let scene = Scene::new("cpp: examples with images");
    let name = scene.name();
    let images = program(&scene, "example_receive_image", &[name]);
    let mut input = TopReceiver::open(name).unwrap();
    let send = program(&scene, "example_send_image", &[name]);
    images.line_with("320 x 180");
    let frame = input.next_timeout(EVER).unwrap().expect("an image comes");
    assert_eq!((frame.width(), frame.height()), (320, 180));
    send.kill();
}
