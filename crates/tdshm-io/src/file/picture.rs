//! Pictures in files (`.png`, `.jpg`, `.exr`) and the pixels of image blocks.
//!
//! Numbers stay what they are in the file: 8 bits, 16 bits or floats, grey, with alpha or without. Nothing is turned into
//! linear light or back. Rows are top first, as in every picture file; who sends or receives says so.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader, Cursor, Seek};
use std::path::{Path, PathBuf};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use tdshm::{Convert, PixelFormat, Pixels, RowOrder, TexelKind, Texels, TopFrame};

use crate::error::{FileError, PictureError};
use crate::file::input;

pub(super) mod natural;
mod open_exr;
mod save;

/// The extensions of pictures, lower case, without the point.
pub const EXTENSIONS: &[&str] = &["png", "jpg", "jpeg", "exr"];

/// Bytes that the pixels of one picture may have: 16384 × 8192 of four floats.
const LARGEST_BYTES: u64 = 2 << 30;
/// Pixels in a row, and rows, that an image block may have.
const LARGEST_SIDE: u32 = 32768;
const TOO_LARGE: PictureError = PictureError::TooLarge { side: LARGEST_SIDE, bytes: LARGEST_BYTES };

/// Whether a picture may be saved into a file that holds less of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// It is refused, with the reason.
    Refuse,
    /// Floats are cut at 0 and 1, bits and alpha are left out.
    Allow,
}

/// An image, whole in memory: its pixels, row after row without gaps, the top row first.
///
/// ```no_run
/// use tdshm::{PixelFormat, TopSender};
/// use tdshm_io::Picture;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let picture = Picture::open("plate.exr")?.to_format(PixelFormat::R16G16B16A16_SFLOAT)?;
/// let mut out = TopSender::create("plate")?;
/// if let Some(pixels) = picture.as_pixels() {
///     out.send(&pixels)?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq)]
pub struct Picture {
    width: usize,
    height: usize,
    texels: Texels,
    pixels: Vec<u8>,
}

impl Picture {
    /// Reads the picture at `path`. What it is says its contents, not its extension.
    ///
    /// Grey becomes the formats of one channel (`R8_UNORM`, `R16_UNORM`, `R16_SFLOAT`, `R32_SFLOAT`), with alpha those of
    /// mono and alpha; colours become four channels (`R8G8B8A8_UNORM`, `R16G16B16A16_UNORM`, `R16G16B16A16_SFLOAT`,
    /// `R32G32B32A32_SFLOAT`), with alpha 1 where there is none. The way up that a camera recorded is applied. Of an EXR
    /// file the first part counts that has the channels R, G and B, or Y, or R alone, or a layer of colours, such as `beauty.R`,
    /// `beauty.G` and `beauty.B`; where none has, the first with X, Y and Z (maps of normals or positions), which become red,
    /// green and blue.
    ///
    /// # Errors
    ///
    /// [`FileError::Open`] when the system refuses, and [`FileError::Picture`] for what is no PNG, JPEG or EXR picture, is
    /// broken, or larger than an image block may be.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let file = input::open(path).map_err(|source| FileError::Open { path: path.to_owned(), source })?;
        Self::read(BufReader::new(file))
            .map_err(|source| FileError::Picture { path: path.to_owned(), source })
    }

    /// Reads a picture from the bytes of a file.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), without the path.
    pub fn read(bytes: impl BufRead + Seek) -> Result<Self, PictureError> {
        let mut reader = ImageReader::new(bytes).with_guessed_format()?;
        match reader.format() {
            Some(ImageFormat::Png | ImageFormat::Jpeg) => {}
            Some(ImageFormat::OpenExr) => return open_exr::read(reader.into_inner()),
            _ => return Err(PictureError::NoPicture),
        }
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(LARGEST_BYTES);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(broken)?;
        let (width, height) = decoder.dimensions();
        if width > LARGEST_SIDE || height > LARGEST_SIDE || decoder.total_bytes() > LARGEST_BYTES {
            return Err(TOO_LARGE);
        }
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut image = DynamicImage::from_decoder(decoder).map_err(broken)?;
        image.apply_orientation(orientation);
        Self::of_image(image)
    }

    fn of_image(image: DynamicImage) -> Result<Self, PictureError> {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let (format, pixels) = match image {
            DynamicImage::ImageLuma8(image) => (PixelFormat::R8_UNORM, image.into_raw()),
            DynamicImage::ImageLumaA8(image) => (PixelFormat::R8A8_UNORM, image.into_raw()),
            DynamicImage::ImageLuma16(image) => (PixelFormat::R16_UNORM, shorts(&image)),
            DynamicImage::ImageLumaA16(image) => (PixelFormat::R16A16_UNORM, shorts(&image)),
            DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgba8(_) => {
                (PixelFormat::R8G8B8A8_UNORM, image.into_rgba8().into_raw())
            }
            image => (PixelFormat::R16G16B16A16_UNORM, shorts(&image.into_rgba16())),
        };
        Self::new(format, width, height, pixels)
    }

    /// A picture of these pixels, the top row first.
    ///
    /// # Errors
    ///
    /// [`PictureError::Size`] where there are not just as many bytes as its pixels have; [`PictureError::UnknownFormat`].
    pub fn new(
        texels: impl Into<Texels>,
        width: usize,
        height: usize,
        pixels: Vec<u8>,
    ) -> Result<Self, PictureError> {
        let texels = texels.into();
        let bytes = texels.bytes_per_pixel().ok_or(PictureError::UnknownFormat { texels })?;
        let needed = width.saturating_mul(height).saturating_mul(bytes);
        if pixels.len() != needed {
            return Err(PictureError::Size { given: pixels.len(), needed });
        }
        Ok(Self { width, height, texels, pixels })
    }

    /// A picture of what was received, the right way up.
    ///
    /// # Errors
    ///
    /// [`PictureError::UnknownFormat`].
    pub fn of_frame(frame: &TopFrame) -> Result<Self, PictureError> {
        let mut pixels = Vec::with_capacity(frame.pixels().len());
        frame.rows(RowOrder::TopFirst).for_each(|row| pixels.extend_from_slice(row));
        Self::new(frame.shape().texels, frame.width(), frame.height(), pixels)
    }

    /// Pixels in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// What its pixels are.
    #[must_use]
    pub fn texels(&self) -> Texels {
        self.texels
    }

    /// All pixels, without gaps, the top row first.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The picture as a sender takes it; `None` where no format of today has its pixels.
    #[must_use]
    pub fn as_pixels(&self) -> Option<Pixels<'_>> {
        let format = self.texels.format()?;
        Some(Pixels::top_first(format, self.width, self.height, &self.pixels))
    }

    /// The same picture in another format. Grey becomes equal red, green and blue; a format of one channel takes red, and
    /// one of alpha alone takes alpha; the rest is as with [`PixelFormat::pack`].
    ///
    /// # Errors
    ///
    /// [`PictureError::UnknownFormat`].
    pub fn to_format(&self, format: PixelFormat) -> Result<Self, PictureError> {
        let unknown = || PictureError::UnknownFormat { texels: Texels::Format(format) };
        let bytes = format.bytes_per_pixel().ok_or_else(unknown)?;
        let mut pixels = vec![0; self.width.saturating_mul(self.height).saturating_mul(bytes)];
        let mut rgba = vec![0.0; self.width.saturating_mul(4)];
        for (row, to) in self.rows().zip(pixels.chunks_mut(self.width.saturating_mul(bytes).max(1))) {
            self.row_to_rgba32f(row, &mut rgba);
            format.pack(&rgba, to).map_err(|_| unknown())?;
        }
        Ok(Self { width: self.width, height: self.height, texels: Texels::Format(format), pixels })
    }

    fn kind(&self) -> Option<TexelKind> {
        self.texels.kind()
    }

    fn rows(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let bytes = self.texels.bytes_per_pixel().unwrap_or(1).saturating_mul(self.width);
        self.pixels.chunks(bytes.max(1))
    }

    /// One row as RGBA of floats, grey in all three of its colours.
    fn row_to_rgba32f(&self, row: &[u8], rgba: &mut [f32]) {
        let converted = Convert::new(self.texels, self.width, 1).to_rgba32f(row, rgba);
        debug_assert_eq!(converted, Ok(()), "the format is known, and the row is whole");
        if self.kind().is_some_and(|kind| kind.mono) {
            for [r, g, b, _] in rgba.as_chunks_mut().0 {
                (*g, *b) = (*r, *r);
            }
        }
    }
}

/// Shows size and format; not the pixels, which may be millions.
impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture")
            .field("width", &self.width)
            .field("height", &self.height)
            .field("texels", &self.texels)
            .finish_non_exhaustive()
    }
}

/// The pictures in a folder, by their extensions, in natural order: `shot2.png` before `shot10.png`. Other files, hidden
/// ones and folders are left out.
///
/// # Errors
///
/// [`FileError::Open`] when the folder cannot be read, and [`FileError::Picture`] where there is no picture in it.
pub fn folder(path: impl AsRef<Path>) -> Result<Vec<PathBuf>, FileError> {
    let path = path.as_ref();
    let refused = |source: io::Error| FileError::Open { path: path.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(refused)? {
        let file = entry.map_err(refused)?.path();
        let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && is_picture(&file) && file.is_file() {
            found.push(file);
        }
    }
    if found.is_empty() {
        let source = PictureError::NoPictures { known: known_extensions() };
        return Err(FileError::Picture { path: path.to_owned(), source });
    }
    found.sort_by(|a, b| natural::compare(&name(a), &name(b)));
    Ok(found)
}

pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The extension, lower case.
fn extension(path: &Path) -> Option<String> {
    path.extension().map(OsStr::to_string_lossy).map(|extension| extension.to_ascii_lowercase())
}

pub(super) fn is_picture(path: &Path) -> bool {
    extension(path).is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

pub(super) fn known_extensions() -> String {
    EXTENSIONS.iter().map(|e| format!(".{e}")).collect::<Vec<_>>().join(", ")
}

fn shorts<P: image::Pixel<Subpixel = u16>>(image: &image::ImageBuffer<P, Vec<u16>>) -> Vec<u8> {
    image.as_raw().iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// What the reader says of a file, in one sentence of ours.
fn broken(error: ImageError) -> PictureError {
    match error {
        ImageError::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => error.into(),
        ImageError::IoError(_) => PictureError::Broken { reason: "it ends too early".to_owned() },
        ImageError::Limits(_) => TOO_LARGE,
        error => PictureError::Broken { reason: error.to_string().trim_end_matches('.').to_owned() },
    }
}

/// Bytes of a file, in memory.
type Bytes = Cursor<Vec<u8>>;

#[cfg(test)]
mod tests;
