//! `tdshm info FILE`: what a recording holds.

use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use serde::Serialize;
use tdshm_io::file::recording::{Kind, Layout, LayoutSummary, McapError, SegmentSummary, Summary};

use crate::cmd::{is_convertible, of_recording};
use crate::output::json::{self, pixel_format, pixel_format_number};
use crate::output::{image_shape, megabytes, number, printable, screen};
use crate::{Exit, say};

/// Layouts that are listed of a segment, for people.
const MOST_LISTED: usize = 8;
/// Names that are listed of a layout, for people.
const MOST_NAMES: usize = 8;

/// Seconds, to a millisecond.
fn seconds(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Reads through the file and prints what is in it.
pub(super) fn run(path: &Path, as_json: bool) -> anyhow::Result<Exit> {
    let summary = Summary::verified(path).map_err(|error| match error {
        McapError::NotMcap { .. } if is_convertible(path) => {
            let path = path.display();
            anyhow!("{path} is no recording (.mcap), and of other files only those are described: `tdshm convert` reads it")
        }
        error => of_recording(path, error),
    })?;
    if as_json {
        json::print(&Recording::of(path, &summary))?;
    } else {
        screen::write(&text(path, &summary))?;
    }
    for wrong in &summary.left_out {
        say::error(wrong);
    }
    Ok(Exit::Done)
}

fn text(path: &Path, summary: &Summary) -> String {
    let mut text = format!("{}\n", printable(&path.display().to_string()));
    let mut line = |title: &str, what: &str| text.push_str(&format!("  {title:<10}{what}\n"));
    line("kind", "recording");
    line("size", &megabytes(summary.size_bytes));
    line("written by", &format!(" {}", printable(&summary.library)));
    let whole = summary.segments.len();
    let lasts = seconds(summary.duration().as_secs_f64());
    let (frames, segments) = (say::count(summary.frames(), "frame"), say::count_of(whole, "segment"));
    line("holds", &format!("{frames} of {segments} in {lasts} s"));
    if let Some(at) = summary.cut_short {
        line("cut short", &format!("at byte {at}: its writer did not end it; what is listed here is whole"));
    }
    for segment in &summary.segments {
        describe(&mut text, segment, summary.begin.unwrap_or_default());
    }
    text
}

fn describe(text: &mut String, segment: &SegmentSummary, begin: Duration) {
    text.push_str(&format!("\n{}\n", printable(&segment.name)));
    let mut line = |title: &str, what: &str| text.push_str(&format!("  {title:<10}{what}\n"));
    let (first, last) = (segment.first.saturating_sub(begin), segment.last.saturating_sub(begin));
    let lasts = last.saturating_sub(first).as_secs_f64();
    let rate = match segment.frames {
        frames if frames > 1 && lasts > 0.0 => {
            format!(", {} frames a second", seconds(((frames as f64 - 1.0) / lasts * 100.0).round() / 100.0))
        }
        _ => String::new(),
    };
    let (from, to) = (seconds(first.as_secs_f64()), seconds(last.as_secs_f64()));
    line("frames", &format!("{}, from {from} to {to} s{rate}", segment.frames));
    line("lost", &lost(segment));
    for layout in segment.layouts.iter().take(MOST_LISTED) {
        let title = match layout.layout.kind() {
            Kind::Image => "image",
            _ => "channels",
        };
        let when = match segment.layouts.len() {
            1 => String::new(),
            _ => {
                let at = seconds(layout.first.saturating_sub(begin).as_secs_f64());
                format!(" from {at} s on, {}", say::count(layout.frames, "frame"))
            }
        };
        line(title, &format!("{}{when}", words(layout)));
        if let Layout::Channels { names, .. } = &layout.layout {
            let more = names.len().saturating_sub(MOST_NAMES);
            let names: Vec<_> = names.iter().take(MOST_NAMES).map(|name| printable(name)).collect();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            if !names.is_empty() {
                line("names", &format!("{}{more}", names.join(" ")));
            }
        }
    }
    let more = segment.changes.saturating_add(1).saturating_sub(u64::try_from(MOST_LISTED).unwrap_or(0));
    if more > 0 {
        line("", &format!("and {} more", say::count(more, "change")));
    }
}

fn words(layout: &LayoutSummary) -> String {
    match &layout.layout {
        Layout::Channels { names, sample_rate } => {
            let (least, most) = layout.len_samples;
            let samples = match least == most {
                true => say::count_of(most, "sample"),
                false => format!("{least} to {most} samples"),
            };
            let channels = say::count_of(names.len(), "channel");
            format!("{channels} × {samples} at {} Hz", number(*sample_rate))
        }
        Layout::Image(shape) => image_shape(shape),
        Layout::Malformed(_, error) => format!("malformed: {error}"),
        _ => "unknown".to_owned(),
    }
}

fn lost(segment: &SegmentSummary) -> String {
    let lost = segment.lost;
    let unseen = if segment.counted { lost.unseen.to_string() } else { "an unknown number".to_owned() };
    match (lost.frames(), segment.counted) {
        (0, true) => "none".to_owned(),
        _ => format!("{unseen} not seen in time, {} that the disk was too slow for", lost.dropped),
    }
}

/// What a recording holds.
#[derive(Serialize)]
struct Recording<'s> {
    kind: &'static str,
    file: &'s Path,
    size_bytes: u64,
    library: &'s str,
    frames: u64,
    seconds: f64,
    /// When the first frame was received: nanoseconds since the Unix epoch; null without any.
    begin_ns: Option<u128>,
    /// The byte at which it ends too early; null where its writer ended it.
    cut_short: Option<u64>,
    /// What cannot be read, part by part.
    left_out: &'s [String],
    segments: Vec<Segment<'s>>,
}

#[derive(Serialize)]
struct Segment<'s> {
    name: &'s str,
    frames: u64,
    /// Seconds from the recording's first frame to its own first and last.
    first: f64,
    last: f64,
    /// Null where a sender does not count its frames.
    unseen: Option<u64>,
    dropped: u64,
    layout_changes: u64,
    layouts: Vec<LayoutOf<'s>>,
}

#[derive(Serialize)]
struct LayoutOf<'s> {
    kind: &'static str,
    frames: u64,
    first: f64,
    #[serde(flatten)]
    what: What<'s>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum What<'s> {
    Channels {
        num_channels: usize,
        length: [usize; 2],
        sample_rate: f32,
        names: &'s [String],
    },
    Image {
        width: usize,
        height: usize,
        pixel_format: String,
        pixel_format_number: Option<u32>,
        header_version: i32,
    },
    Malformed {
        malformed: String,
    },
}

impl<'s> Recording<'s> {
    fn of(file: &'s Path, summary: &'s Summary) -> Self {
        let begin = summary.begin.unwrap_or_default();
        Self {
            kind: "recording",
            file,
            size_bytes: summary.size_bytes,
            library: &summary.library,
            frames: summary.frames(),
            seconds: summary.duration().as_secs_f64(),
            begin_ns: summary.begin.map(|begin| begin.as_nanos()),
            cut_short: summary.cut_short,
            left_out: &summary.left_out,
            segments: summary.segments.iter().map(|segment| Segment::of(segment, begin)).collect(),
        }
    }
}

impl<'s> Segment<'s> {
    fn of(segment: &'s SegmentSummary, begin: Duration) -> Self {
        let since = |time: Duration| time.saturating_sub(begin).as_secs_f64();
        Self {
            name: &segment.name,
            frames: segment.frames,
            first: since(segment.first),
            last: since(segment.last),
            unseen: segment.counted.then_some(segment.lost.unseen),
            dropped: segment.lost.dropped,
            layout_changes: segment.changes,
            layouts: segment.layouts.iter().map(|layout| LayoutOf::of(layout, since(layout.first))).collect(),
        }
    }
}

impl<'s> LayoutOf<'s> {
    fn of(layout: &'s LayoutSummary, first: f64) -> Self {
        let kind = match layout.layout.kind() {
            Kind::Image => "top",
            _ => "chop",
        };
        let what = match &layout.layout {
            Layout::Channels { names, sample_rate } => What::Channels {
                num_channels: names.len(),
                length: layout.len_samples.into(),
                sample_rate: *sample_rate,
                names,
            },
            Layout::Image(shape) => What::Image {
                width: shape.width,
                height: shape.height,
                pixel_format: pixel_format(shape.texels),
                pixel_format_number: pixel_format_number(shape.texels),
                header_version: shape.version.number(),
            },
            Layout::Malformed(_, error) => What::Malformed { malformed: error.to_string() },
            _ => What::Malformed { malformed: "unknown".to_owned() },
        };
        Self { kind, frames: layout.frames, first, what }
    }
}
