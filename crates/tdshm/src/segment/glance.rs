//! A look at what changes in a segment, short enough to be repeated: whether it moves, and where to.

use std::hash::{DefaultHasher, Hasher};

use crate::error::{Error, SegmentError, object_error};
use crate::name::ShortName;
use crate::segment::block;
use crate::segment::inspect::{extension, within};
use crate::sys::{ObjectError, Peek};
use crate::wire::notice;

/// Bytes that are looked at of a block whose sender counts nothing, in so many pieces.
const PIECE: usize = 16 << 10;
const PIECES: usize = 16;

/// What a short look at a segment found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Glance {
    /// The data segment's object name: another one than before after the sender outgrew it.
    pub segment: String,
    /// Whether the sender has said that it left; `None` without an info segment.
    pub detached: Option<bool>,
    /// Frames written; `None` for a foreign sender, who counts none.
    pub frames: Option<u64>,
    /// Whether a frame was being written in that moment, or its writer died in the middle of it.
    pub is_writing: bool,
    /// A number that stands for the bytes of a foreign sender's block, of a large one for parts of it: where two differ,
    /// something was sent. `None` for senders that count, and without data.
    pub fingerprint: Option<u64>,
}

/// Looks at what changes in the segment `name`, without taking part: nobody waits for it, and nobody notices.
///
/// # Platform
///
/// As [`inspect`](crate::inspect).
///
/// # Errors
///
/// [`Error::Name`]; [`SegmentError::DoesNotExist`] when there is neither an info nor a data segment; what may not be read.
///
/// # Source
///
/// wire §3, §4, §11.
///
/// ```
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("docglance{}", std::process::id());
/// let mut out = tdshm::ChopSender::create(&name)?;
/// let before = tdshm::glance(&name)?;
/// out.send(&[[0.5]])?;
/// let after = tdshm::glance(&name)?;
/// assert_eq!((before.frames, after.frames), (Some(0), Some(1)));
/// # drop(out);
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
pub fn glance(name: &str) -> Result<Glance, Error> {
    let name = ShortName::new(name)?;
    let info_name = name.info_segment();
    let (block, extension) = match Peek::open(&info_name) {
        Ok(peek) => (block::peek(&peek).ok(), extension(&peek)),
        Err(ObjectError::Absent) => (None, None),
        Err(error) => return Err(object_error(error, &info_name).into()),
    };
    let postfix = block.as_ref().and_then(|block| block.postfix.ok()).unwrap_or_default();
    let u64_at = |at| {
        let bytes = extension.as_ref()?.get(within(at)..)?.first_chunk()?;
        Some(u64::from_le_bytes(*bytes))
    };
    let frames = u64_at(notice::FRAMES_OFFSET);
    let segment = name.data_segment_with(postfix);
    let fingerprint = match (frames, Peek::open(&segment)) {
        (Some(_), _) => None,
        (None, Ok(peek)) => Some(fingerprint(&peek)),
        (None, Err(ObjectError::Absent)) if block.is_some() => None,
        (None, Err(ObjectError::Absent)) => {
            return Err(SegmentError::DoesNotExist { name: name.as_str().to_owned() }.into());
        }
        (None, Err(error)) => return Err(object_error(error, &segment).into()),
    };
    Ok(Glance {
        segment,
        detached: block.as_ref().map(|block| block.detached()),
        frames,
        is_writing: u64_at(notice::SEQUENCE_OFFSET).is_some_and(|sequence| sequence & 1 == 1),
        fingerprint,
    })
}

/// Of all bytes, or of pieces that lie evenly in a large object.
fn fingerprint(peek: &Peek) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut piece = vec![0; PIECE];
    let apart = peek.bytes().div_ceil(PIECES).max(PIECE);
    for number in 0..PIECES {
        let len = peek.read(number.saturating_mul(apart), &mut piece).unwrap_or(0);
        hasher.write(piece.get(..len).unwrap_or_default());
    }
    hasher.finish()
}
