//! What is sent: a wave made up as it goes, or a recording at its own speed.

use std::time::Duration;

use tdshm_io::Recording;

use crate::wave::{Wave, phase};

/// What a tick of the schedule brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tick {
    /// The buffer holds a frame of so many samples in each channel.
    Frame {
        /// Samples in each channel.
        len_samples: usize,
    },
    /// No sample has fallen due.
    Nothing,
    /// There is nothing left to send.
    End,
}

/// Where samples come from. Buffers are flat: all of channel 0, then all of channel 1, and so on.
#[derive(Debug)]
pub(crate) enum Source {
    Wave(WaveSource),
    Recording(Playback),
}

impl Source {
    /// Fills `buffer` with what is to be sent `elapsed` after the start.
    pub(crate) fn tick(&mut self, elapsed: Duration, buffer: &mut Vec<f32>) -> Tick {
        buffer.clear();
        match self {
            Self::Wave(wave) => wave.tick(buffer),
            Self::Recording(playback) => playback.tick(elapsed, buffer),
        }
    }

    /// The most samples, in each channel, that one frame will have.
    pub(crate) fn longest_frame(&self) -> usize {
        match self {
            Self::Wave(wave) => wave.len_samples,
            Self::Recording(playback) => playback.longest,
        }
    }
}

/// A wave: frames of one length, whose samples run on from frame to frame.
#[derive(Debug)]
pub(crate) struct WaveSource {
    pub(crate) wave: Wave,
    pub(crate) num_channels: usize,
    pub(crate) len_samples: usize,
    pub(crate) sample_rate: f32,
    next: u64,
}

impl WaveSource {
    pub(crate) fn new(wave: Wave, num_channels: usize, len_samples: usize, sample_rate: f32) -> Self {
        Self { wave, num_channels, len_samples, sample_rate, next: 0 }
    }

    fn tick(&mut self, buffer: &mut Vec<f32>) -> Tick {
        let end = self.next.saturating_add(u64::try_from(self.len_samples).unwrap_or(u64::MAX));
        for channel in 0..self.num_channels {
            let value = |index| self.wave.at(phase(index, self.sample_rate, channel, self.num_channels));
            buffer.extend((self.next..end).map(value));
        }
        self.next = end;
        Tick::Frame { len_samples: self.len_samples }
    }
}

/// How a recording is played.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Play {
    pub(crate) looped: bool,
    /// Where it begins, in seconds of the recording. A loop comes back there.
    pub(crate) start: f64,
    /// 2.0 plays twice as many samples a second as were recorded.
    pub(crate) speed: f64,
    /// Frames a second.
    pub(crate) fps: f64,
}

/// A recording at its own speed: each frame carries the samples that fell due since the last.
#[derive(Debug)]
pub(crate) struct Playback {
    recording: Recording,
    looped: bool,
    /// Samples that pass each second, in each channel.
    sample_rate: f32,
    longest: usize,
    /// Where it begins: a sample of the recording.
    first: usize,
    /// The next sample's place, counted from there.
    at: usize,
    /// How often it has come to its end.
    round: u64,
    /// Samples sent so far, in each channel.
    sent: u64,
    /// Seconds that do not count, because the program was stopped for longer than a frame can make up.
    lost: f64,
}

impl Playback {
    /// `None`: the recording ends before `play.start`, or no rate is as fast as that.
    pub(crate) fn new(recording: Recording, play: Play) -> Option<Self> {
        let recorded = f64::from(recording.sample_rate());
        let sample_rate = (recorded * play.speed) as f32;
        let first = (play.start * recorded).round() as usize;
        let len = recording.len_samples().checked_sub(first).filter(|len| *len > 0)?;
        if !(sample_rate.is_finite() && sample_rate > 0.0) {
            return None;
        }
        // A second's worth, so that a short stall loses no time, and twice what a slow schedule lets fall due.
        let longest = (f64::from(sample_rate) * (2.0 / play.fps).max(1.0)).ceil() as usize;
        let longest = longest.saturating_add(1);
        let longest = if play.looped { longest } else { longest.min(len) };
        Some(Self {
            recording,
            looped: play.looped,
            sample_rate,
            longest,
            first,
            at: 0,
            round: 0,
            sent: 0,
            lost: 0.0,
        })
    }

    pub(crate) fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Samples that pass each second, in Hz.
    pub(crate) fn sample_rate(&self) -> f32 {
        self.sample_rate
    }

    /// Samples in each channel, from where it begins.
    pub(crate) fn len_samples(&self) -> usize {
        self.recording.len_samples().saturating_sub(self.first)
    }

    /// Where it is, in seconds of the recording, and how often it has come to its end.
    pub(crate) fn position(&self) -> (f64, u64) {
        let sample = self.first.saturating_add(self.at);
        (sample as f64 / f64::from(self.recording.sample_rate()), self.round)
    }

    fn tick(&mut self, elapsed: Duration, buffer: &mut Vec<f32>) -> Tick {
        let rate = f64::from(self.sample_rate);
        let len = self.len_samples();
        let left = if self.looped { usize::MAX } else { len.saturating_sub(self.at) };
        if left == 0 {
            return Tick::End;
        }
        let due = ((elapsed.as_secs_f64() - self.lost) * rate).floor() as u64;
        let due = usize::try_from(due.saturating_sub(self.sent)).unwrap_or(usize::MAX).min(left);
        let len_samples = due.min(self.longest);
        self.lost += due.saturating_sub(len_samples) as f64 / rate;
        if len_samples == 0 {
            return Tick::Nothing;
        }
        for channel in self.recording.range(self.first, usize::MAX) {
            buffer.extend(channel.iter().cycle().skip(self.at).take(len_samples));
        }
        self.sent = self.sent.saturating_add(u64::try_from(len_samples).unwrap_or(u64::MAX));
        self.at = self.at.saturating_add(len_samples);
        if self.looped {
            let rounds = self.at.checked_div(len).unwrap_or(0);
            self.round = self.round.saturating_add(u64::try_from(rounds).unwrap_or(u64::MAX));
            self.at = self.at.checked_rem(len).unwrap_or(0);
        }
        Tick::Frame { len_samples }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn playback(looped: bool, fps: f64) -> Playback {
        played(Play { looped, start: 0.0, speed: 1.0, fps }).unwrap()
    }

    fn played(play: Play) -> Option<Playback> {
        let rows = vec![vec![0.0, 1.0, 2.0, 3.0, 4.0], vec![10.0, 11.0, 12.0, 13.0, 14.0]];
        Playback::new(Recording::new(vec!["a".into(), "b".into()], 10.0, rows).unwrap(), play)
    }

    fn tick(playback: &mut Playback, elapsed: Duration) -> (Tick, Vec<f32>) {
        let mut buffer = Vec::new();
        let tick = playback.tick(elapsed, &mut buffer);
        (tick, buffer)
    }

    #[test]
    fn a_frame_carries_what_fell_due() {
        let mut playback = playback(false, 60.0);
        assert_eq!(tick(&mut playback, MS * 99), (Tick::Nothing, vec![]));
        assert_eq!(
            tick(&mut playback, MS * 250),
            (Tick::Frame { len_samples: 2 }, vec![0.0, 1.0, 10.0, 11.0])
        );
        assert_eq!(tick(&mut playback, MS * 299), (Tick::Nothing, vec![]));
        assert_eq!(tick(&mut playback, MS * 900).0, Tick::Frame { len_samples: 3 });
        assert_eq!(tick(&mut playback, MS * 901), (Tick::End, vec![]));
    }

    #[test]
    fn a_loop_runs_over_its_end_within_a_frame() {
        let mut playback = playback(true, 60.0);
        assert_eq!(tick(&mut playback, MS * 400).0, Tick::Frame { len_samples: 4 });
        let over = vec![4.0, 0.0, 1.0, 14.0, 10.0, 11.0];
        assert_eq!(tick(&mut playback, MS * 700), (Tick::Frame { len_samples: 3 }, over));
        assert_eq!(tick(&mut playback, MS * 800), (Tick::Frame { len_samples: 1 }, vec![2.0, 12.0]));
    }

    #[test]
    fn it_may_begin_later_and_come_back_there_and_run_faster() {
        let play = Play { looped: true, start: 0.3, speed: 2.0, fps: 60.0 };
        let mut playback = played(play).unwrap();
        assert_eq!((playback.sample_rate(), playback.position()), (20.0, (0.3, 0)));
        let frame = tick(&mut playback, MS * 250);
        assert_eq!(
            frame,
            (Tick::Frame { len_samples: 5 }, vec![3.0, 4.0, 3.0, 4.0, 3.0, 13.0, 14.0, 13.0, 14.0, 13.0])
        );
        assert_eq!(playback.position(), (0.4, 2));

        let mut once = played(Play { looped: false, ..play }).unwrap();
        assert_eq!(tick(&mut once, MS * 101), (Tick::Frame { len_samples: 2 }, vec![3.0, 4.0, 13.0, 14.0]));
        assert_eq!(tick(&mut once, MS * 102), (Tick::End, vec![]));
        for start in [0.5, 1e300] {
            assert!(played(Play { start, ..play }).is_none(), "{start}");
        }
    }

    #[test]
    fn after_a_long_stall_it_goes_on_where_it_was() {
        let mut playback = playback(true, 60.0);
        let hour = Duration::from_secs(3600);
        assert_eq!(tick(&mut playback, hour).0, Tick::Frame { len_samples: 11 });
        assert_eq!(tick(&mut playback, hour + MS), (Tick::Nothing, vec![]));
        assert_eq!(tick(&mut playback, hour + MS * 101), (Tick::Frame { len_samples: 1 }, vec![1.0, 11.0]));
    }

    #[test]
    fn samples_of_a_wave_run_on_from_frame_to_frame() {
        let mut source = Source::Wave(WaveSource::new(Wave::Ramp, 2, 2, 4.0));
        let mut buffer = Vec::new();
        for expected in [[0.0, 0.25, 0.5, 0.75], [0.5, 0.75, 0.0, 0.25], [0.0, 0.25, 0.5, 0.75]] {
            assert_eq!(source.tick(MS, &mut buffer), Tick::Frame { len_samples: 2 });
            assert_eq!(buffer, expected);
        }
    }
}
