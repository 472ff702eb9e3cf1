#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Cursor;

use super::*;

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut chunk = name.to_vec();
    chunk.extend_from_slice(&u32::try_from(body.len()).unwrap().to_be_bytes());
    chunk.extend_from_slice(body);
    if !body.len().is_multiple_of(2) {
        chunk.push(0);
    }
    chunk
}

fn common(channels: i16, len_samples: u32, bits: i16, rate: f64, kind: Option<&[u8; 4]>) -> Vec<u8> {
    let mut common = channels.to_be_bytes().to_vec();
    common.extend_from_slice(&len_samples.to_be_bytes());
    common.extend_from_slice(&bits.to_be_bytes());
    common.extend_from_slice(&extended(rate));
    if let Some(kind) = kind {
        common.extend_from_slice(kind);
        common.extend_from_slice(&[0, 0]);
    }
    chunk(b"COMM", &common)
}

fn samples(data: &[u8]) -> Vec<u8> {
    chunk(b"SSND", &[&[0; 8], data].concat())
}

fn form(kind: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"FORM", &[kind.to_vec(), chunks.concat()].concat())
}

fn channels(file: &[u8]) -> Vec<Vec<f32>> {
    read(Cursor::new(file)).unwrap().range(0, usize::MAX).map(<[f32]>::to_vec).collect()
}

fn err(file: &[u8]) -> String {
    read(Cursor::new(file)).unwrap_err().to_string()
}

#[test]
fn integers_are_scaled_by_their_width() {
    let plain = |bits, data: &[u8]| {
        let len = u32::try_from(data.len()).unwrap() / u32::try_from(bits).unwrap().div_ceil(8);
        channels(&form(b"AIFF", &[common(1, len, bits, 8000.0, None), samples(data)])).remove(0)
    };
    assert_eq!(plain(8, &[0x80, 0xc0, 0, 0x40]), [-1.0, -0.5, 0.0, 0.5]);
    assert_eq!(plain(16, &[0x80, 0, 0x40, 0, 0x7f, 0xff]), [-1.0, 0.5, 32767.0 / 32768.0]);
    assert_eq!(plain(24, &[0x80, 0, 0, 0, 0, 1]), [-1.0, 1.0 / 8_388_608.0]);
    assert_eq!(plain(32, &[0xc0, 0, 0, 0]), [-0.5]);
    // 12 bits stand at the top of 16.
    assert_eq!(plain(12, &[0x40, 0]), [0.5]);
}

#[test]
fn other_kinds_of_samples() {
    let of = |kind, bits, len, data: &[u8]| {
        channels(&form(b"AIFC", &[common(1, len, bits, 8000.0, Some(kind)), samples(data)])).remove(0)
    };
    assert_eq!(of(b"sowt", 16, 2, &[0, 0x80, 0, 0x40]), [-1.0, 0.5]);
    assert_eq!(of(b"raw ", 8, 2, &[0, 0xc0]), [-1.0, 0.5]);
    assert_eq!(of(b"fl32", 32, 1, &1.5_f32.to_be_bytes()), [1.5]);
    assert_eq!(of(b"FL64", 64, 1, &(-2.5_f64).to_be_bytes()), [-2.5]);
    assert_eq!(of(b"in24", 24, 1, &[0x40, 0, 0]), [0.5]);
    assert_eq!(of(b"NONE", 16, 1, &[0x40, 0]), [0.5]);
    let wide = form(b"AIFC", &[common(1, 1, 64, 8000.0, Some(b"fl64")), samples(&[0; 8])]);
    let lost = read(Cursor::new(wide)).unwrap().layout().lost().to_vec();
    assert_eq!(lost, [Lost::Precision { was: "64-bit floats" }]);
}

#[test]
fn chunks_come_in_any_order_with_an_offset_and_others_between() {
    let offset = chunk(b"SSND", &[0, 0, 0, 2, 0, 0, 0, 0, 9, 9, 0x40, 0, 0x80, 0]);
    let other = chunk(b"NAME", b"odd");
    for chunks in [
        [other.clone(), common(2, 1, 16, 44_100.0, None), offset.clone()],
        [offset.clone(), other.clone(), common(2, 1, 16, 44_100.0, None)],
    ] {
        let recording = read(Cursor::new(form(b"AIFF", &chunks))).unwrap();
        assert_eq!(recording.names(), ["chan1", "chan2"]);
        assert_eq!(
            (recording.sample_rate(), recording.channel(0), recording.channel(1)),
            (44_100.0, Some(&[0.5][..]), Some(&[-1.0][..]))
        );
    }
}

#[test]
fn rates_are_what_they_were() {
    for rate in [1.0, 8000.0, 44_100.0, 192_000.0, 59.94, 0.1, 1e-3, 1e9, 23.976_023_976] {
        assert_eq!(from_extended(extended(rate)), Some(rate));
    }
    let wrong = |rate: [u8; 10]| {
        let mut file = form(b"AIFF", &[common(1, 1, 16, 1.0, None), samples(&[0, 0])]);
        file[28..38].copy_from_slice(&rate);
        err(&file)
    };
    for rate in [[0; 10], [0xff; 10], [0x7f; 10], [0x80, 1, 1, 1, 1, 1, 1, 1, 1, 1]] {
        assert_eq!(
            wrong(rate),
            "the sample rate is no rate, and it should be finite and above 0: export the file again"
        );
    }
}

#[test]
fn what_is_wrong_is_told() {
    let good = form(b"AIFF", &[common(1, 2, 16, 8000.0, None), samples(&[0, 0, 0, 0])]);
    assert_eq!(channels(&good), [[0.0, 0.0]]);
    let bits = |bits| err(&form(b"AIFF", &[common(1, 1, bits, 8000.0, None), samples(&[0; 8])]));
    assert!(bits(33).starts_with("the samples are stored as 33-bit integers, but only"));
    assert!(bits(0).starts_with("the samples are stored as 0-bit integers"));
    let packed = form(b"AIFC", &[common(1, 1, 16, 8000.0, Some(b"ulaw")), samples(&[0])]);
    assert!(err(&packed).starts_with("the samples are stored as \"ulaw\", but only"));
    assert_eq!(
        err(&form(b"AIFF", &[common(0, 1, 16, 8000.0, None), samples(&[0, 0])])),
        "the number of channels is 0, and it should be from 1 to 32767: export the file again"
    );
    assert_eq!(
        err(&form(b"AIFF", &[common(2, 3, 16, 8000.0, None), samples(&[0; 10])])),
        "the file announces 3 samples in each channel, but holds 2: export it again"
    );
    assert_eq!(
        err(&form(b"AIFF", &[samples(&[0; 4])])),
        "the file has no whole \"COMM\" chunk: export it again"
    );
    assert_eq!(
        err(&form(b"AIFF", &[common(1, 1, 16, 1.0, None)])),
        "the file has no whole \"SSND\" chunk: export it again"
    );
    assert!(err(&form(b"AIFF", &[common(1, 0, 16, 1.0, None)])).starts_with("the recording has no samples"));
    assert!(
        err(b"RIFF....WAVE").starts_with("the file starts with \"RIFF\", an AIFF file starts with \"FORM\"")
    );
    assert!(err(b"").starts_with("the file starts with \"\""));
    for end in 0..good.len() - 1 {
        assert!(read(Cursor::new(&good[..end])).is_err(), "{end}");
    }
}

#[test]
fn announced_lengths_are_not_believed() {
    let huge = form(b"AIFF", &[common(0x7fff, u32::MAX, 32, 8000.0, None), samples(&[0; 8])]);
    assert_eq!(
        err(&huge),
        "the file announces 4294967295 samples in each channel, but holds 0: export it again"
    );
}
