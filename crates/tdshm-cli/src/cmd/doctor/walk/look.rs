//! Looking at a segment of another program, field by field, and at its lock.

use std::thread;
use std::time::{Duration, Instant};

use tdshm::{Error, ErrorKind, Examination, NamedLock, SegmentReceiver, ShortName};

use crate::cmd::LOCK_LIMIT;
use crate::cmd::doctor::check::Check;
use crate::cmd::doctor::report::Report;
use crate::cmd::doctor::walk::{LONG_FOR_A_LOCK, milliseconds};

/// Between two looks: what differs was one moment of a write.
const APART: Duration = Duration::from_millis(30);
const LOOKS: usize = 3;
/// How long a lock is watched.
const WATCHED: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_micros(50);
/// How long it is held: some frames of the other side, and far from the 5 s after which that gives up.
const HELD: Duration = Duration::from_millis(250);
/// Bytes of the block that are compared.
const COMPARED: usize = 1 << 20;

pub(super) const CHANNELS: &str = "a channel block";
pub(super) const IMAGE: &str = "an image block";

/// Whether a segment is there that holds that, and whose sender has not left.
pub(super) fn holds(name: &str, what: &str) -> Result<Option<Examination>, Error> {
    match tdshm::examine(name) {
        Ok(found) => {
            let there = !found.detached && found.objects.iter().any(|object| object.holds == what);
            Ok(there.then_some(found))
        }
        Err(error) if matches!(error.kind(), ErrorKind::Absent | ErrorKind::Gone | ErrorKind::Retry) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Reports every field, and every deviation that stays.
pub(super) fn report(report: &mut Report, step: Check, name: &str) -> Result<(), Error> {
    let mut found = tdshm::examine(name)?;
    for _ in 1..LOOKS {
        thread::sleep(APART);
        let again = tdshm::examine(name)?;
        found.deviations.retain(|deviation| again.deviations.contains(deviation));
    }
    if found.is_ours {
        report.warning(
            step,
            "its sender is one of this library",
            "then this says nothing about TouchDesigner: let TouchDesigner have the name",
        );
    }
    for object in &found.objects {
        let fields: Vec<String> = object
            .fields
            .iter()
            .map(|field| format!("{} {} (at {})", field.name, field.value, field.offset))
            .collect();
        report.seen(
            step,
            format!(
                "{}, {} bytes, {}: {}",
                object.object,
                object.mapped_bytes,
                object.holds,
                fields.join(", ")
            ),
        );
    }
    for deviation in &found.deviations {
        if deviation.is_breach {
            report.failed(
                step,
                deviation.text.as_str(),
                "this is not what the protocol's description says: report it",
            );
        } else {
            report.warning(step, deviation.text.as_str(), "allowed, and not what was seen before: report it");
        }
    }
    if found.deviations.is_empty() {
        report.ok(step, "every field is as the protocol's description has it");
    }
    Ok(())
}

/// Watches the data lock for a second, and reports the longest that somebody else had it.
pub(super) fn lock(report: &mut Report, step: Check, name: &str) -> Result<(), Error> {
    let lock = NamedLock::open(&ShortName::new(name)?.data_lock())?;
    let begin = Instant::now();
    let (mut longest, mut held_since, mut times) = (Duration::ZERO, None, 0_u64);
    let mut died = false;
    while begin.elapsed() < WATCHED || held_since.is_some() {
        let acquired = lock.try_lock()?;
        match (&acquired, held_since) {
            (None, None) => {
                held_since = Some(Instant::now());
                times = times.saturating_add(1);
            }
            (None, Some(since)) if since.elapsed() > WATCHED => {
                longest = since.elapsed();
                break;
            }
            (None, Some(_)) => {}
            (Some(acquired), since) => {
                died |= acquired.is_abandoned();
                longest = longest.max(since.map_or(Duration::ZERO, |since: Instant| since.elapsed()));
                held_since = None;
            }
        }
        drop(acquired);
        thread::sleep(LOOK_EVERY);
    }
    let said = format!(
        "the data lock was found taken {times} times in a second, for at most {:.1} ms",
        milliseconds(longest)
    );
    if longest > LONG_FOR_A_LOCK {
        report.warning(step, said, "whoever holds it that long stalls everybody else");
    } else {
        report.ok(step, said);
    }
    if died {
        report.warning(step, "somebody died while it held the data lock", None);
    }
    Ok(())
}

/// Holds the data lock for a moment, in which a block that moves must stand still: then whoever writes it takes the same
/// lock.
pub(super) fn same_lock(report: &mut Report, step: Check, name: &str, moves: bool) -> Result<(), Error> {
    let mut segment = SegmentReceiver::builder(name).lock_limit(LOCK_LIMIT).open()?;
    let Some(held) = segment.lock()? else { return Ok(()) };
    let view = held.view();
    let mut first = vec![0; view.len().min(COMPARED)];
    let mut last = first.clone();
    view.copy_to(&mut first);
    thread::sleep(HELD);
    view.copy_to(&mut last);
    drop(held);
    let time = HELD.as_millis();
    if first != last {
        report.failed(
            step,
            format!("frames arrived while this program held the data lock, for {time} ms"),
            "the two do not take the same lock, so frames may be torn: report it, with the platform",
        );
    } else if moves {
        let said = format!("nothing arrived while this program held the data lock, for {time} ms");
        report.ok(step, format!("{said}: both take the same one"));
    } else {
        report.skipped(step, "nothing moves, so whether both take the same lock cannot be seen");
    }
    Ok(())
}
