//! Recordings (`.mcap`) as files among others: one segment of them as channels or images, and channels or images as a
//! segment of a new one. What they hold as they are is [`recording`]'s.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tdshm::{ChopFrame, ShortName};

use crate::error::{FileError, McapError};
use crate::file::flat::Flat;
use crate::file::recording::{self, Frame, Kind, SegmentSummary, Stamp, Summary};
use crate::file::whole::{Existing, NewFile};
use crate::file::writer::Trouble;
use crate::file::{Layout, Lost};

/// Frames a second of channels that were in no segment before, where a sample is not longer than that.
const FRAME_RATE: f64 = 60.0;
/// Names in a sentence.
const MOST_NAMES: usize = 8;

/// Which part of a recording is wanted.
///
/// ```
/// use std::time::Duration;
/// use tdshm_io::file::segment::Part;
///
/// let part = Part::of("pose").from(Duration::from_secs(2));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Part {
    name: Option<String>,
    kind: Option<Kind>,
    from: Duration,
    to: Option<Duration>,
}

impl Part {
    /// All of it.
    pub fn all() -> Self {
        Self::default()
    }

    /// The segment of that name.
    pub fn of(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }

    /// Segments that hold channels, or images, alone.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// What was received from so long after the first frame of the recording on.
    pub fn from(mut self, from: Duration) -> Self {
        self.from = from;
        self
    }

    /// What was received before so long after the first frame of the recording.
    pub fn to(mut self, to: Duration) -> Self {
        self.to = Some(to);
        self
    }
}

/// The frames of a part of a recording, one after the other.
pub struct SegmentReader {
    path: PathBuf,
    reader: recording::Reader<File>,
    segments: Vec<SegmentSummary>,
    /// When the first frame of the recording was received, since the Unix epoch.
    begin: Duration,
    damaged: Vec<String>,
    cut_short: Option<u64>,
}

impl SegmentReader {
    /// Opens a recording, and looks through it for the segments that are wanted.
    ///
    /// # Errors
    ///
    /// [`FileError::Recording`] where it cannot be read, and [`FileError::NoSegment`] where nothing in it is wanted.
    pub fn open(path: impl AsRef<Path>, part: &Part) -> Result<Self, FileError> {
        let path = path.as_ref();
        let wrong = |source| FileError::Recording { path: path.to_owned(), source };
        let summary = Summary::open(path).map_err(wrong)?;
        let is_of = |segment: &&SegmentSummary| {
            part.kind.is_none_or(|kind| segment.layouts.iter().any(|layout| layout.layout.kind() == kind))
        };
        let is_named =
            |segment: &&SegmentSummary| part.name.as_ref().is_none_or(|name| *name == segment.name);
        let there = || {
            let names: Vec<&str> = summary.segments.iter().filter(is_of).map(|s| s.name.as_str()).collect();
            listed(&names)
        };
        let segments: Vec<SegmentSummary> =
            summary.segments.iter().filter(is_of).filter(is_named).cloned().collect();
        if segments.is_empty() {
            let what = match part.kind {
                Some(Kind::Channels) => "segment of channels",
                Some(Kind::Image) => "segment of images",
                None => "segment",
            };
            let (path, wanted) = (path.to_owned(), part.name.clone());
            return Err(FileError::NoSegment { path, what, wanted, there: there() });
        }
        let begin = summary.begin.unwrap_or_default();
        let last = part
            .to
            .map_or(Duration::MAX, |to| begin.saturating_add(to).saturating_sub(Duration::from_nanos(1)));
        let names: Vec<String> = segments.iter().map(|segment| segment.name.clone()).collect();
        let reader = recording::Reader::open(path)
            .map_err(wrong)?
            .only(move |name| names.iter().any(|wanted| wanted == name))
            .between(begin.saturating_add(part.from), last);
        let cut_short = summary.cut_short;
        Ok(Self { path: path.to_owned(), reader, segments, begin, damaged: Vec::new(), cut_short })
    }

    /// The segments that are read.
    #[must_use]
    pub fn segments(&self) -> &[SegmentSummary] {
        &self.segments
    }

    /// The one segment that is read.
    ///
    /// # Errors
    ///
    /// [`FileError::SeveralSegments`] where there are more.
    pub fn only(&self) -> Result<&SegmentSummary, FileError> {
        match self.segments.as_slice() {
            [one] => Ok(one),
            several => {
                let names: Vec<&str> = several.iter().map(|segment| segment.name.as_str()).collect();
                Err(FileError::SeveralSegments { path: self.path.clone(), there: listed(&names) })
            }
        }
    }

    /// The next frame, and how long after the first one of the recording it was received; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`FileError::Recording`]: nothing can be read behind it. Parts that are damaged, and nothing more, are left out:
    /// [`lost`](Self::lost) has them.
    pub fn next_frame(&mut self) -> Result<Option<(Duration, Frame)>, FileError> {
        loop {
            match self.reader.next_frame() {
                Ok(Some(frame)) => return Ok(Some((frame.received.saturating_sub(self.begin), frame))),
                Ok(None) => return Ok(None),
                Err(error) if error.goes_on() => {
                    if self.damaged.len() < MOST_NAMES {
                        self.damaged.push(error.to_string());
                    }
                }
                Err(source) => return Err(FileError::Recording { path: self.path.clone(), source }),
            }
        }
    }

    /// Takes the memory of a frame that is no longer needed.
    pub fn give_back(&mut self, frame: Frame) {
        self.reader.give_back(frame.block);
    }

    /// What of these segments was not in the recording, or could not be read so far.
    #[must_use]
    pub fn lost(&self) -> Vec<Lost> {
        let missing = self.segments.iter().filter(|segment| segment.lost.frames() > 0).map(|segment| {
            let (frames, name) = (segment.lost.frames(), &segment.name);
            format!(
                "the recording lacks {frames} frames of {name:?}, which leave no gap in what is made of it"
            )
        });
        let damaged = self.damaged.iter().cloned();
        let cut_short = self
            .cut_short
            .map(|at| format!("the recording was not ended: what lies behind byte {at} is not whole"));
        missing.chain(damaged).chain(cut_short).map(|what| Lost::LeftOut { what }).collect()
    }
}

impl std::fmt::Debug for SegmentReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SegmentReader").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The samples of a segment of channels, one frame after the other.
#[derive(Debug)]
pub(super) struct Channels {
    segment: SegmentReader,
    layout: Layout,
    frame: ChopFrame,
    /// The frame has not been given yet.
    is_first: bool,
    /// Samples of each channel, until there are enough for a piece.
    channels: Vec<Vec<f32>>,
    seen: Seen,
}

/// What is to be said at the end.
#[derive(Debug, Default)]
struct Seen {
    len_samples: u64,
    first: Option<Duration>,
    last: Duration,
    last_len: usize,
    /// Frames of other channels: how many, when the first came, and what it had.
    others: Option<(u64, Duration, String)>,
    /// Frames at another rate: how many, when the first came, and which.
    rates: Option<(u64, Duration, f32)>,
    broken: u64,
}

impl Channels {
    /// Reads up to the first frame that has samples.
    pub(super) fn open(path: &Path, part: &Part) -> Result<Self, FileError> {
        let segment = SegmentReader::open(path, &part.clone().kind(Kind::Channels))?;
        segment.only()?;
        let mut this = Self {
            segment,
            layout: Layout::new(Vec::new(), FRAME_RATE).map_err(|_| no_samples(path))?,
            frame: ChopFrame::default(),
            is_first: true,
            channels: Vec::new(),
            seen: Seen::default(),
        };
        while let Some(at) = this.next()? {
            if this.frame.len_samples() > 0 && this.frame.num_channels() > 0 {
                let layout = Layout::new(this.frame.names().to_vec(), f64::from(this.frame.sample_rate()));
                // 59.94 as 32 bits have it is that.
                let rate = this.frame.sample_rate().to_string().parse().unwrap_or(FRAME_RATE);
                let layout = layout.and_then(|layout| layout.with_sample_rate(rate));
                this.layout = layout.map_err(|_| no_samples(path))?;
                this.channels = vec![Vec::new(); this.layout.num_channels()];
                this.seen.first = Some(at);
                this.seen.last = at;
                return Ok(this);
            }
        }
        Err(no_samples(path))
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The next frame of channels, into `self.frame`; when it came.
    fn next(&mut self) -> Result<Option<Duration>, FileError> {
        while let Some((at, frame)) = self.segment.next_frame()? {
            let taken = if frame.kind == Kind::Channels {
                self.frame.take_block(&frame.block).is_ok()
            } else {
                false
            };
            self.segment.give_back(frame);
            if taken {
                return Ok(Some(at));
            }
            self.seen.broken = self.seen.broken.saturating_add(1);
        }
        Ok(None)
    }

    /// Reads the next samples, about `most` of all channels together, and gives how many each channel has: 0 at the end.
    pub(super) fn read(&mut self, flat: &mut Vec<f32>, most: usize) -> Result<usize, FileError> {
        flat.clear();
        self.channels.iter_mut().for_each(Vec::clear);
        let enough = most.checked_div(self.layout.num_channels()).unwrap_or(0).max(1);
        if std::mem::take(&mut self.is_first) {
            self.take(self.seen.last);
        }
        while self.channels.first().is_some_and(|channel| channel.len() < enough) {
            let Some(at) = self.next()? else { break };
            self.take(at);
        }
        self.channels.iter().for_each(|channel| flat.extend_from_slice(channel));
        Ok(self.channels.first().map_or(0, Vec::len))
    }

    /// Takes the samples of the frame that has been read.
    fn take(&mut self, at: Duration) {
        let (frame, seen) = (&self.frame, &mut self.seen);
        if frame.names() != self.layout.names() {
            let names: Vec<&str> = frame.names().iter().map(String::as_str).collect();
            let others = seen.others.get_or_insert_with(|| (0, at, listed(&names)));
            others.0 = others.0.saturating_add(1);
            return;
        }
        if frame.sample_rate() != self.layout.sample_rate() as f32 {
            let rates = seen.rates.get_or_insert((0, at, frame.sample_rate()));
            rates.0 = rates.0.saturating_add(1);
        }
        for (to, (_, from)) in self.channels.iter_mut().zip(frame.channels()) {
            to.extend_from_slice(from);
        }
        seen.len_samples =
            seen.len_samples.saturating_add(u64::try_from(frame.len_samples()).unwrap_or(u64::MAX));
        (seen.last, seen.last_len) = (at, frame.len_samples());
    }

    /// What of the segment is not among the samples.
    pub(super) fn lost(&self) -> Vec<Lost> {
        let (seen, rate) = (&self.seen, self.layout.sample_rate());
        let mut sentences = Vec::new();
        if let Some((frames, at, names)) = &seen.others {
            sentences.push(format!(
                "{frames} frames have other channels than the first one, and are left out: from {:.3} s on there are {names}",
                at.as_secs_f64()
            ));
        }
        if let Some((frames, at, other)) = &seen.rates {
            sentences.push(format!(
                "{frames} frames have another rate than the first one, whose {rate} Hz all of them get: from {:.3} s on it is \
                 {other} Hz",
                at.as_secs_f64()
            ));
        }
        if seen.broken > 0 {
            sentences
                .push(format!("{} frames hold no channels that can be read, and are left out", seen.broken));
        }
        let lasts = seen.len_samples as f64 / rate;
        let last = seen.last.saturating_sub(seen.first.unwrap_or_default()).as_secs_f64();
        let took = last + seen.last_len as f64 / rate;
        // Two frames, and as much as clocks may differ.
        if (lasts - took).abs() > 0.02 * took + 2.0 / FRAME_RATE {
            sentences.push(format!(
                "the samples last {lasts:.3} s at {rate} Hz, and their frames came over {took:.3} s: the times between are lost"
            ));
        }
        let own = sentences.into_iter().map(|what| Lost::LeftOut { what });
        own.chain(self.segment.lost()).collect()
    }
}

fn no_samples(path: &Path) -> FileError {
    let (path, there) = (path.to_owned(), "none in the part that is wanted".to_owned());
    FileError::NoSegment { path, what: "samples", wanted: None, there }
}

/// Names for a sentence: the first of them, and how many more there are.
fn listed(names: &[&str]) -> String {
    let (shown, rest) = names.split_at_checked(MOST_NAMES).unwrap_or((names, &[]));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    if names.is_empty() { "none".to_owned() } else { format!("{}{more}", shown.join(", ")) }
}

/// A new recording of one or more segments. It appears under its name when it is whole.
pub struct SegmentWriter {
    path: PathBuf,
    new: NewFile,
    writer: recording::Writer<BufWriter<File>>,
}

impl SegmentWriter {
    /// Begins a recording at `path`.
    ///
    /// # Errors
    ///
    /// [`FileError::Exists`], [`FileError::NotOrdinary`], and [`FileError::Create`] when the system refuses.
    pub fn create(path: impl AsRef<Path>, existing: Existing) -> Result<Self, FileError> {
        let path = path.as_ref();
        let (new, file) = NewFile::begin(path, existing)?;
        let writer = recording::Writer::new(BufWriter::new(file)).map_err(|error| trouble(error).at(path))?;
        Ok(Self { path: path.to_owned(), new, writer })
    }

    /// Writes a block as it came out of a recording, or as [`TopFrame::append_block`](tdshm::TopFrame::append_block) makes it.
    ///
    /// # Errors
    ///
    /// [`FileError::Create`]: there will be no file then.
    pub fn block(&mut self, segment: &str, kind: Kind, block: &[u8], stamp: &Stamp) -> Result<(), FileError> {
        self.writer.block(segment, kind, block, stamp).map_err(|error| trouble(error).at(&self.path))
    }

    /// Ends the file and gives it its name.
    ///
    /// # Errors
    ///
    /// As [`block`](Self::block), and [`FileError::Exists`].
    pub fn finish(self) -> Result<(), FileError> {
        let Self { path, new, writer } = self;
        finish(writer).map_err(|trouble| trouble.at(&path))?;
        new.commit()
    }
}

impl std::fmt::Debug for SegmentWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SegmentWriter").field("path", &self.path).finish_non_exhaustive()
    }
}

fn finish<W: Write + std::io::Seek>(writer: recording::Writer<W>) -> Result<(), Trouble> {
    let mut file = writer.finish().map_err(trouble)?;
    Ok(file.flush()?)
}

fn trouble(error: McapError) -> Trouble {
    match error {
        McapError::Write(error) => Trouble::Io(error),
        error => Trouble::Io(std::io::Error::other(error)),
    }
}

/// The name of the segment that channels become: their own, or that of the file.
pub(super) fn name(path: &Path, layout: &Layout) -> Result<String, Trouble> {
    let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = layout.segment().map_or_else(stem, str::to_owned);
    match ShortName::new(&name) {
        Ok(_) => Ok(name),
        Err(_) => Err(Trouble::Fits {
            what: "the name of the segment",
            value: format!("{name:?}"),
            file: ".mcap",
            expected: "a shared-memory name without slashes: give another one",
        }),
    }
}

/// Channels as a segment in the making: frames of a sixtieth of a second, or of one sample where that is longer.
pub(super) struct Writer<W: Write + std::io::Seek> {
    writer: recording::Writer<W>,
    segment: String,
    names: Vec<String>,
    rate: f64,
    /// Samples in each frame.
    step: usize,
    /// Samples that wait for a frame to be full.
    channels: Vec<Vec<f32>>,
    /// Samples that have been written, in each channel.
    at: u64,
    /// Frames that were written.
    frames: u64,
    block: Vec<u8>,
}

impl<W: Write + std::io::Seek> Writer<W> {
    pub(super) fn new(to: W, segment: String, layout: &Layout) -> Result<Self, Trouble> {
        let writer = recording::Writer::new(to).map_err(trouble)?;
        let rate = layout.sample_rate();
        Ok(Self {
            writer,
            segment,
            names: layout.names().to_vec(),
            rate,
            step: ((rate / FRAME_RATE).round() as usize).max(1),
            channels: vec![Vec::new(); layout.num_channels()],
            at: 0,
            frames: 0,
            block: Vec::new(),
        })
    }

    pub(super) fn write(&mut self, samples: Flat<'_>) -> Result<(), Trouble> {
        for (to, from) in self.channels.iter_mut().zip(samples.channels()) {
            to.extend_from_slice(from);
        }
        self.write_frames(self.step)
    }

    /// Writes what waits, in frames of `least` samples up to those of a whole one.
    fn write_frames(&mut self, least: usize) -> Result<(), Trouble> {
        let waiting = self.channels.first().map_or(0, Vec::len);
        let mut begin = 0_usize;
        while waiting.saturating_sub(begin) >= least.max(1) {
            let end = begin.saturating_add(self.step).min(waiting);
            let rows: Vec<&[f32]> =
                self.channels.iter().map(|channel| channel.get(begin..end).unwrap_or_default()).collect();
            let frame = ChopFrame::from_rows(self.names.iter().map(String::as_str), self.rate as f32, &rows);
            self.block.clear();
            frame
                .and_then(|frame| frame.append_block(&mut self.block))
                .map_err(|error| trouble(McapError::Block(error)))?;
            self.frames = self.frames.saturating_add(1);
            let received = Duration::from_secs_f64(self.at as f64 / self.rate);
            let stamp = Stamp { number: Some(self.frames), ..Stamp::at(received) };
            self.writer.block(&self.segment, Kind::Channels, &self.block, &stamp).map_err(trouble)?;
            self.at = self.at.saturating_add(u64::try_from(end.saturating_sub(begin)).unwrap_or(u64::MAX));
            begin = end;
        }
        self.channels.iter_mut().for_each(|channel| drop(channel.drain(..begin.min(channel.len()))));
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<(), Trouble> {
        self.write_frames(1)?;
        finish(self.writer)
    }
}
