//! What is counted, and said about it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// A number that goes up.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How fast a number goes up.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    last: Option<(Instant, u64)>,
    rate: Option<f64>,
}

impl Rate {
    /// Notes what it is now, and gives its increase a second since the last time.
    pub(crate) fn note(&mut self, now: Instant, count: u64) -> Option<f64> {
        if let Some((then, before)) = self.last {
            let seconds = now.saturating_duration_since(then).as_secs_f64();
            if seconds < 0.05 {
                return self.rate;
            }
            // A count that begins anew says nothing yet.
            self.rate = count.checked_sub(before).map(|more| more as f64 / seconds);
        }
        self.last = Some((now, count));
        self.rate
    }
}

/// With one digit behind the point: what people read.
pub(crate) fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// With three.
pub(crate) fn thousandths(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_interval() {
        let mut rate = Rate::default();
        let begin = Instant::now();
        let at = |millis| begin + Duration::from_millis(millis);
        assert_eq!(rate.note(at(0), 100), None);
        assert_eq!(rate.note(at(500), 150), Some(100.0));
        assert_eq!(rate.note(at(501), 150), Some(100.0), "too soon to tell");
        assert_eq!(rate.note(at(1500), 150), Some(0.0));
        assert_eq!(rate.note(at(2500), 3), None, "a new sender counts anew");
    }
}
