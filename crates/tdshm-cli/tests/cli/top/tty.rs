//! A terminal with a program in it: what it shows is what a terminal emulator makes of what is written.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fd::OwnedFd;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use vt100::{Parser, Screen};

use crate::kit::send_signal;

/// How long anything may take before the test fails.
const WATCHDOG: Duration = Duration::from_secs(60);

/// What the emulator has, and whether the other end is still open.
struct Shown {
    parser: Parser,
    /// All that was written.
    written: Vec<u8>,
    is_open: bool,
}

/// A program in a terminal of its own.
pub(crate) struct Tty {
    child: Child,
    ours: OwnedFd,
    keys: File,
    shown: Arc<(Mutex<Shown>, Condvar)>,
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

/// Starts it in a terminal of its own, which is its controlling one; the other end of that.
fn opened(command: &Command, rows: u16, columns: u16) -> (Child, OwnedFd) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    rustix::io::fcntl_setfd(&ours, rustix::io::FdFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    tcsetwinsize(&ours, size(rows, columns)).unwrap();
    let path = ptsname(&ours, Vec::new()).unwrap();
    let theirs = || Stdio::from(File::options().read(true).write(true).open(path.to_str().unwrap()).unwrap());
    // It becomes the program itself: the process is the same.
    let mut in_terminal = Command::new("setsid");
    in_terminal.arg("--ctty").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => in_terminal.env(name, value),
            None => in_terminal.env_remove(name),
        };
    }
    let child = in_terminal.stdin(theirs()).stdout(theirs()).stderr(theirs()).spawn().unwrap();
    drop(in_terminal);
    (child, ours)
}

/// Closes the terminal once the program has drawn that text; the program's status then.
pub(crate) fn closed_under(command: &Command, text: &str) -> Option<i32> {
    let (mut child, ours) = opened(command, 24, 80);
    let (mut from, mut parser) = (File::from(ours), Parser::new(24, 80, 0));
    let mut bytes = [0; 65_536];
    while !parser.screen().contents().contains(text) {
        let read = from.read(&mut bytes).unwrap();
        parser.process(&bytes[..read]);
    }
    drop(from);
    let pid = child.id();
    let (say, ended) = mpsc::channel();
    thread::spawn(move || say.send(child.wait().unwrap().code()));
    ended.recv_timeout(WATCHDOG).unwrap_or_else(|_| {
        send_signal(pid, "KILL");
        panic!("it runs on without a terminal");
    })
}

impl Tty {
    /// Starts the command in a terminal of that size, which is its controlling one.
    pub(crate) fn start(command: &Command, rows: u16, columns: u16) -> Self {
        Self::answering(command, rows, columns, "\x1b[?62;22c")
    }

    /// In one that answers so when it is asked what it knows.
    pub(crate) fn answering(command: &Command, rows: u16, columns: u16, answer: &'static str) -> Self {
        let (child, ours) = opened(command, rows, columns);
        let parser = Parser::new(rows, columns, 0);
        let shown =
            Arc::new((Mutex::new(Shown { parser, written: Vec::new(), is_open: true }), Condvar::new()));
        let (mut from, to) = (File::from(ours.try_clone().unwrap()), Arc::clone(&shown));
        thread::spawn(move || {
            let mut bytes = [0; 65_536];
            let mut asked = false;
            loop {
                // It ends with an error when nobody has the other end any more.
                let read = from.read(&mut bytes).unwrap_or(0);
                let mut shown = to.0.lock().unwrap();
                match read {
                    0 => shown.is_open = false,
                    read => {
                        shown.parser.process(&bytes[..read]);
                        shown.written.extend_from_slice(&bytes[..read]);
                        if !asked && shown.written.windows(3).any(|bytes| bytes == b"\x1b[c") {
                            asked = true;
                            from.write_all(answer.as_bytes()).unwrap();
                        }
                    }
                }
                to.1.notify_all();
                if read == 0 {
                    return;
                }
            }
        });
        let keys = File::from(ours.try_clone().unwrap());
        Self { child, ours, keys, shown }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Has the emulator forget what it shows: what is seen then was drawn later.
    pub(crate) fn erases(&self) {
        self.shown.0.lock().unwrap().parser.process(b"\x1b[2J\x1b[H");
    }

    pub(crate) fn resize(&mut self, rows: u16, columns: u16) {
        // What was drawn for the size before still comes, and the emulator panics where that scrolls its only row.
        self.shown.0.lock().unwrap().parser.screen_mut().set_size(rows.max(2), columns.max(2));
        tcsetwinsize(&self.ours, size(rows, columns)).unwrap();
    }

    /// Waits until the screen is so, and gives it.
    #[track_caller]
    pub(crate) fn until(&self, what: impl Fn(&Screen) -> bool) -> Screen {
        let begin = Instant::now();
        let mut shown = self.shown.0.lock().unwrap();
        loop {
            if what(shown.parser.screen()) {
                return shown.parser.screen().clone();
            }
            let left = WATCHDOG.saturating_sub(begin.elapsed());
            let text = || shown.parser.screen().contents();
            assert!(!left.is_zero(), "not so within {WATCHDOG:?}:\n{}", text());
            assert!(shown.is_open, "the program has ended:\n{}", text());
            shown = self.shown.1.wait_timeout(shown, left).unwrap().0;
        }
    }

    /// Waits until the screen holds the text.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> Screen {
        self.until(|screen| screen.contents().contains(text))
    }

    /// Waits until all that was written holds the text, and gives it.
    #[track_caller]
    pub(crate) fn writes(&self, text: &str) -> String {
        let begin = Instant::now();
        let mut shown = self.shown.0.lock().unwrap();
        loop {
            let written = String::from_utf8_lossy(&shown.written).into_owned();
            if written.contains(text) {
                return written;
            }
            assert!(begin.elapsed() < WATCHDOG && shown.is_open, "{text:?} was not written");
            shown = self.shown.1.wait_timeout(shown, Duration::from_secs(1)).unwrap().0;
        }
    }

    /// Waits for the program's end; its status, and what is left on the screen.
    pub(crate) fn ended(mut self) -> (Option<i32>, Screen) {
        let code = self.child.wait().unwrap().code();
        let mut shown = self.shown.0.lock().unwrap();
        let begin = Instant::now();
        while shown.is_open {
            assert!(begin.elapsed() < WATCHDOG);
            shown = self.shown.1.wait_timeout(shown, WATCHDOG).unwrap().0;
        }
        (code, shown.parser.screen().clone())
    }

    /// Whether keys arrive line by line and are echoed, as a shell wants it.
    pub(crate) fn is_cooked(&self) -> bool {
        let modes = tcgetattr(&self.ours).unwrap().local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The line of the screen that holds the text.
pub(crate) fn line(screen: &Screen, text: &str) -> Option<String> {
    screen.contents().lines().find(|line| line.contains(text)).map(str::to_owned)
}
