//! Looking at segments without taking part: nothing is mapped, locked or created.
//!
//! What is read here may change while it is read; a tool that shows it can live with that.

use zerocopy::{FromBytes, IntoBytes};

use crate::error::{BlockError, Error, OsError, SegmentError};
use crate::name::{INFO_SUFFIX, LOCK_SUFFIX, PREFIX, ShortName};
use crate::segment::object_error;
use crate::sys::{self, ObjectError, Peek};
use crate::wire::chop::{self, ChopHeader, ChopLayout};
use crate::wire::info::{self, InfoBlock, Postfix};

/// What a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BlockKind {
    /// Channels (wire §8).
    Chop,
    /// Nothing that this program knows, or nothing yet.
    Unknown,
}

/// What a look at a segment found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SegmentReport {
    /// The short name.
    pub name: ShortName,
    /// The data segment's object name.
    pub segment: String,
    /// The data segment's size; `None` when there is an info segment and no data.
    pub mapped_bytes: Option<usize>,
    /// What lies in it.
    pub kind: BlockKind,
    /// The channel block, when it is one.
    pub chop: Option<ChopReport>,
    /// Whether a receiver has said that it understands resizing; `None` without an info segment.
    pub supported: Option<bool>,
    /// Whether the sender has said that it left; `None` without an info segment.
    pub detached: Option<bool>,
}

/// What a look at a channel block found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChopReport {
    /// Bytes that the header says the block has. Nothing relies on it.
    pub block_bytes: i32,
    /// What the header says, or the rule it breaks.
    pub layout: Result<ChopContents, BlockError>,
}

/// The measures and names of a channel block.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChopContents {
    /// Channels.
    pub num_channels: usize,
    /// Samples in each channel.
    pub len_samples: usize,
    /// Samples per second, in Hz.
    pub sample_rate: f32,
    /// The names; `None` when none were sent.
    pub names: Option<Vec<String>>,
}

/// Looks at the segment `name`.
///
/// # Errors
///
/// [`Error::Name`]; [`SegmentError::DoesNotExist`] when there is neither an info nor a data segment; what stands
/// there and is not a segment, or may not be read.
pub fn inspect(name: &str) -> Result<SegmentReport, Error> {
    Ok(look(ShortName::new(name)?)?)
}

/// Looks at every segment of this machine that this user may read, by name. What cannot be read is left out.
///
/// # Platform
///
/// Linux: everything in `/dev/shm` that has the names of a segment.
///
/// # Errors
///
/// [`SegmentError::Os`] when the objects cannot be listed at all.
pub fn list() -> Result<Vec<SegmentReport>, Error> {
    let objects = sys::object_names(PREFIX).map_err(|source| {
        SegmentError::Os(OsError {
            operation: "list",
            object: "the shared-memory objects".to_owned(),
            source,
        })
    })?;
    let mut reports: Vec<SegmentReport> =
        short_names(&objects).into_iter().filter_map(|n| look(n).ok()).collect();
    reports.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(reports)
}

/// Which segments those objects belong to. Short names may end in anything, so an object counts as a data
/// segment of its own only when no other segment explains it.
fn short_names(objects: &[String]) -> Vec<ShortName> {
    let info = |object: &str| {
        let short = object.strip_prefix(PREFIX)?.strip_prefix(PREFIX)?.strip_suffix(INFO_SUFFIX)?;
        ShortName::new(short).ok()
    };
    let mut names: Vec<ShortName> = objects.iter().filter_map(|object| info(object)).collect();
    for object in objects {
        let Some(short) = object.strip_prefix(PREFIX).and_then(|short| ShortName::new(short).ok()) else {
            continue;
        };
        let locks = object.ends_with(LOCK_SUFFIX);
        let single_prefix_info =
            object.strip_suffix(INFO_SUFFIX).is_some_and(|data| objects.iter().any(|other| other == data));
        let moved = names.iter().any(|name| {
            let postfix = object.strip_prefix(&name.data_segment());
            postfix.is_some_and(|p| p.is_empty() || (p.len() == Postfix::LEN && is_letters(p)))
        });
        if !(locks || single_prefix_info || moved || info(object).is_some()) {
            names.push(short);
        }
    }
    names
}

fn is_letters(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn look(name: ShortName) -> Result<SegmentReport, SegmentError> {
    let info_name = name.info_segment();
    let block = match Peek::open(&info_name) {
        Ok(peek) => {
            let block: InfoBlock = read(&peek, 0, &info_name)?;
            (block.magic.get() == info::MAGIC).then_some(block)
        }
        Err(ObjectError::Absent) => None,
        Err(error) => return Err(object_error(error, &info_name, info::BLOCK_BYTES)),
    };
    let postfix = block.as_ref().and_then(|block| Postfix::parse(&block.postfix)).unwrap_or_default();
    let segment = name.data_segment_with(postfix);
    let mut report = SegmentReport {
        name,
        segment,
        mapped_bytes: None,
        kind: BlockKind::Unknown,
        chop: None,
        supported: block.as_ref().map(|block| block.supported == 1),
        detached: block.as_ref().map(InfoBlock::detached),
    };
    match Peek::open(&report.segment) {
        Ok(peek) => {
            report.mapped_bytes = Some(peek.bytes());
            if let Ok(header) = read::<ChopHeader>(&peek, 0, &report.segment)
                && header.magic() == chop::MAGIC
            {
                report.kind = BlockKind::Chop;
                let layout = header.check(peek.bytes()).and_then(|layout| contents(&peek, &layout));
                report.chop = Some(ChopReport { block_bytes: header.block_bytes(), layout });
            }
            Ok(report)
        }
        Err(ObjectError::Absent) if block.is_some() => Ok(report),
        Err(ObjectError::Absent) => Err(SegmentError::DoesNotExist { name: report.name.as_str().to_owned() }),
        Err(error) => Err(object_error(error, &report.segment, chop::HEADER_BYTES)),
    }
}

fn contents(peek: &Peek, layout: &ChopLayout) -> Result<ChopContents, BlockError> {
    Ok(ChopContents {
        num_channels: layout.num_channels,
        len_samples: layout.len_samples,
        sample_rate: layout.sample_rate,
        names: layout.names_at.map(|at| names(peek, at, layout.num_channels)).transpose()?,
    })
}

/// Reads names in growing pieces, until all are there or the object ends.
fn names(peek: &Peek, at: usize, count: usize) -> Result<Vec<String>, BlockError> {
    let run_out = |bytes: &[u8]| chop::names_run_out(count, bytes.iter().filter(|byte| **byte == 0).count());
    let room = peek.bytes().saturating_sub(at);
    let mut bytes = Vec::new();
    let mut want = count.saturating_mul(16).max(256);
    loop {
        bytes.resize(want.min(room), 0);
        let found = peek.read(at, &mut bytes).unwrap_or(0);
        bytes.truncate(found);
        if let Some(end) = chop::names_extent(&bytes, count) {
            let names = bytes.get(..end).unwrap_or_default();
            return chop::split_names(names, count).map_err(|_| run_out(&bytes));
        }
        if found < want {
            return Err(run_out(&bytes));
        }
        want = want.saturating_mul(2);
    }
}

fn read<T: FromBytes + IntoBytes>(peek: &Peek, offset: usize, object: &str) -> Result<T, SegmentError> {
    let mut value = T::new_zeroed();
    let needed = size_of::<T>();
    match peek.read(offset, value.as_mut_bytes()) {
        Ok(bytes) if bytes == needed => Ok(value),
        Ok(_) => Err(SegmentError::TooSmall { object: object.to_owned(), bytes: peek.bytes(), needed }),
        Err(source) => Err(OsError { operation: "read", object: object.to_owned(), source }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_told_from_what_belongs_to_them() {
        let moved = format!("TouchSHMa{}", "q".repeat(31));
        let objects = [
            "TouchSHMa",
            "TouchSHMaMutex",
            "TouchSHMTouchSHMa4jhd783h",
            "TouchSHMTouchSHMa4jhd783hMutex",
            &moved,
            "TouchSHMbare",
            "TouchSHMsingle",
            "TouchSHMsingle4jhd783h",
        ]
        .map(str::to_owned);
        let names: Vec<String> = short_names(&objects).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a", "bare", "single"]);
    }
}
