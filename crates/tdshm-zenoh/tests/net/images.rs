//! Images of all sizes on one line: small ones go ahead of large ones.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use tdshm::{PixelFormat, Pixels, TopReceiver, TopSender};
use tdshm_zenoh::encoding::{ImageEncoder, Packing};
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

/// How many frames have gone out.
fn number(session: &zenoh::Session, name: &Name) -> u64 {
    let answers = session.get(format!("tdshm/there/{}/info", name.0)).wait().unwrap();
    let answer = answers.recv().ok().and_then(|reply| reply.into_result().ok());
    let told =
        answer.and_then(|told| serde_json::from_slice::<serde_json::Value>(&told.payload().to_bytes()).ok());
    told.and_then(|told| told["number"].as_u64()).unwrap_or_default()
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
    let mut sharing = share(&[&large.0, &small.0], &endpoint, &[]);
    let line = Line::to(&endpoint);
    let mirroring = mirror(&["there/*"], &line.endpoint, &[]);
    let mut receiver = TopReceiver::open(&small_mirrored.0).unwrap();
    image(&mut TopReceiver::open(&mirrored.0).unwrap(), |_| true);
    image(&mut receiver, |_| true);

    // Somebody on another line hears when a frame has gone out.
    let session = zenoh::open(config("connect/endpoints", &endpoint)).wait().unwrap();
    let heard = published(&session, &small);
    until("the first frame there", || {
        send(&mut out[1], sizes[1], 2);
        heard.recv_timeout(std::time::Duration::from_millis(100)).ok()
    });
    image(&mut receiver, |frame| frame.pixels()[0] == 2);

    // The line is full of large images: one may fit into the system's buffers, and one has been left out when the next one goes out.
    line.set(false);
    let before = until("its number", || Some(number(&session, &large)).filter(|number| *number > 0));
    for more in 1..=3 {
        send(&mut out[0], sizes[0], 3);
        until("a large image to go out", || (number(&session, &large) >= before + more).then_some(()));
    }
    for value in 3..8 {
        send(&mut out[1], sizes[1], value);
        wait_for(&heard, value);
    }
    line.set(true);
    image(&mut receiver, |frame| frame.pixels()[0] == 7);
    send(&mut out[1], sizes[1], 8);
    image(&mut receiver, |frame| frame.pixels()[0] == 8);
    // Whoever shares them is told.
    let of = |name: &Name, stream: &serde_json::Value| {
        (stream["segment"] == name.0.as_str()).then(|| stream["lost_there"].as_u64()).flatten()
    };
    sharing.json("how many large ones were lost", |stream| of(&large, stream) >= Some(1));
    sharing.json("that no small one was", |stream| of(&small, stream) == Some(0));
    let (_, out, err) = mirroring.end();
    let last: serde_json::Value = serde_json::from_str(out.last().unwrap()).unwrap();
    let streams = last["streams"].as_array().unwrap();
    let stream = streams.iter().find(|stream| stream["segment"] == small.0.as_str()).unwrap();
    assert_eq!(stream["lost"], 0, "{last}: {err:?}");
}

/// Small messages that unpack to large images, many of them: together they get no more memory than all streams may have.
#[test]
fn what_all_streams_unpack_to_has_a_limit() {
    const STREAMS: usize = 8;
    let names: [Name; STREAMS] = std::array::from_fn(|_| Name::new());
    let mirrored = names.each_ref().map(Name::mirrored);
    let endpoint = endpoint();
    // Five megabytes each here, of twelve that there are for that.
    let mut mirroring = mirror(&["stranger/*"], &endpoint, &["--memory", "16"]);
    let session = zenoh::open(config("listen/endpoints", &endpoint)).wait().unwrap();
    let pixels = vec![7; 512 * 512 * 4];
    let block = Pixels::bottom_first(PixelFormat::R8G8B8A8_UNORM, 512, 512, &pixels);
    let image_of = tdshm::TopFrame::from_pixels(&block).unwrap();
    let payload = ImageEncoder::new(Packing::Lz4).encode(&image_of).unwrap();
    assert!(payload.len() < 8192);
    let mut streams: Vec<_> = names
        .iter()
        .map(|name| {
            let key = format!("tdshm/stranger/{}", name.0);
            let token = session.liveliness().declare_token(format!("{key}/alive")).wait().unwrap();
            Some((token, session.declare_publisher(format!("{key}/frame")).wait().unwrap()))
        })
        .collect();
    for (_, frames) in streams.iter().flatten() {
        until("somebody to listen", || frames.matching_status().wait().unwrap().matching().then_some(()));
        frames.put(payload.to_vec()).encoding(payload.form.encoding()).wait().unwrap();
    }
    let mut counted = |good: usize| {
        mirroring.line(&format!("{good} of them"), |told| {
            let all = told["streams"].as_array().unwrap();
            let of = |state: &str| all.iter().filter(|stream| stream["state"] == state).count();
            of("mirrored") == good && of("mirrored") + of("failed") + of("gone") == STREAMS
        })
    };
    let told = counted(2);
    let memory = told["memory_bytes"].as_u64().unwrap();
    assert!((10 << 20..=12 << 20).contains(&memory), "{memory}");
    let is = |stream: &serde_json::Value, state: &str| stream["state"] == state;
    let all = told["streams"].as_array().unwrap();
    for stream in all.iter().filter(|stream| is(stream, "failed")) {
        let why = stream["why"].as_str().unwrap();
        assert!(
            why.starts_with("its frames take 5242880 bytes of memory here, and of the 12582912 "),
            "{why}"
        );
        assert!(stream["broken"].as_u64().unwrap() >= 1, "{stream}");
    }
    // One of them goes, and makes room for another.
    let with = |state: &str| all.iter().position(|stream| is(stream, state)).unwrap();
    let number = |at: usize| names.iter().position(|name| all[at]["segment"] == name.0.as_str()).unwrap();
    let (goes, comes) = (number(with("mirrored")), number(with("failed")));
    streams[goes] = None;
    let mut receiver = TopReceiver::open(&mirrored[comes].0).unwrap();
    until("there to be room", || {
        let (_, frames) = streams[comes].as_ref().unwrap();
        frames.put(payload.to_vec()).encoding(payload.form.encoding()).wait().unwrap();
        receiver
            .next_timeout(std::time::Duration::from_millis(50))
            .is_ok_and(|frame| frame.is_some())
            .then_some(())
    });
    counted(2);
}
