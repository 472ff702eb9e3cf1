//! Receives channels.

use core::ffi::c_char;

use tdshm::{ChopFrame, ChopReceiver, ChopShape, ChopView};

use crate::call::{exclusive, exclusive_long, free, make};
use crate::caller::{Caller, age_ns, count_or_unknown, duration, sized, zeroed};
use crate::handle::Handle;
use crate::handle::gate::Inside;
use crate::held::Lender;
use crate::segment::{self, tdshm_attached_t, tdshm_receiver_options_t, tdshm_stats_t};
use crate::status::{
    Fault, Outcome, TDSHM_NO_NEW_FRAME, TDSHM_NOT_FOUND, TDSHM_NOTHING_YET, TDSHM_OK, tdshm_status_t,
};

/// Reads channels out of another program's segment: a Shared Mem In CHOP.
#[derive(Debug)]
pub enum tdshm_chop_receiver_t {}

/// A frame of channels. Set `struct_size` first: TDSHM_INIT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tdshm_chop_frame_t {
    /// sizeof(tdshm_chop_frame_t).
    pub struct_size: u32,
    /// 1: the last holder of the lock died with it, and the frame may be half of one; else 0.
    pub abandoned: i32,
    /// Channels; none is a valid frame.
    pub num_channels: u64,
    /// Samples in each channel; none is a valid frame.
    pub len_samples: u64,
    /// All of channel 0, then all of channel 1, and so on; NULL where the samples were copied elsewhere.
    pub samples: *const f32,
    /// Samples per second, in Hz.
    pub sample_rate: f32,
    /// 0.
    pub reserved: u32,
    /// The number that the sender gave it, from 1; -1 where that is not known, as of all foreign senders.
    pub number: i64,
    /// How many frames came between this one and the one that was taken before it; -1 where that is not known.
    pub missed: i64,
    /// How old it was when it was taken, in nanoseconds; -1 where that is not known.
    pub age_ns: i64,
}

/// Opens the segment `name`, which is UTF-8 on every system, and whose sender may come later: that nobody sends yet is no
/// error. `options` may be NULL. What comes of it is freed with tdshm_chop_receiver_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_receiver_open(
    name: *const c_char,
    name_bytes: usize,
    options: *const tdshm_receiver_options_t,
    receiver: *mut *mut tdshm_chop_receiver_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    make(&caller, receiver, || open(caller.text(name, name_bytes)?, &caller.options(options)?))
}

/// Frees the receiver, the memory of its last frame, and a view that this thread has through it.
///
/// Freeing NULL does nothing. TDSHM_ERR_IN_USE while another thread has a view or waits: then it is not freed.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_chop_receiver_free(receiver: *mut tdshm_chop_receiver_t) -> tdshm_status_t {
    free(receiver)
}

/// Copies the next frame that differs from the last one into the receiver's own memory, waiting for it, and for its sender,
/// `timeout_ns` nanoseconds at most; 0 only looks. `frame`, which may be NULL, is told what came.
///
/// A sender of this library wakes it; a foreign one is looked at once a millisecond, without the lock. Other threads are
/// refused this handle with TDSHM_ERR_IN_USE while it waits.
///
/// TDSHM_NO_NEW_FRAME where none came. After an error `frame` is untouched, and the last good frame is still there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_receiver_next(
    receiver: *mut tdshm_chop_receiver_t,
    timeout_ns: i64,
    frame: *mut tdshm_chop_frame_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive_long(receiver, move |receiver, inside| receiver.next(&caller, timeout_ns, frame, inside))
}

/// Copies the newest frame into the receiver's own memory, whether or not it differs from the last. `frame` may be NULL.
///
/// TDSHM_NOTHING_YET while there is no sender, or it has not written yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_receiver_read(
    receiver: *mut tdshm_chop_receiver_t,
    frame: *mut tdshm_chop_frame_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| receiver.read(&caller, frame))
}

/// The last good frame that tdshm_chop_receiver_next or _read took. TDSHM_NOTHING_YET before the first.
///
/// Its pointers are valid until the next call of _next, _read or _free with this handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_receiver_frame(
    receiver: *mut tdshm_chop_receiver_t,
    frame: *mut tdshm_chop_frame_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| receiver.frame(&caller, frame))
}

/// Copies the newest frame's samples into `samples`, which has room for `capacity` of them: all of channel 0 first. `frame`, which
/// may be NULL, is told its measures; its `samples` is NULL. The names of the channels are those of this frame afterwards.
///
/// TDSHM_NOTHING_YET as tdshm_chop_receiver_read. TDSHM_ERR_BLOCK where the buffer is too short: nothing has been copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_receiver_read_into(
    receiver: *mut tdshm_chop_receiver_t,
    samples: *mut f32,
    capacity: usize,
    frame: *mut tdshm_chop_frame_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| receiver.read_into(&caller, samples, capacity, frame))
}

/// Lends the name of channel `index`, counted from 0, of the newest frame that was looked at: UTF-8 of `*name_bytes` bytes, without a
/// NUL behind it. Valid until the next call with this handle that looks, or _free.
///
/// TDSHM_NOT_FOUND where there are not so many channels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_receiver_channel_name(
    receiver: *mut tdshm_chop_receiver_t,
    index: usize,
    name: *mut *const c_char,
    name_bytes: *mut usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| receiver.channel_name(&caller, index, name, name_bytes))
}

/// The position, from 0, of the first channel with that name in the newest frame that was looked at.
///
/// TDSHM_NOT_FOUND where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_receiver_find_channel(
    receiver: *mut tdshm_chop_receiver_t,
    name: *const c_char,
    name_bytes: usize,
    index: *mut usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| receiver.find_channel(&caller, name, name_bytes, index))
}

/// Lends the newest frame where it lies, under the lock: no copy. Its pointers are valid until tdshm_chop_receiver_end_view.
/// Everybody else waits until then, TouchDesigner included, so be quick. Its number, age and what was missed are not known.
///
/// TDSHM_NOTHING_YET, with nothing locked, while there is no sender, or it has not written yet. TDSHM_ERR_ONLY_OBSERVED where this is
/// an observer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_receiver_view(
    receiver: *mut tdshm_chop_receiver_t,
    frame: *mut tdshm_chop_frame_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| receiver.view(&caller, frame))
}

/// Ends tdshm_chop_receiver_view: lets go of the lock.
///
/// TDSHM_ERR_NOT_LOCKED where there is no view, TDSHM_ERR_WRONG_THREAD where another thread has it.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_chop_receiver_end_view(receiver: *mut tdshm_chop_receiver_t) -> tdshm_status_t {
    exclusive(receiver, move |receiver| receiver.end_view())
}

/// The state that TouchDesigner's own class would report after the last look, as tdshm_receiver_state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_receiver_state(
    receiver: *mut tdshm_chop_receiver_t,
    state: *mut tdshm_status_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| caller.put(state, receiver.owner()?.state() as i32))
}

/// Whether there was a sender at the last look: TDSHM_ATTACHED_….
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_receiver_attached(
    receiver: *mut tdshm_chop_receiver_t,
    attached: *mut tdshm_attached_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| caller.put(attached, segment::attached(receiver.owner()?.attached())))
}

/// Copies the short name with a NUL behind it, as tdshm_copy_last_error copies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_receiver_name(
    receiver: *mut tdshm_chop_receiver_t,
    buffer: *mut c_char,
    capacity: usize,
    needed: *mut usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| {
        caller.copy_text(receiver.owner()?.name().as_str(), buffer, capacity, needed)
    })
}

/// What has happened to the segment so far.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_chop_receiver_stats(
    receiver: *mut tdshm_chop_receiver_t,
    stats: *mut tdshm_stats_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| caller.write(stats, receiver.owner()?.stats().into()))
}

/// Changes how long is waited for a lock from now on, in nanoseconds; 0 does not wait.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_chop_receiver_set_lock_limit(
    receiver: *mut tdshm_chop_receiver_t,
    limit_ns: i64,
) -> tdshm_status_t {
    exclusive(receiver, move |receiver| {
        receiver.owner()?.set_lock_limit(duration(limit_ns)?);
        Ok(TDSHM_OK)
    })
}

/// Changes how long tdshm_chop_receiver_next looks without a pause before it sleeps, in nanoseconds.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_chop_receiver_set_spin(
    receiver: *mut tdshm_chop_receiver_t,
    spin_ns: i64,
) -> tdshm_status_t {
    exclusive(receiver, move |receiver| {
        receiver.owner()?.set_spin(duration(spin_ns)?);
        Ok(TDSHM_OK)
    })
}

/// Lets go of everything that is open, so that the sender neither waits for this receiver nor keeps its objects for it. The
/// last frame stays; the next look opens it again.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_chop_receiver_close(receiver: *mut tdshm_chop_receiver_t) -> tdshm_status_t {
    exclusive(receiver, move |receiver| {
        receiver.owner()?.close();
        Ok(TDSHM_OK)
    })
}

/// The receiver, and the view of its segment.
pub(crate) type Receiver = Lender<ChopReceiver, ChopView<'static>>;

impl Handle for tdshm_chop_receiver_t {
    type Object = Receiver;
    const TAG: u8 = 0x55;

    fn may_go(object: &mut Receiver) -> Result<(), Fault> {
        object.may_go()
    }
}

fn open(name: &str, options: &tdshm_receiver_options_t) -> Result<Receiver, Fault> {
    let mut receiver = ChopReceiver::over(segment::receiver::open(name, options)?);
    receiver.set_spin(duration(options.spin_ns)?);
    Ok(Lender::new(receiver))
}

fn described(frame: &ChopFrame) -> tdshm_chop_frame_t {
    tdshm_chop_frame_t {
        samples: frame.samples().as_ptr(),
        abandoned: i32::from(frame.is_abandoned()),
        number: count_or_unknown(frame.number()),
        missed: count_or_unknown(frame.missed()),
        age_ns: age_ns(frame.age()),
        ..shaped(frame.shape())
    }
}

fn shaped(shape: ChopShape) -> tdshm_chop_frame_t {
    tdshm_chop_frame_t {
        num_channels: shape.num_channels as u64,
        len_samples: shape.len_samples as u64,
        sample_rate: shape.sample_rate,
        number: -1,
        missed: -1,
        age_ns: -1,
        ..zeroed()
    }
}

impl Receiver {
    fn next(
        &mut self,
        caller: &Caller,
        timeout_ns: i64,
        frame: *mut tdshm_chop_frame_t,
        inside: &dyn Inside,
    ) -> Outcome {
        caller.check_struct(frame)?;
        let receiver = self.owner()?;
        let next = match timeout_ns {
            0 => receiver.try_next()?,
            ns => {
                let limit = duration(ns)?;
                inside.lengthen();
                receiver.next_timeout(limit)?
            }
        };
        let Some(next) = next else { return Ok(TDSHM_NO_NEW_FRAME) };
        caller.write_if(frame, described(next))?;
        Ok(TDSHM_OK)
    }

    fn read(&mut self, caller: &Caller, frame: *mut tdshm_chop_frame_t) -> Outcome {
        caller.check_struct(frame)?;
        let Some(newest) = self.owner()?.read()? else { return Ok(TDSHM_NOTHING_YET) };
        caller.write_if(frame, described(newest))?;
        Ok(TDSHM_OK)
    }

    fn frame(&mut self, caller: &Caller, frame: *mut tdshm_chop_frame_t) -> Outcome {
        let Some(last) = self.owner()?.frame() else { return Ok(TDSHM_NOTHING_YET) };
        caller.write(frame, described(last))
    }

    fn read_into(
        &mut self,
        caller: &Caller,
        samples: *mut f32,
        capacity: usize,
        frame: *mut tdshm_chop_frame_t,
    ) -> Outcome {
        caller.check_struct(frame)?;
        let to = caller.slice_mut(samples, capacity)?;
        let Some(shape) = self.owner()?.read_into(to)? else { return Ok(TDSHM_NOTHING_YET) };
        caller.write_if(frame, shaped(shape))?;
        Ok(TDSHM_OK)
    }

    fn view(&mut self, caller: &Caller, frame: *mut tdshm_chop_frame_t) -> Outcome {
        caller.write(frame, zeroed())?;
        let Some(view) = self.lend(|receiver| Ok(receiver.view()?))? else { return Ok(TDSHM_NOTHING_YET) };
        let lent = tdshm_chop_frame_t {
            samples: view.samples().as_ptr(),
            abandoned: i32::from(view.is_abandoned()),
            ..shaped(view.shape())
        };
        caller.write(frame, lent)
    }

    fn end_view(&mut self) -> Outcome {
        self.end()?;
        Ok(TDSHM_OK)
    }

    fn names(&mut self) -> Result<&[String], Fault> {
        if self.is_lent() { Ok(self.guard()?.names()) } else { Ok(self.owner()?.names()) }
    }

    fn channel_name(
        &mut self,
        caller: &Caller,
        index: usize,
        name: *mut *const c_char,
        name_bytes: *mut usize,
    ) -> Outcome {
        let text = self.names()?.get(index);
        caller.put(name, text.map_or(core::ptr::null(), |text| text.as_ptr().cast()))?;
        caller.put(name_bytes, text.map_or(0, String::len))?;
        Ok(if text.is_some() { TDSHM_OK } else { TDSHM_NOT_FOUND })
    }

    fn find_channel(
        &mut self,
        caller: &Caller,
        name: *const c_char,
        name_bytes: usize,
        index: *mut usize,
    ) -> Outcome {
        let name = caller.text(name, name_bytes)?;
        let found = self.names()?.iter().position(|other| other == name);
        caller.put(index, found.unwrap_or(0))?;
        Ok(if found.is_some() { TDSHM_OK } else { TDSHM_NOT_FOUND })
    }
}

sized!(tdshm_chop_frame_t);
