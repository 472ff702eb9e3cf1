//! The segment of this machine that a stream becomes.

use std::time::Duration;

use tdshm::{
    BlockKind, ChopSender, Error, ErrorKind, HeaderVersion, LockError, Occupant, PixelFormat, Pixels,
    SegmentError, ShortName, TopSender, TopShape,
};

use crate::LOCK_LIMIT;
use crate::encoding::ChannelDecoder;

/// The sender of a mirrored segment.
#[derive(Debug)]
pub(super) struct Local {
    name: ShortName,
    take_over: bool,
    sender: Sender,
}

#[derive(Debug)]
enum Sender {
    Channels(Box<ChopSender>),
    /// Which header it has is decided when it is made.
    Images(Box<TopSender>, HeaderVersion),
    None,
}

impl Local {
    pub(super) fn new(name: ShortName, take_over: bool) -> Self {
        Self { name, take_over, sender: Sender::None }
    }

    pub(super) fn name(&self) -> &ShortName {
        &self.name
    }

    /// Whether the name is ours.
    pub(super) fn is_there(&self) -> bool {
        !matches!(self.sender, Sender::None)
    }

    /// Changes how long the lock of channels is waited for.
    pub(super) fn set_lock_limit(&mut self, limit: Duration) {
        if let Sender::Channels(sender) = &mut self.sender {
            sender.set_lock_limit(limit);
        }
    }

    /// Sends the frame that was decoded last: a whole one with its names, or samples alone. A segment that has never had a frame
    /// goes again where that fails.
    pub(super) fn send_channels(&mut self, decoder: &ChannelDecoder, whole: bool) -> Result<(), Error> {
        let fresh = !matches!(self.sender, Sender::Channels(_));
        let sent = self.try_channels(decoder, whole);
        self.kept_or_gone(fresh, sent)
    }

    /// Sends an image. The same goes for it.
    pub(super) fn send_image(&mut self, shape: &TopShape, pixels: &[u8]) -> Result<(), Error> {
        let fresh = !matches!(&self.sender, Sender::Images(_, version) if *version == shape.version);
        let sent = self.try_image(shape, pixels);
        self.kept_or_gone(fresh, sent)
    }

    fn kept_or_gone(&mut self, fresh: bool, sent: Result<(), Error>) -> Result<(), Error> {
        if fresh && sent.is_err() {
            // What stands in the way of the frame is said; that the rest could not be removed would be no help.
            let _ = self.leave();
        }
        sent
    }

    fn try_channels(&mut self, decoder: &ChannelDecoder, whole: bool) -> Result<(), Error> {
        let base = decoder.base();
        let fresh = !matches!(self.sender, Sender::Channels(_));
        if fresh {
            self.sender = Sender::None; // the name is free before it is taken again
            let builder = ChopSender::builder(self.name.as_str()).take_over(self.take_over);
            self.sender = Sender::Channels(Box::new(builder.lock_limit(LOCK_LIMIT).create()?));
        }
        let Sender::Channels(sender) = &mut self.sender else { return Ok(()) };
        if whole {
            sender.send(base)?;
            return Ok(());
        }
        if fresh {
            sender.set_channels(base.names().iter().cloned())?;
            sender.set_sample_rate(base.sample_rate())?;
        }
        sender.send_flat(decoder.samples(), base.len_samples())?;
        Ok(())
    }

    fn try_image(&mut self, shape: &TopShape, pixels: &[u8]) -> Result<(), Error> {
        if !matches!(&self.sender, Sender::Images(_, version) if *version == shape.version) {
            self.sender = Sender::None;
            let builder =
                TopSender::builder(self.name.as_str()).header(shape.version).take_over(self.take_over);
            let sender = builder.lock_limit(LOCK_LIMIT).create()?;
            self.sender = Sender::Images(Box::new(sender), shape.version);
        }
        let Sender::Images(sender, _) = &mut self.sender else { return Ok(()) };
        let format = shape.texels.format().unwrap_or(PixelFormat::from_number(0));
        sender.set_colour(shape.colour);
        let (x, y) = shape.aspect;
        sender.send(&Pixels::bottom_first(format, shape.width, shape.height, pixels).aspect(x, y))?;
        Ok(())
    }

    /// Leaves: readers see that there is no sender, and keep the last frame.
    pub(super) fn leave(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.sender, Sender::None) {
            Sender::Channels(sender) => sender.detach(),
            Sender::Images(sender, _) => sender.detach(),
            Sender::None => Ok(()),
        }
    }

    /// The kind of frames that are sent.
    pub(super) fn kind(&self) -> BlockKind {
        match self.sender {
            Sender::Channels(_) => BlockKind::Chop,
            Sender::Images(..) => BlockKind::Top,
            Sender::None => BlockKind::Unknown,
        }
    }
}

/// Why a frame could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Another program has the name.
    Taken,
    /// The system has no memory for it, or cannot give it.
    NoRoom,
    /// Somebody has the segment's lock.
    Moment,
    /// The frame itself.
    Frame,
}

impl Trouble {
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::Lock(LockError::Timeout { .. })
            | Error::Segment(SegmentError::UnableToLockInfo { .. }) => Self::Moment,
            Error::Segment(segment) if matches!(segment.kind(), ErrorKind::Busy | ErrorKind::Refused) => {
                Self::Taken
            }
            Error::Lock(_) | Error::Segment(_) => Self::NoRoom,
            _ => Self::Frame,
        }
    }
}

/// Whether that program is this one: another stream has the name.
pub(super) fn is_our_own(error: &Error) -> bool {
    let Error::Segment(SegmentError::AlreadyExists { by, .. } | SegmentError::InfoAlreadyExists { by, .. }) =
        error
    else {
        return false;
    };
    matches!(by, Occupant::Process(pid) if *pid == std::process::id())
}
