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
    /// For each number of 16 bits the same, whether it is a fraction or a float.
    fn long_tables() -> &'static LongTables<Self>;
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

/// The same for each number of 16 bits: half a megabyte each at most, made when it is asked for.
#[derive(Debug)]
pub(super) struct LongTables<T> {
    unorm: [LazyLock<Vec<T>>; 2],
    float: [LazyLock<Vec<T>>; 2],
}

impl<T: Target> LongTables<T> {
    const fn new() -> Self {
        const fn table<T>(make: fn() -> Vec<T>) -> LazyLock<Vec<T>> {
            LazyLock::new(make)
        }
        Self {
            unorm: [
                table(|| (0..=u16::MAX).map(|bits| of_unorm(bits, Encoding::Linear)).collect()),
                table(|| (0..=u16::MAX).map(|bits| of_unorm(bits, Encoding::Srgb)).collect()),
            ],
            float: [
                table(|| (0..=u16::MAX).map(|bits| of_half(bits, Encoding::Linear)).collect()),
                table(|| (0..=u16::MAX).map(|bits| of_half(bits, Encoding::Srgb)).collect()),
            ],
        }
    }

    fn of(&self, float: bool, encoding: Encoding) -> &[T] {
        let [linear, srgb] = if float { &self.float } else { &self.unorm };
        match encoding {
            Encoding::Linear => linear,
            Encoding::Srgb => srgb,
        }
    }
}

fn of_unorm<T: Target>(bits: u16, to: Encoding) -> T {
    T::from_f64(srgb::change(f64::from(bits) / 65535.0, to))
}

fn of_half<T: Target>(bits: u16, to: Encoding) -> T {
    T::from_f64(srgb::change(half::f16::from_bits(bits).to_f64(), to))
}

/// Each number by its entry of a table, but for alpha, which is as it is.
#[inline(always)]
fn look_up<T: Target>(table: &[T], bits: &[u16], alpha: impl Fn(u16) -> T, to: &mut [T]) {
    let changed = |bits: &u16| table.get(usize::from(*bits)).copied().unwrap_or(T::ZERO);
    for ([r, g, b, a], to) in bits.as_chunks().0.iter().zip(to.as_chunks_mut().0) {
        *to = [changed(r), changed(g), changed(b), alpha(*a)];
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

    fn long_tables() -> &'static LongTables<Self> {
        static TABLES: LongTables<u8> = LongTables::new();
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

    fn long_tables() -> &'static LongTables<Self> {
        static TABLES: LongTables<u16> = LongTables::new();
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

    fn long_tables() -> &'static LongTables<Self> {
        static TABLES: LongTables<f32> = LongTables::new();
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

    fn long_tables() -> &'static LongTables<Self> {
        static TABLES: LongTables<f64> = LongTables::new();
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
            (Some(encoding), Sample::Unorm16) => {
                let table = T::long_tables().of(false, encoding);
                for (from, to) in blocks {
                    let mut bits = [0_u16; SAMPLES];
                    self.block(from, &mut bits);
                    look_up(table, &bits, T::from_unorm16, to);
                }
            }
            (Some(encoding), Sample::Half | Sample::Float11) => {
                let table = T::long_tables().of(true, encoding);
                for (from, to) in blocks {
                    let mut bits = [0_u16; SAMPLES];
                    self.half_bits(from, &mut bits);
                    look_up(table, &bits, |alpha| T::from_f32(half::f16::from_bits(alpha).to_f32()), to);
                }
            }
            (Some(encoding), _) => {
                for (from, to) in blocks {
                    let mut exact = [0_f64; SAMPLES];
                    self.block(from, &mut exact);
                    let mut changed = [0_f64; SAMPLES];
                    srgb::change_all(&exact, &mut changed, encoding);
                    let pixels = changed.as_chunks().0.iter().zip(exact.as_chunks().0);
                    for (([r, g, b, _], [_, _, _, a]), to) in pixels.zip(to.as_chunks_mut().0) {
                        *to = [r, g, b, a].map(|value: &f64| T::from_f64(*value));
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
        channels_of(channels, &samples, to, (T::ZERO, T::ONE));
    }

    /// A block of floats of 16 bits as they are, with four channels.
    #[inline]
    fn half_bits(self, from: &[u8], to: &mut [u16]) {
        let Anatomy { channels, sample, .. } = self.anatomy;
        let mut bits = [0; SAMPLES];
        halves_of(sample, from, &mut bits);
        channels_of(channels, &bits, to, (0, half::f16::ONE.to_bits()));
    }
}

/// Four channels of those that there are.
#[inline(always)]
fn channels_of<T: Copy>(channels: Channels, samples: &[T], to: &mut [T], (zero, one): (T, T)) {
    match channels {
        Channels::Rgba => spread(samples, to, |[r, g, b, a]| [r, g, b, a]),
        Channels::R => spread(samples, to, |[r]| [r, zero, zero, one]),
        Channels::Rg => spread(samples, to, |[r, g]| [r, g, zero, one]),
        Channels::Rgb => spread(samples, to, |[r, g, b]| [r, g, b, one]),
        Channels::Bgr => spread(samples, to, |[b, g, r]| [r, g, b, one]),
        Channels::Bgra => spread(samples, to, |[b, g, r, a]| [r, g, b, a]),
        Channels::Abgr => spread(samples, to, |[a, b, g, r]| [r, g, b, a]),
        Channels::A => spread(samples, to, |[a]| [zero, zero, zero, a]),
        Channels::L => spread(samples, to, |[l]| [l, l, l, one]),
        Channels::La => spread(samples, to, |[l, a]| [l, l, l, a]),
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
        Sample::Unorm10 => {
            for (from, to) in from.as_chunks().0.iter().zip(to.as_chunks_mut().0) {
                let pixel = u32::from_le_bytes(*from);
                let ten = |shift: u32| T::from_unorm10(pixel.wrapping_shr(shift) & 0x3ff);
                // Thirds of 1023, which is all that two bits can be.
                let alpha = T::from_unorm10((pixel >> 30).wrapping_mul(341));
                *to = [ten(0), ten(10), ten(20), alpha];
            }
        }
        Sample::Half | Sample::Float11 => {
            let mut bits = [0_u16; SAMPLES];
            let count = halves_of(sample, from, &mut bits);
            halves(bits.get(..count).unwrap_or_default(), to);
        }
    }
}

/// Floats of 16 bits, and those of 11 or 10 as such: these are halves without a sign whose last 4 bits, or 5, are missing.
/// Gives how many there are.
#[inline(always)]
fn halves_of(sample: Sample, from: &[u8], bits: &mut [u16; SAMPLES]) -> usize {
    if sample == Sample::Half {
        for (from, bits) in from.as_chunks().0.iter().zip(bits) {
            *bits = u16::from_le_bytes(*from);
        }
        return from.len() / 2;
    }
    for (from, bits) in from.as_chunks().0.iter().zip(bits.as_chunks_mut().0) {
        let pixel = u32::from_le_bytes(*from);
        let (r, g, b) = ((pixel & 0x7ff) << 4, ((pixel >> 11) & 0x7ff) << 4, (pixel >> 22) << 5);
        *bits = [r as u16, g as u16, b as u16];
    }
    (from.len() / 4).saturating_mul(3)
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
