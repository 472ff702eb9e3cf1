//! Browsers that send, asked by hand.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::kit::{ASKED_TO_END, Name, Run, names, run, samples, start, until};
use crate::serve::raw::{Socket, get, request, say};

/// A bridge, and where it listens.
pub(crate) struct Bridge {
    pub(crate) run: Run,
    pub(crate) at: SocketAddr,
}

pub(crate) fn bridge(args: &[&str]) -> Bridge {
    let mut run = start(&[&["bridge", "ws", "--port", "0", "--json"], args].concat());
    let start = run.json();
    assert_eq!((start["type"].as_str(), start["bridge"].as_str()), (Some("start"), Some("ws")));
    let port = u16::try_from(start["port"].as_u64().unwrap()).unwrap();
    Bridge { run, at: SocketAddr::from(([127, 0, 0, 1], port)) }
}

fn publish(id: u32, name: &Name, names: &[&str]) -> Value {
    json!({"type": "publish", "id": id, "segment": name.as_str(), "names": names, "rate": 30})
}

/// Somebody who receives, and has the frame that is there.
fn watch(name: &Name) -> Run {
    start(&["watch", name.as_str(), "--format", "json", "--latest"])
}

/// A binary message of channels, by hand.
fn binary(id: u32, names: &[&str], channels: &[&[f32]]) -> Vec<u8> {
    let mut packed = Vec::new();
    for name in names {
        packed.extend((name.len() as u16).to_le_bytes());
        packed.extend(name.as_bytes());
    }
    packed.resize(packed.len().next_multiple_of(4), 0);
    let mut bytes = b"TDSM\x01\x01\x48\x00".to_vec();
    bytes.extend(id.to_le_bytes());
    bytes.resize(36, 0);
    bytes.extend(if names.is_empty() { [0; 4] } else { [8, 0, 0, 0] });
    bytes.extend((channels.len() as u32).to_le_bytes());
    bytes.extend((channels.first().map_or(0, |row| row.len()) as u32).to_le_bytes());
    bytes.resize(60, 0);
    bytes.extend((packed.len() as u32).to_le_bytes());
    bytes.resize(72, 0);
    bytes.extend(packed);
    bytes.extend(channels.iter().flat_map(|row| row.iter().flat_map(|sample| sample.to_le_bytes())));
    bytes
}

/// The next frame with that value in its first channel.
#[track_caller]
fn until_first(watch: &mut Run, value: f32) -> Value {
    loop {
        let line = watch.json();
        if samples(&line, 0).last() == Some(&value) {
            return line;
        }
    }
}

#[test]
fn what_a_browser_sends_arrives_in_the_segment() {
    let (name, other) = (Name::new(), Name::new());
    let mut bridge = bridge(&[name.as_str()]);
    let mut socket = Socket::open(bridge.at);
    socket.send(&publish(1, &name, &["x", "pen/y"]));
    let published = socket.json("published");
    assert_eq!((&published["id"], &published["resumed"]), (&json!(1), &json!(false)));
    // It has its channels before the first of them moves.
    let mut watch = watch(&name);
    let first = watch.json();
    assert_eq!((names(&first), first["sample_rate"].as_f64()), (vec!["x", "pen/y"], Some(30.0)));
    assert_eq!((samples(&first, 0), samples(&first, 1)), (vec![0.0], vec![0.0]));
    socket.send(&json!({"type": "channels", "id": 1, "channels": [0.25, -2]}));
    assert_eq!(samples(&until_first(&mut watch, 0.25), 1), [-2.0]);
    // Several samples, and what is no number holds the sample before it.
    socket.send(&json!({"type": "channels", "id": 1, "channels": [[null, 1, 1e39, 2], [3, 4, 5, null]]}));
    let held = until_first(&mut watch, 2.0);
    assert_eq!((samples(&held, 0), samples(&held, 1)), (vec![0.25, 1.0, 1.0, 2.0], vec![3.0, 4.0, 5.0, 5.0]));
    // As bytes, with other names; a channel that stays keeps what it had.
    assert!(socket.send_frame(0x82, &binary(1, &["x", "z"], &[&[7.5], &[f32::NAN]])));
    let bytes = until_first(&mut watch, 7.5);
    assert_eq!((names(&bytes), samples(&bytes, 1)), (vec!["x", "z"], vec![0.0]));
    assert!(socket.send_frame(0x82, &binary(1, &[], &[&[8.5, 9.5], &[1.0, f32::INFINITY]])));
    let bytes = until_first(&mut watch, 9.5);
    assert_eq!((samples(&bytes, 0), samples(&bytes, 1)), (vec![8.5, 9.5], vec![1.0, 1.0]));
    // The same connection reads it, and nothing that was not named.
    socket.send(&json!({"type": "subscribe", "id": 2, "segment": name.as_str()}));
    assert_eq!(socket.frame(2).names.unwrap(), ["x", "z"]);
    socket.send(&json!({"type": "subscribe", "id": 3, "segment": other.as_str()}));
    assert_eq!(socket.json("error")["code"], "segment");
    // It says what it did.
    let status = loop {
        let status = bridge.run.json();
        if status["frames"] == 4 {
            break status;
        }
    };
    assert_eq!(
        (&status["type"], &status["peers"], &status["held"]),
        (&json!("status"), &json!(1), &json!(5))
    );
    assert_eq!(status["segments"], json!([{"name": name.as_str(), "live": true, "frames": 4}]));
    socket.send(&json!({"type": "unpublish", "id": 1}));
    bridge.run.says(&format!("left {:?}", name.as_str()));
    assert!(!name.has_segments());
}

#[test]
fn a_segment_stays_while_its_page_is_loaded_again() {
    let name = Name::new();
    let mut bridge = bridge(&[name.as_str()]);
    let mut first = Socket::open(bridge.at);
    first.send(&publish(1, &name, &["x", "y"]));
    first.json("published");
    first.send(&json!({"type": "channels", "id": 1, "channels": [1, 2]}));
    let mut watch = watch(&name);
    until_first(&mut watch, 1.0);
    // One at a time.
    let mut second = Socket::open(bridge.at);
    second.send(&publish(9, &name, &["x"]));
    let refused = second.json("error");
    assert_eq!((&refused["code"], &refused["id"]), (&json!("taken"), &json!(9)));
    drop(first);
    bridge.run.says("it keeps its last values");
    second.send(&publish(9, &name, &["y", "new"]));
    assert_eq!(second.json("published")["resumed"], true);
    let carried = until_first(&mut watch, 2.0);
    assert_eq!((names(&carried), samples(&carried, 1)), (vec!["y", "new"], vec![0.0]));
    // Who comes with the same key takes it at once, and the other one is told.
    let mut keyed = publish(9, &name, &["y"]);
    keyed["key"] = json!("k1");
    second.send(&keyed);
    second.json("published");
    let mut third = Socket::open(bridge.at);
    third.send(&publish(1, &name, &["y"]));
    assert_eq!(third.json("error")["code"], "taken");
    third.send(&keyed);
    assert_eq!(third.json("published")["resumed"], true);
    let lost = second.json("error");
    assert_eq!((&lost["code"], &lost["id"]), (&json!("lost"), &json!(9)));
    // What the other one still sends goes nowhere, and does no harm.
    second.send(&json!({"type": "channels", "id": 9, "channels": [50]}));
    third.send(&json!({"type": "channels", "id": 9, "channels": [60]}));
    until_first(&mut watch, 60.0);
    // For a moment nobody else gets what it had: it may be loading again.
    drop(third);
    bridge.run.says("it keeps its last values");
    second.send(&publish(5, &name, &["y"]));
    assert!(second.json("error")["message"].as_str().unwrap().contains("may come back"));
    second.send(&keyed);
    assert_eq!(second.json("published")["resumed"], true);
}

#[test]
fn a_segment_goes_when_nobody_comes_back() {
    let name = Name::new();
    let pattern = format!("{}*", name.as_str());
    let mut bridge = bridge(&[&pattern, "--linger", "0"]);
    let mut socket = Socket::open(bridge.at);
    socket.send(&publish(1, &name, &["x"]));
    socket.json("published");
    assert!(name.has_segments());
    drop(socket);
    bridge.run.says(&format!("left {:?}", name.as_str()));
    assert!(!name.has_segments());
    // And comes again.
    let mut socket = Socket::open(bridge.at);
    socket.send(&publish(1, &name, &["x"]));
    assert_eq!(socket.json("published")["resumed"], false);
}

#[test]
fn it_leaves_everything_when_it_is_asked_to_end() {
    for (signal, code) in ASKED_TO_END {
        let name = Name::new();
        let mut bridge = bridge(&[name.as_str()]);
        let mut socket = Socket::open(bridge.at);
        socket.send(&publish(1, &name, &["x"]));
        socket.json("published");
        bridge.run.signal(signal);
        assert_eq!(socket.closing(), Some(1001), "going away");
        let end = loop {
            let line = bridge.run.json();
            if line["type"] == "end" {
                break line;
            }
        };
        assert_eq!(end["dropped"], 0);
        let ended = bridge.run.wait();
        assert_eq!(ended.code, Some(*code), "{ended:?}");
        assert!(ended.err.iter().any(|line| line.contains("passed on 0 frames")), "{ended:?}");
        assert!(!name.has_segments());
    }
    for wrong in [&["a/b"][..], &["a", "--read", "a/b"]] {
        let wrong = run(&[&["bridge", "ws"], wrong].concat());
        assert_eq!(wrong.code, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_segment_that_it_never_had_is_not_left() {
    let (taken, free) = (Name::new(), Name::new());
    let _sender = tdshm::ChopSender::builder(taken.as_str()).channels(["x"]).create().unwrap();
    let bridge = bridge(&[taken.as_str(), free.as_str()]);
    let mut socket = Socket::open(bridge.at);
    for _ in 0..3 {
        socket.send(&publish(1, &taken, &["x"]));
        assert_eq!(socket.json("error")["code"], "busy");
    }
    socket.send(&publish(1, &free, &["x"]));
    socket.json("published");
    socket.send(&json!({"type": "unpublish", "id": 1}));
    until(|| !free.has_segments());
    bridge.run.signal("INT");
    let ended = bridge.run.wait();
    assert!(!ended.err.iter().any(|line| line.contains(&format!("left {:?}", taken.as_str()))), "{ended:?}");
}

#[test]
fn what_makes_no_sense_is_refused_with_a_word() {
    let name = Name::new();
    let mut bridge = bridge(&[name.as_str()]);
    let mut socket = Socket::open(bridge.at);
    let code = |socket: &mut Socket, message: Value| {
        socket.send(&message);
        let error = socket.json("error");
        (error["code"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
    };
    let mut with = |rest: Value| {
        let mut message = publish(1, &name, &["x"]);
        message.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        code(&mut socket, message)
    };
    for (rest, expected, says) in [
        (json!({"segment": "elsewhere"}), "segment", "may not be sent here"),
        (json!({"segment": "a/b"}), "segment", ""),
        (json!({"names": []}), "names", "give 1 to 1024"),
        (json!({"names": ["x", "x"]}), "names", "comes twice"),
        (json!({"names": ["left hand"]}), "names", "' ' is none of A-Z"),
        (json!({"names": ["größe"]}), "names", "'ö'"),
        (json!({"names": [""]}), "names", "1 to 255 letters"),
        (json!({"names": ["n".repeat(256)]}), "names", "1 to 255 letters"),
        (json!({"names": (0..1025).map(|n| format!("n{n}")).collect::<Vec<_>>()}), "names", "1025 names"),
        (json!({"rate": 0}), "value", "rate"),
        (json!({"rate": -1}), "value", "rate"),
        (json!({"rate": 1e300}), "value", "rate"),
        (json!({"key": ""}), "value", "key"),
        (json!({"names": "x"}), "message", ""),
    ] {
        let (code, sentence) = with(rest.clone());
        assert_eq!(code, expected, "{rest}: {sentence}");
        assert!(sentence.contains(says), "{rest}: {sentence}");
    }
    assert!(!name.has_segments());
    socket.send(&publish(1, &name, &["x", "y"]));
    socket.json("published");
    for channels in [
        json!([1]),
        json!([1, 2, 3]),
        json!([]),
        json!([[1, 2], [1]]),
        json!([[], []]),
        json!([vec![0; 16385], vec![0; 16385]]),
    ] {
        let (code, sentence) = code(&mut socket, json!({"type": "channels", "id": 1, "channels": channels}));
        assert_eq!(code, "frame", "{sentence}");
    }
    let (wrong, _) = code(&mut socket, json!({"type": "subscribe", "id": 1, "segment": name.as_str()}));
    assert_eq!(wrong, "id");
    let (wrong, _) = code(&mut socket, json!({"type": "unpublish", "id": 5}));
    assert_eq!(wrong, "id");

    let whole = binary(1, &["x", "y"], &[&[1.0, 2.0], &[3.0, 4.0]]);
    let mut damaged: Vec<Vec<u8>> = (0..whole.len()).map(|len| whole[..len].to_vec()).collect();
    let mut with = |at: usize, bytes: &[u8]| {
        let mut message = whole.clone();
        message[at..at + bytes.len()].copy_from_slice(bytes);
        damaged.push(message);
    };
    for at in [40, 44, 60] {
        for value in [0, 1, 3, 5, 1 << 16, 1 << 30, u32::MAX] {
            with(at, &u32::to_le_bytes(value));
        }
    }
    with(0, b"TDSN");
    with(4, &[2]);
    with(5, &[2]);
    for header in [0, 71, 73, 76, u16::MAX] {
        with(6, &header.to_le_bytes());
    }
    with(56, &(-1.0_f32).to_le_bytes());
    with(56, &f32::NAN.to_le_bytes());
    with(72, &[9, 0]);
    with(74, &[0xff]);
    with(74, b" ");
    let count = damaged.len();
    // A connection is closed after a hundred mistakes.
    drop(socket);
    bridge.run.says("it keeps its last values");
    for (round, part) in damaged.chunks(60).enumerate() {
        let mut socket = Socket::open(bridge.at);
        let mut keyed = publish(1, &name, &["x", "y"]);
        keyed["key"] = json!("this test");
        socket.send(&keyed);
        socket.json("published");
        for (at, message) in part.iter().enumerate() {
            assert!(socket.send_frame(0x82, message));
            let code = socket.json("error")["code"].as_str().unwrap().to_owned();
            assert!(
                matches!(code.as_str(), "message" | "frame" | "names" | "value"),
                "{round} {at} of {count}: {code}"
            );
        }
    }
}

#[test]
fn who_sends_too_much_at_once_is_sent_away() {
    let name = Name::new();
    let bridge = bridge(&[name.as_str()]);
    // One message above a mebibyte.
    let mut socket = Socket::open(bridge.at);
    socket.send_frame(0x82, &vec![0; (1 << 20) + 1]);
    assert_eq!(socket.closing(), Some(1009));
    // As many numbers as fit, at once.
    let mut socket = Socket::open(bridge.at);
    socket.send(&publish(1, &name, &["x", "y", "z", "w"]));
    let row = vec![0.5; 16384];
    assert!(socket.send_frame(0x82, &binary(1, &[], &[&row, &row, &row, &row])));
    socket.json("published");
    // The server is there for others.
    let mut socket = Socket::open(bridge.at);
    socket.send(&json!({"type": "subscribe", "id": 1, "segment": name.as_str()}));
    assert_eq!(socket.frame(1).all_channels, 4);
}

#[test]
fn a_folder_of_pages_is_served_and_nothing_beside_it() {
    let (name, root) = (Name::new(), tempfile::tempdir().unwrap());
    let folder = root.path().join("pages");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("index.html"), "<title>mine</title>").unwrap();
    std::fs::write(folder.join("a.mjs"), "1").unwrap();
    std::fs::write(root.path().join("secret.txt"), "secret").unwrap();
    let bridge = bridge(&[name.as_str(), "--pages", folder.to_str().unwrap()]);
    let page = get(bridge.at, "/", &[]);
    assert_eq!((page.status, page.text().as_str()), (200, "<title>mine</title>"));
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    let policy = &page.headers["content-security-policy"];
    assert!(policy.starts_with("default-src 'self' 'unsafe-inline'") && !policy.contains("http"), "{policy}");
    assert_eq!(get(bridge.at, "/a.mjs?v=2", &[]).headers["content-type"], "text/javascript; charset=utf-8");
    for path in
        ["/../secret.txt", "/%2e%2e/secret.txt", "/..%5csecret.txt", "//secret.txt", "/client.js", "/app.js"]
    {
        assert_eq!(get(bridge.at, path, &[]).status, 404, "{path}");
    }
    assert_eq!(get(bridge.at, "/", &[("Origin", "http://evil.example")]).status, 403);
    let post =
        say(bridge.at, request("POST", bridge.at, "/", &[("Content-Length", "0")]).as_bytes()).unwrap();
    assert_eq!(post.status, 405);
    let none = run(&["bridge", "ws", name.as_str(), "--pages", root.path().join("none").to_str().unwrap()]);
    assert_eq!(none.code, Some(1));
    assert!(none.err[0].contains("name a folder with an index.html"), "{none:?}");
}

#[test]
fn serve_takes_no_frames_and_says_so() {
    let name = Name::new();
    let mut run = start(&["serve", "--port", "0", "--json"]);
    let port = u16::try_from(run.json()["port"].as_u64().unwrap()).unwrap();
    let mut socket = Socket::open(SocketAddr::from(([127, 0, 0, 1], port)));
    for message in [publish(1, &name, &["x"]), json!({"type": "channels", "id": 1, "channels": [1]})] {
        socket.send(&message);
        assert_eq!(socket.json("error")["code"], "publish");
    }
    assert!(socket.send_frame(0x82, &binary(1, &[], &[&[1.0]])));
    assert_eq!(socket.json("error")["code"], "publish");
    assert!(!name.has_segments());
}
