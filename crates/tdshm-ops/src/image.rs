//! The data of a TOP: pixels with a format, a size and an aspect (operators §1.6).
//!
//! An [`Image`] is what a TOP hands on: rows of pixels, the bottom one first, as they lie in the block of a segment. What
//! the pixels are is said by the words of the block ([`Texels`]), so that an image that came in and one that goes out are
//! copied, not translated. Who reads single pixels gets red, green, blue and alpha by the rules of operators §1.6.
//!
//! Every TOP has the same *Common* page. Its menus are [here](Smoothness) as enums and tables, its rules of size and
//! aspect are [`output_size`] and [`output_aspect`], and [`Shaper`] is the page at work: it makes of the input the size
//! and the pixel format that the page asks for. Nothing here touches shared memory, and nothing allocates as long as the
//! shapes stay.

use tdshm::{Convert, Encoding, PixelFormat, Texels};

mod error;
mod format;
mod menu;
mod sample;
mod shape;
mod shaper;
mod transcode;

use transcode::Alpha;

#[cfg(test)]
mod tests;

pub use error::{ImageError, ParseMenuError};
pub use format::PixelFormatChoice;
pub use menu::{
    ASPECT_MENU, ChannelMask, DownloadType, FillMode, INPUT_COLOR_SPACES, Menu, OUTPUT_COLOR_SPACES,
    OutputAspect, OutputResolution, PARAMETER_REFERENCE_WHITES, REFERENCE_WHITES, RESOLUTION_MENU,
    Smoothness, VIEWER_SMOOTHNESS, aspect_of_menu, resolution_of_menu,
};
pub use shape::{output_aspect, output_size};
pub use shaper::{ShapeSettings, Shaper};

/// The greatest width and height, in pixels (wire §9.3).
pub const MAX_SIDE: usize = 32_768;

/// The most bytes that the pixels of one image may have: what 32768 × 32768 pixels of 8-bit RGBA take.
pub const MAX_BYTES: u64 = 1 << 32;

/// Pixels with their size, their format and their aspect.
///
/// Rows lie one right behind the other, the bottom one first; a row begins at the left. Width and height are from 1 to
/// [`MAX_SIDE`], and the pixels always are as many bytes as the shape asks for.
///
/// The default is 256 × 256 black, opaque pixels of 8-bit RGBA: what a Shared Mem In TOP shows before there is a segment.
///
/// # Source
///
/// wire §9.1 (order of rows, aspect: seen); operators §9.3 (the default: inferred).
///
/// ```
/// use tdshm::PixelFormat;
/// use tdshm_ops::image::Image;
///
/// let mut image = Image::default();
/// image.shape(2, 1, PixelFormat::R8A8_UNORM)?.copy_from_slice(&[255, 0, 51, 255]);
/// assert_eq!(image.sample(1, 0), [0.2, 0.2, 0.2, 1.0]);
/// # Ok::<(), tdshm_ops::image::ImageError>(())
/// ```
#[derive(Debug, PartialEq)]
#[doc(alias = "TOP")]
pub struct Image {
    width: usize,
    height: usize,
    texels: Texels,
    aspect: (f32, f32),
    pixels: Vec<u8>,
}

impl Default for Image {
    fn default() -> Self {
        let (width, height) = shape::DEFAULT_RESOLUTION;
        let mut image = Self::nothing();
        image.width = width;
        image.height = height;
        image.pixels = [0, 0, 0, 255].repeat(width.saturating_mul(height));
        image
    }
}

impl Clone for Image {
    fn clone(&self) -> Self {
        Self { pixels: self.pixels.clone(), ..*self }
    }

    /// Allocates nothing where the pixels of `source` fit.
    fn clone_from(&mut self, source: &Self) {
        let mut pixels = core::mem::take(&mut self.pixels);
        pixels.clone_from(&source.pixels);
        *self = Self { pixels, ..*source };
    }
}

impl Image {
    /// Before it has a shape, which nobody outside sees.
    fn nothing() -> Self {
        Self {
            width: 0,
            height: 0,
            texels: Texels::Format(PixelFormat::R8G8B8A8_UNORM),
            aspect: (1.0, 1.0),
            pixels: Vec::new(),
        }
    }

    /// An image of one colour: red, green, blue and alpha, as [`fill`](Self::fill) takes them.
    ///
    /// # Errors
    ///
    /// As [`shape`](Self::shape).
    pub fn constant(
        width: usize,
        height: usize,
        format: PixelFormat,
        rgba: [f32; 4],
    ) -> Result<Self, ImageError> {
        let mut image = Self::nothing();
        image.shape(width, height, format)?;
        image.fill(rgba);
        Ok(image)
    }

    /// Pixels in a row, from 1 to [`MAX_SIDE`].
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows, from 1 to [`MAX_SIDE`].
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Width and height.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// What the pixels are.
    #[must_use]
    pub fn texels(&self) -> Texels {
        self.texels
    }

    /// The format of today whose pixels are just these; `None` of pixels that only blocks from before 2022 have.
    #[must_use]
    pub fn format(&self) -> Option<PixelFormat> {
        self.texels.format()
    }

    /// The aspect of a pixel, width and height in any unit: 1 and 1 where pixels are square.
    #[must_use]
    pub fn aspect(&self) -> (f32, f32) {
        self.aspect
    }

    /// Sets the aspect of a pixel. Whatever it is, nothing here divides by it unseen.
    pub fn set_aspect(&mut self, aspect: (f32, f32)) {
        self.aspect = aspect;
    }

    /// Bytes from the start of a row to that of the next one, which is what a row takes.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.width.saturating_mul(self.pixel_bytes())
    }

    /// All bytes, row after row, the bottom one first.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All bytes, for writing.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// Gives it a shape, and its bytes to be written: all of them, since what they are before is not said. The aspect
    /// stays.
    ///
    /// Allocates only where the image never was so large.
    ///
    /// # Errors
    ///
    /// Width or height is not from 1 to [`MAX_SIDE`], nobody knows how large such pixels are, they would be more than
    /// [`MAX_BYTES`], or there is no memory for them. The image is as it was.
    pub fn shape(
        &mut self,
        width: usize,
        height: usize,
        texels: impl Into<Texels>,
    ) -> Result<&mut [u8], ImageError> {
        let texels = texels.into();
        for (field, value) in [("width", width), ("height", height)] {
            if !(1..=MAX_SIDE).contains(&value) {
                return Err(ImageError::Side { field, value, limit: MAX_SIDE });
            }
        }
        let each = texels.bytes_per_pixel().ok_or(ImageError::UnknownFormat { texels })?;
        let bytes = [width, height, each].into_iter().map(|n| n as u64).fold(1, u64::saturating_mul);
        let length = usize::try_from(bytes).ok().filter(|_| bytes <= MAX_BYTES);
        let length = length.ok_or(ImageError::TooLarge { width, height, bytes, limit: MAX_BYTES })?;
        let more = length.saturating_sub(self.pixels.len());
        self.pixels.try_reserve_exact(more).map_err(|_| ImageError::NoMemory { bytes })?;
        self.pixels.resize(length, 0);
        (self.width, self.height, self.texels) = (width, height, texels);
        Ok(&mut self.pixels)
    }

    /// As [`shape`](Self::shape), with these bytes for the pixels, for which `pixels` gets those that it had: no copy. What
    /// bytes are missing, or too many, is made up for.
    ///
    /// # Errors
    ///
    /// As [`shape`](Self::shape).
    pub(crate) fn exchange(
        &mut self,
        width: usize,
        height: usize,
        texels: Texels,
        pixels: &mut Vec<u8>,
    ) -> Result<(), ImageError> {
        core::mem::swap(&mut self.pixels, pixels);
        let shaped = self.shape(width, height, texels).map(|_| ());
        if shaped.is_err() {
            core::mem::swap(&mut self.pixels, pixels);
        }
        shaped
    }

    /// Becomes the same as `other`: shape, aspect, pixels. Allocates nothing where they fit.
    pub fn copy_from(&mut self, other: &Self) {
        self.clone_from(other);
    }

    /// One pixel as red, green, blue and alpha: `x` from 0 at the left, `y` from 0 at the bottom. Beyond an edge it is the
    /// pixel at that edge.
    ///
    /// A colour that the format lacks is 0, a missing alpha is 1. Mono is the same in red, green and blue; alpha alone
    /// has black. Fixed formats give 0 to 1; those of sRGB are linear numbers here, as they are for everyone who reads
    /// such a texture.
    ///
    /// # Source
    ///
    /// operators §1.6, documented (Pixel Formats).
    #[must_use]
    pub fn sample(&self, x: usize, y: usize) -> [f32; 4] {
        let each = self.pixel_bytes();
        let (x, y) = (x.min(self.width.saturating_sub(1)), y.min(self.height.saturating_sub(1)));
        let begin = y.saturating_mul(self.width).saturating_add(x).saturating_mul(each);
        let pixel = self.pixels.get(begin..begin.saturating_add(each)).unwrap_or_default();
        let mut rgba = [0.0; 4];
        // The shape is checked: there is a pixel, and its format is known.
        let read = Convert::new(self.texels, 1, 1).encode_as(Encoding::Linear).to_rgba32f(pixel, &mut rgba);
        debug_assert_eq!(read, Ok(()));
        transcode::spread_mono(self.texels, rgba.as_chunks_mut().0);
        rgba
    }

    /// All pixels as red, green, blue and alpha, as [`sample`](Self::sample) gives them: rows from the bottom, four numbers a
    /// pixel.
    #[must_use]
    pub fn to_rgba32f(&self) -> Vec<f32> {
        let mut rgba = vec![0.0; self.width.saturating_mul(self.height).saturating_mul(4)];
        let rows = self.pixels.chunks_exact(self.stride().max(1));
        for (row, to) in rows.zip(rgba.chunks_exact_mut(self.width.saturating_mul(4).max(1))) {
            transcode::decode(self.texels, row, to.as_chunks_mut().0);
        }
        rgba
    }

    /// Makes every pixel this one: red, green, blue, alpha, as [`sample`](Self::sample) gives them.
    ///
    /// Channels that the format lacks are left out, mono takes red, fixed formats clamp to 0 and 1, and
    /// `B10G11R11_UFLOAT_PACK32` has nothing below 0. Pixels that only old blocks have become
    /// [those of today](PixelFormatChoice::wire_format) that are most like them.
    pub fn fill(&mut self, rgba: [f32; 4]) {
        let format = PixelFormatChoice::UseInput.wire_format(self.texels);
        if format.bytes_per_pixel() != self.texels.bytes_per_pixel()
            && self.shape(self.width, self.height, format).is_err()
        {
            return;
        }
        self.texels = Texels::Format(format);
        let each = self.pixel_bytes();
        let mut pixel = [0; 16];
        let Some(pixel) = pixel.get_mut(..each) else { return };
        transcode::encode(format, Alpha::AsIs, &mut [rgba], pixel);
        for to in self.pixels.chunks_exact_mut(each.max(1)) {
            to.copy_from_slice(pixel);
        }
    }

    fn pixel_bytes(&self) -> usize {
        self.texels.bytes_per_pixel().unwrap_or(0)
    }
}
