//! The senders that frames are played by.

use anyhow::anyhow;
use tdshm::{
    ChopFrame, ChopSender, ErrorKind, HeaderVersion, Pixels, Sent, ShortName, Texels, TopSender, TopShape,
};
use tdshm_io::file::recording::{Frame, Kind, Layout, SegmentSummary};

use crate::cmd::LOCK_LIMIT;
use crate::say;

/// Room that is made at the beginning at most: more comes with the frames that need it.
const MOST_ROOM: usize = 256 << 20;

/// A segment that is played.
pub(super) struct Out {
    pub(super) recorded: String,
    pub(super) name: ShortName,
    take_over: bool,
    room: usize,
    sender: Sender,
    /// Frames that were sent.
    pub(super) frames: u64,
    /// Frames that no sender can send, or whose lock was not free.
    pub(super) left_out: u64,
    told: Option<String>,
}

/// What sends it. A header of images is decided when its sender is made.
enum Sender {
    Channels(Box<(ChopSender, ChopFrame)>),
    Images(Box<TopSender>, HeaderVersion),
    /// Between two of them.
    None,
}

impl Out {
    /// Makes the sender that the frame at the beginning needs, so that whoever has the name is told of before anything is
    /// played.
    pub(super) fn create(
        segment: &SegmentSummary,
        name: ShortName,
        first: &Layout,
        take_over: bool,
    ) -> anyhow::Result<Self> {
        let room = usize::try_from(segment.largest_block).unwrap_or(usize::MAX).min(MOST_ROOM);
        let recorded = segment.name.clone();
        let (sender, frames, left_out, told) = (Sender::None, 0, 0, None);
        let mut out = Self { recorded, name, take_over, room, sender, frames, left_out, told };
        match first {
            Layout::Image(shape) => out.make(Kind::Image, shape.version, Some(shape))?,
            other => out.make(other.kind(), HeaderVersion::default(), None)?,
        }
        Ok(out)
    }

    fn make(
        &mut self,
        kind: Kind,
        version: HeaderVersion,
        shape: Option<&TopShape>,
    ) -> Result<(), tdshm::Error> {
        self.sender = Sender::None; // the name is free before it is taken again
        let name = self.name.as_str();
        self.sender = match kind {
            Kind::Image => {
                let builder = TopSender::builder(name).header(version).take_over(self.take_over);
                let builder = match shape.and_then(|shape| Some((shape.texels.format()?, shape))) {
                    Some((format, shape)) if shape.data_bytes <= MOST_ROOM => {
                        builder.room_for(format, shape.width, shape.height)
                    }
                    _ => builder,
                };
                Sender::Images(Box::new(builder.lock_limit(LOCK_LIMIT).create()?), version)
            }
            _ => {
                let builder = ChopSender::builder(name).room_bytes(self.room).take_over(self.take_over);
                let sender = builder.lock_limit(LOCK_LIMIT).create()?;
                Sender::Channels(Box::new((sender, ChopFrame::default())))
            }
        };
        Ok(())
    }

    /// Sends a frame.
    pub(super) fn send(&mut self, frame: &Frame) -> anyhow::Result<()> {
        let sent = match frame.kind {
            Kind::Image => self.send_image(&frame.block),
            _ => self.send_channels(&frame.block),
        };
        match sent {
            Ok(sent) => {
                self.frames = self.frames.saturating_add(1);
                if sent.is_some_and(|sent| sent.abandoned) {
                    let name = self.name.as_str();
                    say::line(format_args!(
                        "a process that held the lock of {name:?} died; the frame is whole"
                    ));
                }
                Ok(())
            }
            Err(error) => {
                // While the lock is not free, the next one may arrive; a block that breaks a rule is one alone.
                if !matches!(error.kind(), ErrorKind::Retry | ErrorKind::Broken | ErrorKind::Refused) {
                    return Err(anyhow!("playing {:?} as {:?}: {error}", self.recorded, self.name.as_str()));
                }
                self.left_out = self.left_out.saturating_add(1);
                let told = error.to_string();
                if self.told.as_ref() != Some(&told) {
                    say::error(format_args!("a frame of {:?} is left out: {told}", self.recorded));
                    self.told = Some(told);
                }
                Ok(())
            }
        }
    }

    fn send_channels(&mut self, block: &[u8]) -> Result<Option<Sent>, tdshm::Error> {
        if !matches!(self.sender, Sender::Channels(_)) {
            self.make(Kind::Channels, HeaderVersion::default(), None)?;
        }
        let Sender::Channels(sender) = &mut self.sender else { return Ok(None) };
        let (sender, frame) = &mut **sender;
        frame.take_block(block)?;
        sender.send(frame).map(Some)
    }

    fn send_image(&mut self, block: &[u8]) -> Result<Option<Sent>, tdshm::Error> {
        let (shape, pixels) = TopShape::of_block(block)?;
        if !matches!(&self.sender, Sender::Images(_, version) if *version == shape.version) {
            self.make(Kind::Image, shape.version, Some(&shape))?;
        }
        let Sender::Images(sender, _) = &mut self.sender else { return Ok(None) };
        let format = match shape.texels {
            Texels::Format(format) => format,
            texels => texels.format().unwrap_or(tdshm::PixelFormat::from_number(0)),
        };
        sender.set_colour(shape.colour);
        let (x, y) = shape.aspect;
        sender.send(&Pixels::bottom_first(format, shape.width, shape.height, pixels).aspect(x, y)).map(Some)
    }

    /// Leaves.
    pub(super) fn leave(self) -> Result<(), tdshm::Error> {
        match self.sender {
            Sender::Channels(sender) => sender.0.detach(),
            Sender::Images(sender, _) => sender.detach(),
            Sender::None => Ok(()),
        }
    }
}
