//! `tdshm-net share`: segments of this machine, for others.
//!
//! Each segment has a thread. As long as nobody listens it sleeps, and looks twice a second whether the sender is there; then
//! it follows the segment as any receiver does, woken by its notices, and publishes each frame. It holds one frame, so when
//! the network is slower than the sender the newest frame wins, and nothing queues up. Whoever asks for the last frame is
//! answered by one more thread.

mod answer;
mod feed;
mod outlet;
mod stream;

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;
use tdshm::ShortName;

use crate::args::ShareArgs;
use crate::encoding::info::Info;
use crate::session::{self, Wanted};
use crate::share::answer::Answering;
use crate::share::stream::Stream;
use crate::status::{Rate, tenths};
use crate::stop::{SLICE, Stop};
use crate::thread::Handle;
use crate::{Exit, PROGRAM, TELL_EVERY, say};

/// How often it is looked whether segments have appeared.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Shares until somebody asks to stop.
pub(crate) fn run(args: &ShareArgs) -> anyhow::Result<Exit> {
    let wanted: Vec<Wanted> =
        args.names.iter().map(|name| Wanted::read(name)).collect::<anyhow::Result<_>>()?;
    let host = match &args.host {
        Some(host) => host.clone(),
        None => gethostname::gethostname().to_string_lossy().into_owned(),
    };
    let mut names = Vec::new();
    for wanted in &wanted {
        if let Wanted::Name(name) = wanted {
            names.push(ShortName::new(name)?);
        }
    }
    let stop = Stop::on_signals()?;
    let Some(session) = session::open(&args.net, &stop)? else {
        return Ok(stop.requested().unwrap_or(Exit::Done));
    };
    session::announce(&args.net);
    let answering = Answering::start()?;
    let mut streams = BTreeMap::new();
    let begin = |name: &ShortName, streams: &mut BTreeMap<ShortName, Handle<Stream>>| -> anyhow::Result<()> {
        if !streams.contains_key(name) {
            let stream = Stream::new(&session, &host, name, args.packing());
            let handle =
                stream.start(&answering).with_context(|| format!("cannot share {:?}", name.as_str()))?;
            streams.insert(name.clone(), handle);
        }
        Ok(())
    };
    for name in &names {
        begin(name, &mut streams)?;
    }
    let looks = wanted.iter().any(|wanted| matches!(wanted, Wanted::Pattern(_)));
    let mut telling = Telling::new(args, &host);
    let mut looked = None::<Instant>;
    while stop.requested().is_none() && !session.is_closed() {
        if looks && looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY) {
            looked = Some(Instant::now());
            // A look that fails is made good by the next one.
            for report in tdshm::survey().map(|survey| survey.segments).unwrap_or_default() {
                let mirrored =
                    report.notices.as_ref().is_some_and(|notices| notices.program.starts_with(PROGRAM));
                if !mirrored && wanted.iter().any(|wanted| wanted.means(report.name.as_str())) {
                    begin(&report.name, &mut streams)?;
                }
            }
        }
        if telling.is_due() {
            telling.tell(&streams, session::peers(&session))?;
        }
        thread::sleep(if stop.requested().is_some() { Duration::ZERO } else { SLICE });
    }
    streams.values().for_each(Handle::end);
    streams.values_mut().for_each(Handle::join);
    let told = telling.tell(&streams, session::peers(&session));
    telling.sum_up(&streams);
    answering.end();
    drop(streams);
    session::close(session);
    told?;
    Ok(stop.requested().unwrap_or(Exit::Failed))
}

/// What is told of it.
struct Telling<'a> {
    args: &'a ShareArgs,
    host: &'a str,
    began: Instant,
    told: Option<Instant>,
    rates: BTreeMap<ShortName, (Rate, Rate)>,
}

/// A second, for programs.
#[derive(Serialize)]
struct Account<'a> {
    host: &'a str,
    seconds: f64,
    /// Programs of zenoh's that this one talks to.
    peers: usize,
    streams: Vec<StreamAccount>,
}

#[derive(Serialize)]
struct StreamAccount {
    bytes_per_second: Option<f64>,
    /// Whether anybody listens.
    wanted: bool,
    /// Its rate is that of the frames that went to the network.
    #[serde(flatten)]
    info: Info,
}

impl<'a> Telling<'a> {
    fn new(args: &'a ShareArgs, host: &'a str) -> Self {
        Self { args, host, began: Instant::now(), told: None, rates: BTreeMap::new() }
    }

    fn is_due(&self) -> bool {
        self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY)
    }

    fn tell(&mut self, streams: &BTreeMap<ShortName, Handle<Stream>>, peers: usize) -> anyhow::Result<()> {
        let now = Instant::now();
        self.told = Some(now);
        let mut accounts = Vec::new();
        for (name, handle) in streams {
            let stream = handle.stream();
            let mut info = if self.args.json { stream.described().0 } else { stream.counted() };
            let (frames, bytes) = self.rates.entry(name.clone()).or_default();
            info.rate = frames.note(now, info.number).map(tenths);
            let bytes_per_second = bytes.note(now, info.bytes).map(tenths);
            accounts.push(StreamAccount { bytes_per_second, wanted: stream.is_wanted(), info });
        }
        let seconds = tenths(self.began.elapsed().as_secs_f64());
        if self.args.json {
            let account = Account { host: self.host, seconds, peers, streams: accounts };
            say::data(&serde_json::to_string(&account)?)?;
            return Ok(());
        }
        let sum = |of: fn(&StreamAccount) -> f64| accounts.iter().map(of).sum::<f64>();
        let missed: u64 = accounts.iter().map(|stream| stream.info.missed).sum();
        say::status(&format!(
            "{} shared, {} wanted: {:.0} frames/s, {}/s, {missed} missed, {}",
            say::count(u64::try_from(accounts.len()).unwrap_or(u64::MAX), "segment"),
            accounts.iter().filter(|stream| stream.wanted).count(),
            sum(|stream| stream.info.rate.unwrap_or(0.0)),
            say::bytes(sum(|stream| stream.bytes_per_second.unwrap_or(0.0))),
            say::count(u64::try_from(peers).unwrap_or(u64::MAX), "peer"),
        ));
        Ok(())
    }

    fn sum_up(&self, streams: &BTreeMap<ShortName, Handle<Stream>>) {
        say::status("");
        for (name, handle) in streams {
            let info = handle.stream().counted();
            say::line(format_args!(
                "{:?}: {} went out, {}; {} not seen in time, {} that could not be read",
                name.as_str(),
                say::count(info.number, "frame"),
                say::bytes(info.bytes as f64),
                info.missed,
                info.broken
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_says_each_thing_once() {
        let info = Info { rate: Some(60.0), number: 7, ..Info::default() };
        let account = StreamAccount { bytes_per_second: Some(8.0), wanted: true, info: info.clone() };
        let json = serde_json::to_string(&account).unwrap();
        let read: Info = serde_json::from_str(&json).unwrap(); // which refuses what is there twice
        assert_eq!(read, info);
    }
}
