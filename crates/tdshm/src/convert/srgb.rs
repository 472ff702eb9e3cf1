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

/// From here on, above what half floats hold, numbers are left to the standard library, and what is not finite as well.
const TAME: f64 = 65536.0;

/// Changes the encoding of many numbers: as [`change`], but without a branch or a call, so that vectors can be made of it.
pub(super) fn change_all(from: &[f64], to: &mut [f64], encoding: Encoding) {
    if !from.iter().fold(true, |tame, value| tame & (*value < TAME)) {
        for (from, to) in from.iter().zip(to) {
            *to = change(*from, encoding);
        }
        return;
    }
    for (from, to) in from.chunks(GROUP).zip(to.chunks_mut(GROUP)) {
        // Twice as many of these fit a vector, so they are made first.
        let mut roots = [0_f32; GROUP];
        match encoding {
            Encoding::Linear => {
                for (root, from) in roots.iter_mut().zip(from) {
                    *root = short_root::<5>(decoded_base(*from) as f32);
                }
                for ((from, to), root) in from.iter().zip(to).zip(roots) {
                    // To the power of 2.4 is to that of 4/5, three times.
                    let base = decoded_base(*from);
                    let root = base * step64::<5>(base, root.into());
                    let curve = root * root * root;
                    *to = if *from > 0.04045 { curve } else { *from / 12.92 };
                }
            }
            Encoding::Srgb => {
                for (root, from) in roots.iter_mut().zip(from) {
                    *root = short_root::<12>(from.max(LEAST_BASE) as f32);
                }
                for ((from, to), root) in from.iter().zip(to).zip(roots) {
                    // To the power of 1 / 2.4 is to that of 1 - 7/12.
                    let base = from.max(LEAST_BASE);
                    let root = step64::<12>(base, root.into());
                    let cube = root * root * root;
                    let curve = 1.055 * (base * (cube * cube * root)) - 0.055;
                    *to = if *from > 0.003_130_8 { curve } else { *from * 12.92 };
                }
            }
        }
    }
}

/// How many numbers are changed together.
const GROUP: usize = 64;
/// Below it both curves are straight.
const LEAST_BASE: f64 = 1e-3;

#[inline(always)]
fn decoded_base(value: f64) -> f64 {
    ((value + 0.055) / 1.055).max(LEAST_BASE)
}

/// `value` to the power of -1/N, for 5 and 12, as far as 32 bits go. The first guess is the exponent's, 4 % off at most, and
/// each step leaves the third power of that.
#[inline(always)]
fn short_root<const N: u32>(value: f32) -> f32 {
    // How much the straight line lies too low in the middle.
    const MIDDLE: u32 = 366_000;
    let part = |bits: u32| bits.checked_div(N).unwrap_or(0);
    let one = (127_u32 << 23).wrapping_sub(MIDDLE);
    let root = f32::from_bits(one.wrapping_add(part(one)).wrapping_sub(part(value.to_bits())));
    step32::<N>(value, step32::<N>(value, root))
}

/// A step towards `value` to the power of -1/N: with 1 - h for value · root^N, the series of (1 - h)^(-1/N).
#[inline(always)]
fn step32<const N: u32>(value: f32, root: f32) -> f32 {
    let square = root * root;
    let four = square * square;
    let power = if N == 5 { four * root } else { four * four * four };
    let h = 1.0 - value * power;
    root + root * h * (first(N) as f32 + h * second(N) as f32)
}

/// The same, as far as 64 bits go.
#[inline(always)]
fn step64<const N: u32>(value: f64, root: f64) -> f64 {
    let square = root * root;
    let four = square * square;
    let power = if N == 5 { four * root } else { four * four * four };
    let h = 1.0 - value * power;
    root + root * h * (first(N) + h * second(N))
}

/// The factors of that series: 1/N, and (N + 1) / 2N².
#[inline(always)]
fn first(n: u32) -> f64 {
    1.0 / f64::from(n)
}

#[inline(always)]
fn second(n: u32) -> f64 {
    (f64::from(n) + 1.0) / (2.0 * f64::from(n) * f64::from(n))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_at_once_are_what_each_is_alone() {
        // What each is alone comes from the system's powf, and that of Windows is a unit in the last place further off.
        let close = if cfg!(windows) { 4e-15 } else { 2e-15 };
        let mut values = vec![0.0, -0.5, -1e300, 1e-320, 1.0, 0.04045, 0.003_130_8, 2.0, 65504.0, -1e29];
        values.extend((0..=40_000_u32).map(|n| f64::from(n) / 39_000.0));
        values
            .extend((0..4000_u32).map(|n| f64::from(f32::from_bits(n << 18))).filter(|value| *value < TAME));
        for encoding in [Encoding::Linear, Encoding::Srgb] {
            let mut changed = vec![0.0; values.len()];
            change_all(&values, &mut changed, encoding);
            for (value, got) in values.iter().zip(&changed) {
                let alone = change(*value, encoding);
                let off = ((got - alone) / alone).abs();
                assert!(got == &alone || off < close, "{value} to {encoding:?}: {got}, alone {alone}");
            }
        }
    }

    #[test]
    fn what_is_not_finite_stays_what_it_becomes_alone() {
        for value in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e31, f64::MAX] {
            for encoding in [Encoding::Linear, Encoding::Srgb] {
                let mut changed = [0.0; 3];
                change_all(&[0.5, value, 0.1], &mut changed, encoding);
                let (got, alone) = (changed[1], change(value, encoding));
                assert!(got == alone || (got.is_nan() && alone.is_nan()), "{value}: {got}, alone {alone}");
                assert!((changed[0] - change(0.5, encoding)).abs() < 1e-15);
            }
        }
    }
}
