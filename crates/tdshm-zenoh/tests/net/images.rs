//! Images of all sizes on one line: small ones go ahead of large ones.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use tdshm::{PixelFormat, Pixels, TopReceiver, TopSender};
use zenoh::Wait;

use crate::kit::{Name, WATCHDOG, endpoint, image, mirror, share, until};
use crate::strangers::config;

/// A line between two programs that can be stopped up: what goes through it waits, until it is too much.
struct Line {
    endpoint: String,
    valve: Arc<(Mutex<bool>, Condvar)>,
}

impl Line {
    /// One to that endpoint.
    fn to(endpoint: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = format!("tcp/{}", listener.local_addr().unwrap());
        let there = endpoint.trim_start_matches("tcp/").to_owned();
        let valve = Arc::new((Mutex::new(true), Condvar::new()));
        let ours = Arc::clone(&valve);
        thread::spawn(move || {
            while let Ok((near, _)) = listener.accept() {
                let Ok(far) = TcpStream::connect(&there) else { continue };
                let (from, to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                thread::spawn(move || carry(from, to, || ()));
                let valve = Arc::clone(&ours);
                let open = move || drop(valve.1.wait_while(valve.0.lock().unwrap(), |open| !*open));
                thread::spawn(move || carry(far, near, open));
            }
        });
        Self { endpoint: here, valve }
    }

    /// Lets nothing more through to whoever connected, or everything again.
    fn set(&self, open: bool) {
        *self.valve.0.lock().unwrap() = open;
        self.valve.1.notify_all();
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, open: impl Fn()) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(got @ 1..) = from.read(&mut bytes) {
        open();
        if to.write_all(&bytes[..got]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn send(out: &mut TopSender, (width, height): (usize, usize), value: u8) {
    let pixels = vec![value; width * height * 4];
    out.send(&Pixels::bottom_first(PixelFormat::R8G8B8A8_UNORM, width, height, &pixels)).unwrap();
}

/// The last pixel of each frame that is published.
fn published(session: &zenoh::Session, name: &Name) -> Receiver<u8> {
    let (to, from) = mpsc::channel();
    let callback = move |sample: zenoh::sample::Sample| {
        let _ = to.send(sample.payload().to_bytes().last().copied().unwrap_or_default());
    };
    let key = format!("tdshm/there/{}/frame", name.0);
    session.declare_subscriber(key).callback(callback).background().wait().unwrap();
    from
}

#[track_caller]
fn wait_for(frames: &Receiver<u8>, value: u8) {
    while frames.recv_timeout(WATCHDOG).unwrap() != value {}
}

#[test]
fn small_images_are_not_lost_behind_large_ones() {
    let (large, small, endpoint) = (Name::new(), Name::new(), endpoint());
    let (mirrored, small_mirrored) = (large.mirrored(), small.mirrored());
    let sizes = [(4096, 2048), (64, 64)];
    let mut out = [TopSender::create(&large.0).unwrap(), TopSender::create(&small.0).unwrap()];
    send(&mut out[0], sizes[0], 1);
    send(&mut out[1], sizes[1], 1);
    let _sharing = share(&[&large.0, &small.0], &endpoint, &[]);
    let line = Line::to(&endpoint);
    let mut mirroring = mirror(&["there/*"], &line.endpoint, &[]);
    let mut receiver = TopReceiver::open(&small_mirrored.0).unwrap();
    image(&mut TopReceiver::open(&mirrored.0).unwrap(), |_| true);
    image(&mut receiver, |_| true);

    // Somebody on another line hears when a frame has gone out.
    let session = zenoh::open(config("connect/endpoints", &endpoint)).wait().unwrap();
    let heard = [published(&session, &large), published(&session, &small)];
    for (number, heard) in heard.iter().enumerate() {
        until("the first frame there", || {
            send(&mut out[number], sizes[number], 2);
            heard.recv_timeout(std::time::Duration::from_millis(100)).ok()
        });
    }
    image(&mut receiver, |frame| frame.pixels()[0] == 2);

    // The line is full of large images, so that one of them has been left out.
    line.set(false);
    for value in [3, 4] {
        send(&mut out[0], sizes[0], value);
        wait_for(&heard[0], value);
    }
    for value in 3..8 {
        send(&mut out[1], sizes[1], value);
        wait_for(&heard[1], value);
    }
    line.set(true);
    image(&mut receiver, |frame| frame.pixels()[0] == 7);
    send(&mut out[1], sizes[1], 8);
    image(&mut receiver, |frame| frame.pixels()[0] == 8);
    let all = |stream: &serde_json::Value| {
        let of = |field: &str| stream[field].as_u64().unwrap();
        stream["segment"] == small.0.as_str() && of("frames") + of("dropped") + of("lost") >= 8
    };
    let stream = mirroring.json("the small images", all);
    assert_eq!(stream["lost"], 0, "{stream}");
}
