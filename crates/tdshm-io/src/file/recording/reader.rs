//! Frames out of a file, one after the other.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tdshm::{BlockError, ChopFrame, TopFrame};

use crate::file::input;
use crate::file::recording::input::{Fields, HEAD_BYTES, Input, MAGIC, MESSAGE_HEAD_BYTES, op};
use crate::file::recording::writer::LostMessage;
use crate::file::recording::{Kind, LOST_ENCODING, LOST_TOPIC, Lost, METADATA, McapError, VERSION, nanos};

/// Buffers that are kept for the next frames.
const SPARES: usize = 1;
/// The fields of a chunk in front of the name of its compression: two times, a size, a checksum.
const CHUNK_FIELDS: u64 = 28;
/// Names of compressions are shorter.
const LONGEST_NAME: u32 = 64;

/// Reads a recording: an iterator over its frames in the order in which they were received.
///
/// Memory is taken for the frame that is read, and for nothing else: a file may be as large as it likes. What is damaged is
/// told from what is not by the checksums in the file, before any of it is given out.
///
/// An error after which [`goes_on`](McapError::goes_on) is true leaves a part out; after any other one the iterator ends.
/// A file that ends too early is none: see [`cut_short`](Self::cut_short).
pub struct Reader<R> {
    input: Input<R>,
    library: String,
    version: u32,
    channels: BTreeMap<u16, Channel>,
    lost: BTreeMap<Arc<str>, Lost>,
    wanted: Option<Wanted>,
    /// The first and the last nanosecond of what is read.
    range: (u64, u64),
    /// Whether checksums are looked at.
    verified: bool,
    chunk: Option<Chunk>,
    /// Where the frame ends that was announced and not read.
    behind_frame: Option<u64>,
    spares: Vec<Vec<u8>>,
    over: bool,
    cut_short: Option<u64>,
}

/// Which names are wanted.
type Wanted = Box<dyn Fn(&str) -> bool + Send>;

/// A channel of the file.
#[derive(Debug)]
struct Channel {
    segment: Arc<str>,
    holds: Holds,
    /// Whether frames have the numbers and times of their sender.
    counted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Blocks(Kind),
    Lost,
    /// Nothing of ours.
    Other,
}

/// The chunk that is being read.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    end: u64,
    /// The file ends inside.
    torn: bool,
}

/// A frame of a recording.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Frame {
    /// The short name of its segment.
    pub segment: Arc<str>,
    /// What its block holds.
    pub kind: Kind,
    /// When it was received, since the Unix epoch.
    pub received: Duration,
    /// When its sender wrote it, since the Unix epoch; `None` where nobody said.
    pub sent: Option<Duration>,
    /// The last 32 bits of its number, as its sender counted; `None` where nobody did.
    pub number: Option<u32>,
    /// The block: see [`channels`](Self::channels) and [`image`](Self::image).
    pub block: Vec<u8>,
}

impl Frame {
    /// The channels in the block.
    ///
    /// # Errors
    ///
    /// [`BlockError`] where it is no channel block, or a broken one.
    pub fn channels(&self) -> Result<ChopFrame, BlockError> {
        ChopFrame::from_block(&self.block)
    }

    /// The image in the block. Without a copy: [`tdshm::TopShape::of_block`].
    ///
    /// # Errors
    ///
    /// [`BlockError`] where it is no image block, or a broken one.
    pub fn image(&self) -> Result<TopFrame, BlockError> {
        TopFrame::from_block(&self.block)
    }
}

/// A frame that has not been read: its block comes next.
#[derive(Clone, Debug)]
pub(super) struct Announced {
    pub(super) segment: Arc<str>,
    pub(super) kind: Kind,
    pub(super) received: Duration,
    sent: Option<Duration>,
    pub(super) number: Option<u32>,
    pub(super) block_bytes: u64,
}

impl Reader<File> {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// [`McapError::Open`], and as [`Reader::new`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, McapError> {
        let path = path.as_ref();
        let open = |source| McapError::Open { path: path.to_owned(), source };
        Self::new(input::open(path).map_err(open)?)
    }
}

/// Whether a file of that path is there and begins as recordings do.
pub(super) fn begins_as_one(path: &Path) -> bool {
    let mut magic = [0; MAGIC.len()];
    let is_file = std::fs::metadata(path).is_ok_and(|about| about.is_file());
    is_file && File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == MAGIC
}

impl<R: Read + Seek> Reader<R> {
    /// Reads from the beginning of a file, or of whatever is like one.
    ///
    /// # Errors
    ///
    /// [`McapError::NotMcap`] where it begins as something else, [`McapError::Read`] where the system cannot read.
    pub fn new(from: R) -> Result<Self, McapError> {
        let mut input = Input::new(from)?;
        let have = input.len().min(8);
        let first = input.frame(have, Vec::new())?;
        if first != MAGIC {
            let found = format!("\"{}\"", first.escape_ascii());
            return Err(McapError::NotMcap { found });
        }
        Ok(Self {
            input,
            library: String::new(),
            version: VERSION,
            channels: BTreeMap::new(),
            lost: BTreeMap::new(),
            wanted: None,
            range: (0, u64::MAX),
            verified: true,
            chunk: None,
            behind_frame: None,
            spares: Vec::new(),
            over: false,
            cut_short: None,
        })
    }

    /// Gives the frames of some segments alone: of those whose names `wanted` is true for.
    #[must_use]
    pub fn only(mut self, wanted: impl Fn(&str) -> bool + Send + 'static) -> Self {
        self.wanted = Some(Box::new(wanted));
        self
    }

    /// Gives the frames alone that were received in that time since the Unix epoch, both ends included.
    #[must_use]
    pub fn between(mut self, first: Duration, last: Duration) -> Self {
        self.range = (nanos(first), nanos(last));
        self
    }

    /// Looks at no checksums, for whoever wants no more than to know what there is.
    pub(super) fn unverified(mut self) -> Self {
        self.verified = false;
        self
    }

    /// The program that wrote the file, as far as has been read.
    #[must_use]
    pub fn library(&self) -> &str {
        &self.library
    }

    /// At which byte the file ends too early, once all of it has been read; `None`: its writer ended it. Frames before
    /// that are whole.
    #[must_use]
    pub fn cut_short(&self) -> Option<u64> {
        self.cut_short
    }

    /// Bytes of the file.
    pub(super) fn len_bytes(&self) -> u64 {
        self.input.len()
    }

    /// What was lost of each segment, as far as has been read.
    pub(super) fn lost(&self) -> &BTreeMap<Arc<str>, Lost> {
        &self.lost
    }

    /// Goes back to the beginning.
    ///
    /// # Errors
    ///
    /// [`McapError::Read`].
    pub fn rewind(&mut self) -> Result<(), McapError> {
        self.input.go(u64::try_from(MAGIC.len()).unwrap_or_default())?;
        self.channels.clear();
        self.lost.clear();
        (self.chunk, self.behind_frame, self.cut_short, self.over) = (None, None, None, false);
        Ok(())
    }

    /// Takes the memory of a block that is no longer needed, for one of the next frames.
    pub fn give_back(&mut self, block: Vec<u8>) {
        if self.spares.len() < SPARES {
            self.spares.push(block);
        }
    }

    /// The next frame; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`McapError`]: see [`goes_on`](McapError::goes_on).
    pub fn next_frame(&mut self) -> Result<Option<Frame>, McapError> {
        let Some(announced) = self.next_announced()? else { return Ok(None) };
        let block = self.read_block(announced.block_bytes)?;
        let Announced { segment, kind, received, sent, number, .. } = announced;
        Ok(Some(Frame { segment, kind, received, sent, number, block }))
    }

    /// The first bytes of the block that was announced, at most so many.
    pub(super) fn read_block(&mut self, bytes: u64) -> Result<Vec<u8>, McapError> {
        let spare = self.spares.pop().unwrap_or_default();
        let read = self.input.frame(bytes, spare);
        self.over |= read.is_err();
        read
    }

    /// The next frame without its block; `None` at the end.
    pub(super) fn next_announced(&mut self) -> Result<Option<Announced>, McapError> {
        let next = self.look_for_frame();
        if let Err(error) = &next {
            self.over |= !error.goes_on();
        }
        next
    }

    fn look_for_frame(&mut self) -> Result<Option<Announced>, McapError> {
        while !self.over {
            if let Some(to) = self.behind_frame.take() {
                self.input.go(to)?;
            }
            let at = self.input.at();
            let end = self.chunk.map_or(self.input.len(), |chunk| chunk.end);
            let may_end = self.chunk.is_none_or(|chunk| chunk.torn);
            if at >= end && self.chunk.is_some_and(|chunk| !chunk.torn) {
                self.chunk = None;
                continue;
            }
            let left = end.saturating_sub(at);
            if left < HEAD_BYTES {
                self.ends_at(at, may_end)?;
                continue;
            }
            let [code, length @ ..] = self.input.array::<9>()?;
            let (bytes, left) = (u64::from_le_bytes(length), left.saturating_sub(HEAD_BYTES));
            if code == op::CHUNK && self.chunk.is_none() {
                self.open_chunk(at, bytes, left)?;
                continue;
            }
            // Where a machine lost its power, zeros may lie at the end of a file.
            if bytes > left || code == 0 {
                self.ends_at(at, may_end)?;
                continue;
            }
            let behind = self.input.at().saturating_add(bytes);
            match code {
                op::MESSAGE => {
                    if let Some(announced) = self.message(at, bytes)? {
                        self.behind_frame = Some(behind);
                        return Ok(Some(announced));
                    }
                }
                op::HEADER => {
                    let bytes = self.input.description(bytes)?;
                    let mut fields = Fields(&bytes);
                    self.library = fields.text().and_then(|_| fields.text()).unwrap_or_default();
                }
                op::CHANNEL => {
                    let bytes = self.input.description(bytes)?;
                    self.channel(Fields(&bytes));
                }
                op::METADATA => {
                    let bytes = self.input.description(bytes)?;
                    self.metadata(Fields(&bytes))?;
                }
                op::CHUNK => return Err(broken(at, "a chunk lies in a chunk")),
                op::DATA_END | op::FOOTER if self.chunk.is_none() => {
                    self.over = true;
                    continue;
                }
                _ => {}
            }
            self.input.go(behind)?;
        }
        Ok(None)
    }

    /// The file ends here, if it may.
    fn ends_at(&mut self, at: u64, may_end: bool) -> Result<(), McapError> {
        if !may_end {
            return Err(broken(at, "a record is longer than the chunk that it lies in"));
        }
        self.over = true;
        self.cut_short = Some(at);
        Ok(())
    }

    /// Goes into a chunk, if it is whole, or the file ends inside.
    fn open_chunk(&mut self, at: u64, bytes: u64, left: u64) -> Result<(), McapError> {
        if left < CHUNK_FIELDS.saturating_add(4) {
            return self.ends_at(at, true);
        }
        let fields = self.input.array::<32>()?;
        let mut fields = Fields(&fields);
        let (first, last, _) = (fields.u64(), fields.u64(), fields.u64());
        let (expected, name) = (fields.u32().unwrap_or(0), fields.u32().unwrap_or(0));
        let inside = CHUNK_FIELDS.saturating_add(4).saturating_add(u64::from(name)).saturating_add(8);
        if name > LONGEST_NAME {
            return Err(broken(at, "a chunk whose compression has no name that anybody knows"));
        }
        if left < inside {
            return self.ends_at(at, true);
        }
        let name = self.input.description(name.into())?;
        let said = u64::from_le_bytes(self.input.array()?);
        let begin = self.input.at();
        // Who is killed in the middle leaves lengths that say nothing.
        let whole = bytes <= left && bytes.checked_sub(inside) == Some(said);
        let end = if whole { begin.saturating_add(said) } else { self.input.len() };
        if !whole && bytes <= left && bytes >= inside {
            return Err(broken(at, "a chunk whose lengths contradict each other"));
        }
        if !name.is_empty() {
            if !whole {
                return self.ends_at(at, true);
            }
            self.input.go(end)?;
            let compression = String::from_utf8_lossy(&name).into_owned();
            return Err(McapError::Compressed { begin: at, end, compression });
        }
        let (first, last) = (first.unwrap_or(0), last.unwrap_or(u64::MAX));
        if whole && first > self.range.1 {
            self.over = true; // later ones are later still
            return Ok(());
        }
        if self.verified && whole && expected != 0 && last >= self.range.0 {
            let found = self.input.checksum(end)?;
            if found != expected {
                return Err(McapError::Damaged { begin: at, end, found, expected });
            }
            self.input.go(begin)?;
        }
        self.chunk = Some(Chunk { end, torn: !whole });
        Ok(())
    }

    /// A message: `None` where it is none of the frames that are wanted.
    fn message(&mut self, at: u64, bytes: u64) -> Result<Option<Announced>, McapError> {
        let Some(data) = bytes.checked_sub(MESSAGE_HEAD_BYTES) else {
            return Err(broken(at, "a message without all of its fields"));
        };
        let head = self.input.array::<22>()?;
        let mut fields = Fields(&head);
        let (Some(id), Some(number)) = (fields.u16(), fields.u32()) else { return Ok(None) };
        let (Some(received), Some(sent)) = (fields.u64(), fields.u64()) else { return Ok(None) };
        let Some(channel) = self.channels.get(&id) else { return Ok(None) };
        match channel.holds {
            Holds::Other => Ok(None),
            Holds::Lost => {
                let text = self.input.description(data)?;
                if let Ok(LostMessage { segment, unseen, dropped }) = serde_json::from_slice(&text) {
                    let lost = self.lost.entry(segment.into()).or_default();
                    *lost = lost.and(Lost { unseen, dropped });
                }
                Ok(None)
            }
            Holds::Blocks(kind) => {
                let wanted = self.wanted.as_ref().is_none_or(|wanted| wanted(&channel.segment));
                if !wanted || received < self.range.0 || received > self.range.1 {
                    return Ok(None);
                }
                Ok(Some(Announced {
                    segment: Arc::clone(&channel.segment),
                    kind,
                    received: Duration::from_nanos(received),
                    sent: channel.counted.then_some(Duration::from_nanos(sent)),
                    number: channel.counted.then_some(number),
                    block_bytes: data,
                }))
            }
        }
    }

    fn channel(&mut self, mut fields: Fields<'_>) {
        let (Some(id), Some(_schema)) = (fields.u16(), fields.u16()) else { return };
        let (Some(topic), Some(encoding)) = (fields.text(), fields.text()) else { return };
        let holds = match Kind::of(&encoding) {
            Some(kind) => Holds::Blocks(kind),
            None if topic == LOST_TOPIC && encoding == LOST_ENCODING => Holds::Lost,
            None => Holds::Other,
        };
        let counted = fields.value_of("counted_by").is_some_and(|who| who == "sender");
        self.channels.insert(id, Channel { segment: topic.into(), holds, counted });
    }

    fn metadata(&mut self, mut fields: Fields<'_>) -> Result<(), McapError> {
        if fields.text().as_deref() != Some(METADATA) {
            return Ok(());
        }
        let version = fields.value_of("version").and_then(|version| version.parse().ok());
        self.version = version.unwrap_or(self.version);
        match self.version {
            found if found > VERSION => Err(McapError::TooNew { found, limit: VERSION }),
            _ => Ok(()),
        }
    }
}

fn broken(at: u64, what: &str) -> McapError {
    McapError::Broken { at, what: what.to_owned() }
}

impl<R: Read + Seek> Iterator for Reader<R> {
    type Item = Result<Frame, McapError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_frame().transpose()
    }
}

/// Says where it is; nothing of what it read.
impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("library", &self.library)
            .field("channels", &self.channels.len())
            .field("over", &self.over)
            .field("cut_short", &self.cut_short)
            .finish_non_exhaustive()
    }
}
