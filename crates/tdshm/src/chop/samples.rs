//! What can be sent as a frame: anything that is rows of samples.

use crate::chop::frame::ChopFrame;

/// Rows of samples, one a channel: what [`ChopSender::send`](crate::ChopSender::send) takes.
///
/// Slices, arrays and `Vec`s of anything that is a slice of `f32`, and [`ChopFrame`]. Rows have one length; no rows are
/// an empty frame. Nobody else implements it.
pub trait Samples: sealed::Rows {}

impl<T: sealed::Rows + ?Sized> Samples for T {}

mod sealed {
    use super::ChopFrame;

    /// What a sender needs of rows.
    pub trait Rows {
        fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]>;

        /// A frame brings its own names and rate.
        fn whole(&self) -> Option<&ChopFrame> {
            None
        }
    }

    impl<R: AsRef<[f32]>> Rows for [R] {
        #[inline]
        fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
            self.iter().map(AsRef::as_ref)
        }
    }

    impl<R: AsRef<[f32]>, const N: usize> Rows for [R; N] {
        #[inline]
        fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
            self.iter().map(AsRef::as_ref)
        }
    }

    impl<R: AsRef<[f32]>> Rows for Vec<R> {
        #[inline]
        fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
            self.iter().map(AsRef::as_ref)
        }
    }

    impl Rows for ChopFrame {
        fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
            self.channels().map(|(_, samples)| samples)
        }

        fn whole(&self) -> Option<&ChopFrame> {
            Some(self)
        }
    }
}
