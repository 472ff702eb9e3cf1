#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on fails"
)]

use std::fs;

use tdshm_ops::clip::{ChannelNames, Extend};
use tdshm_ops::{Network, ScriptCallback};

use super::*;

/// Numbers that lose something in fewer digits than they need.
const AWKWARD: [f32; 8] = [0.1, -0.0, 1.0e-40, f32::MAX, f32::MIN_POSITIVE, 16_777_217.0, 1.0 / 3.0, -1e9];

fn made(names: &[&str], rate: f64, start: i64, samples: &[f32]) -> Clip {
    let mut clip = Clip::default();
    let len = samples.len() / names.len().max(1);
    clip.shape(ChannelNames::new(names.iter().copied()), len).unwrap().copy_from_slice(samples);
    clip.set_rate(rate).unwrap();
    clip.set_start(start);
    clip
}

fn chop(clip: Clip) -> Op {
    let op = Network::new().root().create("scriptCHOP", "script1").unwrap();
    let script = ScriptCallback::new(move |cook| {
        cook.fill_clip(|out| out.copy_from(&clip)).map_err(|error| error.to_string())
    });
    op.set_script(script).unwrap();
    op
}

/// What is in the file that such channels are saved in.
fn saved(clip: &Clip, file: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    fs::read(save(&chop(clip.clone()), folder.path().join(file), Folders::MustExist).unwrap()).unwrap()
}

fn text(clip: &Clip, file: &str) -> String {
    String::from_utf8(saved(clip, file)).unwrap()
}

/// The example of operators §12, letter by letter.
#[test]
fn a_clip_is_written_as_in_the_specification() {
    let clip = made(&["tx", "ty"], 60.0, 0, &[0.0, 0.5, 1.0, 1.5, 0.25, 0.25, 0.25, 1.0]);
    let expected = "{\n   rate = 60\n   start = 0\n   tracklength = 4\n   tracks = 2\n   {\n      name = tx\n      \
                    data = 0 0.5 1 1.5\n   }\n   {\n      name = ty\n      data_rle = @3 0.25 1\n   }\n}\n";
    assert_eq!(text(&clip, "a.clip"), expected);
}

#[test]
fn a_clip_tells_where_it_begins_how_it_goes_on_and_no_second_line_in_a_name() {
    let mut clip = made(&["a b\n}", "ä"], 59.94, -7, &[1.0, 2.0]);
    clip.set_extend(Extend::Cycle, Extend::Default);
    clip.set_default_value(0.5);
    let written = text(&clip, "a.clip");
    for line in [
        "   rate = 59.94",
        "   start = -7",
        "      name = a_b__",
        "      name = _",
        "      lefttype = cycle",
        "      righttype = default",
        "      default = 0.5",
    ] {
        assert!(written.lines().any(|found| found == line), "{line} in {written}");
    }
}

#[test]
fn texts_give_the_same_bits_again() {
    let bits = |samples: &[f32]| samples.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>();
    let read = |numbers: &str, between: char| -> Vec<f32> {
        numbers.split(between).map(|number| number.trim().parse().unwrap()).collect()
    };
    let one = made(&["a"], 60.0, 0, &AWKWARD);
    let clip = text(&one, "a.clip");
    let data = clip.lines().find_map(|line| line.trim().strip_prefix("data = ")).unwrap();
    assert_eq!(bits(&read(data, ' ')), bits(&AWKWARD));
    let many = made(&["a", "b", "c", "d"], 60.0, 0, &AWKWARD);
    let columns = |text: &str, between| -> Vec<Vec<f32>> {
        let rows: Vec<Vec<f32>> = text.lines().map(|line| read(line, between)).collect();
        (0..4).map(|column| rows.iter().map(|row| row[column]).collect()).collect()
    };
    assert_eq!(bits(&columns(&text(&many, "a.chan"), '\t').concat()), bits(&AWKWARD));
    let csv = text(&made(&["a", "b,\"", "c", " d"], 60.0, 0, &AWKWARD), "a.csv");
    let (names, rows) = csv.split_once('\n').unwrap();
    assert_eq!(names, "a,\"b,\"\"\",c,\" d\"");
    assert_eq!(bits(&columns(rows, ',').concat()), bits(&AWKWARD));
}

/// What is saved and read again is the same, through the operator that reads.
#[test]
fn a_clip_that_is_saved_comes_back_whole() {
    let folder = tempfile::tempdir().unwrap();
    let op = chop(made(&["tx", "ty"], 59.94, -3, &AWKWARD));
    let mut registry = tdshm_ops::Registry::standard();
    super::super::register(&mut registry);
    let net = Network::with_registry(registry);
    for (file, names, rate, start) in [
        ("take.clip", ["tx", "ty"], f64::from(59.94_f32), -3),
        ("take.chan", ["chan1", "chan2"], 60.0, 0),
        ("take.csv", ["tx", "ty"], 60.0, 0),
    ] {
        let path = save(&op, folder.path().join(file), Folders::MustExist).unwrap();
        let back = net.root().create("fileinCHOP", None).unwrap();
        back.par("file").unwrap().set(path.to_str().unwrap()).unwrap();
        let clip = back.clip().unwrap();
        assert_eq!(back.errors().unwrap(), "", "{file}");
        assert!(clip.names().are(names), "{file}");
        assert_eq!((clip.rate(), clip.start(), clip.len_samples()), (rate, start, 4), "{file}");
        let bits = |samples: &[f32]| samples.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(clip.samples()), bits(&AWKWARD), "{file}");
    }
}

/// The bytes of the 80-bit numbers are those that sound files of these rates have.
#[test]
fn a_sound_file_holds_floats_at_the_rate() {
    let clip = made(&["left", "right"], 44_100.0, 0, &[0.5, -2.0, 1.0, 0.25]);
    let file = saved(&clip, "a.aiff");
    assert_eq!((&file[..4], &file[8..12]), (&b"FORM"[..], &b"AIFC"[..]));
    assert_eq!(u32::from_be_bytes(file[4..8].try_into().unwrap()) as usize, file.len() - 8);
    let at = |name: &[u8]| file.windows(4).position(|four| four == name).unwrap();
    let common = &file[at(b"COMM") + 8..];
    assert_eq!(common[..8], [0, 2, 0, 0, 0, 2, 0, 32]);
    assert_eq!(common[8..18], [0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0], "44100");
    assert_eq!(&common[18..22], b"fl32");
    let samples: Vec<f32> = file[at(b"SSND") + 16..]
        .chunks_exact(4)
        .map(|four| f32::from_be_bytes(four.try_into().unwrap()))
        .collect();
    assert_eq!(samples, [0.5, 1.0, -2.0, 0.25], "moment by moment");
    let text = saved(&made(&["a"], 59.94, 0, &[0.0]), "a.aif").len();
    assert!(text > 0, "any rate");
}

#[cfg(feature = "wav")]
#[test]
fn a_wav_is_read_back_and_says_what_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/take.WAV");
    let op = chop(made(&["a", "b"], 48_000.0, 0, &[0.5, -2.0, 1.0, f32::MAX]));
    let refused = save(&op, &path, Folders::MustExist).unwrap_err().to_string();
    assert!(refused.starts_with("cannot write "), "{refused}");
    assert_eq!(save(&op, &path, Folders::Create).unwrap(), path);
    let read = crate::Recording::open(&path, &crate::ReadOptions::new()).unwrap();
    assert_eq!((read.sample_rate(), read.channel(1)), (48_000.0, Some(&[1.0, f32::MAX][..])));
    let said =
        |clip| save(&chop(clip), folder.path().join("no.wav"), Folders::MustExist).unwrap_err().to_string();
    assert_eq!(
        said(made(&["a"], 59.94, 0, &[0.0])),
        "the sample rate is 59.94, and in a .wav file it is a whole number: resample it, or write an .aiff file"
    );
    assert_eq!(
        said(Clip::default()),
        "the number of channels is 0, and in a .wav file it is from 1 to 16383"
    );
}

#[test]
fn other_extensions_are_refused_by_name_and_what_was_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    let op = chop(made(&["a"], 60.0, 0, &[1.0]));
    let said = |name: &str| save(&op, folder.path().join(name), Folders::Create).unwrap_err().to_string();
    for secret in ["bchan", "bclip"] {
        let text = said(&format!("take.{secret}"));
        assert!(
            text.starts_with(&format!("the format .{secret} is described nowhere in public: use")),
            "{text}"
        );
    }
    assert!(said("take").contains("has no extension"));
    assert!(said("take.mp3").contains("\"mp3\": use a file that ends in .chan or .clip"));
    fs::write(folder.path().join("kept.wav"), "kept").unwrap();
    let odd = chop(made(&["a"], 0.5, 0, &[1.0]));
    assert!(save(&odd, folder.path().join("kept.wav"), Folders::MustExist).is_err());
    assert_eq!(fs::read_to_string(folder.path().join("kept.wav")).unwrap(), "kept");
    let base = odd.network().root().create("baseCOMP", "base1").unwrap();
    assert_eq!(
        save(&base, folder.path().join("a.clip"), Folders::MustExist).unwrap_err().to_string(),
        "/base1 has neither channels nor an image: save a CHOP or a TOP that has cooked"
    );
}

#[test]
fn a_top_becomes_a_picture_the_right_way_up() {
    let folder = tempfile::tempdir().unwrap();
    let net = Network::new();
    let top = net.root().create("constantTOP", "constant1").unwrap();
    for (par, value) in [("resolutionw", 3.0), ("resolutionh", 2.0), ("colorr", 1.0), ("colorg", 0.5)] {
        top.par(par).unwrap().set(value).unwrap();
    }
    top.par("outputresolution").unwrap().set("custom").unwrap();
    let path = save(&top, folder.path().join("plate.png"), Folders::MustExist).unwrap();
    let read = Picture::open(&path).unwrap();
    assert_eq!((read.width(), read.height()), (3, 2));
    assert_eq!(read.pixels()[..4], [255, 128, 255, 255]);
    assert_eq!(to_bytes(&top, ".png").unwrap(), fs::read(&path).unwrap());
    assert!(to_bytes(&top, ".gif").unwrap_err().to_string().contains("\"gif\""));
    let mut image = Image::default();
    image.shape(1, 2, tdshm::PixelFormat::R8_UNORM).unwrap().copy_from_slice(&[1, 2]);
    assert_eq!(picture(&image).unwrap().pixels(), [2, 1], "the top row first");
}
