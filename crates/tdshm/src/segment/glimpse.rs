//! One copy of what a foreign sender shows, for tools that watch: nothing is attached, made, mapped or kept open.
//!
//! A sender of this library counts its frames, and is observed without any lock. A foreign one does not: its lock alone
//! tells whether a copy is whole. So that is taken, for one copy of a bounded size and only where something has changed.

use std::time::Duration;

use crate::error::{BlockError, Error, SegmentError, object_error};
use crate::lock::NamedLock;
use crate::lock::layout::LAYOUT;
use crate::name::ShortName;
use crate::segment::block;
use crate::segment::inspect::{ChopContents, TopContents, names};
use crate::sys::{self, LockOpenError, ObjectError, Peek};
use crate::wire::chop::{self, ChopHeader, ChopLayout};
use crate::wire::top::{self, TopLayout};
use zerocopy::FromBytes;

/// How often it begins anew because the header changed before the lock was taken.
const TRIES: usize = 4;

/// A copy of a block, or of as much of it as was asked for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Glimpse {
    /// What was copied.
    pub block: GlimpsedBlock,
    /// Whether the lock was held while it was copied. Otherwise there was none, and it may be half of one frame and half of
    /// another.
    pub is_whole: bool,
    /// Whether the last holder of the lock had died with it.
    pub is_abandoned: bool,
}

/// What a [`Glimpse`] copied.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum GlimpsedBlock {
    /// Channels.
    Channels {
        /// What the header says.
        contents: ChopContents,
        /// How many samples of each channel were copied: the last ones.
        kept: usize,
        /// All of channel 0, then all of channel 1, and so on: `kept` samples each.
        samples: Vec<f32>,
    },
    /// An image.
    Image {
        /// What the header says.
        contents: TopContents,
        /// Which rows were copied: each `apart`-th one from the first on. 1: all of them.
        apart: usize,
        /// Those rows as they lie in the segment, one behind the other.
        pixels: Vec<u8>,
    },
}

impl GlimpsedBlock {
    /// Whether two copies hold the same, bit by bit.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Channels { contents: a, kept: ka, samples: sa },
                Self::Channels { contents: b, kept: kb, samples: sb },
            ) => {
                a.num_channels == b.num_channels
                    && a.len_samples == b.len_samples
                    && a.sample_rate.to_bits() == b.sample_rate.to_bits()
                    && a.names == b.names
                    && ka == kb
                    && sa.len() == sb.len()
                    && sa.iter().zip(sb).all(|(a, b)| a.to_bits() == b.to_bits())
            }
            (
                Self::Image { contents: a, apart: aa, pixels: pa },
                Self::Image { contents: b, apart: ab, pixels: pb },
            ) => a.shape == b.shape && a.data_offset == b.data_offset && aa == ab && pa == pb,
            _ => false,
        }
    }
}

/// What lies there, checked.
enum Layout {
    Channels(ChopLayout),
    Image(TopLayout),
}

/// Copies the block of the segment `name`, `most_bytes` of it at most, while its lock is held, for which it waits up to
/// `limit`. `None`: there is no block, or what lies there is what `last` holds, in which case no lock was taken.
///
/// For the segments of foreign senders, and for tools that must not leave a trace: nobody is told that somebody reads.
/// Senders of this library are better read by a receiver that [observes](crate::SegmentReceiverBuilder::observe), which
/// takes no lock at all.
///
/// # Platform
///
/// As [`inspect`](crate::inspect).
///
/// # Errors
///
/// [`Error::Name`]; [`Error::Block`] where the block breaks a rule; [`Error::Lock`] where the lock is not free within
/// `limit`; [`Error::Segment`] for what may not be read. Trying again is always allowed.
///
/// # Source
///
/// wire §5, §8, §9.
///
/// ```
/// use std::time::Duration;
/// use tdshm::GlimpsedBlock;
///
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("docglimpse{}", std::process::id());
/// let mut out = tdshm::ChopSender::create(&name)?;
/// out.send(&[[0.5, 1.5]])?;
/// let first = tdshm::glimpse(&name, 1 << 20, Duration::from_millis(5), None)?;
/// let Some(GlimpsedBlock::Channels { samples, .. }) = first.as_ref().map(|first| &first.block) else { unreachable!() };
/// assert_eq!(samples[..], [0.5, 1.5]);
/// assert!(tdshm::glimpse(&name, 1 << 20, Duration::from_millis(5), first.as_ref())?.is_none(), "nothing is new");
/// # drop(out);
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
pub fn glimpse(
    name: &str,
    most_bytes: usize,
    limit: Duration,
    last: Option<&Glimpse>,
) -> Result<Option<Glimpse>, Error> {
    let name = ShortName::new(name)?;
    let Some((object, peek)) = open(&name)? else { return Ok(None) };
    let lock_name = name.data_lock();
    for _ in 0..TRIES {
        let before = header(&peek);
        let Some(layout) = examine(&before, peek.bytes())? else { return Ok(None) };
        let mut glimpsed = room(&peek, &layout, most_bytes)?;
        copy(&peek, &layout, &mut glimpsed).map_err(|source| unread(&object, source))?;
        if last.is_some_and(|last| last.block.is_same(&glimpsed)) {
            return Ok(None);
        }
        if !exists(&lock_name) {
            return Ok(Some(Glimpse { block: glimpsed, is_whole: false, is_abandoned: false }));
        }
        let Some(lock) = NamedLock::open_as_guest(&lock_name)? else { continue };
        let held = lock.lock_timeout(limit)?;
        let is_abandoned = held.is_abandoned();
        let same = header(&peek) == before;
        let copied = if same { copy(&peek, &layout, &mut glimpsed) } else { Ok(()) };
        drop(held);
        copied.map_err(|source| unread(&object, source))?;
        if same {
            return Ok(Some(Glimpse { block: glimpsed, is_whole: true, is_abandoned }));
        }
    }
    Ok(None)
}

/// The data segment of that name; `None`: there is none.
fn open(name: &ShortName) -> Result<Option<(String, Peek)>, Error> {
    let info_name = name.info_segment();
    let postfix = match Peek::open(&info_name) {
        Ok(peek) => match block::peek(&peek) {
            Ok(block) if block.detached() => return Ok(None),
            Ok(block) => block.postfix.unwrap_or_default(),
            Err(_) => Default::default(),
        },
        Err(ObjectError::Absent) => Default::default(),
        Err(error) => return Err(object_error(error, &info_name).into()),
    };
    let object = name.data_segment_with(postfix);
    match Peek::open(&object) {
        Ok(peek) => Ok(Some((object, peek))),
        Err(ObjectError::Absent) => Ok(None),
        Err(error) => Err(object_error(error, &object).into()),
    }
}

/// Whether there is a lock of that name: none is made here.
fn exists(lock: &str) -> bool {
    // What is wrong with it is said by whoever opens it.
    !matches!(sys::lock_word(lock, LAYOUT), Err(LockOpenError::Object(ObjectError::Absent)))
}

fn unread(object: &str, source: std::io::Error) -> Error {
    SegmentError::Os(crate::error::OsError { operation: "read", object: object.to_owned(), source }).into()
}

/// As many bytes as a header has at most, and zeros where there are fewer.
fn header(peek: &Peek) -> [u8; top::COLOUR_HEADER_BYTES] {
    let mut bytes = [0; top::COLOUR_HEADER_BYTES];
    let found = peek.read(0, &mut bytes).unwrap_or(0);
    bytes.iter_mut().skip(found).for_each(|byte| *byte = 0);
    bytes
}

fn examine(header: &[u8; top::COLOUR_HEADER_BYTES], mapped: usize) -> Result<Option<Layout>, BlockError> {
    let channels = ChopHeader::read_from_prefix(header).ok().map(|(header, _)| header);
    if let Some(header) = channels.filter(|header| header.magic() == chop::MAGIC) {
        return Ok(Some(Layout::Channels(header.check(mapped)?)));
    }
    let header = header.get(..mapped.min(header.len())).unwrap_or_default();
    if top::is_image(header) { Ok(Some(Layout::Image(top::check(header, mapped)?))) } else { Ok(None) }
}

/// Room for the copy: nothing is allocated while the lock is held.
fn room(peek: &Peek, layout: &Layout, most_bytes: usize) -> Result<GlimpsedBlock, BlockError> {
    match layout {
        Layout::Channels(layout) => {
            let each =
                most_bytes.checked_div(layout.num_channels.saturating_mul(chop::SAMPLE_BYTES)).unwrap_or(0);
            let kept = layout.len_samples.min(each);
            let names = layout.names_at.map(|at| names(peek, at, layout.num_channels)).transpose()?;
            let contents = ChopContents {
                num_channels: layout.num_channels,
                len_samples: layout.len_samples,
                sample_rate: layout.sample_rate,
                names,
            };
            let samples = vec![0.0; kept.saturating_mul(layout.num_channels)];
            Ok(GlimpsedBlock::Channels { contents, kept, samples })
        }
        Layout::Image(layout) => {
            let row = layout.row_bytes().unwrap_or(0);
            let most_rows = most_bytes.checked_div(row).unwrap_or(0).max(1);
            let apart = layout.height.div_ceil(most_rows).max(1);
            let pixels = vec![0; layout.height.div_ceil(apart).saturating_mul(row)];
            Ok(GlimpsedBlock::Image { contents: TopContents::from(*layout), apart, pixels })
        }
    }
}

/// Fills what there is room for. What has gone meanwhile is 0.
fn copy(peek: &Peek, layout: &Layout, to: &mut GlimpsedBlock) -> std::io::Result<()> {
    match (layout, to) {
        (Layout::Channels(layout), GlimpsedBlock::Channels { kept, samples, .. }) => {
            let (kept, length) = (*kept, layout.len_samples);
            if kept == length {
                peek.read(layout.samples_at, zerocopy::IntoBytes::as_mut_bytes(samples.as_mut_slice()))?;
                return Ok(());
            }
            for (channel, samples) in samples.chunks_exact_mut(kept.max(1)).enumerate() {
                let first = channel.saturating_mul(length).saturating_add(length.saturating_sub(kept));
                let at = layout.samples_at.saturating_add(first.saturating_mul(chop::SAMPLE_BYTES));
                peek.read(at, zerocopy::IntoBytes::as_mut_bytes(samples))?;
            }
        }
        (Layout::Image(layout), GlimpsedBlock::Image { apart, pixels, .. }) => {
            let row = layout.row_bytes().unwrap_or(0).max(1);
            if *apart == 1 {
                peek.read(layout.data_at, pixels)?;
                return Ok(());
            }
            for (index, pixels) in pixels.chunks_exact_mut(row).enumerate() {
                let first = index.saturating_mul(*apart).saturating_mul(row);
                peek.read(layout.data_at.saturating_add(first), pixels)?;
            }
        }
        _ => {}
    }
    Ok(())
}
