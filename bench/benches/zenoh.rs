//! The network on loopback: a frame from a sender through `tdshm-net share`, zenoh and `tdshm-net mirror` to a receiver, beside
//! zenoh alone with the same payload from one process to another; then frames at their rates, counted; then what sharing costs
//! while nobody listens. Needs the feature `zenoh`.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark that fails stops"
)]

use std::io::Read;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tdshm::{ChopReceiver, ChopSender, PixelFormat, Pixels, TopReceiver, TopSender};
use tdshm_bench::duo::{self, Course, Other};
use tdshm_bench::{each, goal, median, row, show, tidy, unique};
use zenoh::qos::CongestionControl;
use zenoh::{Config, Wait};

/// The command that this program is to be, with spaces between its words.
const AS_COMMAND: &str = "TDSHM_BENCH_NET";
const EVER: Duration = Duration::from_secs(60);
const CHANNELS: usize = 64;
/// How long a delivery may take that is not lost.
const LOST: Duration = Duration::from_millis(400);
const SIZE: (usize, usize) = (1920, 1080);

fn main() {
    if let Ok(words) = std::env::var(AS_COMMAND) {
        std::process::exit(tdshm_zenoh::run(words.split(' ')).code().into());
    }
    if let Some((course, role)) = duo::role() {
        other_side(&course, &role);
        return;
    }
    idle();
    channels();
    images();
    packing();
}

/// `tdshm-net`, which goes with this, and what it prints.
struct Net(Child, Option<JoinHandle<String>>);

impl Net {
    fn start(words: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(AS_COMMAND, format!("tdshm-net -q {words}")).stdout(Stdio::piped());
        // As the program itself does it.
        let (variable, threads) = tdshm_zenoh::RUNTIME;
        command.env(variable, threads);
        let mut child = command.spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        let told = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = out.read_to_string(&mut text);
            text
        });
        Self(child, Some(told))
    }
}

impl Net {
    /// Waits until it has told once more, ends it, and gives that.
    fn end(mut self) -> serde_json::Value {
        std::thread::sleep(Duration::from_millis(1200));
        let _ = self.0.kill();
        let told = self.1.take().unwrap().join().unwrap();
        serde_json::from_str(told.lines().next_back().unwrap()).unwrap()
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn endpoint() -> String {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!("tcp/127.0.0.1:{port}")
}

fn config(key: &str, endpoint: &str) -> Config {
    let mut config = Config::default();
    config.insert_json5("scouting/multicast/enabled", "false").unwrap();
    config.insert_json5("listen/endpoints", "[]").unwrap();
    config.insert_json5(key, &format!("[{endpoint:?}]")).unwrap();
    config
}

/// Both halves of the way: zenoh alone, and all of ours. Gives the medians of deliveries, in turn.
fn deliveries(
    name: &str,
    kind: &str,
    payload: &[u8],
    rounds: usize,
    apart: Duration,
    mut send: impl FnMut(),
) -> (f64, f64) {
    let (ours, theirs) = (endpoint(), endpoint());
    let share = Net::start(&format!("share {name} --host bench --listen {ours}"));
    let mirror = Net::start(&format!("mirror bench/{name} --prefix m- --connect {ours}"));
    send();
    let through = Other::start(&format!("{kind} m-{name}"));
    let session = zenoh::open(config("listen/endpoints", &theirs)).wait().unwrap();
    let publisher = session
        .declare_publisher("bench")
        .congestion_control(CongestionControl::Drop)
        .express(true)
        .wait()
        .unwrap();
    let alone = Other::start(&format!("zenoh {theirs}"));
    while !publisher.matching_status().wait().unwrap().matching() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut times = (Vec::new(), Vec::new());
    // In turn, so that a moment in which the machine is slow slows both.
    for _ in 0..9 {
        deliver(&mut times.0, &alone.course, rounds, apart, || publisher.put(payload).wait().unwrap());
        deliver(&mut times.1, &through.course, rounds, apart, &mut send);
    }
    let _ = (alone.end(), through.end());
    drop((share, mirror));
    tidy(&format!("m-{name}"));
    (median(times.0), median(times.1))
}

/// Times some deliveries. Those that never end, because the network was congested, are left out on both sides.
fn deliver(times: &mut Vec<f64>, course: &Course, rounds: usize, apart: Duration, mut send: impl FnMut()) {
    let words = course.words();
    for _ in 0..rounds {
        std::thread::sleep(apart);
        words.took.0.store(0, Ordering::Relaxed);
        words.sent.0.store(tdshm_bench::system::now(), Ordering::Relaxed);
        send();
        let begin = Instant::now();
        while words.took.0.load(Ordering::Acquire) == 0 && begin.elapsed() < LOST {
            std::thread::yield_now();
        }
        let took = words.took.0.load(Ordering::Acquire);
        if took != 0 {
            times.push(took as f64 * 1e-9);
        }
    }
}

fn compare(what: &str, (alone, through): (f64, f64)) {
    let ratio = through / alone;
    goal(
        what,
        ratio <= 1.5,
        &format!("{} against {}: ratio {ratio:.2}, at most 1.5", show(through), show(alone)),
    );
}

fn channels() {
    row("# 64 channels x 1 sample", "baseline: zenoh alone, the same payload, from one process to another");
    let name = unique("net");
    let mut out = ChopSender::create(&name).unwrap();
    let mut samples = [0.5_f32; CHANNELS];
    let mut block = Vec::new();
    let names = (0..CHANNELS).map(|channel| format!("chan{channel}"));
    let frame = tdshm::ChopFrame::from_rows(names, 60.0, &[[0.5_f32]; CHANNELS]).unwrap();
    frame.append_block(&mut block).unwrap();
    let send = || {
        samples.iter_mut().for_each(|sample| *sample += 1.0);
        out.send_flat(&samples, 1).unwrap();
    };
    compare("p50 of a delivery", deliveries(&name, "channels", &block, 100, Duration::from_millis(1), send));
    drop(out);
    tidy(&name);

    let name = unique("netk");
    let mut out = ChopSender::create(&name).unwrap();
    let endpoint = endpoint();
    let share = Net::start(&format!("share {name} --host bench --listen {endpoint}"));
    let mirror = Net::start(&format!("mirror bench/{name} --prefix m- --json --connect {endpoint}"));
    out.send_flat(&samples, 1).unwrap();
    let other = Other::start(&format!("channels m-{name}"));
    let begin = Instant::now();
    let frames = 3000_u32;
    for number in 1..=frames {
        samples.fill(number as f32);
        out.send_flat(&samples, 1).unwrap();
        let due = Duration::from_millis(1) * number;
        std::thread::sleep(due.saturating_sub(begin.elapsed()));
    }
    let told = mirror.end();
    let [came, _] = other.end();
    let stream = &told["streams"][0];
    let of = |field: &str| stream[field].as_u64().unwrap();
    let lost = of("lost") + of("dropped") + of("broken");
    // A segment has the newest frame alone: who is not scheduled for two milliseconds misses one there, as on one machine.
    let missed = of("missed_there");
    goal(
        "1000 a second for 3 s",
        lost == 0 && missed <= u64::from(frames) / 100,
        &format!(
            "{lost} lost on the way (goal: none); of {frames} the other side's segment had {}, and its reader saw {came}",
            of("frames")
        ),
    );
    drop((share, out));
    tidy(&name);
    tidy(&format!("m-{name}"));
}

fn images() {
    row("# 1920 x 1080 RGBA8, raw", "baseline: zenoh alone, the same payload, from one process to another");
    let (width, height) = SIZE;
    let name = unique("neti");
    let mut out = TopSender::create(&name).unwrap();
    let mut pixels = vec![0x5a_u8; width * height * 4];
    let payload = pixels.clone();
    let send = || {
        pixels[0] = pixels[0].wrapping_add(1);
        out.send(&Pixels::bottom_first(PixelFormat::R8G8B8A8_UNORM, width, height, &pixels)).unwrap();
    };
    compare("p50 of a delivery", deliveries(&name, "images", &payload, 5, Duration::from_millis(30), send));
    drop(out);
    tidy(&name);
}

/// What it takes to pack an image and to unpack it: figures, without a goal.
fn packing() {
    use tdshm_zenoh::encoding::{ImageDecoder, ImageEncoder, Packing};
    row("# packing 1920 x 1080 RGBA8", "something between flat and noise");
    let (width, height) = SIZE;
    let colours = |at: usize| [(at / 5) as u8, (at / width / 3) as u8, (at % 977 / 9) as u8, 255];
    let pixels: Vec<u8> = (0..width * height).flat_map(colours).collect();
    let image = Pixels::bottom_first(PixelFormat::R8G8B8A8_UNORM, width, height, &pixels);
    let frame = tdshm::TopFrame::from_pixels(&image).unwrap();
    let mut decoder = ImageDecoder::default();
    for (name, packing) in [("lz4", Packing::Lz4), ("jpeg, quality 85", Packing::Jpeg(85))] {
        let mut encoder = ImageEncoder::new(packing);
        let payload = encoder.encode(&frame).unwrap();
        let bytes = payload.to_vec();
        let packs = each(5, 1, || drop(std::hint::black_box(encoder.encode(&frame).unwrap())));
        let unpacks = each(5, 1, || {
            std::hint::black_box(decoder.decode(payload.form, &bytes).unwrap());
        });
        row(name, &format!("{} and {}, {:.2} MB", show(packs), show(unpacks), bytes.len() as f64 * 1e-6));
    }
}

/// What sharing takes of a processor while somebody sends and nobody listens.
fn idle() {
    row("# a shared segment that nobody listens to", "64 channels, sent 1000 times a second");
    let name = unique("netidle");
    let mut out = ChopSender::create(&name).unwrap();
    out.send_flat(&[0.0; CHANNELS], 1).unwrap();
    let net = Net::start(&format!("share {name} --host bench --listen {}", endpoint()));
    // Beside a program of zenoh's that does nothing.
    let bare = Net::start(&format!("share nobody{name} --host bench --listen {}", endpoint()));
    std::thread::sleep(Duration::from_secs(1));
    let used = |net: &Net| cpu(net.0.id()).unwrap_or(0.0);
    let (before, begin) = ([used(&net), used(&bare)], Instant::now());
    for number in 1..=4000_u32 {
        out.send_flat(&[number as f32; CHANNELS], 1).unwrap();
        std::thread::sleep((Duration::from_millis(1) * number).saturating_sub(begin.elapsed()));
    }
    let seconds = begin.elapsed().as_secs_f64();
    let [ours, bare_used] =
        [(used(&net) - before[0]) / seconds * 100.0, (used(&bare) - before[1]) / seconds * 100.0];
    goal(
        "of a processor",
        ours - bare_used < 0.3,
        &format!("{ours:.2} %, {bare_used:.2} % without a sender"),
    );
    drop((net, bare, out));
    tidy(&name);
}

/// Seconds that a process has computed; `None` where the system has no such file.
fn cpu(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let ticks: f64 = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}

fn other_side(course: &Course, role: &[String]) {
    let came = &course.words().counts.0[0];
    match [role[0].as_str(), role[1].as_str()] {
        ["zenoh", endpoint] => {
            let (to, from) = mpsc::channel::<()>();
            let session = zenoh::open(config("connect/endpoints", endpoint)).wait().unwrap();
            // For as long as the process: zenoh calls back when it likes.
            let words = Box::leak(Box::new(duo::role().unwrap().0)).words();
            let callback = move |sample: zenoh::sample::Sample| {
                std::hint::black_box(sample.payload().to_bytes().into_owned());
                words.arrived();
                let _ = &to;
            };
            let _subscriber = session.declare_subscriber("bench").callback(callback).wait().unwrap();
            course.ready();
            while !course.stopped() {
                let _ = from.recv_timeout(Duration::from_millis(50));
            }
        }
        ["channels", name] => {
            let mut receiver = ChopReceiver::open(name).unwrap();
            // The first one says that all are there.
            receiver.next_timeout(EVER).unwrap().unwrap();
            course.ready();
            while !course.stopped() {
                if receiver.next_timeout(Duration::from_millis(50)).unwrap().is_some() {
                    course.arrived();
                    came.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        [_, name] => {
            let mut receiver = TopReceiver::open(name).unwrap();
            while !receiver.next_timeout(EVER).is_ok_and(|frame| frame.is_some()) {}
            course.ready();
            while !course.stopped() {
                if receiver.next_timeout(Duration::from_millis(50)).unwrap().is_some() {
                    course.arrived();
                }
            }
        }
    }
}
