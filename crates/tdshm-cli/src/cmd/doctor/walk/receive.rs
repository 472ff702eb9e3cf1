//! Step 3: this program finds what a Shared Mem Out CHOP sends.

use std::time::{Duration, Instant};

use tdshm::{ChopReceiver, SegmentReceiver};

use crate::cmd::LOCK_LIMIT;
use crate::cmd::doctor::check::{self, Check};
use crate::cmd::doctor::person::Waited;
use crate::cmd::doctor::walk::{NOBODY_CAME, Walk, look};
use crate::output::{number, shape};
use crate::stop::SLICE;

pub(super) const STEP: Check = check::WALK_RECEIVE;
/// How long frames are counted.
const COUNTED: Duration = Duration::from_secs(1);
/// So many of them in a second leave no doubt that some are due in a quarter of it.
const OFTEN: u64 = 20;
/// Channels whose values are told.
const TOLD: usize = 8;

pub(super) fn run(walk: &mut Walk<'_>) -> anyhow::Result<()> {
    let name = walk.names.chop_out.clone();
    walk.person.tell(&format!(
        "In TouchDesigner: add an LFO CHOP, or anything that moves, and wire it into a Shared Mem Out CHOP with\n    \
         Active           On\n    Shared Mem Name  {name}\n    Shared Mem Type  Local\nWaiting for its block …"
    ));
    let there = walk.wait(|| Ok(look::holds(&name, look::CHANNELS)?))?;
    if walk.not_there(STEP, &there, "no channel block came", NOBODY_CAME) {
        // What stands there instead says why.
        if tdshm::examine(&name).is_ok() {
            look::report(walk.report, STEP, &name)?;
        }
        return Ok(());
    }
    if matches!(there, Waited::Stopped) {
        return Ok(());
    }
    walk.met.push(name.clone());
    look::report(walk.report, STEP, &name)?;

    let segment = SegmentReceiver::builder(&name).lock_limit(LOCK_LIMIT).open()?;
    let mut receiver = ChopReceiver::over(segment);
    let before = match first(walk, &mut receiver)? {
        Some(samples) => samples,
        None => return Ok(()),
    };
    let frames = count(walk, &mut receiver)?;
    look::lock(walk.report, STEP, &name)?;
    // Frames that come often enough for one to be due while the lock is held.
    look::same_lock(walk.report, STEP, &name, frames >= OFTEN)?;
    grow(walk, &mut receiver, &name, before)
}

/// Takes one frame, and reports it. Says how many samples it has.
fn first(walk: &mut Walk<'_>, receiver: &mut ChopReceiver) -> anyhow::Result<Option<usize>> {
    let frame = walk.wait(|| Ok(receiver.next_timeout(SLICE)?.cloned()))?;
    if walk.not_there(STEP, &frame, "no frame could be read", "the lines above say what stands in the block")
    {
        return Ok(None);
    }
    let Waited::Came(frame, _) = frame else { return Ok(None) };
    let channels: Vec<String> = frame
        .channels()
        .take(TOLD)
        .map(|(name, samples)| {
            format!("{name} {}", samples.last().map_or_else(|| "-".to_owned(), |last| number(*last)))
        })
        .collect();
    let more = if frame.num_channels() > TOLD { ", …" } else { "" };
    walk.report.ok(
        STEP,
        format!(
            "received {}: {}{more}",
            shape(frame.num_channels(), frame.len_samples(), frame.sample_rate()),
            channels.join(", ")
        ),
    );
    walk.ask(
        STEP,
        "Are these the channels that go into the Shared Mem Out CHOP: their number, names, length and rate?",
        "what arrives is what goes in",
        "something else arrives than what goes in",
        "say in the issue what goes in",
    );
    Ok(Some(frame.samples().len()))
}

/// Counts the frames of a second.
fn count(walk: &mut Walk<'_>, receiver: &mut ChopReceiver) -> anyhow::Result<u64> {
    let begin = Instant::now();
    let mut frames = 0_u64;
    while begin.elapsed() < COUNTED && walk.stop.requested().is_none() {
        if receiver.next_timeout(SLICE)?.is_some() {
            frames = frames.saturating_add(1);
        }
    }
    let said = format!("{frames} different frames in a second");
    if frames == 0 {
        walk.report.warning(STEP, said, "does what goes in move? Only what differs can be told apart");
    } else {
        walk.report.ok(STEP, said);
    }
    Ok(frames)
}

/// Has the block grow beyond its segment.
fn grow(walk: &mut Walk<'_>, receiver: &mut ChopReceiver, name: &str, before: usize) -> anyhow::Result<()> {
    let mapped = |found: &tdshm::Examination| found.objects.last().map_or(0, |object| object.mapped_bytes);
    let old = mapped(&tdshm::examine(name)?);
    walk.person.tell(
        "Now make the block much larger: wire a Pattern CHOP of 100000 samples into the Shared Mem Out CHOP instead.\n\
         Waiting for it to grow …",
    );
    let grown = walk.wait(|| {
        let larger = receiver.next_timeout(SLICE)?.is_some_and(|frame| frame.samples().len() > before);
        // It moves only where there is no room for it.
        let moved = larger && tdshm::examine(name).is_ok_and(|found| mapped(&found) > old);
        Ok(moved.then(|| receiver.frame().map(|frame| frame.samples().len()).unwrap_or_default()))
    })?;
    match grown {
        Waited::Came(samples, _) => {
            walk.report
                .ok(STEP, format!("followed to a larger segment: {samples} samples instead of {before}"));
            look::report(walk.report, STEP, name)?;
        }
        Waited::Late | Waited::Skipped => walk.report.skipped(STEP, "the block did not outgrow its segment"),
        Waited::Stopped => {}
    }
    Ok(())
}
