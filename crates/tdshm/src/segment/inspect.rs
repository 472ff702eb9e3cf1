//! Looking at segments without taking part: nothing is mapped, locked or created.
//!
//! What is read here may change while it is read; a tool that shows it can live with that.

use std::time::Duration;

use zerocopy::{FromBytes, IntoBytes};

use crate::chop::ChopShape;
use crate::error::{BlockError, Error, ErrorKind, OsError, SegmentError, object_error};
use crate::name::{INFO_SUFFIX, LOCK_SUFFIX, PREFIX, ShortName};
use crate::segment::block;
use crate::sys::{self, ObjectError, Peek, Process};
use crate::top::TopShape;
use crate::wire::chop::{self, ChopHeader, ChopLayout};
use crate::wire::global::GlobalHeader;
use crate::wire::info::{InfoBlock, NoBlock, Postfix};
use crate::wire::notice;
use crate::wire::top::{self, TopLayout};

/// What a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BlockKind {
    /// Channels (wire §8).
    Chop,
    /// An image (wire §9).
    Top,
    /// All blocks of a program of this library (wire §12).
    Global,
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
    /// The data segment's size in bytes; `None` when there is an info segment and no data.
    pub mapped_bytes: Option<usize>,
    /// What lies in it.
    pub kind: BlockKind,
    /// The channel block, when it is one.
    pub chop: Option<ChopReport>,
    /// The image block, when it is one.
    pub top: Option<TopReport>,
    /// Whether a receiver has said that it understands resizing; `None` without an info segment.
    pub supported: Option<bool>,
    /// Whether the sender has said that it left; `None` without an info segment.
    pub detached: Option<bool>,
    /// What our own sender recorded; `None` for a foreign one.
    pub notices: Option<NoticeReport>,
}

/// What a sender of this library recorded about itself and its writes (wire §11).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NoticeReport {
    /// The process that owns the segment, or died as its owner; `None` when it left.
    pub owner_pid: Option<u32>,
    /// Whether the owner lives.
    pub owner_alive: bool,
    /// The owner's program.
    pub program: String,
    /// Frames written.
    pub frames: u64,
    /// Whether a frame was being written in that moment, or its writer died in the middle of it.
    pub is_writing: bool,
    /// How old the last frame is, to some milliseconds; `None` before the first.
    pub age: Option<Duration>,
    /// Who reads, the dead included until their places are needed. Foreign receivers do not register.
    pub receivers: Vec<ReceiverReport>,
}

/// What a receiver of this library recorded about itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReceiverReport {
    /// Its process.
    pub pid: u32,
    /// Whether that lives.
    pub alive: bool,
    /// Whether it sleeps until the next frame.
    pub waiting: bool,
    /// The number of the frame it took last; `None` before the first.
    pub frame: Option<u64>,
    /// How many frames were written since.
    pub behind: u64,
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

impl ChopContents {
    /// Count, length and rate together.
    #[must_use]
    pub fn shape(&self) -> ChopShape {
        let Self { num_channels, len_samples, sample_rate, .. } = *self;
        ChopShape { num_channels, len_samples, sample_rate }
    }
}

/// What a look at an image block found. Its pixels are not looked at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TopReport {
    /// What the header says, or the rule it breaks.
    pub layout: Result<TopContents, BlockError>,
}

/// The measures of an image block.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TopContents {
    /// Size, format, and the header's version.
    pub shape: TopShape,
    /// Where the pixels begin, in bytes from the start of the block. A sender that fills one place while another is read
    /// changes it at every image.
    pub data_offset: usize,
}

impl From<TopLayout> for TopContents {
    fn from(layout: TopLayout) -> Self {
        Self { shape: TopShape::of(&layout), data_offset: layout.data_at }
    }
}

/// Looks at the segment `name`, without taking part: nobody waits for it, and nobody notices.
///
/// What is read may change while it is read: the parts of a report need not be of one moment.
///
/// # Platform
///
/// Linux: the objects are read as files. Windows: they are mapped for as long as the look takes, and not kept alive. macOS:
/// they are mapped as well, since nobody can shrink them. Dead and living owners are told apart for senders of this library
/// alone.
///
/// # Errors
///
/// [`Error::Name`]; [`SegmentError::DoesNotExist`] when there is neither an info nor a data segment; what stands
/// there and is not a segment, or may not be read. Trying again helps where somebody was creating or leaving it.
///
/// # Source
///
/// wire §2, §3, §8, §9, §11.
///
/// ```
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("doclook{}", std::process::id());
/// let mut out = tdshm::ChopSender::create(&name)?;
/// out.send(&[[0.5], [1.5]])?;
/// let report = tdshm::inspect(&name)?;
/// let chop = report.chop.and_then(|chop| chop.layout.ok());
/// assert_eq!(chop.map(|chop| chop.num_channels), Some(2));
/// assert_eq!(report.notices.map(|sender| sender.frames), Some(1));
/// # drop(out);
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
pub fn inspect(name: &str) -> Result<SegmentReport, Error> {
    Ok(look(ShortName::new(name)?)?)
}

/// What a look at every segment of this machine found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Survey {
    /// Those that could be looked at, by name.
    pub segments: Vec<SegmentReport>,
    /// Those that could not, by name, and why: most often they are another user's.
    pub left_out: Vec<(ShortName, Error)>,
}

/// Looks at every segment of this machine that this user may read, by name. What cannot be read is left out:
/// [`survey`] says what that is.
///
/// # Platform
///
/// As [`survey`].
///
/// # Errors
///
/// As [`survey`].
///
/// # Source
///
/// wire §1.
///
/// ```
/// for report in tdshm::list()? {
///     println!("{}: {:?} bytes", report.name, report.mapped_bytes);
/// }
/// # Ok::<(), tdshm::Error>(())
/// ```
pub fn list() -> Result<Vec<SegmentReport>, Error> {
    Ok(survey()?.segments)
}

/// Looks at every segment of this machine, and says which ones this user may not read.
///
/// # Platform
///
/// Linux: everything in `/dev/shm` that has the names of a segment. Windows: everything in the session's object directory
/// that has. macOS: the segments whose info locks stand in the name directory; short names of
/// one or two bytes need no place there, and cannot be found.
///
/// # Errors
///
/// [`SegmentError::Os`] when the objects cannot be listed at all.
///
/// # Source
///
/// wire §1.
///
/// ```
/// let survey = tdshm::survey()?;
/// for (name, why) in &survey.left_out {
///     eprintln!("{name}: {why}");
/// }
/// # Ok::<(), tdshm::Error>(())
/// ```
pub fn survey() -> Result<Survey, Error> {
    let objects = sys::object_names(PREFIX).map_err(|source| {
        SegmentError::Os(OsError {
            operation: "list",
            object: "the shared-memory objects".to_owned(),
            source,
        })
    })?;
    let mut names = short_names(&objects);
    names.sort();
    names.dedup();
    let mut survey = Survey { segments: Vec::new(), left_out: Vec::new() };
    for name in names {
        match look(name.clone()).map_err(Error::from) {
            Ok(report) => survey.segments.push(report),
            // It went away in this moment.
            Err(error) if matches!(error.kind(), ErrorKind::Absent | ErrorKind::Gone) => {}
            Err(error) => survey.left_out.push((name, error)),
        }
    }
    Ok(survey)
}

/// Which segments those objects belong to. Short names may end in anything, so an object counts as a data
/// segment of its own only when no other segment explains it.
pub(super) fn short_names(objects: &[String]) -> Vec<ShortName> {
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
        // Left by a sender of ours that died in a move.
        let stray = short.as_str().split_at_checked(short.as_str().len().saturating_sub(Postfix::LEN));
        let stray = stray.is_some_and(|(name, postfix)| !name.is_empty() && Postfix::is_ours(postfix));
        if !(locks || single_prefix_info || moved || stray || info(object).is_some()) {
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
    let (block, notices) = match Peek::open(&info_name) {
        Ok(peek) => {
            let block = match block::peek(&peek) {
                Ok(block) => Some(block),
                Err(NoBlock::Magic(_)) => None,
                Err(error) => return Err(block::no_block(error, &info_name, peek.bytes())),
            };
            (block, notices(&peek, block.is_some_and(|block| block.detached())))
        }
        Err(ObjectError::Absent) => (None, None),
        Err(error) => return Err(object_error(error, &info_name)),
    };
    let postfix = block.as_ref().and_then(|block| block.postfix.ok()).unwrap_or_default();
    let segment = name.data_segment_with(postfix);
    let mut report = SegmentReport {
        name,
        segment,
        mapped_bytes: None,
        kind: BlockKind::Unknown,
        chop: None,
        top: None,
        supported: block.as_ref().map(|block| block.supported == 1),
        detached: block.as_ref().map(InfoBlock::detached),
        notices,
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
            } else if let Some(layout) = image(&peek, &report.segment)? {
                report.kind = BlockKind::Top;
                report.top = Some(TopReport { layout: layout.map(TopContents::from) });
            } else if read::<GlobalHeader>(&peek, 0, &report.segment).is_ok_and(|header| header.is_global()) {
                report.kind = BlockKind::Global;
            }
            Ok(report)
        }
        Err(ObjectError::Absent) if block.is_some() => Ok(report),
        Err(ObjectError::Absent) => Err(SegmentError::DoesNotExist { name: report.name.as_str().to_owned() }),
        Err(error) => Err(object_error(error, &report.segment)),
    }
}

/// The extension of an info segment, read through its descriptor.
pub(super) fn extension(info: &Peek) -> Option<[u8; notice::BYTES]> {
    let mut bytes = [0; notice::BYTES];
    let whole = info.read(notice::OFFSET, &mut bytes).ok()? == notice::BYTES;
    (whole && bytes.starts_with(&notice::MAGIC)).then_some(bytes)
}

fn notices(info: &Peek, detached: bool) -> Option<NoticeReport> {
    let bytes = extension(info)?;
    let u64_at = |at| bytes.get(within(at)..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    // Of one that left by itself nobody is recorded; one that died stays, also where somebody cleaned up after it.
    let process = owner(&bytes);
    let program = bytes.get(within(notice::PROGRAM_OFFSET)..).unwrap_or_default();
    let program = program.split(|byte| *byte == 0).next().unwrap_or_default();
    let written = u64_at(notice::TIME_OFFSET).filter(|time| *time != 0);
    let frames = u64_at(notice::FRAMES_OFFSET).unwrap_or(0);
    Some(NoticeReport {
        owner_pid: process.map(|process| process.pid),
        owner_alive: !detached
            && info.is_owned(process)
            && process.is_some_and(|process| process.lives() || out_of_sight(info, process)),
        program: String::from_utf8_lossy(program).into_owned(),
        frames,
        is_writing: u64_at(notice::SEQUENCE_OFFSET).is_some_and(|sequence| sequence & 1 == 1),
        age: written.map(|time| Duration::from_nanos(sys::coarse_time().saturating_sub(time))),
        receivers: receivers(info, &bytes, frames),
    })
}

/// The entries of receivers, those that are taken.
fn receivers(info: &Peek, extension: &[u8; notice::BYTES], frames: u64) -> Vec<ReceiverReport> {
    let entries = extension.get(within(notice::RECEIVERS_OFFSET)..).unwrap_or_default();
    let entries = entries.chunks_exact(notice::RECEIVER_BYTES).take(notice::RECEIVERS);
    let report = |(index, entry): (usize, &[u8])| {
        let byte = notice::RECEIVERS_OFFSET.saturating_add(index.saturating_mul(notice::RECEIVER_BYTES));
        let u32_at = |at: usize| entry.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        let u64_at = |at: usize| entry.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        let process = Process { pid: u32_at(0)?, start: u64_at(notice::ENTRY_START)? };
        let frame = u64_at(notice::ENTRY_FRAME).filter(|frame| *frame != 0);
        let alive = info.is_marked(&(byte..byte.saturating_add(1)), Some(process));
        (process.pid != 0).then(|| ReceiverReport {
            pid: process.pid,
            alive,
            waiting: alive
                && u32_at(notice::ENTRY_FLAGS).is_some_and(|flags| flags & notice::ENTRY_WAITING != 0),
            frame,
            behind: frames.saturating_sub(frame.unwrap_or(0)),
        })
    };
    entries.enumerate().filter_map(report).collect()
}

/// Whether those who own it cannot be seen (another container, another user): they count as alive. Those that
/// can be seen, where the owner is dead, are its forked children.
fn out_of_sight(info: &Peek, recorded: Process) -> bool {
    info.owners(Some(recorded)).is_empty()
}

/// The owner that an extension records.
pub(super) fn owner(extension: &[u8; notice::BYTES]) -> Option<Process> {
    let pid = u32::from_le_bytes(*extension.get(within(notice::OWNER_OFFSET)..)?.first_chunk()?);
    let start = u64::from_le_bytes(*extension.get(within(notice::OWNER_START_OFFSET)..)?.first_chunk()?);
    (pid != 0).then_some(Process { pid, start })
}

/// Where something that stands at `offset` in the info segment stands in the extension.
pub(super) fn within(offset: usize) -> usize {
    offset.saturating_sub(notice::OFFSET)
}

fn contents(peek: &Peek, layout: &ChopLayout) -> Result<ChopContents, BlockError> {
    Ok(ChopContents {
        num_channels: layout.num_channels,
        len_samples: layout.len_samples,
        sample_rate: layout.sample_rate,
        names: layout.names_at.map(|at| names(peek, at, layout.num_channels)).transpose()?,
    })
}

/// The header of an image block, checked; `None` where there is something else.
fn image(peek: &Peek, object: &str) -> Result<Option<Result<TopLayout, BlockError>>, SegmentError> {
    let mut header = [0; top::COLOUR_HEADER_BYTES];
    let found = peek.read(0, &mut header).map_err(|source| {
        SegmentError::from(OsError { operation: "read", object: object.to_owned(), source })
    })?;
    let header = header.get(..found).unwrap_or_default();
    Ok(top::is_image(header).then(|| top::check(header, peek.bytes())))
}

/// Reads names in growing pieces, until all are there or the object ends.
pub(super) fn names(peek: &Peek, at: usize, count: usize) -> Result<Vec<String>, BlockError> {
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

pub(super) fn read<T: FromBytes + IntoBytes>(
    peek: &Peek,
    offset: usize,
    object: &str,
) -> Result<T, SegmentError> {
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
