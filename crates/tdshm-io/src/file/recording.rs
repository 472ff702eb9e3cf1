//! Recordings of segments: what went through shared memory, block by block with its times, in one MCAP file.
//!
//! [MCAP](https://mcap.dev) is a container of timestamped messages that other programs read as well. Each segment is a
//! channel of it, each frame a message, and a message is the very block that lay in the segment, header included, so that
//! nothing is lost and every message can be read by itself. `docs/recordings.md` has the layout on one page.
//!
//! A file whose writer was killed is a recording up to the last second: [`Writer`] hands what it has to the system twice a
//! second, and a [`Reader`] that finds no end reads what there is and says that it was [cut short](Reader::cut_short).
//!
//! ```
//! use std::io::Cursor;
//! use std::time::Duration;
//! use tdshm::ChopFrame;
//! use tdshm_io::file::recording::{Reader, Stamp, Writer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut writer = Writer::new(Cursor::new(Vec::new()))?;
//! for (second, value) in [(0, 0.5_f32), (1, 1.5)] {
//!     let frame = ChopFrame::from_rows(["tx"], 60.0, &[[value]])?;
//!     writer.channels("pose", &frame, &Stamp::at(Duration::from_secs(second)))?;
//! }
//! let file = writer.finish()?;
//!
//! let mut reader = Reader::new(file)?;
//! while let Some(frame) = reader.next_frame()? {
//!     println!("{} at {:?}: {:?}", frame.segment, frame.received, frame.channels()?.samples());
//! }
//! assert_eq!(reader.cut_short(), None);
//! # Ok(())
//! # }
//! ```

mod error;
mod input;
mod reader;
mod summary;
mod writer;

use std::time::Duration;

pub use error::McapError;
pub use reader::{Frame, Reader};
pub use summary::{Layout, LayoutSummary, SegmentSummary, Summary};
pub use writer::Writer;

/// The extension of recordings, without the point.
pub const EXTENSION: &str = "mcap";

/// The layout that this build writes, and the newest that it reads: a number that changes when older readers would
/// misunderstand a file.
pub const VERSION: u32 = 1;

/// `profile` of the file's header.
const PROFILE: &str = "x-tdshm";
/// The metadata record at the beginning.
const METADATA: &str = "tdshm";
/// Where lost frames are told. No segment is called that: a short name has no slash.
const LOST_TOPIC: &str = "tdshm/lost";
/// How those messages are written.
const LOST_ENCODING: &str = "json";

/// What a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// Channel blocks (wire §8).
    Channels,
    /// Image blocks (wire §9).
    Image,
}

impl Kind {
    /// The `message_encoding` of its channels in the file.
    fn encoding(self) -> &'static str {
        match self {
            Self::Channels => "x-tdshm-channels",
            Self::Image => "x-tdshm-image",
        }
    }

    fn of(encoding: &str) -> Option<Self> {
        [Self::Channels, Self::Image].into_iter().find(|kind| kind.encoding() == encoding)
    }
}

/// When a frame was received and sent, and which one it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When it was received, since the Unix epoch: what it is played by.
    pub received: Duration,
    /// When its sender wrote it, since the Unix epoch; `None` where nobody says.
    pub sent: Option<Duration>,
    /// Its number, as its sender counts; `None` where nobody counts.
    pub number: Option<u64>,
}

impl Stamp {
    /// Received at that time since the Unix epoch; no more is known.
    #[must_use]
    pub fn at(received: Duration) -> Self {
        Self { received, sent: None, number: None }
    }
}

/// Frames of a segment that did not get into the recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Those that the recorder did not see: the sender was faster than it looked.
    pub unseen: u64,
    /// Those that it saw and had no room for: the disk was slower than they came.
    pub dropped: u64,
}

impl Lost {
    /// All of them.
    #[must_use]
    pub fn frames(self) -> u64 {
        self.unseen.saturating_add(self.dropped)
    }

    /// These and others.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            unseen: self.unseen.saturating_add(other.unseen),
            dropped: self.dropped.saturating_add(other.dropped),
        }
    }
}

/// Nanoseconds, as the file has times.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
