//! Global memory: one segment for all operators of a process (operators §2).

/// What the operators of a network put into Global memory, and what they see of it.
#[derive(Debug, Default)]
pub(crate) struct GlobalMemory {}

impl GlobalMemory {
    /// A frame begins: what others sent is looked at once in it.
    pub(crate) fn begin_frame(&mut self) {}

    /// A frame is over: what was put in goes out.
    pub(crate) fn end_frame(&mut self, _frame: u64) {}
}
