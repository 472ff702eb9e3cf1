//! Sends channels.

use core::ffi::c_char;

use tdshm::{ChopDraft, ChopSender};

use crate::call::{exclusive, free, make};
use crate::caller::{Caller, ceiling, duration, limit, size, sized, tdshm_text_t};
use crate::handle::Handle;
use crate::segment::tdshm_stats_t;
use crate::status::{
    Fault, Outcome, TDSHM_ERR_DETACHED, TDSHM_ERR_NOT_LOCKED, TDSHM_ERR_UNFINISHED, TDSHM_OK, tdshm_status_t,
};

/// Writes channels into a segment of its own: a Shared Mem Out CHOP.
#[derive(Debug)]
pub enum tdshm_chop_sender_t {}

/// For `slots`: none at all.
pub const TDSHM_NO_SLOTS: i32 = -1;

/// How a sender of channels is created. All zero but for `struct_size` (TDSHM_INIT) are the usual settings.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tdshm_chop_sender_options_t {
    /// sizeof(tdshm_chop_sender_options_t).
    pub struct_size: u32,
    /// As in tdshm_sender_options_t.
    pub mode: u32,
    /// As in tdshm_sender_options_t.
    pub take_over: i32,
    /// Not 0: names are not sent; a receiver keeps those that it had.
    pub without_names: i32,
    /// The names of the channels, `num_channels` of them; NULL: they are called `chan1`, `chan2`, …. With names every frame
    /// has as many channels as there are names.
    pub channels: *const tdshm_text_t,
    /// How many names there are.
    pub num_channels: u64,
    /// Samples per second, in Hz; 0 stands for 60.
    pub sample_rate: f32,
    /// Places for the data beside one another, of which receivers read one while another is filled: 0 leaves it to the
    /// sender, 2 to 4 are so many, TDSHM_NO_SLOTS none.
    pub slots: i32,
    /// Room for frames of so many channels…
    pub room_channels: u64,
    /// … of so many samples each; 0 leaves 64 KiB in all.
    pub room_samples: u64,
    /// As in tdshm_sender_options_t.
    pub room_ceiling_bytes: u64,
    /// As in tdshm_sender_options_t.
    pub lock_limit_ns: i64,
}

/// Creates a sender of channels under the short name `name`, which is UTF-8 on every system. `options` may be NULL.
///
/// Errors as tdshm_sender_create, and TDSHM_ERR_BLOCK for names that hold NUL or a rate that is not finite and positive. What comes
/// of it is freed with tdshm_chop_sender_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_sender_create(
    name: *const c_char,
    name_bytes: usize,
    options: *const tdshm_chop_sender_options_t,
    sender: *mut *mut tdshm_chop_sender_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    make(&caller, sender, || create(&caller, caller.text(name, name_bytes)?, &caller.options(options)?))
}

/// Sends one frame: all samples of channel 0, then all of channel 1, and so on, `num_channels` times `len_samples` in all.
///
/// A block that does not fit the room moves to a larger segment, and receivers follow. No call to the system is made where the lock
/// is free and nobody waits, and nothing is allocated while the layout stays. A frame without samples (`len_samples` 0) has as many
/// channels as there are names.
///
/// TDSHM_ERR_BLOCK for a number of channels that is not the number of names, or a block above 2 GiB: nothing was written.
/// TDSHM_ERR_LOCK_TIMEOUT where the lock was not free within the limit: the frame is lost, the next one may work.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_sender_send(
    sender: *mut tdshm_chop_sender_t,
    samples: *const f32,
    num_channels: usize,
    len_samples: usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| sender.send(&caller, samples, num_channels, len_samples))
}

/// Sends one frame whose channels lie in different places: `rows` has `num_channels` pointers to `len_samples` samples each.
///
/// As tdshm_chop_sender_send.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_sender_send_rows(
    sender: *mut tdshm_chop_sender_t,
    rows: *const *const f32,
    num_channels: usize,
    len_samples: usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| sender.send_rows(&caller, rows, num_channels, len_samples))
}

/// Begins a frame that is filled in place: `*samples` is where its `num_channels` times `len_samples` samples go, all of channel 0
/// first, with whatever lies there. Nobody reads there, and no lock is held: take your time.
///
/// It ends with tdshm_chop_sender_commit or tdshm_chop_sender_discard, from any thread, and the pointer ends with it. Until then
/// the other calls that send give TDSHM_ERR_UNFINISHED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_sender_begin(
    sender: *mut tdshm_chop_sender_t,
    num_channels: usize,
    len_samples: usize,
    samples: *mut *mut f32,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| sender.begin(&caller, num_channels, len_samples, samples))
}

/// Sends the frame that tdshm_chop_sender_begin began. Whatever comes of it, the draft has ended.
///
/// TDSHM_ERR_NOT_LOCKED where nothing was begun; otherwise as tdshm_chop_sender_send.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_chop_sender_commit(sender: *mut tdshm_chop_sender_t) -> tdshm_status_t {
    exclusive(sender, move |sender| sender.commit())
}

/// Throws away what tdshm_chop_sender_begin began. TDSHM_ERR_NOT_LOCKED where nothing was begun.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_chop_sender_discard(sender: *mut tdshm_chop_sender_t) -> tdshm_status_t {
    exclusive(sender, move |sender| sender.discard())
}

/// Names the channels from the next frame on; none: they are called `chan1`, `chan2`, ….
///
/// TDSHM_ERR_BLOCK for a name that holds NUL: the old names stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_sender_set_channels(
    sender: *mut tdshm_chop_sender_t,
    names: *const tdshm_text_t,
    num_names: usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| {
        let names = caller.texts(names, num_names)?;
        sender.owner()?.set_channels(names)?;
        Ok(TDSHM_OK)
    })
}

/// Sets the sample rate, in Hz, from the next frame on.
///
/// TDSHM_ERR_BLOCK for a rate that is not finite and positive: the old rate stays.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_chop_sender_set_sample_rate(
    sender: *mut tdshm_chop_sender_t,
    sample_rate: f32,
) -> tdshm_status_t {
    exclusive(sender, move |sender| {
        sender.owner()?.set_sample_rate(sample_rate)?;
        Ok(TDSHM_OK)
    })
}

/// Whether names are sent (not 0), which they are at first. Without them a receiver keeps the names it had.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_chop_sender_set_names_sent(
    sender: *mut tdshm_chop_sender_t,
    names_sent: i32,
) -> tdshm_status_t {
    exclusive(sender, move |sender| {
        sender.owner()?.set_names_sent(names_sent != 0);
        Ok(TDSHM_OK)
    })
}

/// Frees the sender: receivers are told that it left, and a draft is thrown away.
///
/// Freeing NULL does nothing. TDSHM_ERR_IN_USE while another thread is in a long call: then it is not freed.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_chop_sender_free(sender: *mut tdshm_chop_sender_t) -> tdshm_status_t {
    free(sender)
}

/// Leaves: tells the receivers and frees the name. The handle stays, to be freed. `alone` as in tdshm_sender_detach.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_sender_detach(
    sender: *mut tdshm_chop_sender_t,
    alone: *mut i32,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| {
        let is_alone = crate::discovery::is_alone(sender.owner()?.name().as_str());
        let left = sender.take()?.detach();
        caller.put_if(alone, i32::from(is_alone))?;
        left?;
        Ok(TDSHM_OK)
    })
}

/// Copies the short name with a NUL behind it, as tdshm_copy_last_error copies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_sender_name(
    sender: *mut tdshm_chop_sender_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| {
        caller.copy_text(sender.owner()?.name().as_str(), buffer, capacity, needed)
    })
}

/// What has happened to the segment so far.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_sender_stats(
    sender: *mut tdshm_chop_sender_t,
    stats: *mut tdshm_stats_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| caller.write(stats, sender.owner()?.stats().into()))
}

/// Frames sent so far.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_sender_frames(
    sender: *mut tdshm_chop_sender_t,
    frames: *mut u64,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| caller.put(frames, sender.owner()?.frames()))
}

/// Bytes of the largest block that fits without moving to a larger segment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_sender_room(
    sender: *mut tdshm_chop_sender_t,
    room_bytes: *mut usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| caller.put(room_bytes, sender.owner()?.room_bytes()))
}

/// Changes how long is waited for a lock from now on, in nanoseconds; 0 does not wait.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_chop_sender_set_lock_limit(
    sender: *mut tdshm_chop_sender_t,
    limit_ns: i64,
) -> tdshm_status_t {
    exclusive(sender, move |sender| {
        sender.owner()?.set_lock_limit(duration(limit_ns)?);
        Ok(TDSHM_OK)
    })
}

/// The sender, until it is detached, and what it has begun.
#[derive(Debug)]
pub(crate) struct Sender {
    sender: Option<ChopSender>,
    draft: Option<ChopDraft>,
    /// Empty between calls: kept so that sending rows allocates nothing.
    rows: Vec<&'static [f32]>,
}

impl Handle for tdshm_chop_sender_t {
    type Object = Sender;
    const TAG: u8 = 0x54;

    fn may_go(_: &mut Sender) -> Result<(), Fault> {
        Ok(())
    }
}

fn create(caller: &Caller, name: &str, options: &tdshm_chop_sender_options_t) -> Result<Sender, Fault> {
    let mut builder = ChopSender::builder(name)
        .take_over(options.take_over != 0)
        .names_sent(options.without_names == 0)
        .channels(caller.texts(options.channels, names_of(options)?)?);
    if options.mode != 0 {
        builder = builder.mode(options.mode);
    }
    if options.sample_rate != 0.0 {
        builder = builder.sample_rate(options.sample_rate);
    }
    if let Some(slots) = slots(options.slots)? {
        builder = builder.slots(slots);
    }
    if options.room_channels != 0 && options.room_samples != 0 {
        builder = builder.room_for(size(options.room_channels)?, size(options.room_samples)?);
    }
    if let Some(bytes) = ceiling(options.room_ceiling_bytes)? {
        builder = builder.room_ceiling(bytes);
    }
    if let Some(limit) = limit(options.lock_limit_ns)? {
        builder = builder.lock_limit(limit);
    }
    Ok(Sender { sender: Some(builder.create()?), draft: None, rows: Vec::new() })
}

fn names_of(options: &tdshm_chop_sender_options_t) -> Result<usize, Fault> {
    if options.channels.is_null() {
        return match options.num_channels {
            0 => Ok(0),
            many => {
                Err(Fault::argument(format!("num_channels is {many}, and channels is NULL: give the names")))
            }
        };
    }
    size(options.num_channels)
}

/// Slots as the core wants them; `None` leaves it to the sender.
pub(crate) fn slots(slots: i32) -> Result<Option<usize>, Fault> {
    match slots {
        0 => Ok(None),
        TDSHM_NO_SLOTS => Ok(Some(0)),
        count => usize::try_from(count)
            .map(Some)
            .map_err(|_| Fault::argument(format!("slots is {count}: give 0, 2 to 4, or TDSHM_NO_SLOTS"))),
    }
}

impl Sender {
    /// Whatever is begun or not.
    #[inline]
    fn owner(&mut self) -> Result<&mut ChopSender, Fault> {
        self.sender.as_mut().ok_or_else(|| Fault::plain(TDSHM_ERR_DETACHED))
    }

    fn take(&mut self) -> Result<ChopSender, Fault> {
        self.draft = None;
        self.sender.take().ok_or_else(|| Fault::plain(TDSHM_ERR_DETACHED))
    }

    /// For a frame that is not drawn: while one is, it would spoil it.
    #[inline]
    fn sender(&mut self) -> Result<&mut ChopSender, Fault> {
        if self.draft.is_some() {
            return Err(Fault::plain(TDSHM_ERR_UNFINISHED));
        }
        self.owner()
    }

    #[inline]
    fn send(
        &mut self,
        caller: &Caller,
        samples: *const f32,
        num_channels: usize,
        len_samples: usize,
    ) -> Outcome {
        let Some(count) = num_channels.checked_mul(len_samples) else { return Err(too_many()) };
        let samples = caller.slice(samples, count)?;
        self.sender()?.send_flat(samples, len_samples)?;
        Ok(TDSHM_OK)
    }

    fn send_rows(
        &mut self,
        caller: &Caller,
        rows: *const *const f32,
        num_channels: usize,
        len_samples: usize,
    ) -> Outcome {
        self.sender()?;
        let pointers = caller.slice(rows, num_channels)?;
        let mut rows: Vec<&[f32]> = core::mem::take(&mut self.rows);
        for pointer in pointers {
            match caller.slice(*pointer, len_samples) {
                Ok(row) => rows.push(row),
                Err(fault) => return Err(fault),
            }
        }
        let sent = self.sender()?.send(rows.as_slice());
        self.rows = rows.into_iter().take(0).map(|_| -> &'static [f32] { &[] }).collect();
        sent?;
        Ok(TDSHM_OK)
    }

    fn begin(
        &mut self,
        caller: &Caller,
        num_channels: usize,
        len_samples: usize,
        samples: *mut *mut f32,
    ) -> Outcome {
        caller.put(samples, core::ptr::null_mut())?;
        let mut draft = self.sender()?.draft(num_channels, len_samples)?;
        caller.put(samples, draft.as_mut_ptr())?;
        self.draft = Some(draft);
        Ok(TDSHM_OK)
    }

    fn commit(&mut self) -> Outcome {
        let draft = self.draft.take().ok_or_else(|| Fault::plain(TDSHM_ERR_NOT_LOCKED))?;
        self.owner()?.commit(&draft)?;
        Ok(TDSHM_OK)
    }

    fn discard(&mut self) -> Outcome {
        drop(self.draft.take().ok_or_else(|| Fault::plain(TDSHM_ERR_NOT_LOCKED))?);
        Ok(TDSHM_OK)
    }
}

#[cold]
fn too_many() -> Fault {
    Fault::argument("num_channels times len_samples is more than memory can have")
}

sized!(tdshm_chop_sender_options_t);
