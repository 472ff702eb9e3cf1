//! What one side of a segment has been through, for programs that show it.

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
