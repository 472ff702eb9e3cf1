//! What the gate asks of the system that the library runs on.

use core::sync::atomic::{AtomicU8, AtomicU64, Ordering, compiler_fence};
use std::time::{Duration, Instant};

use crate::handle::gate::{Patience, Shared, System};

/// How long a call waits for another one on the same handle, before it is refused.
const PATIENCE: Duration = Duration::from_secs(1);
/// Looks without a pause, before the processor is given away.
const SPINS: u32 = 200;

/// This machine.
#[derive(Debug)]
pub(crate) struct Real;

impl System for Real {
    type Byte = AtomicU8;
    type Word = AtomicU64;
    type Patience = Waited;
    const STREAK: u32 = 16;

    #[inline(always)]
    fn light(&self, _thread: u64) {
        compiler_fence(Ordering::SeqCst);
    }

    fn heavy(&self) -> bool {
        barrier::all_threads()
    }

    fn has_heavy(&self) -> bool {
        barrier::is_there()
    }
}

macro_rules! shared {
    ($($atomic:ty: $number:ty),+) => {$(
        impl Shared<$number> for $atomic {
            #[inline(always)]
            fn load(&self, order: Ordering) -> $number {
                self.load(order)
            }

            #[inline(always)]
            fn store(&self, number: $number, order: Ordering) {
                self.store(number, order);
            }

            #[inline(always)]
            fn claim(&self, number: $number) -> Result<(), $number> {
                self.compare_exchange(0, number, Ordering::Acquire, Ordering::Relaxed).map(drop)
            }
        }
    )+};
}
shared!(AtomicU8: u8, AtomicU64: u64);

/// How long somebody has waited.
#[derive(Debug, Default)]
pub(crate) struct Waited {
    looks: u32,
    began: Option<Instant>,
}

impl Patience for Waited {
    fn wait(&mut self) -> bool {
        self.looks = self.looks.saturating_add(1);
        if self.looks < SPINS {
            core::hint::spin_loop();
            return true;
        }
        if self.began.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            return false;
        }
        if self.looks < SPINS.saturating_mul(2) {
            std::thread::yield_now();
        } else {
            std::thread::sleep(Duration::from_micros(50));
        }
        true
    }
}

/// A full barrier on every thread of this process.
#[cfg(target_os = "linux")]
mod barrier {
    use core::sync::atomic::{AtomicU8, Ordering};

    use rustix::thread::{MembarrierCommand, membarrier};

    const UNKNOWN: u8 = 0;
    const THERE: u8 = 1;
    const MISSING: u8 = 2;
    static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);

    /// Whether there is one: systems older than Linux 4.14 have none, and a sandbox may refuse it.
    pub(super) fn is_there() -> bool {
        match STATE.load(Ordering::Relaxed) {
            UNKNOWN => {
                let registered = membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok();
                STATE.store(if registered { THERE } else { MISSING }, Ordering::Relaxed);
                registered
            }
            state => state == THERE,
        }
    }

    /// `false`: it did not take place.
    pub(super) fn all_threads() -> bool {
        let barrier = || membarrier(MembarrierCommand::PrivateExpedited).is_ok();
        // A forked child may have to register anew.
        barrier() || (membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok() && barrier())
    }
}

#[cfg(not(target_os = "linux"))]
mod barrier {
    pub(super) fn is_there() -> bool {
        false
    }

    pub(super) fn all_threads() -> bool {
        false
    }
}
