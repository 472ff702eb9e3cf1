//! Waiting where nobody wakes: for short times at first, and for longer ones the longer nothing comes.

use std::time::{Duration, Instant};

/// How often the processor is merely given away, before the first sleep.
const YIELDS: u32 = 32;
/// The first sleep.
const SHORTEST: Duration = Duration::from_micros(20);
/// The longest one: so late is noticed what came.
const LONGEST: Duration = Duration::from_millis(1);

/// One wait, and how far it has got.
#[derive(Debug)]
pub(in crate::sys) struct Pause {
    begin: Instant,
    limit: Duration,
    yields: u32,
    next: Duration,
}

impl Pause {
    /// Begins a wait of `limit` at most.
    pub(in crate::sys) fn new(limit: Duration) -> Self {
        Self { begin: Instant::now(), limit, yields: 0, next: SHORTEST }
    }

    /// How long it has lasted.
    pub(in crate::sys) fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    /// Whether it has rested at all.
    pub(in crate::sys) fn has_rested(&self) -> bool {
        self.yields != 0
    }

    /// Rests a little. `false`, and no rest: the time is up.
    pub(in crate::sys) fn rest(&mut self) -> bool {
        let left = self.limit.saturating_sub(self.begin.elapsed());
        if left.is_zero() {
            return false;
        }
        if self.yields < YIELDS {
            self.yields = self.yields.saturating_add(1);
            std::thread::yield_now();
        } else {
            std::thread::sleep(self.next.min(left));
            self.next = self.next.saturating_mul(2).min(LONGEST);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_and_never_before_its_time() {
        for limit in [Duration::ZERO, Duration::from_millis(3)] {
            let mut pause = Pause::new(limit);
            let begin = Instant::now();
            while pause.rest() {}
            assert!(begin.elapsed() >= limit);
        }
        assert!(!Pause::new(Duration::ZERO).rest());
    }
}
