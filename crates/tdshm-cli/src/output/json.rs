//! JSON: an object a frame on one line, and what `info` and `list` know.

use std::io::{self, Write};
use std::time::Duration;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use tdshm::{BlockKind, HeaderVersion, PixelFormat, ReceiverReport, SegmentReport, Texels, TopReport};

use crate::output::{Arrival, View};

/// A frame. Samples that JSON has no number for are null: NaN, and what `plus_inf` and `minus_inf` list.
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
    /// The places of infinite samples, counted from 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    plus_inf: Vec<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    minus_inf: Vec<usize>,
}

/// Where a value is among samples.
fn places(samples: &[f32], value: f32) -> Vec<usize> {
    samples.iter().enumerate().filter(|(_, sample)| **sample == value).map(|(place, _)| place).collect()
}

fn channels<S: Serializer>(arrival: &Arrival<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    let channels = arrival.channels();
    let mut list = serializer.serialize_seq(Some(channels.len()))?;
    for (name, samples) in channels {
        let plus_inf = places(samples, f32::INFINITY);
        let minus_inf = places(samples, f32::NEG_INFINITY);
        list.serialize_element(&Channel { name, samples, plus_inf, minus_inf })?;
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
    #[serde(flatten)]
    image: Option<Image>,
    /// Null for a foreign sender's segment, like `owner_alive`, `frames`, `age_ms` and `receivers`.
    owner_pid: Option<u32>,
    owner_alive: Option<bool>,
    supported: Option<bool>,
    frames: Option<u64>,
    age_ms: Option<f64>,
    receivers: Option<Vec<Receiver>>,
}

/// What an image block says; only images have these keys.
#[derive(Serialize)]
struct Image {
    width: Option<usize>,
    height: Option<usize>,
    /// Its name; of an unknown one the number, or OpenGL's.
    pixel_format: Option<String>,
    /// Null for what only blocks from before 2022 can say.
    pixel_format_number: Option<u32>,
    header_version: Option<i32>,
    /// Whether the header is the one from before 2022, whose version is 2 as well.
    legacy: Option<bool>,
    data_offset: Option<usize>,
    data_bytes: Option<usize>,
}

impl From<&TopReport> for Image {
    fn from(report: &TopReport) -> Self {
        let contents = report.layout.as_ref().ok();
        let shape = contents.map(|contents| contents.shape);
        Self {
            width: shape.map(|shape| shape.width),
            height: shape.map(|shape| shape.height),
            pixel_format: shape.map(|shape| pixel_format(shape.texels)),
            pixel_format_number: shape.and_then(|shape| pixel_format_number(shape.texels)),
            header_version: shape.map(|shape| shape.version.number()),
            legacy: shape.map(|shape| shape.version == HeaderVersion::Legacy),
            data_offset: contents.map(|contents| contents.data_offset),
            data_bytes: shape.map(|shape| shape.data_bytes),
        }
    }
}

/// The format's whole name, of an old block that of today's twin; what the block says where there is none.
pub(crate) fn pixel_format(texels: Texels) -> String {
    texels.format().map_or_else(|| texels.to_string(), |format| format.to_string())
}

/// The format's number, also where nobody knows it; `None` for an old block without a twin of today.
pub(crate) fn pixel_format_number(texels: Texels) -> Option<u32> {
    match texels {
        Texels::Format(format) => Some(format.number()),
        texels => texels.format().map(PixelFormat::number),
    }
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

pub(crate) fn milliseconds(time: Duration) -> f64 {
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
            image: report.top.as_ref().map(Image::from),
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
        BlockKind::Top => "top",
        BlockKind::Global => "global",
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
             {\"name\":\"a\\\"b\",\"samples\":[0.1,null]},\
             {\"name\":\"a\\\"b\",\"samples\":[null,1e-7],\"plus_inf\":[0]}]}\n"
        );
    }

    /// What is written is read by `send --stdin`: frames, names and rates, bit by bit.
    #[test]
    fn it_comes_back() {
        let values = [0.1, -0.0, 1e-45, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 16_777_216.0];
        let mut bits = 1_u32;
        let random: Vec<f32> = (0..5000)
            .map(|_| {
                bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from_bits(bits)
            })
            .map(|value| if value.is_nan() { f32::NAN } else { value })
            .collect();
        let frames = [
            ChopFrame::from_rows(["", "\u{feff}\n\"ü\\"], 59.94, &[values, values]).unwrap(),
            ChopFrame::from_rows(["x"], f32::MIN_POSITIVE, &[random]).unwrap(),
            ChopFrame::from_rows(["x", "x"], 48_000.0, &[[0.0; 0]; 2]).unwrap(),
            ChopFrame::from_rows([""; 0], f32::MAX, &[[0.0; 0]; 0]).unwrap(),
        ];
        let mut text = Vec::new();
        for frame in &frames {
            let mut view = JsonView::default();
            view.write(Arrival { count: 7, frame, scope: None }).unwrap();
            text.extend(view.text);
        }
        let mut lines = tdshm_io::lines::FrameLines::new(text.as_slice());
        let to_bits = |samples: &[f32]| samples.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>();
        for frame in &frames {
            let back = lines.next_frame().unwrap().unwrap();
            assert_eq!((&*back.names, back.len_samples), (frame.names(), frame.len_samples()));
            assert_eq!(back.sample_rate, Some(frame.sample_rate()));
            assert_eq!(to_bits(&back.samples), to_bits(frame.samples()));
        }
        assert_eq!(lines.next_frame().unwrap(), None);
    }
}
