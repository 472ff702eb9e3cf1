//! Sends images.

use core::ffi::{c_char, c_void};

use tdshm::{HeaderVersion, PixelFormat, Pixels, RowOrder, TopColour, TopDraft, TopSender};

use crate::call::{exclusive, free, make};
use crate::caller::{Caller, ceiling, duration, limit, plain, size, sized, zeroed};
use crate::chop::sender::slots;
use crate::format::tdshm_format_t;
use crate::handle::Handle;
use crate::segment::tdshm_stats_t;
use crate::status::{
    Fault, Outcome, TDSHM_ERR_DETACHED, TDSHM_ERR_NOT_LOCKED, TDSHM_ERR_UNFINISHED, TDSHM_OK,
    TDSHM_UNCHANGED, tdshm_status_t,
};

/// Writes images into a segment of its own: a Shared Mem Out TOP.
#[derive(Debug)]
pub enum tdshm_top_sender_t {}

/// Which row of an image lies first: TDSHM_ROWS_….
pub type tdshm_rows_t = i32;

/// As TouchDesigner: the bottom row for what lies in a segment. In what the caller gives it is no choice.
pub const TDSHM_ROWS_DEFAULT: i32 = 0;
/// The top row, as in picture files and cameras.
pub const TDSHM_ROWS_TOP_FIRST: i32 = 1;
/// The bottom row, as in TouchDesigner and OpenGL.
pub const TDSHM_ROWS_BOTTOM_FIRST: i32 = 2;

/// Which header an image has: TDSHM_HEADER_….
pub type tdshm_header_t = i32;

/// Version 1, which TouchDesigner reads since 2022; version 2 where a colour is given.
pub const TDSHM_HEADER_DEFAULT: i32 = 0;
/// Version 1.
pub const TDSHM_HEADER_V1: i32 = 1;
/// Version 2, with colour: TouchDesigner of 2025.
pub const TDSHM_HEADER_V2: i32 = 2;
/// That of TouchDesigner before 2022.
pub const TDSHM_HEADER_LEGACY: i32 = 3;

/// What the numbers of an image mean, in the block's own numbers.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tdshm_colour_t {
    /// 2: Rec.709, which sRGB has too.
    pub primaries: u32,
    /// 0: linear. 1: sRGB.
    pub transfer: u32,
}

/// An image of the caller's, as it lies. Set `struct_size` first: TDSHM_INIT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tdshm_pixels_t {
    /// sizeof(tdshm_pixels_t).
    pub struct_size: u32,
    /// What a pixel is: TDSHM_FORMAT_….
    pub format: tdshm_format_t,
    /// Pixels in a row, 1 to 32768.
    pub width: u32,
    /// Rows, 1 to 32768.
    pub height: u32,
    /// Which row lies first: TDSHM_ROWS_TOP_FIRST or TDSHM_ROWS_BOTTOM_FIRST. There is no default: say it.
    pub rows: tdshm_rows_t,
    /// The aspect of a pixel, both 0 for the sender's.
    pub aspect_x: f32,
    /// As above.
    pub aspect_y: f32,
    /// 0.
    pub reserved: u32,
    /// Bytes from the start of a row to that of the next; 0 where rows lie right behind one another.
    pub stride_bytes: u64,
    /// The first byte of the first row.
    pub data: *const c_void,
    /// How many bytes lie there.
    pub size_bytes: u64,
}

/// An image that is drawn in place. Set `struct_size` first: TDSHM_INIT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tdshm_draft_t {
    /// sizeof(tdshm_draft_t).
    pub struct_size: u32,
    /// Which row lies first there: TDSHM_ROWS_TOP_FIRST or TDSHM_ROWS_BOTTOM_FIRST.
    pub rows: tdshm_rows_t,
    /// The first byte of the first row.
    pub pixels: *mut c_void,
    /// All bytes.
    pub size_bytes: u64,
    /// Bytes from the start of a row to that of the next, which is what a row has.
    pub stride_bytes: u64,
}

/// How a sender of images is created. All zero but for `struct_size` (TDSHM_INIT) are the usual settings.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tdshm_top_sender_options_t {
    /// sizeof(tdshm_top_sender_options_t).
    pub struct_size: u32,
    /// As in tdshm_sender_options_t.
    pub mode: u32,
    /// As in tdshm_sender_options_t.
    pub take_over: i32,
    /// Which header images have: TDSHM_HEADER_….
    pub header: tdshm_header_t,
    /// Which row is to lie first in the segment: TDSHM_ROWS_….
    pub stored_rows: tdshm_rows_t,
    /// As in tdshm_chop_sender_options_t.
    pub slots: i32,
    /// Room for images of this format…
    pub room_format: tdshm_format_t,
    /// … this width…
    pub room_width: u32,
    /// … and this height; 0 leaves it to the first image.
    pub room_height: u32,
    /// The aspect of a pixel, both 0 for 1 and 1.
    pub aspect_x: f32,
    /// As above.
    pub aspect_y: f32,
    /// Not 0: `colour` is sent, for which the header must not be of version 1.
    pub has_colour: i32,
    /// What the numbers mean.
    pub colour: tdshm_colour_t,
    /// As in tdshm_sender_options_t.
    pub room_ceiling_bytes: u64,
    /// As in tdshm_sender_options_t.
    pub lock_limit_ns: i64,
}

/// Creates a sender of images under the short name `name`, which is UTF-8 on every system. `options` may be NULL.
///
/// Errors as tdshm_sender_create. What comes of it is freed with tdshm_top_sender_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_sender_create(
    name: *const c_char,
    name_bytes: usize,
    options: *const tdshm_top_sender_options_t,
    sender: *mut *mut tdshm_top_sender_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    make(&caller, sender, || create(caller.text(name, name_bytes)?, &caller.options(options)?))
}

/// Sends one image. Size and format may change from one to the next; what does not fit the room moves to a larger segment, and
/// receivers follow.
///
/// TDSHM_ERR_BLOCK for an image that cannot be one, or whose rows are not all there: nothing was written. TDSHM_ERR_LOCK_TIMEOUT where the
/// lock was not free within the limit: the image is lost, the next one may work.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_sender_send(
    sender: *mut tdshm_top_sender_t,
    pixels: *const tdshm_pixels_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| sender.send(&caller, pixels, false))
}

/// Sends an image again that is to stay: TDSHM_UNCHANGED where it lies there already, which takes as long to find out as to send
/// it. For senders of stills, a few times a second: foreign programs may have written over it, or come without being told.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_sender_keep(
    sender: *mut tdshm_top_sender_t,
    pixels: *const tdshm_pixels_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| sender.send(&caller, pixels, true))
}

/// Begins an image that is drawn in place: `draft` is told where its rows go, with whatever lies there. Nobody reads there, and no
/// lock is held: take your time.
///
/// It ends with tdshm_top_sender_commit or tdshm_top_sender_discard, from any thread, and the pointer ends with it. Until then
/// the other calls that send give TDSHM_ERR_UNFINISHED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_sender_begin(
    sender: *mut tdshm_top_sender_t,
    format: tdshm_format_t,
    width: u32,
    height: u32,
    draft: *mut tdshm_draft_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| sender.begin(&caller, format, width, height, draft))
}

/// Sends the image that tdshm_top_sender_begin began. Whatever comes of it, the draft has ended.
///
/// TDSHM_ERR_NOT_LOCKED where nothing was begun; otherwise as tdshm_top_sender_send.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_top_sender_commit(sender: *mut tdshm_top_sender_t) -> tdshm_status_t {
    exclusive(sender, move |sender| sender.commit())
}

/// Throws away what tdshm_top_sender_begin began. TDSHM_ERR_NOT_LOCKED where nothing was begun.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_top_sender_discard(sender: *mut tdshm_top_sender_t) -> tdshm_status_t {
    exclusive(sender, move |sender| sender.discard())
}

/// The aspect of a pixel from the next image on: both finite and above 0.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_top_sender_set_aspect(
    sender: *mut tdshm_top_sender_t,
    x: f32,
    y: f32,
) -> tdshm_status_t {
    exclusive(sender, move |sender| {
        sender.owner()?.set_aspect(x, y);
        Ok(TDSHM_OK)
    })
}

/// What the numbers of the pixels mean from the next image on; NULL says nothing any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_sender_set_colour(
    sender: *mut tdshm_top_sender_t,
    colour: *const tdshm_colour_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| {
        let colour = caller.get_if(colour)?;
        sender.owner()?.set_colour(colour.map(Into::into));
        Ok(TDSHM_OK)
    })
}

/// Frees the sender: receivers are told that it left, and a draft is thrown away.
///
/// Freeing NULL does nothing. TDSHM_ERR_IN_USE while another thread is in a long call: then it is not freed.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_top_sender_free(sender: *mut tdshm_top_sender_t) -> tdshm_status_t {
    free(sender)
}

/// Leaves: tells the receivers and frees the name. The handle stays, to be freed. `alone` as in tdshm_sender_detach.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_sender_detach(
    sender: *mut tdshm_top_sender_t,
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
pub unsafe extern "C" fn tdshm_top_sender_name(
    sender: *mut tdshm_top_sender_t,
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
pub unsafe extern "C" fn tdshm_top_sender_stats(
    sender: *mut tdshm_top_sender_t,
    stats: *mut tdshm_stats_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| caller.write(stats, sender.owner()?.stats().into()))
}

/// Frames sent so far.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_sender_frames(
    sender: *mut tdshm_top_sender_t,
    frames: *mut u64,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| caller.put(frames, sender.owner()?.frames()))
}

/// Bytes of the largest block that fits without moving to a larger segment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_top_sender_room(
    sender: *mut tdshm_top_sender_t,
    room_bytes: *mut usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(sender, move |sender| caller.put(room_bytes, sender.owner()?.room_bytes()))
}

/// Changes how long is waited for a lock from now on, in nanoseconds; 0 does not wait.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_top_sender_set_lock_limit(
    sender: *mut tdshm_top_sender_t,
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
    sender: Option<TopSender>,
    draft: Option<TopDraft>,
}

impl Handle for tdshm_top_sender_t {
    type Object = Sender;
    const TAG: u8 = 0x56;

    fn may_go(_: &mut Sender) -> Result<(), Fault> {
        Ok(())
    }
}

impl From<tdshm_colour_t> for TopColour {
    fn from(colour: tdshm_colour_t) -> Self {
        Self { primaries: colour.primaries, transfer: colour.transfer }
    }
}

/// The order that a number stands for; `None`: the usual one.
pub(crate) fn rows(rows: tdshm_rows_t) -> Result<Option<RowOrder>, Fault> {
    match rows {
        TDSHM_ROWS_DEFAULT => Ok(None),
        TDSHM_ROWS_TOP_FIRST => Ok(Some(RowOrder::TopFirst)),
        TDSHM_ROWS_BOTTOM_FIRST => Ok(Some(RowOrder::BottomFirst)),
        other => Err(Fault::argument(format!("{other} is no order of rows: give TDSHM_ROWS_…"))),
    }
}

/// An order that has to be said.
pub(crate) fn told_rows(told: tdshm_rows_t) -> Result<RowOrder, Fault> {
    rows(told)?.ok_or_else(|| {
        Fault::argument(
            "nobody says which row comes first: give TDSHM_ROWS_TOP_FIRST or TDSHM_ROWS_BOTTOM_FIRST",
        )
    })
}

/// The number of an order.
pub(crate) fn rows_number(rows: RowOrder) -> tdshm_rows_t {
    match rows {
        RowOrder::TopFirst => TDSHM_ROWS_TOP_FIRST,
        RowOrder::BottomFirst => TDSHM_ROWS_BOTTOM_FIRST,
    }
}

fn create(name: &str, options: &tdshm_top_sender_options_t) -> Result<Sender, Fault> {
    let mut builder = TopSender::builder(name).take_over(options.take_over != 0);
    if options.mode != 0 {
        builder = builder.mode(options.mode);
    }
    builder = match options.header {
        TDSHM_HEADER_DEFAULT => builder,
        TDSHM_HEADER_V1 => builder.header(HeaderVersion::V1),
        TDSHM_HEADER_V2 => builder.header(HeaderVersion::V2),
        TDSHM_HEADER_LEGACY => builder.header(HeaderVersion::Legacy),
        other => return Err(Fault::argument(format!("{other} is no header: give TDSHM_HEADER_…"))),
    };
    if let Some(rows) = rows(options.stored_rows)? {
        builder = builder.stored_rows(rows);
    }
    if let Some(slots) = slots(options.slots)? {
        builder = builder.slots(slots);
    }
    if options.room_width != 0 && options.room_height != 0 {
        let format = PixelFormat::from_number(options.room_format);
        builder = builder.room_for(format, options.room_width as usize, options.room_height as usize);
    }
    if options.aspect_x != 0.0 || options.aspect_y != 0.0 {
        builder = builder.aspect(options.aspect_x, options.aspect_y);
    }
    if options.has_colour != 0 {
        builder = builder.colour(options.colour.into());
    }
    if let Some(bytes) = ceiling(options.room_ceiling_bytes)? {
        builder = builder.room_ceiling(bytes);
    }
    if let Some(limit) = limit(options.lock_limit_ns)? {
        builder = builder.lock_limit(limit);
    }
    Ok(Sender { sender: Some(builder.create()?), draft: None })
}

impl Sender {
    /// Whatever is begun or not.
    fn owner(&mut self) -> Result<&mut TopSender, Fault> {
        self.sender.as_mut().ok_or_else(|| Fault::plain(TDSHM_ERR_DETACHED))
    }

    fn take(&mut self) -> Result<TopSender, Fault> {
        self.draft = None;
        self.sender.take().ok_or_else(|| Fault::plain(TDSHM_ERR_DETACHED))
    }

    /// For an image that is not drawn: while one is, it would spoil it.
    fn sender(&mut self) -> Result<&mut TopSender, Fault> {
        if self.draft.is_some() {
            return Err(Fault::plain(TDSHM_ERR_UNFINISHED));
        }
        self.owner()
    }

    fn send(&mut self, caller: &Caller, pixels: *const tdshm_pixels_t, keep: bool) -> Outcome {
        let sender = self.sender()?;
        let given = caller.read(pixels)?;
        let bytes = caller.slice(given.data.cast::<u8>(), size(given.size_bytes)?)?;
        let format = PixelFormat::from_number(given.format);
        let (width, height) = (given.width as usize, given.height as usize);
        let mut image = match told_rows(given.rows)? {
            RowOrder::TopFirst => Pixels::top_first(format, width, height, bytes),
            RowOrder::BottomFirst => Pixels::bottom_first(format, width, height, bytes),
        };
        if given.stride_bytes != 0 {
            image = image.stride(size(given.stride_bytes)?);
        }
        if given.aspect_x != 0.0 || given.aspect_y != 0.0 {
            image = image.aspect(given.aspect_x, given.aspect_y);
        }
        if !keep {
            sender.send(&image)?;
            return Ok(TDSHM_OK);
        }
        Ok(if sender.keep(&image)?.is_some() { TDSHM_OK } else { TDSHM_UNCHANGED })
    }

    fn begin(
        &mut self,
        caller: &Caller,
        format: tdshm_format_t,
        width: u32,
        height: u32,
        draft: *mut tdshm_draft_t,
    ) -> Outcome {
        caller.write(draft, zeroed())?;
        let format = PixelFormat::from_number(format);
        let mut begun = self.sender()?.draft(format, width as usize, height as usize)?;
        let told = tdshm_draft_t {
            struct_size: 0,
            rows: rows_number(begun.row_order()),
            pixels: begun.as_mut_ptr().cast(),
            size_bytes: begun.size_bytes() as u64,
            stride_bytes: begun.stride_bytes() as u64,
        };
        self.draft = Some(begun);
        caller.write(draft, told)
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

plain!(tdshm_colour_t);
sized!(tdshm_draft_t, tdshm_pixels_t, tdshm_top_sender_options_t);
