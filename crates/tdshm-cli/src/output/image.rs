//! How images are shown: what is known of each, and in a terminal the picture itself.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use serde::Serialize;
use tdshm::{HeaderVersion, ShortName, TopFrame};

use crate::args::Format;
use crate::output::colour::{self, paint};
use crate::output::screen::{self, Screen};
use crate::output::{fit, image_shape, json, printable};
use crate::say;

pub(crate) mod preview;

/// How often a terminal is drawn at most.
const REDRAW: Duration = Duration::from_millis(40);
/// How far back the rate looks.
const RATE_OVER: Duration = Duration::from_secs(2);
/// Columns and rows of a preview at most: it is drawn often, perhaps through a network.
const LARGEST_PREVIEW: (usize, usize) = (96, 36);

/// An image and its place among those that arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImageArrival<'f> {
    /// Counted from 1.
    pub(crate) count: u64,
    pub(crate) frame: &'f TopFrame,
}

/// What a line of JSON says of an image.
#[derive(Serialize)]
struct Line {
    frame: u64,
    /// Null for a foreign sender's, which nobody counts; `age_ms` likewise.
    missed: Option<u64>,
    age_ms: Option<f64>,
    width: usize,
    height: usize,
    pixel_format: String,
    pixel_format_number: Option<u32>,
    header_version: i32,
    /// Whether the header is the one from before 2022, whose version is 2 as well.
    legacy: bool,
    data_bytes: usize,
}

impl Line {
    const HEADS: &str = "frame,missed,age_ms,width,height,pixel_format,pixel_format_number,header_version,legacy,data_bytes\n";

    fn of(arrival: ImageArrival<'_>) -> Self {
        let (frame, shape) = (arrival.frame, arrival.frame.shape());
        Self {
            frame: arrival.count,
            missed: frame.missed(),
            age_ms: frame.age().map(json::milliseconds),
            width: shape.width,
            height: shape.height,
            pixel_format: json::pixel_format(shape.texels),
            pixel_format_number: json::pixel_format_number(shape.texels),
            header_version: shape.version.number(),
            legacy: shape.version == HeaderVersion::Legacy,
            data_bytes: shape.data_bytes,
        }
    }

    /// A row of CSV; what is not known is empty.
    fn row(&self) -> String {
        let or_empty = |value: Option<String>| value.unwrap_or_default();
        let Self { frame, width, height, pixel_format, header_version, legacy, data_bytes, .. } = self;
        let missed = or_empty(self.missed.map(|missed| missed.to_string()));
        let age = or_empty(self.age_ms.map(|age| age.to_string()));
        let number = or_empty(self.pixel_format_number.map(|number| number.to_string()));
        format!(
            "{frame},{missed},{age},{width},{height},{pixel_format},{number},{header_version},{legacy},{data_bytes}\n"
        )
    }
}

/// Shows images on standard output.
#[derive(Debug)]
pub(crate) struct ImageView {
    name: ShortName,
    format: Format,
    screen: Option<Screen>,
    drawn_at: Option<Instant>,
    /// The last arrival that has been shown.
    drawn: u64,
    /// When images arrived, lately.
    arrived: VecDeque<Instant>,
    missed: u64,
}

impl ImageView {
    pub(crate) fn new(name: ShortName, format: Format) -> Self {
        let screen = if format == Format::Table { Screen::of_stdout() } else { None };
        Self { name, format, screen, drawn_at: None, drawn: 0, arrived: VecDeque::new(), missed: 0 }
    }

    /// Shows an image that has just arrived.
    pub(crate) fn show(&mut self, arrival: ImageArrival<'_>) -> io::Result<()> {
        let now = Instant::now();
        self.arrived.push_back(now);
        while self.arrived.front().is_some_and(|at| now.duration_since(*at) > RATE_OVER) {
            self.arrived.pop_front();
        }
        self.missed = self.missed.saturating_add(arrival.frame.missed().unwrap_or(0));
        self.draw_or_wait(arrival)
    }

    /// Time has passed: catches up with the last image.
    pub(crate) fn idle(&mut self, last: ImageArrival<'_>) -> io::Result<()> {
        if self.drawn < last.count { self.draw_or_wait(last) } else { Ok(()) }
    }

    /// Something else is about to be printed, or the end has come.
    pub(crate) fn settle(&mut self, last: Option<ImageArrival<'_>>) -> io::Result<()> {
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

    fn draw_or_wait(&mut self, arrival: ImageArrival<'_>) -> io::Result<()> {
        let soon = self.screen.is_some() && self.drawn_at.is_some_and(|at| at.elapsed() < REDRAW);
        if soon { Ok(()) } else { self.draw(arrival) }
    }

    fn draw(&mut self, arrival: ImageArrival<'_>) -> io::Result<()> {
        let first = self.drawn == 0;
        self.drawn = arrival.count;
        self.drawn_at = Some(Instant::now());
        let line = match self.format {
            Format::Json => return json::print(&Line::of(arrival)),
            Format::Csv => {
                let heads = if first { Line::HEADS } else { "" };
                return screen::write(&format!("{heads}{}", Line::of(arrival).row()));
            }
            Format::Table => self.line(arrival),
        };
        let Some(screen) = &mut self.screen else {
            return screen::write(&format!("{}\n", paint(colour::of_stdout(), "1", &line)));
        };
        let size = Screen::size();
        let (columns, rows) = LARGEST_PREVIEW;
        let room =
            screen::Size { columns: size.columns.min(columns), rows: size.rows.saturating_sub(2).min(rows) };
        let style = preview::Style { colours: screen.colours(), unicode: screen::is_unicode() };
        let mut lines = vec![paint(screen.colours(), "1", fit(&line, size.columns).trim_end())];
        match preview::lines(arrival.frame, style, room) {
            Some(picture) => lines.extend(picture),
            None => lines.push(fit("the pixels are of a format that is unknown here", size.columns)),
        }
        screen.draw(size, &lines)
    }

    /// `cam   frame 12   640 × 360 rgba8   header 1   60.0 frames/s   3 ms old   missed 0`.
    fn line(&self, arrival: ImageArrival<'_>) -> String {
        let (frame, shape) = (arrival.frame, arrival.frame.shape());
        let mut line =
            format!("{}   frame {}   {}", printable(self.name.as_str()), arrival.count, image_shape(&shape));
        line.push_str(&match shape.version {
            HeaderVersion::Legacy => "   header from before 2022".to_owned(),
            version => format!("   header {}", version.number()),
        });
        if let (Some(first), Some(last)) = (self.arrived.front(), self.arrived.back())
            && last > first
        {
            let steps = self.arrived.len().saturating_sub(1) as f64;
            line.push_str(&format!("   {:.1} frames/s", steps / last.duration_since(*first).as_secs_f64()));
        }
        if let Some(age) = frame.age() {
            line.push_str(&format!("   {} ms old", age.as_millis()));
        }
        if frame.missed().is_some() {
            line.push_str(&format!("   {} missed", say::count(self.missed, "frame")));
        }
        line
    }
}
