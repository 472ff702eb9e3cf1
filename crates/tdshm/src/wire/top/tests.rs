#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]
use super::*;
use proptest::prelude::*;

/// A golden file, made by hand: see the text beside it.
fn golden(case: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    std::fs::read(folder.join(case).with_extension("bin")).unwrap()
}

fn read(bytes: &[u8]) -> Result<TopLayout, BlockError> {
    check(&bytes[..bytes.len().min(COLOUR_HEADER_BYTES)], bytes.len())
}

fn good() -> TopHeader {
    let (bytes, _) = plan(4, 3, PixelFormat::R8G8B8A8_UNORM, HeaderVersion::V2, (1.0, 1.0), None).unwrap();
    TopHeader::read_from_bytes(bytes.as_slice()).unwrap()
}

fn good_legacy() -> LegacyHeader {
    let format = PixelFormat::R8G8B8A8_UNORM;
    let (bytes, _) = plan(4, 3, format, HeaderVersion::Legacy, (1.0, 1.0), None).unwrap();
    LegacyHeader::read_from_bytes(bytes.as_slice()).unwrap()
}

#[test]
fn bytes_made_by_hand_are_read_and_written() {
    let texels = Texels::Format;
    let layout = |width, height, texels, version, data_at, data_bytes| TopLayout {
        width,
        height,
        aspect: (1.0, 1.0),
        texels,
        version,
        data_at,
        data_bytes,
        colour: None,
    };
    let (v1, v2, old) = (HeaderVersion::V1, HeaderVersion::V2, HeaderVersion::Legacy);
    let bgra = LegacyFormat { data_format: 0x80e1, data_type: 0x1401, pixel_format: 0x8058 };
    let luminance = LegacyFormat { data_format: 0x1909, data_type: 0x1403, pixel_format: 0x8042 };
    // Whether a block of ours is just that.
    let cases = [
        ("9-version-1", layout(2, 2, texels(PixelFormat::R8G8B8A8_UNORM), v1, 48, 16), true),
        (
            "9-version-2",
            TopLayout {
                aspect: (2.0, 0.5),
                colour: Some(TopColour { primaries: 2, transfer: 1 }),
                ..layout(3, 1, texels(PixelFormat::R16A16_SFLOAT), v2, 56, 12)
            },
            true,
        ),
        ("9-legacy-bgra", layout(2, 1, Texels::Legacy(bgra), old, 40, 8), true),
        ("9-legacy-luminance", layout(1, 2, Texels::Legacy(luminance), old, 44, 4), false),
        ("9-offset-44", layout(1, 3, texels(PixelFormat::R8_UNORM), v2, 44, 3), false),
        ("9-slot", layout(1, 2, texels(PixelFormat::R16_UNORM), v1, 64, 4), false),
        ("9-unknown-format", layout(7, 5, texels(PixelFormat::from_number(0xf0009)), v1, 48, 6), false),
    ];
    for (case, expected, ours) in cases {
        let bytes = golden(case);
        assert_eq!(read(&bytes), Ok(expected), "{case}");
        assert!(!is_blank(&bytes), "{case}");
        if ours {
            let TopLayout { width, height, aspect, texels, version, colour, .. } = expected;
            let format = texels.format().unwrap();
            let (header, planned) = plan(width, height, format, version, aspect, colour).unwrap();
            assert_eq!(header.as_slice(), &bytes[..expected.data_at], "{case}");
            assert_eq!(planned, expected, "{case}");
        }
    }
    let (_, v1) = plan(1, 2, PixelFormat::R16_UNORM, v1, (1.0, 1.0), None).unwrap();
    let (header, placed) = place(&v1, 64).unwrap();
    assert_eq!((header.as_slice(), placed.data_at), (&golden("9-slot")[..48], 64));
}

#[test]
fn each_rule_names_its_field() {
    let field = |change: fn(&mut TopHeader), mapped: usize| {
        let mut header = good();
        change(&mut header);
        check(header.as_bytes(), mapped).unwrap_err().field
    };
    assert_eq!(field(|h| h.magic.set(0x12ed_54cf), 4096), "magic");
    assert_eq!(field(|h| h.version.set(0), 4096), "version");
    assert_eq!(field(|h| h.version.set(-1), 4096), "version");
    assert_eq!(field(|h| h.width.set(0), 4096), "width");
    assert_eq!(field(|h| h.width.set(-4), 4096), "width");
    assert_eq!(field(|h| h.width.set(32769), 4096), "width");
    assert_eq!(field(|h| h.height.set(0), 4096), "height");
    assert_eq!(field(|h| h.height.set(i32::MIN), 4096), "height");
    assert_eq!(field(|h| h.height.set(i32::MAX), 4096), "height");
    assert_eq!(field(|h| h.data_size.set(47), 4096), "dataSize");
    assert_eq!(field(|h| h.data_size.set(-48), 4096), "dataSize");
    assert_eq!(field(|h| h.data_size.set(i64::MAX), 4096), "dataSize");
    assert_eq!(field(|h| h.pixel_format.set(9), 4096), "dataSize");
    assert_eq!(field(|h| h.data_offset.set(40), 4096), "dataOffset");
    assert_eq!(field(|h| h.data_offset.set(-56), 4096), "dataOffset");
    assert_eq!(field(|h| h.data_offset.set(58), 4096), "dataOffset");
    assert_eq!(field(|h| h.data_offset.set(4100), 4096), "dataOffset");
    assert_eq!(field(|h| h.data_offset.set(4052), 4096), "dataSize");
    assert_eq!(field(|_| (), 103), "dataSize");
    assert_eq!(field(|_| (), 43), "mapped bytes");
    assert!(check(good().as_bytes(), 104).is_ok());

    let field = |change: fn(&mut LegacyHeader), mapped: usize| {
        let mut header = good_legacy();
        change(&mut header);
        check(header.as_bytes(), mapped).unwrap_err().field
    };
    assert_eq!(field(|h| h.version.set(0), 4096), "version");
    assert_eq!(field(|h| h.width.set(0), 4096), "width");
    assert_eq!(field(|h| h.height.set(32769), 4096), "height");
    assert_eq!(field(|h| h.data_offset.set(36), 4096), "dataOffset");
    assert_eq!(field(|h| h.data_offset.set(42), 4096), "dataOffset");
    assert_eq!(field(|h| h.data_offset.set(i32::MAX - 3), 4096), "dataOffset");
    assert_eq!(field(|h| h.data_type.set(0x1406), 4096 - 3905), "width * height * bytes of a pixel");
    assert_eq!(field(|_| (), 87), "width * height * bytes of a pixel");
    assert_eq!(field(|_| (), 39), "mapped bytes");
    assert!(check(good_legacy().as_bytes(), 88).is_ok());
}

#[test]
fn an_error_says_field_value_limit_and_what_to_do() {
    let text = |change: fn(&mut TopHeader)| {
        let mut header = good();
        change(&mut header);
        check(header.as_bytes(), 4096).unwrap_err().to_string()
    };
    assert_eq!(
        text(|h| h.magic.set(0x12ed_54cf)),
        "magic is 0x12ed54cf, and an image block's is 0xd95ef835: something else than an image block lies here"
    );
    assert_eq!(
        text(|h| h.width.set(40000)),
        "width is 40000, and must be at most 32768: the sender writes a wrong header"
    );
    assert_eq!(
        text(|h| h.data_size.set(-1)),
        "dataSize is -1, and width * height * bytes of a pixel are 48: the sender writes a wrong header"
    );
    assert_eq!(
        text(|h| h.data_offset.set(4052)),
        "dataSize is 48, and the mapped bytes behind dataOffset are only 44: the sender writes a wrong header"
    );
}

#[test]
fn later_versions_are_read_as_the_one_with_colour() {
    let mut header = good();
    header.version.set(7);
    let layout = check(header.as_bytes(), 104).unwrap();
    assert_eq!((layout.version, layout.colour), (HeaderVersion::V2, Some(TopColour::LINEAR)));
    header.version.set(1);
    let layout = check(header.as_bytes(), 104).unwrap();
    assert_eq!((layout.version, layout.colour), (HeaderVersion::V1, None));
    let mut header = good_legacy();
    header.version.set(3);
    assert!(check(header.as_bytes(), 88).is_ok());
}

#[test]
fn pixels_among_the_fields_of_colour_leave_none() {
    let colour = |data_at| {
        let mut header = good();
        header.data_offset.set(data_at);
        check(header.as_bytes(), 4096).unwrap().colour
    };
    assert_eq!([44, 48, 52].map(colour), [None, None, Some(TopColour::LINEAR)]);
}

#[test]
fn unknown_pixels_are_bounded_by_what_is_said_and_mapped() {
    let with = |number, size, mapped| {
        let mut header = good();
        header.pixel_format.set(number);
        header.data_size.set(size);
        check(header.as_bytes(), mapped)
    };
    assert_eq!(with(1000, 5, 104).unwrap().data_bytes, 5);
    assert_eq!(with(1000, 0, 56).unwrap().data_bytes, 0);
    assert_eq!(with(1000, 5, 104).unwrap().texels.bytes_per_pixel(), None);
    assert_eq!(with(1000, 49, 104).unwrap_err().field, "dataSize");
    assert_eq!(with(1000, i64::MAX, 104).unwrap_err().field, "dataSize");
    assert_eq!(with(1000, -1, 104).unwrap_err().field, "dataSize");
    let mut header = good_legacy();
    header.data_type.set(0x1405);
    let layout = check(header.as_bytes(), 4096).unwrap();
    assert_eq!((layout.data_at, layout.data_bytes), (40, 4056));
}

#[test]
fn images_beyond_2_gib() {
    let format = PixelFormat::R32G32B32A32_SFLOAT;
    let (header, layout) = plan(32768, 32768, format, HeaderVersion::V1, (1.0, 1.0), None).unwrap();
    assert_eq!(layout.data_bytes, 1 << 34);
    assert_eq!(check(header.as_slice(), (1 << 34) + 48), Ok(layout));
    assert_eq!(check(header.as_slice(), (1 << 34) + 47).unwrap_err().field, "dataSize");
    let (_, legacy) = plan(32768, 32768, format, HeaderVersion::Legacy, (1.0, 1.0), None).unwrap();
    assert_eq!(legacy.data_bytes, 1 << 34);
    let last = usize::try_from(i32::MAX).unwrap() - 3;
    let (header, placed) = place(&layout, last).unwrap();
    assert_eq!(check(header.as_slice(), (1 << 34) + last), Ok(placed));
    assert_eq!(place(&layout, last + 4).unwrap_err().field, "dataOffset");
}

#[test]
fn a_sender_refuses_what_no_block_can_say() {
    let rgba8 = PixelFormat::R8G8B8A8_UNORM;
    let field = |width, height, format, version, aspect, colour| {
        plan(width, height, format, version, aspect, colour).unwrap_err().field
    };
    let (v1, old) = (HeaderVersion::V1, HeaderVersion::Legacy);
    assert_eq!(field(0, 1, rgba8, v1, (1.0, 1.0), None), "width");
    assert_eq!(field(1, 32769, rgba8, v1, (1.0, 1.0), None), "height");
    assert_eq!(field(usize::MAX, 1, rgba8, v1, (1.0, 1.0), None), "width");
    assert_eq!(field(1, 1, PixelFormat::from_number(1), v1, (1.0, 1.0), None), "pixelFormat");
    assert_eq!(field(1, 1, PixelFormat::B10G11R11_UFLOAT_PACK32, old, (1.0, 1.0), None), "pixelFormat");
    assert_eq!(field(1, 1, rgba8, v1, (f32::NAN, 1.0), None), "aspectx");
    assert_eq!(field(1, 1, rgba8, v1, (1.0, 0.0), None), "aspecty");
    assert_eq!(field(1, 1, rgba8, v1, (1.0, 1.0), Some(TopColour::SRGB)), "version");
    assert_eq!(field(1, 1, rgba8, old, (1.0, 1.0), Some(TopColour::SRGB)), "version");
    let (_, layout) = plan(1, 1, rgba8, HeaderVersion::V2, (1.0, 1.0), None).unwrap();
    assert_eq!(place(&layout, 52).unwrap_err().field, "dataOffset");
    assert_eq!(place(&layout, 58).unwrap_err().field, "dataOffset");
    assert!(place(&layout, 60).is_ok());
}

#[test]
fn colour_of_version_2_follows_the_format_unless_it_is_given() {
    let colour =
        |format, colour| plan(1, 1, format, HeaderVersion::V2, (1.0, 1.0), colour).unwrap().1.colour.unwrap();
    assert_eq!(colour(PixelFormat::R8G8B8A8_SRGB, None), TopColour::SRGB);
    assert_eq!(colour(PixelFormat::R8G8B8A8_UNORM, None), TopColour::LINEAR);
    let other = TopColour { primaries: 7, transfer: 9 };
    assert_eq!(colour(PixelFormat::R8G8B8A8_UNORM, Some(other)), other);
}

#[test]
fn nothing_written_is_blank() {
    assert!(is_blank(&[]) && is_blank(&[0; 56]));
    let mut bytes = [0; 56];
    bytes[48] = 1; // a pixel
    assert!(is_blank(&bytes));
    bytes[39] = 1;
    assert!(!is_blank(&bytes));
}

proptest! {
    #[test]
    fn whatever_the_bytes_a_checked_layout_lies_inside(
        bytes in any::<[u8; COLOUR_HEADER_BYTES]>(),
        kind in 0..3,
        small in any::<bool>(),
        format in proptest::sample::select(PixelFormat::ALL.to_vec()),
        len in 0..=COLOUR_HEADER_BYTES,
        mapped in 0_usize..100_000,
    ) {
        let mut bytes = bytes;
        match kind {
            0 => {
                let (header, _) = TopHeader::mut_from_prefix(&mut bytes).unwrap();
                header.magic.set(MAGIC);
                if small {
                    header.version.set(header.version.get() & 3);
                    header.width.set(header.width.get() & 0xff);
                    header.height.set(header.height.get() & 0xff);
                    header.pixel_format.set(format.number());
                    let each: i64 = format.bytes_per_pixel().unwrap().try_into().unwrap();
                    header.data_size.set(i64::from(header.width.get()) * i64::from(header.height.get()) * each);
                    header.data_offset.set(header.data_offset.get() & 0xfffc);
                }
            }
            1 => {
                let (header, _) = LegacyHeader::mut_from_prefix(&mut bytes).unwrap();
                header.magic.set(top_legacy::MAGIC);
                if small {
                    header.version.set(header.version.get() & 3);
                    header.width.set(header.width.get() & 0xff);
                    header.height.set(header.height.get() & 0xff);
                    header.data_offset.set(header.data_offset.get() & 0xfffc);
                    if let Some(legacy) = LegacyFormat::of(format) {
                        header.data_format.set(legacy.data_format);
                        header.data_type.set(legacy.data_type);
                    }
                }
            }
            _ => {}
        }
        let seen = &bytes[..if small { COLOUR_HEADER_BYTES.min(mapped) } else { len }];
        if let Ok(layout) = check(seen, mapped) {
            let least = if layout.version == HeaderVersion::Legacy { 40 } else { 44 };
            prop_assert!(layout.data_at >= least);
            prop_assert!(layout.data_at % 4 == 0);
            prop_assert!(layout.data_at + layout.data_bytes <= mapped);
            prop_assert!((1..=32768).contains(&layout.width) && (1..=32768).contains(&layout.height));
            if let Some(row) = layout.row_bytes() {
                prop_assert_eq!(row * layout.height, layout.data_bytes);
            }
            prop_assert!(layout.colour.is_none() || layout.data_at >= COLOUR_END);
        }
    }

    #[test]
    fn what_is_planned_and_placed_is_read_back(
        width in 1_usize..=32768,
        height in 1_usize..=32768,
        format in proptest::sample::select(PixelFormat::ALL.to_vec()),
        version in proptest::sample::select(vec![HeaderVersion::Legacy, HeaderVersion::V1, HeaderVersion::V2]),
        aspect in (0.01_f32..100.0, 0.01_f32..100.0),
        slot in 14_usize..1 << 20,
    ) {
        match plan(width, height, format, version, aspect, None) {
            Err(error) => {
                prop_assert_eq!(error.field, "pixelFormat");
                prop_assert!(LegacyFormat::of(format).is_none());
            }
            Ok((header, layout)) => {
                prop_assert_eq!(layout.texels.format(), Some(format));
                prop_assert_eq!(header.as_slice().len(), layout.data_at);
                prop_assert_eq!(check(header.as_slice(), layout.data_at + layout.data_bytes), Ok(layout));
                let (header, placed) = place(&layout, slot * 4).unwrap();
                prop_assert_eq!(check(header.as_slice(), slot * 4 + layout.data_bytes), Ok(placed));
            }
        }
    }
}
