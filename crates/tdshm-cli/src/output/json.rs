//! JSON: an object a frame on one line, and what `info` and `list` know.

use std::io::{self, Write};
use std::time::Duration;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use tdshm::{BlockKind, ReceiverReport, SegmentReport};

use crate::output::{Arrival, View};

/// A frame. Samples that JSON has no number for are null.
#[derive(Serialize)]
struct Line<'f> {
    frame: u64,
    /// Frames that this receiver missed before this one; null for a foreign sender's, which nobody counts.
    missed: Option<u64>,
    /// Milliseconds from sending to showing; null likewise.
    age_ms: Option<f64>,
    sample_rate: f32,
    #[serde(serialize_with = "channels")]
    channels: Arrival<'f>,
}

#[derive(Serialize)]
struct Channel<'f> {
    name: &'f str,
    samples: &'f [f32],
}

fn channels<S: Serializer>(arrival: &Arrival<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    let channels = arrival.channels();
    let mut list = serializer.serialize_seq(Some(channels.len()))?;
    for (name, samples) in channels {
        list.serialize_element(&Channel { name, samples })?;
    }
    list.end()
}

/// One object a line.
#[derive(Debug, Default)]
pub(crate) struct JsonView {
    text: Vec<u8>,
}

impl JsonView {
    fn write(&mut self, arrival: Arrival<'_>) -> serde_json::Result<()> {
        let Arrival { count, frame, .. } = arrival;
        self.text.clear();
        let line = Line {
            frame: count,
            missed: frame.missed(),
            age_ms: frame.age().map(milliseconds),
            sample_rate: frame.sample_rate(),
            channels: arrival,
        };
        serde_json::to_writer(&mut self.text, &line)?;
        self.text.push(b'\n');
        Ok(())
    }
}

impl View for JsonView {
    fn show(&mut self, arrival: Arrival<'_>) -> io::Result<()> {
        self.write(arrival)?;
        let mut out = io::stdout().lock();
        out.write_all(&self.text)?;
        out.flush()
    }
}

/// What is known about a segment; null for what is not.
#[derive(Serialize)]
pub(crate) struct Segment<'r> {
    name: &'r str,
    kind: &'static str,
    segment: &'r str,
    mapped_bytes: Option<usize>,
    block_bytes: Option<i32>,
    num_channels: Option<usize>,
    length: Option<usize>,
    sample_rate: Option<f32>,
    names: Option<&'r [String]>,
    /// Null for a foreign sender's segment, like `owner_alive`, `frames`, `age_ms` and `receivers`.
    owner_pid: Option<u32>,
    owner_alive: Option<bool>,
    supported: Option<bool>,
    frames: Option<u64>,
    age_ms: Option<f64>,
    receivers: Option<Vec<Receiver>>,
}

/// A receiver that has registered itself.
#[derive(Serialize)]
struct Receiver {
    pid: u32,
    alive: bool,
    waiting: bool,
    frame: Option<u64>,
    behind: u64,
}

impl From<&ReceiverReport> for Receiver {
    fn from(report: &ReceiverReport) -> Self {
        let ReceiverReport { pid, alive, waiting, frame, behind, .. } = *report;
        Self { pid, alive, waiting, frame, behind }
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

impl<'r> From<&'r SegmentReport> for Segment<'r> {
    fn from(report: &'r SegmentReport) -> Self {
        let contents = report.chop.as_ref().and_then(|chop| chop.layout.as_ref().ok());
        let notices = report.notices.as_ref();
        Self {
            name: report.name.as_str(),
            kind: kind(report),
            segment: &report.segment,
            mapped_bytes: report.mapped_bytes,
            block_bytes: report.chop.as_ref().map(|chop| chop.block_bytes),
            num_channels: contents.map(|contents| contents.num_channels),
            length: contents.map(|contents| contents.len_samples),
            sample_rate: contents.map(|contents| contents.sample_rate),
            names: contents.and_then(|contents| contents.names.as_deref()),
            owner_pid: notices.and_then(|notices| notices.owner_pid),
            owner_alive: notices.map(|notices| notices.owner_alive),
            supported: report.supported,
            frames: notices.map(|notices| notices.frames),
            age_ms: notices.and_then(|notices| notices.age).map(milliseconds),
            receivers: notices.map(|notices| notices.receivers.iter().map(Receiver::from).collect()),
        }
    }
}

/// What a segment holds, in a word.
pub(crate) fn kind(report: &SegmentReport) -> &'static str {
    match report.kind {
        BlockKind::Chop => "chop",
        _ => "unknown",
    }
}

/// Prints a value on one line.
pub(crate) fn print(value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(value)?;
    text.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&text)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tdshm::ChopFrame;

    #[test]
    fn a_frame_is_an_object_on_one_line() {
        let rows = [[0.1, f32::NAN], [f32::INFINITY, 1e-7]];
        let frame = ChopFrame::from_rows(["a\"b", "a\"b"], 59.94, &rows).unwrap();
        let mut view = JsonView::default();
        view.write(Arrival { count: 7, frame: &frame, scope: None }).unwrap();
        assert_eq!(
            String::from_utf8(view.text).unwrap(),
            "{\"frame\":7,\"missed\":null,\"age_ms\":null,\"sample_rate\":59.94,\"channels\":[\
             {\"name\":\"a\\\"b\",\"samples\":[0.1,null]},{\"name\":\"a\\\"b\",\"samples\":[null,1e-7]}]}\n"
        );
    }
}
