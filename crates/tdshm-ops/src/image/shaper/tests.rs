//! What comes out of the Common page, pixel by pixel.
#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]

use proptest::prelude::*;
use tdshm::{LegacyFormat, PixelFormat};

use super::*;

fn random(width: usize, height: usize, format: PixelFormat, seed: u64) -> Image {
    let mut image = Image::default();
    let mut state = seed;
    for byte in image.shape(width, height, format).unwrap() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *byte = (state >> 56) as u8;
    }
    image
}

fn gray(width: usize, height: usize, bytes: &[u8]) -> Image {
    let mut image = Image::default();
    image.shape(width, height, PixelFormat::R8_UNORM).unwrap().copy_from_slice(bytes);
    image
}

fn custom(size: (usize, usize), smoothness: Smoothness, format: PixelFormatChoice) -> ShapeSettings {
    ShapeSettings {
        output_resolution: OutputResolution::Custom,
        resolution: size,
        smoothness,
        format,
        ..ShapeSettings::default()
    }
}

fn apply(input: &Image, settings: &ShapeSettings) -> Image {
    let mut out = Image::default();
    Shaper::default().apply(input, settings, &mut out).unwrap();
    out
}

fn resized(input: &Image, size: (usize, usize), smoothness: Smoothness) -> Image {
    apply(input, &custom(size, smoothness, PixelFormatChoice::UseInput))
}

fn converted(input: &Image, format: PixelFormatChoice) -> Image {
    apply(input, &ShapeSettings { format, ..ShapeSettings::default() })
}

/// By how much a number of the format may be off for having been stored.
fn step(format: PixelFormat, value: f32) -> f32 {
    let kind = Texels::Format(format).kind().unwrap();
    match (kind.bits, kind.float) {
        (8, _) if format.is_srgb() => 0.01,
        (11, _) => value / 32.0 + 1e-5,
        (16, true) => value / 1024.0 + 1e-6,
        (10, _) => 1.0 / 1023.0,
        (bits, false) => 1.0 / ((1_u64 << bits) as f32 - 1.0),
        (_, true) => value * 1e-6,
    }
}

#[test]
fn what_stays_is_bit_by_bit_what_it_was() {
    for format in PixelFormat::ALL {
        for (width, height) in [(1, 1), (1, 7), (13, 5), (64, 3)] {
            let mut input = random(width, height, format, 1);
            input.set_aspect((3.0, 2.0));
            let settings = ShapeSettings::pass_through();
            assert!(settings.is_identity(&input));
            assert_eq!(apply(&input, &settings), input, "{format}");
            // The same size said in another way, and a format that it is already.
            for choice in PixelFormatChoice::ALL {
                if choice.wire_formats().contains(&format) && !choice.is_opaque() {
                    let settings = custom((width, height), Smoothness::Mipmap, *choice);
                    assert!(!settings.is_identity(&input), "the aspect changes");
                    let out = apply(&input, &settings);
                    assert_eq!((out.pixels(), out.aspect()), (input.pixels(), (1.0, 1.0)), "{format}");
                }
            }
        }
    }
}

#[test]
fn what_changes_is_no_identity() {
    let image = Image::default();
    let page = ShapeSettings::default();
    assert!(page.is_identity(&image));
    for other in [
        ShapeSettings { output_resolution: OutputResolution::Half, ..page },
        ShapeSettings { multiplier: 0.5, ..page },
        ShapeSettings { format: PixelFormatChoice::Mono8Fixed, ..page },
        ShapeSettings { output_aspect: OutputAspect::Custom, aspect: (2.0, 1.0), ..page },
    ] {
        assert!(!other.is_identity(&image), "{other:?}");
    }
    // Alpha is not looked for.
    let float = Image::constant(1, 1, PixelFormat::R16G16B16A16_SFLOAT, [1.0; 4]).unwrap();
    assert!(!ShapeSettings { format: PixelFormatChoice::Rgb16Float, ..page }.is_identity(&float));
    assert!(ShapeSettings { format: PixelFormatChoice::Rgba16Float, ..page }.is_identity(&float));
}

#[test]
fn a_colour_stays_a_colour() {
    let sizes = [(1, 1), (1, 9), (7, 1), (5, 3), (16, 16), (33, 20)];
    let rgba = [0.75, 0.25, 0.5, 1.0];
    let mut shaper = Shaper::default();
    let mut out = Image::default();
    for format in PixelFormat::ALL {
        for from in sizes {
            let input = Image::constant(from.0, from.1, format, rgba).unwrap();
            for to in sizes.into_iter().chain([(64, 2)]) {
                for smoothness in Smoothness::ALL {
                    for choice in [PixelFormatChoice::UseInput, PixelFormatChoice::Rgba32Float] {
                        let settings = custom(to, *smoothness, choice);
                        shaper.apply(&input, &settings, &mut out).unwrap();
                        assert_eq!(out.size(), to);
                        let expected = input.sample(0, 0);
                        for (x, y) in [(0, 0), (to.0 / 2, to.1 / 2), (to.0, to.1)] {
                            for (a, b) in out.sample(x, y).into_iter().zip(expected) {
                                let step = step(format, b);
                                assert!(
                                    (a - b).abs() <= step * 0.01 + b * 1e-6,
                                    "{format} {from:?} {to:?} {smoothness}: {a} {b}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn every_format_becomes_every_other() {
    let rgba = [0.75, 0.25, 0.5, 0.625];
    for format in PixelFormat::ALL {
        let input = Image::constant(300, 1, format, rgba).unwrap();
        let read = input.sample(0, 0);
        for choice in PixelFormatChoice::ALL {
            let out = converted(&input, *choice);
            let to = out.format().unwrap();
            // As if what is read had been stored directly.
            let mut expected = Image::constant(300, 1, to, read).unwrap();
            if choice.is_opaque() {
                expected.fill([read[0], read[1], read[2], 1.0]);
            }
            for x in [0, 255, 256, 299] {
                for (a, b) in out.sample(x, 0).into_iter().zip(expected.sample(x, 0)) {
                    assert!((a - b).abs() <= step(to, b) * 0.01, "{format} to {choice}: {a} {b}");
                }
            }
        }
    }
}

#[test]
fn fixed_formats_clamp_and_floats_do_not() {
    let input = Image::constant(2, 1, PixelFormat::R32G32B32A32_SFLOAT, [-1.5, 8.0, 0.5, -3.0]).unwrap();
    for (choice, expected) in [
        (PixelFormatChoice::Rgba8Fixed, [0.0, 1.0, 128.0 / 255.0, 0.0]),
        (PixelFormatChoice::Rgba16Fixed, [0.0, 1.0, 32768.0 / 65535.0, 0.0]),
        (PixelFormatChoice::Rgb10A2Fixed, [0.0, 1.0, 512.0 / 1023.0, 0.0]),
        (PixelFormatChoice::Rgba16Float, [-1.5, 8.0, 0.5, -3.0]),
        (PixelFormatChoice::Rgba32Float, [-1.5, 8.0, 0.5, -3.0]),
        (PixelFormatChoice::Rgba11Float, [0.0, 8.0, 0.5, 1.0]),
        (PixelFormatChoice::Rgb32Float, [-1.5, 8.0, 0.5, 1.0]),
        (PixelFormatChoice::Rgb16Float, [-1.5, 8.0, 0.5, 1.0]),
        (PixelFormatChoice::Mono32Float, [-1.5, -1.5, -1.5, 1.0]),
        (PixelFormatChoice::A32Float, [0.0, 0.0, 0.0, -3.0]),
        (PixelFormatChoice::MonoAlpha16Float, [-1.5, -1.5, -1.5, -3.0]),
    ] {
        assert_eq!(converted(&input, choice).sample(1, 0), expected, "{choice}");
    }
}

#[test]
fn nearest_doubles_and_halves() {
    let input = gray(2, 2, &[1, 2, 3, 4]);
    let doubled = resized(&input, (4, 4), Smoothness::Nearest);
    assert_eq!(doubled.pixels(), [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
    assert_eq!(resized(&doubled, (2, 2), Smoothness::Nearest), input);
    assert_eq!(resized(&gray(5, 1, &[1, 2, 3, 4, 5]), (3, 1), Smoothness::Nearest).pixels(), [1, 3, 5]);
    for format in PixelFormat::ALL {
        let input = random(3, 2, format, 7);
        let out = resized(&input, (6, 4), Smoothness::Nearest);
        let each = format.bytes_per_pixel().unwrap();
        for y in 0..4 {
            for x in 0..6 {
                let at = |image: &Image, x: usize, y: usize| {
                    image.pixels()[y * image.stride() + x * each..][..each].to_vec()
                };
                assert_eq!(at(&out, x, y), at(&input, x / 2, y / 2), "{format}");
            }
        }
    }
}

#[test]
fn floats_of_32_bits_are_always_nearest() {
    for format in [
        PixelFormat::R32_SFLOAT,
        PixelFormat::R32G32_SFLOAT,
        PixelFormat::R32G32B32A32_SFLOAT,
        PixelFormat::A32_SFLOAT,
        PixelFormat::R32A32_SFLOAT,
    ] {
        let input = random(5, 5, format, 3);
        let nearest = resized(&input, (8, 3), Smoothness::Nearest);
        for smoothness in [Smoothness::Linear, Smoothness::Mipmap] {
            assert_eq!(resized(&input, (8, 3), smoothness).pixels(), nearest.pixels());
            let bytes = custom((8, 3), smoothness, PixelFormatChoice::Rgba8Fixed);
            let expected = converted(&nearest, PixelFormatChoice::Rgba8Fixed);
            assert_eq!(apply(&input, &bytes), expected);
        }
    }
}

#[test]
fn linear_is_between_the_four_around() {
    // Twice as large: at 1/4 and 3/4 between two, and as the edge beyond it.
    let out = resized(&gray(2, 1, &[0, 200]), (4, 1), Smoothness::Linear);
    assert_eq!(out.pixels(), [0, 50, 150, 200]);
    let out = resized(&gray(2, 2, &[0, 80, 160, 240]), (4, 4), Smoothness::Linear);
    assert_eq!(out.pixels(), [0, 20, 60, 80, 40, 60, 100, 120, 120, 140, 180, 200, 160, 180, 220, 240]);
    // A half is the mean of each four.
    let out = resized(&gray(4, 2, &[0, 10, 50, 60, 20, 30, 70, 80]), (2, 1), Smoothness::Linear);
    assert_eq!(out.pixels(), [15, 65]);
    // Rounded once, to the nearest: 0.5 upwards.
    assert_eq!(resized(&gray(2, 2, &[0, 0, 0, 2]), (1, 1), Smoothness::Linear).pixels(), [1]);
    assert_eq!(resized(&gray(2, 2, &[0, 0, 0, 1]), (1, 1), Smoothness::Linear).pixels(), [0]);
    // A quarter looks at the middle two only, as a GPU does.
    let out = resized(&gray(4, 1, &[255, 10, 30, 255]), (1, 1), Smoothness::Linear);
    assert_eq!(out.pixels(), [20]);
}

#[test]
fn mipmap_weighs_in_every_pixel() {
    let out = resized(&gray(4, 1, &[255, 10, 30, 105]), (1, 1), Smoothness::Mipmap);
    assert!((99..=101).contains(&out.pixels()[0]), "{:?}", out.pixels());
    // A power of two is the exact mean, in halves, of as many.
    let input = random(64, 64, PixelFormat::R16G16B16A16_SFLOAT, 5);
    let mut finite = converted(&input, PixelFormatChoice::Rgba16Fixed);
    finite = converted(&finite, PixelFormatChoice::Rgba16Float);
    let out = resized(&finite, (8, 8), Smoothness::Mipmap);
    let mut sum = 0.0;
    for y in 8..16 {
        for x in 24..32 {
            sum += finite.sample(x, y)[2];
        }
    }
    assert!((out.sample(3, 1)[2] - sum / 64.0).abs() < 0.001);
    // One bright pixel is never lost, whatever the ratio, and the mean stays about the same.
    for (width, to) in [(30, 10), (50, 7), (19, 10), (1000, 3), (33, 32), (32_767, 1), (8190, 64)] {
        let mut bytes = vec![0; width];
        bytes[width / 2] = 255;
        bytes[width / 2 + 1] = 255;
        let input = gray(width, 1, &bytes);
        let wide = custom((to, 1), Smoothness::Mipmap, PixelFormatChoice::Mono32Float);
        let input = converted(&input, PixelFormatChoice::Mono16Float);
        let out = apply(&input, &wide);
        let sum: f32 = (0..to).map(|x| out.sample(x, 0)[0]).sum();
        let expected = 2.0 * to as f32 / width as f32;
        assert!((sum / expected - 1.0).abs() < 0.25, "{width} to {to}: {sum} of {expected}");
    }
    // Larger one way and smaller the other.
    let out = resized(&gray(4, 1, &[0, 100, 100, 200]), (2, 2), Smoothness::Mipmap);
    assert_eq!(out.pixels(), [50, 150, 50, 150]);
}

#[test]
fn growing_is_the_same_with_mipmaps() {
    for format in [PixelFormat::R8_UNORM, PixelFormat::R8A8_UNORM, PixelFormat::R8G8B8A8_UNORM] {
        let input = random(9, 5, format, 2);
        assert_eq!(
            resized(&input, (20, 11), Smoothness::Linear),
            resized(&input, (20, 11), Smoothness::Mipmap)
        );
    }
}

#[test]
fn srgb_is_mixed_as_light() {
    let mut input = Image::default();
    let bytes = [255, 255, 255, 255, 0, 0, 0, 255];
    input.shape(2, 1, PixelFormat::R8G8B8A8_SRGB).unwrap().copy_from_slice(&bytes);
    for smoothness in [Smoothness::Linear, Smoothness::Mipmap] {
        // Half of the light is 188, and not 128.
        assert_eq!(resized(&input, (1, 1), smoothness).pixels(), [188, 188, 188, 255]);
    }
    // Another format keeps the light.
    let input = Image::constant(1, 1, PixelFormat::B8G8R8A8_SRGB, [0.5, 0.25, 0.0, 1.0]).unwrap();
    let bytes = converted(&input, PixelFormatChoice::Rgba8Fixed);
    assert_eq!(
        (bytes.format().unwrap(), bytes.pixels()),
        (PixelFormat::R8G8B8A8_UNORM, &[128, 64, 0, 255][..])
    );
    assert_eq!(converted(&bytes, PixelFormatChoice::Srgba8Fixed).pixels(), [188, 137, 0, 255]);
}

/// Bytes of another numbering, which nobody makes today: GL_BGR of bytes.
#[test]
fn old_pixels_become_those_of_today() {
    let legacy = LegacyFormat { data_format: 0x80e0, data_type: 0x1401, pixel_format: 0x8051 };
    let mut input = Image::default();
    input.shape(2, 1, legacy).unwrap().copy_from_slice(&[1, 2, 3, 101, 102, 103]);
    let settings = ShapeSettings::pass_through();
    assert!(!settings.is_identity(&input));
    let out = apply(&input, &settings);
    assert_eq!(
        (out.format().unwrap(), out.pixels()),
        (PixelFormat::R8G8B8A8_UNORM, &[3, 2, 1, 255, 103, 102, 101, 255][..])
    );
    for smoothness in [Smoothness::Linear, Smoothness::Mipmap] {
        assert_eq!(resized(&input, (1, 1), smoothness).pixels(), [53, 52, 51, 255]);
    }
    assert_eq!(resized(&input, (4, 1), Smoothness::Nearest).pixels()[..8], [3, 2, 1, 255, 3, 2, 1, 255]);
    input.fill([1.0, 0.0, 0.0, 1.0]);
    assert_eq!(input.pixels(), [255, 0, 0, 255, 255, 0, 0, 255]);
}

#[test]
fn what_would_be_too_large_is_refused() {
    let input = Image::constant(8192, 1, PixelFormat::R8_UNORM, [1.0; 4]).unwrap();
    let settings = ShapeSettings {
        resolution: (32_768, 32_768),
        ..custom((32_768, 32_768), Smoothness::Linear, PixelFormatChoice::Rgba16Fixed)
    };
    let mut out = Image::default();
    let error = Shaper::default().apply(&input, &settings, &mut out).unwrap_err();
    assert!(matches!(error, ImageError::TooLarge { bytes: 8_589_934_592, .. }), "{error}");
    assert_eq!(out, Image::default());
}

#[test]
fn infinite_numbers_stay() {
    let input = Image::constant(3, 3, PixelFormat::R16_SFLOAT, [f32::INFINITY; 4]).unwrap();
    assert_eq!(resized(&input, (7, 2), Smoothness::Linear).sample(6, 1)[0], f32::INFINITY);
}

/// The sampler once more, as slowly and plainly as it can be said.
fn slow_linear(input: &Image, to: (usize, usize), x: usize, y: usize) -> [f64; 4] {
    let place = |index: usize, from: usize, to: usize| {
        let middle = (index as f64 + 0.5) * from as f64 / to as f64 - 0.5;
        let middle = middle.clamp(0.0, from as f64 - 1.0);
        (middle.floor() as usize, middle.fract())
    };
    let (left, right) = place(x, input.width(), to.0);
    let (lower, upper) = place(y, input.height(), to.1);
    let mut sum = [0.0; 4];
    for (y, share) in [(lower, 1.0 - upper), (lower + 1, upper)] {
        for (x, part) in [(left, 1.0 - right), (left + 1, right)] {
            for (sum, value) in sum.iter_mut().zip(input.sample(x, y)) {
                *sum += f64::from(value) * share * part;
            }
        }
    }
    sum
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn linear_equals_the_slow_one(
        from in (1_usize..40, 1_usize..40),
        to in (1_usize..40, 1_usize..40),
        format in prop::sample::select(vec![
            PixelFormat::R8_UNORM, PixelFormat::R8G8_UNORM, PixelFormat::R8G8B8A8_UNORM, PixelFormat::B8G8R8A8_UNORM,
            PixelFormat::R16_UNORM, PixelFormat::R16G16B16A16_UNORM, PixelFormat::A2B10G10R10_UNORM_PACK32,
            PixelFormat::R16A16_UNORM, PixelFormat::A8_UNORM,
        ]),
        seed in any::<u64>(),
    ) {
        let input = random(from.0, from.1, format, seed);
        let out = resized(&input, to, Smoothness::Linear);
        let kind = Texels::Format(format).kind().unwrap();
        // Half a step for storing it, two bits of alpha beside ten, and weights of 8 bits with bytes.
        let wide = 0.5 / ((1_u32 << kind.bits) as f64 - 1.0) + if kind.bits == 8 { 2.0 / 256.0 } else { 1e-5 };
        for y in 0..to.1 {
            for x in 0..to.0 {
                let expected = slow_linear(&input, to, x, y);
                let alpha = if kind.bits == 10 { 0.5 / 3.0 + 1e-5 } else { wide };
                for ((a, b), wide) in out.sample(x, y).into_iter().zip(expected).zip([wide, wide, wide, alpha]) {
                    prop_assert!((f64::from(a) - b).abs() <= wide, "{from:?} {to:?} ({x}, {y}): {a} {b}");
                }
            }
        }
    }

    /// Nothing comes out that is beyond what went in.
    #[test]
    fn mipmap_stays_in_range(
        from in (1_usize..200, 1_usize..60),
        to in (1_usize..60, 1_usize..60),
        low in 0_u8..100,
        seed in any::<u64>(),
    ) {
        let mut input = random(from.0, from.1, PixelFormat::R8G8_UNORM, seed);
        input.pixels_mut().iter_mut().for_each(|byte| *byte = low + *byte % 100);
        let out = resized(&input, to, Smoothness::Mipmap);
        prop_assert!(out.pixels().iter().all(|byte| (low..low + 100).contains(byte)));
    }

    /// What a shaper kept of other images changes nothing.
    #[test]
    fn a_used_shaper_is_as_good_as_a_new_one(
        jobs in prop::collection::vec(
            (
                (1_usize..40, 1_usize..40),
                (1_usize..40, 1_usize..40),
                prop::sample::select(&PixelFormat::ALL[..]),
                prop::sample::select(Smoothness::ALL),
                prop::sample::select(PixelFormatChoice::ALL),
            ),
            1..12,
        ),
    ) {
        let (mut shaper, mut out) = (Shaper::default(), Image::default());
        for (from, to, format, smoothness, choice) in jobs {
            let input = random(from.0, from.1, format, 11);
            let settings = custom(to, smoothness, choice);
            shaper.apply(&input, &settings, &mut out).unwrap();
            let new = apply(&input, &settings);
            prop_assert_eq!(out.pixels(), new.pixels());
        }
    }
}
