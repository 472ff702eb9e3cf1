//! `tdshm bridge osc-out`: channels of a segment, sent as Open Sound Control.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use clap::error::ErrorKind as UsageKind;
use serde::Serialize;
use tdshm::{Attached, ChopFrame, ChopReceiver, Error, SegmentReceiver};
use tdshm_io::osc::{EncodeOptions, Encoder, FrameInfo, Handed, Lookup, Multicast, Outlet};
use tdshm_ops::Pattern;

use crate::args::{
    self,
    bridge::osc::{Format, Interface, OscOutArgs},
};
use crate::cmd::LOCK_LIMIT;
use crate::cmd::bridge::status::{Status, Tally};
use crate::cmd::bridge::told::Told;
use crate::pace::Pace;
use crate::stop::{SLICE, Stop};
use crate::{Exit, say};

/// How long after it failed a name is looked up again.
const AGAIN: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct Start<'a> {
    segment: &'a str,
    to: String,
}

/// What a program is told of it, besides what it is told of all bridges.
#[derive(Serialize)]
struct Details {
    packets: u64,
    messages: u64,
    /// Messages that fit into no packet.
    too_large: u64,
    /// Packets that the system did not take.
    unsent: u64,
}

/// Sends frames until somebody asks to stop.
pub(crate) fn run(args: &OscOutArgs, stop: &Stop) -> anyhow::Result<Exit> {
    if args.send_rate && args.format != Format::Timeslice {
        let what = "--send-rate goes with --format timeslice: other formats have one sample of each channel";
        return Err(args::wrong("bridge", UsageKind::ArgumentConflict, what));
    }
    let name = args.name.as_str();
    let mut receiver = ChopReceiver::over(SegmentReceiver::builder(name).lock_limit(LOCK_LIMIT).open()?);
    let mut out = Out::new(args);
    say::line(format_args!("sending {name:?} to {} as OSC, until Ctrl-C", args.to));
    let start = Start { segment: name, to: args.to.to_string() };
    let mut status = Status::start("osc-out", name, args.status.json, &start)?;
    let begin = Instant::now();
    let mut pace = args.rate.map(Pace::new);
    let mut refreshed = Instant::now();
    // A frame of the sender that is there now has come.
    let mut has_come = false;
    let refresh = args.refresh.map(|s| Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX));
    let exit = loop {
        if let Some(exit) = stop.requested() {
            break exit;
        }
        status.look(out.tally(), || out.details())?;
        out.open(args);
        if let Some(pace) = &pace {
            let soon = begin.elapsed().saturating_add(SLICE);
            if pace.due() > soon {
                stop.wait_until(begin, soon);
                continue;
            }
            stop.wait_until(begin, pace.due());
        }
        let left = refresh.map(|refresh| refresh.saturating_sub(refreshed.elapsed()));
        let is_due = left.is_some_and(|left| left.is_zero());
        if is_due {
            refreshed = Instant::now();
            out.encoder.resend();
        }
        let came = receiver.next_timeout(left.map_or(SLICE, |left| left.min(SLICE)));
        let came = came.map(|frame| frame.is_some());
        out.told.sender(name, receiver.attached());
        has_come &= receiver.attached() == Attached::Yes;
        match came {
            // Who came later hears of a sender that is still, too.
            Ok(is_new) if is_new || (is_due && has_come) => {
                has_come = true;
                if let Some(frame) = receiver.frame() {
                    let which = match (is_new, pace.is_some()) {
                        (false, _) => Which::Again,
                        (true, true) => Which::Newest,
                        (true, false) => Which::Next,
                    };
                    out.send(frame, which, stop);
                }
                if let Some(pace) = &mut pace {
                    pace.advance(begin.elapsed());
                }
            }
            Ok(_) => {}
            Err(error) => {
                out.told.wrong(&of_segment(name, &error));
                stop.wait_until(begin, begin.elapsed().saturating_add(SLICE));
            }
        }
    };
    let (tally, details) = (out.tally(), out.details());
    status.end(tally, &details)?;
    Ok(exit)
}

fn of_segment(name: &str, error: &Error) -> String {
    let is_image = matches!(error, Error::Block(_))
        && tdshm::inspect(name).is_ok_and(|report| report.kind == tdshm::BlockKind::Top);
    if is_image { format!("{name:?} holds images, which OSC cannot carry") } else { error.to_string() }
}

/// What a frame is to whoever counts frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    /// Those between it and the last one should have been sent.
    Next,
    /// They should not.
    Newest,
    /// It has been sent before.
    Again,
}

/// The way out, and what went there.
struct Out {
    encoder: Encoder,
    scope: Option<Pattern>,
    /// The channels it was last applied to, and which of them it picks.
    names: Vec<String>,
    picked: Vec<usize>,
    multicast: Multicast,
    outlet: Option<Outlet>,
    looking_up: Option<Lookup>,
    /// When that failed.
    failed: Option<Instant>,
    began: Option<Instant>,
    frames: u64,
    dropped: u64,
    unsent: u64,
    told: Told,
}

impl Out {
    fn new(args: &OscOutArgs) -> Self {
        let options = EncodeOptions::new()
            .numeric(args.numeric.into())
            .layout(args.format.into())
            .max_bytes(args.max_bytes.into())
            .only_changed(args.changed)
            .rate_sent(args.send_rate)
            .bundles(!args.no_bundles);
        Self {
            encoder: Encoder::new(options),
            scope: args.scope.clone(),
            names: Vec::new(),
            picked: Vec::new(),
            multicast: Interface::set(args.interface, Multicast::new().ttl(args.ttl.unwrap_or(1).into())),
            outlet: None,
            looking_up: None,
            failed: None,
            began: None,
            frames: 0,
            dropped: 0,
            unsent: 0,
            told: Told::default(),
        }
    }

    fn tally(&self) -> Tally {
        let Self { frames, dropped, .. } = *self;
        // Nobody answers: a peer is an address that is known.
        Tally { frames, dropped, bytes: self.encoder.counts().bytes, peers: self.outlet.iter().count() }
    }

    fn details(&self) -> Details {
        let counts = self.encoder.counts();
        let (packets, messages) = (counts.packets, counts.messages);
        Details { packets, messages, too_large: counts.too_large, unsent: self.unsent }
    }

    /// Finds out where to send, as long as nobody knows, and opens a socket.
    fn open(&mut self, args: &OscOutArgs) {
        if self.outlet.is_some() || self.failed.is_some_and(|failed| failed.elapsed() < AGAIN) {
            return;
        }
        self.failed = None;
        let opened = match self.look_up(args) {
            None => return,
            Some(Ok(to)) => Outlet::open(to, self.multicast),
            Some(Err(error)) => Err(error),
        };
        match opened {
            Ok(outlet) => {
                if args.ttl.is_some() {
                    self.told.for_groups("--ttl", outlet.to());
                }
                if args.interface.is_some() {
                    self.told.for_groups("--interface", outlet.to());
                }
                self.outlet = Some(outlet);
                self.encoder.resend();
            }
            Err(error) => {
                self.failed = Some(Instant::now());
                self.told.wrong(&format!("cannot send to {}: {error}; trying again", args.to));
            }
        }
    }

    fn look_up(&mut self, args: &OscOutArgs) -> Option<io::Result<SocketAddr>> {
        let mut looking_up = match self.looking_up.take() {
            Some(looking_up) => looking_up,
            None => match Lookup::start(&args.to.host, args.to.port) {
                Ok(looking_up) => looking_up,
                Err(error) => return Some(Err(error)),
            },
        };
        let found = looking_up.poll();
        if found.is_none() {
            self.looking_up = Some(looking_up);
        }
        found
    }

    /// Sends what the receiver has copied: no lock is held by now.
    fn send(&mut self, frame: &ChopFrame, which: Which, stop: &Stop) {
        if which == Which::Next {
            self.dropped = self.dropped.saturating_add(frame.missed().unwrap_or(0));
        }
        let one = u64::from(which != Which::Again);
        let Some(outlet) = &self.outlet else {
            self.dropped = self.dropped.saturating_add(one);
            return;
        };
        if let Some(scope) = &self.scope
            && self.names != frame.names()
        {
            frame.names().clone_into(&mut self.names);
            self.picked = scope.select(&self.names);
            if self.picked.is_empty() && !self.names.is_empty() {
                self.told.wrong(&format!("the scope {:?} picks no channel of the segment", scope.as_str()));
            }
        }
        let before = self.encoder.counts();
        let info = FrameInfo {
            time: self.began.get_or_insert_with(Instant::now).elapsed(),
            rate: frame.sample_rate(),
        };
        let (mut problem, mut unsent, mut is_cut) = (None, 0_u64, false);
        let deliver = |packet: &[u8]| {
            // A frame may be a million packets.
            if stop.requested().is_some() {
                is_cut = true;
                return Handed::Stop;
            }
            match outlet.send(packet) {
                Ok(()) => Handed::On,
                Err(error) => {
                    unsent = unsent.saturating_add(1);
                    problem = Some(error);
                    Handed::Lost
                }
            }
        };
        match self.scope {
            None => self.encoder.encode_to(info, frame.channels(), deliver),
            Some(_) => {
                let names = frame.names();
                let picked = self.picked.iter();
                let picked = picked.filter_map(|at| Some((names.get(*at)?.as_str(), frame.channel_at(*at)?)));
                self.encoder.encode_to(info, picked, deliver);
            }
        }
        let after = self.encoder.counts();
        if let Some(error) = problem {
            // What was in it counts as not sent.
            self.encoder.resend();
            self.told.wrong(&format!("cannot send to {}: {error}; going on", outlet.to()));
        }
        if after.too_large > before.too_large {
            self.told
                .wrong("a message is too large for any packet, and is left out: pick channels with --scope");
        }
        self.unsent = self.unsent.saturating_add(unsent);
        if unsent > 0 || is_cut {
            self.dropped = self.dropped.saturating_add(one);
        } else {
            self.frames = self.frames.saturating_add(one);
        }
    }
}
