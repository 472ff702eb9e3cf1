//! How frames are shown.

pub(crate) mod bars;
pub(crate) mod colour;
pub(crate) mod csv;
pub(crate) mod image;
pub(crate) mod json;
pub(crate) mod pipe;
pub(crate) mod progress;
pub(crate) mod screen;
pub(crate) mod table;
mod text;

use std::io;

use tdshm::ChopFrame;

pub(crate) use text::{fit, format_name, image_shape, megabytes, number, printable, shape, short, wrapped};

/// A frame and its place among those that arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'f> {
    /// Counted from 1.
    pub(crate) count: u64,
    pub(crate) frame: &'f ChopFrame,
    /// The positions of the channels that are shown; `None`: all of them.
    pub(crate) scope: Option<&'f [usize]>,
}

impl<'f> Arrival<'f> {
    /// How many channels are shown.
    pub(crate) fn num_channels(self) -> usize {
        self.scope.map_or(self.frame.num_channels(), <[usize]>::len)
    }

    /// The names of the channels that are shown, in their order.
    pub(crate) fn names(self) -> impl ExactSizeIterator<Item = &'f str> {
        self.channels().map(|(name, _)| name)
    }

    /// The channels that are shown, in their order: name and samples.
    pub(crate) fn channels(self) -> impl ExactSizeIterator<Item = (&'f str, &'f [f32])> {
        (0..self.num_channels()).map(move |place| {
            let index =
                self.scope.map_or(Some(place), |scope| scope.get(place).copied()).unwrap_or(usize::MAX);
            let name = self.frame.names().get(index).map_or("", String::as_str);
            (name, self.frame.channel_at(index).unwrap_or_default())
        })
    }
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
