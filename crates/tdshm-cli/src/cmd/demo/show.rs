//! How the demo shows its frames: bars in a terminal, a line a second elsewhere.

use std::fmt::Write;
use std::io;
use std::process;
use std::time::Duration;

use tdshm::{ChopFrame, TopFrame};
use tdshm_io::Recording;

use crate::bundled;
use crate::cmd::demo::Tally;
use crate::output::bars::{self, Style};
use crate::output::image::preview;
use crate::output::screen::{self, Screen, Size};

/// Rows of letters that the image gets, where there are so many.
const MOST_ROWS: usize = 12;
/// With fewer there is nothing to be seen.
const LEAST_ROWS: usize = 5;

/// What shows them, and what it says above.
#[derive(Debug)]
pub(super) struct Show {
    name: String,
    from: u32,
    /// The least and the greatest value of the recording, in whole units.
    range: (f32, f32),
    screen: Option<Screen>,
    /// When the next line is due, where there is no terminal.
    line_at: Option<Duration>,
}

impl Show {
    pub(super) fn new(name: &str, from: u32, recording: &Recording) -> Self {
        let values = || (0..recording.num_channels()).filter_map(|index| recording.channel(index)).flatten();
        let least = values().copied().fold(f32::NAN, f32::min);
        let greatest = values().copied().fold(f32::NAN, f32::max);
        Self {
            name: name.to_owned(),
            from,
            range: (least.floor(), greatest.ceil()),
            screen: Screen::of_stdout(),
            line_at: None,
        }
    }

    /// Shows a frame that arrived `streamed` after the first.
    pub(super) fn frame(
        &mut self,
        frame: &ChopFrame,
        image: Option<&TopFrame>,
        tally: &Tally,
        streamed: Duration,
    ) -> io::Result<()> {
        let year = tally.place.map(|place| place.saturating_add(bundled::FIRST_YEAR));
        let year = year.map_or_else(|| "????".to_owned(), |year| year.to_string());
        let Some(screen) = &mut self.screen else { return self.line(frame, tally, &year, streamed) };
        let to = process::id();
        let unicode = screen::is_unicode();
        let arrow = if unicode { "─▶" } else { "->" };
        let way = format!("process {}  {arrow}  {:?}  {arrow}  process {to}, this one", self.from, self.name);
        let size = Screen::size();
        let style = Style { colours: screen.colours(), unicode, range: self.range, unit: bundled::UNIT };
        let rate = match streamed.as_secs_f64() {
            0.0 => String::new(),
            seconds => format!("{:.1} frames/s   ", tally.frames.saturating_sub(1) as f64 / seconds),
        };
        let status = format!("year {year}   frame {}   {rate}Ctrl-C ends", tally.frames);
        let mut lines = bars::lines(frame, style, size, &[&way, bundled::TITLE, ""], &status);
        if let Some(image) = image {
            add_picture(&mut lines, image, style, size);
        }
        screen.draw(size, &lines)
    }

    fn line(&mut self, frame: &ChopFrame, tally: &Tally, year: &str, streamed: Duration) -> io::Result<()> {
        let mut text = String::new();
        match self.line_at {
            Some(at) if streamed < at => return Ok(()),
            Some(_) => {}
            None => {
                let (from, to, name) = (self.from, process::id(), &self.name);
                text = format!(
                    "process {from} sends {}, in {}, through {name:?}; process {to}, this one, receives it\n",
                    bundled::TITLE,
                    bundled::UNIT
                );
            }
        }
        text.push_str(&format!("frame {:>4}  {year} ", tally.frames));
        for (name, samples) in frame.channels() {
            let value = samples.last().copied().unwrap_or(f32::NAN);
            // Writing into a string cannot fail.
            let _ = write!(text, " {name} {value:.1}");
        }
        text.push('\n');
        self.line_at = Some(Duration::from_secs(streamed.as_secs().saturating_add(1)));
        screen::write(&text)
    }
}

/// Puts the image below the bars, above the last line, where there is room.
fn add_picture(lines: &mut Vec<String>, image: &TopFrame, style: Style, size: Size) {
    let rows = size.rows.saturating_sub(1).saturating_sub(lines.len()).min(MOST_ROWS);
    if rows < LEAST_ROWS {
        return;
    }
    let style = preview::Style { colours: style.colours, unicode: style.unicode };
    let room = Size { columns: size.columns, rows };
    if let (Some(picture), Some(last)) = (preview::lines(image, style, room), lines.len().checked_sub(1)) {
        lines.splice(last..last, picture);
    }
}
