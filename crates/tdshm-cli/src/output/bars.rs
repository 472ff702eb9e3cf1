//! Bars: a line a channel, whose length is the value.

use tdshm::ChopFrame;
use unicode_width::UnicodeWidthStr;

use crate::output::colour::paint;
use crate::output::screen::Size;
use crate::output::{fit, printable};

/// From cold to warm, in the palette of 256 colours.
const COLOURS: [u8; 8] = [27, 33, 39, 43, 220, 214, 208, 202];
const EIGHTHS: [char; 8] = ['█', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
/// Columns of a value.
const VALUE: usize = 8;

/// How bars are drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) colours: bool,
    /// Whether the terminal knows more than ASCII.
    pub(crate) unicode: bool,
    /// The values at the two ends of a bar.
    pub(crate) range: (f32, f32),
    /// The unit of the values.
    pub(crate) unit: &'static str,
}

/// A bar for the last sample of each channel, under `title` and above a scale and `status`: lines no wider than
/// the terminal, at most one less than it has rows. Bars come before titles, and before the scale.
pub(crate) fn lines(
    frame: &ChopFrame,
    style: Style,
    size: Size,
    title: &[&str],
    status: &str,
) -> Vec<String> {
    let Size { columns, rows } = size;
    let rows = rows.saturating_sub(1);
    let longest = frame.names().iter().map(|name| printable(name).width()).max().unwrap_or(0);
    let names = longest.min(24).min(columns / 4);
    let bar = columns.saturating_sub(names).saturating_sub(VALUE).saturating_sub(3);

    let mut lines: Vec<String> = Vec::new();
    let spare = rows.saturating_sub(frame.num_channels()).saturating_sub(1);
    for line in title.iter().take(spare.saturating_sub(1)) {
        lines.push(paint(style.colours, "1", &fit(line, columns)));
    }
    let below = if spare > 0 { 2 } else { 1 };
    let room = rows.saturating_sub(lines.len()).saturating_sub(below);
    let shown = if frame.num_channels() > room { room.saturating_sub(1) } else { frame.num_channels() };
    for (name, samples) in frame.channels().take(shown) {
        let value = samples.last().copied().unwrap_or(f32::NAN);
        let share = share(value, style.range);
        let colour = COLOURS.get((share * 7.99) as usize).copied().unwrap_or(39);
        let drawn = paint(style.colours, &format!("38;5;{colour}"), &drawn(share, bar, style.unicode));
        let text = format!("{} {value:>VALUE$.2}  ", fit(name, names));
        lines.push(if bar == 0 { fit(&text, columns) } else { format!("{text}{drawn}") });
    }
    let more = frame.num_channels().saturating_sub(shown);
    if more > 0 && rows > 2 {
        lines.push(fit(&format!("and {more} more"), columns));
    }
    if spare > 0 {
        lines.push(paint(style.colours, "2", &fit(&scale(style, names, bar), columns)));
    }
    lines.push(fit(status, columns));
    lines
}

/// The ends of the range, under the ends of the bars.
fn scale(style: Style, names: usize, bar: usize) -> String {
    let indent = names.saturating_add(VALUE).saturating_add(3);
    let (low, high) = (style.range.0.to_string(), format!("{} {}", style.range.1, style.unit));
    let high_room = bar.saturating_sub(low.width()).saturating_sub(1);
    if high.width() > high_room {
        return String::new();
    }
    let gap = bar.saturating_sub(low.width()).saturating_sub(high.width());
    format!("{:indent$}{low}{:gap$}{high}", "", "")
}

/// Where a value lies between the ends of the range: 0 to 1.
fn share(value: f32, (low, high): (f32, f32)) -> f32 {
    let share = (value - low) / (high - low);
    if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
}

fn drawn(share: f32, columns: usize, unicode: bool) -> String {
    let exact = share * columns as f32;
    if !unicode {
        return "#".repeat(exact.round() as usize);
    }
    let eighths = (exact * 8.0).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    if let Some(rest) = EIGHTHS.get(eighths % 8).filter(|rest| **rest != '█') {
        bar.push(*rest);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(columns: usize, rows: usize, unicode: bool) -> Vec<String> {
        let frame =
            ChopFrame::from_rows(["jan", "feb", "mar"], 1.0, &[[20.0_f32], [25.0], [f32::NAN]]).unwrap();
        let style = Style { colours: false, unicode, range: (20.0, 30.0), unit: "°C" };
        let lines = lines(&frame, style, Size { columns, rows }, &["title", "more of it"], "status");
        assert!(lines.iter().all(|line| line.width() <= columns), "{lines:#?}");
        assert!(lines.len() < rows.max(4), "{lines:#?}");
        lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }

    #[test]
    fn a_bar_is_as_long_as_its_value() {
        assert_eq!(
            bars(35, 20, true),
            [
                "title",
                "more of it",
                "jan    20.00",
                "feb    25.00  ██████████▌",
                "mar      NaN",
                "              20              30 °C",
                "status",
            ]
        );
        assert_eq!(bars(35, 20, false)[3], "feb    25.00  ###########");
    }

    #[test]
    fn small_terminals_lose_titles_first() {
        assert_eq!(bars(35, 7, true)[0], "title");
        assert_eq!(bars(35, 6, true)[0], "jan    20.00");
        assert_eq!(bars(35, 5, true).len(), 4);
        assert_eq!(bars(35, 4, true)[1..], ["and 2 more", "status"]);
        for (columns, rows) in [(12, 24), (1, 1), (0, 0), (80, 2)] {
            bars(columns, rows, true);
        }
    }
}
