//! Addresses of a segment's memory that were given out for longer than a lock is held.

use core::sync::atomic::AtomicBool;

use crate::sys::{Kept, Object};

/// Memory whose address a caller may still have when its sender has left it.
#[derive(Debug, Default)]
pub(in crate::segment) struct Lending {
    /// The address of what is open now was given out.
    pub(in crate::segment) lent: AtomicBool,
    /// What was open before, whose address was given out last.
    pub(super) kept: Option<Kept>,
}

impl Lending {
    /// Something else is opened, or nothing.
    pub(in crate::segment) fn retire(&mut self, data: &Object) {
        if core::mem::take(self.lent.get_mut()) {
            self.kept = Some(data.keep());
        }
    }

    /// What was given out before something else was is not needed any more.
    pub(in crate::segment) fn forget(&mut self) {
        if *self.lent.get_mut() {
            self.kept = None;
        }
    }
}
