//! Conversions of pixels, on one core, against a copy of the bytes that they read.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that fails stops"
)]

use std::hint::black_box;
use std::time::Instant;

use tdshm::{Convert, Encoding, PixelFormat, RowOrder};
use tdshm_bench::{goal, median, pairs, row};

const WIDTH: usize = 1920;
const HEIGHT: usize = 1080;
const RUNS: usize = 9;

fn main() {
    row("# 1920 x 1080 pixels", "baseline: memcpy of the bytes that are read");
    for format in PixelFormat::ALL {
        let convert = Convert::new(format, WIDTH, HEIGHT);
        let source = pixels(format);
        let rate = measure("RGBA8", &source, format, 0, |from, to| convert.to_rgba8(from, to).unwrap());
        if format == PixelFormat::R32G32B32A32_SFLOAT {
            goal("R32G32B32A32_SFLOAT to RGBA8", rate >= 1.0, "at least 1 GB/s of input");
        }
        measure("RGBA16", &source, format, 0, |from, to| convert.to_rgba16(from, to).unwrap());
        measure("RGBA32F", &source, format, 0.0, |from, to| convert.to_rgba32f(from, to).unwrap());
    }

    row("# the same, turned upside down", "");
    for format in [PixelFormat::R8G8B8A8_UNORM, PixelFormat::R32G32B32A32_SFLOAT] {
        let convert = Convert::new(format, WIDTH, HEIGHT).rows(RowOrder::BottomFirst, RowOrder::TopFirst);
        measure("RGBA8", &pixels(format), format, 0, |from, to| convert.to_rgba8(from, to).unwrap());
    }

    row("# the same, with a change of encoding", "");
    let to_linear = Convert::new(PixelFormat::R8G8B8A8_SRGB, WIDTH, HEIGHT).encode_as(Encoding::Linear);
    let source = pixels(PixelFormat::R8G8B8A8_SRGB);
    measure("RGBA32F, linear", &source, PixelFormat::R8G8B8A8_SRGB, 0.0, |from, to| {
        to_linear.to_rgba32f(from, to).unwrap();
    });
    for format in
        [PixelFormat::R16G16B16A16_UNORM, PixelFormat::R16G16B16A16_SFLOAT, PixelFormat::R32G32B32A32_SFLOAT]
    {
        let source = pixels(format);
        let stored = Convert::new(format, WIDTH, HEIGHT).stored_as(Encoding::Srgb);
        let (to_linear, to_srgb) = (
            stored.encode_as(Encoding::Linear),
            stored.stored_as(Encoding::Linear).encode_as(Encoding::Srgb),
        );
        measure("RGBA16, linear", &source, format, 0, |from, to| to_linear.to_rgba16(from, to).unwrap());
        measure("RGBA32F, linear", &source, format, 0.0, |from, to| to_linear.to_rgba32f(from, to).unwrap());
        measure("RGBA16, sRGB", &source, format, 0, |from, to| to_srgb.to_rgba16(from, to).unwrap());
        measure("RGBA32F, sRGB", &source, format, 0.0, |from, to| to_srgb.to_rgba32f(from, to).unwrap());
    }
    for format in [PixelFormat::R16G16B16A16_SFLOAT, PixelFormat::R32G32B32A32_SFLOAT] {
        let to_srgb = Convert::new(format, WIDTH, HEIGHT).encode_as(Encoding::Srgb);
        measure("RGBA8, sRGB", &pixels(format), format, 0, |from, to| {
            to_srgb.to_rgba8(from, to).unwrap();
        });
    }
}

/// Numbers from 0 to 1 in most formats, all of them different ones.
fn pixels(format: PixelFormat) -> Vec<u8> {
    let bytes = WIDTH * HEIGHT * format.bytes_per_pixel().unwrap();
    let count = u16::try_from(WIDTH * 4).unwrap();
    match format.name().unwrap() {
        name if name.ends_with("SFLOAT") && name.contains("32") => {
            let floats = (0..count).cycle().map(|n| f32::from(n) / f32::from(count));
            floats.flat_map(f32::to_le_bytes).take(bytes).collect()
        }
        name if name.ends_with("SFLOAT") => {
            (0..0x3c00_u16).cycle().flat_map(u16::to_le_bytes).take(bytes).collect()
        }
        _ => (0..=255).cycle().take(bytes).collect(),
    }
}

/// Prints the ratio to memcpy and the input's GB/s, which it gives.
fn measure<T: Copy>(
    target: &str,
    source: &[u8],
    format: PixelFormat,
    zero: T,
    mut convert: impl FnMut(&[u8], &mut [T]),
) -> f64 {
    let mut copy = vec![0; source.len()];
    let mut rgba = vec![zero; WIDTH * HEIGHT * 4];
    let name = format!("{format} to {target}");
    pairs(
        &name,
        RUNS,
        1,
        || black_box(&mut copy).copy_from_slice(black_box(source)),
        || convert(black_box(source), black_box(&mut rgba)),
    );
    let times = (0..RUNS).map(|_| {
        let begin = Instant::now();
        convert(black_box(source), black_box(&mut rgba));
        begin.elapsed().as_secs_f64()
    });
    let rate = source.len() as f64 / median(times.collect()) / 1e9;
    row("", &format!("{rate:.2} GB/s of input"));
    rate
}
