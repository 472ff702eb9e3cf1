//! Senders that leave, die and come back; programs that share and are killed; names that others have; mirrors of mirrors.

use tdshm::{Attached, ChopReceiver, ChopSender};

use crate::kit::{ENDED, Name, channels, endpoint, mirror, share, until};
use crate::peer;

fn value(frame: &tdshm::ChopFrame) -> f32 {
    frame.samples().first().copied().unwrap_or_default()
}

fn send(out: &mut ChopSender, value: f32) {
    out.send(&[[value]]).unwrap();
}

/// Waits until the receiver has seen its sender go.
#[track_caller]
fn left(receiver: &mut ChopReceiver) {
    until("the mirrored segment to part", || {
        let _ = receiver.try_next();
        (receiver.attached() == Attached::Left).then_some(())
    });
}

#[test]
fn a_sender_that_leaves_leaves_here_too_and_comes_back() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mirrored = name.mirrored();
    let mut sharing = share(&[&name.0], &endpoint, &[]);
    let mut mirroring = mirror(&["there/*"], &endpoint, &[]);
    let mut receiver = ChopReceiver::open(&mirrored.0).unwrap();
    for round in [1.0, 2.0] {
        let mut out = ChopSender::create(&name.0).unwrap();
        send(&mut out, round);
        channels(&mut receiver, |frame| value(frame) == round);
        out.detach().unwrap();
        left(&mut receiver);
        assert_eq!(receiver.frame().map(value), Some(round), "the last good frame stays");
        mirroring.err("its sender left");
        mirroring.json("left", |stream| stream["state"] == "left");
        sharing.err("left");
    }
}

#[test]
fn a_sender_that_dies_is_said_to_have_died() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mirrored = name.mirrored();
    let _sharing = share(&[&name.0], &endpoint, &[]);
    let mut mirroring = mirror(&["there/*"], &endpoint, &[]);
    let mut receiver = ChopReceiver::open(&mirrored.0).unwrap();
    let mut sender = peer::start(&format!("send {}", name.0));
    sender.out("ready");
    sender.tell("7 8");
    channels(&mut receiver, |frame| value(frame) == 7.0);
    sender.kill();
    left(&mut receiver);
    mirroring.json("died", |stream| stream["state"] == "died");
    // Its heir.
    let mut sender = peer::start(&format!("send {}", name.0));
    sender.out("ready");
    sender.tell("9 8");
    channels(&mut receiver, |frame| value(frame) == 9.0);
    mirroring.json("mirrored", |stream| stream["state"] == "mirrored");
}

#[test]
fn programs_that_share_may_die_and_end_and_come_back() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mirrored = name.mirrored();
    let mut out = ChopSender::create(&name.0).unwrap();
    send(&mut out, 1.0);
    let mut mirroring = mirror(&["there/*"], &endpoint, &[]);
    let mut receiver = ChopReceiver::open(&mirrored.0).unwrap();
    let mut sharing = share(&[&name.0], &endpoint, &[]);
    channels(&mut receiver, |frame| value(frame) == 1.0);
    sharing.kill();
    left(&mut receiver);
    mirroring.json("gone", |stream| stream["state"] == "gone");
    send(&mut out, 2.0);
    let sharing = share(&[&name.0], &endpoint, &[]);
    channels(&mut receiver, |frame| value(frame) == 2.0);
    let (status, _, err) = sharing.end();
    assert_eq!(status, ENDED, "{err:?}");
    left(&mut receiver);
    // Where no signal ends it, it has been killed once more.
    let state = if cfg!(unix) { "unshared" } else { "gone" };
    mirroring.json(state, |stream| stream["state"] == state);
}

#[test]
fn a_mirror_that_is_killed_is_replaced() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mirrored = name.mirrored();
    let mut out = ChopSender::create(&name.0).unwrap();
    send(&mut out, 1.0);
    let _sharing = share(&[&name.0], &endpoint, &[]);
    let mut receiver = ChopReceiver::open(&mirrored.0).unwrap();
    let mut first = mirror(&["there/*"], &endpoint, &[]);
    channels(&mut receiver, |frame| value(frame) == 1.0);
    first.kill();
    send(&mut out, 2.0);
    let _second = mirror(&["there/*"], &endpoint, &[]);
    channels(&mut receiver, |frame| value(frame) == 2.0);
}

#[test]
fn a_name_that_somebody_has_is_refused_until_it_is_free() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mirrored = name.mirrored();
    let mut out = ChopSender::create(&name.0).unwrap();
    send(&mut out, 1.0);
    let mut other = ChopSender::create(&mirrored.0).unwrap();
    send(&mut other, 50.0);
    let _sharing = share(&[&name.0], &endpoint, &[]);
    let mut mirroring = mirror(&["there/*"], &endpoint, &[]);
    let line = mirroring.err("there/");
    assert!(line.contains(&mirrored.0) && line.contains(&std::process::id().to_string()), "{line}");
    mirroring.json("refused", |stream| stream["state"] == "refused");
    let mut receiver = ChopReceiver::open(&mirrored.0).unwrap();
    assert_eq!(channels(&mut receiver, |_| true).samples(), [50.0], "it keeps what it has");
    other.detach().unwrap();
    channels(&mut receiver, |frame| value(frame) == 1.0);
}

#[test]
fn what_is_mirrored_is_not_shared_again() {
    let (name, endpoints) = (Name::new(), [endpoint(), endpoint()]);
    let mirrored = name.mirrored();
    let mut out = ChopSender::create(&name.0).unwrap();
    send(&mut out, 1.0);
    let _sharing = share(&[&name.0], &endpoints[0], &[]);
    let _mirroring = mirror(&["there/*"], &endpoints[0], &[]);
    channels(&mut ChopReceiver::open(&mirrored.0).unwrap(), |_| true);
    let mut again = share(&[&mirrored.0, &format!("*{}", name.0)], &endpoints[1], &[]);
    again.err("is a mirror of another machine's");
    let stream = again.json("the original", |stream| stream["segment"] == name.0.as_str());
    assert_eq!(stream["sender"], "there");
    let (_, lines, _) = again.end();
    let last: serde_json::Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    for stream in last["streams"].as_array().unwrap() {
        assert!(stream["segment"] == name.0.as_str() || stream["number"] == 0, "{last}");
    }
}
