//! Frames into a file.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use mcap::records::MessageHeader;
use mcap::{WriteOptions, records};
use serde::{Deserialize, Serialize};
use tdshm::{ChopFrame, TopFrame};

use crate::file::recording::{
    Kind, LOST_ENCODING, LOST_TOPIC, Lost, METADATA, McapError, PROFILE, Stamp, VERSION, nanos,
};

/// Bytes of a chunk, beyond which the next one begins.
const CHUNK_BYTES: u64 = 4 << 20;
/// How long a frame stays with this program before the system has it: somebody may kill the program, and a second is what
/// may be missing then.
const FLUSH_EVERY: Duration = Duration::from_millis(500);

/// What a stranger who opens the file should know of a message of that kind.
fn words(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Channels => ("tdshm.ChannelBlock", CHANNELS),
        Kind::Image => ("tdshm.ImageBlock", IMAGE),
    }
}

const CHANNELS: &str = "\
One channel block of TouchDesigner's shared memory, little-endian. A header of 36 bytes: i32 magic 0x12ED54CF, i32 version,
i32 size of the block, i32 number of channels, i32 samples in each, f32 samples per second, i32 1 when names follow,
i32 offset of the samples, i32 offset of the names; offsets count from the start of the block. Samples: f32, all of channel
0, then all of channel 1, and so on. Names: UTF-8, each with a NUL behind it, in the order of the channels.";

const IMAGE: &str = "\
One image block of TouchDesigner's shared memory, little-endian. A header: u32 magic 0xD95EF835, i32 version, i32 width,
i32 height, f32 and f32 aspect of a pixel, u32 pixel format (Vulkan's VkFormat numbers; from 0xF0001 on TouchDesigner's own),
4 bytes of nothing, i64 bytes of the pixels, i32 offset of the pixels from the start of the block, and in version 2 u32
primaries (2: Rec.709) and u32 transfer (0: linear, 1: sRGB). Pixels: rows without gaps, the bottom one first. Blocks from
before 2022 begin with the magic 0xE95DF673: i32 version, width, height, f32 aspect twice, i32 and OpenGL's names of data
format, data type and texture format, i32 offset of the pixels.";

const LOST: &str = r#"{"type":"object","description":"Frames of a segment that did not get into the recording, up to this time.","properties":{"segment":{"type":"string","description":"its topic"},"unseen":{"type":"integer","description":"frames that the recorder did not see: the sender was faster than it looked"},"dropped":{"type":"integer","description":"frames that it saw and had no room for: the disk was slower than they came"}},"required":["segment","unseen","dropped"]}"#;

/// A message on [`LOST_TOPIC`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LostMessage<'m> {
    #[serde(borrow)]
    pub(super) segment: std::borrow::Cow<'m, str>,
    pub(super) unseen: u64,
    pub(super) dropped: u64,
}

/// Writes a recording, frame by frame in the order of their times.
///
/// What was written half a second ago is with the system, so it outlives this program, whatever becomes of it; against the
/// machine's own end only the disk helps. [`finish`](Self::finish) ends the file with an index; a file without one is read
/// all the same.
///
/// Dropped without that it tries the same, and nobody is told if it fails.
pub struct Writer<W: Write + Seek> {
    /// `None` once it was finished.
    mcap: Option<mcap::Writer<W>>,
    channels: HashMap<Key, Channel>,
    /// When the oldest frame was written that the system does not have.
    pending: Option<Instant>,
    /// The channel of what was lost.
    lost: Option<u16>,
}

/// What a channel of the file is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    segment: Box<str>,
    kind: Kind,
    /// Whether the sender counts its frames.
    counted: bool,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    id: u16,
    /// Frames that were written of those that nobody counts.
    count: u32,
}

impl Writer<BufWriter<File>> {
    /// Makes a file, over one that is there.
    ///
    /// # Errors
    ///
    /// [`McapError::Create`], and as [`Writer::new`].
    pub fn create(path: impl AsRef<Path>) -> Result<Self, McapError> {
        let path = path.as_ref();
        let create = |source| McapError::Create { path: path.to_owned(), source };
        Self::new(BufWriter::new(File::create(path).map_err(create)?))
    }
}

impl<W: Write + Seek> Writer<W> {
    /// Begins a recording at the beginning of what it is written to.
    ///
    /// # Errors
    ///
    /// [`McapError::Write`] where the system cannot write.
    pub fn new(to: W) -> Result<Self, McapError> {
        let options = WriteOptions::new()
            .compression(None)
            .profile(PROFILE)
            .library(concat!("tdshm ", env!("CARGO_PKG_VERSION")))
            .chunk_size(Some(CHUNK_BYTES))
            // Each chunk has checksums of its own.
            .calculate_data_section_crc(false);
        let mut mcap = options.create(to).map_err(error)?;
        let metadata = [
            ("version", VERSION.to_string()),
            ("library", concat!("tdshm ", env!("CARGO_PKG_VERSION")).to_owned()),
            ("extension", tdshm::protocol::EXTENSION.to_owned()),
        ];
        let metadata = metadata.map(|(key, value)| (key.to_owned(), value)).into();
        mcap.write_metadata(&records::Metadata { name: METADATA.to_owned(), metadata }).map_err(error)?;
        mcap.flush().map_err(error)?;
        Ok(Self { mcap: Some(mcap), channels: HashMap::new(), pending: None, lost: None })
    }

    /// Writes a frame of channels of the segment with that short name.
    ///
    /// # Errors
    ///
    /// [`McapError::Block`]: the frame makes no block, and nothing was written. Any other one ends the recording: what was
    /// written before can be read.
    pub fn channels(&mut self, segment: &str, frame: &ChopFrame, stamp: &Stamp) -> Result<(), McapError> {
        let mut block = Vec::new();
        frame.append_block(&mut block)?;
        self.block(segment, Kind::Channels, &block, stamp)
    }

    /// Writes an image of the segment with that short name.
    ///
    /// # Errors
    ///
    /// As [`channels`](Self::channels).
    pub fn image(&mut self, segment: &str, frame: &TopFrame, stamp: &Stamp) -> Result<(), McapError> {
        let mut block = Vec::new();
        frame.append_block(&mut block)?;
        self.block(segment, Kind::Image, &block, stamp)
    }

    /// Writes a block as [`ChopFrame::append_block`] and [`TopFrame::append_block`] make it.
    ///
    /// # Errors
    ///
    /// As [`channels`](Self::channels).
    pub fn block(&mut self, segment: &str, kind: Kind, block: &[u8], stamp: &Stamp) -> Result<(), McapError> {
        let key = Key { segment: segment.into(), kind, counted: stamp.number.is_some() };
        let channel = match self.channels.get_mut(&key) {
            Some(channel) => channel,
            None => {
                let id = self.add(&key)?;
                self.channels.entry(key).or_insert(Channel { id, count: 0 })
            }
        };
        channel.count = channel.count.wrapping_add(1);
        let header = MessageHeader {
            channel_id: channel.id,
            // The last 32 bits: what the file has room for.
            sequence: stamp.number.map_or(channel.count, |number| (number & u64::from(u32::MAX)) as u32),
            log_time: nanos(stamp.received),
            publish_time: nanos(stamp.sent.unwrap_or(stamp.received)),
        };
        self.with(|mcap| mcap.write_to_known_channel(&header, block))?;
        self.pending.get_or_insert_with(Instant::now);
        self.flush_if_due()
    }

    /// Notes that frames of a segment were lost before that time since the Unix epoch.
    ///
    /// # Errors
    ///
    /// As [`channels`](Self::channels).
    pub fn lost(&mut self, segment: &str, lost: Lost, at: Duration) -> Result<(), McapError> {
        let channel_id = match self.lost {
            Some(id) => id,
            None => {
                let id = self.with(|mcap| {
                    let schema = mcap.add_schema("tdshm.Lost", "jsonschema", LOST.as_bytes())?;
                    mcap.add_channel(schema, LOST_TOPIC, LOST_ENCODING, &BTreeMap::new())
                });
                *self.lost.insert(id?)
            }
        };
        let message = LostMessage { segment: segment.into(), unseen: lost.unseen, dropped: lost.dropped };
        let text = serde_json::to_vec(&message).map_err(|error| McapError::Format(error.into()))?;
        let time = nanos(at);
        let header = MessageHeader { channel_id, sequence: 0, log_time: time, publish_time: time };
        self.with(|mcap| mcap.write_to_known_channel(&header, &text))?;
        self.pending.get_or_insert_with(Instant::now);
        Ok(())
    }

    /// Hands what was written to the system, if it has waited for long enough. Call it now and then while no frame comes.
    ///
    /// # Errors
    ///
    /// As [`channels`](Self::channels).
    pub fn flush_if_due(&mut self) -> Result<(), McapError> {
        match self.pending {
            Some(since) if since.elapsed() >= FLUSH_EVERY => self.flush(),
            _ => Ok(()),
        }
    }

    /// Hands what was written to the system.
    ///
    /// # Errors
    ///
    /// As [`channels`](Self::channels).
    pub fn flush(&mut self) -> Result<(), McapError> {
        self.pending = None;
        self.with(mcap::Writer::flush)
    }

    /// Ends the file, with an index for other programs, and gives what it was written to.
    ///
    /// # Errors
    ///
    /// As [`channels`](Self::channels).
    pub fn finish(mut self) -> Result<W, McapError> {
        self.with(mcap::Writer::finish)?;
        let mcap = self.mcap.take().ok_or_else(finished)?;
        let mut to = mcap.into_inner();
        to.flush().map_err(McapError::Write)?;
        Ok(to)
    }

    /// Writes. After an error nothing more is written, so that the file ends where it went wrong.
    fn with<T>(
        &mut self,
        write: impl FnOnce(&mut mcap::Writer<W>) -> mcap::McapResult<T>,
    ) -> Result<T, McapError> {
        let written = write(self.mcap.as_mut().ok_or_else(finished)?);
        written.map_err(|failed| {
            // Left alone it would end the chunk, as if that were whole.
            drop(self.mcap.take().map(mcap::Writer::into_inner));
            error(failed)
        })
    }

    /// A channel of the file. It comes into a chunk of its own, so that nobody who finds a later chunk damaged lacks it.
    fn add(&mut self, key: &Key) -> Result<u16, McapError> {
        let (name, words) = words(key.kind);
        let counted_by = if key.counted { "sender" } else { "recorder" };
        let metadata = [("counted_by".to_owned(), counted_by.to_owned())].into();
        self.with(|mcap| {
            mcap.flush()?;
            let schema = mcap.add_schema(name, "x-text", words.as_bytes())?;
            let id = mcap.add_channel(schema, &key.segment, key.kind.encoding(), &metadata)?;
            mcap.flush()?;
            Ok(id)
        })
    }
}

fn error(error: mcap::McapError) -> McapError {
    match error {
        mcap::McapError::Io(error) => McapError::Write(error),
        error => McapError::Format(error.into()),
    }
}

fn finished() -> McapError {
    McapError::Format("the recording has ended".into())
}

/// Says how many channels there are; nothing of what was written.
impl<W: Write + Seek> fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("channels", &self.channels.len()).finish_non_exhaustive()
    }
}
