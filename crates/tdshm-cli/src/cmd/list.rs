//! `tdshm list`: every segment of this machine.

use tdshm::SegmentReport;
use unicode_width::UnicodeWidthStr;

use crate::args::ListArgs;
use crate::output::{fit, json, number, printable, screen};
use crate::{Exit, say};

const HEADS: [&str; 6] = ["NAME", "KIND", "CHANNELS", "SAMPLES", "RATE", "BYTES"];

/// Prints a line a segment.
pub(crate) fn run(args: &ListArgs) -> anyhow::Result<Exit> {
    let reports = tdshm::list()?;
    if args.json {
        let segments: Vec<json::Segment<'_>> = reports.iter().map(json::Segment::from).collect();
        json::print(&segments)?;
    } else if reports.is_empty() {
        say::line("no segments here: start a sender, for example `tdshm send mocap`");
    } else {
        screen::write(&table(&reports))?;
    }
    Ok(Exit::Done)
}

fn table(reports: &[SegmentReport]) -> String {
    let rows: Vec<([String; 6], &'static str)> = reports.iter().map(|r| (cells(r), remark(r))).collect();
    let mut widths = HEADS.map(str::len);
    for (cells, _) in &rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.width().max(*width);
        }
    }
    let mut text = String::new();
    for (cells, remark) in std::iter::once((HEADS.map(str::to_owned), "")).chain(rows) {
        let mut line = String::new();
        for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
            // Words to the left, numbers to the right.
            let cell = if column < 2 { fit(cell, width) } else { format!("{cell:>width$}") };
            line.push_str(&cell);
            line.push_str("  ");
        }
        line.push_str(remark);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn cells(report: &SegmentReport) -> [String; 6] {
    let contents = report.chop.as_ref().and_then(|chop| chop.layout.as_ref().ok());
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        printable(report.name.as_str()).into_owned(),
        json::kind(report).to_owned(),
        or_dash(contents.map(|contents| contents.num_channels.to_string())),
        or_dash(contents.map(|contents| contents.len_samples.to_string())),
        or_dash(contents.map(|contents| number(contents.sample_rate))),
        or_dash(report.mapped_bytes.map(|bytes| bytes.to_string())),
    ]
}

fn remark(report: &SegmentReport) -> &'static str {
    let notices = report.notices.as_ref();
    if report.detached == Some(true) {
        "its sender has left"
    } else if notices.is_some_and(|notices| !notices.owner_alive) {
        "its sender has died: see `tdshm clean`"
    } else if report.mapped_bytes.is_none() {
        "no data segment"
    } else if report.chop.as_ref().is_some_and(|chop| chop.layout.is_err()) {
        "malformed: see `tdshm info`"
    } else {
        ""
    }
}
