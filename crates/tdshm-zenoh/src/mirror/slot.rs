//! Where zenoh's callback leaves the newest frame, and the thread of the stream finds it.

use std::borrow::Cow;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zenoh::bytes::ZBytes;
use zenoh::sample::{Sample, SampleKind};

use crate::encoding::{DecodeError, End, Form, MOST_BYTES, Stamp};
use crate::mirror::budget::{Budget, For, Held};
use crate::now_ns;

/// Numbers that a stream may be ahead of the last frame that came: a year and more at a hundred frames a second.
const MOST_AHEAD: u64 = 1 << 32;

/// A frame as it came.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) stamp: Stamp,
    pub(super) form: Form,
    pub(super) payload: ZBytes,
    /// It was asked for: how long it took says nothing.
    pub(super) asked: bool,
    /// What the payload takes of all streams' memory.
    _memory: Held,
}

/// What happened since the last time.
#[derive(Debug, Default)]
pub(super) struct News {
    /// The newest frame that is whole.
    pub(super) whole: Option<Arrived>,
    /// The newest one that says what changed since a whole one.
    pub(super) changed: Option<Arrived>,
    /// The stream's token went.
    pub(super) gone: bool,
    /// It came, after that if both happened.
    pub(super) came: bool,
    /// Why there are no more frames, and when that was said there.
    pub(super) end: Option<(End, u64)>,
    /// Somebody has to look: the program ends, or an answer came.
    pub(super) wake: bool,
    /// The last error.
    pub(super) error: Option<DecodeError>,
}

impl News {
    fn is_something(&self) -> bool {
        self.whole.is_some() || self.changed.is_some() || self.is_beside_frames()
    }

    fn is_beside_frames(&self) -> bool {
        self.gone || self.came || self.end.is_some() || self.wake || self.error.is_some()
    }

    fn is_more_than_a_frame(&self) -> bool {
        (self.whole.is_some() && self.changed.is_some()) || self.is_beside_frames()
    }
}

/// Frames that did not become frames here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    /// Numbers that never came.
    pub(super) lost: u64,
    /// A newer one came before this side was done with the last.
    pub(super) dropped: u64,
    /// Messages that are no frames.
    pub(super) broken: u64,
}

#[derive(Debug, Default)]
struct State {
    news: News,
    losses: Losses,
    /// The newest frame that was published: stream, number, time.
    seen: Option<(u64, u64, u64)>,
    /// Frames of that stream that never came.
    lost: u64,
    /// The number that a stream had come to a while ago: what has not come of it never will.
    settled: Option<(u64, u64)>,
    /// The newest of all, those that were asked for included.
    newest: Option<(u64, u64, u64)>,
    /// Since when nobody offers the stream.
    away: Option<Instant>,
    /// Frames that came meanwhile: of whoever offers it next. Messages may overtake the token, and each other.
    early: (Option<Arrived>, Option<Arrived>),
    /// What was handed over until then in that stream comes after its own end: it is nobody's frame any more.
    over: Option<(u64, u64)>,
}

/// One stream's place.
#[derive(Debug, Default)]
pub(super) struct Slot {
    state: Mutex<State>,
    changed: Condvar,
    budget: Arc<Budget>,
}

impl Slot {
    /// One for messages that share a memory with others.
    pub(super) fn new(budget: &Arc<Budget>) -> Self {
        Self { budget: Arc::clone(budget), ..Self::default() }
    }

    /// The memory of all streams.
    pub(super) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something has happened, at most so long.
    pub(super) fn wait(&self, time: Duration) {
        let nothing = |state: &mut State| !state.news.is_something();
        let waited = self.changed.wait_timeout_while(self.state(), time, nothing);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// What has happened since the last time.
    pub(super) fn take(&self) -> News {
        std::mem::take(&mut self.state().news)
    }

    /// Takes a frame of channels of that many bytes at most, where nothing else has happened.
    pub(super) fn take_channels(&self, most: usize) -> Option<Arrived> {
        let news = &mut self.state().news;
        if news.is_more_than_a_frame() {
            return None;
        }
        let place = if news.whole.is_some() { &mut news.whole } else { &mut news.changed };
        let channels = |arrived: &mut Arrived| {
            matches!(arrived.form, Form::Channels | Form::Changed) && arrived.payload.len() <= most
        };
        place.take_if(channels)
    }

    /// Puts back what could not be shown, unless a newer frame or the end of them has come.
    pub(super) fn give_back(&self, arrived: Arrived) {
        let news = &mut self.state().news;
        if news.gone || news.end.is_some() {
            return;
        }
        let place = if arrived.form == Form::Changed { &mut news.changed } else { &mut news.whole };
        place.get_or_insert(arrived);
    }

    /// Wakes the thread of the stream.
    pub(super) fn notify(&self) {
        self.changed.notify_one();
    }

    /// What never came, even where nothing came behind it, included.
    pub(super) fn losses(&self) -> Losses {
        let state = self.state();
        Losses { lost: state.losses.lost.saturating_add(state.behind()), ..state.losses }
    }

    /// That stream had come to that number a while ago. Gives how many of its frames never came.
    pub(super) fn settle(&self, stream: u64, number: u64, now: u64) -> u64 {
        let mut state = self.state();
        if state.seen.is_none_or(|(of, ..)| of != stream) {
            // What it sent before is nobody's loss here.
            state.see(stream, number, now);
        }
        state.settled = Some((stream, number));
        state.lost.saturating_add(state.behind())
    }

    /// The number of the newest frame of that stream.
    pub(super) fn newest(&self, stream: u64) -> Option<u64> {
        self.state().newest.filter(|(of, ..)| *of == stream).map(|(_, number, _)| number)
    }

    /// The newest frame may come once more: nobody could take it.
    pub(super) fn forget(&self) {
        let mut state = self.state();
        (state.newest, state.over) = (None, None);
    }

    /// How long nobody has offered the stream; `None`: somebody does.
    pub(super) fn away(&self) -> Option<Duration> {
        self.state().away.map(|since| since.elapsed())
    }

    pub(super) fn wake(&self) {
        self.state().news.wake = true;
        self.changed.notify_one();
    }

    pub(super) fn set_alive(&self, alive: bool) {
        self.state().set_alive(alive);
        self.changed.notify_one();
    }

    /// Takes what came, published or `asked` for. Whoever calls wakes the thread, or does what that would.
    pub(super) fn put(&self, sample: &Sample, asked: bool) {
        let read = read(sample, asked, &self.budget);
        let mut state = self.state();
        match read.and_then(|arrived| state.check(arrived)) {
            Ok(Some(arrived)) => state.take(arrived),
            Ok(None) => {
                let stamp = sample.attachment().and_then(|bytes| Stamp::of(&bytes.to_bytes()).ok());
                state.end(stamp.unwrap_or(Stamp { end: End::Left, shared: u64::MAX, ..Stamp::default() }));
            }
            Err(error) => {
                state.losses.broken = state.losses.broken.saturating_add(1);
                state.news.error = Some(error);
            }
        }
    }
}

/// A frame, or `None` for the end of them.
fn read(sample: &Sample, asked: bool, budget: &Arc<Budget>) -> Result<Option<Arrived>, DecodeError> {
    if sample.kind() == SampleKind::Delete {
        return Ok(None);
    }
    let stamp = match sample.attachment() {
        Some(bytes) => Stamp::of(&bytes.to_bytes())?,
        // A program that counts nothing.
        None => Stamp::default(),
    };
    let payload = sample.payload();
    if payload.len() > MOST_BYTES {
        return Err(DecodeError::TooLarge { bytes: payload.len(), limit: MOST_BYTES });
    }
    let encoding: Cow<'static, str> = sample.encoding().into();
    let form = match Form::of(&encoding, &[]) {
        Ok(form) => form,
        Err(_) => Form::of(&encoding, &payload.to_bytes())?,
    };
    let _memory = budget.take(payload.len(), For::AMoment)?;
    Ok(Some(Arrived { stamp, form, payload: payload.clone(), asked, _memory }))
}

impl State {
    /// The token came, or went.
    fn set_alive(&mut self, alive: bool) {
        self.news.came = alive;
        if alive {
            (self.away, self.over) = (None, None);
            for arrived in [self.early.0.take(), self.early.1.take()].into_iter().flatten() {
                lay(&mut self.news.whole, &mut self.news.changed, arrived);
            }
            return;
        }
        // Whoever has a number for its run gives the last frame when it is back: the answer to a question that was asked before
        // is not a sign of life.
        let stream = self.newest.map(|(stream, ..)| stream).or(self.over.map(|(stream, _)| stream));
        self.over = stream.map(|stream| (stream, u64::MAX));
        self.part();
        self.news.gone = true;
        self.away.get_or_insert_with(Instant::now);
    }

    /// There are no more frames, and what waits is over. Whoever comes back may begin with the last one.
    fn part(&mut self) {
        (self.news.whole, self.news.changed, self.newest) = (None, None, None);
        self.early = (None, None);
    }

    /// The same, said by whoever shares, unless a newer frame has come since.
    fn end(&mut self, stamp: Stamp) {
        if self.newest.is_none_or(|(.., shared)| shared <= stamp.shared) {
            self.part();
            self.news.end = Some((stamp.end, stamp.shared));
            let known = self.over.filter(|(of, _)| *of == stamp.stream).map_or(0, |(_, until)| until);
            // Who counts nothing may go on as it likes.
            if stamp.number != 0 {
                self.over = Some((stamp.stream, stamp.shared.max(known)));
            }
        }
    }

    /// Refuses a number that no stream comes to between two frames: all that follow would count as old.
    fn check(&self, arrived: Option<Arrived>) -> Result<Option<Arrived>, DecodeError> {
        let of_this = |arrived: &Arrived| self.newest.filter(|(of, ..)| *of == arrived.stamp.stream);
        if let Some((_, before, _)) = arrived.as_ref().and_then(of_this) {
            let (value, limit) =
                (arrived.as_ref().map_or(0, |a| a.stamp.number), before.saturating_add(MOST_AHEAD));
            if value > limit {
                return Err(DecodeError::Stamp { field: "the number", value, rule: "at most", limit });
            }
        }
        Ok(arrived)
    }

    /// A frame of that number has come: those between it and the one before have not.
    fn see(&mut self, stream: u64, number: u64, shared: u64) {
        if let Some((_, before, _)) = self.seen.filter(|(of, ..)| *of == stream) {
            let gap = number.saturating_sub(before).saturating_sub(1);
            self.losses.lost = self.losses.lost.saturating_add(gap);
            self.lost = self.lost.saturating_add(gap);
        }
        let before = self.seen.map(|(of, ..)| of);
        self.seen = later(self.seen, (stream, number, shared));
        if self.seen.map(|(of, ..)| of) != before {
            self.lost = 0;
        }
    }

    /// Frames that should have come by now, with none behind them to tell.
    fn behind(&self) -> u64 {
        let of_this = self.settled.zip(self.seen).filter(|(settled, seen)| settled.0 == seen.0);
        of_this.map_or(0, |(settled, seen)| settled.1.saturating_sub(seen.1))
    }

    fn take(&mut self, arrived: Arrived) {
        let Stamp { stream, number, shared, .. } = arrived.stamp;
        if number != 0 {
            let shared = if shared == 0 { now_ns() } else { shared };
            // An answer comes when nothing else does: what went out before it is lost as well.
            self.see(stream, number, shared);
            if self.over.is_some_and(|(of, until)| of == stream && shared <= until) {
                return;
            }
            let newest = later(self.newest, (stream, number, shared));
            if newest == self.newest {
                // It comes too late, or twice.
                return;
            }
            self.newest = newest;
        }
        let dropped = match self.away {
            None => lay(&mut self.news.whole, &mut self.news.changed, arrived),
            Some(_) => lay(&mut self.early.0, &mut self.early.1, arrived),
        };
        self.losses.dropped = self.losses.dropped.saturating_add(dropped);
    }
}

/// Lays a frame where the newest ones lie; how many published ones it takes the place of.
fn lay(whole: &mut Option<Arrived>, changed: &mut Option<Arrived>, arrived: Arrived) -> u64 {
    let before = if arrived.form == Form::Changed {
        [changed.replace(arrived), None]
    } else {
        [whole.replace(arrived), changed.take()]
    };
    let dropped = before.iter().flatten().filter(|arrived| !arrived.asked).count();
    u64::try_from(dropped).unwrap_or(u64::MAX)
}

/// Which of two frames is the newer one: by their numbers where they are of one stream, by their times otherwise.
fn later(known: Option<(u64, u64, u64)>, new: (u64, u64, u64)) -> Option<(u64, u64, u64)> {
    match known {
        Some(known) if known.0 == new.0 && new.1 <= known.1 => Some(known),
        Some(known) if known.0 != new.0 && new.2 <= known.2 => Some(known),
        _ => Some(new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(number: u64, base: u64, asked: bool) -> Arrived {
        let stamp = Stamp { stream: 1, number, base, shared: number, ..Stamp::default() };
        let form = if base == 0 { Form::Channels } else { Form::Changed };
        Arrived { stamp, form, payload: ZBytes::new(), asked, _memory: Arc::new(Budget::default()).nothing() }
    }

    fn numbers(state: &mut State) -> (Option<u64>, Option<u64>) {
        let news = std::mem::take(&mut state.news);
        let number = |arrived: Option<Arrived>| arrived.map(|arrived| arrived.stamp.number);
        (number(news.whole), number(news.changed))
    }

    #[test]
    fn a_number_from_nowhere_is_refused_and_the_next_frame_taken() {
        let mut state = State::default();
        state.take(arrived(5, 0, false));
        let error = state.check(Some(arrived(5 + MOST_AHEAD + 1, 0, false))).unwrap_err();
        assert!(error.to_string().contains("the number of the attachment is"), "{error}");
        for number in [6, 5 + MOST_AHEAD] {
            assert!(state.check(Some(arrived(number, 0, false))).unwrap().is_some());
        }
        assert!(state.check(None).unwrap().is_none());
    }

    #[test]
    fn a_small_frame_that_is_alone_can_be_taken_at_once() {
        let slot = Slot::default();
        let take = |slot: &Slot| slot.take_channels(10).map(|arrived| arrived.stamp.number);
        assert_eq!(take(&slot), None);
        slot.state().take(arrived(1, 0, false));
        slot.state().take(arrived(2, 1, false));
        assert_eq!(take(&slot), None, "two frames, the second of which needs the first");
        drop(slot.take());
        slot.state().take(arrived(3, 1, false));
        assert_eq!(take(&slot), Some(3));
        slot.state().take(Arrived { payload: vec![0; 11].into(), ..arrived(4, 0, false) });
        assert_eq!(take(&slot), None, "a large one");
        slot.state().take(Arrived { form: Form::Image, ..arrived(5, 0, false) });
        assert_eq!(take(&slot), None, "an image");
        slot.state().take(arrived(6, 0, false));
        slot.wake();
        assert_eq!(take(&slot), None, "somebody has to look");
        assert_eq!(slot.take().whole.map(|arrived| arrived.stamp.number), Some(6));

        // What could not be shown waits for the thread, unless something newer has come.
        slot.give_back(arrived(7, 0, false));
        slot.give_back(arrived(6, 0, false));
        assert_eq!(take(&slot), Some(7));
        slot.state().end(Stamp { end: End::Left, shared: u64::MAX, ..Stamp::default() });
        slot.give_back(arrived(7, 0, false));
        let news = slot.take();
        assert!(news.whole.is_none() && news.end == Some((End::Left, u64::MAX)), "the last word stays");
    }

    #[test]
    fn the_newest_frame_wins_and_the_others_are_counted() {
        let mut state = State::default();
        state.take(arrived(5, 0, false));
        assert_eq!(numbers(&mut state), (Some(5), None));
        assert_eq!(state.losses, Losses::default(), "what came before this side listened is no loss");
        state.take(arrived(6, 5, false));
        state.take(arrived(8, 5, false));
        assert_eq!(state.losses, Losses { lost: 1, dropped: 1, broken: 0 });
        assert_eq!(numbers(&mut state), (None, Some(8)));
        // A whole frame stays beside what changed since, which needs it.
        state.take(arrived(9, 0, false));
        state.take(arrived(10, 9, false));
        assert_eq!(numbers(&mut state), (Some(9), Some(10)));
        state.take(arrived(11, 9, false));
        state.take(arrived(12, 0, false));
        assert_eq!(numbers(&mut state), (Some(12), None));
        assert_eq!(state.losses, Losses { lost: 1, dropped: 2, broken: 0 });
    }

    #[test]
    fn frames_of_which_none_came_are_lost() {
        let slot = Slot::default();
        let lost = || slot.losses().lost;
        assert_eq!((slot.settle(1, 7, 1), lost()), (0, 0), "what went out before is no loss");
        assert_eq!((slot.settle(1, 9, 2), lost()), (2, 2));
        // Late, and asked for: it came.
        slot.state().take(arrived(9, 0, true));
        assert_eq!((slot.settle(1, 9, 3), lost()), (1, 1), "8");
        slot.state().take(arrived(12, 0, false));
        assert_eq!((slot.settle(1, 12, 4), lost()), (3, 3), "10 and 11");
        // Another run of the program that shares knows nothing of those.
        assert_eq!((slot.settle(2, 5, 100), lost()), (0, 3));
        assert_eq!((slot.settle(2, 6, 101), lost()), (1, 4));
    }

    #[test]
    fn what_comes_late_or_twice_is_left_alone() {
        let mut state = State::default();
        state.take(arrived(7, 0, true));
        assert_eq!(numbers(&mut state), (Some(7), None));
        for late in [arrived(6, 0, false), arrived(7, 0, false), arrived(7, 0, true)] {
            state.take(late);
        }
        assert_eq!(numbers(&mut state), (None, None));
        state.take(arrived(8, 0, false));
        assert_eq!((numbers(&mut state), state.losses), ((Some(8), None), Losses::default()));
        // The program that shares was started again, and counts anew.
        let mut again = arrived(1, 0, false);
        (again.stamp.stream, again.stamp.shared) = (2, 9);
        state.take(again);
        assert_eq!((numbers(&mut state), state.losses), ((Some(1), None), Losses::default()));
        state.take(arrived(9, 0, false));
        assert_eq!(numbers(&mut state), (None, None), "the old one is over, by its time");
        // The same frame may come once more after the sender has been away.
        state.part();
        let mut again = arrived(1, 0, true);
        (again.stamp.stream, again.stamp.shared) = (2, 9);
        state.take(again);
        assert_eq!(numbers(&mut state), (Some(1), None));
        // That a sender left is older than its heir's first frame.
        state.end(Stamp { shared: 8, end: End::Left, ..Stamp::default() });
        assert_eq!(state.news.end, None);
        state.end(Stamp { shared: 9, end: End::Died, ..Stamp::default() });
        assert_eq!(state.news.end.take(), Some((End::Died, 9)));
        // Who counts nothing is believed.
        let mut bare = arrived(0, 0, false);
        bare.stamp = Stamp::default();
        state.take(bare);
        assert_eq!(numbers(&mut state), (Some(0), None));
    }

    #[test]
    fn answers_that_come_after_the_end_are_nobodys_frames() {
        let mut state = State::default();
        state.take(arrived(5, 0, false));
        assert_eq!(numbers(&mut state), (Some(5), None));
        // It ends, and the answer to an old question comes behind.
        state.end(Stamp { stream: 1, number: 5, shared: 6, end: End::Unshared, ..Stamp::default() });
        state.take(arrived(5, 0, true));
        assert!(state.news.end.is_some());
        assert_eq!(numbers(&mut state), (None, None));
        // The same where nobody said why, however late it is.
        state.set_alive(false);
        for late in [arrived(5, 0, true), arrived(9, 0, false)] {
            state.take(late);
        }
        assert_eq!(numbers(&mut state), (None, None));
        // It is back, and has the same frame as before.
        state.set_alive(true);
        state.take(arrived(5, 0, true));
        assert_eq!(numbers(&mut state), (Some(5), None));
        assert_eq!(state.losses, Losses { lost: 3, ..Losses::default() }, "6 to 8");
    }

    #[test]
    fn frames_may_overtake_the_token_of_whoever_sends_them() {
        let mut state = State::default();
        state.take(arrived(5, 0, false));
        state.set_alive(false);
        assert!(state.away.is_some());
        let _ = numbers(&mut state);
        // Another run of the program that shares; and one that counts nothing.
        let mut heirs = arrived(1, 0, false);
        (heirs.stamp.stream, heirs.stamp.shared) = (2, 6);
        state.take(heirs);
        assert_eq!(numbers(&mut state), (None, None), "nobody offers it yet");
        state.set_alive(true);
        assert!(state.away.is_none());
        assert_eq!(numbers(&mut state), (Some(1), None));
        state.set_alive(false);
        state.take(Arrived { stamp: Stamp::default(), ..arrived(0, 0, false) });
        state.set_alive(false);
        state.set_alive(true);
        assert_eq!(numbers(&mut state), (None, None), "it went again with its token");
        state.set_alive(false);
        state.take(Arrived { stamp: Stamp::default(), ..arrived(0, 0, false) });
        state.set_alive(true);
        assert_eq!(numbers(&mut state), (Some(0), None));
    }
}
