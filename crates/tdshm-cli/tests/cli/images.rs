//! Images: pictures in, pictures out, and what is said of them on the way.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tdshm::{ChopFrame, ChopSender, HeaderVersion, PixelFormat, RowOrder, Texels, TopColour, TopReceiver};
use tdshm_io::{Loss, Picture};

use crate::kit::{Name, Run, run, start};

/// A photograph that comes with the tests.
fn photograph(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures").join(file)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A sender that has begun.
fn sending(args: &[&str]) -> Run {
    let mut sender = start(&[&["send"], args].concat());
    sender.says("sending ");
    sender
}

/// What arrives in a file when `args` are sent.
fn through(args: &[&str], file: &str) -> Picture {
    let (name, folder) = (Name::new(), tempfile::tempdir().unwrap());
    let file = folder.path().join(file);
    let _sender = sending(&[&[name.as_str()], args].concat());
    let snapped = run(&["snap", name.as_str(), text(&file), "--timeout", "30"]);
    assert_eq!((snapped.code, snapped.out.len()), (Some(0), 0), "{snapped:?}");
    Picture::open(&file).unwrap()
}

#[test]
fn a_photograph_comes_back_pixel_by_pixel() {
    for (file, format) in
        [("camera.png", PixelFormat::R8_UNORM), ("chelsea.png", PixelFormat::R8G8B8A8_UNORM)]
    {
        let path = photograph(file);
        let original = Picture::open(&path).unwrap();
        assert_eq!(original.texels(), Texels::Format(format));
        assert_eq!(through(&["--image", text(&path)], "x.png"), original, "{file}");
    }
}

#[test]
fn a_photograph_comes_back_through_every_format_that_holds_it() {
    let (colours, grey) = (photograph("chelsea.png"), photograph("camera.png"));
    for (path, formats) in [
        (&colours, &["rgba8_srgb", "bgra8", "bgra8_srgb", "rgb10a2", "rgba16", "rgba16f", "rgba32f"][..]),
        (&grey, &["r16", "r16f", "r32f", "ra8", "ra16", "ra16f", "ra32f", "rgba8", "rg8", "rg16f"][..]),
    ] {
        let original = Picture::open(path).unwrap();
        let format = original.texels().format().unwrap();
        for name in formats {
            let floats = name.ends_with('f');
            let back =
                through(&["--image", text(path), "--format", name], if floats { "x.exr" } else { "x.png" });
            assert_eq!(back.to_format(format).unwrap(), original, "{name}");
        }
    }
}

#[test]
fn the_header_is_the_one_that_was_asked_for() {
    let path = photograph("camera.png");
    let colour = |primaries, transfer| Some(TopColour { primaries, transfer });
    for (args, version, meant) in [
        (&[][..], HeaderVersion::V1, None),
        (&["--header", "1"], HeaderVersion::V1, None),
        (&["--header", "2"], HeaderVersion::V2, Some(TopColour::LINEAR)),
        (&["--header", "2", "--format", "rgba8_srgb"], HeaderVersion::V2, Some(TopColour::SRGB)),
        (&["--transfer", "srgb"], HeaderVersion::V2, Some(TopColour::SRGB)),
        (&["--header", "2", "--transfer", "linear", "--primaries", "7"], HeaderVersion::V2, colour(7, 0)),
        (&["--header", "legacy"], HeaderVersion::Legacy, None),
    ] {
        let name = Name::new();
        let _sender = sending(&[&[name.as_str(), "--image", text(&path)], args].concat());
        let mut input = TopReceiver::open(name.as_str()).unwrap();
        let frame = input.next_timeout(Duration::from_secs(30)).unwrap().unwrap();
        let shape = frame.shape();
        assert_eq!((shape.version, shape.colour), (version, meant), "{args:?}");
        let picture = Picture::of_frame(frame).unwrap();
        if !args.contains(&"--format") {
            let mut pixels = vec![0; 512 * 512 * 4];
            let grey = Picture::open(&path).unwrap();
            tdshm::Convert::new(picture.texels(), 512, 512).to_rgba8(picture.pixels(), &mut pixels).unwrap();
            assert!(pixels.as_chunks::<4>().0.iter().map(|pixel| &pixel[0]).eq(grey.pixels()), "{args:?}");
        }
    }
    let name = Name::new();
    for (args, reason) in [
        (&["--image", text(&path), "--header", "1", "--transfer", "srgb"][..], "in a header of version 2"),
        (&["--image", text(&path), "--header", "3"], "give 1, 2 or legacy"),
        (&["--header", "2"], "--image"),
        (&["--image", text(&path), "--primaries", "2"], "--transfer"),
    ] {
        let ended = run(&[&["send", name.as_str()], args].concat());
        assert!(ended.code == Some(2) && ended.err.join(" ").contains(reason), "{ended:?}");
    }
    let ended =
        run(&["send", name.as_str(), "--test-pattern", "8x8", "--format", "rgb10a2", "--header", "legacy"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
}

#[test]
fn the_bottom_row_lies_first() {
    let (name, path) = (Name::new(), photograph("chelsea.png"));
    let _sender = sending(&[name.as_str(), "--image", text(&path)]);
    let picture = Picture::open(&path).unwrap();
    let mut input = TopReceiver::open(name.as_str()).unwrap();
    let frame = input.next_timeout(Duration::from_secs(30)).unwrap().unwrap();
    let row = picture.width() * 4;
    assert_eq!(frame.pixels()[..row], picture.pixels()[picture.pixels().len() - row..]);
    assert_eq!(frame.rows(RowOrder::TopFirst).next(), Some(&picture.pixels()[..row]));
}

#[test]
fn sixteen_bits_and_floats_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let shorts: Vec<u8> = (0..40_u16).flat_map(|n| (n * 1601).to_le_bytes()).collect();
    let values = [0.0_f32, -2.5, 1e-20, 65504.0, 1e30, f32::INFINITY, 0.1, 1.0];
    let floats: Vec<u8> = values.iter().cycle().take(40).flat_map(|value| value.to_le_bytes()).collect();
    // 0, -2.5, the least above 0, the greatest, infinity, 0.1, 1, and minus infinity.
    let halves = [0, 0xc100, 1, 0x7bff, 0x7c00, 0x2e66, 0x3c00, 0xfc00_u16];
    let halves: Vec<u8> = halves.iter().cycle().take(40).flat_map(|bits| bits.to_le_bytes()).collect();
    for (file, format, pixels) in [
        ("grey16.exr", PixelFormat::R16_SFLOAT, &halves),
        ("grey_alpha16.exr", PixelFormat::R16A16_SFLOAT, &halves),
        ("colours16.exr", PixelFormat::R16G16B16A16_SFLOAT, &halves),
        ("grey.exr", PixelFormat::R32_SFLOAT, &floats),
        ("grey.png", PixelFormat::R16_UNORM, &shorts),
        ("grey_alpha.png", PixelFormat::R16A16_UNORM, &shorts),
        ("colours.png", PixelFormat::R16G16B16A16_UNORM, &shorts),
        ("colours.exr", PixelFormat::R32G32B32A32_SFLOAT, &floats),
    ] {
        let width = pixels.len() / format.bytes_per_pixel().unwrap() / 2;
        let picture = Picture::new(format, width, 2, pixels.clone()).unwrap();
        let path = folder.path().join(file);
        picture.save(&path, Loss::Refuse).unwrap();
        assert_eq!(through(&["--image", text(&path)], file), picture, "{file}");
    }
}

#[test]
fn the_test_pattern_arrives_in_every_format() {
    for format in PixelFormat::ALL {
        let float = Texels::Format(format).kind().unwrap().float;
        let file = if float { "x.exr" } else { "x.png" };
        let back = through(&["--test-pattern", "64x36", "--format", format.name().unwrap()], file);
        let back = back.to_format(PixelFormat::R8G8B8A8_UNORM).unwrap();
        assert_eq!((back.width(), back.height()), (64, 36));
        // White at the left, black at the right, as far as the format has it.
        let pixel = |x: usize| [0, 1, 2, 3].map(|channel| back.pixels()[x * 4 + channel]);
        let (left, right) = (pixel(0), pixel(63));
        let alone = format.name().unwrap().starts_with("A8") || format.name().unwrap().starts_with("A16_");
        let alone = alone || format == PixelFormat::A32_SFLOAT;
        let (bright, dark) = if alone { (left[3], right[3]) } else { (left[0], right[0]) };
        assert!((190..=192).contains(&bright) && dark == 0, "{format}: {left:?} {right:?}");
    }
}

#[test]
fn a_folder_is_sent_in_the_order_of_its_numbers_and_wrong_files_are_named() {
    let (name, folder) = (Name::new(), tempfile::tempdir().unwrap());
    for number in [2_u8, 9, 10, 11] {
        let picture = Picture::new(PixelFormat::R8_UNORM, 2, 2, vec![number; 4]).unwrap();
        picture.save(folder.path().join(format!("f{number}.png")), Loss::Refuse).unwrap();
    }
    fs::write(folder.path().join("f3.png"), "no picture").unwrap();
    let path = text(folder.path());
    let mut input = TopReceiver::open(name.as_str()).unwrap();
    let mut sender = start(&["send", name.as_str(), "--image", path, "--fps", "20"]);
    let mut seen = Vec::new();
    while seen.last() != Some(&11) {
        let frame = input.next_timeout(Duration::from_secs(60)).unwrap().unwrap();
        seen.push(frame.pixels()[0]);
    }
    // A receiver that was busy has missed some, but never sees them in another order.
    assert!(seen.is_sorted() && seen.iter().all(|number| [2, 9, 10, 11].contains(number)), "{seen:?}");
    let wrong = sender.says("f3.png");
    assert!(
        wrong.ends_with("the file is no PNG, JPEG or EXR picture: save it as one of these (left out)"),
        "{wrong}"
    );
    let ended = sender.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.err.iter().any(|line| line.contains("sent 4 frames to ")), "{ended:?}");

    let mut again = sending(&[name.as_str(), "--image", path, "--fps", "200", "--loop", "--frames", "10"]);
    again.says("sent 10 frames");
    assert_eq!(again.wait().code, Some(0));
}

#[test]
fn what_cannot_be_sent_is_named_with_the_reason() {
    let (name, folder) = (Name::new(), tempfile::tempdir().unwrap());
    let inside = |file: &str| folder.path().join(file);
    fs::write(inside("text.png"), "no picture").unwrap();
    let broken = &fs::read(photograph("camera.png")).unwrap()[..5000];
    fs::write(inside("broken.png"), broken).unwrap();
    fs::create_dir(inside("empty")).unwrap();
    for (path, reason) in [
        ("absent.png", "cannot open"),
        ("text.png", "is no PNG, JPEG or EXR picture"),
        ("broken.png", "the picture is broken, or of a kind that is not read"),
        ("empty", "the folder holds no picture"),
        ("", "none of the 2 pictures in"),
    ] {
        let path = inside(path);
        let ended = run(&["send", name.as_str(), "--image", text(&path)]);
        let last = ended.err.last().unwrap();
        assert!(ended.code == Some(1) && last.contains(reason) && last.contains(text(&path)), "{ended:?}");
    }
    assert!(!name.has_segments());
}

#[test]
fn a_picture_stays_for_those_who_come_later() {
    let (name, path) = (Name::new(), photograph("camera.png"));
    let mut sender = sending(&[name.as_str(), "--image", text(&path)]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.png");
    for _ in 0..2 {
        let snapped = run(&["snap", name.as_str(), text(&file), "--timeout", "30"]);
        assert!(snapped.err.iter().any(|line| line.contains("512 × 512 r8, frame 1")), "{snapped:?}");
    }
    let next = run(&["snap", name.as_str(), text(&file), "--next", "--timeout", "0.2"]);
    assert_eq!(next.code, Some(1), "{next:?}");
    assert!(next.err[0].contains("no new image of"), "{next:?}");
    sender.signal("INT");
    sender.says("sent 1 frame to");
    assert_eq!(sender.wait().code, Some(130));
    assert!(!name.has_segments());
}

/// Somebody writes over it, and removes its name.
#[cfg(target_os = "linux")]
#[test]
fn a_picture_that_stays_is_put_back() {
    let (name, path) = (Name::new(), photograph("chelsea.png"));
    let picture = Picture::open(&path).unwrap();
    let _sender = sending(&[name.as_str(), "--image", text(&path)]);
    let mut input = TopReceiver::open(name.as_str()).unwrap();
    let data = Path::new("/dev/shm").join(format!("TouchSHM{}", name.as_str()));
    for frame in 1..4 {
        let came = input.next_timeout(Duration::from_secs(30)).unwrap().unwrap();
        assert_eq!((Picture::of_frame(came).unwrap(), came.number()), (picture.clone(), Some(frame)));
        if frame == 1 {
            let block = fs::OpenOptions::new().write(true).open(&data).unwrap();
            std::os::unix::fs::FileExt::write_all_at(&block, &[0xdb; 4096], 0).unwrap();
        } else if frame == 2 {
            fs::remove_file(&data).unwrap();
        }
    }
}

#[test]
fn a_killed_sender_is_told_and_the_next_one_is_followed() {
    let name = Name::new();
    let mut watch = start(&["watch", name.as_str(), "--format", "json"]);
    watch.says("waiting for");
    let first = sending(&[name.as_str(), "--test-pattern", "64x36"]);
    let line = watch.json();
    assert_eq!((&line["width"], &line["frame"]), (&64.into(), &1.into()), "{line}");
    first.signal("KILL");
    watch.says("has died: waiting for another one");
    let _next = sending(&[name.as_str(), "--test-pattern", "32x8", "--format", "r32f"]);
    let line = loop {
        let line = watch.json();
        if line["width"] == 32 {
            break line;
        }
    };
    assert_eq!((&line["pixel_format"], &line["header_version"]), (&"R32_SFLOAT".into(), &1.into()), "{line}");
}

#[test]
fn watch_says_what_is_known_of_each_image() {
    let name = Name::new();
    let _sender = sending(&[name.as_str(), "--test-pattern", "64x36", "--format", "rgba16"]);
    let csv = run(&["watch", name.as_str(), "--format", "csv", "--frames", "2"]);
    let heads =
        "frame,missed,age_ms,width,height,pixel_format,pixel_format_number,header_version,legacy,data_bytes";
    assert_eq!((csv.out[0].as_str(), csv.out.len()), (heads, 3), "{csv:?}");
    assert!(csv.out[1].starts_with("1,0,"), "{csv:?}");
    assert!(csv.out[2].ends_with(",64,36,R16G16B16A16_UNORM,91,1,false,18432"), "{csv:?}");
    let table = run(&["watch", name.as_str(), "--frames", "2"]);
    assert_eq!(table.out.len(), 2, "{table:?}");
    let line = &table.out[1];
    assert!(
        line.starts_with(&format!("{}   frame 2   64 × 36 rgba16   header 1   ", name.as_str())),
        "{line}"
    );
    for part in [" frames/s   ", " ms old   ", " missed"] {
        assert!(line.contains(part), "{line}");
    }
    let scope = run(&["watch", name.as_str(), "--frames", "1", "--scope", "tx"]);
    assert!(scope.err.iter().any(|line| line.contains("--scope is for channels")), "{scope:?}");
}

#[test]
fn watch_goes_on_when_channels_become_images_and_back() {
    let name = Name::new();
    let mut watch = start(&["watch", name.as_str(), "--format", "json"]);
    for _ in 0..2 {
        let channels = sending(&[name.as_str()]);
        while watch.json()["channels"].is_null() {}
        drop(channels);
        let images = sending(&[name.as_str(), "--test-pattern", "8x8"]);
        while watch.json()["width"].is_null() {}
        drop(images);
    }
}

#[test]
fn channels_are_no_image_and_floats_no_png() {
    let (name, folder) = (Name::new(), tempfile::tempdir().unwrap());
    let file = |file: &str| folder.path().join(file);
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&ChopFrame::from_rows(["tx"], 60.0, &[[0.5]]).unwrap()).unwrap();
    let ended = run(&["snap", name.as_str(), text(&file("x.png")), "--timeout", "30"]);
    assert!(ended.code == Some(1) && ended.err[0].contains("holds channels, no image"), "{ended:?}");
    drop(out);

    let _sender = sending(&[name.as_str(), "--test-pattern", "8x8", "--format", "rgba32f"]);
    let refused = run(&["snap", name.as_str(), text(&file("x.png")), "--timeout", "30"]);
    assert!(
        refused.code == Some(1) && refused.err[0].ends_with("or allow the loss with --lossy"),
        "{refused:?}"
    );
    assert!(!file("x.png").exists());
    let unknown = run(&["snap", name.as_str(), text(&file("x.gif")), "--timeout", "30"]);
    assert!(
        unknown.code == Some(1) && unknown.err[0].contains("use a file that ends in .png"),
        "{unknown:?}"
    );
    assert_eq!(run(&["snap", name.as_str(), text(&file("x.png")), "--lossy"]).code, Some(0));
    let picture = Picture::open(file("x.png")).unwrap();
    assert_eq!(picture.texels(), Texels::Format(PixelFormat::R16G16B16A16_UNORM));
}

#[test]
fn nobody_who_sends_is_said_in_time() {
    let name = Name::new();
    let ended = run(&["snap", name.as_str(), "/no/such/x.png", "--timeout", "0.05"]);
    assert_eq!((ended.code, ended.err.len()), (Some(1), 2), "{ended:?}");
    assert!(ended.err[1].contains("start its sender, for example `tdshm send "), "{ended:?}");
    let _sender = sending(&[name.as_str(), "--test-pattern", "8x8"]);
    let ended = run(&["snap", name.as_str(), "/no/such/x.png", "--timeout", "30"]);
    assert!(ended.err.last().unwrap().contains("cannot write /no/such/x.png: "), "{ended:?}");
}
