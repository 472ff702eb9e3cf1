//! Any bytes at all: a reader gives a recording or a typed error, and what it gives holds together.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests compute with small numbers and fail by panicking"
)]

use proptest::prelude::*;
use tdshm_io::Recording;

fn holds_together(recording: &Recording, file_bytes: usize) {
    assert!(recording.num_channels() > 0 && recording.len_samples() > 0);
    assert_eq!(recording.names().len(), recording.num_channels());
    assert!(recording.sample_rate().is_finite() && recording.sample_rate() > 0.0);
    assert!(recording.range(0, usize::MAX).all(|row| row.len() == recording.len_samples()));
    assert!(recording.num_channels() * recording.len_samples() <= file_bytes, "more samples than bytes");
}

/// Columns of numbers, and clips.
mod plain {
    use super::*;
    use tdshm_io::file::{chan, clip};

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(recording) = chan::read(&*bytes, 60.0) {
                holds_together(&recording, bytes.len());
            }
            if let Ok(recording) = clip::read(&*bytes) {
                holds_together(&recording, usize::MAX);
            }
        }

        #[test]
        fn no_columns_panic(text in "[0-9.e+\\- \t\r\nainf]{0,200}") {
            if let Ok(recording) = chan::read(text.as_bytes(), 60.0) {
                holds_together(&recording, text.len());
            }
        }

        /// Lines that a clip may have, in any order and number, and a few that it may not.
        #[test]
        fn no_clip_panics(lines in prop::collection::vec(prop::sample::select(LINES), 0..30)) {
            let text = lines.join("\n");
            if let Ok(recording) = clip::read(text.as_bytes()) {
                holds_together(&recording, usize::MAX);
            }
        }
    }

    const LINES: &[&str] = &[
        "{",
        "}",
        " rate = 60",
        "rate = 0",
        "rate = -1e99",
        "start = 3",
        "start = 1e300",
        "start =",
        "=",
        "name = a",
        "name =",
        "data = 0 1 2",
        "data =",
        "data_rle = @3 0.25 1",
        "data_rle = @0 1",
        "data_rle = @-1 1",
        "data_rle = @18446744073709551616 1",
        "data_rle = @ 1",
        "data_rle = @2",
        "tracks = 2",
        "tracklength = 99",
        "what is this",
        "lefttype = cycle",
    ];
}

#[cfg(feature = "csv")]
mod csv {
    use super::*;
    use std::fmt::Write;
    use tdshm_io::file::csv;

    fn check(bytes: &[u8]) {
        if let Ok(recording) = csv::read(bytes, 60.0) {
            holds_together(&recording, bytes.len());
        }
    }

    fn table() -> impl Strategy<Value = (Vec<String>, Vec<Vec<f32>>)> {
        (1_usize..6, 1_usize..20).prop_flat_map(|(channels, samples)| {
            let names = prop::collection::vec("[a-z][a-zäß \n,\"]{0,6}[a-z]", channels);
            let rows = prop::collection::vec(prop::collection::vec(any::<f32>(), samples), channels);
            (names, rows)
        })
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            check(&bytes);
        }

        #[test]
        fn no_text_of_a_table_panics(text in "(\u{feff})?[a-z0-9.,\"\n\r\t;e+\\- ]{0,120}") {
            check(text.as_bytes());
        }

        /// What is written with quotes, all digits and any line end comes back bit by bit.
        #[test]
        fn tables_come_back((names, channels) in table(), line_end in prop::sample::select(vec!["\n", "\r\n", "\r"])) {
            // A name such as "nan" alone would read as a number.
            prop_assume!(names.iter().any(|n| n.parse::<f32>().is_err()));
            let quoted: Vec<String> = names.iter().map(|n| format!("\"{}\"", n.replace('"', "\"\""))).collect();
            let mut text = quoted.join(",");
            for sample in 0..channels[0].len() {
                text.push_str(line_end);
                for (index, channel) in channels.iter().enumerate() {
                    write!(text, "{}{}", if index == 0 { "" } else { "," }, channel[sample]).unwrap();
                }
            }
            let recording = csv::read(text.as_bytes(), 120.0).unwrap();
            prop_assert_eq!(recording.names(), names);
            prop_assert_eq!(recording.sample_rate(), 120.0);
            for (index, channel) in channels.iter().enumerate() {
                for (read, written) in recording.channel(index).unwrap().iter().zip(channel) {
                    prop_assert!(read == written || (read.is_nan() && written.is_nan()), "{} {}", read, written);
                }
            }
        }
    }
}

#[cfg(feature = "wav")]
mod wav {
    use super::*;
    use hound::{SampleFormat, WavSpec, WavWriter};
    use std::io::Cursor;
    use tdshm_io::file::wav;

    fn check(bytes: &[u8]) {
        if let Ok(recording) = wav::read(bytes) {
            holds_together(&recording, bytes.len());
        }
    }

    /// A file as `hound` writes it, one value after the other over `channels` tracks.
    fn written(spec: WavSpec, frames: &[i32], floats: &[f32]) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
        match spec.sample_format {
            SampleFormat::Int => frames.iter().for_each(|v| writer.write_sample(*v).unwrap()),
            SampleFormat::Float => floats.iter().for_each(|v| writer.write_sample(*v).unwrap()),
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    fn spec() -> impl Strategy<Value = WavSpec> {
        let format = prop_oneof![
            prop::sample::select(vec![8_u16, 16, 24, 32]).prop_map(|bits| (bits, SampleFormat::Int)),
            Just((32_u16, SampleFormat::Float)),
        ];
        (1_u16..5, 1_u32..200_000, format).prop_map(
            |(channels, sample_rate, (bits_per_sample, sample_format))| WavSpec {
                channels,
                sample_rate,
                bits_per_sample,
                sample_format,
            },
        )
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), begun: bool) {
            let head: &[u8] = if begun { b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" } else { b"" };
            check(&[head, &bytes].concat());
        }

        /// A true file with some bytes changed and its end cut off.
        #[test]
        fn no_damage_panics(
            spec in spec(),
            changes in prop::collection::vec((0_usize..90, any::<u8>()), 0..6),
            keep in 0_usize..400,
        ) {
            let count = usize::from(spec.channels) * 20;
            let mut bytes = written(spec, &vec![1; count], &vec![0.5; count]);
            for (at, value) in changes {
                if let Some(byte) = bytes.get_mut(at) { *byte = value; }
            }
            bytes.truncate(keep);
            check(&bytes);
        }

        #[test]
        fn files_come_back(
            spec in spec(),
            values in prop::collection::vec((any::<i32>(), any::<f32>()), 1..30),
        ) {
            let shift = 32 - u32::from(spec.bits_per_sample);
            let channels = usize::from(spec.channels);
            let mut ints: Vec<i32> = Vec::new();
            let mut floats: Vec<f32> = Vec::new();
            for (int, float) in &values {
                ints.extend((0..spec.channels).map(|c| int.wrapping_add(i32::from(c) << 28) >> shift));
                floats.extend((0..spec.channels).map(|c| float + f32::from(c)));
            }
            let recording = wav::read(&written(spec, &ints, &floats)[..]).unwrap();
            prop_assert_eq!((recording.num_channels(), recording.len_samples()), (channels, values.len()));
            prop_assert_eq!(recording.sample_rate(), spec.sample_rate as f32);
            let full_scale = 2_f64.powi(i32::from(spec.bits_per_sample) - 1);
            for channel in 0..channels {
                for (sample, read) in recording.channel(channel).unwrap().iter().enumerate() {
                    let at = sample * channels + channel;
                    let expected = match spec.sample_format {
                        SampleFormat::Int => (f64::from(ints[at]) / full_scale) as f32,
                        SampleFormat::Float => floats[at],
                    };
                    prop_assert!(*read == expected || (read.is_nan() && expected.is_nan()));
                }
            }
        }
    }
}

/// Sound of the other kind, and columns of Parquet: whole files with some bytes changed and the end cut off, and anything
/// at all behind a true beginning.
#[cfg(feature = "parquet")]
mod packed {
    use super::*;
    use std::io::Cursor;
    use tdshm_io::ReadOptions;
    use tdshm_io::file::{ChannelReader, Existing, aiff};

    fn recording() -> Recording {
        let samples = (0..3).map(|channel| (0..50).map(|at| (at * channel) as f32).collect()).collect();
        Recording::new(vec!["a".into(), "b".into(), "c".into()], 60.0, samples).unwrap()
    }

    /// The bytes of such a file.
    fn file(extension: &str) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("a.{extension}"));
        recording().save(&path, Existing::Refuse).unwrap();
        std::fs::read(path).unwrap()
    }

    /// Reads piece by piece, a while at most: a few bytes may announce samples without end.
    fn check_parquet(bytes: &[u8]) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        std::fs::write(&path, bytes).unwrap();
        let Ok(mut reader) = ChannelReader::open(&path, &ReadOptions::new()) else { return };
        let (channels, mut samples) = (reader.layout().num_channels(), Vec::new());
        for _ in 0..20 {
            match reader.read(&mut samples) {
                Ok(0) => break,
                Ok(len_samples) => {
                    assert_eq!(samples.len(), channels * len_samples);
                    assert!(samples.len() <= (1 << 16).max(channels));
                }
                Err(error) => {
                    let said = error.to_string();
                    assert!(said.len() < 2000 && !said.contains('\n'), "{said}");
                    break;
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

        #[test]
        fn no_damage_to_sound_panics(
            changes in prop::collection::vec((0_usize..90, any::<u8>()), 0..6),
            end in 0_usize..700,
        ) {
            let mut bytes = file("aiff");
            for (at, value) in changes {
                bytes[at] = value;
            }
            bytes.truncate(end);
            if let Ok(recording) = aiff::read(Cursor::new(&bytes)) {
                holds_together(&recording, bytes.len());
            }
        }

        #[test]
        fn no_sound_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for head in [&b""[..], b"FORM\0\0\0\xffAIFFCOMM\0\0\0\x12", b"FORM\0\0\0\xffAIFCCOMM\0\0\0\x16\0\x01\0\0\0\x01\0\x10\x40\x0e\xac\x44\0\0\0\0\0\0"] {
                let bytes = [head, &bytes].concat();
                if let Ok(recording) = aiff::read(Cursor::new(&bytes)) {
                    holds_together(&recording, bytes.len());
                }
            }
        }

        #[test]
        fn no_damage_to_columns_panics(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
            footer in any::<bool>(),
        ) {
            let mut bytes = file("parquet");
            // The end holds what everything else is understood by.
            let from = if footer { bytes.len() / 3 } else { 0 };
            for (at, value) in changes {
                let at = from + at.index(bytes.len() - from);
                bytes[at] = value;
            }
            check_parquet(&bytes);
        }

        #[test]
        fn no_columns_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let size = u32::try_from(bytes.len()).unwrap().to_le_bytes();
            check_parquet(&[b"PAR1", &bytes[..], &size, b"PAR1"].concat());
            check_parquet(&bytes);
        }
    }
}

#[cfg(feature = "lines")]
mod lines {
    use super::*;
    use tdshm_io::lines::{FrameLines, LineFormat};

    fn check(bytes: &[u8], format: Option<LineFormat>, rows: usize) {
        let mut lines = FrameLines::new(bytes).rows_per_frame(rows);
        if let Some(format) = format {
            lines = lines.format(format);
        }
        let (mut samples, mut results) = (0, 0);
        loop {
            results += 1;
            assert!(results <= bytes.len() + 2, "no end");
            match lines.next_frame() {
                Ok(Some(frame)) => {
                    assert_eq!(frame.samples.len(), frame.names.len() * frame.len_samples);
                    assert!(frame.sample_rate.is_none_or(|rate| rate.is_finite() && rate > 0.0));
                    samples += frame.samples.len();
                }
                Ok(None) => break,
                Err(error) => assert!(error.to_string().len() < 1000, "{error}"),
            }
        }
        assert!(samples <= bytes.len(), "more samples than bytes");
        assert!(!lines.goes_on() && lines.next_frame().unwrap().is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), rows in 1_usize..4) {
            for format in [None, Some(LineFormat::Csv), Some(LineFormat::Json)] {
                check(&bytes, format, rows);
            }
        }

        #[test]
        fn no_text_of_a_table_panics(text in "(\u{feff})?[ab0-9.,\"\n\r;e+\\- ]{0,120}", rows in 1_usize..4) {
            check(text.as_bytes(), None, rows);
        }

        #[test]
        fn no_text_of_objects_panics(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "{", "}", "[", "]", ",", ":", "\n", "\"channels\"", "\"name\"", "\"samples\"", "\"sample_rate\"",
                    "\"plus_inf\"", "null", "1", "-0.5", "1e99", "\"\\u0000\"", " ", "{\"channels\":[",
                    "{\"name\":\"a\",\"samples\":[1,null]", "}]}\n", "{\"a\":1}\n",
                ]),
                0..40,
            ),
        ) {
            check(parts.concat().as_bytes(), Some(LineFormat::Json), 1);
        }
    }
}

#[cfg(feature = "images")]
mod images {
    use super::*;
    use std::io::Cursor;
    use tdshm::PixelFormat;
    use tdshm_io::{Loss, Picture};

    /// Small files of each kind, whole.
    fn files() -> Vec<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let save = |file: &str, format: PixelFormat| {
            let pixels =
                (0..9 * 7 * format.bytes_per_pixel().unwrap()).map(|n| (n * 37 % 251) as u8).collect();
            let path = folder.path().join(file);
            Picture::new(format, 9, 7, pixels).unwrap().save(&path, Loss::Allow).unwrap();
            std::fs::read(path).unwrap()
        };
        vec![
            save("x.exr", PixelFormat::R16G16B16A16_SFLOAT),
            save("x.exr", PixelFormat::R16_SFLOAT),
            save("x.exr", PixelFormat::R32A32_SFLOAT),
            save("x.png", PixelFormat::R8G8B8A8_UNORM),
            save("x.jpg", PixelFormat::R8_UNORM),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

        #[test]
        fn no_damage_panics(
            which in 0_usize..5,
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            end in any::<prop::sample::Index>(),
            whole in any::<bool>(),
        ) {
            let mut bytes = files().swap_remove(which);
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if !whole {
                bytes.truncate(end.index(bytes.len()));
            }
            if let Ok(picture) = Picture::read(Cursor::new(bytes)) {
                let each = picture.texels().bytes_per_pixel().unwrap();
                prop_assert_eq!(picture.pixels().len(), picture.width() * picture.height() * each);
            }
        }
    }
}
