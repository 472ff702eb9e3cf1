//! Open Sound Control: what it takes to send 500 channels 60 times a second, and to receive 100,000 messages a second. Beside
//! the same bytes sent and received plainly; the bridges run as programs of their own, which are this one, started once more
//! as the command.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark that fails stops"
)]

use std::cell::RefCell;
use std::net::UdpSocket;
use std::time::Duration;

use tdshm_bench::pairs;
use tdshm_io::osc::{EncodeOptions, Encoder, FrameInfo, Intake, IntakeOptions};

const CHANNELS: usize = 500;

fn main() {
    #[cfg(target_os = "linux")]
    if linux::is_command() {
        return linux::command();
    }
    sending();
    receiving();
    #[cfg(target_os = "linux")]
    {
        linux::out();
        linux::came(1);
        linux::came(20);
    }
}

fn names() -> Vec<String> {
    (0..CHANNELS).map(|channel| format!("body/joint{channel}:tx")).collect()
}

/// A frame, made into packets and sent, and the same packets sent.
fn sending() {
    let (names, to) = (names(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let at = to.local_addr().unwrap();
    let from = UdpSocket::bind("127.0.0.1:0").unwrap();
    let samples: Vec<[f32; 1]> = (0..CHANNELS).map(|channel| [channel as f32]).collect();
    let channels = || names.iter().map(String::as_str).zip(samples.iter().map(<[f32; 1]>::as_slice));
    let encoder = RefCell::new(Encoder::new(EncodeOptions::new()));
    let mut packets: Vec<Vec<u8>> = Vec::new();
    encoder.borrow_mut().encode(FrameInfo::default(), channels(), |packet| packets.push(packet.to_vec()));
    pairs(
        &format!("osc: {CHANNELS} channels to packets, sent; and sent"),
        21,
        200,
        || packets.iter().for_each(|packet| drop(from.send_to(packet, at))),
        || {
            let info = FrameInfo { time: Duration::from_secs(1), rate: 60.0 };
            encoder.borrow_mut().encode(info, channels(), |packet| drop(from.send_to(packet, at)));
        },
    );
}

/// A message, sent and received and taken in, and sent and received.
fn receiving() {
    let (to, from) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let at = to.local_addr().unwrap();
    let mut intake = Intake::new(IntakeOptions::new());
    let message = b"/body/joint250:tx\0\0\0,f\0\0\x3F\0\0\0";
    let round = |buffer: &mut [u8]| {
        from.send_to(message, at).unwrap();
        to.recv(buffer).unwrap()
    };
    let (mut plain, mut ours) = ([0; 2048], [0; 2048]);
    pairs(
        "osc: a message received and taken; and received",
        21,
        2000,
        || {
            round(&mut plain);
        },
        || {
            let len = round(&mut ours);
            intake.take(&ours[..len]).unwrap();
        },
    );
    assert_eq!(intake.values(), [0.5]);
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::io::{BufRead, BufReader};
    use std::net::UdpSocket;
    use std::process::{Child, ChildStdout, Command, Stdio};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, Signal, kill_process};
    use serde_json::Value;
    use tdshm::ChopSender;
    use tdshm_bench::{goal, row, tidy, unique};

    use super::{CHANNELS, names};

    /// The arguments of the command, with blanks between them: then this program is it.
    const AS_COMMAND: &str = "TDSHM_BENCH_OSC";
    const OVER: Duration = Duration::from_secs(5);
    const MESSAGES: u64 = 100_000;

    pub(crate) fn is_command() -> bool {
        std::env::var_os(AS_COMMAND).is_some()
    }

    pub(crate) fn command() {
        let args = std::env::var(AS_COMMAND).unwrap();
        std::process::exit(tdshm_cli::run(std::iter::once("tdshm").chain(args.split(' '))).code().into());
    }

    struct Bridge {
        child: Child,
        out: BufReader<ChildStdout>,
    }

    impl Bridge {
        fn start(args: &str) -> (Self, Value) {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .env(AS_COMMAND, format!("bridge {args} --json --quiet"))
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let out = BufReader::new(child.stdout.take().unwrap());
            let mut bridge = Self { child, out };
            let start = bridge.line();
            (bridge, start)
        }

        fn line(&mut self) -> Value {
            let mut line = String::new();
            self.out.read_line(&mut line).unwrap();
            serde_json::from_str(&line).unwrap()
        }

        /// The time of processors that it has had.
        fn busy(&self) -> Duration {
            let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
            let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
            Duration::from_millis(ticks * 10)
        }

        /// What it says last.
        fn end(mut self) -> Value {
            kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
            loop {
                let line = self.line();
                if line["type"] == "end" {
                    self.child.wait().unwrap();
                    return line;
                }
            }
        }
    }

    fn load() -> String {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let processors = thread::available_parallelism().map_or(1, usize::from);
        format!("load {} on {processors} processors", load.split(' ').next().unwrap_or("unknown"))
    }

    /// The processor's share of `osc-out`, and of a plain loop over the same bytes.
    pub(crate) fn out() {
        let (name, sink) = (unique("oscout"), UdpSocket::bind("127.0.0.1:0").unwrap());
        sink.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let at = sink.local_addr().unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&is_over);
        let drain = thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            while !theirs.load(Ordering::Relaxed) {
                let _ = sink.recv(&mut buffer);
            }
        });
        let mut sender = ChopSender::builder(&name).channels(names()).create().unwrap();
        let (bridge, _) = Bridge::start(&format!("osc-out {name} --to {at}"));
        let mut rows = vec![[0.0_f32]; CHANNELS];
        let mut send_until = |end: Instant| {
            let mut due = Instant::now();
            while Instant::now() < end {
                for row in &mut rows {
                    row[0] += 0.25;
                }
                sender.send(&rows).unwrap();
                due += Duration::from_nanos(16_666_667);
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
        };
        send_until(Instant::now() + Duration::from_secs(1));
        let (busy, begin) = (bridge.busy(), Instant::now());
        send_until(begin + OVER);
        let share = (bridge.busy() - busy).as_secs_f64() / begin.elapsed().as_secs_f64() * 100.0;
        let end = bridge.end();
        is_over.store(true, Ordering::Relaxed);
        drain.join().unwrap();
        drop(sender);
        tidy(&name);
        goal(
            &format!("osc-out, {CHANNELS} channels at 60 Hz"),
            share < 3.0,
            &format!(
                "{share:.1} % of one processor (goal: under 3), {} frames, {} dropped; {}",
                end["frames"],
                end["dropped"],
                load()
            ),
        );
    }

    /// What `osc-in` loses of 100,000 messages a second, and its share.
    pub(crate) fn came(in_a_packet: usize) {
        let name = unique("oscin");
        let (bridge, start) = Bridge::start(&format!("osc-in {name} --listen 127.0.0.1:0"));
        let to = ("127.0.0.1", u16::try_from(start["port"].as_u64().unwrap()).unwrap());
        let from = UdpSocket::bind("127.0.0.1:0").unwrap();
        let packets: Vec<Vec<u8>> = (0..CHANNELS).map(|channel| packet(channel, in_a_packet)).collect();
        let each_ms = usize::try_from(MESSAGES).unwrap() / 1000 / in_a_packet;
        let (busy, begin) = (bridge.busy(), Instant::now());
        let (mut sent, mut due) = (0_u64, begin);
        while begin.elapsed() < OVER {
            for packet in packets.iter().cycle().skip(usize::try_from(sent).unwrap() % CHANNELS).take(each_ms)
            {
                from.send_to(packet, to).unwrap();
                sent += 1;
            }
            due += Duration::from_millis(1);
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        let elapsed = begin.elapsed().as_secs_f64();
        let share = (bridge.busy() - busy).as_secs_f64() / elapsed * 100.0;
        thread::sleep(Duration::from_millis(200)); // what still waits
        let end = bridge.end();
        tidy(&name);
        let lost = sent - end["packets"].as_u64().unwrap();
        let rate = sent as f64 * in_a_packet as f64 / elapsed;
        let what = format!("osc-in, {in_a_packet} in a packet");
        let text = format!(
            "{rate:.0} messages a second: {lost} of {sent} packets lost (goal: none of {MESSAGES} messages), {share:.0} % of one \
             processor, {} frames, {} KB for packets that wait; {}",
            end["frames"],
            start["buffer_bytes"].as_u64().unwrap() / 1000,
            load()
        );
        // A busy machine does not even send as many.
        if lost == 0 && rate < MESSAGES as f64 * 0.95 {
            row(&what, &text)
        } else {
            goal(&what, lost == 0, &text)
        }
    }

    fn packet(channel: usize, messages: usize) -> Vec<u8> {
        let message = |number: usize| {
            let mut bytes = format!("/fader{number:03}\0").into_bytes();
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes.extend_from_slice(b",f\0\0\x3F\0\0\0");
            bytes
        };
        if messages == 1 {
            return message(channel);
        }
        let mut packet = b"#bundle\0\0\0\0\0\0\0\0\x01".to_vec();
        for number in channel..channel + messages {
            let message = message(number % CHANNELS);
            packet.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
            packet.extend_from_slice(&message);
        }
        packet
    }
}
