//! Waiting for a moment: asleep for as long as that is exact enough, then looking at the clock.

use std::hint::spin_loop;
use std::thread;
use std::time::{Duration, Instant};

use crate::stop::{SLICE, Stop};

/// How much too late a sleep may end: that long before the moment comes nobody sleeps any more.
const INEXACT: Duration = if cfg!(windows) { Duration::from_millis(2) } else { Duration::from_micros(400) };

/// Waits until `due` after `begin`. `false`: asked to stop before that.
pub(super) fn until(begin: Instant, due: Duration, stop: &Stop) -> bool {
    loop {
        if stop.requested().is_some() {
            return false;
        }
        let left = due.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return true;
        }
        match left.checked_sub(INEXACT) {
            Some(asleep) if !asleep.is_zero() => thread::sleep(asleep.min(SLICE)),
            _ => {
                while begin.elapsed() < due {
                    spin_loop();
                }
            }
        }
    }
}
