//! Pictures into files.

use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageBuffer, ImageFormat};
use tdshm::{Convert, TexelKind};

use crate::error::{FileError, PictureError};
use crate::file::picture::{Bytes, Loss, Picture, broken, extension, known_extensions, open_exr};
use crate::file::{Existing, whole};

/// Of 100: what is lost is hard to see.
const JPEG_QUALITY: u8 = 95;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Unorm8,
    Unorm16,
}

impl Picture {
    /// Writes the picture to `path`, in the format that its extension names: `.png` for 8 bits and for 16, `.exr` for
    /// floats, `.jpg` for pictures that may lose something. Whatever there was is replaced, and only once the whole
    /// picture has been made.
    ///
    /// A format of one channel is saved as grey, one without alpha without it. EXR holds everything: floats of 16 bits as
    /// such, and 8 and 16 bits as floats of 32 from 0 to 1. What does not fit the file is refused, or cut to fit where `loss` says so.
    ///
    /// # Errors
    ///
    /// [`FileError::UnknownExtension`], [`FileError::Create`] when the system refuses, and [`FileError::Picture`] with
    /// [`PictureError::DoesNotFit`].
    pub fn save(&self, path: impl AsRef<Path>, loss: Loss) -> Result<(), FileError> {
        self.save_over(path, loss, Existing::Replace)
    }

    /// As [`save`](Self::save), and says what becomes of a file that is there.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save), and [`FileError::Exists`].
    pub fn save_over(&self, path: impl AsRef<Path>, loss: Loss, existing: Existing) -> Result<(), FileError> {
        let path = path.as_ref();
        let bytes = self.encode_for(path, extension(path), loss)?;
        whole::write(path, &bytes, existing)
    }

    /// The bytes of such a file: `extension` is `.png`, `.jpg` or `.exr`, with or without the point.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save), with the extension for the path; nothing is written.
    pub fn to_bytes(&self, extension: &str, loss: Loss) -> Result<Vec<u8>, FileError> {
        let known = extension.trim_start_matches('.').to_ascii_lowercase();
        self.encode_for(Path::new(extension), Some(known), loss)
    }

    fn encode_for(&self, path: &Path, extension: Option<String>, loss: Loss) -> Result<Vec<u8>, FileError> {
        let format = match extension.as_deref() {
            Some("png") => ImageFormat::Png,
            Some("jpg" | "jpeg") => ImageFormat::Jpeg,
            Some("exr") => ImageFormat::OpenExr,
            _ => {
                let known = known_extensions();
                return Err(FileError::UnknownExtension { path: path.to_owned(), extension, known });
            }
        };
        self.encode(format, loss).map_err(|source| FileError::Picture { path: path.to_owned(), source })
    }

    fn encode(&self, format: ImageFormat, loss: Loss) -> Result<Vec<u8>, PictureError> {
        let unknown = || PictureError::UnknownFormat { texels: self.texels };
        let kind = self.kind().ok_or_else(unknown)?;
        let mut bytes = Bytes::default();
        let refuse = |file, holds| match loss {
            Loss::Allow => Ok(()),
            Loss::Refuse => Err(PictureError::DoesNotFit { texels: self.texels, file, holds }),
        };
        match format {
            ImageFormat::Jpeg => {
                if kind.float || kind.bits > 8 || self.has_transparency(kind)? {
                    refuse("JPEG", "8 bits and no alpha")?;
                }
                let image = self.image((kind.mono, false), Holds::Unorm8)?;
                image.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))
            }
            ImageFormat::Png => {
                if kind.float {
                    refuse("PNG", "8 or 16 bits from 0 to 1")?;
                }
                let holds = if kind.float || kind.bits > 8 { Holds::Unorm16 } else { Holds::Unorm8 };
                self.image((kind.mono, kind.alpha), holds)?.write_to(&mut bytes, format)
            }
            _ => {
                let holds = open_exr::Holds {
                    mono: kind.mono,
                    alpha: kind.alpha,
                    halves: kind.float && kind.bits <= 16,
                };
                return open_exr::write(&self.rgba32f(), self.width, self.height, holds);
            }
        }
        .map_err(broken)?;
        Ok(bytes.into_inner())
    }

    /// Whether any pixel is not opaque.
    fn has_transparency(&self, kind: TexelKind) -> Result<bool, PictureError> {
        Ok(kind.alpha && self.rgba8()?.as_chunks().0.iter().any(|[_, _, _, a]| *a != u8::MAX))
    }

    fn rgba8(&self) -> Result<Vec<u8>, PictureError> {
        let mut rgba = vec![0; self.samples()];
        match Convert::new(self.texels, self.width, self.height).to_rgba8(&self.pixels, &mut rgba) {
            Ok(()) => Ok(rgba),
            Err(_) => Err(PictureError::UnknownFormat { texels: self.texels }),
        }
    }

    fn rgba32f(&self) -> Vec<f32> {
        let mut rgba = vec![0.0; self.samples()];
        for (row, to) in self.rows().zip(rgba.chunks_mut(self.width.saturating_mul(4).max(1))) {
            self.row_to_rgba32f(row, to);
        }
        rgba
    }

    fn samples(&self) -> usize {
        self.width.saturating_mul(self.height).saturating_mul(4)
    }

    /// Grey or colours, with alpha or without.
    fn image(&self, (mono, alpha): (bool, bool), holds: Holds) -> Result<DynamicImage, PictureError> {
        let size = u32::try_from(self.width).ok().zip(u32::try_from(self.height).ok());
        let too_large = || PictureError::Size { given: self.pixels.len(), needed: usize::MAX };
        let (width, height) = size.ok_or_else(too_large)?;
        let image = match holds {
            Holds::Unorm8 => {
                let rgba = self.rgba8()?;
                match (mono, alpha) {
                    (true, false) => buffer(width, height, pick(&rgba, [0])).map(DynamicImage::ImageLuma8),
                    (true, true) => buffer(width, height, pick(&rgba, [0, 3])).map(DynamicImage::ImageLumaA8),
                    (false, false) => {
                        buffer(width, height, pick(&rgba, [0, 1, 2])).map(DynamicImage::ImageRgb8)
                    }
                    (false, true) => buffer(width, height, rgba).map(DynamicImage::ImageRgba8),
                }
            }
            Holds::Unorm16 => {
                let mut rgba = vec![0; self.samples()];
                let convert = Convert::new(self.texels, self.width, self.height);
                convert
                    .to_rgba16(&self.pixels, &mut rgba)
                    .map_err(|_| PictureError::UnknownFormat { texels: self.texels })?;
                match (mono, alpha) {
                    (true, false) => buffer(width, height, pick(&rgba, [0])).map(DynamicImage::ImageLuma16),
                    (true, true) => {
                        buffer(width, height, pick(&rgba, [0, 3])).map(DynamicImage::ImageLumaA16)
                    }
                    (false, false) => {
                        buffer(width, height, pick(&rgba, [0, 1, 2])).map(DynamicImage::ImageRgb16)
                    }
                    (false, true) => buffer(width, height, rgba).map(DynamicImage::ImageRgba16),
                }
            }
        };
        image.ok_or_else(too_large)
    }
}

fn buffer<P: image::Pixel>(
    width: u32,
    height: u32,
    samples: Vec<P::Subpixel>,
) -> Option<ImageBuffer<P, Vec<P::Subpixel>>> {
    ImageBuffer::from_raw(width, height, samples)
}

/// Some of the four samples of each pixel.
fn pick<T: Copy, const N: usize>(rgba: &[T], which: [usize; N]) -> Vec<T> {
    let pixels = rgba.as_chunks::<4>().0.iter();
    pixels.flat_map(|pixel| which.into_iter().filter_map(|index| pixel.get(index).copied())).collect()
}
