//! How much a client may say.

use std::time::Instant;

/// Messages a second from a client, and how many it may save up. Acknowledgements are most of them.
pub(super) const RATE: f64 = 2500.0;
pub(super) const BURST: f64 = 2500.0;
/// The same of bytes.
pub(super) const BYTES: f64 = 32e6;
/// The same of what changes subscriptions.
pub(super) const CHANGES: f64 = 20.0;
pub(super) const CHANGES_BURST: f64 = 60.0;

/// So many a second on average.
#[derive(Debug)]
pub(super) struct Bucket {
    tokens: f64,
    burst: f64,
    rate: f64,
    at: Instant,
}

impl Bucket {
    pub(super) fn new(rate: f64, burst: f64, now: Instant) -> Self {
        Self { tokens: burst, burst, rate, at: now }
    }

    pub(super) fn take(&mut self, now: Instant) -> bool {
        self.take_many(1.0, now)
    }

    pub(super) fn take_many(&mut self, many: f64, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.tokens = (self.tokens + since * self.rate).min(self.burst);
        if self.tokens < many {
            return false;
        }
        self.tokens -= many;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_gives_as_much_as_its_rate_and_saves_some_up() {
        let begin = Instant::now();
        let second = Duration::from_secs(1);
        let mut bucket = Bucket::new(100.0, 150.0, begin);
        assert!(bucket.take_many(150.0, begin) && !bucket.take(begin));
        assert!(bucket.take_many(99.0, begin + second) && !bucket.take_many(2.0, begin + second));
        assert!(bucket.take_many(150.0, begin + second * 9) && !bucket.take_many(1.0, begin + second * 9));
    }
}
