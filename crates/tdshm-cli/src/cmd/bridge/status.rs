//! How a bridge does: a line that rewrites itself where somebody looks, sentences about changes elsewhere, and JSON for
//! programs. The same for all kinds of bridges; `docs/bridge.md` describes the fields.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::output::progress::Line;
use crate::output::{json, megabytes};
use crate::say;

/// How often the line changes.
const LINE_EVERY: Duration = Duration::from_millis(100);
/// How often an object is printed.
const JSON_EVERY: Duration = Duration::from_secs(1);
/// Over how long frames are counted that make the rate.
const WINDOW: Duration = Duration::from_secs(1);

/// What went over the bridge since it began, in all its directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Frames that were passed on.
    pub(crate) frames: u64,
    /// Frames that came and were not: newer ones took their place, or they could not be written.
    pub(crate) dropped: u64,
    /// Bytes of what came or went over the network.
    pub(crate) bytes: u64,
    /// Who is at the other side now.
    pub(crate) peers: usize,
}

/// Says how a bridge does, until it is ended.
#[derive(Debug)]
pub(crate) struct Status {
    bridge: &'static str,
    json: bool,
    line: Option<Line>,
    began: Instant,
    /// When so many frames had been passed on, the last second long.
    marks: VecDeque<(Instant, u64)>,
    shown: Option<Instant>,
    /// Objects that were printed.
    printed: u32,
    peers: usize,
}

#[derive(Serialize)]
struct Start<'d, D> {
    r#type: &'static str,
    bridge: &'static str,
    #[serde(flatten)]
    details: &'d D,
}

#[derive(Serialize)]
struct Report<'d, D> {
    r#type: &'static str,
    bridge: &'static str,
    seconds: f64,
    /// Of the last second; at the end of all the time.
    rate_hz: f64,
    frames: u64,
    dropped: u64,
    bytes: u64,
    peers: usize,
    #[serde(flatten)]
    details: &'d D,
}

impl Status {
    /// Begins. `details` are fields of the first object of that kind of bridge.
    ///
    /// # Errors
    ///
    /// Standard output does not take the object.
    pub(crate) fn start<D: Serialize>(
        bridge: &'static str,
        title: &str,
        json: bool,
        details: &D,
    ) -> io::Result<Self> {
        if json {
            json::print(&Start { r#type: "start", bridge, details })?;
        }
        let line = if say::is_quiet() { None } else { Line::start(title) };
        let began = Instant::now();
        let marks = VecDeque::from([(began, 0)]);
        Ok(Self { bridge, json, line, began, marks, shown: None, printed: 0, peers: 0 })
    }

    /// Shows how it does where that is due; to be called many times a second. `details` make fields of an object.
    ///
    /// # Errors
    ///
    /// Standard output does not take an object.
    pub(crate) fn look<D: Serialize>(&mut self, tally: Tally, details: impl FnOnce() -> D) -> io::Result<()> {
        let now = Instant::now();
        if self.shown.is_none_or(|shown| now.saturating_duration_since(shown) >= LINE_EVERY) {
            self.shown = Some(now);
            self.mark(now, tally.frames);
            let rate = self.rate();
            match &mut self.line {
                Some(line) => line.say(sentence(rate, tally)),
                None if self.peers != tally.peers => {
                    say::line(format_args!("{}: {}", self.bridge, say::count_of(tally.peers, "peer")));
                }
                None => {}
            }
            self.peers = tally.peers;
        }
        let elapsed = now.saturating_duration_since(self.began);
        if self.json && elapsed >= JSON_EVERY.saturating_mul(self.printed.saturating_add(1)) {
            // What a stop of this program left out is not made up for.
            self.printed = u32::try_from(elapsed.as_secs()).unwrap_or(u32::MAX);
            self.report("status", self.rate(), elapsed, tally, &details())?;
        }
        Ok(())
    }

    /// Says what it was.
    ///
    /// # Errors
    ///
    /// Standard output does not take the last object.
    pub(crate) fn end<D: Serialize>(self, tally: Tally, details: &D) -> io::Result<()> {
        let elapsed = self.began.elapsed();
        let Tally { frames, dropped, bytes, .. } = tally;
        say::line(format_args!(
            "passed on {}, {}, in {:.1} s; {dropped} dropped",
            say::count(frames, "frame"),
            megabytes(bytes),
            elapsed.as_secs_f64()
        ));
        if self.json {
            let rate = per_second(frames, elapsed);
            self.report("end", rate, elapsed, tally, details)?;
        }
        Ok(())
    }

    fn report<D: Serialize>(
        &self,
        r#type: &'static str,
        rate_hz: f64,
        elapsed: Duration,
        tally: Tally,
        details: &D,
    ) -> io::Result<()> {
        let Tally { frames, dropped, bytes, peers } = tally;
        let (bridge, seconds) = (self.bridge, elapsed.as_secs_f64());
        json::print(&Report { r#type, bridge, seconds, rate_hz, frames, dropped, bytes, peers, details })
    }

    fn mark(&mut self, now: Instant, frames: u64) {
        let is_old = |(at, _): &(Instant, u64)| now.saturating_duration_since(*at) >= WINDOW;
        // The last of the old ones stays: from there on it is counted.
        while self.marks.get(1).is_some_and(is_old) {
            self.marks.pop_front();
        }
        self.marks.push_back((now, frames));
    }

    /// Frames a second, of about the last one.
    fn rate(&self) -> f64 {
        let Some(((first, before), (last, after))) = self.marks.front().zip(self.marks.back()) else {
            return 0.0;
        };
        per_second(after.saturating_sub(*before), last.saturating_duration_since(*first))
    }
}

fn per_second(frames: u64, time: Duration) -> f64 {
    let seconds = time.as_secs_f64();
    if seconds > 0.0 { frames as f64 / seconds } else { 0.0 }
}

fn sentence(rate: f64, tally: Tally) -> String {
    let Tally { frames, dropped, bytes, peers } = tally;
    format!(
        "{rate:.1} Hz, {}, {dropped} dropped, {}, {}",
        say::count(frames, "frame"),
        megabytes(bytes),
        say::count_of(peers, "peer")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> Status {
        Status {
            bridge: "x",
            json: false,
            line: None,
            began: Instant::now(),
            marks: VecDeque::new(),
            shown: None,
            printed: 0,
            peers: 0,
        }
    }

    #[test]
    fn the_rate_is_that_of_the_last_second() {
        let mut status = status();
        let begin = status.began;
        assert_eq!(status.rate(), 0.0);
        for tenth in 0..=50_u32 {
            // A hundred a second for two seconds, then none.
            let frames = u64::from(tenth.min(20)) * 10;
            status.mark(begin + LINE_EVERY * tenth, frames);
            match tenth {
                10 | 20 => assert_eq!(status.rate(), 100.0, "{tenth}"),
                25 => assert_eq!(status.rate(), 50.0),
                31.. => assert_eq!(status.rate(), 0.0),
                _ => {}
            }
        }
        assert!(status.marks.len() <= 12);
    }

    #[test]
    fn the_line_has_all_figures() {
        let tally = Tally { frames: 1, dropped: 2, bytes: 3_000_000, peers: 4 };
        assert_eq!(sentence(59.96, tally), "60.0 Hz, 1 frame, 2 dropped, 3.0 MB, 4 peers");
    }

    #[test]
    fn an_object_has_the_fields_of_its_kind() {
        #[derive(Serialize)]
        struct Details {
            url: &'static str,
        }
        let details = &Details { url: "u" };
        let start = serde_json::to_string(&Start { r#type: "start", bridge: "ws", details }).unwrap();
        assert_eq!(start, r#"{"type":"start","bridge":"ws","url":"u"}"#);
    }
}
