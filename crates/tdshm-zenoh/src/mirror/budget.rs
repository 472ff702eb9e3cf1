//! The memory that all streams of a mirror have together: whoever may write streams may write many, and a small message may unpack
//! to a large image.
//!
//! What lasts, segments and what frames are unpacked into, has three quarters of it. The last one is for messages on their way, so
//! that a stream which came first goes on whatever comes later.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::encoding::DecodeError;

/// How much there is, and how much of it is taken.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    used: AtomicUsize,
}

/// What one of them has taken; it is given back with this.
#[derive(Debug)]
pub(super) struct Held {
    budget: Arc<Budget>,
    bytes: usize,
}

/// What memory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// A segment, and what goes with it.
    Good,
    /// A message, until it is a frame here.
    AMoment,
}

/// Without a limit.
impl Default for Budget {
    fn default() -> Self {
        Self { limit: usize::MAX, used: AtomicUsize::new(0) }
    }
}

impl Budget {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    /// Bytes that are taken.
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Nothing, as a place for more.
    pub(super) fn nothing(self: &Arc<Self>) -> Held {
        Held { budget: Arc::clone(self), bytes: 0 }
    }

    /// That many bytes of it.
    pub(super) fn take(self: &Arc<Self>, bytes: usize, what_for: For) -> Result<Held, DecodeError> {
        let mut held = self.nothing();
        held.grow_to(bytes, what_for)?;
        Ok(held)
    }
}

impl Held {
    /// Takes as much more as makes that many; with fewer nothing changes.
    pub(super) fn grow_to(&mut self, bytes: usize, what_for: For) -> Result<(), DecodeError> {
        let more = bytes.saturating_sub(self.bytes);
        if more == 0 {
            return Ok(());
        }
        let limit = match what_for {
            For::Good => self.budget.limit.saturating_sub(self.budget.limit / 4),
            For::AMoment => self.budget.limit,
        };
        let grown = |used: usize| used.checked_add(more).filter(|used| *used <= limit);
        match self.budget.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown) {
            Ok(_) => {
                self.bytes = bytes;
                Ok(())
            }
            Err(_) => Err(DecodeError::NoRoom { bytes, limit }),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Gives back what is more than that.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(bytes);
        self.budget.used.fetch_sub(less, Ordering::Relaxed);
        self.bytes = self.bytes.saturating_sub(less);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_given_back() {
        let budget = Budget::new(1000);
        let mut first = budget.take(500, For::Good).unwrap();
        let error = budget.take(251, For::Good).unwrap_err();
        let expected = "its frames take 251 bytes of memory here, and of the 750 that all streams may have for that the others \
                        leave less: mirror fewer or smaller streams, or allow more with --memory";
        assert_eq!(error.to_string(), expected);
        let message = budget.take(500, For::AMoment).unwrap();
        assert!(budget.take(1, For::AMoment).is_err() && budget.used() == 1000);
        drop(message);
        first.grow_to(750, For::Good).unwrap();
        first.grow_to(10, For::Good).unwrap();
        assert_eq!((first.bytes(), budget.used()), (750, 750));
        assert!(first.grow_to(usize::MAX, For::AMoment).is_err());
        first.shrink_to(100);
        assert_eq!((first.bytes(), budget.used()), (100, 100));
        drop(first);
        assert_eq!(budget.used(), 0);
    }
}
