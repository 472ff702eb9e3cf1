//! `tdshm list`: every segment of this machine.

use tdshm::{Error, SegmentError, SegmentReport, Survey};
use unicode_width::UnicodeWidthStr;

use crate::args::ListArgs;
use crate::output::colour::{self, paint};
use crate::output::{fit, image_shape, json, number, printable, screen};
use crate::{Exit, say};

const HEADS: [&str; 6] = ["NAME", "KIND", "CHANNELS", "SAMPLES", "RATE", "BYTES"];
/// Columns that a name gets at least, where it has so many.
const LEAST_NAME: usize = 8;
/// The same before a remark gets any.
const LEAST_BESIDE_REMARK: usize = 16;

/// Prints a line a segment.
pub(crate) fn run(args: &ListArgs) -> anyhow::Result<Exit> {
    let Survey { segments, left_out, .. } = tdshm::survey()?;
    if args.json {
        let segments: Vec<json::Segment<'_>> = segments.iter().map(json::Segment::from).collect();
        json::print(&segments)?;
    } else if segments.is_empty() && left_out.is_empty() {
        say::line("no segments here: start a sender, for example `tdshm send mocap`");
    } else if !segments.is_empty() {
        screen::write(&table(&segments, screen::columns(), colour::of_stdout()))?;
    }
    for (name, error) in &left_out {
        say::line(format_args!("left out: {:?}: {}", name.as_str(), why(error)));
    }
    Ok(Exit::Done)
}

/// Why a segment was left out, in short: `info` says what to do.
fn why(error: &Error) -> String {
    match error {
        Error::Segment(SegmentError::NotOurs { reason, .. }) => {
            reason.split(": ").next().unwrap_or_default().to_owned()
        }
        error => error.to_string(),
    }
}

/// The table, cut to `columns` where there are so many.
fn table(reports: &[SegmentReport], columns: Option<usize>, colours: bool) -> String {
    let rows: Vec<([String; 6], String, bool)> = reports.iter().map(row).collect();
    let mut widths = HEADS.map(str::len);
    for (cells, ..) in &rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.width().max(*width);
        }
    }
    if let (Some(columns), [name, others @ ..]) = (columns, &mut widths) {
        let remarks = rows.iter().map(|(_, remark, _)| remark.width()).max().unwrap_or(0);
        let others = others.iter().map(|width| width.saturating_add(2)).sum::<usize>();
        let room = columns.saturating_sub(others).saturating_sub(2);
        let least = room.clamp(LEAST_NAME, LEAST_BESIDE_REMARK);
        *name = (*name).min(room.saturating_sub(remarks).max(least));
    }
    let mut text = String::new();
    let head = (HEADS.map(str::to_owned), String::new(), false);
    for (cells, remark, wrong) in std::iter::once(head).chain(rows) {
        let head = cells.first().is_some_and(|cell| cell == HEADS[0]) && text.is_empty();
        let mut line = String::new();
        for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
            // Words to the left, numbers to the right.
            let cell = if column < 2 { fit(cell, width) } else { format!("{cell:>width$}") };
            line.push_str(&cell);
            line.push_str("  ");
        }
        line.push_str(&remark);
        let line = line.trim_end();
        let line = match columns {
            Some(columns) if line.width() > columns => fit(line, columns),
            _ => line.to_owned(),
        };
        let style = if head { "1" } else { "33" };
        text.push_str(&paint(colours && (head || wrong), style, &line));
        text.push('\n');
    }
    text
}

/// The cells of a line, what stands behind them, and whether that is about something wrong.
fn row(report: &SegmentReport) -> ([String; 6], String, bool) {
    let wrong = remark(report);
    let image = report.top.as_ref().and_then(|top| top.layout.as_ref().ok());
    let image = image.map(|contents| image_shape(&contents.shape));
    let words: Vec<&str> = image.as_deref().into_iter().chain((!wrong.is_empty()).then_some(wrong)).collect();
    (cells(report), words.join(", "), !wrong.is_empty())
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
    let died = notices.is_some_and(|notices| notices.owner_pid.is_some() && !notices.owner_alive);
    if report.detached == Some(true) {
        if died { "has died; its receivers are told" } else { "has left" }
    } else if notices.is_some_and(|notices| !notices.owner_alive) {
        "has died: `tdshm clean`"
    } else if report.mapped_bytes.is_none() {
        "no data segment"
    } else if report.chop.as_ref().is_some_and(|chop| chop.layout.is_err())
        || report.top.as_ref().is_some_and(|top| top.layout.is_err())
    {
        "malformed: `tdshm info`"
    } else {
        ""
    }
}
