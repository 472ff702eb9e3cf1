//! Who receives, and what TouchDesigner wants.

use tdshm::{ReceiverReport, SegmentReport, ShortName};

use crate::cmd::doctor::between::watch::Watched;
use crate::cmd::doctor::check;
use crate::cmd::doctor::report::Report;
use crate::say;

/// Receivers that are recorded at most (wire §11).
const ENTRIES: usize = 16;

/// Those that have registered themselves.
pub(super) fn check(report: &mut Report, inspected: &SegmentReport, watched: Option<&Watched>) {
    let last = watched.and_then(|watched| watched.last.as_ref()).unwrap_or(inspected);
    let first = watched.and_then(|watched| watched.first.as_ref()?.notices.as_ref());
    if let Some(notices) = &last.notices {
        for receiver in &notices.receivers {
            let before =
                first.and_then(|first| first.receivers.iter().find(|other| other.pid == receiver.pid));
            let sent = first.map_or(0, |first| notices.frames.saturating_sub(first.frames));
            one(report, receiver, before, sent);
        }
        if notices.receivers.is_empty() && last.supported != Some(true) {
            report.seen(
                check::RECEIVERS_NONE,
                "no receiver has registered itself (observers and receivers of other programs do not)",
            );
        }
        if notices.receivers.len() >= ENTRIES {
            report.warning(
                check::RECEIVERS_FULL,
                format!("all {ENTRIES} entries for receivers are taken: further ones are not seen here"),
                "end receivers that nobody needs; further ones work, and wait by looking again and again",
            );
        }
    }
    if last.supported == Some(true) {
        report.ok(
            check::RECEIVERS_FOREIGN,
            "a receiver of another program has attached, as TouchDesigner's do, or more of ours than are recorded",
        );
    }
}

fn one(report: &mut Report, receiver: &ReceiverReport, before: Option<&ReceiverReport>, sent: u64) {
    let pid = receiver.pid;
    let stood = before.is_some_and(|before| before.frame == receiver.frame);
    match receiver.frame {
        _ if !receiver.alive => {
            report.seen(
                check::RECEIVERS_DEAD,
                format!("process {pid} received, and has died; its entry is free"),
            );
        }
        _ if stood && sent > 1 => {
            let sent = say::count(sent, "frame");
            report.warning(
                check::RECEIVERS_BEHIND,
                format!("process {pid} took nothing while {sent} came, and is {} behind", receiver.behind),
                "continue that receiver if it is stopped, or let it look for frames: the sender does not wait for it",
            );
        }
        None => {
            report.seen(check::RECEIVERS_ENTRY, format!("process {pid} receives, and has read nothing yet"))
        }
        Some(_) if receiver.behind == 0 => {
            report.ok(check::RECEIVERS_ENTRY, format!("process {pid} receives, and has the newest frame"));
        }
        Some(_) => report.ok(
            check::RECEIVERS_ENTRY,
            format!("process {pid} receives, and is {} behind", say::count(receiver.behind, "frame")),
        ),
    }
}

/// What only TouchDesigner shows, as long as nothing shows that it is as it should be.
pub(super) fn touchdesigner(report: &mut Report, name: &ShortName, segment: Option<&SegmentReport>) {
    if segment.is_some_and(|segment| segment.supported == Some(true)) {
        return; // a node has found it: type, licence and name are right
    }
    report.unknown(
        check::TD_TYPE,
        "whether Shared Mem Type is Local",
        "set it to Local on both operators: Global is for TouchDesigner's processes among themselves",
    );
    report.unknown(
        check::TD_NAME,
        format!("whether Shared Mem Name is {:?}", name.as_str()),
        "copy it from here: case, blanks and all",
    );
    report.unknown(
        check::TD_COOKS,
        "whether the operator cooks",
        "set Active On (an In TOP has none), open its viewer or wire a Null behind it, and look for an error on it",
    );
    report.unknown(
        check::TD_LICENCE,
        "whether this edition has the operators",
        "Educational, Commercial and Pro have them, Non-Commercial has not: there a Script CHOP, OSC or a file is the way: docs/which-way.md",
    );
}
