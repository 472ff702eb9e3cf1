//! The curve of sRGB, IEC 61966-2-1, in `f64`: what comes of it is rounded once.

use std::sync::LazyLock;

use crate::convert::Encoding;

/// Changes the encoding of one number.
pub(super) fn change(value: f64, to: Encoding) -> f64 {
    match to {
        Encoding::Linear => decode(value),
        Encoding::Srgb => encode(value),
    }
}

fn decode(value: f64) -> f64 {
    if value > 0.04045 { ((value + 0.055) / 1.055).powf(2.4) } else { value / 12.92 }
}

fn encode(value: f64) -> f64 {
    if value > 0.003_130_8 { 1.055 * value.powf(1.0 / 2.4) - 0.055 } else { value * 12.92 }
}

/// Bits of a float that are not looked at to find its bucket: 7 of its fraction are.
const BUCKET_SHIFT: u32 = 16;
/// The bits of 2^-13, below which the byte is 0.
const LEAST: u32 = 114 << 23;
/// The bits of 1, from which it is 255.
const MOST: u32 = 127 << 23;
const BUCKETS: usize = ((MOST - LEAST) >> BUCKET_SHIFT) as usize;

/// From linear floats to bytes of sRGB, exactly and without the curve: it was asked once where each byte begins.
#[derive(Debug)]
pub(super) struct Encoder {
    /// The byte at the start of each bucket of floats. No bucket is so wide that two bytes begin in it.
    first: [u8; BUCKETS],
    /// From which float on the next byte is meant; the last one has none.
    next: [f32; 256],
}

impl Encoder {
    pub(super) fn get() -> &'static Self {
        static ENCODER: LazyLock<Encoder> = LazyLock::new(Encoder::new);
        &ENCODER
    }

    fn new() -> Self {
        let byte = |bits: u32| encode(f64::from(f32::from_bits(bits))) * 255.0;
        let mut next = [f32::INFINITY; 256];
        let mut from = LEAST;
        for (next, byte_before) in next.iter_mut().zip(0..u8::MAX) {
            // Floats above 0 are in the order of their bits.
            let (mut below, mut above) = (from, MOST);
            while above.wrapping_sub(below) > 1 {
                let middle = below.midpoint(above);
                let reached = byte(middle) >= f64::from(byte_before) + 0.5;
                (below, above) = if reached { (below, middle) } else { (middle, above) };
            }
            *next = f32::from_bits(above);
            from = below;
        }
        let mut first = [0; BUCKETS];
        for (first, bits) in first.iter_mut().zip((LEAST..MOST).step_by(1 << BUCKET_SHIFT)) {
            *first = byte(bits).round() as u8;
        }
        Self { first, next }
    }

    /// The byte whose number is nearest to what the curve gives; 0 of NaN.
    #[inline(always)]
    pub(super) fn encode(&self, value: f32) -> u8 {
        let value = if value > 0.0 { value } else { 0.0 };
        let bits = value.to_bits();
        if bits >= MOST {
            return u8::MAX;
        }
        let bucket = bits.saturating_sub(LEAST) >> BUCKET_SHIFT;
        let first = self.first.get(bucket as usize).copied().unwrap_or(0);
        let next = self.next.get(usize::from(first)).copied().unwrap_or(f32::INFINITY);
        first.saturating_add((value >= next).into())
    }
}
