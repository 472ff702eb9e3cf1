//! Between those who receive and the one who writes: frames in the order of their times, and no more of them than
//! memory was set aside for.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::cmd::record::Taken;

/// Bytes of buffers that are kept for the next frames, or one buffer.
const SPARE_BYTES: usize = 32 << 20;
/// How many of them.
const SPARES: usize = 64;

/// The time since the Unix epoch, which runs on as the processor's clock does, whoever sets the system's meanwhile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    epoch: Duration,
    begin: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { epoch, begin: Instant::now() }
    }

    pub(super) fn now(&self) -> Duration {
        self.epoch.saturating_add(self.begin.elapsed())
    }
}

/// Frames that wait to be written.
#[derive(Debug)]
pub(super) struct Queue {
    clock: Clock,
    /// Bytes that may wait.
    limit: usize,
    state: Mutex<State>,
    /// The first place is filled, or nothing more will come.
    ready: Condvar,
}

#[derive(Debug, Default)]
struct State {
    places: VecDeque<Place>,
    /// How many places have gone: the number of the first one that is here.
    gone: u64,
    /// Bytes that wait, or are being written.
    bytes: usize,
    spares: Vec<Vec<u8>>,
    closed: bool,
}

/// A frame's place among the others, taken when it was received.
#[derive(Debug)]
enum Place {
    /// It is being copied.
    Taken,
    Filled(Taken),
    /// It could not be copied.
    Empty,
}

impl Queue {
    pub(super) fn new(clock: Clock, limit: usize) -> Self {
        Self { clock, limit, state: Mutex::default(), ready: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a frame of so many bytes that was received just now; `None`: too much waits, and it is lost. One alone
    /// always has a place, however large it is.
    pub(super) fn reserve(&self, bytes: usize) -> Option<Ticket<'_>> {
        let mut state = self.state();
        let all = state.bytes.checked_add(bytes).filter(|all| *all <= self.limit || state.bytes == 0)?;
        if state.closed {
            return None;
        }
        state.bytes = all;
        let place = state.gone.saturating_add(u64::try_from(state.places.len()).unwrap_or(u64::MAX));
        state.places.push_back(Place::Taken);
        let received = self.clock.now();
        let buffer = state.spares.pop().unwrap_or_default();
        drop(state);
        Some(Ticket { queue: self, place, received, bytes, buffer, filled: false })
    }

    /// The next frame, waiting up to `limit` for it.
    pub(super) fn next(&self, limit: Duration) -> Next {
        let begin = Instant::now();
        let mut state = self.state();
        loop {
            while let Some(Place::Empty) = state.places.front() {
                state.places.pop_front();
                state.gone = state.gone.saturating_add(1);
            }
            match state.places.pop_front() {
                Some(Place::Filled(taken)) => {
                    state.gone = state.gone.saturating_add(1);
                    return Next::Frame(taken);
                }
                Some(place) => state.places.push_front(place),
                None if state.closed => return Next::End,
                None => {}
            }
            let left = limit.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return Next::Nothing;
            }
            state = self.ready.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A frame has been written: its memory is free.
    pub(super) fn give_back(&self, taken: Taken) {
        let Taken { mut block, bytes, .. } = taken;
        let mut state = self.state();
        state.bytes = state.bytes.saturating_sub(bytes);
        let kept = state.spares.iter().map(Vec::capacity).fold(block.capacity(), usize::saturating_add);
        if state.spares.is_empty() || state.spares.len() < SPARES && kept <= SPARE_BYTES {
            block.clear();
            state.spares.push(block);
        }
    }

    /// Nothing more comes: what waits is still given out.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.ready.notify_all();
    }

    fn settle(&self, number: u64, with: Place, freed: usize) {
        let mut state = self.state();
        state.bytes = state.bytes.saturating_sub(freed);
        let index = usize::try_from(number.saturating_sub(state.gone)).unwrap_or(usize::MAX);
        if let Some(place) = state.places.get_mut(index) {
            *place = with;
        }
        drop(state);
        self.ready.notify_one();
    }
}

/// What there is to write.
#[derive(Debug)]
pub(super) enum Next {
    Frame(Taken),
    /// Nothing, yet.
    Nothing,
    /// Nothing, and nothing will come.
    End,
}

/// A place that waits for its frame. Dropped without one it counts for nothing.
#[derive(Debug)]
pub(super) struct Ticket<'q> {
    queue: &'q Queue,
    place: u64,
    /// When the place was taken, since the Unix epoch.
    pub(super) received: Duration,
    bytes: usize,
    /// Memory for the block.
    pub(super) buffer: Vec<u8>,
    filled: bool,
}

impl Ticket<'_> {
    /// Puts the frame there, with the block in the ticket's buffer.
    pub(super) fn fill(mut self, of: impl FnOnce(Vec<u8>, Duration, usize) -> Taken) {
        self.filled = true;
        let taken = of(std::mem::take(&mut self.buffer), self.received, self.bytes);
        self.queue.settle(self.place, Place::Filled(taken), 0);
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if !self.filled {
            self.queue.settle(self.place, Place::Empty, self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tdshm::ShortName;
    use tdshm_io::file::recording::{Kind, Lost, Stamp};

    const NO_TIME: Duration = Duration::ZERO;

    fn fill(ticket: Ticket<'_>, number: u64) {
        ticket.fill(|block, received, bytes| Taken {
            segment: ShortName::new("a").unwrap(),
            kind: Kind::Channels,
            stamp: Stamp { number: Some(number), ..Stamp::at(received) },
            block,
            bytes,
            lost: Lost::default(),
        });
    }

    fn next(queue: &Queue) -> Option<Taken> {
        match queue.next(NO_TIME) {
            Next::Frame(taken) => Some(taken),
            Next::Nothing | Next::End => None,
        }
    }

    #[test]
    fn frames_come_out_in_the_order_of_their_times_however_long_they_were_copied() {
        let queue = Queue::new(Clock::start(), 100);
        let (first, second, third) = (queue.reserve(1), queue.reserve(1), queue.reserve(1));
        fill(third.unwrap(), 3);
        assert!(next(&queue).is_none(), "the first one is not there");
        fill(first.unwrap(), 1);
        let one = next(&queue).unwrap();
        assert!(next(&queue).is_none());
        drop(second); // it could not be copied
        let three = next(&queue).unwrap();
        assert_eq!((one.stamp.number, three.stamp.number), (Some(1), Some(3)));
        assert!(one.stamp.received <= three.stamp.received);
    }

    #[test]
    fn what_does_not_fit_is_lost_and_one_alone_always_fits() {
        let queue = Queue::new(Clock::start(), 100);
        fill(queue.reserve(1000).unwrap(), 1);
        assert!(queue.reserve(1).is_none());
        let taken = next(&queue).unwrap();
        assert!(queue.reserve(1).is_none(), "it is being written");
        queue.give_back(taken);
        let tickets: Vec<_> = (0..2).map(|_| queue.reserve(50).unwrap()).collect();
        assert!(queue.reserve(1).is_none());
        drop(tickets);
        assert!(queue.reserve(100).is_some());
    }

    #[test]
    fn what_waits_is_given_out_before_the_end() {
        let queue = Queue::new(Clock::start(), 100);
        fill(queue.reserve(1).unwrap(), 1);
        queue.close();
        assert!(queue.reserve(1).is_none());
        assert!(matches!(queue.next(NO_TIME), Next::Frame(_)));
        assert!(matches!(queue.next(NO_TIME), Next::End));
    }
}
