//! How much later than due frames were sent.

use std::time::Duration;

use serde::Serialize;

/// Times that are kept, the last ones.
const MOST: usize = 1 << 16;

/// The times of the last frames.
#[derive(Debug, Default)]
pub(super) struct Late {
    times: Vec<Duration>,
    next: usize,
}

/// In milliseconds.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Percentiles {
    p50: f64,
    p99: f64,
    max: f64,
}

impl Late {
    pub(super) fn note(&mut self, late: Duration) {
        match self.times.get_mut(self.next) {
            Some(time) => *time = late,
            None => self.times.push(late),
        }
        self.next = self.next.saturating_add(1).checked_rem(MOST).unwrap_or(0);
    }

    /// Of all that are kept; `None`: there are none.
    pub(super) fn percentiles(mut self) -> Option<Percentiles> {
        self.times.sort_unstable();
        let last = self.times.len().checked_sub(1)?;
        let at = |hundredths: usize| {
            let index = last.saturating_mul(hundredths).div_ceil(100);
            self.times.get(index).map(|time| time.as_secs_f64() * 1e3)
        };
        Some(Percentiles { p50: at(50)?, p99: at(99)?, max: at(100)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_times_count() {
        assert_eq!(Late::default().percentiles(), None);
        let mut late = Late::default();
        for _ in 0..MOST {
            late.note(Duration::from_secs(9));
        }
        for millis in 0..MOST {
            late.note(Duration::from_millis(millis as u64 % 100));
        }
        assert_eq!(late.percentiles(), Some(Percentiles { p50: 49.0, p99: 98.0, max: 99.0 }));
    }
}
