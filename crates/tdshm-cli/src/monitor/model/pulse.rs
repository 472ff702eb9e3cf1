//! How many frames a second there are.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How far back the rate looks.
const OVER: Duration = Duration::from_secs(3);
/// What has been looked at for less than this has no rate yet.
const LEAST: Duration = Duration::from_millis(400);

/// Counts of frames, and when they were read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulse {
    counts: VecDeque<(Instant, u64)>,
}

impl Pulse {
    /// So many had been written at that time.
    pub(super) fn counted(&mut self, now: Instant, frames: u64) {
        // Another sender counts anew.
        if self.counts.back().is_some_and(|(_, before)| *before > frames) {
            self.counts.clear();
        }
        self.counts.push_back((now, frames));
        while self.counts.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > OVER)
            && self.counts.len() > 2
        {
            self.counts.pop_front();
        }
    }

    /// Frames a second; `None`: not known yet.
    pub(crate) fn rate(&self) -> Option<f64> {
        let ((begin, first), (end, last)) = self.counts.front().zip(self.counts.back())?;
        let over = end.saturating_duration_since(*begin);
        (over >= LEAST).then(|| last.saturating_sub(*first) as f64 / over.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let mut pulse = Pulse::default();
        assert_eq!(pulse.rate(), None);
        for step in 0..20 {
            pulse.counted(at(step * 250), 100 + step * 15);
        }
        assert_eq!(pulse.rate(), Some(60.0));
        // It stands still, and after some seconds that is all there is.
        for step in 20..40 {
            pulse.counted(at(step * 250), 100 + 19 * 15);
        }
        assert_eq!(pulse.rate(), Some(0.0));
        // Another sender begins.
        pulse.counted(at(10_000), 1);
        assert_eq!(pulse.rate(), None);
        pulse.counted(at(10_500), 31);
        assert_eq!(pulse.rate(), Some(60.0));
    }
}
