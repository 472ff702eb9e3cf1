//! What looks at a lock add up to. Nobody who only looks can know how long it was held: two looks that find it held may
//! have seen two holds.

use std::time::{Duration, Instant};

use tdshm::{LockSight, ShortName};

/// What was seen of a segment's data lock, by looks that do not take it.
#[derive(Clone, Debug)]
pub(crate) struct LockWatch {
    name: ShortName,
    seen: Option<LockSight>,
    /// Why it could not be looked at.
    trouble: Option<String>,
    looks: u64,
    held_looks: u64,
    /// Since when every look found it held, without a sign that it was let go of between.
    streak: Option<Streak>,
    longest_streak: Duration,
    longest_wait: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Streak {
    since: Instant,
    last: Instant,
    holder: Option<u32>,
    /// Who writes lets go of it between two frames.
    frames: Option<u64>,
}

impl LockWatch {
    pub(super) fn of(name: &ShortName) -> Self {
        Self {
            name: name.clone(),
            seen: None,
            trouble: None,
            looks: 0,
            held_looks: 0,
            streak: None,
            longest_streak: Duration::ZERO,
            longest_wait: Duration::ZERO,
        }
    }

    /// What the last look found; `None`: nobody has made it yet.
    pub(crate) fn seen(&self) -> Option<LockSight> {
        self.seen
    }

    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// How many looks there were, and how many found it held.
    pub(crate) fn looks(&self) -> (u64, u64) {
        (self.looks, self.held_looks)
    }

    /// The share of looks that found it held: about the share of the time that it is.
    pub(crate) fn held_share(&self) -> Option<f64> {
        (self.looks > 0).then(|| self.held_looks as f64 / self.looks as f64)
    }

    /// For how long every look has found it held by the same process, if the last one did. Looks are milliseconds apart:
    /// it may have been let go of between.
    pub(crate) fn held_for(&self) -> Option<Duration> {
        self.streak.map(|streak| streak.last.saturating_duration_since(streak.since))
    }

    /// The longest that was.
    pub(crate) fn longest_held(&self) -> Duration {
        self.longest_streak
    }

    /// The longest that this program itself waited for it, which it takes of foreign senders alone. Nobody can see how
    /// long others wait.
    pub(crate) fn longest_wait(&self) -> Duration {
        self.longest_wait
    }

    /// Looks once; `frames` is how many the sender had written then.
    pub(super) fn look(&mut self, now: Instant, frames: Option<u64>) {
        let object = self.name.data_lock();
        let seen = tdshm::look_at_locks(self.name.as_str())
            .map(|locks| locks.into_iter().find(|lock| lock.object == object).and_then(|lock| lock.state));
        match seen {
            Ok(Some(Ok(seen))) => self.saw(seen, now, frames),
            Ok(None) => self.is_gone(),
            Ok(Some(Err(error))) | Err(error) => {
                self.is_gone();
                self.trouble = Some(error.to_string());
            }
        }
    }

    fn saw(&mut self, seen: LockSight, now: Instant, frames: Option<u64>) {
        self.trouble = None;
        self.seen = Some(seen);
        self.looks = self.looks.saturating_add(1);
        let LockSight::Held(holder) = seen else {
            self.streak = None;
            return;
        };
        self.held_looks = self.held_looks.saturating_add(1);
        let streak = match self.streak {
            Some(streak) if streak.holder == holder && streak.frames == frames => {
                Streak { last: now, ..streak }
            }
            _ => Streak { since: now, last: now, holder, frames },
        };
        self.streak = Some(streak);
        self.longest_streak = self.longest_streak.max(now.saturating_duration_since(streak.since));
    }

    pub(super) fn waited(&mut self, waited: Duration) {
        self.longest_wait = self.longest_wait.max(waited);
    }

    pub(super) fn is_gone(&mut self) {
        self.trouble = None;
        self.seen = None;
        self.streak = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streak_ends_where_the_lock_was_let_go_of() {
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let mut watch = LockWatch::of(&ShortName::new("never").unwrap());
        let held = |holder| LockSight::Held(Some(holder));
        assert_eq!((watch.looks(), watch.held_share()), ((0, 0), None));
        watch.saw(LockSight::Free, at(10), Some(3));
        watch.saw(held(7), at(20), Some(3));
        watch.saw(held(7), at(50), Some(3));
        assert_eq!(watch.held_for(), Some(Duration::from_millis(30)));
        // A frame came between, so it was another hold.
        watch.saw(held(7), at(60), Some(4));
        assert_eq!(watch.held_for(), Some(Duration::ZERO));
        // And so it was with another process.
        watch.saw(held(8), at(80), Some(4));
        watch.saw(held(8), at(90), Some(4));
        assert_eq!(watch.held_for(), Some(Duration::from_millis(10)));
        watch.saw(LockSight::Abandoned, at(100), Some(4));
        assert_eq!((watch.held_for(), watch.longest_held()), (None, Duration::from_millis(30)));
        assert_eq!(watch.looks(), (7, 5));
    }
}
