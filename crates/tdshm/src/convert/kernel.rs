//! The loops: pixels in blocks, each step of which the compiler makes vectors of.
//!
//! Numbers are converted first, one like the other, into a block on the stack that stays in the nearest cache, and then
//! spread over red, green, blue and alpha.

use std::sync::LazyLock;

use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};

use crate::convert::srgb::Encoder;
use crate::convert::{Encoding, srgb};
use crate::wire::pixel::{Anatomy, Channels, Sample};

/// Pixels of a block.
const BLOCK: usize = 64;
/// Samples of a block at most.
const SAMPLES: usize = BLOCK * 4;

/// What a channel becomes.
pub(super) trait Target: Copy + 'static {
    /// 0.
    const ZERO: Self;
    /// 1: the greatest unorm.
    const ONE: Self;

    fn from_unorm8(value: u8) -> Self;
    fn from_unorm16(value: u16) -> Self;
    /// Of 10 bits.
    fn from_unorm10(value: u32) -> Self;
    fn from_f32(value: f32) -> Self;
    fn from_f64(value: f64) -> Self;
    /// Each byte by the curve to `Linear`, and to `Srgb`.
    fn tables() -> &'static Tables<Self>;
    /// What a linear float is as a byte of sRGB, where that is all of it: the way in which floats are looked at.
    fn encoder() -> Option<fn(&Encoder, f32) -> Self> {
        None
    }
}

/// What each byte becomes when its encoding changes: it is worth a table, since pictures are of bytes.
#[derive(Debug)]
pub(super) struct Tables<T> {
    linear: [T; 256],
    srgb: [T; 256],
}

impl<T: Target> Tables<T> {
    fn new() -> Self {
        let table = |to| {
            let mut table = [T::ZERO; 256];
            for (entry, byte) in table.iter_mut().zip(0..=u8::MAX) {
                *entry = T::from_f64(srgb::change(f64::from(byte) / 255.0, to));
            }
            table
        };
        Self { linear: table(Encoding::Linear), srgb: table(Encoding::Srgb) }
    }
}

/// The nearest whole number to `value`, clamped to 0 and 1, times `most`; of NaN 0.
///
/// The product is exact in `f64` when the value was an `f32`, and adding 2^52 leaves no bits for what is behind the point,
/// so that this rounds once. The only tie is at 0.5, and the even neighbour is the upper one.
#[inline(always)]
fn unorm(value: f64, most: f64) -> u64 {
    (value * most + 4_503_599_627_370_496.0).to_bits()
}

/// In the order that makes a NaN 0, and two instructions of each line.
#[inline(always)]
fn clamp32(value: f32) -> f32 {
    let value = if value > 0.0 { value } else { 0.0 };
    if value < 1.0 { value } else { 1.0 }
}

#[inline(always)]
fn clamp64(value: f64) -> f64 {
    let value = if value > 0.0 { value } else { 0.0 };
    if value < 1.0 { value } else { 1.0 }
}

/// Rounded to the nearest: `value * most / of`. There are no ties, since `of` is odd.
#[inline(always)]
fn scale(value: u32, most: u32, of: u32) -> u32 {
    value.wrapping_mul(most).wrapping_add(of >> 1).checked_div(of).unwrap_or(0)
}

impl Target for u8 {
    const ZERO: Self = 0;
    const ONE: Self = Self::MAX;

    #[inline(always)]
    fn from_unorm8(value: u8) -> Self {
        value
    }

    /// `value / 257`, rounded: a test tries all of them.
    #[inline(always)]
    fn from_unorm16(value: u16) -> Self {
        let value = u32::from(value);
        ((value << 8).wrapping_sub(value).wrapping_add(32895) >> 16) as Self
    }

    #[inline(always)]
    fn from_unorm10(value: u32) -> Self {
        scale(value, 255, 1023) as Self
    }

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        unorm(f64::from(clamp32(value)), 255.0) as Self
    }

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        unorm(clamp64(value), 255.0) as Self
    }

    fn tables() -> &'static Tables<Self> {
        static TABLES: LazyLock<Tables<u8>> = LazyLock::new(Tables::new);
        &TABLES
    }

    #[inline(always)]
    fn encoder() -> Option<fn(&Encoder, f32) -> Self> {
        Some(Encoder::encode)
    }
}

impl Target for u16 {
    const ZERO: Self = 0;
    const ONE: Self = Self::MAX;

    #[inline(always)]
    fn from_unorm8(value: u8) -> Self {
        Self::from(value).wrapping_mul(257)
    }

    #[inline(always)]
    fn from_unorm16(value: u16) -> Self {
        value
    }

    #[inline(always)]
    fn from_unorm10(value: u32) -> Self {
        scale(value, 65535, 1023) as Self
    }

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        unorm(f64::from(clamp32(value)), 65535.0) as Self
    }

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        unorm(clamp64(value), 65535.0) as Self
    }

    fn tables() -> &'static Tables<Self> {
        static TABLES: LazyLock<Tables<u16>> = LazyLock::new(Tables::new);
        &TABLES
    }
}

impl Target for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn from_unorm8(value: u8) -> Self {
        Self::from(value) / 255.0
    }

    #[inline(always)]
    fn from_unorm16(value: u16) -> Self {
        Self::from(value) / 65535.0
    }

    #[inline(always)]
    fn from_unorm10(value: u32) -> Self {
        value as Self / 1023.0
    }

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as Self
    }

    fn tables() -> &'static Tables<Self> {
        static TABLES: LazyLock<Tables<f32>> = LazyLock::new(Tables::new);
        &TABLES
    }
}

/// For the change of encoding: nothing is lost on the way, and what comes of it is rounded once.
impl Target for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn from_unorm8(value: u8) -> Self {
        Self::from(value) / 255.0
    }

    fn from_unorm16(value: u16) -> Self {
        Self::from(value) / 65535.0
    }

    fn from_unorm10(value: u32) -> Self {
        Self::from(value) / 1023.0
    }

    fn from_f32(value: f32) -> Self {
        Self::from(value)
    }

    fn from_f64(value: f64) -> Self {
        value
    }

    fn tables() -> &'static Tables<Self> {
        static TABLES: LazyLock<Tables<f64>> = LazyLock::new(Tables::new);
        &TABLES
    }
}

/// What is done to each row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    anatomy: Anatomy,
    change: Option<Encoding>,
}

impl Work {
    pub(super) fn new(anatomy: Anatomy, change: Option<Encoding>) -> Self {
        // Alpha alone has no colour to change.
        Self { anatomy, change: change.filter(|_| anatomy.channels != Channels::A) }
    }

    /// Converts a row: `to` has four samples for each pixel of `from`.
    pub(super) fn row<T: Target>(self, from: &[u8], to: &mut [T]) {
        let blocks = from.chunks(self.anatomy.bytes().saturating_mul(BLOCK)).zip(to.chunks_mut(SAMPLES));
        match (self.change, self.anatomy.sample) {
            // Nothing is spread, and nothing changes on the way: a row at once.
            (None, Sample::Unorm8 | Sample::Unorm16 | Sample::Float)
                if self.anatomy.channels == Channels::Rgba =>
            {
                numbers(self.anatomy.sample, from, to);
            }
            (None, _) => blocks.for_each(|(from, to)| self.block(from, to)),
            (Some(encoding), Sample::Unorm8) => {
                let tables = T::tables();
                let table = match encoding {
                    Encoding::Linear => &tables.linear,
                    Encoding::Srgb => &tables.srgb,
                };
                for (from, to) in blocks {
                    let mut bytes = [0_u8; SAMPLES];
                    self.block(from, &mut bytes);
                    for ([r, g, b, a], to) in bytes.as_chunks().0.iter().zip(to.as_chunks_mut().0) {
                        let changed = |byte: &u8| table.get(usize::from(*byte)).copied().unwrap_or(T::ZERO);
                        *to = [changed(r), changed(g), changed(b), T::from_unorm8(*a)];
                    }
                }
            }
            (Some(Encoding::Srgb), _) if let Some(encode) = T::encoder() => {
                let encoder = Encoder::get();
                for (from, to) in blocks {
                    let mut linear = [0_f32; SAMPLES];
                    self.block(from, &mut linear);
                    for ([r, g, b, a], to) in linear.as_chunks().0.iter().zip(to.as_chunks_mut().0) {
                        let encoded = |value: &f32| encode(encoder, *value);
                        *to = [encoded(r), encoded(g), encoded(b), T::from_f32(*a)];
                    }
                }
            }
            (Some(encoding), _) => {
                for (from, to) in blocks {
                    let mut exact = [0_f64; SAMPLES];
                    self.block(from, &mut exact);
                    for ([r, g, b, a], to) in exact.as_chunks().0.iter().zip(to.as_chunks_mut().0) {
                        let changed = |value: &f64| T::from_f64(srgb::change(*value, encoding));
                        *to = [changed(r), changed(g), changed(b), T::from_f64(*a)];
                    }
                }
            }
        }
    }

    /// Converts a block, or the part of one at the end of a row.
    #[inline]
    fn block<T: Target>(self, from: &[u8], to: &mut [T]) {
        let Anatomy { channels, sample, .. } = self.anatomy;
        if channels == Channels::Rgba {
            return numbers(sample, from, to);
        }
        let mut samples = [T::ZERO; SAMPLES];
        numbers(sample, from, &mut samples);
        let (zero, one) = (T::ZERO, T::ONE);
        match channels {
            Channels::Rgba => {}
            Channels::R => spread(&samples, to, |[r]| [r, zero, zero, one]),
            Channels::Rg => spread(&samples, to, |[r, g]| [r, g, zero, one]),
            Channels::Rgb => spread(&samples, to, |[r, g, b]| [r, g, b, one]),
            Channels::Bgr => spread(&samples, to, |[b, g, r]| [r, g, b, one]),
            Channels::Bgra => spread(&samples, to, |[b, g, r, a]| [r, g, b, a]),
            Channels::Abgr => spread(&samples, to, |[a, b, g, r]| [r, g, b, a]),
            Channels::A => spread(&samples, to, |[a]| [zero, zero, zero, a]),
            Channels::L => spread(&samples, to, |[l]| [l, l, l, one]),
            Channels::La => spread(&samples, to, |[l, a]| [l, l, l, a]),
        }
    }
}

/// From as many samples as a pixel has to four.
#[inline(always)]
fn spread<T: Copy, const N: usize>(samples: &[T], to: &mut [T], pixel: impl Fn([T; N]) -> [T; 4]) {
    for (from, to) in samples.as_chunks().0.iter().zip(to.as_chunks_mut().0) {
        *to = pixel(*from);
    }
}

/// Converts each number, whatever channel it is.
#[inline(always)]
fn numbers<T: Target>(sample: Sample, from: &[u8], to: &mut [T]) {
    match sample {
        Sample::Unorm8 => {
            for (from, to) in from.iter().zip(to) {
                *to = T::from_unorm8(*from);
            }
        }
        Sample::Unorm16 => {
            for (from, to) in from.as_chunks().0.iter().zip(to) {
                *to = T::from_unorm16(u16::from_le_bytes(*from));
            }
        }
        Sample::Float => {
            for (from, to) in from.as_chunks().0.iter().zip(to) {
                *to = T::from_f32(f32::from_le_bytes(*from));
            }
        }
        Sample::Half => {
            let mut bits = [0_u16; SAMPLES];
            for (from, bits) in from.as_chunks().0.iter().zip(&mut bits) {
                *bits = u16::from_le_bytes(*from);
            }
            halves(bits.get(..from.len() / 2).unwrap_or_default(), to);
        }
        Sample::Unorm10 => {
            for (from, to) in from.as_chunks().0.iter().zip(to.as_chunks_mut().0) {
                let pixel = u32::from_le_bytes(*from);
                let ten = |shift: u32| T::from_unorm10(pixel.wrapping_shr(shift) & 0x3ff);
                // Thirds of 1023, which is all that two bits can be.
                let alpha = T::from_unorm10((pixel >> 30).wrapping_mul(341));
                *to = [ten(0), ten(10), ten(20), alpha];
            }
        }
        Sample::Float11 => {
            // These are halves without a sign whose last 4 bits, or 5, are missing.
            let mut bits = [0_u16; SAMPLES];
            for (from, bits) in from.as_chunks().0.iter().zip(bits.as_chunks_mut().0) {
                let pixel = u32::from_le_bytes(*from);
                let (r, g, b) = ((pixel & 0x7ff) << 4, ((pixel >> 11) & 0x7ff) << 4, (pixel >> 22) << 5);
                *bits = [r as u16, g as u16, b as u16];
            }
            let count = (from.len() / 4).saturating_mul(3);
            halves(bits.get(..count).unwrap_or_default(), to);
        }
    }
}

/// At most those of a block.
fn halves<T: Target>(bits: &[u16], to: &mut [T]) {
    let mut floats = [0_f32; SAMPLES];
    let Some(floats) = floats.get_mut(..bits.len()) else { return };
    bits.reinterpret_cast::<half::f16>().convert_to_f32_slice(floats);
    for (from, to) in floats.iter().zip(to) {
        *to = T::from_f32(*from);
    }
}
