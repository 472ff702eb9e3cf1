//! Images that are drawn for as long as that takes, and published when they are done.

use crate::chop::Sent;
use crate::convert::RowOrder;
use crate::error::Error;
use crate::mem::ViewBytesMut;
use crate::segment::draft::Draft;
use crate::segment::slots::Outgoing;
use crate::top::frame::TopShape;
use crate::top::receiver::row;
use crate::top::sender::TopSender;
use crate::wire::pixel::PixelFormat;

/// An image that is being drawn: what [`TopSender::draft`] begins, and [`TopSender::commit`] publishes.
///
/// Its memory belongs to it for as long as it lives, also when it has been published or the sender has gone, moved or
/// sent other images: no other image is put there, and it stays mapped. So whoever keeps the address keeps the draft, and
/// whoever writes late spoils no image but this one: where it was published, receivers see what is written, torn.
///
/// To give it up, drop it: nothing was published. Forgotten instead, it keeps its place for ever.
#[derive(Debug)]
#[must_use = "nothing is published until `commit` is called"]
pub struct TopDraft {
    draft: Draft,
    format: PixelFormat,
    shape: TopShape,
    stored: RowOrder,
}

impl TopDraft {
    /// Its size and format.
    #[must_use]
    pub fn shape(&self) -> TopShape {
        self.shape
    }

    /// Which row lies first in its memory: the bottom one, unless the sender was told otherwise.
    #[must_use]
    pub fn row_order(&self) -> RowOrder {
        self.stored
    }

    /// Bytes from the start of a row to that of the next: rows lie right behind one another.
    #[must_use]
    pub fn stride_bytes(&self) -> usize {
        self.shape.row_bytes().unwrap_or(0)
    }

    /// Bytes of all pixels.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.draft.region().len()
    }

    /// All pixels, as they are going to lie in the block, with whatever lies there at first.
    pub fn pixels(&mut self) -> ViewBytesMut<'_> {
        ViewBytesMut::new(self.draft.region())
    }

    /// One row, counted from 0 in the order that is asked for; `None` behind the last.
    pub fn row(&mut self, index: usize, order: RowOrder) -> Option<ViewBytesMut<'_>> {
        row(self.draft.region(), &self.shape, index, order != self.stored).map(ViewBytesMut::new)
    }

    /// The address of the first byte of [`pixels`](Self::pixels), for a caller's own unsafe code and other languages: good for
    /// [`size_bytes`](Self::size_bytes) bytes and for as long as the draft lives, at a multiple of 64. Other programs may
    /// write there at any moment, so no reference may be made of it.
    #[must_use]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.draft.region().as_ptr()
    }

    /// Whether it is drawn in the segment, and the lock is held for no more than the switch to it. Otherwise it is drawn in
    /// memory of this program, and copied while the lock is held: where the sender has [one place
    /// alone](crate::TopSenderBuilder::slots), and where it has to move to a larger segment first.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        self.draft.is_in_place()
    }
}

impl TopSender {
    /// Begins an image that is drawn without a closure and without the lock, in a place of the segment that nobody reads:
    /// [`commit`](Self::commit) publishes it, and dropping it does not.
    ///
    /// There is one draft at a time that can be published: beginning another one ends it, and so does any image that is
    /// sent. A sender has places for drafts unless it was told to have [none](crate::TopSenderBuilder::slots) or a program of
    /// others reads it; where it has to move to have room for them, the first draft is copied:
    /// [`is_in_place`](TopDraft::is_in_place) tells.
    ///
    /// # Errors
    ///
    /// [`Error::Block`] as [`send`](Self::send); [`SegmentError::UnableToMap`](crate::SegmentError::UnableToMap) where there is
    /// no memory for it; [`LockError::Forked`](crate::LockError::Forked).
    ///
    /// ```
    /// use tdshm::{PixelFormat, RowOrder};
    ///
    /// # fn main() -> Result<(), tdshm::Error> {
    /// # let name = format!("doctopdraft{}", std::process::id());
    /// let mut out = tdshm::TopSender::create(&name)?;
    /// let mut draft = out.draft(PixelFormat::R8G8B8A8_UNORM, 64, 64)?;
    /// for index in 0..64 {
    ///     if let Some(mut row) = draft.row(index, RowOrder::TopFirst) {
    ///         row.copy_from(&[128; 64 * 4]);
    ///     }
    /// }
    /// out.commit(&draft)?;
    /// # out.detach()?;
    /// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn draft(&mut self, format: PixelFormat, width: usize, height: usize) -> Result<TopDraft, Error> {
        let block = self.plan(format, width, height, self.settings.aspect)?;
        let draft = self.segment.begin_draft(self.slots, block.data_bytes(), self.frames)?;
        Ok(TopDraft { draft, format, shape: TopShape::of(&block.layout), stored: self.stored })
    }

    /// Publishes a draft. Aspect and colours are those of now.
    ///
    /// # Errors
    ///
    /// [`SegmentError::StaleDraft`](crate::SegmentError::StaleDraft) for a draft of another sender, one that is not the last
    /// that was begun, one that was published, and one that was begun before an image was sent: nothing has been
    /// published. Otherwise as [`send`](Self::send), and the draft can be published still.
    pub fn commit(&mut self, draft: &TopDraft) -> Result<Sent, Error> {
        self.segment.check_draft(&draft.draft, self.frames)?;
        let TopShape { width, height, .. } = draft.shape;
        let block = self.plan(draft.format, width, height, self.settings.aspect)?;
        let Some(place) = self.segment.place_of(self.slots, &draft.draft, block.data_bytes()) else {
            return self.write(&block, |data| data.copy_from(draft.draft.region()));
        };
        self.segment.look_after();
        let abandoned = self.segment.publish_draft(place, &block)?;
        Ok(self.has_sent(&block, abandoned))
    }
}
