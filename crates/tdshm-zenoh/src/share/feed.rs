//! What receives a segment, of either kind.

use std::sync::Arc;
use std::time::Duration;

use tdshm::{Attached, BlockKind, ChopFrame, ChopReceiver, Error, SegmentReceiver, ShortName, TopReceiver};
use zenoh::bytes::ZBytes;

use crate::encoding::{ChannelEncoder, Form, ImageEncoder, Packing, Payload};
use crate::{LOCK_LIMIT, since_epoch};

/// A receiver, and what makes payloads of its frames.
pub(super) enum Feed {
    Channels(Box<ChopReceiver>, ChannelEncoder),
    Images(Box<TopReceiver>, ImageEncoder),
}

/// What is known of a frame beside its content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrived {
    pub(super) frame: u64,
    pub(super) missed: u64,
    pub(super) written: u64,
}

/// What can be given whole to whoever asks for the last frame.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    Channels(Arc<ChopFrame>),
    Image(Form, ZBytes),
}

/// A frame for the network.
pub(super) struct Packet {
    pub(super) form: Form,
    pub(super) base: u64,
    pub(super) payload: ZBytes,
    pub(super) kept: Kept,
}

impl Feed {
    /// What receives blocks of that kind: channels, as long as nobody has sent anything else.
    pub(super) fn open(name: &ShortName, kind: BlockKind, packing: Packing) -> Result<Self, Error> {
        let segment = SegmentReceiver::builder(name.as_str()).lock_limit(LOCK_LIMIT).open()?;
        Ok(match kind {
            BlockKind::Top => Self::Images(Box::new(TopReceiver::over(segment)), ImageEncoder::new(packing)),
            _ => Self::Channels(Box::new(ChopReceiver::over(segment)), ChannelEncoder::default()),
        })
    }

    pub(super) fn kind(&self) -> BlockKind {
        match self {
            Self::Channels(..) => BlockKind::Chop,
            Self::Images(..) => BlockKind::Top,
        }
    }

    pub(super) fn attached(&self) -> Attached {
        match self {
            Self::Channels(receiver, _) => receiver.attached(),
            Self::Images(receiver, _) => receiver.attached(),
        }
    }

    /// The sender's process; 0: unknown.
    pub(super) fn sender(&self) -> u32 {
        let stats = match self {
            Self::Channels(receiver, _) => receiver.stats(),
            Self::Images(receiver, _) => receiver.stats(),
        };
        stats.sender.unwrap_or(0)
    }

    /// Waits for a frame.
    pub(super) fn next(&mut self, wait: Duration) -> Result<Option<Arrived>, Error> {
        Ok(match self {
            Self::Channels(receiver, _) => receiver.next_timeout(wait)?.map(|frame| Arrived {
                frame: frame.number().unwrap_or(0),
                missed: frame.missed().unwrap_or(0),
                written: frame.written_at().map_or(0, since_epoch),
            }),
            Self::Images(receiver, _) => receiver.next_timeout(wait)?.map(|frame| Arrived {
                frame: frame.number().unwrap_or(0),
                missed: frame.missed().unwrap_or(0),
                written: frame.written_at().map_or(0, since_epoch),
            }),
        })
    }

    /// The last frame for the network, where it will have that number; whole where that is asked for.
    pub(super) fn packet(&mut self, number: u64, whole: bool) -> Result<Option<Packet>, tdshm::BlockError> {
        match self {
            Self::Channels(receiver, encoder) => {
                let Some(frame) = receiver.frame() else { return Ok(None) };
                let frame = Arc::new(frame.clone());
                let (payload, base) = encoder.encode(&frame, number, whole)?;
                let form = payload.form;
                Ok(Some(Packet { form, base, payload: joined(payload), kept: Kept::Channels(frame) }))
            }
            Self::Images(receiver, encoder) => {
                let Some(frame) = receiver.frame() else { return Ok(None) };
                let (form, payload) = match encoder.header(frame) {
                    Some(header) => {
                        // The pixels go on as they are; the receiver gets memory for the next ones.
                        let mut pixels = Vec::new();
                        if !receiver.swap_pixels(&mut pixels) {
                            return Ok(None);
                        }
                        (Form::Image, parts(header, pixels))
                    }
                    None => {
                        let payload = encoder.encode(frame)?;
                        (payload.form, joined(payload))
                    }
                };
                let kept = Kept::Image(form, payload.clone());
                Ok(Some(Packet { form, base: 0, payload, kept }))
            }
        }
    }
}

/// Both parts of a payload, none of them copied.
pub(super) fn joined(payload: Payload) -> ZBytes {
    parts(payload.head, payload.body)
}

fn parts(head: Vec<u8>, body: Vec<u8>) -> ZBytes {
    if body.is_empty() {
        return ZBytes::from(head);
    }
    let mut writer = ZBytes::writer();
    writer.append(ZBytes::from(head));
    writer.append(ZBytes::from(body));
    writer.finish()
}
