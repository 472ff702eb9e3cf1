//! What is wrong with a segment, or nearly so.

use std::time::{Duration, Instant};

use tdshm::{Examination, HeaderVersion, LockSight, Place, SegmentReport};

use super::Segment;
use crate::output::printable;
use crate::say;

/// The longest object name that macOS takes; longer ones go through the name directory (wire §1).
const MACOS_NAME: usize = 31;
/// Pixels that an image's side may have (wire §9.3).
const LARGEST_SIDE: usize = 32_768;
/// Bytes that a channel block may have: its size is an `i32` (wire §8).
const LARGEST_BLOCK: usize = 0x7fff_ffff;
/// Receivers that a sender records (wire §11).
const ENTRIES: usize = 16;
/// From which part of a limit on something is near it.
const NEAR: f64 = 0.9;
/// Nothing new for so long is worth a word.
const STILL: Duration = Duration::from_secs(5);
/// A lock that every look for so long finds held is held too long.
const HELD: Duration = Duration::from_millis(500);

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Severity {
    /// It keeps somebody from reading, or will.
    Wrong,
    /// It is unusual, near a limit, or may become wrong.
    Unusual,
    /// It is as it may be, and good to know.
    Remark,
}

/// Something to know about a segment: one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Warning {
    pub(crate) severity: Severity,
    pub(crate) text: String,
}

impl Warning {
    fn wrong(text: impl Into<String>) -> Self {
        Self { severity: Severity::Wrong, text: text.into() }
    }

    fn unusual(text: impl Into<String>) -> Self {
        Self { severity: Severity::Unusual, text: text.into() }
    }

    fn remark(text: impl Into<String>) -> Self {
        Self { severity: Severity::Remark, text: text.into() }
    }
}

/// What there is to say of a segment after a look; `before` is what the look before found.
pub(super) fn of(segment: &Segment, before: Option<&Examination>, now: Instant) -> Vec<Warning> {
    let mut warnings = Vec::new();
    warnings.extend(segment.trouble().map(Warning::wrong));
    if let Some(report) = segment.report() {
        warnings.extend(of_owner(report));
        warnings.extend(of_layout(segment, report, before));
        warnings.extend(of_limits(report));
        warnings.extend(of_stillness(segment, report, now));
        if let Some(chop) = &report.chop
            && let Ok(contents) = &chop.layout
            && contents.names.is_none()
            && contents.num_channels > 0
        {
            warnings.push(Warning::remark("no channel names are sent: receivers use chan1, chan2, …"));
        }
        if let Some(top) = &report.top
            && let Ok(contents) = &top.layout
            && contents.shape.version == HeaderVersion::Legacy
        {
            warnings.push(Warning::unusual("the image has the header from before 2022"));
        }
    }
    warnings.extend(of_lock(segment));
    warnings.sort_by_key(|warning| warning.severity);
    warnings.dedup();
    warnings
}

fn of_owner(report: &SegmentReport) -> Option<Warning> {
    let advice = "start its sender again, or `tdshm clean`";
    let notices = report.notices.as_ref();
    let owner = notices.and_then(|notices| notices.owner_pid.map(|pid| (pid, printable(&notices.program))));
    match (report.detached, owner) {
        (Some(true), Some((pid, program))) => Some(Warning::wrong(format!(
            "its sender, process {pid} ({program}), has died, and its receivers are told"
        ))),
        (Some(true), None) => Some(Warning::remark("its sender has left")),
        (_, owner) if notices.is_some_and(|notices| !notices.owner_alive) => Some(match owner {
            Some((pid, program)) => Warning::wrong(format!(
                "stale: its sender, process {pid} ({program}), has died; what it left stays as it is: {advice}"
            )),
            None => {
                Warning::wrong(format!("stale: its sender has gone; what it left stays as it is: {advice}"))
            }
        }),
        _ => None,
    }
}

/// Where it departs from the protocol. What one look found and the next did not was one moment of a write.
fn of_layout(segment: &Segment, report: &SegmentReport, before: Option<&Examination>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let Some(found) = segment.examination() else { return warnings };
    let stays =
        |text: &str| before.is_some_and(|before| before.deviations.iter().any(|other| other.text == text));
    for deviation in found.deviations.iter().filter(|deviation| stays(&deviation.text)) {
        warnings.push(match deviation.is_breach {
            true => Warning::wrong(deviation.text.clone()),
            false => Warning::unusual(deviation.text.clone()),
        });
    }
    if !found.is_ours && report.detached == Some(false) {
        warnings.push(Warning::remark(
            "foreign: another program's sender, which counts no frames and cannot say whether it lives",
        ));
    }
    warnings
}

fn of_limits(report: &SegmentReport) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let name = report.name.data_segment();
    if name.len() > MACOS_NAME {
        warnings.push(Warning::remark(format!(
            "the name is long for macOS: {} bytes with its prefix, where {MACOS_NAME} fit an object; others there find it \
             through the name directory alone",
            name.len()
        )));
    }
    if let Some(Ok(contents)) = report.top.as_ref().map(|top| &top.layout) {
        for (side, pixels) in [("width", contents.shape.width), ("height", contents.shape.height)] {
            if is_near(pixels, LARGEST_SIDE) {
                warnings.push(Warning::unusual(format!(
                    "the {side} is {pixels}: at most {LARGEST_SIDE} pixels fit an image"
                )));
            }
        }
    }
    if report.chop.is_some() && report.mapped_bytes.is_some_and(|bytes| is_near(bytes, LARGEST_BLOCK)) {
        let bytes = report.mapped_bytes.unwrap_or(0);
        warnings.push(Warning::unusual(format!(
            "the segment has {bytes} bytes: a block of channels has at most {LARGEST_BLOCK}"
        )));
    }
    if report.notices.as_ref().is_some_and(|notices| notices.receivers.len() >= ENTRIES) {
        warnings.push(Warning::unusual(format!(
            "all {ENTRIES} places for receivers are taken: further ones are served as foreign ones are"
        )));
    }
    warnings
}

fn of_stillness(segment: &Segment, report: &SegmentReport, now: Instant) -> Option<Warning> {
    match &report.notices {
        Some(notices) if notices.owner_alive && notices.frames == 0 => {
            Some(Warning::remark("its sender has not sent a frame yet"))
        }
        Some(notices) if notices.owner_alive => {
            let age = notices.age.filter(|age| *age >= STILL)?;
            // One that was sent once and stays, such as an image, is as it may be.
            Some(match notices.frames {
                1 => Warning::remark(format!("still: one frame, {} ago, and no other since", seconds(age))),
                frames => Warning::unusual(format!(
                    "still: no new frame for {}, after {frames} of them: its sender lives, but waits, hangs, or was stopped",
                    seconds(age)
                )),
            })
        }
        Some(_) => None,
        None => {
            let since = now.saturating_duration_since(segment.content()?.taken_at()?);
            (since >= STILL).then(|| {
                Warning::unusual(format!(
                    "nothing has changed for {}: its sender is still, or has died, which nobody can tell of a foreign one",
                    seconds(since)
                ))
            })
        }
    }
}

fn of_lock(segment: &Segment) -> Option<Warning> {
    let lock = segment.lock();
    if let Some(trouble) = lock.trouble() {
        return Some(Warning::wrong(trouble));
    }
    let by = |holder: Option<u32>| holder.map_or_else(String::new, |pid| format!(" by process {pid}"));
    match lock.seen()? {
        LockSight::Abandoned => {
            Some(Warning::unusual("the lock's holder has died with it: the next one who takes it is told"))
        }
        LockSight::Held(holder) => {
            let held = lock.held_for().filter(|held| *held >= HELD)?;
            Some(Warning::wrong(format!(
                "the lock has been found held{} for {}: TouchDesigner waits up to 5 s for it in each frame",
                by(holder),
                seconds(held)
            )))
        }
        _ => None,
    }
}

/// What there is to say of the place that all objects are in.
pub(super) fn of_place(place: &Place) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = place.troubles.iter().map(Warning::wrong).collect();
    if let (Some(free), Some(total)) = (place.free_bytes, place.total_bytes)
        && is_near_bytes(total.saturating_sub(free), total)
    {
        warnings.push(Warning::unusual(format!(
            "{} has {} MiB left of {}: a sender that needs more cannot grow",
            place.what,
            free >> 20,
            total >> 20
        )));
    }
    warnings
}

fn is_near(value: usize, limit: usize) -> bool {
    value as f64 >= limit as f64 * NEAR
}

fn is_near_bytes(value: u64, limit: u64) -> bool {
    limit > 0 && value as f64 >= limit as f64 * NEAR
}

/// `12 s`, without the digits that change all the time.
fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        say::count(time.as_secs(), "second")
    }
}
