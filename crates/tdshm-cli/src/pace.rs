//! When the next frame is due: an absolute schedule that never drifts.

use std::time::Duration;

/// Frame n is due n / fps seconds after the start, however long the frames before it took.
///
/// Frames that a stall swallowed are not made up for: the next one is the first whose time has not passed.
#[derive(Debug)]
pub(crate) struct Pace {
    fps: f64,
    frame: u64,
}

impl Pace {
    /// A schedule of `fps` frames a second, finite and above 0, whose frame 0 is due at once.
    pub(crate) fn new(fps: f64) -> Self {
        Self { fps, frame: 0 }
    }

    /// When the next frame is due, counted from the start.
    pub(crate) fn due(&self) -> Duration {
        // Exact up to 2^53 frames.
        Duration::try_from_secs_f64(self.frame as f64 / self.fps).unwrap_or(Duration::MAX)
    }

    /// The frame that was due is done, `elapsed` after the start. Gives how many frames on the next one is: 1, or more where
    /// some were swallowed.
    pub(crate) fn advance(&mut self, elapsed: Duration) -> u64 {
        let upcoming = (elapsed.as_secs_f64() * self.fps).ceil() as u64;
        let next = self.frame.saturating_add(1).max(upcoming);
        next.saturating_sub(std::mem::replace(&mut self.frame, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_schedule_is_absolute() {
        let mut pace = Pace::new(50.0);
        assert_eq!(pace.due(), Duration::ZERO);
        for late in [3, 19, 0, 7] {
            let due = pace.due();
            pace.advance(due + MS * late);
            assert_eq!(pace.due(), due + MS * 20);
        }
    }

    #[test]
    fn an_hour_of_thirds_does_not_drift() {
        let mut pace = Pace::new(30.0);
        for _ in 0..108_000 {
            pace.advance(pace.due());
        }
        assert_eq!(pace.due(), Duration::from_secs(3600));
    }

    #[test]
    fn a_stall_is_not_made_up_by_a_burst() {
        let mut pace = Pace::new(10.0);
        assert_eq!(pace.advance(MS * 1234), 13);
        assert_eq!(pace.due(), MS * 1300);
        assert_eq!(pace.advance(MS * 1301), 1);
        assert_eq!(pace.due(), MS * 1400);
    }

    #[test]
    fn absurd_rates_neither_panic_nor_come_due() {
        let mut slow = Pace::new(f64::MIN_POSITIVE);
        slow.advance(MS);
        assert_eq!(slow.due(), Duration::MAX);
        let mut fast = Pace::new(f64::MAX);
        fast.advance(Duration::MAX);
        fast.advance(Duration::MAX);
        assert!(fast.due() < MS);
    }
}
