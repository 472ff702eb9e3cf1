//! Watching a segment for a while: what changes in it, and how its locks stand.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use tdshm::{Error, ErrorKind, Glance, LockSight, LockState, SegmentReport};

use crate::stop::Stop;

/// Between two looks at the locks where they are seen without being taken: of one segment, and of more of them as much longer,
/// but no longer than that, so that a machine full of senders notices as little as one.
const LOOK_EVERY: Duration = Duration::from_micros(500);
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_millis(20);
/// Where each has to be taken for that, for an instant.
const TAKE_EVERY: Duration = Duration::from_millis(20);
/// Between two looks at what is sent.
const GLANCE_EVERY: Duration = Duration::from_millis(10);

/// What was seen meanwhile.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pub(super) time: Duration,
    /// At the beginning and at the end.
    pub(super) first: Option<SegmentReport>,
    pub(super) last: Option<SegmentReport>,
    pub(super) glances: u64,
    /// Glances at which a foreign sender's block was another one than before.
    pub(super) changes: u64,
    /// Glances at which a frame was being written, and how many of them there were without a break at the end.
    pub(super) half_to_the_end: u64,
    /// Where the data went meanwhile, one after the other.
    pub(super) moves: Vec<String>,
    pub(super) data: Lock,
    pub(super) info: Lock,
}

/// How a lock was found.
#[derive(Debug, Default)]
pub(super) struct Lock {
    pub(super) object: String,
    pub(super) looks: u64,
    pub(super) held: u64,
    /// The longest that it was found held in a row, while nothing was sent.
    pub(super) longest: Duration,
    /// Since when it has been.
    since: Option<Instant>,
    /// How long it has been held now, as far as that was seen.
    pub(super) current: Duration,
    /// Something was sent meanwhile.
    moved: bool,
    /// How often that process had it.
    pub(super) holders: HashMap<u32, u64>,
    pub(super) holder: Option<u32>,
    pub(super) is_abandoned: bool,
    /// What is wrong with it.
    pub(super) error: Option<Error>,
}

impl Lock {
    fn found(&mut self, sight: LockSight) {
        self.looks = self.looks.saturating_add(1);
        let LockSight::Held(holder) = sight else {
            self.is_abandoned |= sight == LockSight::Abandoned;
            self.current = Duration::ZERO;
            self.since = None;
            return;
        };
        self.held = self.held.saturating_add(1);
        self.holder = holder.or(self.holder);
        if let Some(holder) = holder {
            let times = self.holders.entry(holder).or_default();
            *times = times.saturating_add(1);
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        self.current = since.elapsed();
        self.longest = self.longest.max(self.current);
    }

    /// Something was sent, so whoever has it now took it since.
    fn moved_on(&mut self) {
        self.since = None;
        self.current = Duration::ZERO;
        self.moved = true;
    }

    /// Whether nobody else could have had it.
    pub(super) fn held_throughout(&self) -> bool {
        self.looks > 0 && self.held == self.looks && !self.moved
    }
}

/// Watches one of so many for so long, and ends early where somebody asks to stop.
pub(super) fn watch(name: &str, count: usize, limit: Duration, stop: &Stop) -> Watched {
    let pause = LOOK_EVERY.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX)).min(LOOK_AT_LEAST_EVERY);
    let mut watched = Watched { first: tdshm::inspect(name).ok(), ..Watched::default() };
    let begin = Instant::now();
    let mut last: Option<Glance> = None;
    let (mut next_glance, mut next_take) = (Duration::ZERO, Duration::ZERO);
    while begin.elapsed() < limit && stop.requested().is_none() {
        if begin.elapsed() >= next_glance {
            next_glance = begin.elapsed().saturating_add(GLANCE_EVERY);
            if let Ok(glance) = tdshm::glance(name) {
                watched.take_in(&glance, last.as_ref());
                last = Some(glance);
            }
        }
        let is_seen = watched.look_at_locks(name);
        if !is_seen && begin.elapsed() >= next_take {
            next_take = begin.elapsed().saturating_add(TAKE_EVERY);
            watched.try_locks(name);
        }
        thread::sleep(pause.min(limit.saturating_sub(begin.elapsed())));
    }
    watched.time = begin.elapsed();
    watched.last = tdshm::inspect(name).ok();
    watched
}

impl Watched {
    fn take_in(&mut self, glance: &Glance, last: Option<&Glance>) {
        self.glances = self.glances.saturating_add(1);
        let half = self.half_to_the_end.saturating_add(1);
        self.half_to_the_end = if glance.is_writing { half } else { 0 };
        let Some(last) = last else { return };
        if glance.segment != last.segment {
            self.moves.push(glance.segment.clone());
        }
        let counted = glance.frames != last.frames;
        if glance.fingerprint != last.fingerprint {
            self.changes = self.changes.saturating_add(1);
        }
        if counted || glance.fingerprint != last.fingerprint {
            self.half_to_the_end = u64::from(glance.is_writing);
            self.data.moved_on();
        }
    }

    /// `false`: nothing shows without taking them.
    fn look_at_locks(&mut self, name: &str) -> bool {
        let Ok(seen) = tdshm::look_at_locks(name) else { return false };
        let mut is_seen = false;
        for (lock, seen) in [&mut self.data, &mut self.info].into_iter().zip(seen) {
            lock.object = seen.object;
            match seen.state {
                None => continue,
                Some(Ok(sight)) => lock.found(sight),
                Some(Err(error)) => lock.error = Some(error),
            }
            is_seen = true;
        }
        is_seen
    }

    /// Takes each for an instant, where it is free.
    fn try_locks(&mut self, name: &str) {
        let Ok(tried) = tdshm::try_locks(name, Duration::ZERO) else { return };
        for (lock, tried) in [&mut self.data, &mut self.info].into_iter().zip(tried) {
            match tried.state {
                None => {}
                Some(Ok(LockState::Abandoned)) => {
                    lock.found(LockSight::Abandoned);
                }
                Some(Ok(_)) => lock.found(LockSight::Free),
                Some(Err(Error::Lock(tdshm::LockError::Timeout { holder, .. }))) => {
                    lock.found(LockSight::Held(holder));
                }
                // It is being made, or went away.
                Some(Err(error)) if matches!(error.kind(), ErrorKind::Absent | ErrorKind::Gone) => {}
                Some(Err(error)) => lock.error = Some(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_goes_round_is_not_held() {
        let mut lock = Lock::default();
        lock.found(LockSight::Held(Some(7)));
        assert!(lock.held_throughout() && lock.holder == Some(7));
        lock.moved_on();
        assert!(!lock.held_throughout(), "something was sent");
        lock.found(LockSight::Held(None));
        lock.found(LockSight::Free);
        assert!(!lock.held_throughout() && lock.current.is_zero());
        assert_eq!((lock.looks, lock.held, lock.holders.get(&7)), (3, 2, Some(&1)));
    }
}
