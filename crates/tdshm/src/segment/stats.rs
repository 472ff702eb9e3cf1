//! What one side of a segment has been through, for programs that show it.

use crate::notice::Extension;
use crate::segment::link::Link;
use crate::segment::receiver::SegmentReceiver;
use crate::segment::sender::SegmentSender;

/// What has happened to a segment, as one side of it saw: [`ChopReceiver::stats`](crate::ChopReceiver::stats) and its like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentStats {
    /// Bytes of data that are mapped; 0 while nothing is open.
    pub mapped_bytes: usize,
    /// How often the data has moved to another segment, of one and the same sender.
    pub resizes: u64,
    /// How often the data lock was found to have been left by a process that died with it.
    pub abandoned: u64,
    /// The process that sends; `None` while nobody does, and of a foreign sender, which does not say.
    pub sender: Option<u32>,
}

impl SegmentReceiver {
    /// What has happened so far.
    ///
    /// ```
    /// # fn main() -> Result<(), tdshm::Error> {
    /// # let name = format!("docstats{}", std::process::id());
    /// let mut out = tdshm::ChopSender::create(&name)?;
    /// let mut input = tdshm::ChopReceiver::open(&name)?;
    /// out.send(&[[1.0]])?;
    /// input.read()?;
    /// assert_eq!(input.stats().sender, Some(std::process::id()));
    /// out.send(&[vec![1.0; 100_000]])?; // does not fit
    /// input.read()?;
    /// assert_eq!((out.stats().resizes, input.stats().resizes), (1, 1));
    /// input.close();
    /// assert_eq!((input.stats().mapped_bytes, input.stats().sender), (0, None));
    /// assert!(input.read()?.is_some(), "it is opened again");
    /// # drop((out, input));
    /// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> SegmentStats {
        let owner = match &self.link {
            Some(Link { info: Some(info), .. }) if info.extended && info.robbed.is_none() && !self.died => {
                Extension::room(info.object.region()).and_then(Extension::owner)
            }
            _ => None,
        };
        SegmentStats {
            mapped_bytes: self.link.as_ref().map_or(0, |link| link.data.region().len()),
            resizes: self.moves,
            abandoned: self.abandonments,
            sender: owner.map(|owner| owner.pid),
        }
    }
}

impl SegmentSender {
    /// What has happened so far.
    #[must_use]
    pub fn stats(&self) -> SegmentStats {
        SegmentStats {
            mapped_bytes: self.mapped_bytes(),
            resizes: self.moves,
            abandoned: self.abandonments,
            sender: Some(self.pid),
        }
    }
}
