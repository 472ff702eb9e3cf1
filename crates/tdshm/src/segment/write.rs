//! What a sender holds while it writes.

use crate::lock::LockGuard;
use crate::mem::{Region, ViewBytesMut};
use crate::notice::Extension;
use crate::step::step;
use crate::sys::{self, Bell, Outcome};

/// The data lock, held for one write.
///
/// Dropping it makes a frame of what was written, unless a panic is under way: then receivers are told that
/// the block is half written, and keep the frame they have.
#[derive(Debug)]
#[must_use = "the lock is let go of when this is dropped"]
pub struct WriteGuard<'s> {
    pub(super) extension: Option<Extension<'s>>,
    pub(super) bell: &'s Bell,
    pub(super) region: Region<'s>,
    pub(super) outcome: Outcome,
    /// The process that took the lock: a forked child may drop its copy.
    pub(super) pid: u32,
    /// `None` only while this is dropped.
    pub(super) guard: Option<LockGuard<'s>>,
}

impl<'s> WriteGuard<'s> {
    /// All bytes of the segment.
    pub fn view(&mut self) -> ViewBytesMut<'_> {
        ViewBytesMut::new(self.region)
    }

    /// Whether the last holder of the lock died with it: what it was writing may be half written.
    #[must_use]
    #[inline]
    pub fn is_abandoned(&self) -> bool {
        self.outcome == Outcome::Abandoned
    }

    /// Drops it after a block was written whole. The drop itself is not inlined where it is called from several places.
    #[inline(always)]
    pub(crate) fn publish(mut self) {
        step!("write: written");
        self.end();
        core::mem::forget(self); // there is nothing left in it
    }

    #[inline(always)]
    fn end(&mut self) {
        match self.extension {
            Some(extension) if self.pid == sys::process::id() => {
                extension.end();
                step!("write: ended");
                self.guard = None;
                step!("write: unlocked");
                extension.ring(self.bell);
            }
            _ => self.guard = None,
        }
    }

    #[inline]
    pub(crate) fn region(&self) -> Region<'s> {
        self.region
    }
}

impl Drop for WriteGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        step!("write: written");
        if std::thread::panicking() { self.guard = None } else { self.end() }
    }
}
