//! Slots that can be had: a list through the slots themselves, without a lock, because a child that is forked while another
//! thread has one would wait for it for ever.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::handle::{SLOTS, Slot, TABLE};

/// One more than the first spare slot in the lower half, 0 for none; above it how often this changed, so that nobody who looked at
/// it earlier takes it for what it was.
static FIRST: AtomicU64 = AtomicU64::new(0);
/// Slots that have been taken for the first time.
static MADE: AtomicU32 = AtomicU32::new(0);

/// Takes a slot; `None`: all are in use.
pub(super) fn take() -> Option<(u32, &'static Slot)> {
    let mut first = FIRST.load(Ordering::Acquire);
    while let Some(index) = (first as u32).checked_sub(1) {
        let slot = TABLE.get(index as usize)?;
        let rest = slot.next.load(Ordering::Relaxed);
        match FIRST.compare_exchange_weak(first, after(first, rest), Ordering::Acquire, Ordering::Acquire) {
            Ok(_) => return Some((index, slot)),
            Err(now) => first = now,
        }
    }
    let more = |made: u32| ((made as usize) < SLOTS).then_some(made.saturating_add(1));
    let index = MADE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
    Some((index, TABLE.get(index as usize)?))
}

/// Puts it back; nothing leads to it any more.
pub(super) fn put_back(index: u64, slot: &Slot) {
    let number = (index as u32).saturating_add(1);
    let mut first = FIRST.load(Ordering::Relaxed);
    loop {
        slot.next.store(first as u32, Ordering::Relaxed);
        match FIRST.compare_exchange_weak(first, after(first, number), Ordering::Release, Ordering::Relaxed) {
            Ok(_) => return,
            Err(now) => first = now,
        }
    }
}

fn after(first: u64, number: u32) -> u64 {
    ((first >> 32).wrapping_add(1) << 32) | u64::from(number)
}
