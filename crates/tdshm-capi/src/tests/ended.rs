//! A thread that ends while it holds a lock leaves a handle that others can use and free, and a lock that whoever takes it next is
//! told of.

// macOS has no lock that a thread's end is told of: there it stays taken until the process ends.
#![cfg(not(target_os = "macos"))]

use std::ptr::{null, null_mut};

use super::{Name, ok};
use crate::caller::TDSHM_DEFAULT;
use crate::chop::receiver::*;
use crate::chop::sender::*;
use crate::lock::*;
use crate::segment::receiver::*;
use crate::segment::sender::*;
use crate::status::*;

/// Runs it on a thread, to the very end of that.
fn on_a_thread<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    std::thread::spawn(work).join().unwrap()
}

/// A handle on its way to a thread.
struct Passed<T>(*mut T);
// SAFETY: a handle is a number, which any thread may use.
unsafe impl<T> Send for Passed<T> {}
impl<T> Passed<T> {
    fn get(&self) -> *mut T {
        self.0
    }
}

fn sender(name: &Name) -> *mut tdshm_sender_t {
    let ((text, length), mut sender) = (name.text(), null_mut());
    ok(c!(tdshm_sender_create(text, length, 64, null(), &raw mut sender)));
    sender
}

fn receiver(name: &Name) -> *mut tdshm_receiver_t {
    let ((text, length), mut receiver) = (name.text(), null_mut());
    ok(c!(tdshm_receiver_open(text, length, null(), &raw mut receiver)));
    receiver
}

/// The data lock of a segment.
fn data_lock(name: &Name) -> *mut tdshm_lock_t {
    let (object, mut lock) = (format!("TouchSHM{}Mutex", name.0), null_mut());
    ok(c!(tdshm_lock_open(object.as_ptr().cast(), object.len(), &raw mut lock)));
    lock
}

/// Cleans its lock away, which stays mapped in this process: the system writes there what became of an ended thread.
fn remove_lock(name: &Name) {
    #[cfg(target_os = "linux")]
    std::fs::remove_file(format!("/dev/shm/TouchSHM{}Mutex", name.0)).unwrap();
    let _ = name;
}

/// Takes it and lets go of it; whether it had been abandoned.
fn was_abandoned(lock: *mut tdshm_lock_t) -> bool {
    let mut abandoned = 7;
    ok(c!(tdshm_lock_acquire(lock, TDSHM_DEFAULT, &raw mut abandoned)));
    ok(tdshm_lock_release(lock));
    abandoned == 1
}

fn left_by_a_thread(sender: *mut tdshm_sender_t) {
    let passed = Passed(sender);
    ok(on_a_thread(move || {
        c!(tdshm_sender_lock(passed.get(), TDSHM_DEFAULT, null_mut(), null_mut(), null_mut()))
    }));
}

#[test]
fn a_sender_that_an_ended_thread_locked_is_locked_again() {
    let name = Name::new("es");
    let sender = sender(&name);
    let lock =
        |abandoned: &mut i32| c!(tdshm_sender_lock(sender, TDSHM_DEFAULT, null_mut(), null_mut(), abandoned));
    let mut abandoned = 0;
    left_by_a_thread(sender);
    assert_eq!(tdshm_sender_unlock(sender), TDSHM_ERR_WRONG_THREAD, "not this one's");
    ok(lock(&mut abandoned));
    assert_eq!(abandoned, 1);
    ok(tdshm_sender_unlock(sender));
    ok(lock(&mut abandoned));
    assert_eq!(abandoned, 0);
    ok(tdshm_sender_unlock(sender));
    left_by_a_thread(sender);
    let (mut memory, mut bytes) = (null_mut(), 0);
    ok(c!(tdshm_sender_memory(sender, &raw mut memory, &raw mut bytes)));
    ok(c!(tdshm_sender_resize(sender, 100_000, null(), 0)));
    ok(lock(&mut abandoned));
    assert_eq!(abandoned, 0, "the resize was told, and had it");
    ok(tdshm_sender_unlock(sender));
    ok(tdshm_sender_free(sender));
}

#[test]
fn a_sender_that_an_ended_thread_locked_detaches_and_is_freed() {
    for detach in [false, true] {
        let name = Name::new("ed");
        let (left, lock) = (sender(&name), data_lock(&name));
        left_by_a_thread(left);
        if detach {
            ok(c!(tdshm_sender_detach(left, null_mut())));
        }
        ok(tdshm_sender_free(left));
        assert!(was_abandoned(lock) && !was_abandoned(lock));
        // The name is free, and its lock works.
        let next = sender(&name);
        ok(c!(tdshm_sender_lock(next, TDSHM_DEFAULT, null_mut(), null_mut(), null_mut())));
        ok(tdshm_sender_unlock(next));
        ok(tdshm_sender_free(next));
        ok(tdshm_lock_free(lock));
        remove_lock(&name);
    }
}

#[test]
fn a_thread_that_lives_is_not_robbed() {
    let name = Name::new("el");
    let (held, lock) = (Passed(sender(&name)), data_lock(&name));
    let (say, hear) = std::sync::mpsc::channel();
    let (leave, left) = std::sync::mpsc::channel::<()>();
    let sender = held.get();
    let holder = std::thread::spawn(move || {
        ok(c!(tdshm_sender_lock(held.get(), TDSHM_DEFAULT, null_mut(), null_mut(), null_mut())));
        say.send(()).unwrap();
        let _ = left.recv();
        ok(tdshm_sender_unlock(held.get()));
    });
    hear.recv().unwrap();
    assert_eq!(tdshm_sender_free(sender), TDSHM_ERR_IN_USE);
    assert_eq!(c!(tdshm_sender_detach(sender, null_mut())), TDSHM_ERR_IN_USE);
    assert_eq!(c!(tdshm_lock_try_acquire(lock, null_mut())), TDSHM_NOT_FREE);
    drop(leave);
    holder.join().unwrap();
    assert!(!was_abandoned(lock));
    ok(tdshm_sender_free(sender));
    ok(tdshm_lock_free(lock));
}

#[test]
fn a_receiver_that_an_ended_thread_locked_reads_on_and_is_freed() {
    let name = Name::new("er");
    let (sender, lock) = (sender(&name), data_lock(&name));
    for frees in [false, true] {
        let receiver = receiver(&name);
        let passed = Passed(receiver);
        ok(on_a_thread(move || {
            c!(tdshm_receiver_lock(passed.get(), TDSHM_DEFAULT, null_mut(), null_mut(), null_mut()))
        }));
        if frees {
            ok(tdshm_receiver_free(receiver));
            assert!(was_abandoned(lock) && !was_abandoned(lock));
            continue;
        }
        let mut abandoned = 0;
        ok(c!(tdshm_receiver_lock(receiver, TDSHM_DEFAULT, null_mut(), null_mut(), &raw mut abandoned)));
        assert_eq!(abandoned, 1);
        ok(tdshm_receiver_unlock(receiver));
        ok(tdshm_receiver_close(receiver));
        ok(tdshm_receiver_free(receiver));
        assert!(!was_abandoned(lock));
    }
    ok(tdshm_sender_free(sender));
    ok(tdshm_lock_free(lock));
    remove_lock(&name);
}

#[test]
fn a_lock_that_an_ended_thread_took_is_taken_again_and_freed() {
    let name = Name::new("ek");
    // A segment's, so that it is cleaned away with that.
    let (sender, one, other) = (sender(&name), data_lock(&name), data_lock(&name));
    let take = |lock| {
        let passed = Passed(lock);
        ok(on_a_thread(move || c!(tdshm_lock_acquire(passed.get(), TDSHM_DEFAULT, null_mut()))));
    };
    take(one);
    assert!(was_abandoned(one), "through the same handle");
    take(one);
    assert!(was_abandoned(other), "through another one");
    assert!(!was_abandoned(one));
    take(one);
    ok(tdshm_lock_free(one));
    assert!(was_abandoned(other) && !was_abandoned(other));
    ok(tdshm_lock_free(other));
    ok(tdshm_sender_free(sender));
    remove_lock(&name);
}

#[test]
fn a_view_of_an_ended_thread_is_left_behind() {
    let name = Name::new("ev");
    let ((text, length), mut sender, mut receiver) = (name.text(), null_mut(), null_mut());
    ok(c!(tdshm_chop_sender_create(text, length, null(), &raw mut sender)));
    let samples = [1.0_f32, 2.0, 3.0];
    ok(c!(tdshm_chop_sender_send(sender, samples.as_ptr(), 1, 3)));
    ok(c!(tdshm_chop_receiver_open(text, length, null(), &raw mut receiver)));
    let view = |receiver| {
        let mut frame = sized!(tdshm_chop_frame_t);
        (c!(tdshm_chop_receiver_view(receiver, &raw mut frame)), frame.abandoned)
    };
    let passed = Passed(receiver);
    assert_eq!(on_a_thread(move || view(passed.get())), (TDSHM_OK, 0));
    let (status, abandoned) = view(receiver);
    assert_eq!((status, abandoned), (TDSHM_OK, 1));
    ok(tdshm_chop_receiver_free(receiver));
    ok(c!(tdshm_chop_sender_send(sender, samples.as_ptr(), 1, 3)));
    ok(tdshm_chop_sender_free(sender));
}
