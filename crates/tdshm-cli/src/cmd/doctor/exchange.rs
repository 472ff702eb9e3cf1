//! Two processes of this program: frames both ways, growing, dying, taking over, sleeping.

use std::process;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail, ensure};
use serde_json::Value;
use tdshm::{Attached, ChopReceiver, ChopSender, DryRun, SegmentReceiver};

use crate::cmd::LOCK_LIMIT;
use crate::cmd::doctor::check;
use crate::cmd::doctor::other::Other;
use crate::cmd::doctor::report::Report;
use crate::stop::{SLICE, Stop};
use crate::{Again, Exit, say};

/// How long anything of this may take: a process starts and makes, or finds, a segment.
const WITHIN: Duration = Duration::from_secs(10);
/// Frames that are looked at.
const FRAMES: usize = 20;
/// A sleeping receiver that has a frame later than this was not woken by it.
const WOKEN_WITHIN: Duration = Duration::from_millis(50);
const REPORT_IT: &str = "run `tdshm demo`: if that fails as well, report both outputs as an issue";

/// Lets two processes exchange frames. `Some`: somebody asked to stop.
pub(super) fn check(report: &mut Report, again: &Again, stop: &Stop) -> Option<Exit> {
    let name = format!("doctor{}", process::id());
    let result = send_and_grow(report, &name, again, stop)
        .and_then(|()| receive_and_survive(report, &name, again, stop));
    // What could not be removed is there for `tdshm clean`, which `leftovers` will say.
    let _ = tdshm::clean(&[&name], DryRun::No);
    if let Some(exit) = stop.requested() {
        return Some(exit);
    }
    if let Err(error) = result {
        report.failed(check::EXCHANGE_FAILS, error.to_string(), REPORT_IT);
    }
    None
}

/// This process sends, the other receives; then the block outgrows its room.
fn send_and_grow(report: &mut Report, name: &str, again: &Again, stop: &Stop) -> anyhow::Result<()> {
    let mut sender = ChopSender::builder(name).lock_limit(LOCK_LIMIT).channels(["a", "b"]).create()?;
    let begin = Instant::now();
    sender.send(&[[0.25], [-0.5]])?;
    report.ok(
        check::EXCHANGE_MAKE,
        format!("segments and locks can be made ({name:?}, in {} µs)", begin.elapsed().as_micros()),
    );
    let other =
        Other::start(again, &["watch", name, "--format", "json", "--frames", "2", "--timeout", "20"])?;
    let line = frame_of(&other, stop)?;
    ensure!(
        values(&line) == [(1, 0.25), (1, -0.5)],
        "process {} received something else than what was sent: {line}",
        other.id()
    );
    report.ok(check::EXCHANGE_RECEIVE, format!("process {} receives what this one sends", other.id()));
    let room = sender.room_bytes();
    // A sample is four bytes: two channels of this length are twice the room.
    let len_samples = room.div_ceil(4);
    sender.send(&[vec![1.5_f32; len_samples], vec![2.5; len_samples]])?;
    let line = frame_of(&other, stop)?;
    ensure!(
        values(&line) == [(len_samples, 1.5), (len_samples, 2.5)],
        "process {} did not follow to the larger segment",
        other.id()
    );
    report.ok(
        check::EXCHANGE_GROW,
        format!("it follows when the block outgrows its room, from {room} to {} bytes", sender.room_bytes()),
    );
    Ok(())
}

/// The other process sends, is killed, and another one takes over.
fn receive_and_survive(report: &mut Report, name: &str, again: &Again, stop: &Stop) -> anyhow::Result<()> {
    let args = ["send", name, "--wave", "constant", "--count", "3", "--until-stdin-closes"];
    let segment = SegmentReceiver::builder(name).lock_limit(LOCK_LIMIT).open()?;
    let mut receiver = ChopReceiver::over(segment);
    let first = Other::start(again, &args)?;
    let mut ages = frames(&mut receiver, &first, stop, FRAMES)?;
    ages.sort();
    let usual = ages.get(ages.len().div_euclid(2)).copied().unwrap_or_default();
    let said = format!(
        "this one sleeps until process {} sends, and wakes: {FRAMES} frames, usually {} ms old",
        first.id(),
        usual.as_millis()
    );
    if usual > WOKEN_WITHIN {
        report.warning(check::EXCHANGE_WAKE, said, "waking takes long here: is this machine very busy?");
    } else {
        report.ok(check::EXCHANGE_WAKE, said);
    }

    let died = first.id();
    first.kill();
    let begin = Instant::now();
    while receiver.attached() == Attached::Yes {
        stopped(stop)?;
        ensure!(begin.elapsed() < WITHIN, "that process {died} was killed was not noticed within 10 s");
        receiver.next_timeout(SLICE)?;
    }
    report.ok(
        check::EXCHANGE_DEATH,
        format!("it notices within {} ms that process {died} was killed", begin.elapsed().as_millis()),
    );
    let mut second = Other::start(again, &args)?;
    frames(&mut receiver, &second, stop, 2)?;
    report.ok(
        check::EXCHANGE_TAKE_OVER,
        format!("process {} takes the name over, and this one goes on receiving", second.id()),
    );
    second.end();
    let begin = Instant::now();
    while receiver.attached() == Attached::Yes {
        stopped(stop)?;
        ensure!(begin.elapsed() < WITHIN, "that process {} left was not noticed within 10 s", second.id());
        receiver.next_timeout(SLICE)?;
    }
    report.ok(check::EXCHANGE_LEAVE, "it is told when a sender leaves");
    Ok(())
}

/// Takes so many frames, and says how old each was.
fn frames(
    receiver: &mut ChopReceiver,
    other: &Other,
    stop: &Stop,
    count: usize,
) -> anyhow::Result<Vec<Duration>> {
    let mut ages = Vec::new();
    let begin = Instant::now();
    while ages.len() < count {
        stopped(stop)?;
        ensure!(
            begin.elapsed() < WITHIN,
            "process {} sends, and {} arrived within {} s",
            other.id(),
            say::count_of(ages.len(), "frame"),
            WITHIN.as_secs()
        );
        if let Some(frame) = receiver.next_timeout(SLICE)? {
            ensure!(
                frame.num_channels() == 3 && frame.samples() == [1.0; 3],
                "a frame of process {} holds something else than what it sends",
                other.id()
            );
            ages.extend(frame.age());
        }
    }
    Ok(ages)
}

/// The next frame that the other process shows.
fn frame_of(other: &Other, stop: &Stop) -> anyhow::Result<Value> {
    let begin = Instant::now();
    while begin.elapsed() < WITHIN {
        stopped(stop)?;
        if let Some(line) = other.line(SLICE) {
            return Ok(serde_json::from_str(&line)?);
        }
    }
    bail!("process {} received nothing within {} s", other.id(), WITHIN.as_secs())
}

/// Length and first sample of each channel.
fn values(line: &Value) -> Vec<(usize, f64)> {
    let channels = line.get("channels").and_then(Value::as_array);
    let channel = |channel: &Value| {
        let samples = channel.get("samples")?.as_array()?;
        Some((samples.len(), samples.first()?.as_f64()?))
    };
    channels.into_iter().flatten().filter_map(channel).collect()
}

fn stopped(stop: &Stop) -> anyhow::Result<()> {
    match stop.requested() {
        Some(_) => Err(anyhow!("stopped")),
        None => Ok(()),
    }
}
