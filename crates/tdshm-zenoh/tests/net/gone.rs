//! Who shares goes in every way there is: without a word, while answers are on their way, or by answering nothing.

use std::process::Stdio;

use tdshm::{Attached, ChopReceiver, ChopSender};
use tdshm_zenoh::encoding::Stamp;
use zenoh::Wait;

use crate::kit::{Name, Run, channels, endpoint, mirror, net, share, until};
use crate::strangers::{block, config};

#[track_caller]
fn left(receiver: &mut ChopReceiver) {
    until("the mirrored segment to part", || {
        let _ = receiver.try_next();
        (receiver.attached() == Attached::Left).then_some(())
    });
}

fn value(frame: &tdshm::ChopFrame) -> f32 {
    frame.samples().first().copied().unwrap_or_default()
}

#[test]
fn who_has_gone_is_forgotten_after_a_while_and_mirrored_when_it_is_back() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mirrored = name.mirrored();
    let mut out = ChopSender::create(&name.0).unwrap();
    out.send(&[[1.0_f32]]).unwrap();
    let mut mirroring = mirror(&["there/*"], &endpoint, &["--keep", "1"]);
    let mut receiver = ChopReceiver::open(&mirrored.0).unwrap();
    for round in [1.0, 2.0] {
        out.send(&[[round]]).unwrap();
        let mut sharing = share(&[&name.0], &endpoint, &[]);
        channels(&mut receiver, |frame| value(frame) == round);
        mirroring.json("mirrored", |stream| stream["state"] == "mirrored");
        sharing.kill();
        left(&mut receiver);
        mirroring.err("nobody shares it any more, and nobody said why: the program or its machine is gone");
        mirroring.err("is forgotten");
        mirroring.out("\"streams\":[]");
    }
}

#[test]
fn a_mirror_whose_output_nobody_reads_any_more_leaves_in_order() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mirrored = name.mirrored();
    let mut out = ChopSender::create(&name.0).unwrap();
    out.send(&[[1.0_f32]]).unwrap();
    let _sharing = share(&[&name.0], &endpoint, &[]);
    let mut mirroring = net(&["mirror", "there/*", "--prefix", "m-", "--connect", &endpoint, "--json"]);
    let mut mirroring = mirroring.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut receiver = ChopReceiver::open(&mirrored.0).unwrap();
    channels(&mut receiver, |frame| value(frame) == 1.0);
    drop(mirroring.stdout.take());
    assert_eq!(mirroring.wait().unwrap().code(), Some(0));
    // It has not died.
    left(&mut receiver);
}

#[test]
fn one_of_two_that_share_the_same_may_go() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mirrored = name.mirrored();
    let mut out = ChopSender::create(&name.0).unwrap();
    out.send(&[[1.0_f32]]).unwrap();
    let mut mirroring =
        Run::start(net(&["mirror", "there/*", "--prefix", "m-", "--json", "--listen", &endpoint]));
    let start = || {
        let mut run =
            Run::start(net(&["share", &name.0, "--host", "there", "--connect", &endpoint, "--json"]));
        run.json("somebody who listens", |stream| stream["wanted"] == true);
        run
    };
    let mut first = start();
    let _second = start();
    let mut receiver = ChopReceiver::open(&mirrored.0).unwrap();
    channels(&mut receiver, |frame| value(frame) == 1.0);
    out.send(&[[2.0_f32]]).unwrap();
    channels(&mut receiver, |frame| value(frame) == 2.0);
    mirroring.out("\"peers\":2,");
    first.kill();
    mirroring.out("\"peers\":1,");
    for round in 3..40 {
        out.send(&[[round as f32]]).unwrap();
        channels(&mut receiver, |frame| value(frame) == round as f32);
    }
    let stream = mirroring.json("mirrored", |stream| stream["frames"].as_u64() >= Some(30));
    assert_eq!(stream["state"], "mirrored");
}

#[test]
fn what_comes_after_the_end_brings_nothing_back() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mirrored = name.mirrored();
    let mut mirroring = mirror(&["stranger/*"], &endpoint, &[]);
    let session = zenoh::open(config("listen/endpoints", &endpoint)).wait().unwrap();
    let key = format!("tdshm/stranger/{}", name.0);
    let token = || session.liveliness().declare_token(format!("{key}/alive")).wait().unwrap();
    let frames = session.declare_publisher(format!("{key}/frame")).wait().unwrap();
    let put = |number: u64| {
        let mut stamp = Stamp::default();
        (stamp.stream, stamp.number, stamp.shared) = (7, number, 1000 + number);
        let put = frames.put(block(&[number as f32])).encoding("tdshm/channels");
        put.attachment(stamp.to_bytes().as_slice()).wait().unwrap();
    };
    let broken = |stream: &serde_json::Value| stream["broken"].as_u64();
    let mut receiver = ChopReceiver::open(&mirrored.0).unwrap();
    let alive = token();
    until("somebody to listen", || frames.matching_status().wait().unwrap().matching().then_some(()));
    put(1);
    channels(&mut receiver, |frame| value(frame) == 1.0);
    drop(alive);
    left(&mut receiver);
    mirroring.json("gone", |stream| stream["state"] == "gone");
    // As the answer to a question comes that was asked before. Behind it comes what is counted in any case.
    put(1);
    put(2);
    frames.put("hello").encoding("tdshm/channels").attachment("no stamp").wait().unwrap();
    let stream = mirroring.json("a mark", |stream| broken(stream) == Some(1));
    assert_eq!((&stream["state"], &stream["frames"]), (&"gone".into(), &1.into()), "{stream}");
    assert!(receiver.try_next().unwrap().is_none());
    let _alive = token();
    mirroring.json("waiting", |stream| stream["state"] == "waiting");
    put(3);
    channels(&mut receiver, |frame| value(frame) == 3.0);
    session.close().wait().unwrap();
}

#[cfg(unix)]
#[test]
fn a_program_that_hangs_counts_as_gone_until_it_goes_on() {
    use rustix::process::Signal;

    let (name, endpoint) = (Name::new(), endpoint());
    let mirrored = name.mirrored();
    let mut out = ChopSender::create(&name.0).unwrap();
    out.send(&[[1.0_f32]]).unwrap();
    // Far less than zenoh takes to give the connection up.
    let mut mirroring = mirror(&["there/*"], &endpoint, &["--patience", "1.5"]);
    let mut receiver = ChopReceiver::open(&mirrored.0).unwrap();
    let sharing = share(&[&name.0], &endpoint, &[]);
    channels(&mut receiver, |frame| value(frame) == 1.0);
    mirroring.json("an answer", |stream| stream["clock_ahead_ms"].is_number());
    for round in [2.0, 3.0] {
        sharing.signal(Signal::STOP);
        left(&mut receiver);
        mirroring.err("the program that shares it answers no more");
        let stream = mirroring.json("gone", |stream| stream["state"] == "gone");
        assert_eq!(stream["host"], "there");
        // Nobody sees that one until the program goes on.
        out.send(&[[round]]).unwrap();
        sharing.signal(Signal::CONT);
        channels(&mut receiver, |frame| value(frame) == round);
        mirroring.json("mirrored", |stream| stream["state"] == "mirrored");
    }
    assert_eq!(sharing.end().0, Some(130));
    mirroring.json("unshared", |stream| stream["state"] == "unshared");
}
