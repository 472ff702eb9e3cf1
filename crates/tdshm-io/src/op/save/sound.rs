//! Channels as tracks of a sound file, 32-bit floats, so that nothing is lost.

use tdshm_ops::clip::Clip;

use crate::error::SaveError;

/// The version of the format that knows other samples than integers.
const AIFC_VERSION: u32 = 0xa280_5140;

fn does_not_fit(
    what: &'static str,
    value: impl ToString,
    file: &'static str,
    expected: &'static str,
) -> SaveError {
    SaveError::DoesNotFit { what, value: value.to_string(), file, expected }
}

/// The samples in the order of a sound file: all channels of one moment, then those of the next.
fn interleaved(clip: &Clip) -> impl Iterator<Item = f32> {
    let moments = 0..clip.len_samples();
    moments.flat_map(move |at| {
        let channels = 0..clip.num_channels();
        channels.map(move |channel| clip.channel(channel).and_then(|all| all.get(at)).copied().unwrap_or(0.0))
    })
}

/// A `.wav` of floats.
#[cfg(feature = "wav")]
pub(super) fn wav(clip: &Clip) -> Result<Vec<u8>, SaveError> {
    let channels = u16::try_from(clip.num_channels()).ok().filter(|channels| (1..=16_384).contains(channels));
    let channels = channels.ok_or_else(|| {
        does_not_fit("the number of channels", clip.num_channels(), ".wav", "from 1 to 16384")
    })?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is compared with what it was"
    )]
    let sample_rate = clip.rate() as u32;
    if f64::from(sample_rate) != clip.rate() || sample_rate == 0 {
        let expected = "a whole number: resample it, or write an .aiff file";
        return Err(does_not_fit("the sample rate", clip.rate(), ".wav", expected));
    }
    // Four bytes a sample, and the head, in 32 bits.
    if clip.samples().len() >= 1 << 29 {
        return Err(does_not_fit("the number of samples", clip.samples().len(), ".wav", "below 2^29"));
    }
    let spec = hound::WavSpec {
        channels,
        sample_rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    let written = hound::WavWriter::new(&mut bytes, spec).and_then(|mut writer| {
        interleaved(clip).try_for_each(|sample| writer.write_sample(sample))?;
        writer.finalize()
    });
    match written {
        Ok(()) => Ok(bytes.into_inner()),
        // It writes into memory: what is left is what it does not hold.
        Err(error) => Err(does_not_fit("the sound", error, ".wav", "one that the format holds")),
    }
}

/// An `.aiff` of floats: AIFF-C with samples of the kind `fl32`.
pub(super) fn aiff(clip: &Clip) -> Result<Vec<u8>, SaveError> {
    let channels = i16::try_from(clip.num_channels()).ok().filter(|channels| *channels > 0);
    let channels = channels.ok_or_else(|| {
        does_not_fit("the number of channels", clip.num_channels(), ".aiff", "from 1 to 32767")
    })?;
    let samples = u32::try_from(clip.samples().len()).ok().filter(|samples| *samples < 1 << 29);
    let samples = samples
        .ok_or_else(|| does_not_fit("the number of samples", clip.samples().len(), ".aiff", "below 2^29"))?;
    let frames = u32::try_from(clip.len_samples()).unwrap_or(u32::MAX);

    let mut common = Vec::new();
    common.extend_from_slice(&channels.to_be_bytes());
    common.extend_from_slice(&frames.to_be_bytes());
    common.extend_from_slice(&32_i16.to_be_bytes());
    common.extend_from_slice(&extended(clip.rate()));
    // The kind of samples, and its name, whose length and letters are an even number of bytes.
    common.extend_from_slice(b"fl32\x0c32-bit float\0");

    let data_bytes = samples.saturating_mul(4);
    let mut bytes = Vec::new();
    let mut chunk = |name: &[u8; 4], size: usize, body: &[u8]| {
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(&u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(body);
    };
    chunk(b"FVER", 4, &AIFC_VERSION.to_be_bytes());
    chunk(b"COMM", common.len(), &common);
    let data = usize::try_from(data_bytes).unwrap_or(usize::MAX);
    // In front of the samples: where they begin, and blocks, which nobody uses.
    chunk(b"SSND", data.saturating_add(8), &[0; 8]);
    interleaved(clip).for_each(|sample| bytes.extend_from_slice(&sample.to_be_bytes()));

    let mut file = b"FORM".to_vec();
    let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX).saturating_add(4);
    file.extend_from_slice(&size.to_be_bytes());
    file.extend_from_slice(b"AIFC");
    file.append(&mut bytes);
    Ok(file)
}

/// A positive number with 80 bits: a sign, 15 bits of exponent, and 64 of the number with its first bit.
fn extended(number: f64) -> [u8; 10] {
    let bits = number.to_bits();
    let (exponent, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
    // Numbers that have no first bit are so small that no rate has them; they become the smallest that do.
    let exponent = u16::try_from(exponent.max(1)).unwrap_or(1).saturating_add(16383 - 1023);
    let mantissa = (1 << 63) | (fraction << 11);
    let mut bytes = [0; 10];
    if let Some((head, tail)) = bytes.split_at_mut_checked(2) {
        head.copy_from_slice(&exponent.to_be_bytes());
        tail.copy_from_slice(&mantissa.to_be_bytes());
    }
    bytes
}
