//! Images through real segments: every format, every way in and out, and the bytes that lie there (wire §9).

use proptest::prelude::*;
use tdshm::{
    Error, HeaderVersion, PixelFormat, Pixels, PixelsMut, RowOrder, SegmentReceiver, Texels, TopColour,
    TopReceiver, TopSender,
};
use tdshm_tests::foreign::{Foreign, Info, Mapping, Names, postfix_of};
use tdshm_tests::foreign_top::{ForeignTop, TopBlock, TopParsed, legacy_header, parse_top, put};
use tdshm_tests::images::Image;
use tdshm_tests::{Scene, golden};

const ORDERS: [RowOrder; 2] = [RowOrder::TopFirst, RowOrder::BottomFirst];

fn other(order: RowOrder) -> RowOrder {
    if order == RowOrder::TopFirst { RowOrder::BottomFirst } else { RowOrder::TopFirst }
}

/// What the sender of this scene has in its data segment.
fn lies_there(scene: &Scene) -> Vec<u8> {
    let names = Names::of(scene.name());
    let postfix = postfix_of(&Mapping::open(&names.info).unwrap());
    Mapping::open(&format!("{}{postfix}", names.data)).unwrap().bytes()
}

fn parsed(scene: &Scene) -> TopParsed {
    parse_top(&lies_there(scene)).expect("the reader by hand accepts it")
}

/// Reads in all ways; `stored` is what the receiver was told.
fn read_all_ways(input: &mut TopReceiver, image: &Image, stored: RowOrder) {
    let frame = input.try_next().unwrap().expect("it is new");
    assert!(image.has(&frame.shape()), "{:?}", frame.shape());
    assert_eq!(frame.row_order(), stored);
    assert_eq!(frame.pixels(), image.bytes(stored));
    assert!(image.is(frame.rows(RowOrder::TopFirst)), "{image:?}");
    assert!(
        frame.rows(RowOrder::BottomFirst).eq(image.bytes(RowOrder::BottomFirst).chunks(image.row_bytes()))
    );
    assert!(input.try_next().unwrap().is_none());
    read_into(input, image, 0, 0);
    read_into(input, image, 5, 3);
    view(input, image, stored);
    assert!(image.is(input.read().unwrap().unwrap().rows(RowOrder::TopFirst)));
}

fn read_into(input: &mut TopReceiver, image: &Image, gap: usize, behind: usize) {
    let stride = image.row_bytes() + gap;
    for order in ORDERS {
        let mut wanted = image.strided(order, stride);
        wanted.extend(vec![0xee; behind]);
        let mut buffer = vec![0xee; wanted.len()];
        let to = match order {
            RowOrder::TopFirst => PixelsMut::top_first(&mut buffer),
            RowOrder::BottomFirst => PixelsMut::bottom_first(&mut buffer),
        };
        let to = if gap == 0 { to } else { to.stride(stride) };
        let shape = input.read_into(to).unwrap().expect("an image");
        assert!(image.has(&shape));
        assert!(buffer == wanted, "{image:?} {order:?}, stride {stride}");
    }
    // One byte too few, and rows that overlap: an error, and nothing is copied.
    let mut short = vec![0xee; (image.height - 1) * stride + image.row_bytes() - 1];
    let error = input.read_into(PixelsMut::top_first(&mut short).stride(stride)).unwrap_err();
    assert!(matches!(&error, Error::Block(error) if error.field == "bytes of the image"), "{error}");
    let narrow = PixelsMut::top_first(&mut short).stride(image.row_bytes() - 1);
    let error = input.read_into(narrow).unwrap_err();
    assert!(matches!(&error, Error::Block(error) if error.field == "stride"), "{error}");
    assert!(short.iter().all(|byte| *byte == 0xee));
}

fn view(input: &mut TopReceiver, image: &Image, stored: RowOrder) {
    let view = input.view().unwrap().expect("an image");
    assert!(image.has(&view.shape()));
    assert!(!view.is_abandoned());
    let mut bytes = vec![0; view.pixels().len()];
    view.pixels().copy_to(&mut bytes);
    assert!(bytes == image.bytes(stored));
    for index in [0, image.height / 2, image.height - 1] {
        for order in ORDERS {
            let mut row = vec![0; image.row_bytes()];
            assert_eq!(view.row(index, order).unwrap().copy_to(&mut row), row.len());
            let from_the_top = if order == RowOrder::TopFirst { index } else { image.height - 1 - index };
            assert_eq!(row, image.row(from_the_top));
        }
    }
    assert!(ORDERS.iter().all(|order| view.row(image.height, *order).is_none()));
    assert!(view.row(usize::MAX, RowOrder::TopFirst).is_none());
}

#[test]
fn every_format_arrives_in_every_version_with_and_without_places() {
    for (slots, version) in [
        (0, HeaderVersion::V1),
        (3, HeaderVersion::V1),
        (0, HeaderVersion::V2),
        (2, HeaderVersion::V2),
        (0, HeaderVersion::Legacy),
        (4, HeaderVersion::Legacy),
    ] {
        let scene = Scene::new("top: formats");
        let mut out = TopSender::builder(scene.name()).slots(slots).header(version).create().unwrap();
        let mut input = TopReceiver::open(scene.name()).unwrap();
        for (index, format) in PixelFormat::ALL.into_iter().enumerate() {
            let image = Image { number: index as u32, format, width: 7, height: 5 };
            let packed = matches!(format.number(), 64 | 122);
            if version == HeaderVersion::Legacy && packed {
                let error = image.send(&mut out).unwrap_err();
                assert!(matches!(&error, Error::Block(error) if error.field == "pixelFormat"), "{error}");
                assert!(input.try_next().unwrap().is_none(), "nothing has been written");
                continue;
            }
            image.send(&mut out).unwrap();
            read_all_ways(&mut input, &image, RowOrder::BottomFirst);
            let shape = input.frame().unwrap().shape();
            assert_eq!(shape.version, version);
            assert_eq!(matches!(shape.texels, Texels::Legacy(_)), version == HeaderVersion::Legacy);
            let of_format = if format.is_srgb() { TopColour::SRGB } else { TopColour::LINEAR };
            assert_eq!(shape.colour, (version == HeaderVersion::V2).then_some(of_format));
            let by_hand = parsed(&scene);
            assert_eq!((by_hand.width, by_hand.height), (7, 5));
            assert_eq!(by_hand.pixels, image.bytes(RowOrder::BottomFirst));
            let usual = [40, 48, 56][version as usize];
            assert_eq!(by_hand.data_offset == usual, slots == 0, "{}", by_hand.data_offset);
            assert!(slots == 0 || by_hand.data_offset.is_multiple_of(64));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Sizes, formats, strides and the way up change at every image; places are there or not, versions as well.
    #[test]
    fn whatever_is_sent_arrives(
        slots in 0_usize..6,
        version in prop_oneof![Just(HeaderVersion::V1), Just(HeaderVersion::V2)],
        stored in prop_oneof![Just(RowOrder::TopFirst), Just(RowOrder::BottomFirst)],
        foreign_at in 0_usize..20,
        images in proptest::collection::vec((any::<u32>(), 0_usize..25, 1_usize..60, 1_usize..40, any::<bool>()), 1..12),
    ) {
        let scene = Scene::new("top: whatever");
        let builder = TopSender::builder(scene.name()).header(version).stored_rows(stored);
        let mut out = if slots == 5 { builder } else { builder.slots(slots) }.create().unwrap();
        let mut input = TopReceiver::open(scene.name()).unwrap().stored_rows(stored);
        let mut watching = SegmentReceiver::builder(scene.name()).observe(true).open().map(TopReceiver::over).unwrap();
        let mut foreign = None;
        for (index, (number, format, width, height, huge)) in images.into_iter().enumerate() {
            let width = if huge { width * 20 } else { width };
            let image = Image { number, format: PixelFormat::ALL[format], width, height };
            if index == foreign_at {
                foreign = ForeignTop::attach(scene.name());
            }
            image.send(&mut out).unwrap();
            read_all_ways(&mut input, &image, stored);
            prop_assert_eq!(watching.try_next().unwrap().expect("seen").pixels(), image.bytes(stored));
            if let Some(foreign) = &mut foreign {
                let seen = foreign.read().unwrap();
                prop_assert_eq!(seen.pixels, image.bytes(stored));
                prop_assert_eq!(seen.data_offset, if (2..5).contains(&slots) { seen.data_offset } else { [40, 48, 56][version as usize] });
            }
        }
        prop_assert_eq!(u64::from(input.frame().unwrap().number().unwrap() as u32), out.frames());
    }
}

#[test]
fn a_receiver_that_is_told_the_other_order_turns_what_lies_there() {
    let scene = Scene::new("top: orders");
    for (sender, receiver) in ORDERS.iter().flat_map(|sender| ORDERS.map(|receiver| (*sender, receiver))) {
        let mut out = TopSender::builder(scene.name()).stored_rows(sender).create().unwrap();
        let mut input = TopReceiver::open(scene.name()).unwrap().stored_rows(receiver);
        let image = Image { number: 3, format: PixelFormat::R16_UNORM, width: 3, height: 4 };
        image.send(&mut out).unwrap();
        let frame = input.read().unwrap().unwrap();
        assert_eq!(frame.pixels(), image.bytes(sender), "as it lies");
        let top = frame.rows(RowOrder::TopFirst).next().unwrap();
        assert_eq!(top, image.row(if sender == receiver { 0 } else { 3 }));
        let mut buffer = vec![0; 24];
        input.read_into(PixelsMut::top_first(&mut buffer)).unwrap().unwrap();
        assert_eq!(
            buffer,
            image.bytes(if sender == receiver { RowOrder::TopFirst } else { other(RowOrder::TopFirst) })
        );
        out.detach().unwrap();
    }
}

/// What our sender writes is the golden bytes, for each header that it writes.
#[test]
fn what_is_sent_is_the_golden_bytes() {
    let scene = Scene::new("top: golden, sent");
    let sender = || TopSender::builder(scene.name()).slots(0);

    let wanted = golden::bytes("9-version-1");
    let mut out = sender().create().unwrap();
    out.send(&Pixels::bottom_first(PixelFormat::R8G8B8A8_UNORM, 2, 2, &wanted[48..])).unwrap();
    assert_eq!(lies_there(&scene)[..wanted.len()], wanted);
    let top_first = [&wanted[56..64], &wanted[48..56]].concat();
    out.send(&Pixels::top_first(PixelFormat::R8G8B8A8_UNORM, 2, 2, &top_first)).unwrap();
    assert_eq!(lies_there(&scene)[..wanted.len()], wanted);
    out.detach().unwrap();

    let wanted = golden::bytes("9-version-2");
    let mut out = sender().colour(TopColour::SRGB).aspect(2.0, 0.5).create().unwrap();
    out.send(&Pixels::bottom_first(PixelFormat::R16A16_SFLOAT, 3, 1, &wanted[56..])).unwrap();
    assert_eq!(lies_there(&scene)[..wanted.len()], wanted);
    out.detach().unwrap();

    let wanted = golden::bytes("9-legacy-bgra");
    let mut out = sender().header(HeaderVersion::Legacy).create().unwrap();
    out.send(&Pixels::bottom_first(PixelFormat::B8G8R8A8_UNORM, 2, 1, &wanted[40..])).unwrap();
    assert_eq!(lies_there(&scene)[..wanted.len()], wanted);
    out.detach().unwrap();

    let wanted = golden::bytes("9-slot");
    let mut out = sender().slots(2).create().unwrap();
    for _ in 0..2 {
        out.send(&Pixels::bottom_first(PixelFormat::R16_UNORM, 1, 2, &wanted[64..])).unwrap();
    }
    let found = lies_there(&scene);
    assert_eq!((&found[..48], &found[64..68]), (&wanted[..48], &wanted[64..]), "the first place");
}

/// What lies in the golden files is read, from a sender that shares no code with ours.
#[test]
fn golden_bytes_are_read() {
    for case in golden::cases("9") {
        let scene = Scene::new("top: golden, read");
        let bytes = golden::bytes(&case);
        let sender = Foreign::default().start(scene.name());
        // The rest of the page stays zero, as in any new mapping.
        sender.data.write(0, &bytes);
        let mut input = TopReceiver::open(scene.name()).unwrap();
        let frame = input.read().unwrap().unwrap_or_else(|| panic!("{case}"));
        let shape = frame.shape();
        let (size, at) = match case.as_str() {
            "9-version-1" => ((2, 2), 48),
            "9-version-2" => ((3, 1), 56),
            "9-slot" => ((1, 2), 64),
            "9-offset-44" => ((1, 3), 44),
            "9-unknown-format" => ((7, 5), 48),
            "9-legacy-bgra" => ((2, 1), 40),
            "9-legacy-luminance" => ((1, 2), 44),
            other => panic!("{other}: what does it hold?"),
        };
        assert_eq!((shape.width, shape.height), size, "{case}");
        assert_eq!(frame.pixels(), &bytes[at..], "{case}");
        assert_eq!(frame.number(), None, "{case}: nobody counts");
        let by_hand = parse_top(&sender.data.bytes()).unwrap();
        assert_eq!((by_hand.data_offset, &by_hand.pixels[..]), (at, &bytes[at..]), "{case}");
        match case.as_str() {
            "9-version-2" => {
                assert_eq!((shape.colour, shape.aspect), (Some(TopColour::SRGB), (2.0, 0.5)));
            }
            "9-unknown-format" => {
                assert_eq!(shape.texels, Texels::Format(PixelFormat::from_number(0xf_0009)));
                assert_eq!((shape.row_bytes(), frame.rows(RowOrder::TopFirst).len()), (None, 0));
            }
            "9-legacy-luminance" => assert_eq!(shape.texels.format(), None),
            "9-legacy-bgra" => assert_eq!(shape.texels.format(), Some(PixelFormat::B8G8R8A8_UNORM)),
            _ => assert_eq!(shape.colour, None, "{case}"),
        }
        drop(input);
        sender.leave();
    }
}

#[test]
fn an_unknown_format_is_told_by_its_number_and_its_bytes_can_be_had() {
    let scene = Scene::new("top: unknown");
    let sender = Foreign::default().start(scene.name());
    let raw: Vec<u8> = (0..=200).collect();
    let unknown = TopBlock::new(3, 9, 0x1234, raw.clone());
    unknown.write_to(&sender.data);
    let mut input = TopReceiver::open(scene.name()).unwrap();
    let frame = input.read().unwrap().unwrap();
    assert_eq!(frame.shape().texels.to_string(), PixelFormat::from_number(0x1234).to_string());
    assert!(frame.shape().texels.to_string().contains("1234"));
    assert_eq!(frame.pixels(), raw);
    let mut buffer = vec![0; raw.len()];
    for turned in ORDERS {
        buffer.fill(0);
        let to = match turned {
            RowOrder::TopFirst => PixelsMut::top_first(&mut buffer),
            RowOrder::BottomFirst => PixelsMut::bottom_first(&mut buffer),
        };
        assert_eq!(input.read_into(to).unwrap().unwrap().data_bytes, raw.len());
        assert_eq!(buffer, raw, "as it lies, whichever way up");
    }
    assert!(input.read_into(PixelsMut::top_first(&mut buffer[1..])).is_err());
    let view = input.view().unwrap().unwrap();
    assert!(view.row(0, RowOrder::TopFirst).is_none());
    assert_eq!((view.pixels().len(), view.pixels().get(200)), (201, Some(200)));
    drop(view);
    // Nothing at all is an image of nothing.
    TopBlock { data_size: Some(0), pixels: Vec::new(), ..unknown }.write_to(&sender.data);
    assert_eq!(input.read().unwrap().unwrap().pixels(), []);
    // Nobody sends what nobody knows.
    let mut out = TopSender::create(&format!("{}q", scene.name())).unwrap();
    let error = out.send(&Pixels::top_first(PixelFormat::from_number(0x1234), 1, 1, &[0; 16])).unwrap_err();
    assert!(matches!(&error, Error::Block(error) if error.field == "pixelFormat"), "{error}");
    assert!(out.send_with(PixelFormat::from_number(0), 1, 1, |_| panic!("nothing to fill")).is_err());
    sender.leave();
}

/// Each way in which a header can be wrong (wire §9.3): an error that names the field, and the last good image stays.
#[test]
fn what_is_wrong_is_refused_by_name_and_the_last_image_stays() {
    let scene = Scene::new("top: wrong");
    for info in [Info::Missing, Info::Doubled] {
        let sender = Foreign { size: 4096, info, ..Foreign::default() }.start(scene.name());
        let size = sender.data.len() as i32;
        let image = Image { number: 5, format: PixelFormat::R8G8B8A8_UNORM, width: 4, height: 4 };
        let good = TopBlock::new(4, 4, 37, image.bytes(RowOrder::BottomFirst));
        let mut input = TopReceiver::open(scene.name()).unwrap();
        assert!(input.read().unwrap().is_none(), "blank");
        good.write_to(&sender.data);
        assert_eq!(Image::seen(input.read().unwrap().unwrap()), Some(image));

        let b = || good.clone();
        let v2 = TopBlock { version: 2, data_offset: 56, colour: Some((2, 1)), ..b() };
        let legacy = |version, size, formats, at| {
            let mut bytes = legacy_header(version, size, formats, at);
            bytes.resize(56, 0);
            bytes
        };
        let rgba = [0x1908, 0x1401, 0x8058];
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("magic", TopBlock { magic: 1, ..b() }.header()),
            ("magic", TopBlock { magic: 0x12ed_54cf, ..b() }.header()),
            ("version", TopBlock { version: 0, ..b() }.header()),
            ("version", TopBlock { version: -1, ..b() }.header()),
            ("version", TopBlock { version: i32::MIN, ..b() }.header()),
            ("width", TopBlock { width: 0, ..b() }.header()),
            ("width", TopBlock { width: -4, ..b() }.header()),
            ("width", TopBlock { width: 32769, ..b() }.header()),
            ("width", TopBlock { width: i32::MAX, ..b() }.header()),
            ("height", TopBlock { height: 0, ..b() }.header()),
            ("height", TopBlock { height: i32::MIN, ..b() }.header()),
            ("height", TopBlock { height: 32769, ..b() }.header()),
            ("dataSize", TopBlock { data_size: Some(63), ..b() }.header()),
            ("dataSize", TopBlock { data_size: Some(65), ..b() }.header()),
            ("dataSize", TopBlock { data_size: Some(0), ..b() }.header()),
            ("dataSize", TopBlock { data_size: Some(-64), ..b() }.header()),
            ("dataSize", TopBlock { data_size: Some(i64::MAX), ..b() }.header()),
            ("dataSize", TopBlock { data_size: Some((1 << 32) + 64), ..b() }.header()),
            ("dataSize", TopBlock { pixel_format: 1, data_size: Some(-1), ..b() }.header()),
            ("dataSize", TopBlock { pixel_format: 1, data_size: Some(i64::MAX), ..b() }.header()),
            ("dataSize", TopBlock { pixel_format: 1, data_size: Some(i64::from(size) - 47), ..b() }.header()),
            ("dataSize", TopBlock { width: 32768, height: 32768, data_size: Some(1 << 32), ..b() }.header()),
            ("dataOffset", TopBlock { data_offset: 0, ..b() }.header()),
            ("dataOffset", TopBlock { data_offset: 40, ..b() }.header()),
            ("dataOffset", TopBlock { data_offset: -48, ..b() }.header()),
            ("dataOffset", TopBlock { data_offset: i32::MIN, ..b() }.header()),
            ("dataOffset", TopBlock { data_offset: 45, ..b() }.header()),
            ("dataOffset", TopBlock { data_offset: 50, ..b() }.header()),
            ("dataOffset", TopBlock { data_offset: size + 4, ..b() }.header()),
            ("dataOffset", TopBlock { data_offset: i32::MAX - 3, ..b() }.header()),
            ("dataSize", TopBlock { data_offset: size - 60, ..b() }.header()),
            ("dataSize", TopBlock { data_offset: size, ..b() }.header()),
            ("dataSize", TopBlock { data_offset: size - 60, ..v2.clone() }.header()),
            ("version", legacy(0, (4, 4), rgba, 40)),
            ("width", legacy(2, (0, 4), rgba, 40)),
            ("height", legacy(2, (4, 32769), rgba, 40)),
            ("dataOffset", legacy(2, (4, 4), rgba, 36)),
            ("dataOffset", legacy(2, (4, 4), rgba, 42)),
            ("dataOffset", legacy(2, (4, 4), rgba, size + 4)),
            ("width * height * bytes of a pixel", legacy(2, (4, 4), rgba, size - 60)),
            ("width * height * bytes of a pixel", legacy(2, (32768, 32768), rgba, 40)),
        ];
        for (field, header) in cases {
            put(&sender.data, 0, &header);
            assert!(parse_top(&sender.data.bytes()).is_none(), "{field}: by hand as well");
            let mut buffer = vec![0xee; 64];
            let errors = [
                input.read().map(drop).unwrap_err(),
                input.try_next().map(drop).unwrap_err(),
                input.read_into(PixelsMut::top_first(&mut buffer)).map(drop).unwrap_err(),
                input.view().map(drop).unwrap_err(),
            ];
            for error in errors {
                assert!(matches!(&error, Error::Block(error) if error.field == field), "{field}: {error}");
                assert_eq!(error.code(), 120);
            }
            assert!(buffer.iter().all(|byte| *byte == 0xee), "{field}");
            assert_eq!(Image::seen(input.frame().unwrap()), Some(image), "{field}: the last one stays");
        }
        // The edges that are allowed, right after.
        for (allowed, colour) in [
            (TopBlock { data_offset: 44, ..b() }, None),
            (TopBlock { data_offset: size - 64, ..b() }, None),
            (TopBlock { version: 7, ..v2.clone() }, Some(TopColour::SRGB)),
            (TopBlock { aspect: (f32::NAN, -1.0), ..b() }, None),
            (b(), None),
        ] {
            allowed.write_to(&sender.data);
            let frame = input.read().unwrap().unwrap();
            assert_eq!(frame.shape().colour, colour);
            assert_eq!(frame.pixels()[4..], image.bytes(RowOrder::BottomFirst)[4..]);
        }
        drop(input);
        sender.leave();
    }
}

#[test]
fn what_cannot_be_sent_is_refused_before_anything_is_written() {
    let scene = Scene::new("top: refused");
    let mut out = TopSender::create(scene.name()).unwrap();
    let mut input = TopReceiver::open(scene.name()).unwrap();
    let image = Image { number: 1, format: PixelFormat::R8_UNORM, width: 9, height: 2 };
    image.send(&mut out).unwrap();
    let rgba = PixelFormat::R8G8B8A8_UNORM;
    let tries = [
        ("width", Pixels::top_first(rgba, 0, 1, &[])),
        ("height", Pixels::top_first(rgba, 1, 0, &[])),
        ("width", Pixels::top_first(rgba, 32769, 1, &[0; 4])),
        ("height", Pixels::top_first(rgba, 1, usize::MAX, &[0; 4])),
        ("bytes of the image", Pixels::top_first(rgba, 2, 2, &[0; 15])),
        ("bytes of the image", Pixels::bottom_first(rgba, 2, 2, &[0; 19]).stride(12)),
        ("bytes of the image", Pixels::top_first(rgba, 1, 3, &[0; 64]).stride(usize::MAX / 2)),
        ("bytes of the image", Pixels::top_first(PixelFormat::R32G32B32A32_SFLOAT, 32768, 32768, &[0; 64])),
        ("stride", Pixels::top_first(rgba, 2, 2, &[0; 64]).stride(7)),
        ("stride", Pixels::top_first(rgba, 2, 2, &[0; 64]).stride(0)),
    ];
    for (field, pixels) in tries {
        let error = out.send(&pixels).unwrap_err();
        assert!(matches!(&error, Error::Block(error) if error.field == field), "{field}: {error}");
    }
    for aspect in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        out.set_aspect(1.0, aspect);
        let error = out.send(&Pixels::top_first(rgba, 1, 1, &[0; 4])).unwrap_err();
        assert!(matches!(&error, Error::Block(error) if error.field == "aspecty"), "{error}");
    }
    out.set_aspect(1.0, 1.0);
    out.set_colour(Some(TopColour::SRGB));
    let error = out.send(&Pixels::top_first(rgba, 1, 1, &[0; 4])).unwrap_err();
    assert!(matches!(&error, Error::Block(error) if error.field == "version"), "{error}");
    out.set_colour(None);
    assert_eq!(Image::seen(input.read().unwrap().unwrap()), Some(image));
    assert_eq!((input.frame().unwrap().number(), out.frames()), (Some(1), 1));
}

/// Pixels that the caller takes are not copied again; what tells images apart stays.
#[test]
fn pixels_are_exchanged_for_a_buffer() {
    let scene = Scene::new("top: exchanged");
    let mut out = TopSender::create(scene.name()).unwrap();
    let mut input = TopReceiver::open(scene.name()).unwrap();
    let mut buffer = Vec::new();
    assert!(!input.swap_pixels(&mut buffer), "nothing came");
    for number in 1..40 {
        let image = Image::of(number);
        image.send(&mut out).unwrap();
        assert_eq!(Image::seen(input.try_next().unwrap().unwrap()), Some(image));
        let at = input.frame().unwrap().pixels().as_ptr();
        assert!(input.swap_pixels(&mut buffer));
        assert_eq!((buffer.as_ptr(), &buffer), (at, &image.bytes(RowOrder::BottomFirst)), "no copy");
        assert!(!input.swap_pixels(&mut buffer), "once");
        let frame = input.frame().unwrap();
        assert!(image.has(&frame.shape()) && frame.number() == Some(number.into()));
        assert!(frame.pixels().is_empty() && frame.rows(RowOrder::TopFirst).len() == 0);
        assert!(input.try_next().unwrap().is_none(), "still the same");
        if number % 3 == 0 {
            assert_eq!(Image::seen(input.read().unwrap().unwrap()), Some(image), "who asks gets it again");
        }
    }
}

/// Frames are the way up that the receiver asked for, whoever sends, and still tell images apart.
#[test]
fn frames_are_kept_the_way_up_that_is_asked_for() {
    let scene = Scene::new("top: kept rows");
    let mut out = TopSender::create(scene.name()).unwrap();
    let mut input = TopReceiver::open(scene.name()).unwrap().kept_rows(RowOrder::TopFirst);
    let mut buffer = Vec::new();
    for number in 1..20 {
        let image = Image::of(number);
        image.send(&mut out).unwrap();
        let frame = input.try_next().unwrap().unwrap();
        assert_eq!(
            (frame.pixels(), frame.row_order()),
            (&image.bytes(RowOrder::TopFirst)[..], RowOrder::TopFirst)
        );
        assert_eq!(Image::seen(frame), Some(image));
        assert!(number % 2 == 0 || input.swap_pixels(&mut buffer));
    }
    drop(out);

    let foreign = Scene::new("top: kept rows of others");
    let sender = Foreign { size: 1 << 16, ..Foreign::default() }.start(foreign.name());
    let input = TopReceiver::open(foreign.name()).unwrap();
    let mut input = input.kept_rows(RowOrder::TopFirst);
    TopBlock::new(2, 2, 9, vec![1, 2, 3, 4]).write_to(&sender.data);
    assert_eq!(input.try_next().unwrap().unwrap().pixels(), [3, 4, 1, 2]);
    assert!(input.try_next().unwrap().is_none(), "the same image");
    TopBlock::new(2, 2, 9, vec![1, 2, 3, 5]).write_to(&sender.data);
    assert_eq!(input.try_next().unwrap().unwrap().pixels(), [3, 5, 1, 2]);
}

/// Of a sender that does not count, the last image is what the next one is compared with.
#[test]
fn pixels_that_tell_images_apart_are_not_given_away() {
    let scene = Scene::new("top: kept");
    let sender = Foreign { size: 1 << 16, ..Foreign::default() }.start(scene.name());
    let mut input = TopReceiver::open(scene.name()).unwrap();
    TopBlock::new(2, 2, 9, vec![1, 2, 3, 4]).write_to(&sender.data);
    assert_eq!(input.try_next().unwrap().unwrap().pixels(), [1, 2, 3, 4]);
    let mut buffer = vec![9];
    assert!(!input.swap_pixels(&mut buffer));
    assert_eq!((input.frame().unwrap().pixels(), buffer), (&[1, 2, 3, 4][..], vec![9]));
    assert!(input.try_next().unwrap().is_none());
}
