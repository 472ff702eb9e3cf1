//! From one pixel format to another, in blocks that stay in the nearest cache.
//!
//! The numbers of a format of sRGB mean light by its curve, and those of all others are taken as they are, as the GPU
//! does it: who reads a texture of sRGB gets linear numbers, and who writes one stores them by the curve.

use tdshm::{Convert, ConvertError, Encoding, PixelFormat, Texels};

/// Pixels of a block.
const BLOCK: usize = 256;

/// What becomes of alpha.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alpha {
    AsIs,
    /// 1 for every pixel. Only formats of floats are asked for it.
    Opaque,
}

/// Makes pixels of `format` of those of `texels`. Both sides hold as many.
pub(super) fn transcode(texels: Texels, from: &[u8], format: PixelFormat, alpha: Alpha, to: &mut [u8]) {
    let same = texels.format() == Some(format) && alpha == Alpha::AsIs;
    if same && from.len() == to.len() {
        to.copy_from_slice(from);
        return;
    }
    let each = (texels.bytes_per_pixel().unwrap_or(1), format.bytes_per_pixel().unwrap_or(1));
    let from = from.chunks(each.0.saturating_mul(BLOCK));
    let blocks = from.zip(to.chunks_mut(each.1.saturating_mul(BLOCK)));
    if let Some(bytes) = Bytes::of(format) {
        for (from, to) in blocks {
            let mut rgba = [[0; 4]; BLOCK];
            let count = to.len().checked_div(each.1).unwrap_or(0);
            let Some(rgba) = rgba.get_mut(..count) else { continue };
            let convert = Convert::new(texels, count, 1).encode_as(bytes.encoding);
            done(convert.to_rgba8(from, rgba.as_flattened_mut()));
            spread_mono(texels, rgba);
            bytes.put(rgba, to);
        }
        return;
    }
    for (from, to) in blocks {
        let mut rgba = [[0.0; 4]; BLOCK];
        let count = to.len().checked_div(each.1).unwrap_or(0);
        let Some(rgba) = rgba.get_mut(..count) else { continue };
        decode(texels, from, rgba);
        encode(format, alpha, rgba, to);
    }
}

/// Linear red, green, blue and alpha of as many pixels as `rgba` has.
pub(super) fn decode(texels: Texels, from: &[u8], rgba: &mut [[f32; 4]]) {
    let convert = Convert::new(texels, rgba.len(), 1).encode_as(Encoding::Linear);
    done(convert.to_rgba32f(from, rgba.as_flattened_mut()));
    spread_mono(texels, rgba);
}

/// Pixels of `format` of linear numbers, which may change on the way.
pub(super) fn encode(format: PixelFormat, alpha: Alpha, rgba: &mut [[f32; 4]], to: &mut [u8]) {
    if alpha == Alpha::Opaque {
        rgba.iter_mut().for_each(|[_, _, _, a]| *a = 1.0);
    }
    let Some(bytes) = Bytes::of(format).filter(|bytes| bytes.encoding == Encoding::Srgb) else {
        done(format.pack(rgba.as_flattened(), to));
        return;
    };
    const FLOATS: PixelFormat = PixelFormat::R32G32B32A32_SFLOAT;
    for (rgba, to) in rgba.chunks(BLOCK).zip(to.chunks_mut(BLOCK.saturating_mul(4))) {
        let mut floats = [0; BLOCK * 16];
        done(FLOATS.pack(rgba.as_flattened(), &mut floats));
        let mut stored = [[0; 4]; BLOCK];
        let convert = Convert::new(FLOATS, rgba.len(), 1).encode_as(Encoding::Srgb);
        done(convert.to_rgba8(&floats, stored.as_flattened_mut()));
        bytes.put(stored.get(..rgba.len()).unwrap_or_default(), to);
    }
}

/// Mono formats read as the same in red, green and blue; a texture of red alone would have no green and no blue.
pub(super) fn spread_mono<T: Copy>(texels: Texels, pixels: &mut [[T; 4]]) {
    if texels.kind().is_some_and(|kind| kind.mono) {
        for [r, g, b, _] in pixels {
            (*g, *b) = (*r, *r);
        }
    }
}

/// The formats of a byte a channel, which need no floats on the way.
#[derive(Clone, Copy)]
struct Bytes {
    encoding: Encoding,
    put: fn(&[[u8; 4]], &mut [u8]),
}

impl Bytes {
    fn of(format: PixelFormat) -> Option<Self> {
        let encoding = if format.is_srgb() { Encoding::Srgb } else { Encoding::Linear };
        let put: fn(&[[u8; 4]], &mut [u8]) = match format {
            PixelFormat::R8G8B8A8_UNORM | PixelFormat::R8G8B8A8_SRGB => {
                |rgba, to| choose(rgba, to, |pixel| pixel)
            }
            PixelFormat::B8G8R8A8_UNORM | PixelFormat::B8G8R8A8_SRGB => {
                |rgba, to| choose(rgba, to, |[r, g, b, a]| [b, g, r, a])
            }
            PixelFormat::R8_UNORM => |rgba, to| choose(rgba, to, |[r, ..]| [r]),
            PixelFormat::R8G8_UNORM => |rgba, to| choose(rgba, to, |[r, g, ..]| [r, g]),
            PixelFormat::A8_UNORM => |rgba, to| choose(rgba, to, |[.., a]| [a]),
            PixelFormat::R8A8_UNORM => |rgba, to| choose(rgba, to, |[r, .., a]| [r, a]),
            _ => return None,
        };
        Some(Self { encoding, put })
    }

    fn put(self, rgba: &[[u8; 4]], to: &mut [u8]) {
        (self.put)(rgba, to);
    }
}

#[inline(always)]
fn choose<const N: usize>(rgba: &[[u8; 4]], to: &mut [u8], pixel: impl Fn([u8; 4]) -> [u8; N]) {
    for (rgba, to) in rgba.iter().zip(to.as_chunks_mut().0) {
        *to = pixel(*rgba);
    }
}

/// Shapes are checked when an image gets them, and blocks are cut from both sides alike: a conversion finds nothing to
/// refuse.
fn done(result: Result<(), ConvertError>) {
    debug_assert_eq!(result, Ok(()));
}
