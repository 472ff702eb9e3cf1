//! This very program as another one: a sender or a receiver in a process of its own, on another host if need be.

use std::io::{BufRead, Write};
use std::process::Command;
use std::time::Duration;

use tdshm::{Attached, ChopReceiver, ChopSender};

use crate::kit::Run;

const ROLE: &str = "TDSHM_NET_ROLE";

/// The command that starts it: `send NAME` or `receive NAME`.
pub(crate) fn command(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "peer::as_another_program", "--ignored", "--nocapture"]).env(ROLE, role);
    command
}

/// Starts it here.
pub(crate) fn start(role: &str) -> Run {
    Run::start(command(role))
}

#[test]
#[ignore = "other tests start it, with a role"]
fn as_another_program() {
    let Ok(role) = std::env::var(ROLE) else { return };
    match role.split_once(' ') {
        Some(("send", name)) => send(name),
        Some(("receive", name)) => receive(name),
        _ => panic!("no such role: {role:?}"),
    }
}

fn say(line: &str) {
    println!("{line}");
    std::io::stdout().flush().unwrap();
}

/// Each line is a frame: a number a channel.
fn send(name: &str) {
    let mut out = ChopSender::create(name).unwrap();
    say("\nready");
    for line in std::io::stdin().lock().lines() {
        let rows: Vec<[f32; 1]> = line.unwrap().split(' ').map(|number| [number.parse().unwrap()]).collect();
        let frame =
            tdshm::ChopFrame::from_rows((0..rows.len()).map(|row| format!("c{row}")), 60.0, &rows).unwrap();
        out.send(&frame).unwrap();
        say(&format!("sent {line:?}", line = rows.concat()));
    }
    out.detach().unwrap();
}

/// Says what comes, and whether the sender is there.
fn receive(name: &str) {
    let (over, ends) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        drop(over);
    });
    let mut receiver = ChopReceiver::open(name).unwrap();
    let mut attached = Attached::NotYet;
    say("\nready");
    while ends.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
        let frame =
            receiver.next_timeout(Duration::from_millis(20)).unwrap().map(|frame| frame.samples().to_vec());
        if receiver.attached() != attached {
            attached = receiver.attached();
            say(&format!("attached: {attached:?}"));
        }
        if let Some(samples) = frame {
            say(&format!("got {samples:?}"));
        }
    }
}
