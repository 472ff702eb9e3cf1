//! The examples do what they say, as the programs that they are.

use std::fs;
use std::time::Duration;

use tdshm::{Attached, ChopReceiver, ChopSender};
use tdshm_tests::{Program, Scene};

macro_rules! example {
    ($scene:expr, $name:literal $(, $arg:expr)*) => {
        $scene.program(env!(concat!("CARGO_BIN_EXE_example-", $name)), &[$($arg),*])
    };
}

fn succeeded(program: Program) -> Vec<String> {
    let (status, lines) = program.end();
    assert!(status.success(), "{status}: {lines:?}");
    lines
}

#[test]
fn receive_prints_what_send_sends() {
    let scene = Scene::new("examples: send and receive");
    let receive = example!(scene, "receive", scene.name());
    let send = example!(scene, "send", scene.name());
    // A circle has a radius of 1.
    let number = |line: &str| {
        let (_, number) = line.split_once("Some(").unwrap();
        number.trim_end_matches(')').parse::<f32>().unwrap()
    };
    let tx = number(&receive.line_with("tx: "));
    let ty = number(&receive.line_with("ty: "));
    assert!((tx.hypot(ty) - 1.0).abs() < 1e-3, "{tx} {ty}");
    send.kill();
}

#[test]
fn wait_says_what_it_waits_for() {
    let scene = Scene::new("examples: wait");
    let wait = example!(scene, "wait", scene.name());
    wait.line_with("nobody has sent yet");
    let send = example!(scene, "send", scene.name());
    assert!(wait.line_with("missed").starts_with("2 x 1 samples, "));
    send.kill();
    wait.line_with("the sender has died");
    let mut out = ChopSender::create(scene.name()).unwrap();
    out.send(&[[1.0, 2.0, 3.0]]).unwrap();
    wait.line_with("1 x 3 samples");
    wait.line_with("the sender is there, and sends nothing new");
    out.detach().unwrap();
    wait.line_with("the sender has left");
}

#[test]
fn grow_loses_no_receiver() {
    let scene = Scene::new("examples: grow");
    let wait = example!(scene, "wait", scene.name());
    let grow = example!(scene, "grow", scene.name());
    grow.line_with("16000 samples, room for 65536 bytes");
    let moved = grow.line_with("512000 samples");
    let room = moved.split_whitespace().nth(4).and_then(|bytes| bytes.parse::<usize>().ok());
    assert!(room.unwrap() >= 512_000 * 4, "{moved}");
    wait.line_with("1 x 512000 samples");
    // And over again.
    wait.line_with("1 x 1000 samples");
}

#[test]
fn raw_bytes_are_there_until_their_writer_leaves() {
    let scene = Scene::new("examples: raw");
    let read = example!(scene, "raw", scene.name());
    let write = example!(scene, "raw", scene.name(), "höhe 3");
    write.line_with("7 bytes are there");
    assert_eq!(succeeded(read), ["höhe 3"]);
    assert_eq!(succeeded(write), [""; 0]);
    assert!(tdshm::inspect(scene.name()).is_err(), "it has left");
}

#[test]
fn lock_counts_every_one_also_when_a_program_dies() {
    let scene = Scene::new("examples: lock");
    let file = scene.scratch().join("counter.txt");
    let file = file.to_str().unwrap();
    let start = || example!(scene, "lock", scene.name(), file);
    let count = || fs::read_to_string(file).unwrap().parse::<u64>().unwrap();
    let both = [start(), start()];
    for program in both {
        assert!(succeeded(program).last().is_some_and(|line| line.starts_with(file)));
    }
    assert_eq!(count(), 200);

    start().kill();
    // The dead one may have left half a number, which counts as 0.
    assert!(!succeeded(start()).is_empty());
    assert!(count() >= 100, "{}", count());
}

#[test]
fn observe_sees_frames_and_is_not_seen() {
    let scene = Scene::new("examples: observe");
    let observe = example!(scene, "observe", scene.name());
    observe.line_with("nobody sends");
    let mut out = ChopSender::create(scene.name()).unwrap();
    out.send(&[[0.25]]).unwrap();
    assert_eq!(observe.line_with("frame"), "frame 1: [0.25]");
    assert!(tdshm::inspect(scene.name()).unwrap().notices.unwrap().receivers.is_empty());
}

#[test]
fn list_shows_what_is_there() {
    let scene = Scene::new("examples: list");
    let (status, _) = example!(scene, "list", scene.name()).end();
    assert_eq!(status.code(), Some(1), "there is nothing yet");
    let mut out = ChopSender::builder(scene.name()).sample_rate(30.0).create().unwrap();
    out.send(&[[1.0, 2.0], [3.0, 4.0]]).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    assert!(input.read().unwrap().is_some());

    let lines = succeeded(example!(scene, "list", scene.name()));
    assert_eq!(lines[..2], [scene.name().to_owned(), "  2 channels of 2 samples at 30 Hz".to_owned()]);
    assert!(lines[2].ends_with(" lives and has sent 1 frames"), "{lines:?}");
    assert_eq!(lines[3], "  1 receivers");
    let all = succeeded(example!(scene, "list"));
    assert!(all.iter().any(|line| line == scene.name()), "{all:?}");
}

#[test]
fn play_sends_a_recording_in_order() {
    let scene = Scene::new("examples: play");
    let file = scene.scratch().join("take.csv");
    let mut table = "tx,ty\n".to_owned();
    for row in 0..120 {
        table.push_str(&format!("{row},{}\n", 1000 - row));
    }
    fs::write(&file, table).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let play = example!(scene, "play", file.to_str().unwrap(), scene.name());

    let mut newest = -1.0;
    scene.doing("the recording to come and to end");
    loop {
        let Some(frame) = input.next_timeout(Duration::from_millis(100)).unwrap() else {
            match input.attached() {
                Attached::Left => break,
                Attached::NotYet | Attached::Yes => continue,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((frame.names(), frame.sample_rate()), (&["tx".to_owned(), "ty".to_owned()][..], 120.0));
        for (tx, ty) in frame.channel_at(0).unwrap().iter().zip(frame.channel_at(1).unwrap()) {
            assert!(*tx > newest, "{tx} after {newest}");
            assert_eq!(*ty, 1000.0 - tx);
            newest = *tx;
        }
    }
    // How many frames this side had the time to see is the machine's affair.
    assert!(newest >= 0.0);
    assert_eq!(succeeded(play), [""; 0]);
}
