//! What a recording holds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tdshm::{BlockError, ChopFrame, TopShape};

use crate::file::recording::reader::{Announced, Reader, begins_as_one};
use crate::file::recording::{Kind, Lost, McapError};

/// Layouts that are described of a segment. One that changes more often is described by its first ones.
const MOST_LAYOUTS: usize = 64;
/// Bytes of an image block that are read: its header, whichever it is.
const IMAGE_HEADER_BYTES: u64 = 64;

/// What a recording holds: found by reading through it, but for the pixels.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// Its segments, by name.
    pub segments: Vec<SegmentSummary>,
    /// When the first frame was received, since the Unix epoch; `None`: there is none.
    pub begin: Option<Duration>,
    /// When the last one was received.
    pub end: Option<Duration>,
    /// The program that wrote it, and its version.
    pub library: String,
    /// Bytes of the file.
    pub size_bytes: u64,
    /// At which byte it ends too early, where its writer did not end it.
    pub cut_short: Option<u64>,
    /// What cannot be read in it, part by part; the first ones.
    pub left_out: Vec<String>,
}

/// A segment in a recording.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SegmentSummary {
    /// Its short name.
    pub name: String,
    /// Frames that were recorded.
    pub frames: u64,
    /// Frames that were not; of senders that do not count, those alone that were dropped.
    pub lost: Lost,
    /// Whether the senders of all frames counted them, so that [`lost`](Self::lost) is all.
    pub counted: bool,
    /// When the first frame was received, since the Unix epoch.
    pub first: Duration,
    /// When the last one was received.
    pub last: Duration,
    /// Bytes of its largest block.
    pub largest_block: u64,
    /// Its layouts, one after the other as they changed, at most 64 of them.
    pub layouts: Vec<LayoutSummary>,
    /// How often the layout changed, also beyond those.
    pub changes: u64,
}

/// Frames of one layout.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LayoutSummary {
    /// The layout.
    pub layout: Layout,
    /// Frames that had it, one after the other.
    pub frames: u64,
    /// When the first of them was received, since the Unix epoch.
    pub first: Duration,
    /// Samples in each channel: the least and the most. Zeros of images.
    pub len_samples: (usize, usize),
}

/// What does not change from frame to frame.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Layout {
    /// Channels. Their length may change: time slices do.
    Channels {
        /// Their names.
        names: Vec<String>,
        /// Samples per second, in Hz.
        sample_rate: f32,
    },
    /// An image.
    Image(TopShape),
    /// A block that breaks a rule.
    Malformed(Kind, BlockError),
}

impl Layout {
    /// What it is the layout of.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Channels { .. } => Kind::Channels,
            Self::Image(_) => Kind::Image,
            Self::Malformed(kind, _) => *kind,
        }
    }
}

impl Summary {
    /// Whether there is a file of that path that begins as recordings do.
    #[must_use]
    pub fn is_of(path: impl AsRef<Path>) -> bool {
        begins_as_one(path.as_ref())
    }

    /// Reads through a file.
    ///
    /// # Errors
    ///
    /// [`McapError`], where none of it can be read: what is wrong further in stands in [`left_out`](Self::left_out).
    pub fn open(path: impl AsRef<Path>) -> Result<Self, McapError> {
        Reader::<File>::open(path).and_then(|reader| Self::of(reader.unverified()))
    }

    /// As [`open`](Self::open), and looks at every checksum, which reads all of the file: frames of damaged parts are not
    /// counted, and the parts stand in [`left_out`](Self::left_out).
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn verified(path: impl AsRef<Path>) -> Result<Self, McapError> {
        Reader::<File>::open(path).and_then(Self::of)
    }

    /// Reads through what a reader would give.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn of<R: Read + Seek>(reader: Reader<R>) -> Result<Self, McapError> {
        let mut reader = reader;
        let mut segments: BTreeMap<Arc<str>, Found> = BTreeMap::new();
        let (mut begin, mut end) = (None::<Duration>, None::<Duration>);
        let mut left_out = Vec::new();
        loop {
            let announced = match reader.next_announced() {
                Ok(Some(announced)) => announced,
                Ok(None) => break,
                Err(error @ (McapError::Read(_) | McapError::TooNew { .. })) => return Err(error),
                Err(error) => {
                    if left_out.len() < MOST_LAYOUTS {
                        left_out.push(error.to_string());
                    }
                    continue;
                }
            };
            begin = Some(begin.map_or(announced.received, |begin| begin.min(announced.received)));
            end = Some(end.map_or(announced.received, |end| end.max(announced.received)));
            match segments.get_mut(&announced.segment) {
                Some(found) => found.take(&mut reader, &announced)?,
                None => {
                    let mut found = Found::new(&announced);
                    found.take(&mut reader, &announced)?;
                    segments.insert(announced.segment, found);
                }
            }
        }
        for (name, lost) in reader.lost() {
            if let Some(found) = segments.get_mut(name) {
                found.summary.lost = *lost;
            }
        }
        Ok(Self {
            segments: segments.into_values().map(|found| found.summary).collect(),
            begin,
            end,
            library: reader.library().to_owned(),
            size_bytes: reader.len_bytes(),
            cut_short: reader.cut_short(),
            left_out,
        })
    }

    /// Time from the first frame to the last.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.end.unwrap_or_default().saturating_sub(self.begin.unwrap_or_default())
    }

    /// Frames of all segments.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.segments.iter().map(|segment| segment.frames).fold(0, u64::saturating_add)
    }
}

/// A segment, while it is being found.
struct Found {
    summary: SegmentSummary,
    /// Its last channels: names that stay stay where they are.
    channels: ChopFrame,
    /// The last layout, and whether it is the last one that is described.
    layout: Option<Layout>,
    is_described: bool,
}

impl Found {
    fn new(first: &Announced) -> Self {
        let summary = SegmentSummary {
            name: first.segment.to_string(),
            frames: 0,
            lost: Lost::default(),
            counted: true,
            first: first.received,
            last: first.received,
            largest_block: 0,
            layouts: Vec::new(),
            changes: 0,
        };
        Self { summary, channels: ChopFrame::default(), layout: None, is_described: false }
    }

    fn take<R: Read + Seek>(&mut self, reader: &mut Reader<R>, frame: &Announced) -> Result<(), McapError> {
        let (layout, len_samples) = self.layout(reader, frame)?;
        let summary = &mut self.summary;
        summary.frames = summary.frames.saturating_add(1);
        summary.counted &= frame.number.is_some();
        summary.first = summary.first.min(frame.received);
        summary.last = summary.last.max(frame.received);
        summary.largest_block = summary.largest_block.max(frame.block_bytes);
        let is_new = layout.as_ref().is_some_and(|layout| self.layout.as_ref() != Some(layout));
        if is_new {
            summary.changes = summary.changes.saturating_add(u64::from(self.layout.is_some()));
            self.is_described = summary.layouts.len() < MOST_LAYOUTS;
            self.layout = layout;
            if let (true, Some(layout)) = (self.is_described, self.layout.clone()) {
                let len_samples = (len_samples, len_samples);
                summary.layouts.push(LayoutSummary { layout, frames: 0, first: frame.received, len_samples });
            }
        }
        if let (true, Some(last)) = (self.is_described, summary.layouts.last_mut()) {
            last.frames = last.frames.saturating_add(1);
            last.len_samples = (last.len_samples.0.min(len_samples), last.len_samples.1.max(len_samples));
        }
        Ok(())
    }

    /// The layout of a frame, `None`: it has names and rate of the one before, and its length.
    fn layout<R: Read + Seek>(
        &mut self,
        reader: &mut Reader<R>,
        frame: &Announced,
    ) -> Result<(Option<Layout>, usize), McapError> {
        match frame.kind {
            Kind::Image => {
                let head = reader.read_block(frame.block_bytes.min(IMAGE_HEADER_BYTES))?;
                let bytes = usize::try_from(frame.block_bytes).unwrap_or(usize::MAX);
                let shape = TopShape::of_header(&head, bytes);
                reader.give_back(head);
                let malformed = |error| Layout::Malformed(Kind::Image, error);
                Ok((Some(shape.map_or_else(malformed, Layout::Image)), 0))
            }
            Kind::Channels => {
                let block = reader.read_block(frame.block_bytes)?;
                let channels = &mut self.channels;
                let before = (channels.sample_rate(), channels.names().as_ptr());
                let taken = channels.take_block(&block);
                reader.give_back(block);
                if let Err(error) = taken {
                    return Ok((Some(Layout::Malformed(Kind::Channels, error)), 0));
                }
                let is_like = matches!(&self.layout, Some(Layout::Channels { .. }))
                    && before == (channels.sample_rate(), channels.names().as_ptr());
                let layout = (!is_like).then(|| Layout::Channels {
                    names: channels.names().to_vec(),
                    sample_rate: channels.sample_rate(),
                });
                Ok((layout, channels.len_samples()))
            }
        }
    }
}
