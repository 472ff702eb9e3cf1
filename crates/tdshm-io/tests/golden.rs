//! Files that other programs wrote, opened as a user opens them. Beside each stands a text file: what it holds and
//! whence it is.

#![cfg(any(feature = "csv", feature = "wav"))]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::PathBuf;

use tdshm_io::{ReadOptions, Recording};

fn open(name: &str) -> Recording {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "golden", name].iter().collect();
    Recording::open(path, &ReadOptions::new().table_rate(120.0)).unwrap()
}

/// Compares names, rate and samples, with NaN equal to NaN.
fn assert_holds(name: &str, rate: f32, expected: &[(&str, &[f32])]) {
    let recording = open(name);
    let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    assert_eq!(recording.names(), names, "{name}");
    assert_eq!(recording.sample_rate(), rate, "{name}");
    for (row, (channel, samples)) in recording.range(0, usize::MAX).zip(expected) {
        let same = row.len() == samples.len()
            && row.iter().zip(*samples).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()));
        assert!(same, "{name}, {channel}: {row:?} is not {samples:?}");
    }
}

#[cfg(feature = "wav")]
#[test]
fn sound_of_pythons_wave_module() {
    assert_holds(
        "python-wave-8bit-stereo.wav",
        8000.0,
        &[("chan1", &[-1.0, -0.5, 0.5]), ("chan2", &[0.0, 127.0 / 128.0, -127.0 / 128.0])],
    );
    assert_holds(
        "python-wave-16bit-stereo.wav",
        44100.0,
        &[
            ("chan1", &[-1.0, -0.5, 0.0, 0.5]),
            ("chan2", &[32767.0 / 32768.0, 0.25, 1.0 / 32768.0, -1.0 / 32768.0]),
        ],
    );
    assert_holds(
        "python-wave-24bit-mono.wav",
        96000.0,
        &[("chan1", &[-1.0, 8_388_607.0 / 8_388_608.0, -0.5, 0.25])],
    );
}

#[cfg(feature = "wav")]
#[test]
fn sound_of_scipy() {
    // The largest 32-bit integer has no f32 of its own: the nearest is 1.
    assert_holds("scipy-32bit-stereo.wav", 48000.0, &[("chan1", &[-1.0, 1.0]), ("chan2", &[0.5, -0.25])]);
    assert_holds(
        "scipy-float-stereo.wav",
        22050.0,
        &[("chan1", &[0.25, 1e-20, -0.75]), ("chan2", &[-1.5, f32::INFINITY, f32::NAN])],
    );
}

#[cfg(feature = "csv")]
#[test]
fn tables_of_pandas_and_the_csv_module() {
    assert_holds(
        "pandas-table.csv",
        120.0,
        &[
            ("tx", &[0.5, f32::NAN, 1e-20]),
            ("hand, left", &[1.0, 2.0, 3.0]),
            ("say \"hi\"", &[f32::INFINITY, f32::NEG_INFINITY, -0.25]),
        ],
    );
    assert_holds("pandas-one-channel.csv", 120.0, &[("a", &[1.5, f32::NAN, 2.0])]);
    assert_holds("python-csv-excel.csv", 120.0, &[("größe", &[1.25, 3.0]), ("b", &[-2.0, 4000.0])]);
}
