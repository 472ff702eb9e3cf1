//! Images: the header as it stands in shared memory, and the pixels raw, in one block of LZ4, or as a JPEG file.

use std::io::Cursor;

use ::image::ImageDecoder as _;
use ::image::codecs::jpeg::JpegDecoder;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use tdshm::{BlockError, PixelFormat, RowOrder, Texels, TopFrame, TopShape};

use crate::encoding::{DecodeError, Form, MOST_BYTES, Payload, u32_at};

/// LZ4 makes at most so many bytes of one.
const LZ4_MOST: usize = 255;
/// Bytes of the length of a header in front of it.
const LENGTH: usize = 4;
/// Bytes of any header, and more.
const HEADERS: usize = 128;
/// The quality of a JPEG from which on colours have a place for each pixel, as brightness always has; below it, for each four.
const ALL_COLOURS: u8 = 90;

/// How images go over the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Packing {
    /// As they are.
    #[default]
    Raw,
    /// Packed by LZ4, of any format, without loss.
    Lz4,
    /// As JPEG of that quality, 1 to 100, where the format is `R8`, `R8G8B8A8` or `B8G8R8A8`; alpha is lost, and below 90 colours
    /// have half as many rows and columns. Others go raw.
    Jpeg(u8),
}

impl Packing {
    /// `raw`, `lz4` or `jpeg`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Lz4 => "lz4",
            Self::Jpeg(_) => "jpeg",
        }
    }

    /// Whether images of that shape go like that; the others go raw.
    #[must_use]
    pub fn takes(self, shape: &TopShape) -> bool {
        !matches!(self, Self::Jpeg(_)) || Order::of(shape).is_some()
    }
}

/// Where a pixel's colours lie in it, for JPEG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Grey,
    Rgba,
    Bgra,
}

impl Order {
    fn of(shape: &TopShape) -> Option<Self> {
        match shape.texels {
            Texels::Format(PixelFormat::R8_UNORM) => Some(Self::Grey),
            Texels::Format(PixelFormat::R8G8B8A8_UNORM | PixelFormat::R8G8B8A8_SRGB) => Some(Self::Rgba),
            Texels::Format(PixelFormat::B8G8R8A8_UNORM | PixelFormat::B8G8R8A8_SRGB) => Some(Self::Bgra),
            _ => None,
        }
    }

    /// As the encoder calls it.
    fn colours(self) -> ColorType {
        match self {
            Self::Grey => ColorType::Luma,
            Self::Rgba => ColorType::Rgba,
            Self::Bgra => ColorType::Bgra,
        }
    }
}

/// Makes payloads of images.
#[derive(Debug, Default)]
pub struct ImageEncoder {
    packing: Packing,
    /// The header of the last shape.
    header: Option<(TopShape, Vec<u8>)>,
    /// The rows of the last image, the top one first.
    upright: Vec<u8>,
}

impl ImageEncoder {
    /// One that packs like that.
    #[must_use]
    pub fn new(packing: Packing) -> Self {
        Self { packing, ..Self::default() }
    }

    /// Encodes an image.
    ///
    /// # Errors
    ///
    /// [`BlockError`] for an image that is no block.
    pub fn encode(&mut self, frame: &TopFrame) -> Result<Payload, BlockError> {
        let shape = frame.shape();
        let packed = match (self.packing, Order::of(&shape)) {
            _ if frame.pixels().len() != shape.data_bytes => None,
            (Packing::Lz4, _) if frame.row_order() == RowOrder::BottomFirst => {
                Some((Form::ImageLz4, lz4_flex::block::compress(frame.pixels())))
            }
            (Packing::Lz4, _) => {
                let mut block = Vec::new();
                frame.append_block(&mut block)?;
                let (_, pixels) = TopShape::of_block(&block)?;
                Some((Form::ImageLz4, lz4_flex::block::compress(pixels)))
            }
            (Packing::Jpeg(quality), Some(order)) => {
                self.jpeg(frame, &shape, order, quality).map(|file| (Form::ImageJpeg, file))
            }
            _ => None,
        };
        let Some((form, body)) = packed else {
            let mut head = Vec::new();
            frame.append_block(&mut head)?;
            return Ok(Payload { form: Form::Image, head, body: Vec::new() });
        };
        let header = self.header_of(frame)?;
        let length = u32::try_from(header.len()).unwrap_or(u32::MAX).to_le_bytes();
        let head = [&length[..], header].concat();
        Ok(Payload { form, head, body })
    }

    /// The header of an image that goes as it is, for whoever puts the pixels behind it without a copy; `None` where they have
    /// to be packed or turned. Frames whose pixels were taken have none, unless the one before had the same shape.
    pub fn header(&mut self, frame: &TopFrame) -> Option<Vec<u8>> {
        if self.packing != Packing::Raw || frame.row_order() != RowOrder::BottomFirst {
            return None;
        }
        self.header_of(frame).ok().map(<[u8]>::to_vec)
    }

    /// The header of a frame's block.
    fn header_of(&mut self, frame: &TopFrame) -> Result<&[u8], BlockError> {
        let shape = frame.shape();
        let header = match self.header.take() {
            Some((known, header)) if known == shape => header,
            _ => {
                let mut block = Vec::new();
                frame.append_block(&mut block)?;
                block.truncate(block.len().saturating_sub(shape.data_bytes));
                block.shrink_to_fit();
                block
            }
        };
        Ok(&self.header.insert((shape, header)).1)
    }

    /// The image as a JPEG file, top row first; `None` where such a file cannot hold it, which has 65,535 pixels a side at most: more
    /// than any block.
    fn jpeg(&mut self, frame: &TopFrame, shape: &TopShape, order: Order, quality: u8) -> Option<Vec<u8>> {
        let row_bytes = shape.row_bytes().filter(|bytes| *bytes > 0)?;
        let (width, height) = (u16::try_from(shape.width).ok()?, u16::try_from(shape.height).ok()?);
        let pixels = if frame.row_order() == RowOrder::TopFirst {
            frame.pixels()
        } else {
            self.upright.clear();
            self.upright.reserve(shape.data_bytes);
            frame.pixels().rchunks_exact(row_bytes).for_each(|row| self.upright.extend_from_slice(row));
            &self.upright
        };
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, quality);
        let whole = quality >= ALL_COLOURS;
        encoder.set_sampling_factor(if whole { SamplingFactor::F_1_1 } else { SamplingFactor::F_2_2 });
        encoder.encode(pixels, width, height, order.colours()).ok()?;
        Some(file)
    }
}

/// Makes images of payloads again.
#[derive(Debug, Default)]
pub struct ImageDecoder {
    pixels: Vec<u8>,
}

impl ImageDecoder {
    /// The shape of an image, and its pixels, bottom row first.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where the payload is no such image.
    pub fn decode<'p>(
        &'p mut self,
        form: Form,
        payload: &'p [u8],
    ) -> Result<(TopShape, &'p [u8]), DecodeError> {
        if form == Form::Image {
            within(payload.len())?;
            return Ok(TopShape::of_block(payload)?);
        }
        let damaged = |what: String| DecodeError::Packed { what };
        let (shape, packed) = Self::opened(payload)?;
        match form {
            Form::ImageLz4 => {
                if shape.data_bytes > packed.len().saturating_mul(LZ4_MOST) {
                    let (bytes, packed) = (shape.data_bytes, packed.len());
                    return Err(damaged(format!(
                        "{packed} bytes of LZ4 never hold the {bytes} of the image"
                    )));
                }
                self.pixels.resize(shape.data_bytes, 0);
                let written = lz4_flex::block::decompress_into(packed, &mut self.pixels)
                    .map_err(|error| damaged(error.to_string()))?;
                if written != shape.data_bytes {
                    return Err(damaged(format!(
                        "it holds {written} bytes, the image has {}",
                        shape.data_bytes
                    )));
                }
            }
            Form::ImageJpeg => self.jpeg(&shape, packed)?,
            Form::Channels | Form::Changed | Form::Image => {
                return Err(DecodeError::Encoding { encoding: form.to_string() });
            }
        }
        Ok((shape, &self.pixels))
    }

    /// Bytes of the image that such a payload unpacks to, as its header says.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where there is no header, or where it announces more than [`MOST_BYTES`].
    pub fn announced(form: Form, payload: &[u8]) -> Result<usize, DecodeError> {
        if form == Form::Image {
            within(payload.len())?;
            return Ok(TopShape::of_block(payload)?.0.data_bytes);
        }
        Ok(Self::opened(payload)?.0.data_bytes)
    }

    /// The shape of a packed image, and what is packed.
    fn opened(payload: &[u8]) -> Result<(TopShape, &[u8]), DecodeError> {
        let damaged = |what: String| DecodeError::Packed { what };
        let header_bytes = u32_at(payload, 0).and_then(|bytes| usize::try_from(bytes).ok());
        let header_bytes = header_bytes.filter(|bytes| *bytes <= HEADERS);
        let parts = header_bytes.and_then(|bytes| payload.get(LENGTH..)?.split_at_checked(bytes));
        let Some((header, packed)) = parts else {
            let bytes = payload.len();
            return Err(damaged(format!("its {bytes} bytes hold no header of up to {HEADERS}")));
        };
        // The header says how large the block is that it was made for; what lies behind it here is packed.
        let mut head = [0; HEADERS];
        head.iter_mut().zip(header).for_each(|(to, from)| *to = *from);
        let shape = TopShape::of_header(&head, usize::MAX >> 1)?;
        within(shape.data_bytes)?;
        Ok((shape, packed))
    }

    fn jpeg(&mut self, shape: &TopShape, file: &[u8]) -> Result<(), DecodeError> {
        let damaged = |what: String| DecodeError::Packed { what };
        let order = Order::of(shape).ok_or_else(|| damaged(format!("JPEG holds no {}", shape.texels)))?;
        let decoder = JpegDecoder::new(Cursor::new(file)).map_err(|error| damaged(error.to_string()))?;
        let (width, height) = decoder.dimensions();
        let fits = (usize::try_from(width), usize::try_from(height)) == (Ok(shape.width), Ok(shape.height));
        if !fits {
            let (right, high) = (shape.width, shape.height);
            return Err(damaged(format!(
                "the JPEG has {width} x {height} pixels, the image {right} x {high}"
            )));
        }
        let grey = matches!(decoder.color_type(), ::image::ColorType::L8);
        let bytes = usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX);
        if grey != (order == Order::Grey) || (!grey && decoder.color_type() != ::image::ColorType::Rgb8) {
            return Err(damaged(format!("the JPEG's colours are {:?}", decoder.color_type())));
        }
        within(bytes)?;
        let mut colours = vec![0; bytes];
        decoder.read_image(&mut colours).map_err(|error| damaged(error.to_string()))?;
        self.pixels.clear();
        self.pixels.reserve(shape.data_bytes);
        let row_bytes = shape.width.saturating_mul(if grey { 1 } else { 3 });
        if row_bytes == 0 {
            return Ok(());
        }
        for row in colours.rchunks_exact(row_bytes) {
            match order {
                Order::Grey => self.pixels.extend_from_slice(row),
                Order::Rgba => {
                    self.pixels.extend(row.as_chunks::<3>().0.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]))
                }
                Order::Bgra => {
                    self.pixels.extend(row.as_chunks::<3>().0.iter().flat_map(|[r, g, b]| [*b, *g, *r, 255]))
                }
            }
        }
        Ok(())
    }
}

fn within(bytes: usize) -> Result<(), DecodeError> {
    if bytes > MOST_BYTES {
        return Err(DecodeError::TooLarge { bytes, limit: MOST_BYTES });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tdshm::Pixels;

    use super::*;

    fn image(format: PixelFormat, width: usize, height: usize, fill: impl Fn(usize) -> u8) -> TopFrame {
        let bytes: Vec<u8> =
            (0..[width, height, format.bytes_per_pixel().unwrap()].iter().product()).map(fill).collect();
        TopFrame::from_pixels(&Pixels::bottom_first(format, width, height, &bytes)).unwrap()
    }

    fn sent(frame: &TopFrame, packing: Packing) -> Payload {
        ImageEncoder::new(packing).encode(frame).unwrap()
    }

    #[test]
    fn what_loses_nothing_comes_back_in_every_format() {
        let mut decoder = ImageDecoder::default();
        for format in PixelFormat::ALL {
            let frame = image(format, 7, 5, |at| (at * 37 % 251) as u8);
            for (packing, form) in [(Packing::Raw, Form::Image), (Packing::Lz4, Form::ImageLz4)] {
                let payload = sent(&frame, packing);
                assert_eq!(payload.form, form);
                let bytes = payload.to_vec();
                let (shape, pixels) = decoder.decode(form, &bytes).unwrap();
                assert_eq!((shape, pixels), (frame.shape(), frame.pixels()), "{format:?} {packing:?}");
            }
        }
    }

    #[test]
    fn a_header_and_pixels_are_the_block() {
        let mut encoder = ImageEncoder::new(Packing::Raw);
        let frame = image(PixelFormat::R16_UNORM, 3, 2, |at| at as u8);
        let header = encoder.header(&frame).unwrap();
        assert_eq!([&header, frame.pixels()].concat(), sent(&frame, Packing::Raw).to_vec());
        assert!(ImageEncoder::new(Packing::Lz4).header(&frame).is_none());
    }

    #[test]
    fn jpeg_keeps_what_eyes_see() {
        let mut decoder = ImageDecoder::default();
        for format in [
            PixelFormat::R8_UNORM,
            PixelFormat::R8G8B8A8_UNORM,
            PixelFormat::R8G8B8A8_SRGB,
            PixelFormat::B8G8R8A8_UNORM,
            PixelFormat::B8G8R8A8_SRGB,
        ] {
            let bytes = format.bytes_per_pixel().unwrap();
            // Dark below, light above; each colour another one.
            let light = |at: usize| (at / bytes / 16 * 12) as u8;
            let frame = image(format, 16, 16, |at| {
                if at % 4 == 3 && bytes == 4 { 255 } else { light(at) + (at % bytes) as u8 * 20 }
            });
            let payload = sent(&frame, Packing::Jpeg(95));
            assert_eq!((payload.form, payload.body.get(..2)), (Form::ImageJpeg, Some(&b"\xff\xd8"[..])));
            let bytes = payload.to_vec();
            let (shape, pixels) = decoder.decode(Form::ImageJpeg, &bytes).unwrap();
            assert_eq!(shape, frame.shape());
            let worst = pixels.iter().zip(frame.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(worst < 16, "{format:?}: {worst}");
        }
        // Others go as they are.
        assert_eq!(
            sent(&image(PixelFormat::R16_UNORM, 2, 2, |at| at as u8), Packing::Jpeg(80)).form,
            Form::Image
        );
    }

    /// Of any size, from either order of rows, a JPEG shows the image the right way up and the right way round.
    #[test]
    fn a_jpeg_is_upright_whatever_its_size_and_quality() {
        let rgba = PixelFormat::R8G8B8A8_UNORM;
        for (width, height) in [(1, 1), (2, 1), (1, 17), (7, 5), (16, 16), (33, 31), (257, 3)] {
            // Red grows to the right, green upwards, slowly: colours of neighbours are averaged.
            let part = |at: usize| (at * 3).min(240) as u8;
            let row = |y: usize| (0..width).flat_map(move |x| [part(x), part(y), 60, 9]);
            let up: Vec<u8> = (0..height).flat_map(row).collect();
            let down: Vec<u8> = (0..height).rev().flat_map(row).collect();
            let frames = [
                TopFrame::from_pixels(&Pixels::bottom_first(rgba, width, height, &up)).unwrap(),
                TopFrame::from_pixels(&Pixels::top_first(rgba, width, height, &down)).unwrap(),
            ];
            for (frame, quality) in frames.iter().flat_map(|frame| [(frame, 60), (frame, 85), (frame, 90)]) {
                let payload = sent(frame, Packing::Jpeg(quality));
                let mut decoder = ImageDecoder::default();
                let bytes = payload.to_vec();
                let (shape, pixels) = decoder.decode(Form::ImageJpeg, &bytes).unwrap();
                assert_eq!((shape.width, shape.height), (width, height));
                let pairs = pixels.iter().zip(&up).enumerate().filter(|(at, _)| at % 4 != 3);
                let apart: usize = pairs.map(|(_, (a, b))| usize::from(a.abs_diff(*b))).sum();
                let mean = apart / (width * height * 3);
                assert!(mean <= 5, "{width} x {height}, quality {quality}: {mean} apart");
                assert!(pixels.iter().skip(3).step_by(4).all(|alpha| *alpha == 255));
                // As anybody's viewer shows it.
                let file = ::image::load_from_memory(&payload.body).unwrap().into_rgb8();
                let green = file.get_pixel(0, 0).0[1];
                assert!(green.abs_diff(part(height - 1)) <= 12, "the file's top row has {green}");
            }
        }
    }

    #[test]
    fn below_a_quality_of_90_colours_take_less_room() {
        // Stripes of colours of one brightness, a pixel wide.
        let frame = image(PixelFormat::R8G8B8A8_UNORM, 64, 64, |at| match (at % 4, at / 4 % 2) {
            (3, _) => 255,
            (0, 0) | (2, 1) => 150,
            _ => 90,
        });
        let colours = |quality| {
            let payload = sent(&frame, Packing::Jpeg(quality)).to_vec();
            let mut decoder = ImageDecoder::default();
            let (_, pixels) = decoder.decode(Form::ImageJpeg, &payload).unwrap();
            pixels[4 * 65].abs_diff(pixels[4 * 66])
        };
        assert!(colours(90) > 30 && colours(89) < 15, "{} and {}", colours(90), colours(89));
    }

    #[test]
    fn what_no_jpeg_holds_goes_raw() {
        for format in PixelFormat::ALL {
            let frame = image(format, 3, 2, |at| at as u8);
            let packing = Packing::Jpeg(85);
            let form = sent(&frame, packing).form;
            assert_eq!(form == Form::ImageJpeg, packing.takes(&frame.shape()), "{format:?}");
            assert!(Packing::Lz4.takes(&frame.shape()) && Packing::Raw.takes(&frame.shape()));
        }
    }

    #[test]
    fn the_bytes_of_a_packed_image() {
        // By hand: a header of 48 bytes (docs/protocol.md), one pixel of one byte, and LZ4's way to say one literal.
        let header =
            b"\x35\xf8\x5e\xd9\x01\0\0\0\x01\0\0\0\x01\0\0\0\0\0\x80\x3f\0\0\x80\x3f\x09\0\0\0\0\0\0\0\
                       \x01\0\0\0\0\0\0\0\x30\0\0\0\0\0\0\0";
        let expected = [&b"\x30\0\0\0"[..], header, b"\x10\x07"].concat();
        let frame = image(PixelFormat::R8_UNORM, 1, 1, |_| 7);
        assert_eq!(sent(&frame, Packing::Lz4).to_vec(), expected);
    }

    #[test]
    fn what_is_damaged_is_refused() {
        let frame = image(PixelFormat::R8G8B8A8_UNORM, 8, 8, |at| at as u8);
        let mut decoder = ImageDecoder::default();
        let mut told = |form, bytes: &[u8]| decoder.decode(form, bytes).unwrap_err().to_string();
        let lz4 = sent(&frame, Packing::Lz4);
        assert!(told(Form::ImageLz4, &[]).contains("hold no header of up to 128"));
        assert!(
            told(Form::ImageLz4, &[&200_u32.to_le_bytes()[..], &[0; 300]].concat())
                .contains("hold no header")
        );
        let short = [&lz4.head, &lz4.body[..lz4.body.len() / 2]].concat();
        assert!(told(Form::ImageLz4, &short).starts_with("the packed image is damaged: "));
        // A header that announces a gigabyte, and four bytes behind it.
        let mut bomb = lz4.head.clone();
        bomb[4 + 8..4 + 12].copy_from_slice(&16384_u32.to_le_bytes());
        bomb[4 + 12..4 + 16].copy_from_slice(&4096_u32.to_le_bytes());
        bomb[4 + 32..4 + 40].copy_from_slice(&(16384_u64 * 4096 * 4).to_le_bytes());
        bomb.extend_from_slice(&[0xff; 4]);
        let error = told(Form::ImageLz4, &bomb);
        assert!(error.contains("4 bytes of LZ4 never hold the 268435456 of the image"), "{error}");
        let small = sent(&image(PixelFormat::R8G8B8A8_UNORM, 4, 8, |at| at as u8), Packing::Jpeg(80));
        let swapped = [&lz4.head, small.body.as_slice()].concat();
        let error = told(Form::ImageJpeg, &swapped);
        assert!(error.contains("the JPEG has 4 x 8 pixels, the image 8 x 8"), "{error}");
        let grey = sent(&image(PixelFormat::R8_UNORM, 8, 8, |at| at as u8), Packing::Jpeg(80));
        assert!(
            told(Form::ImageJpeg, &[&lz4.head, grey.body.as_slice()].concat()).contains("colours are L8")
        );
        assert!(told(Form::Channels, &bomb).starts_with("the encoding "));
    }

    proptest! {
        #[test]
        fn damaged_images_are_errors_or_images(
            at in 0_usize..400,
            byte in any::<u8>(),
            cut in 0_usize..400,
            jpeg in any::<bool>(),
        ) {
            let frame = image(PixelFormat::R8G8B8A8_UNORM, 8, 8, |at| (at / 3) as u8);
            let payload = sent(&frame, if jpeg { Packing::Jpeg(80) } else { Packing::Lz4 });
            let mut bytes = payload.to_vec();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes.truncate(cut.max(at));
            let _ = ImageDecoder::default().decode(payload.form, &bytes);
        }
    }
}
