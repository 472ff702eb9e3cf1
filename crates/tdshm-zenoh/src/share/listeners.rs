//! What those who listen say of a stream: zenoh tells nobody that it dropped a message.

use std::time::{Duration, Instant};

use crate::encoding::Report;

/// Listeners whose reports are kept.
const MOST: usize = 64;
/// How long a report counts. They come each second.
const COUNTS: Duration = Duration::from_secs(5);

/// Their last reports.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    reports: Vec<(Report, Instant)>,
    /// What the worst of those lost who have gone.
    before: Option<u64>,
}

impl Listeners {
    pub(super) fn note(&mut self, report: Report, now: Instant) {
        self.reports
            .retain(|(of, at)| of.listener != report.listener && now.saturating_duration_since(*at) < COUNTS);
        if self.reports.len() < MOST {
            self.reports.push((report, now));
        }
        self.before = self.reports.iter().map(|(report, _)| report.lost).max();
    }

    /// How many there are, and how many frames never came to that one of them which lost most; where there is none any more, to
    /// those who were there last.
    pub(super) fn lost(&self, now: Instant) -> (usize, Option<u64>) {
        let fresh = |at: Instant| now.saturating_duration_since(at) < COUNTS;
        let lost = || self.reports.iter().filter(|(_, at)| fresh(*at)).map(|(report, _)| report.lost);
        (lost().count(), lost().max().or(self.before))
    }
}

/// Whether most frames do not get through.
#[derive(Debug, Default)]
pub(super) struct Through {
    since: Option<(Instant, u64, u64)>,
    /// Nobody has said anything for a while, or somebody has begun to: what was lost meanwhile says nothing of the speed.
    interrupted: bool,
    /// That they do not has been said.
    said: bool,
}

impl Through {
    /// Notes how many frames went out so far, and how many of them were lost. Gives what there is to say: of so many frames so many
    /// did not get through, although who listens was there all the time.
    pub(super) fn note(&mut self, now: Instant, listeners: usize, out: u64, lost: u64) -> Option<(u64, u64)> {
        if listeners == 0 {
            (self.since, self.interrupted) = (None, true);
            return None;
        }
        let (began, out_then, lost_then) = *self.since.get_or_insert((now, out, lost));
        if now.saturating_duration_since(began) < COUNTS {
            return None;
        }
        self.since = Some((now, out, lost));
        let (out, lost) = (out.saturating_sub(out_then), lost.saturating_sub(lost_then));
        let was_interrupted = std::mem::take(&mut self.interrupted);
        let bad = !was_interrupted && lost >= 3 && lost.saturating_mul(2) >= out;
        let first = bad && !self.said;
        self.said = bad;
        first.then_some((out.max(lost), lost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(listener: u64, lost: u64) -> Report {
        Report { listener, lost, ..Report::default() }
    }

    #[test]
    fn the_worst_listener_counts_as_long_as_it_listens() {
        let begin = Instant::now();
        let mut listeners = Listeners::default();
        assert_eq!(listeners.lost(begin), (0, None));
        listeners.note(report(1, 5), begin);
        listeners.note(report(2, 3), begin + COUNTS / 2);
        listeners.note(report(1, 6), begin + COUNTS / 2);
        assert_eq!(listeners.lost(begin + COUNTS), (2, Some(6)));
        listeners.note(report(2, 4), begin + COUNTS);
        assert_eq!(listeners.lost(begin + COUNTS + COUNTS / 2), (1, Some(4)));
        assert_eq!(listeners.lost(begin + COUNTS * 3), (0, Some(6)), "what is lost stays lost");
        (0..1000).for_each(|listener| listeners.note(report(listener, 0), begin + COUNTS));
        assert_eq!(listeners.reports.len(), MOST);
    }

    #[test]
    fn that_most_frames_are_lost_is_said_once() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut through = Through::default();
        assert_eq!((through.note(at(0), 1, 100, 50), through.note(at(2), 1, 200, 150)), (None, None));
        assert_eq!(through.note(at(5), 1, 400, 250), Some((300, 200)));
        assert_eq!(through.note(at(10), 1, 500, 350), None, "still so");
        assert_eq!(through.note(at(15), 1, 600, 380), None, "most come again");
        assert_eq!(through.note(at(20), 1, 605, 383), Some((5, 3)));
        assert_eq!(through.note(at(25), 1, 607, 385), None, "two are nothing to speak of");
        // A cable was cut: what was lost meanwhile is told by whoever listens when it is back.
        assert_eq!(through.note(at(31), 0, 1000, 385), None);
        assert_eq!((through.note(at(40), 1, 1500, 385), through.note(at(41), 1, 1560, 1200)), (None, None));
        assert_eq!(through.note(at(45), 1, 1800, 1200), None);
        assert_eq!(through.note(at(50), 1, 2000, 1350), Some((200, 150)), "and now it is slow");
    }
}
