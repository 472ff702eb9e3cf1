//! `tdshm-net share`: segments of this machine, for others.
//!
//! Each segment has a thread. As long as nobody listens it sleeps, and looks twice a second whether the sender is there; then
//! it follows the segment as any receiver does, woken by its notices, and publishes each frame. It holds one frame, so when
//! the network is slower than the sender the newest frame wins, and nothing queues up. Whoever asks for the last frame is
//! answered by one more thread.

mod answer;
mod feed;
mod listeners;
mod outlet;
mod stream;

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde::Serialize;
use tdshm::ShortName;

use crate::args::{self, ShareArgs};
use crate::encoding::info::Info;
use crate::output::Output;
use crate::session;
use crate::share::answer::Answering;
use crate::share::listeners::Through;
use crate::share::stream::Stream;
use crate::status::{Rate, tenths};
use crate::stop::{SLICE, Stop};
use crate::thread::Handle;
use crate::wanted::WantedSegment;
use crate::{Exit, PROGRAM, TELL_EVERY, say};

/// Bytes of a frame that packing would make noticeably smaller.
const LARGE: u64 = 64 * 1024;
/// How often it is looked whether segments have appeared.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a segment is kept whose sender has gone.
const KEEP: Duration = Duration::from_secs(600);

/// Shares until somebody asks to stop.
pub(crate) fn run(args: &ShareArgs) -> anyhow::Result<Exit> {
    let host = match &args.host {
        Some(host) => host.clone(),
        None => args::host(&gethostname::gethostname().to_string_lossy())
            .map_err(|error| anyhow!("this machine's own name cannot be used: {error}, with --host"))?,
    };
    let stop = Stop::on_signals()?;
    let Some((session, mut reach)) = session::open(&args.net, &stop, None)? else {
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
    let names: Vec<&ShortName> = args.names.iter().filter_map(WantedSegment::name).collect();
    let looks = names.len() < args.names.len();
    let mut telling = Telling::new(args, &host)?;
    let mut looked = None::<Instant>;
    let mut follow = || -> anyhow::Result<()> {
        for name in &names {
            begin(name, &mut streams)?;
        }
        while stop.requested().is_none() && !session.is_closed() {
            if looks && looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY) {
                looked = Some(Instant::now());
                // A look that fails is made good by the next one.
                for report in tdshm::survey().map(|survey| survey.segments).unwrap_or_default() {
                    let mirrored =
                        report.notices.as_ref().is_some_and(|notices| notices.program.starts_with(PROGRAM));
                    if !mirrored && args.names.iter().any(|wanted| wanted.means(report.name.as_str())) {
                        begin(&report.name, &mut streams)?;
                    }
                }
            }
            telling.output.check()?;
            if telling.is_due() {
                reach.look(&session);
                forget_old(&mut streams, &names, KEEP);
                telling.tell(&streams, session::peers(&session))?;
            }
            thread::sleep(if stop.requested().is_some() { Duration::ZERO } else { SLICE });
        }
        Ok(())
    };
    let followed = follow();
    // Whatever ended it: those who listen are told that it is over.
    streams.values().for_each(Handle::end);
    streams.values_mut().for_each(Handle::join);
    let told = followed.and_then(|()| telling.tell(&streams, session::peers(&session)));
    telling.sum_up(&streams);
    let told = told.and_then(|()| Ok(telling.output.end()?));
    answering.end();
    drop(streams);
    session::close(session);
    told?;
    Ok(stop.requested().unwrap_or(Exit::Failed))
}

/// Forgets segments whose sender has been gone for so long, unless they were named: others come by a pattern, and may come
/// again the same way.
fn forget_old(streams: &mut BTreeMap<ShortName, Handle<Stream>>, named: &[&ShortName], keep: Duration) {
    streams.retain(|name, handle| {
        let stays = named.contains(&name) || handle.stream().away().is_none_or(|away| away < keep);
        if !stays {
            handle.end();
            handle.join();
        }
        stays
    });
}

/// What is told of it.
struct Telling<'a> {
    args: &'a ShareArgs,
    host: &'a str,
    began: Instant,
    told: Option<Instant>,
    rates: BTreeMap<ShortName, (Rate, Rate, Through)>,
    output: Output,
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
    /// Those who listen and say what came to them.
    listeners: usize,
    /// Frames that never came to that one of them which lost most.
    lost_there: Option<u64>,
    /// How long packing the last image took.
    packing_ms: Option<f64>,
    /// Its rate is that of the frames that went to the network.
    #[serde(flatten)]
    info: Info,
}

impl<'a> Telling<'a> {
    fn new(args: &'a ShareArgs, host: &'a str) -> anyhow::Result<Self> {
        let output = Output::start()?;
        Ok(Self { args, host, began: Instant::now(), told: None, rates: BTreeMap::new(), output })
    }

    fn is_due(&self) -> bool {
        self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY)
    }

    fn tell(&mut self, streams: &BTreeMap<ShortName, Handle<Stream>>, peers: usize) -> anyhow::Result<()> {
        let now = Instant::now();
        self.told = Some(now);
        let mut accounts = Vec::new();
        self.rates.retain(|name, _| streams.contains_key(name));
        for (name, handle) in streams {
            let stream = handle.stream();
            let mut info = if self.args.json { stream.described().0 } else { stream.counted() };
            let (frames, bytes, through) = self.rates.entry(name.clone()).or_default();
            info.rate = frames.note(now, info.number).map(tenths);
            let bytes_per_second = bytes.note(now, info.bytes).map(tenths);
            let (listeners, lost_there) = stream.lost();
            if let Some((out, lost)) =
                lost_there.and_then(|lost| through.note(now, listeners, info.number, lost))
            {
                let are_large = info.bytes.checked_div(info.number).is_some_and(|bytes| bytes > LARGE);
                let advice = if are_large { "--images jpeg, or fewer of them," } else { "fewer of them" };
                say::line(format_args!(
                    "{:?}: of {out} frames {lost} did not get through: the network, or who listens, is too slow for them; \
                     {advice} would help",
                    name.as_str()
                ));
            }
            let (wanted, packing_ms) = (stream.is_wanted(), stream.packing_ms());
            accounts.push(StreamAccount {
                bytes_per_second,
                wanted,
                listeners,
                lost_there,
                packing_ms,
                info,
            });
        }
        let seconds = tenths(self.began.elapsed().as_secs_f64());
        if self.args.json {
            let account = Account { host: self.host, seconds, peers, streams: accounts };
            self.output.line(serde_json::to_string(&account)?)?;
            return Ok(());
        }
        let sum = |of: fn(&StreamAccount) -> f64| accounts.iter().map(of).sum::<f64>();
        let missed: u64 = accounts.iter().map(|stream| stream.info.missed).sum();
        let lost: u64 = accounts.iter().filter_map(|stream| stream.lost_there).sum();
        say::status(&format!(
            "{} shared, {} wanted: {:.0} frames/s, {}/s, {missed} missed, {lost} lost, {}",
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
                "{:?}: {} went out, {}; {} not seen in time, {} that could not be read, {} lost on the way",
                name.as_str(),
                say::count(info.number, "frame"),
                say::bytes(info.bytes as f64),
                info.missed,
                info.broken,
                handle.stream().lost().1.unwrap_or(0)
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_whose_sender_is_gone_are_forgotten_unless_they_were_named() {
        let mut config = zenoh::Config::default();
        config.insert_json5("scouting/multicast/enabled", "false").unwrap();
        config.insert_json5("listen/endpoints", "[]").unwrap();
        let session = zenoh::Wait::wait(zenoh::open(config)).unwrap();
        let answering = Answering::start().unwrap();
        let named = ["never-made-1", "never-made-2"].map(|name| ShortName::new(name).unwrap());
        let mut streams = BTreeMap::new();
        for name in &named {
            let stream = Stream::new(&session, "host", name, crate::encoding::Packing::Raw);
            streams.insert(name.clone(), stream.start(&answering).unwrap());
        }
        while streams.values().any(|handle| handle.stream().away().is_none()) {
            thread::yield_now();
        }
        forget_old(&mut streams, &[], Duration::from_secs(600));
        assert_eq!(streams.len(), 2);
        forget_old(&mut streams, &[&named[1]], Duration::ZERO);
        assert_eq!(streams.keys().collect::<Vec<_>>(), [&named[1]]);
        streams.values().for_each(Handle::end);
        streams.values_mut().for_each(Handle::join);
        answering.end();
    }

    #[test]
    fn an_account_says_each_thing_once() {
        let info = Info { rate: Some(60.0), number: 7, ..Info::default() };
        let account = StreamAccount {
            bytes_per_second: Some(8.0),
            wanted: true,
            listeners: 1,
            lost_there: Some(0),
            packing_ms: None,
            info: info.clone(),
        };
        let json = serde_json::to_string(&account).unwrap();
        let read: Info = serde_json::from_str(&json).unwrap(); // which refuses what is there twice
        assert_eq!(read, info);
    }
}
