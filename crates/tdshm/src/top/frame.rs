//! One image, copied out.

use std::time::{Duration, SystemTime};

use crate::convert::RowOrder;
use crate::intake::block::{Notice, Receipt};
use crate::top::rows::STORED;
use crate::wire::top::{HeaderVersion, Texels, TopColour, TopLayout};

/// What an image block says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TopShape {
    /// Pixels in a row, from 1 to 32768.
    pub width: usize,
    /// Rows, from 1 to 32768.
    pub height: usize,
    /// What the pixels are.
    pub texels: Texels,
    /// The aspect of a pixel, as it was sent: usually 1 and 1.
    pub aspect: (f32, f32),
    /// Which header it has.
    pub version: HeaderVersion,
    /// What the colours mean, where the header is of version 2.
    pub colour: Option<TopColour>,
    /// Bytes of all pixels.
    pub data_bytes: usize,
}

impl TopShape {
    pub(crate) fn of(layout: &TopLayout) -> Self {
        let TopLayout { width, height, aspect, texels, version, data_bytes, colour, .. } = *layout;
        Self { width, height, texels, aspect, version, colour, data_bytes }
    }

    /// Bytes of one row; `None` where nobody knows those of a pixel.
    #[must_use]
    pub fn row_bytes(&self) -> Option<usize> {
        self.texels.bytes_per_pixel()?.checked_mul(self.width)
    }
}

/// An image: its shape, and its pixels, row after row.
///
/// A frame is memory of this program: nobody else writes into it.
#[derive(Clone, Debug)]
pub struct TopFrame {
    pub(super) shape: TopShape,
    pub(super) pixels: Vec<u8>,
    pub(super) receipt: Receipt,
    pub(super) order: RowOrder,
    /// Somebody took the pixels, and what is there instead means nothing.
    pub(super) is_bare: bool,
}

impl TopFrame {
    /// What there is before the first image.
    pub(crate) fn empty(order: RowOrder) -> Self {
        let layout = TopLayout {
            width: 0,
            height: 0,
            aspect: (1.0, 1.0),
            texels: Texels::Format(crate::wire::pixel::PixelFormat::R8G8B8A8_UNORM),
            version: HeaderVersion::default(),
            data_at: 0,
            data_bytes: 0,
            colour: None,
        };
        Self {
            shape: TopShape::of(&layout),
            pixels: Vec::new(),
            receipt: Receipt::default(),
            order,
            is_bare: false,
        }
    }

    /// What the block said of it.
    #[must_use]
    pub fn shape(&self) -> TopShape {
        self.shape
    }

    /// Pixels in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.shape.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.shape.height
    }

    /// All pixels, the rows in [their order](Self::row_order), without gaps. Of an unknown format
    /// whatever lay there. None after [`TopReceiver::swap_pixels`](crate::TopReceiver::swap_pixels).
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        if self.is_bare { &[] } else { &self.pixels }
    }

    pub(super) fn is_bare(&self) -> bool {
        self.is_bare
    }

    /// Which row comes first in [`pixels`](Self::pixels): the bottom one, unless the receiver was told otherwise.
    #[must_use]
    pub fn row_order(&self) -> RowOrder {
        self.order
    }

    /// The rows in the order that is asked for; none where nobody knows the size of a pixel.
    pub fn rows(&self, order: RowOrder) -> impl ExactSizeIterator<Item = &[u8]> {
        let row_bytes = self.shape.row_bytes().filter(|bytes| *bytes > 0 && !self.is_bare);
        let height = if row_bytes.is_some() { self.shape.height } else { 0 };
        let (bytes, turned) = (row_bytes.unwrap_or(1), order != self.order);
        (0..height).map(move |index| {
            let index = if turned { height.saturating_sub(1).saturating_sub(index) } else { index };
            let begin = index.saturating_mul(bytes);
            self.pixels.get(begin..begin.saturating_add(bytes)).unwrap_or_default()
        })
    }

    /// Its number, counted from 1 by a sender of this library; `None` where nobody counts: see
    /// [`ChopFrame::number`](crate::ChopFrame::number).
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.receipt.notice.map(|notice| notice.number)
    }

    /// How many images this receiver did not see between the one before and this one; `None` where nobody counts.
    #[must_use]
    pub fn missed(&self) -> Option<u64> {
        self.receipt.notice.map(|notice| notice.missed)
    }

    /// How long ago it was written, to some milliseconds; `None` where nobody says.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.receipt.notice.map(Notice::age)
    }

    /// When it was written, by the sender's clock and to some milliseconds; `None` where nobody says.
    #[must_use]
    pub fn written_at(&self) -> Option<SystemTime> {
        self.receipt.notice.map(Notice::written_at)
    }

    /// Whether the lock had been left by a process that died with it: see
    /// [`ChopFrame::is_abandoned`](crate::ChopFrame::is_abandoned).
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.receipt.abandoned
    }
}

const _: () = assert!(matches!(STORED, RowOrder::BottomFirst), "the documentation says so");
