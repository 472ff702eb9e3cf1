//! A table: a line a channel, with its last sample, the least and the greatest of the frame.

use std::io;
use std::time::{Duration, Instant};

use tdshm::ShortName;
use unicode_width::UnicodeWidthStr;

use crate::output::colour::{self, paint};
use crate::output::screen::{self, Screen};
use crate::output::{Arrival, View, fit, number, printable, shape};
use crate::say;

/// Columns of a number: the longest one has 14 characters.
const NUMBER: usize = 15;
/// Columns of a table where there is no terminal.
const USUAL_COLUMNS: usize = 80;
/// How often a terminal is drawn at most.
const REDRAW: Duration = Duration::from_millis(40);
/// Columns that a name gets at most.
const LONGEST_NAME: usize = 32;

/// In a terminal one table, drawn again; elsewhere a table a frame, with empty lines between them.
#[derive(Debug)]
pub(crate) struct TableView {
    name: ShortName,
    screen: Option<Screen>,
    drawn_at: Option<Instant>,
    /// The last arrival that has been drawn.
    drawn: u64,
}

impl TableView {
    pub(crate) fn new(name: ShortName) -> Self {
        Self { name, screen: Screen::of_stdout(), drawn_at: None, drawn: 0 }
    }

    fn draw(&mut self, arrival: Arrival<'_>) -> io::Result<()> {
        let first = self.drawn == 0;
        self.drawn = arrival.count;
        self.drawn_at = Some(Instant::now());
        if let Some(screen) = &mut self.screen {
            let size = Screen::size();
            let mut lines = lines(&self.name, arrival, size.columns, size.rows.saturating_sub(1));
            paint_heads(screen.colours(), &mut lines);
            return screen.draw(size, &lines);
        }
        let mut text = String::new();
        if !first {
            text.push('\n');
        }
        let mut lines = lines(&self.name, arrival, screen::columns().unwrap_or(USUAL_COLUMNS), usize::MAX);
        paint_heads(colour::of_stdout(), &mut lines);
        for line in lines {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        screen::write(&text)
    }
}

impl View for TableView {
    fn show(&mut self, arrival: Arrival<'_>) -> io::Result<()> {
        let soon = self.screen.is_some() && self.drawn_at.is_some_and(|at| at.elapsed() < REDRAW);
        if soon { Ok(()) } else { self.draw(arrival) }
    }

    fn idle(&mut self, last: Arrival<'_>) -> io::Result<()> {
        if self.drawn < last.count { self.show(last) } else { Ok(()) }
    }

    fn settle(&mut self, last: Option<Arrival<'_>>) -> io::Result<()> {
        if let Some(last) = last
            && self.drawn < last.count
        {
            self.draw(last)?;
        }
        if let Some(screen) = &mut self.screen {
            screen.forget();
        }
        Ok(())
    }
}

/// Paints the title and the heads of the columns.
fn paint_heads(colours: bool, lines: &mut [String]) {
    for (line, style) in lines.iter_mut().zip(["1", "2"]) {
        *line = paint(colours, style, line.trim_end());
    }
}

/// The table in lines of exactly `columns`, no more than `rows` of them.
fn lines(name: &ShortName, arrival: Arrival<'_>, columns: usize, rows: usize) -> Vec<String> {
    let frame = arrival.frame;
    let mut of = shape(frame.num_channels(), frame.len_samples(), frame.sample_rate());
    if arrival.scope.is_some() {
        of = format!("{} of {of}", arrival.num_channels());
    }
    let title = format!("{}   frame {}   {of}", printable(name.as_str()), arrival.count);
    let mut lines = vec![fit(&title, columns)];

    let longest = arrival.names().map(|name| printable(name).width()).max().unwrap_or(0);
    let names = longest.clamp("channel".len(), LONGEST_NAME).min(columns.saturating_sub(NUMBER).max(1));
    // As many of the three numbers as there is room for.
    let numbers = columns.saturating_sub(names).checked_div(NUMBER).unwrap_or(0).clamp(1, 3);
    let line = |name: &str, values: [&str; 3]| {
        let mut line = fit(name, names);
        for value in values.iter().take(numbers) {
            line.push_str(&format!("{value:>NUMBER$}"));
        }
        fit(&line, columns)
    };
    lines.push(line("channel", ["last", "min", "max"]));

    let room = rows.saturating_sub(lines.len());
    let channels = arrival.num_channels();
    let shown = if channels > room { room.saturating_sub(1) } else { channels };
    for (name, samples) in arrival.channels().take(shown) {
        let [last, least, greatest] = summary(samples);
        lines.push(line(name, [&last, &least, &greatest]));
    }
    let more = channels.saturating_sub(shown);
    if more > 0 {
        let more = say::count_of(more, "more channel");
        lines.push(fit(&format!("… and {more}: enlarge the terminal, or use --format csv"), columns));
    }
    lines
}

fn summary(samples: &[f32]) -> [String; 3] {
    match samples.last() {
        None => ["-"; 3].map(str::to_owned),
        // `f32::min` and `max` leave NaN out as long as there is anything else.
        Some(last) => {
            let least = samples.iter().copied().fold(f32::NAN, f32::min);
            let greatest = samples.iter().copied().fold(f32::NAN, f32::max);
            [*last, least, greatest].map(number)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tdshm::ChopFrame;

    fn table(columns: usize, rows: usize) -> Vec<String> {
        let name = ShortName::new("cam").unwrap();
        let names = ["tx", "a_rather_long_channel_name", "ty", "tz"];
        let samples = [&[0.5, -1.0, 0.25][..], &[1e-20, 2.0, 3.0], &[f32::NAN, 1.0, f32::NAN], &[0.0; 3]];
        let frame = ChopFrame::from_rows(names, 60.0, &samples).unwrap();
        let lines = lines(&name, Arrival { count: 12, frame: &frame, scope: None }, columns, rows);
        assert!(lines.iter().all(|line| line.width() == columns), "{lines:#?}");
        lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }

    #[test]
    fn a_wide_table_has_all_columns() {
        assert_eq!(
            table(80, 24),
            [
                "cam   frame 12   4 channels × 3 samples at 60 Hz",
                "channel                              last            min            max",
                "tx                                   0.25             -1            0.5",
                "a_rather_long_channel_name              3          1e-20              3",
                "ty                                    nan              1              1",
                "tz                                      0              0              0",
            ]
        );
    }

    #[test]
    fn a_small_terminal_gets_what_fits() {
        assert_eq!(
            table(30, 5),
            [
                "cam   frame 12   4 channels ×…",
                "channel                   last",
                "tx                        0.25",
                "a_rather_long_…              3",
                "… and 2 more channels: enlarg…",
            ]
        );
        table(1, 1);
        table(0, 0);
    }

    #[test]
    fn a_frame_without_samples_has_dashes() {
        assert_eq!(summary(&[]), ["-", "-", "-"]);
    }
}
