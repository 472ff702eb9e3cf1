//! Open Sound Control: bytes by hand on the wire, strangers, and what becomes of a recording that goes there and back.

#[cfg(target_os = "linux")]
mod others;

use std::net::UdpSocket;
use std::time::Duration;

use serde_json::Value;
use tdshm::{ChopFrame, ChopReceiver, ChopSender};
use tdshm_io::file::recording::{Stamp, Writer};

use crate::kit::{Name, Run, start, until};
use crate::record::File;

const LIMIT: Duration = Duration::from_secs(60);

/// The bytes of operators §11.3.
const PINCH: &[u8] = b"/h0/pinch\0\0\0,f\0\0\x3F\0\0\0";
const MIX: &[u8] = b"/mix\0\0\0\0,fff\0\0\0\0\x3E\x80\0\0\x3F\0\0\0\x3F\x40\0\0";

/// `osc-in`, at a port of its own.
struct Inlet {
    run: Run,
    port: u16,
}

impl Inlet {
    fn start(name: &Name, args: &[&str]) -> Self {
        Self::at(name, "127.0.0.1:0", args)
    }

    fn at(name: &Name, listen: &str, args: &[&str]) -> Self {
        let fixed = ["bridge", "osc-in", name.as_str(), "--listen", listen, "--json"];
        let mut run = start(&[&fixed, args].concat());
        let start = run.json();
        assert_eq!((&start["type"], &start["bridge"]), (&"start".into(), &"osc-in".into()), "{start}");
        assert!(start["buffer_bytes"].as_u64().unwrap() > 0);
        Self { run, port: u16::try_from(start["port"].as_u64().unwrap()).unwrap() }
    }

    /// Reads what is printed each second, up to the one that is so.
    fn until(&mut self, is_so: impl Fn(&Value) -> bool) -> Value {
        loop {
            let status = self.run.json();
            if is_so(&status) {
                return status;
            }
        }
    }

    /// Ends it; what it says last.
    fn end(self) -> Value {
        self.run.signal("INT");
        let ended = self.run.wait();
        assert_eq!(ended.code, Some(130), "{ended:?}");
        let last: Value = serde_json::from_str(ended.out.last().unwrap()).unwrap();
        assert_eq!(last["type"], "end", "{ended:?}");
        last
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket
}

fn port(socket: &UdpSocket) -> u16 {
    socket.local_addr().unwrap().port()
}

fn packet(socket: &UdpSocket) -> Vec<u8> {
    let mut packet = vec![0; 65_536];
    let len = socket.recv(&mut packet).unwrap();
    packet.truncate(len);
    packet
}

/// `osc-out`, to that socket.
fn out(name: &Name, to: &UdpSocket, args: &[&str]) -> Run {
    let to = format!("127.0.0.1:{}", port(to));
    start(&[&["bridge", "osc-out", name.as_str(), "--to", &to], args].concat())
}

/// Sends the rows until something has arrived, which is that: the bridge may not be attached yet.
fn sends_until<R: AsRef<[f32]>>(sender: &mut ChopSender, rows: &[R], socket: &UdpSocket, expected: &[u8]) {
    socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut buffer = [0; 65_536];
    let rows: Vec<&[f32]> = rows.iter().map(AsRef::as_ref).collect();
    let len = until_some(|| {
        sender.send(&rows[..]).unwrap();
        socket.recv(&mut buffer).ok()
    });
    assert_eq!(buffer[..len].escape_ascii().to_string(), expected.escape_ascii().to_string());
    socket.set_read_timeout(Some(LIMIT)).unwrap();
}

/// Takes away what has come.
fn drain(socket: &UdpSocket) {
    socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    while socket.recv(&mut [0; 65_536]).is_ok() {}
    socket.set_read_timeout(Some(LIMIT)).unwrap();
}

fn until_some<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let begin = std::time::Instant::now();
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(begin.elapsed() < LIMIT);
    }
}

/// The next frame in which that is so.
fn frame(receiver: &mut ChopReceiver, is_so: impl Fn(&ChopFrame) -> bool) -> ChopFrame {
    until_some(|| {
        let frame = receiver.next_timeout(LIMIT).unwrap().unwrap();
        is_so(frame).then(|| frame.clone())
    })
}

#[test]
fn the_bytes_of_the_description_go_both_ways() {
    let (name, socket) = (Name::new(), socket());
    let mut inlet = Inlet::start(&name, &[]);
    let mut receiver = ChopReceiver::open(name.as_str()).unwrap();
    for bytes in [PINCH, MIX] {
        socket.send_to(bytes, ("127.0.0.1", inlet.port)).unwrap();
    }
    let came = frame(&mut receiver, |frame| frame.num_channels() == 4);
    assert_eq!(came.names(), ["h0/pinch", "mix1", "mix2", "mix3"]);
    assert_eq!(
        (came.samples(), came.sample_rate(), came.len_samples()),
        (&[0.5, 0.25, 0.5, 0.75][..], 60.0, 1)
    );
    let status = inlet.until(|status| status["channels"] == 4);
    assert_eq!((&status["packets"], &status["bytes"], &status["peers"]), (&2.into(), &48.into(), &1.into()));
    assert!(inlet.end()["frames"].as_u64().unwrap() > 0);
    drop(receiver); // objects of Windows stay as long as anybody has them open
    until(|| !name.has_segments());

    let name = Name::new();
    let mut sender = ChopSender::builder(name.as_str()).channels(["h0/pinch"]).create().unwrap();
    let bridge = out(&name, &socket, &[]);
    sends_until(&mut sender, &[[0.5]], &socket, PINCH);
    drain(&socket);
    sender.set_channels(["mix"]).unwrap();
    sends_until(&mut sender, &[[0.25, 0.5, 0.75]], &socket, MIX);
    sender.set_channels(["a", "b"]).unwrap();
    sender.send_flat(&[1.0, 2.0], 1).unwrap();
    let bundle = until_some(|| Some(packet(&socket)).filter(|packet| packet.starts_with(b"#bundle\0")));
    assert_eq!(&bundle[16..], b"\0\0\0\x0C/a\0\0,f\0\0\x3F\x80\0\0\0\0\0\x0C/b\0\0,f\0\0\x40\0\0\0");
    assert!(bundle[8..12] == [0; 4] && bundle[12..16] != [0; 4], "less than a second after the first one");
    bridge.signal("INT");
    let ended = bridge.wait();
    assert_eq!(ended.code, Some(130));
    assert!(ended.err.last().unwrap().contains("passed on "), "{ended:?}");
}

#[test]
fn either_side_may_come_late_and_go() {
    let (name, socket) = (Name::new(), socket());
    // Nobody sends yet.
    let mut bridge = out(&name, &socket, &[]);
    bridge.says("no program sends it yet");
    for _ in 0..2 {
        let mut sender = ChopSender::builder(name.as_str()).channels(["h0/pinch"]).create().unwrap();
        sends_until(&mut sender, &[[0.5]], &socket, PINCH);
        bridge.says("is there");
        sender.detach().unwrap();
        bridge.says("has left");
    }
    // Nobody listens any more; then somebody does, at the same port.
    let at = port(&socket);
    drop(socket);
    let mut sender = ChopSender::builder(name.as_str()).channels(["h0/pinch"]).create().unwrap();
    let mut reader = ChopReceiver::open(name.as_str()).unwrap();
    for _ in 0..20 {
        sender.send_flat(&[0.25], 1).unwrap();
        reader.next_timeout(LIMIT).unwrap();
    }
    let inlet_name = Name::new();
    let inlet = Inlet::at(&inlet_name, &format!("127.0.0.1:{at}"), &[]);
    let mut receiver = ChopReceiver::open(inlet_name.as_str()).unwrap();
    let comes = |sender: &mut ChopSender, receiver: &mut ChopReceiver, value: f32| {
        until_some(|| {
            sender.send_flat(&[value], 1).unwrap();
            let frame = receiver.next_timeout(Duration::from_millis(20)).unwrap()?;
            (frame.samples() == [value]).then_some(())
        });
    };
    comes(&mut sender, &mut receiver, 1.0);
    // Killed, it leaves its segment behind, and the next one takes that up: the receiver goes on.
    drop(inlet);
    let inlet = Inlet::at(&inlet_name, &format!("127.0.0.1:{at}"), &[]);
    comes(&mut sender, &mut receiver, 2.0);
    inlet.end();
    bridge.signal("INT");
    assert_eq!(bridge.wait().code, Some(130));
}

#[test]
fn what_strangers_send_is_counted_and_dropped() {
    let (name, socket) = (Name::new(), socket());
    let mut inlet = Inlet::start(&name, &["--max-channels", "2", "--scope", "/in/* ^*/not"]);
    let to = ("127.0.0.1", inlet.port);
    let deep = {
        let mut packet = PINCH.to_vec();
        while packet.len() < 60_000 {
            let size = u32::try_from(packet.len()).unwrap();
            packet = [&b"#bundle\0\0\0\0\0\0\0\0\x01"[..], &size.to_be_bytes(), &packet].concat();
        }
        packet
    };
    let brackets = [&b"/in\0,"[..], &b"[".repeat(20_000), &[0; 3]].concat();
    for bytes in [
        &b"no packet"[..],
        b"",
        &deep,
        &brackets,
        b"/in/x\0\0\0,q\0\0\0\0\0\0",
        b"/in/x\0\0\0,sf\0text\0\0\0\0\x3F\0\0\0",
        b"/in/not\0,f\0\0\x3F\0\0\0",
        b"/in/many\0\0\0\0,TTT\0\0\0\0",
        &[&b"/in/"[..], &b"n".repeat(300), b"\0\0\0\0,f\0\0\x3F\0\0\0"].concat(),
    ] {
        socket.send_to(bytes, to).unwrap();
    }
    let status = inlet.until(|status| status["packets"] == 9);
    for (field, count) in [
        ("malformed", 2),
        ("nested", 1),
        ("too_many_arguments", 1),
        ("unknown_types", 1),
        ("not_numbers", 1),
        ("out_of_scope", 1),
        ("too_many_channels", 1),
        ("long_names", 1),
        ("channels", 1),
        ("dropped", 7),
    ] {
        assert_eq!(status[field], count, "{field} {status}");
    }
    inlet.run.says("packets that are no OSC are dropped");
    assert_eq!(inlet.end()["dropped"], 7);
}

/// A fault in each of the values that 32 bits can hold would show.
fn sample(frame: usize, channel: usize) -> f32 {
    const STRANGE: [f32; 8] =
        [-0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE, f32::MAX, 1e-45, 16_777_216.0];
    match (frame + channel) % 3 {
        0 => STRANGE[(frame * 7 + channel) % STRANGE.len()],
        _ => f32::from_bits(0x3F00_0000 + (frame as u32) * 7919 + (channel as u32) * 104_729),
    }
}

#[test]
fn a_recording_comes_back_bit_by_bit() {
    const FRAMES: usize = 40;
    const CHANNELS: usize = 12;
    for numeric in ["float", "double"] {
        let (from, to, file) = (Name::new(), Name::new(), File::new());
        let names: Vec<String> = (0..CHANNELS)
            .map(|channel| if channel == 0 { "number".into() } else { format!("h{channel}/x:y") })
            .collect();
        let mut writer = Writer::create(file.path()).unwrap();
        for number in 0..FRAMES {
            let rows = (0..CHANNELS)
                .map(|channel| [if channel == 0 { number as f32 } else { sample(number, channel) }]);
            let rows: Vec<[f32; 1]> = rows.collect();
            let frame = ChopFrame::from_rows(names.iter().cloned(), 60.0, &rows).unwrap();
            let stamp =
                Stamp::at(Duration::from_secs(1_700_000_000) + Duration::from_millis(10) * number as u32);
            writer.channels(from.as_str(), &frame, &stamp).unwrap();
        }
        writer.finish().unwrap();

        let inlet = Inlet::start(&to, &["--every-packet"]);
        let target = format!("127.0.0.1:{}", inlet.port);
        let mut outlet =
            start(&["bridge", "osc-out", from.as_str(), "--to", &target, "--numeric", numeric, "--json"]);
        outlet.json();
        outlet.says("no program sends it yet");
        let mut receiver = ChopReceiver::open(to.as_str()).unwrap();
        let play = start(&["play", file.as_str(), "--loop"]);
        let mut seen = Vec::new();
        // Round and round until the last one has been there, and enough of the others.
        while seen.len() < FRAMES / 2 || !seen.contains(&(FRAMES - 1)) {
            let frame = receiver.next_timeout(LIMIT).unwrap().unwrap();
            assert_eq!(frame.names(), names);
            let number = frame.samples()[0] as usize;
            for (channel, value) in frame.samples().iter().enumerate().skip(1) {
                if !sample(number, channel).is_finite() {
                    assert!(value.is_finite(), "{number} {channel} {numeric}: it holds what it had");
                    continue;
                }
                assert_eq!(
                    value.to_bits(),
                    sample(number, channel).to_bits(),
                    "{number} {channel} {numeric}"
                );
            }
            seen.push(number);
        }
        play.signal("INT");
        play.wait();
        outlet.signal("INT");
        let ended = outlet.wait();
        let sent: Value = serde_json::from_str(ended.out.last().unwrap()).unwrap();
        assert_eq!((&sent["unsent"], &sent["too_large"]), (&0.into(), &0.into()), "{sent}");
        let mut inlet = inlet;
        let came = inlet.until(|status| status["packets"] == sent["packets"]);
        assert_eq!(
            (&came["messages"], &came["bytes"]),
            (&sent["messages"], &sent["bytes"]),
            "none is lost: {sent}"
        );
        assert!(came["held"].as_u64().unwrap() > 0, "{came}");
        assert_eq!(inlet.end()["frames"], sent["frames"]);
    }
}

#[test]
fn only_what_changed_and_all_of_it_now_and_then() {
    let (name, socket) = (Name::new(), socket());
    let mut sender = ChopSender::builder(name.as_str()).channels(["tx", "h0/pinch", "ty"]).create().unwrap();
    let bridge = out(&name, &socket, &["--changed", "--scope", "* ^t*"]);
    sends_until(&mut sender, &[[0.0], [0.5], [0.0]], &socket, PINCH);
    for ty in 0..50 {
        sender.send(&[[0.0], [0.5], [ty as f32]]).unwrap();
    }
    // Nothing came in between.
    sends_until(&mut sender, &[[0.0], [-0.5], [0.0]], &socket, b"/h0/pinch\0\0\0,f\0\0\xBF\0\0\0");
    bridge.signal("INT");
    bridge.wait();
    let bridge = out(&name, &socket, &["--changed", "--scope", "h*", "--refresh", "0.01"]);
    for _ in 0..3 {
        sends_until(&mut sender, &[[0.0], [0.5], [0.0]], &socket, PINCH);
    }
    bridge.signal("INT");
    bridge.wait();
}

#[test]
fn a_sender_that_is_still_is_sent_again() {
    let (name, socket) = (Name::new(), socket());
    let mut sender = ChopSender::builder(name.as_str()).channels(["h0/pinch"]).create().unwrap();
    sender.send(&[[0.5]]).unwrap();
    let bridge = out(&name, &socket, &["--changed", "--refresh", "0.05", "--json"]);
    for _ in 0..5 {
        assert_eq!(packet(&socket), PINCH);
    }
    sender.detach().unwrap();
    bridge.signal("INT");
    let ended = bridge.wait();
    let last: Value = serde_json::from_str(ended.out.last().unwrap()).unwrap();
    assert_eq!(last["frames"], 1, "{ended:?}");
    assert!(last["packets"].as_u64().unwrap() >= 5, "{ended:?}");
}

#[test]
fn nobody_waits_for_a_frame_of_a_million_packets() {
    let (name, socket) = (Name::new(), socket());
    let names = (0..1000).map(|number| format!("c{number}"));
    let mut sender = ChopSender::builder(name.as_str()).channels(names).create().unwrap();
    sender.send_flat(&vec![0.5; 1_000_000], 1000).unwrap();
    let bridge = out(&name, &socket, &["--max-bytes", "20", "--json"]);
    assert!(packet(&socket).len() <= 20);
    bridge.signal("INT");
    let ended = bridge.wait();
    assert_eq!(ended.code, Some(130));
    let last: Value = serde_json::from_str(ended.out.last().unwrap()).unwrap();
    assert!(last["packets"].as_u64().unwrap() < 1_000_000, "{last}");
    assert_eq!((&last["frames"], &last["dropped"]), (&0.into(), &1.into()), "{last}");
}

#[test]
#[cfg(target_os = "linux")]
fn what_the_system_drops_is_told() {
    let (name, socket) = (Name::new(), socket());
    let mut inlet = Inlet::start(&name, &[]);
    inlet.run.signal("STOP");
    let packet = [b"/x\0\0,b\0\0", &40_000_u32.to_be_bytes()[..], &[0; 40_000]].concat();
    for _ in 0..1000 {
        socket.send_to(&packet, ("127.0.0.1", inlet.port)).unwrap();
    }
    inlet.run.signal("CONT");
    let status = inlet
        .until(|status| status["kernel"].as_u64().unwrap() + status["packets"].as_u64().unwrap() == 1000);
    assert!(status["kernel"].as_u64().unwrap() > 0, "{status}");
    assert_eq!(status["dropped"], status["kernel"]);
    inlet.run.says("the system drops packets");
    inlet.end();
}

#[test]
fn what_is_for_groups_alone_is_told_of_where_there_is_none() {
    let (name, socket) = (Name::new(), socket());
    let mut bridge = out(&name, &socket, &["--ttl", "2", "--interface", "127.0.0.1"]);
    bridge.says("--ttl is for groups, and 127.0.0.1 is none");
    bridge.says("--interface is for groups, and 127.0.0.1 is none");
    bridge.signal("INT");
    bridge.wait();
    let mut inlet = Inlet::start(&name, &["--interface", "127.0.0.1"]);
    inlet.run.says("--interface is for groups, and 127.0.0.1 is none");
    inlet.end();
}

#[test]
fn what_makes_no_sense_is_told() {
    let name = Name::new();
    for args in [
        &["osc-out", name.as_str(), "--to", "a:b"][..],
        &["osc-out", name.as_str(), "--to", "::1:9000"],
        &["osc-out", name.as_str(), "--to", "127.0.0.1:0"],
        &["osc-in", name.as_str(), "--rate", "1e9"],
        &["osc-out", name.as_str(), "--max-bytes", "65508"],
        &["osc-out", name.as_str(), "--refresh", "1"],
        &["osc-out", name.as_str(), "--format", "rows"],
        &["osc-out", name.as_str(), "--interface", "eth0"],
        &["osc-out", name.as_str(), "--send-rate", "--format", "sample"],
        &["osc-in", name.as_str(), "--strip", "-1"],
        &["osc-out", name.as_str(), "--scope", "(a"],
        &["osc-in", name.as_str(), "--rate", "0"],
        &["osc-in", name.as_str(), "--max-channels", "0"],
        &["osc-in", "a/b"],
        &["osc"],
    ] {
        let ended = start(&[&["bridge"], args].concat()).wait();
        assert_eq!(ended.code, Some(2), "{args:?} {ended:?}");
    }
    let taken = socket();
    let at = format!("127.0.0.1:{}", port(&taken));
    let ended = start(&["bridge", "osc-in", name.as_str(), "--listen", &at]).wait();
    assert_eq!(ended.code, Some(1));
    assert_eq!(
        ended.err.last().unwrap(),
        &format!("tdshm: cannot listen at {at}: another program does: give another port with --listen")
    );
    assert!(!name.has_segments());
}
