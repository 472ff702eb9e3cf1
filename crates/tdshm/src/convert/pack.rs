//! The other way: RGBA of floats into the pixels of a format.

use half::f16;

use crate::convert::ConvertError;
use crate::wire::pixel::{Channels, PixelFormat, Sample};
use crate::wire::top::Texels;

const SOURCE: &str = "source, in samples,";
const TARGET: &str = "target, in bytes,";

impl PixelFormat {
    /// Writes RGBA of floats as pixels of this format, one right behind the other: four samples a pixel in, red, green,
    /// blue, alpha, and [`bytes_per_pixel`](Self::bytes_per_pixel) out.
    ///
    /// Channels that the format lacks are left out: one of red alone, or of mono and alpha, takes red. Unorm is clamped to 0
    /// and 1 and rounded to the nearest, NaN is 0; a float without a sign is 0 below 0. Nothing is turned into sRGB: what
    /// [`Convert::to_rgba32f`](crate::Convert::to_rgba32f) made of a format becomes that format again, bit by bit where it
    /// is no NaN.
    ///
    /// # Errors
    ///
    /// [`ConvertError`]: the format is unknown, or `to` has no room for as many pixels as `rgba` has; nothing is written.
    ///
    /// ```
    /// use tdshm::PixelFormat;
    ///
    /// let mut pixel = [0; 4];
    /// PixelFormat::B8G8R8A8_UNORM.pack(&[1.0, 0.5, 0.0, 1.0], &mut pixel)?;
    /// assert_eq!(pixel, [0, 128, 255, 255]);
    /// # Ok::<(), tdshm::ConvertError>(())
    /// ```
    pub fn pack(self, rgba: &[f32], to: &mut [u8]) -> Result<(), ConvertError> {
        let Some(anatomy) = self.anatomy() else {
            return Err(ConvertError::UnknownFormat { texels: Texels::Format(self) });
        };
        let (pixels, rest) = rgba.as_chunks::<4>();
        if !rest.is_empty() {
            let needed = rgba.len().next_multiple_of(4);
            return Err(ConvertError::TooShort { side: SOURCE, given: rgba.len(), needed });
        }
        let needed = pixels.len().saturating_mul(anatomy.bytes());
        let given = to.len();
        let Some(to) = to.get_mut(..needed) else {
            return Err(ConvertError::TooShort { side: TARGET, given, needed });
        };
        match anatomy.sample {
            Sample::Unorm8 => put(anatomy.channels, pixels, to, |value| [unorm(value, 255.0) as u8]),
            Sample::Unorm16 => {
                put(anatomy.channels, pixels, to, |value| (unorm(value, 65535.0) as u16).to_le_bytes());
            }
            Sample::Half => put(anatomy.channels, pixels, to, |value| f16::from_f32(value).to_le_bytes()),
            Sample::Float => put(anatomy.channels, pixels, to, f32::to_le_bytes),
            Sample::Unorm10 => whole(pixels, to, |[r, g, b, a]| {
                unorm(r, 1023.0) | unorm(g, 1023.0) << 10 | unorm(b, 1023.0) << 20 | unorm(a, 3.0) << 30
            }),
            Sample::Float11 => whole(pixels, to, |[r, g, b, _]| {
                u32::from(unsigned(r, 6)) | u32::from(unsigned(g, 6)) << 11 | u32::from(unsigned(b, 5)) << 22
            }),
        }
        Ok(())
    }
}

/// Channel by channel.
fn put<const N: usize>(
    channels: Channels,
    pixels: &[[f32; 4]],
    to: &mut [u8],
    number: impl Fn(f32) -> [u8; N],
) {
    let order: fn([f32; 4]) -> [f32; 4] = match channels {
        Channels::R | Channels::Rg | Channels::Rgb | Channels::Rgba | Channels::L => |pixel| pixel,
        Channels::Bgr | Channels::Bgra => |[r, g, b, a]| [b, g, r, a],
        Channels::Abgr => |[r, g, b, a]| [a, b, g, r],
        Channels::A => |[r, g, b, a]| [a, r, g, b],
        Channels::La => |[r, g, b, a]| [r, a, g, b],
    };
    let count = channels.count();
    for (pixel, to) in pixels.iter().zip(to.chunks_exact_mut(count.saturating_mul(N))) {
        for (value, to) in order(*pixel).into_iter().zip(to.as_chunks_mut().0) {
            *to = number(value);
        }
    }
}

/// A pixel in one `u32`.
fn whole(pixels: &[[f32; 4]], to: &mut [u8], pack: impl Fn([f32; 4]) -> u32) {
    for (pixel, to) in pixels.iter().zip(to.as_chunks_mut().0) {
        *to = pack(*pixel).to_le_bytes();
    }
}

/// The nearest whole number to `value` times `most`, from 0 to that; of NaN 0.
fn unorm(value: f32, most: f64) -> u32 {
    // A conversion of floats saturates, and makes NaN 0.
    (f64::from(value) * most).clamp(0.0, most).round() as u32
}

/// A float without a sign that has so many bits behind the point: a half without its sign and its last bits. Beyond the
/// greatest it is that, unless it is infinite.
fn unsigned(value: f32, bits: u32) -> u16 {
    let shift = 10_u32.saturating_sub(bits);
    let greatest = 0x7bff_u16.wrapping_shr(shift);
    if value.is_nan() {
        return 0x7e00_u16.wrapping_shr(shift);
    }
    if value <= 0.0 {
        return 0;
    }
    if value.is_infinite() {
        return 0x7c00_u16.wrapping_shr(shift);
    }
    // What is below 2^-14 has the distances of what is just above it. As f64, all of this is exact but the rounding.
    let value = f64::from(value);
    let exponent = (value.to_bits().wrapping_shr(52) as i32).saturating_sub(1023).max(-14);
    let step = 2_f64.powi(exponent.saturating_sub(bits as i32));
    let rounded = (value / step).round_ties_even() * step;
    f16::from_f64(rounded).to_bits().wrapping_shr(shift).min(greatest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::Convert;

    /// Every number that a pixel can hold comes back as it was.
    #[test]
    fn every_number_comes_back() {
        for format in PixelFormat::ALL {
            let size = format.bytes_per_pixel().unwrap();
            let kind = Texels::Format(format).kind().unwrap();
            let bits: Vec<u8> = if kind.bits == 32 {
                let floats = [0.0, -0.0, 1e-45, -1.5, f32::MAX, f32::INFINITY, f32::MIN_POSITIVE, 0.1];
                floats.iter().flat_map(|value| value.to_le_bytes()).collect()
            } else if size == 4 && matches!(kind.bits, 10 | 11) {
                (0..2048_u32).flat_map(|n| (n | n << 11 | (n & 0x3ff) << 22).to_le_bytes()).collect()
            } else {
                // Every u16, and four times as many of everything as one pixel has.
                (0..=u16::MAX).flat_map(u16::to_le_bytes).collect()
            };
            let width = bits.len() / size;
            let mut rgba = vec![0.0; width * 4];
            Convert::new(format, width, 1).to_rgba32f(&bits, &mut rgba).unwrap();
            let mut back = vec![0; width * size];
            format.pack(&rgba, &mut back).unwrap();
            let unequal = bits.chunks(size).zip(back.chunks(size)).zip(rgba.chunks(4));
            let mut unequal =
                unequal.filter(|((a, b), rgba)| a != b && !rgba.iter().any(|value| value.is_nan()));
            assert_eq!(unequal.next(), None, "{format}");
        }
    }

    #[test]
    fn rounding_and_limits_of_floats_without_a_sign() {
        // 65024 is the greatest of 11 bits, 64512 of 10; 1 + 1/128 lies in the middle of two of 11 bits.
        for (value, eleven, ten) in [
            (1.0, 0x3c0, 0x1e0),
            (1.0 + 1.0 / 128.0, 0x3c0, 0x1e0),
            (1.0 + 3.0 / 128.0, 0x3c2, 0x1e1),
            (1e9, 0x7bf, 0x3df),
            (65100.0, 0x7bf, 0x3df),
            (f32::INFINITY, 0x7c0, 0x3e0),
            (-1.0, 0, 0),
            (f32::NEG_INFINITY, 0, 0),
            (1e-30, 0, 0),
            (2_f32.powi(-20), 1, 0),
            (2_f32.powi(-19), 2, 1),
        ] {
            assert_eq!((unsigned(value, 6), unsigned(value, 5)), (eleven, ten), "{value}");
        }
        assert!(unsigned(f32::NAN, 6) > 0x7c0 && unsigned(f32::NAN, 5) > 0x3e0);
    }

    #[test]
    fn what_has_no_room_is_refused_and_nothing_is_written() {
        let mut bytes = [9; 7];
        let error = PixelFormat::R8G8B8A8_UNORM.pack(&[1.0; 8], &mut bytes).unwrap_err();
        assert_eq!(error, ConvertError::TooShort { side: TARGET, given: 7, needed: 8 });
        assert_eq!(bytes, [9; 7]);
        let error = PixelFormat::R8_UNORM.pack(&[1.0; 5], &mut bytes).unwrap_err();
        assert_eq!(error, ConvertError::TooShort { side: SOURCE, given: 5, needed: 8 });
        assert!(PixelFormat::from_number(1).pack(&[0.0; 4], &mut bytes).is_err());
    }
}
