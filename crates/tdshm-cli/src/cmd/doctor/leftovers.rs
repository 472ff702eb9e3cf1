//! What the dead left, locks that are stuck, and what other programs' senders do wrong.

use std::time::Duration;

use tdshm::{DryRun, ErrorKind, Fate, LockState, SweptKind};

use crate::cmd::doctor::check::{self, Check};
use crate::cmd::doctor::report::Report;
use crate::say;

/// How long each lock is waited for: whoever holds one longer stalls everybody.
const LOCK_LIMIT: Duration = Duration::from_millis(500);

/// Looks at everything that is there.
pub(super) fn check(report: &mut Report) {
    leftovers(report);
    match tdshm::survey() {
        Ok(survey) => {
            if survey.segments.is_empty() {
                report.seen(check::SEGMENTS_NONE, "no segments here");
            }
            for segment in &survey.segments {
                segment_of(report, segment.name.as_str());
            }
            for (name, why) in &survey.left_out {
                report.seen(check::SEGMENTS_REFUSED, format!("{:?} is out of reach: {why}", name.as_str()));
            }
        }
        Err(error) => report.failed(check::SEGMENTS_NONE, error.to_string(), None),
    }
}

fn leftovers(report: &mut Report) {
    let swept = match tdshm::clean(&[], DryRun::Yes) {
        Ok(swept) => swept,
        Err(error) => return report.failed(check::LEFT_DEAD, error.to_string(), None),
    };
    let count = |wanted: fn(&Fate, SweptKind) -> bool| {
        let objects = swept.iter().filter(|swept| wanted(&swept.fate, swept.kind)).count();
        (objects, say::count_of(objects, "object"))
    };
    let (dead, objects) = count(|fate, kind| *fate == Fate::Removed && kind != SweptKind::Lock);
    if dead > 0 {
        report.warning(
            check::LEFT_DEAD,
            format!("{objects} of senders that died"),
            "remove them with `tdshm clean`",
        );
    }
    let (held, objects) = count(|fate, _| *fate == Fate::HeldOpen);
    if held > 0 {
        let said = format!("{objects} of senders that died, which receivers still have open");
        report.warning(check::LEFT_HELD, said, "end those receivers, or let `tdshm clean` tell them");
    }
    let (locks, _) = count(|fate, kind| *fate == Fate::Removed && kind == SweptKind::Lock);
    if locks > 0 {
        let locks = say::count_of(locks, "lock");
        report.seen(
            check::LEFT_LOCKS,
            format!("{locks} that nobody has open, in nobody's way: `tdshm clean` removes them"),
        );
    }
    let (others, objects) = count(|fate, _| matches!(fate, Fate::OutOfReach { .. }));
    if others > 0 {
        report.seen(check::LEFT_OTHERS, format!("{objects} of other users, out of reach"));
    }
    if dead == 0 && held == 0 {
        report.ok(check::LEFT_DEAD, "nothing of the dead is in the way");
    }
}

/// Whether the locks of a segment can be had, and whether what stands in it follows the protocol.
fn segment_of(report: &mut Report, name: &str) {
    let mut fine = locks(report, check::SEGMENTS_LOCK, name);
    match tdshm::examine(name) {
        Ok(found) => {
            for deviation in &found.deviations {
                fine = false;
                let said = format!("{name:?}: {}", deviation.text);
                report.warning(
                    check::SEGMENTS_DEVIATES,
                    said,
                    "whoever wrote the program that sends it can mend that",
                );
            }
        }
        // It went away in this moment.
        Err(error) if matches!(error.kind(), ErrorKind::Absent | ErrorKind::Gone) => return,
        Err(error) => return report.warning(check::SEGMENTS_REFUSED, format!("{name:?}: {error}"), None),
    }
    if fine {
        report.ok(
            check::SEGMENTS_FINE,
            format!("{name:?}: both locks can be had, every field is as the protocol has it"),
        );
    }
}

/// Takes both locks once. `false`: something is wrong with one.
pub(super) fn locks(report: &mut Report, step: Check, name: &str) -> bool {
    let tried = match tdshm::try_locks(name, LOCK_LIMIT) {
        Ok(tried) => tried,
        Err(error) => {
            report.warning(step, error.to_string(), None);
            return false;
        }
    };
    let mut fine = true;
    for lock in tried {
        match lock.state {
            None | Some(Ok(LockState::Free)) => continue,
            Some(Ok(_)) => {
                let said = format!("{}: its last holder died with it; it can be had again", lock.object);
                report.warning(
                    step,
                    said,
                    "what lies in the segment may be half written until the next frame",
                );
            }
            Some(Err(error)) if error.kind() == ErrorKind::Refused => {
                report.warning(step, error.to_string(), None);
            }
            Some(Err(error)) => report.failed(
                step,
                error.to_string(),
                "end the program that holds it; TouchDesigner waits 5 s a frame for such a lock",
            ),
        }
        fine = false;
    }
    fine
}
