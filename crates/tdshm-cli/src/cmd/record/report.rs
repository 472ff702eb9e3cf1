//! How far it is, and what was recorded.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tdshm::ShortName;
use tdshm_io::file::recording::Lost;

use crate::args::record::RecordArgs;
use crate::cmd::record::tally::Tally;
use crate::cmd::record::write::{Writing, Written};
use crate::output::progress::Line;
use crate::output::{json, megabytes};
use crate::say;

/// A line that says how far it is, where somebody looks.
#[derive(Debug)]
pub(super) struct Status(Line);

impl Status {
    pub(super) fn start(args: &RecordArgs) -> Option<Self> {
        if say::is_quiet() {
            return None;
        }
        let title = args.out.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Line::start(&title).map(Self)
    }

    pub(super) fn show(&mut self, segments: usize, writing: &Writing, elapsed: Duration, lost: Lost) {
        let (frames, bytes) = (writing.frames(), writing.bytes());
        // What matters first: a narrow terminal has no room for the rest.
        self.0.say(format!(
            "{:.1} s, {}, {} lost, {}, {}",
            elapsed.as_secs_f64(),
            say::count(frames, "frame"),
            lost.frames(),
            megabytes(bytes),
            say::count_of(segments, "segment"),
        ));
    }
}

/// What was recorded.
#[derive(Debug, Serialize)]
pub(super) struct Account<'r> {
    file: &'r Path,
    /// From the first frame on.
    seconds: f64,
    /// Frames in the file.
    frames: u64,
    /// Bytes of their blocks.
    bytes: u64,
    /// Bytes of the file; null where nobody can tell.
    file_bytes: Option<u64>,
    lost: u64,
    segments: Vec<Segment<'r>>,
}

#[derive(Debug, Serialize)]
struct Segment<'r> {
    name: &'r str,
    frames: u64,
    /// The sender was faster than the recorder looked; of senders that do not count, unknown.
    unseen: Option<u64>,
    /// The disk was slower than they came.
    dropped: u64,
}

impl<'r> Account<'r> {
    pub(super) fn of(
        args: &'r RecordArgs,
        tallies: &'r BTreeMap<ShortName, Arc<Tally>>,
        written: &Written,
        lasted: Option<Duration>,
    ) -> Self {
        let segments = tallies.iter().map(|(name, tally)| {
            let lost = tally.all_lost();
            Segment {
                name: name.as_str(),
                frames: tally.frames(),
                unseen: tally.is_counted().then_some(lost.unseen),
                dropped: lost.dropped,
            }
        });
        let lost = tallies.values().map(|tally| tally.all_lost().frames()).fold(0, u64::saturating_add);
        Self {
            file: &args.out,
            seconds: lasted.unwrap_or_default().as_secs_f64(),
            frames: written.frames,
            bytes: written.bytes,
            file_bytes: written.file_bytes,
            lost,
            segments: segments.collect(),
        }
    }

    /// Says it in words.
    pub(super) fn say(&self) {
        for segment in &self.segments {
            let (name, dropped) = (segment.name, segment.dropped);
            match segment.unseen {
                Some(0) | None if dropped == 0 => {}
                unseen => say::error(format_args!(
                    "lost {} of {name:?}: {} that the recorder did not see in time, {dropped} that the disk was too slow for",
                    say::count(unseen.unwrap_or(0).saturating_add(dropped), "frame"),
                    unseen.map_or_else(|| "an unknown number".to_owned(), |unseen| unseen.to_string()),
                )),
            }
            if segment.unseen.is_none() && segment.frames > 0 {
                say::line(format_args!(
                    "the sender of {name:?} does not count its frames: how many were missed is not known"
                ));
            }
        }
        let with_frames = self.segments.iter().filter(|segment| segment.frames > 0).count();
        let size =
            self.file_bytes.map(|bytes| format!(", which has {}", megabytes(bytes))).unwrap_or_default();
        say::line(format_args!(
            "recorded {} of {} in {:.1} s into {}{size}",
            say::count(self.frames, "frame"),
            say::count_of(with_frames, "segment"),
            self.seconds,
            self.file.display()
        ));
    }

    /// Prints it as JSON.
    pub(super) fn print(&self) -> io::Result<()> {
        json::print(self)
    }
}
