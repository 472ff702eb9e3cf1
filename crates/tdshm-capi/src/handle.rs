//! Handles: keys into a table of slots that are never unmapped.
//!
//! What C holds as a pointer leads nowhere. It is a number: what kind of object it is for, which slot that has, and how many
//! objects the slot had before. Whoever hands in anything else, or the key of what was freed, finds that the slot has another
//! key. No address of this program is such a number: the highest byte of an address is 0, that of a key is not.

pub(crate) mod gate;
mod spare;
pub(crate) mod thread;

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::handle::gate::{Gate, Inside, Occupied};
use crate::handle::thread::{this_thread, this_thread_if_known};
use crate::status::{
    Fault, Outcome, TDSHM_ERR_HANDLE, TDSHM_ERR_IN_USE, TDSHM_ERR_PANIC, TDSHM_ERR_TOO_MANY_HANDLES, record,
    tdshm_status_t,
};

const SLOT_BITS: u32 = 16;
const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;
const TAG_SHIFT: u32 = 56;
/// In a slot's key: a panic came out of the object. No kind has this bit.
const BROKEN: u64 = 1 << 63;
/// After so many objects a slot is not used any more, so that no key comes twice.
const LAST_GENERATION: u64 = (1 << (TAG_SHIFT - SLOT_BITS)) - 1;

/// A type of C's that stands for an object here.
pub(crate) trait Handle {
    type Object: Send;
    /// The kind, which is part of the key: from 1 to 127, and no other type's.
    const TAG: u8;

    /// Whether the object may be freed now, by this thread.
    fn may_go(object: &mut Self::Object) -> Result<(), Fault>;
}

#[repr(align(128))]
struct Slot {
    /// The key that leads here; 0: none does.
    key: AtomicU64,
    gate: Gate,
    /// How many objects it has had. Touched by whoever took the slot off the list of spare ones.
    generation: AtomicU64,
    /// One more than the next spare slot, while this one is spare; 0: it is the last.
    next: AtomicU32,
    /// A `Box` of the object that the key's kind says; touched inside the gate, with the key checked there.
    object: UnsafeCell<*mut ()>,
}

// SAFETY: `object` is touched by one thread at a time: inside the gate, or, by `insert`, while no key leads here. What it
// leads to may be used by any thread, one at a time: `Handle::Object` is `Send`.
unsafe impl Sync for Slot {}

/// All there can be, 8 MiB of address space: pages that nobody uses take no memory, and no pointer to it has to be loaded.
static TABLE: [Slot; SLOTS] = [const { Slot::new() }; SLOTS];

impl Slot {
    const fn new() -> Self {
        Self {
            key: AtomicU64::new(0),
            gate: Gate::new(),
            generation: AtomicU64::new(0),
            next: AtomicU32::new(0),
            object: UnsafeCell::new(core::ptr::null_mut()),
        }
    }
}

/// The slot that a key of that kind would lead to.
#[inline(always)]
fn slot<H: Handle>(key: u64) -> Option<&'static Slot> {
    if key >> TAG_SHIFT != u64::from(H::TAG) {
        return None;
    }
    TABLE.get((key & SLOT_MASK) as usize)
}

/// Gives an object a place, and the key to it.
pub(crate) fn insert<H: Handle>(object: H::Object) -> Result<*mut H, Fault> {
    let (index, slot, _pass) = loop {
        let Some((index, slot)) = spare::take() else { return Err(Fault::plain(TDSHM_ERR_TOO_MANY_HANDLES)) };
        // Somebody may be looking with a key that it had. In a forked child such a one may have stayed behind in the parent: then the
        // slot is lost.
        if let Ok(pass) = slot.gate.enter(this_thread()) {
            break (index, slot, pass);
        }
    };
    let generation = slot.generation.load(Ordering::Relaxed).saturating_add(1);
    slot.generation.store(generation, Ordering::Relaxed);
    let key = u64::from(H::TAG) << TAG_SHIFT | generation << SLOT_BITS | u64::from(index);
    // SAFETY: no key leads to this slot, and it is not among the free ones any more, so nobody else touches the cell.
    unsafe { slot.object.get().write(Box::into_raw(Box::new(object)).cast()) };
    slot.key.store(key, Ordering::Release);
    Ok(core::ptr::without_provenance_mut(key as usize))
}

/// Does something with the object that a handle stands for, and is the only one meanwhile.
///
/// The usual case, a handle that leans to this thread, stands here alone, so that it is short enough to become part of each
/// function.
#[inline(always)]
pub(crate) fn with<H: Handle>(
    handle: *mut H,
    work: impl FnOnce(&mut H::Object, &dyn Inside) -> Outcome,
) -> tdshm_status_t {
    let key = handle.addr() as u64;
    let Some(slot) = slot::<H>(key) else { return record(no_handle(handle.is_null())) };
    match slot.gate.enter_at_once(this_thread_if_known()) {
        Some(pass) => run::<H>(slot, key, &pass, work),
        None => with_patience::<H>(slot, key, work),
    }
}

/// The same where somebody else may be inside.
#[cfg_attr(target_os = "linux", cold, inline(never))]
fn with_patience<H: Handle>(
    slot: &'static Slot,
    key: u64,
    work: impl FnOnce(&mut H::Object, &dyn Inside) -> Outcome,
) -> tdshm_status_t {
    match slot.gate.enter(this_thread()) {
        Ok(pass) => run::<H>(slot, key, &pass, work),
        Err(Occupied) => record(occupied(slot, key)),
    }
}

#[inline(always)]
fn run<H: Handle>(
    slot: &'static Slot,
    key: u64,
    inside: &impl Inside,
    work: impl FnOnce(&mut H::Object, &dyn Inside) -> Outcome,
) -> tdshm_status_t {
    let found = slot.key.load(Ordering::Acquire);
    if found != key {
        return refuse(found, key);
    }
    // SAFETY: inside the gate, as `inside` shows, and the slot has the key, so nobody else touches the cell.
    let object = unsafe { slot.object.get().read() };
    let watch = Watch { slot, key };
    // SAFETY: what `insert` put there is a box of the type that the key's kind says, which is that of `H`; it is dropped by
    // `remove` alone, inside the gate, after it took the key away. Nobody else is inside.
    let object = unsafe { &mut *object.cast::<H::Object>() };
    let done = work(object, inside);
    core::mem::forget(watch);
    // Here, so that what is usual travels in a register.
    match done {
        Ok(status) => status,
        Err(fault) => record(fault),
    }
}

#[cold]
fn refuse(found: u64, key: u64) -> tdshm_status_t {
    record(if found == key | BROKEN { Fault::plain(TDSHM_ERR_PANIC) } else { no_handle(false) })
}

/// Dropped by a panic alone: what was left half done is not to be used any more.
struct Watch {
    slot: &'static Slot,
    key: u64,
}

impl Drop for Watch {
    #[cold]
    fn drop(&mut self) {
        self.slot.key.store(self.key | BROKEN, Ordering::Relaxed);
    }
}

/// Takes the object out, for the caller to drop.
pub(crate) fn remove<H: Handle>(handle: *mut H) -> Result<Box<H::Object>, Fault> {
    let key = handle.addr() as u64;
    let Some(slot) = slot::<H>(key) else { return Err(no_handle(handle.is_null())) };
    let Ok(pass) = slot.gate.enter(this_thread()) else { return Err(occupied(slot, key)) };
    let found = slot.key.load(Ordering::Acquire);
    if found & !BROKEN != key {
        return Err(no_handle(false));
    }
    // SAFETY: as in `run`.
    let object = unsafe { slot.object.get().read() }.cast::<H::Object>();
    if found == key {
        // SAFETY: as in `run`.
        H::may_go(unsafe { &mut *object })?;
    }
    slot.key.store(0, Ordering::Release);
    drop(pass);
    if slot.generation.load(Ordering::Relaxed) < LAST_GENERATION {
        spare::put_back(key & SLOT_MASK, slot);
    }
    // SAFETY: `insert` made it a box; the key is gone, so nobody else finds it any more.
    Ok(unsafe { Box::from_raw(object) })
}

#[cold]
fn no_handle(null: bool) -> Fault {
    Fault::new(
        TDSHM_ERR_HANDLE,
        if null {
            "the handle is NULL: was the object made?"
        } else {
            "this is no handle of that kind: it was freed, belongs to another kind of object, or never was one"
        },
    )
}

#[cold]
fn occupied(slot: &Slot, key: u64) -> Fault {
    if slot.key.load(Ordering::Acquire) & !BROKEN != key {
        return no_handle(false);
    }
    Fault::new(
        TDSHM_ERR_IN_USE,
        "another call with this handle is under way, or was interrupted by this one: wait for it, or use a handle a thread",
    )
}
