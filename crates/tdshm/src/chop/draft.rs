//! Frames of channels that are drawn for as long as that takes, and published when they are done.

use crate::chop::frame::ChopShape;
use crate::chop::sender::{BESIDE, ChopSender, HERE, NOWHERE, Sent, channel};
use crate::error::Error;
use crate::mem::{Region, ViewF32Mut};
use crate::segment::draft::Draft;
use crate::segment::slots::Outgoing;
use crate::wire::chop::SAMPLE_BYTES;

/// A frame that is being drawn: what [`ChopSender::draft`] begins, and [`ChopSender::commit`] publishes.
///
/// Its memory belongs to it for as long as it lives, also when it has been published or the sender has gone, moved or
/// sent other frames: no other frame is put there, and it stays mapped. So whoever keeps the address keeps the draft, and
/// whoever writes late spoils no frame but this one: where it was published, receivers see what is written, torn.
///
/// To give it up, drop it: nothing was published. Forgotten instead, it keeps its place for ever.
#[derive(Debug)]
#[must_use = "nothing is published until `commit` is called"]
pub struct ChopDraft {
    draft: Draft,
    num_channels: usize,
    len_samples: usize,
}

impl ChopDraft {
    /// Channels.
    #[must_use]
    pub fn num_channels(&self) -> usize {
        self.num_channels
    }

    /// Samples in each channel.
    #[must_use]
    pub fn len_samples(&self) -> usize {
        self.len_samples
    }

    /// One channel's samples by its position, counted from 0.
    pub fn channel(&mut self, index: usize) -> Option<ViewF32Mut<'_>> {
        channel(self.region(), self.num_channels, self.len_samples, index)
    }

    /// All samples: all of channel 0, then all of channel 1, and so on, with whatever lies there at first.
    pub fn samples(&mut self) -> ViewF32Mut<'_> {
        ViewF32Mut::new(self.region())
    }

    /// The address of the first of [`samples`](Self::samples), for a caller's own unsafe code and other languages: good for
    /// all of them and for as long as the draft lives, at a multiple of 64. Other programs may write there at any moment, so
    /// no reference may be made of it.
    #[must_use]
    pub fn as_mut_ptr(&mut self) -> *mut f32 {
        self.region().as_ptr().cast()
    }

    /// Whether it is drawn in the segment, and the lock is held for no more than the switch to it. Otherwise it is drawn in
    /// memory of this program, and copied while the lock is held: see [`ChopSender::draft`].
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        self.draft.is_in_place()
    }

    /// The samples, without the names that lie behind them in a place.
    fn region(&self) -> Region<'_> {
        let bytes = self.num_channels.saturating_mul(self.len_samples).saturating_mul(SAMPLE_BYTES);
        let whole = self.draft.region();
        whole.part(0, bytes).unwrap_or(whole)
    }
}

impl ChopSender {
    /// Begins a frame that is drawn without a closure and without the lock: [`commit`](Self::commit) publishes it, and
    /// dropping it does not.
    ///
    /// There is one draft at a time that can be published: beginning another one ends it, and so does any frame that is
    /// sent. From the first draft on, blocks of 64 KiB and more have [places](crate::ChopSenderBuilder::slots) beside one
    /// another, unless the sender was told to have none or a program of others reads it, and drafts are drawn there. Smaller
    /// ones are copied while the lock is held, and so is the first one where the sender has to move to have room for places:
    /// [`is_in_place`](ChopDraft::is_in_place) tells.
    ///
    /// # Errors
    ///
    /// [`Error::Block`] as [`send`](Self::send); [`SegmentError::UnableToMap`](crate::SegmentError::UnableToMap) where there is
    /// no memory for it; [`LockError::Forked`](crate::LockError::Forked).
    ///
    /// ```
    /// # fn main() -> Result<(), tdshm::Error> {
    /// # let name = format!("docdraft{}", std::process::id());
    /// let mut out = tdshm::ChopSender::builder(&name).channels(["tx", "ty"]).create()?;
    /// let mut draft = out.draft(2, 3)?;
    /// for index in 0..2 {
    ///     if let Some(mut channel) = draft.channel(index) {
    ///         channel.copy_from(&[0.0, 0.5, 1.0]);
    ///     }
    /// }
    /// out.commit(&draft)?;
    /// # out.detach()?;
    /// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn draft(&mut self, num_channels: usize, len_samples: usize) -> Result<ChopDraft, Error> {
        self.lay_out(num_channels, len_samples)?;
        let bytes = self.plan.outgoing.data_bytes();
        let draft = self.segment.begin_draft(self.slots, bytes, self.frames)?;
        Ok(ChopDraft { draft, num_channels, len_samples })
    }

    /// Publishes a draft. Names and rate are those of now.
    ///
    /// # Errors
    ///
    /// [`SegmentError::StaleDraft`](crate::SegmentError::StaleDraft) for a draft of another sender, one that is not the last
    /// that was begun, one that was published, and one that was begun before a frame was sent: nothing has been published.
    /// Otherwise as [`send`](Self::send), and the draft can be published still.
    pub fn commit(&mut self, draft: &ChopDraft) -> Result<Sent, Error> {
        self.segment.check_draft(&draft.draft, self.frames)?;
        let ChopDraft { num_channels, len_samples, .. } = *draft;
        self.lay_out(num_channels, len_samples)?;
        let bytes = self.plan.outgoing.data_bytes();
        let Some(place) = self.segment.place_of(self.slots, &draft.draft, bytes) else {
            return self.write(num_channels, len_samples, |samples| samples.copy_from(draft.region()));
        };
        let here = u32::try_from(place).ok().and_then(|place| BESIDE.checked_shl(place)).unwrap_or(HERE);
        let before = match std::mem::replace(&mut self.placed, NOWHERE) {
            HERE => NOWHERE,
            placed => placed,
        };
        let layout = &self.plan.outgoing.layout;
        if before & here == 0 && layout.names_at.is_some() {
            let data = self.segment.place_region(place, bytes);
            let named = data.and_then(|data| data.copy_in(layout.samples_bytes(), &self.plan.encoded));
            debug_assert_eq!(named, Ok(()), "the room was checked");
        }
        let abandoned = self.segment.publish_draft(place, &self.plan.outgoing)?;
        self.placed = before | here;
        Ok(self.has_sent(abandoned))
    }

    /// Plans a block of that shape, unless it is the one that lies there.
    fn lay_out(&mut self, num_channels: usize, len_samples: usize) -> Result<(), Error> {
        let shape = ChopShape { num_channels, len_samples, sample_rate: self.plan.sample_rate };
        if self.segment.look_after() || self.placed == NOWHERE || self.plan.shape != shape {
            self.placed = NOWHERE;
            self.plan.plan(shape)?;
        }
        Ok(())
    }
}
