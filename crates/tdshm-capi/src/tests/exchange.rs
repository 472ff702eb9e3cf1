//! What goes in through C comes out through C and through Rust, and locks are kept between calls.

use std::ptr::{null, null_mut};
use std::sync::mpsc;

use super::{Name, last_error, ok};
use crate::caller::{TDSHM_DEFAULT, tdshm_text_t, zeroed};
use crate::chop::receiver::*;
use crate::chop::sender::*;
use crate::format::*;
use crate::lock::*;
use crate::segment::receiver::*;
use crate::segment::sender::*;
use crate::segment::{TDSHM_ATTACHED_YES, tdshm_stats_t};
use crate::status::*;
use crate::top::receiver::*;
use crate::top::sender::*;

fn sender(name: &Name, bytes: usize) -> *mut tdshm_sender_t {
    let ((text, length), mut sender) = (name.text(), null_mut());
    ok(c!(tdshm_sender_create(text, length, bytes, null(), &raw mut sender)));
    sender
}

fn chop_sender(name: &Name) -> *mut tdshm_chop_sender_t {
    let ((text, length), mut sender) = (name.text(), null_mut());
    ok(c!(tdshm_chop_sender_create(text, length, null(), &raw mut sender)));
    sender
}

#[test]
#[cfg(target_os = "linux")]
fn whether_a_foreign_sender_wrote_is_not_known() {
    let name = Name::new("fo");
    let ((text, length), mut receiver) = (name.text(), null_mut());
    ok(c!(tdshm_receiver_open(text, length, null(), &raw mut receiver)));
    assert_eq!(tdshm_receiver_wait(receiver, 0), TDSHM_NO_NEW_FRAME, "nobody is there");
    // Nothing but the data, which is all that some foreign senders have.
    let object = format!("/dev/shm/TouchSHM{}", name.0);
    std::fs::write(&object, [7_u8; 4096]).unwrap();
    for limit in [0, 1, 1_000_000_000] {
        assert_eq!(tdshm_receiver_wait(receiver, limit), TDSHM_NOT_KNOWN);
    }
    std::fs::remove_file(object).unwrap();
    ok(tdshm_receiver_close(receiver));
    let sender = sender(&name, 64);
    ok(c!(tdshm_sender_lock(sender, TDSHM_DEFAULT, null_mut(), null_mut(), null_mut())));
    ok(tdshm_sender_unlock(sender));
    ok(tdshm_receiver_wait(receiver, 1_000_000_000));
    assert_eq!(tdshm_receiver_wait(receiver, 0), TDSHM_NO_NEW_FRAME);
    ok(tdshm_receiver_free(receiver));
    ok(tdshm_sender_free(sender));
}

#[test]
fn a_segment_is_written_under_its_lock_and_read() {
    let name = Name::new("sg");
    let sender = sender(&name, 5000);
    let (mut memory, mut bytes, mut abandoned) = (null_mut(), 0, 7);
    let lock = |memory: &mut *mut core::ffi::c_void, bytes: &mut usize, abandoned: &mut i32| {
        c!(tdshm_sender_lock(sender, TDSHM_DEFAULT, memory, bytes, abandoned))
    };
    ok(lock(&mut memory, &mut bytes, &mut abandoned));
    assert!(bytes >= 5000 && abandoned == 0);
    assert_eq!(lock(&mut memory, &mut bytes, &mut abandoned), TDSHM_ERR_ALREADY_HELD);
    assert!(memory.is_null(), "nothing is handed out with an error");
    ok(c!(tdshm_sender_memory(sender, &raw mut memory, &raw mut bytes)));
    c!(memory.cast::<u32>().write(0x1234_5678));
    assert_eq!(c!(tdshm_sender_resize(sender, 9000, null(), 0)), TDSHM_ERR_UNFINISHED);
    ok(tdshm_sender_unlock(sender));
    assert_eq!(tdshm_sender_unlock(sender), TDSHM_ERR_NOT_LOCKED);

    let ((text, length), mut receiver) = (name.text(), null_mut());
    ok(c!(tdshm_receiver_open(text, length, null(), &raw mut receiver)));
    ok(tdshm_receiver_wait(receiver, 0));
    assert_eq!(tdshm_receiver_wait(receiver, 0), TDSHM_NO_NEW_FRAME);
    let limit = 1_000_000_000;
    ok(c!(tdshm_receiver_lock(receiver, limit, &raw mut memory, &raw mut bytes, null_mut())));
    assert_eq!(c!(memory.cast::<u32>().read()), 0x1234_5678);
    let mut other = 0;
    assert_eq!(
        c!(tdshm_sender_try_lock(sender, null_mut(), null_mut(), &raw mut other)),
        TDSHM_ERR_ALREADY_HELD,
        "by this thread, through the receiver"
    );
    ok(tdshm_receiver_unlock(receiver));
    let mut attached = 0;
    ok(c!(tdshm_receiver_attached(receiver, &raw mut attached)));
    assert_eq!(attached, TDSHM_ATTACHED_YES);

    let data = [9_u8; 20_000];
    ok(c!(tdshm_sender_resize(sender, 30_000, data.as_ptr().cast(), data.len())));
    ok(c!(tdshm_receiver_memory(receiver, &raw mut memory, &raw mut bytes)));
    assert!(bytes >= 30_000);
    assert_eq!(c!(memory.cast::<[u8; 20_000]>().read()), data);
    let mut stats = sized!(tdshm_stats_t);
    ok(c!(tdshm_receiver_stats(receiver, &raw mut stats)));
    assert_eq!((stats.resizes, stats.sender_pid), (1, std::process::id()));

    let mut alone = 7;
    ok(c!(tdshm_sender_detach(sender, &raw mut alone)));
    assert_eq!(alone, 0, "the receiver has it open");
    assert_eq!(tdshm_sender_set_lock_limit(sender, 1), TDSHM_ERR_DETACHED);
    assert_eq!(c!(tdshm_receiver_memory(receiver, &raw mut memory, &raw mut bytes)), TDSHM_NOTHING_YET);
    assert!(memory.is_null());
    let mut state = 0;
    ok(c!(tdshm_receiver_state(receiver, &raw mut state)));
    assert_eq!(state, TDSHM_ERR_INFO_DOES_NOT_EXIST);
    ok(tdshm_sender_free(sender));
    ok(tdshm_receiver_free(receiver));
}

/// A handle on another thread.
struct Elsewhere<T>(*mut T);
// SAFETY: a handle is a number, whose use by any thread is what is tested.
unsafe impl<T> Send for Elsewhere<T> {}

impl<T> Elsewhere<T> {
    fn get(self) -> *mut T {
        self.0
    }
}

#[test]
fn a_lock_belongs_to_its_thread() {
    let name = Name::new("lt");
    let sender = sender(&name, 64);
    ok(c!(tdshm_sender_lock(sender, 0, null_mut(), null_mut(), null_mut())));
    let object = format!("TouchSHM{}Mutex", name.0);
    let mut lock = null_mut();
    ok(c!(tdshm_lock_open(object.as_ptr().cast(), object.len(), &raw mut lock)));
    let (sender_there, lock_there) = (Elsewhere(sender), Elsewhere(lock));
    std::thread::spawn(move || {
        let (sender, lock) = (sender_there.get(), lock_there.get());
        assert_eq!(tdshm_sender_unlock(sender), TDSHM_ERR_WRONG_THREAD);
        let again = c!(tdshm_sender_lock(sender, 0, null_mut(), null_mut(), null_mut()));
        assert_eq!(again, TDSHM_ERR_IN_USE);
        assert_eq!(tdshm_sender_free(sender), TDSHM_ERR_IN_USE);
        assert_eq!(c!(tdshm_lock_try_acquire(lock, null_mut())), TDSHM_NOT_FREE);
        assert_eq!(c!(tdshm_lock_acquire(lock, 1000, null_mut())), TDSHM_ERR_LOCK_TIMEOUT);
        assert!(last_error().contains(&object), "{}", last_error());
        assert_eq!(tdshm_lock_release(lock), TDSHM_ERR_NOT_LOCKED);
    })
    .join()
    .unwrap();
    ok(tdshm_sender_unlock(sender));
    ok(c!(tdshm_lock_try_acquire(lock, null_mut())));
    let lock_there = Elsewhere(lock);
    std::thread::spawn(move || {
        let lock = lock_there.get();
        assert_eq!(tdshm_lock_release(lock), TDSHM_ERR_WRONG_THREAD);
        assert_eq!(tdshm_lock_free(lock), TDSHM_ERR_IN_USE);
    })
    .join()
    .unwrap();
    ok(tdshm_lock_free(lock));
    ok(c!(tdshm_sender_lock(sender, 0, null_mut(), null_mut(), null_mut())));
    ok(tdshm_sender_free(sender));
    let again = self::sender(&name, 64);
    ok(c!(tdshm_sender_lock(again, 0, null_mut(), null_mut(), null_mut())));
    ok(tdshm_sender_free(again));
}

#[test]
fn channels_go_through_in_every_way() {
    let name = Name::new("ch");
    let sender = chop_sender(&name);
    let names = ["tx", "ty"].map(tdshm_text_t::lent);
    ok(c!(tdshm_chop_sender_set_channels(sender, names.as_ptr(), 2)));
    let ((text, length), mut receiver) = (name.text(), null_mut());
    ok(c!(tdshm_chop_receiver_open(text, length, null(), &raw mut receiver)));
    let mut frame = sized!(tdshm_chop_frame_t);
    assert_eq!(c!(tdshm_chop_receiver_next(receiver, 0, &raw mut frame)), TDSHM_NO_NEW_FRAME);

    let mut expect = |samples: &[f32]| {
        ok(c!(tdshm_chop_receiver_next(receiver, 1_000_000_000, &raw mut frame)));
        assert_eq!((frame.num_channels, frame.len_samples), (2, samples.len() as u64 / 2));
        let lent: Vec<f32> = (0..samples.len()).map(|at| c!(frame.samples.add(at).read())).collect();
        assert_eq!(lent, samples);
        frame.number
    };
    ok(c!(tdshm_chop_sender_send(sender, [1.0, 2.0].as_ptr(), 2, 1)));
    assert_eq!(expect(&[1.0, 2.0]), 1);
    let rows = [[1.0_f32, 2.0, 3.0].as_ptr(), [4.0_f32, 5.0, 6.0].as_ptr()];
    ok(c!(tdshm_chop_sender_send_rows(sender, rows.as_ptr(), 2, 3)));
    assert_eq!(expect(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), 2);
    let mut draft = null_mut();
    for (round, number) in [(0, 3_i64), (1, 4)] {
        ok(c!(tdshm_chop_sender_begin(sender, 2, 20_000, &raw mut draft)));
        let one = [0.0; 2];
        assert_eq!(c!(tdshm_chop_sender_send(sender, one.as_ptr(), 2, 1)), TDSHM_ERR_UNFINISHED);
        for at in 0..40_000 {
            c!(draft.add(at).write((at + round) as f32));
        }
        ok(tdshm_chop_sender_commit(sender));
        let drawn: Vec<f32> = (0..40_000).map(|at| (at + round) as f32).collect();
        assert_eq!(expect(&drawn), number);
    }
    assert_eq!(tdshm_chop_sender_commit(sender), TDSHM_ERR_NOT_LOCKED);
    ok(c!(tdshm_chop_sender_begin(sender, 2, 1, &raw mut draft)));
    ok(tdshm_chop_sender_discard(sender));

    let (mut text, mut bytes, mut index) = (null(), 0, 9);
    ok(c!(tdshm_chop_receiver_channel_name(receiver, 1, &raw mut text, &raw mut bytes)));
    assert_eq!((bytes, c!(text.cast::<[u8; 2]>().read())), (2, *b"ty"));
    let ty = tdshm_text_t::lent("ty");
    ok(c!(tdshm_chop_receiver_find_channel(receiver, ty.text, ty.bytes, &raw mut index)));
    assert_eq!(index, 1);
    let none = c!(tdshm_chop_receiver_find_channel(receiver, ty.text, 1, &raw mut index));
    assert_eq!(none, TDSHM_NOT_FOUND);

    ok(c!(tdshm_chop_sender_send(sender, [7.0, 8.0].as_ptr(), 2, 1)));
    let mut buffer = [0.0_f32; 2];
    let short = c!(tdshm_chop_receiver_read_into(receiver, buffer.as_mut_ptr(), 1, null_mut()));
    assert_eq!(short, TDSHM_ERR_BLOCK, "{}", last_error());
    ok(c!(tdshm_chop_receiver_read_into(receiver, buffer.as_mut_ptr(), 2, null_mut())));
    assert_eq!(buffer, [7.0, 8.0]);
    let mut view = sized!(tdshm_chop_frame_t);
    ok(c!(tdshm_chop_receiver_view(receiver, &raw mut view)));
    assert_eq!(c!(view.samples.cast::<[f32; 2]>().read()), [7.0, 8.0]);
    assert_eq!(c!(tdshm_chop_receiver_read(receiver, null_mut())), TDSHM_ERR_UNFINISHED);
    ok(tdshm_chop_receiver_end_view(receiver));
    assert_eq!(tdshm_chop_receiver_end_view(receiver), TDSHM_ERR_NOT_LOCKED);
    ok(tdshm_chop_sender_free(sender));
    ok(tdshm_chop_receiver_free(receiver));
}

#[test]
fn images_go_through_either_way_up() {
    let name = Name::new("im");
    let ((text, length), mut sender, mut receiver) = (name.text(), null_mut(), null_mut());
    ok(c!(tdshm_top_sender_create(text, length, null(), &raw mut sender)));
    ok(c!(tdshm_top_receiver_open(text, length, null(), &raw mut receiver)));
    let bytes: [u8; 12] = core::array::from_fn(|at| at as u8);
    let mut pixels = sized!(tdshm_pixels_t);
    pixels.format = TDSHM_FORMAT_R8_UNORM;
    (pixels.width, pixels.height, pixels.stride_bytes) = (2, 3, 4);
    (pixels.data, pixels.size_bytes) = (bytes.as_ptr().cast(), 10);
    let no_order = c!(tdshm_top_sender_send(sender, &raw const pixels));
    assert_eq!(no_order, TDSHM_ERR_ARGUMENT, "{}", last_error());
    pixels.rows = TDSHM_ROWS_TOP_FIRST;
    ok(c!(tdshm_top_sender_send(sender, &raw const pixels)));
    assert_eq!(c!(tdshm_top_sender_keep(sender, &raw const pixels)), TDSHM_UNCHANGED);
    let mut frame = sized!(tdshm_top_frame_t);
    ok(c!(tdshm_top_receiver_next(receiver, 0, &raw mut frame)));
    assert_eq!((frame.width, frame.height, frame.format, frame.size_bytes), (2, 3, TDSHM_FORMAT_R8_UNORM, 6));
    assert_eq!((frame.rows, frame.row_bytes, frame.number), (TDSHM_ROWS_BOTTOM_FIRST, 2, 1));
    assert_eq!(c!(frame.pixels.cast::<[u8; 6]>().read()), [8, 9, 4, 5, 0, 1]);
    let mut copy = [0xff_u8; 8];
    let into = |copy: &mut [u8; 8]| {
        c!({
            let to = copy.as_mut_ptr().cast();
            tdshm_top_receiver_read_into(receiver, to, 8, 3, TDSHM_ROWS_TOP_FIRST, null_mut())
        })
    };
    ok(into(&mut copy));
    assert_eq!(copy, [0, 1, 0xff, 4, 5, 0xff, 8, 9]);
    let mut rgba = [0_u16; 24];
    ok(c!({
        let to = rgba.as_mut_ptr().cast();
        let rows = TDSHM_ROWS_TOP_FIRST;
        tdshm_top_receiver_convert(receiver, TDSHM_RGBA16, to, 48, 0, rows, TDSHM_ENCODING_DEFAULT)
    }));
    assert_eq!(rgba[20], 9 * 257);
    let mut draft = sized!(tdshm_draft_t);
    ok(c!(tdshm_top_sender_begin(sender, TDSHM_FORMAT_R8_UNORM, 2, 3, &raw mut draft)));
    assert_eq!((draft.size_bytes, draft.stride_bytes, draft.rows), (6, 2, TDSHM_ROWS_BOTTOM_FIRST));
    c!(draft.pixels.cast::<[u8; 6]>().write([6, 5, 4, 3, 2, 1]));
    ok(tdshm_top_sender_commit(sender));
    let mut view = sized!(tdshm_top_frame_t);
    ok(c!(tdshm_top_receiver_view(receiver, &raw mut view)));
    assert_eq!(c!(view.pixels.cast::<[u8; 6]>().read()), [6, 5, 4, 3, 2, 1]);
    ok(tdshm_top_receiver_end_view(receiver));
    ok(tdshm_top_sender_free(sender));
    ok(tdshm_top_receiver_free(receiver));
}

#[test]
fn arguments_that_lie_are_refused() {
    let name = Name::new("ar");
    let ((text, length), mut sender) = (name.text(), null_mut());
    let mut create = |options: &tdshm_chop_sender_options_t| {
        c!(tdshm_chop_sender_create(text, length, options, &raw mut sender))
    };
    let mut options: tdshm_chop_sender_options_t = zeroed();
    for size in [0, 4, 7, 4097, u32::MAX] {
        options.struct_size = size;
        assert_eq!(create(&options), TDSHM_ERR_STRUCT_SIZE, "{size}");
    }
    options = sized!(tdshm_chop_sender_options_t);
    options.num_channels = 2;
    assert_eq!(create(&options), TDSHM_ERR_ARGUMENT);
    options.num_channels = u64::MAX;
    options.channels = core::ptr::without_provenance(8);
    assert_eq!(create(&options), TDSHM_ERR_ARGUMENT);
    options = sized!(tdshm_chop_sender_options_t);
    options.sample_rate = f32::NAN;
    assert_eq!(create(&options), TDSHM_ERR_BLOCK);
    options.sample_rate = 0.0;
    options.lock_limit_ns = -5;
    assert_eq!(create(&options), TDSHM_ERR_ARGUMENT);
    options.lock_limit_ns = 0;
    // A header older than the library knew less of it.
    options.struct_size = 16;
    options.slots = 77;
    ok(create(&options));

    let samples = [0.0_f32; 2];
    let send =
        |samples: *const f32, channels, length| c!(tdshm_chop_sender_send(sender, samples, channels, length));
    assert_eq!(send(samples.as_ptr(), usize::MAX, 2), TDSHM_ERR_ARGUMENT);
    assert_eq!(send(samples.as_ptr(), usize::MAX / 4, 1), TDSHM_ERR_ARGUMENT);
    assert_eq!(send(null(), 2, 1), TDSHM_ERR_ARGUMENT);
    assert_eq!(send(samples.as_ptr().cast::<u8>().wrapping_add(1).cast(), 1, 1), TDSHM_ERR_ARGUMENT);
    let bad = tdshm_text_t { text: b"a\xff".as_ptr().cast(), bytes: 2 };
    assert_eq!(c!(tdshm_chop_sender_set_channels(sender, &raw const bad, 1)), TDSHM_ERR_TEXT);
    assert!(last_error().contains("byte 1"), "{}", last_error());
    ok(tdshm_chop_sender_free(sender));
}

#[test]
fn a_handle_that_waits_refuses_others() {
    let name = Name::new("wt");
    let ((text, length), mut receiver) = (name.text(), null_mut());
    ok(c!(tdshm_chop_receiver_open(text, length, null(), &raw mut receiver)));
    let there = Elsewhere(receiver);
    let (began, begins) = mpsc::channel();
    let waiter = std::thread::spawn(move || {
        let receiver = there.get();
        began.send(()).unwrap();
        let next = c!(tdshm_chop_receiver_next(receiver, 30_000_000_000, null_mut()));
        assert_eq!(next, TDSHM_OK);
    });
    begins.recv().unwrap();
    // It waits soon.
    while tdshm_chop_receiver_set_spin(receiver, 0) != TDSHM_ERR_IN_USE {
        std::thread::yield_now();
    }
    assert_eq!(tdshm_chop_receiver_free(receiver), TDSHM_ERR_IN_USE);
    let sender = chop_sender(&name);
    ok(c!(tdshm_chop_sender_send(sender, [1.0].as_ptr(), 1, 1)));
    waiter.join().unwrap();
    ok(tdshm_chop_receiver_free(receiver));
    ok(tdshm_chop_sender_free(sender));
}
