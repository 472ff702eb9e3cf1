//! Channels: whole blocks, and what changed since one.
//!
//! A frame is compared with the last one that went out whole (the base), never with one in between: so a frame that is lost
//! costs nobody more than itself, and who has the base needs the newest frame alone. Who has not asks, gets the last frame
//! whole at once, and makes the next one that is published whole for everybody.

use std::sync::Arc;

use tdshm::{BlockError, ChopFrame};

use crate::encoding::{DecodeError, Form, MOST_BYTES, Payload, Stamp, u32_at, wide};

/// Bytes in front of the list of changed channels.
const HEAD: usize = 16;
/// Bytes of a number or a sample.
const WORD: usize = 4;

/// Makes payloads of frames.
#[derive(Debug, Default)]
pub struct ChannelEncoder {
    /// The last frame that was whole, its number, and the bytes of its block.
    base: Option<(Arc<ChopFrame>, u64, usize)>,
    changed: Vec<u32>,
}

impl ChannelEncoder {
    /// Encodes a frame that will have that number: whole where that is asked for, where the layout is a new one, and where
    /// it takes fewer bytes. Gives the number of the base, or 0, besides.
    ///
    /// # Errors
    ///
    /// [`BlockError`] for a frame that is no block.
    pub fn encode(
        &mut self,
        frame: &Arc<ChopFrame>,
        number: u64,
        whole: bool,
    ) -> Result<(Payload, u64), BlockError> {
        if let Some((base, base_number, block_bytes)) = self.base.as_ref().filter(|_| !whole)
            && alike(base, frame)
        {
            let len = frame.len_samples();
            self.changed.clear();
            let rows = |frame: &'_ ChopFrame| 0..frame.num_channels();
            let differs = |index: &usize| !same_bits(base.channel_at(*index), frame.channel_at(*index));
            self.changed.extend(rows(frame).filter(differs).filter_map(|index| u32::try_from(index).ok()));
            let bytes = self
                .changed
                .len()
                .saturating_mul(len.saturating_add(1))
                .saturating_mul(WORD)
                .saturating_add(HEAD);
            if bytes < *block_bytes {
                let head = write_changed(frame, &self.changed, bytes);
                return Ok((Payload { form: Form::Changed, head, body: Vec::new() }, *base_number));
            }
        }
        let mut head = Vec::new();
        frame.append_block(&mut head)?;
        self.base = Some((Arc::clone(frame), number, head.len()));
        Ok((Payload { form: Form::Channels, head, body: Vec::new() }, 0))
    }

    /// Forgets the base: the next frame is whole.
    pub fn forget(&mut self) {
        self.base = None;
    }
}

/// Whether two frames differ in their samples alone.
fn alike(a: &ChopFrame, b: &ChopFrame) -> bool {
    let names = std::ptr::eq(a.names(), b.names()) || a.names() == b.names();
    names && a.len_samples() == b.len_samples() && a.sample_rate().to_bits() == b.sample_rate().to_bits()
}

/// The same bits: NaN is equal to itself, and 0 to no -0.
fn same_bits(a: Option<&[f32]>, b: Option<&[f32]>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits()),
        _ => false,
    }
}

fn write_changed(frame: &ChopFrame, changed: &[u32], bytes: usize) -> Vec<u8> {
    let mut to = Vec::with_capacity(bytes);
    let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    for number in [narrow(frame.num_channels()), narrow(frame.len_samples()), narrow(changed.len()), 0] {
        to.extend_from_slice(&number.to_le_bytes());
    }
    for index in changed {
        to.extend_from_slice(&index.to_le_bytes());
    }
    for index in changed {
        let row = usize::try_from(*index).ok().and_then(|index| frame.channel_at(index));
        row.into_iter().flatten().for_each(|sample| to.extend_from_slice(&sample.to_le_bytes()));
    }
    to
}

/// What became of changed channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Applied {
    /// They are in place.
    Yes,
    /// The frame that they are to be compared with is not at hand: ask for a whole one.
    BaseMissing,
}

/// Makes frames of payloads again.
#[derive(Debug, Default)]
pub struct ChannelDecoder {
    /// The last whole frame, with the stream and the number it had.
    base: ChopFrame,
    of: Option<(u64, u64)>,
    /// Where the next one is read to, so that one that is damaged harms nothing.
    spare: ChopFrame,
    /// The samples of the last frame.
    samples: Vec<f32>,
}

impl ChannelDecoder {
    /// Takes a whole frame.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where it is none; the last frame stays.
    pub fn whole(&mut self, stamp: &Stamp, block: &[u8]) -> Result<(), DecodeError> {
        if block.len() > MOST_BYTES {
            return Err(DecodeError::TooLarge { bytes: block.len(), limit: MOST_BYTES });
        }
        self.spare.take_block(block)?;
        std::mem::swap(&mut self.spare, &mut self.base);
        self.of = Some((stamp.stream, stamp.number));
        self.samples.clear();
        self.samples.extend_from_slice(self.base.samples());
        Ok(())
    }

    /// Takes channels that changed.
    ///
    /// # Errors
    ///
    /// As [`whole`](Self::whole).
    pub fn changed(&mut self, stamp: &Stamp, payload: &[u8]) -> Result<Applied, DecodeError> {
        if self.of != Some((stamp.stream, stamp.base)) {
            return Ok(Applied::BaseMissing);
        }
        let wrong = |field, value, rule, limit| DecodeError::Changed { field, value, rule, limit };
        let short = || wrong("the length", wide(payload.len()), "at least", wide(HEAD));
        let numbers = payload.first_chunk::<HEAD>().ok_or_else(short)?;
        let number = |at| u32_at(numbers, at).ok_or_else(short);
        let (channels, len, count) = (number(0)?, number(4)?, number(8)?);
        let (num_channels, len_samples) = (self.base.num_channels(), self.base.len_samples());
        if u64::from(channels) != wide(num_channels) {
            return Err(wrong("the number of channels", channels.into(), "the base has", wide(num_channels)));
        }
        if u64::from(len) != wide(len_samples) {
            return Err(wrong("the length of a channel", len.into(), "the base has", wide(len_samples)));
        }
        if count > channels {
            return Err(wrong("the number of changed channels", count.into(), "at most", channels.into()));
        }
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let needed = count
            .checked_mul(len_samples.saturating_add(1))
            .and_then(|words| words.checked_mul(WORD))
            .and_then(|bytes| bytes.checked_add(HEAD));
        if needed != Some(payload.len()) {
            let needed = needed.unwrap_or(usize::MAX);
            return Err(wrong("the length", wide(payload.len()), "its first fields say", wide(needed)));
        }
        let rest = payload.get(HEAD..).unwrap_or_default();
        let (indices, rows) = rest.split_at_checked(count.saturating_mul(WORD)).unwrap_or_default();
        // All of them are looked at before anything is written.
        if let Some(index) = words(indices).find(|index| *index >= channels) {
            return Err(wrong("the index of a channel", index.into(), "less than", channels.into()));
        }
        self.samples.clear();
        self.samples.extend_from_slice(self.base.samples());
        let mut rows = words(rows);
        for index in words(indices) {
            let at = usize::try_from(index).unwrap_or(usize::MAX).saturating_mul(len_samples);
            let row = self.samples.get_mut(at..at.saturating_add(len_samples)).unwrap_or_default();
            for (to, bits) in row.iter_mut().zip(&mut rows) {
                *to = f32::from_bits(bits);
            }
        }
        Ok(Applied::Yes)
    }

    /// The last whole frame: names, shape and rate of the last frame, too.
    #[must_use]
    pub fn base(&self) -> &ChopFrame {
        &self.base
    }

    /// The samples of the last frame, one channel after the other.
    #[must_use]
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.as_chunks::<WORD>().0.iter().map(|bytes| u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(rows: &[Vec<f32>]) -> Arc<ChopFrame> {
        let names = (0..rows.len()).map(|index| format!("chan{index}"));
        Arc::new(ChopFrame::from_rows(names, 60.0, rows).unwrap())
    }

    fn stamp(number: u64, base: u64) -> Stamp {
        Stamp { stream: 9, number, base, ..Stamp::default() }
    }

    #[test]
    fn the_bytes_of_changed_channels() {
        let mut encoder = ChannelEncoder::default();
        let first = frame(&[vec![1.0, 2.0], vec![3.0, 4.0], vec![5.0, 6.0]]);
        let (whole, base) = encoder.encode(&first, 10, false).unwrap();
        assert_eq!((whole.form, base), (Form::Channels, 0));
        let second = frame(&[vec![1.0, 2.0], vec![3.0, -0.5], vec![5.0, 6.0]]);
        let (changed, base) = encoder.encode(&second, 11, false).unwrap();
        assert_eq!((changed.form, base), (Form::Changed, 10));
        // By hand, from docs/network-encoding.md.
        let expected =
            [&b"\x03\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0"[..], b"\x01\0\0\0", b"\0\0\x40\x40\0\0\0\xbf"]
                .concat();
        assert_eq!(changed.to_vec(), expected);

        let mut decoder = ChannelDecoder::default();
        decoder.whole(&stamp(10, 0), &whole.to_vec()).unwrap();
        assert_eq!(decoder.samples(), first.samples());
        assert_eq!(decoder.changed(&stamp(11, 10), &expected).unwrap(), Applied::Yes);
        assert_eq!(decoder.samples(), second.samples());
        assert_eq!(decoder.base().names(), second.names());
    }

    #[test]
    fn what_takes_more_bytes_or_is_asked_for_is_whole() {
        let mut encoder = ChannelEncoder::default();
        let form = |encoder: &mut ChannelEncoder, rows: &[Vec<f32>], number, whole| {
            let (payload, base) = encoder.encode(&frame(rows), number, whole).unwrap();
            (payload.form, base)
        };
        let rows: Vec<Vec<f32>> = (0..20).map(|row| vec![row as f32]).collect();
        assert_eq!(form(&mut encoder, &rows, 1, false), (Form::Channels, 0));
        assert_eq!(form(&mut encoder, &rows, 2, false), (Form::Changed, 1));
        assert_eq!(form(&mut encoder, &rows, 3, true), (Form::Channels, 0));
        let mut other = rows.clone();
        other.iter_mut().for_each(|row| row[0] += 1.0);
        // 20 numbers and 20 samples, against 20 samples and 20 names of 6 letters: it is close.
        assert_eq!(form(&mut encoder, &other, 4, false), (Form::Changed, 3));
        let long: Vec<Vec<f32>> = rows.iter().map(|row| vec![row[0]; 500]).collect();
        assert_eq!(form(&mut encoder, &long, 5, false), (Form::Channels, 0), "another length");
        let longer: Vec<Vec<f32>> = long.iter().map(|row| row.iter().map(|x| x + 1.0).collect()).collect();
        assert_eq!(form(&mut encoder, &longer, 6, false), (Form::Changed, 5));
        encoder.forget();
        assert_eq!(form(&mut encoder, &longer, 7, false), (Form::Channels, 0));
    }

    #[test]
    fn who_lacks_the_base_is_told() {
        let (mut encoder, mut decoder) = (ChannelEncoder::default(), ChannelDecoder::default());
        let rows: Vec<Vec<f32>> = (0..9).map(|row| vec![row as f32; 4]).collect();
        let (whole, _) = encoder.encode(&frame(&rows), 1, false).unwrap();
        let (changed, base) = encoder.encode(&frame(&rows), 2, false).unwrap();
        assert_eq!(decoder.changed(&stamp(2, base), &changed.to_vec()).unwrap(), Applied::BaseMissing);
        decoder.whole(&stamp(1, 0), &whole.to_vec()).unwrap();
        let other = Stamp { stream: 8, ..stamp(2, base) };
        assert_eq!(decoder.changed(&other, &changed.to_vec()).unwrap(), Applied::BaseMissing);
        assert_eq!(decoder.changed(&stamp(2, base), &changed.to_vec()).unwrap(), Applied::Yes);
    }

    #[test]
    fn hostile_numbers_change_nothing() {
        let mut decoder = ChannelDecoder::default();
        let mut block = Vec::new();
        let good = frame(&[vec![1.0], vec![2.0]]);
        good.append_block(&mut block).unwrap();
        decoder.whole(&stamp(1, 0), &block).unwrap();
        let of =
            |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
        for (numbers, words) in [
            (&[2, 1, 1][..], "the length of the changed channels is 12, at least 16: "),
            (&[3, 1, 0, 0], "the number of channels of the changed channels is 3, the base has 2: "),
            (&[2, 7, 0, 0], "the length of a channel of the changed channels is 7, the base has 1: "),
            (&[2, 1, 3, 0], "the number of changed channels of the changed channels is 3, at most 2: "),
            (&[2, 1, 1, 0, 0], "the length of the changed channels is 20, its first fields say 24: "),
            (&[2, 1, 1, 0, 2, 0], "the index of a channel of the changed channels is 2, less than 2: "),
        ] {
            let error = decoder.changed(&stamp(2, 1), &of(numbers)).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
            assert_eq!(decoder.samples(), [1.0, 2.0]);
        }
        assert!(decoder.whole(&stamp(3, 0), &block[..20]).is_err());
        assert_eq!((decoder.samples(), decoder.base().names().len()), (&[1.0, 2.0][..], 2));
        assert_eq!(decoder.changed(&stamp(4, 1), &of(&[2, 1, 0, 0])).unwrap(), Applied::Yes);
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_back_bit_by_bit(
            channels in 0_usize..8,
            len in 0_usize..5,
            frames in prop::collection::vec(prop::collection::vec((any::<u32>(), any::<bool>()), 40), 1..8),
            asked in any::<u8>(),
        ) {
            let (mut encoder, mut decoder) = (ChannelEncoder::default(), ChannelDecoder::default());
            let mut rows = vec![vec![0.0_f32; len]; channels];
            for (number, words) in (1..).zip(frames) {
                for (sample, (bits, changes)) in rows.iter_mut().flatten().zip(words) {
                    if changes {
                        *sample = f32::from_bits(bits);
                    }
                }
                let frame = frame(&rows);
                let whole = asked >> (number % 8) & 1 == 1;
                let (payload, base) = encoder.encode(&frame, number, whole).unwrap();
                prop_assert!(!whole || payload.form == Form::Channels);
                match payload.form {
                    Form::Changed => {
                        prop_assert_eq!(decoder.changed(&stamp(number, base), &payload.to_vec()).unwrap(), Applied::Yes);
                    }
                    _ => decoder.whole(&stamp(number, 0), &payload.to_vec()).unwrap(),
                }
                let bits = |samples: &[f32]| samples.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(decoder.samples()), bits(frame.samples()));
            }
        }

        #[test]
        fn any_bytes_are_changed_channels_or_an_error(mut bytes in prop::collection::vec(any::<u8>(), 0..80), fix in any::<bool>()) {
            let mut decoder = ChannelDecoder::default();
            let mut block = Vec::new();
            frame(&[vec![1.0], vec![2.0], vec![3.0]]).append_block(&mut block).unwrap();
            decoder.whole(&stamp(1, 0), &block).unwrap();
            if fix && bytes.len() >= 16 {
                bytes[..8].copy_from_slice(b"\x03\0\0\0\x01\0\0\0");
            }
            let _ = decoder.changed(&stamp(2, 1), &bytes);
            prop_assert_eq!(decoder.samples().len(), 3);
            let _ = decoder.whole(&stamp(3, 0), &bytes);
        }
    }
}
