//! HTTP and WebSocket by hand, so that the server is asked by somebody who shares no code with it, and can be asked wrongly.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long an answer may take before the test fails.
const WATCHDOG: Duration = Duration::from_secs(60);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(WATCHDOG)).unwrap();
    stream.set_write_timeout(Some(WATCHDOG)).unwrap();
    stream
}

/// Sends those bytes and reads an answer with its body; `None`: the connection was closed without one.
pub(crate) fn say(to: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    let mut stream = connect(to);
    // A server that has heard enough may have closed.
    let _ = stream.write_all(bytes);
    answer(&mut stream)
}

/// Asks for a path; `Host` is the address unless the headers name one.
pub(crate) fn get(to: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    say(to, request("GET", to, path, headers).as_bytes()).unwrap()
}

pub(crate) fn request(method: &str, to: SocketAddr, path: &str, headers: &[(&str, &str)]) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        text.push_str(&format!("Host: {to}\r\n"));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text + "\r\n"
}

fn answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            Ok(_) => return None,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&head)),
        }
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = vec![0; headers.get("content-length").map_or(0, |len| len.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    Some(Answer { status, headers, body })
}

/// The headers of somebody who wants a WebSocket.
pub(crate) const UPGRADE: [(&str, &str); 5] = [
    ("Upgrade", "websocket"),
    ("Connection", "keep-alive, Upgrade"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Protocol", "tdshm.monitor.v1"),
];

/// What a WebSocket delivers.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Json(Value),
    Frame(Frame),
    /// The connection is over, with that code where one was given.
    Closed(Option<u16>),
}

/// A binary message, read as `docs/monitor-protocol.md` has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) id: u32,
    pub(crate) serial: u32,
    pub(crate) number: Option<u64>,
    pub(crate) dropped: u32,
    pub(crate) reduced: bool,
    pub(crate) since: bool,
    pub(crate) names: Option<Vec<String>>,
    pub(crate) channels: Vec<Vec<f32>>,
    pub(crate) all_channels: u32,
    pub(crate) len_samples: u32,
    pub(crate) rate: f32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) source: (u32, u32),
    pub(crate) encoding: u8,
    pub(crate) range: (f32, f32),
    pub(crate) pixels: Vec<u8>,
}

impl Frame {
    fn read(bytes: &[u8]) -> Self {
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let f32_at = |at: usize| f32::from_bits(u32_at(at));
        assert_eq!((&bytes[..4], bytes[4]), (&b"TDSM"[..], 1));
        let start = usize::from(u16::from_le_bytes([bytes[6], bytes[7]]));
        assert_eq!(start, 72);
        let flags = u32_at(36);
        let mut frame = Self {
            kind: bytes[5],
            id: u32_at(8),
            serial: u32_at(12),
            number: (flags & 1 != 0).then(|| u64::from_le_bytes(bytes[16..24].try_into().unwrap())),
            dropped: u32_at(32),
            reduced: flags & 4 != 0,
            since: flags & 16 != 0,
            ..Self::default()
        };
        if frame.kind == 2 {
            frame.width = u32_at(40);
            frame.height = u32_at(44);
            frame.source = (u32_at(48), u32_at(52));
            frame.encoding = bytes[56];
            frame.range = (f32_at(64), f32_at(68));
            frame.pixels = bytes[start..].to_vec();
            return frame;
        }
        let (count, points) = (u32_at(40) as usize, u32_at(44) as usize);
        frame.all_channels = u32_at(48);
        frame.len_samples = u32_at(52);
        frame.rate = f32_at(56);
        let data = start + u32_at(60) as usize;
        if flags & 8 != 0 {
            let mut at = start;
            let names = (0..count).map(|_| {
                let len = usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
                at += 2 + len;
                String::from_utf8(bytes[at - len..at].to_vec()).unwrap()
            });
            frame.names = Some(names.collect());
        }
        assert_eq!(bytes.len(), data + count * points * 4);
        frame.channels = (0..count)
            .map(|channel| (0..points).map(|point| f32_at(data + (channel * points + point) * 4)).collect())
            .collect();
        frame
    }
}

/// A WebSocket, as a browser has one.
pub(crate) struct Socket {
    stream: TcpStream,
}

impl Socket {
    /// Opens one, reads the greeting and lets the server's page ask.
    pub(crate) fn open(to: SocketAddr) -> Self {
        let origin = format!("http://{to}");
        let mut socket = Self::try_open(to, &[("Origin", &origin)]).unwrap();
        socket.greeting();
        socket
    }

    pub(crate) fn open_json(to: SocketAddr) -> Self {
        let mut headers = UPGRADE.to_vec();
        headers[4].1 = "tdshm.monitor.v1.json";
        let mut socket = Self::with(to, "/socket", &headers).unwrap();
        socket.greeting();
        socket
    }

    fn greeting(&mut self) {
        let Heard::Json(hello) = self.hear() else { panic!("no greeting") };
        assert_eq!((hello["type"].as_str(), hello["protocol"].as_u64()), (Some("hello"), Some(1)));
    }

    /// With these headers besides; the answer where it is no WebSocket.
    pub(crate) fn try_open(to: SocketAddr, more: &[(&str, &str)]) -> Result<Self, Answer> {
        Self::with(to, "/socket", &[&UPGRADE[..], more].concat())
    }

    pub(crate) fn with(to: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<Self, Answer> {
        let mut stream = connect(to);
        stream.write_all(request("GET", to, path, headers).as_bytes()).unwrap();
        let answer = answer(&mut stream).unwrap();
        if answer.status != 101 {
            return Err(answer);
        }
        assert_eq!(answer.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        Ok(Self { stream })
    }

    /// Sends a frame of that opcode, masked. `false`: nobody takes it any more.
    pub(crate) fn send_frame(&mut self, first: u8, payload: &[u8]) -> bool {
        self.send_frames(first, payload, 1)
    }

    /// So many of it, at once.
    pub(crate) fn send_frames(&mut self, first: u8, payload: &[u8], times: usize) -> bool {
        let mut bytes = vec![first];
        match payload.len() {
            len @ 0..126 => bytes.push(0x80 | len as u8),
            len @ 126..0x1_0000 => {
                bytes.push(0x80 | 126);
                bytes.extend((len as u16).to_be_bytes());
            }
            len => {
                bytes.push(0x80 | 127);
                bytes.extend((len as u64).to_be_bytes());
            }
        }
        let mask = [0x12, 0x34, 0x56, 0x78];
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.send_bytes(&bytes.repeat(times))
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    #[track_caller]
    pub(crate) fn send(&mut self, message: &Value) {
        assert!(self.send_frame(0x81, message.to_string().as_bytes()));
    }

    /// The next message; pings are answered.
    pub(crate) fn hear(&mut self) -> Heard {
        loop {
            let mut head = [0; 2];
            if !self.read(&mut head) {
                return Heard::Closed(None);
            }
            assert_eq!(head[1] & 0x80, 0, "a server masks nothing");
            let len = match head[1] {
                126 => u64::from(u16::from_be_bytes(self.bytes())),
                127 => u64::from_be_bytes(self.bytes()),
                len => u64::from(len),
            };
            let mut payload = vec![0; usize::try_from(len).unwrap()];
            if !self.read(&mut payload) {
                return Heard::Closed(None);
            }
            match head[0] & 0x0f {
                8 => {
                    return Heard::Closed(
                        payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]])),
                    );
                }
                9 => {
                    self.send_frame(0x8a, &payload);
                    continue;
                }
                10 => continue,
                1 => return Heard::Json(serde_json::from_slice(&payload).unwrap()),
                2 => return Heard::Frame(Frame::read(&payload)),
                opcode => panic!("opcode {opcode}"),
            }
        }
    }

    /// `false`: the connection is over.
    fn read(&mut self, bytes: &mut [u8]) -> bool {
        match self.stream.read_exact(bytes) {
            Ok(()) => true,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("nothing came within {WATCHDOG:?}")
            }
            Err(_) => false,
        }
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// The next message that is JSON of that type.
    #[track_caller]
    pub(crate) fn json(&mut self, kind: &str) -> Value {
        loop {
            match self.hear() {
                Heard::Json(value) if value["type"] == kind => return value,
                Heard::Closed(code) => panic!("closed with {code:?}, and no {kind} came"),
                _ => {}
            }
        }
    }

    /// The next frame of that subscription.
    #[track_caller]
    pub(crate) fn frame(&mut self, id: u32) -> Frame {
        loop {
            match self.hear() {
                Heard::Frame(frame) if frame.id == id => return frame,
                Heard::Closed(code) => panic!("closed with {code:?}, and no frame came"),
                _ => {}
            }
        }
    }

    /// With what code it is closed, whatever comes before.
    pub(crate) fn closing(&mut self) -> Option<u16> {
        loop {
            if let Heard::Closed(code) = self.hear() {
                return code;
            }
        }
    }
}
