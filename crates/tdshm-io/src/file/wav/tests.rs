#![allow(clippy::arithmetic_side_effects, reason = "tests compute with small numbers")]

use super::*;
use crate::error::RecordingError;

/// A chunk with its length and, when that is odd, its pad byte.
fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = name.to_vec();
    bytes.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
    bytes.extend_from_slice(body);
    bytes.resize(bytes.len() + body.len() % 2, 0);
    bytes
}

fn format(tag: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let block_align = channels * (bits / 8);
    let mut body = Vec::new();
    for field in [tag, channels] {
        body.extend_from_slice(&field.to_le_bytes());
    }
    body.extend_from_slice(&rate.to_le_bytes());
    body.extend_from_slice(&rate.wrapping_mul(block_align.into()).to_le_bytes());
    for field in [block_align, bits] {
        body.extend_from_slice(&field.to_le_bytes());
    }
    body
}

fn extensible(kind: u16, channels: u16, rate: u32, bits: u16, valid_bits: u16) -> Vec<u8> {
    let mut body = format(TAG_EXTENSIBLE, channels, rate, bits);
    body.extend_from_slice(&22_u16.to_le_bytes());
    body.extend_from_slice(&valid_bits.to_le_bytes());
    body.extend_from_slice(&0_u32.to_le_bytes());
    body.extend_from_slice(&kind.to_le_bytes());
    // The rest of the identifier that all kinds share.
    body.extend_from_slice(&[0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
    body
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    let mut bytes = b"RIFF".to_vec();
    bytes.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_le_bytes());
    bytes.extend_from_slice(b"WAVE");
    bytes.extend_from_slice(&body);
    bytes
}

fn wav(format: &[u8], data: &[u8]) -> Vec<u8> {
    riff(&[chunk(b"fmt ", format), chunk(b"data", data)])
}

fn samples(bytes: &[u8]) -> Vec<Vec<f32>> {
    read(bytes).unwrap().range(0, usize::MAX).map(<[f32]>::to_vec).collect()
}

fn err(bytes: &[u8]) -> WavError {
    read(bytes).unwrap_err()
}

#[test]
fn integers_are_scaled_by_their_width() {
    let eight = wav(&format(TAG_PCM, 1, 8000, 8), &[0, 64, 128, 192, 255]);
    assert_eq!(samples(&eight), [[-1.0, -0.5, 0.0, 0.5, 127.0 / 128.0]]);

    let sixteen = [i16::MIN, -16384, 0, 16384, i16::MAX].map(i16::to_le_bytes).concat();
    let sixteen = wav(&format(TAG_PCM, 1, 8000, 16), &sixteen);
    assert_eq!(samples(&sixteen), [[-1.0, -0.5, 0.0, 0.5, 32767.0 / 32768.0]]);

    let twenty_four =
        wav(&format(TAG_PCM, 1, 8000, 24), &[0, 0, 0x80, 0, 0, 0xc0, 1, 0, 0, 0xff, 0xff, 0x7f]);
    assert_eq!(samples(&twenty_four), [[-1.0, -0.5, 1.0 / 8_388_608.0, 8_388_607.0 / 8_388_608.0]]);

    let thirty_two = [i32::MIN, 1 << 30, 1].map(i32::to_le_bytes).concat();
    let thirty_two = wav(&format(TAG_PCM, 1, 8000, 32), &thirty_two);
    assert_eq!(samples(&thirty_two), [[-1.0, 0.5, 1.0 / 2_147_483_648.0]]);
}

#[test]
fn floats_come_as_they_are() {
    let values = [0.25_f32, -7.5, f32::INFINITY, f32::NAN];
    let read = samples(&wav(&format(TAG_FLOAT, 1, 44100, 32), &values.map(f32::to_le_bytes).concat()));
    assert_eq!(read[0][..3], values[..3]);
    assert!(read[0][3].is_nan());
}

#[test]
fn tracks_are_taken_apart_and_named() {
    let r = read(&wav(&format(TAG_PCM, 3, 48000, 8), &[0, 64, 128, 192, 128, 0])[..]).unwrap();
    assert_eq!(r.names(), ["chan1", "chan2", "chan3"]);
    assert_eq!(r.sample_rate(), 48000.0);
    assert_eq!(r.range(0, 9).collect::<Vec<_>>(), [[-1.0, 0.5], [-0.5, 0.0], [0.0, -1.0]]);
}

#[test]
fn chunks_in_front_with_odd_lengths_and_behind() {
    let bytes = riff(&[
        chunk(b"JUNK", &[1, 2, 3]),
        chunk(b"fmt ", &format(TAG_PCM, 1, 8000, 8)),
        chunk(b"LIST", b"INFOodd"),
        chunk(b"fact", &[1, 0, 0, 0]),
        chunk(b"data", &[128, 192]),
        chunk(b"LIST", b"behind"),
    ]);
    assert_eq!(samples(&bytes), [[0.0, 0.5]]);
}

#[test]
fn longer_format_chunks() {
    let data = [i32::MIN, 1 << 30].map(i32::to_le_bytes).concat();
    let mut with_size = format(TAG_PCM, 1, 8000, 32);
    with_size.extend_from_slice(&[0, 0]);
    assert_eq!(samples(&wav(&with_size, &data)), [[-1.0, 0.5]]);

    // 24 valid bits sit at the top of their 32.
    assert_eq!(samples(&wav(&extensible(TAG_PCM, 1, 8000, 32, 24), &data)), [[-1.0, 0.5]]);
    let mut longer = extensible(TAG_FLOAT, 1, 8000, 32, 32);
    longer.extend_from_slice(&[9; 7]);
    assert_eq!(samples(&wav(&longer, &0.75_f32.to_le_bytes())), [[0.75]]);
}

#[test]
fn wrong_bytes_a_second_do_not_matter() {
    let mut wrong = format(TAG_PCM, 1, 8000, 8);
    wrong[8..12].fill(0);
    assert_eq!(samples(&wav(&wrong, &[192])), [[0.5]]);
}

#[test]
fn every_cut_is_a_typed_error() {
    let whole = riff(&[
        chunk(b"LIST", b"odd"),
        chunk(b"fmt ", &format(TAG_PCM, 2, 8000, 16)),
        chunk(b"data", &[1, 0, 2, 0, 3, 0, 4, 0]),
    ]);
    assert!(read(&whole[..]).is_ok());
    for len in 0..whole.len() {
        let error = err(&whole[..len]);
        assert!(
            matches!(
                error,
                WavError::NotWave { .. }
                    | WavError::TruncatedHeader { .. }
                    | WavError::MissingChunk { .. }
                    | WavError::Truncated { .. }
            ),
            "{len}: {error:?}"
        );
    }
    assert_eq!(
        err(&whole[..whole.len() - 3]).to_string(),
        "the file announces 4 samples in all its channels, but holds 2: export it again"
    );
    assert_eq!(
        err(&whole[..12]).to_string(),
        "the file has no \"fmt \" chunk before its end: export it again"
    );
    assert_eq!(
        err(&whole[..40]).to_string(),
        "the file ends inside its format chunk, after 8 of 16 bytes: export it again"
    );
}

#[test]
fn announced_lengths_are_not_believed() {
    for (announced, tag, bits) in
        [(u32::MAX, TAG_PCM, 16), (u32::MAX - 7, TAG_FLOAT, 32), (1 << 31, TAG_PCM, 32)]
    {
        let mut bytes = wav(&format(tag, 2, 8000, bits), &[0; 64]);
        let at = bytes.len() - 68;
        bytes[at..at + 4].copy_from_slice(&announced.to_le_bytes());
        let error = err(&bytes);
        assert!(matches!(error, WavError::Truncated { found: 32 | 16, .. }), "{error:?}");
    }
    let mut many = format(TAG_PCM, 65535, 8000, 8);
    many.splice(12..14, 65535_u16.to_le_bytes());
    assert!(matches!(err(&wav(&many, &[])), WavError::Recording(RecordingError::NoSamples)));
}

#[test]
fn what_is_not_read_is_said() {
    assert_eq!(
        err(b"OggS-and-so-on").to_string(),
        "the file starts with \"OggS\", a WAV file starts with \"RIFF\" and \"WAVE\": export it as WAV"
    );
    for (format, found) in [
        (format(0x0055, 2, 44100, 0), "format number 0x0055"),
        (format(TAG_FLOAT, 1, 8000, 64), "64-bit floats"),
        (format(TAG_PCM, 1, 8000, 12), "12-bit integers"),
        (extensible(0x0002, 1, 8000, 8, 8), "format number 0x0002"),
    ] {
        let error = err(&wav(&format, &[0; 8]));
        assert!(matches!(&error, WavError::Unsupported { found: f } if f == found), "{error:?}");
    }
    let mut other_family = extensible(TAG_PCM, 1, 8000, 8, 8);
    other_family[39] = 0;
    assert!(matches!(err(&wav(&other_family, &[0])), WavError::Unsupported { .. }));
}

#[test]
fn contradictions_and_gaps() {
    let pcm = || format(TAG_PCM, 1, 8000, 16);
    assert_eq!(
        err(&wav(&format(TAG_PCM, 0, 8000, 16), &[])).to_string(),
        "the description of the samples is not valid (0 channels): export the file again"
    );
    let mut blocks = pcm();
    blocks[12] = 3;
    assert!(matches!(err(&wav(&blocks, &[])), WavError::Malformed { .. }));
    assert!(matches!(err(&wav(&pcm()[..14], &[])), WavError::Malformed { .. }));
    assert!(matches!(err(&wav(&extensible(1, 1, 8000, 8, 8)[..30], &[])), WavError::Malformed { .. }));
    assert!(matches!(err(&wav(&pcm(), &[1, 2, 3])), WavError::Malformed { .. }), "half a sample");
    assert!(matches!(err(&wav(&format(TAG_PCM, 2, u32::MAX, 16), &[0; 4])), WavError::Malformed { .. }));
    assert!(matches!(err(&riff(&[chunk(b"data", &[0])])), WavError::MissingChunk { chunk: "fmt ", .. }));
    assert!(matches!(err(&riff(&[chunk(b"fmt ", &pcm())])), WavError::MissingChunk { chunk: "data", .. }));
    assert!(matches!(err(&wav(&pcm(), &[])), WavError::Recording(RecordingError::NoSamples)));
    let standing = err(&wav(&format(TAG_PCM, 1, 0, 16), &[0, 0]));
    assert!(
        matches!(standing, WavError::Recording(RecordingError::SampleRate { value: 0.0 })),
        "{standing:?}"
    );
}

#[test]
fn a_reader_that_fails_or_dawdles() {
    struct Odd<'b> {
        bytes: &'b [u8],
        interrupted: bool,
        fails_at_end: bool,
    }
    impl Read for Odd<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.interrupted = !self.interrupted;
            if self.interrupted {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if self.bytes.is_empty() && self.fails_at_end {
                return Err(io::Error::other("unplugged"));
            }
            let one = buffer.len().min(1);
            self.bytes.read(&mut buffer[..one])
        }
    }
    let whole = wav(&format(TAG_PCM, 1, 8000, 16), &[0, 0x40, 0, 0xc0]);
    let r = read(Odd { bytes: &whole, interrupted: false, fails_at_end: false }).unwrap();
    assert_eq!(r.channel(0), Some(&[0.5, -0.5][..]));

    let error = read(Odd { bytes: &whole[..46], interrupted: false, fails_at_end: true }).unwrap_err();
    assert_eq!(error.to_string(), "reading the sound file failed: unplugged");
}
