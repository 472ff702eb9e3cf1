//! One segment, followed by a thread of its own.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tdshm::{Attached, BlockKind, ChopReceiver, Error, SegmentReceiver, ShortName, TopReceiver};
use tdshm_io::file::recording::{Kind, Lost, Stamp};

use crate::cmd::LOCK_LIMIT;
use crate::cmd::record::{Shared, Taken, Tally};
use crate::output::{image_shape, shape};
use crate::say;

/// How long a receiver waits before it looks whether to end.
const WAIT: Duration = Duration::from_millis(50);
/// Different errors that are told of a segment.
const MOST_ERRORS: usize = 8;
/// Bytes of a header, and a little more.
const AROUND: usize = 64;

/// A segment that is followed: its receiver, and what has been said about it.
pub(super) struct Capture {
    name: ShortName,
    shared: Arc<Shared>,
    tally: Arc<Tally>,
    feed: Feed,
    /// That there is no sender has been said.
    absent: bool,
    /// What is recorded has been said.
    announced: bool,
    /// It appeared while others were recorded: what its sender sent before the first look counts as lost.
    late: bool,
    errors: HashSet<String>,
}

/// What receives it.
enum Feed {
    Channels(ChopReceiver),
    Images(TopReceiver),
}

/// What is known of a frame beside its block.
struct Arrived {
    number: Option<u64>,
    missed: u64,
    sent: Option<Duration>,
    /// Bytes of its block, or a little more.
    bytes: usize,
}

impl Feed {
    /// What receives blocks of that kind: channels, as long as nobody has sent anything else.
    fn open(name: &ShortName, kind: BlockKind) -> Result<Self, Error> {
        let segment = SegmentReceiver::builder(name.as_str()).lock_limit(LOCK_LIMIT).open()?;
        Ok(match kind {
            BlockKind::Top => Self::Images(TopReceiver::over(segment)),
            _ => Self::Channels(ChopReceiver::over(segment)),
        })
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Channels(_) => Kind::Channels,
            Self::Images(_) => Kind::Image,
        }
    }

    fn attached(&self) -> Attached {
        match self {
            Self::Channels(receiver) => receiver.attached(),
            Self::Images(receiver) => receiver.attached(),
        }
    }

    /// Waits for a frame.
    fn next(&mut self) -> Result<Option<Arrived>, Error> {
        let since = |at: Option<SystemTime>| at.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        Ok(match self {
            Self::Channels(receiver) => receiver.next_timeout(WAIT)?.map(|frame| Arrived {
                number: frame.number(),
                missed: frame.missed().unwrap_or(0),
                sent: since(frame.written_at()),
                bytes: AROUND
                    .saturating_add(size_of_val(frame.samples()))
                    .saturating_add(frame.names().iter().map(|name| name.len().saturating_add(1)).sum()),
            }),
            Self::Images(receiver) => receiver.next_timeout(WAIT)?.map(|frame| Arrived {
                number: frame.number(),
                missed: frame.missed().unwrap_or(0),
                sent: since(frame.written_at()),
                bytes: AROUND.saturating_add(frame.pixels().len()),
            }),
        })
    }

    /// Appends the last frame's block.
    fn append(&self, to: &mut Vec<u8>) -> Result<(), tdshm::BlockError> {
        match self {
            Self::Channels(receiver) => receiver.frame().map_or(Ok(()), |frame| frame.append_block(to)),
            Self::Images(receiver) => receiver.frame().map_or(Ok(()), |frame| frame.append_block(to)),
        }
    }

    /// What the last frame is, in words.
    fn words(&self) -> String {
        match self {
            Self::Channels(receiver) => receiver.frame().map_or_else(String::new, |frame| {
                shape(frame.num_channels(), frame.len_samples(), frame.sample_rate())
            }),
            Self::Images(receiver) => {
                receiver.frame().map_or_else(String::new, |frame| image_shape(&frame.shape()))
            }
        }
    }
}

impl Capture {
    pub(super) fn open(
        name: ShortName,
        shared: Arc<Shared>,
        tally: Arc<Tally>,
        late: bool,
    ) -> Result<Self, Error> {
        let kind = tdshm::inspect(name.as_str()).map_or(BlockKind::Unknown, |report| report.kind);
        let feed = Feed::open(&name, kind)?;
        Ok(Self { name, shared, tally, feed, absent: false, announced: false, late, errors: HashSet::new() })
    }

    /// Follows the segment until the recording ends.
    pub(super) fn run(mut self) {
        while !self.shared.is_ending() {
            let begin = Instant::now();
            let arrived = self.feed.next();
            self.tell_of_sender();
            match arrived {
                Ok(Some(arrived)) => self.take(&arrived),
                Ok(None) => {}
                Err(error) => {
                    if !self.has_changed_kind(&error) {
                        std::thread::sleep(WAIT.saturating_sub(begin.elapsed()));
                    }
                }
            }
        }
    }

    fn take(&mut self, arrived: &Arrived) {
        if !self.shared.admits() {
            return;
        }
        if !std::mem::replace(&mut self.announced, true) {
            say::line(format_args!("recording {:?}: {}", self.name.as_str(), self.feed.words()));
        }
        let before =
            arrived.number.filter(|_| std::mem::take(&mut self.late)).map_or(0, |n| n.saturating_sub(1));
        self.tally.saw(arrived.number.is_some(), arrived.missed.max(before));
        let Some(mut ticket) = self.shared.queue.reserve(arrived.bytes) else {
            self.tally.lost(Lost { dropped: 1, unseen: 0 });
            return;
        };
        if let Err(error) = self.feed.append(&mut ticket.buffer) {
            drop(ticket);
            self.tally.lost(Lost { dropped: 1, unseen: 0 });
            return self.tell_of_error(error.to_string());
        }
        let (segment, kind, lost) = (self.name.clone(), self.feed.kind(), self.tally.take_untold());
        let (sent, number) = (arrived.sent, arrived.number);
        ticket.fill(|block, received, bytes| Taken {
            segment,
            kind,
            stamp: Stamp { received, sent, number },
            block,
            bytes,
            lost,
        });
    }

    /// Whether a block cannot be read because it is of the other kind; then that is received from now on. What is wrong
    /// with it otherwise is said.
    fn has_changed_kind(&mut self, error: &Error) -> bool {
        let kind = match error {
            Error::Block(_) => tdshm::inspect(self.name.as_str()).map_or(BlockKind::Unknown, |r| r.kind),
            _ => BlockKind::Unknown,
        };
        let other = match kind {
            BlockKind::Chop => Kind::Channels,
            BlockKind::Top => Kind::Image,
            _ => self.feed.kind(),
        };
        if other != self.feed.kind()
            && let Ok(feed) = Feed::open(&self.name, kind)
        {
            (self.feed, self.announced) = (feed, false);
            return true;
        }
        self.tell_of_error(match kind {
            BlockKind::Global => "this is a process's Global memory, which is not recorded".to_owned(),
            _ => error.to_string(),
        });
        false
    }

    /// Says when the sender is not there yet, leaves, or comes.
    fn tell_of_sender(&mut self) {
        let attached = self.feed.attached();
        if (attached != Attached::Yes) == self.absent {
            return;
        }
        self.absent = !self.absent;
        let name = self.name.as_str();
        say::line(match attached {
            Attached::Yes => format!("the sender of {name:?} is there"),
            Attached::Left => format!("the sender of {name:?} has left: waiting for another one"),
            Attached::Died => format!("the sender of {name:?} has died: waiting for another one"),
            _ => format!("waiting for {name:?}"),
        });
    }

    /// Says each error once.
    fn tell_of_error(&mut self, error: String) {
        if self.errors.len() < MOST_ERRORS && self.errors.insert(error.clone()) {
            say::error(format_args!("{:?}: {error} (going on; said once)", self.name.as_str()));
        }
    }
}
