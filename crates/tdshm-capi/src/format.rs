//! Pixel formats, and pixels as RGBA.

use core::ffi::{c_char, c_void};
use std::ffi::CString;
use std::sync::OnceLock;

use tdshm::{Convert, ConvertError, Encoding, PixelFormat, Texels};

use crate::call::plain;
use crate::caller::{Caller, size, sized, zeroed};
use crate::status::{
    Fault, Outcome, TDSHM_ERR_BUFFER, TDSHM_ERR_FORMAT, TDSHM_NOT_FOUND, TDSHM_OK, tdshm_status_t,
};
use crate::top::sender::{tdshm_rows_t, told_rows};

/// What a pixel is: TDSHM_FORMAT_…, the numbers that TouchDesigner writes, which are Vulkan's, and some of its own.
pub type tdshm_format_t = u32;

/// As Vulkan's format of that name.
pub const TDSHM_FORMAT_R8_UNORM: u32 = 9;
/// As Vulkan's format of that name.
pub const TDSHM_FORMAT_R8G8_UNORM: u32 = 16;
/// As Vulkan's format of that name.
pub const TDSHM_FORMAT_R8G8B8A8_UNORM: u32 = 37;
/// As Vulkan's format of that name.
pub const TDSHM_FORMAT_R8G8B8A8_SRGB: u32 = 43;
/// As Vulkan's format of that name.
pub const TDSHM_FORMAT_B8G8R8A8_UNORM: u32 = 44;
/// As Vulkan's format of that name.
pub const TDSHM_FORMAT_B8G8R8A8_SRGB: u32 = 50;
/// Ten bits for each of red, green and blue, two for alpha, in one little-endian word.
pub const TDSHM_FORMAT_A2B10G10R10_UNORM_PACK32: u32 = 64;
/// As Vulkan's format of that name.
pub const TDSHM_FORMAT_R16_UNORM: u32 = 70;
/// As Vulkan's format of that name.
pub const TDSHM_FORMAT_R16_SFLOAT: u32 = 76;
/// As Vulkan's format of that name.
pub const TDSHM_FORMAT_R16G16_UNORM: u32 = 77;
/// As Vulkan's format of that name.
pub const TDSHM_FORMAT_R16G16_SFLOAT: u32 = 83;
/// As Vulkan's format of that name.
pub const TDSHM_FORMAT_R16G16B16A16_UNORM: u32 = 91;
/// As Vulkan's format of that name.
pub const TDSHM_FORMAT_R16G16B16A16_SFLOAT: u32 = 97;
/// As Vulkan's format of that name.
pub const TDSHM_FORMAT_R32_SFLOAT: u32 = 100;
/// As Vulkan's format of that name.
pub const TDSHM_FORMAT_R32G32_SFLOAT: u32 = 103;
/// As Vulkan's format of that name.
pub const TDSHM_FORMAT_R32G32B32A32_SFLOAT: u32 = 109;
/// Small floats without a sign, red in the lowest 11 bits, in one little-endian word.
pub const TDSHM_FORMAT_B10G11R11_UFLOAT_PACK32: u32 = 122;
/// Alpha alone, which reads as 0, 0, 0, A.
pub const TDSHM_FORMAT_A8_UNORM: u32 = 0xF0001;
/// Alpha alone, which reads as 0, 0, 0, A.
pub const TDSHM_FORMAT_A16_UNORM: u32 = 0xF0002;
/// Alpha alone, which reads as 0, 0, 0, A.
pub const TDSHM_FORMAT_A16_SFLOAT: u32 = 0xF0003;
/// Alpha alone, which reads as 0, 0, 0, A.
pub const TDSHM_FORMAT_A32_SFLOAT: u32 = 0xF0004;
/// Mono and alpha, which reads as R, R, R, A.
pub const TDSHM_FORMAT_R8A8_UNORM: u32 = 0xF0005;
/// Mono and alpha, which reads as R, R, R, A.
pub const TDSHM_FORMAT_R16A16_UNORM: u32 = 0xF0006;
/// Mono and alpha, which reads as R, R, R, A.
pub const TDSHM_FORMAT_R16A16_SFLOAT: u32 = 0xF0007;
/// Mono and alpha, which reads as R, R, R, A.
pub const TDSHM_FORMAT_R32A32_SFLOAT: u32 = 0xF0008;

/// What is known of a format. Set `struct_size` first: TDSHM_INIT.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct tdshm_format_info_t {
    /// sizeof(tdshm_format_info_t).
    pub struct_size: u32,
    /// Bytes of a pixel.
    pub bytes_per_pixel: u32,
    /// Bits of its widest number.
    pub bits: u32,
    /// 1: its numbers are floats; else 0.
    pub is_float: i32,
    /// 1: its numbers are stored as sRGB; else 0.
    pub is_srgb: i32,
    /// 1: it has one number for red, green and blue; else 0.
    pub is_mono: i32,
    /// 1: it has alpha; else 0.
    pub has_alpha: i32,
    /// 0.
    pub reserved: u32,
}

/// What comes out of a conversion: TDSHM_RGBA….
pub type tdshm_channel_type_t = i32;

/// Four bytes a pixel, from 0 to 255.
pub const TDSHM_RGBA8: i32 = 1;
/// Four 16-bit numbers a pixel, from 0 to 65535.
pub const TDSHM_RGBA16: i32 = 2;
/// Four 32-bit floats a pixel: unorm is from 0 to 1, float whatever it is.
pub const TDSHM_RGBA32F: i32 = 3;

/// What numbers are, or shall be: TDSHM_ENCODING_….
pub type tdshm_encoding_t = i32;

/// Of a source: what its format says. Of a target: what the source has.
pub const TDSHM_ENCODING_DEFAULT: i32 = 0;
/// Proportional to light.
pub const TDSHM_ENCODING_LINEAR: i32 = 1;
/// By the curve of sRGB.
pub const TDSHM_ENCODING_SRGB: i32 = 2;

/// An image, and what is to come of it. Set `struct_size` first: TDSHM_INIT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tdshm_convert_t {
    /// sizeof(tdshm_convert_t).
    pub struct_size: u32,
    /// What a pixel of the source is: TDSHM_FORMAT_….
    pub format: tdshm_format_t,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The first byte of the source.
    pub source: *const c_void,
    /// Its bytes.
    pub source_bytes: u64,
    /// Bytes from the start of a row of it to that of the next; 0 where rows lie right behind one another.
    pub source_stride_bytes: u64,
    /// Which row of it comes first: TDSHM_ROWS_….
    pub source_rows: tdshm_rows_t,
    /// What its numbers are: TDSHM_ENCODING_….
    pub source_encoding: tdshm_encoding_t,
    /// The first byte of the target, aligned to its numbers.
    pub target: *mut c_void,
    /// Its bytes.
    pub target_bytes: u64,
    /// Bytes from the start of a row of it to that of the next, a whole number of its numbers; 0 where rows lie right behind
    /// one another. What lies between rows is not touched.
    pub target_stride_bytes: u64,
    /// Which row of it comes first: TDSHM_ROWS_….
    pub target_rows: tdshm_rows_t,
    /// What its numbers shall be: TDSHM_ENCODING_….
    pub target_encoding: tdshm_encoding_t,
    /// What it has: TDSHM_RGBA8, TDSHM_RGBA16 or TDSHM_RGBA32F.
    pub channel_type: tdshm_channel_type_t,
    /// 0.
    pub reserved: u32,
}

/// The name of a format, `R8G8B8A8_UNORM`; NULL for a number that is not in the table. Valid for ever.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_format_name(format: tdshm_format_t) -> *const c_char {
    name(format)
}

/// What is known of a format. TDSHM_NOT_FOUND for a number that is not in the table.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_format_info(
    format: tdshm_format_t,
    info: *mut tdshm_format_info_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    plain(|| format_info(&caller, format, info))
}

/// The format with that name, long (`R8G8B8A8_UNORM`) or short (`rgba8`), in whatever case. TDSHM_NOT_FOUND where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_format_from_name(
    text: *const c_char,
    text_bytes: usize,
    format: *mut tdshm_format_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    plain(|| from_name(&caller, text, text_bytes, format))
}

/// The format at `index` of the table, from 0. TDSHM_NOT_FOUND behind its end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_format_at(index: usize, format: *mut tdshm_format_t) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    plain(|| at(&caller, index, format))
}

/// Converts an image to red, green, blue, alpha.
///
/// TDSHM_ERR_FORMAT for a format that is not in the table; TDSHM_ERR_BUFFER for buffers that are too short, or rows that would overlap. Then
/// nothing was converted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_convert(image: *const tdshm_convert_t) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    plain(|| convert(&caller, image))
}

/// Each constant here is that of the core.
macro_rules! same_as_the_core {
    ($($ours:ident = $theirs:ident;)+) => {
        $(const _: () = assert!($ours == PixelFormat::$theirs.number());)+
        const _: () = assert!([$($ours),+].len() == PixelFormat::ALL.len());
    };
}
same_as_the_core! {
    TDSHM_FORMAT_R8_UNORM = R8_UNORM;
    TDSHM_FORMAT_R8G8_UNORM = R8G8_UNORM;
    TDSHM_FORMAT_R8G8B8A8_UNORM = R8G8B8A8_UNORM;
    TDSHM_FORMAT_R8G8B8A8_SRGB = R8G8B8A8_SRGB;
    TDSHM_FORMAT_B8G8R8A8_UNORM = B8G8R8A8_UNORM;
    TDSHM_FORMAT_B8G8R8A8_SRGB = B8G8R8A8_SRGB;
    TDSHM_FORMAT_A2B10G10R10_UNORM_PACK32 = A2B10G10R10_UNORM_PACK32;
    TDSHM_FORMAT_R16_UNORM = R16_UNORM;
    TDSHM_FORMAT_R16_SFLOAT = R16_SFLOAT;
    TDSHM_FORMAT_R16G16_UNORM = R16G16_UNORM;
    TDSHM_FORMAT_R16G16_SFLOAT = R16G16_SFLOAT;
    TDSHM_FORMAT_R16G16B16A16_UNORM = R16G16B16A16_UNORM;
    TDSHM_FORMAT_R16G16B16A16_SFLOAT = R16G16B16A16_SFLOAT;
    TDSHM_FORMAT_R32_SFLOAT = R32_SFLOAT;
    TDSHM_FORMAT_R32G32_SFLOAT = R32G32_SFLOAT;
    TDSHM_FORMAT_R32G32B32A32_SFLOAT = R32G32B32A32_SFLOAT;
    TDSHM_FORMAT_B10G11R11_UFLOAT_PACK32 = B10G11R11_UFLOAT_PACK32;
    TDSHM_FORMAT_A8_UNORM = A8_UNORM;
    TDSHM_FORMAT_A16_UNORM = A16_UNORM;
    TDSHM_FORMAT_A16_SFLOAT = A16_SFLOAT;
    TDSHM_FORMAT_A32_SFLOAT = A32_SFLOAT;
    TDSHM_FORMAT_R8A8_UNORM = R8A8_UNORM;
    TDSHM_FORMAT_R16A16_UNORM = R16A16_UNORM;
    TDSHM_FORMAT_R16A16_SFLOAT = R16A16_SFLOAT;
    TDSHM_FORMAT_R32A32_SFLOAT = R32A32_SFLOAT;
}

fn name(format: tdshm_format_t) -> *const c_char {
    static NAMES: OnceLock<Vec<(u32, CString)>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let named = PixelFormat::ALL.iter().map(|format| {
            let name = CString::new(format.name().unwrap_or_default()).unwrap_or_default();
            (format.number(), name)
        });
        named.collect()
    });
    let found = names.iter().find(|(number, _)| *number == format);
    found.map_or(core::ptr::null(), |(_, name)| name.as_ptr())
}

fn format_info(caller: &Caller, format: tdshm_format_t, info: *mut tdshm_format_info_t) -> Outcome {
    caller.write(info, zeroed())?;
    let format = PixelFormat::from_number(format);
    let (Some(bytes), Some(kind)) = (format.bytes_per_pixel(), Texels::from(format).kind()) else {
        return Ok(TDSHM_NOT_FOUND);
    };
    let known = tdshm_format_info_t {
        struct_size: 0,
        bytes_per_pixel: u32::try_from(bytes).unwrap_or(0),
        bits: kind.bits.into(),
        is_float: kind.float.into(),
        is_srgb: format.is_srgb().into(),
        is_mono: kind.mono.into(),
        has_alpha: kind.alpha.into(),
        reserved: 0,
    };
    caller.write(info, known)
}

fn from_name(
    caller: &Caller,
    text: *const c_char,
    text_bytes: usize,
    format: *mut tdshm_format_t,
) -> Outcome {
    let found = caller.text(text, text_bytes)?.parse::<PixelFormat>();
    caller.put(format, found.as_ref().map_or(0, |found| found.number()))?;
    Ok(if found.is_ok() { TDSHM_OK } else { TDSHM_NOT_FOUND })
}

fn at(caller: &Caller, index: usize, format: *mut tdshm_format_t) -> Outcome {
    let found = PixelFormat::ALL.get(index);
    caller.put(format, found.map_or(0, |found| found.number()))?;
    Ok(if found.is_some() { TDSHM_OK } else { TDSHM_NOT_FOUND })
}

/// What a number of C's stands for; `None`: the usual.
pub(crate) fn encoding(encoding: tdshm_encoding_t) -> Result<Option<Encoding>, Fault> {
    match encoding {
        TDSHM_ENCODING_DEFAULT => Ok(None),
        TDSHM_ENCODING_LINEAR => Ok(Some(Encoding::Linear)),
        TDSHM_ENCODING_SRGB => Ok(Some(Encoding::Srgb)),
        other => Err(Fault::argument(format!("{other} is no encoding: give TDSHM_ENCODING_…"))),
    }
}

fn convert(caller: &Caller, image: *const tdshm_convert_t) -> Outcome {
    let image = caller.read(image)?;
    let format = PixelFormat::from_number(image.format);
    let mut convert = Convert::new(format, image.width as usize, image.height as usize)
        .rows(told_rows(image.source_rows)?, told_rows(image.target_rows)?);
    if image.source_stride_bytes != 0 {
        convert = convert.source_stride(size(image.source_stride_bytes)?);
    }
    if let Some(stored) = encoding(image.source_encoding)? {
        convert = convert.stored_as(stored);
    }
    if let Some(wanted) = encoding(image.target_encoding)? {
        convert = convert.encode_as(wanted);
    }
    let source = caller.slice(image.source.cast::<u8>(), size(image.source_bytes)?)?;
    let (bytes, stride) = (size(image.target_bytes)?, size(image.target_stride_bytes)?);
    convert_to(caller, convert, source, image.channel_type, image.target, bytes, stride)
}

/// Converts into a buffer of C's.
pub(crate) fn convert_to(
    caller: &Caller,
    convert: Convert,
    source: &[u8],
    channel_type: tdshm_channel_type_t,
    target: *mut c_void,
    size_bytes: usize,
    stride_bytes: usize,
) -> Outcome {
    let each: usize = match channel_type {
        TDSHM_RGBA8 => 1,
        TDSHM_RGBA16 => 2,
        TDSHM_RGBA32F => 4,
        other => return Err(Fault::argument(format!("{other} is no type of channels: give TDSHM_RGBA…"))),
    };
    if stride_bytes.checked_rem(each) != Some(0) {
        return Err(Fault::new(
            TDSHM_ERR_BUFFER,
            format!(
                "the stride is {stride_bytes} bytes, and a number has {each}: give a whole number of them"
            ),
        ));
    }
    let convert = match stride_bytes.checked_div(each) {
        Some(0) | None => convert,
        Some(stride) => convert.target_stride(stride),
    };
    let count = size_bytes.checked_div(each).unwrap_or(0);
    let done = match channel_type {
        TDSHM_RGBA8 => convert.to_rgba8(source, caller.slice_mut(target.cast::<u8>(), count)?),
        TDSHM_RGBA16 => convert.to_rgba16(source, caller.slice_mut(target.cast::<u16>(), count)?),
        _ => convert.to_rgba32f(source, caller.slice_mut(target.cast::<f32>(), count)?),
    };
    done.map_err(|error| {
        let status = match error {
            ConvertError::UnknownFormat { .. } => TDSHM_ERR_FORMAT,
            _ => TDSHM_ERR_BUFFER,
        };
        Fault::new(status, error.to_string())
    })?;
    Ok(TDSHM_OK)
}

sized!(tdshm_format_info_t, tdshm_convert_t);
