//! The timeline: frames, seconds, and the absolute clock that never goes back (operators §0, §3.1, §4).

/// The timeline of a network, and the absolute clock beside it.
///
/// The timeline counts frames from 1 and may loop or jump; the absolute frame counts every frame that passed since the
/// network began, played or not. Seconds on the timeline are `(frame - 1) / rate`.
///
/// # Source
///
/// operators §0 and §3.1: documented. That a new network stands before its first absolute frame is ours.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Time {
    /// Frames a second, 60 unless changed.
    pub rate: f64,
    /// The timeline's frame, from [`start`](Self::start) to [`end`](Self::end).
    pub frame: f64,
    /// Frames that passed since the network began. 0 before the first.
    pub abs_frame: u64,
    /// Whether the timeline goes on with the frames.
    pub play: bool,
    /// The timeline's first frame.
    pub start: f64,
    /// Its last frame, after which it begins again.
    pub end: f64,
    /// The absolute frame that was cooked before this one; `None` at the first.
    pub previous: Option<u64>,
}

impl Default for Time {
    fn default() -> Self {
        Self { rate: 60.0, frame: 1.0, abs_frame: 0, play: true, start: 1.0, end: 600.0, previous: None }
    }
}

impl Time {
    /// Seconds on the timeline.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        (self.frame - 1.0) / self.rate
    }

    /// Seconds on the absolute clock.
    #[must_use]
    pub fn abs_seconds(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "exact for the first four million years")]
        let frame = self.abs_frame as f64;
        frame / self.rate
    }

    /// Lets `frames` frames pass: 1 ordinarily, more where some were dropped.
    pub(crate) fn advance(&mut self, frames: u64) {
        let frames = frames.max(1);
        self.previous = (self.abs_frame > 0).then_some(self.abs_frame);
        let first = self.abs_frame == 0;
        self.abs_frame = self.abs_frame.saturating_add(frames);
        if self.play && !first {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a step of as many frames would take as long as that"
            )]
            let on = self.frame + frames as f64;
            let length = self.end - self.start + 1.0;
            self.frame = if on > self.end && length >= 1.0 {
                self.start + (on - self.start).rem_euclid(length)
            } else {
                on
            };
        }
    }
}
