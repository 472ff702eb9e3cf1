//! A thread that waits through a handle while another one holds something through it: the wait is refused, what is held ends.

use core::ffi::c_char;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::{Name, ok};
use crate::caller::TDSHM_DEFAULT;
use crate::chop::receiver::*;
use crate::chop::sender::*;
use crate::format::*;
use crate::segment::receiver::*;
use crate::segment::tdshm_receiver_options_t;
use crate::status::*;
use crate::top::receiver::*;
use crate::top::sender::*;

const REFUSALS: u32 = if cfg!(miri) { 3 } else { 500 };
/// Short, so that the holder gets in between.
const LIMIT_NS: i64 = 1000;

/// One thread holds and lets go, another one waits, until the waits have been refused often enough.
fn contend(
    hold: impl Fn() -> tdshm_status_t,
    end: impl Fn() -> tdshm_status_t,
    wait: impl Fn() -> tdshm_status_t + Sync,
) {
    let (stop, refused) = (AtomicBool::new(false), AtomicU32::new(0));
    let mut ended = TDSHM_OK;
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                match wait() {
                    TDSHM_ERR_IN_USE => drop(refused.fetch_add(1, Ordering::Relaxed)),
                    TDSHM_OK | TDSHM_NO_NEW_FRAME => {}
                    status => return status,
                }
            }
            TDSHM_OK
        });
        while refused.load(Ordering::Relaxed) < REFUSALS && ended == TDSHM_OK && !waiting.is_finished() {
            // While the other one truly waits this one is refused.
            if hold() == TDSHM_OK {
                let before = refused.load(Ordering::Relaxed);
                // At least one wait falls into each hold.
                while refused.load(Ordering::Relaxed) == before && !waiting.is_finished() {
                    std::thread::yield_now();
                }
                ended = end();
            }
        }
        stop.store(true, Ordering::Relaxed);
        assert_eq!(waiting.join().unwrap(), TDSHM_OK);
    });
    assert_eq!(ended, TDSHM_OK, "a wait that is refused keeps nobody from letting go");
}

#[test]
fn a_lock_is_let_go_of_whoever_waits() {
    let name = Name::new("wl");
    let (sender, handle) = (channels(&name), open(&name, tdshm_receiver_open));
    let receiver = || core::ptr::without_provenance_mut::<tdshm_receiver_t>(handle);
    contend(
        || c!(tdshm_receiver_lock(receiver(), TDSHM_DEFAULT, null_mut(), null_mut(), null_mut())),
        || tdshm_receiver_unlock(receiver()),
        || tdshm_receiver_wait(receiver(), LIMIT_NS),
    );
    ok(tdshm_receiver_free(receiver()));
    ok(tdshm_chop_sender_free(sender));
}

#[test]
fn a_view_of_channels_is_ended_whoever_waits() {
    let name = Name::new("wc");
    let (sender, handle) = (channels(&name), open(&name, tdshm_chop_receiver_open));
    let receiver = || core::ptr::without_provenance_mut::<tdshm_chop_receiver_t>(handle);
    contend(
        || {
            let mut frame = sized!(tdshm_chop_frame_t);
            c!(tdshm_chop_receiver_view(receiver(), &raw mut frame))
        },
        || tdshm_chop_receiver_end_view(receiver()),
        || c!(tdshm_chop_receiver_next(receiver(), LIMIT_NS, null_mut())),
    );
    ok(tdshm_chop_receiver_free(receiver()));
    ok(tdshm_chop_sender_free(sender));
}

#[test]
fn a_view_of_an_image_is_ended_whoever_waits() {
    let name = Name::new("wt");
    let (sender, handle) = (image(&name), open(&name, tdshm_top_receiver_open));
    let receiver = || core::ptr::without_provenance_mut::<tdshm_top_receiver_t>(handle);
    contend(
        || {
            let mut frame = sized!(tdshm_top_frame_t);
            c!(tdshm_top_receiver_view(receiver(), &raw mut frame))
        },
        || tdshm_top_receiver_end_view(receiver()),
        || c!(tdshm_top_receiver_next(receiver(), LIMIT_NS, null_mut())),
    );
    ok(tdshm_top_receiver_free(receiver()));
    ok(tdshm_top_sender_free(sender));
}

type Open<R> = unsafe extern "C" fn(
    *const c_char,
    usize,
    *const tdshm_receiver_options_t,
    *mut *mut R,
) -> tdshm_status_t;

/// A receiver's handle, as the number that it is: threads share it.
fn open<R>(name: &Name, open: Open<R>) -> usize {
    let ((text, length), mut receiver) = (name.text(), null_mut());
    ok(c!(open(text, length, null(), &raw mut receiver)));
    receiver.addr()
}

fn channels(name: &Name) -> *mut tdshm_chop_sender_t {
    let ((text, length), mut sender) = (name.text(), null_mut());
    ok(c!(tdshm_chop_sender_create(text, length, null(), &raw mut sender)));
    let samples = [1.0_f32, 2.0, 3.0];
    ok(c!(tdshm_chop_sender_send(sender, samples.as_ptr(), 1, 3)));
    sender
}

fn image(name: &Name) -> *mut tdshm_top_sender_t {
    let ((text, length), mut sender) = (name.text(), null_mut());
    ok(c!(tdshm_top_sender_create(text, length, null(), &raw mut sender)));
    let (bytes, mut pixels) = ([1_u8, 2, 3, 4], sized!(tdshm_pixels_t));
    (pixels.width, pixels.height, pixels.format) = (2, 2, TDSHM_FORMAT_R8_UNORM);
    (pixels.rows, pixels.data, pixels.size_bytes) = (TDSHM_ROWS_TOP_FIRST, bytes.as_ptr().cast(), 4);
    ok(c!(tdshm_top_sender_send(sender, &raw const pixels)));
    sender
}
