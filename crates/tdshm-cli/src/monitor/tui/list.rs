//! The left side: a line a segment.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget};
use tdshm::BlockKind;
use unicode_width::UnicodeWidthStr;

use super::app::App;
use crate::monitor::model::{Model, Segment, Severity};
use crate::output::{fit, format_name, printable};

/// A column: its head, its width, and what stands in it.
type Column = (&'static str, usize, fn(&Segment) -> String);

/// The columns behind the name, in the order in which they get room.
const BY_IMPORTANCE: [Column; 7] = [
    ("RATE", 6, rate),
    ("SHAPE", 15, shape),
    ("AGE", 6, age),
    ("MISSED", 6, missed),
    ("RECV", 4, receivers),
    ("KIND", 4, kind),
    ("OWNER", 16, owner),
];
/// The order in which they stand.
const IN_ORDER: [&str; 7] = ["KIND", "SHAPE", "RATE", "MISSED", "AGE", "RECV", "OWNER"];
/// Columns that a name gets at least, and, where one is as long as that, before the less important ones get any.
const LEAST_NAME: usize = 10;
const USUAL_NAME: usize = 24;
/// How many come before that.
const IMPORTANT: usize = 3;
/// In front of a name: whether something is wrong.
const MARK: usize = 2;

pub(super) fn draw(buffer: &mut Buffer, app: &mut App, model: &Model, area: Rect) {
    let listed = app.listed(model);
    let there = listed.iter().filter(|segment| segment.is_there()).count();
    let title = match &app.segments {
        Some(pattern) => format!(" segments {there}: {pattern} "),
        None => format!(" segments {there} "),
    };
    let block = app.theme.block(printable(&title).into_owned());
    let inner = block.inner(area);
    block.render(area, buffer);
    if inner.is_empty() {
        return;
    }
    let width = usize::from(inner.width);
    let longest = longest(&listed);
    let columns = columns(width, longest);
    let others: usize = columns.iter().map(|(_, width, _)| width.saturating_add(1)).sum();
    let name = width.saturating_sub(others).saturating_sub(MARK);

    let mut head = format!("{:MARK$}{}", "", fit("NAME", name));
    for (title, width, _) in &columns {
        head.push_str(&cell(title, title, *width));
    }
    let rows = usize::from(inner.height.saturating_sub(1));
    let at = listed.iter().position(|segment| Some(segment.name()) == app.selected.as_ref()).unwrap_or(0);
    let from = app.scrolled.min(at).max(at.saturating_add(1).saturating_sub(rows));
    let from = from.min(listed.len().saturating_sub(rows));
    let mut lines = vec![Line::styled(head, app.theme.bold())];
    let mut names = Vec::new();
    for segment in listed.into_iter().skip(from).take(rows) {
        let worst = segment.warnings().first().map(|warning| warning.severity);
        let (mark, colour) = match worst {
            Some(Severity::Wrong) => ("!", Some(Color::Red)),
            Some(Severity::Unusual) => ("?", Some(Color::Yellow)),
            _ => (" ", None),
        };
        let mut text = format!("{}{}", fit(mark, MARK), fit(segment.name().as_str(), name));
        for (title, width, what) in &columns {
            text.push_str(&cell(title, &what(segment), *width));
        }
        let mut style = colour.map_or_else(Style::new, |colour| app.theme.fg(colour));
        if !segment.is_there() {
            style = style.add_modifier(Modifier::DIM);
        }
        if Some(segment.name()) == app.selected.as_ref() {
            style = style.add_modifier(Modifier::REVERSED);
        }
        lines.push(Line::styled(text, style));
        names.push(segment.name().clone());
    }
    app.scrolled = from;
    app.places.list = Rect { y: inner.y.saturating_add(1), height: inner.height.saturating_sub(1), ..inner };
    app.places.rows = names;
    Paragraph::new(lines).render(inner, buffer);
}

/// Columns of the longest name.
fn longest(listed: &[&Segment]) -> usize {
    listed.iter().map(|segment| printable(segment.name().as_str()).width()).max().unwrap_or(0)
}

/// The width, borders and all, with which nothing has to be cut.
pub(super) fn wanted(app: &App, model: &Model) -> usize {
    let others = BY_IMPORTANCE.iter().map(|(_, width, _)| width.saturating_add(1));
    others.sum::<usize>().saturating_add(MARK).saturating_add(longest(&app.listed(model))).saturating_add(2)
}

/// Those that there is room for beside names of that length.
fn columns(width: usize, longest: usize) -> Vec<Column> {
    let mut room = width.saturating_sub(MARK).saturating_sub(LEAST_NAME);
    let mut chosen: Vec<Column> = Vec::new();
    for (place, column) in BY_IMPORTANCE.into_iter().enumerate() {
        if place == IMPORTANT {
            room = room.saturating_sub(longest.min(USUAL_NAME).saturating_sub(LEAST_NAME));
        }
        let Some(left) = room.checked_sub(column.1.saturating_add(1)) else { break };
        room = left;
        chosen.push(column);
    }
    chosen.sort_by_key(|(title, ..)| IN_ORDER.iter().position(|other| other == title));
    chosen
}

/// Words to the left, numbers to the right.
fn cell(title: &str, text: &str, width: usize) -> String {
    match title {
        "KIND" | "SHAPE" | "OWNER" => format!(" {}", fit(text, width)),
        _ => format!(" {text:>width$}"),
    }
}

fn kind(segment: &Segment) -> String {
    let kind = match segment.kind() {
        BlockKind::Chop => "chop",
        BlockKind::Top => "top",
        BlockKind::Global => "all",
        _ => "-",
    };
    kind.to_owned()
}

/// `12×600` of channels and samples, `640×360 rgba8` of an image.
pub(super) fn shape(segment: &Segment) -> String {
    let Some(report) = segment.report() else { return "-".to_owned() };
    let wrong = || "malformed".to_owned();
    match (&report.chop, &report.top) {
        (Some(chop), _) => chop.layout.as_ref().map_or_else(
            |_| wrong(),
            |contents| format!("{}×{}", contents.num_channels, contents.len_samples),
        ),
        (_, Some(top)) => top.layout.as_ref().map_or_else(
            |_| wrong(),
            |contents| {
                let shape = &contents.shape;
                format!("{}×{} {}", shape.width, shape.height, format_name(shape.texels))
            },
        ),
        _ => "-".to_owned(),
    }
}

pub(super) fn rate(segment: &Segment) -> String {
    segment.rate().map_or_else(|| "-".to_owned(), frames_per_second)
}

/// With one digit behind the point where that says something.
pub(super) fn frames_per_second(rate: f64) -> String {
    if rate < 999.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

fn missed(segment: &Segment) -> String {
    let content =
        segment.content().filter(|content| content.number().is_some() && content.channels().is_some());
    content.map_or_else(|| "-".to_owned(), |content| content.missed().to_string())
}

fn age(segment: &Segment) -> String {
    segment.age().map_or_else(|| "-".to_owned(), short_time)
}

/// `16 ms`, `3.2 s`, `2 min`, `4 h`: never more than six columns.
pub(super) fn short_time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..=9 => format!("{:.1} s", time.as_secs_f64().min(9.9)),
        10..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=359_999 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn receivers(segment: &Segment) -> String {
    segment.receivers().map_or_else(|| "-".to_owned(), |(living, _)| living.to_string())
}

fn owner(segment: &Segment) -> String {
    match segment.notices() {
        Some(notices) => match notices.owner_pid {
            Some(pid) => format!("{pid} {}", printable(&notices.program)),
            None => "gone".to_owned(),
        },
        None if segment.is_there() => "foreign".to_owned(),
        None => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let text = |ms| short_time(Duration::from_millis(ms));
        assert_eq!(
            [0, 999, 1000, 9999, 10_000, 119_000].map(text),
            ["0 ms", "999 ms", "1.0 s", "9.9 s", "10 s", "119 s"]
        );
        assert_eq!([120_000, 7_200_000, 1_000_000_000].map(text), ["2 min", "2 h", "11 d"]);
    }

    #[test]
    fn columns_come_as_there_is_room() {
        let titles = |width, longest| {
            columns(width, longest).iter().map(|(title, ..)| *title).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(titles(0, 0), "");
        assert_eq!(titles(20, 99), "RATE");
        assert_eq!(titles(40, 99), "SHAPE RATE");
        assert_eq!(titles(75, 10), "KIND SHAPE RATE MISSED AGE RECV");
        assert_eq!(titles(100, 10), "KIND SHAPE RATE MISSED AGE RECV OWNER");
        // Long names come before what is less important.
        assert_eq!(titles(60, 10), "KIND SHAPE RATE MISSED AGE RECV");
        assert_eq!(titles(60, 24), "SHAPE RATE AGE");
        assert_eq!(titles(65, 99), "SHAPE RATE MISSED AGE");
    }
}
