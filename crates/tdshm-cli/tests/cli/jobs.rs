//! A shell's jobs: what somebody stops with Ctrl-Z, and lets go on.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tdshm::{ChopFrame, ChopReceiver, ChopSender};
use tdshm_io::file::recording::{Stamp, Writer};

use crate::kit::{Name, command, until};
use crate::record::{File, channels};
use crate::top::tty::Tty;

/// So long that what is late by it is not made up for.
const AWAY: Duration = Duration::from_millis(700);

/// The command as the job of a shell, which lets it go on once it has stopped and Enter was pressed.
fn job(args: &[&str]) -> Tty {
    const SHELL: &str = "\"$@\"; echo \"stopped: $?\"; read line; fg >/dev/null";
    let tdshm = command(args);
    let mut shell = Command::new("sh");
    shell.args(["-mc", SHELL, "sh"]).arg(tdshm.get_program()).args(args);
    shell.env("TERM", "xterm-256color").env("LANG", "C.UTF-8").env_remove("COLUMNS");
    Tty::start(&shell, 24, 100)
}

/// Stops it by the key, looks at the terminal, and lets it go on.
fn stop_and_go_on(tty: &mut Tty) {
    tty.press("\x1a");
    // 128 and the signal's number.
    let screen = tty.says("stopped: 148");
    assert!(tty.is_cooked() && !screen.hide_cursor() && !screen.alternate_screen());
    let since = Instant::now();
    until(|| since.elapsed() >= AWAY);
    tty.erases();
    tty.press("\r");
}

/// Ends it by the key: it leaves, and says so.
fn ends(mut tty: Tty) {
    tty.press("\x03");
    let (code, screen) = tty.ended();
    let text = screen.contents();
    let has_left = text.contains("and left") || text.contains("passed on");
    assert!(code == Some(130) && has_left && !screen.hide_cursor(), "{code:?} {text}");
}

#[test]
fn a_sender_stops_and_goes_on() {
    let name = Name::new();
    let mut tty = job(&["send", name.as_str()]);
    tty.says("sending");
    stop_and_go_on(&mut tty);
    let mut input = ChopReceiver::open(name.as_str()).unwrap();
    // The first one may have been there before.
    for _ in 0..2 {
        assert!(input.next_timeout(Duration::from_secs(60)).unwrap().is_some());
    }
    ends(tty);
}

#[test]
fn bridges_stop_and_go_on() {
    let (name, other) = (Name::new(), Name::new());
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&ChopFrame::from_rows(["a"], 60.0, &[[0.5]]).unwrap()).unwrap();
    // Where nobody else is.
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = socket.local_addr().unwrap().to_string();
    for args in [
        &["bridge", "osc-out", name.as_str(), "--to", &to][..],
        &["bridge", "osc-in", other.as_str(), "--listen", "0"],
        &["bridge", "ws", other.as_str(), "--port", "0"],
    ] {
        let mut tty = job(args);
        tty.says(" 0 dropped");
        stop_and_go_on(&mut tty);
        tty.says(" 0 dropped");
        ends(tty);
    }
}

/// What was due while it was stopped comes later, each frame at its distance from the one before, and not in a burst.
#[test]
fn what_is_played_goes_on_where_it_was_stopped() {
    let (name, file) = (Name::new(), File::new());
    let mut writer = Writer::create(file.path()).unwrap();
    for index in 0..40 {
        let at = Duration::from_secs(1_700_000_000) + Duration::from_millis(50) * index as u32;
        writer.channels("pose", &channels(index), &Stamp::at(at)).unwrap();
    }
    writer.finish().unwrap();
    let mut tty = job(&["play", file.as_str(), "--as", name.as_str(), "--json"]);
    tty.says(" of 2 s");
    stop_and_go_on(&mut tty);
    let (code, screen) = tty.ended();
    let text = screen.contents().replace('\n', "");
    let account = text.split_once('{').and_then(|(_, rest)| rest.split_once("}tdshm")).unwrap().0;
    let account: Value = serde_json::from_str(&format!("{{{account}}}")).unwrap();
    assert_eq!((code, account["frames"].as_u64()), (Some(0), Some(40)), "{account}");
    // All of them came later, which no burst leaves room for.
    assert!(account["behind_s"].as_f64().unwrap() >= 0.5, "{account}");
}
