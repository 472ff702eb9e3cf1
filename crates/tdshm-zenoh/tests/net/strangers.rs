//! Programs that know zenoh and the page about the encoding, and share no code with this one's senders; and such as mean harm.

use std::path::Path;
use std::process::Command;

use tdshm::{Attached, ChopFrame, ChopReceiver, ChopSender};
use zenoh::Wait;

use crate::kit::{Name, Run, channels, endpoint, mirror, share};

pub(crate) fn config(key: &str, endpoint: &str) -> zenoh::Config {
    let mut config = zenoh::Config::default();
    config.insert_json5("scouting/multicast/enabled", "false").unwrap();
    config.insert_json5("listen/endpoints", "[]").unwrap();
    config.insert_json5(key, &format!("[{endpoint:?}]")).unwrap();
    config
}

pub(crate) fn block(values: &[f32]) -> Vec<u8> {
    let rows: Vec<[f32; 1]> = values.iter().map(|value| [*value]).collect();
    let mut block = Vec::new();
    let names = (0..rows.len()).map(|row| format!("s{row}"));
    ChopFrame::from_rows(names, 30.0, &rows).unwrap().append_block(&mut block).unwrap();
    block
}

#[test]
fn blocks_are_enough_and_whatever_else_comes_is_counted() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mirrored = name.mirrored();
    let mut mirroring = mirror(&["stranger/*"], &endpoint, &[]);
    let session = zenoh::open(config("listen/endpoints", &endpoint)).wait().unwrap();
    let key = format!("tdshm/stranger/{}", name.0);
    let _token = session.liveliness().declare_token(format!("{key}/alive")).wait().unwrap();
    // Keys that name nothing, and names that cannot be.
    let _bad = session.liveliness().declare_token("tdshm/stranger/%zz/alive").wait().unwrap();
    let _worse = session.liveliness().declare_token("tdshm/stranger/a%2Fb/alive").wait().unwrap();
    let frames = session.declare_publisher(format!("{key}/frame")).wait().unwrap();
    let mut receiver = ChopReceiver::open(&mirrored.0).unwrap();
    crate::kit::until("somebody to listen", || {
        frames.matching_status().wait().unwrap().matching().then_some(())
    });
    frames.put(block(&[1.0, 2.0])).wait().unwrap();
    let got = channels(&mut receiver, |_| true);
    assert_eq!((got.samples(), got.names()[1].as_str()), (&[1.0, 2.0][..], "s1"));

    let header = |fields: [u32; 9]| fields.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<u8>>();
    let many = header([0x12ed_54cf, 1, u32::MAX, 1 << 30, 1 << 30, 0, 0, 36, 0]);
    type Message = (&'static str, Vec<u8>, Option<Vec<u8>>);
    let hostile: [Message; 8] = [
        ("tdshm/channels", Vec::new(), None),
        ("tdshm/channels", b"hello".to_vec(), None),
        ("tdshm/channels", many, None),
        ("tdshm/channels;changed", vec![0xff; 64], Some(Vec::new())),
        ("tdshm/image", vec![0xff; 100], None),
        ("tdshm/image;lz4", vec![0xff; 100], None),
        ("tdshm/image;jpeg", block(&[1.0]), None),
        ("image/png", b"\x89PNG".to_vec(), Some(b"TDSN".to_vec())),
    ];
    let count = hostile.len() as u64;
    for (encoding, payload, attachment) in hostile {
        // One after the other: only the newest is looked at.
        let broken = |stream: &serde_json::Value| stream["broken"].as_u64();
        let before = broken(&mirroring.json("a count", |stream| stream["broken"].is_u64())).unwrap();
        frames.put(payload).encoding(encoding).attachment(attachment).wait().unwrap();
        mirroring.json("one more", |stream| broken(stream) > Some(before));
    }
    assert!(receiver.try_next().unwrap().is_none());
    assert_eq!(receiver.frame().unwrap().samples(), [1.0, 2.0], "the last good frame stays");
    frames.put(block(&[3.0])).encoding("tdshm/channels").wait().unwrap();
    assert_eq!(channels(&mut receiver, |_| true).samples(), [3.0]);
    let (_, out, err) = mirroring.end();
    let last: serde_json::Value = serde_json::from_str(out.last().unwrap()).unwrap();
    assert_eq!(last["streams"][0]["broken"].as_u64(), Some(count), "{err:?}");
    assert!(
        err.iter().any(|line| line.contains("the encoding \"image/png\" is none of tdshm's")
            || line.contains("the length of the attachment is 4, at least 64")),
        "{err:?}"
    );
    assert!(err.iter().any(|line| line.contains("\"a/b\"") || line.contains("a/b is left out")), "{err:?}");
    session.close().wait().unwrap();
}

#[test]
fn a_frame_whose_base_is_missing_is_asked_for_until_somebody_answers() {
    use std::sync::{Arc, mpsc};

    use tdshm_zenoh::encoding::{ChannelEncoder, Stamp};

    let (name, endpoint) = (Name::new(), endpoint());
    let mirrored = name.mirrored();
    let _mirroring = mirror(&["stranger/*"], &endpoint, &[]);
    let session = zenoh::open(config("listen/endpoints", &endpoint)).wait().unwrap();
    let key = format!("tdshm/stranger/{}", name.0);
    let (to, questions) = mpsc::channel();
    let queryable = session.declare_queryable(format!("{key}/frame"));
    let _queryable = queryable.callback(move |query| drop(to.send(query))).wait().unwrap();
    let _token = session.liveliness().declare_token(format!("{key}/alive")).wait().unwrap();
    let frames = session.declare_publisher(format!("{key}/frame")).wait().unwrap();
    crate::kit::until("somebody to listen", || {
        frames.matching_status().wait().unwrap().matching().then_some(())
    });
    let next = || questions.recv_timeout(crate::kit::WATCHDOG).unwrap();
    drop(next()); // what it asks when it begins

    let mut encoder = ChannelEncoder::default();
    let rows: Vec<[f32; 1]> = (0..50).map(|row| [row as f32]).collect();
    let mut rows = [rows.clone(), rows];
    rows[1][0] = [99.0];
    let [first, second] = rows.map(|rows| {
        Arc::new(ChopFrame::from_rows((0..50).map(|row| format!("c{row}")), 30.0, &rows).unwrap())
    });
    encoder.encode(&first, 1, false).unwrap();
    let (changed, base) = encoder.encode(&second, 2, false).unwrap();
    assert_eq!((changed.form.encoding(), base), ("tdshm/channels;changed", 1));
    let mut stamp = Stamp::default();
    (stamp.stream, stamp.number, stamp.shared, stamp.base) = (7, 2, 2, 1);
    let put = frames.put(changed.to_vec()).encoding("tdshm/channels;changed");
    put.attachment(stamp.to_bytes().as_slice()).wait().unwrap();
    // That one is lost on its way, too.
    drop(next());
    let mut block = Vec::new();
    second.append_block(&mut block).unwrap();
    stamp.base = 0;
    let query = next();
    let reply = query.reply(format!("{key}/frame"), block).encoding("tdshm/channels");
    reply.attachment(stamp.to_bytes().as_slice()).wait().unwrap();
    drop(query);
    let got = channels(&mut ChopReceiver::open(&mirrored.0).unwrap(), |_| true);
    assert_eq!(got.samples(), second.samples());
    session.close().wait().unwrap();
}

#[test]
fn anybody_can_ask_for_the_last_frame() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mut out = ChopSender::builder(&name.0).channels(["x", "y"]).sample_rate(30.0).create().unwrap();
    out.send(&[[0.25_f32], [0.5]]).unwrap();
    let mut sharing = share(&[&name.0], &endpoint, &[]);
    sharing.err("sharing ");
    let session = zenoh::open(config("connect/endpoints", &endpoint)).wait().unwrap();
    let ask = |leaf: &str| {
        crate::kit::until("an answer", || {
            let replies = session.get(format!("tdshm/there/{}/{leaf}", name.0)).wait().unwrap();
            replies.recv().ok().and_then(|reply| reply.into_result().ok())
        })
    };
    let frame = ask("frame");
    assert_eq!(frame.encoding().to_string(), "tdshm/channels");
    let got = ChopFrame::from_block(&frame.payload().to_bytes()).unwrap();
    assert_eq!((got.samples(), got.channel("y")), (&[0.25, 0.5][..], Some(&[0.5][..])));
    let stamp = frame.attachment().unwrap().to_bytes().into_owned();
    let stamp = tdshm_zenoh::encoding::Stamp::of(&stamp).unwrap();
    assert_eq!((stamp.frame, stamp.base, stamp.sender), (1, 0, std::process::id()));
    assert!(stamp.written > 0 && stamp.shared >= stamp.written, "{stamp:?}");
    let info: serde_json::Value = serde_json::from_slice(&ask("info").payload().to_bytes()).unwrap();
    assert_eq!(
        (&info["channels"], &info["kind"], &info["sender"]),
        (&2.into(), &"channels".into(), &"there".into())
    );
    session.close().wait().unwrap();
}

/// Python's client, where there is one: `cargo xtask test --only zenoh` makes it, and says where it is.
fn python(script: &str, args: &[&str]) -> Option<Run> {
    let Some(python) = std::env::var_os("TDSHM_ZENOH_PYTHON") else {
        println!("skipped: TDSHM_ZENOH_PYTHON names no Python with eclipse-zenoh and numpy");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/python").join(script);
    let mut command = Command::new(python);
    command.arg(script).args(args).env("PYTHONDONTWRITEBYTECODE", "1");
    Some(Run::start(command))
}

#[test]
fn pythons_client_reads_what_is_shared() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mut out =
        ChopSender::builder(&name.0).channels((0..9).map(|row| format!("n{row}"))).create().unwrap();
    let mut rows = vec![[0.5_f32]; 9];
    out.send(&rows).unwrap();
    let mut sharing = share(&[&name.0], &endpoint, &[]);
    sharing.err("sharing ");
    let stream = format!("there/{}", name.0);
    let Some(mut reader) = python("zenoh_read.py", &[&stream, "--connect", &endpoint, "--frames", "1000"])
    else {
        return;
    };
    reader.out("'n3': [0.5]");
    // The first of these is whole, the others say what changed.
    for value in [1.5, 2.5, 3.5, 4.5] {
        rows[3] = [value];
        out.send(&rows).unwrap();
        let line = reader.out(&format!("'n3': [{value}]"));
        assert!(line.contains("'n0': [0.5]") && line.contains("'n8': [0.5]"), "{line}");
    }
    let stream = sharing.json("all", |stream| stream["number"].as_u64() >= Some(5));
    assert!(
        stream["bytes"].as_u64() < stream["number"].as_u64().map(|frames| frames * 99),
        "none was changed: {stream}"
    );
}

#[test]
fn pythons_client_writes_what_is_mirrored() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mirrored = name.mirrored();
    let stream = format!("python/{}", name.0);
    let Some(mut writer) = python("zenoh_write.py", &[&stream, "--listen", &endpoint]) else { return };
    writer.out("ready");
    writer.tell("1 2.5 -3");
    writer.out("sent 3 channels");
    // It comes late, and has the frame all the same.
    let _mirroring = mirror(&["python/*"], &endpoint, &[]);
    let mut receiver = ChopReceiver::open(&mirrored.0).unwrap();
    let got = channels(&mut receiver, |_| true);
    assert_eq!((got.samples(), got.names()[2].as_str()), (&[1.0, 2.5, -3.0][..], "chan3"));
    writer.tell("7 8");
    assert_eq!(channels(&mut receiver, |_| true).samples(), [7.0, 8.0]);
    writer.kill();
    crate::kit::until("the end", || {
        let _ = receiver.try_next();
        (receiver.attached() == Attached::Left).then_some(())
    });
}

/// The bytes that the page shows, by the comment in front of them.
fn page(part: &str) -> Vec<u8> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/network-encoding.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once(&format!("<!-- bytes: {part} -->\n```text\n")).unwrap();
    let lines = rest.split_once("```").unwrap().0.lines();
    // Words stand behind three spaces.
    let bytes = lines.flat_map(|line| line.split("   ").next().unwrap().split_whitespace());
    bytes.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

#[test]
fn the_bytes_of_the_page_are_those_of_the_wire() {
    use tdshm_zenoh::encoding::{Applied, ChannelDecoder, ChannelEncoder, End, Form, Stamp};

    let frame = |y: f32| std::sync::Arc::new(ChopFrame::from_rows(["x", "y"], 30.0, &[[0.25], [y]]).unwrap());
    let mut encoder = ChannelEncoder::default();
    let (whole, base) = encoder.encode(&frame(0.5), 1, false).unwrap();
    assert_eq!((whole.form, base, whole.to_vec()), (Form::Channels, 0, page("whole")));
    let (changed, base) = encoder.encode(&frame(0.75), 2, false).unwrap();
    assert_eq!((changed.form, base, changed.to_vec()), (Form::Changed, 1, page("changed")));
    let stamp = Stamp::of(&page("stamp")).unwrap();
    assert_eq!((stamp.stream, stamp.number, stamp.base, stamp.frame), (0x1122_3344_5566_7788, 2, 1, 2));
    assert_eq!((stamp.shared - stamp.written, stamp.sender, stamp.end), (100_000, 4711, End::Goes));
    assert_eq!(stamp.to_bytes().as_slice(), page("stamp"));

    let mut first = stamp;
    first.number = 1;
    let mut decoder = ChannelDecoder::default();
    decoder.whole(&first, &page("whole")).unwrap();
    assert_eq!(decoder.changed(&stamp, &page("changed")).unwrap(), Applied::Yes);
    assert_eq!(decoder.samples(), [0.25, 0.75]);
}
