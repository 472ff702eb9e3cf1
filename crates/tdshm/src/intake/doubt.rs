//! A foreign program may take over the object of a living sender without a word (wire §6): then what that sender counted
//! says nothing any more.

use crate::error::Error;
use crate::intake::Intake;
use crate::intake::block::Block;

impl<B: Block> Intake<B> {
    /// Whether something else lies there than the newest frame, which is in `self.frame`: compared under the lock, so
    /// that no write is under way (wire §6).
    #[cold]
    pub(super) fn is_robbed(&mut self) -> Result<bool, Error> {
        if !self.segment.acquire()? {
            return Ok(false);
        }
        let comparable = self.taken.is_some_and(|t| t.current && t.opening == self.segment.openings());
        let robbed = comparable && self.has_newest() && self.differs();
        self.segment.release();
        if robbed {
            self.segment.was_robbed();
        }
        Ok(robbed)
    }
}
