//! The channel block: one header, then the samples, then, if sent, the names (wire §8).

use std::collections::TryReserveError;

use zerocopy::little_endian::{F32, I32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::error::{BlockError, FieldValue};

/// First field of every channel block.
pub(crate) const MAGIC: i32 = 0x12ED_54CF;
/// The only version there is.
pub(crate) const VERSION: i32 = 1;
/// Bytes of the header; samples usually begin here.
pub(crate) const HEADER_BYTES: usize = 36;
/// Bytes of one sample.
pub(crate) const SAMPLE_BYTES: usize = 4;
/// Offsets of samples are multiples of this.
const ALIGNMENT: usize = 4;
/// Each channel costs its reader a name, so a number that nobody means would end it for want of memory (ours).
const MOST_CHANNELS: usize = 1 << 20;
/// The `size` field is an `i32`.
const LARGEST_BLOCK: usize = 0x7fff_ffff;

const SENDER: &str = "the sender writes a wrong header";
/// What the bytes of all samples are called.
const SAMPLES: &str = "numChans * length * 4";

/// The header, byte for byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct ChopHeader {
    magic: I32,
    version: I32,
    size: I32,
    num_chans: I32,
    length: I32,
    sample_rate: F32,
    names_sent: I32,
    channel_data_offset: I32,
    name_data_offset: I32,
}

const _: () = {
    assert!(size_of::<ChopHeader>() == HEADER_BYTES);
    assert!(core::mem::offset_of!(ChopHeader, sample_rate) == 20);
    assert!(core::mem::offset_of!(ChopHeader, name_data_offset) == 32);
};

/// A header that was checked: what is where, all of it inside the mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ChopLayout {
    /// Channels.
    pub(crate) num_channels: usize,
    /// Samples in each channel.
    pub(crate) len_samples: usize,
    /// Samples per second.
    pub(crate) sample_rate: f32,
    /// Where the samples begin.
    pub(crate) samples_at: usize,
    /// Where the names begin, if they were sent.
    pub(crate) names_at: Option<usize>,
}

impl ChopLayout {
    /// Bytes of all samples: checked when the layout was made.
    #[inline]
    pub(crate) fn samples_bytes(&self) -> usize {
        self.num_samples().saturating_mul(SAMPLE_BYTES)
    }

    /// Samples of all channels together.
    #[inline]
    pub(crate) fn num_samples(&self) -> usize {
        self.num_channels.saturating_mul(self.len_samples)
    }
}

impl ChopHeader {
    /// The magic, to tell a channel block from anything else.
    pub(crate) fn magic(&self) -> i32 {
        self.magic.get()
    }

    /// What the header claims the block's size is. Nothing relies on it: the mapping is what counts.
    pub(crate) fn block_bytes(&self) -> i32 {
        self.size.get()
    }

    /// Every field as it stands, for tools that show them: its offset, its name, its value.
    pub(crate) fn fields(&self) -> [(usize, &'static str, FieldValue); 9] {
        use core::mem::offset_of;
        let int = |value: I32| FieldValue::Int(value.get().into());
        [
            (offset_of!(Self, magic), "magic", magic_value(self.magic.get())),
            (offset_of!(Self, version), "version", int(self.version)),
            (offset_of!(Self, size), "size", int(self.size)),
            (offset_of!(Self, num_chans), "numChans", int(self.num_chans)),
            (offset_of!(Self, length), "length", int(self.length)),
            (offset_of!(Self, sample_rate), "sampleRate", FieldValue::Float(self.sample_rate.get())),
            (offset_of!(Self, names_sent), "namesSent", int(self.names_sent)),
            (offset_of!(Self, channel_data_offset), "channelDataOffset", int(self.channel_data_offset)),
            (offset_of!(Self, name_data_offset), "nameDataOffset", int(self.name_data_offset)),
        ]
    }

    /// What the fields say that nothing relies on: `version` and `namesSent`.
    pub(crate) fn version_and_names_sent(&self) -> (i32, i32) {
        (self.version.get(), self.names_sent.get())
    }

    /// Whether nobody has written here yet: a mapping is zero when it is made.
    pub(crate) fn is_blank(&self) -> bool {
        self.as_bytes().iter().all(|&byte| byte == 0)
    }

    /// Checks everything against the size of the mapping.
    ///
    /// A count of channels beyond the mapping's bytes is refused also where they are empty: a named channel
    /// takes a byte at least, and an unnamed one without samples carries nothing.
    pub(crate) fn check(&self, mapped: usize) -> Result<ChopLayout, BlockError> {
        if self.magic.get() != MAGIC {
            return Err(BlockError {
                field: "magic",
                value: magic_value(self.magic.get()),
                rule: "a channel block's is",
                limit: magic_value(MAGIC),
                advice: "something else than a channel block lies here",
            });
        }
        if self.version.get() < VERSION {
            let version = self.version.get();
            return Err(BlockError::int("version", version, "must be at least", VERSION, SENDER));
        }
        let num_channels = count("numChans", self.num_chans.get())?;
        let len_samples = count("length", self.length.get())?;
        let most = mapped.min(MOST_CHANNELS);
        if num_channels > most {
            let rule = if most == mapped { "must not exceed the mapped bytes," } else { "must not exceed" };
            return Err(BlockError::int("numChans", num_channels, rule, most, SENDER));
        }
        let sample_rate = check_rate(self.sample_rate.get())?;

        let samples_at = offset("channelDataOffset", self.channel_data_offset.get())?;
        if !samples_at.is_multiple_of(ALIGNMENT) {
            let rule = "must be a multiple of";
            return Err(BlockError::int("channelDataOffset", samples_at, rule, ALIGNMENT, SENDER));
        }
        let samples = num_channels.saturating_mul(len_samples).saturating_mul(SAMPLE_BYTES);
        let room = mapped.min(LARGEST_BLOCK).saturating_sub(samples_at);
        if samples > room || samples_at > mapped {
            let rule = "the mapped bytes behind channelDataOffset are only";
            return Err(BlockError::int(SAMPLES, samples, rule, room, SENDER));
        }

        let names_at = if self.names_sent.get() == 1 && num_channels > 0 {
            let at = offset("nameDataOffset", self.name_data_offset.get())?;
            let last = mapped.saturating_sub(num_channels);
            if at > last {
                let rule = "so many names need it to be at most";
                return Err(BlockError::int("nameDataOffset", at, rule, last, SENDER));
            }
            Some(at)
        } else {
            None
        };
        Ok(ChopLayout { num_channels, len_samples, sample_rate, samples_at, names_at })
    }

    /// This header with something that breaks no rule where that was broken, to find out what else is; `None`: nothing
    /// more can be told.
    pub(crate) fn mended(mut self, broken: &str) -> Option<Self> {
        match broken {
            "version" => self.version.set(VERSION),
            "numChans" => self.num_chans.set(0),
            "length" | SAMPLES => self.length.set(0),
            "sampleRate" => self.sample_rate.set(1.0),
            "channelDataOffset" => self.channel_data_offset.set(i32::try_from(HEADER_BYTES).ok()?),
            "nameDataOffset" => self.names_sent.set(0),
            _ => return None,
        }
        Some(self)
    }

    /// This header of a block of ours, with samples and names elsewhere than it was planned.
    pub(crate) fn moved_to(mut self, samples_at: usize, planned: &ChopLayout) -> Option<Self> {
        self.channel_data_offset.set(i32::try_from(samples_at).ok()?);
        if let Some(names_at) = planned.names_at {
            let names_at = names_at.checked_sub(planned.samples_at)?.checked_add(samples_at)?;
            self.name_data_offset.set(i32::try_from(names_at).ok()?);
        }
        Some(self)
    }

    /// Whether it says the same, but for where samples and names are.
    #[inline]
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let elsewhere = Self {
            channel_data_offset: other.channel_data_offset,
            name_data_offset: other.name_data_offset,
            ..*self
        };
        elsewhere.as_bytes() == other.as_bytes()
    }

    /// The header of a block of ours: samples at 36, names right behind them.
    pub(crate) fn plan(
        num_channels: usize,
        len_samples: usize,
        sample_rate: f32,
        names_bytes: Option<usize>,
    ) -> Result<(Self, ChopLayout), BlockError> {
        const ADVICE: &str = "send fewer or shorter channels";
        let too_large = |field, value| {
            BlockError::int(field, value, "a block holds at most so many bytes:", LARGEST_BLOCK, ADVICE)
        };
        let sample_rate = check_rate(sample_rate)?;
        if num_channels > MOST_CHANNELS {
            return Err(BlockError::int("numChans", num_channels, "must not exceed", MOST_CHANNELS, ADVICE));
        }
        let samples_end = num_channels
            .checked_mul(len_samples)
            .and_then(|samples| samples.checked_mul(SAMPLE_BYTES))
            .and_then(|bytes| bytes.checked_add(HEADER_BYTES))
            .ok_or_else(|| too_large("numChans * length", usize::MAX))?;
        let size = samples_end
            .checked_add(names_bytes.unwrap_or(0))
            .filter(|size| *size <= LARGEST_BLOCK)
            .ok_or_else(|| too_large("size", samples_end))?;
        let int =
            |field, value: usize| i32::try_from(value).map(I32::new).map_err(|_| too_large(field, value));
        let header = Self {
            magic: I32::new(MAGIC),
            version: I32::new(VERSION),
            size: int("size", size)?,
            num_chans: int("numChans", num_channels)?,
            length: int("length", len_samples)?,
            sample_rate: F32::new(sample_rate),
            names_sent: I32::new(names_bytes.is_some().into()),
            channel_data_offset: int("channelDataOffset", HEADER_BYTES)?,
            name_data_offset: int("nameDataOffset", if names_bytes.is_some() { samples_end } else { 0 })?,
        };
        let layout = ChopLayout {
            num_channels,
            len_samples,
            sample_rate,
            samples_at: HEADER_BYTES,
            names_at: names_bytes.map(|_| samples_end),
        };
        Ok((header, layout))
    }
}

fn magic_value(magic: i32) -> FieldValue {
    FieldValue::Magic(magic.cast_unsigned())
}

fn count(field: &'static str, value: i32) -> Result<usize, BlockError> {
    usize::try_from(value).map_err(|_| BlockError::int(field, value, "must be at least", 0, SENDER))
}

fn offset(field: &'static str, value: i32) -> Result<usize, BlockError> {
    usize::try_from(value).ok().filter(|at| *at >= HEADER_BYTES).ok_or_else(|| {
        BlockError::int(field, value, "must not lie in the header, which ends at", HEADER_BYTES, SENDER)
    })
}

/// A rate is finite and positive, in and out.
pub(crate) fn check_rate(rate: f32) -> Result<f32, BlockError> {
    if rate.is_finite() && rate > 0.0 {
        return Ok(rate);
    }
    Err(BlockError {
        field: "sampleRate",
        value: FieldValue::Float(rate),
        rule: "must be finite and above",
        limit: FieldValue::Float(0.0),
        advice: "a sample rate is a number of samples per second",
    })
}

/// Writes names as the block holds them: each one's bytes and a NUL.
pub(crate) fn encode_names<'n>(
    names: impl Iterator<Item = &'n str>,
    out: &mut Vec<u8>,
) -> Result<(), BlockError> {
    out.clear();
    for (index, name) in names.enumerate() {
        if let Some(at) = name.bytes().position(|byte| byte == 0) {
            let error = BlockError::int(
                "name",
                index,
                "is the number of a name that holds NUL at byte",
                at,
                "a channel name ends at its NUL: leave it out",
            );
            return Err(error);
        }
        out.extend_from_slice(name.as_bytes());
        out.push(0);
    }
    Ok(())
}

/// How many bytes `count` names take from the start of `bytes`; `None` while the last NUL is not in sight.
pub(crate) fn names_extent(bytes: &[u8], count: usize) -> Option<usize> {
    let mut ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == 0);
    match count.checked_sub(1) {
        None => Some(0),
        Some(before) => ends.nth(before).map(|(at, _)| at.saturating_add(1)),
    }
}

/// The error for names that run out of the mapping.
pub(crate) fn names_run_out(num_channels: usize, found: usize) -> BlockError {
    BlockError::int(
        "numChans",
        num_channels,
        "names were announced, and the mapped bytes hold only",
        found,
        "the sender writes no names, or not all: it should set namesSent to 0",
    )
}

/// Splits names at their NULs. What is not UTF-8 is read with replacement characters: no name is refused.
pub(crate) fn split_names(bytes: &[u8], count: usize) -> Result<Vec<String>, TryReserveError> {
    let mut names = Vec::new();
    names.try_reserve_exact(count)?;
    names.extend(bytes.split(|byte| *byte == 0).take(count).map(|n| String::from_utf8_lossy(n).into_owned()));
    Ok(names)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_public_example_is_36_and_40_and_10_bytes() {
        let mut names = Vec::new();
        encode_names(["cha1", "cha2"].into_iter(), &mut names).unwrap();
        let (header, layout) = ChopHeader::plan(2, 5, 60.0, Some(names.len())).unwrap();
        assert_eq!(header.block_bytes(), 36 + 40 + 10);
        assert_eq!((layout.samples_at, layout.names_at), (36, Some(76)));
        assert_eq!(header.check(86).unwrap(), layout);
    }

    #[test]
    fn each_rule_names_its_field() {
        let good = ChopHeader::plan(2, 5, 60.0, Some(10)).unwrap().0;
        let field = |change: fn(&mut ChopHeader), mapped: usize| {
            let mut header = good;
            change(&mut header);
            header.check(mapped).unwrap_err().field
        };
        assert_eq!(field(|h| h.magic.set(1), 4096), "magic");
        assert_eq!(field(|h| h.version.set(0), 4096), "version");
        assert_eq!(field(|h| h.num_chans.set(-1), 4096), "numChans");
        assert_eq!(field(|h| h.length.set(-1), 4096), "length");
        assert_eq!(field(|h| h.length.set(i32::MAX), 4096), "numChans * length * 4");
        assert_eq!(field(|h| h.sample_rate.set(0.0), 4096), "sampleRate");
        assert_eq!(field(|h| h.sample_rate.set(f32::NAN), 4096), "sampleRate");
        assert_eq!(field(|h| h.sample_rate.set(f32::INFINITY), 4096), "sampleRate");
        assert_eq!(field(|h| h.channel_data_offset.set(32), 4096), "channelDataOffset");
        assert_eq!(field(|h| h.channel_data_offset.set(-4), 4096), "channelDataOffset");
        assert_eq!(field(|h| h.channel_data_offset.set(38), 4096), "channelDataOffset");
        assert_eq!(field(|h| h.name_data_offset.set(35), 4096), "nameDataOffset");
        assert_eq!(field(|h| h.name_data_offset.set(4095), 4096), "nameDataOffset");
        assert_eq!(field(|_| (), 75), "numChans * length * 4");
        assert!(good.check(78).is_ok(), "two empty names still fit");
    }

    #[test]
    fn an_error_says_field_value_limit_and_what_to_do() {
        let mut header = ChopHeader::plan(2, 5, 60.0, None).unwrap().0;
        header.length.set(-3);
        assert_eq!(
            header.check(4096).unwrap_err().to_string(),
            "length is -3, and must be at least 0: the sender writes a wrong header"
        );
    }

    #[test]
    fn later_versions_and_any_names_flag_but_1_are_read() {
        let mut header = ChopHeader::plan(1, 1, 60.0, Some(2)).unwrap().0;
        header.version.set(7);
        assert!(header.check(42).is_ok());
        header.names_sent.set(2);
        assert_eq!(header.check(42).unwrap().names_at, None);
    }

    #[test]
    fn a_sender_refuses_what_no_block_can_hold() {
        let field = |c, l, rate, n| ChopHeader::plan(c, l, rate, n).unwrap_err().field;
        assert_eq!(field(1, 1, 0.0, None), "sampleRate");
        assert_eq!(field(1 << 20, 1 << 10, 60.0, None), "size");
        assert_eq!(field(1 << 20, usize::MAX, 60.0, None), "numChans * length");
        assert_eq!(field((1 << 20) + 1, 0, 60.0, None), "numChans");
        assert_eq!(encode_names(["a", "b\0c"].into_iter(), &mut Vec::new()).unwrap_err().field, "name");
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_a_checked_layout_lies_inside(
            bytes in any::<[u8; HEADER_BYTES]>(),
            fix_magic in any::<bool>(),
            small in any::<bool>(),
            mapped in 0_usize..100_000,
        ) {
            let mut header = ChopHeader::read_from_bytes(&bytes).unwrap();
            if fix_magic {
                header.magic.set(MAGIC);
                header.sample_rate.set(60.0);
            }
            if small {
                for field in [&mut header.num_chans, &mut header.length] {
                    field.set(field.get() & 0xff);
                }
                for field in [&mut header.channel_data_offset, &mut header.name_data_offset] {
                    field.set(field.get() & 0xfffc);
                }
            }
            if let Ok(layout) = header.check(mapped) {
                prop_assert!(layout.samples_at >= HEADER_BYTES);
                prop_assert!(layout.samples_at + layout.samples_bytes() <= mapped);
                prop_assert!(layout.names_at.is_none_or(|at| at >= HEADER_BYTES && at < mapped));
                prop_assert!(layout.sample_rate > 0.0);
            }
        }

        #[test]
        fn names_come_back_as_they_went(names in proptest::collection::vec("[^\0]{0,12}", 0..20)) {
            let mut bytes = Vec::new();
            encode_names(names.iter().map(String::as_str), &mut bytes).unwrap();
            prop_assert_eq!(names_extent(&bytes, names.len()), Some(bytes.len()));
            prop_assert_eq!(split_names(&bytes, names.len()).unwrap(), names);
        }
    }
}
