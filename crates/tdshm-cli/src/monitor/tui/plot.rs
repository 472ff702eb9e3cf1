//! A scope: a trace a channel, with its range, its time, a cursor, and the channels' values.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::canvas::{Canvas, Line as Stroke};
use ratatui::widgets::{Paragraph, Widget};

use super::app::App;
use super::scope::{Axis, Look, Seen};
use crate::monitor::model::Channels;
use crate::output::{fit, number, printable};
use crate::say;

/// The colours of the traces, in order.
const COLOURS: [Color; 12] = [
    Color::LightGreen,
    Color::LightCyan,
    Color::LightYellow,
    Color::LightMagenta,
    Color::LightRed,
    Color::LightBlue,
    Color::Green,
    Color::Cyan,
    Color::Yellow,
    Color::Magenta,
    Color::Red,
    Color::Blue,
];
/// Columns for the values of the range.
const RANGE: u16 = 10;
/// Columns for the names and values of the channels, beside the scope or as many as fit below it.
const LEGEND: u16 = 24;
/// Rows that they get below it, from so many rows on.
const LEAST_LEGEND: u16 = 3;
const LEAST_BODY: u16 = 6;
/// From so many columns on they stand beside it.
const BESIDE: u16 = 60;

pub(super) fn draw(
    buffer: &mut Buffer,
    app: &mut App,
    channels: &Channels,
    look: &Look,
    rate: Option<f64>,
    area: Rect,
) {
    let names = channels.names();
    let picked = app.picked(names);
    let seen = Seen::of(channels, look, rate);
    let range = app.range(&seen, &picked);
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)]).areas(area);
    let (body, legend) = if body.width >= BESIDE {
        let [body, legend] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(LEGEND)]).areas(body);
        (body, legend)
    } else {
        let most = if body.height < LEAST_BODY { 0 } else { (body.height / 4).max(LEAST_LEGEND) };
        let rows = u16::try_from(picked.len()).unwrap_or(u16::MAX).min(most);
        let [body, legend] = Layout::vertical([Constraint::Fill(1), Constraint::Length(rows)]).areas(body);
        (body, legend)
    };
    let [labels, plot] = Layout::horizontal([Constraint::Length(RANGE), Constraint::Fill(1)]).areas(body);

    let what = match seen.axis {
        Axis::History => "history",
        Axis::Frame => "newest frame",
    };
    let how = if look.range.is_some() { "fixed range" } else { "auto range" };
    let text =
        format!("{what}, {}, {how}, {} of {}", say::count(seen.span, "sample"), picked.len(), names.len());
    Line::styled(fit(&text, usize::from(head.width)), app.theme.dim()).render(head, buffer);

    draw_range(buffer, app, range, labels);
    let dots = usize::from(plot.width).saturating_mul(2);
    let cursor = look.cursor;
    let grey = if app.theme.colours { Color::DarkGray } else { Color::Reset };
    Canvas::default()
        .marker(Marker::Braille)
        .x_bounds([0.0, 1.0])
        .y_bounds([range.0, range.1])
        .paint(|canvas| {
            if range.0 < 0.0 && range.1 > 0.0 && app.theme.colours {
                canvas.draw(&Stroke { x1: 0.0, y1: 0.0, x2: 1.0, y2: 0.0, color: grey });
            }
            if let Some(x) = cursor {
                canvas.draw(&Stroke { x1: x, y1: range.0, x2: x, y2: range.1, color: grey });
            }
            canvas.layer();
            for (index, channel) in picked.iter().enumerate() {
                let color = colour(app, index);
                for ((x1, y1), (x2, y2)) in seen.lines(*channel, dots) {
                    canvas.draw(&Stroke { x1, y1, x2, y2, color });
                }
            }
        })
        .render(plot, buffer);
    app.places.plot = plot;

    draw_time(buffer, app, &seen, look, Rect { x: plot.x, width: plot.width, ..foot });
    draw_legend(buffer, app, channels, &seen, &picked, legend);
}

fn colour(app: &App, index: usize) -> Color {
    let colour = index.checked_rem(COLOURS.len()).and_then(|index| COLOURS.get(index)).copied();
    if app.theme.colours { colour.unwrap_or(Color::Reset) } else { Color::Reset }
}

/// The greatest value at the top, the least one at the bottom, and the middle.
fn draw_range(buffer: &mut Buffer, app: &App, (least, greatest): (f64, f64), area: Rect) {
    if area.height == 0 {
        return;
    }
    let bottom = area.bottom().saturating_sub(1);
    let mut places = vec![(area.y, greatest)];
    if area.height >= 3 {
        places.push((area.y.saturating_add(area.height / 2), f64::midpoint(least, greatest)));
    }
    if area.height >= 2 {
        places.push((bottom, least));
    }
    let width = usize::from(area.width.saturating_sub(1));
    for (y, value) in places {
        let text = format!("{:>width$}", label(value, greatest - least));
        buffer.set_stringn(area.x, y, text, width, app.theme.dim());
    }
}

/// In few columns. What differs from 0 by less than can be seen of that range is 0.
fn label(value: f64, range: f64) -> String {
    let value = if value.abs() < range * 1e-4 { 0.0 } else { value };
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e6).contains(&size) { format!("{value:.2e}") } else { format!("{value:.3}") }
}

/// The time at both edges, and where the cursor is.
fn draw_time(buffer: &mut Buffer, app: &App, seen: &Seen<'_>, look: &Look, area: Rect) {
    let columns = usize::from(area.width);
    let (left, right) = (seconds(seen.seconds_at(0.0)), seconds(seen.seconds_at(1.0)));
    let middle = look.cursor.map(|part| {
        let place = seen.place_at(part);
        let frame = place.and_then(|place| seen.frame_of(place));
        let frame = frame.map(|number| format!(" frame {number}")).unwrap_or_default();
        let part = seen.part_of(place);
        format!("{}{frame}", seconds(seen.seconds_at(part)))
    });
    let middle = middle.map(|text| format!("▶ {text}")).unwrap_or_default();
    let room = columns.saturating_sub(left.len()).saturating_sub(right.len());
    // Where there is no room for all three, that of the cursor counts most.
    let text = match room.checked_sub(Line::from(middle.as_str()).width()) {
        Some(2..) => format!("{left}{middle:^room$}{right}"),
        _ if middle.is_empty() => left,
        _ => middle,
    };
    buffer.set_stringn(area.x, area.y, text, columns, app.theme.dim());
}

fn seconds(time: f64) -> String {
    format!("{time:.3} s")
}

/// Names and values: at the cursor, or the newest.
fn draw_legend(
    buffer: &mut Buffer,
    app: &App,
    channels: &Channels,
    seen: &Seen<'_>,
    picked: &[usize],
    area: Rect,
) {
    if area.is_empty() {
        return;
    }
    let part = app.look.cursor.unwrap_or(1.0);
    let place = seen.place_at(part);
    let rows = usize::from(area.height);
    // The last row says how many there are beyond.
    let fitting = if picked.len() > rows { rows.saturating_sub(1) } else { rows };
    let width = usize::from(area.width);
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (index, channel) in picked.iter().enumerate().take(fitting) {
        let name = channels.names().get(*channel).map(String::as_str).unwrap_or_default();
        let value = place.and_then(|place| seen.value(*channel, place));
        let value = value.map_or_else(|| "-".to_owned(), number);
        let room = width.saturating_sub(value.len()).saturating_sub(4);
        let style = app.theme.fg(colour(app, index)).add_modifier(Modifier::BOLD);
        lines.push(Line::from(vec![
            Span::styled(" ━ ", style),
            Span::raw(fit(&printable(name), room)),
            Span::raw(format!(" {value}")),
        ]));
    }
    if picked.len() > fitting {
        lines.push(Line::styled(
            format!("   and {} more", picked.len().saturating_sub(fitting)),
            app.theme.dim(),
        ));
    }
    if picked.is_empty() {
        lines.push(Line::styled(" no channels", app.theme.dim()));
    }
    Paragraph::new(lines).render(area, buffer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_good_as_zero_is_zero() {
        assert_eq!(label(6e-7, 2.2), "0.000");
        assert_eq!(label(-6e-7, 2.2), "0.000");
        assert_eq!(label(-0.0, 1.0), "0.000");
        assert_eq!(label(6e-7, 2e-6), "6.00e-7");
        assert_eq!((label(-1.1, 2.2), label(1e7, 2e7)), ("-1.100".to_owned(), "1.00e7".to_owned()));
    }
}
