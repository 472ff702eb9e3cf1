//! The image block: one header, then the pixels (wire §9). Its magic tells which of two kinds it is.

mod fields;

use zerocopy::little_endian::{F32, I32, I64, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::error::{BlockError, FieldValue};
use crate::wire::pixel::{Anatomy, Channels, PixelFormat, Sample};
use crate::wire::top_legacy::{self, LegacyFormat, LegacyHeader};

/// First field of every image block since 2022.
pub(crate) const MAGIC: u32 = 0xd95e_f835;
/// The version that is sent unless the fields of colour are asked for.
pub(crate) const VERSION: i32 = 1;
/// The version that has the fields of colour. Later ones are read as this one.
pub(crate) const COLOUR_VERSION: i32 = 2;
/// Bytes of the header in version 1.
pub(crate) const HEADER_BYTES: usize = 48;
/// Bytes of the header in version 2.
pub(crate) const COLOUR_HEADER_BYTES: usize = 56;
/// No pixels of others lie before this: what precedes it is the header in every version.
pub(crate) const LEAST_OFFSET: usize = 44;
/// Where the fields of colour end.
const COLOUR_END: usize = 52;
/// Offsets of pixels are multiples of this.
pub(crate) const ALIGNMENT: usize = 4;
/// Pixels in a row, and rows, at most.
pub(crate) const LARGEST_SIDE: usize = 32768;
/// `gamutPrimaries` of Rec.709, which are sRGB's.
pub(crate) const PRIMARIES_REC709: u32 = 2;
/// `transfer` of what is linear.
pub(crate) const TRANSFER_LINEAR: u32 = 0;
/// `transfer` of sRGB.
pub(crate) const TRANSFER_SRGB: u32 = 1;

pub(crate) use fields::fields;

const SENDER: &str = "the sender writes a wrong header";
const SENDS: &str = "send another size";

/// The header since 2022, byte for byte; version 1 ends before `transfer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct TopHeader {
    magic: U32,
    version: I32,
    width: I32,
    height: I32,
    aspect_x: F32,
    aspect_y: F32,
    pixel_format: U32,
    padding: [u8; 4],
    data_size: I64,
    data_offset: I32,
    gamut_primaries: U32,
    transfer: U32,
    end: [u8; 4],
}

const _: () = {
    assert!(size_of::<TopHeader>() == COLOUR_HEADER_BYTES);
    assert!(core::mem::offset_of!(TopHeader, data_size) == 32);
    assert!(core::mem::offset_of!(TopHeader, gamut_primaries) == LEAST_OFFSET);
    assert!(core::mem::offset_of!(TopHeader, end) == COLOUR_END);
};

/// Which header an image block has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderVersion {
    /// The one from before 2022, which names its pixels with OpenGL's numbers.
    Legacy,
    /// Version 1, of 2022 and later: what is sent unless something else is asked for.
    #[default]
    V1,
    /// Version 2, which says what the colours mean as well.
    V2,
}

impl HeaderVersion {
    /// Bytes of the header: pixels of ours begin here or later.
    pub(crate) fn header_bytes(self) -> usize {
        match self {
            Self::Legacy => top_legacy::HEADER_BYTES,
            Self::V1 => HEADER_BYTES,
            Self::V2 => COLOUR_HEADER_BYTES,
        }
    }

    /// What its `version` field holds: 1 and 2, and 2 as well in the header from before 2022.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::Legacy => top_legacy::VERSION,
            Self::V1 => VERSION,
            Self::V2 => COLOUR_VERSION,
        }
    }
}

/// What the numbers of an image mean as colours, as a block of version 2 says it. Nothing converts by it unasked.
///
/// # Source
///
/// wire §9.1, seen: primaries 2 are those of Rec.709 and sRGB; transfer 0 is linear, 1 is sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TopColour {
    /// Which red, green and blue: `gamutPrimaries`.
    pub primaries: u32,
    /// How numbers become light: `transfer`.
    pub transfer: u32,
}

impl TopColour {
    /// Rec.709's primaries, linear numbers.
    pub const LINEAR: Self = Self { primaries: PRIMARIES_REC709, transfer: TRANSFER_LINEAR };
    /// Rec.709's primaries, sRGB's numbers.
    pub const SRGB: Self = Self { primaries: PRIMARIES_REC709, transfer: TRANSFER_SRGB };
}

/// What the pixels of an image are, in the words of its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Texels {
    /// A format of today, or a number that nobody knows.
    Format(PixelFormat),
    /// What a block from before 2022 says.
    Legacy(LegacyFormat),
}

impl Texels {
    /// The format of today whose pixels are just these, if there is one and its number is known.
    #[must_use]
    pub fn format(self) -> Option<PixelFormat> {
        match self {
            Self::Format(format) => Some(format).filter(|format| format.anatomy().is_some()),
            Self::Legacy(legacy) => legacy.twin(),
        }
    }

    /// Bytes of one pixel, from 1 to 16; `None` where nobody knows them.
    #[must_use]
    pub fn bytes_per_pixel(self) -> Option<usize> {
        self.anatomy().map(Anatomy::bytes)
    }

    /// Of what kind of numbers a pixel is made; `None` where nobody knows.
    #[must_use]
    pub fn kind(self) -> Option<TexelKind> {
        let Anatomy { channels, sample, .. } = self.anatomy()?;
        let (bits, float) = match sample {
            Sample::Unorm8 => (8, false),
            Sample::Unorm10 => (10, false),
            Sample::Unorm16 => (16, false),
            Sample::Float11 => (11, true),
            Sample::Half => (16, true),
            Sample::Float => (32, true),
        };
        let mono = matches!(channels, Channels::R | Channels::L | Channels::La);
        let alpha =
            matches!(channels, Channels::Rgba | Channels::Bgra | Channels::Abgr | Channels::A | Channels::La);
        Some(TexelKind { bits, float, mono, alpha })
    }

    /// What its pixels are.
    pub(crate) fn anatomy(self) -> Option<Anatomy> {
        match self {
            Self::Format(format) => format.anatomy(),
            Self::Legacy(legacy) => legacy.anatomy(),
        }
    }
}

/// What there is to know of pixels before one keeps them somewhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TexelKind {
    /// Bits of a channel: 8, 10, 11, 16 or 32; of the widest one where they differ.
    pub bits: u8,
    /// Whether channels are floating point; otherwise they are fractions from 0 to 1.
    pub float: bool,
    /// Whether one channel stands for red, green and blue.
    pub mono: bool,
    /// Whether there is alpha.
    pub alpha: bool,
}

impl From<PixelFormat> for Texels {
    fn from(format: PixelFormat) -> Self {
        Self::Format(format)
    }
}

impl From<LegacyFormat> for Texels {
    fn from(format: LegacyFormat) -> Self {
        Self::Legacy(format)
    }
}

impl core::fmt::Display for Texels {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Format(format) => core::fmt::Display::fmt(format, f),
            Self::Legacy(legacy) => core::fmt::Display::fmt(legacy, f),
        }
    }
}

/// A header that was checked: what is where, all of it inside the mapping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TopLayout {
    /// Pixels in a row.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
    /// The aspect of a pixel as it was sent: whatever it is.
    pub(crate) aspect: (f32, f32),
    /// What the pixels are.
    pub(crate) texels: Texels,
    /// Which header it is.
    pub(crate) version: HeaderVersion,
    /// Where the pixels begin.
    pub(crate) data_at: usize,
    /// Bytes of the pixels: of known ones exactly those of all rows; of unknown ones what the header says, or, where a
    /// header from before 2022 does not say it, all that is mapped.
    pub(crate) data_bytes: usize,
    /// What the colours mean, in version 2.
    pub(crate) colour: Option<TopColour>,
}

impl TopLayout {
    /// Bytes of a row; `None` where nobody knows those of a pixel.
    #[inline]
    pub(crate) fn row_bytes(&self) -> Option<usize> {
        self.texels.bytes_per_pixel().map(|bytes| self.width.saturating_mul(bytes))
    }
}

/// The bytes of a header, to be written at the block's start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HeaderBytes {
    bytes: [u8; COLOUR_HEADER_BYTES],
    len: usize,
}

impl HeaderBytes {
    fn of(header: &[u8], len: usize) -> Self {
        let mut bytes = [0; COLOUR_HEADER_BYTES];
        for (to, from) in bytes.iter_mut().zip(header) {
            *to = *from;
        }
        Self { bytes, len }
    }

    /// 40, 48 or 56 of them.
    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Whether nobody has written a header here yet: a mapping is zero when it is made. What lies behind the shortest
/// header does not count: pixels may come first.
pub(crate) fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().take(top_legacy::HEADER_BYTES).all(|&byte| byte == 0)
}

/// Whether these bytes begin as an image block of either kind does.
pub(crate) fn is_image(bytes: &[u8]) -> bool {
    bytes.first_chunk().is_some_and(|magic| [MAGIC, top_legacy::MAGIC].contains(&u32::from_le_bytes(*magic)))
}

/// The first bytes of a header with a version that is known, whatever stands there, to find out what else is wrong.
pub(crate) fn versioned(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let at = core::mem::offset_of!(TopHeader, version);
    let version = bytes.get_mut(at..)?.first_chunk_mut::<4>()?;
    *version = VERSION.to_le_bytes();
    Some(bytes)
}

/// Checks a header of either kind, of which `bytes` are the first 56, or as many as are mapped, against the size of the
/// mapping.
pub(crate) fn check(bytes: &[u8], mapped: usize) -> Result<TopLayout, BlockError> {
    let mut header = TopHeader::default();
    for (to, from) in header.as_mut_bytes().iter_mut().zip(bytes) {
        *to = *from;
    }
    let mapped = mapped.min(isize::MAX.unsigned_abs());
    let least = match header.magic.get() {
        MAGIC => LEAST_OFFSET,
        top_legacy::MAGIC => top_legacy::HEADER_BYTES,
        magic => {
            return Err(BlockError {
                field: "magic",
                value: FieldValue::Magic(magic),
                rule: "an image block's is",
                limit: FieldValue::Magic(MAGIC),
                advice: "something else than an image block lies here",
            });
        }
    };
    if mapped < least || bytes.len() < least {
        let advice = "its sender made it too small for an image block";
        return Err(BlockError::int(
            "mapped bytes",
            mapped.min(bytes.len()),
            "a header alone has",
            least,
            advice,
        ));
    }
    match LegacyHeader::read_from_prefix(header.as_bytes()) {
        Ok((legacy, _)) if legacy.magic.get() == top_legacy::MAGIC => check_legacy(&legacy, mapped),
        _ => check_current(&header, mapped.min(bytes.len()) >= COLOUR_END, mapped),
    }
}

/// `whole`: the fields of colour were there to be copied.
fn check_current(header: &TopHeader, whole: bool, mapped: usize) -> Result<TopLayout, BlockError> {
    let version = check_version(header.version.get())?;
    let (width, height) = (side("width", header.width.get())?, side("height", header.height.get())?);
    let format = PixelFormat::from_number(header.pixel_format.get());
    let said = header.data_size.get();
    let data_bytes = match format.bytes_per_pixel() {
        None => usize::try_from(said)
            .map_err(|_| BlockError::int("dataSize", said, "must be at least", 0, SENDER))?,
        Some(bytes) => {
            let all = pixels_bytes(width, height, bytes, SENDER)?;
            if usize::try_from(said) != Ok(all) {
                let rule = "width * height * bytes of a pixel are";
                return Err(BlockError::int("dataSize", said, rule, all, SENDER));
            }
            all
        }
    };
    let data_at = offset(header.data_offset.get(), LEAST_OFFSET, mapped)?;
    inside("dataSize", data_at, data_bytes, mapped)?;
    // Where pixels begin among the fields of colour there are none.
    let has_colour = version == HeaderVersion::V2 && whole && data_at >= COLOUR_END;
    let colour = TopColour { primaries: header.gamut_primaries.get(), transfer: header.transfer.get() };
    Ok(TopLayout {
        width,
        height,
        aspect: (header.aspect_x.get(), header.aspect_y.get()),
        texels: Texels::Format(format),
        version,
        data_at,
        data_bytes,
        colour: has_colour.then_some(colour),
    })
}

fn check_legacy(header: &LegacyHeader, mapped: usize) -> Result<TopLayout, BlockError> {
    check_version(header.version.get())?;
    let (width, height) = (side("width", header.width.get())?, side("height", header.height.get())?);
    let data_at = offset(header.data_offset.get(), top_legacy::HEADER_BYTES, mapped)?;
    let format = LegacyFormat {
        data_format: header.data_format.get(),
        data_type: header.data_type.get(),
        pixel_format: header.pixel_format.get(),
    };
    let data_bytes = match format.bytes_per_pixel() {
        None => mapped.saturating_sub(data_at),
        Some(bytes) => pixels_bytes(width, height, bytes, SENDER)?,
    };
    inside("width * height * bytes of a pixel", data_at, data_bytes, mapped)?;
    Ok(TopLayout {
        width,
        height,
        aspect: (header.aspect_x.get(), header.aspect_y.get()),
        texels: Texels::Legacy(format),
        version: HeaderVersion::Legacy,
        data_at,
        data_bytes,
        colour: None,
    })
}

fn check_version(version: i32) -> Result<HeaderVersion, BlockError> {
    match version {
        ..VERSION => Err(BlockError::int("version", version, "must be at least", VERSION, SENDER)),
        VERSION => Ok(HeaderVersion::V1),
        COLOUR_VERSION.. => Ok(HeaderVersion::V2),
    }
}

fn side(field: &'static str, value: i32) -> Result<usize, BlockError> {
    let pixels = usize::try_from(value).unwrap_or(0);
    if pixels == 0 {
        return Err(BlockError::int(field, value, "must be at least", 1, SENDER));
    }
    check_side(field, pixels, SENDER)
}

fn check_side(field: &'static str, pixels: usize, advice: &'static str) -> Result<usize, BlockError> {
    match pixels {
        0 => Err(BlockError::int(field, pixels, "must be at least", 1, advice)),
        1..=LARGEST_SIDE => Ok(pixels),
        _ => Err(BlockError::int(field, pixels, "must be at most", LARGEST_SIDE, advice)),
    }
}

/// Bytes of all pixels; what a mapping can hold, whatever the limits of the sides are.
fn pixels_bytes(
    width: usize,
    height: usize,
    bytes: usize,
    advice: &'static str,
) -> Result<usize, BlockError> {
    let most = isize::MAX.unsigned_abs();
    width
        .checked_mul(height)
        .and_then(|pixels| pixels.checked_mul(bytes))
        .filter(|all| *all <= most)
        .ok_or_else(|| {
            BlockError::int(
                "width * height",
                usize::MAX,
                "a block holds at most so many bytes:",
                most,
                advice,
            )
        })
}

fn offset(value: i32, least: usize, mapped: usize) -> Result<usize, BlockError> {
    let at = usize::try_from(value).ok().filter(|at| *at >= least).ok_or_else(|| {
        BlockError::int("dataOffset", value, "must not lie in the header, which ends at", least, SENDER)
    })?;
    if !at.is_multiple_of(ALIGNMENT) {
        return Err(BlockError::int("dataOffset", at, "must be a multiple of", ALIGNMENT, SENDER));
    }
    if at > mapped {
        return Err(BlockError::int("dataOffset", at, "the mapped bytes are only", mapped, SENDER));
    }
    Ok(at)
}

/// `at` lies inside.
fn inside(field: &'static str, at: usize, bytes: usize, mapped: usize) -> Result<(), BlockError> {
    let room = mapped.saturating_sub(at);
    if bytes > room {
        let rule = "the mapped bytes behind dataOffset are only";
        return Err(BlockError::int(field, bytes, rule, room, SENDER));
    }
    Ok(())
}

/// The header of a block of ours, with the pixels right behind it.
///
/// Without `colour` a header of version 2 says Rec.709, and sRGB or linear as the format does; the other versions cannot
/// say any.
pub(crate) fn plan(
    width: usize,
    height: usize,
    format: PixelFormat,
    version: HeaderVersion,
    aspect: (f32, f32),
    colour: Option<TopColour>,
) -> Result<(HeaderBytes, TopLayout), BlockError> {
    let (width, height) = (check_side("width", width, SENDS)?, check_side("height", height, SENDS)?);
    let bytes = format.bytes_per_pixel().ok_or_else(|| {
        let rule = "what is sent has a number up to";
        let known = PixelFormat::ALL.iter().map(|format| format.number()).max().unwrap_or(0);
        BlockError {
            field: "pixelFormat",
            value: FieldValue::Magic(format.number()),
            rule,
            limit: FieldValue::Magic(known),
            advice: "its pixels are unknown here: use one of PixelFormat::ALL",
        }
    })?;
    let texels = match version {
        HeaderVersion::V1 | HeaderVersion::V2 => Texels::Format(format),
        HeaderVersion::Legacy => LegacyFormat::of(format).map(Texels::Legacy).ok_or_else(|| {
            let advice =
                "OpenGL's numbers of the header from before 2022 do not say it: use the header of today";
            BlockError::int("pixelFormat", format.number(), "packed pixels need a version from", 2022, advice)
        })?,
    };
    if colour.is_some() && version != HeaderVersion::V2 {
        let rule = "the fields of colour need";
        let advice = "send version 2, or no fields of colour";
        return Err(BlockError::int("version", version.number(), rule, COLOUR_VERSION, advice));
    }
    let of_format = if format.is_srgb() { TopColour::SRGB } else { TopColour::LINEAR };
    let layout = TopLayout {
        width,
        height,
        aspect: (check_aspect("aspectx", aspect.0)?, check_aspect("aspecty", aspect.1)?),
        texels,
        version,
        data_at: version.header_bytes(),
        data_bytes: pixels_bytes(width, height, bytes, SENDS)?,
        colour: (version == HeaderVersion::V2).then_some(colour.unwrap_or(of_format)),
    };
    place(&layout, layout.data_at)
}

/// The header of `layout` with the pixels elsewhere: in another slot.
pub(crate) fn place(layout: &TopLayout, data_at: usize) -> Result<(HeaderBytes, TopLayout), BlockError> {
    const ADVICE: &str = "the pixels cannot lie there";
    let least = layout.version.header_bytes();
    if data_at < least {
        let rule = "must not lie in the header, which ends at";
        return Err(BlockError::int("dataOffset", data_at, rule, least, ADVICE));
    }
    if !data_at.is_multiple_of(ALIGNMENT) {
        return Err(BlockError::int("dataOffset", data_at, "must be a multiple of", ALIGNMENT, ADVICE));
    }
    let int = |field, value: usize| {
        i32::try_from(value)
            .map(I32::new)
            .map_err(|_| BlockError::int(field, value, "its field holds at most", i32::MAX, ADVICE))
    };
    let (width, height) = (int("width", layout.width)?, int("height", layout.height)?);
    let (version, data_offset) = (I32::new(layout.version.number()), int("dataOffset", data_at)?);
    let (aspect_x, aspect_y) = (F32::new(layout.aspect.0), F32::new(layout.aspect.1));
    let bytes = match layout.texels {
        Texels::Legacy(LegacyFormat { data_format, data_type, pixel_format }) => {
            let header = LegacyHeader {
                magic: U32::new(top_legacy::MAGIC),
                version,
                width,
                height,
                aspect_x,
                aspect_y,
                data_format: I32::new(data_format),
                data_type: I32::new(data_type),
                pixel_format: I32::new(pixel_format),
                data_offset,
            };
            HeaderBytes::of(header.as_bytes(), least)
        }
        Texels::Format(format) => {
            let data_size = i64::try_from(layout.data_bytes).map_err(|_| {
                BlockError::int("dataSize", layout.data_bytes, "its field holds at most", i64::MAX, ADVICE)
            })?;
            let colour = layout.colour.unwrap_or(TopColour { primaries: 0, transfer: 0 });
            let header = TopHeader {
                magic: U32::new(MAGIC),
                version,
                width,
                height,
                aspect_x,
                aspect_y,
                pixel_format: U32::new(format.number()),
                padding: [0; 4],
                data_size: I64::new(data_size),
                data_offset,
                gamut_primaries: U32::new(colour.primaries),
                transfer: U32::new(colour.transfer),
                end: [0; 4],
            };
            HeaderBytes::of(header.as_bytes(), least)
        }
    };
    Ok((bytes, TopLayout { data_at, ..*layout }))
}

/// An aspect that is sent is finite and positive. What is received is given on as it is: nothing depends on it.
fn check_aspect(field: &'static str, aspect: f32) -> Result<f32, BlockError> {
    if aspect.is_finite() && aspect > 0.0 {
        return Ok(aspect);
    }
    Err(BlockError {
        field,
        value: FieldValue::Float(aspect),
        rule: "must be finite and above",
        limit: FieldValue::Float(0.0),
        advice: "the aspect of square pixels is 1 to 1",
    })
}

#[cfg(test)]
mod tests;
