//! The sender: whether it lives, whether it sends, how often, and how its locks stand.

use std::time::Duration;

use tdshm::{
    BlockKind, Deviation, DeviationKind, Error, Examination, LockError, NoticeReport, SegmentReport,
};

use crate::cmd::doctor::between::watch::{Lock, Watched};
use crate::cmd::doctor::check::{self, Check};
use crate::cmd::doctor::report::{Report, Verdict};
use crate::output::{number, printable};
use crate::say;

/// A sender that is silent for so long stands still.
const SILENT: Duration = Duration::from_millis(1500);
/// Whoever has a lock for so long stalls everybody.
const HELD: Duration = Duration::from_millis(250);
/// What it takes to say that somebody had a lock all the time.
const LOOKS: u64 = 20;
/// What it takes to say that a write does not end.
const GLANCES: u64 = 5;

const AGAIN: &str = "start the sender again, or remove what it left with `tdshm clean`";
const GO_ON: &str = "continue the sender if it is stopped (in a debugger, or in the background), or end it and start it again";
const LET_GO: &str = "end the program that holds it, or let it go on; TouchDesigner waits 5 s a frame for such a lock. In your own program: compute \
     first, lock, copy, unlock, on every path";

/// Its life and its frames.
pub(super) fn check(
    report: &mut Report,
    examined: &Examination,
    inspected: &SegmentReport,
    watched: Option<&Watched>,
) {
    let last = watched.and_then(|watched| watched.last.as_ref()).unwrap_or(inspected);
    alive(report, last);
    let Some(watched) = watched else { return };
    growth(report, examined, watched);
    match (&last.notices, last.detached) {
        (_, Some(true)) => {}
        (Some(notices), _) if half(report, notices, watched) => {}
        (Some(notices), _) if notices.owner_alive => counted(report, last, notices, watched),
        // Of the dead nothing comes.
        (Some(_), _) => {}
        (None, _) => uncounted(report, watched),
    }
}

fn alive(report: &mut Report, segment: &SegmentReport) {
    let left = segment.detached == Some(true);
    match &segment.notices {
        Some(NoticeReport { owner_pid: Some(pid), owner_alive, program, .. }) => {
            let who = format!("process {pid} ({})", printable(program));
            match *owner_alive {
                true => report.ok(check::SENDER_ALIVE, format!("{who} sends it, and lives")),
                false => report.failed(check::SENDER_ALIVE, format!("{who} sent it, and has died"), AGAIN),
            }
        }
        // That it left stands in the info block.
        _ if left => {}
        Some(_) => report.failed(check::SENDER_ALIVE, "its sender has gone", AGAIN),
        None => report.unknown(
            check::SENDER_ALIVE,
            "another program sends it, and nobody can tell whether that lives",
            "look whether it runs; if it is gone for good, `tdshm send NAME --take-over` replaces it",
        ),
    }
}

fn growth(report: &mut Report, examined: &Examination, watched: &Watched) {
    let postfix = examined.field("postfix").map(|postfix| postfix.trim_matches('"')).unwrap_or_default();
    let is_ours = examined.is_ours;
    let unreadable =
        |deviation: &Deviation| matches!(deviation.kind, DeviationKind::Postfix | DeviationKind::InfoWidth);
    if examined.deviations.iter().any(unreadable) {
        return; // nobody can know
    }
    if !watched.moves.is_empty() {
        let times = say::count_of(watched.moves.len(), "time");
        let last = watched.moves.last().map(|object| printable(object)).unwrap_or_default();
        report.ok(
            check::SENDER_GROWTH,
            format!("it moved {times} while it was watched, and this followed; its data are in {last}"),
        );
    } else if !postfix.is_empty() && postfix != "null" {
        let said =
            "it has outgrown its first segment: receivers have to follow the postfix in the info block";
        report.seen(check::SENDER_GROWTH, said);
    } else if is_ours {
        report.seen(check::SENDER_GROWTH, "it is where it began: its block has not outgrown its room");
    }
}

/// Whether one frame was being written all the time.
fn half(report: &mut Report, notices: &NoticeReport, watched: &Watched) -> bool {
    let is_half = watched.half_to_the_end >= GLANCES.max(watched.glances);
    if is_half {
        let said = format!(
            "frame {} was being written all the {:.1} s that this watched",
            notices.frames.saturating_add(1),
            watched.time.as_secs_f64()
        );
        report.failed(check::SENDER_HALF, said, GO_ON);
    }
    is_half
}

/// Frames of a sender that counts them.
fn counted(report: &mut Report, segment: &SegmentReport, notices: &NoticeReport, watched: &Watched) {
    let before =
        watched.first.as_ref().and_then(|first| first.notices.as_ref()).map(|notices| notices.frames);
    let sent = notices.frames.saturating_sub(before.unwrap_or(notices.frames));
    let seconds = watched.time.as_secs_f64();
    let age = notices.age.unwrap_or_default();
    if notices.frames == 0 {
        return report.warning(
            check::SENDER_FRAMES,
            "it has not sent anything yet",
            "let it send: receivers wait for the first frame",
        );
    }
    if sent == 0 {
        let said = format!(
            "nothing came in the {seconds:.1} s that this watched: {}, the last one {} ms ago",
            say::count(notices.frames, "frame"),
            age.as_millis()
        );
        match segment.kind {
            _ if age < SILENT => report.seen(check::SENDER_FRAMES, said),
            BlockKind::Top => report.seen(
                check::SENDER_FRAMES,
                format!("{said}. (An image that is sent once stays; one that should move does not)"),
            ),
            _ => report.warning(check::SENDER_FRAMES, said, GO_ON),
        }
        return;
    }
    report.ok(
        check::SENDER_FRAMES,
        format!("{} in {seconds:.1} s, the last one {} ms ago", say::count(sent, "frame"), age.as_millis()),
    );
    rate(report, segment, sent as f64 / seconds);
}

/// How often frames come, beside what the block says of its samples.
fn rate(report: &mut Report, segment: &SegmentReport, a_second: f64) {
    let contents = segment.chop.as_ref().and_then(|chop| chop.layout.as_ref().ok());
    let Some(contents) = contents else {
        return report.seen(check::SENDER_RATE, format!("{a_second:.1} images a second"));
    };
    let samples = a_second * contents.len_samples as f64;
    let said = format!(
        "{a_second:.1} frames a second of {}: {samples:.1} samples a second and channel, and the block says {} Hz",
        say::count_of(contents.len_samples, "sample"),
        number(contents.sample_rate)
    );
    let ratio = samples / f64::from(contents.sample_rate);
    if (0.8..1.25).contains(&ratio) {
        report.ok(check::SENDER_RATE, said);
    } else {
        report.seen(
            check::SENDER_RATE,
            format!("{said}. (Right where frames are not slices of one stream; otherwise it plays at the wrong speed)"),
        );
    }
}

/// Values of a sender that counts nothing.
fn uncounted(report: &mut Report, watched: &Watched) {
    let seconds = watched.time.as_secs_f64();
    match watched.changes {
        0 => report.unknown(
            check::SENDER_FRAMES,
            format!("nothing changed in the {seconds:.1} s that this watched: either nothing was sent, or always the same"),
            "look whether what goes in moves: another program's frames are not counted",
        ),
        changes => report.ok(
            check::SENDER_FRAMES,
            format!("new values at {changes} of {} looks in {seconds:.1} s", watched.glances),
        ),
    }
}

/// Both locks.
pub(super) fn locks(report: &mut Report, watched: Option<&Watched>) {
    let Some(watched) = watched else { return };
    let segment = watched.last.as_ref().or(watched.first.as_ref());
    let owner = segment.and_then(|segment| segment.notices.as_ref()?.owner_pid);
    for (check, lock) in [(check::LOCK_DATA, &watched.data), (check::LOCK_INFO, &watched.info)] {
        one_lock(report, check, lock, watched.time);
    }
    let data = &watched.data;
    let others = data.holders.iter().filter(|(holder, _)| owner.is_some_and(|owner| owner != **holder));
    let greedy =
        others.max_by_key(|(_, times)| **times).filter(|(_, times)| times.saturating_mul(2) > data.looks);
    // Whoever holds it without a break is told above.
    if let Some((holder, times)) = greedy.filter(|_| data.looks >= LOOKS && data.longest < HELD) {
        let percent = times.saturating_mul(100).checked_div(data.looks).unwrap_or(0);
        report.warning(
            check::LOCK_GREEDY,
            format!("process {holder}, which does not send, had the data lock at {percent} of 100 looks"),
            "let it look as often as frames come, or receive with this library, which copies without the lock",
        );
    }
}

fn one_lock(report: &mut Report, check: Check, lock: &Lock, time: Duration) {
    if let Some(error) = &lock.error {
        // Locks of other users are told with the objects.
        let advice = match error {
            Error::Lock(
                LockError::Unrecoverable { .. }
                | LockError::Stuck { .. }
                | LockError::NotALock { field: "mutex word", .. },
            ) => "end all programs that use it, remove it with `tdshm clean`, and start them again",
            _ => "let both sides use one build of tdshm, then remove the lock with `tdshm clean`",
        };
        return report.failed(check::LOCK_USABLE, error.to_string(), advice);
    }
    if lock.is_abandoned {
        report.warning(
            check::LOCK_ABANDONED,
            format!("{}: its last holder died with it; the next one gets it and is told", lock.object),
            "what lies in the segment may be half written until the next frame; find out which program dies",
        );
    }
    if lock.looks == 0 {
        return;
    }
    let who = lock.holder.map(|pid| format!(" by process {pid}")).unwrap_or_default();
    let longest = lock.longest.as_millis();
    if lock.held_throughout() && lock.looks >= LOOKS.min(time_in_takes(time)) {
        let said = format!(
            "{} was held{who} for all of the {:.1} s that this watched",
            lock.object,
            time.as_secs_f64()
        );
        report.failed(check, said, LET_GO);
    } else if lock.current >= HELD {
        let said = format!("{} has been held{who} for {} ms", lock.object, lock.current.as_millis());
        report.failed(check, said, LET_GO);
    } else if lock.longest >= HELD {
        let said = format!("{} was held{who} for {longest} ms at a time", lock.object);
        report.tell(check, Verdict::Warning, said, Some(LET_GO.to_owned()));
    } else if !lock.is_abandoned {
        let said = match lock.held {
            0 => format!("{} was free at each of {} looks", lock.object, lock.looks),
            held => format!(
                "{} was held at {held} of {} looks, never for longer than {} ms",
                lock.object,
                lock.looks,
                longest.max(1)
            ),
        };
        report.ok(check, said);
    }
}

/// How often a lock can have been taken to see whether it is free.
fn time_in_takes(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / 40).unwrap_or(u64::MAX).max(2)
}
