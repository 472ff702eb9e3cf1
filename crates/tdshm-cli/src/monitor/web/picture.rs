//! An image of any format as pixels that a browser shows: 8 bits, the top row first, no larger than wanted.

use std::sync::Arc;

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use tdshm::{Convert, PixelFormat, RowOrder, Texels, TopShape};

use super::message::{Encoding, ImageWish, Levels};
use super::wire::Picture;
use crate::monitor::model::Image;

/// Of JPEG: what is lost is hard to see.
const QUALITY: u8 = 85;

/// Rows of an image, the bottom one first, one behind the other.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) texels: Texels,
    pub(super) width: usize,
    pub(super) height: usize,
    /// How many rows there are: fewer than its height where not all were read.
    pub(super) rows: usize,
    pub(super) pixels: Arc<Vec<u8>>,
}

/// Why an image cannot be shown.
pub(super) fn unshown(image: &Image) -> Option<String> {
    let texels = image.shape().texels;
    texels.kind().is_none().then(|| {
        format!(
            "the image cannot be shown: nobody here knows how pixels of the format {texels} lie: let the sender use one of \
             TouchDesigner's, such as {}",
            PixelFormat::R8G8B8A8_UNORM
        )
    })
}

impl Raw {
    pub(super) fn of(image: &Image) -> Self {
        let TopShape { texels, width, height, .. } = image.shape();
        let rows = image.rows_from_top().len();
        Self { texels, width, height, rows, pixels: Arc::clone(image.pixels()) }
    }

    /// As it is wanted; `None` where nobody knows the format, or there are no pixels.
    pub(super) fn shown(&self, wish: &ImageWish) -> Option<Picture> {
        let Self { texels, width, height, rows, .. } = *self;
        let kind = texels.kind()?;
        if width == 0 || rows == 0 {
            return None;
        }
        let convert = Convert::new(texels, width, rows).rows(RowOrder::BottomFirst, RowOrder::TopFirst);
        let numbers = width.checked_mul(rows)?.checked_mul(4)?;
        let mut rgba = vec![0; numbers];
        let range = match wish.range {
            Levels::Between(low, high) if low == 0.0 && high == 1.0 => {
                convert.to_rgba8(&self.pixels, &mut rgba).ok()?;
                (low, high)
            }
            levels => {
                let mut floats = vec![0.0; numbers];
                convert.to_rgba32f(&self.pixels, &mut floats).ok()?;
                let range = match levels {
                    Levels::Between(low, high) => (low, high),
                    Levels::Auto => extent(&floats, kind.mono),
                };
                level(&floats, range, &mut rgba);
                range
            }
        };
        let alpha_alone =
            kind.alpha && !kind.mono && texels.bytes_per_pixel() == Some(usize::from(kind.bits / 8));
        if kind.mono || alpha_alone {
            for pixel in rgba.as_chunks_mut::<4>().0 {
                let [r, g, b, a] = pixel;
                let grey = if alpha_alone { *a } else { *r };
                (*r, *g, *b) = (grey, grey, grey);
                if alpha_alone {
                    *a = 255;
                }
            }
        }
        let (target_width, target_height) = fitted((width, height), (wish.width, wish.height));
        let target_height = target_height.min(rows);
        if (target_width, target_height) != (width, rows) {
            rgba = averaged(&rgba, (width, rows), (target_width, target_height));
        }
        let bytes = match wish.encoding {
            Encoding::Rgba8 => rgba,
            Encoding::Jpeg => jpeg(&rgba, target_width, target_height)?,
        };
        Some(Picture {
            width: target_width,
            height: target_height,
            source: (width, height),
            format: texels.format().map_or(0, PixelFormat::number),
            encoding: wish.encoding,
            is_float: kind.float,
            range,
            bytes,
        })
    }
}

/// Width and height in the same proportion that are not greater than wanted, nor than they are; 0: any.
fn fitted((width, height): (usize, usize), (most_width, most_height): (usize, usize)) -> (usize, usize) {
    let share = |size: usize, most: usize| if most == 0 { 1.0 } else { most as f64 / size.max(1) as f64 };
    let scale = share(width, most_width).min(share(height, most_height)).min(1.0);
    let side = |size: usize| ((size as f64 * scale).round() as usize).max(1);
    (side(width), side(height))
}

/// The least and the greatest of red, green and blue; of grey pictures, of red.
fn extent(rgba: &[f32], mono: bool) -> (f32, f32) {
    let channels = if mono { 1 } else { 3 };
    let values = rgba.as_chunks::<4>().0.iter().flat_map(|pixel| pixel.iter().take(channels).copied());
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (value.min(low), value.max(high)));
    if low < high {
        (low, high)
    } else if low.is_finite() {
        (low, low + 1.0)
    } else {
        (0.0, 1.0)
    }
}

/// Red, green and blue between those numbers; alpha between 0 and 1. NaN is black.
fn level(floats: &[f32], (low, high): (f32, f32), to: &mut [u8]) {
    let scale = 255.0 / (high - low);
    let byte = |value: f32| (value + 0.5) as u8; // clamps
    for (to, [r, g, b, a]) in to.as_chunks_mut::<4>().0.iter_mut().zip(floats.as_chunks::<4>().0) {
        *to = [byte((r - low) * scale), byte((g - low) * scale), byte((b - low) * scale), byte(a * 255.0)];
    }
}

/// Each pixel the mean of those that it stands for.
fn averaged(rgba: &[u8], (width, height): (usize, usize), (to_width, to_height): (usize, usize)) -> Vec<u8> {
    let part = |index: usize, parts: usize, size: usize| {
        let place = |index: usize| index.saturating_mul(size).checked_div(parts).unwrap_or(0);
        let begin = place(index).min(size.saturating_sub(1));
        begin..place(index.saturating_add(1)).clamp(begin.saturating_add(1), size)
    };
    let columns: Vec<_> = (0..to_width).map(|x| part(x, to_width, width)).collect();
    let pixels = rgba.as_chunks::<4>().0;
    let mut averaged = Vec::with_capacity(to_width.saturating_mul(to_height).saturating_mul(4));
    let mut sums = vec![[0_u32; 4]; to_width];
    for y in 0..to_height {
        let rows = part(y, to_height, height);
        sums.fill([0; 4]);
        for row in rows.clone() {
            let begin = row.saturating_mul(width);
            let row = pixels.get(begin..begin.saturating_add(width)).unwrap_or_default();
            for (sum, column) in sums.iter_mut().zip(&columns) {
                for pixel in row.get(column.clone()).unwrap_or_default() {
                    for (sum, value) in sum.iter_mut().zip(pixel) {
                        // 255 times the pixels of a side squared fits: a side has at most 32 768, a part far less.
                        *sum = sum.saturating_add(u32::from(*value));
                    }
                }
            }
        }
        for (sum, column) in sums.iter().zip(&columns) {
            let count = u32::try_from(rows.len().saturating_mul(column.len())).unwrap_or(u32::MAX).max(1);
            averaged.extend(sum.map(|sum| {
                let mean = sum.saturating_add(count / 2).checked_div(count).unwrap_or(0);
                u8::try_from(mean).unwrap_or(u8::MAX)
            }));
        }
    }
    averaged
}

/// Without alpha, which JPEG has not.
fn jpeg(rgba: &[u8], width: usize, height: usize) -> Option<Vec<u8>> {
    let rgb: Vec<u8> = rgba.as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect();
    let mut bytes = Vec::new();
    let size = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    encoder.encode(&rgb, size.0, size.1, ExtendedColorType::Rgb8).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(format: PixelFormat, width: usize, height: usize, pixels: Vec<u8>) -> Raw {
        Raw { texels: format.into(), width, height, rows: height, pixels: Arc::new(pixels) }
    }

    fn wish(width: usize, height: usize, encoding: Encoding, range: Levels) -> ImageWish {
        ImageWish { width, height, encoding, range }
    }

    const UNIT: Levels = Levels::Between(0.0, 1.0);

    #[test]
    fn the_top_row_comes_first() {
        let raw = raw(PixelFormat::R8G8B8A8_UNORM, 1, 2, vec![1, 2, 3, 4, 5, 6, 7, 8]);
        let picture = raw.shown(&wish(0, 0, Encoding::Rgba8, UNIT)).unwrap();
        assert_eq!((picture.width, picture.height, picture.source), (1, 2, (1, 2)));
        assert_eq!(picture.bytes, [5, 6, 7, 8, 1, 2, 3, 4]);
    }

    #[test]
    fn grey_is_grey_and_alpha_alone_is_seen() {
        let shown = |format, pixels| {
            raw(format, 1, 1, pixels).shown(&wish(0, 0, Encoding::Rgba8, UNIT)).unwrap().bytes
        };
        assert_eq!(shown(PixelFormat::R8_UNORM, vec![7]), [7, 7, 7, 255]);
        assert_eq!(shown(PixelFormat::R8A8_UNORM, vec![7, 9]), [7, 7, 7, 9]);
        assert_eq!(shown(PixelFormat::A8_UNORM, vec![7]), [7, 7, 7, 255]);
        assert_eq!(shown(PixelFormat::R8G8_UNORM, vec![7, 9]), [7, 9, 0, 255]);
        assert_eq!(shown(PixelFormat::B8G8R8A8_UNORM, vec![1, 2, 3, 4]), [3, 2, 1, 4]);
    }

    #[test]
    fn numbers_beyond_one_are_shown_where_that_is_asked() {
        let floats: Vec<u8> =
            [-1.0_f32, 0.0, 1.0, 3.0, f32::NAN].iter().flat_map(|v| v.to_le_bytes()).collect();
        let image = raw(PixelFormat::R32_SFLOAT, 5, 1, floats);
        let reds = |range| {
            let picture = image.shown(&wish(0, 0, Encoding::Rgba8, range)).unwrap();
            (
                picture.range,
                picture.is_float,
                picture.bytes.chunks(4).map(|pixel| pixel[0]).collect::<Vec<_>>(),
            )
        };
        assert_eq!(reds(UNIT), ((0.0, 1.0), true, vec![0, 0, 255, 255, 0]));
        assert_eq!(reds(Levels::Auto), ((-1.0, 3.0), true, vec![0, 64, 128, 255, 0]));
        assert_eq!(reds(Levels::Between(0.0, 3.0)), ((0.0, 3.0), true, vec![0, 0, 85, 255, 0]));
    }

    #[test]
    fn it_gets_smaller_and_never_larger() {
        let pixels: Vec<u8> = (0..4 * 4).flat_map(|pixel| [pixel * 10, 0, 0, 255]).collect();
        let image = raw(PixelFormat::R8G8B8A8_UNORM, 4, 4, pixels);
        let picture = image.shown(&wish(2, 99, Encoding::Rgba8, UNIT)).unwrap();
        assert_eq!((picture.width, picture.height), (2, 2));
        // The upper rows are the last: 80 to 150.
        let reds: Vec<u8> = picture.bytes.chunks(4).map(|pixel| pixel[0]).collect();
        assert_eq!(reds, [105, 125, 25, 45]);
        assert_eq!(fitted((1920, 1080), (960, 0)), (960, 540));
        assert_eq!(fitted((10, 10), (64, 64)), (10, 10));
        assert_eq!(fitted((32768, 1), (64, 64)), (64, 1));
    }

    #[test]
    fn jpeg_can_be_read_back() {
        let pixels = [255, 0, 0, 255].repeat(16 * 8);
        let image = raw(PixelFormat::R8G8B8A8_UNORM, 16, 8, pixels);
        let picture = image.shown(&wish(0, 0, Encoding::Jpeg, UNIT)).unwrap();
        let read = image::load_from_memory(&picture.bytes).unwrap().to_rgb8();
        assert_eq!(read.dimensions(), (16, 8));
        let [r, g, b] = read.get_pixel(3, 3).0;
        assert!(r > 245 && g < 10 && b < 10, "{r} {g} {b}");
    }

    #[test]
    fn what_nobody_knows_is_not_shown() {
        let image = raw(PixelFormat::from_number(999), 2, 2, vec![0; 16]);
        assert_eq!(image.shown(&wish(0, 0, Encoding::Rgba8, UNIT)), None);
        let cut = raw(PixelFormat::R8G8B8A8_UNORM, 2, 2, vec![0; 8]);
        assert_eq!(cut.shown(&wish(0, 0, Encoding::Rgba8, UNIT)), None);
    }
}
