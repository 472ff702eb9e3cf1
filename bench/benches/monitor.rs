//! What `tdshm top` costs: the sender that it watches, and the machine. The command runs in a terminal of its own, next to
//! this program; figures are printed, and nothing is a goal. It is this program, started once more as the command.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark that fails stops"
)]

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    tdshm_bench::row("# tdshm top", "not measured: its terminal is made for Linux");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsString;
    use std::fs::{self, File};
    use std::io::Read;
    use std::process::{Child, Command, Stdio};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, Signal, kill_process};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{Winsize, tcsetwinsize};
    use tdshm::{ChopSender, PixelFormat, Pixels, TopSender};
    use tdshm_bench::{pairs_of_times, row, tidy, timed, unique};

    /// Which segments are watched: then this program is the command.
    const AS_COMMAND: &str = "TDSHM_BENCH_TOP";
    /// Segments that are there while the machine's share is measured, and for how long.
    const SEGMENTS: usize = 20;
    const OVER: Duration = Duration::from_secs(5);
    /// What the terminal has.
    const SIZE: Winsize = Winsize { ws_row: 40, ws_col: 140, ws_xpixel: 0, ws_ypixel: 0 };

    pub(crate) fn main() {
        if let Some(pattern) = std::env::var_os(AS_COMMAND) {
            let args = ["tdshm", "top"].map(OsString::from).into_iter().chain([pattern]);
            std::process::exit(tdshm_cli::run(args).code().into());
        }
        channels();
        images();
        machine();
    }

    /// The monitor, in a terminal.
    struct Top {
        child: Child,
        written: Arc<AtomicU64>,
    }

    impl Top {
        fn start(pattern: &str) -> Self {
            let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
            rustix::io::fcntl_setfd(&ours, rustix::io::FdFlags::CLOEXEC).unwrap();
            grantpt(&ours).unwrap();
            unlockpt(&ours).unwrap();
            tcsetwinsize(&ours, SIZE).unwrap();
            let path = ptsname(&ours, Vec::new()).unwrap();
            let theirs =
                || Stdio::from(File::options().read(true).write(true).open(path.to_str().unwrap()).unwrap());
            let child = Command::new(std::env::current_exe().unwrap())
                .env(AS_COMMAND, pattern)
                .env("TERM", "xterm-256color")
                .stdin(theirs())
                .stdout(theirs())
                .stderr(theirs())
                .spawn()
                .unwrap();
            let written = Arc::new(AtomicU64::new(0));
            let (mut from, count) = (File::from(ours), Arc::clone(&written));
            thread::spawn(move || {
                let mut bytes = [0; 65_536];
                while let Ok(read @ 1..) = from.read(&mut bytes) {
                    count.fetch_add(read as u64, Ordering::Relaxed);
                }
            });
            let top = Self { child, written };
            while top.written.load(Ordering::Relaxed) < 2000 {
                thread::yield_now();
            }
            top
        }

        fn signal(&self, signal: Signal) {
            kill_process(Pid::from_child(&self.child), signal).unwrap();
        }

        /// So long with it standing still, or running.
        fn beside(&self, running: bool, work: impl FnOnce() -> Duration) -> Duration {
            self.signal(if running { Signal::CONT } else { Signal::STOP });
            work()
        }

        /// The time of processors that it has had.
        fn busy(&self) -> Duration {
            let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
            let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
            Duration::from_millis(ticks * 10)
        }
    }

    impl Drop for Top {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// A sender that is watched sends a block again and again.
    fn channels() {
        for (count, length) in [(3, 1), (100, 600)] {
            let name = unique("watched");
            let mut out = ChopSender::create(&name).unwrap();
            let rows = vec![vec![0.5_f32; length]; count];
            out.send(&rows).unwrap();
            let top = Top::start(&name);
            let out = std::cell::RefCell::new(out);
            let send = |rounds: u32, running| {
                top.beside(running, || {
                    timed(rounds, || {
                        out.borrow_mut().send(&rows).unwrap();
                    })
                })
            };
            let what = format!("# send {count} × {length}, with top and without");
            pairs_of_times(&what, 41, 2000, |rounds| send(rounds, false), |rounds| send(rounds, true));
            drop(top);
            drop(out);
            tidy(&name);
        }
    }

    fn images() {
        let name = unique("seen");
        let mut out = TopSender::create(&name).unwrap();
        let pixels = vec![127; 1920 * 1080 * 4];
        let image = Pixels::bottom_first(PixelFormat::R8G8B8A8_UNORM, 1920, 1080, &pixels);
        out.send(&image).unwrap();
        let top = Top::start(&name);
        let out = std::cell::RefCell::new(out);
        let send = |rounds: u32, running| {
            top.beside(running, || {
                timed(rounds, || {
                    out.borrow_mut().send(&image).unwrap();
                })
            })
        };
        pairs_of_times(
            "# send 1920 × 1080 rgba8, with top and without",
            21,
            20,
            |rounds| send(rounds, false),
            |rounds| send(rounds, true),
        );
        drop(top);
        drop(out);
        tidy(&name);
    }

    /// The processor's share of a monitor of many segments at 30 drawings a second.
    fn machine() {
        let names: Vec<String> = (0..SEGMENTS).map(|index| unique(&format!("many{index:02}"))).collect();
        let mut senders: Vec<ChopSender> =
            names.iter().map(|name| ChopSender::create(name).unwrap()).collect();
        let mut phase = 0.0_f32;
        let mut send_until = |end: Instant| {
            while Instant::now() < end {
                phase += 0.1;
                for sender in &mut senders {
                    sender.send(&[[phase.sin()], [phase.cos()], [0.0]]).unwrap();
                }
                thread::sleep(Duration::from_millis(16));
            }
        };
        send_until(Instant::now() + Duration::from_millis(100));
        let top = Top::start(&format!("bench{}many*", std::process::id()));
        send_until(Instant::now() + Duration::from_secs(1));
        let (busy, written, begin) = (top.busy(), top.written.load(Ordering::Relaxed), Instant::now());
        send_until(begin + OVER);
        let over = begin.elapsed().as_secs_f64();
        let share = (top.busy() - busy).as_secs_f64() / over * 100.0;
        let rate = (top.written.load(Ordering::Relaxed) - written) as f64 / over / 1024.0;
        row(
            &format!("# top, {SEGMENTS} segments, 30 drawings a second"),
            &format!("{share:.1} % of one processor, {rate:.0} KiB/s to the terminal"),
        );
        drop(top);
        drop(senders);
        names.iter().for_each(|name| tidy(name));
    }
}
