//! What was read of a segment that is followed.

use std::sync::Arc;
use std::time::Instant;

use tdshm::{ChopShape, TopShape};

use super::Options;
use super::history::History;
use super::pulse::Pulse;

/// What was read of a segment, and how that went.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    channels: Option<Channels>,
    image: Option<Image>,
    /// Frames that were read.
    taken: u64,
    missed: u64,
    /// The number of the last one, and when it was read.
    number: Option<u64>,
    taken_at: Option<Instant>,
    error: Option<String>,
    torn: bool,
    changes: Pulse,
}

/// Channels: the newest frame, and the last samples of all frames.
#[derive(Clone, Debug)]
pub(crate) struct Channels {
    names: Arc<[String]>,
    shape: ChopShape,
    kept: usize,
    newest: Vec<f32>,
    history: History,
}

/// The newest image.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    shape: TopShape,
    apart: usize,
    /// Shared with those who show it, which may take longer than the next image does to come.
    pixels: Arc<Vec<u8>>,
}

impl Content {
    /// The channels, where the last frame was one of channels.
    pub(crate) fn channels(&self) -> Option<&Channels> {
        self.channels.as_ref()
    }

    /// The image, where the last frame was one.
    pub(crate) fn image(&self) -> Option<&Image> {
        self.image.as_ref()
    }

    /// How many frames were read: another number is another frame.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Frames of channels that this program did not see, of those that their sender counted.
    pub(crate) fn missed(&self) -> u64 {
        self.missed
    }

    /// The number of the last frame, where its sender counts.
    pub(crate) fn number(&self) -> Option<u64> {
        self.number
    }

    /// When the last frame was read.
    pub(crate) fn taken_at(&self) -> Option<Instant> {
        self.taken_at
    }

    /// Why nothing can be read now. What was read before stays.
    pub(crate) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Whether the last frame was copied without the lock from a sender that does not count, because there is none: it may
    /// be half of one frame and half of another.
    pub(crate) fn may_be_torn(&self) -> bool {
        self.torn
    }

    /// How often what lies there changed.
    pub(super) fn changes(&self) -> &Pulse {
        &self.changes
    }

    pub(super) fn failed(&mut self, error: Option<String>) {
        self.error = error;
    }

    /// Time has passed.
    pub(super) fn looked(&mut self, now: Instant) {
        self.changes.counted(now, self.taken);
    }

    /// Channels came: `kept` samples of each, of as many as the shape says.
    pub(super) fn took_channels(
        &mut self,
        names: &[String],
        shape: ChopShape,
        (kept, samples): (usize, &[f32]),
        arrival: Arrival,
        options: &Options,
    ) {
        let goes_on = self.channels.as_ref().is_some_and(|before| {
            before.shape.num_channels == shape.num_channels
                && before.shape.sample_rate.to_bits() == shape.sample_rate.to_bits()
                && *before.names == *names
        });
        if !goes_on {
            let each = options.history_total.checked_div(shape.num_channels).unwrap_or(0);
            let room = options.history_samples.min(each).max(1);
            let history = History::new(shape.num_channels, room);
            self.channels = Some(Channels { names: names.into(), shape, kept, newest: Vec::new(), history });
        }
        if let Some(channels) = &mut self.channels {
            channels.shape = shape;
            channels.kept = kept;
            channels.newest.clear();
            channels.newest.extend_from_slice(samples);
            channels.history.push(samples, kept, arrival.number, arrival.missed, arrival.at);
        }
        self.image = None;
        self.missed = self.missed.saturating_add(arrival.missed);
        self.took(arrival);
    }

    /// An image came, which is put where the last one was. Of a foreign sender's each `apart`-th row.
    pub(super) fn took_image(
        &mut self,
        shape: TopShape,
        apart: usize,
        put: impl FnOnce(&mut Vec<u8>),
        arrival: Arrival,
    ) {
        let before = self.image.take().map(|image| image.pixels).unwrap_or_default();
        let mut pixels = Arc::try_unwrap(before).unwrap_or_default();
        put(&mut pixels);
        self.image = Some(Image { shape, apart, pixels: Arc::new(pixels) });
        self.channels = None;
        self.took(arrival);
    }

    fn took(&mut self, arrival: Arrival) {
        self.taken = self.taken.saturating_add(1);
        self.number = arrival.number;
        self.taken_at = Some(arrival.at);
        self.torn = arrival.torn;
        self.error = None;
    }

    pub(super) fn forget(&mut self) {
        if let Some(channels) = &mut self.channels {
            channels.history.clear();
        }
        self.missed = 0;
    }
}

/// What is known of a frame besides what is in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) at: Instant,
    pub(super) number: Option<u64>,
    pub(super) missed: u64,
    pub(super) torn: bool,
}

impl Channels {
    /// Their names, in order.
    pub(crate) fn names(&self) -> &Arc<[String]> {
        &self.names
    }

    /// What the newest frame says of itself.
    pub(crate) fn shape(&self) -> ChopShape {
        self.shape
    }

    /// Samples of each channel in [`newest`](Self::newest): less than in the shape where a foreign sender's block is so
    /// large that only the last samples of each channel are read.
    pub(crate) fn kept(&self) -> usize {
        self.kept
    }

    /// The newest frame's samples of that channel.
    pub(crate) fn newest(&self, channel: usize) -> &[f32] {
        let begin = channel.saturating_mul(self.kept);
        self.newest.get(begin..begin.saturating_add(self.kept)).unwrap_or_default()
    }

    /// The last samples of all frames.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }
}

impl Image {
    /// What the block says of it.
    pub(crate) fn shape(&self) -> TopShape {
        self.shape
    }

    /// Which rows are here: each `apart`-th one, from the bottom row on; 1: all of them. Of a foreign sender's large image
    /// not all are read, because its lock is held meanwhile.
    pub(crate) fn rows_apart(&self) -> usize {
        self.apart
    }

    /// The rows that are here, from the top; none where nobody knows the size of a pixel.
    pub(crate) fn rows_from_top(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let bytes = self.shape.row_bytes().unwrap_or(0).max(1);
        self.pixels.chunks_exact(bytes).rev()
    }

    /// All rows that are here one behind the other, the bottom row first.
    #[cfg(feature = "web")]
    pub(crate) fn pixels(&self) -> &Arc<Vec<u8>> {
        &self.pixels
    }
}
