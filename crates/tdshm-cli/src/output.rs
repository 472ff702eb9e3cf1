//! How frames are shown.

pub(crate) mod bars;
pub(crate) mod csv;
pub(crate) mod json;
pub(crate) mod screen;
pub(crate) mod table;
mod text;

use std::io;

use tdshm::ChopFrame;

pub(crate) use text::{fit, number, printable, shape, short, wrapped};

/// A frame and its place among those that arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'f> {
    /// Counted from 1.
    pub(crate) count: u64,
    pub(crate) frame: &'f ChopFrame,
}

/// A way to show frames on standard output.
pub(crate) trait View {
    /// Shows a frame that has just arrived.
    fn show(&mut self, arrival: Arrival<'_>) -> io::Result<()>;

    /// Time has passed: whoever shows less than every frame may catch up with the last one.
    fn idle(&mut self, _last: Arrival<'_>) -> io::Result<()> {
        Ok(())
    }

    /// Something else is about to be printed, or the end has come: catch up with the last one.
    fn settle(&mut self, _last: Option<Arrival<'_>>) -> io::Result<()> {
        Ok(())
    }
}
