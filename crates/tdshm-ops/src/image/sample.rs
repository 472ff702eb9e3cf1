//! Rows of numbers made larger or smaller.
//!
//! Linear is what a GPU's sampler does: each pixel of the output lies somewhere between four of the input, and is their
//! weighted mean, whatever the ratio of the sizes. Mipmap is that after a shrink in which every pixel of the input counts:
//! halves of halves, as levels of a mipmap are made, as long as sides are even and the output is no more than half, and
//! from there `pic-scale`, whose filter is as wide as the ratio. An edge goes on as the pixel at the edge.

use core::fmt;
use std::sync::Arc;

use pic_scale::{
    ImageSize, ImageStore, ImageStoreMut, PicScaleError, Resampling, ResamplingFunction, Scaler,
    WorkloadStrategy,
};

use super::error::ImageError;

/// A number of a channel, and how it is weighed.
pub(super) trait Texel: Copy + Default + fmt::Debug + Send + Sync + 'static {
    /// A number between two rows.
    type Mid: Copy + Default + fmt::Debug;

    /// Between two rows.
    fn between_rows(lower: Self, upper: Self, tap: &Tap) -> Self::Mid;
    /// A number of a row that is hit exactly.
    fn of_row(value: Self) -> Self::Mid;
    /// Between two columns of what lies between two rows.
    fn between_columns(left: Self::Mid, right: Self::Mid, tap: &Tap) -> Self;
}

/// Weights have 8 bits, which is what GPUs have; the mean is rounded once, at the end.
impl Texel for u8 {
    type Mid = u16;

    #[inline(always)]
    fn between_rows(lower: Self, upper: Self, tap: &Tap) -> u16 {
        u16::from(lower)
            .wrapping_mul(256_u16.wrapping_sub(tap.bits))
            .wrapping_add(u16::from(upper).wrapping_mul(tap.bits))
    }

    #[inline(always)]
    fn of_row(value: Self) -> u16 {
        u16::from(value) << 8
    }

    #[inline(always)]
    fn between_columns(left: u16, right: u16, tap: &Tap) -> Self {
        let bits = u32::from(tap.bits);
        let sum = u32::from(left)
            .wrapping_mul(256_u32.wrapping_sub(bits))
            .wrapping_add(u32::from(right).wrapping_mul(bits));
        (sum.wrapping_add(0x8000) >> 16) as Self
    }
}

impl Texel for f32 {
    type Mid = Self;

    #[inline(always)]
    fn between_rows(lower: Self, upper: Self, tap: &Tap) -> Self {
        mean(lower, upper, tap.weight)
    }

    #[inline(always)]
    fn of_row(value: Self) -> Self {
        value
    }

    #[inline(always)]
    fn between_columns(left: Self, right: Self, tap: &Tap) -> Self {
        mean(left, right, tap.weight)
    }
}

/// Equal numbers stay what they are, infinite ones too.
#[inline(always)]
fn mean(a: f32, b: f32, weight: f32) -> f32 {
    let mean = a + (b - a) * weight;
    if a == b || weight == 0.0 { a } else { mean }
}

/// Between which two a row or a column of the output lies, and how near to the second one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tap {
    first: u32,
    second: u32,
    weight: f32,
    /// The weight in 256ths, below 256.
    bits: u16,
}

/// The taps of one axis, kept while its lengths stay.
#[derive(Debug, Default)]
struct Taps {
    lengths: (usize, usize),
    taps: Vec<Tap>,
}

impl Taps {
    fn of(&mut self, from: usize, to: usize) -> &[Tap] {
        if self.lengths != (from, to) {
            self.lengths = (from, to);
            self.taps.clear();
            self.taps.extend((0..to as u64).map(|index| tap(index, from as u64, to as u64)));
        }
        &self.taps
    }
}

/// The middle of a pixel of the output lies at `(index + 1/2) * from / to`, and those of the input at a half more than a
/// whole number. Counted in halves of pixels times `to`, all of it is whole.
fn tap(index: u64, from: u64, to: u64) -> Tap {
    let doubled = index.wrapping_mul(2).wrapping_add(1).wrapping_mul(from).saturating_sub(to);
    let unit = to.wrapping_mul(2).max(1);
    let first = doubled.checked_div(unit).unwrap_or(0);
    let rest = doubled.checked_rem(unit).unwrap_or(0);
    let last = from.saturating_sub(1);
    if first >= last {
        return Tap { first: last as u32, second: last as u32, weight: 0.0, bits: 0 };
    }
    let bits = rest.wrapping_mul(256).checked_div(unit).unwrap_or(0) as u16;
    Tap { first: first as u32, second: first.wrapping_add(1) as u32, weight: rest as f32 / unit as f32, bits }
}

/// The nearest row or column to each of the output's, kept while the lengths stay.
#[derive(Debug, Default)]
pub(super) struct Nearest {
    lengths: (usize, usize),
    columns: Vec<u32>,
}

impl Nearest {
    /// Pixels of `each` bytes, whatever they are, from one size to the other.
    pub(super) fn resize(
        &mut self,
        each: usize,
        from: &[u8],
        from_size: (usize, usize),
        to: &mut [u8],
        to_size: (usize, usize),
    ) {
        match each {
            1 => self.pixels::<1>(from, from_size, to, to_size),
            2 => self.pixels::<2>(from, from_size, to, to_size),
            3 => self.pixels::<3>(from, from_size, to, to_size),
            4 => self.pixels::<4>(from, from_size, to, to_size),
            6 => self.pixels::<6>(from, from_size, to, to_size),
            8 => self.pixels::<8>(from, from_size, to, to_size),
            12 => self.pixels::<12>(from, from_size, to, to_size),
            16 => self.pixels::<16>(from, from_size, to, to_size),
            _ => debug_assert!(false, "no format has pixels of {each} bytes"),
        }
    }

    fn pixels<const EACH: usize>(
        &mut self,
        from: &[u8],
        from_size: (usize, usize),
        to: &mut [u8],
        to_size: (usize, usize),
    ) {
        if self.lengths != (from_size.0, to_size.0) {
            self.lengths = (from_size.0, to_size.0);
            self.columns.clear();
            self.columns.extend((0..to_size.0).map(|index| nearest(index, from_size.0, to_size.0) as u32));
        }
        let from = from.as_chunks::<EACH>().0;
        for (y, row) in to.as_chunks_mut::<EACH>().0.chunks_mut(to_size.0.max(1)).enumerate() {
            let begin = nearest(y, from_size.1, to_size.1).saturating_mul(from_size.0);
            let from = from.get(begin..begin.saturating_add(from_size.0)).unwrap_or_default();
            for (column, to) in self.columns.iter().zip(row) {
                if let Some(pixel) = from.get(*column as usize) {
                    *to = *pixel;
                }
            }
        }
    }
}

/// In which pixel of the input the middle of one of the output lies.
fn nearest(index: usize, from: usize, to: usize) -> usize {
    let middle = (index as u64).wrapping_mul(2).wrapping_add(1).wrapping_mul(from as u64);
    let at = middle.checked_div((to as u64).wrapping_mul(2)).unwrap_or(0);
    (at as usize).min(from.saturating_sub(1))
}

/// What `pic-scale` plans once for two sizes.
pub(super) trait Planned<const N: usize>: Texel {
    fn plan(
        scaler: &Scaler,
        from: ImageSize,
        to: ImageSize,
    ) -> Result<Arc<Resampling<Self, N>>, PicScaleError>;
}

impl Planned<1> for u8 {
    fn plan(
        scaler: &Scaler,
        from: ImageSize,
        to: ImageSize,
    ) -> Result<Arc<Resampling<Self, 1>>, PicScaleError> {
        scaler.plan_planar_resampling(from, to)
    }
}

impl Planned<2> for u8 {
    fn plan(
        scaler: &Scaler,
        from: ImageSize,
        to: ImageSize,
    ) -> Result<Arc<Resampling<Self, 2>>, PicScaleError> {
        scaler.plan_cbcr_resampling(from, to)
    }
}

/// Channels count alone, alpha as well: a GPU multiplies nothing by it either.
impl Planned<4> for u8 {
    fn plan(
        scaler: &Scaler,
        from: ImageSize,
        to: ImageSize,
    ) -> Result<Arc<Resampling<Self, 4>>, PicScaleError> {
        scaler.plan_rgba_resampling(from, to, false)
    }
}

impl Planned<4> for f32 {
    fn plan(
        scaler: &Scaler,
        from: ImageSize,
        to: ImageSize,
    ) -> Result<Arc<Resampling<Self, 4>>, PicScaleError> {
        scaler.plan_rgba_resampling_f32(from, to, false)
    }
}

/// The plan of the library for the last two sizes.
struct Plan<T, const N: usize> {
    sizes: Option<((usize, usize), (usize, usize))>,
    plan: Option<Arc<Resampling<T, N>>>,
    scratch: Vec<T>,
}

impl<T, const N: usize> Default for Plan<T, N> {
    fn default() -> Self {
        Self { sizes: None, plan: None, scratch: Vec::new() }
    }
}

impl<T, const N: usize> fmt::Debug for Plan<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("sizes", &self.sizes).finish_non_exhaustive()
    }
}

impl<T: Planned<N>, const N: usize> Plan<T, N>
where
    [T]: ToOwned<Owned = Vec<T>>,
{
    fn run(
        &mut self,
        from: &[T],
        from_size: (usize, usize),
        to: &mut [T],
        to_size: (usize, usize),
    ) -> Result<(), ImageError> {
        let failed = |error: PicScaleError| ImageError::Resize {
            from: from_size,
            to: to_size,
            reason: error.to_string(),
        };
        if self.sizes != Some((from_size, to_size)) {
            let mut scaler = Scaler::new(ResamplingFunction::Bilinear);
            let scaler = scaler.set_workload_strategy(WorkloadStrategy::PreferQuality);
            let size = |(width, height)| ImageSize { width, height };
            self.sizes = None;
            let plan = T::plan(&scaler, size(from_size), size(to_size)).map_err(failed)?;
            self.scratch.resize(plan.scratch_size(), T::default());
            self.plan = Some(plan);
            self.sizes = Some((from_size, to_size));
        }
        let Some(plan) = &self.plan else { return Ok(()) };
        let from = ImageStore::borrow(from, from_size.0, from_size.1).map_err(failed)?;
        let mut to = ImageStoreMut::borrow(to, to_size.0, to_size.1).map_err(failed)?;
        plan.resample_with_scratch(&from, &mut to, &mut self.scratch).map_err(failed)
    }
}

/// The linear sampler of one axis after the other, and what it keeps.
#[derive(Debug)]
struct Linear<T: Texel, const N: usize> {
    columns: Taps,
    rows: Taps,
    mid: Vec<T::Mid>,
}

impl<T: Texel, const N: usize> Default for Linear<T, N> {
    fn default() -> Self {
        Self { columns: Taps::default(), rows: Taps::default(), mid: Vec::new() }
    }
}

impl<T: Texel, const N: usize> Linear<T, N> {
    fn run(&mut self, from: &[T], from_size: (usize, usize), to: &mut [T], to_size: (usize, usize)) {
        let stride = from_size.0.saturating_mul(N);
        let to_stride = to_size.0.saturating_mul(N).max(1);
        self.mid.resize(stride, T::Mid::default());
        let row = |index: u32| {
            let begin = (index as usize).saturating_mul(stride);
            from.get(begin..begin.saturating_add(stride)).unwrap_or_default()
        };
        let columns = self.columns.of(from_size.0, to_size.0);
        let rows = self.rows.of(from_size.1, to_size.1);
        for (tap, to) in rows.iter().zip(to.chunks_mut(to_stride)) {
            if tap.bits == 0 && tap.weight == 0.0 {
                for (value, mid) in row(tap.first).iter().zip(&mut self.mid) {
                    *mid = T::of_row(*value);
                }
            } else {
                let both = row(tap.first).iter().zip(row(tap.second));
                for ((lower, upper), mid) in both.zip(&mut self.mid) {
                    *mid = T::between_rows(*lower, *upper, tap);
                }
            }
            let mid = self.mid.as_chunks::<N>().0;
            for (tap, to) in columns.iter().zip(to.as_chunks_mut::<N>().0) {
                let both = mid.get(tap.first as usize).zip(mid.get(tap.second as usize));
                let Some((left, right)) = both else { continue };
                for ((left, right), to) in left.iter().zip(right).zip(to) {
                    *to = T::between_columns(*left, *right, tap);
                }
            }
        }
    }
}

/// How much smaller one step of the library makes a side at most: its weights of bytes have 15 bits.
const MOST_AT_ONCE: usize = 32;

/// One way from a size to a smaller one, and what it keeps.
#[derive(Debug)]
struct Level<T: Texel, const N: usize> {
    halve: Linear<T, N>,
    shrink: Plan<T, N>,
}

/// All that makes images of `N` channels larger and smaller, and what it keeps for the next one.
#[derive(Debug)]
pub(super) struct Resampler<T: Texel, const N: usize> {
    levels: Vec<Level<T, N>>,
    last: Linear<T, N>,
    steps: [Vec<T>; 2],
}

impl<T: Texel, const N: usize> Default for Resampler<T, N> {
    fn default() -> Self {
        Self { levels: Vec::new(), last: Linear::default(), steps: Default::default() }
    }
}

impl<T: Planned<N>, const N: usize> Resampler<T, N>
where
    [T]: ToOwned<Owned = Vec<T>>,
{
    /// By the four around, and no more.
    pub(super) fn linear(
        &mut self,
        from: &[T],
        from_size: (usize, usize),
        to: &mut [T],
        to_size: (usize, usize),
    ) {
        self.last.run(from, from_size, to, to_size);
    }

    /// So that every pixel counts.
    pub(super) fn mipmap(
        &mut self,
        from: &[T],
        from_size: (usize, usize),
        to: &mut [T],
        to_size: (usize, usize),
    ) -> Result<(), ImageError> {
        let [source, target] = &mut self.steps;
        let (mut source, mut target) = (source, target);
        let mut size = from_size;
        for index in 0_usize.. {
            let input = if index == 0 { from } else { source.as_slice() };
            // An odd side has no half: two pixels in three would count, or less.
            let half =
                each_side(
                    size,
                    to_size,
                    |from, to| {
                        if from % 2 == 0 && from / 2 >= to { from / 2 } else { from }
                    },
                );
            let next = if half == size {
                each_side(size, to_size, |from, to| from.min(to).max(from.div_ceil(MOST_AT_ONCE)))
            } else {
                half
            };
            if next == size {
                self.last.run(input, size, to, to_size);
                break;
            }
            if self.levels.len() <= index {
                self.levels.push(Level { halve: Linear::default(), shrink: Plan::default() });
            }
            let Some(level) = self.levels.get_mut(index) else { break };
            let output = if next == to_size {
                &mut *to
            } else {
                fit(target, next, N)?;
                target.as_mut_slice()
            };
            if half == size {
                level.shrink.run(input, size, output, next)?;
            } else {
                level.halve.run(input, size, output, half);
            }
            if next == to_size {
                break;
            }
            core::mem::swap(&mut source, &mut target);
            size = next;
        }
        Ok(())
    }
}

fn each_side(
    from: (usize, usize),
    to: (usize, usize),
    side: impl Fn(usize, usize) -> usize,
) -> (usize, usize) {
    (side(from.0, to.0), side(from.1, to.1))
}

/// Makes room for an image of that size.
pub(super) fn fit<T: Copy + Default>(
    buffer: &mut Vec<T>,
    size: (usize, usize),
    channels: usize,
) -> Result<(), ImageError> {
    let length = size.0.saturating_mul(size.1).saturating_mul(channels);
    let more = length.saturating_sub(buffer.len());
    let bytes = (length as u64).saturating_mul(size_of::<T>() as u64);
    buffer.try_reserve_exact(more).map_err(|_| ImageError::NoMemory { bytes })?;
    buffer.resize(length, T::default());
    Ok(())
}
