//! The data lock on the reading side, as long as somebody holds it.

use core::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::lock::LockGuard;
use crate::mem::{Region, ViewBytes};
use crate::segment::receiver::{Lending, SegmentReceiver};
use crate::sys::Outcome;

/// The data lock, held for one read.
#[derive(Debug)]
#[must_use = "the lock is let go of when this is dropped"]
pub struct ReadGuard<'r> {
    #[expect(dead_code, reason = "held for its drop")]
    pub(super) guard: LockGuard<'r>,
    pub(super) region: Region<'r>,
    pub(super) lending: Option<&'r Lending>,
    pub(super) outcome: Outcome,
}

impl ReadGuard<'_> {
    /// All bytes of the segment, as many as are mapped.
    #[must_use]
    pub fn view(&self) -> ViewBytes<'_> {
        ViewBytes::new(self.region)
    }

    /// The same, for a caller who goes on with its address after the guard: see
    /// [`keep_lent`](crate::SegmentReceiverBuilder::keep_lent).
    #[must_use]
    pub fn lend(&self) -> ViewBytes<'_> {
        if let Some(lending) = self.lending {
            lending.lent.store(true, Ordering::Relaxed);
        }
        self.view()
    }

    /// Whether the last holder of the lock died with it: what it was writing may be half written.
    #[must_use]
    #[inline]
    pub fn is_abandoned(&self) -> bool {
        self.outcome == Outcome::Abandoned
    }
}

impl SegmentReceiver {
    /// As [`lock`](Self::lock), waiting up to `limit` this once.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock).
    #[doc(alias = "tryLock")]
    pub fn lock_timeout(&mut self, limit: Duration) -> Result<Option<ReadGuard<'_>>, Error> {
        self.was_idle();
        self.forget_lent();
        let usual = core::mem::replace(&mut self.limit, limit);
        let acquired = self.acquire();
        self.limit = usual;
        if acquired? { Ok(self.adopt()) } else { Ok(None) }
    }

    /// All bytes of the segment without its lock, as many as are mapped, after a look whether the sender has come, moved or
    /// left; `None` while there is none. What is read may be half written.
    ///
    /// # Errors
    ///
    /// As [`lock`](Self::lock), but for the lock's.
    #[doc(alias = "getMemory")]
    pub fn unlocked(&mut self) -> Result<Option<ViewBytes<'_>>, Error> {
        self.was_idle();
        Ok(if self.look()? { self.region().map(ViewBytes::new) } else { None })
    }

    /// As [`unlocked`](Self::unlocked), for a caller who goes on with the address: see
    /// [`keep_lent`](crate::SegmentReceiverBuilder::keep_lent).
    ///
    /// # Errors
    ///
    /// As [`unlocked`](Self::unlocked).
    pub fn lend(&mut self) -> Result<Option<ViewBytes<'_>>, Error> {
        self.was_idle();
        self.forget_lent();
        if !self.look()? {
            return Ok(None);
        }
        if let Some(lending) = &self.lending {
            lending.lent.store(true, Ordering::Relaxed);
        }
        Ok(self.region().map(ViewBytes::new))
    }

    /// Waits until the sender has written since this was asked last, up to `limit`, and takes no lock; `false` where it has
    /// not. A limit of zero only looks.
    ///
    /// Senders of this library count, and wake whoever waits. A foreign one does not: while that is there this says `true`
    /// after a millisecond, and the caller compares what lies there: [`is_counted`](Self::is_counted) tells which it was.
    ///
    /// # Errors
    ///
    /// As [`unlocked`](Self::unlocked).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), tdshm::Error> {
    /// # let name = format!("docwaitseg{}", std::process::id());
    /// let mut sender = tdshm::SegmentSender::create(&name, 64)?;
    /// let mut segment = tdshm::SegmentReceiver::open(&name)?;
    /// assert!(!segment.wait_timeout(Duration::ZERO)?, "nothing was written yet");
    /// sender.lock()?.view().copy_from(b"hello");
    /// assert!(segment.wait_timeout(Duration::from_secs(5))?);
    /// assert!(!segment.wait_timeout(Duration::ZERO)?, "that is known");
    /// # drop((sender, segment));
    /// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait_timeout(&mut self, limit: Duration) -> Result<bool, Error> {
        let begin = Instant::now();
        loop {
            let seen = self.wake_word();
            if self.look()? {
                match self.notices().map(|notices| notices.newest().0) {
                    Some(frames) => {
                        let now = Some((self.attachments, frames));
                        if frames > 0 && self.counted != now {
                            self.counted = now;
                            self.was_news();
                            return Ok(true);
                        }
                    }
                    None if !self.died => {
                        self.was_idle();
                        self.sleep(None, limit);
                        return Ok(true);
                    }
                    None => {}
                }
            }
            self.was_idle();
            let waited = begin.elapsed();
            if waited >= limit {
                return Ok(false);
            }
            self.sleep(seen, limit.saturating_sub(waited));
        }
    }
    /// Whether there is a sender that counts what it writes, as those of this library do. Where there is none, and
    /// [`wait_timeout`](Self::wait_timeout) said `true`, it said no more than that somebody may have written.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.notices().is_some()
    }
}
