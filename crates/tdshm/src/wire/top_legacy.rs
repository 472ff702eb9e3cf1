//! The image block from before 2022, which names its pixels with OpenGL's numbers (wire §9.2).

use core::fmt;

use zerocopy::little_endian::{F32, I32, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::error::FieldValue;
use crate::wire::pixel::{Anatomy, Channels, PixelFormat, Sample};

/// First field of every such block.
pub(crate) const MAGIC: u32 = 0xe95d_f673;
/// The only version that was seen.
pub(crate) const VERSION: i32 = 2;
/// Bytes of the header.
pub(crate) const HEADER_BYTES: usize = 40;

/// The header, byte for byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct LegacyHeader {
    pub(crate) magic: U32,
    pub(crate) version: I32,
    pub(crate) width: I32,
    pub(crate) height: I32,
    pub(crate) aspect_x: F32,
    pub(crate) aspect_y: F32,
    pub(crate) data_format: I32,
    pub(crate) data_type: I32,
    pub(crate) pixel_format: I32,
    pub(crate) data_offset: I32,
}

const _: () = {
    assert!(size_of::<LegacyHeader>() == HEADER_BYTES);
    assert!(core::mem::offset_of!(LegacyHeader, aspect_x) == 16);
    assert!(core::mem::offset_of!(LegacyHeader, data_offset) == 36);
};

impl LegacyHeader {
    /// Every field as it stands, for tools that show them: its offset, its name, its value.
    pub(crate) fn fields(&self) -> [(usize, &'static str, FieldValue); 10] {
        use core::mem::offset_of;
        let int = |value: I32| FieldValue::Int(value.get().into());
        [
            (offset_of!(Self, magic), "magic", FieldValue::Magic(self.magic.get())),
            (offset_of!(Self, version), "version", int(self.version)),
            (offset_of!(Self, width), "width", int(self.width)),
            (offset_of!(Self, height), "height", int(self.height)),
            (offset_of!(Self, aspect_x), "aspectx", FieldValue::Float(self.aspect_x.get())),
            (offset_of!(Self, aspect_y), "aspecty", FieldValue::Float(self.aspect_y.get())),
            (offset_of!(Self, data_format), "dataFormat", int(self.data_format)),
            (offset_of!(Self, data_type), "dataType", int(self.data_type)),
            (offset_of!(Self, pixel_format), "pixelFormat", int(self.pixel_format)),
            (offset_of!(Self, data_offset), "dataOffset", int(self.data_offset)),
        ]
    }
}

/// OpenGL's names of the channels that are sent.
pub(crate) mod data_format {
    pub(crate) const RED: i32 = 0x1903;
    pub(crate) const RG: i32 = 0x8227;
    pub(crate) const RGB: i32 = 0x1907;
    pub(crate) const RGBA: i32 = 0x1908;
    pub(crate) const BGR: i32 = 0x80e0;
    pub(crate) const BGRA: i32 = 0x80e1;
    pub(crate) const ABGR: i32 = 0x8000;
    pub(crate) const ALPHA: i32 = 0x1906;
    pub(crate) const LUMINANCE: i32 = 0x1909;
    pub(crate) const LUMINANCE_ALPHA: i32 = 0x190a;
}

/// OpenGL's names of the numbers that are sent.
pub(crate) mod data_type {
    pub(crate) const UNSIGNED_BYTE: i32 = 0x1401;
    pub(crate) const UNSIGNED_SHORT: i32 = 0x1403;
    pub(crate) const HALF_FLOAT: i32 = 0x140b;
    pub(crate) const FLOAT: i32 = 0x1406;
}

/// OpenGL's names of the textures that TD makes of what we send, and of the two that mean sRGB.
pub(crate) mod texture {
    pub(crate) const R8: i32 = 0x8229;
    pub(crate) const R16: i32 = 0x822a;
    pub(crate) const RG8: i32 = 0x822b;
    pub(crate) const RG16: i32 = 0x822c;
    pub(crate) const R16F: i32 = 0x822d;
    pub(crate) const R32F: i32 = 0x822e;
    pub(crate) const RG16F: i32 = 0x822f;
    pub(crate) const RG32F: i32 = 0x8230;
    pub(crate) const RGBA8: i32 = 0x8058;
    pub(crate) const RGBA16: i32 = 0x805b;
    pub(crate) const RGBA16F: i32 = 0x881a;
    pub(crate) const RGBA32F: i32 = 0x8814;
    pub(crate) const ALPHA8: i32 = 0x803c;
    pub(crate) const ALPHA16: i32 = 0x803e;
    pub(crate) const ALPHA16F: i32 = 0x881c;
    pub(crate) const ALPHA32F: i32 = 0x8816;
    pub(crate) const LUMINANCE8_ALPHA8: i32 = 0x8045;
    pub(crate) const LUMINANCE16_ALPHA16: i32 = 0x8048;
    pub(crate) const LUMINANCE_ALPHA16F: i32 = 0x881f;
    pub(crate) const LUMINANCE_ALPHA32F: i32 = 0x8819;
    pub(crate) const SRGB8: i32 = 0x8c41;
    pub(crate) const SRGB8_ALPHA8: i32 = 0x8c43;
}

/// What the pixels of an image from before 2022 are: three numbers of OpenGL, any of which may be unknown.
///
/// # Source
///
/// wire §9.2, seen; the textures are OpenGL's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::struct_field_names, reason = "the protocol's names")]
pub struct LegacyFormat {
    /// The channels that are sent, `0x1908` (`GL_RGBA`) for example.
    pub data_format: i32,
    /// The kind of number, `0x1401` (`GL_UNSIGNED_BYTE`) for example.
    pub data_type: i32,
    /// The texture that TouchDesigner makes of it, `0x8058` (`GL_RGBA8`) for example. How the bytes lie does not
    /// depend on it; only whether they are sRGB does.
    pub pixel_format: i32,
}

/// What has a twin in today's formats, and the texture we ask for.
const TWINS: [(PixelFormat, i32, i32, i32); 23] = {
    use data_format::{ALPHA, BGRA, LUMINANCE_ALPHA, RED, RG, RGBA};
    use data_type::{FLOAT, HALF_FLOAT as HALF, UNSIGNED_BYTE as BYTE, UNSIGNED_SHORT as SHORT};
    [
        (PixelFormat::R8_UNORM, RED, BYTE, texture::R8),
        (PixelFormat::R16_UNORM, RED, SHORT, texture::R16),
        (PixelFormat::R16_SFLOAT, RED, HALF, texture::R16F),
        (PixelFormat::R32_SFLOAT, RED, FLOAT, texture::R32F),
        (PixelFormat::R8G8_UNORM, RG, BYTE, texture::RG8),
        (PixelFormat::R16G16_UNORM, RG, SHORT, texture::RG16),
        (PixelFormat::R16G16_SFLOAT, RG, HALF, texture::RG16F),
        (PixelFormat::R32G32_SFLOAT, RG, FLOAT, texture::RG32F),
        (PixelFormat::R8G8B8A8_UNORM, RGBA, BYTE, texture::RGBA8),
        (PixelFormat::R8G8B8A8_SRGB, RGBA, BYTE, texture::SRGB8_ALPHA8),
        (PixelFormat::B8G8R8A8_UNORM, BGRA, BYTE, texture::RGBA8),
        (PixelFormat::B8G8R8A8_SRGB, BGRA, BYTE, texture::SRGB8_ALPHA8),
        (PixelFormat::R16G16B16A16_UNORM, RGBA, SHORT, texture::RGBA16),
        (PixelFormat::R16G16B16A16_SFLOAT, RGBA, HALF, texture::RGBA16F),
        (PixelFormat::R32G32B32A32_SFLOAT, RGBA, FLOAT, texture::RGBA32F),
        (PixelFormat::A8_UNORM, ALPHA, BYTE, texture::ALPHA8),
        (PixelFormat::A16_UNORM, ALPHA, SHORT, texture::ALPHA16),
        (PixelFormat::A16_SFLOAT, ALPHA, HALF, texture::ALPHA16F),
        (PixelFormat::A32_SFLOAT, ALPHA, FLOAT, texture::ALPHA32F),
        (PixelFormat::R8A8_UNORM, LUMINANCE_ALPHA, BYTE, texture::LUMINANCE8_ALPHA8),
        (PixelFormat::R16A16_UNORM, LUMINANCE_ALPHA, SHORT, texture::LUMINANCE16_ALPHA16),
        (PixelFormat::R16A16_SFLOAT, LUMINANCE_ALPHA, HALF, texture::LUMINANCE_ALPHA16F),
        (PixelFormat::R32A32_SFLOAT, LUMINANCE_ALPHA, FLOAT, texture::LUMINANCE_ALPHA32F),
    ]
};

impl LegacyFormat {
    /// What an old block says of pixels of this format; `None`: it cannot say it (the packed formats, unknown ones).
    pub(crate) fn of(format: PixelFormat) -> Option<Self> {
        let (_, data_format, data_type, pixel_format) = TWINS.into_iter().find(|twin| twin.0 == format)?;
        Some(Self { data_format, data_type, pixel_format })
    }

    /// The format of today whose pixels are just these, if there is one. BGR, RGB, ABGR and luminance have none.
    #[must_use]
    pub fn twin(self) -> Option<PixelFormat> {
        let srgb = self.is_srgb();
        let is_twin = |twin: &&(PixelFormat, i32, i32, i32)| {
            (twin.1, twin.2) == (self.data_format, self.data_type) && twin.0.is_srgb() == srgb
        };
        TWINS.iter().find(is_twin).map(|twin| twin.0)
    }

    /// Bytes of one pixel, from 1 to 16; `None` where its channels or numbers are unknown.
    #[must_use]
    pub fn bytes_per_pixel(self) -> Option<usize> {
        self.anatomy().map(Anatomy::bytes)
    }

    /// Whether its bytes are red, green and blue as sRGB encodes them: the texture is one of sRGB.
    #[must_use]
    pub fn is_srgb(self) -> bool {
        self.anatomy().is_some_and(|anatomy| anatomy.srgb)
    }

    /// What its pixels are.
    pub(crate) fn anatomy(self) -> Option<Anatomy> {
        let channels = match self.data_format {
            data_format::RED => Channels::R,
            data_format::RG => Channels::Rg,
            data_format::RGB => Channels::Rgb,
            data_format::RGBA => Channels::Rgba,
            data_format::BGR => Channels::Bgr,
            data_format::BGRA => Channels::Bgra,
            data_format::ABGR => Channels::Abgr,
            data_format::ALPHA => Channels::A,
            data_format::LUMINANCE => Channels::L,
            data_format::LUMINANCE_ALPHA => Channels::La,
            _ => return None,
        };
        let sample = match self.data_type {
            data_type::UNSIGNED_BYTE => Sample::Unorm8,
            data_type::UNSIGNED_SHORT => Sample::Unorm16,
            data_type::HALF_FLOAT => Sample::Half,
            data_type::FLOAT => Sample::Float,
            _ => return None,
        };
        let is_colour = matches!(
            channels,
            Channels::Rgb | Channels::Rgba | Channels::Bgr | Channels::Bgra | Channels::Abgr
        );
        let srgb = is_colour
            && sample == Sample::Unorm8
            && matches!(self.pixel_format, texture::SRGB8 | texture::SRGB8_ALPHA8);
        Some(Anatomy { channels, sample, srgb })
    }
}

impl fmt::Display for LegacyFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { data_format, data_type, pixel_format } = self;
        write!(f, "OpenGL {data_format:#x} {data_type:#x} {pixel_format:#x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_order_of_every_number() {
        // The lists of wire §9.2, typed again by hand.
        let formats = [
            (0x1903, 1),
            (0x8227, 2),
            (0x1907, 3),
            (0x1908, 4),
            (0x80E0, 3),
            (0x80E1, 4),
            (0x8000, 4),
            (0x1906, 1),
            (0x1909, 1),
            (0x190A, 2),
        ];
        let types = [(0x1401, 1), (0x1403, 2), (0x140B, 2), (0x1406, 4)];
        let mut twins = Vec::new();
        for (data_format, count) in formats {
            for (data_type, bytes) in types {
                let format = LegacyFormat { data_format, data_type, pixel_format: 0 };
                assert_eq!(format.bytes_per_pixel(), Some(count * bytes), "{format}");
                twins.extend(format.twin());
            }
        }
        assert_eq!(twins.len(), 21, "R, RG, RGBA, A and LA of all four, and BGRA of bytes");
        for twin in &twins {
            let format = LegacyFormat::of(*twin).unwrap();
            assert_eq!(format.anatomy(), twin.anatomy());
        }
    }

    #[test]
    fn what_we_send_is_what_is_read() {
        for format in PixelFormat::ALL {
            let packed = [PixelFormat::A2B10G10R10_UNORM_PACK32, PixelFormat::B10G11R11_UFLOAT_PACK32];
            let legacy = LegacyFormat::of(format);
            assert_eq!(legacy.is_none(), packed.contains(&format), "{format}");
            assert_eq!(legacy.and_then(LegacyFormat::twin), legacy.map(|_| format));
            assert_eq!(legacy.and_then(LegacyFormat::anatomy), legacy.and_then(|_| format.anatomy()));
        }
        assert_eq!(LegacyFormat::of(PixelFormat::from_number(1)), None);
    }

    #[test]
    fn unknown_ones_have_no_size_and_show_their_numbers() {
        let format = LegacyFormat { data_format: 0x1908, data_type: 0x1404, pixel_format: -1 };
        assert_eq!((format.bytes_per_pixel(), format.twin()), (None, None));
        assert_eq!(format.to_string(), "OpenGL 0x1908 0x1404 0xffffffff");
        let format = LegacyFormat { data_format: 0, data_type: 0x1401, pixel_format: 0x8058 };
        assert_eq!((format.bytes_per_pixel(), format.twin()), (None, None));
    }

    #[test]
    fn only_bytes_of_colour_are_srgb() {
        let srgb =
            |data_format, data_type| LegacyFormat { data_format, data_type, pixel_format: 0x8c43 }.is_srgb();
        assert!(srgb(0x1907, 0x1401) && srgb(0x80e1, 0x1401));
        assert!(!srgb(0x1908, 0x1406) && !srgb(0x1906, 0x1401) && !srgb(0x1909, 0x1401));
    }
}
