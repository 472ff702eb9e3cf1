//! The last samples of each channel.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Instant;

/// Frames whose marks are kept at most.
const MOST_MARKS: usize = 65_536;

/// The last samples of a number of channels, as many of each. A frame that was missed leaves a gap of `NaN` as long as
/// itself would have been.
///
/// Samples have absolute places, counted from 0 since the history began: [`range`](Self::range) says which are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    channels: usize,
    /// Samples of each channel that there is room for.
    room: usize,
    /// Channel after channel, `room` each; the sample of place `p` stands at `p % room`.
    samples: Vec<f32>,
    /// The place of the next sample.
    end: u64,
    kept: usize,
    marks: VecDeque<Mark>,
}

/// A frame in a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The place of its first sample.
    pub(crate) begin: u64,
    /// Samples of each channel.
    pub(crate) len: usize,
    /// Its number, where its sender counts.
    pub(crate) number: Option<u64>,
    /// Frames that were missed before it.
    pub(crate) missed: u64,
    /// When it was read.
    pub(crate) taken: Instant,
}

impl History {
    /// An empty one, with room for so many samples of each channel.
    pub(crate) fn new(channels: usize, room: usize) -> Self {
        Self { channels, room: room.max(1), ..Self::default() }
    }

    /// Samples of each channel that there is room for.
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// The places of the samples that are kept.
    pub(crate) fn range(&self) -> Range<u64> {
        self.end.saturating_sub(self.kept as u64)..self.end
    }

    /// The frames whose samples are kept, oldest first.
    pub(crate) fn marks(&self) -> impl DoubleEndedIterator<Item = &Mark> {
        let begin = self.range().start;
        self.marks.iter().filter(move |mark| mark.begin.saturating_add(mark.len as u64) > begin)
    }

    /// The frame that the sample of that place was in.
    pub(crate) fn mark_of(&self, place: u64) -> Option<&Mark> {
        let next = self.marks.partition_point(|mark| mark.begin <= place);
        let mark = self.marks.get(next.checked_sub(1)?)?;
        (place < mark.begin.saturating_add(mark.len as u64)).then_some(mark)
    }

    /// A sample; `None` where that is not kept. `NaN` may be one that was sent, or a gap.
    pub(crate) fn get(&self, channel: usize, place: u64) -> Option<f32> {
        if channel >= self.channels || !self.range().contains(&place) {
            return None;
        }
        self.samples.get(self.at(channel, place)).copied()
    }

    /// The samples of a channel in those places, as far as they are kept: one stretch, or two where the ring turns.
    pub(crate) fn stretches(&self, channel: usize, places: Range<u64>) -> [&[f32]; 2] {
        let kept = self.range();
        let (begin, end) = (places.start.max(kept.start), places.end.min(kept.end));
        if channel >= self.channels || begin >= end {
            return [&[], &[]];
        }
        let ring = channel.saturating_mul(self.room);
        let part = |from: usize, to: usize| {
            self.samples.get(ring.saturating_add(from)..ring.saturating_add(to)).unwrap_or_default()
        };
        let (first, last) = (self.turn(begin), self.turn(end.saturating_sub(1)));
        if first <= last {
            [part(first, last.saturating_add(1)), &[]]
        } else {
            [part(first, self.room), part(0, last.saturating_add(1))]
        }
    }

    /// Adds a frame: `len` samples of each channel, channel after channel.
    pub(super) fn push(
        &mut self,
        frame: &[f32],
        len: usize,
        number: Option<u64>,
        missed: u64,
        taken: Instant,
    ) {
        if self.samples.is_empty() && self.channels > 0 {
            self.samples = vec![f32::NAN; self.channels.saturating_mul(self.room)];
        }
        if missed > 0 && self.kept > 0 {
            self.skip(missed.saturating_mul(len as u64));
        }
        let begin = self.end;
        // Of a frame that is longer than the room the last part stays.
        let stays = len.min(self.room);
        let first = begin.saturating_add(len.saturating_sub(stays) as u64);
        for (channel, row) in frame.chunks_exact(len.max(1)).take(self.channels).enumerate() {
            let row = row.get(len.saturating_sub(stays)..).unwrap_or_default();
            let until_turn = self.room.saturating_sub(self.turn(first)).min(stays);
            let (before, after) = row.split_at_checked(until_turn).unwrap_or((row, &[]));
            for (place, part) in [(first, before), (first.saturating_add(until_turn as u64), after)] {
                let at = self.at(channel, place);
                if let Some(to) = self.samples.get_mut(at..at.saturating_add(part.len())) {
                    to.copy_from_slice(part);
                }
            }
        }
        self.end = begin.saturating_add(len as u64);
        self.kept = self.kept.saturating_add(len).min(self.room);
        self.marks.push_back(Mark { begin, len, number, missed, taken });
        let kept = self.range().start;
        while self.marks.len() > MOST_MARKS
            || self.marks.front().is_some_and(|mark| mark.begin.saturating_add(mark.len as u64) <= kept)
        {
            if self.marks.pop_front().is_none() {
                break;
            }
        }
    }

    /// Forgets all samples; the next one goes on behind the last.
    pub(super) fn clear(&mut self) {
        self.kept = 0;
        self.marks.clear();
    }

    /// Leaves a gap of so many samples.
    fn skip(&mut self, samples: u64) {
        let gap = usize::try_from(samples).unwrap_or(usize::MAX).min(self.room);
        let begin = self.end.saturating_add(samples.saturating_sub(gap as u64));
        for channel in 0..self.channels {
            for step in 0..gap {
                let at = self.at(channel, begin.saturating_add(step as u64));
                if let Some(sample) = self.samples.get_mut(at) {
                    *sample = f32::NAN;
                }
            }
        }
        self.end = self.end.saturating_add(samples);
        self.kept = self.kept.saturating_add(gap).min(self.room);
    }

    /// Where in its channel's ring the sample of that place stands.
    fn turn(&self, place: u64) -> usize {
        place.checked_rem(self.room as u64).and_then(|turn| usize::try_from(turn).ok()).unwrap_or(0)
    }

    fn at(&self, channel: usize, place: u64) -> usize {
        channel.saturating_mul(self.room).saturating_add(self.turn(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(history: &History, channel: usize) -> Vec<f32> {
        history.stretches(channel, history.range()).concat()
    }

    #[test]
    fn the_ring_turns_and_keeps_the_last_samples_of_each_channel() {
        let now = Instant::now();
        let mut history = History::new(2, 5);
        assert_eq!(history.range(), 0..0);
        for frame in 0..4_u16 {
            let value = f32::from(frame) * 2.0;
            let frame_samples = [value, value + 1.0, -value, -value - 1.0];
            history.push(&frame_samples, 2, Some(u64::from(frame) + 1), 0, now);
        }
        assert_eq!(history.range(), 3..8);
        assert_eq!(samples(&history, 0), [3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!(samples(&history, 1), [-3.0, -4.0, -5.0, -6.0, -7.0]);
        assert_eq!(history.stretches(0, 6..100).concat(), [6.0, 7.0]);
        assert_eq!(
            (history.get(0, 2), history.get(0, 3), history.get(1, 7), history.get(2, 7)),
            (None, Some(3.0), Some(-7.0), None)
        );
        // Half of the second frame is still there.
        assert_eq!(history.marks().map(|mark| mark.number.unwrap()).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(history.mark_of(5).unwrap().number, Some(3));
        assert_eq!(history.mark_of(8), None);
    }

    #[test]
    fn what_was_missed_is_a_gap_of_its_length() {
        let now = Instant::now();
        let mut history = History::new(1, 6);
        history.push(&[1.0], 1, Some(1), 7, now); // nobody saw what came before the first
        history.push(&[4.0], 1, Some(4), 2, now);
        let seen = samples(&history, 0);
        assert_eq!((seen.len(), seen[0], seen[3]), (4, 1.0, 4.0));
        assert!(seen[1].is_nan() && seen[2].is_nan());
        assert_eq!((history.mark_of(1), history.mark_of(3).unwrap().missed), (None, 2));
        // Longer than there is room.
        history.push(&[9.0], 1, Some(1_000), 995, now);
        let seen = samples(&history, 0);
        assert_eq!((seen.len(), seen[5]), (6, 9.0));
        assert!(seen[..5].iter().all(|sample| sample.is_nan()), "{seen:?}");
    }

    #[test]
    fn a_frame_longer_than_the_room_leaves_its_end() {
        let mut history = History::new(2, 3);
        history.push(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], 4, None, 0, Instant::now());
        assert_eq!((samples(&history, 0), samples(&history, 1)), (vec![2.0, 3.0, 4.0], vec![6.0, 7.0, 8.0]));
        assert_eq!(history.range(), 1..4);
        // Neither channels nor samples are no reason to fall over.
        let mut empty = History::new(0, 3);
        empty.push(&[], 0, None, 3, Instant::now());
        assert_eq!(empty.range(), 0..0);
    }
}
