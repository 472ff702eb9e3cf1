//! What a sender of channels knows of the block it is going to write, wherever that will lie.

use std::sync::Arc;

use crate::chop::frame::{ChopFrame, ChopShape, too_many_names};
use crate::chop::names::{NameTable, completed};
use crate::chop::sender::ChopBlockMut;
use crate::error::BlockError;
use crate::mem::{OutOfBounds, Region};
use crate::segment::slots::Outgoing;
use crate::step::step;
use crate::wire::chop::{self, ChopHeader, ChopLayout, HEADER_BYTES};

/// Names, rate, and the block that was planned last.
#[derive(Debug)]
pub(crate) struct ChopPlan {
    pub(super) sample_rate: f32,
    pub(super) send_names: bool,
    /// The names that were given; `false`: `chan1`, `chan2`, … for however many there are.
    pub(super) given: bool,
    pub(super) names: Arc<NameTable>,
    pub(super) encoded: Vec<u8>,
    pub(super) shape: ChopShape,
    pub(super) outgoing: OutgoingChop,
}

/// The block of the last send, as it is planned for the usual place.
#[derive(Debug)]
pub(super) struct OutgoingChop {
    pub(super) header: ChopHeader,
    pub(super) layout: ChopLayout,
    /// Bytes of its samples.
    samples_bytes: usize,
    /// Bytes of the block.
    pub(super) needed: usize,
}

impl Outgoing for OutgoingChop {
    fn data_bytes(&self) -> usize {
        self.needed.saturating_sub(HEADER_BYTES)
    }

    fn usual_at(&self) -> usize {
        HEADER_BYTES
    }

    fn put_header(&self, region: Region<'_>, data_at: usize) -> Result<(), OutOfBounds> {
        region.write(0, &self.header.moved_to(data_at, &self.layout).ok_or(OutOfBounds)?)
    }
}

impl ChopPlan {
    /// Of a block without channels.
    pub(crate) fn new(names: Vec<String>, sample_rate: f32, send_names: bool) -> Result<Self, BlockError> {
        let given = !names.is_empty();
        let names = Arc::new(NameTable::new(names));
        let mut encoded = Vec::new();
        chop::encode_names(names.as_slice().iter().map(String::as_str), &mut encoded)?;
        let (header, layout) = ChopHeader::plan(0, 0, sample_rate, None)?;
        let shape = ChopShape { num_channels: 0, len_samples: 0, sample_rate };
        let outgoing = OutgoingChop { header, layout, samples_bytes: 0, needed: HEADER_BYTES };
        Ok(Self { sample_rate, send_names, given, names, encoded, shape, outgoing })
    }

    /// Takes other names, or keeps those it has.
    pub(super) fn take_names(&mut self, names: Arc<NameTable>) -> Result<(), BlockError> {
        let mut encoded = std::mem::take(&mut self.encoded);
        let result = chop::encode_names(names.as_slice().iter().map(String::as_str), &mut encoded);
        if let Err(error) = result {
            // The buffer holds half of the new names: make the old ones again, which had no NUL.
            chop::encode_names(self.names.as_slice().iter().map(String::as_str), &mut encoded)?;
            self.encoded = encoded;
            return Err(error);
        }
        self.encoded = encoded;
        self.names = names;
        Ok(())
    }

    /// Takes names and a rate for the next block. Nothing is made anew where the names are those that it has.
    pub(crate) fn describe<N: AsRef<str>>(
        &mut self,
        names: &[N],
        sample_rate: f32,
    ) -> Result<(), BlockError> {
        let sample_rate = chop::check_rate(sample_rate)?;
        if !self.names.as_slice().iter().map(String::as_str).eq(names.iter().map(AsRef::as_ref)) {
            let names = names.iter().map(|name| name.as_ref().to_owned()).collect();
            self.take_names(Arc::new(NameTable::new(names)))?;
        }
        self.sample_rate = sample_rate;
        Ok(())
    }

    /// Takes those of a frame.
    pub(crate) fn describe_as(&mut self, frame: &ChopFrame) -> Result<(), BlockError> {
        if !Arc::ptr_eq(&self.names, &frame.names) {
            self.take_names(Arc::clone(&frame.names))?;
        }
        self.sample_rate = frame.sample_rate();
        Ok(())
    }

    /// Plans a block with a channel for each name. What comes out are the bytes of it.
    pub(crate) fn lay_out(&mut self, len_samples: usize) -> Result<usize, BlockError> {
        let num_channels = self.names.as_slice().len();
        self.plan(ChopShape { num_channels, len_samples, sample_rate: self.sample_rate })?;
        Ok(self.outgoing.needed)
    }

    /// Writes the block that was planned into memory of this program.
    pub(crate) fn write(
        &self,
        region: Region<'_>,
        fill: impl FnOnce(&mut ChopBlockMut<'_>),
    ) -> Result<(), OutOfBounds> {
        let ChopShape { num_channels, len_samples, .. } = self.shape;
        let samples = |samples: Region<'_>| {
            fill(&mut ChopBlockMut { samples, num_channels, len_samples });
            Ok(())
        };
        put(region, &self.outgoing, samples, |data, at| data.copy_in(at, &self.encoded))
    }

    /// Plans a block of another shape, or with other names, than the one that lies there.
    #[cold]
    pub(super) fn plan(&mut self, shape: ChopShape) -> Result<(), BlockError> {
        let ChopShape { num_channels, len_samples, sample_rate } = shape;
        let named = self.names.as_slice().len();
        if self.given && named != num_channels {
            return Err(too_many_names(named, num_channels));
        }
        // Checked before names are made up for channels that no block could hold.
        ChopHeader::plan(num_channels, len_samples, sample_rate, Some(num_channels))?;
        if named != num_channels {
            self.take_names(Arc::new(NameTable::new(completed(&[], num_channels))))?;
        }
        let names = self.send_names.then_some(self.encoded.len());
        let (header, layout) = ChopHeader::plan(num_channels, len_samples, sample_rate, names)?;
        let samples_bytes = layout.samples_bytes();
        let bytes = layout.samples_at.saturating_add(samples_bytes).saturating_add(names.unwrap_or(0));
        // A receiver refuses more channels than the mapping has bytes.
        let needed = bytes.max(num_channels);
        (self.shape, self.outgoing) = (shape, OutgoingChop { header, layout, samples_bytes, needed });
        Ok(())
    }
}

/// Writes a block, and its names where it has some.
#[inline]
pub(super) fn put(
    region: Region<'_>,
    block: &OutgoingChop,
    samples: impl FnOnce(Region<'_>) -> Result<(), OutOfBounds>,
    names: impl FnOnce(Region<'_>, usize) -> Result<(), OutOfBounds>,
) -> Result<(), OutOfBounds> {
    region.write(0, &block.header)?;
    step!("write: header");
    samples(region.part(block.layout.samples_at, block.samples_bytes)?)?;
    step!("write: samples");
    block.layout.names_at.map_or(Ok(()), |at| names(region, at))
}
