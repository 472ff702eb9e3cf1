//! A forked child has copies of all handles, and of what other threads were doing with them. It gets statuses and never waits
//! for those threads, which it does not have.

use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use super::handles::{number, number_t};
use super::{Name, ok};
use crate::call::{exclusive, exclusive_long, free};
use crate::caller::TDSHM_DEFAULT;
use crate::lock::*;
use crate::segment::sender::*;
use crate::status::*;

fn sender(name: &Name) -> *mut tdshm_sender_t {
    let ((text, length), mut sender) = (name.text(), null_mut());
    ok(c!(tdshm_sender_create(text, length, 64, null(), &raw mut sender)));
    lock_once(sender);
    sender
}

fn lock(sender: *mut tdshm_sender_t) -> tdshm_status_t {
    c!(tdshm_sender_lock(sender, TDSHM_DEFAULT, null_mut(), null_mut(), null_mut()))
}

fn lock_once(sender: *mut tdshm_sender_t) {
    ok(lock(sender));
    ok(tdshm_sender_unlock(sender));
}

/// Runs it in a forked child, and gives what it returns, from 0 to 127; a child that hangs is killed, and the signal is the error.
fn in_child(work: impl FnOnce() -> i32) -> Result<i32, i32> {
    // SAFETY: the child calls what this test is about, with memory of its own, and ends without returning.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // SAFETY: a number of seconds, after which the system ends the child.
        unsafe { libc::alarm(20) };
        let code = work();
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: this process's own child, and room for a number.
    let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    assert_eq!(waited, pid);
    if libc::WIFEXITED(status) { Ok(libc::WEXITSTATUS(status)) } else { Err(status) }
}

/// Where a status is not the expected one the child ends with the number of the question.
macro_rules! expect {
    ($($number:literal: $call:expr => $status:pat),+ $(,)?) => {
        $(if !matches!($call, $status) { return $number; })+
    };
}

#[test]
fn a_forked_child_gets_statuses_and_never_hangs() {
    let names = [Name::new("fa"), Name::new("fb")];
    let mine = sender(&names[0]);
    let (stop, busy) = (AtomicBool::new(false), Inside(number()));
    std::thread::scope(|scope| {
        // The others' handles: one that leans to a thread that is outside, and one with a thread inside, for long.
        let (say, hear) = mpsc::channel();
        let (leave, left) = mpsc::channel::<()>();
        let (busy, name) = (&busy, &names[1]);
        scope.spawn(move || {
            let theirs = sender(name).addr();
            ok(exclusive_long(busy.0, |_, inside| {
                inside.lengthen();
                say.send(theirs).unwrap();
                let _ = left.recv();
                Ok(TDSHM_OK)
            }));
        });
        // Somebody makes and frees handles all the time, also when it is forked.
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                ok(free(number()));
            }
        });
        let theirs = core::ptr::with_exposed_provenance_mut::<tdshm_sender_t>(hear.recv().unwrap());
        let codes: Vec<_> = (0..20).map(|_| in_child(|| {
                let object = format!("TouchSHM{}Mutex", names[0].0);
                let mut own = null_mut();
                let used = number();
                expect! {
                    1: lock(mine) => TDSHM_ERR_FORKED,
                    2: lock(theirs) => TDSHM_ERR_FORKED,
                    3: exclusive(busy.0, |_| Ok(TDSHM_OK)) => TDSHM_ERR_IN_USE,
                    4: free(busy.0) => TDSHM_ERR_IN_USE,
                    5: exclusive(used, |_| Ok(TDSHM_OK)) => TDSHM_OK,
                    6: free(used) => TDSHM_OK,
                    7: tdshm_sender_free(theirs) => TDSHM_OK,
                    8: lock(theirs) => TDSHM_ERR_HANDLE,
                    9: tdshm_sender_free(mine) => TDSHM_OK,
                    10: c!(tdshm_lock_open(object.as_ptr().cast(), object.len(), &raw mut own)) => TDSHM_OK,
                    11: c!(tdshm_lock_acquire(own, TDSHM_DEFAULT, null_mut())) => TDSHM_OK,
                    12: tdshm_lock_free(own) => TDSHM_OK,
                }
                0
            })).collect();
        stop.store(true, Ordering::Relaxed);
        drop(leave);
        assert_eq!(codes, [Ok(0); 20], "each child's question, or what killed it");
        // The parent's are as they were.
        lock_once(mine);
        lock_once(theirs);
        ok(tdshm_sender_free(theirs));
    });
    ok(free(busy.0));
    ok(tdshm_sender_free(mine));
}

struct Inside(*mut number_t);
// SAFETY: a handle is a number, whose use by any thread is what is tested.
unsafe impl Sync for Inside {}
