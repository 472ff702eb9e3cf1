//! `tdshm info`: what is known about one segment, or what a recording holds.

mod recording;

use std::borrow::Cow;

use tdshm::{
    BlockError, ErrorKind, HeaderVersion, NoticeReport, ReceiverReport, SegmentReport, TopColour,
    TopContents, TopShape,
};

use crate::args::InfoArgs;
use crate::args::info::Asked;
use crate::output::{json, printable, screen, shape, wrapped};
use crate::{Exit, say};

/// Columns in front of what is said.
const INDENT: usize = 12;

/// Columns of a list of names where there is no terminal.
const USUAL_COLUMNS: usize = 80;

/// Prints what a look at the segment finds.
pub(crate) fn run(args: &InfoArgs) -> anyhow::Result<Exit> {
    let report = match &args.asked {
        Asked::Segment(name) => tdshm::inspect(name.as_str())?,
        Asked::File(path) => return recording::run(path, args.json),
        Asked::Either(name, path) => match tdshm::inspect(name.as_str()) {
            Err(error) if error.kind() == ErrorKind::Absent => return recording::run(path, args.json),
            report => report?,
        },
    };
    if args.json {
        json::print(&json::Segment::from(&report))?;
    } else {
        screen::write(&text(&report, screen::columns()))?;
    }
    if let Some(error) = broken_rule(&report) {
        say::line(format_args!("the block in {:?} is malformed: {error}", report.name.as_str()));
    }
    for breach in broken_info(&report) {
        say::line(breach);
    }
    Ok(Exit::Done)
}

fn broken_rule(report: &SegmentReport) -> Option<&BlockError> {
    let chop = report.chop.as_ref().and_then(|chop| chop.layout.as_ref().err());
    chop.or_else(|| report.top.as_ref()?.layout.as_ref().err())
}

/// What is wrong with the info segment, where the data segment is not found through it.
fn broken_info(report: &SegmentReport) -> Vec<String> {
    let bare = report.detached.is_none() && broken_rule(report).is_none();
    let astray = report.mapped_bytes.is_none() && report.detached == Some(false);
    if !bare && !astray {
        return Vec::new();
    }
    let Ok(found) = tdshm::examine(report.name.as_str()) else { return Vec::new() };
    found
        .deviations
        .into_iter()
        .filter(|deviation| deviation.is_breach)
        .map(|deviation| deviation.text)
        .collect()
}

fn text(report: &SegmentReport, columns: Option<usize>) -> String {
    let room = columns.unwrap_or(usize::MAX).saturating_sub(INDENT).max(20);
    let mut text = format!("{}\n", printable(report.name.as_str()));
    let mut line = |title: &str, what: &str| {
        for (index, what) in wrapped(what.split(' ').map(Cow::Borrowed), room).iter().enumerate() {
            let title = if index == 0 { title } else { "" };
            text.push_str(&format!("  {title:<10}{what}\n"));
        }
    };
    line("kind", json::kind(report));
    let segment = printable(&report.segment);
    match report.mapped_bytes {
        Some(bytes) => line("segment", &format!("{segment}, {} mapped", say::count_of(bytes, "byte"))),
        None => line("segment", &format!("{segment}, which is not there")),
    }
    if let Some(chop) = &report.chop {
        line("block", &format!("{} bytes", chop.block_bytes));
        match &chop.layout {
            Ok(contents) => {
                line("channels", &shape(contents.num_channels, contents.len_samples, contents.sample_rate));
                match &contents.names {
                    Some(names) => {
                        let words = names.iter().map(|name| match printable(name) {
                            name if name.is_empty() || name.contains(' ') => Cow::Owned(format!("{name:?}")),
                            name => name,
                        });
                        let lines =
                            wrapped(words, columns.unwrap_or(USUAL_COLUMNS).saturating_sub(INDENT).max(20));
                        for (index, names) in lines.iter().enumerate() {
                            line(if index == 0 { "names" } else { "" }, names);
                        }
                    }
                    None => line("names", "not sent: receivers use chan1, chan2, …"),
                }
            }
            Err(_) => line("channels", "malformed"),
        }
    }
    match report.top.as_ref().map(|top| &top.layout) {
        Some(Ok(contents)) => {
            line("image", &image(&contents.shape));
            line("header", &header(contents));
        }
        Some(Err(_)) => line("image", "malformed"),
        None => {}
    }
    line("sender", &sender(report));
    if let Some(notices) = &report.notices {
        if let Some(age) = notices.age {
            line("frames", &format!("{}, the last one {} ms ago", notices.frames, age.as_millis()));
        }
        for (index, receiver) in notices.receivers.iter().enumerate() {
            let title = if index == 0 { "receivers" } else { "" };
            line(title, &reader(receiver));
        }
    }
    if let Some(true) = report.supported {
        // A receiver of ours that finds no free entry says the same as one of another program.
        let full = report.notices.as_ref().is_some_and(|notices| notices.receivers.len() >= ENTRIES);
        line("foreign", if full { MORE } else { "at least one receiver of another program has attached" });
    }
    text
}

/// Receivers that are recorded at most (wire §11).
const ENTRIES: usize = 16;
const MORE: &str = "more receivers have attached than are recorded, or one of another program";

/// `640 × 360, R8G8B8A8_UNORM (37)`, and what else the block says of its pixels.
fn image(shape: &TopShape) -> String {
    let number = shape.texels.format().map(|format| format!(" ({})", format.number())).unwrap_or_default();
    let unknown = if shape.texels.bytes_per_pixel().is_none() { ", which is unknown here" } else { "" };
    let aspect = match shape.aspect {
        (1.0, 1.0) => String::new(),
        (x, y) => format!(", pixels of {} : {}", crate::output::number(x), crate::output::number(y)),
    };
    let colour = match shape.colour {
        Some(TopColour { primaries, transfer }) => format!(", primaries {primaries}, transfer {transfer}"),
        None => String::new(),
    };
    format!("{} × {}, {}{number}{unknown}{aspect}{colour}", shape.width, shape.height, shape.texels)
}

/// `version 1, 921600 bytes of pixels from byte 48 on`.
fn header(contents: &TopContents) -> String {
    let version = match contents.shape.version {
        HeaderVersion::Legacy => "from before 2022".to_owned(),
        version => format!("version {}", version.number()),
    };
    let bytes = say::count_of(contents.shape.data_bytes, "byte");
    format!("{version}, {bytes} of pixels from byte {} on", contents.data_offset)
}

/// Whose the segment is, and whether that lives.
fn sender(report: &SegmentReport) -> String {
    let dead = "replace it with a new sender, or remove what it left with `tdshm clean`";
    match (&report.notices, report.detached) {
        (Some(NoticeReport { owner_pid: Some(pid), program, .. }), Some(true)) => {
            let program = printable(program);
            format!(
                "process {pid} ({program}) has died; its receivers are told, and it goes when they let go"
            )
        }
        (_, Some(true)) => "has left".to_owned(),
        (Some(NoticeReport { owner_pid: Some(pid), owner_alive, program, .. }), _) => {
            let program = printable(program);
            if *owner_alive {
                format!("process {pid} ({program})")
            } else {
                format!("process {pid} ({program}) has died: {dead}")
            }
        }
        (Some(_), _) => format!("has gone: {dead}"),
        (None, Some(false)) => "another program, which has not said that it left".to_owned(),
        (None, None) => {
            "publishes no info segment: it cannot say whether it left, nor move to a larger segment"
                .to_owned()
        }
    }
}

fn reader(receiver: &ReceiverReport) -> String {
    let pid = receiver.pid;
    let what = match receiver.frame {
        _ if !receiver.alive => "has died".to_owned(),
        None => "has read nothing yet".to_owned(),
        Some(_) if receiver.behind == 0 => "has the newest frame".to_owned(),
        Some(_) => format!("is {} behind", say::count(receiver.behind, "frame")),
    };
    format!("process {pid} {what}")
}
