//! The tables of operators §1.6, typed again by hand, and images.
#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]

use std::collections::HashSet;

use proptest::prelude::*;
use tdshm::{LegacyFormat, PixelFormat, Texels};

use super::*;

fn names(menu: Menu) -> String {
    menu.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
}

fn labels(menu: Menu) -> String {
    menu.iter().map(|(_, label)| *label).collect::<Vec<_>>().join(", ")
}

#[test]
fn menus_are_those_of_the_page() {
    assert_eq!(
        names(OutputResolution::MENU),
        "useinput eighth quarter half 2x 4x 8x fit limit custom parpanel"
    );
    assert_eq!(
        labels(OutputResolution::MENU),
        "Use Input, Eighth, Quarter, Half, 2X, 4X, 8X, Fit Resolution, Limit Resolution, Custom Resolution, \
         Parent Panel Size"
    );
    assert_eq!(names(OutputAspect::MENU), "useinput resolution custom");
    assert_eq!(labels(OutputAspect::MENU), "Use Input, Resolution, Custom Aspect");
    assert_eq!(names(Smoothness::MENU), "nearest linear mipmap");
    assert_eq!(labels(Smoothness::MENU), "Nearest Pixel, Interpolate Pixels, Mipmap Pixels");
    assert_eq!(names(VIEWER_SMOOTHNESS), "useinput nearest linear mipmap");
    assert_eq!(names(FillMode::MENU), "useinput fill width height best outside nativeres");
    assert_eq!(
        labels(FillMode::MENU),
        "Use Input, Fill, Fit Horizontal, Fit Vertical, Fit Best, Fit Outside, Native Resolution"
    );
    assert_eq!(names(DownloadType::MENU), "immediate nextframe");
    assert_eq!(labels(DownloadType::MENU), "Immediate (Slow), Next frame (Fast)");
    assert_eq!(names(REFERENCE_WHITES), "default sdr hdr ui");
    assert_eq!(names(PARAMETER_REFERENCE_WHITES), "default useparent sdr hdr ui");
    assert_eq!(
        names(INPUT_COLOR_SPACES),
        "automatic srgb srgblinear rec601ntsc rec709 rec709gamma24 rec2020 rec2020st2084pq rec2020hlg dcip3 dcip3d60 \
         displayp3d65 displayp3d65linear aces2065-1 acescg acesproxy passthrough"
    );
    let without: Vec<_> = INPUT_COLOR_SPACES
        .iter()
        .filter(|(name, _)| !["automatic", "rec709gamma24", "displayp3d65linear"].contains(name))
        .copied()
        .collect();
    assert_eq!(OUTPUT_COLOR_SPACES, without);
}

#[test]
fn defaults_are_those_of_the_page() {
    let page = ShapeSettings::default();
    assert_eq!(page.output_resolution.menu_name(), "useinput");
    assert_eq!(page.resolution, (256, 256));
    assert_eq!(page.output_aspect.menu_name(), "resolution");
    assert_eq!(page.aspect, (1.0, 1.0));
    assert_eq!(page.smoothness.menu_name(), "linear");
    assert_eq!(page.format.menu_name(), "rgba8fixed");
    assert_eq!(FillMode::default().menu_name(), "best");
    assert_eq!(DownloadType::default().menu_name(), "nextframe");
    assert_eq!(ChannelMask::default().number(), 15);
}

#[test]
fn names_are_read_and_others_told_what_there_is() {
    for choice in OutputResolution::ALL {
        assert_eq!(choice.menu_name().parse(), Ok(*choice));
    }
    for choice in PixelFormatChoice::ALL {
        assert_eq!(choice.to_string().parse(), Ok(*choice));
    }
    let error = "Linear".parse::<Smoothness>().unwrap_err();
    assert_eq!(error.to_string(), "\"Linear\" is no entry of inputfiltertype: use nearest, linear, mipmap");
}

#[test]
fn sizes_and_aspects_of_the_menus() {
    let sizes = "400x300 640x480 800x600 1024x768 1280x720 1920x1080 1920x1200 3840x2160 4096x2160 256x256 512x512 \
                 1024x1024 2048x2048 4096x4096";
    assert_eq!(names(RESOLUTION_MENU), sizes);
    for (name, _) in RESOLUTION_MENU {
        let (width, height) = resolution_of_menu(name).unwrap();
        assert_eq!(format!("{width}x{height}"), *name);
    }
    assert_eq!(names(ASPECT_MENU), "1:1 4:3 16:9 16:10");
    assert_eq!(ASPECT_MENU.iter().filter_map(|(name, _)| aspect_of_menu(name)).count(), 4);
    assert_eq!(aspect_of_menu("16:10"), Some((16.0, 10.0)));
    assert_eq!((resolution_of_menu("1x1"), aspect_of_menu("2:1")), (None, None));
}

/// The table of pixel formats: name, label, what goes over the wire, whether today's menu has it.
const FORMATS: [(&str, &str, &str, bool); 26] = [
    ("useinput", "Use Input", "", true),
    ("rgba8fixed", "8-bit fixed (RGBA)", "R8G8B8A8_UNORM B8G8R8A8_UNORM", true),
    ("srgba8fixed", "sRGB 8-bit fixed (RGBA)", "R8G8B8A8_SRGB B8G8R8A8_SRGB", false),
    ("rgba16float", "16-bit float (RGBA)", "R16G16B16A16_SFLOAT", true),
    ("rgba32float", "32-bit float (RGBA)", "R32G32B32A32_SFLOAT", true),
    ("rgb10a2fixed", "10-bit RGB, 2-bit Alpha, fixed (RGBA)", "A2B10G10R10_UNORM_PACK32", true),
    ("rgba16fixed", "16-bit fixed (RGBA)", "R16G16B16A16_UNORM", true),
    ("rgba11float", "11-bit float (RGB), Positive Values Only", "B10G11R11_UFLOAT_PACK32", true),
    ("rgb16float", "16-bit float (RGB)", "R16G16B16A16_SFLOAT", false),
    ("rgb32float", "32-bit float (RGB)", "R32G32B32A32_SFLOAT", false),
    ("mono8fixed", "8-bit fixed (Mono)", "R8_UNORM", true),
    ("mono16fixed", "16-bit fixed (Mono)", "R16_UNORM", true),
    ("mono16float", "16-bit float (Mono)", "R16_SFLOAT", true),
    ("mono32float", "32-bit float (Mono)", "R32_SFLOAT", true),
    ("rg8fixed", "8-bit fixed (RG)", "R8G8_UNORM", true),
    ("rg16fixed", "16-bit fixed (RG)", "R16G16_UNORM", true),
    ("rg16float", "16-bit float (RG)", "R16G16_SFLOAT", true),
    ("rg32float", "32-bit float (RG)", "R32G32_SFLOAT", true),
    ("a8fixed", "8-bit fixed (A)", "A8_UNORM", true),
    ("a16fixed", "16-bit fixed (A)", "A16_UNORM", true),
    ("a16float", "16-bit float (A)", "A16_SFLOAT", true),
    ("a32float", "32-bit float (A)", "A32_SFLOAT", true),
    ("monoalpha8fixed", "8-bit fixed (Mono+Alpha)", "R8A8_UNORM", true),
    ("monoalpha16fixed", "16-bit fixed (Mono+Alpha)", "R16A16_UNORM", true),
    ("monoalpha16float", "16-bit float (Mono+Alpha)", "R16A16_SFLOAT", true),
    ("monoalpha32float", "32-bit float (Mono+Alpha)", "R32A32_SFLOAT", true),
];

#[test]
fn pixel_formats_are_those_of_the_table() {
    assert_eq!(PixelFormatChoice::ALL.len(), FORMATS.len());
    for (choice, (name, label, wire, offered)) in PixelFormatChoice::ALL.iter().zip(FORMATS) {
        assert_eq!((choice.menu_name(), choice.label()), (name, label));
        let formats: Vec<_> = choice.wire_formats().iter().map(ToString::to_string).collect();
        assert_eq!(formats.join(" "), wire);
        assert_eq!(choice.is_offered(), offered, "{name}");
        assert_eq!(
            choice.is_opaque(),
            name.starts_with("rgb1") && !name.contains("a2") || name == "rgb32float"
        );
    }
    let offered: Vec<_> = FORMATS.iter().filter(|row| row.3).map(|row| (row.0, row.1)).collect();
    assert_eq!(PixelFormatChoice::OFFERED, offered);
    // Each format of the wire is somebody's.
    for format in PixelFormat::ALL {
        assert!(
            PixelFormatChoice::ALL.iter().any(|choice| choice.wire_formats().contains(&format)),
            "{format}"
        );
    }
}

#[test]
fn the_format_that_comes_out() {
    let of = |choice: PixelFormatChoice, input: Texels| choice.wire_format(input);
    for format in PixelFormat::ALL {
        assert_eq!(of(PixelFormatChoice::UseInput, format.into()), format);
        for choice in &PixelFormatChoice::ALL[1..] {
            let out = of(*choice, format.into());
            let keeps = choice.wire_formats().contains(&format);
            assert_eq!(out, if keeps { format } else { choice.wire_formats()[0] });
        }
    }
    // Blocks from before 2022: GL_BGR and GL_RGB of bytes, shorts, halves, floats, and GL_RED, which is one of today's.
    let legacy = |data_format, data_type| {
        Texels::Legacy(LegacyFormat { data_format, data_type, pixel_format: 0x8058 })
    };
    for (data_type, format) in [
        (0x1401, PixelFormat::R8G8B8A8_UNORM),
        (0x1403, PixelFormat::R16G16B16A16_UNORM),
        (0x140b, PixelFormat::R16G16B16A16_SFLOAT),
        (0x1406, PixelFormat::R32G32B32A32_SFLOAT),
    ] {
        assert_eq!(of(PixelFormatChoice::UseInput, legacy(0x80e0, data_type)), format);
    }
    assert_eq!(of(PixelFormatChoice::UseInput, legacy(0x1903, 0x1401)), PixelFormat::R8_UNORM);
}

#[test]
fn sizes_that_come_out() {
    use OutputResolution as R;
    let rows = [
        (R::UseInput, (1920, 1080), (256, 256), 1.0, (1920, 1080)),
        (R::ParentPanel, (1920, 1080), (256, 256), 1.0, (1920, 1080)),
        (R::Eighth, (1920, 1080), (256, 256), 1.0, (240, 135)),
        (R::Eighth, (15, 7), (256, 256), 1.0, (1, 1)),
        (R::Quarter, (1920, 1080), (256, 256), 1.0, (480, 270)),
        (R::Half, (1921, 1081), (256, 256), 1.0, (960, 540)),
        (R::Half, (1, 1), (256, 256), 1.0, (1, 1)),
        (R::Twice, (3, 5), (256, 256), 1.0, (6, 10)),
        (R::FourTimes, (3, 5), (256, 256), 1.0, (12, 20)),
        (R::EightTimes, (3, 5), (256, 256), 1.0, (24, 40)),
        (R::EightTimes, (32_768, 5), (256, 256), 1.0, (32_768, 40)),
        // Fit grows and shrinks, along either side.
        (R::Fit, (1920, 1080), (1280, 1280), 1.0, (1280, 720)),
        (R::Fit, (1080, 1920), (1280, 1280), 1.0, (720, 1280)),
        (R::Fit, (16, 9), (1920, 1200), 1.0, (1920, 1080)),
        (R::Fit, (9, 16), (1920, 1200), 1.0, (675, 1200)),
        (R::Fit, (4, 4), (4, 4), 1.0, (4, 4)),
        (R::Fit, (3000, 1), (100, 100), 1.0, (100, 1)),
        // Limit never grows.
        (R::Limit, (16, 9), (1920, 1200), 1.0, (16, 9)),
        (R::Limit, (1920, 1080), (1280, 1280), 1.0, (1280, 720)),
        (R::Limit, (100, 300), (200, 200), 1.0, (67, 200)),
        (R::Limit, (256, 256), (256, 256), 1.0, (256, 256)),
        (R::Custom, (1920, 1080), (400, 300), 1.0, (400, 300)),
        (R::Custom, (1920, 1080), (0, usize::MAX), 1.0, (1, 32_768)),
        // The multiplier.
        (R::Custom, (1920, 1080), (401, 300), 0.5, (201, 150)),
        (R::UseInput, (100, 50), (256, 256), 2.0, (200, 100)),
        (R::Custom, (1, 1), (400, 300), 0.0001, (1, 1)),
        (R::Custom, (1, 1), (400, 300), 1e300, (32_768, 32_768)),
        (R::Custom, (1, 1), (400, 300), f64::NAN, (400, 300)),
        (R::Custom, (1, 1), (400, 300), -1.0, (400, 300)),
        (R::UseInput, (0, 0), (0, 0), 1.0, (1, 1)),
    ];
    for (choice, input, resolution, multiplier, expected) in rows {
        let size = output_size(choice, input, resolution, multiplier);
        assert_eq!(size, expected, "{choice} of {input:?} with {resolution:?} times {multiplier}");
    }
    let tried: HashSet<_> = rows.iter().map(|row| row.0).collect();
    assert_eq!(tried.len(), R::ALL.len());
}

#[test]
fn aspects_that_come_out() {
    use OutputAspect as A;
    let hd = (1920, 1080);
    for (choice, size, aspect, output, custom, expected) in [
        (A::Resolution, hd, (2.0, 1.0), hd, (1.0, 1.0), (1.0, 1.0)),
        (A::UseInput, hd, (2.0, 3.0), hd, (1.0, 1.0), (2.0, 3.0)),
        // The picture stays as wide: half as many columns, each twice as wide.
        (A::UseInput, (200, 100), (1.0, 1.0), (100, 100), (1.0, 1.0), (2.0, 1.0)),
        (A::UseInput, (200, 100), (0.0, f32::NAN), (100, 100), (1.0, 1.0), (1.0, 1.0)),
        (A::Custom, hd, (1.0, 1.0), hd, (16.0, 9.0), (1.0, 1.0)),
        (A::Custom, hd, (5.0, 1.0), (100, 100), (4.0, 2.0), (2.0, 1.0)),
        (A::Custom, hd, (1.0, 1.0), hd, (1.0, 0.0), (1.0, 1.0)),
        (A::Custom, hd, (1.0, 1.0), hd, (-1.0, 1.0), (1.0, 1.0)),
        (A::Custom, hd, (1.0, 1.0), hd, (f32::INFINITY, 1.0), (1.0, 1.0)),
    ] {
        assert_eq!(
            output_aspect(choice, size, aspect, output, custom),
            expected,
            "{choice} {size:?} {output:?}"
        );
    }
}

#[test]
fn the_default_is_what_an_in_top_shows_first() {
    let image = Image::default();
    assert_eq!((image.size(), image.format()), ((256, 256), Some(PixelFormat::R8G8B8A8_UNORM)));
    assert_eq!((image.aspect(), image.stride()), ((1.0, 1.0), 1024));
    assert_eq!(image.pixels(), [0, 0, 0, 255].repeat(256 * 256));
}

/// What each format makes of this colour, read again.
#[test]
fn what_formats_lack() {
    let rgba = [1.0, 0.0, 1.0, 0.0];
    for format in PixelFormat::ALL {
        let name = format.to_string();
        let expected = match name.split_once('_').unwrap().0 {
            "R8" | "R16" | "R32" => [1.0, 1.0, 1.0, 1.0],
            "R8G8" | "R16G16" | "R32G32" => [1.0, 0.0, 0.0, 1.0],
            "A8" | "A16" | "A32" => [0.0, 0.0, 0.0, 0.0],
            "R8A8" | "R16A16" | "R32A32" => [1.0, 1.0, 1.0, 0.0],
            "B10G11R11" => [1.0, 0.0, 1.0, 1.0],
            _ => rgba,
        };
        assert_eq!(Image::constant(2, 2, format, rgba).unwrap().sample(1, 1), expected, "{name}");
    }
    for (format, expected) in [
        (PixelFormat::R8G8B8A8_UNORM, [0.0, 1.0, 0.0, 1.0]),
        (PixelFormat::R16G16B16A16_SFLOAT, [-2.0, 7.0, 0.0, 1.0]),
        (PixelFormat::B10G11R11_UFLOAT_PACK32, [0.0, 7.0, 0.0, 1.0]),
    ] {
        assert_eq!(Image::constant(1, 1, format, [-2.0, 7.0, 0.0, 1.0]).unwrap().sample(0, 0), expected);
    }
}

#[test]
fn pixels_have_places_from_the_bottom_left() {
    let mut image = Image::default();
    image.shape(2, 2, PixelFormat::R8_UNORM).unwrap().copy_from_slice(&[0, 51, 102, 255]);
    let red = |x, y| image.sample(x, y)[0];
    assert_eq!([red(0, 0), red(1, 0), red(0, 1), red(1, 1)], [0.0, 0.2, 0.4, 1.0]);
    assert_eq!([red(9, 0), red(0, usize::MAX)], [0.2, 0.4]);
}

#[test]
fn srgb_is_read_and_filled_as_light() {
    for format in [PixelFormat::R8G8B8A8_SRGB, PixelFormat::B8G8R8A8_SRGB] {
        let mut image = Image::constant(3, 1, format, [0.5, 0.25, 0.0, 0.5]).unwrap();
        let [r, g, b, a] = [188, 137, 0, 128];
        let pixel = if format == PixelFormat::R8G8B8A8_SRGB { [r, g, b, a] } else { [b, g, r, a] };
        assert_eq!(image.pixels(), pixel.repeat(3));
        let [red, ..] = image.sample(2, 0);
        assert!((red - 0.5).abs() < 0.003, "{red}");
        image.pixels_mut()[4] = 255;
        assert_eq!(image.sample(1, 0)[if r == pixel[0] { 0 } else { 2 }], 1.0);
    }
}

#[test]
fn shapes_that_are_refused() {
    let mut image = Image::constant(2, 1, PixelFormat::R8_UNORM, [1.0; 4]).unwrap();
    let before = image.clone();
    let rgba = PixelFormat::R32G32B32A32_SFLOAT;
    for ((width, height, format), text) in [
        ((0, 1, rgba), "the width is 0, and it is from 1 to 32768: give one in between"),
        ((1, 32_769, rgba), "the height is 32769, and it is from 1 to 32768: give one in between"),
        ((1 << 31, 1 << 31, rgba), "the width is 2147483648, and it is from 1 to 32768: give one in between"),
        (
            (32_768, 32_768, rgba),
            "32768 x 32768 pixels are 17179869184 bytes, and the limit is 4294967296: make the image smaller, or \
             choose a pixel format of fewer bits",
        ),
        (
            (1, 1, PixelFormat::from_number(7)),
            "the pixel format is 0x7, which is unknown here: use one of TouchDesigner's",
        ),
    ] {
        assert_eq!(image.shape(width, height, format).unwrap_err().to_string(), text);
        assert_eq!(image, before);
    }
}

#[test]
fn shapes_that_stay_stay_in_place() {
    let mut image = Image::default();
    let place = image.pixels().as_ptr();
    image.shape(128, 128, PixelFormat::R32G32B32A32_SFLOAT).unwrap();
    image.shape(1, 1, PixelFormat::R8_UNORM).unwrap();
    image.copy_from(&Image::default());
    assert_eq!(image.pixels().as_ptr(), place);
    assert_eq!(image, Image::default());
}

#[test]
fn masks_select() {
    let (input, worked) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
    assert_eq!(ChannelMask::from_number(15).select(input, worked), worked);
    assert_eq!(ChannelMask::from_number(9).select(input, worked), [5.0, 2.0, 3.0, 8.0]);
    assert_eq!(ChannelMask::from_number(-16).select(input, worked), input);
    assert_eq!(ChannelMask::from_number(0x1f).number(), 15);
}

proptest! {
    #[test]
    fn every_size_can_be_an_image(
        choice in prop::sample::select(OutputResolution::ALL),
        input in (any::<usize>(), 0_usize..70_000),
        resolution in (0_usize..70_000, any::<usize>()),
        multiplier in any::<f64>(),
    ) {
        let (width, height) = output_size(choice, input, resolution, multiplier);
        prop_assert!((1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height));
    }

    #[test]
    fn fitted_sizes_fit(input in (1_usize..5000, 1_usize..5000), resolution in (1_usize..5000, 1_usize..5000)) {
        let (width, height) = output_size(OutputResolution::Fit, input, resolution, 1.0);
        prop_assert!(width <= resolution.0 && height <= resolution.1);
        prop_assert!(width == resolution.0 || height == resolution.1);
        let limited = output_size(OutputResolution::Limit, input, resolution, 1.0);
        prop_assert!(limited == input || limited == (width, height));
        prop_assert!(limited.0 <= input.0 && limited.1 <= input.1);
    }
}
