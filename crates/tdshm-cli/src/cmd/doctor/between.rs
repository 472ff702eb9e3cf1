//! What stands between the sender of a segment and those who receive it, step by step.
//!
//! Nothing is disturbed: everything is read beside the locks, and where only taking one tells how it stands, it is taken for
//! an instant. What a busy sender may show for a moment counts only where it stays.

mod block;
mod names;
mod objects;
mod receivers;
mod sender;
mod watch;

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use tdshm::{Error, ErrorKind, Examination, SegmentReport, ShortName, Survey};

use crate::cmd::doctor::between::objects::Found;
use crate::cmd::doctor::check;
use crate::cmd::doctor::report::Report;
use crate::cmd::names::Wanted;
use crate::stop::Stop;
use crate::{Exit, say};

/// Between two looks: what differs was one moment of a write.
const APART: Duration = Duration::from_millis(30);
const LOOKS: usize = 3;

/// Looks at each of them, all during the same time. `Some`: somebody asked to stop.
pub(super) fn check(names: &[String], limit: Duration, report: &mut Report, stop: &Stop) -> Option<Exit> {
    // Those that cannot be listed are looked for by their names all the same.
    let survey = tdshm::survey().ok();
    let names = &expanded(names, survey.as_ref(), report);
    thread::scope(|scope| {
        let watched: Vec<_> = names
            .iter()
            .map(|name| {
                let there = tdshm::glance(name).is_ok();
                there.then(|| scope.spawn(move || watch::watch(name, names.len(), limit, stop)))
            })
            .collect();
        for (name, watched) in names.iter().zip(watched) {
            report.about(Some(name));
            if let Some(short) = names::rules(report, name) {
                one(report, &short, survey.as_ref(), || watched?.join().ok());
            }
            if stop.requested().is_some() {
                break;
            }
        }
    });
    report.about(None);
    stop.requested()
}

/// What was typed, with the names of those segments in the place of a pattern that it matches.
fn expanded(typed: &[String], survey: Option<&Survey>, report: &mut Report) -> Vec<String> {
    let mut all: Vec<&str> = Vec::new();
    if let Some(Survey { segments, left_out, .. }) = survey {
        all.extend(segments.iter().map(|segment| segment.name.as_str()));
        all.extend(left_out.iter().map(|(name, _)| name.as_str()));
    }
    let mut names: Vec<String> = Vec::new();
    for text in typed {
        // What there is of just that name is meant, and what cannot be a pattern is told as a name.
        let pattern = match Wanted::read(text) {
            Ok(pattern @ Wanted::Pattern(_)) if !all.contains(&text.as_str()) => pattern,
            _ => {
                names.push(text.clone());
                continue;
            }
        };
        let found: Vec<&str> = all.iter().copied().filter(|name| pattern.means(name)).collect();
        if found.is_empty() {
            let said =
                format!("none of {} here matches the pattern {text:?}", say::count_of(all.len(), "segment"));
            report.about(Some(text));
            report.failed(
                check::OBJECTS_NONE,
                said,
                "see which there are with `tdshm list`, or start the sender",
            );
        }
        names.extend(found.into_iter().map(str::to_owned));
    }
    let mut known = BTreeSet::new();
    names.retain(|name| known.insert(name.clone()));
    names
}

/// Everything about one segment.
fn one(
    report: &mut Report,
    name: &ShortName,
    survey: Option<&Survey>,
    watched: impl FnOnce() -> Option<watch::Watched>,
) {
    let is_absent = tdshm::inspect(name.as_str()).is_err_and(|error| error.kind() == ErrorKind::Absent);
    names::near(report, name, survey, is_absent);
    let found = objects::check(report, name);
    if found == Found::Readable {
        match look(name) {
            Ok((examined, Err(error))) => {
                block::info(report, &examined);
                // Something is wrong with it that was told already, or else this is what.
                if examined.deviations.is_empty() {
                    report.failed(check::OBJECTS_KIND, error.to_string(), objects::REMOVE_IT);
                }
            }
            Ok((examined, Ok(inspected))) => {
                block::info(report, &examined);
                let watched = watched();
                sender::check(report, &examined, &inspected, watched.as_ref());
                sender::locks(report, watched.as_ref());
                block::block(report, &examined, &inspected);
                receivers::check(report, &inspected, watched.as_ref());
                return receivers::touchdesigner(report, name, Some(&inspected));
            }
            // It went away in this moment.
            Err(error) if matches!(error.kind(), ErrorKind::Absent | ErrorKind::Gone) => {
                report.failed(check::OBJECTS_NONE, error.to_string(), names::START_IT);
            }
            Err(error) => report.failed(check::OBJECTS_KIND, error.to_string(), objects::REMOVE_IT),
        }
    }
    receivers::touchdesigner(report, name, None);
}

/// What stands in it, with those deviations that stay; and what it is, where that can be told.
fn look(name: &ShortName) -> Result<(Examination, Result<SegmentReport, Error>), Error> {
    let mut found = tdshm::examine(name.as_str())?;
    for _ in 1..LOOKS {
        thread::sleep(APART);
        let mut again = tdshm::examine(name.as_str())?;
        again.deviations.retain(|deviation| found.deviations.contains(deviation));
        found = again;
    }
    Ok((found, tdshm::inspect(name.as_str())))
}
