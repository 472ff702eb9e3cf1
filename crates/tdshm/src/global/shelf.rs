//! One entry as it is served: the block's own reader, and the last good frame that it made.

use crate::error::BlockError;
use crate::intake::block::{Block, Examined, Receipt, Target};
use crate::mem::{OutOfBounds, Region};

/// How often a block asks for room, for its names or a table, before it is given up.
const TRIES: usize = 64;

/// A name that somebody asks for, and what it was in the copy that was looked at last.
#[derive(Debug)]
pub(super) struct Shelf<B: Block> {
    name: Box<str>,
    block: B,
    frame: B::Frame,
    /// Which copy it was looked at in.
    looked: u64,
    found: Result<bool, BlockError>,
}

impl<B: Block> Shelf<B> {
    pub(super) fn new(name: &str, empty: B::Frame) -> Self {
        Self { name: name.into(), block: B::default(), frame: empty, looked: 0, found: Ok(false) }
    }

    pub(super) fn is(&self, name: &str) -> bool {
        *self.name == *name
    }

    /// What lies there in the copy with number `copy`; `None`: nothing of that name, or nothing yet. A block that breaks a
    /// rule is an error as often as it is asked for.
    pub(super) fn serve(
        &mut self,
        copy: u64,
        receipt: Receipt,
        region: Option<Region<'_>>,
    ) -> Result<Option<&B::Frame>, BlockError> {
        if self.looked != copy {
            self.looked = copy;
            self.found = region.map_or(Ok(false), |region| self.take(region));
            if self.found == Ok(true) {
                *B::parts(&mut self.frame).1 = receipt;
            }
        }
        match &self.found {
            Ok(true) => Ok(Some(&self.frame)),
            Ok(false) => Ok(None),
            Err(error) => Err(error.clone()),
        }
    }

    /// The same steps as with a segment of its own, but that nobody writes meanwhile.
    fn take(&mut self, region: Region<'_>) -> Result<bool, BlockError> {
        for _ in 0..TRIES {
            match self.block.examine(region)? {
                Examined::Blank => return Ok(false),
                Examined::Changed(change) => self.block.rebuild(change)?,
                Examined::Ready => {
                    let data = B::parts(&mut self.frame).0;
                    data.make_room(&self.block)?;
                    return match data.copy(&self.block, region) {
                        Ok(()) => {
                            self.block.describe(&mut self.frame);
                            Ok(true)
                        }
                        Err(OutOfBounds) => Err(self.block.unsettled()),
                    };
                }
            }
        }
        Err(self.block.unsettled())
    }
}
