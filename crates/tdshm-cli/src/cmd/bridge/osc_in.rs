//! `tdshm bridge osc-in`: Open Sound Control, as channels of a segment.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde::Serialize;
use tdshm::{ChopSender, ErrorKind};
use tdshm_io::osc::{Inlet, Intake, IntakeCounts, IntakeOptions, Listener, Multicast, Peers, resolve};

use crate::args::bridge::osc::{Interface, OscInArgs};
use crate::cmd::bridge::status::{Status, Tally};
use crate::cmd::bridge::told::Told;
use crate::pace::Pace;
use crate::stop::{SLICE, Stop};
use crate::{Exit, say};

/// How long the segment's lock is waited for: a frame that cannot be written by then is left to the next one.
const LOCK_LIMIT: Duration = Duration::from_millis(100);
/// How often the system is asked what it dropped.
const ASK_EVERY: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Start<'a> {
    segment: &'a str,
    /// Where it listens.
    listen: SocketAddr,
    port: u16,
    /// What the system grants for packets that wait.
    buffer_bytes: usize,
}

/// What a program is told of it, besides what it is told of all bridges.
#[derive(Serialize)]
struct Details {
    channels: usize,
    packets: u64,
    messages: u64,
    out_of_scope: u64,
    not_numbers: u64,
    /// Numbers that were none: their channels held what they had.
    held: u64,
    malformed: u64,
    nested: u64,
    too_many_arguments: u64,
    unknown_types: u64,
    long_names: u64,
    too_many_channels: u64,
    /// Packets that the system dropped, because they were not fetched in time; null where nobody knows.
    kernel: Option<u64>,
    /// Frames whose lock was not free.
    unwritten: u64,
}

/// Takes messages until somebody asks to stop.
pub(crate) fn run(args: &OscInArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let name = args.name.as_str();
    let mut options = IntakeOptions::new().strip_segments(args.strip).max_channels(args.max_channels);
    if let Some(scope) = &args.scope {
        options = options.scope(scope.clone());
    }
    let intake = Intake::new(options);
    let at = resolve(&args.listen.host, args.listen.port)
        .map_err(|error| anyhow!("cannot find {:?}: {error}: give an address", args.listen.host))?;
    let listener = Listener::open(at, Interface::set(args.interface, Multicast::new()))
        .map_err(|error| cannot_listen(at, &error))?;
    let sender = ChopSender::builder(name)
        .sample_rate(args.rate)
        .take_over(args.take_over)
        .lock_limit(LOCK_LIMIT)
        .create()?;
    let (local, granted) = (listener.local_addr()?, listener.granted_bytes());
    // Of a group its address says more than the one that is bound.
    let listen = if at.ip().is_multicast() { SocketAddr::new(at.ip(), local.port()) } else { local };
    say::line(format_args!(
        "listening for OSC at {listen}, until Ctrl-C: receive with `tdshm watch {}`, or a Shared Mem In CHOP; the system \
         keeps {} KB of packets that wait",
        say::quoted(name),
        granted / 1000
    ));
    if !at.ip().is_loopback() {
        say::line(format_args!(
            "everybody in the network who reaches that address may set channels of {name:?}; nothing is encrypted"
        ));
    }
    let start = Start { segment: name, listen, port: listen.port(), buffer_bytes: granted };
    let status = Status::start("osc-in", name, args.status.json, &start)?;
    let mut into = Segment {
        sender,
        channels: 0,
        values: Vec::new(),
        frames: 0,
        unwritten: 0,
        kernel: None,
        asked: None,
        told: Told::default(),
    };
    if args.interface.is_some() {
        into.told.for_groups("--interface", at);
    }
    let result = if args.every_packet {
        each(status, listener, intake, &mut into, stop)
    } else {
        steadily(args, status, Inlet::start(listener, intake)?, &mut into, stop)
    };
    let left = into.sender.detach();
    let exit = result?;
    left?;
    Ok(exit)
}

fn cannot_listen(at: SocketAddr, error: &io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow!("cannot listen at {at}: another program does: give another port with --listen")
        }
        _ => anyhow!("cannot listen at {at}: {error}: give another address with --listen"),
    }
}

/// A frame whenever one is due.
fn steadily(
    args: &OscInArgs,
    mut status: Status,
    inlet: Inlet,
    into: &mut Segment,
    stop: &Stop,
) -> anyhow::Result<Exit> {
    let begin = Instant::now();
    let mut pace = Pace::new(args.rate.into());
    let mut names = Vec::new();
    let exit = loop {
        let soon = begin.elapsed().saturating_add(SLICE);
        let is_due = pace.due() <= soon;
        if !stop.wait_until(begin, pace.due().min(soon))
            && let Some(exit) = stop.requested()
        {
            break exit;
        }
        if is_due {
            // The intake goes on while the frame is written.
            let is_other = inlet.with(|intake| into.copy(intake, &mut names));
            into.write(is_other, &names)?;
            pace.advance(begin.elapsed());
        }
        let about = inlet.counts();
        if let Some(problem) = about.problem {
            into.told.wrong(&format!("receiving failed: {problem}; going on"));
        }
        let counts = inlet.with(|intake| intake.counts());
        into.ask(false, || inlet.lost());
        into.tell(&counts);
        status.look(into.tally(&counts, about.peers), || into.details(&counts))?;
    };
    let (counts, peers) = (inlet.with(|intake| intake.counts()), inlet.counts().peers);
    into.ask(true, || inlet.lost());
    inlet.close();
    status.end(into.tally(&counts, peers), &into.details(&counts))?;
    Ok(exit)
}

/// A frame for each packet.
fn each(
    mut status: Status,
    mut listener: Listener,
    mut intake: Intake,
    into: &mut Segment,
    stop: &Stop,
) -> anyhow::Result<Exit> {
    let (mut peers, mut names) = (Peers::default(), Vec::new());
    let exit = loop {
        if let Some(exit) = stop.requested() {
            break exit;
        }
        match listener.receive(SLICE) {
            Ok(Some((packet, from))) => {
                peers.note(from);
                let messages = intake.counts().messages;
                if intake.take(packet).is_ok() && intake.counts().messages > messages {
                    let is_other = into.copy(&mut intake, &mut names);
                    into.write(is_other, &names)?;
                }
            }
            Ok(None) => {}
            Err(error) => {
                into.told.wrong(&format!("receiving failed: {error}; going on"));
                stop.wait_until(Instant::now(), SLICE);
            }
        }
        let counts = intake.counts();
        into.ask(false, || listener.lost());
        into.tell(&counts);
        status.look(into.tally(&counts, peers.count()), || into.details(&counts))?;
    };
    let counts = intake.counts();
    into.ask(true, || listener.lost());
    status.end(into.tally(&counts, peers.count()), &into.details(&counts))?;
    Ok(exit)
}

/// The segment, and what went there.
struct Segment {
    sender: ChopSender,
    /// Channels it has.
    channels: usize,
    values: Vec<f32>,
    frames: u64,
    unwritten: u64,
    /// Packets that the system dropped.
    kernel: Option<u64>,
    /// When it was asked.
    asked: Option<Instant>,
    told: Told,
}

impl Segment {
    /// Asks what the system dropped: once a second, and at the end.
    fn ask(&mut self, is_last: bool, lost: impl FnOnce() -> Option<u64>) {
        if is_last || self.asked.is_none_or(|asked| asked.elapsed() >= ASK_EVERY) {
            self.asked = Some(Instant::now());
            self.kernel = lost();
        }
    }

    /// Takes the values, and the names where there are more of them than there were.
    fn copy(&mut self, intake: &mut Intake, names: &mut Vec<Arc<str>>) -> bool {
        self.values.clear();
        self.values.extend_from_slice(intake.values());
        intake.settle();
        let is_other = names.len() != intake.names().len();
        if is_other {
            intake.names().clone_into(names);
        }
        is_other
    }

    /// Writes a frame, as soon as there is a channel.
    fn write(&mut self, is_other: bool, names: &[Arc<str>]) -> anyhow::Result<()> {
        if is_other {
            self.sender.set_channels(names.iter().map(|name| &**name))?;
            self.channels = names.len();
        }
        if self.values.is_empty() {
            return Ok(());
        }
        match self.sender.send_flat(&self.values, 1) {
            Ok(_) => self.frames = self.frames.saturating_add(1),
            Err(error) if error.kind() == ErrorKind::Retry => {
                self.unwritten = self.unwritten.saturating_add(1);
                self.told.wrong(&format!("{error}; frames are lost until it is free"));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Says once what is dropped, and why.
    fn tell(&mut self, counts: &IntakeCounts) {
        for (count, what) in [
            (counts.malformed, "packets that are no OSC are dropped"),
            (counts.nested, "packets whose bundles lie too deep in one another are dropped"),
            (counts.too_many_arguments, "packets with too many arguments in a message are dropped"),
            (counts.unknown_types, "packets with arguments of unknown types are dropped"),
            (counts.long_names, "messages with too long an address are dropped"),
            (counts.too_many_channels, "messages for more channels than --max-channels are dropped"),
            (counts.not_numbers, "arguments that are no numbers are left out"),
            (counts.held, "numbers that are NaN or infinite are left out: their channels hold what they had"),
            (
                self.kernel.unwrap_or(0),
                "the system drops packets, because more come than it keeps: raise net.core.rmem_max, or send fewer",
            ),
        ] {
            if count > 0 {
                self.told.wrong(what);
            }
        }
    }

    fn tally(&self, counts: &IntakeCounts, peers: usize) -> Tally {
        let dropped =
            counts.dropped().saturating_add(self.kernel.unwrap_or(0)).saturating_add(self.unwritten);
        Tally { frames: self.frames, dropped, bytes: counts.bytes, peers }
    }

    fn details(&self, counts: &IntakeCounts) -> Details {
        Details {
            channels: self.channels,
            packets: counts.packets,
            messages: counts.messages,
            out_of_scope: counts.out_of_scope,
            not_numbers: counts.not_numbers,
            held: counts.held,
            malformed: counts.malformed,
            nested: counts.nested,
            too_many_arguments: counts.too_many_arguments,
            unknown_types: counts.unknown_types,
            long_names: counts.long_names,
            too_many_channels: counts.too_many_channels,
            kernel: self.kernel,
            unwritten: self.unwritten,
        }
    }
}
