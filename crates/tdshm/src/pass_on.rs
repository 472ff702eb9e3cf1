//! What everybody who sends or receives through a segment passes on to it, said once.

/// The settings and states that each receiver has.
macro_rules! receiver_passes_on {
    () => {
        /// The short name.
        #[must_use]
        pub fn name(&self) -> &$crate::name::ShortName {
            self.intake.segment.name()
        }

        /// Changes how long is waited for a lock from now on.
        pub fn set_lock_limit(&mut self, limit: ::std::time::Duration) {
            self.intake.segment.set_lock_limit(limit);
        }

        /// What has happened to the segment so far.
        #[must_use]
        pub fn stats(&self) -> $crate::segment::stats::SegmentStats {
            self.intake.segment.stats()
        }

        /// Whether there was a sender at the last look.
        #[must_use]
        pub fn attached(&self) -> $crate::segment::receiver::Attached {
            self.intake.segment.attached()
        }

        /// Whether it only observes, as far as is known at the last look: see
        /// [`SegmentReceiver::is_observer`](crate::SegmentReceiver::is_observer).
        #[must_use]
        pub fn is_observer(&self) -> bool {
            self.intake.segment.is_observer()
        }

        /// The state that TouchDesigner's own class would report after the last look.
        #[must_use]
        pub fn state(&self) -> $crate::error::ErrorState {
            self.intake.segment.state()
        }

        /// How long [`next_timeout`](Self::next_timeout) looks without a pause before it sleeps: none at first. What it
        /// gains is the time that waking up takes, tens of microseconds; what it costs is a processor.
        pub fn set_spin(&mut self, spin: ::std::time::Duration) {
            self.intake.spin = spin;
        }
    };
}
pub(crate) use receiver_passes_on;

/// The settings and states that each sender has, and how it leaves.
macro_rules! sender_passes_on {
    () => {
        /// The short name.
        #[must_use]
        pub fn name(&self) -> &$crate::name::ShortName {
            self.segment.name()
        }

        /// Changes how long is waited for a lock from now on.
        pub fn set_lock_limit(&mut self, limit: ::std::time::Duration) {
            self.segment.set_lock_limit(limit);
        }

        /// What has happened to the segment so far.
        #[must_use]
        pub fn stats(&self) -> $crate::segment::stats::SegmentStats {
            self.segment.stats()
        }

        /// Frames sent so far.
        #[must_use]
        pub fn frames(&self) -> u64 {
            self.frames
        }

        /// Leaves: tells the receivers and frees the name.
        ///
        /// # Errors
        ///
        /// As [`SegmentSender::detach`](crate::SegmentSender::detach).
        pub fn detach(self) -> Result<(), $crate::error::Error> {
            self.segment.detach()
        }
    };
}
pub(crate) use sender_passes_on;

/// The settings of a segment that each builder of a sender of blocks has.
macro_rules! sender_builder_passes_on {
    () => {
        /// Unix permission bits of the segment, `0o600` by default: see
        /// [`SegmentSenderBuilder::mode`](crate::SegmentSenderBuilder::mode).
        pub fn mode(mut self, mode: u32) -> Self {
            self.segment = self.segment.mode(mode);
            self
        }

        /// Takes the name also from a foreign sender: see
        /// [`SegmentSenderBuilder::take_over`](crate::SegmentSenderBuilder::take_over).
        pub fn take_over(mut self, take_over: bool) -> Self {
            self.segment = self.segment.take_over(take_over);
            self
        }

        /// Up to how many bytes a segment that grows gets twice the room it needs: see
        /// [`SegmentSenderBuilder::room_ceiling`](crate::SegmentSenderBuilder::room_ceiling).
        pub fn room_ceiling(mut self, bytes: usize) -> Self {
            self.segment = self.segment.room_ceiling(bytes);
            self
        }

        /// How long to wait for a lock, 5 seconds by default. Whoever holds it longer costs frames: `send` gives up, and
        /// says so.
        pub fn lock_limit(mut self, limit: ::std::time::Duration) -> Self {
            self.segment = self.segment.lock_limit(limit);
            self
        }
    };
}
pub(crate) use sender_builder_passes_on;
