//! The monitor in a browser, asked by hand.

pub(crate) mod raw;

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;

use serde_json::{Value, json};

use self::raw::{Heard, Socket, UPGRADE, get, request, say};
use crate::between::{channels, image};
use crate::kit::{ASKED_TO_END, ForeignOut, Name, Run, command, run, start, until};

/// A server, and where it listens.
struct Served {
    run: Run,
    at: SocketAddr,
    start: Value,
}

fn serve(args: &[&str]) -> Served {
    let mut run = start(&[&["serve", "--port", "0", "--json"], args].concat());
    let start = run.json();
    let port = u16::try_from(start["port"].as_u64().unwrap()).unwrap();
    Served { run, at: SocketAddr::from(([127, 0, 0, 1], port)), start }
}

fn subscribe(id: u32, name: &Name) -> Value {
    json!({"type": "subscribe", "id": id, "segment": name.as_str()})
}

/// A sender of those lines, which stays.
fn sender(name: &Name, lines: &str) -> (Run, std::process::ChildStdin) {
    let mut command = command(&["send", name.as_str(), "--stdin"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(lines.as_bytes()).unwrap();
    let mut run = Run::of(child);
    run.says("sending");
    (run, stdin)
}

#[test]
fn the_page_comes_whole_and_protected() {
    let served = serve(&[]);
    assert_eq!(served.start["url"], format!("http://{}/", served.at));
    assert_eq!((&served.start["token"], &served.start["clients"]), (&Value::Null, &json!(16)));
    let page = get(served.at, "/", &[]);
    assert_eq!((page.status, page.headers["content-type"].as_str()), (200, "text/html; charset=utf-8"));
    assert!(page.text().contains("<title>tdshm</title>"));
    let policy = &page.headers["content-security-policy"];
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(page.headers[name], value);
    }
    assert!(!page.headers.contains_key("access-control-allow-origin"));
    let script = get(served.at, "/vendor/uPlot.iife.min.js", &[]);
    assert!(script.text().starts_with("/*! https://github.com/leeoniya/uPlot (v1.6.32) */"));
    assert!(get(served.at, "/vendor/uPlot-LICENSE.txt", &[]).text().contains("Leon Sorokin"));
    for path in ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "//etc/passwd", "/vendor/", "/app.js/"] {
        assert_eq!(get(served.at, path, &[]).status, 404, "{path}");
    }
}

#[test]
fn foreign_pages_and_foreign_names_are_kept_out() {
    let served = serve(&["--allow-host", "studio.local"]);
    let port = served.at.port();
    let status = |path: &str, headers: &[(&str, &str)]| get(served.at, path, headers).status;
    for path in ["/", "/app.js", "/health", "/socket"] {
        for host in
            ["evil.example", &format!("evil.example:{port}"), "localhost.evil.example", "10.0.0.1", "[::2]"]
        {
            assert_eq!(status(path, &[("Host", host)]), 403, "{path} {host}");
        }
        for origin in
            ["http://evil.example", "null", "http://127.0.0.1:1", &format!("http://localhost:{port}")]
        {
            assert_eq!(status(path, &[("Origin", origin)]), 403, "{path} {origin}");
        }
        assert_eq!(status(path, &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")]), 403);
    }
    for host in ["localhost", &format!("localhost:{port}"), &format!("[::1]:{port}"), "studio.local"] {
        assert_eq!(status("/", &[("Host", host)]), 200, "{host}");
    }
    // The same for a WebSocket, which no browser keeps from asking.
    for origin in
        ["http://evil.example", "null", "https://127.0.0.1", &format!("http://127.0.0.1:{port}.evil.example")]
    {
        assert_eq!(
            Socket::try_open(served.at, &[("Origin", origin)]).err().map(|a| a.status),
            Some(403),
            "{origin}"
        );
    }
    let foreign_host =
        Socket::try_open(served.at, &[("Host", "evil.example"), ("Origin", "http://evil.example")]);
    assert_eq!(foreign_host.err().map(|answer| answer.status), Some(403));
    // As a proxy is asked: the whole address, which agrees with the Host.
    let whole = |authority: &str| get(served.at, &format!("http://{authority}/health"), &[]).status;
    assert_eq!((whole(&served.at.to_string()), whole("evil.example")), (200, 400));
    let by_name = [("Host", "studio.local:9"), ("Origin", "http://studio.local:9")];
    assert!(Socket::try_open(served.at, &by_name).is_ok());
    assert!(Socket::try_open(served.at, &[]).is_ok(), "programs have no origin");
    let answer = get(served.at, "/", &[("Host", "evil.example")]);
    assert!(answer.text().contains("--allow-host"), "{}", answer.text());
    let post =
        say(served.at, request("POST", served.at, "/", &[("Content-Length", "0")]).as_bytes()).unwrap();
    assert_eq!((post.status, post.headers["allow"].as_str()), (405, "GET, HEAD"));
    let old = say(served.at, b"GET / HTTP/1.0\r\n\r\n").unwrap();
    assert_eq!(old.status, 400);
}

#[test]
fn a_token_is_wanted_beyond_loopback_and_where_asked_for() {
    let mut beyond = serve(&["--listen", "0.0.0.0"]);
    beyond.run.says("nothing is encrypted");
    let token = beyond.start["token"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 32);
    assert!(beyond.start["url"].as_str().unwrap().ends_with(&format!("/?token={token}")));
    let own = serve(&["--token", "correct-horse-battery"]);
    assert!(own.start["url"].as_str().unwrap().ends_with("/?token=correct-horse-battery"));
    let made = serve(&["--token"]);
    assert_eq!(made.start["token"].as_str().unwrap().len(), 32);
    for (served, token) in [(&beyond, token.as_str()), (&own, "correct-horse-battery")] {
        let at = served.at;
        let (port, path) = (at.port(), format!("/?token={token}"));
        for path in ["/", "/app.js", "/health", "/?token=", &path[..path.len() - 1], &format!("{path}x")] {
            assert_eq!(get(at, path, &[]).status, 401, "{path}");
        }
        assert_eq!(Socket::try_open(at, &[]).err().map(|answer| answer.status), Some(401));
        let page = get(at, &path, &[]);
        let cookie = &page.headers["set-cookie"];
        assert_eq!(*cookie, format!("tdshm-{port}={token}; Path=/; HttpOnly; SameSite=Strict"));
        let pair = cookie.split(';').next().unwrap();
        assert_eq!(get(at, "/app.js", &[("Cookie", pair)]).status, 200);
        assert!(Socket::try_open(at, &[("Cookie", pair)]).is_ok());
        assert!(Socket::with(at, &format!("/socket?token={token}"), &UPGRADE).is_ok());
        assert!(Socket::try_open(at, &[("Authorization", &format!("Bearer {token}"))]).is_ok());
        // Whoever has the token is still no foreign page.
        let foreign = [("Cookie", pair), ("Origin", "http://evil.example")];
        assert_eq!(Socket::try_open(at, &foreign).err().map(|answer| answer.status), Some(403));
    }
    let short = run(&["serve", "--token", "short"]);
    assert_eq!(short.code, Some(2));
    assert!(short.err.iter().any(|line| line.contains("at least 16 letters")), "{short:?}");
}

#[test]
fn it_says_where_it_is_and_ends_at_once() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let failed = run(&["serve", "--port", &port]);
    assert_eq!((failed.code, failed.out.len()), (Some(1), 0));
    assert!(failed.err[0].contains(&format!("port {port} of 127.0.0.1 is in use")), "{failed:?}");
    assert!(failed.err[0].contains("--port"));
    let nowhere = run(&["serve", "--listen", "192.0.2.1"]);
    assert!(nowhere.err[0].contains("192.0.2.1 is no address of this machine"), "{nowhere:?}");
    for (signal, code) in ASKED_TO_END {
        let mut quiet = start(&["serve", "--port", "0", "-q"]);
        let url = quiet.line();
        let at: SocketAddr = url.strip_prefix("http://").unwrap().trim_end_matches('/').parse().unwrap();
        let mut socket = Socket::open(at);
        quiet.signal(signal);
        assert_eq!(socket.closing(), Some(1001), "going away");
        let ended = quiet.wait();
        assert_eq!((ended.code, ended.err), (Some(*code), Vec::new()));
    }
}

#[test]
fn channels_come_as_they_were_sent() {
    let (name, served) = (Name::new(), serve(&[]));
    let samples: Vec<f32> = (0..40).map(|index| (index as f32).sin()).collect();
    let line = json!({"sample_rate": 48.0, "channels": [
        {"name": "tx", "samples": samples},
        {"name": "rot/y", "samples": vec![0.1; 40]},
        {"name": "tz", "samples": samples.iter().map(|s| s * 2.0).collect::<Vec<_>>()},
    ]});
    let (_sender, _stdin) = sender(&name, &format!("{line}\n"));
    let mut socket = Socket::open(served.at);
    socket.send(&subscribe(7, &name));
    let frame = socket.frame(7);
    assert_eq!(frame.names.as_deref().unwrap(), ["tx", "rot/y", "tz"]);
    assert_eq!(frame.channels[0], samples);
    assert_eq!(frame.channels[1], [0.1; 40]);
    assert_eq!((frame.kind, frame.rate, frame.number, frame.serial), (1, 48.0, Some(1), 1));
    assert_eq!((frame.since, frame.reduced, frame.len_samples, frame.all_channels), (false, false, 40, 3));

    // Some of them, and fewer points: the least and the greatest of each group.
    let mut some = subscribe(8, &name);
    some["channels"] = json!("t*");
    some["points"] = json!(10);
    socket.send(&some);
    let frame = socket.frame(8);
    assert_eq!(frame.names.unwrap(), ["tx", "tz"]);
    assert_eq!(
        (frame.channels[0].len(), frame.reduced, frame.len_samples, frame.all_channels),
        (10, true, 40, 3)
    );
    for (pair, group) in frame.channels[0].chunks(2).zip(samples.chunks(8)) {
        let least = group.iter().copied().fold(f32::INFINITY, f32::min);
        let greatest = group.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        assert_eq!((pair[0].min(pair[1]), pair[0].max(pair[1])), (least, greatest));
    }
    // Another wish under the same id takes its place.
    some["channels"] = json!("nothing");
    socket.send(&some);
    let frame = socket.frame(8);
    assert_eq!((frame.channels.len(), frame.all_channels), (0, 3));

    // Both of them and the list, in JSON.
    let mut json_socket = Socket::open_json(served.at);
    json_socket.send(&subscribe(1, &name));
    let message = json_socket.json("channels");
    assert_eq!(message["names"], json!(["tx", "rot/y", "tz"]));
    let first: Vec<f32> =
        message["channels"][0].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect();
    assert_eq!((first, &message["rate"]), (samples, &json!(48.0)));
    json_socket.send(&json!({"type": "list", "hz": 10}));
    loop {
        let list = json_socket.json("segments");
        let row =
            list["segments"].as_array().unwrap().iter().find(|row| row["name"] == name.as_str()).cloned();
        let row = row.unwrap();
        if row["groups"].as_array().is_some_and(|groups| groups.len() > 2) {
            assert_eq!((&row["kind"], &row["layout"]), (&json!("channels"), &json!("3 × 40 at 48 Hz")));
            assert_eq!((&row["stale"], &row["readers"]), (&json!(false), &json!(0)), "nobody notices");
            break;
        }
    }
}

#[test]
fn of_short_frames_nothing_is_left_out() {
    let (name, served) = (Name::new(), serve(&[]));
    let (_sender, mut stdin) = sender(&name, "a,b\n0,0\n");
    let mut socket = Socket::open(served.at);
    socket.send(&subscribe(1, &name));
    let mut got = Vec::new();
    for round in 0..20 {
        if round > 0 {
            stdin.write_all(format!("{round},{}\n", -round).as_bytes()).unwrap();
        }
        while got.len() <= round as usize {
            let frame = socket.frame(1);
            assert!(frame.since && frame.dropped == 0);
            // Each frame of one sample is there once, whether it came alone or with others.
            got.extend(frame.channels[0].iter().copied().zip(frame.channels[1].iter().copied()));
        }
    }
    let expected: Vec<(f32, f32)> = (0..20).map(|round| (round as f32, -round as f32)).collect();
    assert_eq!(got, expected);
    // Who comes later gets what is still known.
    let mut late = Socket::open(served.at);
    late.send(&subscribe(3, &name));
    assert_eq!(late.frame(3).channels[0], (0..20).map(|round| round as f32).collect::<Vec<_>>());
}

#[test]
fn an_image_comes_the_right_way_up_and_no_larger_than_wanted() {
    let (name, served) = (Name::new(), serve(&[]));
    let mut send = start(&["send", name.as_str(), "--test-pattern", "64x36", "--frames", "100000"]);
    send.says("sending");
    let mut socket = Socket::open(served.at);
    socket.send(&subscribe(1, &name));
    let frame = socket.frame(1);
    assert_eq!((frame.kind, frame.width, frame.height, frame.source), (2, 64, 36, (64, 36)));
    assert_eq!((frame.pixels.len(), frame.encoding, frame.range), (64 * 36 * 4, 0, (0.0, 1.0)));
    // The pattern's bars are above: grey at the left. Its gradient is below: all grey.
    let pixel = |x: usize, y: usize| &frame.pixels[(y * 64 + x) * 4..][..3];
    let yellow = pixel(12, 0);
    assert!(yellow[0] > 150 && yellow[1] > 150 && yellow[2] < 50, "{yellow:?}");
    let below = pixel(12, 35);
    assert!(below[0] == below[1] && below[1] == below[2], "{below:?}");
    let mut smaller = subscribe(2, &name);
    smaller["image"] = json!({"width": 32, "height": 32, "encoding": "jpeg"});
    socket.send(&smaller);
    let frame = socket.frame(2);
    assert_eq!((frame.width, frame.height, frame.source, frame.encoding), (32, 18, (64, 36), 1));
    assert!(frame.pixels.starts_with(&[0xff, 0xd8, 0xff]) && frame.pixels.ends_with(&[0xff, 0xd9]));
}

/// What takes long to pack keeps nobody waiting, on the same connection either.
#[test]
fn channels_go_on_while_an_image_is_packed() {
    let (names, served) = ([Name::new(), Name::new()], serve(&[]));
    let mut channels = start(&["send", names[0].as_str(), "--length", "64"]);
    channels.says("sending");
    let mut images = start(&["send", names[1].as_str(), "--test-pattern", "1920x1080"]);
    images.says("sending");
    let mut socket = Socket::open(served.at);
    socket.send(&subscribe(1, &names[0]));
    let mut asked = subscribe(2, &names[1]);
    asked["image"] = json!({"encoding": "jpeg"});
    socket.send(&asked);
    socket.frame(2);
    let (mut between, mut pictures) = (0, 0);
    while pictures < 4 {
        match socket.hear() {
            Heard::Frame(frame) if frame.id == 1 => between += 1,
            Heard::Frame(_) => pictures += 1,
            Heard::Json(_) => {}
            closed @ Heard::Closed(_) => panic!("{closed:?}"),
        }
    }
    assert!(between > 8, "{between} frames of channels beside {pictures} of an image");
}

#[test]
fn an_image_of_an_unknown_format_is_told() {
    let (name, served) = (Name::new(), serve(&[]));
    let _out = ForeignOut::create(name.as_str(), &image().with(6, 4711).bytes(), 4096);
    let mut socket = Socket::open(served.at);
    socket.send(&subscribe(1, &name));
    loop {
        let state = socket.json("state");
        if state["state"] == "error" {
            let sentence = state["sentence"].as_str().unwrap();
            assert!(sentence.contains("0x1267") && sentence.contains("cannot be shown"), "{state}");
            assert_eq!(state["kind"], "image");
            break;
        }
    }
}

#[test]
fn a_foreign_sender_is_a_fact_and_no_warning() {
    let (name, served) = (Name::new(), serve(&[]));
    let _out = ForeignOut::create(name.as_str(), &channels().bytes(), 4096);
    let mut socket = Socket::open(served.at);
    socket.send(&json!({"type": "list", "hz": 10}));
    loop {
        let list = socket.json("segments");
        let rows = list["segments"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == name.as_str());
        if let Some(row) = row.filter(|row| row["remarks"] != json!([])) {
            assert!(row["remarks"][0].as_str().unwrap().starts_with("foreign: another program's sender"));
            assert_eq!(row["warnings"], json!([]), "{row}");
            break;
        }
    }
}

#[test]
fn a_sender_may_come_late_leave_and_come_again() {
    let (name, served) = (Name::new(), serve(&[]));
    let mut socket = Socket::open(served.at);
    socket.send(&subscribe(1, &name));
    let state = socket.json("state");
    assert_eq!((&state["state"], &state["id"]), (&json!("waiting"), &json!(1)));
    for value in ["1", "2"] {
        let (sender, stdin) = sender(&name, &format!("x\n{value}\n"));
        while socket.json("state")["state"] != "there" {}
        let frame = socket.frame(1);
        assert_eq!(frame.channels[0].last().copied(), value.parse().ok());
        drop(stdin);
        assert_eq!(sender.wait().code, Some(0));
        while socket.json("state")["state"] != "left" {}
    }
    let mut last = start(&["send", name.as_str()]);
    last.says("sending");
    while socket.json("state")["state"] != "there" {}
    last.signal("KILL");
    last.wait();
    while socket.json("state")["state"] != "died" {}
}

#[test]
fn windows_close_until_frames_are_acknowledged() {
    let (name, served) = (Name::new(), serve(&[]));
    let mut send = start(&["send", name.as_str(), "--length", "64"]);
    send.says("sending");
    let mut socket = Socket::open(served.at);
    let mut asked = subscribe(1, &name);
    asked["window"] = json!(2);
    socket.send(&asked);
    assert_eq!((socket.frame(1).serial, socket.frame(1).serial), (1, 2));
    // No third one comes however often the list does, and however many frames the monitor reads.
    socket.send(&json!({"type": "list", "hz": 10}));
    let read = |list: &Value| {
        let mut segments = list["segments"].as_array().unwrap().iter();
        let segment = segments.find(|segment| segment["name"] == name.as_str()).unwrap();
        let mut fields = segment["groups"][0]["fields"].as_array().unwrap().iter();
        let sent = fields.find(|field| field[0] == "frames sent").unwrap();
        sent[1].as_str().unwrap().parse::<u64>().unwrap() - segment["missed"].as_u64().unwrap()
    };
    let mut lists = Vec::new();
    while lists.len() < 5 || lists[lists.len() - 1] < lists[0] + 40 {
        match socket.hear() {
            Heard::Json(value) if value["type"] == "segments" => lists.push(read(&value)),
            Heard::Json(_) => {}
            other => panic!("{other:?}"),
        }
    }
    socket.send(&json!({"type": "ack", "id": 1, "serial": 2}));
    let frame = socket.frame(1);
    assert_eq!(frame.serial, 3);
    assert!(frame.dropped > 10, "newer ones took the place of older ones: {}", frame.dropped);
    socket.send(&json!({"type": "ack", "id": 1, "serial": 9}));
    assert_eq!(socket.json("error")["code"], "ack");
    socket.send(&json!({"type": "unsubscribe", "id": 1}));
    socket.send(&json!({"type": "unsubscribe", "id": 1}));
    assert_eq!(socket.json("error")["code"], "id");
}

#[test]
fn hostile_messages_are_answered_and_hurt_nobody() {
    let (name, served) = (Name::new(), serve(&[]));
    let (_sender, _stdin) = sender(&name, "x\n1\n");
    let mut good = Socket::open(served.at);
    good.send(&subscribe(1, &name));
    good.frame(1);
    let mut socket = Socket::open(served.at);
    let nonsense: [&[u8]; 8] = [
        b"",
        b"{",
        b"null",
        b"[[[[",
        br#"{"type":"subscribe"}"#,
        br#"{"type":"list","hz":1e999}"#,
        br#"{"type":"subscribe","id":4294967296,"segment":"x"}"#,
        br#"{"type":"ack","id":0,"serial":0.5}"#,
    ];
    for text in nonsense {
        assert!(socket.send_frame(0x81, text));
        assert_eq!(socket.json("error")["code"], "message", "{}", String::from_utf8_lossy(text));
    }
    assert!(socket.send_frame(0x82, &[0; 100]));
    assert_eq!(socket.json("error")["code"], "message");
    let wrong = [
        (json!({"type": "subscribe", "id": 1, "segment": "a/b"}), "segment"),
        (json!({"type": "subscribe", "id": 1, "segment": ""}), "segment"),
        (json!({"type": "subscribe", "id": 1, "segment": "x", "channels": "t | "}), "pattern"),
        (json!({"type": "subscribe", "id": 1, "segment": "x", "channels": "*".repeat(5000)}), "pattern"),
        (json!({"type": "subscribe", "id": 1, "segment": "x", "points": 1}), "value"),
        (json!({"type": "subscribe", "id": 1, "segment": "x", "hz": 0}), "value"),
        (json!({"type": "unsubscribe", "id": 9}), "id"),
    ];
    for (message, code) in wrong {
        socket.send(&message);
        assert_eq!(socket.json("error")["code"], code, "{message}");
    }
    // More subscriptions, or changes of them, than anybody needs.
    for id in 0..40 {
        socket.send(&json!({"type": "subscribe", "id": id, "segment": "x"}));
    }
    assert_eq!(socket.json("error")["code"], "subscriptions");
    let mut busy = Socket::open(served.at);
    for _ in 0..80 {
        busy.send(&json!({"type": "list", "hz": 0}));
    }
    assert_eq!(busy.json("error")["code"], "rate");
    // What breaks the protocol closes the connection.
    let closing = |bytes: &[u8]| {
        let mut socket = Socket::open(served.at);
        socket.send_bytes(bytes);
        socket.closing()
    };
    let (reserved, opcode, unmasked) = (b"\xf1\x80\0\0\0\0", b"\x83\x80\0\0\0\0", b"\x81\x02{}");
    let too_long = [b"\x81\xff".as_slice(), &(1_u64 << 40).to_be_bytes(), &[0; 4]].concat();
    let long_ping = [b"\x89\xfe\x01\x00".as_slice(), &[0; 4 + 256]].concat();
    // In parts, none of which is too long.
    let part = |first| [&[first, 0xfe, 0x20, 0], &[0; 4 + 0x2000][..]].concat();
    let parts = [part(0x01), part(0x00), part(0x00)].concat();
    let broken: [(&[u8], u16); 7] = [
        (unmasked, 1002),
        (reserved, 1002),
        (opcode, 1002),
        (&long_ping, 1002),
        (b"\x81\x81\0\0\0\0\xff", 1007),
        (&too_long, 1009),
        (&parts, 1009),
    ];
    for (bytes, code) in broken {
        assert_eq!(closing(bytes), Some(code), "{:?}", bytes.get(..8));
        // Whoever goes on talking hears it all the same.
        assert_eq!(closing(&[bytes, &[b'x'; 200_000]].concat()), Some(code), "{:?}", bytes.get(..8));
    }
    let acknowledgement = br#"{"type":"ack","id":1,"serial":0}"#;
    for (text, times) in [(&b"{"[..], 400), (acknowledgement, 4000)] {
        let mut flood = Socket::open(served.at);
        flood.send_frames(0x81, text, times);
        assert_eq!(flood.closing(), Some(1008), "{}", String::from_utf8_lossy(text));
    }
    // Requests that are none.
    for bytes in [&b"\0\0\0\0\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", &[b'a'; 40_000]] {
        let status = say(served.at, bytes).map(|answer| answer.status);
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "{status:?}");
    }
    let many: String = (0..200).map(|index| format!("X-{index}: 1\r\n")).collect();
    let status =
        say(served.at, format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes()).map(|answer| answer.status);
    assert!(status.is_none_or(|status| status == 431 || status == 400), "{status:?}");
    for (index, missing) in [0, 1, 3, 4].into_iter().enumerate() {
        let mut headers = UPGRADE.to_vec();
        headers.remove(missing);
        let status = Socket::with(served.at, "/socket", &headers).err().map(|answer| answer.status);
        assert_eq!(status, Some(400), "{index}");
    }
    // The good one has noticed nothing.
    good.send(&subscribe(2, &name));
    assert_eq!(good.frame(2).channels, [[1.0]]);
}

#[test]
fn no_more_clients_than_allowed() {
    let served = serve(&["--clients", "2"]);
    let sockets = [Socket::open(served.at), Socket::open(served.at)];
    let refused = Socket::try_open(served.at, &[]).err().unwrap();
    assert_eq!(refused.status, 503);
    assert!(refused.text().contains("--clients"), "{}", refused.text());
    assert_eq!(get(served.at, "/health", &[]).status, 503);
    drop(sockets);
    until(|| get(served.at, "/health", &[]).status == 200);
    Socket::open(served.at);
}

/// Kilobytes that a process has in memory.
#[cfg(target_os = "linux")]
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn who_reads_nothing_keeps_nobody_waiting_and_fills_no_memory() {
    let (name, served) = (Name::new(), serve(&[]));
    let mut send = start(&["send", name.as_str(), "--test-pattern", "640x480"]);
    send.says("sending");
    let mut quick = Socket::open(served.at);
    quick.send(&subscribe(1, &name));
    quick.frame(1);
    let mut slow: Vec<Socket> = (0..6).map(|_| Socket::open(served.at)).collect();
    for socket in &mut slow {
        for id in 1..=8 {
            socket.send(&subscribe(id, &name));
        }
    }
    for _ in 0..20 {
        quick.frame(1);
    }
    let before = resident(served.run.id());
    // A hundred images of 1.2 MB to the quick one; to the others 48 times as many were due.
    let mut last = 0;
    for _ in 0..100 {
        let frame = quick.frame(1);
        assert!(frame.number.unwrap() > last, "newer each time");
        last = frame.number.unwrap();
    }
    let after = resident(served.run.id());
    assert!(after < before + 40_000, "{before} kB became {after} kB");
    // Who begins to read gets what is newest after what was under way.
    let frames: Vec<u64> = (0..24).map(|_| slow[0].frame(1).number.unwrap()).collect();
    assert!(frames.iter().any(|number| *number > last), "{frames:?} and {last}");
}
