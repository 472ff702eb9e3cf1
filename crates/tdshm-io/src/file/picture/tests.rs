#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]

use super::*;

/// Pixels of a format that have every kind of number in them, 4 × 3 of them.
fn pattern(format: PixelFormat) -> Picture {
    let mut pixels = vec![0; 12 * format.bytes_per_pixel().unwrap()];
    let mono = Texels::Format(format).kind().unwrap().mono;
    let rgba: Vec<f32> = (0..12_u8)
        .flat_map(|n| {
            let v = f32::from(n) / 11.0;
            if mono { [v, v, v, 1.0 - v] } else { [v, 1.0 - v, v * v, 0.25 + v / 2.0] }
        })
        .collect();
    format.pack(&rgba, &mut pixels).unwrap();
    Picture::new(format, 4, 3, pixels).unwrap()
}

fn saved(picture: &Picture, file: &str, loss: Loss) -> Result<Picture, FileError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    picture.save(&path, loss)?;
    Picture::open(&path)
}

#[test]
fn every_format_comes_back_from_the_file_that_holds_it() {
    for format in PixelFormat::ALL {
        let picture = pattern(format);
        let kind = picture.kind().unwrap();
        let file = if kind.float { "x.exr" } else { "x.png" };
        let back = saved(&picture, file, Loss::Refuse).unwrap();
        let read = back.kind().unwrap();
        assert_eq!((read.float, read.mono), (kind.float, kind.mono), "{format}");
        if kind.float {
            assert_eq!(
                read.bits,
                if kind.bits == 32 { 32 } else { 16 },
                "{format}: floats stay what they are"
            );
        }
        assert_eq!(back.to_format(format).unwrap(), picture, "{format} through {file}");
    }
}

#[test]
fn exr_holds_everything_and_files_that_do_not_say_so() {
    for format in PixelFormat::ALL {
        let picture = pattern(format);
        let kind = picture.kind().unwrap();
        assert_eq!(saved(&picture, "x.exr", Loss::Refuse).unwrap().to_format(format).unwrap(), picture);
        for (file, fits) in [("x.png", !kind.float), ("x.jpg", kind.bits == 8 && !kind.alpha && !kind.float)]
        {
            match saved(&picture, file, Loss::Refuse) {
                Ok(_) => assert!(fits, "{format} {file}"),
                Err(FileError::Picture { source: PictureError::DoesNotFit { .. }, .. }) => {
                    assert!(!fits, "{format} {file}");
                }
                Err(other) => panic!("{other}"),
            }
            assert_eq!(saved(&picture, file, Loss::Allow).unwrap().width(), 4);
        }
    }
    let error = saved(&pattern(PixelFormat::R32_SFLOAT), "x.png", Loss::Refuse).unwrap_err();
    assert!(
        error.to_string().ends_with(
            "R32_SFLOAT does not fit a PNG file, which holds 8 or 16 bits from 0 to 1: write an .exr file, which holds \
             everything"
        ),
        "{error}"
    );
}

#[test]
fn floats_are_cut_where_that_is_allowed() {
    let floats: Vec<u8> = [-1.0_f32, 0.5, 2.0, f32::NAN].iter().flat_map(|v| v.to_le_bytes()).collect();
    let picture = Picture::new(PixelFormat::R32_SFLOAT, 4, 1, floats).unwrap();
    let back = saved(&picture, "x.png", Loss::Allow).unwrap();
    assert_eq!(back.texels(), Texels::Format(PixelFormat::R16_UNORM));
    assert_eq!(back.pixels(), [0, 0, 0, 128, 255, 255, 0, 0]);
}

#[test]
fn opaque_pictures_fit_jpeg() {
    let picture =
        Picture::new(PixelFormat::R8G8B8A8_UNORM, 16, 16, [[90, 90, 90, 255]; 256].concat()).unwrap();
    let back = saved(&picture, "x.JPEG", Loss::Refuse).unwrap();
    assert!(back.pixels().iter().zip(picture.pixels()).all(|(a, b)| a.abs_diff(*b) < 3), "{back:?}");
}

#[test]
fn grey_has_equal_colours_in_other_formats() {
    let grey = Picture::new(PixelFormat::R8A8_UNORM, 1, 1, vec![51, 102]).unwrap();
    assert_eq!(grey.to_format(PixelFormat::B8G8R8A8_UNORM).unwrap().pixels(), [51, 51, 51, 102]);
    let grey = Picture::new(PixelFormat::R8_UNORM, 1, 1, vec![51]).unwrap();
    assert_eq!(grey.to_format(PixelFormat::R8G8B8A8_UNORM).unwrap().pixels(), [51, 51, 51, 255]);
    assert_eq!(grey.to_format(PixelFormat::A8_UNORM).unwrap().pixels(), [255]);
}

#[test]
fn the_way_up_that_a_camera_recorded_is_applied() {
    // Left black, right white, and an EXIF block that says: turn by 180 degrees.
    let pixels: Vec<u8> = (0..256).flat_map(|n| [if n % 16 < 8 { 0 } else { 255 }; 3]).collect();
    let mut jpeg = Bytes::default();
    let image = image::RgbImage::from_raw(16, 16, pixels).unwrap();
    image.write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
    let jpeg = jpeg.into_inner();
    let left = |bytes: &[u8]| Picture::read(Cursor::new(bytes)).unwrap().pixels()[0];
    assert!(left(&jpeg) < 50);
    let tiff =
        [b"Exif\0\0II*\0\x08\0\0\0\x01\0".as_slice(), b"\x12\x01\x03\0\x01\0\0\0\x03\0\0\0\0\0\0\0"].concat();
    let length = u16::try_from(tiff.len() + 2).unwrap().to_be_bytes();
    let turned = [&jpeg[..2], b"\xff\xe1", &length, &tiff, &jpeg[2..]].concat();
    assert!(left(&turned) > 200);
}

#[test]
fn what_is_no_picture_is_told() {
    let read = |bytes: &[u8]| Picture::read(Cursor::new(bytes)).unwrap_err().to_string();
    let none = "the file is no PNG, JPEG or EXR picture: save it as one of these";
    assert_eq!((read(b"hello, world").as_str(), read(b"").as_str()), (none, none));
    assert_eq!(read(b"GIF89a\x01\0\x01\0\0\0\0"), none);

    let mut png = Bytes::default();
    image::RgbImage::new(64, 64).write_to(&mut png, ImageFormat::Png).unwrap();
    let png = png.into_inner();
    for end in [8, 20, 33, png.len() / 2, png.len() - 20] {
        let said = read(&png[..end]);
        assert!(said.starts_with("the picture is broken, or of a kind that is not read: "), "{end}: {said}");
    }
    // Another width, in a header whose checksum is right.
    let mut wide = png.clone();
    wide[16..20].copy_from_slice(&40_000_u32.to_be_bytes());
    let sum = crc(&wide[12..29]);
    wide[29..33].copy_from_slice(&sum.to_be_bytes());
    let said = read(&wide);
    assert_eq!(
        said,
        "the picture is too large: at most 32768 pixels a side and 2147483648 bytes are read: make it smaller"
    );
}

/// The checksum of a PNG's chunk.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |mut crc, byte| {
        crc ^= u32::from(*byte);
        (0..8).for_each(|_| crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 });
        crc
    })
}

#[test]
fn a_folder_is_its_pictures_in_natural_order() {
    let folder = tempfile::tempdir().unwrap();
    let error = super::folder(folder.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("the folder holds no picture: put files into it that end in .png, .jpg, .jpeg, .exr")
    );
    for file in ["f10.png", "f9.PNG", "notes.txt", ".f1.png", "f11.exr", "Thumbs.db"] {
        fs::write(folder.path().join(file), "").unwrap();
    }
    fs::create_dir(folder.path().join("f0.png")).unwrap();
    let names: Vec<String> = super::folder(folder.path()).unwrap().iter().map(|path| name(path)).collect();
    assert_eq!(names, ["f9.PNG", "f10.png", "f11.exr"]);
    assert!(matches!(super::folder(folder.path().join("no")), Err(FileError::Open { .. })));
}

#[test]
fn a_path_that_cannot_be_written_is_named() {
    let picture = pattern(PixelFormat::R8_UNORM);
    let said = picture.save("no/such/folder/x.png", Loss::Refuse).unwrap_err().to_string();
    assert!(said.starts_with("cannot write no/such/folder/x.png: "), "{said}");
    let said = picture.save("x.gif", Loss::Refuse).unwrap_err().to_string();
    assert!(said.starts_with(
        "cannot tell the format of x.gif from the extension \"gif\": use a file that ends in .png"
    ));
}

/// A file of 2 × 1 pixels whose channels hold these numbers.
fn exr_with(channels: &[(&str, exr::image::FlatSamples)]) -> Bytes {
    use exr::prelude::{AnyChannel, AnyChannels, Image, WritableImage};
    let list = channels.iter().map(|(name, samples)| AnyChannel::new(*name, samples.clone())).collect();
    let mut file = Bytes::default();
    Image::from_channels((2, 1), AnyChannels::sort(list)).write().to_buffered(&mut file).unwrap();
    file.set_position(0);
    file
}

#[test]
fn exr_is_read_as_what_it_holds() {
    use exr::image::FlatSamples::{F16, F32, U32};
    let half = |a, b| F16([a, b].map(half::f16::from_f32).to_vec());
    let (one, two) = (half(1.0, -0.5), F32(vec![1e30, 0.1]));
    let cases: [(&[(&str, exr::image::FlatSamples)], PixelFormat); 8] = [
        (&[("Y", one.clone())], PixelFormat::R16_SFLOAT),
        (&[("Y", one.clone()), ("A", one.clone())], PixelFormat::R16A16_SFLOAT),
        (&[("Y", one.clone()), ("A", two.clone())], PixelFormat::R32A32_SFLOAT),
        (&[("R", two.clone())], PixelFormat::R32_SFLOAT),
        (&[("R", U32(vec![1, 3])), ("Z", one.clone())], PixelFormat::R32_SFLOAT),
        (&[("B", one.clone()), ("G", one.clone()), ("R", one.clone())], PixelFormat::R16G16B16A16_SFLOAT),
        (&[("B", one.clone()), ("G", one.clone()), ("R", two.clone())], PixelFormat::R32G32B32A32_SFLOAT),
        (
            &[
                ("B", one.clone()),
                ("G", one.clone()),
                ("R", one.clone()),
                ("A", one.clone()),
                ("Y", two.clone()),
            ],
            PixelFormat::R16G16B16A16_SFLOAT,
        ),
    ];
    for (channels, format) in cases {
        let picture = Picture::read(exr_with(channels)).unwrap();
        assert_eq!((picture.texels(), picture.width(), picture.height()), (Texels::Format(format), 2, 1));
        let mut rgba = [0.0; 8];
        Convert::new(format, 2, 1).to_rgba32f(picture.pixels(), &mut rgba).unwrap();
        let first = channels.iter().find(|(name, _)| *name == "R" || *name == "Y").unwrap();
        let first = channels.iter().find(|(name, _)| *name == "R").unwrap_or(first);
        assert!(first.1.values_as_f32().eq([rgba[0], rgba[4]]), "{format}: {rgba:?}");
        let alpha = channels.iter().find(|(name, _)| *name == "A");
        assert!(
            alpha.is_none_or(|(_, alpha)| alpha.values_as_f32().eq([rgba[3], rgba[7]])),
            "{format}: {rgba:?}"
        );
        assert!(alpha.is_some() || (rgba[3], rgba[7]) == (1.0, 1.0), "{format}: {rgba:?}");
    }
    let colours_apart = [("Y", one.clone()), ("RY", one.clone()), ("BY", one.clone())];
    let moves = [("X", one.clone()), ("Y", one.clone())];
    for channels in
        [&colours_apart[..], &moves[..], &[("Z", two.clone())], &[("R", one.clone()), ("G", one.clone())]]
    {
        assert_eq!(
            Picture::read(exr_with(channels)).unwrap_err().to_string(),
            "the picture is broken, or of a kind that is not read: no layer has the channels R, G and B, or X, Y and Z, or \
             Y or R alone: save it again"
        );
    }
}

/// A map of normals or positions is its three numbers, not the middle one as brightness.
#[test]
fn exr_vectors_become_red_green_and_blue() {
    use exr::image::FlatSamples::{F16, F32};
    let (x, y, z) = (F32(vec![0.5, -1.0]), F32(vec![0.25, -2.0]), F32(vec![0.125, 3.0]));
    let xyz = [("X", x.clone()), ("Y", y.clone()), ("Z", z.clone())];
    let rgba = |channels: &[(&str, exr::image::FlatSamples)]| {
        let picture = Picture::read(exr_with(channels)).unwrap();
        let Texels::Format(format) = picture.texels() else { panic!("{:?}", picture.texels()) };
        let mut rgba = [0.0; 8];
        Convert::new(format, 2, 1).to_rgba32f(picture.pixels(), &mut rgba).unwrap();
        (format, rgba)
    };
    let floats = PixelFormat::R32G32B32A32_SFLOAT;
    assert_eq!(rgba(&xyz), (floats, [0.5, 0.25, 0.125, 1.0, -1.0, -2.0, 3.0, 1.0]));
    let alpha = [&xyz[..], &[("A", F32(vec![0.75, 0.0]))]].concat();
    assert_eq!(rgba(&alpha), (floats, [0.5, 0.25, 0.125, 0.75, -1.0, -2.0, 3.0, 0.0]));
    let half = |a, b| F16([a, b].map(half::f16::from_f32).to_vec());
    let halves = [("X", half(0.5, 1.0)), ("Y", half(0.25, 2.0)), ("Z", half(0.125, 3.0))];
    let expected = (PixelFormat::R16G16B16A16_SFLOAT, [0.5, 0.25, 0.125, 1.0, 1.0, 2.0, 3.0, 1.0]);
    assert_eq!(rgba(&halves), expected);
    let layer = [("N.X", x.clone()), ("N.Y", y.clone()), ("N.Z", z), ("depth.Z", y.clone())];
    assert_eq!(rgba(&layer).1, [0.5, 0.25, 0.125, 1.0, -1.0, -2.0, 3.0, 1.0]);
    // Colours come first, and what is grey beside the vectors of a layer.
    let coloured = [&xyz[..], &[("b.R", y.clone()), ("b.G", y.clone()), ("b.B", x)]].concat();
    assert_eq!(rgba(&coloured).1, [0.25, 0.25, 0.5, 1.0, -2.0, -2.0, -1.0, 1.0]);
    let grey = [&layer[..], &[("Y", y)]].concat();
    assert_eq!(rgba(&grey), (PixelFormat::R32_SFLOAT, [0.25, 0.0, 0.0, 1.0, -2.0, 0.0, 0.0, 1.0]));
}

/// As renderers write the layers of a frame into one file.
#[test]
fn the_first_coloured_layer_counts_where_all_have_names() {
    let of = |value: f32| exr::image::FlatSamples::F32(vec![value, -value]);
    let layers = [
        ("depth.Z", of(9.0)),
        ("view.diffuse.R", of(4.0)),
        ("view.combined.R", of(1.0)),
        ("view.combined.G", of(2.0)),
        ("view.combined.B", of(3.0)),
        ("view.combined.A", of(0.5)),
        ("view.spec.R", of(5.0)),
        ("view.spec.G", of(6.0)),
        ("view.spec.B", of(7.0)),
    ];
    let floats = |picture: &Picture| -> Vec<f32> {
        picture.pixels().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    };
    let picture = Picture::read(exr_with(&layers)).unwrap();
    assert_eq!(picture.texels(), Texels::Format(PixelFormat::R32G32B32A32_SFLOAT));
    assert_eq!(floats(&picture), [1.0, 2.0, 3.0, 0.5, -1.0, -2.0, -3.0, -0.5]);
    let opaque = Picture::read(exr_with(&layers[6..])).unwrap();
    assert_eq!(floats(&opaque), [5.0, 6.0, 7.0, 1.0, -5.0, -6.0, -7.0, 1.0]);
    // What has no name comes first.
    let plain = [("B", of(0.1)), ("G", of(0.2)), ("R", of(0.3))];
    let both: Vec<_> = layers.into_iter().chain(plain).collect();
    assert_eq!(floats(&Picture::read(exr_with(&both)).unwrap())[..3], [0.3, 0.2, 0.1]);
    assert!(Picture::read(exr_with(&both[..2])).is_err());
}

/// Only what lies in the window that is shown is read, at its place there.
#[test]
fn the_window_of_an_exr_file_decides() {
    use exr::math::Vec2;
    use exr::prelude::{AnyChannel, AnyChannels, FlatSamples, Image, IntegerBounds, WritableImage};
    let samples = FlatSamples::F32(vec![1.0, 2.0, 3.0, 4.0]);
    let mut image = Image::from_channels(
        (2, 2),
        AnyChannels::sort([AnyChannel::new("Y", samples)].into_iter().collect()),
    );
    image.layer_data.attributes.layer_position = Vec2(9, 6);
    image.attributes.display_window = IntegerBounds::new((10, 5), (3, 2));
    let mut file = Bytes::default();
    image.write().to_buffered(&mut file).unwrap();
    file.set_position(0);
    let picture = Picture::read(file).unwrap();
    assert_eq!((picture.width(), picture.height()), (3, 2));
    let pixels: Vec<f32> =
        picture.pixels().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    assert_eq!(pixels, [0.0, 0.0, 0.0, 2.0, 0.0, 0.0]);
}
