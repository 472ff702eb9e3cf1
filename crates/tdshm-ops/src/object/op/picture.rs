//! The pixels of a TOP (operators §10.6).

use std::sync::Arc;

use super::Op;
use crate::error::OpError;
use crate::image::Image;

impl Op {
    /// One pixel of a TOP as red, green, blue and alpha: `x` from 0 at the left, `y` from 0 at the bottom. `None` where it
    /// has no image. It is asked to cook first.
    ///
    /// # Errors
    ///
    /// [`OpError::OutOfRange`] beyond the image; [`OpError::Destroyed`].
    ///
    /// # Source
    ///
    /// operators §10.6: `TOP.sample(x=…, y=…)`, documented.
    pub fn sample(&self, x: usize, y: usize) -> Result<Option<[f32; 4]>, OpError> {
        let Some(image) = self.image()? else { return Ok(None) };
        for (what, value, limit) in
            [("the column of a pixel", x, image.width()), ("the row of a pixel", y, image.height())]
        {
            if value >= limit {
                let expected = "within the image, counted from 0 at the bottom left";
                return Err(OpError::OutOfRange { what, value: value.to_string(), expected });
            }
        }
        Ok(Some(image.sample(x, y)))
    }

    /// The pixel at a place in the image: `u` from 0 at the left edge to 1 at the right one, `v` from the bottom to the top.
    /// Beyond an edge it is the pixel at that edge. Otherwise as [`sample`](Self::sample).
    ///
    /// # Errors
    ///
    /// [`OpError::OutOfRange`] for what is no number; [`OpError::Destroyed`].
    ///
    /// # Source
    ///
    /// operators §10.6: `TOP.sample(u=…, v=…)`. That it is the nearest pixel is ours.
    pub fn sample_uv(&self, u: f64, v: f64) -> Result<Option<[f32; 4]>, OpError> {
        if u.is_nan() || v.is_nan() {
            return Err(OpError::OutOfRange {
                what: "the place of a pixel",
                value: "nan".into(),
                expected: "from 0 to 1",
            });
        }
        Ok(self.image()?.map(|image| image.sample(nearest(u, image.width()), nearest(v, image.height()))))
    }

    /// The pixels as they were at the last call of this, and a note to keep those of now for the next one: an image one call
    /// late; `None` at the first. The TOP is asked to cook.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    ///
    /// # Source
    ///
    /// operators §10.6: `TOP.numpyArray(delayed=True)`, which in TD saves a wait for the GPU.
    pub fn delayed_image(&self) -> Result<Option<Arc<Image>>, OpError> {
        let now = self.image()?;
        self.change(|node| std::mem::replace(&mut node.notes.delayed, now))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and so do pixels at the edges"
)]
#[expect(clippy::cast_precision_loss, reason = "at most 32768 pixels")]
fn nearest(place: f64, pixels: usize) -> usize {
    (place * pixels as f64).floor() as usize
}
