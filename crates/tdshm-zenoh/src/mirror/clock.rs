//! How another machine's clock differs from this one's, and how long frames take.
//!
//! A question that is sent at `a` and answered at `b`, with the other clock's time `t` in the answer, says that the other clock
//! is ahead by `t - (a + b) / 2`, and that this is wrong by `(b - a) / 2` at most. Of the last questions that which took the
//! shortest time counts.

use std::collections::VecDeque;

use serde::Serialize;

use crate::status::thousandths;

/// Questions that count.
const MOST: usize = 16;
/// Frames whose times are kept.
const MOST_TIMES: usize = 512;

/// What the last questions said.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// How long each took, and how far ahead the other clock was, in nanoseconds.
    rounds: VecDeque<(u64, i64)>,
    /// How long the last frames took by two clocks, in nanoseconds: a better answer puts all of them right.
    times: VecDeque<i64>,
}

/// Milliseconds from the network on the other side into the segment on this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Latency {
    /// The middle of the last frames.
    pub(super) p50: Option<f64>,
    /// Of a hundred frames 99 took less.
    pub(super) p99: Option<f64>,
    /// By how much all of that may be wrong, because two clocks are compared.
    pub(super) within: Option<f64>,
}

impl Clock {
    /// Notes an answer.
    pub(super) fn answered(&mut self, asked: u64, answered: u64, theirs: u64) {
        let took = answered.saturating_sub(asked);
        let middle = asked.saturating_add(took.checked_div(2).unwrap_or(0));
        let ahead = difference(theirs, middle);
        if self.rounds.len() >= MOST {
            self.rounds.pop_front();
        }
        self.rounds.push_back((took, ahead));
    }

    fn best(&self) -> Option<(u64, i64)> {
        self.rounds.iter().min().copied()
    }

    /// Notes a frame that was handed to the network then, on the other clock, and was here now, on this one.
    pub(super) fn arrived(&mut self, shared: u64, now: u64) {
        if shared == 0 {
            return;
        }
        if self.times.len() >= MOST_TIMES {
            self.times.pop_front();
        }
        self.times.push_back(difference(now, shared));
    }

    /// The middle, the worst but a hundredth, and by how much both may be wrong.
    pub(super) fn latency(&self) -> Option<Latency> {
        let (took, ahead) = self.best()?;
        let mut times: Vec<i64> = self.times.iter().copied().collect();
        times.sort_unstable();
        let at = |hundredths: usize| {
            let last = times.len().checked_sub(1)?;
            let time = times.get(last.saturating_mul(hundredths).div_ceil(100))?;
            Some(thousandths(time.saturating_add(ahead) as f64 * 1e-6))
        };
        Some(Latency { p50: at(50), p99: at(99), within: Some(thousandths(took as f64 * 0.5e-6)) })
    }

    /// How far the other clock is ahead, in milliseconds.
    pub(super) fn ahead(&self) -> Option<f64> {
        self.best().map(|(_, ahead)| thousandths(ahead as f64 * 1e-6))
    }
}

fn difference(a: u64, b: u64) -> i64 {
    let wide = i128::from(a).saturating_sub(i128::from(b));
    i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_round_counts() {
        let mut clock = Clock::default();
        clock.arrived(5, 10);
        assert_eq!(clock.latency(), None, "nothing is known without a question");
        clock.times.clear();
        // The other clock is 5 ms ahead; the first answer came back slowly, and says that it is 4 ms behind.
        clock.answered(1_000_000, 21_000_000, 7_000_000);
        for _ in 0..MOST_TIMES {
            clock.arrived(205_000_000, 200_010_000);
        }
        let p50 = clock.latency().unwrap().p50;
        assert_eq!(p50, Some(-8.99), "as wrong as it says itself, by 10 ms at most");
        clock.answered(100_000_000, 102_000_000, 106_000_000);
        assert_eq!(clock.ahead(), Some(5.0));
        assert_eq!(clock.latency().unwrap().p50, Some(0.01), "frames that came before are put right");
        clock.times.clear();
        for took in 1..=100 {
            clock.arrived(205_000_000, 200_000_000 + took * 10_000);
        }
        let expected = Latency { p50: Some(0.51), p99: Some(1.0), within: Some(1.0) };
        assert_eq!(clock.latency(), Some(expected));
        clock.arrived(0, 1);
        for _ in 0..MOST {
            clock.answered(u64::MAX, 0, 0);
        }
        assert_eq!(clock.rounds.len(), MOST);
    }
}
