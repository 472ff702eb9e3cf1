//! Handles themselves: one thread at a time, panics, slots that are used again.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::call::{exclusive, exclusive_long, free, make};
use crate::caller::Caller;
use crate::handle::Handle;
use crate::status::{Fault, TDSHM_ERR_HANDLE, TDSHM_ERR_IN_USE, TDSHM_ERR_PANIC, TDSHM_OK, tdshm_last_error};
use crate::tests::{last_error, ok};

pub(crate) enum number_t {}

impl Handle for number_t {
    type Object = u64;
    const TAG: u8 = 0x7e;

    fn may_go(_: &mut u64) -> Result<(), Fault> {
        Ok(())
    }
}

pub(crate) fn number() -> *mut number_t {
    let mut handle = null_mut();
    let caller = c!(Caller::trusted());
    ok(make(&caller, &raw mut handle, || Ok(0)));
    handle
}

fn value(handle: *mut number_t) -> u64 {
    let mut value = 0;
    ok(exclusive(handle, |number| {
        value = *number;
        Ok(TDSHM_OK)
    }));
    value
}

struct Shared(*mut number_t);
// SAFETY: a handle is a number, whose use by any thread is what is tested.
unsafe impl Sync for Shared {}

impl Shared {
    fn add(&self) {
        let added = exclusive(self.0, |number| {
            // Two steps: what another thread does between them would be lost.
            let before = *number;
            core::hint::spin_loop();
            *number = before + 1;
            Ok(TDSHM_OK)
        });
        ok(added);
    }
}

#[test]
fn threads_take_turns_whoever_the_handle_leans_to() {
    const ROUNDS: u64 = if cfg!(miri) { 10 } else { 20_000 };
    let shared = Shared(number());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..ROUNDS).for_each(|_| shared.add()));
        }
        (0..ROUNDS).for_each(|_| shared.add());
    });
    assert_eq!(value(shared.0), 4 * ROUNDS);
    // One after another, often enough for it to lean to each.
    for _ in 0..40 {
        std::thread::scope(|scope| {
            scope.spawn(|| (0..100).for_each(|_| shared.add()));
        });
    }
    assert_eq!(value(shared.0), 4 * ROUNDS + 4000);
    ok(free(shared.0));
}

#[test]
fn a_call_within_a_call_of_this_thread_is_refused() {
    let handle = number();
    for long in [false, true] {
        let mut inner = TDSHM_OK;
        ok(exclusive_long(handle, |_, inside| {
            if long {
                inside.lengthen();
            }
            inner = exclusive(handle, |_| Ok(TDSHM_OK));
            Ok(TDSHM_OK)
        }));
        assert_eq!(inner, TDSHM_ERR_IN_USE);
    }
    assert_eq!(value(handle), 0);
    ok(free(handle));
}

#[test]
fn a_panic_is_a_status_and_its_handle_can_only_be_freed() {
    let handle = number();
    let status = exclusive(handle, |_| panic!("of the {}", "test"));
    assert_eq!(status, TDSHM_ERR_PANIC);
    assert!(last_error().contains("of the test"), "{}", last_error());
    assert_eq!(exclusive(handle, |_| Ok(TDSHM_OK)), TDSHM_ERR_PANIC);
    ok(free(handle));
    assert_eq!(exclusive(handle, |_| Ok(TDSHM_OK)), TDSHM_ERR_HANDLE);
    assert_eq!(free(handle), TDSHM_ERR_HANDLE, "freed twice");
    let nowhere = c!(Caller::trusted());
    assert_ne!(make::<number_t>(&nowhere, null_mut(), || panic!("never called")), TDSHM_OK);
}

#[test]
fn what_panics_while_it_is_made_leaves_no_handle() {
    let mut handle = core::ptr::without_provenance_mut::<number_t>(8);
    let caller = c!(Caller::trusted());
    assert_eq!(make(&caller, &raw mut handle, || panic!("while it is made")), TDSHM_ERR_PANIC);
    assert!(handle.is_null() && !tdshm_last_error().is_null());
}

#[test]
fn no_handle_comes_twice() {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let mut before = std::collections::HashSet::new();
    for _ in 0..2000 {
        let handle = number();
        assert!(before.insert(handle.addr()));
        MADE.fetch_add(1, Ordering::Relaxed);
        ok(free(handle));
    }
}
