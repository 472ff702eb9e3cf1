//! `tdshm-net mirror`: what other machines share, as segments of this one.
//!
//! Liveliness tokens say which streams there are. Each one that is wanted has a thread: zenoh's callback puts the newest frame
//! where that finds it, and the thread writes it into a segment, which is one of ours like any other: so readers here are
//! woken, keep the last good frame, and see the sender leave when it leaves there or can no longer be reached.

mod budget;
mod clock;
mod local;
mod roll;
mod slot;
mod stream;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;
use tdshm::ShortName;
use zenoh::Wait;
use zenoh::sample::SampleKind;

use crate::args::MirrorArgs;
use crate::encoding::key::{self, Leaf};
use crate::mirror::budget::Budget;
use crate::mirror::roll::{Bounds, Key, Roll, Tokens};
use crate::mirror::stream::{Account, Stream};
use crate::output::Output;
use crate::session;
use crate::status::{Rate, tenths};
use crate::stop::{SLICE, Stop};
use crate::thread::Handle;
use crate::{Exit, PROGRAM, TELL_EVERY, say};

/// Streams that are mirrored at most.
const MOST_STREAMS: usize = 1024;

/// How long programs may be there, and nothing that is asked for, before that is said.
const NOTHING: Duration = Duration::from_secs(5);

/// Mirrors until somebody asks to stop.
pub(crate) fn run(args: &MirrorArgs) -> anyhow::Result<Exit> {
    let stop = Stop::on_signals()?;
    let Some((session, mut reach)) = session::open(&args.net, &stop, None)? else {
        return Ok(stop.requested().unwrap_or(Exit::Done));
    };
    session::announce(&args.net);
    let (mut roll, tokens) = Roll::new(Bounds { most: MOST_STREAMS, keep: args.keep });
    let subscriber = session.liveliness().declare_subscriber(key::all(Leaf::Alive)).history(true);
    let known = tokens.clone();
    let callback = move |sample: zenoh::sample::Sample| {
        known.note(sample.key_expr().as_str(), sample.kind() == SampleKind::Put);
    };
    let _subscriber = subscriber.callback(callback).wait().map_err(|error| session::failed(&error))?;

    let budget = Budget::new(usize::try_from(args.memory << 20).unwrap_or(usize::MAX));
    let mut telling = Telling::new(args, &budget)?;
    let mut unmatched = Unmatched::default();
    let mut follow = || -> anyhow::Result<()> {
        while stop.requested().is_none() && !session.is_closed() {
            let Ok(next) = roll.next(SLICE) else { break };
            if let Some(stream) = next.filter(|(host, name)| is_wanted(args, host, name)) {
                roll.begin(stream, |stream| begin(args, &session, stream, &budget));
            }
            telling.output.check()?;
            if telling.is_due() {
                reach.look(&session);
                unmatched.look(session::peers(&session), !roll.streams().is_empty());
                if roll.forget_old() {
                    look_again(&session, &tokens);
                }
                telling.tell(roll.streams(), session::peers(&session))?;
            }
        }
        Ok(())
    };
    let followed = follow();
    // Whatever ended it: readers here see that there is no sender any more.
    roll.end();
    let told = followed.and_then(|()| telling.tell(roll.streams(), session::peers(&session)));
    telling.sum_up(roll.streams());
    let told = told.and_then(|()| Ok(telling.output.end()?));
    drop(roll);
    session::close(session);
    told?;
    Ok(stop.requested().unwrap_or(Exit::Failed))
}

fn is_wanted(args: &MirrorArgs, host: &str, name: &str) -> bool {
    args.streams.iter().any(|wanted| wanted.means(host, name))
}

/// Whether programs are there, and nothing that is asked for. Said once: whoever shares may come later, but a wrong name, or access
/// control, looks the same.
#[derive(Debug, Default)]
struct Unmatched {
    since: Option<Instant>,
    done: bool,
}

impl Unmatched {
    fn look(&mut self, peers: usize, has_streams: bool) {
        self.done |= has_streams;
        if self.done || peers == 0 {
            self.since = None;
        } else if self.since.get_or_insert_with(Instant::now).elapsed() >= NOTHING {
            self.done = true;
            let programs = if peers == 1 { "program" } else { "programs" };
            say::line(format_args!(
                "connected to {peers} {programs}, and nothing that was asked for is shared so far: {PROGRAM} list shows what \
                 there is; access control may hide streams"
            ));
        }
    }
}

/// Asks for the tokens that are there: some came when there was no room.
fn look_again(session: &zenoh::Session, tokens: &Tokens) {
    let known = tokens.clone();
    let callback = move |reply: zenoh::query::Reply| {
        if let Ok(sample) = reply.result() {
            known.note(sample.key_expr().as_str(), true);
        }
    };
    // Where the network is gone the tokens are, too.
    let _ = session.liveliness().get(key::all(Leaf::Alive)).timeout(ASKING).callback(callback).wait();
}

fn begin(
    args: &MirrorArgs,
    session: &zenoh::Session,
    stream: &Key,
    budget: &Arc<Budget>,
) -> anyhow::Result<Handle<Stream>> {
    let name = local_name(args, &stream.0, &stream.1);
    let name = ShortName::new(&name).with_context(|| format!("it would be called {name:?} here"))?;
    Stream::new(session, &stream.0, &stream.1, name, args.take_over, args.patience, budget).start()
}

/// What a stream is called here.
fn local_name(args: &MirrorArgs, host: &str, name: &str) -> String {
    match (&args.named, &args.prefix) {
        // Each placeholder once, so that a name which holds one is left alone.
        (Some(named), _) => {
            named.split("{name}").map(|part| part.replace("{host}", host)).collect::<Vec<_>>().join(name)
        }
        (None, Some(prefix)) => format!("{prefix}{name}"),
        (None, None) => name.to_owned(),
    }
}

/// What is told of it.
struct Telling<'a> {
    args: &'a MirrorArgs,
    budget: Arc<Budget>,
    began: Instant,
    told: Option<Instant>,
    rates: BTreeMap<Key, (Rate, Rate)>,
    output: Output,
}

/// A second, for programs.
#[derive(Serialize)]
struct Second {
    seconds: f64,
    /// Programs of zenoh's that this one talks to.
    peers: usize,
    /// What all streams take of `--memory`.
    memory_bytes: usize,
    streams: Vec<StreamSecond>,
}

#[derive(Serialize)]
struct StreamSecond {
    /// Frames a second that became frames here.
    rate: Option<f64>,
    bytes_per_second: Option<f64>,
    #[serde(flatten)]
    account: Account,
}

impl<'a> Telling<'a> {
    fn new(args: &'a MirrorArgs, budget: &Arc<Budget>) -> anyhow::Result<Self> {
        let output = Output::start()?;
        let budget = Arc::clone(budget);
        Ok(Self { args, budget, began: Instant::now(), told: None, rates: BTreeMap::new(), output })
    }

    fn is_due(&self) -> bool {
        self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY)
    }

    fn tell(&mut self, streams: &BTreeMap<Key, Handle<Stream>>, peers: usize) -> anyhow::Result<()> {
        let now = Instant::now();
        self.told = Some(now);
        let mut all = Vec::new();
        self.rates.retain(|key, _| streams.contains_key(key));
        for (key, handle) in streams {
            let account = handle.stream().account();
            let (frames, bytes) = self.rates.entry(key.clone()).or_default();
            let rate = frames.note(now, account.frames).map(tenths);
            let bytes_per_second = bytes.note(now, account.bytes).map(tenths);
            all.push(StreamSecond { rate, bytes_per_second, account });
        }
        let seconds = tenths(self.began.elapsed().as_secs_f64());
        if self.args.json {
            self.output.line(serde_json::to_string(&Second {
                seconds,
                peers,
                memory_bytes: self.budget.used(),
                streams: all,
            })?)?;
            return Ok(());
        }
        let sum = |of: fn(&StreamSecond) -> f64| all.iter().map(of).sum::<f64>();
        let total = |of: fn(&Account) -> u64| all.iter().map(|stream| of(&stream.account)).sum::<u64>();
        let latency = all.iter().filter_map(|stream| stream.account.latency_ms.as_ref()?.p50);
        let latency = latency.fold(None::<f64>, |worst, ms| Some(worst.map_or(ms, |worst| worst.max(ms))));
        say::status(&format!(
            "{} mirrored: {:.0} frames/s, {}/s, {} lost, {} dropped, {}, {}",
            say::count(u64::try_from(all.len()).unwrap_or(u64::MAX), "stream"),
            sum(|stream| stream.rate.unwrap_or(0.0)),
            say::bytes(sum(|stream| stream.bytes_per_second.unwrap_or(0.0))),
            total(|account| account.lost),
            total(|account| account.dropped),
            latency.map_or_else(|| "no latency yet".to_owned(), |ms| format!("{ms:.2} ms")),
            say::count(u64::try_from(peers).unwrap_or(u64::MAX), "peer"),
        ));
        Ok(())
    }

    fn sum_up(&self, streams: &BTreeMap<Key, Handle<Stream>>) {
        say::status("");
        for handle in streams.values() {
            let account = handle.stream().account();
            say::line(format_args!(
                "{}/{} as {:?}: {}, {}; {} lost on the way, {} dropped for newer ones, {} broken",
                account.host,
                account.segment,
                account.name,
                say::count(account.frames, "frame"),
                say::bytes(account.bytes as f64),
                account.lost,
                account.dropped,
                account.broken
            ));
        }
    }
}

/// How long a question to the other side is waited for.
const ASKING: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Command};

    fn named(flags: &[&str], host: &str, name: &str) -> String {
        let args = [&["tdshm-net", "mirror", "a/b"], flags].concat();
        let Command::Mirror(args) = Args::try_parse_from(args).unwrap().command else { panic!() };
        local_name(&args, host, name)
    }

    #[test]
    fn what_streams_are_called_here() {
        assert_eq!(named(&[], "host2", "cam1"), "cam1");
        assert_eq!(named(&["--prefix", "host2-"], "host2", "cam1"), "host2-cam1");
        assert_eq!(named(&["--as", "{host}_{name}_in"], "host2", "cam1"), "host2_cam1_in");
        assert_eq!(named(&["--as", "{host}_{name}"], "{name}", "{host}"), "{name}_{host}");
        assert_eq!(named(&["--as", "one"], "host2", "cam1"), "one");
    }
}
