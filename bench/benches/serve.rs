//! The monitor in a browser: 100 channels of 600 samples sixty times a second, and an image of 1920 × 1080 fifteen times a
//! second, to one client that reads all it gets and, beside it, one that reads nothing. Figures alone: they have no goal but to
//! keep up. The server is this program, started once more as the command.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark that fails stops"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tdshm::{ChopSender, PixelFormat, Pixels, TopSender};
use tdshm_bench::{tidy, unique};

const AS_COMMAND: &str = "TDSHM_BENCH_SERVE";
const OVER: Duration = Duration::from_secs(5);
const CHANNELS: usize = 100;
const SAMPLES: usize = 600;
const SIZE: (usize, usize) = (1920, 1080);

fn main() {
    if std::env::var_os(AS_COMMAND).is_some() {
        std::process::exit(tdshm_cli::run(["tdshm", "serve", "--port", "0", "-q"]).code().into());
    }
    println!("100 channels × 600 samples at 60 Hz, and 1920 × 1080 RGBA8 at 15 Hz, for {} s", OVER.as_secs());
    for (encoding, what) in [("rgba8", "pixels as they are"), ("jpeg", "JPEG")] {
        measure(encoding, what);
    }
}

/// What came of one subscription.
#[derive(Default)]
struct Came {
    messages: u64,
    dropped: u64,
    bytes: u64,
}

fn measure(encoding: &str, what: &str) {
    let names = [unique("servec"), unique("servei")];
    let over = Arc::new(AtomicBool::new(false));
    let senders = [channels(&names[0], Arc::clone(&over)), images(&names[1], Arc::clone(&over))];
    let mut server = Command::new(std::env::current_exe().unwrap());
    let mut server = server.env(AS_COMMAND, "1").stdout(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let address = url.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let idle = open(&address, &names, encoding);
    let mut socket = open(&address, &names, encoding);
    // Until both have come.
    let mut came = [Came::default(), Came::default()];
    while came.iter().any(|came| came.messages == 0) {
        take(&mut socket, &mut came);
    }
    came = Default::default();
    let (begin, cpu) = (Instant::now(), cpu(&server));
    while begin.elapsed() < OVER {
        take(&mut socket, &mut came);
    }
    let seconds = begin.elapsed().as_secs_f64();
    let used = cpu.zip(self::cpu(&server)).map(|(before, after)| (after - before) / seconds * 100.0);
    for (came, name) in came.iter().zip(["channels", "images"]) {
        println!(
            "  {what}, {name:8}: {:6.1} a second delivered, {:3} left out, {:7.1} MB/s",
            came.messages as f64 / seconds,
            came.dropped,
            came.bytes as f64 / seconds / 1e6
        );
    }
    match used {
        Some(used) => println!("  {what}: {used:.0} % of a processor in the server"),
        None => println!("  {what}: the processor time of the server is not known on this system"),
    }
    over.store(true, Ordering::Relaxed);
    drop((socket, idle));
    server.kill().unwrap();
    server.wait().unwrap();
    for sender in senders {
        sender.join().unwrap();
    }
    names.iter().for_each(|name| tidy(name));
}

/// Does it so many times a second.
fn often(hz: f64, over: &AtomicBool, mut act: impl FnMut(u32)) {
    let begin = Instant::now();
    for round in 0.. {
        if over.load(Ordering::Relaxed) {
            return;
        }
        act(round);
        let due = Duration::from_secs_f64(f64::from(round + 1) / hz);
        thread::sleep(due.saturating_sub(begin.elapsed()));
    }
}

fn channels(name: &str, over: Arc<AtomicBool>) -> thread::JoinHandle<()> {
    let names: Vec<String> = (0..CHANNELS).map(|channel| format!("chan{channel}")).collect();
    let mut out = ChopSender::builder(name).channels(names).sample_rate(60.0).create().unwrap();
    thread::spawn(move || {
        let mut samples = vec![0.0; CHANNELS * SAMPLES];
        often(60.0, &over, |round| {
            samples.fill(round as f32);
            out.send_flat(&samples, SAMPLES).unwrap();
        });
        out.detach().unwrap();
    })
}

fn images(name: &str, over: Arc<AtomicBool>) -> thread::JoinHandle<()> {
    let mut out = TopSender::create(name).unwrap();
    thread::spawn(move || {
        let (width, height) = SIZE;
        // Neither flat nor noise: something to encode.
        let mut pixels: Vec<u8> =
            (0..width * height).flat_map(|at| [at as u8, (at / width) as u8, (at / 7) as u8, 255]).collect();
        often(15.0, &over, |round| {
            pixels[0] = round as u8;
            out.send(&Pixels::bottom_first(PixelFormat::R8G8B8A8_UNORM, width, height, &pixels)).unwrap();
        });
        out.detach().unwrap();
    })
}

/// A WebSocket with both subscribed, whose messages are acknowledged by being read.
fn open(address: &str, names: &[String; 2], encoding: &str) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    let mut socket = BufReader::with_capacity(1 << 20, stream);
    let request = format!(
        "GET /socket HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: tdshm.monitor.v1\r\n\r\n"
    );
    socket.get_mut().write_all(request.as_bytes()).unwrap();
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        socket.read_line(&mut line).unwrap();
    }
    for (id, name) in names.iter().enumerate() {
        let text = format!(
            r#"{{"type":"subscribe","id":{id},"segment":"{name}","points":600,"hz":120,"image":{{"encoding":"{encoding}"}}}}"#
        );
        // Long enough for a length of two bytes, which a short one may not have.
        let text = format!("{text:<126}");
        let mut frame = vec![0x81, 0x80 | 126];
        frame.extend((text.len() as u16).to_be_bytes());
        frame.extend([0; 4]); // a mask that changes nothing
        frame.extend(text.as_bytes());
        socket.get_mut().write_all(&frame).unwrap();
    }
    socket
}

/// Reads one message.
fn take(socket: &mut BufReader<TcpStream>, came: &mut [Came; 2]) {
    let mut head = [0; 2];
    socket.read_exact(&mut head).unwrap();
    let len = match head[1] {
        126 => {
            let mut bytes = [0; 2];
            socket.read_exact(&mut bytes).unwrap();
            u64::from(u16::from_be_bytes(bytes))
        }
        127 => {
            let mut bytes = [0; 8];
            socket.read_exact(&mut bytes).unwrap();
            u64::from_be_bytes(bytes)
        }
        len => u64::from(len),
    };
    let mut start = [0; 40];
    if head[0] & 0x0f != 2 {
        std::io::copy(&mut socket.take(len), &mut std::io::sink()).unwrap();
        return;
    }
    socket.read_exact(&mut start).unwrap();
    std::io::copy(&mut socket.take(len - 40), &mut std::io::sink()).unwrap();
    let at = |at: usize| u32::from_le_bytes(start[at..at + 4].try_into().unwrap());
    let came = &mut came[at(8) as usize];
    came.messages += 1;
    came.dropped += u64::from(at(32));
    came.bytes += len;
}

/// Seconds of processor time that a process has used.
fn cpu(of: &Child) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", of.id())).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11..13)?.iter().filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    Some(ticks / 100.0)
}
