//! The Common page at work: the size, the aspect and the pixel format that it asks for.

use tdshm::{PixelFormat, Texels};

use super::Image;
use super::error::ImageError;
use super::format::PixelFormatChoice;
use super::menu::{OutputAspect, OutputResolution, Smoothness};
use super::sample::{Nearest, Planned, Resampler, fit};
use super::shape::{DEFAULT_RESOLUTION, output_aspect, output_size};
use super::transcode::{Alpha, decode, encode, transcode};

#[cfg(test)]
mod tests;

/// What the Common page of a TOP says of its output.
///
/// The default is the page's own. That makes RGBA of 8 bits of whatever comes; *Use Input* everywhere is
/// [`pass_through`](Self::pass_through).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ShapeSettings {
    /// Output Resolution, `outputresolution`.
    pub output_resolution: OutputResolution,
    /// Resolution, `resolutionw` and `resolutionh`: 256 and 256 by default.
    pub resolution: (usize, usize),
    /// What sizes are multiplied by: the Global Resolution Multiplier where `resmult` is on, and 1 elsewhere.
    pub multiplier: f64,
    /// Output Aspect, `outputaspect`: [`Resolution`](OutputAspect::Resolution) by default.
    pub output_aspect: OutputAspect,
    /// Aspect, `aspect1` and `aspect2`: 1 and 1 by default.
    pub aspect: (f32, f32),
    /// Input Smoothness, `inputfiltertype`.
    pub smoothness: Smoothness,
    /// Pixel Format, `format`.
    pub format: PixelFormatChoice,
}

impl Default for ShapeSettings {
    fn default() -> Self {
        Self {
            output_resolution: OutputResolution::default(),
            resolution: DEFAULT_RESOLUTION,
            multiplier: 1.0,
            output_aspect: OutputAspect::default(),
            aspect: (1.0, 1.0),
            smoothness: Smoothness::default(),
            format: PixelFormatChoice::default(),
        }
    }
}

impl ShapeSettings {
    /// *Use Input* wherever the page has it: every image of today's formats is [as it was](Self::is_identity).
    #[must_use]
    pub fn pass_through() -> Self {
        Self { output_aspect: OutputAspect::UseInput, format: PixelFormatChoice::UseInput, ..Self::default() }
    }

    /// The size of what becomes of `input`.
    #[must_use]
    pub fn size(&self, input: &Image) -> (usize, usize) {
        output_size(self.output_resolution, input.size(), self.resolution, self.multiplier)
    }

    /// The aspect of a pixel of what becomes of `input`.
    #[must_use]
    pub fn pixel_aspect(&self, input: &Image) -> (f32, f32) {
        output_aspect(self.output_aspect, input.size(), input.aspect(), self.size(input), self.aspect)
    }

    /// The format of what becomes of `input`.
    #[must_use]
    pub fn wire_format(&self, input: &Image) -> PixelFormat {
        self.format.wire_format(input.texels())
    }

    /// Whether `input` comes out as it is, in size, aspect, format and every bit, so that it need not be copied.
    #[must_use]
    pub fn is_identity(&self, input: &Image) -> bool {
        self.size(input) == input.size()
            && self.pixel_aspect(input) == input.aspect()
            && input.texels() == Texels::Format(self.wire_format(input))
            && !self.format.is_opaque()
    }
}

/// Makes of images what the Common page asks for, and keeps what it needs for the next one of the same shape.
///
/// - **Smoothness.** [`Nearest`](Smoothness::Nearest) copies pixels. [`Linear`](Smoothness::Linear) is between the four
///   around, as a GPU samples; it looks at no more of them where it shrinks a lot. [`Mipmap`](Smoothness::Mipmap) weighs
///   in every pixel where it shrinks: exactly the mean of two by two for a half, four by four for a quarter, and so on.
///   32-bit floats are always nearest. Channels count alone: nothing is multiplied by alpha.
/// - **Formats.** What a format lacks is read as [`Image::sample`] says. Fixed formats hold 0 to 1, and what is beyond is
///   clamped; floats are as they are; `rgba11float` has nothing below 0 and no alpha. Mono takes red. The format is
///   changed after the size.
/// - **sRGB.** Formats of sRGB are read as linear numbers, mixed as these, and stored by the curve, as a GPU does. So a
///   change from one to `rgba8fixed` keeps the light, and not the bytes.
///
/// Nothing allocates as long as shapes and settings stay.
///
/// ```
/// use tdshm::PixelFormat;
/// use tdshm_ops::image::{Image, OutputResolution, ShapeSettings, Shaper};
///
/// let input = Image::constant(1920, 1080, PixelFormat::R16G16B16A16_SFLOAT, [0.0, 0.5, 2.0, 1.0])?;
/// let mut settings = ShapeSettings::default();
/// settings.output_resolution = OutputResolution::Quarter;
///
/// let mut output = Image::default();
/// Shaper::default().apply(&input, &settings, &mut output)?;
/// assert_eq!((output.size(), output.format()), ((480, 270), Some(PixelFormat::R8G8B8A8_UNORM)));
/// assert_eq!(output.pixels()[..4], [0, 128, 255, 255]);
/// # Ok::<(), tdshm_ops::image::ImageError>(())
/// ```
#[derive(Debug, Default)]
pub struct Shaper {
    nearest: Nearest,
    bytes1: Resampler<u8, 1>,
    bytes2: Resampler<u8, 2>,
    bytes4: Resampler<u8, 4>,
    floats: Resampler<f32, 4>,
    /// The input as floats, before it is resized, and after.
    before: Vec<f32>,
    after: Vec<f32>,
    /// The input resized, in its own format.
    resized: Vec<u8>,
}

impl Shaper {
    /// Makes `out` of `input`.
    ///
    /// # Errors
    ///
    /// What comes out would be too large, or there is no memory for it: [`ImageError`]. `out` is an image all the same,
    /// and nobody knows of what.
    pub fn apply(
        &mut self,
        input: &Image,
        settings: &ShapeSettings,
        out: &mut Image,
    ) -> Result<(), ImageError> {
        if settings.is_identity(input) {
            out.copy_from(input);
            return Ok(());
        }
        let (from_size, size) = (input.size(), settings.size(input));
        let format = settings.wire_format(input);
        let alpha = if settings.format.is_opaque() { Alpha::Opaque } else { Alpha::AsIs };
        let (texels, from) = (input.texels(), input.pixels());
        let is_same = texels == Texels::Format(format) && alpha == Alpha::AsIs;
        let to = out.shape(size.0, size.1, format)?;
        if from_size == size {
            transcode(texels, from, format, alpha, to);
        } else if let Filter::Floats = Filter::of(texels, settings.smoothness) {
            fit(&mut self.before, from_size, 4)?;
            fit(&mut self.after, size, 4)?;
            decode(texels, from, self.before.as_chunks_mut().0);
            run(&mut self.floats, settings.smoothness, &self.before, from_size, &mut self.after, size)?;
            encode(format, alpha, self.after.as_chunks_mut().0, to);
        } else if is_same {
            self.bytes(texels, settings.smoothness, from, from_size, to, size)?;
        } else {
            let mut resized = core::mem::take(&mut self.resized);
            let result = fit(&mut resized, size, texels.bytes_per_pixel().unwrap_or(1))
                .and_then(|()| self.bytes(texels, settings.smoothness, from, from_size, &mut resized, size));
            if result.is_ok() {
                transcode(texels, &resized, format, alpha, to);
            }
            self.resized = resized;
            result?;
        }
        out.set_aspect(settings.pixel_aspect(input));
        Ok(())
    }

    /// Resizes what can be resized in its own format.
    fn bytes(
        &mut self,
        texels: Texels,
        smoothness: Smoothness,
        from: &[u8],
        from_size: (usize, usize),
        to: &mut [u8],
        size: (usize, usize),
    ) -> Result<(), ImageError> {
        let each = texels.bytes_per_pixel().unwrap_or(1);
        match Filter::of(texels, smoothness) {
            Filter::Bytes if each == 1 => run(&mut self.bytes1, smoothness, from, from_size, to, size),
            Filter::Bytes if each == 2 => run(&mut self.bytes2, smoothness, from, from_size, to, size),
            Filter::Bytes => run(&mut self.bytes4, smoothness, from, from_size, to, size),
            Filter::Nearest | Filter::Floats => {
                self.nearest.resize(each, from, from_size, to, size);
                Ok(())
            }
        }
    }
}

/// In which numbers an image is resized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    /// Pixels are copied.
    Nearest,
    /// A byte a channel, one, two or four of them, linear.
    Bytes,
    /// Red, green, blue and alpha as linear floats.
    Floats,
}

impl Filter {
    fn of(texels: Texels, smoothness: Smoothness) -> Self {
        let Some(kind) = texels.kind() else { return Self::Nearest };
        let srgb = match texels {
            Texels::Legacy(legacy) => legacy.is_srgb(),
            _ => texels.format().is_some_and(PixelFormat::is_srgb),
        };
        match (smoothness, kind.bits) {
            (Smoothness::Nearest, _) | (_, 32) => Self::Nearest,
            (_, 8) if !srgb && matches!(texels.bytes_per_pixel(), Some(1 | 2 | 4)) => Self::Bytes,
            _ => Self::Floats,
        }
    }
}

fn run<T: Planned<N>, const N: usize>(
    resampler: &mut Resampler<T, N>,
    smoothness: Smoothness,
    from: &[T],
    from_size: (usize, usize),
    to: &mut [T],
    size: (usize, usize),
) -> Result<(), ImageError>
where
    [T]: ToOwned<Owned = Vec<T>>,
{
    if smoothness == Smoothness::Mipmap {
        return resampler.mipmap(from, from_size, to, size);
    }
    resampler.linear(from, from_size, to, size);
    Ok(())
}
