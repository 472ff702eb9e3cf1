//! Where the frames of a stream go out.
//!
//! zenoh has a queue for each priority of a link. One large image fills its own for as long as it takes, and what cannot get in
//! meanwhile is dropped: so small images have another one, ahead of the large ones, and channels one ahead of both. Two frames of
//! one stream that go by different ways may overtake each other, so a stream whose images shrink stays behind for a while.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tdshm::BlockKind;
use zenoh::bytes::ZBytes;
use zenoh::pubsub::Publisher;
use zenoh::qos::{CongestionControl, Priority};
use zenoh::{Session, Wait};

use crate::encoding::{Form, Stamp};

/// Bytes of an image that goes ahead of larger ones.
const SMALL: usize = 64 * 1024;
/// How long a large image may be on its way into the line: those behind it stay there.
const SETTLED: Duration = Duration::from_secs(1);

/// The ways of one stream.
pub(super) struct Outlet {
    kind: BlockKind,
    /// Of channels, and of small images.
    first: Publisher<'static>,
    /// Of large ones.
    large: Option<Publisher<'static>>,
    way: Way,
}

impl Outlet {
    /// Declares those for that kind of frames. `told` hears whether anybody listens, now and whenever that changes.
    pub(super) fn declare(
        session: &Session,
        key: &str,
        kind: BlockKind,
        told: impl Fn(bool) + Send + Sync + 'static,
    ) -> zenoh::Result<Self> {
        let declare = |priority| {
            let publisher = session.declare_publisher(key.to_owned());
            publisher.congestion_control(CongestionControl::Drop).priority(priority).express(true).wait()
        };
        let (first, large) = if kind == BlockKind::Top {
            (declare(Priority::DataHigh)?, Some(declare(Priority::Data)?))
        } else {
            (declare(Priority::InteractiveHigh)?, None)
        };
        let told = Arc::new(told);
        let now = Arc::clone(&told);
        let listener = first.matching_listener().callback(move |status| told(status.matching()));
        listener.background().wait()?;
        now(first.matching_status().wait().is_ok_and(|status| status.matching()));
        Ok(Self { kind, first, large, way: Way::default() })
    }

    /// The kind of frames that they are for.
    pub(super) fn kind(&self) -> BlockKind {
        self.kind
    }

    /// Hands a frame over. Whether it arrives nobody says.
    pub(super) fn put(&mut self, payload: ZBytes, form: Form, stamp: &Stamp) -> zenoh::Result<()> {
        let is_large = payload.len() > SMALL;
        let publisher = self.publisher(is_large);
        let put = publisher.put(payload).encoding(form.encoding());
        let done = put.attachment(stamp.to_bytes().as_slice()).wait();
        if is_large {
            // It may have waited for its turn until now.
            self.way.large_went(Instant::now());
        }
        done
    }

    /// Says that no more frames come, behind the last of them.
    pub(super) fn delete(&self, stamp: &Stamp) -> zenoh::Result<()> {
        self.publisher(false).delete().attachment(stamp.to_bytes().as_slice()).wait()
    }

    fn publisher(&self, is_large: bool) -> &Publisher<'static> {
        let behind = is_large || self.way.is_behind(Instant::now());
        self.large.as_ref().filter(|_| behind).unwrap_or(&self.first)
    }
}

/// Which way was taken last.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    large: Option<Instant>,
}

impl Way {
    fn large_went(&mut self, now: Instant) {
        self.large = Some(now);
    }

    /// Whether a small image has to stay behind a large one.
    fn is_behind(self, now: Instant) -> bool {
        self.large.is_some_and(|large| now.saturating_duration_since(large) < SETTLED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_images_stay_behind_a_large_one_of_their_own_stream() {
        let begin = Instant::now();
        let mut way = Way::default();
        assert!(!way.is_behind(begin));
        way.large_went(begin);
        assert!(way.is_behind(begin) && way.is_behind(begin + SETTLED / 2));
        assert!(!way.is_behind(begin + SETTLED));
        // One that crosses the limit again and again goes one way.
        way.large_went(begin + SETTLED / 2);
        assert!(way.is_behind(begin + SETTLED));
    }
}
