//! Pixels of any format as RGBA of 8 or 16 bits or of floats, in one pass into a buffer of the caller's.
//!
//! The rules, and where they come from:
//!
//! - a channel that a format lacks is 0, and a missing alpha is 1, as Vulkan and OpenGL read such a texture. Formats of
//!   alpha alone read as 0, 0, 0, A, and mono with alpha as R, R, R, A (wire §9.1); luminance as L, L, L, 1 (OpenGL);
//! - unorm becomes unorm or float by the exact quotient, rounded to the nearest. Float becomes unorm by clamping to 0 and
//!   1 and rounding to the nearest, 0.5 upwards; NaN becomes 0. Float becomes float as it is;
//! - nothing turns sRGB into linear numbers, or back, unless [`encode_as`](Convert::encode_as) asks for it. Alpha is
//!   linear always.

use crate::wire::pixel::Anatomy;
use crate::wire::top::Texels;
use kernel::{Target, Work};

mod kernel;
mod pack;
mod srgb;
#[cfg(test)]
mod tests;

/// Which row of an image comes first in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowOrder {
    /// The top row, as picture files and windows have it.
    TopFirst,
    /// The bottom row, as TouchDesigner has it.
    BottomFirst,
}

/// What red, green and blue of an image are proportional to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Light.
    Linear,
    /// What the eye makes of it, by the curve of sRGB (IEC 61966-2-1). Beyond 0 and 1, in floats, both of its pieces go on.
    Srgb,
}

/// How to convert the pixels of an image.
///
/// Without more ado rows stay in their order, lie one right behind the other, and keep their numbers, so that the bytes of
/// `R8G8B8A8_SRGB` and of `R8G8B8A8_UNORM` become the same RGBA. The format says what it was:
/// [`is_srgb`](crate::PixelFormat::is_srgb).
///
/// A conversion allocates nothing.
///
/// ```
/// use tdshm::{Convert, PixelFormat, RowOrder};
///
/// // Two rows of one pixel: the bottom one is half grey, the top one white.
/// let pixels = [128, 255, 255, 255];
/// let mut rgba = [0; 8];
/// Convert::new(PixelFormat::R8A8_UNORM, 1, 2)
///     .rows(RowOrder::BottomFirst, RowOrder::TopFirst)
///     .to_rgba8(&pixels, &mut rgba)?;
/// assert_eq!(rgba, [255, 255, 255, 255, 128, 128, 128, 255]);
/// # Ok::<(), tdshm::ConvertError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Convert {
    texels: Texels,
    width: usize,
    height: usize,
    source_stride: Option<usize>,
    target_stride: Option<usize>,
    turn: bool,
    stored: Option<Encoding>,
    wanted: Option<Encoding>,
}

/// Why nothing was converted. The target is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// Nobody knows what the pixels are.
    #[error("the pixel format is {texels}, which is unknown here: convert its bytes yourself")]
    UnknownFormat {
        /// What the block says.
        texels: Texels,
    },
    /// The source holds too few bytes, or the target too few samples.
    #[error("the {side} has {given}, and {needed} are needed: give the whole image")]
    TooShort {
        /// `source, in bytes,` or `target, in samples,`.
        side: &'static str,
        /// How many there are.
        given: usize,
        /// How many there should be.
        needed: usize,
    },
    /// Rows would overlap.
    #[error("the stride of the {side} is {given}, and a row has {needed}: give at least so many")]
    Stride {
        /// `source, in bytes,` or `target, in samples,`.
        side: &'static str,
        /// The stride.
        given: usize,
        /// What a row takes.
        needed: usize,
    },
}

const SOURCE: &str = "source, in bytes,";
const TARGET: &str = "target, in samples,";

impl Convert {
    /// For images of so many pixels in a row, and so many rows.
    pub fn new(texels: impl Into<Texels>, width: usize, height: usize) -> Self {
        Self {
            texels: texels.into(),
            width,
            height,
            source_stride: None,
            target_stride: None,
            turn: false,
            stored: None,
            wanted: None,
        }
    }

    /// Which row comes first in the source, and which one in the target.
    pub fn rows(self, source: RowOrder, target: RowOrder) -> Self {
        Self { turn: source != target, ..self }
    }

    /// Bytes from the start of a row of the source to that of the next, if that is not what a row has.
    pub fn source_stride(self, bytes: usize) -> Self {
        Self { source_stride: Some(bytes), ..self }
    }

    /// Samples from the start of a row of the target to that of the next, if that is not four a pixel. What lies between
    /// two rows is not touched.
    pub fn target_stride(self, samples: usize) -> Self {
        Self { target_stride: Some(samples), ..self }
    }

    /// What the numbers of the source are, where that is known better than from the format: the block's
    /// [`transfer`](crate::TopColour::transfer) says it, or the user.
    ///
    /// Otherwise those of the two formats of sRGB are [`Srgb`](Encoding::Srgb), and all others [`Linear`](Encoding::Linear).
    pub fn stored_as(self, encoding: Encoding) -> Self {
        Self { stored: Some(encoding), ..self }
    }

    /// What the numbers of the target shall be. Otherwise they stay what they are.
    pub fn encode_as(self, encoding: Encoding) -> Self {
        Self { wanted: Some(encoding), ..self }
    }

    /// Converts to four bytes a pixel: red, green, blue, alpha from 0 to 255.
    ///
    /// # Errors
    ///
    /// The format is unknown, a buffer is too short, or rows would overlap.
    pub fn to_rgba8(&self, source: &[u8], target: &mut [u8]) -> Result<(), ConvertError> {
        self.convert(source, target)
    }

    /// Converts to four `u16` a pixel: red, green, blue, alpha from 0 to 65535.
    ///
    /// # Errors
    ///
    /// As [`to_rgba8`](Self::to_rgba8).
    pub fn to_rgba16(&self, source: &[u8], target: &mut [u16]) -> Result<(), ConvertError> {
        self.convert(source, target)
    }

    /// Converts to four `f32` a pixel: red, green, blue, alpha. Unorm is from 0 to 1, float whatever it is.
    ///
    /// # Errors
    ///
    /// As [`to_rgba8`](Self::to_rgba8).
    pub fn to_rgba32f(&self, source: &[u8], target: &mut [f32]) -> Result<(), ConvertError> {
        self.convert(source, target)
    }

    fn convert<T: Target>(&self, source: &[u8], target: &mut [T]) -> Result<(), ConvertError> {
        let anatomy = self.texels.anatomy().ok_or(ConvertError::UnknownFormat { texels: self.texels })?;
        if self.width == 0 || self.height == 0 {
            return Ok(());
        }
        let (from_row, from_stride) =
            self.extent(SOURCE, source.len(), anatomy.bytes(), self.source_stride)?;
        let (to_row, to_stride) = self.extent(TARGET, target.len(), 4, self.target_stride)?;
        let work = Work::new(anatomy, self.change(anatomy));
        let from = source.chunks(from_stride).take(self.height).filter_map(|row| row.get(..from_row));
        let to = target.chunks_mut(to_stride).take(self.height).filter_map(|row| row.get_mut(..to_row));
        if self.turn {
            from.zip(to.rev()).for_each(|(from, to)| work.row(from, to));
        } else {
            from.zip(to).for_each(|(from, to)| work.row(from, to));
        }
        Ok(())
    }

    /// What a row takes, and how far the next one is.
    fn extent(
        &self,
        side: &'static str,
        given: usize,
        each: usize,
        stride: Option<usize>,
    ) -> Result<(usize, usize), ConvertError> {
        let row = self.width.saturating_mul(each);
        let stride = stride.unwrap_or(row);
        if stride < row {
            return Err(ConvertError::Stride { side, given: stride, needed: row });
        }
        let needed = self.height.saturating_sub(1).saturating_mul(stride).saturating_add(row);
        if given < needed {
            return Err(ConvertError::TooShort { side, given, needed });
        }
        Ok((row, stride))
    }

    /// The encoding to change to, if what is wanted is not what is stored.
    fn change(&self, anatomy: Anatomy) -> Option<Encoding> {
        let of_format = if anatomy.srgb { Encoding::Srgb } else { Encoding::Linear };
        self.wanted.filter(|wanted| *wanted != self.stored.unwrap_or(of_format))
    }
}
