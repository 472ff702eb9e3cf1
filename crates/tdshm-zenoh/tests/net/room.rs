//! A machine without room for what comes: it says so, leaves nothing half made, and has the frame when there is room.

use crate::hosts::{Host, allowed};
use crate::kit::{net, until};

/// What is in shared memory there, but for locks, which stay by the protocol's own rules.
fn objects(host: &Host) -> Vec<String> {
    let all = host.sh("ls -A /dev/shm");
    all.lines().filter(|name| !name.ends_with("Mutex")).map(str::to_owned).collect()
}

#[test]
fn where_there_is_no_room_that_is_said_and_frames_come_when_there_is() {
    if !allowed() {
        return;
    }
    let [one, two] = [Host::new(), Host::new()];
    one.cable(&two, 1);
    two.sh("mount -o remount,size=256k /dev/shm && { cat /dev/zero > /dev/shm/full 2>/dev/null || true; }");
    let mut sender = one.sender();
    sender.tell("1");
    let _share = one.run(&net(&["share", "cam", "--host", "one", "--listen", "tcp/0.0.0.0:7447"]));
    let mut mirror = two.run(&net(&["mirror", "one/*", "--connect", "tcp/10.77.1.1:7447", "--json"]));
    let line = mirror.err("one/cam: ");
    assert!(line.contains("room"), "{line}");
    let stream = mirror.json("failed", |stream| stream["state"] == "failed");
    assert!(stream["why"].as_str().unwrap().contains("room"), "{stream}");
    assert_eq!(objects(&two), ["full"], "nothing half made is left");

    // The sender sends nothing more.
    two.sh("rm /dev/shm/full");
    let stream = mirror.json("mirrored", |stream| stream["state"] == "mirrored");
    assert_eq!((&stream["kind"], &stream["why"]), (&"channels".into(), &serde_json::Value::Null));
    let mut receiver = two.receiver();
    receiver.out("got [1.0]");

    // One that is larger than the room: those before it go on being read.
    let many: Vec<&str> = std::iter::repeat_n("7", 40_000).collect();
    sender.tell(&many.join(" "));
    let stream = mirror.json("failed", |stream| stream["state"] == "failed");
    assert_eq!(stream["kind"], "channels");
    let mut late = two.receiver();
    late.out("got [1.0]");
    two.sh("mount -o remount,size=64m /dev/shm");
    mirror.json("mirrored", |stream| stream["state"] == "mirrored");
    receiver.out("got [7.0, ");
    late.out("got [7.0, ");
    sender.tell("2");
    receiver.out("got [2.0]");
    let (status, ..) = mirror.end();
    assert_eq!(status, Some(130));
    until("nothing to be left", || objects(&two).is_empty().then_some(()));
}
