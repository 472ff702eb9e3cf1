//! Receives images.

use core::ffi::{c_char, c_void};

use tdshm::{
    Convert, Encoding, HeaderVersion, LegacyFormat, PixelFormat, PixelsMut, RowOrder, Texels, TopColour,
    TopFrame, TopReceiver, TopShape, TopView,
};

use crate::call::{exclusive, exclusive_long, free, make};
use crate::caller::{Caller, age_ns, count_or_unknown, duration, sized, zeroed};
use crate::format::{self, tdshm_channel_type_t, tdshm_encoding_t, tdshm_format_t};
use crate::handle::Handle;
use crate::handle::gate::Inside;
use crate::held::Lender;
use crate::segment::{self, tdshm_attached_t, tdshm_receiver_options_t, tdshm_stats_t};
use crate::status::{Fault, Outcome, TDSHM_NO_NEW_FRAME, TDSHM_NOTHING_YET, TDSHM_OK, tdshm_status_t};
use crate::top::sender::{
    TDSHM_HEADER_LEGACY, TDSHM_HEADER_V1, TDSHM_HEADER_V2, rows, rows_number, tdshm_colour_t, tdshm_header_t,
    tdshm_rows_t, told_rows,
};

/// Reads images out of another program's segment: a Shared Mem In TOP.
#[derive(Debug)]
pub enum tdshm_top_receiver_t {}

/// An image. Set `struct_size` first: TDSHM_INIT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tdshm_top_frame_t {
    /// sizeof(tdshm_top_frame_t).
    pub struct_size: u32,
    /// 1: the last holder of the lock died with it, and the image may be half of one; else 0.
    pub abandoned: i32,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// What a pixel is: TDSHM_FORMAT_…, or a number that nobody knows here; of a legacy block its twin, or 0 where it has none.
    pub format: tdshm_format_t,
    /// Bytes of a pixel; 0 where the format is not known: then the bytes are there, and only their sender knows them.
    pub bytes_per_pixel: u32,
    /// Which row lies first: TDSHM_ROWS_TOP_FIRST or TDSHM_ROWS_BOTTOM_FIRST.
    pub rows: tdshm_rows_t,
    /// Which header the block has: TDSHM_HEADER_….
    pub header: tdshm_header_t,
    /// Of a legacy block: its three formats, which are OpenGL's; else 0.
    pub legacy_data_format: i32,
    /// As above.
    pub legacy_data_type: i32,
    /// As above.
    pub legacy_pixel_format: i32,
    /// The aspect of a pixel, as the block says it.
    pub aspect_x: f32,
    /// As above.
    pub aspect_y: f32,
    /// 1: `colour` is what the block says; else 0.
    pub has_colour: i32,
    /// What the numbers mean.
    pub colour: tdshm_colour_t,
    /// Bytes of a row, which is also how far the next one is; 0 where the format is not known.
    pub row_bytes: u64,
    /// Bytes of all rows.
    pub size_bytes: u64,
    /// The first byte of the first row; NULL where the pixels were copied elsewhere.
    pub pixels: *const c_void,
    /// As in tdshm_chop_frame_t.
    pub number: i64,
    /// As in tdshm_chop_frame_t.
    pub missed: i64,
    /// As in tdshm_chop_frame_t.
    pub age_ns: i64,
}

/// Opens the segment `name`, which is UTF-8 on every system, and whose sender may come later: that nobody sends yet is no
/// error. `options` may be NULL. What comes of it is freed with tdshm_top_receiver_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_receiver_open(
    name: *const c_char,
    name_bytes: usize,
    options: *const tdshm_receiver_options_t,
    receiver: *mut *mut tdshm_top_receiver_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    make(&caller, receiver, || open(caller.text(name, name_bytes)?, &caller.options(options)?))
}

/// Frees the receiver, the memory of its last frame, and a view that this thread has through it.
///
/// Freeing NULL does nothing. TDSHM_ERR_IN_USE while another thread has a view or waits: then it is not freed.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_top_receiver_free(receiver: *mut tdshm_top_receiver_t) -> tdshm_status_t {
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
pub unsafe extern "C" fn tdshm_top_receiver_next(
    receiver: *mut tdshm_top_receiver_t,
    timeout_ns: i64,
    frame: *mut tdshm_top_frame_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive_long(receiver, move |receiver, inside| receiver.next(&caller, timeout_ns, frame, inside))
}

/// Copies the newest frame into the receiver's own memory, whether or not it differs from the last. `frame` may be NULL.
///
/// TDSHM_NOTHING_YET while there is no sender, or it has not written yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_receiver_read(
    receiver: *mut tdshm_top_receiver_t,
    frame: *mut tdshm_top_frame_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| receiver.read(&caller, frame))
}

/// The last good frame that tdshm_top_receiver_next or _read took. TDSHM_NOTHING_YET before the first.
///
/// Its pointers are valid until the next call of _next, _read or _free with this handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_receiver_frame(
    receiver: *mut tdshm_top_receiver_t,
    frame: *mut tdshm_top_frame_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| receiver.frame(&caller, frame))
}

/// Copies the newest image into `pixels`, a buffer of `size_bytes` bytes, with `rows` saying which row comes first there and
/// `stride_bytes` how far rows are apart (0: right behind one another). What lies between rows is not touched. `frame`, which may
/// be NULL, is told its measures; its `pixels` is NULL, and its rows are those of the buffer.
///
/// TDSHM_NOTHING_YET as tdshm_top_receiver_read. TDSHM_ERR_BLOCK where the buffer is too short: nothing has been copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_receiver_read_into(
    receiver: *mut tdshm_top_receiver_t,
    pixels: *mut c_void,
    size_bytes: usize,
    stride_bytes: usize,
    rows: tdshm_rows_t,
    frame: *mut tdshm_top_frame_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| {
        receiver.read_into(&caller, pixels, size_bytes, stride_bytes, rows, frame)
    })
}

/// Converts the last good frame to red, green, blue, alpha of `channel_type` (TDSHM_RGBA8, TDSHM_RGBA16, TDSHM_RGBA32F) in `target`, a
/// buffer of `size_bytes` bytes; `rows`, `stride_bytes` and `encoding` as in tdshm_convert. Under no lock.
///
/// TDSHM_NOTHING_YET before the first frame, TDSHM_ERR_FORMAT, TDSHM_ERR_BUFFER.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_receiver_convert(
    receiver: *mut tdshm_top_receiver_t,
    channel_type: tdshm_channel_type_t,
    target: *mut c_void,
    size_bytes: usize,
    stride_bytes: usize,
    rows: tdshm_rows_t,
    encoding: tdshm_encoding_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| {
        receiver.convert(&caller, channel_type, target, size_bytes, stride_bytes, rows, encoding)
    })
}

/// Lends the newest frame where it lies, under the lock: no copy. Its pointers are valid until tdshm_top_receiver_end_view.
/// Everybody else waits until then, TouchDesigner included, so be quick. Its number, age and what was missed are not known.
///
/// TDSHM_NOTHING_YET, with nothing locked, while there is no sender, or it has not written yet. TDSHM_ERR_ONLY_OBSERVED where this is
/// an observer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_receiver_view(
    receiver: *mut tdshm_top_receiver_t,
    frame: *mut tdshm_top_frame_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| receiver.view(&caller, frame))
}

/// Ends tdshm_top_receiver_view: lets go of the lock.
///
/// TDSHM_ERR_NOT_LOCKED where there is no view, TDSHM_ERR_WRONG_THREAD where another thread has it.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_top_receiver_end_view(receiver: *mut tdshm_top_receiver_t) -> tdshm_status_t {
    exclusive(receiver, move |receiver| receiver.end_view())
}

/// The state that TouchDesigner's own class would report after the last look, as tdshm_receiver_state.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_receiver_state(
    receiver: *mut tdshm_top_receiver_t,
    state: *mut tdshm_status_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| caller.put(state, receiver.owner()?.state() as i32))
}

/// Whether there was a sender at the last look: TDSHM_ATTACHED_….
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_receiver_attached(
    receiver: *mut tdshm_top_receiver_t,
    attached: *mut tdshm_attached_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| caller.put(attached, segment::attached(receiver.owner()?.attached())))
}

/// Copies the short name with a NUL behind it, as tdshm_copy_last_error copies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_receiver_name(
    receiver: *mut tdshm_top_receiver_t,
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
pub unsafe extern "C" fn tdshm_top_receiver_stats(
    receiver: *mut tdshm_top_receiver_t,
    stats: *mut tdshm_stats_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(receiver, move |receiver| caller.write(stats, receiver.owner()?.stats().into()))
}

/// Changes how long is waited for a lock from now on, in nanoseconds; 0 does not wait.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_top_receiver_set_lock_limit(
    receiver: *mut tdshm_top_receiver_t,
    limit_ns: i64,
) -> tdshm_status_t {
    exclusive(receiver, move |receiver| {
        receiver.owner()?.set_lock_limit(duration(limit_ns)?);
        Ok(TDSHM_OK)
    })
}

/// Changes how long tdshm_top_receiver_next looks without a pause before it sleeps, in nanoseconds.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_top_receiver_set_spin(
    receiver: *mut tdshm_top_receiver_t,
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
pub extern "C" fn tdshm_top_receiver_close(receiver: *mut tdshm_top_receiver_t) -> tdshm_status_t {
    exclusive(receiver, move |receiver| {
        receiver.owner()?.close();
        Ok(TDSHM_OK)
    })
}

/// The receiver, and the view of its segment.
pub(crate) struct Receiver {
    lender: Lender<TopReceiver, TopView<'static>>,
    /// Which row lies first in the sender's blocks.
    stored: RowOrder,
}

impl Handle for tdshm_top_receiver_t {
    type Object = Receiver;
    const TAG: u8 = 0x57;

    fn may_go(object: &mut Receiver) -> Result<(), Fault> {
        object.lender.may_go()
    }
}

fn open(name: &str, options: &tdshm_receiver_options_t) -> Result<Receiver, Fault> {
    let stored = rows(options.stored_rows)?.unwrap_or(RowOrder::BottomFirst);
    let mut receiver = TopReceiver::over(segment::receiver::open(name, options)?).stored_rows(stored);
    receiver.set_spin(duration(options.spin_ns)?);
    Ok(Receiver { lender: Lender::new(receiver), stored })
}

fn described(frame: &TopFrame) -> tdshm_top_frame_t {
    tdshm_top_frame_t {
        pixels: frame.pixels().as_ptr().cast(),
        abandoned: i32::from(frame.is_abandoned()),
        number: count_or_unknown(frame.number()),
        missed: count_or_unknown(frame.missed()),
        age_ns: age_ns(frame.age()),
        ..shaped(&frame.shape(), frame.row_order())
    }
}

fn shaped(shape: &TopShape, rows: RowOrder) -> tdshm_top_frame_t {
    let legacy = match shape.texels {
        Texels::Legacy(legacy) => legacy,
        _ => LegacyFormat { data_format: 0, data_type: 0, pixel_format: 0 },
    };
    tdshm_top_frame_t {
        width: u32::try_from(shape.width).unwrap_or(u32::MAX),
        height: u32::try_from(shape.height).unwrap_or(u32::MAX),
        format: shape.texels.format().map_or(0, PixelFormat::number),
        bytes_per_pixel: shape.texels.bytes_per_pixel().and_then(|bytes| bytes.try_into().ok()).unwrap_or(0),
        rows: rows_number(rows),
        header: match shape.version {
            HeaderVersion::Legacy => TDSHM_HEADER_LEGACY,
            HeaderVersion::V2 => TDSHM_HEADER_V2,
            _ => TDSHM_HEADER_V1,
        },
        legacy_data_format: legacy.data_format,
        legacy_data_type: legacy.data_type,
        legacy_pixel_format: legacy.pixel_format,
        aspect_x: shape.aspect.0,
        aspect_y: shape.aspect.1,
        has_colour: i32::from(shape.colour.is_some()),
        colour: shape.colour.map_or_else(zeroed, |colour| tdshm_colour_t {
            primaries: colour.primaries,
            transfer: colour.transfer,
        }),
        row_bytes: shape.row_bytes().unwrap_or(0) as u64,
        size_bytes: shape.data_bytes as u64,
        number: -1,
        missed: -1,
        age_ns: -1,
        ..zeroed()
    }
}

impl Receiver {
    fn owner(&mut self) -> Result<&mut TopReceiver, Fault> {
        self.lender.owner()
    }

    fn next(
        &mut self,
        caller: &Caller,
        timeout_ns: i64,
        frame: *mut tdshm_top_frame_t,
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

    fn read(&mut self, caller: &Caller, frame: *mut tdshm_top_frame_t) -> Outcome {
        caller.check_struct(frame)?;
        let Some(newest) = self.owner()?.read()? else { return Ok(TDSHM_NOTHING_YET) };
        caller.write_if(frame, described(newest))?;
        Ok(TDSHM_OK)
    }

    fn frame(&mut self, caller: &Caller, frame: *mut tdshm_top_frame_t) -> Outcome {
        let Some(last) = self.owner()?.frame() else { return Ok(TDSHM_NOTHING_YET) };
        caller.write(frame, described(last))
    }

    fn read_into(
        &mut self,
        caller: &Caller,
        pixels: *mut c_void,
        size_bytes: usize,
        stride_bytes: usize,
        rows: tdshm_rows_t,
        frame: *mut tdshm_top_frame_t,
    ) -> Outcome {
        caller.check_struct(frame)?;
        let order = told_rows(rows)?;
        let bytes = caller.slice_mut(pixels.cast::<u8>(), size_bytes)?;
        let mut to = match order {
            RowOrder::TopFirst => PixelsMut::top_first(bytes),
            RowOrder::BottomFirst => PixelsMut::bottom_first(bytes),
        };
        if stride_bytes != 0 {
            to = to.stride(stride_bytes);
        }
        let Some(shape) = self.owner()?.read_into(to)? else { return Ok(TDSHM_NOTHING_YET) };
        caller.write_if(frame, shaped(&shape, order))?;
        Ok(TDSHM_OK)
    }

    #[expect(clippy::too_many_arguments, reason = "those of the function in C")]
    fn convert(
        &mut self,
        caller: &Caller,
        channel_type: tdshm_channel_type_t,
        target: *mut c_void,
        size_bytes: usize,
        stride_bytes: usize,
        rows: tdshm_rows_t,
        encoding: tdshm_encoding_t,
    ) -> Outcome {
        let Some(frame) = self.owner()?.frame() else { return Ok(TDSHM_NOTHING_YET) };
        let shape = frame.shape();
        let mut convert =
            Convert::new(shape.texels, shape.width, shape.height).rows(frame.row_order(), told_rows(rows)?);
        // What the block says of its numbers is better known than what its format says.
        match shape.colour.map(|colour| colour.transfer) {
            Some(transfer) if transfer == TopColour::SRGB.transfer => {
                convert = convert.stored_as(Encoding::Srgb);
            }
            Some(transfer) if transfer == TopColour::LINEAR.transfer => {
                convert = convert.stored_as(Encoding::Linear);
            }
            _ => {}
        }
        if let Some(wanted) = format::encoding(encoding)? {
            convert = convert.encode_as(wanted);
        }
        let source = frame.pixels();
        format::convert_to(caller, convert, source, channel_type, target, size_bytes, stride_bytes)
    }

    fn view(&mut self, caller: &Caller, frame: *mut tdshm_top_frame_t) -> Outcome {
        caller.write(frame, zeroed())?;
        let stored = self.stored;
        let view = self.lender.lend(|receiver| Ok(receiver.view()?))?;
        let Some(view) = view else { return Ok(TDSHM_NOTHING_YET) };
        let lent = tdshm_top_frame_t {
            pixels: view.pixels().as_ptr().cast(),
            abandoned: i32::from(view.is_abandoned()),
            ..shaped(&view.shape(), stored)
        };
        caller.write(frame, lent)
    }

    fn end_view(&mut self) -> Outcome {
        self.lender.end()?;
        Ok(TDSHM_OK)
    }
}

sized!(tdshm_top_frame_t);
