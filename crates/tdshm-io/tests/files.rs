//! Channels into a file of each format and out again, and from each format into each other.

#![cfg(all(feature = "csv", feature = "parquet", feature = "wav"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests compute with small numbers and fail by panicking"
)]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tdshm_io::file::{ChannelReader, ChannelWriter, Ends, Existing, Format, Layout, Lost};
use tdshm_io::{FileError, ReadOptions, Recording};

const FORMATS: &[&str] = &[
    "chan",
    "clip",
    "csv",
    "wav",
    "aiff",
    "parquet",
    #[cfg(feature = "recording")]
    "mcap",
];

/// A rate that every format holds, if it holds one, and that no reader assumes.
const RATE: f32 = 120.0;

fn channels() -> impl Strategy<Value = (Vec<String>, Vec<Vec<f32>>)> {
    let sample = prop_oneof![prop::num::f32::ANY, Just(0.25), Just(f32::NAN), Just(f32::INFINITY)];
    (1_usize..5, 1_usize..40).prop_flat_map(move |(channels, samples)| {
        let names = prop::collection::hash_set("[a-z][a-z0-9_ ,\"äß:]{0,6}[q-z]", channels);
        let names = names.prop_map(|names| names.into_iter().collect::<Vec<String>>());
        (names, prop::collection::vec(prop::collection::vec(sample.clone(), samples), channels))
    })
}

/// The same bits; what is no number has none that texts keep.
fn same(one: &Recording, other: &Recording) -> bool {
    let bits = |sample: f32| if sample.is_nan() { f32::NAN.to_bits() } else { sample.to_bits() };
    one.num_channels() == other.num_channels()
        && one.range(0, usize::MAX).zip(other.range(0, usize::MAX)).all(|(one, other)| {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| bits(*one) == bits(*other))
        })
}

fn holds_names(format: &str) -> bool {
    matches!(format, "clip" | "csv" | "parquet" | "mcap")
}

fn holds_rate(format: &str) -> bool {
    !matches!(format, "chan" | "csv")
}

/// Writes and reads again.
fn through(recording: &Recording, folder: &Path, format: &str) -> (Recording, Vec<Lost>) {
    let path = folder.join(format!("take.{format}"));
    let lost = recording.save(&path, Existing::Replace).unwrap();
    (Recording::open(&path, &ReadOptions::new()).unwrap(), lost)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn every_format_into_every_other((names, samples) in channels(), start in -1000_i64..1000) {
        let folder = tempfile::tempdir().unwrap();
        let recording = Recording::new(names.clone(), RATE, samples).unwrap().with_start(start);
        for first in FORMATS.iter().copied() {
            let (one, lost) = through(&recording, folder.path(), first);
            prop_assert!(same(&recording, &one), "{}", first);
            // What is lost is told, and nothing else is.
            let told = |what: fn(&Lost) -> bool| lost.iter().any(what);
            prop_assert_eq!(one.names() != recording.names(), told(|lost| matches!(lost, Lost::Names { .. })));
            prop_assert_eq!(!holds_rate(first), told(|lost| matches!(lost, Lost::Rate { .. })));
            prop_assert_eq!(one.start() != start, told(|lost| matches!(lost, Lost::Start { .. })));
            let more = told(|lost| matches!(lost, Lost::Renamed { .. } | Lost::Precision { .. } | Lost::LeftOut { .. }));
            prop_assert!(!more);
            for second in FORMATS.iter().copied() {
                let (two, _) = through(&one, folder.path(), second);
                prop_assert!(same(&recording, &two), "{} {}", first, second);
                prop_assert_eq!(two.names() == recording.names(), holds_names(first) && holds_names(second));
                let rate = if holds_rate(first) && holds_rate(second) { RATE } else { 60.0 };
                prop_assert_eq!(two.sample_rate(), rate, "{} {}", first, second);
            }
        }
    }

    /// However the pieces are cut, the file is the same.
    #[test]
    fn pieces_make_the_same_file((names, samples) in channels(), cuts in prop::collection::vec(0_usize..40, 0..4)) {
        let folder = tempfile::tempdir().unwrap();
        let recording = Recording::new(names, RATE, samples).unwrap();
        // A recording hands on what it has twice a second, so its bytes depend on the time.
        for format in FORMATS.iter().copied().filter(|format| *format != "mcap") {
            let (whole, pieces) = (folder.path().join(format!("a.{format}")), folder.path().join(format!("b.{format}")));
            recording.save(&whole, Existing::Refuse).unwrap();
            let layout = recording.layout().clone().with_unknown_len();
            let mut file = ChannelWriter::create(&pieces, &layout, Existing::Refuse).unwrap();
            let mut at: Vec<usize> = cuts.iter().map(|cut| *cut.min(&recording.len_samples())).collect();
            at.extend([0, recording.len_samples()]);
            at.sort_unstable();
            for pair in at.windows(2) {
                file.write(&recording.range(pair[0], pair[1]).collect::<Vec<_>>().concat(), pair[1] - pair[0]).unwrap();
            }
            file.finish().unwrap();
            prop_assert_eq!(fs::read(&whole).unwrap(), fs::read(&pieces).unwrap(), "{}", format);
            fs::remove_file(whole).unwrap();
            fs::remove_file(pieces).unwrap();
        }
    }
}

/// Rates that are no whole numbers come back to the last bit.
#[test]
fn rates_come_back() {
    let folder = tempfile::tempdir().unwrap();
    for rate in [59.94, 24_000.0 / 1001.0, 0.001, 1.0 / 3.0, 192_000.0] {
        for format in ["clip", "aiff", "parquet"] {
            let path = folder.path().join(format!("a.{format}"));
            let layout = Layout::new(vec!["a".into()], rate).unwrap();
            let mut file = ChannelWriter::create(&path, &layout, Existing::Replace).unwrap();
            file.write(&[1.0], 1).unwrap();
            file.finish().unwrap();
            let back = ChannelReader::open(&path, &ReadOptions::new()).unwrap();
            assert_eq!(
                (back.layout().sample_rate(), back.layout().rate_is_assumed()),
                (rate, false),
                "{format}"
            );
        }
    }
}

#[test]
fn a_clip_keeps_how_it_goes_on_and_others_say_that_they_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.clip");
    let text = "{\n   rate = 60\n   start = 0\n   tracklength = 1\n   tracks = 2\n   {\n      name = a\n      lefttype = cycle\n      \
                default = 0.5\n      data = 1\n   }\n   {\n      name = b\n      data = 2\n   }\n}\n";
    fs::write(&path, text).unwrap();
    let recording = Recording::open(&path, &ReadOptions::new()).unwrap();
    let mut first = Ends::default();
    (first.left, first.default) = (Some("cycle".into()), Some(0.5));
    assert_eq!(recording.layout().ends(), [first, Ends::default()]);
    assert_eq!(recording.save(&path, Existing::Replace).unwrap(), []);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let lost = recording.save(folder.path().join("a.parquet"), Existing::Refuse).unwrap();
    assert_eq!(lost, [Lost::Ends { file: ".parquet" }]);
    // What nobody describes is skipped, and told.
    fs::write(&path, text.replace("name = b", "name = b\n quatrel = 1")).unwrap();
    let recording = Recording::open(&path, &ReadOptions::new()).unwrap();
    let [lost] = recording.layout().lost() else { panic!("one sentence") };
    assert_eq!(lost.to_string(), "the clip has lines that nobody describes, which are left out: quatrel");
}

#[test]
fn names_that_do_not_fit_are_changed_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let of = |names: &[&str], file: &str| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let samples = vec![vec![1.0]; names.len()];
        let path = folder.path().join(file);
        let lost = Recording::new(names, 60.0, samples).unwrap().save(&path, Existing::Replace).unwrap();
        let lost: Vec<String> =
            lost.iter().map(ToString::to_string).filter(|lost| !lost.contains("rate")).collect();
        (Recording::open(&path, &ReadOptions::new()).map(|back| back.names().to_vec()), lost)
    };
    let (names, lost) = of(&["a", "a", "a_2", "", "a"], "a.parquet");
    assert_eq!(names.unwrap(), ["a", "a_3", "a_2", "chan4", "a_4"]);
    assert_eq!(
        lost,
        [
            "in the .parquet file 3 channels have other names (\"a_3\" for \"a\", and so on), because each column has a name of its own"
        ]
    );
    let (names, lost) = of(&["a\nb", ""], "a.clip");
    assert_eq!(names.unwrap(), ["a_b", "chan2"]);
    assert_eq!(lost.len(), 1);
    let (names, lost) = of(&["1", "nan"], "a.csv");
    assert!(
        names.is_err()
            && lost == ["all channel names are numbers: who reads the .csv file may take them for samples"]
    );
    let (names, lost) = of(&["", "b"], "a.csv");
    assert_eq!(names.unwrap(), ["chan1", "b"]);
    assert_eq!(
        lost,
        ["in the .csv file the channel \"\" is called \"chan1\", because a column has to have a name"]
    );
}

#[test]
fn what_a_format_cannot_hold_at_all_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |file: &str, channels: usize, rate: f64, len_samples: u64| {
        let layout = Layout::new(vec!["a".into(); channels], rate).unwrap().with_len_samples(len_samples);
        match ChannelWriter::create(folder.path().join(file), &layout, Existing::Refuse) {
            Err(FileError::DoesNotFit { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused("a.wav", 1, 59.94, 1), "the sample rate");
    assert_eq!(refused("a.wav", 16_384, 60.0, 1), "the number of channels");
    assert_eq!(refused("a.wav", 16_000, 192_000.0, 1), "the number of bytes a second");
    assert_eq!(refused("a.wav", 2, 60.0, 1 << 28), "the number of samples");
    assert_eq!(refused("a.aiff", 32_768, 60.0, 1), "the number of channels");
    assert_eq!(refused("a.aif", 2, 60.0, 1 << 28), "the number of samples");
    assert_eq!(refused("a.clip", 2, 60.0, 1 << 27), "the number of samples");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let layout = Layout::new(vec!["a".into(); 2], 60.0).unwrap();
    let mut file = ChannelWriter::create(folder.path().join("a.csv"), &layout, Existing::Refuse).unwrap();
    let error = file.write(&[1.0, 2.0, 3.0], 2).unwrap_err().to_string();
    assert_eq!(error, "3 samples were given where the channels need 4: give as many for each channel");
    drop(file);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing stays of what was given up");
    // The most that a format holds is held.
    for (file, channels) in [("a.wav", 16_383), ("a.aiff", 32_767)] {
        let recording = Recording::new(vec!["a".into(); channels], 60.0, vec![vec![0.5]; channels]).unwrap();
        assert!(
            same(&through(&recording, folder.path(), file.split_once('.').unwrap().1).0, &recording),
            "{file}"
        );
    }
}

#[test]
fn secrets_are_recognised() {
    for (file, public) in [("a.bclip", ".clip"), ("b.BCHAN", ".chan")] {
        for said in [
            Format::of(file).unwrap_err().to_string(),
            Recording::open(file, &ReadOptions::new()).unwrap_err().to_string(),
        ] {
            assert!(
                said.contains("described nowhere in public")
                    && said.contains(&format!("saves {public}, which")),
                "{said}"
            );
        }
    }
}
