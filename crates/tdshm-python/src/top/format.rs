//! Pixel formats, and the arrays that have them.

use pyo3::prelude::*;
use tdshm::{PixelFormat, Texels};

use crate::errors::{Class, refuse};
use crate::kind::Kind;
use crate::view::Elements;

/// What an array of pixels is: elements of one kind, so many a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) kind: Kind,
    pub(crate) components: usize,
}

impl Layout {
    /// That of a format; `None` of an unknown one. Where several components share a number it is one of them.
    pub(crate) fn of(texels: Texels) -> Option<Self> {
        let bytes = texels.bytes_per_pixel()?;
        let packed = [PixelFormat::A2B10G10R10_UNORM_PACK32, PixelFormat::B10G11R11_UFLOAT_PACK32].map(Some);
        if packed.contains(&texels.format()) {
            return Some(Self { kind: Kind::U32, components: 1 });
        }
        let known = texels.kind()?;
        let kind = match (known.bits, known.float) {
            (8, _) => Kind::U8,
            (16, false) => Kind::U16,
            (16, true) => Kind::F16,
            (32, true) => Kind::F32,
            _ => return Some(Self { kind: Kind::U8, components: bytes }),
        };
        Some(Self { kind, components: bytes.checked_div(kind.size())? })
    }

    /// The axes of an image.
    pub(crate) fn shape(self, height: usize, width: usize) -> ([usize; 3], usize) {
        ([height, width, self.components], if self.components == 1 { 2 } else { 3 })
    }
}

/// The format of that name, or number.
pub(crate) fn parse(format: &str) -> PyResult<PixelFormat> {
    let parsed = format.parse::<PixelFormat>().map_err(|error| refuse(Class::Argument, error))?;
    match parsed.bytes_per_pixel() {
        Some(_) => Ok(parsed),
        None => Err(refuse(Class::Argument, format_args!("nobody knows the pixels of format {format}"))),
    }
}

/// Its short name, or its number.
pub(crate) fn name(texels: Texels) -> String {
    let short = texels.format().and_then(PixelFormat::short_name);
    short.map_or_else(|| texels.to_string(), str::to_owned)
}

/// The format in which an array is sent: `wanted`, or the one that is as the array is.
pub(crate) fn of_array(elements: &Elements<'_>, wanted: Option<PixelFormat>) -> PyResult<PixelFormat> {
    let has = match *elements.shape() {
        [_, _] => 1,
        [_, _, components] => components,
        ref shape => {
            let text = format_args!(
                "an image has 2 or 3 axes, height x width x components, and this array {}",
                shape.len()
            );
            return Err(refuse(Class::Argument, text));
        }
    };
    let kind = elements.kind();
    let Some(format) = wanted else { return natural(kind, has) };
    let Some(layout) = Layout::of(format.into()) else {
        return Err(refuse(Class::Argument, format_args!("nobody knows the pixels of format {format}")));
    };
    if layout.kind != kind {
        let (wants, has) = (layout.kind.name(), kind.name());
        let text = format_args!(
            "{} has elements of {wants}, and the array of {has}: convert it, or make a sender of another format",
            name(format.into())
        );
        return Err(refuse(Class::Dtype, text));
    }
    if layout.components == has || (layout.components == 4 && has == 3) {
        return Ok(format);
    }
    let text = format_args!(
        "{} has {} a pixel, and the array {has}: give height x width x components, or make a sender of another format",
        name(format.into()),
        layout.components
    );
    Err(refuse(Class::Argument, text))
}

fn natural(kind: Kind, components: usize) -> PyResult<PixelFormat> {
    Ok(match (kind, components) {
        (Kind::U8, 1) => PixelFormat::R8_UNORM,
        (Kind::U8, 2) => PixelFormat::R8G8_UNORM,
        (Kind::U8, 3 | 4) => PixelFormat::R8G8B8A8_UNORM,
        (Kind::U16, 1) => PixelFormat::R16_UNORM,
        (Kind::U16, 2) => PixelFormat::R16G16_UNORM,
        (Kind::U16, 3 | 4) => PixelFormat::R16G16B16A16_UNORM,
        (Kind::F16, 1) => PixelFormat::R16_SFLOAT,
        (Kind::F16, 2) => PixelFormat::R16G16_SFLOAT,
        (Kind::F16, 3 | 4) => PixelFormat::R16G16B16A16_SFLOAT,
        (Kind::F32, 1) => PixelFormat::R32_SFLOAT,
        (Kind::F32, 2) => PixelFormat::R32G32_SFLOAT,
        (Kind::F32, 3 | 4) => PixelFormat::R32G32B32A32_SFLOAT,
        (Kind::U8 | Kind::U16 | Kind::F16 | Kind::F32, _) => {
            let text = format_args!("an image has 1 to 4 components a pixel, and this array {components}");
            return Err(refuse(Class::Argument, text));
        }
        (kind, _) => {
            let text = format_args!(
                "an image has elements of uint8, uint16, float16 or float32, and this array of {}: convert it",
                kind.name()
            );
            return Err(refuse(Class::Dtype, text));
        }
    })
}

/// The bits of an alpha that hides nothing.
pub(crate) fn opaque(kind: Kind) -> u32 {
    match kind {
        Kind::U8 => 0xff,
        Kind::U16 => 0xffff,
        Kind::F16 => 0x3c00,
        _ => 0x3f80_0000,
    }
}
