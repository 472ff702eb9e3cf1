//! Images that are made beforehand, so that to send or to check one takes no longer than to copy or to compare its bytes.

use tdshm::{Error, PixelFormat, Pixels, RowOrder, TopFrame, TopSender};

use crate::images::Image;

/// How many different ones there are: more than places, and no multiple of their number.
const CYCLE: u64 = 5;

/// A few images of one size, over and over.
#[derive(Debug)]
pub struct Reel {
    width: usize,
    height: usize,
    images: Vec<Vec<u8>>,
}

impl Reel {
    /// Makes them.
    #[must_use]
    pub fn new(width: usize, height: usize) -> Self {
        let image = |number| Image { number, format: PixelFormat::R8G8B8A8_UNORM, width, height };
        let images = (0..CYCLE as u32).map(|number| image(number).bytes(RowOrder::BottomFirst)).collect();
        Self { width, height, images }
    }

    /// The bytes of the image with that number, counted by its sender from 1.
    fn of(&self, number: u64) -> &[u8] {
        &self.images[(number % CYCLE) as usize]
    }

    /// Sends the next `count`.
    ///
    /// # Errors
    ///
    /// As [`TopSender::send`].
    pub fn send(&self, out: &mut TopSender, count: u64) -> Result<(), Error> {
        for _ in 0..count {
            let bytes = self.of(out.frames() + 1);
            out.send(&Pixels::bottom_first(PixelFormat::R8G8B8A8_UNORM, self.width, self.height, bytes))?;
        }
        Ok(())
    }

    /// That a frame is the image that its number says, every byte of it.
    ///
    /// # Panics
    ///
    /// Where it is not.
    pub fn check(&self, frame: &TopFrame) {
        let number = frame.number().expect("counted");
        let (found, wanted) = (frame.pixels(), self.of(number));
        if found != wanted {
            let at = found.iter().zip(wanted).position(|(found, wanted)| found != wanted);
            panic!("image {number} is torn at {at:?} of {} bytes, {} are there", wanted.len(), found.len());
        }
    }
}
