//! An image that is sent once and stays, whatever others do to it (wire §3, §4, §9).

use tdshm::{HeaderVersion, PixelFormat, Pixels, RowOrder, TopReceiver, TopSender};
use tdshm_tests::Scene;
use tdshm_tests::foreign::{DETACH_AT, Mapping, Names, postfix_of};
use tdshm_tests::foreign_top::ForeignTop;
use tdshm_tests::images::Image;
use tdshm_tests::info::Info;

const IMAGE: Image = Image { number: 7, format: PixelFormat::R8G8B8A8_UNORM, width: 60, height: 33 };

fn data(scene: &Scene) -> Mapping {
    let names = Names::of(scene.name());
    let postfix = postfix_of(&Mapping::open(&names.info).unwrap());
    Mapping::open(&format!("{}{postfix}", names.data)).unwrap()
}

/// Where the header says that the pixels begin.
fn pixels_at(data: &Mapping) -> usize {
    data.u32(if data.u32(0) == 0xe95d_f673 { 36 } else { 40 }) as usize
}

/// Does something to an image that stays, and says whether it had to be sent again. Either way it is there, for whoever
/// reads on and for whoever comes new.
fn after(what: &str, slots: usize, version: HeaderVersion, act: impl FnOnce(&Scene)) -> bool {
    let scene = Scene::new("still");
    scene.doing(what);
    let bytes = IMAGE.strided(RowOrder::TopFirst, IMAGE.row_bytes() + 5);
    let pixels = Pixels::top_first(IMAGE.format, IMAGE.width, IMAGE.height, &bytes);
    let pixels = pixels.stride(IMAGE.row_bytes() + 5);
    let mut out = TopSender::builder(scene.name()).slots(slots).header(version).create().unwrap();
    let mut input = TopReceiver::open(scene.name()).unwrap();
    assert!(out.keep(&pixels).unwrap().is_some(), "it was never sent");
    assert_eq!(Image::seen(input.read().unwrap().unwrap()), Some(IMAGE));
    for _ in 0..3 {
        assert!(out.keep(&pixels).unwrap().is_none());
    }
    assert!(input.try_next().unwrap().is_none(), "nobody notices");
    act(&scene);
    let again = out.keep(&pixels).unwrap().is_some();
    assert!(out.keep(&pixels).unwrap().is_none(), "{what}: once");
    assert_eq!(out.frames(), 1 + u64::from(again));
    assert_eq!(input.read().unwrap().map(Image::seen), Some(Some(IMAGE)), "{what}");
    let mut new = TopReceiver::open(scene.name()).unwrap();
    assert_eq!(new.read().unwrap().map(Image::seen), Some(Some(IMAGE)), "{what}");
    let foreign = ForeignTop::attach(scene.name()).unwrap().read();
    if version != HeaderVersion::Legacy {
        assert_eq!(foreign.unwrap().pixels, IMAGE.bytes(RowOrder::BottomFirst), "{what}");
    }
    again
}

#[test]
fn whatever_is_written_over_is_set_right() {
    for slots in [0, 3] {
        for version in [HeaderVersion::V1, HeaderVersion::V2, HeaderVersion::Legacy] {
            assert!(!after("nothing", slots, version, |_| {}));
            for at in [0, 8, 12, 24, 40] {
                let header = |scene: &Scene| data(scene).write(at, &[1, 2, 3, 4]);
                let again = after("the header", slots, version, header);
                // In an old header other things lie there, or nothing at all.
                assert!(again || (version == HeaderVersion::Legacy && at == 40), "{version:?} {at}");
            }
            for at in [0, IMAGE.row_bytes() + 1, IMAGE.row_bytes() * IMAGE.height - 1] {
                assert!(after("a pixel", slots, version, |scene| {
                    let data = data(scene);
                    let at = pixels_at(&data) + at;
                    let other = !data.read(at, 1)[0];
                    data.write(at, &[other]);
                }));
            }
            for (at, junk) in [(0, 0), (0, 0xff), (DETACH_AT, 1), (10, b'q'), (9, b'q')] {
                after("the info block", slots, version, |scene| Info::of(scene).set(at as u64, &[junk]));
            }
        }
    }
}

/// Whoever reads at the usual offset alone has said so when it came.
#[test]
fn for_whoever_comes_later_it_lies_at_the_usual_offset() {
    let scene = Scene::new("still: foreign");
    let mut out = TopSender::create(scene.name()).unwrap();
    let mut input = TopReceiver::open(scene.name()).unwrap();
    let bytes = IMAGE.bytes(RowOrder::BottomFirst);
    let pixels = Pixels::bottom_first(IMAGE.format, IMAGE.width, IMAGE.height, &bytes);
    out.keep(&pixels).unwrap().expect("it was never sent");
    assert_eq!(Image::seen(input.read().unwrap().unwrap()), Some(IMAGE));
    assert_eq!(pixels_at(&data(&scene)) % 64, 0, "a place");
    let mut foreign = ForeignTop::attach(scene.name()).unwrap();
    assert!(out.keep(&pixels).unwrap().is_some());
    assert!(out.keep(&pixels).unwrap().is_none());
    let block = foreign.read().unwrap();
    assert_eq!((block.data_offset, block.pixels), (48, bytes.clone()));
    assert_eq!(Image::seen(input.try_next().unwrap().unwrap()), Some(IMAGE));
}

/// Somebody removes the name, or puts something else there.
#[cfg(target_os = "linux")]
#[test]
fn a_segment_that_lost_its_name_gets_another() {
    for slots in [0, 3] {
        let name_of = |scene: &Scene| format!("/dev/shm/{}", Names::of(scene.name()).data);
        assert!(after("the name", slots, HeaderVersion::V1, |scene| {
            std::fs::remove_file(name_of(scene)).unwrap();
        }));
        assert!(after("another object", slots, HeaderVersion::V1, |scene| {
            std::fs::remove_file(name_of(scene)).unwrap();
            std::fs::write(name_of(scene), [0; 4096]).unwrap();
        }));
    }
}
