//! OpenEXR: floats of 32 bits or of 16, in colours or grey, as they are in the file.

use std::io::{self, BufRead, Cursor, Seek};

use exr::block::reader::Reader;
use exr::block::samples::FromNativeSample;
use exr::image::{AnyChannel, AnyChannels, FlatSamples, Image};
use exr::math::Vec2;
use exr::meta::attribute::{SampleType, Text};
use exr::meta::header::Header;
use exr::prelude::{ReadChannels, ReadLayers, ReadSpecificChannel, SmallVec, WritableImage, read as reading};
use half::f16;
use tdshm::PixelFormat;

use crate::error::PictureError;
use crate::file::picture::{Bytes, LARGEST_BYTES, LARGEST_SIDE, Picture, TOO_LARGE};

/// Which channels of a file are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channels {
    /// What becomes red, green and blue.
    Three([&'static str; 3]),
    /// That one alone.
    One(&'static str),
}

const COLOURS: Channels = Channels::Three(["R", "G", "B"]);
/// As maps of normals and positions have them.
const VECTORS: Channels = Channels::Three(["X", "Y", "Z"]);

impl Channels {
    /// What can be read of a layer as a picture; `None`: nothing.
    fn of(layer: &Header) -> Option<Self> {
        if layer.deep {
            return None;
        }
        let has = |name| sample_type(layer, name).is_some();
        match [has("R"), has("G"), has("B")] {
            [true, true, true] => Some(COLOURS),
            // With RY and BY it would be the brightness of a picture in colours, with X no brightness at all.
            _ if has("Y") && !["RY", "BY", "X"].into_iter().any(has) => Some(Self::One("Y")),
            [true, false, false] => Some(Self::One("R")),
            _ => None,
        }
    }

    fn names(&self) -> &[&'static str] {
        match self {
            Self::Three(names) => names,
            Self::One(name) => std::slice::from_ref(name),
        }
    }
}

/// What can be read of a part of a file, and what stands in front of the names: nothing, or else the name of the first of
/// several layers that have colours, as `beauty.` in `beauty.R`.
fn of_part(part: &Header) -> Option<(Channels, String)> {
    let plain = Channels::of(part).map(|channels| (channels, String::new()));
    plain.or_else(|| layer_of(part, COLOURS).map(|layer| (COLOURS, layer)))
}

/// What stands in front of the names of the first layer that has all of these channels: nothing, where the part itself has.
fn layer_of(part: &Header, channels: Channels) -> Option<String> {
    let (first, others) = channels.names().split_first()?;
    let layers = part.channels.list.iter().filter_map(|channel| {
        let name = channel.name.to_string();
        let layer = name.strip_suffix(first)?;
        (layer.is_empty() || layer.ends_with('.')).then(|| layer.to_owned())
    });
    let has = |layer: &str, name: &str| sample_type(part, &format!("{layer}{name}")).is_some();
    let mut whole = layers.filter(|layer| others.iter().all(|name| has(layer, name)));
    if part.deep { None } else { whole.next() }
}

fn sample_type(layer: &Header, name: &str) -> Option<SampleType> {
    let name = Text::from(name);
    layer.channels.list.iter().find(|channel| channel.name == name).map(|channel| channel.sample_type)
}

/// The window of the picture that is shown, and where a layer lies in it.
#[derive(Clone, Copy, Debug)]
struct Window {
    width: usize,
    height: usize,
    left: i64,
    top: i64,
}

impl Window {
    fn of(layer: &Header) -> Result<Self, PictureError> {
        let shown = layer.shared_attributes.display_window;
        let at = layer.own_attributes.layer_position;
        let Vec2(width, height) = shown.size;
        let side = LARGEST_SIDE as usize;
        let bytes = (width as u64).saturating_mul(height as u64).saturating_mul(16);
        if width > side || height > side || bytes > LARGEST_BYTES {
            return Err(TOO_LARGE);
        }
        let distance = |at: i32, from: i32| i64::from(at).saturating_sub(i64::from(from));
        let (left, top) = (distance(at.x(), shown.position.x()), distance(at.y(), shown.position.y()));
        Ok(Self { width, height, left, top })
    }

    /// Pixels of so many numbers, all 0.
    fn blank<S: FromNativeSample>(self, each: usize) -> Vec<S> {
        vec![S::default(); self.width.saturating_mul(self.height).saturating_mul(each)]
    }

    /// Puts a pixel where it belongs. What lies outside is not shown.
    fn put<S: Copy, const N: usize>(self, pixels: &mut [S], at: Vec2<usize>, pixel: [S; N]) {
        let inside = |at: usize, from: i64, size: usize| {
            let at = i64::try_from(at).ok()?.checked_add(from)?;
            usize::try_from(at).ok().filter(|at| *at < size)
        };
        let (x, y) = (inside(at.x(), self.left, self.width), inside(at.y(), self.top, self.height));
        if let (Some(x), Some(y)) = (x, y)
            && let Some(to) = pixels.as_chunks_mut().0.get_mut(y.saturating_mul(self.width).saturating_add(x))
        {
            *to = pixel;
        }
    }
}

/// Reads the first layer that has colours, or one channel for grey; where none has, the first with vectors. Floats of 16 bits
/// stay that, if all are.
pub(super) fn read(bytes: impl BufRead + Seek) -> Result<Picture, PictureError> {
    let reader = exr::block::read(bytes, false).map_err(broken)?;
    let parts = reader.headers();
    let found = parts.iter().find_map(|part| Some((part, of_part(part)?)));
    let vectors = || parts.iter().find_map(|part| Some((part, (VECTORS, layer_of(part, VECTORS)?))));
    let Some((layer, (channels, prefix))) = found.or_else(vectors) else {
        let reason = "no layer has the channels R, G and B, or X, Y and Z, or Y or R alone".to_owned();
        return Err(PictureError::Broken { reason });
    };
    let window = Window::of(layer)?;
    let type_of = |name: &str| sample_type(layer, &format!("{prefix}{name}"));
    let alpha = type_of("A");
    let halves = channels.names().iter().filter_map(|name| type_of(name)).chain(alpha);
    let halves = halves.into_iter().all(|each| each == SampleType::F16);
    let format = match (channels, alpha.is_some(), halves) {
        (Channels::Three(_), _, true) => PixelFormat::R16G16B16A16_SFLOAT,
        (Channels::Three(_), _, false) => PixelFormat::R32G32B32A32_SFLOAT,
        (Channels::One(_), true, true) => PixelFormat::R16A16_SFLOAT,
        (Channels::One(_), true, false) => PixelFormat::R32A32_SFLOAT,
        (Channels::One(_), false, true) => PixelFormat::R16_SFLOAT,
        (Channels::One(_), false, false) => PixelFormat::R32_SFLOAT,
    };
    let pixels = if halves {
        let halves = numbers::<f16>(reader, channels, &prefix, alpha.is_some(), window);
        halves.map_err(broken)?.into_iter().flat_map(f16::to_le_bytes).collect()
    } else {
        let floats = numbers::<f32>(reader, channels, &prefix, alpha.is_some(), window);
        floats.map_err(broken)?.into_iter().flat_map(f32::to_le_bytes).collect()
    };
    Picture::new(format, window.width, window.height, pixels)
}

/// All numbers of the pixels: four of each with colours or vectors, else one, or two with alpha.
fn numbers<S: FromNativeSample>(
    reader: Reader<impl BufRead + Seek>,
    channels: Channels,
    prefix: &str,
    alpha: bool,
    window: Window,
) -> exr::error::Result<Vec<S>> {
    let levels = || reading().no_deep_data().largest_resolution_level();
    let one = match channels {
        Channels::Three([red, green, blue]) => {
            let name = |name: &str| Text::from(format!("{prefix}{name}").as_str());
            let named = levels().specific_channels().required::<S>(name(red)).required::<S>(name(green));
            let named = named.required::<S>(name(blue)).optional(name("A"), S::from_f32(1.0));
            let colours = named.collect_pixels(
                move |_, _: &(_, _, _, _)| window.blank::<S>(4),
                move |pixels: &mut Vec<S>, at, (r, g, b, a): (S, S, S, S)| {
                    window.put(pixels, at, [r, g, b, a])
                },
            );
            let image = colours.first_valid_layer().all_attributes().from_chunks(reader)?;
            return Ok(image.layer_data.channel_data.pixels);
        }
        Channels::One(name) => levels().specific_channels().required::<S>(name),
    };
    if alpha {
        let both = one.required::<S>("A").collect_pixels(
            move |_, _: &(_, _)| window.blank::<S>(2),
            move |pixels: &mut Vec<S>, at, (l, a): (S, S)| window.put(pixels, at, [l, a]),
        );
        let image = both.first_valid_layer().all_attributes().from_chunks(reader)?;
        return Ok(image.layer_data.channel_data.pixels);
    }
    let alone = one.collect_pixels(
        move |_, _: &(_,)| window.blank::<S>(1),
        move |pixels: &mut Vec<S>, at, (l,): (S,)| window.put(pixels, at, [l]),
    );
    let image = alone.first_valid_layer().all_attributes().from_chunks(reader)?;
    Ok(image.layer_data.channel_data.pixels)
}

/// What a file is to hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holds {
    /// One channel, Y, for the three colours.
    pub(super) mono: bool,
    /// A as well.
    pub(super) alpha: bool,
    /// Floats of 16 bits.
    pub(super) halves: bool,
}

/// Makes a file of RGBA pixels.
pub(super) fn write(
    rgba: &[f32],
    width: usize,
    height: usize,
    holds: Holds,
) -> Result<Vec<u8>, PictureError> {
    let channel = |name: &str, index: usize| {
        let numbers = rgba.as_chunks::<4>().0.iter().filter_map(|pixel| pixel.get(index).copied());
        let samples = if holds.halves {
            FlatSamples::F16(numbers.map(f16::from_f32).collect())
        } else {
            FlatSamples::F32(numbers.collect())
        };
        AnyChannel::new(name, samples)
    };
    let mut list = SmallVec::new();
    match holds.mono {
        true => list.push(channel("Y", 0)),
        false => {
            ["R", "G", "B"].into_iter().enumerate().for_each(|(index, name)| list.push(channel(name, index)))
        }
    }
    if holds.alpha {
        list.push(channel("A", 3));
    }
    let mut file: Bytes = Cursor::default();
    let image = Image::from_channels((width, height), AnyChannels::sort(list));
    image.write().to_buffered(&mut file).map_err(broken)?;
    Ok(file.into_inner())
}

/// What the reader says of a file, in one sentence of ours.
fn broken(error: exr::error::Error) -> PictureError {
    let reason = match error {
        exr::error::Error::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => return error.into(),
        exr::error::Error::Io(_) => "it ends too early".to_owned(),
        error => error.to_string().trim_end_matches('.').to_owned(),
    };
    PictureError::Broken { reason }
}
