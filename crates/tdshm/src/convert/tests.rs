#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]

use proptest::prelude::*;

use super::*;
use crate::wire::pixel::PixelFormat;
use crate::wire::top_legacy::{LegacyFormat, data_format, data_type};

/// One pixel of each format: its bytes, and what it is as RGBA of floats, of 8 bits and of 16, all worked out by hand.
type Case = (PixelFormat, &'static [u8], [f32; 4], [u8; 4], [u16; 4]);

const CASES: [Case; 25] = [
    (PixelFormat::R8_UNORM, &[51], [0.2, 0.0, 0.0, 1.0], [51, 0, 0, 255], [13107, 0, 0, 65535]),
    (PixelFormat::R8G8_UNORM, &[51, 255], [0.2, 1.0, 0.0, 1.0], [51, 255, 0, 255], [13107, 65535, 0, 65535]),
    (
        PixelFormat::R8G8B8A8_UNORM,
        &[51, 102, 153, 204],
        [0.2, 0.4, 0.6, 0.8],
        [51, 102, 153, 204],
        [13107, 26214, 39321, 52428],
    ),
    (
        PixelFormat::R8G8B8A8_SRGB,
        &[51, 102, 153, 204],
        [0.2, 0.4, 0.6, 0.8],
        [51, 102, 153, 204],
        [13107, 26214, 39321, 52428],
    ),
    (
        PixelFormat::B8G8R8A8_UNORM,
        &[51, 102, 153, 204],
        [0.6, 0.4, 0.2, 0.8],
        [153, 102, 51, 204],
        [39321, 26214, 13107, 52428],
    ),
    (
        PixelFormat::B8G8R8A8_SRGB,
        &[51, 102, 153, 204],
        [0.6, 0.4, 0.2, 0.8],
        [153, 102, 51, 204],
        [39321, 26214, 13107, 52428],
    ),
    // 93 is 1023 / 11, and 2 of 3: 0b10_0000011111_1111111111_0001011101, green 1023, blue 31 = 1023 / 33.
    (
        PixelFormat::A2B10G10R10_UNORM_PACK32,
        &[0b0101_1101, 0b1111_1100, 0b1111_1111, 0b1000_0001],
        [1.0 / 11.0, 1.0, 1.0 / 33.0, 2.0 / 3.0],
        [23, 255, 8, 170],
        [5958, 65535, 1986, 43690],
    ),
    (PixelFormat::R16_UNORM, &[0x33, 0x33], [0.2, 0.0, 0.0, 1.0], [51, 0, 0, 255], [13107, 0, 0, 65535]),
    (PixelFormat::R16_SFLOAT, &[0x00, 0x38], [0.5, 0.0, 0.0, 1.0], [128, 0, 0, 255], [32768, 0, 0, 65535]),
    // 0x3380 is 13184: 51.3 of 255.
    (
        PixelFormat::R16G16_UNORM,
        &[0x33, 0x33, 0x80, 0x33],
        [0.2, 13184.0 / 65535.0, 0.0, 1.0],
        [51, 51, 0, 255],
        [13107, 13184, 0, 65535],
    ),
    // 2 and -1.
    (
        PixelFormat::R16G16_SFLOAT,
        &[0x00, 0x40, 0x00, 0xbc],
        [2.0, -1.0, 0.0, 1.0],
        [255, 0, 0, 255],
        [65535, 0, 0, 65535],
    ),
    (
        PixelFormat::R16G16B16A16_UNORM,
        &[0x33, 0x33, 0x66, 0x66, 0x99, 0x99, 0xcc, 0xcc],
        [0.2, 0.4, 0.6, 0.8],
        [51, 102, 153, 204],
        [13107, 26214, 39321, 52428],
    ),
    // 0.25, 0.5, 0.75, and the least half there is, 2^-24.
    (
        PixelFormat::R16G16B16A16_SFLOAT,
        &[0x00, 0x34, 0x00, 0x38, 0x00, 0x3a, 0x01, 0x00],
        [0.25, 0.5, 0.75, 1.0 / 16_777_216.0],
        [64, 128, 191, 0],
        [16384, 32768, 49151, 0],
    ),
    (
        PixelFormat::R32_SFLOAT,
        &[0x00, 0x00, 0x00, 0x3f],
        [0.5, 0.0, 0.0, 1.0],
        [128, 0, 0, 255],
        [32768, 0, 0, 65535],
    ),
    // 0.25 and infinity.
    (
        PixelFormat::R32G32_SFLOAT,
        &[0x00, 0x00, 0x80, 0x3e, 0x00, 0x00, 0x80, 0x7f],
        [0.25, f32::INFINITY, 0.0, 1.0],
        [64, 255, 0, 255],
        [16384, 65535, 0, 65535],
    ),
    // -2, 0.75, 1.5, 0.125.
    (
        PixelFormat::R32G32B32A32_SFLOAT,
        &[0x00, 0x00, 0x00, 0xc0, 0x00, 0x00, 0x40, 0x3f, 0x00, 0x00, 0xc0, 0x3f, 0x00, 0x00, 0x00, 0x3e],
        [-2.0, 0.75, 1.5, 0.125],
        [0, 191, 255, 32],
        [0, 49151, 65535, 8192],
    ),
    // Exponents count from 15: red 0.5 is 14 and no fraction, green 1.5 is 15 and 32 / 64, blue 0.25 is 13 and none:
    // 0b0110100000_01111100000_01110000000.
    (
        PixelFormat::B10G11R11_UFLOAT_PACK32,
        &[0b1000_0000, 0b0000_0011, 0b0001_1111, 0b0110_1000],
        [0.5, 1.5, 0.25, 1.0],
        [128, 255, 64, 255],
        [32768, 65535, 16384, 65535],
    ),
    (PixelFormat::A8_UNORM, &[51], [0.0, 0.0, 0.0, 0.2], [0, 0, 0, 51], [0, 0, 0, 13107]),
    (PixelFormat::A16_UNORM, &[0x33, 0x33], [0.0, 0.0, 0.0, 0.2], [0, 0, 0, 51], [0, 0, 0, 13107]),
    (PixelFormat::A16_SFLOAT, &[0x00, 0x38], [0.0, 0.0, 0.0, 0.5], [0, 0, 0, 128], [0, 0, 0, 32768]),
    (
        PixelFormat::A32_SFLOAT,
        &[0x00, 0x00, 0x00, 0x3f],
        [0.0, 0.0, 0.0, 0.5],
        [0, 0, 0, 128],
        [0, 0, 0, 32768],
    ),
    (
        PixelFormat::R8A8_UNORM,
        &[51, 204],
        [0.2, 0.2, 0.2, 0.8],
        [51, 51, 51, 204],
        [13107, 13107, 13107, 52428],
    ),
    (
        PixelFormat::R16A16_UNORM,
        &[0x33, 0x33, 0xcc, 0xcc],
        [0.2, 0.2, 0.2, 0.8],
        [51, 51, 51, 204],
        [13107, 13107, 13107, 52428],
    ),
    (
        PixelFormat::R16A16_SFLOAT,
        &[0x00, 0x34, 0x00, 0x38],
        [0.25, 0.25, 0.25, 0.5],
        [64, 64, 64, 128],
        [16384, 16384, 16384, 32768],
    ),
    (
        PixelFormat::R32A32_SFLOAT,
        &[0x00, 0x00, 0x80, 0x3e, 0x00, 0x00, 0x00, 0x3f],
        [0.25, 0.25, 0.25, 0.5],
        [64, 64, 64, 128],
        [16384, 16384, 16384, 32768],
    ),
];

#[test]
fn each_format_becomes_what_was_worked_out_by_hand() {
    assert_eq!(CASES.map(|case| case.0), PixelFormat::ALL);
    for (format, pixel, floats, bytes, shorts) in CASES {
        // Enough of them for whole vectors and a rest.
        let source = pixel.repeat(67);
        let convert = Convert::new(format, 67, 1);
        let mut rgba = vec![7.0; 67 * 4];
        convert.to_rgba32f(&source, &mut rgba).unwrap();
        assert_eq!(rgba, floats.repeat(67), "{format}");
        let mut rgba = vec![7; 67 * 4];
        convert.to_rgba8(&source, &mut rgba).unwrap();
        assert_eq!(rgba, bytes.repeat(67), "{format}");
        let mut rgba = vec![7; 67 * 4];
        convert.to_rgba16(&source, &mut rgba).unwrap();
        assert_eq!(rgba, shorts.repeat(67), "{format}");
    }
}

/// What a number is, told slowly.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff) / 1024.0);
    let size = match exponent {
        0 => fraction * 2_f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2_f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// A float of `fraction_bits` and 5 of exponent, without a sign.
fn small(bits: u32, fraction_bits: u32) -> f64 {
    let parts = 1_u32 << fraction_bits;
    let (exponent, fraction) = (bits >> fraction_bits, f64::from(bits % parts) / f64::from(parts));
    match exponent {
        0 => fraction / 16384.0,
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2_f64.powi(i32::try_from(exponent).unwrap() - 15),
    }
}

/// What a pixel is, told slowly: red, green, blue, alpha.
fn oracle(texels: Texels, pixel: &[u8]) -> [f64; 4] {
    // By the names of the formats alone: the table of the code under test is not asked.
    let (order, kind) = match texels {
        Texels::Format(format) => match format.name().unwrap().split_once('_').unwrap() {
            ("A2B10G10R10", _) => {
                let word = u32::from_le_bytes(pixel.try_into().unwrap());
                let ten = |by: u32| f64::from(word / by % 1024) / 1023.0;
                return [ten(1), ten(1 << 10), ten(1 << 20), f64::from(word >> 30) / 3.0];
            }
            ("B10G11R11", _) => {
                let word = u32::from_le_bytes(pixel.try_into().unwrap());
                return [small(word & 0x7ff, 6), small(word >> 11 & 0x7ff, 6), small(word >> 22, 5), 1.0];
            }
            (channels, kind) => {
                let order: String = channels.chars().filter(char::is_ascii_alphabetic).collect();
                let order = if order == "RA" { "LA".to_owned() } else { order };
                let bits: String = channels.chars().skip(1).take_while(char::is_ascii_digit).collect();
                (order, format!("{bits}{}", if kind == "SFLOAT" { "f" } else { "" }))
            }
        },
        Texels::Legacy(legacy) => {
            let order = LEGACY_FORMATS.iter().find(|f| f.0 == legacy.data_format).unwrap().1;
            let kind = LEGACY_TYPES.iter().find(|t| t.0 == legacy.data_type).unwrap().1;
            (order.to_owned(), kind.to_owned())
        }
    };
    let number = |at: usize| match kind.as_str() {
        "8" => f64::from(pixel[at]) / 255.0,
        "16" => f64::from(u16::from_le_bytes([pixel[2 * at], pixel[2 * at + 1]])) / 65535.0,
        "16f" => half(u16::from_le_bytes([pixel[2 * at], pixel[2 * at + 1]])),
        "32f" => f64::from(f32::from_le_bytes(pixel[4 * at..4 * at + 4].try_into().unwrap())),
        other => panic!("{other}"),
    };
    let mut rgba = [0.0, 0.0, 0.0, 1.0];
    for (at, channel) in order.chars().enumerate() {
        match channel {
            'R' => rgba[0] = number(at),
            'G' => rgba[1] = number(at),
            'B' => rgba[2] = number(at),
            'A' => rgba[3] = number(at),
            'L' => rgba[..3].fill(number(at)),
            other => panic!("{other}"),
        }
    }
    rgba
}

const LEGACY_FORMATS: [(i32, &str); 10] = [
    (data_format::RED, "R"),
    (data_format::RG, "RG"),
    (data_format::RGB, "RGB"),
    (data_format::RGBA, "RGBA"),
    (data_format::BGR, "BGR"),
    (data_format::BGRA, "BGRA"),
    (data_format::ABGR, "ABGR"),
    (data_format::ALPHA, "A"),
    (data_format::LUMINANCE, "L"),
    (data_format::LUMINANCE_ALPHA, "LA"),
];
const LEGACY_TYPES: [(i32, &str); 4] = [
    (data_type::UNSIGNED_BYTE, "8"),
    (data_type::UNSIGNED_SHORT, "16"),
    (data_type::HALF_FLOAT, "16f"),
    (data_type::FLOAT, "32f"),
];

fn all_texels() -> Vec<Texels> {
    let legacy = LEGACY_FORMATS.into_iter().flat_map(|format| {
        LEGACY_TYPES.into_iter().map(move |kind| LegacyFormat {
            data_format: format.0,
            data_type: kind.0,
            pixel_format: 0x8058,
        })
    });
    PixelFormat::ALL.map(Texels::from).into_iter().chain(legacy.map(Texels::from)).collect()
}

/// The nearest unorm, upwards from the middle; NaN is 0.
fn nearest(value: f64, most: f64) -> f64 {
    if value.is_nan() { 0.0 } else { (value.clamp(0.0, 1.0) * most).round() }
}

fn curve(value: f64, to: Option<Encoding>) -> f64 {
    match to {
        None => value,
        Some(Encoding::Linear) if value <= 0.04045 => value / 12.92,
        Some(Encoding::Linear) => ((value + 0.055) / 1.055).powf(2.4),
        Some(Encoding::Srgb) if value <= 0.0031308 => value * 12.92,
        Some(Encoding::Srgb) => 1.055 * value.powf(1.0 / 2.4) - 0.055,
    }
}

fn same(left: f32, right: f32) -> bool {
    left == right || (left.is_nan() && right.is_nan())
}

/// Floats that matter, and any bytes.
fn source(len: usize) -> impl Strategy<Value = Vec<u8>> {
    let floats = proptest::collection::vec(-0.1_f32..1.1, len.div_ceil(4))
        .prop_map(move |f| f.into_iter().flat_map(f32::to_le_bytes).take(len).collect());
    let halves = proptest::collection::vec(0_u16..0x3c10, len.div_ceil(2))
        .prop_map(move |f| f.into_iter().flat_map(u16::to_le_bytes).take(len).collect());
    prop_oneof![proptest::collection::vec(any::<u8>(), len), floats, halves]
}

#[derive(Debug, Clone)]
struct Image {
    texels: Texels,
    width: usize,
    height: usize,
    /// Beyond a row, in the source (bytes) and in the target (samples).
    gaps: (usize, usize),
    rows: (RowOrder, RowOrder),
    wanted: Option<Encoding>,
    bytes: Vec<u8>,
}

fn image() -> impl Strategy<Value = Image> {
    let order = || proptest::sample::select(vec![RowOrder::TopFirst, RowOrder::BottomFirst]);
    let wanted = proptest::sample::select(vec![None, Some(Encoding::Linear), Some(Encoding::Srgb)]);
    let texels = proptest::sample::select(all_texels());
    (texels, 1_usize..150, 1_usize..5, (0_usize..9, 0_usize..9), (order(), order()), wanted).prop_flat_map(
        |(texels, width, height, gaps, rows, wanted)| {
            let len = height * (width * texels.bytes_per_pixel().unwrap() + gaps.0);
            source(len).prop_map(move |bytes| Image { texels, width, height, gaps, rows, wanted, bytes })
        },
    )
}

impl Image {
    /// Converts to `T`, and compares each sample with what the oracle says, and each one between rows with `mark`.
    fn agrees<T: Copy + std::fmt::Debug>(
        &self,
        mark: T,
        convert: impl FnOnce(Convert, &[u8], &mut [T]) -> Result<(), ConvertError>,
        is: impl Fn(T, f64) -> bool,
        is_mark: impl Fn(T) -> bool,
    ) -> Result<(), TestCaseError> {
        let Self { texels, width, height, gaps, rows, wanted, ref bytes } = *self;
        let pixel = texels.bytes_per_pixel().unwrap();
        let (from_stride, to_stride) = (width * pixel + gaps.0, width * 4 + gaps.1);
        let mut how = Convert::new(texels, width, height)
            .rows(rows.0, rows.1)
            .source_stride(from_stride)
            .target_stride(to_stride);
        let mut change = None;
        if let Some(wanted) = wanted {
            how = how.encode_as(wanted);
            let srgb = matches!(texels, Texels::Format(format) if format.name().unwrap().ends_with("SRGB"));
            change = Some(wanted).filter(|wanted| (*wanted == Encoding::Srgb) != srgb);
        }
        let mut target = vec![mark; to_stride * height];
        convert(how, bytes, &mut target).unwrap();
        for (y, to) in target.chunks(to_stride).enumerate() {
            let from = if rows.0 == rows.1 { y } else { height - 1 - y };
            let from = &bytes[from * from_stride..][..width * pixel];
            for (from, to) in from.chunks(pixel).zip(to.chunks(4)) {
                let [r, g, b, a] = oracle(texels, from);
                let colour = [r, g, b].map(|value| curve(value, change));
                for (got, expected) in to.iter().zip(colour.into_iter().chain([a])) {
                    prop_assert!(is(*got, expected), "{texels} {from:?}: {to:?} has not {expected}");
                }
            }
            prop_assert!(to[width * 4..].iter().all(|sample| is_mark(*sample)), "between rows");
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_is_converted_is_what_the_slow_way_gives(image in image()) {
        let is = |got: u8, expected| f64::from(got) == nearest(expected, 255.0);
        image.agrees(99, |how, from, to| how.to_rgba8(from, to), is, |mark| mark == 99)?;
        let is = |got: u16, expected| f64::from(got) == nearest(expected, 65535.0);
        image.agrees(99, |how, from, to| how.to_rgba16(from, to), is, |mark| mark == 99)?;
        let is = |got: f32, expected: f64| same(got, expected as f32);
        image.agrees(99.5, |how, from, to| how.to_rgba32f(from, to), is, |mark| mark == 99.5)?;
    }
}

#[test]
fn every_unorm_and_every_half() {
    let all: Vec<u16> = (0..=u16::MAX).collect();
    let bytes: Vec<u8> = all.iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut rgba8 = vec![0; 65536 * 4];
    Convert::new(PixelFormat::R16_UNORM, 256, 256).to_rgba8(&bytes, &mut rgba8).unwrap();
    let mut rgba32f = vec![0.0; 65536 * 4];
    Convert::new(PixelFormat::R16_UNORM, 256, 256).to_rgba32f(&bytes, &mut rgba32f).unwrap();
    for (index, value) in all.iter().enumerate() {
        let exact = f64::from(*value) / 65535.0;
        assert_eq!(f64::from(rgba8[index * 4]), nearest(exact, 255.0), "{value}");
        assert_eq!(rgba32f[index * 4], exact as f32, "{value}");
    }
    Convert::new(PixelFormat::R16_SFLOAT, 256, 256).to_rgba32f(&bytes, &mut rgba32f).unwrap();
    for (index, value) in all.iter().enumerate() {
        assert!(same(rgba32f[index * 4], half(*value) as f32), "{value:#x}");
    }
}

#[test]
fn floats_next_to_the_middle_between_two_unorms() {
    fn check(most: u32, got: impl Fn(&[f32]) -> Vec<f64>) {
        for step in 0..most {
            let middle = ((f64::from(step) + 0.5) / f64::from(most)) as f32;
            let around = [middle.next_down().next_down(), middle.next_down(), middle, middle.next_up()];
            let expected = around.map(|value| nearest(f64::from(value), f64::from(most)));
            assert_eq!(got(&around), expected, "{step} of {most}");
        }
    }
    let bytes = |floats: &[f32]| floats.iter().flat_map(|f| f.to_le_bytes()).collect::<Vec<_>>();
    let convert = Convert::new(PixelFormat::R32G32B32A32_SFLOAT, 1, 1);
    check(255, |floats| {
        let mut rgba = [0; 4];
        convert.to_rgba8(&bytes(floats), &mut rgba).unwrap();
        rgba.map(f64::from).to_vec()
    });
    check(65535, |floats| {
        let mut rgba = [0; 4];
        convert.to_rgba16(&bytes(floats), &mut rgba).unwrap();
        rgba.map(f64::from).to_vec()
    });
}

#[test]
fn what_is_no_number_or_beyond_is_clamped() {
    let floats = [f32::NAN, f32::NEG_INFINITY, f32::INFINITY, -f32::NAN];
    let bytes: Vec<u8> = floats.iter().flat_map(|f| f.to_le_bytes()).collect();
    let convert = Convert::new(PixelFormat::R32G32B32A32_SFLOAT, 1, 1);
    for convert in [
        convert,
        convert.encode_as(Encoding::Srgb),
        convert.stored_as(Encoding::Srgb).encode_as(Encoding::Linear),
    ] {
        let mut rgba = [7; 4];
        convert.to_rgba8(&bytes, &mut rgba).unwrap();
        assert_eq!(rgba, [0, 0, 255, 0]);
        let mut rgba = [7; 4];
        convert.to_rgba16(&bytes, &mut rgba).unwrap();
        assert_eq!(rgba, [0, 0, 65535, 0]);
    }
}

/// The quick way from floats to bytes of sRGB, at each step and its neighbours, and for all that 16 bits can be.
#[test]
fn bytes_of_srgb_begin_where_the_curve_says() {
    let expected = |value: f64| nearest(curve(value, Some(Encoding::Srgb)), 255.0);
    let encode = |format: PixelFormat, bytes: &[u8]| {
        let count = bytes.len() / format.bytes_per_pixel().unwrap();
        let mut rgba = vec![0; count * 4];
        Convert::new(format, count, 1).encode_as(Encoding::Srgb).to_rgba8(bytes, &mut rgba).unwrap();
        rgba.chunks(4).map(|pixel| f64::from(pixel[0])).collect::<Vec<_>>()
    };
    let all: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
    for (value, got) in (0..=u16::MAX).zip(encode(PixelFormat::R16_UNORM, &all)) {
        assert_eq!(got, expected(f64::from(value) / 65535.0), "{value}");
    }
    for (value, got) in (0..=u16::MAX).zip(encode(PixelFormat::R16_SFLOAT, &all)) {
        assert_eq!(got, expected(half(value)), "{value:#x}");
    }
    let tens: Vec<u8> = (0..1024_u32).flat_map(u32::to_le_bytes).collect();
    for (value, got) in (0..1024).zip(encode(PixelFormat::A2B10G10R10_UNORM_PACK32, &tens)) {
        assert_eq!(got, expected(f64::from(value) / 1023.0), "{value}");
    }
    let mut floats = vec![0.0, 1e-30, 0.99999, 1.0 - f32::EPSILON / 2.0, 1.0, 1.0 + f32::EPSILON, 2.0];
    for step in 0..255 {
        let middle = curve((f64::from(step) + 0.5) / 255.0, Some(Encoding::Linear)) as f32;
        let bits = middle.to_bits();
        floats.extend((bits - 3..=bits + 3).map(f32::from_bits));
    }
    // The start of each bucket, and the end of the one before.
    floats.extend((100_u32 << 7..128 << 7).map(|bucket| f32::from_bits(bucket << 16)));
    floats.extend((100_u32 << 7..128 << 7).map(|bucket| f32::from_bits((bucket << 16) - 1)));
    let bytes: Vec<u8> = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
    for (value, got) in floats.iter().zip(encode(PixelFormat::R32_SFLOAT, &bytes)) {
        assert_eq!(got, expected(f64::from(*value)), "{value}");
    }
}

/// Values that are in print: middle grey is 188, and 128 is 0.2158605.
#[test]
fn the_curve_of_srgb() {
    let (srgb, unorm) = (PixelFormat::R8G8B8A8_SRGB, PixelFormat::R8G8B8A8_UNORM);
    let float = |convert: Convert| {
        let mut rgba = [0.0; 4];
        convert.to_rgba32f(&[128, 10, 255, 128], &mut rgba).unwrap();
        rgba
    };
    let close = |left: [f32; 4], right: [f32; 4]| left.iter().zip(right).all(|(l, r)| (l - r).abs() < 5e-7);
    let stored = [128.0 / 255.0, 10.0 / 255.0, 1.0, 128.0 / 255.0];
    let linear = [0.215_860_5, 0.003_035_27, 1.0, 128.0 / 255.0];
    assert!(close(float(Convert::new(srgb, 1, 1)), stored));
    assert!(close(float(Convert::new(srgb, 1, 1).encode_as(Encoding::Srgb)), stored));
    assert!(close(float(Convert::new(srgb, 1, 1).encode_as(Encoding::Linear)), linear));
    assert!(close(float(Convert::new(unorm, 1, 1).encode_as(Encoding::Linear)), stored));
    let said = Convert::new(unorm, 1, 1).stored_as(Encoding::Srgb);
    assert!(close(float(said), stored));
    assert!(close(float(said.encode_as(Encoding::Linear)), linear));

    let mut rgba = [0; 4];
    let half = 0.5_f32.to_le_bytes().repeat(4);
    let convert = Convert::new(PixelFormat::R32G32B32A32_SFLOAT, 1, 1).encode_as(Encoding::Srgb);
    convert.to_rgba8(&half, &mut rgba).unwrap();
    assert_eq!(rgba, [188, 188, 188, 128]);
}

#[test]
fn the_curve_bends_where_the_standard_says() {
    for (to, bend) in [(Encoding::Linear, 0.04045), (Encoding::Srgb, 0.003_130_8)] {
        let floats: Vec<f32> =
            (-200_i16..200).map(|n| (bend * (1.0 + f64::from(n) / 20_000.0)) as f32).collect();
        let bytes: Vec<u8> = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
        let stored = if to == Encoding::Linear { Encoding::Srgb } else { Encoding::Linear };
        let mut rgba = vec![0.0; floats.len() * 4];
        let convert = Convert::new(PixelFormat::R32_SFLOAT, floats.len(), 1);
        convert.stored_as(stored).encode_as(to).to_rgba32f(&bytes, &mut rgba).unwrap();
        for (value, pixel) in floats.iter().zip(rgba.chunks(4)) {
            assert_eq!(pixel[0], curve(f64::from(*value), Some(to)) as f32, "{value}");
        }
    }
}

#[test]
fn every_byte_of_srgb_comes_back_from_linear() {
    let bytes: Vec<u8> = (0..=255).flat_map(|byte| [byte, 255 - byte, byte, byte]).collect();
    let mut linear = vec![0; 1024];
    let decode = Convert::new(PixelFormat::R8G8B8A8_SRGB, 256, 1).encode_as(Encoding::Linear);
    decode.to_rgba16(&bytes, &mut linear).unwrap();
    let linear: Vec<u8> = linear.into_iter().flat_map(u16::to_le_bytes).collect();
    let mut back = vec![0; 1024];
    let encode = Convert::new(PixelFormat::R16G16B16A16_UNORM, 256, 1).encode_as(Encoding::Srgb);
    encode.to_rgba8(&linear, &mut back).unwrap();
    assert_eq!(back, bytes);
}

#[test]
fn what_cannot_be_converted_is_told_and_nothing_is_touched() {
    let mut to = [7_u8; 16];
    let rgba8 = PixelFormat::R8G8B8A8_UNORM;
    let mut error = |convert: Convert, source: &[u8], len: usize| {
        let error = convert.to_rgba8(source, &mut to[..len]).unwrap_err();
        assert_eq!(to, [7; 16]);
        error.to_string()
    };
    assert_eq!(
        error(Convert::new(PixelFormat::from_number(0xf0009), 2, 2), &[0; 16], 16),
        "the pixel format is 0xf0009, which is unknown here: convert its bytes yourself"
    );
    assert_eq!(
        error(Convert::new(rgba8, 2, 2), &[0; 15], 16),
        "the source, in bytes, has 15, and 16 are needed: give the whole image"
    );
    assert_eq!(
        error(Convert::new(rgba8, 2, 2).target_stride(9), &[0; 16], 16),
        "the target, in samples, has 16, and 17 are needed: give the whole image"
    );
    assert_eq!(
        error(Convert::new(rgba8, 2, 2).source_stride(7), &[0; 16], 16),
        "the stride of the source, in bytes, is 7, and a row has 8: give at least so many"
    );
    error(Convert::new(rgba8, usize::MAX, usize::MAX), &[0; 16], 16);
    Convert::new(rgba8, 0, 2).to_rgba8(&[], &mut []).unwrap();
    Convert::new(rgba8, 2, 0).to_rgba8(&[], &mut []).unwrap();
}
